"""The figures of the satisfaction report: what they say, that nothing hides anything, and that every frame draws."""

import os
import warnings
from importlib.resources import files

import matplotlib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import pyplot

from helpers.analyses import drawing
from helpers.analyses.satisfaction_index import figures, path_layout
from helpers.analyses.satisfaction_index.covariance.figures import FURTHEST, agreement
from helpers.reporting.theme import render

ENGLISH = {
    "image": "Image",
    "expectations": "Expectations",
    "perceived_quality": "Perceived quality",
    "perceived_value": "Perceived value",
    "satisfaction": "Satisfaction",
    "complaints": "Complaints",
    "loyalty": "Loyalty",
}
CHINESE = {
    "image": "品牌形象 Brand image",
    "expectations": "预期质量 Expected quality",
    "perceived_quality": "感知质量 Perceived quality",
    "perceived_value": "感知价值 Perceived value",
    "satisfaction": "顾客满意 Customer satisfaction",
    "complaints": "抱怨处理 Handling of complaints",
    "loyalty": "顾客忠诚",
}
# The index of mobi by PLS weights, and the path scheme's coefficients (SmartPLS 2.0 M3, as carried by semPLS).
INDEX = dict(zip(ENGLISH, [73.53, 72.47, 74.98, 62.35, 72.45, 67.42, 70.91], strict=True))
PATHS = {
    ("image", "expectations"): 0.5049,
    ("expectations", "perceived_quality"): 0.5567,
    ("expectations", "perceived_value"): 0.0500,
    ("perceived_quality", "perceived_value"): 0.5583,
    ("image", "satisfaction"): 0.1787,
    ("expectations", "satisfaction"): 0.0625,
    ("perceived_quality", "satisfaction"): 0.5120,
    ("perceived_value", "satisfaction"): 0.1948,
    ("satisfaction", "complaints"): 0.5281,
    ("image", "loyalty"): 0.1958,
    ("satisfaction", "loyalty"): 0.4855,
    ("complaints", "loyalty"): 0.0669,
}
R_SQUARED = [np.nan, 0.2549, 0.3100, 0.3453, 0.6811, 0.2789, 0.4569]
ITEMS = {
    "P2": ("Customer service", 0.21),
    "P3": ("Technical quality of the network everywhere", 0.12),
    "P4": ("价格", 0.07),
}
MODELS = {
    "ecsi": list(PATHS),
    "acsi": ["EQ", "EV", "ES", "QV", "QS", "VS", "SC", "SL", "CL"],
    "ccsi": ["IE", "IQ", "IV", "IS", "EQ", "EV", "ES", "QV", "QS", "VS", "SL"],
    "sparse": ["QS", "VS", "SL"],
    "star": ["AS", "BS", "CS", "DS", "ES", "FS", "GS", "HS"],
    "ten": ["AE", "BE", "CE", "DE", "EF", "FG", "GH", "AF", "BF", "CF", "DF", "FH", "EG", "GI", "GJ", "HJ", "EI"],
}


def numbered(paths) -> tuple[int, np.ndarray]:
    names = list(dict.fromkeys(name for path in paths for name in path))
    return len(names), np.array([[names.index(source), names.index(target)] for source, target in paths])


def overview(labels=ENGLISH) -> pd.DataFrame:
    frame = pd.DataFrame({"construct": list(INDEX), "label": labels.values(), "index": INDEX.values()})
    frame["low"], frame["high"] = frame["index"] - 1.9, frame["index"] + 1.8
    return frame.assign(is_target=frame.construct == "satisfaction")


def by_segment(labels=ENGLISH) -> pd.DataFrame:
    shift = {"all": (250, 0.0), "north": (180, 2.5), "华南地区": (60, -3.5), "online $ shop $": (10, np.nan)}
    rows = [
        (construct, labels[construct], segment, size, INDEX[construct] + away)
        for construct in ("satisfaction", "loyalty", "perceived_value")
        for segment, (size, away) in shift.items()
    ]
    frame = pd.DataFrame(rows, columns=["construct", "label", "segment", "n", "index"])
    return frame.assign(low=frame["index"] - 2, high=frame["index"] + 2)


