import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from helpers.models.lifetime_value.purchase_models import PurchaseModel, kinds
from helpers.models.lifetime_value.purchase_models.nbd import NBD, fit_nbd, mean_log_likelihood
from tests.cdnow_summaries import cdnow
from tests.published import more_purchase_models as published

MODEL = NBD(0.8, 5)


@pytest.fixture(scope="module")
def sample_fit():
    return fit_nbd(*cdnow("sample").history)


# ---- published figures ----


def test_sample_fit(sample_fit):
    np.testing.assert_allclose(sample_fit.estimates, list(published.SAMPLE_NBD.values()), atol=5e-5)
    assert sample_fit.log_likelihood == pytest.approx(published.SAMPLE_NBD_LOG_LIKELIHOOD, abs=5e-4)
    errors = list(published.SAMPLE_NBD_STANDARD_ERRORS.values())
    np.testing.assert_allclose(sample_fit.standard_errors, errors, atol=5.1e-5)
    assert sample_fit.converged and not sample_fit.problems


def test_full_file_fit():
    fit = fit_nbd(*cdnow("master").history)
    np.testing.assert_allclose(fit.estimates, list(published.FULL_NBD.values()), atol=5e-5)
    assert fit.log_likelihood == pytest.approx(published.FULL_NBD_LOG_LIKELIHOOD, abs=5e-4)


def test_holdout_scores(sample_fit):
    sample = cdnow("sample")
    expected = sample_fit.model.expected_purchases(*sample.history, 39)
    apart = expected - sample.holdout
    total = expected.sum()
    scores = {
        "total": total,
        "total_error": total / sample.holdout.sum() - 1,
        "mae": np.abs(apart).mean(),
        "rmse": np.sqrt((apart**2).mean()),
        "correlation": np.corrcoef(expected, sample.holdout)[0, 1],
    }
    for measure, value in published.NBD_HOLDOUT_SCORES.items():
        assert scores[measure] == pytest.approx(value, abs=0.5 if measure == "total" else 5e-4), measure


# ---- other software, properties ----


def test_counts_are_negative_binomial():
    counts = np.arange(300)
    of_new = stats.nbinom(MODEL.r, MODEL.alpha / (MODEL.alpha + 20)).pmf(counts)
    np.testing.assert_allclose(MODEL.purchase_count_probability(counts, 20), of_new, rtol=1e-10)
    given_history = stats.nbinom(MODEL.r + 3, (MODEL.alpha + 9) / (MODEL.alpha + 9 + 20)).pmf(counts)
    ours = MODEL.purchase_count_probability_given_history(counts, 3, 4, 9, 20)
    np.testing.assert_allclose(ours, given_history, rtol=1e-10)
    assert ours @ counts == pytest.approx(MODEL.expected_purchases(3, 4, 9, 20), rel=1e-9)
    assert 1 - ours[0] == pytest.approx(MODEL.probability_of_purchase(3, 4, 9, 20), rel=1e-12)
    assert of_new @ counts == pytest.approx(MODEL.new_customer_expected_purchases(20), rel=1e-9)


def test_likelihood_is_that_of_the_count_without_its_constant():
    x, T = np.array([0, 1, 7, 200]), np.array([3.0, 9, 40, 40])
    count = stats.nbinom(MODEL.r, MODEL.alpha / (MODEL.alpha + T)).logpmf(x)
    constant = x * np.log(T) - [0, 0, np.log(5040), np.sum(np.log(np.arange(1, 201)))]
    np.testing.assert_allclose(MODEL.log_likelihood(x, x / 100, T), count - constant, rtol=1e-10)


def test_nobody_leaves():
    assert np.all(MODEL.probability_alive([0, 3], [0.0, 1], [9.0, 500]) == 1)
    np.testing.assert_array_equal(MODEL.expected_duration([0, 3], [0.0, 1], [9.0, 9], 52.0), [52, 52])
    assert MODEL.probability_of_staying(0, 0, 9, 1000) == 1
    assert not kinds()["nbd"].dropout


