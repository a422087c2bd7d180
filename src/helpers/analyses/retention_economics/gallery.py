"""Every figure of the report on retention economics, from the frames of its tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.exhibits import Figure, Table

from ..drawing import nothing
from . import figures

if TYPE_CHECKING:
    from .measurement import Measurement


def gallery(result: Measurement, tables: Mapping[str, Table]) -> list[Figure]:
    """Return every figure of the report."""
    frames = {name: table.frame for name, table in tables.items()}
    money = {"currency": result.currency}

    def of(name: str, *more: pd.DataFrame, **choices) -> Figure:
        frame = frames[name]
        if list(frame.columns) == ["reason"]:
            return nothing(name, str(frame["reason"].iloc[0]), frame)
        return getattr(figures, name)(frame, *more, **choices)

    positions, plans = frames["positions"], frames["budget"]
    settings = result.settings
    return [
        of("uplift_map", positions, step=settings.step_words),
        of("where_true", positions, step=f"{100 * settings.step:g}"),
        of("renewal_curve"),
        of("renewal_forecast"),
        of("residual_tenure"),
        of("costs", **money),
        of("marginal_costs", **money),
        of("cost_by_period", frames["acquisition_trend"], **money),
        of("multiples"),
        of("tornado", **money),
        of("revenue_volatility"),
        of("budget_curve", plans, **money),
        of("budget_sensitivity", today=_today(plans), **money),
    ]


def _today(plans: pd.DataFrame) -> float:
    """Return the share of today's budget that goes to keeping; nan where it is not known."""
    if "plan" not in plans.columns:
        return np.nan
    now = plans.loc[plans["plan"] == "current", "share_of_budget_to_retention"]
    return float(now.iloc[0]) if len(now) else np.nan
