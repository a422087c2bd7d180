"""Both sides of the bargain: how satisfied customers are, beside what they are worth."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Table, between, number

from ..measurement import Measurement
from ..two_sided import FEWEST, QUADRANTS

NAMES = {
    "under_served": "worth more, less satisfied: serve better",
    "both_gain": "worth more, more satisfied: keep it so",
    "over_served": "worth less, more satisfied: sell more, or serve for less",
    "neither_gains": "worth less, less satisfied: mend it or let go",
}


def tables(result: Measurement) -> list[Table]:
    """Return satisfaction beside value."""
    return [two_sided(result)]


def nothing(result: Measurement) -> str:
    """Say why both sides cannot be set against each other; empty where they can."""
    if result.files.survey is None:
        return "How satisfied customers are is not known: set satisfaction_survey."
    if result.two_sided is None:
        return (
            f"Fewer than {FEWEST} customers answered the survey (its column customer_id says who), or all of them "
            "answered alike or are worth the same."
        )
    if len(result.two_sided.place) < result.settings.min_cell:
        return f"Fewer than {result.settings.min_cell} customers answered the survey."
    return ""


def two_sided(result: Measurement) -> Table:
    """Count and value the customers who answered, by whether value and satisfaction are above the median."""
    if why := nothing(result):
        return Table.nothing("two_sided", why)
    found = result.two_sided
    counts = np.bincount(found.quadrant, minlength=len(QUADRANTS))
    some = np.where(counts > 0, counts, np.nan)
    worth, answers = (
        np.bincount(found.quadrant, values, minlength=len(QUADRANTS)) / some
        for values in (result.now.value[found.place], found.satisfaction)
    )
    frame = pd.DataFrame(
        {
            "quadrant": QUADRANTS,
            "customers": counts,
            "share": counts / counts.sum(),
            "mean_value": worth,
            "mean_satisfaction": answers,
        }
    )
    if ((counts > 0) & (counts < result.settings.min_cell)).any():
        # the medians say how many are on each side, so the size of one quadrant gives those of all
        frame = frame.assign(**dict.fromkeys(frame.columns.drop("quadrant"), np.nan))
    columns = {
        "quadrant": Column("Customers", names=NAMES),
        "customers": Column("Number", digits=0),
        "share": Column("Share of those who answered", digits=1, percent=True),
        "mean_value": Column("Mean lifetime value", result.currency, 2),
        "mean_satisfaction": Column("Mean satisfaction", "0 to 100", 1),
    }
    caption = (
        f"The {number(len(found.place))} customers who answered the satisfaction survey, of {number(len(result))} on "
        f"{result.now.date}; more is above the median of those who answered. Satisfaction is the plain mean of its "
        "items. The rank correlation of satisfaction and lifetime value is "
        f"{number(found.correlation, 2)} ({between(found.low, found.high, 2)}), which does not say that either causes "
        "the other, nor that those who did not answer are like these. Where a quadrant has fewer than "
        f"{result.settings.min_cell} customers, none is shown."
    )
    return Table("two_sided", frame, caption, columns)
