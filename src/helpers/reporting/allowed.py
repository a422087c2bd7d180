"""Which values a parameter may take, read from the comment behind it.

A comment says first what the parameter is. What follows, set apart by semicolons, may say what is allowed:

    model: str = "a"  # of the purchases; one of a, b (slower)
    rate: float = -1.0  # a year; from 0 to below 1; or -1 for what the data say
    end: str = ""  # last day that counts; a date such as 1997-09-30; or "" for the last purchase
    share: str = "data"  # who stays; one of data, contracts; or from 0 to 1

Each such clause allows some values, and one of them must allow a value. Any other clause is read by people only.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from .errors import WrongUsage

_NUMBER = r"(-?\d[\d,]*(?:\.\d+)?)"
_RANGES = {
    f"from {_NUMBER} to {_NUMBER}": (operator.ge, operator.le),
    f"from {_NUMBER} to below {_NUMBER}": (operator.ge, operator.lt),
    f"above {_NUMBER} to {_NUMBER}": (operator.gt, operator.le),
    f"between {_NUMBER} and {_NUMBER}": (operator.gt, operator.lt),
    f"at least {_NUMBER}": (operator.ge,),
    f"above {_NUMBER}": (operator.gt,),
    f"at most {_NUMBER}": (operator.le,),
    f"below {_NUMBER}": (operator.lt,),
}
_ONE = r'("[^"]*"|[\w.+-]+)(?: \([^()]*\))?'
_CHOICES = rf"one of {_ONE}(?:(?:, or |, | or ){_ONE})*"
_ONE_MORE = r'("[^"]*"|-?\d+(?:\.\d+)?) for .+'
_MEANT = re.compile(
    r'(or )?(one of |a (date|number) such as |(from|above|between|at least|at most|below) -?\d)|or ["\d-]'
)


@dataclass(frozen=True)
class Clause:
    """Some values that a parameter may take: in words, and as a test of a value of its type."""

    words: str
    holds: Callable[[Any], bool]


def split(comment: str) -> tuple[str, list[str]]:
    """Return what a comment says to people alone, and its clauses on what is allowed."""
    first, *further = re.split(r";\s+", comment)
    clauses = [part for part in further if _MEANT.match(part)]
    return "; ".join([first, *(part for part in further if part not in clauses)]), clauses


def read_clauses(comment: str, kind: type) -> tuple[Clause, ...]:
    """Return what a comment allows; empty where it allows everything.

    Parameters
    ----------
    comment : str
        The comment behind a parameter.
    kind : type
        The parameter's type.

    Raises
    ------
    WrongUsage
        When a clause begins like one and cannot be read, or says nothing of a parameter of that type.
    """
    return tuple(_read(clause, kind) for clause in split(comment)[1])


def _read(words: str, kind: type) -> Clause:
    clause = words.removeprefix("or ")
    if kind is str and clause.startswith("a date such as "):
        return Clause(words, _is_date)
    if kind is str and clause.startswith("a number such as "):
        return Clause(words, partial(_lies, limits=[]))
    try:
        if kind in (str, int, float) and (choices := [_literal(token, kind) for token in _tokens(clause)]):
            return Clause(words, partial(operator.contains, choices))
    except ValueError:
        pass  # a word among the choices of a number
    for pattern, comparisons in _RANGES.items() if kind in (str, int, float) else ():
        if bounds := re.fullmatch(rf"{pattern}(?: \([^()]*\))?", clause):
            limits = [float(bound.replace(",", "")) for bound in bounds.groups()]
            return Clause(words, partial(_lies, limits=list(zip(comparisons, limits, strict=True))))
    raise WrongUsage(f"'{words}' cannot be read as what a parameter of type {kind.__name__} may be")


def _tokens(clause: str) -> list[str]:
    """Return the values that a clause names, as they are written."""
    if one_more := re.fullmatch(_ONE_MORE, clause):
        return [one_more[1]]
    return re.findall(rf"(?:one of |, or |, | or ){_ONE}", clause) if re.fullmatch(_CHOICES, clause) else []


def _literal(token: str, kind: type) -> Any:
    return kind(token.strip('"'))


def _lies(value: Any, limits: list[tuple[Callable, float]]) -> bool:
    """Tell whether a number, or a text that is one, keeps limits."""
    try:
        number = float(value)
    except ValueError:
        return False
    return math.isfinite(number) and all(keeps(number, limit) for keeps, limit in limits)


def _is_date(value: str) -> bool:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True
