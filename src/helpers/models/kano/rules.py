"""From counts to the class of a requirement: the rules in use, how strong its evidence is, and whether it is clear.

Counts are arrays of shape (..., 6), in the order of `CLASSES`. A rule returns which classes it names, as booleans of
that shape: several where they tie, none where nobody answered. A tie is never broken by the order of letters.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from .evaluation import (
    ATTRACTIVE,
    CLASSES,
    INDIFFERENT,
    MISSING,
    MUST_BE,
    ONE_DIMENSIONAL,
    QUESTIONABLE,
    REVERSE,
)

PRIORITY = (MUST_BE, ONE_DIMENSIONAL, ATTRACTIVE, INDIFFERENT, REVERSE, QUESTIONABLE)
NEAR_TIE = 0.06  # category strength below which classes count as tied (Lee and Newcomb 1997)
ROUNDING = 1e-9  # of shares that differ only by how they were computed
PRIOR_VERDICTS = ("confirmed", "denied", "cannot be told")

_IN_DEMAND = np.isin(np.arange(len(CLASSES)), (ATTRACTIVE, ONE_DIMENSIONAL, MUST_BE))


def by_mode(counts) -> np.ndarray:
    """Name the class given most often, or all that tie for it.

    Parameters
    ----------
    counts : array_like, shape (..., 6)

    Returns
    -------
    ndarray of bool, shape (..., 6)
    """
    counts = np.asarray(counts, float)
    return (counts == counts.max(axis=-1, keepdims=True)) & (counts > 0)


def by_priority(counts, band: float = NEAR_TIE) -> np.ndarray:
    """Name the class of highest priority, M > O > A > I > R > Q, among those about as frequent as the most frequent.

    The order is of Berger et al. (1993): a must-be overlooked costs most. R and Q follow, so that there is always one.

    Parameters
    ----------
    counts : array_like, shape (..., 6)
    band : float
        Classes count as tied whose share of all answers is less than this below the largest; 0: exact ties only.

    Returns
    -------
    ndarray of bool, shape (..., 6)
        One class, or none where nobody answered.
    """
    counts = np.asarray(counts, float)
    below = counts.max(axis=-1, keepdims=True) - counts
    near = (below < (band - ROUNDING) * counts.sum(axis=-1, keepdims=True)) | (below == 0)
    ordered = (near & (counts > 0))[..., PRIORITY]
    first = ordered & (ordered.cumsum(axis=-1) == 1)
    return first[..., np.argsort(PRIORITY)]


def by_blauth(counts) -> np.ndarray:
    """Name the largest of O, A, M if these are more than I, R, Q together; else the largest of I, R, Q.

    Blauth's rule (in Berger et al. 1993). All that tie within the larger group are named.

    Parameters
    ----------
    counts : array_like, shape (..., 6)

    Returns
    -------
    ndarray of bool, shape (..., 6)
    """
    counts = np.asarray(counts, float)
    wanted = 2 * counts[..., _IN_DEMAND].sum(axis=-1) > counts.sum(axis=-1)
    return by_mode(np.where(wanted[..., None] == _IN_DEMAND, counts, 0))


def single(members) -> np.ndarray:
    """Place in `CLASSES` of the one class that a rule names; `MISSING` where it names none or several."""
    members = np.asarray(members, bool)
    return np.where(members.sum(axis=-1) == 1, members.argmax(axis=-1), MISSING)


def labels(members) -> np.ndarray:
    """Write the classes that a rule names, ties as "A/I" in the order of `CLASSES`; empty where it names none."""
    members = np.asarray(members, bool)
    words = ["/".join(np.array(CLASSES)[row]) for row in members.reshape(-1, len(CLASSES))]
    return np.array(words, object).reshape(members.shape[:-1])


def rules_disagree(counts, band: float = NEAR_TIE) -> np.ndarray:
    """Whether mode, priority and Blauth's rule do not all name the same; shape (...)."""
    mode = by_mode(counts)
    return (mode != by_priority(counts, band)).any(axis=-1) | (mode != by_blauth(counts)).any(axis=-1)


