"""A published run is run again: the same numbers, or which differ; inputs that changed are refused."""

import json
import shutil

import nbformat
import pytest
from typer.testing import CliRunner

from helpers.reporting.commands import app
from helpers.reporting.plan import planned, refuse_outside
from helpers.reporting.runner import Run, run_report
from helpers.reporting.runs import find_run
from helpers.reporting.verification import differences, largest, verify

from .conftest import takes_purchases, toy_notebook
from .test_commands import reports


@pytest.fixture
def run_folder(published_toy):
    """Return the folder of the published run, without its figure, which takes longest to draw."""
    folder, _ = find_run(published_toy, "toy")
    notebook = nbformat.read(folder / "notebook.ipynb", as_version=4)
    notebook.cells = [cell for cell in notebook.cells if ".figure(" not in cell.source]
    nbformat.write(notebook, folder / "notebook.ipynb")
    (folder / "tables" / "line.csv").unlink()
    return folder


OTHER_PLAN = '[toy]\nnotebook = "toy"\nparameters = { rate = 0.75 }\n'


def test_command_says_that_the_numbers_are_the_same(published_toy, run_folder):
    """Today's notebook would fail and today's plan has another rate: what counts is what was run."""
    (published_toy.root / "reports.toml").write_text(OTHER_PLAN, encoding="utf-8")
    nbformat.write(toy_notebook("1 / 0"), published_toy.notebooks()["toy"])
    left = sorted(published_toy.reports.rglob("*"))
    code, text = reports(published_toy, "verify", "toy")
    assert code == 0, text
    assert f"the same, exactly: 2 headline numbers and 1 tables of run {run_folder.name}" in text
    assert sorted(published_toy.reports.rglob("*")) == left, "nothing is published"


def test_number_that_does_not_come_again_is_named(published_toy, run_folder, monkeypatch):
    """The stored results are altered; running again, here a copy made before, brings back what was computed."""

    def again(report, workspace, **_):
        home = workspace.reports / report.name
        shutil.copytree(computed, home / run_folder.name)
        shutil.copytree(computed, home / "latest")
        return Run(report.name, "success", "published", home / "latest" / "index.html")

    computed = shutil.copytree(run_folder, published_toy.root / "computed")
    monkeypatch.setattr("helpers.reporting.verification.run_report", again)
    results = json.loads((run_folder / "results.json").read_text(encoding="utf-8"))
    results["kept"]["value"] = 0.5000001
    (run_folder / "results.json").write_text(json.dumps(results), encoding="utf-8")
    table = run_folder / "tables" / "spend.csv"
    table.write_text(table.read_text(encoding="utf-8").replace(",0.5\n", ",0.6\n"), encoding="utf-8")
    done = CliRunner().invoke(app, ["verify", run_folder.name, "--workspace", str(published_toy.root)])
    text = done.stdout
    assert done.exit_code == 1, text
    assert "results.json, kept, value: 0.5000001 → 0.5" in text
    assert "tables/spend.csv, row 2, amount: 0.6 → 0.5" in text
    assert "not the same: 2 cells differ" in text and "at most a relative 0.17" in text


def test_input_that_changed_is_refused(published_toy, run_folder):
    purchases = published_toy.raw / "mine.csv"
    purchases.write_text("customer_id,date,amount\n1,2024-01-01,5\n", encoding="utf-8")
    rewrite(run_folder / "notebook.ipynb", "# name of the amount", "# transactions: whose purchases")
    record = json.loads((run_folder / "manifest.json").read_text(encoding="utf-8"))
    record["parameters"]["label"] = "data/raw/mine.csv"
    record["inputs"] = [{"parameter": "label", "path": "data/raw/mine.csv", "sha256": "0" * 64}]
    found = verify(run_folder, record, published_toy)
    assert found.problem == "not run again: inputs are no longer what they were: label: data/raw/mine.csv"
    purchases.unlink()
    assert "mine.csv" in verify(run_folder, record, published_toy).problem


