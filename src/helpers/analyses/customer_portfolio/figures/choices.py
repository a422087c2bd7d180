"""What is chosen and done: components of commercial value, both sides of the bargain, and the next actions."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Figure, number, percent
from helpers.models.customer_portfolio.commercial_value import COMPONENTS

from ...drawing import (
    INK,
    RULE,
    WIDTH,
    ZERO,
    end_rows,
    known_columns,
    legend_above,
    new_axes,
    nothing,
    panels,
    row_axes,
    row_height,
    rows_seen,
    written,
)
from ..actions import ACTIONS
from ..actions import VERBS as WORDS
from .parts import (
    COMPONENT_NAMES,
    CUSTOMERS,
    FIRST,
    LOSS,
    NOT_SHOWN,
    SHARE,
    Money,
    bars,
    count,
    grid,
    limits,
    money_column,
    money_rows,
    numbers,
    one_of,
    scale_of_shares,
    share,
)

VERBS = WORDS | {"none": "nothing: has left"}
FIFTHS = ("lowest fifth", "second", "middle", "fourth", "highest fifth")
LEVELS_OF_SATISFACTION = 5
CORNERS = {  # quadrant -> words, right, top
    "under_served": ("value high, satisfaction low", 1, 0),
    "both_gain": ("both high", 1, 1),
    "over_served": ("value low, satisfaction high", 0, 1),
    "neither_gains": ("both low", 0, 0),
}


def commercial_value(frame: pd.DataFrame) -> Figure:
    """Draw the weight of each component in the score of commercial value, and how much of the score comes from it.

    Parameters
    ----------
    frame : pandas.DataFrame
        component, weight (chosen; they add up to 1), contribution (share of the variance of the score; may be below 0).
    """
    name, seen = "commercial_value", one_of(rows_seen(frame, "weight"), "component", COMPONENTS)
    if seen.empty:
        return nothing(name, "Customers are alike in every component of commercial value.", frame)
    weight, made = 100 * numbers(seen, "weight"), 100 * numbers(seen, "contribution")

    def draw():
        figure, axes = new_axes(WIDTH, 1.3 + 0.46 * len(seen))
        rows = range(len(seen))
        axes.hlines(rows, weight, made, color=RULE, linewidth=1, linestyle=":", zorder=2)
        (mark,) = axes.plot(weight, rows, "|", color=ZERO, markersize=16, markeredgewidth=2.4, label="weight (chosen)")
        (dot,) = axes.plot(made, rows, "o", color=FIRST, markersize=8, clip_on=False, label="contribution to the score")
        axes.axvline(0, color=ZERO, linewidth=1, zorder=1)
        row_axes([COMPONENT_NAMES[each] for each in seen.component], axes)
        low, high = limits(weight, made)
        axes.set_xlim(low - 0.03 * (high - low), high)  # a dot at 0 would lie on its name
        axes.locator_params(axis="x", nbins=6)
        axes.set_xlabel("of all weights, or of the variation of the score (%)")
        end_rows(axes, [f"{number(part)} %" if np.isfinite(part) else "not known" for part in made])
        legend_above(axes, [mark, dot], 2)
        return figure

    told = "; ".join(
        f"{each} value weight {percent(heavy / 100)}, contribution "
        + (percent(part / 100) if np.isfinite(part) else "not known")
        for each, heavy, part in zip(seen.component, weight, made, strict=True)
    )
    alt = (
        f"Marks of the weight of each component of commercial value, and dots of its contribution to the score: {told}."
    )
    columns = {
        "component": Column("Component", names=COMPONENT_NAMES),
        "weight": Column("Weight", digits=0, percent=True),
        "contribution": Column("Contribution to the score", digits=1, percent=True),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns))


def two_sided_map(frame: pd.DataFrame, quadrants: pd.DataFrame, *, currency: str) -> Figure:
    """Draw how satisfied customers of low and of high value are, and how many stand in each quadrant.

    Parameters
    ----------
    frame : pandas.DataFrame
        value_fifth (1: the lowest lifetime values), satisfaction_from, satisfaction_to (0 to 100), customers, share (of
        the fifth), mean_value (of the fifth, in money); nan where it is not to be shown.
    quadrants : pandas.DataFrame
        quadrant, customers; nan where it is not to be shown.
    currency : str
    """
    name, seen = "two_sided_map", rows_seen(frame, "share")
    if seen.empty:
        return nothing(name, "Too few customers answered the survey to set satisfaction against value.", frame)
    starts = sorted(frame.satisfaction_from.unique(), reverse=True)
    fifths = sorted(frame.value_fifth.unique())
    wide = frame.pivot(index="satisfaction_from", columns="value_fifth").reindex(index=starts)
    shares = wide["share"].to_numpy(float)
    means = frame.drop_duplicates("value_fifth").set_index("value_fifth")["mean_value"].reindex(fifths).to_numpy(float)
    money = Money.of(currency, means)
    ends_of = frame.drop_duplicates("satisfaction_from").set_index("satisfaction_from")["satisfaction_to"]
    sizes = dict(zip(quadrants.get("quadrant", []), numbers(quadrants, "customers"), strict=True))

    def draw():
        figure, axes = new_axes(WIDTH, 1.9 + 0.42 * len(starts) + 0.2)
        texts = [[share(each) if np.isfinite(each) else "not\nshown" for each in line] for line in shares]
        rows = [f"{start:g} to {ends_of[start]:g}" for start in starts]
        heads = [f"{FIFTHS[int(each) - 1]}\n({money.text(mean)})" for each, mean in zip(fifths, means, strict=True)]
        grid(axes, shares, texts, rows, heads, span=(0, 1.1 * np.nanmax(shares)))
        axes.set_xlabel(f"customers by lifetime value (mean, {money.unit})\nin the cells: share of the column")
        axes.set_ylabel("satisfaction (0 to 100)")
        for each, (words, right, top) in CORNERS.items():
            if each in sizes:
                style = {"ha": "right" if right else "left", "va": "bottom", "fontsize": 9.5, "color": INK}
                where = (right, 1.03 + 0.09 * top * 4 / len(starts))
                axes.text(*where, f"{words}: {count(sizes[each])}", transform=axes.transAxes, **style)
        return figure

    means_of = " ".join(
        _fifth(fifth, line, money.told(mean) if np.isfinite(mean) else NOT_SHOWN, starts, ends_of)
        for fifth, line, mean in zip(fifths, shares.T, means, strict=True)
    )
    told = "; ".join(f"{words} {count(sizes[each])}" for each, (words, *_) in CORNERS.items() if each in sizes)
    alt = f"Grid of satisfaction by fifths of lifetime value. {means_of}"
    alt += f" Customers by the median of both: {told}." if told else ""
    columns = {
        "value_fifth": Column("Fifth of lifetime value", digits=0),
        "satisfaction_from": Column("Satisfaction from", digits=0),
        "satisfaction_to": Column("to", digits=0),
        "customers": CUSTOMERS,
        "share": Column("Share of the fifth", digits=1, percent=True),
        "mean_value": money_column("Mean lifetime value of the fifth", currency),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns))


def _fifth(fifth: int, shares: np.ndarray, mean: str, starts: list, ends_of: pd.Series) -> str:
    """Say where most of a fifth stand."""
    start = f"{FIFTHS[int(fifth) - 1].capitalize()} (mean {mean}):"
    if not np.isfinite(shares).any():
        return f"{start} {NOT_SHOWN}."
    most = int(np.nanargmax(shares))
    return f"{start} most, {percent(shares[most], 0)}, at {starts[most]:g} to {ends_of[starts[most]]:g}."


def actions(frame: pd.DataFrame, *, currency: str) -> Figure:
    """Draw for how many customers each next action is due, and how much value is at stake.

    Parameters
    ----------
    frame : pandas.DataFrame
        next_action, customers, share, value (lifetime value of all of them, in money); nan where it is not to be shown.
    currency : str
    """
    name = "actions"
    if not numbers(rows_seen(frame, "customers"), "customers").any():
        return nothing(name, "No action is due for customers enough to be shown.", frame)
    seen = one_of(frame, "next_action", ACTIONS)
    people, part, worth = (numbers(seen, each) for each in ("customers", "share", "value"))
    order = np.argsort(-np.nan_to_num(people, nan=-1), kind="stable")
    order = order[people[order] != 0]
    seen, people, part, worth = seen.iloc[order], people[order], part[order], worth[order]
    money = Money.of(currency, worth)
    labels = [written(VERBS[each].capitalize(), 18) for each in seen.next_action]

    def draw():
        figure, places = panels(1, 2, 1.1 + row_height(labels, 0.4) * len(seen), sharey=True, width_ratios=[1.1, 1])
        left, right = places[0]
        texts = [f"{count(size)}" for size in people]
        bars(left, 100 * part, labels, texts)
        scale_of_shares(left, part)
        left.set_xlabel("customers (%; number)")
        bars(
            right,
            worth,
            labels,
            [money.text(each) if np.isfinite(each) else NOT_SHOWN for each in worth],
            _shades(worth),
        )
        right.tick_params(axis="y", labelleft=False)
        money_rows(right, money, f"lifetime value\n({money.unit})", worth, ticks=3)
        return figure

    told = "; ".join(
        f"{VERBS[each]} {number(size)} customers ({percent(portion)}), lifetime value {money.told(value)}"
        if np.isfinite(size) and np.isfinite(value)
        else f"{VERBS[each]} {NOT_SHOWN}"
        for each, size, portion, value in zip(seen.next_action, people, part, worth, strict=True)
    )
    alt = f"Bars of the customers for whom each next action is due, and of their lifetime value: {told}."
    columns = {
        "next_action": Column("Next action", names=VERBS),
        "customers": CUSTOMERS,
        "share": SHARE,
        "value": money_column("Lifetime value", currency),
        "why": Column("Why"),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns))


def _shades(worth: np.ndarray) -> list[str]:
    return [LOSS if value < 0 else INK for value in worth]
