"""Better and Worse: how far a requirement raises satisfaction when met and lowers it when not, with their uncertainty.

Better = (A + O) / (A + O + M + I) in [0, 1], Worse = -(O + M) / (A + O + M + I) in [-1, 0] (Berger et al. 1993, after
M. Timko). Reverse and questionable answers are not in the denominator; where it is 0 nothing is defined. Counts are
arrays of shape (..., 6), in the order of `CLASSES`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from helpers.models.proportions import wilson

from .evaluation import ATTRACTIVE, INDIFFERENT, MUST_BE, ONE_DIMENSIONAL

ELLIPSE_POINTS = 73


def considered(counts) -> np.ndarray:
    """Answers that are A, O, M or I: the denominator of Better and Worse, shape (...)."""
    return np.asarray(counts, float)[..., [ATTRACTIVE, ONE_DIMENSIONAL, MUST_BE, INDIFFERENT]].sum(axis=-1)


def better(counts) -> np.ndarray:
    """(A + O) / (A + O + M + I), shape (...); nan for a zero denominator."""
    return _raised(counts) / _denominator(counts)


def worse(counts) -> np.ndarray:
    """-(O + M) / (A + O + M + I), shape (...); nan for a zero denominator."""
    return -_lowered(counts) / _denominator(counts)


@dataclass(frozen=True, eq=False)
class Coefficients:
    """Better and Worse with Wilson's intervals, each of shape (...); nan for a zero denominator.

    Attributes
    ----------
    better, better_low, better_high : ndarray
        In [0, 1].
    worse, worse_low, worse_high : ndarray
        In [-1, 0].
    considered : ndarray
        Answers that they rest on: A + O + M + I.
    """

    better: np.ndarray
    better_low: np.ndarray
    better_high: np.ndarray
    worse: np.ndarray
    worse_low: np.ndarray
    worse_high: np.ndarray
    considered: np.ndarray


def coefficients(counts, level: float = 0.95) -> Coefficients:
    """Better and Worse, each with the interval of a binomial share given how many answers are A, O, M or I.

    Parameters
    ----------
    counts : array_like, shape (..., 6)
    level : float
        Of each interval by itself; for both together see `ellipse`.

    Returns
    -------
    Coefficients
    """
    size = considered(counts)
    better_low, better_high = wilson(_raised(counts), size, level)
    least, most = wilson(_lowered(counts), size, level)
    return Coefficients(better(counts), better_low, better_high, worse(counts), -most, -least, size)


def covariance(counts) -> np.ndarray:
    """Sampling covariance of (Better, Worse), given how many answers are A, O, M or I.

    Var(B) = B(1 - B) / n, Var(W) = |W|(1 - |W|) / n, Cov(B, W) = -(O / n - B|W|) / n: an answer in O counts in both.

    Parameters
    ----------
    counts : array_like, shape (..., 6)

    Returns
    -------
    ndarray, shape (..., 2, 2)
        Nan for a zero denominator.
    """
    size, raised, lowered = _denominator(counts), better(counts), -worse(counts)
    both = np.asarray(counts, float)[..., ONE_DIMENSIONAL] / size
    shared = -(both - raised * lowered)
    rows = [[raised * (1 - raised), shared], [shared, lowered * (1 - lowered)]]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2) / size[..., None, None]


def correlation(counts) -> np.ndarray:
    """Sampling correlation of Better with Worse, shape (...); nan where one of them cannot vary."""
    matrix = covariance(counts)
    variances = matrix[..., 0, 0] * matrix[..., 1, 1]
    return matrix[..., 0, 1] / np.sqrt(np.where(variances > 0, variances, np.nan))


def ellipse(counts, level: float = 0.95, points: int = ELLIPSE_POINTS) -> np.ndarray:
    """Outline of the joint confidence region of Better and Worse.

    The ellipse of the normal approximation, after one more answer is put into each of A, O, M and I. That gives each
    coefficient two more successes and two more failures (Agresti and Coull 1998, American Statistician 52, 119-126),
    so that the region neither collapses to a point nor covers too little where all answers are alike.

    Parameters
    ----------
    counts : array_like, shape (..., 6)
    level : float
        Of the region.
    points : int
        On the outline; the last is the first.

    Returns
    -------
    ndarray, shape (..., points, 2)
        Better, Worse; cut off at 0 and at 1 and -1. Nan for a zero denominator.
    """
    counts = np.asarray(counts, float)
    filled = counts + np.isin(np.arange(counts.shape[-1]), (ATTRACTIVE, ONE_DIMENSIONAL, MUST_BE, INDIFFERENT))
    root = np.linalg.cholesky(covariance(filled)) * np.sqrt(special.chdtri(2, 1 - level))
    turn = np.linspace(0, 2 * np.pi, points)
    outline = np.stack([np.cos(turn), np.sin(turn)], axis=-1) @ np.swapaxes(root, -1, -2)
    centre = np.stack([better(filled), worse(filled)], axis=-1)
    inside = np.clip(centre[..., None, :] + outline, (0, -1), (1, 0))
    return np.where((considered(counts) > 0)[..., None, None], inside, np.nan)


@dataclass(frozen=True, eq=False)
class Difference:
    """How Better and Worse of a second sample differ from those of a first, each of shape (...).

    Attributes
    ----------
    better, better_low, better_high : ndarray
        Second less first; above 0: fulfilment raises satisfaction more than before.
    better_p : ndarray
    worse, worse_low, worse_high : ndarray
        Second less first; below 0: its lack lowers satisfaction more than before.
    worse_p : ndarray
    """

    better: np.ndarray
    better_low: np.ndarray
    better_high: np.ndarray
    better_p: np.ndarray
    worse: np.ndarray
    worse_low: np.ndarray
    worse_high: np.ndarray
    worse_p: np.ndarray


def difference(first, second, level: float = 0.95) -> Difference:
    """Compare Better and Worse of two independent samples: segments, or waves of different respondents.

    Intervals by the hybrid of Wilson's (Newcombe 1998, Statistics in Medicine 17, 873-890, method 10), p values by the
    score test of two equal shares. For many comparisons correct the p values (Holm 1979). The same people asked twice
    are not independent: resample them instead.

    Parameters
    ----------
    first, second : array_like, shape (..., 6)
        Counts.
    level : float
        Of the intervals.

    Returns
    -------
    Difference
        Nan where one of the samples has a zero denominator; p 1 where both samples are all or none.
    """
    sizes = considered(first), considered(second)
    raised = _compared(_raised(first), _raised(second), *sizes, level)
    change, low, high, p_value = _compared(_lowered(first), _lowered(second), *sizes, level)
    return Difference(*raised, -change, -high, -low, p_value)


def _compared(first, second, first_size, second_size, level: float) -> tuple[np.ndarray, ...]:
    """Second share less the first, its interval, and the p value of no difference."""
    first_low, first_high = wilson(first, first_size, level)
    second_low, second_high = wilson(second, second_size, level)
    first_size, second_size = (np.where(size > 0, size, np.nan) for size in (first_size, second_size))
    one, other = first / first_size, second / second_size
    change = other - one
    low = change - np.hypot(other - second_low, first_high - one)
    high = change + np.hypot(second_high - other, one - first_low)
    pooled = (first + second) / (first_size + second_size)
    error = np.sqrt(pooled * (1 - pooled) * (1 / first_size + 1 / second_size))
    # both all or none: no error, and no difference either
    return change, low, high, 2 * special.ndtr(-np.abs(change) / np.where(error == 0, 1, error))


def _raised(counts) -> np.ndarray:
    return np.asarray(counts, float)[..., [ATTRACTIVE, ONE_DIMENSIONAL]].sum(axis=-1)


def _lowered(counts) -> np.ndarray:
    return np.asarray(counts, float)[..., [ONE_DIMENSIONAL, MUST_BE]].sum(axis=-1)


def _denominator(counts) -> np.ndarray:
    size = considered(counts)
    return np.where(size > 0, size, np.nan)
