"""Means and covariances of answers with gaps, by maximum likelihood, and how far these are from certain.

Respondents count by the pattern of items that they answered: everything is sums over distinct patterns. An estimate is
right where the gaps depend on no more than the answers that were given (missing at random, Rubin 1976). A covariance
model fitted to these moments, with errors and a test from `gamma`, is two-stage maximum likelihood (Yuan and Bentler
2000, Sociological Methodology 30, 165-200; Savalei and Bentler 2009, Structural Equation Modeling 16, 477-497), not
the direct likelihood (FIML).

Statistics stand in one order here: the means, then the covariances of the lower half row by row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import linalg, sparse

TOLERANCE = 1e-9  # of how far a step of expectation-maximisation would move the moments, in standard deviations
MOST_ITERATIONS = 300
PATIENCE = 5  # steps of expectation-maximisation after a step of Newton's that led nowhere
SINGULAR = 1e-9  # smallest eigenvalue of a correlation matrix that is 0 but for rounding
ROUNDING = 1e-12  # relative: log-likelihoods this close are the same number
CELLS_AT_ONCE = 2_000_000  # what bounds memory
ROWS_AT_ONCE = 4096


@dataclass(frozen=True, eq=False)
class SaturatedMoments:
    """Mean and covariance that make the given answers likeliest, or why there are none.

    Parameters
    ----------
    mean : ndarray, shape (items,)
    covariance : ndarray, shape (items, items)
        nan, as the mean, where something is in the way.
    size : float
        Respondents who answered anything, or the sum of their weights.
    log_likelihood : float
    step : float
        How far a step of expectation-maximisation would still move the moments, items in units of their standard
        deviation: the derivative of the log-likelihood over the information of answers without gaps.
    iterations : int
    converged : bool
    unanswered : tuple of int
        Items that nobody answered.
    never_together : tuple of (int, int)
        Pairs of items that no respondent answered both of: nothing tells how they covary.
    singular : bool
        Whether the likelihood grows without bound: an item does not vary or others determine it, or there are fewer
        respondents than items.
    """

    mean: np.ndarray
    covariance: np.ndarray
    size: float
    log_likelihood: float
    step: float
    iterations: int
    converged: bool
    unanswered: tuple[int, ...] = ()
    never_together: tuple[tuple[int, int], ...] = ()
    singular: bool = False

    def limitation(self, names: Sequence[str]) -> str:
        """Say what is in the way of the moments; nothing if nothing is.

        Parameters
        ----------
        names : sequence of str
            Of the items.
        """
        if self.unanswered:
            return f"nobody answered {', '.join(names[item] for item in self.unanswered)}"
        if self.never_together:
            pairs = ", ".join(f"{names[one]} and {names[other]}" for one, other in self.never_together)
            return f"nobody answered both of these: {pairs}"
        if self.singular:
            return "the answers leave the covariance without an inverse: an item is constant, or others determine it"
        return "" if self.converged else "the moments did not converge: there are too many gaps for so many items"


@dataclass(frozen=True, eq=False)
class IncompleteAnswers:
    """Answers with gaps.

    Parameters
    ----------
    values : ndarray, shape (respondents, items)
        nan where there is no answer.
    weights : ndarray, shape (respondents,), optional
        Survey weights, best scaled to a mean of 1: their sum counts as the size of the sample. Or how often each
        respondent counts in a resample; `gamma` then does not apply.

    Raises
    ------
    ValueError
        When the answers have not two dimensions or one is infinite, the weights are of another length, negative or
        not finite, or nobody counts who answered anything.
    """

    values: np.ndarray
    weights: np.ndarray | None = None

    def __post_init__(self):
        """Refuse what has no moments."""
        if self.values.ndim != 2 or np.isinf(self.values).any():
            raise ValueError("answers must have two dimensions, respondents and items, and be finite or nan.")
        if self.weights is not None and np.shape(self.weights) != (len(self.values),):
            raise ValueError(f"weights must hold one number for each of the {len(self.values)} respondents.")
        if self.weights is not None and not (np.isfinite(self.weights) & (np.asarray(self.weights) >= 0)).all():
            raise ValueError("weights must be finite and not negative.")
        if not self._counting.any():
            raise ValueError("there must be a respondent who counts and answered something.")

    @cached_property
    def patterns(self) -> Patterns:
        """Return the distinct patterns, with the moments of each."""
        return Patterns.of(self.rows, self.row_weights, *self._sorted)

    @cached_property
    def rows(self) -> np.ndarray:
        """Return the answers of those who count and answered something."""
        return self.values[self._counting]

    @cached_property
    def row_weights(self) -> np.ndarray:
        """Return their weights."""
        weights = np.ones(len(self.values)) if self.weights is None else np.asarray(self.weights, float)
        return weights[self._counting]

    @property
    def row_patterns(self) -> np.ndarray:
        """Return the number of the pattern of each of them."""
        return self._sorted[1]

    @cached_property
    def _counting(self) -> np.ndarray:
        answered = ~np.isnan(self.values).all(axis=1)
        return answered if self.weights is None else answered & (np.asarray(self.weights) > 0)

    @cached_property
    def _sorted(self) -> tuple[np.ndarray, np.ndarray]:
        observed, numbers = np.unique(~np.isnan(self.rows), axis=0, return_inverse=True)
        return observed, numbers.ravel()


@dataclass(frozen=True, eq=False)
class Patterns:
    """Distinct patterns of answered items, with the moments of those who show them; what is not answered is 0.

    Parameters
    ----------
    observed : ndarray of bool, shape (patterns, items)
    weight : ndarray, shape (patterns,)
    mean : ndarray, shape (patterns, items)
    covariance : ndarray, shape (patterns, items, items)
        About the pattern's own mean, with its weight as divisor.
    """

    observed: np.ndarray
    weight: np.ndarray
    mean: np.ndarray
    covariance: np.ndarray

    @classmethod
    def of(cls, rows, weights, observed, numbers) -> Patterns:
        """Add up respondents by pattern; `numbers` says which is whose."""
        centre = _answered_mean(rows, weights)
        away = np.nan_to_num(rows - centre)
        sums = sparse.csc_array((weights, (numbers, np.arange(len(rows)))), shape=(len(observed), len(rows)))
        weight = sums.sum(axis=1)
        mean = sums @ away / weight[:, None]
        lower = np.tril_indices(rows.shape[1])
        squares = np.zeros((len(observed), len(lower[0])))
        for start in range(0, len(rows), ROWS_AT_ONCE):
            part = away[start : start + ROWS_AT_ONCE]
            squares += sums[:, start : start + ROWS_AT_ONCE] @ (part[:, lower[0]] * part[:, lower[1]])
        covariance = squares / weight[:, None] - mean[:, lower[0]] * mean[:, lower[1]]
        return cls(observed, weight, np.where(observed, mean + centre, 0.0), _symmetric(covariance, rows.shape[1]))

    @property
    def size(self) -> float:
        """Return the sum of the weights."""
        return float(self.weight.sum())

    def blocks(self) -> Iterator[Patterns]:
        """Yield them a few at a time."""
        at_once = max(CELLS_AT_ONCE // self.observed.shape[1] ** 2, 1)
        for start in range(0, len(self.weight), at_once):
            part = slice(start, start + at_once)
            yield Patterns(self.observed[part], self.weight[part], self.mean[part], self.covariance[part])

    def together(self) -> np.ndarray:
        """Return the weight of those who answered both of two items, shape (items, items)."""
        return (self.observed * self.weight[:, None]).T @ self.observed

    def precision(self, covariance) -> np.ndarray:
        """Return the inverse covariance of the answered items of each pattern, 0 elsewhere."""
        return np.linalg.inv(self._answered(covariance)) * self._both

    def log_determinant(self, covariance) -> np.ndarray:
        """Return the log determinant of the covariance of the answered items of each pattern."""
        return np.linalg.slogdet(self._answered(covariance))[1]

    def about(self, mean) -> tuple[np.ndarray, np.ndarray]:
        """Return each pattern's distance from a mean, and its mean products about it."""
        away = np.where(self.observed, self.mean - mean, 0.0)
        return away, self.covariance + away[:, :, None] * away[:, None, :]

    @property
    def _both(self) -> np.ndarray:
        return self.observed[:, :, None] & self.observed[:, None, :]

    def _answered(self, covariance) -> np.ndarray:
        # an item that is not answered counts as one of variance 1 that has to do with nothing
        return np.where(self._both, covariance, np.eye(len(covariance)))


