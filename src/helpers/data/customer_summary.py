"""What the models need to know of each customer, computed inside the engine."""

import datetime
import itertools
from collections.abc import Callable, Mapping, Sequence

import ibis
import numpy as np
import pandas as pd

from helpers.data.cleaning import day
from helpers.data.engines import first_day
from helpers.data.refusal import InputRefused, Problem, require_choice

DAYS_PER_YEAR = 365.25
DAYS_PER_UNIT = {"D": 1.0, "W": 7.0, "M": 365.25 / 12}


def summarise(
    purchases_table: ibis.Table,
    observation_end: datetime.date | str,
    time_unit: str = "W",
    merge_period: str = "D",
    *,
    intervals: bool = True,
    also: Callable[[ibis.Table], Mapping[str, ibis.Value]] | None = None,
) -> ibis.Table:
    """Summarise each customer's purchases up to a day.

    Equal to ``lifetimes.utils.summary_data_from_transaction_data``: every date is floored to its period, the
    end too, so the last period counts whole. Definitions: Fader, Hardie & Lee 2005 (Marketing Science 24(2),
    275-284).

    Parameters
    ----------
    purchases_table : ibis Table
        customer_id, date, amount; rows of one customer in one period are one purchase.
    observation_end : date or str
        The last day that counts.
    time_unit : {"D", "W", "M"}
        Unit of recency and T: days, days / 7, days / 30.4375. It scales and does nothing else.
    merge_period : {"D", "W", "M"}
        The period within which purchases are one: day, week from Monday, calendar month.
    intervals : bool
        Whether log_intervals are wanted.
    also : callable, optional
        What else to add up of each customer in the same pass: given the rows to the end, the sums by name.

    Returns
    -------
    ibis Table
        One row for each customer acquired by then: customer_id; frequency, the number of repeat purchases;
        recency, from the first purchase to the last; T, from the first purchase to the end; monetary_value,
        the mean amount of the repeat purchases, 0 where there is none; with `intervals` log_intervals, the sum of the
        logarithms of the times between consecutive purchases, 0 where there is none: all that models of regular
        timing need beside the others (Reutterer, Platzer & Schroeder 2021, International Journal of Research in
        Marketing 38(1), 194-215); and the sums of `also`.
    """
    require_choice("time_unit", time_unit, DAYS_PER_UNIT)
    require_choice("merge_period", merge_period, DAYS_PER_UNIT)
    bought = purchases_table.mutate(date=_floored(purchases_table.date, merge_period))
    end = _floored(ibis.literal(day(observation_end, "observation_end")), merge_period)
    known = bought.filter(bought.date <= end)
    scale = DAYS_PER_UNIT[time_unit]
    # In order a customer's rows lie together, so that grouping them takes half the time and memory that it takes of
    # rows in any order, merged by period before.
    order = _in_order(known)
    columns = {"earlier_periods": ibis.dense_rank().over(order).cast("int32")}
    if intervals:
        # Rows of one period lie no time apart.
        columns["interval"] = _days(known.date.lag().over(order), known.date).nullif(0) / scale
    known = known.mutate(**columns)
    sums = {"log_intervals": known.interval.ln().sum().coalesce(0.0)} if intervals else {}
    sums |= also(known) if also else {}
    customers = known.group_by("customer_id").agg(
        first=known.date.min(),
        last=known.date.max(),
        frequency=known.earlier_periods.max().cast("int64"),
        repeat_amount=known.amount.sum(where=known.earlier_periods > 0),
        **sums,
    )
    return customers.select(
        "customer_id",
        "frequency",
        recency=_days(customers["first"], customers["last"]) / scale,
        T=_days(customers["first"], end) / scale,
        monetary_value=(customers.repeat_amount / customers.frequency.nullif(0)).coalesce(0.0),
        **{name: customers[name] for name in sums},
    )


