"""What a fitted purchase model predicts of groups of customers, with the uncertainty of parameters and chance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from scipy import special

from helpers.models.fit import Fit, distinct_rows

from .purchase_models import PurchaseModel

MOST_SIMULATED = 30_000  # customers of whom every draw lets each buy; of more, totals are normal
FEWEST_NORMAL = 1_000  # customers of a group whose total is taken for normal
MOST_FOLLOWED = 25_000  # customers simulated through time; of more, a sample stands for the chance of all


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


def total_intervals(
    fit: Fit,
    frequency,
    recency,
    T,
    horizon: float,
    groups: Mapping[str, np.ndarray],
    *,
    draws: int = 400,
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Predictive intervals of what groups of customers buy in (T, T + horizon].

    They are those of `simulated_totals`. Of more than `MOST_SIMULATED` customers the totals of large groups are normal:
    parameters move them nearly linearly (`Fit.steps`), and by how much chance does, one simulated future says, since it
    is that of independent customers. Smaller groups are simulated all the same.

    Parameters
    ----------
    fit, frequency, recency, T, horizon, groups, draws, seed
        As in `simulated_totals`.
    level : float
        Of the intervals.

    Returns
    -------
    dict of str to (ndarray, ndarray), each of shape (groups,)
        Nan when the fit has no finite covariance.
    """
    history = [np.asarray(column, float) for column in (frequency, recency, T)]
    how = {"draws": draws, "seed": seed}
    if len(history[0]) <= MOST_SIMULATED:
        simulated = simulated_totals(fit, *history, horizon, groups, **how)
        return {name: interval(totals, level) for name, totals in simulated.items()}
    expected, variances = _moments_of_totals(fit, history, horizon, groups, np.random.default_rng(seed))
    found = {}
    for name, codes in groups.items():
        width = special.ndtri((1 + level) / 2) * np.sqrt(variances[name])
        low, high = expected[name] - width, expected[name] + width
        small = np.bincount(codes) < FEWEST_NORMAL
        inside = small[codes]
        if inside.any():
            few = {name: codes[inside]}
            drawn = simulated_totals(fit, *(column[inside] for column in history), horizon, few, **how)[name]
            ends, places = interval(drawn, level), np.flatnonzero(small)
            low[places], high[places] = (end[places] for end in ends)
        found[name] = low, high
    return found


def _moments_of_totals(
    fit: Fit, history: list[np.ndarray], horizon: float, groups: Mapping[str, np.ndarray], rng: np.random.Generator
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return the expected total of each group, and its variance by parameters and chance."""
    first, row = distinct_rows(*history)
    distinct = [column[first] for column in history]

    def of_customers(model: PurchaseModel) -> np.ndarray:
        return model.expected_purchases(*distinct, horizon)[row]

    def totals(of_each: np.ndarray) -> dict[str, np.ndarray]:
        return {name: np.bincount(codes, of_each) for name, codes in groups.items()}

    own = of_customers(fit.model)
    aside = [totals(of_customers(fit.model_at(parameters))) for parameters in fit.steps()]
    chance = totals((fit.model.simulate_purchases(*history, horizon, rng) - own) ** 2)
    variances = {}
    for name in groups:
        stepped = np.array([found[name] for found in aside])
        variances[name] = (((stepped[::2] - stepped[1::2]) / 2) ** 2).sum(axis=0) + chance[name]
    return totals(own), variances


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
    # times of whole days in another unit differ in their last bits: rounded, each is asked for once
    times, place = np.unique(watched.round(9), return_inverse=True)
    return np.asarray(customers, float) @ model.new_customer_expected_purchases(times)[place.reshape(watched.shape)]


def simulated_paths(fit: Fit, starts, customers, ends, *, draws: int = 200, seed: int = 0) -> np.ndarray:
    """Simulate what `expected_path` expects: parameters and chance together.

    Of n customers, more than `MOST_FOLLOWED`, only m are simulated, evenly spread over the starts. Their deviations
    from what is expected of them, times the root of n / m, vary as those of all do; the rest is expectation.

    Returns
    -------
    ndarray, shape (draws, k)
        Cumulative repeat purchases; nan when the fit has no finite covariance.
    """
    starts, customers, ends = np.asarray(starts, float), np.asarray(customers, int), np.asarray(ends, float)
    followed, scale = _followed(customers)
    start = np.repeat(starts, followed)
    paths = np.full((draws, len(ends)), np.nan)
    rng = np.random.default_rng(seed)
    for draw, model in enumerate(_drawn_models(fit, draws, rng)):
        customer, time = model.simulate_histories(np.maximum(ends.max() - start, 0), rng)
        paths[draw] = scale * np.searchsorted(np.sort(start[customer] + time), ends, side="right")
        if scale > 1:
            paths[draw] += expected_path(model, starts, customers - scale * followed, ends)
    return paths


def _followed(customers: np.ndarray) -> tuple[np.ndarray, float]:
    """Return how many customers of each start are simulated, and by what their deviations are multiplied."""
    total = customers.sum()
    if total <= MOST_FOLLOWED:
        return customers, 1.0
    reached = np.cumsum(customers) * MOST_FOLLOWED // total
    return np.diff(reached, prepend=0), float(np.sqrt(total / MOST_FOLLOWED))


def _drawn_models(fit: Fit, draws: int, rng: np.random.Generator) -> Iterator[PurchaseModel]:
    """Yield the model at random parameters; nothing when their uncertainty is unknown."""
    try:
        drawn = fit.draws(draws, rng)
    except ValueError:
        return
    yield from (fit.model_at(parameters) for parameters in drawn)
