"""Finds what has been published: the runs of a report, and one run by its id."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .errors import WrongUsage
from .manifest import read_json
from .workspace import Workspace

Record = dict[str, Any]


def good_runs(home: Path) -> list[tuple[Path, Record]]:
    """Return the good runs of a report with their manifests, oldest first by the time they ended.

    Parameters
    ----------
    home : pathlib.Path
        The folder of the report, `reports/<name>`.
    """
    return _by_end(path for path in home.glob("*/manifest.json") if path.parent.name != "latest")


def failed_runs(home: Path) -> list[tuple[Path, Record]]:
    """Return the failed runs of a report with their manifests, oldest first by the time they ended."""
    return _by_end(home.glob("failed/*/manifest.json"))


def _by_end(manifests) -> list[tuple[Path, Record]]:
    found = [(path.parent, read_json(path)) for path in manifests]
    ended = [(folder, record) for folder, record in found if isinstance(record, dict) and record.get("ended")]
    return sorted(ended, key=lambda run: (run[1]["ended"], run[1]["run_id"]))


def published(workspace: Workspace, name: str) -> bool:
    """Return whether a report has been published."""
    return (workspace.reports / name / "latest" / "manifest.json").is_file()


def find_run(workspace: Workspace, name: str) -> tuple[Path, Record]:
    """Return the folder and the manifest of a good run.

    Parameters
    ----------
    workspace : Workspace
        Where to look.
    name : str
        Its run id, the name of a report for its newest good run, or its folder.

    Raises
    ------
    WrongUsage
        When there is no such run, or it failed and so left no numbers.
    """
    for folder in _candidates(workspace, name):
        record = read_json(folder / "manifest.json")
        if record is None:
            continue
        if record["outcome"] != "success":
            raise WrongUsage(f"run {record['run_id']} ended as {record['outcome']}: it left no numbers")
        # `latest` holds the page and the numbers; the run's own folder beside it holds the rest
        folder = folder.parent / record["run_id"] if folder.name == "latest" else folder
        if folder.is_dir():
            return folder, record
    raise WrongUsage(f"there is no run '{name}': give a run id, the name of a report, or the folder of a run")


def find_home(workspace: Workspace, name: str) -> Path:
    """Return the folder of a report that has been published.

    Raises
    ------
    WrongUsage
        When no run of that name has been published.
    """
    for home in (workspace.reports / name, Path(name)):
        if (home / "latest" / "manifest.json").is_file():
            return home
    raise WrongUsage(f"no report '{name}' has been published: reports list")


def _candidates(workspace: Workspace, name: str) -> list[Path]:
    if Path(name).name != name or name in ("", ".", "..", "latest"):  # no name of a report or a run, but a folder
        return [Path(name), Path(name) / "latest"] if name else []
    homes = [home for level in ("*", "*/*") for home in workspace.reports.glob(level) if home.is_dir()]
    return [workspace.reports / name / "latest", *(home / name for home in homes), Path(name), Path(name) / "latest"]
