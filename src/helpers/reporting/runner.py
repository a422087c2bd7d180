"""Runs one report: staged, executed in a process of its own, judged by its files, published in one step."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from helpers.data.refusal import InputRefused, without_values
from helpers.data.sources import fingerprint

from . import journal
from . import manifest as provenance
from .errors import WrongUsage
from .lock import Busy, held
from .parameters import title
from .plan import PlannedReport, read_plan, refuse_outside
from .publication import KILLED, commit, keep_failure, prepare, published_run, recover, refresh_index
from .report import PROCESSED_FOLDER, RUN_FOLDER
from .secret import SHORTEST, missing, redact
from .staging import Stage, abandoned
from .watchdog import GIB, watch
from .workspace import Workspace

# One thread per kernel: reports run side by side, and BLAS threads that fight for two cores take up to 100
# times longer. The rest keeps a run apart from the habits of whoever started it.
KERNEL_ENVIRONMENT = {
    **dict.fromkeys(["OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"], "1"),
    "PYTHONHASHSEED": "0",
    "JUPYTER_PREFER_ENV_PATH": "1",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}

# By it a notebook knows that someone watches it, and shows progress bars; a run started in JupyterLab would inherit it.
WATCHED = "JPY_SESSION_NAME"

# What may go better the next time; a cell that raised or data that are refused will not.
REPEATED = ("failed_timeout", "failed_kernel", "failed_publish")

RETRY_PAUSE_SECONDS = 10.0  # for a full disk or a busy machine to recover

LONGEST_SOCKET_PATH = 100  # Linux allows 107 bytes, macOS 103


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
    record : dict
        What is known of the run: its manifest, as far as it got.
    remarks : tuple of str
        What went wrong beside the run and changed nothing of it: the journal, the index, the on_failure command.
    """

    report: str
    outcome: str
    message: str
    page: Path | None = None
    up_to_date: bool = False
    record: dict[str, Any] | None = None
    remarks: tuple[str, ...] = ()


Progress = Callable[[float], None]


def run_report(
    report: PlannedReport,
    workspace: Workspace,
    *,
    force: bool = False,
    wait_seconds: float = 0.0,
    on_progress: Progress = lambda share: None,
    cancelled: threading.Event | None = None,
) -> Run:
    """Run a report and publish it; keep it aside, with its log, when it fails.

    What a killed run left is cleared up first. A run that timed out, lost its kernel or could not be published is
    repeated as often as `report.retries` allows; each attempt is a run of its own, and kept.

    Parameters
    ----------
    report : PlannedReport
        What to run.
    workspace : Workspace
        Where to publish.
    force : bool
        Run even if nothing has changed since the last good run.
    wait_seconds : float
        How long to wait for another run of the same report to end.
    on_progress : callable
        Told the share of cells that are done.
    cancelled : threading.Event, optional
        Set by whoever wants the run to stop.

    Returns
    -------
    Run
        Never raises for what a report can do wrong; that is an outcome.
    """
    remarks: list[str] = []
    try:
        with held(workspace.reports / ".locks" / f"{report.name}.lock", wait_seconds, cancelled):
            for attempt in range(1, report.retries + 2):
                for stage in abandoned(workspace, report.name):
                    if _write_down_recovered(stage, recover(stage), report, remarks):
                        stage.remove()
                run = _attempt(report, workspace, attempt, force, on_progress, cancelled)
                written = _write_down(run, workspace, remarks)
                if written and run.page and not run.up_to_date:
                    Stage(workspace, report.name, run.record["run_id"]).remove()
                if run.outcome not in REPEATED or attempt > report.retries:
                    break
                if (cancelled or threading.Event()).wait(RETRY_PAUSE_SECONDS):
                    break
    except Busy as owner:
        run = Run(report.name, "cancelled", f"not run: another run of this report is under way ({owner})")
        _write_down(run, workspace, remarks)
    except OSError as error:
        run = Run(report.name, "failed_publish", f"nothing can be written there: {error}")
        _write_down(run, workspace, remarks)
    except Exception as error:  # one report must not end the whole plan
        run = Run(report.name, "failed_output", f"not run, because of an unexpected {type(error).__name__}")
        _write_down(run, workspace, remarks)
    return tell_of_failure(replace(run, remarks=tuple(remarks)), report, workspace)


