"""The words of the lifetime-value report: every sentence follows from the numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from helpers.exhibits import Headline, between, number, percent
from helpers.models.lifetime_value import gamma_gamma, value

if TYPE_CHECKING:
    from .analysis import LifetimeValue

# Mean spend should not depend on how often a customer buys; a correlation beyond this is worth a warning.
NOTABLE_CORRELATION = 0.2


def headlines(result: LifetimeValue) -> tuple[Headline, ...]:
    """Return the headline numbers: value first, then counts, the holdout, and the models' parameters."""
    rows = result.observation.rows
    customers = int(rows.customers.sum())
    repeat = int(rows.customers[rows.frequency > 0].sum())
    purchases = customers + int((rows.frequency * rows.customers).sum())
    end = result.periods.observation_end
    return (
        customer_equity(result),
        Headline("customers", customers, "customers", f"{number(customers)} customers acquired by {end}"),
        Headline("repeat_customers", repeat, "customers", f"{number(repeat)} of them bought again"),
        Headline("purchases", purchases, "purchases", f"{number(purchases)} purchases to {end}"),
        *holdout(result),
        *parameters(result),
    )


def customer_equity(result: LifetimeValue) -> Headline:
    """Return the sum of potential value with its interval."""
    total = float(result.customers.potential_value.sum(skipna=False))
    low, high = result.value_totals["potential_value"]
    if np.isfinite(total):
        text = (
            f"{number(len(result.customers))} customers are worth {number(total)} {result.currency} in the next "
            f"{result.settings.horizon_weeks} weeks ({between(low, high)})"
        )
    else:
        text = "What the customers will bring could not be computed from these data"
    return Headline("customer_equity", total, result.currency, text, low, high)


def holdout(result: LifetimeValue) -> tuple[Headline, ...]:
    """Return actual and expected purchases of the holdout."""
    if result.holdout is None:
        none = "there is no holdout to compare with"
        return tuple(
            Headline(name, None, "purchases", none) for name in ("holdout_purchases", "expected_holdout_purchases")
        )
    actual, check = result.holdout.actual, result.holdout
    expected = float(check.score("bg_nbd", "total").value)
    text = f"the calibration model expected {number(expected)} ({between(check.low, check.high)})"
    if not np.isfinite(expected):
        text = "no expectation: the purchase model could not be fitted on the calibration period"
    return (
        Headline("holdout_purchases", actual, "purchases", f"{number(actual)} purchases in the holdout"),
        Headline("expected_holdout_purchases", expected, "purchases", text, check.low, check.high),
    )


def parameters(result: LifetimeValue) -> tuple[Headline, ...]:
    """Return the estimates of the calibration period."""
    found = []
    unit = {"alpha": result.settings.unit_name, "v": result.currency}
    for prefix, title, fit, names in (
        ("bgnbd", "BG/NBD", result.calibration.purchases, ("r", "alpha", "a", "b")),
        ("gamma_gamma", "Gamma-Gamma", result.calibration.spend, ("p", "q", "v")),
    ):
        lows, highs = fit.intervals() if fit is not None else (np.full(len(names), np.nan),) * 2
        for index, name in enumerate(names):
            estimate = float(fit.estimates[index]) if fit is not None else np.nan
            low, high = float(lows[index]), float(highs[index])
            text = f"{title} {name} {number(estimate, 4)} ({between(low, high, 4)})"
            text = text if fit is not None else f"{title} {name} could not be estimated"
            found.append(Headline(f"{prefix}_{name}", estimate, unit.get(name, "1"), text, low, high))
        likelihood = float(fit.log_likelihood) if fit is not None else np.nan
        text = f"{title} log-likelihood {number(likelihood, 3)}"
        found.append(Headline(f"{prefix}_log_likelihood", likelihood, "log-likelihood", text))
    return tuple(found)


def answer(result: LifetimeValue) -> str:
    """Return the opening words of the report, as Markdown."""
    return "\n\n".join(part for part in (worth(result), concentration(result), belief(result), peer(result)) if part)


def worth(result: LifetimeValue) -> str:
    """Say what the customers are worth."""
    settings, equity = result.settings, customer_equity(result)
    customers = len(result.customers)
    who = f"The {number(customers)} customers" if customers != 1 else "The one customer"
    parts = result.tables["value_parts"].frame.set_index("part")
    past = (
        f"They have brought {number(parts.total['historical_value'])} {result.currency} so far, "
        f"{number(parts.total['current_value'])} of it in the last 12 months."
    )
    if equity.value is None or not np.isfinite(equity.value):
        return f"**What {who.lower()} will bring could not be computed from these data.** {past}"
    discount = (
        f"discounted at {percent(settings.annual_discount_rate)} a year"
        if settings.annual_discount_rate
        else "not discounted"
    )
    return (
        f"**{who} are expected to bring {number(equity.value)} {result.currency} in the next {settings.horizon_weeks} "
        f"weeks** ({between(equity.low, equity.high)}; {discount}, margin rate {percent(result.margin_rate)}), "
        f"{number(equity.value / customers, 2)} {result.currency} each. {past}"
    )


