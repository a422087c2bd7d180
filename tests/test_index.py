import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.models.satisfaction_index import index as index_of
from helpers.models.satisfaction_index.moments import Answers
from helpers.models.satisfaction_index.path_model import fit
from tests.mobi import CONSTRUCTS, ECSI, ITEMS, mobi
from tests.published import mobi as published

SCALE = published.LOWEST, published.HIGHEST
SATISFACTION = CONSTRUCTS.index("satisfaction")


@pytest.fixture(scope="module")
def moments():
    return Answers(mobi()).moments()


@pytest.fixture(scope="module")
def fitted(moments):
    return fit(moments.correlation, ECSI)


@pytest.fixture(scope="module")
def weights(fitted, moments):
    return index_of.item_weights(fitted.weights, moments.deviation, ECSI)


# ---- published figures ----


def test_index_by_equal_and_by_pls_weights(moments, weights):
    equal = index_of.index(moments.mean, index_of.equal_weights(ECSI), ECSI, *SCALE)
    by_model = index_of.index(moments.mean, weights, ECSI, *SCALE)
    for construct, figures in published.INDEX.items():
        place = CONSTRUCTS.index(construct)
        assert (equal[place], by_model[place]) == pytest.approx(figures, abs=5e-4), construct


@pytest.mark.parametrize("target", published.IMPORTANCE)
def test_importance(target, fitted, moments, weights):
    deviation = index_of.index_deviation(moments.covariance, weights, ECSI, *SCALE)
    importance = index_of.effects_on_index(fitted.total_effects, deviation)[:, CONSTRUCTS.index(target)]
    shown = dict(zip(CONSTRUCTS, importance, strict=True))
    for construct, figure in published.IMPORTANCE[target].items():
        assert shown.pop(construct) == pytest.approx(figure, abs=5e-5), construct
    assert not any(shown.values())


def test_standard_error_with_weights_known(moments, weights):
    deviation = index_of.index_deviation(moments.covariance, weights, ECSI, *SCALE)[SATISFACTION]
    value = index_of.index(moments.mean, weights, ECSI, *SCALE)[SATISFACTION]
    error = deviation * np.sqrt(250 / 249) / np.sqrt(250)
    assert error == pytest.approx(published.SATISFACTION_ERROR, abs=5e-5)
    interval = value - 1.96 * error, value + 1.96 * error
    assert interval == pytest.approx(published.SATISFACTION_INTERVAL, abs=1e-3)


def test_bootstrap():
    counts = np.random.default_rng(1).multinomial(250, np.full(250, 1 / 250), 2000) * 1.0
    moments = Answers(mobi()).moments(counts)
    fitted = fit(moments.correlation, ECSI)
    weights = index_of.item_weights(fitted.weights, moments.deviation, ECSI)
    draws = index_of.index(moments.mean, weights, ECSI, *SCALE)[:, SATISFACTION]
    assert fitted.converged.all() and draws.shape == (2000,)
    # a standard error of 300 resamples is known to about 4 %, a percentile to about 0.1
    assert draws.std() == pytest.approx(published.SATISFACTION_BOOTSTRAP_ERROR, rel=0.1)
    assert np.quantile(draws, (0.025, 0.975)) == pytest.approx(published.SATISFACTION_BOOTSTRAP_INTERVAL, abs=0.3)


# ---- what it means ----


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.floats(-100, 100), st.floats(0.5, 100))
def test_lowest_is_0_and_highest_100_whatever_the_weights(seed, lowest, width):
    rng = np.random.default_rng(seed)
    weights = index_of.item_weights(rng.gamma(1, 1, (3, 24)) + 0.01, rng.gamma(2, 1, 24) + 0.01, ECSI)
    highest = lowest + width
    for answer, expected in ((lowest, 0), (highest, 100), ((lowest + highest) / 2, 50)):
        found = index_of.index(np.full(24, answer), weights, ECSI, lowest, highest)
        np.testing.assert_allclose(found, expected, atol=1e-9)
    inside = index_of.index(rng.uniform(lowest, highest, (3, 24)), weights, ECSI, lowest, highest)
    assert np.all((inside >= -1e-9) & (inside <= 100 + 1e-9))