def not_run(report: PlannedReport, workspace: Workspace, why: str) -> Run:
    """Write down that a report was not run."""
    remarks: list[str] = []
    run = Run(report.name, "cancelled", f"not run: {why}")
    _write_down(run, workspace, remarks)
    return tell_of_failure(replace(run, remarks=tuple(remarks)), report, workspace)


def tell_of_failure(run: Run, report: PlannedReport, workspace: Workspace) -> Run:
    """Give the outcome of a run that is no success to the report's `on_failure` command."""
    if run.outcome == "success" or not report.on_failure:
        return run
    told = _entry(run, workspace) | {"reports": str(workspace.reports)}
    wrong = journal.tell(report.on_failure, told, workspace.root)
    return replace(run, remarks=(*run.remarks, wrong)) if wrong else run


def _write_down(run: Run, workspace: Workspace, remarks: list[str]) -> bool:
    """Put a run into the journal and on the index; return whether the journal has it."""
    if run.page and not run.up_to_date:
        _refresh_index(run, workspace, remarks)
    try:
        journal.append(workspace.reports, _entry(run, workspace))
    except OSError as error:
        remarks.append(f"the journal could not be written: {error}")
        return False
    if not run.page:  # the index has it from the journal
        _refresh_index(run, workspace, remarks)
    return True


def _refresh_index(run: Run, workspace: Workspace, remarks: list[str]) -> None:
    """Write what derives from the published runs; whatever stops that takes no run back."""
    try:
        refresh_index(workspace.reports, run.report)
    except (OSError, Busy) as error:
        remarks.append(f"the index could not be written: {error}")
    except Exception as error:
        remarks.append(f"the index could not be written: {error!r}")


def _write_down_recovered(
    stage: Stage, record: dict[str, Any] | None, report: PlannedReport, remarks: list[str]
) -> bool:
    """Put a run that was killed into the journal and tell of it, unless it got as far as that itself."""
    known = {entry.get("run_id") for entry in journal.read(stage.workspace.reports)}
    if record is None or record["run_id"] in known:
        return True
    page = stage.home / ("latest" if record["outcome"] == "success" else f"failed/{stage.run_id}") / "index.html"
    run = Run(stage.name, record["outcome"], record["message"], page, record=record)
    written = _write_down(run, stage.workspace, remarks)
    remarks += tell_of_failure(run, report, stage.workspace).remarks if written else ()
    return written


def _entry(run: Run, workspace: Workspace) -> dict[str, Any]:
    """Return what the journal keeps of a run: its page as seen from the reports, no quoted values of the data."""
    record = run.record or {}
    kept = ("run_id", "run_key", "attempt", "started", "ended", "duration_seconds", "peak_memory_gib")
    return {
        "moment": datetime.now(UTC).isoformat(timespec="seconds"),
        "report": run.report,
        "outcome": run.outcome,
        "skipped": run.up_to_date,
        "message": without_values(run.message),
        "page": run.page.relative_to(workspace.reports).as_posix() if run.page else None,
        **{name: record.get(name) for name in kept},
    }


def _attempt(report, workspace, *options) -> Run:
    """Make one attempt; what stops it before there is anything to keep is an outcome too."""
    try:
        return _staged(report, workspace, *options)
    except OSError as error:
        return Run(report.name, "failed_publish", f"the run could not be carried out: {error}")


