"""The path diagram: which construct acts on which, and how strongly."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Figure, between, number

from ..drawing import INK, RULE, WIDTH, ZERO, english_of, nothing, placed_axes, written
from .path_layout import BOX, lay_out

RAISES, LOWERS = {"color": "C0", "linestyle": "-"}, {"color": "C1", "linestyle": "-"}
UNCERTAIN = {"color": RULE, "linestyle": (0, (4, 2.5))}
THINNEST, THICKEST = 1.0, 6.0  # points; the thickest is an effect of 1
MARGIN, LINE, KEY_LINE = 0.08, 0.165, 0.2  # inches: around the diagram, from line to line in a box and in the key
BREADTH, LINES = 13, 3  # of a name in a box: Latin letters in a line, and lines
MOST_DRAWN = 20  # constructs; a search among more takes long, and nobody could read it
MOST_NAMED = 3  # arrows that a sentence names


def path_diagram(constructs: pd.DataFrame, paths: pd.DataFrame, english: Mapping[str, str]) -> Figure:
    """Draw a path model: a box for each construct, an arrow for each path with its estimate.

    Parameters
    ----------
    constructs : pandas.DataFrame
        construct, label, index (0 to 100), r_squared (missing for what nothing acts on), items (how many).
    paths : pandas.DataFrame
        source, target (constructs), estimate, low, high (standardised), supported (by the test of its
        direction; not drawn). Without cycles.
    english : mapping of str to str
        Labels in Latin letters, for where no font has theirs.
    """
    name = "path_diagram"
    if constructs.empty:
        return nothing(name, "There is no path model to draw.", paths)
    if len(constructs) > MOST_DRAWN:
        why = f"A model of {len(constructs)} constructs cannot be drawn so that it is legible: see the table of paths."
        return nothing(name, why, paths)
    places = {construct: place for place, construct in enumerate(constructs.construct)}
    ends = np.array([paths.source.map(places), paths.target.map(places)], dtype=int).T

    def draw():
        layout, key = lay_out(len(constructs), ends), _key(paths)
        below = KEY_LINE * (len(key) + 1) + 2 * MARGIN
        width, height = max(layout.size[0] + 2 * MARGIN, WIDTH), layout.size[1] + below + MARGIN
        figure, axes = placed_axes(width, height, (0, 0, width, height))
        axes.set(xlim=(0, width), ylim=(0, height))
        axes.set_axis_off()
        corner = np.array([(width - layout.size[0]) / 2, below])
        for line, arrow in zip(paths.itertuples(), layout.arrows, strict=True):
            _draw_arrow(axes, line, arrow.curve + corner)
            _draw_number(axes, line, arrow.number + corner)
        for line, box in zip(constructs.itertuples(), layout.boxes, strict=True):
            _draw_box(axes, line, box + corner)
        _draw_key(axes, key, below - 2 * MARGIN)
        return figure

    columns = {
        "source": Column("From"),
        "target": Column("To"),
        "estimate": Column("Path coefficient", "standardised", 3),
        "low": Column("From", "standardised", 3),
        "high": Column("To", "standardised", 3),
        "supported": Column("Supported by its test"),
    }
    english = english_of(constructs.label, english, BREADTH, LINES)
    return Figure(name, draw, _said(constructs, paths), paths, columns, english)


def _look(line) -> dict[str, object]:
    """Return colour and line of an arrow by what its interval says."""
    if line.low > 0:
        return RAISES
    return LOWERS if line.high < 0 else UNCERTAIN


def _draw_arrow(axes, line, curve: np.ndarray) -> None:
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    strength = min(abs(line.estimate), 1.0) if np.isfinite(line.estimate) else 0.0
    width, look = THINNEST + strength * (THICKEST - THINNEST), _look(line)
    forward = (curve[2] - curve[1]) / np.hypot(*(curve[2] - curve[1]))
    aside = np.array([-forward[1], forward[0]])
    head = 0.09 + 0.026 * width  # inches
    neck = curve[2] - 0.6 * head * forward  # the head would not be pointed if the line ran on to its tip
    shaft = Path([curve[0], curve[1], neck], [Path.MOVETO, Path.CURVE3, Path.CURVE3])
    axes.add_patch(FancyArrowPatch(path=shaft, arrowstyle="-", linewidth=width, capstyle="butt", zorder=2, **look))
    base = curve[2] - head * forward
    corners = np.stack([curve[2], base + 0.48 * head * aside, base - 0.48 * head * aside])
    axes.fill(*corners.T, color=look["color"], linewidth=0, zorder=2)


def _draw_number(axes, line, place: np.ndarray) -> None:
    backing = {"boxstyle": "square,pad=0.12", "facecolor": "white", "edgecolor": "none"}
    certain = _look(line) is not UNCERTAIN
    shown = {"color": INK if certain else ZERO, "weight": "bold" if certain else "normal"}
    axes.text(*place, number(line.estimate, 2), fontsize=10, ha="center", va="center", bbox=backing, zorder=3, **shown)


def _draw_box(axes, line, centre: np.ndarray) -> None:
    from matplotlib.patches import FancyBboxPatch

    shape = {"boxstyle": "round,pad=0,rounding_size=0.07", "facecolor": "#EEF4F9", "edgecolor": RULE, "linewidth": 1}
    axes.add_patch(FancyBboxPatch(centre - BOX / 2, *BOX, zorder=4, **shape))
    name = written(line.label, BREADTH, LINES)
    height = LINE * (name.count("\n") + 1)
    top = centre[1] + (height + LINE) / 2
    shown = {"ha": "center", "va": "center", "zorder": 5}
    axes.text(centre[0], top - height / 2, name, fontsize=10, weight="bold", color=INK, linespacing=1.1, **shown)
    explained = f"   R² {number(line.r_squared, 2)}" if np.isfinite(line.r_squared) else ""
    axes.text(centre[0], top - height - LINE / 2, f"{number(line.index, 1)}{explained}", color=ZERO, **shown)


def _key(paths: pd.DataFrame) -> list[tuple[dict[str, object], str]]:
    """Return the kinds of arrows that are drawn, with their meaning."""
    words = (
        (RAISES, "raises: the 95 % interval lies above 0"),
        (LOWERS, "lowers: the 95 % interval lies below 0"),
        (UNCERTAIN, "cannot be told from 0: the 95 % interval includes it"),
    )
    drawn = [_look(line) for line in paths.itertuples()]
    return [(look, meaning) for look, meaning in words if look in drawn]


def _draw_key(axes, key: list[tuple[dict[str, object], str]], top: float) -> None:
    """Say below the diagram what boxes and arrows mean."""
    quiet = {"fontsize": 9, "color": ZERO, "va": "center"}
    meaning = "In a box: its index, 0 to 100, and R², the share that the arrows into it explain."
    axes.text(MARGIN, top, meaning, **quiet)
    for row, (look, words) in enumerate(key, 1):
        height = top - KEY_LINE * row
        axes.plot([MARGIN, MARGIN + 0.35], [height, height], linewidth=2.5, **look)
        axes.text(MARGIN + 0.45, height, words, **quiet)


def _said(constructs: pd.DataFrame, paths: pd.DataFrame) -> str:
    """Say which arrows are the strongest, which lie below 0, and which cannot be told from it."""
    labels = dict(zip(constructs.construct, constructs.label, strict=True))

    def named(lines: pd.DataFrame) -> str:
        return "; ".join(f"{labels[line.source]} to {labels[line.target]}" for line in lines.itertuples())

    seen = paths[np.isfinite(paths.estimate.astype(float))]
    certain = (seen.low > 0) | (seen.high < 0)
    strongest = seen.loc[seen.estimate.abs().sort_values(ascending=False, kind="stable").index[:MOST_NAMED]]
    told = "; ".join(
        f"{labels[line.source]} to {labels[line.target]} {number(line.estimate, 2)} ({between(line.low, line.high, 2)})"
        for line in strongest.itertuples()
    )
    alt = f"Path diagram of {len(constructs)} constructs and {len(paths)} arrows. "
    alt += f"The strongest: {told}. " if told else "None of them could be estimated. "
    alt += f"Below 0: {named(seen[seen.high < 0])}. " if (seen.high < 0).any() else ""
    alt += f"Not to be told from 0: {named(seen[~certain])}. " if not certain.all() else ""
    return alt.strip()
