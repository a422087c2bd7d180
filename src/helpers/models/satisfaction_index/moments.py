"""Means and covariances of answers, for many resamples at once: matrix products on how often each respondent counts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

RESPONDENTS_AT_ONCE = 4096  # pair products held at a time: what bounds memory
ROUNDING = 1e-12  # a variance this small beside the squared distance from the median is a difference of equal numbers


@dataclass(frozen=True, eq=False)
class Moments:
    """Weight, mean and covariance of items, of one sample or of many.

    Parameters
    ----------
    weight : ndarray, shape (...,)
        Sum of the counts.
    mean : ndarray, shape (..., items)
        Of the observed answers; nan for an item that nobody answered.
    covariance : ndarray, shape (..., items, items)
        With the sum of the counts as divisor; exactly 0 for an item that does not vary.
    """

    weight: np.ndarray
    mean: np.ndarray
    covariance: np.ndarray

    @property
    def deviation(self) -> np.ndarray:
        """Return the items' standard deviations, shape (..., items)."""
        return np.sqrt(np.diagonal(self.covariance, axis1=-2, axis2=-1))

    @property
    def correlation(self) -> np.ndarray:
        """Return the correlations, shape (..., items, items); nan with an item that does not vary."""
        with np.errstate(invalid="ignore"):
            return self.covariance / (self.deviation[..., :, None] * self.deviation[..., None, :])


@dataclass(frozen=True, eq=False)
class Answers:
    """Answers of respondents to items, ready for the moments of any resample.

    A gap counts as the mean of the answers observed in the same resample (mean replacement). So a resample treats its
    gaps as the sample treats its own, and an interval includes what filling the gaps adds.

    Parameters
    ----------
    values : ndarray, shape (respondents, items)
        nan where there is no answer.

    Raises
    ------
    ValueError
        When it has not two dimensions, no respondent or no item, or holds an infinite answer.
    """

    values: np.ndarray

    def __post_init__(self):
        """Refuse what has no moments."""
        if self.values.ndim != 2 or not self.values.size:
            raise ValueError("answers must have two dimensions, respondents and items, and at least one of each.")
        if np.isinf(self.values).any():
            raise ValueError("answers must be finite, or nan where there is none.")

    @property
    def respondents(self) -> int:
        """Return the number of respondents."""
        return len(self.values)

    def moments(self, counts=None) -> Moments:
        """Return the moments of the respondents, each counted so often.

        With x the answers, o = 1 where one is observed and m the observed means, the covariance of items i and j is
        the sum of c o_i (x_i - m_i) o_j (x_j - m_j) over the sum of c, multiplied out into sums of products, so that
        a resample costs one row of a matrix product.

        Parameters
        ----------
        counts : array_like, shape (..., respondents), optional
            How often a respondent counts (in a resample, times the survey weight); everyone once by default.

        Returns
        -------
        Moments
        """
        counts = self._checked(counts)
        items, observed = slice(self.values.shape[1]), self.values.shape[1] + self._pattern
        sums = self._sums_of_products(counts)
        square = sums[..., items, items]
        moved = sums[..., items, :][..., observed]  # [..., i, j]: answers to i of those who answered j
        both = sums[..., observed, :][..., observed]
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.diagonal(moved, axis1=-2, axis2=-1) / np.diagonal(both, axis1=-2, axis2=-1)
            down, across = mean[..., :, None], mean[..., None, :]
            products = square - down * np.swapaxes(moved, -2, -1) - moved * across + down * across * both
            weight = counts.sum(axis=-1)
            covariance = products / weight[..., None, None]
            constant = _diagonal(covariance) <= ROUNDING * _diagonal(square) / weight[..., None]
        covariance[constant[..., :, None] | constant[..., None, :]] = 0.0
        return Moments(weight, self._centre + mean, covariance)

    def group_means(self, counts, membership) -> np.ndarray:
        """Return the mean of the observed answers to each item in each group.

        Parameters
        ----------
        counts : array_like, shape (..., respondents), or None
            As in `moments`.
        membership : array_like of bool, shape (respondents, groups)
            Who belongs to which group; groups may overlap.

        Returns
        -------
        ndarray, shape (..., groups, items)
            nan where nobody of the group counts who answered the item.
        """
        counts = self._checked(counts)
        members = [np.flatnonzero(member) for member in np.asarray(membership, bool).T]
        return np.stack([self._mean_of(counts, rows) for rows in members], axis=-2)

    @cached_property
    def _observed(self) -> np.ndarray:
        return ~np.isnan(self.values)

    @cached_property
    def _centre(self) -> np.ndarray:
        # a median of answers from a scale is such an answer, or half-way between two: sums of whole numbers stay exact
        return np.nanmedian(np.where(self._observed.any(axis=0), self.values, 0.0), axis=0)

    @cached_property
    def _gappy(self) -> np.ndarray:
        return np.flatnonzero(~self._observed.all(axis=0))

    @cached_property
    def _pattern(self) -> np.ndarray:
        """For each item the number of its pattern of observed answers; 0 is no gap."""
        pattern = np.zeros(self.values.shape[1], int)
        pattern[self._gappy] = 1 + np.arange(len(self._gappy))
        return pattern

    @cached_property
    def _columns(self) -> np.ndarray:
        """Answers from the centre, 0 in the gaps, and the patterns of observed answers."""
        # items without gaps share the column of ones: complete data pay nothing for the possibility of gaps
        patterns = np.ones((self.respondents, 1)), self._observed[:, self._gappy]
        return np.hstack([np.where(self._observed, self.values - self._centre, 0.0), *patterns])

    def _checked(self, counts) -> np.ndarray:
        counts = np.ones(self.respondents) if counts is None else np.asarray(counts, float)
        if counts.shape[-1:] != (self.respondents,):
            raise ValueError(f"counts must hold one number for each of the {self.respondents} respondents.")
        return counts

    def _sums_of_products(self, counts) -> np.ndarray:
        """Sums over the respondents of the products of every two columns, shape (..., columns, columns)."""
        if counts.ndim == 1:
            return (self._columns * counts[:, None]).T @ self._columns
        first, second = np.triu_indices(self._columns.shape[1])
        triangle = np.zeros((*counts.shape[:-1], len(first)))
        for start in range(0, self.respondents, RESPONDENTS_AT_ONCE):
            rows = slice(start, start + RESPONDENTS_AT_ONCE)
            triangle += counts[..., rows] @ (self._columns[rows, first] * self._columns[rows, second])
        sums = np.empty((*counts.shape[:-1], *2 * (self._columns.shape[1],)))
        sums[..., first, second] = sums[..., second, first] = triangle
        return sums

    def _mean_of(self, counts, rows) -> np.ndarray:
        items = self.values.shape[1]
        sums = counts[..., rows] @ self._columns[rows]
        with np.errstate(invalid="ignore", divide="ignore"):
            return self._centre + sums[..., :items] / sums[..., items:][..., self._pattern]


def _diagonal(matrices) -> np.ndarray:
    return np.diagonal(matrices, axis1=-2, axis2=-1)
