from functools import partial
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special, stats

from helpers.models.fit import distinct_rows
from helpers.models.lifetime_value.purchase_models import PurchaseModel, kinds
from helpers.models.lifetime_value.purchase_models.bg_nbd import BGNBD, fit_bg_nbd
from helpers.models.lifetime_value.purchase_models.mbg_cnbd_k import MBGCNBDk, fit_mbg_cnbd_k, mean_log_likelihood
from helpers.models.lifetime_value.purchase_models.mbg_nbd import MBGNBD, fit_mbg_nbd
from helpers.models.lifetime_value.regularity import wheat_morrison
from tests.cdnow_summaries import cdnow
from tests.published import lifetime_value as published_cdnow
from tests.published import more_purchase_models as published

MODEL = MBGCNBDk(**published.SIMULATED_PARAMETERS)
both_models = pytest.mark.parametrize("leaves_at_start", [False, True])


def simulated_customers(customers, model, rng, ages=(12, 96), horizon=32.0):
    """History with log gaps, whether alive at T, and purchases in the horizon; told purchase by purchase."""
    T = rng.uniform(*ages, customers)
    rate, dropout = rng.gamma(model.r, 1 / model.alpha, customers), rng.beta(model.a, model.b, customers)
    frequency, recency, log_intervals, later, clock = np.zeros((5, customers))
    alive_at_T = np.zeros(customers, bool)
    staying = rng.random(customers) > dropout * model.leaves_at_start
    while staying.any():
        gap = rng.gamma(model.k, 1, customers) / rate
        clock = clock + gap
        alive_at_T |= staying & (clock > T)
        seen = staying & (clock <= T)
        frequency[seen] += 1
        recency[seen] = clock[seen]
        log_intervals[seen] += np.log(gap[seen])
        later += staying & (clock > T) & (clock <= T + horizon)
        staying &= (clock <= T + horizon) & (rng.random(customers) > dropout)
    return (frequency, recency, T), log_intervals, alive_at_T, later


def cdnow_gaps():
    """Customer id, number (1 for the first) and length in weeks of each gap of the sample's calibration period."""
    path = files("lifetimes") / "datasets" / "CDNOW_sample.txt"
    names = ["master_id", "customer_id", "date", "cds", "amount"]
    table = pd.read_csv(path, sep=r"\s+", header=None, names=names)
    table["date"] = pd.to_datetime(table["date"], format="%Y%m%d")
    table = table[table["date"] <= published_cdnow.CALIBRATION_END]
    table = table.drop_duplicates(["customer_id", "date"]).sort_values(["customer_id", "date"])
    by_customer = table.groupby("customer_id")
    return pd.DataFrame(
        {
            "customer_id": table["customer_id"],
            "number": by_customer.cumcount(),
            "gap": by_customer["date"].diff().dt.days / 7,
        }
    )


# ---- published figures ----


@both_models
def test_published_log_likelihoods(leaves_at_start):
    model = MBGCNBDk(**published.REGULAR_PARAMETERS, leaves_at_start=leaves_at_start)
    ours = model.log_likelihood(**{name: np.array(value) for name, value in published.REGULAR_HISTORIES.items()})
    np.testing.assert_allclose(ours, published.REGULAR_LOG_LIKELIHOOD[leaves_at_start], atol=5e-6)


@both_models
def test_published_count_probability(leaves_at_start):
    model = MBGCNBDk(**published.REGULAR_PARAMETERS, leaves_at_start=leaves_at_start)
    probability = published.REGULAR_COUNT_PROBABILITY[leaves_at_start]
    assert model.purchase_count_probability(2, 10) == pytest.approx(probability, abs=5e-6)


def test_cdnow_is_not_regular():
    """The likelihood chooses k = 1, which is MBG/NBD with its published fit; the first two gaps agree."""
    gaps, sample = cdnow_gaps(), cdnow("sample")
    log_intervals = np.log(gaps["gap"]).groupby(gaps["customer_id"]).sum().to_numpy()
    fit = fit_mbg_cnbd_k(*sample.history, log_intervals=log_intervals)
    assert fit.model.k == 1
    np.testing.assert_allclose(fit.estimates, list(published.SAMPLE_MBG_NBD.values()), atol=5e-5)
    assert fit.log_likelihood == pytest.approx(published.SAMPLE_MBG_NBD_LOG_LIKELIHOOD, abs=5e-4)

    pairs = gaps.pivot(index="customer_id", columns="number", values="gap")[[1, 2]].dropna()
    regularity = wheat_morrison(pairs[1], pairs[2])
    assert regularity.low < 1 < regularity.high


