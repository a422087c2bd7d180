"""Every figure of the referral-value report, from the frames of its tables."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from helpers.exhibits import Figure, Table
from helpers.models.referral_value import comparison

from ..drawing import nothing
from . import figures
from .measurement import Measurement


def gallery(result: Measurement, tables: Mapping[str, Table]) -> list[Figure]:
    """Return every figure of the report."""
    frames = {name: table.frame for name, table in tables.items()}
    currency = result.currency

    def of(name: str, *more, **choices) -> Figure:
        frame = frames[name]
        if list(frame.columns) == ["reason"]:
            return nothing(name, str(frame["reason"].iloc[0]), frame)
        return getattr(figures, name)(_plain(frame), *more, **choices)

    classes = _plain(frames["classes"])
    # the interval is that of the expected share, not of the customers as classed
    classes = classes.assign(share=classes["expected_share"].fillna(classes["share"]))
    return [
        figures.class_matrix(classes, currency=currency),
        of("value_by_decile", currency=currency),
        of("type_sensitivity", _threshold(result), currency=currency),
        of("firm_total", currency=currency),
        of("referral_parts", currency=currency),
        of("overlap"),
        of("class_stability"),
        of("moved_cuts"),
        of("campaign", currency=currency),
        of("migration"),
        of("generations"),
    ]


def _threshold(result: Measurement) -> tuple[float, float, float]:
    found = comparison.threshold(result.comparison, result.of_all, result.shares)
    return float(found.value), float(found.low), float(found.high)


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose blanked numbers are nan again, as figures expect them."""
    numbers = [name for name in frame.columns if frame[name].map(lambda value: value is None).any()]
    return frame.assign(**{name: pd.to_numeric(frame[name]) for name in numbers})
