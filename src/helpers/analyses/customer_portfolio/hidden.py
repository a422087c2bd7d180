"""Which cells of a table must not be shown, so that no small group can be told from what is."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog

ROUNDING = 1e-9


def hidden_cells(customers, known, least: int, also=False) -> np.ndarray:
    """Choose the cells that must not be shown.

    Beside the small ones as many as it takes that none of these follows from the sums that are known, that no such sum
    is all that a few customers make up, and that no combination of them, such as rows less columns, tells of a hidden
    cell that it is small (complementary suppression): the smallest first, an empty cell last.

    Parameters
    ----------
    customers : array_like of int, shape (cells,)
    known : array_like of bool, shape (sums, cells)
        The cells of each sum that is known, such as of a row.
    least : int
        A cell with fewer customers, but not none, is small.
    also : array_like of bool, shape (cells,), optional
        Cells that must not be shown for other reasons.

    Returns
    -------
    ndarray of bool, shape (cells,)
    """
    customers, known = np.asarray(customers), np.asarray(known, bool)
    small = (customers > 0) & (customers < least) | also
    hidden = small.copy()
    while (found := _next_to_hide(customers, known, least, small, hidden)) is not None:
        hidden[found] = True
    return hidden


def _next_to_hide(customers, known, least: int, small, hidden) -> int | None:
    inside = known & hidden
    alone = inside.any(axis=1) & ((inside.sum(axis=1) == 1) | (inside @ customers < least))
    told = (known & (small & ~_is_open(known, hidden))).any(axis=1)
    # the sums of few cells first: what is hidden there is hidden in the larger ones, too
    order = sorted(np.flatnonzero(alone | told), key=lambda line: (not alone[line], known[line].sum()))
    for line in order:
        shown = known[line] & ~hidden
        if shown.any():
            return _smallest(customers, shown)
    for cell in np.flatnonzero(hidden & (customers < least)):
        highest, combination = _highest(customers, known, hidden, cell)
        shown = (np.abs(combination) > ROUNDING) & ~hidden
        if highest < least - ROUNDING and shown.any():
            return _smallest(customers, shown)
    return None


def _smallest(customers, among) -> int:
    return int(np.argmin(np.where(among, np.where(customers > 0, customers, customers.sum() + 1), np.inf)))


def _highest(customers, known, hidden, cell: int) -> tuple[float, np.ndarray]:
    """Return the most customers a hidden cell can have for all that is known, and the combination that says so.

    What is known are the sums, what is shown of them, and that no cell has fewer than none. The combination of the sums
    (the dual solution of the linear programme) is as it weighs each cell.
    """
    if not known[:, cell].any():
        return np.inf, np.zeros(len(hidden))
    sums = known[:, hidden].astype(float)
    sought = np.flatnonzero(hidden) == cell
    found = linprog(-sought.astype(float), A_eq=sums, b_eq=sums @ customers[hidden])
    return -found.fun, found.eqlin.marginals @ known


def _is_open(known, hidden) -> np.ndarray:
    """Tell which hidden cells the known sums leave open: those that can move while no sum does."""
    sums = known[:, hidden].astype(float)
    found = np.zeros(len(hidden), bool)
    found[hidden] = 1 - np.diag(np.linalg.pinv(sums) @ sums) > ROUNDING
    return found


def rows_and_columns(rows: int, columns: int) -> np.ndarray:
    """Return which cells of a table, flat by row, make up each row and each column: shape (rows + columns, cells)."""
    row, column = np.divmod(np.arange(rows * columns), columns)
    return np.vstack([np.arange(rows)[:, None] == row, np.arange(columns)[:, None] == column])
