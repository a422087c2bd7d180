"""Customer equity from the earlier date to the later one."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Figure

from ...drawing import (
    RULE,
    WIDTH,
    end_rows,
    known_columns,
    legend_above,
    new_axes,
    nothing,
    row_axes,
    row_height,
    rows_seen,
)
from .parts import Money, money_between, money_column, money_rows, numbers, one_of, told_money

LINES = {
    "opening": "earlier date",
    "new": "new customers",
    "lost": "customers lost",
    "gone_before": "probably gone before",
    "discount": "time and discount rate",
    "margin": "margins",
    "growth": "rest of those kept",
    "closing": "later date",
}
TOTALS = ("opening", "closing")
SHADES = {"total": "#4D4D4D", "adds": "#56B4E9", "takes": "#E69F00"}
WORDS = {"total": "customer equity", "adds": "adds", "takes": "takes away"}


def equity_bridge(frame: pd.DataFrame, *, currency: str) -> Figure:
    """Draw what customer equity was, what changed it, and what it is now, step by step.

    Parameters
    ----------
    frame : pandas.DataFrame
        line (of `helpers.models.customer_portfolio.equity_bridge.LINES`, which add up), value, low, high (in money; nan
        where there is no interval).
    currency : str
    """
    name = "equity_bridge"
    if rows_seen(frame, "value").empty:
        return nothing(name, "Why customer equity changed is not shown: it is of too few customers.", frame)
    seen = one_of(frame, "line", tuple(LINES))
    value, low, high = (numbers(seen, each) for each in ("value", "low", "high"))
    spans = _spans(seen)
    money = Money.of(currency, value, low, high, figures=4)
    kinds = [
        "total" if line in TOTALS else "takes" if each < 0 else "adds"
        for line, each in zip(seen.line, value, strict=True)
    ]
    labels = [LINES[each].replace(" and ", " and\n") for each in seen.line]

    def draw():
        from matplotlib.patches import Patch

        figure, axes = new_axes(WIDTH, 1.4 + row_height(labels, 0.46) * len(seen))
        for row, (kind, (start, end)) in enumerate(zip(kinds, spans, strict=True)):
            look = {"facecolor": SHADES[kind], "edgecolor": SHADES[kind], "linewidth": 1, "zorder": 3}
            axes.barh(row, end - start, left=start, height=0.62, **look)
            if row + 1 < len(seen) and np.isfinite(value).all():
                axes.plot([end, end], [row + 0.31, row + 0.69], color=RULE, linewidth=1, zorder=2)
        starts = np.array([start for start, _ in spans])
        for width, colour in ((3.6, "white"), (1.6, "black")):
            axes.hlines(range(len(seen)), starts + low, starts + high, color=colour, linewidth=width, zorder=4)
        row_axes(labels, axes)
        money_rows(axes, money, f"{money.unit}, with 95 % intervals", spans, starts + low, starts + high)
        end_rows(axes, [_text(money, kind, *each) for kind, *each in zip(kinds, value, low, high, strict=True)])
        legend_above(axes, [Patch(color=SHADES[each], label=WORDS[each]) for each in SHADES if each in kinds])
        return figure

    told = "; ".join(
        f"{LINES[line]} {told_money(money, *each)}" for line, *each in zip(seen.line, value, low, high, strict=True)
    )
    alt = f"Waterfall of customer equity from the earlier date to the later one: {told}."
    columns = {
        "line": Column("Line", names=LINES),
        "value": money_column("Amount", currency),
        "low": money_column("95 % low", currency),
        "high": money_column("95 % high", currency),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns))


def _text(money: Money, kind: str, value: float, low: float, high: float) -> str:
    text = money_between(money, value, low, high)
    return f"+{text}" if kind == "adds" and value > 0 else text


def _spans(seen: pd.DataFrame) -> list[tuple[float, float]]:
    """Return where each row starts and ends: steps go on from the row above, where all are shown."""
    values = numbers(seen, "value")
    follows, spans, level = np.isfinite(values).all(), [], 0.0
    for line, value in zip(seen.line, np.nan_to_num(values), strict=True):
        start = level if follows and line not in TOTALS else 0.0
        level = start + value
        spans.append((start, level))
    return spans
