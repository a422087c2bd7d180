"""How far an estimate would move in another sample: resamples as counts, and the intervals that they give.

A resample is the number of times that each respondent counts in it. So any estimate that takes weights can be
resampled, and many resamples are computed at once as rows of one matrix.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import special

CELLS_AT_ONCE = 4_000_000  # resamples x rows held at a time: what bounds memory
JACKKNIFE_GROUPS = 250
ROUNDING = 1e-12  # relative: draws this close to the estimate are the same number computed twice


def blocks(resamples: int, rows: int) -> Iterator[int]:
    """Yield how many resamples of so many rows to hold at a time, until there are `resamples` of them."""
    at_once = max(CELLS_AT_ONCE // max(rows, 1), 1)
    for start in range(0, resamples, at_once):
        yield min(at_once, resamples - start)


def resampled_counts(
    respondents: int, resamples: int, seed: int = 0, strata=None, clusters=None
) -> Iterator[np.ndarray]:
    """Draw respondents with replacement, as many as there are (Efron 1979).

    Parameters
    ----------
    respondents : int
    resamples : int
        Number of resamples.
    seed : int
        Same seed, same resamples, however many are held at a time.
    strata : array_like of int, shape (respondents,), optional
        Respondents are drawn within each stratum, whose size is kept: segments or waves of fixed sample sizes.
    clusters : array_like of int, shape (respondents,), optional
        Numbers from 0 of what is drawn as a whole, as often as there are clusters: all answers of one person in
        several waves (Davison and Hinkley 1997, Bootstrap Methods and their Application, section 3.8). Strata are
        then of clusters.

    Yields
    ------
    ndarray, shape (draws, respondents)
        How often each respondent counts; blocks of at most `CELLS_AT_ONCE` numbers, `resamples` rows in all.

    Raises
    ------
    ValueError
        No respondents; strata or clusters of another length.
    """
    units = respondents if clusters is None else _clusters(respondents, clusters)
    order, starts, ends = _sorted_strata(units, strata)
    rng = np.random.default_rng(seed)
    for draws in blocks(resamples, respondents):
        if strata is None:
            drawn = rng.integers(units, size=(draws, units))
        else:
            drawn = order[rng.integers(starts, ends, size=(draws, units))]
        drawn += units * np.arange(draws)[:, None]
        often = np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape).astype(float)
        yield often if clusters is None else often[:, clusters]


def jackknife_counts(respondents: int, groups: int = JACKKNIFE_GROUPS, strata=None) -> Iterator[np.ndarray]:
    """Leave respondents out, one at a time or, where there are more than `groups`, one group at a time.

    Groups take every so many-th respondent, within strata where there are any. What remains of a stratum is scaled
    up to its size, as if those left out had been like the others of their stratum; a stratum that would vanish is
    left whole.

    Parameters
    ----------
    respondents : int
    groups : int
        Most groups to form.
    strata : array_like of int, shape (respondents,), optional

    Yields
    ------
    ndarray, shape (draws, respondents)
        What each respondent counts; blocks of at most `CELLS_AT_ONCE` numbers, min(respondents, groups) rows in all.

    Raises
    ------
    ValueError
        No respondents; strata of another length.
    """
    order, starts, _ = _sorted_strata(respondents, strata)
    groups = min(groups, respondents)
    group, stratum = np.empty(respondents, int), np.empty(respondents, int)
    group[order] = np.arange(respondents) % groups
    stratum[order] = np.unique(starts, return_inverse=True)[1]
    sizes = np.bincount(stratum)
    left_out = np.bincount(group * len(sizes) + stratum, minlength=groups * len(sizes)).reshape(groups, -1)
    vanishes = left_out == sizes
    scale = np.where(vanishes, 1.0, sizes / np.where(vanishes, 1, sizes - left_out))
    first = 0
    for draws in blocks(groups, respondents):
        block = np.arange(first, first := first + draws)[:, None]
        yield scale[block, stratum] * ((group != block) | vanishes[block, stratum])


def _clusters(respondents: int, clusters) -> int:
    """Return how many clusters there are."""
    clusters = np.asarray(clusters)
    if clusters.shape != (respondents,):
        raise ValueError(f"clusters must be one-dimensional, one number for each of {respondents} respondents.")
    return int(clusters.max(initial=-1)) + 1


def _sorted_strata(respondents: int, strata) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return respondents in the order of their strata, and for each place where its stratum starts and ends."""
    if respondents < 1:
        raise ValueError("There are no respondents to resample.")
    strata = np.zeros(respondents, int) if strata is None else np.asarray(strata)
    if strata.shape != (respondents,):
        raise ValueError(f"strata must be one-dimensional, one number for each of {respondents} respondents.")
    _, codes, sizes = np.unique(strata, return_inverse=True, return_counts=True)
    ends = np.cumsum(sizes)
    return np.argsort(codes, kind="stable"), np.repeat(ends - sizes, sizes), np.repeat(ends, sizes)


