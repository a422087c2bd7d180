"""What was spent on addressing each customer."""

import datetime
from collections.abc import Mapping

import ibis

from helpers.data.cleaning import check
from helpers.data.contracts import TABLES
from helpers.data.customer_costs import CustomerCosts, Window, add_up, earlier_day, engine_of, last_day, no_costs

MarketingCosts = CustomerCosts


def load(
    source: str = "",
    *,
    columns: Mapping[str, str] | None = None,
    bad_rows: str = "refuse",
    date_format: str = "",
    decimal: str = ".",
    observation_end: datetime.date | str | None = None,
    earlier: datetime.date | str | None = None,
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
        "synthetic_firm", or a file or folder with the columns customer_id, date, cost; "" where none is given: nobody
        has a cost.
    columns, bad_rows, date_format, decimal, today
        As in `helpers.data.cleaning.check`.
    observation_end : date or str, optional
        The last day that counts; later touches are left out and counted. Default: the last touch.
    earlier : date or str, optional
        A day up to `observation_end` as of which the costs are wanted, too.
    months : int
        Length of the recent window in calendar months, up to `observation_end` (and up to `earlier`).
    past_rate : float
        Annual rate at which costs of earlier are brought to `observation_end` (and to `earlier`); 0 counts them at
        face value.
    customers : ibis Table, optional
        A table with the customer_id of each customer, in the same engine (``purchases.table``): touches of other
        ids are left out and counted. Default: everybody counts.
    connection : ibis backend, optional
        The engine that holds the purchases (``purchases.table.get_backend()``), so that the two can join.
        Default: that of `customers`, or a new one.

    Returns
    -------
    MarketingCosts
        Its table has customer_id, marketing_cost (all time), current_marketing_cost (the recent window) and, where
        `earlier` is given, earlier_marketing_cost and earlier_current_marketing_cost; no row where no touch is known.

    Raises
    ------
    InputRefused
        With all problems of the file.
    """
    earlier = earlier_day(earlier, observation_end)
    connection = engine_of(customers, connection)
    if not source:
        return no_costs({}, "marketing_cost", earlier, connection)
    checked = check(
        source,
        TABLES["marketing_touches"],
        "cost",
        columns=columns,
        bad_rows=bad_rows,
        date_format=date_format,
        decimal=decimal,
        today=today,
        wanted=(),
        connection=connection,
    )
    window = Window(last_day(checked.native, observation_end), months, past_rate, earlier)
    return add_up(checked, checked.native, "marketing_cost", "touches", window, customers=customers)
