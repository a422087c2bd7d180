"""Counts of Kano's classes by requirement and group, with what resamples say of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from helpers.data.kano_counts import KanoCounts, load_counts
from helpers.data.kano_survey import KanoAnswers, load_answers
from helpers.data.refusal import InputRefused, Problem
from helpers.models import resampling
from helpers.models.kano import comparisons, evaluation, rules
from helpers.models.kano.evaluation import CLASSES

from ..groups import ALL, Groups
from ..progress import progress
from .settings import Settings

MOST_REQUIREMENTS = 100


@dataclass(frozen=True)
class Measurement:
    """Everything that is counted and resampled.

    Parameters
    ----------
    settings : Settings
    source : KanoAnswers or KanoCounts
    requirements : tuple of str
    groups : tuple of (kind, name)
        Everyone ("all", "all") first, then segments, then waves.
    counts : ndarray, shape (groups, requirements, 6)
        In the order of `CLASSES`.
    draws : ndarray, shape (resamples, requirements, 6)
        Of everyone.
    pairs : ndarray, shape (requirements, 5, 5), or None
        How often each pair of answers was given; None where only counts are known.
    importance : ndarray, shape (requirements,)
        Mean of what respondents said, on their scale; nan where nobody said.
    notes_of_groups : tuple of str
        What was put together so that nobody can be told.
    """

    settings: Settings
    source: KanoAnswers | KanoCounts
    requirements: tuple[str, ...]
    groups: tuple[tuple[str, str], ...]
    counts: np.ndarray
    draws: np.ndarray
    pairs: np.ndarray | None
    importance: np.ndarray
    notes_of_groups: tuple[str, ...]

    @property
    def everyone(self) -> np.ndarray:
        """Return the counts of everyone, shape (requirements, 6)."""
        return self.counts[0]

    @cached_property
    def respondents(self) -> int:
        """Return how many respondents gave a pair of answers; with counts alone, the most that any requirement has."""
        if isinstance(self.source, KanoAnswers):
            return int(self.source.respondents["respondent_id"].nunique())
        return int(self.everyone.sum(axis=1).max(initial=0))

    @cached_property
    def binomial_p(self) -> np.ndarray:
        """Return the exact p value of the two most frequent classes of each requirement."""
        return comparisons.binomial_p(self.everyone)

    @cached_property
    def mode_share(self) -> np.ndarray:
        """Return in which share of the resamples each class is the most frequent; shape (requirements, 6)."""
        return comparisons.mode_share(self.draws)

    @cached_property
    def clear(self) -> np.ndarray:
        """Return for which requirements the most frequent class can be relied on."""
        settings = self.settings
        return rules.is_clear(
            self.everyone,
            self.binomial_p,
            self.mode_share,
            significance=settings.significance,
            least_share=settings.least_share,
        )

    @cached_property
    def classes(self) -> np.ndarray:
        """Return the most frequent class of each requirement as a place in `CLASSES`, -1 for a tie."""
        return rules.single(rules.by_mode(self.everyone))

    def of_kind(self, kind: str) -> list[int]:
        """Return the numbers of the groups of a kind."""
        return [number for number, (found, _) in enumerate(self.groups) if found == kind]


def measure(settings: Settings) -> Measurement:
    """Load answers or counts, classify, count and resample.

    Raises
    ------
    InputRefused
        When the input or a setting cannot be used; the message names everything that is wrong.
    """
    return _of_answers(settings) if settings.survey else _of_counts(settings)


def _of_answers(settings: Settings) -> Measurement:
    answers = load_answers(
        settings.survey,
        columns=settings.columns,
        labels=settings.wordings or settings.labels,
        wide=settings.wide,
        segment=settings.segment,
        wave=settings.wave,
        importance_min=settings.importance_min,
        importance_max=settings.importance_max,
        bad_rows=settings.bad_rows,
        decimal=settings.decimal,
    )
    _check_requirements(settings, answers.name, answers.requirements)
    functional, dysfunctional = answers.functional.to_numpy(float), answers.dysfunctional.to_numpy(float)
    # in an order of their own, so that neither that of the file's rows nor that of its requirements changes anything
    by_name = np.argsort(np.array(answers.requirements, dtype=object))
    order = np.lexsort(np.hstack([functional[:, by_name], dysfunctional[:, by_name]]).T)
    classes = evaluation.classify(functional, dysfunctional, settings.evaluation_table)
    groups = Groups.of(answers, settings.min_cell)
    weights = groups.members.T
    draws = []
    with progress("bootstrap", settings.bootstrap_resamples) as bar:
        for counts in resampling.resampled_counts(len(order), settings.bootstrap_resamples, settings.seed):
            draws.append(evaluation.counts(classes[order], counts))
            bar.update(len(counts))
    said = answers.importance.to_numpy(float)
    known = np.isfinite(said)
    return Measurement(
        settings,
        answers,
        answers.requirements,
        tuple(zip(groups.kinds, groups.names, strict=True)),
        evaluation.counts(classes, weights),
        np.concatenate(draws),
        evaluation.pair_counts(functional, dysfunctional),
        np.where(known, said, 0).sum(axis=0) / np.where(known.any(axis=0), known.sum(axis=0), np.nan),
        groups.notes,
    )


def _of_counts(settings: Settings) -> Measurement:
    found = load_counts(
        settings.counts,
        columns=settings.columns,
        segment=settings.segment,
        bad_rows=settings.bad_rows,
        decimal=settings.decimal,
    )
    _check_requirements(settings, found.name, found.requirements)
    counts, groups, notes = _counted(found, settings.min_cell)
    draws = comparisons.resampled_counts(counts[0], settings.bootstrap_resamples, settings.seed)
    importance = np.full(len(found.requirements), np.nan)
    return Measurement(settings, found, found.requirements, groups, counts, draws, None, importance, notes)


def _counted(found: KanoCounts, min_cell: int) -> tuple[np.ndarray, tuple[tuple[str, str], ...], tuple[str, ...]]:
    """Return the counts of everyone and of each segment; segments of too few are in everyone only."""
    frame = found.counts.assign(segment=found.counts["segment"].fillna(""))
    letters = list(CLASSES)

    def of(rows: pd.DataFrame) -> np.ndarray:
        return (
            rows.groupby("requirement")[letters].sum().reindex(list(found.requirements), fill_value=0).to_numpy(float)
        )

    everyone = of(frame)
    parts = {name: of(frame[frame["segment"] == name]) for name in found.segments}
    small = [name for name, counts in parts.items() if counts.sum(axis=1).max() < min_cell]
    shown = {} if small else parts
    notes = (
        (f"Segments are not shown: one has fewer than {min_cell} respondents, who could be computed.",) if small else ()
    )
    groups = ((ALL, ALL), *(("segment", name) for name in shown))
    return np.stack([everyone, *shown.values()]), groups, notes


def _check_requirements(settings: Settings, name: str, requirements: tuple[str, ...]) -> None:
    problems = []
    if len(requirements) > MOST_REQUIREMENTS:
        problems.append(
            Problem(f"it names {len(requirements):,} requirements; at most {MOST_REQUIREMENTS} are compared")
        )
    for parameter in ("prior_classes", "costs"):
        unknown = [key for key in getattr(settings, parameter) if key not in requirements]
        if unknown:
            there = f"There is: {', '.join(requirements[:10])}."
            problems.append(Problem(f"{parameter} names what is no requirement: {', '.join(unknown)}", way_out=there))
    if problems:
        raise InputRefused(name, problems)
