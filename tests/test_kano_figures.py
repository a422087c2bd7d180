"""The figures of the Kano report: what they say, that nothing hides anything, and that the quadrants stand right."""

import os
import warnings
from functools import cache
from importlib.resources import files
from itertools import combinations

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib import colors, pyplot

from helpers.analyses.drawing import INK, RULE
from helpers.analyses.kano import figures, letters
from helpers.analyses.kano.figures.bars import PALE
from helpers.models.kano import analytical, asymmetry, coefficients, continuous, curves, evaluation, importance
from helpers.reporting.theme import render
from tests.published import kano as published
from tests.test_satisfaction_figures import texts_of

# REPPL, revised table: six requirements of data transfers (tests/published/kano.py)
ENGLISH = {
    "anonymous": "Anonymous transfers",
    "convenient": "Convenient transfers",
    "reliable": "Reliable transfers",
    "responsive": "Responsive service",
    "secure": "Secure transfers",
    "transparent": "Transparent transfers",
}
CHINESE = {
    "anonymous": "匿名转账",
    "convenient": "方便 Convenient",
    "reliable": "可靠的转账",
    "responsive": "响应迅速的服务和客户支持",
    "secure": "安全 $ 转账 $",
    "transparent": "透明的转账过程 Transparent transfers",
}
PAIRS = np.array(list(published.TRANSFER_PAIRS.values()))
COUNTS = evaluation.counts_of_pairs(PAIRS, "revised")
FOUND = coefficients.coefficients(COUNTS)
IMPORTANCE = [3.1, 6.0, 6.4, 5.5, 7.9, np.nan]
MODES = COUNTS.argmax(axis=-1)
LETTERS = [evaluation.CLASSES[number] for number in MODES]
FILLED = colors.to_hex


def shares(labels=ENGLISH) -> pd.DataFrame:
    frame = pd.DataFrame(COUNTS / COUNTS.sum(axis=1, keepdims=True), columns=list(evaluation.CLASSES))
    frame.insert(0, "requirement", list(labels.values()))
    frame = frame.assign(verdict=LETTERS, clear=True, n=COUNTS.sum(axis=1))
    frame.loc[5, ["verdict", "clear"]] = ["not clear", False]
    return frame


def plane(labels=ENGLISH) -> pd.DataFrame:
    columns = {"better": FOUND.better, "worse": FOUND.worse, "importance": IMPORTANCE}
    return pd.DataFrame({"requirement": list(labels.values())} | columns)


def outlines(labels=ENGLISH) -> pd.DataFrame:
    rows = [
        (label, *point)
        for label, outline in zip(labels.values(), coefficients.ellipse(COUNTS), strict=True)
        for point in outline
    ]
    return pd.DataFrame(rows, columns=["requirement", "better", "worse"])


def scores(labels=ENGLISH) -> pd.DataFrame:
    found = continuous.scores(PAIRS)
    names = ("functional", "dysfunctional", "functional_se", "dysfunctional_se")
    frame = pd.DataFrame({name: getattr(found, name) for name in names})
    return frame.assign(requirement=list(labels.values()), importance=IMPORTANCE)


def pairs(labels=ENGLISH, copies: int = 1) -> pd.DataFrame:
    table = evaluation.evaluation_table("revised")
    rows = [
        (
            f"{label}{' again' * copy}",
            row + 1,
            column + 1,
            found[row, column] / found.sum(),
            "AOMIRQ"[table[row, column]],
        )
        for copy in range(copies)
        for label, found in zip(labels.values(), PAIRS, strict=True)
        for row, column in np.ndindex(5, 5)
    ]
    return pd.DataFrame(rows, columns=["requirement", "functional", "dysfunctional", "share", "class"])


GROUPS = {
    "all": (358, 0.0, 0.0),
    "households": (200, 0.05, -0.06),
    "华北企业": (110, -0.12, 0.1),
    "few": (3, np.nan, np.nan),
}


def groups(labels=ENGLISH, requirements: int = 6) -> pd.DataFrame:
    rows = [
        (label, group, better + up, worse + down, size, group == "all")
        for label, better, worse in list(zip(labels.values(), FOUND.better, FOUND.worse, strict=True))[:requirements]
        for group, (size, up, down) in GROUPS.items()
    ]
    return pd.DataFrame(rows, columns=["requirement", "group", "better", "worse", "n", "is_all"])


def over_time(labels=ENGLISH, sure=("responsive",)) -> pd.DataFrame:
    rows = [
        (label, wave, better - far * step, worse - far * step, 120, key in sure)
        for (key, label), better, worse in zip(labels.items(), FOUND.better, FOUND.worse, strict=True)
        for far in [0.2 if key in sure else 0.02]
        for step, wave in enumerate(("2022", "2023", "2024"))
    ]
    return pd.DataFrame(rows, columns=["requirement", "wave", "better", "worse", "n", "surely"])


def sizes(labels=ENGLISH) -> pd.DataFrame:
    """The mean of the published curve, and the hard case F11 as the reference gives it."""
    mean, hard = published.TRANSFER_SAMPLE_SIZES, [0.37, 0.48, 0.52, 0.57, 0.71, 0.83]
    easy = [[(6 * share - low) / 5 for share, low in zip(mean.values(), hard, strict=True)]] * 5
    rows = [
        (label, size, share)
        for label, line in zip(labels.values(), [*easy, hard], strict=True)
        for size, share in zip(mean, line, strict=True)
    ]
    return pd.DataFrame(rows, columns=["requirement", "respondents", "share"])


