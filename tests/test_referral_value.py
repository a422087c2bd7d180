"""Referral value as a whole: planted truth, claims true and false, one total, words that follow, input gone wrong."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from helpers.analyses.referral_value import Settings, analyse
from helpers.data import referrals
from helpers.data.engines import connect
from helpers.data.refusal import InputRefused
from helpers.models.referral_value.classes import CLASSES
from helpers.reporting.parameters import read_parameters
from helpers.reporting.plan import planned
from helpers.reporting.runner import run_report
from helpers.reporting.workspace import Workspace
from helpers.synthetic.firm import firm
from helpers.synthetic.firm.referrals import FLAWS
from tests.test_notebooks import ROOT

# design.md, section 4: names that other programs rely on.
TABLES = {
    "classes": "class customers share lifetime_value referral_value",
    "claims": "claim sentence_zh sentence_en estimate low high verdict why link",
}
RESULTS = {"customers", "total_lifetime_value", "total_referral_value", "campaign_return"}
INPUTS = ("transactions", "referrals", "marketing_touches")
HORIZON = {"horizon_weeks": 52, "annual_discount_rate": 0.1}  # the same ahead of the truth and of the estimate
QUICK = {"draws": 20, "resamples": 100} | HORIZON
# Referrals are worth much for what they save, hardly anybody leaves, and whoever buys much brings many.
OTHERWISE = {"acquisition_cost": 200, "value_to_referral": 3, "referred_share": 0.95, "willing_share": 1, "a": 0.1}
OTHERWISE |= {"b": 10, "satisfaction_to_referral": 0}
MONEY = {"transactions": ["amount", "margin"], "referrals": ["incentive_cost", "acquisition_cost"]}
MONEY |= {"marketing_touches": ["cost"]}
IDS = {"transactions": ["customer_id"], "referrals": ["referrer_id", "referee_id"]}
IDS |= {"marketing_touches": ["customer_id"]}


@pytest.fixture(scope="module")
def made():
    return firm(1500, seed=7, **HORIZON)


@pytest.fixture(scope="module")
def found(made, tmp_path_factory):
    return analyse(**files(tmp_path_factory.mktemp("found"), made.tables), **QUICK)


@pytest.fixture(scope="module")
def otherwise(tmp_path_factory):
    tables = firm(800, seed=3, **HORIZON, **OTHERWISE).tables
    return analyse(**files(tmp_path_factory.mktemp("otherwise"), tables), **QUICK)


@pytest.fixture(scope="module")
def without(made, tmp_path_factory):
    """The same customers, and nobody known to have brought anybody."""
    return analyse(**files(tmp_path_factory.mktemp("without"), made.tables) | {"referrals": ""}, **QUICK)


def files(folder, tables, names=INPUTS) -> dict[str, str]:
    """Write tables as files of the user's own; the rest are not given."""
    paths = dict.fromkeys(INPUTS, "")
    for name in names:
        paths[name] = str(folder / f"{name}.csv")
        tables[name].to_csv(paths[name], index=False)
    return paths


def again(result, **choices):
    """Ask otherwise of what was read and valued."""
    return replace(result, settings=replace(result.settings, **choices))


def with_referrals(result, **columns):
    """Let the referrals say something else."""
    return replace(result, referrals=replace(result.referrals, frame=result.referrals.frame.assign(**columns)))


def read_again(result, path: str, **choices):
    """Read the referrals anew, of the customers that were valued."""
    other = again(result, **choices)
    customers = {name: getattr(result.customers, name) for name in ("customer_id", "first_date")}
    read = {name: getattr(other.settings, name) for name in ("bad_rows", "window_days", "several_referrers")}
    table = connect().create_table("customers", pd.DataFrame(customers))
    found = referrals.load(path, customers=table, observation_end=result.observation_end, **read)
    referrer, referee = found.positions(result.customers.customer_id)
    return replace(other, referrals=found, referrer=referrer, referee=referee)


def verdicts(result) -> dict[str, str]:
    return {claim.claim: claim.verdict for claim in result.claims}


def shares(result) -> pd.Series:
    return result.tables["classes"].frame.set_index("class")["share"]


def headlines(result) -> dict:
    return {headline.name: headline for headline in result.headlines}


def assert_can_be_shown(result):
    assert result.answer
    assert all(table._repr_html_() for table in result.tables.values())
    assert all(figure.alt for figure in result.figures.values())
    assert all(json.dumps(headline.record(), allow_nan=False) for headline in result.headlines)


