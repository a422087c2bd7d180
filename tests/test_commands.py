"""The command as an operator meets it: what it prints, and its exit codes."""

import errno
import hashlib
import json
import shutil
import signal
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO

import pytest

from helpers.reporting.commands import main
from helpers.reporting.lock import held

from .conftest import takes_purchases


def reports(workspace, *words, folder=None):
    """Call the command in this process, which spares each call the imports; return its exit code and what it said."""
    said, complained, before = StringIO(), StringIO(), signal.getsignal(signal.SIGTERM)
    with chdir(folder or workspace.root), redirect_stdout(said), redirect_stderr(complained):
        with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as ended:
            patch.setattr(sys, "argv", ["reports", *words])
            main()
    signal.signal(signal.SIGTERM, before)
    return ended.value.code or 0, said.getvalue() + complained.getvalue()


def test_plan_is_run_and_each_report_gets_a_line(toy):
    code, text = reports(toy, "run")
    assert code == 0
    assert "toy: published (reports/toy/latest/index.html)" in text
    assert "index: reports/index.html" in text


def test_failure_is_one_line_and_exit_code_1(toy):
    notebook = toy.notebooks()["toy"]
    notebook.write_text(notebook.read_text(encoding="utf-8").replace("report.answer()", "1 / 0"), encoding="utf-8")
    code, text = reports(toy, "run")
    assert code == 1
    assert [line for line in text.splitlines() if "failed_notebook" in line and "ZeroDivisionError" in line]


def test_report_that_waits_for_a_failed_one_is_not_run(toy):
    plan = '[bad]\nnotebook = "toy"\nparameters = { customers = -1, label = "x" }\n'
    plan += '[late]\nnotebook = "toy"\nafter = ["bad"]\n'
    (toy.root / "reports.toml").write_text(plan, encoding="utf-8")
    notebook = toy.notebooks()["toy"]
    raising = "assert customers > 0\\nreport.answer()"
    notebook.write_text(notebook.read_text(encoding="utf-8").replace("report.answer()", raising), encoding="utf-8")
    code, text = reports(toy, "run")
    assert code == 1
    assert "late: cancelled: not run: it waits for bad, which failed" in text
    assert not (toy.reports / "late").exists()


def test_ad_hoc_run_takes_values_by_type_and_publishes_under_out(toy, tmp_path):
    code, text = reports(
        toy, "run", "toy", "--set", "customers=5", "--set", "label=007", "--out", str(tmp_path / "mine")
    )
    assert code == 0, text
    page = (tmp_path / "mine" / "toy" / "latest" / "index.html").read_text(encoding="utf-8")
    assert "5 customers" in page and "007" in page
    assert (tmp_path / "mine" / "data" / "processed" / "toy" / "spend.parquet").is_file()
    assert not (toy.reports / "toy").exists() and not toy.processed.exists()


