import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from helpers.models.satisfaction_index.covariance_model import missing
from helpers.models.satisfaction_index.covariance_model.missing import (
    IncompleteAnswers,
    gamma,
    log_likelihood,
    observed_information,
    saturated_moments,
)
from helpers.models.satisfaction_index.covariance_model.robust import sandwich
from helpers.models.satisfaction_index.covariance_model.scoring import Implied, Sample, derivatives, fit
from helpers.models.satisfaction_index.covariance_model.structure import Structure
from helpers.models.satisfaction_index.design import Design
from helpers.models.satisfaction_index.moments import Answers
from tests.mobi import design_of, mobi

pytestmark = pytest.mark.filterwarnings("error")

MEAN = np.array([5.0, 7.0, -2.0])
COVARIANCE = np.array([[2.0, 1.2, 0.6], [1.2, 3.0, 1.0], [0.6, 1.0, 1.5]])
# Hald's cement data (Hald 1952, Statistical Theory with Engineering Applications, page 647): four components and heat
CEMENT = np.array([
    (7, 26, 6, 60, 78.5), (1, 29, 15, 52, 74.3), (11, 56, 8, 20, 104.3), (11, 31, 8, 47, 87.6), (7, 52, 6, 33, 95.9),
    (11, 55, 9, 22, 109.2), (3, 71, 17, 6, 102.7), (1, 31, 22, 44, 72.5), (2, 54, 18, 22, 93.1), (21, 47, 4, 26, 115.9),
    (1, 40, 23, 34, 83.8), (11, 66, 9, 12, 113.3), (10, 68, 8, 12, 109.4),
], float)  # fmt: skip


def simulated(rng, respondents, gaps=0.25):
    values = rng.multivariate_normal(MEAN, COVARIANCE, size=respondents)
    return np.where(rng.random(values.shape) < gaps, np.nan, values)


def moments_of(values, weights=None):
    return saturated_moments(IncompleteAnswers(values, weights).patterns)


def stacked(mean, covariance):
    return np.concatenate([mean, covariance[np.tril_indices(len(mean))]])


def unstacked(statistics):
    items = len(MEAN)
    lower = np.zeros((items, items))
    lower[np.tril_indices(items)] = statistics[items:]
    return statistics[:items], lower + np.tril(lower, -1).T


def direct(values, mean, covariance):
    """Log-likelihood by scipy, one set of answered items after the other."""
    total = 0.0
    for seen in np.unique(~np.isnan(values), axis=0):
        if seen.any():
            rows = values[(~np.isnan(values) == seen).all(axis=1)][:, seen]
            total += stats.multivariate_normal(mean[seen], covariance[np.ix_(seen, seen)]).logpdf(rows).sum()
    return total


# ---- against what is known otherwise ----


def test_without_gaps_the_moments_are_the_usual_ones():
    found, plain = moments_of(mobi()), Answers(mobi()).moments()
    assert found.converged and found.limitation([""] * 24) == ""
    assert found.mean == pytest.approx(plain.mean, rel=1e-12)
    assert found.covariance == pytest.approx(plain.covariance, rel=1e-9, abs=1e-11)


def test_nested_gaps_have_a_solution_by_regressions():
    values = CEMENT.copy()
    values[6:, 3] = values[9:, :2] = np.nan
    found = moments_of(values)
    mean, covariance = np.full(5, np.nan), np.full((5, 5), np.nan)
    known = [2, 4]
    mean[known], covariance[np.ix_(known, known)] = values[:, known].mean(axis=0), np.cov(values[:, known].T, bias=True)
    for item in (0, 1, 3):  # each answered by a part of those who answered the items before it
        rows = ~np.isnan(values[:, item])
        design = np.column_stack([np.ones(rows.sum()), values[np.ix_(rows, known)]])
        slopes = np.linalg.lstsq(design, values[rows, item], rcond=None)[0]
        left = values[rows, item] - design @ slopes
        shared = covariance[np.ix_(known, known)] @ slopes[1:]
        mean[item] = slopes[0] + slopes[1:] @ mean[known]
        covariance[item, item] = np.mean(left**2) + slopes[1:] @ shared
        covariance[item, known] = covariance[known, item] = shared
        known.append(item)
    assert found.converged
    assert found.mean == pytest.approx(mean, rel=1e-8)
    assert found.covariance == pytest.approx(covariance, rel=1e-7)


