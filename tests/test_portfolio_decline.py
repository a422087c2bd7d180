import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from helpers.models.customer_portfolio.decline import BY_VALUE, EVERYONE, LET_GO, NOBODY, REINVEST, decide

pytestmark = pytest.mark.filterwarnings("error")


def test_decision_by_hand():
    found = decide([80, 80, 16, -4], [0.3, 0.1, 0.3, 0.9], 10)
    np.testing.assert_allclose(found.gain, [14, -2, -5.2, -13.6])
    np.testing.assert_allclose(found.break_even_response, [0.125, 0.125, 0.625, np.inf])
    assert found.action.tolist() == [REINVEST, LET_GO, LET_GO, LET_GO]
    chosen, everyone, nobody = (found.totals[rule] for rule in (BY_VALUE, EVERYONE, NOBODY))
    assert (chosen.customers, chosen.spend, chosen.gain.value) == (1, 10, pytest.approx(14))
    assert (everyone.customers, everyone.spend, everyone.gain.value) == (4, 40, pytest.approx(-6.8))
    assert (nobody.customers, nobody.spend, nobody.gain.value) == (0, 0, 0)
    assert np.isnan(found.probability_of_gain).all() and np.isnan(chosen.gain.low)


def values(low, high):
    return arrays.arrays(float, 12, elements=st.floats(low, high))


@given(values(-1e4, 1e5), values(0, 1), values(0, 1e3))
@settings(max_examples=60, deadline=None)
def test_no_rule_expects_more(value, response, cost):
    found = decide(value, response, cost)
    best = found.totals[BY_VALUE].gain.value
    assert best >= found.totals[EVERYONE].gain.value - 1e-6 and best >= 0
    assert best == pytest.approx(np.maximum(found.gain, 0).sum())
    clear = np.abs(found.gain) > 1e-6
    np.testing.assert_array_equal((response > found.break_even_response)[clear], found.reinvest[clear])


def test_at_its_break_even_response_a_customer_brings_nothing():
    value, cost = np.array([50.0, 400, 12]), np.array([3.0, 25, 1])
    response = decide(value, 0.5, cost).break_even_response
    np.testing.assert_allclose(decide(value, response, cost).gain, 0, atol=1e-12)


def test_draws_say_how_sure_the_decision_is():
    rng = np.random.default_rng(2)
    value, response = np.array([100.0, 45, 10]), 0.2
    spread = rng.normal(0, 5, (4000, 3))
    found = decide(value, response, 10, draws=((value + each, response) for each in spread))
    # gain > 0 where value > 50: 10 and 1 and 8 standard deviations away
    np.testing.assert_allclose(found.probability_of_gain, [1, 0.1587, 0], atol=0.02)
    chosen, everyone = found.totals[BY_VALUE].gain, found.totals[EVERYONE].gain
    assert (chosen.low, chosen.high) == pytest.approx((10 - 1.96, 10 + 1.96), abs=0.1)
    assert (everyone.high - everyone.low) / (chosen.high - chosen.low) == pytest.approx(np.sqrt(3), rel=0.05)
    assert found.totals[NOBODY].gain.low == found.totals[NOBODY].gain.high == 0


def test_nobody_in_decline():
    found = decide([], 0.2, 10)
    assert found.gain.size == 0 and found.totals[BY_VALUE].gain.value == 0


def test_shares_do_not_depend_on_the_currency():
    value, cost = np.array([50.0, 400, 12]), np.array([3.0, 25, 1])
    here, there = decide(value, 0.05, cost), decide(7.8 * value, 0.05, 7.8 * cost)
    np.testing.assert_array_equal(here.reinvest, there.reinvest)
    np.testing.assert_allclose(here.break_even_response, there.break_even_response)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([np.nan], 0.1, 1), "value_if_alive"),
        (([np.inf], 0.1, 1), "value_if_alive"),
        (([10], 1.1, 1), "response"),
        (([10], np.nan, 1), "response"),
        (([10], 0.1, -1), "cost"),
        (([10], 0.1, np.nan), "cost"),
    ],
)
def test_what_makes_no_decision_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        decide(*arguments)
    with pytest.raises(ValueError, match="response"):
        decide([10], 0.1, 1, draws=[([10], 2)])
