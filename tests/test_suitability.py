import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from helpers.models.satisfaction_index.covariance_model.suitability import (
    Dependence,
    constant_items,
    dependent_items,
    normality,
    sampling_adequacy,
    sphericity,
)
from tests.mobi import mobi
from tests.published.covariance_model import SUITABILITY

pytestmark = pytest.mark.filterwarnings("error")


def correlated(rng, respondents, items, common=1.0):
    return rng.normal(size=(respondents, items)) + common * rng.normal(size=(respondents, 1))


# ---- published figures ----


def test_figures_of_mobi():
    correlation = np.corrcoef(mobi().T)
    assert sampling_adequacy(correlation).overall == pytest.approx(SUITABILITY["kmo"], abs=1e-10)
    test = sphericity(correlation, len(mobi()))
    assert (test.chi_square, test.degrees_of_freedom) == pytest.approx(
        (SUITABILITY["bartlett"], SUITABILITY["bartlett_df"]), abs=1e-9
    )
    found = normality(mobi())
    ours = found.skewness, found.skewness_chi_square, found.kurtosis, found.kurtosis_z
    theirs = tuple(SUITABILITY[f"mardia_{name}"] for name in ("b1p", "skew", "b2p", "z"))
    assert ours == pytest.approx(theirs, rel=1e-11)


# ---- what must hold ----


def test_partial_correlations_are_those_of_residuals():
    values = correlated(np.random.default_rng(5), 60, 4)
    correlation = np.corrcoef(values.T)
    simple, partial = 0.0, 0.0
    for other in (1, 2, 3):
        rest = [item for item in (1, 2, 3) if item != other]
        design = np.column_stack([np.ones(60), values[:, rest]])
        left = values - design @ np.linalg.lstsq(design, values, rcond=None)[0]
        simple, partial = (
            simple + correlation[0, other] ** 2,
            partial + np.corrcoef(left[:, 0], left[:, other])[0, 1] ** 2,
        )
    assert sampling_adequacy(correlation).items[0] == pytest.approx(simple / (simple + partial), abs=1e-12)


def test_many_matrices_as_one_at_a_time():
    rng = np.random.default_rng(2)
    matrices = np.stack([np.corrcoef(correlated(rng, 30, 5).T) for _ in range(4)])
    together, tests = sampling_adequacy(matrices), sphericity(matrices, np.array([30, 40, 50, 60]))
    for number, (matrix, size) in enumerate(zip(matrices, (30, 40, 50, 60), strict=True)):
        alone = sampling_adequacy(matrix)
        assert together.overall[number] == pytest.approx(alone.overall)
        assert together.items[number] == pytest.approx(alone.items)
        assert tests.p_value[number] == pytest.approx(sphericity(matrix, size).p_value)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), items=st.integers(1, 5), respondents=st.integers(12, 60))
def test_skewness_is_mardias_sum_over_pairs(seed, items, respondents):
    values = np.random.default_rng(seed).exponential(size=(respondents, items))
    away = values - values.mean(axis=0)
    products = away @ np.linalg.inv(np.atleast_2d(np.cov(values.T))) @ away.T
    found = normality(values)
    assert found.skewness == pytest.approx((products**3).mean(), rel=1e-8)
    assert found.kurtosis == pytest.approx((np.diagonal(products) ** 2).mean(), rel=1e-8)


def test_one_item_has_the_skewness_and_kurtosis_of_textbooks():
    values = mobi()[:, 0]
    found, divisor = normality(values[:, None]), 249 / 250
    assert found.skewness == pytest.approx(stats.skew(values) ** 2 * divisor**3)
    assert found.kurtosis == pytest.approx(stats.kurtosis(values, fisher=False) * divisor**2)


def test_tests_reject_as_often_as_they_say():
    rng = np.random.default_rng(11)
    rejected = []
    for _ in range(400):
        values = correlated(rng, 400, 3, common=0.0)
        found = normality(values)
        tests = found.skewness_p_value, found.kurtosis_p_value, sphericity(np.corrcoef(values.T), 400).p_value
        rejected.append([p_value < 0.05 for p_value in tests])
    assert np.mean(rejected, axis=0) == pytest.approx([0.05] * 3, abs=0.03)


def test_items_that_share_nothing_or_all():
    alone = sampling_adequacy(np.eye(4))
    assert np.isnan(alone.overall) and np.isnan(alone.items).all()
    close = sampling_adequacy(np.full((6, 6), 0.9) + 0.1 * np.eye(6))
    assert close.overall > 0.9


def test_a_hundred_thousand_respondents():
    values = np.random.default_rng(1).normal(size=(100_000, 12))
    found = normality(values)
    assert found.skewness == pytest.approx(0, abs=0.05)
    assert found.kurtosis == pytest.approx(12 * 14, abs=1)


# ---- items that say nothing of their own ----


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), twin=st.integers(0, 4), factor=st.sampled_from([-2.0, 1.0, 1e4]))
def test_a_duplicated_item_is_named(seed, twin, factor):
    values = correlated(np.random.default_rng(seed), 50, 5)
    covariance = np.cov(np.column_stack([values, 3.0 + factor * values[:, twin]]).T)
    assert dependent_items(covariance) == (Dependence(5, (twin,)),)


def test_a_sum_of_items_is_named():
    values = correlated(np.random.default_rng(8), 50, 4)
    covariance = np.cov(np.column_stack([values, values[:, 0] + values[:, 2] - values[:, 3], np.ones(50)]).T)
    assert dependent_items(covariance) == (Dependence(4, (0, 2, 3)),)
    assert constant_items(covariance) == (5,)
    assert dependent_items(np.cov(values.T)) == constant_items(np.cov(values.T)) == ()


def test_fewer_respondents_than_items():
    values = correlated(np.random.default_rng(8), 6, 9)
    correlation = np.corrcoef(values.T)
    assert len(dependent_items(np.cov(values.T))) == 4
    assert np.isnan([sampling_adequacy(correlation).overall, sphericity(correlation, 6).chi_square]).all()
    assert np.isnan([normality(values).skewness, normality(values).kurtosis_p_value]).all()


def test_what_has_gaps_or_does_not_vary_is_not_known():
    values = correlated(np.random.default_rng(8), 40, 3)
    gap, constant = values.copy(), values.copy()
    gap[3, 1], constant[:, 2] = np.nan, 4.0
    for bad in (gap, constant):
        assert np.isnan([normality(bad).skewness, normality(bad).kurtosis_z]).all()
    correlation = np.full((2, 3, 3), np.nan)
    correlation[1] = np.eye(3) + 0.2 * (1 - np.eye(3))
    assert np.isnan(sampling_adequacy(correlation).overall).tolist() == [True, False]


def test_one_respondent():
    with pytest.raises(ValueError, match="two respondents"):
        normality(np.ones((1, 3)))


def test_a_correlation_matrix_of_no_answers():
    impossible = np.array([[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]])
    assert np.isnan(sphericity(impossible, 100).p_value)
