"""The page that lists every report, newest first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from helpers.data.refusal import without_values

from . import trend
from .changes import Changes, changes_between
from .history import as_image, read_history, trend_lines, write_history
from .manifest import read_json, write_text
from .rendering import full_title, render_page
from .runs import failed_runs, good_runs


def write_index(reports: Path) -> Path:
    """Write `index.html` of a folder of reports, and the history of each, from what stands in it.

    Parameters
    ----------
    reports : pathlib.Path
        The folder that holds `<name>/latest` and `<name>/failed`.

    Returns
    -------
    pathlib.Path
        The page.
    """
    homes = [home for home in reports.iterdir() if home.is_dir() and not home.name.startswith(".")]
    entries = [entry for home in homes if (entry := describe(home))]
    entries.sort(key=lambda entry: entry["newest"], reverse=True)
    for entry in entries:
        if entry["good"]:
            write_history(reports / entry["name"], full_title(entry["good"]))
    page = reports / "index.html"
    write_text(page, render_page("index.html.j2", reports=entries))
    return page


def describe(home: Path) -> dict[str, Any] | None:
    """Return what the index says of one report, or None where the folder holds no run.

    A failure newer than the newest good run is named: the good one is then stale.
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
        "failures": failures[::-1],
        "runs": [record for _, record in reversed(runs)],
        "newest": max(record["started"] for record in [*(r for _, r in runs), *failures, *([good] if good else [])]),
    }


def _newest_changes(runs: list[tuple[Path, dict[str, Any]]]) -> Changes:
    return changes_between(*runs[-2], *runs[-1]) if len(runs) > 1 else Changes()


def _sparkline(home: Path, headline: str) -> dict[str, str] | None:
    """Return the headline number through time, as an image with its words; None before there are two runs."""
    from .history import describe as words

    lines = [line for line in trend_lines(read_history(home)) if line.name == headline]
    if not lines or len(lines[0].points) < 2:
        return None
    return {"picture": as_image(trend.draw(lines)), "alt": words(lines)}
