"""How much the ways of looking at customers disagree, and whether profit followed sales."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Table, between, listed, number, percent

from ..measurement import Measurement

LENSES = {
    "output": "days of purchase",
    "sales": "sales",
    "profit": "profit so far",
    "loyalty": "repeat purchases a day",
    "lifetime_value": "lifetime value",
    "overdue": "amount overdue",
}
MISSING = {
    "profit": "profit (set marketing_touches or service_contacts, or give the purchases a column margin)",
    "overdue": "amounts overdue (set receivables)",
}
COSTS = ("marketing", "service")


def tables(result: Measurement) -> list[Table]:
    """Return how the lenses agree, and sales beside profit by quarter."""
    return [lens_agreement(result), profit_periods(result)]


def lens_agreement(result: Measurement) -> Table:
    """Set each lens against each other: both ranks, and both tops."""
    if len(result) < 2:
        return Table.nothing("lens_agreement", "There is one customer: nobody to be ranked among.")
    found = result.agreement
    numbers = {"tau": found.tau.value, "low": found.tau.low, "high": found.tau.high}
    numbers |= {"overlap": found.overlap.value, "overlap_low": found.overlap.low, "overlap_high": found.overlap.high}
    first, second = np.nonzero(~np.eye(len(found.lenses), dtype=bool))
    frame = pd.DataFrame({"lens": np.take(found.lenses, first), "other": np.take(found.lenses, second)})
    frame = frame.assign(**{name: values[first, second] for name, values in numbers.items()})
    frame = _without_few(frame, round(found.chance * found.compared), result.settings.min_cell)
    columns = {
        "lens": Column("By", names=LENSES),
        "other": Column("And by", names=LENSES),
        "tau": Column("Kendall's tau-b", digits=2),
        "low": Column("95 % low", digits=2),
        "high": Column("95 % high", digits=2),
        "overlap": Column("Of one top also in the other", digits=0, percent=True),
        "overlap_low": Column("95 % low of the top", digits=0, percent=True),
        "overlap_high": Column("95 % high of the top", digits=0, percent=True),
    }
    return Table("lens_agreement", frame, _agreement_caption(result), columns, frame[first < second])


def _without_few(frame: pd.DataFrame, places: int, min_cell: int) -> pd.DataFrame:
    """Blank the overlap of tops where few are in both, or few in one alone: who is in them might be told."""
    both = (places * frame["overlap"]).round()
    few = (places < min_cell) | both.between(1, min_cell - 1) | (places - both).between(1, min_cell - 1)
    return frame.assign(**{name: frame[name].mask(few) for name in ("overlap", "overlap_low", "overlap_high")})


def _agreement_caption(result: Measurement) -> str:
    found = result.agreement
    who = f"{number(found.customers)} customers on {result.now.date}"
    if found.compared < found.customers:
        who = f"A random sample of {number(found.compared)} of {who}"
    missing = [why for name, why in MISSING.items() if name not in found.lenses]
    parts = [
        f"{who}. Tau-b is 1 where both rank everyone alike, 0 where they have nothing to do with each other, "
        f"\N{MINUS SIGN}1 where one turns the other round; the top is the highest {percent(found.top, 0)} by each, of "
        f"whom {percent(found.chance, 0)} would be in the other by chance. Not shown are overlaps of fewer than "
        f"{result.settings.min_cell} customers, in both or in one alone.",
        found.problem,
        f"Not among the lenses: {listed(missing)}." if missing else "",
    ]
    return " ".join(part for part in parts if part)


def profit_periods(result: Measurement) -> Table:
    """Set the change of sales against that of profit, quarter by quarter, with what changed profit."""
    found, periods = result.profit_periods, result.periods
    if found is None:
        return Table.nothing(
            "profit_periods", "The purchases cover fewer than two calendar quarters whole: nothing can have changed."
        )
    changes = {
        "sales_change": found.sales,
        "profit_change": found.profit,
        "volume": found.volume,
        "margin_rate": found.margin_rate,
        **found.costs,
        "opposed": found.opposed.astype(object),
    }
    frame = pd.DataFrame(
        {
            "period": periods["period"],
            "sales": periods["sales"],
            "profit": periods["margin"] - periods[list(COSTS)].sum(axis=1),
        }
    )
    first = {name: None if name == "opposed" else np.nan for name in changes}
    frame = frame.assign(**{name: [first[name], *values] for name, values in changes.items()})
    currency = result.currency
    columns = {
        "period": Column("Quarter"),
        "sales": Column("Sales", currency, 0),
        "profit": Column("Profit", currency, 0),
        "sales_change": Column("Change of sales", currency, 0),
        "profit_change": Column("Change of profit", currency, 0),
        "volume": Column("of it by sales", currency, 0),
        "margin_rate": Column("by the margin rate", currency, 0),
        "marketing": Column("by marketing", currency, 0),
        "service": Column("by service", currency, 0),
        "opposed": Column("Sales rose, profit fell", names={"True": "yes", "False": "no", "None": ""}),
    }
    return Table("profit_periods", frame, _periods_caption(result), columns)


def _periods_caption(result: Measurement) -> str:
    found = result.profit_periods
    slopes = [
        f"{name} by {number(slope.value)} ({between(slope.low, slope.high)})"
        for name, slope in (("sales", found.sales_slope), ("profit", found.profit_slope))
    ]
    parts = [
        f"Calendar quarters that the purchases cover whole, up to {result.now.date}, in {result.currency}, rounded to "
        "whole units. Profit is margin less what marketing and service cost in the quarter. A change of profit is what "
        "sales would have changed at the old margin rate, what the margin rate changed at the new sales, and what "
        "costs changed: the four add up.",
        f"In {number(found.opposed.sum())} of {number(len(found.opposed))} changes sales rose while profit fell.",
        f"A quarter changed {listed(slopes)}: Theil and Sen's slopes, whose intervals are too short where quarters "
        "swing with the season."
        if np.isfinite(found.sales_slope.value)
        else "",
        "" if result.has_costs else "No costs are known (marketing_touches, service_contacts).",
        "" if result.has_margins else "The margin rate is assumed (margin_rate), so it never changes.",
        found.problem,
    ]
    return " ".join(part for part in parts if part)
