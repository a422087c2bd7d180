"""Which of Kotler's five levels of relationship pays in which segment: value less cost, under stated assumptions.

Basic: sell, and no contact after. Reactive: encourage customers to call. Accountable: call soon after the sale.
Proactive: keep calling with advice. Partnership: work together continuously. The sources say that a large market with a
small unit margin wants the basic level and few customers with a high margin want partnership, and that the choice
depends mostly on lifetime value against the cost to attract and keep.

How contact raises retention has the form of R. C. Blattberg and J. Deighton: "Manage Marketing by the Customer Equity
Test" (1996), Harvard Business Review 74(4). Its parameters, and what the levels cost, are assumptions until a test with
a control group has measured them: `sensitivity` says which of them the choice hangs on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import optimize

from helpers.models import resampling
from helpers.models.estimate import Estimate

from .churn_causes import exact_rate

NONE = -1  # no level can be recommended
FACTORS = (0.5, 2.0)


@dataclass(frozen=True)
class Level:
    """A level of relationship.

    Parameters
    ----------
    name : str
    cost : float
        Of the contact with one customer for a year, where customers are few.
    capacity : float
        Number of customers at which that cost has doubled: cost x (1 + customers / capacity).

    Raises
    ------
    ValueError
        A negative cost, a capacity that is not above 0.

    Notes
    -----
    Without such a capacity the number of customers would make no difference, since value and cost would both be in
    proportion to it, and the sources' grid has numbers on one of its sides. Contact in person does not scale as sales
    do: who knows a customer well knows some dozens, so more customers take more people, who have to be found, trained
    and led. The less personal a level, the larger its capacity.
    """

    name: str
    cost: float
    capacity: float = np.inf

    def __post_init__(self):
        """Refuse what cannot be."""
        if not (0 <= self.cost < np.inf and self.capacity > 0):
            raise ValueError(f"{self.name}: cost must be a number from 0 up, and capacity above 0.")


@dataclass(frozen=True)
class Response:
    """How contact raises yearly retention: r(c) = ceiling - (ceiling - r0) exp(-responsiveness c).

    c is the contact that a customer gets, in money at the price where customers are few: that a large firm pays more
    for the same contact does not make it work better. A ceiling below r0 changes nothing: contact drives nobody away.

    Parameters
    ----------
    ceiling : float
        Retention that no contact can exceed.
    responsiveness : float
        Per unit of money.

    Raises
    ------
    ValueError
        A ceiling outside 0 to 1, a negative responsiveness.
    """

    ceiling: float
    responsiveness: float

    def __post_init__(self):
        """Refuse what cannot be."""
        if not (0 <= self.ceiling <= 1 and 0 <= self.responsiveness < np.inf):
            raise ValueError("ceiling must be a share from 0 to 1, and responsiveness a number from 0 up.")

    def retention(self, base, contact) -> np.ndarray:
        """Yearly retention of those whom so much contact is given; arrays that broadcast."""
        base = np.asarray(base, float)
        ceiling = np.maximum(base, self.ceiling)
        return ceiling - (ceiling - base) * np.exp(-self.responsiveness * np.asarray(contact, float))


# Cost as a share of the mean yearly margin of a customer, capacity as a share of all customers.
ASSUMED = {
    "basic": (0.0, np.inf),
    "reactive": (0.015, 1.0),
    "accountable": (0.04, 0.5),
    "proactive": (0.10, 0.2),
    "partnership": (0.30, 0.1),
}
ASSUMED_CEILING = 0.95
ASSUMED_RESPONSIVENESS = 8.0  # per mean yearly margin: spending a tenth of it closes 55 % of the gap to the ceiling


def assumed_levels(mean_margin: float, customers: float) -> tuple[Level, ...]:
    """Give the five levels what they are assumed to cost in a firm of this size, whatever its currency.

    Parameters
    ----------
    mean_margin : float
        Of a customer in a year, above 0.
    customers : float
        Of the firm, above 0.

    Raises
    ------
    ValueError
        Either is not above 0.
    """
    _above_zero(mean_margin=mean_margin, customers=customers)
    return tuple(Level(name, cost * mean_margin, capacity * customers) for name, (cost, capacity) in ASSUMED.items())


def assumed_response(mean_margin: float) -> Response:
    """Give the assumed response to contact in the currency of the margin."""
    _above_zero(mean_margin=mean_margin)
    return Response(ASSUMED_CEILING, ASSUMED_RESPONSIVENESS / mean_margin)


def annuity(retention, horizon_years: float, annual_discount_rate: float, payments_a_year: int = 12) -> np.ndarray:
    """Present value of a margin of 1 a year for as long as the customer stays.

    sum over k < payments of (r / (1 + i))^(k / payments a year) / payments a year; the first payment is certain. With
    one payment a year it is the sum over t < horizon of (r / (1 + i))^t.

    Parameters
    ----------
    retention : array_like
        Yearly, 0 to 1.
    horizon_years : float
        To the nearest payment.
    annual_discount_rate : float
    payments_a_year : int

    Raises
    ------
    ValueError
        A horizon without a payment, a rate of -100 % or below.
    """
    payments = _payments(horizon_years, annual_discount_rate, payments_a_year)
    ratio = np.asarray(retention, float) / (1 + annual_discount_rate)
    return (ratio[..., None] ** (np.arange(payments) / payments_a_year)).sum(axis=-1) / payments_a_year


@dataclass(frozen=True, eq=False)
class BaseRetention:
    """Retention as it is, observed or as a value implies it, one for each segment.

    Attributes
    ----------
    retention : ndarray, shape (segments,)
        Yearly; nan where there is no margin.
    problems : tuple of str
        For each segment why no retention gives its value, and what was taken instead; "" where all is well.
    """

    retention: np.ndarray
    problems: tuple[str, ...]


def implied_retention(
    value, margin, horizon_years: float, annual_discount_rate: float, payments_a_year: int = 12
) -> BaseRetention:
    """Find the yearly retention r at which margin x annuity(r) is the future value.

    Parameters
    ----------
    value : array_like, shape (segments,)
        Mean future value of a customer within the horizon.
    margin : array_like, shape (segments,)
        Mean margin of a customer who stays, a year.
    horizon_years, annual_discount_rate, payments_a_year
        As for `annuity`. With one payment within the horizon every retention gives the same value.

    Returns
    -------
    BaseRetention

    Raises
    ------
    ValueError
        As `annuity`; shapes that do not match; a horizon of one payment.
    """
    value, margin = np.atleast_1d(np.asarray(value, float)), np.atleast_1d(np.asarray(margin, float))
    if value.shape != margin.shape or value.ndim != 1:
        raise ValueError("value and margin must be one-dimensional, one number for each segment.")
    if _payments(horizon_years, annual_discount_rate, payments_a_year) < 2:
        raise ValueError("A horizon of one payment says nothing about retention: take payments_a_year higher.")

    def worth(retention: float) -> float:
        return float(annuity(retention, horizon_years, annual_discount_rate, payments_a_year))

    least, most = worth(0.0), worth(1.0)

    def solve(years: float) -> tuple[float, str]:
        if not np.isfinite(years):
            return np.nan, "Without a margin above 0 and a value no retention can be told."
        if years < least:
            return 0.0, "The value is below the first payment: retention is taken as 0."
        if years > most:
            return 1.0, "The value is above what a customer who never leaves is worth: retention is taken as 1."
        return float(optimize.brentq(lambda retention: worth(retention) - years, 0, 1, xtol=1e-12)), ""

    found, problems = zip(*map(solve, value / np.where(margin > 0, margin, np.nan)), strict=True)
    return BaseRetention(np.array(found), problems)


def observed_retention(exits, customer_years, level: float = 0.95) -> Estimate:
    """Yearly retention exp(-exits per customer-year), with the exact interval of the rate (Garwood 1936).

    Parameters
    ----------
    exits : array_like of int, shape (segments,)
    customer_years : array_like, shape (segments,)
        For which the customers of the segment were watched.
    level : float
        Of the intervals.

    Returns
    -------
    Estimate of ndarray, shape (segments,)
        nan where nobody was watched for any time.

    Raises
    ------
    ValueError
        Negative numbers, shapes that do not match.
    """
    rate = exact_rate(*_watched(exits, customer_years), level)
    return Estimate(*(np.exp(-each) for each in (rate.value, rate.high, rate.low)))


def retention_draws(exits, customer_years, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Draw observed retention: the rate of exits is a gamma variable, with Jeffreys' prior for a Poisson rate.

    Parameters
    ----------
    exits, customer_years : array_like, shape (segments,)
        As for `observed_retention`.
    draws : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (draws, segments)
    """
    exits, years = _watched(exits, customer_years)
    return np.exp(-rng.gamma(exits + 0.5, size=(draws, len(exits))) / years)