def merged(purchases_table: ibis.Table, merge_period: str) -> ibis.Table:
    """Make one purchase of what a customer bought in one period.

    Not what `helpers.data.transactions.load` makes of the file with that period, where a refund lowers the purchases
    of its whole period: here refunds were netted before.

    Parameters
    ----------
    purchases_table : ibis Table
        customer_id, date, amount; rows of one customer in one period are one purchase.
    merge_period : {"D", "W", "M"}
        As in `summarise`.

    Returns
    -------
    ibis Table
        customer_id, date (the period's first day), amount.
    """
    require_choice("merge_period", merge_period, DAYS_PER_UNIT)
    date = _floored(purchases_table.date, merge_period)
    return purchases_table.group_by("customer_id", date=date).agg(amount=purchases_table.amount.sum())


def with_gaps(purchases_table: ibis.Table) -> ibis.Table:
    """Tell of each purchase how long it came after the customer's one before: put in order once, for many a `split`.

    Parameters
    ----------
    purchases_table : ibis Table
        customer_id, date, amount; one row for each customer and merge period.

    Returns
    -------
    ibis Table
        customer_id, date, amount; log_gap, the logarithm of the days since the purchase before, missing of the first.
    """
    before = purchases_table.date.lag().over(_in_order(purchases_table))
    names = ["customer_id", "date", "amount"]
    return purchases_table.select(*names, log_gap=_days(before, purchases_table.date).ln())


def split(
    gaps: ibis.Table,
    calibration_end: datetime.date | str,
    observation_end: datetime.date | str,
    time_unit: str = "W",
    merge_period: str = "D",
) -> ibis.Table:
    """Summarise the customers acquired in the calibration period as of its end, and what they then bought, at once.

    Parameters
    ----------
    gaps : ibis Table
        Of `with_gaps`.
    calibration_end, observation_end : date or str
        The last days of the calibration and of the holdout period.
    time_unit : {"D", "W", "M"}
        As in `summarise`.
    merge_period : {"D", "W", "M"}
        That of the purchases, so that a holdout of calendar months is compared with as many calendar months.

    Returns
    -------
    ibis Table
        The columns of `summarise` with log_intervals; holdout_purchases, holdout_amount; last_period_purchases,
        last_period_amount, of the repeat purchases in a stretch as long as the holdout that ends on `calibration_end`;
        past_amount, of all purchases to that day, the first included. Zeros for those who bought nothing.
    """
    require_choice("time_unit", time_unit, DAYS_PER_UNIT)
    require_choice("merge_period", merge_period, DAYS_PER_UNIT)
    start, end = day(calibration_end, "calibration_end"), day(observation_end, "observation_end")
    past, inside = gaps.date <= start, (gaps.date > start) & (gaps.date <= end)
    repeat = past & gaps.log_gap.notnull()
    recent = repeat & (gaps.date > _as_long_before(start, end, merge_period))
    customers = gaps.group_by("customer_id").agg(
        first=gaps.date.min(),
        last=gaps.date.max(where=past),
        frequency=repeat.sum(),
        log_gaps=gaps.log_gap.sum(where=repeat).coalesce(0.0),
        repeat_amount=gaps.amount.sum(where=repeat).coalesce(0.0),
        holdout_purchases=inside.sum(),
        holdout_amount=gaps.amount.sum(where=inside).coalesce(0.0),
        last_period_purchases=recent.sum(),
        last_period_amount=gaps.amount.sum(where=recent).coalesce(0.0),
        past_amount=gaps.amount.sum(where=past),
    )
    customers = customers.filter(customers["first"] <= start)
    scale, age = DAYS_PER_UNIT[time_unit], _days(customers["first"], _floored(ibis.literal(start), merge_period))
    known = ["holdout_purchases", "holdout_amount", "last_period_purchases", "last_period_amount", "past_amount"]
    return customers.select(
        "customer_id",
        "frequency",
        recency=_days(customers["first"], customers["last"]) / scale,
        T=age / scale,
        monetary_value=(customers.repeat_amount / customers.frequency.nullif(0)).coalesce(0.0),
        log_intervals=customers.log_gaps - customers.frequency * ibis.literal(float(np.log(scale)), "float64"),
        **{name: customers[name] for name in known},
    )


