"""A number that was estimated, with how exactly it is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Estimate:
    """A number, or an array of them, with the interval of each; nan where there is none.

    Attributes
    ----------
    value, low, high : float or ndarray
    """

    value: np.ndarray | float
    low: np.ndarray | float
    high: np.ndarray | float
