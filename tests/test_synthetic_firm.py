import inspect
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.special import ndtri

from helpers.data import transactions as transactions_data
from helpers.models.lifetime_value.gamma_gamma import fit_gamma_gamma
from helpers.models.lifetime_value.purchase_models.bg_nbd import fit_bg_nbd
from helpers.synthetic.firm import default_parameters, firm
from helpers.synthetic.firm.firm import PARTS
from helpers.synthetic.firm.people import CATEGORIES, draw_people
from helpers.synthetic.firm.purchases import transactions
from helpers.synthetic.firm.referrals import FLAWS
from helpers.synthetic.firm.truth import customer_truth
from helpers.synthetic.satisfaction_survey import CONSTRUCTS, ITEMS
from helpers.synthetic.transactions import Traits, draw_purchases

CUSTOMERS = 4000
START, END = pd.Timestamp("2023-01-01"), pd.Timestamp("2023-01-01") + pd.Timedelta(days=730)
DATES = {"date", "start", "first_date", "left_date"}
UNLINKED = {
    "satisfaction_to_dropout": 0,
    "satisfaction_to_spend": 0,
    "referred_to_dropout": 0,
    "referred_to_spend": 0,
}


@pytest.fixture(scope="module")
def made():
    return firm(CUSTOMERS)


@pytest.fixture(scope="module")
def truth(made):
    return made.truth.set_index("customer_id")


# --- one firm ---------------------------------------------------------------------------------------------------


def test_every_table_is_there_and_of_the_same_customers(made):
    assert (
        list(made.tables)
        == (
            "transactions marketing_touches referrals service_contacts contracts exits receivables market_spend "
            "satisfaction_survey kano_survey"
        ).split()
    )
    assert made.truth["customer_id"].tolist() == list(range(1, CUSTOMERS + 1))
    for table in (*made.tables.values(), made.truth):
        for column in {"customer_id", "referrer_id", "referee_id"} & set(table):
            assert table[column].dropna().between(1, CUSTOMERS).all()
        for column in (DATES & set(table)) - {"end"}:
            assert table[column].dropna().between(START, END).all(), column
            assert (table[column].dropna().dt.normalize() == table[column].dropna()).all()


def test_order_lines_add_up_to_the_purchases():
    people, purchases = draw_people(300, np.random.default_rng(1))
    lines = transactions(people, purchases, np.random.default_rng(2), further_lines=3)
    orders = lines.groupby("order_id")
    np.testing.assert_allclose(orders["amount"].sum(), purchases.amount)
    assert orders["customer_id"].first().tolist() == (purchases.customer + 1).tolist()
    assert (orders[["customer_id", "date", "segment"]].nunique() == 1).all(axis=None)
    assert 3.5 < len(lines) / len(purchases.amount) < 4.5
    assert (lines["amount"] >= 0.01).all() and (lines["quantity"] >= 1).all()
    assert ((lines["margin"] >= 0) & (lines["margin"] <= lines["amount"])).all()
    for name in ("amount", "margin"):
        np.testing.assert_allclose(lines[name] * 100, np.rint(lines[name] * 100))
    assert lines["date"].is_monotonic_increasing
    assert (lines["product_id"].astype(str).str.rpartition("-")[0] == lines["category"].astype(str)).all()


def test_an_order_of_one_cent_is_one_line():
    people, purchases = draw_people(50, np.random.default_rng(1), v=1e-6)
    lines = transactions(people, purchases, np.random.default_rng(2), further_lines=5)
    assert set(purchases.amount) == {0.01} and len(lines) == len(purchases.amount)


def test_margin_is_that_of_the_category_and_the_customer(made):
    lines = made.tables["transactions"]
    rates = lines.groupby("category", observed=True)[["margin", "amount"]].sum()
    for name, (_, rate, _) in CATEGORIES.items():
        assert rates.loc[name, "margin"] / rates.loc[name, "amount"] == pytest.approx(rate, abs=0.005)
    assert lines["category"].value_counts(normalize=True)["books"] == pytest.approx(0.25, abs=0.01)
    expected = (
        made.truth.set_index("customer_id")["margin_rate"].loc[lines["customer_id"]] * lines["amount"].array
    ).sum()
    assert lines["margin"].sum() == pytest.approx(expected, rel=0.01)


