"""What five points of retention add to a customer's value, and where "25 to 85 % more profit" can be true.

The claim goes back to F. F. Reichheld, W. E. Sasser: "Zero Defections: Quality Comes to Services" (1990), Harvard
Business Review 68(5). A customer pays a margin each period, growing by a share g, as long as they stay, each time with
probability r; i is the discount rate. With c = (1 + i) / (1 + g), the value in margins of the first period is

    c / (c - r)            where the first margin is certain
    r / (1 + g) / (c - r)  where it is at risk: paid only if the customer stays
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import integrate, special

UNITS = ("points", "percent")
FIRST_MARGINS = ("certain", "at_risk")
# Why there is no uplift, by `Uplift.reason`.
POSSIBLE, BEYOND_ONE, INFINITE, NO_VALUE = range(4)
REASONS = (
    "",
    "Retention cannot rise above 1.",
    "The value is infinite: margins grow, or are discounted too little, for the sum to end.",
    "A customer is not worth what winning one costs, or is worth nothing: there is no profit to compare with.",
)
ROUNDING = 1e-12  # so that 0.95 and 0.05 make 1


@dataclass(frozen=True, eq=False)
class Uplift:
    """By what share the value of a customer rises.

    Attributes
    ----------
    value : ndarray
        0.25 for 25 % more; nan where there is none.
    reason : ndarray of int
        Why there is none: places in `REASONS`, 0 where there is one.
    """

    value: np.ndarray
    reason: np.ndarray


@dataclass(frozen=True, eq=False)
class ClaimRange:
    """Between which base retentions an uplift lies within a claimed range; arrays of the discount rates' shape.

    Attributes
    ----------
    retention_low, retention_high : ndarray
        Base retention at which the uplift is the lower and the upper end of the claim, and beyond which it is more;
        nan where retention would exceed 1 before.
    falling_low, falling_high : ndarray
        The same where the uplift still falls as retention rises, which it does at low retention when points are added
        and the first margin is at risk: the claim holds from `falling_high` to `falling_low` too. Elsewhere nan.
    largest_uplift : ndarray
        With retention at 1 after the rise; infinite where the value is then. Falling uplifts have no largest.
    largest_at : float
        Base retention of it.
    """

    retention_low: np.ndarray
    retention_high: np.ndarray
    falling_low: np.ndarray
    falling_high: np.ndarray
    largest_uplift: np.ndarray
    largest_at: float


def true_ranges(
    line: Mapping[str, float], low: float = 0.25, high: float = 0.85, *, unit: str, first_margin: str
) -> list[tuple[float, float]]:
    """List between which base retentions an uplift lies within a claimed range, at one discount rate.

    Parameters
    ----------
    line : mapping of str to float
        The fields of a `ClaimRange` at that rate.
    low, high : float
        The claimed range.
    unit, first_margin : str
        As `where_true` was asked.

    Returns
    -------
    list of (float, float)
        Rising; empty where the claim is true nowhere. An uplift that is within the claim at every retention that can
        rise has no solution at either end, and is true from 0 on.
    """
    names = ("retention_low", "retention_high", "falling_low", "falling_high", "largest_uplift", "largest_at")
    begins, ends, falling_low, falling_high, largest, last = (float(line[name]) for name in names)
    starts, stops = np.isfinite(begins), np.isfinite(ends)
    last = min(ends, last) if stops else last
    if unit == "points" and first_margin == "at_risk":
        # the uplift falls from infinity at a retention of 0, and may rise again
        if not np.isfinite(falling_high):
            return []
        if not np.isfinite(falling_low):
            return [(falling_high, last)]
        return [(falling_high, falling_low)] + ([(begins, last)] if starts else [])
    if (not starts and largest < low) or (not stops and largest > high):
        return []
    return [(begins if starts else 0.0, last)]


@dataclass(frozen=True)
class HeterogeneousUplift:
    """Uplift of a cohort whose customers differ, beside that of one in which all are like the mean.

    Attributes
    ----------
    value, homogeneous_value : float
        Of a customer before the rise, in margins of the first period.
    uplift, homogeneous_uplift : float
        Nan where customers at retention 1 are worth infinitely much, or where the mean retention cannot rise so far.
    mean_retention : float
    mean_rise : float
        Points of retention that a customer gains in the mean: less than asked for where some are at 1 before.
    capped_share : float
        Of the customers, whose retention would exceed 1.
    """

    value: float
    homogeneous_value: float
    uplift: float
    homogeneous_uplift: float
    mean_retention: float
    mean_rise: float
    capped_share: float


def checked_rates(retention, discount_rate) -> tuple[np.ndarray, np.ndarray]:
    """Return retention and discount rate as arrays.

    Raises
    ------
    ValueError
        Retention that is missing or outside 0 to 1, a discount rate that is missing, infinite or below 0.
    """
    retention, discount_rate = np.asarray(retention, float), np.asarray(discount_rate, float)
    if not np.all((retention >= 0) & (retention <= 1)):
        raise ValueError("Retention is a share of 0 to 1 of the customers who stay for another period.")
    if not np.all((discount_rate >= 0) & np.isfinite(discount_rate)):
        raise ValueError("The discount rate is a share of at least 0 a period: 0.1 for 10 %.")
    return retention, discount_rate


def customer_value(
    retention, discount_rate, *, first_margin: str = "certain", growth=0.0, periods: float = np.inf
) -> np.ndarray:
    """Present value of a customer in margins of the first period.

    Parameters
    ----------
    retention, discount_rate : array_like
        Share of customers who stay from one period to the next, 0 to 1, and share a period, at least 0; broadcast.
    first_margin : {"certain", "at_risk"}
        Whether the first margin is paid now, or only if the customer stays for it, one period ahead.
    growth : array_like
        Of the margin, a share a period, above -1.
    periods : float
        How many margins count; infinite for all.

    Returns
    -------
    ndarray
        Infinite where the sum does not end: retention x (1 + growth) of at least 1 + discount rate.

    Raises
    ------
    ValueError
        Rates that cannot be, an unknown convention, fewer than one period or a part of one.
    """
    retention, discount_rate = checked_rates(retention, discount_rate)
    _check_choice("first_margin", first_margin, FIRST_MARGINS)
    if not np.all(np.asarray(growth) > -1) or not periods >= 1 or (np.isfinite(periods) and periods % 1):
        raise ValueError("Growth is above -1, and at least one period counts, in whole ones.")
    ratio = retention * (1 + np.asarray(growth, float)) / (1 + discount_rate)
    first = 1.0 if first_margin == "certain" else retention / (1 + discount_rate)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if np.isinf(periods):
            return np.where(ratio < 1, first / (1 - ratio), np.inf)
        return first * np.where(ratio == 1, periods, (1 - ratio**periods) / (1 - ratio))


def uplift(
    retention,
    discount_rate,
    step=0.05,
    *,
    unit: str = "points",
    first_margin: str = "certain",
    growth=0.0,
    acquisition_cost=0.0,
    periods: float = np.inf,
) -> Uplift:
    """Relative rise of profit from a customer when retention rises by a step.

    Without growth and acquisition cost, over all periods, D points add D / (1 + i - r - D) where the first margin is
    certain, and D (1 + i) / (r (1 + i - r - D)) where it is at risk.

    Parameters
    ----------
    retention, discount_rate : array_like
        As in `customer_value`; all arrays broadcast.
    step : array_like
        By how much retention rises: 0.05, above 0.
    unit : {"points", "percent"}
        Whether 0.05 lifts 0.80 to 0.85, or to 0.84.
    first_margin, growth, periods
        As in `customer_value`.
    acquisition_cost : array_like
        In margins of the first period; profit is value less it.

    Returns
    -------
    Uplift

    Raises
    ------
    ValueError
        Rates that cannot be, a step of 0 or below, an acquisition cost below 0, unknown conventions.
    """
    retention, discount_rate = checked_rates(retention, discount_rate)
    if not np.all(np.asarray(acquisition_cost) >= 0):
        raise ValueError("The acquisition cost is at least 0, in margins of the first period.")
    raised = _raised(retention, step, unit)
    possible = raised <= 1 + ROUNDING
    terms = {"first_margin": first_margin, "growth": growth, "periods": periods}
    before = customer_value(retention, discount_rate, **terms)
    after = customer_value(np.minimum(raised, 1), discount_rate, **terms)
    profit = before - acquisition_cost
    reason = np.select([~possible, ~np.isfinite(after), ~(profit > 0)], [BEYOND_ONE, INFINITE, NO_VALUE], POSSIBLE)
    with np.errstate(divide="ignore", invalid="ignore"):
        return Uplift(np.where(reason == POSSIBLE, (after - before) / profit, np.nan), reason)


def where_true(
    discount_rate,
    low: float = 0.25,
    high: float = 0.85,
    step: float = 0.05,
    *,
    unit: str = "points",
    first_margin: str = "certain",
    growth: float = 0.0,
) -> ClaimRange:
    """Find the base retentions for which an uplift lies between two claimed ones, in closed form.

    All margins count, and nothing is spent on winning the customer; for other cases, map `uplift`. With D the step and
    u the uplift, the base retention r solves

        points:   r = c - D - D / u        certain;  r^2 - (c - D) r + D c / u = 0         at risk
        percent:  r = c u / (u (1 + D) + D)    certain;  r = c (u - D) / (u (1 + D))           at risk

    Parameters
    ----------
    discount_rate : array_like
    low, high : float
        Claimed uplifts, above 0.
    step, unit, first_margin, growth
        As in `uplift`, numbers.

    Returns
    -------
    ClaimRange

    Raises
    ------
    ValueError
        As `uplift` does, and claims that are not 0 < low <= high.
    """
    if not 0 < low <= high:
        raise ValueError("A claimed range goes from an uplift above 0 to one at least as large.")
    _, discount_rate = checked_rates(0, discount_rate)
    ceiling = (1 + discount_rate) / (1 + growth)
    base = base_of_one(step, unit)
    bounds = [_solved(claimed, ceiling, step, unit, first_margin) for claimed in (low, high)]
    rising, falling = zip(*bounds, strict=True)
    scale = 1.0 if first_margin == "certain" else 1 / base
    with np.errstate(divide="ignore", invalid="ignore"):
        largest = np.where(ceiling > 1, scale * (ceiling - base) / (ceiling - 1) - 1, np.inf)
    kept = (np.where((root >= 0) & (root <= base + ROUNDING), root, np.nan) for root in (*rising, *falling))
    return ClaimRange(*kept, largest, base)


def highest_discount_rate(
    claimed: float,
    step: float = 0.05,
    *,
    unit: str = "points",
    first_margin: str = "certain",
    growth: float = 0.0,
) -> float:
    """Discount rate up to which an uplift can be reached at all: there retention is 1 after the rise.

    Points, certain, no growth: D / u; so 85 % more needs at most 5.9 %.

    Returns
    -------
    float
        Infinite where any rate will do, below 0 where none does. At risk, points at low retention are left out.

    Raises
    ------
    ValueError
        As `where_true`.
    """
    if not claimed > 0:
        raise ValueError("A claimed uplift is above 0.")
    _check_choice("first_margin", first_margin, FIRST_MARGINS)
    base = base_of_one(step, unit)
    if first_margin == "certain":
        ceiling = (1 + claimed - base) / claimed
    else:
        room = base * (1 + claimed) - 1
        ceiling = base * claimed / room if room > 0 else np.inf
    return float((1 + growth) * ceiling - 1)


def base_of_one(step: float, unit: str = "points") -> float:
    """Base retention that a step lifts to 1."""
    _raised(np.zeros(()), step, unit)
    if unit == "points" and step > 1:
        raise ValueError("Retention cannot rise by more than 1.")
    return 1 - step if unit == "points" else 1 / (1 + step)


def heterogeneous_uplift(
    alpha: float,
    beta: float,
    discount_rate: float,
    step: float = 0.05,
    *,
    unit: str = "points",
    first_margin: str = "certain",
    growth: float = 0.0,
    periods: float = np.inf,
    renewals: int = 0,
) -> HeterogeneousUplift:
    """Uplift when each customer's own retention rises by a step, to 1 at most, where customers differ.

    The probability to leave is Beta(alpha, beta + renewals): the shifted-beta-geometric model of those who have renewed
    so often. The value is the mean of the customers' values, by integration, and not the value at the mean retention,
    which is less (Fader & Hardie 2010, Marketing Science 29(1), 85-93).

    Parameters
    ----------
    alpha, beta : float
        Above 0.
    discount_rate : float
    step, unit, first_margin, growth, periods
        As in `uplift`, numbers.
    renewals : int
        How often each has renewed so far.

    Returns
    -------
    HeterogeneousUplift

    Raises
    ------
    ValueError
        As `uplift` does, and parameters that are not above 0.
    """
    if not (0 < alpha < np.inf and 0 < beta < np.inf and renewals >= 0):
        raise ValueError("alpha and beta are above 0, and renewals at least 0.")
    beta += renewals
    terms = {"first_margin": first_margin, "growth": growth, "periods": periods}
    mean = beta / (alpha + beta)
    homogeneous = uplift(mean, discount_rate, step, unit=unit, **terms)
    capped = float(special.betainc(alpha, beta, 1 - base_of_one(step, unit)))

    def expected(function, start: float = 0.0) -> float:
        """Integrate over customers, ranked by their probability to leave, from a share of them to all."""
        return integrate.quad(lambda rank: function(1 - special.betaincinv(alpha, beta, rank)), start, 1, limit=200)[0]

    def value(retention: float) -> float:
        return float(customer_value(min(retention, 1.0), discount_rate, **terms))

    always, raised = value(1.0), partial(_raised, step=step, unit=unit)
    if np.isfinite(always):
        before = expected(value)
        relative = (capped * always + expected(lambda retention: value(raised(retention)), capped)) / before - 1
    else:
        before, relative = _value_without_discount(alpha, beta, discount_rate, growth, first_margin), np.nan
    return HeterogeneousUplift(
        value=before,
        homogeneous_value=value(mean),
        uplift=relative,
        homogeneous_uplift=float(homogeneous.value),
        mean_retention=mean,
        mean_rise=capped + expected(raised, capped) - mean,
        capped_share=capped,
    )


def _value_without_discount(alpha: float, beta: float, discount_rate: float, growth: float, first_margin: str) -> float:
    """Return the mean of 1 / (probability to leave), less the first margin where it is at risk; else infinite."""
    if growth != discount_rate or alpha <= 1:
        return np.inf
    return (alpha + beta - 1) / (alpha - 1) if first_margin == "certain" else beta / (alpha - 1) / (1 + growth)


def _solved(claimed: float, ceiling, step: float, unit: str, first_margin: str) -> tuple[np.ndarray, np.ndarray]:
    """Return where the uplift is so large while it rises with retention, and while it falls."""
    _check_choice("first_margin", first_margin, FIRST_MARGINS)
    nowhere = np.full(np.shape(ceiling), np.nan)
    if unit == "points" and first_margin == "at_risk":
        middle = (ceiling - step) / 2
        with np.errstate(invalid="ignore"):
            half = np.sqrt(middle**2 - step * ceiling / claimed)
        return middle + half, middle - half
    if unit == "points":
        return ceiling - step - step / claimed, nowhere
    more = claimed * (1 + step)
    rising = claimed / (more + step) if first_margin == "certain" else (claimed - step) / more
    return ceiling * rising, nowhere


def _raised(retention, step, unit: str) -> np.ndarray:
    _check_choice("unit", unit, UNITS)
    if not np.all((np.asarray(step) > 0) & np.isfinite(step)):
        raise ValueError("Retention rises by a step above 0: 0.05 for five points, or five percent.")
    return retention + np.asarray(step) if unit == "points" else retention * (1 + np.asarray(step))


def _check_choice(name: str, chosen: str, known: tuple[str, ...]) -> None:
    if chosen not in known:
        raise ValueError(f"{name} is one of {', '.join(known)}, not {chosen!r}.")
