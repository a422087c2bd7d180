"""What an analysis shows: headline numbers, tables and figures.

An analysis only says what an exhibit holds and how it reads; how it is drawn, styled, saved and published is
the business of `helpers.reporting`. This module is a leaf: analyses and the report machinery both speak it.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure as MatplotlibFigure

DASH = "–"  # what is shown where there is nothing to show


@dataclass(frozen=True)
class Headline:
    """One headline number of a report.

    Parameters
    ----------
    name : str
        Stable snake_case name, a key of `results.json`.
    value : float or None
        The number itself; None when it could not be computed (`text` then says why).
    unit : str
        Unit in words ("customers", "USD", "purchases").
    text : str
        The number in a sentence or phrase, as a reader should quote it.
    low, high : float or None
        Ends of the 95 % interval; None for counts, which have none.
    """

    name: str
    value: float | None
    unit: str
    text: str
    low: float | None = None
    high: float | None = None

    def record(self) -> dict[str, Any]:
        """Return the entry of `results.json`; a number that is not finite becomes null."""
        numbers = {"value": self.value, "low": self.low, "high": self.high}
        return {key: finite_or_none(number) for key, number in numbers.items()} | {
            "unit": self.unit,
            "text": self.text,
        }


def finite_or_none(number: float | None) -> float | None:
    """Return `number`, or None where it is missing, NaN or infinite (JSON has no such numbers)."""
    if number is None or not math.isfinite(number):
        return None
    return int(number) if isinstance(number, int) or float(number).is_integer() else float(number)


@dataclass(frozen=True)
class Column:
    """How one column of a table reads.

    Parameters
    ----------
    label : str
        Heading as shown, without the unit.
    unit : str
        Unit, shown in parentheses after the label and kept in `columns.json`.
    digits : int or None
        Decimals shown; None for text.
    percent : bool
        Whether a share is shown as a percentage (the file keeps the share).
    names : mapping of str to str
        How values that are stable snake_case names read.
    least : float
        Smaller values, down to 0, are shown as less than it: a p value of 0 would say too much.
    """

    label: str
    unit: str = ""
    digits: int | None = None
    percent: bool = False
    names: Mapping[str, str] = field(default_factory=dict)
    least: float = 0.0

    @property
    def heading(self) -> str:
        """Return the heading with its unit."""
        unit = "%" if self.percent else self.unit
        return f"{self.label} ({unit})" if unit else self.label

    def read(self, value: Any) -> str:
        """Return one value as it is shown."""
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            return DASH
        if self.digits is None:
            return self.names.get(str(value), str(value))
        if 0 <= value < self.least:
            return f"<{number(self.least, self.digits)}"
        return number(100 * value if self.percent else value, self.digits)


def number(value: float | None, digits: int = 0) -> str:
    """Return a number rounded to `digits` decimals, thousands separated, a dash where it is not finite."""
    if value is None or not math.isfinite(value):
        return DASH
    text = f"{value:,.{digits}f}"
    return text.lstrip("-") if float(text.replace(",", "")) == 0 else text.replace("-", "\N{MINUS SIGN}")


def percent(share: float | None, digits: int = 1) -> str:
    """Return a share as a percentage in words."""
    return DASH if share is None or not math.isfinite(share) else f"{number(100 * share, digits)}\N{NO-BREAK SPACE}%"


def between(low: float | None, high: float | None, digits: int = 0, scale: float = 1.0) -> str:
    """Return a 95 % interval in words, or a statement that there is none."""
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return "no interval"
    return f"95 % interval {number(scale * low, digits)} to {number(scale * high, digits)}"


def listed(names: Iterable[str], most: int = 0) -> str:
    """Return names as a phrase: a, b and c; beyond `most` of them (0: all) how many more there are."""
    names = list(names)
    if most and len(names) > most:
        names = [*names[:most], f"{len(names) - most} more"]
    return "".join(names) if len(names) < 2 else f"{', '.join(names[:-1])} and {names[-1]}"


def plain(text: str) -> str:
    """Return text in which nothing reads as Markdown or HTML: sentences may quote the user's data."""
    return re.sub(r"[\\`*_\[\]<>&$#|~]", lambda mark: f"&#{ord(mark[0])};", text)


