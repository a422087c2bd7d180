"""Figures with a row for each requirement: bars, and dots with intervals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.exhibits import DASH, Column, Figure, between, number, percent

from ...drawing import (
    INK,
    RULE,
    WIDTH,
    ZERO,
    across,
    end_rows,
    english_of,
    known_columns,
    new_axes,
    nothing,
    panels,
    row_axes,
    row_height,
    rows_seen,
    written,
)
from ..letters import COLOURS, ORDER, WORDS
from .parts import PEOPLE, REQUIREMENT, counted, joined, legend, sentences

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LIGHT = "IR"  # colours on which dark letters are read
PALE = 0.3  # opacity of what is not clear
WRITTEN_SHARE = 0.08  # from which on it fits into its part of the bar
INTERVAL = {"low": Column("95 % low", digits=3), "high": Column("95 % high", digits=3)}


def _verdict(verdict: str) -> str:
    """Return a verdict as it stands beside its bar: a class with its word, anything else as it is."""
    return f"{verdict} {WORDS[verdict]}" if verdict in WORDS else str(verdict)


def categories(frame: pd.DataFrame, english: Mapping[str, str]) -> Figure:
    """Draw how the answers to each requirement part into the classes; requirements without a clear class are pale.

    Parameters
    ----------
    frame : pandas.DataFrame
        requirement, A, O, M, I, R, Q (shares, 0 to 1), verdict (a letter, letters such as "A/I" for a tie, or "not
        clear"), clear (bool), n (pairs of answers); drawn in the given order.
    english : mapping of str to str
    """
    name, seen = "categories", rows_seen(frame, *ORDER)
    if seen.empty:
        return nothing(name, "No requirement has answers that could be classed.", frame)
    names = [written(each) for each in seen.requirement]
    sizes = number(seen.n.min()) if seen.n.nunique() == 1 else f"{number(seen.n.min())} to {number(seen.n.max())}"

    def draw():
        figure, axes = new_axes(WIDTH, 1.3 + row_height(names, 0.38) * len(names))
        legend(axes, ORDER)
        opacity = np.where(seen.clear, 1.0, PALE)
        reached = np.zeros(len(seen))
        for letter in ORDER:
            share = 100 * seen[letter].to_numpy()
            bars = axes.barh(range(len(seen)), share, left=reached, height=0.7, color=COLOURS[letter])
            for bar, strength in zip(bars, opacity, strict=True):
                bar.set(alpha=strength, edgecolor="white", linewidth=0.8)
            write(axes, letter, reached, share)
            reached += share
        row_axes(names, axes)
        axes.set_xlim(0, 100)
        axes.set_xlabel(f"share of answers (%); answers to each requirement: {sizes}")
        end_rows(axes, [_verdict(each) for each in seen.verdict])
        return figure

    def write(axes, letter, reached, share):
        for row, clear in enumerate(seen.clear):
            if share[row] >= 100 * WRITTEN_SHARE:
                colour = INK if letter in LIGHT or not clear else "white"
                style = {"ha": "center", "va": "center", "fontsize": 9, "color": colour}
                axes.text(reached[row] + share[row] / 2, row, number(share[row]), **style)

    clear = seen[seen.clear.astype(bool)]
    told = sentences({_verdict(each): clear.requirement[clear.verdict == each] for each in clear.verdict.unique()})
    unclear = [f"{line.requirement} ({_leading(line)})" for line in seen[~seen.clear.astype(bool)].itertuples()]
    alt = (
        f"Stacked bars of the classes that the answers to {counted(len(seen))} fall into ({sizes} answers each). "
        f"{told} " + sentences({"not clear": unclear})
    )
    columns = REQUIREMENT | {letter: Column(WORDS[letter], digits=1, percent=True) for letter in ORDER}
    columns |= {"verdict": Column("Class", names=WORDS), "clear": Column("Clear"), "n": PEOPLE}
    return Figure(name, draw, alt.strip(), frame, known_columns(frame, columns), english_of(seen.requirement, english))


def _leading(line) -> str:
    """Say which two classes lead, with their shares."""
    first, second = sorted(ORDER, key=lambda letter: -getattr(line, letter))[:2]
    return f"{first} {percent(getattr(line, first), 0)}, {second} {percent(getattr(line, second), 0)}"


def asymmetry(frame: pd.DataFrame, english: Mapping[str, str]) -> Figure:
    """Draw what the class of each requirement says is nothing, against the margin within which it counts as nothing.

    Parameters
    ----------
    frame : pandas.DataFrame
        requirement, claim (what should be 0, in a few words), value, low, high, margin, verdict (as it is to be read).
    english : mapping of str to str
    """
    name, seen = "asymmetry", rows_seen(frame, "value", "low", "high", "margin")
    if seen.empty:
        return nothing(name, "No requirement is of a class that claims something to be nothing.", frame)
    names = [f"{written(line.requirement, 26, 2)}:\n{written(line.claim, 30, 2)}" for line in seen.itertuples()]

    def draw():
        figure, axes = new_axes(WIDTH, 1.1 + row_height(names, 0.5) * len(names))
        axes.axvline(0, color=ZERO, linewidth=1, zorder=1)
        axes.barh(range(len(seen)), 2 * seen.margin, left=-seen.margin, height=1, color="C4", alpha=0.25, linewidth=0)
        axes.hlines(range(len(seen)), seen.low, seen.high, color=INK, linewidth=2, zorder=3)
        axes.plot(seen.value, range(len(seen)), "o", color=INK, markersize=6, zorder=3)
        row_axes(names, axes)
        axes.tick_params(axis="y", labelsize=9.5)
        ends = np.concatenate([seen.low, seen.high, seen.margin, -seen.margin])
        pad = 0.06 * np.ptp(ends)
        axes.set_xlim(ends.min() - pad, ends.max() + pad)
        axes.set_xlabel("what should be 0, with 95 % interval\n(shaded: so small that it counts as nothing)")
        end_rows(axes, [written(each, 14) for each in seen.verdict])
        return figure

    told = [
        f"{line.requirement}, {line.claim}: {number(line.value, 2)} ({between(line.low, line.high, 2)}), {line.verdict}"
        for line in seen.itertuples()
    ]
    margins = joined(number(margin, 2) for margin in sorted(seen.margin.unique()))
    alt = (
        f"Dots with intervals of what should be 0 for {counted(len(seen))}; less than {margins} counts as nothing. "
        f"{'; '.join(told)}."
    )
    columns = REQUIREMENT | {"claim": Column("What should be 0"), "value": Column("Value", digits=3)} | INTERVAL
    columns |= {"margin": Column("Counts as nothing up to", digits=2), "verdict": Column("Verdict")}
    return Figure(name, draw, alt, frame, known_columns(frame, columns), english_of(seen.requirement, english, 26, 2))


def decision(frame: pd.DataFrame, english: Mapping[str, str]) -> Figure:
    """Draw what fulfilling each requirement gains, must-be first, then by gain per cost; what is chosen is filled.

    Parameters
    ----------
    frame : pandas.DataFrame
        requirement, cost, gain, kind (letter of the class), chosen (bool), reason (in a few words).
    english : mapping of str to str
    """
    name, seen = "decision", rows_seen(frame, "cost", "gain")
    if seen.empty:
        return nothing(name, "No requirement has both a cost and a gain.", frame)
    each = seen.gain / seen.cost.where(seen.cost > 0)
    order = pd.DataFrame({"later": seen.kind != "M", "each": -each.fillna(np.inf)})
    seen = seen.loc[order.sort_values(["later", "each"], kind="stable").index]
    names = [f"{written(line.requirement, 22, 2)} ({line.kind or DASH})" for line in seen.itertuples()]
    notes = [" · ".join(filter(None, (_amount(line.cost), written(line.reason, 26, 2)))) for line in seen.itertuples()]

    def draw():
        figure, axes = new_axes(WIDTH, 1.3 + row_height([*names, *notes], 0.4) * len(names))
        legend(axes, [letter for letter in ORDER if (seen.kind == letter).any()])
        for row, line in enumerate(seen.itertuples()):
            colour = COLOURS.get(line.kind, RULE)
            axes.barh(row, line.gain, height=0.62, facecolor=colour if line.chosen else "white", edgecolor=colour)
        row_axes(names, axes)
        low, high = min(seen.gain.min(), 0), max(seen.gain.max(), 0)
        pad = 0.06 * ((high - low) or 1)
        axes.set_xlim(low - pad if low else 0, high + pad)
        if low:
            axes.axvline(0, color=ZERO, linewidth=1)
        axes.set_xlabel("gain of satisfaction\n(filled: chosen; to the right: cost, and why)")
        end_rows(axes, notes)
        return figure

    chosen = seen.chosen.astype(bool)
    alt = (
        f"Bars of what each of {counted(len(seen))} would gain, must-be first, then by gain per cost. "
        f"{chosen.sum()} chosen, at a cost of {_amount(seen.cost[chosen].sum())} of {_amount(seen.cost.sum())}. "
    ) + sentences({"chosen": seen.requirement[chosen], "left": seen.requirement[~chosen]})
    columns = REQUIREMENT | {
        "cost": Column("Cost", digits=2),
        "gain": Column("Gain of satisfaction", digits=3),
        "kind": Column("Class", names=WORDS),
        "chosen": Column("Chosen"),
        "reason": Column("Why"),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns), english_of(seen.requirement, english, 22, 2))


def choice(frame: pd.DataFrame, english: Mapping[str, str]) -> Figure:
    """Draw what it costs an offer to leave one requirement out, against a rival that has everything.

    Parameters
    ----------
    frame : pandas.DataFrame
        requirement, kind (letter of the class), and shares of all choices, 0 to 1: screened (lost because the offer is
        excluded), weighed (lost in the comparison), low, high (95 % interval of the sum of both), delight_lost (kept,
        but of customers who would have been delighted; nan where unknown); drawn by what is lost, the most on top.
    english : mapping of str to str
    """
    name, seen = "choice", rows_seen(frame, "screened", "weighed")
    if seen.empty:
        return nothing(name, "No choice between offers was simulated.", frame)
    seen = seen.assign(total=seen.screened + seen.weighed).sort_values("total", ascending=False, kind="stable")
    low, high = (seen[end].astype(float).fillna(seen.total) for end in ("low", "high"))
    delight = seen.delight_lost.astype(float)
    names = [f"{written(line.requirement, 22, 2)} ({line.kind or DASH})" for line in seen.itertuples()]
    rows, felt = range(len(seen)), bool(delight.notna().any())
    # both panels have the same scale, and room for the numbers
    # where nothing is lost the axis still has a length
    reach = np.array([120 * high.max() or 1.0, (130 * delight.max() or 1.0) if felt else 0.0])
    reach = np.maximum(reach, [0.5 * reach[1] or 1, 0.4 * reach[0]])

    def draw():
        ratios = reach[: 1 + felt]
        figure, grid = panels(
            1, len(ratios), 1.4 + row_height(names, 0.4) * len(names), sharey=True, width_ratios=ratios
        )
        for axes, end in zip(grid[0], reach, strict=False):
            axes.set_xlim(0, end)
            axes.tick_params(axis="y", length=0)
            axes.locator_params(axis="x", nbins=max(2, round(6 * end / reach.sum())))
            across(axes)
        lost(grid[0, 0])
        if felt:
            grid[0, 1].barh(rows, 100 * delight, height=0.62, color="C3")
            _write_beside(grid[0, 1], 100 * delight)
            grid[0, 1].set_xlabel("kept, but not\ndelighted (%)")
        row_axes(names, grid[0, 0])
        return figure

    def lost(axes):
        axes.barh(rows, 100 * seen.screened, height=0.62, color=ZERO, label="excluded")
        axes.barh(
            rows, 100 * seen.weighed, left=100 * seen.screened, height=0.62, color="C4", label="compared, not chosen"
        )
        for colour, width in (("white", 4), (INK, 1.6)):  # seen on dark and on light bars
            axes.hlines(rows, 100 * low, 100 * high, color=colour, linewidth=width, zorder=3)
        axes.plot(100 * seen.total, rows, "o", color="white", markeredgecolor=INK, markersize=6, zorder=4)
        _write_beside(axes, 100 * seen.total, 100 * high)
        axes.set_xlabel("choices lost (%),\nin all, with 95 % interval")
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), labelcolor=INK, handlelength=1, borderaxespad=0.3)

    alt = (
        f"Stacked bars of the choices that an offer loses to a rival that has everything, where it leaves out one of "
        f"{counted(len(seen))}. {_extremes(seen)}"
    )
    if felt:
        most = seen.loc[delight.idxmax()]
        alt += f" Most customers stay without being delighted if it lacks {most.requirement}: "
        alt += f"{percent(most.delight_lost)}."
    columns = REQUIREMENT | {
        "kind": Column("Class", names=WORDS),
        "screened": Column("Lost because excluded", digits=1, percent=True),
        "weighed": Column("Lost in the comparison", digits=1, percent=True),
        "low": Column("95 % low of both", digits=1, percent=True),
        "high": Column("95 % high of both", digits=1, percent=True),
        "delight_lost": Column("Kept, but not delighted", digits=1, percent=True),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns), english_of(seen.requirement, english, 22, 2))


def _extremes(seen: pd.DataFrame) -> str:
    """Say what is lost most and least, and what loses more by being excluded than in the comparison."""
    most, least = seen.iloc[0], seen.iloc[-1]
    told = (
        f"The most is lost without {most.requirement}: {percent(most.total)} "
        f"({between(most.low, most.high, 1, 100)}), of which {percent(most.screened)} because it is excluded."
    )
    told += f" The least without {least.requirement}: {percent(least.total)}." if len(seen) > 1 else ""
    return f"{told} {sentences({'mostly because excluded': seen.requirement[seen.screened > seen.weighed]})}".strip()


def _write_beside(axes: Axes, values: pd.Series, ends: pd.Series | None = None) -> None:
    """Write values to the right of their bars, or of where their intervals end."""
    for row, (value, end) in enumerate(zip(values, values if ends is None else np.fmax(values, ends), strict=True)):
        style = {"color": INK, "fontsize": 9.5, "va": "center", "textcoords": "offset points"}
        axes.annotate(number(value), (np.nan_to_num(end), row), (5, 0), **style)


def _amount(cost: float) -> str:
    return number(cost, 0 if float(cost).is_integer() else 2)
