"""What a fitted covariance model says, free of units: standardised solution, effects along all ways, index weights.

With errors by the delta method for everything, from whatever covariance of the parameters is given: that of normal
theory (the default), a robust one (`robust.sandwich`) or one of resamples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np

from helpers.models.satisfaction_index.index import item_weights
from helpers.models.satisfaction_index.path_model import total_effects

from .scoring import CovarianceFit, Implied
from .structure import Structure

STEP = 1e-4  # of a standard error: the error of a derivative is of the square of it


@dataclass(frozen=True, eq=False)
class Solution:
    """The solution of one group, or its standard errors, for one fit or for as many as there were samples.

    Standardised is as lavaan's ``std.all``: items and constructs have variance 1, and a covariance of residuals or of
    disturbances is their correlation.

    Parameters
    ----------
    loadings : ndarray, shape (..., items, constructs)
        Standardised.
    paths : ndarray, shape (..., constructs, constructs)
        Standardised, ``[source, target]``.
    construct_covariance : ndarray, shape (..., constructs, constructs)
        Of disturbances: shares of variance on the diagonal, correlations elsewhere; nan beside a variance that is not
        positive.
    residual_covariance : ndarray, shape (..., items, items)
        Likewise of items.
    construct_correlation : ndarray, shape (..., constructs, constructs)
        As the model implies it.
    item_r_squared : ndarray, shape (..., items)
        Share of an item's variance that its constructs explain; above 1 where a residual variance is negative.
    r_squared : ndarray, shape (..., constructs)
        Share of a construct's variance that its sources explain; nan for a construct that nothing acts on.
    total_effects, indirect_effects : ndarray, shape (..., constructs, constructs)
        Along all ways, and along all but the direct one, ``[source, target]``; in the units of the first items.
    standardised_total_effects, standardised_indirect_effects : ndarray, shape (..., constructs, constructs)
        In standard deviations of the constructs.
    """

    loadings: np.ndarray
    paths: np.ndarray
    construct_covariance: np.ndarray
    residual_covariance: np.ndarray
    construct_correlation: np.ndarray
    item_r_squared: np.ndarray
    r_squared: np.ndarray
    total_effects: np.ndarray
    indirect_effects: np.ndarray
    standardised_total_effects: np.ndarray
    standardised_indirect_effects: np.ndarray


def solution(fit: CovarianceFit, group: int = 0) -> Solution:
    """Return the standardised solution and the effects of one group.

    Parameters
    ----------
    fit : CovarianceFit
        Of one sample or of many (resamples).
    group : int

    Returns
    -------
    Solution
        nan where a fit is, or where a variance that divides is not positive.
    """
    return solution_of(fit.structure, fit.parameters, group)


@np.errstate(invalid="ignore", divide="ignore")
def solution_of(structure: Structure, parameters, group: int = 0) -> Solution:
    """Return the same from parameters, shape (..., parameters)."""
    implied = Implied.of(structure, parameters, group)
    paths, disturbances, residual = (
        structure.matrix(name, parameters, group) for name in ("paths", "construct_covariance", "residual_covariance")
    )
    constructs, items = _deviation(implied.construct_covariance), _deviation(implied.covariance)
    unexplained = _diagonal(disturbances) / constructs**2
    total = total_effects(paths)
    by_source = constructs[..., :, None] / constructs[..., None, :]
    return Solution(
        loadings=implied.loadings * constructs[..., None, :] / items[..., :, None],
        paths=paths * by_source,
        construct_covariance=_with_diagonal(_correlation(disturbances), unexplained),
        residual_covariance=_with_diagonal(_correlation(residual), _diagonal(residual) / items**2),
        construct_correlation=_correlation(implied.construct_covariance),
        item_r_squared=1 - _diagonal(residual) / items**2,
        r_squared=np.where(structure.design.paths.any(axis=0), 1 - unexplained, np.nan),
        total_effects=total,
        indirect_effects=total - paths,
        standardised_total_effects=total * by_source,
        standardised_indirect_effects=(total - paths) * by_source,
    )


def solution_errors(fit: CovarianceFit, covariance=None, group: int = 0) -> Solution:
    """Return the standard errors of the solution, by the delta method.

    Parameters
    ----------
    fit : CovarianceFit
        Of one sample.
    covariance : array_like, shape (parameters, parameters), optional
        Of the parameters; that of normal theory by default.
    group : int

    Returns
    -------
    Solution
        With standard errors for estimates: 0 for what is fixed, nan where the covariance or the estimate is.
    """
    covariance = fit.covariance_of_parameters if covariance is None else np.asarray(covariance, float)
    names = [field.name for field in fields(Solution)]

    def flat(parameters: np.ndarray) -> np.ndarray:
        parts = (getattr(solution_of(fit.structure, parameters, group), name) for name in names)
        return np.concatenate([part.reshape(len(parameters), -1) for part in parts], axis=1)

    errors = delta_errors(flat, fit.parameters, covariance)
    shapes = [getattr(solution(fit, group), name).shape for name in names]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    parts = np.split(errors, ends[:-1])
    return Solution(*(part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)))


def delta_errors(function: Callable[[np.ndarray], np.ndarray], parameters, covariance) -> np.ndarray:
    """Return standard errors of a function of the parameters: ``sqrt(diag(J V J'))``, J by central differences.

    The differences are over `STEP` standard errors, so that units of parameters do not matter.

    Parameters
    ----------
    function : callable
        From parameters, shape (points, parameters), to values, shape (points, values).
    parameters : array_like, shape (parameters,)
    covariance : array_like, shape (parameters, parameters)

    Returns
    -------
    ndarray, shape (values,)
    """
    parameters, covariance = np.asarray(parameters, float), np.asarray(covariance, float)
    error = np.sqrt(np.diagonal(covariance))
    step = STEP * np.where(error > 0, error, 1.0)
    ahead, behind = function(parameters + np.diag(step)), function(parameters - np.diag(step))
    jacobian = ((ahead - behind) / (2 * step[:, None])).T
    return np.sqrt(np.maximum(((jacobian @ covariance) * jacobian).sum(axis=1), 0.0))  # 0 may be rounded below it


def loading_weights(fit: CovarianceFit, group: int = 0) -> np.ndarray:
    """Return weights of the raw answers for the index: unstandardised loadings, summing to 1 in each construct.

    The index of the covariance model; its loadings carry the unit of the answers, as weights of raw answers must.

    Parameters
    ----------
    fit : CovarianceFit
    group : int

    Returns
    -------
    ndarray, shape (..., items)
        nan in a construct whose loadings do not sum to more than 0.
    """
    design = fit.structure.design
    own = fit.matrix("loadings", group)[..., np.arange(design.items), design.block]
    return item_weights(own, 1.0, design)


def _correlation(covariance: np.ndarray) -> np.ndarray:
    deviation = _deviation(covariance)
    scaled = covariance / (deviation[..., :, None] * deviation[..., None, :])
    return np.where(covariance == 0, 0.0, scaled)  # what is fixed at 0 is no unknown, whatever the variances


def _with_diagonal(matrices: np.ndarray, diagonal: np.ndarray) -> np.ndarray:
    return np.where(np.eye(matrices.shape[-1], dtype=bool), diagonal[..., None], matrices)


def _deviation(covariance: np.ndarray) -> np.ndarray:
    return np.sqrt(_diagonal(covariance))


def _diagonal(matrices: np.ndarray) -> np.ndarray:
    return np.diagonal(matrices, axis1=-2, axis2=-1)
