"""Why customers leave: the causes as competing risks, what they cost, and which segments they hit."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Table, between, number, percent, suppress_small_groups
from helpers.models.customer_portfolio import churn_causes as risks
from helpers.models.estimate import Estimate

from ...many_comparisons import holm
from ..hidden import hidden_cells, rows_and_columns
from ..measurement import Measurement
from ..names import CAUSE_CHINESE, CAUSE_NAMES

CAUSES = risks.CAUSES
NAMES = {name: f"{CAUSE_CHINESE[name]} {CAUSE_NAMES[name]}" for name in CAUSES}
YEAR_DAYS = {"share_1_year": 365, "share_2_years": 730}
BOUNDS = ("", "_low", "_high")


def tables(result: Measurement) -> list[Table]:
    """Return the causes, the segments they hit, and how many have left by a time."""
    return [churn_causes(result), churn_segments(result), cumulative_incidence(result)]


def _nothing(result: Measurement) -> str:
    """Say why nothing can be said of those who left; empty where something can."""
    if not result.has("exits"):
        return "Who has left, and why, is not known: set exits."
    if not result.incidence.exits.any():
        return "Nobody is known to have left."
    if not (_by_cause(result)["exits"] > 0).any():
        return f"Fewer than {result.settings.min_cell} customers left for any cause."
    return ""


def _by_cause(result: Measurement) -> pd.DataFrame:
    """Return the exits of each cause that there is, those of few people blank."""
    frame = pd.DataFrame({"cause": CAUSES, "exits": result.incidence.exits})
    frame = frame[(frame["exits"] > 0) | (frame["cause"] != "unknown")].reset_index(drop=True)
    return suppress_small_groups(frame, "exits", ("cause",), result.settings.min_cell)


def _hidden(result: Measurement) -> list[str]:
    """Return the causes for which few left, or whose numbers would tell of them."""
    frame = _by_cause(result)
    return frame.loc[frame["exits"].isna(), "cause"].tolist()


def _left_since(result: Measurement) -> pd.Series:
    """Return how many left for each cause between the two dates, few people blank."""
    people = pd.DataFrame({"people": result.value_lost.customers})
    return suppress_small_groups(people, "people", (), result.settings.min_cell)["people"].astype(float)


def value_lost(result: Measurement) -> dict[str, Estimate]:
    """Return the value lost "in all" and what was "avoidable" of it, nan where that would tell of few people."""
    lost, since = result.value_lost, _left_since(result)
    few, untold = since.isna().any(), Estimate(np.nan, np.nan, np.nan)
    return {
        "in all": untold if few and not (since > 0).any() else lost.total,
        # beside a cause that is shown, the sum of the avoidable ones would tell of one that is not
        "avoidable": untold if few else lost.avoidable,
    }


def churn_causes(result: Measurement) -> Table:
    """Count and value those who left for each cause."""
    if why := _nothing(result):
        return Table.nothing("churn_causes", why)
    frame = _by_cause(result)
    places = [CAUSES.index(name) for name in frame["cause"]]
    shares = risks.cumulative_incidence(result.durations, result.causes, list(YEAR_DAYS.values())).share
    rate, lost = risks.hazards(result.durations, result.causes).rate, result.value_lost
    estimates = {name: _ends(shares, (slice(None), place)) for place, name in enumerate(YEAR_DAYS)}
    estimates |= {"rate": _ends(rate, 0), "value_lost": _ends(lost.value, slice(None))}
    numbers = {name + end: row for name, ends in estimates.items() for end, row in zip(BOUNDS, ends, strict=True)}
    frame = frame.assign(**{name: values[places] for name, values in numbers.items()})
    frame["avoidable"] = frame["cause"].isin(risks.AVOIDABLE)
    few = frame["exits"].isna()
    frame.loc[few, list(numbers)] = np.nan
    few = _left_since(result)[places].isna().to_numpy()
    frame.loc[few, [f"value_lost{end}" for end in BOUNDS]] = np.nan
    return Table("churn_causes", frame, _causes_caption(result), _causes_columns(result))


def _ends(estimate, at) -> list[np.ndarray]:
    return [np.asarray(getattr(estimate, end)[at], float) for end in ("value", "low", "high")]


def _causes_columns(result: Measurement) -> dict[str, Column]:
    def interval(name: str, label: str, of: str, **shown) -> dict[str, Column]:
        return {
            name: Column(label, **shown),
            f"{name}_low": Column(f"95 % low{of}", **shown),
            f"{name}_high": Column(f"95 % high{of}", **shown),
        }

    return {
        "cause": Column("Cause", names=NAMES),
        "exits": Column("Exits", digits=0),
        **interval("share_1_year", "Of all gone for it by 1 year", " by 1 year", digits=1, percent=True),
        **interval("share_2_years", "by 2 years", " by 2 years", digits=1, percent=True),
        **interval("rate", "Exits per customer and year", " per year", digits=3),
        **interval("value_lost", "Future value lost", " of value", unit=result.currency, digits=0),
        "avoidable": Column("Avoidable", names={"True": "yes", "False": "no"}),
    }


def unrecorded(result: Measurement) -> str:
    """Say what is not counted of departures."""
    share = percent(result.now.recorded_share, 0)
    return f"Counted are recorded exits, which are taken to be {share} of departures (exits_recorded)."


def _causes_caption(result: Measurement) -> str:
    lost = value_lost(result)
    told = {name: f"{number(each.value)} ({between(each.low, each.high)})" for name, each in lost.items()}
    total = f", in {result.currency}: {told['in all']} in all" if np.isfinite(lost["in all"].value) else ""
    if np.isfinite(lost["avoidable"].value):
        total += f", of which the causes that the sources call avoidable took {told['avoidable']}"
    return (
        f"{number(result.incidence.customers)} customers from their first purchase to their exit or {result.now.date}. "
        "The causes compete: shares are of all customers, counted from the first purchase (Aalen and Johansen), so "
        "that they add up to those who left; rates have exact Poisson intervals and take the rate to be constant. "
        f"Value lost is what those who left since {result.then.date} were worth then{total}. "
        f"{unrecorded(result)} "
        f"Causes of fewer than {result.settings.min_cell} customers are not shown, nor what would tell of them."
    )


def churn_segments(result: Measurement) -> Table:
    """Compare the rates of leaving of each segment with those of the rest."""
    if why := _nothing(result):
        return Table.nothing("churn_segments", why)
    if len(result.segments) < 2:
        why = "The purchases name no segments to compare (a column segment, or columns to say which it is)."
        return Table.nothing("churn_segments", why)
    found, told = result.hazards, _by_cause(result)
    shown = told.loc[told["exits"] > 0, "cause"].tolist()
    places = [CAUSES.index(name) for name in shown]
    exits, years = found.exits[:, places], found.customer_years[:, None]
    compared = _compared(exits, years)
    # the retention of a segment (relationship_levels) tells how many left it, the table of causes how many for each
    few = hidden_cells(exits.ravel(), rows_and_columns(*exits.shape), result.settings.min_cell).reshape(exits.shape)
    cells = {"exits": exits, "customer_years": np.broadcast_to(years, exits.shape)}
    for name, estimate in (("rate", found.rate), ("ratio", compared.ratio)):
        bounds = _ends(estimate, (slice(None), places) if name == "rate" else slice(None))
        cells |= {name + end: values for end, values in zip(BOUNDS, bounds, strict=True)}
    cells["p_value"] = compared.p_value
    frame = pd.DataFrame({"segment": np.repeat(result.segments, len(shown)), "cause": np.tile(shown, len(years))})
    frame = frame.assign(**{name: np.where(few, np.nan, values).ravel() for name, values in cells.items()})
    frame["p_holm"] = holm(frame["p_value"]).where(frame["p_value"].notna())
    return Table("churn_segments", frame, _segments_caption(result), _segments_columns())


def _compared(exits: np.ndarray, years: np.ndarray) -> risks.RateRatio:
    """Compare each segment with all others together; nan where either was never watched."""
    others, other_years = exits.sum(axis=0) - exits, years.sum() - years
    watched = (years > 0) & (other_years > 0)
    counts = (np.where(watched, each, 0) for each in (exits, others))
    times = (np.where(watched, each, 1) for each in (years, other_years))
    (own, rest), (own_years, rest_years) = counts, times
    # where a segment has every exit its ratio has no upper end
    with np.errstate(divide="ignore"):
        return risks.rate_ratio(own, own_years, rest, rest_years)


def _segments_columns() -> dict[str, Column]:
    return {
        "segment": Column("Segment"),
        "cause": Column("Cause", names=NAMES),
        "exits": Column("Exits", digits=0),
        "rate": Column("Exits per customer and year", digits=3),
        "rate_low": Column("95 % low", digits=3),
        "rate_high": Column("95 % high", digits=3),
        "ratio": Column("Times the rate of the rest", digits=2),
        "ratio_low": Column("95 % low of the ratio", digits=2),
        "ratio_high": Column("95 % high of the ratio", digits=2),
        "p_holm": Column("p, Holm", digits=3, least=0.001),
    }


def _segments_caption(result: Measurement) -> str:
    return (
        f"Rates of leaving of {number(len(result))} customers up to {result.now.date}, by segment, against those of "
        "all other segments together: exact intervals, each at 95 % by itself; p is corrected for the number of "
        f"comparisons (Holm 1979). {unrecorded(result)} Segments may differ in how long their customers have been "
        "there. Cells of fewer than "
        f"{result.settings.min_cell} exits are not shown, nor those that would tell of them."
    )


def cumulative_incidence(result: Measurement) -> Table:
    """Estimate the share of customers who have left for each cause by a time."""
    if why := _nothing(result):
        return Table.nothing("cumulative_incidence", why)
    found, hidden = result.incidence, _hidden(result)
    shown = [name for name in _by_cause(result)["cause"] if name not in hidden]
    places = [CAUSES.index(name) for name in shown]
    share, low, high = (each[places].ravel() for each in _ends(found.share, slice(None)))
    frame = pd.DataFrame(
        {
            "cause": np.repeat(shown, len(found.days)),
            "days": np.tile(found.days, len(shown)),
            "share": share,
            "low": low,
            "high": high,
        }
    )
    columns = {
        "cause": Column("Cause", names=NAMES),
        "days": Column("By", "days", 0),
        "share": Column("Of all customers", digits=1, percent=True),
        "low": Column("95 % low", digits=1, percent=True),
        "high": Column("95 % high", digits=1, percent=True),
    }
    without = "" if not hidden else f" Causes of fewer than {result.settings.min_cell} customers are left out."
    caption = (
        f"Share of {number(found.customers)} customers who have left for each cause by so many days after their first "
        f"purchase (Aalen and Johansen); the last line of each cause, all in the file. "
        f"{unrecorded(result)}{without}"
    )
    view = frame[frame["share"].notna()].groupby("cause", sort=False).tail(1)
    return Table("cumulative_incidence", frame, caption, columns, view)
