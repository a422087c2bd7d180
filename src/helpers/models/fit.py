"""Maximum likelihood on log parameters, and the result every fitted model returns."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import special

from .threads import threads

GRADIENT_TOLERANCE = 1e-9  # per customer, on the log scale
REFIT_TOLERANCE = 1e-6  # of a resample: its gradient differs from the data's by some 1 / sqrt(customers)
ROUNDING_NOISE = 1e-10  # per customer; asking a step to gain more than this makes the line search chase rounding
LOG_LIMIT = 12.0  # a parameter beyond exp(12) in the scaled problem has run off to infinity (or to 0)
LARGEST_CODE = 2**62
WIDEST_TABLE = 4  # places of a table for each row: within that, looking up takes less than sorting
STEP_LIMIT = 2.0  # longest Newton step in one log parameter
WIDEST_LOG_ERROR = 10.0  # a standard error of 10 on the log scale: the data say nothing about the parameter
CLEAR_LOG_ERROR = 1.0  # standard errors on the log scale up to which a maximum is taken for the highest
ROUGH_CUSTOMERS = 10_000  # on whom the starting points are tried: enough to leave three or four passes over all
EVENTS_PER_PARAMETER = 10  # the usual rule of thumb below which asymptotic intervals are not to be trusted

Objective = Callable[[np.ndarray], tuple[float, np.ndarray, np.ndarray]]


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted model with what is needed to trust or distrust it.

    Attributes
    ----------
    model : object
        The parameter object, for example `BGNBD`.
    names : tuple of str
        Parameter names, in the order of every array below.
    estimates : ndarray, shape (k,)
    covariance : ndarray, shape (k, k)
        On the natural scale, by the delta method: `outer(estimates, estimates) * log_covariance`.
    log_covariance : ndarray, shape (k, k)
        Of the log parameters: the inverse of the observed information. NaN when it means nothing.
    log_likelihood : float
        Total.
    observations : float
        Number of customers.
    gradient_norm : float
        Largest absolute derivative of the log-likelihood by a log parameter, per customer.
    condition_number : float
        Of the information about the log parameters.
    converged : bool
    problems : tuple of str
        Sentences for the reader; empty when all is well.
    unidentified : bool
        Whether the likelihood is flat or keeps rising in some direction: the parameters are then unknown, while the
        predictions may be well determined, as those of a limiting model.
    fitted_by : str
        "helpers" or "lifetimes".
    """

    model: Any
    names: tuple[str, ...]
    estimates: np.ndarray
    covariance: np.ndarray
    log_covariance: np.ndarray
    log_likelihood: float
    observations: float
    gradient_norm: float
    condition_number: float
    converged: bool
    problems: tuple[str, ...]
    fitted_by: str = "helpers"
    unidentified: bool = False

    @property
    def standard_errors(self) -> np.ndarray:
        """Standard errors of the estimates on the natural scale."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def aic(self) -> float:
        """Akaike's information criterion, smaller is better."""
        return 2 * len(self.names) - 2 * self.log_likelihood

    @property
    def bic(self) -> float:
        """Schwarz's information criterion with the number of customers as sample size."""
        return len(self.names) * np.log(self.observations) - 2 * self.log_likelihood

    def intervals(self, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Wald intervals built on the log scale, so that they stay positive: (low, high)."""
        width = special.ndtri((1 + level) / 2) * np.sqrt(np.diag(self.log_covariance))
        return self.estimates * np.exp(-width), self.estimates * np.exp(width)

    def model_at(self, parameters) -> Any:
        """Return the model with these parameters in place of the estimates, in the order of `names`."""
        return replace(self.model, **dict(zip(self.names, map(float, parameters), strict=True)))

    def draws(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Parameter vectors from the asymptotic normal distribution of the log parameters.

        Returns
        -------
        ndarray, shape (count, k)

        Raises
        ------
        ValueError
            When the fit has no finite covariance, with the fit's problems as the reason.
        """
        if not np.all(np.isfinite(self.log_covariance)):
            reason = " ".join(self.problems) or "The covariance is not finite."
            raise ValueError(f"The uncertainty of the parameters is unknown. {reason}")
        # the Cholesky factor is unique, unlike eigenvectors' signs: the same draws on every machine
        factor = np.linalg.cholesky(self.log_covariance)
        return self.estimates * np.exp(rng.standard_normal((count, len(self.names))) @ factor.T)

    def steps(self) -> np.ndarray:
        """Parameters one standard error up and down along independent directions: a few that do for many draws.

        What is nearly linear in the log parameters, as far as these are uncertain, has the variance that half the
        differences between up and down have as a sum of squares.

        Returns
        -------
        ndarray, shape (2 k, k)
            Up and down in turn, along the columns of the Cholesky factor; nan where the fit has no finite covariance.
        """
        known = np.isfinite(self.log_covariance).all()
        factor = np.linalg.cholesky(self.log_covariance) if known else np.full_like(self.log_covariance, np.nan)
        return self.estimates * np.exp(np.stack([factor.T, -factor.T], axis=1).reshape(-1, len(factor)))


@dataclass(frozen=True, eq=False)
class Optimum:
    """Where `maximise` stopped: the point with value, gradient and Hessian of the mean log-likelihood."""

    log_parameters: np.ndarray
    value: float
    gradient: np.ndarray
    hessian: np.ndarray

    @property
    def gradient_norm(self) -> float:
        """Largest absolute derivative."""
        return float(np.max(np.abs(self.gradient)))

    @property
    def beyond_limit(self) -> bool:
        """Whether a parameter ran off to infinity or to 0."""
        return bool(np.any(np.abs(self.log_parameters) > LOG_LIMIT))

    @property
    def stationary(self) -> bool:
        """Whether the gradient vanishes at a finite point."""
        return self.gradient_norm <= GRADIENT_TOLERANCE and not self.beyond_limit

    def is_clear(self, customers: float) -> bool:
        """Whether this is a maximum which the data of so many customers set apart in every direction.

        In some ten thousand random data sets no such maximum was below what another start led to, where the likelihood
        has a bound at all; less clear ones were, by a rise towards infinity.
        """
        return self.stationary and np.linalg.eigvalsh(-customers * self.hessian)[0] > CLEAR_LOG_ERROR**-2


def maximise(objective: Objective, starts: Sequence, rough: Objective | None = None, customers: float = 0.0) -> Optimum:
    """Maximise a mean log-likelihood by damped Newton steps from several starting points.

    Parameters
    ----------
    objective : callable
        Log parameters -> (value, gradient, Hessian) of the mean log-likelihood per customer.
    starts : sequence of array_like
        Starting points (log parameters), the most trusted first.
    rough : callable, optional
        The same on a part of the data. When given, the starts are climbed on it, and where they lead is the first
        start of the climb on the whole data: a few full passes instead of a dozen.
    customers : float
        How many customers `objective` is the mean of. When given, the further starts are climbed only where the first
        does not lead to a maximum that so many set apart; see `Optimum.is_clear`.

    Returns
    -------
    Optimum
        The best end point. One that is not stationary either ran off to infinity (`beyond_limit`) or got
        stuck.
    """
    if rough is not None:
        near = _highest(rough, starts, min(customers, ROUGH_CUSTOMERS))
        starts = [np.clip(near.log_parameters, -6, 6), *starts]
    return _highest(objective, starts, customers)


def _highest(objective: Objective, starts: Sequence, customers: float) -> Optimum:
    first = _climb(objective, starts[0])
    if first.is_clear(customers):
        return first
    return _best([first, *(_climb(objective, start) for start in starts[1:])])


def spread_sample(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Choose rows of customers who lie evenly spread along all: enough to bring a start near the optimum.

    Parameters
    ----------
    weights : ndarray, shape (n,)
        Customers with each row. Where rows are in order the sample takes of all kinds what is due to them.

    Returns
    -------
    tuple of ndarray, or None
        Positions of the rows, and how many of the chosen customers have each; None where there are hardly more rows
        than would be chosen.
    """
    if len(weights) <= ROUGH_CUSTOMERS:
        return None
    reached = np.cumsum(weights)
    points = (np.arange(ROUGH_CUSTOMERS) + 0.5) / ROUGH_CUSTOMERS * reached[-1]
    rows, chosen = np.unique(np.searchsorted(reached, points), return_counts=True)
    return rows, chosen.astype(float)


def bootstrap_fits(
    fit: Fit,
    objective_of: Callable[[np.ndarray], Objective],
    weights,
    *,
    resamples: int = 200,
    bayesian: bool = False,
    seed: int = 0,
) -> np.ndarray:
    """Refit a model on resampled customers, where the asymptotic normal of `Fit.draws` is not to be relied on.

    To draw customers with replacement is to draw how many of them each distinct row has from the multinomial
    distribution (Efron 1979, Annals of Statistics 7(1), 1-26); Rubin's Bayesian bootstrap (1981, Annals of Statistics
    9(1), 130-134) gives every customer an exponential weight, so a row a gamma one. Each refit starts from the optimum
    and takes two or three passes over the rows.

    Parameters
    ----------
    fit : Fit
    objective_of : callable
        Weights, shape (n,) -> the mean log-likelihood of the distinct rows that `fit` was made of, in its units:
        `functools.partial(mean_log_likelihood, frequency, recency, T)`, or sooner `likelihood_by_weights`.
    weights : array_like, shape (n,)
        Number of customers with each row.
    resamples : int
        Number of refits.
    bayesian : bool
        Whether customers get weights instead of being drawn.
    seed : int
        Same seed, same refits.

    Returns
    -------
    ndarray, shape (resamples, k)
        Parameters in the order of `fit.names`.

    Raises
    ------
    ValueError
        When the parameters are not identified: refits would run away as the fit did.
    """
    if fit.unidentified:
        raise ValueError(f"The uncertainty of the parameters is unknown. {' '.join(fit.problems)}")
    weights = np.asarray(weights, float)
    customers, start = round(weights.sum()), np.log(fit.estimates)

    def refit(rng: np.random.Generator) -> np.ndarray:
        drawn = rng.standard_gamma(weights) if bayesian else rng.multinomial(customers, weights / weights.sum())
        return np.exp(_climb(objective_of(drawn.astype(float)), start, REFIT_TOLERANCE).log_parameters)

    with threads() as pool:
        return np.array(list(pool.map(refit, np.random.default_rng(seed).spawn(resamples))))


def _best(ends: list[Optimum]) -> Optimum:
    highest = max(end.value for end in ends)
    level = [end for end in ends if end.value >= highest - ROUNDING_NOISE]
    return max(level, key=lambda end: (end.stationary, end.value))


def _climb(objective: Objective, start, tolerance: float = GRADIENT_TOLERANCE, iterations: int = 200) -> Optimum:
    here = Optimum(np.asarray(start, float), *objective(np.asarray(start, float)))
    for _ in range(iterations):
        if here.gradient_norm <= tolerance or here.beyond_limit:
            break
        following = _line_search(objective, here)
        if following is None:
            break
        here = following
    return here


def _line_search(objective: Objective, here: Optimum) -> Optimum | None:
    """One Newton step, made an ascent step where the surface is not concave, halved until it gains."""
    curvature, axes = np.linalg.eigh(-here.hessian)
    curvature = np.maximum(np.abs(curvature), 1e-12 * np.max(np.abs(curvature)) + 1e-300)
    step = axes @ (axes.T @ here.gradient / curvature)
    step *= min(1.0, STEP_LIMIT / np.max(np.abs(step)))
    slope = here.gradient @ step
    for halvings in range(40):
        fraction = 0.5**halvings
        point = here.log_parameters + fraction * step
        value, gradient, hessian = objective(point)
        finite = np.isfinite(value) and np.all(np.isfinite(gradient)) and np.all(np.isfinite(hessian))
        if finite and value >= here.value + 1e-4 * fraction * slope - ROUNDING_NOISE:
            return Optimum(point, value, gradient, hessian)
    return None


def fit_of(
    model: Any,
    names: tuple[str, ...],
    optimum: Optimum,
    log_likelihood: float,
    observations: float,
    events: float,
    explain: Callable[[dict[str, str]], str],
) -> Fit:
    """Turn an optimum into a `Fit`: covariance, condition, and in words what is wrong with it.

    Parameters
    ----------
    model : object
        The parameter object; its attributes `names` are the estimates.
    names : tuple of str
        Parameter names in the order of `optimum.log_parameters`.
    optimum : Optimum
        Of the mean log-likelihood; units of time and money may differ from the model's, which moves no
        log-scale derivative.
    log_likelihood : float
        Total, in the model's units.
    observations : float
        Number of customers.
    events : float
        Number of customers that carry information (those with a repeat purchase).
    explain : callable
        Maps {parameter: "grows" or "shrinks"} of a likelihood that rises for ever to a sentence.

    Returns
    -------
    Fit
    """
    estimates = np.array([getattr(model, name) for name in names])
    information = -observations * optimum.hessian
    eigenvalues, axes = np.linalg.eigh(information)
    condition = float(eigenvalues[-1] / eigenvalues[0]) if eigenvalues[0] > 0 else np.inf
    unidentified = optimum.beyond_limit or abs(eigenvalues[0]) < WIDEST_LOG_ERROR**-2
    at_maximum = optimum.stationary and eigenvalues[0] > 0

    problems = []
    if unidentified:
        problems.append(explain(_runaway(names, optimum, axes[:, 0])))
    elif not at_maximum:
        problems.append(
            "The fit did not converge: the log-likelihood per customer still changes by "
            f"{optimum.gradient_norm:.1g} for a relative change of a parameter."
        )
    if events < EVENTS_PER_PARAMETER * len(names):
        buyers = "customer" if events == 1 else "customers"
        problems.append(
            f"Only {events:,.0f} {buyers} bought again, fewer than {EVENTS_PER_PARAMETER} for each of the "
            f"{len(names)} parameters: standard errors and intervals are rough."
        )
    log_covariance = np.full_like(information, np.nan)
    if not unidentified and eigenvalues[0] > 0:
        log_covariance = axes / eigenvalues @ axes.T
        log_covariance = (log_covariance + log_covariance.T) / 2
    return Fit(
        model=model,
        names=names,
        estimates=estimates,
        covariance=np.outer(estimates, estimates) * log_covariance,
        log_covariance=log_covariance,
        log_likelihood=float(log_likelihood),
        observations=float(observations),
        gradient_norm=optimum.gradient_norm,
        condition_number=condition,
        converged=bool(at_maximum and not unidentified),
        problems=tuple(problems),
        unidentified=bool(unidentified),
    )


def _runaway(names: tuple[str, ...], optimum: Optimum, flattest: np.ndarray) -> dict[str, str]:
    """Which parameters are extreme, or failing that move in the flattest direction; and whither."""
    moving = optimum.log_parameters
    if np.max(np.abs(moving)) < LOG_LIMIT / 3:
        furthest = np.argmax(np.abs(flattest * moving))
        moving = flattest * np.sign(flattest[furthest] * moving[furthest]) * LOG_LIMIT
    return {
        name: "grows" if whither > 0 else "shrinks"
        for name, whither in zip(names, moving, strict=True)
        if np.abs(whither) >= LOG_LIMIT / 3
    }


def in_words(runaway: dict[str, str]) -> str:
    """Say 'a grows and b grows' of {'a': 'grows', 'b': 'grows'}."""
    return " and ".join(f"{name} {whither}" for name, whither in runaway.items())


def distinct_rows(*columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the first of each distinct row, and for every row the number of its distinct row.

    Parameters
    ----------
    *columns : ndarray, shape (n,)
        The columns of the rows.

    Returns
    -------
    first : ndarray of int, shape (m,)
    inverse : ndarray of int, shape (n,)
        `column[first][inverse]` is `column`.
    """
    is_new = _new_rows(columns)
    if is_new is not None:
        return np.flatnonzero(is_new), np.cumsum(is_new) - 1
    code, codes = np.zeros(len(columns[0]), dtype=np.int64), 1
    for column in columns:
        values, place = looked_up(column)
        if codes * len(values) > LARGEST_CODE:
            first, code = _numbered(code, codes)
            codes = len(first)
        code, codes = code * len(values) + place, codes * len(values)
    return _numbered(code, codes)


def counted_rows(*columns: np.ndarray, weights=None) -> tuple[list[np.ndarray], np.ndarray]:
    """Distinct rows in order, and how many there are of each.

    Parameters
    ----------
    *columns : ndarray, shape (n,)
        The columns of the rows.
    weights : ndarray, shape (n,), optional
        What each row counts; 1 by default.

    Returns
    -------
    columns : list of ndarray, shape (m,)
    weights : ndarray, shape (m,)
    """
    if weights is None:
        code, tables = np.zeros(len(columns[0]), dtype=np.int64), []
        for values, place in map(looked_up, columns):
            code *= len(values)
            code += place
            tables.append(values)
        shape = tuple(map(len, tables))
        if math.prod(shape) <= LARGEST_CODE:  # to sort numbers takes much less than to find their order
            code, counts = np.unique(code, return_counts=True)
            places = np.unravel_index(code, shape)
            return [values[place] for values, place in zip(tables, places, strict=True)], counts.astype(float)
    first, inverse = distinct_rows(*columns)
    return [column[first] for column in columns], np.bincount(inverse, weights).astype(float)


def looked_up(column: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values in order that hold all of the column's, and the place of each row's: `values[place]` is the column.

    For whole numbers, such as days or purchases, these are all from the lowest to the highest, which needs no sorting,
    while they are not many more than rows.
    """
    if column.size and column.dtype.kind in "biuf":
        low, high = column.min().item(), column.max().item()
        if abs(low) < LARGEST_CODE and high - low <= WIDEST_TABLE * len(column):
            whole = column.astype(np.int64)
            if np.array_equal(whole, column):
                whole -= int(low)
                return np.arange(low, high + 1), whole
    return np.unique(column, return_inverse=True)


def _numbered(code: np.ndarray, codes: int) -> tuple[np.ndarray, np.ndarray]:
    """Number the codes that occur in their order: where each first occurs, and each row's number."""
    number = np.empty(len(code), dtype=np.int64)
    if codes > WIDEST_TABLE * len(code):
        order = np.argsort(code)
        is_new = np.diff(code[order], prepend=-1) > 0
        number[order] = np.cumsum(is_new) - 1
        return np.minimum.reduceat(order, np.flatnonzero(is_new)), number
    occurs = np.zeros(codes, dtype=bool)  # a table of all codes, while it is small, takes less than sorting rows
    occurs[code] = True
    number = (np.cumsum(occurs) - 1)[code]
    first = np.empty(np.count_nonzero(occurs), dtype=np.int64)
    first[number[::-1]] = np.arange(len(code))[::-1]  # of several rows the last one written stays: the first
    return first, number


def _new_rows(columns) -> np.ndarray | None:
    """Tell which rows differ from the one before; None where the rows are not in order and have to be sorted."""
    rows = len(columns[0])
    differs, is_in_order = np.zeros(max(rows - 1, 0), dtype=bool), np.ones(max(rows - 1, 0), dtype=bool)
    for column in columns:
        before, after = column[:-1], column[1:]
        is_in_order &= differs | (after >= before)
        differs |= after != before
    return np.append(np.ones(min(rows, 1), dtype=bool), differs) if is_in_order.all() else None


def checked_columns(weights, **columns) -> tuple[np.ndarray, ...]:
    """Columns as one-dimensional floats of one length, then the weights (ones when None).

    Raises
    ------
    ValueError
        No rows, different lengths, a missing, infinite or negative value, or weights that sum to 0.
    """
    if weights is not None:
        columns["weights"] = weights
    arrays = {name: np.asarray(column, dtype=float) for name, column in columns.items()}
    shapes = {array.shape for array in arrays.values()}
    if len(shapes) > 1 or len(next(iter(shapes))) != 1:
        raise ValueError(f"{', '.join(arrays)} must be one-dimensional and of one length.")
    if not next(iter(arrays.values())).size:
        raise ValueError("There are no customers to fit a model to.")
    for name, array in arrays.items():
        if array.min() >= 0 and array.max() < np.inf:  # neither holds where one is missing
            continue
        bad = ~(np.isfinite(array) & (array >= 0))
        rows = ", ".join(map(str, np.flatnonzero(bad)[:5]))
        raise ValueError(f"{name} holds {bad.sum()} missing, infinite or negative values (first rows: {rows}).")
    if weights is None:
        arrays["weights"] = np.ones_like(next(iter(arrays.values())))
    elif not arrays["weights"].sum() > 0:
        raise ValueError("The weights must not all be 0.")
    return tuple(arrays.values())
