"""The words of the portfolio report: every sentence follows from the numbers."""

from __future__ import annotations

import numpy as np

from helpers.exhibits import Headline, between, listed, number, percent
from helpers.models.customer_portfolio import churn_causes, stages, tiers
from helpers.models.estimate import Estimate

from ..claims import Claim
from . import actions
from .measurement import Measurement
from .names import CAUSE_NAMES, CLASSES, SHOWN

FIRM = 0.8  # share of draws in which a customer's class holds that is called firm
NAMES_OF_CLAIMS = {
    "A01": "Sales and loyalty mislead",
    "A12": "Both sides gain together",
    "B12": "Sales rise while profit falls",
    "C12": "Not every buyer brings profit",
}
BRIDGE_WORDS = {
    "new": "new customers",
    "lost": "customers lost",
    "discount": "time and the discount rate",
    "margin": "margins",
    "growth": "the rest of the customers kept",
}


def headlines(result: Measurement) -> tuple[Headline, ...]:
    """Return the headline numbers, each with its interval."""
    currency, size = result.currency, len(result)
    equity, bridge, value = result.customer_equity, result.equity_bridge.lines, result.concentration["lifetime_value"]
    change = _difference(bridge["closing"], bridge["opening"])
    untold = (
        "" if result.has_costs else "without marketing_touches or service_contacts nobody is known to cost anything"
    )
    avoidable = result.value_lost.avoidable if result.has("exits") else None
    return (
        Headline("customers", size, "customers", f"{number(size)} customers"),
        _money("customer_equity", "customer equity: what all customers are expected to bring", equity, currency),
        _money("equity_change", f"change of customer equity since {result.then.date}", change, currency),
        _share("share_below_zero", "customers whose lifetime value is below 0", value.below_zero, untold),
        Headline(
            "gini",
            value.gini.value,
            "0 to 1",
            f"Gini coefficient of lifetime value: {number(value.gini.value, 2)} "
            f"({between(value.gini.low, value.gini.high, 2)})",
            value.gini.low,
            value.gini.high,
        ),
        _share("top_fifth_share", "lifetime value held by the most valuable fifth", value.top_share),
        _share("gold_share", "customers high in current and in future value", _gold(result)),
        _money("avoidable_value_lost", "future value lost with customers who left or were poached", avoidable, currency)
        if avoidable is not None
        else Headline("avoidable_value_lost", None, currency, "value lost with customers who left: no exits are given"),
    )


def _gold(result: Measurement) -> Estimate:
    share = float(np.mean(result.classes == CLASSES.index("gold")))
    stable = result.class_stability
    if stable is None:
        return Estimate(share, np.nan, np.nan)
    place = CLASSES.index("gold")
    # the draws are of expected values; the classes as given are of the expectation itself, which need not lie within
    return Estimate(share, *(float(end[place]) for end in (stable.share.low, stable.share.high)))


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


def paragraphs(result: Measurement) -> list[str]:
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


def equity(result: Measurement) -> str:
    """Say what the customers are worth ahead, and why that changed."""
    found, currency, lines = result.customer_equity, result.currency, result.equity_bridge.lines
    weeks, rate = result.settings.horizon_weeks, percent(result.settings.annual_discount_rate, 0)
    text = (
        f"**{number(len(result))} customers are expected to bring {number(found.value)} {currency}** "
        f"({between(found.low, found.high)}) of margin in the {weeks} weeks after {result.now.date}, discounted at "
        f"{rate} a year."
    )
    change = lines["closing"].value - lines["opening"].value
    if not lines["opening"].value > 0:
        return text
    verb = "more" if change >= 0 else "less"
    moves = sorted(BRIDGE_WORDS, key=lambda name: -abs(lines[name].value))[:3]
    parts = [f"{BRIDGE_WORDS[name]} {_signed(lines[name].value)}" for name in moves if round(lines[name].value)]
    made = f": {listed(parts)}" if parts else ""
    return f"{text} That is {number(abs(change))} {verb} than on {result.then.date}{made}."


def _signed(amount: float) -> str:
    return f"{'+' if amount > 0 else ''}{number(amount)}"


def classes(result: Measurement) -> str:
    """Say how customers fall into the value matrix, and how firmly."""
    shown = result.tables["classes"].frame.set_index("class")["share"]
    parts = [f"{name} {percent(shown[name]) if _is_number(shown[name]) else 'not shown'}" for name in SHOWN]
    text = f"By current and future value: {listed(parts)} of customers (gold is high in both, platinum now alone)."
    stable = result.class_stability
    if stable is not None:
        firm = percent(float(np.mean(stable.own >= FIRM)), 0)
        text += f" {firm} keep their class in at least {percent(FIRM, 0)} of the draws of their values."
    return text


def _is_number(share) -> bool:
    return share is not None and np.isfinite(share)


