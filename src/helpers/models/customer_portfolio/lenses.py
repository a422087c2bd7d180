"""How much the ways of looking at customers disagree: by sales, profit, loyalty, overdue amounts, lifetime value.

Two claims of the sources are about such disagreement: that the customer with the largest sales may be the one who owes
most, and that the most loyal one may bring the lowest margin rate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from helpers.models import resampling
from helpers.models.estimate import Estimate
from helpers.models.ranks import mid_ranks, top_membership
from helpers.models.referral_value.comparison import association
from helpers.models.threads import threads

from .pyramid import checked_values

MOST = 20_000  # customers compared; beyond, a random sample of them is
PROJECTED, OTHERS = 2000, 1000  # customers whose agreement with others the error of tau is found from; those others
ROWS_AT_ONCE = 100  # of those customers, each compared with the others under all lenses
PART = 2000  # customers in a resample


@dataclass(frozen=True, eq=False)
class Agreement:
    """How alike lenses rank the same customers.

    Attributes
    ----------
    lenses : tuple of str
    customers : int
        All of them.
    compared : int
        As many, or the size of the random sample of them that was compared.
    tau : Estimate of ndarray, shape (lenses, lenses)
        Kendall's tau-b.
    overlap : Estimate of ndarray, shape (lenses, lenses)
        Share of the top by one lens that is in the top by the other.
    top : float
        Share of customers in a top.
    chance : float
        What the overlap would be if the lenses were independent: the share of customers that has a place.
    problem : str
        Why numbers are nan; empty when none is.
    """

    lenses: tuple[str, ...]
    customers: int
    compared: int
    tau: Estimate
    overlap: Estimate
    top: float
    chance: float
    problem: str


def agreement(
    lenses: Mapping[str, np.ndarray],
    top: float = 0.1,
    *,
    resamples: int = 200,
    most: int = MOST,
    level: float = 0.95,
    seed: int = 0,
) -> Agreement:
    """Compare the ranks and the tops that several lenses give to the same customers.

    The interval of tau-b is linearised: a U-statistic moves with each customer by twice their mean agreement with the
    others (Hoeffding 1948, Annals of Mathematical Statistics 19, 293-325), which some customers set against some others
    show well enough, where resampling would compare all pairs hundreds of times. It is built on the inverse hyperbolic
    tangent. Customers tied at the edge of a top share its last places equally; resamples for the overlap hold m =
    `PART` of n customers and their deviations are scaled by sqrt(m / n) (the m out of n bootstrap: Bickel, Götze and
    van Zwet 1997, Statistica Sinica 7, 1-31).

    Parameters
    ----------
    lenses : mapping of str to array_like, shape (customers,)
        A higher value ranks higher.
    top : float
        Share of customers, between 0 and 1.
    resamples : int
        For the overlap.
    most : int
        Customers that are compared; of more a random sample is, without replacement.
    level, seed
        Of the intervals, which carry the sampling of those compared; of sample and resamples.

    Returns
    -------
    Agreement
        All nan of one customer; nan for a lens under which everyone is the same; no interval of a tau of 1 or -1.

    Raises
    ------
    ValueError
        Fewer than two lenses, no customers, lengths that differ, values that are not finite, a top of nobody or
        everyone.
    """
    if len(lenses) < 2:
        raise ValueError("Agreement is between two lenses or more.")
    if not 0 < top < 1:
        raise ValueError(f"top is a share of customers between 0 and 1, not {top}.")
    customers = np.size(next(iter(lenses.values())))
    values = np.stack([checked_values(lens, customers, name) for name, lens in lenses.items()])
    rng = np.random.default_rng(seed)
    if customers > most:
        values = values[:, rng.choice(customers, most, replace=False)]
    compared = values.shape[1]
    same = np.ptp(values, axis=1) == 0
    ranks = np.stack([mid_ranks(row) for row in values]).astype(np.float32)
    overlap, part = _overlaps(ranks, top), min(compared, PART)
    chosen = rng.integers(compared, size=(resamples, part))
    with threads() as pool:
        drawn = np.stack(list(pool.map(lambda row: _overlaps(ranks[:, row], top), chosen)))
    low, high = resampling.percentile(overlap + np.sqrt(part / compared) * (drawn - overlap), level)
    known = np.where(same[:, None] | same, np.nan, 1.0)
    return Agreement(
        lenses=tuple(lenses),
        customers=customers,
        compared=compared,
        tau=_masked(known, *_tau_interval(ranks, level, rng)),
        overlap=_masked(known, overlap, low.clip(0, 1), high.clip(0, 1)),
        top=top,
        chance=_places(top, compared) / compared,
        problem=_problem(compared, [name for name, alike in zip(lenses, same, strict=True) if alike]),
    )


def _taus(ranks) -> np.ndarray:
    """Kendall's tau-b between rows of ranks, by sorting, as the pairs of very many do not fit."""
    found = np.eye(len(ranks))
    for one, other in zip(*np.triu_indices(len(ranks), 1), strict=True):
        found[one, other] = found[other, one] = stats.kendalltau(ranks[one], ranks[other]).statistic
    return found


