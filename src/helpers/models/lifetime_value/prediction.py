"""What a fitted purchase model predicts of groups of customers, with the uncertainty of parameters and chance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from helpers.models.fit import Fit

from .purchase_models import PurchaseModel


def interval(draws: np.ndarray, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the central interval of draws that run along the first axis."""
    low, high = np.quantile(draws, ((1 - level) / 2, (1 + level) / 2), axis=0)
    return low, high


def simulated_totals(
    fit: Fit,
    frequency,
    recency,
    T,
    horizon: float,
    groups: Mapping[str, np.ndarray],
    *,
    draws: int = 400,
    seed: int = 0,
) -> dict[str, np.ndarray]:
    """Simulate the purchases of groups of customers in (T, T + horizon], as a holdout counts them.

    Each draw takes parameters from the asymptotic normal of their logs and lets every customer buy at random given
    the history, so that the spread of the draws carries parameters and chance together.

    Parameters
    ----------
    fit : Fit
        Of a purchase model.
    frequency, recency, T : array_like, shape (n,)
        Customers, times in the unit of the fit.
    horizon : float
        Length of the holdout in the same unit.
    groups : mapping of str to ndarray of int, shape (n,)
        For each way to part the customers the number, from 0, of each customer's group.
    draws, seed
        Number of draws; same seed, same draws.

    Returns
    -------
    dict of str to ndarray, shape (draws, groups)
        Nan when the fit has no finite covariance.
    """
    columns = [np.asarray(column, float) for column in (frequency, recency, T)]
    parts = {name: np.asarray(codes) for name, codes in groups.items()}
    totals = {name: np.full((draws, codes.max() + 1), np.nan) for name, codes in parts.items()}
    rng = np.random.default_rng(seed)
    for draw, model in enumerate(_drawn_models(fit, draws, rng)):
        bought = model.simulate_purchases(*columns, horizon, rng)
        for name, codes in parts.items():
            totals[name][draw] = np.bincount(codes, bought, minlength=totals[name].shape[1])
    return totals


def expected_path(model: PurchaseModel, starts, customers, ends) -> np.ndarray:
    """Cumulative repeat purchases that a model expects, knowing of its customers only when each came.

    Parameters
    ----------
    model : PurchaseModel
    starts : array_like, shape (n,)
        Times of first purchases.
    customers : array_like, shape (n,)
        How many customers came at each.
    ends : array_like, shape (k,)
        Times up to which purchases are counted, in the unit of the model.

    Returns
    -------
    ndarray, shape (k,)
        Sum over the starts of customers times E[X(end - start)].
    """
    watched = np.maximum(np.asarray(ends, float) - np.asarray(starts, float)[:, None], 0)
    return np.asarray(customers, float) @ model.new_customer_expected_purchases(watched)


def simulated_paths(fit: Fit, starts, customers, ends, *, draws: int = 200, seed: int = 0) -> np.ndarray:
    """Simulate what `expected_path` expects: parameters and chance together.

    Returns
    -------
    ndarray, shape (draws, k)
        Cumulative repeat purchases; nan when the fit has no finite covariance.
    """
    ends = np.asarray(ends, float)
    start = np.repeat(np.asarray(starts, float), np.asarray(customers, int))
    paths = np.full((draws, len(ends)), np.nan)
    rng = np.random.default_rng(seed)
    for draw, model in enumerate(_drawn_models(fit, draws, rng)):
        customer, time = model.simulate_histories(np.maximum(ends.max() - start, 0), rng)
        paths[draw] = np.searchsorted(np.sort(start[customer] + time), ends, side="right")
    return paths


def _drawn_models(fit: Fit, draws: int, rng: np.random.Generator) -> Iterator[PurchaseModel]:
    """Yield the model at random parameters; nothing when their uncertainty is unknown."""
    try:
        drawn = fit.draws(draws, rng)
    except ValueError:
        return
    yield from (fit.model_at(parameters) for parameters in drawn)