def test_weights_sum_to_1_in_each_construct_and_one_item_is_its_construct(weights):
    np.testing.assert_allclose(weights @ ECSI.membership, 1, rtol=1e-14)
    np.testing.assert_allclose(index_of.equal_weights(ECSI) @ ECSI.membership, 1, rtol=1e-14)
    assert weights[ITEMS.index("CUSCO")] == pytest.approx(1)


def test_formula_of_the_american_index(moments, weights):
    """((x1 - 1) w1 + (x2 - 1) w2 + (x3 - 1) w3) / 9 * 100 with weights that sum to 1."""
    own = ECSI.block == SATISFACTION
    expected = sum((x - 1) * w for x, w in zip(moments.mean[own], weights[own], strict=True)) / 9 * 100
    assert index_of.index(moments.mean, weights, ECSI, *SCALE)[SATISFACTION] == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize(("factor", "shift"), [(10.0, 0.0), (0.5, 3.0), (-1.0, 11.0)])
def test_another_scale_of_answers_gives_the_same_index(factor, shift, moments, fitted, weights):
    """A scale turned round as a whole (factor -1) gives the same too: its lowest answer is then its highest."""
    moved = Answers(factor * mobi() + shift).moments()
    refitted = fit(moved.correlation, ECSI)
    again = index_of.item_weights(refitted.weights, moved.deviation, ECSI)
    ends = [factor * end + shift for end in SCALE]
    plain = index_of.index(moments.mean, weights, ECSI, *SCALE)
    np.testing.assert_allclose(index_of.index(moved.mean, again, ECSI, *ends), plain, rtol=1e-8)
    spread = index_of.index_deviation(moments.covariance, weights, ECSI, *SCALE)
    np.testing.assert_allclose(
        np.abs(index_of.index_deviation(moved.covariance, again, ECSI, *ends)), spread, rtol=1e-8
    )


def test_scores_of_respondents(moments, fitted, weights):
    scores = index_of.scores(mobi(), weights, ECSI, *SCALE, moments.mean)
    assert scores.shape == (250, 7) and scores.min() >= 0 and scores.max() <= 100 + 1e-12
    np.testing.assert_allclose(scores.mean(axis=0), index_of.index(moments.mean, weights, ECSI, *SCALE), rtol=1e-12)
    spread = index_of.index_deviation(moments.covariance, weights, ECSI, *SCALE)
    np.testing.assert_allclose(scores.std(axis=0), spread, rtol=1e-12)
    np.testing.assert_allclose(np.corrcoef(scores, rowvar=False), fitted.construct_correlation, atol=1e-12)


def test_gaps_count_as_the_mean():
    answers = mobi().copy()
    answers[np.random.default_rng(2).random(answers.shape) < 0.1] = np.nan
    moments = Answers(answers).moments()
    weights = index_of.item_weights(fit(moments.correlation, ECSI).weights, moments.deviation, ECSI)
    scores = index_of.scores(answers, weights, ECSI, *SCALE, moments.mean)
    assert np.isfinite(scores).all()
    np.testing.assert_allclose(scores.mean(axis=0), index_of.index(moments.mean, weights, ECSI, *SCALE), rtol=1e-12)
    spread = index_of.index_deviation(moments.covariance, weights, ECSI, *SCALE)
    np.testing.assert_allclose(scores.std(axis=0), spread, rtol=1e-11)


def test_effects_on_index_are_slopes_between_scores(moments, fitted, weights):
    scores = index_of.scores(mobi(), weights, ECSI, *SCALE, moments.mean)
    spread = index_of.index_deviation(moments.covariance, weights, ECSI, *SCALE)
    slopes = index_of.effects_on_index(fitted.paths, spread)
    for target in ECSI.targets:
        sources = ECSI.sources(target)
        centred = scores - scores.mean(axis=0)
        expected = np.linalg.lstsq(centred[:, sources], centred[:, target])[0]
        np.testing.assert_allclose(slopes[sources, target], expected, atol=1e-12)


