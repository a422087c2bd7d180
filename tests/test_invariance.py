from importlib.resources import files

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from helpers.models.satisfaction_index.covariance_model.fit_indices import indices_of
from helpers.models.satisfaction_index.covariance_model.invariance import (
    Invariance,
    LeftOut,
    Level,
    invariance,
    measurement,
    reached,
    worse,
)
from helpers.models.satisfaction_index.covariance_model.robust import empirical_gamma
from helpers.models.satisfaction_index.covariance_model.scoring import Sample, fit
from helpers.models.satisfaction_index.covariance_model.structure import LEVELS, Structure
from helpers.models.satisfaction_index.design import Design
from tests.lavaan_models import model
from tests.published.covariance_model import INVARIANCE

pytestmark = pytest.mark.filterwarnings("error")

BLOCK = np.repeat(np.arange(3), 3)
DESIGN = Design(BLOCK, np.zeros((3, 3), bool))
ALMOST_SURE = 0.999  # what a count of simulated comparisons stays within, by the binomial distribution
LONG_TAILED = 16  # comparisons, each fitted and scaled on its own


# ---- published figures ----


def by_school() -> list[np.ndarray]:
    table = pd.read_csv(files("semopy") / "examples" / "holzinger_swineford39_data.csv")
    items = [f"x{number}" for number in range(1, 10)]
    return [part[items].to_numpy(float) for _, part in table.groupby("school", sort=False)]


def of_answers(groups, design=DESIGN, robust=False) -> Invariance:
    covariances = [np.cov(values.T, bias=True) for values in groups]
    means, sizes = [values.mean(axis=0) for values in groups], [len(values) for values in groups]
    gammas = [empirical_gamma(values) for values in groups] if robust else None
    return invariance(design, covariances, means, sizes, gammas)


@pytest.fixture(scope="module")
def schools() -> Invariance:
    return of_answers(by_school())


def test_holzinger_by_school(schools):
    assert tuple(level.name for level in schools.levels) == tuple(LEVELS) == tuple(INVARIANCE)
    ours = ("chi_square", "degrees_of_freedom", "p_value", "cfi", "tli", "rmsea", "srmr", "aic", "bic")
    for level in schools.levels:
        published = INVARIANCE[level.name]
        for name, theirs in zip(ours, published, strict=True):
            assert getattr(level.indices, name) == pytest.approx(published[theirs], rel=1e-5, abs=1e-9), name


def test_holzinger_differences_between_levels(schools):
    figures = list(INVARIANCE.values())
    for level, before, after in zip(schools.levels[1:], figures, figures[1:], strict=False):
        difference, held_equal = after["chisq"] - before["chisq"], after["df"] - before["df"]
        assert level.chi_square_difference == pytest.approx(difference, abs=1e-5)
        assert level.difference_degrees_of_freedom == held_equal
        assert level.difference_p_value == pytest.approx(stats.chi2.sf(difference, held_equal), rel=1e-4)
        assert level.cfi_change == pytest.approx(after["cfi"] - before["cfi"], abs=1e-8)
        assert level.rmsea_change == pytest.approx(after["rmsea"] - before["rmsea"], abs=1e-8)


def test_schools_are_comparable_in_relations_and_not_in_means(schools):
    assert [level.holds for level in schools.levels] == [True, True, False, True]
    assert schools.reached == "metric" and schools.comparable == ("relations",) and schools.verdict == "differ"
    assert [level.doubtful for level in schools.levels] == [False, False, False, True]  # strict: p .043


# ---- simulated groups ----


def moments(size, draws, seed, loading=(), intercept=()):
    """Moments of two groups that differ by .3 in the constructs' means and, in the second, in some items."""
    rng, covariances, means = np.random.default_rng(seed), [], []
    constructs = 0.6 + 0.4 * np.eye(3)
    for group in range(2):
        loadings, intercepts = np.full(9, 0.75), np.zeros(9)
        if group:
            for item in loading:
                loadings[item] -= 0.3
            for item in intercept:
                intercepts[item] += 0.3
        scores = rng.standard_normal((draws, size, 3)) @ np.linalg.cholesky(constructs).T + 0.3 * group
        noise = rng.standard_normal((draws, size, 9)) * np.sqrt(1 - 0.75**2)
        values = intercepts + scores[..., BLOCK] * loadings + noise
        mean = values.mean(axis=1)
        values -= mean[:, None]
        covariances.append(np.swapaxes(values, 1, 2) @ values / size)
        means.append(mean)
    return covariances, means


