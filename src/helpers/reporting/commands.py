"""The command `reports`: run, list, check, show, prune."""

from __future__ import annotations

import io
import os
import shutil
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from .allowed import split
from .errors import WrongUsage
from .further_commands import further
from .manifest import read_json
from .parameters import known, parse_assignments, read_parameters
from .plan import PlannedReport, planned, read_plan, refuse_outside
from .secret import missing
from .terminal import Folder, err, out
from .terminal import listing as _listing
from .terminal import shown as _shown
from .workspace import AD_HOC, Workspace

app = typer.Typer(
    help="Run the notebooks of this workspace and publish them as reports.\n\n"
    "Exit codes: 0 all published, 1 something failed (refused data included), 2 wrong usage.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(further)

INTERRUPTED = 130  # what Typer ends with on Ctrl-C and SIGTERM; whoever calls knows 0, 1 and 2

Names = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME]...", help="Reports of the plan; all when none is named.")
]
Assignments = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="A parameter of the notebook, for one run; may be repeated. See: reports show NAME.",
    ),
]


@app.command()
def run(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...", help="Reports of the plan (all when none is named), or one notebook for an ad-hoc run."
        ),
    ] = None,
    set_: Assignments = None,
    out_folder: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help=f"Where an ad-hoc run is published; default reports/{AD_HOC}."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Run even what is up to date.")] = False,
    wait: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="How long to wait where the same report is being run.")
    ] = 0,
    time_limit: Annotated[
        float | None, typer.Option(metavar="MINUTES", help="Wall-clock limit of a run; default: the plan's, ad hoc 60.")
    ] = None,
    memory_limit: Annotated[
        float | None, typer.Option(metavar="GIB", help="Limit of a run's memory; default: the plan's, ad hoc none.")
    ] = None,
    retries: Annotated[
        int | None,
        typer.Option(metavar="N", help="How often a run is repeated after a time-out, a dead kernel, or a full disk."),
    ] = None,
    on_failure: Annotated[
        str | None,
        typer.Option(metavar="COMMAND", help="Gets the outcome of each run that is no success as JSON on its input."),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="How many reports run at once.")] = min(os.cpu_count() or 1, 4),
    workspace: Folder = None,
) -> None:
    """Run the whole plan of reports.toml, some of its reports, or one notebook with your own parameters.

    Examples: `reports run`, `reports run lifetime_value`,
    `reports run lifetime_value --set transactions=purchases.csv --set currency=EUR --out my_report`.
    """
    place = Workspace.find(workspace)
    if set_ or out_folder or _is_only_a_notebook(names or [], place):
        reports = _ad_hoc(names or [], set_ or [], place)
        place = place.publishing_to(out_folder or place.reports / AD_HOC)
    else:
        reports = _chosen(read_plan(place), names)
    limits = {
        "time_limit_minutes": time_limit,
        "memory_limit_gib": memory_limit,
        "retries": retries,
        "on_failure": on_failure,
    }
    chosen = {key: value for key, value in limits.items() if value is not None}
    reports = {name: replace(report, **chosen) for name, report in reports.items()}
    if not _run_shown(reports, place, force=force, wait_seconds=wait, jobs=jobs):
        raise typer.Exit(1)


def _is_only_a_notebook(names: list[str], workspace: Workspace) -> bool:
    return len(names) == 1 and names[0] in workspace.notebooks() and names[0] not in read_plan(workspace)


def _chosen(plan: dict[str, PlannedReport], names: list[str] | None) -> dict[str, PlannedReport]:
    wanted = [known(name, plan, "report").name for name in names or plan]
    return {name: report for name, report in plan.items() if name in wanted}


def _ad_hoc(names: list[str], assignments: list[str], workspace: Workspace) -> dict[str, PlannedReport]:
    """Return one report outside the plan: a notebook's defaults, or a planned report's parameters, with changes."""
    if len(names) != 1:
        raise WrongUsage("--set and --out go with exactly one notebook, as in: run NOTEBOOK --set key=value")
    name, notebooks = names[0], workspace.notebooks()
    base: dict[str, Any] = {}
    if name in notebooks:
        notebook = notebooks[name]
    else:
        report = known(name, read_plan(workspace), "notebook or report")
        notebook, base = report.notebook, report.parameters
    values = base | parse_assignments(read_parameters(notebook), assignments)
    return {name: planned(name, notebook, values, folder=Path.cwd())}


