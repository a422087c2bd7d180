"""Whether answers are fit for a covariance model: before any model is fitted to them.

Functions of a correlation matrix take any leading dimensions (resamples) before those stated. What cannot be known is
nan: partial correlations and normality need a covariance matrix that has an inverse.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

RESPONDENTS_AT_ONCE = 4096  # pair products held at a time: what bounds memory
SINGULAR = 1e-10  # eigenvalue of a correlation matrix, or share of a variance, that is 0 but for rounding
ALONE = 1e-6  # part of an item, in standard deviations, that is none


@dataclass(frozen=True, eq=False)
class SamplingAdequacy:
    """Kaiser, Meyer and Olkin's measure: close to 1 where items share what they have in common, below .5 unacceptable.

    Parameters
    ----------
    overall : ndarray, shape (...,)
    items : ndarray, shape (..., items)
    """

    overall: np.ndarray
    items: np.ndarray


@dataclass(frozen=True, eq=False)
class Sphericity:
    """Bartlett's test that no item has to do with another.

    Parameters
    ----------
    chi_square : ndarray, shape (...,)
    degrees_of_freedom : int
    p_value : ndarray, shape (...,)
    """

    chi_square: np.ndarray
    degrees_of_freedom: int
    p_value: np.ndarray


@dataclass(frozen=True)
class Normality:
    """Mardia's skewness and kurtosis of all items together, and the tests that they are those of a normal distribution.

    Parameters
    ----------
    skewness : float
        b1p; 0 for a symmetric distribution.
    skewness_chi_square : float
    skewness_degrees_of_freedom : int
    skewness_p_value : float
    kurtosis : float
        b2p; p (p + 2) for p normal items.
    kurtosis_z : float
    kurtosis_p_value : float
        Two-sided.
    """

    skewness: float
    skewness_chi_square: float
    skewness_degrees_of_freedom: int
    skewness_p_value: float
    kurtosis: float
    kurtosis_z: float
    kurtosis_p_value: float


@dataclass(frozen=True)
class Dependence:
    """An item that other items determine; one other item if it says the same.

    Parameters
    ----------
    item : int
    by : tuple of int
        The items before it that determine it.
    """

    item: int
    by: tuple[int, ...]


def sampling_adequacy(correlation) -> SamplingAdequacy:
    """Return sum r^2 / (sum r^2 + sum a^2), correlations r of different items and their partial correlations a.

    Kaiser and Rice (1974, Educational and Psychological Measurement 34, 111-117).

    Parameters
    ----------
    correlation : array_like, shape (..., items, items)

    Returns
    -------
    SamplingAdequacy
        nan where the matrix is singular, or no item has to do with another.
    """
    correlation = _regular(correlation)
    inverse = np.linalg.inv(correlation)
    scale = np.sqrt(np.diagonal(inverse, axis1=-2, axis2=-1))
    different = 1 - np.eye(correlation.shape[-1])
    simple = (correlation**2 * different).sum(axis=-1)
    partial = ((inverse / scale[..., :, None] / scale[..., None, :]) ** 2 * different).sum(axis=-1)
    return SamplingAdequacy(_share(simple.sum(axis=-1), partial.sum(axis=-1)), _share(simple, partial))


def sphericity(correlation, size) -> Sphericity:
    """Return ``-(n - 1 - (2 p + 5) / 6) log|R|`` and its p-value, n respondents and p items.

    Bartlett (1951, Biometrika 38, 337-344).

    Parameters
    ----------
    correlation : array_like, shape (..., items, items)
    size : array_like, shape (...,)
        Respondents.

    Returns
    -------
    Sphericity
        nan where the matrix is singular.
    """
    values = _eigenvalues(correlation)
    values = np.where(values[..., :1] > SINGULAR, values, np.nan)
    items = values.shape[-1]
    chi_square = -(size - 1 - (2 * items + 5) / 6) * np.log(values).sum(axis=-1)
    df = items * (items - 1) // 2
    return Sphericity(chi_square, df, stats.chi2.sf(chi_square, df if df else np.nan))


def normality(values) -> Normality:
    """Return Mardia's measures (1970, Biometrika 57, 519-530) of respondents who answered every item.

    With answers z from their mean, made uncorrelated with variance 1: skewness is the sum of the squares of all mean
    products of three z, which equals Mardia's sum over pairs of respondents without forming it; kurtosis the mean of
    ``(z'z)^2``. Variances have the divisor n - 1, as R's packages have them, Mardia's n.

    Parameters
    ----------
    values : array_like, shape (respondents, items)

    Returns
    -------
    Normality
        nan where the covariance matrix is singular or an answer is missing.

    Raises
    ------
    ValueError
        With fewer than two respondents.
    """
    values = np.asarray(values, float)
    size, items = values.shape
    if size < 2:
        raise ValueError("skewness and kurtosis need at least two respondents.")
    skewness, kurtosis = _mardia(_uncorrelated(values))
    df = items * (items + 1) * (items + 2) // 6
    z = (kurtosis - items * (items + 2)) / np.sqrt(8 * items * (items + 2) / size)
    return Normality(
        skewness=skewness,
        skewness_chi_square=size * skewness / 6,
        skewness_degrees_of_freedom=df,
        skewness_p_value=float(stats.chi2.sf(size * skewness / 6, df)),
        kurtosis=kurtosis,
        kurtosis_z=z,
        kurtosis_p_value=float(2 * stats.norm.sf(abs(z))),
    )


def constant_items(covariance) -> tuple[int, ...]:
    """Return the items that everyone answered alike.

    Parameters
    ----------
    covariance : array_like, shape (items, items)
    """
    return tuple(np.flatnonzero(np.diagonal(covariance) <= 0).tolist())


def dependent_items(covariance) -> tuple[Dependence, ...]:
    """Return the items that items before them determine, and by which: without these the covariance has an inverse.

    Parameters
    ----------
    covariance : array_like, shape (items, items)
        Items that do not vary are passed over: see `constant_items`.

    Returns
    -------
    tuple of Dependence
    """
    covariance = np.asarray(covariance, float)
    free, dependent = [], []
    for item in np.flatnonzero(np.diagonal(covariance) > 0).tolist():
        places = [*free, item]
        deviation = np.sqrt(np.diagonal(covariance)[places])
        correlation = covariance[np.ix_(places, places)] / np.outer(deviation, deviation)
        weights = np.linalg.solve(correlation[:-1, :-1], correlation[:-1, -1])
        if 1 - weights @ correlation[:-1, -1] > SINGULAR:
            free.append(item)
        else:
            dependent.append(Dependence(item, tuple(free[place] for place in np.flatnonzero(np.abs(weights) > ALONE))))
    return tuple(dependent)


def _regular(correlation) -> np.ndarray:
    """Return the matrices that have an inverse, nan for the others."""
    correlation = np.asarray(correlation, float)
    least = _eigenvalues(correlation)[..., :1, None]
    return np.where(least > SINGULAR, correlation, np.nan)


def _eigenvalues(correlation) -> np.ndarray:
    correlation = np.asarray(correlation, float)
    known = np.isfinite(correlation).all(axis=(-2, -1), keepdims=True)
    return np.where(known[..., 0], np.linalg.eigvalsh(np.where(known, correlation, 0.0)), np.nan)


def _share(part, other) -> np.ndarray:
    whole = part + other
    return part / np.where(whole > 0, whole, np.nan)


def _uncorrelated(values) -> np.ndarray:
    """Return answers from their mean, rotated and scaled to uncorrelated variables of variance 1, or nan."""
    away = values - values.mean(axis=0)
    deviation = away.std(axis=0, ddof=1)
    if not (np.isfinite(deviation) & (deviation > 0)).all():
        return np.full_like(values, np.nan)
    away /= deviation
    roots, axes = np.linalg.eigh(away.T @ away / (len(away) - 1))
    return away @ axes / np.sqrt(roots) if roots[0] > SINGULAR else np.full_like(values, np.nan)


def _mardia(scores) -> tuple[float, float]:
    size, items = scores.shape
    first, second = np.triu_indices(items)
    thirds = np.zeros((len(first), items))
    for start in range(0, size, RESPONDENTS_AT_ONCE):
        block = scores[start : start + RESPONDENTS_AT_ONCE]
        thirds += (block[:, first] * block[:, second]).T @ block
    often = np.where(first == second, 1, 2)[:, None]
    skewness = (often * (thirds / size) ** 2).sum()
    return float(skewness), float(((scores**2).sum(axis=1) ** 2).mean())
