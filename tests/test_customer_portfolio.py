"""The customer portfolio as a whole: planted truth, sums that add up, words that follow, input gone wrong."""

import math
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from helpers.analyses.customer_portfolio import Settings, analyse
from helpers.analyses.customer_portfolio.actions import ACTIONS
from helpers.analyses.customer_portfolio.names import CLASSES
from helpers.analyses.customer_portfolio.tables.inputs import assumptions
from helpers.data.refusal import InputRefused
from helpers.models import quadrants
from helpers.models.customer_portfolio.stages import STAGES
from helpers.models.customer_portfolio.tiers import TIERS
from helpers.models.lifetime_value.value import DAYS_PER_YEAR
from helpers.reporting.parameters import read_parameters
from helpers.synthetic.firm import firm
from tests.test_notebooks import ROOT

# design.md, section 4: names that other programs rely on.
TABLES = {
    "classes": "class customers share lifetime_value referral_value",
    "claims": "claim sentence_zh sentence_en estimate low high verdict why link",
}
RESULTS = {"customers", "customer_equity", "share_below_zero", "gini"}
CUSTOMERS = ["customer_id", "class", "tier", "stage", "value", "low", "high", "next_action", "why"]
INPUTS = (
    "transactions",
    "marketing_touches",
    "service_contacts",
    "exits",
    "receivables",
    "referrals",
    "satisfaction_survey",
)
HORIZON = {"horizon_weeks": 52, "annual_discount_rate": 0.1}  # the same ahead of the truth and of the estimate
QUICK = {"draws": 40, "resamples": 100} | HORIZON
NOTHING_ELSE = dict.fromkeys(INPUTS[1:], "")


@pytest.fixture(scope="module")
def made():
    return firm(3000, seed=7, satisfaction_to_dropout=0, satisfaction_to_spend=0, referred_to_dropout=0, **HORIZON)


@pytest.fixture(scope="module")
def found(made, tmp_path_factory):
    return analyse(**files(tmp_path_factory.mktemp("found"), made.tables), **QUICK)


@pytest.fixture(scope="module")
def cdnow():
    return analyse(transactions="cdnow_sample", **NOTHING_ELSE, **QUICK)


def files(folder, tables, names=INPUTS) -> dict[str, str]:
    """Write tables as files of the user's own; the rest are not given."""
    paths = dict.fromkeys(INPUTS, "")
    for name in names:
        paths[name] = str(folder / f"{name}.csv")
        tables[name].to_csv(paths[name], index=False)
    return paths


def purchases(folder, **columns) -> dict[str, str]:
    """Write a file of purchases by hand; nothing else is given."""
    pd.DataFrame(columns).to_csv(folder / "transactions.csv", index=False)
    return NOTHING_ELSE | {"transactions": str(folder / "transactions.csv")}


def two_years(customers: int, orders: int = 4, seed: int = 0) -> dict[str, np.ndarray]:
    """Return purchases of a few customers over two years."""
    rng = np.random.default_rng(seed)
    days = np.sort(rng.integers(0, 730, (customers, orders)), axis=1)
    return {
        "customer_id": np.repeat([f"c{k}" for k in range(customers)], orders),
        "date": (np.datetime64("2023-01-01") + days.ravel()).astype(str),
        "amount": rng.uniform(5, 50, customers * orders).round(2),
    }


# --- contract -------------------------------------------------------------------------------------------------


def test_settings_are_the_notebook_s_parameters():
    parameters = read_parameters(ROOT / "notebooks" / "05_customer_portfolio.ipynb")
    assert {name: entry.default for name, entry in parameters.items()} == vars(Settings())


def test_what_other_programs_rely_on_is_there(found):
    for table, columns in TABLES.items():
        assert set(columns.split()) <= set(found.tables[table].frame.columns), table
    numbers = {headline.name: headline for headline in found.headlines}
    assert set(numbers) >= RESULTS
    for name in RESULTS - {"customers"}:
        assert numbers[name].low < numbers[name].value < numbers[name].high, name


