import itertools
from functools import partial

import mpmath
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from helpers.models.fit import bootstrap_fits, counted_rows, distinct_rows, maximise
from helpers.models.lifetime_value import lifetimes_peer
from helpers.models.lifetime_value.purchase_models import bg_nbd
from helpers.models.lifetime_value.purchase_models.bg_nbd import (
    BGNBD,
    fit_bg_nbd,
    likelihood_by_weights,
    mean_log_likelihood,
)
from tests.cdnow_summaries import cdnow, simulated_history
from tests.published import lifetime_value as published

PAPER = BGNBD(**published.PAPER_BG_NBD)
BTYD = BGNBD(**published.BTYD_BG_NBD)


@pytest.fixture(scope="module")
def sample_fit():
    return fit_bg_nbd(*cdnow("sample").history)


# ---- published figures ----


def test_sample_is_the_published_one():
    sample = cdnow("sample")
    assert len(sample.T) == published.SAMPLE_CUSTOMERS
    assert sample.frequency.sum() == published.SAMPLE_REPEAT_PURCHASES
    assert sample.holdout.sum() == published.SAMPLE_HOLDOUT_PURCHASES


def test_sample_fit(sample_fit):
    # a thousandth of a standard error is as close as optimisers come to each other
    apart = np.abs(sample_fit.estimates - list(published.SAMPLE_BG_NBD.values()))
    assert np.all(apart <= 1e-3 * sample_fit.standard_errors)
    assert sample_fit.log_likelihood == pytest.approx(published.SAMPLE_BG_NBD_LOG_LIKELIHOOD, abs=5e-4)
    errors = list(published.SAMPLE_BG_NBD_STANDARD_ERRORS.values())
    np.testing.assert_allclose(sample_fit.standard_errors, errors, rtol=5e-4)
    assert sample_fit.converged and not sample_fit.problems
    assert sample_fit.gradient_norm <= 1e-9
    assert sample_fit.observations == published.SAMPLE_CUSTOMERS
    assert sample_fit.aic == pytest.approx(2 * 4 - 2 * published.SAMPLE_BG_NBD_LOG_LIKELIHOOD, abs=1e-3)
    assert sample_fit.bic == pytest.approx(4 * np.log(2357) - 2 * published.SAMPLE_BG_NBD_LOG_LIKELIHOOD, abs=1e-3)


def test_full_file_fit():
    fit = fit_bg_nbd(*cdnow("master").history)
    assert fit.observations == published.FULL_CUSTOMERS
    np.testing.assert_allclose(fit.estimates, list(published.FULL_BG_NBD.values()), atol=5e-5)
    assert fit.log_likelihood == pytest.approx(published.FULL_BG_NBD_LOG_LIKELIHOOD, abs=5e-4)
    np.testing.assert_allclose(fit.standard_errors, list(published.FULL_BG_NBD_STANDARD_ERRORS.values()), atol=5e-5)


@pytest.mark.parametrize("unit, weeks", [("D", 1 / 7), ("W", 1.0), ("M", 30.4375 / 7)])
def test_unit_of_time_only_scales_alpha(unit, weeks, sample_fit):
    frequency, recency, T = cdnow("sample").history
    fit = fit_bg_nbd(frequency, recency / weeks, T / weeks)
    np.testing.assert_allclose(fit.estimates * [1, weeks, 1, 1], sample_fit.estimates, rtol=1e-6)
    assert fit.estimates[1] == pytest.approx(published.ALPHA_BY_UNIT[unit], rel=1e-4)
    # a density per purchase time: counted in other units it is multiplied by their length, once a purchase
    shift = frequency.sum() * np.log(weeks)
    assert fit.log_likelihood == pytest.approx(sample_fit.log_likelihood + shift, abs=1e-6)
    np.testing.assert_allclose(fit.log_covariance, sample_fit.log_covariance, rtol=1e-5, atol=1e-9)


def test_new_customer_purchases(sample_fit):
    horizons = np.array(list(published.NEW_CUSTOMER_PURCHASES))
    np.testing.assert_allclose(
        sample_fit.model.new_customer_expected_purchases(horizons),
        list(published.NEW_CUSTOMER_PURCHASES.values()),
        atol=5e-5,
    )


