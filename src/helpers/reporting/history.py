"""The headline numbers of a report through time: a table, a figure, a page and a CSV file."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from helpers.exhibits import listed

from . import csv_files, trend
from .changes import as_number
from .manifest import read_json, write_text
from .pages import render_page, shown_number
from .runs import good_runs

COLUMNS = ["run_id", "ended", "name", "value", "low", "high", "unit"]
MOST_NAMED = 3  # numbers whose course the words beside the figure tell


@dataclass(frozen=True)
class PastRun:
    """The headline numbers of one good run.

    Parameters
    ----------
    run_id, ended : str
        Which run, and when it ended (ISO, UTC).
    numbers : dict of str to dict
        By name: value, low, high, unit. A value that could not be computed is None.
    """

    run_id: str
    ended: str
    numbers: dict[str, dict[str, Any]]


def read_history(home: Path) -> list[PastRun]:
    """Return the good runs of a report, oldest first by the time they ended.

    Parameters
    ----------
    home : pathlib.Path
        The folder of the report. Runs that were pruned are known from its `history.csv`.
    """
    runs = {run.run_id: run for run in remembered(home)}
    for folder, record in good_runs(home):
        results = read_json(folder / "results.json") or {}
        numbers = {
            name: {part: entry[part] for part in ("value", "low", "high", "unit")} for name, entry in results.items()
        }
        runs[record["run_id"]] = PastRun(record["run_id"], record["ended"], numbers)
    return sorted(runs.values(), key=lambda run: (run.ended, run.run_id))


def remembered(home: Path) -> list[PastRun]:
    """Return the good runs that `history.csv` of a report knows, oldest first."""
    runs: dict[str, PastRun] = {}
    try:
        header, *rows = csv_files.read(home / "history.csv")
    except (OSError, ValueError):
        return []
    if header != COLUMNS:
        return []
    for run_id, ended, name, value, low, high, unit in (row for row in rows if len(row) == len(COLUMNS)):
        numbers = {"value": as_number(value), "low": as_number(low), "high": as_number(high), "unit": unit}
        runs.setdefault(run_id, PastRun(run_id, ended, {})).numbers[name] = numbers
    return list(runs.values())


def write_history(home: Path, title: str) -> None:
    """Write `history.csv`, `history.html` and, from the second run on, `history.svg` of a report.

    Parameters
    ----------
    home : pathlib.Path
        The folder of the report.
    title : str
        Its title.
    """
    runs = read_history(home)
    rows = [
        [run.run_id, run.ended, name, *(_written(entry[part]) for part in ("value", "low", "high")), entry["unit"]]
        for run in runs
        for name, entry in run.numbers.items()
    ]
    write_text(home / "history.csv", csv_files.as_text(COLUMNS, rows))
    lines = trend_lines(runs)
    picture = ""
    if len(runs) > 1 and lines:
        svg = trend.draw(lines)
        write_text(home / "history.svg", svg)
        picture = as_image(svg)
    shown = [{"kept": (home / run.run_id).is_dir(), **vars(run)} for run in reversed(runs)]
    page = render_page(
        "history.html.j2",
        title=title,
        picture=picture,
        alt=course(lines) if picture else "",
        numbers=named_units(runs),
        runs=shown,
    )
    write_text(home / "history.html", page)


def _written(value: float | None) -> str:
    return "" if value is None else repr(value)


def named_units(runs: list[PastRun]) -> list[tuple[str, str]]:
    """Return name and unit of every headline number, those of the newest run first."""
    units = {name: entry["unit"] for run in runs for name, entry in run.numbers.items()}
    newest = list(runs[-1].numbers) if runs else []
    return [(name, units[name]) for name in dict.fromkeys([*newest, *units])]


def trend_lines(runs: list[PastRun]) -> list[trend.Line]:
    """Return the course of every headline number that ever had a value, leaving out the runs where it had none."""
    lines = []
    for name, unit in named_units(runs):
        entries = [(run.ended, run.numbers[name]) for run in runs if name in run.numbers]
        points = [
            trend.Point(datetime.fromisoformat(ended), entry["value"], entry["low"], entry["high"])
            for ended, entry in entries
            if entry["value"] is not None
        ]
        lines += [trend.Line(name, unit, points)] if points else []
    return lines


def course(lines: list[trend.Line]) -> str:
    """Return in words what the figure shows: the period, and where the first numbers began and ended."""
    moments = [point.moment for line in lines for point in line.points]
    courses = [
        f"{line.name} from {shown_number(line.points[0].value)} to {shown_number(line.points[-1].value)}"
        for line in lines[:MOST_NAMED]
    ]
    rest = "; the others are in the table" if len(lines) > MOST_NAMED else ""
    return (
        f"Headline numbers through time, one panel each, {min(moments):%Y-%m-%d} to {max(moments):%Y-%m-%d}: "
        f"{listed(courses)}{rest}."
    )


def as_image(svg: str) -> str:
    """Return an SVG as the address of an image that needs no file."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"
