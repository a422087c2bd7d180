"""What unattended runs cost and survive: faults, the runner beside plain papermill, reports beside each other.

Run by `make bench`, with four reports of the plan; `--plan` takes others, `--plan all` the whole plan. Faults are kills
at random moments of a whole run of a small notebook, of the kernel, the process that executes, the runner, or all of
them at once. One is survived when the last good report is whole afterwards, no process is left, and the next run
publishes.
"""

import argparse
import json
import os
import random
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import nbformat
import pandas as pd
import psutil

from helpers.reporting.batch import run_all
from helpers.reporting.plan import read_plan
from helpers.reporting.staging import abandoned
from helpers.reporting.workspace import Workspace

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).with_suffix(".csv")
REPORTS = [sys.executable, "-c", "from helpers.reporting.commands import main; main()"]
WITHOUT_HTML = """
import sys, types
empty = types.ModuleType("empty")
empty.__getattr__ = lambda name: lambda *_, **__: "<html></html>"  # whatever is asked for
sys.modules["helpers.reporting.pages"] = sys.modules["helpers.reporting.rendering"] = empty
from helpers.reporting.commands import main
main()"""
PAPERMILL = [sys.executable, "-m", "papermill"]
FOUR = ["lifetime_value", "satisfaction_index", "kano", "referral_value"]
TARGETS = ("kernel", "executing process", "runner", "all at once")
LEAVES = """import json, os, pathlib
left = pathlib.Path(os.environ.get("HELPERS_RUN_FOLDER", "."))
derived = pathlib.Path(os.environ.get("HELPERS_PROCESSED_FOLDER", "."))
contents = {"label": "", "tables": ["t"], "figures": [], "inputs": [], "warnings": [], "processed": ["p"]}
one = {"value": 1, "low": None, "high": None, "unit": "", "text": "one"}
(left / "tables").mkdir(exist_ok=True)
(left / "tables" / "t.csv").write_text("x\\n1\\n")
(derived / "p.parquet").write_text("1")
(left / "contents.json").write_text(json.dumps(contents))
(left / "results.json").write_text(json.dumps({"n": one}))"""


