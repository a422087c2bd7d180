"""The road map: what to do with each class, what it would bring, and how to find out."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Table, number, percent
from helpers.models.referral_value.campaign import Outcome, customers_per_arm
from helpers.models.referral_value.classes import CLASSES

from ..measurement import Measurement
from .classes import NAMES, has_small

TOO_SMALL, LARGE = "class too small to test this", "class may be large enough"
LEVER = {
    "affluents": "letter by direct mail; a second one that rewards a referral",
    "advocates": "cross-selling and selling more of the same",
    "misers": "both incentives together",
    "champions": "nothing is said of champions in the sources",
}
INCENTIVE = {
    "affluents": "for referrer and referee alike",
    "advocates": "for what is bought beyond the usual",
    "misers": "for referring and for buying",
    "champions": "",
}
INDICATOR = {
    "affluents": "referral value of those addressed, against a hold-out group",
    "advocates": "lifetime value of those addressed, against a hold-out group",
    "misers": "both values of those addressed, against a hold-out group",
    "champions": "both values, so that neither falls unnoticed",
}
ASSUMED = {
    "response": "total_response",
    "first_response": "response",
    "second_response": "second_response",
    "incentive": "incentive",
    "contact_cost": "contact_cost",
    "second_contact_cost": "second_contact_cost",
}
GUARD = {
    "affluents": "lifetime value must not fall",
    "advocates": "referral value must not fall",
    "misers": "cost per response",
    "champions": "share that leaves the class",
}


def road_map(result: Measurement) -> Table:
    """The measures of the sources, one row for each class: rebuilt, since their own table is lost."""
    moves = {move.source: move for move in result.settings.moves}
    found = dict(zip(moves, result.campaign.outcomes, strict=True))
    hidden = has_small(result)
    lines = []
    for name in CLASSES:
        move = moves.get(name)
        targets = " or ".join(NAMES[target] for target in move.targets) if move else ""
        second = move is not None and move.second_response > 0
        held_out, can_test = (np.nan, "not shown" if move else "") if hidden or not move else _hold_out(found[name])
        lines.append(
            (
                name,
                targets or NAMES[name],
                LEVER[name],
                INCENTIVE[name],
                f"within {result.settings.second_touch_days} days" if second else "",
                INDICATOR[name],
                GUARD[name],
                held_out,
                can_test,
            )
        )
    names = ["class", "target", "lever", "incentive", "second_touch", "indicator", "guard_rail", "hold_out", "test"]
    frame = pd.DataFrame(lines, columns=names)
    columns = {
        "class": Column("Class", names=NAMES),
        "target": Column("To become"),
        "lever": Column("Measure"),
        "incentive": Column("Incentive"),
        "second_touch": Column("Second touch"),
        "indicator": Column("Measured by"),
        "guard_rail": Column("Guard rail"),
        "hold_out": Column("Customers to hold out, at least", digits=0),
        "test": Column("Test"),
    }
    caption = (
        "The road map, rebuilt from the three measures that the sources describe; their own table is lost. Held out: "
        "the customers of the arm that is not addressed, as many as of the arm that is. A test at 5 % then sees the "
        "expected gain of each customer addressed, in the value they are measured by over the horizon, with a power of "
        "80 %, counting that few respond and differ much from the rest. That is the least: it knows how far customers "
        "differ in what is expected of them, and what they then do varies more. Better take the spread of the same "
        "value in a past period as long."
    )
    return Table("road_map", frame, caption, columns)


def _hold_out(outcome: Outcome) -> tuple[float, str]:
    """Return the customers of each arm, and whether the class has as many for both."""
    gain = outcome.uplift.value / outcome.addressed if outcome.addressed else np.nan
    if not gain > 0:
        return np.nan, "no gain to test"
    size = customers_per_arm(gain, outcome.spread)
    return size, TOO_SMALL if size > outcome.addressed / 2 else LARGE


def campaign(result: Measurement) -> Table:
    """What each measure would bring, if as many respond as is assumed."""
    moves, found = result.settings.moves, result.campaign
    hidden, lines = has_small(result), []
    for name, move, outcome in [
        *((move.source, move, outcome) for move, outcome in zip(moves, found.outcomes, strict=True)),
        ("together", None, found.together),
    ]:
        estimates = [outcome.responses, outcome.uplift, outcome.cost, outcome.net, outcome.return_on_campaign]
        numbers = [float(getattr(estimate, end)) for estimate in estimates for end in ("value", "low", "high")]
        row = [outcome.addressed, *numbers, float(outcome.break_even_response.value), outcome.probability_of_gain]
        row = [np.nan] * len(row) if hidden else row
        assumed = [float(getattr(move, term)) if move else np.nan for term in ASSUMED.values()]
        lines.append((name, *assumed, *row, "not shown" if hidden else outcome.decision))
    names = ["class", *ASSUMED, "addressed"]
    for measure in ("responses", "uplift", "cost", "net", "return_on_campaign"):
        names += [measure, f"{measure}_low", f"{measure}_high"]
    frame = pd.DataFrame(lines, columns=[*names, "break_even_response", "probability_of_gain", "decision"])
    currency = result.currency
    columns = {
        "class": Column("Class addressed", names=NAMES | {"together": "All together"}),
        "addressed": Column("Customers", digits=0),
        "first_response": Column("Response assumed to the first touch", digits=1, percent=True),
        "second_response": Column("To the second, of the rest", digits=1, percent=True),
        "response": Column("To both", digits=1, percent=True),
        "break_even_response": Column("Break-even response to both", digits=1, percent=True),
        "incentive": Column("Incentive for each response", currency, 2),
        "contact_cost": Column("Cost of each first contact", currency, 2),
        "second_contact_cost": Column("Of each second contact", currency, 2),
        "cost": Column("Cost", currency, 0),
        "uplift": Column("Value gained", currency, 0),
        "net": Column("Net", currency, 0),
        "net_low": Column("95 % low", currency, 0),
        "net_high": Column("95 % high", currency, 0),
        "return_on_campaign": Column("Return on the campaign", digits=0, percent=True),
        "decision": Column("Decision"),
    }
    caption = (
        "A simulation of one campaign. Response, incentives and costs of contact are assumptions (campaign), not data. "
        "Only what lies ahead can be gained: who moves is to buy, or to bring within the horizon, as much as the "
        "median of the target class (of referral value, what was brought per year of being a customer, at least one, "
        "times the horizon). That assumes a mover becomes like a class selected by its outcome, of which part is luck "
        "(regression to the mean): gains are an upper end. At the break-even response, both touches scaled together, "
        "the expected net is 0. Return is net over cost. Intervals carry the uncertainty of values, of the response "
        "and of who responds."
    )
    return Table("campaign", frame, caption, columns)


def migration(result: Measurement) -> Table:
    """How many customers the campaign is expected to move, and where."""
    shown = campaign(result).frame.set_index("class")["responses"]
    lines = [
        (move.source, target, share * shown[move.source])
        for move in result.settings.moves
        for target, share in move.targets.items()
    ]
    frame = pd.DataFrame(lines, columns=["source", "target", "customers"])
    columns = {
        "source": Column("From", names=NAMES),
        "target": Column("To", names=NAMES),
        "customers": Column("Customers expected to move", digits=0),
    }
    known = frame["customers"].sum()
    caption = (
        f"Expected moves of the campaign: {number(known)} of {number(len(result.classes))} customers "
        f"({percent(known / len(result.classes))})."
    )
    return Table("migration", frame, caption, columns)
