import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.models.customer_portfolio.relationship_levels import (
    ASSUMED,
    NONE,
    Level,
    Response,
    Segments,
    annuity,
    assumed_levels,
    assumed_response,
    implied_retention,
    observed_retention,
    recommend,
    retention_draws,
    sensitivity,
)

pytestmark = pytest.mark.filterwarnings("error")
BASIC, REACTIVE, ACCOUNTABLE, PROACTIVE, PARTNERSHIP = range(len(ASSUMED))


# --- retention that a value implies -----------------------------------------------------------------------------


def test_annuity_by_hand():
    """Three years at 10 %, .8 stay: 1 + .8/1.1 + (.8/1.1)^2; nobody stays: the first payment; everybody at 0 %: 3."""
    assert annuity(0.8, 3, 0.1, payments_a_year=1) == pytest.approx(1 + 0.8 / 1.1 + (0.8 / 1.1) ** 2)
    assert annuity(0, 3, 0.1, payments_a_year=1) == 1
    assert annuity(0, 3, 0.1, payments_a_year=12) == pytest.approx(1 / 12)
    np.testing.assert_allclose(annuity([1, 1], 3, 0.0, payments_a_year=12), 3)


@given(st.floats(0.01, 0.999), st.floats(0.5, 1e6), st.sampled_from([1.0, 2.99, 10]), st.floats(0, 0.5))
@settings(max_examples=40, deadline=None)
def test_retention_comes_back(retention, margin, years, rate):
    value = margin * annuity(retention, years, rate)
    found = implied_retention(value, margin, years, rate)
    assert found.retention[0] == pytest.approx(retention, abs=1e-6) and found.problems == ("",)


def test_values_that_no_retention_gives_are_said():
    found = implied_retention([0.5, 400, 10, np.nan, -5], [12, 100, 0, 10, 10], 3, 0.1)
    np.testing.assert_array_equal(found.retention, [0, 1, np.nan, np.nan, 0])
    assert ["below" in found.problems[0], "above" in found.problems[1]] == [True, True]
    assert "no retention" in found.problems[2] and "no retention" in found.problems[3]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([10], [10], 1, 0.1, 1), "one payment"),
        (([10], [10], 0, 0.1), "no payment"),
        (([10], [10], np.inf, 0.1), "no payment"),
        (([10], [10], 3, -1), "annual_discount_rate"),
        (([10, 2], [10], 3, 0.1), "segment"),
    ],
)
def test_horizons_that_say_nothing_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        implied_retention(*arguments)


def test_observed_retention_by_hand():
    """Ten exits in 100 customer-years: exp(-.1); Garwood's interval of 10 is 4.795 to 18.39, of none 0 to 3.689."""
    found = observed_retention([10, 0, 0], [100, 50, 0])
    np.testing.assert_allclose(found.value, [np.exp(-0.1), 1, np.nan])
    np.testing.assert_allclose(found.low, [np.exp(-0.1839), np.exp(-3.689 / 50), np.nan], rtol=1e-4)
    np.testing.assert_allclose(found.high, [np.exp(-0.04795), 1, np.nan], rtol=1e-4)


def test_draws_of_observed_retention_lie_about_as_its_interval():
    found = observed_retention([40, 200], [200, 2000])
    drawn = retention_draws([40, 200], [200, 2000], 20_000, np.random.default_rng(1))
    np.testing.assert_allclose(np.quantile(drawn, [0.025, 0.975], axis=0), [found.low, found.high], atol=0.004)


def test_observed_retention_takes_the_place_of_the_implied():
    """The third is not observed, the fourth has no margin to keep."""
    known = Segments([50] * 4, [100, 100, 100, 0], [150, 400, 150, 5], 2, 0.0, 1, retention=[0.8, 0.6, np.nan, 0.9])
    np.testing.assert_allclose(known.base.retention, [0.8, 0.6, 0.5, np.nan])
    assert known.base.problems[:3] == ("", "", "") and "no retention" in known.base.problems[3]
    found = recommend(known, TWO, Response(0.9, np.log(2) / 10))
    np.testing.assert_allclose(found.retention[0], [0.8, 0.85])
    np.testing.assert_allclose(found.value.value[0], [50 * 100 * 1.8, 50 * 85 * 1.85])
    assert found.best[3] == NONE


