"""The figures of the Kano report: frames of estimates in, pictures with their words out.

Every frame has a column `requirement` with the name that is drawn, in any script; `english` maps names to Latin
letters, for where no font has theirs. Rows that could not be estimated are left out. A class has one colour everywhere,
and its letter or word always stands beside: no figure is read by colour alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.exhibits import DASH, Column, Figure, between, number, percent
from helpers.models.kano.evaluation import ANSWERS, NAMES

from ..drawing import (
    INK,
    RULE,
    WIDTH,
    ZERO,
    apart,
    beside,
    english_of,
    known_columns,
    new_axes,
    nothing,
    panels,
    placed_axes,
    room_of,
    row_axes,
    row_height,
    rows_seen,
    written,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as MatplotlibFigure

ORDER = ("M", "O", "A", "I", "R", "Q")
WORDS = {letter: NAMES[letter].replace("_", "-") for letter in ORDER}
# Four of Okabe and Ito (2008) and two greys, which with any kind of colour vision are told from each other.
COLOURS = {"M": "#D55E00", "O": "#0072B2", "A": "#009E73", "I": "#B3B3B3", "R": "#E69F00", "Q": "#4D4D4D"}
LIGHT = "IR"  # colours on which dark letters are read
PALE = 0.3  # opacity of what is not clear
ANSWER_WORDS = [answer.replace("_b", "-b").replace("_", " ") for answer in ANSWERS]

# The quadrants, with |Worse| (or the dysfunctional score) to the right and Better (or the functional one) upwards
CORNERS = {"A": (0, 1), "O": (1, 1), "I": (0, 0), "M": (1, 0)}
PLACES = {"A": "top left", "O": "top right", "I": "bottom left", "M": "bottom right"}
WORSE_WORDS, BETTER_WORDS = "|Worse|: lost where it is missing", "Better: gained where it is there"

MOST_PANELS = 12
MOST_NAMES = 14  # beside points
MOST_ARROWS = 6  # in one panel
WRITTEN_SHARE = 0.08  # from which on it fits into its part of the bar
ENOUGH = 0.9  # of subsamples that name the same class
MIDDLE = 2.0  # of the continuous scores

REQUIREMENT = {"requirement": Column("Requirement")}
COEFFICIENTS = {"better": Column("Better", digits=3), "worse": Column("Worse", digits=3)}
IMPORTANCE = {"importance": Column("Self-stated importance", digits=2)}
INTERVAL = {"low": Column("95 % low", digits=3), "high": Column("95 % high", digits=3)}
PEOPLE = Column("Answers", "pairs", 0)


def _names(values: Iterable[object]) -> str:
    return ", ".join(map(str, values))


def _listed(parts: Mapping[str, Iterable[object]]) -> str:
    """Say what is in each part, in sentences; parts that hold nothing are left out."""
    found = {words: _names(names) for words, names in parts.items()}
    return " ".join(f"{words[0].upper()}{words[1:]}: {names}." for words, names in found.items() if names)


def _some(count: int, noun: str = "requirement") -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


# --- rows ----------------------------------------------------------------------------------------------


def _end_rows(axes: Axes, texts: Iterable[str], **style) -> None:
    """Write a text to the right of each row."""
    for row, text in enumerate(texts):
        look = {"color": INK, "fontsize": 9.5, "va": "center", "linespacing": 1.05} | style
        axes.text(1.02, row, text, transform=axes.get_yaxis_transform(), **look)


def _legend(axes: Axes, letters: Iterable[str], columns: int = 3) -> None:
    """Say above a figure which colour is which class."""
    from matplotlib.patches import Patch

    handles = [Patch(color=COLOURS[letter], label=f"{letter} {WORDS[letter]}") for letter in letters]
    shape = {"handlelength": 1, "handleheight": 1, "handletextpad": 0.5, "columnspacing": 1.2, "borderaxespad": 0.3}
    axes.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, labelcolor=INK, **shape)


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
        _legend(axes, ORDER)
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
        _end_rows(axes, [_verdict(each) for each in seen.verdict])
        return figure

    def write(axes, letter, reached, share):
        for row, clear in enumerate(seen.clear):
            if share[row] >= 100 * WRITTEN_SHARE:
                colour = INK if letter in LIGHT or not clear else "white"
                style = {"ha": "center", "va": "center", "fontsize": 9, "color": colour}
                axes.text(reached[row] + share[row] / 2, row, number(share[row]), **style)

    clear = seen[seen.clear.astype(bool)]
    told = _listed({_verdict(each): clear.requirement[clear.verdict == each] for each in clear.verdict.unique()})
    unclear = [f"{line.requirement} ({_leading(line)})" for line in seen[~seen.clear.astype(bool)].itertuples()]
    alt = (
        f"Stacked bars of the classes that the answers to {_some(len(seen))} fall into ({sizes} answers each). {told} "
        + _listed({"not clear": unclear})
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
        _end_rows(axes, [written(each, 14) for each in seen.verdict])
        return figure

    told = [
        f"{line.requirement}, {line.claim}: {number(line.value, 2)} ({between(line.low, line.high, 2)}), {line.verdict}"
        for line in seen.itertuples()
    ]
    margins = _names(number(margin, 2) for margin in sorted(seen.margin.unique()))
    alt = (
        f"Dots with intervals of what should be 0 for {_some(len(seen))}; less than {margins} counts as nothing. "
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
        _legend(axes, [letter for letter in ORDER if (seen.kind == letter).any()])
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
        _end_rows(axes, notes)
        return figure

    chosen = seen.chosen.astype(bool)
    alt = (
        f"Bars of what each of {_some(len(seen))} would gain, must-be first, then by gain per cost. "
        f"{chosen.sum()} chosen, at a cost of {_amount(seen.cost[chosen].sum())} of {_amount(seen.cost.sum())}. "
    ) + _listed({"chosen": seen.requirement[chosen], "left": seen.requirement[~chosen]})
    columns = REQUIREMENT | {
        "cost": Column("Cost", digits=2),
        "gain": Column("Gain of satisfaction", digits=3),
        "kind": Column("Class", names=WORDS),
        "chosen": Column("Chosen"),
        "reason": Column("Why"),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns), english_of(seen.requirement, english, 22, 2))


def _amount(cost: float) -> str:
    return number(cost, 0 if float(cost).is_integer() else 2)


# --- planes --------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Plane:
    """Axes whose place on the page is known before anything is drawn, so that names can be kept apart."""

    axes: Axes
    lower: np.ndarray
    upper: np.ndarray
    size: np.ndarray

    def inches(self, points) -> np.ndarray:
        return (np.asarray(points, dtype=float) - self.lower) / (self.upper - self.lower) * self.size

    def quadrants(self, cut, low: float, high: float) -> np.ndarray:
        """Tint the quadrants of a square and name them above and below it; return the places that this takes."""
        from matplotlib.patches import Rectangle

        ends, taken = np.array([(low, low), cut, (high, high)], dtype=float), []
        for letter, (right, top) in CORNERS.items():
            corner, size = ends[[right, top], [0, 1]], np.diff(ends, axis=0)[[right, top], [0, 1]]
            self.axes.add_patch(Rectangle(corner, *size, color=COLOURS[letter], alpha=0.07, linewidth=0))
            taken.append(self._head(f"{letter} {WORDS[letter]}", ends[2 * right, 0], ends[2 * top, 1], right, top))
        along, style = np.linspace(low, high, 60), {"color": RULE, "linewidth": 1, "linestyle": "--", "zorder": 1}
        for line in ((along, np.full(60, cut[1])), (np.full(60, cut[0]), along)):
            self.axes.plot(*line, **style)
            taken.append(np.column_stack(line))
        return np.concatenate(taken)

    def _head(self, text: str, x: float, y: float, right: int, top: int) -> np.ndarray:
        """Write the name of a quadrant outside of its corner, and return the places that it takes."""
        style = {"ha": "right" if right else "left", "va": "bottom" if top else "top"}
        style |= {"style": "italic", "fontsize": 9.5, "color": ZERO, "textcoords": "offset points"}
        self.axes.annotate(text, (x, y), (-3 if right else 3, 2 if top else -2), **style)
        scale = (self.upper - self.lower) / self.size
        along = np.linspace(0, room_of(text, 9.5)[0], 12) * (-1 if right else 1)
        return np.column_stack([x + scale[0] * along, np.full(12, y + scale[1] * (0.1 if top else -0.1))])

    def name(self, points, names: Sequence[str], taken, letters: float, cut=None, looks=None) -> bool:
        """Write names beside their points, led to them from farther away; return whether any lie on each other."""
        places, rooms = self.inches(points), np.array([room_of(text, letters) for text in names])
        centre = None if cut is None else self.inches(cut)
        # a name over a dot hides more than one over a line
        drawn = self.inches(np.concatenate([taken, *[points] * 4]))
        found = beside(places, rooms, drawn, self.size, centre)
        for each, (place, where, room) in enumerate(zip(places, found, rooms, strict=True)):
            way = _along(place, np.clip(place, where - 0.4 * room, where + 0.4 * room))
            others = np.delete(found, each, axis=0), np.delete(rooms, each, axis=0)
            hides = (np.abs(way[:, None] - others[0]) < others[1] / 2).all(axis=-1).any()
            if np.hypot(*(way[-1] - place)) > 0.25 and not hides:
                self.axes.plot(*(way / self.size).T, transform=self.axes.transAxes, color=RULE, linewidth=0.7, zorder=2)
            style = {"ha": "center", "va": "center", "fontsize": letters, "color": INK, "linespacing": 1.1}
            style |= looks[each] if looks else {}
            self.axes.text(*(where / self.size), names[each], transform=self.axes.transAxes, zorder=4, **style)
        meet = (np.abs(found[:, None] - found) < (rooms[:, None] + rooms) / 2).all(axis=-1)
        return bool(meet.sum() > len(names))


LEFT, BELOW, RIGHT, ABOVE = 0.75, 0.85, 0.15, 0.15  # inches about planes
KEY_LINE = 0.17


def _planes(titles: Sequence[str], lower, upper, columns: int = 1, high: float = 4.4, key: Sequence[str] = ()):
    """Return a figure and planes of one extent, below each other; titles may be empty, and a key stands at the foot."""
    rows, gap = -(-len(titles) // columns), 0.15
    above = ABOVE + 0.2 * max(bool(title) + title.count("\n") for title in titles)
    wide = (WIDTH - LEFT - RIGHT - gap * (columns - 1)) / columns
    height = BELOW + rows * (high + above) + _foot(key)
    figure, found = None, []
    for place, title in enumerate(titles):
        row, column = divmod(place, columns)
        corner = (LEFT + column * (wide + gap), height - (row + 1) * (high + above))
        if figure is None:
            figure, axes = placed_axes(WIDTH, height, (*corner, wide, high))
        else:
            spot = (corner[0] / WIDTH, corner[1] / height, wide / WIDTH, high / height)
            axes = figure.add_axes(spot)
        axes.set(xlim=(lower[0], upper[0]), ylim=(lower[1], upper[1]))
        axes.grid(visible=False)
        axes.set_title(title, fontsize=10, pad=4, weight="normal", color=INK)
        axes.tick_params(labelleft=column == 0, labelbottom=place + columns >= len(titles))
        found.append(_Plane(axes, np.asarray(lower, float), np.asarray(upper, float), np.array([wide, high])))
    for place, text in enumerate(key):
        column, row = divmod(place, -(-len(key) // 2))
        where = (0.3 + column * (WIDTH - 0.3) / 2) / WIDTH, (_foot(key) - KEY_LINE * row) / height
        figure.text(*where, text, fontsize=9, color=INK, va="top")
    return figure, found


def _foot(key: Sequence[str]) -> float:
    """Return the inches that a key of two columns takes."""
    return KEY_LINE * -(-len(key) // 2) + 0.1 * bool(key)


def _named(draw: Callable[[list[str], list[str]], tuple[MatplotlibFigure, bool]], requirements: Iterable[str]):
    """Draw with names beside the points; with numbers and a key to them where names are many or would meet.

    `draw` takes what stands beside the points and the lines of a key, and returns the figure and whether any meet.
    """
    from matplotlib import pyplot

    names = list(requirements)
    if len(names) <= MOST_NAMES:
        figure, meet = draw([written(each, 18) for each in names], [])
        if not meet:
            return figure
        pyplot.close(figure)
    marks = [str(place) for place in range(1, len(names) + 1)]
    key = [f"{mark} {written(each, 36, 1)}" for mark, each in zip(marks, names, strict=True)]
    return draw(marks, key)[0]


def _english(requirements: Iterable[str], english: Mapping[str, str]) -> dict[str, str]:
    names = list(requirements)
    return english_of(names, english, 18) | english_of(names, english, 36, 1)


def _head_room(high: float) -> float:
    """Return the share of a plane's height that the names of quadrants take at either end."""
    return 0.28 / (high - 0.56)


