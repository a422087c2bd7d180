"""The words of the referral-value report: every sentence follows from the numbers."""

from __future__ import annotations

import numpy as np

from helpers.exhibits import Headline, between, listed, number, percent
from helpers.models.referral_value import comparison
from helpers.models.referral_value.classes import CLASSES

from ..claims import CANNOT_BE_TESTED, DEPENDS, Claim
from .measurement import EXPECTED, GROSS, UNKNOWN_TYPE, Measurement
from .settings import MODEL, SHARE, STATED
from .tables import inputs, types
from .tables.classes import CHINESE, NAMES, has_small
from .tables.values import overlap


def headlines(result: Measurement) -> tuple[Headline, ...]:
    """Return both total values, the customers who have them, and the return on the campaign."""
    customers, currency = len(result.classes), result.currency
    compared, firm = result.comparison, result.firm
    bought, campaign = compared.lifetime_value, result.campaign.together.return_on_campaign
    # what referrals add to the lifetime values is known: only these have an interval
    total = [
        float(firm.total) + customers * float(end - bought.value) for end in (bought.value, bought.low, bought.high)
    ]
    # of too few people nothing is told, nor anything from which it could be computed
    untold = result.untold
    unshown = untold or ("One of the four classes is too small to be shown." if has_small(result) else "")
    return (
        _money("total_lifetime_value", "lifetime value of all customers", _times(customers, bought), currency),
        Headline("customers", customers, "customers", _counted(customers, "customer")),
        *(
            _money(name, f"referral value of all customers, {version}", amounts, currency, untold)
            for name, version, amounts in (
                ("total_referral_value", "net", _times(customers, compared.referral_value, EXPECTED)),
                ("total_referral_value_gross", "gross", _times(customers, compared.referral_value, GROSS)),
            )
        ),
        _campaign_return(campaign, unshown),
        # without any referral it is what customers buy
        _money(
            "total_value", "total value of the customers, each once", total, currency, len(result.referee) and untold
        ),
    )


def _money(name: str, words: str, numbers: list[float], currency: str, untold: str = "") -> Headline:
    value, low, high = numbers
    if untold:
        return Headline(name, None, currency, f"{words}: {untold}")
    return Headline(name, value, currency, f"{words}: {number(value)} {currency} ({between(low, high)})", low, high)


def _campaign_return(estimate, untold: str) -> Headline:
    value, low, high = _times(1, estimate)
    name, unit, words = "campaign_return", "share of its cost", "return on the simulated campaign"
    if untold or not np.isfinite(value):
        return Headline(name, None, unit, f"{words}: {untold or 'cannot be told'}")
    return Headline(name, value, unit, f"{words}: {percent(value, 0)} ({between(low, high, 0, 100)})", low, high)


def _times(size: int, estimate, place: int | None = None) -> list[float]:
    """Return value, low and high of a mean, or of one version of it, times so many customers."""
    ends = (estimate.value, estimate.low, estimate.high)
    return [size * float(end if place is None else end[place]) for end in ends]


def _counted(size: int, noun: str) -> str:
    return f"{number(size)} {noun}{'' if size == 1 else 's'}"


def brought(result: Measurement) -> str:
    """Say how much customers bring by whom they bring, beside what they buy."""
    size, currency = len(result.classes), result.currency
    if result.untold:
        return (
            f"**{result.untold}** The lifetime value of {_counted(size, 'customer')} is "
            f"{number(result.customers.lifetime_value.sum())} {currency}."
        )
    compared = result.comparison
    referrers = len(np.unique(result.referrer))
    value, low, high = _times(size, compared.referral_value, EXPECTED)
    bought = size * float(compared.lifetime_value.value)
    return (
        f"**{number(referrers)} of {number(size)} customers ({percent(referrers / size)}) brought "
        f"{_counted(len(np.unique(result.referee)), 'other')}. That is worth {number(value)} {currency}** net "
        f"({between(low, high)}), beside the {number(bought)} {currency} that all customers bring by what they buy. "
        f"Added up without counting anybody twice, the customers are worth {number(result.firm.total)} {currency}."
    )


