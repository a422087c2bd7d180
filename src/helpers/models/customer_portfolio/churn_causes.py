"""Why customers leave: four causes as competing risks.

The firm gives a customer up; the customer leaves; a competitor wins the customer over; the customer has to leave. Each
takes away from the others those whom it takes first, so one minus the Kaplan-Meier curve of each cause would add up to
more than those who left.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy import stats

from helpers.models import resampling
from helpers.models.estimate import Estimate
from helpers.models.fit import distinct_rows

from . import lifelines_peer

CAUSES = ("given_up", "left", "poached", "forced", "unknown")
STILL_HERE = -1
AVOIDABLE = ("left", "poached")  # the causes that something could have been done about, as the source has it
DAYS_PER_YEAR = 365.25


@dataclass(frozen=True, eq=False)
class Incidence:
    """Share of all customers who have left for each cause by a time since their first purchase.

    Attributes
    ----------
    days : ndarray, shape (times,)
    customers : int
    exits : ndarray of int, shape (causes,)
    share : Estimate of ndarray, shape (causes, times)
        Nan beyond the longest time that anyone was observed. A bound is nan where nobody has left for that cause yet,
        or where nobody is at risk any more.
    """

    days: np.ndarray
    customers: int
    exits: np.ndarray
    share: Estimate

    @property
    def staying(self) -> np.ndarray:
        """Share of all who have not left for any cause, shape (times,)."""
        return 1 - self.share.value.sum(axis=0)


def cumulative_incidence(duration_days, cause, days, level: float = 0.95) -> Incidence:
    """Estimate how many leave for each cause, by lifelines (Aalen and Johansen 1978, Scand. J. Statistics 5, 141-150).

    F_k(t) = sum over t_i <= t of S(t_i-) d_ki / n_i. Those last seen on a day are at risk on that day.

    Parameters
    ----------
    duration_days : array_like, shape (n,)
        From the first purchase to the exit, or to the last day observed. Customers must have been watched from their
        first purchase on: where exits were not recorded in earlier years, leave those who came then out.
    cause : array_like of int, shape (n,)
        Places in `CAUSES`; `STILL_HERE` for those who have not left.
    days : array_like, shape (times,)
        Times since the first purchase, rising.
    level : float
        Of the intervals.

    Returns
    -------
    Incidence

    Raises
    ------
    ValueError
        No customers, unknown causes, negative or missing durations, times that do not rise.
    """
    duration, cause = _checked(duration_days, cause)
    days = np.asarray(days, float)
    if not days.size or not (np.diff(days) > 0).all() or not days[0] >= 0:
        raise ValueError("days must be times from 0 up, each later than the one before.")
    first, row = distinct_rows(duration, cause)
    weights = np.bincount(row)
    exits = np.bincount(cause + 1, minlength=len(CAUSES) + 1)[1:]
    value, low, high = np.zeros((len(CAUSES), len(days))), *np.full((2, len(CAUSES), len(days)), np.nan)
    for place in np.flatnonzero(exits):
        time, *curves = lifelines_peer.cumulative_incidence(
            duration[first], cause[first] + 1, weights, int(place) + 1, level
        )
        before = np.searchsorted(time, days, side="right")
        for whole, curve, at_first in zip((value, low, high), curves, (0.0, np.nan, np.nan), strict=True):
            whole[place] = np.append(at_first, curve)[before]
    for whole in (value, low, high):
        whole[:, days > duration.max()] = np.nan
    return Incidence(days, len(duration), exits, Estimate(value, low, high))


@dataclass(frozen=True, eq=False)
class Hazards:
    """Rates of leaving, by group and cause.

    Attributes
    ----------
    exits : ndarray of int, shape (groups, causes)
    customer_years : ndarray, shape (groups,)
        For which the customers of the group were watched.
    rate : Estimate of ndarray, shape (groups, causes)
        Exits per customer-year; nan where nobody was watched for any time.
    """

    exits: np.ndarray
    customer_years: np.ndarray
    rate: Estimate


def hazards(duration_days, cause, group=None, groups: int | None = None, level: float = 0.95) -> Hazards:
    """Rates of leaving for each cause per customer-year, with exact intervals (Garwood 1936, Biometrika 28, 437-442).

    low = chi2(alpha / 2; 2 d) / 2, high = chi2(1 - alpha / 2; 2 d + 2) / 2, over the customer-years: they take the rate
    to be constant over the time of a relationship.

    Parameters
    ----------
    duration_days, cause : array_like, shape (n,)
        As for `cumulative_incidence`.
    group : array_like of int, shape (n,), optional
        Numbers from 0, such as of a segment.
    groups : int, optional
        How many there are.
    level : float
        Of the intervals.

    Returns
    -------
    Hazards

    Raises
    ------
    ValueError
        As `cumulative_incidence`; groups of another length or below 0.
    """
    duration, cause = _checked(duration_days, cause)
    group = np.zeros(len(duration), int) if group is None else np.asarray(group)
    if group.shape != duration.shape or group.min() < 0 or (groups is not None and group.max() >= groups):
        raise ValueError("group must hold one number from 0 up for each customer, below the number of groups.")
    groups = int(group.max()) + 1 if groups is None else groups
    gone = cause != STILL_HERE
    cell = group[gone] * len(CAUSES) + cause[gone]
    exits = np.bincount(cell, minlength=groups * len(CAUSES)).reshape(groups, len(CAUSES))
    years = np.bincount(group, duration, minlength=groups) / DAYS_PER_YEAR
    return Hazards(exits, years, exact_rate(exits, years[:, None], level))


def exact_rate(exits, customer_years, level: float = 0.95) -> Estimate:
    """Exits per customer-year with the exact interval of `hazards`; nan where nobody was watched for any time."""
    exits, years = np.asarray(exits), np.asarray(customer_years, float)
    watched = np.where(years > 0, years, np.nan)
    tail = (1 - level) / 2
    low = np.where(exits > 0, stats.chi2.ppf(tail, 2 * np.maximum(exits, 1)) / 2, 0.0)
    high = stats.chi2.ppf(1 - tail, 2 * exits + 2) / 2
    return Estimate(exits / watched, low / watched, high / watched)


@dataclass(frozen=True, eq=False)
class RateRatio:
    """Rate of one group over that of another.

    Attributes
    ----------
    ratio : Estimate of ndarray
        Nan where neither group has an exit; infinite where the other one has none.
    p_value : ndarray
        Two-sided, of equal rates: not corrected for many comparisons.
    """

    ratio: Estimate
    p_value: np.ndarray


def rate_ratio(exits, customer_years, other_exits, other_years, level: float = 0.95) -> RateRatio:
    """Compare two rates exactly (Przyborowski and Wilenski 1940, Biometrika 31, 313-323).

    Given both groups' exits together, those of the first are binomial with probability
    ratio x years / (ratio x years + other years). Interval and probability value are the central ones: the interval
    holds 1 just where the value is above 1 - level.

    Parameters
    ----------
    exits, customer_years, other_exits, other_years : array_like
        Of one shape, or broadcast.
    level : float
        Of the interval.

    Returns
    -------
    RateRatio

    Raises
    ------
    ValueError
        Negative exits, years that are not above 0.
    """
    exits, years, others, other_years = np.broadcast_arrays(
        *(np.asarray(each, float) for each in (exits, customer_years, other_exits, other_years))
    )
    if (exits < 0).any() or (others < 0).any() or not ((years > 0) & (other_years > 0)).all():
        raise ValueError("Exits must be 0 or more, and customer-years above 0.")
    both, tail = exits + others, (1 - level) / 2
    low = np.where(exits > 0, stats.beta.ppf(tail, np.maximum(exits, 1), others + 1), 0.0)
    high = np.where(others > 0, stats.beta.ppf(1 - tail, exits + 1, np.maximum(others, 1)), 1.0)
    none = both == 0
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(none, np.nan, (exits / years) / (others / other_years))
        bounds = [np.where(none, np.nan, share / (1 - share) * other_years / years) for share in (low, high)]
    equal = years / (years + other_years)
    below, above = stats.binom.cdf(exits, both, equal), stats.binom.sf(exits - 1, both, equal)
    p_value = np.where(none, np.nan, np.minimum(2 * np.minimum(below, above), 1))
    return RateRatio(Estimate(value, *bounds), p_value)


@dataclass(frozen=True, eq=False)
class ValueLost:
    """What was lost with those who left.

    Attributes
    ----------
    customers : ndarray of int, shape (causes,)
    value : Estimate of ndarray, shape (causes,)
        Sum of their value.
    total, avoidable : Estimate of float
        Of all causes, and of those of `AVOIDABLE`. Those who left for an unknown cause are not counted as avoidable.
    """

    customers: np.ndarray
    value: Estimate
    total: Estimate
    avoidable: Estimate


def value_lost(value_at_risk, cause, draws: Iterable | None = None, level: float = 0.95) -> ValueLost:
    """Add up what those who left were worth, by cause.

    Parameters
    ----------
    value_at_risk : array_like, shape (n,)
        Future value of each customer at an earlier date.
    cause : array_like of int, shape (n,)
        For which they have left since: places in `CAUSES`; `STILL_HERE` for those who have not.
    draws : iterable of array_like, shape (n,), optional
        Of value_at_risk.
    level : float
        Of the percentile intervals, nan without draws.

    Returns
    -------
    ValueLost

    Raises
    ------
    ValueError
        No customers, unknown causes, values that are not numbers.
    """
    cause = _causes(cause)
    avoidable = np.isin(CAUSES, AVOIDABLE)

    def sums(value) -> np.ndarray:
        """Add up by cause, in all, and what was avoidable."""
        value = np.asarray(value, float)
        if value.shape != cause.shape or not np.isfinite(value).all():
            raise ValueError("There must be one finite value for each customer.")
        by_cause = np.bincount(cause + 1, value, minlength=len(CAUSES) + 1)[1:]
        return np.array([*by_cause, by_cause.sum(), by_cause[avoidable].sum()])

    found = sums(value_at_risk)
    drawn = [sums(row) for row in draws] if draws is not None else []
    low, high = resampling.percentile(drawn, level) if drawn else np.full((2, len(found)), np.nan)
    total, avoided = (Estimate(*(float(each[place]) for each in (found, low, high))) for place in (-2, -1))
    customers = np.bincount(cause + 1, minlength=len(CAUSES) + 1)[1:]
    return ValueLost(customers, Estimate(found[:-2], low[:-2], high[:-2]), total, avoided)


def _checked(duration_days, cause) -> tuple[np.ndarray, np.ndarray]:
    duration, cause = np.asarray(duration_days, float), _causes(cause)
    if duration.shape != cause.shape:
        raise ValueError("duration_days and cause must be of one length.")
    if not (np.isfinite(duration) & (duration >= 0)).all():
        raise ValueError("duration_days must be days from 0 up: an exit before the first purchase cannot be.")
    return duration, cause


def _causes(cause) -> np.ndarray:
    cause = np.asarray(cause)
    if cause.ndim != 1 or not cause.size:
        raise ValueError("There are no customers.")
    if cause.dtype.kind not in "iu" or cause.min() < STILL_HERE or cause.max() >= len(CAUSES):
        raise ValueError(f"cause must be {STILL_HERE} (still a customer) or a place in {', '.join(CAUSES)}.")
    return cause.astype(np.int64)
