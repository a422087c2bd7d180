"""The satisfaction index estimated from a survey, and what bootstrap draws say of each of its numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from helpers.data import satisfaction_survey
from helpers.data.refusal import InputRefused, Problem
from helpers.data.satisfaction_models import SatisfactionModel, read_model
from helpers.data.satisfaction_survey import Survey
from helpers.models.satisfaction_index import drivers, index, path_model, reliability
from helpers.models.satisfaction_index.design import Design
from helpers.models.satisfaction_index.loyalty_curve import LoyaltyCurve, fit_curve
from helpers.models.satisfaction_index.moments import Answers, Moments
from helpers.models.satisfaction_index.path_model import PathFit

from ..groups import Groups
from .covariance.comparability import Comparability, comparability
from .covariance.estimation import MOST_RESAMPLES, CovarianceEstimate, estimate, resampled
from .covariance.judgement import Judgement, judged, sparse
from .estimates import Estimate, resample, strata_of
from .settings import ALL_WEIGHTINGS, Settings

FEWEST_DIFFERENT = 5  # respondents who must answer an item otherwise than most do; of a few respondents, a quarter
FEW = 30  # respondents below which nothing is said of causes
MOST_LOST = 0.5  # share of draws without an estimate beyond which the model's weights are not used


@dataclass(frozen=True)
class Measurement:
    """Everything that is estimated from one survey under one model.

    Parameters
    ----------
    settings : Settings
    model : SatisfactionModel
        As its file states it.
    survey : Survey
    items, constructs : tuple of str
        Those that could be used, in the order of every array.
    unusable : dict of str to str
        Items that could not, and why.
    design : Design
        The model in numbers.
    groups : Groups
    answers : Answers
        Of the usable items.
    outcome : Outcome
        What the item-level drivers explain.
    fit : PathFit
        The path model of everyone.
    by_equal_weights : ndarray of bool, shape (constructs,)
        Whose index is given by equal weights: all by choice, or those for which the model's weights mean nothing.
    estimates : dict of str to Estimate
        index (weightings, groups, constructs); item_weights, shown_weights (items), the model's and those of the index
        that is given; weights, loadings (items); paths, total_effects, points (constructs, constructs), the last in
        points of the target's index per point of the source's, as they are given; r_squared (constructs); htmt
        (constructs, constructs); explained (drivers + 1): the shares and their sum.
    covariance : CovarianceEstimate
        The same model by maximum likelihood, beside.
    """

    settings: Settings
    model: SatisfactionModel
    survey: Survey
    items: tuple[str, ...]
    constructs: tuple[str, ...]
    unusable: dict[str, str]
    design: Design
    groups: Groups
    answers: Answers
    outcome: Outcome
    fit: PathFit
    by_equal_weights: np.ndarray
    estimates: dict[str, Estimate]
    covariance: CovarianceEstimate

    def __getitem__(self, name: str) -> Estimate:
        """Return one of the estimates."""
        return self.estimates[name]

    @property
    def respondents(self) -> int:
        """Return how many respondents count."""
        return len(self.survey.respondents)

    @cached_property
    def effective_respondents(self) -> float:
        """Return how many respondents of equal weight are worth as much (Kish 1965)."""
        return float(self.weights_of_respondents.sum() ** 2 / (self.weights_of_respondents**2).sum())

    @cached_property
    def satisfaction(self) -> int:
        """Return the number of the satisfaction construct."""
        return self.constructs.index(self.model.satisfaction)

    @cached_property
    def loyalty(self) -> int | None:
        """Return the number of the loyalty construct, None where the model has none."""
        return self.constructs.index(self.model.loyalty) if self.model.loyalty in self.constructs else None

    @cached_property
    def targets(self) -> tuple[int, ...]:
        """Return the constructs whose causes are asked for: satisfaction, and loyalty where there is one."""
        return (self.satisfaction,) if self.loyalty is None else (self.satisfaction, self.loyalty)

    def named(self, name: str) -> str:
        """Return how a construct or an item reads."""
        return self.model.labels.get(name, name)

    @property
    def estimated(self) -> bool:
        """Return whether the path model could be estimated."""
        return bool(self.fit.converged)

    @cached_property
    def negative(self) -> dict[str, list[str]]:
        """Return by construct the items whose weight is negative, so that its index by these weights means nothing."""
        names: dict[str, list[str]] = {}
        negative = index.negative_weights(self["item_weights"].value, self.design) & self.estimated
        for item in np.flatnonzero(negative):
            names.setdefault(self.constructs[self.design.block[item]], []).append(self.items[item])
        return names

    def weighting(self, construct: int) -> str:
        """Return by which weights the index of a construct is given: equal ones where the model's mean nothing."""
        return "equal" if self.by_equal_weights[construct] else "pls"

    def has_index(self, construct: int, weighting: str) -> bool:
        """Return whether a construct has an index by these weights: not with a negative one."""
        if weighting == "equal":
            return True
        if weighting == "sem_loadings":
            return bool(np.isfinite(self.index(0, construct, weighting).value))
        return self.estimated and self.constructs[construct] not in self.negative

    def index(self, group: int = 0, construct: int | None = None, weighting: str = "") -> Estimate:
        """Return the index of a construct (satisfaction by default) in a group, with its draws."""
        construct = self.satisfaction if construct is None else construct
        chosen = ALL_WEIGHTINGS.index(weighting or self.weighting(construct))
        return self["index"][chosen, group, construct]

    @cached_property
    def scores(self) -> np.ndarray:
        """Return the score of each respondent on each construct, 0 to 100; shape (respondents, constructs)."""
        weights, means = self["shown_weights"].value, self.moments.mean
        scores = index.scores(self.answers.values, weights, self.design, self.survey.lowest, self.survey.highest, means)
        # a score that is 75 but for rounding is 75: cuts are made in these scores
        return scores.round(9)

    @cached_property
    def loyalty_curve(self) -> LoyaltyCurve | None:
        """Return loyalty as a function of satisfaction; None where the model has no loyalty."""
        if self.loyalty is None:
            return None
        return fit_curve(
            self.scores[:, self.satisfaction],
            self.scores[:, self.loyalty],
            self.weights_of_respondents,
            resamples=self.settings.bootstrap_resamples,
            seed=self.settings.seed,
        )

    @cached_property
    def judgement(self) -> Judgement:
        """Return what the gate says of the covariance model."""
        constructs, items = (tuple(map(self.named, names)) for names in (self.constructs, self.items))
        return judged(self.covariance, constructs, items, self["htmt"] if self.estimated else None)

    @cached_property
    def sparse(self) -> Judgement | None:
        """Return what the gate says of the sparse model of these answers; None where it asks for other items."""
        model, missing = read_model("sparse"), self.settings.missing_answers
        if model.constructs == self.model.constructs or not set(model.items) <= set(self.items):
            return None
        htmt = None
        if self.estimated and model.constructs.items() <= self.model.constructs.items():
            places = [self.constructs.index(name) for name in model.constructs]
            htmt = self["htmt"][np.ix_(places, places)]
        return sparse(self.answers.values, self.weights_of_respondents, self.items, model, missing, htmt)

    @cached_property
    def comparability(self) -> dict[str, Comparability]:
        """Return how far segments, and waves, answer the questions alike; for each kind of which there are two."""
        items, missing = tuple(map(self.named, self.items)), self.settings.missing_answers
        answers = self.answers.values, self.weights_of_respondents
        kinds = [kind for kind in ("segment", "wave") if len(self.groups.of_kind(kind)) > 1]
        return {kind: comparability(kind, *answers, self.groups, self.design, missing, items) for kind in kinds}

    @cached_property
    def moments(self) -> Moments:
        """Return means and covariances of the usable items."""
        return self.answers.moments(self.weights_of_respondents)

    @cached_property
    def weights_of_respondents(self) -> np.ndarray:
        """Return the survey weight of each respondent."""
        return self.survey.respondents["weight"].to_numpy(float)


