"""What the figures of the portfolio report share: names and colours, rows of bars or dots, and grids of cells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from helpers.exhibits import Column, number, percent
from helpers.models.customer_portfolio.commercial_value import COMPONENTS

from ...drawing import INK, RULE, ZERO, end_rows, row_axes, written
from ...referral_value.figures.parts import Money, ends, in_words, limits, money_column, numbers, scale_of_shares, share
from .. import names

__all__ = ["Money", "ends", "in_words", "limits", "money_column", "numbers", "scale_of_shares", "share"]


def _both(english: Mapping[str, str], chinese: Mapping[str, str]) -> dict[str, str]:
    return {each: f"{chinese[each]} {word}" for each, word in english.items()}


CLASSES = _both(names.CLASS_NAMES, names.CLASS_CHINESE)
TIERS = _both({each: word.split(":")[0] for each, word in names.TIER_NAMES.items()}, names.TIER_CHINESE)
STAGES = _both(names.STAGE_NAMES, names.STAGE_CHINESE)
CAUSES = _both(names.CAUSE_NAMES, names.CAUSE_CHINESE)
LEVELS = _both(names.LEVEL_NAMES, names.LEVEL_CHINESE)
PYRAMID = _both(names.PYRAMID_NAMES, names.PYRAMID_CHINESE)
COMPONENT_NAMES = {each: f"{each} value" for each in COMPONENTS}
ENGLISH = {
    label: label.split(" ", 1)[1]
    for every in (CLASSES, TIERS, STAGES, CAUSES, LEVELS, PYRAMID)
    for label in every.values()
}

# Of Okabe and Ito (2008): told from each other with any kind of colour vision. A class has one colour everywhere.
CLASS_COLOURS = {"gold": "#E69F00", "platinum": "#56B4E9", "iron": "#A5442B", "lead": "#8C8C8C"}
CAUSE_COLOURS = {
    "given_up": "#8C8C8C",
    "left": "#0072B2",
    "poached": "#D55E00",
    "forced": "#E69F00",
    "unknown": "#333333",
}
FIRST, SECOND, THIRD, FOURTH = "#0072B2", "#D55E00", "#009E73", "#CC79A7"  # of amounts, and of whatever is set aside
PALE, LOSS = "#B9C9D6", "#D55E00"
NOT_SHOWN = "not shown"

CUSTOMERS = Column("Customers", "customers", 0)
SHARE = Column("Share of customers", digits=1, percent=True)
LOW, HIGH = Column("95 % low", digits=1, percent=True), Column("95 % high", digits=1, percent=True)


def drawn_names(keys: Iterable[str], labels: Mapping[str, str], width: int = 18) -> list[str]:
    """Return how keys are drawn: by their label, or, of the user's own, as they are."""
    return [written(labels.get(str(key), str(key)), width) for key in keys]


def in_english(key: str, labels: Mapping[str, str]) -> str:
    """Return how a key is told in a sentence."""
    label = labels.get(str(key), str(key))
    return ENGLISH.get(label, label)


def one_of(frame: pd.DataFrame, name: str, keys: Sequence[str]) -> pd.DataFrame:
    """Return the rows of known keys, in the order of these."""
    if name not in frame.columns:
        return frame.iloc[:0]
    places = {key: place for place, key in enumerate(keys)}
    return frame[frame[name].isin(places)].sort_values(name, key=lambda found: found.map(places), kind="stable")


def bars(axes, values, labels: Sequence[str], texts: Iterable[str], colours=INK, low=None, high=None) -> None:
    """Draw a bar for each row with its interval, its name on the left and its numbers on the right."""
    rows = np.arange(len(values))
    axes.barh(rows, np.nan_to_num(values), height=0.62, color=colours, zorder=3)
    if low is not None:
        # on bars of any colour the interval needs an edge of its own
        axes.hlines(rows, low, high, color="white", linewidth=3.6, zorder=4)
        axes.hlines(rows, low, high, color="black", linewidth=1.6, zorder=5)
    row_axes(list(labels), axes)
    end_rows(axes, texts)


def dots(axes, values, low, high, labels: Sequence[str], texts: Iterable[str], colours=INK) -> None:
    """Draw a dot with its interval for each row, its name on the left and its numbers on the right."""
    rows = np.arange(len(values))
    axes.hlines(rows, low, high, color=colours, linewidth=2.2, zorder=3)
    axes.scatter(values, rows, c=colours, s=46, clip_on=False, zorder=4)
    row_axes(list(labels), axes)
    end_rows(axes, texts)