def by_wave(labels=ENGLISH, waves=("2024-1", "2024-2", "2024-3")) -> pd.DataFrame:
    rows = [
        (construct, labels[construct], wave, 400, INDEX[construct] + step * (2.0 if construct == "loyalty" else 0.1))
        for construct in INDEX
        for step, wave in enumerate(waves)
    ]
    frame = pd.DataFrame(rows, columns=["construct", "label", "wave", "n", "index"])
    return frame.assign(low=frame["index"] - 1.5, high=frame["index"] + 1.5)


def importance(labels=ENGLISH, values=(0.4147, 0.4323, 0.6398, 0.1383)) -> pd.DataFrame:
    frame = overview(labels).iloc[: len(values)].assign(importance=values)
    frame = frame.rename(columns={"index": "performance", "low": "performance_low", "high": "performance_high"})
    important = frame.importance >= frame.importance.mean()
    strong = frame.performance >= frame.performance.mean()
    frame["importance_low"], frame["importance_high"] = frame.importance - 0.1, frame.importance + 0.1
    chosen = [important & ~strong, important & strong, ~important & ~strong]
    return frame.assign(quadrant=np.select(chosen, ["concentrate", "keep_up", "low_priority"], "overkill"))


def constructs(labels=ENGLISH) -> pd.DataFrame:
    return overview(labels).assign(r_squared=R_SQUARED, items=[5, 3, 7, 2, 3, 1, 3])


def paths() -> pd.DataFrame:
    frame = pd.DataFrame(
        [(*ends, estimate) for ends, estimate in PATHS.items()], columns=["source", "target", "estimate"]
    )
    frame["low"], frame["high"] = frame.estimate - 0.12, frame.estimate + 0.12
    return frame.assign(supported=frame.low > 0)


def drivers() -> pd.DataFrame:
    rows = [(item, label, share, share / 2, 1.5 * share) for item, (label, share) in ITEMS.items()]
    return pd.DataFrame(rows, columns=["item", "label", "share", "low", "high"])


def contrasts() -> pd.DataFrame:
    frame = drivers()[["item", "label"]].assign(penalty=[-0.48, -0.1, -0.3], reward=[0.1, 0.55, np.nan])
    for side in ("penalty", "reward"):
        frame[f"{side}_low"], frame[f"{side}_high"] = frame[side] - 0.3, frame[side] + 0.3
    return frame.assign(kind=["basic", "attractive", "cannot_tell"])


def points() -> pd.DataFrame:
    satisfaction = np.array([40.0, 60.0, 75.0, 90.0])
    loyalty = 30 + 0.4 * satisfaction + np.maximum(satisfaction - 78, 0)
    frame = pd.DataFrame({"satisfaction": satisfaction, "loyalty": loyalty, "respondents": [10, 60, 120, 60]})
    return frame.assign(low=loyalty - 5, high=loyalty + 5)


def curve() -> pd.DataFrame:
    grid = np.arange(30.0, 101.0)
    knee = 30 + 0.4 * grid + np.maximum(grid - 78, 0)
    return pd.DataFrame(
        {"satisfaction": grid, "line": 20 + 0.6 * grid, "knee": knee, "low": knee - 3, "high": knee + 3}
    )


def ratios(labels=ENGLISH) -> pd.DataFrame:
    names = list(labels)[:5]
    pairs = [(first, second) for place, first in enumerate(names) for second in names[place + 1 :]]
    frame = pd.DataFrame(pairs, columns=["first", "second"])
    frame["first_label"], frame["second_label"] = frame["first"].map(labels), frame["second"].map(labels)
    frame["htmt"] = [0.888, 0.93, 0.65, 0.91, 0.87, 0.59, 0.86, 0.6, 0.957, 0.74]
    return frame.assign(low=frame.htmt - 0.06, high=frame.htmt + 0.05)


