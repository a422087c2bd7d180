from functools import cache
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from helpers.models.satisfaction_index.covariance_model import fit_indices as indices
from helpers.models.satisfaction_index.covariance_model.fit_indices import fit_indices, indices_of, scaled_indices
from helpers.models.satisfaction_index.covariance_model.scoring import Sample, fit
from helpers.models.satisfaction_index.covariance_model.structure import Structure
from tests.mobi import ITEMS, design_of, mobi
from tests.published import covariance_model as published

pytestmark = pytest.mark.filterwarnings("error")

NAMES = {  # ours: lavaan's
    "chi_square": "chisq", "degrees_of_freedom": "df", "p_value": "pvalue",
    "baseline_chi_square": "baseline.chisq", "baseline_degrees_of_freedom": "baseline.df",
    "cfi": "cfi", "tli": "tli", "rmsea": "rmsea", "rmsea_low": "rmsea.ci.lower", "rmsea_high": "rmsea.ci.upper",
    "p_close": "rmsea.pvalue", "srmr": "srmr", "gfi": "gfi", "agfi": "agfi", "log_likelihood": "logl",
    "unrestricted_log_likelihood": "unrestricted.logl", "aic": "aic", "bic": "bic", "size": "ntotal",
    "parameters": "npar",
}  # fmt: skip
ROBUST = {
    "chi_square": "chisq.scaled", "p_value": "pvalue.scaled", "cfi": "cfi.robust", "tli": "tli.robust",
    "rmsea": "rmsea.robust", "rmsea_low": "rmsea.ci.lower.robust", "rmsea_high": "rmsea.ci.upper.robust",
    "p_close": "rmsea.pvalue.robust",
}  # fmt: skip
FACTORS = {"visual": ("x1", "x2", "x3"), "textual": ("x4", "x5", "x6"), "speed": ("x7", "x8", "x9")}


@cache
def answers(model: str) -> pd.DataFrame:
    files_of = {"holzinger": "holzinger_swineford39_data.csv", "political_democracy": "pd_data.csv"}
    if model in files_of:
        return pd.read_csv(files("semopy") / "examples" / files_of[model])
    return pd.DataFrame(mobi(), columns=list(ITEMS))


def implied_by(estimates: dict) -> tuple[list[str], np.ndarray]:
    """Names of the items and their covariance matrix, of lavaan's estimates (reticular action model)."""
    names = sorted({name for left, _, right in estimates for name in (left, right)})
    latent = {left for left, operator, _ in estimates if operator == "=~"}
    directed, undirected = np.zeros((2, len(names), len(names)))
    for (left, operator, right), (estimate, _) in estimates.items():
        place = names.index(left), names.index(right)
        if operator == "~~":
            undirected[place] = undirected[place[::-1]] = estimate
        else:
            directed[place if operator == "~" else place[::-1]] = estimate
    whole = np.linalg.inv(np.eye(len(names)) - directed)
    items = [number for number, name in enumerate(names) if name not in latent]
    return [names[number] for number in items], (whole @ undirected @ whole.T)[np.ix_(items, items)]


@cache
def found(model: str):
    items, implied = implied_by(published.ESTIMATES[model])
    values = answers(model)[items].to_numpy(float)
    return fit_indices(Sample.of(np.cov(values.T, bias=True), len(values)), [implied], published.FIT[model]["npar"])


def school(level: str):
    data = answers("holzinger")
    parts = [part[list(sum(FACTORS.values(), ()))].to_numpy(float) for _, part in data.groupby("school", sort=False)]
    sample = Sample(
        tuple(np.cov(part.T, bias=True) for part in parts),
        tuple(np.array(float(len(part))) for part in parts),
        tuple(part.mean(axis=0) for part in parts),
    )
    return fit(Structure.of_groups(design_of(FACTORS, ()), 2, level), sample)


# ---- published figures ----


@pytest.mark.parametrize("model", published.FIT)
def test_indices_of_lavaan(model):
    for ours, theirs in NAMES.items():
        figure = published.FIT[model][theirs]
        # p-values move with the statistic, which the estimates' eleven digits hold to about 1e-9
        assert getattr(found(model), ours) == pytest.approx(figure, rel=1e-6, abs=1e-10), ours


@pytest.mark.parametrize(("model", "kind"), published.SCALED)
def test_robust_indices_of_lavaan(model, kind):
    figures = published.SCALED[model, kind]
    robust = scaled_indices(found(model), figures["chisq.scaling.factor"], figures["baseline.chisq.scaling.factor"])
    for ours, theirs in ROBUST.items():
        assert getattr(robust, ours) == pytest.approx(figures[theirs], rel=1e-6, abs=1e-10), ours


@pytest.mark.parametrize("level", published.INVARIANCE)
def test_indices_of_groups_with_means_of_lavaan(level):
    figures, by_school = published.INVARIANCE[level], indices_of(school(level))
    for ours, theirs in NAMES.items():
        if theirs in figures:
            # residuals, unlike the statistic, move as far as lavaan's iteration stops from its optimum
            near = {"rel": 1e-5} if ours == "srmr" else {"rel": 1e-6, "abs": 1e-10}
            assert getattr(by_school, ours) == pytest.approx(figures[theirs], **near), ours
    assert np.isnan(by_school.agfi)


# ---- what must hold ----


def random_model(seed, draws=()):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(*draws, 40, 4)) + rng.normal(size=(*draws, 40, 1))
    covariance = np.swapaxes(values, -1, -2) @ values / 40
    return Sample.of(covariance, np.full(draws, 40.0)), 0.7 * covariance + 0.3 * np.eye(4)


