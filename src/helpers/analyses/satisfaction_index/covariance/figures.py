"""The figure of the covariance model: what goes with satisfaction by it and by PLS."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Figure, between, number

from ...drawing import WIDTH, english_of, known_columns, new_axes, nothing, row_axes, row_height, rows_seen, written

FURTHEST = 1.25  # standard deviations drawn; an effect beyond 1 is none that can be
METHODS = {"pls": ("PLS", "C0", -0.17), "ml": ("covariance model", "C1", 0.17)}


def agreement(frame: pd.DataFrame, target: str, english: Mapping[str, str], label: str) -> Figure:
    """Draw the total effects on satisfaction by both methods, with their intervals.

    Parameters
    ----------
    frame : pandas.DataFrame
        label, pls, pls_low, pls_high, ml, ml_low, ml_high: one row a construct.
    target : str
        How satisfaction reads.
    english : mapping of str to str
    label : str
        What must stand on the figure.
    """
    name, seen = "agreement", rows_seen(frame, "pls", "ml")
    if seen.empty:
        return nothing(name, "There is no covariance model to be compared.", frame)
    names = [written(text) for text in seen.label]

    def draw():
        figure, axes = new_axes(WIDTH, 1.3 + row_height(names, 0.55) * len(names))
        row_axes(names, axes)
        for method, (said, colour, away) in METHODS.items():
            for row, line in enumerate(seen.itertuples()):
                _effect(axes, row + away, *(getattr(line, f"{method}{end}") for end in ("", "_low", "_high")), colour)
            axes.plot([], [], "o", color=colour, markersize=7, label=said)
        axes.axvline(0, color="#8C8C8C", linewidth=1)
        axes.set_xlim(*_ends(seen))
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.3)
        axes.set_xlabel(f"standard deviations of {written(target, 30, 1)}\nfor one of the construct, 95 % interval")
        return figure

    told = "; ".join(
        f"{line.label}: {number(line.pls, 2)} by PLS ({between(line.pls_low, line.pls_high, 2)}), {number(line.ml, 2)} "
        f"by the covariance model ({between(line.ml_low, line.ml_high, 2)})"
        for line in seen.itertuples()
    )
    alt = f"Total effects on {target} by two methods. {told}."
    columns = {
        "label": Column("Construct"),
        **{
            f"{method}{end}": Column(f"{said}{words}", "standard deviations", 3)
            for method, (said, _, _) in METHODS.items()
            for end, words in (("", ""), ("_low", ", 95 % low"), ("_high", ", 95 % high"))
        },
    }
    texts = english_of(seen.label, english) | english_of([target], english, 30, 1)
    return Figure(name, draw, alt, frame, known_columns(frame, columns), texts, label=label)


def _ends(seen: pd.DataFrame) -> tuple[float, float]:
    """Return the ends of the axis: what can be, and no more than `FURTHEST`."""
    values = seen[[f"{method}{end}" for method in METHODS for end in ("", "_low", "_high")]].to_numpy(float)
    return max(min(np.nanmin(values), 0.0) - 0.05, -FURTHEST), min(max(np.nanmax(values), 0.5) + 0.05, FURTHEST)


def _effect(axes, row: float, value: float, low: float, high: float, colour: str) -> None:
    """Draw an effect with its interval; an arrow where it lies beyond what is drawn, with the number."""
    axes.hlines(row, np.clip(low, -FURTHEST, FURTHEST), np.clip(high, -FURTHEST, FURTHEST), color=colour, alpha=0.55)
    if abs(value) <= FURTHEST:
        axes.plot(value, row, "o", color=colour, markersize=7)
        return
    side = np.sign(value)
    axes.plot(side * 0.97 * FURTHEST, row, ">" if side > 0 else "<", color=colour, markersize=8)
    look = {"ha": "right" if side > 0 else "left", "va": "center", "fontsize": 9.5}
    axes.annotate(number(value, 2), (side * 0.93 * FURTHEST, row), (0, 9), textcoords="offset points", **look)
