"""Are the satisfied loyal? The curve, and the four quadrants of satisfaction and loyalty."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Table, suppress_small_groups
from helpers.models.proportions import wilson
from helpers.models.satisfaction_index.loyalty_curve import QUADRANTS, quadrants

from ..measurement import Measurement
from .parts import POINTS, interval_columns

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
        return Table.nothing("loyalty_slopes", NO_LOYALTY)
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
        "tested against all knees at once (Hansen 1996); where it stands, the knee's numbers mean nothing."
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
    found = result.loyalty_curve
    # from group to group: the lowest and the highest score are those of single persons
    groups = curve_points(result)["satisfaction"]
    values = np.linspace(groups.min(), groups.max(), 101)
    low, high = found.band(values)
    lines = {"satisfaction": values, "line": found.line.at(values), "knee": found.kneed.at(values)}
    return pd.DataFrame(lines | {"low": low, "high": high})


def loyalty_quadrants(result: Measurement) -> Table:
    """Shares of respondents by whether they are satisfied and whether they are loyal."""
    if result.loyalty is None:
        return Table.nothing("quadrants", NO_LOYALTY)
    settings, scores, weights = result.settings, result.scores, result.weights_of_respondents
    cuts = (settings.satisfied_from, settings.loyal_from)
    chosen = scores[:, result.satisfaction], scores[:, result.loyalty]
    shares, people = quadrants(*chosen, *cuts, weights), quadrants(*chosen, *cuts) * result.respondents
    parts = _shares(QUADRANTS, people, shares, result.effective_respondents)
    parts = suppress_small_groups(parts, "respondents", ("quadrant",), settings.min_cell)
    frame = parts.astype(object)
    # of two parts that are hidden the sum must not be shown either
    satisfied = shares[:2].sum()
    if satisfied > 0 and parts["share"].iloc[:2].notna().all():
        size = satisfied * result.effective_respondents
        unloyal = _shares([OF_SATISFIED], people[1:2], shares[1:2] / satisfied, size)
        frame = pd.concat([frame, unloyal.astype(object)], ignore_index=True)
    frame = frame.infer_objects()
    columns = {
        "quadrant": Column("Respondents are", names=QUADRANT_NAMES),
        "respondents": Column("Respondents", digits=0),
        "share": Column("Share", digits=1, percent=True),
        **interval_columns("95 %", percent=True),
    }
    caption = (
        f"Satisfied: a score from {cuts[0]:g} on; loyal: from {cuts[1]:g} on ({POINTS}, parameters). Wilson intervals, "
        "the scores taken as they are. The sources say that the satisfied are not always loyal: this counts them."
    )
    return Table("quadrants", frame, caption, columns)


def _shares(names: Iterable[str], people: np.ndarray, shares: np.ndarray, respondents: float) -> pd.DataFrame:
    """Return shares of so many respondents with their intervals."""
    low, high = wilson(np.nan_to_num(shares) * respondents, respondents)
    numbers = {"respondents": people.round(), "share": shares, "low": low, "high": high}
    return pd.DataFrame({"quadrant": list(names)} | numbers)