def test_each_customer_has_one_line(found, made):
    customers = found.processed["customers"]
    assert list(customers.columns) == CUSTOMERS
    assert customers["customer_id"].tolist() == sorted(made.truth["customer_id"].astype(str))
    assert not customers.isna().any(axis=None) and (customers["why"].str.len() > 0).all()
    for column, names in (("class", (*CLASSES, "ended")), ("tier", TIERS), ("stage", STAGES), ("next_action", ACTIONS)):
        assert set(customers[column]) <= set(names), column
    assert (
        (customers["low"] <= customers["value"] + 1e-9) & (customers["value"] <= customers["high"] + 1e-9)
    ).mean() > 0.9


# --- planted truth --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def truth(found, made):
    """What is true of each customer, in the order of the analysis."""
    return (
        made.truth.assign(customer_id=made.truth["customer_id"].astype(str))
        .set_index("customer_id")
        .loc[found.customer_id]
    )


def test_customer_equity_and_value_are_found(found, truth):
    true = truth["expected_residual_margin"].sum()
    assert found.customer_equity.value == pytest.approx(true, rel=0.06)
    realised = truth["realised_margin"] - truth["marketing_cost"] - truth["service_cost"]
    past = found.now.sum_of("margin") - found.now.cost
    np.testing.assert_allclose(past, realised, atol=0.02)
    # marketing and service go on as they did; the truth of lifetime value counts none of it ahead
    assert found.now.actual_value.sum() == pytest.approx((truth["realised_margin"]).sum() + true, rel=0.02)


def test_classes_are_those_of_the_truth_where_anything_can_be_seen(found, truth):
    """Future value is a matter of what nobody sees (whether a silent customer has left); the current one is known."""
    here = truth["alive_at_end"].to_numpy()
    assert ((found.classes == 4) == ~here).all()
    current, future = found.now.current_value[here], truth["expected_residual_margin"].to_numpy()[here]
    true = quadrants.classify(current, future, quadrants.cuts(current), quadrants.cuts(future))
    given = found.classes[here]
    agree = np.mean(true == given)
    by_chance = sum(np.mean(true == place) * np.mean(given == place) for place in range(4))
    assert agree > 0.8 and by_chance < 0.45
    # a class that the draws call firm is right more often than one that they do not
    firm_ones = found.class_stability.own[here] > 0.95
    assert np.mean((true == given)[firm_ones]) > np.mean((true == given)[~firm_ones]) + 0.1


def test_tiers_are_those_of_the_truth(found, truth):
    cost = (truth["marketing_cost"] + truth["service_cost"]).to_numpy()
    np.testing.assert_allclose(found.now.cost, cost, atol=0.02)
    true_value = (truth["realised_margin"] + truth["expected_residual_margin"]).to_numpy() - found.now.cost_to_serve
    best = true_value > np.quantile(true_value, 0.8)
    given = found.tiers == TIERS.index("most_valuable")
    assert np.mean(best[given]) > 0.85 and given.mean() == pytest.approx(0.2, abs=0.01)
    below = found.tiers == TIERS.index("below_zero")
    assert below.any() and (true_value[below] < 0).mean() > 0.9
    share = next(headline for headline in found.headlines if headline.name == "share_below_zero")
    # what is expected of customers varies less than what they are truly worth, so that fewer are below 0
    assert share.low < (true_value < 0).mean() < share.high + 0.03


def test_who_is_gone_is_in_decline_or_ended(found, truth):
    """Without exits the stages have to tell by silence who has left."""
    gone = ~truth["alive_at_end"].to_numpy()
    assert (found.stages == STAGES.index("ended")).sum() == gone.sum()  # each exit is recorded, and nobody came back
    alive = found.now.expectation.probability_alive
    assert alive[gone].mean() < alive[~gone].mean() - 0.2


def test_causes_of_leaving_are_recovered(found, made):
    exits = made.tables["exits"]["cause"].value_counts()
    counted = np.bincount(found.causes[found.causes >= 0], minlength=5)
    assert counted[:4].tolist() == [exits[name] for name in ("given_up", "left", "poached", "forced")]
    assert found.hazards.customer_years.sum() == pytest.approx(found.durations.sum() / DAYS_PER_YEAR)