# --- what others rely on -------------------------------------------------------------------------------


def test_tables_have_the_columns_that_others_rely_on(found):
    for name, columns in TABLES.items():
        assert set(columns.split()) <= set(found.tables[name].frame.columns), name
    assert headlines(found).keys() >= RESULTS
    assert found.tables["classes"].frame["class"].tolist() == list(CLASSES)
    assert found.tables["claims"].frame["claim"].tolist() == ["A07", "A08"]


def test_every_claim_leads_to_a_figure(found):
    assert all(claim.link in found.figures and claim.why and claim.sentence_zh for claim in found.claims)


def test_every_table_and_figure_can_be_shown(found, otherwise, without):
    for result in (found, otherwise, without):
        assert_can_be_shown(result)


def test_notebook_passes_every_setting_under_its_own_name():
    notebook = ROOT / "notebooks" / "04_referral_value.ipynb"
    parameters = read_parameters(notebook)
    assert {name: parameter.default for name, parameter in parameters.items()} == vars(Settings())
    text = notebook.read_text(encoding="utf-8")
    assert not [name for name in parameters if f"{name}={name}" not in text]


def test_customers_are_kept_for_other_notebooks(found, made):
    frame = found.processed["referral_value"]
    assert len(frame) == 1500 and set(frame["customer_id"]) == set(made.truth["customer_id"].astype(str))
    assert set(frame["class"]) <= set(CLASSES)
    for value in ("lifetime_value", "referral_value"):
        assert (frame[f"{value}_low"] <= frame[f"{value}_high"]).all()
    assert frame["referral_value"].sum() == pytest.approx(headlines(found)["total_referral_value"].value)


# --- planted truth -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, true",
    [
        ("total_lifetime_value", "total_lifetime_value"),
        ("total_referral_value", "total_referral_value"),
        ("total_referral_value_gross", "total_gross_referral_value"),
        ("total_value", "total_value"),
    ],
)
def test_true_totals_are_recovered(found, made, name, true):
    headline = headlines(found)[name]
    assert headline.low < made.true[true] < headline.high
    assert headline.value == pytest.approx(made.true[true], rel=0.03)


def test_true_classes_are_recovered(found, made):
    true = [made.true[f"share_{name}"] for name in CLASSES]
    assert shares(found)[list(CLASSES)].tolist() == pytest.approx(true, abs=0.01)
    customers = found.processed["referral_value"].set_index("customer_id")
    truth = made.truth.assign(customer_id=made.truth["customer_id"].astype(str)).set_index("customer_id")
    truth = truth.loc[customers.index]
    assert (customers["class"] == truth["customer_class"].astype(str)).mean() > 0.9
    assert np.corrcoef(customers["lifetime_value"], truth["lifetime_value"])[0, 1] > 0.93
    assert np.corrcoef(customers["referral_value"], truth["referral_value"])[0, 1] > 0.97


def test_what_is_known_of_referrals_is_taken_from_them(found, made):
    assert found.type_one.mean() == pytest.approx(made.true["type_one_referrals"] / made.true["total_referrals"])
    steps = found.tables["firm_total"].frame.set_index("step")["amount"]
    assert steps["Acquisition saved by referrals"] == pytest.approx(made.true["total_acquisition_saving"])
    assert steps["Incentives paid"] == pytest.approx(made.true["total_incentive_cost"])


def test_planted_claims_come_out_true_and_false(found, otherwise):
    assert verdicts(found) == {"A07": "not supported", "A08": "supported"}
    assert verdicts(otherwise) == {"A07": "supported", "A08": "not supported"}


def test_larger_value_depends_where_the_types_decide(found):
    # the saving alone is below lifetime value, and with the margin of those brought above it
    saved = with_referrals(found, acquisition_cost=180.0)
    assert verdicts(saved)["A07"] == "supported" and "every referral is stated" in saved.claims[0].why
    depends = with_referrals(found, acquisition_cost=140.0, would_have_joined=np.nan)
    assert verdicts(depends)["A07"] == "depends" and "both are equal at" in depends.claims[0].why
    # what the file states stays: with two unknown it is as with none
    stated = found.referrals.frame["would_have_joined"].to_numpy()
    two = with_referrals(saved, would_have_joined=np.where(np.arange(len(stated)) < 2, np.nan, stated))
    assert verdicts(two)["A07"] == verdicts(saved)["A07"]
    assert "whatever share of the 2 referrals of unknown type" in two.claims[0].why