def _unit_planes(titles: Sequence[str], columns: int = 1, high: float = 4.4, key: Sequence[str] = ()):
    """Return planes of |Worse| and Better, from 0 to 1."""
    room = _head_room(high)
    figure, planes = _planes(titles, (-0.03, -room), (1.03, 1 + room), columns, high, key)
    for plane in planes:
        plane.axes.set_xticks(np.linspace(0, 1, 6))
        plane.axes.set_yticks(np.linspace(0, 1, 6))
    return figure, planes


def _axis_words(figure, words_across: str, words_up: str, key: Sequence[str] = ()) -> None:
    """Say what planes show, right below their numbers and left of them."""
    style, height, below = {"fontsize": 10.5, "color": INK}, figure.get_figheight(), BELOW + _foot(key)
    figure.supxlabel(words_across, y=(below - 0.32) / height, va="top", **style)
    figure.supylabel(words_up, y=(below + height) / 2 / height, **style)


def _letter_size(count: int) -> float:
    return 10 if count <= 12 else 8.5


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
    return f"\n(dots: larger with self-stated importance, {least} to {most}{hollow})"


def _importance(seen: pd.DataFrame) -> pd.Series:
    return seen.get("importance", pd.Series(np.nan, seen.index)).astype(float)


def _by_quadrant(seen: pd.DataFrame, right, top) -> str:
    """Say which requirements lie in which quadrant."""
    return _listed(
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
        figure, (plane,) = _unit_planes([""], key=key)
        taken = plane.quadrants(cut, 0, 1)
        for outline in regions.values():
            plane.axes.fill(*outline.T, facecolor=INK, alpha=0.07, linewidth=0, zorder=1.5)
            plane.axes.plot(*outline.T, color=ZERO, alpha=0.6, linewidth=0.9, zorder=1.5)
        points = np.column_stack([-seen.worse, seen.better])
        _dots(plane.axes, *points.T, importance)
        meet = plane.name(points, names, taken, _letter_size(len(names)), cut)
        _axis_words(figure, WORSE_WORDS + _size_words(importance), BETTER_WORDS, key)
        return figure, meet

    crossing = [each for each, outline in regions.items() if _parted(outline >= cut)]
    alt = (
        f"Map of {_some(len(seen))}: Better upwards, the size of Worse to the right, with joint 95 % regions; parted "
        f"at {number(better_cut, 2)} and {number(abs(worse_cut), 2)}. "
        f"{_by_quadrant(seen, -seen.worse >= cut[0], seen.better >= cut[1])} "
        + _listed({"the region crosses a parting line": crossing})
    )
    columns = REQUIREMENT | COEFFICIENTS | IMPORTANCE
    return Figure(
        name,
        partial(_named, draw, seen.requirement),
        alt.strip(),
        frame,
        known_columns(frame, columns),
        _english(seen.requirement, english),
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

    def draw(names, key):
        figure, (plane,) = _planes([""], (-2.1, -2.1), (4.1, 4.4), key=key)
        taken = [plane.quadrants((MIDDLE, MIDDLE), 0, 4)]
        plane.axes.axhline(0, color=ZERO, linewidth=1, zorder=1)
        plane.axes.axvline(0, color=ZERO, linewidth=1, zorder=1)
        low, high = points - halves, points + halves
        plane.axes.hlines(points[:, 1], low[:, 0], high[:, 0], color=ZERO, linewidth=1.4, zorder=2)
        plane.axes.vlines(points[:, 0], low[:, 1], high[:, 1], color=ZERO, linewidth=1.4, zorder=2)
        _dots(plane.axes, *points.T, importance)
        along = np.linspace(-2, 4, 90)
        taken += [np.column_stack([along, 0 * along]), np.column_stack([0 * along, along])]
        steps = np.nan_to_num(halves)[:, None] * np.linspace(-1, 1, 9)[:, None]
        taken += [(points[:, None] + steps * way).reshape(-1, 2) for way in ([1, 0], [0, 1])]
        meet = plane.name(points, names, np.concatenate(taken), _letter_size(len(names)))
        where = "mean score where it is missing (dysfunctional), with 95 % interval"
        _axis_words(figure, where + _size_words(importance), "mean score where it is there (functional)", key)
        return figure, meet

    below = seen.requirement[(points < 0).any(axis=1)]
    alt = (
        f"Scatter of the mean scores of {_some(len(seen))}, from \N{MINUS SIGN}2 to 4: functional upwards, "
        f"dysfunctional to the right, with 95 % intervals; parted at {MIDDLE:g}. "
        f"{_by_quadrant(seen, points[:, 0] >= MIDDLE, points[:, 1] >= MIDDLE)} "
        + _listed({"below 0, as of many reverse or questionable answers": below})
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
        partial(_named, draw, seen.requirement),
        alt.strip(),
        frame,
        known_columns(frame, columns),
        _english(seen.requirement, english),
    )


def segments(frame: pd.DataFrame, english: Mapping[str, str], name: str = "segments") -> Figure:
    """Draw how far Better and Worse of each group lie from those of everyone: an arrow from the one to the other.

    Parameters
    ----------
    frame : pandas.DataFrame
        requirement, group, better, worse, n, is_all (bool: the row of everyone).
    english : mapping of str to str
        Of requirements, and of groups where they need it.
    name : str
        Name of the figure.
    """
    seen = rows_seen(frame, "better", "worse")
    parts = seen[~seen.is_all.astype(bool)] if len(seen) else seen
    if parts.empty:
        return nothing(name, "No group is large enough to be shown.", frame)
    requirements = list(parts.requirement.unique())[:MOST_PANELS]
    left_out = parts.requirement.nunique() - len(requirements)
    alone = len(parts) <= MOST_ARROWS
    groups = parts.groupby("group", sort=False).n.max()
    label = {each: written(str(each), 14, 2) for each in groups.index}

    def draw():
        if alone:
            figure, planes = _unit_planes([""])
            lines = [(plane, seen) for plane in planes]
        else:
            columns = min(2, len(requirements))
            titles = [written(each, 30, 1) for each in requirements]
            figure, planes = _unit_planes(titles, columns, 2.5 if columns > 1 else 4.4)
            lines = [(plane, seen[seen.requirement == each]) for plane, each in zip(planes, requirements, strict=True)]
        for plane, rows in lines:
            one_plane(plane, rows)
        people = written("; ".join(f"{each} {number(size)}" for each, size in groups.items()), 78, 1)
        some = f"\n(the first {MOST_PANELS} requirements)" if left_out else f"\n({people})"
        _axis_words(figure, WORSE_WORDS + some, BETTER_WORDS)
        return figure

    def one_plane(plane, rows):
        taken, whole = [plane.quadrants((0.5, 0.5), 0, 1)], rows[rows.is_all.astype(bool)]
        start = {line.requirement: np.array([-line.worse, line.better]) for line in whole.itertuples()}
        points, names = [], []
        for line in rows[~rows.is_all.astype(bool)].itertuples():
            end = np.array([-line.worse, line.better])
            if line.requirement in start:
                _arrow(plane.axes, start[line.requirement], end, INK)
                taken.append(_along(start[line.requirement], end))
            plane.axes.plot(*end, ".", color=INK, markersize=5)
            points.append(end)
            names.append(label[line.group])
        for middle in start.values():
            plane.axes.plot(*middle, "o", color="white", markeredgecolor=INK, markersize=7, zorder=3)
        count = len(points)
        if alone:
            points += start.values()
            names += [written(each, 18) for each in start]
        taken.append(np.array(points))
        looks = [{"weight": "bold" if place >= count else "normal"} for place in range(len(points))]
        plane.name(points, names, np.concatenate(taken), 9, looks=looks)

    told = "; ".join(_of_groups(seen[seen.requirement == each]) for each in requirements)
    alt = (
        f"Arrows from everyone to each of {_some(len(groups), 'group')} in the plane of Better and Worse, for "
        f"{_some(len(requirements))}. Farthest from everyone: {told}."
    )
    alt += f" {left_out} more are not drawn." if left_out else ""
    columns = REQUIREMENT | {"group": Column("Group")} | COEFFICIENTS | {"n": PEOPLE, "is_all": Column("Everyone")}
    known = english_of(seen.requirement, english, 18) | english_of(seen.requirement, english, 30, 1)
    known |= english_of(map(str, groups.index), english, 14, 2) | {
        str(each): english[each] for each in groups.index if each in english
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns), known)


def _arrow(axes: Axes, start, end, colour: str, width: float = 1.3) -> None:
    look = {"arrowstyle": "-|>", "color": colour, "linewidth": width, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 9}
    axes.annotate("", end, start, arrowprops=look, zorder=2)


def _along(start, end) -> np.ndarray:
    return start + np.linspace(0, 1, 25)[:, None] * (end - start)


def _of_groups(rows: pd.DataFrame) -> str:
    """Say which group lies farthest from everyone."""
    parts, whole = rows[~rows.is_all.astype(bool)], rows[rows.is_all.astype(bool)]
    requirement = rows.requirement.iloc[0]
    if whole.empty:
        return f"{requirement} (of everyone nothing is known)"
    away = np.hypot(parts.better - whole.better.iloc[0], parts.worse - whole.worse.iloc[0])
    far = parts.loc[away.idxmax()]
    return (
        f"{requirement} {far.group} (Better {_change(whole.better.iloc[0], far.better)}, "
        f"Worse {_change(whole.worse.iloc[0], far.worse)})"
    )


def _change(before: float, after: float) -> str:
    return f"{number(before, 2)} to {number(after, 2)}"


def waves(frame: pd.DataFrame, english: Mapping[str, str]) -> Figure:
    """Draw the way of each requirement through the waves; those that moved beyond chance are dark.

    Parameters
    ----------
    frame : pandas.DataFrame
        requirement, wave (in the order of time), better, worse, n, surely (bool, the same for all rows of a
        requirement: moved from the first to the last wave by more than chance).
    english : mapping of str to str
    """
    name, seen = "waves", rows_seen(frame, "better", "worse")
    several = seen.groupby("requirement").requirement.transform("size") > 1 if len(seen) else []
    seen = seen[several] if len(seen) else seen
    if seen.empty:
        return nothing(name, "No requirement was asked for in two waves that could be shown.", frame)
    ways = {each: rows for each, rows in seen.groupby("requirement", sort=False)}
    order = sorted(ways, key=lambda each: bool(ways[each].surely.iloc[0]))  # what moved lies on top
    shades = [INK if ways[each].surely.iloc[0] else RULE for each in order]
    all_waves = list(seen.wave.unique())

    def draw(names, key):
        figure, (plane,) = _unit_planes([""], key=key)
        taken, ends = [plane.quadrants((0.5, 0.5), 0, 1)], []
        for each, shade in zip(order, shades, strict=True):
            way = np.column_stack([-ways[each].worse, ways[each].better])
            plane.axes.plot(*way[:-1].T, "-o", color=shade, linewidth=1.6, markersize=4, zorder=2)
            _arrow(plane.axes, way[-2], way[-1], shade, 1.6)
            taken += [_along(first, second) for first, second in pairwise(way)]
            ends.append(way[-1])
        looks = [{"color": INK if shade == INK else ZERO} for shade in shades]
        meet = plane.name(ends, names, np.concatenate(taken), _letter_size(len(names)), looks=looks)
        ends_of_time = written(f"{all_waves[0]} to {all_waves[-1]}", 40, 1)
        _axis_words(figure, f"{WORSE_WORDS}\n(from {ends_of_time}; dark: moved beyond chance)", BETTER_WORDS, key)
        return figure, meet

    sure = [each for each in ways if ways[each].surely.iloc[0]]
    told = [
        f"{each} (Better {_change(*ways[each].better.iloc[[0, -1]])}, Worse {_change(*ways[each].worse.iloc[[0, -1]])})"
        for each in sure
    ]
    alt = (
        f"Ways of {_some(len(ways))} through the plane of Better and Worse from {all_waves[0]} to {all_waves[-1]}. "
        + (_listed({"moved beyond chance": told}) if told else "None moved by more than chance.")
    )
    columns = REQUIREMENT | {"wave": Column("Wave")} | COEFFICIENTS
    columns |= {"n": PEOPLE, "surely": Column("Moved beyond chance")}
    return Figure(
        name, partial(_named, draw, order), alt, frame, known_columns(frame, columns), _english(order, english)
    )


# --- panels and lines ----------------------------------------------------------------------------------


def answer_pairs(frame: pd.DataFrame, english: Mapping[str, str]) -> Figure:
    """Draw how often each pair of answers was given, which the classes hide.

    Parameters
    ----------
    frame : pandas.DataFrame
        requirement, functional, dysfunctional (1 like to 5 dislike), share (of the requirement's pairs), class (the
        letter of the pair).
    english : mapping of str to str
    """
    name, seen = "answer_pairs", rows_seen(frame, "functional", "dysfunctional", "share")
    if seen.empty:
        return nothing(name, "There are no pairs of answers, only counts of classes.", frame)
    every = list(seen.requirement.unique())
    shown = every[:MOST_PANELS]
    columns = min(3, len(shown))
    rows = -(-len(shown) // columns)
    titles = [written(each, 22, 2) for each in shown]
    top = max(seen.share.max(), 0.01)

    def draw():
        lines = 1 + max(title.count("\n") for title in titles)
        figure, grid = panels(rows, columns, 1.2 + rows * (1.75 + 0.18 * lines), sharex=True, sharey=True)
        for place, axes in enumerate(grid.flat):
            if place >= len(shown):
                axes.set_axis_off()
                continue
            one_panel(axes, seen[seen.requirement == shown[place]])
            axes.set_title(titles[place], fontsize=9.5, pad=4, weight="normal", color=INK)
            axes.tick_params(labelbottom=place + columns >= len(shown), labelleft=place % columns == 0)
        some = f"\n(the first {MOST_PANELS} of {len(every)} requirements)" if len(every) > len(shown) else ""
        below = f"if it is missing (dysfunctional); in the cells: % and class{some}"
        figure.supxlabel(below, fontsize=10.5, color=INK)
        figure.supylabel("if it is there (functional)", fontsize=10.5, color=INK)
        return figure

    def one_panel(axes, rows):
        shares, letters = np.zeros((5, 5)), np.full((5, 5), "", dtype=object)
        where = rows.functional.to_numpy(int) - 1, rows.dysfunctional.to_numpy(int) - 1
        shares[where], letters[where] = rows.share, rows["class"]
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1.15 * top, aspect="auto")
        for row, column in np.ndindex(5, 5):
            colour = "white" if shares[row, column] > 0.6 * top else INK
            faint = {"fontsize": 7, "color": colour, "alpha": 0.55, "ha": "left", "va": "top"}
            axes.text(column - 0.44, row - 0.42, letters[row, column], **faint)
            if shares[row, column] >= 0.005:
                strong = {"fontsize": 8, "color": colour, "ha": "center", "va": "center"}
                axes.text(column + 0.12, row + 0.1, number(100 * shares[row, column]), **strong)
        axes.set_xticks(range(5), ANSWER_WORDS, rotation=90)
        axes.set_yticks(range(5), ANSWER_WORDS)
        axes.tick_params(length=0, labelsize=9, labelcolor=INK)
        axes.grid(visible=False)

    told = "; ".join(_commonest(seen[seen.requirement == each]) for each in shown)
    alt = f"Heat maps of the pairs of answers to {_some(len(shown))}. The commonest pair: {told}."
    alt += f" {len(every) - len(shown)} more are not drawn." if len(every) > len(shown) else ""
    known = REQUIREMENT | {
        "functional": Column("If it is there", "1 like to 5 dislike", 0),
        "dysfunctional": Column("If it is missing", "1 like to 5 dislike", 0),
        "share": Column("Share", digits=1, percent=True),
        "class": Column("Class", names=WORDS),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, known), english_of(shown, english, 22, 2))


