"""Why customers leave: the causes over time, their rates and what they cost, and which segments they hit."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Figure, number, percent
from helpers.models.customer_portfolio.churn_causes import CAUSES as ORDER

from ...drawing import (
    WIDTH,
    known_columns,
    name_ends,
    new_axes,
    nothing,
    panels,
    row_height,
    rows_seen,
    written,
)
from .parts import (
    CAUSE_COLOURS,
    CAUSES,
    ENGLISH,
    HIGH,
    LOW,
    NOT_SHOWN,
    Money,
    dots,
    drawn_names,
    in_english,
    limits,
    money_between,
    money_column,
    money_rows,
    numbers,
    one_of,
    told_money,
)

CAUSE = Column("Cause", names=CAUSES)
RATE = "exits per 100 customers and year, with 95 % interval"
DAYS_PER_YEAR = 365.25


def cumulative_incidence(frame: pd.DataFrame) -> Figure:
    """Draw which share of customers has left for each cause by a time since the first purchase.

    Parameters
    ----------
    frame : pandas.DataFrame
        cause, days, share (of all customers), low, high; nan where nobody is watched any more.
    """
    name, seen = "cumulative_incidence", rows_seen(frame, "days", "share")
    lines = {
        each: rows for each in ORDER if len(seen) and len(rows := seen[seen.cause == each]) > 1 and rows.share.any()
    }
    if not lines:
        return nothing(name, "Nobody is known to have left, or too few for any cause.", frame)
    top = 100 * max(np.nanmax([rows.share.max(), numbers(rows, "high").max()]) for rows in lines.values())

    def draw():
        figure, axes = new_axes(WIDTH, 4.2)
        names = [written(CAUSES[each], 14) for each in lines]
        for each, rows in lines.items():
            years, colour = rows.days / DAYS_PER_YEAR, CAUSE_COLOURS[each]
            axes.fill_between(
                years, 100 * numbers(rows, "low"), 100 * numbers(rows, "high"), color=colour, alpha=0.2, linewidth=0
            )
            axes.plot(years, 100 * rows.share, color=colour)
        axes.set(xlim=(0, max(rows.days.max() for rows in lines.values()) / DAYS_PER_YEAR), ylim=(0, 1.05 * top))
        tips = [(rows.days.iloc[-1] / DAYS_PER_YEAR, 100 * rows.share.iloc[-1]) for rows in lines.values()]
        tall = 0.06 * max(text.count("\n") + 1 for text in names) * top
        name_ends(axes, tips, names, [CAUSE_COLOURS[each] for each in lines], tall)
        axes.locator_params(nbins=6)
        axes.set_xlabel("years since the first purchase")
        axes.set_ylabel("customers who have left (%),\nwith 95 % interval")
        return figure

    told = "; ".join(
        f"{in_english(each, CAUSES)} {_ends(rows.iloc[-1])} by {number(rows.days.iloc[-1] / DAYS_PER_YEAR, 1)} years"
        for each, rows in lines.items()
    )
    alt = f"Lines of the share of customers who have left for each cause, over time since the first purchase: {told}."
    columns = {
        "cause": CAUSE,
        "days": Column("By", "days", 0),
        "share": Column("Of all customers", digits=1, percent=True),
        "low": LOW,
        "high": HIGH,
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns), ENGLISH)


def _ends(line: pd.Series) -> str:
    low, high = (float(line.get(end, np.nan)) for end in ("low", "high"))
    known = f" ({number(100 * low, 1)} to {number(100 * high, 1)})" if np.isfinite(low) and np.isfinite(high) else ""
    return f"{percent(line.share)}{known}"


def churn_causes(frame: pd.DataFrame, *, currency: str) -> Figure:
    """Draw how often customers leave for each cause, and the future value that went with them.

    Parameters
    ----------
    frame : pandas.DataFrame
        cause, exits, rate, rate_low, rate_high (exits per customer and year), value_lost, value_lost_low,
        value_lost_high (in money), avoidable; nan where it is not to be shown.
    currency : str
    """
    name = "churn_causes"
    if rows_seen(frame, "rate").empty:
        return nothing(name, "Nobody is known to have left, or too few for any cause.", frame)
    seen = one_of(frame, "cause", ORDER)
    rates = [100 * numbers(seen, each) for each in ("rate", "rate_low", "rate_high")]
    lost = [numbers(seen, each) for each in ("value_lost", "value_lost_low", "value_lost_high")]
    is_valued = bool(np.isfinite(lost[0]).any())
    money, labels = Money.of(currency, *lost), drawn_names(seen.cause, CAUSES, 16)
    colours = [CAUSE_COLOURS[each] for each in seen.cause]

    def draw():
        figure, places = panels(1 + is_valued, 1, (1 + is_valued) * (0.75 + row_height(labels, 0.44) * len(seen)))
        axes = places[0, 0]
        dots(axes, *rates, labels, [_rate(*each) for each in zip(*rates, strict=True)], colours)
        axes.set_xlim(*limits(*rates))
        axes.locator_params(axis="x", nbins=6)
        axes.set_xlabel(RATE)
        if is_valued:
            axes = places[1, 0]
            dots(axes, *lost, labels, [money_between(money, *each) for each in zip(*lost, strict=True)], colours)
            money_rows(axes, money, f"future value lost between the two dates ({money.unit})", *lost)
        return figure

    told = "; ".join(
        f"{in_english(cause, CAUSES)} {_rate(*rate).replace(chr(10), ' ')}"
        + (f", future value lost {told_money(money, *worth)}" if is_valued else "")
        for cause, rate, worth in zip(seen.cause, zip(*rates, strict=True), zip(*lost, strict=True), strict=True)
    )
    alt = f"Dots with 95 % intervals of exits per 100 customers and year by cause: {told}."
    columns = {
        "cause": CAUSE,
        "exits": Column("Exits", digits=0),
        "rate": Column("Exits per customer and year", digits=3),
        "rate_low": Column("95 % low of the rate", digits=3),
        "rate_high": Column("95 % high of the rate", digits=3),
        "value_lost": money_column("Future value lost", currency),
        "value_lost_low": money_column("95 % low of the value", currency),
        "value_lost_high": money_column("95 % high of the value", currency),
        "avoidable": Column("Avoidable"),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns), ENGLISH)


def _rate(value: float, low: float, high: float) -> str:
    if not np.isfinite(value):
        return NOT_SHOWN
    known = np.isfinite(low) and np.isfinite(high)
    return number(value, 1) + (f"\n({number(low, 1)} to {number(high, 1)})" if known else "")
