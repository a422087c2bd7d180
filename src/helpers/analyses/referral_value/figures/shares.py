"""Shares of customers: in both tops, firmly in their class, in another class once the cuts move."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Figure, number, percent
from helpers.models.referral_value.classes import CLASSES

from ...drawing import (
    INK,
    RULE,
    WIDTH,
    end_rows,
    known_columns,
    legend_above,
    name_ends,
    new_axes,
    nothing,
    row_axes,
    rows_seen,
)
from .parts import (
    CLASS,
    COLOURS,
    CUSTOMERS,
    ENGLISH,
    LABELS,
    LIFETIME,
    REFERRAL,
    WORDS,
    ends,
    in_words,
    numbers,
    scale_of_shares,
    share,
)

CUTS = {"lifetime_value": ("lifetime value", LIFETIME, "o"), "referral_value": ("referral value", REFERRAL, "s")}


def overlap(frame: pd.DataFrame) -> Figure:
    """Draw which share of the customers with the highest of one value has the highest of the other as well.

    Parameters
    ----------
    frame : pandas.DataFrame
        top (share of customers that counts as high), overlap, low, high, expected (the overlap if both values were
        independent); shares, 0 to 1.
    """
    name, seen = "overlap", rows_seen(frame, "top", "overlap")
    if seen.empty:
        return nothing(name, "Nobody has brought value, so that no customer is high in it.", frame)
    low, high, chance = (numbers(seen, each) for each in ("low", "high", "expected"))
    rows = range(len(seen))
    tops = [f"top {number(100 * top, 0 if np.isclose(100 * top % 1, 0) else 1)} %" for top in seen.top]
    texts = [f"{share(found)}{ends(*each)}" for found, *each in zip(seen.overlap, low, high, strict=True)]

    def draw():
        figure, axes = new_axes(WIDTH, 1.4 + 0.45 * len(seen))
        axes.hlines(rows, 100 * chance, 100 * seen.overlap, color=RULE, linewidth=1, linestyle=":", zorder=2)
        axes.hlines(rows, 100 * low, 100 * high, color=INK, linewidth=2.2, zorder=3)
        (dot,) = axes.plot(
            100 * seen.overlap, rows, "o", color=INK, markersize=7, clip_on=False, zorder=4, label="found"
        )
        style = {"color": "C4", "markersize": 15, "markeredgewidth": 2, "label": "by chance, if independent"}
        (mark,) = axes.plot(100 * chance, rows, "|", zorder=4, **style)
        row_axes(tops, axes)
        scale_of_shares(axes, seen.overlap, high, chance)
        axes.set_xlabel("of the top by one value, also in the top by the other (%),\nwith 95 % interval")
        end_rows(axes, texts)
        legend_above(axes, [dot, mark])
        return figure

    told = "; ".join(
        f"{top} {in_words(found, *each)}, by chance {percent(by)}"
        for top, by, found, *each in zip(tops, chance, seen.overlap, low, high, strict=True)
    )
    alt = f"Dots of the share of customers highest in one value who are highest in the other as well: {told}."
    columns = {
        "top": Column("Top", digits=0, percent=True),
        "overlap": Column("Also in the other top", digits=1, percent=True),
        "low": Column("95 % low", digits=1, percent=True),
        "high": Column("95 % high", digits=1, percent=True),
        "expected": Column("If independent", digits=1, percent=True),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns))


def class_stability(frame: pd.DataFrame) -> Figure:
    """Draw how firmly customers belong to their class where their values are drawn anew.

    Parameters
    ----------
    frame : pandas.DataFrame
        class, certain (share of its customers whose class holds in 95 % of draws), mean_probability (of their own
        class), customers; nan where it is not to be shown.
    """
    name = "class_stability"
    if rows_seen(frame, "certain").empty:
        why = "How firmly customers belong to their class is not known: their values have no draws."
        return nothing(name, why, frame)
    seen = frame.set_index("class")
    seen = seen.loc[[each for each in CLASSES if each in seen.index]]
    held, mean, people = (numbers(seen, each) for each in ("certain", "mean_probability", "customers"))
    rows = range(len(seen))

    def draw():
        from matplotlib.patches import Patch

        figure, axes = new_axes(WIDTH, 1.5 + 0.46 * len(seen))
        axes.barh(rows, 100 * np.nan_to_num(held), height=0.6, color=[COLOURS[each] for each in seen.index])
        style = {"color": "white", "markeredgecolor": INK, "markersize": 7, "markeredgewidth": 1.4}
        (dot,) = axes.plot(100 * mean, rows, "D", zorder=4, label="mean probability of the class", **style)
        row_axes([LABELS[each] for each in seen.index], axes)
        axes.set_xlim(0, 101)
        axes.set_xlabel("customers of the class, or probability (%)")
        end_rows(axes, map(_of, held, people))
        legend_above(axes, [Patch(color=RULE, label="class holds in 95 % of draws"), dot], 2)
        return figure

    told = "; ".join(
        f"{WORDS[each]} {percent(certain)} of {number(size)} customers, mean probability {percent(chance)}"
        if np.isfinite(certain)
        else f"{WORDS[each]} {_of(certain, size)}"
        for each, certain, size, chance in zip(seen.index, held, people, mean, strict=True)
    )
    alt = f"Bars of the share of each class whose customers stay in it in 95 % of draws of their values: {told}."
    columns = CLASS | {
        "certain": Column("Class holds in 95 % of draws", digits=1, percent=True),
        "mean_probability": Column("Mean probability of the class", digits=1, percent=True),
        "customers": CUSTOMERS,
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns), ENGLISH)


def _of(held: float, size: float) -> str:
    """Return a share, and below it of how many."""
    if not np.isfinite(held):
        return "not shown" if size else "no customers"
    return share(held) + (f"\nof {number(size)}" if np.isfinite(size) else "")


def moved_cuts(frame: pd.DataFrame) -> Figure:
    """Draw how many customers change class where a cut moves.

    Parameters
    ----------
    frame : pandas.DataFrame
        value (lifetime_value, referral_value: whose cut), step (share of customers by which it moves up), changed
        (share of customers who change class).
    """
    name, seen = "moved_cuts", rows_seen(frame, "step", "changed")
    seen = seen[seen.value.isin(CUTS)] if len(seen) else seen
    if seen.empty:
        return nothing(name, "There are no cuts that could be moved.", frame)
    lines = {each: seen[seen.value == each].sort_values("step") for each in CUTS if (seen.value == each).any()}

    def draw():
        figure, axes = new_axes(WIDTH, 3.4)
        tips, top = [], 100 * max(1.08 * seen.changed.max(), 0.01)
        for each, rows in lines.items():
            _, colour, marker = CUTS[each]
            way = pd.concat([rows[["step", "changed"]], pd.DataFrame({"step": [0.0], "changed": [0.0]})])
            way = 100 * way.drop_duplicates("step").sort_values("step")  # a cut that stays changes nobody
            axes.plot(way.step, way.changed, color=colour, zorder=3)
            axes.plot(100 * rows.step, 100 * rows.changed, marker, color=colour, markersize=6, clip_on=False, zorder=4)
            tips.append(tuple(way.iloc[-1]))
        steps = sorted({0.0, *seen.step})
        axes.set_xticks([100 * step for step in steps], [_signed(100 * step) for step in steps])
        axes.set_ylim(0, top)
        names, colours = [CUTS[each][0].replace(" ", "\n") for each in lines], [CUTS[each][1] for each in lines]
        name_ends(axes, tips, names, colours, 0.16 * top)
        axes.set_xlabel("cut moved up by this share of customers\n(percentage points)")
        axes.set_ylabel("customers who change class (%)")
        return figure

    told = "; ".join(
        f"{CUTS[each][0]} "
        + ", ".join(f"{percent(line.changed)} at {_signed(100 * line.step)}" for line in rows.itertuples())
        for each, rows in lines.items()
    )
    alt = f"Lines of the share of customers who change class where a cut moves, in percentage points: {told}."
    columns = {
        "value": Column("Cut of", names={each: words for each, (words, *_) in CUTS.items()}),
        "step": Column("Moved up by", digits=0, percent=True),
        "changed": Column("Customers who change class", digits=1, percent=True),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns))


def _signed(value: float) -> str:
    digits = 0 if np.isclose(value, round(value)) else 1
    return f"{'+' if value > 0 else ''}{number(value, digits)}"
