import numpy as np
import pandas as pd
import pytest

from helpers.models.lifetime_value.gamma_gamma import fit_gamma_gamma
from helpers.models.lifetime_value.purchase_models.bg_nbd import BGNBD, fit_bg_nbd
from helpers.synthetic.transactions import transactions

TRUTH = {"r": 0.5, "alpha": 6.0, "a": 0.9, "b": 3.0, "p": 6.0, "q": 4.0, "v": 15.0}


@pytest.fixture(scope="module")
def firm():
    return transactions(40_000, 11, **TRUTH)


def test_tables_keep_their_contract(firm):
    purchases, truth = firm
    assert list(purchases.columns) == ["customer_id", "date", "amount"]
    assert len(truth) == 40_000 and truth["customer_id"].is_unique
    assert set(purchases["customer_id"]) == set(truth["customer_id"])
    assert purchases["date"].is_monotonic_increasing
    assert (purchases["date"] == purchases["date"].dt.normalize()).all()
    assert purchases["date"].min() == pd.Timestamp("2023-01-01")
    assert purchases["date"].max() == pd.Timestamp("2023-01-01") + pd.Timedelta(days=545)
    assert (purchases["amount"] >= 0.01).all()
    np.testing.assert_allclose(purchases["amount"] * 100, np.round(purchases["amount"] * 100))
    first = purchases.groupby("customer_id")["date"].min()
    assert (first.to_numpy() == truth["first_date"].to_numpy()).all()


def test_seed_decides_everything():
    for one, other in zip(transactions(500, 3), transactions(500, 3), strict=True):
        pd.testing.assert_frame_equal(one, other)
    assert not transactions(500, 3)[0].equals(transactions(500, 4)[0])


def test_numbers_of_purchases_are_those_of_the_model(firm):
    purchases, truth = firm
    repeats = purchases.groupby("customer_id").size().to_numpy() - 1
    model = BGNBD(*(TRUTH[name] for name in ("r", "alpha", "a", "b")))
    # first purchases are spread evenly over their day, so the middle of the day stands for it
    days = (pd.Timestamp("2023-01-01") - truth["first_date"]).dt.days.to_numpy() + 545.5
    horizon, customers = np.unique(days / 7, return_counts=True)
    for count in (0, 1, 3, 10):
        expected = model.purchase_count_probability(count, horizon) @ customers
        actual = np.sum(repeats == count)
        assert abs(actual - expected) < 4 * np.sqrt(expected), count


def test_truth_is_what_happened(firm):
    purchases, truth = firm
    alive = truth["alive_at_end"].to_numpy()
    repeats = purchases.groupby("customer_id").size().to_numpy() - 1
    assert np.all(alive[repeats == 0])  # nobody leaves before a repeat purchase
    assert 0.2 < alive.mean() < 0.9
    steady = alive & (truth["rate"].to_numpy() > 0.05)
    expected = truth["rate"] * (truth["first_date"].max() - truth["first_date"] + pd.Timedelta("462D")).dt.days / 7
    assert repeats[~alive].sum() < expected[~alive].sum() / 2
    assert repeats[steady].sum() > expected[steady].sum() / 2
    spend = purchases.groupby("customer_id")["amount"].mean().to_numpy()
    many = repeats >= 20
    np.testing.assert_allclose(np.median(spend[many] / truth["mean_spend"].to_numpy()[many]), 1, atol=0.02)


def test_models_recover_the_truth(firm):
    """From whole days in place of moments, so within a few per cent."""
    purchases, _ = firm
    daily = purchases.groupby(["customer_id", "date"], as_index=False)["amount"].sum()
    daily["order"] = daily.groupby("customer_id").cumcount()
    dates = daily.groupby("customer_id")["date"].agg(["min", "max", "size"])
    end = purchases["date"].max()
    frequency = dates["size"].to_numpy() - 1
    recency = (dates["max"] - dates["min"]).dt.days.to_numpy() / 7
    fit = fit_bg_nbd(frequency, recency, (end - dates["min"]).dt.days.to_numpy() / 7)
    np.testing.assert_allclose(fit.estimates, [TRUTH[name] for name in fit.names], rtol=0.12)
    spend = daily[daily["order"] > 0].groupby("customer_id")["amount"].mean()
    fit = fit_gamma_gamma(frequency[frequency > 0], spend.to_numpy())
    # two purchases of one day are summed, which widens the spend of the frequent a little
    np.testing.assert_allclose(fit.estimates, [TRUTH[name] for name in fit.names], rtol=0.25)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"customers": 0}, "customers must be positive"),
        ({"alpha": -1}, "alpha must be positive"),
        ({"acquisition_days": 0}, "acquisition_days"),
        ({"acquisition_days": 700}, "acquisition_days"),
    ],
)
def test_impossible_firms_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        transactions(**{"customers": 10, "seed": 0} | change)