def test_referrals_are_forests_in_order_of_time(made, truth):
    table = made.tables["referrals"]
    assert table["referee_id"].is_unique and table["date"].is_monotonic_increasing
    referrer, referee = truth.loc[table["referrer_id"]], truth.loc[table["referee_id"]]
    assert (table["date"].array > referrer["first_date"].array).all()
    assert (table["date"].array <= referee["first_date"].array).all()
    assert ((referee["first_date"].array - table["date"].array) < pd.Timedelta(days=30)).all()
    left = referrer["left_date"].fillna(END)
    assert (left.array >= referee["first_date"].array).all()
    assert (referee["referrer_id"].array == table["referrer_id"].array).all()
    assert (referee["would_have_joined"].array == table["would_have_joined"].array).all()
    assert truth["referrer_id"].notna().sum() == len(table)
    assert table["referrer_id"].isin(table["referee_id"]).any()  # more than one generation
    assert len(table) / CUSTOMERS == pytest.approx(0.3, abs=0.03)
    assert table["would_have_joined"].mean() == pytest.approx(0.5, abs=0.06)
    assert table["incentive_cost"].mean() == pytest.approx(10, rel=0.05)
    assert table["acquisition_cost"].mean() == pytest.approx(25, rel=0.05)


def test_who_is_alive_has_no_exit(made, truth):
    exits = made.tables["exits"].set_index("customer_id")["date"]
    assert set(exits.index) == set(truth.index[~truth["alive_at_end"]])
    assert truth["left_date"].isna().equals(truth["alive_at_end"])
    last = made.tables["transactions"].groupby("customer_id")["date"].max()
    assert (truth["left_date"].dropna() == last[~truth["alive_at_end"]]).all()
    assert (last >= truth["first_date"]).all()


def test_values_add_up_by_hand(made, truth):
    lines, touches, brought = (made.tables[name] for name in ("transactions", "marketing_touches", "referrals"))
    by_hand = (
        lines.groupby("customer_id")["margin"].sum().sub(touches.groupby("customer_id")["cost"].sum(), fill_value=0)
    )
    by_hand += truth["expected_residual_margin"]
    np.testing.assert_allclose(truth["lifetime_value"], by_hand, atol=1e-9)
    assert (truth.loc[~truth["alive_at_end"], "expected_residual_margin"] == 0).all()
    net, gross = pd.Series(0.0, truth.index), pd.Series(0.0, truth.index)
    for row in brought.itertuples():
        value = truth.loc[row.referee_id, "lifetime_value"]
        gross[row.referrer_id] += value
        net[row.referrer_id] += row.acquisition_cost + (0 if row.would_have_joined else value - row.incentive_cost)
    np.testing.assert_allclose(truth["gross_referral_value"], gross, atol=1e-9)
    np.testing.assert_allclose(truth["referral_value"], net, atol=1e-9)
    high = truth["lifetime_value"] > truth["lifetime_value"].median(), truth["referral_value"] > net.median()
    for name, wanted in {"champions": high[0] & high[1], "misers": ~high[0] & ~high[1]}.items():
        assert ((truth["customer_class"] == name) == wanted).all()
        assert made.true[f"share_{name}"] == pytest.approx(wanted.mean())
    saved = brought["acquisition_cost"].sum() - brought["incentive_cost"].sum()
    assert made.true["total_value"] == pytest.approx(truth["lifetime_value"].sum() + saved)
    contacts = made.tables["service_contacts"].groupby("customer_id")["cost"].sum()
    assert truth["service_cost"].sum() == pytest.approx(contacts.sum()) == made.true["total_service_cost"]
    assert truth["service_cost"][contacts.index].to_numpy() == pytest.approx(contacts.to_numpy())
    recent = lines[lines["date"] > END - pd.Timedelta(days=365)].groupby("customer_id")["margin"].sum()
    np.testing.assert_allclose(truth["current_margin"], recent.reindex(truth.index, fill_value=0), atol=1e-9)


