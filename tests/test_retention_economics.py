"""Retention economics as a whole: planted truth, claims true and false, what is missing said, input gone wrong."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from helpers.analyses.retention_economics import Settings, analyse, claims
from helpers.analyses.retention_economics.contracts import from_renewals
from helpers.analyses.retention_economics.measurement import _ceiling, _used_share
from helpers.data.refusal import InputRefused
from helpers.models.estimate import Estimate
from helpers.models.retention_economics.budget import ResponseCurve
from helpers.reporting.parameters import read_parameters
from helpers.reporting.plan import planned
from helpers.reporting.runner import run_report
from helpers.reporting.workspace import Workspace
from helpers.synthetic.firm import firm
from tests.test_notebooks import ROOT

RESULTS = {"profit_uplift_of_five_points", "acquisition_to_retention_cost", "base_retention", "residual_tenure"}
LEDGER = "claim sentence_zh sentence_en estimate low high verdict why link"
INPUTS = ("transactions", "exits", "contracts", "market_spend", "marketing_touches")
QUICK = {"draws": 20, "resamples": 200}
# Holders renew by their own probability alone, so that the beta distribution planted is the one to find.
PLANTED = {"satisfaction_to_renewal": 0, "leaving_to_contracts": 0, "contract_share": 0.9}
FIVE, SIX_TO_TEN, FIVE_TIMES, WRONG, TEN, SIXTY, STEADY, KEEPING = range(8)  # places in the ledger


@pytest.fixture(scope="module")
def made():
    return firm(1200, seed=7, **PLANTED)


@pytest.fixture(scope="module")
def found(made, tmp_path_factory):
    return analyse(**files(tmp_path_factory.mktemp("found"), made.tables), **QUICK)


@pytest.fixture(scope="module")
def bought_only(made, tmp_path_factory):
    """The same customers, and nothing known of contracts or spend."""
    return analyse(**files(tmp_path_factory.mktemp("bought"), made.tables, ("transactions",)), **QUICK)


def files(folder, tables, names=INPUTS) -> dict[str, str]:
    """Write tables as files of the user's own; the rest are not given."""
    paths = dict.fromkeys(INPUTS, "")
    for name in names:
        paths[name] = str(folder / f"{name}.csv")
        tables[name].to_csv(paths[name], index=False)
    return paths


def again(result, **choices):
    """Ask otherwise of what was read."""
    return replace(result, settings=replace(result.settings, **choices))


def with_spend(result, **columns):
    """Let market spend say something else: a column times a factor."""
    spend = result.files.spend
    frame = spend.frame.assign(**{name: spend.frame[name] * factor for name, factor in columns.items()})
    return replace(result, files=replace(result.files, spend=replace(spend, frame=frame)))


def with_renewals(result, rows: pd.DataFrame):
    """Let the contracts be others."""
    renewals = replace(result.files.renewals, rows=rows.assign(price=np.nan))
    return replace(result, files=replace(result.files, renewals=renewals))


def verdicts(result) -> list[str]:
    return [claim.verdict for claim in result.claims]


def headlines(result) -> dict:
    return {headline.name: headline for headline in result.headlines}


def assert_can_be_told(result):
    """Whatever is known, there are words, tables and figures of it; how tables are drawn is tested once."""
    assert result.answer
    assert all(table.caption and table.shown() is not None for table in result.tables.values())
    assert all(figure.alt for figure in result.figures.values())
    assert all(json.dumps(headline.record(), allow_nan=False) for headline in result.headlines)


# --- what others rely on -------------------------------------------------------------------------------


def test_names_that_others_rely_on(found):
    assert headlines(found).keys() >= RESULTS
    ledger = found.tables["claims"].frame
    assert list(ledger.columns) == LEDGER.split()
    assert ledger["claim"].tolist() == ["B01", "B02", "B02", "B02", "B03", "B03", "B08", "B08"]
    assert all(claim.link in found.figures and claim.why for claim in found.claims)
    for name in ("profit_uplift_of_five_points", "acquisition_to_retention_cost"):
        assert headlines(found)[name].low < headlines(found)[name].value < headlines(found)[name].high


def test_every_table_and_figure_can_be_shown(found, bought_only):
    for result in (found, bought_only):
        assert_can_be_told(result)
        assert all(table._repr_html_() for table in result.tables.values())


