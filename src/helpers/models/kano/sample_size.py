"""How many respondents a class needs: how often fewer of the same people would have given the same one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .rules import by_mode


def same_class_share(
    counts, sizes, rule: Callable[[np.ndarray], np.ndarray] = by_mode, *, draws: int = 2000, seed: int = 1
) -> np.ndarray:
    """Share of subsamples that name the same class as the whole sample.

    Respondents are drawn without replacement, which for one requirement is a multivariate hypergeometric draw from its
    counts. Each row draws from the same seed, so that its result does not depend on which rows stand beside it. The
    whole sample counts as the truth here: near its own size the share tends to 1 whatever that class is worth.

    Parameters
    ----------
    counts : array_like, shape (..., 6)
        Whole numbers.
    sizes : sequence of int
        Respondents in a subsample.
    rule : callable
        From counts (..., 6) to the classes named, of that shape: one of `rules`.
    draws : int
        Subsamples of each size.
    seed : int

    Returns
    -------
    ndarray, shape (..., sizes)
        A subsample in which classes tie counts in part: by the share of them that the whole sample names. Nan for a
        size beyond the sample.

    Raises
    ------
    ValueError
        Counts that are negative or not whole; sizes below 1.
    """
    rows = np.asarray(counts, float)
    if (rows < 0).any() or (rows != np.round(rows)).any():
        raise ValueError("Counts are whole numbers of at least 0.")
    if min(sizes, default=1) < 1:
        raise ValueError("A subsample has at least one respondent.")
    flat = rows.reshape(-1, rows.shape[-1]).astype(int)
    shares = [[_share(row, int(size), rule, draws, seed) for size in sizes] for row in flat]
    return np.array(shares).reshape(*rows.shape[:-1], len(sizes))


def _share(counts: np.ndarray, size: int, rule: Callable, draws: int, seed: int) -> float:
    if size > counts.sum():
        return np.nan
    rng = np.random.default_rng(seed)
    named = rule(rng.multivariate_hypergeometric(counts, size, size=draws, method="marginals"))
    return float(((named & rule(counts)).sum(axis=-1) / np.maximum(named.sum(axis=-1), 1)).mean())
