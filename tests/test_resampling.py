from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from helpers.models import resampling
from helpers.models.resampling import (
    bca,
    blocks,
    jackknife_counts,
    percentile,
    resampled_counts,
    standard_error,
    wald_p,
)

pytestmark = pytest.mark.filterwarnings("error")


def drawn(respondents, resamples=2000, seed=0, strata=None):
    return np.concatenate(list(resampled_counts(respondents, resamples, seed, strata)))


def left_out(respondents, groups=resampling.JACKKNIFE_GROUPS, strata=None):
    return np.concatenate(list(jackknife_counts(respondents, groups, strata)))


# ---- resamples ----


@pytest.mark.parametrize("strata", [None, np.arange(30) % 3 * 7 - 2])
def test_resamples_do_not_depend_on_how_many_are_held(monkeypatch, strata):
    whole = drawn(30, 50, 4, strata)
    assert whole.shape == (50, 30) and whole.dtype == float
    monkeypatch.setattr(resampling, "CELLS_AT_ONCE", 7 * 30)
    parts = list(resampled_counts(30, 50, 4, strata))
    assert [len(part) for part in parts] == [7] * 7 + [1]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert (drawn(30, 50, 5, strata) != whole).any()


def test_counts_are_those_of_draws_with_replacement():
    n, resamples = 8, 40_000
    counts = drawn(n, resamples)
    assert (counts.sum(axis=1) == n).all() and (counts == np.round(counts)).all()
    # multinomial: mean 1, variance 1 - 1/n, covariance -1/n
    covariance = np.eye(n) - 1 / n
    np.testing.assert_allclose(counts.mean(axis=0), 1, atol=5 / np.sqrt(resamples))
    np.testing.assert_allclose(np.cov(counts, rowvar=False), covariance, atol=8 / np.sqrt(resamples))


def test_strata_keep_their_sizes():
    strata = np.array([5, -1, 5, 9, 5, -1, -1, -1])
    counts = drawn(8, 5000, strata=strata)
    for stratum, size in ((5, 3), (-1, 4), (9, 1)):
        assert (counts[:, strata == stratum].sum(axis=1) == size).all()
    assert (counts[:, 3] == 1).all()  # alone in its stratum
    np.testing.assert_allclose(counts.mean(axis=0), 1, atol=0.06)


def test_clusters_are_drawn_as_a_whole(monkeypatch):
    clusters = np.array([2, 0, 1, 0, 3, 2])
    whole = np.concatenate(list(resampled_counts(6, 50, 4, clusters=clusters)))
    np.testing.assert_array_equal(whole, drawn(4, 50, 4)[:, clusters])
    np.testing.assert_array_equal(
        np.concatenate(list(resampled_counts(6, 50, 4, strata=[0, 0, 1, 1], clusters=clusters))),
        drawn(4, 50, 4, [0, 0, 1, 1])[:, clusters],
    )
    monkeypatch.setattr(resampling, "CELLS_AT_ONCE", 7 * 6)
    np.testing.assert_array_equal(np.concatenate(list(resampled_counts(6, 50, 4, clusters=clusters))), whole)
    with pytest.raises(ValueError, match="clusters"):
        next(resampled_counts(3, 5, clusters=[0, 1]))


def test_one_stratum_is_the_plain_bootstrap_in_distribution():
    values = np.random.default_rng(3).normal(size=40)
    one, plain = (drawn(40, 5000, seed, strata) @ values for seed, strata in ((1, np.zeros(40, int)), (2, None)))
    assert stats.ks_2samp(one, plain).pvalue > 0.01


def test_blocks_add_up():
    assert list(blocks(0, 10)) == []
    assert list(blocks(3, 10**9)) == [1, 1, 1]
    assert sum(blocks(1000, 250)) == 1000 and max(blocks(1000, 100_000)) * 100_000 <= resampling.CELLS_AT_ONCE


def test_leaving_out_one_at_a_time():
    values = np.random.default_rng(0).normal(size=6)
    counts = left_out(6)
    expected = [np.delete(values, i).mean() for i in range(6)]
    np.testing.assert_allclose(counts @ values / counts.sum(axis=1), expected, rtol=1e-13)
    np.testing.assert_allclose(counts.sum(axis=1), 6)


