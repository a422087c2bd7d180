"""What an analysis can be asked: names and types that are checked in one place, for every topic."""

from __future__ import annotations

import difflib
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from helpers.data.refusal import InputRefused, Problem


@dataclass(frozen=True)
class Choices:
    """The parameters of an analysis: a subclass names them with their defaults, and their ranges in `rules`.

    Raises
    ------
    InputRefused
        With every value that is of a wrong type, not finite, or out of its range, at once.
    """

    @classmethod
    def of(cls, choices: Mapping[str, Any]) -> Self:
        """Return the settings with these choices made.

        Raises
        ------
        InputRefused
            When a name is unknown (near matches are named) or a value is out of its range.
        """
        known = [entry.name for entry in fields(cls)]
        problems = []
        for name in choices:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"Did you mean {near[0]}?" if near else f"There is: {', '.join(known)}."
                problems.append(Problem(f"there is no {name}", way_out=hint))
        if problems:
            raise InputRefused("these parameters", problems)
        return cls(**{name: os.fspath(one) if isinstance(one, os.PathLike) else one for name, one in choices.items()})

    def __post_init__(self) -> None:
        # A default that is made anew each time (a dict or a list) is made here to know its type.
        types = {
            entry.name: type(entry.default_factory() if callable(entry.default_factory) else entry.default)
            for entry in fields(self)
        }
        wrong = [
            Problem(f"{name} is {kind.__name__}, not {getattr(self, name)!r}")
            for name, kind in types.items()
            if not isinstance(getattr(self, name), (int, float) if kind is float else kind)
        ]
        wrong += [
            Problem(f"{name} takes finite numbers only, not {getattr(self, name)!r}")
            for name in types
            if not _is_finite(getattr(self, name))
        ]
        if wrong:
            raise InputRefused("these parameters", wrong)
        problems = [
            Problem(f"{name} {rule}, not {getattr(self, name)!r}")
            for name, (holds, rule) in self.rules().items()
            if not holds
        ]
        if problems:
            raise InputRefused("these parameters", problems)

    def rules(self) -> dict[str, tuple[bool, str]]:
        """Return for each parameter with a range whether it is kept, and what it is."""
        return {}


def _is_finite(value: Any) -> bool:
    """Tell whether a value, and everything in it, is no infinite number and no NaN."""
    if isinstance(value, Mapping):
        return all(map(_is_finite, value.values()))
    if isinstance(value, (list, tuple)):
        return all(map(_is_finite, value))
    return not isinstance(value, float) or math.isfinite(value)