def _run_shown(reports: dict[str, PlannedReport], workspace: Workspace, **options: Any) -> bool:
    """Run reports under a progress bar and print a line for each; return whether all are published."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from .batch import run_all

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=out, transient=True) as progress:
        tasks = {name: progress.add_task(name, total=1.0) for name in reports}

        def end(finished) -> None:
            progress.update(tasks[finished.report], completed=1.0)
            progress.console.print(_line(finished))
            for remark in finished.remarks:
                err.print(f"{finished.report}: {remark}")

        runs = run_all(
            reports,
            workspace,
            **options,
            on_progress=lambda name, share: progress.update(tasks[name], completed=share),
            on_end=end,
        )
    out.print(f"index: {_shown(workspace.reports / 'index.html')}")
    return all(finished.outcome == "success" for finished in runs)


def _line(run) -> str:
    page = f" ({_shown(run.page)})" if run.page else ""
    if run.outcome == "success":
        return f"{run.report}: {run.message}{page}"
    return f"{run.report}: {run.outcome}: {' '.join(run.message.split())}{page}"


@app.command(name="list")
def list_(workspace: Folder = None) -> None:
    """List the reports of the plan, and when each was last published."""
    place = Workspace.find(workspace)
    table = _listing("report", "notebook", "inputs and other choices", "newest good run")
    for report in read_plan(place).values():
        defaults = read_parameters(report.notebook)
        defaults |= {given.parameter: None for given in report.inputs()}  # inputs are always listed
        chosen = {n: v for n, v in report.parameters.items() if defaults[n] is None or v != defaults[n].default}
        shown = ", ".join(f"{name}={value}" for name, value in chosen.items())
        newest = read_json(place.reports / report.name / "latest" / "manifest.json") or {}
        table.add_row(report.name, report.notebook.stem, shown, newest.get("ended", "never")[:16].replace("T", " "))
    out.print(table)


@app.command()
def check(names: Names = None, set_: Assignments = None, workspace: Folder = None) -> None:
    """Check the plan, every parameter and every input, without running anything.

    With --set, one notebook or report with your own parameters: `reports check kano --set survey=answers.csv`.
    """
    from helpers.data.refusal import InputRefused
    from helpers.data.tables import check_input

    place = Workspace.find(workspace)
    refused = False
    reports = _ad_hoc(names or [], set_, place) if set_ else _chosen(read_plan(place), names)
    for report in reports.values():
        if absent := missing(report.secret_variables()):
            refused = True
            err.print(f"{report.name}: secrets are read from the environment, which lacks {', '.join(absent)}")
        for given in report.inputs():
            try:
                refuse_outside(report)
                found = check_input(given.kind, given.source, report.resolved_parameters())
                out.print(f"{report.name}: {given.parameter}: {found}")
            except InputRefused as refusal:
                refused = True
                err.print(f"{report.name}: {given.parameter}: {refusal}")
    if refused:
        raise typer.Exit(1)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A report of the plan, or a notebook.")], workspace: Folder = None
) -> None:
    """Show the parameters of a report: name, type (of an input: its kind), value, default, what is allowed, meaning."""
    place = Workspace.find(workspace)
    plan, notebooks = read_plan(place), place.notebooks()
    notebook = plan[name].notebook if name in plan else known(name, notebooks | plan, "report or notebook")
    values = plan[name].parameters if name in plan else {}
    table = _listing("parameter", "type", "value", "default", "allowed", "meaning")
    for parameter in read_parameters(notebook).values():
        value = values.get(parameter.name, parameter.default)
        kind = f"input: {parameter.input_kind}" if parameter.input_kind else parameter.type
        default = "the same" if value == parameter.default else repr(parameter.default)
        meaning, allowed = split(parameter.meaning)
        table.add_row(parameter.name, kind, repr(value), default, "; ".join(allowed), meaning)
    out.print(table)


@app.command()
def prune(
    keep: Annotated[int, typer.Option(min=1, help="How many of the newest good runs of each report stay.")] = 10,
    failed: Annotated[int, typer.Option(min=0, help="How many of the newest failed runs of each report stay.")] = 10,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    workspace: Folder = None,
) -> None:
    """Remove old runs. The newest good run of a report always stays."""
    from .lock import Busy, held
    from .publication import refresh_index

    place = Workspace.find(workspace)
    gone, refused = 0, False
    homes = [path for level in ("[!.]*", f"{AD_HOC}/[!.]*") for path in place.reports.glob(level) if path.is_dir()]
    for home in sorted(path for path in homes if path != place.reports / AD_HOC):
        try:
            with held(home.parent / ".locks" / f"{home.name}.lock"):
                for folder in _old_runs(home, keep, failed):
                    out.print(f"{'would remove' if dry_run else 'removed'} {_shown(folder)}")
                    gone += 1
                    if not dry_run:
                        shutil.rmtree(folder)
        except Busy:
            err.print(f"{home.name}: left alone, because it is being run")
        except OSError as error:
            refused = True
            err.print(f"{home.name}: left alone: {error}")
    # what was run apart first: the other index leads to its own
    for reports in sorted({home.parent for home in homes}, reverse=True) if gone and not dry_run else ():
        refresh_index(reports)
    out.print(f"{gone} run{'' if gone == 1 else 's'} {'would be ' if dry_run else ''}removed")
    if refused:
        raise typer.Exit(1)


def _old_runs(home: Path, keep: int, failed: int) -> list[Path]:
    newest = (read_json(home / "latest" / "manifest.json") or {}).get("run_id")
    good = sorted(path.parent for path in home.glob("*/manifest.json") if path.parent.name != "latest")
    bad = sorted(path.parent for path in home.glob("failed/*/manifest.json"))
    return [folder for folder in [*good[:-keep], *bad[: len(bad) - failed]] if folder.name != newest]


def main() -> None:
    """Run the command; a mistake in its use ends with one line and exit code 2, never with a traceback."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file name that the terminal cannot show
    try:
        app()
    except WrongUsage as error:
        err.print(f"reports: {error}")
        sys.exit(2)
    except OSError as error:
        err.print(f"reports: {error}")
        sys.exit(1)
    except SystemExit as ended:
        sys.exit(1 if ended.code == INTERRUPTED else ended.code)
