"""How regular customers' purchases are, from two gaps of each.

Source: Wheat and Morrison (1990), "Estimating Purchase Regularity with Two Interpurchase Times", Journal of
Marketing Research 27(1), 87-93.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from helpers.models.fit import checked_columns


@dataclass(frozen=True)
class Regularity:
    """Shape k of gaps between purchases: 1 is random (Poisson), more is regular, less comes in bursts.

    Attributes
    ----------
    k, low, high : float
        Estimate with its confidence interval; nan where fewer than two customers tell.
    customers : float
        How many the estimate rests on.
    """

    k: float
    low: float
    high: float
    customers: float


def wheat_morrison(first_interval, second_interval, weights=None, level: float = 0.95) -> Regularity:
    """Estimate the regularity k of Erlang-k (gamma) gaps from the first two gaps of each customer.

    M = t_1 / (t_1 + t_2) of gaps that are Gamma(k, lambda) is Beta(k, k) whatever the customer's rate lambda, so
    Var(M) = 1 / (4 (2k + 1)) and k = (1 - 4 Var) / (8 Var) (Wheat and Morrison 1990). The mean of M being 1/2, Var
    is estimated by the mean of (M - 1/2)^2.

    Only customers with at least two repeat purchases are seen, which does not bias M: whether both gaps ended before
    observation did, and before the customer left, depends on their sum and on chance; how the sum divides into the
    two is independent of it.

    Where purchases were merged by day, gaps shorter than a day are missing and all others are whole days, so that
    customers look more regular than they are: purchases at random come out at k = 1.6, 1.3, 1.1 and 1.03 for mean gaps
    of 5, 10, 30 and 90 days, while gaps that are regular anyway hardly change.

    Parameters
    ----------
    first_interval, second_interval : array_like, shape (n,)
        From the first to the second and from the second to the third purchase, both positive, in any unit.
    weights : array_like, shape (n,), optional
        Number of customers with this pair; 1 by default.
    level : float
        Of the interval: normal for the logarithm of Var, carried over to k, which falls as Var rises.

    Returns
    -------
    Regularity
        All nan but `customers` when these are fewer than two; k infinite with an unknown interval when all gaps
        are equal.

    Raises
    ------
    ValueError
        Different lengths; missing, infinite, negative or zero gaps; weights that sum to 0.
    """
    if not np.size(first_interval) and not np.size(second_interval):
        return Regularity(np.nan, np.nan, np.nan, 0.0)
    first, second, weights = checked_columns(weights, first_interval=first_interval, second_interval=second_interval)
    _refuse_zero_gaps(first, second)
    customers = float(weights.sum())
    if customers < 2:
        return Regularity(np.nan, np.nan, np.nan, customers)

    squared = (first / (first + second) - 0.5) ** 2
    variance = weights @ squared / customers
    if not variance > 0:
        return Regularity(np.inf, np.nan, np.nan, customers)
    error = np.sqrt(weights @ (squared - variance) ** 2 / (customers - 1) / customers)
    factor = np.exp(special.ndtri((1 + level) / 2) * error / variance)
    k, low, high = (float(_shape(v)) for v in (variance, variance * factor, variance / factor))
    return Regularity(k, low, high, customers)


def _shape(variance: float) -> float:
    """The k of Beta(k, k) with this variance; 0 beyond 1/4, which no such distribution reaches."""
    return max((1 - 4 * variance) / (8 * variance), 0.0)


def _refuse_zero_gaps(first: np.ndarray, second: np.ndarray) -> None:
    zero = (first == 0) | (second == 0)
    if zero.any():
        rows = ", ".join(map(str, np.flatnonzero(zero)[:5]))
        raise ValueError(
            f"In {zero.sum()} rows a gap is 0 (first rows: {rows}): purchases of one moment are one purchase; "
            "merge them first."
        )
