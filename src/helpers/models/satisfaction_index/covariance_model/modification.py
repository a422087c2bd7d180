"""Modification indices: what would the statistic lose, were one more parameter free? Score tests, without refitting.

Sorbom (1989), Psychometrika 54(3), 371-384, with the expected information, as lavaan has them. They say where a model
departs from the data, not why; a model that follows them fits its sample and no other (MacCallum, Roznowski and
Necowitz 1992, Psychological Bulletin 111(3), 490-504).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .scoring import CovarianceFit, gradient, information
from .structure import FIXED, SYMMETRIC, Entry, Structure

LEAST_INFORMATION = 1e-6  # share of a candidate's information that the free parameters must leave it


@dataclass(frozen=True, eq=False)
class ModificationIndices:
    """Candidates for one more free parameter, the one that would change the statistic most first.

    Parameters
    ----------
    candidates : tuple of Entry
        Residual covariances and loadings on other constructs.
    statistic : ndarray, shape (candidates,)
        By how much chi2 would fall, about; chi2 with one degree of freedom if the parameter is 0.
    change : ndarray, shape (candidates,)
        What the parameter would become, about.
    standardised_change : ndarray, shape (candidates,)
        The same as a correlation of residuals or a standardised loading; nan for a negative residual variance.
    """

    candidates: tuple[Entry, ...]
    statistic: np.ndarray
    change: np.ndarray
    standardised_change: np.ndarray


def modification_indices(fit: CovarianceFit) -> ModificationIndices:
    """Return the modification indices of absent residual covariances and cross-loadings.

    With s the score of a candidate and V what the free parameters leave of its information, the index is ``s^2 / V``
    and the change ``s / V``. A candidate of which they leave nothing is dropped: freed, it would not be identified.

    Parameters
    ----------
    fit : CovarianceFit
        Of one sample, converged.

    Returns
    -------
    ModificationIndices
        Without candidates where the model is not identified.
    """
    candidates = _candidates(fit.structure)
    if not candidates or not np.isfinite(fit.covariance_of_parameters).all():
        nothing = np.zeros(0)
        return ModificationIndices((), nothing, nothing, nothing)
    freed, count = _freed(fit.structure, candidates), fit.structure.parameters
    parameters = np.concatenate([fit.parameters, np.zeros(len(candidates))])
    size = fit.sample.total
    score = -size / 2 * gradient(freed, parameters, fit.sample)[count:]
    whole = size * information(freed, parameters, fit.sample)
    own, shared = np.diagonal(whole)[count:], whole[count:, :count]
    left = own - ((shared @ fit.covariance_of_parameters) * shared).sum(axis=1)
    known = np.flatnonzero(left > LEAST_INFORMATION * own)
    order = known[np.argsort(-(score[known] ** 2) / left[known], kind="stable")]
    change = score[order] / left[order]
    chosen = tuple(candidates[number] for number in order)
    return ModificationIndices(chosen, score[order] * change, change, change * _units(fit, chosen))


def _candidates(structure: Structure) -> list[Entry]:
    """Fixed residual covariances and cross-loadings of the constructs with several items.

    A construct's only item is the construct: what would act on it, or on what it acts, is a path.
    """
    design = structure.design
    several = np.bincount(design.block, minlength=design.constructs) > 1
    items = several[design.block]
    residual = np.tril(np.outer(items, items), -1)
    cross = np.outer(items, several) & ~design.membership.astype(bool)
    return [
        Entry(group, name, row, column)
        for group in range(structure.groups)
        for name, possible in (("residual_covariance", residual), ("loadings", cross))
        for row, column in np.argwhere(possible & (structure.places[name][group] == FIXED)).tolist()
    ]


def _freed(structure: Structure, candidates: list[Entry]) -> Structure:
    """The structure with all candidates free, numbered after its own parameters."""
    places = {name: matrix.copy() for name, matrix in structure.places.items()}
    for number, at in enumerate(candidates, structure.parameters):
        places[at.matrix][at.group, at.row, at.column] = number
        if at.matrix in SYMMETRIC:
            places[at.matrix][at.group, at.column, at.row] = number
    return Structure(structure.design, places, structure.fixed, structure.with_means)


def _units(fit: CovarianceFit, candidates: tuple[Entry, ...]) -> np.ndarray:
    """By what a change is multiplied to have no unit."""
    of_residuals, of_loadings = [], []
    for group in range(fit.structure.groups):
        implied, variance = fit.implied(group), np.diagonal(fit.matrix("residual_covariance", group))
        deviation = np.sqrt(np.where(variance > 0, variance, np.nan))
        of_residuals.append(1 / np.outer(deviation, deviation))
        items, constructs = np.diagonal(implied.covariance), np.diagonal(implied.construct_covariance)
        of_loadings.append(np.sqrt(np.where(constructs > 0, constructs, np.nan) / items[:, None]))
    by_matrix = {"residual_covariance": of_residuals, "loadings": of_loadings}
    return np.array([by_matrix[at.matrix][at.group][at.row, at.column] for at in candidates])
