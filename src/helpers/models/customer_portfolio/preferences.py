"""What groups of customers prefer: shares of categories in what they bought, and how many of them buy each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from helpers.models.estimate import Estimate
from helpers.models.proportions import wilson

from .pyramid import share_interval


@dataclass(frozen=True, eq=False)
class Preferences:
    """What each group bought, of shape (groups, categories) unless said otherwise.

    Attributes
    ----------
    customers : ndarray of int, shape (groups,)
    buyers : ndarray of int
        Customers of the group who bought the category at all.
    reach : Estimate of ndarray
        They as a share of the group, with Wilson's interval.
    share : Estimate of ndarray
        Of the amounts of the group; nan where it bought nothing.
    evenness : Estimate of ndarray, shape (groups,)
        Shannon's entropy of the shares over its maximum: 0 where one category is all, 1 where all are alike.
    """

    customers: np.ndarray
    buyers: np.ndarray
    reach: Estimate
    share: Estimate
    evenness: Estimate


def preferences(amounts, group, groups: int, level: float = 0.95) -> Preferences:
    """Tell what groups of customers buy.

    A share is a ratio of sums over customers, sum x_ij / sum x_i, and moves with customer i by (x_ij - p_j x_i) over
    the mean of x (linearised): what one customer buys counts as one, however many lines it has.
    The entropy -sum p_j ln p_j / ln k moves by -sum_j ln p_j (x_ij - p_j x_i) / (mean x ln k).

    Parameters
    ----------
    amounts : array_like, shape (customers, categories)
        Spent on each category, 0 or more.
    group : array_like of int, shape (customers,)
        Places of the groups.
    groups : int
        How many there are.
    level : float
        Of the intervals.

    Returns
    -------
    Preferences

    Raises
    ------
    ValueError
        No categories, amounts below 0 or not finite, another number of customers.
    """
    amounts, group = np.asarray(amounts, float), np.asarray(group)
    if amounts.ndim != 2 or not amounts.shape[1] or len(group) != len(amounts):
        raise ValueError("Amounts have a row for each customer, who is in one group, and a column for each category.")
    if not (np.isfinite(amounts) & (amounts >= 0)).all():
        raise ValueError("Amounts are numbers from 0 up.")
    members = [amounts[group == place] for place in range(groups)]
    customers = np.array([len(own) for own in members])
    buyers = np.array([(own > 0).sum(axis=0) for own in members]).reshape(groups, -1)
    shares, evenness = zip(*(_of_group(own, level) for own in members), strict=True)
    size = np.broadcast_to(customers[:, None], buyers.shape)
    reach = np.divide(buyers, size, out=np.full(size.shape, np.nan), where=size > 0)
    return Preferences(
        customers,
        buyers,
        Estimate(reach, *wilson(buyers, size, level)),
        Estimate(*np.moveaxis(np.array(shares), -1, 0)),
        Estimate(*np.array(evenness).T),
    )


def _of_group(own: np.ndarray, level: float) -> tuple[list, tuple]:
    """Return value, low and high of each share, and those of the evenness."""
    spent = own.sum(axis=1)
    if not spent.sum() > 0:
        return [(np.nan,) * 3] * own.shape[1], (np.nan,) * 3
    share = own.sum(axis=0) / spent.sum()
    influence = (own - spent[:, None] * share) / spent.mean()
    found = [share_interval(float(one), moved, level) for one, moved in zip(share, influence.T, strict=True)]
    told = share > 0
    most = np.log(max(len(share), 2))
    logs = np.log(share[told])
    evenness = share_interval(float(-share[told] @ logs / most), -influence[:, told] @ logs / most, level)
    return [_ends(one) for one in found], _ends(evenness)


def _ends(estimate: Estimate) -> tuple[float, float, float]:
    return estimate.value, estimate.low, estimate.high
