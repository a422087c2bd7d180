"""Service, contracts, exits, receivables and spend of the simulated firm; and the contracts that hold such tables."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import betaln, expit

from helpers.analyses.lifetime_value.analysis import LifetimeValue
from helpers.data import contracts as table_contracts
from helpers.data import marketing_touches as loaded_touches
from helpers.data import referrals as loaded_referrals
from helpers.data import transactions as loaded_transactions
from helpers.data.cleaning import check
from helpers.data.refusal import InputRefused
from helpers.data.sources import BUILT_IN, fingerprint
from helpers.synthetic.firm.contracts import contracts
from helpers.synthetic.firm.exits import CAUSES, exits
from helpers.synthetic.firm.market_spend import CHANNELS, market_spend
from helpers.synthetic.firm.marketing import DAYS_PER_YEAR, marketing_touches
from helpers.synthetic.firm.people import draw_people
from helpers.synthetic.firm.receivables import receivables
from helpers.synthetic.firm.referrals import referrals
from helpers.synthetic.firm.service import KINDS, service_contacts

NEW_TABLES = ("service_contacts", "contracts", "exits", "receivables", "market_spend")


def rng():
    return np.random.default_rng(17)


@pytest.fixture(scope="module")
def firm():
    return draw_people(20_000, rng())


@pytest.fixture(scope="module")
def people(firm):
    return firm[0]


def index(table):
    return table.customer_id.to_numpy() - 1


def days(people, dates):
    return (dates.to_numpy().astype("M8[D]") - people.start_date).astype(int)


def spend(people, touches=None, **links):
    touches = marketing_touches(people, rng()) if touches is None else touches
    return market_spend(people, touches, referrals(people, rng()), rng(), **links)


def slope(x, successes, trials):
    """Fit a logistic regression; give its slope and the slope's standard error."""

    def loss(parameters):
        odds = parameters[0] + parameters[1] * x
        return (trials * np.logaddexp(0, odds) - successes * odds).sum()

    intercept, found = minimize(loss, [0.0, 0.0]).x
    share = expit(intercept + found * x)
    weight = trials * share * (1 - share)
    return found, ((weight * x**2).sum() - (weight * x).sum() ** 2 / weight.sum()) ** -0.5


def assert_slope(x, successes, trials, expected):
    found, error = slope(x, successes, trials)
    # A slope of the other sign, or none, would lie far outside.
    assert abs(found - expected) < 4 * error and error < 0.1


# --- each table agrees with the people ------------------------------------------------------------------


def test_nobody_turns_to_the_service_before_coming_or_after_leaving(people):
    table = service_contacts(people, rng())
    day, who = days(people, table.date), index(table)
    assert (day >= people.joined[who].astype(int)).all()
    assert (day <= np.minimum(people.left, people.end_day)[who]).all()
    assert set(table.kind) == set(KINDS) and (table.cost >= 0).all()
    assert table.resolved.mean() == pytest.approx(0.8, abs=0.02)
    stay = np.minimum(people.left, people.end_day + 1) - people.joined
    even = service_contacts(people, rng(), satisfaction_to_contacts=0)
    assert len(even) == pytest.approx(0.6 * stay.sum() / DAYS_PER_YEAR, rel=0.03)
    assert even.cost[even.kind == "complaint"].mean() == pytest.approx(KINDS["complaint"][1], rel=0.1)


def test_who_leaves_the_firm_renews_no_more(people):
    table = contracts(people, rng())
    start, who = days(people, table.start), index(table)
    left = np.minimum(people.left, people.end_day)[who]
    assert (start == people.joined[who].astype(int)).all() and table.customer_id.is_unique
    assert (start + 91 * table.renewals <= left).all()
    runs = table.end.isna()
    end = start + 91 * (table.renewals + 1)
    assert (end[~runs] == days(people, table.end[~runs])).all() and (end[~runs] <= people.end_day).all()
    assert (end[runs] > people.end_day).all()
    gone = left < people.end_day - 91
    assert not runs[gone].any() and runs[~gone].any()
    longer = contracts(people, rng(), leaving_to_contracts=0)
    assert (longer.renewals >= table.renewals).all() and longer.renewals.sum() > table.renewals.sum()


