import itertools

import mpmath
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from helpers.models.fit import distinct_rows
from helpers.models.lifetime_value.purchase_models import PurchaseModel, kinds
from helpers.models.lifetime_value.purchase_models.mbg_nbd import MBGNBD, fit_mbg_nbd
from tests.cdnow_summaries import cdnow
from tests.published import more_purchase_models as published

MODEL = MBGNBD(0.8, 5, 1.2, 3)


@pytest.fixture(scope="module")
def sample_fit():
    return fit_mbg_nbd(*cdnow("sample").history)


def holdout_scores(model, summary):
    expected = model.expected_purchases(*summary.history, 39)
    apart = expected - summary.holdout
    return {
        "total": expected.sum(),
        "total_error": expected.sum() / summary.holdout.sum() - 1,
        "mae": np.abs(apart).mean(),
        "rmse": np.sqrt((apart**2).mean()),
        "correlation": np.corrcoef(expected, summary.holdout)[0, 1],
    }


# ---- published figures ----


def test_sample_fit(sample_fit):
    np.testing.assert_allclose(sample_fit.estimates, list(published.SAMPLE_MBG_NBD.values()), atol=5e-5)
    assert sample_fit.log_likelihood == pytest.approx(published.SAMPLE_MBG_NBD_LOG_LIKELIHOOD, abs=5e-4)
    errors = list(published.SAMPLE_MBG_NBD_STANDARD_ERRORS.values())
    np.testing.assert_allclose(sample_fit.standard_errors, errors, atol=5.1e-5)
    assert sample_fit.converged and not sample_fit.problems
    assert sample_fit.names == ("r", "alpha", "a", "b")


def test_full_file_fit():
    full = cdnow("master")
    fit = fit_mbg_nbd(*full.history)
    np.testing.assert_allclose(fit.estimates, list(published.FULL_MBG_NBD.values()), atol=5e-5)
    assert fit.log_likelihood == pytest.approx(published.FULL_MBG_NBD_LOG_LIKELIHOOD, abs=5e-4)
    scores = holdout_scores(fit.model, full)
    for measure, value in published.FULL_MBG_NBD_HOLDOUT_SCORES.items():
        assert scores[measure] == pytest.approx(value, rel=5e-5), measure


def test_holdout_scores(sample_fit):
    scores = holdout_scores(sample_fit.model, cdnow("sample"))
    for measure, value in published.MBG_NBD_HOLDOUT_SCORES.items():
        assert scores[measure] == pytest.approx(value, abs=0.5 if measure == "total" else 5e-4), measure


def test_holdout_by_frequency(sample_fit):
    sample = cdnow("sample")
    group = np.minimum(sample.frequency, 7).astype(int)
    expected = np.bincount(group, sample_fit.model.expected_purchases(*sample.history, 39)) / np.bincount(group)
    np.testing.assert_allclose(expected, published.MBG_NBD_HOLDOUT_BY_FREQUENCY, atol=5.1e-5)


@pytest.mark.parametrize("weeks", [1 / 7, 30.4375 / 7])
def test_unit_of_time_only_scales_alpha(weeks, sample_fit):
    frequency, recency, T = cdnow("sample").history
    fit = fit_mbg_nbd(frequency, recency / weeks, T / weeks)
    np.testing.assert_allclose(fit.estimates * [1, weeks, 1, 1], sample_fit.estimates, rtol=1e-6)
    shift = frequency.sum() * np.log(weeks)
    assert fit.log_likelihood == pytest.approx(sample_fit.log_likelihood + shift, abs=1e-6)


# ---- other software ----


def peer(model):
    from lifetimes import ModifiedBetaGeoFitter

    fitter = ModifiedBetaGeoFitter()
    fitter.params_ = pd.Series({"r": model.r, "alpha": model.alpha, "a": model.a, "b": model.b})
    return fitter


