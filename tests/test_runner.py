"""Runs are staged, judged by the files they leave, and published in one step."""

import hashlib
import json
import re
import threading

import nbformat
import pytest

from helpers.reporting.plan import planned, read_plan
from helpers.reporting.runner import run_report

from .conftest import TOY_FIGURE, light_notebook, toy_notebook


def run_toy(workspace, notebook=None, **options):
    if notebook is not None:
        nbformat.write(notebook, workspace.notebooks()["toy"])
    return run_report(read_plan(workspace)["toy"], workspace, **options)


def manifest(run):
    return json.loads((run.page.parent / "manifest.json").read_text(encoding="utf-8"))


def test_good_run_publishes_everything_that_the_contract_names(toy):
    seen = []
    run = run_toy(toy, toy_notebook(TOY_FIGURE), on_progress=seen.append)
    assert (run.outcome, run.page) == ("success", toy.reports / "toy" / "latest" / "index.html")
    record = manifest(run)
    folder = toy.reports / "toy" / record["run_id"]
    left = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert left == {
        "index.html",
        "notebook.ipynb",
        "tables/spend.csv",
        "tables/line.csv",
        "tables/columns.json",
        "figures/line.svg",
        "results.json",
        "contents.json",
        "manifest.json",
        "run.log",
    }
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    assert results == {
        "customers": {"value": 3, "low": None, "high": None, "unit": "customers", "text": "3 customers"},
        "kept": {"value": 0.5, "low": 0.4, "high": 0.6, "unit": "share", "text": "keep 0.5"},
    }
    assert json.loads((toy.reports / "toy" / "latest" / "results.json").read_text(encoding="utf-8")) == results
    assert (toy.processed / "toy" / "spend.parquet").is_file()
    assert (toy.reports / "index.html").is_file()
    assert not list(toy.staging.iterdir())
    assert seen == sorted(seen) and seen[-1] == 1.0
    expected = {"run_id", "report", "notebook", "parameters", "inputs", "git", "packages", "seed", "started", "ended"}
    assert expected | {"duration_seconds", "outcome", "warnings", "run_key"} <= set(record)


CASES = {
    "a cell raises": (["1 / 0"], "failed_notebook", "ZeroDivisionError"),
    "a name does not exist": (["nonsense"], "failed_notebook", "NameError"),
    "the kernel dies": (["import os; os._exit(9)"], "failed_kernel", "the kernel died"),
    "the kernel leaves quietly": (["import sys; sys.exit(0)"], "failed_output", "before its last cell"),
    "data are refused": (
        [
            "from helpers.data.refusal import InputRefused, Problem",
            "raise InputRefused('a.csv', [Problem('it is empty')])",
        ],
        "failed_contract",
        "a.csv cannot be used",
    ),
    "a table is deleted": (
        ["import os, pathlib\n(pathlib.Path(os.environ['HELPERS_RUN_FOLDER']) / 'tables' / 'spend.csv').unlink()"],
        "failed_output",
        "spend.csv",
    ),
}


@pytest.mark.parametrize(("cells", "outcome", "said"), CASES.values(), ids=CASES.keys())
def test_failed_run_is_kept_and_the_last_good_report_stays(published_toy, cells, outcome, said):
    toy = published_toy
    page = toy.reports / "toy" / "latest" / "index.html"
    before = page.read_bytes()
    run = run_toy(toy, toy_notebook(*cells))
    assert run.outcome == outcome
    assert said in run.message
    assert run.page.parent.parent == toy.reports / "toy" / "failed"
    assert said in run.page.read_text(encoding="utf-8")
    assert (run.page.parent / "run.log").is_file() and (run.page.parent / "notebook.ipynb").is_file()
    assert page.read_bytes() == before
    index = (toy.reports / "index.html").read_text(encoding="utf-8")
    assert outcome in index and "stale" in index


SIMULATED = {
    'label="", answer': 'label="Simulated <data>", answer',
    'axes.plot(frame["amount"])': 'axes.plot(frame["amount"]); axes.set_title("感知质量 <b>北方</b>")',
    'from left to right.", frame)': "from left to right.\", frame, english={'感知质量': 'Quality'})",
    "import sys, types, warnings": "import sys, types, warnings\n"
    "from helpers.reporting import lettering\nlettering.CJK_FAMILIES = ()",
}