def claims(labels=ENGLISH) -> pd.DataFrame:
    found = asymmetry.asymmetry(COUNTS, MODES)
    claimed = {"A": "lacking it does not annoy (Worse is 0)", "O": "both weigh alike", "I": ""}
    frame = pd.DataFrame({name: getattr(found, name) for name in ("value", "low", "high", "verdict")})
    return frame.assign(requirement=list(labels.values()), claim=[claimed[letter] for letter in LETTERS], margin=0.1)


def lines(labels=ENGLISH) -> pd.DataFrame:
    grid = np.linspace(0, 1, 11)
    found = curves.satisfaction(MODES, FOUND.better, FOUND.worse, grid)
    rows = [
        (label, letter, place, value)
        for label, letter, line in zip(labels.values(), LETTERS, found, strict=True)
        for place, value in zip(grid, line, strict=True)
    ]
    return pd.DataFrame(rows, columns=["requirement", "class", "fulfilment", "satisfaction"])


def choice(labels=ENGLISH) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "requirement": list(labels.values()),
            "cost": [10.0, 20.0, 50.0, 0.0, 100.0, 37.5],
            "gain": [0.5, 1.1, 1.2, 1.0, 1.4, 0.95],
            "kind": ["I", "O", "O", "A", "M", "I"],
            "chosen": [False, True, False, True, True, False],
            "reason": ["not wanted by most", "chosen", "beyond the budget", "chosen", "chosen", ""],
        }
    )


def left_out(labels=ENGLISH) -> pd.DataFrame:
    """Halves of the shares that find a requirement must-be, one-dimensional, attractive."""
    parts = dict(zip(evaluation.CLASSES, (COUNTS / COUNTS.sum(axis=1, keepdims=True) / 2).T, strict=True))
    columns = {"screened": parts["M"], "weighed": parts["O"], "delight_lost": parts["A"]}
    frame = pd.DataFrame({"requirement": list(labels.values()), "kind": LETTERS} | columns)
    frame["low"], frame["high"] = [frame.screened + frame.weighed + far for far in (-0.02, 0.03)]
    return frame


def said_and_shown(labels=ENGLISH) -> pd.DataFrame:
    stated, derived = np.array(IMPORTANCE), FOUND.better - FOUND.worse
    stated[5] = 4.0
    columns = {"stated": (stated, 0.3), "derived": (derived, 0.1)}
    frame = pd.DataFrame({"requirement": list(labels.values()), "gap": importance.gaps(stated, derived)})
    for name, (values, half) in columns.items():
        frame[name], frame[f"{name}_low"], frame[f"{name}_high"] = values, values - half, values + half
    return frame


def vectors(labels=ENGLISH) -> pd.DataFrame:
    """The scores of Xu et al. (2009) without importance."""
    sides = {"functional": (2, analytical.FUNCTIONAL_SCORES), "dysfunctional": (1, analytical.DYSFUNCTIONAL_SCORES)}
    frame = pd.DataFrame(
        {"requirement": list(labels.values()), "kind": [kind for *_, kind in published.TRANSFER_VECTORS.values()]}
    )
    for name, (other, scores_of_answers) in sides.items():
        values = PAIRS.sum(axis=other) @ scores_of_answers / PAIRS.sum(axis=(1, 2))
        frame[name], frame[f"{name}_low"], frame[f"{name}_high"] = values, values - 0.05, values + 0.04
    return frame


PEOPLE = {"everyone": (1.0, 1.0), "class 1": (1.2, 0.8), "第二类 class 2": (0.5, 0.4)}
SHARES = {"class 1": 0.62, "第二类 class 2": 0.38}


def kinds_of_people(labels=ENGLISH) -> pd.DataFrame:
    rows = [
        (label, group, up * better, down * worse, group == "everyone")
        for label, better, worse in zip(labels.values(), FOUND.better, FOUND.worse, strict=True)
        for group, (up, down) in PEOPLE.items()
    ]
    return pd.DataFrame(rows, columns=["requirement", "group", "better", "worse", "is_all"])


@cache
def every(script="English", rows=None) -> dict:
    """Return every figure, drawn from the first rows of its frame; made once for all tests, which only read them."""
    labels, cut = {"English": ENGLISH, "Chinese": CHINESE}[script], slice(rows)
    english = dict(zip(labels.values(), ENGLISH.values(), strict=True)) | {
        "华北企业": "Northern firms",
        "第二类 class 2": "class 2",
    }
    found = [
        figures.categories(shares(labels)[cut], english),
        figures.better_worse(plane(labels)[cut], outlines(labels)[cut], english),
        figures.continuous(scores(labels)[cut], english),
        figures.answer_pairs(pairs(labels)[cut].tail(4 * 25), english),
        figures.segments(groups(labels)[cut], english),
        figures.segments(groups(labels, 2)[cut], english, "segments_together"),
        figures.waves(over_time(labels)[cut], english),
        figures.sample_size(sizes(labels)[cut], english),
        figures.asymmetry(claims(labels)[cut], english),
        figures.satisfaction_curves(lines(labels)[cut], english),
        figures.decision(choice(labels)[cut], english),
        figures.choice(left_out(labels)[cut], english),
        figures.stated_importance(said_and_shown(labels)[cut], english),
        figures.analytical(vectors(labels)[cut], english),
        figures.latent_classes(kinds_of_people(labels)[cut], SHARES, english),
    ]
    return {figure.name: figure for figure in found}


NAMES = list(every())


def drawn_of(figure):
    """Draw a figure under the theme."""
    style = os.fspath(files("helpers.reporting") / "report.mplstyle")
    with matplotlib.rc_context(fname=style), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # a font with these letters need not be there
        drawn = figure.draw()
        pyplot.close(drawn)
    return drawn


@cache
def shown(name: str):
    """Return one of the figures, drawn once for all tests that only look at it."""
    return drawn_of(every()[name])