def percentile(draws, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Interval between quantiles of the resampled estimates (Efron 1979).

    Parameters
    ----------
    draws : array_like, shape (resamples, ...)
        The estimate in each resample; draws that are not finite are left out.
    level : float
        Of the interval.

    Returns
    -------
    low, high : ndarray, shape (...)
        Nan where fewer than half of the draws are finite.
    """
    ordered, finite = _ordered(draws)
    low, high = (_quantile(ordered, finite, share) for share in ((1 - level) / 2, (1 + level) / 2))
    return low, high


def bca(estimate, draws, jackknife, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Bias-corrected and accelerated interval (Efron 1987, J. American Statistical Association 82, equation 2.3).

    The quantiles of the draws are shifted by what share of them lies below the estimate (ties count half) and by how
    the error changes with the estimate: the skewness of the jackknife, sum(d^3) / (6 sum(d^2)^1.5). Where the
    estimate lies outside all draws, it is taken to lie between the last two.

    Parameters
    ----------
    estimate : array_like, shape (...)
    draws : array_like, shape (resamples, ...)
        The estimate in each resample.
    jackknife : array_like, shape (left_out, ...)
        The estimate without each respondent or group of respondents (`jackknife_counts`).
    level : float
        Of the interval.

    Returns
    -------
    low, high : ndarray, shape (...)
        Nan where the estimate is not finite or fewer than half of the draws are; draws that are not finite are left
        out.
    """
    estimate = np.asarray(estimate, float)
    ordered, finite = _ordered(draws)
    usable = np.where(np.isfinite(estimate) & (finite > 0), finite, np.nan)
    tie = ROUNDING * np.abs(estimate)
    below, above = (ordered < estimate - tie).sum(axis=0), (ordered > estimate + tie).sum(axis=0)
    share = (0.5 + (below - above) / (2 * usable)).clip(1 / (usable + 1), usable / (usable + 1))
    bias, acceleration = special.ndtri(share), _acceleration(jackknife)

    def bound(tail: float) -> np.ndarray:
        shifted = bias + special.ndtri(tail)
        scale = 1 - acceleration * shifted
        with np.errstate(divide="ignore", invalid="ignore"):
            corrected = np.where(scale > 0, shifted / scale, np.copysign(np.inf, shifted))
        return _quantile(ordered, finite, np.where(np.isnan(bias), np.nan, special.ndtr(bias + corrected)))

    return bound((1 - level) / 2), bound((1 + level) / 2)


def standard_error(draws) -> np.ndarray:
    """Standard deviation of the finite draws, shape (resamples, ...); nan where fewer than half are finite."""
    draws = _finite(draws)
    usable = np.isfinite(draws).sum(axis=0)
    enough = (2 * usable >= len(draws)) & (usable > 1)
    mean = np.nansum(draws, axis=0) / np.where(enough, usable, np.nan)
    return np.sqrt(np.nansum((draws - mean) ** 2, axis=0) / np.where(enough, usable - 1, np.nan))


def wald_p(value, error, sides: int = 2) -> np.ndarray:
    """Probability value of "not different from 0" (two sides), or of "not above 0" (one), by the normal approximation.

    A share of draws cannot be below one over their number, which many comparisons corrected for would need.

    Parameters
    ----------
    value, error : array_like
        The estimate, its sign turned where the hypothesis says that it is negative, and its standard error.
    sides : {1, 2}

    Returns
    -------
    ndarray
        Nan where the error is not positive.
    """
    value, error = np.broadcast_arrays(np.asarray(value, float), np.asarray(error, float))
    ratio = value / np.where(error > 0, error, np.nan)
    return special.ndtr(-ratio) if sides == 1 else 2 * special.ndtr(-np.abs(ratio))


def _finite(draws) -> np.ndarray:
    draws = np.asarray(draws, float)
    return np.where(np.isfinite(draws), draws, np.nan)


def _ordered(draws) -> tuple[np.ndarray, np.ndarray]:
    """Return the draws sorted, those not finite last, and how many are finite: 0 where fewer than half are."""
    ordered = np.sort(_finite(draws), axis=0)
    finite = np.isfinite(ordered).sum(axis=0)
    return ordered, np.where(2 * finite >= len(ordered), finite, 0)


def _quantile(ordered, finite, share) -> np.ndarray:
    """Return quantiles of the first `finite` of sorted draws, interpolated as `numpy.quantile` does it."""
    if not len(ordered):
        return np.full(ordered.shape[1:], np.nan)
    share, finite = np.broadcast_arrays(share, finite)
    place = np.nan_to_num(share) * np.maximum(finite - 1, 0)
    lower = np.floor(place).astype(int)
    upper = np.minimum(lower + 1, np.maximum(finite - 1, 0))
    low, high = (np.take_along_axis(ordered, edge[None], axis=0)[0] for edge in (lower, upper))
    return np.where((finite > 0) & ~np.isnan(share), low + (place - lower) * (high - low), np.nan)


def _acceleration(jackknife) -> np.ndarray:
    """Return the skewness of what leaving out respondents changes, over 6; 0 where it changes nothing."""
    jackknife = _finite(jackknife)
    left_out = np.isfinite(jackknife).sum(axis=0)
    change = np.nansum(jackknife, axis=0) / np.where(left_out > 0, left_out, np.nan) - jackknife
    spread = np.nansum(change**2, axis=0)
    largest = np.abs(np.where(np.isfinite(jackknife), jackknife, 0)).max(axis=0, initial=0)
    varies = spread > (ROUNDING * largest) ** 2 * np.maximum(left_out, 1)
    return np.where(varies, np.nansum(change**3, axis=0) / (6 * np.where(varies, spread, 1) ** 1.5), 0)
