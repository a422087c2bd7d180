"""How often contracts were renewed, and which of them run still: what models of renewal are fitted on."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from dataclasses import dataclass

import ibis
import numpy as np
import pandas as pd

from helpers.data.cleaning import CheckedRows, account, check, day
from helpers.data.contracts import TABLES
from helpers.data.customer_costs import NO_PURCHASE, empty, engine_of
from helpers.data.engines import held

_COLUMNS = {"customer_id": "string", "start": "date", "renewals": "int64", "end": "date", "price": "float64"}


@dataclass(frozen=True)
class Renewals:
    """Contracts with their renewals.

    Attributes
    ----------
    rows : pandas.DataFrame
        The distinct renewals (int64) and running (bool: it has not run out up to the last day that counts, so that
        nobody knows how often it will be renewed), with customers, how many contracts there are of the kind, and price,
        the mean of a term's (NaN where none is stated); in order. A contract that does not run was let go after its
        last renewal: of ``renewals + 1`` terms it came to an end with the last.
    cohorts : pandas.DataFrame
        The same by the month of the start: start ("2023-01"), renewals, running, customers; in order.
    table : ibis Table
        customer_id, start, renewals, end (null where none is known), price, running of each contract.
    mean_price : float
        Of one term, over the contracts that state it; NaN where none does.
    accounting : pandas.DataFrame
        step, rows, amount (prices of one term), reason: changes that add up to the last line; no line where no file was
        given.
    inputs : list of dict
        name, path, sha256, bytes, rows of each file.
    notes : list of str
        Sentences that a report must show.
    """

    rows: pd.DataFrame
    cohorts: pd.DataFrame
    table: ibis.Table
    mean_price: float
    accounting: pd.DataFrame
    inputs: list[dict]
    notes: list[str]


def load(
    source: str = "",
    *,
    columns: Mapping[str, str] | None = None,
    bad_rows: str = "refuse",
    date_format: str = "",
    decimal: str = ".",
    observation_end: datetime.date | str | None = None,
    today: datetime.date | str | None = None,
    customers: ibis.Table | None = None,
    connection: ibis.BaseBackend | None = None,
) -> Renewals:
    """Load contracts and count those that were renewed as often.

    Parameters
    ----------
    source : str
        "synthetic_firm", or a file or folder with the columns customer_id, start, renewals; "" where none is given:
        nobody is known to have a contract.
    columns, bad_rows, date_format, decimal
        As in `helpers.data.cleaning.check`.
    observation_end : date or str, optional
        The last day that counts: contracts that start later are left out and counted, those that end later, or of which
        no end is known, run. Renewals are those that the file states. Default: the last start or end, up to `today`.
    today : date or str, optional
        Default: the current date. Later days are no mistake: they are when a contract will start or run out.
    customers, connection
        As in `helpers.data.marketing_touches.load`.

    Raises
    ------
    InputRefused
        With all problems of the file.
    """
    connection = engine_of(customers, connection)
    if not source:
        nobody = empty({**_COLUMNS, "running": "boolean"}, connection)
        return Renewals(_kinds(nobody), _cohorts(nobody), nobody, math.nan, account([]), [], [])
    checked = check(
        source,
        TABLES["contracts"],
        "price",
        columns=columns,
        bad_rows=bad_rows,
        date_format=date_format,
        decimal=decimal,
        connection=connection,
    )
    rows = checked.table
    missing = {name: ibis.null(kind) for name, kind in _COLUMNS.items() if name not in rows.columns}
    rows = rows.mutate(renewals=rows.renewals.cast("int64"), **missing).select(*_COLUMNS)
    end = _end(rows, observation_end, today)
    is_customer = True if customers is None else rows.customer_id.isin(customers.customer_id)
    judged = rows.mutate(running=(rows.end > end).fill_null(True), is_late=rows.start > end, is_customer=is_customer)
    judged = held(judged)
    table = judged.filter(~judged.is_late & judged.is_customer).drop("is_late", "is_customer")
    mean_price = table.price.mean().to_pandas()
    return Renewals(
        rows=_kinds(table),
        cohorts=_cohorts(table),
        table=table,
        mean_price=math.nan if mean_price is None else float(mean_price),
        accounting=account([*checked.steps, *_steps(judged, end)]),
        inputs=checked.inputs,
        notes=[*checked.notes, *_notes(checked, table, end)],
    )


def _end(
    rows: ibis.Table, observation_end: datetime.date | str | None, today: datetime.date | str | None
) -> datetime.date:
    if observation_end:
        return day(observation_end, "observation_end")
    today = day(today, "today") if today else datetime.date.today()
    last = ibis.greatest(rows.start.max(), rows.end.max().coalesce(rows.start.max())).to_pyarrow().as_py()
    return min(last, today)


def _kinds(table: ibis.Table) -> pd.DataFrame:
    kinds = table.group_by("renewals", "running").agg(customers=table.count(), price=table.price.mean())
    frame = kinds.order_by("renewals", "running").to_pandas()
    types = {"renewals": np.int64, "running": bool, "customers": np.int64, "price": np.float64}
    return frame.astype(types)


def _cohorts(table: ibis.Table) -> pd.DataFrame:
    by_start = table.group_by("renewals", "running", start=table.start.strftime("%Y-%m")).agg(customers=table.count())
    frame = by_start.order_by("start", "renewals", "running").to_pandas()
    types = {"start": object, "renewals": np.int64, "running": bool, "customers": np.int64}
    return frame[list(types)].astype(types)


def _steps(judged: ibis.Table, end: datetime.date) -> list[tuple[str, int, float, str]]:
    """Account for the way from usable rows to contracts that count."""
    counted = f"started up to {end}"
    reason = ibis.cases((judged.is_late, f"starts after {end}"), (~judged.is_customer, NO_PURCHASE), else_=counted)
    totals = judged.group_by(reason=reason).agg(rows=judged.count(), amount=judged.price.sum())
    totals = totals.to_pandas().set_index("reason").astype({"amount": float})
    left_out = totals.drop(index=counted, errors="ignore").sort_index(ascending=False)
    steps = [("excluded", -int(line.rows), -float(line.amount), line.Index) for line in left_out.itertuples()]
    rows, amount = totals.loc[counted, ["rows", "amount"]] if counted in totals.index else (0, 0.0)
    return [*steps, ("contracts", int(rows), float(amount), counted)]


def _notes(checked: CheckedRows, table: ibis.Table, end: datetime.date) -> list[str]:
    facts = table.aggregate(
        contracts=table.count(),
        customers=table.customer_id.nunique(),
        scheduled=(table.end > end).sum().coalesce(0),
        unpriced=table.price.isnull().sum().coalesce(0),
        running=table.running.sum().coalesce(0),
        renewals=table.renewals.sum().coalesce(0),
    )
    facts = facts.to_pandas().iloc[0].astype(int)
    if not facts.contracts:
        return [f"No contract of {checked.name} counts: no renewals are known."]
    notes = []
    if facts.contracts > facts.customers:
        notes.append(
            f"Contracts of {checked.name} beyond the first of their customer: {facts.contracts - facts.customers:,}. "
            "Each counts by itself."
        )
    if facts.scheduled:
        notes.append(
            f"Contracts of {checked.name} that end after {end}: {facts.scheduled:,}. They count as running, with the "
            "renewals that the file states."
        )
    if 0 < facts.unpriced < facts.contracts:
        notes.append(
            f"Contracts of {checked.name} that do not state a price: {facts.unpriced:,} of {facts.contracts:,}. Means "
            "are of the others."
        )
    if facts.running == facts.contracts:
        notes.append(f"All contracts of {checked.name} run still: nobody is known to have let one go.")
    if not facts.renewals:
        notes.append(f"No contract of {checked.name} has been renewed.")
    return notes