def _watched(exits, customer_years) -> tuple[np.ndarray, np.ndarray]:
    exits, years = (np.atleast_1d(np.asarray(each, float)) for each in (exits, customer_years))
    if exits.shape != years.shape or not ((exits >= 0) & (years >= 0)).all():
        raise ValueError("exits and customer_years must be numbers from 0 up, one for each segment.")
    return exits, np.where(years > 0, years, np.nan)


@dataclass(frozen=True, eq=False)
class Recommendation:
    """What each level is worth in each segment.

    Attributes
    ----------
    base : BaseRetention
        Retention as it is, taken as that of the basic level.
    retention, cost : ndarray, shape (segments, levels)
        Yearly retention, and cost of a customer in a year with what the number of customers adds.
    value : Estimate of ndarray, shape (segments, levels)
        Of all customers of the segment, less cost, within the horizon; the interval is of what is known of customers,
        not of what is assumed.
    best : ndarray of int, shape (segments,)
        Place of the level of highest value, of equals the first; `NONE` where no value can be told.
    probability : ndarray, shape (segments, levels)
        Share of the draws in which the level is best; nan without draws.
    budget : ndarray, shape (segments,)
        Yearly cost of the best level.
    """

    base: BaseRetention
    retention: np.ndarray
    cost: np.ndarray
    value: Estimate
    best: np.ndarray
    probability: np.ndarray
    budget: np.ndarray