def test_notebook_passes_every_setting_under_its_own_name():
    notebook = ROOT / "notebooks" / "06_retention_economics.ipynb"
    parameters = read_parameters(notebook)
    assert {name: parameter.default for name, parameter in parameters.items()} == vars(Settings())
    text = notebook.read_text(encoding="utf-8")
    assert not [name for name in parameters if f"{name}={name}" not in text]


def test_channels_are_kept_for_other_notebooks(found):
    frame = found.processed["economics_by_channel"].set_index("channel")
    assert frame.loc["all", "new_customers"] == frame["new_customers"].drop("all").sum() == 1200
    assert frame.loc["all", "ratio"] == headlines(found)["acquisition_to_retention_cost"].value


# --- planted truth -------------------------------------------------------------------------------------


def test_planted_renewals_are_recovered(found, made):
    parameters = found.tables["renewal_parameters"].frame.set_index("parameter")
    for name, true in (("alpha", made.true["renewal_a"]), ("beta", made.true["renewal_b"])):
        assert parameters.loc[name, "low"] < true < parameters.loc[name, "high"]
    assert found.contracts.term_days == made.true["term_days"]
    table, end = made.tables["contracts"], pd.Timestamp("2024-12-31")
    year_ago = end - pd.DateOffset(years=1)
    running = (table["start"] <= year_ago) & ~(table["end"] <= year_ago)
    assert found.contracts.yearly_retention == (table["end"].isna() | (table["end"] > end))[running].mean()
    errors = found.tables["renewal_forecast"].frame.set_index("method")["error"]
    assert errors.idxmin() == "shifted_beta_geometric"
    gap = headlines(found)["heterogeneity_gap"]
    assert gap.low > 1


def test_planted_costs_are_recovered(found, made):
    spend = made.tables["market_spend"]
    assert found.cost("acquisition_cost").value == pytest.approx(spend["acquisition_spend"].sum() / 1200)
    assert found.cost("retention_cost").value == pytest.approx(
        12 * spend["retention_spend"].sum() / spend["retained_customers"].sum()
    )
    elasticity = found.marginal_acquisition.elasticity
    assert elasticity.low < made.true["spend_to_new_customers"] < elasticity.high
    # what the firm spends on customers it has keeps none of them
    assert not found.marginal_retention.told
    assert any("do not show that spend keeps" in sentence for sentence in found.warnings)


def test_margin_of_a_customer_kept_is_the_planted_one(found, made):
    truth, end = made.truth, pd.Timestamp("2024-12-31")
    start = end - pd.DateOffset(years=1)
    begun, gone = truth["first_date"].clip(lower=start), truth["left_date"].fillna(end).clip(upper=end)
    weeks = ((gone - begun).dt.days / 7).clip(lower=0)
    bought = weeks * truth["rate"] * truth["mean_spend"] * truth["margin_rate"]
    assert found.margin == pytest.approx(bought.sum() / (weeks.sum() * 7 / 365.25), rel=0.05)
    there = made.tables["market_spend"].groupby("period")[["new_customers", "retained_customers"]].sum().sum(axis=1)
    assert found.customers == there.iloc[-1] == truth["alive_at_end"].sum()
    # nothing is lost: what is not of those kept is of the first day of those won
    won = found.last_year.first_margins
    assert len(won) == (truth["first_date"] > start).sum()
    assert found.last_year.margins.sum() + won.sum() == pytest.approx(made.true["total_current_margin"], rel=0.01)


def by_source(result) -> dict:
    return {position.source: position for position in result.positions}


def test_yearly_retention_is_that_of_the_planted_departures(found, made):
    first, left = (made.truth[name].to_numpy("datetime64[ns]") for name in ("first_date", "left_date"))
    start, end = np.datetime64("2023-12-31"), np.datetime64("2024-12-31")
    there = (first <= start) & ~(left <= start)
    true = 1 - (there & (left <= end)).sum() / there.sum()
    assert found.base.source == "exits"
    assert found.base.retention == pytest.approx(true, abs=0.005)
    assert found.base.estimate.low < true < found.base.estimate.high
    # of a firm whose customers differ, that of a month raised to a year is only a bound
    least = by_source(found)["market_spend"]
    assert least.retention < true and np.isnan(least.estimate.low)
    bounded = again(found, base_retention="market_spend")
    assert "at least" in bounded.answer.split("\n\n")[0] and verdicts(bounded)[FIVE] == "cannot be tested"