def _staged(report, workspace, attempt, force, on_progress, cancelled) -> Run:
    started = datetime.now(UTC)
    record: dict[str, Any] = {
        "run_id": f"{started:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}",
        "report": report.name,
        "title": title(report.notebook),
        "notebook": report.notebook.name,
        "parameters": report.parameters,
        "seed": report.parameters.get("seed"),
        "git": workspace.git_state(),
        "packages": provenance.packages(),
        "environment": provenance.installed(),
        **provenance.made_with(report.notebook, workspace),
        "attempt": attempt,
        "label": "",
        "inputs": [],
        "warnings": [],
        "started": started.isoformat(timespec="seconds"),
        # true of a run that is killed; whoever finds it here keeps it so
        "outcome": "cancelled",
        "message": KILLED,
    }
    refused = _read_inputs(report, workspace, record)
    # a changed working tree never matches: nobody knows what it was
    if not refused and not force and not record["git"]["dirty"]:
        if run_id := published_run(workspace, report.name, record["run_key"]):
            page = workspace.reports / report.name / "latest" / "index.html"
            said = f"unchanged since {run_id}, not run again"
            return Run(report.name, "success", said, page, up_to_date=True, record={"run_key": record["run_key"]})
    stage = Stage(workspace, report.name, record["run_id"])
    stage.create()
    provenance.write_json(stage.report / "manifest.json", record)
    try:
        outcome, message = refused or _outcome(report, stage, record, on_progress, cancelled)
        ended = datetime.now(UTC)
        record |= {
            "ended": ended.isoformat(timespec="seconds"),
            "duration_seconds": round((ended - started).total_seconds(), 1),
            "outcome": outcome,
            "message": message,
        }
        return _publish(report, stage, record)
    except BaseException:
        stage.remove()
        raise


def _read_inputs(report: PlannedReport, workspace: Workspace, record: dict[str, Any]) -> tuple[str, str] | None:
    """Complete `record` with what goes into the run; return why it is refused."""
    try:
        refuse_outside(report)
        record["inputs"] = _fingerprints(report)
    except InputRefused as refusal:
        return "failed_contract", str(refusal)
    record["run_key"] = provenance.run_key(report, record["inputs"], record["git"], workspace)
    if names := _secrets_in_reach(report, workspace):
        record["secrets"] = names
    if absent := missing(report.secret_variables()):
        said = f"secrets are read from the environment, which lacks {', '.join(absent)}"
        return "failed_contract", f"{said} (or holds fewer than {SHORTEST} characters there)"
    if changed := workspace.changed_raw():
        return "failed_contract", f"data/raw is not what its README lists: {', '.join(changed)}"
    return None


def _secrets_in_reach(report: PlannedReport, workspace: Workspace) -> list[str]:
    """Return the environment variables with secrets that a kernel can read: the report's, and those of all the plan."""
    try:
        plan = read_plan(workspace).values()
    except WrongUsage:  # of no concern to a notebook that is run by itself
        plan = ()
    others = {name for other in plan for name in other.secret_variables()}
    own = report.secret_variables()
    return [*own, *sorted(others - {*own, *missing([*others])})]


def _fingerprints(report: PlannedReport) -> list[dict[str, Any]]:
    """Return what the files of every input are, as named in the plan or at the command line."""
    found = []
    for given in report.inputs():
        for entry in fingerprint(given.source, given.kind):
            path = entry["path"].removeprefix(f"{report.folder}/")
            found.append({"parameter": given.parameter, "name": given.kind, **entry, "path": path})
    return found


def _outcome(report, stage, record, on_progress, cancelled) -> tuple[str, str]:
    """Return how the execution went, whatever the notebook left; what cannot be told from that stands in the log."""
    try:
        return _execute(report, stage, record, on_progress, cancelled)
    except OSError as error:
        return "failed_publish", f"the run could not be carried out: {error}"
    except Exception as error:
        with suppress(OSError), (stage.report / "run.log").open("a", encoding="utf-8", errors="replace") as log:
            traceback.print_exc(file=log)
        return "failed_output", f"what the run left could not be judged: {type(error).__name__} (run.log says where)"


