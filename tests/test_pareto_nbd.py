import mpmath
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from helpers.models.fit import distinct_rows
from helpers.models.lifetime_value.purchase_models import kinds
from helpers.models.lifetime_value.purchase_models.pareto_nbd import (
    ParetoNBD,
    explain_runaway,
    fit_pareto_nbd,
    mean_log_likelihood,
)
from tests.cdnow_summaries import cdnow
from tests.published import pareto_nbd as published

BTYD = ParetoNBD(**published.BTYD)


@pytest.fixture(scope="module")
def sample_fit():
    return fit_pareto_nbd(*cdnow("sample").history)


def told_story(customers, r, alpha, s, beta, rng, ages=(30.0, 50.0)):
    """Frequency, recency, T of customers who leave at random and buy until then, purchase by purchase."""
    T = rng.uniform(*ages, customers)
    rate, leaving = rng.gamma(r, 1 / alpha, customers), rng.gamma(s, 1 / beta, customers)
    end = np.minimum(T, rng.exponential(1, customers) / leaving)
    frequency, recency, clock = np.zeros(customers), np.zeros(customers), np.zeros(customers)
    active = np.ones(customers, bool)
    while active.any():
        clock = clock + rng.exponential(1, customers) / rate
        active = active & (clock <= end)
        frequency[active] += 1
        recency[active] = clock[active]
    return frequency, recency, T


# ---- published figures ----


def test_sample_fit(sample_fit):
    # a thousandth of a standard error is as close as optimisers come to each other
    apart = np.abs(sample_fit.estimates - list(published.SAMPLE.values()))
    assert np.all(apart <= 1e-3 * sample_fit.standard_errors)
    assert sample_fit.log_likelihood == pytest.approx(published.SAMPLE_LOG_LIKELIHOOD, abs=5e-4)
    errors = list(published.SAMPLE_STANDARD_ERRORS.values())
    np.testing.assert_allclose(sample_fit.standard_errors, errors, rtol=2e-4)
    assert sample_fit.converged and not sample_fit.problems
    assert sample_fit.gradient_norm <= 1e-9
    assert sample_fit.names == ("r", "alpha", "s", "beta")


def test_our_optimum_is_above_the_published_one(sample_fit):
    for parameters in (published.BTYD, published.SAMPLE):
        total = ParetoNBD(**parameters).log_likelihood(*cdnow("sample").history).sum()
        assert sample_fit.log_likelihood - 1e-5 < total < sample_fit.log_likelihood


def test_full_file():
    full = cdnow("master")
    fit = fit_pareto_nbd(*full.history)
    np.testing.assert_allclose(fit.estimates, list(published.FULL.values()), atol=5.1e-5)
    assert fit.log_likelihood == pytest.approx(published.FULL_LOG_LIKELIHOOD, abs=5e-4)
    np.testing.assert_allclose(fit.standard_errors, list(published.FULL_STANDARD_ERRORS.values()), atol=5.1e-5)
    errors = fit.model.expected_purchases(*full.history, 39) - full.holdout
    scores = published.FULL_HOLDOUT_SCORES
    assert (errors + full.holdout).sum() == pytest.approx(scores["total"], abs=0.05)
    assert np.abs(errors).mean() == pytest.approx(scores["mae"], abs=5e-5)
    assert np.sqrt((errors**2).mean()) == pytest.approx(scores["rmse"], abs=5e-5)


@pytest.mark.parametrize("weeks", [1 / 7, 30.4375 / 7])
def test_unit_of_time_only_scales_alpha_and_beta(weeks, sample_fit):
    frequency, recency, T = cdnow("sample").history
    fit = fit_pareto_nbd(frequency, recency / weeks, T / weeks)
    np.testing.assert_allclose(fit.estimates * [1, weeks, 1, weeks], sample_fit.estimates, rtol=1e-6)
    shift = frequency.sum() * np.log(weeks)  # a density per purchase time
    assert fit.log_likelihood == pytest.approx(sample_fit.log_likelihood + shift, abs=1e-6)


