"""The claim that five points of retention add 25 to 85 %: closed forms, simulation, where it holds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from helpers.models.retention_economics.five_points import (
    BEYOND_ONE,
    INFINITE,
    NO_VALUE,
    REASONS,
    base_of_one,
    customer_value,
    heterogeneous_uplift,
    highest_discount_rate,
    uplift,
    where_true,
)

CASES = [(unit, first) for unit in ("points", "percent") for first in ("certain", "at_risk")]


def simulated_value(retention, discount_rate, first_margin, growth=0.0, customers=400_000, seed=4):
    """Discount the margins of simulated customers; give their mean and its standard error."""
    stays = np.random.default_rng(seed).geometric(1 - retention, customers) - 1
    ratio = (1 + growth) / (1 + discount_rate)
    margins = ratio ** np.arange(stays.max() + 1)
    if first_margin == "certain":
        values = np.cumsum(margins)[stays]
    else:
        values = np.append(0, np.cumsum(margins))[stays] / (1 + discount_rate)
    return values.mean(), values.std() / np.sqrt(customers)


# ---- the figures that the claim rests on


def test_the_claim_by_hand():
    # .85 -> .90 at 10 %: 0.05 / (1.10 - 0.90)
    assert uplift(0.85, 0.10).value == pytest.approx(0.25)
    # .75 -> .80 undiscounted: 1 / 0.2 over 1 / 0.25, and 0.8 / 0.2 over 0.75 / 0.25
    assert uplift(0.75, 0).value == pytest.approx(0.25)
    assert uplift(0.75, 0, first_margin="at_risk").value == pytest.approx(1 / 3)
    # the most that five points can do is to reach 1: 0.05 / 0.10 and 0.05 / 0.15
    assert uplift(0.95, [0.10, 0.15]).value == pytest.approx([1 / 2, 1 / 3])
    assert highest_discount_rate(0.85) == pytest.approx(0.05 / 0.85) == pytest.approx(0.0588, abs=5e-5)
    assert where_true(0).retention_low == pytest.approx(0.75)
    assert where_true(0).retention_high == pytest.approx(0.891, abs=5e-4)
    at_ten = where_true(0.10)
    assert at_ten.retention_low == pytest.approx(0.85) and np.isnan(at_ten.retention_high)
    assert at_ten.largest_uplift == pytest.approx(0.5) and at_ten.largest_at == pytest.approx(0.95)


# ---- simulation


@pytest.mark.parametrize("first_margin", ["certain", "at_risk"])
@pytest.mark.parametrize("retention, discount_rate, growth", [(0.85, 0.1, 0.0), (0.6, 0.0, 0.03), (0.0, 0.1, 0.0)])
def test_value_is_that_of_simulated_customers(first_margin, retention, discount_rate, growth):
    mean, error = simulated_value(retention, discount_rate, first_margin, growth)
    ours = customer_value(retention, discount_rate, first_margin=first_margin, growth=growth)
    assert ours == pytest.approx(mean, abs=4 * error + 1e-12)


@pytest.mark.parametrize("first_margin", ["certain", "at_risk"])
def test_uplift_is_that_of_simulated_cohorts(first_margin):
    before, error = simulated_value(0.75, 0.08, first_margin)
    after, other = simulated_value(0.80, 0.08, first_margin, seed=5)
    tolerance = 4 * (error + other) * (1 + after / before) / before
    assert uplift(0.75, 0.08, first_margin=first_margin).value == pytest.approx(after / before - 1, abs=tolerance)


@settings(deadline=None, max_examples=60)
@given(st.floats(0, 1), st.floats(0, 1), st.floats(-0.2, 0.2), st.integers(1, 40))
def test_finite_value_is_the_sum_of_its_margins(retention, discount_rate, growth, periods):
    period = np.arange(periods)
    margins = retention**period * (1 + growth) ** period / (1 + discount_rate) ** period
    terms = {"growth": growth, "periods": periods}
    assert customer_value(retention, discount_rate, **terms) == pytest.approx(margins.sum(), rel=1e-9)
    at_risk = margins.sum() * retention / (1 + discount_rate)
    assert customer_value(retention, discount_rate, first_margin="at_risk", **terms) == pytest.approx(at_risk, rel=1e-9)


def test_many_periods_are_all_of_them():
    assert customer_value(0.8, 0.1, periods=300) == pytest.approx(float(customer_value(0.8, 0.1)))


# ---- where it is true


@settings(deadline=None, max_examples=80)
@given(
    st.sampled_from(CASES),
    st.floats(0, 0.5),
    st.floats(0.01, 0.2),
    st.floats(-0.1, 0.1),
    st.floats(0.05, 0.6),
    st.data(),
)
def test_bounds_have_the_claimed_uplift(case, discount_rate, step, growth, low, data):
    unit, first_margin = case
    high = data.draw(st.floats(low, 2))
    terms = {"unit": unit, "first_margin": first_margin, "growth": growth}
    found = where_true(discount_rate, low, high, step, **terms)
    for retention, claimed in (
        (found.retention_low, low),
        (found.retention_high, high),
        (found.falling_low, low),
        (found.falling_high, high),
    ):
        if np.isfinite(retention):
            at = uplift(np.minimum(retention, 1), discount_rate, step, **terms)
            if not at.reason:
                assert at.value == pytest.approx(claimed, rel=1e-6)
    # what cannot be reached lies beyond the largest uplift, and above the discount rate that allows it
    limit = highest_discount_rate(high, step, **terms)
    if np.isfinite(found.largest_uplift) and abs(limit - discount_rate) > 1e-9 and discount_rate > growth:
        assert (found.largest_uplift >= high) == (limit >= discount_rate)
        largest = uplift(found.largest_at, discount_rate, step, **terms).value
        assert found.largest_uplift == pytest.approx(float(largest), rel=1e-6)


def test_at_risk_the_claim_holds_twice():
    found = where_true(0, first_margin="at_risk")
    inside = uplift([0.2, 0.45, 0.75], 0, first_margin="at_risk").value
    assert found.falling_high < 0.2 < found.falling_low < 0.45 < found.retention_low < 0.75 < found.retention_high
    assert (inside > 0.25).tolist() == [True, False, True]


def test_without_growth_percent_is_points_of_that_share():
    retention = np.array([0.5, 0.8, 0.9])
    percent = uplift(retention, 0.1, 0.05, unit="percent")
    np.testing.assert_allclose(percent.value, uplift(retention, 0.1, 0.05 * retention).value, rtol=1e-12)
    assert base_of_one(0.05, "percent") == pytest.approx(1 / 1.05)


def test_winning_costs_make_the_same_rise_a_larger_share():
    # value 4 -> 5 margins; with 2 spent on winning, profit 2 -> 3
    assert uplift(0.75, 0, acquisition_cost=2).value == pytest.approx(0.5)
    assert uplift(0.75, 0, acquisition_cost=4).reason == NO_VALUE


# ---- limits and bad input


def test_limits_are_stated():
    found = uplift([0.97, 0.95, 0.0, 0.95], [0.1, 0.0, 0.1, 0.1])
    assert found.reason.tolist() == [BEYOND_ONE, INFINITE, 0, 0] and np.isnan(found.value[:2]).all()
    assert uplift(0.0, 0.1, first_margin="at_risk").reason == NO_VALUE
    assert customer_value(1, 0) == np.inf and customer_value(1, 0.1) == pytest.approx(11)
    assert customer_value(0, 0.1) == 1 and customer_value(1, 0, periods=7) == 7
    assert uplift(0.9, 0.02, growth=0.08).reason == INFINITE
    assert len(REASONS) == 4


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: customer_value(1.1, 0.1), "Retention is a share"),
        (lambda: customer_value([0.5, np.nan], 0.1), "Retention is a share"),
        (lambda: uplift(-0.1, 0.1), "Retention is a share"),
        (lambda: uplift(0.5, -0.01), "discount rate"),
        (lambda: where_true(-0.01), "discount rate"),
        (lambda: uplift(0.5, 0.1, 0), "step above 0"),
        (lambda: uplift(0.5, 0.1, unit="share"), "unit is one of points, percent"),
        (lambda: uplift(0.5, 0.1, first_margin="late"), "first_margin is one of"),
        (lambda: where_true(0.1, first_margin="late"), "first_margin is one of"),
        (lambda: where_true(0.1, 0.8, 0.3), "from an uplift above 0"),
        (lambda: highest_discount_rate(0), "above 0"),
        (lambda: customer_value(0.5, 0.1, periods=0), "at least one period"),
        (lambda: customer_value(0.5, 0.1, growth=-1), "Growth is above -1"),
        (lambda: uplift(0.5, 0.1, acquisition_cost=-1), "acquisition cost"),
        (lambda: heterogeneous_uplift(0, 1, 0.1), "alpha and beta are above 0"),
        (lambda: base_of_one(1.5), "more than 1"),
    ],
)
def test_what_cannot_be_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


# ---- customers who differ


@pytest.mark.parametrize("alpha, beta", [(0.668, 3.806), (0.704, 1.182), (3.8, 15.19)])
def test_differing_customers_against_simulation_and_closed_form(alpha, beta):
    found = heterogeneous_uplift(alpha, beta, 0.1)
    # E[c / (c - r)] over r ~ Beta(beta, alpha) is 2F1(1, beta; alpha + beta; 1 / c)
    assert found.value == pytest.approx(special.hyp2f1(1, beta, alpha + beta, 1 / 1.1), rel=1e-7)
    retention = np.random.default_rng(2).beta(beta, alpha, 1_000_000)
    raised = np.minimum(retention + 0.05, 1)
    before, after = customer_value(retention, 0.1), customer_value(raised, 0.1)
    relative = after.mean() / before.mean() - 1
    error = np.std(after - (1 + relative) * before) / 1000 / before.mean()
    assert found.uplift == pytest.approx(relative, abs=4 * error)
    assert found.capped_share == pytest.approx((retention > 0.95).mean(), abs=2e-3)
    assert found.mean_rise == pytest.approx((raised - retention).mean(), abs=1e-4)
    assert found.value > found.homogeneous_value  # the value curves upwards in retention


@pytest.mark.parametrize("unit, first_margin", CASES)
def test_customers_all_alike_are_the_plain_case(unit, first_margin):
    found = heterogeneous_uplift(4e7, 16e7, 0.1, unit=unit, first_margin=first_margin, periods=20)
    plain = uplift(0.8, 0.1, unit=unit, first_margin=first_margin, periods=20).value
    assert found.uplift == pytest.approx(found.homogeneous_uplift, rel=1e-4) == pytest.approx(float(plain), rel=1e-4)


def test_who_has_stayed_long_gains_less_and_is_worth_more():
    young, old = (heterogeneous_uplift(0.668, 3.806, 0.1, renewals=renewals) for renewals in (0, 10))
    assert old.value > young.value and old.capped_share > young.capped_share and old.mean_rise < young.mean_rise
    assert old.mean_retention == pytest.approx(13.806 / 14.474)


def test_without_discount_some_are_worth_infinitely_much():
    found = heterogeneous_uplift(0.7, 1.2, 0.0)
    assert np.isinf(found.value) and np.isnan(found.uplift)
    # E[1 / leaving] = (alpha + beta - 1) / (alpha - 1)
    assert heterogeneous_uplift(3, 4, 0.0).value == pytest.approx(3)
    assert heterogeneous_uplift(3, 4, 0.0, first_margin="at_risk").value == pytest.approx(2)
    assert np.isfinite(heterogeneous_uplift(0.7, 1.2, 0.0, periods=10).uplift)
