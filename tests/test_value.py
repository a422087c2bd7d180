from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.models.lifetime_value.gamma_gamma import GammaGamma, fit_gamma_gamma
from helpers.models.lifetime_value.purchase_models.bg_nbd import BGNBD, fit_bg_nbd
from helpers.models.lifetime_value.value import (
    DAYS_PER_UNIT,
    continuous_rate,
    deciles,
    discount_factors,
    discounted_cost,
    discounted_purchases,
    gini,
    lorenz_curve,
    potential_value,
    share_below_zero,
    whale_curve,
)
from helpers.models.lifetime_value.value_draws import affordable_draws, total_estimates, value_draws
from tests.cdnow_summaries import cdnow

MODEL = BGNBD(0.243, 4.414, 0.793, 2.426)
TERMS = {"horizon_weeks": 52, "annual_discount_rate": 0.1, "time_unit": "W", "margin_rate": 0.3}


@pytest.fixture(scope="module")
def fits():
    sample = cdnow("sample")
    return fit_bg_nbd(*sample.history), fit_gamma_gamma(*sample.spenders)


def test_discount_factors():
    np.testing.assert_allclose(discount_factors([0, 365.25, 730.5], 0.1), [1, 1 / 1.1, 1 / 1.21])
    np.testing.assert_allclose(discount_factors([0, 100, 1000], 0), 1)
    assert discount_factors(365.25, -0.5) == pytest.approx(2)
    with pytest.raises(ValueError, match="annual_discount_rate"):
        discount_factors(1, -1)


def test_continuous_rate_discounts_as_the_annual_one():
    for unit, days in DAYS_PER_UNIT.items():
        assert np.exp(-continuous_rate(0.15, unit) * 365.25 / days) == pytest.approx(1 / 1.15)
    assert continuous_rate(0.15, "W") == pytest.approx(0.0027, abs=5e-5)  # as in BTYD's manual
    with pytest.raises(ValueError, match="time_unit"):
        continuous_rate(0.1, "Q")


@pytest.mark.parametrize("weeks", [1, 52, 7.5])
def test_discounted_purchases_are_the_weekly_sum(weeks):
    history = np.array([0, 2, 9]), np.array([0, 30.4, 20]), np.array([27, 38.9, 39])
    ends = [*range(1, int(weeks) + 1), *([weeks] if weeks % 1 else [])]
    plain, before = 0, 0
    for end in ends:
        purchases = MODEL.expected_purchases(*history, end)
        plain = plain + (purchases - before) * 1.12 ** (-7 * end / 365.25)
        before = purchases
    np.testing.assert_allclose(discounted_purchases(MODEL, *history, weeks, 0.12, "W"), plain, rtol=1e-10)


def test_without_discount_nothing_is_taken_off():
    history = np.array([0, 2, 9]), np.array([0, 30.4, 20]), np.array([27, 38.9, 39])
    np.testing.assert_allclose(
        discounted_purchases(MODEL, *history, 52, 0, "W"), MODEL.expected_purchases(*history, 52), rtol=1e-10
    )
    assert not discounted_purchases(MODEL, *history, 0, 0.1, "W").any()


def test_the_unit_of_time_does_not_change_the_money():
    """Fitted in days, weeks and months, the same customers are worth the same."""
    frequency, recency, T = cdnow("sample").history
    worth = []
    for unit, days in DAYS_PER_UNIT.items():
        scaled = recency * 7 / days, T * 7 / days
        model = fit_bg_nbd(frequency, *scaled).model
        worth.append(discounted_purchases(model, frequency, *scaled, 52, 0.1, unit))
    np.testing.assert_allclose(worth[1], worth[0], rtol=1e-6)
    np.testing.assert_allclose(worth[2], worth[0], rtol=1e-6)


def test_cost_and_potential_value():
    assert discounted_cost(365.25, 2, 0) == pytest.approx(14)
    assert discounted_cost(365.25, 2, 0.1) == pytest.approx(7 * (1.1 ** (-7 / 365.25) + 1.1 ** (-14 / 365.25)))
    value = potential_value(0.25, [10, 20], np.array([2.0, 3.0]), [0, 365.25], 1, 0)
    np.testing.assert_allclose(value, [5, 15 - 7])


