"""A small workspace of its own for tests of the report machinery, and the rule for missing system programs."""

import importlib.util
import json
import os
import shutil
from pathlib import Path

import nbformat
import pytest
from hypothesis import settings

from helpers.reporting.lettering import cjk_family
from helpers.reporting.workspace import Workspace

# How long an example takes says how busy the machine is, not whether the code is right.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# Marker of a test: Debian's package that it needs, and whether it is there.
SYSTEM_PROGRAMS = {
    "chromium": ("chromium", lambda: shutil.which("chromium")),
    "cjk_font": ("fonts-wqy-microhei", cjk_family),
    "systemd": ("systemd", lambda: shutil.which("systemd-analyze")),
    "spark": ("openjdk-17-jre-headless", lambda: shutil.which("java") and importlib.util.find_spec("pyspark")),
}


def pytest_configure(config):
    """Make the markers known."""
    for marker, (package, _) in SYSTEM_PROGRAMS.items():
        config.addinivalue_line("markers", f"{marker}: needs Debian's {package}; skipped where it is absent")


def pytest_collection_modifyitems(items):
    """Skip tests whose system program is absent, with the reason; where CI demands them, let them fail."""
    if os.environ.get("REQUIRE_SYSTEM_PROGRAMS"):
        return
    for item in items:
        for marker, (package, is_there) in SYSTEM_PROGRAMS.items():
            if item.get_closest_marker(marker) and not is_there():
                item.add_marker(pytest.mark.skip(reason=f"needs Debian's {package}, which is not installed"))


TOY_PARAMETERS = """customers: int = 3  # how many customers, count
label: str = "spend"  # name of the amount
rate: float = 0.5  # share kept
loud: bool = False  # whether to warn
columns: dict = {}  # their column names -> ours"""

TOY_ANALYSIS = """import sys, types, warnings
import pandas as pd
from helpers.exhibits import Column, Figure, Headline, Table
from helpers.reporting.report import Report

frame = pd.DataFrame({"customer": [f"<b>{label}</b>"] * customers, "amount": [rate * i for i in range(customers)]})

def draw():
    from matplotlib import pyplot
    drawn, axes = pyplot.subplots()
    axes.plot(frame["amount"])
    return drawn

analysis = types.SimpleNamespace(
    label="", answer=f"**{customers} customers** keep $x = {rate}$.",
    warnings=("it is loud",) if loud else (),
    notes=(f"label <i>{label}</i> _is_ $x$",),
    headlines=(Headline("customers", customers, "customers", f"{customers} customers"),
               Headline("kept", rate, "share", f"keep {rate}", low=rate - 0.1, high=rate + 0.1)),
    tables={"spend": Table("spend", frame, "Spend",
                           {"customer": Column("Customer"), "amount": Column("Amount", "USD", 1)})},
    figures={"line": Figure("line", draw, "A line <rising> from left to right.", frame)},
    inputs=[], processed={"spend": frame})
report = Report(analysis)
report.answer()"""

TOY_SHOW = 'report.notes()\nreport.table("spend")'
TOY_FIGURE = 'report.figure("line")'


