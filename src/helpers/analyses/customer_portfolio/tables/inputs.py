"""What went into the report: rows of each file, and what was assumed where the files do not say."""

from __future__ import annotations

import pandas as pd

from helpers.exhibits import Column, Table, number, percent

from ..measurement import Measurement
from ..reading import FILES
from ..snapshots import MOST_RECORDED, SHRINKAGE_YEARS

ASSUMED, RULE, MEASURED = "assumption", "rule", "from the data"
WITHOUT = {
    "marketing_touches": "No marketing touches are given (marketing_touches): to address customers costs nothing here.",
    "service_contacts": "No service contacts are given (service_contacts): to serve customers costs nothing here.",
    "exits": "No exits are given (exits), so nobody is known to have left, or why.",
    "receivables": "No receivables are given (receivables), so nobody is known to owe anything.",
    "referrals": "No referrals are given (referrals), so nobody is known to have brought anybody.",
    "satisfaction_survey": "No survey is given (satisfaction_survey), so nobody's satisfaction is known.",
}


def tables(result: Measurement) -> list[Table]:
    """Return the assumptions and an account of each file."""
    return [assumptions(result), data_accounting(result), *(_further(result, name) for name in FILES[1:])]


def assumptions(result: Measurement) -> Table:
    """Return what no file says and was taken, and where lines were drawn."""
    lines = [*_of_money(result), *_of_costs(result), *_of_responses(result), *_of_rules(result)]
    frame = pd.DataFrame(lines, columns=["what", "kind", "value", "parameter"])
    columns = {
        "what": Column("What"),
        "kind": Column("Kind"),
        "value": Column("Taken"),
        "parameter": Column("Where to set it"),
    }
    caption = (
        "What no file says: assumptions are about customers and might be wrong; rules only say where a line is drawn, "
        "where the sources state none. What is from the data stands beside for comparison. None has an interval. "
        "What is assumed of relationship levels stands in a table of its own."
    )
    return Table("assumptions", frame, caption, columns)


def _of_money(result: Measurement) -> list[tuple[str, str, str, str]]:
    settings, (old, new) = result.settings, result.settings.discount_rates
    stated = MEASURED if result.has_margins else ASSUMED
    return [
        (
            "Margin of a purchase",
            stated,
            "as stated; where it is not, " * result.has_margins + f"{percent(settings.margin_rate, 0)} of the amount",
            "margin_rate",
        ),
        *(
            (f"Margin rate of what is expected, {shot.date}", stated, percent(shot.margin_rate), "margin_rate")
            for shot in (result.then, result.now)
        ),
        (f"Discount rate, {result.then.date}", ASSUMED, f"{percent(old)} a year", "earlier_discount_rate"),
        (f"Discount rate, {result.now.date}", ASSUMED, f"{percent(new)} a year", "annual_discount_rate"),
        ("How far ahead", RULE, f"{settings.horizon_weeks} weeks", "horizon_weeks"),
    ]


def _of_costs(result: Measurement) -> list[tuple[str, str, str, str]]:
    settings, currency = result.settings, result.currency
    weight = f"{SHRINKAGE_YEARS:g} year of the average cost counts with each customer's own years"
    contact = _money(settings.cost_per_contact, currency)
    return [
        ("Cost of a service contact that states none", ASSUMED, contact, "cost_per_contact"),
        ("Yearly cost ahead", ASSUMED, f"as so far; {weight}", "–"),
    ]


def _of_responses(result: Measurement) -> list[tuple[str, str, str, str]]:
    settings, currency = result.settings, result.currency
    best = f"those at {percent(settings.best_comparable, 0)} of future value in the segment"
    weights = settings.weights or f"{settings.weighting} weights"
    told = _money(settings.value_of_feedback, currency)
    return [
        *_of_exits(result),
        ("As good as a customer could become", ASSUMED, best, "best_comparable"),
        ("Of those gone, come back if invested in", ASSUMED, percent(settings.reinvest_response), "reinvest_response"),
        ("What that costs a customer", ASSUMED, _money(settings.reinvest_cost, currency), "reinvest_cost"),
        ("Worth of something a customer tells", ASSUMED, told, "value_of_feedback"),
        ("Weights of commercial value", ASSUMED, str(weights), "weights, weighting"),
    ]


def _of_exits(result: Measurement) -> list[tuple[str, str, str, str]]:
    if not result.now.ended.any():
        return []
    what, taken = "Departures that are recorded as exits", percent(result.now.recorded_share, 0)
    if result.settings.exits_recorded != -1:
        return [(what, ASSUMED, taken, "exits_recorded")]
    most = ", the most that is taken" if result.now.exits_per_departure > MOST_RECORDED else ""
    return [(what, MEASURED, f"{taken} of those that the model expects{most}", "exits_recorded")]


def _of_rules(result: Measurement) -> list[tuple[str, str, str, str]]:
    settings, currency = result.settings, result.currency
    current, future = (f"above {_money(cut, currency)}" for cut in result.cuts)
    return [
        ("High current value", RULE, f"{current} ({settings.current_cut})", "current_cut, current_cut_at"),
        ("High future value", RULE, f"{future} ({settings.future_cut})", "future_cut, future_cut_at"),
        ("Most valuable, and second tier", RULE, f"above {percent(settings.tier_cut, 0)} of customers", "tier_cut"),
        ("Pyramid", RULE, " / ".join(percent(share, 0) for share in settings.pyramid_shares), "pyramid_shares"),
        ("Main and general customers", RULE, " / ".join(percent(cut, 0) for cut in settings.abc_cuts), "abc_cuts"),
        ("Exploration, and new", RULE, f"below {settings.exploration_days} days", "exploration_days"),
        ("Stable", RULE, f"from {settings.stable_days} days", "stable_days"),
        (
            "Decline",
            RULE,
            f"sales of {settings.trend_days} days below {percent(settings.falling, 0)} of those before",
            "trend_days, falling",
        ),
        ("Probably gone", RULE, f"probability below {number(settings.alive_below, 2)}", "alive_below"),
    ]


def _money(amount: float, currency: str) -> str:
    return f"{number(amount, 2)} {currency}"


def data_accounting(result: Measurement) -> Table:
    """From rows of the transactions to purchases."""
    return _account("data_accounting", result.files.purchases.accounting, "transactions", result.currency)


def _further(result: Measurement, name: str) -> Table:
    """Say what became of the rows of a further file."""
    found = result.files.all.get(name)
    if found is None:
        return Table.nothing(f"{name}_accounting", WITHOUT[name])
    return _account(f"{name}_accounting", found.accounting, name.replace("_", " "), result.currency)


def _account(name: str, frame: pd.DataFrame, what: str, currency: str) -> Table:
    possible = {
        "step": Column("Step"),
        "rows": Column("Rows", digits=0),
        "respondents": Column("Respondents", digits=0),
        "amount": Column("Amount", currency, 2),
        "reason": Column("Reason"),
    }
    columns = {column: how for column, how in possible.items() if column in frame and frame[column].notna().any()}
    return Table(name, frame, f"What became of every row of the {what}: the lines add up to the last.", columns)
