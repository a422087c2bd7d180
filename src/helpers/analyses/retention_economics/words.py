"""The words of the report on retention economics: every sentence follows from the numbers."""

from __future__ import annotations

import numpy as np

from helpers.data.customer_summary import DAYS_PER_YEAR
from helpers.exhibits import Headline, between, listed, number, percent
from helpers.models.estimate import Estimate

from ..claims import VERDICTS, Claim
from . import claims
from .measurement import Measurement, scaled
from .names import SOURCE_NAMES
from .settings import CONTRACTS, MARKET_SPEND

FEW_RECORDED = 0.75  # exits over expected departures, of the share taken to be recorded, below which it is doubted

NAMES_OF_CLAIMS = (  # in the order of the ledger
    "5 % more retention gives 25 to 85 % more profit",
    "winning costs 6 to 10 times as much as keeping",
    "it costs 5 times more",
    "keeping costs far more than winning",
    "a loyal customer is worth ten purchases",
    "keeping is worth 60 times visiting",
    "kept customers bring a steady stream of revenue",
    "keeping does more for profit than attracting",
)


# --- headline numbers --------------------------------------------------------------------------------------------


def headlines(result: Measurement) -> tuple[Headline, ...]:
    """Return the headline numbers, each with its interval, or with why it is not known."""
    return (
        _uplift(result),
        _ratio(result),
        *_retention(result),
        *_renewals(result),
        *_costs(result),
        *_multiples(result),
        *_equity(result),
    )


def _told(name: str, unit: str, words: str, found: Estimate, digits: int = 2) -> Headline:
    text = f"{words}: {number(found.value, digits)} {unit} ({between(found.low, found.high, digits)})"
    return Headline(name, float(found.value), unit, text, float(found.low), float(found.high))


def _share(name: str, unit: str, words: str, found: Estimate) -> Headline:
    text = f"{words}: {percent(found.value)} ({between(found.low, found.high, 1, 100)}, in %)"
    return Headline(name, float(found.value), unit, text, float(found.low), float(found.high))


def _untold(name: str, unit: str, words: str, why: str) -> Headline:
    return Headline(name, None, unit, f"{words}: {why}")


def _uplift(result: Measurement) -> Headline:
    name, unit = "profit_uplift_of_five_points", "share of profit"
    words = f"more profit from a customer for {claims.convention_words(result)}"
    if result.base is None:
        return _untold(name, unit, words, result.base_problem)
    if reason := result.reason_of(result.base):
        return _untold(name, unit, words, reason)
    return _share(name, unit, words, result.uplift_of(result.base))


def _ratio(result: Measurement) -> Headline:
    name, unit, words = "acquisition_to_retention_cost", "times", "cost of a new customer over a year with one"
    if result.spend_problem:
        return _untold(name, unit, words, result.spend_problem)
    if not np.isfinite(result.cost("ratio").value):
        return _untold(name, unit, words, "nothing was spent on keeping, or nobody was won")
    return _told(name, unit, words, result.cost("ratio"), 1)


def _retention(result: Measurement) -> list[Headline]:
    if result.base is None:
        return [_untold("base_retention", "share a year", "customers who stay for a year", result.base_problem)]
    least = ", at least" if result.base.is_least else ""
    words = f"customers who stay for a year (by {SOURCE_NAMES[result.base.source]}{least})"
    return [_share("base_retention", "share a year", words, result.base.estimate)]


def _renewals(result: Measurement) -> list[Headline]:
    found = result.contracts
    names = {
        "term_retention": ("share a term", "contracts renewed at the end of a term"),
        "residual_tenure": ("years", "time that a running contract is still expected to be renewed for"),
        "heterogeneity_gap": ("times", "renewals ahead over those that a constant retention gives"),
    }
    why = found.problem or ("" if found.gap is not None else "no contract runs, or how holders differ is not known")
    if why:
        return [_untold(name, *texts, why) for name, texts in names.items()]
    term, gap = found.constant_estimate, found.gap
    years, times = found.term_days / DAYS_PER_YEAR, gap.customers.sum() / gap.total_constant
    terms = found.residual_terms
    values = {
        "term_retention": term,
        "residual_tenure": scaled(terms, years),
        "heterogeneity_gap": scaled(terms, times),
    }
    make = {"term_retention": _share}
    return [make.get(name, _told)(name, *texts, values[name]) for name, texts in names.items()]


