"""One of several kinds, drawn for each row."""

from __future__ import annotations

import numpy as np


def chosen(weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw a column for each row, in proportion to the row's weights.

    One random number is used for each row, whatever the weights.

    Parameters
    ----------
    weights : ndarray, shape (rows, columns)
        From 0 up, in each row one at least above 0.
    rng : Generator

    Returns
    -------
    ndarray of int64, shape (rows,)
    """
    cumulated = weights.cumsum(axis=1)
    drawn = rng.random(len(weights)) * cumulated[:, -1]
    return (drawn[:, None] >= cumulated[:, :-1]).sum(axis=1)