def test_customer_0001(sample_fit):
    customer = published.CUSTOMER_0001
    expected = PAPER.expected_purchases(*customer["history"], customer["horizon"])
    assert expected == pytest.approx(customer["expected"], abs=5e-5)
    alive = sample_fit.model.probability_alive(*customer["history"])
    assert alive == pytest.approx(customer["alive"], abs=5e-6)


def test_customer_1516(sample_fit):
    customer = published.CUSTOMER_1516
    for model, precision in ((BTYD, 1e-6), (sample_fit.model, 1e-4)):
        expected = model.expected_purchases(*customer["history"], customer["horizon"])
        assert expected == pytest.approx(customer["expected"], rel=precision)
        assert model.probability_alive(*customer["history"]) == pytest.approx(customer["alive"], rel=precision)


def test_expected_purchases_by_frequency(sample_fit):
    frequency = np.array(list(published.EXPECTED_BY_FREQUENCY))
    values = list(published.EXPECTED_BY_FREQUENCY.values())
    np.testing.assert_allclose(BTYD.expected_purchases(frequency, 20, 39, 52), values, rtol=2e-7)
    np.testing.assert_allclose(sample_fit.model.expected_purchases(frequency, 20, 39, 52), values, rtol=1e-4)


def test_our_optimum_is_above_the_published_one(sample_fit):
    for parameters in (published.BTYD_BG_NBD, published.SAMPLE_BG_NBD, published.PAPER_BG_NBD):
        total = BGNBD(**parameters).log_likelihood(*cdnow("sample").history).sum()
        assert sample_fit.log_likelihood - 0.002 < total < sample_fit.log_likelihood


def test_count_probabilities():
    for (count, weeks), probability in published.COUNT_PROBABILITIES.items():
        assert PAPER.purchase_count_probability(count, weeks) == pytest.approx(probability, rel=1e-6)
    counts = np.array(list(published.COUNT_PROBABILITIES_30_WEEKS))
    np.testing.assert_allclose(
        PAPER.purchase_count_probability(counts, 30),
        list(published.COUNT_PROBABILITIES_30_WEEKS.values()),
        atol=5.1e-11,  # the printed digits
        rtol=0,
    )


def test_log_likelihood_of_extreme_histories():
    model = BGNBD(**published.STABILITY_PARAMETERS)
    for (frequency, recency), value in published.STABILITY_LOG_LIKELIHOOD.items():
        assert model.log_likelihood(frequency, recency, 40) == pytest.approx(value, rel=1e-6)


def test_holdout_by_frequency():
    sample = cdnow("sample")
    group = np.minimum(sample.frequency, 7).astype(int)
    size = np.bincount(group)
    assert tuple(size) == published.CUSTOMERS_BY_FREQUENCY
    expected = np.bincount(group, BTYD.expected_purchases(*sample.history, 39)) / size
    np.testing.assert_allclose(expected, published.HOLDOUT_BY_FREQUENCY, atol=5.1e-5)
    np.testing.assert_allclose(
        np.bincount(group, sample.holdout) / size, published.HOLDOUT_ACTUAL_BY_FREQUENCY, atol=5.1e-5
    )


def test_in_sample_frequencies(sample_fit):
    T = cdnow("sample").T
    expected = [sample_fit.model.purchase_count_probability(count, T).sum() for count in range(7)]
    expected = np.append(expected, len(T) - sum(expected))
    np.testing.assert_allclose(expected, published.EXPECTED_CUSTOMERS_BY_FREQUENCY, atol=0.06)
    chi_square = ((published.CUSTOMERS_BY_FREQUENCY - expected) ** 2 / expected).sum()
    assert chi_square == pytest.approx(published.FREQUENCY_CHI_SQUARE, abs=0.005)


