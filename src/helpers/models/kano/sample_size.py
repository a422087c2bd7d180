"""How many respondents a class needs: how often so many of such people would have given the same one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .rules import by_mode


def same_class_share(
    counts, sizes, rule: Callable[[np.ndarray], np.ndarray] = by_mode, *, draws: int = 2000, seed: int = 1
) -> np.ndarray:
    """Share of new samples that name the same class as the one at hand.

    Respondents are drawn with replacement, which for one requirement is a multinomial draw at its observed shares: as
    if these were the shares of all people. Without replacement a draw as large as the sample would be the sample, and
    name its class however little that is worth. Each row draws from the same seed, so that its result does not depend
    on which rows stand beside it. The class at hand counts as the truth: whether it is, the curve cannot say.

    Parameters
    ----------
    counts : array_like, shape (..., 6)
        Whole numbers.
    sizes : sequence of int
        Respondents in a new sample. Beyond the number at hand it is an extrapolation: it grows certain of the class at
        hand, but no more certain that this class is right.
    rule : callable
        From counts (..., 6) to the classes named, of that shape: one of `rules`.
    draws : int
        Samples of each size.
    seed : int

    Returns
    -------
    ndarray, shape (..., sizes)
        A sample in which classes tie counts in part: by the share of them that the one at hand names. Nan where nobody
        answered.

    Raises
    ------
    ValueError
        Counts that are negative or not whole; sizes below 1.
    """
    rows = np.asarray(counts, float)
    if (rows < 0).any() or (rows != np.round(rows)).any():
        raise ValueError("Counts are whole numbers of at least 0.")
    if min(sizes, default=1) < 1:
        raise ValueError("A sample has at least one respondent.")
    flat = rows.reshape(-1, rows.shape[-1]).astype(int)
    shares = [[_share(row, int(size), rule, draws, seed) for size in sizes] for row in flat]
    return np.array(shares).reshape(*rows.shape[:-1], len(sizes))


def _share(counts: np.ndarray, size: int, rule: Callable, draws: int, seed: int) -> float:
    if not counts.any():
        return np.nan
    named = rule(np.random.default_rng(seed).multinomial(size, counts / counts.sum(), size=draws))
    return float(((named & rule(counts)).sum(axis=-1) / np.maximum(named.sum(axis=-1), 1)).mean())
