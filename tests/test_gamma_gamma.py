import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from helpers.models.fit import maximise
from helpers.models.lifetime_value import lifetimes_peer
from helpers.models.lifetime_value.gamma_gamma import (
    GammaGamma,
    fit_gamma_gamma,
    mean_log_likelihood,
    spend_independence,
)
from tests.cdnow_summaries import cdnow
from tests.published import lifetime_value as published


@pytest.fixture(scope="module")
def sample_fit():
    return fit_gamma_gamma(*cdnow("sample").spenders)


def simulated_spend(customers: int, p, q, v, rng):
    """Frequency and mean spend of Gamma-Gamma customers."""
    frequency = rng.geometric(0.35, customers).astype(float)
    rate = rng.gamma(q, 1 / v, customers)
    return frequency, rng.gamma(p * frequency) / (frequency * rate)


# ---- published figures ----


def test_sample_fit(sample_fit):
    assert sample_fit.observations == published.SAMPLE_REPEAT_CUSTOMERS
    # a thousandth of a standard error is as close as optimisers come to each other
    apart = np.abs(sample_fit.estimates - list(published.SAMPLE_GAMMA_GAMMA.values()))
    assert np.all(apart <= 1e-3 * sample_fit.standard_errors)
    there = GammaGamma(**published.SAMPLE_GAMMA_GAMMA).log_likelihood(*cdnow("sample").spenders).sum()
    assert sample_fit.log_likelihood - 1e-6 < there <= sample_fit.log_likelihood
    assert sample_fit.log_likelihood == pytest.approx(published.SAMPLE_GAMMA_GAMMA_LOG_LIKELIHOOD, abs=5e-5)
    errors = list(published.SAMPLE_GAMMA_GAMMA_STANDARD_ERRORS.values())
    np.testing.assert_allclose(sample_fit.standard_errors, errors, atol=1e-3)
    assert sample_fit.converged and not sample_fit.problems and sample_fit.gradient_norm <= 1e-9


def test_full_file_fit():
    frequency, monetary_value = cdnow("master").spenders
    fit = fit_gamma_gamma(frequency, monetary_value)
    assert fit.observations == published.FULL_REPEAT_CUSTOMERS
    apart = np.abs(fit.estimates - list(published.FULL_GAMMA_GAMMA.values()))
    assert np.all(apart <= 1e-3 * fit.standard_errors)
    assert fit.log_likelihood == pytest.approx(published.FULL_GAMMA_GAMMA_LOG_LIKELIHOOD, abs=5e-4)
    correlation, low, high = spend_independence(frequency, monetary_value)
    assert correlation == pytest.approx(published.FULL_SPEND_CORRELATION, abs=5e-4)
    assert low < correlation < high


def test_expected_spend(sample_fit):
    sample = cdnow("sample")
    spend = sample_fit.model.expected_average_spend(sample.frequency, sample.monetary_value)
    assert sample_fit.model.population_mean == pytest.approx(published.POPULATION_MEAN_SPEND, abs=5e-3)
    never = sample.frequency == 0
    np.testing.assert_allclose(spend[never], sample_fit.model.population_mean)
    np.testing.assert_allclose(spend[:10], published.FIRST_TEN_EXPECTED_SPEND, atol=5e-3)


def test_spend_hardly_depends_on_frequency():
    correlation, low, high = spend_independence(*cdnow("sample").spenders)
    assert correlation == pytest.approx(published.SPEND_CORRELATION, abs=5e-4)
    result = stats.pearsonr(*cdnow("sample").spenders)
    assert correlation == pytest.approx(result.statistic)
    interval = result.confidence_interval()
    assert (low, high) == pytest.approx((interval.low, interval.high))


# ---- other software ----


def test_lifetimes_fits_the_same(sample_fit):
    peer = lifetimes_peer.fit_gamma_gamma(*cdnow("sample").spenders)
    assert peer.fitted_by == "lifetimes" and peer.converged
    assert peer.log_likelihood == pytest.approx(sample_fit.log_likelihood, abs=1e-6)
    np.testing.assert_allclose(peer.estimates, sample_fit.estimates, rtol=1e-4)
    np.testing.assert_allclose(peer.covariance, sample_fit.covariance, rtol=1e-3)


def test_density_integrates_to_one():
    model = GammaGamma(6.25, 3.74, 15.44)
    for frequency in (1, 4):
        mass, _ = integrate.quad(lambda m, x=frequency: np.exp(model.log_likelihood(x, m)), 0, np.inf)
        assert mass == pytest.approx(1, abs=1e-7)


# ---- properties ----


@settings(deadline=None, max_examples=60)
@given(st.floats(0.1, 50), st.floats(1.05, 50), st.floats(0.1, 1000), st.integers(1, 3000), st.floats(0.01, 1e5))
def test_expected_spend_lies_between_the_customer_and_everybody(p, q, v, frequency, monetary_value):
    model = GammaGamma(p, q, v)
    spend = model.expected_average_spend(frequency, monetary_value)
    ends = sorted((monetary_value, model.population_mean))
    assert ends[0] * (1 - 1e-9) <= spend <= ends[1] * (1 + 1e-9)
    assert np.isfinite(model.log_likelihood(frequency, monetary_value))


def test_draws_have_the_expected_mean():
    model, size = GammaGamma(6.25, 3.74, 15.44), 400_000
    for frequency, monetary_value in ((0, 0.0), (1, 20.0), (8, 50.0)):
        draws = model.spend_draws(np.full(size, frequency), monetary_value, np.random.default_rng(7))
        error = draws.std() / np.sqrt(size)
        assert draws.mean() == pytest.approx(model.expected_average_spend(frequency, monetary_value), abs=5 * error)


