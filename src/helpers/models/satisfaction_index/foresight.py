"""Whether the model foresees the satisfaction of people it has not seen, and better than simpler rules do."""

from __future__ import annotations

import numpy as np

from . import index, path_model
from .design import Design
from .moments import Answers, Moments

RULES = ("pls", "equal", "items", "mean")


def out_of_sample_errors(
    answers: Answers,
    design: Design,
    target: int,
    *,
    weights: np.ndarray | None = None,
    folds: int = 10,
    seed: int = 1,
    scheme: str = "path",
) -> dict[str, np.ndarray]:
    """Squared error of the prediction of each respondent by models that were estimated without them.

    What is predicted is the mean of the target's own answers. Each rule is a regression on the constructs that act on
    the target: "pls" on their scores by the path model's weights, "equal" on the means of their items, "items" on
    every one of their items; "mean" predicts that of the others (the naive rule). Compare PLSpredict (Shmueli et al.
    2016, Journal of Business Research 69, 4552-4564), whose linear benchmark "items" is.

    Parameters
    ----------
    answers : Answers
        A gap is filled by the mean of those who estimate.
    design : Design
    target : int
        A construct that others act on.
    weights : ndarray, shape (respondents,), optional
        Survey weights.
    folds : int
        Parts into which respondents are dealt at random; each is predicted from the others.
    seed : int
    scheme : str
        Of the path model.

    Returns
    -------
    dict of str to ndarray, shape (respondents,)
        By rule, in units of answers squared; nan where a model could not be estimated.
    """
    respondents = len(answers.values)
    folds = min(folds, respondents)
    fold = np.random.default_rng(seed).permutation(respondents) % folds
    kept = (fold != np.arange(folds)[:, None]).astype(float) * (1.0 if weights is None else weights)
    moments = answers.moments(kept)
    outcome = index.equal_weights(design) * (design.block == target)
    acting = np.isin(design.block, design.sources(target))
    among = design.sources(target)
    by_model = path_model.fit(moments.correlation, design, scheme).weights
    scores = {
        "pls": _columns(index.item_weights(by_model, moments.deviation, design), design)[..., among],
        "equal": _columns(np.broadcast_to(index.equal_weights(design), by_model.shape), design)[..., among],
        "items": np.broadcast_to(np.eye(design.items)[:, acting], (folds, design.items, acting.sum())),
    }
    coefficients = {name: _regression(combination, moments, outcome) for name, combination in scores.items()}
    coefficients["mean"] = np.zeros((folds, design.items))
    centred = np.where(np.isnan(answers.values), 0.0, answers.values - moments.mean[fold])
    return {name: (centred @ outcome - np.einsum("ni,ni->n", centred, coefficients[name][fold])) ** 2 for name in RULES}


def explained_share(errors: np.ndarray, of_mean: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Share of the squared error of the naive mean that a rule takes away, in each draw.

    Parameters
    ----------
    errors, of_mean : ndarray, shape (respondents,)
        Squared errors of the rule and of the mean.
    counts : ndarray, shape (draws, respondents)

    Returns
    -------
    ndarray, shape (draws,)
        1 for a perfect rule, 0 for one no better than the mean, below 0 for a worse one; nan where everyone's
        satisfaction is the same.
    """
    total = counts @ of_mean
    return 1 - (counts @ errors) / np.where(total > 0, total, np.nan)


def _columns(weights: np.ndarray, design: Design) -> np.ndarray:
    """Spread weights (..., items) over a column for each construct."""
    return weights[..., None] * design.membership


def _regression(combination: np.ndarray, moments: Moments, outcome: np.ndarray) -> np.ndarray:
    """Coefficients on the items of the regression of the outcome on combinations (..., items, scores) of items."""
    with_items = moments.covariance @ combination
    among = np.swapaxes(combination, -1, -2) @ with_items
    with_outcome = np.swapaxes(with_items, -1, -2) @ outcome
    # Items that repeat each other make the scores collinear: the shortest of the equivalent solutions is as good.
    among = np.where(np.isfinite(among), among, 0.0)
    solution = np.linalg.pinv(among, hermitian=True) @ with_outcome[..., None]
    return (combination @ solution)[..., 0]
