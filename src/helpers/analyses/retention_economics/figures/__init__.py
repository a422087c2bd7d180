"""The figures of the report on retention economics: frames of its tables in, pictures with their words out.

What is claimed, the firm, customers who differ and customers who are all alike have one colour each throughout. What
cannot be told is said not to be told.
"""

from __future__ import annotations

from .budget import budget_curve, budget_sensitivity
from .renewals import renewal_curve, renewal_forecast, residual_tenure
from .spending import cost_by_period, costs, marginal_costs
from .uplift import uplift_map, where_true
from .worth import multiples, revenue_volatility, tornado

__all__ = [
    "budget_curve",
    "budget_sensitivity",
    "cost_by_period",
    "costs",
    "marginal_costs",
    "multiples",
    "renewal_curve",
    "renewal_forecast",
    "residual_tenure",
    "revenue_volatility",
    "tornado",
    "uplift_map",
    "where_true",
]
