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
    is_customer = ibis.literal(True) if customers is None else touches.customer_id.isin(customers.customer_id)
    touches = touches.mutate(
        verdict=ibis.cases((touches.date > end, "later"), (is_customer, "known"), else_="stranger")
    )
    known = touches.filter(touches.verdict == "known")
    worth = known.cost * at_the_end(known.date, end, past_rate)
    totals = known.group_by("customer_id").agg(
        marketing_cost=worth.sum(),
        current_marketing_cost=worth.sum(where=known.date > months_before(end, months)).coalesce(0.0),
    )
    counts = touches.group_by("verdict").agg(rows=touches.count(), cost=touches.cost.sum())
    counts = counts.to_pandas().set_index("verdict").reindex(["later", "stranger", "known"], fill_value=0)
    steps = list(checked.steps)
    for verdict, reason in (("later", f"dated after {end}"), ("stranger", "customer_id has no purchase")):
        line = counts.loc[verdict]
        if line.rows:
            steps.append(("excluded", -int(line.rows), -float(line.cost), reason))
    counted = counts.loc["known"]
    steps.append(("touches", int(counted.rows), float(counted.cost), "added up for each customer"))
    return MarketingCosts(totals, account(steps), checked.inputs, [*checked.notes, *_credits(checked)])


def _credits(checked: CheckedRows) -> list[str]:
    rows = checked.table.filter(checked.table.cost < 0).count().to_pandas()
    return [f"Rows of {checked.name} with a negative cost: {rows:,}. They are netted."] if rows else []


def _none(connection: ibis.BaseBackend) -> MarketingCosts:
    columns = {"customer_id": "string", "marketing_cost": "float64", "current_marketing_cost": "float64"}
    table = connection.create_table(ibis.util.gen_name("no_touches"), schema=ibis.schema(columns), temp=True)
    return MarketingCosts(table, account([]), [], [])
