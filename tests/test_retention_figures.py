"""The figures of retention economics: what they say, and that nothing hides anything."""

import warnings
from functools import cache
from itertools import combinations, pairwise, product

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some
from matplotlib import colors
from matplotlib.text import Text

from helpers.analyses.drawing import INK
from helpers.analyses.retention_economics import figures
from helpers.analyses.retention_economics.figures.parts import ALIKE, CLAIM, CLAIMED_UPLIFT, DIFFER, FIRM
from helpers.analyses.retention_economics.figures.uplift import SHADES, true_ranges
from helpers.analyses.retention_economics.figures.worth import HIGHER, LOWER
from helpers.analyses.retention_economics.gallery import gallery
from helpers.exhibits import Table
from helpers.models.retention_economics import five_points
from helpers.models.retention_economics.shifted_beta_geometric import Geometric, ShiftedBetaGeometric
from helpers.reporting.theme import render
from tests.test_kano_figures import VISION, assert_nothing_hidden, drawn_of, lab, words_of

NAN = np.nan
STEP = 0.05


def uplift_map(**convention) -> pd.DataFrame:
    retention, rate = (
        each.ravel() for each in np.meshgrid(np.linspace(0, 1, 101), np.linspace(0, 0.3, 16), indexing="ij")
    )
    found = five_points.uplift(retention, rate, STEP, **convention)
    reasons = np.array(five_points.REASONS, dtype=object)[found.reason]
    return pd.DataFrame({"base_retention": retention, "discount_rate": rate, "uplift": found.value, "reason": reasons})


def positions(retention=(0.72, 0.81)) -> pd.DataFrame:
    stays = np.array(retention)
    frame = pd.DataFrame({"source": ["contracts", "market_spend"], "retention": stays, "discount_rate": 0.1})
    frame = frame.assign(low=(stays - 0.03).clip(0), high=(stays + 0.02).clip(None, 1), is_base=[False, True])
    frame["uplift"] = five_points.uplift(stays, 0.1, STEP).value
    return frame.assign(uplift_low=frame.uplift * 0.9, uplift_high=frame.uplift * 1.1, uplift_heterogeneous=NAN)


def where_true(rates=(0.0, 0.05, 0.1, 0.15, 0.2), step=STEP, growth=0.0) -> pd.DataFrame:
    parts = []
    for unit, margin in product(five_points.UNITS, five_points.FIRST_MARGINS):
        found = five_points.where_true(rates, *CLAIMED_UPLIFT, step, unit=unit, first_margin=margin, growth=growth)
        parts.append(pd.DataFrame({"unit": unit, "first_margin": margin, "discount_rate": rates} | vars(found)))
    return pd.concat(parts, ignore_index=True)


def renewal_curve() -> pd.DataFrame:
    term = np.arange(9)
    differ, alike = (model.survival(term) for model in (ShiftedBetaGeometric(0.98, 1.74), Geometric(0.73)))
    observed = np.append(differ[:-1] * 1.02, NAN).clip(None, 1)
    frame = pd.DataFrame({"term": term, "at_risk": [1472, 1472, 860, 528, 336, 202, 115, 50, NAN]})
    frame = frame.assign(observed=observed, observed_low=observed - 0.03, observed_high=(observed + 0.03).clip(None, 1))
    return frame.assign(shifted_beta_geometric=differ, constant_retention=alike)


def renewal_forecast() -> pd.DataFrame:
    errors = {"linear": 0.43, "shifted_beta_geometric": 0.0286, "constant_retention": 0.123, "exponential": 0.096}
    return pd.DataFrame({"method": errors.keys(), "error": errors.values(), "terms_fitted": 4, "terms_held_out": 4})


def residual_tenure() -> pd.DataFrame:
    renewed = np.arange(1, 9)
    ahead = ShiftedBetaGeometric(0.98, 1.74).residual_renewals(renewed, horizon=12)
    frame = pd.DataFrame({"renewals": renewed, "customers": 90, "expected_terms": ahead, "low": ahead - 0.5})
    return frame.assign(high=ahead + 0.6, constant_terms=2.6)


