"""What the figures of retention economics share: names as they are drawn, colours, and rows of dots."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pandas as pd

from helpers.exhibits import Column, between, number, percent

from ...drawing import INK, ZERO, end_rows, row_axes, written
from ...referral_value.figures.parts import Money, ends, limits, money_column, numbers, share
from ..names import CLAIMED_UPLIFT

__all__ = ["CLAIMED_UPLIFT", "Money", "ends", "limits", "money_column", "numbers", "share"]

SOURCES = {"exits": "exits", "contracts": "contracts", "market_spend": "market spend", "set": "as set"}
UNITS = {"points": "percentage points", "percent": "per cent of itself"}
FIRST_MARGINS = {"certain": "first margin certain", "at_risk": "first margin at risk"}
DIFFERING, CONSTANT = "shifted_beta_geometric", "constant_retention"
METHODS = {
    DIFFERING: "customers differ",
    CONSTANT: "constant retention",
    "linear": "straight line",
    "quadratic": "parabola",
    "exponential": "exponential curve",
}
ALL = "all"
TOGETHER = "all channels"

# Of Okabe and Ito (2008): told from each other with any kind of colour vision.
DIFFER, ALIKE, FIRM, CLAIM = "#0072B2", "#E69F00", "#D55E00", "#CC79A7"
NOT_TOLD = "cannot be told"
LOW, HIGH = Column("95 % low", digits=1, percent=True), Column("95 % high", digits=1, percent=True)


def channel_name(name: str) -> str:
    """Return how a channel is told."""
    return TOGETHER if name == ALL else str(name)


def drawn_channels(names: Iterable[str], width: int = 16) -> list[str]:
    """Return how channels are drawn."""
    return [written(channel_name(name), width) for name in names]


def three(frame: pd.DataFrame, value: str, low: str, high: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return an estimate with its ends as numbers; nan where there is none."""
    return numbers(frame, value), numbers(frame, low), numbers(frame, high)


def dots(axes, values, low, high, names: Sequence[str], texts: Iterable[str], colours=INK) -> None:
    """Draw a dot with its interval for each row, its name on the left and its numbers on the right."""
    rows = np.arange(len(values))
    axes.hlines(rows, low, high, color=colours, linewidth=2.4, zorder=3)
    axes.scatter(values, rows, c=colours, s=46, clip_on=False, zorder=4)
    row_axes(list(names), axes)
    end_rows(axes, texts)


def beside_row(value: float, low: float, high: float, write: Callable[[float], str]) -> str:
    """Return an estimate as it stands beside a row, its interval below it."""
    if not np.isfinite(value):
        return NOT_TOLD
    return write(value) + (f"\n({write(low)} to {write(high)})" if np.isfinite([low, high]).all() else "")


def told_share(value: float, low: float, high: float, digits: int = 1) -> str:
    """Return a share with its interval for a sentence."""
    if not np.isfinite(value):
        return NOT_TOLD
    return percent(value, digits) + _interval(low, high, digits, 100)


def told_number(value: float, low: float, high: float, digits: int = 1) -> str:
    """Return a number with its interval for a sentence."""
    return number(value, digits) + _interval(low, high, digits) if np.isfinite(value) else NOT_TOLD


def told_money(money: Money, value: float, low: float, high: float) -> str:
    """Return money with its interval for a sentence."""
    if not np.isfinite(value):
        return NOT_TOLD
    return money.told_between(value, low, high) if np.isfinite([low, high]).all() else money.told(value)


def _interval(low: float, high: float, digits: int, scale: float = 1.0) -> str:
    return f" ({between(low, high, digits, scale)})" if np.isfinite([low, high]).all() else ""


def zero_line(axes) -> None:
    """Mark 0 where amounts may lie on either side of it."""
    axes.axvline(0, color=ZERO, linewidth=1, zorder=1)


def sentence(words: str) -> str:
    """Return words that begin with a capital letter."""
    return words[:1].upper() + words[1:]
