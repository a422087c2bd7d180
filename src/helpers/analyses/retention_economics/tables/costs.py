"""What winning and keeping customers cost: on average, at the margin, and over time."""

from __future__ import annotations

import pandas as pd

from helpers.exhibits import Column, Table, listed, number
from helpers.models.retention_economics.costs import CLAIMS, against_claim

from ..measurement import Measurement
from ..names import AGAINST_NAMES, KIND_NAMES

ENDS = (("", "value"), ("_low", "low"), ("_high", "high"))


def costs(result: Measurement) -> Table:
    """Average costs by channel, and their ratio beside what the sources claim of it."""
    if result.spend_problem:
        return Table.nothing("costs", result.spend_problem)
    found = result.average_costs
    frame = pd.DataFrame({"channel": found.channels})
    for name, estimate in (
        ("acquisition", found.acquisition_cost),
        ("retention", found.retention_cost),
        ("ratio", found.ratio),
    ):
        for ending, part in ENDS:
            frame[f"{name}_cost" if name != "ratio" and not ending else f"{name}{ending}"] = getattr(estimate, part)
    for claimed, band in CLAIMS.items():
        column = f"against_{claimed.replace(' ', '_')}"
        frame[column] = [
            against_claim(*ends, band) for ends in zip(frame["ratio_low"], frame["ratio_high"], strict=True)
        ]
    currency = result.currency
    columns = {
        "channel": Column("Channel"),
        "acquisition_cost": Column("A new customer", currency, 2),
        "acquisition_low": Column("95 % low", currency, 2),
        "acquisition_high": Column("95 % high", currency, 2),
        "retention_cost": Column("A year with a customer", currency, 2),
        "retention_low": Column("Of it, 95 % low", currency, 2),
        "retention_high": Column("Of it, 95 % high", currency, 2),
        "ratio": Column("Ratio", digits=1),
        "ratio_low": Column("Of it, low", digits=1),
        "ratio_high": Column("Of it, high", digits=1),
        "against_6_to_10_times": Column("Against 6 to 10 times", names=AGAINST_NAMES),
    }
    caption = (
        f"Acquisition spend for each new customer, retention spend for each year with a customer, and their ratio, "
        f"over {len(result.spend.periods)} periods; intervals by resampling periods."
    )
    return Table("costs", frame, caption, columns)


def marginal_costs(result: Measurement) -> Table:
    """What one more customer costs, won or kept."""
    if result.spend_problem:
        return Table.nothing("marginal_costs", result.spend_problem)
    rows = []
    for kind, found in (("acquisition", result.marginal_acquisition), ("retention", result.marginal_retention)):
        rows.append(
            {
                "kind": kind,
                "elasticity": found.elasticity.value,
                "elasticity_low": found.elasticity.low,
                "elasticity_high": found.elasticity.high,
                "average_cost": found.average_cost,
                "marginal_cost": found.cost.value,
                "marginal_low": found.cost.low,
                "marginal_high": found.cost.high,
                "told": found.told,
                "why": " ".join(found.problems),
            }
        )
    currency = result.currency
    columns = {
        "kind": Column("Customer", names=KIND_NAMES),
        "elasticity": Column("Per cent more customers for 1 % more spend", digits=3),
        "elasticity_low": Column("95 % low", digits=3),
        "elasticity_high": Column("95 % high", digits=3),
        "average_cost": Column("Average cost", currency, 2),
        "marginal_cost": Column("One more costs", currency, 2),
        "marginal_low": Column("Of it, 95 % low", currency, 2),
        "marginal_high": Column("Of it, 95 % high", currency, 2),
        "why": Column("Mind"),
    }
    without = [name for name in result.spend.channels if name in result.settings.marginal_without]
    left_out = (
        f" Left out of winning: {listed(map(str, without))}, whose spend follows from who comes."
        if without and len(without) < len(result.spend.channels)
        else ""
    )
    caption = (
        "How customers follow spend within channels and periods, and what one more customer then costs: won, or kept "
        f"to the end of a period. The averages are of the same rows, in a period.{left_out}"
    )
    return Table("marginal_costs", pd.DataFrame(rows), caption, columns)


def acquisition_trend(result: Measurement) -> Table:
    """By which share the cost of a new customer changes a year."""
    if result.spend_problem:
        return Table.nothing("acquisition_trend", result.spend_problem)
    rows = [
        (name, trend.yearly_change.value, trend.yearly_change.low, trend.yearly_change.high, " ".join(trend.problems))
        for name, trend in result.trends.items()
    ]
    frame = pd.DataFrame(rows, columns=["channel", "yearly_change", "low", "high", "why"])
    columns = {
        "channel": Column("Channel"),
        "yearly_change": Column("Change a year", digits=0, percent=True),
        "low": Column("95 % low", digits=0, percent=True),
        "high": Column("95 % high", digits=0, percent=True),
        "why": Column("Mind"),
    }
    columns = columns if frame["why"].any() else {name: columns[name] for name in columns if name != "why"}
    caption = "By which share the cost of a new customer rises a year. All together: within channels, not by their mix."
    return Table("acquisition_trend", frame, caption, columns)


def cost_by_period(result: Measurement) -> Table:
    """What a new customer cost, period by period."""
    if result.spend_problem:
        return Table.nothing("cost_by_period", result.spend_problem)
    rows = result.files.spend.frame
    frame = rows[["period", "channel", "new_customers"]].assign(
        acquisition_cost=rows["acquisition_spend"] / rows["new_customers"].where(rows["new_customers"] > 0)
    )
    few = frame["new_customers"].between(1, result.settings.min_cell - 1)
    frame[["acquisition_cost", "new_customers"]] = frame[["acquisition_cost", "new_customers"]].mask(few)
    frame = frame[["period", "channel", "acquisition_cost", "new_customers"]].reset_index(drop=True)
    view = frame.pivot(index="period", columns="channel", values="acquisition_cost").reset_index()
    columns = {"period": Column("Period")}
    columns |= {name: Column(name, result.currency, 2) for name in view.columns[1:]}
    caption = (
        "Acquisition spend for each new customer by period and channel; a dash where nobody was won, or fewer than "
        f"{number(result.settings.min_cell)}."
    )
    return Table("cost_by_period", frame, caption, columns, view)
