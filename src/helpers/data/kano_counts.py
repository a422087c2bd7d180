"""Kano's classes in, already counted: how many respondents fell in each, for each requirement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd

from helpers.data.cleaning import check
from helpers.data.contracts import TABLES, Contract
from helpers.data.reading import read
from helpers.data.refusal import InputRefused, Problem
from helpers.data.respondents import in_order, with_roles
from helpers.data.sources import find_built_in

CLASSES = TABLES["kano_counts"].counts
NOT_ALWAYS_COUNTED = ("R", "Q")


@dataclass(frozen=True)
class KanoCounts:
    """How many respondents fell in each class, after the rules of `load_counts`.

    Attributes
    ----------
    name : str
        How messages call the file.
    counts : pandas.DataFrame
        requirement, segment, and the classes A, O, M, I, R, Q as int64, in the file's order. The segment is None where
        there is none.
    requirements, segments : tuple of str
        Requirements in order of first appearance; the segments that occur.
    accounting : pandas.DataFrame
        step, rows, reason. The first line is the file; the others are changes that add up to the last line, the rows
        of counts.
    inputs : list of dict
        name, path, sha256, bytes, rows of each file.
    notes : list of str
        Sentences that a report must show; of what is built in, where it was published.
    """

    name: str
    counts: pd.DataFrame
    requirements: tuple[str, ...]
    segments: tuple[str, ...]
    accounting: pd.DataFrame
    inputs: list[dict]
    notes: list[str]


def load_counts(
    source: str,
    *,
    columns: Mapping[str, str] | None = None,
    segment: str = "",
    bad_rows: str = "refuse",
    decimal: str = ".",
) -> KanoCounts:
    """Load counts of Kano's classes, built in or a user's own.

    A count is a whole number of respondents: a negative or fractional one makes a bad row, as do counts that are all
    zero, a requirement that is missing, and one that stands twice (of one segment, where there are segments).

    Parameters
    ----------
    source : str
        "brand_rese", "reppl", or a CSV file, a Parquet file, a folder of Parquet files or a glob pattern, with the
        columns requirement, A, O, M, I, R, Q.
    columns : Mapping[str, str], optional
        The file's column names to the contract's: ``{"attractive": "A"}``.
    segment : str
        The file's column that names the segment. "" takes the column of that name, if there is one.
    bad_rows : {"refuse", "exclude"}
        Whether bad rows refuse the file, or are left out and counted. Of rows that repeat the first is kept.
    decimal : {".", ","}
        The decimal mark of numbers that are text.

    Returns
    -------
    KanoCounts

    Raises
    ------
    InputRefused
        With all problems of the file, or what is wrong with a parameter; also if no row is left.
    """
    columns = with_roles(columns, segment, "")
    contract = _contract()
    _refuse_shares(source, contract, columns, decimal)
    checked = check(source, contract, columns=columns, bad_rows=bad_rows, decimal=decimal)
    rows = checked.table.order_by("place").to_pandas()
    counts = rows.reindex(columns=["requirement", "segment", *CLASSES]).astype(dict.fromkeys(CLASSES, "int64"))
    segments = counts.segment.astype(object)
    built_in = find_built_in(source, "kano_counts")
    steps = [(step, count, reason) for step, count, _, reason in checked.steps]
    steps.append(("rows of counts", len(counts), "one for each requirement and segment in the analysis"))
    return KanoCounts(
        name=checked.name,
        counts=counts.assign(segment=segments.where(segments.notna(), None)),
        requirements=tuple(counts.requirement.unique()),
        segments=in_order(segments),
        accounting=pd.DataFrame(steps, columns=["step", "rows", "reason"]),
        inputs=checked.inputs,
        notes=[*checked.notes, *([f"{checked.name}: {built_in.description}. {built_in.origin}."] if built_in else [])],
    )


def _contract() -> Contract:
    table, remedy = TABLES["kano_counts"], "If it was never counted, add it as a column of 0."
    counted = {name: replace(table.columns[name], remedy=remedy) for name in NOT_ALWAYS_COUNTED}
    return replace(table, columns=table.columns | counted)


def _refuse_shares(source: str, contract: Contract, columns: Mapping[str, str] | None, decimal: str) -> None:
    """Say of a file with a fraction in every row once what the check would say of each column."""
    raw = read(source, contract, columns)
    texts = raw.table.select(*(raw.columns[name] for name in CLASSES if name in raw.columns)).to_pandas().astype(str)
    numbers = texts.apply(lambda column: pd.to_numeric(column.str.replace(decimal, "."), errors="coerce"))
    if (numbers % 1 > 0).any(axis=1).all():
        rule = "there are fractions in every row, as of shares or percentages"
        way_out = "Counts are whole numbers of respondents: multiply shares by n, percentages by n / 100, and round."
        raise InputRefused(raw.name, [*raw.problems, Problem(rule, way_out=way_out)])
