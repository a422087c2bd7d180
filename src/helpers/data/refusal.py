"""One way to refuse a user's input: every problem at once, in plain words, with the way out."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

SHOWN_ROWS = 5
_SHOWN_COLUMNS = 3

# A quoted value as `shortened` writes it, in either kind of quotation mark.
_QUOTED_VALUE = re.compile(r"""; (first )?value: ('([^'\\]|\\.)*'|"([^"\\]|\\.)*")""")


@dataclass(frozen=True)
class Problem:
    """One rule that the input breaks.

    Parameters
    ----------
    rule : str
        What is wrong. Where `count` is given it follows "N rows" and so is worded as a predicate, with the
        singular and the plural parted by ``|``: ``"is empty|are empty"``.
    column : str
        The column concerned, "" where the whole file is.
    count : int
        How many rows break the rule, 0 where it is not about rows.
    rows : sequence of str
        The first few row numbers (at most `SHOWN_ROWS`), as a spreadsheet or the Parquet file numbers them.
    value : str, optional
        The value in the first of these rows.
    way_out : str
        What to do next.
    others : sequence of str
        Further columns with the same problem. `count` is then of values, which may stand in the same rows.
    more_rows : bool
        With `others`, whether there are rows beyond `rows`.
    """

    rule: str
    column: str = ""
    count: int = 0
    rows: Sequence[str] = ()
    value: str | None = None
    way_out: str = ""
    others: Sequence[str] = ()
    more_rows: bool = False

    @property
    def hides_rows(self) -> bool:
        """Tell whether there are rows beyond those named."""
        return self.more_rows if self.others else self.count > len(self.rows)

    def __str__(self) -> str:
        return f"{self._where()}{self._what()}. {self.way_out}".rstrip()

    def _where(self) -> str:
        names = [f"'{name}'" for name in (self.column, *self.others)]
        if len(names) == 1:
            return f"column {names[0]}: " if self.column else ""
        if len(names) <= _SHOWN_COLUMNS:
            return f"columns {', '.join(names[:-1])} and {names[-1]}: "
        return f"columns {', '.join(names[:_SHOWN_COLUMNS])} and {len(names) - _SHOWN_COLUMNS} more: "

    def _what(self) -> str:
        if not self.count:
            return self.rule
        singular, plural = self.rule.split("|")
        one = self.count == 1
        more = ", ..." if self.hides_rows else ""
        value = "" if self.value is None else f"; {'value' if one else 'first value'}: {shortened(self.value)}"
        one_row = len(self.rows) == 1 and not more
        rows = f"{'row' if one_row else 'rows'} {', '.join(self.rows)}{more}{value}"
        what = "value" if self.others else "row"
        return f"{self.count:,} {f'{what} {singular}' if one else f'{what}s {plural}'} ({rows})"


class InputRefused(Exception):
    """The input breaks its contract; ``str()`` is the complete message for the person who gave it.

    Parameters
    ----------
    subject : str
        The file, or the parameter with its value.
    problems : sequence of Problem
        Everything that is wrong with it.
    advice : str
        What to do about all of them.
    """

    def __init__(self, subject: str, problems: Sequence[Problem], advice: str = ""):
        super().__init__(subject, problems, advice)
        self.subject = subject
        self.problems = list(problems)
        self.advice = advice

    def __str__(self) -> str:
        lines = [f"{self.subject} cannot be used:", *(f"  - {problem}" for problem in self.problems)]
        return "\n".join([*lines, self.advice] if self.advice else lines)


def folded(problems: Sequence[Problem]) -> list[Problem]:
    """Tell what is wrong with several columns in the same way once.

    Parameters
    ----------
    problems : sequence of Problem
        With `column`, where they are about one.

    Returns
    -------
    list of Problem
        Those about rows that share rule, value and way out stand as one in the place of the first, with the number of
        values concerned in all columns and the first rows over these; the others as they were.
    """
    groups: dict[object, list[Problem]] = {}
    for place, problem in enumerate(problems):
        alike = problem.count and problem.column and problem.value is not None
        key = (problem.rule, problem.value, problem.way_out) if alike else place
        groups.setdefault(key, []).append(problem)
    return [_as_one(group) if len(group) > 1 else group[0] for group in groups.values()]


def _as_one(alike: Sequence[Problem]) -> Problem:
    rows = sorted({row for problem in alike for row in problem.rows}, key=_in_file)
    return replace(
        alike[0],
        count=sum(problem.count for problem in alike),
        rows=rows[:SHOWN_ROWS],
        others=[problem.column for problem in alike[1:]],
        more_rows=len(rows) > SHOWN_ROWS or any(problem.hides_rows for problem in alike),
    )


def _in_file(row: str) -> tuple[str, int]:
    # As a row is labelled: "7", or "file.csv:7".
    file, _, number = row.rpartition(":")
    return file, int(number)


def require_choice(parameter: str, value: object, allowed: Collection[str]) -> None:
    """Refuse a parameter whose value is none of those allowed.

    Raises
    ------
    InputRefused
        Naming the parameter, its value and the values it can take.
    """
    if not isinstance(value, str) or value not in allowed:
        choices = " or ".join(repr(choice) for choice in allowed)
        raise InputRefused(f"{parameter}={value!r}", [Problem(f"{parameter} must be {choices}")])


def without_values(message: str) -> str:
    """Leave the quoted values out of a refusal's text, for pages that others read.

    Parameters
    ----------
    message : str
        ``str()`` of an `InputRefused`: ``"... (rows 4, 9, ...; first value: '12,50')"``.

    Returns
    -------
    str
        The rules, the columns and the row numbers alone: ``"... (rows 4, 9, ...)"``.
    """
    return _QUOTED_VALUE.sub("", message)


def shortened(value: str, length: int = 40) -> str:
    """Quote a value of the user's for a message, cut to a readable length."""
    return repr(value if len(value) <= length else value[:length] + "...")
