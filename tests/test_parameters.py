"""The parameters cell is the schema: names, types and meanings are read from it, values are checked by it."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.reporting.errors import WrongUsage
from helpers.reporting.parameters import check_values, parse_assignments, parse_cell, read_parameters

CELL = """# what this notebook takes
transactions: str = "a?b=c#d"  # file, or a built-in name
horizon_weeks: int = 52  # how far ahead, weeks
rate: float = -0.1  # annual discount rate
loud: bool = True
columns: dict = {}  # their names -> ours
"""


def test_cell_is_read_with_types_defaults_and_meanings():
    found = parse_cell(CELL)
    assert [(p.name, p.type, p.default, p.meaning) for p in found.values()] == [
        ("transactions", "str", "a?b=c#d", "file, or a built-in name"),
        ("horizon_weeks", "int", 52, "how far ahead, weeks"),
        ("rate", "float", -0.1, "annual discount rate"),
        ("loud", "bool", True, ""),
        ("columns", "dict", {}, "their names -> ours"),
    ]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ('transactions: str = ""  # purchases: a path', "transactions"),
        ('survey: str = "mobi"  # satisfaction_survey: a built-in name, or a path', "satisfaction_survey"),
        ('model: str = "ecsi"  # satisfaction_model: ecsi, acsi, or a path', "satisfaction_model"),
        ('transactions: str = ""  # marketing_touches: what was spent', "marketing_touches"),
        ('model: str = "bg_nbd"  # satisfaction_model is what another report has', ""),
        ('rule: str = "keep"  # rows: transactions that repeat', ""),
        ("names: dict = {}  # transactions: their names", ""),
        ('survey: str = "mobi"', ""),
    ],
)
def test_parameter_says_by_its_meaning_or_its_name_which_input_it_takes(line, kind):
    [parameter] = parse_cell(line).values()
    assert parameter.input_kind == kind


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("x = 1", "only 'name: type = literal"),
        ("x: int", "only 'name: type = literal"),
        ("import os", "only 'name: type = literal"),
        ("x: complex = 1j", "has type 'complex'"),
        ("x: str = open('f').read()", "must be a literal"),
        ("x: int = 'a'", "is a whole number"),
    ],
)
def test_cell_that_is_no_schema_is_refused(cell, said):
    with pytest.raises(WrongUsage, match=said):
        parse_cell(cell)


@pytest.mark.parametrize(
    ("assignment", "value"),
    [
        ("transactions=007", "007"),
        ("transactions=a=b", "a=b"),
        ("transactions=", ""),
        ("horizon_weeks=0123", 123),
        ("rate=1e-3", 0.001),
        ("rate=3", 3.0),
        ("loud=false", False),
        ('columns={"id": "customer_id"}', {"id": "customer_id"}),
    ],
)
def test_command_line_values_follow_the_declared_type(assignment, value):
    name = assignment.split("=")[0]
    assert parse_assignments(parse_cell(CELL), [assignment]) == {name: value}


@pytest.mark.parametrize(
    ("assignments", "said"),
    [
        (["horizon_week=3"], "unknown parameter 'horizon_week': did you mean 'horizon_weeks'"),
        (["x=1; import os=2"], "unknown parameter 'x'"),
        (["horizon_weeks=1.5"], "'horizon_weeks' is a whole number, not '1.5'"),
        (["horizon_weeks=yes"], "is a whole number"),
        (["rate=nan"], "is a number"),
        (["rate=inf"], "is a number"),
        (["loud=NO"], "true or false"),
        (["columns=id"], "a JSON object"),
        (["columns=[1]"], "a JSON object"),
        (["rate"], "key=value"),
        (["rate=1", "rate=2"], "set twice"),
    ],
)
def test_wrong_assignments_are_refused_in_words(assignments, said):
    with pytest.raises(WrongUsage, match=said):
        parse_assignments(parse_cell(CELL), assignments)


def test_refusal_shows_the_example_that_the_parameter_gives():
    cell = 'campaign: dict = {}  # what is assumed, such as {"misers": {"response": 0.04}}; shares'
    for text, example in ((cell, '{"misers": {"response": 0.04}}'), (CELL, '{"their name": "our name"}')):
        parameters = parse_cell(text)
        with pytest.raises(WrongUsage, match=re.escape(f"is a JSON object such as {example}, not")):
            parse_assignments(parameters, [f"{list(parameters)[-1]}=0.04"])


def test_plan_values_are_checked_by_type_and_completed_with_defaults():
    parameters = parse_cell(CELL)
    assert check_values(parameters, {"rate": 0})["rate"] == 0.0
    assert check_values(parameters, {})["horizon_weeks"] == 52
    with pytest.raises(WrongUsage, match="'loud' is true or false, not 1"):
        check_values(parameters, {"loud": 1})
    with pytest.raises(WrongUsage, match="'horizon_weeks' is a whole number, not True"):
        check_values(parameters, {"horizon_weeks": True})


@given(st.text())
def test_any_text_comes_back_as_it_was_given(text):
    assert parse_assignments(parse_cell(CELL), [f"transactions={text}"]) == {"transactions": text}


def test_notebook_without_a_parameters_cell_is_refused(tmp_path):
    notebook = tmp_path / "01_x.ipynb"
    for content in ("", "{}", json.dumps({"cells": [{"cell_type": "code", "metadata": {}, "source": "x: int = 1"}]})):
        notebook.write_text(content, encoding="utf-8")
        with pytest.raises(WrongUsage, match=r"01_x\.ipynb"):
            read_parameters(notebook)
