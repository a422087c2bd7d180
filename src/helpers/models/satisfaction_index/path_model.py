"""Partial least squares path model, mode A, for many resamples at once: from correlations of items to paths.

The iteration is Wold's, as Lohmoeller (1989), Latent Variable Path Modeling with Partial Least Squares, and Tenenhaus,
Esposito Vinzi, Chatelin and Lauro (2005), Computational Statistics & Data Analysis 48(1), 159-205, give it, written in
correlations alone: it needs no scores of respondents.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from helpers.models.satisfaction_index.design import Design

TOLERANCE = 1e-9  # of a weight; paths are then right to about as much
MOST_ITERATIONS = 300
LEAST_UNEXPLAINED = 1e-10  # a construct whose variance the others explain but for this has no coefficient of its own


@dataclass(frozen=True, eq=False)
class PathFit:
    """A fitted path model, or as many as there were correlation matrices.

    Every score has variance 1, and its sign is such that the loadings of its construct sum to more than 0.

    Parameters
    ----------
    weights : ndarray, shape (..., items)
        A construct's score is the sum of its standardised items times these.
    loadings : ndarray, shape (..., items)
        Correlation of each item with the score of its construct.
    cross_loadings : ndarray, shape (..., items, constructs)
        Correlation of each item with every score.
    construct_correlation : ndarray, shape (..., constructs, constructs)
    paths : ndarray, shape (..., constructs, constructs)
        Standardised coefficients, ``[source, target]``; 0 where the model has no path.
    total_effects : ndarray, shape (..., constructs, constructs)
        Of one construct on another along all ways, ``[source, target]``.
    r_squared : ndarray, shape (..., constructs)
        nan for a construct that nothing acts on.
    iterations : ndarray of int, shape (...,)
    converged : ndarray of bool, shape (...,)
        Where it is False, the figures are nan (an item did not vary, or a construct's sources explain each other), or
        those of the last iteration.
    """

    weights: np.ndarray
    loadings: np.ndarray
    cross_loadings: np.ndarray
    construct_correlation: np.ndarray
    paths: np.ndarray
    total_effects: np.ndarray
    r_squared: np.ndarray
    iterations: np.ndarray
    converged: np.ndarray


def fit(
    correlation,
    design: Design,
    scheme: str = "path",
    tolerance: float = TOLERANCE,
    most_iterations: int = MOST_ITERATIONS,
) -> PathFit:
    """Fit a path model by partial least squares, every construct measured reflectively (mode A).

    Parameters
    ----------
    correlation : array_like, shape (..., items, items)
        Of the items; one fit for each matrix.
    design : Design
        Which items measure what, and what acts on what.
    scheme : {"path", "centroid", "factorial"}
        How a construct's neighbours are weighted in the iteration: by their regression coefficients where they act on
        it and their correlations where it acts on them; by the sign of the correlation; by the correlation.
    tolerance : float
        The iteration ends when no weight changes by more.
    most_iterations : int
        Nor does it go on for longer than this.

    Returns
    -------
    PathFit
        nan, and not converged, for a matrix that has a gap or leaves a regression without an answer.

    Raises
    ------
    ValueError
        For an unknown scheme, or a matrix of another size than the design's.
    """
    correlation = np.asarray(correlation, float)
    if scheme not in SCHEMES:
        raise ValueError(f"scheme must be one of {', '.join(SCHEMES)}, not {scheme!r}.")
    if correlation.shape[-2:] != (design.items, design.items):
        raise ValueError(f"correlation must be of the design's {design.items} items, not {correlation.shape[-2:]}.")
    leading = correlation.shape[:-2]
    matrices = correlation.reshape(-1, design.items, design.items)
    with np.errstate(invalid="ignore", divide="ignore"):
        outcome = _iterated(matrices, design, SCHEMES[scheme], tolerance, most_iterations)
        fitted = _estimates(matrices, *outcome, design)
    return PathFit(*(array.reshape(leading + array.shape[1:]) for array in fitted))


def effects_of_weights(correlation, weights, design: Design) -> np.ndarray:
    """Return the total effects between scores whose weights are given instead of estimated.

    Parameters
    ----------
    correlation : array_like, shape (..., items, items)
    weights : array_like, shape (..., items)
        Of the standardised items, on any scale.
    design : Design

    Returns
    -------
    ndarray, shape (..., constructs, constructs)
        Standardised, ``[source, target]``; nan where a regression has no answer.
    """
    correlation, weights = np.asarray(correlation, float), np.asarray(weights, float)
    leading = correlation.shape[:-2]
    matrices = correlation.reshape(-1, design.items, design.items)
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled = _scaled(weights.reshape(-1, design.items), matrices, design)
        paths = _regressions(_score_correlations(scaled, matrices, design)[1], design)
        return total_effects(paths).reshape(*leading, design.constructs, design.constructs)


def _iterated(correlation, design, inner_weights, tolerance, most_iterations):
    """Weights, iterations and convergence of each matrix; those that are done leave the work."""
    draws = len(correlation)
    weights, iterations = np.full((draws, design.items), np.nan), np.zeros(draws, int)
    converged = np.zeros(draws, bool)
    working = np.flatnonzero(np.isfinite(correlation).all(axis=(1, 2)))
    correlation = correlation[working]
    current = _scaled(np.ones((len(working), design.items)), correlation, design)
    while working.size and iterations[working[0]] < most_iterations:
        following = _scaled(_next_weights(current, correlation, design, inner_weights), correlation, design)
        change = np.abs(following - current).max(axis=1)
        weights[working], converged[working] = following, change <= tolerance
        iterations[working] += 1
        going_on = change > tolerance  # not so for nan
        working, correlation, current = working[going_on], correlation[going_on], following[going_on]
    return weights, iterations, converged


def _next_weights(weights, correlation, design, inner_weights) -> np.ndarray:
    """Covariance of each item with its construct's proxy, a sum of the neighbouring scores."""
    cross_loadings, construct_correlation = _score_correlations(weights, correlation, design)
    proxies = cross_loadings @ inner_weights(construct_correlation, design)
    return _own(proxies, design)


def _scaled(weights, correlation, design) -> np.ndarray:
    """Weights for scores of variance 1."""
    _, construct_correlation = _score_correlations(weights, correlation, design)
    variance = np.diagonal(construct_correlation, axis1=1, axis2=2)
    return weights / np.sqrt(variance)[:, design.block]


def _score_correlations(weights, correlation, design) -> tuple[np.ndarray, np.ndarray]:
    """Covariances of standardised items with scores, and of scores with each other."""
    outer = weights[..., None] * design.membership
    with_items = correlation @ outer
    return with_items, np.swapaxes(outer, 1, 2) @ with_items


def _own(cross_loadings, design) -> np.ndarray:
    """Of each item the entry of its own construct."""
    return cross_loadings[:, np.arange(design.items), design.block]


def _centroid(construct_correlation, design) -> np.ndarray:
    return np.sign(construct_correlation) * (design.paths | design.paths.T)


def _factorial(construct_correlation, design) -> np.ndarray:
    return construct_correlation * (design.paths | design.paths.T)


def _path(construct_correlation, design) -> np.ndarray:
    return construct_correlation * design.paths.T + _regressions(construct_correlation, design)


SCHEMES: dict[str, Callable[[np.ndarray, Design], np.ndarray]] = {
    "path": _path,
    "centroid": _centroid,
    "factorial": _factorial,
}


def _regressions(construct_correlation, design) -> np.ndarray:
    """Coefficients of each construct on those that act on it, ``[source, target]``."""
    coefficients = np.zeros_like(construct_correlation)
    for target in design.targets:
        sources = design.sources(target)
        among = construct_correlation[:, sources[:, None], sources]
        coefficients[:, sources, target] = _solved(among, construct_correlation[:, sources, target])
    return coefficients


def _solved(matrices, right) -> np.ndarray:
    """Solve many small systems with correlation matrices; nan for one that has no single solution.

    By elimination without pivoting, for which positive definite matrices need none: each pivot is what the
    constructs before leave unexplained of the next. A library's solver would refuse all for the sake of one.
    """
    system = np.concatenate([matrices, right[..., None]], axis=-1)
    for row in range(matrices.shape[-1]):
        pivot = system[:, row, row]
        pivot = np.where(pivot > LEAST_UNEXPLAINED, pivot, np.nan)
        reduced = system[:, row] / pivot[:, None]
        system -= system[:, :, row, None] * reduced[:, None, :]
        system[:, row] = reduced
    return system[..., -1]


def _estimates(correlation, weights, iterations, converged, design) -> tuple[np.ndarray, ...]:
    """Everything of a `PathFit`, in its order."""
    weights = _oriented(weights, correlation, design)
    cross_loadings, construct_correlation = _score_correlations(weights, correlation, design)
    paths = _regressions(construct_correlation, design)
    impossible = ~np.isfinite(paths).all(axis=(1, 2))
    estimates = (
        weights,
        _own(cross_loadings, design),
        cross_loadings,
        construct_correlation,
        paths,
        total_effects(paths),
        _explained(paths, construct_correlation, design),
    )
    for estimate in estimates:
        estimate[impossible] = np.nan
    return *estimates, iterations, converged & ~impossible


def _oriented(weights, correlation, design) -> np.ndarray:
    loadings = _own(_score_correlations(weights, correlation, design)[0], design)
    return np.where((loadings @ design.membership < 0)[:, design.block], -weights, weights)


def _explained(paths, construct_correlation, design) -> np.ndarray:
    explained = (paths * construct_correlation).sum(axis=1)
    return np.where(design.paths.any(axis=0), explained, np.nan)


def total_effects(paths) -> np.ndarray:
    """Return the effects along all ways, the sum of the powers of the paths: (I - B)^-1 - I.

    Parameters
    ----------
    paths : array_like, shape (..., constructs, constructs)
        ``[source, target]``; without cycles, so that the sum ends.

    Returns
    -------
    ndarray, shape (..., constructs, constructs)
    """
    total = paths = np.asarray(paths, float)
    for _ in range(paths.shape[-1] - 2):
        total = paths + paths @ total
    return total.copy()
