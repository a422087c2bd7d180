"""How a budget is split best between winning customers and keeping them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Table, number, percent
from helpers.models.retention_economics import budget as model
from helpers.models.retention_economics.costs import MarginalCost

from ..measurement import Measurement
from ..names import PLAN_NAMES

SHARES = np.linspace(0, 1, 101)
ACQUISITION_CEILINGS = (1.25, 1.5, 2.0, 3.0, 4.0)  # times today's rate
RETENTION_ROOM = (0.1, 0.25, 0.5, 0.75, 0.95)  # of the way from today's rate to 1


def budget(result: Measurement) -> Table:
    """Today's split, the best one of the same budget, and the best spending whatever it costs."""
    if result.budget_problem:
        return Table.nothing("budget", result.budget_problem)
    best = model.best_allocation(result.plan)
    allocations = {
        "current": result.current_allocation,
        "best_split_same_budget": result.best_split.allocation,
        "best_each": best,
    }
    rows = [_line(result, name, spent) for name, spent in allocations.items()]
    currency = result.currency
    columns = {
        "plan": Column("Plan", names=PLAN_NAMES),
        "acquisition_per_prospect": Column("On a prospect", currency, 2),
        "retention_per_customer": Column("On a customer, a year", currency, 2),
        "acquisition_rate": Column("Prospects won", digits=1, percent=True),
        "retention_rate": Column("Customers kept", digits=1, percent=True),
        "share_of_budget_to_retention": Column("Share for keeping", digits=0, percent=True),
        "spend": Column("Spend a year", currency, 0),
        "equity": Column("Equity", currency, 0),
    }
    return Table("budget", pd.DataFrame(rows), f"{_assumed(result)} {_counted(result)}", columns)


def _line(result: Measurement, name: str, spent: model.Allocation) -> dict:
    winning = result.prospects * float(spent.acquisition_spend)
    keeping = result.customers * float(spent.retention_spend)
    return {
        "plan": name,
        "acquisition_per_prospect": float(spent.acquisition_spend),
        "retention_per_customer": float(spent.retention_spend),
        "acquisition_rate": float(spent.acquisition_rate),
        "retention_rate": float(spent.retention_rate),
        "equity": float(result.equity_of(result.plan, spent)),
        "share_of_budget_to_retention": keeping / (winning + keeping) if winning + keeping else np.nan,
        "spend": winning + keeping,
    }


def _assumed(result: Measurement) -> str:
    settings, (winning, keeping) = result.settings, result.ceilings
    how_winning = _how(settings.acquisition_ceiling, result.marginal_acquisition, "twice today's rate")
    how_keeping = _how(settings.retention_ceiling, result.marginal_retention, "half way from today's rate to 1")
    curves, spent = (result.plan.acquisition, result.plan.retention), result.spent_on_each
    won, kept = (number(float(curve.elasticity(each)), 2) for curve, each in zip(curves, spent, strict=True))
    untold = f" {result.split_problem}" if result.split_problem else ""
    return (
        f"Spending wins at most {percent(winning)} of prospects ({how_winning}) and keeps at most {percent(keeping)} "
        f"of customers a year ({how_keeping}); both curves go through today's spend, "
        f"and through 0 where nothing is spent: 1 % more spend then wins {won} % and keeps {kept} % more.{untold}"
    )


def _how(given: float, found: MarginalCost, assumed: str) -> str:
    if given > 0:
        return "as set"
    return "as customers follow spend" if found.told else f"assumed: {assumed}, or what the data allow"


def _counted(result: Measurement) -> str:
    return (
        f"There are {number(result.prospects)} prospects a year and {number(result.customers)} customers. Equity: of "
        "the prospects won less what is spent on all, and of today's customers from next year on; what is spent on a "
        "customer is spent in every year to come."
    )


def budget_curve(result: Measurement) -> Table:
    """Equity by the share of today's budget that goes to keeping."""
    if result.budget_problem:
        return Table.nothing("budget_curve", result.budget_problem)
    total = result.budget
    spent = model.allocation(result.plan, total * (1 - SHARES) / result.prospects, total * SHARES / result.customers)
    equity = result.equity_of(result.plan, spent)
    frame = pd.DataFrame({"share_to_retention": SHARES, "equity": equity})
    view = frame[::10].reset_index(drop=True)
    columns = {
        "share_to_retention": Column("Share for keeping", digits=0, percent=True),
        "equity": Column("Equity", result.currency, 0),
    }
    caption = f"Equity by how today's budget of {number(total)} {result.currency} a year is split."
    return Table("budget_curve", frame, caption, columns, view)


def budget_sensitivity(result: Measurement) -> Table:
    """The best split under other ceilings: what a judgement decides here."""
    if result.budget_problem:
        return Table.nothing("budget_sensitivity", result.budget_problem)
    current = result.current_allocation
    won, kept = float(current.acquisition_rate), float(current.retention_rate)
    rows = []
    for winning in dict.fromkeys(min(won * times, 1.0) for times in ACQUISITION_CEILINGS):
        for keeping in (kept + (1 - kept) * room for room in RETENTION_ROOM):
            if winning <= won:
                continue
            plan = model.with_ceilings(result.plan, current, winning, keeping)
            split = model.best_split(plan, result.budget, result.prospects, result.customers)
            rows.append((winning, keeping, 1 - split.acquisition_share, split.equity - _equity_now(result, plan)))
    names = ["acquisition_ceiling", "retention_ceiling", "share_to_retention", "equity_gain"]
    if not rows:
        return Table.nothing("budget_sensitivity", "Every prospect is won today: no other ceiling can be.")
    frame = pd.DataFrame(rows, columns=names)
    view = frame.pivot(index="acquisition_ceiling", columns="retention_ceiling", values="share_to_retention")
    view.columns = [f"{each:.12g}" for each in view.columns]
    view = view.reset_index()
    columns = {"acquisition_ceiling": Column("At most won", digits=1, percent=True)}
    columns |= {
        name: Column(f"At most {percent(float(name))} kept", digits=0, percent=True) for name in view.columns[1:]
    }
    caption = (
        f"Best share of today's budget for keeping, by the two ceilings; it is "
        f"{percent(result.share_for_keeping, 0)} today. The file has what the best split gains."
    )
    return Table("budget_sensitivity", frame, caption, columns, view)


def _equity_now(result: Measurement, plan: model.Plan) -> float:
    return float(result.equity_of(plan, model.allocation(plan, *result.spent_on_each)))