def test_respondents_are_customers_and_answer_what_they_feel(made, truth):
    survey = made.tables["satisfaction_survey"]
    assert survey["customer_id"].is_unique and len(survey) == 1000
    people = truth.loc[survey["customer_id"]]
    assert (people["segment"].astype(str).array == survey["segment"].array).all()
    answers = survey[[name for name, (construct, *_) in ITEMS.items() if construct == "satisfaction"]].astype(float)
    assert np.corrcoef(answers.mean(axis=1), people["satisfaction"])[0, 1] > 0.85
    assert 100 * (answers.mean().mean() - 1) / 9 == pytest.approx(made.true["index_satisfaction"], abs=2)
    kano = made.tables["kano_survey"]
    assert (kano.groupby("respondent_id")["customer_id"].nunique() == 1).all() and kano["customer_id"].nunique() == 400
    assert (truth.loc[kano["customer_id"], "segment"].astype(str).array == kano["segment"].array).all()


# --- the parts ----------------------------------------------------------------------------------------------------


def simulated_margin(rate, dropout, weeks, discount, seed):
    """Mean discounted purchases of people who all have the same traits, from now on."""
    size = 50_000
    same = Traits(*(np.full(size, value) for value in (0.0, rate, dropout, 1.0)))
    bought = draw_purchases(same, np.random.default_rng(seed), p=1, end_day=7 * weeks - 1)
    later = bought.day > 0
    return ((1 + discount) ** (-bought.day[later] / 365.25)).sum() / size


@pytest.mark.parametrize(
    "rate, dropout, weeks, discount",
    [(0.3, 0.25, 52, 0.1), (0.7, 0.05, 26, 0.5), (0.05, 0.9, 104, 0), (0.2, 1e-12, 52, 0)],
)
def test_residual_margin_is_what_a_simulation_brings(rate, dropout, weeks, discount):
    people, _ = draw_people(1, np.random.default_rng(0))
    traits = {"rate": rate, "dropout_probability": dropout, "spend": 40.0, "margin_rate": 0.25}
    person = type(people)(**vars(people) | {name: np.array([value]) for name, value in traits.items()})
    simulated = 10 * simulated_margin(rate, dropout, weeks, discount, 3)
    # the number of purchases varies about as a Poisson or geometric one, so its mean over 50,000 lies within this
    assert person.expected_margin(weeks, discount)[0] == pytest.approx(simulated, rel=0.02)


def test_residual_margin_of_who_never_buys_or_never_leaves():
    people, _ = draw_people(2, np.random.default_rng(0))
    traits = {"rate": [0.0, 2.0], "dropout_probability": [0.5, 0.0], "spend": [1.0, 1.0], "margin_rate": [1.0, 1.0]}
    still = type(people)(**vars(people) | {name: np.array(value) for name, value in traits.items()})
    assert still.expected_margin(10).tolist() == [0.0, 20.0]


def test_without_links_the_models_recover_their_parameters():
    """Exact moments, so within sampling error alone."""
    people, bought = draw_people(20_000, np.random.default_rng(1), **UNLINKED)
    size = len(people)
    frequency = np.bincount(bought.customer, minlength=size) - 1
    last = np.zeros(size)
    np.maximum.at(last, bought.customer, bought.day)
    age = (people.end_day + 1 - people.joined) / 7
    fits = [fit_bg_nbd(frequency, (last - people.joined) / 7, age)]
    repeats = bought.day > people.joined[bought.customer]
    total = np.bincount(bought.customer[repeats], bought.amount[repeats], minlength=size)
    fits.append(fit_gamma_gamma(frequency[frequency > 0], total[frequency > 0] / frequency[frequency > 0]))
    for fit in fits:
        truth = np.array([default_parameters()[name] for name in fit.names])
        assert (np.abs(fit.estimates - truth) < 4 * fit.standard_errors).all(), (fit.names, fit.estimates)


