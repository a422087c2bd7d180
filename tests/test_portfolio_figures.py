"""The figures of the portfolio report: what they say, that nothing hides anything, and that few are never shown."""

import warnings
from functools import cache
from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from matplotlib.cbook import is_math_text
from matplotlib.text import Text

from helpers.analyses.customer_portfolio import figures
from helpers.analyses.customer_portfolio.actions import ACTIONS
from helpers.analyses.customer_portfolio.figures import frames
from helpers.analyses.customer_portfolio.figures.parts import CAUSE_COLOURS, CLASS_COLOURS, ENGLISH
from helpers.analyses.customer_portfolio.names import CLASSES, LEVEL_NAMES, PYRAMID, SHOWN
from helpers.models.customer_portfolio import churn_causes, commercial_value, equity_bridge, pyramid, stages
from helpers.models.customer_portfolio.tiers import TIERS
from helpers.models.quadrants import HIGH
from helpers.reporting.theme import render
from tests.test_kano_figures import VISION, assert_nothing_hidden, drawn_of, lab, words_of

HOSTILE = "$_x{ $"
NAN = np.nan
LENSES = ("output", "sales", "loyalty", "lifetime_value", "profit", "overdue")


def interval(name: str, value, scale: float = 1.0, ends: tuple[str, str] | None = None) -> dict:
    """Return a column with its bounds, 20 % below and above."""
    low, high = ends or ("low", "high")
    value = scale * np.asarray(value, float)
    return {name: value, low: value - 0.2 * abs(value), high: value + 0.2 * abs(value)}


def matrix(scale: float) -> pd.DataFrame:
    people, money = (
        np.array([100, 400, 100, 400]),
        {"current_value": [2e3, 2e4, -200, -900], "future_value": [700, 22e3, 1600, 2e3]},
    )
    frame = pd.DataFrame({"class": CLASSES, "customers": people, "share": people / 1000})
    frame = frame.assign(**interval("expected_share", people / 1000))
    return frame.assign(**{name: scale * np.array(values) for name, values in money.items()})


def moves(rows, columns, names: tuple[str, str], share: str) -> pd.DataFrame:
    """Everyone moves to the next, but some stay; the first cell is not shown and the last is of nobody."""
    counts = np.array(
        [[60 if row == column else 30 + row + column for column in range(len(columns))] for row in range(len(rows))]
    )
    counts[-1, -1] = 0
    found = pd.DataFrame(product(rows, columns), columns=list(names))
    found = found.assign(
        customers=counts.ravel().astype(float), **{share: (counts / counts.sum(1, keepdims=True)).ravel()}
    )
    return found.assign(
        customers=found.customers.mask(found.index == 0), **{share: found[share].mask(found.index == 0)}
    )


def tiers(scale: float) -> pd.DataFrame:
    money = {
        "actual_value": [2e5, 2e4, 9e4, 1e3],
        "strategic_value": [5e3, 5e4, 6e4, 6e3],
        "cost_to_serve": [1e4, 2e4, 4e4, 9e3],
    }
    part = np.array([0.2, 0.19, 0.58, 0.03])
    frame = pd.DataFrame({"tier": TIERS, "customers": 1000 * part, "share": part}).assign(
        **interval("expected_share", part)
    )
    return frame.assign(**{name: scale * np.array(values) for name, values in money.items()})


def steps(scale: float) -> pd.DataFrame:
    frame = pd.DataFrame({"tier": PYRAMID, "customers": [10, 40, 150, 800], "share": [0.01, 0.04, 0.15, 0.8]})
    parts = {"sales": [0.12, 0.18, 0.3, 0.4], "margin": [0.13, 0.18, 0.3, 0.39], "profit": [0.15, 0.2, 0.35, 0.3]}
    parts["lifetime_value"] = [0.3, 0.4, 0.4, -0.1]
    return frame.assign(**{f"share_of_{name}": values for name, values in parts.items()})


