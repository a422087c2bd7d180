"""How well a prediction met what customers then did, with bootstrap intervals over customers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

RESAMPLES_AT_ONCE = 50

Measure = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
# A measure takes predicted (n,), actual (n,) and weights (..., n), and returns an array of shape (...).


def total(predicted, actual, weights) -> np.ndarray:
    """Predicted total."""
    return weights @ predicted


def total_error(predicted, actual, weights) -> np.ndarray:
    """Predicted over actual total, less 1."""
    return weights @ predicted / (weights @ actual) - 1


def mae(predicted, actual, weights) -> np.ndarray:
    """Mean absolute error per customer."""
    return weights @ np.abs(predicted - actual) / weights.sum(axis=-1)


def rmse(predicted, actual, weights) -> np.ndarray:
    """Root of the mean squared error per customer."""
    return np.sqrt(weights @ (predicted - actual) ** 2 / weights.sum(axis=-1))


def bias(predicted, actual, weights) -> np.ndarray:
    """Mean of predicted less actual per customer."""
    return weights @ (predicted - actual) / weights.sum(axis=-1)


def correlation(predicted, actual, weights) -> np.ndarray:
    """Pearson correlation over customers; nan when either does not vary."""
    customers = weights.sum(axis=-1)
    # centred on the plain means first, so that the moments below do not cancel
    predicted, actual = predicted - predicted.mean(), actual - actual.mean()
    mean_p, mean_a = weights @ predicted / customers, weights @ actual / customers
    variance_p = weights @ predicted**2 / customers - mean_p**2
    variance_a = weights @ actual**2 / customers - mean_a**2
    covariance = weights @ (predicted * actual) / customers - mean_p * mean_a
    return covariance / np.sqrt(np.where((variance_p > 0) & (variance_a > 0), variance_p * variance_a, np.nan))


MEASURES: Mapping[str, Measure] = {
    "total": total,
    "total_error": total_error,
    "mae": mae,
    "rmse": rmse,
    "bias": bias,
    "correlation": correlation,
}


def score_table(
    predicted,
    actual,
    customers=None,
    *,
    measures: Mapping[str, Measure] = MEASURES,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, tuple[float, float, float]]:
    """Each measure of a prediction with its bootstrap percentile interval over customers.

    Customers are resampled by Poisson weights (mean 1, scaled to the number of customers), which for many
    customers is the multinomial bootstrap without its bookkeeping.

    Parameters
    ----------
    predicted, actual : array_like, shape (n,)
        Predicted and actual numbers of each customer (or group of equal customers).
    customers : array_like, shape (n,), optional
        Customers in each row; 1 by default.
    measures : mapping of str to callable
        Name to measure(predicted, actual, weights).
    resamples, level, seed
        Of the bootstrap; the same seed gives the same intervals, and the same resamples to every prediction.

    Returns
    -------
    dict of str to (value, low, high)
        Nan where a measure is not defined (a relative error of nothing, a correlation with a constant).

    Raises
    ------
    ValueError
        No rows, different lengths, or missing values.
    """
    predicted, actual = np.asarray(predicted, float), np.asarray(actual, float)
    counts = np.ones_like(actual) if customers is None else np.asarray(customers, float)
    if predicted.ndim != 1 or not predicted.size or not predicted.shape == actual.shape == counts.shape:
        raise ValueError("predicted, actual and customers must be non-empty, one-dimensional and of one length.")
    if not np.all(np.isfinite(predicted) & np.isfinite(actual)):
        raise ValueError("A score needs a predicted and an actual number for every customer.")
    rng = np.random.default_rng(seed)
    resampled: dict[str, list[np.ndarray]] = {name: [] for name in measures}
    tails = ((1 - level) / 2, (1 + level) / 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        for start in range(0, resamples, RESAMPLES_AT_ONCE):
            weights = rng.poisson(counts, (min(RESAMPLES_AT_ONCE, resamples - start), len(counts))).astype(float)
            weights *= counts.sum() / weights.sum(axis=1, keepdims=True)
            for name, measure in measures.items():
                resampled[name].append(measure(predicted, actual, weights))
        return {
            name: (
                float(measure(predicted, actual, counts)),
                *map(float, _quantiles(np.concatenate(resampled[name]), tails)),
            )
            for name, measure in measures.items()
        }


def _quantiles(values: np.ndarray, tails) -> np.ndarray:
    """Quantiles of the finite values; nan when there are none, as with a single customer drawn 0 times."""
    values = values[np.isfinite(values)]
    return np.quantile(values, tails) if values.size else np.full(len(tails), np.nan)
