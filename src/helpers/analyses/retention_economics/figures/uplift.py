"""The claim of five points: what more retention adds, over retention and discount rate, and where the claim is true."""

from __future__ import annotations

from itertools import cycle, pairwise, product

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Figure, listed, number, percent
from helpers.models.retention_economics import five_points
from helpers.models.retention_economics.five_points import REASONS

from ...drawing import (
    INK,
    RULE,
    WIDTH,
    beside,
    end_rows,
    known_columns,
    nothing,
    panels,
    placed_axes,
    room_of,
    row_axes,
    rows_seen,
    written,
)
from .parts import CLAIMED_UPLIFT, DIFFER, FIRM, FIRST_MARGINS, NOT_TOLD, SOURCES, UNITS, numbers, told_share

EDGES = (0.10, CLAIMED_UPLIFT[0], 0.50, CLAIMED_UPLIFT[1])
BEYOND = 1e9  # no uplift is as large
SHADES = ("#F4F7FA", "#D6E4F0", "#8DBBDD", "#3F8AC2", "#0B3C6F")
HATCHES = (
    ("retention would exceed 100 %", "////"),
    ("value without end", "...."),
    ("no profit to compare", "\\\\\\\\"),
)
IMPOSSIBLE = dict(zip(REASONS[1:], HATCHES, strict=True))
FEWEST = 0.01  # of the map: what is less is not named
MARKERS = "osD"
BLANK = "#ECECEC"
PLACE = (0.75, 0.55, 5.4, 3.3)  # inches: left, lower, width, height of the map


def uplift_map(frame: pd.DataFrame, positions: pd.DataFrame, *, step: str) -> Figure:
    """Draw by how much profit from a customer rises with retention, and where the firm stands.

    Parameters
    ----------
    frame : pandas.DataFrame
        A grid: base_retention, discount_rate (shares a year), uplift (0.25 for 25 % more; nan where there is none),
        reason (why there is none, of `helpers.models.retention_economics.five_points.REASONS`).
    positions : pandas.DataFrame
        Where the firm stands: source, retention, low, high, discount_rate, uplift, uplift_low, uplift_high; without
        such columns where that is not known.
    step : str
        By how much retention rises, in words, such as "5 percentage points".
    """
    name, seen = "uplift_map", rows_seen(frame, "base_retention", "discount_rate")
    if seen.empty or rows_seen(seen, "uplift").empty:
        return nothing(name, "There is no base retention from which so much more retention could add profit.", frame)
    at = rows_seen(positions, "retention", "discount_rate")
    drawn = seen[seen.base_retention >= _start(seen, at)]
    reasons = _reasons(drawn)

    def draw():
        figure, axes = placed_axes(WIDTH, PLACE[1] + PLACE[3] + 0.9, PLACE)
        axes.set_facecolor(BLANK)
        axes.grid(visible=False)
        wide = drawn.pivot(index="discount_rate", columns="base_retention", values=["uplift", "reason"])
        grid = 100 * wide.uplift.columns.to_numpy(float), 100 * wide.index.to_numpy(float)
        uplift = wide.uplift.to_numpy(float)
        axes.contourf(*grid, uplift, levels=(-BEYOND, *EDGES, BEYOND), colors=SHADES, zorder=1)
        _hatch(axes, grid, wide.reason.to_numpy(object), reasons)
        lines = axes.contour(*grid, uplift, CLAIMED_UPLIFT, colors=INK, linewidths=1.6, zorder=2)
        _stand(axes, at, _name_lines(axes, lines))
        axes.set_xlabel("base retention (% a year)")
        axes.set_ylabel("discount rate (% a year)")
        title = written(f"more profit from a customer where retention rises by {step}", 76, 1)
        _explain(axes, _shade_handles(drawn.uplift) + _reason_handles(reasons), title)
        return figure

    told = " ".join(_told(line) for line in at.to_dict("records")) or "Where the firm stands is not known."
    hatched = f"Hatched: {listed(_reason_name(each) for each in reasons)}. " if reasons else ""
    alt = (
        f"Map of how much more profit from a customer there is where retention rises by {step}, over base retention "
        f"and discount rate; lines at {_whole(CLAIMED_UPLIFT[0])} and {percent(CLAIMED_UPLIFT[1], 0)} bound what is "
        f"claimed. {_claimed(seen)} {hatched}{told}"
    )
    columns = {
        "base_retention": Column("Base retention a year", digits=0, percent=True),
        "discount_rate": Column("Discount rate a year", digits=0, percent=True),
        "uplift": Column("More profit", digits=1, percent=True),
        "reason": Column("Why there is none"),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns))


