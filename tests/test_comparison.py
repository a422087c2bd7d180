"""What two runs of a report differ in is told: numbers with intervals, data accounting, what they were made of."""

import json
import shutil

import pytest

from helpers.reporting.changes import AccountChange, changes_between, changes_since
from helpers.reporting.errors import WrongUsage
from helpers.reporting.pages import render_page
from helpers.reporting.runs import find_run
from helpers.reporting.workspace import Workspace

from .test_commands import reports

RECORD = {
    "run_id": "a",
    "parameters": {"rate": 0.5, "label": "x"},
    "notebook": "01_toy.ipynb",
    "inputs": [{"path": "one.csv", "sha256": "1" * 64, "rows": 3}, {"path": "two.csv", "sha256": "2" * 64, "rows": 4}],
    "git": {"commit": "c0ffee", "dirty": False},
    "packages": {"python": "3.11.7", "pandas": "2.3.1"},
    "notebook_sha256": "a" * 64,
    "lock_sha256": "b" * 64,
    "platform": "Linux x86_64",
}


def estimate(value, low=None, high=None):
    return {"value": value, "low": low, "high": high, "unit": "EUR", "text": "words"}


def run_folder(place, results, accounting="step,rows,reason\nrows in the file,10,x\nmerged,-2,y\n"):
    (place / "tables").mkdir(parents=True)
    (place / "results.json").write_text(json.dumps(results), encoding="utf-8")
    (place / "tables" / "data_accounting.csv").write_text(accounting, encoding="utf-8")
    return place


@pytest.fixture
def before(tmp_path):
    return run_folder(tmp_path / "before", {"worth": estimate(1.0, 0.5, 1.5), "gone": estimate(3.0)})


def compared(before, folder, record=RECORD, **kept):
    return changes_between(before, RECORD, run_folder(folder, **kept), record)


def test_same_run_differs_in_nothing(before):
    changes = changes_between(before, RECORD, before, RECORD)
    assert not changes.any
    assert changes.summary() == "no headline number changed"


def test_numbers_that_changed_came_or_went(before, tmp_path):
    changes = compared(before, tmp_path / "now", results={"worth": estimate(2.5, 0.5, 4.0), "new": estimate(7)})
    found = {change.name: (change.before, change.now, change.difference) for change in changes.numbers}
    assert found == {
        "worth": (estimate(1.0, 0.5, 1.5), estimate(2.5, 0.5, 4.0), 1.5),
        "new": (None, estimate(7), None),
        "gone": (estimate(3.0), None, None),
    }
    assert changes.summary() == "3 headline numbers changed"


def test_interval_alone_is_a_change_and_last_bits_are_none(before, tmp_path):
    wider = {"worth": estimate(1.0, 0.4, 1.5), "gone": estimate(3.0 * (1 + 1e-15))}
    assert [change.name for change in compared(before, tmp_path / "now", results=wider).numbers] == ["worth"]


def test_number_without_value_is_not_the_same_as_one_with(before, tmp_path):
    changes = compared(before, tmp_path / "now", results={"worth": estimate(None), "gone": estimate(3.0)})
    assert [(change.name, change.difference) for change in changes.numbers] == [("worth", None)]


def test_steps_of_the_accounting(before, tmp_path):
    now = "step,rows,reason\nrows in the file,12,x\nmerged,-2.0,y\nmerged,-1,z\n"
    changes = compared(before, tmp_path / "now", results={}, accounting=now)
    assert changes.accounting == [
        AccountChange("rows in the file", "rows", "10", "12"),
        AccountChange("merged", "rows", None, "-1"),
        AccountChange("merged", "reason", None, "z"),
    ]


@pytest.mark.parametrize("accounting", ["", "\n", "step\nonly\n", "step,rows\nshort\n"])
def test_odd_accounts_stop_nothing(before, tmp_path, accounting):
    assert compared(before, tmp_path / "now", results={}, accounting=accounting).accounting


