"""Puts a finished run where readers find it, in an order that never shows them half a report."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from .changes import changes_since
from .index import write_index
from .manifest import read_json, write_json, write_text
from .rendering import render_failure, render_report
from .workspace import Workspace


def publish_success(workspace: Workspace, stage: Path, record: dict[str, Any]) -> Path:
    """Publish a staged run.

    Everything that can fail is rendered first. Then the run's own folder moves into place, then what others derive
    from, then `latest`: its page, its results, and last the manifest, which is what makes a run count as published.

    Returns
    -------
    pathlib.Path
        The newest page of the report.
    """
    home = workspace.reports / record["report"]
    latest, final = home / "latest", home / record["run_id"]
    changes = changes_since(latest, stage, record)
    record["changed"] = changes.summary()
    newest = render_report(stage, record, changes, folder=f"../{record['run_id']}/")
    (stage / "index.html").write_text(render_report(stage, record, changes), encoding="utf-8")
    write_json(stage / "manifest.json", record)
    processed = workspace.staging / f"{record['run_id']}-processed"
    (stage / "processed").rename(processed)

    home.mkdir(parents=True, exist_ok=True)
    stage.rename(final)
    _switch(processed, workspace.processed / record["report"])
    write_text(latest / "index.html", newest)
    write_json(latest / "results.json", read_json(final / "results.json"))
    write_json(latest / "manifest.json", record)
    write_index(workspace.reports)
    return latest / "index.html"


def is_published(workspace: Workspace, report: str, run_key: str) -> bool:
    """Say whether the newest good run of a report has this key, and all that it published is still there."""
    latest = workspace.reports / report / "latest"
    record = read_json(latest / "manifest.json") or {}
    if record.get("run_key") != run_key:
        return False
    contents = read_json(workspace.reports / report / record["run_id"] / "contents.json") or {"processed": [None]}
    needed = [latest / "index.html", latest / "results.json"]
    needed += [workspace.processed / report / f"{name}.parquet" for name in contents["processed"]]
    return all(path.is_file() for path in needed)


def publish_failure(workspace: Workspace, stage: Path, record: dict[str, Any]) -> Path:
    """Keep a failed run with its log and what its notebook reached, beside the good ones.

    A run that failed while it was being published may have left the stage already; it is taken back.

    Returns
    -------
    pathlib.Path
        The page that says what failed.
    """
    begun = workspace.reports / record["report"] / record["run_id"]
    if begun.exists():
        begun.rename(stage)
    shutil.rmtree(stage / "processed", ignore_errors=True)
    write_json(stage / "manifest.json", record)
    (stage / "index.html").write_text(render_failure(stage, record), encoding="utf-8")
    final = workspace.reports / record["report"] / "failed" / record["run_id"]
    final.parent.mkdir(parents=True, exist_ok=True)
    stage.rename(final)
    write_index(workspace.reports)
    return final / "index.html"


def _switch(new: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    old = new.with_name(new.name + "-old")
    if place.exists():
        place.rename(old)
    new.rename(place)
    shutil.rmtree(old, ignore_errors=True)
