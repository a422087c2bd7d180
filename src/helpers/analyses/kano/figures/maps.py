"""Maps of requirements: each a point with its uncertainty, in a plane whose regions say what it is."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Figure, number

from ...drawing import INK, ZERO, known_columns, nothing, rows_seen
from ..letters import WORDS
from .parts import COEFFICIENTS, REQUIREMENT, counted, sentences
from .planes import (
    BETTER_WORDS,
    CORNERS,
    WORSE_WORDS,
    axis_words,
    english_with_names,
    letter_size,
    new_planes,
    parted_at,
    unit_planes,
    with_names,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PLACES = {"A": "top left", "O": "top right", "I": "bottom left", "M": "bottom right"}
IMPORTANCE = {"importance": Column("Self-stated importance", digits=2)}
MIDDLE = 2.0  # of the continuous scores


def _areas(importance: pd.Series) -> np.ndarray:
    """Return the sizes of dots by importance; the smallest where it is not known."""
    least, most = importance.min(), importance.max()
    share = (importance - least) / ((most - least) or 1)
    return (25 + 85 * share.astype(float)).fillna(25).to_numpy()


def _dots(axes: Axes, x, y, importance: pd.Series) -> None:
    """Draw dots, larger with importance; hollow where only that of others is known."""
    hollow = importance.isna() & importance.notna().any()
    axes.scatter(x, y, s=_areas(importance), c=np.where(hollow, "white", INK), edgecolors=INK, linewidths=1, zorder=3)


def _size_words(importance: pd.Series) -> str:
    if importance.isna().all():
        return ""
    least, most = number(importance.min(), 1), number(importance.max(), 1)
    hollow = "; hollow: not known" if importance.isna().any() else ""
    return f"\n(dots: larger with stated importance, {least} to {most}{hollow})"


def _importance(seen: pd.DataFrame) -> pd.Series:
    return seen.get("importance", pd.Series(np.nan, seen.index)).astype(float)


def _by_quadrant(seen: pd.DataFrame, right, top) -> str:
    """Say which requirements lie in which quadrant."""
    return sentences(
        {
            f"{WORDS[letter]} ({PLACES[letter]})": seen.requirement[(right == bool(is_right)) & (top == bool(is_top))]
            for letter, (is_right, is_top) in CORNERS.items()
        }
    )


def better_worse(
    frame: pd.DataFrame,
    ellipses: pd.DataFrame,
    english: Mapping[str, str],
    better_cut: float = 0.5,
    worse_cut: float = 0.5,
) -> Figure:
    """Draw what requirements gain (Better) over what their lack loses (|Worse|), with joint 95 % regions.

    Parameters
    ----------
    frame : pandas.DataFrame
        requirement, better (0 to 1), worse (-1 to 0), importance (nan where unknown; the column may be missing).
    ellipses : pandas.DataFrame
        requirement, better, worse: the points of each outline, in order.
    english : mapping of str to str
    better_cut, worse_cut : float
        Where the quadrants part; the second with or without its sign.
    """
    name, seen = "better_worse", rows_seen(frame, "better", "worse")
    if seen.empty:
        return nothing(name, "Better and Worse are not defined for any requirement.", frame)
    cut, importance = np.array([abs(worse_cut), better_cut]), _importance(seen)
    outlines = rows_seen(ellipses, "better", "worse")
    parts = dict(iter(outlines.groupby("requirement"))) if len(outlines) else {}
    regions = {
        each: np.column_stack([-parts[each].worse, parts[each].better]) for each in seen.requirement if each in parts
    }

    def draw(names, key):
        figure, (plane,) = unit_planes([""], key=key)
        taken = plane.quadrants(cut, 0, 1)
        for outline in regions.values():
            plane.axes.fill(*outline.T, facecolor=INK, alpha=0.07, linewidth=0, zorder=1.5)
            plane.axes.plot(*outline.T, color=ZERO, alpha=0.6, linewidth=0.9, zorder=1.5)
        points = np.column_stack([-seen.worse, seen.better])
        _dots(plane.axes, *points.T, importance)
        meet = plane.name(points, names, taken, letter_size(len(names)), cut)
        axis_words(figure, WORSE_WORDS + _size_words(importance), BETTER_WORDS, key)
        return figure, meet

    crossing = [each for each, outline in regions.items() if _parted(outline >= cut)]
    alt = (
        f"Map of {counted(len(seen))}: Better upwards, the size of Worse to the right, with joint 95 % regions; "
        f"{parted_at(cut)}. "
        f"{_by_quadrant(seen, -seen.worse >= cut[0], seen.better >= cut[1])} "
        + sentences({"the region crosses a parting line": crossing})
    )
    columns = REQUIREMENT | COEFFICIENTS | IMPORTANCE
    return Figure(
        name,
        partial(with_names, draw, seen.requirement),
        alt.strip(),
        frame,
        known_columns(frame, columns),
        english_with_names(seen.requirement, english),
    )


def _parted(beyond: np.ndarray) -> bool:
    """Return whether some points lie on the one and some on the other side of any of the lines."""
    return bool((beyond.any(axis=0) & ~beyond.all(axis=0)).any())


def continuous(frame: pd.DataFrame, english: Mapping[str, str]) -> Figure:
    """Draw the mean functional over the mean dysfunctional score of each requirement (DuMouchel in Berger et al. 1993).

    Parameters
    ----------
    frame : pandas.DataFrame
        requirement, functional, dysfunctional (-2 to 4), functional_se, dysfunctional_se, importance (nan where
        unknown; the column may be missing).
    english : mapping of str to str
    """
    name, seen = "continuous", rows_seen(frame, "functional", "dysfunctional")
    if seen.empty:
        return nothing(name, "No requirement has answers that could be scored.", frame)
    importance = _importance(seen)
    points = seen[["dysfunctional", "functional"]].to_numpy(float)
    halves = 1.96 * seen[["dysfunctional_se", "functional_se"]].to_numpy(float)
    # scores below 0 are rare: without them the quadrants have the room
    low = -2.1 if np.nanmin(points - np.nan_to_num(halves)) < 0 else -0.5

    def draw(names, key):
        figure, (plane,) = new_planes([""], (low, low), (4.1, 4.4), key=key)
        taken = [plane.quadrants((MIDDLE, MIDDLE), 0, 4)]
        plane.axes.axhline(0, color=ZERO, linewidth=1, zorder=1)
        plane.axes.axvline(0, color=ZERO, linewidth=1, zorder=1)
        crosses = plane.crosses(points, points - halves, points + halves)
        _dots(plane.axes, *points.T, importance)
        along = np.linspace(low, 4, 90)
        taken += [np.column_stack([along, 0 * along]), np.column_stack([0 * along, along]), crosses]
        meet = plane.name(points, names, np.concatenate(taken), letter_size(len(names)))
        where = "mean score where it is missing (dysfunctional), with 95 % interval"
        axis_words(figure, where + _size_words(importance), "mean score where it is there (functional)", key)
        return figure, meet

    below = seen.requirement[(points < 0).any(axis=1)]
    alt = (
        f"Scatter of the mean scores of {counted(len(seen))}, from \N{MINUS SIGN}2 to 4: functional upwards, "
        f"dysfunctional to the right, with 95 % intervals; parted at {MIDDLE:g}. "
        f"{_by_quadrant(seen, points[:, 0] >= MIDDLE, points[:, 1] >= MIDDLE)} "
        + sentences({"below 0, as of many reverse or questionable answers": below})
    )
    columns = REQUIREMENT | {
        "functional": Column("Functional score", digits=2),
        "functional_se": Column("Its standard error", digits=3),
        "dysfunctional": Column("Dysfunctional score", digits=2),
        "dysfunctional_se": Column("Its standard error", digits=3),
        **IMPORTANCE,
    }
    return Figure(
        name,
        partial(with_names, draw, seen.requirement),
        alt.strip(),
        frame,
        known_columns(frame, columns),
        english_with_names(seen.requirement, english),
    )