def test_nothing_near_the_optimum_is_likelier_by_direct_likelihood():
    values = simulated(np.random.default_rng(4), 60)
    found = moments_of(values)

    def objective(factor):
        lower = np.zeros((3, 3))
        lower[np.tril_indices(3)] = factor[3:]
        return -direct(values, factor[:3], lower @ lower.T + 1e-9 * np.eye(3))

    best = optimize.minimize(objective, stacked(np.nanmean(values, axis=0), np.eye(3)), method="BFGS")
    assert found.log_likelihood == pytest.approx(direct(values, found.mean, found.covariance), rel=1e-12)
    assert found.log_likelihood == pytest.approx(-best.fun, abs=1e-6)
    assert found.mean == pytest.approx(best.x[:3], abs=1e-3)


def test_observed_information_is_minus_the_second_derivative():
    values = simulated(np.random.default_rng(9), 40)
    patterns, step = IncompleteAnswers(values).patterns, 1e-3
    here = stacked(MEAN, COVARIANCE)
    steps = step * np.eye(len(here))

    def at(statistics):
        return log_likelihood(patterns, *unstacked(statistics))

    second = [[at(here + a + b) - at(here + a - b) - at(here - a + b) + at(here - a - b) for a in steps] for b in steps]
    numerical = -np.array(second) / (4 * step**2) / patterns.size
    assert observed_information(patterns, MEAN, COVARIANCE) == pytest.approx(numerical, abs=1e-5)


def test_gamma_without_gaps_is_that_of_fourth_moments():
    values = mobi()[:, :5]
    found = moments_of(values)
    away = values - values.mean(axis=0)
    rows, columns = np.tril_indices(5)
    statistics = np.hstack([away, away[:, rows] * away[:, columns]])
    expected = np.cov(statistics.T, bias=True)
    assert gamma(IncompleteAnswers(values), found.mean, found.covariance) == pytest.approx(expected, rel=1e-6, abs=1e-8)


def test_order_of_statistics_is_that_of_the_models_derivatives():
    structure = Structure.of_groups(design_of({"f": ("a", "b", "c")}, ()), 1)
    parameters = np.arange(1.0, structure.parameters + 1) / 10
    shifted = parameters.copy()
    number = structure.number("residual_covariance", 1, 1)
    shifted[number] += 1.0
    moved = derivatives(structure, parameters)[:, number]
    expected = stacked(np.zeros(3), np.diag([0.0, 1.0, 0.0]))
    assert moved == pytest.approx(expected, abs=1e-12)


# ---- a model of answers with gaps ----


def test_a_model_in_two_stages_is_near_its_direct_likelihood():
    """Arbuckle's direct likelihood (FIML) of the same model, maximised by scipy, with errors by its second derivative.

    With normal answers both are consistent and nearly as efficient (Yuan and Bentler 2000; Savalei and Bentler 2009).
    """
    structure = Structure.of_groups(Design(np.repeat([0, 1], 3), np.array([[False, True], [False, False]])), 1)
    truth = np.empty(structure.parameters)
    of_truth = {"loadings": 0.9, "paths": 0.6, "intercepts": 5.0, "construct_means": 0.0}
    for number, entry in enumerate(structure.first_entries):
        truth[number] = of_truth.get(entry.matrix, 0.7)
    rng, population = np.random.default_rng(12), Implied.of(structure, truth)
    values = rng.multivariate_normal(population.mean, population.covariance, size=1000)
    values[values[:, 0] > 5.3, 1] = np.nan  # gaps that depend on answers, and others by chance
    values[:, 2:] = np.where(rng.random((1000, 4)) < 0.2, np.nan, values[:, 2:])
    answers = IncompleteAnswers(values)
    moments = saturated_moments(answers.patterns)
    two_stage = fit(structure, Sample.of(moments.covariance, moments.size, moments.mean))
    errors = np.sqrt(np.diagonal(sandwich(two_stage, gamma(answers, moments.mean, moments.covariance))))

    def unlikely(parameters):
        implied = Implied.of(structure, parameters)
        return -log_likelihood(answers.patterns, implied.mean, implied.covariance)

    best = optimize.minimize(unlikely, truth, method="BFGS", options={"gtol": 1e-3})
    steps = 1e-3 * np.eye(len(truth))
    second = [
        [
            unlikely(best.x + a + b) - unlikely(best.x + a - b) - unlikely(best.x - a + b) + unlikely(best.x - a - b)
            for b in steps
        ]
        for a in steps
    ]
    direct_errors = np.sqrt(np.diagonal(np.linalg.inv(np.array(second) / (4 * 1e-3**2))))
    assert 0 < unlikely(two_stage.parameters) - best.fun < 1
    away = (two_stage.parameters - best.x) / direct_errors
    assert np.abs(away).max() < 0.6 and np.sqrt((away**2).mean()) < 0.25
    assert errors / direct_errors == pytest.approx(np.ones(len(truth)), abs=0.15)
    assert np.mean(errors / direct_errors) == pytest.approx(1.0, abs=0.03)
    assert np.abs((best.x - truth) / direct_errors).max() < 3.5