def test_cumulative_tracking(sample_fit):
    T = cdnow("sample").T
    weeks = np.array(published.CUMULATIVE_WEEKS)
    since_first = np.maximum(weeks[:, None] - (T.max() - T), 0)
    cumulative = sample_fit.model.new_customer_expected_purchases(since_first).sum(axis=1)
    np.testing.assert_allclose(cumulative, published.CUMULATIVE_EXPECTED, atol=0.05)


# ---- other software ----


def textbook_expectation_if_alive(r, alpha, a, b, frequency, T, horizon):
    """FHL eq. 10 without P(alive), to 60 digits; a is moved off its removable poles by 1e-28."""
    r, alpha, a, b, x, T, t = map(mpmath.mpf, (r, alpha, a, b, frequency, T, horizon))
    a += mpmath.mpf(10) ** -28
    z = t / (alpha + T + t)
    hypergeometric = mpmath.hyp2f1(r + x, b + x, a + b + x - 1, z, maxterms=10**6)
    return (a + b + x - 1) / (a - 1) * (1 - (1 - z) ** (r + x) * hypergeometric)


PARAMETER_SETS = [
    (0.243, 31, 0.793, 2.426),  # CDNOW in days
    (0.5, 20, 1, 3),  # a = 1: a pole of the textbook form
    (0.3, 20, 0.4, 0.6),  # a + b = 1
    (0.25, 30, 0.4, 0.55),  # a + b < 1: its 2F1 is negative
    (0.8, 15, 0.02, 0.5),
    (0.8, 15, 1.8, 2.5),  # r - a an integer
    (0.3, 20, 1 + 1e-8, 2),  # cancellation beside the pole
    (20, 100, 0.3, 0.2),  # r far above a + b
    (2, 10, 30, 0.1),  # everyone leaves at once
    (0.2, 10, 1e-4, 1e3),  # nobody leaves
    (0.2, 10, 40, 4e3),  # one dropout probability for all
]


# With each of the parameter sets: over two thousand cases.
FREQUENCIES, AGES, HORIZONS = (0, 1, 2, 7, 40, 300), (0, 7, 30, 365, 3650), (1e-3, 0.1, 1, 30, 365, 3650, 36500)


@pytest.mark.parametrize("parameters", PARAMETER_SETS)
def test_expected_purchases_against_high_precision(parameters):
    model = BGNBD(*parameters)
    with mpmath.workdps(60):
        for frequency, T, horizon in itertools.product(FREQUENCIES, AGES, HORIZONS):
            exact = float(textbook_expectation_if_alive(*parameters, frequency, T, horizon))
            assert model.expected_purchases_if_alive(frequency, T, horizon) == pytest.approx(exact, rel=1e-10)


@pytest.mark.parametrize("parameters", PARAMETER_SETS)
def test_expected_purchases_at_the_ends_of_the_range(parameters):
    with mpmath.workdps(60):
        for frequency, T in itertools.product((0, 3000), (0, 3650)):
            exact = float(textbook_expectation_if_alive(*parameters, frequency, T, 36500))
            ours = BGNBD(*parameters).expected_purchases_if_alive(frequency, T, 36500)
            assert ours == pytest.approx(exact, rel=1e-10)


def test_count_probability_against_high_precision():
    """FHL eq. 8 summed as printed, in 60 digits; lifetimes overflows from count 171 on."""
    r, alpha, a, b = 0.243, 31, 0.793, 2.426
    with mpmath.workdps(60):
        z = mpmath.mpf(365) / (alpha + 365)
        for count in (0, 1, 5, 171, 200, 1000):
            beta = mpmath.beta
            exact = (
                beta(a, b + count) / beta(a, b) * mpmath.rf(r, count) / mpmath.factorial(count)
                * (1 - z) ** r * z**count
            )  # fmt: skip
            if count:
                fewer = mpmath.fsum(mpmath.rf(r, j) / mpmath.factorial(j) * z**j for j in range(count))
                exact += beta(a + 1, b + count - 1) / beta(a, b) * (1 - (1 - z) ** r * fewer)
            ours = BGNBD(r, alpha, a, b).purchase_count_probability(count, 365)
            assert ours == pytest.approx(float(exact), rel=1e-9)