def test_lifetimes_predicts_the_same(sample_fit):
    sample, model = cdnow("sample"), sample_fit.model
    fitter = peer(model)
    np.testing.assert_allclose(
        model.expected_purchases(*sample.history, 39),
        fitter.conditional_expected_number_of_purchases_up_to_time(39, *sample.history),
        rtol=1e-8,
    )
    alive = fitter.conditional_probability_alive(*sample.history)
    np.testing.assert_allclose(model.probability_alive(*sample.history), alive, rtol=1e-10)
    weeks = np.array([0.5, 1, 12, 39, 78, 520])
    np.testing.assert_allclose(
        model.new_customer_expected_purchases(weeks), fitter.expected_number_of_purchases_up_to_time(weeks), rtol=1e-9
    )
    counts = [fitter.probability_of_n_purchases_up_to_time(39, count) for count in range(20)]
    np.testing.assert_allclose(model.purchase_count_probability(np.arange(20), 39), counts, rtol=1e-8)
    likelihood = fitter._negative_log_likelihood(
        np.log(sample_fit.estimates), *sample.history, np.ones_like(sample.T), 0.0
    )
    assert model.log_likelihood(*sample.history).mean() == pytest.approx(-likelihood, rel=1e-12)


def test_finite_where_lifetimes_is_not(sample_fit):
    """Where a is 1 there is a removable pole of the textbook form; its 2F1 overflows for many purchases."""
    poled, heavy = MBGNBD(0.5, 20, 1.0, 3), (3000.0, 3600.0, 3650.0, 36500.0)
    with np.errstate(all="ignore"):
        assert not np.isfinite(peer(poled).conditional_expected_number_of_purchases_up_to_time(30, 2.0, 50.0, 60.0))
        assert not np.isfinite(peer(sample_fit.model).probability_of_n_purchases_up_to_time(365, 200))
    between = [MBGNBD(0.5, 20, a, 3).expected_purchases(2, 50, 60, 30) for a in (1 - 1e-5, 1 + 1e-5)]
    assert poled.expected_purchases(2, 50, 60, 30) == pytest.approx(np.mean(between), rel=1e-8)
    assert np.isfinite(sample_fit.model.expected_purchases(*heavy))
    assert sample_fit.model.purchase_count_probability(200, 365) > 0


def textbook_expectation(r, alpha, a, b, frequency, recency, T, horizon):
    """Wagner and Hoppe (2008) to 60 digits; a is moved off its removable pole by 1e-28."""
    r, alpha, a, b, x, t_x, T, t = map(mpmath.mpf, (r, alpha, a, b, frequency, recency, T, horizon))
    a += mpmath.mpf(10) ** -28
    z = t / (alpha + T + t)
    hypergeometric = mpmath.hyp2f1(r + x, b + x + 1, a + b + x, z, maxterms=10**6)
    alive = 1 / (1 + a / (b + x) * ((alpha + T) / (alpha + t_x)) ** (r + x))
    return alive * (a + b + x) / (a - 1) * (1 - (1 - z) ** (r + x) * hypergeometric)


@pytest.mark.parametrize(
    "parameters", [(0.525, 43, 0.891, 1.614), (0.5, 20, 1, 3), (0.8, 15, 0.02, 0.5), (2, 9, 30, 0.1)]
)
def test_expected_purchases_against_high_precision(parameters):
    with mpmath.workdps(60):
        for frequency, T, horizon in itertools.product((0, 1, 7, 300), (5, 365), (1e-3, 30, 3650)):
            history = frequency, 0.8 * T if frequency else 0, T
            exact = float(textbook_expectation(*parameters, *history, horizon))
            assert MBGNBD(*parameters).expected_purchases(*history, horizon) == pytest.approx(exact, rel=1e-10)


# ---- properties ----

positive = st.floats(0.02, 20)
parameters = st.builds(MBGNBD, positive, st.floats(0.1, 200), positive, positive)
histories = st.tuples(st.integers(0, 400), st.floats(0, 1), st.floats(0.01, 2000)).map(
    lambda h: (h[0], h[1] * h[2] if h[0] else 0.0, h[2])
)


@settings(deadline=None, max_examples=60)
@given(parameters, histories, st.floats(0.001, 3000))
def test_predictions_are_finite_and_consistent(model, history, horizon):
    alive = model.probability_alive(*history)
    expected = model.expected_purchases(*history, horizon)
    active = model.probability_of_purchase(*history, horizon)
    staying = model.probability_of_staying(*history, horizon)
    assert np.isfinite(model.log_likelihood(*history))
    assert 0 <= alive <= 1
    assert 0 <= active <= alive
    assert active <= expected * (1 + 1e-9) + 1e-300
    assert 0 <= staying <= alive
    assert staying * horizon * (1 - 1e-9) - 1e-9 <= model.expected_duration(*np.atleast_2d(history).T, horizon)[0]
    assert expected <= model.expected_purchases(*history, 2 * horizon) * (1 + 1e-9)


