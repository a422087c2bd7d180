"""Every figure of the satisfaction-index report, from the frames of its tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from helpers.exhibits import Figure, Table

from ..drawing import nothing
from ..groups import ALL
from . import figures
from .covariance.figures import agreement
from .measurement import Measurement
from .tables import loyalty
from .tables.covariance import label_of
from .tables.respondents import answers


def gallery(result: Measurement, tables: Mapping[str, Table]) -> list[Figure]:
    """Return every figure of the report."""
    frames = {name: table.frame for name, table in tables.items()}
    model = result.model
    english = {model.labels[name]: model.english[name] for name in (*model.constructs, *model.items)}
    outcome = result.named(result.outcome.name)
    return [
        *_levels(result, frames, english),
        *_importance(result, frames["importance_performance"], english),
        figures.path_diagram(_constructs(result), _paths(frames["paths"]), english),
        figures.driver_shares(_drivers(frames["drivers"]), outcome, english),
        figures.penalty_reward(_rows(frames["penalty_reward"], "item"), outcome, english),
        *_loyalty(result, frames["quadrants"], english),
        figures.answers(answers(result), english),
        figures.discriminant_validity(frames["discriminant_validity"], english),
        agreement(frames["agreement"], result.named(model.satisfaction), english, label_of(result)),
    ]


def _rows(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return a frame, without the row that stands in a table for nothing."""
    return frame if column in frame else frame.iloc[:0]


def _levels(result: Measurement, frames: Mapping[str, pd.DataFrame], english: Mapping[str, str]) -> list[Figure]:
    index, groups = (frames[name][frames[name]["chosen"]] for name in ("index", "groups"))
    overview = index[index["segment"] == ALL].assign(
        is_target=lambda rows: rows["construct"] == result.model.satisfaction
    )
    drawn = [figures.index_overview(overview.reset_index(drop=True), english)]
    for kind, draw, rows in (
        ("segment", figures.index_by_segment, index),
        ("wave", figures.index_by_wave, groups[groups["segment"] == ALL]),
    ):
        named = bool(result.groups.of_kind(kind))
        why = f"This survey names no {kind}s that can be shown."
        if not named:
            drawn.append(nothing(f"index_by_{kind}", why))
            continue
        figure, found = draw(rows.reset_index(drop=True), english), result.comparability.get(kind)
        told = f" {found.brief}" if found and found.verdict != "alike" else ""
        drawn.append(replace(figure, alt=figure.alt + told))
    return drawn


def _importance(result: Measurement, importance: pd.DataFrame, english: Mapping[str, str]) -> list[Figure]:
    drawn = []
    for name, target in (("satisfaction", result.model.satisfaction), ("loyalty", result.model.loyalty)):
        rows = _less_is_better(importance[importance["target"] == target].reset_index(drop=True))
        less = {f"less {label}": f"less {latin}" for label, latin in english.items()}
        figure = figures.importance_performance(rows, result.named(target), english | less, f"importance_{name}")
        drawn.append(figure if target else nothing(f"importance_{name}", loyalty.NO_LOYALTY))
    return drawn


def _less_is_better(importance: pd.DataFrame) -> pd.DataFrame:
    """Return the map's rows with what surely lowers the target turned: less of it is what is important."""
    rows, lowers = importance.copy(), importance["lowers"]
    low, high = importance["importance_low"], importance["importance_high"]
    worse, better = importance["performance_low"], importance["performance_high"]
    rows["label"] = importance["label"].where(~lowers, "less " + importance["label"])
    rows["importance"] = importance["importance"].where(~lowers, -importance["importance"])
    rows["importance_low"], rows["importance_high"] = low.where(~lowers, -high), high.where(~lowers, -low)
    rows["performance"] = importance["performance"].where(~lowers, 100 - importance["performance"])
    rows["performance_low"] = worse.where(~lowers, 100 - better)
    rows["performance_high"] = better.where(~lowers, 100 - worse)
    return rows


def _constructs(result: Measurement) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "construct": result.constructs,
            "label": [result.named(name) for name in result.constructs],
            "index": [float(result.index(0, number).value) for number in range(len(result.constructs))],
            "r_squared": result.fit.r_squared,
            "items": [int((result.design.block == number).sum()) for number in range(len(result.constructs))],
        }
    )


def _paths(paths: pd.DataFrame) -> pd.DataFrame:
    columns = ["source", "target", "estimate", "low", "high"]
    return paths[columns].assign(supported=paths["verdict"] == "supported")


def _drivers(drivers: pd.DataFrame) -> pd.DataFrame:
    rows = _rows(drivers, "item")
    return rows[rows["measure"] == "share"] if len(rows) else rows


def _loyalty(result: Measurement, quadrants: pd.DataFrame, english: Mapping[str, str]) -> list[Figure]:
    if result.loyalty_curve is None:
        return [nothing(name, loyalty.NO_LOYALTY) for name in ("loyalty_curve", "satisfaction_loyalty_quadrants")]
    settings, names = result.settings, (result.named(result.model.satisfaction), result.named(result.model.loyalty))
    points, lines = loyalty.curve_points(result), loyalty.curve_lines(result)
    parts = quadrants[quadrants["quadrant"] != loyalty.OF_SATISFIED]
    return [
        figures.loyalty_curve(points, lines, english, *names, verdict=result.loyalty_curve.verdict),
        figures.satisfaction_loyalty_quadrants(parts, english, settings.satisfied_from, settings.loyal_from),
    ]
