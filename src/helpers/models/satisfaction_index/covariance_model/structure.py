"""What a covariance model leaves free: places in its matrices, by group, and which of them share one parameter.

Item answers are ``y = intercepts + loadings eta + residual``, constructs ``eta = means + paths' eta + disturbance``
(Joreskog 1973, in the all-y form); so with ``T = (I - paths)^-1``

    cov(eta) = T' construct_covariance T,  cov(y) = loadings cov(eta) loadings' + residual_covariance.

What is free follows lavaan's `sem` (Rosseel 2012), so that figures can be compared: the first item of a construct
has loading 1; the residual of a construct's only item is 0; constructs that nothing acts on covary, and so do the
disturbances of those that act on nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from helpers.models.satisfaction_index.design import Design

SYMMETRIC = ("construct_covariance", "residual_covariance")
OF_MEANS = ("intercepts", "construct_means")
MATRICES = ("loadings", "paths", *SYMMETRIC, *OF_MEANS)
FIXED = -1
# What is held equal between groups at each level of invariance (Meredith 1993); each level adds to the one before.
LEVELS = {
    "configural": (),
    "metric": ("loadings",),
    "scalar": ("loadings", "intercepts"),
    "strict": ("loadings", "intercepts", "residual_covariance"),
}


@dataclass(frozen=True)
class Entry:
    """One place of one matrix: of a symmetric matrix that on or below the diagonal."""

    group: int
    matrix: str
    row: int
    column: int


@dataclass(frozen=True, eq=False)
class Structure:
    """A covariance model without its numbers.

    Parameters
    ----------
    design : Design
    places : dict of str to ndarray of int, shape (groups, rows, columns)
        For each of `MATRICES` the number of the parameter at each place, -1 where it is fixed.
    fixed : dict of str to ndarray, shape (groups, rows, columns)
        The value of what is fixed.
    with_means : bool
        Whether the model says something of means.
    """

    design: Design
    places: dict[str, np.ndarray]
    fixed: dict[str, np.ndarray]
    with_means: bool = False

    @classmethod
    def of(cls, design: Design, residual_covariances: Iterable[tuple[int, int]] = ()) -> Structure:
        """Return the structure of one group, without means.

        Parameters
        ----------
        design : Design
        residual_covariances : iterable of (int, int)
            Pairs of items whose residuals may covary.
        """
        free = _free_places(design, residual_covariances)
        return cls(design, _numbered([free], ()), {name: matrix[None] for name, matrix in _fixed(design).items()})

    @classmethod
    def of_groups(cls, design: Design, groups: int, level: str = "configural") -> Structure:
        """Return the structure of several groups with means, as far equal as the level of invariance says.

        Where intercepts are equal, the construct means of all groups but the first are free.

        Parameters
        ----------
        design : Design
        groups : int
        level : {"configural", "metric", "scalar", "strict"}
        """
        free = [_free_places(design) for _ in range(groups)]
        for number, matrices in enumerate(free):
            matrices["intercepts"][:] = True
            matrices["construct_means"][:] = "intercepts" in LEVELS[level] and number > 0
        fixed = {name: np.repeat(matrix[None], groups, axis=0) for name, matrix in _fixed(design).items()}
        return cls(design, _numbered(free, LEVELS[level]), fixed, with_means=True)

    @property
    def groups(self) -> int:
        """Return the number of groups."""
        return len(self.places["loadings"])

    @cached_property
    def parameters(self) -> int:
        """Return the number of free parameters."""
        return 1 + max(int(places.max()) for places in self.places.values())

    @property
    def statistics(self) -> int:
        """Return the number of variances, covariances (and means) that the model is about."""
        items = self.design.items
        return self.groups * (items * (items + 1) // 2 + (items if self.with_means else 0))

    @property
    def degrees_of_freedom(self) -> int:
        """Return how many more statistics than parameters there are; negative where the model cannot be identified."""
        return self.statistics - self.parameters

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """Return every free place; several may share a parameter."""
        found = []
        for name in MATRICES:
            for group, row, column in np.argwhere(self.places[name] != FIXED).tolist():
                if name not in SYMMETRIC or row >= column:
                    found.append(Entry(group, name, row, column))
        return tuple(found)

    @cached_property
    def numbers(self) -> np.ndarray:
        """Return for each entry the number of its parameter."""
        return np.array([self.places[entry.matrix][entry.group, entry.row, entry.column] for entry in self.entries])

    @cached_property
    def first_entries(self) -> tuple[Entry, ...]:
        """Return for each parameter its first place."""
        first = {}
        for entry, number in zip(self.entries, self.numbers.tolist(), strict=True):
            first.setdefault(number, entry)
        return tuple(first[number] for number in range(self.parameters))

    def matrix(self, name: str, parameters, group: int = 0) -> np.ndarray:
        """Return one of the matrices, filled in; shape (..., rows, columns).

        Parameters
        ----------
        name : str
            One of `MATRICES`; the last two have one column.
        parameters : array_like, shape (..., parameters)
        group : int
        """
        places = self.places[name][group]
        return np.where(places == FIXED, self.fixed[name][group], np.asarray(parameters, float)[..., places])

    def number(self, name: str, row: int, column: int = 0, group: int = 0) -> int:
        """Return the number of the parameter at a place, -1 where it is fixed."""
        return int(self.places[name][group, row, column])


def _free_places(design: Design, residual_covariances: Iterable[tuple[int, int]] = ()) -> dict[str, np.ndarray]:
    """Return for each matrix which places are free in one group without means."""
    first = np.array([np.flatnonzero(design.block == construct)[0] for construct in range(design.constructs)])
    alone = np.bincount(design.block, minlength=design.constructs) == 1
    loadings = design.membership.astype(bool)
    loadings[first, np.arange(design.constructs)] = False
    residual = np.diag(~alone[design.block])
    for one, other in residual_covariances:
        residual[one, other] = residual[other, one] = True
    acted_on, acting = design.paths.any(axis=0), design.paths.any(axis=1)
    outcome = acted_on & ~acting
    covary = np.outer(~acted_on, ~acted_on) | np.outer(outcome, outcome) | np.eye(design.constructs, dtype=bool)
    return {
        "loadings": loadings,
        "paths": design.paths.copy(),
        "construct_covariance": covary,
        "residual_covariance": residual,
        "intercepts": np.zeros((design.items, 1), bool),
        "construct_means": np.zeros((design.constructs, 1), bool),
    }


def _fixed(design: Design) -> dict[str, np.ndarray]:
    items, constructs = design.items, design.constructs
    return {
        "loadings": design.membership,
        "paths": np.zeros((constructs, constructs)),
        "construct_covariance": np.zeros((constructs, constructs)),
        "residual_covariance": np.zeros((items, items)),
        "intercepts": np.zeros((items, 1)),
        "construct_means": np.zeros((constructs, 1)),
    }


def _numbered(free: list[dict[str, np.ndarray]], equal: Iterable[str]) -> dict[str, np.ndarray]:
    """Number the free places group by group; what is equal has the numbers of the first group."""
    places = {name: np.full((len(free), *free[0][name].shape), FIXED) for name in MATRICES}
    following = 0
    for group, matrices in enumerate(free):
        for name in MATRICES:
            if group and name in equal:
                places[name][group] = places[name][0]
                continue
            where = np.tril(matrices[name]) if name in SYMMETRIC else matrices[name]
            count = int(where.sum())
            places[name][group][where] = following + np.arange(count)
            following += count
            if name in SYMMETRIC:
                places[name][group] = np.maximum(places[name][group], places[name][group].T)
    return places