@cache
def customers(size: int = 600) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    sales = rng.lognormal(3, 1, size)
    return {"sales": sales, "profit": sales - 20, "lifetime_value": 3 * sales - 40}


def inequality(scale: float) -> pd.DataFrame:
    amounts = customers()
    return frames.lorenz(amounts, {name: pyramid.concentration(each) for name, each in amounts.items()}, 5)


def whale(scale: float) -> pd.DataFrame:
    return frames.cumulated(scale * customers()["profit"], "profit", 5)


def gains(scale: float) -> pd.DataFrame:
    return frames.cumulated(scale * customers()["profit"], "gain", 5)


def bridge(scale: float) -> pd.DataFrame:
    value = [90e3, 57e3, -22e3, -2e3, 5e3, 150, 9e3, 137150]
    return pd.DataFrame({"line": equity_bridge.LINES} | interval("value", value, scale))


def scores(scale: float) -> pd.DataFrame:
    frame = pd.DataFrame(product(range(1, 6), range(1, 6)), columns=["recency", "frequency"])
    frame = frame.assign(customers=10.0 * frame.recency * frame.frequency, mean_monetary=scale * 50.0 * frame.frequency)
    frame.loc[0, ["customers", "mean_monetary"]] = NAN
    frame.loc[1, ["customers", "mean_monetary"]] = [0, NAN]
    return frame


def agreement(scale: float) -> pd.DataFrame:
    pairs = list(combinations(LENSES, 2))
    frame = pd.DataFrame(pairs, columns=["lens", "other"]).assign(**interval("tau", np.linspace(-0.6, 0.9, len(pairs))))
    frame = frame.assign(
        **interval("overlap", np.linspace(0.05, 0.8, len(pairs)), ends=("overlap_low", "overlap_high"))
    )
    return pd.concat([frame, frame.rename(columns={"lens": "other", "other": "lens"})], ignore_index=True)


def quarters(scale: float) -> pd.DataFrame:
    names = [f"{year}-Q{quarter}" for year in (2022, 2023, 2024) for quarter in (1, 2, 3, 4)]
    sales = scale * np.array([30, 40, 45, 50, 55, 60, 62, 70, 75, 60, 65, 80]) * 1e3
    profit = scale * np.array([9, 12, 13, 14, 13, 15, 16, -2, 12, 10, 12, 13]) * 1e3
    change, of_sales = np.diff(profit, prepend=NAN), np.diff(sales, prepend=NAN)
    parts = {
        "volume": 0.3 * of_sales,
        "margin_rate": 0 * of_sales,
        "marketing": change - 0.3 * of_sales - 100 * scale,
        "service": 0 * of_sales + 100 * scale,
    }
    opposed = [None, *((np.diff(sales) > 0) & (np.diff(profit) < 0)).tolist()]
    frame = pd.DataFrame(
        {"period": names, "sales": sales, "profit": profit, "sales_change": of_sales, "profit_change": change}
    )
    return frame.assign(**parts, opposed=opposed)


def stock(scale: float) -> pd.DataFrame:
    dates = {"then": ("2024-01-01", [1600.0, 550, 0, 170, NAN]), "now": ("2024-12-31", [760.0, 475, 580, 1380, 1800])}
    rows = [
        (when, date, stage, size)
        for when, (date, sizes) in dates.items()
        for stage, size in zip(stages.STAGES, sizes, strict=True)
    ]
    frame = pd.DataFrame(rows, columns=["when", "date", "stage", "customers"])
    return frame.assign(share=frame.customers / 5000, current_value=scale, future_value=scale)


def transitions(scale: float) -> pd.DataFrame:
    frame = moves([*stages.STAGES, "not_yet"], stages.STAGES, ("from", "to"), "share")
    return frame.assign(low=frame.share - 0.02, high=frame.share + 0.02)


