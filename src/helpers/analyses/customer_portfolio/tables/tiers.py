"""Tiers, the customer pyramid, ABC classes, and how unevenly value is spread."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Table, number, percent, suppress_small_groups
from helpers.models.customer_portfolio.pyramid import STANDINGS, Concentration, Ranked, totals
from helpers.models.customer_portfolio.tiers import BELOW_ZERO, TIERS
from helpers.models.estimate import Estimate

from ..hidden import hidden_cells, rows_and_columns
from ..measurement import Measurement
from ..names import (
    ABC,
    ABC_CHINESE,
    PYRAMID,
    PYRAMID_CHINESE,
    PYRAMID_NAMES,
    STANDING_NAMES,
    TIER_CHINESE,
    TIER_NAMES,
)
from .classes import too_short
from .crossed import long_table, side_by_side

ACTION = {
    "most_valuable": "keep: serve before all others",
    "second_tier": "develop: bring them closer to the best customers like them",
    "other": "serve as usual",
    "below_zero": "reprice, serve for less, or let go",
}
AMOUNTS = {"sales": "Sales", "margin": "Margin", "profit": "Profit", "lifetime_value": "Lifetime value"}
MEASURES = ("gini", "top_share", "share_below_zero", "loss_share")
KNOWN = [[True] * 4, [False, True, True, True]]  # everyone; all but the most valuable, whose share the cut gives


def tables(result: Measurement) -> list[Table]:
    """Return the tables of tiers and concentration."""
    return [tiers(result), pyramid(result), abc(result), market_position(result), concentration(result)]


def _without_costs(result: Measurement) -> str:
    return "" if result.has_costs else " No costs are given (marketing_touches, service_contacts): all cost 0 here."


def _without_margins(result: Measurement) -> str:
    rate = percent(result.settings.margin_rate, 0)
    return "" if result.has_margins else f" Margin is assumed: {rate} of sales (margin_rate)."


def tiers(result: Measurement) -> Table:
    """Size and value of the tiers by actual value, strategic value and cost to serve."""
    now, stable = result.now, result.tier_stability
    amounts = {
        "actual_value": now.actual_value,
        "strategic_value": result.strategic_value,
        "cost_to_serve": now.cost_to_serve,
        "value": now.value,
    }
    found = totals(result.tiers, len(TIERS), amounts)
    nothing = np.full(len(TIERS), np.nan)
    frame = pd.DataFrame(
        {
            "tier": TIERS,
            "customers": found.customers,
            "share": found.share,
            "expected_share": stable.share.value if stable else nothing,
            "low": stable.share.low if stable else nothing,
            "high": stable.share.high if stable else nothing,
        }
        | found.total
    )
    hidden = hidden_cells(found.customers, KNOWN, result.settings.min_cell, also=_few_could_improve(result))
    frame = frame.astype({"customers": float})
    frame.loc[hidden, frame.columns.drop("tier")] = np.nan
    frame["action"] = [ACTION[name] for name in TIERS]
    money = ("Actual value", "Strategic value", "Cost to serve", "Lifetime value")
    columns = {
        "tier": Column("Tier", names={name: f"{TIER_CHINESE[name]} {TIER_NAMES[name]}" for name in TIERS}),
        "customers": Column("Customers", digits=0),
        "share": Column("Share of customers", digits=1, percent=True),
        "expected_share": Column("Expected share", digits=1, percent=True),
        "low": Column("95 % low", digits=1, percent=True),
        "high": Column("95 % high", digits=1, percent=True),
        **{name: Column(label, result.currency, 0) for name, label in zip(amounts, money, strict=True)},
        "action": Column("What to do"),
    }
    return Table("tiers", frame, _tier_caption(result), columns)


def _few_could_improve(result: Measurement) -> np.ndarray:
    """Tell whether the tier below zero must be hidden: of all who are below 0 but a few are in it."""
    below = result.tiers == BELOW_ZERO
    rest = int(((result.now.value < 0) & ~below).sum())
    found = np.zeros(len(TIERS), bool)
    found[BELOW_ZERO] = below.any() and 0 < rest < result.settings.min_cell
    return found


def _tier_caption(result: Measurement) -> str:
    settings, best = result.settings, percent(result.settings.best_comparable, 0)
    intervals = (
        "The expected share and its interval are of draws of future value; the cuts, the best comparable customers, "
        "cost to serve and the probability of still being a customer stay where they are. Actual and strategic value "
        "of who is surely there add up to what the best have, whatever is drawn, so that the tier below zero hardly "
        "moves: an interval of no width says that no draw moves it. Sums have none."
        if result.has_draws
        else "Shares have no interval: values have no draws."
    )
    return (
        f"The customers of {result.now.date}, by the tiers of Peppers and Rogers. Actual value is margin so far and "
        "expected; cost to serve is marketing and service so far and expected; strategic value is what the customer at "
        f"{best} of future value in the same segment is worth more, times the probability of still being a customer "
        "(an assumption: that customers could become as good as the best like them). Below zero: actual and strategic "
        "value together do not cover the cost. Most valuable: actual value less cost is above that of "
        f"{percent(settings.tier_cut, 0)} of customers; second tier: of the others, strategic value is. The sources "
        f"state no cuts (tier_cut). {intervals} Sums in {result.currency}, rounded.{_without_costs(result)}"
    )


def pyramid(result: Measurement) -> Table:
    """Share of customers, sales, margin, profit and lifetime value of each tier of the customer pyramid."""
    shares = " / ".join(percent(share, 0) for share in result.settings.pyramid_shares)
    caption = (
        f"The customers of {result.now.date} ranked by lifetime value and cut at {shares} of them (pyramid_shares; the "
        "shares of Curry and Curry 2000, as the sources state none). Sales, margin and profit, which is margin less "
        f"marketing and service cost, are of all time up to then. Sums in {result.currency}, rounded; they have no "
        f"interval.{_without_costs(result)}{_without_margins(result)}"
    )
    names = {name: f"{PYRAMID_CHINESE[name]} {PYRAMID_NAMES[name]}" for name in PYRAMID}
    return _ranked("pyramid", result, result.pyramid, "tier", names, result.amounts, caption)


def abc(result: Measurement) -> Table:
    """Main, general and sporadic customers by the sales of the last 12 months."""
    main, general = (percent(cut, 0) for cut in result.settings.abc_cuts)
    caption = (
        f"The customers of {result.now.date} ranked by sales of the 12 months up to then: main customers bring the "
        f"first {main} of them, general ones what lies between that and {general}, sporadic ones the rest (abc_cuts; "
        "the sources state none). Who bought nothing in these months is sporadic; refunds beyond sales count as 0. "
        f"Sums in {result.currency}, rounded; they have no interval."
    )
    volume = {"sales": np.maximum(result.now.sum_of("current_sales"), 0)}
    names = {name: f"{ABC_CHINESE[name]} {name}" for name in ABC}
    return _ranked("abc", result, result.abc, "class", names, volume, caption)


def market_position(result: Measurement) -> Table:
    """Count main, general and sporadic customers by whether they gained in their segment."""
    if not result.compares_years:
        return Table.nothing("market_position", too_short(result))
    names = {name: f"{ABC_CHINESE[name]} {name}" for name in ABC}
    shape = (len(ABC), len(STANDINGS))
    cell = np.ravel_multi_index((result.abc.places, result.market_position), shape)
    counts = np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)
    untold = np.repeat(abc(result).frame["customers"].isna(), len(STANDINGS))  # or rows would tell how large they are
    hidden = hidden_cells(counts.ravel(), rows_and_columns(*shape), result.settings.min_cell, also=untold.to_numpy())
    frame = long_table(counts, {"class": ABC, "position": STANDINGS}, hidden)
    view, columns = side_by_side(frame, Column("Class", names=names), STANDING_NAMES)
    of = "the sales of the segment" if len(result.segments) > 1 else "all sales"
    caption = (
        f"The customers of {result.now.date}: classes by volume (rows) and position (columns), with the share of the "
        f"row. Position is whether the customer's share of {of} in the 12 months up to {result.now.date} is at least "
        f"that of the 12 months up to {result.then.date}. The sources class by volume and market position; the "
        "customer's place in its own market is in no file, so this is its place among the firm's customers. A dash is "
        f"a cell of fewer than {result.settings.min_cell} customers, or one that would tell of such a cell. Counts "
        "have no interval."
    )
    return Table("market_position", frame, caption, columns, view)


def _ranked(
    name: str, result: Measurement, ranked: Ranked, what: str, names: dict[str, str], amounts: dict, caption: str
) -> Table:
    found = totals(ranked.places, len(names), amounts)
    parts = {what: list(names), "customers": found.customers, "share": found.share}
    columns = {
        what: Column(what.capitalize(), names=names),
        "customers": Column("Customers", digits=0),
        "share": Column("Share of customers", digits=1, percent=True),
    }
    for amount in amounts:
        parts |= {amount: found.total[amount], f"share_of_{amount}": found.share_of_total[amount]}
        label = AMOUNTS[amount]
        columns[amount] = Column(label, result.currency, 0)
        columns[f"share_of_{amount}"] = Column(f"Share of {label.lower()}", digits=1, percent=True)
    frame = suppress_small_groups(pd.DataFrame(parts), "customers", (what,), result.settings.min_cell)
    tied = int(ranked.tied.max(initial=0))
    if tied > 1:
        caption += f" Up to {number(tied)} customers have the same value at a cut: their order in the file decides."
    return Table(name, frame, f"{caption} {ranked.problem}".strip(), columns)


def concentration(result: Measurement) -> Table:
    """Gini coefficient, share of the top, and those below zero, for each amount."""
    least = result.settings.min_cell
    frame = pd.DataFrame(
        [
            {"amount": name, "customers": found.customers} | _measures(found, least)
            for name, found in result.concentration.items()
        ]
    )
    top = percent(next(iter(result.concentration.values())).top, 0)
    view = pd.DataFrame({"amount": frame["amount"]})
    for measure in MEASURES:
        scale, digits = (1, 2) if measure == "gini" else (100, 1)
        ends = zip(frame[measure], frame[f"{measure}_low"], frame[f"{measure}_high"], strict=True)
        view[measure] = [_told(*(scale * end for end in three), digits) for three in ends]
    columns = {
        "amount": Column("Of", names={name: label.lower() for name, label in AMOUNTS.items()}),
        "gini": Column("Gini coefficient", "95 % interval"),
        "top_share": Column(f"Held by the most valuable {top} of customers", "%, 95 % interval"),
        "share_below_zero": Column("Customers below zero", "%, 95 % interval"),
        "loss_share": Column("What they lose of what the others bring", "%, 95 % interval"),
    }
    problems = {found.problem for found in result.concentration.values()} - {""}
    caption = (
        f"{number(len(result))} customers on {result.now.date}; sales, margin and profit of all time up to then. With "
        "values below 0 a Gini coefficient can exceed 1, and a share 100 %. Intervals are for customers like these and "
        f"take their values as known. Fewer than {least} customers below zero, or above, are not shown."
    )
    notes = f"{_without_costs(result)}{_without_margins(result)}"
    return Table("concentration", frame, " ".join([caption + notes, *sorted(problems)]), columns, view)


def _measures(found: Concentration, least: int) -> dict[str, float]:
    nothing = Estimate(np.nan, np.nan, np.nan)
    below = round(found.below_zero.value * found.customers)
    is_few = 0 < min(below, found.customers - below) < least
    estimates = (found.gini, found.top_share, *([nothing] * 2 if is_few else [found.below_zero, found.loss_share]))
    ends = {"": "value", "_low": "low", "_high": "high"}
    return {
        f"{measure}{ending}": getattr(estimate, end)
        for measure, estimate in zip(MEASURES, estimates, strict=True)
        for ending, end in ends.items()
    }


def _told(value: float, low: float, high: float, digits: int) -> str:
    if np.isnan(low) or np.isnan(value):
        return f"{number(value, digits)} (no interval)" if np.isfinite(value) else number(value)
    return f"{number(value, digits)} ({number(low, digits)} to {number(high, digits)})"