def _execute(report, stage, record, on_progress, cancelled) -> tuple[str, str]:
    """Execute the notebook into the stage, complete `record`, and return the outcome with its message."""
    raw = [report.folder / entry["path"] for entry in record["inputs"]]
    raw_before = stage.workspace.raw_state(raw)
    outcome, message = _run_notebook(report, stage, record, on_progress, cancelled)
    contents = provenance.read_json(stage.report / "contents.json") or {}
    inputs = record["inputs"]
    record["label"] = contents.get("label", "")
    record["inputs"] = provenance.with_rows(inputs, contents.get("inputs", []))
    warned = provenance.kernel_warnings(stage.report / "notebook.ipynb")
    record["warnings"] += [*contents.get("warnings", []), *warned]
    if outcome == "success" and (said := _not_fingerprinted(contents["inputs"], inputs)):
        return "failed_contract", said
    if outcome == "success" and (changed := _differing(raw_before, stage.workspace.raw_state(raw))):
        return "failed_output", f"data/raw changed during the run: {', '.join(changed)}"
    return outcome, message


def _differing(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return sorted(name for name in before | after if before.get(name) != after.get(name))


def _not_fingerprinted(read: list[dict[str, Any]], found: list[dict[str, Any]]) -> str:
    """Say what the notebook read that is none of the inputs as found before; empty where there is nothing."""
    other = [entry for entry in read if entry["sha256"] not in {one["sha256"] for one in found}]
    unnamed = sorted({entry["name"] for entry in other} - {entry["name"] for entry in found})
    if unnamed:
        return f"the notebook read an input that none of its parameters names ({', '.join(unnamed)})"
    return "an input changed between the check and the reading: run it again" if other else ""


def _run_notebook(report, stage, record, on_progress, cancelled) -> tuple[str, str]:
    stage.sockets.mkdir(mode=0o700)
    sockets = str(stage.sockets / "k")
    order = {
        "notebook": str(report.notebook),
        "output": str(stage.report / "notebook.ipynb"),
        "parameters": report.parameters,
        "sockets": sockets if hasattr(socket, "AF_UNIX") and len(os.fsencode(sockets)) < LONGEST_SOCKET_PATH else None,
    }
    order_file = stage.folder / "order.json"
    order_file.write_text(json.dumps(order), encoding="utf-8")
    environment = (
        {name: value for name, value in os.environ.items() if name != WATCHED}
        | KERNEL_ENVIRONMENT
        | {
            RUN_FOLDER: str(stage.report),
            PROCESSED_FOLDER: str(stage.processed),
            "IPYTHONDIR": str(stage.folder / "ipython"),
            "JUPYTER_RUNTIME_DIR": str(stage.folder / "runtime"),
            "TMPDIR": str(stage.sockets),  # a process that is killed leaves its temporary files
        }
    )
    with (stage.report / "run.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "helpers.reporting.execution", str(order_file)],
            cwd=report.folder,
            env=environment,
            stdin=subprocess.PIPE,  # never written to: it ends with this process, and the run with it
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
    # Meanwhile, for what comes next: it takes longer than a notebook that does nothing.
    threading.Thread(target=import_module, args=["helpers.reporting.rendering"], daemon=True).start()
    with process.stdin, process.stdout:
        listener = threading.Thread(target=_listen, args=(process, on_progress), daemon=True)
        listener.start()
        limits = {"minutes": report.time_limit_minutes, "memory_gib": report.memory_limit_gib}
        watched = watch(process, stage.report, **limits, cancelled=cancelled)
        listener.join(timeout=5)
    shutil.rmtree(stage.sockets, ignore_errors=True)
    record["peak_memory_gib"] = round(watched.peak_bytes / GIB, 3)
    for folder in (stage.folder, stage.processed):
        for name in redact(folder, record.get("secrets", [])):
            record["warnings"].append(f"a secret was written to {name}, and taken out")
    return watched.stopped or judge(stage, provenance.read_json(stage.folder / "execution.json"))


def _listen(process: subprocess.Popen, on_progress: Progress) -> None:
    for line in process.stdout:
        try:
            progress = json.loads(line)
            on_progress(progress["cell"] / progress["of"])
        except (ValueError, KeyError, TypeError):
            continue


def judge(stage: Stage, ended: dict[str, Any] | None) -> tuple[str, str]:
    """Return the outcome of a run and a line about it, from the files that the run left.

    Parameters
    ----------
    stage : Stage
        Where the run is prepared.
    ended : dict or None
        What the executing process said at its end; None when it did not get there.
    """
    if ended is None and not (stage.report / "notebook.ipynb").is_file():
        return "failed_kernel", f"the run could not start: {last_error(stage.report / 'run.log') or 'see run.log'}"
    if ended is None and (error := last_error(stage.report / "run.log")):
        return "failed_kernel", f"the run broke off: {error} (run.log holds its last words)"
    if ended is None or ended["ended"] == "kernel_died":
        return "failed_kernel", "the kernel died: often it ran out of memory (run.log holds its last words)"
    if ended["ended"] == "timed_out":
        return "failed_timeout", "a cell ran longer than it may"
    if ended["ended"] == "cell_raised":
        if ended["error_name"] == InputRefused.__name__:
            return "failed_contract", ended["error_value"]
        # not what the error says, which may quote the data: the message stands on pages and goes to other programs
        return "failed_notebook", f"cell {ended['cell']} raised {ended['error_name']} (the notebook has its words)"
    unmade = missing_output(stage)
    return ("failed_output", unmade) if unmade else ("success", "published")


def last_error(log: Path) -> str:
    """Return the name of the error that ended a log, and the system's words for its number; empty where there is none.

    Never what the error says, which may quote the data.
    """
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() if log.is_file() else []
    error = re.match(r"(?:\w+\.)*(\w*(?:Error|Exception))(?=:|$)(?:: \[Errno (\d{1,3})\])?", lines[-1] if lines else "")
    if not error:
        return ""
    return f"{error[1]}: {os.strerror(int(error[2]))}" if error[2] else error[1]


def missing_output(stage: Stage) -> str | None:
    """Return what a run that came to its end failed to leave, or None when all is there."""
    notebook = provenance.read_json(stage.report / "notebook.ipynb") or {"cells": []}
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    if not code or code[-1].get("execution_count") is None:
        return "the notebook ended before its last cell"
    results = provenance.read_json(stage.report / "results.json")
    contents = provenance.read_json(stage.report / "contents.json")
    if not results or not contents:
        return "the notebook left no results.json: its last cell must call report.finish()"
    for name, entry in results.items():
        if not isinstance(entry, dict) or set(entry) != {"value", "low", "high", "unit", "text"} or not entry["text"]:
            return f"results.json: '{name}' needs value, low, high, unit and text"
    wanted = [stage.report / "tables" / f"{name}.csv" for name in contents["tables"]]
    wanted += [stage.report / "figures" / f"{name}.svg" for name in contents["figures"]]
    wanted += [stage.processed / f"{name}.parquet" for name in contents["processed"]]
    gone = [path.name for path in wanted if not path.is_file()]
    return f"these files are missing: {', '.join(gone)}" if gone else None


def _publish(report: PlannedReport, stage: Stage, record: dict[str, Any]) -> Run:
    """Publish a run, or keep it as a failed one; what can be neither stays staged, for the next run to finish."""
    if record["outcome"] == "success":
        try:
            prepare(stage, record)
            return Run(report.name, "success", record["message"], commit(stage), record=record)
        except Exception as error:  # whatever stops a page from being published is an outcome, not a traceback
            record |= {"outcome": "failed_publish", "message": f"could not be published: {error!r}"}
    if not stage.report.is_dir():
        said = f"{record['message']}; the next run finishes it"
        return Run(report.name, record["outcome"], said, record=record)
    try:
        return Run(report.name, record["outcome"], record["message"], keep_failure(stage, record), record=record)
    except OSError as error:
        said = f"{record['message']}; nor could the failure be kept: {error}"
        return Run(report.name, record["outcome"], said, record=record)
