"""Are the satisfied loyal? The curve, and the four quadrants of satisfaction and loyalty."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Table, suppress_small_groups
from helpers.models.satisfaction_index.loyalty_curve import QUADRANTS, quadrants

from ..estimates import resample
from ..measurement import Measurement
from .parts import POINTS, interval_columns, nothing

CURVE = {
    "slope": "slope of the straight line",
    "slope_below": "slope below the knee",
    "slope_above": "slope above the knee",
    "slope_change": "change of the slope at the knee",
    "knee": "place of the knee",
}
VERDICTS = {
    "line": "no knee beyond what chance explains",
    "knee_up": "loyalty rises faster above the knee",
    "knee_down": "loyalty rises more slowly above the knee",
    "not enough data": "not enough data to tell",
}
QUADRANT_NAMES = {
    "satisfied_and_loyal": "Satisfied and loyal",
    "satisfied_not_loyal": "Satisfied but not loyal",
    "loyal_not_satisfied": "Loyal though not satisfied",
    "neither": "Neither",
    "not_loyal_of_satisfied": "Not loyal, of the satisfied",
}
OF_SATISFIED = "not_loyal_of_satisfied"
NO_LOYALTY = "The model has no construct of loyalty."
MOST_POINTS = 12  # groups of respondents that the figure of the curve shows


def curve(result: Measurement) -> Table:
    """The straight line and the line with a knee, and which the answers support."""
    found = result.loyalty_curve
    if found is None:
        return nothing("loyalty_slopes", NO_LOYALTY)
    lines = [(name, *numbers) for name, numbers in found.intervals().items()]
    frame = pd.DataFrame(lines, columns=["measure", "value", "low", "high"])
    frame["unit"] = np.where(frame["measure"] == "knee", "points of satisfaction", "points per point")
    frame["p_value"], frame["verdict"] = found.p_value, found.verdict
    columns = {
        "measure": Column("Measure", names=CURVE),
        "value": Column("Value", digits=2),
        **interval_columns("95 %", digits=2),
        "unit": Column("Unit"),
        "verdict": Column("Verdict", names=VERDICTS),
        "p_value": Column("p of the straight line", digits=3),
    }
    caption = (
        "Loyalty as a line of satisfaction, and as a line with one knee whose place is sought. The straight line is "
        "tested "
        "against all knees at once (Hansen 1996); where it stands, the knee's numbers mean nothing."
    )
    return Table("loyalty_slopes", frame, caption, columns)


def curve_points(result: Measurement) -> pd.DataFrame:
    """Return mean loyalty of groups of respondents by satisfaction, with its interval."""
    scores, weights = result.scores, result.weights_of_respondents
    satisfaction, loyalty = scores[:, result.satisfaction], scores[:, result.loyalty]
    people = max(result.settings.min_cell, len(scores) // MOST_POINTS, 1)
    order = np.argsort(satisfaction, kind="stable")
    groups = max(len(scores) // people, 1)
    lines = []
    for rows in np.array_split(order, groups):
        weight, spread = weights[rows], loyalty[rows]
        mean = np.average(spread, weights=weight)
        size = weight.sum() ** 2 / (weight**2).sum()
        error = 1.96 * np.sqrt(np.average((spread - mean) ** 2, weights=weight) / max(size - 1, 1))
        lines.append((np.average(satisfaction[rows], weights=weight), mean, mean - error, mean + error, len(rows)))
    frame = pd.DataFrame(lines, columns=["satisfaction", "loyalty", "low", "high", "respondents"])
    return frame if len(scores) >= result.settings.min_cell else frame.iloc[:0]


def curve_lines(result: Measurement) -> pd.DataFrame:
    """Return both lines over the range of satisfaction, with the band of the one that is supported."""
    found, satisfaction = result.loyalty_curve, result.scores[:, result.satisfaction]
    values = np.linspace(satisfaction.min(), satisfaction.max(), 101)
    low, high = found.band(values)
    lines = {"satisfaction": values, "line": found.line.at(values), "knee": found.kneed.at(values)}
    return pd.DataFrame(lines | {"low": low, "high": high})


def loyalty_quadrants(result: Measurement) -> Table:
    """Shares of respondents by whether they are satisfied and whether they are loyal."""
    if result.loyalty is None:
        return nothing("quadrants", NO_LOYALTY)
    settings, scores = result.settings, result.scores
    cuts = (settings.satisfied_from, settings.loyal_from)
    chosen = scores[:, result.satisfaction], scores[:, result.loyalty]

    def statistics(counts: np.ndarray) -> dict[str, np.ndarray]:
        shares = quadrants(*chosen, *cuts, counts)
        satisfied = shares[..., 0] + shares[..., 1]
        of_satisfied = shares[..., 1] / np.where(satisfied > 0, satisfied, np.nan)
        return {"shares": np.concatenate([shares, of_satisfied[..., None]], axis=-1)}

    estimate = resample(statistics, result.survey, settings, "quadrants")["shares"]
    low, high = estimate.interval(settings.interval)
    people = (quadrants(*chosen, *cuts) * result.respondents).round()
    numbers = {"respondents": [*people, people[:2].sum()], "share": estimate.value, "low": low, "high": high}
    frame = pd.DataFrame({"quadrant": [*QUADRANTS, OF_SATISFIED]} | numbers)
    parts = suppress_small_groups(frame.iloc[:-1], "respondents", ("quadrant",), settings.min_cell)
    # of two parts that are hidden the sum must not be shown either
    whole = frame.iloc[-1:] if parts["share"].iloc[:2].notna().all() else frame.iloc[:0]
    frame = pd.concat([parts.astype(object), whole.astype(object)], ignore_index=True).infer_objects()
    columns = {
        "quadrant": Column("Respondents are", names=QUADRANT_NAMES),
        "respondents": Column("Respondents", digits=0),
        "share": Column("Share", digits=1, percent=True),
        **interval_columns("95 %", percent=True),
    }
    caption = (
        f"Satisfied: a score from {cuts[0]:g} on; loyal: from {cuts[1]:g} on ({POINTS}, parameters). "
        "The sources say that the satisfied are not always loyal: this counts them."
    )
    return Table("quadrants", frame, caption, columns)
