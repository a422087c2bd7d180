"""Whether requirements of a class behave as its definition says, requirement by requirement.

A respondent whose answer is must-be adds nothing to Better, one whose answer is attractive adds nothing to Worse: by
definition. A requirement is of a class because most respondents are, and others may differ, so it has to be tested.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from .coefficients import coefficients, considered
from .evaluation import ATTRACTIVE, MUST_BE, ONE_DIMENSIONAL

VERDICTS = ("holds", "does not hold", "cannot be told")
MARGIN = 0.10  # of satisfaction, whose full range is 1: what still counts as nothing
HALVINGS = 60  # of a range of at most 2: below the rounding of a share


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
    (Schuirmann 1987, J. Pharmacokinetics and Biopharmaceutics 15, 657-680). Each of the two sides is then a test at
    half of what the level leaves: an interval of 95 % makes it 2.5 %.

    Classes are mostly chosen from the same counts, and that choice favours what they claim: where chance gives many
    answers in M at the cost of A and O, a requirement becomes a must-be and its Better is drawn down towards "holds",
    as |Worse| of an attractive one is. It matters where A or O is nearly as frequent as M, thus for wide margins: of
    truly 40 % O, 40 % M and a margin of 0.4, "holds" is wrong in 5 % instead of 2.5 % of those called must-be.

    Parameters
    ----------
    counts : array_like, shape (..., 6)
    classes : array_like of int, shape (...)
        Places in `CLASSES`: the class that each requirement was given.
    margin : float
        What still counts as nothing, in the unit of Better and Worse.
    level : float
        Of the intervals, all by the score test: Wilson's of a share, for a difference that of Tango (1998, Statistics
        in Medicine 17, 891-908). None collapses where all answers are alike.

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
    """Better less |Worse|, which is the share of A less that of M, with the differences that the score test accepts."""
    counts, size = np.asarray(counts, float), considered(counts)
    size = np.where(size > 0, size, np.nan)
    first, second = counts[..., ATTRACTIVE] / size, counts[..., MUST_BE] / size
    value, squared = first - second, special.ndtri((1 + level) / 2) ** 2 / size
    bounds = []
    for end in (-1.0, 1.0):
        inside, outside = value, np.full_like(value, end)
        for _ in range(HALVINGS):
            middle = (inside + outside) / 2
            accepted = (value - middle) ** 2 <= squared * _variance(first, second, middle)
            inside, outside = np.where(accepted, middle, inside), np.where(accepted, outside, middle)
        bounds.append(inside)
    return value, *bounds


def _variance(first, second, difference) -> np.ndarray:
    """Variance of one answer (1 in the first group, -1 in the second) at the likeliest shares with this difference.

    The share of the second group is the larger root of 2 q^2 + ((2 - a + b) d - a - b) q - b d (1 - d) = 0, for
    observed shares a, b (Tango 1998).
    """
    linear, product = (2 - first + second) * difference - first - second, difference * (1 - difference)
    share = (np.sqrt(np.maximum(linear**2 + 8 * second * product, 0)) - linear) / 4
    return 2 * share + product


def _verdict(low, high, claimed, margin: float) -> np.ndarray:
    holds, fails, unknown = VERDICTS
    within, beyond = (low >= -margin) & (high <= margin), (low > margin) | (high < -margin)
    return np.where(claimed, np.select([within, beyond], [holds, fails], unknown), "")