def test_all_who_left_have_one_exit_and_nobody_else(people):
    table = exits(people, rng())
    assert sorted(index(table)) == np.flatnonzero(~people.alive).tolist()
    assert (days(people, table.date) == people.left[index(table)].astype(int)).all()
    assert table.date.is_monotonic_increasing


def test_what_is_owed_was_bought(firm):
    people, purchases = firm
    table = receivables(people, purchases, rng())
    assert ((table.amount_paid >= 0) & (table.amount_paid <= table.amount_due)).all()
    assert 0.1 < (table.amount_paid < table.amount_due).mean() < 0.3
    bought = pd.DataFrame({"who": purchases.customer, "day": purchases.day.astype(int) + 30, "due": purchases.amount})
    due = bought[(bought.day <= people.end_day) & bought.who.isin(index(table))]
    assert due.groupby("who").due.sum().tolist() == pytest.approx(
        table.groupby("customer_id").amount_due.sum().tolist()
    )
    assert days(people, table.date).max() <= people.end_day


def test_each_customer_and_each_cost_is_booked_once(people):
    touches, brought = marketing_touches(people, rng()), referrals(people, rng())
    table = spend(people, touches)
    totals = table.groupby("channel").sum(numeric_only=True)
    assert table.new_customers.sum() == len(people)
    assert totals.new_customers["referral"] == (people.referrer >= 0).sum()
    assert totals.acquisition_spend["referral"] == pytest.approx(brought.incentive_cost.sum())
    assert table.retention_spend.sum() == pytest.approx(touches.cost.sum(), rel=1e-6)
    months = table.groupby("period").sum(numeric_only=True)
    assert months.index.tolist() == pd.period_range("2023-01", "2024-12", freq="M").astype(str).tolist()
    for month, line in months.iterrows():
        first = (np.datetime64(month, "D") - people.start_date).astype(int)
        after = ((np.datetime64(month, "M") + 1).astype("M8[D]") - people.start_date).astype(int)
        assert line.retained_customers == ((people.joined < first) & (people.left >= after)).sum()
        assert line.new_customers == ((people.joined >= first) & (people.joined < after)).sum()
    assert (table.acquisition_spend[table.period > "2024-08"] == 0).all()  # the last customer came on day 599


# --- links ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("link", [0.0, 0.4])
def test_satisfaction_to_contacts(people, link):
    table = service_contacts(people, rng(), contacts_per_year=3, satisfaction_to_contacts=link)
    counts = np.bincount(index(table), minlength=len(people))
    stay = np.minimum(people.left, people.end_day + 1) - people.joined

    def score(effect):
        rate = stay * np.exp(effect * people.satisfaction)
        return counts @ people.satisfaction - counts.sum() * (rate @ people.satisfaction) / rate.sum()

    # The likelihood equation of a Poisson regression falls through zero near the truth.
    assert score(-link - 0.05) > 0 > score(-link + 0.05)


@pytest.mark.parametrize("link", [0.0, 0.5])
def test_satisfaction_to_complaints(people, link):
    table = service_contacts(people, rng(), contacts_per_year=2, satisfaction_to_complaints=link)
    assert_slope(people.satisfaction[index(table)], table.kind == "complaint", 1, -link)


@pytest.mark.parametrize("link", [0.0, 0.6])
def test_satisfaction_to_poaching(people, link):
    table = exits(people, rng(), satisfaction_to_poaching=link)
    assert_slope(people.satisfaction[index(table)], table.cause == "poached", 1, -link)
    if not link:
        shares = table.cause.value_counts(normalize=True)
        assert all(shares[cause] == pytest.approx(share, abs=0.02) for cause, share in CAUSES.items())


@pytest.mark.parametrize("link", [0.0, 0.5])
def test_satisfaction_to_renewal(people, link):
    # Customers who differ in nothing else: a beta distribution that is almost a point.
    alike = {"renewal_a": 1e5, "renewal_b": 3e5, "leaving_to_contracts": 0.0}
    table = contracts(people, rng(), satisfaction_to_renewal=link, **alike)
    assert_slope(people.satisfaction[index(table)], table.renewals, table.renewals + table.end.notna(), link)


