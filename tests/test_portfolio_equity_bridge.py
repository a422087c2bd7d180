import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from helpers.models.customer_portfolio.equity_bridge import LINES, Terms, Values, bridge, return_on_customers

pytestmark = pytest.mark.filterwarnings("error")
STEADY = Terms(
    years=1,
    opening_discount_rate=0.1,
    closing_discount_rate=0.1,
    opening_margin_rate=0.3,
    closing_margin_rate=0.3,
)


def lines(found):
    return {name: estimate.value for name, estimate in found.lines.items()}


def test_bridge_by_hand():
    """Six customers: kept, kept, lost, new, one who came and went, and one who had probably gone before.

    Of the kept, 100 and 50 grow to 165 in a year at 10 %. At the old rate they are worth 90 and 80, at the new 85 and
    76. The margin rate rose from .3 to .32: of 500 and 400 expected spend that is 10 and 8.
    """
    values = Values(
        opening=[100, 50, 40, 0, 0, 3],
        closing=[85, 76, 5, 30, 1, 2],
        closing_at_old_rate=[90, 80, 6, 33, 1, 2.1],
        spend=[500, 400, 30, 150, 2, 7],
    )
    terms = replace(STEADY, closing_discount_rate=0.15, closing_margin_rate=0.32)
    found = bridge(
        values, [1, 1, 1, 0, 0, 0], [0, 0, 1, 0, 1, 1], terms, gone_before=[0, 0, 0, 0, 0, 1], margin_received=20
    )
    expected = {
        "opening": 193,
        "new": 31,
        "lost": -35,
        "gone_before": -1,
        "discount": 15 - 9,
        "margin": 18,
        "growth": (90 - 10 - 110) + (80 - 8 - 55),
        "closing": 199,
    }
    assert lines(found) == pytest.approx(expected) and tuple(found.lines) == LINES
    assert found.unwinding.value == pytest.approx(15)
    assert (found.kept, found.new, found.lost, found.gone_before) == (2, 1, 1, 1)
    assert found.return_on_customers.value == pytest.approx((20 + 6) / 193)
    assert np.isnan(found.lines["growth"].low)


@given(
    arrays.arrays(float, (3, 15), elements=st.floats(-1e5, 1e5)),
    arrays.arrays(float, 15, elements=st.floats(0, 1e6)),
    arrays.arrays(bool, (2, 15)),
    st.floats(0.05, 5),
    arrays.arrays(float, 2, elements=st.floats(-0.2, 0.5)),
    arrays.arrays(float, 2, elements=st.floats(0, 1)),
)
@settings(max_examples=80, deadline=None)
def test_bridge_adds_up_to_the_cent(worth, spend, who, years, discount_rates, margin_rates):
    (opening, closing, at_old_rate), (member, gone) = worth, who
    values = Values(np.where(member, opening, 0), closing, at_old_rate, spend)
    found = lines(bridge(values, member, gone, Terms(years, *discount_rates, *margin_rates)))
    steps = [found[name] for name in LINES[:-1]]
    assert math.fsum([*steps, -found["closing"]]) == pytest.approx(0, abs=0.005)
    assert found["opening"] == pytest.approx(math.fsum(opening[member]), abs=0.005)
    assert found["closing"] == pytest.approx(math.fsum(closing), abs=0.005)


def test_a_million_customers_add_up_to_the_cent():
    rng = np.random.default_rng(1)
    member, gone = rng.random(1_000_000) < 0.8, rng.random(1_000_000) < 0.1
    opening, closing, spend = rng.gamma(0.5, 300, (3, 1_000_000))
    terms = replace(STEADY, closing_discount_rate=0.12, closing_margin_rate=0.28)
    found = lines(bridge(Values(opening * member, closing, closing * 1.02, spend), member, gone, terms))
    assert math.fsum([*(found[name] for name in LINES[:-1]), -found["closing"]]) == pytest.approx(0, abs=0.005)


def test_where_nothing_happens_but_time_growth_takes_back_what_time_brings():
    opening = np.array([100.0, 50])
    found = lines(bridge(Values(opening, opening), [1, 1], [0, 0], STEADY))
    assert found["discount"] == pytest.approx(15) and found["growth"] == pytest.approx(-15)
    assert found["new"] == found["lost"] == found["margin"] == 0