def _tau_interval(ranks, level: float, rng) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    size = ranks.shape[1]
    if size < 2:
        return (np.full((len(ranks), len(ranks)), np.nan),) * 3
    tau = _taus(ranks)
    error = _influence(tau, ranks, rng).std(axis=0, ddof=1) / np.sqrt(size)
    with np.errstate(invalid="ignore", divide="ignore"):
        centre, width = np.arctanh(tau), special.stdtrit(size - 1, (1 + level) / 2) * error / (1 - tau**2)
        low, high = np.tanh(centre - width), np.tanh(centre + width)
    for bound in (low, high):
        np.fill_diagonal(bound, 1)
    return tau, low, high


def _influence(tau, ranks, rng) -> np.ndarray:
    """How far customers move tau-b: shape (customers, lenses, lenses).

    Tau-b is the cosine between the signs of the differences of all pairs, c / sqrt(a b), so it moves by
    2 (c_i / sqrt(a b) - tau (a_i / a + b_i / b) / 2), where c_i, a_i, b_i are means over the pairs of customer i.
    """
    some = rng.permutation(ranks.shape[1])
    ones, others = ranks[:, some[:PROJECTED]].T, ranks[:, some[:OTHERS]]
    products = []
    for start in range(0, len(ones), ROWS_AT_ONCE):
        apart = ones[start : start + ROWS_AT_ONCE, :, None] - others
        signs = np.sign(apart, out=apart)
        products.append(signs @ signs.swapaxes(1, 2))
    each = np.concatenate(products).astype(float)
    own = np.diagonal(each, axis1=1, axis2=2)
    mean = np.where((squares := own.mean(axis=0)) > 0, squares, np.nan)
    relative = own / mean
    return 2 * each / np.sqrt(mean[:, None] * mean) - tau * (relative[:, :, None] + relative[:, None, :])


def _overlaps(ranks, top: float) -> np.ndarray:
    places = _places(top, ranks.shape[1])
    inside = np.stack([top_membership(row, places) for row in ranks]).astype(float)
    found = inside @ inside.T / places
    np.fill_diagonal(found, 1)
    return found


def _places(top: float, customers: int) -> int:
    return max(round(top * customers), 1)


def _masked(known, *bounds) -> Estimate:
    return Estimate(*(known * bound for bound in bounds))


def _problem(compared: int, same: list[str]) -> str:
    if compared == 1:
        return "One customer has no rank among others."
    return f"Everyone is the same by {', '.join(same)}, which ranks nobody." if same else ""


