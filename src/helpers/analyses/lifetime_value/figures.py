"""The figures of the lifetime-value report."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Figure, number, percent, suppress_small_groups
from helpers.models.lifetime_value import value

from ..drawing import new_axes, nothing
from .valuation import Valuation

LIGHT = 0.55  # of the colours of cividis, from which dark letters are read better than white ones


def figures(result: Valuation) -> list[Figure]:
    """Return every figure of the report."""
    return [
        probability_of_purchase(result),
        whale_curve(result),
        value_distribution(result),
    ]


def probability_of_purchase(result: Valuation) -> Figure:
    """Chance of at least one purchase by past frequency and time since the last purchase, under the model."""
    name, settings, period = "probability_of_purchase", result.settings, result.observation
    if period.purchases is None:
        return nothing(name, "Chances of purchase cannot be drawn: the purchase model could not be fitted.")
    rows = period.rows
    order = np.argsort(rows["T"].to_numpy())
    half = np.searchsorted(np.cumsum(rows.customers.to_numpy()[order]), rows.customers.sum() / 2)
    age = rows["T"].to_numpy()[order][half]  # a typical customer: the median age
    frequency = np.array([1, 2, 3, 5, 8, 13, 21])
    since = np.linspace(0, age, 9)[:-1]
    x, idle = np.meshgrid(frequency, since)
    chance = period.purchases.model.probability_of_purchase(x, age - idle, np.full(x.shape, age), settings.horizon)
    frame = pd.DataFrame(
        {"frequency": x.ravel(), "time_since_last_purchase": idle.ravel(), "probability": chance.ravel()}
    )

    def draw():
        figure, axes = new_axes(8, 4.4)
        image = axes.imshow(chance, cmap="cividis", vmin=0, vmax=1, aspect="auto")
        for (row, column), probability in np.ndenumerate(chance):
            colour = "white" if probability < LIGHT else "#262626"
            axes.text(column, row, f"{probability:.2f}", ha="center", va="center", color=colour)
        axes.set_xticks(range(len(frequency)), frequency)
        axes.set_yticks(range(len(since)), [number(idle, 0 if age > 20 else 1) for idle in since])
        axes.set(xlabel="repeat purchases so far", ylabel=f"{settings.unit_name} since the last purchase")
        axes.grid(visible=False)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        bar = figure.colorbar(image, ax=axes, label="probability")
        bar.outline.set_visible(False)
        return figure

    once = float(period.purchases.model.probability_of_purchase(0, 0, age, settings.horizon))
    alt = (
        f"Heat map of the probability of at least one purchase in the next {settings.horizon_weeks} weeks for a "
        f"customer of the median age ({number(age, 1)} {settings.unit_name}). After the longest silence shown "
        f"({number(since[-1])} {settings.unit_name}) it is {percent(chance[-1, 0], 0)} for one repeat purchase and "
        f"{percent(chance[-1, -1], 0)} for {frequency[-1]}; without silence {percent(chance[0, 0], 0)} and "
        f"{percent(chance[0, -1], 0)}. Who bought only once stands outside the map, at {percent(once, 0)}."
    )
    columns = {
        "frequency": Column("Repeat purchases so far", "purchases"),
        "time_since_last_purchase": Column("Time since the last purchase", settings.unit_name),
        "probability": Column("Probability of at least one purchase", "share"),
    }
    return Figure(name, draw, alt, frame, columns)


def whale_curve(result: Valuation) -> Figure:
    """Cumulative share of potential value over customers, the most valuable first."""
    name, potential = "whale_curve", result.customers.potential_value
    steps = min(100, len(potential) // result.settings.min_cell)
    if potential.isna().any() or not potential.sum() > 0 or steps < 2:
        return nothing(
            name,
            "The concentration of potential value is not drawn: it is unknown, not positive, or of too few customers.",
        )
    customers, share = value.whale_curve(potential)
    grid = np.linspace(0, 1, steps + 1)
    frame = pd.DataFrame({"share_of_customers": grid, "share_of_value": np.interp(grid, customers, share)})
    fifth = float(np.interp(0.2, customers, share))

    def draw():
        figure, axes = new_axes(6.4, 4.4)
        axes.plot(100 * frame.share_of_customers, 100 * frame.share_of_value)
        axes.plot([0, 100], [0, 100], color="#8C8C8C", linewidth=1, linestyle="--")
        axes.text(64, 58, "all alike", color="#5A5A5A", rotation=32, va="top")
        axes.plot(20, 100 * fifth, "o", color="C1")
        axes.annotate(
            f"the first 20 % of customers\nhold {percent(fifth, 0)}",
            (20, 100 * fifth),
            (12, -30),
            textcoords="offset points",
        )
        axes.set(
            xlabel="customers, most valuable first (%)", ylabel="potential value (%)", xlim=(0, 100), ylim=(0, None)
        )
        return figure

    alt = (
        "Curve of cumulative potential value over customers, the most valuable first: "
        f"20 % of customers hold {percent(fifth, 0)} of it."
    )
    columns = {column: Column(column.replace("_", " "), "share") for column in frame.columns}
    return Figure(name, draw, alt, frame, columns)


def value_distribution(result: Valuation) -> Figure:
    """How potential value is spread over customers."""
    name, potential = "value_distribution", result.customers.potential_value
    if potential.isna().any():
        return nothing(name, "Potential values cannot be drawn: they could not be computed for every customer.")
    top = float(np.quantile(potential, 0.99))
    currency = result.currency.replace("$", r"\$")  # a pair of dollar signs would enclose a formula
    counts, edges = np.histogram(np.minimum(potential, top), bins=25)
    frame = pd.DataFrame({"low": edges[:-1], "high": edges[1:], "customers": counts})
    frame = suppress_small_groups(frame, "customers", ("low", "high"), result.settings.min_cell)
    frame["customers"] = frame.customers.astype(float)

    def draw():
        figure, axes = new_axes()
        axes.bar(frame.low, frame.customers, width=frame.high - frame.low, align="edge", edgecolor="white", color="C0")
        axes.axvline(potential.mean(), color="C1")
        axes.annotate(
            f"mean {number(potential.mean(), 2)}",
            (potential.mean(), 1),
            (4, -10),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            color="C1",
        )
        axes.set(xlabel=f"potential value ({currency}); the highest 1 % stand in the last bar", ylabel="customers")
        return figure

    half = percent(float((potential < potential.mean()).mean()), 0)
    mean = f"{number(potential.mean(), 2)} {result.currency}"
    alt = f"Histogram of potential value per customer: {half} lie below the mean of {mean}."
    columns = {"low": Column("From", result.currency), "high": Column("To", result.currency)}
    return Figure(name, draw, alt, frame, columns | {"customers": Column("Customers", "customers")})
