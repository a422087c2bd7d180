"""Cross tables of customers: a line for each cell, and side by side."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import DASH, Column, number, percent


def long_table(customers, names: dict[str, tuple], hidden) -> pd.DataFrame:
    """Return a line for each cell, with its share of the row.

    Parameters
    ----------
    customers : ndarray of int, shape (rows, columns)
    names : dict of str to tuple
        The names of the two columns that say which cell it is, each with its values in order.
    hidden : ndarray of bool, shape (rows * columns,)

    Returns
    -------
    pandas.DataFrame
        The two columns, customers, share_of_row; missing where hidden, and the share where nobody is in the row.
    """
    whole = customers.sum(axis=1, keepdims=True)
    share = np.divide(customers, whole, out=np.full(customers.shape, np.nan), where=whole > 0)
    frame = pd.MultiIndex.from_product(names.values(), names=names).to_frame(index=False)
    return frame.assign(
        customers=np.where(hidden, np.nan, customers.ravel()), share_of_row=np.where(hidden, np.nan, share.ravel())
    )


def side_by_side(frame: pd.DataFrame, row: Column, columns: dict[str, str]) -> tuple[pd.DataFrame, dict[str, Column]]:
    """Return a cross table as it is shown, number and share of the row in a cell, and how its columns read.

    Parameters
    ----------
    frame : pandas.DataFrame
        As `long_table` gives it: its first two columns name the cell.
    row : Column
        How the first reads.
    columns : dict of str to str
        The values of the second, in order, with their headings.
    """
    first, second = frame.columns[:2]
    told = [_told(*cell) for cell in zip(frame["customers"], frame["share_of_row"], strict=True)]
    wide = frame.assign(told=told).pivot(index=first, columns=second, values="told")
    view = wide.loc[frame[first].unique(), list(columns)].reset_index()
    return view, {first: row} | {name: Column(heading, "customers") for name, heading in columns.items()}


def _told(customers: float, share: float) -> str:
    if np.isnan(customers):
        return DASH
    return number(customers) if np.isnan(share) else f"{number(customers)} ({percent(share, 0)})"