def test_lifetimes_fits_the_same(sample_fit):
    peer = lifetimes_peer.fit_bg_nbd(*cdnow("sample").history)
    assert peer.fitted_by == "lifetimes" and peer.converged
    assert peer.log_likelihood == pytest.approx(sample_fit.log_likelihood, abs=1e-6)
    assert peer.log_likelihood <= sample_fit.log_likelihood + 1e-9
    np.testing.assert_allclose(peer.estimates, sample_fit.estimates, rtol=1e-5)
    np.testing.assert_allclose(peer.covariance, sample_fit.covariance, rtol=1e-4, atol=1e-7)
    np.testing.assert_array_equal(peer.covariance, peer.covariance.T)


def test_lifetimes_predicts_the_same(sample_fit):
    from lifetimes import BetaGeoFitter

    sample = cdnow("sample")
    fitter = BetaGeoFitter()
    fitter.params_ = pd.Series(sample_fit.estimates, sample_fit.names)
    np.testing.assert_allclose(
        sample_fit.model.expected_purchases(*sample.history, 39),
        fitter.conditional_expected_number_of_purchases_up_to_time(39, *sample.history),
        rtol=1e-8,
    )
    np.testing.assert_allclose(
        sample_fit.model.probability_alive(*sample.history),
        fitter.conditional_probability_alive(*sample.history),
        rtol=1e-10,
    )


def test_lifetimes_leaves_the_process_as_it_was():
    import warnings

    filters, option = list(warnings.filters), pd.options.mode.chained_assignment
    lifetimes_peer.fit_bg_nbd([1, 0, 2, 1] * 30, [3.0, 0, 5, 2] * 30, [9.0, 8, 7, 6] * 30)
    assert warnings.filters == filters
    assert pd.options.mode.chained_assignment == option


def test_lifetimes_failure_is_told_in_words(capsys):
    rng = np.random.default_rng(0)
    history = simulated_history(200, 0.8, 44, 10, 0.8, rng)
    ours, peer = fit_bg_nbd(*history), lifetimes_peer.fit_bg_nbd(*history)
    assert not peer.converged and peer.problems
    assert not ours.converged and "Dropout is not identified" in ours.problems[0]
    assert capsys.readouterr().out == ""


# ---- properties ----

positive = st.floats(0.02, 20)
parameters = st.builds(BGNBD, positive, st.floats(0.1, 200), positive, positive)
histories = st.tuples(st.integers(0, 400), st.floats(0, 1), st.floats(0.01, 2000)).map(
    lambda h: (h[0], h[1] * h[2] if h[0] else 0.0, h[2])
)


@settings(deadline=None, max_examples=150)
@given(parameters, histories, st.floats(0.001, 3000))
def test_predictions_are_finite_and_consistent(model, history, horizon):
    frequency, _, T = history
    alive = model.probability_alive(*history)
    expected = model.expected_purchases(*history, horizon)
    active = model.probability_of_purchase(*history, horizon)
    assert np.isfinite(model.log_likelihood(*history))
    assert 0 <= alive <= 1
    assert 0 <= active <= alive
    assert active <= expected * (1 + 1e-9) + 1e-300  # Markov's inequality for counts
    assert 0 <= model.probability_of_staying(*history, horizon) <= alive
    never_leaving = (model.r + frequency) * horizon / (model.alpha + T)
    assert expected <= alive * never_leaving * (1 + 1e-9)
    assert expected <= model.expected_purchases(*history, 2 * horizon) * (1 + 1e-9)


@settings(deadline=None, max_examples=60)
@given(parameters, st.lists(histories, min_size=1, max_size=20), st.floats(0.1, 300))
def test_weighted_sum_equals_the_plain_one(model, rows, longest):
    frequency, recency, T = np.array(rows).T
    horizons = np.linspace(longest / 9, longest, 9)
    weights = np.column_stack([np.linspace(1, 0.5, 9), np.arange(9) == 8])
    plain = model.expected_purchases(frequency[:, None], recency[:, None], T[:, None], horizons) @ weights
    ours = model.weighted_expected_purchases(frequency, recency, T, horizons, weights)
    np.testing.assert_allclose(ours, plain, rtol=1e-9, atol=1e-300)
    # what a model without a faster way inherits
    inherited = super(BGNBD, model).weighted_expected_purchases(frequency, recency, T, horizons, weights)
    np.testing.assert_allclose(inherited, plain, rtol=1e-12, atol=1e-300)


