"""The commands on what was published, and on what is to come: verify, compare, history, crate, new."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .errors import WrongUsage
from .runs import find_home, find_run
from .terminal import Folder, err, listing, out, shown
from .workspace import Workspace

MOST_SHOWN = 20  # differences; the rest are counted

further = typer.Typer()

PastRun = Annotated[
    str, typer.Argument(metavar="RUN", help="A run id, the name of a report (its newest good run), or a run's folder.")
]


@further.command()
def verify(
    run: PastRun,
    tolerance: Annotated[
        float, typer.Option(min=0.0, help="By how much numbers may differ, relative to the larger; 0: not at all.")
    ] = 0.0,
    workspace: Folder = None,
) -> None:
    """Run a published report again, and say whether its numbers are the same. Exit code 0: they are; 1: not.

    The notebook is the one kept beside the report, with the parameters of its manifest; an input whose content has
    changed is refused. Compared are all headline numbers and every cell of all tables. Nothing is published.
    """
    from .verification import largest
    from .verification import verify as run_again

    place = Workspace.find(workspace)
    folder, record = find_run(place, run)
    with out.status(f"running {record['report']} again"):
        found = run_again(folder, record, place, tolerance)
    for sentence in found.made_of:
        out.print(f"made otherwise: {sentence}")
    compared = f"{found.numbers} headline numbers and {found.tables} tables of run {record['run_id']}"
    within = f"within a relative {tolerance:g}" if tolerance else "exactly"
    if found.reproduced:
        out.print(f"the same, {within}: {compared}")
        return
    if found.problem:
        err.print(f"{record['report']}: {found.problem}")
        raise typer.Exit(1)
    for difference in found.differences[:MOST_SHOWN]:
        out.print(str(difference))
    if len(found.differences) > MOST_SHOWN:
        out.print(f"... and {len(found.differences) - MOST_SHOWN} more")
    most = largest(found.differences)
    size = "" if most is None else f"; numbers by at most a relative {most:.2g} (--tolerance)"
    out.print(f"not the same: {len(found.differences)} cells differ among {compared}{size}")
    raise typer.Exit(1)


@further.command()
def compare(before: PastRun, now: PastRun, workspace: Folder = None) -> None:
    """Say what two runs differ in: headline numbers, data accounting, parameters, inputs, code and versions."""
    from .changes import changes_between
    from .pages import shown_estimate, shown_number

    place = Workspace.find(workspace)
    (old_folder, old), (new_folder, new) = find_run(place, before), find_run(place, now)
    changes = changes_between(old_folder, old, new_folder, new)
    out.print(f"{old['report']}, run {old['run_id']} → {new['report']}, run {new['run_id']}")
    if not changes.any:
        out.print("nothing differs")
    for sentence in changes.made_of:
        out.print(sentence)
    if changes.numbers:
        table = listing("headline number", "unit", "before", "now", "difference")
        for number in changes.numbers:
            estimates = (shown_estimate(number.before), shown_estimate(number.now))
            table.add_row(number.name, number.unit, *estimates, shown_number(number.difference))
        out.print(table)
    if changes.accounting:
        table = listing("step of the data accounting", "column", "before", "now")
        for change in changes.accounting:
            table.add_row(change.step, change.column, change.before or "", change.now or "")
        out.print(table)


@further.command()
def history(
    name: Annotated[str, typer.Argument(help="A report that has been published, or its folder.")],
    last: Annotated[int, typer.Option(min=1, help="How many of the newest runs are shown.")] = 5,
    workspace: Folder = None,
) -> None:
    """Show the headline numbers of a report through time; write them to history.csv, history.svg, history.html.

    The files lie in the folder of the report and are kept up to date by each run; they remember runs that were pruned.
    """
    from .history import named_units, read_history, write_history
    from .lock import Busy
    from .manifest import read_json
    from .pages import full_title, shown_estimate
    from .publication import index_held

    home = find_home(Workspace.find(workspace), name)
    try:
        with index_held(home.resolve().parent):
            write_history(home, full_title(read_json(home / "latest" / "manifest.json")))
    except Busy as owner:
        err.print(f"{name}: not written, because the index is being written ({owner})")
        raise typer.Exit(1) from None
    except OSError as error:  # such as a share that is only to be read
        err.print(f"{name}: shown as it was written last: {error}")
    runs = read_history(home)
    newest = runs[-last:]
    table = listing("headline number", "unit", *(run.ended[:16].replace("T", " ") for run in newest))
    for number, unit in named_units(runs):
        table.add_row(number, unit, *(shown_estimate(run.numbers.get(number)) for run in newest))
    out.print(table)
    out.print(f"{len(runs)} run{'' if len(runs) == 1 else 's'}: {shown(home / 'history.html')}")


@further.command()
def crate(
    run: PastRun,
    out_file: Annotated[
        Path | None, typer.Argument(metavar="[OUT.zip]", help="Where; default: REPORT-RUN.zip in the current folder.")
    ] = None,
    workspace: Folder = None,
) -> None:
    """Write a published run as a zipped RO-Crate (Process Run Crate): the report, with its provenance for programs.

    Inputs are named with their digests, never copied. Paths start from the workspace; of others only the name is left.
    """
    from .crate import write_crate

    place = Workspace.find(workspace)
    folder, record = find_run(place, run)
    file = out_file or Path(f"{record['report']}-{record['run_id']}.zip")
    if file.suffix != ".zip" or file.is_dir() or not file.absolute().parent.is_dir():
        raise WrongUsage(f"{file} is no place for a crate: name a file such as report.zip in a folder that is there")
    try:
        write_crate(folder, place.root, file)
    except OSError as error:
        err.print(f"{shown(file)} could not be written: {error}")
        raise typer.Exit(1) from None
    out.print(f"wrote {shown(file)}")


@further.command()
def new(
    name: Annotated[str, typer.Argument(help="Of the topic, such as churn_risk.")],
    title: Annotated[str, typer.Option(help="Of the notebook, best a question; default: the name in words.")] = "",
    workspace: Folder = None,
) -> None:
    """Add a report that runs and passes the tests as it stands: notebook, analysis, model, test, entry in the plan.

    What it computes is a placeholder to be replaced. Its notebook is run once, so that its outputs are stored.
    """
    from .scaffold import new_report, store_outputs

    place = Workspace.find(workspace)
    written = new_report(name, place, title)
    for path in written:
        out.print(f"{'extended' if path.name == 'reports.toml' else 'wrote'} {shown(path)}")
    notebook = next(path for path in written if path.suffix == ".ipynb")
    with out.status(f"running {shown(notebook)}"):
        problem = store_outputs(notebook, place)
    if problem:
        err.print(f"{shown(notebook)} could not be run: {problem}")
        raise typer.Exit(1)
    out.print(f"next: reports run {name}; after changes: make notebooks, make test")