# --- links ----------------------------------------------------------------------------------------------------------


def drawn(seed=5, **links):
    return draw_people(20_000, np.random.default_rng(seed), **links)[0]


def by_satisfaction(people, values):
    order = np.argsort(people.satisfaction)
    return values[order[:5000]].mean(), values[order[-5000:]].mean()


def test_satisfaction_moves_dropout_and_spend():
    none, linked = drawn(**UNLINKED), drawn(**UNLINKED | {"satisfaction_to_dropout": 0.8, "satisfaction_to_spend": 0.3})
    low, high = by_satisfaction(none, none.dropout_probability)
    assert low == pytest.approx(high, abs=0.02)
    low, high = by_satisfaction(linked, linked.dropout_probability)
    assert low > 1.5 * high
    # the same people, moved by exactly what was said
    odds = [people.dropout_probability / (1 - people.dropout_probability) for people in (none, linked)]
    np.testing.assert_allclose(odds[1], odds[0] * np.exp(-0.8 * none.satisfaction), rtol=1e-6)
    np.testing.assert_allclose(linked.spend, none.spend * np.exp(0.3 * none.satisfaction))
    assert linked.alive.mean() != none.alive.mean()
    low, high = by_satisfaction(linked, linked.alive)
    assert high > low + 0.15


def referrals_of(people):
    return np.bincount(people.referrer[people.referrer >= 0], minlength=len(people))


def test_satisfaction_and_value_move_referrals():
    off = {"satisfaction_to_referral": 0, "value_to_referral": 0, **UNLINKED}
    low, high = by_satisfaction(drawn(**off), referrals_of(drawn(**off)))
    assert low == pytest.approx(high, abs=0.05)
    linked = drawn(**off | {"satisfaction_to_referral": 0.5})
    low, high = by_satisfaction(linked, referrals_of(linked))
    assert high > 2 * low
    for effect in (-1.0, 1.0):
        people = drawn(**off | {"value_to_referral": effect})
        rich = people.expected_margin(52)
        rich = rich > np.median(rich)
        assert np.sign(referrals_of(people)[rich].mean() - referrals_of(people)[~rich].mean()) == effect


def test_referees_differ_where_that_is_said():
    off, on = drawn(**UNLINKED), drawn(**UNLINKED | {"referred_to_dropout": -0.7, "referred_to_spend": 0.4})
    moved = on.spend / off.spend
    assert np.isclose(moved, np.exp(0.4)).mean() == pytest.approx(0.3, abs=0.02)
    brought = on.referrer >= 0
    np.testing.assert_allclose(moved[brought], np.exp(0.4))
    assert (on.dropout_probability[brought] < off.dropout_probability[brought]).all()
    assert np.isclose(moved[~brought], 1).mean() > 0.99  # but for those who came before anyone could bring them


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_types_and_numbers_of_referrals(share):
    people = drawn(type_one_share=share)
    assert (people.would_have_joined == ((people.referrer >= 0) & (share == 0))).all()
    assert (drawn(referred_share=share).referrer >= 0).mean() == pytest.approx(share, abs=0.01)
    assert (drawn(willing_share=0.0).referrer == -1).all()


@pytest.mark.parametrize("slope", [0.0, 1.5])
def test_long_standing_customers_bring_those_who_would_not_have_come(slope):
    people = drawn(tenure_to_type_one=slope)
    brought = people.referrer >= 0
    years = (people.joined[brought] - people.joined[people.referrer[brought]]) / 365.25
    type_one = ~people.would_have_joined[brought]
    oracle = sm.Logit(type_one, sm.add_constant(years - years.mean())).fit(disp=False)
    assert np.abs((oracle.params - [0, slope]) / oracle.bse).max() < 3