def spread(items=10) -> pd.DataFrame:
    rows = [
        (f"Q{item}", f"What question {item} asks about the service", float(answer), share)
        for item in range(items)
        for answer, share in zip(range(1, 11), np.roll(np.arange(10) / 45, item % 3), strict=True)
    ]
    return pd.DataFrame(rows, columns=["item", "label", "answer", "share"])


def quadrants() -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "quadrant": ["satisfied_and_loyal", "satisfied_not_loyal", "loyal_not_satisfied", "neither"],
            "share": [0.38, 0.1, 0.12, 0.4],
        }
    )
    return frame.assign(low=frame.share - 0.05, high=frame.share + 0.06)


def effects(labels=ENGLISH, furthest=0.98) -> pd.DataFrame:
    names = list(labels)[:4]
    frame = pd.DataFrame({"construct": names, "label": [labels[name] for name in names]})
    frame["pls"], frame["ml"] = [0.39, 0.42, 0.62, 0.19], [furthest, -0.4, -furthest, 0.06]
    for name, half in (("pls", 0.1), ("ml", 0.3)):
        frame[f"{name}_low"], frame[f"{name}_high"] = frame[name] - half, frame[name] + half
    return frame


def every(labels=ENGLISH, cut=slice(None)) -> dict:
    """Return every figure, drawn from some rows of its frame."""
    english = dict(zip(labels.values(), ENGLISH.values(), strict=True)) | {"价格": "Price", "华南地区": "South"}
    satisfaction, loyalty = labels["satisfaction"], labels["loyalty"]
    shown = [
        figures.index_overview(overview(labels)[cut], english),
        figures.index_by_segment(by_segment(labels)[cut], english),
        figures.index_by_wave(by_wave(labels)[cut], english),
        figures.importance_performance(importance(labels)[cut], satisfaction, english),
        figures.path_diagram(constructs(labels)[cut], paths()[cut], english),
        figures.driver_shares(drivers()[cut], "Overall satisfaction", english),
        figures.penalty_reward(contrasts()[cut], "Overall satisfaction", english),
        figures.loyalty_curve(points()[cut], curve()[cut], english, satisfaction, loyalty, "knee_up"),
        figures.discriminant_validity(ratios(labels)[cut], english),
        figures.answers(spread()[cut], english),
        figures.satisfaction_loyalty_quadrants(quadrants()[cut], english, 75, 75),
        agreement(effects(labels)[cut], satisfaction, english, ""),
    ]
    return {figure.name: figure for figure in shown}


def draw(figure) -> tuple[list[tuple[str, matplotlib.transforms.Bbox]], matplotlib.transforms.Bbox]:
    """Draw a figure under the theme, and return its texts with their places, and its own place, in pixels."""
    style = os.fspath(files("helpers.reporting") / "report.mplstyle")
    with matplotlib.rc_context(fname=style), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # a font with these letters need not be there
        drawn = figure.draw()
        texts = texts_of(drawn)
        pyplot.close(drawn)
    return texts, drawn.bbox


NAMES = list(every())


