"""Customers by tier: those of value net of cost to serve, and the pyramid."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Figure, percent
from helpers.models.customer_portfolio.tiers import TIERS as ORDER

from ...drawing import INK, ZERO, known_columns, legend_above, nothing, panels, row_axes, rows_seen
from ..names import PYRAMID as STEPS
from .parts import (
    CUSTOMERS,
    ENGLISH,
    FIRST,
    FOURTH,
    HIGH,
    LOSS,
    LOW,
    NOT_SHOWN,
    PYRAMID,
    SECOND,
    SHARE,
    THIRD,
    TIERS,
    Money,
    bars,
    drawn_names,
    end_rows,
    in_english,
    money_column,
    money_rows,
    numbers,
    one_of,
    scale_of_shares,
    share,
    share_between,
    told_share,
)

PARTS = {"actual_value": ("actual value", FIRST), "strategic_value": ("strategic value", "#56B4E9")}
COST = ("cost to serve", "#E69F00")
AMOUNTS = {
    "share_of_sales": ("sales", FIRST, "o"),
    "share_of_margin": ("margin", THIRD, "s"),
    "share_of_profit": ("profit", SECOND, "D"),
    "share_of_lifetime_value": ("lifetime value", FOURTH, "^"),
}


def tiers(frame: pd.DataFrame, *, currency: str) -> Figure:
    """Draw how many customers are in each tier, and of what its value consists.

    Parameters
    ----------
    frame : pandas.DataFrame
        tier, customers, share, expected_share, low, high (over draws of their values; 0 to 1), actual_value,
        strategic_value, cost_to_serve (of all of the tier); nan where it is not to be shown.
    currency : str
    """
    name = "tiers"
    if not numbers(rows_seen(frame, "share"), "share").any():
        return nothing(name, "No tier of customers is large enough to be shown.", frame)
    seen = one_of(frame, "tier", ORDER)
    part, *expected = (numbers(seen, each) for each in ("share", "expected_share", "low", "high"))
    actual, strategic, cost = (numbers(seen, each) for each in (*PARTS, "cost_to_serve"))
    net = np.where(part == 0, np.nan, actual + strategic - cost)
    money = Money.of(currency, actual, strategic, cost)
    labels = drawn_names(seen.tier, TIERS)

    def draw():
        figure, (above, below) = panels(2, 1, 2.6 + 0.84 * len(seen))
        axes = above[0]
        colours = [LOSS if each == "below_zero" else INK for each in seen.tier]
        bars(axes, 100 * part, labels, map(_shares, part, *expected), colours, *(100 * each for each in expected[1:]))
        scale_of_shares(axes, part, *expected)
        axes.set_xlabel("customers (%); line: 95 % interval of the share expected by draws")
        amounts(below[0])
        return figure

    def amounts(axes):
        from matplotlib.patches import Patch

        rows = range(len(seen))
        right, left = np.zeros(len(seen)), np.zeros(len(seen))
        for (_, colour), values in zip((*PARTS.values(), COST), (actual, strategic, -cost), strict=True):
            values = np.nan_to_num(values)
            start = np.where(values >= 0, right, left)
            axes.barh(rows, values, left=start, height=0.6, color=colour, zorder=3)
            right, left = right + np.maximum(values, 0), left + np.minimum(values, 0)
        style = {"color": "white", "markeredgecolor": INK, "markersize": 8, "markeredgewidth": 1.4}
        (dot,) = axes.plot(net, rows, "D", zorder=7, label="net", clip_on=False, **style)
        row_axes(labels, axes)
        money_rows(axes, money, f"all customers of the tier ({money.unit})", left, right)
        end_rows(axes, [_net(money.text, *each) for each in zip(part, net, strict=True)])
        legend_above(axes, [Patch(color=shade, label=word) for word, shade in (*PARTS.values(), COST)] + [dot], 4)

    told = "; ".join(
        f"{in_english(each, TIERS)} {told_share(size, np.nan, np.nan)} of customers, expected {told_share(*drawn)}, "
        f"net {_net(money.told, size, worth)}"
        for each, size, *drawn, worth in zip(seen.tier, part, *expected, net, strict=True)
    )
    alt = (
        "Bars of the share of customers in each tier, and of what its customers are worth: actual and strategic value "
        f"less cost to serve. {told[0].upper()}{told[1:]}."
    )
    columns = {
        "tier": Column("Tier", names=TIERS),
        "customers": CUSTOMERS,
        "share": SHARE,
        "expected_share": Column("Expected share", digits=1, percent=True),
        "low": LOW,
        "high": HIGH,
    }
    columns |= {each: money_column(word.capitalize(), currency) for each, (word, _) in PARTS.items()}
    columns["cost_to_serve"] = money_column("Cost to serve", currency)
    columns["value"] = money_column("Value", currency)
    return Figure(name, draw, alt, frame, known_columns(frame, columns), ENGLISH)


def _net(write, part: float, worth: float) -> str:
    if np.isfinite(worth):
        return write(worth)
    return NOT_SHOWN if part else "no customers"


def _shares(part: float, expected: float, low: float, high: float) -> str:
    drawn = f"\nexpected {share_between(expected, low, high)}" if np.isfinite(expected) else ""
    return (share(part) if np.isfinite(part) else NOT_SHOWN) + drawn


def pyramid(frame: pd.DataFrame) -> Figure:
    """Draw the tiers of the pyramid as shares of customers, and beside them their shares of amounts.

    Parameters
    ----------
    frame : pandas.DataFrame
        tier, customers, share, share_of_sales, share_of_margin, share_of_profit, share_of_lifetime_value (0 to 1; may
        be below 0); nan where it is not to be shown.
    """
    name = "pyramid"
    if not numbers(rows_seen(frame, "share"), "share").any():
        return nothing(name, "No tier of the pyramid is large enough to be shown.", frame)
    seen = one_of(frame, "tier", STEPS)
    part = numbers(seen, "share")
    held = {each: numbers(seen, each) for each in AMOUNTS if np.isfinite(numbers(seen, each)).any()}

    def draw():
        figure, places = panels(1, 2, 1.6 + 0.56 * len(seen), width_ratios=[1, 1.5], sharey=True)
        left, right = places[0]
        rows = np.arange(len(seen))
        left.barh(rows, 100 * np.nan_to_num(part), left=-50 * np.nan_to_num(part), height=0.86, color=INK, zorder=3)
        row_axes(drawn_names(seen.tier, PYRAMID, 10), left)
        left.set(xlim=(-50, 50), xticks=[])
        left.grid(visible=False)
        left.spines[:].set_visible(False)
        for row, value in zip(rows, part, strict=True):
            inside = value > 0.4
            style = {"ha": "center", "color": "white"} if inside else {"ha": "left", "color": INK}
            text = share(value) if np.isfinite(value) else NOT_SHOWN
            left.text(0 if inside else 50 * np.nan_to_num(value) + 3, row, text, va="center", zorder=5, **style)
        left.set_xlabel("customers")
        amounts(right, rows)
        return figure

    def amounts(axes, rows):
        handles = []
        for place, (each, values) in enumerate(held.items()):
            word, colour, marker = AMOUNTS[each]
            style = {"color": colour, "markersize": 7, "label": word, "zorder": 4, "clip_on": False}
            aside = 0.16 * (place - (len(held) - 1) / 2)
            handles += axes.plot(100 * values, rows + aside, marker, **style)
        axes.tick_params(axis="y", length=0)
        axes.grid(visible=True, axis="x")
        axes.grid(visible=False, axis="y")
        axes.hlines(rows[1:] - 0.5, 0, 1, transform=axes.get_yaxis_transform(), color="#E3E3E3", linewidth=0.8)
        axes.axvline(0, color=ZERO, linewidth=1, zorder=1)
        axes.locator_params(axis="x", nbins=5)
        axes.set_xlabel("held of all (%)")
        legend_above(axes, handles, 2)

    told = "; ".join(
        f"{in_english(line['tier'], PYRAMID)} {f'{percent(size)} of customers' if np.isfinite(size) else NOT_SHOWN}"
        + "".join(
            f", {percent(line[each])} of {AMOUNTS[each][0]}" for each in held if np.isfinite(line[each] or np.nan)
        )
        for size, line in zip(part, seen.to_dict("records"), strict=True)
    )
    alt = f"Pyramid of customers by lifetime value, beside the share of each amount that a tier holds: {told}."
    columns = {"tier": Column("Tier", names=PYRAMID), "customers": CUSTOMERS, "share": SHARE}
    columns |= {each: Column(f"Share of {word}", digits=1, percent=True) for each, (word, *_) in AMOUNTS.items()}
    return Figure(name, draw, alt, frame, known_columns(frame, columns), ENGLISH)
