"""From class to decision: how customers choose in three stages, and what to do first under a budget."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from .evaluation import ATTRACTIVE, CLASSES, MUST_BE, ONE_DIMENSIONAL

ACCEPTABLE = 0.5  # fulfilment from which a must-be counts as met
ROUNDING = 1e-12  # of a budget
NEGLIGIBLE = 1e-6  # gain that decides only where no other does
SOLVER_UNITS = 1e4  # that the highest gain counts for in the solver
SHARPNESS = 4.0  # of the choice: odds of e^4 to 1 between an offer that fulfils a requirement and one that does not


@dataclass(frozen=True, eq=False)
class ThreeStageChoice:
    """What each stage decides.

    Attributes
    ----------
    survives : ndarray, shape (offers,)
        Share of customers who do not exclude the offer: their must-be requirements are met.
    excluded_by : ndarray, shape (offers, requirements)
        Share of customers for whom this requirement alone would exclude the offer.
    after_screen : ndarray, shape (offers,)
        Share of choices if everyone chose at random among the offers that survive: what the screen alone decides.
    chosen : ndarray, shape (offers,)
        Share of choices. Together they are 1 less `nothing_left`.
    without_screen : ndarray, shape (offers,)
        Share of choices by the one-dimensional requirements alone, as if nothing were excluded.
    nothing_left : float
        Share of customers who exclude every offer.
    proportional : ndarray, shape (offers,)
        Mean fulfilment, among those who choose the offer, of the requirements that are one-dimensional to them.
    delight : ndarray, shape (offers,)
        The same of those that are attractive to them, which had no part in the choice. Nan where nobody chooses the
        offer or such requirements do not exist.
    """

    survives: np.ndarray
    excluded_by: np.ndarray
    after_screen: np.ndarray
    chosen: np.ndarray
    without_screen: np.ndarray
    nothing_left: float
    proportional: np.ndarray
    delight: np.ndarray


def three_stage_choice(
    offers, classes, *, importance=None, acceptable: float = ACCEPTABLE, sharpness: float = SHARPNESS
) -> ThreeStageChoice:
    """Let customers screen offers on must-be, choose on one-dimensional, and find out about attractive requirements.

    A conjunctive screen before a compensatory choice (Gilbride and Allenby 2004, Marketing Science 23, 391-406): an
    offer that leaves a must-be unmet is excluded, whatever else it has. Among the others the choice is a logit of
    their fulfilment of one-dimensional requirements. Choice probabilities are exact, nothing is drawn.

    Parameters
    ----------
    offers : array_like, shape (offers, requirements)
        Fulfilment from 0 to 1.
    classes : array_like of int, shape (customers, requirements)
        What each requirement is to each customer, as places in `CLASSES`: survey respondents, or `drawn_customers`.
    importance : array_like, shape (requirements,), optional
        Weight of each requirement in the choice, at least 0; 1 by default.
    acceptable : float
        Fulfilment from which a must-be counts as met.
    sharpness : float
        Utility of full fulfilment of a requirement of importance 1: 0 makes all offers alike, large values make
        customers choose the best one always.

    Returns
    -------
    ThreeStageChoice

    Raises
    ------
    ValueError
        No offers or customers, fulfilment outside 0 to 1, negative importance, shapes that do not match.
    """
    offers, classes = np.asarray(offers, float), np.asarray(classes)
    importance = np.ones(offers.shape[-1]) if importance is None else np.asarray(importance, float)
    _check_offers(offers, classes, importance)
    wanted = {kind: (classes == kind).astype(float) for kind in (MUST_BE, ONE_DIMENSIONAL, ATTRACTIVE)}
    unmet = offers < acceptable
    survives = wanted[MUST_BE] @ unmet.T == 0
    left = survives.any(axis=1)
    utility = wanted[ONE_DIMENSIONAL] @ (sharpness * importance * offers).T
    without_screen = special.softmax(utility, axis=1)
    utility = np.where(survives | ~left[:, None], utility, -np.inf)
    chosen = special.softmax(utility, axis=1) * left[:, None]
    return ThreeStageChoice(
        survives=survives.mean(axis=0),
        excluded_by=wanted[MUST_BE].mean(axis=0) * unmet,
        after_screen=(survives / np.maximum(survives.sum(axis=1, keepdims=True), 1)).mean(axis=0),
        chosen=chosen.mean(axis=0),
        without_screen=without_screen.mean(axis=0),
        nothing_left=float(1 - left.mean()),
        proportional=_fulfilment(chosen, wanted[ONE_DIMENSIONAL], offers),
        delight=_fulfilment(chosen, wanted[ATTRACTIVE], offers),
    )


def drawn_customers(counts, customers: int = 5000, seed: int = 1) -> np.ndarray:
    """Draw customers from published counts, each requirement by itself.

    Counts do not say who gave which answers together, so these customers are more alike than real ones may be.

    Parameters
    ----------
    counts : array_like, shape (requirements, 6)
        Each row with at least one answer.
    customers, seed : int

    Returns
    -------
    ndarray of int, shape (customers, requirements)
        Places in `CLASSES`.

    Raises
    ------
    ValueError
        A requirement without answers.
    """
    counts = np.asarray(counts, float)
    if not (counts.sum(axis=-1) > 0).all():
        raise ValueError("Each requirement needs answers to draw customers from.")
    reached = np.cumsum(counts, axis=-1) / counts.sum(axis=-1, keepdims=True)
    drawn = np.random.default_rng(seed).random((customers, len(counts), 1))
    return np.minimum((drawn >= reached).sum(axis=-1), len(CLASSES) - 1)


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


def _fulfilment(chosen: np.ndarray, wanted: np.ndarray, offers: np.ndarray) -> np.ndarray:
    """Mean fulfilment of wanted requirements among those who choose each offer."""
    weight = chosen.T @ wanted
    total = weight.sum(axis=1)
    return (weight * offers).sum(axis=1) / np.where(total > 0, total, np.nan)


def _check_offers(offers: np.ndarray, classes: np.ndarray, importance: np.ndarray) -> None:
    if offers.ndim != 2 or classes.ndim != 2 or not offers.size or not classes.size:
        raise ValueError("There must be offers and customers, each with every requirement.")
    if not offers.shape[1] == classes.shape[1] == len(importance):
        raise ValueError("Offers, customers and importance must be of the same requirements.")
    if not ((offers >= 0) & (offers <= 1)).all() or not (importance >= 0).all():
        raise ValueError("Fulfilment lies between 0 and 1, and importance is at least 0.")
