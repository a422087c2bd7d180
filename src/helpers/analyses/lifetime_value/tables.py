"""The tables of the lifetime-value report."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Table, suppress_small_groups
from helpers.models.fit import Fit
from helpers.models.lifetime_value import value
from helpers.models.lifetime_value.purchase_models import kinds
from helpers.models.lifetime_value.purchase_models.fitting import TIMES

from .valuation import FittedPeriod, Valuation

NAMES = {
    **{name: kind.label for name, kind in kinds().items()},
    "gamma_gamma": "Gamma-Gamma",
    "log_likelihood": "log-likelihood",
    "historical_value": "historical value",
    "current_value": "current value",
    "potential_value": "potential value",
    "expected_purchases": "expected purchases",
    "expected_spend": "expected spend",
    "probability_of_no_purchase": "probability of no purchase",
    "probability_of_one_purchase": "probability of one purchase",
    "probability_of_more": "probability of more",
}
TOP_CUSTOMERS = 10


def tables(result: Valuation, calibration_fits: Mapping[str, Fit]) -> list[Table]:
    """Return every table of the report that is not of the evaluation.

    Parameters
    ----------
    result : Valuation
    calibration_fits : mapping of str to Fit
        Every purchase model fitted on the calibration period.
    """
    fits = {"calibration": calibration_fits, "observation": result.observation.fits}
    makers = (
        data_accounting,
        periods,
        fitters,
        value_parts,
        deciles,
        top_customers,
        new_customer,
        dimensions,
    )
    made = [*(make(result) for make in makers), parameters(result, fits), models(result, fits)]
    return [*made, marketing_accounting(result)] if len(result.marketing.accounting) else made


def data_accounting(result: Valuation) -> Table:
    """From rows in the file to the purchases of the observation period."""
    frame, table = result.purchases.accounting, result.purchases.table
    later = table.filter(table.date > result.periods.observation_end)
    rows, amount = later.agg(rows=later.count(), amount=later.amount.sum().coalesce(0.0)).to_pandas().iloc[0]
    if rows:
        reason = f"after observation_end ({result.periods.observation_end})"
        total = frame.iloc[-1]
        left = ("purchases", int(total.rows - rows), float(total.amount - amount), total.reason)
        lines = [*frame.iloc[:-1].itertuples(index=False), ("excluded", -int(rows), -float(amount), reason), left]
        frame = pd.DataFrame(lines, columns=frame.columns)
    return Table(
        "data_accounting",
        frame,
        "What became of every row of the file: the lines add up to the last.",
        _accounting_columns(result),
    )


def marketing_accounting(result: Valuation) -> Table:
    """From rows in the file of marketing touches to those that count."""
    caption = "What became of every row of the marketing touches."
    return Table("marketing_accounting", result.marketing.accounting, caption, _accounting_columns(result))


def _accounting_columns(result: Valuation) -> dict[str, Column]:
    return {
        "step": Column("Step"),
        "rows": Column("Rows", digits=0),
        "amount": Column("Amount", result.currency, 2),
        "reason": Column("Reason"),
    }


def periods(result: Valuation) -> Table:
    """The calibration, holdout and observation periods, and who bought in them."""
    ends, after = result.periods, result.periods.calibration_end + timedelta(days=1)
    found = _bought_by_period(result)
    days = dict.fromkeys(found, (after, ends.observation_end))
    days |= {"calibration": (ends.first, ends.calibration_end), "observation": (ends.first, ends.observation_end)}
    lines = [(name, *map(str, days[name]), int(who), int(n), float(money)) for name, (who, n, money) in found.items()]
    frame = pd.DataFrame(lines, columns=["period", "start", "end", "customers", "purchases", "amount"])
    # the observation is the sum of the others, so one of them alone would give away the rest
    shown = suppress_small_groups(frame.iloc[:-1], "customers", ("period", "start", "end"), result.settings.min_cell)
    return Table(
        "periods",
        pd.concat([shown.astype(object), frame.iloc[-1:].astype(object)], ignore_index=True).infer_objects(),
        f"Customers who bought in each period. Holdout: customers acquired in calibration. {_small(result)}",
        {
            "period": Column("Period"),
            "start": Column("Start"),
            "end": Column("End"),
            "customers": Column("Customers", digits=0),
            "purchases": Column("Purchases", digits=0),
            "amount": Column("Amount", result.currency, 2),
        },
    )


def _bought_by_period(result: Valuation) -> dict[str, tuple[float, float, float]]:
    """Return the customers who bought in each period, their purchases and what they paid, in one pass."""
    bought, ends = result.purchases.native, result.periods
    bought = bought.filter(bought.date <= ends.observation_end)
    early = bought.date <= ends.calibration_end
    sums = {"early": early, "late": ~early}
    each = bought.group_by("customer_id").agg(
        **{f"{part}_purchases": rule.sum() for part, rule in sums.items()},
        **{f"{part}_amount": bought.amount.sum(where=rule).coalesce(0.0) for part, rule in sums.items()},
    )
    known = each.early_purchases > 0
    periods = {"calibration": ("early", known), "holdout": ("late", known), "new in holdout": ("late", ~known)}
    asked = {}
    for name, (part, rule) in periods.items():
        count, amount = each[f"{part}_purchases"], each[f"{part}_amount"]
        asked[f"{name} who"] = (rule & (count > 0)).sum().coalesce(0)
        asked[f"{name} count"] = count.sum(where=rule).coalesce(0)
        asked[f"{name} money"] = amount.sum(where=rule).coalesce(0.0)
    told = each.agg(everyone=each.count(), **asked).to_pandas().iloc[0]
    found = {name: tuple(told[f"{name} {what}"] for what in ("who", "count", "money")) for name in periods}
    count, money = (sum(each[place] for each in found.values()) for place in (1, 2))
    return found | {"observation": (told.everyone, count, money)}


def _fitted(result: Valuation) -> list[FittedPeriod]:
    return [result.calibration, result.observation]


def parameters(result: Valuation, fits: Mapping[str, Mapping[str, Fit]]) -> Table:
    """Estimates of the models in both periods; `fits` are the purchase models by period and name."""
    lines = []
    units = dict.fromkeys(TIMES, result.settings.unit_name) | {"v": result.currency}
    for period in _fitted(result):
        spend = {} if period.spend is None else {"gamma_gamma": period.spend}
        for model, fit in (fits[period.name] | spend).items():
            numbers = zip(fit.names, fit.estimates, fit.standard_errors, *fit.intervals(), strict=True)
            lines += [(model, period.name, *line, units.get(line[0], "")) for line in numbers]
    names = ["model", "period", "parameter", "estimate", "standard_error", "low", "high", "unit"]
    return Table(
        "parameters",
        pd.DataFrame(lines, columns=names),
        f"Maximum-likelihood estimates, time in {result.settings.unit_name}; standard errors from the Hessian, 95 % "
        "intervals built on the log scale.",
        {
            "model": Column("Model", names=NAMES),
            "period": Column("Period", names=NAMES),
            "parameter": Column("Parameter"),
            "estimate": Column("Estimate", digits=4),
            "standard_error": Column("Standard error", digits=4),
            "low": Column("Low", digits=4),
            "high": Column("High", digits=4),
            "unit": Column("Unit"),
        },
    )


def models(result: Valuation, fits: Mapping[str, Mapping[str, Fit]]) -> Table:
    """Log-likelihood, information criteria and diagnostics of every fit, ours and that of lifetimes."""
    lines = []
    for period in _fitted(result):
        chosen = fits[period.name] | {"gamma_gamma": period.spend}
        for model in (*chosen, *(model for model in period.peers if model not in chosen)):
            peers = period.peers.get(model, {})
            by_fitter = {fit.fitted_by: fit for fit in peers.values()} | _by_fitter(chosen.get(model))
            for fit in by_fitter.values():
                criteria = (fit.log_likelihood, fit.aic, fit.bic, fit.converged)
                diagnostics = (fit.gradient_norm, fit.condition_number)
                lines.append((model, period.name, fit.fitted_by, fit.observations, *criteria, *diagnostics, ""))
            for fitter, reason in period.failures.get(model, {}).items():
                lines.append((model, period.name, fitter, *[np.nan] * 4, False, np.nan, np.nan, reason))
    names = ["model", "period", "fitted_by", "customers", "log_likelihood", "aic", "bic", "converged"]
    return Table(
        "models",
        pd.DataFrame(lines, columns=[*names, "gradient_norm", "condition_number", "failure"]),
        "Every fit, ours and lifetimes' on the same customers. Gradient: largest derivative of the log-likelihood per "
        "customer by a log parameter, 0 at an optimum; the condition number is of the information matrix.",
        {
            "model": Column("Model", names=NAMES),
            "period": Column("Period", names=NAMES),
            "fitted_by": Column("Fitted by"),
            "customers": Column("Customers", digits=0),
            "log_likelihood": Column("Log-likelihood", digits=3),
            "aic": Column("AIC", digits=1),
            "bic": Column("BIC", digits=1),
            "converged": Column("Converged"),
            "gradient_norm": Column("Gradient", digits=4),
            "condition_number": Column("Condition", digits=0),
            "failure": Column("Failure"),
        },
    )


def _by_fitter(fit) -> dict:
    return {} if fit is None else {fit.fitted_by: fit}


def fitters(result: Valuation) -> Table:
    """Our estimates beside those of lifetimes, on the same customers."""
    lines = []
    for period in _fitted(result):
        for model, fits in period.peers.items():
            if len(fits) == 2:
                ours, theirs = fits["helpers"], fits["lifetimes"]
                pairs = [*zip(ours.names, ours.estimates, theirs.estimates, strict=True)]
                pairs.append(("log_likelihood", ours.log_likelihood, theirs.log_likelihood))
                lines += [(model, period.name, ours.observations, name, a, b, a - b) for name, a, b in pairs]
    names = ["model", "period", "customers", "quantity", "helpers", "lifetimes", "difference"]
    return Table(
        "fitters",
        pd.DataFrame(lines, columns=names),
        "The same customers fitted by this workspace and by lifetimes 0.11.3; a log-likelihood difference of 0 or more "
        "means that ours is no worse.",
        {
            "model": Column("Model", names=NAMES),
            "period": Column("Period", names=NAMES),
            "customers": Column("Customers", digits=0),
            "quantity": Column("Quantity", names=NAMES),
            "helpers": Column("Ours", digits=4),
            "lifetimes": Column("lifetimes", digits=4),
            "difference": Column("Difference", digits=4),
        },
    )


def _small(result: Valuation) -> str:
    return f"Groups of fewer than {result.settings.min_cell} customers are not shown."


def value_parts(result: Valuation) -> Table:
    """Historical, current and potential value: totals, means, share below zero."""
    customers = result.customers
    lines = []
    for part in ("historical_value", "current_value", "potential_value"):
        column = customers[part]
        total = column.sum(skipna=False)
        low, high = result.value_totals.get(part, (np.nan, np.nan))  # what is realised needs no interval
        lines.append((part, total, low, high, total / len(column), share_below_zero(column)))
    names = ["part", "total", "low", "high", "mean", "share_below_zero"]
    horizon = f"{result.settings.horizon_weeks} weeks"
    return Table(
        "value_parts",
        pd.DataFrame(lines, columns=names),
        "Historical: realised margin less marketing expense to the end of observation. Current: the same of its last "
        f"12 months. Potential: discounted expected margin of the next {horizon} less planned marketing cost.",
        {
            "part": Column("Part", names=NAMES),
            "total": Column("Total", result.currency, 0),
            "low": Column("Low", result.currency, 0),
            "high": Column("High", result.currency, 0),
            "mean": Column("Per customer", result.currency, 2),
            "share_below_zero": Column("Customers below zero", digits=1, percent=True),
        },
    )


def share_below_zero(column: pd.Series) -> float:
    """Return the share of customers below zero; missing where a value is missing."""
    return value.share_below_zero(column) if column.notna().all() else np.nan


def deciles(result: Valuation) -> Table:
    """Customers by tenths of potential value, the most valuable first."""
    potential = result.customers.potential_value
    names = ["decile", "customers", "total", "mean", "share", "cumulative_share"]
    groups = min(10, max(1, len(potential) // result.settings.min_cell))
    known = potential.notna().all()
    frame = pd.DataFrame(value.deciles(potential, groups) if known else {name: [] for name in names})
    frame = suppress_small_groups(frame, "customers", ("decile",), result.settings.min_cell)
    return Table(
        "deciles",
        frame,
        f"Customers ranked by potential value, in {groups} groups of equal size, the most valuable first.",
        {
            "decile": Column("Decile", digits=0),
            "customers": Column("Customers", digits=0),
            "total": Column("Total", result.currency, 0),
            "mean": Column("Per customer", result.currency, 2),
            "share": Column("Share of value", digits=1, percent=True),
            "cumulative_share": Column("Cumulative share", digits=1, percent=True),
        },
    )


def top_customers(result: Valuation) -> Table:
    """The most valuable customers, by rank: their ids stay in the Parquet file."""
    highest = result.customers.nlargest(TOP_CUSTOMERS, "potential_value", keep="all")
    order = highest.sort_values(["potential_value", "customer_id"], ascending=[False, True])
    columns = ["frequency", "expected_purchases", "expected_spend", "potential_value"]
    frame = order.head(TOP_CUSTOMERS)[[*columns, "potential_value_low", "potential_value_high"]].reset_index(drop=True)
    frame.insert(0, "rank", range(1, len(frame) + 1))
    return Table(
        "top_customers",
        frame,
        "The customers of highest potential value, by rank; who they are stands in customer_value.parquet only.",
        {
            "rank": Column("Rank", digits=0),
            "frequency": Column("Repeat purchases", digits=0),
            "expected_purchases": Column("Expected purchases", digits=2),
            "expected_spend": Column("Expected spend", result.currency, 2),
            "potential_value": Column("Potential value", result.currency, 0),
            "potential_value_low": Column("Low", result.currency, 0),
            "potential_value_high": Column("High", result.currency, 0),
        },
    )


def new_customer(result: Valuation) -> Table:
    """What a customer won on the last day of observation is expected to do."""
    settings, purchases, spend = result.settings, result.observation.purchases, result.observation.spend
    lines = []
    if purchases is not None:
        model, horizon = purchases.model, settings.horizon
        lines = [
            ("expected_purchases", float(model.new_customer_expected_purchases(horizon)), "purchases"),
            ("probability_of_no_purchase", float(model.purchase_count_probability(0, horizon)), "share"),
            ("probability_of_one_purchase", float(model.purchase_count_probability(1, horizon)), "share"),
        ]
        lines.append(("probability_of_more", 1 - lines[1][1] - lines[2][1], "share"))
        if spend is not None:
            newcomer = (np.zeros(1), np.zeros(1), np.zeros(1))
            terms = (settings.horizon_weeks, settings.annual_discount_rate)
            discounted = value.discounted_purchases(model, *newcomer, *terms, settings.time_unit)
            mean = spend.model.expected_average_spend(newcomer[0], newcomer[0])
            worth = value.potential_value(result.margin_rate, mean, discounted, settings.planned_marketing_cost, *terms)
            lines += [("expected_spend", float(mean[0]), f"{result.currency} a purchase")]
            lines += [("potential_value", float(worth[0]), result.currency)]
    return Table(
        "new_customer",
        pd.DataFrame(lines, columns=["quantity", "value", "unit"]),
        f"A new customer, in the {settings.horizon_weeks} weeks after the first purchase (which is not counted).",
        {"quantity": Column("Quantity", names=NAMES), "value": Column("Value", digits=4), "unit": Column("Unit")},
    )


def dimensions(result: Valuation) -> Table:
    """Duration, share and scope of lifetime value, as far as the data allow."""
    settings, fit = result.settings, result.observation.purchases
    rows = result.observation.rows
    lines = []
    if fit is None:
        lines.append(("duration", np.nan, "weeks", "not computed: the purchase model could not be fitted"))
    else:
        expected = fit.model.expected_duration(rows.frequency, rows.recency, rows["T"], settings.horizon)
        weeks = expected * value.DAYS_PER_UNIT[settings.time_unit] / 7
        meaning = f"expected weeks as a customer of the next {settings.horizon_weeks}, mean over customers"
        lines.append(("duration", float(np.average(weeks, weights=rows.customers)), "weeks", meaning))
    lines.append(("share", np.nan, "share", "not computed: the data do not say what customers spend elsewhere"))
    scope = result.purchases.categories_per_customer
    meaning = "categories bought, mean over customers" if scope is not None else "not computed: no column 'category'"
    lines.append(("scope", np.nan if scope is None else scope, "categories", meaning))
    return Table(
        "dimensions",
        pd.DataFrame(lines, columns=["dimension", "value", "unit", "meaning"]),
        "The three dimensions of lifetime value: how long, how much of the wallet, how broad.",
        {
            "dimension": Column("Dimension", names=NAMES),
            "value": Column("Value", digits=2),
            "unit": Column("Unit"),
            "meaning": Column("Meaning"),
        },
    )
