"""Most valuable, second-tier and below-zero customers, by what they are worth, could be worth and cost to serve.

The tiers of Peppers and Rogers (one-to-one marketing): most valuable customers are worth much now; second-tier
customers are not, and could be; below-zero customers will not earn back what serving them costs. The source names no
tier for the rest, which are "other" here, and publishes no cuts, so those are a rule that is chosen.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from helpers.models import resampling
from helpers.models.estimate import Estimate
from helpers.models.quadrants import Rule, cuts

from .pyramid import checked_values

TOP_FIFTH = Rule("quantile", 0.8)
TIERS = ("most_valuable", "second_tier", "other", "below_zero")
MOST_VALUABLE, SECOND_TIER, OTHER, BELOW_ZERO = range(4)


@dataclass(frozen=True)
class TierRule:
    """Where high begins; two cuts leave no gap between tiers.

    Parameters
    ----------
    high_actual : Rule
        Of actual value less cost to serve.
    high_strategic : Rule
        Of strategic value.
    """

    high_actual: Rule = TOP_FIFTH
    high_strategic: Rule = TOP_FIFTH


DEFAULT = TierRule()


def strategic_value(actual, group, quantile: float = 0.9) -> np.ndarray:
    """Value not yet realised: what the best comparable customers are worth, less what the customer is worth.

    Parameters
    ----------
    actual : array_like, shape (customers,)
        What each customer is worth at today's behaviour, in money.
    group : array_like of int, shape (customers,)
        Customers of one number are comparable.
    quantile : float
        Of actual value in the group that its best customers reach, 0 to 1, interpolated as `numpy.quantile` does it.

    Returns
    -------
    ndarray, shape (customers,)
        Money, 0 for those who are worth as much as the best, and so for whoever is alone in a group.

    Raises
    ------
    ValueError
        No customers, values that are not finite, lengths that differ, a quantile outside 0 to 1.
    """
    actual = checked_values(actual, name="actual")
    if np.shape(group) != actual.shape:
        raise ValueError("Each customer belongs to one group.")
    if not 0 <= quantile <= 1:
        raise ValueError(f"quantile lies between 0 and 1, not at {quantile}.")
    _, group, customers = np.unique(group, return_inverse=True, return_counts=True)
    order = np.argsort(actual)
    # numbers of few bits are sorted digit by digit, several times faster than by comparing both columns
    ordered = actual[order[np.argsort(group[order].astype(np.min_scalar_type(len(customers))), kind="stable")]]
    first = np.cumsum(customers) - customers
    lower = np.floor(place := quantile * (customers - 1)).astype(int)
    low, high = ordered[first + lower], ordered[first + np.minimum(lower + 1, customers - 1)]
    best = low + (place - lower) * (high - low)
    return np.maximum(best[group] - actual, 0)


def tiers(actual, strategic, cost_to_serve, rule: TierRule = DEFAULT) -> np.ndarray:
    """Put each customer into one tier.

    Below zero: actual + strategic < cost to serve. Of the others, most valuable: actual less cost to serve is above
    its cut, for who eats up in service what they bring is worth little. Of the others, second tier: strategic is above
    its cut. The rest: other. High is strictly above a cut, so of customers who are all alike nobody is high.

    Parameters
    ----------
    actual : array_like, shape (customers,)
        Margin realised and expected at today's behaviour, before cost to serve, in money; may be negative.
    strategic : array_like, shape (customers,)
        Potential not yet realised (`strategic_value`), in money, 0 or more.
    cost_to_serve : array_like, shape (customers,) or float
        Over the same time, in money, 0 or more.
    rule : TierRule

    Returns
    -------
    ndarray of int8, shape (customers,)
        Places in `TIERS`.

    Raises
    ------
    ValueError
        No customers, lengths that differ, amounts that are not finite, a negative strategic value or cost.
    """
    actual = checked_values(actual, name="actual")
    strategic = checked_values(strategic, len(actual), "strategic")
    cost = checked_values(_for_each(cost_to_serve, len(actual)), len(actual), "cost_to_serve")
    for name, amount in (("strategic", strategic), ("cost_to_serve", cost)):
        if (amount < 0).any():
            raise ValueError(f"{name} is negative for {(amount < 0).sum()} customers.")
    net = actual - cost
    found = np.full(len(actual), OTHER, np.int8)
    found[strategic > cuts(strategic, rule.high_strategic)] = SECOND_TIER
    found[net > cuts(net, rule.high_actual)] = MOST_VALUABLE
    found[actual + strategic < cost] = BELOW_ZERO
    return found


def _for_each(cost, customers: int) -> np.ndarray:
    return np.full(customers, cost) if np.ndim(cost) == 0 else cost


@dataclass(frozen=True, eq=False)
class TierStability:
    """In which tiers customers are when their values are drawn.

    Attributes
    ----------
    probability : ndarray of float32, shape (customers, 4)
        Of each tier, in the order of `TIERS`.
    own : ndarray of float32, shape (customers,)
        Of the tier that the customer was given.
    share : Estimate of ndarray, shape (4,)
        Expected shares of customers, with the interval that the draws give.
    """

    probability: np.ndarray
    own: np.ndarray
    share: Estimate


def tier_stability(draws: Iterable, own, rule: TierRule = DEFAULT, level: float = 0.95) -> TierStability:
    """Put customers into tiers anew in each draw of their values, with cuts that move as the values do.

    Parameters
    ----------
    draws : iterable of (array_like, array_like, array_like)
        Actual value, strategic value and cost to serve in each draw, as `tiers` takes them: one draw is worked on at a
        time, so a generator holds no more.
    own : array_like of int, shape (customers,)
        The tier given to each customer.
    rule : TierRule
        A "fixed" rule holds a cut where it is.
    level : float
        Of the interval of shares.

    Returns
    -------
    TierStability

    Raises
    ------
    ValueError
        No draws, draws of other customers, and what `tiers` refuses.
    """
    own = np.asarray(own, np.intp)
    times, shares = np.zeros((len(TIERS), len(own)), np.float32), []
    for draw in draws:
        drawn = tiers(*draw, rule)
        if drawn.shape != own.shape:
            raise ValueError(f"A draw has {len(drawn)} customers where there are {len(own)}.")
        shares.append(np.bincount(drawn, minlength=len(TIERS)) / len(own))
        for place, counted in enumerate(times):
            counted += drawn == place
    if not shares:
        raise ValueError("Stability needs at least one draw of the values.")
    times /= len(shares)
    low, high = resampling.percentile(shares, level)
    return TierStability(
        times.T, np.take_along_axis(times, own[None], axis=0)[0], Estimate(np.mean(shares, axis=0), low, high)
    )