def concentration(result: LifetimeValue) -> str:
    """Say how unequally the value is spread."""
    potential = result.customers.potential_value
    if potential.isna().any() or not potential.sum() > 0 or len(potential) < 10:
        return ""
    customers, share = value.whale_curve(potential)
    fifth = float(np.interp(0.2, customers, share))
    below = value.share_below_zero(potential)
    loss = (
        f"{percent(below)} of customers are expected to cost more than they bring"
        if below
        else "nobody is expected to cost more than they bring"
    )
    gini = number(value.gini(potential), 2)
    return f"The most valuable fifth of customers holds {percent(fifth, 0)} of that value (Gini {gini}); {loss}."


def belief(result: LifetimeValue) -> str:
    """Say how the model and a naive rule did on the holdout."""
    if result.holdout is None:
        return "**The model could not be checked:** no day lies between the end of calibration and of observation."
    check, actual = result.holdout, result.holdout.actual
    weeks = number(result.periods.holdout_days / 7, 0 if result.periods.holdout_days % 7 == 0 else 1)
    model, naive = check.score("bg_nbd", "total").value, check.score("past_rate", "total").value
    if not np.isfinite(model):
        return (
            f"**The model could not be checked** on the {number(actual)} purchases of the {weeks} weeks held out: "
            "it could not be fitted on the calibration period."
        )
    start = (
        f"**Can it be believed?** Fitted to {result.periods.calibration_end} only, the model expected {number(model)} "
        f"purchases in the {weeks} weeks held out ({between(check.low, check.high)}, chance included); "
        f"there were {number(actual)}"
    )
    if not actual:
        return f"{start}. Nobody bought in the holdout, so relative errors are not defined."
    inside = check.low <= actual <= check.high
    verdict = (
        "inside that interval" if inside else "outside that interval: the model is off by more than chance explains"
    )
    better = abs(model - actual) < abs(naive - actual)
    maes = {method: check.score(method, "mae").value for method in ("bg_nbd", "past_rate", "zero")}
    winner = min(maes, key=maes.get)
    names = {"bg_nbd": "the model", "past_rate": "the past rate", "zero": "predicting that nobody buys"}
    others = ", ".join(f"{names[method]} {number(mae, 3)}" for method, mae in maes.items())
    return (
        f"{start}, {verdict} (total {_signed(model / actual - 1)}). The naive rule that everyone goes on at their past "
        f"rate gives {number(naive)} ({_signed(naive / actual - 1)}): on the total the model is "
        f"{'better' if better else 'not better'}. Customer by customer the smallest "
        f"mean absolute error is that of {names[winner]} ({others} purchases)."
    )


def _signed(share: float) -> str:
    return f"{'+' if share > 0 else ''}{percent(share)}"


def peer(result: LifetimeValue) -> str:
    """Say whether lifetimes finds the same optimum."""
    fits = result.calibration.peers["bg_nbd"]
    if len(fits) < 2:
        missing = "lifetimes" if "helpers" in fits else "this workspace"
        return f"No independent check: the purchase model could not be fitted by {missing}." if fits else ""
    ours, theirs = fits["helpers"], fits["lifetimes"]
    difference = ours.log_likelihood - theirs.log_likelihood
    sample = (
        ""
        if ours.observations == result.calibration.rows.customers.sum()
        else f" on a sample of {number(ours.observations)} customers"
    )
    same = f"finds the same optimum (log-likelihood {number(theirs.log_likelihood, 3)})"
    if abs(difference) > 1e-3:
        same = (
            f"ends at log-likelihood {number(theirs.log_likelihood, 3)}, ours at {number(ours.log_likelihood, 3)}: "
            f"{'ours is the higher one' if difference > 0 else 'theirs is the higher one, so distrust this fit'}"
        )
    return f"The independent package lifetimes{sample} {same}."


def warnings(result: LifetimeValue) -> tuple[str, ...]:
    """Return what a reader must know before the numbers: models that do not hold, assumptions that are broken."""
    found = []
    for period in (result.calibration, result.observation):
        found += [f"{period.name.capitalize()} period: {problem}" for problem in period.problems]
    return (*found, *_assumptions(result))


def notes(result: LifetimeValue) -> tuple[str, ...]:
    """Return what cleaning and fitting met in the data."""
    left_out = result.observation.spend_rows.attrs["left_out"]
    found = [
        f"Repeat customers whose mean spend is not above zero: {number(left_out)}. The spend model is fitted without "
        "them."
    ]
    return (*result.purchases.notes, *result.marketing.notes, *(found if left_out else []))


def _assumptions(result: LifetimeValue) -> list[str]:
    settings, found = result.settings, []
    if not result.purchases.has_margin and settings.margin_rate == 1:
        found.append(
            "The file has no margins and margin_rate is 1: values are revenue, not profit. Set margin_rate to your own."
        )
    if result.margin_rate <= 0:
        found.append(f"The margin rate is {percent(result.margin_rate)}: no purchase earns anything.")
    spend = result.calibration.spend_rows
    if len(spend) > 1:
        correlation, low, high = gamma_gamma.spend_independence(spend.frequency, spend.monetary_value, spend.customers)
        if np.isfinite(low) and (low > NOTABLE_CORRELATION or high < -NOTABLE_CORRELATION):
            found.append(
                "The spend model takes mean spend to be independent of frequency, but their correlation is "
                f"{number(correlation, 2)} ({between(low, high, 2)}): the spend of frequent buyers is then misjudged."
            )
    silent = (result.periods.observation_end - result.purchases.last_date).days
    if silent > 0:
        found.append(
            f"observation_end is {number(silent)} days after the last purchase: they count as days without purchases."
        )
    return found