# ---- k = 1 is a model we know ----


@pytest.mark.parametrize("leaves_at_start, known, fit_known", [(False, BGNBD, fit_bg_nbd), (True, MBGNBD, fit_mbg_nbd)])
def test_k_of_1_is_the_known_model(leaves_at_start, known, fit_known):
    sample = cdnow("sample")
    theirs = fit_known(*sample.history)
    fit = fit_mbg_cnbd_k(*sample.history, highest_k=1, leaves_at_start=leaves_at_start)
    np.testing.assert_allclose(fit.estimates, theirs.estimates, rtol=1e-6)
    np.testing.assert_allclose(fit.log_covariance, theirs.log_covariance, rtol=1e-5)
    assert (fit.log_likelihood, fit.aic) == pytest.approx((theirs.log_likelihood, theirs.aic), abs=1e-8)

    model = MBGCNBDk(1, *theirs.estimates, leaves_at_start)
    for method, *arguments in (
        ("log_likelihood",),
        ("probability_alive",),
        ("expected_purchases", 39.0),
        ("probability_of_purchase", 39.0),
        ("probability_of_staying", 39.0),
        ("expected_duration", 39.0),
        ("weighted_expected_purchases", [1.0, 39, 400], [[1.0, 0], [0.5, 0], [0.1, 1]]),
    ):
        ours = getattr(model, method)(*sample.history, *arguments)
        np.testing.assert_allclose(ours, getattr(theirs.model, method)(*sample.history, *arguments), rtol=1e-10)
    counts = np.arange(300)
    np.testing.assert_allclose(
        model.purchase_count_probability(counts, 39), theirs.model.purchase_count_probability(counts, 39), rtol=1e-9
    )
    np.testing.assert_allclose(
        model.purchase_count_probability_given_history(counts, 3, 20, 39, 52),
        theirs.model.purchase_count_probability_given_history(counts, 3, 20, 39, 52),
        rtol=1e-9,
    )
    np.testing.assert_allclose(
        model.new_customer_expected_purchases([0.5, 39, 500]),
        theirs.model.new_customer_expected_purchases([0.5, 39, 500]),
        rtol=1e-10,
    )


# ---- the definition, integrated by brute force ----


def by_brute_force(model, frequency, recency, T, log_intervals, horizon):
    """Log-likelihood, P(alive), expected purchases and P(purchase) as integrals over lambda and p.

    One customer's story with known lambda and p needs Poisson and geometric probabilities only; quadrature on a grid
    of log lambda and by Gauss-Jacobi over p.
    """
    k, x, quiet = model.k, frequency, T - recency
    log_rate = np.linspace(-25, 6, 1000)
    rate = np.exp(log_rate)
    prior = stats.gamma(model.r, scale=1 / model.alpha).pdf(rate) * rate
    nodes, weights = special.roots_jacobi(60, model.b - 1, model.a - 1)
    p, weights = (1 + nodes) / 2, weights / weights.sum()
    chances = x + model.leaves_at_start

    bought = np.exp((k - 1) * log_intervals - x * special.gammaln(k)) * rate ** (k * x) * np.exp(-rate * recency)
    on_the_way = stats.poisson(rate * quiet).pmf(np.arange(k)[:, None])  # j steps since the last purchase
    survives = weights @ (1 - p) ** chances
    leaves = weights @ (p * (1 - p) ** (chances - 1)) if chances else 0.0

    def integral(of_rate):
        return np.trapezoid(prior * bought * of_rate, log_rate)

    alive, left = integral(on_the_way.sum(axis=0)) * survives, integral(np.ones_like(rate)) * leaves
    expected, active = 0.0, 0.0
    m = np.arange(1, 200)
    for j in range(k):
        reached = stats.poisson(rate * horizon).sf(m[:, None] * k - j - 1)
        reached = np.trapezoid(prior * bought * on_the_way[j] * reached, log_rate)
        expected += reached @ (weights @ (1 - p[:, None]) ** (chances + m - 1))
        active += reached[0] * survives
    total = alive + left
    return np.log(total), alive / total, expected / total, active / total


