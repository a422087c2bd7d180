"""Pyramid and ABC classes, and how concentrated value is, with intervals that hold what they say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from helpers.models.customer_portfolio.pyramid import ABC, PYRAMID, abc, concentration, pyramid, totals
from helpers.models.lifetime_value.value import gini, lorenz_curve

VIP, MAJOR, ORDINARY, SMALL = range(4)


def test_a_thousand_customers():
    values = np.random.default_rng(1).permutation(1000)
    found = pyramid(values)
    assert found.customers.tolist() == [10, 40, 150, 800] and not found.problem
    assert found.lowest.tolist() == [990, 950, 800, 0]
    np.testing.assert_array_equal(found.places == VIP, values >= 990)
    sums = totals(found.places, len(PYRAMID), {"value": values})
    assert sums.total["value"].sum() == values.sum() and sums.share_of_total["value"].sum() == pytest.approx(1)
    assert sums.mean["value"][VIP] == 994.5 and sums.share.tolist() == [0.01, 0.04, 0.15, 0.8]


@pytest.mark.parametrize(
    "size, customers", [(1, [1, 0, 0, 0]), (3, [1, 0, 0, 2]), (20, [1, 0, 3, 16]), (100, [1, 4, 15, 80])]
)
def test_someone_is_at_the_top_of_the_fewest_customers(size, customers):
    found = pyramid(np.arange(size))
    assert found.customers.tolist() == customers and found.places[-1] == VIP
    np.testing.assert_array_equal(np.isnan(found.lowest), found.customers == 0)
    assert bool(found.problem) == (size < 100)


def test_ties_go_by_the_order_in_which_customers_came_and_are_counted():
    found = pyramid([5, 5, 5, 9], (0.5, 0.5))
    assert found.places.tolist() == [0, 1, 1, 0] and found.tied.tolist() == [3]
    assert pyramid([1, 1, 9, 9], (0.5, 0.5)).tied.tolist() == [0]
    assert pyramid([7, 7], (0, 0.5, 0.5)).tied.tolist() == [0, 2]  # nobody is above the first cut


def test_rounding_makes_no_customer():
    for size in (100, 700, 1000, 30_000):
        assert pyramid(np.zeros(size)).customers.tolist() == [size // 100, size // 25, 3 * size // 20, 4 * size // 5]


@pytest.mark.parametrize("shares", [(0.01, 0.04, 0.15, 0.7), (0.5, 0.6), (-0.1, 1.1), (), (np.nan, 1)])
def test_tiers_with_a_gap_or_an_overlap_are_refused(shares):
    with pytest.raises(ValueError, match="share"):
        pyramid([1, 2, 3], shares)


def test_abc_by_hand():
    # cumulated before each: 0, .5, .8 (at the cut), .9, .96 of 100
    assert abc([10, 50, 4, 30, 6]).places.tolist() == [1, 0, 2, 0, 1]
    assert abc([10]).customers.tolist() == [1, 0, 0] and abc([99, 1]).places.tolist() == [0, 2]
    nothing = abc([0, 0])
    assert nothing.customers.tolist() == [0, 0, 2] and nothing.problem and len(ABC) == 3


@given(st.integers(0, 10_000))
def test_main_customers_are_the_fewest_who_bring_four_fifths(seed):
    volume = np.random.default_rng(seed).lognormal(0, 2, 30)
    found = abc(volume)
    main = np.sort(volume[found.places == 0])
    assert main.sum() >= 0.8 * volume.sum() * (1 - 1e-9) > main[1:].sum() * (1 - 1e-6)
    assert volume[found.places < 2].sum() >= 0.95 * volume.sum() * (1 - 1e-9)
    np.testing.assert_array_equal(abc(volume / 7).places, found.places)


@pytest.mark.parametrize(
    "volume, cuts", [([1, -1], (0.8, 0.95)), ([1, 2], (0.9, 0.8)), ([1], (0, 0.5)), ([1], (0.5, 1))]
)
def test_volumes_and_cuts_without_meaning_are_refused(volume, cuts):
    with pytest.raises(ValueError):
        abc(volume, cuts)


def test_concentration_is_that_of_the_lorenz_curve():
    values = np.random.default_rng(2).normal(3, 5, 203).round()
    found = concentration(values, top=0.2)
    assert found.gini.value == gini(values)
    assert found.top_share.value == pytest.approx(1 - np.interp(0.8, *lorenz_curve(values)))
    assert found.below_zero.value == (values < 0).mean()
    assert found.loss_share.value == pytest.approx(-values[values < 0].sum() / values[values > 0].sum())
    # scipy's own Wilson interval
    wilson = stats.binomtest(int((values < 0).sum()), 203).proportion_ci(method="wilson")
    assert (found.below_zero.low, found.below_zero.high) == pytest.approx((wilson.low, wilson.high))


@given(st.integers(0, 10_000), st.sampled_from([1e-3, 0.5, 7.77, 1e6]))
def test_shares_do_not_depend_on_the_currency(seed, rate):
    values = np.random.default_rng(seed).normal(5, 6, 40)
    found, converted = concentration(values), concentration(rate * values)
    for name in ("gini", "top_share", "below_zero", "loss_share"):
        one, other = getattr(found, name), getattr(converted, name)
        expected = (one.value, one.low, one.high)
        assert (other.value, other.low, other.high) == pytest.approx(expected, rel=1e-9, nan_ok=True)


def test_standard_errors_are_the_jackknife_s():
    values = np.random.default_rng(4).exponential(size=300)
    found = concentration(values)
    leave_out = [concentration(np.delete(values, place)) for place in range(300)]
    for name, scale in (("gini", np.log), ("top_share", stats.logistic.ppf)):
        left = scale(np.array([getattr(one, name).value for one in leave_out]))
        error = np.sqrt(299 / 300 * ((left - left.mean()) ** 2).sum())
        estimate = getattr(found, name)
        half = (scale(estimate.high) - scale(estimate.low)) / 2
        assert half / stats.t.ppf(0.975, 299) == pytest.approx(error, rel=0.03)


def test_intervals_hold_the_truth_as_often_as_they_say():
    # exponential values: G = 1/2, share of the top fifth = .2 (1 - ln .2)
    rng, held = np.random.default_rng(5), np.zeros(2)
    for _ in range(800):
        found = concentration(rng.exponential(size=30))
        held += (
            found.gini.low < 0.5 < found.gini.high,
            found.top_share.low < 0.2 * (1 - np.log(0.2)) < found.top_share.high,
        )
    # 0.95 less what the small size costs (docstring), with three standard errors of 800 samples (0.008)
    assert (np.abs(held / 800 - 0.94) < 0.024).all()


def test_numbers_that_do_not_exist_have_a_reason():
    loss = concentration([-3, 1])
    assert np.isnan(loss.gini.value) and np.isnan(loss.top_share.value) and "not positive" in loss.problem
    assert loss.loss_share.value == 3
    one, alike = concentration([4]), concentration([4, 4, 4])
    for found in (one, alike):
        assert found.gini.value == 0 and np.isnan(found.gini.low) and found.problem
        assert found.loss_share.value == 0 and np.isnan(found.loss_share.high)
        assert found.top_share.value == pytest.approx(0.2)
    assert np.isnan(concentration([-1, -2]).loss_share.value)


def test_negative_values_may_lift_gini_above_one():
    found = concentration(np.append(np.full(50, -1.0), np.arange(1, 12)))
    assert found.gini.value > 1 and found.gini.low < found.gini.value < found.gini.high


@pytest.mark.parametrize("values, top", [([], 0.2), ([1, np.nan], 0.2), ([1, np.inf], 0.2), ([1, 2], 0), ([1, 2], 1)])
def test_bad_values_are_refused(values, top):
    with pytest.raises(ValueError):
        concentration(values, top)


def test_totals_refuse_amounts_of_other_customers():
    with pytest.raises(ValueError, match="profit"):
        totals([0, 1], 2, {"profit": [1.0]})
    empty = totals([0, 0], 2, {"profit": [1.0, -1]})
    assert np.isnan(empty.mean["profit"][1]) and np.isnan(empty.share_of_total["profit"]).all()