def found_worse(level, size, draws, seed=7, **change) -> int:
    """In how many of the draws the level fails."""
    covariances, means = moments(size, draws, seed, **change)
    sample = Sample(tuple(covariances), (np.full(draws, float(size)),) * 2, tuple(means))
    before = list(LEVELS)[list(LEVELS).index(level) - 1]
    one, other = (indices_of(fit(Structure.of_groups(DESIGN, 2, name), sample)) for name in (before, level))
    p_value = stats.chi2.sf(other.chi_square - one.chi_square, other.degrees_of_freedom - one.degrees_of_freedom)
    return int(worse(other.cfi - one.cfi, other.rmsea - one.rmsea, p_value).sum())


@pytest.mark.parametrize(("size", "level"), [(60, "metric"), (150, "scalar")])
def test_alarms_are_false_in_at_most_a_twentieth_or_so(size, level):
    """Where all is equal: both halves of the rule pass their limits in 7 % at most; 60 comparisons."""
    assert found_worse(level, size, 60) <= stats.binom.ppf(ALMOST_SURE, 60, 0.07)


@pytest.mark.parametrize(
    ("level", "size", "change", "rate"),
    [
        ("metric", 300, {"loading": [1, 4]}, 0.90),
        ("metric", 300, {"loading": [1]}, 0.57),
        ("scalar", 300, {"intercept": [1, 4]}, 0.96),
    ],
)
def test_planted_differences_are_found(level, size, change, rate):
    """At least as often as measured on 200 others, within the binomial's 99.9 %; 40 comparisons."""
    assert found_worse(level, size, 40, **change) >= stats.binom.ppf(1 - ALMOST_SURE, 40, rate)


def test_what_differs_at_one_level_holds_at_the_others():
    found = invariance(DESIGN, *(np.array(part)[:, 0] for part in moments(2000, 1, 3, intercept=[1, 4])), [2000, 2000])
    assert [level.holds for level in found.levels] == [True, True, False, True]
    assert found.reached == "metric" and found.comparable == ("relations",)


def test_equal_groups_are_comparable_in_all():
    found = invariance(DESIGN, *(np.array(part)[:, 0] for part in moments(500, 1, 3)), [500, 500])
    assert found.reached == "strict" and found.comparable == ("relations", "means")
    assert found.groups == (0, 1) and not found.left_out and found.verdict == "alike"


# ---- answers that are not normal ----


def long_tailed(size, seed) -> np.ndarray:
    """Answers of two equal groups, with the tails of Student's t with 8 degrees of freedom; shape (2, size, 9)."""
    rng = np.random.default_rng(seed)
    scores = rng.standard_normal((2, size, 3)) @ np.linalg.cholesky(0.6 + 0.4 * np.eye(3)).T
    noise = rng.standard_normal((2, size, 9)) * np.sqrt(1 - 0.75**2)
    return (scores[..., BLOCK] * 0.75 + noise) / np.sqrt(rng.chisquare(8, (2, size, 1)) / 8)


@pytest.fixture(scope="module")
def of_long_tails() -> list[Invariance]:
    return [of_answers(long_tailed(150, seed), robust=True) for seed in range(LONG_TAILED)]


def test_scaled_statistics_are_as_large_as_their_degrees_of_freedom(of_long_tails):
    """Within 4 standard errors of the mean; unscaled, metric and strict exceed that by half."""
    for number in range(4):
        scaled = [found.levels[number].scaled for found in of_long_tails]
        ratios = [float(part.chi_square) / part.degrees_of_freedom for part in scaled]
        assert np.mean(ratios) == pytest.approx(1, abs=4 * np.sqrt(2 / scaled[0].degrees_of_freedom / LONG_TAILED))
        if number:
            levels = [found.levels[number] for found in of_long_tails]
            held_equal = levels[0].difference_degrees_of_freedom
            ratios = [level.chi_square_difference / held_equal for level in levels]
            assert np.mean(ratios) == pytest.approx(1, abs=4 * np.sqrt(2 / held_equal / LONG_TAILED))


