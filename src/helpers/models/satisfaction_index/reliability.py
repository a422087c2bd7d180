"""Whether the items of a construct measure one thing, and whether constructs can be told apart.

Every function takes arrays with any leading dimensions (resamples) before those stated. What needs several items is
nan for a construct that has one: an item alone does not tell how reliable it is.
"""

from __future__ import annotations

import numpy as np

from helpers.models.satisfaction_index.design import Design

SINGULAR = 1e-10  # eigenvalue of a correlation matrix, or square of a component, that is 0 but for rounding


def alpha(correlation, design: Design) -> np.ndarray:
    """Cronbach's alpha of standardised items: q / (q - 1) * (1 - q / sum of the block's correlations).

    Cronbach (1951, Psychometrika 16, equation 2) on the correlation matrix, as PLS programs print it.

    Parameters
    ----------
    correlation : array_like, shape (..., items, items)
    design : Design

    Returns
    -------
    ndarray, shape (..., constructs)
    """
    items, sums = _block_sizes(design), _diagonal(_block_sums(np.asarray(correlation, float), design))
    return items / _several(items, items - 1) * (1 - _ratio(items, sums))


def rho_a(correlation, weights, design: Design) -> np.ndarray:
    """Reliability of PLS scores, rho_A (Dijkstra and Henseler 2015, MIS Quarterly 39, equation 3).

    (w'w)^2 * w'(S - diag S)w / w'(ww' - diag ww')w, with the weights of standardised items and scores.

    Parameters
    ----------
    correlation : array_like, shape (..., items, items)
    weights : array_like, shape (..., items)
        Scaled so that each construct's score has variance 1.
    design : Design

    Returns
    -------
    ndarray, shape (..., constructs)
    """
    correlation, weights = np.asarray(correlation, float), np.asarray(weights, float)
    squares, fourth = weights**2 @ design.membership, weights**4 @ design.membership
    weighted = weights[..., :, None] * weights[..., None, :] * correlation
    between_items = _diagonal(_block_sums(weighted, design)) - squares
    with_several = _several(_block_sizes(design), squares**2 - fourth)
    return squares**2 * _ratio(between_items, with_several)


def composite_reliability(loadings, design: Design) -> np.ndarray:
    """Composite reliability, rho_C: (sum l)^2 / ((sum l)^2 + sum(1 - l^2)) (Werts, Linn and Joreskog 1974).

    Parameters
    ----------
    loadings : array_like, shape (..., items)
        Standardised.
    design : Design

    Returns
    -------
    ndarray, shape (..., constructs)
    """
    loadings = np.asarray(loadings, float)
    common, unique = (loadings @ design.membership) ** 2, (1 - loadings**2) @ design.membership
    return _ratio(common, _several(_block_sizes(design), common + unique))


def average_variance_extracted(loadings, design: Design) -> np.ndarray:
    """Mean squared standardised loading of a construct's items (Fornell and Larcker 1981, J. Marketing Research 18).

    Parameters
    ----------
    loadings : array_like, shape (..., items)
        Standardised.
    design : Design

    Returns
    -------
    ndarray, shape (..., constructs)
    """
    items = _block_sizes(design)
    return np.asarray(loadings, float) ** 2 @ design.membership / _several(items, items)


def htmt(correlation, design: Design) -> np.ndarray:
    """Heterotrait-monotrait ratio of correlations (Henseler, Ringle and Sarstedt 2015, J. Acad. Marketing Sci. 43).

    The mean correlation between the items of two constructs, over the geometric mean of the mean correlations within
    each; of absolute correlations, so that a reversed item does not hide what is shared. Two constructs are hard to
    tell apart at .85 (strict) or .90. The items of a single-item construct are taken as free of error (their mean
    correlation is 1), as PLS takes them: their ratios are too low if they are not.

    Parameters
    ----------
    correlation : array_like, shape (..., items, items)
    design : Design

    Returns
    -------
    ndarray, shape (..., constructs, constructs)
        Symmetric, 1 on the diagonal.
    """
    items = _block_sizes(design)
    sums = _block_sums(np.abs(np.asarray(correlation, float)), design)
    pairs = items * (items - 1)
    within = np.where(pairs > 0, (_diagonal(sums) - items) / np.maximum(pairs, 1), 1.0)
    within = np.where(within > SINGULAR, within, np.nan)
    ratios = sums / np.outer(items, items) / np.sqrt(within[..., :, None] * within[..., None, :])
    return np.where(np.eye(design.constructs, dtype=bool), 1.0, ratios)