@pytest.mark.parametrize("name", NAMES)
def test_figure_draws_in_any_script_without_a_warning(name):
    figure = every(CHINESE)[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        render(figure)
    assert set(figure.columns) <= set(figure.frame.columns)
    assert "nan" not in figure.alt and "–" not in figure.alt and figure.alt.endswith(".")


@pytest.mark.parametrize("name", ["path_diagram", "importance_performance"])
def test_what_is_searched_for_is_found_alike_each_time(name):
    assert render(every()[name]) == render(every()[name])


@pytest.mark.parametrize("name", ["index_by_wave", "path_diagram", "driver_shares"])
def test_where_no_font_has_the_letters_latin_ones_are_drawn(name, monkeypatch):
    monkeypatch.setattr("helpers.reporting.theme.cjk_family", list)
    remark = render(every(CHINESE)[name]).remark
    assert "English labels are drawn" in remark
    assert "stands for" not in remark, "every name has its Latin letters"


@pytest.mark.parametrize("name", NAMES)
def test_empty_frame_gives_a_sentence(name):
    figure = every(cut=slice(0, 0))[name]
    assert figure.alt.endswith(".") and len(figure.alt) > 20
    assert figure.draw is None


def test_frame_that_only_says_why_it_is_empty_gives_a_sentence():
    why = pd.DataFrame({"reason": ["the model names no drivers"]})
    for figure in (
        figures.driver_shares(why, "X", {}),
        figures.discriminant_validity(why, {}),
        figures.answers(why, {}),
    ):
        assert figure.alt.endswith(".") and figure.frame is why


def blank(frame: pd.DataFrame, *columns: str, rows=slice(0, 1)) -> pd.DataFrame:
    frame = frame.copy()
    frame.iloc[rows, [frame.columns.get_loc(column) for column in columns]] = np.nan
    return frame


def partly_missing() -> dict:
    ends = ("low", "high")
    return {
        "overview": figures.index_overview(blank(overview(), "index", *ends), {}),
        "overview without intervals": figures.index_overview(blank(overview(), *ends, rows=slice(None)), {}),
        "waves": figures.index_by_wave(blank(by_wave(), "index", *ends, rows=slice(0, 3)), {}),
        "one wave": figures.index_by_wave(by_wave()[lambda frame: frame.wave == "2024-1"], {}),
        "segments without everyone": figures.index_by_segment(by_segment()[lambda frame: frame.segment != "all"], {}),
        "importance": figures.importance_performance(
            blank(importance(), "importance", "importance_low", "importance_high"), "Satisfaction", {}
        ),
        "one importance": figures.importance_performance(
            blank(importance(), "importance_low", "importance_high", rows=slice(None)).head(1), "Satisfaction", {}
        ),
        "paths": figures.path_diagram(
            blank(constructs(), "index", rows=slice(None)), blank(paths(), "estimate", *ends, rows=slice(None)), {}
        ),
        "drivers": figures.driver_shares(blank(drivers(), "share", *ends), "X", {}),
        "contrasts": figures.penalty_reward(blank(contrasts(), "penalty", "penalty_low", "penalty_high"), "X", {}),
        "no knee": figures.loyalty_curve(points(), blank(curve(), "knee", rows=slice(None)), {}, "S", "L", "line"),
        "no curve": figures.loyalty_curve(
            points(), blank(curve(), "line", "knee", "low", "high", rows=slice(None)), {}, "S", "L", "not enough data"
        ),
        "ratios": figures.discriminant_validity(blank(ratios(), "htmt", *ends), {}),
        "tiles": figures.satisfaction_loyalty_quadrants(blank(quadrants(), *ends), {}, 50, 62.5),
        "agreement": agreement(blank(effects(), "ml", "ml_low", "ml_high"), "Satisfaction", {}, ""),
        "agreement without intervals": agreement(
            blank(effects(), "pls_low", "pls_high", "ml_low", "ml_high", rows=slice(None)), "Satisfaction", {}, ""
        ),
    }


@pytest.mark.parametrize("name", list(partly_missing()))
def test_what_could_not_be_estimated_leaves_its_place_empty(name):
    figure = partly_missing()[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        draw(figure)
    assert "nan" not in figure.alt


def texts_of(drawn) -> list[tuple[str, matplotlib.transforms.Bbox]]:
    """Return every text that is seen, with its place in pixels."""
    drawn.canvas.draw()
    found = list(drawn.texts)
    for axes in drawn.axes:
        shown = axes.axison
        found += [*axes.texts, axes.title, axes._left_title, axes._right_title]
        for axis, (low, high) in ((axes.xaxis, sorted(axes.get_xlim())), (axes.yaxis, sorted(axes.get_ylim()))):
            ticks = [
                tick for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high and tick.label1.get_visible()
            ]
            found += [axis.label, *(tick.label1 for tick in ticks)] if shown else []
    seen = [text for text in found if text.get_visible() and text.get_text().strip()]
    return [(text.get_text(), text.get_window_extent()) for text in seen]


def assert_nothing_hidden(figure):
    texts, page = draw(figure)
    assert len(texts) > 4
    for place, (text, box) in enumerate(texts):
        assert box.x0 > page.x0 - 1 and box.x1 < page.x1 + 1 and box.y0 > page.y0 - 1 and box.y1 < page.y1 + 1, text
        for other, its in texts[place + 1 :]:
            apart = box.x1 <= its.x0 + 1 or its.x1 <= box.x0 + 1 or box.y1 <= its.y0 + 1 or its.y1 <= box.y0 + 1
            assert apart, (text, other)


@pytest.mark.parametrize("name", NAMES)
def test_no_text_lies_on_another_or_leaves_the_figure(name):
    assert_nothing_hidden(every()[name])


def test_effect_that_cannot_be_is_an_arrow_with_its_number_and_draws_the_axis_no_wider():
    figure = agreement(effects(furthest=3.27), "Satisfaction", {}, "Stopped by its gate: not to be used")
    assert_nothing_hidden(figure)
    assert {"3.27", "\N{MINUS SIGN}3.27"} <= {text for text, _ in draw(figure)[0]}
    assert figure.label == "Stopped by its gate: not to be used" and "3.27 by the covariance model" in figure.alt
    drawn = figure.draw()
    assert np.abs(drawn.axes[0].get_xlim()).max() <= FURTHEST
    pyplot.close(drawn)


@pytest.mark.parametrize(
    "waves",
    [
        [f"2025-{month}" for month in range(1, 13)],
        [f"week {week} of 2025" for week in range(1, 51)],
        ["before the relaunch", "during the relaunch", "after the relaunch", "a year later on", "today and here"],
        ["first"],
    ],
    ids=["months", "weeks", "phrases", "one"],
)
def test_no_text_of_any_waves_lies_on_another_or_leaves_the_figure(waves):
    frame = by_wave(waves=waves)
    for shown in (frame, frame[frame.construct.isin(["satisfaction", "loyalty"])]):
        assert_nothing_hidden(figures.index_by_wave(shown, {}))


# Importance, its interval, performance and its interval: mobi, for satisfaction and for loyalty.
MAPS = {
    "satisfaction": [
        ("Image", 0.4147, 0.2986, 0.5504, 73.53, 71.93, 75.33),
        ("Expectations", 0.4323, 0.3124, 0.5412, 72.47, 70.75, 74.19),
        ("Perceived quality", 0.6398, 0.4967, 0.7645, 74.98, 73.28, 76.73),
        ("Perceived value", 0.1383, 0.0589, 0.2218, 62.35, 59.84, 64.73),
    ],
    "loyalty": [
        ("Image", 0.6432, 0.4589, 0.8822, 73.53, 71.93, 75.33),
        ("Expectations", 0.3413, 0.2018, 0.4938, 72.47, 70.75, 74.19),
        ("Perceived quality", 0.5052, 0.3148, 0.7120, 74.98, 73.28, 76.73),
        ("Perceived value", 0.1092, 0.0352, 0.2060, 62.35, 59.84, 64.73),
        ("Satisfaction", 0.7897, 0.5308, 1.0543, 72.45, 70.66, 74.28),
        ("Handling of complaints", 0.0579, -0.0427, 0.1654, 67.42, 64.13, 70.53),
    ],
}


def map_of(rows) -> pd.DataFrame:
    ends = ("", "_low", "_high")
    columns = ["label", *(f"importance{end}" for end in ends), *(f"performance{end}" for end in ends)]
    return pd.DataFrame(rows, columns=columns).assign(quadrant="keep_up")


@pytest.mark.parametrize("target", MAPS)
def test_names_stand_on_their_points_side_of_the_parting_lines(target):
    frame = map_of(MAPS[target])
    style = os.fspath(files("helpers.reporting") / "report.mplstyle")
    with matplotlib.rc_context(fname=style):
        drawn = figures.importance_performance(frame, target, {}).draw()
        drawn.canvas.draw()
        (axes,) = drawn.axes
        boxes = {
            " ".join(text.get_text().split()): text.get_window_extent().transformed(axes.transData.inverted())
            for text in axes.texts
        }
        pyplot.close(drawn)
    for row in frame.itertuples():
        box = boxes[row.label]
        for low, high, value, middle in (
            (box.x0, box.x1, row.importance, frame.importance.mean()),
            (box.y0, box.y1, row.performance, frame.performance.mean()),
        ):
            assert low > middle if value >= middle else high < middle, row.label


# What the words say


def test_overview_names_the_highest_the_lowest_and_the_target():
    said = figures.index_overview(overview(), {}).alt
    assert "highest Perceived quality (75.0), lowest Perceived value (62.4). Emphasised: Satisfaction 72.5 (95" in said
    changed = overview().assign(index=lambda frame: 140 - frame["index"])
    assert "lowest Perceived quality" in figures.index_overview(changed, {}).alt


def test_segments_tell_whose_interval_leaves_everyone_out():
    said = figures.index_by_segment(by_segment(), {}).alt
    assert "Loyalty: highest north (73.4), lowest 华南地区 (67.4), everyone 70.9" in said
    assert "the interval leaves that out for north, 华南地区" in said
    near = by_segment().assign(low=0.0)
    near.loc[near.segment == "north", "high"] = 100.0
    assert "the interval leaves that out for 华南地区." in figures.index_by_segment(near, {}).alt


def test_waves_are_told_from_the_first_to_the_last():
    assert "Loyalty 70.9 to 74.9" in figures.index_by_wave(by_wave(), {}).alt


def test_importance_names_quadrants_in_words():
    said = figures.importance_performance(importance(), "Satisfaction", {}).alt
    assert "The most important is Perceived quality: 0.64 points per point (95 % interval 0.54 to 0.74)" in said
    assert "Keep up the good work: Image, Expectations, Perceived quality. Low priority: Perceived value." in said
    assert "Concentrate here" not in said
    weak = importance(values=(0.4147, 0.4323, 0.1383, 0.6398))
    assert "Concentrate here: Perceived value." in figures.importance_performance(weak, "Satisfaction", {}).alt


@pytest.mark.parametrize(
    "frame",
    [
        importance().head(2),
        importance().assign(quadrant=""),
        importance().assign(quadrant=np.nan),
        importance().drop(columns="quadrant"),
    ],
    ids=["two", "empty", "missing", "no column"],
)
def test_without_quadrants_nothing_is_parted_or_named(frame):
    figure = figures.importance_performance(frame, "Satisfaction", {})
    assert figure.alt.endswith(".") and not any(words in figure.alt for words in figures.QUADRANTS.values())
    texts = [text for text, _ in draw(figure)[0]]
    assert "Image" in texts and not set(texts) & set(figures.QUADRANTS.values())
    drawn = figure.draw()
    assert not [line for line in drawn.axes[0].lines if line.get_linestyle() == "--"]
    pyplot.close(drawn)


def test_construct_without_quadrant_is_drawn_among_those_that_have_one():
    frame = importance()
    frame.loc[0, "quadrant"] = ""
    figure = figures.importance_performance(frame, "Satisfaction", {})
    assert "Keep up the good work: Expectations, Perceived quality." in figure.alt
    assert {"Image", "Low priority"} <= {text for text, _ in draw(figure)[0]}


def test_path_diagram_tells_the_strongest_arrows_and_those_not_told_from_nought():
    said = figures.path_diagram(constructs(), paths(), {}).alt
    assert "7 constructs and 12 arrows. The strongest: Perceived quality to Perceived value 0.56 (95 % interval" in said
    doubtful = said.split("Not to be told from 0: ")[1]
    assert doubtful == ("Expectations to Perceived value; Expectations to Satisfaction; Complaints to Loyalty.")


def test_model_too_large_to_read_is_not_drawn():
    many = pd.DataFrame({"construct": [str(place) for place in range(21)]})
    assert "21 constructs cannot be drawn" in figures.path_diagram(many, paths(), {}).alt


def test_drivers_add_up_and_stand_in_order():
    figure = figures.driver_shares(drivers().iloc[::-1], "Overall satisfaction", {})
    assert "together 40.0\N{NO-BREAK SPACE}%" in figure.alt
    assert "The largest is Customer service: 21.0\N{NO-BREAK SPACE}% (95 % interval 10.5 to 31.5)" in figure.alt
    assert "The smallest is 价格: 7.0" in figure.alt


def test_further_columns_of_drivers_change_nothing():
    more = figures.driver_shares(drivers().assign(measure="share"), "Overall satisfaction", {})
    plain = figures.driver_shares(drivers(), "Overall satisfaction", {})
    assert more.alt == plain.alt and more.columns == plain.columns
    assert render(more).svg == render(plain).svg


def test_kinds_are_told_in_words():
    said = figures.penalty_reward(contrasts(), "X", {}).alt
    assert (
        "Basic: Customer service. Attractive: Technical quality of the network everywhere. Cannot be told: 价格."
        in said
    )


@pytest.mark.parametrize(
    ("verdict", "words"),
    {
        "knee_up": "A knee: steeper above 78.",
        "knee_down": "A knee: flatter above 78.",
        "line": "A straight line: no knee is told from chance.",
        "not enough data": "Not enough data for a curve.",
    }.items(),
)
def test_verdict_on_the_curve_is_told(verdict, words):
    said = figures.loyalty_curve(points(), curve(), {}, "Satisfaction", "Loyalty", verdict).alt
    assert words in said and "Loyalty is 46.0 where Satisfaction is 40.0" in said


def test_constructs_hardly_to_be_told_apart_are_named():
    said = figures.discriminant_validity(ratios(), {}).alt
    assert "Image and Perceived quality 0.93 (95 % interval 0.87 to 0.98)" in said and "Expectations and" not in said
    said = figures.discriminant_validity(ratios().assign(htmt=0.5), {}).alt
    assert "None is 0.9 or more; the highest is 0.50" in said


def test_answers_name_the_commonest_and_the_means():
    frame = pd.DataFrame(
        {
            "item": ["a", "a", "b", "b"],
            "label": ["A", "A", "B", "B"],
            "answer": [1.0, 5, 1, 5],
            "share": [0.25, 0.75, 0.5, 0.5],
        }
    )
    said = figures.answers(frame, {}).alt
    assert "The commonest answer of all is 5 to A: 75" in said
    assert "highest for A (4.00) and lowest for B (3.00)" in said


def test_quadrants_of_loyalty_are_told_the_largest_first():
    said = figures.satisfaction_loyalty_quadrants(quadrants(), {}, 75, 80).alt
    assert "satisfaction (75 or more of 100) and loyalty (80 or more): neither 40" in said


# Where things stand


def inside(points_, boxes, size) -> np.ndarray:
    return (np.abs(points_[:, None] - boxes[None]) < np.asarray(size) / 2 - 1e-9).all(axis=-1)


def assert_legible(count, ends, strict=True):
    layout = path_layout.lay_out(count, ends)
    boxes, box = layout.boxes, path_layout.BOX
    for place in range(count):
        assert not inside(boxes[[place]], np.delete(boxes, place, axis=0), 2 * box).any(), "boxes overlap"
    assert (boxes - box / 2 >= -1e-9).all() and (boxes + box / 2 <= layout.size + 1e-9).all()
    for (source, target), arrow in zip(ends, layout.arrows, strict=True):
        assert boxes[source, 0] <= boxes[target, 0] + 1e-9, "an arrow runs backward"
        if strict:
            others = np.delete(boxes, [source, target], axis=0)
            assert not inside(arrow.points(), others, box).any(), "an arrow lies on a box"
    numbers = np.array([arrow.number for arrow in layout.arrows])
    if strict and len(numbers):
        assert not inside(numbers, boxes, box + path_layout.NUMBER).any(), "a number lies on a box"
        for place in range(len(numbers)):
            others = np.delete(numbers, place, axis=0)
            assert not inside(numbers[[place]], others, 2 * path_layout.NUMBER).any(), "a number lies on a number"
    return layout


@pytest.mark.parametrize("name", MODELS)
def test_path_diagram_of_known_models_is_legible(name):
    layout = assert_legible(*numbered(MODELS[name]))
    assert layout.size[0] <= drawing.WIDTH


def test_path_diagram_of_ecsi_stands_as_one_draws_it():
    count, ends = numbered(MODELS["ecsi"])
    boxes = path_layout.lay_out(count, ends).boxes
    names = dict(zip(dict.fromkeys(name for path in PATHS for name in path), boxes, strict=True))
    assert names["image"][0] < names["satisfaction"][0] < names["loyalty"][0]
    assert names["image"][1] == max(place[1] for place in names.values())


@st.composite
def models(draw):
    count = draw(st.integers(1, 10))
    pairs = [(source, target) for source in range(count) for target in range(source + 1, count)]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=int(1.5 * count))) if pairs else []
    return count, np.array(chosen, dtype=int).reshape(-1, 2)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(models())
