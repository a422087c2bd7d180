"""What keeping is worth: the multiples of the sources, what moves customer equity, and how steady revenue is."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Figure, number, percent

from ...drawing import (
    INK,
    WIDTH,
    end_rows,
    known_columns,
    legend_above,
    new_axes,
    nothing,
    panels,
    row_axes,
    row_height,
    rows_seen,
    written,
)
from .parts import (
    CLAIM,
    HIGH,
    LOW,
    Money,
    beside_row,
    dots,
    limits,
    money_column,
    numbers,
    share,
    three,
    told_number,
    told_share,
)

# what stands on one axis, and what the axis counts
QUANTITIES = {
    "repeat purchases to expect": {
        "repeat_purchases_loyal": "a loyal customer",
        "repeat_purchases_all": "all customers,\non average",
    },
    "times": {
        "value_multiple": "value over cost of loyal\ncustomers, in that of new ones",
        "claimed_60_arithmetic": "the sources' product:\npurchases × cost ratio",
    },
}
DRIVERS = {
    "retention": "retention",
    "margin": "margin of\na customer",
    "discount_rate": "discount rate",
    "acquisition_cost": "cost of a\nnew customer",
    "new_per_year": "customers\nwon a year",
    "customers": "customers\ntoday",
}
LOWER, HIGHER = "#E69F00", "#56B4E9"


def multiples(frame: pd.DataFrame) -> Figure:
    """Draw what is claimed to be 10 and 60 beside what these data say.

    Parameters
    ----------
    frame : pandas.DataFrame
        quantity (of `QUANTITIES`), value, low, high, claimed; nan where there is none.
    """
    name, seen = "multiples", rows_seen(frame, "value")
    kinds = [
        (unit, seen[seen.quantity.isin(names)], names)
        for unit, names in QUANTITIES.items()
        if "quantity" in seen.columns
    ]
    kinds = [each for each in kinds if len(each[1])]
    if not kinds:
        return nothing(name, "Neither purchases nor values of customers are known.", frame)

    def draw():
        from matplotlib.lines import Line2D

        counts = [len(rows) for _, rows, _ in kinds]
        figure, grid = panels(
            len(kinds), 1, 0.4 + 0.75 * len(kinds) + 0.52 * sum(counts), height_ratios=[count + 0.3 for count in counts]
        )
        for axes, (unit, rows, names) in zip(grid[:, 0], kinds, strict=True):
            value, low, high = three(rows, "value", "low", "high")
            claimed = numbers(rows, "claimed")
            texts = [beside_row(*each, _times) for each in zip(value, low, high, strict=True)]
            dots(axes, value, low, high, [names[each] for each in rows.quantity], texts)
            axes.plot(
                claimed, range(len(rows)), "|", color=CLAIM, markersize=20, markeredgewidth=3.5, zorder=5, clip_on=False
            )
            axes.set_xlim(*limits(value, low, high, claimed))
            axes.locator_params(axis="x", nbins=6)
            axes.set_xlabel(f"{unit}, with 95 % interval")
        marks = [
            Line2D([], [], marker="o", linestyle="", color=INK, markersize=7, label="these data"),
            Line2D(
                [], [], marker="|", linestyle="", color=CLAIM, markersize=14, markeredgewidth=3.5, label="as claimed"
            ),
        ]
        legend_above(grid[0, 0], marks, 2)
        return figure

    told = "; ".join(
        _told_multiple(line, names, unit) for unit, rows, names in kinds for line in rows.to_dict("records")
    )
    alt = f"Dots with 95 % intervals beside what is claimed: {told}."
    flat = {each: " ".join(text.split()) for names in QUANTITIES.values() for each, text in names.items()}
    columns = {
        "quantity": Column("Quantity", names=flat),
        "value": Column("Value", digits=1),
        "low": Column("95 % low", digits=1),
        "high": Column("95 % high", digits=1),
        "claimed": Column("Claimed", digits=0),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns))


def _times(value: float) -> str:
    return number(value, 0 if abs(value) >= 100 else 1 if abs(value) >= 1 or not value else 2)


def _told_multiple(line: dict, names: dict[str, str], unit: str) -> str:
    value, low, high, claimed = (float(line.get(each, np.nan)) for each in ("value", "low", "high", "claimed"))
    words = " ".join(names[line["quantity"]].split())
    kind = "times" if unit == "times" else "repeat purchases"
    told = f"{words} {told_number(value, low, high, 0 if abs(value) >= 100 else 1)} {kind}"
    return told + (f", claimed {number(claimed)}" if np.isfinite(claimed) else "")


def tornado(frame: pd.DataFrame, *, currency: str) -> Figure:
    """Draw what equity becomes where one driver is lower and higher.

    Parameters
    ----------
    frame : pandas.DataFrame
        driver, change (a share: 0.1 for 10 % lower and higher), equity_low, equity_high (with the driver lower, and
        higher), equity_base, elasticity, elasticity_low, elasticity_high; the widest swing first.
    currency : str
    """
    name, seen = "tornado", rows_seen(frame, "equity_low", "equity_high", "equity_base")
    if seen.empty:
        return nothing(name, "Equity is not known, or infinite.", frame)
    money, base = Money.of(currency, seen[["equity_low", "equity_high"]]), float(seen.equity_base.iloc[0])
    change = percent(float(numbers(seen, "change")[0]), 0)
    elasticity = np.column_stack(three(seen, "elasticity", "elasticity_low", "elasticity_high"))
    names = [DRIVERS.get(each, written(str(each), 16)) for each in seen.driver]

    def draw():
        from matplotlib.patches import Patch

        figure, axes = new_axes(WIDTH, 1.6 + row_height(names, 0.5) * len(names))
        for ends, colour in ((seen.equity_low, LOWER), (seen.equity_high, HIGHER)):
            axes.barh(range(len(seen)), ends - base, left=base, height=0.62, color=colour, zorder=3)
        axes.axvline(base, color=INK, linewidth=1.4, zorder=4)
        row_axes(names, axes)
        axes.set_xlim(*_around(base, seen.equity_low, seen.equity_high))
        money.rule(axes.xaxis)
        axes.set_xlabel(
            f"equity without a horizon ({money.unit}); line: as it is\nright: elasticity, with 95 % interval"
        )
        end_rows(axes, [beside_row(*each, lambda one: number(one, 2)) for each in elasticity])
        patches = [Patch(color=LOWER, label=f"driver {change} lower"), Patch(color=HIGHER, label=f"{change} higher")]
        legend_above(axes, patches, 2)
        return figure

    told = "; ".join(
        f"{' '.join(label.split())} {money.told(line.equity_low)} if lower and {money.told(line.equity_high)} if "
        f"higher, elasticity {told_number(*each, 2)}"
        for label, line, each in zip(names, seen.itertuples(), elasticity, strict=True)
    )
    alt = (
        f"Bars of equity without a horizon, {money.told(base)} as it is, where one driver is {change} lower or higher: "
        f"{told}."
    )
    columns = {
        "driver": Column("Driver", names={each: " ".join(words.split()) for each, words in DRIVERS.items()}),
        "change": Column("Changed by", digits=0, percent=True),
        "equity_low": money_column("Equity without a horizon, driver lower", currency),
        "equity_high": money_column("Driver higher", currency),
        "equity_base": money_column("As it is", currency),
        "elasticity": Column("Elasticity", digits=2),
        "elasticity_low": Column("95 % low", digits=2),
        "elasticity_high": Column("95 % high", digits=2),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns))


def _around(base: float, *ends) -> tuple[float, float]:
    """Return the ends of an axis that holds a number and what it becomes, with room on either side."""
    every = np.concatenate([[base], *(np.ravel(each) for each in ends)])
    pad = 0.06 * (np.ptp(every) or abs(base) or 1)
    return every.min() - pad, every.max() + pad


def revenue_volatility(frame: pd.DataFrame) -> Figure:
    """Draw how much revenue varies from month to month, by how long customers have been there.

    Parameters
    ----------
    frame : pandas.DataFrame
        tenure (in words, the newest customers first), coefficient_of_variation, low, high (shares of mean revenue),
        periods, customers.
    """
    name, seen = "revenue_volatility", rows_seen(frame, "coefficient_of_variation")
    if seen.empty:
        return nothing(name, "How much revenue varies is not known: too few months, or too few customers.", frame)
    value, low, high = three(seen, "coefficient_of_variation", "low", "high")
    names, months = [written(str(each), 18) for each in seen.tenure], numbers(seen, "periods")[0]

    def draw():
        figure, axes = new_axes(WIDTH, 1.15 + row_height(names, 0.5) * len(names))
        dots(
            axes,
            100 * value,
            100 * low,
            100 * high,
            names,
            [beside_row(*each, share) for each in zip(value, low, high, strict=True)],
        )
        axes.set_xlim(*limits(100 * value, 100 * low, 100 * high))
        axes.locator_params(axis="x", nbins=6)
        axes.set_ylabel("customer for")
        axes.set_xlabel("standard deviation of monthly revenue (% of its mean),\nwith 95 % interval")
        return figure

    told = "; ".join(
        f"{tenure} {told_share(*each)}" for tenure, *each in zip(seen.tenure, value, low, high, strict=True)
    )
    over = f", over {number(months)} months" if np.isfinite(months) else ""
    alt = f"Dots of how much monthly revenue varies, in per cent of its mean, by tenure of customers{over}: {told}."
    columns = {
        "tenure": Column("Customer for"),
        "coefficient_of_variation": Column("Revenue varies by", digits=0, percent=True),
        "low": LOW,
        "high": HIGH,
        "periods": Column("Months", digits=0),
        "customers": Column("Customers, mean", digits=0),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns))
