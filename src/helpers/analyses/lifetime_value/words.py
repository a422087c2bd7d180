"""The words of the lifetime-value report: every sentence follows from the numbers."""

from __future__ import annotations

import numpy as np

from helpers.data import transactions
from helpers.exhibits import Headline, between, number, percent, plain
from helpers.models.lifetime_value import gamma_gamma, value

from .valuation import Valuation

# Mean spend should not depend on how often a customer buys; a correlation beyond this is worth a warning.
NOTABLE_CORRELATION = 0.2
NOTABLE_LOSS = 0.01  # a share of rows left out, or of money refunded, that a reader must know of first


def headlines(result: Valuation) -> tuple[Headline, ...]:
    """Return the headline numbers of value and counts."""
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
    )


def customer_equity(result: Valuation) -> Headline:
    """Return the sum of potential value with its interval."""
    total = float(result.customers.potential_value.sum(skipna=False))
    low, high = result.value_totals["potential_value"]
    if np.isfinite(total):
        text = (
            f"{number(len(result.customers))} customers are expected to bring {number(total)} {result.currency} in the "
            f"{result.settings.horizon_weeks} weeks after {result.periods.observation_end} ({between(low, high)} of "
            "this expectation)"
        )
    else:
        text = "What the customers will bring could not be computed from these data"
    return Headline("customer_equity", total, result.currency, text, low, high)


def parameters(result: Valuation) -> tuple[Headline, ...]:
    """Return the estimates of the calibration period."""
    found = []
    unit = {"alpha": result.settings.unit_name, "v": result.currency}
    for prefix, title, fit, names in (
        ("bgnbd", "BG/NBD", result.calibration.bg_nbd, ("r", "alpha", "a", "b")),
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


def worth(result: Valuation) -> str:
    """Say what the customers are worth."""
    settings, equity = result.settings, customer_equity(result)
    customers, currency = len(result.customers), plain(result.currency)
    who = f"The {number(customers)} customers are" if customers != 1 else "The 1 customer is"
    historical, current = result.customers.historical_value.sum(), result.customers.current_value.sum()
    past = f"They have brought {number(historical)} {currency} so far, {number(current)} of it in the last 12 months."
    if equity.value is None or not np.isfinite(equity.value):
        return f"**What the customers will bring could not be computed from these data.** {past}"
    interval = between(equity.low, equity.high)
    if np.isfinite(equity.low):
        interval += " of this expectation, without chance and without the error of a wrong model"
    margin = result.margin_rate != 1 or result.purchases.has_margin
    of_margin = " of margin" if margin else ""
    discount = (
        f"discounted at {percent(settings.annual_discount_rate)} a year"
        if settings.annual_discount_rate
        else "not discounted"
    )
    terms = f"{interval}; {discount}, margin rate {percent(result.margin_rate)}"
    each = number(equity.value / customers, 2)
    return (
        f"**{who} expected to bring {number(equity.value)} {currency}{of_margin} in the {settings.horizon_weeks} weeks "
        f"after {result.periods.observation_end}** ({terms}), {each} {currency} each. {past}"
    )


def concentration(result: Valuation) -> str:
    """Say how unequally the value is spread."""
    potential = result.customers.potential_value
    if potential.isna().any() or not potential.sum() > 0 or len(potential) < 10:
        return ""
    customers, share = value.whale_curve(potential)
    fifth = float(np.interp(0.2, customers, share))
    below = value.share_below_zero(potential)
    loss = f" {percent(below)} of customers are expected to cost more than they bring." if below else ""
    gini = number(value.gini(potential), 2)
    return f"The most valuable fifth of customers holds {percent(fifth, 0)} of that value (Gini {gini}).{loss}"


def peer(result: Valuation) -> str:
    """Say whether lifetimes finds the same optimum."""
    fits = result.calibration.peers["bg_nbd"]
    if len(fits) < 2:
        missing = "lifetimes" if "helpers" in fits else "helpers"
        reason = plain(result.calibration.failures["bg_nbd"][missing])
        return f"There is no independent check, {missing} could not fit the purchase model: {reason}" if fits else ""
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
    return f"The independent package lifetimes, fitting BG/NBD{sample}, {same}."


def fit_problems(result: Valuation) -> tuple[str, ...]:
    """Return what is wrong with the models that value customers."""
    met: dict[str, list[str]] = {}
    for period in (result.calibration, result.observation):
        for problem in period.problems:
            met.setdefault(problem, []).append(period.name)
    return tuple(f"{' and '.join(names).capitalize()}: {problem}" for problem, names in met.items())


def warnings(result: Valuation) -> tuple[str, ...]:
    """Return what a reader must know before the numbers: rows that were lost, assumptions that are broken."""
    return (*_rows_lost(result), *_assumptions(result))


def _rows_lost(result: Valuation) -> list[str]:
    account, found = result.purchases.accounting, []
    lost = -account.rows[account.step == "excluded"].sum() / account.rows.iloc[0]
    if lost > NOTABLE_LOSS:
        found.append(f"{percent(lost)} of the rows of the file were left out: the data accounting below says why.")
    paid = result.purchases.table.amount.sum().to_pandas()
    returned = paid - result.purchases.realised.amount.sum().to_pandas()
    if paid > 0 and returned / paid > NOTABLE_LOSS:
        found.append(
            f"Refunds on other days than the purchase are {percent(returned / paid)} of what was paid. They lower "
            "historical and current value, but not potential value."
        )
    return found


def notes(result: Valuation) -> tuple[str, ...]:
    """Return what cleaning and fitting met in the data."""
    left_out = result.observation.spend_rows.attrs["left_out"]
    found = [
        f"Repeat customers whose mean spend is not above zero: {number(left_out)}. The spend model is fitted without "
        "them."
    ]
    return (*result.purchases.notes, *result.marketing.notes, *(found if left_out else []))


def _assumptions(result: Valuation) -> list[str]:
    settings, found = result.settings, []
    if result.no_intervals:
        found.append(f"Value has no intervals: {result.no_intervals}")
    if len(result.customers) < settings.min_cell:
        found.append(f"These are fewer than {settings.min_cell} customers: the report is about single people.")
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
    last = transactions.end_of_period(result.purchases.last_date, settings.merge_period)
    silent = (result.periods.observation_end - last).days
    if silent > 0:
        found.append(
            f"observation_end is {number(silent)} days after the last purchase: they count as days without purchases."
        )
    return found
