"""The parameters of a notebook: read from its `parameters` cell, checked before anything runs.

Papermill only warns of an unknown parameter and pastes parameter names into code unescaped, so names, types and
allowed values are settled here, from the syntax tree of the cell and never by running it.
"""

from __future__ import annotations

import ast
import difflib
import io
import json
import math
import re
import tokenize
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from helpers.data.contracts import INPUTS

from .allowed import Clause, read_clauses
from .errors import WrongUsage
from .secret import variable

T = TypeVar("T")

TYPES = {"str": str, "int": int, "float": float, "bool": bool, "dict": dict, "list": list}


@dataclass(frozen=True)
class Parameter:
    """One parameter of a notebook.

    Parameters
    ----------
    name : str
        Python identifier.
    type : str
        One of `str`, `int`, `float`, `bool`, `dict`, `list`.
    default : object
        The literal in the notebook.
    meaning : str
        The comment behind it: what it is, and its unit. It begins with the name of an input and a colon where the
        parameter takes that input under another name (`survey: str = "mobi"  # satisfaction_survey: whose answers`),
        with `secret:` where its value is that of an environment variable (`password: str = ""  # secret: of the base`).
        It may end in what is allowed (`; one of a, b`, `; from 0 to 1`): see `allowed`.
    """

    name: str
    type: str
    default: Any
    meaning: str

    @property
    def input_kind(self) -> str:
        """Return which of `helpers.data.contracts.INPUTS` the parameter takes; empty where it takes none."""
        declared = self.meaning.partition(":")[0].strip()
        return next((kind for kind in (declared, self.name) if kind in INPUTS and self.type == "str"), "")

    @property
    def allowed(self) -> tuple[Clause, ...]:
        """Return what its meaning allows; empty where any value of the type is."""
        return read_clauses(self.meaning, TYPES[self.type])

    @property
    def is_secret(self) -> bool:
        """Return whether the parameter takes the name of an environment variable, and never its value."""
        return self.meaning.partition(":")[0].strip() == "secret"

    @property
    def _kind(self) -> str:
        """Return the type in words, with the example that the meaning gives."""
        example = re.search(r"such as ([\[{].*[\]}])", self.meaning)
        kind = _NAMED[self.type]
        return f"{kind.partition(' such as ')[0]} such as {example[1]}" if example else kind

    def parse(self, text: str) -> Any:
        """Return the value that `text` stands for, by the declared type and never by guessing.

        Raises
        ------
        WrongUsage
            When the text does not read as that type.
        """
        try:
            return self.check(_PARSERS[self.type](text))
        except (ValueError, KeyError) as error:
            raise WrongUsage(f"parameter '{self.name}' is {self._kind}, not '{text}'") from error

    def check(self, value: Any) -> Any:
        """Return `value` if it is of the declared type (a whole number may stand for a float).

        Raises
        ------
        WrongUsage
            When it is of another type, not finite, or none of what is allowed.
        """
        if self.is_secret and not (isinstance(value, str) and (not value or variable(value))):
            raise WrongUsage(f"parameter '{self.name}' is a secret: give the name of an environment variable, env:NAME")
        if self.type == "float" and type(value) is int:
            value = float(value)
        if type(value) is not TYPES[self.type] or (self.type == "float" and not math.isfinite(value)):
            raise WrongUsage(f"parameter '{self.name}' is {self._kind}, not {value!r}")
        try:
            json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
        except (TypeError, ValueError) as error:
            raise WrongUsage(f"parameter '{self.name}' may hold only text, numbers, lists and tables") from error
        if self.allowed and not any(clause.holds(value) for clause in self.allowed):
            words = "; ".join(clause.words for clause in self.allowed)
            raise WrongUsage(f"parameter '{self.name}' must be {words}: not {value!r}")
        return value


def _boolean(text: str) -> bool:
    return {"true": True, "false": False}[text.lower()]


_PARSERS = {"str": str, "int": int, "float": float, "bool": _boolean, "dict": json.loads, "list": json.loads}
_NAMED = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "dict": 'a JSON object such as {"their name": "our name"}',
    "list": 'a JSON list such as ["a", "b"]',
}


