"""What was spent on addressing each customer."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

import ibis
import pandas as pd

from helpers.data.cleaning import account, check, day
from helpers.data.customer_summary import months_before
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
    today: datetime.date | str | None = None,
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
    connection : ibis backend, optional
        The engine that holds the purchases (``purchases.table.get_backend()``), so that the two can join.

    Raises
    ------
    InputRefused
        With all problems of the file.
    """
    connection = connection or connect()
    if not source:
        return _none(connection)
    checked = check(
        source,
        "marketing_touches",
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
    known = touches.filter(touches.date <= end)
    totals = known.group_by("customer_id").agg(
        marketing_cost=known.cost.sum(),
        current_marketing_cost=known.cost.sum(where=known.date > months_before(end, months)).coalesce(0.0),
    )
    later = touches.date > end
    counts = touches.aggregate(
        rows=(~later).sum(),
        cost=touches.cost.sum(where=~later).coalesce(0.0),
        later_rows=later.sum(),
        later_cost=touches.cost.sum(where=later).coalesce(0.0),
        credits=(touches.cost < 0).sum(),
    )
    counts = counts.to_pandas().iloc[0]
    steps, notes = list(checked.steps), list(checked.notes)
    if counts.later_rows:
        steps.append(("excluded", -int(counts.later_rows), -float(counts.later_cost), f"dated after {end}"))
    steps.append(("touches", int(counts.rows), float(counts.cost), "added up for each customer"))
    if counts.credits:
        notes.append(f"Rows of {checked.name} with a negative cost: {int(counts.credits):,}. They are netted.")
    return MarketingCosts(totals, account(steps), checked.inputs, notes)


def _none(connection: ibis.BaseBackend) -> MarketingCosts:
    columns = {"customer_id": "string", "marketing_cost": "float64", "current_marketing_cost": "float64"}
    table = connection.create_table(ibis.util.gen_name("no_touches"), schema=ibis.schema(columns), temp=True)
    return MarketingCosts(table, account([]), [], [])