@pytest.mark.parametrize(
    "change, words",
    [
        ({"time_unit": "Y"}, "time_unit"),
        ({"horizon_weeks": -1}, "horizon_weeks"),
        ({"horizon_weeks": np.nan}, "horizon_weeks"),
        ({"annual_discount_rate": -1.5}, "annual_discount_rate"),
    ],
)
def test_impossible_terms_are_refused(change, words):
    terms = {"horizon_weeks": 52, "annual_discount_rate": 0.1, "time_unit": "W"} | change
    with pytest.raises(ValueError, match=words):
        discounted_purchases(MODEL, [1], [2], [3], **terms)


def test_value_intervals_hold_the_point(fits):
    sample = cdnow("sample")
    purchase_fit, spend_fit = fits
    cost = np.linspace(0, 5, len(sample.T))
    given = (*fits, *sample.history, sample.monetary_value)
    intervals = value_draws(*given, **TERMS, planned_marketing_cost_per_year=cost, draws=200, seed=1)
    assert intervals.problem == ""
    purchases = purchase_fit.model.expected_purchases(*sample.history, 52)
    spend = spend_fit.model.expected_average_spend(sample.frequency, sample.monetary_value)
    discounted = discounted_purchases(purchase_fit.model, *sample.history, 52, 0.1, "W")
    value = potential_value(0.3, spend, discounted, cost, 52, 0.1)
    points = {"expected_purchases": purchases, "expected_spend": spend, "potential_value": value}
    for name, point in points.items():
        low, high = intervals.rows[name]
        assert np.all(low <= high)
        assert np.mean((low <= point) & (point <= high)) > 0.99, name
    for name, (low, high) in intervals.totals.items():
        assert low < points[name].sum() < high
    # a lone customer's interval of value is wider than the parameters alone would make it
    low, high = intervals.rows["potential_value"]
    first_low, first_high = intervals.rows["expected_purchases"]
    never = sample.frequency == 0
    assert np.median(((high - low) / value)[never]) > np.median(((first_high - first_low) / purchases)[never])
    again = value_draws(*given, **TERMS, planned_marketing_cost_per_year=cost, draws=200, seed=1)
    np.testing.assert_array_equal(again.rows["potential_value"], intervals.rows["potential_value"])


def brute_force(fits, sample, draws, seed, groups):
    """The definition: in each draw of the parameters, each customer's mean spend is drawn by itself."""
    rng = np.random.default_rng(seed)
    rows, totals = [], []
    for bought, spent in zip(*(fit.draws(draws, rng) for fit in fits), strict=True):
        terms = {name: TERMS[name] for name in ("horizon_weeks", "annual_discount_rate", "time_unit")}
        purchases = discounted_purchases(BGNBD(*bought), *sample.history, **terms)
        spend = GammaGamma(*spent).spend_draws(sample.frequency, sample.monetary_value, rng)
        rows.append(TERMS["margin_rate"] * purchases * spend)
        totals.append(np.bincount(groups, rows[-1]))
    return np.array(rows), np.array(totals)


def test_intervals_are_those_of_brute_force(fits):
    sample = cdnow("sample")
    groups = np.minimum(sample.frequency, 2).astype(int)
    rows, totals = brute_force(fits, sample, 800, 7, groups)
    columns = (*fits, *sample.history, sample.monetary_value)
    found = value_draws(*columns, **TERMS, groups=groups, draws=800, seed=8)
    error = np.diff(np.quantile(totals.sum(axis=1), (0.025, 0.975)))[0]
    np.testing.assert_allclose(
        found.totals["potential_value"], np.quantile(totals.sum(axis=1), (0.025, 0.975)), atol=0.1 * error
    )
    spread = np.ptp(np.quantile(totals, (0.025, 0.975), axis=0), axis=0)
    for ours, theirs in zip(found.groups["potential_value"], np.quantile(totals, (0.025, 0.975), axis=0), strict=True):
        np.testing.assert_array_less(abs(ours - theirs), 0.1 * spread)
    for ours, theirs in zip(found.rows["potential_value"], np.quantile(rows, (0.025, 0.975), axis=0), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0.3)
        assert abs(np.mean(ours / theirs) - 1) < 0.02
    total = sum(found.groups["potential_value"][0]), found.totals["potential_value"][0]
    assert total[0] < total[1]  # groups do not have their worst at once


