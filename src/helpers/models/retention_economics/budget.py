"""How much to spend on winning customers and on keeping them.

R. C. Blattberg, J. Deighton: "Manage Marketing by the Customer Equity Test" (1996), Harvard Business Review 74(4),
136-144; P. D. Berger, N. Nasr-Bechwati: "The Allocation of Promotion Budget to Maximize Customer Equity" (2001), Omega
29(1), 49-61; P. E. Pfeifer: "The Optimal Ratio of Acquisition and Retention Costs" (2005), J. of Targeting, Measurement
and Analysis for Marketing 13.

Spending A on a prospect wins them with probability a = ca (1 - exp(-ka A)); spending R a year on a customer keeps them
with probability r = cr (1 - exp(-kr R)). A prospect is then worth

    a m - A + a (m - R / r) r' / (1 - r') = a V - A,  r' = r / (1 + d),  V = m + (m r - R) / (1 + d - r)

with margin m, of which the first is earned at once, and discount rate d. What a first purchase brings beside the margin
of a year, f, counts with those won: a (V + f) - A.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import optimize, special

from .five_points import checked_rates

GRID = 400  # splits of a budget looked at before the best is refined


@dataclass(frozen=True, eq=False)
class ResponseCurve:
    """Share of people who respond to spending: ceiling x (1 - exp(-steepness x spend)). Numbers, or arrays of them.

    Attributes
    ----------
    ceiling : float or ndarray
        Share that no spending exceeds, above 0 to 1.
    steepness : float or ndarray
        Above 0, in 1 / money.
    """

    ceiling: np.ndarray | float
    steepness: np.ndarray | float

    def rate(self, spend) -> np.ndarray:
        """Share who respond to so much spent on each."""
        return -self.ceiling * np.expm1(-self.steepness * np.asarray(spend, float))

    def slope(self, spend) -> np.ndarray:
        """Rise of the share for one more unit of money."""
        return self.ceiling * self.steepness * np.exp(-self.steepness * np.asarray(spend, float))

    def elasticity(self, spend) -> np.ndarray:
        """By how many percent the share rises for one percent more spend."""
        return self.slope(spend) * np.asarray(spend, float) / self.rate(spend)

    @classmethod
    def through(cls, spend, rate, ceiling) -> ResponseCurve:
        """Draw the curve through today's spend and rate, below a ceiling that someone has to judge (1996).

        Raises
        ------
        ValueError
            Nothing spent, a rate of 0 or not below the ceiling, a ceiling above 1: then no curve goes through.
        """
        spend, rate, ceiling = (np.asarray(each, float) for each in (spend, rate, ceiling))
        if not np.all((spend > 0) & np.isfinite(spend)):
            raise ValueError("Something has to be spent today: without it, what spending does cannot be judged.")
        if not np.all((rate > 0) & (rate < ceiling) & (ceiling <= 1)):
            raise ValueError("Today's rate must lie above 0 and below the ceiling, which is at most 1.")
        return cls(ceiling, -np.log1p(-rate / ceiling) / spend)


@dataclass(frozen=True, eq=False)
class Plan:
    """What is known of a firm's prospects and customers.

    Attributes
    ----------
    margin : float
        Of a customer in a year, above 0.
    discount_rate : float
    acquisition, retention : ResponseCurve
    first_purchase : float
        Margin of a first purchase, beside `margin`.

    Raises
    ------
    ValueError
        A margin of 0 or below, a discount rate below 0.
    """

    margin: np.ndarray | float
    discount_rate: np.ndarray | float
    acquisition: ResponseCurve
    retention: ResponseCurve
    first_purchase: np.ndarray | float = 0.0

    def __post_init__(self):
        """Refuse what cannot be."""
        checked_rates(0, self.discount_rate)
        if not np.all((np.asarray(self.margin) > 0) & np.isfinite(self.margin)):
            raise ValueError("The margin of a customer in a year is above 0; otherwise nothing is worth spending.")


@dataclass(frozen=True, eq=False)
class Allocation:
    """Spending, and what comes of it; numbers, or arrays of the shape of what was asked.

    Attributes
    ----------
    acquisition_spend, retention_spend : ndarray
        On a prospect, and on a customer in a year.
    acquisition_rate, retention_rate : ndarray
    customer_value : ndarray
        V: margins less retention spend of a customer won, discounted.
    equity_per_prospect : ndarray
        Acquisition rate x (V + first_purchase) less acquisition spend.
    marginal_acquisition_cost, marginal_retention_cost : ndarray
        Of one more customer won, and kept. At the optimum they are V + first_purchase and V (Pfeifer 2005).
    """

    acquisition_spend: np.ndarray
    retention_spend: np.ndarray
    acquisition_rate: np.ndarray
    retention_rate: np.ndarray
    customer_value: np.ndarray
    equity_per_prospect: np.ndarray
    marginal_acquisition_cost: np.ndarray
    marginal_retention_cost: np.ndarray


@dataclass(frozen=True)
class Split:
    """A yearly budget split between prospects and customers.

    Attributes
    ----------
    allocation : Allocation
    acquisition_share : float
        Of the budget.
    equity : float
        Of all prospects and customers.
    unspent : float
        Of the budget, where the optimum needs less than there is.
    """

    allocation: Allocation
    acquisition_share: float
    equity: float
    unspent: float


def allocation(plan: Plan, acquisition_spend, retention_spend) -> Allocation:
    """Work out what given spending brings; arrays broadcast.

    Raises
    ------
    ValueError
        Spend that is missing or below 0.
    """
    spend = np.broadcast_arrays(np.asarray(acquisition_spend, float), np.asarray(retention_spend, float))
    if not all(np.all(np.isfinite(each) & (each >= 0)) for each in spend):
        raise ValueError("Spending is a number of at least 0.")
    won, kept = plan.acquisition.rate(spend[0]), plan.retention.rate(spend[1])
    value = _customer_value(plan, spend[1])
    with np.errstate(divide="ignore", over="ignore"):
        marginal = 1 / plan.acquisition.slope(spend[0]), 1 / plan.retention.slope(spend[1])
    return Allocation(*spend, won, kept, value, won * (value + plan.first_purchase) - spend[0], *marginal)


def best_allocation(plan: Plan) -> Allocation:
    """Find the spending that makes a prospect worth most, in closed form.

    What a customer is worth does not depend on how they were won: R first. With y = kr R, setting dV/dR to 0 gives
    y + B e^y = D, B = (1 + d - cr) / cr, D = kr m (1 + d) - 1; so y = D - W(B e^D) by Lambert's function, or 0 where
    that is below. Then A = ln(ca ka (V + f)) / ka, or 0 where winning a customer costs more than they are worth.

    Returns
    -------
    Allocation
        Arrays where the plan holds arrays, such as ceilings to compare.
    """
    curve, rate = plan.retention, 1 + np.asarray(plan.discount_rate, float)
    with np.errstate(divide="ignore"):
        right = curve.steepness * plan.margin * rate - 1
        # Wright's omega is W(e^x), which does not overflow
        y = right - special.wrightomega(right + np.log((rate - curve.ceiling) / curve.ceiling))
        retention_spend = np.maximum(y, 0) / curve.steepness
        steep = plan.acquisition.ceiling * plan.acquisition.steepness
        worth = np.maximum(steep * (_customer_value(plan, retention_spend) + plan.first_purchase), 1)
    return allocation(plan, np.log(worth) / plan.acquisition.steepness, retention_spend)


def best_split(plan: Plan, budget: float, prospects: float, customers: float) -> Split:
    """Split this year's budget between prospects and customers so that both together are worth most.

    What is spent on a customer is taken to be spent in every year to come. Equity is prospects x (a (V + f) - A) +
    customers x (V - m): the margin of customers there are is already earned this year.

    Parameters
    ----------
    plan : Plan
        Numbers, not arrays.
    budget : float
        Of a year, in money.
    prospects, customers : float
        To be approached, and to be kept; above 0.

    Returns
    -------
    Split

    Raises
    ------
    ValueError
        A budget below 0, no prospects or no customers.
    """
    if not (np.isfinite(budget) and budget >= 0 and prospects > 0 and customers > 0):
        raise ValueError("A budget of at least 0 is split between some prospects and some customers.")
    free = best_allocation(plan)
    needed = float(prospects * free.acquisition_spend + customers * free.retention_spend)
    if needed <= budget:
        return _split(plan, free, prospects, customers, budget - needed)

    def at(share) -> Allocation:
        return allocation(plan, budget * share / prospects, budget * (1 - share) / customers)

    shares = np.linspace(0, 1, GRID + 1)
    best = int(np.argmax(_equity(plan, at(shares), prospects, customers)))
    around = shares[max(best - 1, 0)], shares[min(best + 1, GRID)]
    found = optimize.minimize_scalar(
        lambda share: -float(_equity(plan, at(share), prospects, customers)),
        bounds=around,
        method="bounded",
        options={"xatol": 1e-10},
    )
    share = max((found.x, shares[best]), key=lambda one: float(_equity(plan, at(one), prospects, customers)))
    return _split(plan, at(float(share)), prospects, customers, 0.0)


def with_ceilings(plan: Plan, current: Allocation, acquisition_ceiling, retention_ceiling) -> Plan:
    """Draw both curves anew through today's spending, below other ceilings: what the judged ceilings decide.

    Parameters
    ----------
    plan : Plan
    current : Allocation
        Today's.
    acquisition_ceiling, retention_ceiling : array_like
        That broadcast, such as shapes (m, 1) and (n,); `best_allocation` then gives a grid.

    Returns
    -------
    Plan

    Raises
    ------
    ValueError
        A ceiling not above today's rate.
    """
    curves = (
        ResponseCurve.through(current.acquisition_spend, current.acquisition_rate, acquisition_ceiling),
        ResponseCurve.through(current.retention_spend, current.retention_rate, retention_ceiling),
    )
    return replace(plan, acquisition=curves[0], retention=curves[1])


def _customer_value(plan: Plan, retention_spend) -> np.ndarray:
    """V; the spend R / r on one who is kept times the share r kept is R, so nothing is divided by a retention of 0."""
    curve = plan.retention
    kept = curve.rate(retention_spend)
    # 1 + d - r, without the cancellation near a retention of 1
    lost = plan.discount_rate + (1 - curve.ceiling) + curve.ceiling * np.exp(-curve.steepness * retention_spend)
    return plan.margin + (plan.margin * kept - retention_spend) / lost


def _equity(plan: Plan, spent: Allocation, prospects: float, customers: float) -> np.ndarray:
    return prospects * spent.equity_per_prospect + customers * (spent.customer_value - plan.margin)


def _split(plan: Plan, spent: Allocation, prospects: float, customers: float, unspent: float) -> Split:
    winning, keeping = prospects * float(spent.acquisition_spend), customers * float(spent.retention_spend)
    share = winning / (winning + keeping) if winning + keeping > 0 else np.nan
    return Split(spent, share, float(_equity(plan, spent, prospects, customers)), float(unspent))