def bringing(result, candidates, seed=2):
    """Let those who were brought be brought by some of these."""
    return replace(result, referrer=np.random.default_rng(seed).choice(candidates, len(result.referee)))


def test_those_who_bring_are_the_same_people_where_the_best_buyers_bring(found):
    alone = np.setdiff1d(np.arange(len(found.classes)), found.referee)
    best_first = alone[np.argsort(-found.customers.lifetime_value[alone])]
    assert verdicts(bringing(found, best_first[:100]))["A08"] == "not supported"
    by_chance = bringing(found, alone).claims[1]
    assert by_chance.verdict == "supported" and "no different from chance" in by_chance.why


def test_verdict_on_other_people_does_not_move_with_the_cuts(found):
    assert verdicts(again(found, lifetime_cut="positive", referral_cut="positive"))["A08"] == verdicts(found)["A08"]


def test_gross_value_is_that_of_those_brought_so_it_cannot_exceed_that_of_all(found, otherwise):
    for result in (found, otherwise):
        lifetime = result.customers.lifetime_value
        assert result.gross.sum() == pytest.approx(lifetime[result.referee].sum())
        assert (lifetime.sum() > result.gross.sum()) == (np.delete(lifetime, result.referee).sum() > 0)


def test_types_that_nobody_knows_are_assumed_and_said(found):
    unknown = with_referrals(found, would_have_joined=np.nan)
    assert any("Nobody knows which referees" in sentence and "50" in sentence for sentence in unknown.warnings)
    assert np.unique(unknown.type_one).tolist() == [0.5]
    assert verdicts(unknown)["A07"] == "not supported"  # over every share
    set_by_hand = again(unknown, probability_type_one=0.3)
    assert np.unique(set_by_hand.type_one).tolist() == [0.3] and not set_by_hand.warnings
    values = [headlines(result)["total_referral_value"].value for result in (set_by_hand, unknown)]
    assert values[0] < values[1]


def test_known_types_speak_for_the_others(found):
    stated = found.referrals.frame["would_have_joined"].to_numpy()
    some = with_referrals(found, would_have_joined=np.where(np.arange(len(stated)) < 100, stated, np.nan))
    assert some.type_one[100:] == pytest.approx(1 - stated[:100].mean())
    width = [headline.high - headline.low for headline in (headlines(r)["total_referral_value"] for r in (some, found))]
    assert width[0] > 0 and width[1] > 0
    assert "as of the others" in some.tables["assumptions"].frame["assumed_value"].iloc[0]


# --- types that a model tells ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def linked():
    return firm(2500, seed=12, tenure_to_type_one=3.0, type_stated_share=0.6, **HORIZON)


@pytest.fixture(scope="module")
def modelled(linked, tmp_path_factory):
    return analyse(**files(tmp_path_factory.mktemp("modelled"), linked.tables), **QUICK)


def true_types(result, made) -> np.ndarray:
    """Whether each referee would really not have come otherwise."""
    truth = made.truth.assign(customer_id=made.truth["customer_id"].astype(str)).set_index("customer_id")
    return ~truth.loc[result.referrals.frame["referee_id"], "would_have_joined"].to_numpy(bool)


def test_planted_link_is_found_and_tells_the_types_that_nobody_states(modelled, linked):
    slopes = modelled.tables["type_model"].frame.set_index("column")
    found = slopes.loc["referrer_years"]
    assert found["low"] < 3 < found["high"] and found["low"] > 1.5
    assert (
        slopes.drop(index="referrer_years")[["low", "high"]].prod(axis=1) < 0
    ).sum() >= 6  # nothing else was planted
    unknown = np.isnan(modelled.stated_type_one)
    true, told = true_types(modelled, linked)[unknown], modelled.type_one[unknown]
    assert modelled.is_modelled and 0.3 < unknown.mean() < 0.5
    share = modelled.type_one_share.value
    assert ((told - true) ** 2).mean() < 0.9 * ((share - true) ** 2).mean()
    score = modelled.tables["type_scores"].frame.set_index("measure").loc["brier"]
    assert score["model"] == pytest.approx(((told - true) ** 2).mean(), abs=0.03)
    headline = headlines(modelled)["total_referral_value"]
    assert headline.low < linked.true["total_referral_value"] < headline.high
    assert any("A model of the type beats their share" in note for note in modelled.notes)
    assert "by the model" in modelled.tables["assumptions"].frame["assumed_value"].iloc[0]
    assert_can_be_shown(modelled)


