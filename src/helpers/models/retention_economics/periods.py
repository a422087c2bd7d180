"""Resamples of periods: a firm's months are few, and each is like the one before."""

from __future__ import annotations

import numpy as np

from helpers.models.resampling import resampled_counts


def resampled_periods(periods: int, resamples: int, block: int = 1, seed: int = 0) -> np.ndarray:
    """Draw periods with replacement: single ones, or runs of them that keep what carries over (Kuensch 1989).

    Parameters
    ----------
    periods : int
    resamples : int
    block : int
        Periods in a run, 1 to `periods`. The last run is cut so that there are as many periods as were observed.
    seed : int

    Returns
    -------
    ndarray, shape (resamples, periods)
        How often each period counts.

    Raises
    ------
    ValueError
        No periods, or a run longer than they are.
    """
    if not 1 <= block <= periods:
        raise ValueError(f"A run holds 1 to {periods} periods, as many as there are; not {block}.")
    if block == 1:
        return np.concatenate(list(resampled_counts(periods, resamples, seed)))
    starts = np.random.default_rng(seed).integers(periods - block + 1, size=(resamples, -(-periods // block)))
    drawn = (starts[:, :, None] + np.arange(block)).reshape(resamples, -1)[:, :periods]
    drawn = drawn + periods * np.arange(resamples)[:, None]
    return np.bincount(drawn.ravel(), minlength=resamples * periods).reshape(resamples, periods).astype(float)