@dataclass(frozen=True, eq=False)
class Segments:
    """What is known of the segments, and how far ahead value counts.

    Parameters
    ----------
    customers : array_like, shape (segments,)
    margin, value : array_like, shape (segments,)
        Mean margin of a customer who stays, a year; mean future value within the horizon.
    horizon_years, annual_discount_rate, payments_a_year
        As for `annuity`.
    retention : array_like, shape (segments,), optional
        Yearly, as observed. It takes the place of what margin and value imply, but where it is nan.

    Raises
    ------
    ValueError
        Negative numbers of customers, retention outside 0 to 1, shapes that do not match.
    """

    customers: np.ndarray
    margin: np.ndarray
    value: np.ndarray
    horizon_years: float
    annual_discount_rate: float
    payments_a_year: int = 12
    retention: np.ndarray | None = None

    def __post_init__(self):
        """Take arrays, and refuse what cannot be."""
        for name in ("customers", "margin", "value"):
            object.__setattr__(self, name, np.atleast_1d(np.asarray(getattr(self, name), float)))
        if not self.customers.shape == self.margin.shape == self.value.shape or not (self.customers >= 0).all():
            raise ValueError("Each segment needs a number of customers from 0 up, a margin and a value.")
        if self.retention is not None:
            given = np.atleast_1d(np.asarray(self.retention, float))
            if given.shape != self.customers.shape or ((given < 0) | (given > 1)).any():
                raise ValueError("retention must be a share from 0 to 1, one for each segment.")
            object.__setattr__(self, "retention", given)

    @property
    def base(self) -> BaseRetention:
        """Retention as observed, or as margin and value imply it; nan where there is no margin to keep."""
        implied = implied_retention(
            self.value, self.margin, self.horizon_years, self.annual_discount_rate, self.payments_a_year
        )
        if self.retention is None:
            return implied
        observed = ~np.isnan(self.retention) & (self.margin > 0)
        problems = ("" if seen else problem for seen, problem in zip(observed, implied.problems, strict=True))
        return BaseRetention(np.where(observed, self.retention, implied.retention), tuple(problems))

    def worth(self, retention, cost) -> np.ndarray:
        """Value of all customers at this retention and cost of a customer in a year: shape (segments, levels)."""
        years = annuity(retention, self.horizon_years, self.annual_discount_rate, self.payments_a_year)
        return self.customers[:, None] * (self.margin[:, None] - cost) * years


