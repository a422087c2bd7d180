"""What the tables of this report have in common: names, intervals, and corrections for many comparisons."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.data.satisfaction_models import Path
from helpers.exhibits import Column, number
from helpers.models import resampling

from ...many_comparisons import holm
from ..estimates import Estimate
from ..measurement import Measurement

POINTS = "0-100"
MOST_NAMED = 6  # groups, pairs or differences that a sentence names
ESTIMATOR = "pls"
WEIGHTING_NAMES = {"pls": "PLS weights", "equal": "equal weights", "sem_loadings": "SEM loadings"}
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


def path_row(
    result: Measurement,
    path: Path,
    estimator: str,
    estimate: float,
    standardised: float,
    error: float,
    low: float,
    high: float,
) -> dict[str, object]:
    """Return one path's row of the table of paths, with the tests of its expected direction and of the other one."""
    one_sided, other_side = (
        float(resampling.wald_p(sign * estimate, error, sides=1)) for sign in (path.sign, -path.sign)
    )
    return {
        "estimator": estimator,
        "source": path.source,
        "target": path.target,
        "source_label": result.named(path.source),
        "target_label": result.named(path.target),
        "estimate": estimate,
        "standardised": standardised,
        "standard_error": error,
        "low": low,
        "high": high,
        "p_value": float(resampling.wald_p(estimate, error)),
        "expected": "+" if path.sign > 0 else "\N{MINUS SIGN}",
        "p_one_sided": one_sided,
        "p_other_side": other_side,
    }


def directions(frame: pd.DataFrame, stopped: bool = False) -> pd.DataFrame:
    """Return paths with the verdict on the direction that was expected; of a model that is stopped there is none."""
    frame["p_one_sided_holm"] = holm(frame["p_one_sided"])
    opposite = holm(frame["p_other_side"]) < 0.05
    frame["verdict"] = np.select(
        [frame["p_one_sided_holm"] < 0.05, opposite], ["supported", "contradicted"], "not supported"
    )
    if stopped:
        frame["verdict"] = "not to be used"
    return frame.drop(columns="p_other_side")


def plain_number(value: float, is_p_value: bool = False) -> str:
    """Return a number of any kind as it is shown: counts whole, the rest to 3 decimals, none of these as nothing."""
    if not np.isfinite(value):
        return number(None)
    if 0 < value < 0.0005 or (is_p_value and value < 0.001):
        return "<0.001"
    return number(value, 0 if float(value).is_integer() else 3)
