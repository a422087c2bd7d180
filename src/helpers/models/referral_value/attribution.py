"""Who is credited with whose value: referrals as a graph of customers, walked over generations."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph


def loops(referrer, referee, customers: int) -> np.ndarray:
    """Find the referrals that lie on a loop: customers who brought themselves, directly or through others.

    Two customers lead to each other where they are of one strongly connected component (Tarjan 1972, SIAM J. Computing
    1, 146-160).

    Parameters
    ----------
    referrer, referee : array_like of int, shape (referrals,)
        Places of customers, 0 to customers - 1.
    customers : int

    Returns
    -------
    ndarray of int, shape (referrals,)
        Number of the loop that a referral is part of, from 0; -1 for those on none.

    Raises
    ------
    ValueError
        Arrays of different shapes, places that are no customers.
    """
    referrer, referee = _edges(referrer, referee, customers)
    graph = sparse.csr_array((np.ones(len(referrer)), (referrer, referee)), shape=(customers, customers))
    _, component = csgraph.connected_components(graph, directed=True, connection="strong")
    found = np.full(len(referrer), -1)
    looping = component[referrer] == component[referee]  # a self-referral, too, stays within its component
    found[looping] = np.unique(component[referrer[looping]], return_inverse=True)[1]
    return found


def credit(
    referrer, referee, customers: int, *, weight=None, passing=None, generations: int = 1, decay: float = 0.5
) -> sparse.csr_matrix:
    """Share of each customer's value that is credited to each customer who brought them.

    With B the matrix of direct referrals and P the same times `passing`, generation g counts (decay P)^(g - 1) B: those
    whom one brought count in full, those whom these brought by `decay`, and so on. Where several paths lead to a
    customer they add up.

    Parameters
    ----------
    referrer, referee : array_like of int, shape (referrals,)
        Places of customers, 0 to customers - 1.
    customers : int
    weight : array_like, shape (referrals,), optional
        Credit of a direct referral, at least 0; 1 by default. A customer brought by several gives each of them a part
        of 1; with more than 1 in all, the same value is credited more than once.
    passing : array_like, shape (referrals,), optional
        Part of the credit for whom the referee brings that goes on to the referrer, 0 to 1; 1 by default. It is the
        probability that the referee would not have come otherwise: who would have come anyway would have brought the
        others, too.
    generations : int
        How far the walk goes: 1 credits direct referrals only. It ends where the tree does.
    decay : float
        Credit that is left from one generation to the next, 0 to 1.

    Returns
    -------
    scipy.sparse.csr_matrix, shape (customers, customers)
        Row i, column j: the share of customer j's value that is credited to customer i.

    Raises
    ------
    ValueError
        A loop (remove it first: `loops`), arrays of different shapes, places that are no customers, a negative weight,
        a part outside 0 to 1 that goes on, fewer than one generation, a decay outside 0 to 1.
    """
    on_loop = int((loops(referrer, referee, customers) >= 0).sum())
    if on_loop:
        raise ValueError(f"{on_loop} referrals lie on a loop, where credit would go round for ever: remove them first.")
    if generations < 1 or not 0 <= decay <= 1:
        raise ValueError(f"Credit needs at least one generation and a decay of 0 to 1, not {generations} and {decay}.")
    referrer, referee = _edges(referrer, referee, customers)
    weight, passing = _weights(weight, passing, len(referrer))
    direct = sparse.csr_matrix((weight, (referrer, referee)), shape=(customers, customers))
    onward = sparse.csr_matrix((decay * weight * passing, (referrer, referee)), shape=(customers, customers))
    total = generation = direct
    for _ in range(generations - 1):
        generation = onward @ generation
        if not generation.count_nonzero():
            break
        total = total + generation
    return total


def carried(
    referrer, referee, amounts, customers: int, *, weight=None, passing=None, generations: int = 1, decay: float = 0.5
) -> np.ndarray:
    """Credit amounts of referrals over generations: `credit` times the amounts, without the matrix.

    What differs from draw to draw, as `passing` does where types are drawn, is walked anew at little cost.

    Parameters
    ----------
    referrer, referee, customers, weight, passing, generations, decay
        As in `credit`; that there is no loop is not looked for again.
    amounts : array_like, shape (referrals,)

    Returns
    -------
    ndarray, shape (customers,)
    """
    weight, passing = _weights(weight, passing, len(referrer))
    worth = np.bincount(referee, amounts, minlength=customers)
    total = direct = np.bincount(referrer, weight * worth[referee], minlength=customers)
    onward = decay * weight * passing
    for _ in range(generations - 1):
        further = direct + np.bincount(referrer, onward * total[referee], minlength=customers)
        if (further == total).all():
            break
        total = further
    return total


def generations(referrer, referee, customers: int) -> np.ndarray:
    """Count the referrals that lead to each customer from someone whom nobody brought.

    Parameters
    ----------
    referrer, referee : array_like of int, shape (referrals,)
    customers : int

    Returns
    -------
    ndarray of int, shape (customers,)
        0: nobody brought them. With several referrers the longest way counts.

    Raises
    ------
    ValueError
        When there are loops.
    """
    referrer, referee = _edges(referrer, referee, customers)
    if (loops(referrer, referee, customers) >= 0).any():
        raise ValueError("Referrals lead back to the same customer; take the loops out first.")
    depth = np.zeros(customers, int)
    while True:
        further = depth.copy()
        np.maximum.at(further, referee, depth[referrer] + 1)
        if (further == depth).all():
            return depth
        depth = further


def _edges(referrer, referee, customers: int) -> tuple[np.ndarray, np.ndarray]:
    referrer, referee = np.asarray(referrer), np.asarray(referee)
    if referrer.ndim != 1 or referrer.shape != referee.shape:
        raise ValueError("referrer and referee must be one-dimensional and of one length.")
    places = np.concatenate([referrer, referee])
    if len(places) and (places.dtype.kind not in "iu" or places.min() < 0 or places.max() >= customers):
        raise ValueError(f"Referrers and referees are places of customers: whole numbers of 0 to {customers - 1}.")
    return referrer.astype(np.int64), referee.astype(np.int64)


def _weights(weight, passing, referrals: int) -> tuple[np.ndarray, np.ndarray]:
    weight, passing = (np.ones(referrals) if part is None else np.asarray(part, float) for part in (weight, passing))
    if weight.shape != (referrals,) or not (np.isfinite(weight) & (weight >= 0)).all():
        raise ValueError("weight must be one number of at least 0 for each referral.")
    if passing.shape != (referrals,) or not ((passing >= 0) & (passing <= 1)).all():
        raise ValueError("passing must be one number of 0 to 1 for each referral.")
    return weight, passing