def test_path_diagram_of_any_model_is_legible(model):
    assert_legible(*model)


def test_many_constructs_are_laid_out():
    rng = np.random.default_rng(1)
    pairs = np.array([(source, target) for source in range(16) for target in range(source + 1, 16)])
    assert_legible(16, pairs[rng.random(len(pairs)) < 0.15], strict=False)


WORDS = st.text(st.characters(categories=["Lu", "Ll", "Lo", "Nd", "Zs", "Sc"]), max_size=60)


@settings(deadline=None)
@given(WORDS, st.integers(6, 30))
def test_written_names_lose_nothing_and_fit(name, width):
    lines = drawing.written(name, width, 99).replace(r"\$", "$").split("\n")
    assert "".join("".join(lines).split()) == "".join(name.split())
    assert all(drawing.breadth(line) <= width for line in lines)


def test_written_names_are_parted_between_scripts_and_cut_when_too_long():
    assert drawing.written("感知质量 Perceived quality", 20) == "感知质量\nPerceived quality"
    assert drawing.written("感知 Quality", 20) == "感知 Quality"
    assert drawing.written("one two three four five six", 9, 2) == "one two\nthree…"
    assert drawing.written("US$ or A$") == r"US\$ or A\$"
    assert drawing.written("two\nlines\x00") == "two lines"


