"""Kotler's five levels of relationship: which pays for whom, what that assumes, and what it hangs on."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Table, number, percent, plain, suppress_small_groups
from helpers.models.customer_portfolio.relationship_levels import ASSUMED_CEILING, NONE

from ..measurement import Measurement
from ..names import LEVEL_CHINESE, LEVEL_NAMES, PYRAMID, PYRAMID_CHINESE, PYRAMID_NAMES

NAMES = {name: f"{LEVEL_CHINESE[name]} {LEVEL_NAMES[name]}" for name in LEVEL_NAMES}
TIERS = {name: f"{PYRAMID_CHINESE[name]} {PYRAMID_NAMES[name]}" for name in PYRAMID}
ASSUMPTIONS = {
    "cost": "cost of contact for a customer and year",
    "capacity": "customers at which it has doubled",
    "ceiling": "retention that no contact exceeds",
    "responsiveness": "how fast contact closes the gap to it",
}


def tables(result: Measurement) -> list[Table]:
    """Return which level pays for whom, what is assumed of the levels, and what other assumptions would change."""
    return [relationship_levels(result), level_assumptions(result), level_sensitivity(result)]


def _nothing(result: Measurement) -> str:
    """Say why no level can be chosen; empty where one can."""
    if result.level_segments is None:
        return "No customer is left for whom a level could be chosen."
    if result.level_choices is None:
        return "The customers left bring no margin: no level of relationship pays."
    if not _shown(result).any():
        return f"No group has as many as {result.settings.min_cell} customers."
    return ""


def _names(result: Measurement) -> list[str]:
    """Return the names of the groups; a segment that is called like a tier says that it is a segment."""
    clash = [kind == "segment" and name in TIERS for kind, name in result.level_groups]
    return [f"segment {name}" if also else name for (_, name), also in zip(result.level_groups, clash, strict=True)]


def _shown(result: Measurement) -> np.ndarray:
    """Tell which groups have enough customers, tiers and segments each for themselves."""
    frame = pd.DataFrame({"people": [int(who.sum()) for who in result.level_groups.values()]})
    shown = np.zeros(len(frame), bool)
    for kind in ("tier", "segment"):
        part = frame[result.level_kinds == kind]
        told = suppress_small_groups(part, "people", (), result.settings.min_cell)
        shown[part.index] = told["people"].notna()
    return shown


def relationship_levels(result: Measurement) -> Table:
    """Value each level in each group; show the one that is worth most."""
    if why := _nothing(result):
        return Table.nothing("relationship_levels", why)
    found, known, shown = result.levels, result.level_segments, _shown(result)
    levels = [level.name for level in result.level_choices[0]]
    groups, width = np.array(_names(result)), len(levels)
    recommended = found.best[:, None] == np.arange(width)
    cells = {
        "customers": np.repeat(known.customers, width),
        "margin": np.repeat(known.margin, width),
        "retention": np.repeat(found.base.retention, width),
        **{name: np.repeat(values, width) for name, values in _observed(result).items()},
        "level_retention": found.retention.ravel(),
        "level_cost": found.cost.ravel(),
        "value": found.value.value.ravel(),
        "low": found.value.low.ravel(),
        "high": found.value.high.ravel(),
        "gain": (found.value.value - found.value.value[:, :1]).ravel(),
        "probability": found.probability.ravel(),
        "budget": np.repeat(found.budget, width),
    }
    hidden = np.repeat(~shown, width)
    frame = pd.DataFrame(
        {
            "group": np.repeat(groups, width),
            "kind": np.repeat(result.level_kinds, width),
            "level": np.tile(levels, len(groups)),
            **{name: np.where(hidden, np.nan, values) for name, values in cells.items()},
            "recommended": np.where(hidden, None, recommended.ravel()),
        }
    )
    currency = result.currency
    columns = {
        "group": Column("Group", names=TIERS),
        "customers": Column("Customers still there, expected", digits=0),
        "margin": Column("Margin a year of one who stays", currency, 2),
        "retention": Column("Retention a year as it is", digits=0, percent=True),
        "observed_retention": Column("Retention observed", digits=0, percent=True),
        "observed_retention_low": Column("95 % low", digits=0, percent=True),
        "observed_retention_high": Column("95 % high", digits=0, percent=True),
        "level": Column("Level that is worth most", names=NAMES),
        "value": Column("Value less cost", currency, 0),
        "low": Column("95 % low", currency, 0),
        "high": Column("95 % high", currency, 0),
        "gain": Column("more than the basic level", currency, 0),
        "probability": Column("Best in draws, given the assumptions", digits=0, percent=True),
        "budget": Column("Cost a year", currency, 0),
    }
    columns = {name: column for name, column in columns.items() if name in frame}
    view = frame[(frame["recommended"] == True)]  # noqa: E712 - blanks are neither
    return Table("relationship_levels", frame, _levels_caption(result), columns, view)


def _observed(result: Measurement) -> dict[str, np.ndarray]:
    """Return the retention that exits tell of each group, with its interval; nothing where no exits are known."""
    found = getattr(result, "level_retention", None)
    if found is None:
        return {}
    names = ("observed_retention", "observed_retention_low", "observed_retention_high")
    return dict(zip(names, (found.value, found.low, found.high), strict=True))


def _levels_caption(result: Measurement) -> str:
    problems = dict(zip(_names(result), result.levels.base.problems, strict=True))
    told = [
        f"{plain(TIERS.get(name, name))}: {problem}"
        for (name, problem), shown in zip(problems.items(), _shown(result), strict=True)
        if problem and shown
    ]
    untold = [
        plain(TIERS.get(name, name)) for name, best in zip(problems, result.levels.best, strict=True) if best == NONE
    ]
    parts = [
        f"Kotler's five levels for the tiers of the pyramid and the segments on {result.now.date}, in "
        f"{result.currency}: value is of all customers of the group within {result.settings.horizon_weeks} weeks, less "
        "what the level costs; the file has every level. Costs, capacities and the response to contact are assumed "
        "(table level_assumptions), not measured, and the interval and the draws are of what is known of customers "
        "alone: table level_sensitivity says what the choice hangs on. The levels of tiers and of segments are two "
        "plans for the same customers: their costs must not be added up. Groups of fewer than "
        f"{result.settings.min_cell} customers are not shown.",
        "Retention as it is comes from the exits for segments: exp(-departures per customer-year), departures being "
        f"exits over the {percent(result.now.recorded_share, 0)} that they are taken to hold (exits_recorded), with "
        "the exact Poisson interval of the rate. Tiers are cut by what customers brought, so that who stayed is in the "
        "higher ones: theirs is the one that margin and future value imply."
        if _observed(result)
        else "Retention as it is, is the one that margin and future value imply.",
        f"No level can be told for {', '.join(untold)}." if untold else "",
        *told,
    ]
    return " ".join(part for part in parts if part)


def level_assumptions(result: Measurement) -> Table:
    """Say what is assumed of the levels and of the response to contact, and where to set it."""
    if why := _nothing(result):
        return Table.nothing("level_assumptions", why)
    levels, response = result.level_choices
    settings, currency = result.settings, result.currency
    given = {(level, name) for level, parts in settings.levels.items() for name in parts}
    units = {"cost": f"{currency} a year", "capacity": "customers"}
    lines = [
        (level.name, name, getattr(level, name), units[name], "levels" if (level.name, name) in given else "")
        for level in levels
        for name in units
    ]
    responsive = "level_responsiveness" if settings.level_responsiveness != -1 else ""
    ceiling = "level_ceiling" if settings.level_ceiling != ASSUMED_CEILING else ""
    lines += [
        ("all", "ceiling", response.ceiling, "share of customers", ceiling),
        ("all", "responsiveness", response.responsiveness, f"1 / ({currency} a year)", responsive),
    ]
    frame = pd.DataFrame(lines, columns=["level", "assumption", "value", "unit", "set_by"])
    columns = {
        "level": Column("Level", names=NAMES | {"all": "all levels"}),
        "assumption": Column("Assumption", names=ASSUMPTIONS),
        "value": Column("Taken", digits=2),
        "unit": Column("Unit"),
        "set_by": Column("Set by", names={"": "assumed"}),
    }
    caption = (
        "Assumptions, not measurements: the sources name the levels and state no number. Unless set, costs are shares "
        "of the mean yearly margin of a customer and capacities shares of the customers (no capacity: the cost never "
        "grows). Retention rises from what it is towards the ceiling as exp(-responsiveness x cost) falls (the form of "
        "Blattberg and Deighton 1996). Set levels, level_ceiling and level_responsiveness, best from a test with a "
        "hold-out group."
    )
    return Table("level_assumptions", frame, caption, columns)


def level_sensitivity(result: Measurement) -> Table:
    """Say which level would be recommended if an assumption were half or double."""
    if why := _nothing(result):
        return Table.nothing("level_sensitivity", why)
    levels = [level.name for level in result.level_choices[0]]
    lines = [
        (change.assumption, change.factor, group, "" if best == NONE else levels[best], bool(changed))
        for change in result.level_changes
        for group, best, changed, shown in zip(_names(result), change.best, change.changed, _shown(result), strict=True)
        if shown
    ]
    frame = pd.DataFrame(lines, columns=["assumption", "factor", "group", "level", "changed"])
    told = frame["level"].map(NAMES).fillna("") + np.where(frame["changed"], " *", "")
    view = frame.assign(told=told).pivot(index=["assumption", "factor"], columns="group", values="told")
    groups = list(dict.fromkeys(frame["group"]))
    columns = {"assumption": Column("Assumption", names=ASSUMPTIONS), "factor": Column("Times", digits=1)}
    columns |= {name: Column(TIERS.get(name, name)) for name in groups}
    changed = int(frame["changed"].sum())
    caption = (
        f"The level recommended where one assumption is other than assumed, the rest as it is: {number(changed)} of "
        f"{number(len(frame))} recommendations change (marked *). Of the ceiling, what it lacks to 1 is multiplied; a "
        "level that costs more is the same contact, and works as before."
    )
    return Table("level_sensitivity", frame, caption, columns, view[groups].reset_index())