def test_customers(sample_fit):
    model = sample_fit.model
    assert model.new_customer_expected_purchases(52) == pytest.approx(published.PURCHASES_OF_A_YEAR, abs=5e-5)
    first, busy = published.CUSTOMER_0001, published.CUSTOMER_1516
    assert model.expected_purchases(*first["history"], first["horizon"]) == pytest.approx(first["expected"], abs=2e-5)
    assert model.probability_alive(*first["history"]) == pytest.approx(first["alive"], abs=5e-6)
    expected = BTYD.expected_purchases(*busy["history"], busy["horizon"])
    assert expected == pytest.approx(busy["expected"], abs=5.1e-6)
    assert BTYD.probability_alive(*busy["history"]) == pytest.approx(busy["alive"], abs=5.1e-7)
    assert model.expected_purchases(*busy["history"], busy["horizon"]) == pytest.approx(busy["expected"], rel=1e-4)


def test_expected_purchases_by_frequency(sample_fit):
    frequency = np.array(list(published.EXPECTED_BY_FREQUENCY))
    values = list(published.EXPECTED_BY_FREQUENCY.values())
    np.testing.assert_allclose(BTYD.expected_purchases(frequency, 20, 39, 52), values, rtol=3e-7)
    np.testing.assert_allclose(sample_fit.model.expected_purchases(frequency, 20, 39, 52), values, rtol=1e-3)


def test_holdout(sample_fit):
    sample = cdnow("sample")
    group = np.minimum(sample.frequency, 7).astype(int)
    expected = np.bincount(group, BTYD.expected_purchases(*sample.history, 39)) / np.bincount(group)
    np.testing.assert_allclose(expected, published.HOLDOUT_BY_FREQUENCY, atol=5.1e-4)
    scores, model = published.HOLDOUT_SCORES, sample_fit.model
    expected = model.expected_purchases(*sample.history, 39)
    assert expected.sum() == pytest.approx(scores["total"], abs=0.6)
    assert np.abs(expected - sample.holdout).mean() == pytest.approx(scores["mae"], abs=5e-5)
    assert np.sqrt(((expected - sample.holdout) ** 2).mean()) == pytest.approx(scores["rmse"], abs=5e-4)
    assert np.corrcoef(expected, sample.holdout)[0, 1] == pytest.approx(scores["correlation"], abs=5e-5)
    right = (model.probability_alive(*sample.history) > 0.5) == (sample.holdout > 0)
    assert right.mean() == pytest.approx(scores["alive_accuracy"], abs=5e-4)


def test_cumulative_tracking(sample_fit):
    T = cdnow("sample").T
    weeks = np.array([*published.CUMULATIVE_WEEKS, 78])
    since_first = np.maximum(weeks[:, None] - (T.max() - T), 0)
    tracked = BTYD.new_customer_expected_purchases(since_first[:-1]).sum(axis=1)
    np.testing.assert_allclose(tracked, published.CUMULATIVE_EXPECTED, atol=5.1e-4)
    last = sample_fit.model.new_customer_expected_purchases(since_first[-1]).sum()
    assert last == pytest.approx(published.CUMULATIVE_WEEK_78, abs=0.05)


def test_neighbours_are_both_right():
    """At t_x = T everyone is alive, so 133 purchases against 132 matter by the factor (r + 133) / (r + 132) only."""
    model = ParetoNBD(**published.NEIGHBOURS_PARAMETERS)
    with mpmath.workdps(60):
        for frequency, value in published.NEIGHBOURS.items():
            ours = model.expected_purchases(frequency, 200, 200, 10)
            assert ours == pytest.approx(value, rel=1e-12)
            _, alive = textbook(*published.NEIGHBOURS_PARAMETERS.values(), frequency, 200, 200)
            stay = mpmath.quad(lambda t: (mpmath.mpf("211.67") / (mpmath.mpf("211.67") + t)) ** 0.61, [0, 10])
            assert ours == pytest.approx(float(alive * (0.55 + frequency) / 210.58 * stay), rel=1e-12)


def test_busy_customers_are_finite():
    model = ParetoNBD(**published.BUSY_PARAMETERS)
    with mpmath.workdps(60):
        for history in published.BUSY_CUSTOMERS:
            log_likelihood, alive = textbook(*published.BUSY_PARAMETERS.values(), *history)
            assert model.probability_alive(*history) == pytest.approx(float(alive), rel=1e-12)
            assert model.log_likelihood(*history) == pytest.approx(float(log_likelihood), rel=1e-13)