def test_long_tails_raise_no_alarms(of_long_tails):
    for number in range(4):
        failed = sum(not found.levels[number].holds for found in of_long_tails)
        assert failed <= stats.binom.ppf(ALMOST_SURE, LONG_TAILED, 0.05)


def test_planted_difference_is_found_in_long_tails():
    groups = long_tailed(1000, 5)
    groups[1, :, [1, 4]] += 0.4
    found = of_answers(groups, robust=True)
    assert found.reached == "metric" and found.verdict == "differ"


@pytest.mark.parametrize(("name", "splits"), [("acsi", 7), ("ecsi", 4)])
def test_random_halves_of_mobi_do_not_differ(name, splits):
    """Each of two levels gives a false alarm in 5 % or so: beyond what chance allows of that would be too many."""
    answers, rng = model(name).answers, np.random.default_rng(3)
    halves = [np.array_split(rng.permutation(answers), 2) for _ in range(splits)]
    verdicts = [of_answers(pair, model(name).design, robust=True).verdict for pair in halves]
    assert "unknown" not in verdicts  # robust indices: the configural level holds
    assert verdicts.count("differ") <= stats.binom.ppf(0.99, splits, 0.1)


def test_a_model_that_fits_nobody_does_not_say_that_groups_differ():
    """ECSI without an allowance for skewed answers: the configural level itself fails."""
    found = of_answers(np.array_split(model("ecsi").answers, 2), model("ecsi").design)
    assert not found.levels[0].holds and found.reached is None and found.verdict == "unknown"


def test_a_gamma_for_each_group_and_those_of_groups_left_out_do_not_matter(schools):
    values = by_school()
    with pytest.raises(ValueError, match="3 groups, not 1"):
        invariance(DESIGN, np.zeros((3, 9, 9)), np.zeros((3, 9)), [9, 9, 9], [np.eye(54)])
    few = [values[0], values[1][:12], values[1]]
    found, alone = of_answers(few, robust=True), of_answers(values, robust=True)
    assert found.groups == (0, 2)
    for level, again, unscaled in zip(found.levels, alone.levels, schools.levels, strict=True):
        assert level.scaled.chi_square == again.scaled.chi_square
        assert level.indices.chi_square == unscaled.indices.chi_square and unscaled.scaled is None


# ---- bad input ----


def test_a_resample_that_nobody_is_in_has_no_fit():
    covariances, means = moments(100, 2, 3)
    for part in (*covariances, *means):
        part[1] = np.nan
    sample = Sample(tuple(covariances), (np.array([100.0, 0.0]),) * 2, tuple(means))
    found = fit(Structure.of_groups(DESIGN, 2), sample)
    assert found.converged.tolist() == [True, False] and np.isnan(found.parameters[1]).all()


def test_groups_that_cannot_take_part_are_left_out():
    rng = np.random.default_rng(8)
    shared = [rng.normal(size=(200, 3))[:, BLOCK] + 0.6 * rng.normal(size=(200, 9)) for _ in range(5)]
    constant, doubled = shared[2].copy(), shared[3].copy()
    constant[:, 4] = 7.0
    doubled[:, 8] = 2 * doubled[:, 6] + 1
    groups = [shared[0], shared[1][:12], constant, doubled, shared[4]]
    found = of_answers(groups)
    assert found.groups == (0, 4) and len(found.levels) == 4
    assert found.left_out == (
        LeftOut(1, "few_respondents"),
        LeftOut(2, "constant_item", (4,)),
        LeftOut(3, "dependent_item", (8,)),
    )
    alone = of_answers([groups[0], groups[4]])
    for level, again in zip(found.levels, alone.levels, strict=True):
        assert level.indices.chi_square == again.indices.chi_square


