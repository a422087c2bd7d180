"""Shares of people, and how exactly a sample tells them."""

from __future__ import annotations

import numpy as np
from scipy import special


def wilson(successes, trials, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Interval of a share by the score test (Wilson 1927, J. American Statistical Association 22).

    Parameters
    ----------
    successes, trials : array_like
        Of one shape, or broadcast. Weighted samples give their effective numbers, which need not be whole.
    level : float
        Of the interval.

    Returns
    -------
    low, high : ndarray
        Nan where there are no trials.

    Raises
    ------
    ValueError
        Successes outside 0..trials.
    """
    successes, trials = np.broadcast_arrays(np.asarray(successes, float), np.asarray(trials, float))
    if ((successes < 0) | (successes > trials)).any():
        raise ValueError("successes must lie between 0 and trials.")
    trials = np.where(trials > 0, trials, np.nan)
    share, squared = successes / trials, special.ndtri((1 + level) / 2) ** 2 / trials
    half = np.sqrt(squared * share * (1 - share) + squared**2 / 4)
    low, high = ((share + squared / 2 + sign * half) / (1 + squared) for sign in (-1, 1))
    # none or all: the bound is the share itself, but for rounding
    return np.where(successes == 0, share, low), np.where(successes == trials, share, high)


def exclusive_difference(first, second, trials) -> tuple[np.ndarray, np.ndarray]:
    """Difference of the shares of two groups that exclude each other in one sample, as promoters and detractors do.

    The variance is that of a variable that is 1 in the first group, -1 in the second and 0 elsewhere:
    (p + q - (p - q)^2) / n.

    Parameters
    ----------
    first, second, trials : array_like
        People in each of the groups and in all; of one shape, or broadcast.

    Returns
    -------
    difference, standard_error : ndarray
        Nan where there are no trials.

    Raises
    ------
    ValueError
        A group below 0, or both together larger than the sample.
    """
    first, second, trials = np.broadcast_arrays(*(np.asarray(people, float) for people in (first, second, trials)))
    if ((first < 0) | (second < 0) | (first + second > trials * (1 + 1e-12))).any():
        raise ValueError("The two groups must not be negative, nor together larger than the sample.")
    trials = np.where(trials > 0, trials, np.nan)
    difference, either = (first - second) / trials, (first + second) / trials
    return difference, np.sqrt(np.maximum(either - difference**2, 0) / trials)
