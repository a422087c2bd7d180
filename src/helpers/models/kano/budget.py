"""What to fulfil first under a budget: every must-be, then what gains most for the money that is left."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize

from .evaluation import MUST_BE

ROUNDING = 1e-12  # of a budget
NEGLIGIBLE = 1e-6  # gain that decides only where no other does
SOLVER_UNITS = 1e4  # that the highest gain counts for in the solver


@dataclass(frozen=True, eq=False)
class BudgetChoice:
    """What to do under a budget.

    Attributes
    ----------
    chosen : ndarray of bool, shape (requirements,)
    unpaid_must_be : ndarray of bool, shape (requirements,)
        Must-be requirements that the budget does not reach. Where there are any, nothing else is chosen.
    cost, gain : float
        Of what is chosen.
    """

    chosen: np.ndarray
    unpaid_must_be: np.ndarray
    cost: float
    gain: float


def choose_under_budget(cost, kind, gain, budget: float) -> BudgetChoice:
    """Fulfil every must-be first, then what gains most for the money that is left.

    A knapsack, solved exactly. If the must-be requirements cannot all be paid, those of the highest gain are, and
    nothing else. Of choices that gain the same the cheapest is taken; what is no must-be and gains nothing is left.

    Parameters
    ----------
    cost : array_like, shape (requirements,)
        Of fulfilling each requirement; at least 0.
    kind : array_like of int, shape (requirements,)
        Places in `CLASSES`.
    gain : array_like, shape (requirements,)
        Of satisfaction by fulfilling each, such as Better - Worse.
    budget : float

    Returns
    -------
    BudgetChoice

    Raises
    ------
    ValueError
        Costs or a budget below 0, numbers that are missing, shapes that differ.
    """
    cost, kind, gain = np.asarray(cost, float), np.asarray(kind), np.asarray(gain, float)
    if not cost.ndim == 1 or not cost.shape == kind.shape == gain.shape:
        raise ValueError("There must be one cost, one kind and one gain for each requirement.")
    if not (np.isfinite([cost, gain]).all() and np.isfinite(budget) and (cost >= 0).all() and budget >= 0):
        raise ValueError("Costs and the budget are numbers of at least 0, and every gain is a number.")
    must_be = kind == MUST_BE
    budget *= 1 + ROUNDING  # so that 0.1 and 0.2 fit into 0.3
    if cost[must_be].sum() <= budget:
        chosen = must_be.copy()
        chosen[~must_be] = _best_sum(cost[~must_be], gain[~must_be], budget - cost[must_be].sum())
    else:
        chosen = np.zeros(len(cost), bool)
        # a must-be that gains nothing is still met where there is money for it
        worth = np.maximum(gain[must_be], NEGLIGIBLE * max(gain[must_be].max(), 1.0))
        chosen[must_be] = _best_sum(cost[must_be], worth, budget)
    return BudgetChoice(chosen, must_be & ~chosen, float(cost[chosen].sum()), float(gain[chosen].sum()))


def _best_sum(cost: np.ndarray, gain: np.ndarray, budget: float) -> np.ndarray:
    """Return which items have the highest sum of gains within the budget, the cheapest of equals."""
    useful = (gain > 0) & (cost <= budget)
    taken = useful & (cost == 0)
    dear = np.flatnonzero(useful & ~taken)
    if cost[dear].sum() <= budget:
        taken[dear] = True
        return taken
    # the solver takes sums that differ by 1e-6 for the same: what is negligible must be more than that
    price, worth = cost[dear] / budget, SOLVER_UNITS * gain[dear] / gain[dear].max()
    best = _solved(-worth, price, worth, least=0)
    cheapest = _solved(price, price, worth, least=worth[best].sum() * (1 - 1e-9))
    taken[dear[cheapest]] = True
    return taken


def _solved(objective, price, worth, least: float) -> np.ndarray:
    """Minimise over sets of price at most 1 and of worth at least `least`."""
    rows, low, high = [price, worth], [0.0, least], [1.0, np.inf]
    while True:
        limits = optimize.LinearConstraint(np.array(rows), low, high)
        found = optimize.milp(objective, integrality=1, bounds=(0, 1), constraints=limits, options={"mip_rel_gap": 0})
        chosen = found.x > 0.5
        if price[chosen].sum() <= 1 + ROUNDING:
            return chosen
        # within the solver's tolerance, but dearer than the budget: not this set again, nor one that holds it
        rows, low, high = [*rows, chosen], [*low, -np.inf], [*high, chosen.sum() - 1]