def test_draws_may_hold_retention():
    known = Segments([50], [100], [150], 2, 0.0, 1, retention=[0.8])
    drawn = np.linspace(0.7, 0.9, 201)
    draws = [([100], [150], [each]) for each in drawn]
    value = recommend(known, TWO, Response(0.9, 0.1), draws=draws).value
    assert (value.low[0, BASIC], value.high[0, BASIC]) == pytest.approx((5000 * 1.705, 5000 * 1.895))
    fixed = recommend(known, TWO, Response(0.9, 0.1), draws=[([100], [90]), ([100], [180])]).value
    assert fixed.low[0, BASIC] == fixed.high[0, BASIC] == pytest.approx(5000 * 1.8)


def test_response_to_contact():
    response = Response(0.9, 2.0)
    assert response.retention(0.6, 0) == pytest.approx(0.6)
    assert response.retention(0.6, np.log(2) / 2) == pytest.approx(0.75)  # half of the way
    assert response.retention(0.6, 50) == pytest.approx(0.9)
    assert response.retention(0.95, 5) == pytest.approx(0.95)


# --- Kotler's grid ----------------------------------------------------------------------------------------------

NUMBERS, MARGINS = (10_000, 1_000, 100), (300.0, 100.0, 20.0)  # of customers; a year


def grid():
    """Recommend for each cell of numbers x margins in a firm of 10,000 customers with a mean margin of 100."""
    customers, margin = (each.ravel() for each in np.meshgrid(NUMBERS, MARGINS, indexing="ij"))
    cells = Segments(customers, margin, margin * annuity(0.7, 3, 0.1), 3, 0.1)
    return recommend(cells, assumed_levels(100, 10_000), assumed_response(100)).best.reshape(3, 3)


def test_two_cells_that_the_sources_state():
    """Large market and small unit margin: basic. Few customers and high margin: partnership.

    Sources 001:185-187; P. Kotler at the National Centre for Database Marketing conference of July 1993 says the latter
    as well (Strategy, 26 July 1993). The other cells of his grid could not be confirmed and are not tested.
    """
    found = grid()
    assert found[0, 2] == BASIC
    assert found[2, 0] == PARTNERSHIP


def test_more_margin_or_fewer_customers_never_take_a_lower_level():
    found = grid()
    assert (np.diff(found, axis=1) <= 0).all() and (np.diff(found, axis=0) >= 0).all()
    assert len(set(found.ravel())) == len(ASSUMED)  # each level is somebody's


def test_numbers_make_no_difference_where_contact_scales():
    levels = [Level(level.name, level.cost) for level in assumed_levels(100, 10_000)]
    segments = Segments(NUMBERS, [100] * 3, [200] * 3, 3, 0.1)
    assert len(set(recommend(segments, levels, assumed_response(100)).best)) == 1


# --- the choice -------------------------------------------------------------------------------------------------

TWO = (Level("basic", 0), Level("proactive", 10, capacity=100))


def test_value_by_hand():
    """50 customers, margin 100, retention .5, two years at 0 %; contact of 10 costs 15 and goes half way to .9."""
    response = Response(0.9, np.log(2) / 10)
    segments = Segments([50], [100], [150], 2, 0.0, payments_a_year=1)
    found = recommend(segments, TWO, response)
    np.testing.assert_allclose(found.retention, [[0.5, 0.7]])
    np.testing.assert_allclose(found.cost, [[0, 15]])
    np.testing.assert_allclose(found.value.value, [[50 * 150, 50 * 85 * 1.7]])
    assert found.best.tolist() == [BASIC] and found.budget.tolist() == [0]
    fewer = recommend(Segments([5], [100], [150], 2, 0.0, payments_a_year=1), TWO, response)
    assert fewer.best.tolist() == [1] and fewer.budget[0] == pytest.approx(5 * 10.5)


