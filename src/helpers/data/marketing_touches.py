"""What was spent on addressing each customer."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

import ibis
import pandas as pd

from helpers.data.cleaning import CheckedRows, account, check, day
from helpers.data.contracts import TABLES
from helpers.data.customer_summary import at_the_end, months_before
from helpers.data.reading import connect


@dataclass(frozen=True)
class MarketingCosts:
    """Marketing expense by customer.

    Attributes
    ----------
    table : ibis Table
        customer_id, marketing_cost (all time), current_marketing_cost (the recent window); no row where no
        touch is known.
    accounting : pandas.DataFrame
        step, rows, amount, reason: changes that add up to the last line; no line where no file was given.
    inputs : list of dict
        name, path, sha256, bytes, rows of each file.
    notes : list of str
        Sentences that a report must show.
    """

    table: ibis.Table
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
    months: int = 12,
    past_rate: float = 0.0,
    today: datetime.date | str | None = None,
    customers: ibis.Table | None = None,
    connection: ibis.BaseBackend | None = None,
) -> MarketingCosts:
    """Load marketing touches and add up what each customer has cost.

    Parameters
    ----------
    source : str
        A file or folder with the columns customer_id, date, cost; "" where none is given: nobody has a cost.
    columns, bad_rows, date_format, decimal, today
        As in `helpers.data.cleaning.check`.
    observation_end : date or str, optional
        The last day that counts; later touches are left out and counted. Default: the last touch.
    months : int
        Length of the recent window in calendar months, up to `observation_end`.
    past_rate : float
        Annual rate at which costs of earlier are brought to `observation_end`; 0 counts them at face value.
    customers : ibis Table, optional
        A table with the customer_id of each customer, in the same engine (``purchases.table``): touches of other
        ids are left out and counted. Default: everybody counts.
    connection : ibis backend, optional
        The engine that holds the purchases (``purchases.table.get_backend()``), so that the two can join.
        Default: that of `customers`, or a new one.

    Raises
    ------
    InputRefused
        With all problems of the file.
    """
    if connection is None:
        connection = connect() if customers is None else customers.get_backend()
    if not source:
        return _none(connection)
    checked = check(
        source,
        TABLES["marketing_touches"],
        "cost",
        columns=columns,
        bad_rows=bad_rows,
        date_format=date_format,
        decimal=decimal,
        today=today,
        connection=connection,
    )
    touches = checked.table
    end = day(observation_end, "observation_end") if observation_end else touches.date.max().to_pyarrow().as_py()
    by_customer = _added_up(touches, end, months, past_rate)
    is_customer = True if customers is None else by_customer.customer_id.isin(customers.customer_id)
    by_customer = connection.create_table(
        ibis.util.gen_name("touches"), by_customer.mutate(is_customer=is_customer), temp=True
    )
    known = by_customer.filter(by_customer.is_customer & (by_customer.touches > 0))
    return MarketingCosts(
        table=known.select("customer_id", "marketing_cost", "current_marketing_cost"),
        accounting=account([*checked.steps, *_steps(by_customer, end)]),
        inputs=checked.inputs,
        notes=[*checked.notes, *_credits(checked, by_customer)],
    )


def _added_up(touches: ibis.Table, end: datetime.date, months: int, past_rate: float) -> ibis.Table:
    """Add up the touches of each id to the last day that counts, and those after it."""
    counts = touches.date <= end
    recent = counts & (touches.date > months_before(end, months))
    worth = touches.cost * at_the_end(touches.date, end, past_rate)
    return touches.group_by("customer_id").agg(
        marketing_cost=worth.sum(where=counts),
        current_marketing_cost=worth.sum(where=recent).coalesce(0.0),
        touches=counts.sum(),
        cost=touches.cost.sum(where=counts).coalesce(0.0),
        later_touches=(~counts).sum(),
        later_cost=touches.cost.sum(where=~counts).coalesce(0.0),
        credits=(touches.cost < 0).sum(),
    )


def _steps(by_customer: ibis.Table, end: datetime.date) -> list[tuple[str, int, float, str]]:
    """Account for the way from usable rows to what customers have cost."""
    known = by_customer.is_customer
    sums = by_customer.aggregate(
        later_touches=by_customer.later_touches.sum(),
        later_cost=by_customer.later_cost.sum(),
        strange_touches=by_customer.touches.sum(where=~known).coalesce(0),
        strange_cost=by_customer.cost.sum(where=~known).coalesce(0.0),
        known_touches=by_customer.touches.sum(where=known).coalesce(0),
        known_cost=by_customer.cost.sum(where=known).coalesce(0.0),
    )
    line = sums.to_pandas().iloc[0]
    left_out = [
        ("excluded", -int(line.later_touches), -float(line.later_cost), f"dated after {end}"),
        ("excluded", -int(line.strange_touches), -float(line.strange_cost), "customer_id has no purchase"),
    ]
    counted = ("touches", int(line.known_touches), float(line.known_cost), "added up for each customer")
    return [*(step for step in left_out if step[1]), counted]


def _credits(checked: CheckedRows, by_customer: ibis.Table) -> list[str]:
    rows = by_customer.credits.sum().to_pandas()
    return [f"Rows of {checked.name} with a negative cost: {rows:,}. They are netted."] if rows else []


def _none(connection: ibis.BaseBackend) -> MarketingCosts:
    columns = {"customer_id": "string", "marketing_cost": "float64", "current_marketing_cost": "float64"}
    table = connection.create_table(ibis.util.gen_name("no_touches"), schema=ibis.schema(columns), temp=True)
    return MarketingCosts(table, account([]), [], [])
