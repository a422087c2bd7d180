"""What moves customer equity: elasticities, a tornado, and how steady revenue is by tenure.

S. Gupta, D. R. Lehmann: "Customers as Assets" (2003), Journal of Interactive Marketing 17(1); with J. A. Stuart:
"Valuing Customers" (2004), Journal of Marketing Research 41(1), 7-18, who find that 1 % more retention, margin and less
acquisition cost add about 5 %, 1 % and 0.1 % to the value of a firm.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from helpers.models import resampling
from helpers.models.estimate import Estimate

from .five_points import FIRST_MARGINS, checked_rates, customer_value
from .periods import resampled_periods

DRIVERS = ("retention", "margin", "discount_rate", "acquisition_cost", "new_per_year", "customers")


@dataclass(frozen=True, eq=False)
class Economics:
    """What customer equity is made of: numbers, or draws of them that broadcast.

    Attributes
    ----------
    margin : float or ndarray
        Of a customer in a year, in money, before the cost of winning one.
    retention, discount_rate : float or ndarray
        Shares a year.
    acquisition_cost : float or ndarray
        Of a new customer.
    new_per_year, customers : float or ndarray
        Won each year, and there now.
    horizon_years : int
        Years in which customers are won, the first one now; 0 for those there now alone. Margins of all count for as
        long as they stay.
    growth : float
        Of the margin, a share a year.
    first_margin : {"certain", "at_risk"}
        Whether a customer's next margin is paid at once, or only after they have stayed for another year.
    first_purchase : float or ndarray
        Margin of a new customer's first day, beside what `margin` counts of the years after it.

    Raises
    ------
    ValueError
        Retention outside 0 to 1, a discount rate, cost or number below 0, values that are missing.
    """

    margin: np.ndarray | float
    retention: np.ndarray | float
    discount_rate: np.ndarray | float
    acquisition_cost: np.ndarray | float = 0.0
    new_per_year: np.ndarray | float = 0.0
    customers: np.ndarray | float = 1.0
    horizon_years: int = 0
    growth: np.ndarray | float = 0.0
    first_margin: str = "certain"
    first_purchase: np.ndarray | float = 0.0

    def __post_init__(self):
        """Refuse what cannot be."""
        checked_rates(self.retention, self.discount_rate)
        for name in ("acquisition_cost", "new_per_year", "customers"):
            value = np.asarray(getattr(self, name), float)
            if not np.all(np.isfinite(value) & (value >= 0)):
                raise ValueError(f"{name} is a number of at least 0.")
        if not np.all(np.isfinite(np.asarray(self.margin, float))) or not np.all(np.asarray(self.growth) > -1):
            raise ValueError("The margin is a number, and its growth a share above -1.")
        if self.horizon_years < 0 or self.horizon_years % 1 or self.first_margin not in FIRST_MARGINS:
            raise ValueError(f"The horizon is in whole years, and first_margin one of {', '.join(FIRST_MARGINS)}.")


@dataclass(frozen=True, eq=False)
class Tornado:
    """Customer equity with one driver lower and higher at a time, from the widest swing to the smallest.

    Attributes
    ----------
    drivers : tuple of str
    low_input, high_input : ndarray, shape (drivers,)
    low_equity, high_equity : ndarray, shape (drivers,)
        With the driver at its lower and its higher value, whichever is better for equity.
    equity : float
        As it is.
    arc_elasticity : ndarray, shape (drivers,)
        Share of equity between the two, over the share of the input: elasticities by finite differences.
    capped : tuple of str
        Drivers that could not rise as far as asked: retention ends at 1.
    """

    drivers: tuple[str, ...]
    low_input: np.ndarray
    high_input: np.ndarray
    low_equity: np.ndarray
    high_equity: np.ndarray
    equity: float
    arc_elasticity: np.ndarray
    capped: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Volatility:
    """How much revenue varies between periods by tenure; arrays of shape (groups,), the newest customers first.

    Attributes
    ----------
    total, per_customer : Estimate
        Coefficient of variation of a group's revenue, and of that of one of its customers; nan where there is none.
    total_ratio, per_customer_ratio : Estimate
        Of each to the newest customers': below 1 where the group is the steadier stream.
    """

    total: Estimate
    per_customer: Estimate
    total_ratio: Estimate
    per_customer_ratio: Estimate


def customer_equity(economics: Economics) -> np.ndarray:
    """Value of the customers there are and of those to be won, less what winning them costs.

    customers x V + sum over years k of new_per_year x (V + first_purchase - acquisition_cost) / (1 + discount_rate)^k,
    with V the value of a customer (see `five_points.customer_value`).

    Returns
    -------
    ndarray
        Infinite where a customer's value is.
    """
    value = _customer(economics)
    won = np.asarray(economics.new_per_year, float) * _annuity(economics)
    with np.errstate(invalid="ignore"):
        there = np.where(np.asarray(economics.customers) > 0, economics.customers * value, 0.0)
        return there + np.where(won > 0, won * (value + economics.first_purchase - economics.acquisition_cost), 0.0)


def elasticities(economics: Economics) -> dict[str, np.ndarray]:
    """By how many percent customer equity changes for one percent more of each driver, in closed form.

    Of a customer's value V, with k = 1 + growth, first margin certain: retention r k / (1 + i - r k), discount rate
    -i r k / ((1 + i) (1 + i - r k)); at risk: retention (1 + i) / (1 + i - r k), discount rate -i / (1 + i - r k);
    margin 1. Equity weighs them by what part of it moves with each.

    Returns
    -------
    dict of str to ndarray
        By driver, in the order of `DRIVERS`; nan where equity is infinite or not above 0.
    """
    r, i = checked_rates(economics.retention, economics.discount_rate)
    carried, c = r * (1 + np.asarray(economics.growth, float)), 1 + i
    equity, value, annuity = customer_equity(economics), _customer(economics), _annuity(economics)
    cost, new = np.asarray(economics.acquisition_cost, float), np.asarray(economics.new_per_year, float)
    gained = value + economics.first_purchase - cost
    year = np.arange(economics.horizon_years)
    annuity_by_rate = -(year * c[..., None] ** (-year - 1.0)).sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        of_value = {
            "retention": (carried if economics.first_margin == "certain" else c) / (c - carried),
            "discount_rate": -i * (carried / c if economics.first_margin == "certain" else 1) / (c - carried),
        }
        from_margins = (economics.customers + new * annuity) * value / equity
        found = {
            "retention": from_margins * of_value["retention"],
            "margin": from_margins,
            "discount_rate": from_margins * of_value["discount_rate"] + new * gained * i * annuity_by_rate / equity,
            "acquisition_cost": -new * annuity * cost / equity,
            "new_per_year": new * annuity * gained / equity,
            "customers": economics.customers * value / equity,
        }
        defined = np.isfinite(equity) & (equity > 0)
        return {name: np.where(defined, each, np.nan) for name, each in found.items()}


def elasticity_intervals(economics: Economics, draws: Economics, level: float = 0.95) -> dict[str, Estimate]:
    """Give each elasticity, and equity itself under "customer_equity", an interval from draws of the inputs.

    Parameters
    ----------
    economics, draws : Economics
        Numbers; and draws of shape (draws,) of those that are uncertain.
    level : float

    Returns
    -------
    dict of str to Estimate
        Nan bounds where nothing was drawn.
    """
    values = {"customer_equity": customer_equity(economics), **elasticities(economics)}
    drawn = {"customer_equity": customer_equity(draws), **elasticities(draws)}
    shape = np.broadcast_shapes(*(each.shape for each in drawn.values()))
    none = (np.nan, np.nan)
    bounds = {
        name: resampling.percentile(np.broadcast_to(each, shape), level) if shape else none
        for name, each in drawn.items()
    }
    return {name: Estimate(float(values[name]), *map(float, bounds[name])) for name in values}


def tornado(economics: Economics, change: float = 0.1, drivers: tuple[str, ...] = DRIVERS) -> Tornado:
    """Lower and raise one driver at a time by a share of it, and see what equity does.

    Parameters
    ----------
    economics : Economics
        Numbers, not draws.
    change : float
        0.1 for 10 %; between 0 and 1.
    drivers : tuple of str
        Some of `DRIVERS`.

    Returns
    -------
    Tornado

    Raises
    ------
    ValueError
        A change outside 0 to 1, unknown drivers, draws.
    """
    if not 0 < change < 1:
        raise ValueError("Drivers change by a share between 0 and 1: 0.1 for 10 %.")
    if unknown := set(drivers) - set(DRIVERS):
        raise ValueError(f"{', '.join(sorted(unknown))} is no driver; there are {', '.join(DRIVERS)}.")
    if any(np.ndim(getattr(economics, field.name)) for field in fields(Economics)):
        raise ValueError("A tornado is of one set of numbers, not of draws.")
    now = np.array([float(getattr(economics, name)) for name in drivers])
    asked = now * (1 + change)
    high_input = np.where(np.array(drivers) == "retention", np.minimum(asked, 1), asked)
    low_input = now * (1 - change)

    def equities(inputs: np.ndarray) -> np.ndarray:
        changed = (replace(economics, **{name: value}) for name, value in zip(drivers, inputs, strict=True))
        return np.array([float(customer_equity(one)) for one in changed])

    low, high, equity = equities(low_input), equities(high_input), float(customer_equity(economics))
    with np.errstate(divide="ignore", invalid="ignore"):
        arc = (high - low) / equity / ((high_input - low_input) / now)
        order = np.argsort(-np.nan_to_num(np.abs(high - low)), kind="stable")
    capped = tuple(name for name, got, wanted in zip(drivers, high_input, asked, strict=True) if got < wanted)
    names = tuple(np.array(drivers)[order])
    return Tornado(names, *(each[order] for each in (low_input, high_input, low, high)), equity, arc[order], capped)


def revenue_volatility(
    revenue,
    customers,
    *,
    detrended: bool = False,
    resamples: int = 2000,
    block: int = 1,
    level: float = 0.95,
    seed: int = 0,
) -> Volatility:
    """Measure how much revenue varies between periods by tenure, to see whether kept customers are the steadier stream.

    Parameters
    ----------
    revenue, customers : array_like, shape (periods, groups)
        By tenure group, the newest customers first.
    detrended : bool
        Whether what a straight line over the periods explains is taken off first: a group that grows is not unsteady.
    resamples, block, level, seed
        Of periods, as in `resampled_periods`; percentile intervals.

    Returns
    -------
    Volatility

    Raises
    ------
    ValueError
        Fewer than three periods, shapes that differ, missing values, customers below 0.
    """
    revenue, customers = np.asarray(revenue, float), np.asarray(customers, float)
    if revenue.ndim != 2 or revenue.shape != customers.shape or len(revenue) < 3:
        raise ValueError("Revenue and customers are given by period and tenure group, for at least three periods.")
    if not (np.isfinite(revenue).all() and np.isfinite(customers).all() and (customers >= 0).all()):
        raise ValueError("Revenue and customers are numbers, and customers at least 0.")
    each = revenue / np.where(customers > 0, customers, np.nan)
    counts = resampled_periods(len(revenue), resamples, block, seed)
    estimates = []
    for values in (revenue, each):
        value, draws = (_variation(values, weights, detrended) for weights in (np.ones((1, len(values))), counts))
        of_new, drawn_new = value[:, :1], draws[:, :1]
        with np.errstate(divide="ignore", invalid="ignore"):
            pairs = ((value, draws), (value / of_new, draws / drawn_new))
        estimates.append([Estimate(one[0], *resampling.percentile(drawn, level)) for one, drawn in pairs])
    (total, total_ratio), (per_customer, per_customer_ratio) = estimates
    return Volatility(total, per_customer, total_ratio, per_customer_ratio)


def _variation(values: np.ndarray, counts: np.ndarray, detrended: bool) -> np.ndarray:
    """Return standard deviation over mean by resample and group, over the periods in which a group has customers."""
    there = np.isfinite(values)
    filled = np.where(there, values, 0.0)
    off = filled - _lines(filled, there) if detrended else filled
    often = counts @ there
    with np.errstate(divide="ignore", invalid="ignore"):
        mean, centre = (counts @ (each * there) / often for each in (filled, off))
        # about the centre of all periods, so that nothing is lost where the variation is small
        middle = (off * there).sum(axis=0) / there.sum(axis=0)
        squared = counts @ ((off - middle) ** 2 * there) / often - (centre - middle) ** 2
        spread = np.sqrt(np.maximum(squared, 0) * often / (often - 1))
        return np.where((often > 1) & (mean > 0), spread / mean, np.nan)


def _lines(values: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Return the least-squares line of each group over the periods in which it has customers."""
    time = np.arange(len(values))[:, None] * np.ones(values.shape[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        centred = np.where(there, time - (time * there).sum(axis=0) / there.sum(axis=0), 0.0)
        slope = (centred * values).sum(axis=0) / (centred**2).sum(axis=0)
    return np.nan_to_num(slope) * centred


def _customer(economics: Economics) -> np.ndarray:
    value = customer_value(
        economics.retention, economics.discount_rate, first_margin=economics.first_margin, growth=economics.growth
    )
    return economics.margin * value


def _annuity(economics: Economics) -> np.ndarray:
    """Present value of 1 in each of the years in which customers are won."""
    rate = np.asarray(economics.discount_rate, float)[..., None]
    return ((1 + rate) ** -np.arange(economics.horizon_years, dtype=float)).sum(axis=-1)
