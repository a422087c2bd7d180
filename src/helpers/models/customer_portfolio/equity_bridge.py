"""Why customer equity changed between two dates, to the cent, and what the customers returned.

D. Peppers and M. Rogers: "Return on Customer" (2005), Currency/Doubleday: what customers paid and by how much they
became worth more, in proportion to what they were worth.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from helpers.models import resampling
from helpers.models.estimate import Estimate

LINES = ("opening", "new", "lost", "gone_before", "discount", "margin", "growth", "closing")


@dataclass(frozen=True, eq=False)
class Values:
    """What each customer, or group of them, is worth at two dates; arrays of shape (n,).

    Parameters
    ----------
    opening, closing : array_like
        Future value: margin rate x expected discounted spend, before what customers will cost; 0 of those who are not
        customers.
    closing_at_old_rate : array_like, optional
        Closing value at the discount rate of the first date; the closing value where the rate is the same.
    spend : array_like, optional
        Expected spend at the second date, discounted at the rate of the first; needed where margin rates differ.

    Raises
    ------
    ValueError
        Different lengths, values that are not finite numbers.
    """

    opening: np.ndarray
    closing: np.ndarray
    closing_at_old_rate: np.ndarray | None = None
    spend: np.ndarray | None = None

    def __post_init__(self):
        """Take arrays, and refuse what cannot be."""
        for name in ("opening", "closing", "closing_at_old_rate", "spend"):
            given = getattr(self, name)
            if given is None:
                continue
            given = np.asarray(given, float)
            if given.ndim != 1 or given.shape != np.shape(self.opening) or not np.isfinite(given).all():
                raise ValueError(f"{name} must hold one finite number for each customer.")
            object.__setattr__(self, name, given)


@dataclass(frozen=True)
class Terms:
    """What holds for all customers at the two dates.

    Parameters
    ----------
    years : float
        From the first date to the second.
    opening_discount_rate, closing_discount_rate : float
        Annual.
    opening_margin_rate, closing_margin_rate : float
        Margin as a share of sales.

    Raises
    ------
    ValueError
        Dates in the wrong order, discount rates of -100 % or below, anything that is not a number.
    """

    years: float
    opening_discount_rate: float
    closing_discount_rate: float
    opening_margin_rate: float
    closing_margin_rate: float

    def __post_init__(self):
        """Refuse what cannot be."""
        if not 0 < self.years < np.inf:
            raise ValueError(f"The second date must come after the first, not {self.years} years after it.")
        if not (-1 < self.opening_discount_rate < np.inf and -1 < self.closing_discount_rate < np.inf):
            raise ValueError("Discount rates must be above -1 (-100 %).")
        if not (np.isfinite(self.opening_margin_rate) and np.isfinite(self.closing_margin_rate)):
            raise ValueError("Margin rates must be numbers.")


@dataclass(frozen=True, eq=False)
class Bridge:
    """Customer equity from one date to the other.

    Attributes
    ----------
    lines : dict of str to Estimate of float
        By `LINES`: opening + new + lost + gone_before + discount + margin + growth = closing.
    unwinding : Estimate of float
        Of the line discount the part that time brings; the rest is the change of the rate.
    kept, new, lost, gone_before : int
        Customers at both dates; at the second only, where not gone again by then; at the first only; those who had
        probably gone by the first.
    return_on_customers : Estimate of float
        (margin received + change of equity) / opening; nan where nothing positive was there to begin with.
    """

    lines: dict[str, Estimate]
    unwinding: Estimate
    kept: int
    new: int
    lost: int
    gone_before: int
    return_on_customers: Estimate


def bridge(
    values: Values,
    member,
    gone,
    terms: Terms,
    *,
    gone_before=None,
    margin_received: float = np.nan,
    draws: Iterable[Values] | None = None,
    customers=None,
    level: float = 0.95,
) -> Bridge:
    """Part the change of customer equity into what it comes from.

    new: closing value of those who were not customers at the first date (also of those who are gone again, who are not
    counted). lost: closing less opening value of those who
    have gone. gone_before: closing less opening value of those who had probably gone at the first date, whatever became
    of them. Of the others, the kept:

    - discount: opening x ((1 + i0)^years - 1), as the future has come nearer; and closing - closing_at_old_rate, as the
      rate has changed;
    - margin: (m1 - m0) x spend, spend discounted at the old rate;
    - growth: closing at the old rate and the old margin rate, less what the opening value has grown to:
      (closing_at_old_rate - (m1 - m0) x spend) - opening x (1 + i0)^years.

    What the kept paid in between is no longer in their value, while the horizon has moved on: growth is net of both.

    Parameters
    ----------
    values : Values
    member : array_like of bool, shape (n,)
        Whether a customer at the first date: known, no exit recorded by then, and probably alive.
    gone : array_like of bool, shape (n,)
        Whether a customer no more at the second date, by the same rule.
    terms : Terms
    gone_before : array_like of bool, shape (n,), optional
        Whether known at the first date, without a recorded exit, but probably gone; none of them a member. Default:
        nobody.
    margin_received : float
        Between the two dates, before what customers cost, as their values are; for `return_on_customers`.
    draws : iterable of Values, optional
        The same customers' values in each draw.
    customers : array_like of int, shape (n,), optional
        How many customers each value is the sum of, where values are of groups all of whom, or none, were customers,
        and have gone. Default: one each.
    level : float
        Of the percentile intervals, nan without draws.

    Returns
    -------
    Bridge

    Raises
    ------
    ValueError
        Opening value of someone who was not a customer, or who was one and had gone before; rates
        that differ while the values that tell what that did are missing; different lengths; no customers.
    """
    member, gone = np.asarray(member, bool), np.asarray(gone, bool)
    if not member.size or not member.shape == gone.shape == values.opening.shape:
        raise ValueError("There must be customers, and values, member and gone of one length.")
    customers = np.ones(len(member), int) if customers is None else np.asarray(customers)
    before = np.zeros(len(member), bool) if gone_before is None else np.asarray(gone_before, bool)
    if before.shape != member.shape or (before & member).any():
        raise ValueError("gone_before must be of one length with member, and hold nobody who is one.")
    found = _sums(values, member, gone, before, terms, margin_received)
    drawn = [_sums(each, member, gone, before, terms, margin_received) for each in draws] if draws is not None else []
    low, high = resampling.percentile(drawn, level) if drawn else np.full((2, len(found)), np.nan)
    estimates = [Estimate(*map(float, row)) for row in zip(found, low, high, strict=True)]
    return Bridge(
        lines=dict(zip(LINES, estimates[: len(LINES)], strict=True)),
        unwinding=estimates[-2],
        kept=int(customers[member & ~gone].sum()),
        new=int(customers[~member & ~before & ~gone].sum()),
        lost=int(customers[member & gone].sum()),
        gone_before=int(customers[before].sum()),
        return_on_customers=estimates[-1],
    )


def return_on_customers(margin_received, opening, closing) -> np.ndarray:
    """(margin received + closing - opening) / opening, all before costs; nan where opening is not above 0."""
    opening = np.asarray(opening, float)
    return (margin_received + np.asarray(closing, float) - opening) / np.where(opening > 0, opening, np.nan)


def _sums(values: Values, member, gone, before, terms: Terms, margin_received: float) -> np.ndarray:
    """Return the lines, the unwinding and the return on customers."""
    opening, closing = values.opening, values.closing
    if opening.shape != member.shape:
        raise ValueError("Each draw must be of the same customers.")
    if opening[~(member | before)].any():
        raise ValueError("Someone who was not a customer at the first date cannot have been worth anything.")
    kept, lost = member & ~gone, member & gone
    at_old_rate, margin = _at_old_rate(values, terms), _of_margin(values, terms)
    grown = opening * (1 + terms.opening_discount_rate) ** terms.years
    unwinding = (grown - opening)[kept].sum()
    whole = opening.sum(), closing.sum()
    lines = {
        "opening": whole[0],
        "new": closing[~(member | before)].sum(),
        "lost": (closing - opening)[lost].sum(),
        "gone_before": (closing - opening)[before].sum(),
        "discount": unwinding + (closing - at_old_rate)[kept].sum(),
        "margin": margin[kept].sum(),
        "growth": (at_old_rate - margin - grown)[kept].sum(),
        "closing": whole[1],
    }
    return np.array([*(lines[name] for name in LINES), unwinding, return_on_customers(margin_received, *whole)])


def _at_old_rate(values: Values, terms: Terms) -> np.ndarray:
    if values.closing_at_old_rate is not None:
        return values.closing_at_old_rate
    if terms.closing_discount_rate != terms.opening_discount_rate:
        raise ValueError("The discount rate has changed: closing_at_old_rate is needed to tell what that did.")
    return values.closing


def _of_margin(values: Values, terms: Terms) -> np.ndarray:
    change = terms.closing_margin_rate - terms.opening_margin_rate
    if values.spend is not None:
        return change * values.spend
    if change:
        raise ValueError("The margin rate has changed: spend is needed to tell what that did.")
    return np.zeros(len(values.closing))