def test_retention_is_recovered_from_some_of_the_exits(found, made, tmp_path):
    kept = np.random.default_rng(2).random(len(made.tables["exits"])) < 0.5
    some = made.tables | {"exits": made.tables["exits"][kept]}
    half = analyse(**files(tmp_path, some, ("transactions", "exits")), **QUICK, exits_recorded=0.5)
    low, high = half.base.estimate.low, half.base.estimate.high
    assert low < found.base.retention < high and high - low > found.base.estimate.high - found.base.estimate.low
    doubted = again(half, exits_recorded=1.0)
    doubted = replace(doubted, departures=replace(doubted.departures, settings=doubted.settings))
    assert doubted.base.retention > found.base.retention and any("exits_recorded" in one for one in doubted.warnings)


def test_exits_of_nobody_and_of_the_last_year_alone_are_said(found, made, tmp_path):
    late = made.tables["exits"][made.tables["exits"]["date"] > "2024-06-30"]
    folders = [tmp_path / "none", tmp_path / "late"]
    for folder in folders:
        folder.mkdir()
    nobody, begun = (
        analyse(**files(folder, made.tables | {"exits": rows}, ("transactions", "exits")), **QUICK)
        for folder, rows in zip(folders, (late.head(1).assign(customer_id="nobody"), late), strict=True)
    )
    assert nobody.base is None and "No exit counts" in nobody.base_problem
    assert any("first exit lies within the last year" in one for one in begun.warnings)
    assert_can_be_told(nobody)


# --- five points ---------------------------------------------------------------------------------------


def test_uplift_is_the_closed_form(found):
    set_by_hand = again(found, base_retention=0.85)
    assert headlines(set_by_hand)["profit_uplift_of_five_points"].value == pytest.approx(0.25)  # .05 / (1.1 - .9)
    by_reading = set_by_hand.tables["conventions"].frame.set_index(["unit", "first_margin"])["uplift"]
    assert by_reading["percent", "certain"] == pytest.approx(0.0425 / (1.1 - 0.8925))
    assert by_reading["points", "at_risk"] == pytest.approx(0.05 * 1.1 / (0.85 * (1.1 - 0.9)))
    here = set_by_hand.tables["uplift_map"].frame.set_index(["base_retention", "discount_rate"])["uplift"]
    assert here[0.85, 0.1] == pytest.approx(0.25) and np.isnan(here[0.96, 0.1])


def test_claim_of_five_points_comes_out_true_false_and_depending(found):
    for retention, verdict in (
        (0.9, "supported"),
        (0.5, "not supported"),
        (0.85, "depends"),
        (1.0, "cannot be tested"),
    ):
        assert verdicts(again(found, base_retention=retention))[FIVE] == verdict
    assert "from 85.0" in found.claims[FIVE].why


def test_holders_who_differ_gain_more(found):
    frame = found.tables["conventions"].frame
    assert (frame["contracts_differing"] > frame["contracts_alike"]).all()
    # of terms of a year, all of them new, the planted model itself
    yearly = replace(found.contracts, term_days=365.25, lost=np.ones(len(found.contracts.lost), bool))
    assert yearly.yearly_beta == pytest.approx((yearly.model.alpha, yearly.model.beta))


@pytest.mark.parametrize("retention", [0.0, 1.0])
@pytest.mark.parametrize("rate", [0.0, 0.1])
def test_retention_of_none_and_of_all_can_be_told(found, retention, rate):
    result = again(found, base_retention=retention, annual_discount_rate=rate)
    assert_can_be_told(result)
    assert ("Retention cannot rise above 1" in result.answer) == (retention == 1)
    assert ("equity is infinite" in result.answer) == (retention == 1 and rate == 0)
    assert list(result.tables["budget"].frame.columns) == ["reason"]


# --- costs and multiples -------------------------------------------------------------------------------


def test_claims_of_costs_come_out_true_and_false(found):
    now = found.cost("ratio").value
    at = {times: verdicts(with_spend(found, acquisition_spend=times / now)) for times in (8, 5.5, 3, 0.1)}
    assert at[8][SIX_TO_TEN] == "supported" and at[3][SIX_TO_TEN] == "not supported"
    assert at[5.5][FIVE_TIMES] in ("supported", "depends") and at[8][FIVE_TIMES] == "not supported"
    assert at[0.1][WRONG] == "supported" and at[3][WRONG] == "not supported"


