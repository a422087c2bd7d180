"""Why customer equity changed between the two dates, and how many customers are new, active or dormant."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Table, between, number, percent, suppress_small_groups
from helpers.models.customer_portfolio.equity_bridge import LINES

from ..hidden import hidden_cells, rows_and_columns
from ..measurement import STANDINGS_THEN, Measurement
from ..names import SEQUENCE, SEQUENCE_NAMES
from .crossed import long_table, side_by_side

SEQUENCE_CHINESE = {"new": "新客户", "active": "老客户", "dormant": "老客户"}
NAMES = {name: f"{SEQUENCE_CHINESE[name]} {SEQUENCE_NAMES[name]}" for name in SEQUENCE}
NOT_YET = "not_yet"
THEN = NAMES | {NOT_YET: "not yet a customer"}
GROUP = {  # whose a line is
    "new": "new",
    "lost": "lost",
    "gone_before": "gone_before",
    **dict.fromkeys(("discount", "margin", "growth"), "kept"),
}
FAINT = 0.01  # of the later equity, below which nothing is set in proportion to the earlier
NO_INTERVAL = "The lines have no interval: values have no draws."


def tables(result: Measurement) -> list[Table]:
    """Return the tables of customer equity."""
    return [equity_bridge(result), time_sequence(result)]


def equity_bridge(result: Measurement) -> Table:
    """From customer equity at the earlier date to that at the later one."""
    found = result.equity_bridge
    sizes = {name: getattr(found, name) for name in (*dict.fromkeys(GROUP.values()),)}
    sizes |= {"opening": found.kept + found.lost, "closing": int((~result.gone).sum())}
    lines = [
        (name, sizes[GROUP.get(name, name)], *(getattr(found.lines[name], end) for end in ("value", "low", "high")))
        for name in LINES
    ]
    frame = pd.DataFrame(lines, columns=["line", "customers", "value", "low", "high"])
    least, secret = result.settings.min_cell, _hidden(sizes, result.settings.min_cell)
    hidden = frame["line"].map(GROUP).isin(secret)
    frame = frame.astype({"customers": float})
    frame.loc[hidden, ["customers", "value", "low", "high"]] = np.nan
    frame.loc[frame["line"].isin(_telling(result, secret)), "customers"] = np.nan
    worth = sizes["opening"] + sizes["gone_before"]
    frame.loc[(frame["line"] == "opening") & (worth < least), ["value", "low", "high"]] = np.nan
    columns = {
        "line": Column("Line", names=_names(result)),
        "customers": Column("Customers", digits=0),
        "value": Column("Amount", result.currency, 0),
        "low": Column("95 % low", result.currency, 0),
        "high": Column("95 % high", result.currency, 0),
    }
    return Table("equity_bridge", frame, _caption(result, bool(hidden.any())), columns)


def _hidden(sizes: dict[str, int], least: int) -> set[str]:
    """Return which of the new, the lost, the kept and those gone before are too few, or would tell of such."""
    groups = pd.DataFrame({"group": list(dict.fromkeys(GROUP.values()))})
    groups["people"] = groups["group"].map(sizes)
    shown = suppress_small_groups(groups, "people", ("group",), least)
    return set(groups["group"][shown["people"].isna()])


def _telling(result: Measurement, secret: set[str]) -> set[str]:
    """Return the lines whose number of customers would tell, with the tables of stages and of sequence, of a few."""
    least, lines = result.settings.min_cell, set()
    left_before, gone_again = int(result.then.ended.sum()), int(_gone_again(result).sum())
    back = int((_was(result, "gone") & ~result.gone).sum())
    if secret:
        lines |= {"opening", "closing"}  # less the kept they are the lost and the new
    if 0 < left_before < least:
        # with them they are those of the time sequence
        lines |= {"gone_before"} if result.equity_bridge.gone_before else {"opening", "lost"}
    if 0 < back < least:
        lines.add("closing")
    if 0 < gone_again < least:
        lines |= {"closing", "new"}
    return lines


def _gone_again(result: Measurement) -> np.ndarray:
    """Tell who became a customer after the first date, and is none at the second."""
    return _was(result, "not_yet") & result.gone


def _was(result: Measurement, what: str) -> np.ndarray:
    return result.standing_then == STANDINGS_THEN.index(what)


def _names(result: Measurement) -> dict[str, str]:
    return {
        "opening": f"Customer equity on {result.then.date}",
        "new": "New customers (still there)",
        "lost": "Customers lost",
        "gone_before": f"Customers who had probably gone before {result.then.date}",
        "discount": "Customers kept: time and the discount rate",
        "margin": "Customers kept: margin rate",
        "growth": "Customers kept: the rest, growth less what they paid",
        "closing": f"Customer equity on {result.now.date}",
    }


def _caption(result: Measurement, hides: bool) -> str:
    found, settings, currency = result.equity_bridge, result.settings, result.currency
    old, new = (percent(rate, 1) for rate in settings.discount_rates)
    text = (
        f"Customer equity is the margin expected of all customers in {settings.horizon_weeks} weeks, discounted at "
        f"{old} a year on {result.then.date} and {new} on {result.now.date}, before what they will cost. The first "
        "line and those between add up to the last. Customers of a date: of whom no exit was recorded by then, and who "
        f"are probably still there (a probability of at least {number(settings.alive_below, 2)}; alive_below). "
        "Lost: those of the first date who are none at the second. New: who had bought nothing by the first date, "
        f"counted where still there at the second{_told_of_new(result)}. Customers of the second date: the kept, the "
        "new, and of those probably gone before who are back. Where fewer than "
        f"{settings.min_cell} had probably gone by a date they count as its customers. "
        f"Amounts in {currency}, rounded. "
    )
    if settings.earlier_discount_rate == -1:
        text += "That the discount rate has not changed is an assumption (earlier_discount_rate). "
    returned = found.return_on_customers
    if not hides:
        unwound = found.unwinding
        text += (
            f"Of the line of time and the discount rate {number(unwound.value)} ({between(unwound.low, unwound.high)}) "
            "is time. "
        )
    if found.lines["opening"].value > FAINT * found.lines["closing"].value:
        text += (
            "Return on customers, the margin between the dates and the change of equity, both before costs, "
            f"over the equity at the first: {percent(returned.value, 0)} "
            f"({between(returned.low, returned.high, 0, 100)}, in %; Peppers and Rogers 2005). "
        )
    draws = result.has_draws and result.then.has_draws
    return text + ("Intervals are of draws of what is expected at both dates." if draws else NO_INTERVAL)


def _told_of_new(result: Measurement) -> str:
    again, least = int(_gone_again(result).sum()), result.settings.min_cell
    if again < least or result.equity_bridge.new < least:
        return ""
    return f" ({number(again)} more came and are gone again, or probably so)"


def time_sequence(result: Measurement) -> Table:
    """Who was new, active or dormant then, and is now."""
    before = np.full(len(result), len(SEQUENCE))
    before[result.then.place] = result.time_sequence(result.then)
    cell = before * len(SEQUENCE) + result.time_sequence(result.now)
    counts = np.bincount(cell, minlength=len(THEN) * len(SEQUENCE)).reshape(len(THEN), len(SEQUENCE))
    was, becomes = np.divmod(np.arange(counts.size), len(SEQUENCE))
    dormant = SEQUENCE.index("dormant")
    known_then = dormant if result.equity_bridge.gone_before else len(SEQUENCE)
    lost = (was < known_then) & (becomes == dormant)
    still_new = (was == len(SEQUENCE)) & (becomes != dormant)
    # the bridge of customer equity says how many were lost, and how many of the new are still there
    known = np.vstack([rows_and_columns(*counts.shape), lost, still_new])
    hidden = hidden_cells(counts.ravel(), known, result.settings.min_cell)
    frame = long_table(counts, {"then": tuple(THEN), "now": SEQUENCE}, hidden)
    view, columns = side_by_side(frame, Column(f"On {result.then.date}", names=THEN), NAMES)
    settings = result.settings
    caption = (
        f"The {number(len(result))} customers of {result.now.date} by what they were then (rows) and are now "
        f"(columns), with their share of the row. New: fewer than {settings.exploration_days} days since the first "
        "purchase (exploration_days); dormant or gone: an exit is recorded, or the probability of still being a "
        f"customer is below {number(settings.alive_below, 2)} (alive_below), unless fewer "
        f"than {settings.min_cell} have gone without one; active: everyone else. Who has not bought yet is in no file "
        "of purchases, so the sources' potential customers cannot be counted. A dash is a cell of "
        f"fewer than {settings.min_cell} customers, or one that would tell of such a cell. Counts have no interval."
    )
    return Table("time_sequence", frame, caption, columns, view)
