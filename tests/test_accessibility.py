"""Pages hold WCAG 2.1 AA by axe-core in a browser, in light and dark, and fit a phone and paper."""

import json
import re
import shutil
from pathlib import Path

import pytest

from helpers.reporting.changes import Changes
from helpers.reporting.rendering import render_report

from .accessibility import audit

pytestmark = pytest.mark.chromium


PAGES = ["index.html", "toy/latest/index.html", "toy/history.html", "toy/failed/bad/index.html"]


@pytest.mark.parametrize("page", PAGES)
def test_page_is_accessible(several_runs, page, tmp_path):
    found = audit(several_runs / page, tmp_path)
    assert found.light == []
    assert found.dark == []
    assert not found.too_wide
    assert found.dark_background != "rgb(255, 255, 255)"
    assert {"color-contrast", "document-title", "heading-order", "html-has-lang", "region"} <= found.passed
    if "<img" in (several_runs / page).read_text(encoding="utf-8"):
        assert "image-alt" in found.passed


@pytest.fixture(scope="module")
def stored_report(published_once, tmp_path_factory):
    """Return the page of the first report of the workspace, from its stored outputs; its figures are empty."""
    folder = tmp_path_factory.mktemp("stored")
    notebook = next((Path(__file__).parent.parent / "notebooks").glob("01_*.ipynb"))
    shutil.copyfile(notebook, folder / "notebook.ipynb")
    (folder / "figures").mkdir()
    for name in re.findall(r'"figure": "(\w+)"', notebook.read_text(encoding="utf-8")):
        (folder / "figures" / f"{name}.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>', encoding="utf-8")
    record = json.loads((published_once.reports / "toy" / "latest" / "manifest.json").read_text(encoding="utf-8"))
    page = folder / "index.html"
    page.write_text(render_report(folder, record, Changes()), encoding="utf-8")
    return page


@pytest.mark.parametrize("width", [500, 1400])
def test_stored_report_is_accessible(stored_report, width, tmp_path):
    """Great tables, formulas and many figures, in a narrow and in a wide window."""
    text = stored_report.read_text(encoding="utf-8")
    assert "<math" in text and text.count("<figure") > 5 and text.count('id="table-') > 5
    assert not re.findall(r'<div(?![^>]*aria-label)[^>]*tabindex="0"[^>]*>', text), "what is stepped into has a name"
    found = audit(stored_report, tmp_path, width=width)
    assert (found.light, found.dark, found.too_wide) == ([], [], False)


def test_warnings_are_printed(published_once, tmp_path):
    folder = next((published_once.reports / "toy").glob("2*"))
    record = json.loads((folder / "manifest.json").read_text(encoding="utf-8")) | {"warnings": ["it is loud"]}
    page = render_report(folder, record, Changes())
    assert '<details class="warnings" open>' in page and "details:not(.warnings) { display: none; }" in page


def test_wide_table_fits_on_paper(several_runs, tmp_path):
    page = (several_runs / "toy" / "latest" / "index.html").read_text(encoding="utf-8")
    head = "".join(f'<th scope="col" class="gt_right">A heading of words {n}</th>' for n in range(11))
    row = "".join(f'<td class="gt_right">{n},000.00</td>' for n in range(11))
    table = f"<table><thead><tr>{head}</tr></thead><tbody><tr>{row}</tr></tbody></table>"
    paper = tmp_path / "paper.html"
    # as it is printed, and nothing hidden that would have to be scrolled to
    printed = page.replace("@media print", "@media all").replace("overflow-x: auto", "overflow-x: visible")
    section = '<h2 id="what-changed"'
    paper.write_text(printed.replace(section, f'<div class="scroll">{table}</div>{section}'), encoding="utf-8")
    assert not audit(paper, tmp_path, width=718).too_wide  # A4 between margins, in CSS pixels


FAULTY = """<!DOCTYPE html><html lang="en"><head><title>Faulty</title><style>p { color: #ccc; background: #fff; }
@media (prefers-color-scheme: dark) { h1 { color: #222; background: #000; } }</style></head><body><main>
<h1>One</h1><h3>Three</h3>
<p>pale</p><img src="data:,"><table><tr><th scope="kol">a</th></tr><tr><td>1</td></tr></table>
<div style="width: 90rem">wide</div></main></body></html>"""


def test_audit_finds_planted_faults(tmp_path):
    page = tmp_path / "faulty.html"
    page.write_text(FAULTY, encoding="utf-8")
    found = audit(page, tmp_path)
    assert {line.partition(":")[0] for line in found.light} == {
        "color-contrast",
        "heading-order",
        "image-alt",
        "scope-attr-valid",
    }
    assert len(found.dark) == len(found.light) + 1  # the heading, which is dark on dark
    assert found.too_wide
