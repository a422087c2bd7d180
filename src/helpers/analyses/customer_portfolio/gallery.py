"""Every figure of the portfolio report, from the frames of its tables."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from helpers.exhibits import Figure, Table

from ..drawing import nothing
from . import figures
from .figures import frames
from .measurement import Measurement


def gallery(result: Measurement, tables: Mapping[str, Table]) -> list[Figure]:
    """Return every figure of the report."""
    found = {name: table.frame for name, table in tables.items()}
    least, currency = result.settings.min_cell, {"currency": result.currency}
    found |= {
        "class_matrix": found["classes"],
        "lorenz": frames.lorenz(result.amounts, result.concentration, least),
        "whale_curve": frames.cumulated(result.amounts["profit"], "profit", least),
    }

    def of(name: str, *more, **choices) -> Figure:
        frame = found[name]
        if list(frame.columns) == ["reason"]:
            return nothing(name, str(frame["reason"].iloc[0]), frame)
        return getattr(figures, name)(_plain(frame), *more, **choices)

    return [
        of("class_matrix", **currency),
        of("migration"),
        of("tiers", **currency),
        of("pyramid"),
        of("lorenz"),
        of("whale_curve", **currency),
        of("equity_bridge", **currency),
        of("rfm", **currency),
        of("lens_agreement"),
        of("profit_periods", **currency),
        of("stages", **currency),
        of("stage_transitions"),
        _decline(result, found["decline"]),
        of("cumulative_incidence"),
        of("churn_causes", **currency),
        of("relationship_levels", **currency),
        of("commercial_value"),
        _both_sides(result, found["two_sided"]),
        of("actions", **currency),
    ]


def _decline(result: Measurement, told: pd.DataFrame) -> Figure:
    if list(told.columns) == ["reason"]:
        return nothing("decline_curve", str(told["reason"].iloc[0]))
    frame = frames.cumulated(result.decision.gain, "gain", result.settings.min_cell)
    return figures.decline_curve(frame, currency=result.currency)


def _both_sides(result: Measurement, told: pd.DataFrame) -> Figure:
    if list(told.columns) == ["reason"]:
        return nothing("two_sided_map", str(told["reason"].iloc[0]))
    both = result.two_sided
    frame = frames.satisfaction_by_value(both.satisfaction, result.now.value[both.place], result.settings.min_cell)
    return figures.two_sided_map(frame, _plain(told), currency=result.currency)


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose blanked numbers are nan again, as figures expect them."""
    numbers = [name for name in frame.columns if frame[name].map(lambda value: value is None).any()]
    numbers = [name for name in numbers if name not in ("opposed", "recommended")]
    return frame.assign(**{name: pd.to_numeric(frame[name]) for name in numbers})
