"""How much each customer moves a score: what resamples of very many customers come to, without drawing them.

A score is a function of how often each customer counts, and its influence is the derivative by that. Customers of a
resample count as often as independent Poisson numbers of mean 1 say, and of very many the score moves by the sum of
their influences, which is normal (the infinitesimal jackknife: Efron 1982, The Jackknife, the Bootstrap and Other
Resampling Plans, SIAM, chapter 6). The scores of all methods are then jointly normal, and one pass over the customers
says what thousands of resamples would.

Every influence takes predicted (n,), actual (n,) and weights (n,), the customers of each row, and returns an array of
shape (n,): nan throughout where the score is not defined. Weights count relative to their sum, as those of resamples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .scores import GainCurve

ROWS_AT_ONCE = 2**16


def of_mean(values, weights) -> np.ndarray:
    """Influence on the weighted mean of values."""
    return (values - np.average(values, weights=weights)) / weights.sum()


def total(predicted, actual, weights) -> np.ndarray:
    """Influence on the predicted total of as many customers."""
    return weights.sum() * of_mean(predicted, weights)


def total_error(predicted, actual, weights) -> np.ndarray:
    """Influence on predicted over actual total."""
    made = weights @ actual
    return (predicted - weights @ predicted / made * actual) / made if made > 0 else np.full(len(actual), np.nan)


def mae(predicted, actual, weights) -> np.ndarray:
    """Influence on the mean absolute error."""
    return of_mean(np.abs(predicted - actual), weights)


def rmse(predicted, actual, weights) -> np.ndarray:
    """Influence on the root of the mean squared error."""
    squared = (predicted - actual) ** 2
    root = np.sqrt(np.average(squared, weights=weights))
    return of_mean(squared, weights) / (2 * root) if root > 0 else np.zeros(len(squared))


def bias(predicted, actual, weights) -> np.ndarray:
    """Influence on the mean error."""
    return of_mean(predicted - actual, weights)


def correlation(predicted, actual, weights) -> np.ndarray:
    """Influence on the Pearson correlation: (u v - rho (u^2 + v^2) / 2) / n for standardised u and v."""
    u, v = _standardised(predicted, weights), _standardised(actual, weights)
    both = u * v
    rho = np.average(both, weights=weights)
    return (both - rho * (u**2 + v**2) / 2) / weights.sum()


def _standardised(values, weights) -> np.ndarray:
    centred = values - np.average(values, weights=weights)
    spread = np.sqrt(np.average(centred**2, weights=weights))
    return centred / (spread if spread > 0 else np.nan)


def accuracy(predicted, actual, weights) -> np.ndarray:
    """Influence on the share of customers whose status was predicted."""
    return of_mean(predicted == actual, weights)


def brier(predicted, actual, weights) -> np.ndarray:
    """Influence on the mean squared error of a probability."""
    return of_mean((predicted - actual) ** 2, weights)


def concentration(curve: GainCurve, step, actual) -> np.ndarray:
    """Influence on `GainCurve.concentration`; `step` is that of each row.

    The area A under the curve of n customers and total H adds up the actual of each customer times those who come
    after, half of those who are tied. So it grows by what those before hold and by the own actual times those after,
    and A / (n H) falls as n and H grow.
    """
    customers, held = curve.reached[-1], curve.held[-1]
    if not held > 0:
        return np.full(len(actual), np.nan)
    before, ahead = ((values[1:] + values[:-1]) / 2 for values in (curve.held, curve.reached))
    share = np.trapezoid(curve.held, curve.reached) / (customers * held)
    grows = (before[step] + actual * (customers - ahead[step])) / (customers * held)
    return grows - share * (1 / customers + actual / held)


def gini(curve: GainCurve, step, actual, best: GainCurve, of_best) -> np.ndarray:
    """Influence on the normalised Gini; `of_best` is that on the concentration of what came about, `best`."""
    own, most = curve.concentration(), best.concentration()
    if not most > 0:
        return np.full(len(actual), np.nan)
    return (concentration(curve, step, actual) - own / most * of_best) / most


def lift(curve: GainCurve, step, actual, share: float) -> np.ndarray:
    """Influence on `GainCurve.lift`.

    Whoever comes before the boundary adds the own actual, and pushes out what customers at the boundary hold; how much
    these hold is taken over the customers among whom the boundary moves in resamples.
    """
    customers, held = curve.reached[-1], curve.held[-1]
    if not held > 0:
        return np.full(len(actual), np.nan)
    end = share * customers
    reach = np.sqrt(3 * customers * share * (1 - share))  # an even spread of the boundary's standard error
    around = np.clip([end - reach, end + reach], 0, customers)
    there, near = np.interp(end, curve.reached, curve.held), np.interp(around, curve.reached, curve.held)
    at_boundary = (near[1] - near[0]) / (around[1] - around[0])
    inside = np.clip((end - curve.reached[:-1]) / np.diff(curve.reached), 0, 1)[step]
    moved = inside * (actual - at_boundary) + share * at_boundary
    return (moved - there / held * actual) / (share * held)


NUMBERS: Mapping[str, Callable] = {
    "total": total,
    "total_error": total_error,
    "mae": mae,
    "rmse": rmse,
    "bias": bias,
    "correlation": correlation,
}


def resampled_scores(values, influences, weights, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Draw scores as resamples of very many customers have them: jointly normal.

    Parameters
    ----------
    values : array_like, shape (k,)
        Scores.
    influences : sequence of ndarray, shape (n,)
        Of each of the scores; nan of those not defined.
    weights : ndarray, shape (n,)
        Customers of each row.
    resamples : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (k, resamples)
        Nan where the score is not defined.
    """
    covariance = np.zeros((len(values), len(values)))
    for start in range(0, len(weights), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        block = np.stack([influence[rows] for influence in influences]) * np.sqrt(weights[rows])
        covariance += block @ block.T
    errors = np.sqrt(np.diag(covariance))
    known = errors > 0
    scale = np.where(known, errors, 1)
    correlations = np.where(np.outer(known, known), covariance / np.outer(scale, scale), 0)
    # the symmetric root is unique, unlike eigenvectors' signs, and exists where scores move together
    curvature, axes = np.linalg.eigh(correlations)
    root = axes * np.sqrt(np.maximum(curvature, 0)) @ axes.T
    luck = root @ rng.standard_normal((len(values), resamples))
    return np.asarray(values, float)[:, None] + errors[:, None] * luck
