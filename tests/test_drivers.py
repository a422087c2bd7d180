from itertools import permutations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.models.resampling import percentile, resampled_counts
from helpers.models.satisfaction_index import drivers
from helpers.models.satisfaction_index.drivers import ExtremeAnswers, explained_shares, kinds
from tests.mobi import ITEMS, mobi
from tests.published import mobi_measures as published

pytestmark = pytest.mark.filterwarnings("error")


def columns(*names):
    return mobi()[:, [ITEMS.index(name) for name in names]]


def data_of(rng, respondents, count):
    """Correlated drivers, and last what they explain in part."""
    answers = rng.normal(size=(respondents, count)) + rng.normal(size=(respondents, 1))
    outcome = answers @ rng.uniform(-0.5, 1, count) + rng.normal(size=respondents)
    return np.column_stack([answers, outcome])


def explained_by(values, chosen):
    """R^2 of the last column on some of the others, by least squares."""
    y = values[:, -1] - values[:, -1].mean()
    x = values[:, list(chosen)] - values[:, list(chosen)].mean(axis=0)
    fitted = x @ np.linalg.lstsq(x, y)[0]
    return fitted @ fitted / (y @ y)


# ---- shares of what is explained ----


def test_shares_on_mobi():
    found = explained_shares(np.corrcoef(columns(*published.DRIVERS, "CUSA1"), rowvar=False), 8, range(8))
    assert found.orderings == 0
    assert found.r_squared == pytest.approx(published.DRIVERS_R_SQUARED, abs=5e-6)
    assert found.shares / found.r_squared == pytest.approx(published.SHARES_OF_EXPLAINED, abs=5.1e-5)


def test_shares_by_all_orders():
    values = data_of(np.random.default_rng(0), 60, 4)
    added = np.zeros(4)
    for order in permutations(range(4)):
        for place, driver in enumerate(order):
            added[driver] += (explained_by(values, order[: place + 1]) - explained_by(values, order[:place])) / 24
    found = explained_shares(np.corrcoef(values, rowvar=False), 4, range(4))
    np.testing.assert_allclose(found.shares, added, atol=1e-13)
    assert found.r_squared == pytest.approx(explained_by(values, range(4)), abs=1e-13)


def test_shares_of_unrelated_drivers_are_squared_correlations():
    correlation = np.eye(4)
    correlation[3, :3] = correlation[:3, 3] = 0.5, -0.3, 0
    np.testing.assert_allclose(explained_shares(correlation, 3, range(3)).shares, [0.25, 0.09, 0], atol=1e-15)


def test_the_only_driver_explains_it_all():
    found = explained_shares(np.array([[1, -0.6], [-0.6, 1]]), 0, [1])
    assert (found.shares, found.r_squared) == (pytest.approx([0.36]), pytest.approx(0.36))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 7), st.integers(0, 10_000))
def test_shares_add_up_and_follow_their_drivers(count, seed):
    rng = np.random.default_rng(seed)
    values = data_of(rng, 30, count)
    correlation = np.corrcoef(values, rowvar=False)
    found = explained_shares(correlation, count, range(count))
    assert (found.shares > -1e-12).all()
    assert found.shares.sum() == pytest.approx(found.r_squared, abs=1e-12)
    assert found.r_squared == pytest.approx(explained_by(values, range(count)), abs=1e-10)
    order = rng.permutation(count)
    np.testing.assert_allclose(explained_shares(correlation, count, order).shares, found.shares[order], atol=1e-12)


def test_sampled_orderings_come_close(monkeypatch):
    values = data_of(np.random.default_rng(3), 200, 9)
    correlation = np.corrcoef(values, rowvar=False)
    exact = explained_shares(correlation, 9, range(9))
    monkeypatch.setattr(drivers, "MOST_DRIVERS_EXACT", 8)
    sampled = explained_shares(correlation, 9, range(9))
    assert (exact.orderings, sampled.orderings) == (0, drivers.ORDERINGS)
    assert sampled.r_squared == pytest.approx(exact.r_squared, abs=1e-8)
    np.testing.assert_allclose(sampled.shares, exact.shares, atol=0.01)
    np.testing.assert_array_equal(explained_shares(correlation, 9, range(9)).shares, sampled.shares)
    assert (explained_shares(correlation, 9, range(9), seed=1).shares != sampled.shares).all()