@both_models
@pytest.mark.parametrize("k, history", [(2, (0, 0, 9)), (3, (3, 8, 11)), (3, (6, 9.0, 9.0)), (5, (2, 4, 7))])
def test_against_brute_force(leaves_at_start, k, history):
    model = MBGCNBDk(k, 1.7, 1.2, 1.3, 2.5, leaves_at_start)
    log_intervals = 0.4 * history[0]
    likelihood, alive, expected, active = by_brute_force(model, *history, log_intervals, 10)
    assert model.log_likelihood(*history, log_intervals) == pytest.approx(likelihood, rel=1e-6)
    assert model.probability_alive(*history) == pytest.approx(alive, rel=1e-6)
    assert model.expected_purchases(*history, 10) == pytest.approx(expected, rel=1e-6)
    assert model.probability_of_purchase(*history, 10) == pytest.approx(active, rel=1e-6)


# ---- properties ----

positive = st.floats(0.05, 20)
parameters = st.builds(MBGCNBDk, st.integers(1, 12), positive, st.floats(1, 200), positive, positive, st.booleans())
histories = st.tuples(st.integers(0, 200), st.floats(0, 1), st.floats(0.01, 2000)).map(
    lambda h: (h[0], h[1] * h[2] if h[0] else 0.0, h[2])
)

# hundreds of purchases within hours make the plain sums, with which the fast way is compared, very long
believable_histories = st.tuples(st.integers(0, 50), st.floats(0, 1), st.floats(10, 52)).map(
    lambda h: (h[0], h[1] * h[2] if h[0] else 0.0, h[2])
)


@settings(deadline=None, max_examples=40)
@given(parameters, histories, st.floats(0.001, 1000))
def test_predictions_are_finite_and_consistent(model, history, horizon):
    frequency, _, T = history
    alive = model.probability_alive(*history)
    expected = model.expected_purchases(*history, horizon)
    active = model.probability_of_purchase(*history, horizon)
    staying = model.probability_of_staying(*history, horizon)
    assert np.isfinite(model.log_likelihood(*history))
    assert 0 <= alive <= 1
    assert 0 <= active <= alive * (1 + 1e-9)
    assert active <= expected * (1 + 1e-9) + 1e-300
    assert 0 <= staying <= alive * (1 + 1e-9)
    # who never left would make (steps under way + steps to come) / k purchases at most
    never_leaving = ((model.r + model.k * (frequency + 1)) * horizon / (model.alpha + T) + model.k) / model.k
    assert expected <= alive * never_leaving * (1 + 1e-9)
    assert expected <= model.expected_purchases(*history, 2 * horizon) * (1 + 1e-9)


@settings(deadline=None, max_examples=8)
@given(parameters, st.lists(believable_histories, min_size=1, max_size=6), st.floats(0.1, 100))
def test_weighted_sum_equals_the_plain_one(model, rows, longest):
    columns = np.array(rows).T
    horizons = np.linspace(longest / 9, longest, 9)
    weights = np.column_stack([np.linspace(1, 0.5, 9), np.arange(9) == 8])
    plain = PurchaseModel.weighted_expected_purchases(model, *columns, horizons, weights)
    ours = model.weighted_expected_purchases(*columns, horizons, weights)
    np.testing.assert_allclose(ours, plain, rtol=1e-8, atol=1e-12)


@both_models
def test_counts_add_up(leaves_at_start):
    model = MBGCNBDk(3, 1.5, 2, 1.0, 3, leaves_at_start)
    counts = np.arange(2000)
    of_new = model.purchase_count_probability(counts, 20)
    assert of_new.sum() == pytest.approx(1, abs=1e-9)
    assert of_new @ counts == pytest.approx(model.new_customer_expected_purchases(20), rel=1e-7)
    for history in ((0, 0, 10), (3, 4, 10), (12, 9.5, 10)):
        probability = model.purchase_count_probability_given_history(counts, *history, 20)
        assert probability.sum() == pytest.approx(1, abs=1e-9)
        assert probability @ counts == pytest.approx(model.expected_purchases(*history, 20), rel=1e-7)
        assert 1 - probability[0] == pytest.approx(model.probability_of_purchase(*history, 20), rel=1e-9)