def test_what_stands_for_unknown_types_is_chosen(modelled):
    unknown = np.isnan(modelled.stated_type_one)
    for choice, expected in (("share", modelled.type_one_share.value), ("0.25", 0.25), (0.25, 0.25), ("stated", 0.0)):
        other = again(modelled, probability_type_one=choice)
        assert other.type_one[unknown] == pytest.approx(expected) and not other.is_modelled
        np.testing.assert_array_equal(other.type_one[~unknown], modelled.stated_type_one[~unknown])
    only_stated = again(modelled, probability_type_one="stated")
    assert any("only the acquisition saved counts" in sentence for sentence in only_stated.warnings)
    assert only_stated.parts.totals.saving == pytest.approx(modelled.parts.totals.saving)


def test_without_a_link_the_share_is_taken_and_the_report_says_so(found):
    stated = found.referrals.frame["would_have_joined"].to_numpy()
    some = with_referrals(found, would_have_joined=np.where(np.arange(len(stated)) % 3 > 0, stated, np.nan))
    assert some.evidence.model is not None and not some.is_modelled
    assert np.unique(some.type_one[::3]) == pytest.approx(1 - stated[np.arange(len(stated)) % 3 > 0].mean())
    assert any("does not beat their share" in note and "The share is taken" in note for note in some.notes)
    few = with_referrals(found, would_have_joined=np.where(np.arange(len(stated)) < 40, stated, np.nan))
    assert few.evidence.model is None
    assert "Too few referrals have a known type" in few.tables["type_model"].frame["reason"].iloc[0]


def test_types_that_are_told_are_drawn_with_their_uncertainty(modelled):
    """The model's probabilities are known better than none, and worse than stated types are."""
    width = {}
    for name, result in (
        ("model", modelled),
        ("known", with_referrals(modelled, would_have_joined=1 - (modelled.type_one > 0.5))),
    ):
        headline = headlines(again(result, draws=20))["total_referral_value"]
        width[name] = headline.high - headline.low
    assert width["model"] > 0 and width["known"] > 0
    drawn = np.stack(list(modelled._type_draws()))[:, np.isnan(modelled.stated_type_one)]
    assert set(np.unique(drawn)) == {0, 1}
    means = drawn.mean(axis=1)
    told = modelled.type_one[np.isnan(modelled.stated_type_one)]
    assert means.std() > 1.1 * np.sqrt((told * (1 - told)).sum()) / len(told)


# --- credit over generations --------------------------------------------------------------------------------


def test_who_would_have_come_anyway_passes_no_credit_on(found):
    all_of = again(found, generations=5, decay=1.0)
    two = with_referrals(all_of, would_have_joined=1.0)
    direct = with_referrals(found, would_have_joined=1.0)
    np.testing.assert_allclose(two.parts.net, direct.parts.net)  # all of type two: no further generation
    assert two.gross.sum() > direct.gross.sum()  # the sources' own version knows no types
    one = with_referrals(all_of, would_have_joined=0.0)
    np.testing.assert_allclose(one.parts.margin - one.parts.marketing, one.gross)


def test_drawn_types_pass_credit_on_as_their_probabilities_do(found):
    unknown = with_referrals(again(found, generations=4, decay=0.8), would_have_joined=np.nan)
    net = unknown._brought_draws[0]
    expected = unknown.parts.net[unknown._credited_customers]
    assert net.mean(axis=0).sum() == pytest.approx(expected.sum(), rel=0.05)
    # with all and none of type one the draws of versions lie around theirs
    for version in range(1, len(unknown.versions)):
        drawn = unknown._brought_draws[version].mean(axis=0).sum()
        assert drawn == pytest.approx(unknown.versions[version].sum(), rel=0.05)


# --- one total -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "choices",
    [
        {"generations": 3},
        {"generations": 50, "decay": 1.0},
        {"charge_type_two": True},
        {"classed_by": "gross"},
        {"probability_type_one": 0.0},
        {"lifetime_cut": "mean", "referral_cut": "positive"},
    ],
    ids=str,
)
def test_firm_is_worth_the_same_however_referrals_are_credited(found, choices):
    other = again(found, **choices)
    assert other.firm.total == pytest.approx(found.firm.total, rel=1e-12)
    assert headlines(other)["total_value"].value == pytest.approx(headlines(found)["total_value"].value, rel=1e-12)
    expected = found.customers.lifetime_value.sum() + found.saving.sum() - found.incentive.sum()
    assert other.firm.total == pytest.approx(expected, rel=1e-12)


