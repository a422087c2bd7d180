"""What was spent on each customer: dated costs added up inside the engine, with an account of every row."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import ibis
import pandas as pd

from helpers.data.cleaning import CheckedRows, account, day, text_ids, with_ids_like
from helpers.data.customer_summary import at_the_end, months_before
from helpers.data.engines import connect, first_day, hand_over, held
from helpers.data.refusal import InputRefused, Problem

NO_PURCHASE = "customer_id has no purchase"
_KNOWN = "added up for each customer"


@dataclass(frozen=True)
class CustomerCosts:
    """Costs by customer.

    Attributes
    ----------
    table : ibis Table
        customer_id and what the loader says; no row where nothing is known up to the last day that counts.
    accounting : pandas.DataFrame
        step, rows, amount, reason: changes that add up to the last line; no line where no file was given.
    inputs : list of dict
        name, path, sha256, bytes, rows of each file.
    notes : list of str
        Sentences that a report must show.
    by_month : pandas.DataFrame
        month (its first day), cost: what was spent on customers in each calendar month up to the last day that counts.
    customers : int
        How many customers have at least one row that counts; 0 where no file was given.
    """

    table: ibis.Table
    accounting: pd.DataFrame
    inputs: list[dict]
    notes: list[str]
    by_month: pd.DataFrame
    customers: int


@dataclass(frozen=True)
class Window:
    """Which days count.

    Parameters
    ----------
    end : date
        The last day that counts.
    months : int
        Length of the recent window in calendar months, up to `end`.
    past_rate : float
        Annual rate at which costs of earlier are brought to `end`; 0 counts them at face value.
    earlier : date, optional
        A day as of which the sums are wanted, too.
    """

    end: datetime.date
    months: int = 12
    past_rate: float = 0.0
    earlier: datetime.date | None = None

    def sums(self, rows: ibis.Table, cost: str) -> dict[str, ibis.Value]:
        """Express the sums of `rows.cost`, of rows up to the end, as of each of the days, by their columns' names."""
        sums = self._as_of(rows, cost, self.end)
        if self.earlier:
            sums |= {f"earlier_{name}": value for name, value in self._as_of(rows, cost, self.earlier).items()}
        return sums

    def _as_of(self, rows: ibis.Table, cost: str, end: datetime.date) -> dict[str, ibis.Value]:
        # A condition that always holds would be looked at for each row.
        known = rows.date <= end if end < self.end else None
        recent = rows.date > months_before(end, self.months)
        recent = recent if known is None else recent & known
        worth = rows.cost * at_the_end(rows.date, end, self.past_rate)
        return {
            cost: worth.sum(where=known).coalesce(0.0),
            f"current_{cost}": worth.sum(where=recent).coalesce(0.0),
        }


def earlier_day(
    earlier: datetime.date | str | None, observation_end: datetime.date | str | None
) -> datetime.date | None:
    """Read the parameter `earlier`.

    Raises
    ------
    InputRefused
        If it is no date, or lies after `observation_end`.
    """
    if not earlier:
        return None
    first = day(earlier, "earlier")
    if observation_end and first > day(observation_end, "observation_end"):
        raise InputRefused(f"earlier={earlier!r}", [Problem(f"it lies after observation_end={str(observation_end)!r}")])
    return first


def last_day(rows: ibis.Table, observation_end: datetime.date | str | None) -> datetime.date:
    """Give the last day that counts: as it is set, or that of the last row."""
    if observation_end:
        return day(observation_end, "observation_end")
    return rows.date.max().to_pyarrow().as_py()


def engine_of(customers: ibis.Table | None, connection: ibis.BaseBackend | None) -> ibis.BaseBackend:
    """Choose the engine in which a table can join the customers."""
    if connection is not None:
        return connection
    return connect() if customers is None else customers.get_backend()


def empty(columns: Mapping[str, str], connection: ibis.BaseBackend) -> ibis.Table:
    """Make a table of these columns and types without a row, which joins like any other."""
    return hand_over(connection, ibis.schema(columns).to_pyarrow().empty_table())


def no_costs(columns: Mapping[str, str], cost: str, earlier: object, connection: ibis.BaseBackend) -> CustomerCosts:
    """Say that nothing is known to have been spent on anybody."""
    names = [cost, f"current_{cost}"]
    dated = [f"earlier_{name}" for name in names] if earlier else []
    types = {"customer_id": "string", **dict.fromkeys(names, "float64"), **columns, **dict.fromkeys(dated, "float64")}
    return CustomerCosts(empty(types, connection), account([]), [], [], _by_month(), 0)


