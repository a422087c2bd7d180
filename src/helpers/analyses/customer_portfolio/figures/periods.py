"""Sales and profit over time: where one rose while the other fell, and what took the profit."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Figure, listed

from ...drawing import INK, ZERO, known_columns, legend_above, name_ends, nothing, panels, rows_seen
from .parts import FIRST, LOSS, Money, limits, money_column, numbers

SOURCES = {
    "volume": ("sales", "#56B4E9"),
    "margin_rate": ("margin rate", "#009E73"),
    "marketing": ("marketing", "#E69F00"),
    "service": ("service", "#CC79A7"),
}
MOST_TICKS = 6


def profit_periods(frame: pd.DataFrame, *, currency: str) -> Figure:
    """Draw sales and profit by period, and of what each change of profit consists.

    Parameters
    ----------
    frame : pandas.DataFrame
        period, sales, profit, opposed (whether sales rose while profit fell), profit_change and its parts: volume,
        margin_rate, marketing, service (in money; nan in the first period).
    currency : str
    """
    name, seen = "profit_periods", rows_seen(frame, "sales", "profit")
    if len(seen) < 2:
        return nothing(name, "There are fewer than two whole periods to compare.", frame)
    seen = seen.reset_index(drop=True)
    opposed = np.flatnonzero([each is True or each == True for each in seen.opposed])  # noqa: E712
    money = Money.of(currency, seen.sales, seen.profit)
    parts = {each: numbers(seen, each) for each in SOURCES if np.nan_to_num(numbers(seen, each)).any()}
    change = numbers(seen, "profit_change")
    across = np.arange(len(seen))

    def draw():
        figure, places = panels(2, 1, 5.6, sharex=True, height_ratios=[1.15, 1])
        above, below = places[:, 0]
        levels(above)
        changes(below)
        step = -(-len(seen) // MOST_TICKS)
        below.set_xticks(across[::step], seen.period[::step])
        below.set_xlim(-0.6, len(seen) - 0.4)
        return figure

    def levels(axes):
        from matplotlib.patches import Patch

        reach = limits(seen.sales, seen.profit)
        for place in opposed:
            axes.axvspan(place - 0.5, place + 0.5, color=LOSS, alpha=0.18, linewidth=0)
        # sales are broader, to be seen where both are the same
        for each, colour, marker, broad in (("sales", FIRST, "o", 4), ("profit", INK, "s", 1.6)):
            axes.plot(across, seen[each], color=colour, marker=marker, markersize=broad + 3, linewidth=broad, zorder=3)
        axes.axhline(0, color=ZERO, linewidth=1, zorder=1)
        axes.set_ylim(reach)
        name_ends(
            axes,
            [(across[-1], seen[each].iloc[-1]) for each in ("sales", "profit")],
            ["sales", "profit"],
            [FIRST, INK],
            0.1 * np.ptp(reach),
        )
        money.rule(axes.yaxis)
        axes.set_ylabel(money.unit)
        if len(opposed):
            legend_above(axes, [Patch(color=LOSS, alpha=0.18, label="sales rose while profit fell")])

    def changes(axes):
        from matplotlib.patches import Patch

        up, down = np.zeros(len(seen)), np.zeros(len(seen))
        for each, values in parts.items():
            values = np.nan_to_num(values)
            axes.bar(
                across, values, bottom=np.where(values >= 0, up, down), width=0.66, color=SOURCES[each][1], zorder=3
            )
            up, down = up + np.maximum(values, 0), down + np.minimum(values, 0)
        style = {"color": "white", "markeredgecolor": INK, "markersize": 7, "markeredgewidth": 1.4, "zorder": 5}
        (dot,) = axes.plot(across, change, "D", label="change of profit", **style)
        axes.axhline(0, color=ZERO, linewidth=1, zorder=4)
        money.rule(axes.yaxis)
        axes.set_ylabel(f"change by source ({money.unit})")
        axes.yaxis.label.set_size(9.5)
        legend_above(axes, [Patch(color=SOURCES[each][1], label=SOURCES[each][0]) for each in parts] + [dot], 3)

    first, last = seen.iloc[0], seen.iloc[-1]
    when = f"in {listed(list(seen.period[opposed]), 6)}" if len(opposed) else "in no period"
    alt = (
        f"Lines of sales and profit from {first.period} to {last.period}: sales from {money.told(first.sales)} to "
        f"{money.told(last.sales)}, profit from {money.told(first.profit)} to {money.told(last.profit)}. Sales rose "
        f"while profit fell {when}. Bars below part each change of profit into its sources."
    )
    columns = {
        "period": Column("Period"),
        "sales": money_column("Sales", currency),
        "profit": money_column("Profit", currency),
        "sales_change": money_column("Change of sales", currency),
        "profit_change": money_column("Change of profit", currency),
        "opposed": Column("Sales rose, profit fell"),
    }
    columns |= {each: money_column(f"of it by {word}", currency) for each, (word, _) in SOURCES.items()}
    return Figure(name, draw, alt, frame, known_columns(frame, columns))