def test_the_link_to_types_and_what_is_said_of_them_move_nothing_else(small):
    linked = firm(1000, tenure_to_type_one=2.0, type_stated_share=0.4)
    kept = [name for name in small.tables if name != "referrals"]
    for name in kept:
        pd.testing.assert_frame_equal(linked.tables[name], small.tables[name])
    ours, theirs = (each.tables["referrals"] for each in (linked, small))
    pd.testing.assert_frame_equal(ours.drop(columns="would_have_joined"), theirs.drop(columns="would_have_joined"))
    assert ours["would_have_joined"].notna().mean() == pytest.approx(0.4, abs=0.1)
    assert linked.true["tenure_to_type_one"] == 2 and linked.truth["would_have_joined"].notna().sum() == len(ours)


# The first table is changed, the others may be.
REACHES = {
    "satisfaction_to_referral": ["referrals", "market_spend"],
    "value_to_referral": ["referrals", "market_spend"],
    "type_one_share": ["referrals"],
    "type_stated_share": ["referrals"],
    "incentive_cost": ["referrals", "market_spend"],
    "acquisition_cost": ["referrals"],
    "margin_spread": ["transactions", "referrals", "market_spend"],
    "further_lines": ["transactions"],
    "further_items": ["transactions"],
    "touches_per_year": ["marketing_touches", "market_spend"],
    "blank": ["satisfaction_survey"],
    "kano_segment_effect": ["kano_survey"],
    "contacts_per_year": ["service_contacts"],
    "satisfaction_to_renewal": ["contracts"],
    "satisfaction_to_poaching": ["exits"],
    "sales_to_overdue": ["receivables"],
    "spend_to_new_customers": ["market_spend"],
}


@pytest.fixture(scope="module")
def small():
    return firm(1000)


@pytest.mark.parametrize("parameter, reached", REACHES.items())
def test_what_is_switched_off_leaves_the_rest_alone(small, parameter, reached):
    off = firm(1000, **{parameter: 0})
    for name, table in small.tables.items():
        if name not in reached:
            pd.testing.assert_frame_equal(off.tables[name], table)
    assert not off.tables[reached[0]].equals(small.tables[reached[0]])
    traits = ["rate", "dropout_probability", "mean_spend", "left_date", *CONSTRUCTS]
    pd.testing.assert_frame_equal(off.truth[traits], small.truth[traits])


def test_links_to_behaviour_leave_feelings_and_first_days_alone(small):
    off = firm(1000, **UNLINKED)
    same = ["customer_id", "segment", "first_date", *CONSTRUCTS, "rate", "margin_rate"]
    pd.testing.assert_frame_equal(off.truth[same], small.truth[same])
    for name in ("satisfaction_survey", "kano_survey", "marketing_touches"):
        pd.testing.assert_frame_equal(off.tables[name], small.tables[name])


def test_loyalty_lowers_the_margin_rate_and_nothing_else(small):
    linked = firm(1000, loyalty_to_margin=0.05)
    fall = small.truth["margin_rate"] - linked.truth["margin_rate"]
    rank = small.truth["rate"].rank()
    np.testing.assert_allclose(fall, 0.05 * ndtri((rank - 0.5) / len(rank)), atol=1e-9)
    bought, unlinked = linked.tables["transactions"], small.tables["transactions"]
    pd.testing.assert_frame_equal(bought.drop(columns="margin"), unlinked.drop(columns="margin"))
    saved = (unlinked["margin"] - bought["margin"]).to_numpy()
    expected = fall.to_numpy()[bought["customer_id"] - 1] * bought["amount"]
    np.testing.assert_allclose(saved, expected, atol=0.0101)
    for name in ("marketing_touches", "service_contacts", "contracts", "exits", "receivables"):
        pd.testing.assert_frame_equal(linked.tables[name], small.tables[name])


