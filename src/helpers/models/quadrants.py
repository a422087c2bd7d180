"""Four classes of customers by two values of each, and how firmly each customer belongs to theirs.

What the classes are called is the business of those who ask. Where high begins is a rule that is chosen, and moved.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from helpers.models import resampling
from helpers.models.estimate import Estimate

HIGH = ((True, False), (True, True), (False, True), (False, False))  # of each class: whether both values are high
RULES = ("median", "mean", "quantile", "positive", "fixed")
STEPS = (-0.1, -0.05, 0.05, 0.1)  # by which cuts move, as shares of customers

_PLACE = np.empty((2, 2), np.int8)
for _place, _high in enumerate(HIGH):
    _PLACE[tuple(map(int, _high))] = _place


@dataclass(frozen=True)
class Rule:
    """Where high begins.

    Parameters
    ----------
    name : str
        "median", "mean", "quantile" (of the values, at `at`), "positive" (above 0) or "fixed" (above `at`).
    at : float, optional
        Share of customers below the quantile, 0 to 1, or the fixed value in money.

    Raises
    ------
    ValueError
        An unknown name; a quantile or a fixed cut that does not say where.
    """

    name: str = "median"
    at: float | None = None

    def __post_init__(self):
        """Refuse rules that say nothing."""
        if self.name not in RULES:
            raise ValueError(f"A cut is one of {', '.join(RULES)}, not {self.name!r}.")
        if self.name in ("quantile", "fixed") and self.at is None:
            raise ValueError(f"A {self.name} cut has to say where it lies.")
        if self.name == "quantile" and not 0 <= self.at <= 1:
            raise ValueError(f"A quantile lies between 0 and 1, not at {self.at}.")


MEDIAN = Rule()


def cuts(values, rule: Rule = MEDIAN) -> np.ndarray:
    """Place the cut above which values are high.

    Parameters
    ----------
    values : array_like, shape (..., customers)
        The values, or draws of them.
    rule : Rule

    Returns
    -------
    ndarray, shape (...)

    Raises
    ------
    ValueError
        No customers, values that are not numbers.
    """
    values = _values(values)
    if rule.name == "median":
        return np.median(values, axis=-1)
    if rule.name == "mean":
        # in order, or the rounding of the sum would class a customer at the mean by the place in the table
        return np.sort(values, axis=-1).mean(axis=-1, dtype=float)
    if rule.name == "quantile":
        return np.quantile(values, rule.at, axis=-1)
    return np.full(values.shape[:-1], 0.0 if rule.name == "positive" else float(rule.at))


def classify(first, second, first_cut, second_cut) -> np.ndarray:
    """Put customers into classes: high is strictly above the cut.

    So where most have nothing of a value, its median is 0, and whoever has any is high.

    Parameters
    ----------
    first, second : array_like, shape (..., customers)
    first_cut, second_cut : array_like, shape (...)

    Returns
    -------
    ndarray of int8, shape (..., customers)
        Places in `HIGH`.

    Raises
    ------
    ValueError
        No customers, values that are not numbers.
    """
    high = [
        (_values(values) > np.asarray(cut)[..., None]).astype(np.intp)
        for values, cut in ((first, first_cut), (second, second_cut))
    ]
    return _PLACE[high[0], high[1]]


@dataclass(frozen=True, eq=False)
class Totals:
    """Size and value of each class, of shape (4,) in the order of `HIGH`.

    Attributes
    ----------
    customers : ndarray of int
    share : ndarray
        Of customers.
    first, second : ndarray
        Sums in money.
    """

    customers: np.ndarray
    share: np.ndarray
    first: np.ndarray
    second: np.ndarray


def totals(first, second, classes) -> Totals:
    """Add up customers and both values by class."""
    customers = np.bincount(classes, minlength=len(HIGH))
    sums = (np.bincount(classes, values, minlength=len(HIGH)) for values in (first, second))
    return Totals(customers, customers / len(classes), *sums)


@dataclass(frozen=True, eq=False)
class Stability:
    """How customers are classed when their values are drawn.

    Attributes
    ----------
    probability : ndarray of float32, shape (customers, 4)
        Of each class, in the order of `HIGH`.
    own : ndarray of float32, shape (customers,)
        Of the class that the customer was given.
    share : Estimate of ndarray, shape (4,)
        Expected shares of customers, with the interval that the draws give.
    """

    probability: np.ndarray
    own: np.ndarray
    share: Estimate


def stability(
    first_draws: Iterable,
    second_draws: Iterable,
    classes,
    *,
    first_rule: Rule = MEDIAN,
    second_rule: Rule = MEDIAN,
    level: float = 0.95,
) -> Stability:
    """Class customers anew in each draw of their values, with cuts that move as the values do.

    Parameters
    ----------
    first_draws, second_draws : iterable of array_like, shape (customers,)
        The rows of (draws, customers) arrays, or generators of rows: one draw is worked on at a time.
    classes : array_like of int, shape (customers,)
        The class given to each customer.
    first_rule, second_rule : Rule
        A "fixed" rule holds a cut where it is.
    level : float
        Of the interval of shares.

    Returns
    -------
    Stability

    Raises
    ------
    ValueError
        No draws, a different number of both, values that are not numbers.
    """
    classes = np.asarray(classes)
    times, shares = np.zeros((len(HIGH), len(classes)), np.float32), []
    for first, second in zip(first_draws, second_draws, strict=True):
        drawn = classify(first, second, cuts(first, first_rule), cuts(second, second_rule))
        shares.append(np.bincount(drawn, minlength=len(HIGH)) / len(classes))
        for place, counted in enumerate(times):
            counted += drawn == place
    if not shares:
        raise ValueError("Stability needs at least one draw of the values.")
    times /= len(shares)
    low, high = resampling.percentile(shares, level)
    own = np.take_along_axis(times, classes[None].astype(np.intp), axis=0)[0]
    return Stability(times.T, own, Estimate(np.mean(shares, axis=0), low, high))


@dataclass(frozen=True, eq=False)
class MovedCuts:
    """What moving one cut changes; the first axis is the first value, the second value.

    Attributes
    ----------
    steps : ndarray, shape (steps,)
        Share of customers by which the cut was moved up.
    cut : ndarray, shape (2, steps)
        Where it then lies, in money.
    changed : ndarray, shape (2, steps)
        Share of customers who change class.
    share : ndarray, shape (2, steps, 4)
        Share of customers in each class, in the order of `HIGH`.
    """

    steps: np.ndarray
    cut: np.ndarray
    changed: np.ndarray
    share: np.ndarray


def under_moved_cuts(first, second, first_cut: float, second_cut: float, steps=STEPS) -> MovedCuts:
    """Move each cut to neighbouring quantiles of the values, the other staying where it is.

    A cut lies at the quantile given by the share of customers who are not above it; where many have the same value
    (such as 0) a step down may lead to the same cut and change nothing.

    Parameters
    ----------
    first, second : array_like, shape (customers,)
    first_cut, second_cut : float
    steps : sequence of float
        Shares of customers; a cut does not move beyond the lowest or highest value.

    Returns
    -------
    MovedCuts

    Raises
    ------
    ValueError
        No customers, values that are not numbers.
    """
    values, steps = (_values(first), _values(second)), np.asarray(steps, float)
    given = (float(first_cut), float(second_cut))
    moved = []
    for axis in (0, 1):
        at = np.mean(values[axis] <= given[axis])
        moved.append(np.quantile(values[axis], (at + steps).clip(0, 1), method="inverted_cdf"))
    before = classify(*values, *given)
    changed, share = np.empty((2, len(steps))), np.empty((2, len(steps), len(HIGH)))
    for axis, step in np.ndindex(2, len(steps)):
        other = (moved[0][step], given[1]) if axis == 0 else (given[0], moved[1][step])
        after = classify(*values, *other)
        changed[axis, step] = np.mean(after != before)
        share[axis, step] = np.bincount(after, minlength=len(HIGH)) / len(after)
    return MovedCuts(steps, np.stack(moved), changed, share)


def _values(values) -> np.ndarray:
    values = np.asarray(values)
    if not values.size:
        raise ValueError("There are no customers to class.")
    if np.isnan(values).any():
        raise ValueError("A value is missing: a customer without one cannot be classed.")
    return values
