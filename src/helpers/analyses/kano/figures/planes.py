"""Planes parted into quadrants, in which points have their names beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from helpers.exhibits import number

from ...drawing import INK, RULE, ZERO, beside, english_of, placed_axes, room_of, written
from ..letters import COLOURS, WORDS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as MatplotlibFigure

# The quadrants, with |Worse| (or the dysfunctional score) to the right and Better (or the functional one) upwards
CORNERS = {"A": (0, 1), "O": (1, 1), "I": (0, 0), "M": (1, 0)}
QUADRANTS = {corner: (f"{letter} {WORDS[letter]}", COLOURS[letter]) for letter, corner in CORNERS.items()}
WORSE_WORDS, BETTER_WORDS = "|Worse|: lost where it is missing", "Better: gained where it is there"
MOST_NAMES = 14  # beside points
PAGE = 5.6  # inches: on a phone, letters of 9 points are then 8 pixels high
LEFT, BELOW, RIGHT, ABOVE = 0.7, 0.85, 0.12, 0.15  # inches about planes
GAPS = (0.07, 0.13, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8)  # between points and their names
LED = 0.17  # from so far on a line leads a name to its point
SMALLEST = 9  # points of letters
KEY_LINE, KEY_WIDTH = 0.17, 36


@dataclass(frozen=True, eq=False)
class Plane:
    """Axes whose place on the page is known before anything is drawn, so that names can be kept apart."""

    axes: Axes
    lower: np.ndarray
    upper: np.ndarray
    size: np.ndarray

    def inches(self, points) -> np.ndarray:
        return (np.asarray(points, dtype=float) - self.lower) / (self.upper - self.lower) * self.size

    def quadrants(self, cut, low, high, heads: Mapping[tuple[int, int], tuple[str, str]] = QUADRANTS) -> np.ndarray:
        """Tint the quadrants of a rectangle and name them above and below it; return the places that this takes.

        `low` and `high` are its corners, or a number where both coordinates are the same; `heads` gives the name and
        the colour of each quadrant by whether it lies to the right and on top.
        """
        from matplotlib.patches import Rectangle

        ends, taken = np.array([np.broadcast_to(each, 2) for each in (low, cut, high)], dtype=float), []
        for (right, top), (text, colour) in heads.items():
            corner, size = ends[[right, top], [0, 1]], np.diff(ends, axis=0)[[right, top], [0, 1]]
            self.axes.add_patch(Rectangle(corner, *size, color=colour, alpha=0.07, linewidth=0))
            taken.append(self.head(text, ends[2 * right, 0], ends[2 * top, 1], right, top))
        along = np.linspace(ends[0], ends[2], 60).T
        return np.concatenate([*taken, self.rule(along[0], cut[1]), self.rule(cut[0], along[1])])

    def rule(self, x, y, **style) -> np.ndarray:
        """Draw a line that parts regions, and return the places that it takes."""
        line = np.column_stack(np.broadcast_arrays(x, y))
        self.axes.plot(*line.T, **{"color": RULE, "linewidth": 1, "linestyle": "--", "zorder": 1} | style)
        return line

    def crosses(self, points: np.ndarray, low: np.ndarray, high: np.ndarray, colour: str = ZERO) -> np.ndarray:
        """Draw the intervals of points in both directions, as far as known, and return the places that they take."""
        self.axes.hlines(points[:, 1], low[:, 0], high[:, 0], color=colour, linewidth=1.4, zorder=2)
        self.axes.vlines(points[:, 0], low[:, 1], high[:, 1], color=colour, linewidth=1.4, zorder=2)
        low, high = (np.where(np.isfinite(end), end, points) for end in (low, high))
        steps = low[:, None] + np.linspace(0, 1, 9)[:, None] * (high - low)[:, None]
        ways = [np.where(way, steps, points[:, None]) for way in ([True, False], [False, True])]
        return np.concatenate(ways).reshape(-1, 2)

    def head(self, text: str, x: float, y: float, right: int, top: int) -> np.ndarray:
        """Write the name of a quadrant outside of its corner, and return the places that it takes."""
        style = {"ha": "right" if right else "left", "va": "bottom" if top else "top"}
        style |= {"style": "italic", "fontsize": SMALLEST, "color": ZERO, "textcoords": "offset points"}
        self.axes.annotate(text, (x, y), (-3 if right else 3, 2 if top else -2), **style)
        scale = (self.upper - self.lower) / self.size
        along = np.linspace(0, room_of(text, SMALLEST)[0], 12) * (-1 if right else 1)
        upward = np.repeat([0.05, 0.1, 0.15], 12) * (1 if top else -1)
        return np.column_stack([x + scale[0] * np.tile(along, 3), y + scale[1] * upward])

    def name(
        self, points, names: Sequence[str], taken, letters: float, cut=None, looks=None, alone: bool = False
    ) -> bool:
        """Write names beside their points, led to them from farther away.

        Return whether any lie on each other or far from their point with no line to it, or, where names should be
        `alone`, on a point.
        """
        from matplotlib.patheffects import Normal, Stroke

        places, rooms = self.inches(points), np.array([room_of(text, letters) for text in names])
        # a name over a dot hides more than one over a line
        drawn = self.inches(np.concatenate([taken, *[points] * 4]))
        # names stay on their point's side of the lines, where that leaves each its room
        for centre, turn in product([None] if cut is None else [self.inches(cut), None], [1, -1]):
            found = beside(places[::turn], rooms[::turn], drawn, self.size, centre, GAPS)[::turn]
            ways, stray = _leaders(places, found, rooms)
            met = _over(found, rooms, found, rooms).sum() > len(names)
            meet = met or stray or (alone and _over(found, rooms, places).any())
            if not meet:
                break
        halo = [Stroke(linewidth=2, foreground="white", alpha=0.8), Normal()]  # over what is drawn
        for way in ways:
            self.axes.plot(*(way / self.size).T, transform=self.axes.transAxes, color=RULE, linewidth=0.7, zorder=2)
        for each, (where, text) in enumerate(zip(found / self.size, names, strict=True)):
            style = {"ha": "center", "va": "center", "fontsize": letters, "color": INK, "linespacing": 1.1}
            style |= {"transform": self.axes.transAxes, "zorder": 4, "path_effects": halo}
            self.axes.text(*where, text, **style | (looks[each] if looks else {}))
        return bool(meet)


def _over(centres: np.ndarray, rooms: np.ndarray, others: np.ndarray, others_rooms=0.0) -> np.ndarray:
    """Return for each text whether it lies on each of other places or texts."""
    return (np.abs(centres[:, None] - others) < (rooms[:, None] + others_rooms) / 2).all(axis=-1)


def _leaders(places: np.ndarray, found: np.ndarray, rooms: np.ndarray) -> tuple[list[np.ndarray], bool]:
    """Return the lines that lead names to points far from them, and whether any would run under another name."""
    ends, lines, stray = np.clip(places, found - 0.45 * rooms, found + 0.45 * rooms), [], False
    for each in np.flatnonzero(np.hypot(*(ends - places).T) > LED):
        way = way_between(places[each], ends[each])
        if _over(np.delete(found, each, axis=0), np.delete(rooms, each, axis=0), way).any():
            stray = True
        else:
            lines.append(way)
    return lines, stray


def new_planes(titles: Sequence[str], lower, upper, columns: int = 1, high: float = 4.4, key: Sequence[str] = ()):
    """Return a figure and planes of one extent, below each other; titles may be empty, and a key stands at the foot."""
    rows, gap = -(-len(titles) // columns), 0.15
    above = ABOVE + 0.2 * max(bool(title) + title.count("\n") for title in titles)
    wide = (PAGE - LEFT - RIGHT - gap * (columns - 1)) / columns
    height = BELOW + rows * (high + above) + _foot(key)
    figure, found = None, []
    for place, title in enumerate(titles):
        row, column = divmod(place, columns)
        corner = (LEFT + column * (wide + gap), height - (row + 1) * (high + above))
        if figure is None:
            figure, axes = placed_axes(PAGE, height, (*corner, wide, high))
        else:
            spot = (corner[0] / PAGE, corner[1] / height, wide / PAGE, high / height)
            axes = figure.add_axes(spot)
        axes.set(xlim=(lower[0], upper[0]), ylim=(lower[1], upper[1]))
        axes.grid(visible=False)
        axes.set_title(title, fontsize=10, pad=4, weight="normal", color=INK)
        axes.tick_params(labelleft=column == 0, labelbottom=place + columns >= len(titles))
        found.append(Plane(axes, np.asarray(lower, float), np.asarray(upper, float), np.array([wide, high])))
    for place, text in enumerate(key):
        column, row = divmod(place, -(-len(key) // 2))
        where = (0.2 + column * (PAGE - 0.2) / 2) / PAGE, (_foot(key) - KEY_LINE * row) / height
        figure.text(*where, text, fontsize=SMALLEST, color=INK, va="top")
    return figure, found


def _foot(key: Sequence[str]) -> float:
    """Return the inches that a key of two columns takes."""
    return KEY_LINE * -(-len(key) // 2) + 0.1 * bool(key)


def with_names(draw: Callable[[list[str], list[str]], tuple[MatplotlibFigure, bool]], requirements: Iterable[str]):
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
    key = [f"{mark} {written(each, KEY_WIDTH, 1)}" for mark, each in zip(marks, names, strict=True)]
    return draw(marks, key)[0]


def english_with_names(requirements: Iterable[str], english: Mapping[str, str]) -> dict[str, str]:
    names = list(requirements)
    return english_of(names, english, 18) | english_of(names, english, KEY_WIDTH, 1)


def head_room(high: float) -> float:
    """Return the share of a plane's height that the names of quadrants take at either end."""
    return 0.28 / (high - 0.56)