def main(arguments: list[str] | None = None) -> None:
    """Measure, print what was measured and write it down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plan", nargs="*", default=FOUR, help="reports run side by side and one by one; all; none")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="runs-") as folder:
        workspace = _small_workspace(Path(folder))
        lines = [*_overhead(workspace, options.rounds), *_faults(workspace, options.faults, options.seed)]
    lines += _plan(options.plan) if options.plan else []
    lines.append({"measured": "load of the machine, one minute", "of": "at the end", "value": os.getloadavg()[0]})
    pd.DataFrame(lines).to_csv(options.out, index=False, float_format="%.4g", lineterminator="\n")
    print(f"\nwritten: {options.out}")


def _small_workspace(root: Path) -> Workspace:
    for name in ("notebooks", "data/raw", "reports"):
        (root / name).mkdir(parents=True)
    code = nbformat.v4.new_code_cell
    first = code("seed: int = 1  # of nothing", metadata={"tags": ["parameters"]})
    notebook = nbformat.v4.new_notebook(cells=[first, code(LEAVES)])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, root / "notebooks" / "01_empty.ipynb")
    (root / "reports.toml").write_text('[empty]\nnotebook = "empty"\n', encoding="utf-8")
    return Workspace.find(root)


def _timed(command: list[str], folder: Path) -> tuple[float, float]:
    """Return wall-clock and CPU seconds of a command with all that it starts."""
    # As pip has compiled every other package, this one is to be compiled once too, not at each start.
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, cwd=folder, env=kept, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - begun, cpu


def _overhead(workspace: Workspace, rounds: int) -> list[dict]:
    """Run a notebook that does nothing through the runner and through plain papermill, in turn."""
    source = str(workspace.notebooks()["empty"])
    commands = {
        "papermill": [*PAPERMILL, source, str(workspace.root / "out.ipynb"), "--no-progress-bar"],
        "reports run without HTML": [sys.executable, "-c", WITHOUT_HTML, "run", "--force"],
        "reports run": [*REPORTS, "run", "--force"],
    }
    for command in commands.values():  # once, so that nothing is compiled or read from the disk when it counts
        _timed(command, workspace.root)
    seconds = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            seconds[name].append(_timed(command, workspace.root))
    latest = json.loads((workspace.reports / "empty" / "latest" / "manifest.json").read_text(encoding="utf-8"))
    lines = []
    for place, clock in enumerate(("wall", "CPU")):
        for how, summary in (("fastest", min), ("median", statistics.median)):
            spent = {name: summary(run[place] for run in seconds[name]) for name in commands}
            ratios = {name: value / spent["papermill"] for name, value in spent.items()}
            shown = ", ".join(f"{name} {value:.2f} s ({ratios[name]:.2f})" for name, value in spent.items())
            print(f"an empty notebook, {clock}, {how}: {shown}")
            measured = f"empty notebook, {clock} seconds, {how}"
            lines += [{"measured": measured, "of": name, "value": value} for name, value in spent.items()]
    lines.append({"measured": "empty notebook, peak GiB", "of": "its processes", "value": latest["peak_memory_gib"]})
    print(f"  peak memory of executing process and kernel: {latest['peak_memory_gib']} GiB")
    return lines


def _faults(workspace: Workspace, tries: int, seed: int) -> list[dict]:
    chance = random.Random(seed)
    length = _timed([*REPORTS, "run", "--force"], workspace.root)[0]
    survived = dict.fromkeys(TARGETS, 0)
    for number in range(tries):
        target, moment = TARGETS[number % len(TARGETS)], chance.uniform(0, 1.1 * length)
        problem = _survives(workspace, target, moment)
        survived[target] += problem is None
        if problem:
            print(f"  fault {number} ({target} killed after {moment:.2f} s): {problem}")
    print(f"faults survived / tried: {sum(survived.values())} / {tries} ({survived})")
    return [
        {"measured": "faults survived", "of": "all", "value": sum(survived.values())},
        {"measured": "faults tried", "of": "all", "value": tries},
    ]


def _survives(workspace: Workspace, target: str, moment: float) -> str | None:
    """Kill something at some moment of a run; return what is wrong afterwards."""
    runner = subprocess.Popen(
        [*REPORTS, "run", "--force"],
        cwd=workspace.root,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(moment)
    for process in _processes(runner.pid, target):
        try:
            process.send_signal(signal.SIGKILL)
        except psutil.Error:
            continue
    runner.wait()
    if wrong := _broken(workspace):
        return f"the last good report is not whole: {wrong}"
    done = subprocess.run([*REPORTS, "run", "--force"], cwd=workspace.root, capture_output=True, text=True)
    if done.returncode:
        return f"the next run failed: {done.stdout}{done.stderr}"
    left = [str(process) for process in psutil.process_iter() if _belongs(process, workspace)]
    if left or abandoned(workspace, "empty"):
        return f"left behind: {left} {abandoned(workspace, 'empty')}"
    return _broken(workspace)


def _processes(runner: int, target: str) -> list[psutil.Process]:
    try:
        first = psutil.Process(runner)
        executing = [p for p in first.children() if "helpers.reporting.execution" in p.cmdline()]
        kernels = [child for process in executing for child in process.children(recursive=True)]
    except psutil.Error:
        return []
    chosen = {"kernel": kernels, "executing process": executing, "runner": [first]}
    return chosen.get(target, [first, *executing, *kernels])


def _belongs(process: psutil.Process, workspace: Workspace) -> bool:
    try:
        return process.environ().get("HELPERS_RUN_FOLDER", "").startswith(str(workspace.root))
    except (psutil.Error, OSError):
        return False


def _broken(workspace: Workspace) -> str | None:
    home = workspace.reports / "empty"
    try:
        latest = json.loads((home / "latest" / "manifest.json").read_text(encoding="utf-8"))
        json.loads((home / "latest" / "results.json").read_text(encoding="utf-8"))
        shown = (home / "latest" / "index.html").read_text(encoding="utf-8")
        run = home / latest["run_id"]
        names = ("index.html", "notebook.ipynb", "results.json", "manifest.json", "tables/t.csv")
        missing = [name for name in names if not (run / name).is_file()]
        whole = shown.rstrip().endswith("</html>") and (workspace.processed / "empty" / "p.parquet").read_text() == "1"
    except (OSError, ValueError) as error:
        return repr(error)
    return None if whole and not missing else f"whole: {whole}, missing: {missing}"


def _plan(names: list[str]) -> list[dict]:
    """Run reports of the plan two at a time, and one by one."""
    whole = read_plan(Workspace.find(ROOT))
    chosen = whole if names == ["all"] else {name: whole[name] for name in names}
    plan = {name: replace(report, on_failure="", after=()) for name, report in chosen.items()}
    seconds, lines = {}, [{"measured": "plan, reports", "of": " ".join(plan), "value": len(plan)}]
    for words, jobs in (("side by side", 2), ("one by one", 1)):
        with tempfile.TemporaryDirectory(prefix="plan-") as folder:
            begun = time.perf_counter()
            runs = run_all(plan, Workspace.find(ROOT).publishing_to(Path(folder)), jobs=jobs)
            seconds[words] = time.perf_counter() - begun
        assert all(run.outcome == "success" for run in runs), [run.message for run in runs]
        lines.append({"measured": "plan, wall seconds", "of": words, "value": seconds[words]})
        if jobs == 1:
            lines += [_of_report(run, measured) for run in runs for measured in ("duration_seconds", "peak_memory_gib")]
            largest = max(runs, key=lambda run: run.record["peak_memory_gib"])
            print(f"  peak memory: {largest.record['peak_memory_gib']} GiB ({largest.report})")
    ratio = seconds["side by side"] / seconds["one by one"]
    print(
        f"{len(plan)} reports on {os.cpu_count()} cores: {seconds['side by side']:.0f} s side by side, "
        f"{seconds['one by one']:.0f} s one by one; ratio {ratio:.2f}"
    )
    return [*lines, {"measured": "plan, side by side / one by one", "of": "wall seconds", "value": ratio}]


def _of_report(run, measured: str) -> dict:
    return {"measured": f"plan, {measured}", "of": run.report, "value": run.record[measured]}


if __name__ == "__main__":
    main()