def over_time(scale: float) -> pd.DataFrame:
    days, most = np.arange(0, 731, 30.0), [0.045, 0.18, 0.15, 0.065, 0.06]
    parts = [
        pd.DataFrame({"cause": cause, "days": days} | interval("share", top * days / days[-1]))
        for cause, top in zip(churn_causes.CAUSES, most, strict=True)
    ]
    return pd.concat(parts, ignore_index=True)


def causes(scale: float) -> pd.DataFrame:
    frame = pd.DataFrame({"cause": churn_causes.CAUSES, "exits": [176.0, 733, 632, 260, NAN]})
    frame = frame.assign(**interval("rate", [0.04, 0.168, 0.145, 0.06, NAN], ends=("rate_low", "rate_high")))
    return frame.assign(
        **interval("value_lost", [2150, 8027, 5614, 2717, NAN], scale, ("value_lost_low", "value_lost_high"))
    )


GROUPS = (*PYRAMID, "north", "华北", "$x_$")


def levels(scale: float) -> pd.DataFrame:
    frame = pd.DataFrame(product(GROUPS, LEVEL_NAMES), columns=["group", "level"])
    frame = frame.assign(
        **interval("value", np.tile([22e3, 23e3, 25e3, 28e3, -9e3], len(GROUPS)), scale), probability=0.8
    )
    frame["recommended"] = (frame.level == "proactive").astype(object)
    numbers = ["value", "low", "high", "probability"]
    frame.loc[frame.group == "vip", [*numbers, "recommended"]] = [NAN] * 4 + [None]
    return frame


def components(scale: float) -> pd.DataFrame:
    columns = {"weight": [0.5, 0.5, 0, 0], "contribution": [0.6, 0.45, -0.05, 0]}
    return pd.DataFrame({"component": commercial_value.COMPONENTS} | columns)


def sides(scale: float) -> pd.DataFrame:
    value = customers()["lifetime_value"]
    return frames.satisfaction_by_value(100 * np.argsort(np.argsort(value)) / len(value), scale * value, 5)


QUADRANTS = pd.DataFrame(
    {"quadrant": ["under_served", "both_gain", "over_served", "neither_gains"], "customers": [244, 256, 205, NAN]}
)


def due(scale: float) -> pd.DataFrame:
    people = np.array([448, 1353, NAN, 42, 1337, 1189, 0, 341, 103, 42.0])
    return pd.DataFrame(
        {"next_action": ACTIONS, "customers": people, "share": people / 5000, "value": scale * 50 * (people - 60)}
    )


FRAMES = {
    "class_matrix": matrix,
    "migration": lambda scale: moves([*SHOWN, "not_yet"], SHOWN, ("class_then", "class_now"), "share_of_row"),
    "tiers": tiers,
    "pyramid": steps,
    "lorenz": inequality,
    "whale_curve": whale,
    "equity_bridge": bridge,
    "rfm": scores,
    "lens_agreement": agreement,
    "profit_periods": quarters,
    "stages": stock,
    "stage_transitions": transitions,
    "decline_curve": gains,
    "cumulative_incidence": over_time,
    "churn_causes": causes,
    "relationship_levels": levels,
    "commercial_value": components,
    "two_sided_map": sides,
    "actions": due,
}
OF_MONEY = [
    "class_matrix",
    "tiers",
    "whale_curve",
    "equity_bridge",
    "rfm",
    "profit_periods",
    "decline_curve",
    "churn_causes",
]
OF_MONEY += ["relationship_levels", "two_sided_map", "actions"]
WITH_INTERVALS = ["class_matrix", "tiers", "equity_bridge", "lens_agreement", "relationship_levels"]
TAKE_CURRENCY = [*OF_MONEY, "stages"]


def figure_of(name: str, frame: pd.DataFrame, currency: str = "EUR"):
    more = (QUADRANTS,) if name == "two_sided_map" else ()
    return getattr(figures, name)(frame, *more, **({"currency": currency} if name in TAKE_CURRENCY else {}))