# --- sums that add up -----------------------------------------------------------------------------------------


def test_every_way_of_sorting_parts_the_customers(found, cdnow):
    for result in (found, cdnow):
        size = len(result.customer_id)
        for places in (result.classes, result.tiers, result.stages, result.pyramid.places, result.actions):
            assert len(places) == size and places.min() >= 0
        assert result.migration.sum() == size - result.then.ended.sum()
        assert result.migration[:4].sum() == (~result.then.ended).sum()
        assert result.tables["pyramid"].frame["customers"].sum() == size
        assert result.rfm.customers.sum() == size


def test_the_bridge_adds_up_to_the_cent(found, cdnow):
    for result in (found, cdnow):
        lines = {name: line.value for name, line in result.equity_bridge.lines.items()}
        closing = lines.pop("closing")
        assert math.fsum(lines.values()) == pytest.approx(closing, abs=0.005)
        assert closing == pytest.approx(result.customer_equity.value, abs=0.005)
        assert lines["opening"] == pytest.approx(result.then.future_value.sum(), abs=0.005)


def test_a_changed_discount_rate_stands_in_its_own_line(found):
    from dataclasses import replace

    other = replace(found, settings=replace(found.settings, earlier_discount_rate=0.3))
    lines = {name: line.value for name, line in other.equity_bridge.lines.items()}
    closing = lines.pop("closing")
    assert math.fsum(lines.values()) == pytest.approx(closing, abs=0.005)
    # a future that is discounted less is worth more
    assert other.equity_bridge.lines["discount"].value - other.equity_bridge.unwinding.value > 0


def test_shares_do_not_depend_on_the_currency(made, tmp_path):
    some = made.tables["transactions"].query("customer_id <= 500")
    shares = []
    for name, rate in (("euro", 1.0), ("yen", 160.0)):
        (tmp_path / name).mkdir()
        tables = {"transactions": some.assign(amount=some["amount"] * rate, margin=some["margin"] * rate)}
        result = analyse(**files(tmp_path / name, tables, ["transactions"]), **QUICK)
        shares.append(
            [
                result.classes.tolist(),
                result.tiers.tolist(),
                result.stages.tolist(),
                result.pyramid.places.tolist(),
                result.abc.places.tolist(),
                round(result.concentration["lifetime_value"].gini.value, 9),
            ]
        )
    assert shares[0] == shares[1]


# --- real data ------------------------------------------------------------------------------------------------


def test_what_cannot_be_computed_of_real_purchases_is_said(cdnow):
    assert cdnow.label == "" and cdnow.customer_equity.value > 0
    assert any("state no margins" in warning for warning in cdnow.warnings)
    assert any("No costs are given" in warning for warning in cdnow.warnings)
    below = next(headline for headline in cdnow.headlines if headline.name == "share_below_zero")
    assert below.value is None and "marketing_touches" in below.text
    for name in ("churn_causes", "two_sided"):
        assert list(cdnow.tables[name].frame.columns) == ["reason"], name
    verdicts = {claim.claim: claim.verdict for claim in cdnow.claims}
    assert verdicts["C12"] == "cannot be tested" and verdicts["A12"] == "cannot be tested"


def test_years_that_the_purchases_do_not_cover_are_not_compared(found, cdnow):
    """CDNOW holds 18 months: of the first date only nine could be set beside twelve, and nobody would seem lead."""
    assert found.compares_years and not cdnow.compares_years
    for name in ("migration", "market_position"):
        assert "less than 12 months before" in cdnow.tables[name].frame["reason"].iloc[0]
        assert "customers" in found.tables[name].frame
    assert any("Who moved between the classes" in warning for warning in cdnow.warnings)


def test_words_follow_the_numbers(found, cdnow):
    for result in (found, cdnow):
        assert f"{len(result.customer_id):,} customers" in result.answer
        assert f"{result.customer_equity.value:,.0f}" in result.answer
    assert "customers have left" in found.answer and "customers have left" not in cdnow.answer


