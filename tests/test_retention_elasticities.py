"""What moves customer equity, and how steady revenue is by tenure."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.models.retention_economics.elasticities import (
    DRIVERS,
    Economics,
    customer_equity,
    elasticities,
    elasticity_intervals,
    revenue_volatility,
    tornado,
)
from tests.published import retention_economics as published

FIRM = Economics(
    margin=100, retention=0.8, discount_rate=0.1, acquisition_cost=60, new_per_year=50, customers=400, horizon_years=5
)


def test_equity_by_hand():
    # V = 100 x 1.1 / 0.3; five cohorts of 50, discounted at 10 %
    value = 100 * 1.1 / 0.3
    cohorts = sum(1.1**-year for year in range(5))
    assert customer_equity(FIRM) == pytest.approx(400 * value + 50 * cohorts * (value - 60))
    first = replace(FIRM, first_purchase=30)
    assert customer_equity(first) == pytest.approx(customer_equity(FIRM) + 50 * cohorts * 30)
    assert customer_equity(Economics(100, 0.8, 0.1)) == pytest.approx(value)
    assert customer_equity(Economics(100, 1.0, 0.0)) == np.inf
    assert customer_equity(Economics(100, 1.0, 0.0, customers=0)) == 0


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(["certain", "at_risk"]),
    st.floats(0.05, 0.95),
    st.floats(0.02, 0.4),
    st.floats(-0.1, 0.02),
    st.integers(0, 20),
    st.floats(0, 150),
)
def test_elasticities_are_those_of_finite_differences(first_margin, retention, discount_rate, growth, years, cost):
    firm = Economics(200, retention, discount_rate, cost, 50, 400, years, growth, first_margin, 20)
    found, step = elasticities(firm), 1e-5
    for name in DRIVERS:
        at = float(getattr(firm, name))
        up, down = (float(customer_equity(replace(firm, **{name: at * (1 + sign * step)}))) for sign in (1, -1))
        slope = (up - down) / (2 * step) / float(customer_equity(firm))
        assert found[name] == pytest.approx(slope, rel=1e-5, abs=1e-7) or not customer_equity(firm) > 0, name


def test_elasticity_of_one_customer_is_the_published_formula():
    alone = elasticities(Economics(100, 0.85, 0.1))
    assert alone["retention"] == pytest.approx(0.85 / 0.25) and alone["margin"] == pytest.approx(1)
    assert alone["customers"] == pytest.approx(1) and alone["acquisition_cost"] == 0
    at_risk = elasticities(Economics(100, 0.85, 0.1, first_margin="at_risk"))
    assert at_risk["retention"] == pytest.approx(1.1 / 0.25)
    low, high = published.RETENTION_ELASTICITY
    assert low < at_risk["retention"] < high and at_risk["margin"] == pytest.approx(published.MARGIN_ELASTICITY)


def test_elasticity_predicts_the_uplift_of_a_small_rise():
    rise = customer_equity(replace(FIRM, retention=0.8008)) / customer_equity(FIRM) - 1
    assert rise == pytest.approx(0.001 * float(elasticities(FIRM)["retention"]), rel=5e-3)


def test_intervals_come_from_the_draws():
    retention = np.random.default_rng(1).normal(0.8, 0.02, 4000)
    found = elasticity_intervals(FIRM, replace(FIRM, retention=retention))
    assert set(found) == {"customer_equity", *DRIVERS}
    exact = elasticities(replace(FIRM, retention=np.quantile(retention, [0.025, 0.975])))["retention"]
    assert (found["retention"].low, found["retention"].high) == pytest.approx(tuple(exact), rel=1e-3)
    assert found["retention"].low < found["retention"].value < found["retention"].high
    assert np.isnan(elasticity_intervals(FIRM, FIRM)["retention"].low)


def test_tornado():
    found = tornado(FIRM, 0.1)
    swing = np.abs(found.high_equity - found.low_equity)
    assert np.all(np.diff(swing) <= 0) and set(found.drivers) == set(DRIVERS) and not found.capped
    assert found.drivers[0] == "retention" and found.drivers[-1] == "acquisition_cost"
    place = {name: at for at, name in enumerate(found.drivers)}
    at = place["margin"]
    assert found.high_equity[at] == pytest.approx(customer_equity(replace(FIRM, margin=110)))
    assert found.high_equity[place["discount_rate"]] < found.equity < found.low_equity[place["discount_rate"]]
    small, exact = tornado(FIRM, 1e-5), elasticities(FIRM)
    for name, arc in zip(small.drivers, small.arc_elasticity, strict=True):
        assert arc == pytest.approx(float(exact[name]), rel=1e-4, abs=1e-6)
    capped = tornado(replace(FIRM, retention=0.95), 0.1, ("retention", "margin"))
    assert capped.capped == ("retention",) and capped.high_input[capped.drivers.index("retention")] == 1


def test_limits_have_no_elasticity():
    assert np.isnan(elasticities(Economics(100, 1.0, 0.0))["retention"])
    assert np.isnan(elasticities(Economics(-100, 0.8, 0.1))["retention"])
    assert elasticities(Economics(100, 0.0, 0.1))["retention"] == 0
    assert elasticities(Economics(100, 0.8, 0.0))["discount_rate"] == 0


# ---- a stable stream


def test_variation_by_hand():
    revenue = np.array([[10.0, 100], [30, 110], [20, 90]])
    found = revenue_volatility(revenue, np.full((3, 2), 10.0))
    np.testing.assert_allclose(found.total.value, revenue.std(axis=0, ddof=1) / revenue.mean(axis=0))
    np.testing.assert_allclose(found.per_customer.value, found.total.value)
    np.testing.assert_allclose(found.total_ratio.value, [1, 0.2])
    assert found.total_ratio.low[0] == found.total_ratio.high[0] == 1


def test_steadier_customers_are_found():
    rng = np.random.default_rng(3)
    spread, customers = np.array([0.4, 0.2, 0.1]), np.full((60, 3), 100.0)
    found = revenue_volatility(customers * 20 * (1 + spread * rng.standard_normal((60, 3))), customers, block=3)
    assert np.all((found.total.low < spread) & (spread < found.total.high))
    assert np.all(found.total_ratio.high[1:] < 1)


def test_growth_can_be_taken_off():
    month = np.arange(24.0)
    customers = np.column_stack([np.full(24, 100.0), 100 + 20 * month])
    revenue = customers * [10, 10] * (1 + 0.05 * np.random.default_rng(2).standard_normal((24, 2)))
    plain, straight = (revenue_volatility(revenue, customers, detrended=off) for off in (False, True))
    assert plain.total.value[1] > 0.3 and straight.total.value[1] < 0.08
    assert plain.per_customer.value[1] < 0.08


def test_groups_that_come_later_or_never():
    customers = np.array([[10.0, 0, 0], [10, 0, 0], [10, 5, 0], [10, 5, 0], [10, 5, 0]])
    found = revenue_volatility(customers * np.arange(1, 6)[:, None], customers, resamples=200)
    assert np.isfinite(found.per_customer.value[:2]).all() and np.isnan(found.per_customer.value[2])
    assert found.per_customer.value[1] == pytest.approx(np.std([3, 4, 5], ddof=1) / 4)


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: Economics(100, 1.2, 0.1), "Retention is a share"),
        (lambda: Economics(100, 0.8, -0.1), "discount rate"),
        (lambda: Economics(100, 0.8, 0.1, acquisition_cost=-1), "acquisition_cost is a number"),
        (lambda: Economics(np.nan, 0.8, 0.1), "margin is a number"),
        (lambda: Economics(100, 0.8, 0.1, first_margin="late"), "first_margin"),
        (lambda: Economics(100, 0.8, 0.1, horizon_years=1.5), "whole years"),
        (lambda: tornado(FIRM, 0), "between 0 and 1"),
        (lambda: tornado(FIRM, 0.1, ("luck",)), "luck is no driver"),
        (lambda: tornado(replace(FIRM, margin=np.ones(3))), "not of draws"),
        (lambda: revenue_volatility([[1.0], [2.0]], [[1.0], [1.0]]), "at least three periods"),
        (lambda: revenue_volatility(np.ones((4, 2)), -np.ones((4, 2))), "at least 0"),
    ],
)
def test_what_cannot_be_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