def classes(result: Measurement) -> str:
    """Say how the customers fall into the four classes."""
    shown = result.tables["classes"].frame.set_index("class")
    parts = []
    for name in CLASSES:
        share = shown.loc[name, "share"]
        parts.append(
            f"{NAMES[name].lower()} {percent(float(share)) if share == share and share is not None else 'not shown'}"
        )
    text = f"By both values: {', '.join(parts)} of customers."
    stable = result.stability
    if stable is not None:
        text += (
            f" On average a customer's class holds in {percent(float(stable.own.mean()), 0)} of draws of the values."
        )
    return text


def verdicts(claims: tuple[Claim, ...]) -> str:
    """Say what becomes of the claims of the sources, a paragraph for each."""
    names = {
        "A07": "Bringing others is worth more than buying",
        "A08": "Those high in one are often not high in the other",
    }
    return "\n\n".join(f"**{names[claim.claim]}: {claim.verdict}.** {claim.why}" for claim in claims)


def campaign(result: Measurement) -> str:
    """Say what the road map would bring."""
    frame = result.tables["campaign"].frame.set_index("class")
    told = [
        NAMES[name].lower() for name in frame.index if name != "together" and frame.loc[name, "decision"] == "address"
    ]
    left = [
        NAMES[name].lower() for name in frame.index if name != "together" and frame.loc[name, "decision"] == "leave"
    ]
    found = result.campaign.together
    if not np.isfinite(float(found.net.value)) or frame.loc["together", "decision"] == "not shown":
        return "What the road map would bring cannot be told here."
    text = (
        f"If as many respond as is assumed, the road map's campaign costs {number(float(found.cost.value))} "
        f"{result.currency} and brings {number(float(found.net.value))} net "
        f"({between(float(found.net.low), float(found.net.high))})"
    )
    whole = {"address": "worth it as a whole", "leave": "not worth it as a whole"}
    parts = [whole.get(frame.loc["together", "decision"], "as a whole it may gain or lose")]
    parts += [f"worth it for {listed(told)}"] if told else []
    parts += [f"not for {listed(left)}"] if left else []
    return f"{text}: {', '.join(parts)}. Test it with customers held out first."


def claims(result: Measurement) -> tuple[Claim, ...]:
    """Test what the sources claim of both values."""
    return larger(result), distinct(result)


def larger(result: Measurement) -> Claim:
    """Test claim A07: referral value exceeds lifetime value."""
    compared = result.comparison
    verdict = CANNOT_BE_TESTED if result.untold else comparison.larger_verdict(compared, result.of_unknown)
    numbers = [float(getattr(compared.difference, end)[EXPECTED]) for end in ("value", "low", "high")]
    if verdict == CANNOT_BE_TESTED:
        numbers = [np.nan] * 3
        why = result.untold or "The values have no intervals."
    else:
        why = (
            f"Referral less lifetime value is {number(numbers[0], 2)} {result.currency} per customer "
            f"({between(*numbers[1:], 2)}), net, with {percent(float(np.mean(result.type_one)), 0)} of referees who "
            "would not have joined otherwise; "
        )
        why += _types(result, verdict)
    return Claim(
        "A07",
        "显而易见，后者的价值高于前者",
        "Obviously the latter (whom customers bring) is worth more than the former (what they buy).",
        *numbers,
        verdict,
        why,
        "type_sensitivity",
    )


def _types(result: Measurement, verdict: str) -> str:
    """Say what the referrals of unknown type could change; those that the file states stay."""
    unknown = result.unknown_types
    if not unknown:
        known = "the type of every referral is stated"
        return f"{known}, and the interval holds 0." if verdict == DEPENDS else f"{known}."
    rest = f"the {_counted(unknown, 'referral')} of unknown type"
    if verdict != DEPENDS:
        return f"whatever share of {rest} is so, the answer stays."
    point = comparison.threshold(result.comparison, result.of_unknown, result.shares)
    value = float(point.value)
    if 0 <= value <= 1:
        interval = between(float(point.low), float(point.high), 0, 100)
        return f"both are equal at {percent(value, 0)} of {rest} ({interval})."
    return f"no share of {rest} turns the estimate, but for some the interval holds 0."