def test_counts_given_history_add_up():
    counts = np.arange(4000)
    model = BGNBD(0.5, 5, 1.0, 3)
    for history in ((0, 0, 10), (3, 4, 10), (12, 9.5, 10)):
        probability = model.purchase_count_probability_given_history(counts, *history, 20)
        assert probability.sum() == pytest.approx(1, abs=1e-9)
        assert probability @ counts == pytest.approx(model.expected_purchases(*history, 20), rel=1e-7)
        assert 1 - probability[0] == pytest.approx(model.probability_of_purchase(*history, 20), rel=1e-9)


def test_staying_and_duration_against_the_integral_over_dropout():
    """E[exp(-lambda p t)] as an integral over p ~ Beta(a, b + x), lambda being integrated in closed form."""
    model = BGNBD(0.243, 31, 0.793, 2.426)
    frequency, recency, T = np.array([0, 2, 40, 3000]), np.array([0, 180, 250, 272]), np.full(4, 273)
    alive = model.probability_alive(frequency, recency, T)
    for horizon in (0.5, 30, 365):
        staying = [
            stats.beta(model.a, model.b + x).expect(lambda p, x=x, t=horizon: (1 + p * t / 304) ** -(model.r + x))
            for x in frequency
        ]
        ours = model.probability_of_staying(frequency, recency, T, horizon)
        np.testing.assert_allclose(ours, alive * staying, rtol=1e-6)
    days = np.linspace(0, 365, 2001)
    curve = model.probability_of_staying(frequency[:, None], recency[:, None], T[:, None], days)
    np.testing.assert_allclose(
        model.expected_duration(frequency, recency, T, 365), np.trapezoid(curve, days), rtol=1e-6
    )


def test_horizon_zero_means_nothing():
    assert PAPER.expected_purchases(2, 5, 9, 0) == 0
    assert PAPER.probability_of_purchase(2, 5, 9, 0) == 0
    assert not PAPER.weighted_expected_purchases([2], [5], [9], [0.0], [[1.0]]).any()
    assert PAPER.purchase_count_probability(0, 0) == 1


def test_simulated_purchases_follow_the_count_distribution():
    model, rng = BGNBD(0.8, 5, 1.2, 3), np.random.default_rng(3)
    size = 100_000
    counts = model.simulate_purchases(np.full(size, 3), 6, 10, 20, rng)
    observed = np.bincount(np.minimum(counts, 8), minlength=9)
    probability = model.purchase_count_probability_given_history(np.arange(8), 3, 6, 10, 20)
    probability = np.append(probability, 1 - probability.sum())
    assert stats.chisquare(observed, probability * size).pvalue > 1e-3
    again = model.simulate_purchases(np.full(size, 3), 6, 10, 20, np.random.default_rng(3))
    np.testing.assert_array_equal(counts, again)


def test_derivatives_against_differences():
    sample = cdnow("sample")
    objective = mean_log_likelihood(*sample.history, np.ones_like(sample.T))
    rng = np.random.default_rng(1)
    for _ in range(3):
        point, step = rng.normal(0, 0.7, 4), 1e-5
        _, gradient, hessian = objective(point)
        shifted = [(objective(point + e), objective(point - e)) for e in step * np.eye(4)]
        np.testing.assert_allclose(
            gradient, [(up[0] - down[0]) / (2 * step) for up, down in shifted], rtol=1e-6, atol=1e-8
        )
        np.testing.assert_allclose(
            hessian, [(up[1] - down[1]) / (2 * step) for up, down in shifted], rtol=1e-6, atol=1e-8
        )
        value = BGNBD(*np.exp(point)).log_likelihood(*sample.history).mean()
        assert objective(point)[0] == pytest.approx(value, rel=1e-12)


