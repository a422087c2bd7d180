"""Counts of Kano's classes by requirement and group, with what resamples say of them."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
import pandas as pd

from helpers.data.kano_counts import KanoCounts, load_counts
from helpers.data.kano_survey import KanoAnswers, load_answers
from helpers.data.refusal import InputRefused, Problem
from helpers.models import resampling
from helpers.models.kano import analytical, comparisons, evaluation, importance, latent_classes, rules
from helpers.models.kano.analytical import Analytical
from helpers.models.kano.evaluation import CLASSES
from helpers.models.kano.latent_classes import LatentClasses, ResponseStyle

from ..groups import ALL, Groups, check_groups, hidden_cells, put_together, said_hidden, said_together
from ..progress import progress
from .settings import Settings

MOST_REQUIREMENTS = 100
FEWEST_FOR_CLASSES = 50  # respondents; of fewer, classes are mostly chance


@dataclass(frozen=True, eq=False)
class Answers:
    """What only the answers themselves tell, and no counts of classes.

    Parameters
    ----------
    pairs : ndarray, shape (requirements, 5, 5)
        How often each pair of answers was given.
    functional, dysfunctional : ndarray, shape (respondents, requirements)
        Positions 1 to 5, nan without an answer; in an order of the respondents that is always the same.
    classes : ndarray of int, shape (respondents, requirements)
        Places in `CLASSES`, `MISSING` without an answer; in the same order.
    people : ndarray of int, shape (respondents,)
        Numbers from 0, in the same order: a person who answered in several waves stands in several rows.
    stated : ndarray, shape (requirements,)
        Mean importance that respondents stated, on their scale; nan where nobody said.
    stated_draws : ndarray, shape (resamples, requirements)
    analytical : Analytical
        Requirements as vectors (Xu et al. 2009).
    analytical_draws : Analytical
        The same in each resample.
    """

    pairs: np.ndarray
    functional: np.ndarray
    dysfunctional: np.ndarray
    classes: np.ndarray
    people: np.ndarray
    stated: np.ndarray
    stated_draws: np.ndarray
    analytical: Analytical
    analytical_draws: Analytical


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
        In the order of `CLASSES`; 0 where they are hidden.
    hidden : ndarray of bool, shape (groups, requirements)
        Where so few respondents of a group answered that nothing is shown, or the rest would tell of so few.
    draws : ndarray, shape (resamples, requirements, 6)
        Of everyone.
    answers : Answers or None
        None where only counts are known.
    notes_of_groups : tuple of str
        What was put together or hidden so that nobody can be told, and whether respondents answered more than once.
    """

    settings: Settings
    source: KanoAnswers | KanoCounts
    requirements: tuple[str, ...]
    groups: tuple[tuple[str, str], ...]
    counts: np.ndarray
    hidden: np.ndarray
    draws: np.ndarray
    answers: Answers | None
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
    def repeated(self) -> int:
        """Return how many respondents answered in several waves: a panel, where there are any."""
        return 0 if self.answers is None else int((np.bincount(self.answers.people) > 1).sum())

    @property
    def importance(self) -> np.ndarray:
        """Return the mean importance that respondents stated, shape (requirements,); nan where nobody said."""
        return np.full(len(self.requirements), np.nan) if self.answers is None else self.answers.stated

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

    @cached_property
    def latent(self) -> LatentClasses | None:
        """Return the latent classes of respondents, without profiles that are hidden; None where none are looked for.

        Shares of starts, memberships and BIC treat the answers of one respondent in several waves as of several.
        """
        if self._latent is None:
            return None
        return replace(
            self._latent, profiles=np.where(self.hidden_of_classes[..., None], np.nan, self._latent.profiles)
        )

    @cached_property
    def no_latent_classes(self) -> str:
        """Return why no latent classes are looked for; empty where they are."""
        if self.answers is None:
            return "Latent classes of respondents need the answers themselves; only counts are known here."
        answered = int((self.answers.classes != evaluation.MISSING).any(axis=1).sum())
        if answered < FEWEST_FOR_CLASSES:
            return f"Latent classes are not looked for among fewer than {FEWEST_FOR_CLASSES} respondents."
        if len(self.requirements) < 2:
            return "Latent classes need answers to at least two requirements."
        return ""

    @cached_property
    def counts_of_classes(self) -> np.ndarray:
        """Return the expected counts of each latent class, shape (latent classes, requirements, 6); 0 where hidden."""
        return np.where(self.hidden_of_classes[..., None], 0, self._expected)

    @cached_property
    def hidden_of_classes(self) -> np.ndarray:
        """Return where too few answers of a latent class are expected to be shown, (latent classes, requirements)."""
        return hidden_cells(self._expected.sum(axis=-1), 0, self.settings.min_cell)

    @cached_property
    def style_of_classes(self) -> ResponseStyle | None:
        """Return whether the latent classes differ in how they answer only; None where there are not two."""
        if self._latent is None or self._latent.chosen < 2:
            return None
        return latent_classes.response_style(self._latent, self.answers.functional, self.answers.dysfunctional)

    @cached_property
    def _latent(self) -> LatentClasses | None:
        if self.no_latent_classes:
            return None
        most, starts = self.settings.most_classes, self.settings.class_starts
        found = None
        # a class of too few people is not shown: fewer classes are looked for instead
        while found is None or (found.chosen > 1 and found.shares.min() * found.n < self.settings.min_cell):
            most = most if found is None else found.chosen - 1
            with progress("latent classes", most * starts) as bar:
                found = latent_classes.fit(
                    self.answers.classes,
                    most=most,
                    starts=starts,
                    seed=self.settings.seed,
                    fitted_by=self.settings.fitted_by,
                    done=bar.update,
                )
        return found

    @cached_property
    def _expected(self) -> np.ndarray:
        return evaluation.counts(self.answers.classes, np.nan_to_num(self._latent.memberships).T)

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
    found = load_answers(
        settings.survey,
        columns=settings.columns,
        labels=settings.labels,
        wordings=settings.wordings,
        wide=settings.wide,
        segment=settings.segment,
        wave=settings.wave,
        importance_min=settings.importance_min,
        importance_max=settings.importance_max,
        bad_rows=settings.bad_rows,
        decimal=settings.decimal,
    )
    _check_requirements(settings, found.name, found.requirements)
    order = _order(found)
    people = pd.factorize(found.respondents["respondent_id"].to_numpy()[order])[0]
    functional, dysfunctional, said = (
        frame.to_numpy(float)[order] for frame in (found.functional, found.dysfunctional, found.importance)
    )
    classes = evaluation.classify(functional, dysfunctional, settings.evaluation_table)
    groups = Groups.of(found, settings.min_cell)
    members = groups.members[order]
    hidden = replace(groups, members=members).hidden(classes != evaluation.MISSING, people, settings.min_cell)
    importances = importance.scaled(said, *found.importance_scale) if found.has_importance else None

    def vectors(weights=None) -> Analytical:
        return analytical.analytical(
            functional,
            dysfunctional,
            importances,
            weights,
            least_importance=settings.least_importance,
            must_be_below=settings.must_be_below,
            attractive_above=settings.attractive_above,
        )

    drawn = []
    with progress("bootstrap", settings.bootstrap_resamples) as bar:
        for weights in resampling.resampled_counts(
            len(order), settings.bootstrap_resamples, settings.seed, clusters=people
        ):
            drawn.append((evaluation.counts(classes, weights), importance.stated(said, weights), vectors(weights)))
            bar.update(len(weights))
    counts, stated, found_vectors = zip(*drawn, strict=True)
    answers = Answers(
        pairs=evaluation.pair_counts(functional, dysfunctional),
        functional=functional,
        dysfunctional=dysfunctional,
        classes=classes,
        people=people,
        stated=importance.stated(said),
        stated_draws=np.concatenate(stated),
        analytical=vectors(),
        analytical_draws=_joined(found_vectors),
    )
    return Measurement(
        settings,
        found,
        found.requirements,
        tuple(zip(groups.kinds, groups.names, strict=True)),
        np.where(hidden[..., None], 0, evaluation.counts(classes, members.T)),
        hidden,
        np.concatenate(counts),
        answers,
        (
            *groups.notes,
            *said_hidden(hidden, groups.kinds, "requirement", settings.min_cell),
            *_said_repeated(int((np.bincount(people) > 1).sum())),
        ),
    )


