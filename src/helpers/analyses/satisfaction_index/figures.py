"""The figures of the satisfaction report: frames of estimates in, pictures with their words out.

Every frame has a column `label` (or `first_label`, `second_label`) with what is drawn, in any script; `english` maps
labels to Latin letters, for where no font has theirs. Rows that could not be estimated leave their place empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Figure, between, number, percent

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
from ..groups import ALL
from .path_diagram import path_diagram
from .tables.annex import MOST_HTMT
from .tables.loyalty import QUADRANT_NAMES
from .tables.parts import KINDS, POINTS, QUADRANTS

__all__ = [
    "answers",
    "discriminant_validity",
    "driver_shares",
    "importance_performance",
    "index_by_segment",
    "index_by_wave",
    "index_overview",
    "loyalty_curve",
    "path_diagram",
    "penalty_reward",
    "satisfaction_loyalty_quadrants",
]

INTERVAL_OF_INDEX = "index, 0 to 100, with 95 % interval"
FEWEST_PARTED = 3  # constructs: the mean of two always lies between them
MOST_ANSWERS = 12  # distinct answers whose shares are written out
MARKERS = "osD^vPX"
# Where the quadrants of importance (to the right) and performance (upwards) have their corner.
CORNERS = {"keep_up": (1, 1), "concentrate": (1, 0), "low_priority": (0, 0), "overkill": (0, 1)}
# Where those of satisfaction (to the right) and loyalty (upwards) stand.
TILES = {"satisfied_and_loyal": (1, 1), "satisfied_not_loyal": (1, 0), "loyal_not_satisfied": (0, 1), "neither": (0, 0)}
SHAPES = {
    "line": "A straight line: no knee is told from chance",
    "knee_up": "A knee: steeper above {knee}",
    "knee_down": "A knee: flatter above {knee}",
    "not enough data": "Not enough data for a curve",
}


def _interval(unit: str = "", digits: int = 1, prefix: str = "") -> dict[str, Column]:
    return {f"{prefix}low": Column("95 % low", unit, digits), f"{prefix}high": Column("95 % high", unit, digits)}


INDEX = {
    "construct": Column("Construct key"),
    "label": Column("Construct"),
    "segment": Column("Segment", names={ALL: "everyone"}),
    "wave": Column("Wave", names={ALL: "everyone"}),
    "n": Column("Respondents", "respondents", 0),
    "index": Column("Index", POINTS, 1),
    **_interval(POINTS),
    "is_target": Column("What is to be explained"),
}


def _span(*values: Iterable[float], least: float = 20.0) -> tuple[float, float]:
    """Return ends of an axis of the index: round, not narrower than `least`, within 0 to 100 where the values are."""
    found = np.concatenate([np.asarray(each, dtype=float) for each in values])
    found = found[np.isfinite(found)]
    low, high = 5 * np.floor(found.min() / 5 - 0.2), 5 * np.ceil(found.max() / 5 + 0.2)
    lacking = max(least - (high - low), 0)
    low, high = low - 5 * np.ceil(lacking / 10), high + 5 * np.ceil(lacking / 10)
    return max(low, min(0.0, found.min())), min(high, max(100.0, found.max()))


def _padded(*values: Iterable[float], zero: bool = False, share: float = 0.05) -> tuple[float, float]:
    """Return ends of an axis a little beyond the values, with 0 among them if asked."""
    found = np.concatenate([np.asarray(each, dtype=float) for each in values] + [np.zeros(int(zero))])
    found = found[np.isfinite(found)]
    pad = share * (np.ptp(found) or abs(found[0]) or 1.0)
    return found.min() - pad, found.max() + pad


def _dot(axes, row: float, value: float, low: float, high: float, colour: str, size: float = 7) -> None:
    """Draw an estimate with its interval on a row."""
    axes.hlines(row, low, high, color=colour, linewidth=2.2, alpha=0.55)
    axes.plot(value, row, "o", color=colour, markersize=size)


def _write_beside(axes, row: float, value: float, high: float, text: str, **style) -> None:
    """Write a value to the right of its interval."""
    place = (np.fmax(value, high), row)
    style = {"color": INK, "fontsize": 9.5, "va": "center"} | style
    axes.annotate(text, place, (7, 0), textcoords="offset points", **style)


def _best_and_worst(frame: pd.DataFrame, value: str, names: str = "label", digits: int = 1) -> str:
    """Say which is the highest and which the lowest."""
    best, worst = frame.loc[frame[value].idxmax()], frame.loc[frame[value].idxmin()]
    if len(frame) == 1:
        return f"{best[names]} {number(best[value], digits)}"
    return (
        f"highest {best[names]} ({number(best[value], digits)}), lowest {worst[names]} ({number(worst[value], digits)})"
    )


def _names(values: Iterable[object]) -> str:
    return ", ".join(map(str, values))


def index_overview(frame: pd.DataFrame, english: Mapping[str, str]) -> Figure:
    """Draw the index of each construct with its interval.

    Parameters
    ----------
    frame : pandas.DataFrame
        construct, label, index, low, high (0 to 100), is_target (whether it is satisfaction, which is emphasised);
        drawn in the given order.
    english : mapping of str to str
    """
    name, seen = "index_overview", rows_seen(frame, "index")
    if seen.empty:
        return nothing(name, "There is no index to show.", frame)
    names = [written(label) for label in frame.label]

    def draw():
        figure, axes = new_axes(WIDTH, 0.8 + row_height(names) * len(names))
        row_axes(names, axes)
        for row, line in enumerate(frame.itertuples()):
            colour, weight = ("C1", "bold") if line.is_target else ("C0", "normal")
            axes.get_yticklabels()[row].set_fontweight(weight)
            if np.isfinite(line.index):
                _dot(axes, row, line.index, line.low, line.high, colour)
                _write_beside(axes, row, line.index, line.high, number(line.index, 1), weight=weight)
        axes.set_xlim(*_span(seen["index"], seen.low, seen.high))
        axes.set_xlabel(INTERVAL_OF_INDEX)
        return figure

    told = "; ".join(
        f"{line.label} {number(line.index, 1)} ({between(line.low, line.high, 1)})"
        for line in seen[seen.is_target].itertuples()
    )
    alt = f"Dots of the index of {len(seen)} constructs, with 95 % intervals: {_best_and_worst(seen, 'index')}."
    alt += f" Emphasised: {told}." if told else ""
    return Figure(name, draw, alt, frame, known_columns(frame, INDEX), english_of(frame.label, english))


def index_by_segment(frame: pd.DataFrame, english: Mapping[str, str]) -> Figure:
    """Draw the index of some constructs by segment, a panel each, with that of everyone as a line.

    Parameters
    ----------
    frame : pandas.DataFrame
        construct, label, segment ("all" for everyone), n, index, low, high.
    english : mapping of str to str
        Of labels, and of segments where they need it.
    """
    name, seen = "index_by_segment", rows_seen(frame, "index")
    parts = seen[seen.segment != ALL] if len(seen) else seen
    if parts.empty:
        return nothing(name, "No segment is large enough to be shown.", frame)
    segments = [segment for segment in frame.segment.unique() if segment != ALL]
    sizes = frame.drop_duplicates("segment").set_index("segment").n
    names = [f"{written(str(segment), 18)} ({_size(sizes[segment])})" for segment in segments]
    labels = list(parts.label.unique())
    columns = min(2, len(labels))
    rows = -(-len(labels) // columns)

    def draw():
        height = 0.5 + row_height(names, 0.34) * len(names)
        figure, grid = panels(rows, columns, 0.5 + height * rows, sharex=True, sharey=True)
        for place, axes in enumerate(grid.flat):
            if place >= len(labels):
                axes.set_axis_off()
                continue
            one_panel(axes, seen[seen.label == labels[place]])
            axes.xaxis.set_tick_params(labelbottom=place + columns >= len(labels))
        grid[0, 0].set_xlim(*_span(seen["index"], seen.low, seen.high))
        figure.supxlabel(INTERVAL_OF_INDEX, fontsize=10.5, color=INK)
        return figure

    def one_panel(axes, lines):
        whole = lines[lines.segment == ALL]["index"]
        everyone = f"\neveryone {number(whole.iloc[0], 1)}" if len(whole) else ""
        axes.set_title(f"{written(lines.label.iloc[0], 28)}{everyone}", fontsize=10, pad=6, weight="normal", color=INK)
        for value in whole[:1]:
            axes.axvline(value, color=RULE, linewidth=1.2, linestyle="--", zorder=1)
        for line in lines[lines.segment != ALL].itertuples():
            _dot(axes, segments.index(line.segment), line.index, line.low, line.high, "C0", size=6)
        row_axes(names, axes)

    alt = "Dots of the index by segment, with 95 % intervals, one panel for each construct. " + " ".join(
        f"{label}: {_of_segments(seen[seen.label == label])}." for label in labels
    )
    known = english_of(frame.label, english, 28) | english_of(map(str, segments), english, 18)
    return Figure(name, draw, alt, frame, known_columns(frame, INDEX), known)


def _size(respondents: float) -> str:
    return "too few" if pd.isna(respondents) else number(respondents)


def _of_segments(lines: pd.DataFrame) -> str:
    """Say where the index is highest and lowest, of everyone, and whose interval leaves that out."""
    parts, whole = lines[lines.segment != ALL], lines[lines.segment == ALL]["index"]
    told = _best_and_worst(parts, "index", "segment")
    if whole.empty:
        return told
    away = parts[(parts.low > whole.iloc[0]) | (parts.high < whole.iloc[0])]
    apart_from = f"; the interval leaves that out for {_names(away.segment)}" if len(away) else ""
    return f"{told}, everyone {number(whole.iloc[0], 1)}{apart_from}"


def index_by_wave(frame: pd.DataFrame, english: Mapping[str, str]) -> Figure:
    """Draw the index of some constructs over the waves of a survey.

    Parameters
    ----------
    frame : pandas.DataFrame
        construct, label, wave, n, index, low, high; waves in the order of time. A wave "all" is not drawn.
    english : mapping of str to str
        Of labels, and of waves where they need it.
    """
    name = "index_by_wave"
    parts = frame[frame.wave != ALL] if len(frame) else frame
    seen = rows_seen(parts, "index")
    if seen.empty:
        return nothing(name, "No wave is large enough to be shown.", frame)
    waves, labels = list(parts.wave.unique()), list(seen.label.unique())
    sizes = parts.drop_duplicates("wave").set_index("wave").n
    ends = [written(label, 22, 2) for label in labels]
    width = WIDTH - 1 - max(room_of(f"{end} 100.0", 9.5)[0] for end in ends)  # inches of the axes, at least
    turned = len(waves) * max(room_of(written(str(wave), 12), 10.5)[0] for wave in waves) > width
    letters, lines, part = (18, 1, " ") if turned else (12, 2, "\n")
    ticks = [f"{written(str(wave), letters, lines)}{part}({_size(sizes[wave])})" for wave in waves]
    below = max(room_of(tick, 10.5)[int(not turned)] for tick in ticks)
    upward = max(2.7, 0.5 + 0.42 * len(labels))  # inches, in which the words beside the axis have room

    def draw():
        figure, axes = new_axes(WIDTH, upward + below + 0.4)
        low, high = _span(seen["index"], seen.low, seen.high)
        shifts = np.linspace(-1, 1, len(labels)) * min(0.12, 0.03 * len(labels)) if len(labels) > 1 else [0.0]
        last = []
        for place, label in enumerate(labels):
            rows = seen[seen.label == label]
            at = np.array([waves.index(wave) for wave in rows.wave]) + shifts[place]
            look = {"color": f"C{place % 7}", "marker": MARKERS[place % 7]}
            axes.vlines(at, rows.low, rows.high, color=look["color"], alpha=0.45, linewidth=2)
            axes.plot(at, rows["index"], **look, markersize=6, linewidth=1.6)
            last.append(rows["index"].iloc[-1])
        tallest = max(end.count("\n") + 1 for end in ends)
        gap = (high - low) * (0.08 + 0.17 * tallest) / upward
        for place, where in enumerate(apart(np.array(last), gap)):
            text = f"{ends[place]} {number(last[place], 1)}"
            style = {"color": f"C{place % 7}", "fontsize": 9.5, "va": "center", "linespacing": 1.05}
            axes.text(1.02, where, text, transform=axes.get_yaxis_transform(), **style)
        step = -(-len(waves) // int(width / 0.22)) if turned else 1  # of many waves not each is named
        axes.set_xticks(range(len(waves))[::step], ticks[::step], rotation=90 * turned)
        axes.set(ylim=(low, high), xlim=(-0.4, len(waves) - 0.6), xlabel="wave (respondents)", ylabel=INTERVAL_OF_INDEX)
        return figure

    alt = (
        f"Lines of the index over {len(waves)} waves, with 95 % intervals, from {waves[0]} to {waves[-1]}: "
        + "; ".join(_of_waves(seen[seen.label == label]) for label in labels)
    )
    known = english_of(frame.label, english, 22, 2) | english_of(map(str, waves), english, letters, lines)
    return Figure(name, draw, f"{alt}.", frame, known_columns(frame, INDEX), known)


def _of_waves(lines: pd.DataFrame) -> str:
    first, last = lines.iloc[0], lines.iloc[-1]
    if len(lines) == 1:
        return f"{first.label} {number(first['index'], 1)}"
    return f"{first.label} {number(first['index'], 1)} to {number(last['index'], 1)}"


def importance_performance(
    frame: pd.DataFrame, target_label: str, english: Mapping[str, str], name: str = "importance_performance"
) -> Figure:
    """Draw the performance of each construct over its importance for a target.

    The lines that part the quadrants stand at the means of the constructs shown, of which there must be three, or they
    are not drawn; the quadrants' names are those of Martilla and James (1977, Journal of Marketing 41(1), 77-79).

    Parameters
    ----------
    frame : pandas.DataFrame
        construct, label, importance, importance_low, importance_high (points of the target's index per point),
        performance, performance_low, performance_high (0 to 100), quadrant (a key of QUADRANTS; empty or missing where
        a construct is in none; where all are, no lines are drawn).
    target_label : str
        What the constructs are important for.
    english : mapping of str to str
        Of labels, and of `target_label`.
    name : str
        Name of the figure.
    """
    seen = rows_seen(frame, "importance", "performance")
    if seen.empty:
        return nothing(name, "Importance and performance are not drawn: no effect could be estimated.", frame)
    place, size, corner = np.array([0.75, 0.8]), np.array([WIDTH - 0.9, 3.9]), 0.32  # inches
    across_ends = _padded(seen.importance, seen.importance_low, seen.importance_high, zero=True, share=0.08)
    upward_ends = _padded(seen.performance, seen.performance_low, seen.performance_high)
    margin = np.ptp(upward_ends) * corner / (size[1] - 2 * corner)  # room for the names of the quadrants
    lower, upper = np.array([(across_ends[0], upward_ends[0] - margin), (across_ends[1], upward_ends[1] + margin)])
    names = [written(label, 16) for label in seen.label]
    quadrant = seen.get("quadrant", pd.Series(index=seen.index, dtype=object))
    parted = len(seen) >= FEWEST_PARTED and quadrant.isin(list(QUADRANTS)).any()

    def in_inches(x, y) -> np.ndarray:
        return (np.stack([x, y], axis=-1) - lower) / (upper - lower) * size

    def draw():
        figure, axes = placed_axes(WIDTH, size[1] + place[1] + 0.15, (*place, *size))
        axes.set(xlim=(lower[0], upper[0]), ylim=(lower[1], upper[1]))
        axes.grid(visible=False)
        if parted:
            part(axes)
        axes.hlines(seen.performance, seen.importance_low, seen.importance_high, color="C0", alpha=0.4, linewidth=1.5)
        axes.vlines(seen.importance, seen.performance_low, seen.performance_high, color="C0", alpha=0.4, linewidth=1.5)
        axes.plot(seen.importance, seen.performance, "o", color="C0", markersize=8)
        rooms = np.array([room_of(each, 10) for each in names])
        points = in_inches(seen.importance, seen.performance)
        centre = in_inches(seen.importance.mean(), seen.performance.mean()) if parted else None
        for text, where in zip(names, beside(points, rooms, crosses(), size, centre), strict=True):
            shown = {"ha": "center", "va": "center", "fontsize": 10, "color": INK, "linespacing": 1.1}
            axes.text(*(where / size), text, transform=axes.transAxes, zorder=4, **shown)
        importance = f"importance: points of {written(target_label, 40, 1)}\nfor each point of the construct"
        axes.set(xlabel=importance, ylabel="performance: index, 0 to 100")
        return figure

    def part(axes):
        """Draw the lines that part the quadrants, and the names of these in the corners."""
        axes.axvline(seen.importance.mean(), color=RULE, linewidth=1, linestyle="--", zorder=1)
        axes.axhline(seen.performance.mean(), color=RULE, linewidth=1, linestyle="--", zorder=1)
        for key, (right, top) in CORNERS.items():
            where = (0.99 if right else 0.01, 1 - corner / 2 / size[1] if top else corner / 2 / size[1])
            style = {"ha": "right" if right else "left", "va": "center", "style": "italic", "fontsize": 9.5}
            axes.text(*where, QUADRANTS[key], transform=axes.transAxes, color=ZERO, **style)

    def crosses() -> np.ndarray:
        """Return places along everything drawn, which names had better leave free."""
        along = np.linspace(0, 1, 30)[:, None]

        def between_ends(low, high, value):
            low, high = (np.where(np.isfinite(end), end, value)[None] for end in (low, high))
            return low + along * (high - low)

        x, y = seen.importance.to_numpy(), seen.performance.to_numpy()
        wide = in_inches(between_ends(seen.importance_low, seen.importance_high, x), y + 0 * along)
        tall = in_inches(x + 0 * along, between_ends(seen.performance_low, seen.performance_high, y))
        found = [wide.reshape(-1, 2), tall.reshape(-1, 2)]
        if parted:
            ends = np.linspace(lower, upper, 80)
            rows = (y.mean(), lower[1] + margin / 2, upper[1] - margin / 2)  # the line, and the names in the corners
            found += [in_inches(ends[:, 0], np.full(80, row)) for row in rows]
            found.append(in_inches(np.full(80, x.mean()), ends[:, 1]))
        return np.concatenate(found)

    told = " ".join(
        f"{words}: {_names(seen.label[quadrant == key])}."
        for key, words in QUADRANTS.items()
        if parted and (quadrant == key).any()
    )
    most = seen.loc[seen.importance.idxmax()]
    alt = (
        f"Scatter of performance over importance for {target_label}. The most important is {most.label}: "
        f"{number(most.importance, 2)} points per point ({between(most.importance_low, most.importance_high, 2)}) "
        f"at an index of {number(most.performance, 1)}. {told}"
    )
    columns = {
        "construct": Column("Construct key"),
        "label": Column("Construct"),
        "importance": Column("Importance", "points per point", 3),
        **_interval("points per point", 3, "importance_"),
        "performance": Column("Performance", POINTS, 1),
        **_interval(POINTS, 1, "performance_"),
        "quadrant": Column("Quadrant", names=QUADRANTS),
    }
    known = english_of(frame.label, english, 16) | english_of([target_label], english, 40, 1)
    return Figure(name, draw, alt.strip(), frame, known_columns(frame, columns), known)


def driver_shares(frame: pd.DataFrame, outcome_label: str, english: Mapping[str, str]) -> Figure:
    """Draw what part of the variance of an outcome goes with each item, the largest first.

    Parameters
    ----------
    frame : pandas.DataFrame
        item, label, share, low, high: parts of the outcome's variance, which add up to R2.
    outcome_label : str
        What is explained.
    english : mapping of str to str
        Of labels, and of `outcome_label`.
    """
    name, seen = "driver_shares", rows_seen(frame, "share")
    if seen.empty:
        return nothing(name, "No item's share in explaining the outcome could be computed.", frame)
    seen = seen.sort_values("share", ascending=False, kind="stable")
    names = [written(label, 28) for label in seen.label]

    def draw():
        figure, axes = new_axes(WIDTH, 0.9 + row_height(names, 0.36) * len(names))
        axes.barh(range(len(seen)), 100 * seen.share, color="C4", height=0.62)
        axes.hlines(range(len(seen)), 100 * seen.low, 100 * seen.high, color=INK, linewidth=1.6)
        for row, line in enumerate(seen.itertuples()):
            _write_beside(axes, row, 100 * line.share, 100 * line.high, percent(line.share))
        row_axes(names, axes)
        low, high = _padded(100 * seen.share, 100 * seen.low, 100 * seen.high, zero=True)
        axes.set_xlim(min(low, 0) if (seen.low < 0).any() else 0, high + 0.12 * (high - low))
        axes.set_xlabel(f"part of the variance of\n{written(outcome_label, 50, 1)} (%), with 95 % interval")
        return figure

    first = seen.iloc[0]
    alt = (
        f"Bars of the part of the variance of {outcome_label} that goes with each of {len(seen)} items, together "
        f"{percent(seen.share.sum())}. {'The largest' if len(seen) > 1 else 'It'} is {first.label}: "
        f"{percent(first.share)} ({between(first.low, first.high, 1, 100)})."
    )
    alt += f" The smallest is {seen.iloc[-1].label}: {percent(seen.iloc[-1].share)}." if len(seen) > 1 else ""
    columns = {
        "item": Column("Item"),
        "label": Column("What it asks"),
        "share": Column("Part of the variance", digits=3),
        **_interval("", 3),
    }
    known = english_of(frame.label, english, 28) | english_of([outcome_label], english, 50, 1)
    return Figure(name, draw, alt, frame, known_columns(frame, columns), known)


def penalty_reward(frame: pd.DataFrame, outcome_label: str, english: Mapping[str, str]) -> Figure:
    """Draw what low and what high answers to each item go with.

    Parameters
    ----------
    frame : pandas.DataFrame
        item, label, penalty, penalty_low, penalty_high, reward, reward_low, reward_high (answer points of the outcome,
        against answers between), kind (a key of KINDS).
    outcome_label : str
        What the items act on.
    english : mapping of str to str
        Of labels, and of `outcome_label`.
    """
    name = "penalty_reward"
    seen = frame[frame[["penalty", "reward"]].astype(float).notna().any(axis=1)] if len(frame) else frame
    if seen.empty:
        return nothing(name, "Penalties and rewards are not drawn: too few answers are low or high.", frame)
    names = [written(label, 24) for label in seen.label]
    sides = {"penalty": ("C1", "a low answer", 0.13), "reward": ("C0", "a high answer", -0.13)}

    def draw():
        figure, axes = new_axes(WIDTH, 1.2 + row_height(names, 0.42) * len(names))
        axes.axvline(0, color=ZERO, linewidth=1, zorder=1)
        for side, (colour, words, shift) in sides.items():
            for row, line in enumerate(seen.itertuples()):
                ends = (getattr(line, f"{side}{end}") for end in ("", "_low", "_high"))
                _dot(axes, row + shift, *ends, colour, size=6)
            where, to = (0, "left") if side == "penalty" else (1, "right")
            axes.text(where, 1.01, words, transform=axes.transAxes, ha=to, va="bottom", color=colour, weight="bold")
        row_axes(names, axes)
        for row, kind in enumerate(seen.kind):
            style = {"color": RULE if kind == "cannot_tell" else INK, "fontsize": 9.5, "va": "center"}
            axes.text(1.02, row, _short(kind), transform=axes.get_yaxis_transform(), **style)
        numbers = seen[[f"{side}{end}" for side in sides for end in ("", "_low", "_high")]].astype(float)
        axes.set_xlim(*_padded(numbers.to_numpy().ravel(), zero=True))
        axes.set_xlabel(f"goes with so many answer points of\n{written(outcome_label, 40, 1)}, with 95 % interval")
        return figure

    told = " ".join(
        f"{_short(kind).capitalize()}: {_names(seen.label[seen.kind == kind])}."
        for kind in KINDS
        if (seen.kind == kind).any()
    )
    alt = (
        f"Dots of what a low and what a high answer to each of {len(seen)} items go with in {outcome_label}, against "
        f"the answers between, with 95 % intervals. {told}"
    )
    unit = "answer points"
    columns = {
        "item": Column("Item"),
        "label": Column("What it asks"),
        "penalty": Column("A low answer goes with", unit, 2),
        **_interval(unit, 2, "penalty_"),
        "reward": Column("A high answer goes with", unit, 2),
        **_interval(unit, 2, "reward_"),
        "kind": Column("Reads as", names=KINDS),
    }
    known = english_of(frame.label, english) | english_of([outcome_label], english, 40, 1)
    return Figure(name, draw, alt.strip(), frame, known_columns(frame, columns), known)


def _short(kind: str) -> str:
    """Return the word for a kind, without its explanation."""
    return KINDS.get(kind, kind).split(":")[0]


def loyalty_curve(
    points: pd.DataFrame,
    curve: pd.DataFrame,
    english: Mapping[str, str],
    satisfaction_label: str,
    loyalty_label: str,
    verdict: str = "line",
) -> Figure:
    """Draw loyalty over satisfaction: groups of respondents, the straight line, and the line with a knee.

    Parameters
    ----------
    points : pandas.DataFrame
        satisfaction, loyalty, low, high (0 to 100), respondents: one row a group of respondents.
    curve : pandas.DataFrame
        satisfaction, line, knee (loyalty under either, may be missing), low, high (of what the verdict chooses).
    english : mapping of str to str
        Of the two labels.
    satisfaction_label, loyalty_label : str
    verdict : str
        "line", "knee_up" (steeper above), "knee_down" (flatter above) or "not enough data".
    """
    name = "loyalty_curve"
    dots, line, kneed = rows_seen(points, "satisfaction", "loyalty"), rows_seen(curve, "line"), rows_seen(curve, "knee")
    if dots.empty and line.empty and kneed.empty:
        return nothing(name, "Loyalty over satisfaction is not drawn: there is nothing to show.", points)
    bent = verdict in ("knee_up", "knee_down")
    turn = number(_turn(kneed)) if bent else ""
    words = SHAPES[verdict].format(knee=turn)

    def draw():
        figure, axes = new_axes(WIDTH, 4.2)
        axes.vlines(dots.satisfaction, dots.low, dots.high, color=RULE, linewidth=1.4)
        share = dots.respondents / dots.respondents.max() if len(dots) else dots.respondents
        axes.scatter(dots.satisfaction, dots.loyalty, s=20 + 100 * share, color=RULE, zorder=2)
        styles = {"line": (line, "C0", not bent and verdict == "line"), "knee": (kneed, "C1", bent)}
        for column, (rows, colour, chosen) in styles.items():
            look = {"linewidth": 2.6} if chosen else {"linewidth": 1.2, "alpha": 0.55, "linestyle": "--"}
            axes.plot(rows.satisfaction, rows[column], color=colour, zorder=3, **look)
            if chosen:
                axes.fill_between(rows.satisfaction, rows.low, rows.high, color=colour, alpha=0.15, linewidth=0)
        for row, (column, (rows, colour, _)) in enumerate(styles.items()):
            if len(rows):
                text = {"line": "straight line", "knee": "line with a knee"}[column]
                style = {"ha": "right", "va": "bottom", "color": colour, "transform": axes.transAxes}
                axes.text(0.99, 0.02 + 0.07 * (1 - row), text, **style)
        style = {"fontsize": 10.5, "pad": 8, "color": INK}
        axes.set_title(words, **style)
        axes.set_xlabel(
            f"{written(satisfaction_label, 40, 1)}: index, 0 to 100\n(dots: groups, larger with more people)"
        )
        axes.set_ylabel(f"{written(loyalty_label, 30, 1)}: index, 0 to 100")
        return figure

    alt = f"{loyalty_label} over {satisfaction_label}, both 0 to 100, for {len(dots)} groups of respondents. {words}."
    if len(dots) > 1:
        first, last = dots.sort_values("satisfaction").iloc[[0, -1]].itertuples()
        alt += (
            f" {loyalty_label} is {number(first.loyalty, 1)} where {satisfaction_label} is "
            f"{number(first.satisfaction, 1)}, and {number(last.loyalty, 1)} where that is "
            f"{number(last.satisfaction, 1)}."
        )
    columns = {
        "satisfaction": Column("Satisfaction", POINTS, 1),
        "loyalty": Column("Loyalty", POINTS, 1),
        **_interval(POINTS),
        "respondents": Column("Respondents", "respondents", 0),
    }
    known = english_of([satisfaction_label], english, 40, 1) | english_of([loyalty_label], english, 30, 1)
    return Figure(name, draw, alt, points, known_columns(points, columns), known)


def _turn(kneed: pd.DataFrame) -> float:
    """Return the satisfaction at which a kneed line turns most, as drawn."""
    if len(kneed) < 3:
        return float("nan")
    slopes = np.diff(kneed.knee) / np.diff(kneed.satisfaction)
    return float(kneed.satisfaction.iloc[1 + int(np.argmax(np.abs(np.diff(slopes))))])


def discriminant_validity(frame: pd.DataFrame, english: Mapping[str, str]) -> Figure:
    """Draw the heterotrait-monotrait ratio of every two constructs; those that can hardly be told apart are framed.

    Parameters
    ----------
    frame : pandas.DataFrame
        first, second, first_label, second_label, htmt, low, high: one row a pair.
    english : mapping of str to str
    """
    name, seen = "discriminant_validity", rows_seen(frame, "htmt")
    if seen.empty:
        return nothing(name, "There are no two constructs of more than one item to be compared.", frame)
    pairs = list(zip(seen["first"], seen["second"], strict=True))
    labels = dict(zip(seen["first"], seen.first_label, strict=True)) | dict(
        zip(seen["second"], seen.second_label, strict=True)
    )
    order = [key for key in dict.fromkeys([*frame["first"], *frame["second"]]) if key in labels]
    names = [written(labels[key], 20) for key in order]

    def draw():
        count = len(order)
        figure, axes = new_axes(WIDTH, 0.35 + 0.58 * count)
        grid = np.full((count, count), np.nan)
        for (one, other), value in zip(pairs, seen.htmt, strict=True):
            row, column = sorted((order.index(one), order.index(other)), reverse=True)
            grid[row, column] = value
        axes.imshow(grid, cmap="Blues", vmin=0, vmax=1.25, aspect="auto")
        for row, column in np.argwhere(np.isfinite(grid)):
            close = grid[row, column] >= MOST_HTMT
            shown = {"ha": "center", "va": "center", "weight": "bold" if close else "normal"}
            axes.text(
                column, row, number(grid[row, column], 2), color="white" if grid[row, column] > 0.8 else INK, **shown
            )
            if close:
                axes.add_patch(_frame(column, row))
        for place, text in enumerate(names):  # on the diagonal a name heads its column and ends its row
            axes.text(place - 0.42, place, text, va="center", color=INK, linespacing=1.05)
        room = room_of(max(names, key=lambda text: room_of(text, 10.5)[0]), 10.5)[0]
        axes.set_xlim(-0.5, count - 0.5 + max(0, room - WIDTH / count) * count / WIDTH)
        axes.set_axis_off()
        axes.set_title(
            f"framed: {MOST_HTMT} or more, hardly to be told apart", fontsize=9.5, weight="normal", color=ZERO
        )
        return figure

    close = seen[seen.htmt >= MOST_HTMT]
    told = "; ".join(
        f"{line.first_label} and {line.second_label} {number(line.htmt, 2)} ({between(line.low, line.high, 2)})"
        for line in close.itertuples()
    )
    highest = seen.loc[seen.htmt.idxmax()]
    alt = f"Heterotrait-monotrait ratios of {len(seen)} pairs of constructs. "
    alt += (
        f"Hardly to be told apart ({MOST_HTMT} or more): {told}."
        if told
        else f"None is {MOST_HTMT} or more; the highest is {number(highest.htmt, 2)}, of {highest.first_label} and "
        f"{highest.second_label}."
    )
    columns = {
        "first_label": Column("Construct"),
        "second_label": Column("And"),
        "htmt": Column("HTMT", "ratio", 3),
        **_interval("ratio", 3),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns), english_of(labels.values(), english, 20))


def _frame(column: float, row: float):
    from matplotlib.patches import Rectangle

    return Rectangle((column - 0.46, row - 0.44), 0.92, 0.88, fill=False, edgecolor="C1", linewidth=2.4)


def answers(frame: pd.DataFrame, english: Mapping[str, str]) -> Figure:
    """Draw how the answers to each item are spread.

    Parameters
    ----------
    frame : pandas.DataFrame
        item, label, answer, share (of those who answered the item).
    english : mapping of str to str
    """
    name, seen = "answers", rows_seen(frame, "share")
    if seen.empty:
        return nothing(name, "There are no answers to show.", frame)
    rows = seen.drop_duplicates("item")
    names = [written(label, 30, 2) for label in rows.label]
    table = seen.pivot(index="item", columns="answer", values="share").loc[rows.item].fillna(0.0)

    def draw():
        import seaborn

        lines = max(name.count("\n") + 1 for name in names)
        figure, axes = new_axes(WIDTH, 0.9 + (0.1 + 0.16 * lines) * len(names))
        few = len(table.columns) <= MOST_ANSWERS
        texts = (100 * table).map(lambda share: number(share) if share >= 0.5 else "") if few else False
        heads = [f"{answer:g}" if isinstance(answer, float | int) else str(answer) for answer in table.columns]
        looks = {"cmap": "Blues", "vmin": 0, "linewidths": 0.6, "fmt": "", "cbar": not few, "annot_kws": {"size": 9}}
        bar = {"cbar_kws": {"label": "% of answers"}} if not few else {}
        seaborn.heatmap(100 * table, ax=axes, annot=texts, xticklabels=heads if few else "auto", **looks, **bar)
        axes.set_yticks(np.arange(len(names)) + 0.5, names)
        axes.tick_params(axis="both", length=0, rotation=0, labelcolor=INK)
        axes.tick_params(axis="y", labelsize=9.5)
        axes.set(xlabel="answer; in the cells: % of those who answered", ylabel="")
        return figure

    top = seen.loc[seen.share.idxmax()]
    weighted = (seen.share * pd.to_numeric(seen.answer, errors="coerce")).groupby(seen.item, sort=False).sum()
    mean = weighted / seen.groupby("item", sort=False).share.sum()
    labels = rows.set_index("item").label
    alt = (
        f"Heat map of the shares of answers to {len(rows)} items. The commonest answer of all is {top.answer:g} to "
        f"{top.label}: {percent(top.share, 0)}."
    )
    if len(rows) > 1:
        alt += (
            f" The mean answer is highest for {labels[mean.idxmax()]} ({number(mean.max(), 2)}) and lowest for "
            f"{labels[mean.idxmin()]} ({number(mean.min(), 2)})."
        )
    columns = {
        "item": Column("Item"),
        "label": Column("What it asks"),
        "answer": Column("Answer", "answer points", 0),
        "share": Column("Share of those who answered", digits=1, percent=True),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns), english_of(rows.label, english, 30, 2))


def satisfaction_loyalty_quadrants(
    frame: pd.DataFrame, english: Mapping[str, str], satisfied_from: float, loyal_from: float
) -> Figure:
    """Draw the shares of the four groups of satisfaction by loyalty.

    Parameters
    ----------
    frame : pandas.DataFrame
        quadrant (a key of TILES), share, low, high.
    english : mapping of str to str
    satisfied_from, loyal_from : float
        Index from which on a respondent counts as satisfied, and as loyal; 0 to 100.
    """
    name, seen = "satisfaction_loyalty_quadrants", rows_seen(frame, "share")
    if seen.empty:
        return nothing(name, "Nobody has both a score of satisfaction and one of loyalty.", frame)

    def draw():
        from matplotlib import colormaps
        from matplotlib.patches import Rectangle

        figure, axes = new_axes(WIDTH, 3.6)
        axes.grid(visible=False)
        for line in seen.itertuples():
            column, row = TILES[line.quadrant]
            axes.add_patch(Rectangle((column, row), 0.98, 0.97, color=colormaps["Blues"](0.05 + 0.45 * line.share)))
            interval = f"({number(100 * line.low)} to {number(100 * line.high)})" if np.isfinite(line.low) else ""
            middle = {"ha": "center", "va": "center", "color": INK}
            axes.text(column + 0.49, row + 0.72, QUADRANT_NAMES[line.quadrant], **middle, fontsize=11)
            axes.text(column + 0.49, row + 0.45, percent(line.share, 0), **middle, fontsize=18, weight="bold")
            axes.text(column + 0.49, row + 0.2, interval, **middle, fontsize=9.5)
        axes.set(xlim=(0, 2), ylim=(0, 2))
        axes.set_xticks([0.49, 1.49], ["less", f"{satisfied_from:g} or more"])
        axes.set_yticks([0.49, 1.49], ["less", f"{loyal_from:g} or more"], rotation=90, va="center")
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        axes.set(xlabel="satisfaction of a respondent, 0 to 100", ylabel="loyalty, 0 to 100")
        return figure

    told = "; ".join(
        f"{QUADRANT_NAMES[line.quadrant].lower()} {percent(line.share, 0)} ({between(line.low, line.high, 0, 100)})"
        for line in seen.sort_values("share", ascending=False, kind="stable").itertuples()
    )
    alt = (
        f"Four tiles of respondents by satisfaction ({satisfied_from:g} or more of 100) and loyalty ({loyal_from:g} or "
        f"more): {told}."
    )
    columns = {
        "quadrant": Column("Respondents who are", names=QUADRANT_NAMES),
        "share": Column("Share", digits=1, percent=True),
        "low": Column("95 % low", digits=1, percent=True),
        "high": Column("95 % high", digits=1, percent=True),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns), dict(english))