def test_a_value_that_grows_as_it_was_discounted_is_discount_alone():
    opening = np.array([100.0, 50])
    found = lines(bridge(Values(opening, opening * 1.1**2.5), [1, 1], [0, 0], replace(STEADY, years=2.5)))
    assert found["discount"] == pytest.approx(found["closing"] - found["opening"])
    assert found["growth"] == pytest.approx(0, abs=1e-9)


def test_margin_rate_alone_is_margin_alone():
    """Without a discount rate, and with the same spend expected, only the margin rate changes the value."""
    spend = np.array([1000.0, 200, 50])
    terms = Terms(1, 0, 0, 0.3, 0.25)
    found = lines(bridge(Values(0.3 * spend - 5, 0.25 * spend - 5, spend=spend), [1, 1, 1], [0, 0, 0], terms))
    assert found["margin"] == pytest.approx(-0.05 * 1250) and found["growth"] == pytest.approx(0, abs=1e-9)


def test_intervals_from_draws():
    rng = np.random.default_rng(3)
    opening, closing = np.full(50, 100.0), np.full(50, 120.0)
    member, gone = np.arange(50) < 40, np.arange(50) < 10
    scale = rng.normal(1, 0.1, (3000, 2))
    draws = (Values(opening * member * a, closing * b) for a, b in scale)
    found = bridge(Values(opening * member, closing), member, gone, STEADY, margin_received=500, draws=draws)
    low, high = found.lines["new"].low, found.lines["new"].high
    assert (low, high) == pytest.approx((1200 * (1 - 0.196), 1200 * (1 + 0.196)), rel=0.02)
    error = np.hypot(1.1 * 3000 * 0.1, 3600 * 0.1)
    growth = found.lines["growth"]
    assert (growth.high - growth.low) / 2 == pytest.approx(1.96 * error, rel=0.05)
    back = found.return_on_customers
    assert back.value == pytest.approx((500 + 2000) / 4000) and back.low < back.value < back.high


def test_return_on_customers():
    """Worth 1,000 at first, 200 received, worth 1,050 after: 25 %."""
    np.testing.assert_allclose(return_on_customers(200, [1000, 0, -5], [1050, 10, 10]), [0.25, np.nan, np.nan])
    found = bridge(Values([10.0], [12.0]), [1], [0], STEADY)
    assert np.isnan(found.return_on_customers.value)  # the cash is not known


@pytest.mark.parametrize(
    "wrong",
    [
        {"years": 0},
        {"years": -1},
        {"years": np.nan},
        {"opening_discount_rate": -1},
        {"closing_discount_rate": np.nan},
        {"closing_margin_rate": np.inf},
    ],
)
def test_terms_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValueError, match=r"must"):
        replace(STEADY, **wrong)


@pytest.mark.parametrize(
    ("values", "member", "terms", "message"),
    [
        (Values([1.0], [1.0]), [0], STEADY, "not a customer"),
        (Values([1.0], [1.0]), [1, 1], STEADY, "one length"),
        (Values([], []), [], STEADY, "must be customers"),
        (Values([1.0], [1.0]), [1], replace(STEADY, closing_discount_rate=0.2), "closing_at_old_rate"),
        (Values([1.0], [1.0]), [1], replace(STEADY, closing_margin_rate=0.2), "spend"),
    ],
)
def test_what_makes_no_bridge_is_refused(values, member, terms, message):
    with pytest.raises(ValueError, match=message):
        bridge(values, member, np.zeros(len(member)), terms)


def test_who_had_gone_before_is_no_member():
    with pytest.raises(ValueError, match="gone_before"):
        bridge(Values([1.0], [1.0]), [1], [0], STEADY, gone_before=[1])


def test_values_that_are_not_numbers_are_refused():
    for wrong in (([1.0, np.nan], [1.0, 2]), ([1.0], [1.0, 2]), ([1.0], [np.inf])):
        with pytest.raises(ValueError, match="finite number"):
            Values(*wrong)
    with pytest.raises(ValueError, match="same customers"):
        bridge(Values([1.0], [1.0]), [1], [0], STEADY, draws=[Values([1.0, 2], [1.0, 2])])