def log_likelihood(patterns: Patterns, mean, covariance) -> float:
    """Return the normal log-likelihood of the answers that were given.

    ``-1/2 sum (q log 2 pi + log|Sigma_o| + (x - mu)_o' Sigma_o^-1 (x - mu)_o)``, o the q items that a respondent
    answered (Arbuckle 1996, in Marcoulides and Schumacker, Advanced Structural Equation Modeling).

    Parameters
    ----------
    patterns : Patterns
    mean : array_like, shape (items,)
    covariance : array_like, shape (items, items)
        Positive definite.
    """
    mean, covariance, total = np.asarray(mean, float), np.asarray(covariance, float), 0.0
    for part in patterns.blocks():
        distance = np.einsum("kij,kij->k", part.precision(covariance), part.about(mean)[1])
        constant = part.observed.sum(axis=1) * np.log(2 * np.pi)
        total -= part.weight @ (constant + part.log_determinant(covariance) + distance) / 2
    return float(total)


def saturated_moments(
    patterns: Patterns, start: SaturatedMoments | None = None, tolerance=TOLERANCE, most_iterations=MOST_ITERATIONS
) -> SaturatedMoments:
    """Find the mean and covariance that make the given answers likeliest.

    Expectation-maximisation (Dempster, Laird and Rubin 1977, J. Royal Statistical Society B 39, section 4.1; Little
    and Rubin 2002, Statistical Analysis with Missing Data, section 11.2), and Newton's steps where these come closer.

    Parameters
    ----------
    patterns : Patterns
    start : SaturatedMoments, optional
        Where to begin, for a resample those of the sample; by default at the means and variances of each item alone.
    tolerance : float
    most_iterations : int

    Returns
    -------
    SaturatedMoments
    """
    together = patterns.together()
    unanswered = tuple(np.flatnonzero(np.diagonal(together) == 0).tolist())
    apart = tuple((one, other) for one, other in np.argwhere(np.tril(together == 0, -1)).tolist())
    if unanswered or apart:
        return _without(patterns, unanswered=unanswered, never_together=() if unanswered else apart)
    mean, covariance = _alone(patterns) if start is None else (start.mean, start.covariance)
    next_newton = PATIENCE if start is None else 0
    for iteration in range(most_iterations + 1):
        if _nearly_singular(covariance):
            return _without(patterns, iterations=iteration, singular=True)
        slope = _Slope.at(patterns, mean, covariance)
        if slope.step <= tolerance or iteration == most_iterations:
            break
        closer = _newton(patterns, slope) if iteration >= next_newton else None
        if closer is None and iteration >= next_newton:
            next_newton = iteration + PATIENCE
        mean, covariance = closer or slope.maximised()
    value, converged = log_likelihood(patterns, mean, covariance), bool(slope.step <= tolerance)
    return SaturatedMoments(mean, covariance, patterns.size, value, slope.step, iteration, converged)