def _costs(result: Measurement) -> list[Headline]:
    unit = result.currency
    names = {"acquisition_cost": "cost of a new customer", "retention_cost": "cost of a year with a customer"}
    marginal = "cost of one more new customer"
    if result.spend_problem:
        every = names | {"marginal_acquisition_cost": marginal}
        return [_untold(name, unit, words, result.spend_problem) for name, words in every.items()]
    found = [
        _told(name, unit, words, result.cost(name))
        if np.isfinite(result.cost(name).value)
        else _untold(name, unit, words, "not defined: there was none")
        for name, words in names.items()
    ]
    more = result.marginal_acquisition
    why = " ".join(more.problems) or "cannot be told"
    last = ("marginal_acquisition_cost", unit, marginal)
    return [*found, _told(*last, more.cost) if more.told else _untold(*last, why)]


def _multiples(result: Measurement) -> list[Headline]:
    bought, why = claims.loyal_purchases(result)
    names = ("repeat_purchases_loyal", "purchases", "repeat purchases to expect of a loyal customer")
    worth = (
        "value_multiple",
        "times",
        "value of loyal customers over the cost of keeping, in that of new ones over the cost of winning",
    )
    found = [_untold(*names, why) if bought is None else _told(*names, bought, 1)]
    problem = result.multiple_problem or (why if bought is None else "")
    return [*found, _untold(*worth, problem) if problem else _told(*worth, result.value_multiple.multiple, 1)]


def _equity(result: Measurement) -> list[Headline]:
    unit = result.currency
    expected = (
        "expected_margin",
        unit,
        f"margin expected of today's customers within {result.settings.horizon_weeks} weeks",
    )
    equity = ("equity_without_horizon", unit, f"worth of {_counted(result)}, without a horizon")
    elasticity = ("retention_elasticity", "% for 1 %", "rise of that worth for more retention")
    share = ("best_share_for_retention", "share of the budget", "share of today's budget for keeping at the best split")
    found = [_told(*expected, result.expected_margin, 0)]
    if result.equity_problem:
        found += [_untold(*names, result.equity_problem) for names in (equity, elasticity)]
    else:
        values = result.elasticities
        found += [_told(*equity, values["customer_equity"], 0), _told(*elasticity, values["retention"])]
    if result.split_problem:
        return [*found, _untold(*share, result.split_problem)]
    best = 1 - result.best_split.acquisition_share
    text = f"{share[2]}: {percent(best, 0)}, if the ceilings hold"
    return [*found, Headline(share[0], best, share[1], text)]


# --- the answer --------------------------------------------------------------------------------------------------


def paragraphs(result: Measurement) -> list[str]:
    """Return the answer, paragraph by paragraph."""
    return [uplift(result), renewals(result), costs(result), worth(result), equity(result), verdicts(result.claims)]


def uplift(result: Measurement) -> str:
    """Say what five points more retention would add."""
    if result.base is None:
        return (
            "**What more retention would add to the profit of this firm cannot be told.** "
            f"{result.base_problem} {claims.where_true(result)}"
        )
    found, settings = result.uplift_of(result.base), result.settings
    words = claims.uplift_words(result)
    if np.isfinite(found.value):
        interval = f" ({between(found.low, found.high, 1, 100)}, in %)" if np.isfinite(found.low) else ""
        others = words.rsplit("; ", 1)[-1]
        words = (
            f"**{settings.step_words} more retention would add {percent(found.value)} to the profit from a customer**"
            f"{interval}, where {result.base.words} stay for a year (by {SOURCE_NAMES[result.base.source]}) and the "
            f"discount rate is {percent(settings.annual_discount_rate)}; "
            f"{others}"
        )
    differing = result.heterogeneous()
    is_of_contracts = result.base.source == CONTRACTS
    if (
        is_of_contracts
        and differing is not None
        and np.isfinite([differing.uplift, differing.homogeneous_uplift]).all()
    ):
        before = ", before what winning them costs" if settings.acquisition_in_margins else ""
        words += (
            f" Holders of contracts differ: of today's it would be {percent(differing.uplift)}, and "
            f"{percent(differing.homogeneous_uplift)} if all were like their mean{before}."
        )
    return f"{words} {claims.where_true(result)}"