def distinct(result: Measurement) -> Claim:
    """Test claim A08: those high in one value are usually not those high in the other."""
    found = result.association
    verdict = comparison.distinct_verdict(found)
    place = 0
    numbers = [float(getattr(found.overlap, end)[place]) for end in ("value", "low", "high")]
    shown = overlap(result).frame
    if "top" not in shown or found.top[place] not in shown["top"].to_numpy():
        verdict, numbers = CANNOT_BE_TESTED, [np.nan] * 3
    if verdict == CANNOT_BE_TESTED:
        why = "Too few customers are in these tops, or the values have no intervals."
    else:
        why = (
            f"Of the top {percent(float(found.top[place]), 0)} by one value {percent(numbers[0], 0)} are in the top by "
            f"the other ({between(*numbers[1:], 0, 100)}); if both had nothing to do with each other it would be "
            f"{percent(float(found.expected[place]), 0)}. The ranks correlate by "
            f"{number(float(found.spearman.value), 2)} "
            f"({between(float(found.spearman.low), float(found.spearman.high), 2)})."
        )
        if found.p_value[place] > 0.05:
            why += (
                f" That overlap is no different from chance (p = {number(float(found.p_value[place]), 2)}): other "
                "people are what chance alone gives, and no sign that the one keeps anybody from the other."
            )
    return Claim(
        "A08",
        "往往并非同一批人",
        "Customers of high referral value and of high lifetime value are often not the same people.",
        *numbers,
        verdict,
        why,
        "overlap",
    )


def warnings(result: Measurement) -> tuple[str, ...]:
    """Say which conclusions do not hold or must be read with care."""
    found = list(result.customers.problems)
    if not result.has_draws:
        found.append(
            "How exactly each customer's value is known cannot be told here: intervals carry only who the customers "
            "happen to be. Another purchase model may carry these data: try model=pareto_nbd or model=nbd."
        )
    if result.untold:
        return (*found, result.untold)
    if not result.type_one_share.known and result.settings.unknown_type in (MODEL, SHARE):
        found.append(
            "Nobody knows which referees would have joined anyway: "
            f"{percent(UNKNOWN_TYPE, 0)} is assumed, and the claims are tested over every share."
        )
    if result.unknown_types and result.settings.unknown_type == STATED:
        found.append(
            f"The type of {_counted(result.unknown_types, 'referral')} is not stated: only the acquisition saved "
            "counts of these, which either type brings."
        )
    for column, name in (
        ("incentive_cost", "what was paid for them"),
        ("acquisition_cost", "what acquiring the referee would have cost"),
    ):
        missing = int(result.referrals.frame[column].isna().sum())
        if missing:
            taken = f"{inputs.taken(result, column)} is taken ({inputs.PARAMETERS[column]})"
            found.append(f"{number(missing)} referrals do not say {name}: {taken}.")
    sizes = np.bincount(result.classes, minlength=len(CLASSES))
    if (sizes == len(result.classes)).any():
        only = NAMES[CLASSES[int(sizes.argmax())]].lower()
        found.append(f"All customers are {only}: the cuts tell nobody apart.")
    return tuple(found)


def notes(result: Measurement) -> tuple[str, ...]:
    """Say what the inputs brought that a reader should know."""
    chinese = ", ".join(f"{NAMES[name]} {CHINESE[name]}" for name in CLASSES)
    past = (
        "at face value"
        if not result.settings.past_rate
        else f"brought to today at {percent(result.settings.past_rate)} a year"
    )
    drawn = len(result.customers.future_spend_draws)
    fewer = drawn and drawn < result.settings.draws
    return (
        *(
            (f"Intervals rest on {drawn} draws instead of {result.settings.draws}: there are many customers.",)
            if fewer
            else ()
        ),
        *result.purchases.notes,
        *result.touches.notes,
        *result.referrals.notes,
        *_types_told(result),
        f"The classes in the sources' words: {chinese}.",
        f"Money of the past counts {past}; what lies ahead is discounted.",
    )


def _types_told(result: Measurement) -> tuple[str, ...]:
    """Say what stands for the types that nobody knows, where a model was asked for."""
    is_asked = result.unknown_types and result.type_one_share.known and result.settings.unknown_type == MODEL
    if not is_asked or result.untold:
        return ()
    taken = "It" if result.is_modelled else "The share"
    return (
        f"{types.found(result)} {taken} is taken for the {_counted(result.unknown_types, 'referral')} of unknown type.",
    )