def test_the_answer_says_the_whole_change_of_equity(found, cdnow):
    for result in (found, cdnow):
        told = result.answer.split("\n\n")
        change = next(part for part in told if "are expected to bring" in part).split("That is ")[1]
        numbers = [
            float(one.replace(",", "")) for one in re.findall(r"(?<= )[+-][\d,]*\d", change.replace("\u2212", "-"))
        ]
        earlier = result.tables["equity_bridge"].frame.set_index("line").loc["opening", "value"]
        assert sum(numbers) == pytest.approx(result.customer_equity.value - earlier, abs=0.51 * len(numbers) + 0.01)


def test_where_exits_exceed_what_is_taken_it_is_said(found):
    """The share of departures that exits hold ends at 98 %; set by hand it is what was set."""
    many, some = (replace(found, now=replace(found.now, exits_recorded=-1)) for _ in range(2))
    vars(many.now)["exits_per_departure"], vars(some.now)["exits_per_departure"] = 1.07, 0.6
    for result, is_said in ((many, True), (some, False)):
        note = next(one for one in result.notes if "exits_recorded" in one)
        assert ("107 % as many exits" in note.replace("\N{NO-BREAK SPACE}", " ")) == is_said
        taken = assumptions(result).frame.set_index("parameter").loc["exits_recorded", "value"]
        assert ("the most that is taken" in taken) == is_said


def test_few_who_left_are_in_no_words(made, tmp_path):
    """Of 80 customers 3 have left: nowhere stand the 77 who have not, nor what the 3 were worth."""
    bought = made.tables["transactions"].query("customer_id < 80").drop(columns="margin")
    last = bought.groupby("customer_id")["date"].max()
    gone = last[last > "2023-01-15"].index[:3]
    assert len(gone) == 3
    exits = pd.DataFrame({"customer_id": gone, "date": bought["date"].max(), "cause": ["left", "left", "poached"]})
    given = files(tmp_path, {"transactions": bought, "exits": exits}, ["transactions", "exits"])
    few, many = (analyse(**given, **QUICK, min_cell=least) for least in (5, 1))
    size = len(few)
    spoken = [few.answer, *(one.text for one in few.headlines), *(table.caption for table in few.tables.values())]
    assert not any(f" {size - 3} " in f" {text} " for text in spoken)
    worth = f"{many.value_lost.total.value:,.0f}"
    assert worth in many.answer and "3 customers have left" in many.answer
    assert not any(f" {worth} " in text or "customers have left;" in text for text in spoken)
    assert next(one for one in few.headlines if one.name == "avoidable_value_lost").value is None
    assert few.tables["classes"].frame["customers"].isna().all() and few.tables["classes"].frame["share"].notna().all()
    assert list(few.tables["churn_causes"].frame.columns) == ["reason"]
    assert all(map(repr, few.figures.values()))


# --- bad input ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "choice, message",
    [
        ({"annual_discount_rate": -0.01}, "must be 0 or more"),
        ({"pyramid_shares": [0.01, 0.04, 0.15, 0.75]}, "leaves a gap"),
        ({"pyramid_shares": []}, "leaves a gap"),
        ({"pyramid_shares": [0.5, "0.5"]}, "leaves a gap"),
        ({"abc_cuts": [0.95, 0.8]}, "rising"),
        ({"abc_cuts": [0.8, 1.0]}, "below 1"),
        ({"exploration_days": 400}, "nobody|no customer could be in formation"),
        ({"weights": {"existing": 1}}, "one number for each"),
        ({"weights": dict.fromkeys(("existing", "potential", "influence", "learning"), 0)}, "not all 0"),
        ({"levels": {"friendly": {}}}, "basic, reactive"),
        ({"levels": {"basic": {"cost": -1}}}, "from 0 up"),
        ({"future_cut": "quantile", "future_cut_at": 1.5}, "is a share"),
        ({"reinvest_response": 1.2}, "from 0 to 1"),
        ({"reinvest_cost": float("inf")}, "reinvest_cost takes finite numbers only"),
        ({"current_cut_at": float("nan")}, "current_cut_at takes finite numbers only"),
        ({"levels": {"basic": {"cost": float("inf")}}}, "levels takes finite numbers only"),
        ({"earlier": "2020-01-01"}, "earlier_date"),
    ],
)
def test_settings_that_cannot_be_are_refused(choice, message):
    with pytest.raises(InputRefused, match=message):
        Settings.of(choice)