def renewals(result: Measurement) -> str:
    """Say how long contracts are still renewed, and what a constant retention would hide."""
    found = result.contracts
    if found.problem:
        return f"How long contracts last cannot be told. {found.problem}"
    term = found.constant_estimate
    text = (
        f"Of contracts {percent(term.value)} are renewed at the end of a term of {number(found.term_days)} days "
        f"({between(term.low, term.high, 1, 100)}, in %)."
    )
    if found.gap is None:
        return text
    ahead, gap = found.residual_terms, found.gap
    text += (
        f" A running one is expected to be renewed {number(ahead.value, 1)} times more within {found.horizon_terms} "
        f"terms ({between(ahead.low, ahead.high, 1)}); one constant rate would say "
        f"{number(gap.total_constant / gap.customers.sum(), 1)}: those who leave easily have left, and the others stay."
    )
    held = found.hold_out
    if isinstance(held, str):
        return text
    errors = held.mean_absolute_error
    return (
        f"{text} Forecasts from the first {held.fitted_terms} renewals missed what followed by "
        f"{number(100 * errors['shifted_beta_geometric'], 1)} points where customers differ, by "
        f"{number(100 * errors['constant_retention'], 1)} at a constant rate."
    )


def costs(result: Measurement) -> str:
    """Say what winning and keeping cost."""
    if result.spend_problem:
        return f"What winning and keeping customers cost cannot be told. {result.spend_problem}"
    if not np.isfinite(result.cost("ratio").value):
        return "What winning costs beside keeping cannot be told: nothing was spent on keeping, or nobody was won."
    return f"**{claims.cost_words(result)[:-1]}.** {claims.marginal_words(result)}"


def worth(result: Measurement) -> str:
    """Say what loyal customers are worth beside ten and sixty."""
    bought, words = claims.loyal_purchases(result)
    if bought is None:
        return f"What loyal customers are worth cannot be told. {words}"
    if result.multiple_problem:
        return f"{words} What keeping is worth beside winning cannot be told. {result.multiple_problem}"
    return f"{words} {claims.multiple_words(result)}"


def _counted(result: Measurement) -> str:
    """Return whom equity without a horizon counts."""
    if not result.wins_customers:
        return "today's customers"
    years = result.horizon_years
    return f"today's customers and those still to be won in {number(years)} year{'s' if years > 1 else ''}"


def equity(result: Measurement) -> str:
    """Say what customers are worth beside what is expected of them, what moves it, and which split would be best."""
    if result.equity_problem:
        return f"What customers are worth in all cannot be told. {result.equity_problem}"
    found = result.elasticities
    total, by_retention, by_margin = (found[name] for name in ("customer_equity", "retention", "margin"))
    text = (
        f"Without a horizon, {_counted(result)} are worth {number(total.value)} {result.currency} "
        f"({between(total.low, total.high)}){_costs_taken(result)}."
    )
    if total.value <= 0:
        return f"{text} That is not above 0: what moves it by how many per cent cannot be told."
    expected, today = result.expected_margin, total.value * found["customers"].value
    if result.wins_customers:
        text += f" Today's alone are worth {number(today)}."
    text += (
        f" Within {number(result.settings.horizon_weeks)} weeks the purchase model, which knows no exits, expects "
        f"{number(expected.value)} of today's ({between(expected.low, expected.high)}), before what keeping them "
        "costs. The customer equity of the other reports is of that kind: it ends with the horizon, holds nobody still "
        "to be won, and lets each customer leave in their own time, where here all stay with the same probability, "
        "year after year. "
    )
    if result.base.retention * 1.01 <= 1:
        text += f"1 % more retention adds {number(by_retention.value, 2)} % to the worth without a horizon"
    else:  # there cannot be more
        text += f"1 % less retention takes {number(by_retention.value, 2)} % off the worth without a horizon"
    text += f" ({between(by_retention.low, by_retention.high, 2)}), 1 % more margin adds {number(by_margin.value, 2)} %"
    if result.wins_customers:
        text += f", 1 % more customers won {number(found['new_per_year'].value, 2)} %"
    text += "."
    if result.budget_problem:
        return f"{text} How the budget is split best cannot be told. {result.budget_problem}"
    text += f" Of last year's budget {percent(result.share_for_keeping, 0)} went to keeping"
    if result.split_problem:
        return f"{text}; which split is best cannot be told. {result.split_problem}"
    best = 1 - result.best_split.acquisition_share
    gain = result.best_split.equity - float(result.equity_of(result.plan, result.current_allocation))
    return (
        f"{text}; {percent(best, 0)} would be best if the ceilings hold, worth {number(gain)} {result.currency} more."
    )


def _costs_taken(result: Measurement) -> str:
    """Say which costs equity without a horizon is net of."""
    if result.wins_customers:
        return ", net of what keeping and winning them cost"
    if result.retention_cost:
        return ", net of what keeping them costs"
    return ", as if keeping them cost nothing: no costs are given (market_spend, marketing_touches)"


