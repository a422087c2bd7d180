"""Whether the most frequent class is ahead by more than chance: Fong's test, the exact one, and resamples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from .rules import by_mode

FONG_QUANTILE = 1.65  # as published: two-sided, nominal level 10 %
FONG_LEVEL = 0.10


@dataclass(frozen=True, eq=False)
class Fong:
    """Fong's comparison of the two most frequent classes, each of shape (...).

    Attributes
    ----------
    difference : ndarray
        Answers by which the first is ahead of the second.
    limit : ndarray
        Difference from which the test calls it significant; nan where nobody answered.
    significant : ndarray of bool
    """

    difference: np.ndarray
    limit: np.ndarray
    significant: np.ndarray


def two_most_frequent(counts) -> tuple[np.ndarray, np.ndarray]:
    """Counts of the most and of the second most frequent class; each of shape (...)."""
    ordered = np.sort(np.asarray(counts, float), axis=-1)
    return ordered[..., -1], ordered[..., -2]


def fong(counts) -> Fong:
    """Compare the two most frequent classes as if they came from two samples (Fong 1996).

    Significant where a - b >= 1.65 sqrt((a + b)(2N - a - b) / (2N)). Kept because others report it: answers to one
    question exclude each other, so the variance of a - b is larger than that, and ties are called significant far more
    often than the nominal 10 % (`false_alarms`). Decide by `binomial_p`.

    Parameters
    ----------
    counts : array_like, shape (..., 6)

    Returns
    -------
    Fong
    """
    first, second = two_most_frequent(counts)
    return _fong(first, second, np.asarray(counts, float).sum(axis=-1))


def binomial_p(counts) -> np.ndarray:
    """Probability of so uneven counts of the two most frequent classes if both are equally likely.

    Two-sided and exact, given that an answer is one of the two. It tests the winner against the runner-up although both
    were picked by their counts: Hung and Fithian (2019, Annals of Statistics 47, 758-782) show that it keeps its level
    as a test of whether the most frequent class is truly so.

    Parameters
    ----------
    counts : array_like, shape (..., 6)
        Need not be whole.

    Returns
    -------
    ndarray, shape (...)
        1 for a tie, nan where nobody answered.
    """
    return _binomial_p(*two_most_frequent(counts))


@dataclass(frozen=True, eq=False)
class FalseAlarms:
    """How often two tests call two equally likely classes different, for each share of these classes.

    Attributes
    ----------
    share : ndarray, shape (shares,)
        Planted share of each of the two.
    fong, binomial : ndarray, shape (shares,)
        Share of simulated surveys in which the test is significant.
    simulations : int
    """

    share: np.ndarray
    fong: np.ndarray
    binomial: np.ndarray
    simulations: int


def false_alarms(
    shares=(0.2, 0.3, 0.4, 0.45, 0.5), respondents: int = 300, simulations: int = 20_000, seed: int = 1
) -> FalseAlarms:
    """Simulate surveys in which two classes, chosen beforehand, are equally likely, and test them at nominal 10 %.

    Parameters
    ----------
    shares : sequence of float
        Of each of the two classes; at most 0.5. All other answers are neither.
    respondents, simulations, seed : int

    Returns
    -------
    FalseAlarms

    Raises
    ------
    ValueError
        A share outside 0 to 0.5.
    """
    shares = np.asarray(shares, float)
    if ((shares < 0) | (shares > 0.5)).any():
        raise ValueError("Two equal shares cannot each be below 0 or above 0.5.")
    likely = np.stack([shares, shares, 1 - 2 * shares], axis=-1)
    drawn = np.random.default_rng(seed).multinomial(respondents, likely, size=(simulations, len(shares)))
    second, first = np.moveaxis(np.sort(drawn[..., :2], axis=-1), -1, 0).astype(float)
    by_fong = _fong(first, second, np.full(first.shape, float(respondents))).significant
    by_binomial = _binomial_p(first, second) < FONG_LEVEL
    return FalseAlarms(shares, by_fong.mean(axis=0), by_binomial.mean(axis=0), simulations)


def mode_share(draws) -> np.ndarray:
    """Share of resamples in which each class is the most frequent; a tie counts for each of those tied in equal parts.

    Parameters
    ----------
    draws : array_like, shape (resamples, ..., 6)
        Counts in each resample.

    Returns
    -------
    ndarray, shape (..., 6)
        Adds up to 1; nan where nobody answered in any resample.
    """
    modes = by_mode(draws)
    named = modes.sum(axis=-1, keepdims=True)
    parts, resamples = (modes / np.maximum(named, 1)).sum(axis=0), (named > 0).sum(axis=0)
    return parts / np.where(resamples > 0, resamples, np.nan)


def resampled_counts(counts, resamples: int = 2000, seed: int = 1) -> np.ndarray:
    """Counts as other samples of the same size would have given them: multinomial draws at the observed shares.

    For published counts, where respondents cannot be resampled. Each row draws from the same seed, so that its result
    does not depend on which rows stand beside it; nothing can be said of how rows vary together.

    Parameters
    ----------
    counts : array_like, shape (..., 6)
        Whole numbers.
    resamples, seed : int

    Returns
    -------
    ndarray, shape (resamples, ..., 6)

    Raises
    ------
    ValueError
        Counts that are negative or not whole.
    """
    rows = np.asarray(counts, float)
    if (rows < 0).any() or (rows != np.round(rows)).any():
        raise ValueError("Counts are whole numbers of at least 0.")
    flat = rows.reshape(-1, rows.shape[-1])
    likely = flat / np.maximum(flat.sum(axis=-1, keepdims=True), 1)
    drawn = [
        np.random.default_rng(seed).multinomial(int(row.sum()), share, size=resamples)
        for row, share in zip(flat, likely, strict=True)
    ]
    stacked = np.stack(drawn, axis=1) if drawn else np.empty((resamples, *flat.shape))
    return stacked.reshape(resamples, *rows.shape).astype(float)


@dataclass(frozen=True, eq=False)
class Homogeneity:
    """Pearson's test of whether groups answered alike, each of shape (...)."""

    chi_squared: np.ndarray
    degrees_of_freedom: np.ndarray
    p_value: np.ndarray