def _commonest(rows: pd.DataFrame) -> str:
    line = rows.loc[rows.share.idxmax()]
    there, missing = (ANSWER_WORDS[int(line[side]) - 1] for side in ("functional", "dysfunctional"))
    return f"{line.requirement} {there} and {missing} ({line['class']}, {percent(line.share, 0)})"


def _name_ends(axes: Axes, ends, names: Sequence[str], colours: Sequence[str], gap: float) -> None:
    """Write the names of lines to the right of the axes, apart from each other and led to where the lines end."""
    moved = apart(np.array([end[1] for end in ends]), gap)
    for end, where, text, colour in zip(ends, moved, names, colours, strict=True):
        look = {"arrowstyle": "-", "color": colour, "linewidth": 0.9, "shrinkA": 0, "shrinkB": 0}
        beyond = {"textcoords": axes.get_yaxis_transform(), "annotation_clip": False}
        axes.annotate("", end, (1.05, where), arrowprops=look, **beyond)
        style = {"color": INK, "fontsize": 9.5, "va": "center", "linespacing": 1.05}
        axes.text(1.06, where, text, transform=axes.get_yaxis_transform(), **style)


def _round_sizes(least: float, most: float) -> list[int]:
    """Return round numbers of people between two ends, or the ends."""
    found = [step * 10**power for power in range(7) for step in (1, 2, 5) if least <= step * 10**power <= most]
    return found if len(found) > 1 else sorted({int(least), int(most)})