def test_ten_and_sixty_come_out_true_and_false(found):
    assert verdicts(again(found, horizon_weeks=52))[TEN] == "not supported" == verdicts(found)[SIXTY]
    longer = again(found, horizon_weeks=208)
    assert longer.repeat_purchases.loyal.value == pytest.approx(10, rel=0.15)
    assert verdicts(longer)[TEN] == "supported"
    worth = found.value_multiple.multiple.value
    cheap = with_spend(found, retention_spend=worth / 60)
    assert cheap.value_multiple.multiple.value == pytest.approx(60, rel=0.05)
    assert verdicts(cheap)[SIXTY] == "supported"
    assert found.claimed_arithmetic.value == pytest.approx(
        found.repeat_purchases.loyal.value * found.cost("ratio").value
    )


def test_keeping_is_charged_while_customers_stay_and_judged_with_an_interval_alone(found, made):
    truth = made.truth.set_index(made.truth["customer_id"].astype(str))
    truth = truth.loc[found.expectation.customers["customer_id"]]
    # whoever is there leaves at the rate lambda p, and what lies ahead is discounted at 10 % a year
    fading = truth["rate"] * truth["dropout_probability"] + np.log(1.1) * 7 / 365.25
    years = truth["alive_at_end"] * -np.expm1(-156 * fading) / fading * 7 / 365.25
    assert found.loyal_years == pytest.approx(years[found.is_loyal].mean(), rel=0.05)
    without = replace(found, expectation=replace(found.expectation, draws=found.expectation.draws[:0]))
    assert np.isnan(without.value_multiple.multiple.low) and verdicts(without)[SIXTY] == "cannot be tested"


def test_equity_stands_beside_what_the_purchase_model_expects(found):
    assert "customer_equity" not in headlines(found)  # the name of another number in the other reports
    paragraph = next(part for part in found.answer.split("\n\n") if "Without a horizon" in part)
    today = found.customers * found.economics.margin * 1.1 / (1.1 - found.base.retention)
    assert f"Today's alone are worth {today:,.0f}" in paragraph
    assert f"{found.expected_margin.value:,.0f} of today's" in paragraph


def test_worth_says_which_costs_it_is_net_of_and_what_retention_can_still_do(found, bought_only):
    assert "net of what keeping and winning them cost" in found.answer
    without = again(bought_only, base_retention="0.8").answer
    assert "no costs are given" in without and "net of what" not in without
    assert "1 % more retention adds" in without and "Today's alone" not in without
    most = again(bought_only, base_retention="1.0").answer
    assert "1 % less retention takes 10.00 % off" in most and "1 % more retention" not in most


def test_readings_that_cannot_be_told_are_not_counted(bought_only):
    """Of nothing no share can be added where the first margin is at risk."""
    assert "the four readings of the claim 0" not in again(bought_only, base_retention="0.0").answer
    assert "those of the four readings" in again(bought_only, base_retention="0.0").answer
    assert "by the four readings of the claim" in again(bought_only, base_retention="0.8").answer


def test_who_has_left_is_no_customer_of_today(made, tmp_path):
    """Without market spend customers are who bought in the last year, but for those with an exit."""
    result = analyse(**files(tmp_path, made.tables, ("transactions", "exits")), **QUICK)
    last = made.tables["transactions"].groupby("customer_id")["date"].max()
    there = set(last[last > last.max() - pd.DateOffset(years=1)].index)
    assert result.last_year.buyers == len(there)
    assert result.customers == len(there - set(made.tables["exits"]["customer_id"])) < len(there)


def test_touches_of_nobody_are_said(bought_only, tmp_path, made):
    foreign = made.tables["marketing_touches"].assign(customer_id="nobody")
    given = files(tmp_path, made.tables | {"marketing_touches": foreign}, ("transactions", "marketing_touches"))
    said = "Do the ids agree?"
    assert any(said in one for one in analyse(**given, **QUICK).warnings)
    assert not any(said in one for one in bought_only.warnings)