def gamma(answers: IncompleteAnswers, mean, covariance) -> np.ndarray:
    """Return the asymptotic covariance of the saturated moments, times the size of the sample.

    ``H^-1 J H^-1`` (Yuan and Bentler 2000), H the observed information and J the mean product of the derivatives of
    a respondent's log-likelihood. Without gaps it is the matrix of fourth moments of Browne (1984, British J.
    Mathematical and Statistical Psychology 37, 62-83). Survey weights stand squared in J.

    Parameters
    ----------
    answers : IncompleteAnswers
    mean : array_like, shape (items,)
    covariance : array_like, shape (items, items)
        As `saturated_moments` found them.

    Returns
    -------
    ndarray, shape (items + items (items + 1) / 2, items + items (items + 1) / 2)
        In this module's order; nan where the information is not that of a maximum.
    """
    mean, covariance = np.asarray(mean, float), np.asarray(covariance, float)
    bread = observed_information(answers.patterns, mean, covariance)
    if not (np.diagonal(bread) > 0).all():
        return np.full_like(bread, np.nan)
    scale = np.sqrt(np.diagonal(bread))
    values, vectors = np.linalg.eigh(bread / np.outer(scale, scale))
    if values[0] <= SINGULAR:
        return np.full_like(bread, np.nan)
    inverse = (vectors / values) @ vectors.T / np.outer(scale, scale)
    return inverse @ _products_of_slopes(answers, mean, covariance) @ inverse