@settings(deadline=None, max_examples=40)
@given(parameters, st.lists(histories, min_size=1, max_size=20), st.floats(0.1, 300))
def test_weighted_sum_equals_the_plain_one(model, rows, longest):
    columns = np.array(rows).T
    horizons = np.linspace(longest / 9, longest, 9)
    weights = np.column_stack([np.linspace(1, 0.5, 9), np.arange(9) == 8])
    plain = PurchaseModel.weighted_expected_purchases(model, *columns, horizons, weights)
    ours = model.weighted_expected_purchases(*columns, horizons, weights)
    np.testing.assert_allclose(ours, plain, rtol=1e-9, atol=1e-300)


def test_probability_alive_falls_without_a_repeat_purchase():
    alive = MODEL.probability_alive(0, 0, np.array([0, 1, 10, 100, 1e6]))
    assert alive[0] == pytest.approx(MODEL.b / (MODEL.a + MODEL.b))
    assert np.all(np.diff(alive) < 0) and alive[-1] < 1e-3


def test_counts_add_up():
    counts = np.arange(4000)
    of_new = MODEL.purchase_count_probability(counts, 20)
    assert of_new.sum() == pytest.approx(1, abs=1e-9)
    assert of_new @ counts == pytest.approx(MODEL.new_customer_expected_purchases(20), rel=1e-7)
    for history in ((0, 0, 10), (3, 4, 10), (12, 9.5, 10)):
        probability = MODEL.purchase_count_probability_given_history(counts, *history, 20)
        assert probability.sum() == pytest.approx(1, abs=1e-9)
        assert probability @ counts == pytest.approx(MODEL.expected_purchases(*history, 20), rel=1e-7)
        assert 1 - probability[0] == pytest.approx(MODEL.probability_of_purchase(*history, 20), rel=1e-9)


def test_duration_is_the_integral_of_staying():
    history = np.array([0, 2, 40]), np.array([0.0, 180, 250]), np.full(3, 273.0)
    model = MBGNBD(0.525, 43, 0.891, 1.614)
    days = np.linspace(0, 365, 2001)
    curve = model.probability_of_staying(*(column[:, None] for column in history), days)
    np.testing.assert_allclose(curve[:, 0], model.probability_alive(*history), rtol=1e-12)
    np.testing.assert_allclose(model.expected_duration(*history, 365), np.trapezoid(curve, days), rtol=1e-6)


def test_grouped_rows_fit_the_same(sample_fit):
    columns = cdnow("sample").history
    first, inverse = distinct_rows(*columns)
    fit = fit_mbg_nbd(*(column[first] for column in columns), weights=np.bincount(inverse))
    np.testing.assert_allclose(fit.estimates, sample_fit.estimates, rtol=1e-9)
    assert fit.observations == sample_fit.observations


def test_likelihood_is_a_maximum(sample_fit):
    """The model's likelihood is a mixture, the fit's that of MBG/CNBD-1: they must agree on where the top is."""
    history = cdnow("sample").history
    for step in itertools.product((-1e-3, 0, 1e-3), repeat=4):
        total = sample_fit.model_at(sample_fit.estimates * np.exp(step)).log_likelihood(*history).sum()
        assert total <= sample_fit.log_likelihood + 1e-8


def test_registry_knows_it():
    assert kinds()["mbg_nbd"].fit is fit_mbg_nbd
    assert not kinds()["mbg_nbd"].needs


# ---- known truth ----


