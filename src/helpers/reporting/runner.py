"""Runs one report: staged, executed in a process of its own, judged by its files, published in one step."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from helpers.data.refusal import InputRefused
from helpers.data.sources import fingerprint

from . import manifest as provenance
from .parameters import title
from .plan import PlannedReport
from .publication import is_published, publish_failure, publish_success
from .report import PROCESSED_FOLDER, RUN_FOLDER
from .workspace import Workspace

# One thread per kernel: reports run side by side, and BLAS threads that fight for two cores take up to 100
# times longer. The rest keeps a run apart from the habits of whoever started it.
KERNEL_ENVIRONMENT = {
    **dict.fromkeys(["OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"], "1"),
    "PYTHONHASHSEED": "0",
    "JUPYTER_PREFER_ENV_PATH": "1",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}


@dataclass(frozen=True)
class Run:
    """How one run ended.

    Parameters
    ----------
    report : str
        Name of the report.
    outcome : str
        `success`, `failed_contract`, `failed_notebook`, `failed_timeout`, `failed_kernel`, `failed_output`,
        `failed_publish` or `cancelled`.
    message : str
        What happened, in one line.
    page : pathlib.Path or None
        The page to open.
    up_to_date : bool
        Nothing was run, because the newest report already holds what a run would give.
    """

    report: str
    outcome: str
    message: str
    page: Path | None = None
    up_to_date: bool = False


Progress = Callable[[float], None]


def run_report(
    report: PlannedReport,
    workspace: Workspace,
    *,
    force: bool = False,
    on_progress: Progress = lambda share: None,
    cancelled: threading.Event | None = None,
) -> Run:
    """Run a report and publish it; keep it aside, with its log, when it fails.

    Parameters
    ----------
    report : PlannedReport
        What to run.
    workspace : Workspace
        Where to publish.
    force : bool
        Run even if nothing has changed since the last good run.
    on_progress : callable
        Told the share of cells that are done.
    cancelled : threading.Event, optional
        Set by whoever wants the run to stop.

    Returns
    -------
    Run
        Never raises for what a report can do wrong; that is an outcome.
    """
    started = datetime.now(UTC)
    git = workspace.git_state()
    record: dict[str, Any] = {
        "run_id": f"{started:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}",
        "report": report.name,
        "title": title(report.notebook),
        "notebook": report.notebook.name,
        "parameters": report.parameters,
        "seed": report.parameters.get("seed"),
        "git": git,
        "packages": provenance.packages(),
        "started": started.isoformat(timespec="seconds"),
    }
    stage = workspace.staging / record["run_id"]
    try:
        (stage / "processed").mkdir(parents=True)
    except OSError as error:
        return Run(report.name, "failed_publish", f"nothing can be written there: {error}")
    try:
        outcome, message = _attempt(report, workspace, stage, record, force, on_progress, cancelled)
        if outcome == "up_to_date":
            return Run(report.name, "success", message, _latest(workspace, report) / "index.html", up_to_date=True)
        ended = datetime.now(UTC)
        record |= {
            "ended": ended.isoformat(timespec="seconds"),
            "duration_seconds": round((ended - started).total_seconds(), 1),
            "outcome": outcome,
            "message": message,
        }
        return _publish(report, workspace, stage, record)
    finally:
        for leftover in workspace.staging.glob(f"{record['run_id']}*"):
            shutil.rmtree(leftover, ignore_errors=True)


def _attempt(report, workspace, stage, record, force, on_progress, cancelled) -> tuple[str, str]:
    """Execute the notebook into `stage`, complete `record`, and return the outcome with its message."""
    try:
        inputs = _fingerprints(report)
    except InputRefused as refusal:
        record["inputs"] = []
        return "failed_contract", str(refusal)
    record |= {"inputs": inputs, "run_key": provenance.run_key(report, inputs, record["git"], workspace)}
    # a changed working tree never matches: nobody knows what it was
    if not force and not record["git"]["dirty"] and is_published(workspace, report.name, record["run_key"]):
        return "up_to_date", "up to date"
    if changed := workspace.changed_raw():
        return "failed_contract", f"data/raw is not what its README lists: {', '.join(changed)}"
    raw_before = workspace.raw_state()
    outcome, message = _execute(report, stage, on_progress, cancelled)
    contents = provenance.read_json(stage / "contents.json") or {}
    record["label"] = contents.get("label", "")
    record["inputs"] = provenance.with_rows(inputs, contents.get("inputs", []))
    warned = provenance.kernel_warnings(stage / "notebook.ipynb")
    record["warnings"] = [*contents.get("warnings", []), *warned]
    if outcome == "success" and not {entry["sha256"] for entry in contents["inputs"]} <= {i["sha256"] for i in inputs}:
        return "failed_contract", "an input changed between the check and the reading: run it again"
    if outcome == "success" and workspace.raw_state() != raw_before:
        return "failed_output", "the run changed files in data/raw, which no run may write to"
    return outcome, message


def _fingerprints(report: PlannedReport) -> list[dict[str, Any]]:
    """Return what the files of every input are, as named in the plan or at the command line."""
    found = []
    for given in report.inputs():
        for entry in fingerprint(given.source, given.kind):
            path = entry["path"].removeprefix(f"{report.folder}/")
            found.append({"parameter": given.parameter, "name": given.kind, **entry, "path": path})
    return found


def _latest(workspace: Workspace, report: PlannedReport) -> Path:
    return workspace.reports / report.name / "latest"


def _execute(report: PlannedReport, stage: Path, on_progress: Progress, cancelled) -> tuple[str, str]:
    output = stage / "notebook.ipynb"
    order = {"notebook": str(report.notebook), "output": str(output), "parameters": report.parameters}
    order_file = stage / "order.json"
    order_file.write_text(json.dumps(order), encoding="utf-8")
    environment = (
        os.environ
        | KERNEL_ENVIRONMENT
        | {
            RUN_FOLDER: str(stage),
            PROCESSED_FOLDER: str(stage / "processed"),
            "IPYTHONDIR": str(stage / "ipython"),
            "JUPYTER_RUNTIME_DIR": str(stage / "runtime"),
        }
    )
    with (stage / "run.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "helpers.reporting.execution", str(order_file)],
            cwd=report.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
        listener = threading.Thread(target=_listen, args=(process, on_progress), daemon=True)
        listener.start()
        stopped = _wait(process, report.time_limit_minutes, cancelled)
        listener.join(timeout=5)
    for leftover in ("order.json", "ipython", "runtime"):
        _remove(stage / leftover)
    if stopped:
        return stopped
    ended = provenance.read_json(stage / "execution.json")
    _remove(stage / "execution.json")
    return judge(stage, ended)


def _listen(process: subprocess.Popen, on_progress: Progress) -> None:
    for line in process.stdout:
        try:
            progress = json.loads(line)
            on_progress(progress["cell"] / progress["of"])
        except (ValueError, KeyError, TypeError):
            continue


def _wait(process: subprocess.Popen, limit_minutes: float, cancelled) -> tuple[str, str] | None:
    """Wait for a run; stop its whole process group at the limit or on request, and say so."""
    deadline = time.monotonic() + 60 * limit_minutes
    while process.poll() is None:
        if cancelled is not None and cancelled.is_set():
            _stop(process)
            return "cancelled", "stopped on request"
        if time.monotonic() > deadline:
            _stop(process)
            return "failed_timeout", f"still running after {limit_minutes:g} minutes (time_limit_minutes): stopped"
        time.sleep(0.1)
    return None


def _stop(process: subprocess.Popen) -> None:
    for step in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, step)
            process.wait(timeout=5)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def judge(stage: Path, ended: dict[str, Any] | None) -> tuple[str, str]:
    """Return the outcome of a run and a line about it, from the files that the run left.

    Parameters
    ----------
    stage : pathlib.Path
        The staged report.
    ended : dict or None
        What the executing process said at its end; None when it did not get there.
    """
    if ended is None and not (stage / "notebook.ipynb").is_file():
        return "failed_kernel", f"the run could not start: {last_line(stage / 'run.log')}"
    if ended is None or ended["ended"] == "kernel_died":
        return "failed_kernel", "the kernel died: often it ran out of memory (run.log holds its last words)"
    if ended["ended"] == "timed_out":
        return "failed_timeout", "a cell ran longer than it may"
    if ended["ended"] == "cell_raised":
        if ended["error_name"] == InputRefused.__name__:
            return "failed_contract", ended["error_value"]
        return "failed_notebook", f"cell {ended['cell']} raised {ended['error_name']}: {ended['error_value']}"
    missing = missing_output(stage)
    return ("failed_output", missing) if missing else ("success", "published")


def last_line(log: Path) -> str:
    """Return the last line of a log, which for Python is the error itself."""
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() if log.is_file() else []
    return lines[-1] if lines else "no word of why"


def missing_output(stage: Path) -> str | None:
    """Return what a run that came to its end failed to leave, or None when all is there."""
    notebook = provenance.read_json(stage / "notebook.ipynb") or {"cells": []}
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    if not code or code[-1].get("execution_count") is None:
        return "the notebook ended before its last cell"
    results = provenance.read_json(stage / "results.json")
    contents = provenance.read_json(stage / "contents.json")
    if not results or not contents:
        return "the notebook left no results.json: its last cell must call report.finish()"
    for name, entry in results.items():
        if set(entry) != {"value", "low", "high", "unit", "text"} or not entry["text"]:
            return f"results.json: '{name}' needs value, low, high, unit and text"
    wanted = [stage / "tables" / f"{name}.csv" for name in contents["tables"]]
    wanted += [stage / "figures" / f"{name}.svg" for name in contents["figures"]]
    wanted += [stage / "processed" / f"{name}.parquet" for name in contents["processed"]]
    gone = [path.name for path in wanted if not path.is_file()]
    return f"these files are missing: {', '.join(gone)}" if gone else None


def _publish(report: PlannedReport, workspace: Workspace, stage: Path, record: dict[str, Any]) -> Run:
    if record["outcome"] == "success":
        try:
            page = publish_success(workspace, stage, record)
            return Run(report.name, "success", record["message"], page)
        except Exception as error:  # whatever stops a page from being published is an outcome, not a traceback
            record |= {"outcome": "failed_publish", "message": f"could not be published: {error!r}"}
    try:
        page = publish_failure(workspace, stage, record)
    except OSError as error:
        return Run(report.name, record["outcome"], f"{record['message']}; nor could the failure be kept: {error}")
    return Run(report.name, record["outcome"], record["message"], page)
