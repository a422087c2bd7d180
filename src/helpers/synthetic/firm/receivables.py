"""What customers who buy on account owe, and what they have paid of it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from helpers.synthetic.transactions import Purchases

from .people import People


def receivables(
    people: People,
    purchases: Purchases,
    rng: np.random.Generator,
    *,
    on_account_share: float = 0.4,
    days_to_pay: int = 30,
    overdue_share: float = 0.1,
    payer_spread: float = 1.0,
    sales_to_overdue: float = 0.5,
) -> pd.DataFrame:
    """Let some customers pay their purchases later, or not.

    Parameters
    ----------
    people : People
    purchases : Purchases
        Of those people.
    rng : Generator
    on_account_share : float
        Share of the customers whose purchases are all on account; 0 for none.
    days_to_pay : int
        Days from the purchase to the day on which it is due.
    overdue_share : float
        Probability, between 0 and 1, that a typical customer has not paid in full what was due.
    payer_spread : float
        Standard deviation between customers of its log odds; 0 for customers who are all alike.
    sales_to_overdue : float
        By how much these log odds rise for one standard deviation of the log of what the customer bought in all.

    Returns
    -------
    DataFrame
        customer_id, date (the day on which it was due, up to the last day observed), amount_due, amount_paid (in
        cents; of what is overdue half has not been paid at all, the other half in part); in order of purchases.
    """
    account_rng, payer_rng, overdue_rng, part_rng = rng.spawn(4)
    sales = np.bincount(purchases.customer, purchases.amount, minlength=len(people))
    odds = logit(overdue_share) + sales_to_overdue * _standardised(np.log(np.maximum(sales, 0.01)))
    odds += payer_spread * payer_rng.standard_normal(len(people))
    on_account = account_rng.random(len(people)) < on_account_share
    due_day = purchases.day.astype(np.int64) + days_to_pay
    owed = np.flatnonzero(on_account[purchases.customer] & (due_day <= people.end_day))
    customer, due = purchases.customer[owed], purchases.amount[owed]
    is_overdue = overdue_rng.random(len(owed)) < expit(odds)[customer]
    part = np.maximum(part_rng.uniform(-1, 1, len(owed)), 0)
    return pd.DataFrame(
        {
            "customer_id": people.customer_id[customer],
            "date": people.date(due_day[owed]),
            "amount_due": due,
            "amount_paid": np.where(is_overdue, np.floor(100 * due * part) / 100, due),
        }
    )


def _standardised(values: np.ndarray) -> np.ndarray:
    spread = values.std()
    return (values - values.mean()) / spread if spread > 0 else np.zeros_like(values)
