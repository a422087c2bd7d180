"""The score of four components, its weights, and what other weights would say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from helpers.models.customer_portfolio.commercial_value import (
    COMPONENTS,
    commercial_value,
    entropy_weights,
    sensitivity,
)

THREE = np.array([[10.0, 1, 0, 5], [20, 1, 0, 4], [40, 3, 8, 3]])


def weighted(*weights):
    return dict(zip(COMPONENTS, weights, strict=True))


def test_three_customers_by_hand():
    found = commercial_value(THREE)
    np.testing.assert_allclose(found.ranks, [[0, 0.25, 0.25, 1], [0.5, 0.25, 0.25, 0.5], [1, 1, 1, 0]])
    np.testing.assert_allclose(found.score, [0.375, 0.375, 0.75])
    np.testing.assert_allclose(commercial_value(THREE, weighted(2, 1, 1, 0)).score, [0.125, 0.375, 1])
    assert found.contribution.sum() == pytest.approx(1) and found.contribution[3] < 0 and not found.problem


def test_entropy_weights_by_hand():
    # above the minimum 0, 10, 30: e = -(1/4 ln 1/4 + 3/4 ln 3/4) / ln 3; one customer holds all: e = 0; shares 2/3, 1/3
    e = np.array([stats.entropy([1, 3]), 0, 0, stats.entropy([2, 1])]) / np.log(3)
    np.testing.assert_allclose(entropy_weights(THREE), (1 - e) / (1 - e).sum())
    np.testing.assert_allclose(commercial_value(THREE, "entropy").weights, (1 - e) / (1 - e).sum())


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.sampled_from([1e-3, 7.77, 1e6]))
def test_units_do_not_matter(seed, rate):
    components = np.random.default_rng(seed).normal(2, 3, (25, 4)).round(1)
    for weights in ("equal", "entropy"):
        one, other = commercial_value(components, weights), commercial_value(rate * components + 5, weights)
        np.testing.assert_allclose(one.score, other.score, atol=1e-5)
    np.testing.assert_allclose(one.ranks, (stats.rankdata(components, axis=0) - 1) / 24, atol=1e-6)
    assert (one.score >= 0).all() and (one.score <= 1).all()


def test_a_component_that_ranks_nobody_gives_its_weight_away():
    same = THREE.copy()
    same[:, 3] = 7
    found = commercial_value(same, weighted(2, 1, 1, 4))
    np.testing.assert_allclose(found.weights, [0.5, 0.25, 0.25, 0])
    assert (found.ranks[:, 3] == 0.5).all() and "learning value: the weight went" in found.problem
    for nothing in (commercial_value(same, weighted(0, 0, 0, 1)), commercial_value(THREE[:1])):
        assert (nothing.score == 0.5).all() and not nothing.weights.any() and np.isnan(nothing.contribution).all()
        assert "0.5" in nothing.problem


@pytest.mark.parametrize(
    "weights",
    ["even", weighted(0, 0, 0, 0), weighted(-1, 1, 1, 1), weighted(np.nan, 1, 1, 1), {"existing": 1}, [1] * 4],
)
def test_weights_that_are_none_are_refused(weights):
    with pytest.raises(ValueError):
        commercial_value(THREE, weights)


@pytest.mark.parametrize("components", [np.empty((0, 4)), THREE[:, :3], THREE[0], np.where(THREE == 8, np.nan, THREE)])
def test_components_that_are_missing_are_refused(components):
    with pytest.raises(ValueError):
        commercial_value(components)


def test_who_is_in_the_top_under_all_weights():
    # two components count: a leads in one, b in the other, c is second in both: 1, .5 and 0 by rank
    values = np.array([[3.0, 1, 0, 0], [1, 3, 0, 0], [2, 2, 0, 0]])
    found = sensitivity(commercial_value(values), top=1 / 3, draws=1500)
    # w against 1 - w, w uniform: a leads above 1/2, b below, c never
    np.testing.assert_allclose(found.probability, [0.5, 0.5, 0], atol=0.04)
    assert found.probability.sum() == pytest.approx(1, rel=1e-5)
    alone = found.correlation_with
    assert np.isnan(alone["equal"]) and np.isnan(alone["influence"])  # all scores are 0.5; nobody differs
    assert found.kept.value == pytest.approx(1 / 3, abs=0.01)  # of three tied, a third of a place each


def test_scores_that_agree_do_not_depend_on_weights():
    values = np.random.default_rng(1).normal(size=(200, 1)) * np.ones(4)
    found = sensitivity(commercial_value(values))
    assert found.kept.low == found.kept.high == 1 and found.correlation.low == pytest.approx(1)
    assert set(np.unique(found.probability)) == {0, 1} and found.probability.mean() == pytest.approx(0.1)


def test_correlations_are_spearman_s():
    values = np.random.default_rng(2).lognormal(size=(300, 4))
    scored = commercial_value(values, weighted(1, 2, 3, 4))
    found = sensitivity(scored, draws=50)
    for place, name in enumerate(COMPONENTS):
        expected = stats.spearmanr(scored.score, values[:, place]).statistic
        assert found.correlation_with[name] == pytest.approx(expected, abs=1e-4)
    assert found.correlation.low < found.correlation.value < found.correlation.high <= 1
    again = sensitivity(scored, draws=50)
    np.testing.assert_array_equal(found.probability, again.probability)


def test_where_nothing_tells_customers_apart_the_rest_is_unknown():
    found = sensitivity(commercial_value(np.ones((20, 4))))
    assert (found.probability == np.float32(0.1)).all() and np.isnan(found.kept.value)
    for wrong in ({"draws": 0}, {"top": 0}, {"top": 1}):
        with pytest.raises(ValueError):
            sensitivity(commercial_value(THREE), **wrong)
