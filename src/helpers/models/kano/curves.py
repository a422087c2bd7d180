"""Satisfaction as a curve of fulfilment, through Worse where nothing is fulfilled and Better where everything is."""

from __future__ import annotations

import numpy as np

from .evaluation import ATTRACTIVE, MUST_BE, ONE_DIMENSIONAL


def satisfaction(classes, better, worse, fulfilment) -> np.ndarray:
    """Satisfaction at degrees of fulfilment (Wang and Ji 2010).

    Worse + (Better - Worse) g(x) with g(x) = x for one-dimensional requirements, (e^x - 1) / (e - 1) for attractive
    ones, which rise late, and e (1 - e^-x) / (e - 1) for must-be ones, which rise early. The form of the curve is
    assumed from the class, not measured.

    Parameters
    ----------
    classes : array_like of int, shape (...)
        Places in `CLASSES`.
    better, worse : array_like, shape (...)
        In [0, 1] and in [-1, 0].
    fulfilment : array_like, shape (points,)
        From 0 to 1.

    Returns
    -------
    ndarray, shape (..., points)
        Nan for classes that have no curve: indifferent, reverse, questionable.

    Raises
    ------
    ValueError
        Fulfilment outside 0 to 1; Better below 0 or Worse above 0, as where its sign was left out.
    """
    classes, better, worse = (np.asarray(values)[..., None] for values in (classes, better, worse))
    x = np.asarray(fulfilment, float)
    if ((x < 0) | (x > 1)).any():
        raise ValueError("Fulfilment lies between 0 and 1.")
    if (better < 0).any() or (worse > 0).any():
        raise ValueError("Better lies between 0 and 1, Worse between -1 and 0.")
    kinds = [classes == kind for kind in (ONE_DIMENSIONAL, ATTRACTIVE, MUST_BE)]
    rise = np.select(kinds, [x, np.expm1(x) / np.expm1(1), np.expm1(-x) / np.expm1(-1)], np.nan)
    return worse + (better - worse) * rise
