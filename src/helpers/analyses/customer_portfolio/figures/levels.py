"""Kotler's five levels of relationship: what each is worth in which group, and what the choice hangs on."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Figure, listed, number

from ...drawing import WIDTH, known_columns, new_axes, nothing, row_height, rows_seen, written
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
ASSUMPTIONS = {
    "cost": "cost of contact",
    "capacity": "capacity",
    "ceiling": "ceiling of retention",
    "responsiveness": "response to contact",
}
MOST_GROUPS = 12
NARROW = {"accountable": "account-\nable", "partnership": "partner-\nship", "": "none"}  # as they fit a cell
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


def level_sensitivity(frame: pd.DataFrame) -> Figure:
    """Draw which level would be recommended to each group if an assumption were half or double.

    Parameters
    ----------
    frame : pandas.DataFrame
        assumption, factor (that it is multiplied by), group, level ("" where none can be told), changed (whether that
        is another level than before).
    """
    name = "level_sensitivity"
    if frame.empty or "changed" not in frame.columns:
        return nothing(name, "There is no choice of levels that could hang on an assumption.", frame)
    cases = list(dict.fromkeys(zip(frame.assumption, frame.factor, strict=True)))
    groups = list(dict.fromkeys(frame.group))[:MOST_GROUPS]
    cell = {(line.assumption, line.factor, line.group): line for line in frame.itertuples()}
    changed = np.array([[_changed(cell.get((*case, group))) for case in cases] for group in groups])
    levels = [
        [in_english(getattr(cell.get((*case, group)), "level", ""), LEVELS) for case in cases] for group in groups
    ]
    labels = drawn_names(groups, PYRAMID, 13)

    def draw():
        figure, axes = new_axes(WIDTH, 1.5 + row_height(labels, 0.46) * len(groups))
        heads = [f"{written(ASSUMPTIONS.get(each, each), 12)}\n× {factor:g}" for each, factor in cases]
        narrow = [[NARROW.get(level, level) for level in line] for line in levels]
        grid(
            axes,
            np.where(np.isfinite(changed), 0.12 + changed, np.nan),
            narrow,
            labels,
            heads,
            span=(0, 2.2),
            colours="Oranges",
            size=8,
        )
        axes.tick_params(axis="x", labelsize=8)
        axes.set_xlabel("assumption, and what it is multiplied by\n(dark: another level than is recommended)")
        return figure

    moved = {
        case: [in_english(group, PYRAMID) for group, is_new in zip(groups, column, strict=True) if is_new == 1]
        for case, column in zip(cases, changed.T, strict=True)
    }
    told = "; ".join(
        f"{ASSUMPTIONS.get(each, each)} times {factor:g}: {listed(names)}"
        for (each, factor), names in moved.items()
        if names
    )
    alt = (
        f"Grid of the level recommended to each group of customers when one assumption is changed: "
        f"{int(np.nansum(changed))} of {np.isfinite(changed).sum()} choices change. "
        + (f"They change for {told}." if told else "None hangs on any of them.")
    )
    columns = {
        "assumption": Column("Assumption", names=ASSUMPTIONS),
        "factor": Column("Multiplied by", digits=1),
        "group": GROUP,
        "level": LEVEL,
        "changed": Column("Another level than before"),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns), ENGLISH)


def _changed(line) -> float:
    return np.nan if line is None else float(bool(line.changed))