def measure(settings: Settings) -> Measurement:
    """Load the survey, estimate the model and resample.

    Raises
    ------
    InputRefused
        When the survey, the model file or a setting cannot be used; the message names everything that is wrong.
    """
    model = with_turned_labels(read_model(settings.model))
    survey = satisfaction_survey.load(
        settings.survey,
        model,
        columns=settings.columns,
        segment=settings.segment,
        wave=settings.wave,
        scale_min=settings.scale_min,
        scale_max=settings.scale_max,
        missing_codes=settings.missing_codes,
        bad_rows=settings.bad_rows,
        straight_lining=settings.straight_lining,
        identical_answers=settings.identical_answers,
        most_missing=settings.most_missing,
        decimal=settings.decimal,
    )
    groups = Groups.of(survey, settings.min_cell)
    unusable = unusable_items(survey.answers)
    items, constructs, design = usable(model, set(unusable), survey.name)
    answers = Answers(survey.answers[list(items)].to_numpy(float))
    outcome = Outcome.of(model, items)
    weights = survey.respondents["weight"].to_numpy(float)
    moments = answers.moments(weights)
    fit = settled(path_model.fit(moments.correlation, design, settings.scheme))
    equal = (settings.weighting == "equal") | meaningless(fit, moments, design)
    missing, fitted_by = settings.missing_answers, settings.fitted_by
    by_likelihood = estimate(answers.values, weights, design, constructs, items, missing, fitted_by)
    loadings = by_likelihood.loading_weights
    statistics = Statistics(settings.scheme, survey, design, answers, groups, outcome, equal, loadings)
    estimates = resample(statistics, survey, settings, "bootstrap")
    if not equal.all() and lost_share(estimates["paths"]) > MOST_LOST:
        equal = np.ones(design.constructs, dtype=bool)
        estimates = resample(replace(statistics, equal=equal), survey, settings, "bootstrap")
    # resamples of a model that cannot hold say nothing, and most of them would run away
    if judged(by_likelihood, constructs, items, estimates["htmt"] if fit.converged else None).verdict != "inadmissible":
        resamples = min(settings.bootstrap_resamples, MOST_RESAMPLES)
        by_likelihood = resampled(by_likelihood, resamples, settings.seed, strata_of(survey)[0])
    return Measurement(
        settings,
        model,
        survey,
        items,
        constructs,
        unusable,
        design,
        groups,
        answers,
        outcome,
        fit,
        equal,
        estimates,
        by_likelihood,
    )