def test_profit_falls_while_sales_rise(small):
    """B12, and the contrary with the defaults."""
    falling = firm(1000, margin_trend=-0.2)
    for each, grows in ((small, True), (falling, False)):
        lines = each.tables["transactions"]
        years = lines.groupby(lines["date"].dt.year)[["amount", "margin"]].sum().diff().loc[2024]
        assert years["amount"] > 0 and (years["margin"] > 0) == grows
    lines, usual = falling.tables["transactions"], small.tables["transactions"]
    years = (lines["date"] - START).dt.days / 365.25
    lost = usual["margin"] - lines["margin"]
    # A line is dated by its day, and its margin is of the moment.
    np.testing.assert_allclose(lost, 0.2 * years * lines["amount"], atol=0.0101 + 0.2 / 365 * lines["amount"].max())
    now = small.truth["margin_rate"] - 0.2 * 730 / 365.25
    np.testing.assert_allclose(falling.truth["margin_rate"], now)
    there = small.truth["alive_at_end"] & (small.truth["expected_residual_margin"] > 0)
    ratio = (falling.truth["expected_residual_margin"] / small.truth["expected_residual_margin"])[there]
    np.testing.assert_allclose(ratio, (now / small.truth["margin_rate"])[there])


def test_contacts_that_cost_more_put_customers_below_zero(small):
    def below_zero(each):
        cost = each.truth["marketing_cost"] + each.truth["service_cost"]
        return (each.truth["realised_margin"] < cost).mean()

    dear = firm(1000, contact_cost_factor=10)
    assert below_zero(dear) > below_zero(small) + 0.1
    assert below_zero(firm(1000, contact_cost_factor=0, touches_per_year=0)) == 0
    same = ["customer_id", "date", "kind", "resolved"]
    contacts, usual = dear.tables["service_contacts"], small.tables["service_contacts"]
    pd.testing.assert_frame_equal(contacts[same], usual[same])
    np.testing.assert_allclose(contacts["cost"], 10 * usual["cost"], atol=0.0551)
    assert (dear.truth["lifetime_value"] == small.truth["lifetime_value"]).all()


def test_seed_decides_everything(made):
    again, other = firm(CUSTOMERS), firm(CUSTOMERS, 12)
    pd.testing.assert_frame_equal(again.truth, made.truth)
    for name, table in made.tables.items():
        pd.testing.assert_frame_equal(again.tables[name], table)
        assert not other.tables[name].equals(table)
    # nan stands where nothing is to be said
    assert again.true.keys() == made.true.keys() and np.array_equal(
        list(again.true.values()), list(made.true.values()), equal_nan=True
    )


def test_the_claims_come_out_both_ways(made):
    """A07: mean referral value exceeds mean lifetime value. A08: who is high in one is usually not so in the other."""
    assert made.true["referral_less_lifetime_value"] < 0
    assert firm(CUSTOMERS, acquisition_cost=200).true["referral_less_lifetime_value"] > 0
    # referees are customers too: with the others worth something, gross referral value cannot exceed lifetime value
    assert made.true["total_gross_referral_value"] < made.true["total_lifetime_value"]
    assert made.true["high_lifetime_among_high_referral"] < 0.5 and made.true["rank_correlation"] < 0
    valued = firm(CUSTOMERS, value_to_referral=1.5).true
    assert valued["high_lifetime_among_high_referral"] > 0.7 and valued["rank_correlation"] > 0.15


# --- flaws ----------------------------------------------------------------------------------------------------------


def test_flaws_are_planted_and_counted(made, truth):
    flawed = firm(CUSTOMERS, flaws=dict.fromkeys(FLAWS, 7))
    pd.testing.assert_frame_equal(flawed.truth, made.truth)
    assert {flawed.true[f"flaw_{name}"] for name in FLAWS} == {7.0}
    assert {made.true[f"flaw_{name}"] for name in FLAWS} == {0.0}
    table = flawed.tables["referrals"]
    assert len(table) == len(made.tables["referrals"]) + 14
    known = table[table["referee_id"].isin(truth.index)]
    own = known["referrer_id"] == known["referee_id"]
    pairs = set(zip(known["referrer_id"], known["referee_id"], strict=True))
    back = np.array([(row.referee_id, row.referrer_id) in pairs for row in known.itertuples()]) & ~own
    rest = known[~own & ~back]
    first = {side: truth.loc[rest[f"{side}_id"], "first_date"].array for side in ("referrer", "referee")}
    found = {
        "self_referrals": own.sum(),
        "loops": back.sum() / 2,
        "two_referrers": known["referee_id"].duplicated().sum(),
        "unknown_referees": len(table) - len(known),
        "before_first_purchase": (rest["date"].array < first["referrer"]).sum(),
        "after_joining": (rest["date"].array > first["referee"]).sum(),
        "negative_incentives": (table["incentive_cost"] < 0).sum(),
    }
    assert found == dict.fromkeys(FLAWS, 7)


