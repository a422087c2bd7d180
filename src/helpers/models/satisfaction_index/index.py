"""The index: a construct's mean answer on the items' own scale, carried linearly to 0-100.

Fornell, Johnson, Anderson, Cha and Bryant (1996), Journal of Marketing 60(4), 7-18, for the satisfaction index; the
same for every construct gives the performance of an importance-performance map: Ringle and Sarstedt (2016), Industrial
Management & Data Systems 116(9), 1865-1886. All functions take any leading dimensions, such as resamples.
"""

from __future__ import annotations

import numpy as np

from helpers.models.satisfaction_index.design import Design


def item_weights(weights, deviation, design: Design) -> np.ndarray:
    """Return weights of the raw answers, summing to 1 in each construct.

    A weight of a standardised item over the item's standard deviation is its weight on the scale of the answers.

    Parameters
    ----------
    weights : array_like, shape (..., items)
        Of the standardised items (`PathFit.weights`).
    deviation : array_like, shape (..., items)
        Standard deviations of the items.
    design : Design

    Returns
    -------
    ndarray, shape (..., items)
        nan in a construct whose weights do not sum to more than 0: no mean answer can be made of them.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        raw = np.asarray(weights, float) / deviation
        total = _sums(raw, design)[..., design.block]
        return raw / np.where(total > 0, total, np.nan)


def equal_weights(design: Design) -> np.ndarray:
    """Return the same weight for every item of a construct, summing to 1 in each; shape (items,)."""
    return 1 / design.membership.sum(axis=0)[design.block]


def negative_weights(item_weights, design: Design) -> np.ndarray:
    """Return for each item whether its weight is negative or unknown: with one of them an index has no meaning.

    Parameters
    ----------
    item_weights : array_like, shape (..., items)
    design : Design

    Returns
    -------
    ndarray of bool, shape (..., items)
        True where the weight is nan, or its sign is not that of the sum of its construct's weights.
    """
    item_weights = np.asarray(item_weights, float)
    return ~(item_weights * _sums(item_weights, design)[..., design.block] >= 0)


def index(means, item_weights, design: Design, lowest: float, highest: float) -> np.ndarray:
    """Return the index of each construct: 0 when all answer the lowest, 100 when all answer the highest.

    Parameters
    ----------
    means : array_like, shape (..., items)
        Mean answers.
    item_weights : array_like, shape (..., items)
        Of the raw answers, summing to 1 in each construct.
    design : Design
    lowest, highest : float
        Ends of the answering scale.

    Returns
    -------
    ndarray, shape (..., constructs)
        100 (sum of weight times mean - lowest) / (highest - lowest); nan where a mean or weight of its own is.
    """
    return 100 * (_sums(np.asarray(means) * item_weights, design) - lowest) / (highest - lowest)


def index_deviation(covariance, item_weights, design: Design, lowest: float, highest: float) -> np.ndarray:
    """Return the standard deviation over respondents of each construct's 0-100 score.

    Parameters
    ----------
    covariance : array_like, shape (..., items, items)
        Of the answers.
    item_weights, design, lowest, highest
        As in `index`.

    Returns
    -------
    ndarray, shape (..., constructs)
        In points of the index.
    """
    outer = np.where(design.membership, np.asarray(item_weights)[..., None], 0.0)
    variance = (outer * (covariance @ outer)).sum(axis=-2)
    return 100 * np.sqrt(variance) / (highest - lowest)


def effects_on_index(effects, deviation) -> np.ndarray:
    """Return effects in points of the target's index for one point of the source's.

    The importance of Ringle and Sarstedt (2016), given the total effects. It holds for the index whose item weights
    are the model's own, of which the scores are linear transformations.

    Parameters
    ----------
    effects : array_like, shape (..., constructs, constructs)
        Standardised, ``[source, target]``.
    deviation : array_like, shape (..., constructs)
        Of the 0-100 scores (`index_deviation`).

    Returns
    -------
    ndarray, shape (..., constructs, constructs)
    """
    deviation = np.asarray(deviation)
    with np.errstate(invalid="ignore", divide="ignore"):
        return effects * (deviation[..., None, :] / deviation[..., :, None])


def scores(answers, item_weights, design: Design, lowest: float, highest: float, means) -> np.ndarray:
    """Return the 0-100 score of every respondent on every construct.

    Parameters
    ----------
    answers : array_like, shape (respondents, items)
        nan where there is none: it counts as the item's mean.
    item_weights : array_like, shape (items,)
    design, lowest, highest
        As in `index`.
    means : array_like, shape (items,)
        What stands in for gaps.

    Returns
    -------
    ndarray, shape (respondents, constructs)
        Their mean is the index of the same means and weights.
    """
    return index(np.where(np.isnan(answers), means, answers), item_weights, design, lowest, highest)


def _sums(values, design) -> np.ndarray:
    """Sums over the items of each construct; what is unknown of one leaves the others known."""
    own = [np.flatnonzero(design.block == construct) for construct in range(design.constructs)]
    return np.stack([values[..., items].sum(axis=-1) for items in own], axis=-1)
