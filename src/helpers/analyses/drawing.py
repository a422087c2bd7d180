"""What the figures of several topics share: sizes, quiet colours, and names that fit where they stand."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Figure

WIDTH = 6.4  # inches: a phone shows less than four, and what is drawn wider can no longer be read there
INK, RULE, ZERO = "#333333", "#8C8C8C", "#5A5A5A"
MOST_LINES = 3  # of a name beside a row


def new_axes(width: float = 8, height: float = 4):
    """Return a matplotlib figure and its one set of axes."""
    from matplotlib import pyplot

    return pyplot.subplots(figsize=(width, height))


def panels(rows: int, columns: int, height: float, **options):
    """Return a matplotlib figure of page width and its grid of axes."""
    from matplotlib import pyplot

    return pyplot.subplots(rows, columns, figsize=(WIDTH, height), squeeze=False, **options)


def placed_axes(width: float, height: float, place: tuple[float, float, float, float]):
    """Return a matplotlib figure and its one set of axes, which stay where they are put.

    `place` is their left and lower edge, width and height in inches: known before anything is drawn, so that texts can
    be kept apart.
    """
    from matplotlib import pyplot

    figure = pyplot.figure(figsize=(width, height), layout="none")
    left, lower, wide, high = place
    return figure, figure.add_axes((left / width, lower / height, wide / width, high / height))


def nothing(name: str, why: str, frame: pd.DataFrame | None = None) -> Figure:
    """Return a figure that says why there is nothing to draw; `frame` where a table of that name shares the file."""
    return Figure(name, None, why, pd.DataFrame({"reason": [why]}) if frame is None else frame)


def across(axes) -> None:
    """Rule the lines along which bars or dots that lie on their side are read."""
    axes.grid(visible=True, axis="x")
    axes.grid(visible=False, axis="y")


def is_wide(letter: str) -> bool:
    """Return whether a letter takes the room of two, as Chinese ones do."""
    return unicodedata.east_asian_width(letter) in "WF"


def breadth(text: str) -> int:
    """Return how many Latin letters the longest line of a text is as wide as."""
    return max(sum(1 + is_wide(letter) for letter in line) for line in text.split("\n"))


def written(name: str, width: int = 24, lines: int = MOST_LINES) -> str:
    r"""Return a name of the user's as it is drawn: in even lines, a dollar sign as such.

    Parameters
    ----------
    name : str
        The name, in any script.
    width : int
        Latin letters in a line; a wide letter counts as two.
    lines : int
        More than these are cut off, with an ellipsis.

    Returns
    -------
    str
        Lines of about equal length; a name in two scripts is parted between them where it does not fit in one line.
        A dollar sign is escaped: a pair would enclose a formula.
    """
    name = " ".join("".join(letter if letter.isprintable() else " " for letter in name).split())
    parts = [name] if breadth(name) <= width else _scripts(name)
    found = [line for part in parts for line in _even_lines(part, width)]
    if len(found) > lines:
        found = [*found[: lines - 1], found[lines - 1].rstrip()[: width - 1] + "…"]
    return "\n".join(found).replace("$", r"\$")


def english_of(
    names: Iterable[str], english: Mapping[str, str], width: int = 24, lines: int = MOST_LINES
) -> dict[str, str]:
    """Return names as they are drawn -> how they read in Latin letters, drawn likewise."""
    return {written(name, width, lines): written(english[name], width, lines) for name in names if name in english}


def _scripts(name: str) -> list[str]:
    """Part a name such as '品牌形象 Brand image' where wide and narrow letters meet at a blank."""
    words = name.split(" ")
    parts = [words[0]]
    for before, word in pairwise(words):
        if is_wide(before[-1:] or " ") == is_wide(word[0]):
            parts[-1] += f" {word}"
        else:
            parts.append(word)
    return parts


def _even_lines(text: str, width: int) -> list[str]:
    """Break a text into as few lines as `width` allows, and those as even as may be."""
    fewest = len(_lines(text, width, width))
    tried = (_lines(text, narrow, width) for narrow in range(1, width + 1))
    return next(lines for lines in tried if len(lines) == fewest)


def _lines(text: str, width: int, longest: int) -> list[str]:
    """Fill lines with words and wide letters; a word is cut only where it is longer than `longest`."""
    lines = [""]
    for piece in _pieces(text, longest):
        if breadth(lines[-1] + piece) <= width or not lines[-1]:
            lines[-1] += piece
        else:
            lines.append(piece.lstrip())
    return lines


def _pieces(text: str, longest: int) -> list[str]:
    """Part a text where a line may end: before a blank, about a wide letter, and within too long a word."""
    pieces = [text[:1]]
    for letter in text[1:]:
        last = pieces[-1]
        within = not (letter == " " or is_wide(letter) or is_wide(last[-1])) and len(last.strip()) < longest
        if last == " " or within:
            pieces[-1] += letter
        else:
            pieces.append(letter)
    return pieces


def room_of(text: str, points: float) -> np.ndarray:
    """Return width and height in inches that a text needs at most, at a font size in points."""
    return np.array([0.62 * breadth(text), 1.25 * (text.count("\n") + 1)]) * points / 72


def apart(places: np.ndarray, gap: float) -> np.ndarray:
    """Return places along a line moved as little as needed to lie `gap` apart, in their order."""
    order = np.argsort(places, kind="stable")
    moved = np.asarray(places, dtype=float)[order]
    for _ in range(50 * len(moved)):
        lacking = np.maximum(gap - np.diff(moved), 0)
        if not (lacking > 1e-9 * gap).any():
            break
        moved[:-1] -= lacking / 2
        moved[1:] += lacking / 2
    return moved[np.argsort(order, kind="stable")]


def beside(
    points: np.ndarray,
    rooms: np.ndarray,
    taken: np.ndarray,
    size: np.ndarray,
    centre: np.ndarray | None = None,
    gaps: Sequence[float] | None = None,
) -> np.ndarray:
    """Return where the names of points stand: near their point, on no other name and, if it can be, on nothing drawn.

    Parameters
    ----------
    points, rooms : ndarray, shape (points, 2)
        Where the points lie, and width and height of each name.
    taken : ndarray, shape (places, 2)
        What is drawn already.
    size : ndarray, shape (2,)
        Width and height of the axes, from (0, 0); all in inches.
    centre : ndarray, shape (2,), optional
        Where an upright and a level line meet that part the axes: a name stays on its point's side of both.
    gaps : sequence of float, optional
        Inches from a point at which the edge of its name is tried. Where they are given the nearest edge is best, so
        that a long name may stand at the side; where not, the nearest middle of a name.

    Returns
    -------
    ndarray, shape (points, 2)
        Centres of the names.
    """
    turn = np.radians(np.arange(0, 360, 15))
    ways = np.stack([np.cos(turn), np.sin(turn)], axis=-1)
    ways /= np.abs(ways).max(axis=1, keepdims=True)  # round a rectangle, not a circle
    spots = [
        np.concatenate([point + (room / 2 + away) * ways for away in gaps or (0.09, 0.2, 0.3, 0.4, 0.5)])
        for point, room in zip(points, rooms, strict=True)
    ]
    chosen = np.array([each[0] for each in spots]).reshape(-1, 2)
    for _ in range(4):  # a name may make room for another that came later
        for place, tried in enumerate(spots):
            others = np.delete(np.arange(len(points)), place)
            hidden = (np.abs(tried[:, None] - taken) < rooms[place] / 2 + 0.03).all(axis=-1).sum(axis=1)
            meets = np.abs(tried[:, None] - chosen[others]) < (rooms[place] + rooms[others]) / 2
            outside = (np.abs(tried - size / 2) > (size - rooms[place]) / 2).any(axis=1)
            away = np.linalg.norm(np.maximum(np.abs(tried[:, None] - points) - rooms[place] / 2, 0), axis=-1)
            strange = away[:, others].min(axis=1, initial=np.inf) < away[:, place] + 0.1  # it would seem another's
            far = np.hypot(*(tried - points[place]).T)
            if gaps:
                far = 3 * away[:, place] + 0.2 * far
            astray = 0.0
            if centre is not None:
                side = np.where(points[place] >= centre, 1, -1)
                astray = (side * (tried - centre) < rooms[place] / 2).any(axis=1)
            cost = far + 2 * strange + 0.3 * hidden + 10 * meets.all(axis=-1).sum(axis=1) + 30 * outside + 20 * astray
            chosen[place] = tried[int(np.argmin(cost.round(9)))]
    return chosen


def known_columns(frame: pd.DataFrame, columns: dict[str, Column]) -> dict[str, Column]:
    """Return how those columns read that a frame has."""
    return {name: column for name, column in columns.items() if name in frame.columns}


def rows_seen(frame: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """Return the rows in which each of the columns is a number; none of a frame that lacks one."""
    if frame.empty or not set(columns) <= set(frame.columns):
        return frame.iloc[:0]
    return frame[np.isfinite(frame[list(columns)].astype(float)).all(axis=1)].infer_objects()


def row_axes(names: list[str], axes) -> None:
    """Name the rows of a figure, the first on top."""
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.set_ylim(len(names) - 0.4, -0.6)
    across(axes)


def row_height(names: Iterable[str], least: float = 0.4) -> float:
    """Return the inches that a row needs for the longest of its names."""
    return max([least, *(0.08 + 0.18 * (name.count("\n") + 1) for name in names)])


def end_rows(axes, texts: Iterable[str], **style) -> None:
    """Write a text to the right of each row."""
    for row, text in enumerate(texts):
        look = {"color": INK, "fontsize": 9.5, "va": "center", "linespacing": 1.05} | style
        axes.text(1.02, row, text, transform=axes.get_yaxis_transform(), **look)


def name_ends(axes, ends, names: Iterable[str], colours: Iterable[str], gap: float) -> None:
    """Write the names of lines to the right of the axes, `gap` apart and led to where the lines end."""
    moved = apart(np.array([end[1] for end in ends], dtype=float), gap)
    for end, where, text, colour in zip(ends, moved, names, colours, strict=True):
        look = {"arrowstyle": "-", "color": colour, "linewidth": 0.9, "shrinkA": 0, "shrinkB": 0}
        beyond = {"textcoords": axes.get_yaxis_transform(), "annotation_clip": False}
        axes.annotate("", end, (1.05, where), arrowprops=look, **beyond)
        style = {"color": INK, "fontsize": 9.5, "va": "center", "linespacing": 1.05}
        axes.text(1.06, where, text, transform=axes.get_yaxis_transform(), **style)


def legend_above(axes, handles, columns: int = 3) -> None:
    """Say above a figure what its marks are."""
    shape = {"handlelength": 1, "handleheight": 1, "handletextpad": 0.5, "columnspacing": 1.2, "borderaxespad": 0.3}
    place = {"loc": "lower left", "bbox_to_anchor": (0, 1), "ncols": columns}
    axes.legend(handles=handles, labelcolor=INK, **place, **shape)
