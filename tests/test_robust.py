import numpy as np
import pytest

from helpers.models.satisfaction_index.covariance_model import robust
from helpers.models.satisfaction_index.covariance_model.missing import IncompleteAnswers, gamma
from helpers.models.satisfaction_index.covariance_model.robust import (
    baseline_scaling_factor,
    difference_scaling_factor,
    empirical_gamma,
    sandwich,
    scaling_factor,
)
from helpers.models.satisfaction_index.covariance_model.scoring import Sample, fit
from helpers.models.satisfaction_index.covariance_model.structure import LEVELS, Structure
from helpers.models.satisfaction_index.design import Design
from tests.lavaan_models import fitted, model, sample_of, school
from tests.published import covariance_model as published
from tests.published import covariance_solution as more

pytestmark = pytest.mark.filterwarnings("error")


def normal_gamma(covariance) -> np.ndarray:
    """Gamma of normal answers, by the Kronecker product and the elimination of what stands twice."""
    items = len(covariance)
    row, column = np.tril_indices(items)
    chosen = row * items + column
    product = np.kron(covariance, covariance)
    swapped = np.arange(items**2).reshape(items, items).T.ravel()
    whole = np.zeros(2 * (items + len(row),))
    whole[:items, :items] = covariance
    whole[items:, items:] = (product + product[swapped])[np.ix_(chosen, chosen)]
    return whole


def elliptical_gamma(covariance, kurtosis: float) -> np.ndarray:
    """Gamma of answers whose fourth moments are 1 + kurtosis times those of normal ones (Browne 1984, equation 4.1)."""
    items = len(covariance)
    lower = covariance[np.tril_indices(items)]
    whole = normal_gamma(covariance)
    whole[items:, items:] = (1 + kurtosis) * whole[items:, items:] + kurtosis * np.outer(lower, lower)
    return whole


def errors(covariance) -> np.ndarray:
    return np.sqrt(np.diagonal(covariance))


# ---- published figures ----


@pytest.mark.parametrize("name", more.SOLUTION)
def test_robust_errors_of_lavaan(name):
    found = errors(sandwich(fitted(name), empirical_gamma(model(name).answers)))
    for key, (_, error) in more.SOLUTION[name].items():
        number = model(name).number(key)
        if number >= 0:
            # lavaan stops a little short of the optimum where the likelihood is flat (ECSI)
            assert found[number] == pytest.approx(error, rel=5e-4 if name == "ecsi" else 1e-4), key


@pytest.mark.parametrize("name", published.FIT)
def test_scaling_factors_of_lavaan(name):
    figures, gamma_of_answers = published.SCALED[name, "MLM"], empirical_gamma(model(name).answers)
    found = scaling_factor(fitted(name), gamma_of_answers)
    assert found == pytest.approx(figures["chisq.scaling.factor"], abs=1e-5)
    assert fitted(name).chi_square / found == pytest.approx(figures["chisq.scaled"], rel=1e-5)
    baseline = baseline_scaling_factor(fitted(name).sample, gamma_of_answers)
    assert baseline == pytest.approx(figures["baseline.chisq.scaling.factor"], abs=1e-8)


# ---- what must hold ----


def test_normal_answers_have_the_usual_errors():
    found = fitted("acsi")
    normal = normal_gamma(found.implied().covariance)
    np.testing.assert_allclose(sandwich(found, normal), found.covariance_of_parameters, rtol=1e-6, atol=1e-10)
    assert scaling_factor(found, normal) == pytest.approx(1, rel=1e-9)
    assert baseline_scaling_factor(
        Sample.of(np.diag([1.0, 2.0, 4.0]), 9.0), normal_gamma(np.diag([1.0, 2.0, 4.0]))
    ) == pytest.approx(1)


@pytest.mark.parametrize("level", LEVELS)
def test_normal_answers_of_groups_have_the_usual_errors(level):
    found = school(level)
    normal = [normal_gamma(found.implied(group).covariance) for group in range(2)]
    np.testing.assert_allclose(sandwich(found, normal), found.covariance_of_parameters, rtol=1e-6, atol=1e-10)
    assert scaling_factor(found, normal) == pytest.approx(1, rel=1e-9)