def purchases_by_period(
    purchases_table: ibis.Table, calibration_end: datetime.date | str, ends: Sequence[datetime.date | str]
) -> pd.DataFrame:
    """Count the repeat purchases in each stretch of time by the customers acquired in the calibration period.

    Parameters
    ----------
    purchases_table : ibis Table
        `helpers.data.transactions.Purchases.table`: one row for each purchase.
    calibration_end : date or str
        The last day on which a first purchase makes a customer of the calibration period.
    ends : sequence of date or str
        The last day of each stretch, in ascending order. The first stretch begins with the first purchase, each
        other on the day after the end before it; purchases after the last end are not counted.

    Returns
    -------
    pandas.DataFrame
        period_end, purchases: a row for each end.

    Raises
    ------
    InputRefused
        If an end is no date, or not later than the one before it.
    """
    ends = [day(end, "ends") for end in ends]
    if any(later <= earlier for earlier, later in itertools.pairwise(ends)):
        raise InputRefused("ends", [Problem("each day must be later than the one before it")])
    dated = purchases_table.mutate(first=_first_date(purchases_table))
    acquired = dated["first"] <= day(calibration_end, "calibration_end")
    repeat = dated.filter(acquired & (dated.date > dated["first"]))
    by_day = repeat.group_by("date").agg(purchases=repeat.count()).to_pandas()
    stretch = np.searchsorted(np.array(ends, "datetime64[D]"), by_day.date.to_numpy("datetime64[D]"))
    # The last bin holds what was bought after the last end.
    counts = np.bincount(stretch, by_day.purchases, minlength=len(ends) + 1)[:-1]
    return pd.DataFrame({"period_end": ends, "purchases": counts.astype(int)})


def first_intervals(purchases_table: ibis.Table, end: datetime.date | str) -> pd.DataFrame:
    """Count the customers who share their first two times between purchases.

    Parameters
    ----------
    purchases_table : ibis Table
        `helpers.data.transactions.Purchases.table`: one row for each purchase.
    end : date or str
        The last day that counts.

    Returns
    -------
    pandas.DataFrame
        first_interval, second_interval (days), customers; sorted. Customers with fewer than two repeat purchases
        have no place in it.
    """
    known = purchases_table.filter(purchases_table.date <= day(end, "end"))
    order = _in_order(known)
    dated = known.select(
        position=ibis.row_number().over(order),
        first_interval=_days(known.date, known.date.lead(1).over(order)),
        second_interval=_days(known.date.lead(1).over(order), known.date.lead(2).over(order)),
    )
    firsts = dated.filter((dated.position == 0) & dated.second_interval.notnull())
    keys = ["first_interval", "second_interval"]
    return firsts.group_by(keys).agg(customers=firsts.count()).order_by(keys).to_pandas()


def distinct_rows(summary: ibis.Table, *, spent: bool = False) -> pd.DataFrame:
    """Count the customers who share a frequency, recency and T: all that the purchase models depend on.

    Parameters
    ----------
    summary : ibis Table
        Of `summarise`.
    spent : bool
        Whether it shall be told what they spent, which is all that totals of value depend on beside.

    Returns
    -------
    pandas.DataFrame
        frequency, recency, T; log_intervals where the summary has them, the mean over the row's customers, as a
        likelihood of regular timing is linear in it; with `spent` spent and spent_squared, the sums over the row's
        customers of what their repeat purchases add up to, and of its square; customers. Sorted.
    """
    keys = ["frequency", "recency", "T"]
    # Rounded because of the engine's order of adding, as in `repeat_spend`.
    means = {name: summary[name].mean().round(9) for name in ("log_intervals",) if name in summary.columns}
    sums = {}
    if spent:
        amount = summary.frequency * summary.monetary_value
        sums = {"spent": amount.sum(), "spent_squared": (amount * amount).sum()}
    rows = summary.group_by(keys).agg(**means, **sums, customers=summary.count())
    return _fetched(rows.order_by(keys))


