"""Recency, frequency and monetary scores in fifths, and the grid of the first two (after Hughes 1994).

A. M. Hughes: Strategic Database Marketing (1994). The three scores are given independently of each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from helpers.models.ranks import mid_ranks

from .pyramid import checked_values

GROUPS = 5
SCORES = ("recency", "frequency", "monetary")


@dataclass(frozen=True, eq=False)
class Rfm:
    """Scores of each customer, 1 to 5, 5 being best, and what the cells of the grid hold.

    Attributes
    ----------
    recency, frequency, monetary : ndarray of int8, shape (customers,)
    cell : ndarray of int16, shape (customers,)
        The three as digits: 555 for the best.
    groups : dict of str to int
        How many different scores each measure was given.
    customers : ndarray of int, shape (5, 5)
        By recency and frequency score, each from 1.
    share : ndarray, shape (5, 5)
        Of customers.
    mean_monetary : ndarray, shape (5, 5)
        Nan in an empty cell.
    share_of_monetary : ndarray, shape (5, 5)
        Of the sum over customers; nan where that is not positive.
    problem : str
        Which measures tell fewer than five groups apart, or why shares are nan; empty when none.
    """

    recency: np.ndarray
    frequency: np.ndarray
    monetary: np.ndarray
    cell: np.ndarray
    groups: dict[str, int]
    customers: np.ndarray
    share: np.ndarray
    mean_monetary: np.ndarray
    share_of_monetary: np.ndarray
    problem: str


def rfm(time_since_purchase, frequency, monetary) -> Rfm:
    """Score customers in fifths by how recently, how often and for how much they bought.

    Parameters
    ----------
    time_since_purchase : array_like, shape (customers,)
        From the last purchase to the end of observation, in any unit: less is better. It is not the recency of the
        purchase models, which runs from the first to the last purchase.
    frequency : array_like, shape (customers,)
        Purchases.
    monetary : array_like, shape (customers,)
        Spent, in all or per purchase.

    Returns
    -------
    Rfm

    Raises
    ------
    ValueError
        No customers, lengths that differ, values that are not finite, a negative time or frequency.
    """
    since = checked_values(time_since_purchase, name="time_since_purchase")
    often = checked_values(frequency, len(since), "frequency")
    money = checked_values(monetary, len(since), "monetary")
    if (since < 0).any() or (often < 0).any():
        raise ValueError("A time since the last purchase and a number of purchases cannot be negative.")
    scores = dict(zip(SCORES, map(scored, (-since, often, money)), strict=True))
    cell = scores["recency"] * np.int16(100) + scores["frequency"] * np.int16(10) + scores["monetary"]
    square = (scores["recency"] - 1) * GROUPS + (scores["frequency"] - 1)
    customers, total = (np.bincount(square, row, minlength=GROUPS**2).reshape(GROUPS, GROUPS) for row in (None, money))
    groups = {name: len(np.unique(score)) for name, score in scores.items()}
    return Rfm(
        **scores,
        cell=cell,
        groups=groups,
        customers=customers,
        share=customers / len(since),
        mean_monetary=total / np.where(customers > 0, customers, np.nan),
        share_of_monetary=total / (money.sum() if money.sum() > 0 else np.nan),
        problem=_problem(groups, money),
    )


def scored(values, groups: int = GROUPS) -> np.ndarray:
    """Score values by the fifth in which the middle of their rank lies; equal values get equal scores.

    A value that many customers share spans several fifths and gets the score of its middle, so that some scores are
    given to nobody: of two values of half the customers each, 2 and 4; of one value, 3.

    Parameters
    ----------
    values : array_like, shape (customers,)
    groups : int
        2 to 9.

    Returns
    -------
    ndarray of int8, shape (customers,)
        1 to `groups`, more for higher values.

    Raises
    ------
    ValueError
        Another number of groups.
    """
    if not 2 <= groups <= 9:
        raise ValueError(f"A score is one digit: 2 to 9 groups, not {groups}.")
    values = np.asarray(values)
    middle = np.rint(2 * mid_ranks(values) - 1).astype(np.int64)  # in half customers, so whole numbers decide
    return (groups * middle // (2 * len(values)) + 1).astype(np.int8)


def _problem(groups: dict[str, int], money) -> str:
    reasons = [
        f"Equal values of {name} leave {count} of {GROUPS} scores." for name, count in groups.items() if count < GROUPS
    ]
    if money.sum() <= 0:
        reasons.append("The money spent is not positive in all, so there are no shares of it.")
    return " ".join(reasons)
