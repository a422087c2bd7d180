"""Recency, frequency and monetary fifths, and the grid."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.models.customer_portfolio.rfm import rfm, scored


def test_ten_customers_by_hand():
    # the most recent, frequent and generous comes first
    found = rfm(np.arange(10), 20 - np.arange(10), 100 - np.arange(10))
    assert found.recency.tolist() == found.frequency.tolist() == [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]
    assert found.cell.tolist()[::2] == [555, 444, 333, 222, 111] and not found.problem
    np.testing.assert_array_equal(found.customers, 2 * np.eye(5))
    assert found.mean_monetary[4, 4] == 99.5 and np.isnan(found.mean_monetary[0, 4])


def test_equal_values_get_the_score_of_their_middle():
    assert scored([7, 7, 7]).tolist() == [3, 3, 3] and scored([4]).tolist() == [3]
    assert scored([1, 1, 2, 2]).tolist() == [2, 2, 4, 4]
    assert scored([0] * 8 + [1, 2]).tolist() == [3] * 8 + [5, 5]  # middles at 0.4, 0.85, 0.95
    found = rfm([1, 2, 3, 4, 5], [1, 1, 1, 1, 1], [5, 4, 3, 2, 1])
    assert found.groups == {"recency": 5, "frequency": 1, "monetary": 5}
    assert "frequency leave 1 of 5" in found.problem


@given(st.lists(st.integers(0, 6), min_size=1, max_size=60), st.randoms())
def test_scores_follow_values_only(values, random):
    values = np.array(values)
    scores = scored(values)
    assert scores.min() >= 1 and scores.max() <= 5
    for one, other in zip(np.sort(values)[:-1], np.sort(values)[1:], strict=True):
        low, high = scores[values == one], scores[values == other]
        assert np.ptp(low) == 0 and low[0] <= high[0]
    order = np.array(random.sample(range(len(values)), len(values)))
    np.testing.assert_array_equal(scored(values[order]), scores[order])
    np.testing.assert_array_equal(scored(7.77 * values), scores)


@given(st.integers(0, 10_000))
def test_grid_holds_everyone_and_all_money(seed):
    rng = np.random.default_rng(seed)
    money = rng.lognormal(3, 1, 80)
    found = rfm(rng.integers(0, 50, 80), rng.poisson(2, 80), money)
    assert found.customers.sum() == 80 and found.share.sum() == pytest.approx(1)
    assert np.nansum(found.mean_monetary * found.customers) == pytest.approx(money.sum())
    assert found.share_of_monetary.sum() == pytest.approx(1)
    place = (found.recency == 2) & (found.frequency == 4)
    assert found.customers[1, 3] == place.sum()
    if place.any():
        assert found.mean_monetary[1, 3] == pytest.approx(money[place].mean())


def test_quintiles_of_many_customers_are_fifths():
    values = np.random.default_rng(1).normal(size=1000)
    np.testing.assert_array_equal(np.bincount(scored(values))[1:], [200] * 5)
    np.testing.assert_array_equal(scored(values) == 5, values > np.quantile(values, 0.8))


def test_one_customer_and_no_money():
    found = rfm([3], [0], [0])
    assert found.cell.tolist() == [333] and np.isnan(found.share_of_monetary).all() and "not positive" in found.problem


@pytest.mark.parametrize(
    "since, often, money", [([], [], []), ([-1], [1], [1]), ([1], [-1], [1]), ([1], [1], [np.nan])]
)
def test_bad_values_are_refused(since, often, money):
    with pytest.raises(ValueError):
        rfm(since, often, money)


@pytest.mark.parametrize("groups", [1, 10])
def test_a_score_is_one_digit(groups):
    with pytest.raises(ValueError):
        scored([1, 2], groups)