def add_up(
    checked: CheckedRows,
    rows: ibis.Table,
    cost: str,
    what: str,
    window: Window,
    *,
    customers: ibis.Table | None = None,
    counts: Mapping[str, ibis.Value] | None = None,
    steps: Sequence[tuple[str, int, float, str]] = (),
    notes: Sequence[str] = (),
) -> CustomerCosts:
    """Add up what each customer has cost, and account for every row.

    Parameters
    ----------
    checked : helpers.data.cleaning.CheckedRows
        Where the rows come from.
    rows : ibis Table
        customer_id (as in `checked.native`), date, cost of each usable row.
    cost, what : str
        The name of the sum, and what a row is, in the plural.
    window : Window
        Which days count.
    customers : ibis Table, optional
        As in the loaders.
    counts : Mapping[str, ibis Value], optional
        Further columns: of how many rows up to the last day each condition holds.
    steps, notes : sequence
        What was done to the rows before, and what a report must say of it.

    Returns
    -------
    CustomerCosts
        With customer_id, ``<cost>`` (all time), ``current_<cost>`` (the recent window), the counts, and where an
        earlier day is wanted ``earlier_<cost>``, ``earlier_current_<cost>``.
    """
    known_rows = rows.filter(rows.date <= window.end)
    by_customer, names = _by_customer(known_rows, cost, window, counts or {})
    customers = None if customers is None else with_ids_like(customers, rows.customer_id)
    is_customer = True if customers is None else by_customer.customer_id.isin(customers.customer_id)
    by_customer = held(text_ids(by_customer.mutate(is_customer=is_customer)))
    known = by_customer.filter("is_customer")
    steps = [*steps, *_later(rows, window.end), *_steps(by_customer, what)]
    return CustomerCosts(
        table=known.select("customer_id", *names),
        accounting=account([*checked.steps, *steps]),
        inputs=checked.inputs,
        notes=[*checked.notes, *notes, *_credits(checked, rows)],
        by_month=_by_month(known_rows, customers if any(NO_PURCHASE in step for step in steps) else None),
        customers=int(known.count().to_pyarrow().as_py()),
    )


def _by_customer(
    rows: ibis.Table, cost: str, window: Window, counts: Mapping[str, ibis.Value]
) -> tuple[ibis.Table, list[str]]:
    """Add up the rows of each id, up to the last day; name the columns that a caller wants."""
    sums = window.sums(rows, cost)
    counted = {name: condition.sum() for name, condition in counts.items()}
    dated = [name for name in sums if name.startswith("earlier_")]
    names = [*(name for name in sums if name not in dated), *counted, *dated]
    by_customer = rows.group_by("customer_id").agg(
        **sums,
        **counted,
        known_rows=rows.count(),
        known_cost=rows.cost.sum().coalesce(0.0),
    )
    return by_customer, names


def _later(rows: ibis.Table, end: datetime.date) -> list[tuple[str, int, float, str]]:
    """Account for the rows that are dated after the last day."""
    later = rows.filter(rows.date > end)
    line = later.aggregate(rows=later.count(), cost=later.cost.sum()).to_pandas().iloc[0]
    return [("excluded", -int(line.rows), -float(line.cost), f"dated after {end}")] if line.rows else []


def _steps(by_customer: ibis.Table, what: str) -> list[tuple[str, int, float, str]]:
    """Account for the way from rows up to the last day to what customers have cost."""
    known = by_customer.is_customer
    sums = by_customer.aggregate(
        strange_rows=by_customer.known_rows.sum(where=~known).coalesce(0),
        strange_cost=by_customer.known_cost.sum(where=~known).coalesce(0.0),
        rows=by_customer.known_rows.sum(where=known).coalesce(0),
        cost=by_customer.known_cost.sum(where=known).coalesce(0.0),
    )
    line = sums.to_pandas().iloc[0]
    strange = ("excluded", -int(line.strange_rows), -float(line.strange_cost), NO_PURCHASE)
    return [*([strange] if line.strange_rows else []), (what, int(line.rows), float(line.cost), _KNOWN)]


def _credits(checked: CheckedRows, rows: ibis.Table) -> list[str]:
    credited = rows.filter(rows.cost < 0).count().to_pandas()
    return [f"Rows of {checked.name} with a negative cost: {credited:,}. They are netted."] if credited else []


def _by_month(rows: ibis.Table | None = None, customers: ibis.Table | None = None) -> pd.DataFrame:
    """Add up what was spent on customers in each calendar month."""
    if rows is None:
        return pd.DataFrame({"month": pd.Series(dtype="datetime64[ns]"), "cost": pd.Series(dtype=float)})
    known = rows if customers is None else rows.semi_join(customers, "customer_id")
    # Days first: there are few, and rows are many to ask for their months.
    by_day = known.group_by("date").agg(cost=known.cost.sum())
    by_month = by_day.group_by(month=first_day(by_day.date, "M").cast("timestamp")).agg(cost=by_day.cost.sum())
    return by_month.order_by("month").to_pandas()
