"""Ranks and tops of values in which many may be tied."""

from __future__ import annotations

import numpy as np


def mid_ranks(values) -> np.ndarray:
    """Rank values from 1 for the lowest; those tied share the mean of their ranks.

    Parameters
    ----------
    values : array_like, shape (n,)

    Returns
    -------
    ndarray, shape (n,)
    """
    values = np.asarray(values)
    order = np.argsort(values)
    ordered = values[order]
    starts = np.flatnonzero(np.append(np.ones(min(len(values), 1), bool), ordered[1:] != ordered[:-1]))
    tied = np.diff(starts, append=len(values))
    ranks = np.empty(len(values))
    ranks[order] = np.repeat(starts + (tied + 1) / 2, tied)
    return ranks


def membership(values, ordered, places: int) -> np.ndarray:
    """Tell whether each value is among so many highest of all, in part for those tied at the edge.

    Parameters
    ----------
    values : array_like, shape (m,)
        Everyone's values, or those of some.
    ordered : array_like, shape (n,)
        Everyone's values, rising.
    places : int
        1 to n.

    Returns
    -------
    ndarray, shape (m,)
        1 inside, 0 outside; of those tied at the edge, the share of them for whom there is a place. Over everyone it
        adds up to `places`.
    """
    edge = ordered[-places]
    below, upto = np.searchsorted(ordered, edge), np.searchsorted(ordered, edge, "right")
    left = places - (len(ordered) - upto)
    return (values > edge) + (values == edge) * (left / (upto - below))


def top_membership(values, places: int) -> np.ndarray:
    """Tell whether each of all values is among so many highest, as `membership` does, without sorting them.

    Parameters
    ----------
    values : array_like, shape (n,)
    places : int
        1 to n.

    Returns
    -------
    ndarray of float32, shape (n,)
    """
    values = np.asarray(values)
    edge = np.partition(values, -places)[-places]
    above, tied = values > edge, np.flatnonzero(values == edge)
    inside = above.astype(np.float32)
    inside[tied] = (places - np.count_nonzero(above)) / len(tied)
    return inside