def test_discounted_purchases(sample_fit):
    customer = published.CUSTOMER_0001["history"]
    ours = sample_fit.model.discounted_expected_residual_purchases(*customer, published.WEEKLY_RATE)
    assert ours == pytest.approx(published.DISCOUNTED_CUSTOMER_0001, abs=5e-4)
    manual = ParetoNBD(**published.BTYD_MANUAL)
    ours = manual.discounted_expected_residual_purchases(*published.BTYD_MANUAL_HISTORY, published.WEEKLY_RATE)
    assert ours == pytest.approx(published.BTYD_MANUAL_DISCOUNTED, abs=5.1e-6)
    T = published.BTYD_MANUAL_HISTORY[-1]
    by_frequency = manual.discounted_expected_residual_purchases(np.arange(1, 11), 30, T, published.WEEKLY_RATE)
    np.testing.assert_allclose(by_frequency, published.DISCOUNTED_BY_FREQUENCY, atol=5.1e-5)


def test_clothing():
    model = ParetoNBD(**published.CLOTHING)
    for (frequency, recency), predictions in published.CLOTHING_PREDICTIONS.items():
        history = frequency, recency, 52
        ours = (
            model.probability_alive(*history),
            model.expected_purchases(*history, 301),
            model.discounted_expected_residual_purchases(*history, 0.1),
        )
        np.testing.assert_allclose(ours, predictions, rtol=1e-6)  # the digits of the parameters
    later = ParetoNBD(**published.LATER_CLOTHING)
    for rate, value, half_a_digit in published.LATER_CLOTHING_DISCOUNTED:
        ours = later.discounted_expected_residual_purchases(0, 0, 40, rate)
        assert ours == pytest.approx(value, abs=half_a_digit)


# ---- high precision ----


def textbook(r, alpha, s, beta, frequency, recency, T):
    """Log-likelihood and P(alive) by note 009 eqs. 18-20 and 36, with the 2F1 of mpmath."""
    r, alpha, s, beta, x, t_x, T = (mpmath.mpf(float(v)) for v in (r, alpha, s, beta, frequency, recency, T))
    larger, second = (alpha, s + 1) if alpha >= beta else (beta, r + x)

    def part(t):
        z = abs(alpha - beta) / (larger + t)
        return mpmath.hyp2f1(r + s + x, second, r + s + x + 1, z, maxterms=10**6) / (larger + t) ** (r + s + x)

    front = mpmath.loggamma(r + x) - mpmath.loggamma(r) + r * mpmath.log(alpha) + s * mpmath.log(beta)
    alive = (alpha + T) ** -(r + x) * (beta + T) ** -s
    total = alive + s / (r + s + x) * (part(t_x) - part(T))
    return front + mpmath.log(total), alive / total


PARAMETER_SETS = [
    (0.5533, 10.578, 0.6062, 11.669),  # CDNOW
    (0.5, 10, 1, 10),  # alpha = beta, s = 1
    (1e-3, 1e-3, 1e-3, 1e-3),
    (1e-3, 1e4, 1e-3, 1e-3),
    (1e-3, 1e-3, 1e-3, 1e4),
    (1e4, 1e4, 1e4, 1e4),
    (0.3, 0.01, 2, 300),
    (2, 1e3, 30, 0.1),
    (1e4, 1e4, 1e-3, 0.1),
]
HISTORIES = [
    (0, 0, 0),
    (0, 0, 36500),
    (1, 0, 40),
    (1, 40, 40),
    (7, 3, 36500),
    (300, 250, 273),
    (3000, 0, 36500),
    (3000, 36499, 36500),
    (3000, 36500, 36500),
]


@pytest.mark.parametrize("parameters", PARAMETER_SETS)
def test_likelihood_against_high_precision(parameters):
    r, alpha, s, beta = parameters
    model = ParetoNBD(*parameters)
    with mpmath.workdps(60):
        for x, t_x, T in HISTORIES:
            log_likelihood, alive = textbook(*parameters, x, t_x, T)
            terms = np.array([mpmath.loggamma(r + x), (r + x) * np.log(alpha + T), s * np.log1p(T / beta)], float)
            rounding = 1e-14 * (1 + np.abs(terms).sum())  # of the logarithms that are added up
            assert model.log_likelihood(x, t_x, T) == pytest.approx(float(log_likelihood), rel=0, abs=rounding)
            assert model.probability_alive(x, t_x, T) == pytest.approx(float(alive), rel=1e-12, abs=1e-300)


