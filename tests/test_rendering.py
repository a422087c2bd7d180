"""A published page stands alone: no network, no script, code hidden, words for every figure, data escaped."""

import itertools
import re

import pytest

from helpers.reporting.rendering import _Exporter

from .browser import look


@pytest.fixture
def page(published_once):
    return published_once.reports / "toy" / "latest" / "index.html"


def test_page_is_self_contained_and_scriptless(page):
    text = page.read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    assert "<script" not in text.lower()
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", text)
    assert set(re.findall(r'src="(data:[a-z/+]+)', text)) == {"data:image/svg+xml"}


def test_every_link_of_a_page_leads_to_a_file_or_an_anchor(page):
    for where in (*page.parents[1].rglob("*.html"), page.parents[2] / "index.html"):
        text = where.read_text(encoding="utf-8")
        for link in re.findall(r'href="([^"]*)"', text):
            target, _, anchor = link.partition("#")
            assert (where.parent / target).exists(), link
            led_to = (where.parent / target).read_text(encoding="utf-8") if target else text
            assert not anchor or f'id="{anchor}"' in led_to, link


def test_code_is_hidden_formulas_are_mathml_figures_have_words(page):
    text = page.read_text(encoding="utf-8")
    assert "import pandas" not in text and "report.table" not in text
    assert "<math" in text and "$a_1" not in text
    alts = re.findall(r"<img[^>]*alt=\"([^\"]*)\"", text)
    assert alts == ["A line &lt;rising&gt; from left to right."]


def test_markup_in_data_is_text(page):
    text = page.read_text(encoding="utf-8")
    assert "<b>spend</b>" not in text and "&lt;b&gt;spend&lt;/b&gt;" in text


def test_headings_are_in_order_and_table_headers_scoped(page):
    text = page.read_text(encoding="utf-8")
    levels = [int(level) for level in re.findall(r"<h([1-6])", text)]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert re.findall(r"<th(?![^>]*scope)[ >]", text) == []


PAGES = ["index.html", "toy/latest/index.html", "toy/history.html", "toy/failed/bad/index.html"]


@pytest.mark.chromium
@pytest.mark.parametrize("name", PAGES)
def test_page_shows_everything_with_the_network_off(several_runs, name, tmp_path):
    seen = look(several_runs / name, tmp_path)
    assert seen.whole, seen
    assert seen.images == ("failed" not in name), "a figure, its course through time, or nothing"


ABOVE = """<link rel="stylesheet" href="https://example.org/a.css">
<style>@import "b.css"; @font-face { font-family: Fetched; src: url(https://example.org/c.woff2); }
p { font-family: Fetched; background: url(https://example.org/d.png); }</style></head>"""
BELOW = """<p>text</p><img alt="fetched" src="https://example.org/e.png"><img alt="beside" src="figures/line.svg">
<img alt="broken" src="data:image/svg+xml;base64,PHN2"><script src="f.js"></script></main>"""


@pytest.mark.chromium
def test_whatever_a_page_asks_for_or_lacks_is_seen(page, tmp_path):
    planted = page.with_name("planted.html")
    text = page.read_text(encoding="utf-8").replace("</head>", ABOVE, 1).replace("</main>", BELOW, 1)
    planted.write_text(text, encoding="utf-8")
    try:
        seen = look(planted, tmp_path)
    finally:
        planted.unlink()
    assert not seen.whole
    asked = {re.sub(r"^.*/", "", address) for address in seen.asked}
    assert asked == {"a.css", "b.css", "c.woff2", "d.png", "e.png", "line.svg", "f.js"}
    assert (seen.images, seen.unseen) == (4, ["fetched", "beside", "broken"])
    assert {told.partition("-")[0] for told in seen.refused} == {"style", "font", "img", "script"}
    assert "data:image/svg+xml;base64,PHN2" in seen.failed
    assert (seen.style_rules[1:], seen.fonts, seen.scripts) == ([0, 3], ["Fetched"], 1)


def test_markdown_tables_name_their_columns_and_what_is_wide_can_be_scrolled_by_keyboard():
    source = "| share | unit |\n|--:|---|\n| 1 | % |\n\n$$x^2$$\n"
    text = _Exporter("").markdown2html(None, source)
    assert '<th scope="col" class="gt_right">share</th>' in text and '<td class="gt_right">1</td>' in text
    assert '<div class="formula" tabindex="0" role="group" aria-label="Formula">' in text
