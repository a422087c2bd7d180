"""What keeping is worth: the multiples of the sources, what moves customer equity, and how steady revenue is."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Table, listed, number, percent
from helpers.models.estimate import Estimate
from helpers.models.retention_economics.multiples import CLAIMED_PURCHASES, CLAIMED_VALUE, claimed_products

from ..measurement import Measurement
from ..names import DRIVER_NAMES, QUANTITY_NAMES


def multiples(result: Measurement) -> Table:
    """Ten and sixty, and what these data say of them."""
    bought = result.repeat_purchases
    if bought is None:
        return Table.nothing("multiples", " ".join(result.expectation.problems))
    lines = [
        ("repeat_purchases_loyal", bought.loyal, CLAIMED_PURCHASES),
        ("repeat_purchases_all", bought.everyone, np.nan),
    ]
    if not result.multiple_problem:
        lines += [
            ("value_multiple", result.value_multiple.multiple, CLAIMED_VALUE),
            ("claimed_60_arithmetic", result.claimed_arithmetic, CLAIMED_VALUE),
        ]
    rows = [(name, found.value, found.low, found.high, claimed) for name, found, claimed in lines]
    frame = pd.DataFrame(rows, columns=["quantity", "value", "low", "high", "claimed"]).astype({"claimed": float})
    if bought.loyal_customers < result.settings.min_cell:
        frame.loc[frame["quantity"] == "repeat_purchases_loyal", ["value", "low", "high"]] = np.nan
    columns = {
        "quantity": Column("Quantity", names=QUANTITY_NAMES),
        "value": Column("Value", digits=1),
        "low": Column("95 % low", digits=1),
        "high": Column("95 % high", digits=1),
        "claimed": Column("Claimed", digits=0),
    }
    products = listed(f"{text} = {number(value)}" for text, value in claimed_products().items())
    missing = f" {result.multiple_problem}" if result.multiple_problem else ""
    caption = (
        f"Within {number(result.settings.horizon_weeks)} weeks; loyal are the "
        f"{number(bought.loyal_customers)} of {number(bought.customers)} customers who repeated most often (a share of "
        f"{percent(result.settings.loyal_share, 0)}, and all who repeated as often). The sources derive 60 from 5 and "
        f"10, but {products}.{missing}"
    )
    return Table("multiples", frame, caption, columns)


def tornado(result: Measurement) -> Table:
    """Equity without a horizon, with one driver lower and higher at a time, and its elasticities."""
    if result.equity_problem:
        return Table.nothing("tornado", result.equity_problem)
    found, elasticity = result.tornado, result.elasticities
    nothing = Estimate(np.nan, np.nan, np.nan)
    frame = pd.DataFrame(
        {
            "driver": found.drivers,
            "change": result.settings.driver_change,
            "input_low": found.low_input,
            "input_high": found.high_input,
            "equity_low": found.low_equity,
            "equity_high": found.high_equity,
            "equity_base": found.equity,
        }
        | {
            name: [getattr(elasticity.get(driver, nothing), part) for driver in found.drivers]
            for name, part in (("elasticity", "value"), ("elasticity_low", "low"), ("elasticity_high", "high"))
        }
    )
    change = percent(result.settings.driver_change, 0)
    columns = {
        "driver": Column("Driver", names=DRIVER_NAMES),
        "equity_low": Column(f"Equity without a horizon, driver {change} lower", result.currency, 0),
        "equity_high": Column(f"Driver {change} higher", result.currency, 0),
        "elasticity": Column("Elasticity", digits=2),
        "elasticity_low": Column("95 % low", digits=2),
        "elasticity_high": Column("95 % high", digits=2),
    }
    capped = f" {listed(DRIVER_NAMES[name] for name in found.capped).capitalize()} ends at 1." if found.capped else ""
    won = (
        f", and of those won in {result.horizon_years} years less what winning them costs"
        if result.wins_customers
        else ""
    )
    caption = (
        f"Equity without a horizon is {number(found.equity)} {result.currency}: the margins of today's customers, net "
        f"of the cost of keeping, for as long as they stay{won}. Elasticity: by how many per cent it changes for 1 % "
        f"more of the driver.{capped}"
    )
    return Table("tornado", frame, caption, columns)


def revenue_volatility(result: Measurement) -> Table:
    """How much revenue varies from month to month, by how long customers have been there."""
    found = result.volatility
    if found is None:
        why = "In fewer than three whole months there were customers of every tenure: set shorter tenure_days."
        return Table.nothing("revenue_volatility", why)
    months = result.shared_months
    people = result.customers_there[months].mean().to_numpy(float)
    frame = pd.DataFrame(
        {
            "tenure": tenures(result.settings.tenure_days),
            "coefficient_of_variation": found.total.value,
            "low": found.total.low,
            "high": found.total.high,
            "of_newest": found.total_ratio.value,
            "of_newest_low": found.total_ratio.low,
            "of_newest_high": found.total_ratio.high,
            "each_of_newest": found.per_customer_ratio.value,
            "each_of_newest_low": found.per_customer_ratio.low,
            "each_of_newest_high": found.per_customer_ratio.high,
            "periods": int(months.sum()),
            "customers": people,
            "revenue": result.revenue[months].mean().to_numpy(float),
        }
    )
    few = frame["customers"] < result.settings.min_cell
    frame = frame.assign(**{name: frame[name].mask(few) for name in frame.columns if name not in ("tenure", "periods")})
    columns = {
        "tenure": Column("Customer for"),
        "coefficient_of_variation": Column("Revenue varies by", digits=0, percent=True),
        "low": Column("95 % low", digits=0, percent=True),
        "high": Column("95 % high", digits=0, percent=True),
        "of_newest": Column("Times as much as the newest's", digits=2),
        "of_newest_low": Column("Of it, low", digits=2),
        "of_newest_high": Column("Of it, high", digits=2),
        "each_of_newest": Column("That of one customer: times as much as of a newest one", digits=2),
        "each_of_newest_low": Column("Of that, low", digits=2),
        "each_of_newest_high": Column("Of that, high", digits=2),
        "customers": Column("Customers, mean", digits=0),
        "revenue": Column("Revenue a month, mean", result.currency, 0),
    }
    caption = (
        "Coefficient of variation of monthly revenue (standard deviation over mean, a straight line over time taken "
        f"off), in the {number(months.sum())} whole months in which there were customers of every tenure."
    )
    return Table("revenue_volatility", frame, caption, columns)


def tenures(days: list[int]) -> list[str]:
    """Return the tenure groups in words, the newest first."""
    between = [f"{low} to {high - 1} days" for low, high in pairwise(days)]
    return [f"under {days[0]} days", *between, f"{days[-1]} days or more"]
