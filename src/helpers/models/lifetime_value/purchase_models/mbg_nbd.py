"""The MBG/NBD model: a BG/NBD whose customers may also leave right after their first purchase.

Sources: Batislam, Denizel and Filiztekin (2007), "Empirical validation and comparison of models for customer base
analysis", International Journal of Research in Marketing 24(3), 201-209 (below: BDF); Hoppe and Wagner (2007),
"Customer base analysis: The case for a central variant of the Betageometric/NBD model", Marketing Journal of
Research and Management 3(2), 75-90; Wagner and Hoppe (2008), "Erratum on the MBG/NBD model", International Journal
of Research in Marketing 25(3), 225-226.

A new customer leaves at once with probability p ~ Beta(a, b), which is a / (a + b) over all of them. Whoever stays
has p ~ Beta(a, b + 1) and from then on is a customer of a BG/NBD with b + 1. So the MBG/NBD is the mixture of the
two, and only who has not bought again can be of the first kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import special

from helpers.models.fit import Fit

from .bg_nbd import BGNBD
from .fitting import fit_histories
from .interface import Kind, PurchaseModel
from .mbg_cnbd_k import NAMES, explain_runaway, mean_log_likelihood, starts


@dataclass(frozen=True)
class MBGNBD(PurchaseModel):
    """MBG/NBD with parameters r, alpha (in units of time), a and b, all positive.

    Methods broadcast their arguments. `frequency` counts repeat purchases, `recency` is the time from the
    first to the last purchase (0 without a repeat purchase), `T` the time from the first purchase to the end
    of observation; all times and horizons share the unit of alpha.
    """

    r: float
    alpha: float
    a: float
    b: float

    @property
    def stayers(self) -> BGNBD:
        """The BG/NBD of those who did not leave right after the first purchase."""
        return BGNBD(self.r, self.alpha, self.a, self.b + 1)

    @property
    def _staying_at_start(self) -> float:
        """Probability that a new customer does not leave right after the first purchase."""
        return self.b / (self.a + self.b)

    def probability_of_having_stayed_at_start(self, frequency, T) -> np.ndarray:
        """Probability of not having left right after the first purchase: 1 with a repeat purchase.

        Without one it is 1 / (1 + a / b ((alpha + T) / alpha)^r), by Bayes' rule: who stayed buys nothing until T
        with probability (alpha / (alpha + T))^r.

        Returns
        -------
        ndarray
            Of the shape that the arguments broadcast to.
        """
        frequency, T = np.asarray(frequency, float), np.asarray(T, float)
        log_odds = np.log(self.b / self.a) - self.r * np.log1p(T / self.alpha)
        return np.where(frequency > 0, 1.0, special.expit(log_odds))

    def log_likelihood(self, frequency, recency, T) -> np.ndarray:
        """Log-likelihood of each customer (BDF, as a mixture).

        b / (a + b) times the likelihood of the BG/NBD with b + 1, and without a repeat purchase a / (a + b) more.
        """
        stayed = np.log(self._staying_at_start) + self.stayers.log_likelihood(frequency, recency, T)
        left = np.log(self.a / (self.a + self.b))
        return np.where(np.asarray(frequency) > 0, stayed, np.logaddexp(stayed, left))

    def probability_alive(self, frequency, recency, T) -> np.ndarray:
        """Probability of being alive at T: 1 / (1 + a / (b + x) ((alpha + T) / (alpha + t_x))^(r + x)).

        BDF, appendix A, eq. 5. Unlike under BG/NBD it falls with time for customers without a repeat purchase too.
        """
        stayed = self.probability_of_having_stayed_at_start(frequency, T)
        return stayed * self.stayers.probability_alive(frequency, recency, T)

    def expected_purchases(self, frequency, recency, T, horizon) -> np.ndarray:
        """Purchases to expect in (T, T + horizon] (Wagner and Hoppe 2008)."""
        stayed = self.probability_of_having_stayed_at_start(frequency, T)
        return stayed * self.stayers.expected_purchases(frequency, recency, T, horizon)

    def weighted_expected_purchases(self, frequency, recency, T, horizons, weights) -> np.ndarray:
        """Sum over horizons of weight times expected purchases, shape (n, w); see `PurchaseModel`."""
        stayed = self.probability_of_having_stayed_at_start(frequency, T)
        return stayed[:, None] * self.stayers.weighted_expected_purchases(frequency, recency, T, horizons, weights)

    def probability_of_purchase(self, frequency, recency, T, horizon) -> np.ndarray:
        """Probability of at least one purchase in (T, T + horizon]."""
        stayed = self.probability_of_having_stayed_at_start(frequency, T)
        return stayed * self.stayers.probability_of_purchase(frequency, recency, T, horizon)

    def probability_of_staying(self, frequency, recency, T, horizon) -> np.ndarray:
        """Probability of being still a customer at T + horizon."""
        stayed = self.probability_of_having_stayed_at_start(frequency, T)
        return stayed * self.stayers.probability_of_staying(frequency, recency, T, horizon)

    def expected_duration(self, frequency, recency, T, limit: float) -> np.ndarray:
        """Expected time as a customer within (T, T + limit], shape (n,), in the unit of T."""
        stayed = self.probability_of_having_stayed_at_start(frequency, T)
        return stayed * self.stayers.expected_duration(frequency, recency, T, limit)

    def new_customer_expected_purchases(self, horizon) -> np.ndarray:
        """Repeat purchases to expect of a new customer within horizon (BDF)."""
        return self._staying_at_start * self.stayers.new_customer_expected_purchases(horizon)

    def purchase_count_probability(self, count, horizon) -> np.ndarray:
        """Probability that a new customer makes exactly `count` repeat purchases within horizon (BDF)."""
        stay = self._staying_at_start
        return stay * self.stayers.purchase_count_probability(count, horizon) + (1 - stay) * (np.asarray(count) == 0)

    def purchase_count_probability_given_history(self, count, frequency, recency, T, horizon) -> np.ndarray:
        """Probability of exactly `count` purchases in (T, T + horizon] given the history."""
        stayed = self.probability_of_having_stayed_at_start(frequency, T)
        buys = self.stayers.purchase_count_probability_given_history(count, frequency, recency, T, horizon)
        return stayed * buys + (1 - stayed) * (np.asarray(count) == 0)

    def simulate_purchases(self, frequency, recency, T, horizon, rng) -> np.ndarray:
        """One random number of purchases in (T, T + horizon] for each customer."""
        counts = self.stayers.simulate_purchases(frequency, recency, T, horizon, rng)
        return counts * (rng.random(counts.shape) < self.probability_of_having_stayed_at_start(frequency, T))

    def simulate_histories(self, length, rng) -> tuple[np.ndarray, np.ndarray]:
        """Repeat purchases of new customers, each watched for so long; see `PurchaseModel`."""
        stays = rng.random(len(length)) < self._staying_at_start
        return self.stayers.simulate_histories(length * stays, rng)


def fit_mbg_nbd(frequency, recency, T, weights=None) -> Fit:
    """Maximum-likelihood MBG/NBD of customers, in the unit of their times.

    Parameters
    ----------
    frequency, recency, T : array_like, shape (n,)
        See `MBGNBD`. Identical rows are grouped here; grouping them before only saves memory.
    weights : array_like, shape (n,), optional
        Number of customers with this row; 1 by default.

    Returns
    -------
    Fit
        With an `MBGNBD` as its model. `problems` says when dropout or the rates are not identified.

    Raises
    ------
    ValueError
        No customers, no repeat purchase at all, or rows that no history can give: missing or negative values,
        recency beyond T, a recency without repeat purchases, a frequency that is not whole.
    """
    objective_of = partial(mean_log_likelihood, 1, True)  # the MBG/NBD is the MBG/CNBD-1
    return fit_histories(
        NAMES, MBGNBD, objective_of, partial(starts, 1), explain_runaway, frequency, recency, T, weights
    )


KIND = Kind(
    name="mbg_nbd",
    label="MBG/NBD",
    source="Batislam, Denizel & Filiztekin 2007, International Journal of Research in Marketing 24(3), 201-209",
    fit=fit_mbg_nbd,
)
