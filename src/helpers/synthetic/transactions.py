"""Purchases of customers who behave exactly as BG/NBD and Gamma-Gamma say, with the truth beside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Traits:
    """What customers are like, as BG/NBD and Gamma-Gamma have it; arrays of shape (customers,).

    Parameters
    ----------
    acquired : ndarray
        When the first purchase is made, in days.
    rate : ndarray
        Purchases a week, while a customer.
    dropout_probability : ndarray
        Of leaving after each repeat purchase.
    spend_rate : ndarray
        Rate of the gamma distribution of an amount, whose mean is p / spend_rate.
    """

    acquired: np.ndarray
    rate: np.ndarray
    dropout_probability: np.ndarray
    spend_rate: np.ndarray


@dataclass(frozen=True)
class Purchases:
    """What customers bought, in order of time.

    Parameters
    ----------
    customer : ndarray of int64, shape (purchases,)
        Whose purchase it is, from 0.
    day : ndarray, shape (purchases,)
        When, in days; its whole part is the calendar day.
    amount : ndarray, shape (purchases,)
        In cents, at least 0.01.
    alive : ndarray of bool, shape (customers,)
        Who is still a customer at the end.
    """

    customer: np.ndarray
    day: np.ndarray
    amount: np.ndarray
    alive: np.ndarray


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
    check_days(acquisition_days, end_day)
    rng = np.random.default_rng(seed)
    traits = draw_traits(customers, rng, r=r, alpha=alpha, a=a, b=b, q=q, v=v, acquisition_days=acquisition_days)
    made = draw_purchases(traits, rng, p=p, end_day=end_day)
    start = np.datetime64(start_date, "D")
    purchases = pd.DataFrame(
        {
            "customer_id": made.customer + 1,
            "date": (start + made.day.astype(np.int64)).astype("datetime64[ns]"),
            "amount": made.amount,
        }
    )
    truth = pd.DataFrame(
        {
            "customer_id": np.arange(customers) + 1,
            "first_date": (start + traits.acquired.astype(np.int64)).astype("datetime64[ns]"),
            "rate": traits.rate,
            "dropout_probability": traits.dropout_probability,
            "mean_spend": p / traits.spend_rate,
            "alive_at_end": made.alive,
        }
    )
    return purchases, truth


def draw_traits(
    customers: int,
    rng: np.random.Generator,
    *,
    r: float,
    alpha: float,
    a: float,
    b: float,
    q: float,
    v: float,
    acquisition_days: int,
) -> Traits:
    """Draw what customers are like, as in `transactions`.

    They come in random order, so that an id says nothing about when its owner came.

    Raises
    ------
    ValueError
        A parameter that is not positive.
    """
    _require_positive(customers=customers, r=r, alpha=alpha, a=a, b=b, q=q, v=v)
    return Traits(
        acquired=rng.uniform(0, acquisition_days, customers),
        rate=rng.gamma(r, 1 / alpha, customers),
        dropout_probability=rng.beta(a, b, customers),
        spend_rate=np.maximum(rng.gamma(q, 1 / v, customers), 1e-300),
    )


def draw_purchases(traits: Traits, rng: np.random.Generator, *, p: float, end_day: int) -> Purchases:
    """Draw what customers of these traits, who all come by then, buy until the end of the last day.

    Raises
    ------
    ValueError
        p that is not positive.
    """
    _require_positive(p=p)
    observed = end_day + 1 - traits.acquired
    customers = len(observed)
    wanted = rng.poisson(traits.rate * observed / 7)
    until_leaving = rng.geometric(np.maximum(traits.dropout_probability, 1e-18))
    customer, day = _repeat_purchases(rng, traits.acquired, observed, wanted, until_leaving)
    customer, day = np.append(np.arange(customers), customer), np.append(traits.acquired, day)
    in_time = np.argsort(day, kind="stable")
    customer, day = customer[in_time], day[in_time]
    amount = np.maximum(np.round(rng.gamma(p, 1 / traits.spend_rate[customer]), 2), 0.01)
    return Purchases(customer=customer, day=day, amount=amount, alive=wanted < until_leaving)


def check_days(acquisition_days: int, end_day: int) -> None:
    """Refuse days on which new customers come that do not lie within those observed."""
    if not 1 <= acquisition_days <= end_day + 1:
        raise ValueError("acquisition_days must be at least 1 and lie within the days observed.")


def _require_positive(**parameters: float) -> None:
    for name, value in parameters.items():
        if not value > 0:
            raise ValueError(f"{name} must be positive, not {value}.")


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
