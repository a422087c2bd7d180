"""Analytical Kano: importance and direction of a requirement, from scored answers weighted by stated importance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .evaluation import ATTRACTIVE, INDIFFERENT, MISSING, MUST_BE, ONE_DIMENSIONAL, REVERSE, pair_counts

FUNCTIONAL_SCORES = np.array([1.0, 0.5, 0.0, -0.25, -0.5])
DYSFUNCTIONAL_SCORES = np.array([-0.5, -0.25, 0.0, 0.5, 1.0])


@dataclass(frozen=True, eq=False)
class Analytical:
    """Requirements as vectors, each array of shape (..., requirements); nan where there are no answers.

    Attributes
    ----------
    functional, dysfunctional : ndarray
        Mean weighted scores: the height and the breadth of the vector.
    importance : ndarray
        Its length.
    angle : ndarray
        Degrees: 0 is a pure must-be, 45 one-dimensional, 90 attractive.
    classes : ndarray of int
        Places in `CLASSES`, or `MISSING`.
    """

    functional: np.ndarray
    dysfunctional: np.ndarray
    importance: np.ndarray
    angle: np.ndarray
    classes: np.ndarray


def analytical(
    functional,
    dysfunctional,
    importance=None,
    weights=None,
    *,
    least_importance: float = 0.5,
    must_be_below: float = 30.0,
    attractive_above: float = 60.0,
) -> Analytical:
    """Average answers weighted by importance, and read length and angle (Xu et al. 2009, Design Studies 30, 87-110).

    Up to `least_importance` a requirement is indifferent; else up to the first angle must-be, up to the second
    one-dimensional, beyond attractive. Where the angle lies more than 45 degrees outside of 0 to 90, both averages
    point the wrong way, or one much more than the other points the right way: reverse (our reading, not the paper's).

    Parameters
    ----------
    functional, dysfunctional : array_like, shape (respondents, requirements)
        Positions 1 to 5; nan: no answer.
    importance : array_like, shape (respondents, requirements), optional
        Stated by the respondent, from 0 to 1 (`importance.scaled`); who did not say counts not at all. 1 by default.
    weights : array_like, shape (..., respondents), optional
        How often each respondent counts; 1 by default.
    least_importance, must_be_below, attractive_above : float
        Thresholds, a choice: length, degrees, degrees. They shift the classes.

    Returns
    -------
    Analytical

    Raises
    ------
    ValueError
        Positions that are not 1, 2, 3, 4 or 5; importance outside 0 to 1; shapes that differ; thresholds out of order.
    """
    if not must_be_below <= attractive_above:
        raise ValueError("Must-be requirements must end at an angle below that at which attractive ones begin.")
    means = _means(functional, dysfunctional, importance, weights)
    height, breadth = means[..., 0], means[..., 1]
    length, angle = np.hypot(height, breadth), np.degrees(np.arctan2(height, breadth))
    cases = [np.isnan(length), length <= least_importance, np.abs(angle - 45) > 90, angle <= must_be_below]
    classes = np.select(
        [*cases, angle <= attractive_above], [MISSING, INDIFFERENT, REVERSE, MUST_BE, ONE_DIMENSIONAL], ATTRACTIVE
    )
    return Analytical(height, breadth, length, angle, classes)


def _means(functional, dysfunctional, importance, weights) -> np.ndarray:
    """Weighted means of both scores, shape (..., requirements, 2)."""
    functional, dysfunctional = np.asarray(functional, float), np.asarray(dysfunctional, float)
    pair_counts(functional, dysfunctional)  # refuses what are not positions
    importance = np.ones(functional.shape) if importance is None else np.asarray(importance, float)
    if importance.shape != functional.shape:
        raise ValueError(f"There are {importance.shape} statements of importance for {functional.shape} answers.")
    if ((importance < 0) | (importance > 1)).any():
        raise ValueError("Importance lies between 0 and 1.")
    known = np.isfinite(functional) & np.isfinite(dysfunctional) & np.isfinite(importance)
    weights = np.ones(len(functional)) if weights is None else np.asarray(weights, float)
    size = weights @ known.astype(float)
    sums = [
        weights @ np.where(known, importance * scores[np.where(known, answers, 1).astype(int) - 1], 0)
        for answers, scores in ((functional, FUNCTIONAL_SCORES), (dysfunctional, DYSFUNCTIONAL_SCORES))
    ]
    return np.stack(sums, axis=-1) / np.where(size > 0, size, np.nan)[..., None]
