"""Whether items measure the same in every group, as far as groups may then be compared (Meredith 1993).

Four models of the items, each with more held equal between groups (`structure.LEVELS`): the same constructs
(configural), their loadings (metric), the items' intercepts (scalar), their residual variances (strict). From metric
on, relations between constructs may be compared; from scalar on, means of constructs and indices too (Vandenberg and
Lance 2000, Organizational Research Methods 3, 4-70).

The first level holds if the model fits (`gate.fit_holds`). Each that follows fails if it fits worse than the one before
by more than matters, and by more than chance explains: CFI lower by more than .01 (Cheung and Rensvold 2002, Structural
Equation Modeling 9, 233-255) or RMSEA higher by more than .015 (Chen 2007, Structural Equation Modeling 14, 464-504),
and a chi-square difference with p < .05. Either half alone errs: changes pass their limits by chance in small groups,
and the test refuses what hardly matters in large ones. Both suppose normal answers, unless gammas say what answers are:
then robust indices decide (`gate.fit_holds` of the first level, and the changes), and the scaled difference
(`robust.difference_scaling_factor`).

Where all was equal in two simulated groups of 150, 9 items, 250 comparisons each, the metric, scalar and strict level
failed in 3, 4 and 3 % with normal answers, with or without gammas. With the tails of Student's t with 8 degrees of
freedom they failed in 11, 2 and 24 % without, 4, 1 and 5 % with gammas; with five answers, the highest the most
frequent, in 6, 4 and 11 % without, 4, 4 and 7 % with. In groups of 60, with gammas, it was 9, 5 and 6 % with long tails
and 12, 4 and 12 % with five answers. Of 40 random halvings of mobi (125 each, half of them by the ACSI, half by the
ECSI) 2 were said to differ; without gammas the configural level of the ECSI failed in all.

One item that loads .45 in one group and .75 in the other, its residual the same, fails the level in 38 % of the cases
at 150 each and in 58 % at 300; among 18 items in 5 % at any size, though the test sees it in 33 % at 150 and 91 % at
500. So a level that holds says that groups do not differ much as a whole; where the test refuses it all the same,
single items do (`Level.doubtful`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np

from helpers.models.satisfaction_index.design import Design

from .fit_indices import FitIndices, ScaledIndices, chi_square_p_value, indices_of, scaled_chi_square, scaled_indices
from .gate import fit_holds
from .robust import baseline_scaling_factor, difference_scaling_factor, scaling_factor
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
        nan where the model has no optimum, or is not identified.
    chi_square_difference, difference_p_value : float
        From the level before: the likelihood-ratio test of what is held equal, scaled where gammas were given; nan for
        the first.
    difference_degrees_of_freedom : int
    cfi_change, rmsea_change : float
        From the level before, of the robust indices where gammas were given; nan for the first, and where one of the
        two levels has no optimum.
    holds : bool
        By itself: see `Invariance.reached` for all levels up to one.
    scaled : ScaledIndices or None
        Robust indices, where gammas were given; these decide.
    """

    name: str
    indices: FitIndices
    chi_square_difference: float
    difference_degrees_of_freedom: int
    difference_p_value: float
    cfi_change: float
    rmsea_change: float
    holds: bool
    scaled: ScaledIndices | None = None

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

    @property
    def verdict(self) -> Literal["alike", "differ", "unknown"]:
        """Return whether groups answer alike, as far as comparing their means and indices goes.

        Alike if the levels up to scalar hold. They differ if the configural level holds and one of the next two fits
        worse. Unknown where nothing was tested, where a model has no optimum, and where the configural level fails:
        that says that the model fits nobody, not that groups differ.
        """
        if "means" in self.comparable:
            return "alike"
        failed = next((level for level in self.levels if not level.holds), None)
        return "differ" if failed and not np.isnan(failed.cfi_change) else "unknown"