def test_choice_does_not_depend_on_the_currency():
    customers, margin = np.array([8000, 1500, 500]), np.array([40.0, 150, 300])
    value = 2 * margin
    here, there = (
        recommend(
            Segments(customers, scale * margin, scale * value, 3, 0.1),
            assumed_levels(scale * 100, 10_000),
            assumed_response(scale * 100),
        )
        for scale in (1, 7.8)
    )
    np.testing.assert_array_equal(here.best, there.best)
    np.testing.assert_allclose(7.8 * here.budget, there.budget)
    np.testing.assert_allclose(7.8 * here.value.value, there.value.value)


def test_draws_say_how_sure_the_choice_is():
    segments = Segments([1000, 1000], [100, 20], [200, 40], 3, 0.1)
    levels, response = assumed_levels(100, 10_000), assumed_response(100)
    rng = np.random.default_rng(1)
    scales = np.exp(rng.normal(0, 0.2, (100, 2)))
    found = recommend(segments, levels, response, draws=((segments.margin * s, segments.value * s) for s in scales))
    np.testing.assert_allclose(found.probability.sum(axis=1), 1)
    assert (found.value.low < found.value.value).all() and (found.value.value < found.value.high).all()
    # margin and value move together, so the basic level is worth value x scale
    expected = np.quantile(1000 * 200 * scales[:, 0], [0.025, 0.975])
    np.testing.assert_allclose([found.value.low[0, BASIC], found.value.high[0, BASIC]], expected, rtol=1e-9)
    assert np.isnan(recommend(segments, levels, response).probability).all()


def test_segments_without_margin_or_customers():
    segments = Segments([10, 0], [0, 100], [5, 200], 3, 0.1)
    found = recommend(segments, assumed_levels(100, 10), assumed_response(100), draws=[([0, 100], [5, 200])])
    assert found.best[0] == NONE and np.isnan(found.budget[0]) and found.probability[0].sum() == 0
    assert found.base.problems[0] and not found.base.problems[1]
    assert found.best[1] == BASIC and found.budget[1] == 0


def test_sensitivity_says_where_the_choice_changes():
    segments = Segments([50], [100], [150], 2, 0.0, payments_a_year=1)
    changes = {
        (each.assumption, each.factor): (each.best[0], each.changed[0])
        for each in sensitivity(segments, TWO, Response(0.9, np.log(2) / 10))
    }
    assert len(changes) == 8
    # the basic level is worth 150 a head
    worth = {
        ("cost", 0.5): 92.5 * 1.7,
        ("cost", 2.0): 70 * 1.7,
        ("capacity", 0.5): 80 * 1.7,
        ("capacity", 2.0): 87.5 * 1.7,
        ("responsiveness", 0.5): 85 * (1.9 - 0.4 * 2**-0.5),
        ("responsiveness", 2.0): 85 * (1.9 - 0.4 / 4),
        ("ceiling", 0.5): 85 * (1 + (0.95 + 0.5) / 2),
        ("ceiling", 2.0): 85 * (1 + (0.8 + 0.5) / 2),
    }
    assert changes == {name: (int(each > 150), each > 150) for name, each in worth.items()}


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Level("basic", -1),
        lambda: Level("basic", 1, 0),
        lambda: Response(1.2, 1),
        lambda: Response(0.9, -1),
        lambda: Segments([-1], [1], [1], 3, 0.1),
        lambda: Segments([1, 2], [1], [1], 3, 0.1),
        lambda: Segments([1], [1], [1], 3, 0.1, retention=[1.2]),
        lambda: Segments([1], [1], [1], 3, 0.1, retention=[0.5, 0.5]),
        lambda: observed_retention([-1], [10]),
        lambda: observed_retention([1, 2], [10]),
        lambda: assumed_levels(0, 10),
        lambda: assumed_response(-1),
        lambda: recommend(Segments([1], [1], [2], 3, 0.1), (), Response(0.9, 1)),
        lambda: sensitivity(Segments([1], [1], [2], 3, 0.1), TWO, Response(0.9, 1), factors=[0]),
    ],
)
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError, match=r"must|needs|no levels"):
        wrong()