def observed_information(patterns: Patterns, mean, covariance) -> np.ndarray:
    """Return minus the second derivatives of a respondent's mean log-likelihood by the statistics.

    With P the inverse covariance of the answered items, d the distance of the mean, C the products about it and
    R = P C P - P / 2, the three parts are P, ``P dSigma P d`` and ``tr(dSigma P dSigma R)`` (Savalei 2010,
    Psychological Methods 15, 352-367).

    Parameters
    ----------
    patterns : Patterns
    mean : array_like, shape (items,)
    covariance : array_like, shape (items, items)

    Returns
    -------
    ndarray, shape (items + items (items + 1) / 2, items + items (items + 1) / 2)
    """
    mean, covariance = np.asarray(mean, float), np.asarray(covariance, float)
    items = len(mean)
    rows, columns = np.tril_indices(items)
    of_means, mixed, of_covariances = 0.0, 0.0, 0.0
    for part in patterns.blocks():
        precision = part.precision(covariance)
        away, products = part.about(mean)
        weighted = precision * part.weight[:, None, None]
        pull = np.einsum("kij,kj->ki", precision, away)
        rest = (precision @ products - np.eye(items) / 2) @ precision
        of_means = of_means + weighted.sum(axis=0)
        mixed = mixed + np.tensordot(weighted, pull, axes=(0, 0))
        of_covariances = of_covariances + weighted[:, rows, columns].T @ rest[:, rows, columns]
    half = np.where(rows == columns, 0.5, 1.0)
    mixed = (mixed + mixed.swapaxes(1, 2))[:, rows, columns] * half
    fourth = _fourth_order(of_covariances, items)[rows, columns][:, rows, columns] * np.outer(half, half)
    return np.block([[of_means, mixed], [mixed.T, fourth]]) / patterns.size


def _fourth_order(products, items: int) -> np.ndarray:
    """Return sums of ``P_jk R_li`` over the orders of (i, j) and of (k, l), from products of lower halves."""
    place = _places(items)
    parts = products[place[:, :, None, None], place].transpose(3, 0, 1, 2)  # i, j, k, l
    parts = parts + parts.transpose(1, 0, 2, 3)
    return parts + parts.transpose(0, 1, 3, 2)