@pytest.mark.parametrize("s", [1e-3, 0.3, 1 - 1e-6, 1, 1.5, 30])
def test_discounting_against_high_precision(s):
    """Of FHL: beta z^(s - 1) Psi(s, s; z), of a new customer; Psi by mpmath."""
    model = ParetoNBD(1, 1, s, 2)
    with mpmath.workdps(30):
        for z in (1e-9, 1e-3, 0.1, 1, 30, 1e3):
            exact = 2 * mpmath.mpf(z) ** (s - 1) * mpmath.hyperu(s, s, z)
            assert model.discounted_expected_residual_purchases(0, 0, 0, z / 2) == pytest.approx(
                float(exact), rel=1e-12
            )


@pytest.mark.parametrize("parameters", PARAMETER_SETS)
def test_first_purchase_against_high_precision(parameters):
    """Without a repeat purchase the likelihood is P(X(t) = 0), so 1 - L is the probability of a purchase."""
    model = ParetoNBD(*parameters)
    with mpmath.workdps(60):
        for horizon in (1e-3, 30, 36500):
            log_none, _ = textbook(*parameters, 0, 0, horizon)
            some = float(-mpmath.expm1(log_none))
            assert model.probability_of_purchase(0, 0, 0, horizon) == pytest.approx(some, rel=1e-12)
            assert model.purchase_count_probability(0, horizon) == pytest.approx(float(mpmath.exp(log_none)), rel=1e-10)


@pytest.mark.parametrize(
    "parameters, count, horizon, panels",
    [
        ((0.5533, 10.578, 0.6062, 11.669), 1, 39, 20),
        ((0.5533, 10.578, 0.6062, 11.669), 7, 1e-3, 20),
        ((0.5533, 10.578, 0.6062, 11.669), 100, 3650, 20),
        ((30, 0.1, 2, 1e3), 1000, 100, 100),
        ((2, 1e3, 30, 0.1), 2, 36500, 20),
        ((1e4, 1e4, 2, 50), 9000, 1e4, 400),  # a narrow peak
    ],
)
def test_count_probability_against_high_precision(parameters, count, horizon, panels):
    with mpmath.workdps(20):
        r, alpha, s, beta = map(mpmath.mpf, parameters)
        ways = mpmath.rf(r, count) / mpmath.factorial(count)

        def counted(time):
            return ways * (alpha / (alpha + time)) ** r * (time / (alpha + time)) ** count

        def leaving(v):
            time = mpmath.exp(v)
            return counted(time) * s / beta * (1 + time / beta) ** (-s - 1) * time

        end = mpmath.log(horizon)
        left = mpmath.quad(leaving, mpmath.linspace(end - 30, end, panels), method="gauss-legendre", maxdegree=4)
        exact = counted(mpmath.mpf(horizon)) * (1 + horizon / beta) ** -s + left
        ours = ParetoNBD(*parameters).purchase_count_probability(count, horizon)
        assert ours == pytest.approx(float(exact), rel=1e-11)


# ---- other software ----


def test_lifetimes_says_the_same(sample_fit):
    from lifetimes import ParetoNBDFitter

    sample, model = cdnow("sample"), sample_fit.model
    fitter = ParetoNBDFitter()
    fitter.params_ = pd.Series(sample_fit.estimates, sample_fit.names)
    theirs = fitter._conditional_log_likelihood(sample_fit.estimates, *sample.history)
    assert np.isfinite(theirs).all()
    np.testing.assert_allclose(model.log_likelihood(*sample.history), theirs, rtol=1e-9)
    np.testing.assert_allclose(
        model.expected_purchases(*sample.history, 39),
        fitter.conditional_expected_number_of_purchases_up_to_time(39, *sample.history),
        rtol=1e-8,
    )
    np.testing.assert_allclose(
        model.probability_alive(*sample.history), fitter.conditional_probability_alive(*sample.history), rtol=1e-8
    )
    for count in (0, 1, 5):
        np.testing.assert_allclose(
            model.purchase_count_probability_given_history(count, *sample.history, 39),
            fitter.conditional_probability_of_n_purchases_up_to_time(count, 39, *sample.history),
            rtol=1e-7,
        )