def _start(seen: pd.DataFrame, at: pd.DataFrame) -> float:
    """Return from which retention on the map is drawn: below, the claim is far away and the firm is not."""
    there = np.array([seen.base_retention[seen.uplift >= CLAIMED_UPLIFT[0]].min(), *numbers(at, "retention")])
    lowest = np.fmin.reduce([*there, *numbers(at, "low"), 0.7])
    return float(max(np.floor(10 * (lowest - 0.1) + 1e-9) / 10, seen.base_retention.min()))


def _reasons(drawn: pd.DataFrame) -> list[str]:
    """Return why there is no uplift in places, the first reason in most of them."""
    shares = drawn.reason[drawn.reason.map(lambda each: isinstance(each, str) and each != "")].value_counts() / len(
        drawn
    )
    return list(shares.index[shares > FEWEST])


def _reason_name(reason: str) -> str:
    return IMPOSSIBLE[reason][0] if reason in IMPOSSIBLE else written(reason.rstrip("."), 40, 1)


def _reason_look(reason: str) -> dict:
    return {"hatch": IMPOSSIBLE[reason][1] if reason in IMPOSSIBLE else "xx", "edgecolor": RULE}


def _hatch(axes, grid, why: np.ndarray, reasons: list[str]) -> None:
    """Hatch where there is no uplift, a hatch for each reason."""
    for reason in reasons:
        look = _reason_look(reason)
        is_there = (why == reason).astype(float)
        areas = axes.contourf(*grid, is_there, levels=[0.5, 1.5], colors=[BLANK], hatches=[look["hatch"]], zorder=1.5)
        areas.set_edgecolor(look["edgecolor"])
        areas.set_linewidth(0)


def _shade_handles(uplift: pd.Series) -> list:
    from matplotlib.patches import Patch

    names = [f"{_whole(low)} to {percent(high, 0)}" for low, high in pairwise(EDGES)]
    names = [f"under {percent(EDGES[0], 0)}", *names, f"over {percent(EDGES[-1], 0)}"]
    found = set(np.searchsorted(EDGES, uplift.dropna(), side="right"))
    return [
        Patch(facecolor=shade, edgecolor=RULE, linewidth=0.6, label=text)
        for place, (text, shade) in enumerate(zip(names, SHADES, strict=True))
        if place in found
    ]


def _reason_handles(reasons: list[str]) -> list:
    from matplotlib.patches import Patch

    return [Patch(facecolor=BLANK, linewidth=0.6, label=_reason_name(each), **_reason_look(each)) for each in reasons]


def _explain(axes, handles: list, title: str) -> None:
    place = {"loc": "lower left", "bbox_to_anchor": (-0.12, 1.0), "ncols": 3, "labelcolor": INK, "fontsize": 9.5}
    shape = {"handlelength": 1.3, "handletextpad": 0.5, "columnspacing": 1.2, "borderaxespad": 0.3}
    axes.legend(handles=handles, title=title, alignment="left", title_fontsize=9.5, **place, **shape)


def _whole(part: float) -> str:
    return number(100 * part)


def _name_lines(axes, lines) -> list[np.ndarray]:
    """Write what each line is where it ends highest, and return these places."""
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    named = []
    for level, ways in zip(lines.levels, lines.allsegs, strict=True):
        for way in ways:
            if len(way) < 3 or np.ptp(way[:, 1]) < 0.08 * (high - low):
                continue
            end = way[np.argmax(way[:, 1])]
            is_top = end[1] > high - 0.02 * (high - low)
            is_right = is_top and end[0] - left > 0.15 * (right - left)
            look = {"ha": "right" if is_right else "left", "va": "top" if is_top else "center"}
            box = {"boxstyle": "square,pad=0.15", "facecolor": "white", "edgecolor": "none"}
            style = {"fontsize": 9.5, "weight": "bold", "color": INK, "zorder": 5, "bbox": box}
            offset = (-4 if is_right else 4, -3 if is_top else 0)
            axes.annotate(percent(level, 0), end, offset, textcoords="offset points", **look, **style)
            named.append(end)
    return named