def test_there_is_no_room_for_flaws_in_an_empty_table():
    empty = firm(50, referred_share=0, flaws=dict.fromkeys(FLAWS, 2))
    assert empty.tables["referrals"].empty and empty.true["flaw_loops"] == 0


# --- the whole --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("customers", [1, 2, 20])
def test_small_firms(customers):
    small = firm(customers)
    assert len(small.truth) == customers and set(small.tables["transactions"]["customer_id"]) == set(
        small.truth["customer_id"]
    )
    assert small.true["total_referrals"] == len(small.tables["referrals"]) <= customers - 1
    assert len(small.tables["kano_survey"]) == 8 * customers


def test_no_referrals_at_all():
    alone = firm(200, referred_share=0)
    assert alone.tables["referrals"].empty and alone.true["total_referral_value"] == 0
    assert set(alone.truth["customer_class"]) <= {"affluents", "misers"}
    assert alone.truth["referrer_id"].isna().all() and np.isnan(alone.true["rank_correlation"])


def test_written_tables_are_read_by_the_workspace(made, tmp_path):
    made.write(tmp_path / "new" / "firm")
    files = {path.stem for path in (tmp_path / "new" / "firm").iterdir()}
    assert files == {*made.tables, "truth"}
    read = pd.read_parquet(tmp_path / "new" / "firm" / "truth.parquet")
    pd.testing.assert_frame_equal(read, made.truth)
    bought = transactions_data.load(str(tmp_path / "new" / "firm" / "transactions.parquet"), today="2026-01-01")
    days = made.tables["transactions"].drop_duplicates(["customer_id", "date"])
    assert bought.table.count().execute() == len(days) and bought.has_margin


@pytest.mark.parametrize(
    "change, words",
    [
        ({"customers": 0}, "customers must be positive"),
        ({"alpha": -1}, "alpha must be positive"),
        ({"referred_share": 1.2}, "referred_share must be a share"),
        ({"willing_share": float("nan")}, "willing_share must be a share"),
        ({"acquisition_days": 900}, "acquisition_days"),
        ({"blank": 2}, "blank must be a share"),
        ({"satisfaction_to_weather": 1}, "satisfaction_to_weather is no parameter of the firm"),
        ({"flaws": {"ghosts": 1}}, "flaws must be counts of self_referrals"),
        ({"flaws": {"loops": -1}}, "flaws must be counts"),
        ({"type_stated_share": 1.2}, "type_stated_share must be a share"),
        ({"contact_cost_factor": -1}, "contact_cost_factor must be a number from 0 up"),
        ({"annual_discount_rate": -2}, "annual_discount_rate must be above -1"),
    ],
)
def test_impossible_firms_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        firm(**{"customers": 20} | change)


def test_a_keyword_means_the_same_in_all_parts():
    seen = {}
    for part in (*PARTS.values(), customer_truth):
        for name, parameter in inspect.signature(part).parameters.items():
            if parameter.kind is parameter.KEYWORD_ONLY:
                assert seen.setdefault(name, parameter.default) == parameter.default, name
    assert seen == default_parameters()


def test_documentation_lists_every_parameter_with_its_default():
    page = (Path(__file__).parent.parent / "docs" / "synthetic_firm.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| ([^|]+) \|[^|]*\|$", page, re.MULTILINE))
    assert rows.keys() == default_parameters().keys()
    for name, default in default_parameters().items():
        if isinstance(default, (int, float)):
            assert float(rows[name]) == default, name