def sample_size(frame: pd.DataFrame, english: Mapping[str, str]) -> Figure:
    """Draw how often fewer respondents would have given the same class, for each requirement and on the average.

    Parameters
    ----------
    frame : pandas.DataFrame
        requirement, respondents, share (of subsamples of that many; nan beyond the sample).
    english : mapping of str to str
    """
    name, seen = "sample_size", rows_seen(frame, "respondents", "share")
    if seen.empty:
        return nothing(name, "There are too few answers to draw subsamples of them.", frame)
    table = seen.pivot(index="respondents", columns="requirement", values="share").sort_index()
    mean = table.dropna().mean(axis=1)  # only where it is of all: otherwise it would jump where one ends
    hardest = list(table.mean().sort_values(kind="stable").index[: min(2, len(table.columns) - 1)])
    looks = [("C3", "-."), ("C4", ":")]
    texts = {each: written(each, 20, 2) for each in hardest}

    def draw():
        figure, axes = new_axes(WIDTH, 3.6)
        axes.set_xscale("log")
        for each in table.columns.difference(hardest):
            axes.plot(table[each].dropna(), color="#C8C8C8", linewidth=1, zorder=1.5)
        ends, names, colours = [], [], []
        for each, (colour, style) in zip(hardest, looks, strict=False):
            line = table[each].dropna()
            axes.plot(line, color=colour, linestyle=style, linewidth=2)
            ends.append((line.index[-1], line.iloc[-1]))
            names.append(texts[each])
            colours.append(colour)
        if len(mean):
            axes.plot(mean, color=INK, linewidth=2.8)
            ends.append((mean.index[-1], mean.iloc[-1]))
            names.append(f"mean of {len(table.columns)}" if len(table.columns) > 1 else texts_of_one())
            colours.append(INK)
        axes.axhline(ENOUGH, color=ZERO, linewidth=1, linestyle="--", zorder=1)
        low = min(0.5, np.floor(10 * table.min().min()) / 10)
        ticks = _round_sizes(table.index.min(), table.index.max())
        axes.set_xticks(ticks, [number(tick) for tick in ticks])
        axes.minorticks_off()
        axes.set(xlim=(table.index.min(), table.index.max()), ylim=(low, 1.01))
        _name_ends(axes, ends, names, colours, (1.01 - low) * 0.15)
        axes.set_yticks(np.arange(low, 1.01, 0.1), [number(100 * tick) for tick in np.arange(low, 1.01, 0.1)])
        axes.set(xlabel="respondents (logarithmic scale)", ylabel="same class as the whole sample (%)")
        return figure

    def texts_of_one() -> str:
        return written(table.columns[0], 20, 2)

    alt = f"Lines of how often fewer respondents would have given the same class, for {_some(len(table.columns))}. "
    alt += _reaching(mean, "On the average")
    alt += "".join(" " + _reaching(table[each].dropna(), f"For {each}") for each in hardest)
    columns = REQUIREMENT | {
        "respondents": Column("Respondents", "respondents", 0),
        "share": Column("Subsamples with the same class", digits=1, percent=True),
    }
    known = english_of(table.columns, english, 20, 2)
    return Figure(name, draw, alt.strip(), frame, known_columns(frame, columns), known)


