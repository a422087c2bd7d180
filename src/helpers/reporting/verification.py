"""Runs a published report again, and says whether its numbers are the same."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from helpers.data.refusal import InputRefused
from helpers.data.sources import fingerprint

from . import csv_files
from .changes import as_number, changes_between, same
from .manifest import read_json
from .plan import PlannedReport, planned, read_plan
from .runner import run_report
from .workspace import Workspace


@dataclass(frozen=True)
class Difference:
    """A cell that differs: the file and the place in it, what stood there, what came now (None: nothing)."""

    place: str
    before: Any
    now: Any

    def __str__(self) -> str:
        then, today = ("nothing" if value is None else str(value) for value in (self.before, self.now))
        return f"{self.place}: {then} → {today}"


@dataclass(frozen=True)
class Verification:
    """What came of running a report again.

    Parameters
    ----------
    problem : str
        Why nothing could be compared; empty where it could.
    differences : list of Difference
        What is not the same within the tolerance; empty where the report is reproduced.
    made_of : list of str
        What the second run was made of that the first was not: code, versions.
    numbers, tables : int
        How many headline numbers and tables were compared.
    """

    problem: str = ""
    differences: list[Difference] = field(default_factory=list)
    made_of: list[str] = field(default_factory=list)
    numbers: int = 0
    tables: int = 0

    @property
    def reproduced(self) -> bool:
        """Return whether the same numbers came out."""
        return not self.problem and not self.differences


def verify(folder: Path, record: dict[str, Any], workspace: Workspace, tolerance: float = 0.0) -> Verification:
    """Run the notebook of a good run again, with its parameters and inputs, and compare what comes out.

    The notebook is the one that was executed, kept beside the report; the code and the packages are those of today.
    Nothing is published.

    Parameters
    ----------
    folder : pathlib.Path
        The folder of the run.
    record : dict
        Its manifest.
    workspace : Workspace
        Where relative inputs lie, unless they lie where the caller stands.
    tolerance : float
        By how much two numbers may differ, relative to the larger; 0 for not at all.
    """
    try:
        report = _again(folder, record, workspace)
    except InputRefused as refusal:
        return Verification(str(refusal))
    if isinstance(report, str):
        return Verification(report)
    with tempfile.TemporaryDirectory() as temporary:
        place = Workspace(workspace.root, Path(temporary, "reports"), Path(temporary, "processed"))
        run = run_report(report, place, force=True)
        if run.outcome != "success":
            return Verification(f"run again it ended as {run.outcome}: {run.message}")
        now = read_json(run.page.parent / "manifest.json")
        again = place.reports / report.name / now["run_id"]
        made_of = changes_between(folder, record, again, now | {"notebook": record["notebook"]}).made_of
        numbers = read_json(folder / "results.json") or {}
        tables = sorted(path.name for path in (folder / "tables").glob("*.csv"))
        return Verification(
            differences=differences(folder, again, tolerance),
            made_of=made_of,
            numbers=len(numbers),
            tables=len(tables),
        )


def _again(folder: Path, record: dict[str, Any], workspace: Workspace) -> PlannedReport | str:
    """Return the report as it was run, or why its inputs are no longer what they were."""
    notebook = folder / "notebook.ipynb"
    report = planned(record["report"], notebook, record["parameters"], folder=workspace.root)
    if like := read_plan(workspace).get(record["report"]):
        # nothing else: a run may have read files from outside, and nobody waits to be told of this one
        report = replace(report, time_limit_minutes=like.time_limit_minutes, memory_limit_gib=like.memory_limit_gib)
    wanted = {entry["sha256"]: f"{entry['parameter']}: {entry['path']}" for entry in record["inputs"]}
    problems = []
    for start in dict.fromkeys([workspace.root, Path.cwd()]):  # of a plan, or named at the command line
        report = replace(report, folder=start)
        try:
            found = {e["sha256"] for given in report.inputs() for e in fingerprint(given.source, given.kind)}
        except InputRefused as refusal:
            problems.append(str(refusal))
            continue
        if found == set(wanted):
            return report
        changed = [name for digest, name in wanted.items() if digest not in found] or ["there are more files"]
        problems.append(f"not run again: inputs are no longer what they were: {', '.join(changed)}")
    return problems[0]


def differences(before: Path, now: Path, tolerance: float = 0.0) -> list[Difference]:
    """Return what differs between the headline numbers and the tables of two run folders.

    Parameters
    ----------
    before, now : pathlib.Path
        The folders.
    tolerance : float
        By how much two numbers may differ, relative to the larger.
    """
    old, new = read_json(before / "results.json") or {}, read_json(now / "results.json") or {}
    found = []
    for name in old | new:
        then, today = old.get(name) or {}, new.get(name) or {}
        found += [
            Difference(f"results.json, {name}, {part}", then.get(part), today.get(part))
            for part in then | today
            if not _alike(then.get(part), today.get(part), tolerance)
        ]
    for name in sorted({path.name for folder in (before, now) for path in (folder / "tables").glob("*.csv")}):
        found += _table_differences(before / "tables" / name, now / "tables" / name, tolerance)
    return found


def _table_differences(before: Path, now: Path, tolerance: float) -> list[Difference]:
    name = f"tables/{before.name}"
    if not (before.is_file() and now.is_file()):
        return [Difference(name, *("a table" if path.is_file() else None for path in (before, now)))]
    (header, *old), (columns, *new) = csv_files.read(before), csv_files.read(now)
    if header != columns:
        return [Difference(f"{name}, columns", ", ".join(header), ", ".join(columns))]
    if len(old) != len(new):
        return [Difference(f"{name}, rows", len(old), len(new))]
    return [
        Difference(f"{name}, row {row}, {column}", then, today)
        for row, (then_row, today_row) in enumerate(zip(old, new, strict=True), start=1)
        for column, then, today in zip(header, then_row, today_row, strict=False)
        if not _alike(then, today, tolerance)
    ]


def _alike(then: Any, today: Any, tolerance: float) -> bool:
    if then == today:
        return True
    numbers = as_number(then), as_number(today)
    return None not in numbers and same(*numbers, tolerance)


def largest(found: list[Difference]) -> float | None:
    """Return the largest relative difference; None where something other than a number differs."""
    pairs = [(as_number(difference.before), as_number(difference.now)) for difference in found]
    if any(None in pair for pair in pairs):
        return None
    return max(abs(then - today) / max(abs(then), abs(today)) for then, today in pairs)
