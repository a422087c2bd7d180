"""`reports new` adds a report that runs and passes the tests that every notebook and topic must pass."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest

from helpers.reporting.errors import WrongUsage
from helpers.reporting.plan import read_plan
from helpers.reporting.scaffold import new_report
from helpers.reporting.workspace import Workspace

ROOT = Path(__file__).parent.parent
TESTS = ["__init__.py", "conftest.py", "test_house.py", "test_notebooks.py", "nbval_sanitize.cfg"]
HOUSE = "(churn_risk or topic_has_one_name or models_draw_nothing or plan_names_only) and not one_changed_digit"


@pytest.fixture
def empty(tmp_path):
    """Return a workspace whose package has rooms with nothing in them."""
    for folder in ("notebooks", "data/raw", "src/helpers/analyses", "src/helpers/models", "tests"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "reports.toml").write_text("# the plan\n", encoding="utf-8")
    return Workspace.find(tmp_path)


@pytest.fixture
def clone(empty):
    """Return a workspace with the package of this one and the tests that every notebook and topic must pass."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "src", empty.root / "src", ignore=ignored, dirs_exist_ok=True)
    for name in TESTS:
        shutil.copy(ROOT / "tests" / name, empty.root / "tests")
    shutil.copy(ROOT / "pyproject.toml", empty.root)
    return empty


def run(workspace, *command):
    environment = os.environ | {"PYTHONPATH": str(workspace.root / "src")}
    done = subprocess.run(
        [sys.executable, *command], cwd=workspace.root, env=environment, capture_output=True, text=True, timeout=300
    )
    return done.returncode, done.stdout + done.stderr


def reports(workspace, *words):
    return run(workspace, "-c", "from helpers.reporting.commands import main; main()", *words)


@pytest.mark.slow
def test_new_report_runs_and_passes_the_tests_of_the_house(clone):
    code, text = reports(clone, "new", "churn_risk", "--title", 'Who is "leaving"?')
    assert code == 0, text
    assert "wrote notebooks/01_churn_risk.ipynb" in text and "extended reports.toml" in text
    assert tomllib.loads((clone.root / "reports.toml").read_text()) == {"churn_risk": {"notebook": "churn_risk"}}
    written = [str(path) for path in clone.root.rglob("*churn_risk*")]
    assert len(written) == 4
    for style in (["check"], ["format", "--check", "--force-exclude"]):
        code, text = run(clone, "-m", "ruff", *style, *written)
        assert code == 0, text

    [notebook] = clone.notebooks().values()
    cells = nbformat.read(notebook, as_version=4).cells
    assert cells[0].source == '# Who is "leaving"?'
    assert sum("data" in output for cell in cells for output in cell.get("outputs", [])) == 5

    tests = ["tests/test_house.py", "tests/test_notebooks.py", "tests/test_churn_risk.py"]
    code, text = run(clone, "-m", "pytest", "-k", HOUSE, *tests)
    assert code == 0, text


@pytest.mark.parametrize("name", ["Churn", "1st", "a-b", "../x", "", "class", "a b"])
def test_names_that_no_module_can_have_are_refused(empty, name):
    with pytest.raises(WrongUsage, match="is no report name"):
        new_report(name, empty)


@pytest.mark.parametrize("name", ["kano", "value", "lifetime_value", "bg_nbd"])
def test_names_that_are_taken_are_refused_and_nothing_is_written(empty, name):
    for taken in ("models/value.py", "models/kano/__init__.py", "analyses/lifetime_value.py"):
        place = empty.root / "src" / "helpers" / taken
        place.parent.mkdir(exist_ok=True)
        place.touch()
    (empty.root / "tests" / "test_bg_nbd.py").touch()
    before = sorted(empty.root.rglob("*"))
    with pytest.raises(WrongUsage, match="is taken"):
        new_report(name, empty)
    assert sorted(empty.root.rglob("*")) == before


def test_numbers_of_notebooks_go_on_and_the_plan_keeps_its_comments(empty):
    new_report("first_one", empty)
    new_report("second_one", empty)
    assert list(empty.notebooks()) == ["first_one", "second_one"]
    assert (empty.root / "reports.toml").read_text(encoding="utf-8").startswith("# the plan\n")
    assert list(read_plan(empty)) == ["first_one", "second_one"]


def test_workspace_without_the_package_is_told_so(toy):
    with pytest.raises(WrongUsage, match="holds no src/helpers"):
        new_report("mine", toy)