def test_likelihood_is_the_definition_wherever_a_fit_may_go(monkeypatch):
    monkeypatch.setattr(bg_nbd, "ROWS_IN_CACHE", 100)  # so that several blocks and a rest make the whole
    frequency, recency, T = history = simulated_history(3_000, 0.5, 3, 0.8, 9, np.random.default_rng(8))
    weights = np.random.default_rng(9).integers(0, 4, len(T)).astype(float)
    objective = likelihood_by_weights(*history)(weights)
    for parameters in itertools.product((1e-4, 0.5, 1e4), repeat=4):
        exact = weights @ BGNBD(*parameters).log_likelihood(*history) / weights.sum()
        assert objective(np.log(parameters))[0] == pytest.approx(exact, rel=1e-9)
    in_whole_numbers = frequency.astype(int), np.round(recency).astype(int), np.round(T).astype(int)
    as_floats = [column.astype(float) for column in in_whole_numbers]
    for found, expected in zip(
        likelihood_by_weights(*in_whole_numbers)(weights)(np.zeros(4)),
        likelihood_by_weights(*as_floats)(weights)(np.zeros(4)),
        strict=True,
    ):
        np.testing.assert_allclose(found, expected)


def test_grouped_rows_fit_the_same(sample_fit):
    columns = cdnow("sample").history
    first, inverse = distinct_rows(*columns)
    fit = fit_bg_nbd(*(column[first] for column in columns), weights=np.bincount(inverse))
    np.testing.assert_allclose(fit.estimates, sample_fit.estimates, rtol=1e-9)
    assert fit.observations == sample_fit.observations


@given(
    st.lists(st.tuples(st.sampled_from([0.0, 1.0, 2.5]), st.integers(0, 2).map(float)), min_size=1)
    | st.lists(st.tuples(*[st.sampled_from([-3.0, 0.0, 1.0, 2.0**19, 2.0**20 - 1])] * 4), min_size=1)
    | st.lists(st.tuples(*[st.sampled_from([7.0, 8.0, 2.0**20, 1e300, np.inf])] * 2), min_size=1)
)
def test_distinct_rows_are_the_same_in_and_out_of_order(rows):
    for ordered in (rows, sorted(rows)):
        first, inverse = distinct_rows(*np.array(ordered).T)
        _, expected_first, expected = np.unique(ordered, axis=0, return_index=True, return_inverse=True)
        np.testing.assert_array_equal(first, expected_first)
        np.testing.assert_array_equal(inverse, expected)
        for weights in (None, np.arange(len(rows)) + 0.5):
            columns, counts = counted_rows(*np.array(ordered).T, weights=weights)
            np.testing.assert_array_equal(columns, np.unique(ordered, axis=0).T)
            np.testing.assert_array_equal(counts, np.bincount(expected, weights))


def test_intervals_and_draws(sample_fit):
    low, high = sample_fit.intervals()
    assert np.all(low > 0) and np.all(low < sample_fit.estimates) and np.all(sample_fit.estimates < high)
    np.testing.assert_allclose(low * high, sample_fit.estimates**2)
    draws = sample_fit.draws(20_000, np.random.default_rng(0))
    np.testing.assert_allclose(np.quantile(draws, 0.025, axis=0), low, rtol=0.02)
    np.testing.assert_allclose(np.cov(np.log(draws).T), sample_fit.log_covariance, atol=2e-3)


# ---- known truth ----


def test_parameters_are_recovered():
    truth = (0.4, 6.0, 0.9, 3.0)
    fit = fit_bg_nbd(*simulated_history(200_000, *truth, np.random.default_rng(4)))
    errors = (np.log(fit.estimates) - np.log(truth)) / np.sqrt(np.diag(fit.log_covariance))
    assert np.all(np.abs(errors) < 3.5)
    np.testing.assert_allclose(fit.estimates, truth, rtol=0.1)