def test_lifetimes_fails_where_we_do_not():
    from lifetimes import ParetoNBDFitter

    parameters, history = (0.5, 1.0, 0.6, 200.0), (np.array([300, 1000]), np.array([10.0, 95.0]), np.array([400.0, 98]))
    with np.errstate(all="ignore"):
        theirs = ParetoNBDFitter._conditional_log_likelihood(parameters, *history)
    assert np.isnan(theirs).all()
    with mpmath.workdps(60):
        exact = [float(textbook(*parameters, *customer)[0]) for customer in zip(*history, strict=True)]
    np.testing.assert_allclose(ParetoNBD(*parameters).log_likelihood(*history), exact, rtol=1e-13)


# ---- properties ----

positive = st.floats(0.02, 20)
times = st.floats(0.1, 200)
parameters = st.builds(ParetoNBD, positive, times, positive, times)
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
    assert 0 <= active <= alive * (1 + 1e-12)
    assert active <= expected * (1 + 1e-12)  # Markov's inequality for counts
    assert 0 <= model.probability_of_staying(*history, horizon) <= alive
    never_leaving = alive * (model.r + frequency) / (model.alpha + T)
    assert expected <= never_leaving * horizon * (1 + 1e-12)
    assert expected <= model.expected_purchases(*history, 2 * horizon) * (1 + 1e-12)
    assert 0 <= model.discounted_expected_residual_purchases(*history, 0.1) <= never_leaving / 0.1 * (1 + 1e-12)
    nobody = model.purchase_count_probability_given_history(0, *history, horizon)
    assert nobody == pytest.approx(1 - active, abs=1e-12)


@settings(deadline=None, max_examples=50)
@given(parameters, st.lists(histories, min_size=1, max_size=20), st.floats(0.1, 300))
def test_weighted_sum_equals_the_plain_one(model, rows, longest):
    frequency, recency, T = np.array(rows).T
    horizons = np.linspace(longest / 9, longest, 9)
    weights = np.column_stack([np.linspace(1, 0.5, 9), np.arange(9) == 8])
    ours = model.weighted_expected_purchases(frequency, recency, T, horizons, weights)
    inherited = super(ParetoNBD, model).weighted_expected_purchases(frequency, recency, T, horizons, weights)
    np.testing.assert_allclose(ours, inherited, rtol=1e-12, atol=1e-300)


def test_counts_add_up():
    counts = np.arange(4000)
    for model in (ParetoNBD(0.5, 5, 1.0, 8), ParetoNBD(3, 8, 0.4, 30)):
        probability = model.purchase_count_probability(counts, 20)
        assert probability.sum() == pytest.approx(1, abs=1e-12)
        assert probability @ counts == pytest.approx(model.new_customer_expected_purchases(20), rel=1e-10)
        for history in ((0, 0, 10), (3, 4, 10), (12, 9.5, 10)):
            probability = model.purchase_count_probability_given_history(counts, *history, 20)
            assert probability.sum() == pytest.approx(1, abs=1e-12)
            assert probability @ counts == pytest.approx(model.expected_purchases(*history, 20), rel=1e-10)


def test_duration_and_discounting_are_integrals_over_time():
    model = ParetoNBD(0.55, 10, 0.6, 12)
    frequency, recency, T = np.array([0, 2, 40, 3000]), np.array([0, 20, 35, 39]), np.full(4, 39)
    time = np.linspace(0, 365, 20_001)
    staying = model.probability_of_staying(frequency[:, None], recency[:, None], T[:, None], time)
    np.testing.assert_allclose(
        model.expected_duration(frequency, recency, T, 365), np.trapezoid(staying, time), rtol=1e-6
    )
    rate = (model.r + frequency) / (model.alpha + T)
    np.testing.assert_allclose(
        model.discounted_expected_residual_purchases(frequency, recency, T, 0.2),
        rate * np.trapezoid(staying * np.exp(-0.2 * time), time),
        rtol=1e-5,
    )