def test_total_effects_in_points_follow_from_paths_in_points(moments, fitted, weights):
    spread = index_of.index_deviation(moments.covariance, weights, ECSI, *SCALE)
    slopes = index_of.effects_on_index(fitted.paths, spread)
    expected = np.linalg.inv(np.eye(7) - slopes) - np.eye(7)
    np.testing.assert_allclose(index_of.effects_on_index(fitted.total_effects, spread), expected, atol=1e-12)


def test_together_is_as_one_by_one():
    counts = np.random.default_rng(3).multinomial(250, np.full(250, 1 / 250), 6) * 1.0
    moments = Answers(mobi()).moments(counts)
    fitted = fit(moments.correlation, ECSI)
    weights = index_of.item_weights(fitted.weights, moments.deviation, ECSI)
    values = index_of.index(moments.mean, weights, ECSI, *SCALE)
    spread = index_of.index_deviation(moments.covariance, weights, ECSI, *SCALE)
    effects = index_of.effects_on_index(fitted.total_effects, spread)
    for draw in range(6):
        alone = index_of.item_weights(fitted.weights[draw], moments.deviation[draw], ECSI)
        np.testing.assert_allclose(alone, weights[draw], rtol=1e-13)
        np.testing.assert_allclose(index_of.index(moments.mean[draw], alone, ECSI, *SCALE), values[draw], rtol=1e-13)
        single = index_of.index_deviation(moments.covariance[draw], alone, ECSI, *SCALE)
        np.testing.assert_allclose(single, spread[draw], rtol=1e-12)
        points = index_of.effects_on_index(fitted.total_effects[draw], single)
        np.testing.assert_allclose(points, effects[draw], rtol=1e-12)


def test_equal_weights_stand_beside_resamples():
    means = np.random.default_rng(4).uniform(1, 10, (5, 3, 24))
    values = index_of.index(means, index_of.equal_weights(ECSI), ECSI, *SCALE)
    own = ECSI.block == SATISFACTION
    np.testing.assert_allclose(values[..., SATISFACTION], 100 * (means[..., own].mean(axis=-1) - 1) / 9, rtol=1e-12)


# ---- weights that mean nothing ----


def test_no_weight_of_mobi_is_negative(weights):
    assert not index_of.negative_weights(weights, ECSI).any()
    assert not index_of.negative_weights(index_of.equal_weights(ECSI), ECSI).any()


def test_a_negative_weight_is_told():
    """An item asked the other way round, and not turned."""
    answers = mobi().copy()
    turned = ITEMS.index("PERQ4")
    answers[:, turned] = 11 - answers[:, turned]
    moments = Answers(answers).moments()
    weights = index_of.item_weights(fit(moments.correlation, ECSI).weights, moments.deviation, ECSI)
    assert np.flatnonzero(index_of.negative_weights(weights, ECSI)).tolist() == [turned]


def test_weights_against_the_construct_make_no_mean_and_unknown_ones_are_told():
    weights = np.ones(24)
    weights[ECSI.block == SATISFACTION] = [1, -2, 0.5]
    made = index_of.item_weights(weights, np.ones(24), ECSI)
    assert np.isnan(made[ECSI.block == SATISFACTION]).all() and np.isfinite(made[ECSI.block != SATISFACTION]).all()
    np.testing.assert_array_equal(index_of.negative_weights(made, ECSI), ECSI.block == SATISFACTION)
    found = index_of.index(np.full(24, 5.5), made, ECSI, *SCALE)
    np.testing.assert_array_equal(np.isnan(found), np.arange(7) == SATISFACTION)
    spread = index_of.index_deviation(np.eye(24), made, ECSI, *SCALE)
    np.testing.assert_array_equal(np.isnan(spread), np.arange(7) == SATISFACTION)


def test_an_item_that_a_group_did_not_answer_leaves_the_other_constructs():
    means = np.full(24, 5.5)
    means[ITEMS.index("PERV2")] = np.nan
    found = index_of.index(means, index_of.equal_weights(ECSI), ECSI, *SCALE)
    np.testing.assert_array_equal(np.isnan(found), np.arange(7) == CONSTRUCTS.index("perceived_value"))
