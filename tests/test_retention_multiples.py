"""The arithmetic of loyalty: ten purchases, sixty visits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from helpers.models.retention_economics.multiples import (
    CLAIMED_VALUE,
    claimed_products,
    repeat_purchases,
    value_multiple,
)


def test_only_one_reading_gives_sixty():
    assert claimed_products() == {"5 x 10": 50, "(1 + 5) x 10": CLAIMED_VALUE}


def test_by_hand():
    found = repeat_purchases([1.0, 2.0, 9.0, 11.0, 2.0], [False, False, True, True, False])
    assert (found.loyal.value, found.everyone.value, found.ratio.value) == (10, 5, 2)
    assert (found.loyal_customers, found.customers) == (2, 5)
    # keeping: 120 for 10; winning: 40 for 50, so 12 a unit of money against 0.8
    assert value_multiple(120, 10, 40, 50).multiple.value == pytest.approx(15)


def test_intervals_of_the_sample_cover():
    """As many of 400 intervals of 95 % as the binomial allows with probability 0.999 must hold the truth."""
    rng, truth, covered, repetitions = np.random.default_rng(5), np.array([6.0, 3.0, 2.0]), np.zeros(3), 400
    for _ in range(repetitions):
        loyal = rng.random(1000) < 0.25  # everyone: 0.25 x 6 + 0.75 x 2 = 3
        found = repeat_purchases(rng.gamma(3, np.where(loyal, 2, 2 / 3)), loyal)
        covered += [
            each.low <= true <= each.high
            for each, true in zip((found.loyal, found.everyone, found.ratio), truth, strict=True)
        ]
    fewest, most = stats.binom.ppf((0.0005, 0.9995), repetitions, 0.95)
    assert np.all((covered >= fewest) & (covered <= most)), covered


def test_draws_make_the_interval():
    rng = np.random.default_rng(6)
    expected, loyal = rng.gamma(2, 1, 500), np.arange(500) < 50
    factors = np.exp(rng.normal(0, 0.2, 2000))
    found = repeat_purchases(expected, loyal, draws=factors[:, None] * expected)
    low, high = np.quantile(factors, [0.025, 0.975]) * expected[:50].mean()
    assert (found.loyal.low, found.loyal.high) == pytest.approx((low, high))
    # what moves all alike moves no ratio
    assert found.ratio.low == pytest.approx(found.ratio.value) == pytest.approx(found.ratio.high)


@settings(deadline=None, max_examples=40)
@given(st.floats(0.01, 100), st.integers(0, 100))
def test_currency_moves_no_multiple(factor, seed):
    draws = np.random.default_rng(seed).gamma(3, 10, (4, 50))
    one, other = value_multiple(*draws).multiple, value_multiple(*factor * draws).multiple
    assert (other.value, other.low, other.high) == pytest.approx((one.value, one.low, one.high))
    assert one.low <= one.value <= one.high


def test_what_is_not_defined():
    nobody = repeat_purchases([1.0, 2.0], [False, False])
    assert np.isnan([nobody.loyal.value, nobody.ratio.value, nobody.ratio.low]).all() and nobody.everyone.value == 1.5
    one = repeat_purchases([4.0, 2.0], [True, False])
    assert one.loyal.value == 4 and np.isnan(one.loyal.low) and np.isnan(one.ratio.low)
    single = repeat_purchases([4.0], [True])
    assert single.ratio.value == 1 and np.isnan(single.everyone.low)
    assert np.isnan(repeat_purchases([0.0, 0.0], [True, False]).ratio.value)
    worthless = value_multiple(100, 10, -5, 50)
    assert np.isnan(worthless.multiple.value) and worthless.undefined_share == 1
    some = value_multiple(100, 10, np.array([40.0, 50, -5, 45]), 50)
    assert some.undefined_share == 0.25 and some.multiple.value == pytest.approx(100 / 10 * 50 / 45)


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: repeat_purchases([], []), "at least one customer"),
        (lambda: repeat_purchases([1, 2], [True]), "for each whether"),
        (lambda: repeat_purchases([1, np.nan], [True, False]), "at least 0"),
        (lambda: repeat_purchases([1, -2], [True, False]), "at least 0"),
        (lambda: repeat_purchases([1, 2], [True, False], draws=[[1, 2, 3]]), "one row each"),
        (lambda: value_multiple(1, -1, 1, 1), "costs are at least 0"),
        (lambda: value_multiple(1, 1, np.nan, 1), "finite"),
        (lambda: value_multiple([1, 2], 1, [1, 2, 3], 1), "as many draws"),
    ],
)
def test_what_cannot_be_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
