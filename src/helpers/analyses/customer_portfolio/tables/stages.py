"""The stages of the relationship: who is in which, who moves where, how long it lasts, and what decline is worth."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Table, number, percent, suppress_small_groups
from helpers.models import proportions
from helpers.models.customer_portfolio import decline as decisions
from helpers.models.customer_portfolio import stages as life_cycle

from ..hidden import hidden_cells, rows_and_columns
from ..measurement import PANEL_STEP_DAYS, Measurement
from ..names import STAGE_CHINESE, STAGE_NAMES

STAGES = life_cycle.STAGES
NOT_YET = "not_yet"
ASKS_FOR = {  # the sources say nothing of the stable stage
    "exploration": "survey all, to find whom to develop",
    "formation": "invest in satisfaction, loyalty and volume",
    "stable": "",
    "decline": "invest once more, or let go",
    "ended": "",
}
NAMES = {name: f"{STAGE_CHINESE[name]} {STAGE_NAMES[name]}" for name in STAGES}
RULES = {
    decisions.BY_VALUE: "where it is expected to pay",
    decisions.EVERYONE: "in everyone",
    decisions.NOBODY: "in nobody: let all go",
}


def tables(result: Measurement) -> list[Table]:
    """Return the stages, the moves between them, how long they last, and what to do in decline."""
    return [stages(result), stage_transitions(result), dwell_times(result), decline(result)]


# --- who is in which stage ------------------------------------------------------------------------------------------


def stages(result: Measurement) -> Table:
    """Count and value the customers of each stage, at both dates."""
    frame = pd.concat([_at(result, "then"), _at(result, "now")], ignore_index=True)
    frame["asks_for"] = frame["stage"].map(ASKS_FOR)
    currency = result.currency
    columns = {
        "date": Column("On"),
        "stage": Column("Stage", names=NAMES),
        "customers": Column("Customers", digits=0),
        "share": Column("Share of customers", digits=1, percent=True),
        "current_value": Column("Current value", currency, 0),
        "future_value": Column("Future value", currency, 0),
        "asks_for": Column("The sources ask for"),
    }
    caption = (
        f"The customers of each date by the stage of the relationship, values in {currency}: current is margin less "
        f"cost of 12 months, future the margin expected in {result.settings.horizon_weeks} weeks. {_rule(result)} "
        "What the sources ask for in a stage is theirs, untested; of the stable one they say nothing. For decline see "
        f"table decline. Stages of fewer than {result.settings.min_cell} customers are not shown."
    )
    return Table("stages", frame, caption, columns)


def _at(result: Measurement, when: str) -> pd.DataFrame:
    shot = getattr(result, when)
    places = result.stages if when == "now" else result._stages(shot)
    counts = np.bincount(places, minlength=len(STAGES))
    frame = pd.DataFrame(
        {
            "when": when,
            "date": str(shot.date),
            "stage": STAGES,
            "customers": counts,
            "share": counts / len(places),
            "current_value": np.bincount(places, shot.current_value, minlength=len(STAGES)),
            "future_value": np.bincount(places, shot.future_value, minlength=len(STAGES)),
        }
    )
    # how many have left stands in the tables of causes, too
    shown = suppress_small_groups(
        frame, "customers", ("when", "date", "stage"), result.settings.min_cell, known=(life_cycle.ENDED,)
    )
    return shown.astype(dict.fromkeys(("customers", "share", "current_value", "future_value"), float))


def _rule(result: Measurement) -> str:
    rule = result.settings.stage_rule
    return (
        "Of the rules the first that holds counts. Ended: an exit is recorded. Decline: the probability of still being "
        f"a customer is below {percent(rule.alive, 0)}, or the last {rule.trend_days:g} days sold less than "
        f"{percent(rule.falling, 0)} of as many before, or nothing was bought again within {rule.stable_days:g} days. "
        f"Exploration: within {rule.exploration_days:g} days of the first purchase, or bought on one day only. Stable: "
        f"a customer for {rule.stable_days:g} days. Formation: everyone else."
    )


# --- who moves where ------------------------------------------------------------------------------------------------


def stage_transitions(result: Measurement) -> Table:
    """Count who moved from which stage to which between the two dates."""
    moves = result.stage_moves
    counts = np.vstack([moves.counts, moves.joined])
    trials = counts.sum(axis=1, keepdims=True)
    share = counts / np.where(trials > 0, trials, np.nan)
    low, high = proportions.wilson(counts, trials)
    untold = np.append(_hidden(result, "then"), False)[:, None] | _hidden(result, "now")
    made, known = counts > 0, rows_and_columns(*counts.shape)
    hidden = np.zeros(counts.shape, bool)  # that nobody moved so may be seen
    hidden[made] = hidden_cells(counts[made], known[:, made.ravel()], result.settings.min_cell, also=untold[made])
    frame = pd.DataFrame(
        {
            "from": np.repeat([*STAGES, NOT_YET], len(STAGES)),
            "to": np.tile(STAGES, len(STAGES) + 1),
            **{
                name: np.where(hidden, np.nan, values).ravel()
                for name, values in {"customers": counts, "share": share, "low": low, "high": high}.items()
            },
        }
    )
    columns = {
        "from": Column("From", names=NAMES | {NOT_YET: "尚非客户 not yet a customer"}),
        "to": Column("To", names=NAMES),
        "customers": Column("Customers", digits=0),
        "share": Column("Share of those from there", digits=1, percent=True),
        "low": Column("95 % low", digits=1, percent=True),
        "high": Column("95 % high", digits=1, percent=True),
    }
    caption = (
        f"The customers of {result.now.date} by their stage on {result.then.date} and then, with Wilson's intervals; "
        "shown are moves that somebody made. Some moves are left out, so that none of fewer than "
        f"{result.settings.min_cell} customers can be told."
    )
    view = frame[frame["customers"] > 0]
    if view.empty:
        return Table.nothing("stage_transitions", f"No move was made by {result.settings.min_cell} customers or more.")
    return Table("stage_transitions", frame, caption, columns, view)


def _hidden(result: Measurement, when: str) -> np.ndarray:
    """Tell which stages are not shown at a date: their moves would add up to what is hidden."""
    return _at(result, when)["customers"].isna().to_numpy()


# --- how long they stay ---------------------------------------------------------------------------------------------


def dwell_times(result: Measurement) -> Table:
    """Estimate how long customers stay in each stage."""
    if len(result.panel) < 2:
        return Table.nothing("dwell_times", "The purchases cover too little time to see how long a stage lasts.")
    found = life_cycle.dwell(result.panel, PANEL_STEP_DAYS)
    frame = pd.DataFrame(
        {
            "stage": STAGES,
            "spells": found.spells,
            "completed": found.completed,
            "begun_before": found.begun_before,
            "mean_days": found.mean_days.value,
            "low": found.mean_days.low,
            "high": found.mean_days.high,
            "median_days": found.median_days.value,
            "median_low": found.median_days.low,
            "median_high": found.median_days.high,
            "horizon_days": found.horizon_days,
        }
    )
    frame = frame[frame["stage"] != "ended"]
    few = frame[["spells", "completed"]].min(axis=1) < result.settings.min_cell
    numbers = frame.columns.drop("stage")
    frame = frame.astype(dict.fromkeys(numbers, float))
    frame.loc[few, numbers] = np.nan
    if frame["spells"].isna().all():
        return Table.nothing(
            "dwell_times",
            f"Fewer than {result.settings.min_cell} stays in any stage were seen from their beginning to their end.",
        )
    columns = {
        "stage": Column("Stage", names=NAMES),
        "spells": Column("Stays seen from their beginning", digits=0),
        "completed": Column("and to their end", digits=0),
        "mean_days": Column("Mean", "days", 0),
        "low": Column("95 % low", "days", 0),
        "high": Column("95 % high", "days", 0),
        "median_days": Column("Median", "days", 0),
        "median_low": Column("95 % low of the median", "days", 0),
        "median_high": Column("95 % high of the median", "days", 0),
        "horizon_days": Column("Mean within", "days", 0),
    }
    sampled = f"a random sample of {number(result.panel.shape[1])} of " if result.panel.shape[1] < len(result) else ""
    caption = (
        f"How long {sampled}{number(len(result))} customers stay in a stage (Kaplan and Meier), looked at every "
        f"{PANEL_STEP_DAYS} days up to {result.now.date}, so no finer than that. Stays that had begun before are left "
        "out; the mean counts no further than the longest stay that could be seen. The probability of still being a "
        "customer is that of a model that knows all purchases, also at the dates before. The relationship that has "
        f"ended stays so. Stages with fewer than {result.settings.min_cell} stays, or ends of stays, are not shown."
    )
    return Table("dwell_times", frame.reset_index(drop=True), caption, columns)


# --- decline --------------------------------------------------------------------------------------------------------


def decline(result: Measurement) -> Table:
    """Set what investing once more costs and brings under three rules side by side."""
    settings, fading = result.settings, len(result.within_reach)
    if fading < settings.min_cell:
        few = f"Fewer than {settings.min_cell} customers are" if fading else "No customer is"
        return Table.nothing("decline", f"{few} in decline or within reach: there is nothing to decide on.")
    totals = result.decision.totals
    frame = pd.DataFrame(
        [(rule, each.customers, each.spend, *vars(each.gain).values()) for rule, each in totals.items()],
        columns=["rule", "customers", "spend", "gain", "low", "high"],
    )
    back = frame["gain"] + frame["spend"]
    frame["break_even_response"] = settings.reinvest_response * frame["spend"] / back.where(back > 0)
    chosen = totals[decisions.BY_VALUE].customers
    if 0 < chosen < settings.min_cell or 0 < fading - chosen < settings.min_cell:
        frame.loc[frame["rule"] == decisions.BY_VALUE, frame.columns.drop("rule")] = np.nan
    secret = _tells_of_few(result)
    if secret:
        frame.loc[frame["rule"] == decisions.EVERYONE, frame.columns.drop("rule")] = np.nan
    who = "The customers" if secret else f"The {number(fading)} customers"
    currency = result.currency
    columns = {
        "rule": Column("Invest once more", names=RULES),
        "customers": Column("Customers", digits=0),
        "spend": Column("Cost", currency, 0),
        "gain": Column("Gain less cost", currency, 0),
        "low": Column("95 % low", currency, 0),
        "high": Column("95 % high", currency, 0),
        "break_even_response": Column("Pays from a response of", digits=1, percent=True),
    }
    caption = (
        f"{who} who on {result.now.date} are in decline, or have left of their own will or "
        f"were poached; amounts in {currency}. Assumed, not measured: {percent(settings.reinvest_response)} of those "
        f"addressed respond (reinvest_response), at a cost of {number(settings.reinvest_cost, 2)} for everyone "
        "(reinvest_cost); a response brings back what is lost of the relationship. The interval is of what customers "
        "are worth, not of what is assumed. The last "
        "column says from which response on a rule pays, above 100 % never. A rule that parts off fewer than "
        f"{settings.min_cell} customers is not shown, nor one that would tell of so few."
    )
    return Table("decline", frame, caption, columns)


def _tells_of_few(result: Measurement) -> bool:
    """Tell whether those within reach are a few more, or less, than a group whose size stands elsewhere."""
    left = len(result.within_reach) - len(result.declining)
    causes = result.incidence.exits
    few = (causes > 0) & (causes < result.settings.min_cell)
    return bool((left and few.any()) or _hidden(result, "now")[life_cycle.DECLINE])
