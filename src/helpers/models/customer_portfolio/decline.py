"""Reinvest in a customer in decline, or let go: the rule of expected value.

The sources leave two ways open: invest more, restore the relationship and develop it a second time; or stop investing
and gradually give these customers up. J. S. Thomas, R. C. Blattberg, E. J. Fox: "Recapturing Lost Customers" (2004),
Journal of Marketing Research 41(1), 31-45, is on winning customers back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from helpers.models import resampling
from helpers.models.estimate import Estimate

REINVEST, LET_GO = "reinvest", "let go"
BY_VALUE, EVERYONE, NOBODY = "by expected value", "reinvest in everyone", "let everyone go"


@dataclass(frozen=True, eq=False)
class Total:
    """What a rule costs and brings.

    Attributes
    ----------
    customers : int
        In whom it reinvests.
    spend : float
    gain : Estimate of float
        Expected value won back less spend; without draws there is no interval.
    """

    customers: int
    spend: float
    gain: Estimate


@dataclass(frozen=True, eq=False)
class Decision:
    """What to do about each customer in decline; arrays of shape (n,).

    Attributes
    ----------
    gain : ndarray
        Expected value won back less cost.
    break_even_response : ndarray
        Response at which the gain is 0. Above 1 no response is enough; infinite where there is nothing to win.
    reinvest : ndarray of bool
        Whether the gain is above 0.
    probability_of_gain : ndarray
        Share of the draws in which the gain is above 0; nan without draws.
    totals : dict of str to Total
        By rule: by expected value, and the two that need no numbers: everyone, nobody.
    """

    gain: np.ndarray
    break_even_response: np.ndarray
    reinvest: np.ndarray
    probability_of_gain: np.ndarray
    totals: dict[str, Total]

    @property
    def action(self) -> np.ndarray:
        """`REINVEST` or `LET_GO` for each customer."""
        return np.where(self.reinvest, REINVEST, LET_GO)


def decide(value_if_alive, response, cost, *, draws: Iterable | None = None, level: float = 0.95) -> Decision:
    """Reinvest where response x value_if_alive exceeds cost.

    Parameters
    ----------
    value_if_alive : array_like, shape (n,)
        Future value of the customer who is won back, less what is given away for it.
    response : array_like, shape (n,) or ()
        By how much reinvesting raises the probability that the customer comes back. Who would come back anyway is not
        won back: set against customers left alone, not against 0.
    cost : array_like, shape (n,) or ()
        Of reinvesting, whether it works or not.
    draws : iterable of (array_like, array_like), optional
        Pairs (value_if_alive, response), one for each draw; each of shape (n,) or ().
    level : float
        Of the percentile intervals of the totals. They are those of the rule as chosen by the point estimates.

    Returns
    -------
    Decision

    Raises
    ------
    ValueError
        Anything that is not a finite number, a response outside 0 to 1, a negative cost.
    """
    value, response, cost = np.broadcast_arrays(
        *(np.atleast_1d(np.asarray(each, float)) for each in (value_if_alive, response, cost))
    )
    _check(value, response)
    if not (np.isfinite(cost) & (cost >= 0)).all():
        raise ValueError("cost must be a number from 0 up.")
    gain = response * value - cost
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        break_even = np.where(value > 0, cost / value, np.inf)
    rules = {BY_VALUE: gain > 0, EVERYONE: np.ones(len(gain), bool), NOBODY: np.zeros(len(gain), bool)}
    above, summed = np.zeros(len(gain)), []
    for drawn_value, drawn_response in draws if draws is not None else ():
        drawn_value, drawn_response = np.asarray(drawn_value, float), np.asarray(drawn_response, float)
        _check(drawn_value, drawn_response)
        drawn = drawn_response * drawn_value - cost
        above += drawn > 0
        summed.append([drawn[chosen].sum() for chosen in rules.values()])
    low, high = resampling.percentile(summed, level) if summed else np.full((2, len(rules)), np.nan)
    return Decision(
        gain=gain,
        break_even_response=break_even,
        reinvest=rules[BY_VALUE],
        probability_of_gain=above / len(summed) if summed else np.full(len(gain), np.nan),
        totals={
            name: Total(
                customers=int(chosen.sum()),
                spend=float(cost[chosen].sum()),
                gain=Estimate(float(gain[chosen].sum()), float(low[place]), float(high[place])),
            )
            for place, (name, chosen) in enumerate(rules.items())
        },
    )


def _check(value, response) -> None:
    if not np.isfinite(value).all():
        raise ValueError("value_if_alive must be a finite number for every customer.")
    if not ((response >= 0) & (response <= 1)).all():
        raise ValueError("response must be a probability of 0 to 1.")
