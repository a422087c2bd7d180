"""Lines through time, as an SVG: one panel a number, drawn without matplotlib.

Reports are published side by side in the threads of one process, whose figures matplotlib would mix up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .changes import same
from .pages import render_page, shown_number

COLUMNS = 3
PANEL_WIDTH, PANEL_HEIGHT = 320, 170
LEFT, RIGHT, TOP, BOTTOM = 12, 308, 52, 136  # of the field of lines in a panel
LONGEST_NAME = 38


@dataclass(frozen=True)
class Point:
    """A number at a time, with the ends of its interval where it has one."""

    moment: datetime
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Line:
    """A number through time.

    Parameters
    ----------
    name, unit : str
        What it is.
    points : list of Point
        Oldest first, at least one.
    """

    name: str
    unit: str
    points: list[Point]


def draw(lines: list[Line]) -> str:
    """Return the SVG: a panel for each line, all over the same time, with its lowest and highest value beside it."""
    moments = [point.moment for line in lines for point in line.points]
    first, last = min(moments), max(moments)
    columns = min(COLUMNS, len(lines))
    panels = [
        _panel(line, first, last) | {"x": place % columns * PANEL_WIDTH, "y": place // columns * PANEL_HEIGHT}
        for place, line in enumerate(lines)
    ]
    rows = -(-len(lines) // columns)
    return render_page(
        "trend.svg.j2",
        panels=panels,
        width=columns * PANEL_WIDTH,
        height=rows * PANEL_HEIGHT,
        first=f"{first:%Y-%m-%d}",
        last=f"{last:%Y-%m-%d}",
        left=LEFT,
        right=RIGHT,
        top=TOP,
        bottom=BOTTOM,
    )


def _panel(line: Line, first: datetime, last: datetime) -> dict:
    ends = [end for p in line.points for end in (p.value, p.low, p.high) if end is not None]
    lowest, highest = min(ends), max(ends)
    flat = same(lowest, highest)
    period = (last - first).total_seconds()

    def across(moment: datetime) -> float:
        share = (moment - first).total_seconds() / period if period else 0.5
        return round(LEFT + share * (RIGHT - LEFT), 1)

    def up(value: float) -> float:
        share = 0.5 if flat else (value - lowest) / (highest - lowest)
        return round(BOTTOM - share * (BOTTOM - TOP), 1)

    banded = [point for point in line.points if None not in (point.low, point.high)]
    upper = [(across(point.moment), up(point.high)) for point in banded]
    lower = [(across(point.moment), up(point.low)) for point in banded]
    name = line.name.replace("_", " ")
    return {
        "name": name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…",
        "unit": line.unit,
        "newest": shown_number(line.points[-1].value),
        "lowest": shown_number(lowest),
        "highest": "" if flat else shown_number(highest),
        "points": [(across(point.moment), up(point.value)) for point in line.points],
        "band": [*upper, *reversed(lower)],
    }