# ---- planted truth ----


def test_gaps_that_depend_on_answers_do_not_bias():
    rng = np.random.default_rng(21)
    values = rng.multivariate_normal(MEAN, COVARIANCE, size=20_000)
    values[values[:, 0] > MEAN[0] + 0.3, 1] = np.nan
    values[rng.random(len(values)) < 0.3, 2] = np.nan
    found = moments_of(values)
    errors = np.sqrt(np.diagonal(gamma(IncompleteAnswers(values), found.mean, found.covariance)) / found.size)
    away = (stacked(found.mean, found.covariance) - stacked(MEAN, COVARIANCE)) / errors
    assert np.abs(away).max() < 3.5
    assert np.nanmean(values[:, 1]) < MEAN[1] - 0.2  # what dropping or ignoring the gaps would say


def test_errors_are_those_seen_in_many_samples():
    rng = np.random.default_rng(31)
    found, errors = [], []
    for _ in range(120):
        # answers that are far from normal, whose errors those of normal theory would understate
        values = np.where(
            rng.random((200, 2)) < 0.3, np.nan, rng.exponential(size=(200, 2)) + rng.exponential(size=(200, 1))
        )
        answers = IncompleteAnswers(values)
        moments = saturated_moments(answers.patterns)
        found.append(stacked(moments.mean, moments.covariance))
        errors.append(np.sqrt(np.diagonal(gamma(answers, moments.mean, moments.covariance)) / moments.size))
    assert np.median(errors, axis=0) / np.std(found, axis=0) == pytest.approx(np.ones(5), abs=0.2)


# ---- what must hold ----


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_weight_is_so_many_equal_respondents(seed):
    rng = np.random.default_rng(seed)
    values, counts = simulated(rng, 50), rng.integers(0, 4, size=50)
    weighted, repeated = moments_of(values, counts), moments_of(np.repeat(values, counts, axis=0))
    assert weighted.size == repeated.size
    assert weighted.log_likelihood == pytest.approx(repeated.log_likelihood, rel=1e-10)
    assert weighted.covariance == pytest.approx(repeated.covariance, rel=1e-6, abs=1e-8)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), factor=st.floats(1e-3, 1e3), shift=st.floats(-1e3, 1e3))
def test_units_and_order_do_not_matter(seed, factor, shift):
    values = simulated(np.random.default_rng(seed), 60)
    scale, move = np.array([1.0, factor, -2.0]), np.array([0.0, shift, 1.0])
    first, other = moments_of(values), moments_of((values * scale + move)[::-1])
    assert first.converged and other.converged
    assert other.mean == pytest.approx(first.mean * scale + move, rel=1e-6, abs=1e-6)
    assert other.covariance == pytest.approx(first.covariance * np.outer(scale, scale), rel=1e-6)


def test_weights_and_gaps_in_gamma_by_the_jackknife():
    rng = np.random.default_rng(2)
    values, weights = simulated(rng, 100, gaps=0.2), rng.uniform(0.3, 2.0, size=100)
    answers = IncompleteAnswers(values, weights)
    moments = saturated_moments(answers.patterns)
    errors = np.sqrt(np.diagonal(gamma(answers, moments.mean, moments.covariance)) / moments.size)
    without = []
    for row in range(100):
        less = weights.copy()
        less[row] = 0.0
        left = saturated_moments(IncompleteAnswers(values, less).patterns, start=moments)
        without.append(stacked(left.mean, left.covariance))
    jackknife = np.sqrt(np.var(without, axis=0) * 99)
    assert errors / jackknife == pytest.approx(np.ones(9), abs=0.08)