def money_rows(axes, money: Money, label: str, *values, ticks: int = 5) -> None:
    """Let an axis of money hold all values and 0."""
    axes.set_xlim(*limits(*values))
    axes.axvline(0, color=ZERO, linewidth=1, zorder=6)
    money.rule(axes.xaxis, ticks)
    axes.set_xlabel(label)


def grid(
    axes, shades, texts, rows: Sequence[str], columns: Sequence[str], *, span=(0.0, 1.0), colours="Blues", size=9.5
) -> None:
    """Draw cells with what is written in them; those without a number are grey.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    shades : array_like, shape (rows, columns)
        What is coloured; nan where nothing is to be shown.
    texts : array_like of str, shape (rows, columns)
    rows, columns : sequence of str
        As they are drawn.
    span : tuple of float
        From the lightest to the darkest shade, or from end to end of a scale with two sides.
    colours : str
        A scale of matplotlib.
    size : float
        Points of the texts in the cells.
    """
    from matplotlib import colormaps
    from matplotlib.colors import Normalize

    shades = np.asarray(shades, float)
    scale = colormaps[colours].with_extremes(bad="#EFEFEF")
    norm = Normalize(*span)
    axes.imshow(np.ma.masked_invalid(shades), cmap=scale, norm=norm, aspect="auto")
    axes.hlines(np.arange(0.5, len(rows) - 1), -0.5, len(columns) - 0.5, color="white", linewidth=1.5)
    axes.vlines(np.arange(0.5, len(columns) - 1), -0.5, len(rows) - 0.5, color="white", linewidth=1.5)
    for (row, column), shade in np.ndenumerate(shades):
        on_dark = np.isfinite(shade) and _is_dark(scale(norm(shade)))
        style = {"ha": "center", "va": "center", "fontsize": size, "linespacing": 1.15}
        axes.text(column, row, texts[row][column], color="white" if on_dark else "black", **style)
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(len(rows)), rows)
    axes.tick_params(length=0, labelcolor=INK, labelsize=9.5)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)


def _is_dark(colour) -> bool:
    """Tell whether white letters stand out from a colour more than black ones (WCAG 2.1, relative luminance)."""
    parts = np.asarray(colour[:3])
    linear = np.where(parts > 0.04045, ((parts + 0.055) / 1.055) ** 2.4, parts / 12.92)
    return float(linear @ [0.2126, 0.7152, 0.0722]) < 0.179


def pivoted(frame: pd.DataFrame, row: str, column: str, value: str, rows: Sequence, columns: Sequence) -> np.ndarray:
    """Return one column of a long frame as an array of shape (rows, columns); nan where it says nothing."""
    if value not in frame.columns:
        return np.full((len(rows), len(columns)), np.nan)
    wide = frame.drop_duplicates([row, column]).pivot(index=row, columns=column, values=value)
    return wide.reindex(index=list(rows), columns=list(columns)).to_numpy(float)


def count(value: float) -> str:
    """Return a number of customers, or that it is not to be shown."""
    return number(value) if np.isfinite(value) else NOT_SHOWN


def told_share(value: float, low: float, high: float) -> str:
    """Return a share with its interval for a sentence, or that it is not to be shown."""
    if not np.isfinite(value):
        return NOT_SHOWN
    return in_words(value, low, high) if np.isfinite(low) and np.isfinite(high) else percent(value)


def told_money(money: Money, value: float, low: float, high: float) -> str:
    """Return money with its interval for a sentence, or that it is not to be shown."""
    if not np.isfinite(value):
        return NOT_SHOWN
    known = np.isfinite(low) and np.isfinite(high)
    return money.told_between(value, low, high) if known else money.told(value)


def money_between(money: Money, value: float, low: float, high: float) -> str:
    """Return money with its interval on a second line, as it stands beside a row."""
    if not np.isfinite(value):
        return NOT_SHOWN
    known = np.isfinite(low) and np.isfinite(high)
    return money.text(value) + (f"\n({money.text(low)} to {money.text(high)})" if known else "")


def share_between(value: float, low: float, high: float) -> str:
    """Return a share with its interval, as it stands beside a row."""
    if not np.isfinite(value):
        return NOT_SHOWN
    if high - low < 0.02:  # else both ends might read alike
        return f"{percent(value)} ({number(100 * low, 1)} to {number(100 * high, 1)})"
    return f"{share(value)}{ends(low, high)}"


def diagonal(axes, **look) -> None:
    """Draw the line on which all would be alike."""
    axes.plot([0, 100], [0, 100], color=RULE, linewidth=1, linestyle="--", zorder=1, **look)
