"""The shifted-beta-geometric model of renewals: published figures, known truth, what cannot be fitted."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from helpers.models.retention_economics.shifted_beta_geometric import (
    Geometric,
    ShiftedBetaGeometric,
    cohort_rows,
    fit_geometric,
    fit_shifted_beta_geometric,
    hold_out,
    mean_log_likelihood,
    residual_gap,
    survival_curve,
)
from helpers.synthetic.firm.contracts import contracts
from helpers.synthetic.firm.people import draw_people
from tests.published import retention_economics as published

SEGMENTS = [(published.HIGH_END, published.HIGH_END_PARAMETERS), (published.REGULAR, published.REGULAR_PARAMETERS)]
MODEL = ShiftedBetaGeometric(1.0, 3.5)


def first_years(percent):
    return cohort_rows(10 * np.array(percent[: published.FITTED_YEARS + 1]))


def simulated(model, size, rng, seen=8):
    """Give renewals and whether lost of contracts that could be renewed 1 to `seen` times."""
    wanted, possible = model.simulate_renewals(size, rng), rng.integers(1, seen + 1, size)
    return np.minimum(wanted, possible), wanted < possible


# ---- published figures


@pytest.mark.parametrize("percent, parameters", SEGMENTS)
def test_published_fits(percent, parameters):
    fit = fit_shifted_beta_geometric(*first_years(percent))
    np.testing.assert_allclose(fit.estimates, list(parameters.values()), atol=5e-4)
    assert fit.converged and not fit.problems and fit.names == tuple(parameters)


@pytest.mark.parametrize("percent, parameters", SEGMENTS)
def test_model_forecasts_the_published_years_better_than_curves_do(percent, parameters):
    found = hold_out(*cohort_rows(10 * np.array(percent))[:2], 7, cohort_rows(10 * np.array(percent))[2])
    np.testing.assert_allclose(found.observed, np.array(percent) / 100)
    np.testing.assert_allclose(found.fit.estimates, list(parameters.values()), atol=5e-4)
    errors = found.mean_absolute_error
    assert errors["shifted_beta_geometric"] < 0.013 and min(errors.values()) == errors["shifted_beta_geometric"]
    assert errors["constant_retention"] > 0.08 and found.last_error["constant_retention"] < 0
    assert found.last_error["linear"] == pytest.approx(found.survival["linear"][-1] - percent[-1] / 100)


def test_second_implementation():
    renewals, lost, weights = first_years(published.HIGH_END)
    at_one = weights @ ShiftedBetaGeometric(1, 1).log_likelihood(renewals, lost) / 1000
    assert at_one == pytest.approx(published.HIGH_END_LOG_LIKELIHOOD_AT_ONE, abs=2e-3)
    model = ShiftedBetaGeometric(**published.HIGH_END_PARAMETERS)
    assert model.residual_renewals(7, 0.1) == pytest.approx(published.HIGH_END_RESIDUAL_AFTER_7, abs=5e-4)


def test_cohorts_seen_for_different_times():
    rows = [np.concatenate(parts) for parts in zip(*map(cohort_rows, published.COHORTS), strict=True)]
    fit = fit_shifted_beta_geometric(*rows)
    np.testing.assert_allclose(fit.estimates, list(published.COHORT_PARAMETERS.values()), atol=5e-3)


# ---- other software, properties


def test_renewals_are_beta_geometric():
    count = np.arange(2000)
    binomial = stats.betabinom(1, MODEL.alpha, MODEL.beta)  # the first renewal: leave or stay
    assert MODEL.survival(1) == pytest.approx(binomial.pmf(0))
    leaving = np.exp(MODEL.log_likelihood(count, np.ones(2000)))
    assert leaving.sum() + MODEL.survival(2000) == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(leaving, MODEL.survival(count) - MODEL.survival(count + 1), rtol=1e-6, atol=1e-15)
    np.testing.assert_allclose(MODEL.survival(count[1:]) / MODEL.survival(count[:-1]), MODEL.retention_rate(count[:-1]))
    assert MODEL.retention_rate(0) == pytest.approx(MODEL.mean_retention)


@settings(deadline=None, max_examples=60)
@given(st.floats(0.05, 200), st.floats(0.05, 2000), st.integers(0, 300), st.floats(0.01, 3))
def test_residual_renewals_are_the_sum(alpha, beta, renewals, discount_rate):
    model = ShiftedBetaGeometric(alpha, beta)
    all_of_them = model.residual_renewals(np.array([renewals]), discount_rate)
    summed = model.residual_renewals(np.array([renewals]), discount_rate, np.ceil(35 / np.log1p(discount_rate)))
    np.testing.assert_allclose(all_of_them, summed, rtol=1e-9)
    assert model.residual_renewals(renewals, discount_rate, 1) == pytest.approx(float(model.retention_rate(renewals)))


def test_residual_renewals_without_discount():
    assert ShiftedBetaGeometric(3, 4).residual_renewals([0, 2]).tolist() == [2, 3]  # (beta + t) / (alpha - 1)
    assert ShiftedBetaGeometric(3, 4).residual_renewals(0, 1e-7) == pytest.approx(2, rel=1e-5)
    assert np.isinf(ShiftedBetaGeometric(1, 4).residual_renewals(0))
    assert np.isfinite(ShiftedBetaGeometric(1, 4).residual_renewals(0, 0, 20))
    assert Geometric(0.8).residual_renewals(5) == pytest.approx(4)
    assert Geometric(0.8).residual_renewals([1, 2], 0.1, 2) == pytest.approx([0.8 + 0.64 / 1.1] * 2)
    assert Geometric(1.0).residual_renewals(0, 0, 5) == 5


def test_derivatives_against_differences():
    renewals, lost = simulated(MODEL, 300, np.random.default_rng(1))
    objective = mean_log_likelihood(renewals.astype(float), lost, np.ones(300))
    for point in (np.log([1.0, 3.5]), np.log([0.05, 40.0])):
        value, gradient, hessian = objective(point)
        shifted = [(objective(point + e), objective(point - e)) for e in 1e-5 * np.eye(2)]
        np.testing.assert_allclose(gradient, [(up[0] - down[0]) / 2e-5 for up, down in shifted], rtol=1e-6, atol=1e-8)
        np.testing.assert_allclose(hessian, [(up[1] - down[1]) / 2e-5 for up, down in shifted], rtol=1e-6, atol=1e-8)
        model = ShiftedBetaGeometric(*np.exp(point))
        assert value == pytest.approx(model.log_likelihood(renewals, lost).mean(), rel=1e-12)


def test_weights_count_contracts():
    renewals, lost = simulated(MODEL, 400, np.random.default_rng(2))
    one = fit_shifted_beta_geometric(renewals, lost)
    twice = fit_shifted_beta_geometric(renewals, lost, np.full(400, 2))
    np.testing.assert_allclose(twice.estimates, one.estimates, rtol=1e-6)
    np.testing.assert_allclose(twice.covariance, one.covariance / 2, rtol=1e-5)
    assert twice.log_likelihood == pytest.approx(2 * one.log_likelihood)


def test_observed_survival_by_hand():
    # four up for the first renewal, one lost; two of the rest up for the second, one lost
    found = survival_curve([0, 1, 1, 2], [True, False, True, False])
    assert found.at_risk.tolist() == [4, 2] and found.lost.tolist() == [1, 1]
    np.testing.assert_allclose(found.survival, [1, 0.75, 0.375])
    np.testing.assert_allclose(found.standard_error[1:], [0.75 * np.sqrt(1 / 12), 0.375 * np.sqrt(1 / 12 + 1 / 2)])


# ---- known truth


@pytest.fixture(scope="module")
def plain_contracts():
    """Contracts of a firm in which nothing but the holder's own probability decides."""
    people = draw_people(40_000, np.random.default_rng(17))[0]
    links = {"contract_share": 1.0, "satisfaction_to_renewal": 0.0, "leaving_to_contracts": 0.0}
    return contracts(people, np.random.default_rng(17), **links)