@pytest.mark.slow
def test_intervals_cover_the_truth():
    """As many of 200 intervals of 95 % as the binomial allows with probability 0.999 must hold the truth."""
    truth, repetitions = np.array((0.4, 6.0, 0.9, 3.0)), 200
    fewest, most = stats.binom.ppf((0.0005, 0.9995), repetitions, 0.95)
    rng, covered = np.random.default_rng(12), np.zeros(4)
    for _ in range(repetitions):
        low, high = fit_bg_nbd(*simulated_history(1000, *truth, rng)).intervals()
        covered += (low <= truth) & (truth <= high)
    assert np.all((covered >= fewest) & (covered <= most)), covered


# ---- other optima ----


def wild_history(seed: int):
    """Histories of 50 to 5,000 customers with parameters from all over their range, every other time to the day."""
    rng = np.random.default_rng(seed)
    customers = int(np.exp(rng.uniform(*np.log([50, 5000]))))
    r, rate, a, b = np.exp(rng.uniform(np.log([0.03, 0.005, 0.02, 0.05]), np.log([20, 2, 30, 60])))
    frequency, recency, T = simulated_history(customers, r, r / rate, a, b, rng, ages=(1, rng.uniform(10, 100)))
    return (frequency, np.round(recency), np.round(T)) if seed % 2 else (frequency, recency, T)


def climbed_from_every_start(frequency, recency, T):
    """The best end of climbs over all rows from each starting point, and its log-likelihood."""
    unit = T.max()
    objective = mean_log_likelihood(frequency, recency / unit, T / unit, np.ones_like(T))
    best = maximise(objective, np.log(bg_nbd._starts(frequency.sum() / T.sum() * unit)))
    return best, len(T) * best.value - frequency.sum() * np.log(unit)


# in 563 the first start leads to a local maximum
@pytest.mark.parametrize("seed", [*range(40), 563])
def test_no_start_leads_higher(seed):
    history = wild_history(seed)
    fit, (best, log_likelihood) = fit_bg_nbd(*history), climbed_from_every_start(*history)
    if best.stationary and not fit.unidentified:
        assert fit.log_likelihood == pytest.approx(log_likelihood, abs=1e-6)
        assert fit.converged
    else:  # where the likelihood rises for ever, climbs end as far out as they happen to
        assert not fit.converged and fit.problems
        assert fit.log_likelihood == pytest.approx(log_likelihood, abs=1e-3)


@pytest.mark.parametrize("repeaters", [3, 60, 9_000])
def test_no_start_leads_higher_where_they_are_tried_on_a_sample(repeaters):
    """All rows are distinct, and next to none of 3 repeat customers are in the sample."""
    frequency, recency, T = simulated_history(40_000, 0.5, 6, 1.5, 3, np.random.default_rng(repeaters))
    keep = (frequency == 0) | (np.cumsum(frequency > 0) <= repeaters)
    history = frequency[keep], recency[keep], T[keep]
    fit, (best, log_likelihood) = fit_bg_nbd(*history), climbed_from_every_start(*history)
    assert best.stationary or not fit.converged
    assert fit.log_likelihood == pytest.approx(log_likelihood, abs=1e-6 if fit.converged else 1e-3)


# ---- what cannot be fitted ----


def test_optimum_at_infinity_is_said():
    fit = fit_bg_nbd([5, 0, 4] * 50, [5.0, 0, 5] * 50, [5.0, 5, 5] * 50)
    assert not fit.converged
    assert "Dropout is not identified" in fit.problems[0] and "nobody ever leaves" in fit.problems[0]
    assert np.all(np.isnan(fit.covariance)) and np.all(np.isnan(fit.intervals()))
    with pytest.raises(ValueError, match="Dropout is not identified"):
        fit.draws(10, np.random.default_rng(0))
    assert np.isfinite(fit.model.expected_purchases(5, 5.0, 5.0, 52))


def test_few_repeat_buyers_are_said():
    fit = fit_bg_nbd([1, 0, 3], [2.0, 0, 5], [9.0, 9, 9])
    assert any("Only 2 customers bought again" in problem for problem in fit.problems)


