"""The words of the portfolio report: every sentence follows from the numbers."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from helpers.exhibits import Headline, between, listed, number, percent
from helpers.models.customer_portfolio import decline, stages, tiers
from helpers.models.estimate import Estimate

from ..claims import Claim
from . import actions
from .measurement import MOST_UNSEEN_DAYS
from .names import CAUSE_NAMES, CLASSES, SHOWN
from .snapshots import MOST_RECORDED
from .tables import churn as churn_tables
from .tables.classes import too_short

if TYPE_CHECKING:
    from .analysis import CustomerPortfolio

MOST_EXITS = 1.1  # for each departure that the model expects: beyond, the two contradict each other
MOST_STEPS = 5  # next steps that the answer names
FIRM = 0.8  # share of draws in which a customer's class holds that is called firm
NAMES_OF_CLAIMS = (  # in the order of the ledger
    "Who buys most may owe most",
    "The most loyal may bring the lowest margin",
    "Sales rise while profit falls",
    "Not every buyer brings profit",
    "Both sides gain together",
)
SPREAD = ("gini", "top_share", "share_below_zero")
BRIDGE_WORDS = {
    "new": "new customers",
    "lost": "customers lost",
    "gone_before": "those probably gone before",
    "discount": "time and the discount rate",
    "margin": "margins",
    "growth": "the rest of the customers kept",
}


def headlines(result: CustomerPortfolio) -> tuple[Headline, ...]:
    """Return the headline numbers, each with its interval."""
    currency, size = result.currency, len(result)
    equity, spread = result.customer_equity, _spread(result)
    change = _difference(equity, _line(result, "opening"))
    untold = "" if result.has_costs else "nobody is known to cost anything (marketing_touches, service_contacts)"
    return (
        _money("customer_equity", "customer equity: what all customers are expected to bring", equity, currency),
        Headline("customers", size, "customers", _counted(size, "customer")),
        _money("equity_change", f"change of customer equity since {result.then.date}", change, currency),
        _share("share_below_zero", "customers whose lifetime value is below 0", spread["share_below_zero"], untold),
        _gini(spread["gini"]),
        _share("top_fifth_share", "lifetime value held by the most valuable fifth", spread["top_share"]),
        _share("gold_share", "customers expected to be high in both values, of those who have not left", _gold(result)),
        _avoidable(result),
    )


def _avoidable(result: CustomerPortfolio) -> Headline:
    """Return the value lost with those who could have been kept."""
    name, words = "avoidable_value_lost", "future value lost with customers who left or were poached"
    if not result.has("exits"):
        return Headline(name, None, result.currency, f"{words}: no exits are given")
    found = churn_tables.value_lost(result)["avoidable"]
    if not np.isfinite(found.value):
        return Headline(name, None, result.currency, f"{words}: not shown, too few left for a cause")
    return _money(name, words, found, result.currency)


def _spread(result: CustomerPortfolio) -> dict[str, Estimate]:
    """Return how lifetime value is spread, as far as the table of it shows."""
    row = result.parts["concentration"].frame.set_index("amount").loc["lifetime_value"]
    return {name: _estimate(row, name, f"{name}_low", f"{name}_high") for name in SPREAD}


def _gold(result: CustomerPortfolio) -> Estimate:
    """Return the share of gold customers that the draws of their values lead to expect."""
    if result.now.ended.all():
        return Estimate(np.nan, np.nan, np.nan)
    row = result.parts["classes"].frame.set_index("class").loc["gold"]
    return _estimate(row, "expected_share" if result.has_draws else "share", "low", "high")


def _line(result: CustomerPortfolio, name: str) -> Estimate:
    """Return a line of the bridge, as far as its table shows it."""
    row = result.parts["equity_bridge"].frame.set_index("line").loc[name]
    return _estimate(row, "value", "low", "high")


def _estimate(row, *names: str) -> Estimate:
    return Estimate(*(np.nan if row[name] is None else float(row[name]) for name in names))


def _gini(found: Estimate) -> Headline:
    text = f"Gini coefficient of lifetime value: {number(found.value, 2)} ({between(found.low, found.high, 2)})"
    return Headline("gini", found.value, "0 to 1", text, found.low, found.high)


def _difference(later: Estimate, earlier: Estimate) -> Estimate:
    """Return the difference of two estimates that were drawn by themselves: their errors add up as squares do."""
    value = later.value - earlier.value
    low = value - np.hypot(later.value - later.low, earlier.high - earlier.value)
    return Estimate(value, low, value + np.hypot(later.high - later.value, earlier.value - earlier.low))


def _money(name: str, words: str, found: Estimate, currency: str) -> Headline:
    text = f"{words}: {number(found.value)} {currency} ({between(found.low, found.high)})"
    return Headline(name, found.value, currency, text, found.low, found.high)


def _share(name: str, words: str, found: Estimate, untold: str = "") -> Headline:
    if untold:
        return Headline(name, None, "share", f"{words}: {untold}")
    text = f"{words}: {percent(found.value)} ({between(found.low, found.high, 1, 100)}, in %)"
    return Headline(name, found.value, "share", text, found.low, found.high)


# --- the answer --------------------------------------------------------------------------------------------------


def paragraphs(result: CustomerPortfolio) -> list[str]:
    """Return the answer, paragraph by paragraph."""
    return [
        equity(result),
        classes(result),
        value(result),
        stages_and_decline(result),
        churn(result),
        next_steps(result),
        verdicts(result.claims),
    ]


def equity(result: CustomerPortfolio) -> str:
    """Say what the customers are worth ahead, and why that changed."""
    found, currency = result.customer_equity, result.currency
    weeks, rate = result.settings.horizon_weeks, percent(result.settings.annual_discount_rate, 0)
    who = f"{_counted(len(result), 'customer')} {'are' if len(result) > 1 else 'is'}"
    text = (
        f"**{who} expected to bring {number(found.value)} {currency}** "
        f"({between(found.low, found.high)}) of margin in the {weeks} weeks after {result.now.date}, discounted at "
        f"{rate} a year."
    )
    opening = _line(result, "opening").value
    if not opening > 0:
        return text
    change = found.value - opening
    verb = "more" if change >= 0 else "less"
    amounts = {name: _line(result, name).value for name in BRIDGE_WORDS}
    moves = sorted((name for name in amounts if abs(amounts[name]) >= 0.5), key=lambda name: -abs(amounts[name]))
    parts = [f"{BRIDGE_WORDS[name]} {_signed(amounts[name])}" for name in moves]
    made = f": {listed(parts)}" if parts else ""
    return f"{text} That is {number(abs(change))} {verb} than on {result.then.date}{made}."


def _counted(size: int, noun: str) -> str:
    return f"{number(size)} {noun}{'' if size == 1 else 's'}"


def _signed(amount: float) -> str:
    return f"{'+' if amount > 0 else ''}{number(amount)}"


def classes(result: CustomerPortfolio) -> str:
    """Say how customers fall into the value matrix, and how firmly."""
    if (result.now.ended).all():
        return ""
    shown = result.parts["classes"].frame.set_index("class")["share"]
    parts = [f"{name} {percent(shown[name]) if _is_number(shown[name]) else 'not shown'}" for name in SHOWN]
    text = (
        f"By current and future value: {listed(parts)} of those who have not left (gold is high in both values, "
        "platinum in current value alone)."
    )
    stable = result.class_stability
    if stable is not None:
        firm = percent(float(np.mean(stable.own[~result.now.ended] >= FIRM)), 0)
        text += f" {firm} keep their class in at least {percent(FIRM, 0)} of the draws of their values."
    return text


def _is_number(share) -> bool:
    return share is not None and np.isfinite(share)


def value(result: CustomerPortfolio) -> str:
    """Say how value is spread, and who costs more than they bring."""
    spread = _spread(result)
    top, below = spread["top_share"], spread["share_below_zero"]
    if len(result) == 1 or not np.isfinite(top.value):
        return "How lifetime value is spread cannot be told of these customers."
    text = (
        f"The most valuable fifth of customers hold {percent(top.value, 0)} of lifetime value "
        f"({between(top.low, top.high, 0, 100)}, in %)."
    )
    if not result.has_costs:
        return f"{text} Who costs more than they bring cannot be told: no costs are given."
    if not np.isfinite(below.value):
        return text
    return (
        f"{text} **{percent(below.value)} of customers are worth less than nothing** "
        f"({between(below.low, below.high, 1, 100)}, in %)."
    )


def stages_and_decline(result: CustomerPortfolio) -> str:
    """Say how many relationships fade, and where one more investment is expected to pay."""
    if (result.stages == stages.ENDED).all():
        return "Every customer has left."
    text, settings, told = _fading(result), result.settings, result.parts["decline"].frame
    if "rule" not in told:
        return text
    pays, *gain = told.set_index("rule").loc[decline.BY_VALUE, ["customers", "gain", "low", "high"]].astype(float)
    if not np.isfinite(pays):
        return text
    assumed = (
        f"if {percent(settings.reinvest_response, 0)} respond with what they bought before, at "
        f"{settings.reinvest_cost:g} {result.currency} for each who is asked (both assumed)"
    )
    whom = "them and of those who left of their own will or were poached" if result.has("exits") else "them"
    if not pays:
        return f"{text} To invest once more pays for none of {whom}, {assumed}."
    return (
        f"{text} To invest once more is expected to pay for {number(pays)} of {whom}, {assumed}: it would bring "
        f"{number(gain[0])} {result.currency} ({between(*gain[1:])})."
    )


def _fading(result: CustomerPortfolio) -> str:
    """Say how many relationships fade, as far as the table of stages shows."""
    shown = result.parts["stages"].frame.query("when == 'now'").set_index("stage")["customers"]
    fading, ended = float(shown["decline"]), float(shown["ended"])
    if not np.isfinite(fading + ended):
        return "How many relationships are in decline would tell of few customers."
    here = len(result) - int(ended)
    have = "has" if here == 1 else "have"
    text = f"Of the {_counted(here, 'relationship')} that {have} not ended {percent(fading / here, 0)} are in decline"
    lapsed = int((result.loyalty[result.declining] == 0).sum())
    if min(lapsed, fading - lapsed) >= result.settings.min_cell:
        text += f", {percent(lapsed / fading, 0)} of these because they bought only once, long ago"
    return f"{text}."


def churn(result: CustomerPortfolio) -> str:
    """Say why customers left, and what might have been kept."""
    if not result.has("exits"):
        return ""
    frame = result.parts["churn_causes"].frame
    if "cause" not in frame:
        return str(frame["reason"].iloc[0])
    counts, exits = frame.set_index("cause")["exits"].astype(float), int(result.incidence.exits.sum())
    text = (
        f"{number(exits)} customers have left; the most frequent cause is: "
        f"{CAUSE_NAMES[counts.idxmax()]} ({percent(counts.max() / exits, 0)} of exits)."
    )
    lost, avoidable = churn_tables.value_lost(result).values()
    if lost.value > 0:
        text += (
            f" Those who left since {result.then.date} took {number(lost.value)} {result.currency} of future "
            f"value with them ({between(lost.low, lost.high)})"
        )
        if np.isfinite(avoidable.value):
            text += f", {percent(avoidable.value / lost.value, 0)} of it by their own will or to a competitor"
        text += "."
    return text


def next_steps(result: CustomerPortfolio) -> str:
    """Say what is to be done with how many."""
    shown = result.parts["actions"].frame.set_index("next_action")["customers"].astype(float)
    counts = shown[shown > 0].drop("none", errors="ignore").sort_values(ascending=False, kind="stable")
    parts = [f"{number(size)} to {actions.VERBS[name]}" for name, size in counts.items()]
    if len(parts) > MOST_STEPS + 1:
        rest = counts.iloc[MOST_STEPS:]
        parts[MOST_STEPS:] = [f"{number(rest.sum())} for {len(rest)} other steps"]
    return f"Next: {listed(parts)}." if parts else ""


def verdicts(claims: tuple[Claim, ...]) -> str:
    """Say what becomes of the claims of the sources, a paragraph for each."""
    named = zip(NAMES_OF_CLAIMS, claims, strict=True)
    return "\n\n".join(f"**{name}: {claim.verdict}.** {claim.why}" for name, claim in named)


# --- warnings and notes --------------------------------------------------------------------------------------------


def warnings(result: CustomerPortfolio) -> tuple[str, ...]:
    """Say which conclusions do not hold or must be read with care."""
    found = []
    if len(result) == 1:
        found.append("There is one customer: nothing can be said of how customers differ.")
    found += [*_of_models(result), *_of_exits(result)]
    found += [
        f"No customer is in the file of {name.replace('_', ' ')}: it counts as not given. Do the ids agree?"
        for name in result.files.all
        if not result.has(name)
    ]
    if not result.compares_years:
        found.append(
            f"{too_short(result)} Who moved between the classes, and who held their share of sales, is not shown: set "
            "earlier_date later, or give purchases of more time."
        )
    beyond = (result.now.date - result.files.purchases.last_date).days
    if beyond > MOST_UNSEEN_DAYS:
        found.append(
            f"observation_end ({result.now.date}) lies {number(beyond)} days after the last purchase of all "
            f"({result.files.purchases.last_date}): every customer counts as silent since. Were purchases recorded up "
            "to then?"
        )
    if not result.has_draws:
        found.append("Values have no intervals here: the draws of the models could not be made.")
    if not result.has_margins:
        found.append(
            "The purchases state no margins: "
            f"{percent(result.settings.margin_rate, 0)} of the amount is taken (margin_rate), the same for all: whose "
            "margin is low cannot be told."
        )
    if not result.has_costs:
        found.append(
            "No costs are given (marketing_touches, service_contacts): that somebody costs more than they bring cannot "
            "be found."
        )
    for name, classes_of, names in (
        ("class", result.classes[~result.now.ended], CLASSES),
        ("tier", result.tiers, tiers.TIERS),
    ):
        only = np.unique(classes_of)
        if len(only) == 1 and len(classes_of) > 1:
            found.append(f"All customers are in one {name} ({names[only[0]]}): the cuts tell nobody apart.")
    return tuple(dict.fromkeys(found))


def _of_models(result: CustomerPortfolio) -> list[str]:
    """Say what is wrong with the models, once where it is so at both dates."""
    dates: dict[str, list[str]] = {}
    for shot in (result.now, result.then):
        told = shot.expectation.problems
        for problem in told:
            # why nothing can be drawn repeats what stands beside
            others = (other for other in told if other != problem)
            rest = reduce(lambda text, other: text.replace(other, ""), others, problem).strip()
            dates.setdefault(rest, []).append(str(shot.date))
    return [f"At {listed(when)}: {problem}" for problem, when in dates.items()]


def _of_exits(result: CustomerPortfolio) -> list[str]:
    """Say where exits cannot be what they are taken for: a share of all departures that does not change."""
    if not result.now.ended.any():
        return []
    found, estimated = [], result.settings.exits_recorded == -1
    if estimated and result.now.exits_per_departure > MOST_EXITS:
        found.append(
            f"There are {percent(result.now.exits_per_departure, 0)} as many exits as the model expects departures: "
            "model and exits contradict each other. Set exits_recorded to the share of departures that your exits hold."
        )
    dates = result.exit_date[result.now.ended]
    first, last = result.first_date.min(), np.datetime64(result.now.date, "ns")
    if (dates.min() - first) > (last - first) / 2:
        found.append(
            f"The first exit is recorded on {np.datetime_as_string(dates.min(), 'D')}, late in the time observed: "
            "departures before may not be recorded, so that rates of leaving are too low."
            + (" Set exits_recorded to the share of departures that your exits hold." if estimated else "")
        )
    return found


def _most_taken(result: CustomerPortfolio) -> str:
    """Say that the exits are more than is taken, where they are."""
    if result.settings.exits_recorded != -1 or result.now.exits_per_departure <= MOST_RECORDED:
        return ""
    return (
        f"; no more is taken, as no register is complete: there are {percent(result.now.exits_per_departure, 0)} as "
        "many exits as departures that the model expects"
    )


def notes(result: CustomerPortfolio) -> tuple[str, ...]:
    """Say what the inputs brought that a reader should know."""
    drawn, asked = len(result.now.expectation.draws), result.settings.draws
    fewer = 0 < drawn < asked
    return (
        *((f"Intervals rest on {drawn} draws instead of {asked}: there are many customers.",) if fewer else ()),
        *(note for one in result.files.all.values() for note in one.notes),
        *(
            (
                f"{percent(result.now.recorded_share, 0)} of departures are taken to be recorded as exits "
                f"(exits_recorded{_most_taken(result)}): of whom none is recorded is the likelier a customer still.",
            )
            if result.now.ended.any()
            else ()
        ),
        "Intervals of equity and of classes are of what the models leave open; those of shares below 0, of Gini "
        "coefficients and of the top fifth are of customers like these, whose values are taken as known.",
        "Gold and platinum are used as the sources use them: gold is high in current and future value, platinum in "
        "current value alone. In the customer pyramid of Zeithaml, Rust and Lemon (2001) platinum is on top.",
        "The share of wallet, what customers spend here of all they spend on such things, is not computed: what they "
        "spend elsewhere is in no file.",
    )
