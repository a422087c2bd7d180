"""The figures of the referral-value report: frames of estimates in, pictures with their words out.

A class has one colour everywhere and its name always stands beside; no other mark has the colour of a class. What could
not be estimated, or is of too few customers to be shown, is left out or said not to be shown.
"""

from __future__ import annotations

from .flows import generations, migration
from .matrix import class_matrix
from .measures import campaign
from .shares import class_stability, moved_cuts, overlap
from .values import type_sensitivity, value_by_decile
from .waterfalls import firm_total, referral_parts

__all__ = [
    "campaign",
    "class_matrix",
    "class_stability",
    "firm_total",
    "generations",
    "migration",
    "moved_cuts",
    "overlap",
    "referral_parts",
    "type_sensitivity",
    "value_by_decile",
]
