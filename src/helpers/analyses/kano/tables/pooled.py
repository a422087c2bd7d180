"""What one class for everyone hides, and the class that decisions take instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.exhibits import listed
from helpers.models.kano import rules
from helpers.models.kano.evaluation import MISSING

from ..measurement import Measurement
from .evidence import few

SURELY = 0.05  # corrected p value below which a difference is no chance
MOST_NAMED = 8
EVERYONE = "everyone"


@dataclass(frozen=True, eq=False)
class Pooled:
    """What lies behind the class of everyone, requirement by requirement.

    Attributes
    ----------
    waves, segments : tuple of str
        The class in each wave, or segment, in words; empty where they do not surely differ, or have the same class.
    counts : ndarray, shape (requirements, 6)
        Of the newest wave where waves surely moved a requirement, else of everyone.
    classes : ndarray of int, shape (requirements,)
        The most frequent class of these counts, ties resolved by M > O > A > I; `MISSING` where too few answered.
    sources : tuple of str
        Whose class that is.
    ties : tuple of str
        The classes that tie, such as "O/M"; else empty.
    """

    waves: tuple[str, ...]
    segments: tuple[str, ...]
    counts: np.ndarray
    classes: np.ndarray
    sources: tuple[str, ...]
    ties: tuple[str, ...]


def pooled(result: Measurement, differences: pd.DataFrame) -> Pooled:
    """Return what the class of everyone hides where segments or waves surely differ, and what decisions take."""
    surely = {kind: surely_differ(differences, kind) for kind in ("wave", "segment")}
    counts, whose = result.everyone.copy(), [EVERYONE] * len(result.requirements)
    newest = _newest_wave(result)
    for place, requirement in enumerate(result.requirements):
        if newest is not None and requirement in surely["wave"] and not few(result.counts[newest, place]):
            counts[place] = result.counts[newest, place]
            whose[place] = f"{result.groups[newest][1]} (newest wave)"
    modes = rules.by_mode(np.where(few(counts)[:, None], 0, counts))
    return Pooled(
        waves=_by_group(result, "wave", surely["wave"]),
        segments=_by_group(result, "segment", surely["segment"]),
        counts=counts,
        # without a band only exact ties are resolved
        classes=np.where(few(counts), MISSING, rules.single(rules.by_priority(counts, band=0.0))),
        sources=tuple(whose),
        ties=tuple(
            label if several else "" for label, several in zip(rules.labels(modes), modes.sum(1) > 1, strict=True)
        ),
    )


def _newest_wave(result: Measurement) -> int | None:
    """Return the number of the group that is the newest wave; None where it is not shown by itself."""
    shown = {result.groups[group][1]: group for group in result.of_kind("wave")}
    return shown.get(result.source.waves[-1]) if shown else None


def surely_differ(differences: pd.DataFrame, kind: str) -> set[str]:
    """Return the requirements that any two segments, or waves, surely tell apart."""
    if "p_holm" not in differences:
        return set()
    return set(differences[(differences["kind"] == kind) & (differences["p_holm"] < SURELY)]["requirement"])


def _by_group(result: Measurement, kind: str, surely: set[str]) -> tuple[str, ...]:
    """Return for each requirement that surely differs its class in each wave or segment that has enough answers."""
    found = []
    for place, requirement in enumerate(result.requirements):
        known = [group for group in result.of_kind(kind) if not few(result.counts[group, place])]
        labels = rules.labels(rules.by_mode(result.counts[known, place])) if requirement in surely and known else []
        names = [result.groups[group][1] for group in known]
        found.append(_in_words(kind, labels, names) if len(set(labels)) > 1 else "")
    return tuple(found)


def _in_words(kind: str, labels: Sequence[str], names: Sequence[str]) -> str:
    if kind == "wave":
        return ", ".join(f"{label} in {name}" for label, name in zip(labels, names, strict=True))
    of_class: dict[str, list[str]] = {}
    for label, name in zip(labels, names, strict=True):
        of_class.setdefault(label, []).append(name)
    return ", ".join(f"{label} for {listed(members, MOST_NAMED)}" for label, members in of_class.items())
