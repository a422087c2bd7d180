from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from helpers.models.satisfaction_index.covariance_model import scoring
from helpers.models.satisfaction_index.covariance_model.scoring import Implied, Sample, fit
from helpers.models.satisfaction_index.covariance_model.structure import LEVELS, Entry, Structure
from helpers.models.satisfaction_index.design import Design
from tests.lavaan_models import FACTORS, fitted, model, school
from tests.mobi import ECSI, ITEMS, design_of
from tests.published import covariance_model as published
from tests.published import covariance_solution as more
from tests.random_models import implied_sample, random_parameters, random_structure

pytestmark = pytest.mark.filterwarnings("error")

SEEDS = st.integers(0, 100_000)
CFA = design_of(FACTORS, ())


def one_group(covariance, size=200.0) -> Sample:
    return Sample.of(covariance, size)


def differences(function, parameters, step=1e-5) -> np.ndarray:
    """Derivatives by central differences, the parameter last; of a function of many parameter vectors at once."""
    steps = step * np.eye(len(parameters))
    return np.moveaxis(function(parameters + steps) - function(parameters - steps), 0, -1) / (2 * step)


# ---- what is free ----


@pytest.mark.parametrize("name", published.FIT)
def test_parameters_and_degrees_of_freedom_of_lavaan(name):
    structure = model(name).structure
    assert structure.parameters == published.FIT[name]["npar"]
    assert structure.degrees_of_freedom == published.FIT[name]["df"]
    free = {model(name).number(key) for key in published.ESTIMATES[name]} - {-1}
    assert free == set(range(structure.parameters))


@pytest.mark.parametrize(("level", "df"), [("configural", 48), ("metric", 54), ("scalar", 60), ("strict", 69)])
def test_degrees_of_freedom_of_levels_of_invariance(level, df):
    assert Structure.of_groups(CFA, 2, level).degrees_of_freedom == df


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_places_and_parameters_say_the_same(seed):
    rng = np.random.default_rng(seed)
    structure = random_structure(rng)
    parameters = rng.normal(size=structure.parameters)
    for entry, number in zip(structure.entries, structure.numbers, strict=True):
        assert structure.number(entry.matrix, entry.row, entry.column, entry.group) == number
        matrix = structure.matrix(entry.matrix, parameters, entry.group)
        assert matrix[entry.row, entry.column] == parameters[number]
        if entry.matrix in ("construct_covariance", "residual_covariance"):
            assert entry.row >= entry.column and matrix[entry.column, entry.row] == parameters[number]
    firsts = structure.first_entries
    assert [structure.number(at.matrix, at.row, at.column, at.group) for at in firsts] == list(range(len(firsts)))


def test_what_is_fixed():
    structure = Structure.of(ECSI)
    assert structure.number("loadings", 0, 0) == -1 and structure.matrix("loadings", np.zeros(59))[0, 0] == 1
    complaints = ITEMS.index("CUSCO")  # the only item of its construct
    assert structure.number("residual_covariance", complaints, complaints) == -1
    assert structure.places["construct_covariance"].max(axis=(0, 1)).min() >= 0
    assert np.sum(structure.places["construct_covariance"] >= 0) == 7  # one cause, one outcome: none covary
    outcomes = Structure.of(Design(np.repeat([0, 1, 2, 3], 3), np.outer([1, 1, 0, 0], [0, 0, 1, 1]).astype(bool)))
    assert outcomes.number("construct_covariance", 1, 0) >= 0 and outcomes.number("construct_covariance", 3, 2) >= 0
    assert outcomes.number("construct_covariance", 2, 0) == -1


def test_what_groups_share():
    shared = {
        level: {name for name, places in Structure.of_groups(CFA, 2, level).places.items() if same(places)}
        for level in LEVELS
    }
    assert shared == {level: set(names) for level, names in LEVELS.items()}
    scalar = Structure.of_groups(CFA, 3, "scalar")
    assert (scalar.places["construct_means"][0] == -1).all() and (scalar.places["construct_means"][1:] >= 0).all()
    assert (Structure.of_groups(CFA, 2, "metric").places["construct_means"] == -1).all()


