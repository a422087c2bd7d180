"""What answers to single items say: top boxes, the net promoter score, what was perceived less what was expected.

Surveys with weights have the precision of a simple sample of (sum w)^2 / sum w^2 respondents (Kish 1965).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from helpers.models.proportions import exclusive_difference, wilson

LOW_SHARE = 0.6  # of the scale from below: 0 to 6 of 0 to 10
NINE_STEPS = 9  # from 1 to 10


@dataclass(frozen=True, eq=False)
class Shares:
    """Shares of respondents with their intervals; `respondents` answered."""

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    respondents: np.ndarray


def top_share(answers, highest: float, boxes: int = 2, weights=None, level: float = 0.95) -> Shares:
    """Share of those who gave one of the highest answers, with Wilson's interval.

    Parameters
    ----------
    answers : array_like, shape (respondents, ...)
        Nan: no answer.
    highest : float
        End of the scale.
    boxes : int
        How many of the highest whole answers count.
    weights : array_like, shape (respondents,), optional
    level : float
        Of the interval.

    Returns
    -------
    Shares
        Of shape (...); nan where nobody answered.
    """
    answers = np.asarray(answers, float)
    answered = np.isfinite(answers)
    value, size = _weighted_share(answers >= highest - boxes + 1, answered, weights)
    low, high = wilson(np.nan_to_num(value * size), size, level)
    return Shares(value, low, high, answered.sum(axis=0))


def extremes(lowest: float, highest: float) -> tuple[int, int]:
    """Return the highest of the low answers and the lowest of the high ones.

    On scales of ten steps and more what 0-6 and 9-10 are from 0 to 10: the lowest 60 % of the range, and the highest
    answer with one more for each nine steps. On shorter ones what lies below the middle, and the highest answer: 1-2
    and 5 of 1 to 5, 1-3 and 7 of 1 to 7.
    """
    span = highest - lowest
    if span < NINE_STEPS:
        return int(np.ceil(lowest + span / 2)) - 1, int(np.ceil(highest))
    return int(np.floor(lowest + LOW_SHARE * span + 1e-9)), int(np.ceil(highest - np.floor(span / NINE_STEPS)))


@dataclass(frozen=True, eq=False)
class NetPromoter:
    """The net promoter score of an item, in points from -100 to 100.

    Attributes
    ----------
    value, standard_error, low, high : float
    promoters, detractors : float
        Shares of those who answered.
    promoters_from, detractors_to : int
        The lowest answer of a promoter and the highest of a detractor.
    respondents : int
        Who answered.
    """

    value: float
    standard_error: float
    low: float
    high: float
    promoters: float
    detractors: float
    promoters_from: int
    detractors_to: int
    respondents: int


def net_promoter(answers, lowest: float, highest: float, weights=None, level: float = 0.95) -> NetPromoter:
    """Promoters less detractors, in points (Reichheld 2003, Harvard Business Review 81(12)), on the item's own scale.

    His question has answers from 0 to 10: promoters give 9 or 10, detractors 0 to 6. From 1 to 10 they are taken to
    give 9 or 10 and 1 to 6; scores of different scales do not compare, and other scales have none.

    Parameters
    ----------
    answers : array_like, shape (respondents,)
        Nan: no answer.
    lowest, highest : float
        Ends of the scale.
    weights : array_like, shape (respondents,), optional
    level : float
        Of the interval, by the normal approximation; where all answer alike, from Wilson's of both groups.

    Returns
    -------
    NetPromoter
        Nan where nobody answered.

    Raises
    ------
    ValueError
        A scale of other than ten or eleven answers.
    """
    answers = np.asarray(answers, float)
    if highest - lowest not in (NINE_STEPS, NINE_STEPS + 1):
        raise ValueError(
            f"A net promoter score needs ten or eleven answers, not a scale from {lowest:g} to {highest:g}."
        )
    detractors_to, promoters_from = extremes(lowest, highest)
    answered = np.isfinite(answers)
    promoters, size = _weighted_share(answers >= promoters_from, answered, weights)
    detractors, _ = _weighted_share(answers < detractors_to + 1, answered, weights)
    difference, error = exclusive_difference(*np.nan_to_num([promoters * size, detractors * size]), size)
    half = special.ndtri((1 + level) / 2) * error
    low, high = difference - half, difference + half
    if not error > 0:  # all alike: the normal approximation would be certain
        (most, least) = (wilson(part * size, size, level) for part in np.nan_to_num([promoters, detractors]))
        low, high = most[0] - least[1], most[1] - least[0]
    points = (float(100 * number) for number in (difference, error, low, high))
    return NetPromoter(*points, float(promoters), float(detractors), promoters_from, detractors_to, int(answered.sum()))


@dataclass(frozen=True, eq=False)
class Gap:
    """What was perceived less what was expected, over those who answered both.

    Attributes
    ----------
    mean, low, high : float
        Points of the scale, with the interval of the mean by Student's t.
    standard_deviation : float
    correlation, correlation_low, correlation_high : float
        Of the gap with the outcome over those who answered that too, with Fisher's interval; nan without one.
    respondents : int
    """

    mean: float
    low: float
    high: float
    standard_deviation: float
    correlation: float
    correlation_low: float
    correlation_high: float
    respondents: int


def expectation_gap(expected, perceived, outcome=None, weights=None, level: float = 0.95) -> Gap:
    """Measure by how much perceptions exceed expectations (Parasuraman, Zeithaml and Berry 1988, J. Retailing 64).

    Parameters
    ----------
    expected, perceived : array_like, shape (respondents,)
        On one scale; nan: no answer.
    outcome : array_like, shape (respondents,), optional
        What the gap should go with, such as satisfaction.
    weights : array_like, shape (respondents,), optional
    level : float
        Of the intervals.

    Returns
    -------
    Gap
        Nan where fewer than two answered both, and no correlation where the gap or the outcome does not vary.
    """
    gap = np.asarray(perceived, float) - np.asarray(expected, float)
    weights = np.ones(len(gap)) if weights is None else np.asarray(weights, float)
    both = np.isfinite(gap)
    mean, variance, size = _moments(gap[both, None], weights[both])
    deviation = np.sqrt(variance[0, 0])
    half = stats.t.ppf((1 + level) / 2, size - 1) * deviation / np.sqrt(size) if size > 1 else np.nan
    related = (np.nan,) * 3 if outcome is None else _related(gap, np.asarray(outcome, float), weights, level)
    numbers = (mean[0], mean[0] - half, mean[0] + half, deviation, *related)
    return Gap(*map(float, numbers), respondents=int(both.sum()))


def _related(first, second, weights, level) -> tuple[float, float, float]:
    """Return the correlation with its interval by Fisher's transformation."""
    both = np.isfinite(first) & np.isfinite(second)
    _, covariance, size = _moments(np.column_stack([first, second])[both], weights[both])
    spread = np.sqrt(covariance[0, 0] * covariance[1, 1])
    if not (size > 3 and spread > 0):
        return np.nan, np.nan, np.nan
    correlation = float(np.clip(covariance[0, 1] / spread, -1, 1))
    with np.errstate(divide="ignore"):
        transformed = np.arctanh(correlation)
    half = special.ndtri((1 + level) / 2) / np.sqrt(size - 3)
    return correlation, float(np.tanh(transformed - half)), float(np.tanh(transformed + half))


def _moments(values, weights) -> tuple[np.ndarray, np.ndarray, float]:
    """Mean, covariance (unbiased) and effective size of values (respondents, columns); nan of fewer than two."""
    size = _effective_size(weights)
    if not size > 1:
        columns = values.shape[1]
        return np.full(columns, np.nan), np.full((columns, columns), np.nan), float(size)
    mean = weights @ values / weights.sum()
    centred = values - mean
    return mean, (weights * centred.T) @ centred / weights.sum() * size / (size - 1), float(size)


def _weighted_share(holds, answered, weights) -> tuple[np.ndarray, np.ndarray]:
    """Return the share of those who answered for whom it holds, and their effective size."""
    weights = np.ones(len(answered)) if weights is None else np.asarray(weights, float)
    counted = (answered.T * weights).T
    total, size = counted.sum(axis=0), _effective_size(counted)
    return (counted * holds).sum(axis=0) / np.where(total > 0, total, np.nan), size


def _effective_size(weights) -> np.ndarray:
    """Size of the simple sample of the same precision (Kish 1965); 0 of none."""
    squares = (weights**2).sum(axis=0)
    return weights.sum(axis=0) ** 2 / np.where(squares > 0, squares, 1)
