"""Puts a finished run where readers find it, in an order that never shows them half a report."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from .changes import changes_since
from .index import write_index
from .manifest import read_json, write_json
from .rendering import render_failure, render_report
from .workspace import Workspace

# Copied beside the newest page, for programs that read the newest numbers.
LATEST_FILES = ("results.json", "manifest.json")


def publish_success(workspace: Workspace, stage: Path, record: dict[str, Any]) -> Path:
    """Publish a staged run: its own folder first, then what others derive from, then `latest`, then the index.

    Returns
    -------
    pathlib.Path
        The newest page of the report.
    """
    home = workspace.reports / record["report"]
    latest = home / "latest"
    changes = changes_since(latest, stage, record)
    record["changed"] = changes.summary()
    _move(stage / "processed", workspace.processed / record["report"], workspace.staging / f"{record['run_id']}-old")
    write_json(stage / "manifest.json", record)
    (stage / "index.html").write_text(render_report(stage, record, changes), encoding="utf-8")
    newest = render_report(stage, record, changes, folder=f"../{record['run_id']}/")
    final = home / record["run_id"]
    home.mkdir(parents=True, exist_ok=True)
    stage.rename(final)
    for name in LATEST_FILES:
        write_json(latest / name, read_json(final / name))
    _write(latest / "index.html", newest)
    write_index(workspace.reports)
    return latest / "index.html"


def publish_failure(workspace: Workspace, stage: Path, record: dict[str, Any]) -> Path:
    """Keep a failed run with its log and what its notebook reached, beside the good ones.

    Returns
    -------
    pathlib.Path
        The page that says what failed.
    """
    shutil.rmtree(stage / "processed", ignore_errors=True)
    write_json(stage / "manifest.json", record)
    (stage / "index.html").write_text(render_failure(stage, record), encoding="utf-8")
    final = workspace.reports / record["report"] / "failed" / record["run_id"]
    final.parent.mkdir(parents=True, exist_ok=True)
    stage.rename(final)
    write_index(workspace.reports)
    return final / "index.html"


def _move(new: Path, place: Path, old: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.exists():
        place.rename(old)
    new.rename(place)
    shutil.rmtree(old, ignore_errors=True)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