def test_parameters_of_a_firm_are_recovered(plain_contracts):
    lost = plain_contracts.end.notna().to_numpy()
    fit = fit_shifted_beta_geometric(plain_contracts.renewals, lost)
    errors = (np.log(fit.estimates) - np.log([1.0, 3.5])) / np.sqrt(np.diag(fit.log_covariance))
    assert np.all(np.abs(errors) < 3.5)
    np.testing.assert_allclose(fit.estimates, [1.0, 3.5], rtol=0.1)
    observed = survival_curve(plain_contracts.renewals, lost)
    apart = (fit.model.survival(observed.renewals) - observed.survival)[1:] / observed.standard_error[1:]
    assert np.all(np.abs(apart) < 4)
    gap = residual_gap(
        fit.model, fit_geometric(plain_contracts.renewals, lost), plain_contracts.renewals[~lost], horizon=40
    )
    assert gap.ratio > 1.2 and gap.customers.sum() == (~lost).sum()  # constant retention undervalues those who stayed


def test_intervals_cover_the_truth():
    """As many of 150 intervals of 95 % as the binomial allows with probability 0.999 must hold the truth."""
    truth, repetitions = np.array([1.0, 3.5]), 150
    fewest, most = stats.binom.ppf((0.0005, 0.9995), repetitions, 0.95)
    rng, covered = np.random.default_rng(3), np.zeros(2)
    for _ in range(repetitions):
        low, high = fit_shifted_beta_geometric(*simulated(MODEL, 1500, rng)).intervals()
        covered += (low <= truth) & (truth <= high)
    assert np.all((covered >= fewest) & (covered <= most)), covered