def same(places) -> bool:
    return bool((places[0] == places[1]).all() and (places[0] >= 0).any())


def test_residual_covariances():
    structure = Structure.of(CFA, [(0, 4)])
    assert structure.degrees_of_freedom == 23
    assert Entry(0, "residual_covariance", 4, 0) in structure.entries
    assert structure.number("residual_covariance", 0, 4) == structure.number("residual_covariance", 4, 0) >= 0


# ---- published figures ----


@pytest.mark.parametrize("name", published.FIT)
def test_discrepancy_of_lavaan(name):
    figures, found = published.FIT[name], fitted(name)
    assert found.converged and found.gradient < 1e-8
    assert found.discrepancy / 2 == pytest.approx(figures["fmin"], abs=1e-8)
    assert found.chi_square == pytest.approx(figures["chisq"], abs=1e-6)


@pytest.mark.parametrize("name", published.ESTIMATES)
def test_estimates_and_errors_of_lavaan(name):
    # In ECSI the likelihood is so flat that lavaan stops 6e-4 from the optimum in a path whose error is 24; ours is
    # the lower statistic. Against the errors that is nothing.
    flat = name.startswith("ecsi")
    for key, (estimate, error) in published.ESTIMATES[name].items():
        number = model(name).number(key)
        if number == -1:
            assert error == 0 and estimate in (0, 1), key
            continue
        found, own_error = fitted(name).parameters[number], fitted(name).standard_error[number]
        assert found == pytest.approx(estimate, abs=2e-4 * error if flat else 1e-4), key
        assert own_error == pytest.approx(error, rel=5e-4 if flat else 1e-4), key


@pytest.mark.parametrize("level", LEVELS)
def test_invariance_of_lavaan(level):
    figures, found = published.INVARIANCE[level], school(level)
    assert found.structure.degrees_of_freedom == figures["df"]
    assert found.chi_square == pytest.approx(figures["chisq"], abs=1e-6) and found.converged


def heywood():
    answers = model("holzinger").answers[list(more.HEYWOOD_ROWS)]
    return fit(model("holzinger").structure, one_group(np.cov(answers.T, bias=True), len(answers)))


def test_a_negative_variance_is_not_held_at_a_bound():
    """Of lavaan; a bound at 0, as semopy has it, makes the statistic 32.89 and hides that the model fails."""
    found = heywood()
    assert found.converged
    assert found.chi_square == pytest.approx(more.HEYWOOD_FIT["chisq"], abs=1e-6)
    for key, (estimate, error, _) in more.HEYWOOD.items():
        number = model("holzinger").number(key)
        if number >= 0:
            assert found.parameters[number] == pytest.approx(estimate, abs=1e-4 * error), key
            assert found.standard_error[number] == pytest.approx(error, rel=1e-3), key
    assert found.matrix("residual_covariance")[8, 8] == pytest.approx(-0.9789, abs=1e-3)