@dataclass(frozen=True)
class Table:
    """A table of a report: the full-precision frame and how it reads.

    Parameters
    ----------
    name : str
        Stable snake_case name: the file is `tables/<name>.csv`.
    frame : pandas.DataFrame
        Every row and column, full precision, snake_case columns.
    caption : str
        Population, period, unit, rounding: what a reader needs to quote a number from it.
    columns : dict of str to Column
        The columns that are shown, in order. Columns left out stay in the file.
    view : pandas.DataFrame or None
        What is shown, where another shape reads better than the file's; `columns` then describe the view. One without
        columns shows the caption alone, which says why there is nothing to show.
    label : str
        What must stand on this table, such as "Simulated data", where that is not so of the whole analysis.
    """

    name: str
    frame: pd.DataFrame
    caption: str
    columns: dict[str, Column] = field(default_factory=dict)
    view: pd.DataFrame | None = None
    label: str = ""

    @classmethod
    def nothing(cls, name: str, why: str) -> Table:
        """Return a table that says why there is nothing to show."""
        import pandas as pd

        return cls(name, pd.DataFrame({"reason": [why]}), why, view=pd.DataFrame())

    def shown(self) -> pd.DataFrame:
        """Return what is shown: the chosen columns, every value as the text that a reader sees."""
        frame = self.frame if self.view is None else self.view
        columns = self.columns or {name: Column(name.replace("_", " ")) for name in frame.columns}
        shown = {column.heading: frame[name].map(column.read) for name, column in columns.items()}
        return type(self.frame)(shown, index=frame.index)

    def _repr_html_(self) -> str:
        # Shown in JupyterLab and in the published page alike; a fixed id keeps the output deterministic.
        from great_tables import GT

        if not len(self.shown().columns):
            return f"<p>{html.escape(self.caption)}</p>"
        table = GT(self.shown(), id=f"table-{self.name}").tab_header(title=self.caption).cols_align("left")
        numeric = [column.heading for column in self.columns.values() if column.digits is not None]
        return table.cols_align("right", columns=numeric).as_raw_html()

    def __repr__(self) -> str:
        """Return the caption and the table as text."""
        return f"{self.caption}\n{self.shown().to_string(index=False)}"


@dataclass(frozen=True)
class Figure:
    """A figure of a report: the data, a way to draw them, and a sentence that says what is to be seen.

    Parameters
    ----------
    name : str
        Stable snake_case name: the files are `figures/<name>.svg` and `tables/<name>.csv`.
    draw : callable or None
        Takes nothing, returns a matplotlib figure; called under the one theme. None where there is nothing to draw.
    alt : str
        What is to be seen, in a sentence or two, for those who cannot see it; or why there is nothing to draw.
    frame : pandas.DataFrame
        The data behind the figure.
    columns : dict of str to Column
        What the columns of the data are, with their units.
    english : mapping of str to str
        What is drawn instead of a name where no font on the machine has its letters: the name to Latin letters.
    label : str
        What must stand on this figure, such as "Simulated data", where that is not so of the whole analysis.
    """

    name: str
    draw: Callable[[], MatplotlibFigure] | None
    alt: str
    frame: pd.DataFrame
    columns: dict[str, Column] = field(default_factory=dict)
    english: Mapping[str, str] = field(default_factory=dict)
    label: str = ""


class Analysis(Protocol):
    """What the report machinery asks of an analysis, whatever its topic.

    Attributes
    ----------
    label : str
        What must stand on everything shown, such as "Simulated data"; empty for real data.
    answer : str
        The answer in words (Markdown), with its numbers and their intervals; the first thing in a report.
    warnings : tuple of str
        Which conclusions do not hold or are missing, in words; shown above the answer.
    notes : tuple of str
        What the data brought that a reader should know; shown where the data are accounted for.
    headlines : tuple of Headline
        The entries of `results.json`.
    tables, figures : dict
        The exhibits, by name.
    inputs : list of dict
        The files read: name, path, sha256, bytes, rows.
    processed : dict of str to pandas.DataFrame
        What other notebooks may read, by the name of its Parquet file.
    """

    label: str
    answer: str
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    headlines: tuple[Headline, ...]
    tables: dict[str, Table]
    figures: dict[str, Figure]
    inputs: list[dict[str, Any]]
    processed: dict[str, pd.DataFrame]


def suppress_small_groups(
    frame: pd.DataFrame, count: str, keep: tuple[str, ...], min_cell: int, known: tuple[int, ...] = ()
) -> pd.DataFrame:
    """Blank the figures of groups of people that are too small to be shown.

    Where a single group would be blanked, or several that are too small even together, the smallest other group is
    blanked with them: what they hold together could be computed from the total.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per group; the groups part the people.
    count : str
        The column that holds the number of people.
    keep : tuple of str
        Columns that name the group and stay.
    min_cell : int
        Groups with fewer people (but not none) are blanked, their count included.
    known : tuple of int
        Rows whose number of people stands elsewhere too, so that blanking them would hide nothing: another is blanked
        with the single one while there is another.

    Returns
    -------
    pandas.DataFrame
        A copy; blanked numbers are missing.
    """
    people = frame[count]
    hidden = (people > 0) & (people < min_cell)
    others = people[~hidden & (people > 0)]
    while hidden.any() and len(others) and (hidden.sum() == 1 or people[hidden].sum() < min_cell):
        secret = others.drop(index=[row for row in known if row in others.index])
        hidden.loc[(secret if len(secret) else others).idxmin()] = True
        others = people[~hidden & (people > 0)]
    columns = [column for column in frame.columns if column not in keep]
    result = frame.copy()
    result[columns] = result[columns].astype(object).mask(hidden, None).infer_objects()
    return result