def recommend(
    segments: Segments,
    levels: Sequence[Level],
    response: Response,
    *,
    draws: Iterable | None = None,
    confidence: float = 0.95,
) -> Recommendation:
    """Choose for each segment the level of highest value: customers x (margin - cost) x annuity(retention).

    Parameters
    ----------
    segments : Segments
    levels : sequence of Level
    response : Response
    draws : iterable of tuple of array_like, optional
        (margin, value) or (margin, value, retention) of shape (segments,), one for each draw. Where retention is
        observed and not drawn, the interval takes it as known.
    confidence : float
        Of the percentile intervals.

    Returns
    -------
    Recommendation

    Raises
    ------
    ValueError
        As `Segments` and `annuity`; no levels.
    """
    if not levels:
        raise ValueError("There are no levels to choose from.")
    contact = np.array([level.cost for level in levels])
    crowding = segments.customers[:, None] / np.array([level.capacity for level in levels])
    cost = contact * (1 + crowding)

    def values(of: Segments) -> tuple[BaseRetention, np.ndarray, np.ndarray]:
        base = of.base
        retention = response.retention(base.retention[:, None], contact)
        return base, retention, of.worth(retention, cost)

    base, retention, value = values(segments)
    best = _best(value)
    drawn = [
        values(replace(segments, **dict(zip(("margin", "value", "retention"), draw, strict=False))))[2]
        for draw in (draws if draws is not None else ())
    ]
    low, high = resampling.percentile(drawn, confidence) if drawn else np.full((2, *value.shape), np.nan)
    often = [_best(each)[:, None] == np.arange(len(levels)) for each in drawn]
    chosen = np.take_along_axis(cost, np.maximum(best, 0)[:, None], axis=1)[:, 0]
    return Recommendation(
        base=base,
        retention=retention,
        cost=cost,
        value=Estimate(value, low, high),
        best=best,
        probability=np.mean(often, axis=0) if drawn else np.full(value.shape, np.nan),
        budget=np.where(best == NONE, np.nan, segments.customers * chosen),
    )


@dataclass(frozen=True, eq=False)
class Change:
    """What another assumption would recommend.

    Attributes
    ----------
    assumption : str
    factor : float
    best : ndarray of int, shape (segments,)
    changed : ndarray of bool, shape (segments,)
        Whether that is another level than before.
    """

    assumption: str
    factor: float
    best: np.ndarray
    changed: np.ndarray


def sensitivity(
    segments: Segments, levels: Sequence[Level], response: Response, factors: Sequence[float] = FACTORS
) -> tuple[Change, ...]:
    """Change one assumption at a time, and say where the recommendation changes.

    Costs, capacities and responsiveness are multiplied by each factor. A level that costs so many times as much is the
    same contact and works as before. Of the ceiling, what it lacks to 1 is multiplied, since a ceiling times a factor
    need not be a share.

    Parameters
    ----------
    segments, levels, response
        As for `recommend`.
    factors : sequence of float
        Above 0.

    Returns
    -------
    tuple of Change

    Raises
    ------
    ValueError
        As `recommend`; factors that are not above 0.
    """
    for factor in factors:
        _above_zero(factor=factor)
    before = recommend(segments, levels, response).best

    def others(factor: float) -> dict[str, tuple]:
        ceiling = min(max(1 - factor * (1 - response.ceiling), 0.0), 1.0)
        return {
            "cost": (
                _scaled(levels, "cost", factor),
                replace(response, responsiveness=response.responsiveness / factor),
            ),
            "capacity": (_scaled(levels, "capacity", factor), response),
            "responsiveness": (levels, replace(response, responsiveness=factor * response.responsiveness)),
            "ceiling": (levels, replace(response, ceiling=ceiling)),
        }

    changes = []
    for factor in factors:
        for name, assumptions in others(factor).items():
            best = recommend(segments, *assumptions).best
            changes.append(Change(name, float(factor), best, best != before))
    return tuple(changes)


def _scaled(levels: Sequence[Level], name: str, factor: float) -> tuple[Level, ...]:
    return tuple(replace(level, **{name: factor * getattr(level, name)}) for level in levels)


def _best(value) -> np.ndarray:
    return np.where(np.isnan(value).any(axis=1), NONE, np.nan_to_num(value, nan=-np.inf).argmax(axis=1))


def _payments(horizon_years: float, annual_discount_rate: float, payments_a_year: int) -> int:
    if not annual_discount_rate > -1:
        raise ValueError(f"annual_discount_rate must be above -1 (-100 %), not {annual_discount_rate}.")
    payments = round(horizon_years * payments_a_year) if np.isfinite(horizon_years) else 0
    if payments < 1:
        raise ValueError(f"Within {horizon_years} years there is no payment.")
    return payments


def _above_zero(**amounts) -> None:
    for name, amount in amounts.items():
        if not 0 < amount < np.inf:
            raise ValueError(f"{name} must be above 0, not {amount}.")
