"""A new report that keeps the contract from the start: notebook, analysis, model, test, and its entry in the plan."""

from __future__ import annotations

import keyword
import os
import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import nbformat

from .errors import WrongUsage
from .plan import RESERVED, is_report_name, read_plan
from .runner import KERNEL_ENVIRONMENT
from .workspace import Workspace


def new_report(name: str, workspace: Workspace, title: str = "") -> list[Path]:
    """Write the files of a new report, which already runs, and return them.

    What it computes is a placeholder, from purchases: it shows where everything goes.

    Parameters
    ----------
    name : str
        Of its topic: the notebook, the modules, the test and the report are called so.
    workspace : Workspace
        Where.
    title : str
        Of the notebook; the name in words where it is empty.

    Raises
    ------
    WrongUsage
        When the name is no module name or is taken; nothing is written then.
    """
    if not is_report_name(name) or keyword.iskeyword(name) or name in RESERVED:
        raise WrongUsage(f"'{name}' is no report name: use lower-case letters, digits and underscores")
    package = workspace.root / "src" / "helpers"
    if not package.is_dir():
        raise WrongUsage(f"{workspace.root} holds no src/helpers: a report is added where the package is developed")
    words = name.replace("_", " ").capitalize()
    title = " ".join(title.split()) or words
    places = {
        "analysis": package / "analyses" / f"{name}.py",
        "model": package / "models" / f"{name}.py",
        "test": workspace.root / "tests" / f"test_{name}.py",
        "notebook": workspace.root / "notebooks" / f"{_next_number(workspace)}_{name}.ipynb",
    }
    plan = workspace.root / "reports.toml"
    _refuse_what_is_there(name, workspace, [*places.values(), *(path.with_suffix("") for path in places.values())])
    for kind, place in places.items():
        template = (files("helpers.reporting") / "templates" / "new" / f"{kind}.txt").read_text(encoding="utf-8")
        text = template.replace("TOPIC", name).replace("WORDS", words).replace("TITLE", title)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(_notebook(text) if kind == "notebook" else text, encoding="utf-8")
    with plan.open("a", encoding="utf-8") as file:
        file.write(f'\n[{name}]\nnotebook = "{name}"\n')
    return [*places.values(), plan]


def store_outputs(notebook: Path, workspace: Workspace) -> str:
    """Run a notebook and store its outputs in it, as `make notebooks` does; return the last line of what went wrong."""
    command = [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "--inplace"]
    command += ["--ExecutePreprocessor.record_timing=False", str(notebook)]
    paths = os.pathsep.join(filter(None, [str(workspace.root / "src"), os.environ.get("PYTHONPATH", "")]))
    environment = os.environ | KERNEL_ENVIRONMENT | {"PYTHONPATH": paths}
    done = subprocess.run(command, cwd=workspace.root, env=environment, capture_output=True, text=True)
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["no word of why"])[-1]


def _next_number(workspace: Workspace) -> str:
    taken = [int(path.name[:2]) for path in workspace.notebooks().values()]
    number = max(taken, default=0) + 1
    if number > 99:
        raise WrongUsage("notebooks are numbered with two digits, and 99 is taken")
    return f"{number:02d}"


def _refuse_what_is_there(name: str, workspace: Workspace, places: list[Path]) -> None:
    there = [str(place.relative_to(workspace.root)) for place in places if place.exists()]
    there += [f"report '{name}' in reports.toml"] if name in read_plan(workspace) else []
    there += [f"notebook '{name}'"] if name in workspace.notebooks() else []
    if there:
        raise WrongUsage(f"'{name}' is taken: {', '.join(there)}")


def _notebook(text: str) -> str:
    """Return the notebook of cells that are set apart by lines such as `%% markdown`."""
    parts = re.split(r"^%% (\w+)\n", text, flags=re.MULTILINE)[1:]
    cells = []
    for kind, source in zip(parts[::2], parts[1::2], strict=True):
        tags = {"tags": ["parameters"]} if kind == "parameters" else {}
        make = nbformat.v4.new_markdown_cell if kind == "markdown" else nbformat.v4.new_code_cell
        cells.append(make(source.strip(), metadata=tags, id=f"cell-{len(cells):02d}"))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    return nbformat.writes(notebook) + "\n"
