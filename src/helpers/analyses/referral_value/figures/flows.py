"""Customers on their way: from class to class under a campaign, and from generation to generation of referrals."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Figure, number, percent
from helpers.models.referral_value.classes import CLASSES

from ...drawing import (
    INK,
    WIDTH,
    apart,
    end_rows,
    known_columns,
    new_axes,
    nothing,
    placed_axes,
    row_axes,
    rows_seen,
)
from .parts import COLOURS, CUSTOMERS, ENGLISH, LABELS, WORDS, limits, numbers, share

ORDER = ("champions", "affluents", "advocates", "misers")  # from above, so that few ways cross
BESIDE, WIDE, GAP, HIGH = 1.55, 0.14, 0.5, 3.0  # inches: names, nodes, between nodes, all movers
MOST_GENERATIONS = 8


def migration(frame: pd.DataFrame) -> Figure:
    """Draw how many customers a campaign is expected to move from class to class; those who stay are not drawn.

    Parameters
    ----------
    frame : pandas.DataFrame
        source, target (classes), customers (expected to move).
    """
    name, seen = "migration", rows_seen(frame, "customers")
    seen = seen[(seen.customers > 0) & (seen.source != seen.target)] if len(seen) else seen
    seen = seen[seen.source.isin(CLASSES) & seen.target.isin(CLASSES)] if len(seen) else seen
    if seen.empty:
        return nothing(name, "No customer is expected to move to another class.", frame)
    ranks = {each: place for place, each in enumerate(ORDER)}
    seen = seen.assign(one=seen.source.map(ranks), other=seen.target.map(ranks)).sort_values(["one", "other"])
    sizes = {side: seen.groupby(side).customers.sum().reindex(ORDER).dropna() for side in ("source", "target")}
    inch = HIGH / seen.customers.sum()
    high = HIGH + GAP * (max(map(len, sizes.values())) - 1)

    def draw():
        wide = WIDTH - 2 * BESIDE
        figure, axes = placed_axes(WIDTH, high + 0.85, (BESIDE, 0.25, wide, high))
        axes.set(xlim=(0, wide), ylim=(high, 0))
        axes.set_axis_off()
        starts = {side: _starts(sizes[side] * inch, high) for side in sizes}
        for side, across, head in (("source", 0, "movers from"), ("target", wide - WIDE, "movers to")):
            place = {"ha": "right" if across == 0 else "left", "va": "center", "color": INK}
            outside = -0.08 if across == 0 else wide + 0.08
            axes.text(outside, -0.42, head, fontsize=9.5, style="italic", **place)
            for each, size in sizes[side].items():
                axes.add_patch(_node(across, starts[side][each], inch * size, COLOURS[each]))
                middle = starts[side][each] + inch * size / 2
                axes.text(outside, middle, f"{LABELS[each]}\n{_people(size)}", fontsize=9.5, **place)
        ways(axes, starts, wide)
        return figure

    def ways(axes, starts, wide):
        left, right = (starts[side].copy() for side in ("source", "target"))
        several, noted = seen.source.duplicated(keep=False), []
        for line, is_one_of_several in zip(seen.itertuples(), several, strict=True):
            thick = inch * line.customers
            ends = (left[line.source], right[line.target])
            axes.add_patch(_band(WIDE, wide - WIDE, *ends, thick, COLOURS[line.source]))
            left[line.source] += thick
            right[line.target] += thick
            if is_one_of_several:
                noted.append((ends[0] + thick / 2, line.customers))
        if noted:
            places = apart(np.array([place for place, _ in noted]), 0.19)
            for place, (_, size) in zip(places, noted, strict=True):
                axes.text(WIDE + 0.07, place, _people(size), fontsize=9.5, color=INK, va="center", zorder=4)

    told = "; ".join(
        f"{WORDS[line.source]} to {WORDS[line.target].lower()} {_people(line.customers)}" for line in seen.itertuples()
    )
    alt = (
        f"Flows of customers whom the campaign is expected to move to another class, "
        f"{_people(seen.customers.sum())} in all; those who stay are not drawn. {told}."
    )
    columns = {
        "source": Column("From", names=WORDS),
        "target": Column("To", names=WORDS),
        "customers": Column("Expected to move", "customers", 1),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns), ENGLISH)


def _people(size: float) -> str:
    """Return an expected number of customers: with a decimal where there are few."""
    return number(size, 0 if size >= 10 else 1) if size >= 0.05 else "under 0.1"


def _starts(sizes: pd.Series, high: float) -> pd.Series:
    """Return where nodes begin that stand below each other in the middle of the height."""
    free = high - sizes.sum() - GAP * (len(sizes) - 1)
    return free / 2 + sizes.cumsum() - sizes + GAP * np.arange(len(sizes))


def _node(left: float, top: float, thick: float, colour: str):
    from matplotlib.patches import Rectangle

    return Rectangle((left, top), WIDE, thick, facecolor=colour, edgecolor=colour, linewidth=0.8, zorder=3)


def _band(left: float, right: float, start: float, end: float, thick: float, colour: str):
    """Return a way from one node to another, as thick at either end."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    half = (left + right) / 2
    there = [(left, start), (half, start), (half, end), (right, end)]
    back = [(right, end + thick), (half, end + thick), (half, start + thick), (left, start + thick)]
    codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]
    look = {"facecolor": colour, "edgecolor": colour, "alpha": 0.45, "linewidth": 0.8}
    return PathPatch(Path([*there, *back, (left, start)], codes), **look)


