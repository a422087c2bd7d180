"""The grid of recency and frequency, with what was spent."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import DASH, Column, Table, number
from helpers.models.customer_portfolio.rfm import GROUPS

from ..hidden import hidden_cells, rows_and_columns
from ..measurement import Measurement

SCORES = np.arange(1, GROUPS + 1)


def tables(result: Measurement) -> list[Table]:
    """Return the grid of recency, frequency and monetary value."""
    return [rfm(result)]


def rfm(result: Measurement) -> Table:
    """Count customers by their scores of recency and frequency."""
    found, least = result.rfm, result.settings.min_cell
    recency, frequency = np.divmod(np.arange(GROUPS**2), GROUPS)
    hidden = hidden_cells(found.customers.ravel(), rows_and_columns(GROUPS, GROUPS), least)
    numbers = {name: getattr(found, name).ravel() for name in ("customers", "share", "mean_monetary")}
    frame = pd.DataFrame(
        {"recency": SCORES[recency], "frequency": SCORES[frequency]}
        | {name: np.where(hidden, np.nan, values) for name, values in numbers.items()}
    )
    told = frame.assign(told=list(map(_told, frame["customers"], frame["mean_monetary"])))
    view = told.pivot(index="recency", columns="frequency", values="told").sort_index(ascending=False).reset_index()
    columns = {"recency": Column("Recency score", digits=0)}
    unit = f"customers; mean spent, {result.currency}"
    columns |= {score: Column(f"Frequency score {score}", unit) for score in SCORES.tolist()}
    caption = (
        f"The {number(len(result))} customers of {result.now.date} in fifths by how recently (rows) and how often "
        "(columns) they bought, 5 being best (after Hughes 1994); beside their number the mean of what they spent in "
        f"all, rounded. Customers who are alike have the same score. A dash is a cell of fewer than {least} customers, "
        f"or one that would tell of such a cell. Counts and means have no interval. {found.problem}"
    )
    return Table("rfm", frame, caption.strip(), columns, view)


def _told(customers: float, mean: float) -> str:
    if np.isnan(customers):
        return DASH
    return f"{number(customers)}; {number(mean)}" if customers else "0"
