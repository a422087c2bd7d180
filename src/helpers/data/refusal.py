"""One way to refuse a user's input: every problem at once, in plain words, with the way out."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

SHOWN_ROWS = 5

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
    """

    rule: str
    column: str = ""
    count: int = 0
    rows: Sequence[str] = ()
    value: str | None = None
    way_out: str = ""

    def __str__(self) -> str:
        where = f"column '{self.column}': " if self.column else ""
        return f"{where}{self._what()}. {self.way_out}".rstrip()

    def _what(self) -> str:
        if not self.count:
            return self.rule
        singular, plural = self.rule.split("|")
        one = self.count == 1
        more = ", ..." if self.count > len(self.rows) else ""
        value = "" if self.value is None else f"; {'value' if one else 'first value'}: {shortened(self.value)}"
        rows = f"{'row' if one else 'rows'} {', '.join(self.rows)}{more}{value}"
        return f"{self.count:,} {f'row {singular}' if one else f'rows {plural}'} ({rows})"


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