def with_turned_labels(model: SatisfactionModel) -> SatisfactionModel:
    """Return a model whose reversed items read as what their turned answers say."""
    turned = {item: f"{model.labels[item]} (turned)" for item in model.reversed_items}
    english = {item: f"{model.english[item]} (turned)" for item in model.reversed_items}
    return replace(model, labels=model.labels | turned, english=model.english | english)


def meaningless(fit: PathFit, moments: Moments, design: Design) -> np.ndarray:
    """Return the constructs of whose items one has a negative weight, or all where the model is not estimated."""
    weights = index.item_weights(fit.weights, moments.deviation, design)
    return index.negative_weights(weights, design) @ design.membership > 0


def lost_share(paths: Estimate) -> float:
    """Return the share of the draws in which the path model could not be estimated."""
    return 1 - float(np.isfinite(paths.draws).all(axis=(1, 2)).mean())


def settled(fit: PathFit) -> PathFit:
    """Return a fit whose figures are nan where the iteration did not settle: such a draw means nothing."""

    def kept(values: np.ndarray) -> np.ndarray:
        converged = np.expand_dims(fit.converged, tuple(range(fit.converged.ndim, values.ndim)))
        return np.where(converged, values, np.nan)

    figures = {name: kept(values) for name, values in vars(fit).items() if name not in ("iterations", "converged")}
    return replace(fit, **figures)


