"""Kano without classes: answers as scores, averaged by requirement (DuMouchel in Berger et al. 1993)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .evaluation import ATTRACTIVE, INDIFFERENT, MUST_BE, ONE_DIMENSIONAL

# Uneven on purpose: must-be and one-dimensional answers say more than reverse and questionable ones.
FUNCTIONAL_SCORES = np.array([4.0, 2.0, 0.0, -1.0, -2.0])
DYSFUNCTIONAL_SCORES = np.array([-2.0, -1.0, 0.0, 2.0, 4.0])
MIDDLE = 2.0  # of the square from 0 to 4 whose corners are the classes


@dataclass(frozen=True, eq=False)
class Scores:
    """Mean scores of requirements, each of shape (...).

    Attributes
    ----------
    functional, dysfunctional : ndarray
        From -2 to 4; nan where there are no pairs.
    functional_se, dysfunctional_se : ndarray
        Their standard errors; nan for fewer than two pairs.
    pairs : ndarray
        Pairs of answers that they rest on.
    """

    functional: np.ndarray
    dysfunctional: np.ndarray
    functional_se: np.ndarray
    dysfunctional_se: np.ndarray
    pairs: np.ndarray


def scores(pairs) -> Scores:
    """Average the scores of answers, with standard error s / sqrt(n).

    Parameters
    ----------
    pairs : array_like, shape (..., 5, 5)
        How often each pair of answers was given (`evaluation.pair_counts`).

    Returns
    -------
    Scores
        A mean of 2 may be "everyone expects it" or half enthusiasm, half indifference: show it beside the classes.
    """
    pairs = np.asarray(pairs, float)
    functional, functional_se = _mean(pairs.sum(axis=-1), FUNCTIONAL_SCORES)
    dysfunctional, dysfunctional_se = _mean(pairs.sum(axis=-2), DYSFUNCTIONAL_SCORES)
    return Scores(functional, dysfunctional, functional_se, dysfunctional_se, pairs.sum(axis=(-2, -1)))


def quadrant(functional, dysfunctional, middle: float = MIDDLE) -> np.ndarray:
    """Class whose corner is nearest: I (0, 0), A (functional 4), M (dysfunctional 4), O (both 4).

    Parameters
    ----------
    functional, dysfunctional : array_like, of one shape
        Mean scores. Below 0 they fall outside the square, which says that many answers are reverse or questionable.
    middle : float
        A mean from here on is high.

    Returns
    -------
    ndarray of int
        Places in `CLASSES`. A nan is not high: look at `Scores.pairs` first.
    """
    liked, missed = np.asarray(functional) >= middle, np.asarray(dysfunctional) >= middle
    return np.select([liked & missed, liked, missed], [ONE_DIMENSIONAL, ATTRACTIVE, MUST_BE], INDIFFERENT)


def _mean(answers, values) -> tuple[np.ndarray, np.ndarray]:
    """Mean of values at counts (..., 5), and its standard error."""
    size = answers.sum(axis=-1)
    mean = answers @ values / np.where(size > 0, size, np.nan)
    squares = (answers * (values - mean[..., None]) ** 2).sum(axis=-1)
    return mean, np.sqrt(squares / np.where(size > 1, (size - 1) * size, np.nan))
