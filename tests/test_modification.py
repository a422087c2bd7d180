from dataclasses import replace

import numpy as np
import pytest

from helpers.models.satisfaction_index.covariance_model.modification import modification_indices
from helpers.models.satisfaction_index.covariance_model.scoring import Sample, fit
from helpers.models.satisfaction_index.covariance_model.structure import Entry, Structure
from helpers.models.satisfaction_index.design import Design
from tests.lavaan_models import FACTORS, fitted, model
from tests.mobi import design_of
from tests.published import covariance_solution as more
from tests.random_models import implied_sample

pytestmark = pytest.mark.filterwarnings("error")

CFA = design_of(FACTORS, ())


@pytest.mark.parametrize("name", more.MODIFICATION)
def test_modification_indices_of_lavaan(name):
    found, largest = modification_indices(fitted(name)), more.MODIFICATION[name]
    assert found.candidates[: len(largest)] == tuple(model(name).entry(*key) for key in largest)
    for number, figures in enumerate(largest.values()):
        ours = found.statistic[number], found.change[number], found.standardised_change[number]
        assert ours == pytest.approx(figures, abs=1e-3)


def test_candidates_that_would_not_be_identified_are_left_out():
    """Two items of a construct already covary freely."""
    found = modification_indices(fitted("acsi"))
    assert model("acsi").entry("PERV1", "~~", "PERV2") not in found.candidates
    assert np.isfinite(found.statistic).all() and found.statistic.max() < fitted("acsi").chi_square
    assert (np.diff(found.statistic) <= 0).all()


def test_an_item_that_is_its_construct_is_no_candidate():
    complaints = model("acsi").items.index("CUSCO")
    for at in modification_indices(fitted("acsi")).candidates:
        assert complaints not in ({at.row} if at.matrix == "loadings" else {at.row, at.column})
        assert at.matrix != "loadings" or at.column != list(model("acsi").constructs).index("CUSCO")


def test_what_is_free_already_is_no_candidate():
    candidates = set(modification_indices(fitted("political_democracy")).candidates)
    assert candidates and not candidates & set(fitted("political_democracy").structure.entries)


@pytest.mark.parametrize("planted", [Entry(0, "residual_covariance", 5, 1), Entry(0, "loadings", 7, 0)])
def test_what_was_left_out_is_found(planted):
    """And in a model that is nearly right, the index is what the statistic loses, the change what the truth is."""
    size = 0.05
    structure, truth = model("holzinger").structure, fitted("holzinger")
    places = {name: matrix.copy() for name, matrix in structure.places.items()}
    places[planted.matrix][0, planted.row, planted.column] = structure.parameters
    if planted.matrix == "residual_covariance":
        places[planted.matrix][0, planted.column, planted.row] = structure.parameters
    whole = Structure(structure.design, places, structure.fixed)
    sample = implied_sample(whole, np.append(truth.parameters, size), 5000.0)
    too_small = fit(structure, sample)
    found = modification_indices(too_small)
    assert found.candidates[0] == planted
    assert found.change[0] == pytest.approx(size, rel=0.1)
    assert found.statistic[0] == pytest.approx(too_small.chi_square, rel=0.05)
    assert fit(whole, sample).chi_square == pytest.approx(0, abs=1e-6)


def test_units_of_items_do_not_matter():
    sample, factor = model("holzinger").sample, np.resize([10.0, 0.01, 3.0, 1.0], 9)
    scaled = fit(model("holzinger").structure, Sample.of(sample.covariance[0] * np.outer(factor, factor), 301.0))
    first, other = modification_indices(fitted("holzinger")), modification_indices(scaled)
    assert other.candidates == first.candidates
    np.testing.assert_allclose(other.statistic, first.statistic, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(other.standardised_change, first.standardised_change, rtol=1e-5, atol=1e-7)


def test_a_departure_of_one_group_is_found_there():
    structure = Structure.of_groups(CFA, 2, "metric")
    truth = fitted("holzinger")
    covariance = truth.implied().covariance.copy()
    departed = covariance.copy()
    departed[4, 7] = departed[7, 4] = departed[4, 7] + 0.1
    sample = Sample((covariance, departed), (np.array(400.0), np.array(300.0)), (np.zeros(9), np.ones(9)))
    found = modification_indices(fit(structure, sample))
    assert found.candidates[0] == Entry(1, "residual_covariance", 7, 4)
    assert found.change[0] == pytest.approx(0.1, rel=0.1)


def test_a_negative_variance_leaves_no_correlation():
    answers = model("holzinger").answers[list(more.HEYWOOD_ROWS)]
    found = modification_indices(fit(Structure.of(CFA), Sample.of(np.cov(answers.T, bias=True), 45.0)))
    lost = [at.matrix == "residual_covariance" and 8 in (at.row, at.column) for at in found.candidates]
    assert any(lost)
    np.testing.assert_array_equal(np.isnan(found.standardised_change), lost)
    assert np.isfinite(found.change).all()


def test_no_candidates():
    nothing = Structure.of(Design(np.zeros(2, int), np.zeros((1, 1), bool)))
    unidentified = fit(nothing, Sample.of(np.array([[1.0, 0.4], [0.4, 1.0]]), 100.0))
    alone = fit(Structure.of(Design(np.arange(2), np.zeros((2, 2), bool))), unidentified.sample)
    lost = replace(fitted("holzinger"), parameters=np.full(21, np.nan))
    for found in map(modification_indices, (unidentified, alone, lost)):
        assert found.candidates == () and found.statistic.shape == (0,)