def _products_of_slopes(answers: IncompleteAnswers, mean, covariance) -> np.ndarray:
    """Return the mean product of the derivatives of each respondent's log-likelihood."""
    items = len(mean)
    rows, columns = np.tril_indices(items)
    half = np.where(rows == columns, 0.5, 1.0)
    precision = np.concatenate([part.precision(covariance)[:, rows, columns] for part in answers.patterns.blocks()])
    total, at_once = 0.0, min(ROWS_AT_ONCE, max(CELLS_AT_ONCE // items**2, 1))
    for start in range(0, len(answers.rows), at_once):
        part = slice(start, start + at_once)
        own = precision[answers.row_patterns[part]]
        pull = np.einsum("kij,kj->ki", _symmetric(own, items), np.nan_to_num(answers.rows[part] - mean))
        slopes = np.hstack([pull, (pull[:, rows] * pull[:, columns] - own) * half])
        slopes *= answers.row_weights[part, None]
        total = total + slopes.T @ slopes
    return total / answers.patterns.size


@dataclass(frozen=True, eq=False)
class _Slope:
    """Derivatives of a respondent's mean log-likelihood; those by the covariance as if both halves were free, twice."""

    mean: np.ndarray
    covariance: np.ndarray
    by_mean: np.ndarray
    by_covariance: np.ndarray

    @classmethod
    def at(cls, patterns: Patterns, mean, covariance) -> _Slope:
        by_mean, by_covariance = 0.0, 0.0
        for part in patterns.blocks():
            precision = part.precision(covariance)
            away, products = part.about(mean)
            by_mean = by_mean + part.weight @ np.einsum("kij,kj->ki", precision, away)
            excess = (precision @ products - np.eye(len(mean))) @ precision
            by_covariance = by_covariance + np.tensordot(part.weight, excess, axes=1)
        by_covariance = (by_covariance + by_covariance.T) / 2
        return cls(mean, covariance, by_mean / patterns.size, by_covariance / patterns.size)

    @property
    def step(self) -> float:
        """Return how far a step of expectation-maximisation leads, items in units of their standard deviation."""
        deviation = np.sqrt(np.diagonal(self.covariance))
        mean, covariance = self.maximised()
        shift, spread = (mean - self.mean) / deviation, (covariance - self.covariance) / np.outer(deviation, deviation)
        return float(max(np.abs(shift).max(), np.abs(spread).max()))

    def maximised(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the moments of the answers with the gaps filled as expected: one step of expectation-maximisation."""
        moved = self.covariance @ self.by_mean
        spread = self.covariance + self.covariance @ self.by_covariance @ self.covariance - np.outer(moved, moved)
        return self.mean + moved, spread

    def stacked(self) -> np.ndarray:
        rows, columns = np.tril_indices(len(self.mean))
        return np.concatenate([self.by_mean, self.by_covariance[rows, columns] * np.where(rows == columns, 0.5, 1.0)])


def _newton(patterns: Patterns, slope: _Slope) -> tuple[np.ndarray, np.ndarray] | None:
    """Return where Newton's step leads, unless that is away from a maximum or less likely."""
    items = len(slope.mean)
    try:
        factor = linalg.cho_factor(observed_information(patterns, slope.mean, slope.covariance))
    except linalg.LinAlgError:
        return None
    step = linalg.cho_solve(factor, slope.stacked())
    mean, covariance = slope.mean + step[:items], slope.covariance + _symmetric(step[None, items:], items)[0]
    if _nearly_singular(covariance):
        return None
    before = log_likelihood(patterns, slope.mean, slope.covariance)
    worse = log_likelihood(patterns, mean, covariance) < before - ROUNDING * abs(before)
    return None if worse else (mean, covariance)


def _alone(patterns: Patterns) -> tuple[np.ndarray, np.ndarray]:
    """Return means and variances of each item's own answers."""
    answered = np.diagonal(patterns.together())
    mean = patterns.weight @ patterns.mean / answered
    squares = np.diagonal(patterns.about(mean)[1], axis1=1, axis2=2)
    return mean, np.diag(patterns.weight @ squares / answered)


def _answered_mean(rows, weights) -> np.ndarray:
    answered = weights @ ~np.isnan(rows)
    return weights @ np.nan_to_num(rows) / np.where(answered > 0, answered, 1.0)


def _without(patterns: Patterns, iterations: int = 0, **reasons) -> SaturatedMoments:
    items = patterns.observed.shape[1]
    mean, covariance = np.full(items, np.nan), np.full((items, items), np.nan)
    return SaturatedMoments(mean, covariance, patterns.size, np.nan, np.nan, iterations, False, **reasons)


def _nearly_singular(covariance) -> bool:
    variance = np.diagonal(covariance)
    if not (np.isfinite(covariance).all() and (variance > 0).all()):
        return True
    deviation = np.sqrt(variance)
    return bool(np.linalg.eigvalsh(covariance / np.outer(deviation, deviation))[0] < SINGULAR)


def _places(items: int) -> np.ndarray:
    """Return where the lower half, row by row, has each entry of a symmetric matrix."""
    place = np.zeros((items, items), int)
    rows, columns = np.tril_indices(items)
    place[rows, columns] = place[columns, rows] = np.arange(len(rows))
    return place


def _symmetric(lower, items: int) -> np.ndarray:
    """Return the symmetric matrices of lower halves, shape (..., items, items)."""
    return lower[:, _places(items)]