def test_label_stands_on_everything_shown_and_missing_letters_are_explained(toy):
    notebook = toy_notebook(TOY_FIGURE)
    source = notebook.cells[2].source
    for before, after in SIMULATED.items():
        assert source.count(before) == 1
        source = source.replace(before, after)
    notebook.cells[2].source = source
    run = run_toy(toy, notebook)
    page, record = run.page.read_text(encoding="utf-8"), manifest(run)
    said = "Simulated &lt;data&gt;"
    assert (record["label"], record["title"], record["warnings"]) == (
        "Simulated <data>",
        "A toy report",
        ["label <i>spend</i> _is_ $x$"],
    )
    assert f"<title>A toy report ({said})</title>" in page
    assert re.search(rf"<h1[^>]*>A toy report \({said}\)</h1>", page)
    assert re.search(rf"<strong>{said}</strong></p>\s*<p><strong>3 customers</strong> keep", page)
    assert f'alt="{said}. A line &lt;rising&gt;' in page and f"<figcaption>{said}. A line" in page
    assert re.search(rf'<p class="caption"[^>]*>{said}\. Spend</p>', page)
    assert "English labels are drawn instead of “感知质量”; [1] stands for “北方”." in page
    assert "Simulated <data>" not in page.replace(said, "")
    folder = toy.reports / "toy" / record["run_id"]
    svg = (folder / "figures" / "line.svg").read_text(encoding="utf-8")
    assert "<!-- Simulated &lt;data&gt; -->" in svg and "Quality" in svg and "北方" not in svg
    assert json.loads((folder / "contents.json").read_text(encoding="utf-8"))["label"] == "Simulated <data>"
    assert "Simulated" not in (folder / "results.json").read_text(encoding="utf-8")
    index = (toy.reports / "index.html").read_text(encoding="utf-8")
    assert f">A toy report ({said})</a>" in index
    assert f"<p><strong>{said}.</strong> 3 customers</p>" in index


def test_notebook_that_never_finishes_its_report_is_no_success(toy):
    run = run_toy(toy, toy_notebook(finish="'done'"))
    assert (run.outcome, "report.finish()" in run.message) == ("failed_output", True)


def test_notebook_on_the_disk_is_as_it_was_when_its_running_cell_began(toy):
    looks = """import json, os, pathlib
cells = json.loads((pathlib.Path(os.environ["HELPERS_RUN_FOLDER"]) / "notebook.ipynb").read_text())["cells"][-3:]
print([(cell["metadata"]["papermill"]["status"], [out["text"] for out in cell["outputs"]]) for cell in cells])"""
    run = run_toy(toy, toy_notebook("print('so far')", looks))
    executed = run.page.parents[1] / manifest(run)["run_id"] / "notebook.ipynb"
    seen = nbformat.read(executed, as_version=4).cells[-2].outputs[0].text
    assert seen == "[('completed', [['so far\\n']]), ('running', []), ('pending', [])]\n"


def test_run_over_its_time_limit_is_stopped(toy):
    (toy.root / "reports.toml").write_text('[toy]\nnotebook = "toy"\ntime_limit_minutes = 0.1\n', encoding="utf-8")
    run = run_toy(toy, toy_notebook("import time; time.sleep(600)"))
    assert run.outcome == "failed_timeout"
    assert "0.1 minutes" in run.message


def test_run_is_stopped_on_request(toy):
    stop = threading.Event()
    stop.set()
    assert run_toy(toy, cancelled=stop).outcome == "cancelled"
    assert not list(toy.staging.iterdir())


def test_second_run_says_what_changed(published_toy):
    toy = published_toy
    (toy.root / "reports.toml").write_text('[toy]\nnotebook = "toy"\nparameters = { rate = 0.75 }\n', encoding="utf-8")
    page = run_toy(toy).page.read_text(encoding="utf-8")
    section = page[page.index('id="what-changed"') :]
    assert "parameter rate: 0.5 → 0.75" in section
    assert ">0.5000 (0.4000 to 0.6000)<" in section and ">0.7500 (0.6500 to 0.8500)<" in section


def test_unchanged_run_of_a_clean_commit_is_up_to_date(toy, monkeypatch):
    monkeypatch.setattr(type(toy), "git_state", lambda self: {"commit": "c0ffee", "dirty": False})
    first = run_toy(toy)
    again = run_toy(toy)
    assert (first.up_to_date, again.up_to_date) == (False, True)
    assert again.message == f"unchanged since {manifest(first)['run_id']}, not run again"
    assert not run_toy(toy, force=True).up_to_date
    assert not run_toy(toy, toy_notebook("1 + 1")).up_to_date


def test_up_to_date_needs_everything_that_was_published(published_toy, monkeypatch):
    toy = published_toy
    monkeypatch.setattr(type(toy), "git_state", lambda self: {"commit": "c0ffee", "dirty": False})
    run_toy(toy)
    (toy.processed / "toy" / "spend.parquet").unlink()
    assert not run_toy(toy).up_to_date
    assert (toy.processed / "toy" / "spend.parquet").is_file()


def test_page_that_cannot_be_rendered_publishes_nothing(published_toy, monkeypatch):
    toy = published_toy
    before = {path: path.read_bytes() for path in toy.reports.rglob("latest/*")}
    parquet = toy.processed / "toy" / "spend.parquet"
    stamp = parquet.stat().st_mtime_ns

    def fail(*_, **__):
        raise RuntimeError("no ink")

    monkeypatch.setattr("helpers.reporting.rendering.render_report", fail)
    run = run_toy(toy)
    assert (run.outcome, "no ink" in run.message) == ("failed_publish", True)
    assert {path: path.read_bytes() for path in toy.reports.rglob("latest/*")} == before
    assert parquet.stat().st_mtime_ns == stamp
    assert not list(toy.staging.iterdir())