@dataclass(frozen=True, eq=False)
class Claim:
    """What the data say about a claim that one lens misleads: it holds where the estimate is on its side of 0.

    Attributes
    ----------
    estimate : Estimate of float
    customers : int
        That it is about.
    chance : float
        What the estimate was measured from.
    problem : str
        Why the estimate is nan; empty when it is not.
    """

    estimate: Estimate
    customers: int
    chance: float
    problem: str


def owes_most(sales, overdue, top: float = 0.1, *, resamples: int = 200, level: float = 0.95, seed: int = 0) -> Claim:
    """Whether those who buy most are among those who owe most, more often than chance would have it.

    The claim that the customer of the largest sales may be the one who owes most holds where the estimate is above 0.

    Parameters
    ----------
    sales, overdue : array_like, shape (customers,)
        In money; the amount overdue is 0 for those who owe nothing.
    top : float
        Share of customers in both tops; where fewer owe anything, as many as do.
    resamples, level, seed
        Of the interval (`association`).

    Returns
    -------
    Claim
        Share of the top by overdue amount that is in the top by sales, less what chance gives: the share of customers
        that has a place. Nan where nobody owes anything.

    Raises
    ------
    ValueError
        No customers, lengths that differ, values that are not finite, a top of nobody or everyone.
    """
    overdue = checked_values(overdue, name="overdue")
    sales = checked_values(sales, len(overdue), "sales")
    if not (overdue > 0).any():
        return Claim(_nothing(), len(sales), np.nan, "Nobody owes anything.")
    if len(sales) == 1:
        return Claim(_nothing(), 1, np.nan, _problem(1, []))
    found = association(sales, overdue, top=(top,), resamples=resamples, level=level, seed=seed)
    chance, same = float(found.expected[0]), [name for name, row in _named(sales, overdue) if np.ptp(row) == 0]
    if same:
        return Claim(_nothing(), len(sales), chance, _problem(len(sales), same))
    bounds = (found.overlap.value[0], found.overlap.low[0], found.overlap.high[0])
    return Claim(Estimate(*(float(np.clip(bound, 0, 1)) - chance for bound in bounds)), len(sales), chance, "")


def _named(sales, overdue):
    return ("sales", sales), ("overdue", overdue)


def loyal_less_margin(
    loyalty, margin_rate, *, resamples: int = 200, most: int = MOST, level: float = 0.95, seed: int = 0
) -> Claim:
    """Whether more loyal customers bring a lower margin rate.

    The claim that the most loyal customer may bring the lowest margin holds where the estimate is below 0.

    Parameters
    ----------
    loyalty : array_like, shape (customers,)
        A higher value is more loyal, such as the years or the share of repeat purchases.
    margin_rate : array_like, shape (customers,)
        Margin over sales; nan for those who bought nothing, of whom the claim says nothing.
    resamples, most, level, seed
        As in `agreement`.

    Returns
    -------
    Claim
        Kendall's tau-b of both, among those with a margin rate.

    Raises
    ------
    ValueError
        No customers, lengths that differ, a loyalty that is not finite, an infinite margin rate.
    """
    loyalty, margin_rate = checked_values(loyalty, name="loyalty"), np.asarray(margin_rate, float)
    if margin_rate.shape != loyalty.shape:
        raise ValueError(f"margin_rate has {margin_rate.size} customers where loyalty has {len(loyalty)}.")
    known = ~np.isnan(margin_rate)
    if not known.any():
        return Claim(_nothing(), 0, 0.0, "Nobody has a margin rate.")
    lenses = {"loyalty": loyalty[known], "margin_rate": margin_rate[known]}
    tau = (found := agreement(lenses, resamples=resamples, most=most, level=level, seed=seed)).tau
    pair = (float(bound[0, 1]) for bound in (tau.value, tau.low, tau.high))
    return Claim(Estimate(*pair), found.customers, 0.0, found.problem)


def _nothing() -> Estimate:
    return Estimate(np.nan, np.nan, np.nan)