def value(result: Measurement) -> str:
    """Say how value is spread, and who costs more than they bring."""
    found = result.concentration["lifetime_value"]
    if not np.isfinite(found.top_share.value):
        return f"How lifetime value is spread cannot be told: {found.problem}"
    top = found.top_share
    text = (
        f"The most valuable fifth of customers hold {percent(top.value, 0)} of lifetime value "
        f"({between(top.low, top.high, 0, 100)}, in %)."
    )
    if not result.has_costs:
        return f"{text} Who costs more than they bring cannot be told: no costs are given."
    below, tier = found.below_zero, float(np.mean(result.tiers == tiers.BELOW_ZERO))
    return (
        f"{text} **{percent(below.value)} of customers are worth less than nothing** "
        f"({between(below.low, below.high, 1, 100)}, in %); {percent(tier)} would be even if they became as "
        "good as the best customers like them."
    )


def stages_and_decline(result: Measurement) -> str:
    """Say how many relationships fade, and where one more investment is expected to pay."""
    here = result.stages != stages.ENDED
    if not here.any():
        return "Every customer has left."
    fading, settings = len(result.declining), result.settings
    share = percent(fading / here.sum(), 0)
    text = f"Of the {number(here.sum())} relationships that have not ended {share} are in decline."
    if not fading:
        return text
    pays = int(result.reinvests.sum())
    if 0 < pays < settings.min_cell:
        return text
    gain = result.decision.totals["by expected value"].gain
    assumed = (
        f"if {percent(settings.reinvest_response, 0)} of those who are gone respond, at {settings.reinvest_cost:g} "
        f"{result.currency} each"
    )
    if not pays:
        return f"{text} To invest once more pays in none of them, {assumed} (both assumed)."
    return (
        f"{text} To invest once more is expected to pay in {number(pays)} of them, {assumed} (both assumed): it would "
        f"bring {number(gain.value)} {result.currency} ({between(gain.low, gain.high)})."
    )


def churn(result: Measurement) -> str:
    """Say why customers left, and what might have been kept."""
    if not result.has("exits"):
        return ""
    causes = result.causes[result.causes != churn_causes.STILL_HERE]
    if not len(causes):
        return "No customer is known to have left."
    counts = np.bincount(causes, minlength=len(churn_causes.CAUSES))
    most = int(counts.argmax())
    lost = result.value_lost
    text = (
        f"{number(len(causes))} customers have left; the most frequent cause is: "
        f"{CAUSE_NAMES[churn_causes.CAUSES[most]]} ({percent(counts[most] / len(causes), 0)} of exits)."
    )
    if lost.total.value > 0:
        avoidable = percent(lost.avoidable.value / lost.total.value, 0)
        text += (
            f" Those who left since {result.then.date} took {number(lost.total.value)} {result.currency} of future "
            f"value with them ({between(lost.total.low, lost.total.high)}), {avoidable} of it by their own will or to "
            "a competitor."
        )
    return text


def next_steps(result: Measurement) -> str:
    """Say what is to be done with how many."""
    counts = np.bincount(result.actions, minlength=len(actions.ACTIONS))
    least = result.settings.min_cell
    order = [place for place in np.argsort(-counts, kind="stable") if counts[place] >= least]
    parts = [
        f"{number(counts[place])} to {actions.VERBS[name]}"
        for place in order
        if (name := actions.ACTIONS[place]) != "none"
    ]
    return f"Next: {listed(parts, 5)}." if parts else ""


def verdicts(claims: tuple[Claim, ...]) -> str:
    """Say what becomes of the claims of the sources, a paragraph for each."""
    return "\n\n".join(f"**{NAMES_OF_CLAIMS[claim.claim]}: {claim.verdict}.** {claim.why}" for claim in claims)


# --- warnings and notes --------------------------------------------------------------------------------------------


def warnings(result: Measurement) -> tuple[str, ...]:
    """Say which conclusions do not hold or must be read with care."""
    found = []
    for shot in (result.now, result.then):
        found += [f"At {shot.date}: {problem}" for problem in shot.expectation.problems]
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
    for name, classes_of, names in (("class", result.classes, CLASSES), ("tier", result.tiers, tiers.TIERS)):
        only = np.unique(classes_of)
        if len(only) == 1 and len(result) > 1:
            found.append(f"All customers are in one {name} ({names[only[0]]}): the cuts tell nobody apart.")
    if len(result) == 1:
        found.append("There is one customer: nothing can be said of how customers differ.")
    return tuple(dict.fromkeys(found))


def notes(result: Measurement) -> tuple[str, ...]:
    """Say what the inputs brought that a reader should know."""
    drawn, asked = len(result.now.expectation.draws), result.settings.draws
    fewer = 0 < drawn < asked
    return (
        *((f"Intervals rest on {drawn} draws instead of {asked}: there are many customers.",) if fewer else ()),
        *(note for one in result.files.all.values() for note in one.notes),
        "Gold and platinum are used as the sources use them: gold is high in current and future value, platinum in "
        "current value alone. In the customer pyramid of Zeithaml, Rust and Lemon (2001) platinum is on top.",
    )
