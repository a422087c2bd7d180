"""What a model predicts of groups of customers: its intervals hold what happens, and groups add up."""

import numpy as np
import pytest

from helpers.models.lifetime_value.prediction import expected_path, interval, simulated_paths, simulated_totals
from helpers.models.lifetime_value.purchase_models.bg_nbd import BGNBD, fit_bg_nbd
from tests.cdnow_summaries import cdnow, simulated_history
from tests.published import lifetime_value as published

MODEL = BGNBD(0.6, 5.0, 0.9, 3.0)


@pytest.fixture(scope="module")
def fit():
    return fit_bg_nbd(*cdnow("sample").history)


def everyone(history):
    return {"all": np.zeros(len(history[0]), int)}


def test_predictive_interval_holds_what_happens():
    """Of 60 simulated holdouts nearly all fall into the 95 % interval (binomial: fewer than 51 in 1 of 1,000)."""
    rng, inside = np.random.default_rng(8), 0
    for _ in range(60):
        history = simulated_history(1500, 0.6, 5.0, 0.9, 3.0, rng)
        actual = MODEL.simulate_purchases(*history, 39, rng).sum()
        draws = simulated_totals(fit_bg_nbd(*history), *history, 39, everyone(history), draws=150, seed=3)
        low, high = interval(draws["all"][:, 0])
        inside += low <= actual <= high
    assert inside >= 51


def test_groups_part_the_total(fit):
    history = cdnow("sample").history
    parts = {"half": np.arange(len(history[0])) % 2}
    draws = simulated_totals(fit, *history, 39, everyone(history) | parts, draws=20)
    np.testing.assert_array_equal(draws["half"].sum(axis=1), draws["all"][:, 0])
    assert draws["all"].mean() == pytest.approx(fit.model.expected_purchases(*history, 39).sum(), rel=0.05)


def test_unknown_uncertainty_is_nan():
    endless = fit_bg_nbd([5, 0, 4] * 50, [5.0, 0, 5] * 50, [5.0, 5, 5] * 50)
    assert np.isnan(simulated_totals(endless, [1], [2], [5], 10, {"all": np.zeros(1, int)})["all"]).all()
    assert np.isnan(simulated_paths(endless, [0.0], [3], [1.0, 2.0])).all()


def test_expected_path_is_the_published_one(fit):
    T = cdnow("sample").T
    starts, customers = np.unique(T.max() - T, return_counts=True)
    path = expected_path(fit.model, starts, customers, np.array(published.CUMULATIVE_WEEKS, float))
    np.testing.assert_allclose(path, published.CUMULATIVE_EXPECTED, atol=0.05)


def test_simulated_paths_scatter_about_the_expected_one(fit):
    starts, customers, ends = np.array([0.0, 4.0, 8.0]), np.array([900, 800, 700]), np.array([2.0, 6.0, 20.0, 40.0])
    draws = simulated_paths(fit, starts, customers, ends, draws=200, seed=4)
    assert (np.diff(draws, axis=1) >= 0).all()
    expected = expected_path(fit.model, starts, customers, ends)
    error = draws.std(axis=0) / np.sqrt(len(draws))
    # parameters scatter too, so the mean of the draws is near the expectation, not at it
    assert np.all(np.abs(draws.mean(axis=0) - expected) < 4 * error + 0.01 * expected)
    low, high = interval(draws)
    assert np.all((low < expected) & (expected < high))
