"""Every notebook keeps the notebook contract: thin, ordinary, deterministic, kept with outputs that are compared."""

import ast
import itertools
import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from helpers.reporting.parameters import read_parameters

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
KNOWN_TAGS = {"parameters", "nbval-ignore-output", "nbval-check-output"}
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code_cells(path: Path) -> list:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def test_there_are_notebooks():
    assert NOTEBOOKS


@each_notebook
def test_parameters_cell_is_a_schema_with_meanings(path):
    parameters = read_parameters(path)
    assert {"columns", "min_cell", "seed"} <= set(parameters)
    assert all(parameter.meaning for parameter in parameters.values())


@each_notebook
def test_notebook_is_thin(path):
    for cell in code_cells(path)[1:]:
        assert len(cell.source.splitlines()) <= 15, cell.source
        banned = (
            ast.FunctionDef,
            ast.AsyncFunctionDef,
            ast.ClassDef,
            ast.Lambda,
            ast.For,
            ast.While,
            ast.comprehension,
        )
        assert not any(isinstance(node, banned) for node in ast.walk(ast.parse(cell.source))), cell.source


@each_notebook
def test_notebook_narrates(path):
    cells = nbformat.read(path, as_version=4).cells
    assert cells[0].cell_type == "markdown" and cells[0].source.startswith("# ")
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert len(re.findall(r"^# ", text, re.MULTILINE)) == 1
    for before, cell in itertools.pairwise(cells):
        if cell.cell_type == "code" and re.search(r"\.(table|figure)\(", cell.source):
            assert before.cell_type == "markdown", f"a sentence must say what to see in: {cell.source}"
    assert cells[-1].source.strip() == "report.finish()"


@each_notebook
def test_first_output_is_the_answer(path):
    shown = [cell.source for cell in code_cells(path) if cell.outputs]
    assert "report.answer()" in shown[0]


@each_notebook
def test_outputs_are_kept_for_comparison(path):
    cells = code_cells(path)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        tags = set(cell.metadata.get("tags", []))
        assert tags <= KNOWN_TAGS and "NBVAL" not in cell.source
        assert "nbval-ignore-output" not in tags or ".figure(" in cell.source
        assert not any(output.output_type == "error" or output.get("name") == "stderr" for output in cell.outputs)
    assert path.stat().st_size < 1_500_000


def nbval(path: Path) -> subprocess.CompletedProcess:
    options = ["--nbval", "--nbval-current-env", "--nbval-cell-timeout=300", "--nbval-kernel-startup-timeout=120"]
    options += ["--nbval-sanitize-with", str(ROOT / "tests" / "nbval_sanitize.cfg"), "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", "--rootdir", str(path.parent), *options, str(path)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)


@pytest.mark.slow
@each_notebook
def test_one_changed_digit_of_an_output_is_noticed(path, tmp_path):
    """One run of the notebook with three outputs altered: each of the three must be noticed."""
    notebook = nbformat.read(path, as_version=4)
    # figures are exempt from the comparison, and take the longest
    notebook.cells = [cell for cell in notebook.cells if ".figure(" not in cell.source]
    altered = [change for change in (_alter_answer(notebook), *_alter_tables(notebook)) if change is not None]
    assert len(altered) >= 2
    copy = tmp_path / path.name
    nbformat.write(notebook, copy)
    done = nbval(copy)
    failed = {int(number) for number in re.findall(r"FAILED .*::Cell (\d+)", done.stdout)}
    assert failed == set(altered), done.stdout[-3000:]


def _alter_answer(notebook) -> int | None:
    return _alter(notebook, "report.answer()", "text/markdown")[0]


def _alter_tables(notebook) -> list[int]:
    return _alter(notebook, ".table(", "text/html")


def _alter(notebook, call: str, mime: str) -> list[int]:
    """Change the last digit that a cell with `call` shows; return the numbers of the cells, as nbval counts them."""
    changed = []
    for number, cell in enumerate(cell for cell in notebook.cells if cell.cell_type == "code"):
        if call in cell.source and cell.outputs and mime in cell.outputs[0].get("data", {}):
            data = cell.outputs[0].data
            stored = data[mime]
            data[mime] = re.sub(r"(\d)(?=\D*$)", lambda digit: str((int(digit[0]) + 1) % 10), stored)
            changed += [number] if data[mime] != stored else []  # what says that there is nothing has no digit
    return changed


def test_plan_names_only_built_in_or_bundled_inputs():
    from helpers.reporting.plan import read_plan
    from helpers.reporting.workspace import Workspace

    for report in read_plan(Workspace.find(ROOT)).values():
        assert report.inputs()
        json.dumps(report.parameters)