def test_forecasts_stop_where_few_contracts_came_up(found):
    rows = pd.DataFrame(
        {
            "renewals": [0, 1, 2, 3, 4, 4, 5],
            "running": [False, False, False, False, False, True, True],
            "customers": [90, 50, 30, 20, 2, 18, 2],
        }
    )
    result = with_renewals(found, rows.astype({"renewals": np.int64, "customers": np.int64}))
    curve = result.tables["renewal_curve"].frame.set_index("term")["observed"]
    assert np.isfinite(curve[4]) and result.contracts.hold_out.renewals[-1] == 4
    few = again(result, min_cell=30)
    assert few.contracts.hold_out.renewals[-1] == few.tables["renewal_curve"].frame["observed"].count() - 1


def test_holders_of_contracts_are_told_of_beside_contracts_alone(found):
    said = "Holders of contracts differ"
    assert said not in found.answer and said not in again(found, base_retention=1.0).answer
    assert said in again(found, base_retention="contracts").answer


def test_steadiness_and_keeping_come_out_true_and_false(found):
    noise = np.random.default_rng(3).normal(size=(len(found.revenue), 3))
    even = 100 + 0 * found.customers_there
    for spread, verdict in (([0.5, 0.2, 0.05], "supported"), ([0.05, 0.2, 0.5], "not supported")):
        planted = replace(found, revenue=1000 * np.exp(noise * spread) + 0 * found.revenue, customers_there=even)
        assert verdicts(planted)[STEADY] == verdict
    # where one customer is as steady as another, and only the group is steadier, it depends
    swelling = even * np.exp(noise * [0.05, 0.2, 1.0])
    planted = replace(found, revenue=1000 * np.exp(noise * [0.5, 0.2, 0.05]) + 0 * even, customers_there=swelling)
    assert verdicts(planted)[STEADY] == "depends"
    assert verdicts(found)[KEEPING] == "supported"
    assert verdicts(again(found, base_retention=0.05))[KEEPING] == "not supported"


# --- equity and the budget -----------------------------------------------------------------------------


def test_currency_changes_amounts_and_no_share(found):
    found = again(found, retention_ceiling=0.9)
    tenfold = with_spend(found, acquisition_spend=10.0, retention_spend=10.0)
    year = found.last_year
    tenfold = replace(
        tenfold, last_year=replace(year, margins=10 * year.margins, first_margins=10 * year.first_margins)
    )
    for name, scale in (("equity_without_horizon", 10), ("retention_elasticity", 1), ("best_share_for_retention", 1),
                        ("acquisition_to_retention_cost", 1), ("marginal_acquisition_cost", 10)):  # fmt: skip
        assert headlines(tenfold)[name].value == pytest.approx(scale * headlines(found)[name].value, rel=1e-5), name


def test_no_split_is_called_best_where_data_do_not_tell_what_spend_keeps(found):
    best = headlines(found)["best_share_for_retention"]
    assert best.value is None and "how many customers more spend keeps: set retention_ceiling" in best.text
    assert "which split is best cannot be told" in found.answer and "would be best" not in found.answer
    told = again(found, retention_ceiling=0.9)
    assert headlines(told)["best_share_for_retention"].value == 1 - told.best_split.acquisition_share
    assert "would be best if the ceilings hold" in told.answer


def test_assumed_curves_lie_within_what_the_data_allow(found):
    curve, (_, spent) = found.plan.retention, found.spent_on_each
    assert curve.elasticity(spent) <= found.marginal_retention.elasticity.high * found.periods_per_year
    # told, bounded, and free
    assert _ceiling(0.6, 0.8, Estimate(0.3, 0.1, 0.5)) == pytest.approx(0.6 / _used_share(0.3))
    assert _ceiling(0.6, 0.8, Estimate(0.1, -0.1, 0.2)) == pytest.approx(0.6 / _used_share(0.2))
    assert _ceiling(0.6, 0.8, Estimate(0.3, -0.1, 0.9)) == _ceiling(0.6, 0.8, Estimate(*3 * [np.nan])) == 0.8


