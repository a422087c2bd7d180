"""What is important, by what respondents say and by what their answers show: scatters with intervals."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Figure, number
from helpers.models.kano.importance import GAPS

from ...drawing import INK, RULE, ZERO, known_columns, nothing, rows_seen
from ..letters import COLOURS, WORDS
from .parts import REQUIREMENT, counted, sentences
from .planes import (
    LEFT,
    PAGE,
    QUADRANTS,
    RIGHT,
    Plane,
    axis_words,
    english_with_names,
    head_room,
    letter_size,
    new_planes,
    with_names,
)

FEWEST_PARTED = 3  # requirements: the mean of two always lies between them
GAP_WORDS = dict(
    zip(GAPS, ("hidden (shown, not said)", "overstated (said, not shown)", "both high", "both low"), strict=True)
)
# Where the quadrants of stated (to the right) and derived importance (upwards) have their corner.
GAP_QUADRANTS = {
    (0, 1): (GAP_WORDS["hidden"], "C3"),
    (1, 1): (GAP_WORDS["both_high"], "white"),
    (0, 0): (GAP_WORDS["both_low"], "white"),
    (1, 0): (GAP_WORDS["overstated"], "C4"),
}
HIGH = 4.4  # inches of the plane


def _with_interval(name: str, label: str) -> dict[str, Column]:
    return {
        name: Column(label, digits=2),
        f"{name}_low": Column(f"{label}, 95 % low", digits=2),
        f"{name}_high": Column(f"{label}, 95 % high", digits=2),
    }


def _ends(seen: pd.DataFrame, across: str, up: str) -> list[np.ndarray]:
    """Return points and the lower and the higher ends of their intervals, each of shape (requirements, 2)."""
    return [seen[[f"{across}{end}", f"{up}{end}"]].to_numpy(float) for end in ("", "_low", "_high")]


def _corners(ends: list[np.ndarray]) -> np.ndarray:
    """Return the lower left and the upper right corner of what is drawn, a little beyond it."""
    found = np.concatenate(ends)
    low, high = np.nanmin(found, axis=0), np.nanmax(found, axis=0)
    pad = 0.1 * np.where(high > low, high - low, 1)
    return np.array([low - pad, high + pad])


def stated_importance(frame: pd.DataFrame, english: Mapping[str, str]) -> Figure:
    """Draw the importance that answers show over the importance that respondents state, parted at the means of both.

    Of fewer than three requirements the quadrants are not drawn.

    Parameters
    ----------
    frame : pandas.DataFrame
        requirement, stated, stated_low, stated_high (on the survey's scale), derived, derived_low, derived_high
        (Better - Worse, 0 to 2), gap (one of `helpers.models.kano.importance.GAPS`; empty where there is none).
    english : mapping of str to str
    """
    name, seen = "stated_importance", rows_seen(frame, "stated", "derived")
    if seen.empty:
        return nothing(name, "Stated and derived importance are not both known for any requirement.", frame)
    ends = _ends(seen, "stated", "derived")
    inner = _corners(ends)
    margin = np.array([0, np.ptp(inner[:, 1]) * head_room(HIGH)])
    # the means are of all that is known, as in the verdicts, though a requirement may lack one of both
    cut = frame[["stated", "derived"]].astype(float).mean().to_numpy() if len(seen) >= FEWEST_PARTED else None

    def draw(names, key):
        figure, (plane,) = new_planes([""], inner[0] - margin, inner[1] + margin, high=HIGH, key=key)
        taken = [] if cut is None else [plane.quadrants(cut, *inner, GAP_QUADRANTS)]
        taken.append(plane.crosses(*ends, RULE))
        plane.axes.plot(*ends[0].T, "o", color=INK, markersize=6, zorder=3)
        meet = plane.name(ends[0], names, np.concatenate(taken), letter_size(len(names)), cut, alone=True)
        parted = "" if cut is None else "\n(lines: the means of the requirements)"
        across = f"stated importance, on the scale of the survey, with 95 % interval{parted}"
        axis_words(figure, across, "derived importance: Better \N{MINUS SIGN} Worse (0 to 2)", key)
        return figure, meet

    most = [seen.loc[seen[each].idxmax()] for each in ("stated", "derived")]
    parted = "" if cut is None else f", parted at the means, {number(cut[1], 2)} and {number(cut[0], 2)}"
    verdicts = {words: seen.requirement[seen.gap == gap] for gap, words in GAP_WORDS.items() if cut is not None}
    alt = (
        f"Scatter of {counted(len(seen))}: derived importance (Better \N{MINUS SIGN} Worse) upwards, stated importance "
        f"to the right, with 95 % intervals{parted}. Most important by what is said: {most[0].requirement} "
        f"({number(most[0].stated, 2)}); by what is shown: {most[1].requirement} ({number(most[1].derived, 2)}). "
    ) + sentences(verdicts)
    columns = REQUIREMENT | _with_interval("stated", "Stated importance")
    columns |= _with_interval("derived", "Derived importance") | {"gap": Column("Reading", names=GAP_WORDS)}
    draw_named, known = partial(with_names, draw, seen.requirement), english_with_names(seen.requirement, english)
    return Figure(name, draw_named, alt.strip(), frame, known_columns(frame, columns), known)


def analytical(
    frame: pd.DataFrame,
    english: Mapping[str, str],
    least_importance: float = 0.5,
    must_be_below: float = 30.0,
    attractive_above: float = 60.0,
) -> Figure:
    """Draw requirements as vectors whose length is importance and whose angle is the class (Xu et al. 2009).

    Parameters
    ----------
    frame : pandas.DataFrame
        requirement, functional, functional_low, functional_high, dysfunctional, dysfunctional_low, dysfunctional_high
        (mean scores, -0.5 to 1), kind (letter of the class).
    english : mapping of str to str
    least_importance, must_be_below, attractive_above : float
        Length up to which a requirement is indifferent; angles in degrees that part the other classes.
    """
    name, seen = "analytical", rows_seen(frame, "functional", "dysfunctional")
    if seen.empty:
        return nothing(name, "No requirement has answers that could be scored.", frame)
    ends, angles = _ends(seen, "dysfunctional", "functional"), (must_be_below, attractive_above)
    inner = np.array([min(0.0, _corners(ends)[0].min()), max(1.0, _corners(ends)[1].max())])  # of both coordinates

    def draw(names, key):
        wide = PAGE - LEFT - RIGHT
        margin = np.array([0, np.ptp(inner) * 0.28 / wide])
        # angles are seen as they are only where both directions have the same scale
        figure, (plane,) = new_planes([""], inner[0] - margin, inner[1] + margin, high=wide + 0.56, key=key)
        taken = [_regions(plane, inner, least_importance, angles), plane.crosses(*ends, RULE)]
        plane.axes.plot(*ends[0].T, "o", color=INK, markersize=6, zorder=3)
        meet = plane.name(ends[0], names, np.concatenate(taken), letter_size(len(names)), alone=True)
        across = "mean score where it is missing (dysfunctional), with 95 % interval"
        lines = f"(arc: importance {least_importance:g}; rays: {must_be_below:g} and {attractive_above:g} degrees)"
        axis_words(figure, f"{across}\n{lines}", "mean score where it is there (functional)", key)
        return figure, meet

    length = np.hypot(seen.functional, seen.dysfunctional)
    far, near = (seen.requirement[place] for place in (length.idxmax(), length.idxmin()))
    extremes = f" The longest vector is that of {far} ({number(length.max(), 2)})"
    extremes += f", the shortest that of {near} ({number(length.min(), 2)})" if len(seen) > 1 else ""
    alt = (
        f"Scatter of the mean scores of {counted(len(seen))}: functional upwards, dysfunctional to the right, with "
        f"95 % intervals; indifferent within {least_importance:g} of the origin, beyond it must-be below "
        f"{must_be_below:g} degrees, attractive above {attractive_above:g}.{extremes}. "
    ) + sentences({word: seen.requirement[seen.kind == letter] for letter, word in WORDS.items()})
    columns = REQUIREMENT | _with_interval("functional", "Functional score")
    columns |= _with_interval("dysfunctional", "Dysfunctional score") | {"kind": Column("Class", names=WORDS)}
    draw_named, known = partial(with_names, draw, seen.requirement), english_with_names(seen.requirement, english)
    return Figure(name, draw_named, alt.strip(), frame, known_columns(frame, columns), known)


def _regions(plane: Plane, inner: np.ndarray, least: float, angles: tuple[float, float]) -> np.ndarray:
    """Tint the regions about the origin, name them at the corners, and return the places that this takes."""
    from matplotlib.patches import Circle, Rectangle, Wedge

    (low, high), reach = inner, 2 * np.abs(inner).sum()
    square = Rectangle((low, low), high - low, high - low, transform=plane.axes.transData)
    parts = {"R": (135, 315), "M": (-45, angles[0]), "O": angles, "A": (angles[1], 135)}  # as in models.kano.analytical
    patches = {letter: Wedge((0, 0), reach, *part, width=reach - least) for letter, part in parts.items()}
    for letter, patch in (patches | {"I": Circle((0, 0), least)}).items():
        patch.set(color=COLOURS[letter], alpha=0.07, linewidth=0)
        plane.axes.add_patch(patch).set_clip_path(square)
    words = {corner: text for corner, (text, _) in QUADRANTS.items()}
    taken = []
    if np.hypot(low, low) > least:  # the corner lies beyond what is indifferent
        taken.append(plane.head(words[0, 0], 0, 0, 0, 0))
        words[0, 0] = f"R {WORDS['R']}"
    taken += [plane.head(text, inner[right], inner[top], right, top) for (right, top), text in words.items()]
    turn, steps = np.radians(np.linspace(0, 360, 361)), np.linspace(least, reach, 200)
    lines = [least * np.array([np.cos(turn), np.sin(turn)])]
    lines += [steps * np.array([[np.cos(ray)], [np.sin(ray)]]) for ray in np.radians(angles)]
    for line in lines:
        inside = ((line >= low) & (line <= high)).all(axis=0)
        taken.append(plane.rule(*np.where(inside, line, np.nan))[inside])
    if low < 0:
        through = np.linspace(low, high, 60)
        taken += [plane.rule(*line, color=ZERO, linestyle="-") for line in ((through, 0), (0, through))]
    return np.concatenate(taken)