def unit_planes(titles: Sequence[str], columns: int = 1, high: float = 4.4, key: Sequence[str] = ()):
    """Return planes of |Worse| and Better, from 0 to 1."""
    room = head_room(high)
    figure, planes = new_planes(titles, (-0.03, -room), (1.03, 1 + room), columns, high, key)
    for plane in planes:
        plane.axes.set_xticks(np.linspace(0, 1, 6))
        plane.axes.set_yticks(np.linspace(0, 1, 6))
    return figure, planes


def parted_at(cut) -> str:
    """Say where the quadrants of |Worse| and Better part."""
    return f"parted at {number(cut[1], 2)} and {number(cut[0], 2)}"


def axis_words(figure, words_across: str, words_up: str, key: Sequence[str] = ()) -> None:
    """Say what planes show, right below their numbers and left of them."""
    style, height, below = {"fontsize": 10, "color": INK}, figure.get_figheight(), BELOW + _foot(key)
    figure.supxlabel(words_across, y=(below - 0.32) / height, va="top", **style)
    figure.supylabel(words_up, y=(below + height) / 2 / height, **style)


def letter_size(count: int) -> float:
    return 10 if count <= 12 else SMALLEST


def way_between(start, end) -> np.ndarray:
    return start + np.linspace(0, 1, 25)[:, None] * (end - start)