def test_blocks_do_not_matter(monkeypatch):
    values = simulated(np.random.default_rng(4), 60)
    whole = moments_of(values)
    together = gamma(IncompleteAnswers(values), whole.mean, whole.covariance)
    monkeypatch.setattr(missing, "CELLS_AT_ONCE", 20)
    monkeypatch.setattr(missing, "ROWS_AT_ONCE", 7)
    apart = moments_of(values)
    assert apart.covariance == pytest.approx(whole.covariance, rel=1e-10)
    assert gamma(IncompleteAnswers(values), whole.mean, whole.covariance) == pytest.approx(
        together, rel=1e-8, abs=1e-10
    )


def test_mobi_with_gaps_starts_again_where_it_ended():
    values = np.where(np.random.default_rng(1).random(mobi().shape) < 0.1, np.nan, mobi())
    patterns = IncompleteAnswers(values).patterns
    found = saturated_moments(patterns)
    assert found.converged and found.step < 1e-9
    assert saturated_moments(patterns, start=found).iterations == 0


# ---- the edges ----


def test_an_item_that_nobody_answered():
    values = simulated(np.random.default_rng(4), 30)
    values[:, 1] = np.nan
    found = moments_of(values)
    assert (found.unanswered, found.never_together, found.converged) == ((1,), (), False)
    assert np.isnan(found.covariance).all() and np.isnan(found.log_likelihood)
    assert found.limitation(["a", "b", "c"]) == "nobody answered b"


def test_items_that_nobody_answered_together():
    values = simulated(np.random.default_rng(4), 30, gaps=0.0)
    values[:15, 2] = values[15:, 0] = np.nan
    found = moments_of(values)
    assert (found.never_together, found.converged) == (((2, 0),), False)
    assert np.isnan(found.mean).all()
    assert found.limitation(["a", "b", "c"]) == "nobody answered both of these: c and a"


@pytest.mark.parametrize("kind", ["constant", "duplicate", "few"])
def test_answers_without_an_inverse(kind):
    values = simulated(np.random.default_rng(4), 30)
    if kind == "constant":
        values[:, 1] = np.where(np.isnan(values[:, 1]), np.nan, 3.0)
    elif kind == "duplicate":
        values[:, 1] = 2 * values[:, 0]
    else:
        values = simulated(np.random.default_rng(4), 3, gaps=0.0)
    found = moments_of(values)
    assert found.singular and not found.converged
    assert np.isnan(found.covariance).all()
    assert "without an inverse" in found.limitation(["a", "b", "c"])


def test_an_iteration_that_is_cut_short_says_so():
    found = saturated_moments(IncompleteAnswers(simulated(np.random.default_rng(4), 60)).patterns, most_iterations=2)
    assert (found.iterations, found.converged) == (2, False)
    assert found.step > 1e-9 and "did not converge" in found.limitation(["a", "b", "c"])


def test_respondents_who_answered_nothing_do_not_count():
    values = simulated(np.random.default_rng(4), 60)
    empty = np.vstack([values, np.full((5, 3), np.nan)])
    assert moments_of(empty).size == (~np.isnan(values).all(axis=1)).sum()
    assert moments_of(empty).log_likelihood == pytest.approx(moments_of(values).log_likelihood)


@pytest.mark.parametrize(
    ("values", "weights", "message"),
    [
        (np.ones(3), None, "two dimensions"),
        (np.array([[1.0, np.inf]]), None, "finite"),
        (np.ones((3, 2)), np.ones(2), "one number for each of the 3"),
        (np.ones((3, 2)), np.array([1.0, -1.0, 1.0]), "not negative"),
        (np.ones((3, 2)), np.array([1.0, np.nan, 1.0]), "finite"),
        (np.ones((3, 2)), np.zeros(3), "a respondent who counts"),
        (np.full((3, 2), np.nan), None, "answered something"),
    ],
)
def test_what_has_no_moments_is_refused(values, weights, message):
    with pytest.raises(ValueError, match=message):
        IncompleteAnswers(values, weights)