def test_best_split_is_best_of_the_same_budget(found):
    spend = found.files.spend.frame
    last = spend[spend["period"].isin(sorted(spend["period"].unique())[-12:])]
    assert found.budget == pytest.approx(last[["acquisition_spend", "retention_spend"]].sum().sum())
    plans = found.tables["budget"].frame.set_index("plan")
    curve = found.tables["budget_curve"].frame
    assert plans.loc["current", "spend"] == pytest.approx(found.budget)
    assert plans.loc["best_split_same_budget", "spend"] == pytest.approx(found.budget)
    assert plans.loc["current", "retention_rate"] == pytest.approx(found.base.retention)
    assert curve["equity"].max() <= plans.loc["best_split_same_budget", "equity"] * (1 + 1e-12)
    assert plans["equity"].is_monotonic_increasing
    # where winning fills its ceiling less and keeping more, the best split shifts to keeping
    best = found.tables["budget_sensitivity"].frame.pivot(
        index="acquisition_ceiling", columns="retention_ceiling", values="share_to_retention"
    )
    assert (best.diff(axis=1).iloc[:, 1:] > 0).all(axis=None)
    assert (found.tables["budget_sensitivity"].frame["equity_gain"] >= 0).all()


@pytest.mark.parametrize("elasticity", [0.05, 0.3, 0.6, 0.9])
def test_reach_of_a_curve_has_the_elasticity_that_it_was_told_by(elasticity):
    curve = ResponseCurve.through(3.0, 0.1, 0.1 / _used_share(elasticity))
    assert curve.elasticity(3.0) == pytest.approx(elasticity)


# --- what is missing, or gone wrong --------------------------------------------------------------------


def test_what_needs_a_file_says_which(bought_only):
    for name, parameter in (("renewal_curve", "contracts"), ("costs", "market_spend"), ("tornado", "base_retention"),
                            ("budget", "base_retention"), ("positions", "base_retention")):  # fmt: skip
        frame = bought_only.tables[name].frame
        assert list(frame.columns) == ["reason"] and f"set {parameter}" in frame["reason"].iloc[0], name
    assert "cannot be told" in bought_only.answer.split("\n\n")[0] and "from 85.0" in bought_only.answer
    assert headlines(bought_only)["profit_uplift_of_five_points"].value is None
    assert headlines(bought_only)["repeat_purchases_loyal"].value > 0
    assert [verdicts(bought_only)[place] for place in (FIVE, SIX_TO_TEN, SIXTY, KEEPING)] == 4 * ["cannot be tested"]
    assert bought_only.processed["economics_by_channel"].empty


def test_retention_set_is_enough_for_equity(bought_only):
    result = again(bought_only, base_retention="0.8")
    equity = headlines(result)["equity_without_horizon"]
    assert equity.value == pytest.approx(result.customers * result.margin * 1.1 / 0.3)
    assert equity.low < equity.value < equity.high
    assert set(result.tables["tornado"].frame["driver"]) == {"retention", "margin", "discount_rate", "customers"}


@pytest.mark.parametrize(
    "renewals, running, said",
    [
        ([0], [False], "No contract was ever renewed"),
        ([0, 3], [True, True], "No contract has ended"),
        ([0], [True], "No contract has come up for renewal yet"),
        ([], [], "No contract counts"),
    ],
)
def test_contracts_that_tell_nothing_say_so(found, renewals, running, said):
    rows = pd.DataFrame({"renewals": renewals, "running": running, "customers": [7] * len(renewals)})
    rows = rows.astype({"renewals": np.int64, "running": bool, "customers": np.int64})
    result = with_renewals(found, rows)
    assert said in result.tables["renewal_curve"].frame["reason"].iloc[0]
    assert "How long contracts last cannot be told" in result.answer
    assert_can_be_told(result)


def test_contracts_renewed_once_do_not_tell_how_holders_differ(found):
    rows = pd.DataFrame({"renewals": [0, 1], "running": [False, True], "customers": [40, 60]})
    result = with_renewals(found, rows)
    assert any("not identified" in sentence for sentence in result.warnings)
    assert "not identified" in result.tables["residual_tenure"].frame["reason"].iloc[0]
    assert headlines(result)["residual_tenure"].value is None
    assert_can_be_told(result)


def test_few_contracts_of_a_year_ago_are_not_followed(found):
    few = replace(found.contracts, year_ago=10, kept=9)
    assert few.yearly_retention == pytest.approx(few.constant.retention ** (365.25 / 91))
    assert from_renewals(found.files.renewals, False, found.observation_end, found.settings).problem.startswith(
        "No con"
    )