def test_choices_of_credit_do_change_referral_value(found):
    net = found.parts.totals.net
    assert again(found, generations=3).parts.totals.net > net > again(found, charge_type_two=True).parts.totals.net


def test_without_referrals_the_firm_is_worth_its_lifetime_values(found, without):
    assert without.firm.total == pytest.approx(found.customers.lifetime_value.sum())
    total, lifetime = (headlines(without)[name].value for name in ("total_value", "total_lifetime_value"))
    assert total == pytest.approx(lifetime)


# --- classes and the campaign --------------------------------------------------------------------------


def test_shown_share_lies_in_its_interval_where_types_are_unknown(found):
    unknown = with_referrals(found, would_have_joined=np.nan, acquisition_cost=0.0)
    frame = unknown.tables["classes"].frame.set_index("class")
    assert (frame["low"] <= frame["expected_share"]).all() and (frame["expected_share"] <= frame["high"]).all()
    assert frame["expected_share"].sum() == pytest.approx(1)
    # half a referee makes everyone high who brought one: as classed, nobody is ever drawn
    assert not frame["share"].between(frame["low"], frame["high"]).all()


def test_campaign_gains_nothing_of_what_was_earned(found):
    richer = replace(found.customers, margin=found.customers.margin + 1e4)
    earned = replace(found, customers=richer)
    earned.__dict__["classes"] = found.classes
    before, after = (result.campaign.outcomes[1] for result in (found, earned))
    assert after.uplift.value == pytest.approx(before.uplift.value)
    assert after.net.low == pytest.approx(before.net.low)


def test_referrals_ahead_are_those_of_the_horizon(found):
    # what was brought per year is known; of a second year it counts a year's discount less
    gains = [again(found, horizon_weeks=weeks).campaign.outcomes[0].uplift for weeks in (52, 104)]
    twice = 1 + 1.1 ** -(364 / 365.25)
    assert gains[1].value == pytest.approx(twice * gains[0].value)
    assert gains[1].high == pytest.approx(twice * gains[0].high)


def test_small_classes_cannot_be_tested(found):
    frame = found.tables["road_map"].frame.set_index("class")
    sizes = found.tables["classes"].frame.set_index("class")["customers"]
    for name in ("affluents", "advocates", "misers"):
        too_small = frame.loc[name, "hold_out"] > sizes[name] / 2
        assert (frame.loc[name, "test"] == "class too small to test this") == too_small
    assert (frame["test"] == "class too small to test this").any()


# --- what must not matter ------------------------------------------------------------------------------


def test_classes_part_the_customers(found, otherwise):
    for result in (found, again(otherwise, min_cell=1), again(found, lifetime_cut="quantile", lifetime_cut_at=0.8)):
        frame = result.tables["classes"].frame
        assert frame["customers"].sum() == len(result.classes)
        assert frame["share"].sum() == pytest.approx(1)
        for value in ("lifetime_value", "referral_value"):
            assert frame[value].sum() == pytest.approx(headlines(result)[f"total_{value}"].value)


def test_neither_ids_nor_the_order_of_rows_nor_the_currency_matter(found, made, tmp_path):
    names = pd.Series(np.random.default_rng(4).permutation(1500), index=made.truth["customer_id"]).map("x{:04d}".format)
    tables = {}
    for name in INPUTS:
        frame = made.tables[name].sample(frac=1, random_state=1)
        relabelled = {column: frame[column].map(names) for column in IDS[name]}
        tables[name] = frame.assign(**relabelled, **{column: 7 * frame[column] for column in MONEY[name]})
    other = analyse(**files(tmp_path, tables), **QUICK)
    values = ["lifetime_value", "referral_value", "referral_value_gross"]
    ours, theirs = (result.processed["referral_value"].set_index("customer_id") for result in (found, other))
    theirs = theirs.loc[names.loc[ours.index.astype(int)]]
    assert theirs[values].to_numpy() == pytest.approx(7 * ours[values].to_numpy(), rel=1e-5, abs=1e-5)
    assert theirs["class"].tolist() == ours["class"].tolist()
    assert shares(other).tolist() == shares(found).tolist()
    assert verdicts(other) == verdicts(found)


# --- words follow the data -----------------------------------------------------------------------------


