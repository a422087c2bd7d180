"""Names of the report, and the numbers that the sources claim."""

from __future__ import annotations

CLAIMED_UPLIFT = (0.25, 0.85)
ABOUT = 0.25  # a round number of the sources is met within a quarter of it

UNIT_NAMES = {"points": "percentage points", "percent": "per cent of itself"}
FIRST_MARGIN_NAMES = {"certain": "certain", "at_risk": "at risk"}
SOURCE_NAMES = {"exits": "exits", "contracts": "contracts", "market_spend": "market spend", "set": "the parameter"}
MODEL_NAMES = {
    "shifted_beta_geometric": "customers differ (shifted-beta-geometric)",
    "constant_retention": "constant retention",
    "linear": "straight line",
    "quadratic": "parabola",
    "exponential": "exponential curve",
}
DRIVER_NAMES = {
    "retention": "retention",
    "margin": "margin of a customer",
    "discount_rate": "discount rate",
    "acquisition_cost": "cost of a new customer",
    "new_per_year": "customers won a year",
    "customers": "customers today",
}
QUANTITY_NAMES = {
    "repeat_purchases_loyal": "repeat purchases to expect of a loyal customer",
    "repeat_purchases_all": "repeat purchases to expect of a customer",
    "value_multiple": "value of loyal customers over the cost of keeping, in that of new ones over the cost of winning",
    "claimed_60_arithmetic": "the sources' own product: purchases of a loyal customer x cost ratio",
}
PLAN_NAMES = {
    "current": "as today",
    "best_split_same_budget": "today's budget, best split",
    "best_each": "as much as pays",
}
AGAINST_NAMES = {
    "inside": "within it",
    "compatible": "overlaps it",
    "below": "below it",
    "above": "above it",
    "unknown": "not told",
}
KIND_NAMES = {"acquisition": "winning one more", "retention": "keeping one more"}
