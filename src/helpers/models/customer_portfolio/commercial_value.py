"""Commercial value of customers: one score of four components, its weights in the open, and what they decide.

The sources name four components, existing, potential, influence and learning value, and no weights. So any weights
are a choice, and the score is reported with how much it depends on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import special

from helpers.models import resampling
from helpers.models.estimate import Estimate
from helpers.models.ranks import mid_ranks, top_membership
from helpers.models.threads import threads

COMPONENTS = ("existing", "potential", "influence", "learning")
MOST = 10_000  # customers whose ranks under other weights are compared; beyond, a random sample of them is


@dataclass(frozen=True, eq=False)
class CommercialValue:
    """The score of each customer and what it is made of, components in the order of `COMPONENTS`.

    Attributes
    ----------
    score : ndarray of float32, shape (customers,)
        Weighted mean of the ranks, 0 to 1.
    ranks : ndarray of float32, shape (customers, 4)
        Share of the other customers below in a component, those tied counting half; 0.5 where all are equal.
    weights : ndarray, shape (4,)
        They add up to 1; 0 for a component in which all customers are equal.
    contribution : ndarray, shape (4,)
        Share of the variance of the score that is covariance with the weighted component: they add up to 1, and one
        that runs against the others may be negative. Nan where the score does not vary.
    schemes : dict of str to ndarray, shape (4,)
        What other weights would be: "equal", "entropy", and each component alone.
    problem : str
        Which components tell nobody apart, and what became of their weight; empty when none.
    """

    score: np.ndarray
    ranks: np.ndarray
    weights: np.ndarray
    contribution: np.ndarray
    schemes: dict[str, np.ndarray]
    problem: str


def commercial_value(components, weights: str | Mapping[str, float] = "equal") -> CommercialValue:
    """Score customers by the weighted mean of their ranks in four components.

    Ranks, because the components differ in unit and are skewed. A component in which all customers are equal ranks
    nobody: its weight goes to the others in proportion to theirs.

    Parameters
    ----------
    components : array_like, shape (customers, 4)
        In the order of `COMPONENTS`, each in its own unit; more is better.
    weights : str or mapping of str to float
        "equal"; "entropy" (`entropy_weights`); or one weight, 0 or more, for each of `COMPONENTS`.

    Returns
    -------
    CommercialValue
        Every score is 0.5 where no component of positive weight tells customers apart, as of one customer.

    Raises
    ------
    ValueError
        No customers, another number of components, values that are not finite; weights of an unknown name, missing,
        negative, not finite or all 0.
    """
    components = np.asarray(components, float)
    if components.ndim != 2 or components.shape[1] != len(COMPONENTS) or not len(components):
        raise ValueError(f"Each of at least one customer needs {len(COMPONENTS)} components.")
    if not np.isfinite(components).all():
        raise ValueError("A component is missing or infinite: a customer without one cannot be scored.")
    components = np.asfortranarray(components)  # each component is read on its own from here on
    varies = np.ptp(components, axis=0) > 0
    schemes = {"equal": np.ones(len(COMPONENTS)), "entropy": entropy_weights(components)}
    schemes |= dict(zip(COMPONENTS, np.eye(len(COMPONENTS)), strict=True))
    schemes = {name: _usable(row, varies) for name, row in schemes.items()}
    chosen = schemes[weights] if weights in ("equal", "entropy") else _usable(_explicit(weights), varies)
    ranks = _percentile_ranks(components)
    score = ranks @ chosen.astype(np.float32) if chosen.any() else np.full(len(ranks), 0.5, np.float32)
    return CommercialValue(score, ranks, chosen, _contribution(ranks, chosen), schemes, _problem(varies, chosen))


def entropy_weights(components) -> np.ndarray:
    """Weights by the entropy method: the more unevenly a component is spread over customers, the more it weighs.

    e_j = -sum_i p_ij ln p_ij / ln n with p_ij the customer's share of the component above its minimum, and
    w_j = (1 - e_j) / sum_k (1 - e_k) (Zeleny 1982, Multiple Criteria Decision Making, from Shannon's entropy). It is
    taken of the amounts, for ranks are spread alike whatever is ranked. That a skewed component matters more is what
    the method assumes, not what it finds.

    Parameters
    ----------
    components : array_like, shape (customers, components)

    Returns
    -------
    ndarray, shape (components,)
        They add up to 1; 0 for a component in which all customers are equal, and all 0 if that is each of them.
    """
    components = np.asarray(components, float)
    above = components - components.min(axis=0)
    total = above.sum(axis=0)
    entropy = special.entr(above / np.where(total > 0, total, 1)).sum(axis=0) / np.log(max(len(components), 2))
    return _normalised(np.where(total > 0, 1 - entropy, 0))


def _explicit(weights) -> np.ndarray:
    if not isinstance(weights, Mapping) or set(weights) != set(COMPONENTS):
        raise ValueError(f"weights are 'equal', 'entropy' or one number for each of {', '.join(COMPONENTS)}.")
    found = np.array([weights[name] for name in COMPONENTS], float)
    if not (np.isfinite(found).all() and (found >= 0).all() and found.sum() > 0):
        raise ValueError("weights must be 0 or more, and not all 0.")
    return found


def _usable(weights, varies) -> np.ndarray:
    return _normalised(np.where(varies, weights, 0))


def _normalised(weights) -> np.ndarray:
    total = weights.sum()
    return weights / total if total > 0 else weights


def _percentile_ranks(components) -> np.ndarray:
    with threads() as pool:
        ranks = np.stack(list(pool.map(mid_ranks, components.T))).astype(np.float32).T
    return (ranks - 1) / (len(ranks) - 1) if len(ranks) > 1 else np.full_like(ranks, 0.5)


def _contribution(ranks, weights) -> np.ndarray:
    shared = np.cov(ranks, rowvar=False) @ weights * weights if len(ranks) > 1 else np.zeros(len(weights))
    return shared / (shared.sum() if shared.sum() > 0 else np.nan)


def _problem(varies, weights) -> str:
    alike = [name for name, told in zip(COMPONENTS, varies, strict=True) if not told]
    if not alike:
        return ""
    where = f"All customers are equal in {', '.join(alike)} value"
    if weights.any():
        return f"{where}: the weight went to the other components."
    return f"{where}, and nothing else has weight: all scores are 0.5."


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """How much the score depends on its weights.

    Attributes
    ----------
    probability : ndarray of float32, shape (customers,)
        Share of all possible weights under which the customer is in the top; they average to `top`.
    top : float
        Share of customers in the top.
    kept : Estimate of float
        Share of the top by the chosen weights that stays in it under others: mean, and the range of those weights.
    correlation : Estimate of float
        Rank correlation of the score with that under other weights: mean, and the range of those weights.
    correlation_with : dict of str to float
        The same with each of the schemes; nan where one of both ranks nobody.
    """

    probability: np.ndarray
    top: float
    kept: Estimate
    correlation: Estimate
    correlation_with: dict[str, float]


def sensitivity(
    found: CommercialValue, top: float = 0.1, *, draws: int = 100, level: float = 0.95, seed: int = 0
) -> Sensitivity:
    """Score customers under weights drawn from all that are possible.

    Weights are drawn evenly from the simplex, Dirichlet(1, ..., 1), over the components that tell customers apart.
    Nothing is random but the weights: the ranges are of choices, not of samples.

    Parameters
    ----------
    found : CommercialValue
    top : float
        Share of customers, between 0 and 1.
    draws : int
        1 or more.
    level : float
        Share of the drawn weights that a range covers.
    seed : int

    Returns
    -------
    Sensitivity
        Where no component tells customers apart, each is in the top with probability `top` and the rest is nan.

    Raises
    ------
    ValueError
        No draws, a top of nobody or everyone.
    """
    if draws < 1 or not 0 < top < 1:
        raise ValueError("There must be draws, and top is a share of customers between 0 and 1.")
    rng, size = np.random.default_rng(seed), len(found.score)
    places = max(round(top * size), 1)
    varies = np.flatnonzero(found.schemes["equal"])
    if not len(varies):
        nothing = Estimate(np.nan, np.nan, np.nan)
        even = np.full(size, places / size, np.float32)
        return Sensitivity(even, top, nothing, nothing, dict.fromkeys(found.schemes, np.nan))
    weights = np.zeros((draws, len(COMPONENTS)), np.float32)
    weights[:, varies] = rng.dirichlet(np.ones(len(varies)), draws)

    own, times, kept = top_membership(found.score, places), np.zeros(size, np.float32), np.empty(draws)
    with threads() as pool:
        for place, inside in enumerate(pool.map(lambda row: top_membership(found.ranks @ row, places), weights)):
            times += inside
            kept[place] = own @ inside / places
    some = rng.choice(size, MOST, replace=False) if size > MOST else slice(None)
    compared, ranks = mid_ranks(found.score[some]), found.ranks[some]

    def correlation(row) -> float:
        other = mid_ranks(ranks @ row.astype(np.float32))
        return float(np.corrcoef(compared, other)[0, 1]) if np.ptp(compared) and np.ptp(other) else np.nan

    drawn = np.array([correlation(row) for row in weights])
    return Sensitivity(
        probability=times / draws,
        top=top,
        kept=_ranged(kept, level),
        correlation=_ranged(drawn, level),
        correlation_with={name: correlation(row) for name, row in found.schemes.items()},
    )


def _ranged(draws, level: float) -> Estimate:
    low, high = resampling.percentile(draws, level)
    known = draws[np.isfinite(draws)]
    return Estimate(float(known.mean()) if len(known) else np.nan, float(low), float(high))