def test_dates_in_the_wrong_order_are_refused(tmp_path):
    given = purchases(tmp_path, **two_years(5))
    for dates, message in (
        ({"earlier_date": "2024-06-01", "observation_end": "2024-01-01"}, "must lie before observation_end"),
        ({"earlier_date": "2020-06-01"}, "before the first purchase"),
        ({"observation_end": "2020-06-01"}, "before the first purchase"),
    ):
        with pytest.raises(InputRefused, match=message):
            analyse(**given, **dates)


@pytest.mark.parametrize("customers", [1, 30])
def test_purchases_of_one_day_are_refused(customers, tmp_path):
    same = {"customer_id": [f"c{k}" for k in range(customers)], "date": ["2024-03-01"] * customers}
    with pytest.raises(InputRefused, match=r"of one day \(2024-03-01\)"):
        analyse(**purchases(tmp_path, **same, amount=[10.0] * customers))


def test_simulated_files_beside_own_ones_are_refused(tmp_path):
    given = purchases(tmp_path, **two_years(5)) | {"exits": "synthetic_firm"}
    with pytest.raises(InputRefused, match="not of the same customers"):
        analyse(**given)


def test_unknown_causes_are_refused_with_the_way_out(tmp_path):
    given = purchases(tmp_path, **two_years(5))
    pd.DataFrame({"customer_id": ["c1"], "date": ["2024-12-31"], "cause": ["moved"]}).to_csv(
        tmp_path / "exits.csv", index=False
    )
    given["exits"] = str(tmp_path / "exits.csv")
    with pytest.raises(InputRefused, match=r"moved.*causes="):
        analyse(**given)


def test_costs_without_customers_and_customers_without_costs_are_counted(tmp_path):
    given = purchases(tmp_path, **two_years(60))
    pd.DataFrame({"customer_id": ["c1", "c2", "nobody"], "date": ["2024-03-01"] * 3, "cost": [40.0, 5.0, 9.0]}).to_csv(
        tmp_path / "touches.csv", index=False
    )
    result = analyse(**given | {"marketing_touches": str(tmp_path / "touches.csv")}, **QUICK)
    assert result.now.cost.sum() == 45 and (result.now.cost > 0).sum() == 2
    accounting = result.tables["marketing_touches_accounting"].frame
    assert accounting.query("reason == 'customer_id has no purchase'")["rows"].tolist() == [-1]
    assert any("nobody" not in note for note in result.notes)


def test_quarters_count_from_where_costs_begin_to_the_last_purchase(tmp_path):
    given = purchases(tmp_path, **two_years(60))
    touches = {"customer_id": ["c1", "c2"], "date": ["2023-08-10", "2024-03-01"], "cost": [40.0, 5.0]}
    pd.DataFrame(touches).to_csv(tmp_path / "touches.csv", index=False)
    given["marketing_touches"] = str(tmp_path / "touches.csv")
    result = analyse(**given, observation_end="2026-06-30", **QUICK)
    assert result.periods["period"].tolist() == ["2023-Q4", "2024-Q1", "2024-Q2", "2024-Q3"]
    assert any("observation_end (2026-06-30) lies" in warning for warning in result.warnings)


@pytest.mark.parametrize("customers", [1, 2, 6])
def test_a_handful_of_customers_is_no_crash(customers, tmp_path):
    result = analyse(**purchases(tmp_path, **two_years(customers)), **QUICK)
    assert len(result.processed["customers"]) == customers
    assert result.answer and result.warnings
    assert all(map(repr, result.tables.values())) and result.figures


def test_customers_who_are_all_alike_are_said_to_be(tmp_path):
    same = {
        "customer_id": [f"c{k}" for k in range(30)] * 2,
        "date": ["2023-03-01"] * 30 + ["2024-03-01"] * 30,
        "amount": [10.0] * 60,
    }
    result = analyse(**purchases(tmp_path, **same), **QUICK)
    assert any("All customers are in one class" in warning for warning in result.warnings)
