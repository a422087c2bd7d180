"""Which items go with overall satisfaction, how much of it each explains, and which disappoint more than they delight.

Ratings of one moment: who is dissatisfied may rate everything low, so none of this shows what a change would cause.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import special

from helpers.models import resampling

MOST_DRIVERS_EXACT = 12  # 4,096 subsets a draw; beyond, orderings are sampled
ORDERINGS = 400  # of the drivers, where they are sampled: half of them and their reverses
SINGULAR = 1e-10  # share of a variance that is 0 but for rounding
CELLS_KEPT = 20_000_000  # products of answers kept between calls; beyond, they are made anew in blocks

KINDS = ("basic", "one_dimensional", "attractive", "cannot_tell")


@dataclass(frozen=True, eq=False)
class ExplainedShares:
    """What drivers explain of an outcome, and each one's share of it.

    Attributes
    ----------
    shares : ndarray, shape (..., drivers)
        They add up to `r_squared`.
    r_squared : ndarray, shape (...)
    orderings : int
        How many orderings of the drivers were averaged; 0: all of them, exactly.
    """

    shares: np.ndarray
    r_squared: np.ndarray
    orderings: int


def explained_shares(correlation, outcome: int, drivers, *, seed: int = 0) -> ExplainedShares:
    """Share R^2 out among correlated drivers: what each adds, averaged over all orders of entry.

    The measure of Lindeman, Merenda and Gold (1980; Groemping 2006, J. Statistical Software 17(1), section 3.3), which
    is the Shapley value of the drivers in the game of R^2. Up to 12 drivers exactly, over all subsets; beyond, over
    random orderings and their reverses, the same in every draw. A driver that others determine adds nothing to them.

    Parameters
    ----------
    correlation : array_like, shape (..., items, items)
    outcome : int
        Number of the item that is explained.
    drivers : sequence of int
        Numbers of the items that explain it.
    seed : int
        Of the orderings, where they are sampled.

    Returns
    -------
    ExplainedShares
        Nan in a draw in which one of these items has no correlation.

    Raises
    ------
    ValueError
        No drivers, one of them twice, or the outcome among them.
    """
    drivers = [int(driver) for driver in drivers]
    if not drivers or len({outcome, *drivers}) <= len(drivers):
        raise ValueError("Name at least one driver, each once, and not the outcome itself.")
    chosen = [*drivers, outcome]
    correlation = np.asarray(correlation, float)[..., chosen, :][..., chosen]
    exact = len(drivers) <= MOST_DRIVERS_EXACT
    orders = None if exact else _orders(len(drivers), seed)
    draws = correlation.reshape(-1, len(chosen), len(chosen))
    shares, first = np.empty((len(draws), len(drivers))), 0
    for held in resampling.blocks(len(draws), 4 * 2 ** len(drivers) if exact else orders.size * len(chosen)):
        block = slice(first, first := first + held)
        shares[block] = _exact_shares(draws[block]) if exact else _sampled_shares(draws[block], orders)
    shares = shares.reshape(*correlation.shape[:-2], len(drivers))
    return ExplainedShares(shares, shares.sum(axis=-1), 0 if exact else len(orders))


def _exact_shares(correlation) -> np.ndarray:
    """Average over all subsets; shape (draws, drivers)."""
    drivers = correlation.shape[-1] - 1
    remaining = correlation[:, None]
    for _ in range(drivers):  # subsets without the next driver, then the same with it
        remaining = np.concatenate([remaining[..., 1:, 1:], _partialled(remaining)], axis=1)
    explained = 1 - remaining[..., 0, 0]
    holds = (np.arange(2**drivers)[:, None] >> np.arange(drivers)) & 1 == 1
    # the weight of adding a driver to s others: s! (m - 1 - s)! / m!
    others = holds.sum(axis=1, keepdims=True) - holds
    weight = np.exp(special.gammaln(others + 1) + special.gammaln(drivers - others) - special.gammaln(drivers + 1))
    return explained @ np.where(holds, weight, -weight)


def _partialled(covariance) -> np.ndarray:
    """Covariances of the others given the first variable; unchanged where that one has no variance left."""
    first = covariance[..., :1, :1]
    first = np.where(first < SINGULAR, np.inf, first)
    return covariance[..., 1:, 1:] - covariance[..., 1:, :1] * covariance[..., :1, 1:] / first


def _sampled_shares(correlation, orders) -> np.ndarray:
    """Average over orderings (orderings, drivers); shape (draws, drivers)."""
    drivers = orders.shape[1]
    known = np.isfinite(correlation).all(axis=(-2, -1))
    # what the ridge adds lets a driver that others determine pass, and adds nothing to what is explained
    ridged = np.where(known[:, None, None], correlation, 0) + SINGULAR * np.eye(drivers + 1)
    ridged[~known] = np.eye(drivers + 1)
    entered = np.column_stack([orders, np.full(len(orders), drivers)])
    factors = np.linalg.cholesky(ridged[:, entered[:, :, None], entered[:, None, :]])
    added = factors[..., -1, :-1] ** 2
    shares = np.take_along_axis(added, np.argsort(orders, axis=1)[None], axis=-1).mean(axis=1)
    return np.where(known[:, None], shares, np.nan)


def _orders(drivers: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    half = rng.permuted(np.tile(np.arange(drivers), (ORDERINGS // 2, 1)), axis=1)
    return np.concatenate([half, half[:, ::-1]])


@dataclass(frozen=True, eq=False)
class PenaltyReward:
    """What a low and what a high answer to each driver go with, the other drivers held.

    Attributes
    ----------
    penalty, reward : ndarray, shape (..., drivers)
        Points of the outcome by which those who answered low (high) differ from those who answered between; nan
        where it cannot be estimated: nobody answered low (high) or between, or drivers answered alike.
    r_squared : ndarray, shape (...)
    low_answers, high_answers : ndarray, shape (..., drivers)
        How many of the respondents who count answered low and high.
    """

    penalty: np.ndarray
    reward: np.ndarray
    r_squared: np.ndarray
    low_answers: np.ndarray
    high_answers: np.ndarray

    @property
    def contrast(self) -> np.ndarray:
        """What low answers cost less what high answers gain: above 0 for what is basic, below 0 for what delights."""
        return -self.penalty - self.reward


@dataclass(frozen=True, eq=False)
class ExtremeAnswers:
    """Who answered each driver low and high, and the outcome: built once, estimated for many resamples.

    Parameters
    ----------
    columns : ndarray, shape (respondents, 2 * drivers + 2)
        1; 1 where the answer is low, by driver; 1 where it is high; the outcome less its mean.
    """

    columns: np.ndarray
    known: np.ndarray

    @classmethod
    def of(cls, answers, outcome, low: float, high: float) -> ExtremeAnswers:
        """Sort the answers.

        Parameters
        ----------
        answers : array_like, shape (respondents, drivers)
            A gap counts as an answer between low and high, where filling in the mean would put it as well.
        outcome : array_like, shape (respondents,)
            Respondents without it do not count.
        low, high : float
            Answers up to `low` are low, answers from `high` are high.

        Raises
        ------
        ValueError
            `low` not below `high`, or shapes that do not match.
        """
        answers, outcome = np.asarray(answers, float), np.asarray(outcome, float)
        if not low < high:
            raise ValueError(f"The low answers must end below the high ones, not at {low:g} and {high:g}.")
        if answers.ndim != 2 or outcome.shape != answers.shape[:1]:
            raise ValueError("answers must be (respondents, drivers), and the outcome one number a respondent.")
        known = np.isfinite(outcome)
        centred = np.where(known, outcome - outcome[known].mean() if known.any() else 0, 0)
        return cls(np.column_stack([np.ones(len(outcome)), answers <= low, answers >= high, centred]), known)

    def estimate(self, counts=None) -> PenaltyReward:
        """Regress the outcome on whether each driver was answered low or high, all together, by least squares.

        The penalty-reward contrast of Brandt (1987), by dummy variables.

        Parameters
        ----------
        counts : array_like, shape (..., respondents), optional
            How often each respondent counts; 1 by default.

        Returns
        -------
        PenaltyReward
        """
        counts = self.known if counts is None else np.asarray(counts, float) * self.known
        products = self._products(counts)
        size = products[..., :1, :1]
        with np.errstate(divide="ignore", invalid="ignore"):
            moments = products / size
        slopes, explained = _regressed(moments)
        drivers = (self.columns.shape[1] - 2) // 2
        low, high = slice(1, 1 + drivers), slice(1 + drivers, 1 + 2 * drivers)
        answered = products[..., 0, :]
        return PenaltyReward(slopes[..., low], slopes[..., high], explained, answered[..., low], answered[..., high])

    def _products(self, counts) -> np.ndarray:
        """Sums of the products of all pairs of columns; shape (..., columns, columns)."""
        rows, width = self.columns.shape
        if rows * len(self._pairs[0]) <= CELLS_KEPT:
            sums = counts @ self._all_multiplied
        else:
            edges = range(0, rows + CELLS_KEPT // len(self._pairs[0]), CELLS_KEPT // len(self._pairs[0]))
            parts = [slice(*edge) for edge in itertools.pairwise(edges)]
            sums = sum(counts[..., part] @ self._multiplied(part) for part in parts)
        place = np.zeros((width, width), int)
        place[self._pairs] = np.arange(len(self._pairs[0]))
        return sums[..., np.maximum(place, place.T)]

    @cached_property
    def _pairs(self) -> tuple[np.ndarray, np.ndarray]:
        return np.triu_indices(self.columns.shape[1])

    @cached_property
    def _all_multiplied(self) -> np.ndarray:
        return self._multiplied(slice(None))

    def _multiplied(self, rows: slice) -> np.ndarray:
        first, second = self._pairs
        return self.columns[rows, first] * self.columns[rows, second]


def _regressed(moments) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients of the last column on the others, nan where not determined, and R^2."""
    scale = np.sqrt(np.diagonal(moments, axis1=-2, axis2=-1))[..., :-1]
    scale = np.where(scale > 0, scale, 1)
    known = np.isfinite(moments).all(axis=(-2, -1), keepdims=True)
    normal = np.where(known, moments[..., :-1, :-1] / (scale[..., :, None] * scale[..., None, :]), 0)
    with_outcome = moments[..., :-1, -1] / scale
    values, vectors = np.linalg.eigh(normal)
    none = values < SINGULAR
    projected = np.einsum("...ij,...i->...j", vectors, with_outcome) / np.where(none, np.inf, values)
    coefficients = np.einsum("...ij,...j->...i", vectors, projected)
    determined = (vectors**2 * none[..., None, :]).sum(axis=-1) < SINGULAR
    mean, square = moments[..., 0, -1], moments[..., -1, -1]
    total = square - mean**2
    unexplained = square - (coefficients * with_outcome).sum(axis=-1)
    explained = 1 - unexplained / np.where(total > SINGULAR * square, total, np.nan)
    return np.where(determined, coefficients / scale, np.nan), explained


def kinds(penalty, reward, contrast) -> np.ndarray:
    """Say of each driver what its intervals show: one of `KINDS`.

    "basic": low answers cost something and more than high answers gain. "attractive": high answers gain something
    and more than low answers cost. "one_dimensional": both can be told from 0, but not from each other.
    "cannot_tell": all else. The kinds are those of Kano's requirements as seen from ratings, which is not his
    questionnaire: where low and high begin is a choice, and it shifts them.

    Parameters
    ----------
    penalty, reward, contrast : tuple of array_like, shape (drivers,)
        Low and high of the interval of each.

    Returns
    -------
    ndarray of str, shape (drivers,)
        "cannot_tell" where an interval that is needed is nan.
    """
    costs, gains = np.asarray(penalty[1]) < 0, np.asarray(reward[0]) > 0
    more_costly, more_gainful = np.asarray(contrast[0]) > 0, np.asarray(contrast[1]) < 0
    basic, one_dimensional, attractive, cannot_tell = KINDS
    shown = [costs & more_costly, gains & more_gainful, costs & gains]
    return np.select(shown, [basic, attractive, one_dimensional], cannot_tell)