def test_all_sampled_orderings_are_the_exact_answer(monkeypatch):
    correlation = np.corrcoef(data_of(np.random.default_rng(4), 50, 4), rowvar=False)
    exact = explained_shares(correlation, 4, range(4)).shares
    sampled = drivers._sampled_shares(correlation[None], np.array(list(permutations(range(4)))))
    np.testing.assert_allclose(sampled[0], exact, atol=1e-8)


@pytest.mark.parametrize("most_exact", [12, 3])
def test_shares_of_many_draws(monkeypatch, most_exact):
    monkeypatch.setattr(drivers, "MOST_DRIVERS_EXACT", most_exact)
    rng = np.random.default_rng(5)
    correlation = np.stack([np.corrcoef(data_of(rng, 40, 5), rowvar=False) for _ in range(6)]).reshape(2, 3, 6, 6)
    correlation[1, 1, 2, :] = correlation[1, 1, :, 2] = np.nan  # a driver that does not vary in this draw
    together = explained_shares(correlation, 5, range(5))
    assert together.shares.shape == (2, 3, 5) and together.r_squared.shape == (2, 3)
    assert np.isnan(together.shares[1, 1]).all() and np.isnan(together.r_squared[1, 1])
    monkeypatch.setattr(drivers.resampling, "CELLS_AT_ONCE", 1)
    for place in np.ndindex(2, 3):
        alone = explained_shares(correlation[place], 5, range(5))
        np.testing.assert_allclose(alone.shares, together.shares[place], atol=1e-12)


@pytest.mark.parametrize("most_exact, tolerance", [(12, 1e-12), (2, 0.01)])
def test_identical_drivers_share_alike(monkeypatch, most_exact, tolerance):
    monkeypatch.setattr(drivers, "MOST_DRIVERS_EXACT", most_exact)
    values = columns("PERQ1", "PERQ1", "PERQ2", "CUSA1")
    found = explained_shares(np.corrcoef(values, rowvar=False), 3, range(3))
    assert found.shares[0] == pytest.approx(found.shares[1], abs=tolerance)
    assert found.r_squared == pytest.approx(explained_by(values, [0, 2]), abs=1e-8)


@pytest.mark.parametrize("named", [[], [0, 0], [1, 2]])
def test_impossible_drivers_are_refused(named):
    with pytest.raises(ValueError, match="driver"):
        explained_shares(np.eye(3), 2, named)


# ---- penalty and reward ----


def dummies(answers, low, high):
    return np.column_stack([answers <= low, answers >= high]).astype(float)


def test_contrast_on_mobi():
    answers, outcome = columns(*published.DRIVERS), columns("CUSA1")[:, 0]
    found = ExtremeAnswers.of(answers, outcome, 6, 9).estimate()
    assert found.r_squared == pytest.approx(published.CONTRAST_R_SQUARED, abs=5.1e-6)
    plain = sm.OLS(outcome, sm.add_constant(dummies(answers, 6, 9))).fit()
    np.testing.assert_allclose(np.concatenate([found.penalty, found.reward]), plain.params[1:], atol=1e-12)
    assert found.r_squared == pytest.approx(plain.rsquared, abs=1e-12)
    for values, figures, first in ((found.penalty, published.PENALTY, 1), (found.reward, published.REWARD, 9)):
        for item, (coefficient, t) in figures.items():
            place = published.DRIVERS.index(item)
            assert values[place] == pytest.approx(coefficient, abs=5e-4)
            assert values[place] / plain.bse[first + place] == pytest.approx(t, abs=5e-3)
    np.testing.assert_array_equal(found.low_answers, (answers <= 6).sum(axis=0))
    np.testing.assert_array_equal(found.high_answers, (answers >= 9).sum(axis=0))


