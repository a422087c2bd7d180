"""Two claims about both values: that bringing others is worth more than buying, and that other people do it.

Claim A07: the referral value of customers exceeds their lifetime value. Claim A08: those high in one value are usually
not those high in the other. Each verdict says what the data say, over whatever range of assumptions is given.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from itertools import islice

import numpy as np
from scipy import stats

from helpers.models import resampling
from helpers.models.estimate import Estimate
from helpers.models.ranks import membership
from helpers.models.threads import threads

SUPPORTED, DEPENDS, NOT_SUPPORTED, CANNOT_BE_TESTED = "supported", "depends", "not supported", "cannot be tested"
GROUPS = 1000  # of customers at random, which are resampled as wholes
RANKED = 10_000  # customers in a resample that has to be ranked
RANKED_IN_ALL = 10_000_000  # customers x draws ranked as wholes
FEWEST_DRAWS = 5
TOP = (0.1, 0.2, 0.3)  # shares of customers
LIMIT_OF_USUALLY = 0.5  # share of the top that may be the same people


@dataclass(frozen=True, eq=False)
class Comparison:
    """Referral against lifetime value per customer; `versions` of referral value, deciles of lifetime value.

    Attributes
    ----------
    customers : int
    referrers : ndarray of int, shape (versions,)
        Customers whose referral value is not 0.
    lifetime_value : Estimate of float
        Mean.
    referral_value, difference : Estimate of ndarray, shape (versions,)
        Mean; referral less lifetime value. Times `customers` they are totals.
    decile_customers : ndarray of int, shape (deciles,)
        The first decile has the highest lifetime values.
    decile_lifetime_value : Estimate of ndarray, shape (deciles,)
    decile_referral_value, decile_difference : Estimate of ndarray, shape (versions, deciles)
        Means.
    draws : ndarray, shape (resamples, 1 + versions)
        Mean lifetime value and mean referral values in each resample.
    """

    customers: int
    referrers: np.ndarray
    lifetime_value: Estimate
    referral_value: Estimate
    difference: Estimate
    decile_customers: np.ndarray
    decile_lifetime_value: Estimate
    decile_referral_value: Estimate
    decile_difference: Estimate
    draws: np.ndarray


def compare(
    lifetime_value,
    referral_value,
    *,
    draws: Iterable | None = None,
    deciles: int = 10,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Comparison:
    """Compare mean and total referral value with lifetime value, for everyone and by decile of lifetime value.

    Customers are resampled together with both their values. What is asked are sums, so customers are put at random
    into `GROUPS` groups that are resampled as wholes: the variance is the same, and a million customers cost no more
    than a thousand. Each resample takes one of the draws of the values, if there are any, so that the intervals carry
    both who the customers happened to be and how exactly their values are known.

    Parameters
    ----------
    lifetime_value : array_like, shape (customers,)
    referral_value : array_like, shape (customers,) or (versions, customers)
        Under several assumptions, such as no and every referee being of type one.
    draws : iterable of (array_like, array_like), optional
        Pairs of the above, one for each draw: `zip` of two (draws, customers) arrays, or a generator.
    deciles : int
        Groups of equal size by lifetime value.
    resamples : int
        At least as many as there are draws, or some are not used.
    level, seed
        Of the percentile intervals.

    Returns
    -------
    Comparison
        Without intervals for a single customer.

    Raises
    ------
    ValueError
        No customers, shapes that do not match, values that are not numbers.
    """
    lifetime, versions = _both(lifetime_value, referral_value)
    size = len(lifetime)
    groups = min(size, GROUPS)
    decile = np.empty(size, int)
    decile[np.argsort(-lifetime, kind="stable")] = np.arange(size) * deciles // size
    cell = (np.random.default_rng(seed).permutation(size) % groups) * deciles + decile

    def sums(lifetime, versions) -> np.ndarray:
        """Add up customers and both values by group: shape (groups, 2 + versions, deciles)."""
        rows = (None, lifetime, *versions)
        counted = [np.bincount(cell, row, minlength=groups * deciles).reshape(groups, deciles) for row in rows]
        return np.stack(counted, axis=1)

    whole = sums(lifetime, versions)
    by_draw = [sums(*_both(*pair, size, len(versions))) for pair in draws] if draws is not None else [whole]
    counts = np.concatenate(list(resampling.resampled_counts(groups, resamples, seed)))
    totals = np.empty((resamples, *whole.shape[1:]))
    for place, summed in enumerate(by_draw[:resamples]):
        chosen = slice(place, None, len(by_draw))
        totals[chosen] = np.tensordot(counts[chosen], summed, axes=1)
    if size < 2:
        totals[:] = np.nan

    point, drawn = _means(whole.sum(axis=0)[None]), _means(totals)
    point_by_decile, drawn_by_decile = (_means(found, by_decile=True) for found in (whole.sum(axis=0)[None], totals))

    def estimate(measure) -> tuple[Estimate, Estimate]:
        return tuple(
            Estimate(measure(at)[0], *resampling.percentile(measure(found), level))
            for at, found in ((point, drawn), (point_by_decile, drawn_by_decile))
        )

    bought, bought_by_decile = estimate(lambda means: means[:, 0])
    brought, brought_by_decile = estimate(lambda means: means[:, 1:])
    more, more_by_decile = estimate(lambda means: means[:, 1:] - means[:, :1])
    return Comparison(
        customers=size,
        referrers=(versions != 0).sum(axis=1),
        lifetime_value=bought,
        referral_value=brought,
        difference=more,
        decile_customers=whole.sum(axis=0)[0].astype(int),
        decile_lifetime_value=bought_by_decile,
        decile_referral_value=brought_by_decile,
        decile_difference=more_by_decile,
        draws=drawn,
    )


def equal_at(lifetime_value, none_of_type_one, all_of_type_one) -> np.ndarray:
    """Probability p1* of type one at which referral value equals lifetime value.

    Referral value is linear in the probability, R(p1) = R(0) + p1 (R(1) - R(0)), hence
    p1* = (L - R(0)) / (R(1) - R(0)). Above 1 or below 0 one of the two is larger whatever the probability.

    Parameters
    ----------
    lifetime_value, none_of_type_one, all_of_type_one : array_like
        L, R(0) and R(1): totals or means.

    Returns
    -------
    ndarray
        Nan where the probability changes nothing.
    """
    lifetime, none, every = (np.asarray(value, float) for value in (lifetime_value, none_of_type_one, all_of_type_one))
    slope = every - none
    return (lifetime - none) / np.where(slope != 0, slope, np.nan)


def threshold(comparison: Comparison, versions, probabilities=(0.0, 1.0), level: float = 0.95) -> Estimate:
    """Threshold p1* of a comparison, with its interval (`equal_at`).

    Parameters
    ----------
    comparison : Comparison
    versions : slice or sequence of int
        Places of the versions of referral value in which the referees are of type one with these probabilities.
    probabilities : sequence of float
        Rising. Between two of them referral value is taken to be linear, which it is of direct referrals; beyond the
        ends the first and the last piece go on.
    level : float
        Of the percentile interval.

    Returns
    -------
    Estimate of float
    """
    means, lifetime = comparison.referral_value.value[versions], comparison.lifetime_value.value
    value = _first_equal(np.atleast_1d(lifetime), means[:, None], probabilities)[0]
    draws = comparison.draws
    low, high = resampling.percentile(_first_equal(draws[:, 0], draws[:, 1:][:, versions].T, probabilities), level)
    return Estimate(float(value), float(low), float(high))


def _first_equal(lifetime, versions, probabilities) -> np.ndarray:
    """Return where the first piece between two probabilities holds the threshold; nan where none does."""
    knots = np.asarray(probabilities, float)[:, None]
    at = knots[:-1] + np.diff(knots, axis=0) * equal_at(lifetime, versions[:-1], versions[1:])
    begins, ends = np.vstack([[[-np.inf]], knots[1:-1]]), np.vstack([knots[1:-1], [[np.inf]]])
    holds = (at >= begins) & (at <= ends)
    first = np.take_along_axis(at, holds.argmax(axis=0)[None], axis=0)[0]
    return np.where(holds.any(axis=0), first, np.nan)


def larger_verdict(comparison: Comparison, versions=slice(None)) -> str:
    """Verdict on claim A07, that referral value is the larger, over a range of assumptions.

    Parameters
    ----------
    comparison : Comparison
    versions : slice or sequence of int
        The assumptions over whose whole range the claim is to hold: the two ends will do for what is linear between.

    Returns
    -------
    str
        "supported": the interval of the difference lies above 0 under each assumption. "not supported": it lies below
        under each. "depends": neither. "cannot be tested": nobody brought anyone, or there is no interval.
    """
    if not comparison.referrers[versions].any():
        return CANNOT_BE_TESTED
    return _verdict(comparison.difference.low[versions] > 0, comparison.difference.high[versions])


@dataclass(frozen=True, eq=False)
class Association:
    """Whether both values are high in the same customers.

    Attributes
    ----------
    customers, referrers : int
        All, and those whose referral value is above 0.
    spearman : Estimate of float
        Rank correlation; nan where one value is the same for everyone.
    top : ndarray, shape (tops,)
        Shares of customers asked for.
    size : ndarray of int, shape (tops,)
        Customers in the top of each value: that share, or as many as have brought value where they are fewer.
    overlap : Estimate of ndarray, shape (tops,)
        Share of one top that is in the other as well.
    expected : ndarray, shape (tops,)
        What that share would be if both values were independent.
    p_value : ndarray, shape (tops,)
        Two-sided, of independence, from the hypergeometric distribution of the overlap.
    """

    customers: int
    referrers: int
    spearman: Estimate
    top: np.ndarray
    size: np.ndarray
    overlap: Estimate
    expected: np.ndarray
    p_value: np.ndarray


def association(
    lifetime_value,
    referral_value,
    *,
    draws: Iterable | None = None,
    top=TOP,
    resamples: int = 500,
    level: float = 0.95,
    seed: int = 0,
) -> Association:
    """Correlate the ranks of both values, and count who is in the top of both.

    Customers tied at the edge of a top share its last places equally. In a resample everyone has to be ranked anew;
    beyond `RANKED` customers, resamples of that size m are ranked and their deviations scaled by sqrt(m / n) (the m out
    of n bootstrap: Bickel, Götze and van Zwet 1997, Statistica Sinica 7, 1-31).

    Parameters
    ----------
    lifetime_value, referral_value : array_like, shape (customers,)
    draws : iterable of (array_like, array_like), optional
        Pairs of the above, one for each draw. Of very many customers only the first draws are used, at least
        `FEWEST_DRAWS`: each has to be ranked as a whole.
    top : sequence of float
        Shares of customers, between 0 and 1.
    resamples : int
        In all, spread over the draws.
    level, seed
        Of the percentile intervals.

    Returns
    -------
    Association

    Raises
    ------
    ValueError
        No customers, shapes that do not match, values that are not numbers, a top of none or of everyone.
    """
    lifetime, versions = _both(lifetime_value, referral_value, versions=1)
    size, top = len(lifetime), np.asarray(top, float)
    if not ((top > 0) & (top < 1)).all():
        raise ValueError("A top is a share of customers between 0 and 1.")
    whole = _ranked(lifetime, versions[0], top)
    most = max(RANKED_IN_ALL // size, FEWEST_DRAWS)
    pairs = [(lifetime, versions)] if draws is None else list(islice(draws, min(most, resamples)))
    rng, part = np.random.default_rng(seed), min(size, RANKED)
    drawn = []
    for pair in pairs:
        bought, brought = _both(*pair, size, 1)
        centre = whole if draws is None else _ranked(bought, brought[0], top)
        for block in resampling.blocks(-(-resamples // len(pairs)), part):
            chosen = rng.integers(size, size=(block, part))
            with threads() as pool:
                resampled = list(pool.map(partial(_ranked_of, bought, brought[0], top), chosen))
            drawn.append(centre + np.sqrt(part / size) * (np.stack(resampled) - centre))
    drawn = np.concatenate(drawn) if size > 1 else np.full((1, 1 + len(top)), np.nan)
    low, high = resampling.percentile(drawn, level)
    places = _sizes(versions[0], top)
    return Association(
        customers=size,
        referrers=int((versions > 0).sum()),
        spearman=Estimate(float(whole[0]), float(low[0]), float(high[0])),
        top=top,
        size=places,
        overlap=Estimate(whole[1:], low[1:], high[1:]),
        expected=np.where(places > 0, places / size, np.nan),
        p_value=_independence(whole[1:], places, size),
    )


def _ranked_of(bought, brought, top, chosen) -> np.ndarray:
    return _ranked(bought[chosen], brought[chosen], top)


def distinct_verdict(association: Association, limit: float = LIMIT_OF_USUALLY) -> str:
    """Verdict on claim A08, that those high in one value are usually not those high in the other.

    "Usually not" is taken as: fewer than half of the top by one value are in the top by the other. That says less than
    that the values are independent, under which the overlap is the share that the top has of all customers.

    Parameters
    ----------
    association : Association
    limit : float
        Share of the top below which the same people are the exception.

    Returns
    -------
    str
        "supported": the interval of the overlap lies below the limit for each top. "not supported": it lies above for
        each. "depends": neither. "cannot be tested": nobody brought value, or there is no interval.
    """
    if not association.referrers:
        return CANNOT_BE_TESTED
    return _verdict(association.overlap.high < limit, limit - association.overlap.low)


def _verdict(holds: np.ndarray, room: np.ndarray) -> str:
    """Return the verdict from where the claim holds, and how far above 0 it may still reach where it does not."""
    if np.isnan(room).any():
        return CANNOT_BE_TESTED
    if np.all(holds):
        return SUPPORTED
    return NOT_SUPPORTED if np.all(room < 0) else DEPENDS


def _both(lifetime_value, referral_value, customers: int | None = None, versions: int | None = None):
    """Return both values as arrays of shape (customers,) and (versions, customers)."""
    lifetime, referral = np.asarray(lifetime_value), np.atleast_2d(referral_value)
    expected = (versions or len(referral), customers or lifetime.size)
    if not lifetime.size:
        raise ValueError("There are no customers to compare.")
    if lifetime.shape != expected[1:] or referral.shape != expected:
        raise ValueError("Each customer needs one lifetime value and one referral value of each version.")
    if not (np.isfinite(lifetime).all() and np.isfinite(referral).all()):
        raise ValueError("A value is missing: both values are needed of every customer.")
    return lifetime, referral


def _means(totals, by_decile: bool = False) -> np.ndarray:
    """Means of the values from sums (resamples, 2 + versions, deciles), customers first; nan for an empty decile."""
    totals = totals if by_decile else totals.sum(axis=-1)
    return totals[:, 1:] / np.where(totals[:, :1] > 0, totals[:, :1], np.nan)


def _ranked(lifetime, referral, top) -> np.ndarray:
    """Rank correlation and overlaps: shape (1 + tops,).

    Ranks add up to nothing about their mean, so whoever brought nothing, as most did, need not be ranked.
    """
    bought, brought = np.sort(lifetime), np.sort(referral)
    lifetime, referral = lifetime[referral != 0], referral[referral != 0]
    ranks = _rank(lifetime, bought), _rank(referral, brought) - _rank(np.zeros(1), brought)
    spread = np.sqrt(_spread(bought) * _spread(brought))
    correlation = (ranks[0] @ ranks[1]) / spread if spread > 0 else np.nan
    overlaps = [
        membership(lifetime, bought, places) @ membership(referral, brought, places) / places if places else np.nan
        for places in _sizes(brought, top)
    ]
    return np.array([correlation, *overlaps])


def _rank(values, ordered):
    """Ranks among everyone's values, from their mean on; of those tied, the mean rank."""
    # looked up in order, which the processor's cache makes several times faster
    order = np.argsort(values)
    sought = values[order]
    ranks = np.empty(len(values))
    ranks[order] = np.searchsorted(ordered, sought) + np.searchsorted(ordered, sought, "right")
    return (ranks - len(ordered)) / 2


def _spread(ordered) -> float:
    """Sum of the squares of everyone's ranks from their mean on, which ties make smaller."""
    size = float(len(ordered))
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    tied = np.diff(starts, append=len(ordered)).astype(float)
    return (size**3 - size - (tied**3 - tied).sum()) / 12


def _sizes(referral, top) -> np.ndarray:
    """Customers in each top: no more than have brought value, for the others are not high in it."""
    asked = np.maximum(np.rint(top * len(referral)), 1).astype(int)
    return np.minimum(asked, (referral > 0).sum())


def _independence(overlap, places, customers: int) -> np.ndarray:
    """Two-sided probability of an overlap at least as far from what chance gives; linear between whole numbers."""
    both, law = np.nan_to_num(overlap * places), stats.hypergeom(customers, places, places)
    whole = np.floor(both + 1e-9)
    part = np.maximum(both - whole, 0)
    at_most = (1 - part) * law.cdf(whole) + part * law.cdf(whole + 1)
    at_least = (1 - part) * law.sf(whole - 1) + part * law.sf(whole)
    return np.where(places > 0, np.minimum(2 * np.minimum(at_most, at_least), 1), np.nan)
