"""The tables of the report on retention economics."""

from __future__ import annotations

from helpers.exhibits import Table

from ..measurement import Measurement
from . import budget, costs, inputs, renewals, uplift, value

__all__ = ["tables"]


def tables(result: Measurement) -> list[Table]:
    """Return every table of the report but the ledger of claims."""
    return [
        uplift.positions(result),
        uplift.conventions(result),
        uplift.uplift_map(result),
        uplift.where_true(result),
        renewals.renewal_curve(result),
        renewals.renewal_parameters(result),
        renewals.renewal_forecast(result),
        renewals.residual_tenure(result),
        costs.costs(result),
        costs.marginal_costs(result),
        costs.acquisition_trend(result),
        costs.cost_by_period(result),
        value.multiples(result),
        value.tornado(result),
        value.revenue_volatility(result),
        budget.budget(result),
        budget.budget_curve(result),
        budget.budget_sensitivity(result),
        inputs.assumptions(result),
        *inputs.accounts(result),
    ]