def _stand(axes, at: pd.DataFrame, taken: list[np.ndarray]) -> None:
    """Draw where the firm stands, with what the rise would add there."""
    if at.empty:
        return
    points = 100 * np.column_stack([numbers(at, "retention"), numbers(at, "discount_rate")])
    low, high = 100 * numbers(at, "low"), 100 * numbers(at, "high")
    axes.hlines(points[:, 1], low, high, color="white", linewidth=5, zorder=6)
    axes.hlines(points[:, 1], low, high, color=FIRM, linewidth=2.6, zorder=7)
    names = [f"{SOURCES.get(each, str(each))}: {_gain(gain)}" for each, gain in zip(at.source, at.uplift, strict=True)]
    bars = np.column_stack([np.linspace(low, high, 12).ravel(), np.tile(points[:, 1], 12)])
    places = _beside(axes, points, names, np.concatenate([bars, np.reshape(taken, (-1, 2))]))
    for place, point, text, marker in zip(places, points, names, cycle(MARKERS)):
        axes.plot(*point, marker, color=FIRM, markeredgecolor="white", markersize=9, zorder=8, clip_on=False)
        box = {"boxstyle": "square,pad=0.2", "facecolor": "white", "edgecolor": "none", "alpha": 0.9}
        axes.text(*place, text, ha="center", va="center", fontsize=10, color=INK, zorder=9, bbox=box)


def _beside(axes, points: np.ndarray, names: list[str], taken: np.ndarray) -> np.ndarray:
    """Return where names of points stand, in the units of the axes."""
    ends = np.column_stack([axes.get_xlim(), axes.get_ylim()])
    inch = np.array(PLACE[2:]) / np.ptp(ends, axis=0)
    taken = taken[np.isfinite(taken).all(axis=1)]
    rooms = np.array([room_of(text, 10) for text in names])
    origin, size = ends[0], np.array(PLACE[2:])
    places = beside((points - origin) * inch, rooms, (taken - origin) * inch, size, gaps=(0.1, 0.2, 0.35, 0.5))
    return origin + places / inch


def _gain(uplift: float) -> str:
    return f"{'+' if uplift > 0 else ''}{percent(uplift, 0)}" if np.isfinite(uplift) else "not possible"


def _claimed(seen: pd.DataFrame) -> str:
    """Say for some discount rates between which retentions the uplift is as claimed."""
    low, high = CLAIMED_UPLIFT
    rates = np.sort(seen.discount_rate.unique())
    told = []
    for rate in rates[np.unique([0, np.abs(rates - 0.1).argmin(), len(rates) - 1])]:
        rows = seen[(seen.discount_rate == rate) & (seen.uplift >= low - 1e-9) & (seen.uplift <= high + 1e-9)]
        found = rows.base_retention
        where = (
            f"between retentions of {percent(found.min(), 0)} and {percent(found.max(), 0)}"
            if len(found)
            else "nowhere"
        )
        told.append(f"{where} at a discount rate of {percent(rate, 0)}")
    return f"It is as claimed {listed(told)}."


def _told(line: dict) -> str:
    stays = told_share(*(float(line.get(each, np.nan)) for each in ("retention", "low", "high")))
    gain = told_share(*(float(line.get(each, np.nan)) for each in ("uplift", "uplift_low", "uplift_high")))
    source = SOURCES.get(line["source"], str(line["source"]))
    words = f"adds {gain}" if gain != NOT_TOLD else "is not possible, or adds nothing that could be compared"
    return (
        f"The firm by {source}: retention {stays}, discount rate {percent(line['discount_rate'], 0)}; the rise {words}."
    )


