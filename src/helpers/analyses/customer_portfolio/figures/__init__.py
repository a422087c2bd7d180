"""The figures of the portfolio report: frames of estimates in, pictures with their words out.

A class has one colour everywhere, and names stand in Chinese and English as the sources have them. What could not be
estimated, or is of too few customers to be shown, is left out or said not to be shown.
"""

from __future__ import annotations

from .choices import actions, commercial_value, two_sided_map
from .churn import churn_causes, churn_segments, cumulative_incidence
from .curves import decline_curve, lorenz, whale_curve
from .equity import equity_bridge
from .grids import lens_agreement, rfm
from .levels import level_sensitivity, relationship_levels
from .life_cycle import dwell_times, stage_transitions, stages
from .matrix import class_matrix, class_stability, migration
from .periods import profit_periods
from .pyramids import pyramid, tiers

__all__ = [
    "actions",
    "churn_causes",
    "churn_segments",
    "class_matrix",
    "class_stability",
    "commercial_value",
    "cumulative_incidence",
    "decline_curve",
    "dwell_times",
    "equity_bridge",
    "lens_agreement",
    "level_sensitivity",
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
