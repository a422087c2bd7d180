"""The plan: which reports run, each a notebook with parameters, and what it waits for."""

from __future__ import annotations

import graphlib
import math
import os
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from helpers.data.refusal import InputRefused, Problem
from helpers.data.sources import find_built_in, locate

from .errors import WrongUsage
from .parameters import check_values, known, read_parameters
from .secret import variable
from .workspace import AD_HOC, Workspace

_LIMITS = {
    "time_limit_minutes": ((int, float), "a number of minutes"),
    "memory_limit_gib": ((int, float), "a number of GiB"),
    "retries": (int, "a whole number"),
    "on_failure": (str, "a command"),
}
_KEYS = {
    "notebook": (str, "the name of a notebook without its number"),
    "parameters": (dict, "a table of parameters"),
    "after": (list, "a list of report names"),
} | _LIMITS
MOST_RETRIES = 10
RESERVED = (AD_HOC, "data", "failed", "latest")  # folders that stand where a report's would


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


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a run may take, and what is done when it takes more or fails.

    Parameters
    ----------
    time_limit_minutes : float
        Wall-clock limit of a run.
    memory_limit_gib : float or None
        Limit of the resident memory of a run's processes, GiB; None for none.
    retries : int
        How often a run is repeated that timed out, lost its kernel or could not be published.
    on_failure : str
        Command that gets the outcome of a run that is no success; "" for none.
    """

    time_limit_minutes: float = 60.0
    memory_limit_gib: float | None = None
    retries: int = 0
    on_failure: str = ""

    def __post_init__(self):
        """Refuse limits that no run can keep."""
        for key in ("time_limit_minutes", "memory_limit_gib"):
            limit = getattr(self, key)
            if limit is not None and not 0 < limit < math.inf:
                raise WrongUsage(f"'{key}' must be above 0, not {limit:g}")
        if not 0 <= self.retries <= MOST_RETRIES:
            raise WrongUsage(f"'retries' is a number from 0 to {MOST_RETRIES}, not {self.retries}")

    def limits(self) -> dict[str, Any]:
        """Return the limits by name, as another report takes them."""
        return {key: getattr(self, key) for key in _LIMITS}


@dataclass(frozen=True)
class PlannedReport(Limits):
    """One report of the plan, or one asked for at the command line, with its limits.

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
    folder : pathlib.Path
        The folder that relative input paths are relative to.
    root : pathlib.Path or None
        The folder that inputs may not leave; None where the person at the command line names them.
    secrets : tuple of str
        The parameters that name an environment variable.
    """

    name: str
    notebook: Path
    parameters: dict[str, Any]
    input_kinds: dict[str, str]
    after: tuple[str, ...] = ()
    folder: Path = field(default_factory=Path.cwd)
    root: Path | None = None
    secrets: tuple[str, ...] = ()

    def __post_init__(self):
        """Refuse a name that is taken, too."""
        super().__post_init__()
        if self.name in RESERVED:
            raise WrongUsage(f"'{self.name}' cannot be the name of a report: a folder of reports has that name")

    def inputs(self) -> list[Input]:
        """Return what the parameters name to be read; one that is empty names nothing."""
        named = [(name, kind, self.parameters[name]) for name, kind in self.input_kinds.items()]
        return [Input(name, kind, self._resolve(kind, source)) for name, kind, source in named if source]

    def resolved_parameters(self) -> dict[str, Any]:
        """Return the parameters with every input as seen from anywhere."""
        return self.parameters | {given.parameter: given.source for given in self.inputs()}

    def secret_variables(self) -> list[str]:
        """Return the environment variables that hold the secrets of the report."""
        return [variable(self.parameters[name]) for name in self.secrets if self.parameters[name]]

    def _resolve(self, kind: str, source: str) -> str:
        return source if find_built_in(source, kind) else str(self.folder / os.path.expanduser(source))


def is_report_name(name: str) -> bool:
    """Return whether a text is written as names of reports are."""
    return re.fullmatch("[a-z][a-z0-9_]*", name) is not None


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
    for_all = {key: entries.pop(key) for key in ("on_failure",) if key in entries}
    plan = {
        name: _read_entry(name, for_all | entry if isinstance(entry, dict) else entry, workspace)
        for name, entry in entries.items()
    }
    for report in plan.values():
        for name in report.after:
            known(str(name), plan, f"report ('{report.name}' waits for it)")
    try:
        order = graphlib.TopologicalSorter({r.name: r.after for r in plan.values()}).static_order()
        return {name: plan[name] for name in order}
    except graphlib.CycleError as error:
        raise WrongUsage(f"reports.toml: these reports wait for each other: {', '.join(error.args[1])}") from error


def _read_entry(name: str, entry: Any, workspace: Workspace) -> PlannedReport:
    if not is_report_name(name):
        raise WrongUsage(f"reports.toml: '{name}' is no report name: use lower-case letters, digits and underscores")
    if not isinstance(entry, dict) or "notebook" not in entry:
        raise WrongUsage(f'reports.toml: [{name}] needs a line such as: notebook = "lifetime_value"')
    for key, value in entry.items():
        kind, meaning = known(key, _KEYS, f"key in [{name}] of reports.toml")
        if not isinstance(value, kind) or isinstance(value, bool):
            raise WrongUsage(f"reports.toml, [{name}]: '{key}' is {meaning}, not {value!r}")
    limits = {key: entry[key] for key in _LIMITS if key in entry}
    try:
        return planned(
            name,
            known(entry["notebook"], workspace.notebooks(), "notebook"),
            entry.get("parameters", {}),
            folder=workspace.root,
            root=workspace.root,
            after=tuple(entry.get("after", ())),
            **limits,
        )
    except WrongUsage as error:
        raise WrongUsage(f"reports.toml, [{name}]: {error}") from error


def planned(name: str, notebook: Path, values: dict[str, Any], **options: Any) -> PlannedReport:
    """Return a report with every parameter of its notebook settled.

    Parameters
    ----------
    name : str
        Name of the report.
    notebook : pathlib.Path
        The notebook.
    values : dict
        The parameters that are not to have their default.
    **options
        The other fields of `PlannedReport`. With `root`, nothing may leave that folder.

    Raises
    ------
    WrongUsage
        When a parameter is unknown or of another type, or an input path or the notebook leaves `root`.
    """
    declared = read_parameters(notebook)
    kinds = {parameter.name: parameter.input_kind for parameter in declared.values() if parameter.input_kind}
    secrets = tuple(parameter.name for parameter in declared.values() if parameter.is_secret)
    report = PlannedReport(name, notebook, check_values(declared, values), kinds, secrets=secrets, **options)
    if report.root and not _is_inside(report.root, notebook):
        raise WrongUsage(f"the notebook leaves the workspace ({notebook.resolve()})")
    for given in report.inputs() if report.root else ():
        if "\0" in given.source:
            raise WrongUsage(f"'{given.parameter}' holds a character (NUL) that no path may have")
        if not find_built_in(given.source, given.kind) and not _is_inside(report.root, report.root / given.source):
            raise WrongUsage(
                f"'{given.parameter}' leaves the workspace ({given.source}); "
                "put the file under data/raw, or name it at the command line with --set"
            )
    return report


def refuse_outside(report: PlannedReport) -> None:
    """Hold every file that the inputs of a report stand for, behind folders, patterns and links, to its root.

    Raises
    ------
    InputRefused
        When there is no such file, or it lies elsewhere.
    """
    for given in report.inputs() if report.root else ():
        if find_built_in(given.source, given.kind):
            continue
        outside = [path for path in locate(given.source, given.kind) if not _is_inside(report.root, path)]
        if outside:
            problem = Problem(f"it leaves the workspace: {outside[0]} stands for {outside[0].resolve()}")
            raise InputRefused(f"{given.kind}={given.source!r}", [problem])


def _is_inside(root: Path, path: Path) -> bool:
    return path.resolve().is_relative_to(root.resolve())