def invariance(design: Design, covariances, means, sizes, gammas: Sequence | None = None) -> Invariance:
    """Fit the four levels to the groups that can take part; all constructs covary, whatever the paths.

    Parameters
    ----------
    design : Design
    covariances : array_like, shape (groups, items, items)
        With the number of respondents as divisor.
    means : array_like, shape (groups, items)
    sizes : array_like, shape (groups,)
        Respondents.
    gammas : sequence of array_like, optional
        Of each group, of means and covariances, as `robust.empirical_gamma` returns it: allows for answers that are
        not normal. Of a group that cannot take part it may be anything.

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
    if gammas is not None and len(gammas) != groups:
        raise ValueError(f"there must be a gamma for each of the {groups} groups, not {len(gammas)}.")
    candidates = range(groups)
    reasons = [_reason(group, covariances[group], means[group], sizes[group]) for group in candidates]
    left_out = tuple(reason for reason in reasons if reason)
    taking_part = tuple(group for group in candidates if not reasons[group])
    if len(taking_part) < 2:
        return Invariance((), taking_part, left_out)
    kept = list(taking_part)
    sample = Sample(tuple(covariances[kept]), tuple(sizes[kept]), tuple(means[kept]))
    spread = None if gammas is None else [gammas[group] for group in kept]
    return Invariance(_levels(design, sample, spread), taking_part, left_out)


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


def worse(cfi_change, rmsea_change, difference_p_value) -> np.ndarray:
    """Return whether fit falls by more than matters and by more than chance explains, from one level to the next.

    Parameters
    ----------
    cfi_change, rmsea_change, difference_p_value : array_like, shape (...,)
        As in `Level`.

    Returns
    -------
    ndarray of bool, shape (...,)
        True too where it is not known.
    """
    by_little = (np.asarray(cfi_change) >= LEAST_CFI_CHANGE) & (np.asarray(rmsea_change) <= MOST_RMSEA_CHANGE)
    return ~(by_little | (np.asarray(difference_p_value) >= SIGNIFICANT))


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


def _levels(design: Design, sample: Sample, gammas: Sequence | None) -> tuple[Level, ...]:
    structures = [Structure.of_groups(measurement(design), len(sample.size), name) for name in LEVELS]
    fits = [_usable(fit(structure, sample, most_iterations=MOST_ITERATIONS)) for structure in structures]
    steps = zip(list(LEVELS)[1:], pairwise(fits), strict=True)
    levels = [_first(fits[0], gammas)]
    for name, (before, after) in steps:
        levels.append(_level(name, levels[-1], before, after, gammas))
    return tuple(levels)


def _usable(fitted: CovarianceFit) -> CovarianceFit:
    """Return the fit, without its figures where there is no optimum or it is not the only one."""
    if fitted.converged and fitted.rank == fitted.structure.parameters:
        return fitted
    return replace(fitted, parameters=np.full_like(fitted.parameters, np.nan))


def _known(fitted: CovarianceFit) -> bool:
    return bool(np.isfinite(fitted.parameters).all())


def _first(fitted: CovarianceFit, gammas: Sequence | None) -> Level:
    indices, scaled = _indices(fitted, gammas)
    holds = _known(fitted) and fit_holds(indices, scaled)
    return Level("configural", indices, np.nan, 0, np.nan, np.nan, np.nan, holds, scaled)


def _level(name: str, previous: Level, before: CovarianceFit, after: CovarianceFit, gammas: Sequence | None) -> Level:
    indices, scaled = _indices(after, gammas)
    held_equal = indices.degrees_of_freedom - previous.indices.degrees_of_freedom
    difference = indices.chi_square - previous.indices.chi_square
    if gammas is not None:
        difference = scaled_chi_square(difference, difference_scaling_factor(before, after, gammas))
    p_value = float(chi_square_p_value(difference, held_equal))
    known = _known(before) and _known(after)
    changes = _changes(previous.scaled or previous.indices, scaled or indices) if known else (np.nan, np.nan)
    holds = not bool(worse(*changes, p_value))
    return Level(name, indices, float(difference), held_equal, p_value, *changes, holds, scaled)


def _indices(fitted: CovarianceFit, gammas: Sequence | None) -> tuple[FitIndices, ScaledIndices | None]:
    indices = indices_of(fitted)
    if gammas is None:
        return indices, None
    baseline = baseline_scaling_factor(fitted.sample, gammas)
    return indices, scaled_indices(indices, scaling_factor(fitted, gammas), baseline)


def _changes(before: FitIndices | ScaledIndices, after: FitIndices | ScaledIndices) -> tuple[float, float]:
    """Return the changes of CFI and RMSEA; a model without degrees of freedom fits as well as can be."""
    cfi, rmsea = (
        [best if part.degrees_of_freedom == 0 else float(getattr(part, name)) for part in (before, after)]
        for name, best in (("cfi", 1.0), ("rmsea", 0.0))
    )
    return cfi[1] - cfi[0], rmsea[1] - rmsea[0]
