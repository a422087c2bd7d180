"""Everyone, each segment and each wave; groups of people that are too small to be shown are put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from helpers.data.refusal import InputRefused, Problem

ALL = "all"  # the segment, and the wave, that is everyone
MOST_GROUPS = 50  # segments, or waves; a column with more is no grouping but something else


class Survey(Protocol):
    """What any survey says of who answered it."""

    name: str
    respondents: pd.DataFrame
    segments: tuple[str, ...]
    waves: tuple[str, ...]


@dataclass(frozen=True)
class Groups:
    """Everyone, then each segment, then each wave.

    Parameters
    ----------
    kinds, names : tuple of str
        "all", "segment" or "wave", and the name of the group.
    members : ndarray of float, shape (respondents, groups)
        1 where a respondent belongs to a group.
    pooled : frozenset of int
        The groups that were put together.
    notes : tuple of str
        What was put together or left out, in words.
    """

    kinds: tuple[str, ...]
    names: tuple[str, ...]
    members: np.ndarray
    pooled: frozenset[int]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, survey: Survey, min_cell: int) -> Groups:
        """Return the groups of a survey, none of fewer respondents than `min_cell`, nor any that tells of fewer.

        Raises
        ------
        InputRefused
            When a column names too many groups, mostly groups that are too small, or one that is called "all".
        """
        respondents = survey.respondents
        sizes = {kind: respondents.groupby(kind)["respondent_id"].nunique() for kind in ("segment", "wave")}
        check_groups(survey.name, sizes, min_cell)
        found, notes = [(ALL, ALL, np.ones(len(respondents), bool), False)], []
        for kind, names in (("segment", survey.segments), ("wave", survey.waves)):
            parts, note = _parted(respondents, kind, names, min_cell)
            found += parts
            notes += note
        if _nested(found, min_cell):
            found = [part for part in found if part[0] != "wave"]
            notes.append(f"No wave is shown: with the segments they would tell of fewer than {min_cell} respondents.")
        kinds, names, members, pooled = zip(*found, strict=True)
        together = frozenset(np.flatnonzero(pooled).tolist())
        return cls(kinds, names, np.column_stack(members).astype(float), together, tuple(notes))

    def of_kind(self, kind: str) -> list[int]:
        """Return the numbers of the groups of a kind."""
        return [group for group, found in enumerate(self.kinds) if found == kind]

    @property
    def sizes(self) -> np.ndarray:
        """Return the number of respondents in each group."""
        return self.members.sum(axis=0).astype(int)

    def hidden(self, answered: np.ndarray, people: np.ndarray, min_cell: int) -> np.ndarray:
        """Choose the questions whose answers must not be shown of a group, for too few of it answered them.

        Parameters
        ----------
        answered : ndarray of bool, shape (respondents, questions)
            In the order of `members`.
        people : ndarray of int, shape (respondents,)
            Who it is: the same number for one person in several waves.
        min_cell : int

        Returns
        -------
        ndarray of bool, shape (groups, questions)
            Also where others would tell of them: `hidden_cells`, and waves that differ from a segment by so few.
        """
        sizes = np.array([_people(answered & (part > 0)[:, None], people) for part in self.members.T])
        found = np.zeros(sizes.shape, bool)
        for kind in ("segment", "wave"):
            numbers = self.of_kind(kind)
            in_none = answered & (self.members[:, numbers].sum(axis=1) == 0)[:, None]
            found[numbers] = hidden_cells(sizes[numbers], _people(in_none, people), min_cell)
        segments, waves = self.members[:, self.of_kind("segment")], self.of_kind("wave")
        of_segments = segments.T @ answered
        for wave in waves:
            of_wave = answered * self.members[:, [wave]]
            both = segments.T @ of_wave
            beyond = of_segments - both, of_wave.sum(axis=0) - both
            few = [(0 < rest) & (rest < min_cell) for rest in beyond]
            told = (few[0] & (beyond[1] == 0)) | (few[1] & (beyond[0] == 0))
            found[waves] |= (told & ~found[self.of_kind("segment")] & ~found[wave]).any(axis=0)
        return found


Part = tuple[str, str, np.ndarray, bool]  # kind, name, members, whether put together


def check_groups(name: str, sizes: Mapping[str, pd.Series], min_cell: int) -> None:
    """Refuse groups that cannot be compared.

    Parameters
    ----------
    name : str
        How messages call the file.
    sizes : mapping of str to pandas.Series
        "segment" or "wave" to the number of respondents of each.
    min_cell : int

    Raises
    ------
    InputRefused
        When a column names too many groups, mostly groups that are too small, or one that is called "all".
    """
    problems = []
    for kind, people in sizes.items():
        small = int((people < min_cell).sum())
        way_out = f"Put them into fewer {kind}s, or name another column by {kind}=..."
        if len(people) > MOST_GROUPS:
            rule = f"its column of {kind}s names {len(people):,} {kind}s; at most {MOST_GROUPS} are compared"
            problems.append(Problem(rule, way_out=way_out))
        elif small > max(3, len(people) / 2):
            rule = f"of the {len(people)} {kind}s that its column of {kind}s names, {small} have fewer than {min_cell}"
            problems.append(Problem(f"{rule} respondents (min_cell)", way_out=way_out))
        if ALL in people.index:
            rule = f"a {kind} is called '{ALL}', which stands for everyone"
            problems.append(Problem(rule, way_out="Give it another name in the file."))
    if problems:
        raise InputRefused(name, problems)


def put_together(sizes: pd.Series, nameless: int, min_cell: int) -> list[str]:
    """Choose the groups that must be shown as one, so that nobody can be told from others.

    Any group that is shown beside the total tells of the rest as well: so the rest must be large enough itself.

    Parameters
    ----------
    sizes : pandas.Series
        Respondents by the name of their group, in the order of the groups.
    nameless : int
        Respondents without a group.
    min_cell : int

    Returns
    -------
    list of str
        Empty where every group can be shown.
    """
    pool = [name for name, size in sizes.items() if size < min_cell]
    hidden = nameless if nameless < min_cell else 0
    others = sorted((name for name in sizes.index if name not in pool), key=lambda name: (sizes[name], name))
    while 0 < sizes[pool].sum() + hidden < min_cell and others:
        pool.append(others.pop(0))
    return pool


def said_together(kind: str, pool: list[str], sizes: pd.Series, min_cell: int) -> str:
    """Say in words which groups were put together, without telling how small they are."""
    large = [name for name in pool if sizes[name] >= min_cell]
    also = f", with {' and '.join(large)}, or what is left would tell of them" if large else ""
    return f"Put together as other {kind}s: those of fewer than {min_cell} respondents{also}."


def hidden_cells(sizes, in_none, min_cell: int) -> np.ndarray:
    """Choose the cells of a table of groups by questions that must not be shown, so that nobody can be told.

    Beside the total, cells that are shown tell of the rest: where that is too few, the next smallest is hidden as well.

    Parameters
    ----------
    sizes : array_like, shape (groups, questions)
        How many of each group answered; a person belongs to one group.
    in_none : array_like, shape (questions,)
        How many answered who belong to none of the groups.
    min_cell : int

    Returns
    -------
    ndarray of bool, shape (groups, questions)
        Empty cells are never hidden.
    """
    sizes = np.asarray(sizes, float)
    hidden = (sizes > 0) & (sizes < min_cell)
    while len(sizes):
        rest = in_none + np.where(hidden, sizes, 0).sum(axis=0)
        others = np.where(hidden | (sizes == 0), np.inf, sizes)
        too_few = np.flatnonzero((rest > 0) & (rest < min_cell) & np.isfinite(others.min(axis=0)))
        if not len(too_few):
            break
        hidden[others.argmin(axis=0)[too_few], too_few] = True
    return hidden


def said_hidden(hidden: np.ndarray, kinds: tuple[str, ...], question: str, min_cell: int) -> list[str]:
    """Say in words that cells of the groups of these kinds are hidden, without telling which are small."""
    where = [f"{kind}s" for kind in dict.fromkeys(kinds) if hidden[[found == kind for found in kinds]].any()]
    if not where:
        return []
    return [
        f"Some {question}s are not shown for some {' and '.join(where)}: fewer than {min_cell} respondents of these "
        "answered, or what is left would tell of so few."
    ]


def _people(answered: np.ndarray, people: np.ndarray) -> np.ndarray:
    """Count the people who answered, shape (questions,)."""
    found = np.zeros((people.max(initial=-1) + 1, answered.shape[1]), bool)
    np.logical_or.at(found, people, answered)
    return found.sum(axis=0)


def _parted(
    respondents: pd.DataFrame, kind: str, names: tuple[str, ...], min_cell: int
) -> tuple[list[Part], list[str]]:
    """Part the respondents by their labels; put small groups, and few respondents without a label, together."""
    labels, people = respondents[kind], respondents["respondent_id"]
    sizes, without = people.groupby(labels).nunique().reindex(list(names)), people[labels.isna()].nunique()
    pool = put_together(sizes, without, min_cell)
    kept = [(kind, name, (labels == name).to_numpy(), False) for name in names if name not in pool]
    if not pool:
        return kept, []
    together = labels.isin(pool) | (labels.isna() if without < min_cell else False)
    note = said_together(kind, pool, sizes, min_cell)
    return ([*kept, (kind, f"other {kind}s", together.to_numpy(), True)] if kept else []), [note]


def _nested(found: list[Part], min_cell: int) -> bool:
    """Tell whether a segment and a wave differ by a few respondents only, whose answers could be computed."""
    members = {kind: [part[2] for part in found if part[0] == kind] for kind in ("segment", "wave")}
    return any(
        0 < (larger & ~smaller).sum() < min_cell and not (smaller & ~larger).any()
        for segment in members["segment"]
        for wave in members["wave"]
        for smaller, larger in ((segment, wave), (wave, segment))
    )