def test_horizon_zero_means_nothing():
    assert BTYD.expected_purchases(2, 5, 9, 0) == 0
    assert BTYD.probability_of_purchase(2, 5, 9, 0) == 0
    assert not BTYD.weighted_expected_purchases([2], [5], [9], [0.0], [[1.0]]).any()
    np.testing.assert_array_equal(BTYD.purchase_count_probability([0, 1, 5], 0), [1, 0, 0])


@pytest.mark.parametrize("rate", [0, -0.1, np.nan])
def test_discount_rate_must_be_positive(rate):
    with pytest.raises(ValueError, match="discount rate must be positive"):
        BTYD.discounted_expected_residual_purchases(2, 5, 9, rate)


def test_derivatives_against_differences():
    sample = cdnow("sample")
    objective = mean_log_likelihood(*sample.history, np.ones_like(sample.T))
    rng = np.random.default_rng(1)
    for _ in range(3):
        point, step = rng.normal(1, 0.7, 4), 1e-5
        value, gradient, hessian = objective(point)
        shifted = [(objective(point + e), objective(point - e)) for e in step * np.eye(4)]
        np.testing.assert_allclose(
            gradient, [(up[0] - down[0]) / (2 * step) for up, down in shifted], rtol=1e-6, atol=1e-8
        )
        np.testing.assert_allclose(
            hessian, [(up[1] - down[1]) / (2 * step) for up, down in shifted], rtol=1e-6, atol=1e-8
        )
        assert value == pytest.approx(ParetoNBD(*np.exp(point)).log_likelihood(*sample.history).mean(), rel=1e-12)


def test_grouped_rows_fit_the_same(sample_fit):
    columns = cdnow("sample").history
    first, inverse = distinct_rows(*columns)
    fit = fit_pareto_nbd(*(column[first] for column in columns), weights=np.bincount(inverse))
    np.testing.assert_allclose(fit.estimates, sample_fit.estimates, rtol=1e-9)


def test_the_registry_knows_it():
    kind = kinds()["pareto_nbd"]
    assert (kind.label, kind.fit, kind.needs, kind.dropout) == ("Pareto/NBD", fit_pareto_nbd, (), True)


# ---- known truth ----


def test_simulated_purchases_follow_the_count_distribution():
    model, size = ParetoNBD(0.8, 5, 1.2, 30), 100_000
    counts = model.simulate_purchases(np.full(size, 3), 6, 10, 20, np.random.default_rng(3))
    observed = np.bincount(np.minimum(counts, 8), minlength=9)
    probability = model.purchase_count_probability_given_history(np.arange(8), 3, 6, 10, 20)
    probability = np.append(probability, 1 - probability.sum())
    assert stats.chisquare(observed, probability * size).pvalue > 1e-3
    again = model.simulate_purchases(np.full(size, 3), 6, 10, 20, np.random.default_rng(3))
    np.testing.assert_array_equal(counts, again)


def test_simulated_histories_follow_the_model():
    model, size, length = ParetoNBD(0.8, 5, 0.7, 12), 100_000, 30.0
    customer, time = model.simulate_histories(np.full(size, length), np.random.default_rng(5))
    assert np.all(np.diff(customer) >= 0) and np.all(np.diff(time)[np.diff(customer) == 0] > 0)
    assert 0 < time.min() and time.max() <= length
    counts = np.bincount(customer, minlength=size)
    observed = np.bincount(np.minimum(counts, 12), minlength=13)
    probability = model.purchase_count_probability(np.arange(12), length)
    probability = np.append(probability, 1 - probability.sum())
    assert stats.chisquare(observed, probability * size).pvalue > 1e-3
    for week in (3, 10, 30):
        expected = size * model.new_customer_expected_purchases(week)
        spread = np.bincount(customer[time <= week], minlength=size).std() * np.sqrt(size)
        assert np.sum(time <= week) == pytest.approx(expected, abs=3.5 * spread)


