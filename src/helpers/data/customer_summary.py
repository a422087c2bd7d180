"""What the models need to know of each customer, computed inside the engine."""

import datetime

import ibis
import pandas as pd

from helpers.data.cleaning import day
from helpers.data.refusal import require_choice

DAYS_PER_UNIT = {"D": 1.0, "W": 7.0, "M": 365.25 / 12}


def summarise(
    purchases_table: ibis.Table,
    observation_end: datetime.date | str,
    time_unit: str = "W",
    merge_period: str = "D",
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

    Returns
    -------
    ibis Table
        One row for each customer acquired by then: customer_id; frequency, the number of repeat purchases;
        recency, from the first purchase to the last; T, from the first purchase to the end; monetary_value,
        the mean amount of the repeat purchases, 0 where there is none.
    """
    require_choice("time_unit", time_unit, DAYS_PER_UNIT)
    require_choice("merge_period", merge_period, DAYS_PER_UNIT)
    end = _floored(ibis.literal(day(observation_end, "observation_end")), merge_period)
    period = _floored(purchases_table.date, merge_period)
    known = purchases_table.filter(period <= end)
    merged = known.group_by("customer_id", date=_floored(known.date, merge_period)).agg(amount=known.amount.sum())
    dated = merged.mutate(first=merged.date.min().over(group_by="customer_id"))
    customers = dated.group_by("customer_id", "first").agg(
        frequency=dated.count() - 1,
        last=dated.date.max(),
        monetary_value=dated.amount.mean(where=dated.date > dated.first).coalesce(0.0),
    )
    scale = DAYS_PER_UNIT[time_unit]
    return customers.select(
        "customer_id",
        "frequency",
        recency=_days(customers["first"], customers["last"]) / scale,
        T=_days(customers["first"], end) / scale,
        monetary_value=customers.monetary_value,
    )


def holdout(
    purchases_table: ibis.Table, calibration_end: datetime.date | str, observation_end: datetime.date | str
) -> ibis.Table:
    """Count what the customers acquired in the calibration period bought after it.

    Parameters
    ----------
    purchases_table : ibis Table
        `helpers.data.transactions.Purchases.table`: one row for each purchase.
    calibration_end, observation_end : date or str
        The last days of the calibration and of the holdout period.

    Returns
    -------
    ibis Table
        customer_id, holdout_purchases, holdout_amount; zeros for those who bought nothing.
    """
    start, end = day(calibration_end, "calibration_end"), day(observation_end, "observation_end")
    date, amount = purchases_table.date, purchases_table.amount
    inside = (date > start) & (date <= end)
    customers = purchases_table.group_by("customer_id").agg(
        first=date.min(),
        holdout_purchases=inside.sum(),
        holdout_amount=amount.sum(where=inside).coalesce(0.0),
    )
    return customers.filter(customers["first"] <= start).drop("first")


def distinct_rows(summary: ibis.Table) -> pd.DataFrame:
    """Count the customers who share a frequency, recency and T: all that the purchase models depend on.

    Returns
    -------
    pandas.DataFrame
        frequency, recency, T, customers; sorted.
    """
    keys = ["frequency", "recency", "T"]
    return summary.group_by(keys).agg(customers=summary.count()).order_by(keys).to_pandas()


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
    spend = repeat.group_by(keys).agg(customers=repeat.count()).order_by(keys).to_pandas()
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

    Returns
    -------
    ibis Table
        customer_id, historical_margin (all time), current_margin (the recent window), first_date, last_date.
    """
    end = day(observation_end, "observation_end")
    known = realised_table.filter(realised_table.date <= end)
    known = known.mutate(margin=ibis.coalesce(known.margin, margin_rate * known.amount))
    recent = known.date > months_before(end, months)
    return known.group_by("customer_id").agg(
        historical_margin=known.margin.sum(),
        current_margin=known.margin.sum(where=recent).coalesce(0.0),
        first_date=known.date.min(),
        last_date=known.date.max(),
    )


def months_before(end: datetime.date, months: int) -> datetime.date:
    """Give the day that many calendar months earlier; a window begins on the day after it."""
    return (pd.Timestamp(end) - pd.DateOffset(months=months)).date()


def _floored(date: ibis.Value, merge_period: str) -> ibis.Value:
    return date if merge_period == "D" else date.truncate(merge_period)


def _days(first: ibis.Value, last: ibis.Value) -> ibis.Value:
    return last.delta(first, unit="day").cast("float64")