# ---- derivatives ----


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_gradient_is_that_of_the_discrepancy(seed):
    rng = np.random.default_rng(seed)
    structure = random_structure(rng)
    at = random_parameters(rng, structure)
    sample = implied_sample(structure, random_parameters(rng, structure))
    numeric = differences(lambda parameters: scoring.discrepancy(structure, parameters, sample), at)
    np.testing.assert_allclose(scoring.gradient(structure, at, sample), numeric, rtol=1e-6, atol=1e-7)


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_derivatives_are_those_of_the_implied_moments(seed):
    rng = np.random.default_rng(seed)
    structure = random_structure(rng)
    at = random_parameters(rng, structure)
    for group in range(structure.groups):

        def moments(parameters, group=group):
            implied = Implied.of(structure, parameters, group)
            lower = implied.covariance[:, *np.tril_indices(structure.design.items)]
            return np.hstack([implied.mean, lower]) if structure.with_means else lower

        numeric = differences(moments, at)
        np.testing.assert_allclose(scoring.derivatives(structure, at, group), numeric, rtol=1e-7, atol=1e-8)


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_information_is_half_the_curvature_where_the_model_holds(seed):
    rng = np.random.default_rng(seed)
    structure = random_structure(rng)
    at = random_parameters(rng, structure)
    sample = implied_sample(structure, at)
    assert scoring.discrepancy(structure, at, sample) == pytest.approx(0, abs=1e-12)
    curvature = differences(lambda parameters: scoring.gradient(structure, parameters, sample), at) / 2
    np.testing.assert_allclose(scoring.information(structure, at, sample), curvature, rtol=1e-6, atol=1e-7)


# ---- what must hold of a fit ----


@settings(max_examples=15, deadline=None)
@given(SEEDS)
def test_parameters_that_implied_the_sample_are_found(seed):
    rng = np.random.default_rng(seed)
    structure = random_structure(rng, least_items=3, groups=int(rng.integers(1, 3)))
    truth = random_parameters(rng, structure)
    found = fit(structure, implied_sample(structure, truth))
    assert found.converged and found.rank == structure.parameters
    np.testing.assert_allclose(found.parameters, truth, rtol=1e-5, atol=1e-5)
    assert found.chi_square == pytest.approx(0, abs=1e-8)


@pytest.mark.parametrize("name", ["acsi", "political_democracy"])
def test_units_of_items_do_not_matter(name):
    sample = model(name).sample
    factor = np.resize([10.0, 0.01, 1.0, 3.0], len(model(name).items))
    scaled = fit(model(name).structure, one_group(sample.covariance[0] * np.outer(factor, factor), sample.total))
    assert scaled.chi_square == pytest.approx(fitted(name).chi_square, rel=1e-9)
    first, other = (found.parameters / found.standard_error for found in (fitted(name), scaled))
    np.testing.assert_allclose(other, first, rtol=1e-5, atol=1e-6)