@pytest.mark.parametrize(
    "columns, words",
    [
        (([], [], []), "no customers"),
        (([0, 0], [0, 0], [3, 5]), "No customer bought again"),
        (([1, 0], [2, 0], [1, 5]), "recency lies beyond T"),
        (([0, 1], [2, 1], [3, 5]), "without a repeat purchase"),
        (([1.5], [2], [3]), "not a whole number"),
        (([1, np.nan], [2, 0], [3, 5]), "frequency holds 1 missing"),
        (([1, 1], [2, -1], [3, 5]), "recency holds 1 missing"),
        (([1, 1], [2, 1], [3, np.inf]), "T holds 1 missing"),
        (([1, 1], [0, 0], [0, 0]), "T is 0 throughout"),
        (([1, 1], [1, 1], [2]), "one length"),
    ],
)
def test_impossible_rows_are_refused(columns, words):
    with pytest.raises(ValueError, match=words):
        fit_bg_nbd(*columns)


def test_weights_must_count_somebody():
    with pytest.raises(ValueError, match="weights"):
        fit_bg_nbd([1], [1], [2], weights=[0])


def test_maximise_follows_a_ridge_and_stops():
    """-exp(-x) rises for ever; -(x - 1)^2 has its top at 1."""
    endless = maximise(lambda x: (-np.exp(-x[0]), np.exp(-x), -np.exp(-x)[:, None]), [[0.0]])
    assert endless.beyond_limit and not endless.stationary
    top = maximise(lambda x: (-((x[0] - 1) ** 2), -2 * (x - 1), np.array([[-2.0]])), [[-3.0], [4.0]])
    assert top.stationary and top.log_parameters == pytest.approx(1)


@pytest.mark.parametrize("bayesian", [False, True])
def test_bootstrap_agrees_with_the_asymptotic_normal(bayesian):
    """Where the model is true, as it is not quite of CDNOW: there alpha spreads by a fifth more than it should."""
    frequency, recency, T = simulated_history(8_000, 0.5, 6, 1.5, 3, np.random.default_rng(2))
    history = frequency, np.round(recency), np.round(T)
    first, inverse = distinct_rows(*history)
    rows, weights = [column[first] for column in history], np.bincount(inverse)
    fit = fit_bg_nbd(*rows, weights)
    refits = bootstrap_fits(fit, likelihood_by_weights(*rows), weights, resamples=400, bayesian=bayesian, seed=3)
    spread = np.cov(np.log(refits).T)
    np.testing.assert_allclose(np.sqrt(np.diag(spread)), np.sqrt(np.diag(fit.log_covariance)), rtol=0.2)
    centre = np.median(np.log(refits / fit.estimates), axis=0) / np.sqrt(np.diag(fit.log_covariance))
    assert np.all(np.abs(centre) < 0.25)
    again = bootstrap_fits(fit, likelihood_by_weights(*rows), weights, resamples=3, bayesian=bayesian, seed=3)
    one = bootstrap_fits(fit, partial(mean_log_likelihood, *rows), weights, resamples=3, bayesian=bayesian, seed=3)
    np.testing.assert_allclose(again, one, rtol=1e-9)


def test_bootstrap_is_a_fit_of_the_drawn_customers():
    sample = cdnow("sample")
    fit = fit_bg_nbd(*sample.history)
    weights = np.ones(len(sample.T))
    (refit,) = bootstrap_fits(fit, likelihood_by_weights(*sample.history), weights, resamples=1, seed=5)
    (rng,) = np.random.default_rng(5).spawn(1)
    drawn = rng.multinomial(len(weights), weights / len(weights))
    whole = fit_bg_nbd(*(np.repeat(column, drawn) for column in sample.history))
    np.testing.assert_allclose(refit, whole.estimates, rtol=1e-4)


def test_bootstrap_of_what_is_not_identified_is_refused():
    endless = [5, 0, 4] * 50, [5.0, 0, 5] * 50, [5.0, 5, 5] * 50
    with pytest.raises(ValueError, match="Dropout is not identified"):
        bootstrap_fits(fit_bg_nbd(*endless), likelihood_by_weights(*map(np.array, endless)), np.ones(150))
