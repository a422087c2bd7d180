"""A published page stands alone: no network, no script, code hidden, words for every figure, data escaped."""

import itertools
import re
import shutil
import subprocess

import pytest

from helpers.reporting.rendering import _Exporter


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


@pytest.mark.chromium
def test_page_looks_the_same_with_the_network_off(page, tmp_path):
    picture = tmp_path / "page.png"
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    flags += ["--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND"]
    flags += [f"--user-data-dir={tmp_path / 'profile'}", "--window-size=400,2000", f"--screenshot={picture}"]
    subprocess.run([shutil.which("chromium"), *flags, page.as_uri()], check=True, capture_output=True, timeout=120)
    from matplotlib.image import imread

    pixels = imread(picture)
    assert pixels.shape[:2] == (2000, 400)
    assert pixels[..., :3].std() > 0.02, "the page is blank"


def test_markdown_tables_name_their_columns_and_what_is_wide_can_be_scrolled_by_keyboard():
    source = "| share | unit |\n|--:|---|\n| 1 | % |\n\n$$x^2$$\n"
    text = _Exporter("").markdown2html(None, source)
    assert '<th scope="col" class="gt_right">share</th>' in text and '<td class="gt_right">1</td>' in text
    assert '<div class="formula" tabindex="0" role="group" aria-label="Formula">' in text