def test_many_samples_as_one_at_a_time():
    sample, implied = random_model(3, (5,))
    together = fit_indices(sample, [implied], 6)
    for draw in range(5):
        alone = fit_indices(Sample.of(sample.covariance[0][draw], 40.0), [implied[draw]], 6)
        for name in NAMES:
            assert np.broadcast_to(getattr(together, name), 5)[draw] == pytest.approx(getattr(alone, name)), name


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), factor=st.floats(0.01, 100))
def test_units_of_items_do_not_matter(seed, factor):
    sample, implied = random_model(seed)
    scale = np.array([1.0, factor, 1.0, 3.0])
    other = fit_indices(
        Sample.of(sample.covariance[0] * np.outer(scale, scale), 40.0), [implied * np.outer(scale, scale)], 6
    )
    first = fit_indices(sample, [implied], 6)
    for name in set(NAMES) - {"log_likelihood", "unrestricted_log_likelihood", "aic", "bic"}:
        assert getattr(other, name) == pytest.approx(getattr(first, name), rel=1e-6, abs=1e-9), name


def test_log_likelihood_is_that_of_the_answers():
    values = answers("holzinger")[["x1", "x2", "x3"]].to_numpy()
    mean, implied = np.array([5.0, 6.0, 2.2]), np.array([[1.5, 0.4, 0.5], [0.4, 1.4, 0.4], [0.5, 0.4, 1.2]])
    sample = Sample.of(np.cov(values.T, bias=True), len(values), values.mean(axis=0))
    expected = stats.multivariate_normal(mean, implied).logpdf(values).sum()
    assert indices.log_likelihood(sample, [implied], [mean]) == pytest.approx(expected, rel=1e-12)


@settings(max_examples=50, deadline=None)
@given(statistic=st.floats(0.5, 3000), df=st.integers(1, 300), size=st.integers(10, 100_000), groups=st.integers(1, 4))
def test_ends_of_the_interval_are_where_the_statistic_is_as_rare_as_stated(statistic, df, size, groups):
    low, high = indices.rmsea_interval(statistic, df, size, groups)
    assert low <= indices.rmsea(statistic, df, size, groups) or high == 0
    for end, tail in ((low, 0.95), (high, 0.05)):
        reached = (
            stats.chi2.cdf(statistic, df) if end == 0 else stats.ncx2.cdf(statistic, df, end**2 * df * size / groups)
        )
        assert reached == pytest.approx(tail, abs=1e-8) or (end == 0 and reached < tail)
    assert indices.p_close(statistic, df, size, groups, close=0.0) == pytest.approx(stats.chi2.sf(statistic, df))


def test_interval_covers_the_population_value():
    df, size, rmsea = 24, 300, 0.06
    statistics = stats.ncx2.rvs(df, df * size * rmsea**2, size=20_000, random_state=1)
    low, high = indices.rmsea_interval(statistics, df, size)
    assert np.mean((low <= rmsea) & (rmsea <= high)) == pytest.approx(0.90, abs=0.007)
    assert np.mean(rmsea < low) == pytest.approx(0.05, abs=0.005)


# ---- the edges ----


def test_statistic_below_its_degrees_of_freedom():
    assert indices.cfi(20.0, 24, 900.0, 36) == 1.0
    assert indices.tli(20.0, 24, 900.0, 36) > 1.0
    assert indices.rmsea(20.0, 24, 300) == 0.0
    assert indices.rmsea_interval(5.0, 24, 300) == (0.0, 0.0)
    assert indices.cfi(20.0, 24, 30.0, 36) == 1.0  # a baseline that fits as well
    assert indices.cfi(500.0, 24, 400.0, 36) == 0.0  # and one that fits better


@pytest.mark.parametrize("parameters", [10, 12])
def test_a_model_without_degrees_of_freedom_is_not_tested(parameters):
    sample, _ = random_model(1)
    saturated = fit_indices(sample, [sample.covariance[0]], parameters)
    assert saturated.degrees_of_freedom == 10 - parameters
    for name in ("p_value", "cfi", "tli", "rmsea", "rmsea_low", "rmsea_high", "p_close", "agfi"):
        assert np.isnan(getattr(saturated, name)), name
    assert (saturated.chi_square, saturated.srmr, saturated.gfi) == pytest.approx((0, 0, 1), abs=1e-10)


def test_matrices_without_a_likelihood():
    sample, implied = random_model(1, (3,))
    implied[0] = -implied[0]
    implied[1] = np.nan
    found = fit_indices(sample, [implied], 6)
    for name in ("chi_square", "p_value", "cfi", "rmsea", "rmsea_high", "p_close", "gfi", "aic"):
        assert np.isnan(getattr(found, name)).tolist() == [True, True, False], name


def test_a_constant_item():
    covariance = np.diag([1.0, 2.0, 0.0])
    found = fit_indices(Sample.of(covariance, 50.0), [np.eye(3)], 3)
    for name in ("chi_square", "baseline_chi_square", "cfi", "srmr"):
        assert np.isnan(getattr(found, name)), name


def test_scaling_factor_that_is_none():
    sample, implied = random_model(1)
    robust = scaled_indices(fit_indices(sample, [implied], 6), -0.5, 1.2)
    assert np.isnan([robust.chi_square, robust.p_value]).all()


def test_means_that_one_side_lacks():
    sample, implied = random_model(1)
    with pytest.raises(ValueError, match="means"):
        fit_indices(sample, [implied], 6, [np.zeros(4)])
    with pytest.raises(ValueError, match="one matrix for each group"):
        fit_indices(sample, [implied, implied], 6)