def test_renewals_without_links_are_shifted_beta_geometric(people):
    table = contracts(people, rng(), satisfaction_to_renewal=0, leaving_to_contracts=0, contract_share=1)
    observed = (people.end_day - days(people, table.start)) // 91
    for terms in range(1, 6):
        renewals = table.renewals[observed >= terms]
        # Fader & Hardie (2007), equation (6): the survivor function, with the 1 and 3.5 of the defaults.
        expected = np.exp(betaln(1.0, 3.5 + terms) - betaln(1.0, 3.5))
        error = (expected * (1 - expected) / len(renewals)) ** 0.5
        assert abs((renewals >= terms).mean() - expected) < 4 * error


@pytest.mark.parametrize("link", [-0.8, 0.0, 0.8])
def test_sales_to_overdue(firm, link):
    people, purchases = firm
    table = receivables(people, purchases, rng(), sales_to_overdue=link, payer_spread=0)
    sales = np.log(np.bincount(purchases.customer, purchases.amount))
    sales = (sales - sales.mean()) / sales.std()
    assert_slope(sales[index(table)], table.amount_paid < table.amount_due, 1, link)


@pytest.mark.parametrize("link", [0.0, 0.6])
def test_spend_to_new_customers(people, link):
    table = spend(people, spend_to_new_customers=link)
    table = table[table.channel.isin(CHANNELS) & (table.period < "2024-08")]
    logs = {
        name: np.log(table.pivot(index="period", columns="channel", values=name))
        for name in ("acquisition_spend", "new_customers")
    }
    # Effects of month and channel taken out, the slope is that between what remains.
    x, y = (log.sub(log.mean(axis=1), axis=0).sub(log.mean() - log.mean().mean()) for log in logs.values())
    assert (x * y).sum().sum() / (x**2).sum().sum() == pytest.approx(link, abs=0.1)


@pytest.mark.parametrize(
    ("table", "link", "same"),
    [
        (service_contacts, "satisfaction_to_complaints", ["customer_id", "date", "resolved"]),
        (contracts, "satisfaction_to_renewal", ["customer_id", "start", "price"]),
        (contracts, "leaving_to_contracts", ["customer_id", "start", "price"]),
        (exits, "satisfaction_to_poaching", ["customer_id", "date"]),
    ],
)
def test_a_link_moves_nothing_else(people, table, link, same):
    on, off = table(people, rng()), table(people, rng(), **{link: 0})
    assert on[same].equals(off[same]) and not on.equals(off)


def test_a_link_moves_nothing_else_in_money(firm):
    people, purchases = firm
    on, off = (receivables(people, purchases, rng(), **links) for links in ({}, {"sales_to_overdue": 0}))
    same = ["customer_id", "date", "amount_due"]
    assert on[same].equals(off[same]) and not on.equals(off)
    on, off = (spend(people, **links) for links in ({}, {"spend_to_new_customers": 0}))
    assert on.acquisition_spend.equals(off.acquisition_spend) and not on.new_customers.equals(off.new_customers)


# --- edges ----------------------------------------------------------------------------------------------


def test_one_customer_and_nothing_to_tell():
    people, purchases = draw_people(1, rng())
    assert service_contacts(people, rng(), contacts_per_year=0).empty
    assert contracts(people, rng(), contract_share=0).empty
    assert receivables(people, purchases, rng(), on_account_share=0).empty
    assert len(exits(replace(people, left=np.array([people.joined[0] + 1])), rng())) == 1
    table = spend(people)
    assert table.new_customers.sum() == 1 and len(table) == 24 * (len(CHANNELS) + 1)


@pytest.mark.parametrize("causes", [{}, {"left": 0}, {"left": 1, "poached": -1}, {"moved": 1}])
def test_causes_that_cannot_be(people, causes):
    with pytest.raises(ValueError, match="causes must be hazards"):
        exits(people, rng(), causes=causes)
    assert set(exits(people, rng(), causes={"forced": 2}).cause) == {"forced"}


# --- contracts ------------------------------------------------------------------------------------------


