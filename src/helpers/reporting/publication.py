"""Puts a finished run where readers find it, in an order that never shows them half a report.

A run is published by one renaming: that of its folder. What follows, the derived tables and `latest`, is staged
beside it, so that whoever comes next can finish the work of a process that was killed in between.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .changes import changes_since
from .index import write_index
from .lock import held
from .manifest import read_json, write_json, write_text
from .pages import render_failure
from .staging import Stage
from .watchdog import end_processes
from .workspace import Workspace

# The manifest is last: with it a page counts as published.
_SHOWN = ("index.html", "results.json", "manifest.json")
KILLED = "the run ended before it could say how: it was killed, or the disk was full"


def prepare(stage: Stage, record: dict[str, Any]) -> None:
    """Complete a staged run: after this nothing but renaming is left to do.

    Pages are rendered, and every folder that will change is written to. The manifest is last: it says that the stage
    is ready.
    """
    from .rendering import render_report  # brings nbconvert, which what is up to date or fails has no use for

    latest = stage.home / "latest"
    changes = changes_since(latest, stage.report, record)
    record["changed"] = changes.summary()
    from_latest = f"../{stage.run_id}/"
    page = render_report(stage.report, record, changes, from_latest)
    write_text(stage.latest / "index.html", page)
    shutil.copyfile(stage.report / "results.json", stage.latest / "results.json")
    write_json(stage.latest / "manifest.json", record)
    write_text(stage.report / "index.html", page.replace(f'href="{from_latest}', 'href="'))
    for place in (stage.home, latest, stage.workspace.processed / stage.name):
        _prove_writable(place)
    for folder in (stage.folder, stage.processed):
        _sync(folder)
    write_json(stage.report / "manifest.json", record)


def commit(stage: Stage) -> Path:
    """Move a run into place, then what others derive from, then `latest`; or what is left of that to do.

    Returns
    -------
    pathlib.Path
        The newest page of the report.
    """
    final = stage.home / stage.run_id
    if stage.report.is_dir():
        stage.report.rename(final)
    processed = stage.workspace.processed / stage.name
    processed.mkdir(parents=True, exist_ok=True)
    for path in stage.processed.iterdir() if stage.processed.is_dir() else ():
        if path.is_dir() and (processed / path.name).is_dir():
            shutil.rmtree(processed / path.name)
        path.replace(processed / path.name)
    contents = read_json(final / "contents.json")
    for path in processed.glob("*.parquet") if contents else ():
        if path.stem not in contents["processed"]:
            path.unlink()
    latest = stage.home / "latest"
    latest.mkdir(exist_ok=True)
    for name in _SHOWN:
        if (stage.latest / name).is_file():
            (stage.latest / name).replace(latest / name)
    return latest / "index.html"


def keep_failure(stage: Stage, record: dict[str, Any]) -> Path:
    """Keep a failed run with its log and what its notebook reached, beside the good ones.

    Returns
    -------
    pathlib.Path
        The page that says what failed.
    """
    shutil.rmtree(stage.processed, ignore_errors=True)
    for part in stage.report.glob("*.part"):
        part.unlink()
    write_json(stage.report / "manifest.json", record)
    write_text(stage.report / "index.html", render_failure(stage.report, record))
    final = stage.home / "failed" / stage.run_id
    final.parent.mkdir(parents=True, exist_ok=True)
    stage.report.rename(final)
    return final / "index.html"


def recover(stage: Stage) -> dict[str, Any] | None:
    """Finish what a killed run left: publish it if it was ready, keep it as a failed run otherwise.

    Only for the holder of the report's lock, who knows that nobody works there.

    Returns
    -------
    dict or None
        The run's manifest; None where nothing was left that could be told.
    """
    end_processes(stage.report)
    places = (stage.report, stage.home / stage.run_id, stage.home / "failed" / stage.run_id)
    record = next((found for place in places if (found := read_json(place / "manifest.json"))), None)
    newest = read_json(stage.home / "latest" / "manifest.json") or {"run_id": ""}
    if record and record["outcome"] == "success" and record["run_id"] >= newest["run_id"]:
        commit(stage)
    elif record and stage.report.is_dir():
        for path in stage.report.iterdir() if record.get("secrets") else ():
            if path.is_dir():  # nobody has looked for secrets there
                shutil.rmtree(path)
            elif path.name != "manifest.json":
                path.unlink()
        moment = datetime.fromtimestamp(stage.report.stat().st_mtime, UTC)
        if record["outcome"] == "success":
            record |= {"outcome": "cancelled", "message": "not published: a newer run was published before it"}
        record["ended"] = moment.isoformat(timespec="seconds")
        record["duration_seconds"] = (moment - datetime.fromisoformat(record["started"])).total_seconds()
        keep_failure(stage, record)
    return record


def published_run(workspace: Workspace, report: str, run_key: str) -> str | None:
    """Return the newest good run of a report if it has this key, and all that it published is still there."""
    home = workspace.reports / report
    record = read_json(home / "latest" / "manifest.json") or {}
    contents = read_json(home / record.get("run_id", "") / "contents.json")
    if record.get("run_key") != run_key or contents is None:
        return None
    needed = [home / folder / name for folder in ("latest", record["run_id"]) for name in _SHOWN]
    needed += [workspace.processed / report / f"{name}.parquet" for name in contents["processed"]]
    return record["run_id"] if all(path.is_file() for path in needed) else None


def refresh_index(reports: Path, ran: str | None = None) -> None:
    """Write the index of a folder of reports: the last writer has seen what all have published.

    Parameters
    ----------
    reports : pathlib.Path
        The folder.
    ran : str, optional
        The report whose history is written; without it, that of each.

    Raises
    ------
    OSError, Busy
        When it cannot be written.
    """
    with index_held(reports):
        write_index(reports, ran)


@contextmanager
def index_held(reports: Path) -> Iterator[None]:
    """Be the only writer of the index and the histories; parts of them that a killed one left are removed first."""
    with held(reports / ".locks" / "index.html.lock", wait_seconds=60):
        for part in (*reports.glob("index.html.*.part"), *reports.glob("*/history.*.part")):
            part.unlink()
        yield


def _prove_writable(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    proof = folder / ".proof.part"  # one name: the next run removes what a killed one left
    proof.touch()
    proof.unlink()


def _sync(folder: Path) -> None:
    """See to it that what is renamed next is on the disk, not only on its way there."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