def test_opening_and_verdicts_change_with_the_data(found, otherwise, without):
    openings = [result.answer.split("\n\n")[0] for result in (found, otherwise, without)]
    assert len(set(openings)) == 3
    for result, opening in zip((found, otherwise), openings, strict=False):
        brought, bringers = (len(np.unique(places)) for places in (result.referee, result.referrer))
        assert opening.startswith(f"**{bringers} of ") and f"brought {brought:,} others" in opening
        assert f"{headlines(result)['total_referral_value'].value:,.0f}" in opening
        for claim in result.claims:
            assert f"{claim.verdict}.** {claim.why}" in result.answer
    assert openings[2].startswith("**No referral can be credited, so nobody")


def test_advice_follows_what_is_assumed_of_the_campaign(found):
    free = again(found, campaign={"advocates": {"contact_cost": 0.0, "incentive": 0.0, "response": 0.5}})
    dear = again(found, campaign={"misers": {"contact_cost": 50.0}})
    assert "worth it for advocates" in free.answer and "not for advocates and misers" in dear.answer
    assert free.tables["campaign"].frame.set_index("class").loc["advocates", "decision"] == "address"
    assert headlines(free)["campaign_return"].value > headlines(dear)["campaign_return"].value


# --- small groups --------------------------------------------------------------------------------------


def brought_by(result, champions: int):
    """Let so many of the best buyers, and the worst ones, bring everybody who was brought."""
    alone = np.setdiff1d(np.arange(len(result.classes)), result.referee)
    ordered = alone[np.argsort(result.customers.lifetime_value[alone])]
    chosen = np.concatenate([ordered[:100], ordered[len(ordered) - champions :]])
    return replace(result, referrer=chosen[np.arange(len(result.referee)) % len(chosen)])