def generations(frame: pd.DataFrame) -> Figure:
    """Draw how many customers were brought in each generation of referrals.

    Parameters
    ----------
    frame : pandas.DataFrame
        generation (1: brought by someone whom nobody brought), customers (brought), share (of all who were brought).
    """
    name, seen = "generations", rows_seen(frame, "generation", "customers")
    if seen.empty or not seen.customers.sum() > 0:
        return nothing(name, "Nobody was brought by another customer.", frame)
    seen = _shortened(seen.sort_values("generation"))

    def draw():
        figure, axes = new_axes(WIDTH, 0.8 + 0.36 * len(seen))
        axes.barh(range(len(seen)), seen.customers, height=0.62, color=INK)
        row_axes(list(seen.label), axes)
        axes.set_xlim(*limits(seen.customers))
        axes.locator_params(axis="x", nbins=5)
        axes.xaxis.set_major_formatter(lambda value, _: number(value))
        axes.set_xlabel("customers brought, by generation of referrals")
        parts = (f" ({share(part)})" if np.isfinite(part) else "" for part in seen.share)
        end_rows(axes, [f"{number(size)}{part}" for size, part in zip(seen.customers, parts, strict=True)])
        return figure

    told = "; ".join(f"{line.label} {number(line.customers)} ({percent(line.share)})" for line in seen.itertuples())
    alt = f"Bars of the customers brought in each generation of referrals: {told}."
    columns = {
        "generation": Column("Generation", digits=0),
        "customers": CUSTOMERS,
        "share": Column("Share of all brought", digits=1, percent=True),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns))


def _shortened(seen: pd.DataFrame) -> pd.DataFrame:
    """Name the generations, the late ones together."""
    seen = seen.assign(share=numbers(seen, "share"), label=[_ordinal(int(each)) for each in seen.generation])
    if len(seen) <= MOST_GENERATIONS:
        return seen
    first, late = seen.iloc[: MOST_GENERATIONS - 1], seen.iloc[MOST_GENERATIONS - 1 :]
    rest = late[["customers", "share"]].sum(min_count=1).to_frame().T.assign(label=f"{late.label.iloc[0]} and later")
    return pd.concat([first, rest], ignore_index=True)


def _ordinal(place: int) -> str:
    ending = "th" if 10 < place % 100 < 20 else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{place}{ending} generation"
