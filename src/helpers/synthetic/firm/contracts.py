"""Contracts that are renewed term after term, until they are not."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .people import People


def contracts(
    people: People,
    rng: np.random.Generator,
    *,
    contract_share: float = 0.3,
    term_days: int = 91,
    renewal_a: float = 1.0,
    renewal_b: float = 3.5,
    term_price: float = 30.0,
    price_spread: float = 0.2,
    satisfaction_to_renewal: float = 0.5,
    leaving_to_contracts: float = 1.0,
) -> pd.DataFrame:
    """Let some customers sign a contract on the day of their first purchase.

    At the end of each term the holder lets the contract run out with a probability of their own, which is drawn from a
    beta distribution: the shifted-beta-geometric model (Fader & Hardie 2007, Journal of Interactive Marketing 21(1),
    76-90), exactly where both links are 0.

    Parameters
    ----------
    people : People
    rng : Generator
    contract_share : float
        Share of the customers with a contract; 0 for none.
    term_days : int
        Length of a term.
    renewal_a, renewal_b : float
        Of the beta distribution of the probability not to renew, whose mean is a / (a + b).
    term_price : float
        Mean price of a term.
    price_spread : float
        Standard deviation of its log; 0 for one price.
    satisfaction_to_renewal : float
        By how much the log odds to renew rise for one standard deviation of satisfaction.
    leaving_to_contracts : float
        Probability that who leaves the firm renews no more; 1 for all, 0 for contracts that know nothing of leaving.

    Returns
    -------
    DataFrame
        customer_id, start, renewals (until the last day observed), end (NaT while the contract runs), price (in
        cents); in order of customers.
    """
    holder_rng, churn_rng, renewal_rng, leaving_rng, price_rng = rng.spawn(5)
    holder = np.flatnonzero(holder_rng.random(len(people)) < contract_share)
    start = people.joined[holder].astype(np.int64)
    churn = np.clip(churn_rng.beta(renewal_a, renewal_b, len(holder)), 1e-12, 1 - 1e-12)
    churn = churn / (churn + (1 - churn) * np.exp(satisfaction_to_renewal * people.satisfaction[holder]))
    # A geometric number of renewals, by the inverse of its distribution function.
    wanted = np.floor(renewal_rng.standard_exponential(len(holder)) / -np.log1p(-churn))
    heeds_leaving = leaving_rng.random(len(holder)) < leaving_to_contracts
    stay = np.where(heeds_leaving, np.minimum(people.left[holder], people.end_day), people.end_day)
    possible = (people.end_day - start) // term_days
    renewals = np.minimum(wanted, (stay.astype(np.int64) - start) // term_days).astype(np.int64)
    end = people.date(start + (renewals + 1) * term_days)
    varied = np.exp(price_spread * price_rng.standard_normal(len(holder)) - price_spread**2 / 2)
    return pd.DataFrame(
        {
            "customer_id": people.customer_id[holder],
            "start": people.date(start),
            "renewals": renewals,
            "end": pd.Series(end).where(renewals < possible),
            "price": np.round(term_price * varied, 2),
        }
    )