def repeat_spend(summary: ibis.Table) -> pd.DataFrame:
    """Count the repeat customers who share a frequency and a mean spend: all that the spend model depends on.

    Returns
    -------
    pandas.DataFrame
        frequency, monetary_value, customers; sorted. Repeat customers whose mean is not above zero have no
        place in a Gamma distribution: they are left out, and counted in ``.attrs["left_out"]``.
    """
    keys = ["frequency", "monetary_value"]
    # The engine adds on several threads in no fixed order, so equal means differ in their last bits from run to
    # run: unrounded they would not be the same rows each time.
    repeat = summary.filter(summary.frequency > 0).mutate(monetary_value=summary.monetary_value.round(9))
    spend = _fetched(repeat.group_by(keys).agg(customers=repeat.count()).order_by(keys))
    positive = spend.monetary_value > 0
    left_out = int(spend.customers[~positive].sum())
    spend = spend[positive].reset_index(drop=True)
    spend.attrs["left_out"] = left_out
    return spend


def realised_value(
    realised_table: ibis.Table,
    margin_rate: float,
    observation_end: datetime.date | str,
    months: int = 12,
    past_rate: float = 0.0,
) -> ibis.Table:
    """Add up the margin that each customer has brought.

    Parameters
    ----------
    realised_table : ibis Table
        `helpers.data.transactions.Purchases.realised`.
    margin_rate : float
        Margin as a share of the amount, for rows that state no margin.
    observation_end : date or str
        The last day that counts.
    months : int
        Length of the recent window in calendar months, up to `observation_end`.
    past_rate : float
        Annual rate at which what came earlier is brought to `observation_end`; 0 counts it at face value.

    Returns
    -------
    ibis Table
        customer_id, historical_margin (all time), current_margin (the recent window), first_date, last_date.
    """
    end = day(observation_end, "observation_end")
    known = realised_table.filter(realised_table.date <= end)
    sums = margin_sums(known, margin_rate, end, months, past_rate)
    return known.group_by("customer_id").agg(**sums, first_date=known.date.min(), last_date=known.date.max())


def margin_sums(
    rows: ibis.Table, margin_rate: float, end: datetime.date, months: int = 12, past_rate: float = 0.0
) -> dict[str, ibis.Value]:
    """Express historical_margin and current_margin of a group of rows, none of them after the end, as `realised_value`.

    Parameters
    ----------
    rows : ibis Table
        date, amount; margin, where any row states one.
    margin_rate, end, months, past_rate
        As in `realised_value`.
    """
    margin = margin_rate * rows.amount
    if "margin" in rows.columns:
        margin = ibis.coalesce(rows.margin, margin)
    margin = margin * at_the_end(rows.date, end, past_rate)
    recent = rows.date > months_before(end, months)
    return {"historical_margin": margin.sum(), "current_margin": margin.sum(where=recent).coalesce(0.0)}


def at_the_end(date: ibis.Column, end: datetime.date, past_rate: float) -> ibis.Value:
    """Give what 1 of each date is worth at the end: (1 + rate)^(days / 365.25), 1 at a rate of 0."""
    if not past_rate:
        return ibis.literal(1.0)
    return ibis.literal(1.0 + past_rate) ** (_days(date, ibis.literal(end)) / DAYS_PER_YEAR)


def months_before(end: datetime.date, months: int) -> datetime.date:
    """Give the day that many calendar months earlier; a window begins on the day after it."""
    return (pd.Timestamp(end) - pd.DateOffset(months=months)).date()


def _fetched(table: ibis.Table) -> pd.DataFrame:
    """Bring numbers out of the engine through Arrow: where there are no gaps, none of them is looked at."""
    return table.to_pyarrow().to_pandas()


def _floored(date: ibis.Value, merge_period: str) -> ibis.Value:
    return date if merge_period == "D" else first_day(date, merge_period)


def _as_long_before(start: datetime.date, end: datetime.date, merge_period: str) -> datetime.date:
    """Give the day after which a stretch to `start` begins that is as long as that from `start` to `end`."""
    if merge_period != "M":
        return start - (end - start)
    # Months of purchases are dated by their first day, which days counted back over shorter months would miss.
    return months_before(start, 12 * (end.year - start.year) + end.month - start.month)


def _first_date(purchases: ibis.Table) -> ibis.Value:
    return purchases.date.min().over(group_by="customer_id")


def _in_order(purchases: ibis.Table) -> ibis.expr.builders.WindowBuilder:
    return ibis.window(group_by=purchases.customer_id, order_by=purchases.date)


def _days(first: ibis.Value, last: ibis.Value) -> ibis.Value:
    return last.delta(first, unit="day").cast("float64")
