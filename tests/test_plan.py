"""The plan is checked as a whole before anything runs."""

import pytest

from helpers.reporting.errors import WrongUsage
from helpers.reporting.plan import Input, read_plan
from helpers.reporting.workspace import Workspace

from .conftest import takes_purchases


def write(toy: Workspace, text: str) -> None:
    (toy.root / "reports.toml").write_text(text, encoding="utf-8")


def test_plan_settles_every_parameter_and_orders_by_after(toy):
    write(toy, '[late]\nnotebook = "toy"\nafter = ["early"]\n[early]\nnotebook = "toy"\nparameters = { rate = 1 }\n')
    plan = read_plan(toy)
    assert list(plan) == ["early", "late"]
    assert plan["early"].parameters == {"customers": 3, "label": "spend", "rate": 1.0, "loud": False, "columns": {}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[toy", "cannot be read"),
        ('[toy]\nnotebok = "toy"', "needs a line such as"),
        ('[toy]\nnotebook = "toi"', r"\[toy\]: unknown notebook 'toi': did you mean 'toy'"),
        ('[toy]\nnotebook = "toy"\nafters = []', "did you mean 'after'"),
        ('[toy]\nnotebook = "toy"\nparameters = { rates = 1 }', "did you mean 'rate'"),
        ('[toy]\nnotebook = "toy"\nparameters = { customers = "1" }', "'customers' is a whole number, not '1'"),
        ('[toy]\nnotebook = "toy"\nparameters = { "x=1;import os" = 1 }', "unknown parameter"),
        ('[toy]\nnotebook = "toy"\nafter = ["tay"]', "unknown report .*: did you mean 'toy'"),
        ('[a]\nnotebook = "toy"\nafter = ["b"]\n[b]\nnotebook = "toy"\nafter = ["a"]', "wait for each other"),
        ('[toy]\nnotebook = "toy"\ntime_limit_minutes = "abc"', "'time_limit_minutes' is a number of minutes"),
        ('[toy]\nnotebook = "toy"\ntime_limit_minutes = -1', "must be above 0"),
        ('[toy]\nnotebook = "toy"\ntime_limit_minutes = inf', "must be above 0"),
        ('[toy]\nnotebook = "toy"\nmemory_limit_gib = 0', r"\[toy\]: 'memory_limit_gib' must be above 0"),
        ('[toy]\nnotebook = "toy"\nretries = 1.5', "'retries' is a whole number"),
        ('[toy]\nnotebook = "toy"\nretries = 11', "'retries' is a number from 0 to 10"),
        ('on_failure = 5\n[toy]\nnotebook = "toy"', "'on_failure' is a command"),
        ('[toy]\nnotebook = "toy"\nafter = 5', "'after' is a list of report names"),
        ('[toy]\nnotebook = "toy"\nafter = [5]', "unknown report"),
        ('[toy]\nnotebook = "toy"\nparameters = 5', "'parameters' is a table"),
        ('[toy]\nnotebook = ["toy"]', "'notebook' is the name of a notebook"),
        ('[data]\nnotebook = "toy"', r"\[data\]: 'data' cannot be the name of a report"),
        ('[ad_hoc]\nnotebook = "toy"', "'ad_hoc' cannot be"),
        ('["../x"]\nnotebook = "toy"', "is no report name"),
    ],
)
def test_wrong_plans_are_refused_in_words(toy, text, said):
    write(toy, text)
    with pytest.raises(WrongUsage, match=said):
        read_plan(toy)


def test_command_for_failures_stands_for_all_or_for_one(toy):
    write(toy, 'on_failure = "tell"\n[a]\nnotebook = "toy"\n[b]\nnotebook = "toy"\non_failure = ""\nretries = 2\n')
    plan = read_plan(toy)
    assert (plan["a"].on_failure, plan["b"].on_failure, plan["a"].retries, plan["b"].retries) == ("tell", "", 0, 2)


TAKEN = [("transactions", "the purchases"), ("label", "transactions: the purchases")]


@pytest.mark.parametrize(("parameter", "meaning"), TAKEN)
@pytest.mark.parametrize("path", ["../secret.csv", "/etc/passwd", "data/raw/../../../x.csv", "~/x.csv"])
def test_input_paths_of_the_plan_stay_in_the_workspace(toy, path, parameter, meaning):
    takes_purchases(toy, parameter, meaning)
    write(toy, f'[toy]\nnotebook = "toy"\nparameters = {{ {parameter} = "{path}" }}')
    with pytest.raises(WrongUsage, match=f"'{parameter}' leaves the workspace"):
        read_plan(toy)


@pytest.mark.parametrize(("parameter", "meaning"), TAKEN)
@pytest.mark.parametrize(("value", "source"), [("cdnow", "cdnow"), ("data/raw/x.csv", "{root}/data/raw/x.csv")])
def test_inputs_are_as_seen_from_anywhere(toy, parameter, meaning, value, source):
    takes_purchases(toy, parameter, meaning)
    write(toy, f'[toy]\nnotebook = "toy"\nparameters = {{ {parameter} = "{value}" }}')
    report = read_plan(toy)["toy"]
    source = source.format(root=toy.root)
    assert report.inputs() == [Input(parameter, "transactions", source)]
    assert report.parameters[parameter] == value
    assert report.resolved_parameters() == report.parameters | {parameter: source}


def test_input_that_is_empty_is_none(toy):
    takes_purchases(toy, *TAKEN[1])
    write(toy, '[toy]\nnotebook = "toy"')
    assert read_plan(toy)["toy"].inputs() == []


def test_no_workspace_is_said(tmp_path):
    with pytest.raises(WrongUsage, match=r"no reports\.toml"):
        Workspace.find(tmp_path)