def _said_repeated(respondents: int) -> list[str]:
    """Say in words what follows where the same respondents answered in several waves."""
    if not respondents:
        return []
    return [
        f"{respondents:,} respondents answered in more than one wave. Resamples draw people with all their answers; "
        "intervals, exact tests and latent classes count answers as if each came from another person, so over all "
        "waves together they are too sure. Waves are compared as independent samples: where people answer alike each "
        "time, that overstates the uncertainty of a change."
    ]


def _order(found: KanoAnswers) -> np.ndarray:
    """Order respondents by their answers, so that neither the order of rows nor that of requirements matters.

    Who answered the same is ordered by id, or the other answers of the same people would be in the order of the rows.
    """
    by_name = np.argsort(np.array(found.requirements, dtype=object))
    answers = [frame.to_numpy(float)[:, by_name] for frame in (found.functional, found.dysfunctional, found.importance)]
    by_id = pd.factorize(found.respondents["respondent_id"].to_numpy(), sort=True)[0]
    return np.lexsort([by_id, *np.hstack(answers).T])


def _joined(parts: tuple[Analytical, ...]) -> Analytical:
    """Join what blocks of resamples gave."""
    names = [field.name for field in fields(Analytical)]
    return Analytical(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


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
    sizes = counts.sum(axis=-1)
    hidden = np.zeros(sizes.shape, bool)
    hidden[1:] = hidden_cells(sizes[1:], sizes[0] - sizes[1:].sum(axis=0), settings.min_cell)
    notes += tuple(said_hidden(hidden, tuple(kind for kind, _ in groups), "requirement", settings.min_cell))
    draws = comparisons.resampled_counts(counts[0], settings.bootstrap_resamples, settings.seed)
    shown = np.where(hidden[..., None], 0, counts)
    return Measurement(settings, found, found.requirements, groups, shown, hidden, draws, None, notes)


def _counted(found: KanoCounts, min_cell: int) -> tuple[np.ndarray, tuple[tuple[str, str], ...], tuple[str, ...]]:
    """Return the counts of everyone and of each segment; segments of too few respondents are put together."""
    letters = list(CLASSES)

    def of(rows: pd.DataFrame) -> np.ndarray:
        return (
            rows.groupby("requirement")[letters].sum().reindex(list(found.requirements), fill_value=0).to_numpy(float)
        )

    frame = found.counts.assign(segment=found.counts["segment"].fillna(""))
    parts = {name: of(frame[frame["segment"] == name]) for name in ("", *found.segments)}
    _refuse_totals(found.name, parts)
    nameless = _fewest(parts.pop(""))
    sizes = pd.Series({name: _fewest(counts) for name, counts in parts.items()}, dtype=int)
    check_groups(found.name, {"segment": sizes}, min_cell)
    pool = put_together(sizes, nameless, min_cell)
    shown = {name: counts for name, counts in parts.items() if name not in pool}
    if pool and shown:
        shown["other segments"] = of(frame[frame["segment"].isin(pool if nameless >= min_cell else [*pool, ""])])
    notes = (said_together("segment", pool, sizes, min_cell),) if pool else ()
    groups = ((ALL, ALL), *(("segment", name) for name in shown))
    return np.stack([of(frame), *shown.values()]), groups, notes


def _refuse_totals(name: str, parts: dict[str, np.ndarray]) -> None:
    """Refuse counts of everyone beside those of their parts: each respondent would be counted twice."""
    parts = {segment: counts for segment, counts in parts.items() if counts.any()}
    if len(parts) < 3:
        return
    everyone = np.sum(list(parts.values()), axis=0)
    totals = [segment for segment, counts in parts.items() if (2 * counts == everyone).all()]
    if totals:
        what = f"the segment '{totals[0]}' counts" if totals[0] else "rows without a segment count"
        rule = f"{what} what the others count together, so that every respondent would be counted twice"
        raise InputRefused(name, [Problem(rule, way_out="Leave the total out of the file.")])


def _fewest(counts: np.ndarray) -> int:
    """Return how many respondents the requirement with the fewest has, of those that were asked about at all."""
    asked = counts.sum(axis=1)
    return int(asked[asked > 0].min(initial=asked.max(initial=0)))


def _check_requirements(settings: Settings, name: str, requirements: tuple[str, ...]) -> None:
    problems = []
    if len(requirements) > MOST_REQUIREMENTS:
        problems.append(
            Problem(f"it names {len(requirements):,} requirements; at most {MOST_REQUIREMENTS} are compared")
        )
    met = [name for offer in settings.offers.values() for name in offer]
    named = {"prior_classes": settings.prior_classes, "costs": settings.costs, "offers": dict.fromkeys(met)}
    for parameter, names in named.items():
        unknown = [name for name in names if name not in requirements]
        if unknown:
            there = f"There is: {', '.join(requirements[:10])}."
            problems.append(Problem(f"{parameter} names what is no requirement: {', '.join(unknown)}", way_out=there))
    if problems:
        raise InputRefused(name, problems)