def costs(scale: float = 1.0) -> pd.DataFrame:
    rows = [
        ("print", 23.6, 4.24, 5.57, 4.9, 6.6),
        ("referral", 9.9, 4.2, 2.36, 2.2, 2.5),
        ("all", 19.4, 4.3, 4.5, 4, 5),
    ]
    frame = pd.DataFrame(
        rows, columns=["channel", "acquisition_cost", "retention_cost", "ratio", "ratio_low", "ratio_high"]
    )
    return frame.assign(acquisition_cost=scale * frame.acquisition_cost, retention_cost=scale * frame.retention_cost)


def marginal_costs(scale: float = 1.0) -> pd.DataFrame:
    amounts = scale * np.array([[23.4, 37.9, 31.0, 48.6], [0.36, 39.0, 13.1, np.inf]])
    names = ["average_cost", "marginal_cost", "marginal_low", "marginal_high"]
    frame = pd.DataFrame(amounts, columns=names).assign(kind=["acquisition", "retention"], told=[True, False])
    return frame.assign(elasticity=[0.62, 0.01], why=["", "Spend may do nothing."])


CHANNELS = {"search": 24.0, "social": 22.0, "referral": 10.0}


def cost_by_period(scale: float = 1.0) -> pd.DataFrame:
    months = [str(each) for each in pd.period_range("2023-01", periods=24, freq="M")]
    rng = np.random.default_rng(1)
    parts = [
        pd.DataFrame({"period": months, "channel": name, "acquisition_cost": scale * usual * rng.lognormal(0, 0.3, 24)})
        for name, usual in CHANNELS.items()
    ]
    frame = pd.concat(parts, ignore_index=True).assign(new_customers=60.0)
    frame.loc[frame.period > "2024-06", ["acquisition_cost", "new_customers"]] = [NAN, 0]
    return frame


def trends() -> pd.DataFrame:
    changes = [0.26, -0.04, NAN]
    return pd.DataFrame(
        {"channel": CHANNELS.keys(), "yearly_change": changes, "low": [-0.1, -0.11, NAN], "high": [0.77, 0.03, NAN]}
    )


def multiples() -> pd.DataFrame:
    rows = [
        ("repeat_purchases_loyal", 6.37, 5.9, 6.9, 10),
        ("repeat_purchases_all", 2.64, 2.5, 2.8, NAN),
        ("value_multiple", 2.14, 1.9, 2.4, 60),
        ("claimed_60_arithmetic", 28.8, 25.2, 32.9, 60),
    ]
    return pd.DataFrame(rows, columns=["quantity", "value", "low", "high", "claimed"])


def tornado(scale: float = 1.0) -> pd.DataFrame:
    equity = {
        "retention": (470.7, 663.0, 1.7),
        "margin": (487.4, 618.7, 1.19),
        "new_per_year": (522.4, 583.7, 0.55),
        "customers": (528.4, 577.7, 0.45),
        "discount_rate": (564.5, 542.2, -0.2),
        "acquisition_cost": (563.4, 542.7, -0.19),
    }
    frame = pd.DataFrame(equity.values(), columns=["equity_low", "equity_high", "elasticity"])
    frame[["equity_low", "equity_high"]] *= scale
    frame = frame.assign(driver=list(equity), change=0.1, equity_base=scale * 553.1)
    return frame.assign(elasticity_low=frame.elasticity - 0.04, elasticity_high=frame.elasticity + 0.05)


def revenue_volatility() -> pd.DataFrame:
    tenure = ["under 91 days", "91 to 364 days", "365 days or more"]
    columns = {
        "coefficient_of_variation": [0.298, 0.056, 0.093],
        "low": [0.18, 0.026, 0.042],
        "high": [0.44, 0.08, 0.13],
    }
    return pd.DataFrame({"tenure": tenure} | columns | {"periods": 11, "customers": [630.6, 2284, 1404]})