def fornell_larcker(variance_extracted, construct_correlation) -> np.ndarray:
    """Whether each construct shares more with its own items than with any other construct.

    The root of the average variance extracted is above every correlation with another construct (Fornell and Larcker
    1981, J. Marketing Research 18).

    Parameters
    ----------
    variance_extracted : array_like, shape (..., constructs)
    construct_correlation : array_like, shape (..., constructs, constructs)

    Returns
    -------
    ndarray, shape (..., constructs)
        1 where it holds, 0 where it does not, nan where the variance extracted is.
    """
    root = np.sqrt(np.asarray(variance_extracted, float))
    with_others = np.abs(construct_correlation) * (1 - np.eye(root.shape[-1]))
    return np.where(np.isnan(root), np.nan, root > with_others.max(axis=-1))


def construct_inflation(construct_correlation, design: Design) -> np.ndarray:
    """Variance inflation of the constructs that act on each target: 1 / (1 - R^2 on the target's other sources).

    Parameters
    ----------
    construct_correlation : array_like, shape (..., constructs, constructs)
    design : Design

    Returns
    -------
    ndarray, shape (..., constructs, constructs)
        ``[source, target]``; 1 for a target's only source, infinite where the others determine it, nan without a path.
    """
    correlation = np.asarray(construct_correlation, float)[..., None, :, :]
    together = design.paths.T[:, :, None] & design.paths.T[:, None, :]  # target, source, source
    inflation = _inflation(np.where(together, correlation, np.eye(design.constructs)))
    return np.where(design.paths, inflation.swapaxes(-1, -2), np.nan)


def item_inflation(correlation, design: Design) -> np.ndarray:
    """Variance inflation of each item by the other items of its construct: 1 / (1 - R^2 on them).

    Parameters
    ----------
    correlation : array_like, shape (..., items, items)
    design : Design

    Returns
    -------
    ndarray, shape (..., items)
        1 for a construct's only item, infinite for an item that the others determine.
    """
    same_block = design.block[:, None] == design.block
    return _inflation(np.where(same_block, np.asarray(correlation, float), 0.0))


def _inflation(correlation) -> np.ndarray:
    """Return the diagonal of the inverse of correlation matrices, infinite where there is none."""
    known = np.isfinite(correlation).all(axis=(-2, -1), keepdims=True)
    values, vectors = np.linalg.eigh(np.where(known, correlation, np.eye(correlation.shape[-1])))
    squares, singular = vectors**2, values < SINGULAR
    inflation = (squares / np.where(singular, np.inf, values)[..., None, :]).sum(axis=-1)
    determined = (squares * singular[..., None, :]).sum(axis=-1) > SINGULAR
    return np.where(known[..., 0], np.where(determined, np.inf, inflation), np.nan)


def _block_sizes(design: Design) -> np.ndarray:
    return design.membership.sum(axis=0)


def _block_sums(matrix, design: Design) -> np.ndarray:
    """Add up a matrix of items over the blocks of its rows and columns: shape (..., constructs, constructs)."""
    return design.membership.T @ matrix @ design.membership


def _diagonal(matrix) -> np.ndarray:
    return np.diagonal(matrix, axis1=-2, axis2=-1)


def _several(items, values) -> np.ndarray:
    """Return the values of constructs with several items, nan for the others."""
    return np.where(items > 1, values, np.nan)


def _ratio(numerator, denominator) -> np.ndarray:
    """Quotient where the denominator is positive, nan elsewhere."""
    return numerator / np.where(denominator > 0, denominator, np.nan)