def where_true(frame: pd.DataFrame, positions: pd.DataFrame, *, step: str) -> Figure:
    """Draw between which base retentions the claim is true, by every reading of it.

    Parameters
    ----------
    frame : pandas.DataFrame
        unit, first_margin, discount_rate, retention_low, retention_high, falling_low, falling_high, largest_uplift,
        largest_at: as `helpers.models.retention_economics.five_points.where_true` gives them.
    positions : pandas.DataFrame
        As for `uplift_map`; the firm's retention is marked, of is_base where there is such a column.
    step : str
        By how much retention rises, without its unit, such as "5".
    """
    name, seen = "where_true", rows_seen(frame, "discount_rate", "largest_at")
    readings = {
        f"{step} {UNITS[unit]}, {FIRST_MARGINS[margin]}": seen[(seen.unit == unit) & (seen.first_margin == margin)]
        for unit, margin in product(UNITS, FIRST_MARGINS)
        if len(seen)
    }
    readings = {each: rows.sort_values("discount_rate") for each, rows in readings.items() if len(rows)}
    if not readings:
        return nothing(name, "Where the claim is true cannot be told.", frame)
    stands, claimed = _base(positions), f"{_whole(CLAIMED_UPLIFT[0])} to {percent(CLAIMED_UPLIFT[1], 0)} more profit"

    def draw():
        counts = [len(rows) for rows in readings.values()]
        high = 0.75 + 0.5 * len(counts) + 0.24 * sum(counts)
        figure, grid = panels(len(counts), 1, high, height_ratios=[count + 0.5 for count in counts], sharex=True)
        first, last = grid[0, 0], grid[-1, 0]
        for axes, (each, rows) in zip(grid[:, 0], readings.items(), strict=True):
            _ranges(axes, rows)
            axes.set_title(each, fontsize=10.5, pad=20 if axes is first else 4)
            axes.axvline(100 * stands, color=FIRM, linewidth=1.8, zorder=4)
        first.set_xlim(0, 100)
        last.set_xlabel(f"base retentions that give {claimed} (% a year)")
        if np.isfinite(stands):
            look = {"ha": "right" if stands > 0.5 else "left", "va": "bottom", "fontsize": 9.5, "color": FIRM}
            first.text(
                100 * stands, 1, f"the firm: {percent(stands, 0)}", transform=first.get_xaxis_transform(), **look
            )
        return figure

    told = " ".join(f"{each}: {_told_ranges(rows)}." for each, rows in readings.items())
    alt = (
        f"Bars of the base retentions from which the rise gives {claimed}, by discount rate and reading of the claim. "
        f"{told}"
    ) + (f" The firm's retention is {percent(stands)}." if np.isfinite(stands) else "")
    columns = {
        "unit": Column("Retention rises by", names=UNITS),
        "first_margin": Column("First margin", names=FIRST_MARGINS),
        "discount_rate": Column("Discount rate", digits=0, percent=True),
        "retention_low": Column("True from a retention of", digits=1, percent=True),
        "retention_high": Column("to", digits=1, percent=True),
        "falling_high": Column("and from", digits=1, percent=True),
        "falling_low": Column("to a retention of", digits=1, percent=True),
        "largest_uplift": Column("Largest uplift", digits=1, percent=True),
        "largest_at": Column("at a retention of", digits=1, percent=True),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns))


def true_ranges(line: dict) -> list[tuple[float, float]]:
    """Return between which base retentions the claim is true, from a row of `where_true`; none where it never is."""
    return five_points.true_ranges(line, *CLAIMED_UPLIFT, unit=line["unit"], first_margin=line["first_margin"])


def _ranges(axes, rows: pd.DataFrame) -> None:
    """Draw where one reading of the claim is true, a row for each discount rate."""
    lines = rows.to_dict("records")
    for row, line in enumerate(lines):
        for start, end in true_ranges(line):
            # an edge, so that a range of one retention alone is seen
            axes.barh(row, 100 * (end - start), left=100 * start, height=0.66, color=DIFFER, edgecolor=DIFFER, zorder=3)
    row_axes([f"discount rate {percent(rate, 0)}" for rate in rows.discount_rate], axes)
    end_rows(axes, [_range_words(line) for line in lines])


def _told_ranges(rows: pd.DataFrame) -> str:
    return "; ".join(f"{_range_words(line)} at {percent(line['discount_rate'], 0)}" for line in rows.to_dict("records"))


def _range_words(line: dict) -> str:
    words = [
        percent(end, 0) if _whole(start) == _whole(end) else f"{_whole(start)} to {percent(end, 0)}"
        for start, end in true_ranges(line)
    ]
    largest = float(line["largest_uplift"])
    never = f"never: at most {percent(largest, 0)}" if largest < CLAIMED_UPLIFT[0] else "never: always more"
    return ", ".join(words) or never


def _base(positions: pd.DataFrame) -> float:
    """Return the retention that the report rests on; nan where it is not known."""
    at = rows_seen(positions, "retention")
    if "is_base" in at.columns:
        at = at[at.is_base.astype(bool)]
    return float(at.retention.iloc[0]) if len(at) else np.nan
