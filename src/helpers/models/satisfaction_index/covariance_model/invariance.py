"""Whether items measure the same in every group, as far as groups may then be compared (Meredith 1993).

Four models of the items, each with more held equal between groups (`structure.LEVELS`): the same constructs
(configural), their loadings (metric), the items' intercepts (scalar), their residual variances (strict). From metric
on, relations between constructs may be compared; from scalar on, means of constructs and indices too (Vandenberg and
Lance 2000, Organizational Research Methods 3, 4-70).

The first level holds if the model fits (`gate.fit_holds`). Each that follows fails if it fits worse than the one before
by more than matters, and by more than chance explains: CFI lower by more than .01 (Cheung and Rensvold 2002, Structural
Equation Modeling 9, 233-255) or RMSEA higher by more than .015 (Chen 2007, Structural Equation Modeling 14, 464-504),
and a chi-square difference with p < .05. Either half alone errs. Where all was equal in two simulated groups, 9 items,
the changes passed their limits by chance in 11 to 17 % of the cases at 60 respondents each, both halves together in 3
to 7 %. The test refuses what hardly matters in large groups, and what is only not normal: 22 % at 150 each, tails
of Student's t with 8 degrees of freedom; both together, at most 11 %.

One item whose standardised loading is .45 in one group and .75 in the other fails the level in 38 % of the cases at 150
each and in 58 % at 300; among 18 items in 5 % at any size, though the test sees it in 33 % at 150 and 91 % at 500. So a
level that holds says that groups do not differ much as a whole; where the test refuses it all the same, single items
do (`Level.doubtful`).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from scipy import stats

from helpers.models.satisfaction_index.design import Design

from .fit_indices import FitIndices, indices_of
from .gate import fit_holds
from .scoring import CovarianceFit, Sample, fit
from .structure import LEVELS, Structure
from .suitability import constant_items, dependent_items

LEAST_CFI_CHANGE = -0.01
MOST_RMSEA_CHANGE = 0.015
SIGNIFICANT = 0.05
FEWEST = 30  # respondents of a group
PER_ITEM = 2
MOST_ITERATIONS = 300  # a measurement model that has an optimum is there long before
# What groups may be compared in from each level on.
COMPARABLE = {"metric": "relations", "scalar": "means"}


@dataclass(frozen=True)
class LeftOut:
    """A group that cannot take part.

    Parameters
    ----------
    group : int
    reason : {"few_respondents", "unknown_moments", "constant_item", "dependent_item"}
        Fewer than 30 or than two for each item; moments that are not finite; an item that all answered alike; an item
        that others determine.
    items : tuple of int
        Which, for the last two.
    """

    group: int
    reason: Literal["few_respondents", "unknown_moments", "constant_item", "dependent_item"]
    items: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Level:
    """One level of invariance.

    Parameters
    ----------
    name : {"configural", "metric", "scalar", "strict"}
    indices : FitIndices
        nan where the model has no optimum.
    chi_square_difference, difference_p_value : float
        From the level before: the likelihood-ratio test of what is held equal; nan for the first.
    difference_degrees_of_freedom : int
    cfi_change, rmsea_change : float
        From the level before; nan for the first.
    holds : bool
        By itself: see `Invariance.reached` for all levels up to one.
    """

    name: str
    indices: FitIndices
    chi_square_difference: float
    difference_degrees_of_freedom: int
    difference_p_value: float
    cfi_change: float
    rmsea_change: float
    holds: bool

    @property
    def doubtful(self) -> bool:
        """Return whether the level holds as a whole, and the test says that something differs all the same."""
        return self.holds and self.difference_p_value < SIGNIFICANT


@dataclass(frozen=True, eq=False)
class Invariance:
    """How far groups may be compared.

    Parameters
    ----------
    levels : tuple of Level
        Empty where fewer than two groups could take part.
    groups : tuple of int
        That took part.
    left_out : tuple of LeftOut
    """

    levels: tuple[Level, ...]
    groups: tuple[int, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def reached(self) -> str | None:
        """Return the highest level up to which all hold; None where there is none."""
        return reached(self.levels)

    @property
    def comparable(self) -> tuple[str, ...]:
        """Return what the groups may be compared in: of "relations" and "means"."""
        names = list(LEVELS)
        up_to = names[: names.index(self.reached) + 1] if self.reached else ()
        return tuple(COMPARABLE[name] for name in up_to if name in COMPARABLE)


def invariance(design: Design, covariances, means, sizes) -> Invariance:
    """Fit the four levels to the groups that can take part; all constructs covary, whatever the paths.

    Parameters
    ----------
    design : Design
    covariances : array_like, shape (groups, items, items)
        With the number of respondents as divisor.
    means : array_like, shape (groups, items)
    sizes : array_like, shape (groups,)
        Respondents.

    Returns
    -------
    Invariance

    Raises
    ------
    ValueError
        When the shapes do not agree.
    """
    covariances, means, sizes = (np.asarray(part, float) for part in (covariances, means, sizes))
    groups, items = len(sizes), design.items
    if covariances.shape != (groups, items, items) or means.shape != (groups, items):
        raise ValueError(f"covariances and means must be of {groups} groups and {items} items.")
    candidates = range(groups)
    reasons = [_reason(group, covariances[group], means[group], sizes[group]) for group in candidates]
    left_out = tuple(reason for reason in reasons if reason)
    taking_part = tuple(group for group in candidates if not reasons[group])
    if len(taking_part) < 2:
        return Invariance((), taking_part, left_out)
    kept = list(taking_part)
    sample = Sample(tuple(covariances[kept]), tuple(sizes[kept]), tuple(means[kept]))
    return Invariance(_levels(design, sample), taking_part, left_out)


def reached(levels) -> str | None:
    """Return the name of the highest level up to which all hold; None where the first does not.

    Parameters
    ----------
    levels : iterable of Level
        From the lowest on.
    """
    highest = None
    for level in levels:
        if not level.holds:
            break
        highest = level.name
    return highest


def worse(before: FitIndices, after: FitIndices) -> np.ndarray:
    """Return whether fit falls by more than matters and by more than chance explains, from one level to the next.

    Parameters
    ----------
    before, after : FitIndices
        Of one fit or of as many as there were samples.

    Returns
    -------
    ndarray of bool, shape (...,)
        True too where it is not known.
    """
    cfi_change, rmsea_change = _changes(before, after)
    held_equal = after.degrees_of_freedom - before.degrees_of_freedom
    if not held_equal:
        return np.isnan(after.chi_square)
    by_little = (cfi_change >= LEAST_CFI_CHANGE) & (rmsea_change <= MOST_RMSEA_CHANGE)
    by_chance = stats.chi2.sf(after.chi_square - before.chi_square, held_equal) >= SIGNIFICANT
    return ~(by_little | by_chance)


def measurement(design: Design) -> Design:
    """Return the same items and constructs without paths, so that all constructs covary.

    Parameters
    ----------
    design : Design
    """
    return Design(design.block, np.zeros_like(design.paths))


def _reason(group: int, covariance, mean, size) -> LeftOut | None:
    if not size >= max(FEWEST, PER_ITEM * len(mean)):
        return LeftOut(group, "few_respondents")
    if not (np.isfinite(covariance).all() and np.isfinite(mean).all()):
        return LeftOut(group, "unknown_moments")
    if constant := constant_items(covariance):
        return LeftOut(group, "constant_item", constant)
    if dependent := dependent_items(covariance):
        return LeftOut(group, "dependent_item", tuple(dependence.item for dependence in dependent))
    return None


def _levels(design: Design, sample: Sample) -> tuple[Level, ...]:
    groups = len(sample.size)
    structures = [Structure.of_groups(measurement(design), groups, name) for name in LEVELS]
    fits = [fit(structure, sample, most_iterations=MOST_ITERATIONS) for structure in structures]
    indices = [indices_of(fitted) for fitted in fits]
    usable = [_usable(fitted) for fitted in fits]
    saturated = indices[0].degrees_of_freedom == 0
    first = Level(
        "configural", indices[0], np.nan, 0, np.nan, np.nan, np.nan, usable[0] and (saturated or fit_holds(indices[0]))
    )
    following = (
        _level(name, before, after, all(solved))
        for name, (before, after), solved in zip(list(LEVELS)[1:], pairwise(indices), pairwise(usable), strict=True)
    )
    return (first, *following)


def _usable(fitted: CovarianceFit) -> bool:
    return bool(fitted.converged and fitted.rank == fitted.structure.parameters)


def _level(name: str, before: FitIndices, after: FitIndices, solved: bool) -> Level:
    difference = float(after.chi_square - before.chi_square)
    held_equal = after.degrees_of_freedom - before.degrees_of_freedom
    p_value = float(stats.chi2.sf(difference, held_equal)) if held_equal else np.nan
    changes = (float(change) for change in _changes(before, after))
    return Level(name, after, difference, held_equal, p_value, *changes, solved and not bool(worse(before, after)))


def _changes(before: FitIndices, after: FitIndices) -> tuple[np.ndarray, np.ndarray]:
    """Return the changes of CFI and RMSEA; a model without degrees of freedom fits as well as can be."""
    cfi, rmsea = (
        [np.where(part.degrees_of_freedom == 0, best, getattr(part, name)) for part in (before, after)]
        for name, best in (("cfi", 1.0), ("rmsea", 0.0))
    )
    return cfi[1] - cfi[0], rmsea[1] - rmsea[0]