def test_order_of_items_does_not_matter():
    """Nor therefore which item of a construct has the loading 1."""
    design, sample = model("acsi").design, model("acsi").sample
    order = np.random.default_rng(1).permutation(design.items)
    found = fit(
        Structure.of(Design(design.block[order], design.paths)),
        one_group(sample.covariance[0][np.ix_(order, order)], sample.total),
    )
    assert found.chi_square == pytest.approx(fitted("acsi").chi_square, rel=1e-9)
    implied = fitted("acsi").implied().covariance[np.ix_(order, order)]
    np.testing.assert_allclose(found.implied().covariance, implied, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_where_the_search_begins_does_not_matter(seed):
    reference = fitted("acsi")
    start = reference.parameters * np.random.default_rng(seed).uniform(0.7, 1.3, reference.parameters.shape)
    found = fit(reference.structure, reference.sample, start)
    assert found.converged and found.chi_square == pytest.approx(reference.chi_square, rel=1e-10)
    np.testing.assert_allclose(found.parameters, reference.parameters, rtol=1e-5, atol=1e-5)


def test_many_samples_as_one_at_a_time():
    structure = Structure.of(CFA)
    truth = fitted("holzinger").implied().covariance
    drawn = stats.wishart(199, truth / 200).rvs(6, random_state=5).reshape(2, 3, 9, 9)
    together = fit(structure, one_group(drawn, np.full((2, 3), 200.0)))
    assert together.parameters.shape == (2, 3, 21) and together.converged.all()
    for draw in np.ndindex(2, 3):
        alone = fit(structure, one_group(drawn[draw]))
        assert together.chi_square[draw] == pytest.approx(alone.chi_square, rel=1e-9)
        np.testing.assert_allclose(together.parameters[draw], alone.parameters, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(together.standard_error[draw], alone.standard_error, rtol=1e-5, atol=1e-6)


def test_rejections_and_coverage_under_a_true_model():
    draws, size, structure = 600, 400.0, Structure.of(CFA)
    reference = fitted("holzinger")
    drawn = stats.wishart(int(size) - 1, reference.implied().covariance / size).rvs(draws, random_state=3)
    found = fit(structure, one_group(drawn, np.full(draws, size)), start=reference.parameters)
    assert found.converged.all()
    p_values = stats.chi2.sf(found.chi_square, structure.degrees_of_freedom)
    assert stats.binomtest(int((p_values < 0.05).sum()), draws, 0.05).pvalue > 0.01
    away = (found.parameters - reference.parameters) / found.standard_error
    covered = (np.abs(away) < stats.norm.isf(0.025)).mean(axis=0)
    assert covered.mean() == pytest.approx(0.95, abs=0.01) and covered.min() > 0.91


# ---- what cannot be fitted, and what is not identified ----


def test_samples_without_a_likelihood_spoil_only_themselves():
    covariance = np.stack([model("holzinger").sample.covariance[0]] * 4)
    covariance[0, 2, 3] = covariance[0, 3, 2] = np.nan
    covariance[1, 4], covariance[1, :, 4] = 0.0, 0.0  # a constant item
    covariance[2, 5], covariance[2, :, 5] = covariance[2, 6], covariance[2, :, 6]  # one item twice
    covariance[2, 5, 5] = covariance[2, 6, 6]
    found = fit(Structure.of(CFA), one_group(covariance, np.full(4, 301.0)))
    assert found.converged.tolist() == [False, False, False, True]
    assert np.isnan(found.parameters[:3]).all() and np.isnan(found.chi_square[:3]).all()
    assert np.isnan(found.standard_error[:3]).all() and (found.rank[:3] == 0).all()
    assert found.chi_square[3] == pytest.approx(published.FIT["holzinger"]["chisq"])


def test_one_construct_of_two_items_is_not_identified():
    structure = Structure.of(Design(np.zeros(2, int), np.zeros((1, 1), bool)))
    found = fit(structure, one_group(np.array([[1.0, 0.5], [0.5, 1.0]])))
    assert structure.degrees_of_freedom == -1
    assert found.rank == 3 and np.isnan(found.covariance_of_parameters).all()


def test_two_uncorrelated_constructs_of_two_items_are_hardly_identified():
    """Enough statistics, and yet what would separate loading from variance is a covariance of constructs that is 0."""
    structure = Structure.of(Design(np.array([0, 0, 1, 1]), np.zeros((2, 2), bool)))
    covariance = np.eye(4) + 0.5 * np.kron(np.eye(2), np.ones((2, 2)))
    found = fit(structure, one_group(covariance))
    assert structure.degrees_of_freedom == 1 and found.rank < structure.parameters
    assert np.isnan(found.standard_error).all()


def test_an_end_too_soon_is_told():
    found = fit(model("ecsi").structure, model("ecsi").sample, most_iterations=3)
    assert not found.converged and found.iterations == 3 and np.isfinite(found.parameters).all()


def test_parameters_that_imply_no_covariance_matrix():
    found = fitted("holzinger")
    impossible = np.where(found.parameters > 0, -found.parameters, found.parameters)
    assert scoring.discrepancy(found.structure, impossible, found.sample) == np.inf


def test_samples_of_other_shapes_are_refused():
    structure, sample = Structure.of(CFA), model("holzinger").sample
    with pytest.raises(ValueError, match="9 items"):
        fit(structure, one_group(np.eye(8)))
    with pytest.raises(ValueError, match="2 groups"):
        fit(Structure.of_groups(CFA, 2), sample)
    with pytest.raises(ValueError, match="means"):
        fit(replace(structure, with_means=True), sample)