def homogeneity(counts) -> Homogeneity:
    """Test whether independent groups (segments, waves, wordings) gave the classes in the same shares (Pearson 1900).

    Parameters
    ----------
    counts : array_like, shape (..., groups, 6)

    Returns
    -------
    Homogeneity
        Classes that no group gave and groups without answers do not count; nan where fewer than two of either remain.
    """
    counts = np.asarray(counts, float)
    groups, classes = counts.sum(axis=-1, keepdims=True), counts.sum(axis=-2, keepdims=True)
    expected = groups * classes / np.maximum(groups.sum(axis=-2, keepdims=True), 1)
    squared = ((counts - expected) ** 2 / np.where(expected > 0, expected, np.inf)).sum(axis=(-2, -1))
    free = ((groups > 0).sum(axis=(-2, -1)) - 1) * ((classes > 0).sum(axis=(-2, -1)) - 1)
    known = free > 0
    return Homogeneity(
        np.where(known, squared, np.nan), free, np.where(known, special.chdtrc(np.maximum(free, 1), squared), np.nan)
    )


def _fong(first, second, everyone) -> Fong:
    together, everyone = first + second, np.where(everyone > 0, everyone, np.nan)
    limit = FONG_QUANTILE * np.sqrt(together * (2 * everyone - together) / (2 * everyone))
    ahead = first - second
    return Fong(ahead, limit, (ahead >= limit) & (ahead > 0))


def _binomial_p(first, second) -> np.ndarray:
    """Twice the upper tail of the larger count at probability 1/2, by the incomplete beta function."""
    tail = special.betainc(np.where(first > 0, first, 1), second + 1, 0.5)
    return np.where(first > 0, np.minimum(2 * tail, 1), np.nan)
