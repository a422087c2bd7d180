"""Most valuable, second-tier and below-zero customers: the rule, its potential by comparison, its stability."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.models.customer_portfolio.tiers import (
    BELOW_ZERO,
    MOST_VALUABLE,
    OTHER,
    SECOND_TIER,
    TIERS,
    TierRule,
    strategic_value,
    tier_stability,
    tiers,
)
from helpers.models.quadrants import Rule

FIXED = TierRule(Rule("fixed", 100), Rule("fixed", 50))


def test_tiers_by_hand():
    # in turn: high; low with potential; neither; 10 + 5 < 20; 0 + 30 = 30, which is not below; high eaten up by service
    actual, strategic, cost = [150, 20, 20, 10, 0, 120], [0, 60, 10, 5, 30, 0], [10, 10, 10, 20, 30, 60]
    expected = [MOST_VALUABLE, SECOND_TIER, OTHER, BELOW_ZERO, OTHER, OTHER]
    assert tiers(actual, strategic, cost, FIXED).tolist() == expected
    assert TIERS[BELOW_ZERO] == "below_zero"


def test_high_in_both_is_most_valuable_and_a_loss_goes_before_all():
    assert tiers([150, -80], [90, 60], 10, FIXED).tolist() == [MOST_VALUABLE, BELOW_ZERO]


@given(st.integers(0, 10_000), st.floats(0, 1), st.floats(0, 1))
def test_tiers_are_what_they_say_whatever_the_cuts(seed, at, other):
    rng = np.random.default_rng(seed)
    actual, strategic, cost = rng.normal(20, 30, 40), rng.exponential(10, 40), rng.exponential(10, 40)
    rule = TierRule(Rule("quantile", at), Rule("quantile", other))
    found = tiers(actual, strategic, cost, rule)
    np.testing.assert_array_equal(found == BELOW_ZERO, actual + strategic < cost)
    net = actual - cost
    rest = found != BELOW_ZERO
    assert (net[found == MOST_VALUABLE] > np.quantile(net, at)).all()
    assert not (net[rest & (found != MOST_VALUABLE)] > np.quantile(net, at)).any()
    assert (strategic[found == SECOND_TIER] > np.quantile(strategic, other)).all()
    np.testing.assert_array_equal(tiers(8 * actual, 8 * strategic, 8 * cost, rule), found)


def test_alike_customers_and_a_single_one_are_not_high():
    assert (tiers([5, 5, 5], [1, 1, 1], 0) == OTHER).all() and tiers([7], [0], 1).tolist() == [OTHER]
    assert (tiers([5, 5], [1, 1], 7) == BELOW_ZERO).all()


@given(st.integers(0, 10_000), st.floats(0, 1))
def test_potential_is_what_the_best_comparable_customers_are_worth(seed, quantile):
    rng = np.random.default_rng(seed)
    actual, group = rng.normal(size=50).round(1), rng.choice([3, 70_000, -5], 50)
    expected = np.empty(50)
    for number in np.unique(group):
        inside = group == number
        expected[inside] = np.maximum(np.quantile(actual[inside], quantile) - actual[inside], 0)
    np.testing.assert_allclose(strategic_value(actual, group, quantile), expected, atol=1e-12)


def test_whoever_is_alone_has_nobody_to_grow_towards():
    np.testing.assert_array_equal(strategic_value([4.0, 1, 2], [0, 1, 1], 1), [0, 1, 0])


def test_probability_of_a_tier_is_that_of_the_values():
    rng = np.random.default_rng(3)
    means = np.array([130.0, 100, 20, -40])  # standard deviation 20, cut at 100
    strategic = np.array([0.0, 0, 60, 0])
    draws = ((rng.normal(means, 20), strategic, 0) for _ in range(1500))
    found = tier_stability(draws, tiers(means, strategic, 0, FIXED), FIXED)
    # to three standard errors: P(N(130, 20) > 100), P(N(100, 20) > 100), P(N(20, 20) < 100, > -60), P(N(-40, 20) < 0)
    np.testing.assert_allclose(found.probability[0, MOST_VALUABLE], 0.9332, atol=0.02)
    np.testing.assert_allclose(found.probability[1, MOST_VALUABLE], 0.5, atol=0.04)
    np.testing.assert_allclose(found.own[2:], [1, 0.9772], atol=0.012)
    assert found.own[1] == found.probability[1, OTHER]
    np.testing.assert_allclose(found.probability.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(found.share.value, found.probability.mean(axis=0), atol=1e-6)
    # neither, one or both of the first two: with 3 %, 50 % and 47 %
    assert (found.share.low[MOST_VALUABLE], found.share.high[MOST_VALUABLE]) == (0, 0.5)


@pytest.mark.parametrize(
    "actual, strategic, cost",
    [
        ([], [], []),
        ([1, np.nan], [0, 0], [0, 0]),
        ([1, 2], [0, -1], [0, 0]),
        ([1, 2], [0, 0], [0, -1]),
        ([1, 2], [0], [0, 0]),
        ([1, 2], [0, 0], np.nan),
    ],
)
def test_customers_who_cannot_be_put_anywhere_are_refused(actual, strategic, cost):
    with pytest.raises(ValueError):
        tiers(actual, strategic, cost)


def test_wrong_parameters_are_refused():
    for call in (
        lambda: strategic_value([1.0, 2], [0], 0.9),
        lambda: strategic_value([1.0, 2], [0, 0], 1.1),
        lambda: tier_stability([], [0]),
        lambda: tier_stability([([1.0, 2], [0.0, 0], 0)], [0]),
    ):
        with pytest.raises(ValueError):
            call()
