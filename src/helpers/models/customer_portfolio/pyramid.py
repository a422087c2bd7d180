"""Tiers by rank and by cumulated volume, and how much of the value a few customers hold.

The pyramid of Curry and Curry (2000, The Customer Marketing Method) names the top 1 %, the next 4 %, the next 15 % and
the other 80 % of customers. The ABC classes cut the volume instead: main customers bring its first 80 %, general ones
the next 15 %, sporadic ones the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from helpers.models import proportions
from helpers.models.estimate import Estimate
from helpers.models.lifetime_value.value import gini, share_below_zero

PYRAMID = ("vip", "major", "ordinary", "small")
SHARES = (0.01, 0.04, 0.15, 0.80)  # of customers, the most valuable first
ABC = ("main", "general", "sporadic")
CUTS = (0.8, 0.95)  # of the cumulated volume
TOP = 0.2  # share of customers who by the rule of thumb bring 80 % of the value
STANDINGS = ("gained", "lost", "first", "idle")
GAINED, LOST, FIRST, IDLE = range(4)
ROUNDING = 1e-9  # a sum of shares this close to a whole number of customers is that number


@dataclass(frozen=True, eq=False)
class Ranked:
    """Customers sorted into tiers, the most valuable first.

    Attributes
    ----------
    places : ndarray of int8, shape (customers,)
        The tier of each customer, from 0 for the highest.
    customers : ndarray of int, shape (tiers,)
    lowest : ndarray, shape (tiers,)
        The lowest value in each tier; nan for an empty one.
    tied : ndarray of int, shape (tiers - 1,)
        Customers who share the value at which one tier ends and a lower one begins: only the order in which they came
        decides on which side of that cut each of them lies.
    problem : str
        What the tiers cannot be; empty when they are as asked for.
    """

    places: np.ndarray
    customers: np.ndarray
    lowest: np.ndarray
    tied: np.ndarray
    problem: str


def pyramid(values, shares: Sequence[float] = SHARES) -> Ranked:
    """Sort customers by value into tiers that hold given shares of them.

    The cumulated numbers of customers are rounded up, so there is always someone at the top; of fewer customers than
    the shares ask for, tiers further down may be empty. Of equal values the customer who came first ranks first.

    Parameters
    ----------
    values : array_like, shape (customers,)
        May be negative.
    shares : sequence of float
        Of customers, the most valuable first, 0 or more, that add up to 1.

    Returns
    -------
    Ranked

    Raises
    ------
    ValueError
        No customers, values that are not finite, shares below 0 or that do not add up to 1: a gap or an overlap.
    """
    values, shares = checked_values(values), np.asarray(shares, float)
    if shares.ndim != 1 or not shares.size or not (shares >= 0).all():
        raise ValueError("The share of each tier must be 0 or more.")
    if abs(shares.sum() - 1) > ROUNDING:
        gap = "leave a gap" if shares.sum() < 1 else "overlap"
        raise ValueError(f"The shares of the tiers add up to {shares.sum():.6g}, not 1: the tiers {gap}.")
    size = len(values)
    ends = np.ceil(np.cumsum(shares) * size - ROUNDING * size).astype(int).clip(0, size)
    ends[-1] = size
    order = np.argsort(-values, kind="stable")
    needed = int(np.ceil(1 / shares[shares > 0].min() - ROUNDING))
    few = f"{size} customers are fewer than the {needed} that tiers of these shares need." if size < needed else ""
    return _ranked(values, order, ends, few)


def abc(volume, cuts: Sequence[float] = CUTS) -> Ranked:
    """Sort customers by volume into main, general and sporadic ones.

    From the largest volume down, a customer belongs to the class in which the cumulated volume of those before lies:
    whoever carries it across a cut still belongs above it, so there is a main customer wherever there is volume.

    Parameters
    ----------
    volume : array_like, shape (customers,)
        Traded with each, 0 or more.
    cuts : sequence of float
        Rising shares of the cumulated volume, between 0 and 1.

    Returns
    -------
    Ranked
        Everyone in the last class where there is no volume.

    Raises
    ------
    ValueError
        No customers, volumes that are negative or not finite, cuts that do not rise between 0 and 1.
    """
    volume, cuts = checked_values(volume), np.asarray(cuts, float)
    if (volume < 0).any():
        raise ValueError(f"{(volume < 0).sum()} volumes are negative: the cumulated volume would fall.")
    if cuts.ndim != 1 or not (np.diff(np.concatenate([[0], cuts, [1]])) > 0).all():
        raise ValueError("The cuts must rise, each above 0 and below 1.")
    order = np.argsort(-volume, kind="stable")
    cumulated = np.cumsum(volume[order])
    total = cumulated[-1]
    if total == 0:
        nobody = np.append(np.zeros(len(cuts), int), len(volume))
        return _ranked(volume, order, nobody, "There is no volume, so nobody is above the last class.")
    before = np.append(0, cumulated[:-1]) / total
    return _ranked(volume, order, np.append(np.searchsorted(before, cuts - ROUNDING), len(volume)), "")


def _ranked(values, order, ends, problem: str) -> Ranked:
    """Give places to customers in order, each tier ending before a position."""
    places = np.empty(len(values), np.int8)
    customers = np.diff(ends, prepend=0)
    places[order] = np.repeat(np.arange(len(ends), dtype=np.int8), customers)
    falling = -values[order]
    lowest = np.where(customers > 0, -falling[ends - 1], np.nan)
    inner = ends[:-1].clip(1, len(values) - 1) if len(values) > 1 else np.zeros(len(ends) - 1, int)
    edge = falling[inner - 1]
    tied = np.searchsorted(falling, edge, "right") - np.searchsorted(falling, edge)
    splits = (ends[:-1] > 0) & (ends[:-1] < len(values)) & (falling[inner] == edge)
    return Ranked(places, customers, lowest, np.where(splits, tied, 0), problem)


@dataclass(frozen=True, eq=False)
class TierTotals:
    """Size and amounts of each tier; a dictionary holds one array of shape (tiers,) for each amount.

    Attributes
    ----------
    customers : ndarray of int
    share : ndarray
        Of customers.
    total : dict of str to ndarray
    share_of_total : dict of str to ndarray
        Of what all customers have; nan where that is not positive.
    mean : dict of str to ndarray
        Per customer; nan in an empty tier.
    """

    customers: np.ndarray
    share: np.ndarray
    total: dict[str, np.ndarray]
    share_of_total: dict[str, np.ndarray]
    mean: dict[str, np.ndarray]


def standing(volume, volume_before, group) -> np.ndarray:
    """Tell whether customers hold their place among the comparable ones: whose share of its group's volume fell.

    Parameters
    ----------
    volume, volume_before : array_like, shape (customers,)
        Bought in two stretches of time, 0 or more.
    group : array_like of int, shape (customers,)
        Customers of one number are comparable.

    Returns
    -------
    ndarray of int8, shape (customers,)
        Places in `STANDINGS`: a share at least as large as before, a smaller one, one where there was none before, and
        nothing bought in either stretch.

    Raises
    ------
    ValueError
        No customers, lengths that differ, amounts that are not finite, or below 0.
    """
    volume = checked_values(volume, name="volume")
    before = checked_values(volume_before, len(volume), "volume_before")
    if (volume < 0).any() or (before < 0).any():
        raise ValueError("Volumes are 0 or more.")
    # cross-multiplied, so that a group that bought nothing needs no share
    kept = volume * np.bincount(group, before)[group] >= before * np.bincount(group, volume)[group]
    found = np.where(kept & (volume > 0), GAINED, LOST)
    found[(before == 0) & (volume > 0)] = FIRST
    found[(before == 0) & (volume == 0)] = IDLE
    return found.astype(np.int8)


def totals(places, tiers: int, amounts: Mapping[str, np.ndarray]) -> TierTotals:
    """Add up customers and amounts by tier.

    Parameters
    ----------
    places : array_like of int, shape (customers,)
        The tier of each customer, from 0.
    tiers : int
        How many there are.
    amounts : mapping of str to array_like, shape (customers,)
        Such as sales and profit.

    Returns
    -------
    TierTotals

    Raises
    ------
    ValueError
        No customers, an amount of another length or that is not finite.
    """
    places = np.asarray(places)
    customers = np.bincount(places, minlength=tiers)
    total = {
        name: np.bincount(places, checked_values(amount, len(places), name), minlength=tiers)
        for name, amount in amounts.items()
    }
    everyone = np.where(customers > 0, customers, np.nan)
    return TierTotals(
        customers=customers,
        share=customers / len(places),
        total=total,
        share_of_total={name: row / (row.sum() if row.sum() > 0 else np.nan) for name, row in total.items()},
        mean={name: row / everyone for name, row in total.items()},
    )


@dataclass(frozen=True, eq=False)
class Concentration:
    """How unevenly value is spread over customers.

    Attributes
    ----------
    customers : int
    gini : Estimate of float
        0 when all are worth the same; above 1 is possible with negative values.
    top : float
        Share of customers that the next is about.
    top_share : Estimate of float
        Of all value, held by the most valuable customers.
    below_zero : Estimate of float
        Share of customers of negative value, with Wilson's interval.
    loss_share : Estimate of float
        What the customers of negative value lose, as a share of the profit that the others bring.
    problem : str
        Why a number or an interval is nan; empty when none is.
    """

    customers: int
    gini: Estimate
    top: float
    top_share: Estimate
    below_zero: Estimate
    loss_share: Estimate
    problem: str


def concentration(values, top: float = TOP, level: float = 0.95) -> Concentration:
    """Measure how concentrated value is, with intervals for customers like these.

    The intervals use the influence function: how far each customer moves the estimate. For the Gini coefficient it is
    (E|x - X| - G (x + m)) / m with the mean m (the linearised statistic; Davidson 2009, J. Econometrics 150,
    30-40, has the same variance); for the share T of the top, (max(x - q, 0) + q p - T x) / m with the value q at its
    edge. No customer is drawn, so a million take no longer than sorting them. The interval of the Gini coefficient is
    built on its log about n / (n - 1) times the estimate (Davidson's correction of its bias), that of the other shares
    on the log odds where they lie between 0 and 1, all with Student's quantile. Of 20 customers and more intervals of
    95 % held the truth in about 94 % of simulated samples of exponential and normal values, but only in 85 to 92 % of
    up to 200 log-normal ones of unit spread: of very skewed values, few customers tell little about the largest.

    Parameters
    ----------
    values : array_like, shape (customers,)
        May be negative.
    top : float
        Share of customers, between 0 and 1.
    level : float
        Of the intervals.

    Returns
    -------
    Concentration
        The Gini coefficient and the share of the top are nan when the total is not positive, the loss when nobody
        brings profit; intervals are nan of one customer, of equal customers, and of a loss that nobody makes.

    Raises
    ------
    ValueError
        No customers, values that are not finite, a top of nobody or of everyone.
    """
    values = checked_values(values)
    if not 0 < top < 1:
        raise ValueError(f"top is a share of customers between 0 and 1, not {top}.")
    size, below = len(values), share_below_zero(values)
    unequal, held = _uneven(values, top, level)
    return Concentration(
        customers=size,
        gini=unequal,
        top=top,
        top_share=held,
        below_zero=Estimate(below, *map(float, proportions.wilson(round(below * size), size, level))),
        loss_share=_loss_share(values, level),
        problem=_problem(values),
    )


def _uneven(values, top: float, level: float) -> tuple[Estimate, Estimate]:
    """Return the Gini coefficient and the share of the top."""
    ordered, size, mean = np.sort(values), len(values), values.mean()
    coefficient = gini(ordered)
    if np.isnan(coefficient):
        return _nothing(), _nothing()
    rank = np.arange(1, size + 1)
    apart = ((2 * rank - size) * ordered - 2 * np.cumsum(ordered)) / size + mean  # mean distance to the others
    edge = ordered[size - int(np.ceil(top * size - ROUNDING))]
    beyond = np.maximum(ordered - edge, 0) + edge * top
    held = beyond.mean() / mean
    return (
        _gini_interval(coefficient, (apart - coefficient * (ordered + mean)) / mean, ordered[0] >= 0, level),
        share_interval(held, (beyond - held * ordered) / mean, level),
    )


def _loss_share(values, level: float) -> Estimate:
    lost, brought = np.maximum(-values, 0), np.maximum(values, 0)
    if not brought.any():
        return _nothing()
    share = lost.sum() / brought.sum()
    return share_interval(share, (lost - share * brought) / brought.mean(), level)


def _gini_interval(value: float, influence, at_most_one: bool, level: float) -> Estimate:
    width, size = _half_width(value, influence, level), len(influence)
    if np.isnan(width):
        return Estimate(value, np.nan, np.nan)
    # the correction scales estimate and error alike, so the width on the log scale stays
    low, high = value * size / (size - 1) * np.exp(np.array([-width, width]) / value)
    return Estimate(value, float(low), float(min(high, 1) if at_most_one else high))


def share_interval(value: float, influence, level: float) -> Estimate:
    """Return a share with its interval, on the log odds where it has them.

    Parameters
    ----------
    value : float
        The share.
    influence : ndarray, shape (customers,)
        How far each customer moves it: its standard error is their standard deviation over the root of their number.
    level : float
        Of the interval.

    Returns
    -------
    Estimate of float
        nan ends where nothing varies.
    """
    value, width = float(value), _half_width(value, influence, level)
    if not 0 < value < 1:
        return Estimate(value, value - width, value + width)
    width /= value * (1 - value)
    low, high = special.expit(special.logit(value) + np.array([-width, width]))
    return Estimate(value, float(low), float(high))


def _half_width(value: float, influence, level: float) -> float:
    """Return Student's quantile times the standard error; nan where nothing varies."""
    size = len(influence)
    if size < 2 or np.abs(influence).max() <= ROUNDING * max(abs(value), 1):
        return np.nan
    return float(special.stdtrit(size - 1, (1 + level) / 2) * influence.std(ddof=1) / np.sqrt(size))


def _nothing() -> Estimate:
    return Estimate(np.nan, np.nan, np.nan)


def _problem(values) -> str:
    if values.sum() <= 0:
        return "The total is not positive, so there are no shares of it."
    if len(values) == 1:
        return "There is one customer, so nothing is told of others."
    return "All customers are worth the same, so there are no intervals." if np.ptp(values) == 0 else ""


def checked_values(values, customers: int | None = None, name: str = "values") -> np.ndarray:
    """Return values as floats of shape (customers,).

    Raises
    ------
    ValueError
        No customers, another number of them, values that are missing or infinite.
    """
    values = np.asarray(values, float)
    if values.ndim != 1 or not values.size:
        raise ValueError(f"{name} needs one number for each of at least one customer.")
    if customers is not None and len(values) != customers:
        raise ValueError(f"{name} has {len(values)} customers where the others have {customers}.")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} is missing or infinite for {(~np.isfinite(values)).sum()} customers.")
    return values