@pytest.mark.parametrize("strata", [None, np.repeat([3, 1, 2], [23, 60, 20])])
def test_leaving_out_groups(monkeypatch, strata):
    counts = left_out(103, 10, strata)
    assert counts.shape == (10, 103)
    assert ((counts == 0).sum(axis=0) == 1).all()  # everybody once
    assert set((counts == 0).sum(axis=1)) == {10, 11}
    for stratum in np.unique(strata) if strata is not None else ():
        inside = strata == stratum
        np.testing.assert_allclose(counts[:, inside].sum(axis=1), inside.sum())
        assert np.ptp((counts[:, inside] == 0).sum(axis=1)) <= 1  # evenly over the groups
    monkeypatch.setattr(resampling, "CELLS_AT_ONCE", 3 * 103)
    np.testing.assert_array_equal(left_out(103, 10, strata), counts)


def test_a_stratum_of_one_is_never_left_out():
    counts = left_out(5, strata=[0, 0, 1, 0, 0])
    assert (counts[:, 2] == 1).all()
    assert (counts == 1).all(axis=1).sum() == 1  # the draw in which it would be


@pytest.mark.parametrize("counts", [resampled_counts(0, 5), jackknife_counts(0)])
def test_nobody_to_resample(counts):
    with pytest.raises(ValueError, match="no respondents"):
        next(counts)


def test_strata_of_another_length():
    with pytest.raises(ValueError, match="strata"):
        next(resampled_counts(3, 5, strata=[1, 2]))


# ---- intervals ----


def test_percentile_is_the_quantile():
    draws = np.random.default_rng(0).normal(size=(401, 2, 3))
    for level in (0.9, 0.95):
        expected = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
        np.testing.assert_allclose(percentile(draws, level), expected, rtol=1e-13)


STATISTICS = {
    "mean": lambda counts, values: counts @ values / counts.sum(axis=1),
    "deviation": lambda counts, values: np.sqrt(
        counts @ values**2 / counts.sum(axis=1) - (counts @ values / counts.sum(axis=1)) ** 2
    ),
}


@pytest.mark.parametrize("name", STATISTICS)
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_bca_against_scipy_on_the_same_draws(name, level):
    values, statistic = np.random.default_rng(1).exponential(size=40), STATISTICS[name]
    draws = statistic(drawn(40), values)
    plain = {"mean": np.mean, "deviation": np.std}[name]
    for method, ours in (
        ("percentile", percentile(draws, level)),
        ("BCa", bca(plain(values), draws, statistic(left_out(40), values), level)),
    ):
        theirs = stats.bootstrap(
            (values,),
            plain,
            n_resamples=0,
            confidence_level=level,
            method=method,
            bootstrap_result=SimpleNamespace(bootstrap_distribution=draws),
        ).confidence_interval
        assert (float(ours[0]), float(ours[1])) == pytest.approx(tuple(theirs), abs=1e-12)


@pytest.mark.parametrize("sizes", [(30, 30), (20, 60)])
def test_bca_of_strata_against_scipy_with_several_samples(sizes):
    """Scipy scales the jackknife of each sample by (n - 1) / n; that cancels where all are of one size."""
    rng = np.random.default_rng(2)
    samples = [rng.exponential(size=size) for size in sizes]
    values, strata = np.concatenate(samples), np.repeat([0, 1], sizes)

    def difference(counts):
        first, second = (counts[:, strata == s] @ values[strata == s] / sizes[s] for s in (0, 1))
        return first - second

    draws = difference(drawn(sum(sizes), strata=strata))
    estimate = samples[0].mean() - samples[1].mean()
    jackknife = difference(left_out(sum(sizes), strata=strata))
    ours = bca(estimate, draws, jackknife)
    scaled = bca(estimate, draws, estimate + (jackknife - estimate) * (1 - 1 / np.repeat(sizes, sizes)))
    theirs = stats.bootstrap(
        samples,
        lambda x, y, axis=-1: np.mean(x, axis=axis) - np.mean(y, axis=axis),
        n_resamples=0,
        bootstrap_result=SimpleNamespace(bootstrap_distribution=draws),
    ).confidence_interval
    np.testing.assert_allclose(scaled, tuple(theirs), atol=1e-12)
    np.testing.assert_allclose(ours, tuple(theirs), atol=1e-12 if len(set(sizes)) == 1 else 0.01 * draws.std())


def test_groups_tell_the_acceleration_that_single_respondents_tell():
    values = np.random.default_rng(5).exponential(size=5000)
    one_by_one = stats.skew(values) / (6 * np.sqrt(5000))  # of a mean, from its influence values
    groups = resampling._acceleration(STATISTICS["mean"](left_out(5000), values))
    assert one_by_one == pytest.approx(0.0047, abs=1e-3)
    assert groups == pytest.approx(one_by_one, abs=0.004)  # a skewness from 250 numbers has an error of .15 / sqrt(20)


