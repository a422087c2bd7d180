"""The plan: which reports run, each a notebook with parameters, and what it waits for."""

from __future__ import annotations

import graphlib
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from helpers.data.sources import find_built_in

from .errors import WrongUsage
from .parameters import check_values, known, read_parameters
from .workspace import Workspace

_KEYS = {
    "notebook": (str, "the name of a notebook without its number"),
    "parameters": (dict, "a table of parameters"),
    "after": (list, "a list of report names"),
    "time_limit_minutes": ((int, float), "a number of minutes"),
}
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Input:
    """What a parameter of a report names to be read.

    Parameters
    ----------
    parameter : str
        Name of the parameter.
    kind : str
        Which of `helpers.data.contracts.INPUTS` it is.
    source : str
        A built-in name or a path, as seen from anywhere.
    """

    parameter: str
    kind: str
    source: str


@dataclass(frozen=True)
class PlannedReport:
    """One report of the plan, or one asked for at the command line.

    Parameters
    ----------
    name : str
        Name of the report; its folder is `reports/<name>`.
    notebook : pathlib.Path
        The notebook that makes it.
    parameters : dict
        Every parameter of the notebook with its checked value.
    input_kinds : dict of str to str
        The parameters that take an input, with its kind.
    after : tuple of str
        Reports that must have been published first.
    time_limit_minutes : float
        Wall-clock limit of a run.
    folder : pathlib.Path or None
        The folder that relative input paths are relative to.
    """

    name: str
    notebook: Path
    parameters: dict[str, Any]
    input_kinds: dict[str, str]
    after: tuple[str, ...] = ()
    time_limit_minutes: float = 60.0
    folder: Path = field(default_factory=Path.cwd)

    def inputs(self) -> list[Input]:
        """Return what the parameters name to be read; one that is empty names nothing."""
        named = [(name, kind, self.parameters[name]) for name, kind in self.input_kinds.items()]
        return [Input(name, kind, self._resolve(kind, source)) for name, kind, source in named if source]

    def resolved_parameters(self) -> dict[str, Any]:
        """Return the parameters with every input as seen from anywhere."""
        return self.parameters | {given.parameter: given.source for given in self.inputs()}

    def _resolve(self, kind: str, source: str) -> str:
        return source if find_built_in(source, kind) else str(self.folder / Path(source).expanduser())


def read_plan(workspace: Workspace) -> dict[str, PlannedReport]:
    """Return the reports of `reports.toml`, checked, in an order that respects `after`.

    Raises
    ------
    WrongUsage
        When the file is no TOML, names an unknown notebook, parameter or report, holds a value of another
        type, has a circle of waiting reports, or an input path that leaves the workspace.
    """
    file = workspace.root / "reports.toml"
    try:
        entries = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WrongUsage(f"{file.name} cannot be read: {error}") from error
    plan = {name: _read_entry(name, entry, workspace) for name, entry in entries.items()}
    for report in plan.values():
        for name in report.after:
            known(str(name), plan, f"report ('{report.name}' waits for it)")
    try:
        order = graphlib.TopologicalSorter({r.name: r.after for r in plan.values()}).static_order()
        return {name: plan[name] for name in order}
    except graphlib.CycleError as error:
        raise WrongUsage(f"reports.toml: these reports wait for each other: {', '.join(error.args[1])}") from error


def _read_entry(name: str, entry: Any, workspace: Workspace) -> PlannedReport:
    if not _NAME.fullmatch(name):
        raise WrongUsage(f"reports.toml: '{name}' is no report name: use lower-case letters, digits and underscores")
    if not isinstance(entry, dict) or "notebook" not in entry:
        raise WrongUsage(f'reports.toml: [{name}] needs a line such as: notebook = "lifetime_value"')
    for key, value in entry.items():
        kind, meaning = known(key, _KEYS, f"key in [{name}] of reports.toml")
        if not isinstance(value, kind) or isinstance(value, bool):
            raise WrongUsage(f"reports.toml, [{name}]: '{key}' is {meaning}, not {value!r}")
    limit = float(entry.get("time_limit_minutes", 60.0))
    if not limit > 0:
        raise WrongUsage(f"reports.toml, [{name}]: 'time_limit_minutes' must be above 0, not {limit:g}")
    try:
        report = planned(
            name,
            known(entry["notebook"], workspace.notebooks(), "notebook"),
            entry.get("parameters", {}),
            folder=workspace.root,
            after=tuple(entry.get("after", ())),
            time_limit_minutes=limit,
        )
    except WrongUsage as error:
        raise WrongUsage(f"reports.toml, [{name}]: {error}") from error
    for given in report.inputs():
        _stay_inside(workspace.root, name, given)
    return report


def planned(name: str, notebook: Path, values: dict[str, Any], **options: Any) -> PlannedReport:
    """Return a report with every parameter of its notebook settled.

    Raises
    ------
    WrongUsage
        When a parameter is unknown or of another type.
    """
    declared = read_parameters(notebook)
    kinds = {parameter.name: parameter.input_kind for parameter in declared.values() if parameter.input_kind}
    return PlannedReport(name, notebook, check_values(declared, values), kinds, **options)


def _stay_inside(root: Path, report: str, given: Input) -> None:
    if not Path(root, given.source).resolve().is_relative_to(root.resolve()):
        raise WrongUsage(
            f"reports.toml, [{report}]: '{given.parameter}' leaves the workspace ({given.source}); "
            "put the file under data/raw, or name it at the command line with --set"
        )
