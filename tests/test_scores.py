import numpy as np
import pytest

from helpers.models.lifetime_value import scores
from helpers.models.lifetime_value.purchase_models.bg_nbd import fit_bg_nbd
from tests.cdnow_summaries import cdnow
from tests.published import lifetime_value as published


@pytest.mark.parametrize(
    "which, figures", [("sample", published.HOLDOUT_SCORES), ("master", published.FULL_HOLDOUT_SCORES)]
)
def test_holdout_of_cdnow(which, figures):
    summary = cdnow(which)
    predicted = fit_bg_nbd(*summary.history).model.expected_purchases(*summary.history, 39)
    table = scores.score_table(predicted, summary.holdout, resamples=100)
    digits = {"total": 0.5, "total_error": 5e-4, "mae": 5e-5, "rmse": 5e-4, "correlation": 5e-4}
    for measure, figure in figures.items():
        value, low, high = table[measure]
        assert value == pytest.approx(figure, abs=digits[measure]), measure
        assert low < value < high
    assert table["total_error"][0] == pytest.approx(table["total"][0] / summary.holdout.sum() - 1)


def test_measures_by_hand():
    table = scores.score_table([1.0, 2, 3, 6], [0.0, 2, 5, 3], resamples=200)
    values = {measure: value for measure, (value, _, _) in table.items()}
    assert values == pytest.approx(
        {
            "total": 12,
            "total_error": 0.2,
            "mae": 1.5,
            "rmse": np.sqrt(14 / 4),
            "bias": 0.5,
            "correlation": np.corrcoef([1, 2, 3, 6], [0, 2, 5, 3])[0, 1],
        }
    )


def test_rows_may_stand_for_several_customers():
    rng = np.random.default_rng(0)
    predicted, actual, customers = rng.random(50), rng.poisson(1, 50), rng.integers(1, 9, 50)
    grouped = scores.score_table(predicted, actual, customers)
    single = scores.score_table(np.repeat(predicted, customers), np.repeat(actual, customers))
    for measure in scores.MEASURES:
        assert grouped[measure][0] == pytest.approx(single[measure][0], abs=1e-12)
        np.testing.assert_allclose(grouped[measure][1:], single[measure][1:], rtol=0.25, atol=0.02)


def test_interval_of_a_mean_is_the_textbook_one():
    rng = np.random.default_rng(1)
    error = rng.normal(0.3, 2, 4000)
    value, low, high = scores.score_table(error, np.zeros(4000), resamples=4000)["bias"]
    width = 1.96 * error.std() / np.sqrt(4000)
    assert (low, high) == pytest.approx((value - width, value + width), abs=0.08 * width)


def test_same_seed_same_intervals():
    table = scores.score_table([1.0, 2, 3], [0.0, 1, 5], seed=4)
    assert table == scores.score_table([1.0, 2, 3], [0.0, 1, 5], seed=4)
    assert table != scores.score_table([1.0, 2, 3], [0.0, 1, 5], seed=5)


def test_what_is_not_defined_is_nan():
    table = scores.score_table(np.ones(5), np.zeros(5))
    assert np.all(np.isnan(table["correlation"]))
    assert not np.isfinite(table["total_error"][0])
    assert table["mae"] == pytest.approx((1, 1, 1))


def test_another_measure_is_one_entry():
    def largest_error(predicted, actual, weights):
        return np.max(np.abs(predicted - actual) * (weights > 0), axis=-1)

    table = scores.score_table([1.0, 2], [0.0, 5], measures={"largest_error": largest_error})
    assert table["largest_error"][0] == 3


@pytest.mark.parametrize("columns", [([], []), ([1.0], [1.0, 2]), ([np.nan], [1.0])])
def test_bad_columns_are_refused(columns):
    with pytest.raises(ValueError, match=r"predicted"):
        scores.score_table(*columns)