def simulated_customers(customers, model, rng, horizon=20.0):
    """History in 10 to 40 units of time, whether alive at the end, and what follows; told purchase by purchase."""
    T = rng.uniform(10, 40, customers)
    rate, dropout = rng.gamma(model.r, 1 / model.alpha, customers), rng.beta(model.a, model.b, customers)
    frequency, recency, later = np.zeros(customers), np.zeros(customers), np.zeros(customers)
    alive_at_T, clock = np.zeros(customers, bool), np.zeros(customers)
    staying = rng.random(customers) > dropout
    while staying.any():
        clock = clock + rng.exponential(1, customers) / rate
        alive_at_T |= staying & (clock > T)
        seen = staying & (clock <= T)
        frequency[seen] += 1
        recency[seen] = clock[seen]
        later += staying & (clock > T) & (clock <= T + horizon)
        staying &= (clock <= T + horizon) & (rng.random(customers) > dropout)
    return (frequency, recency, T), alive_at_T, later


def test_predictions_and_parameters_against_customers_told_purchase_by_purchase():
    history, alive, later = simulated_customers(50_000, MODEL, np.random.default_rng(4))
    frequency, recency, T = history
    recent = np.where(frequency > 0, 1 + (T - recency > 5), 0)
    group = np.minimum(frequency, 5) * 3 + recent
    for predicted, actual in (
        (MODEL.probability_alive(*history), alive),
        (MODEL.expected_purchases(*history, 20), later),
        (MODEL.probability_of_purchase(*history, 20), later > 0),
    ):
        for number in np.unique(group):
            apart = (actual - predicted)[group == number]
            assert abs(apart.mean()) < 4 * apart.std() / np.sqrt(len(apart)), number

    fit = fit_mbg_nbd(*history)
    truth = np.array([MODEL.r, MODEL.alpha, MODEL.a, MODEL.b])
    errors = np.log(fit.estimates / truth) / np.sqrt(np.diag(fit.log_covariance))
    assert np.all(np.abs(errors) < 3.5)
    np.testing.assert_allclose(fit.estimates, truth, rtol=0.1)


def test_simulated_purchases_follow_the_count_distribution():
    size = 100_000
    for history in ((0, 0, 10), (3, 6, 10)):
        columns = (np.full(size, value) for value in history)
        counts = MODEL.simulate_purchases(*columns, 20, np.random.default_rng(3))
        observed = np.bincount(np.minimum(counts, 8), minlength=9)
        probability = MODEL.purchase_count_probability_given_history(np.arange(8), *history, 20)
        probability = np.append(probability, 1 - probability.sum())
        assert stats.chisquare(observed, probability * size).pvalue > 1e-3


def test_simulated_histories_follow_the_count_distribution():
    size = 100_000
    customer, time = MODEL.simulate_histories(np.full(size, 20.0), np.random.default_rng(6))
    assert np.all(time <= 20) and np.all((np.diff(customer) > 0) | (np.diff(time) > 0))
    observed = np.bincount(np.minimum(np.bincount(customer, minlength=size), 8))
    probability = MODEL.purchase_count_probability(np.arange(8), 20)
    probability = np.append(probability, 1 - probability.sum())
    assert stats.chisquare(observed, probability * size).pvalue > 1e-3


# ---- what cannot be fitted ----


def test_nobody_leaving_is_said():
    fit = fit_mbg_nbd([5, 1, 4] * 50, [5.0, 4.9, 5] * 50, [5.0, 5, 5] * 50)
    assert not fit.converged
    assert "Dropout is not identified" in fit.problems[0] and "nobody ever leaves" in fit.problems[0]
    assert np.isfinite(fit.model.expected_purchases(5, 5.0, 5.0, 52))


def test_leaving_at_once_or_never_is_said():
    fit = fit_mbg_nbd([9, 0, 8, 11] * 50, [4.9, 0, 5, 4.8] * 50, [5.0, 5, 5, 5] * 50)
    assert not fit.converged
    assert "leave either right after their first purchase or never" in fit.problems[0]


@pytest.mark.parametrize(
    "columns, words",
    [
        (([], [], []), "no customers"),
        (([0, 0], [0, 0], [3, 5]), "No customer bought again"),
        (([1, 0], [2, 0], [1, 5]), "recency lies beyond T"),
        (([0, 1], [2, 1], [3, 5]), "without a repeat purchase"),
        (([1, np.nan], [2, 0], [3, 5]), "frequency holds 1 missing"),
    ],
)
def test_impossible_rows_are_refused(columns, words):
    with pytest.raises(ValueError, match=words):
        fit_mbg_nbd(*columns)
