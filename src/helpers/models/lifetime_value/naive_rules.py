"""Rules of thumb that a model has to beat: what a manager would say of the next period without one.

Each is what practice does: see Wuebben and von Wangenheim (2008), "Instant Customer Base Analysis: Managerial
Heuristics Often Get It Right", J. Marketing 72(3), 82-93. All take arrays over customers; times are in one unit.
"""

from __future__ import annotations

import numpy as np

from helpers.models.fit import distinct_rows


def past_rate(frequency, T, length: float) -> np.ndarray:
    """Everyone goes on as before: frequency / T * length, 0 for a customer of no age.

    The straight line that a spreadsheet forecast draws; nobody ever leaves.

    Parameters
    ----------
    frequency, T : array_like, shape (n,)
        Repeat purchases and age.
    length : float
        Length of the period to predict, in the unit of T.

    Returns
    -------
    ndarray, shape (n,)
        Expected purchases.
    """
    frequency, T = np.broadcast_arrays(np.asarray(frequency, float), np.asarray(T, float))
    return np.divide(frequency * length, T, out=np.zeros(T.shape), where=T > 0)


def past_rate_spend(frequency, monetary_value, T, length: float) -> np.ndarray:
    """Everyone goes on spending as before: the past rate of purchases times the customer's own mean spend.

    Parameters
    ----------
    frequency, monetary_value, T : array_like, shape (n,)
        Repeat purchases, their mean amount, and age.
    length : float
        Length of the period to predict, in the unit of T.

    Returns
    -------
    ndarray, shape (n,)
        Expected spend.
    """
    return past_rate(frequency, T, length) * np.asarray(monetary_value, float)


def zero(frequency) -> np.ndarray:
    """Nobody buys again, whether purchases or spend.

    Nobody's practice, but the floor: where most customers do not return, it is hard to beat by mean absolute error.
    """
    return np.zeros(np.shape(frequency))


def last_period(amounts, scale: float = 1.0) -> np.ndarray:
    """The last period repeats itself: what a budget that carries last year forward assumes.

    Parameters
    ----------
    amounts : array_like, shape (n,)
        Repeat purchases, or repeat spend, in the last stretch before the period to predict.
    scale : float
        Length of the period to predict over length of that stretch.

    Returns
    -------
    ndarray, shape (n,)
        Expected purchases, or expected spend.
    """
    return np.asarray(amounts, float) * scale


def past_frequency(frequency, past_spend=None) -> np.ndarray:
    """Rank by past purchases: the frequent buyers are the best customers, as loyalty tiers and mailing lists have it.

    It says who comes first, not how much. Most customers of a young base have the same few purchases, so what settles
    ties decides much of how well it ranks.

    Parameters
    ----------
    frequency : array_like, shape (n,)
        Repeat purchases.
    past_spend : array_like, shape (n,), optional
        Settles ties: of customers of one frequency the one who spent more, the first purchase included, comes first.
        Without it they stay tied.

    Returns
    -------
    ndarray, shape (n,)
        Score to rank by.
    """
    if past_spend is None:
        return np.asarray(frequency, float)
    # distinct pairs are numbered in their order
    _, score = distinct_rows(np.asarray(frequency, float), np.asarray(past_spend, float))
    return score.astype(float)


def hiatus(recency, T, longest: float) -> np.ndarray:
    """A customer is active who has not been away for longer than so long: T - recency <= longest.

    The rule by which firms clear their mailing lists (Wuebben and von Wangenheim 2008). The last purchase may be the
    first: recency is then 0.

    Parameters
    ----------
    recency, T : array_like, shape (n,)
        Time of the last purchase since the first, and age.
    longest : float
        The longest hiatus of an active customer, in the unit of T.

    Returns
    -------
    ndarray of bool, shape (n,)
        Whether the customer counts as active.
    """
    recency, T = np.asarray(recency, float), np.asarray(T, float)
    # whole days in weeks are not exact: a hiatus of just so long must not fail on the last bit
    return T - recency <= longest + 1e-9 * np.maximum(T, 1)
