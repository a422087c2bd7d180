"""What respondents say is important, against what their answers or their satisfaction show to be."""

from __future__ import annotations

import numpy as np
from scipy import stats

from . import coefficients

ROUNDING = 1e-12  # relative: numbers this close are the same, computed in two ways
GAPS = ("hidden", "overstated", "both_high", "both_low")


def scaled(answers, lowest: float, highest: float) -> np.ndarray:
    """Put answers on an importance scale from 0 (its lowest answer) to 1 (its highest).

    Raises
    ------
    ValueError
        Answers outside the scale, or a scale without length.
    """
    answers = np.asarray(answers, float)
    if not lowest < highest or ((answers < lowest) | (answers > highest)).any():
        raise ValueError(f"Answers of importance lie between {lowest:g} and {highest:g}.")
    return (answers - lowest) / (highest - lowest)


def stated(answers, weights=None) -> np.ndarray:
    """Mean importance that respondents stated.

    Parameters
    ----------
    answers : array_like, shape (respondents, requirements)
        Nan: no answer.
    weights : array_like, shape (..., respondents), optional
        How often each respondent counts; 1 by default.

    Returns
    -------
    ndarray, shape (..., requirements)
        Nan where nobody answered.
    """
    answers = np.asarray(answers, float)
    weights, known = _weights(weights, len(answers)), np.isfinite(answers)
    size = weights @ known.astype(float)
    return weights @ np.where(known, answers, 0) / np.where(size > 0, size, np.nan)


def span(counts) -> np.ndarray:
    """Importance from the answers to both questions: Better - Worse, from 0 to 2 (Timko in Berger et al. 1993).

    Parameters
    ----------
    counts : array_like, shape (..., 6)

    Returns
    -------
    ndarray, shape (...)
        Nan for a zero denominator.
    """
    return coefficients.better(counts) - coefficients.worse(counts)


def with_satisfaction(fulfilment, satisfaction, weights=None) -> np.ndarray:
    """Importance from satisfaction: its correlation with how well each requirement is met (Pearson).

    Parameters
    ----------
    fulfilment : array_like, shape (respondents, requirements)
        How well each respondent finds each requirement met; nan: no answer.
    satisfaction : array_like, shape (respondents,)
    weights : array_like, shape (..., respondents), optional
        How often each respondent counts; 1 by default.

    Returns
    -------
    ndarray, shape (..., requirements)
        Over those who answered both; nan where one of both does not vary.
    """
    fulfilment = np.asarray(fulfilment, float)
    outcome = np.broadcast_to(np.asarray(satisfaction, float)[:, None], fulfilment.shape)
    known = np.isfinite(fulfilment) & np.isfinite(outcome)
    weights = _weights(weights, len(fulfilment))
    size = weights @ known.astype(float)
    size = np.where(size > 0, size, np.nan)
    # near the mean of all, so that squares are not differences of large numbers
    met, outcome = (np.where(known, values - _column_means(values, known), 0) for values in (fulfilment, outcome))
    met_mean, outcome_mean = weights @ met / size, weights @ outcome / size
    shared = weights @ (met * outcome) / size - met_mean * outcome_mean
    spread = _variance(weights @ met**2 / size, met_mean) * _variance(weights @ outcome**2 / size, outcome_mean)
    return np.clip(shared / np.sqrt(spread), -1, 1)


def rank_agreement(first, second) -> np.ndarray:
    """Whether two measures put requirements in the same order (Spearman 1904).

    Parameters
    ----------
    first, second : array_like, shape (..., requirements)

    Returns
    -------
    ndarray, shape (...)
        1: the same order, -1: the opposite one; nan for a missing number, and where one measure does not vary. Of few
        requirements it says little: resample respondents for its interval.
    """
    first, second = np.broadcast_arrays(np.asarray(first, float), np.asarray(second, float))
    known = np.isfinite(first + second).all(axis=-1)
    ranks = [stats.rankdata(values, axis=-1) - (values.shape[-1] + 1) / 2 for values in (first, second)]
    shared = (ranks[0] * ranks[1]).sum(axis=-1)
    spread = (ranks[0] ** 2).sum(axis=-1) * (ranks[1] ** 2).sum(axis=-1)
    return np.where(known, shared / np.sqrt(np.where(spread > 0, spread, np.nan)), np.nan)


def gaps(said, shown) -> np.ndarray:
    """Set what is said against what is shown, each cut at its mean over requirements.

    Parameters
    ----------
    said, shown : array_like, shape (..., requirements)

    Returns
    -------
    ndarray of str, shape (..., requirements)
        One of `GAPS`: "hidden" is shown to be important but not said to be, "overstated" the reverse; "" where a
        number is missing.
    """
    said, shown = np.asarray(said, float), np.asarray(shown, float)
    high = [_reaches(values, _mean(values)) for values in (said, shown)]
    hidden, overstated, both, neither = GAPS
    cases = [~np.isfinite(said + shown), ~high[0] & high[1], high[0] & ~high[1], high[0] & high[1]]
    return np.select(cases, ["", hidden, overstated, both], neither)


def _mean(values: np.ndarray) -> np.ndarray:
    known = np.isfinite(values)
    size = known.sum(axis=-1, keepdims=True)
    return np.where(known, values, 0).sum(axis=-1, keepdims=True) / np.where(size > 0, size, np.nan)


def _reaches(values: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Whether values are at the mean, but for rounding, or above."""
    return (values > mean) | np.isclose(values, mean, rtol=ROUNDING, atol=0)


def _variance(square: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Mean square less squared mean; nan where all that is left is rounding."""
    variance = square - mean**2
    return np.where(variance > ROUNDING * square, variance, np.nan)


def _column_means(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    return np.where(known, values, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)


def _weights(weights, respondents: int) -> np.ndarray:
    return np.ones(respondents) if weights is None else np.asarray(weights, float)
