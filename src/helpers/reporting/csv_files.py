"""CSV files that a spreadsheet opens without running anything."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

# What a spreadsheet takes for the beginning of a formula, in full width too, but for texts that are numbers.
_FORMULA = re.compile(r"(?![+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$)[=+\-@＝＋－＠\t\r\n]")
# Where the list separator is a semicolon, a cell may begin in the middle of a text: quotes do not keep it together
# there, because they do not stand at the beginning of what is then the cell.
_INNER_FORMULA = re.compile(r"(?<=[;\t\r\n])(?=[=+\-@＝＋－＠])")


def harmless(value: Any) -> Any:
    """Return a cell that is no formula: a text that would be one gets an apostrophe in front, numbers stay.

    So does what follows a semicolon, a tab or a line break inside a text, where a spreadsheet may begin a new cell.
    Survey texts and names come from people outside the firm; opened in a spreadsheet, a cell such as
    `=HYPERLINK(...)` would run.
    """
    if not isinstance(value, str):
        return value
    inside = _INNER_FORMULA.sub("'", value)
    return f"'{inside}" if _FORMULA.match(value) else inside


def save_frame(path: Path, frame: pd.DataFrame) -> None:
    """Write a table in full precision, with no cell and no heading that a spreadsheet takes for a formula."""
    guarded = frame.rename(columns=harmless)
    for place, kind in enumerate(frame.dtypes):
        if kind.kind not in "biufcmM":
            guarded.isetitem(place, frame.iloc[:, place].astype(object).map(harmless))
    path.parent.mkdir(exist_ok=True)
    guarded.to_csv(path, index=False)


def as_text(header: list[str], rows: Iterable[Iterable[Any]]) -> str:
    """Return the text of a CSV file, with no cell that a spreadsheet takes for a formula."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([harmless(cell) for cell in row] for row in (header, *rows))
    return text.getvalue()


def read(path: Path) -> list[list[str]]:
    """Return the cells of a CSV file as text, its header first."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))