@both_models
def test_duration_is_the_integral_of_staying(leaves_at_start):
    history = np.array([0, 5, 50]), np.array([0, 25, 51.8]), np.full(3, 52.0)
    weeks = np.linspace(0, 156, 313)
    for model in (MBGCNBDk(3, 0.5, 2, 0.3, 0.6, leaves_at_start), MBGCNBDk(12, 50, 10, 0.3, 20, leaves_at_start)):
        curve = model.probability_of_staying(*(column[:, None] for column in history), weeks)
        np.testing.assert_allclose(curve[:, 0], model.probability_alive(*history), rtol=1e-12)
        np.testing.assert_allclose(model.expected_duration(*history, 156), integrate.simpson(curve, weeks), rtol=1e-6)


def test_silence_means_more_of_the_regular():
    """Weekly buyers who have been silent for three weeks: the more regular, the surer they have left."""
    history = 20, 20.0, 23.0
    # one and the same spread of purchase rates: with k steps to a purchase steps come k times as fast
    alive = [MBGCNBDk(k, 5.0, 5.0 / k, 1.0, 6.0).probability_alive(*history) for k in (1, 2, 4, 8)]
    assert np.all(np.diff(alive) < 0)


def test_horizon_zero_means_nothing():
    assert MODEL.expected_purchases(2, 5, 9, 0) == 0
    assert MODEL.probability_of_purchase(2, 5, 9, 0) == 0
    assert not MODEL.weighted_expected_purchases([2], [5], [9], [0.0], [[1.0]]).any()
    assert MODEL.purchase_count_probability(0, 0) == 1