def test_english_is_written_as_the_label_is():
    found = drawing.english_of(
        ["感知质量 Perceived quality", "unknown"], {"感知质量 Perceived quality": "Perceived quality"}, 12
    )
    assert found == {"感知质量\nPerceived\nquality": "Perceived\nquality"}


@settings(deadline=None)
@given(st.lists(st.floats(0, 100), min_size=1, max_size=9), st.floats(0.5, 5))
def test_names_along_a_line_are_moved_apart_in_their_order(places, gap):
    places = np.array(places)
    moved = drawing.apart(places, gap)
    order = np.argsort(places, kind="stable")
    assert (np.diff(moved[order]) >= gap * 0.999).all()
    assert moved.mean() == pytest.approx(places.mean(), abs=1e-6)
    if len(places) == 1 or np.diff(np.sort(places)).min() >= gap:
        assert (moved == places).all()


def test_names_stand_beside_their_points():
    rng = np.random.default_rng(3)
    points_, rooms = rng.uniform(0.8, 3.2, (6, 2)), np.tile([0.9, 0.2], (6, 1))
    found = drawing.beside(points_, rooms, points_, np.array([4.0, 4.0]))
    assert not inside(points_, found, rooms).any(), "a name hides a point"
    for place in range(6):
        assert not inside(found[[place]], np.delete(found, place, axis=0), 2 * rooms[0]).any()
    assert (np.abs(found - 2) <= (4 - rooms) / 2).all()
    centre = points_.mean(axis=0)
    found = drawing.beside(points_, rooms, points_, np.array([4.0, 4.0]), centre)
    side = np.where(points_ >= centre, 1, -1)
    assert (side * (found - centre) >= rooms / 2).all(), "a name crosses a line"