@pytest.mark.parametrize(("freer", "stricter"), [("configural", "metric"), ("metric", "scalar"), ("scalar", "strict")])
def test_difference_of_levels_of_normal_answers_is_not_scaled(freer, stricter):
    """Also of equal intercepts: construct means are free in the stricter model only."""
    one, other = school(freer), school(stricter)
    normal = [normal_gamma(other.implied(group).covariance) for group in range(2)]
    assert difference_scaling_factor(one, other, normal) == pytest.approx(1, rel=1e-8)


@pytest.mark.parametrize("kurtosis", [0.5, 2.0])
def test_difference_of_equal_loadings_is_scaled_by_kurtosis(kurtosis):
    one, other = school("configural"), school("metric")
    elliptical = [elliptical_gamma(other.implied(group).covariance, kurtosis) for group in range(2)]
    assert difference_scaling_factor(one, other, elliptical) == pytest.approx(1 + kurtosis, rel=1e-8)


@pytest.mark.parametrize("kurtosis", [0.5, 2.0])
def test_elliptical_answers_scale_the_statistic_by_their_kurtosis(kurtosis):
    """Browne (1984): of a model that holds in any unit, the statistic is 1 + kurtosis times too large."""
    found = fitted("acsi")
    elliptical = elliptical_gamma(found.implied().covariance, kurtosis)
    assert scaling_factor(found, elliptical) == pytest.approx(1 + kurtosis, rel=1e-8)
    path, variance = (model("acsi").number((left, op, right)) for left, op, right in (
        ("Satisfaction", "~", "Quality"), ("Quality", "~~", "Quality")
    ))  # fmt: skip
    ratio = errors(sandwich(found, elliptical)) / found.standard_error
    assert ratio[path] == pytest.approx(np.sqrt(1 + kurtosis), rel=1e-8) and ratio[variance] > ratio[path]


def test_gamma_is_the_spread_of_the_moments():
    rng = np.random.default_rng(4)
    samples = np.exp(0.4 * rng.normal(size=(20_000, 60, 2)) @ [[1, 0.5], [0, 0.8]])  # skewed
    centred = samples - samples.mean(axis=1, keepdims=True)
    products = np.einsum("dni,dnj->dij", centred, centred)[:, *np.tril_indices(2)] / 60
    spread = 60 * np.cov(np.hstack([samples.mean(axis=1), products]).T)
    expected = empirical_gamma(samples.reshape(-1, 2))
    scale = np.sqrt(np.outer(np.diagonal(expected), np.diagonal(expected)))
    np.testing.assert_allclose(spread / scale, expected / scale, atol=0.05)  # 60 respondents are not infinitely many


def test_gamma_of_answers_without_gaps_is_that_of_two_stages():
    answers = model("holzinger").answers[:, :5]
    weights = np.random.default_rng(0).uniform(0.5, 1.5, len(answers))
    mean = np.average(answers, axis=0, weights=weights)
    covariance = np.cov(answers.T, aweights=weights, bias=True)
    two_stages = gamma(IncompleteAnswers(answers, weights), mean, covariance)
    np.testing.assert_allclose(empirical_gamma(answers, weights), two_stages, rtol=1e-6, atol=1e-8)


def test_blocks_of_respondents_do_not_matter(monkeypatch):
    answers, weights = model("holzinger").answers, np.linspace(0.5, 1.5, 301)
    whole = empirical_gamma(answers, weights)
    monkeypatch.setattr(robust, "RESPONDENTS_AT_ONCE", 7)
    np.testing.assert_allclose(empirical_gamma(answers, weights), whole, rtol=1e-10, atol=1e-12)