def test_error_of_the_draws_is_the_robust_one():
    """The respondents' bootstrap allows for errors of unequal spread, as HC3 does."""
    answers, outcome = columns(*published.DRIVERS), columns("CUSA1")[:, 0]
    extremes = ExtremeAnswers.of(answers, outcome, 6, 9)
    draws = np.concatenate([extremes.estimate(counts).penalty for counts in resampled_counts(250, 4000, 1)])
    robust = sm.OLS(outcome, sm.add_constant(dummies(answers, 6, 9))).fit(cov_type="HC3").bse[1:9]
    np.testing.assert_allclose(draws.std(axis=0), robust, rtol=0.1)


@pytest.mark.parametrize("kept", [drivers.CELLS_KEPT, 1000])
def test_counts_weigh_respondents(monkeypatch, kept):
    monkeypatch.setattr(drivers, "CELLS_KEPT", kept)
    rng = np.random.default_rng(0)
    answers, outcome = columns("PERQ2", "PERQ3", "PERQ4"), columns("CUSA1")[:, 0]
    counts = rng.integers(0, 4, (2, 3, 250)).astype(float)
    weights = counts * rng.uniform(0.5, 2, 250)
    extremes = ExtremeAnswers.of(answers, outcome, 6, 9)
    repeated, weighted = extremes.estimate(counts), extremes.estimate(weights)
    assert repeated.penalty.shape == (2, 3, 3) and repeated.r_squared.shape == (2, 3)
    for place in np.ndindex(2, 3):
        rows = np.repeat(np.arange(250), counts[place].astype(int))
        alone = ExtremeAnswers.of(answers[rows], outcome[rows], 6, 9).estimate()
        for name, value in vars(alone).items():
            np.testing.assert_allclose(getattr(repeated, name)[place], value, atol=1e-11, err_msg=name)
        theirs = sm.WLS(outcome, sm.add_constant(dummies(answers, 6, 9)), weights[place]).fit()
        ours = np.concatenate([weighted.penalty[place], weighted.reward[place]])
        np.testing.assert_allclose(ours, theirs.params[1:], atol=1e-11)
        assert weighted.r_squared[place] == pytest.approx(theirs.rsquared, abs=1e-11)


def test_what_is_planted_is_found():
    rng = np.random.default_rng(1)
    answers = rng.integers(1, 11, (40_000, 4)).astype(float)
    effects = {0: (-2, 0), 1: (0, 1.5), 2: (-1, 1), 3: (0, 0)}
    outcome = 5 + rng.normal(size=40_000)
    for driver, (penalty, reward) in effects.items():
        outcome += penalty * (answers[:, driver] <= 6) + reward * (answers[:, driver] >= 9)
    extremes = ExtremeAnswers.of(answers, outcome, 6, 9)
    found = extremes.estimate()
    np.testing.assert_allclose(np.column_stack([found.penalty, found.reward]), list(effects.values()), atol=0.08)
    np.testing.assert_allclose(found.contrast, [2, -1.5, 0, 0], atol=0.08)
    few = ExtremeAnswers.of(answers[:4000], outcome[:4000], 6, 9)
    draws = [few.estimate(counts) for counts in resampled_counts(4000, 400, 2)]
    intervals = (
        percentile(np.concatenate([getattr(part, name) for part in draws]))
        for name in ("penalty", "reward", "contrast")
    )
    assert kinds(*intervals).tolist() == ["basic", "attractive", "one_dimensional", "cannot_tell"]


def test_a_straight_line_is_seldom_called_curved():
    """A driver of equal steps, low and high equally far from the middle: about 5 % by chance."""
    rng = np.random.default_rng(7)
    called = []
    for _ in range(150):
        step = rng.integers(-1, 2, (600, 2)).astype(float)
        outcome = step @ [1.0, 0.6] + rng.normal(size=600) * (1 + (step[:, 0] > 0))
        extremes = ExtremeAnswers.of(step, outcome, -1, 1)
        found = extremes.estimate(next(resampled_counts(600, 300, int(rng.integers(1e6)))))
        called.extend(kinds(*(percentile(getattr(found, name)) for name in ("penalty", "reward", "contrast"))))
    curved = np.isin(called, ["basic", "attractive"]).mean()
    assert 0.01 < curved < 0.1
    assert np.mean(np.array(called) == "one_dimensional") > 0.85