def verdicts(ledger: tuple[Claim, ...]) -> str:
    """Say what becomes of the claims of the sources, by verdict; the table says why."""
    parts, named = [], list(zip(NAMES_OF_CLAIMS, ledger, strict=True))
    for verdict in VERDICTS:
        said = [name for name, claim in named if claim.verdict == verdict]
        if said:
            parts.append(f"**{verdict.capitalize()}**: {'; '.join(said)}")
    return f"What the sources claim. {'. '.join(parts)}."


# --- warnings and notes ------------------------------------------------------------------------------------------


def warnings(result: Measurement) -> tuple[str, ...]:
    """Say which conclusions do not hold or must be read with care."""
    found = list(result.expectation.problems)
    if result.contracts.fit is not None:
        found += [f"Renewals: {problem}" for problem in result.contracts.fit.problems]
    if result.spend is not None:
        found += [f"{problem[:-1]} (costs by market_spend)." for problem in result.average_costs.problems]
    found += _of_exits(result)
    if result.misfits:
        found.append(
            f"In {number(result.misfits)} periods of market_spend more customers were retained than had been there "
            "before: they do not count for retention."
        )
    if result.missing_periods:
        found.append(
            f"{number(result.missing_periods)} periods of market_spend are missing in between: retention is not told "
            "by it, and trends are as if there were none."
        )
    if not result.files.purchases.has_margin:
        found.append(
            f"The purchases state no margins: {percent(result.settings.margin_rate, 0)} of the amount is taken "
            "(margin_rate)."
        )
    if result.spend is None and result.has("marketing_touches") and not result.last_year.touches:
        found.append(
            "No marketing touch of the last 12 months cost anything for a customer, so keeping costs nothing here. Do "
            "the ids agree?"
        )
    if not result.budget_problem and not result.marginal_retention.told:
        found.append(
            "These data do not show that spend keeps customers; the tables of the budget assume that it does, and that "
            "nobody would stay without."
        )
    if not result.equity_problem and result.economics.margin <= 0:
        found.append("Keeping a customer for a year costs as much as the margin, or more: equity is not above 0.")
    return tuple(dict.fromkeys(found))


def _of_exits(result: Measurement) -> list[str]:
    """Say where exits seem not to hold everybody who left."""
    departures, recorded = result.departures, result.settings.exits_recorded
    if departures.problem:
        return []
    found = []
    if departures.begin_late:
        found.append(
            "The first exit lies within the last year: if exits were not recorded before, customers long gone count as "
            "there a year ago, and retention is overstated."
        )
    if departures.per_departure < FEW_RECORDED * recorded:
        found.append(
            f"There are {percent(departures.per_departure, 0)} as many exits as departures that the purchase model "
            f"expects, and {percent(recorded, 0)} are taken to be recorded: if fewer are, retention is overstated "
            "(exits_recorded)."
        )
    return found


def notes(result: Measurement) -> tuple[str, ...]:
    """Say what the inputs brought that a reader should know."""
    drawn, asked = len(result.expectation.draws), result.settings.draws
    return (
        *(
            (f"Intervals rest on {drawn} draws instead of {asked}: there are many customers.",)
            if 0 < drawn < asked
            else ()
        ),
        *(note for one in result.files.all.values() for note in one.notes),
        *_disagreement(result),
        *(
            (
                "Retention by market spend is that of a period, raised to a year: a lower bound, without an interval. "
                "Of those there at its start more stay a year where customers differ: who leaves easily comes and "
                "goes within it.",
            )
            if any(one.source == MARKET_SPEND for one in result.positions)
            else ()
        ),
        "The sources credit IBM with the 25 to 85 %; the recognised source is Reichheld and Sasser (1990).",
    )


def _disagreement(result: Measurement) -> tuple[str, ...]:
    """Say that several sources tell different retentions, where they do."""
    told = [one for one in result.positions if np.isfinite(one.estimate.low)]
    apart = [
        (first, second)
        for place, first in enumerate(told)
        for second in told[place + 1 :]
        if first.estimate.high < second.estimate.low or second.estimate.high < first.estimate.low
    ]
    if not apart:
        return ()
    each = listed(f"{percent(one.retention)} by {SOURCE_NAMES[one.source]}" for one in told)
    return (f"Retention a year is {each}: they are not of the same customers, or do not count the same as leaving.",)