def test_columns_do_not_mix():
    rng = np.random.default_rng(0)
    values = rng.gamma(1, size=(25, 6))
    draws, jackknife = drawn(25, 500) @ values / 25, left_out(25) @ values / 25
    together = bca(values.mean(axis=0).reshape(2, 3), draws.reshape(-1, 2, 3), jackknife.reshape(-1, 2, 3))
    for column in range(6):
        alone = bca(values[:, column].mean(), draws[:, column], jackknife[:, column])
        np.testing.assert_allclose([bound.ravel()[column] for bound in together], alone, rtol=1e-13)


def test_draws_that_are_not_finite_are_left_out():
    draws = np.random.default_rng(0).normal(size=101)
    gappy = np.concatenate([draws, [np.nan] * 60, [np.inf] * 40])
    np.random.default_rng(1).shuffle(gappy)
    for function in (percentile, lambda values: bca(0.1, values, np.arange(5.0)), standard_error):
        np.testing.assert_allclose(function(gappy), function(draws), rtol=1e-12)


def test_less_than_half_of_the_draws_say_nothing():
    draws = np.where(np.arange(200) < 99, 1.0, np.nan)
    for function in (percentile, lambda values: bca(1, values, np.arange(5.0)), standard_error):
        assert np.isnan(function(draws)).all()
        assert np.isnan(function(np.empty(0))).all()
        assert np.isnan(function(np.empty((0, 2)))).all()


def test_what_never_varies():
    assert percentile(np.full(50, 3.0)) == (3, 3)
    assert bca(3, np.full(50, 3.0), np.full(10, 3.0)) == (3, 3)
    # computed twice, a constant may differ in its last bit
    noise = 0.3 * (1 + 1e-16 * np.arange(-25, 25))
    np.testing.assert_allclose(bca(0.1 + 0.2, noise, noise[:10]), [0.3, 0.3], rtol=1e-14)
    assert standard_error(np.full(50, 3.0)) == 0


def test_estimate_outside_its_draws_gives_the_last_ones():
    draws = np.linspace(1, 2, 100)
    low, high = bca(5.0, draws, np.arange(5.0))
    assert 1.9 < low <= high == pytest.approx(2, abs=1e-9)
    assert np.isnan(bca(np.nan, draws, np.arange(5.0))).all()


def test_ties_count_half():
    draws = np.repeat([0.0, 1, 2], [25, 50, 25])
    assert bca(1.0, draws, np.array([0.9, 1, 1.1])) == percentile(draws)


def test_extreme_acceleration_stays_in_order():
    draws, jackknife = np.arange(1000.0), np.zeros(200)
    for outlier in (1.0, -1.0):
        jackknife[0] = outlier
        for estimate in (1.0, 500.0, 998.0):
            low, high = bca(estimate, draws, jackknife, level=0.999)
            assert 0 <= low <= high <= 999


def test_probability_by_the_standard_error():
    value, error = np.array([0.0, 1.0, -2.5]), np.array([1.0, 0.5, 1.0])
    np.testing.assert_allclose(wald_p(value, error), 2 * stats.norm.sf(np.abs(value / error)), rtol=1e-12)
    np.testing.assert_allclose(wald_p(value, error, sides=1), stats.norm.sf(value / error), rtol=1e-12)
    # no draws bound it from below: many comparisons can be corrected for
    assert wald_p(20, 1) < 1e-80
    assert np.isnan(wald_p(1, [0.0, np.nan])).all()


def test_standard_error_is_that_of_the_mean():
    values = np.random.default_rng(0).normal(size=100)
    error = standard_error(drawn(100, 20_000) @ values / 100)
    assert error == pytest.approx(values.std() / 10, rel=0.02)


def test_coverage_of_a_skewed_mean():
    """Means of 40 exponential values: the percentile interval misses on one side, BCa less so."""
    samples = np.random.default_rng(11).exponential(size=(40, 2000))
    draws, jackknife = drawn(40, 1000, seed=12) @ samples / 40, left_out(40) @ samples / 40
    misses = {}
    for name, (low, high) in (
        ("percentile", percentile(draws)),
        ("bca", bca(samples.mean(axis=0), draws, jackknife)),
    ):
        misses[name] = np.array([(low > 1).mean(), (high < 1).mean()])
        assert misses[name].sum() == pytest.approx(0.06, abs=0.03), name
    assert np.ptp(misses["bca"]) < np.ptp(misses["percentile"]) / 2