def unusable_items(answers: pd.DataFrame) -> dict[str, str]:
    """Return the items that say nothing of differences between respondents, and why."""
    wanted = min(FEWEST_DIFFERENT, max(1, len(answers) // 4))
    reasons = {}
    for item, column in answers.items():
        counts = column.value_counts()
        different = int(counts.iloc[1:].sum())
        if counts.empty:
            reasons[item] = "nobody answered it"
        elif not different:
            reasons[item] = f"everybody who answered it gave the same answer ({counts.index[0]:g})"
        elif different < wanted:
            reasons[item] = f"all but {different} of those who answered it gave the same answer ({counts.index[0]:g})"
    return reasons


def usable(
    model: SatisfactionModel, left_out: set[str], survey: str
) -> tuple[tuple[str, ...], tuple[str, ...], Design]:
    """Return the items and constructs that can be estimated, and the model of them in numbers.

    Raises
    ------
    InputRefused
        When a construct has no usable item left.
    """
    blocks = {name: [item for item in items if item not in left_out] for name, items in model.constructs.items()}
    empty = [name for name, items in blocks.items() if not items]
    if empty:
        problems = [
            Problem(
                f"no item of the construct '{name}' has answers that differ ({', '.join(model.constructs[name])})",
                way_out="Ask more people, or use a model without it.",
            )
            for name in empty
        ]
        raise InputRefused(survey, problems)
    items = tuple(item for block in blocks.values() for item in block)
    return items, tuple(blocks), Design.of(blocks, ((path.source, path.target) for path in model.paths))


@dataclass(frozen=True)
class Outcome:
    """What the item-level drivers explain, and which items these are.

    Parameters
    ----------
    name : str
        The overall item, or the satisfaction construct where no item is named as such.
    weights : ndarray, shape (items,)
        The outcome as a combination of items.
    drivers : ndarray of int
        The items that explain it.
    """

    name: str
    weights: np.ndarray
    drivers: np.ndarray

    @classmethod
    def of(cls, model: SatisfactionModel, items: tuple[str, ...]) -> Outcome:
        """Return the outcome and the drivers that a model names, or else all that leads to satisfaction."""
        own = [item for item in model.constructs[model.satisfaction] if item in items]
        outcome = [model.overall_item] if model.overall_item in items else own
        weights = np.isin(items, outcome) / len(outcome)
        leading = [item for name in upstream(model) for item in model.constructs[name]]
        named = [item for item in (model.drivers or leading) if item in items and item not in outcome]
        name = outcome[0] if len(outcome) == 1 else model.satisfaction
        return cls(name, weights, np.array([items.index(item) for item in named], dtype=int))

    def of_respondents(self, answers: np.ndarray) -> np.ndarray:
        """Return the outcome of each respondent, nan where an answer to it is missing."""
        part = self.weights > 0
        return answers[:, part] @ self.weights[part]


def upstream(model: SatisfactionModel) -> list[str]:
    """Return the constructs that act on satisfaction, directly or not, in the model's order."""
    found, new = set(), {model.satisfaction}
    while new:
        new = {path.source for path in model.paths if path.target in new} - found
        found |= new
    return [name for name in model.constructs if name in found]


@dataclass(frozen=True)
class Statistics:
    """Everything that is computed anew in each draw, from how often each respondent counts in it."""

    scheme: str
    survey: Survey
    design: Design
    answers: Answers
    groups: Groups
    outcome: Outcome
    equal: np.ndarray
    sem_weights: np.ndarray

    def __call__(self, counts: np.ndarray) -> dict[str, np.ndarray]:
        """Return the statistics of each draw; counts has shape (..., respondents)."""
        design, lowest, highest = self.design, self.survey.lowest, self.survey.highest
        moments = self.answers.moments(counts)
        fit = settled(path_model.fit(moments.correlation, design, self.scheme))
        weights = index.item_weights(fit.weights, moments.deviation, design)
        means = self.answers.group_means(counts, self.groups.members)
        equal = np.broadcast_to(index.equal_weights(design), weights.shape)
        by_loadings = np.broadcast_to(self.sem_weights, weights.shape)
        every = (weights, equal, by_loadings)
        indices = [index.index(means, by[..., None, :], design, lowest, highest) for by in every]
        shown = np.where(self.equal[design.block], equal, weights)
        effects = path_model.effects_of_weights(moments.correlation, shown * moments.deviation, design)
        spread = index.index_deviation(moments.covariance, shown, design, lowest, highest)
        statistics = {
            "index": np.stack(indices, axis=-3),
            "item_weights": weights,
            "shown_weights": shown,
            "weights": fit.weights,
            "loadings": fit.loadings,
            "paths": fit.paths,
            "total_effects": fit.total_effects,
            "points": index.effects_on_index(effects, spread),
            "r_squared": fit.r_squared,
            "htmt": reliability.htmt(moments.correlation, design),
        }
        if len(self.outcome.drivers):
            statistics["explained"] = self._explained(moments.covariance)
        return statistics

    def _explained(self, covariance: np.ndarray) -> np.ndarray:
        """Return each driver's share of the variance of the outcome, and last their sum."""
        drawn = np.eye(self.design.items)[:, self.outcome.drivers]
        combined = np.column_stack([drawn, self.outcome.weights])
        among = combined.T @ covariance @ combined
        deviation = np.sqrt(np.diagonal(among, axis1=-2, axis2=-1))
        with np.errstate(invalid="ignore", divide="ignore"):
            correlation = among / (deviation[..., :, None] * deviation[..., None, :])
        last = len(self.outcome.drivers)
        found = drivers.explained_shares(correlation, last, range(last))
        return np.concatenate([found.shares, found.r_squared[..., None]], axis=-1)
