"""Cumulative incidence by the lifelines package; its only importer.

Of lifelines 0.30.3 both the estimate and the variance are exact where customers leave on the same day by several
causes. It does not trust itself there and moves times at random instead, which makes an event of each row of a summary,
puts some who leave after those last seen on that day, and reseeds NumPy for the whole process; so it is not allowed to.
What happens at time 0 it loses, so time starts at 1 here.
"""

from __future__ import annotations

import numpy as np
from lifelines import AalenJohansenFitter


class _ExactTies(AalenJohansenFitter):
    """The estimator that takes times as they are."""

    @staticmethod
    def _check_for_duplicates(durations, events) -> bool:
        return False


def cumulative_incidence(duration, cause, weights, of_interest: int, level: float) -> tuple[np.ndarray, ...]:
    """Aalen-Johansen estimator of one cause.

    Parameters
    ----------
    duration : array_like, shape (n,)
        From 0 up.
    cause : array_like of int, shape (n,)
        0: last seen as a customer.
    weights : array_like, shape (n,)
        Customers in each row.
    of_interest : int
        The cause.
    level : float
        Of the intervals, by the delta method on log(-log): they lie within 0 and 1.

    Returns
    -------
    time, value, low, high : ndarray, shape (distinct durations,)
        The bounds are nan until someone has left for that cause, and where the last customers at risk have left.
    """
    fitter = _ExactTies(alpha=1 - level)
    with np.errstate(divide="ignore", invalid="ignore"):
        fitter.fit(np.asarray(duration, float) + 1, np.asarray(cause), of_interest, weights=np.asarray(weights, float))
    value = fitter.cumulative_density_.iloc[1:, 0]
    low, high = np.sort(fitter.confidence_interval_.to_numpy()[1:], axis=1).T
    return value.index.to_numpy() - 1, value.to_numpy(), low, high