def budget_curve(scale: float = 1.0) -> pd.DataFrame:
    share = np.linspace(0, 1, 51)
    return pd.DataFrame({"share_to_retention": share, "equity": scale * (320e3 - 1.2e6 * (share - 0.49) ** 2)})


def plans(scale: float = 1.0) -> pd.DataFrame:
    frame = pd.DataFrame({"plan": ["current", "best_split_same_budget", "best_each"]})
    return frame.assign(share_of_budget_to_retention=[0.27, 0.49, 0.26], equity=scale * np.array([262e3, 320e3, 4e5]))


def budget_sensitivity(scale: float = 1.0) -> pd.DataFrame:
    rows = [
        (won, kept, kept - 0.4 * won, scale * 4e5 * (kept - 0.6))
        for won in (0.125, 0.2, 0.4)
        for kept in (0.7, 0.82, 0.98)
    ]
    return pd.DataFrame(rows, columns=["acquisition_ceiling", "retention_ceiling", "share_to_retention", "equity_gain"])


FRAMES = {
    "uplift_map": uplift_map,
    "where_true": where_true,
    "renewal_curve": renewal_curve,
    "renewal_forecast": renewal_forecast,
    "residual_tenure": residual_tenure,
    "costs": costs,
    "marginal_costs": marginal_costs,
    "cost_by_period": cost_by_period,
    "multiples": multiples,
    "tornado": tornado,
    "revenue_volatility": revenue_volatility,
    "budget_curve": budget_curve,
    "budget_sensitivity": budget_sensitivity,
}
NAMES = list(FRAMES)
OF_MONEY = ["costs", "marginal_costs", "cost_by_period", "tornado", "budget_curve", "budget_sensitivity"]


def figure_of(name: str, frame: pd.DataFrame, currency: str = "EUR", scale: float = 1.0):
    others = {
        "uplift_map": positions,
        "where_true": positions,
        "cost_by_period": trends,
        "budget_curve": lambda: plans(scale),
    }
    more = [others[name]()] if name in others else []
    choices = {"currency": currency} if name in OF_MONEY else {}
    choices |= {"uplift_map": {"step": "5 percentage points"}, "where_true": {"step": "5"}}.get(name, {})
    return getattr(figures, name)(frame, *more, **choices)


@cache
def one(name: str, currency: str = "EUR", scale: float = 1.0):
    return figure_of(name, FRAMES[name](scale) if name in OF_MONEY else FRAMES[name](), currency, scale)


@cache
def shown(name: str):
    """Return one of the figures, drawn once for all tests that only look at it."""
    return drawn_of(one(name))


def told(figure) -> str:
    return figure.alt.replace("\N{NO-BREAK SPACE}", " ")


def texts(drawn) -> list[str]:
    return [" ".join(text.replace("\N{NO-BREAK SPACE}", " ").split()) for text, _ in words_of(drawn)]


def test_there_is_a_test_for_every_figure():
    assert sorted(NAMES) == sorted(figures.__all__)