CHANGED = {
    "parameter rate: 0.5 → 0.75": {"parameters": {"rate": 0.75, "label": "x"}},
    "parameter label: 'x' → none": {"parameters": {"rate": 0.5}},
    "parameter new: none → 'y'": {"parameters": {"rate": 0.5, "label": "x", "new": "y"}},
    "notebook 01_toy.ipynb → 02_toy.ipynb": {"notebook": "02_toy.ipynb"},
    "notebook 01_toy.ipynb has other cells": {"notebook_sha256": "c" * 64},
    "requirements.lock is another": {"lock_sha256": None},
    "platform: Linux x86_64 → Darwin arm64": {"platform": "Darwin arm64"},
    "input two.csv has other content": {"inputs": [RECORD["inputs"][0], {"path": "two.csv", "sha256": "3" * 64}]},
    "input two.csv is no longer read": {"inputs": [RECORD["inputs"][0]]},
    "the code is of another commit": {"git": {"commit": "beef", "dirty": False}},
    "input three.csv is newly read": {"inputs": [*RECORD["inputs"], {"path": "three.csv", "sha256": "3" * 64}]},
    "the code has changes that are in no commit: what they are is not known": {
        "git": {"commit": "c0ffee", "dirty": True}
    },
    "version of pandas: 2.3.1 → 2.3.3": {"packages": {"python": "3.11.7", "pandas": "2.3.3"}},
    "version of pandas: 2.3.1 → none": {"packages": {"python": "3.11.7"}},
}


@pytest.mark.parametrize(("said", "change"), CHANGED.items(), ids=CHANGED.keys())
def test_what_it_was_made_of(before, said, change):
    assert changes_between(before, RECORD, before, RECORD | change).made_of == [said]


def test_numbers_of_a_newest_run_whose_folder_is_gone_are_those_beside_its_page(before, tmp_path):
    latest = tmp_path / "home" / "latest"
    run_folder(latest, {"worth": estimate(9.0)})
    (latest / "manifest.json").write_text(json.dumps(RECORD), encoding="utf-8")
    changes = changes_since(latest, before, RECORD | {"run_id": "b"})
    assert {change.name: change.before for change in changes.numbers} == {"worth": estimate(9.0), "gone": None}


def test_first_run_is_compared_with_nothing(before, tmp_path):
    assert changes_since(tmp_path / "none", before, RECORD).summary() == "first good run"


def test_page_shows_intervals_and_accounts(before, tmp_path):
    now = "step,rows,reason\nrows in the <b>file</b>,1200,x\nmerged,-2,y\n"
    changes = compared(before, tmp_path / "now", results={"worth": estimate(2500, 2000, 3000)}, accounting=now)
    moment = "2026-01-01T00:00:00+00:00"
    run = RECORD | {"report": "toy", "title": "T", "outcome": "success", "ended": moment, "started": moment}
    page = render_page(
        "report.html.j2", body="", contents=[], run=run | {"duration_seconds": 1}, changes=changes, folder=""
    )
    cells = "1 (0.5000 to 1.5000)", "2,500 (2,000 to 3,000)", "2,499", "1,200", "rows in the &lt;b&gt;file&lt;/b&gt;"
    assert all(f">{cell}</t" in page for cell in cells), page


def test_command_tells_the_differences(published_toy):
    home = published_toy.reports / "toy"
    [run] = [path for path in home.iterdir() if path.is_dir() and path.name != "latest"]
    other = shutil.copytree(run, home.parent / "other")
    record = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    (other / "manifest.json").write_text(json.dumps(record | {"environment": {}}), encoding="utf-8")
    results = json.loads((other / "results.json").read_text(encoding="utf-8"))
    results["kept"] |= {"value": 0.55}
    (other / "results.json").write_text(json.dumps(results), encoding="utf-8")
    code, text = reports(published_toy, "compare", "reports/other", "toy")
    assert code == 0 and "version of pandas: none → 2." in text
    assert " kept share 0.5500 (0.4000 to 0.6000) 0.5000 (0.4000 to 0.6000) −0.0500" in " ".join(text.split())


def test_run_is_found_by_its_id_its_report_or_its_folder(published_once, tmp_path):
    home = published_once.reports / "toy"
    folder, record = find_run(published_once, "toy")
    assert folder.parent == home and record["run_id"] == folder.name
    for name in (folder.name, str(folder), str(home), str(home / "latest")):
        assert find_run(published_once, name) == (folder, record)
    for name in ("tay", "*", "../toy", str(tmp_path), ""):
        with pytest.raises(WrongUsage, match="there is no run"):
            find_run(published_once, name)


def test_failed_run_left_no_numbers(published_once, tmp_path):
    failed = tmp_path / "reports" / "toy" / "failed" / "x"
    failed.mkdir(parents=True)
    (failed / "manifest.json").write_text('{"run_id": "x", "outcome": "failed_kernel"}', encoding="utf-8")
    with pytest.raises(WrongUsage, match="run x ended as failed_kernel"):
        find_run(Workspace(tmp_path, tmp_path / "reports", tmp_path / "processed"), "x")