def test_later_purchases_agree_with_the_expected():
    """Of customers with a history in common, and told of by the model's own simulation."""
    model, size, seen, later = ParetoNBD(0.8, 5, 0.7, 12), 100_000, 20.0, 10.0
    customer, time = model.simulate_histories(np.full(size, seen + later), np.random.default_rng(8))
    past = time <= seen
    frequency, purchases = np.bincount(customer[past], minlength=size), np.bincount(customer[~past], minlength=size)
    recency = np.zeros(size)
    np.maximum.at(recency, customer[past], time[past])
    twice = frequency == 2
    for chosen in (frequency == 0, twice & (recency < 10), twice & (recency >= 10), frequency >= 5):
        history = frequency[chosen], recency[chosen], np.full(chosen.sum(), seen)
        made, expected = purchases[chosen], model.expected_purchases(*history, later)
        assert made.sum() == pytest.approx(expected.sum(), abs=3.5 * made.std() * chosen.sum() ** 0.5)
        active = model.probability_of_purchase(*history, later)
        assert np.sum(made > 0) == pytest.approx(active.sum(), abs=3.5 * np.sqrt(active @ (1 - active)))


def test_parameters_are_recovered():
    truth = (0.8, 5.0, 1.2, 20.0)
    fit = fit_pareto_nbd(*told_story(20_000, *truth, np.random.default_rng(4)))
    errors = (np.log(fit.estimates) - np.log(truth)) / np.sqrt(np.diag(fit.log_covariance))
    assert np.all(np.abs(errors) < 3.5)


@pytest.mark.slow
def test_intervals_cover_the_truth():
    """As many of 60 intervals of 95 % as the binomial allows with probability 0.999 must hold the truth."""
    truth, repetitions = np.array((1.0, 4.0, 1.0, 12.0)), 60
    fewest, most = stats.binom.ppf((0.0005, 0.9995), repetitions, 0.95)
    rng, covered = np.random.default_rng(12), np.zeros(4)
    for _ in range(repetitions):
        low, high = fit_pareto_nbd(*told_story(400, *truth, rng)).intervals()
        covered += (low <= truth) & (truth <= high)
    assert np.all((covered >= fewest) & (covered <= most)), covered


# ---- what cannot be fitted ----


def test_unidentified_dropout_is_said():
    rng = np.random.default_rng(1)
    T = rng.uniform(30, 50, 1000)
    customer, time = ParetoNBD(1, 4, 1, 1e6).simulate_histories(T, rng)
    recency = np.zeros(1000)
    np.maximum.at(recency, customer, time)
    fit = fit_pareto_nbd(np.bincount(customer, minlength=1000), recency, T)
    assert not fit.converged
    assert "Dropout is not identified" in fit.problems[0] and "nobody ever leaves" in fit.problems[0]
    assert np.all(np.isnan(fit.covariance))
    assert np.isfinite(fit.model.expected_purchases(5, 5.0, 5.0, 52))


@pytest.mark.parametrize(
    "s, beta, words",
    [
        (1e-5, 1, "nobody ever leaves"),
        (1, 1e6, "nobody ever leaves"),
        (1e5, 1e6, "every customer leaves at the same rate 0.1"),
        (1e-2, 1e-5, "customers leave either at once or never"),
        (1e5, 1, "everyone leaves at once"),
    ],
)
def test_runaway_dropout_in_words(s, beta, words):
    said = explain_runaway(ParetoNBD(1, 4, s, beta), {"s": "grows", "beta": "shrinks"})
    assert words in said and "s grows and beta shrinks" in said
    assert "purchase rates" not in said
    assert explain_runaway(ParetoNBD(1, 4, s, beta), {"r": "grows"}).startswith("The spread of purchase rates")


def test_unidentified_rates_are_said():
    fit = fit_pareto_nbd([5, 0, 4] * 50, [5.0, 0, 5] * 50, [5.0, 5, 5] * 50)
    assert "customers leave either at once or never" in fit.problems[0]
    assert "The spread of purchase rates is not identified" in fit.problems[0]


@pytest.mark.parametrize(
    "columns, words",
    [
        (([], [], []), "no customers"),
        (([0, 0], [0, 0], [3, 5]), "No customer bought again"),
        (([1, 0], [2, 0], [1, 5]), "recency lies beyond T"),
        (([1, np.nan], [2, 0], [3, 5]), "frequency holds 1 missing"),
    ],
)
def test_impossible_rows_are_refused(columns, words):
    with pytest.raises(ValueError, match=words):
        fit_pareto_nbd(*columns)
