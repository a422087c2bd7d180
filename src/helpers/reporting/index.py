"""The page that lists every report, newest first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .manifest import read_json, write_text
from .rendering import render_page


def write_index(reports: Path) -> Path:
    """Write `index.html` of a folder of reports from what stands in it.

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
    page = reports / "index.html"
    write_text(page, render_page("index.html.j2", reports=entries))
    return page


def describe(home: Path) -> dict[str, Any] | None:
    """Return what the index says of one report, or None where the folder holds no run.

    A failure newer than the newest good run is named: the good one is then stale.
    """
    good = read_json(home / "latest" / "manifest.json")
    runs = [
        run
        for path in sorted(home.glob("*/manifest.json"))
        if path.parent.name != "latest" and (run := read_json(path))
    ]
    failures = [run for path in sorted(home.glob("failed/*/manifest.json")) if (run := read_json(path))]
    if good is None and not failures:
        return None
    since = good["started"] if good else ""
    fresh = [failure for failure in failures if failure["started"] > since]
    return {
        "name": home.name,
        "good": good,
        "results": read_json(home / "latest" / "results.json") or {},
        "failed": fresh[-1] if fresh else None,
        "runs": sorted(runs, key=lambda run: run["started"], reverse=True),
        "newest": max(run["started"] for run in [*runs, *failures, *([good] if good else [])]),
    }
