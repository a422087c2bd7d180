"""Lenses, stages, churn, levels, weights and claims of a portfolio: planted truth, and what is missing."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from helpers.analyses.claims import CANNOT_BE_TESTED, DEPENDS, NOT_SUPPORTED, SUPPORTED
from helpers.analyses.customer_portfolio.claims import _associated, _more_overdue, claims
from helpers.analyses.customer_portfolio.measurement import PANEL_STEP_DAYS, measure
from helpers.analyses.customer_portfolio.reading import FILES
from helpers.analyses.customer_portfolio.settings import Settings
from helpers.analyses.customer_portfolio.tables import churn, commercial, lenses, levels, satisfaction, stages
from helpers.models.customer_portfolio import stages as life_cycle
from helpers.models.estimate import Estimate
from helpers.synthetic.firm import firm

QUICK = {"draws": 20, "resamples": 100}
GROWING = {"acquisition_days": 730, "a": 0.3}  # customers keep coming and stay, so sales rise
TRUE = {"margin_trend": -0.2, "loyalty_to_margin": 0.05, "sales_to_overdue": 1.5, "contact_cost_factor": 10}
FALSE = {"margin_trend": 0.2, "sales_to_overdue": -3, "contact_cost_factor": 0}
FALSE |= {"satisfaction_to_dropout": -0.5, "satisfaction_to_spend": -0.3}
MODULES = (lenses, stages, churn, levels, commercial, satisfaction)
TABLES = {
    "lens_agreement": "lens other tau low high overlap overlap_low overlap_high",
    "profit_periods": "period sales profit sales_change profit_change volume margin_rate marketing service opposed",
    "stages": "when date stage customers share current_value future_value",
    "stage_transitions": "from to customers share low high",
    "dwell_times": "stage spells mean_days low high median_days median_low median_high",
    "decline": "rule customers spend gain low high break_even_response",
    "churn_causes": "cause exits share_1_year share_1_year_low share_2_years rate rate_low value_lost avoidable",
    "churn_segments": "segment cause rate rate_low rate_high ratio ratio_low ratio_high p_holm",
    "cumulative_incidence": "cause days share low high",
    "relationship_levels": "group level customers margin retention value low high recommended probability budget",
    "level_assumptions": "level assumption value unit set_by",
    "level_sensitivity": "assumption factor group level changed",
    "commercial_value": "component weight contribution mean",
    "weight_sensitivity": "measure weights value low high",
    "two_sided": "quadrant customers share mean_value mean_satisfaction",
}


def read(folder, tables, names=FILES, **choices):
    """Measure a firm from its own files; those that are not named are not given."""
    paths = dict.fromkeys(FILES, "")
    for name in names:
        paths[name] = str(folder / f"{name}.parquet")
        tables[name].to_parquet(paths[name])
    return measure(Settings.of(paths | QUICK | choices))


@pytest.fixture(scope="module")
def made():
    return firm(800, seed=5, **GROWING, **TRUE)


@pytest.fixture(scope="module")
def found(made, tmp_path_factory):
    return read(tmp_path_factory.mktemp("found"), made.tables)


@pytest.fixture(scope="module")
def otherwise(tmp_path_factory):
    tables = firm(800, seed=5, **GROWING, **FALSE).tables
    names = [name for name in FILES if name not in ("marketing_touches", "referrals", "exits")]
    return read(tmp_path_factory.mktemp("otherwise"), tables, names)


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    days = ["2023-01-01", "2023-02-01", "2023-03-01", "2023-05-05", "2023-08-01", "2024-05-06"]
    bought = pd.DataFrame({"customer_id": [1, 2, 1, 3, 2, 1], "date": pd.to_datetime(days), "amount": 1.0})
    return read(tmp_path_factory.mktemp("three"), {"transactions": bought}, ["transactions"])


def named(tables) -> dict:
    return {table.name: table for table in tables}


def shown(result) -> dict:
    return named(table for module in MODULES for table in module.tables(result))


@pytest.fixture(scope="module")
def tables(found):
    return shown(found)


def with_min_cell(result, min_cell: int):
    return replace(result, settings=replace(result.settings, min_cell=min_cell))


def with_causes(result, causes):
    return replace(result, exit_cause=np.asarray(causes, object))


def said(table) -> str:
    assert list(table.frame.columns) == ["reason"], table.name
    return table.frame["reason"].iloc[0]


# --- claims ---------------------------------------------------------------------------------------------------------


def test_planted_claims_are_supported(found):
    ledger = claims(found)
    assert [claim.claim for claim in ledger] == ["A01", "A01", "B12", "C12", "A12"]
    verdicts = [SUPPORTED, SUPPORTED, SUPPORTED, SUPPORTED, DEPENDS]
    assert [claim.verdict for claim in ledger] == verdicts, [claim.why for claim in ledger]
    assert "one point in time" in ledger[-1].why and ledger[-1].low > 0
    assert all(claim.low <= claim.estimate <= claim.high for claim in ledger)
    assert [claim.estimate > 0 for claim in ledger] == [True, False, False, True, True]
    assert len({claim.sentence_zh for claim in ledger}) == 5


def test_claims_that_are_planted_false_are_not_supported(otherwise):
    assert {claim.verdict for claim in claims(otherwise)} == {NOT_SUPPORTED}, [claim.why for claim in claims(otherwise)]


def test_without_files_each_claim_says_what_to_set(three):
    ledger = claims(three)
    assert {claim.verdict for claim in ledger} == {CANNOT_BE_TESTED}
    for claim, parameter in zip(
        ledger, ("receivables", "margin", "service_contacts", "marketing_touches", "satisfaction_survey"), strict=True
    ):
        assert parameter in claim.why
        assert np.isnan([claim.estimate, claim.low, claim.high]).all()


def test_owing_more_by_buying_more_alone_depends(found):
    share = np.random.default_rng(1).choice([0.0, 0.5], len(found))  # owed by anyone alike
    claim = claims(replace(found, overdue=share * found.due))[0]
    assert claim.verdict == DEPENDS and claim.low > 0
    assert "because they buy more" in claim.why


def test_without_a_quarter_of_rising_sales_and_falling_profit_b12_is_not_supported(found):
    def verdict(changes: int, opposed: int) -> str:
        told = replace(found)
        told.__dict__["profit_periods"] = replace(found.profit_periods, opposed=np.arange(changes) < opposed)
        return claims(told)[2].verdict

    assert verdict(4, 0) == NOT_SUPPORTED
    assert verdict(3, 0) == verdict(4, 1) == SUPPORTED  # as the slopes say


def test_few_customers_below_zero_are_not_counted_aloud(otherwise):
    margin = otherwise.now.sums["margin"].copy()
    margin.iloc[:3] = -1e6
    some = replace(otherwise, now=replace(otherwise.now, sums=otherwise.now.sums.assign(margin=margin)))
    claim = claims(some)[3]
    assert claim.verdict == DEPENDS and np.isnan(claim.estimate)
    assert "Fewer than 5" in claim.why


def test_error_of_the_overdue_share_is_that_of_resamples(otherwise):
    estimate = _more_overdue(otherwise)
    known = np.flatnonzero(~np.isnan(otherwise.overdue))
    sales = otherwise.now.sum_of("sales")[known]
    top = known[np.argsort(-sales)[: round(len(known) / 10)]]
    rest = np.setdiff1d(known, top)
    rng = np.random.default_rng(1)

    def share(who):
        return otherwise.overdue[who].sum() / otherwise.due[who].sum()

    drawn = [share(rng.choice(top, len(top))) - share(rng.choice(rest, len(rest))) for _ in range(1000)]
    assert estimate.value == pytest.approx(share(top) - share(rest))
    assert (estimate.high - estimate.low) / (2 * 1.96) == pytest.approx(np.std(drawn), rel=0.15)


# --- tables ---------------------------------------------------------------------------------------------------------


def test_every_table_is_there_and_can_be_shown(tables, three):
    assert list(tables) == list(TABLES)
    for name in TABLES.keys() - {"dwell_times"}:
        assert set(TABLES[name].split()) <= set(tables[name].frame.columns), name
    assert all(table._repr_html_() for table in tables.values())
    few = shown(three)
    assert list(few) == list(TABLES) and all(table._repr_html_() for table in few.values())
    for name, parameter in {"churn_causes": "exits", "two_sided": "satisfaction_survey"}.items():
        assert parameter in said(few[name])
    assert few["stages"].frame["customers"].dropna().eq(0).all()  # three people are in no group that is shown


def test_changes_of_profit_add_up(tables):
    frame = tables["profit_periods"].frame
    parts = frame[["volume", "margin_rate", "marketing", "service"]].sum(axis=1)[1:]
    np.testing.assert_allclose(parts, frame["profit_change"][1:])
    np.testing.assert_allclose(frame["profit"].diff()[1:], frame["profit_change"][1:])
    assert frame["opposed"][1:].any()


def test_stages_part_the_customers_and_moves_add_up_to_them(found):
    every = with_min_cell(found, 1)
    at = stages.stages(every).frame.set_index(["when", "stage"])["customers"]
    assert at["then"].sum() == len(found.then) and at["now"].sum() == len(found)
    counts = stages.stage_transitions(every).frame
    for end, when in (("from", "then"), ("to", "now")):
        told = counts.groupby(end)["customers"].sum().drop(stages.NOT_YET, errors="ignore")
        pd.testing.assert_series_equal(told, at[when], check_names=False, check_dtype=False, check_like=True)


def test_dwell_times_are_those_of_the_stays(found):
    panel = np.full((6, 20), life_cycle.ABSENT, np.int8)
    panel[1:3], panel[3:] = life_cycle.EXPLORATION, life_cycle.DECLINE
    known = replace(found)
    known.__dict__["panel"] = panel
    frame = stages.dwell_times(known).frame.set_index("stage")
    assert frame.loc["exploration", "mean_days"] == frame.loc["exploration", "median_days"] == 2 * PANEL_STEP_DAYS
    assert frame.loc["exploration", "completed"] == 20
    assert frame.drop("exploration").isna().all(axis=None)  # nobody was seen to leave decline


def test_at_the_break_even_response_nothing_is_gained(otherwise):
    frame = stages.decline(otherwise).frame.set_index("rule")
    response = frame.loc["reinvest in everyone", "break_even_response"]
    assert 0 < response < 1
    there = replace(otherwise, settings=replace(otherwise.settings, reinvest_response=response))
    gain = stages.decline(there).frame.set_index("rule").loc["reinvest in everyone", "gain"]
    assert gain == pytest.approx(0, abs=1e-6)


def test_exits_are_those_of_the_file_and_both_shares_agree(tables, found, made):
    frame = tables["churn_causes"].frame.set_index("cause")
    assert frame["exits"].to_dict() == made.tables["exits"]["cause"].value_counts().to_dict()
    curve = tables["cumulative_incidence"].frame
    for cause, row in frame.iterrows():
        of_cause = curve[curve["cause"] == cause]
        at_a_year = np.interp(365, of_cause["days"], of_cause["share"])
        assert row["share_1_year_low"] < at_a_year < row["share_1_year_high"]
        assert row["rate_low"] < row["rate"] < row["rate_high"]
    segments = churn.churn_segments(with_min_cell(found, 1)).frame.groupby("cause")["exits"].sum()
    assert segments.to_dict() == frame["exits"].to_dict()


def test_who_left_for_a_rare_cause_is_in_no_table(found):
    rare = np.where(found.exit_cause == "forced", "left", found.exit_cause)
    rare[np.flatnonzero(rare == "left")[:3]] = "forced"
    told = named(churn.tables(with_causes(found, rare)))
    frame = told["churn_causes"].frame.set_index("cause")
    hidden = frame.index[frame["exits"].isna()]
    assert "forced" in hidden and len(hidden) == 2  # one alone could be computed from all exits
    assert frame.loc[hidden].drop(columns="avoidable").isna().all(axis=None)
    assert not set(hidden) & {*told["churn_segments"].frame["cause"], *told["cumulative_incidence"].frame["cause"]}
    assert "avoidable" not in told["churn_causes"].caption


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_one_cause_only_and_no_exits(found):
    one = named(churn.tables(with_causes(found, np.where(found.exit_cause == "", "", "left"))))
    assert one["churn_segments"].frame["cause"].unique().tolist() == ["left"]
    assert one["churn_causes"].frame.set_index("cause")["exits"].drop("left").eq(0).all()
    never = np.full(len(found), np.datetime64("NaT"), found.exit_date.dtype)
    nobody = named(churn.tables(replace(with_causes(found, np.full(len(found), "")), exit_date=never)))
    for name in ("churn_causes", "churn_segments", "cumulative_incidence"):
        assert said(nobody[name]) == "Nobody is known to have left."


def test_the_level_that_is_recommended_is_worth_most(tables, found):
    frame = tables["relationship_levels"].frame.dropna(subset="value")
    best = frame.loc[frame.groupby("group")["value"].idxmax()]
    assert best["recommended"].all() and frame["recommended"].sum() == len(best)
    assert frame[frame["level"] == "basic"]["gain"].eq(0).all()
    assert frame.groupby("group")["probability"].sum().to_numpy() == pytest.approx(1)
    given = replace(found.settings, levels={"partnership": {"cost": 0.0, "capacity": 1e9}})
    told = levels.level_assumptions(replace(found, settings=given)).frame.set_index(["level", "assumption"])["set_by"]
    assert told["partnership", "cost"] == "levels" and told["basic", "cost"] == ""


def test_levels_show_the_retention_that_exits_tell(found):
    given = replace(found)
    places = np.linspace(0.5, 0.9, len(found.level_groups))
    given.__dict__["level_retention"] = Estimate(places, places - 0.1, places + 0.05)
    table = levels.relationship_levels(given)
    first = table.frame.groupby("group", sort=False)["observed_retention"].first()
    np.testing.assert_allclose(first.to_numpy(), np.where(first.isna(), np.nan, places))
    assert first.notna().any() and table.frame["observed_retention_high"].max() == pytest.approx(0.95)
    assert "comes from the exits" in table.caption and table._repr_html_()


def test_a_segment_called_like_a_tier_is_a_group_of_its_own(found):
    called = {name: "vip" if place == 0 else name for place, name in enumerate(found.segments)}
    named = replace(found, segment=np.array([called[name] for name in found.segment], object))
    assert len(named.level_groups) == len(found.level_groups)
    given, own = (
        levels.relationship_levels(one).frame.set_index(["group", "level"])["value"] for one in (named, found)
    )
    assert given["segment vip"].tolist() == pytest.approx(own[found.segments[0]].tolist())
    assert given["vip"].tolist() == pytest.approx(own["vip"].tolist())
    assert levels.level_sensitivity(named).frame["group"].nunique() == len(found.level_groups)


@pytest.mark.parametrize("least", [6, 12, 20])
def test_no_segment_tells_of_few_who_left_for_a_cause(found, least):
    """The retention of a segment tells how many left it in all."""
    asked = with_min_cell(found, least)
    shown = churn.churn_segments(asked).frame.pivot(index="segment", columns="cause", values="exits")
    whole = churn.churn_segments(with_min_cell(found, 1)).frame.pivot(index="segment", columns="cause", values="exits")
    whole = whole.loc[shown.index, shown.columns]
    hidden = shown.isna()
    assert hidden.to_numpy()[((whole > 0) & (whole < least)).to_numpy()].all()
    for lines, people in ((hidden, whole), (hidden.T, whole.T)):
        for line, of_line in zip(lines.to_numpy(), people.to_numpy(), strict=True):
            assert not line.any() or line.all() or (line.sum() > 1 and of_line[line].sum() >= least)


def test_retention_of_segments_counts_departures_that_no_exit_records(found):
    """With a half of departures recorded, the yearly rate is twice that of the exits."""
    half, most = (replace(found, settings=replace(found.settings)) for _ in range(2))
    for one, share in ((half, 0.5), (most, 1.0)):
        one.__dict__["now"] = replace(found.now, exits_recorded=share)
    segments = found.level_kinds == "segment"
    rates = [-np.log(one.level_retention.value[segments]) for one in (half, most)]
    np.testing.assert_allclose(rates[0], 2 * rates[1])


def test_small_groups_have_no_level(found):
    frame = levels.relationship_levels(with_min_cell(found, 20)).frame
    vip, major = (frame[frame["group"] == name] for name in ("vip", "major"))  # 8 and 32 of 800
    assert vip["value"].isna().all() and major["value"].isna().all()
    assert frame.loc[frame["group"] == "small", "value"].notna().all()


def test_small_quadrants_and_tops_are_not_shown(found):
    many = with_min_cell(found, 300)
    assert satisfaction.two_sided(many).frame.drop(columns="quadrant").isna().all(axis=None)
    agreed = lenses.lens_agreement(many).frame
    assert agreed["overlap"].isna().all() and agreed["tau"].notna().all()


@pytest.mark.parametrize(
    "ends, verdict",
    [
        ((0.004, 0.002, 0.006), NOT_SUPPORTED),
        ((0.05, -0.02, 0.09), NOT_SUPPORTED),
        ((0.12, 0.02, 0.2), SUPPORTED),
        ((0.08, -0.02, 0.2), DEPENDS),
        ((0.1, np.nan, np.nan), CANNOT_BE_TESTED),
    ],
)
def test_a_correlation_that_is_too_slight_supports_nothing(ends, verdict):
    assert _associated(Estimate(*ends)) == verdict