def total_strength(counts) -> np.ndarray:
    """Share of A, O and M in all answers (Lee and Newcomb 1997).

    Parameters
    ----------
    counts : array_like, shape (..., 6)

    Returns
    -------
    ndarray, shape (...)
        Nan where nobody answered.
    """
    counts = np.asarray(counts, float)
    return counts[..., _IN_DEMAND].sum(axis=-1) / _everyone(counts)


def category_strength(counts) -> np.ndarray:
    """How far the most frequent of A, O, M, I, R is ahead of the next, as a share of all answers.

    Lee and Newcomb (1997). Questionable answers are no class to compare with, but they are among all answers.

    Parameters
    ----------
    counts : array_like, shape (..., 6)

    Returns
    -------
    ndarray, shape (...)
        Nan where nobody answered.
    """
    counts = np.asarray(counts, float)
    ordered = np.sort(counts[..., :QUESTIONABLE], axis=-1)
    return (ordered[..., -1] - ordered[..., -2]) / _everyone(counts)


def is_clear(counts, binomial_p, mode_share, *, significance: float = 0.05, least_share: float = 0.95) -> np.ndarray:
    """Whether the most frequent class can be relied on: both the exact test and the resamples say so.

    Parameters
    ----------
    counts : array_like, shape (..., 6)
    binomial_p : array_like, shape (...)
        Of the two most frequent classes (`comparisons.binomial_p`).
    mode_share : array_like, shape (..., 6)
        Share of resamples in which each class is the most frequent (`comparisons.mode_share`).
    significance : float
        The p value must lie below.
    least_share : float
        The resamples in which the class wins must be at least this share.

    Returns
    -------
    ndarray of bool, shape (...)
        False also where classes tie, where nobody answered, and where most answers are questionable: the question
        was not understood.
    """
    mode = by_mode(counts)
    wins = np.where(mode, mode_share, 0).sum(axis=-1)
    found = (mode.sum(axis=-1) == 1) & ~mode[..., QUESTIONABLE]
    return found & (np.asarray(binomial_p) < significance) & (wins >= least_share)


def prior_verdict(counts, prior, clear, significance: float = 0.05) -> np.ndarray:
    """Say whether the class that someone expected of a requirement is the one that was measured.

    It is confirmed where it is the most frequent and clearly so. It is denied where it is surely not the most
    frequent, whichever is: by the exact test of the most frequent class against it. Where a class truly ties with all
    others it is denied a little more often than the significance says, as any of them may come out ahead: of four in
    5 %, of five in 6 % of samples of 400.

    Parameters
    ----------
    counts : array_like, shape (..., 6)
    prior : array_like of int, shape (...)
        Place in `CLASSES` of the class expected; `MISSING`: none was.
    clear : array_like of bool, shape (...)
        Whether the measured class is (`is_clear`).
    significance : float
        To deny, the two-sided p value must lie below.

    Returns
    -------
    ndarray of str, shape (...)
        One of `PRIOR_VERDICTS`. It cannot be told where most answers are questionable, nor where nothing was expected.
    """
    counts, prior = np.asarray(counts, float), np.asarray(prior)
    mode, expected = by_mode(counts), prior[..., None] == np.arange(len(CLASSES))
    same = (single(mode) == prior) & (prior != MISSING)
    most, found = counts.max(axis=-1), np.where(expected, counts, 0).sum(axis=-1)
    # twice the upper tail at probability 1/2, by the incomplete beta function
    p_value = 2 * special.betainc(np.where(most > 0, most, 1), found + 1, 0.5)
    behind = expected.any(axis=-1) & ~mode[..., QUESTIONABLE] & (p_value < significance)
    confirmed, denied, unknown = PRIOR_VERDICTS
    return np.select([same & np.asarray(clear, bool), behind], [confirmed, denied], unknown)


def _everyone(counts: np.ndarray) -> np.ndarray:
    everyone = counts.sum(axis=-1)
    return np.where(everyone > 0, everyone, np.nan)
