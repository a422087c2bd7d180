import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.models.satisfaction_index.moments import RESPONDENTS_AT_ONCE, Answers


def survey(respondents=120, items=5, gaps=0.0, seed=1):
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(respondents, 1))
    answers = np.clip(np.round(6 + 2 * common + rng.normal(0, 1.5, (respondents, items))), 1, 10)
    answers[rng.random(answers.shape) < gaps] = np.nan
    return answers


def counts_of(draws, respondents, seed=2):
    return np.random.default_rng(seed).multinomial(respondents, np.full(respondents, 1 / respondents), draws) * 1.0


def by_repeating_rows(answers, counts):
    """Means, and covariances after the gaps are filled by them, of rows written out as often as they count."""
    rows = np.repeat(answers, counts.astype(int), axis=0)
    mean = np.nanmean(rows, axis=0)
    return mean, np.cov(np.where(np.isnan(rows), mean, rows), rowvar=False, bias=True)


@pytest.mark.parametrize("gaps", [0.0, 0.2])
def test_resamples_are_as_rows_written_out(gaps):
    answers, counts = survey(gaps=gaps), counts_of(30, 120)
    moments = Answers(answers).moments(counts)
    assert moments.mean.shape == (30, 5) and moments.covariance.shape == (30, 5, 5)
    for draw in range(30):
        mean, covariance = by_repeating_rows(answers, counts[draw])
        np.testing.assert_allclose(moments.mean[draw], mean, rtol=1e-13)
        np.testing.assert_allclose(moments.covariance[draw], covariance, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(moments.weight, 120)


def test_gaps_in_some_items_only():
    answers = survey()
    answers[3:20, 1] = np.nan
    answers[10:40, 4] = np.nan
    mean, covariance = by_repeating_rows(answers, np.ones(120))
    moments = Answers(answers).moments()
    np.testing.assert_allclose(moments.mean, mean, rtol=1e-13)
    np.testing.assert_allclose(moments.covariance, covariance, rtol=1e-12)


def test_survey_weights_are_as_numpy_weighs():
    answers, weights = survey(), np.random.default_rng(3).gamma(2, 1, 120)
    moments = Answers(answers).moments(weights)
    np.testing.assert_allclose(moments.mean, np.average(answers, axis=0, weights=weights), rtol=1e-13)
    expected = np.cov(answers, rowvar=False, ddof=0, aweights=weights)
    np.testing.assert_allclose(moments.covariance, expected, rtol=1e-12)
    np.testing.assert_allclose(moments.weight, weights.sum())


def test_deviation_and_correlation_are_numpy_s():
    answers = survey()
    moments = Answers(answers).moments()
    np.testing.assert_allclose(moments.deviation, answers.std(axis=0), rtol=1e-13)
    np.testing.assert_allclose(moments.correlation, np.corrcoef(answers, rowvar=False), rtol=1e-12)


@pytest.mark.parametrize("gaps", [0.0, 0.1])
def test_one_by_one_is_as_together_and_in_blocks(gaps):
    respondents = RESPONDENTS_AT_ONCE + 100
    answers, counts = Answers(survey(respondents, gaps=gaps)), counts_of(3, respondents)
    together, shaped = answers.moments(counts), answers.moments(counts.reshape(1, 3, -1))
    np.testing.assert_array_equal(shaped.covariance[0], together.covariance)
    for draw in range(3):
        alone = answers.moments(counts[draw])
        np.testing.assert_allclose(alone.mean, together.mean[draw], rtol=1e-13)
        np.testing.assert_allclose(alone.covariance, together.covariance[draw], rtol=1e-10)


@settings(max_examples=40, deadline=None)
@given(
    shift=st.floats(-1e6, 1e6),
    scale=st.floats(0.01, 1e3),
    seed=st.integers(0, 99),
    gaps=st.sampled_from([0.0, 0.1]),
)
def test_moving_and_rescaling_answers_moves_and_rescales_moments(shift, scale, seed, gaps):
    answers, counts = survey(gaps=gaps, seed=seed), counts_of(2, 120, seed)
    plain, moved = Answers(answers).moments(counts), Answers(scale * answers + shift).moments(counts)
    np.testing.assert_allclose(moved.mean, scale * plain.mean + shift, rtol=1e-12, atol=1e-12)
    # 1e6 beside an answer of .01 leaves it 8 digits
    np.testing.assert_allclose(moved.covariance, scale**2 * plain.covariance, rtol=1e-6, atol=1e-6 * scale**2)


@pytest.mark.parametrize("value", [4.0, 7.3, 1e6 + 0.1])
def test_an_item_that_does_not_vary_has_no_variance_at_all(value):
    answers = survey()
    answers[:, 2] = value
    moments = Answers(answers).moments(counts_of(10, 120) * 0.7)
    assert np.all(moments.covariance[:, 2] == 0) and np.all(moments.covariance[:, :, 2] == 0)
    np.testing.assert_allclose(moments.mean[:, 2], value, rtol=1e-15)
    assert np.all(np.isnan(moments.correlation[:, 2])) and np.all(np.isnan(moments.correlation[:, :, 2]))
    assert np.isfinite(np.delete(np.delete(moments.correlation, 2, 1), 2, 2)).all()


def test_an_item_that_does_not_vary_in_some_resamples():
    """Nobody counts there but those who gave one and the same answer, far from the median."""
    answers = survey()
    answers[:, 2] = np.where(np.arange(120) < 40, 2.1, 7.3)
    counts = np.random.default_rng(7).gamma(2, 1, (20, 120))
    counts[1:, 40:] = 0
    variance = Answers(answers).moments(counts).covariance[:, 2, 2]
    expected = np.cov(answers[:, 2], ddof=0, aweights=counts[0])
    assert variance[0] == pytest.approx(expected, rel=1e-12) and np.all(variance[1:] == 0)


def test_an_item_that_nobody_answered_is_nan_and_leaves_the_others_alone():
    answers = survey()
    answers[:, 0] = np.nan
    moments = Answers(answers).moments(counts_of(4, 120))
    assert np.isnan(moments.mean[:, 0]).all() and np.isnan(moments.covariance[:, 0]).all()
    others = Answers(answers[:, 1:]).moments(counts_of(4, 120))
    np.testing.assert_allclose(moments.covariance[:, 1:, 1:], others.covariance, rtol=1e-13)


def test_an_item_that_nobody_of_a_resample_answered():
    answers = survey()
    answers[5:, 0] = np.nan
    counts = np.ones((2, 120))
    counts[1, :5] = 0
    mean = Answers(answers).moments(counts).mean
    assert mean[0, 0] == answers[:5, 0].mean() and np.isnan(mean[1, 0]) and np.isfinite(mean[:, 1:]).all()


@pytest.mark.parametrize("gaps", [0.0, 0.3])
def test_group_means_are_pandas(gaps):
    answers, groups = survey(gaps=gaps), np.random.default_rng(5).integers(0, 4, 120)
    membership = np.column_stack([groups[:, None] == np.arange(4), np.ones(120, bool)])
    counts = counts_of(6, 120)
    means = Answers(answers).group_means(counts, membership)
    assert means.shape == (6, 5, 5)
    for draw in range(6):
        rows = np.repeat(np.arange(120), counts[draw].astype(int))
        expected = pd.DataFrame(answers[rows]).groupby(groups[rows]).mean()
        np.testing.assert_allclose(means[draw, :4], expected, rtol=1e-13)
        np.testing.assert_allclose(means[draw, 4], np.nanmean(answers[rows], axis=0), rtol=1e-13)
    np.testing.assert_allclose(Answers(answers).group_means(None, membership)[4], np.nanmean(answers, axis=0))


def test_a_group_of_nobody_has_no_mean():
    membership = np.column_stack([np.arange(120) < 3, np.zeros(120, bool)])
    counts = np.ones((2, 120))
    counts[1, :3] = 0
    means = Answers(survey()).group_means(counts, membership)
    assert np.isfinite(means[0, 0]).all() and np.isnan(means[1, 0]).all() and np.isnan(means[:, 1]).all()


@pytest.mark.parametrize("answers", [np.ones(3), np.ones((0, 2)), np.ones((2, 0)), np.array([[1.0, np.inf]])])
def test_what_has_no_moments_is_refused(answers):
    with pytest.raises(ValueError, match="answers must"):
        Answers(answers)


def test_counts_of_other_respondents_are_refused():
    with pytest.raises(ValueError, match="each of the 120 respondents"):
        Answers(survey()).moments(np.ones(119))
