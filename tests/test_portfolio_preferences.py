"""What groups of customers prefer, and where customers stand in their segment."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from scipy import stats

from helpers.models.customer_portfolio.preferences import preferences
from helpers.models.customer_portfolio.pyramid import FIRST, GAINED, IDLE, LOST, standing


def test_shares_are_of_amounts_and_reach_of_people():
    amounts = [[30.0, 10], [0, 60], [5, 0], [0, 0]]
    found = preferences(amounts, [0, 0, 1, 1], 3)
    assert found.customers.tolist() == [2, 2, 0] and found.buyers.tolist() == [[1, 2], [1, 0], [0, 0]]
    assert found.share.value[0].tolist() == [0.3, 0.7] and found.share.value[1].tolist() == [1, 0]
    assert found.reach.value[:2].tolist() == [[0.5, 1], [0.5, 0]] and np.isnan(found.reach.value[2]).all()
    assert found.evenness.value[0] == pytest.approx(stats.entropy([0.3, 0.7]) / np.log(2))
    assert found.evenness.value[1] == 0 and np.isnan(found.share.value[2]).all()


@pytest.mark.parametrize("groups", [1, 2])
def test_intervals_hold_what_was_planted(groups):
    rng, planted, size, runs = np.random.default_rng(7), np.array([0.5, 0.3, 0.2]), 400, 300
    inside = np.zeros(4)
    for _ in range(runs):
        spent = rng.lognormal(3, 1, size)  # whoever spends more prefers the same
        amounts = spent[:, None] * rng.dirichlet(3 * planted, size)
        found = preferences(amounts, rng.integers(groups, size=size), groups)
        inside[:3] += (found.share.low[0] <= planted) & (planted <= found.share.high[0])
        inside[3] += found.evenness.low[0] <= stats.entropy(planted) / np.log(3) <= found.evenness.high[0]
    # of 300 runs at 95 %, three standard errors and what the linearisation lacks
    assert (inside / runs > 0.9).all() and (inside / runs < 0.99).all()


@given(some.lists(some.lists(some.floats(0, 1e6), min_size=3, max_size=3), min_size=1, max_size=30))
def test_shares_add_up_and_know_no_currency(amounts):
    amounts = np.round(amounts, 2)
    found = preferences(amounts, np.zeros(len(amounts), int), 1)
    if amounts.sum() > 0:
        assert found.share.value.sum() == pytest.approx(1) and 0 <= found.evenness.value[0] <= 1 + 1e-12
        again = preferences(7.1 * amounts, np.zeros(len(amounts), int), 1)
        np.testing.assert_allclose(again.share.value, found.share.value)


def test_amounts_that_cannot_be_are_refused():
    for amounts, group in (([[-1.0]], [0]), ([[np.nan]], [0]), ([[1.0]], [0, 0]), (np.empty((1, 0)), [0])):
        with pytest.raises(ValueError):
            preferences(amounts, group, 1)


def test_standing_is_the_share_of_the_group_and_not_the_volume():
    now, before, group = [20.0, 80, 0, 5, 0, 9], [20, 60, 0, 0, 5, 3], [0, 0, 0, 1, 1, 2]
    # the first bought as much of a market that grew; the last is its own market
    assert standing(now, before, group).tolist() == [LOST, GAINED, IDLE, FIRST, LOST, GAINED]
    for wrong in ((now, before[:2]), ([-1.0, *now[1:]], before), (now, [np.nan, *before[1:]])):
        with pytest.raises(ValueError):
            standing(*wrong, group)