def test_unit_of_weights_does_not_matter():
    answers, structure = model("holzinger").answers, model("holzinger").structure
    weights = np.random.default_rng(1).uniform(0.2, 2.0, len(answers))
    found = []
    for unit in (1.0, 5.0):
        sample = Sample.of(np.cov(answers.T, aweights=weights, bias=True), unit * weights.sum())
        weighted, spread = fit(structure, sample), empirical_gamma(answers, unit * weights)
        found.append((errors(sandwich(weighted, spread)), weighted.chi_square / scaling_factor(weighted, spread)))
    np.testing.assert_allclose(found[1][0], found[0][0], rtol=1e-8)
    assert found[1][1] == pytest.approx(found[0][1], rel=1e-8)


def test_weight_0_is_absence():
    answers = model("holzinger").answers
    weights = (np.arange(301) % 3 > 0).astype(float)
    np.testing.assert_allclose(empirical_gamma(answers, weights), empirical_gamma(answers[weights > 0]), atol=1e-12)


def test_the_same_people_twice_as_two_groups():
    """Held equal in everything, they have the errors of twice the people."""
    answers = model("holzinger").answers
    spread = empirical_gamma(answers)
    alone = school("configural").structure
    single = fit(Structure.of_groups(alone.design, 1), sample_of([answers]))
    twice = fit(Structure.of_groups(alone.design, 2, "strict"), sample_of([answers, answers]))
    number = single.structure.number("loadings", 1, 0), twice.structure.number("loadings", 1, 0)
    one, two = errors(sandwich(single, spread))[number[0]], errors(sandwich(twice, [spread, spread]))[number[1]]
    assert two == pytest.approx(one / np.sqrt(2), rel=1e-5)


def test_means_in_the_model_change_nothing_that_is_not_of_means():
    answers = model("holzinger").answers
    spread, without = empirical_gamma(answers), fitted("holzinger")
    with_means = fit(Structure.of_groups(without.structure.design, 1), sample_of([answers]))
    assert scaling_factor(with_means, spread) == pytest.approx(scaling_factor(without, spread), rel=1e-6)
    numbers = [with_means.structure.number(at.matrix, at.row, at.column) for at in without.structure.first_entries]
    np.testing.assert_allclose(
        errors(sandwich(with_means, spread))[numbers], errors(sandwich(without, spread)), rtol=1e-5
    )


def test_gamma_of_covariances_alone_suffices_without_means():
    spread, found = empirical_gamma(model("holzinger").answers), fitted("holzinger")
    np.testing.assert_array_equal(sandwich(found, spread[9:, 9:]), sandwich(found, spread))
    assert baseline_scaling_factor(found.sample, spread[9:, 9:]) == baseline_scaling_factor(found.sample, spread)


# ---- the edges ----


def test_gaps_and_gammas_of_other_moments_are_refused():
    answers = model("holzinger").answers.copy()
    spread = empirical_gamma(answers)
    with pytest.raises(ValueError, match="9 items"):
        sandwich(fitted("holzinger"), spread[1:, 1:])
    with pytest.raises(ValueError, match="9 items"):
        sandwich(school("metric"), [spread[9:, 9:], spread[9:, 9:]])
    with pytest.raises(ValueError, match="2 groups"):
        scaling_factor(school("metric"), spread)
    answers[3, 3] = np.nan
    with pytest.raises(ValueError, match="complete"):
        empirical_gamma(answers)


def test_models_that_cannot_be_tested_or_are_not_identified():
    rng = np.random.default_rng(0)
    answers = rng.normal(size=(200, 3)) + rng.normal(size=(200, 1))
    just = fit(Structure.of(Design(np.zeros(3, int), np.zeros((1, 1), bool))), Sample.of(np.cov(answers.T), 200.0))
    assert np.isfinite(sandwich(just, empirical_gamma(answers))).all()
    assert np.isnan(scaling_factor(just, empirical_gamma(answers)))
    assert np.isnan(difference_scaling_factor(just, just, empirical_gamma(answers)))
    two = answers[:, :2]
    lost = fit(Structure.of(Design(np.zeros(2, int), np.zeros((1, 1), bool))), Sample.of(np.cov(two.T), 200.0))
    assert np.isnan(sandwich(lost, empirical_gamma(two))).all()
