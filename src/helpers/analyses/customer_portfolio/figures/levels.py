"""Kotler's five levels of relationship: what each is worth in which group, and what the choice hangs on."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Figure, number

from ...drawing import WIDTH, known_columns, new_axes, nothing, row_height, rows_seen
from .parts import (
    ENGLISH,
    LEVELS,
    PYRAMID,
    Money,
    drawn_names,
    grid,
    in_english,
    money_column,
    pivoted,
    told_money,
)

ORDER = tuple(LEVELS)
MOST_GROUPS = 12
GROUP = Column("Group", names=PYRAMID)
LEVEL = Column("Level", names=LEVELS)


def relationship_levels(frame: pd.DataFrame, *, currency: str) -> Figure:
    """Draw what each level is worth in each group, and which is worth most.

    Parameters
    ----------
    frame : pandas.DataFrame
        group, level, value, low, high (of all customers of the group less cost, in money), probability (share of draws
        in which the level is best), recommended; nan, and None, where it is not to be shown.
    currency : str
    """
    name, seen = "relationship_levels", rows_seen(frame, "value")
    if seen.empty:
        return nothing(name, "No group of customers is large enough to choose a level for.", frame)
    groups = list(dict.fromkeys(seen.group))
    left_out, groups = len(groups) - len(groups[:MOST_GROUPS]), groups[:MOST_GROUPS]
    seen = seen[seen.group.isin(groups)]
    value, low, high, chance = (
        pivoted(seen, "group", "level", each, groups, ORDER) for each in ("value", "low", "high", "probability")
    )
    chosen = _chosen(seen, groups)
    money, labels = Money.of(currency, value, figures=4), drawn_names(groups, PYRAMID, 13)

    def draw():
        from matplotlib.patches import Rectangle

        figure, axes = new_axes(WIDTH, 1.2 + row_height(labels, 0.62) * len(groups))
        texts = [["" for _ in ORDER] for _ in groups]
        for row, column in np.ndindex(value.shape):
            texts[row][column] = money.text(value[row, column]) if np.isfinite(value[row, column]) else ""
            if column == chosen[row] and np.isfinite(low[row, column]):
                texts[row][column] += f"\n({money.text(low[row, column])} to\n{money.text(high[row, column])})"
        grid(axes, _relative(value), texts, labels, drawn_names(ORDER, LEVELS, 12), span=(0, 2))
        for row, column in enumerate(chosen):
            if column is not None:
                style = {"fill": False, "edgecolor": "#D55E00", "linewidth": 2.6, "zorder": 5}
                axes.add_patch(Rectangle((column - 0.46, row - 0.45), 0.92, 0.9, **style))
        axes.set_xlabel(
            f"value less cost of all customers of the group ({money.unit});\nframed: worth most, with 95 % interval"
        )
        return figure

    told = "; ".join(
        f"{in_english(group, PYRAMID)} {in_english(ORDER[place], LEVELS)}, "
        + told_money(money, value[row, place], low[row, place], high[row, place])
        + (
            f", best in {number(100 * chance[row, place])} % of draws, given the assumptions"
            if np.isfinite(chance[row, place])
            else ""
        )
        for row, (group, place) in enumerate(zip(groups, chosen, strict=True))
        if place is not None
    )
    more = f" {left_out} more groups are not drawn." if left_out else ""
    alt = (
        "Grid of the value of five levels of relationship in each group of customers, under assumed costs and "
        f"responses. Worth most: {told or 'no level can be told'}.{more}"
    )
    columns = {
        "group": GROUP,
        "level": LEVEL,
        "value": money_column("Value less cost", currency),
        "low": money_column("95 % low", currency),
        "high": money_column("95 % high", currency),
        "probability": Column("Best in draws, given the assumptions", digits=0, percent=True),
        "recommended": Column("Worth most"),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns), ENGLISH)


def _chosen(seen: pd.DataFrame, groups: list[str]) -> list[int | None]:
    """Return the place of the level that is worth most in each group; None where none can be told."""
    best = {
        line.group: ORDER.index(line.level)
        for line in seen.itertuples()
        if line.recommended is True or line.recommended == 1
    }
    return [best.get(group) for group in groups]


def _relative(value: np.ndarray) -> np.ndarray:
    """Return each value as a share of the best of its group; 0 where it is a loss, nan where nothing is known."""
    best = np.nanmax(value, axis=1, keepdims=True)
    return np.where(np.isfinite(value), np.clip(value / np.where(best > 0, best, np.inf), 0, 1), np.nan)