def test_file_from_outside_the_workspace_is_read_again_and_nobody_is_told(toy, tmp_path, monkeypatch):
    """The plan has a report of the same name, whose inputs must stay inside and whose failures are told of."""
    plan = '[toy]\nnotebook = "toy"\nretries = 2\non_failure = "tell"\ntime_limit_minutes = 7\n'
    (toy.root / "reports.toml").write_text(plan, encoding="utf-8")
    takes_purchases(toy, "label", "transactions: whose purchases, a path")
    mine = tmp_path / "mine.csv"
    mine.write_text("customer_id,date,amount\n1,2024-01-01,5\n", encoding="utf-8")
    run = run_report(planned("toy", toy.notebooks()["toy"], {"label": str(mine)}), toy)
    folder, record = find_run(toy, run.record["run_id"])
    asked = []

    def fails(report, workspace, **_):
        asked.append(report)
        return Run("toy", "failed_timeout", "too slow")

    monkeypatch.setattr("helpers.reporting.verification.run_report", fails)
    assert verify(folder, record, toy).problem == "run again it ended as failed_timeout: too slow"
    refuse_outside(asked[0])
    assert [given.source for given in asked[0].inputs()] == [str(mine)]
    assert (asked[0].time_limit_minutes, asked[0].retries, asked[0].on_failure) == (7, 0, "")


def test_run_that_fails_now_is_not_verified(published_toy, run_folder, monkeypatch):
    failing = Run("toy", "failed_notebook", "cell 3 raised NameError")
    monkeypatch.setattr("helpers.reporting.verification.run_report", lambda *_, **__: failing)
    found = verify(*find_run(published_toy, "toy"), published_toy)
    assert not found.reproduced
    assert found.problem == "run again it ended as failed_notebook: cell 3 raised NameError"


@pytest.fixture
def two(published_once, tmp_path):
    """Return the folders of two runs that are the same."""
    folder, _ = find_run(published_once, "toy")
    return shutil.copytree(folder, tmp_path / "a"), shutil.copytree(folder, tmp_path / "b")


def rewrite(file, before, after):
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after), encoding="utf-8")


def test_tolerance_is_relative(two):
    rewrite(two[1] / "tables" / "spend.csv", ",0.5\n", ",0.50000001\n")
    found = differences(*two)
    assert [str(each) for each in found] == ["tables/spend.csv, row 2, amount: 0.5 → 0.50000001"]
    assert largest(found) == pytest.approx(2e-8, rel=1e-6)
    assert differences(*two, tolerance=1e-9) and not differences(*two, tolerance=1e-7)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("customer,amount", "customer,spend", "tables/spend.csv, columns: customer, amount → customer, spend"),
        (",1.0\n", ",1.0\nx,2.0\n", "tables/spend.csv, rows: 3 → 4"),
        ("<b>spend</b>,1.0", "<b>sold</b>,1.0", "tables/spend.csv, row 3, customer: <b>spend</b> → <b>sold</b>"),
        (",0.5\n", ",\n", "tables/spend.csv, row 2, amount: 0.5 → "),
    ],
)
def test_tables_of_another_shape_or_text_differ_whatever_the_tolerance(two, before, after, said):
    rewrite(two[1] / "tables" / "spend.csv", before, after)
    found = differences(*two, tolerance=1.0)
    assert [str(each) for each in found] == [said]
    assert largest(found) is None or said.endswith("4")


def test_table_or_number_that_is_missing_differs(two):
    (two[1] / "tables" / "spend.csv").unlink()
    rewrite(two[1] / "results.json", '"kept"', '"held"')
    places = [(each.place, each.now is None) for each in differences(*two)]
    assert ("tables/spend.csv", True) in places
    assert ("results.json, kept, value", True) in places and ("results.json, held, value", False) in places