def test_one_group_left_is_not_compared():
    values = by_school()
    found = of_answers([values[0], values[1][:12]])
    assert not found.levels and found.reached is None and found.comparable == ()
    assert found.groups == (0,) and found.left_out == (LeftOut(1, "few_respondents"),)
    assert found.verdict == "unknown"


def test_moments_that_are_not_known():
    covariances, means = (np.array(part)[:, 0] for part in moments(200, 1, 3))
    covariances[1, 2, 2] = np.nan
    assert invariance(DESIGN, covariances, means, [200, 200]).left_out == (LeftOut(1, "unknown_moments"),)


def test_fewer_than_two_respondents_for_each_item():
    values = np.random.default_rng(9).normal(size=(2, 39, 20))
    design = Design(np.repeat(np.arange(4), 5), np.zeros((4, 4), bool))
    assert of_answers(list(values), design).left_out == (LeftOut(0, "few_respondents"), LeftOut(1, "few_respondents"))


def test_a_model_that_is_not_identified_reaches_nothing():
    design = Design(np.array([0, 0]), np.zeros((1, 1), bool))
    values = np.random.default_rng(2).multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], size=(2, 100))
    found = of_answers(list(values), design, robust=True)
    assert found.reached is None and len(found.levels) == 4 and found.verdict == "unknown"
    assert np.isnan(found.levels[0].indices.chi_square)


def test_a_first_level_that_cannot_fail_holds():
    """Three items of one construct: no degrees of freedom until loadings are equal."""
    design = Design(np.zeros(3, int), np.zeros((1, 1), bool))
    found = invariance(design, [0.5 + 0.5 * np.eye(3)] * 2, [np.zeros(3), np.full(3, 0.3)], [400, 400])
    assert found.levels[0].indices.degrees_of_freedom == 0 and found.levels[0].holds
    assert found.reached == "strict"
    differ = 0.5 + 0.5 * np.eye(3)
    differ[0, 1:] = differ[1:, 0] = 0.2
    assert invariance(design, [0.5 + 0.5 * np.eye(3), differ], np.zeros((2, 3)), [400, 400]).reached == "configural"


def test_a_model_of_the_wrong_constructs_reaches_nothing():
    covariances, means = (np.array(part)[:, 0] for part in moments(500, 1, 3))
    covariances = 0.5 * covariances + 0.5 * np.eye(9) + 0.4 * np.kron(np.ones((3, 3)), np.eye(3))
    assert invariance(DESIGN, covariances, means, [500, 500]).reached is None


def test_shapes_must_agree():
    with pytest.raises(ValueError, match="2 groups and 9 items"):
        invariance(DESIGN, np.zeros((2, 8, 8)), np.zeros((2, 9)), [100, 100])


# ---- what must hold ----


def test_paths_do_not_matter():
    paths = np.zeros((3, 3), bool)
    paths[0, 1] = True
    assert not measurement(Design(BLOCK, paths)).paths.any()
    with_paths = of_answers(by_school(), Design(BLOCK, paths))
    assert with_paths.levels[0].indices.degrees_of_freedom == 48


def test_the_order_of_groups_does_not_matter(schools):
    for level, again in zip(schools.levels, of_answers(by_school()[::-1]).levels, strict=True):
        assert again.indices.chi_square == pytest.approx(level.indices.chi_square, rel=1e-8)
        assert again.holds == level.holds


@given(st.lists(st.booleans(), min_size=4, max_size=4))
@settings(max_examples=16, deadline=None)
def test_what_is_reached_is_the_last_before_the_first_that_fails(holds):
    changes = (np.nan, 0.0, 0.0, 0.0)
    each = zip(LEVELS, changes, holds, strict=True)
    levels = [Level(name, None, change, 1, 1.0, change, change, held) for name, change, held in each]
    expected = holds.index(False) if False in holds else 4
    assert reached(levels) == (list(LEVELS)[expected - 1] if expected else None)
    failed = next((level for level in levels if not level.holds), None)
    found = Invariance(tuple(levels), (0, 1), ()).verdict
    assert found == ("alike" if all(holds[:3]) else "unknown" if failed is levels[0] else "differ")
