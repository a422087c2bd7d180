"""The parameters cell is the schema: names, types and meanings are read from it, values are checked by it."""

import importlib
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.data import cleaning, engines, referrals, satisfaction_survey, transactions
from helpers.data.kano_survey import LABEL_SETS, POSITION
from helpers.data.refusal import InputRefused
from helpers.models.lifetime_value.purchase_models import kinds
from helpers.reporting.allowed import split
from helpers.reporting.errors import WrongUsage
from helpers.reporting.parameters import check_values, parse_assignments, parse_cell, read_parameters

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

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
        ("x: int = 1\n%matplotlib inline", "the parameters cell, line 2: only 'name: type = literal"),
        ("x: str = 'open", "line 1: only 'name: type = literal"),
        ("x: list = [1,", "line 1: only 'name: type = literal"),
        ("x: int = 1\0", "only 'name: type = literal"),
        ("x: dict = {[]: 1}", "must be a literal"),
        ("x: int = " + "-" * 100_000 + "1", "only 'name: type = literal|must be a literal"),
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
    for content in (
        "",
        "{}",
        "[]",
        json.dumps({"cells": [{"cell_type": "code", "metadata": {}, "source": "x: int = 1"}]}),
    ):
        notebook.write_text(content, encoding="utf-8")
        with pytest.raises(WrongUsage, match=r"01_x\.ipynb"):
            read_parameters(notebook)


ALLOWED = """model: str = "a"  # of the purchases; one of a, b (slower, or not), "c d" or e
mark: str = ","  # decimal mark; one of ".", ","
rate: float = -1.0  # a year; from 0 to below 1 (0.1 is 10 %); or -1 for what the data say
share: float = 0.5  # of all; between 0 and 1
growth: float = 0.0  # a year; above -1 to 1
draws: int = 100  # count; from 20 to 2,000
days: int = 0  # a term; at least 2; or 0 for none
size: float = 1.0  # of it; above 0
most: int = 3  # count; at most 5; or from 10 to 12
less: float = 0.0  # of it; below 1 (all of it)
end: str = ""  # last day; a date such as 1997-09-30; or "" for the last purchase
lowest: str = ""  # answer; a number such as 1; or "" for that of the file
stays: str = "data"  # who; one of data, contracts; or from 0 to 1
free: str = "x"  # above all words; "" for none; from the first on
"""


@pytest.mark.parametrize(
    ("name", "taken", "refused"),
    [
        ("model", ["a", "b", "c d", "e"], ["", "A", "slower", "a, b", "c"]),
        (
            "mark",
            [".", ","],
            ["", ".,", '"'],
        ),
        ("rate", ["0", "0.99", "-1"], ["1", "-0.5", "-2", "7"]),
        ("share", ["0.01", "0.99"], ["0", "1"]),
        ("growth", ["-0.99", "1"], ["-1", "1.01"]),
        ("draws", ["20", "2000"], ["19", "2001"]),
        ("days", ["0", "2", "900"], ["1", "-1"]),
        ("size", ["0.001", "1e9"], ["0", "-1"]),
        ("most", ["-7", "5", "11"], ["6", "13"]),
        ("less", ["-7", "0.99"], ["1", "2"]),
        ("end", ["", "2024-02-29", "2024-02-29 10:00"], ["2023-02-29", "yesterday", "29/02/2024"]),
        ("lowest", ["", "1", "-0.5"], ["one", "nan", "inf"]),
        ("stays", ["data", "contracts", "0", "0.8", "1"], ["", "1.1", "nan", "exits"]),
        ("free", ["", "anything"], []),
    ],
)
def test_meaning_says_what_is_allowed(name, taken, refused):
    parameters = parse_cell(ALLOWED)
    for text in taken:
        parse_assignments(parameters, [f"{name}={text}"])
    for text in refused:
        with pytest.raises(WrongUsage, match=f"parameter '{name}' must be "):
            parse_assignments(parameters, [f"{name}={text}"])


def test_refusal_says_what_is_allowed_instead():
    with pytest.raises(WrongUsage, match=r"'rate' must be from 0 to below 1 .*; or -1 for what the data say: not 2\.0"):
        check_values(parse_cell(ALLOWED), {"rate": 2})
    assert split(parse_cell(ALLOWED)["end"].meaning) == (
        "last day",
        ["a date such as 1997-09-30", 'or "" for the last purchase'],
    )


