"""The NBD model of repeat purchases without dropout.

Source: Ehrenberg (1959), "The Pattern of Consumer Purchases", Applied Statistics 8(1), 26-41.

A customer buys as a Poisson process with rate lambda ~ Gamma(r, rate alpha) and never leaves. Given the history,
lambda is Gamma(r + frequency, alpha + T).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from helpers.models.fit import Fit, Objective

from .fitting import fit_histories, poisson_times, runaway_in_words
from .interface import Kind, PurchaseModel

NAMES = ("r", "alpha")


@dataclass(frozen=True)
class NBD(PurchaseModel):
    """NBD with parameters r and alpha (in units of time), both positive.

    Methods broadcast their arguments. `frequency` counts repeat purchases, `recency` (which tells nothing here) is
    the time from the first to the last purchase, `T` the time from the first purchase to the end of observation;
    all times and horizons share the unit of alpha.
    """

    r: float
    alpha: float

    def log_likelihood(self, frequency, recency, T) -> np.ndarray:
        """Log-likelihood of each customer: Gamma(r + x) / Gamma(r) alpha^r / (alpha + T)^(r + x).

        It is that of the purchase times, as in the other models, and not of their number alone, which would have
        T^x / x! beside it; so that log-likelihoods compare.
        """
        frequency, _, T = _shared_shape(frequency, recency, T)
        return (
            special.gammaln(self.r + frequency)
            - special.gammaln(self.r)
            - self.r * np.log1p(T / self.alpha)
            - frequency * np.log(self.alpha + T)
        )

    def probability_alive(self, frequency, recency, T) -> np.ndarray:
        """Probability of being alive at T, which is 1."""
        return np.ones_like(_shared_shape(frequency, recency, T)[0])

    def expected_purchases(self, frequency, recency, T, horizon) -> np.ndarray:
        """Purchases to expect in (T, T + horizon]: the mean rate (r + x) / (alpha + T) times horizon."""
        frequency, _, T, horizon = _shared_shape(frequency, recency, T, horizon)
        return (self.r + frequency) / (self.alpha + T) * horizon

    def weighted_expected_purchases(self, frequency, recency, T, horizons, weights) -> np.ndarray:
        """Sum over horizons of weight times expected purchases, shape (n, w); see `PurchaseModel`."""
        return np.outer(self.expected_purchases(frequency, recency, T, 1.0), np.asarray(horizons, float) @ weights)

    def probability_of_purchase(self, frequency, recency, T, horizon) -> np.ndarray:
        """Probability of at least one purchase in (T, T + horizon]: 1 - ((alpha + T) / (alpha + T + t))^(r + x)."""
        frequency, _, T, horizon = _shared_shape(frequency, recency, T, horizon)
        return -np.expm1(-(self.r + frequency) * np.log1p(horizon / (self.alpha + T)))

    def probability_of_staying(self, frequency, recency, T, horizon) -> np.ndarray:
        """Probability of being still a customer at T + horizon, which is 1."""
        return np.ones_like(_shared_shape(frequency, recency, T, horizon)[0])

    def expected_duration(self, frequency, recency, T, limit: float) -> np.ndarray:
        """Expected time as a customer within (T, T + limit], shape (n,): all of it."""
        return limit * self.probability_alive(frequency, recency, T)

    def new_customer_expected_purchases(self, horizon) -> np.ndarray:
        """Repeat purchases to expect of a new customer within horizon."""
        return self.expected_purchases(0, 0, 0, horizon)

    def purchase_count_probability(self, count, horizon) -> np.ndarray:
        """Probability that a new customer makes exactly `count` repeat purchases within horizon.

        Negative binomial: Gamma(r + n) / (Gamma(r) n!) (alpha / (alpha + t))^r (t / (alpha + t))^n.
        """
        return self.purchase_count_probability_given_history(count, 0, 0, 0, horizon)

    def purchase_count_probability_given_history(self, count, frequency, recency, T, horizon) -> np.ndarray:
        """Probability of exactly `count` purchases in (T, T + horizon]: negative binomial with r + x, alpha + T."""
        count, frequency, _, T, horizon = _shared_shape(count, frequency, recency, T, horizon)
        r, alpha = self.r + frequency, self.alpha + T
        return np.exp(
            special.gammaln(r + count)
            - special.gammaln(r)
            - special.gammaln(count + 1)
            - r * np.log1p(horizon / alpha)
            + special.xlogy(count, horizon / (alpha + horizon))
        )

    def simulate_purchases(self, frequency, recency, T, horizon, rng) -> np.ndarray:
        """One random number of purchases in (T, T + horizon] for each customer."""
        frequency, _, T, horizon = _shared_shape(frequency, recency, T, horizon)
        return rng.poisson(rng.standard_gamma(self.r + frequency) / (self.alpha + T) * horizon)

    def simulate_histories(self, length, rng) -> tuple[np.ndarray, np.ndarray]:
        """Repeat purchases of new customers, each watched for so long; see `PurchaseModel`."""
        return poisson_times(rng.gamma(self.r, 1 / self.alpha, len(length)), length, rng)


def _shared_shape(*values) -> list[np.ndarray]:
    return np.broadcast_arrays(*(np.asarray(value, float) for value in values))


def fit_nbd(frequency, recency, T, weights=None) -> Fit:
    """Maximum-likelihood NBD of customers, in the unit of their times.

    Parameters
    ----------
    frequency, recency, T : array_like, shape (n,)
        See `NBD`. Identical rows are grouped here; grouping them before only saves memory.
    weights : array_like, shape (n,), optional
        Number of customers with this row; 1 by default.

    Returns
    -------
    Fit
        With an `NBD` as its model. `problems` says when the rates are not identified.

    Raises
    ------
    ValueError
        No customers, no repeat purchase at all, or rows that no history can give: missing or negative values,
        recency beyond T, a recency without repeat purchases, a frequency that is not whole.
    """
    return fit_histories(NAMES, NBD, mean_log_likelihood, _starts, _explain, frequency, recency, T, weights)


def _starts(rate: float) -> list[tuple[float, ...]]:
    return [(r, r / rate) for r in (0.4, 3.0)]


def _explain(model: NBD, runaway: dict[str, str]) -> str:
    return runaway_in_words(runaway, (), "")


def mean_log_likelihood(frequency, recency, T, weights) -> Objective:
    """Mean log-likelihood by log parameters (log r, log alpha) with gradient and Hessian.

    Parameters
    ----------
    frequency, recency, T : ndarray, shape (n,)
        Distinct histories; recency does not matter.
    weights : ndarray, shape (n,)
        Customers with each.

    Returns
    -------
    callable
        Log parameters, shape (2,) -> value, gradient (2,), Hessian (2, 2), each per customer.
    """
    share = weights / weights.sum()

    def objective(log_parameters):
        r, alpha = parameters = np.exp(log_parameters)
        value = share @ NBD(r, alpha).log_likelihood(frequency, recency, T)
        more, later = r + frequency, alpha + T
        gradient = np.array(
            [
                share @ (special.digamma(more) - special.digamma(r) - np.log1p(T / alpha)),
                share @ (r / alpha - more / later),
            ]
        )
        cross = share @ (1 / alpha - 1 / later)
        hessian = np.array(
            [
                [share @ (special.polygamma(1, more) - special.polygamma(1, r)), cross],
                [cross, share @ (more / later**2 - r / alpha**2)],
            ]
        )
        gradient = gradient * parameters
        return value, gradient, hessian * np.outer(parameters, parameters) + np.diag(gradient)

    return objective


KIND = Kind(
    name="nbd",
    label="NBD",
    source="Ehrenberg 1959, Applied Statistics 8(1), 26-41",
    fit=fit_nbd,
    dropout=False,
)