def test_nobody_answered_low():
    answers, outcome = columns("PERQ2", "PERQ3"), columns("CUSA1")[:, 0]
    answers = np.column_stack([answers, np.where(answers[:, 0] <= 6, 7, answers[:, 0])])[:, 1:]
    found = ExtremeAnswers.of(answers, outcome, 6, 9).estimate()
    assert np.isnan(found.penalty).tolist() == [False, True] and found.low_answers[1] == 0
    assert np.isfinite(found.reward).all()
    known = sm.OLS(outcome, sm.add_constant(dummies(answers, 6, 9)[:, [0, 2, 3]])).fit()
    np.testing.assert_allclose([found.penalty[0], *found.reward], known.params[1:], atol=1e-12)
    assert found.r_squared == pytest.approx(known.rsquared)


def test_what_cannot_be_told_apart_is_nan():
    answers, outcome = columns("PERQ2", "PERQ2", "PERQ4"), columns("CUSA1")[:, 0]
    twice = ExtremeAnswers.of(answers, outcome, 6, 9).estimate()
    assert np.isnan(twice.penalty).tolist() == np.isnan(twice.reward).tolist() == [True, True, False]
    nobody_between = ExtremeAnswers.of(answers[:, 1:], outcome, 8, 8.5).estimate()
    assert np.isnan([nobody_between.penalty, nobody_between.reward]).all()
    constant = ExtremeAnswers.of(answers[:, 1:], np.full(250, 7.3), 6, 9).estimate()
    assert np.isnan(constant.r_squared) and constant.penalty == pytest.approx([0, 0], abs=1e-12)
    nobody = ExtremeAnswers.of(answers, np.full(250, np.nan), 6, 9).estimate()
    assert np.isnan(nobody.penalty).all() and np.isnan(nobody.r_squared)
    draws = ExtremeAnswers.of(answers, outcome, 6, 9).estimate(np.zeros((2, 250)))
    assert np.isnan(draws.penalty).all()


def test_gaps():
    answers, outcome = columns("PERQ2", "PERQ3"), columns("CUSA1")[:, 0].copy()
    outcome[:20] = np.nan
    without = ExtremeAnswers.of(answers[20:], outcome[20:], 6, 9).estimate()
    with_gaps = ExtremeAnswers.of(answers, outcome, 6, 9).estimate()
    for name, value in vars(without).items():
        np.testing.assert_allclose(getattr(with_gaps, name), value, atol=1e-12, err_msg=name)
    middle, gap = answers.copy(), answers.copy()
    middle[30:40], gap[30:40] = 7, np.nan
    np.testing.assert_array_equal(
        ExtremeAnswers.of(gap, outcome, 6, 9).columns, ExtremeAnswers.of(middle, outcome, 6, 9).columns
    )


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((np.ones((3, 2)), np.ones(3), 7, 7), "low answers"),
        ((np.ones((3, 2)), np.ones(2), 6, 9), "respondents"),
        ((np.ones(3), np.ones(3), 6, 9), "respondents"),
    ],
)
def test_impossible_answers_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        ExtremeAnswers.of(*arguments)


@pytest.mark.parametrize(
    "penalty, reward, contrast, kind",
    [
        ((-1, -0.5), (-0.2, 0.3), (0.2, 1), "basic"),
        ((-0.2, 0.3), (0.5, 1), (-1, -0.2), "attractive"),
        ((-1, -0.5), (0.5, 1), (-0.3, 0.3), "one_dimensional"),
        ((-1, -0.5), (0.1, 0.3), (0.2, 1), "basic"),
        ((-1, -0.5), (-0.2, 0.3), (-0.1, 1), "cannot_tell"),
        ((-0.2, 0.3), (-1, -0.5), (0.2, 1), "cannot_tell"),  # a high answer costs: no requirement at all
        ((np.nan, np.nan), (0.5, 1), (np.nan, np.nan), "cannot_tell"),
    ],
)
def test_kinds(penalty, reward, contrast, kind):
    assert kinds(*([[bound] for bound in interval] for interval in (penalty, reward, contrast))) == [kind]
