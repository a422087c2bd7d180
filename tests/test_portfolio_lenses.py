"""How much lenses disagree, against scipy and known laws; two claims about what sales and loyalty hide."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from helpers.models.customer_portfolio.lenses import agreement, loyal_less_margin, owes_most
from helpers.models.ranks import membership, mid_ranks, top_membership


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=30), st.data())
def test_ranks_and_tops_share_ties(values, data):
    places = data.draw(st.integers(1, len(values)))
    values = np.array(values, float)
    np.testing.assert_array_equal(mid_ranks(values), stats.rankdata(values))
    inside = top_membership(values, places)
    assert inside.sum() == pytest.approx(places, rel=1e-5)
    np.testing.assert_allclose(inside, membership(values, np.sort(values), places), rtol=1e-6)


@settings(max_examples=30)
@given(st.integers(0, 10_000))
def test_tau_is_scipy_s_with_ties(seed):
    rng = np.random.default_rng(seed)
    lenses = {name: rng.integers(0, 5, 40) for name in ("sales", "profit", "loyalty")}
    found = agreement(lenses, resamples=2)
    for one, other in ((0, 1), (0, 2), (1, 2)):
        expected = stats.kendalltau(*(list(lenses.values())[place] for place in (one, other))).statistic
        assert found.tau.value[one, other] == found.tau.value[other, one] == pytest.approx(expected)
        assert found.tau.low[one, other] < expected < found.tau.high[one, other]
    np.testing.assert_array_equal(np.diag(found.tau.low), 1)


def test_five_customers_by_hand():
    # 4 of 10 pairs discordant; the top fifth are one customer each; the top two fifths share one
    lenses = {"sales": [5, 4, 3, 2, 1], "profit": [3, 5, 1, 4, 2]}
    assert agreement(lenses, top=0.2).tau.value[0, 1] == pytest.approx(0.2)
    assert agreement(lenses, top=0.2).overlap.value[0, 1] == 0
    found = agreement(lenses, top=0.4)
    assert found.overlap.value[0, 1] == 0.5 and found.chance == 0.4 and found.compared == found.customers == 5


@pytest.fixture(scope="module")
def independent():
    rng = np.random.default_rng(6)
    return {name: rng.normal(size=5000) for name in ("sales", "overdue")}


def test_intervals_are_as_wide_as_the_laws_of_chance_make_them(independent):
    found, size, places = agreement(independent, resamples=400), 5000, 500
    # Kendall 1938: variance of tau of independent values; the overlap of independent tops is hypergeometric
    tau_error = np.sqrt(2 * (2 * size + 5) / (9 * size * (size - 1)))
    overlap_error = stats.hypergeom(size, places, places).std() / places
    for estimate, error, tolerance in ((found.tau, tau_error, 0.05), (found.overlap, overlap_error, 0.2)):
        half = (estimate.high[0, 1] - estimate.low[0, 1]) / 2
        assert half / 1.96 == pytest.approx(error, rel=tolerance)
    assert abs(found.tau.value[0, 1]) < 3 * tau_error
    assert abs(found.overlap.value[0, 1] - found.chance) < 3 * overlap_error


def test_tau_intervals_hold_the_truth_as_often_as_they_say():
    # of two normal values correlated by 0.6, tau is 2 / pi arcsin 0.6
    rng, truth, held = np.random.default_rng(7), 2 / np.pi * np.arcsin(0.6), 0
    for _ in range(250):
        one, other = rng.normal(size=(2, 60))
        found = agreement({"a": one, "b": 0.6 * one + 0.8 * other}, resamples=1).tau
        held += found.low[0, 1] < truth < found.high[0, 1]
    assert abs(held / 250 - 0.95) < 0.041  # three standard errors


def test_an_error_from_some_pairs_is_that_from_all(independent, monkeypatch):
    part = agreement(independent, resamples=1).tau
    monkeypatch.setattr("helpers.models.customer_portfolio.lenses.PROJECTED", 5000)
    monkeypatch.setattr("helpers.models.customer_portfolio.lenses.OTHERS", 5000)
    whole = agreement(independent, resamples=1).tau
    assert part.high[0, 1] - part.low[0, 1] == pytest.approx(whole.high[0, 1] - whole.low[0, 1], rel=0.06)


def test_of_very_many_customers_a_sample_is_compared(independent):
    found = agreement(independent, most=1000, resamples=20)
    assert found.customers == 5000 and found.compared == 1000
    whole = agreement(independent, resamples=20)
    assert found.tau.low[0, 1] < whole.tau.value[0, 1] < found.tau.high[0, 1]
    again = agreement(independent, most=1000, resamples=20)
    np.testing.assert_array_equal(found.overlap.low, again.overlap.low)


def test_currency_and_names_change_nothing(independent):
    found = agreement(independent, resamples=20)
    other = agreement({"x": np.exp(independent["sales"]), "y": 7 * independent["overdue"]}, resamples=20)
    for name in ("tau", "overlap"):
        np.testing.assert_array_equal(getattr(found, name).high, getattr(other, name).high)


def test_a_lens_that_ranks_nobody_has_no_numbers():
    found = agreement({"sales": [1, 2, 3, 4], "overdue": [0, 0, 0, 0], "profit": [1, 3, 2, 4]})
    assert np.isnan(found.tau.value[1]).all() and np.isnan(found.overlap.value[:, 1]).all()
    assert "overdue" in found.problem and np.isfinite(found.tau.value[0, 2])
    one = agreement({"sales": [1], "profit": [2]})
    assert np.isnan(one.tau.value).all() and np.isnan(one.overlap.high).all() and one.problem


def test_wrong_lenses_are_refused():
    for lenses, top in (
        ({"sales": [1, 2]}, 0.1),
        ({"sales": [1, 2], "profit": [1]}, 0.1),
        ({"sales": [1, 2], "profit": [1, np.nan]}, 0.1),
        ({"sales": [], "profit": []}, 0.1),
        ({"sales": [1, 2], "profit": [1, 2]}, 1.0),
    ):
        with pytest.raises(ValueError):
            agreement(lenses, top)


def test_planted_claims_are_found_true_and_false():
    rng = np.random.default_rng(8)
    sales, noise = rng.lognormal(3, 1, 3000), rng.lognormal(0, 0.5, 3000)
    late = rng.random(3000) < 0.4
    owing, unrelated = owes_most(sales, late * sales * noise), owes_most(sales, late * noise)
    paying = owes_most(sales, noise / sales)
    assert owing.estimate.low > 0 and owing.chance == 0.1 and owing.customers == 3000
    assert unrelated.estimate.low < 0 < unrelated.estimate.high
    assert paying.estimate.high < 0
    years = rng.exponential(3, 3000)
    assert loyal_less_margin(years, 0.4 - 0.05 * years + rng.normal(0, 0.1, 3000)).estimate.high < 0
    nothing = loyal_less_margin(years, rng.normal(0.3, 0.1, 3000)).estimate
    assert nothing.low < 0 < nothing.high


def test_claims_say_of_whom_they_speak():
    found = loyal_less_margin([1, 2, 3, 4], [0.3, np.nan, 0.2, 0.25])
    assert found.customers == 3 and found.estimate.value == pytest.approx(-1 / 3)
    for claim in (
        loyal_less_margin([1, 2], [np.nan, np.nan]),
        loyal_less_margin([1], [0.2]),
        loyal_less_margin([1, 1], [0.2, 0.3]),
        owes_most([1, 2], [0, 0]),
        owes_most([1], [3]),
        owes_most([1, 1], [0, 3]),
    ):
        assert np.isnan(claim.estimate.value) and claim.problem
    with pytest.raises(ValueError):
        owes_most([1, 2], [0, np.nan])
    with pytest.raises(ValueError):
        loyal_less_margin([1, 2], [0.1])
