"""What a model predicts of groups of customers: its intervals hold what happens, and groups add up."""

import numpy as np
import pytest

from helpers.models.lifetime_value import prediction
from helpers.models.lifetime_value.prediction import (
    expected_path,
    interval,
    simulated_paths,
    simulated_totals,
    total_intervals,
)
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


# ---- very many customers ----


def test_computed_intervals_of_totals_are_those_of_simulation(fit, monkeypatch):
    """Ends of 95 % intervals by 3,000 draws are uncertain by some 2 % of the width; small groups are simulated."""
    history = [np.tile(column, 2) for column in cdnow("sample").history]
    size = len(history[0])
    groups = everyone(history) | {"parts": np.minimum(np.arange(size) // 1500, 2), "few": (np.arange(size) > 40) * 1}
    drawn = simulated_totals(fit, *history, 39, groups, draws=3000, seed=1)
    monkeypatch.setattr(prediction, "MOST_SIMULATED", 1000)
    found = total_intervals(fit, *history, 39, groups, draws=3000, seed=2)
    for name, ends in found.items():
        low, high = interval(drawn[name])
        for end, expected in zip(ends, (low, high), strict=True):
            np.testing.assert_allclose(end, expected, atol=0.09 * (high - low).min(), rtol=0.02, err_msg=name)


def test_few_customers_are_simulated(fit):
    history = cdnow("sample").history
    low, high = total_intervals(fit, *history, 39, everyone(history), draws=50, seed=6)["all"]
    drawn = interval(simulated_totals(fit, *history, 39, everyone(history), draws=50, seed=6)["all"])
    assert (low, high) == drawn


def test_intervals_of_an_unidentified_fit_are_nan(monkeypatch):
    endless = fit_bg_nbd([5, 0, 4] * 50, [5.0, 0, 5] * 50, [5.0, 5, 5] * 50)
    monkeypatch.setattr(prediction, "MOST_SIMULATED", 0)
    monkeypatch.setattr(prediction, "FEWEST_NORMAL", 0)
    assert np.isnan(total_intervals(endless, [1], [2], [5], 10, {"all": np.zeros(1, int)})["all"]).all()


def test_a_sample_stands_for_the_chance_of_all(fit, monkeypatch):
    starts, customers, ends = np.arange(12.0), np.full(12, 500), np.array([2.0, 6.0, 20.0, 40.0])
    whole = simulated_paths(fit, starts, customers, ends, draws=600, seed=4)
    monkeypatch.setattr(prediction, "MOST_FOLLOWED", 1200)
    part = simulated_paths(fit, starts, customers, ends, draws=600, seed=5)
    np.testing.assert_allclose(part.mean(axis=0), whole.mean(axis=0), rtol=0.02)
    for one, other in ((part, whole), (np.diff(part, axis=1), np.diff(whole, axis=1))):
        np.testing.assert_allclose(one.std(axis=0), other.std(axis=0), rtol=0.15)


def test_a_path_of_days_in_weeks_asks_for_each_length_once(fit):
    starts, ends = np.arange(70) / 7, np.arange(1, 20.0)
    expected = fit.model.new_customer_expected_purchases(np.maximum(ends - starts[:, None], 0)).sum(axis=0)
    np.testing.assert_allclose(expected_path(fit.model, starts, np.ones(70), ends), expected, rtol=1e-9)