@pytest.mark.parametrize(
    "line",
    [
        "x: int = 1  # count; from 1 up to 3",
        "x: int = 1  # count; one of one, two",
        "x: int = 1  # count; a date such as 1",
        "x: list = []  # of them; one of a, b",
        "x: bool = True  # or not; at least 0",
        'x: str = "a"  # of them; one of a b',
    ],
)
def test_clause_that_cannot_be_read_is_no_schema(line):
    with pytest.raises(WrongUsage, match="cannot be read as what a parameter of type"):
        parse_cell(line)


def test_default_that_is_not_allowed_is_no_schema():
    with pytest.raises(WrongUsage, match=r"01_x\.ipynb: parameter 'x' must be at least 1: not 0"):
        parse_cell("x: int = 0  # count; at least 1", "01_x.ipynb")


# Of these the rule speaks of another parameter too, or of a file: the notebook checks them at its start.
OF_SEVERAL = {
    *("must_be_below", "attractive_above", "exploration_days", "stable_days", "step", "counts", "currency"),
    *("lifetime_cut_at", "referral_cut_at", "current_cut_at", "future_cut_at"),
    *("lifetime_cut", "referral_cut", "current_cut", "future_cut"),
}
# What the layer below the analyses holds.
OF_THE_DATA = {
    "bad_rows": cleaning.BAD_ROWS,
    "engine": engines.ENGINES,
    "decimal": cleaning.DECIMALS,
    "identical_rows": cleaning.IDENTICAL_ROWS,
    "merge_period": transactions.MERGE_PERIODS,
    "time_unit": transactions.MERGE_PERIODS,
    "zero_amounts": transactions.ZERO_AMOUNTS,
    "refunds": transactions.REFUNDS,
    "model": kinds(),
    "several_referrers": referrals.SEVERAL_REFERRERS,
    "straight_lining": satisfaction_survey.CHOICES,
    "identical_answers": satisfaction_survey.CHOICES,
    "labels": [POSITION, *LABEL_SETS, ""],
}
NUMBERS = [
    -11,
    -10,
    -1.01,
    -1,
    -0.5,
    0,
    0.01,
    0.3,
    0.49,
    0.5,
    0.99,
    1,
    1.01,
    2,
    3,
    6,
    7,
    10,
    11,
    14,
    15,
    19,
    20,
    21,
    50,
]
NUMBERS += [51, 89, 90, 91, 99, 100, 101, 200, 201, 366, 367, 520, 521, 1040, 1041, 2000, 2001, 10_000, 10_001, 10**6]


ANALYSES = ROOT / "src" / "helpers" / "analyses"
WITH_SETTINGS = [path for path in NOTEBOOKS if (ANALYSES / path.stem[3:] / "settings.py").is_file()]


@pytest.mark.parametrize("path", WITH_SETTINGS, ids=lambda path: path.stem)
def test_what_a_notebook_says_is_allowed_is_what_its_analysis_takes(path):
    """Each value is taken, or refused, by the schema and by the analysis alike."""
    settings = importlib.import_module(f"helpers.analyses.{path.stem[3:]}.settings").Settings
    parameters = read_parameters(path)
    probes = {"int": [n for n in NUMBERS if n == int(n)], "float": [float(n) for n in NUMBERS]}

    def analysis_takes(name, value):
        try:
            settings.of({name: value})
        except InputRefused:
            return False
        return True

    def schema_takes(parameter, value):
        try:
            parameter.check(value)
        except WrongUsage:
            return False
        return True

    for name, parameter in parameters.items():
        words = {"", "nosuch", "0.5", "-2", *re.findall(r"\w+", parameter.meaning)}
        for value in probes.get(parameter.type, words if parameter.type == "str" else ()):
            taken = schema_takes(parameter, value)
            if name in OF_THE_DATA and parameter.allowed:
                assert taken == (value in OF_THE_DATA[name]), (name, value)
            elif "a date such as" in parameter.meaning or "a number such as" in parameter.meaning:
                continue
            elif name in OF_SEVERAL:
                assert taken or not analysis_takes(name, value), (name, value)
            else:
                assert taken == analysis_takes(name, value), (name, value)