def toy_notebook(
    *extra: str, parameters: str = TOY_PARAMETERS, finish: str = "report.finish()"
) -> nbformat.NotebookNode:
    """Return a notebook that keeps the contract, with cells of the test's own before its last.

    Its figure is shown by `TOY_FIGURE`, which is left out where a test is not about figures: drawing takes as long as
    all the rest of the run.
    """
    code = nbformat.v4.new_code_cell
    first = code(parameters, metadata={"tags": ["parameters"]})
    title = nbformat.v4.new_markdown_cell("# A toy report\n\nWith $a_1 + b$.")
    section = nbformat.v4.new_markdown_cell("## What was spent\n\nThe line rises.")
    cells = [title, first, code(TOY_ANALYSIS), section, code(TOY_SHOW), *map(code, extra), code(finish)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return notebook


LIGHT = """import json, os, pathlib
left = pathlib.Path(os.environ["HELPERS_RUN_FOLDER"])
number = {"value": 1, "low": None, "high": None, "unit": "", "text": "one"}
empty = {"label": "", "tables": [], "figures": [], "inputs": [], "warnings": [], "processed": []}
(left / "contents.json").write_text(json.dumps(empty))
(left / "results.json").write_text(json.dumps({"n": number}))"""


def light_notebook(*cells: str, parameters: str = "seed: int = 1  # of nothing") -> nbformat.NotebookNode:
    """Return a notebook that imports nothing: for tests of processes, which need no analysis."""
    code = nbformat.v4.new_code_cell
    first = code(parameters, metadata={"tags": ["parameters"]})
    notebook = nbformat.v4.new_notebook(cells=[first, code(LIGHT), *map(code, cells)])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return notebook


def make_toy(folder: Path, *extra: str) -> Workspace:
    """Return a workspace with one toy notebook, which may have more cells, and a plan of one report."""
    root = folder / "toy"
    for folder in ("notebooks", "data/raw", "reports"):
        (root / folder).mkdir(parents=True)
    nbformat.write(toy_notebook(*extra), root / "notebooks" / "01_toy.ipynb")
    (root / "reports.toml").write_text('[toy]\nnotebook = "toy"\n', encoding="utf-8")
    return Workspace.find(root)


def takes_purchases(toy: Workspace, parameter: str, meaning: str) -> None:
    """Let the toy notebook take an input instead of its label."""
    notebook = toy.notebooks()["toy"]
    text = notebook.read_text(encoding="utf-8")
    line = 'label: str = \\"spend\\"  # name of the amount'
    assert line in text
    notebook.write_text(text.replace(line, f'{parameter}: str = \\"\\"  # {meaning}'), encoding="utf-8")


@pytest.fixture
def toy(tmp_path: Path) -> Workspace:
    """Return a toy workspace in which nothing has run."""
    return make_toy(tmp_path)


@pytest.fixture(scope="session")
def published_once(tmp_path_factory) -> Workspace:
    """Return a toy workspace in which the report was published; for reading only."""
    from helpers.reporting.plan import read_plan
    from helpers.reporting.runner import run_report

    workspace = make_toy(tmp_path_factory.mktemp("published"), TOY_FIGURE)
    run = run_report(read_plan(workspace)["toy"], workspace)
    assert run.outcome == "success", run.message
    return workspace


@pytest.fixture(scope="session")
def several_runs(published_once, tmp_path_factory) -> Path:
    """Return a folder of reports with two good runs, so that lines are drawn, and a failed one; for reading only."""
    from helpers.reporting.index import write_index
    from helpers.reporting.pages import render_failure

    place = shutil.copytree(published_once.reports, tmp_path_factory.mktemp("several") / "reports")
    home = place / "toy"
    record = json.loads((home / "latest" / "manifest.json").read_text(encoding="utf-8"))
    older = {"run_id": "older", "started": "2026-01-01T00:00:00+00:00", "ended": "2026-01-01T00:01:00+00:00"}
    shutil.copytree(home / record["run_id"], home / "older")
    (home / "older" / "manifest.json").write_text(json.dumps(record | older), encoding="utf-8")
    failed = record | {"run_id": "bad", "outcome": "failed_notebook", "message": "cell 3 raised <NameError>"}
    failed["started"] = "2099-01-01T00:00:00+00:00"
    (home / "failed" / "bad").mkdir(parents=True)
    (home / "failed" / "bad" / "manifest.json").write_text(json.dumps(failed), encoding="utf-8")
    (home / "failed" / "bad" / "index.html").write_text(render_failure(home / "failed" / "bad", failed))
    write_index(place)
    return place


@pytest.fixture
def published_toy(published_once: Workspace, tmp_path: Path) -> Workspace:
    """Return a copy of the published toy workspace, to do with as the test likes; run again it draws no figure."""
    shutil.copytree(published_once.root, tmp_path / "toy")
    workspace = Workspace.find(tmp_path / "toy")
    nbformat.write(toy_notebook(), workspace.notebooks()["toy"])
    return workspace