def test_ad_hoc_run_without_out_leaves_the_plan_alone(toy):
    code, _ = reports(toy, "run", "toy", "--set", "customers=5")
    assert code == 0
    assert (toy.reports / "ad_hoc" / "toy" / "latest" / "index.html").is_file()
    assert not (toy.reports / "toy").exists()
    assert (toy.processed / "ad_hoc" / "toy" / "spend.parquet").is_file()
    assert [*toy.reports.rglob("*.parquet")] == [], "ids would be passed on with the reports"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "toi"], "unknown report 'toi': did you mean 'toy'?"),
        (["run", "toy", "--set", "customer=5"], "did you mean 'customers'?"),
        (["run", "toy", "--set", "customers=five"], "is a whole number, not 'five'"),
        (["run", "toy", "--set", "x=1; import os; y=2"], "unknown parameter"),
        (["run", "--set", "customers=5"], "exactly one notebook"),
        (["check", "toy", "--set", "customers=five"], "is a whole number, not 'five'"),
        (["run", "--retries", "99"], "'retries' is a number from 0 to 10"),
        (["run", "--memory-limit", "nan"], "'memory_limit_gib' must be above 0"),
        (["run", "toy", "--out", "data/raw/x"], "no run writes to"),
        (["run", "toy", "--out", "reports.toml"], "is a file, not a folder"),
        (["run", "toy", "--out", "reports"], "belongs to the workspace itself"),
        (["run", "toy", "--out", "notebooks/x"], "belongs to the workspace itself"),
        (["run", "toy", "--out", "."], "belongs to the workspace itself"),
        (["show", "tay"], "did you mean 'toy'?"),
        (["run", "--frce"], "No such option"),
        (["walk"], "No such command"),
        (["list", "--workspace", "/"], "no reports.toml"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_nothing_is_written(toy, words, said):
    code, text = reports(toy, *words)
    assert code == 2
    assert said in " ".join(text.split())
    assert not list(toy.reports.iterdir())


def test_interrupted_command_is_a_failure(toy, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("helpers.reporting.batch.run_report", interrupted)
    assert reports(toy, "run")[0] == 1


def test_list_and_show_say_what_there_is(toy):
    assert reports(toy, "list")[1].split()[-3:] == ["toy", "01_toy", "never"]
    code, text = reports(toy, "show", "toy")
    assert code == 0
    assert "how many customers, count" in " ".join(text.split())


@pytest.fixture
def purchases(toy):
    """Return a toy workspace whose notebook takes purchases under a name of its own, and a file of them."""
    takes_purchases(toy, "label", "transactions: whose purchases, a path")
    (toy.raw / "mine.csv").write_text("customer_id,date,amount\n1,2024-01-01,5\n2,2024-01-02,6\n", encoding="utf-8")
    return toy


def test_inputs_are_recognised_by_their_meaning(purchases):
    plan = '[toy]\nnotebook = "toy"\nparameters = { label = "data/raw/mine.csv" }\n'
    (purchases.root / "reports.toml").write_text(plan, encoding="utf-8")
    folder = purchases.root / "notebooks"
    assert " label input: transactions 'data/raw/mine.csv' " in " ".join(
        reports(purchases, "show", "toy", folder=folder)[1].split()
    )
    assert "label=data/raw/mine.csv" in reports(purchases, "list")[1]
    code, text = reports(purchases, "check", folder=folder)
    assert (code, text.startswith("toy: label: 2 ")) == (0, True), text
    (purchases.raw / "mine.csv").unlink()
    code, text = reports(purchases, "check")
    assert code == 1 and text.startswith("toy: label: transactions=")


def test_check_takes_values_and_holds_them_to_the_table_that_they_are_said_to_be(purchases, tmp_path):
    (tmp_path / "yours.csv").write_text("customer_id,date,amount\n1,2024-01-01,x\n", encoding="utf-8")
    code, text = reports(purchases, "check", "toy", "--set", f"label={tmp_path / 'yours.csv'}")
    assert (code, "amount" in text) == (1, True)
    notebook = purchases.notebooks()["toy"]
    text = notebook.read_text(encoding="utf-8")
    mine = ["check", "toy", "--set", "label=data/raw/mine.csv"]
    notebook.write_text(text.replace("transactions: whose", "no_such_table: whose"), encoding="utf-8")
    assert reports(purchases, *mine) == (0, ""), "a parameter that names no table is no input"
    notebook.write_text(text.replace("transactions: whose", "receivables: whose"), encoding="utf-8")
    code, text = reports(purchases, *mine)
    assert code == 1 and text.startswith("toy: label: mine.csv cannot be used:\n  - column 'amount_due'")
    owed = purchases.raw / "mine.csv"
    owed.write_text(owed.read_text(encoding="utf-8").replace("amount", "amount_due"), encoding="utf-8")
    assert reports(purchases, *mine) == (0, "toy: label: 2 rows in the file, 2 receivables\n")


def test_input_paths_at_the_command_line_start_from_the_folder_of_the_caller(purchases):
    code, text = reports(purchases, "run", "toy", "--set", "label=mine.csv", folder=purchases.raw)
    assert code == 0, text
    latest = purchases.reports / "ad_hoc" / "toy" / "latest" / "manifest.json"
    [found] = json.loads(latest.read_text(encoding="utf-8"))["inputs"]
    assert (found["parameter"], found["name"], found["path"]) == ("label", "transactions", "mine.csv")
    assert found["sha256"] == hashlib.sha256((purchases.raw / "mine.csv").read_bytes()).hexdigest()


def test_command_works_from_a_folder_below(toy):
    command = [sys.executable, "-c", "from helpers.reporting.commands import main; main()", "run"]
    done = subprocess.run(command, cwd=toy.root / "notebooks", capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and "Traceback" not in done.stdout + done.stderr
    assert (toy.reports / "toy" / "latest" / "index.html").is_file()


def test_share_that_is_only_to_be_read_is_no_traceback(published_toy, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied", "reports/.locks")

    reports(published_toy, "history", "toy")
    for module in ("lock", "publication"):
        monkeypatch.setattr(f"helpers.reporting.{module}.held", refuse)
    code, text = reports(published_toy, "history", "toy")
    assert code == 0 and "toy: shown as it was written last" in text and "customers" in text
    code, text = reports(published_toy, "prune", "--keep", "1")
    assert code == 1 and "toy: left alone: " in text and "0 runs removed" in text


@pytest.mark.parametrize(
    ("path", "code", "said"),
    [("~nosuch/x.csv", 1, "the path does not exist"), (r"a\u0000b.csv", 2, "(NUL) that no path may have")],
)
def test_path_that_cannot_be_is_no_traceback(toy, path, code, said):
    takes_purchases(toy, "transactions", "the purchases")
    plan = f'[toy]\nnotebook = "toy"\nparameters = {{ transactions = "{path}" }}\n'
    (toy.root / "reports.toml").write_text(plan, encoding="utf-8")
    ended, text = reports(toy, "check")
    assert ended == code and said in text


def test_prune_keeps_the_newest_good_run(published_toy):
    toy = published_toy
    reports(toy, "run", "--force")
    code, text = reports(toy, "prune", "--keep", "1", "--dry-run")
    assert code == 0 and "1 run would be removed" in text
    with held(toy.reports / ".locks" / "toy.lock"):
        code, text = reports(toy, "prune", "--keep", "1")
    assert code == 0 and "toy: left alone, because it is being run" in text and "0 runs removed" in text
    code, text = reports(toy, "prune", "--keep", "1")
    runs = [path for path in (toy.reports / "toy").iterdir() if path.is_dir() and path.name != "latest"]
    newest = (toy.reports / "toy" / "latest" / "manifest.json").read_text(encoding="utf-8")
    assert len(runs) == 1 and runs[0].name in newest
    assert reports(toy, "prune", "--keep", "1")[1].strip() == "0 runs removed"


def test_prune_looks_into_what_was_run_apart(published_toy):
    home = published_toy.reports / "ad_hoc" / "toy"
    shutil.copytree(published_toy.reports / "toy", home)
    (newest,) = home.glob("2*")
    older = shutil.copytree(newest, home / "20200101T000000Z-aaaaaa")
    assert reports(published_toy, "prune", "--keep", "1")[0] == 0
    assert newest.is_dir() and not older.exists()
    assert (home.parent / "index.html").is_file()
    assert not (published_toy.reports / ".locks" / "ad_hoc.lock").exists()
