"""Figures are drawn in any script without an empty box, labelled where the data are made up, the same at each run."""

import logging
import re
import warnings

import pandas as pd
import pytest
from matplotlib import font_manager, pyplot
from matplotlib.text import Text

from helpers.exhibits import Figure
from helpers.reporting import lettering
from helpers.reporting.lettering import Lettering, cjk_family
from helpers.reporting.theme import STAMP_HEIGHT, render

NAMES = {"感知质量 Perceived quality": "Perceived quality", "顾客忠诚": "Loyalty", "质量": "Quality", "Value": "Worth"}


def bars(names, *texts, english=NAMES, after=lambda axes: None):
    """Return a figure with names on an axis, texts inside, and the figure that was drawn last."""
    seen = []

    def draw():
        drawn, axes = pyplot.subplots()
        axes.barh(names, range(1, len(names) + 1))
        for place, text in enumerate(texts):
            axes.text(0.5, place, text)
        after(axes)
        drawn.canvas.draw()  # as a figure does that measures its texts
        seen.append(drawn)
        return drawn

    return Figure("bars", draw, "Bars.", pd.DataFrame(), english=english), seen


def written(drawn):
    """Return every text of a figure as it was last drawn."""
    return {text.get_text() for text in drawn.findobj(Text)} - {""}


@pytest.fixture
def no_cjk_font(monkeypatch):
    monkeypatch.setattr(lettering, "CJK_FAMILIES", ())


@pytest.fixture(autouse=True)
def nothing_is_missing(caplog):
    """Let every warning of a missing letter fail the test, in texts and in formulas."""
    with warnings.catch_warnings(), caplog.at_level(logging.WARNING, "matplotlib"):
        warnings.simplefilter("error")
        yield
    assert not caplog.get_records("call")


@pytest.mark.cjk_font
def test_chinese_is_drawn_where_a_font_has_it():
    assert len(cjk_family()) == 1
    figure, seen = bars([*NAMES, "价格 $a$ 和 $b$"], "品牌\n形象")
    picture = render(figure)
    assert picture.remark == ""
    assert {*NAMES, "价格 $a$ 和 $b$", "品牌\n形象"} <= written(seen[0])
    assert picture.svg != render(bars([*NAMES.values(), "price"], "image")[0]).svg


def test_english_is_drawn_where_no_font_has_the_letters(no_cjk_font):
    figure, seen = bars(list(NAMES), "感知质量\nPerceived quality", "Value of 质量")
    picture = render(figure)
    found = written(seen[0])
    assert {"Perceived quality", "Loyalty", "Quality", "Value"} <= found
    assert "Value of Quality" in found  # a name that can be drawn stays
    assert not re.search(r"[\u4e00-\u9fff]", "".join(found))
    assert picture.remark == (
        "No font on this machine has all letters of this figure: English labels are drawn instead of "
        "“感知质量 Perceived quality” and 2 others. Install one that has them, such as Noto Sans CJK for Chinese."
    )


def test_names_without_english_become_numbers_that_are_explained(no_cjk_font):
    figure, seen = bars(["北方", "南方", "Value"], "北方 / north", "西 $a$ 和 $b$", "tab\there", english={})
    picture = render(figure)
    assert {"[1]", "[2]", "Value", "[1] / north", "[3] $a$ [4] $b$", "tab here"} <= written(seen[0])
    assert "[1] stands for “北方”; [2] stands for “南方”; [3] stands for “西”; [4]" in picture.remark
    assert "English" not in picture.remark


def test_minor_ticks_legends_and_insets_are_replaced(no_cjk_font):
    def more(axes):
        axes.set_xticks([0.3], ["质量"], minor=True)
        axes.plot([1], [1], label="顾客忠诚")
        axes.legend(title="感知质量 Perceived quality")
        axes.inset_axes([0.5, 0.5, 0.3, 0.3]).set_title("质量!")

    figure, seen = bars(["a", "b"], after=more)
    render(figure)
    assert {"Quality", "Loyalty", "Perceived quality", "Quality!"} <= written(seen[0])


def test_formulas_and_numbers_of_axes_stay_as_they_are(no_cjk_font):
    figure, seen = bars(["a", "b"], r"$x^2$", after=lambda axes: axes.set_xscale("log"))
    assert render(figure).remark == ""
    assert r"$x^2$" in written(seen[0])
    assert any("mathdefault" in text for text in written(seen[0]))


@pytest.mark.cjk_font
def test_dollars_in_a_name_are_no_formula():
    names = ["价格 $a$ 和 $b$", r"价格 \$a\$", "价格 $a"]
    figure, seen = bars(names)
    render(figure)
    drawn = {text.get_text(): text._preprocess_math(text.get_text()) for text in seen[0].axes[0].get_yticklabels()}
    assert drawn == {names[0]: (names[0], False), names[1]: ("价格 $a$", False), names[2]: (names[2], False)}


def test_english_that_cannot_be_drawn_either_becomes_a_number(no_cjk_font):
    figure, seen = bars(["质量", "b"], english={"质量": "质", "": "nothing", " ": "blank"})
    assert "[1] stands for “质”" in render(figure).remark
    assert "[1]" in written(seen[0])


@pytest.mark.cjk_font
def test_font_that_was_installed_later_is_found(monkeypatch):
    [family] = cjk_family()
    manager = font_manager.FontManager()
    manager.ttflist = [entry for entry in manager.ttflist if entry.name != family]
    monkeypatch.setattr(font_manager, "fontManager", manager)
    assert lettering._first_installed.__wrapped__((family,)) == [family]


def test_no_family_is_found_where_none_of_them_is_installed():
    assert lettering._first_installed(("No Such Family",)) == []


@pytest.mark.parametrize("families", [lettering.CJK_FAMILIES, ()])
def test_same_figure_gives_the_same_bytes(monkeypatch, families):
    monkeypatch.setattr(lettering, "CJK_FAMILIES", families)
    first, second = (render(bars(["质量", "北方"])[0], "Simulated data") for _ in range(2))
    assert first == second


def height(svg):
    return float(re.search(rb'height="([\d.]+)pt"', svg)[1]) / 72


def test_label_stands_above_the_figure_in_both_pictures():
    from io import BytesIO

    from matplotlib.image import imread

    figure, seen = bars(["a", "b"], after=lambda axes: axes.set_title("A title " * 20))
    plain, labelled = render(figure), render(figure, "Simulated data")
    assert "Simulated data" not in written(seen[0]) and "Simulated data" in written(seen[1])
    assert height(labelled.svg) == pytest.approx(height(plain.svg) + STAMP_HEIGHT)
    assert b"<!-- Simulated data -->" in labelled.svg
    before, after = imread(BytesIO(plain.png)), imread(BytesIO(labelled.png))
    strip = after.shape[0] - before.shape[0]
    assert strip == pytest.approx(100 * STAMP_HEIGHT, abs=1)
    assert (after[strip:] == before).mean() > 0.999, "the figure itself changed"
    assert (after[:strip, -200:, 0] < 0.9).sum() > 100, "nothing is written in the upper right corner"
    assert (after[:2] == 1).all() and (after[:, -2:][:strip] == 1).all(), "the label is cut"


def test_label_in_other_letters_is_no_box(no_cjk_font):
    figure, seen = bars(["a", "b"], english={"模拟数据": "Simulated data"})
    assert "模拟数据" in render(figure, "模拟数据").remark
    assert "Simulated data" in written(seen[0])


def test_longest_name_wins():
    text = Text(0, 0, "感知质量 Perceived quality / 质量", family="DejaVu Sans")
    assert Lettering(NAMES).write(text) == "Perceived quality / Quality"