def test_failed_page_quotes_no_values_of_the_data(toy):
    cell = "from helpers.data.refusal import InputRefused, Problem\n"
    cell += "raise InputRefused('a.csv', [Problem('is no date|are no dates', 'date', 1, ['2'], 'Ann Smith')])"
    run = run_toy(toy, toy_notebook(cell))
    assert "Ann Smith" in run.message
    assert "Ann Smith" not in run.page.read_text(encoding="utf-8")


def test_changed_working_tree_is_never_up_to_date(published_toy):
    assert published_toy.git_state()["dirty"]
    assert not run_toy(published_toy).up_to_date


def test_parameter_values_are_data_even_with_quotes_and_newlines(toy):
    label = "a\"; import os\n'{x}' 中文\u2028"
    text = f'[toy]\nnotebook = "toy"\nparameters = {{ label = {json.dumps(label)} }}\n'
    (toy.root / "reports.toml").write_text(text, encoding="utf-8")
    run = run_toy(toy)
    assert run.outcome == "success", run.message
    assert manifest(run)["parameters"]["label"] == label


def test_workspace_in_a_folder_with_braces_and_spaces(toy):
    odd = toy.root.rename(toy.root.with_name("a {b} c"))
    workspace = type(toy).find(odd)
    assert run_toy(workspace).outcome == "success"


def test_listed_raw_data_are_held_to_their_digest(toy):
    content = b"requirement,A,O\n"
    digest = hashlib.sha256(content).hexdigest()
    (toy.raw / "README.md").write_text(f"| file | sha256 |\n|---|---|\n| `counts.csv` | ours | `{digest}` |\n")
    assert toy.changed_raw() == ["counts.csv"]
    (toy.raw / "counts.csv").write_bytes(content)
    assert toy.changed_raw() == []
    (toy.raw / "counts.csv").write_bytes(content + b"1")
    run = run_toy(toy)
    assert (run.outcome, "counts.csv" in run.message) == ("failed_contract", True)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("counts.csv", "data/raw changed during the run: counts.csv"),  # listed, whoever reads it
        ("mine.csv", "data/raw changed during the run: mine.csv"),  # an input of this run
        ("tomorrow.csv", "published"),
    ],
)
def test_what_a_run_may_have_read_from_raw_data_stays_as_it_is(toy, written, said):
    purchases = "customer_id,date,amount\n1,2024-01-01,5\n"
    digest = hashlib.sha256(purchases.encode()).hexdigest()
    (toy.raw / "README.md").write_text(f"| file | sha256 |\n|---|---|\n| `counts.csv` | ours | `{digest}` |\n")
    for name in ("counts.csv", "mine.csv"):
        (toy.raw / name).write_text(purchases, encoding="utf-8")
    writes = f"open('data/raw/{written}', 'a').write('2')"
    notebook = light_notebook(writes, parameters='transactions: str = ""  # the purchases')
    nbformat.write(notebook, toy.notebooks()["toy"])
    report = planned("toy", toy.notebooks()["toy"], {"transactions": "data/raw/mine.csv"}, folder=toy.root)
    run = run_report(report, toy)
    assert (run.outcome, run.message) == ("success" if said == "published" else "failed_output", said)


def test_run_that_is_started_in_jupyterlab_shows_no_progress_bars(toy, monkeypatch):
    monkeypatch.setenv("JPY_SESSION_NAME", "notebooks/01_toy.ipynb")
    counts = "from helpers.analyses.progress import each\nassert list(each('drawing', range(3), 3)) == [0, 1, 2]"
    run = run_toy(toy, light_notebook(counts))
    assert (run.outcome, run.record["warnings"]) == ("success", [])


@pytest.mark.parametrize(
    ("read", "said"),
    [
        ("transactions", "an input changed between the check and the reading"),
        ("kano_survey", "an input that none of its parameters names (kano_survey)"),
    ],
)
def test_what_was_read_must_be_what_was_fingerprinted(toy, read, said):
    other = (
        f"(left / 'contents.json').write_text(json.dumps(empty | {{'inputs': [{{'name': '{read}', 'sha256': 'x'}}]}}))"
    )
    cells = light_notebook(other, parameters='transactions: str = ""  # the purchases')
    nbformat.write(cells, toy.notebooks()["toy"])
    (toy.raw / "mine.csv").write_text("customer_id,date,amount\n1,2024-01-01,5\n", encoding="utf-8")
    report = planned("toy", toy.notebooks()["toy"], {"transactions": "data/raw/mine.csv"}, folder=toy.root)
    run = run_report(report, toy)
    assert (run.outcome, said in run.message) == ("failed_contract", True), run.message