def test_constant_retention_is_the_share_of_occasions():
    rng = np.random.default_rng(4)
    wanted, possible = rng.geometric(0.2, 20_000) - 1, rng.integers(1, 8, 20_000)
    model = fit_geometric(np.minimum(wanted, possible), wanted < possible)
    assert model.retention == pytest.approx(0.8, abs=0.01)
    assert model.survival(2) == pytest.approx(model.retention**2)


# ---- what cannot be fitted


def test_customers_who_are_alike_are_said():
    renewals = np.arange(12.0)
    fit = fit_shifted_beta_geometric(*cohort_rows(10_000 * 0.75**renewals))
    assert not fit.converged and fit.unidentified and "No difference between customers" in fit.problems[0]
    np.testing.assert_allclose(fit.model.survival(renewals), 0.75**renewals, rtol=1e-3)


def test_one_occasion_tells_the_mean_alone():
    fit = fit_shifted_beta_geometric([0, 1], [True, False], [400, 600])
    assert fit.unidentified and "no contract was renewed more than once" in fit.problems[0]
    assert fit.model.mean_retention == pytest.approx(0.6, abs=1e-6)


def test_few_contracts_are_said():
    assert "Only 1 contracts ended" in fit_shifted_beta_geometric([3], [True]).problems[-1]
    assert "intervals are rough" in fit_shifted_beta_geometric([3, 1, 0, 9], [1, 1, 1, 0]).problems[-1]


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: fit_shifted_beta_geometric([], []), "no customers"),
        (lambda: fit_shifted_beta_geometric([0, 0], [0, 0]), "come up for renewal"),
        (lambda: fit_shifted_beta_geometric([2, 3], [0, 0]), "No contract has ended"),
        (lambda: fit_shifted_beta_geometric([0, 0], [1, 1]), "ever renewed"),
        (lambda: fit_geometric([2, 3], [0, 0]), "No contract has ended"),
        (lambda: fit_shifted_beta_geometric([0.5], [1]), "whole numbers"),
        (lambda: fit_shifted_beta_geometric([1], [2]), "true or false"),
        (lambda: fit_shifted_beta_geometric([1, 2], [1]), "one length"),
        (lambda: survival_curve([0, 0], [0, 0]), "come up for renewal"),
        (lambda: cohort_rows([100, 120]), "never grows"),
        (lambda: cohort_rows([100]), "never grows"),
        (lambda: hold_out([0, 1, 2, 3], [1, 1, 1, 0], 3), "some to forecast"),
        (lambda: MODEL.residual_renewals(0, -0.1), "discount rate"),
        (lambda: MODEL.residual_renewals(0, 0.1, 0), "horizon"),
        (lambda: Geometric(0.5).residual_renewals(0, -0.1), "discount rate"),
    ],
)
def test_what_cannot_be_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
