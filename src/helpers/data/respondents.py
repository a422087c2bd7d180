"""What the surveys of any topic have in common: the columns of segments and waves, and the order of their labels."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from numbers import Real

import pandas as pd

from helpers.data.refusal import InputRefused, Problem

_SHOWN_WAVES = 12


def with_roles(columns: Mapping[str, str] | None, segment: str, wave: str) -> Mapping[str, str] | None:
    """Add the columns named as segment and wave to a mapping of the file's column names to the contract's.

    Raises
    ------
    InputRefused
        If a column is named for two things.
    """
    if columns is not None and not isinstance(columns, Mapping):
        return columns  # refused where mappings are checked
    mapping, problems = dict(columns or {}), []
    for role, name in (("segment", segment), ("wave", wave)):
        if not name or (name == role and role in mapping.values()):
            continue
        if mapping.setdefault(name, role) != role:
            problems.append(Problem(f"column {name!r} is named for {mapping[name]!r} and for {role!r}"))
    if problems:
        subject = f"columns={dict(columns or {})!r}, segment={segment!r}, wave={wave!r}"
        raise InputRefused(subject, problems, "Name a column once, or copy it in the file.")
    return mapping


def unlabelled(name: str, respondents: pd.DataFrame) -> list[str]:
    """Say how many respondents of a file have no segment or no wave, where others have."""
    counts = {role: int(respondents[role].isna().sum()) for role in ("segment", "wave") if role in respondents}
    return [
        f"Respondents of {name} without a {role}: {count:,}. They count in the whole and in no {role}."
        for role, count in counts.items()
        if count
    ]


def in_order(column: pd.Series) -> tuple[str, ...]:
    """Sort labels: by number where all are numbers, else as text in which digits count as numbers.

    Parameters
    ----------
    column : pandas.Series
        Texts; those that are missing are no labels.
    """
    labels = sorted(column.dropna().unique())
    numbers = [as_number(label) for label in labels]
    if None not in numbers:
        return tuple(label for _, label in sorted(zip(numbers, labels, strict=True)))
    return tuple(sorted(labels, key=_with_numbers))


def order_notes(name: str, waves: Sequence[str]) -> list[str]:
    """Tell of waves that letters have put in order, as they do with the names of months."""
    if not any(_letters_decide(*pair) for pair in pairwise(waves)):
        return []
    shown = ", ".join(waves[:_SHOWN_WAVES]) + (", ..." if len(waves) > _SHOWN_WAVES else "")
    return [
        f"The waves of {name} are sorted as text ({shown}). "
        "If that is not their order in time, number them in the file, as in 1 January, 2 February."
    ]


def _letters_decide(one: str, other: str) -> bool:
    """Tell whether two labels, in their order, first differ in text and not in a number."""
    if None not in (as_number(one), as_number(other)):
        return False
    places = zip(_with_numbers(one), _with_numbers(other), strict=False)
    return next(isinstance(part, str) for part, other_part in places if part != other_part)


def as_number(code: object) -> float | None:
    """Read a finite number, None where there is none."""
    try:
        number = float(code) if isinstance(code, Real | str) and not isinstance(code, bool) else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _with_numbers(label: str) -> list[str | int]:
    # Texts and digits alternate in it, so that like is compared with like.
    return [int(part) if place % 2 else part for place, part in enumerate(re.split(r"([0-9]+)", label))]