@pytest.mark.parametrize("name", NAMES)
def test_figure_draws_without_a_warning_and_hides_nothing(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_nothing_hidden(shown(name))


@pytest.mark.parametrize("name", NAMES)
def test_figure_says_what_is_seen(name):
    figure = one(name)
    assert figure.columns and set(figure.columns) <= set(figure.frame.columns)
    assert not {"nan", "inf"} & set(figure.alt.split()) and "–" not in figure.alt and figure.alt.endswith(".")
    assert ("EUR" in figure.alt) == (name in OF_MONEY)


def test_hatches_are_drawn_in_pages():
    assert b"pattern" in render(one("uplift_map")).svg


@pytest.mark.parametrize("name", OF_MONEY)
def test_nor_does_it_with_huge_amounts_of_a_hostile_currency(name):
    drawn = drawn_of(one(name, "$_x{ $ of long name", 1e6))
    assert_nothing_hidden(drawn)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_to_draw_gives_a_sentence(name):
    for frame in (FRAMES[name]().head(0), pd.DataFrame({"reason": ["there is nothing"]})):
        figure = figure_of(name, frame)
        assert figure.draw is None and figure.alt.endswith(".") and len(figure.alt) > 20


@pytest.mark.parametrize("name", [each for each in NAMES if each not in ("uplift_map", "where_true", "budget_curve")])
def test_numbers_that_are_not_known_leave_their_place_empty(name):
    ends = ("low", "high", "customers", "at_risk", "claimed", "elasticity", "equity_gain", "retention_cost", "told")
    frame = FRAMES[name]()
    gone = [each for each in frame if (each.endswith(ends) and not each.startswith("equity_")) or each == "equity_gain"]
    figure = figure_of(name, frame.assign(**dict.fromkeys(gone, NAN)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = drawn_of(figure)
    assert "nan" not in figure.alt and not any("nan" in text.get_text() for text in drawn.findobj(Text))


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize(
    "palette",
    [(DIFFER, ALIKE, FIRM, CLAIM, INK), SHADES, (LOWER, HIGHER, INK)],
    ids=["meanings", "steps", "changes"],
)
def test_colours_are_told_apart_by_any_eye(palette, vision):
    seen = [lab(colour, VISION[vision]) for colour in palette]
    # steps of one scale stand beside each other
    pairs = pairwise(seen) if palette is SHADES else combinations(seen, 2)
    assert min(np.linalg.norm(each - other) for each, other in pairs) > (7 if palette is SHADES else 15)


# --- the claim ---------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(some.floats(0, 0.4), some.floats(0.02, 0.4), some.floats(-0.1, 0.1))
@example(0.2, 0.05, 0.0)
@example(0.0, 0.05, 0.0)
@example(0.1, 0.4, 0.0)
def test_the_claim_is_true_in_the_ranges_and_nowhere_else(rate, step, growth):
    if growth >= rate:
        growth = 0.0
    low, high = CLAIMED_UPLIFT
    for line in where_true([rate], step, growth).to_dict("records"):
        retention = np.linspace(0.001, 0.999, 500)
        terms = {"unit": line["unit"], "first_margin": line["first_margin"], "growth": growth}
        gain = five_points.uplift(retention, rate, step, **terms).value
        inside = np.zeros(len(retention), bool)
        for start, end in true_ranges(line):
            assert 0 <= start <= end <= 1
            inside |= (retention >= start) & (retention <= end)
        clear = np.minimum(abs(gain - low), abs(gain - high)) > 1e-6
        assert np.array_equal(inside[clear], ((gain >= low) & (gain <= high))[clear]), line
        assert not inside[np.isnan(gain)].any()


def test_the_map_says_where_the_firm_stands():
    figure, drawn = one("uplift_map"), shown("uplift_map")
    assert {"contracts: +15 %", "market spend: +21 %", "25 %", "85 %"} <= set(texts(drawn))
    assert "The firm by market spend: retention 81.0 % (95 % interval 78.0 to 83.0)" in told(figure)
    assert "the rise adds 20.8 % (95 % interval 18.8 to 22.9)" in told(figure)
    assert "between retentions of 85 % and 95 % at a discount rate of 10 %" in told(figure)
    stands = [line.get_xydata()[0] for line in drawn.axes[0].lines if line.get_marker() in "os"]
    assert np.array(stands) == pytest.approx(np.array([[72, 10], [81, 10]]))


@pytest.mark.parametrize(
    "convention",
    [
        {"first_margin": "at_risk"},
        {"unit": "percent", "growth": 0.1},
        {"acquisition_cost": 3.0},
    ],
    ids=str,
)
def test_the_map_of_any_convention_hides_nothing(convention):
    drawn = drawn_of(figures.uplift_map(uplift_map(**convention), positions((0.0, 1.0)), step="5 points"))
    assert_nothing_hidden(drawn)
    named = {
        "growth": {"value without end"},
        "acquisition_cost": {"no profit to compare"},
    }
    assert set().union(*(named.get(each, set()) for each in convention)) <= set(texts(drawn))
    assert "market spend: not possible" in texts(drawn)


def test_a_firm_of_unknown_place_is_not_drawn():
    unknown = pd.DataFrame({"reason": ["nobody knows"]})
    figure = figures.uplift_map(uplift_map(), unknown, step="5 points")
    assert "Where the firm stands is not known." in figure.alt and not drawn_of(figure).axes[0].lines
    assert "firm" not in figures.where_true(where_true(), unknown, step="5").alt


def test_ranges_are_drawn_for_each_reading():
    drawn = shown("where_true")
    assert [len(axes.patches) for axes in drawn.axes] == [5, 10, 4, 5]
    bar = drawn.axes[0].patches[2]
    assert (bar.get_x(), bar.get_x() + bar.get_width()) == pytest.approx((85, 95))
    assert {"95 %", "never: at most 24 %", "the firm: 81 %"} <= set(texts(drawn))


# --- renewals ----------------------------------------------------------------------------------------------


def test_curves_stand_beside_what_was_observed():
    axes = shown("renewal_curve").axes[0]
    differ, alike, observed = (line.get_ydata() for line in axes.lines)
    assert differ == pytest.approx(100 * renewal_curve().shifted_beta_geometric)
    assert alike == pytest.approx(100 * renewal_curve().constant_retention)
    assert np.isnan(observed[-1]) and observed[0] == 100
    assert "8 renewals: observed not shown, if customers differ 18." in told(one("renewal_curve"))


def test_the_best_forecast_stands_first():
    axes = shown("renewal_forecast").axes[0]
    assert [bar.get_width() for bar in axes.patches] == pytest.approx([2.86, 9.6, 12.3, 43])
    assert colors.to_hex(axes.patches[0].get_facecolor()).upper() == DIFFER
    assert "renewals 5 to 8 from the first 4" in told(one("renewal_forecast"))


def test_what_lies_ahead_is_told_by_both_models():
    said = told(one("residual_tenure"))
    assert "after 1 renewal" in said and "2.6 at constant retention" in said


# --- money -------------------------------------------------------------------------------------------------


def test_costs_stand_beside_the_claims():
    axes = shown("costs").axes[0]
    dots = axes.collections[-1].get_offsets()[:, 0]
    assert list(dots) == pytest.approx([5.57, 2.36, 4.5]), "the largest first, all together at the end"
    claimed = [line.get_xdata()[0] for line in axes.lines if colors.to_hex(line.get_color()).upper() == CLAIM]
    assert claimed == [5, 6] and axes.patches[0].get_width() == 4
    assert "print 5.6 (95 % interval 4.9 to 6.6), 23.6 EUR for a new customer" in told(one("costs"))


def test_ratios_far_apart_stand_on_a_log_scale_and_unknown_ones_keep_their_row():
    frame = costs().assign(ratio=[900.0, 0.4, NAN], ratio_low=[700.0, 0.3, NAN], ratio_high=[1200.0, 0.5, NAN])
    figure = figures.costs(frame, currency="EUR")
    drawn = drawn_of(figure)
    assert drawn.axes[0].get_xscale() == "log" and "cannot be told" in texts(drawn)
    assert_nothing_hidden(drawn)
    many = pd.concat([costs().assign(channel=f"channel {place}") for place in range(20)], ignore_index=True)
    assert " 8 more channels are not drawn." in figures.costs(many, currency="EUR").alt


def test_a_marginal_cost_that_cannot_be_told_has_its_least():
    said = told(one("marginal_costs"))
    assert "One more customer won: 37.9 EUR (95 % interval 31.0 to 48.6); on average a customer won costs 23.4" in said
    assert "kept to the end of a period: at least 13.1 EUR, how much more cannot be told" in said
    assert "at least 13.1" in texts(shown("marginal_costs")) and "39" not in said
    nothing = marginal_costs().assign(marginal_cost=NAN, marginal_low=NAN, marginal_high=NAN, told=False)
    figure = figures.marginal_costs(nothing, currency="EUR")
    assert "cannot be told" in figure.alt and texts(drawn_of(figure)).count("cannot be told") == 2


def test_each_channel_has_its_panel_with_its_trend():
    drawn = shown("cost_by_period")
    titles = [axes.get_title(loc="left").replace("\n", ": ") for axes in drawn.axes if axes.lines]
    assert titles[0] == "search: +26 % a year (\N{MINUS SIGN}10 to +77 %)" and "referral: trend not told" in titles
    line = drawn.axes[0].lines[0].get_ydata()
    assert len(line) == 24 and np.isnan(line[-1])
    alone = cost_by_period().query("channel == 'search'").assign(channel="all")
    assert len(drawn_of(figures.cost_by_period(alone, trends(), currency="EUR")).axes) == 1


def test_multiples_stand_beside_ten_and_sixty():
    purchases, times = shown("multiples").axes
    marks = [line.get_xdata()[0] for axes in (purchases, times) for line in axes.lines if line.get_marker() == "|"]
    assert marks == [10, 60]
    said = told(one("multiples"))
    assert "a loyal customer 6.4 (95 % interval 5.9 to 6.9) repeat purchases, claimed 10;" in said
    assert len(drawn_of(figures.multiples(multiples().head(2))).axes) == 1


def test_drivers_move_equity_about_what_it_is():
    axes = shown("tornado").axes[0]
    lower, higher = axes.patches[:6], axes.patches[6:]
    assert all(bar.get_x() == pytest.approx(553.1) for bar in axes.patches)
    assert lower[0].get_width() == pytest.approx(470.7 - 553.1) and higher[0].get_width() == pytest.approx(663 - 553.1)
    assert "discount rate 565 EUR if lower and 542 EUR if higher" in told(one("tornado")).replace("564 EUR", "565 EUR")


def test_revenue_of_each_tenure_has_its_spread():
    assert "under 91 days 29.8 % (95 % interval 18.0 to 44.0)" in told(one("revenue_volatility"))


def test_today_and_the_best_split_are_marked_on_the_curve():
    axes = shown("budget_curve").axes[0]
    marks = {tuple(np.ravel(line.get_xydata())) for line in axes.lines if line.get_marker() in ("o", "D")}
    assert marks == {(27.0, 262e3), (49.0, 320e3)}
    assert "Today 27.0 %, worth 262,000 EUR; best split of it 49.0 %" in told(one("budget_curve"))
    unknown = figures.budget_curve(budget_curve(), pd.DataFrame({"reason": ["not known"]}), currency="EUR")
    assert len(drawn_of(unknown).axes[0].lines) == 1


def test_cells_hold_the_best_split_and_its_gain():
    assert "65 % +40,000" in texts(shown("budget_sensitivity"))
    figure = figures.budget_sensitivity(budget_sensitivity(), currency="EUR", today=0.31)
    assert "54 % to 93 %, today 31 %; the best split gains 40,000 EUR to 152,000 EUR." in told(figure)


# --- the gallery -------------------------------------------------------------------------------------------


class Chosen:
    step, step_words = STEP, "5 percentage points"


class Result:
    currency, settings = "EUR", Chosen


def tables(**instead) -> dict[str, Table]:
    frames = {name: frame() for name, frame in FRAMES.items()}
    frames |= {"positions": positions(), "acquisition_trend": trends(), "budget": plans()} | instead
    return {name: Table(name, frame, "") for name, frame in frames.items()}


def test_the_gallery_has_every_figure_under_the_name_of_its_table():
    found = gallery(Result, tables())
    assert [figure.name for figure in found] == NAMES and all(figure.draw for figure in found)
    assert "today 27 %" in told(found[-1])


def test_figures_say_why_their_table_is_empty():
    why = pd.DataFrame({"reason": ["No contracts are given: set contracts."]})
    empty = dict.fromkeys([*NAMES, "positions", "acquisition_trend", "budget"], why)
    assert {figure.alt for figure in gallery(Result, tables(**empty))} == {why.reason[0]}
    alone = gallery(Result, tables(positions=why, acquisition_trend=why, budget=why))
    assert all(figure.draw for figure in alone)
