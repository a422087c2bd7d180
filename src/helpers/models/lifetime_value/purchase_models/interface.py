"""What every model of purchases and dropout offers, so that whoever uses one can use another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from helpers.models.fit import Fit


@dataclass(frozen=True)
class Kind:
    """A kind of purchase model, as the registry knows it.

    Parameters
    ----------
    name : str
        Stable snake_case name, that of its module: "bg_nbd".
    label : str
        As it is written: "BG/NBD".
    source : str
        The paper: authors, year, journal.
    fit : callable
        `fit(frequency, recency, T, weights=None)` -> Fit, and by keyword the columns of `needs`.
    needs : tuple of str
        Columns of the customer summary that `fit` takes beyond frequency, recency and T.
    dropout : bool
        Whether customers can leave under the model.
    """

    name: str
    label: str
    source: str
    fit: Callable[..., Fit]
    needs: tuple[str, ...] = ()
    dropout: bool = True


class PurchaseModel(Protocol):
    """What every model of purchases and dropout offers; times are in the unit of the data it was fitted on.

    Methods broadcast their arguments. `frequency` counts repeat purchases, `recency` is the time from the first to
    the last purchase (0 without a repeat purchase), `T` the time from the first purchase to the end of observation.
    A model that subclasses this gets `weighted_expected_purchases` for nothing.
    """

    def log_likelihood(self, frequency, recency, T) -> np.ndarray:
        """Log-likelihood of each customer."""

    def probability_alive(self, frequency, recency, T) -> np.ndarray:
        """Probability of being still a customer at T."""

    def expected_purchases(self, frequency, recency, T, horizon) -> np.ndarray:
        """Purchases to expect in (T, T + horizon]."""

    def probability_of_purchase(self, frequency, recency, T, horizon) -> np.ndarray:
        """Probability of at least one purchase in (T, T + horizon]."""

    def probability_of_staying(self, frequency, recency, T, horizon) -> np.ndarray:
        """Probability of being still a customer at T + horizon."""

    def purchase_count_probability_given_history(self, count, frequency, recency, T, horizon) -> np.ndarray:
        """Probability of exactly `count` purchases in (T, T + horizon]."""

    def expected_duration(self, frequency, recency, T, limit: float) -> np.ndarray:
        """Expected time as a customer within (T, T + limit], in the unit of T."""

    def simulate_purchases(self, frequency, recency, T, horizon, rng) -> np.ndarray:
        """One random number of purchases in (T, T + horizon] for each customer."""

    def new_customer_expected_purchases(self, horizon) -> np.ndarray:
        """Repeat purchases to expect of a new customer within horizon of the first purchase."""

    def purchase_count_probability(self, count, horizon) -> np.ndarray:
        """Probability that a new customer makes exactly `count` repeat purchases within horizon."""

    def simulate_histories(self, length, rng) -> tuple[np.ndarray, np.ndarray]:
        """Repeat purchases of new customers, each watched for so long after the first purchase.

        Parameters
        ----------
        length : array_like, shape (n,)
            How long each customer is watched.
        rng : numpy.random.Generator

        Returns
        -------
        customer : ndarray of int, shape (m,)
            The position in `length` of who bought; sorted.
        time : ndarray, shape (m,)
            When, since that customer's first purchase; increasing within a customer.
        """

    def weighted_expected_purchases(self, frequency, recency, T, horizons, weights) -> np.ndarray:
        """Sum over horizons of weight times expected purchases, as a discounted sum needs it.

        Parameters
        ----------
        frequency, recency, T : array_like, shape (n,)
            Customers.
        horizons : array_like, shape (k,)
            Lengths of time after T.
        weights : array_like, shape (k, w)
            One column for each weighted sum.

        Returns
        -------
        ndarray, shape (n, w)
        """
        total = 0.0
        for horizon, weight in zip(horizons, np.asarray(weights, float), strict=True):
            total = total + np.asarray(self.expected_purchases(frequency, recency, T, horizon))[:, None] * weight
        return total
