"""What was spent, month by month, on winning customers and on keeping them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .choice import chosen
from .people import People

# Share of the customers whom nobody brought that each channel brings where all spend as usual.
CHANNELS = {"search": 0.45, "social": 0.30, "print": 0.25}
REFERRAL = "referral"


def market_spend(
    people: People,
    marketing_touches: pd.DataFrame,
    referrals: pd.DataFrame,
    rng: np.random.Generator,
    *,
    cost_of_new_customer: float = 25.0,
    spend_spread: float = 0.5,
    spend_to_new_customers: float = 0.6,
) -> pd.DataFrame:
    """Book each customer, and what was spent on them, to the channel by which they came.

    How many customers come in a month is the people's own. Those whom nobody brought come by a channel in proportion
    to its usual share times (spend / usual spend) ** `spend_to_new_customers`: within a month, the log of a channel's
    new customers rises with the log of its spend at that slope. The others come by the channel "referral".

    Parameters
    ----------
    people : People
    marketing_touches : DataFrame
        customer_id, date, cost: what was spent on customers of the firm.
    referrals : DataFrame
        date, incentive_cost: what was spent on winning those who were brought.
    rng : Generator
    cost_of_new_customer : float
        Usual spend of a channel for each of its new customers; 0 where channels cost nothing.
    spend_spread : float
        Standard deviation of the log of a channel's spend between months; 0 where it is always as usual.
    spend_to_new_customers : float
        Elasticity of the new customers of a channel with respect to its spend; 0 for none.

    Returns
    -------
    DataFrame
        period ("2023-01"), channel, acquisition_spend, retention_spend (of touches, by the channel by which their
        customer came), new_customers, retained_customers (who came before the month and left after it or not at all).
        Nothing is spent on winning customers after the last month in which any came. One row for each month observed
        and channel; over all channels each customer and each cost is counted once.
    """
    spend_rng, channel_rng = rng.spawn(2)
    month_of_day = _months(people)
    months, names = month_of_day[-1] + 1, [*CHANNELS, REFERRAL]
    joined = month_of_day[people.joined.astype(np.int64)]
    relative = np.exp(spend_spread * spend_rng.standard_normal((months, len(CHANNELS))) - spend_spread**2 / 2)
    open_months = joined.max() + 1
    channel = _channels(people, joined, relative, spend_to_new_customers, channel_rng)

    def total(month: np.ndarray, of_channel: np.ndarray, amount: np.ndarray | None = None) -> np.ndarray:
        """Count, or add up, by month and channel."""
        cell = month * len(names) + of_channel
        return np.bincount(cell, amount, minlength=months * len(names)).reshape(months, len(names))

    usual = cost_of_new_customer * np.array(list(CHANNELS.values())) * (people.referrer < 0).sum() / open_months
    spend = usual * relative * (np.arange(months) < open_months)[:, None]
    day = _days(people, referrals.date)
    incentives = np.bincount(month_of_day[day], referrals.incentive_cost, minlength=months)
    touched = channel[marketing_touches.customer_id.to_numpy() - 1]
    touch_month = month_of_day[_days(people, marketing_touches.date)]
    retention = total(touch_month, touched, marketing_touches.cost.to_numpy())
    new = total(joined, channel)
    periods = np.datetime_as_string(people.start_date.astype("M8[M]") + np.arange(months))
    return pd.DataFrame(
        {
            "period": np.repeat(periods, len(names)),
            "channel": np.tile(names, months),
            "acquisition_spend": np.round(np.column_stack([spend, incentives]).ravel(), 2),
            "retention_spend": np.round(retention.ravel(), 2),
            "new_customers": new.ravel(),
            "retained_customers": _retained(people, month_of_day, joined, channel, new, total).ravel(),
        }
    )


def _months(people: People) -> np.ndarray:
    """Number the calendar month of each day observed, from 0."""
    month = (people.start_date + np.arange(people.end_day + 1)).astype("M8[M]").astype(np.int64)
    return month - month[0]


def _days(people: People, dates: pd.Series) -> np.ndarray:
    return (dates.to_numpy().astype("M8[D]") - people.start_date).astype(np.int64)


def _channels(
    people: People, joined: np.ndarray, relative: np.ndarray, elasticity: float, rng: np.random.Generator
) -> np.ndarray:
    """Draw the channel by which each customer came."""
    weight = np.array(list(CHANNELS.values())) * relative**elasticity
    return np.where(people.referrer < 0, chosen(weight[joined], rng), len(CHANNELS))


def _retained(people, month_of_day, joined, channel, new, total) -> np.ndarray:
    """Count who had come before each month and were still there when it ended."""
    gone = ~people.alive
    left = month_of_day[people.left[gone].astype(np.int64)]
    # One who leaves in the month of coming is never counted; all others until the month in which they leave.
    ends = np.maximum(left, joined[gone] + 1)
    is_seen = ends < len(new)
    lost = total(ends[is_seen], channel[gone][is_seen])
    return new.cumsum(axis=0) - new - lost.cumsum(axis=0)