def read_parameters(notebook: Path) -> dict[str, Parameter]:
    """Return the parameters that a notebook declares, in order.

    Raises
    ------
    WrongUsage
        When the file is no notebook, its first code cell is not tagged `parameters`, or a line of that cell
        is anything but `name: type = literal  # what it is; what is allowed`.
    """
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        first = next(cell for cell in cells if cell["cell_type"] == "code")
    except (OSError, ValueError, KeyError, TypeError, StopIteration) as error:
        raise WrongUsage(f"{notebook.name} is not a notebook with a code cell") from error
    if "parameters" not in first.get("metadata", {}).get("tags", []):
        raise WrongUsage(f"{notebook.name}: the first code cell must carry the tag 'parameters'")
    return parse_cell("".join(first["source"]), notebook.name)


def title(notebook: Path) -> str:
    """Return the title of a notebook: its first Markdown heading, or its name."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    heading = re.search(r"^# +(.+)$", text, re.MULTILINE)
    return heading[1].strip() if heading else notebook.stem


def parse_cell(source: str, where: str = "the parameters cell") -> dict[str, Parameter]:
    """Return the parameters that the text of a `parameters` cell declares."""
    allowed = "only 'name: type = literal  # meaning' may stand here"
    try:
        statements = ast.parse(source).body
    except SyntaxError as error:
        raise WrongUsage(f"{where}, line {error.lineno}: {allowed}") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise WrongUsage(f"{where}: {allowed}") from error
    comments = _comments(source)
    found = {}
    for statement in statements:
        if not (isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value):
            raise WrongUsage(f"{where}, line {statement.lineno}: {allowed}")
        name, type_name = statement.target.id, ast.unparse(statement.annotation)
        if type_name not in TYPES:
            raise WrongUsage(f"{where}: parameter '{name}' has type '{type_name}', not one of {', '.join(TYPES)}")
        try:
            default = ast.literal_eval(statement.value)
        except (ValueError, TypeError, RecursionError, MemoryError) as error:
            raise WrongUsage(f"{where}: the default of '{name}' must be a literal") from error
        parameter = Parameter(name, type_name, default, comments.get(statement.end_lineno, ""))
        try:
            parameter.check(default)
        except WrongUsage as error:
            raise WrongUsage(f"{where}: {error}") from error
        found[name] = parameter
    return found


def _comments(source: str) -> dict[int, str]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {t.start[0]: t.string.lstrip("# ").strip() for t in tokens if t.type == tokenize.COMMENT}


def check_values(parameters: dict[str, Parameter], values: dict[str, Any]) -> dict[str, Any]:
    """Return every parameter's value: those given, checked, and the defaults of the rest.

    Raises
    ------
    WrongUsage
        When a name is unknown (near matches are named) or a value is of another type.
    """
    for name in values:
        known(name, parameters, "parameter")
    return {name: p.check(values[name]) if name in values else p.default for name, p in parameters.items()}


def parse_assignments(parameters: dict[str, Parameter], assignments: list[str]) -> dict[str, Any]:
    """Return the values of `key=value` texts from a command line.

    Raises
    ------
    WrongUsage
        When a text has no `=`, the name is unknown or given twice, or the value does not read as its type.
    """
    values: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals:
            raise WrongUsage(f"--set takes key=value, not '{assignment}'")
        if name in values:
            raise WrongUsage(f"parameter '{name}' is set twice")
        values[name] = known(name, parameters, "parameter").parse(text)
    return values


def known(name: str, choices: dict[str, T], kind: str) -> T:
    """Return `choices[name]`, or say in one sentence what there is instead.

    Raises
    ------
    WrongUsage
        When there is no such name.
    """
    if name in choices:
        return choices[name]
    near = difflib.get_close_matches(name, choices, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"there is: {', '.join(choices) or 'none'}"
    raise WrongUsage(f"unknown {kind} '{name}': {hint}")
