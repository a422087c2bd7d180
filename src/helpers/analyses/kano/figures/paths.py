"""Ways through the plane of Better and Worse: from everyone to groups, and from wave to wave."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Figure, number, percent

from ...drawing import INK, RULE, ZERO, english_of, known_columns, nothing, rows_seen, written
from ..letters import WORDS
from .parts import COEFFICIENTS, MOST_PANELS, PEOPLE, REQUIREMENT, counted, from_to, sentences
from .planes import (
    BETTER_WORDS,
    CORNERS,
    KEY_WIDTH,
    MOST_NAMES,
    WORSE_WORDS,
    axis_words,
    english_with_names,
    letter_size,
    parted_at,
    unit_planes,
    way_between,
    with_names,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ARROWS = 6  # in one panel
FEW_ANSWERS = 30  # of a group, below which its arrows are light
GROUP_WIDTH, TITLE_WIDTH = 24, 22


def segments(
    frame: pd.DataFrame,
    english: Mapping[str, str],
    name: str = "segments",
    better_cut: float = 0.5,
    worse_cut: float = 0.5,
) -> Figure:
    """Draw how far Better and Worse of each group lie from those of everyone: an arrow from the one to the other.

    Groups are numbered, for names would not find room about short arrows; a key at the foot names them, with sizes.

    Parameters
    ----------
    frame : pandas.DataFrame
        requirement, group, better, worse, n, is_all (bool: the row of everyone).
    english : mapping of str to str
        Of requirements, and of groups where they need it.
    name : str
        Name of the figure.
    better_cut, worse_cut : float
        Where the quadrants part; the second with or without its sign.
    """
    seen = rows_seen(frame, "better", "worse")
    parts = seen[~seen.is_all.astype(bool)] if len(seen) else seen
    if parts.empty:
        return nothing(name, "No group is large enough to be shown.", frame)
    requirements = list(parts.requirement.unique())[:MOST_PANELS]
    left_out = parts.requirement.nunique() - len(requirements)
    alone, cut = len(parts) <= MOST_ARROWS, (abs(worse_cut), better_cut)
    groups = parts.groupby("group", sort=False).n.max()
    mark = {each: str(place) for place, each in enumerate(groups.index, 1)}
    key = [f"{mark[each]} {written(str(each), GROUP_WIDTH, 1)} ({number(size)})" for each, size in groups.items()]
    light = {each for each, size in groups.items() if size < FEW_ANSWERS}

    def draw():
        if alone:
            figure, planes = unit_planes([""], key=key)
            lines = [(plane, seen) for plane in planes]
        else:
            columns = min(2, len(requirements))
            titles = [written(each, 30, 1) for each in requirements]
            figure, planes = unit_planes(titles, columns, 2.5 if columns > 1 else 4.4, key)
            lines = [(plane, seen[seen.requirement == each]) for plane, each in zip(planes, requirements, strict=True)]
        for plane, rows in lines:
            one_plane(plane, rows)
        some = f"; light: fewer than {FEW_ANSWERS} answers" if light else ""
        some += f"; the first {MOST_PANELS} requirements" if left_out else ""
        axis_words(figure, f"{WORSE_WORDS}\n(arrows: from everyone{some})", BETTER_WORDS, key)
        return figure

    def one_plane(plane, rows):
        taken, whole = [plane.quadrants(cut, 0, 1)], rows[rows.is_all.astype(bool)]
        start = {line.requirement: np.array([-line.worse, line.better]) for line in whole.itertuples()}
        points, names, looks = [], [], []
        for line in rows[~rows.is_all.astype(bool)].itertuples():
            end, shade = np.array([-line.worse, line.better]), RULE if line.group in light else INK
            if line.requirement in start:
                arrow(plane.axes, start[line.requirement], end, shade)
                taken.append(way_between(start[line.requirement], end))
            plane.axes.plot(*end, ".", color=shade, markersize=5)
            points.append(end)
            names.append(mark[line.group])
            looks.append({"color": ZERO if line.group in light else INK})
        for middle in start.values():
            plane.axes.plot(*middle, "o", color="white", markeredgecolor=INK, markersize=7, zorder=3)
        if alone:
            points += start.values()
            names += [written(each, 18) for each in start]
            looks += [{"weight": "bold"}] * len(start)
        taken.append(np.array([*points, *start.values()]))
        plane.name(points, names, np.concatenate(taken), 9, looks=looks)

    told = "; ".join(_of_groups(seen[seen.requirement == each]) for each in requirements)
    alt = (
        f"Arrows from everyone to each of {counted(len(groups), 'group')} in the plane of Better and Worse, "
        f"{parted_at(cut)}, for {counted(len(requirements))}. Farthest from everyone: {told}."
    )
    alt += f" {left_out} more are not drawn." if left_out else ""
    columns = REQUIREMENT | {"group": Column("Group")} | COEFFICIENTS | {"n": PEOPLE, "is_all": Column("Everyone")}
    known = english_of(seen.requirement, english, 18) | english_of(seen.requirement, english, 30, 1)
    known |= english_of(map(str, groups.index), english, GROUP_WIDTH, 1)
    return Figure(name, draw, alt, frame, known_columns(frame, columns), known)


def arrow(axes: Axes, start, end, colour: str, width: float = 1.3) -> None:
    look = {"arrowstyle": "-|>", "color": colour, "linewidth": width, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 9}
    axes.annotate("", end, start, arrowprops=look, zorder=2)


def _of_groups(rows: pd.DataFrame) -> str:
    """Say which group lies farthest from everyone."""
    parts, whole = rows[~rows.is_all.astype(bool)], rows[rows.is_all.astype(bool)]
    requirement = rows.requirement.iloc[0]
    if whole.empty:
        return f"{requirement} (of everyone nothing is known)"
    away = np.hypot(parts.better - whole.better.iloc[0], parts.worse - whole.worse.iloc[0])
    far = parts.loc[away.idxmax()]
    return f"{requirement} {far.group} ({_moved(whole.iloc[0], far)})"


def _moved(start, end) -> str:
    return f"Better {from_to(start.better, end.better)}, Worse {from_to(start.worse, end.worse)}"


def latent_classes(
    frame: pd.DataFrame,
    shares: Mapping[str, float],
    english: Mapping[str, str],
    better_cut: float = 0.5,
    worse_cut: float = 0.5,
) -> Figure:
    """Draw where each latent class of respondents puts the requirements: an arrow from where everyone puts them.

    Parameters
    ----------
    frame : pandas.DataFrame
        requirement, group (a latent class), better, worse, is_all (bool: the row of everyone); a panel for each class,
        in the given order.
    shares : mapping of str to float
        Of respondents, 0 to 1, by class; one that is not in it is drawn with its name alone.
    english : mapping of str to str
        Of requirements, and of classes where they need it.
    better_cut, worse_cut : float
        Where the quadrants part; the second with or without its sign.
    """
    name, seen = "latent_classes", rows_seen(frame, "better", "worse")
    whole = seen[seen.is_all.astype(bool)].drop_duplicates("requirement") if len(seen) else seen
    parts = seen.drop(whole.index)
    if parts.empty:
        return nothing(name, "No latent classes of respondents were found.", frame)
    every, cut = list(parts.group.unique()), (abs(worse_cut), better_cut)
    classes, left_out = every[:MOST_PANELS], len(every[MOST_PANELS:])
    share = {each: f" ({percent(shares[each], 0)})" if each in shares else "" for each in classes}
    requirements = list(parts.requirement.unique())
    mark = {each: str(place) for place, each in enumerate(requirements, 1)}
    start = {line.requirement: line for line in whole.itertuples()}
    key = [f"{mark[each]} {written(each, KEY_WIDTH, 1)}" for each in requirements]

    def draw():
        columns = 2 if 1 < len(classes) and len(requirements) <= MOST_NAMES else 1
        titles = [f"{written(str(each), TITLE_WIDTH, 1)}{share[each]}" for each in classes]
        figure, planes = unit_planes(titles, columns, 3.2 if columns > 1 else 4.4, key)
        for plane, each in zip(planes, classes, strict=True):
            one_plane(plane, parts[parts.group == each])
        some = f", the first {MOST_PANELS} of {len(every)} classes" if left_out else ""
        axis_words(figure, f"{WORSE_WORDS}\n(arrows: from everyone{some})", BETTER_WORDS, key)
        return figure

    def one_plane(plane, rows):
        taken, points = [plane.quadrants(cut, 0, 1)], np.column_stack([-rows.worse, rows.better])
        for requirement, end in zip(rows.requirement, points, strict=True):
            if requirement in start:
                origin = np.array([-start[requirement].worse, start[requirement].better])
                arrow(plane.axes, origin, end, RULE, 1.0)
                taken.append(way_between(origin, end))
        plane.axes.plot(*points.T, ".", color=INK, markersize=6, zorder=3)
        plane.name(points, [mark[each] for each in rows.requirement], np.concatenate(taken), 9)

    told = " ".join(f"{each}{share[each]}: {_of_class(parts[parts.group == each], start, cut)}." for each in classes)
    alt = (
        f"Arrows from everyone to each of {counted(len(classes), 'latent class', 'latent classes')} in the plane of "
        f"Better and Worse, {parted_at(cut)}, for {counted(len(requirements))}. {told}"
    )
    alt += f" {left_out} more are not drawn." if left_out else ""
    columns = REQUIREMENT | {"group": Column("Latent class")} | COEFFICIENTS
    columns |= {"n": PEOPLE, "is_all": Column("Everyone")}
    known = english_of(requirements, english, KEY_WIDTH, 1) | english_of(map(str, classes), english, TITLE_WIDTH, 1)
    return Figure(name, draw, alt, frame, known_columns(frame, columns), known)


def _of_class(rows: pd.DataFrame, start: Mapping, cut) -> str:
    """Say how many requirements a latent class puts into each quadrant, and which lies farthest from everyone."""
    right, top = -rows.worse >= cut[0], rows.better >= cut[1]
    sizes = {
        WORDS[letter]: int(((right == bool(is_right)) & (top == bool(is_top))).sum())
        for letter, (is_right, is_top) in CORNERS.items()
    }
    told = ", ".join(f"{size} {word}" for word, size in sizes.items() if size)
    known = [line for line in rows.itertuples() if line.requirement in start]
    if not known:
        return f"{told} (of everyone nothing is known)"
    away = [
        np.hypot(line.better - start[line.requirement].better, line.worse - start[line.requirement].worse)
        for line in known
    ]
    far = known[int(np.argmax(away))]
    return f"{told}; farthest from everyone {far.requirement} ({_moved(start[far.requirement], far)})"


def waves(frame: pd.DataFrame, english: Mapping[str, str], better_cut: float = 0.5, worse_cut: float = 0.5) -> Figure:
    """Draw the way of each requirement through the waves; those that moved beyond chance are dark.

    Parameters
    ----------
    frame : pandas.DataFrame
        requirement, wave (in the order of time), better, worse, n, surely (bool, the same for all rows of a
        requirement: moved from the first to the last wave by more than chance).
    english : mapping of str to str
    better_cut, worse_cut : float
        Where the quadrants part; the second with or without its sign.
    """
    name, seen = "waves", rows_seen(frame, "better", "worse")
    several = seen.groupby("requirement").requirement.transform("size") > 1 if len(seen) else []
    seen = seen[several] if len(seen) else seen
    if seen.empty:
        return nothing(name, "No requirement was asked for in two waves that could be shown.", frame)
    ways = {each: rows for each, rows in seen.groupby("requirement", sort=False)}
    order = sorted(ways, key=lambda each: bool(ways[each].surely.iloc[0]))  # what moved lies on top
    shades = [INK if ways[each].surely.iloc[0] else RULE for each in order]
    all_waves, cut = list(seen.wave.unique()), (abs(worse_cut), better_cut)

    def draw(names, key):
        figure, (plane,) = unit_planes([""], key=key)
        taken, ends = [plane.quadrants(cut, 0, 1)], []
        for each, shade in zip(order, shades, strict=True):
            way = np.column_stack([-ways[each].worse, ways[each].better])
            plane.axes.plot(*way[:-1].T, "-o", color=shade, linewidth=1.6, markersize=4, zorder=2)
            arrow(plane.axes, way[-2], way[-1], shade, 1.6)
            taken += [way_between(first, second) for first, second in pairwise(way)]
            ends.append(way[-1])
        looks = [{"color": INK if shade == INK else ZERO} for shade in shades]
        meet = plane.name(ends, names, np.concatenate(taken), letter_size(len(names)), looks=looks)
        ends_of_time = written(f"{all_waves[0]} to {all_waves[-1]}", 30, 1)
        axis_words(figure, f"{WORSE_WORDS}\n(from {ends_of_time}; dark: moved beyond chance)", BETTER_WORDS, key)
        return figure, meet

    sure = [each for each in ways if ways[each].surely.iloc[0]]
    told = [f"{each} ({_moved(ways[each].iloc[0], ways[each].iloc[-1])})" for each in sure]
    alt = (
        f"Ways of {counted(len(ways))} through the plane of Better and Worse, {parted_at(cut)}, from {all_waves[0]} to "
        f"{all_waves[-1]}. " + (sentences({"moved beyond chance": told}) if told else "None moved by more than chance.")
    )
    columns = REQUIREMENT | {"wave": Column("Wave")} | COEFFICIENTS
    columns |= {"n": PEOPLE, "surely": Column("Moved beyond chance")}
    return Figure(
        name,
        partial(with_names, draw, order),
        alt,
        frame,
        known_columns(frame, columns),
        english_with_names(order, english),
    )
