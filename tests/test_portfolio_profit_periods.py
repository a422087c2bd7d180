"""Periods in which sales rose while profit fell, an exact account of why, and slopes."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.models.customer_portfolio.profit_periods import profit_periods


def test_two_periods_by_hand():
    # sales 100 -> 120 at rates .4 -> .35; service 10 -> 12, marketing 5 -> 9: profit 25 -> 21
    found = profit_periods([100, 120], [40, 42], {"service": [10, 12], "marketing": [5, 9]})
    assert found.sales == 20 and found.profit == -4 and found.opposed.tolist() == [True]
    assert found.volume == pytest.approx([8]) and found.margin_rate == pytest.approx([-6])
    assert found.costs["service"] == -2 and found.costs["marketing"] == -4


@given(st.integers(0, 10_000), st.integers(1, 12))
def test_parts_add_up_to_the_change_of_profit(seed, periods):
    rng = np.random.default_rng(seed)
    sales, costs = rng.lognormal(5, 1, periods), {name: rng.exponential(20, periods) for name in "ab"}
    margin = sales * rng.normal(0.3, 0.2, periods)
    found = profit_periods(sales, margin, costs)
    profit = margin - costs["a"] - costs["b"]
    parts = zip(found.volume, found.margin_rate, *found.costs.values(), strict=True)
    assert [math.fsum(part) for part in parts] == pytest.approx(list(np.diff(profit)), abs=1e-9)
    np.testing.assert_array_equal(found.opposed, (np.diff(sales) > 0) & (np.diff(profit) < 0))
    assert len(found.profit) == periods - 1


def test_slopes_are_medians_and_one_odd_period_moves_them_little():
    sales = 100 + 3.0 * np.arange(12)
    margin = 50 - 2.0 * np.arange(12)
    sales[5] = 900
    found = profit_periods(sales, margin)
    assert found.profit_slope.value == found.profit_slope.low == found.profit_slope.high == -2
    assert found.sales_slope.value == pytest.approx(3) and found.sales_slope.low > 0


def test_intervals_of_slopes_hold_the_truth_as_often_as_they_say():
    rng, held = np.random.default_rng(9), 0
    for _ in range(300):
        slope = profit_periods(np.ones(12), 2.0 * np.arange(12) + rng.normal(0, 5, 12)).profit_slope
        held += slope.low <= 2 <= slope.high
    assert abs(held / 300 - 0.95) < 0.038  # three standard errors


def test_too_few_periods_and_periods_without_sales():
    few = profit_periods([1, 2, 3], [1, 1, 1])
    assert np.isnan(few.sales_slope.value) and np.isnan(few.profit_slope.high) and "4 periods" in few.problem
    assert not len(profit_periods([1], [1]).opposed)
    gap = profit_periods([10, 0, 10, 20], [5, 0, 4, 8])
    assert gap.volume.tolist()[::2] == [-5, 4] and np.isnan(gap.volume[1]) and np.isnan(gap.margin_rate[1])
    assert gap.profit.tolist() == [-5, 4, 4] and "without sales" in gap.problem
    assert not profit_periods([1, 2, 3, 4], [1, 1, 1, 1]).problem


@pytest.mark.parametrize(
    "sales, margin, costs",
    [
        ([], [], {}),
        ([1, 2], [1], {}),
        ([1, np.nan], [1, 1], {}),
        ([1, -2], [1, 1], {}),
        ([1, 2], [1, 1], {"service": [1]}),
        ([1, 2], [1, 1], {"service": [1, np.inf]}),
    ],
)
def test_bad_periods_are_refused(sales, margin, costs):
    with pytest.raises(ValueError):
        profit_periods(sales, margin, costs)