def test_one_customer_is_a_stated_limitation(tmp_path):
    purchases = {"customer_id": "only", "date": ["2024-01-03", "2024-02-01", "2024-04-09"], "amount": [10.0, 20, 30]}
    contract = {"customer_id": ["only"], "start": ["2024-01-03"], "renewals": [0], "end": [None]}
    tables = {"transactions": pd.DataFrame(purchases), "contracts": pd.DataFrame(contract)}
    result = analyse(**files(tmp_path, tables, tables), **QUICK)
    assert set(verdicts(result)) == {"cannot be tested"}
    assert headlines(result)["repeat_purchases_loyal"].value is None
    assert_can_be_told(result)


def test_periods_that_do_not_fit_or_are_missing_are_said(found):
    gap = replace(found, missing_periods=2)
    assert "market_spend" not in {one.source for one in gap.positions} and any(
        "2 periods of market_spend are missing" in one for one in gap.warnings
    )
    jump = with_spend(found, retained_customers=np.where(found.files.spend.frame["period"] == "2024-06", 3, 1))
    assert jump.misfits == 1 and any("In 1 periods" in sentence for sentence in jump.warnings)
    assert 0 < by_source(jump)["market_spend"].retention < 1


@pytest.mark.parametrize(
    "choices, said",
    [
        ({"annual_discount_rate": -0.1}, "annual_discount_rate must be 0 or more"),
        ({"base_retention": 1.2}, "base_retention is one of data, exits, market_spend, contracts, or a share"),
        ({"base_retention": "half"}, "base_retention is one of"),
        ({"step": 0.0}, "step must be above 0"),
        ({"step": 1.5}, "step must be above 0, and at most 1 in points"),
        ({"step_unit": "%", "first_margin": "sure"}, "step_unit must be one of points, percent(.|\n)*first_margin"),
        ({"tenure_days": [365, 91]}, "tenure_days must be rising"),
        ({"prospects": 0.0}, "prospects must be above 0"),
        ({"retention_ceiling": 1.5}, "retention_ceiling is a share up to 1"),
        ({"fitted_terms": 1}, "fitted_terms must be 2"),
        ({"market": "x.csv"}, "Did you mean market_spend"),
    ],
    ids=lambda each: "-".join(each) if isinstance(each, dict) else "",
)
def test_wrong_choices_are_refused(choices, said):
    with pytest.raises(InputRefused, match=said):
        analyse(**choices)


def test_simulated_tables_beside_real_ones_are_refused():
    with pytest.raises(InputRefused, match="not of the same customers"):
        analyse(transactions="cdnow_sample")


# --- a whole run ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_report_names_no_customer(made, tmp_path):
    secret = {
        name: table.assign(customer_id="secret-" + table["customer_id"].astype(str))
        if "customer_id" in table
        else table
        for name, table in made.tables.items()
        if name in INPUTS
    }
    workspace = Workspace.find(ROOT).publishing_to(tmp_path / "out")
    choices = files(tmp_path, secret) | QUICK | {"currency": "EUR"}
    run = run_report(planned("own", workspace.notebooks()["retention_economics"], choices), workspace)
    assert run.outcome == "success", run.message
    texts = [
        path.read_text(encoding="utf-8")
        for path in run.page.parent.parent.rglob("*")
        if path.suffix in {".html", ".ipynb", ".csv", ".svg", ".json"}
    ]
    assert len(texts) > 20 and not any("secret-" in text for text in texts)
    page = run.page.read_text(encoding="utf-8")
    assert "Simulated data" not in page and "EUR" in page
    kept = pd.read_parquet(tmp_path / "out" / "data" / "processed" / "own" / "economics_by_channel.parquet")
    assert kept["channel"].iloc[-1] == "all"


@pytest.mark.parametrize(
    "choice, ranges",
    [
        ({}, "from 85.0 % to 95.0 %"),
        ({"step": 0.1, "first_margin": "at_risk"}, "from 15."),  # the uplift is U-shaped in base retention
        ({"step": 0.4}, "from 0.0 %"),  # more than 25 % at any retention that can rise so far
    ],
)
def test_where_the_claim_is_true_is_told_for_any_reading(found, choice, ranges):
    assert ranges in claims.where_true(again(found, **choice)).replace("\N{NO-BREAK SPACE}", " ")
