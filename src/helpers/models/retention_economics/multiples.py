"""The arithmetic of loyalty: "one loyal customer is worth ten purchases", "keeping one is worth sixty visits".

The sources derive 60 from 10 and "5 times more": 5 x 10 is 50, and it is (1 + 5) x 10 that is 60.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from helpers.models import resampling
from helpers.models.estimate import Estimate

CLAIMED_PURCHASES = 10
CLAIMED_VALUE = 60


@dataclass(frozen=True, eq=False)
class RepeatPurchases:
    """Repeat purchases to expect of a loyal customer, and how many times those of others that is.

    Attributes
    ----------
    loyal, everyone : Estimate
        Mean of a customer; nan where there is none.
    ratio : Estimate
        Of the two.
    loyal_customers, customers : int
    """

    loyal: Estimate
    everyone: Estimate
    ratio: Estimate
    loyal_customers: int
    customers: int


@dataclass(frozen=True)
class ValueMultiple:
    """Value of kept customers over what keeping costs, in that of new ones over what winning costs: averages.

    Attributes
    ----------
    multiple : Estimate
        (value of a kept customer / cost of keeping) / (value of a new customer / cost of winning); nan where winning
        one is worth nothing.
    undefined_share : float
        Of the draws, in which winning a customer is worth nothing, or a cost is 0.
    """

    multiple: Estimate
    undefined_share: float


def repeat_purchases(expected, loyal, draws=None, level: float = 0.95) -> RepeatPurchases:
    """Compare the purchases to expect of loyal customers with those of all.

    Parameters
    ----------
    expected : array_like, shape (customers,)
        Repeat purchases to expect of each within a horizon.
    loyal : array_like of bool, shape (customers,)
    draws : array_like, shape (draws, customers), optional
        The same under other parameters that the data allow. The intervals are then of the draws; otherwise they say how
        far the means would move with other customers of the same kind, in large samples.
    level : float
        Of the intervals.

    Returns
    -------
    RepeatPurchases

    Raises
    ------
    ValueError
        No customers, expected purchases that are missing or below 0, shapes that differ.
    """
    expected, loyal = np.asarray(expected, float), np.asarray(loyal, bool)
    if expected.ndim != 1 or not expected.size or expected.shape != loyal.shape:
        raise ValueError("Give the expected purchases of at least one customer, and for each whether they are loyal.")
    if not np.all(np.isfinite(expected) & (expected >= 0)):
        raise ValueError("Expected purchases are numbers of at least 0.")
    if draws is None:
        estimates = _of_sample(expected, loyal, level)
    else:
        draws = np.asarray(draws, float)
        if draws.ndim != 2 or draws.shape[1] != len(expected):
            raise ValueError("Draws have one row each, with a number for every customer.")
        values, drawn = _means(expected[None], loyal)[:, 0], _means(draws, loyal)
        estimates = [
            Estimate(float(value), *map(float, resampling.percentile(of_one, level)))
            for value, of_one in zip(values, drawn, strict=True)
        ]
    return RepeatPurchases(*estimates, int(loyal.sum()), len(expected))


def value_multiple(retained_value, retention_cost, new_value, acquisition_cost, level: float = 0.95) -> ValueMultiple:
    """Compare what kept customers bring for their cost with what new ones do; it says nothing of more spend.

    Parameters
    ----------
    retained_value, retention_cost, new_value, acquisition_cost : float or array_like, shape (draws,)
        Value of a customer kept and of one won, and what either costs; numbers, or draws, which then make the interval.
    level : float

    Returns
    -------
    ValueMultiple
        The value is the median of the draws.

    Raises
    ------
    ValueError
        Missing values, costs below 0, numbers of draws that differ.
    """
    parts = [np.asarray(part, float) for part in (retained_value, retention_cost, new_value, acquisition_cost)]
    if any(part.ndim > 1 for part in parts) or len({part.shape for part in parts if part.ndim}) > 1:
        raise ValueError("Values and costs are numbers, or as many draws of each.")
    if not all(np.isfinite(part).all() for part in parts) or (parts[1] < 0).any() or (parts[3] < 0).any():
        raise ValueError("Values and costs are finite numbers, and costs are at least 0.")
    kept, keeping, new, winning = (np.atleast_1d(part) for part in np.broadcast_arrays(*parts))
    defined = (new > 0) & (keeping > 0) & (winning > 0)
    ratio = np.full(len(kept), np.nan)
    np.divide(kept * winning, keeping * new, out=ratio, where=defined)
    low = high = np.nan
    if len(ratio) > 1:
        low, high = map(float, resampling.percentile(ratio, level))
    middle = float(np.median(ratio[defined])) if 2 * defined.sum() >= len(ratio) and defined.any() else np.nan
    return ValueMultiple(Estimate(middle, low, high), float(1 - defined.mean()))


def claimed_products(times: float = 5, purchases: float = CLAIMED_PURCHASES) -> dict[str, float]:
    """Work out both readings of the claim: 5 x 10, and (1 + 5) x 10, which alone is the 60 that the sources name."""
    return {
        f"{times:g} x {purchases:g}": times * purchases,
        f"(1 + {times:g}) x {purchases:g}": (1 + times) * purchases,
    }


def _means(values: np.ndarray, loyal: np.ndarray) -> np.ndarray:
    """Return means of the loyal, of everyone, and their ratio, shape (3, draws); nan where not defined."""
    share = loyal.mean()
    everyone = values.mean(axis=1)
    of_loyal = (values @ loyal) / loyal.sum() if share else np.full(len(values), np.nan)
    return np.stack([of_loyal, everyone, of_loyal / np.where(everyone > 0, everyone, np.nan)])


def _of_sample(expected: np.ndarray, loyal: np.ndarray, level: float) -> list[Estimate]:
    """Return estimates with intervals by the influence of each customer on the mean and on the log of the ratio."""
    of_loyal, everyone, ratio = (float(each) for each in _means(expected[None], loyal)[:, 0])
    size, z = len(expected), special.ndtri((1 + level) / 2)
    on_loyal = loyal * (expected - of_loyal) / loyal.mean() if loyal.any() else np.full(size, np.nan)
    on_everyone = expected - everyone

    def half(influence: np.ndarray, customers: int) -> float:
        """Return half the width, nan with fewer than two customers."""
        return float(z * np.sqrt((influence**2).sum() / (size**2))) if customers > 1 else np.nan

    widths = half(on_loyal, int(loyal.sum())), half(on_everyone, size)
    estimates = [
        Estimate(mean, mean - width, mean + width) for mean, width in zip((of_loyal, everyone), widths, strict=True)
    ]
    if not ratio > 0:
        return [*estimates, Estimate(ratio, np.nan, np.nan)]
    factor = np.exp(half(on_loyal / of_loyal - on_everyone / everyone, int(loyal.sum())))
    return [*estimates, Estimate(ratio, ratio / factor, ratio * factor)]
