"""What the figures of the Kano report share: columns, words, legends, and texts beside rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from helpers.exhibits import Column, number

from ...drawing import legend_above
from ..letters import COLOURS, WORDS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

REQUIREMENT = {"requirement": Column("Requirement")}
COEFFICIENTS = {"better": Column("Better", digits=3), "worse": Column("Worse", digits=3)}
PEOPLE = Column("Answers", "pairs", 0)
MOST_PANELS = 12


def joined(values: Iterable[object]) -> str:
    return ", ".join(map(str, values))


def sentences(parts: Mapping[str, Iterable[object]]) -> str:
    """Say what is in each part, in sentences; parts that hold nothing are left out."""
    found = {words: joined(names) for words, names in parts.items()}
    return " ".join(f"{words[0].upper()}{words[1:]}: {names}." for words, names in found.items() if names)


def counted(count: int, noun: str = "requirement", plural: str = "") -> str:
    return f"{count} {noun if count == 1 else plural or f'{noun}s'}"


def from_to(before: float, after: float) -> str:
    return f"{number(before, 2)} to {number(after, 2)}"


def legend(axes: Axes, letters: Iterable[str]) -> None:
    """Say above a figure which colour is which class."""
    from matplotlib.patches import Patch

    legend_above(axes, [Patch(color=COLOURS[letter], label=f"{letter} {WORDS[letter]}") for letter in letters])