@cache
def one(name: str, currency: str = "EUR", scale: float = 1.0):
    return figure_of(name, FRAMES[name](scale), currency)


@cache
def shown(name: str):
    """Return one of the figures, drawn once for all tests that only look at it."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return drawn_of(one(name))


def told(name: str) -> str:
    return one(name).alt.replace("\N{NO-BREAK SPACE}", " ")


def texts(drawn) -> list[str]:
    return [" ".join(text.split()) for text, _ in words_of(drawn)]


def test_there_is_a_test_for_every_figure():
    assert sorted(FRAMES) == sorted(figures.__all__)


@pytest.mark.parametrize("name", FRAMES)
def test_figure_is_drawn_without_a_warning_and_nothing_hides_anything(name):
    figure = one(name)
    assert figure.columns and set(figure.columns) <= set(figure.frame.columns)
    assert "nan" not in figure.alt and "–" not in figure.alt and figure.alt.endswith(".")
    assert ("EUR" in figure.alt) == (name in OF_MONEY)
    assert shown(name).get_size_inches()[0] <= 6.5, "readable on a page of 640 pixels"
    assert not any("nan" in text for text in texts(shown(name)))
    assert_nothing_hidden(shown(name))


# those with most amounts beside each other
@pytest.mark.parametrize("name", ["class_matrix", "equity_bridge", "profit_periods", "relationship_levels", "actions"])
def test_nor_does_it_with_huge_amounts_in_any_currency(name):
    figure = one(name, HOSTILE, 3e5)
    drawn = drawn_of(figure)
    assert not any(is_math_text(text.get_text()) for text in drawn.findobj(Text))
    assert HOSTILE in figure.alt
    assert_nothing_hidden(drawn)


@pytest.mark.parametrize("name", FRAMES)
def test_nothing_to_draw_gives_a_sentence(name):
    frame = one(name).frame
    blank = frame.assign(**{each: NAN for each in frame.select_dtypes("number")})
    for each in (frame.iloc[:0], blank, pd.DataFrame({"reason": ["there is nothing"]})):
        figure = figure_of(name, each)
        assert figure.draw is None and figure.alt.endswith(".") and len(figure.alt) > 20


@pytest.mark.parametrize("name", WITH_INTERVALS)
def test_intervals_that_are_not_known_leave_their_place_empty(name):
    frame = one(name).frame
    ends = [
        each for each in frame if each.endswith(("low", "high")) or each in ("expected_share", "p_holm", "probability")
    ]
    figure = figure_of(name, frame.assign(**dict.fromkeys(ends, NAN)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = drawn_of(figure)
    assert "nan" not in figure.alt
    assert not any("nan" in text.get_text() for text in drawn.findobj(Text))


@pytest.mark.parametrize("name", ["stage_transitions", "relationship_levels"])
def test_where_no_font_has_the_letters_latin_ones_are_drawn(name, monkeypatch):
    monkeypatch.setattr("helpers.reporting.theme.cjk_family", list)
    frame = one(name).frame
    frame = frame[frame.group.isin(PYRAMID)] if name == "relationship_levels" else frame
    remark = render(figure_of(name, frame)).remark
    assert "English labels are drawn" in remark and "stands for" not in remark


def test_every_label_has_its_english():
    assert all(latin.isascii() and label.endswith(latin) for label, latin in ENGLISH.items())


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("palette", [CLASS_COLOURS, CAUSE_COLOURS], ids=["classes", "causes"])
def test_colours_are_told_apart_by_any_eye(palette, vision):
    seen = [lab(colour, VISION[vision]) for colour in palette.values()]
    assert min(np.linalg.norm(one - other) for one, other in combinations(seen, 2)) > 15


# --- what they say ---------------------------------------------------------------------------------------------


def test_each_class_stands_where_its_values_are_and_its_square_is_its_share():
    axes = shown("class_matrix").axes[0]
    middle = np.array([np.mean(axes.get_xlim()), np.mean(axes.get_ylim())])
    squares = [patch for patch in axes.patches if patch.get_alpha() is None]
    sides_of = dict(zip(CLASSES, squares, strict=True))
    for each, high in zip(CLASSES, HIGH, strict=True):
        centre = np.array(sides_of[each].get_xy()) + sides_of[each].get_width() / 2
        assert tuple(centre > middle) == high
    assert sides_of["gold"].get_width() ** 2 == pytest.approx(4 * sides_of["iron"].get_width() ** 2)
    assert (
        "Gold (high current, high future value): 40.0 % of customers, expected 40.0 % (95 % interval 32.0 to 48.0), "
        "share of future value 83.7 %, mean current value 50.0 EUR, mean future value 55.0 EUR."
    ) in told("class_matrix")


def test_shares_of_value_are_not_drawn_where_a_class_is_not_shown():
    frame = matrix(1.0).astype(object)
    frame.loc[0, frame.columns.drop("class")] = NAN
    figure = figure_of("class_matrix", frame)
    assert "share of future value" not in figure.alt
    assert "Platinum (high current, low future value): not shown." in figure.alt


def test_cells_of_few_are_not_shown_and_rows_of_nobody_are_left_out():
    frame = one("migration").frame
    assert texts(shown("migration")).count("not shown") == 1
    nobody = frame.assign(customers=frame.customers.where(frame.class_then != "iron", 0.0))
    axes = drawn_of(figure_of("migration", nobody)).axes[0]
    assert len(axes.get_yticks()) == 4
    assert "Of platinum 19.6 % are gold, 38.0 % are still platinum" in told("migration")


def test_waterfall_leads_from_total_to_total():
    bars = shown("equity_bridge").axes[0].patches
    ends = np.array([[bar.get_x(), bar.get_x() + bar.get_width()] for bar in bars])
    assert ends[0] == pytest.approx([0, 90e3]) and ends[-1] == pytest.approx([0, 137150])
    assert ends[1:-1, 0] == pytest.approx(ends[:-2, 1]) and ends[-2, 1] == pytest.approx(137150)


def test_steps_of_few_break_the_waterfall_but_keep_their_rows():
    frame = bridge(1.0)
    frame.loc[[1, 2], ["value", "low", "high"]] = NAN
    figure = figure_of("equity_bridge", frame)
    axes = drawn_of(figure).axes[0]
    assert len(axes.get_yticks()) == 8 and axes.patches[3].get_x() == 0
    assert "new customers not shown; customers lost not shown" in figure.alt


def test_value_of_a_tier_is_net_of_its_cost():
    below = shown("tiers").axes[1]
    (dots,) = [line for line in below.lines if line.get_marker() == "D"]
    assert dots.get_xdata() == pytest.approx([195e3, 5e4, 11e4, -2e3])
    assert (
        "BZ below zero 3.0 % of customers, expected 3.0 % (95 % interval 2.4 to 3.6), net \N{MINUS SIGN}2,000 EUR"
        in told("tiers")
    )


def test_both_halves_of_the_lens_grid_are_the_pairs():
    for axes, value in zip(shown("lens_agreement").axes, ("tau", "overlap"), strict=True):
        drawn = axes.images[0].get_array().compressed()
        assert sorted(drawn) == pytest.approx(sorted(agreement(1.0)[value].iloc[:15]))
    assert "Least alike: days of purchase and sales" in told("lens_agreement").replace(
        "sales and days of purchase", "days of purchase and sales"
    )


def test_opposed_periods_are_marked_and_named():
    above, below = shown("profit_periods").axes
    assert sum(patch.get_alpha() is not None for patch in above.patches) == 2
    assert "Sales rose while profit fell in 2023-Q1 and 2023-Q4." in told("profit_periods")
    heights = pd.DataFrame([(round(bar.get_x(), 1), bar.get_height()) for bar in below.patches]).groupby(0)[1].sum()
    assert heights.to_numpy()[1:] == pytest.approx(quarters(1.0).profit_change.to_numpy()[1:])


def test_the_level_that_is_worth_most_is_framed():
    frames_drawn = [patch for patch in shown("relationship_levels").axes[0].patches if not patch.get_fill()]
    assert [round(frame.get_x() + 0.46) for frame in frames_drawn] == [3] * 6
    assert "VIP" not in one("relationship_levels").alt and "major proactive, 28,000 EUR" in told("relationship_levels")


def test_actions_are_ordered_by_customers_and_those_of_nobody_left_out():
    labels = [label.get_text() for label in shown("actions").axes[0].get_yticklabels()]
    assert labels[:2] == ["Win back", "Let go"] and "Protect" not in labels and len(labels) == 9


# --- frames that no table has ----------------------------------------------------------------------------------


@given(some.integers(10, 5000), some.integers(1, 60))
def test_no_step_of_a_curve_is_of_few_customers(size, least):
    ends = frames.thinned(size, least)
    assert ends[0] == 0 and ends[-1] == size and len(ends) <= frames.MOST_POINTS
    assert np.diff(ends).min() >= min(least, size)


@given(some.integers(2, 1200), some.integers(1, 30), some.floats(0, 1))
def test_a_curve_goes_through_its_optimum_unless_that_parts_off_few(size, least, part):
    best = round(part * size)
    frame = frames.cumulated(np.where(np.arange(size) < best, 1.0, -1.0), "gain", least)
    if frame.empty:
        assert size < 2 * least
        return
    assert len(frame) <= frames.MOST_POINTS and np.diff(frame.customers).min() >= least
    if least <= best <= size - least:
        assert frame.customers[frame.gain.idxmax()] == frame.gain.max() == best


def test_curves_end_at_the_total_and_are_those_of_all_customers():
    profit = customers()["profit"]
    frame = frames.cumulated(profit, "profit", 5)
    assert frame.profit.iloc[-1] == pytest.approx(profit.sum())
    assert frame.profit.max() == pytest.approx(profit[profit > 0].sum())
    assert frame.customers[frame.profit.idxmax()] == (profit > 0).sum()
    lorenz = inequality(1.0)
    for name, rows in lorenz.groupby("amount"):
        area = 1 - 2 * np.trapezoid(rows.share_of_amount, rows.share_of_customers)
        assert area == pytest.approx(rows.gini.iloc[0], abs=2e-3), name
    assert frames.lorenz({"sales": -profit}, {}, 5).empty and frames.cumulated(profit[:9], "profit", 5).empty


@settings(max_examples=30)
@given(some.integers(1, 400), some.integers(1, 30), some.integers(0, 10**6))
def test_no_few_can_be_told_from_the_grid_of_satisfaction(size, least, seed):
    rng = np.random.default_rng(seed)
    found = frames.satisfaction_by_value(rng.integers(0, 101, size), rng.normal(size=size), least)
    assert not found.customers.between(1, least - 1).any()
    whole = np.bincount(5 * np.arange(size) // size, minlength=5)
    for fifth, rows in found.groupby("value_fifth"):
        hidden = whole[fifth - 1] - rows.customers.sum()
        assert hidden == 0 or hidden >= least or not rows.customers.gt(0).any()


def test_grid_of_satisfaction_counts_everyone():
    value = np.arange(100.0)
    found = frames.satisfaction_by_value(value, value, 1)
    wide = found.pivot(index="satisfaction_from", columns="value_fifth", values="customers").to_numpy()
    assert wide == pytest.approx(20 * np.eye(5))
    assert found.drop_duplicates("value_fifth").mean_value.tolist() == pytest.approx([9.5, 29.5, 49.5, 69.5, 89.5])