def _reaching(line: pd.Series, words: str) -> str:
    """Say from how many respondents on a line stays above what is enough."""
    if line.empty:
        return f"{words} nothing can be said."
    short = np.flatnonzero(line < ENOUGH)
    start = short[-1] + 1 if len(short) else 0
    least = f"{words} {percent(line.iloc[0], 0)} of subsamples of {number(line.index[0])} do"
    if start == len(line):
        return f"{least}, and {percent(line.iloc[-1], 0)} of those of {number(line.index[-1])}."
    return f"{least}; {percent(ENOUGH, 0)} or more do from {number(line.index[start])} on."


def satisfaction_curves(frame: pd.DataFrame, english: Mapping[str, str]) -> Figure:
    """Draw satisfaction over fulfilment, of the form that the class of each requirement assumes (Wang and Ji 2010).

    Parameters
    ----------
    frame : pandas.DataFrame
        requirement, class (letter), fulfilment (0 to 1), satisfaction (-1 to 1; nan for classes without a curve).
    english : mapping of str to str
    """
    name, seen = "satisfaction_curves", rows_seen(frame, "fulfilment", "satisfaction")
    if seen.empty:
        return nothing(
            name, "No requirement is of a class that has a curve: must-be, one-dimensional, attractive.", frame
        )
    curves = {each: rows.sort_values("fulfilment") for each, rows in seen.groupby("requirement", sort=False)}
    letters = {each: rows["class"].iloc[0] for each, rows in curves.items()}
    names = [f"{written(each, 20, 2)} ({letters[each]})" for each in curves]
    present = [letter for letter in ORDER if letter in letters.values()]
    tallest = max(name.count("\n") + 1 for name in names)
    upward = max(3.2, (0.1 + 0.16 * tallest) * len(names))  # inches, in which the names have room

    def draw():
        figure, axes = new_axes(WIDTH, upward + 1.0)
        _legend(axes, present)
        axes.axhline(0, color=ZERO, linewidth=1, zorder=1)
        styles = {"M": "--", "O": "-", "A": "-."}
        for each, rows in curves.items():
            look = {"color": COLOURS[letters[each]], "linestyle": styles.get(letters[each], ":")}
            axes.plot(rows.fulfilment, rows.satisfaction, **look)
        axes.set(xlim=(0, 1), ylim=(-1.02, 1.02))
        ends = [(rows.fulfilment.iloc[-1], rows.satisfaction.iloc[-1]) for rows in curves.values()]
        gap = 2.04 * (0.06 + 0.16 * tallest) / upward
        _name_ends(axes, ends, names, [COLOURS[letter] for letter in letters.values()], gap)
        axes.set_xticks([0, 0.5, 1], ["not at all", "half", "fully"])
        axes.get_xticklabels()[0].set_ha("left")
        axes.set(xlabel="fulfilment", ylabel="satisfaction, from Worse to Better")
        return figure

    told = "; ".join(
        f"{each} ({WORDS[letters[each]]}) {_change(rows.satisfaction.iloc[0], rows.satisfaction.iloc[-1])}"
        for each, rows in curves.items()
    )
    alt = (
        f"Curves of satisfaction from no to full fulfilment of {_some(len(curves))}, in the form of the class: {told}."
    )
    columns = REQUIREMENT | {
        "class": Column("Class", names=WORDS),
        "fulfilment": Column("Fulfilment", digits=2),
        "satisfaction": Column("Satisfaction", digits=3),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns), english_of(curves, english, 20, 2))
