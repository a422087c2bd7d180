"""What the surveys of any topic have in common: the columns of segments and waves, and the order of their labels."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from numbers import Real

import pandas as pd

from helpers.data.refusal import InputRefused, Problem


def with_roles(columns: Mapping[str, str] | None, segment: str, wave: str) -> Mapping[str, str] | None:
    """Add the columns named as segment and wave to a mapping of the file's column names to the contract's.

    Raises
    ------
    InputRefused
        If a column is named for two things.
    """
    if columns is not None and not isinstance(columns, Mapping):
        return columns  # refused where mappings are checked
    mapping, problems = dict(columns or {}), []
    for role, name in (("segment", segment), ("wave", wave)):
        if not name or (name == role and role in mapping.values()):
            continue
        if mapping.setdefault(name, role) != role:
            problems.append(Problem(f"column {name!r} is named for {mapping[name]!r} and for {role!r}"))
    if problems:
        subject = f"columns={dict(columns or {})!r}, segment={segment!r}, wave={wave!r}"
        raise InputRefused(subject, problems, "Name a column once, or copy it in the file.")
    return mapping


def unlabelled(name: str, respondents: pd.DataFrame) -> list[str]:
    """Say how many respondents of a file have no segment or no wave, where others have."""
    counts = {role: int(respondents[role].isna().sum()) for role in ("segment", "wave") if role in respondents}
    return [
        f"Respondents of {name} without a {role}: {count:,}. They count in the whole and in no {role}."
        for role, count in counts.items()
        if count
    ]


def in_order(column: pd.Series) -> tuple[str, ...]:
    """Sort labels: by number where all are numbers, else as text in which digits count as numbers.

    Parameters
    ----------
    column : pandas.Series
        Texts; those that are missing are no labels.
    """
    labels = sorted(column.dropna().unique())
    numbers = [as_number(label) for label in labels]
    if None not in numbers:
        return tuple(label for _, label in sorted(zip(numbers, labels, strict=True)))
    return tuple(sorted(labels, key=_with_numbers))


def as_number(code: object) -> float | None:
    """Read a finite number, None where there is none."""
    try:
        number = float(code) if isinstance(code, Real | str) and not isinstance(code, bool) else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _with_numbers(label: str) -> list[str | int]:
    # Texts and digits alternate in it, so that like is compared with like.
    return [int(part) if place % 2 else part for place, part in enumerate(re.split(r"([0-9]+)", label))]
