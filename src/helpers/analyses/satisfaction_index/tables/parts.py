"""What the tables of this report have in common: names, intervals, and corrections for many comparisons."""

from __future__ import annotations

from helpers.exhibits import Column

from ..estimates import Estimate
from ..measurement import Measurement

POINTS = "0-100"
MOST_NAMED = 6  # groups, pairs or differences that a sentence names
ESTIMATOR = "pls"
WEIGHTING_NAMES = {"pls": "PLS weights", "equal": "equal weights"}
GROUP_NAMES = {"all": "everyone"}
QUADRANTS = {
    "concentrate": "Concentrate here",
    "keep_up": "Keep up the good work",
    "low_priority": "Low priority",
    "overkill": "Possible overkill",
}
KINDS = {
    "basic": "basic: its lack costs more than its presence gains",
    "one_dimensional": "one-dimensional: counts both ways",
    "attractive": "attractive: its presence gains more than its lack costs",
    "cannot_tell": "cannot be told",
}


def bounds(result: Measurement, estimate: Estimate, method: str = "") -> tuple[float, float]:
    """Return the ends of the interval of one number, by the method that the settings name."""
    low, high = estimate.interval(method or result.settings.interval)
    return float(low), float(high)


def interval_columns(label: str = "", unit: str = "", digits: int = 1, percent: bool = False) -> dict[str, Column]:
    """Return how the columns `low` and `high` read."""
    return {
        "low": Column(f"{label} low".strip().capitalize(), unit, digits, percent),
        "high": Column(f"{label} high".strip().capitalize(), unit, digits, percent),
    }