def told_sizes(result) -> dict[str, int]:
    """Find out the sizes of classes as somebody would who has nothing but what is published."""
    frames = {name: table.frame for name, table in result.tables.items()}
    customers = headlines(result)["customers"].value
    equations = [(np.ones(4), customers)]
    for table, column in (("classes", "customers"), ("class_stability", "customers"), ("campaign", "addressed")):
        for line in frames[table].to_dict("records"):
            if line["class"] in CLASSES and pd.notna(line[column]):
                equations.append((np.array(CLASSES) == line["class"], line[column]))
    cuts = result.tables["classes"].caption
    if "(median), high referral" in cuts:  # half the customers are above
        equations.append((np.isin(CLASSES, ["affluents", "champions"]), customers // 2))
    if "above 0.00" in cuts and "customers" in frames["overlap"]:  # the largest top is of whoever brought value
        equations.append((np.isin(CLASSES, ["champions", "advocates"]), frames["overlap"]["customers"].max()))
    left, right = (np.array(side, float) for side in zip(*equations, strict=True))
    solution, inverse = np.linalg.lstsq(left, right)[0], np.linalg.pinv(left)
    is_told = np.isclose(np.diag(inverse @ left), 1)
    return {name: round(solution[place]) for place, name in enumerate(CLASSES) if is_told[place]}


def with_three(result, name: str):
    """Let a class have three customers: with both cuts at the median, or with the cut of referral value moved."""
    if name == "champions":
        return brought_by(result, champions=3)
    values = np.sort(result.referral_value[result.classes == CLASSES.index(name)])
    return again(result, referral_cut="fixed", referral_cut_at=float(values[-4:-2].mean()))


@pytest.mark.parametrize("small", ["champions", "advocates"])
def test_class_of_three_cannot_be_computed(found, small):
    few = with_three(found, small)
    assert (few.classes == CLASSES.index(small)).sum() == 3
    assert small not in told_sizes(few)
    assert f"{small} not shown" in few.answer
    assert_can_be_shown(few)


def test_moved_cut_tells_of_no_single_customer(found):
    # high referral value begins so high that three have it: a step up is past everyone
    few = again(found, referral_cut="fixed", referral_cut_at=float(np.mean(np.sort(found.referral_value)[-4:-2])))
    frame = few.tables["moved_cuts"].frame
    changed = (frame["changed"] * len(few.classes)).round()
    assert not ((changed > 0) & (changed < 5)).any()
    assert not frame["cut"].isin([few.referral_value.max(), few.customers.lifetime_value.max()]).any()


def test_large_classes_are_shown(found):
    assert told_sizes(found) == dict(zip(CLASSES, np.bincount(found.classes, minlength=4), strict=True))


# --- input gone wrong ----------------------------------------------------------------------------------


def test_every_flawed_referral_is_counted_or_refused(tmp_path):
    tables = firm(400, seed=5, flaws=dict.fromkeys(FLAWS, 2)).tables
    paths = files(tmp_path, tables, ("transactions", "referrals"))
    result = analyse(**paths, bad_rows="exclude", window_days=2000, **QUICK)
    account = result.tables["referral_accounting"].frame
    assert account["rows"].iloc[0] == len(tables["referrals"])
    assert account["rows"].iloc[:-1].sum() == account["rows"].iloc[-1] == len(result.referee)
    out = -account[account["step"] == "excluded"].set_index("reason")["rows"]
    kept = account[account["step"] == "kept"]["reason"].tolist()
    assert kept == ["2 rows whose incentive_cost is not a number from 0 up: it counts as not known"]
    for reason in ("referrer and referee are the same", "the referee has made no purchase",
                   "the referee has an earlier referrer"):  # fmt: skip
        assert out.pop(reason) == 2, reason
    # of each loop one referral at least goes by its dates, and is counted there
    assert (out >= 2).all() and 4 < out.sum() <= 8
    assert set(out.index) <= {"dated before the referrer's first purchase", "the referee was a customer already",
                              "it closes a loop of referrals"}  # fmt: skip
    said = " ".join(result.notes)
    assert "window of 2,000 days is longer than" in said
    assert "Loops in referrals.csv" in said and "several referrers: 2" in said
    assert_can_be_shown(result)

    split = read_again(result, paths["referrals"], several_referrers="split")
    later = account.set_index("reason").loc["the referee has an earlier referrer", "amount"]
    assert len(split.referee) == len(result.referee) + 2
    assert split.firm.saving == pytest.approx(result.firm.saving)
    # what was paid to the later ones was paid, whether or not they are credited
    assert later < 0 and split.firm.total == pytest.approx(result.firm.total)

    with pytest.raises(InputRefused, match=r"referrals.csv(.|\n)*'incentive_cost': 2 rows(.|\n)*bad_rows") as refused:
        read_again(result, paths["referrals"], bad_rows="refuse")
    assert str(refused.value).count("\n  - ") == 1


def test_own_columns_and_what_they_do_not_say(made, tmp_path):
    tables = {
        name: made.tables[name].assign(date=made.tables[name]["date"].dt.strftime("%d/%m/%Y"))
        for name in ("transactions", "referrals")
    }
    brought = tables["referrals"][["referrer_id", "referee_id", "date"]]
    tables["referrals"] = brought.rename(columns={"referrer_id": "from", "referee_id": "to"})
    choices = {"referrals_columns": {"from": "referrer_id", "to": "referee_id"}, "date_format": "%d/%m/%Y"}
    choices |= {"acquisition_saving": 25.0, "incentive_cost": 10.0, "currency": "EUR"}
    result = analyse(**files(tmp_path, tables, ("transactions", "referrals")), **choices, **QUICK)
    said = " ".join(result.warnings)
    for part in ("Nobody knows which referees", "10.00 is taken (incentive_cost)", "25.00 is taken (acquisition_sav"):
        assert part in said
    assert "EUR** net" in result.answer and headlines(result)["total_value"].unit == "EUR"
    assert result.saving.sum() == 25 * len(result.referee) and result.incentive.sum() == 10 * len(result.referee)


def test_one_customer_who_refers_to_themselves_is_a_stated_limitation(tmp_path):
    purchases = {"customer_id": "only", "date": ["2024-01-03", "2024-02-01", "2024-04-09"], "amount": [10.0, 20, 30]}
    referral = {"referrer_id": ["only"], "referee_id": ["only"], "date": ["2024-01-03"]}
    tables = {"transactions": pd.DataFrame(purchases), "referrals": pd.DataFrame(referral)}
    result = analyse(**files(tmp_path, tables, tables), **QUICK)
    assert result.tables["referral_accounting"].frame["reason"].tolist()[1] == "referrer and referee are the same"
    assert any("No referral can be credited" in sentence for sentence in result.warnings)
    assert any("intervals carry only who" in sentence for sentence in result.warnings)
    assert set(verdicts(result).values()) == {"cannot be tested"}
    assert_can_be_shown(result)


def test_no_referrals_are_a_stated_limitation(without):
    assert any("No referral can be credited" in sentence for sentence in without.warnings)
    assert any("No referrals are given" in sentence for sentence in without.notes)
    assert set(verdicts(without).values()) == {"cannot be tested"}
    assert headlines(without)["campaign_return"].value is None
    assert without.tables["referral_accounting"].frame.columns.tolist() == ["reason"]


@pytest.mark.parametrize("cut, only", [(1e9, "misers"), (-1e9, "champions")])
def test_all_in_one_class_are_a_stated_limitation(found, cut, only):
    cuts = {"lifetime_cut": "fixed", "lifetime_cut_at": cut, "referral_cut": "fixed", "referral_cut_at": cut}
    result = again(found, **cuts)
    assert shares(result)[only] == 1
    assert f"All customers are {only}: the cuts tell nobody apart." in result.warnings
    assert "What the road map would bring cannot be told here." in result.answer
    assert_can_be_shown(result)


@pytest.mark.parametrize(
    "choices, said",
    [
        ({"classed_by": "both"}, "classed_by must be one of net, gross"),
        ({"campaign": {"champions": {}}}, "campaign knows measures for"),
        ({"campaign": {"misers": {"response": 2}}}, "campaign of misers: response must be a share from 0 to 1"),
        ({"campaign": {"affluents": {"response": "much"}}}, "of affluents: response must be a share from 0 to 1, such"),
        ({"campaign": {"affluents": {"respons": 0.1}}}, "of affluents: respons is not known; known are response"),
        ({"campaign": {"affluents": 0.1}}, "of affluents: a measure is described by names"),
        ({"second_touch_days": 20}, "second_touch_days must be from 1 to 14"),
        ({"probability_type_one": 1.5}, "probability_type_one is one of model, share, stated, or a probability such"),
        (
            {"probability_type_one": "half"},
            "probability_type_one is one of model, share, stated, or a probability such",
        ),
        ({"lifetime_cut": "quantile", "lifetime_cut_at": 3.0}, "lifetime_cut_at is a share"),
        ({"window": 30}, "Did you mean window_days"),
        ({"several_referrers": "last", "decay": 2.0}, "several_referrers must be(.|\n)*decay is a share"),
    ],
    ids=lambda each: "-".join(each) if isinstance(each, dict) else "",
)
def test_wrong_choices_are_refused(choices, said):
    with pytest.raises(InputRefused, match=said):
        analyse(**{"transactions": "cdnow_sample", "referrals": "", "marketing_touches": ""} | QUICK | choices)


# --- a whole run ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_report_names_no_customer(tmp_path):
    tables = firm(600, seed=9, **HORIZON).tables
    secret = {
        name: tables[name].assign(**{each: "secret-" + tables[name][each].astype(str) for each in IDS[name]})
        for name in INPUTS
    }
    workspace = Workspace.find(ROOT).publishing_to(tmp_path / "out")
    choices = files(tmp_path, secret) | QUICK | {"currency": "EUR"}
    run = run_report(planned("own", workspace.notebooks()["referral_value"], choices), workspace)
    assert run.outcome == "success", run.message
    record = json.loads((run.page.parent / "manifest.json").read_text(encoding="utf-8"))
    folder = run.page.parent.parent / record["run_id"]
    kinds = {".html", ".ipynb", ".csv", ".svg", ".json"}
    texts = [path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.suffix in kinds]
    assert len(texts) > 20 and not any("secret-" in text for text in texts)
    page = run.page.read_text(encoding="utf-8")
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    assert results.keys() >= RESULTS and "Simulated data" not in page
    assert f"{results['total_referral_value']['value']:,.0f} EUR" in page
    claims = pd.read_csv(folder / "tables" / "claims.csv")
    assert all(verdict in page for verdict in claims["verdict"])
    kept = pd.read_parquet(tmp_path / "out" / "data" / "processed" / "own" / "referral_value.parquet")
    assert len(kept) == 600 and kept["customer_id"].str.startswith("secret-").all()


def test_what_fewer_than_five_people_brought_is_not_shown(tmp_path, few=3):
    made = firm(800, seed=4)
    referrals = made.tables["referrals"]
    some = referrals[referrals["referrer_id"].isin(referrals["referrer_id"].unique()[:few])]
    tables = {"transactions": made.tables["transactions"], "referrals": some}
    result = analyse(**files(tmp_path, tables, tables), **QUICK)
    assert "Fewer than 5 customers brought others" in result.answer and result.warnings
    for name in ("total_referral_value", "total_referral_value_gross", "campaign_return", "total_value"):
        assert headlines(result)[name].value is None
    for name in ("referral_parts", "firm_total", "type_sensitivity", "value_by_decile", "overlap", "generations"):
        assert list(result.tables[name].frame.columns) == ["reason"], name
    assert result.tables["classes"].frame.drop(columns="class").isna().all(axis=None)