GOOD = {
    "service_contacts": {"customer_id": "1", "date": "2020-01-01", "cost": "2.5", "kind": "question", "resolved": "no"},
    "contracts": {"customer_id": "1", "start": "2020-01-01", "renewals": "2", "end": "", "price": "30"},
    "exits": {"customer_id": "1", "date": "2020-01-01", "cause": "moved away"},
    "receivables": {"customer_id": "1", "date": "2020-01-01", "amount_due": "-5", "amount_paid": ""},
    "market_spend": {
        "period": "2020",
        "acquisition_spend": "5",
        "retention_spend": "0",
        "new_customers": "3",
        "retained_customers": "0",
        "channel": "",
    },
}
BAD = [
    ("service_contacts", {"cost": "-1"}, "column 'cost': 1 row is not a number from 0 up (row 3; value: '-1')."),
    (
        "service_contacts",
        {"resolved": "2"},
        "column 'resolved': 1 row is neither a number from 0 to 1 nor true or false (row 3; value: '2'). "
        "A share is wanted, not a percentage: half is 0.5.",
    ),
    (
        "contracts",
        {"renewals": "1.5"},
        "column 'renewals': 1 row is not a whole number from 0 up (row 3; value: '1.5'). "
        "How many renewals is wanted, not a share or a percentage.",
    ),
    (
        "contracts",
        {"end": "2019-12-31"},
        "column 'end': 1 row lies before its start (row 3; value: '2019-12-31').",
    ),
    ("exits", {"cause": "", "date": "2020-01-02"}, "column 'cause': 1 row is empty (row 3)."),
    ("exits", {}, "column 'customer_id': 1 row repeats a customer of the same date (row 3)."),
    (
        "receivables",
        {"amount_due": "5,0"},
        "column 'amount_due': 1 row is not a number (row 3; value: '5,0'). Decimal commas: set decimal=','.",
    ),
    (
        "market_spend",
        {"period": "2021", "new_customers": "-3"},
        "column 'new_customers': 1 row is not a whole number from 0 up (row 3; value: '-3'). "
        "How many customers is wanted, not a share or a percentage.",
    ),
    ("market_spend", {}, "column 'period': 1 row repeats a period of the same channel (row 3; value: '2020')."),
]


@pytest.mark.parametrize(("table", "changes", "message"), BAD)
def test_a_bad_value_gives_one_message(tmp_path, table, changes, message):
    path = tmp_path / "table.csv"
    pd.DataFrame([GOOD[table], GOOD[table] | changes]).to_csv(path, index=False)
    with pytest.raises(InputRefused) as refused:
        check(str(path), table_contracts.TABLES[table])
    assert str(refused.value).splitlines()[1:-1] == [f"  - {message}"]


# --- built in -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", NEW_TABLES)
def test_the_firms_tables_keep_their_contracts(table):
    found = check("synthetic_firm", table_contracts.TABLES[table])
    assert [step for step, *_ in found.steps] == ["rows in the file"] and found.notes == []
    assert set(table_contracts.TABLES[table].columns) <= set(found.table.columns)


def test_the_firms_purchases_touches_and_referrals_go_together():
    purchases = loaded_transactions.load("synthetic_firm")
    assert purchases.is_simulated and purchases.has_margin and purchases.segments is not None
    assert "excluded" not in set(purchases.accounting.step)
    assert LifetimeValue.label.fget(SimpleNamespace(purchases=purchases)) == "Simulated data"
    first = purchases.realised.group_by("customer_id").agg(first_date=purchases.realised.date.min())
    touches = loaded_touches.load("synthetic_firm", customers=purchases.table)
    found = loaded_referrals.load("synthetic_firm", customers=first)
    for part in (touches, found):
        assert part.accounting.rows.iloc[0] == part.accounting.rows.iloc[-1]
    assert found.is_simulated
    assert found.frame[["would_have_joined", "incentive_cost", "acquisition_cost"]].notna().any().all()
    assert found.notes == []


def test_the_firm_is_simulated_once():
    tables = [table for table, known in BUILT_IN.items() if "synthetic_firm" in known]
    assert len(tables) == 10
    assert len({fingerprint("synthetic_firm", table)[0]["sha256"] for table in tables}) == 10