def test_skewed_sums_are_drawn_customer_by_customer(fits):
    """With q below 2 the variance of a newcomer's mean spend is infinite; the sum still has its quantiles."""
    spend = replace(fits[1], model=replace(fits[1].model, q=1.6), estimates=fits[1].estimates * [1, 1.6 / 3.74, 1])
    sample = cdnow("sample")
    everyone = np.zeros(len(sample.T), int)
    _, totals = brute_force((fits[0], spend), sample, 800, 3, everyone)
    columns = (fits[0], spend, *sample.history, sample.monetary_value)
    found = value_draws(*columns, **TERMS, draws=800, seed=4)
    np.testing.assert_allclose(found.totals["potential_value"], np.quantile(totals, (0.025, 0.975)), rtol=0.06)


def test_negative_margins_keep_low_below_high(fits):
    sample = cdnow("sample")
    terms = TERMS | {"margin_rate": -0.3}
    found = value_draws(*fits, *sample.history, sample.monetary_value, **terms, draws=100)
    assert np.all(found.rows["potential_value"][0] < found.rows["potential_value"][1])
    assert found.totals["potential_value"][0] < found.totals["potential_value"][1] < 0


def test_totals_by_a_few_steps_are_those_of_draws(fits):
    sample = cdnow("sample")
    columns = (*sample.history, sample.monetary_value)
    drawn = value_draws(*fits, *columns, **TERMS, planned_marketing_cost_per_year=2.0, draws=2000)
    spent = sample.frequency * sample.monetary_value
    moments = (np.ones(len(spent)), spent, spent**2)
    found = total_estimates(*fits, *sample.history, *moments, **TERMS, planned_marketing_cost_per_year=2.0)
    for name, (low, high) in drawn.totals.items():
        assert found[name].low < found[name].value < found[name].high
        np.testing.assert_allclose([found[name].low, found[name].high], [low, high], atol=0.08 * (high - low))
    first, inverse = np.unique(sample.history, axis=1, return_inverse=True)
    grouped = [np.bincount(inverse.ravel(), moment) for moment in moments]
    again = total_estimates(*fits, *first, *grouped, **TERMS, planned_marketing_cost_per_year=2.0)
    for name, total in again.items():
        np.testing.assert_allclose(list(vars(total).values()), list(vars(found[name]).values()), rtol=1e-10)


def test_totals_without_finite_variance_have_no_ends(fits):
    spend = replace(fits[1], model=replace(fits[1].model, q=1.6), estimates=fits[1].estimates * [1, 1.6 / 3.74, 1])
    total = total_estimates(fits[0], spend, [0, 3], [0, 5], [9, 9], [4, 1], [0, 60], [0, 3600], **TERMS)
    assert np.isfinite(total["potential_value"].value) and np.isnan(total["potential_value"].low)
    assert np.isfinite(total["expected_purchases"].low)


def test_many_rows_get_fewer_draws():
    assert affordable_draws(400, 100) == 400
    assert affordable_draws(400, 200_000) == 200
    assert affordable_draws(400, 10_000_000) == 40
    assert affordable_draws(30, 10_000_000) == 30
    assert affordable_draws(400, 0) == 400


def test_purchase_intervals_follow_the_parameters(fits):
    """The interval of one customer's expected purchases is that of the model over parameter draws."""
    history, monetary_value = ([2.0], [30.43], [38.86]), [22.35]
    intervals = value_draws(*fits, *history, monetary_value, **TERMS, draws=2000, seed=2)
    draws = [BGNBD(*row).expected_purchases(*history, 52) for row in fits[0].draws(2000, np.random.default_rng(5))]
    np.testing.assert_allclose(
        np.ravel(intervals.rows["expected_purchases"]), np.quantile(draws, (0.025, 0.975)), rtol=0.03
    )
    spend = [
        GammaGamma(*row).spend_draws(2.0, 22.35, np.random.default_rng(i))
        for i, row in enumerate(fits[1].draws(2000, np.random.default_rng(6)))
    ]
    np.testing.assert_allclose(
        np.ravel(intervals.rows["expected_spend"]), np.quantile(spend, (0.025, 0.975)), rtol=0.08
    )


