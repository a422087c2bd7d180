"""What holds for every purchase model, whichever it is: a new one is held to it by being there."""

from pathlib import Path

import numpy as np
import pytest

from helpers.models.lifetime_value.purchase_models import PurchaseModel, kinds
from tests.cdnow_summaries import cdnow

TESTS = Path(__file__).parent
PACKAGE = TESTS.parent / "src" / "helpers" / "models" / "lifetime_value" / "purchase_models"
FREQUENCY, RECENCY, T = (
    np.array([0.0, 0, 1, 2, 7, 26]),
    np.array([0.0, 0, 3, 30, 36, 30]),
    np.array([0.0, 38, 30, 38, 38, 31]),
)
each_kind = pytest.mark.parametrize("name", kinds())


@pytest.fixture(scope="module")
def models():
    """Every kind fitted on the CDNOW sample; regular timing from gaps that are all the same in each customer."""
    sample, found = cdnow("sample"), {}
    for name, kind in kinds().items():
        gaps = np.where(sample.frequency > 0, sample.recency / np.maximum(sample.frequency, 1), 1)
        known = {"log_intervals": sample.frequency * np.log(gaps)}
        found[name] = kind.fit(*sample.history, **{need: known[need] for need in kind.needs})
    return found


@each_kind
def test_kind_has_one_name_everywhere(name):
    assert (PACKAGE / f"{name}.py").is_file() and (TESTS / f"test_{name}.py").is_file()
    kind = kinds()[name]
    assert kind.name == name and kind.label and kind.source


@each_kind
def test_fit_converges_and_keeps_its_parameters_positive(models, name):
    fit = models[name]
    assert np.isfinite(fit.log_likelihood) and (fit.estimates > 0).all() and fit.observations == 2357
    moved = fit.model_at(fit.estimates * 1.1)
    assert type(moved) is type(fit.model)
    np.testing.assert_allclose([getattr(moved, parameter) for parameter in fit.names], fit.estimates * 1.1)


@each_kind
def test_fit_reports_the_log_likelihood_of_its_model(models, name):
    sample, fit = cdnow("sample"), models[name]
    total = fit.model.log_likelihood(*sample.history).sum()
    if "log_intervals" in kinds()[name].needs:
        gaps = np.where(sample.frequency > 0, sample.recency / np.maximum(sample.frequency, 1), 1)
        total += (fit.model.k - 1) * (sample.frequency * np.log(gaps)).sum()
    assert fit.log_likelihood == pytest.approx(total, rel=1e-12)


@each_kind
def test_model_offers_all_that_the_interface_names(models, name):
    offered = [method for method in vars(PurchaseModel) if not method.startswith("_")]
    assert all(callable(getattr(models[name].model, method)) for method in offered)


@each_kind
def test_predictions_are_finite_and_in_range(models, name):
    model, history = models[name].model, (FREQUENCY, RECENCY, T)
    alive, buys = model.probability_alive(*history), model.probability_of_purchase(*history, 39.0)
    expected = model.expected_purchases(*history, 39.0)
    for values in (alive, buys, expected, model.log_likelihood(*history)):
        assert values.shape == FREQUENCY.shape and np.isfinite(values).all()
    assert ((alive >= 0) & (alive <= 1)).all()
    assert (buys <= alive + 1e-12).all() and (buys <= expected + 1e-12).all()
    assert (model.expected_purchases(*history, 78.0) >= expected).all()
    duration = model.expected_duration(*history, 39.0)
    assert ((duration >= 0) & (duration <= 39 * alive + 1e-9)).all()


@each_kind
def test_weighted_sum_is_the_plain_one(models, name):
    model, history = models[name].model, (FREQUENCY[1:], RECENCY[1:], T[1:])
    horizons, weights = np.array([1.0, 10, 52]), np.array([[1.0, 0.5], [0, -1], [2, 0.25]])
    plain = np.stack([model.expected_purchases(*history, horizon) for horizon in horizons], axis=1) @ weights
    np.testing.assert_allclose(model.weighted_expected_purchases(*history, horizons, weights), plain, rtol=1e-9)


@each_kind
def test_counts_of_a_new_customer_add_up(models, name):
    model, counts = models[name].model, np.arange(400)
    shares = model.purchase_count_probability(counts, 39.0)
    assert shares.sum() == pytest.approx(1, abs=1e-6)
    assert shares @ counts == pytest.approx(float(model.new_customer_expected_purchases(39.0)), rel=1e-4)


@each_kind
def test_simulation_agrees_with_the_formulas(models, name):
    model, rng, size = models[name].model, np.random.default_rng(5), 40_000
    customer, time = model.simulate_histories(np.full(size, 39.0), rng)
    counts = np.bincount(customer, minlength=size)
    error = counts.std() / np.sqrt(size)
    assert counts.mean() == pytest.approx(float(model.new_customer_expected_purchases(39.0)), abs=4 * error)
    assert (np.diff(customer) >= 0).all() and (time > 0).all() and (time <= 39).all()
    assert (np.diff(time)[np.diff(customer) == 0] >= 0).all()
    future = model.simulate_purchases(np.full(size, 2.0), np.full(size, 30.0), np.full(size, 38.0), 39.0, rng)
    expected = float(model.expected_purchases(2.0, 30.0, 38.0, 39.0))
    assert future.mean() == pytest.approx(expected, abs=4 * future.std() / np.sqrt(size))
    bought = (future > 0).mean()
    assert bought == pytest.approx(float(model.probability_of_purchase(2.0, 30.0, 38.0, 39.0)), abs=4 / np.sqrt(size))
