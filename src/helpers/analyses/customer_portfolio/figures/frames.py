"""Frames of figures that no table holds: curves over customers, thinned, and satisfaction by value."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..hidden import hidden_cells, rows_and_columns

MOST_POINTS = 200
BANDS = 5  # of satisfaction, and of value
CURVE = ["share_of_customers", "customers"]


def thinned(customers: int, min_cell: int) -> np.ndarray:
    """Return after how many customers a curve is drawn: at 200 points at most, no two fewer than `min_cell` apart."""
    steps = max(min(MOST_POINTS - 2, customers // max(min_cell, 1)), 1)  # leaves room for a point of interest
    return np.unique(np.linspace(0, customers, steps + 1).astype(int))


def _through(steps: np.ndarray, place: int, min_cell: int) -> np.ndarray:
    """Return the steps with one at `place`, less those too near to it; as they were where an end is too near."""
    if min(place, steps[-1] - place) < max(min_cell, 1):
        return steps
    inner = steps[1:-1]
    return np.unique([0, *inner[abs(inner - place) >= min_cell], place, steps[-1]])


def lorenz(amounts, concentration, min_cell: int) -> pd.DataFrame:
    """Return the share of each amount that the least valuable customers hold.

    Parameters
    ----------
    amounts : mapping of str to ndarray, shape (customers,)
    concentration : mapping of str to helpers.models.customer_portfolio.pyramid.Concentration
    min_cell : int
        No step of a curve is of fewer customers.

    Returns
    -------
    pandas.DataFrame
        amount, share_of_customers, share_of_amount, gini, low, high; no rows of an amount whose sum is not positive, or
        of too few customers.
    """
    parts = []
    for name, values in amounts.items():
        if not values.sum() > 0 or len(values) < 2 * min_cell:
            continue
        steps, found = thinned(len(values), min_cell), concentration[name].gini
        held = np.append(0.0, np.cumsum(np.sort(values)))[steps] / values.sum()
        part = pd.DataFrame({"amount": name, "share_of_customers": steps / len(values), "share_of_amount": held})
        parts.append(part.assign(gini=found.value, low=found.low, high=found.high))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def cumulated(values, name: str, min_cell: int) -> pd.DataFrame:
    """Return share_of_customers, customers and the cumulated values, those who have most first; no rows of too few.

    The curve is drawn through its highest point, which is after all values above 0, unless that parts off too few.
    """
    values = np.asarray(values, float)
    if len(values) < 2 * min_cell:
        return pd.DataFrame(columns=[*CURVE, name])
    steps = _through(thinned(len(values), min_cell), int((values > 0).sum()), min_cell)
    total = np.append(0.0, np.cumsum(np.sort(values)[::-1]))[steps]
    return pd.DataFrame({"share_of_customers": steps / len(values), "customers": steps, name: total})


def satisfaction_by_value(satisfaction, value, min_cell: int) -> pd.DataFrame:
    """Return how many of each fifth of value are in each of five bands of satisfaction.

    Parameters
    ----------
    satisfaction : array_like, shape (customers,)
        0 to 100.
    value : array_like, shape (customers,)
    min_cell : int
        Cells of fewer customers are missing, and so many others that the size of a fifth does not tell of them.

    Returns
    -------
    pandas.DataFrame
        value_fifth (1: the lowest), satisfaction_from, satisfaction_to, customers, share (of the fifth), mean_value (of
        the fifth). Of equal values the customer who came first ranks first.
    """
    satisfaction, value = np.asarray(satisfaction, float), np.asarray(value, float)
    fifth = np.empty(len(value), int)
    fifth[np.argsort(value, kind="stable")] = BANDS * np.arange(len(value)) // len(value)
    band = np.clip((satisfaction * BANDS / 100).astype(int), 0, BANDS - 1)
    customers = np.bincount(band * BANDS + fifth, minlength=BANDS**2).reshape(BANDS, BANDS)
    whole = customers.sum(axis=0)
    fifths = rows_and_columns(BANDS, BANDS)[BANDS:]  # how many are in a band of satisfaction stands nowhere
    hidden = hidden_cells(customers.ravel(), fifths, min_cell).reshape(customers.shape)
    mean = np.where(whole < min_cell, np.nan, np.bincount(fifth, value, BANDS) / np.maximum(whole, 1))
    row, column = np.indices(customers.shape)
    edges = 100 * np.arange(BANDS + 1) / BANDS
    return pd.DataFrame(
        {
            "value_fifth": column.ravel() + 1,
            "satisfaction_from": edges[row.ravel()],
            "satisfaction_to": edges[row.ravel() + 1],
            "customers": np.where(hidden, np.nan, customers).ravel(),
            "share": np.where(hidden, np.nan, customers / np.maximum(whole, 1)).ravel(),
            "mean_value": mean[column.ravel()],
        }
    )