def test_blocks_do_not_change_the_totals(fits, monkeypatch):
    sample = cdnow("sample")
    columns = (*sample.history, sample.monetary_value)
    whole = value_draws(*fits, *columns, **TERMS, draws=30)
    monkeypatch.setattr("helpers.models.lifetime_value.value_draws.NUMBERS_AT_ONCE", 30 * 300)
    blocks = value_draws(*fits, *columns, **TERMS, draws=30)
    np.testing.assert_allclose(
        blocks.total_draws["expected_purchases"], whole.total_draws["expected_purchases"], rtol=1e-10
    )
    np.testing.assert_allclose(blocks.rows["expected_purchases"], whole.rows["expected_purchases"], rtol=1e-10)


def test_horizon_of_nothing(fits):
    intervals = value_draws(*fits, [0, 1], [0, 3], [5, 5], [0, 9.0], **TERMS | {"horizon_weeks": 0}, draws=5)
    assert intervals.totals["potential_value"] == (0, 0)


def test_unknown_uncertainty_is_nan_with_a_reason(fits):
    endless = fit_bg_nbd([5, 0, 4] * 50, [5.0, 0, 5] * 50, [5.0, 5, 5] * 50)
    intervals = value_draws(endless, fits[1], [1, 0], [2, 0], [5, 5], [9.0, 0], **TERMS)
    assert "Dropout is not identified" in intervals.problem
    assert np.all(np.isnan(intervals.rows["potential_value"]))
    assert np.all(np.isnan(intervals.totals["potential_value"]))


# ---- concentration ----

amounts = st.lists(st.floats(0, 1e6), min_size=1, max_size=40).filter(lambda v: sum(v) > 1e-3)


@settings(deadline=None)
@given(amounts)
def test_gini_is_the_mean_difference(values):
    values = np.array(values)
    differences = np.abs(values[:, None] - values).mean()
    assert gini(values) == pytest.approx(differences / (2 * values.mean()), abs=1e-9)
    assert gini(np.repeat(values, 3)) == pytest.approx(gini(values, np.full(len(values), 3)), abs=1e-9)


def test_concentration_by_hand():
    assert gini([1, 1, 1, 1]) == pytest.approx(0)
    assert gini([0, 0, 0, 1]) == pytest.approx(0.75)
    assert np.isnan(gini([-1, 1]))
    customers, value = whale_curve([5, -1, 0, 6])
    np.testing.assert_allclose(customers, [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(value, [0, 0.6, 1.1, 1.1, 1])
    np.testing.assert_allclose(lorenz_curve([5, -1, 0, 6])[1], [0, -0.1, -0.1, 0.4, 1])
    assert share_below_zero([5, -1, 0, 6]) == 0.25
    assert share_below_zero([5, -1], weights=[1, 3]) == 0.75


def test_deciles():
    table = deciles(np.arange(100.0))
    np.testing.assert_array_equal(table["decile"], np.arange(1, 11))
    np.testing.assert_array_equal(table["customers"], 10)
    assert table["mean"][0] == pytest.approx(94.5) and table["mean"][-1] == pytest.approx(4.5)
    assert table["share"].sum() == pytest.approx(1) and table["cumulative_share"][-1] == pytest.approx(1)
    values = np.random.default_rng(0).normal(1, 3, 37)
    table = deciles(values)
    np.testing.assert_allclose(
        np.cumsum(table["total"]), np.cumsum(-np.sort(-values))[np.cumsum(table["customers"]) - 1]
    )
    assert table["customers"].sum() == 37 and np.ptp(table["customers"]) <= 1
    assert deciles([3.0, 1.0])["customers"].sum() == 2
