"""Curves over customers in order of their value: how unevenly it is spread, and who takes some of it back."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Figure, between, number, percent

from ...drawing import INK, RULE, WIDTH, ZERO, known_columns, new_axes, nothing, rows_seen
from .parts import FIRST, FOURTH, LOSS, SECOND, THIRD, Money, diagonal, limits, money_column, share

LOOKS = {
    "sales": ("sales", FIRST, "-"),
    "margin": ("margin", THIRD, "--"),
    "profit": ("profit", SECOND, "-."),
    "lifetime_value": ("lifetime value", FOURTH, ":"),
}
ALONG = Column("Share of customers", digits=1, percent=True)


def lorenz(frame: pd.DataFrame) -> Figure:
    """Draw the share of each amount that the least valuable customers hold, with its Gini coefficient.

    Parameters
    ----------
    frame : pandas.DataFrame
        amount, share_of_customers (the least valuable first), share_of_amount, gini, low, high (the same in all rows of
        an amount; nan where there is no interval).
    """
    name, seen = "lorenz", rows_seen(frame, "share_of_amount")
    lines = {each: seen[seen.amount == each] for each in LOOKS if len(seen) and (seen.amount == each).any()}
    if not lines:
        return nothing(name, "How value is spread is not drawn: it is not positive, or of too few customers.", frame)
    found = {each: tuple(float(rows[end].iloc[0]) for end in ("gini", "low", "high")) for each, rows in lines.items()}

    def draw():
        figure, axes = new_axes(WIDTH, 4.8)
        for each, rows in lines.items():
            word, colour, style = LOOKS[each]
            value, low, high = found[each]
            known = f" ({number(low, 2)} to {number(high, 2)})" if np.isfinite(low) and np.isfinite(high) else ""
            label = f"{word}: Gini {number(value, 2)}{known}"
            axes.plot(100 * rows.share_of_customers, 100 * rows.share_of_amount, style, color=colour, label=label)
        diagonal(axes)
        axes.text(50, 53, "all alike", color=ZERO, ha="right")
        axes.axhline(0, color=ZERO, linewidth=1, zorder=1)
        axes.set(xlim=(0, 100), ylim=(min(0, 105 * seen.share_of_amount.min()), 100))
        axes.set(xlabel="customers, the least valuable first (%)", ylabel="held by them (%)")
        axes.legend(loc="upper left", labelcolor=INK, handlelength=2.6)
        return figure

    told = "; ".join(
        f"{LOOKS[each][0]} {number(value, 2)} ({between(low, high, 2)})" for each, (value, low, high) in found.items()
    )
    alt = f"Lorenz curves below the line of equality; Gini coefficients: {told}."
    columns = {
        "amount": Column("Amount", names={each: word for each, (word, *_) in LOOKS.items()}),
        "share_of_customers": ALONG,
        "share_of_amount": Column("Share of the amount", digits=1, percent=True),
        "gini": Column("Gini coefficient", digits=3),
        "low": Column("95 % low", digits=3),
        "high": Column("95 % high", digits=3),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns))


def whale_curve(frame: pd.DataFrame, *, currency: str) -> Figure:
    """Draw cumulated profit over customers, the most profitable first; who costs more than they bring takes it back.

    Parameters
    ----------
    frame : pandas.DataFrame
        share_of_customers (from 0 to 1), profit (cumulated, in money).
    currency : str
    """
    name, seen = "whale_curve", rows_seen(frame, "share_of_customers", "profit")
    if len(seen) < 3:
        return nothing(name, "Cumulated profit is not drawn: there are too few customers.", frame)
    peak, last = seen.loc[seen.profit.idxmax()], seen.iloc[-1]
    money = Money.of(currency, seen.profit)
    falls = peak.profit > last.profit and peak.profit > 0

    def draw():
        figure, axes = new_axes(WIDTH, 4.2)
        axes.plot(100 * seen.share_of_customers, seen.profit, color=INK)
        axes.axhline(0, color=ZERO, linewidth=1, zorder=1)
        axes.axhline(last.profit, color=RULE, linewidth=1, linestyle="--", zorder=1)
        low, high = limits(seen.profit)
        axes.set(xlim=(0, 100), ylim=(low, high + 0.14 * (high - low)))
        if falls:
            beyond = seen[seen.share_of_customers >= peak.share_of_customers]
            across = 100 * beyond.share_of_customers
            axes.fill_between(across, beyond.profit, peak.profit, color=LOSS, alpha=0.25, linewidth=0)
            axes.plot(100 * peak.share_of_customers, peak.profit, "o", color=LOSS, zorder=4)
            along = 100 * peak.share_of_customers
            side = "left" if along < 30 else "right" if along > 70 else "center"
            top = f"most: {money.text(peak.profit)} with {percent(peak.share_of_customers, 0)} of customers"
            axes.annotate(top, (along, peak.profit), (0, 8), textcoords="offset points", ha=side, color=INK)
        style = {"textcoords": "offset points", "ha": "right", "va": "top", "color": INK}
        axes.annotate(f"all: {money.text(last.profit)}", (100, last.profit), (-4, -26 if falls else -12), **style)
        money.rule(axes.yaxis)
        axes.set_xlabel("customers, the most profitable first (%)")
        axes.set_ylabel(f"cumulated profit ({money.unit})")
        return figure

    fifth = float(np.interp(0.2, seen.share_of_customers, seen.profit))
    alt = (
        f"Curve of cumulated profit over customers, the most profitable first: {money.told(fifth)} from the first "
        f"fifth, {money.told(last.profit)} from all."
    )
    if falls:
        alt += (
            f" It is highest, at {money.told(peak.profit)}, with {percent(peak.share_of_customers)} of customers; "
            f"the others take {money.told(peak.profit - last.profit)} of it back."
        )
    columns = {"share_of_customers": ALONG, "profit": money_column("Cumulated profit", currency)}
    return Figure(name, draw, alt, frame, known_columns(frame, columns))


def decline_curve(frame: pd.DataFrame, *, currency: str) -> Figure:
    """Draw the expected gain of investing in customers in decline, those who promise most first.

    Parameters
    ----------
    frame : pandas.DataFrame
        share_of_customers (of those in decline, from 0 to 1), customers (so many of them), gain (cumulated, in money).
    currency : str
    """
    name, seen = "decline_curve", rows_seen(frame, "share_of_customers", "gain")
    if len(seen) < 3:
        return nothing(name, "Too few customers are in decline to draw what investing in them would bring.", frame)
    money, reach = Money.of(currency, seen.gain), limits(seen.gain)
    best, last = seen.loc[seen.gain.idxmax()], seen.iloc[-1]

    def draw():
        figure, axes = new_axes(WIDTH, 3.6)
        axes.plot(100 * seen.share_of_customers, seen.gain, color=INK)
        axes.axhline(0, color=ZERO, linewidth=1, zorder=1)
        axes.set(xlim=(0, 100), ylim=(reach[0] - 0.1 * np.ptp(reach), reach[1] + 0.2 * np.ptp(reach)))
        place = 100 * best.share_of_customers
        axes.axvline(place, color=RULE, linewidth=1, linestyle=":")
        axes.plot(place, best.gain, "o", color=FIRST, zorder=4, clip_on=False)
        side = "left" if place < 60 else "right"
        text = f"best: {money.text(best.gain)} in {share(best.share_of_customers)} ({number(best.customers)} customers)"
        style = {"textcoords": "offset points", "color": INK}
        axes.annotate(text, (place, best.gain), (6 if side == "left" else -6, 8), ha=side, **style)
        if place < 100:
            # gains fall from customer to customer, so nothing is drawn below the right end of the curve
            text, away = f"everyone: {money.text(last.gain)}", (-2, -5)
            axes.annotate(text, (100, last.gain), away, ha="right", va="top", **style)
        money.rule(axes.yaxis)
        axes.set_xlabel("customers in decline in whom to invest, most promising first (%)")
        axes.set_ylabel(f"expected gain ({money.unit})")
        return figure

    alt = (
        "Curve of the expected gain of investing in customers in decline, the most promising first: highest, at "
        f"{money.told(best.gain)}, when {number(best.customers)} of {number(last.customers)} are invested in "
        f"({percent(best.share_of_customers)}); {money.told(last.gain)} when all are."
    )
    columns = {
        "share_of_customers": Column("Share of customers in decline", digits=1, percent=True),
        "customers": Column("Customers invested in", "customers", 0),
        "gain": money_column("Cumulated expected gain", currency),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns))