def test_currency_only_scales_v(sample_fit):
    frequency, monetary_value = cdnow("sample").spenders
    fit = fit_gamma_gamma(frequency, 100 * monetary_value)
    np.testing.assert_allclose(fit.estimates / [1, 1, 100], sample_fit.estimates, rtol=1e-7)


def test_weights_count_customers(sample_fit):
    frequency, monetary_value = cdnow("sample").spenders
    fit = fit_gamma_gamma(frequency, monetary_value, weights=np.full(len(frequency), 2))
    np.testing.assert_allclose(fit.estimates, sample_fit.estimates, rtol=1e-7)
    np.testing.assert_allclose(fit.covariance, sample_fit.covariance / 2, rtol=1e-6)
    doubled = spend_independence(frequency, monetary_value, np.full(len(frequency), 2))
    assert doubled == pytest.approx(spend_independence(np.tile(frequency, 2), np.tile(monetary_value, 2)))


def test_derivatives_against_differences():
    frequency, monetary_value = cdnow("sample").spenders
    objective = mean_log_likelihood(frequency, monetary_value, np.ones_like(frequency))
    for point in (np.log([6.0, 4.0, 15.0]), np.log([0.5, 1.5, 80.0])):
        _, gradient, hessian = objective(point)
        shifted = [(objective(point + e), objective(point - e)) for e in 1e-5 * np.eye(3)]
        np.testing.assert_allclose(gradient, [(up[0] - down[0]) / 2e-5 for up, down in shifted], rtol=1e-6, atol=1e-8)
        np.testing.assert_allclose(hessian, [(up[1] - down[1]) / 2e-5 for up, down in shifted], rtol=1e-6, atol=1e-8)
        value = GammaGamma(*np.exp(point)).log_likelihood(frequency, monetary_value).mean()
        assert objective(point)[0] == pytest.approx(value, rel=1e-12)


# ---- known truth ----


def test_parameters_are_recovered():
    truth = (6.25, 3.74, 15.44)
    fit = fit_gamma_gamma(*simulated_spend(100_000, *truth, np.random.default_rng(1)))
    errors = (np.log(fit.estimates) - np.log(truth)) / np.sqrt(np.diag(fit.log_covariance))
    assert np.all(np.abs(errors) < 3.5)
    np.testing.assert_allclose(fit.estimates, truth, rtol=0.1)


def test_intervals_cover_the_truth():
    """As many of 200 intervals of 95 % as the binomial allows with probability 0.999 must hold the truth."""
    truth, repetitions = np.array((6.25, 3.74, 15.44)), 200
    fewest, most = stats.binom.ppf((0.0005, 0.9995), repetitions, 0.95)
    rng, covered = np.random.default_rng(2), np.zeros(3)
    for _ in range(repetitions):
        low, high = fit_gamma_gamma(*simulated_spend(1000, *truth, rng)).intervals()
        covered += (low <= truth) & (truth <= high)
    assert np.all((covered >= fewest) & (covered <= most)), covered


# ---- other optima ----


@pytest.mark.parametrize("seed", range(30))
def test_no_start_leads_higher(seed):
    rng = np.random.default_rng(seed)
    customers = int(np.exp(rng.uniform(*np.log([50, 5000]))))
    frequency, spend = simulated_spend(customers, *np.exp(rng.uniform(*np.log([[0.3, 1.2, 1], [30, 30, 300]]))), rng)
    fit = fit_gamma_gamma(frequency, spend)
    objective = mean_log_likelihood(frequency, spend / spend.mean(), np.ones_like(spend))
    best = maximise(objective, rng.normal(1, 1, (6, 3)))
    log_likelihood = customers * (best.value - np.log(spend.mean()))
    assert fit.converged == best.stationary or fit.unidentified
    assert fit.log_likelihood == pytest.approx(log_likelihood, abs=1e-6 if fit.converged else 1e-3)
    assert fit.log_likelihood == pytest.approx(fit.model.log_likelihood(frequency, spend).sum(), rel=1e-10)


# ---- what cannot be fitted ----


def test_infinite_mean_is_said():
    fit = fit_gamma_gamma(*simulated_spend(4000, 6.0, 0.7, 10.0, np.random.default_rng(3)))
    assert fit.model.q <= 1
    assert any("mean spend is infinite" in problem for problem in fit.problems)
    assert np.isnan(fit.model.population_mean)
    spend = fit.model.expected_average_spend([0, 3], [0.0, 12.0])
    assert np.isnan(spend[0]) and spend[1] > 0


def test_equal_spend_is_said():
    fit = fit_gamma_gamma([1, 2, 3] * 50, [10.0] * 150)
    assert not fit.converged and "spread of spend is not identified" in fit.problems[0]
    assert np.all(np.isnan(fit.covariance))


def test_no_variation_has_no_correlation():
    assert np.isnan(spend_independence([1, 1, 1, 1], [3.0, 4, 5, 6])[0])


@pytest.mark.parametrize(
    "columns, words",
    [
        (([], []), "no customers"),
        (([0, 1], [5.0, 5]), "only customers with a repeat purchase"),
        (([1, 1], [0.0, 5]), "only customers with a repeat purchase"),
        (([1, 1], [-3.0, 5]), "monetary_value holds 1 missing, infinite or negative"),
        (([1, 1], [np.nan, 5]), "monetary_value holds 1 missing, infinite or negative"),
    ],
)
@pytest.mark.parametrize("fit", [fit_gamma_gamma, lifetimes_peer.fit_gamma_gamma])
def test_impossible_rows_are_refused(fit, columns, words):
    with pytest.raises(ValueError, match=words):
        fit(*columns)
