"""The covariance model of a survey, estimated as far as its answers allow; why not, where they do not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from helpers.models import resampling
from helpers.models.satisfaction_index.covariance_model import robust, scoring, suitability
from helpers.models.satisfaction_index.covariance_model.fit_indices import (
    FitIndices,
    ScaledIndices,
    indices_of,
    scaled_indices,
)
from helpers.models.satisfaction_index.covariance_model.missing import IncompleteAnswers, gamma, saturated_moments
from helpers.models.satisfaction_index.covariance_model.scoring import CovarianceFit, Sample
from helpers.models.satisfaction_index.covariance_model.semopy_peer import (
    SemopyFit,
    StoppedShort,
    polished,
    semopy_fit,
    stopped_short,
)
from helpers.models.satisfaction_index.covariance_model.solution import (
    Solution,
    loading_weights,
    solution,
    solution_errors,
    solution_of,
)
from helpers.models.satisfaction_index.covariance_model.structure import Structure
from helpers.models.satisfaction_index.design import Design
from helpers.models.satisfaction_index.moments import Answers

from ...progress import progress

MOST_RESAMPLES = 500
DRAW_TOLERANCE = 1e-5  # a draw need not be exact beyond what draws differ by
DRAW_ITERATIONS = 100  # a draw without an optimum by then runs away
DRAWS_AT_ONCE = 100
NORMAL_DRAWS = 1000
MOST_NAMED_ITEMS = 6


@dataclass(frozen=True, eq=False)
class UsedAnswers:
    """The answers that a covariance model rests on, and their moments.

    Parameters
    ----------
    method : str
        "complete" where there are no gaps, else "two_stage" or "listwise".
    rows : ndarray of bool, shape (all respondents,)
        Whose answers they are.
    values : ndarray, shape (respondents, items)
    weights : ndarray, shape (respondents,)
        Their sum is the number of respondents of equal weight that they are worth (Kish 1965).
    mean, covariance : ndarray
        nan where there is a limitation.
    limitation : str
        Why there are no moments to fit a model to; "" where there are.
    """

    method: str
    rows: np.ndarray
    values: np.ndarray
    weights: np.ndarray
    mean: np.ndarray
    covariance: np.ndarray
    limitation: str = ""

    @classmethod
    def of(cls, values: np.ndarray, weights: np.ndarray, missing_answers: str, items: Sequence[str]) -> UsedAnswers:
        """Return the answers of some respondents; `missing_answers` is "two_stage" or "listwise"."""
        gappy = np.isnan(values)
        method = missing_answers if gappy.any() else "complete"
        rows = ~gappy.any(axis=1) if method == "listwise" else ~gappy.all(axis=1)
        values, weights = values[rows], weights[rows]
        size, nothing = values.shape[1], np.full(values.shape[1], np.nan)
        if len(values) <= size:
            why = f"it needs more respondents than items ({size}), and there are {len(values)}"
            why += " without a gap" if method == "listwise" else ""
            return cls(method, rows, values, weights, nothing, np.full((size, size), np.nan), why)
        weights = weights * weights.sum() / (weights**2).sum()
        if method == "two_stage":
            found = saturated_moments(IncompleteAnswers(values, weights).patterns)
            mean, covariance, why = found.mean, found.covariance, found.limitation(items)
        else:
            moments = Answers(values).moments(weights)
            mean, covariance, why = moments.mean, moments.covariance, _dependence(moments.covariance, items)
        return cls(method, rows, values, weights, mean, covariance, why)

    @property
    def size(self) -> float:
        """Return how many respondents of equal weight they are worth."""
        return float(self.weights.sum())

    @cached_property
    def correlation(self) -> np.ndarray:
        """Return the correlations of the items."""
        deviation = np.sqrt(np.diagonal(self.covariance))
        return self.covariance / np.outer(deviation, deviation)

    @cached_property
    def gamma(self) -> np.ndarray:
        """Return how the moments spread, without assuming a distribution."""
        if self.method == "two_stage":
            return gamma(IncompleteAnswers(self.values, self.weights), self.mean, self.covariance)
        return robust.empirical_gamma(self.values, self.weights)

    @property
    def spread(self) -> np.ndarray | None:
        """Return gamma, None where there are no moments."""
        return None if self.limitation else self.gamma

    @cached_property
    def complete(self) -> np.ndarray:
        """Return the answers of those who answered everything."""
        return self.values[~np.isnan(self.values).any(axis=1)]


@dataclass(frozen=True, eq=False)
class Resamples:
    """The standardised paths and effects of resamples; nan in a draw that has no optimum.

    Parameters
    ----------
    paths, total_effects : ndarray, shape (draws, constructs, constructs)
    lost : float
        Share of the draws without an optimum.
    """

    paths: np.ndarray
    total_effects: np.ndarray
    lost: float


@dataclass(frozen=True, eq=False)
class CovarianceEstimate:
    """A covariance model as far as it could be estimated.

    Parameters
    ----------
    constructs : tuple of str
    answers : UsedAnswers
    structure : Structure
    fit : CovarianceFit
        At the optimum, whatever semopy reached, unless there is a reason why not.
    by_semopy : SemopyFit or None
        None where it was not asked.
    why_not : str
        Why there is no fit; "" where there is.
    resamples : Resamples or None
        None without a fit, or where answers with gaps are completed by the model of them: the robust errors allow for
        the gaps then.
    """

    constructs: tuple[str, ...]
    answers: UsedAnswers
    structure: Structure
    fit: CovarianceFit
    by_semopy: SemopyFit | None
    why_not: str
    resamples: Resamples | None

    @property
    def design(self) -> Design:
        """Return which items measure what, and what acts on what."""
        return self.structure.design

    @property
    def estimated(self) -> bool:
        """Return whether there are numbers to look at; whether to believe them the gate says."""
        return not self.why_not and bool(self.fit.converged)

    @cached_property
    def short(self) -> StoppedShort | None:
        """Return how far semopy was from the optimum."""
        return stopped_short(self.by_semopy, self.fit) if self.estimated and self.by_semopy is not None else None

    @cached_property
    def solution(self) -> Solution:
        """Return the standardised solution."""
        return solution(self.fit)

    @cached_property
    def robust_covariance(self) -> np.ndarray:
        """Return the covariance of the parameters, answers not taken for normal."""
        return robust.sandwich(self.fit, self.answers.gamma)

    @cached_property
    def errors(self) -> Solution:
        """Return robust standard errors of the solution."""
        return solution_errors(self.fit, self.robust_covariance)

    @cached_property
    def normal_errors(self) -> Solution:
        """Return the standard errors of normal theory."""
        return solution_errors(self.fit)

    @cached_property
    def indices(self) -> FitIndices:
        """Return the fit indices of normal theory."""
        return indices_of(self.fit)

    @cached_property
    def scaled(self) -> ScaledIndices:
        """Return the fit indices that allow for answers which are not normal."""
        factor = robust.scaling_factor(self.fit, self.answers.gamma)
        return scaled_indices(self.indices, factor, robust.baseline_scaling_factor(self.fit.sample, self.answers.gamma))

    @cached_property
    def normality(self) -> suitability.Normality | None:
        """Return whether answers are jointly normal, of those who answered everything; None where these are few."""
        complete = self.answers.complete
        return suitability.normality(complete) if len(complete) > complete.shape[1] else None

    @cached_property
    def effects(self) -> np.ndarray:
        """Return draws of the standardised total effects, shape (draws, constructs, constructs).

        Those of the resamples; without any, of parameters drawn from their robust normal distribution. nan where the
        answers do not determine the parameters.
        """
        if self.resamples is not None:
            return self.resamples.total_effects
        if not np.isfinite(self.robust_covariance).all():
            return np.full((NORMAL_DRAWS, self.design.constructs, self.design.constructs), np.nan)
        rng = np.random.default_rng(0)
        drawn = rng.multivariate_normal(self.fit.parameters, self.robust_covariance, size=NORMAL_DRAWS, method="eigh")
        return solution_of(self.structure, drawn).standardised_total_effects

    @cached_property
    def loading_weights(self) -> np.ndarray:
        """Return the weights of the index by loadings, nan in a construct that has none; shape (items,)."""
        if not self.estimated:
            return np.full(self.design.items, np.nan)
        weights = loading_weights(self.fit)
        negative = ~(weights >= 0) @ self.design.membership > 0
        return np.where(negative[self.design.block], np.nan, weights)


def estimate(
    values: np.ndarray,
    weights: np.ndarray,
    design: Design,
    constructs: tuple[str, ...],
    items: Sequence[str],
    missing_answers: str,
    fitted_by: str = "helpers",
) -> CovarianceEstimate:
    """Fit the covariance model of a design, by our own scoring or by semopy and from there on to the optimum.

    Parameters
    ----------
    values : ndarray, shape (respondents, items)
    weights : ndarray, shape (respondents,)
    design : Design
    constructs, items : sequences of str
        Their names.
    missing_answers : {"two_stage", "listwise"}
    fitted_by : {"helpers", "semopy"}
    """
    answers, structure = UsedAnswers.of(values, weights, missing_answers, items), Structure.of(design)
    why_not, by_semopy = answers.limitation, None
    if not why_not and structure.degrees_of_freedom < 0:
        why_not = (
            f"it has more parameters ({structure.parameters}) than there are variances and covariances of items "
            f"({structure.statistics})"
        )
    sample = Sample.of(answers.covariance, answers.size)
    if not why_not and fitted_by == "semopy":
        by_semopy = semopy_fit(structure, answers.covariance, answers.size)
        found = polished(structure, sample, by_semopy)
    else:
        # where there is a reason why not, nothing is shown, but the gate says more of what is wrong
        found = scoring.fit(structure, sample, most_iterations=0 if why_not else scoring.MOST_ITERATIONS)
    return CovarianceEstimate(constructs, answers, structure, found, by_semopy, why_not, None)


def resampled(estimate: CovarianceEstimate, resamples: int, seed: int, strata: np.ndarray | None) -> CovarianceEstimate:
    """Return the estimate with the model fitted to resamples, each from the sample's own optimum.

    Parameters
    ----------
    estimate : CovarianceEstimate
    resamples, seed : int
    strata : ndarray of int, shape (all respondents,), optional
        Respondents are drawn within them.
    """
    if not estimate.estimated or estimate.answers.method == "two_stage":
        return estimate
    strata = None if strata is None else strata[estimate.answers.rows]
    counts = resampling.resampled_counts(len(estimate.answers.values), resamples, seed, strata)
    with progress("covariance model", resamples) as bar:
        return replace(estimate, resamples=_resamples(estimate, counts, bar))


def _resamples(estimate: CovarianceEstimate, counts: Iterable[np.ndarray], bar) -> Resamples:
    sample, parts = Answers(estimate.answers.values), []
    for block in (part for whole in counts for part in np.array_split(whole, -(-len(whole) // DRAWS_AT_ONCE))):
        moments = sample.moments(block * estimate.answers.weights)
        drawn = scoring.fit(
            estimate.structure,
            Sample.of(moments.covariance, moments.weight),
            start=estimate.fit.parameters,
            tolerance=DRAW_TOLERANCE,
            most_iterations=DRAW_ITERATIONS,
        )
        found = solution(drawn)
        lost = ~drawn.converged
        found.paths[lost], found.standardised_total_effects[lost] = np.nan, np.nan
        parts.append((found.paths, found.standardised_total_effects, lost))
        bar.update(len(block))
    paths, effects, lost = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Resamples(paths, effects, float(lost.mean()))


def _dependence(covariance: np.ndarray, items: Sequence[str]) -> str:
    """Say which items others determine; "" where none."""
    found = suitability.dependent_items(covariance)
    if not found:
        return ""
    one = found[0]
    others = ", ".join(items[item] for item in one.by[:MOST_NAMED_ITEMS])
    more = f" (and {len(found) - 1} more items likewise)" if len(found) > 1 else ""
    return f"the answers to {items[one.item]} follow from those to {others}{more}"
