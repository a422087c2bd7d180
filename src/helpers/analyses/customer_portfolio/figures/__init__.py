"""The figures of the portfolio report: frames of estimates in, pictures with their words out.

A class has one colour everywhere, and names stand in Chinese and English as the sources have them. What could not be
estimated, or is of too few customers to be shown, is left out or said not to be shown.
"""

from __future__ import annotations

from .choices import actions, commercial_value, two_sided_map
from .churn import churn_causes, cumulative_incidence
from .curves import decline_curve, lorenz, whale_curve
from .equity import equity_bridge
from .grids import lens_agreement, rfm
from .levels import relationship_levels
from .life_cycle import stage_transitions, stages
from .matrix import class_matrix, migration
from .periods import profit_periods
from .pyramids import pyramid, tiers

__all__ = [
    "actions",
    "churn_causes",
    "class_matrix",
    "commercial_value",
    "cumulative_incidence",
    "decline_curve",
    "equity_bridge",
    "lens_agreement",
    "lorenz",
    "migration",
    "profit_periods",
    "pyramid",
    "relationship_levels",
    "rfm",
    "stage_transitions",
    "stages",
    "tiers",
    "two_sided_map",
    "whale_curve",
]