@both_models
@pytest.mark.parametrize("k", [1, 2, 3, 7])
def test_derivatives_against_differences(k, leaves_at_start):
    sample = cdnow("sample")
    objective = mean_log_likelihood(k, leaves_at_start, *sample.history, np.ones_like(sample.T))
    point, step = np.random.default_rng(k).normal(0, 0.7, 4), 1e-5
    value, gradient, hessian = objective(point)
    shifted = [(objective(point + e), objective(point - e)) for e in step * np.eye(4)]
    np.testing.assert_allclose(gradient, [(up[0] - down[0]) / (2 * step) for up, down in shifted], rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(hessian, [(up[1] - down[1]) / (2 * step) for up, down in shifted], rtol=1e-6, atol=1e-8)
    model = MBGCNBDk(k, *np.exp(point), leaves_at_start)
    assert value == pytest.approx(model.log_likelihood(*sample.history).mean(), rel=1e-12)


def test_likelihood_does_not_depend_on_how_rows_are_cut_into_blocks(monkeypatch):
    from helpers.models.lifetime_value.purchase_models import fitting

    sample, point = cdnow("sample"), np.array([-0.5, 0.3, 0.1, 0.8])
    whole = mean_log_likelihood(3, True, *sample.history, np.ones_like(sample.T))(point)
    monkeypatch.setattr(fitting, "LARGEST_BLOCK", 10_000)
    cut = mean_log_likelihood(3, True, *sample.history, np.ones_like(sample.T))(point)
    for ours, theirs in zip(cut, whole, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10)


@both_models
@pytest.mark.parametrize("k", [1, 2, 5])
def test_unit_of_time_shifts_the_log_likelihood(k, leaves_at_start):
    """A density per purchase time: counted in weeks instead of days it is multiplied by 7, once a purchase."""
    in_days = MBGCNBDk(k, 0.8, 30.0, 0.9, 3.0, leaves_at_start)
    in_weeks = MBGCNBDk(k, 0.8, 30.0 / 7, 0.9, 3.0, leaves_at_start)
    x, t_x, T, log_intervals = np.array([0, 1, 4.0]), np.array([0, 9, 40.0]), 60.0, np.array([0, np.log(9), 8.5])
    np.testing.assert_allclose(
        in_weeks.log_likelihood(x, t_x / 7, T / 7, log_intervals - x * np.log(7)),
        in_days.log_likelihood(x, t_x, T, log_intervals) + x * np.log(7),
        rtol=1e-12,
    )
    np.testing.assert_allclose(
        in_weeks.expected_purchases(x, t_x / 7, T / 7, 8), in_days.expected_purchases(x, t_x, T, 56), rtol=1e-12
    )


# ---- known truth ----


@pytest.mark.parametrize("k, leaves_at_start", [(1, True), (2, True), (3, True), (3, False)])
def test_k_and_parameters_are_recovered(k, leaves_at_start):
    truth = MBGCNBDk(k, 0.85, 1.45, 0.79, 2.42, leaves_at_start)
    history, log_intervals, _, _ = simulated_customers(4000, truth, np.random.default_rng(10 + k))
    fit = fit_mbg_cnbd_k(*history, log_intervals=log_intervals, leaves_at_start=leaves_at_start)
    assert (fit.model.k, fit.model.leaves_at_start) == (k, leaves_at_start)
    assert fit.names == ("r", "alpha", "a", "b")
    assert fit.converged and not fit.problems
    parameters = np.array([truth.r, truth.alpha, truth.a, truth.b])
    errors = np.log(fit.estimates / parameters) / np.sqrt(np.diag(fit.log_covariance))
    assert np.all(np.abs(errors) < 3.5)
    total = fit.model.log_likelihood(*history, log_intervals).sum()
    assert fit.log_likelihood == pytest.approx(total, abs=1e-6)
    assert fit.model_at(parameters) == truth


@both_models
def test_predictions_for_customers_told_purchase_by_purchase(leaves_at_start):
    """On average over customers alike; so regular customers' forecasts need no rescaling to add up."""
    model = MBGCNBDk(3, 0.85, 1.45, 0.79, 2.42, leaves_at_start)
    history, _, alive, later = simulated_customers(15_000, model, np.random.default_rng(4))
    frequency, recency, T = history
    silence = np.where(frequency > 0, 1 + np.digitize(T - recency, [4, 12]), 0)
    group = np.digitize(frequency, [1, 2, 3, 6, 12]) * 4 + silence
    for predicted, actual in (
        (model.probability_alive(*history), alive),
        (model.expected_purchases(*history, 32), later),
        (model.probability_of_purchase(*history, 32), later > 0),
    ):
        for number in np.unique(group):
            apart = (actual - predicted)[group == number]
            assert abs(apart.mean()) <= 4 * apart.std() / np.sqrt(len(apart)), number


@both_models
def test_simulated_purchases_follow_the_count_distribution(leaves_at_start):
    model, size = MBGCNBDk(3, 1.5, 2, 1.0, 3, leaves_at_start), 50_000
    for history in ((0, 0, 10), (3, 6, 10), (5, 9.9, 10)):
        columns = (np.full(size, value) for value in history)
        counts = model.simulate_purchases(*columns, 20, np.random.default_rng(3))
        observed = np.bincount(np.minimum(counts, 8), minlength=9)
        probability = model.purchase_count_probability_given_history(np.arange(8), *history, 20)
        probability = np.append(probability, 1 - probability.sum())
        assert stats.chisquare(observed, probability * size).pvalue > 1e-3


@both_models
def test_simulated_histories(leaves_at_start):
    """Their counts follow the count distribution, their gaps are as regular as k says."""
    model, size = MBGCNBDk(3, 1.5, 2, 1.0, 3, leaves_at_start), 50_000
    customer, time = model.simulate_histories(np.full(size, 20.0), np.random.default_rng(6))
    assert np.all(time <= 20) and np.all((np.diff(customer) > 0) | (np.diff(time) > 0))
    frequency = np.bincount(customer, minlength=size)
    probability = model.purchase_count_probability(np.arange(8), 20)
    probability = np.append(probability, 1 - probability.sum())
    assert stats.chisquare(np.bincount(np.minimum(frequency, 8)), probability * size).pvalue > 1e-3
    start = (np.cumsum(frequency) - frequency)[frequency >= 2]
    regularity = wheat_morrison(time[start], time[start + 1] - time[start], level=0.999)
    assert regularity.low < 3 < regularity.high


# ---- what is refused and what is said ----

REPEATED = [2, 0, 1], [6.0, 0, 5], [9.0, 9, 9]


def test_only_the_weighted_total_of_log_intervals_enters():
    history, log_intervals, _, _ = simulated_customers(4000, MODEL, np.random.default_rng(2))
    frequency, recency, T = history[0], np.round(history[1]), np.ceil(history[2])  # so that rows are alike
    largest = special.xlogy(frequency, recency / np.maximum(frequency, 1))
    log_intervals = np.where(frequency == 1, largest, np.minimum(log_intervals, largest))
    keep = (frequency == 0) | (recency > 0)
    columns = [column[keep] for column in (frequency, recency, T)]
    log_intervals = log_intervals[keep]
    plain = fit_mbg_cnbd_k(*columns, log_intervals=log_intervals, highest_k=3)
    first, inverse = distinct_rows(*columns)
    size = np.bincount(inverse)
    means = np.bincount(inverse, log_intervals) / size
    assert len(first) < len(inverse)
    rows = [column[first] for column in columns]
    grouped = fit_mbg_cnbd_k(*rows, size, log_intervals=means, highest_k=3)
    assert grouped.model.k == plain.model.k
    np.testing.assert_allclose(grouped.estimates, plain.estimates, rtol=1e-8)
    assert grouped.log_likelihood == pytest.approx(plain.log_likelihood, abs=1e-6)


@pytest.mark.parametrize(
    "log_intervals, words",
    [
        (None, "give log_intervals"),
        ([1.0, 0], "one length"),
        ([-np.inf, 0, np.log(5)], "a gap between purchases is 0 or missing .*first rows: 0"),
        ([2.0, 0, np.nan], "In 1 rows a gap between purchases is 0 or missing"),
        ([2.0, 0.5, np.log(5)], "not 0 without a repeat purchase .first rows: 1"),
        ([2.5, 0, np.log(5)], "disagree .are both in the unit of T.. .first rows: 0"),
        ([2.0, 0, np.log(5 / 7)], "disagree .are both in the unit of T.. .first rows: 2"),
    ],
)
def test_impossible_log_intervals_are_refused(log_intervals, words):
    with pytest.raises(ValueError, match=words):
        fit_mbg_cnbd_k(*REPEATED, log_intervals=log_intervals)


def test_a_gap_of_0_without_its_logarithm_is_refused():
    with pytest.raises(ValueError, match="a gap between purchases is 0"):
        fit_mbg_cnbd_k([1, 2], [0.0, 5], [9.0, 9], log_intervals=[0.0, 1.0])


def test_impossible_rows_are_refused():
    with pytest.raises(ValueError, match="No customer bought again"):
        fit_mbg_cnbd_k([0, 0], [0, 0], [3, 5], log_intervals=[0, 0])
    with pytest.raises(ValueError, match="recency lies beyond T"):
        fit_mbg_cnbd_k([1, 0], [2, 0], [1, 5], log_intervals=[np.log(2), 0])


@both_models
def test_unidentified_dropout_is_said(leaves_at_start):
    fit = fit_mbg_cnbd_k([9, 0, 8, 11] * 50, [4.9, 0, 5, 4.8] * 50, [5.0] * 200, highest_k=1,
                         leaves_at_start=leaves_at_start)  # fmt: skip
    assert not fit.converged and "Dropout is not identified" in fit.problems[0]
    assert ("right after their first purchase" in fit.problems[0]) == leaves_at_start


def test_registry_knows_it():
    kind = kinds()["mbg_cnbd_k"]
    assert kind.fit is fit_mbg_cnbd_k and kind.needs == ("log_intervals",)
    history, log_intervals, _, _ = simulated_customers(500, MODEL, np.random.default_rng(1))
    fit = partial(kind.fit, weights=np.ones(500))(*history, log_intervals=log_intervals)
    assert isinstance(fit.model, MBGCNBDk)
