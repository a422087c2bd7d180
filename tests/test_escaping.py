"""Data are text wherever they reach a page or a spreadsheet: names, item texts, file names, messages."""

import json
import re
import shutil
from html.parser import HTMLParser

import nbformat
import pandas as pd
import pytest

from helpers.reporting import csv_files
from helpers.reporting.index import write_index
from helpers.reporting.pages import render_failure
from helpers.reporting.plan import planned
from helpers.reporting.rendering import render_report
from helpers.reporting.report import Report
from helpers.reporting.runner import run_report

from .conftest import takes_purchases

HOSTILE = "<img src=x onerror=alert(1)>\"'&</script><script>alert(2)</script>"


class Elements(HTMLParser):
    """Collects the elements and attributes that a browser would see."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def assert_harmless(text):
    for tag, attributes in Elements(text).found:
        assert tag not in {"script", "iframe", "object", "embed", "form", "base"}
        assert not any(name.startswith("on") for name in attributes), attributes
        assert not attributes.get("href", "").lower().startswith("javascript:")
        assert tag != "img" or attributes["src"].startswith("data:")


def hostile(value):
    """Return a JSON value with every text replaced by the hostile one."""
    if isinstance(value, dict):
        return {HOSTILE if name == "label" else name: hostile(part) for name, part in value.items()}
    if isinstance(value, list):
        return [hostile(part) for part in value]
    return HOSTILE if isinstance(value, str) else value


KEPT = ["run_id", "started", "ended", "notebook", "report", "title"]  # the machinery's own, or checked names


@pytest.fixture
def record(published_toy):
    """Return the folder of a run and its manifest, hostile in all that comes from outside."""
    home = published_toy.reports / "toy"
    manifest = home / "latest" / "manifest.json"
    record = json.loads(manifest.read_text(encoding="utf-8"))
    folder = home / record["run_id"]
    inputs = [{"parameter": HOSTILE, "name": HOSTILE, "path": HOSTILE, "sha256": HOSTILE, "rows": 3}]
    record = hostile(record) | {name: record[name] for name in KEPT} | {"inputs": inputs, "warnings": [HOSTILE]}
    record |= {"label": HOSTILE, "title": HOSTILE, "message": HOSTILE, "outcome": "success"}
    results = hostile(json.loads((folder / "results.json").read_text(encoding="utf-8")))
    for place in (folder, home / "latest"):
        (place / "manifest.json").write_text(json.dumps(record), encoding="utf-8")
        (place / "results.json").write_text(json.dumps(results | {HOSTILE: results["kept"]}), encoding="utf-8")
    return folder, record


def test_manifest_and_results_are_text_on_every_page(record, published_toy):
    from helpers.reporting.changes import AccountChange, Changes, NumberChange

    folder, manifest = record
    entry = {"value": 1.0, "low": None, "high": None}
    changes = Changes(
        "a", [NumberChange(HOSTILE, HOSTILE, entry, None)], [AccountChange(*[HOSTILE] * 4)], [HOSTILE, HOSTILE]
    )
    report = render_report(folder, manifest, changes)
    failure = render_failure(folder, manifest | {"outcome": "failed_notebook"})
    failed = published_toy.reports / "toy" / "failed" / "x"
    failed.mkdir(parents=True)
    (failed / "manifest.json").write_text(json.dumps(manifest | {"outcome": "failed_notebook"}), encoding="utf-8")
    shutil.copytree(folder, folder.with_name("20260101T000000Z-aaaaaa"))  # a second run: the lines are drawn
    index = write_index(published_toy.reports).read_text(encoding="utf-8")
    history = folder.with_name("history.html").read_text(encoding="utf-8")
    for page in (report, failure, index, history):
        assert_harmless(page)
        assert "&lt;img src=x onerror=alert(1)&gt;" in page


def test_names_in_the_data_and_of_the_file_are_text(toy):
    """A whole run on a file whose name, and a label whose text, is markup: page, index and figure files."""
    takes_purchases(toy, "label", "transactions: whose purchases, a path")
    file = toy.raw / "<img src=x onerror=alert(3)>.csv"
    file.write_text("customer_id,date,amount\n1,2024-01-01,5\n", encoding="utf-8")
    run = run_report(planned("toy", toy.notebooks()["toy"], {"label": str(file)}, folder=toy.root), toy)
    assert run.outcome == "success", run.message
    for page in (run.page, toy.reports / "index.html", toy.reports / "toy" / "history.html"):
        assert_harmless(page.read_text(encoding="utf-8"))
    assert "&lt;img src=x onerror=alert(3)&gt;.csv" in run.page.read_text(encoding="utf-8")
    assert "&lt;img src=x onerror=alert(3)&gt;.csv" in (toy.reports / "index.html").read_text(encoding="utf-8")


def test_words_of_a_figure_and_of_a_table_are_text(published_toy):
    folder = next((published_toy.reports / "toy").glob("2*"))
    notebook = nbformat.read(folder / "notebook.ipynb", as_version=4)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("metadata", {}):
                output.metadata["image/png"]["alt"] = HOSTILE
    nbformat.write(notebook, folder / "notebook.ipynb")
    from helpers.reporting.changes import Changes

    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    page = render_report(folder, manifest, Changes())
    assert_harmless(page)
    assert [a["alt"] for tag, a in Elements(page).found if tag == "img"] == [HOSTILE]


@pytest.mark.parametrize(
    "text", ["=1+1", "+49 170", "-a", "@SUM(A1)", "\t", "\r1", "\n ", "=", "-1+2", "- 5", "＝1", "＋1", "－1", "＠A"]
)
def test_text_that_a_spreadsheet_would_run_is_guarded(text):
    assert csv_files.harmless(text) == f"'{text}"


@pytest.mark.parametrize(
    ("text", "guarded"),
    [("a;=1+1;b", "a;'=1+1;b"), ("x\n@A", "x\n'@A"), ("=1;+2\t＝3", "'=1;'+2\t'＝3"), ("\n=1", "'\n'=1")],
)
def test_cell_that_begins_in_the_middle_of_a_text_is_guarded(text, guarded):
    assert csv_files.harmless(text) == guarded
    line = csv_files.as_text(["n", "t"], [[1, text]])
    cells = [cell for part in line.splitlines() for cell in part.split(";")]
    assert not [cell for cell in cells if cell.strip('"')[:1] in "=+-@＝＋－＠" and cell.strip('"')]


@pytest.mark.parametrize(
    "value", ["a; b -c", "a;b=c", "a=b", "-5", "+1.5e-3", "-.5", "", "–", "−3", "'=1", -5, -0.5, None, float("-inf")]
)
def test_numbers_and_plain_texts_stay(value):
    assert csv_files.harmless(value) is value


def test_tables_are_guarded_in_cells_and_headings_and_keep_their_numbers(tmp_path):
    frame = pd.DataFrame(
        {
            "name": ["=cmd|' /C calc'!A0", "-3", None],
            "=kind": pd.Categorical(["@a", "b", "@a"]),
            "amount": [-0.1, 1 / 3, float("nan")],
            "mixed": [-1, "-x", -0.1],
            "when": pd.to_datetime(["2024-01-01"] * 3),
        }
    )
    csv_files.save_frame(tmp_path / "tables" / "t.csv", frame)
    header, *rows = csv_files.read(tmp_path / "tables" / "t.csv")
    assert header == ["name", "'=kind", "amount", "mixed", "when"]
    assert rows == [
        ["'=cmd|' /C calc'!A0", "'@a", "-0.1", "-1", "2024-01-01"],
        ["-3", "b", repr(1 / 3), "'-x", "2024-01-01"],
        ["", "'@a", "", "-0.1", "2024-01-01"],
    ]
    assert list(frame.columns)[1] == "=kind" and frame["name"][0].startswith("=")  # the caller's stays as it was


def test_report_saves_guarded_tables(tmp_path, monkeypatch):
    import types

    from helpers.exhibits import Table

    monkeypatch.setenv("HELPERS_RUN_FOLDER", str(tmp_path))
    table = Table("t", pd.DataFrame({"name": ["=1+1"]}), "T")
    Report(types.SimpleNamespace(tables={"t": table}, label="")).table("t")
    assert (tmp_path / "tables" / "t.csv").read_text(encoding="utf-8") == "name\n'=1+1\n"


def test_history_is_guarded():
    text = csv_files.as_text(["name", "value"], [["=1", "-1.5"], ["a,b", -2]])
    assert re.split(r"\n", text) == ["name,value", "'=1,-1.5", '"a,b",-2', ""]
