"""The page that lists every report, newest first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from helpers.data.refusal import without_values

from . import journal, trend
from .changes import Changes, changes_between
from .history import as_image, course, remembered, trend_lines, write_history
from .manifest import read_json, write_text
from .pages import full_title, render_page
from .runs import failed_runs, good_runs
from .workspace import AD_HOC


def write_index(reports: Path, ran: str | None = None) -> Path:
    """Write `index.html` of a folder of reports, and the history of the one that ran, from what stands in it.

    Parameters
    ----------
    reports : pathlib.Path
        The folder that holds `<name>/latest` and `<name>/failed`.
    ran : str, optional
        Name of the report that ran; without it, the history of each is written.

    Returns
    -------
    pathlib.Path
        The page.
    """
    homes = [home for home in reports.iterdir() if home.is_dir() and not home.name.startswith(".")]
    for home in homes:
        good = read_json(home / "latest" / "manifest.json")
        if good and (ran in (None, home.name) or not (home / "history.csv").is_file()):
            write_history(home, full_title(good))
    told = {entry.get("report"): entry for entry in journal.read(reports)}  # the newest line of each
    entries = [entry for home in homes if (entry := _entry(home, told.get(home.name)))]
    entries.sort(key=lambda entry: entry["newest"], reverse=True)
    page = reports / "index.html"
    apart = f"{AD_HOC}/index.html" if (reports / AD_HOC / "index.html").is_file() else ""
    write_text(page, render_page("index.html.j2", reports=entries, apart=apart))
    return page


def _entry(home: Path, told: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return what the index says of one report, or None where the folder holds no run.

    A failure newer than the newest good run is named: the good one is then stale. So it is where the journal tells
    last that the report was not run.
    """
    good = read_json(home / "latest" / "manifest.json")
    runs = good_runs(home)
    failures = [record | {"message": without_values(record["message"])} for _, record in failed_runs(home)]
    if good is None and not failures:
        return None
    since = good["started"] if good else ""
    fresh = [failure for failure in failures if failure["started"] > since]
    results = read_json(home / "latest" / "results.json") or {}
    headline = next(iter(results), "")
    return {
        "name": home.name,
        "good": good,
        "headline": results.get(headline),
        "change": next((each for each in _newest_changes(runs).numbers if each.name == headline), None),
        "trend": _sparkline(home, headline),
        "failed": fresh[-1] if fresh else None,
        "not_run": told if told and told.get("outcome") != "success" and not told.get("page") else None,
        "failures": failures[::-1],
        "runs": [record for _, record in reversed(runs)],
        "newest": max(record["started"] for record in [*(r for _, r in runs), *failures, *([good] if good else [])]),
    }


def _newest_changes(runs: list[tuple[Path, dict[str, Any]]]) -> Changes:
    return changes_between(*runs[-2], *runs[-1]) if len(runs) > 1 else Changes()


def _sparkline(home: Path, headline: str) -> dict[str, str] | None:
    """Return the headline number through time, as an image with its words; None before there are two runs."""
    lines = [line for line in trend_lines(remembered(home)) if line.name == headline]
    if not lines or len(lines[0].points) < 2:
        return None
    return {"picture": as_image(trend.draw(lines)), "alt": course(lines)}