@cache
def words_of(drawn) -> list[tuple[str, matplotlib.transforms.Bbox]]:
    """Return every text that is seen, with its place: of axes, of the figure, of legends."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")
        found = texts_of(drawn)
    legends = [axes.get_legend() for axes in drawn.axes if axes.get_legend()]
    return found + [(text.get_text(), text.get_window_extent()) for each in legends for text in each.get_texts()]


def assert_nothing_hidden(drawn):
    page, found = drawn.bbox, words_of(drawn)
    assert len(found) > 4
    for text, box in found:
        assert box.x0 > page.x0 - 1 and box.x1 < page.x1 + 1 and box.y0 > page.y0 - 1 and box.y1 < page.y1 + 1, text
    for (text, box), (other, its) in combinations(found, 2):
        apart = box.x1 <= its.x0 + 1 or its.x1 <= box.x0 + 1 or box.y1 <= its.y0 + 1 or its.y1 <= box.y0 + 1
        assert apart, (text, other)


@pytest.mark.parametrize("name", NAMES)
def test_figure_draws_in_any_script_without_a_warning(name):
    figure = every("Chinese")[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        render(figure)
    assert figure.columns and set(figure.columns) <= set(figure.frame.columns)
    assert "nan" not in figure.alt and "–" not in figure.alt and figure.alt.endswith(".")


@pytest.mark.parametrize("name", NAMES)
def test_where_no_font_has_the_letters_latin_ones_are_drawn(name, monkeypatch):
    monkeypatch.setattr("helpers.reporting.theme.cjk_family", list)
    monkeypatch.setattr(
        "matplotlib.figure.Figure.savefig", lambda *_, **__: None
    )  # only what is said of it is looked at
    monkeypatch.setattr("helpers.reporting.theme._smaller", lambda _: b"")
    remark = render(every("Chinese")[name]).remark
    assert "English labels are drawn" in remark
    assert "stands for" not in remark, "every name has its Latin letters"


@pytest.mark.parametrize("name", NAMES)
def test_empty_frame_gives_a_sentence(name):
    figure = every(rows=0)[name]
    assert figure.alt.endswith(".") and len(figure.alt) > 20
    assert figure.draw is None


def test_frame_that_only_says_why_it_is_empty_gives_a_sentence():
    why = pd.DataFrame({"reason": ["only counts are known"]})
    for draw in (
        figures.categories,
        figures.continuous,
        figures.answer_pairs,
        figures.segments,
        figures.waves,
        figures.sample_size,
        figures.asymmetry,
        figures.satisfaction_curves,
        figures.decision,
        figures.choice,
        figures.stated_importance,
        figures.analytical,
    ):
        assert draw(why, {}).draw is None
    assert figures.latent_classes(why, {}, {}).draw is None
    assert figures.better_worse(why, why, {}).draw is None
    assert figures.better_worse(plane(), why, {}).draw is not None


@pytest.mark.parametrize("name", NAMES)
def test_no_text_lies_on_another_or_leaves_the_figure(name):
    assert_nothing_hidden(shown(name))


def many(count: int) -> pd.DataFrame:
    found = coefficients.coefficients(np.random.default_rng(5).multinomial(300, [0.25] * 4 + [0, 0], size=count))
    spread = np.random.default_rng(6).uniform(-0.3, 0.3, (2, count))  # crowded about the middle
    names = [f"Requirement {place} of the new service" for place in range(count)]
    return pd.DataFrame({"requirement": names, "better": found.better + spread[0], "worse": found.worse + spread[1]})


@pytest.mark.parametrize("count", [1, 10, 14, 15, 26])
def test_names_of_many_requirements_do_not_meet(count):
    figure = figures.better_worse(many(count), many(0), {})
    drawn = drawn_of(figure)
    assert_nothing_hidden(drawn)
    texts = " ".join(" ".join(text.split()) for text, _ in words_of(drawn))
    assert all(name in texts for name in figure.frame.requirement), "each is named, beside its point or in the key"


def on_a_phone(drawn) -> float:
    """Return the height in pixels of the smallest letters where the picture is 349 pixels wide."""
    texts = [text for axes in drawn.axes for text in axes.texts if text.get_text()] + list(drawn.texts)
    return min(text.get_fontsize() for text in texts) * 349 / (72 * drawn.get_figwidth())


PLANES = ["better_worse", "continuous", "segments", "waves", "stated_importance", "analytical", "latent_classes"]


@pytest.mark.parametrize("name", [*PLANES, "answer_pairs"])
def test_maps_are_read_on_a_phone(name):
    assert on_a_phone(shown(name)) >= 7.7


@pytest.mark.parametrize("name", ["better_worse", "continuous", "stated_importance", "analytical"])
def test_names_stand_near_their_points_or_are_led_to_them(name):
    axes = shown(name).axes[0]
    names = [text for text in axes.texts if " ".join(text.get_text().split()) in ENGLISH.values()]
    assert len(names) == 6, "as names, not as numbers"
    offsets = [each.get_offsets() for each in axes.collections if len(each.get_offsets()) == 6]
    dots = axes.transData.transform(offsets[0] if name in ("better_worse", "continuous") else points_of(axes))
    leaders = [line.get_xydata() for line in axes.lines if line.get_transform() == axes.transAxes]
    for text, dot in zip(names, dots, strict=True):
        box = text.get_window_extent()
        away = np.hypot(*np.maximum([box.x0 - dot[0], box.y0 - dot[1]], 0) + np.maximum(dot - [box.x1, box.y1], 0))
        led = any(np.allclose(axes.transAxes.transform(line[0]), dot) for line in leaders)
        assert led or away < 0.3 * axes.figure.dpi, text.get_text()


# --- the plane of Better and Worse ---------------------------------------------------------------------


def middle_of(drawn, word: str) -> np.ndarray:
    """Return where a text stands in its axes, from (0, 0) to (1, 1)."""
    axes = drawn.axes[0]
    (box,) = [text.get_window_extent() for text in axes.texts if text.get_text() == word]
    return axes.transAxes.inverted().transform([(box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2])


@pytest.mark.parametrize("name", ["better_worse", "continuous", "segments", "waves", "analytical", "latent_classes"])
def test_quadrants_are_named_on_the_right_sides(name):
    """Other tools put must-be and one-dimensional on the wrong side (reference, section 2)."""
    drawn = shown(name)
    places = {letter: middle_of(drawn, f"{letter} {letters.WORDS[letter]}") for letter in "AOIM"}
    left, right = (places["A"], places["I"]), (places["O"], places["M"])
    assert max(place[0] for place in left) < min(place[0] for place in right)
    assert max(places[letter][1] for letter in "IM") < min(places[letter][1] for letter in "AO")


def test_points_are_the_size_of_worse_and_better_as_published():
    drawn = shown("better_worse")
    (dots,) = [each for each in drawn.axes[0].collections if len(each.get_offsets()) == 6]
    wanted = [(-worse, better) for _, better, worse, _ in published.TRANSFERS.values()]
    assert np.asarray(dots.get_offsets()) == pytest.approx(np.array(wanted), abs=5e-7)
    sizes_drawn = dots.get_sizes()
    assert np.argmax(sizes_drawn) == 4 and np.argmin(sizes_drawn[:5]) == 0
    assert dots.get_facecolors()[5] == pytest.approx([1, 1, 1, 1]), "hollow: its importance is not known"


def test_quadrants_and_what_crosses_their_lines_are_told():
    said = every()["better_worse"].alt
    assert "Attractive (top left): Responsive service, Transparent transfers." in said
    assert "One-dimensional (top right): Convenient transfers, Reliable transfers, Secure transfers." in said
    assert "Indifferent (bottom left): Anonymous transfers." in said
    assert "crosses a parting line: Convenient transfers, Transparent transfers." in said
    moved = figures.better_worse(plane(), outlines(), {}, better_cut=0.5, worse_cut=-0.7)
    assert "One-dimensional (top right): Secure transfers." in moved.alt and "parted at 0.50 and 0.70" in moved.alt


def test_without_importance_all_dots_are_alike_and_nothing_is_said_of_it():
    figure = figures.better_worse(plane().drop(columns="importance"), outlines(), {})
    drawn = drawn_of(figure)
    (dots,) = [each for each in drawn.axes[0].collections if len(each.get_offsets()) == 6]
    assert len(set(dots.get_sizes())) == 1 and not any("importance" in text for text, _ in words_of(drawn))


def test_requirement_without_coefficients_is_left_out():
    frame = plane()
    frame.loc[0, ["better", "worse"]] = np.nan
    figure = figures.better_worse(frame, outlines(), {})
    assert "Map of 5 requirements" in figure.alt and "Anonymous" not in figure.alt
    assert not any("Anonymous" in text for text, _ in words_of(drawn_of(figure)))


def test_continuous_scores_are_drawn_as_published_and_those_below_0_are_told():
    drawn = shown("continuous")
    (dots,) = [each for each in drawn.axes[0].collections if len(each.get_offsets()) == 6]
    wanted = [(score[2], score[0]) for score in published.TRANSFER_SCORES.values()]
    assert np.asarray(dots.get_offsets()) == pytest.approx(np.array(wanted), abs=6e-5)
    frame = scores()
    frame.loc[1, "dysfunctional"] = -1.0
    assert "below 0" not in every()["continuous"].alt.lower()
    assert "Below 0, as of many reverse or questionable answers: Convenient" in figures.continuous(frame, {}).alt


def test_one_answer_without_an_error_is_drawn():
    frame = scores().head(1).assign(functional_se=np.nan, dysfunctional_se=np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        render(figures.continuous(frame, {}))


def arrows(axes) -> list[tuple[np.ndarray, np.ndarray]]:
    found = [text for text in axes.texts if not text.get_text() and text.arrow_patch]
    return [(np.array(each.get_position(), float), np.array(each.xy, float)) for each in found]


def test_arrows_lead_from_everyone_to_each_group_that_is_known():
    figure = every()["segments"]
    drawn = drawn_of(figure)
    assert len(drawn.axes) == 6
    found = arrows(drawn.axes[0])
    assert len(found) == 2, "nothing is drawn of the group that is too small"
    everyone = np.array([-FOUND.worse[0], FOUND.better[0]])
    assert found[0][0] == pytest.approx(everyone) and found[0][1] == pytest.approx(everyone + np.array([0.06, 0.05]))
    assert "2 groups" in figure.alt and "few" not in figure.alt
    assert "Anonymous transfers 华北企业 (Better 0.39 to 0.27, Worse \N{MINUS SIGN}0.10 to 0.00)" in figure.alt


def test_few_arrows_share_one_panel():
    drawn = shown("segments_together")
    assert len(drawn.axes) == 1 and len(arrows(drawn.axes[0])) == 4
    texts = {" ".join(text.split()) for text, _ in words_of(drawn)}
    assert {"Anonymous transfers", "Convenient transfers", "1 households (200)"} <= texts


def test_groups_are_numbered_with_a_key_and_small_ones_are_light():
    frame = groups()
    frame.loc[frame.group == "households", "n"] = 29
    drawn = drawn_of(figures.segments(frame, {}))
    for axes in drawn.axes:
        assert [text.get_text() for text in axes.texts if text.get_text().isdigit()] == ["1", "2"]
        light, dark = (text.arrow_patch.get_edgecolor() for text in axes.texts if getattr(text, "arrow_patch", None))
        assert (FILLED(light), FILLED(dark)) == (RULE.lower(), INK.lower())
    texts = [text for text, _ in words_of(drawn)]
    assert "1 households (29)" in texts and "2 华北企业 (110)" in texts
    assert any("light: fewer than 30 answers" in text for text in texts)
    assert not any("light:" in text for text, _ in words_of(shown("segments")))


def test_groups_of_a_total_that_is_not_known_are_drawn_without_arrows():
    figure = figures.segments(groups().query("not is_all"), {})
    assert not arrows(drawn_of(figure).axes[0]) and "of everyone nothing is known" in figure.alt


def test_waves_lead_from_the_first_to_the_last_and_only_sure_moves_are_dark():
    drawn = shown("waves")
    found = [text for text in drawn.axes[0].texts if not text.get_text() and text.arrow_patch]
    dark = [each for each in found if FILLED(each.arrow_patch.get_edgecolor()) == INK.lower()]
    assert len(found) == 6 and len(dark) == 1
    assert dark[0].xy == pytest.approx([-FOUND.worse[3] + 0.4, FOUND.better[3] - 0.4])
    said = every()["waves"].alt
    assert "Moved beyond chance: Responsive service (Better 0.68 to 0.28" in said and "from 2022 to 2024" in said
    assert "None moved by more than chance." in figures.waves(over_time(sure=()), {}).alt


def test_requirement_of_one_wave_has_no_way():
    first = over_time()[lambda frame: frame.wave == "2022"]
    assert figures.waves(first, {}).draw is None


MOVED = {
    "segments": lambda **cuts: figures.segments(groups(requirements=2), {}, **cuts),
    "waves": lambda **cuts: figures.waves(over_time(), {}, **cuts),
    "latent_classes": lambda **cuts: figures.latent_classes(kinds_of_people(), SHARES, {}, **cuts),
}


@pytest.mark.parametrize("name", MOVED)
def test_quadrants_part_where_they_are_asked_to(name):
    figure = MOVED[name](better_cut=0.4, worse_cut=-0.3)
    assert figure.alt == MOVED[name](better_cut=0.4, worse_cut=0.3).alt, "with or without the sign"
    assert "parted at 0.40 and 0.30" in figure.alt and "parted at 0.50 and 0.50" in MOVED[name]().alt
    dashed = [line.get_xydata() for line in drawn_of(figure).axes[0].lines if line.get_linestyle() == "--"]
    level, upright = dashed
    assert set(level[:, 1]) == {0.4} and set(upright[:, 0]) == {0.3}


def test_each_latent_class_has_a_panel_in_which_arrows_lead_from_everyone():
    figure = every()["latent_classes"]
    drawn = drawn_of(figure)
    titles = [axes.get_title(loc="left") for axes in drawn.axes]
    assert titles == ["class 1 (62\N{NO-BREAK SPACE}%)", "第二类 class 2 (38\N{NO-BREAK SPACE}%)"]
    for axes, (up, down) in zip(drawn.axes, list(PEOPLE.values())[1:], strict=True):
        found = arrows(axes)
        assert [start for start, _ in found] == [
            pytest.approx(each) for each in zip(-FOUND.worse, FOUND.better, strict=True)
        ]
        ends = np.column_stack([-down * FOUND.worse, up * FOUND.better])
        assert np.array([end for _, end in found]) == pytest.approx(ends)
        marks = [text.get_text() for text in axes.texts if text.get_text().isdigit()]
        assert marks == list("123456")
    texts = [text for text, _ in words_of(drawn)]
    assert "1 Anonymous transfers" in texts and "6 Transparent transfers" in texts, "the key of the numbers"


def test_latent_classes_are_told_by_how_they_see_the_requirements():
    said = every()["latent_classes"].alt.replace("\N{NO-BREAK SPACE}", " ")
    assert "each of 2 latent classes" in said
    assert "第二类 class 2 (38 %): 6 indifferent; farthest from everyone Secure transfers (Better 0.59 to 0.30" in said


def test_latent_class_without_a_share_or_a_whole_is_drawn_all_the_same():
    figure = figures.latent_classes(kinds_of_people().query("not is_all"), {}, {})
    drawn = drawn_of(figure)
    assert drawn.axes[0].get_title(loc="left") == "class 1" and not arrows(drawn.axes[0])
    assert "of everyone nothing is known" in figure.alt


# --- importance ----------------------------------------------------------------------------------------


def points_of(axes) -> np.ndarray:
    (dots,) = [line for line in axes.lines if line.get_marker() == "o"]
    return dots.get_xydata()


def crosses_of(axes) -> list[np.ndarray]:
    """Return the ends of the level and of the upright intervals."""
    level, upright = [np.array(each.get_segments()) for each in axes.collections]
    return [level[:, :, 0], upright[:, :, 1]]


def test_what_is_shown_stands_over_what_is_said_with_intervals_and_parts_at_the_means():
    frame, axes = said_and_shown(), shown("stated_importance").axes[0]
    assert points_of(axes) == pytest.approx(frame[["stated", "derived"]].to_numpy())
    for ends, name in zip(crosses_of(axes), ("stated", "derived"), strict=True):
        assert ends == pytest.approx(frame[[f"{name}_low", f"{name}_high"]].to_numpy())
    level, upright = [line.get_xydata() for line in axes.lines if line.get_linestyle() == "--"]
    assert level[0, 1] == pytest.approx(frame.derived.mean()) and upright[0, 0] == pytest.approx(frame.stated.mean())


def test_gaps_are_named_on_the_side_where_they_lie():
    drawn, frame = shown("stated_importance"), said_and_shown()
    hidden, overstated = middle_of(drawn, "hidden (shown, not said)"), middle_of(drawn, "overstated (said, not shown)")
    assert hidden[0] < 0.5 < hidden[1] and overstated[1] < 0.5 < overstated[0]
    other = frame.assign(stated=np.roll(frame.stated, 1))
    other["gap"] = importance.gaps(other.stated, other.derived)
    said = figures.stated_importance(other, {}).alt
    for gap, words in {"hidden": "Hidden (shown, not said)", "overstated": "Overstated (said, not shown)"}.items():
        names = other.requirement[other.gap == gap]
        assert len(names) and f"{words}: {', '.join(names)}." in said
    assert "by what is said: Transparent transfers (7.90); by what is shown: Secure transfers (1.41)" in said


def test_two_requirements_are_not_parted_at_their_own_mean():
    figure = figures.stated_importance(said_and_shown().head(2), {})
    drawn = drawn_of(figure)
    assert not [line for line in drawn.axes[0].lines if line.get_linestyle() == "--"]
    assert "parted" not in figure.alt and "Both" not in figure.alt


def test_importance_that_was_not_stated_is_left_out_but_counts_for_the_mean_of_what_is_shown():
    frame = said_and_shown()
    frame.loc[4, ["stated", "stated_low", "stated_high"]] = np.nan
    figure = figures.stated_importance(frame, {})
    axes = drawn_of(figure).axes[0]
    level, _ = [line.get_xydata() for line in axes.lines if line.get_linestyle() == "--"]
    assert len(points_of(axes)) == 5 and level[0, 1] == pytest.approx(frame.derived.mean())
    assert "Scatter of 5 requirements" in figure.alt and "Secure" not in figure.alt


def region_of(axes, point) -> str:
    """Return the letter of the region that a point of the data lies in."""
    classes = {FILLED(colour): letter for letter, colour in letters.COLOURS.items()}
    where = axes.transData.transform(point)
    found = [patch for patch in axes.patches if patch.get_path().contains_point(where, patch.get_transform())]
    (letter,) = {classes[FILLED(patch.get_facecolor())] for patch in found}
    return letter


def test_vectors_are_as_published_and_lie_in_the_region_of_their_class():
    axes, frame = shown("analytical").axes[0], vectors()
    points = points_of(axes)
    lengths, angles, kinds = zip(*published.TRANSFER_VECTORS.values(), strict=True)
    assert np.hypot(*points.T) == pytest.approx(lengths, abs=6e-4)
    assert np.degrees(np.arctan2(*points.T[::-1]))[1:] == pytest.approx(angles[1:], abs=0.06)
    assert [region_of(axes, point) for point in points] == list(kinds)
    for ends, name in zip(crosses_of(axes), ("dysfunctional", "functional"), strict=True):
        assert ends == pytest.approx(frame[[f"{name}_low", f"{name}_high"]].to_numpy())


def test_regions_are_those_of_the_rule_whatever_its_thresholds():
    """Every pair of answers at several degrees of importance, classed by the model, lies in the region of its class."""
    limits = {"least_importance": 0.4, "must_be_below": 20.0, "attractive_above": 50.0}
    below = vectors()
    below.loc[0, ["functional_low", "dysfunctional_low"]] = -0.5  # so that every region is seen
    drawn = drawn_of(figures.analytical(below, {}, **limits))
    axes = drawn.axes[0]
    pair, weight = (each.ravel()[None] for each in np.meshgrid(np.arange(25), [0.29, 0.53, 0.71, 1.0]))
    found = analytical.analytical(pair // 5 + 1, pair % 5 + 1, weight, **limits)
    border = np.isclose(np.abs(found.angle - 45), 90) | (found.importance < 1e-9)
    seen = {
        (region_of(axes, (right, up)), evaluation.CLASSES[kind])
        for right, up, kind in zip(
            found.dysfunctional[~border], found.functional[~border], found.classes[~border], strict=True
        )
    }
    assert seen == {(letter, letter) for letter in "MOAIR"}
    assert "R reverse" in {text for text, _ in words_of(drawn)}
    assert not any("R reverse" in text for text, _ in words_of(shown("analytical")))


def test_angles_are_seen_as_they_are():
    axes = shown("analytical").axes[0]
    origin, right, up = axes.transData.transform([(0, 0), (1, 0), (0, 1)])
    assert right[0] - origin[0] == pytest.approx(up[1] - origin[1])


def test_longest_and_shortest_vectors_are_told():
    said = every()["analytical"].alt
    assert "longest vector is that of Secure transfers (1.0" in said and "of Anonymous transfers (0.37)" in said
    assert "Indifferent: Anonymous transfers." in said and "Must-be:" not in said


# --- classes ---------------------------------------------------------------------------------------------

# Machado, Oliveira and Fernandes (2009, IEEE TVCG 15(6), 1291-1298), severity 1: of linear red, green and blue
VISION = {
    "usual": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def lab(colour: str, vision) -> np.ndarray:
    """CIELAB of a colour as an eye sees it."""
    parts = np.array(colors.to_rgb(colour))
    linear = np.where(parts > 0.04045, ((parts + 0.055) / 1.055) ** 2.4, parts / 12.92)
    scaled = TO_XYZ @ np.clip(np.asarray(vision) @ linear, 0, 1) / TO_XYZ.sum(axis=1)
    x, y, z = np.where(scaled > 0.008856, np.cbrt(scaled), 7.787 * scaled + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("vision", VISION)
def test_classes_are_told_apart_by_any_eye(vision):
    seen = {letter: lab(colour, VISION[vision]) for letter, colour in letters.COLOURS.items()}
    nearest = min(np.linalg.norm(seen[one] - seen[other]) for one, other in combinations(seen, 2))
    assert nearest > 15, "2 is the least that anyone sees; 15 is seen at a glance"


def bars_of(drawn) -> dict[str, list]:
    """Return the bars of each class, by its colour, from the first row to the last."""
    classes = {FILLED(colour): letter for letter, colour in letters.COLOURS.items()}
    found: dict[str, list] = {}
    for bar in drawn.axes[0].patches:
        found.setdefault(classes[FILLED(bar.get_facecolor())], []).append(bar)
    return found


def test_bars_stand_in_the_order_of_classes_and_fill_the_row():
    found = bars_of(shown("categories"))
    assert list(found) == ["M", "O", "A", "I", "R", "Q"]
    for row, counts in enumerate(COUNTS):
        assert sum(bars[row].get_width() for bars in found.values()) == pytest.approx(100)
        starts = [bars[row].get_x() for bars in found.values()]
        assert starts == sorted(starts)
        for place, letter in enumerate("AOMIRQ"):
            assert found[letter][row].get_width() == pytest.approx(100 * counts[place] / 358)


def test_only_what_is_not_clear_is_pale():
    found = bars_of(shown("categories"))
    for bars in found.values():
        assert [bar.get_alpha() for bar in bars] == [1, 1, 1, 1, 1, PALE]


def test_shares_that_have_room_are_written_and_verdicts_stand_beside():
    frame = shares().head(2)
    frame.loc[0, "verdict"], frame.loc[0, ["M", "Q"]] = "A/I", [0.0799, 0.0801]
    texts = [text for text, _ in words_of(drawn_of(figures.categories(frame, {})))]
    assert "A/I" in texts and "O one-dimensional" in texts
    drawn = drawn_of(figures.categories(frame.head(1), {}))
    inside = [text.get_text() for text in drawn.axes[0].texts]
    assert inside == ["25", "45", "14", "8", "A/I"], "A, I, R and Q have 8 % or more, M and O have not"


def test_words_of_the_bars_name_classes_and_what_leads_where_none_is_clear():
    said = every()["categories"].alt
    assert "O one-dimensional: Convenient transfers, Reliable transfers, Secure transfers." in said
    assert "Not clear: Transparent transfers (I 29\N{NO-BREAK SPACE}%, O 25\N{NO-BREAK SPACE}%)." in said
    assert "(358 answers each)" in said


def test_pairs_beyond_twelve_requirements_are_left_out_and_that_is_said():
    figure = figures.answer_pairs(pairs(copies=3), {})
    drawn = drawn_of(figure)
    assert len([axes for axes in drawn.axes if axes.images]) == 12
    assert "6 more are not drawn." in figure.alt
    assert any("the first 12 of 18 requirements" in text for text, _ in words_of(drawn))
    assert len(figure.frame) == 18 * 25, "the file has all"


def test_cells_show_the_share_of_each_pair_the_functional_answer_downwards():
    drawn = shown("answer_pairs")
    assert len([axes for axes in drawn.axes if axes.images]) == 4
    for axes, found in zip(drawn.axes, PAIRS[2:], strict=False):
        assert np.asarray(axes.images[0].get_array()) == pytest.approx(found / 358)
    assert "Secure transfers like and dislike (O, 49\N{NO-BREAK SPACE}%)" in every()["answer_pairs"].alt
    letters = [text.get_text() for text in drawn.axes[0].texts if text.get_text().isalpha()]
    assert "".join(letters) == "QAAAORQIIMRIIIMRIIQMRRRRQ", "of the revised table"


def contrast(one, other) -> float:
    """Return the contrast of two colours (WCAG 2.1), from 1 to 21."""
    parts = np.array([colors.to_rgb(one), colors.to_rgb(other)])
    linear = np.where(parts > 0.04045, ((parts + 0.055) / 1.055) ** 2.4, parts / 12.92)
    low, high = sorted(linear @ TO_XYZ[1])
    return (high + 0.05) / (low + 0.05)


def test_what_stands_in_a_cell_is_read_on_its_shade():
    for axes in shown("answer_pairs").axes[:4]:
        (image,) = axes.images
        for text in axes.texts:
            column, row = np.round(text.get_position()).astype(int)
            shade = image.to_rgba(np.asarray(image.get_array()))[row, column]
            assert contrast(text.get_color(), shade) > 3.3, (text.get_text(), row, column)
            assert text.get_fontsize() >= 9


# --- lines and rows --------------------------------------------------------------------------------------


def test_sample_sizes_name_the_hardest_and_the_mean():
    figure = every()["sample_size"]
    said = figure.alt.replace("\N{NO-BREAK SPACE}", " ")
    assert "On the average 62 % of subsamples of 12 do; 90 % or more do from 100 on." in said
    assert "For Transparent transfers 37 % of subsamples of 12 do, and 83 % of those of 200." in said
    texts = {" ".join(text.split()) for text, _ in words_of(drawn_of(figure))}
    assert {"Transparent transfers", "mean of 6"} <= texts


def test_mean_ends_where_not_every_requirement_is_known():
    frame = sizes()
    frame.loc[(frame.requirement == "Transparent transfers") & (frame.respondents == 200), "share"] = np.nan
    said = figures.sample_size(frame, {}).alt
    assert "83" not in said and "71\N{NO-BREAK SPACE}% of those of 100." in said
    drawn = drawn_of(figures.sample_size(frame, {}))
    (mean,) = [line for line in drawn.axes[0].lines if line.get_linewidth() == 2.8]
    assert mean.get_xdata()[-1] == 100


def test_a_single_requirement_is_its_own_mean():
    frame = sizes()[lambda rows: rows.requirement == "Secure transfers"]
    texts = {" ".join(text.split()) for text, _ in words_of(drawn_of(figures.sample_size(frame, {})))}
    assert "Secure transfers" in texts and not any("mean of" in text for text in texts)


def test_claims_are_told_with_intervals_and_classes_without_a_claim_are_left_out():
    said = every()["asymmetry"].alt
    assert "Responsive service, lacking it does not annoy (Worse is 0): \N{MINUS SIGN}0.31 (95 % interval" in said
    assert "for 4 requirements" in said and "does not hold" in said and "Anonymous" not in said
    drawn = shown("asymmetry")
    assert {bar.get_width() for bar in drawn.axes[0].patches} == {0.2}, "the margin, on both sides of 0"


def test_curves_go_from_worse_to_better_in_the_colour_of_their_class():
    figure = every()["satisfaction_curves"]
    assert "4 requirements" in figure.alt and "Responsive service (attractive) \N{MINUS SIGN}0.31 to 0.68" in figure.alt
    drawn = drawn_of(figure)
    drawn_lines = [line for line in drawn.axes[0].lines if len(line.get_xdata()) == 11]
    assert sorted(FILLED(line.get_color()) for line in drawn_lines) == sorted(
        FILLED(letters.COLOURS[letter]) for letter in "OOAO"
    )


def test_decision_puts_must_be_first_then_gain_per_cost_and_fills_what_is_chosen():
    drawn = shown("decision")
    names = [" ".join(label.get_text().split()) for label in drawn.axes[0].get_yticklabels()]
    assert names == [
        "Secure transfers (M)",  # must-be, though it gains least for its cost
        "Responsive service (A)",  # costs nothing
        "Convenient transfers (O)",
        "Anonymous transfers (I)",
        "Transparent transfers (I)",
        "Reliable transfers (O)",
    ]
    white = [FILLED(bar.get_facecolor()) == "#ffffff" for bar in drawn.axes[0].patches]
    assert white == [False, False, False, True, True, True]
    said = every()["decision"].alt
    assert "3 chosen, at a cost of 120 of 217.50." in said
    assert "Chosen: Secure transfers, Responsive service, Convenient transfers." in said


def bars_by_colour(axes) -> dict[str, list]:
    found: dict[str, list] = {}
    for bar in axes.patches:
        found.setdefault(FILLED(bar.get_facecolor()), []).append(bar)
    return found


def test_losses_are_stacked_the_most_on_top():
    frame = left_out().sample(frac=1, random_state=3)
    losing, undelighted = drawn_of(figures.choice(frame, {})).axes
    order = ["Secure transfers", "Reliable transfers", "Convenient transfers"]
    names = [" ".join(label.get_text().split()) for label in losing.get_yticklabels()]
    assert [name[:-4] for name in names[:3]] == order and names[0].endswith("(O)")
    rows = left_out().set_index("requirement").loc[[name[:-4] for name in names]]
    total = 100 * (rows.screened + rows.weighed)
    assert total.is_monotonic_decreasing
    screened, weighed = bars_by_colour(losing).values()
    assert [bar.get_width() for bar in screened] == pytest.approx(100 * rows.screened.to_numpy())
    assert [bar.get_x() for bar in weighed] == pytest.approx(100 * rows.screened.to_numpy())
    assert [bar.get_x() + bar.get_width() for bar in weighed] == pytest.approx(total.to_numpy())
    assert points_of(losing)[:, 0] == pytest.approx(total.to_numpy())
    ends = np.array(losing.collections[-1].get_segments())[:, :, 0]
    assert ends == pytest.approx(100 * rows[["low", "high"]].to_numpy())
    assert [bar.get_width() for bar in undelighted.patches] == pytest.approx(100 * rows.delight_lost.to_numpy())


def test_a_per_cent_is_as_long_in_both_panels():
    drawn = shown("choice")
    long = [np.ptp(axes.transData.transform([(0, 0), (1, 0)])[:, 0]) for axes in drawn.axes]
    assert long[0] == pytest.approx(long[1], rel=0.02)


def test_losses_are_told():
    said = every()["choice"].alt.replace("\N{NO-BREAK SPACE}", " ")
    assert "The most is lost without Secure transfers:" in said and "The least without Anonymous transfers:" in said


def test_delight_that_is_not_known_is_a_dash_and_without_any_its_panel_is_missing():
    frame = left_out()
    frame.loc[0, "delight_lost"] = np.nan
    _, undelighted = drawn_of(figures.choice(frame, {})).axes
    assert undelighted.texts[-1].get_text() == "–" and "nan" not in {text.get_text() for text in undelighted.texts}
    figure = figures.choice(frame.assign(delight_lost=np.nan), {})
    assert len(drawn_of(figure).axes) == 1 and "delight" not in figure.alt


def test_loss_without_an_interval_is_drawn():
    figure = figures.choice(left_out().assign(low=np.nan, high=np.nan), {})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        render(figure)
    assert "no interval" in figure.alt


def test_choice_without_costs_is_not_drawn():
    assert figures.decision(choice().assign(cost=np.nan), {}).draw is None


@pytest.mark.filterwarnings("error")
def test_choice_draws_where_nothing_is_lost():
    nothing_lost = dict.fromkeys(("screened", "weighed", "low", "high", "delight_lost"), 0.0)
    frame = pd.DataFrame([{"requirement": name, "kind": "I"} | nothing_lost for name in ("wifi", "lift")])
    assert drawn_of(figures.choice(frame, {}))
