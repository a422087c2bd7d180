"""What five points of retention add: where the firm stands, by convention, as a map, and where the claim is true."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Table, percent
from helpers.models.retention_economics import five_points
from helpers.models.retention_economics.five_points import FIRST_MARGINS, REASONS, UNITS

from ..measurement import Measurement
from ..names import CLAIMED_UPLIFT, FIRST_MARGIN_NAMES, SOURCE_NAMES, UNIT_NAMES

RETENTIONS = np.round(np.linspace(0, 1, 101), 2)
SHOWN_RETENTIONS = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
DISCOUNT_RATES = (0.0, 0.05, 0.10, 0.15, 0.20)
HIGHEST_DISCOUNT_RATE = 0.30


def convention_words(result: Measurement) -> str:
    """Return what is asked of the uplift, in words."""
    settings = result.settings
    grows = f", margins growing by {percent(settings.growth)} a year" if settings.growth else ""
    charged = settings.acquisition_in_margins
    net = f", profit being value less {charged:g} yearly margins for winning the customer" if charged else ""
    first = FIRST_MARGIN_NAMES[settings.first_margin]
    return f"{settings.step_words} more retention, the first margin {first}{grows}{net}"


def positions(result: Measurement) -> Table:
    """Where the firm stands, and what the step would add there."""
    if not result.positions:
        return Table.nothing("positions", result.base_problem)
    rows = []
    for one in result.positions:
        stays, gain = one.estimate, result.uplift_of(one)
        differing = result.heterogeneous() if one.source == "contracts" else None
        rows.append(
            {
                "source": one.source,
                "retention": stays.value,
                "low": stays.low,
                "high": stays.high,
                "discount_rate": result.settings.annual_discount_rate,
                "uplift": gain.value,
                "uplift_low": gain.low,
                "uplift_high": gain.high,
                "uplift_heterogeneous": np.nan if differing is None else differing.uplift,
                "reason": result.reason_of(one),
                "is_base": result.base is not None and one.source == result.base.source,
            }
        )
    columns = {"source": Column("Retention by", names=SOURCE_NAMES)}
    columns |= _shares(
        retention="Retention a year",
        low="95 % low",
        high="95 % high",
        discount_rate="Discount rate a year",
        uplift="More profit",
        uplift_low="Of it, 95 % low",
        uplift_high="Of it, 95 % high",
        uplift_heterogeneous="More profit where customers differ",
    )
    caption = (
        f"What {convention_words(result)} would add to the profit from a customer. Retention by exits is of last "
        f"year's customers; by contracts {_how(result)}; by market spend that of a period, raised to a year: at "
        "least so many stay where customers differ, and there is no interval. Where customers differ: the mean over "
        "today's holders of contracts, who each gain as much."
    )
    return Table("positions", pd.DataFrame(rows), caption, columns)


def _how(result: Measurement) -> str:
    found = result.contracts
    return "of those that ran a year ago" if found.is_followed else "that of a term, raised to a year"


def conventions(result: Measurement) -> Table:
    """The same by every reading of the claim."""
    base = result.base
    if base is None:
        return Table.nothing("conventions", result.base_problem)
    rows = []
    for unit, first_margin in product(UNITS, FIRST_MARGINS):
        convention = {"unit": unit, "first_margin": first_margin}
        gain, differing = result.uplift_of(base, **convention), result.heterogeneous(**convention)
        rows.append(
            convention
            | {
                "uplift": gain.value,
                "low": gain.low,
                "high": gain.high,
                "reason": result.reason_of(base, **convention),
                "contracts_differing": np.nan if differing is None else differing.uplift,
                "contracts_alike": np.nan if differing is None else differing.homogeneous_uplift,
            }
        )
    columns = {
        "unit": Column("Retention rises by", names=UNIT_NAMES),
        "first_margin": Column("First margin", names=FIRST_MARGIN_NAMES),
    }
    columns |= _shares(uplift="More profit", low="95 % low", high="95 % high")
    beside = ""
    if result.heterogeneous() is not None:
        beside = (
            " Beside, that of today's contracts, whose holders each gain as much in their own retention, to at most 1."
        )
        columns |= _shares(
            contracts_differing="Contracts: customers differ", contracts_alike="Contracts: all like the mean"
        )
    caption = (
        "The claim does not say whether 5 % are points or per cent of retention, nor whether the first margin is "
        f"certain: the answer by each reading, at a retention of {base.words} a year.{beside} A dash: retention would "
        "exceed 1, or there is no profit without the rise."
    )
    return Table("conventions", pd.DataFrame(rows), caption, columns)


def uplift_map(result: Measurement) -> Table:
    """The uplift over base retention and discount rate."""
    rates = np.unique(np.round([*np.linspace(0, HIGHEST_DISCOUNT_RATE, 31), result.settings.annual_discount_rate], 10))
    settings = result.settings
    terms = settings.convention | {"acquisition_cost": settings.acquisition_in_margins}
    retention, rate = (each.ravel() for each in np.meshgrid(RETENTIONS, rates, indexing="ij"))
    found = five_points.uplift(retention, rate, settings.step, **terms)
    frame = pd.DataFrame({"base_retention": retention, "discount_rate": rate, "uplift": found.value})
    frame["reason"] = np.array(REASONS, dtype=object)[found.reason]
    shown = frame[frame["base_retention"].isin(SHOWN_RETENTIONS) & frame["discount_rate"].isin(DISCOUNT_RATES)]
    view = shown.pivot(index="base_retention", columns="discount_rate", values="uplift").reset_index()
    view.columns = ["base_retention", *(f"{each:g}" for each in view.columns[1:])]
    columns = {"base_retention": Column("Base retention a year", digits=0, percent=True)}
    columns |= {
        name: Column(f"More profit at {percent(float(name), 0)}", digits=0, percent=True) for name in view.columns[1:]
    }
    caption = (
        f"What {convention_words(result)} adds to the profit from a customer, by base retention and yearly discount "
        "rate. A dash: retention would exceed 1, or there is no profit, or an infinite one. The file has every point."
    )
    return Table("uplift_map", frame, caption, columns, view)


def where_true(result: Measurement) -> Table:
    """Between which base retentions the claim is true, by every reading of it."""
    settings, (low, high) = result.settings, CLAIMED_UPLIFT
    rates = np.unique([*DISCOUNT_RATES, settings.annual_discount_rate])
    parts = []
    for unit, first_margin in product(UNITS, FIRST_MARGINS):
        found = five_points.where_true(
            rates, low, high, settings.step, unit=unit, first_margin=first_margin, growth=settings.growth
        )
        parts.append(pd.DataFrame({"unit": unit, "first_margin": first_margin, "discount_rate": rates} | vars(found)))
    columns = {
        "unit": Column("Retention rises by", names=UNIT_NAMES),
        "first_margin": Column("First margin", names=FIRST_MARGIN_NAMES),
        "discount_rate": Column("Discount rate", digits=0, percent=True),
    }
    columns |= _shares(
        retention_low="True from a retention of",
        retention_high="to",
        falling_high="and from",
        falling_low="to a retention of",
        largest_uplift="Largest uplift",
        largest_at="at a retention of",
    )
    caption = (
        f"Between which base retentions a rise by {100 * settings.step:g}, in points or in per cent of itself, gives "
        f"{percent(low, 0)} to {percent(high, 0)} more profit. A dash for the upper end: true up to the largest "
        "uplift, beyond which retention would exceed 1. A dash for the lower end as well: true from 0 on where the "
        f"largest uplift reaches {percent(low, 0)}, and nowhere otherwise. With the first margin at risk, points added "
        "to a low retention give as much again, in a second range. Nothing is taken off for winning the customer."
    )
    return Table("where_true", pd.concat(parts, ignore_index=True), caption, columns)


def _shares(**labels: str) -> dict[str, Column]:
    return {name: Column(label, digits=1, percent=True) for name, label in labels.items()}
