"""What each customer owed, and what of it is overdue."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

import ibis
import pandas as pd

from helpers.data.cleaning import CheckedRows, account, check, day, text_ids, with_ids_like
from helpers.data.contracts import TABLES
from helpers.data.customer_costs import NO_PURCHASE, empty, engine_of
from helpers.data.engines import held


@dataclass(frozen=True)
class Receivables:
    """What customers owed.

    Attributes
    ----------
    table : ibis Table
        customer_id, due (all that has fallen due, less open credit notes), overdue (what of it has not been paid, less
        open credit notes), overdue_share (overdue / due; null where nothing has fallen due); no row where nothing is
        known of a customer.
    accounting : pandas.DataFrame
        step, rows, amount (of what was due), reason: changes that add up to the last line; no line where no file was
        given.
    inputs : list of dict
        name, path, sha256, bytes, rows of each file.
    notes : list of str
        Sentences that a report must show.
    customers : int
        How many customers have at least one row that counts; 0 where no file was given.
    """

    table: ibis.Table
    accounting: pd.DataFrame
    inputs: list[dict]
    notes: list[str]
    customers: int


def load(
    source: str = "",
    *,
    columns: Mapping[str, str] | None = None,
    bad_rows: str = "refuse",
    date_format: str = "",
    decimal: str = ".",
    observation_end: datetime.date | str | None = None,
    unpaid_when_missing: bool = False,
    today: datetime.date | str | None = None,
    customers: ibis.Table | None = None,
    connection: ibis.BaseBackend | None = None,
) -> Receivables:
    """Load receivables and add up what each customer owed and still owes.

    Of an invoice that has fallen due, what has not been paid is overdue, from nothing to all of it: who paid one twice
    has not paid another. What has not been paid out of a credit note (a negative amount) is open and taken off, from
    what is overdue and from what was due, but not below nothing.

    Parameters
    ----------
    source : str
        "synthetic_firm", or a file or folder with the columns customer_id, date (the day on which it was due),
        amount_due; "" where none is given: nobody is known to have owed anything.
    columns, bad_rows, date_format, decimal
        As in `helpers.data.cleaning.check`.
    observation_end : date or str, optional
        The last day that counts; what falls due later is left out and counted. What has been paid is as of the file.
        Default: the last day on which anything was due, up to `today`.
    unpaid_when_missing : bool
        Whether an amount of which the file does not say what has been paid is unpaid; otherwise it is paid in full.
    today : date or str, optional
        Default: the current date. Later days are no mistake: they are when something will be due.
    customers, connection
        As in `helpers.data.marketing_touches.load`.

    Raises
    ------
    InputRefused
        With all problems of the file.
    """
    connection = engine_of(customers, connection)
    if not source:
        columns = {"customer_id": "string", "due": "float64", "overdue": "float64", "overdue_share": "float64"}
        return Receivables(empty(columns, connection), account([]), [], [], 0)
    checked = check(
        source,
        TABLES["receivables"],
        "amount_due",
        columns=columns,
        bad_rows=bad_rows,
        date_format=date_format,
        decimal=decimal,
        today=datetime.date.max,
        connection=connection,
    )
    end = _end(checked.native, observation_end, today)
    by_customer = _by_customer(_rows(checked.native, unpaid_when_missing), end)
    is_customer = True
    if customers is not None:
        is_customer = by_customer.customer_id.isin(with_ids_like(customers, by_customer.customer_id).customer_id)
    by_customer = held(text_ids(by_customer.mutate(is_customer=is_customer)))
    due = ibis.greatest(by_customer.invoiced - by_customer.credited, 0.0)
    overdue = ibis.greatest(by_customer.unpaid - by_customer.credited, 0.0)
    table = by_customer.mutate(due=due, overdue=overdue, overdue_share=ibis.ifelse(due > 0, overdue / due, None))
    known = table.filter(table.is_customer & (table.rows > 0))
    return Receivables(
        table=known.select("customer_id", "due", "overdue", "overdue_share"),
        accounting=account([*checked.steps, *_steps(by_customer, end)]),
        inputs=checked.inputs,
        notes=[*checked.notes, *_notes(checked, by_customer, unpaid_when_missing)],
        customers=int(known.count().to_pyarrow().as_py()),
    )


def _end(
    rows: ibis.Table, observation_end: datetime.date | str | None, today: datetime.date | str | None
) -> datetime.date:
    if observation_end:
        return day(observation_end, "observation_end")
    return min(rows.date.max().to_pyarrow().as_py(), day(today, "today") if today else datetime.date.today())


def _rows(rows: ibis.Table, unpaid_when_missing: bool) -> ibis.Table:
    """Say of each amount what of it is open: of an invoice unpaid, of a credit note (below 0) not paid out."""
    paid = rows.amount_paid if "amount_paid" in rows.columns else ibis.null("float64")
    settled = paid.coalesce(0.0 if unpaid_when_missing else rows.amount_due)
    is_credit = rows.amount_due < 0
    lowest, highest = ibis.ifelse(is_credit, rows.amount_due, 0.0), ibis.ifelse(is_credit, 0.0, rows.amount_due)
    return rows.select(
        "customer_id",
        "date",
        due=rows.amount_due,
        open=rows.amount_due - ibis.least(ibis.greatest(settled, lowest), highest),
        is_silent=paid.isnull(),
        beyond=ibis.greatest(settled - highest, 0.0),
        is_negative=~is_credit & (settled < 0),
    )


def _by_customer(rows: ibis.Table, end: datetime.date) -> ibis.Table:
    known = rows.date <= end

    def total(value: ibis.Value, where: ibis.Value) -> ibis.Value:
        return value.sum(where=where).coalesce(0.0)

    return rows.group_by("customer_id").agg(
        invoiced=total(rows.due, known & (rows.due >= 0)),
        unpaid=total(rows.open, known & (rows.due >= 0)),
        credited=-total(rows.open, known & (rows.due < 0)),
        rows=known.sum(),
        amount=total(rows.due, known),
        later_rows=(~known).sum(),
        later_amount=total(rows.due, ~known),
        silent=(known & rows.is_silent).sum(),
        credits=(known & (rows.due < 0)).sum(),
        overpaid=(known & (rows.beyond > 0)).sum(),
        beyond=total(rows.beyond, known),
        negative=(known & rows.is_negative).sum(),
    )


def _steps(by_customer: ibis.Table, end: datetime.date) -> list[tuple[str, int, float, str]]:
    """Account for the way from usable rows to what customers owed."""
    known = by_customer.is_customer
    sums = by_customer.aggregate(
        later_rows=by_customer.later_rows.sum(),
        later_amount=by_customer.later_amount.sum(),
        strange_rows=by_customer.rows.sum(where=~known).coalesce(0),
        strange_amount=by_customer.amount.sum(where=~known).coalesce(0.0),
        rows=by_customer.rows.sum(where=known).coalesce(0),
        amount=by_customer.amount.sum(where=known).coalesce(0.0),
    )
    line = sums.to_pandas().iloc[0]
    left_out = [
        ("excluded", -int(line.later_rows), -float(line.later_amount), f"due after {end}"),
        ("excluded", -int(line.strange_rows), -float(line.strange_amount), NO_PURCHASE),
    ]
    counted = ("receivables", int(line.rows), float(line.amount), f"fallen due up to {end}")
    return [*(step for step in left_out if step[1]), counted]


def _notes(checked: CheckedRows, by_customer: ibis.Table, unpaid_when_missing: bool) -> list[str]:
    known = by_customer.filter("is_customer")
    names = ("rows", "silent", "credits", "credited", "overpaid", "beyond", "negative")
    sums = known.aggregate(**{name: known[name].sum().coalesce(0) for name in names}).to_pandas().iloc[0]
    notes = []
    if sums.silent:
        treated = "unpaid" if unpaid_when_missing else "paid in full"
        notes.append(
            f"Amounts of {checked.name} of which it does not say what has been paid: {sums.silent:,.0f} of "
            f"{sums['rows']:,.0f}. They count as {treated} (unpaid_when_missing)."
        )
    if sums.credits:
        notes.append(
            f"Credit notes (negative amounts due) of {checked.name}: {sums.credits:,.0f}. What is open of them, "
            f"{sums.credited:,.2f} in all, is taken off what their customers owe."
        )
    if sums.overpaid:
        notes.append(
            f"Amounts of {checked.name} paid beyond what was due: {sums.overpaid:,.0f}, by {sums.beyond:,.2f} in all. "
            "That pays nothing else."
        )
    if sums.negative:
        notes.append(
            f"Amounts of {checked.name} with a negative payment: {sums.negative:,.0f}. They count as not paid at all."
        )
    return notes
