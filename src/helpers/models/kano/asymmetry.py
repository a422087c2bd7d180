"""Whether requirements of a class behave as its definition says, requirement by requirement.

A respondent whose answer is must-be adds nothing to Better, one whose answer is attractive adds nothing to Worse: by
definition. A requirement is of a class because most respondents are, and others may differ, so it has to be tested.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from helpers.models.proportions import exclusive_difference

from .coefficients import coefficients, considered
from .evaluation import ATTRACTIVE, MUST_BE, ONE_DIMENSIONAL

VERDICTS = ("holds", "does not hold", "cannot be told")
MARGIN = 0.10  # of satisfaction, whose full range is 1: what still counts as nothing


@dataclass(frozen=True, eq=False)
class Asymmetry:
    """What the class of each requirement claims, each of shape (...).

    Attributes
    ----------
    value, low, high : ndarray
        What should be 0, with its interval: Better of a must-be, Worse of an attractive requirement, Better less
        |Worse| of a one-dimensional one; nan for other classes and where nothing is defined.
    verdict : ndarray of str
        "holds": the interval lies within the margin. "does not hold": it lies beyond it. "cannot be told": it does
        both, or there is none. "" for other classes, which claim nothing.
    """

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    verdict: np.ndarray


def asymmetry(counts, classes, margin: float = MARGIN, level: float = 0.95) -> Asymmetry:
    """Test what Kano's classes claim: meeting a must-be does not satisfy, lacking an attractive one does not annoy.

    A one-dimensional requirement should raise satisfaction as much as its lack lowers it. That something is 0 cannot
    be shown by a test that fails to find it; it is shown to be smaller than a margin, by an interval that lies within
    (Schuirmann 1987, J. Pharmacokinetics and Biopharmaceutics 15, 657-680).

    Parameters
    ----------
    counts : array_like, shape (..., 6)
    classes : array_like of int, shape (...)
        Places in `CLASSES`: the class that each requirement was given.
    margin : float
        What still counts as nothing, in the unit of Better and Worse.
    level : float
        Of the intervals: Wilson's; for a difference that of the normal distribution.

    Returns
    -------
    Asymmetry

    Raises
    ------
    ValueError
        A margin that is not between 0 and 1.
    """
    if not 0 < margin < 1:
        raise ValueError(f"The margin must lie between 0 and 1; it is {margin:g}.")
    classes, found = np.asarray(classes), coefficients(counts, level)
    kinds = [classes == kind for kind in (MUST_BE, ATTRACTIVE, ONE_DIMENSIONAL)]
    balance, balance_low, balance_high = _balance(counts, level)
    value, low, high = (
        np.select(kinds, claims, np.nan)
        for claims in (
            [found.better, found.worse, balance],
            [found.better_low, found.worse_low, balance_low],
            [found.better_high, found.worse_high, balance_high],
        )
    )
    return Asymmetry(value, low, high, _verdict(low, high, np.any(kinds, axis=0), margin))


def _balance(counts, level: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Better less |Worse|, which is the share of A less that of M, with its interval."""
    counts = np.asarray(counts, float)
    value, error = exclusive_difference(counts[..., ATTRACTIVE], counts[..., MUST_BE], considered(counts))
    half = special.ndtri((1 + level) / 2) * error
    return value, value - half, value + half


def _verdict(low, high, claimed, margin: float) -> np.ndarray:
    holds, fails, unknown = VERDICTS
    within, beyond = (low >= -margin) & (high <= margin), (low > margin) | (high < -margin)
    return np.where(claimed, np.select([within, beyond], [holds, fails], unknown), "")
