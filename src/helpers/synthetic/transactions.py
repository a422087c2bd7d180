"""Purchases of customers who behave exactly as BG/NBD and Gamma-Gamma say, with the truth beside."""

from __future__ import annotations

import numpy as np
import pandas as pd


def transactions(
    customers: int,
    seed: int,
    *,
    r: float = 0.243,
    alpha: float = 4.414,
    a: float = 0.793,
    b: float = 2.426,
    p: float = 6.25,
    q: float = 3.74,
    v: float = 15.44,
    acquisition_days: int = 84,
    end_day: int = 545,
    start_date: str = "2023-01-01",
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Purchases and the truth about each customer.

    First purchases fall evenly on the acquisition days; repeat purchases follow in continuous time at each
    customer's own rate until the customer leaves, and are then put on their calendar day. The defaults are
    the published estimates for CDNOW (Fader, Hardie and Lee 2005; Fader and Hardie 2013) with its 12 weeks of
    acquisition and 78 of observation.

    Parameters
    ----------
    customers : int
        Number of customers, at least 1.
    seed : int
        Same seed, same tables.
    r, alpha, a, b : float
        BG/NBD parameters, alpha in weeks.
    p, q, v : float
        Gamma-Gamma parameters, v in money.
    acquisition_days : int
        Days, from the first, on which new customers come.
    end_day : int
        Last day observed (the first is day 0), at or after the last day of acquisition.
    start_date : str
        Date of day 0.

    Returns
    -------
    purchases : DataFrame
        customer_id, date, amount (in cents, at least 0.01), in order of time. A customer may buy twice on a
        day.
    truth : DataFrame
        customer_id, first_date, rate (purchases a week), dropout_probability, mean_spend, alive_at_end.

    Raises
    ------
    ValueError
        A parameter that is not positive, or days that do not fit.
    """
    parameters = {"customers": customers, "r": r, "alpha": alpha, "a": a, "b": b, "p": p, "q": q, "v": v}
    for name, value in parameters.items():
        if not value > 0:
            raise ValueError(f"{name} must be positive, not {value}.")
    if not 1 <= acquisition_days <= end_day + 1:
        raise ValueError("acquisition_days must be at least 1 and lie within the days observed.")
    rng = np.random.default_rng(seed)
    # customers come in random order, so that an id says nothing about when its owner came
    acquired = rng.uniform(0, acquisition_days, customers)
    rate = rng.gamma(r, 1 / alpha, customers)
    dropout = rng.beta(a, b, customers)
    spend_rate = np.maximum(rng.gamma(q, 1 / v, customers), 1e-300)

    observed = end_day + 1 - acquired
    wanted = rng.poisson(rate * observed / 7)
    until_leaving = rng.geometric(np.maximum(dropout, 1e-18))
    customer, day = _repeat_purchases(rng, acquired, observed, wanted, until_leaving)
    customer, day = np.append(np.arange(customers), customer), np.append(acquired, day)
    in_time = np.argsort(day, kind="stable")
    customer, day = customer[in_time], day[in_time]
    amount = np.maximum(np.round(rng.gamma(p, 1 / spend_rate[customer]), 2), 0.01)

    start = np.datetime64(start_date, "D")
    purchases = pd.DataFrame(
        {
            "customer_id": customer + 1,
            "date": (start + day.astype(np.int64)).astype("datetime64[ns]"),
            "amount": amount,
        }
    )
    truth = pd.DataFrame(
        {
            "customer_id": np.arange(customers) + 1,
            "first_date": (start + acquired.astype(np.int64)).astype("datetime64[ns]"),
            "rate": rate,
            "dropout_probability": dropout,
            "mean_spend": p / spend_rate,
            "alive_at_end": wanted < until_leaving,
        }
    )
    return purchases, truth


def _repeat_purchases(rng, acquired, observed, wanted, until_leaving) -> tuple[np.ndarray, np.ndarray]:
    """Find customer and time of each repeat purchase that comes before its customer leaves.

    Given their number, the times of a Poisson process are uniform; of each customer's only the first
    `until_leaving`, in order of time, are made.
    """
    customer = np.repeat(np.arange(len(wanted)), wanted)
    day = acquired[customer] + rng.random(len(customer)) * observed[customer]
    day = np.minimum(day, np.nextafter(acquired[customer] + observed[customer], 0))
    order = np.lexsort((day, customer))
    customer, day = customer[order], day[order]
    rank = np.arange(len(customer)) - np.repeat(np.cumsum(wanted) - wanted, wanted)
    made = rank < until_leaving[customer]
    return customer[made], day[made]