@settings(deadline=None, max_examples=50)
@given(st.floats(0.02, 20), st.floats(0.1, 200), st.integers(0, 400), st.floats(0.01, 2000))
def test_weighted_sum_equals_the_plain_one(r, alpha, frequency, T):
    horizons, weights = np.linspace(0.1, 90, 9), np.column_stack([np.linspace(1, 0.5, 9), np.arange(9) == 8])
    history = np.array([frequency]), np.array([T / 2]), np.array([T])
    ours = NBD(r, alpha).weighted_expected_purchases(*history, horizons, weights)
    plain = PurchaseModel.weighted_expected_purchases(NBD(r, alpha), *history, horizons, weights)
    np.testing.assert_allclose(ours, plain, rtol=1e-12)


def test_unit_of_time_only_scales_alpha(sample_fit):
    frequency, recency, T = cdnow("sample").history
    fit = fit_nbd(frequency, recency * 7, T * 7)
    np.testing.assert_allclose(fit.estimates, sample_fit.estimates * [1, 7], rtol=1e-7)
    shift = -frequency.sum() * np.log(7)
    assert fit.log_likelihood == pytest.approx(sample_fit.log_likelihood + shift, abs=1e-6)


def test_derivatives_against_differences():
    sample = cdnow("sample")
    objective = mean_log_likelihood(*sample.history, np.ones_like(sample.T))
    point, step = np.array([-0.4, 1.1]), 1e-5
    value, gradient, hessian = objective(point)
    shifted = [(objective(point + e), objective(point - e)) for e in step * np.eye(2)]
    np.testing.assert_allclose(gradient, [(up[0] - down[0]) / (2 * step) for up, down in shifted], rtol=1e-6)
    np.testing.assert_allclose(hessian, [(up[1] - down[1]) / (2 * step) for up, down in shifted], rtol=1e-6)
    assert value == pytest.approx(NBD(*np.exp(point)).log_likelihood(*sample.history).mean(), rel=1e-12)


# ---- known truth ----


def test_parameters_are_recovered_from_simulated_histories():
    rng, size = np.random.default_rng(5), 50_000
    T = rng.uniform(10, 40, size)
    customer, time = MODEL.simulate_histories(T, rng)
    assert np.all(time <= T[customer]) and np.all(np.diff(customer) >= 0)
    recency = np.zeros(size)
    np.maximum.at(recency, customer, time)
    fit = fit_nbd(np.bincount(customer, minlength=size), recency, T)
    errors = np.log(fit.estimates / [MODEL.r, MODEL.alpha]) / np.sqrt(np.diag(fit.log_covariance))
    assert np.all(np.abs(errors) < 3.5)
    np.testing.assert_allclose(fit.estimates, [MODEL.r, MODEL.alpha], rtol=0.03)


def test_simulated_purchases_follow_the_count_distribution():
    counts = MODEL.simulate_purchases(np.full(50_000, 3), 6, 10, 20, np.random.default_rng(3))
    observed = np.bincount(np.minimum(counts, 15), minlength=16)
    probability = MODEL.purchase_count_probability_given_history(np.arange(15), 3, 6, 10, 20)
    probability = np.append(probability, 1 - probability.sum())
    assert stats.chisquare(observed, probability * len(counts)).pvalue > 1e-3


# ---- what cannot be fitted ----


def test_equal_rates_are_said():
    """Everyone buys alike, which no spread of rates explains as well as none."""
    fit = fit_nbd([2] * 100, [5.0] * 100, [9.0] * 100)
    assert not fit.converged and "spread of purchase rates is not identified" in fit.problems[0]
    assert np.isfinite(fit.model.expected_purchases(2, 5, 9, 10))


@pytest.mark.parametrize(
    "columns, words",
    [
        (([], [], []), "no customers"),
        (([0, 0], [0, 0], [3, 5]), "No customer bought again"),
        (([1, 0], [2, 0], [1, 5]), "recency lies beyond T"),
        (([1.5], [2], [3]), "not a whole number"),
    ],
)
def test_impossible_rows_are_refused(columns, words):
    with pytest.raises(ValueError, match=words):
        fit_nbd(*columns)
