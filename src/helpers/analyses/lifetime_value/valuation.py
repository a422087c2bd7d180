"""From purchases to lifetime value: clean, summarise, fit twice, value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

import ibis
import numpy as np
import pandas as pd

from helpers.analyses.progress import progress
from helpers.data import customer_summary, marketing_touches, transactions
from helpers.data.cleaning import text_ids, with_ids_like
from helpers.data.engines import engine_errors_refused, held
from helpers.data.refusal import InputRefused, Problem
from helpers.models.estimate import Estimate
from helpers.models.fit import Fit, distinct_rows
from helpers.models.lifetime_value import gamma_gamma, lifetimes_peer, value_draws
from helpers.models.lifetime_value.purchase_models import bg_nbd, kinds

from .customer_scores import HISTORY, score_customers, score_histories
from .settings import Periods, Settings, settle_periods

FITTERS = {
    "helpers": {"bg_nbd": bg_nbd.fit_bg_nbd, "gamma_gamma": gamma_gamma.fit_gamma_gamma},
    "lifetimes": {"bg_nbd": lifetimes_peer.fit_bg_nbd, "gamma_gamma": lifetimes_peer.fit_gamma_gamma},
}
MOST_DRAWS = 200  # behind the interval of a total that is told beside the report's own
SPEND = ("frequency", "monetary_value")
VALUES = ("historical_value", "current_value", "potential_value")
MARGINS = ("historical_margin", "current_margin")
INTERVAL_COLUMNS = ("expected_purchases", "expected_spend", *VALUES)


@dataclass(frozen=True)
class Summaries:
    """The customers of a stretch of time, one by one and reduced to what the models depend on.

    Parameters
    ----------
    end : date
        The last day that counts.
    table : ibis Table
        customer_id (that of the purchases, which may be a number), frequency, recency, T, monetary_value,
        log_intervals, in the engine.
    rows : pandas.DataFrame
        Distinct frequency, recency, T with the mean of log_intervals and the number of customers.
    """

    end: date
    table: ibis.Table
    rows: pd.DataFrame

    @cached_property
    def spend_rows(self) -> pd.DataFrame:
        """Return distinct frequency, monetary_value of repeat customers with the number of customers."""
        return customer_summary.repeat_spend(self.table)

    @cached_property
    def customers(self) -> pd.DataFrame:
        """Return one row for each customer, in order of customer_id."""
        return text_ids(self.table).order_by("customer_id").to_pandas()


@dataclass(frozen=True)
class FittedPeriod:
    """The customers of a stretch of time and the models fitted on them.

    Parameters
    ----------
    name : str
        "calibration" or "observation".
    end : date
        Its last day.
    summaries : Summaries
        The customers.
    model : str
        The purchase model that values customers.
    fits : dict of str to Fit
        Purchase models by name: BG/NBD by the chosen fitter, and the chosen model; only those that came about.
    spend : Fit or None
        The spend model by the chosen fitter; None where it cannot be fitted.
    peers : dict of str to dict of str to Fit
        By model and fitter: our fit and that of lifetimes on the same customers, those that came about.
    failures : dict of str to dict of str to str
        By model and fitter: why the others did not.
    problems : tuple of str
        What is wrong with the fits that value customers, in words.
    """

    name: str
    end: date
    summaries: Summaries
    model: str
    fits: dict[str, Fit]
    spend: Fit | None
    peers: dict[str, dict[str, Fit]]
    failures: dict[str, dict[str, str]]
    problems: tuple[str, ...]

    @property
    def customers(self) -> pd.DataFrame:
        """Return one row for each customer."""
        return self.summaries.customers

    @property
    def rows(self) -> pd.DataFrame:
        """Return the distinct histories with the number of customers."""
        return self.summaries.rows

    @property
    def spend_rows(self) -> pd.DataFrame:
        """Return the distinct frequencies and mean amounts of repeat customers with their number."""
        return self.summaries.spend_rows

    @property
    def purchases(self) -> Fit | None:
        """Return the fit of the purchase model that values customers; None where it cannot be fitted."""
        return self.fits.get(self.model)

    @property
    def bg_nbd(self) -> Fit | None:
        """Return the fit of BG/NBD; None where it cannot be fitted."""
        return self.fits.get("bg_nbd")


@dataclass(frozen=True)
class Valuation:
    """The numbers of lifetime value: every customer's, and what is needed to believe or doubt them.

    Parameters
    ----------
    settings : Settings
        What was asked.
    purchases : helpers.data.transactions.Purchases
        The purchases with the account of their cleaning.
    marketing : helpers.data.marketing_touches.MarketingCosts
        What was spent on customers, with the account of its cleaning.
    periods : Periods
        First day, end of calibration, end of observation.
    calibration, observation : FittedPeriod
        The models on the calibration period, and refitted on everything.
    customers : pandas.DataFrame
        One row for each customer: the columns of `customer_value.parquet`.
    value_totals : dict of str to (float, float)
        Intervals of the sums of `expected_purchases` and `potential_value`.
    no_intervals : str
        Why value has no intervals; empty when it has.
    margin_rate : float
        The margin rate that potential value uses.
    """

    settings: Settings
    purchases: transactions.Purchases
    marketing: marketing_touches.MarketingCosts
    periods: Periods
    calibration: FittedPeriod
    observation: FittedPeriod
    customers: pd.DataFrame
    value_totals: dict[str, tuple[float, float]]
    no_intervals: str
    margin_rate: float

    @property
    def currency(self) -> str:
        """Return the currency in words."""
        return self.settings.currency or self.purchases.currency or "currency units"


def valuate(settings: Settings) -> Valuation:
    """Compute everything that a report of lifetime value shows.

    Raises
    ------
    helpers.data.refusal.InputRefused
        When the file or a period cannot be used.
    """
    with progress("lifetime value", 4) as bar, engine_errors_refused(settings.transactions):
        purchases, marketing, periods = read(settings)
        bar.update()
        calibration = fit_period("calibration", purchases, periods.calibration_end, settings)
        bar.update()
        observation = fit_period("observation", purchases, periods.observation_end, settings)
        bar.update()
        margin_rate = margin_rate_of(purchases, periods, settings)
        customers, totals, no_intervals = value_customers(observation, purchases, marketing, margin_rate, settings)
        bar.update()
    return Valuation(
        settings=settings,
        purchases=purchases,
        marketing=marketing,
        periods=periods,
        calibration=calibration,
        observation=observation,
        customers=customers,
        value_totals=totals,
        no_intervals=no_intervals,
        margin_rate=margin_rate,
    )


def read(settings: Settings) -> tuple[transactions.Purchases, marketing_touches.MarketingCosts, Periods]:
    """Read and clean the purchases and what was spent on customers, and settle the periods."""
    rules = {name: getattr(settings, name) for name in ("bad_rows", "date_format", "decimal")}
    purchases = transactions.load(
        settings.transactions,
        columns=settings.columns,
        identical_rows=settings.identical_rows,
        zero_amounts=settings.zero_amounts,
        refunds=settings.refunds,
        merge_period=settings.merge_period,
        engine=settings.engine,
        memory_limit=settings.memory_limit,
        **rules,
    )
    if settings.segments == "segment" and purchases.segments is None:
        way_out = 'name the column that holds it, as in columns={"region": "segment"}'
        raise InputRefused(settings.transactions, [Problem("there is no column segment", way_out=way_out)])
    periods = settle_periods(settings, purchases.first_date, purchases.last_date)
    marketing = marketing_touches.load(
        settings.marketing_touches,
        columns=settings.marketing_touches_columns,
        observation_end=periods.observation_end,
        connection=purchases.table.get_backend(),
        customers=purchases.table,
        **rules,
    )
    return purchases, marketing, periods


def summaries(
    table: ibis.Table,
    end: date,
    time_unit: str,
    merge_period: str,
    *,
    models: Sequence[str] | None = None,
    spent: bool = False,
    also: Callable[[ibis.Table], Mapping[str, ibis.Value]] | None = None,
) -> Summaries:
    """Summarise the customers acquired by `end`, as of that day.

    `also` is as in `customer_summary.summarise`; `models` are the purchase models that will be fitted, by default any:
    gaps between purchases are left out where none of them needs these. With `spent` the distinct rows tell what their
    customers spent.
    """
    intervals = models is None or any(kinds()[model].needs for model in models)
    summary = customer_summary.summarise(table, end, time_unit, merge_period, intervals=intervals, also=also)
    summary = held(summary)
    return Summaries(end, summary, customer_summary.distinct_rows(summary, spent=spent))


def fit_period(name: str, purchases: transactions.Purchases, end: date, settings: Settings) -> FittedPeriod:
    """Summarise the customers acquired by `end` and fit the models on them."""
    found = summaries(purchases.native, end, settings.time_unit, settings.merge_period)
    fits, failures = {}, {}
    for model in dict.fromkeys(("bg_nbd", settings.model)):
        fits[model], failures[model] = fit_purchases(model, found.rows, settings.fitted_by)
    spend, failures["gamma_gamma"] = fit_spend(found.spend_rows, settings.fitted_by)
    peers, peer_failures = compare_fitters(found, {"bg_nbd": fits["bg_nbd"], "gamma_gamma": spend}, settings)
    problems = []
    for model, fit in ((settings.model, fits[settings.model]), ("gamma_gamma", spend)):
        problems += [failures[model]] if fit is None else fit.problems
    return FittedPeriod(
        name=name,
        end=end,
        summaries=found,
        model=settings.model,
        fits={model: fit for model, fit in fits.items() if fit is not None},
        spend=spend,
        peers=peers,
        failures=peer_failures,
        problems=tuple(dict.fromkeys(problems)),
    )


def fit_purchases(model: str, rows: pd.DataFrame, fitted_by: str = "helpers") -> tuple[Fit | None, str]:
    """Fit a purchase model on distinct histories; return the fit, or None with the reason.

    lifetimes offers BG/NBD alone of these models; the others are fitted here whatever is asked.
    """
    kind = kinds()[model]
    fitter = FITTERS[fitted_by].get(model, kind.fit)
    return _attempt(fitter, rows, HISTORY, **{name: rows[name].to_numpy(float) for name in kind.needs})


def fit_spend(spend_rows: pd.DataFrame, fitted_by: str = "helpers") -> tuple[Fit | None, str]:
    """Fit the spend model on distinct rows of repeat customers; return the fit, or None with the reason."""
    if not len(spend_rows):
        return None, "No customer has a repeat purchase of a positive amount, which the spend model needs."
    return _attempt(FITTERS[fitted_by]["gamma_gamma"], spend_rows, SPEND)


def _attempt(fitter: Callable[..., Fit], data: pd.DataFrame, columns: tuple[str, ...], **more) -> tuple:
    try:
        fit = fitter(*(data[column].to_numpy(float) for column in columns), weights=data.customers.to_numpy(), **more)
    except ValueError as error:
        return None, str(error)
    return (fit, "") if np.isfinite(fit.estimates).all() else (None, " ".join(fit.problems))


def compare_fitters(
    found: Summaries, chosen: dict[str, Fit | None], settings: Settings
) -> tuple[dict[str, dict[str, Fit]], dict[str, dict[str, str]]]:
    """Fit by our own and by lifetimes' fitters on the same customers: a random sample where they are very many.

    Returns
    -------
    fits, failures : dict of str to dict
        By model and fitter: the fit, or why there is none.
    """
    fits: dict[str, dict[str, Fit]] = {}
    failures: dict[str, dict[str, str]] = {}
    rows = sample_customers(found.rows, settings.peer_customers, settings.seed)
    spend_rows = sample_customers(found.spend_rows, settings.peer_customers, settings.seed)
    ways = {
        "bg_nbd": (rows is found.rows, lambda name: fit_purchases("bg_nbd", rows, name)),
        "gamma_gamma": (spend_rows is found.spend_rows, lambda name: fit_spend(spend_rows, name)),
    }
    for model, (whole, refit) in ways.items():
        fits[model], failures[model] = {}, {}
        for name in FITTERS:
            done = whole and name == settings.fitted_by and chosen[model] is not None
            fit, failure = (chosen[model], "") if done else refit(name)
            if fit is None:
                failures[model][name] = failure
            else:
                fits[model][name] = fit
    return fits, failures


def sample_customers(data: pd.DataFrame, size: int, seed: int) -> pd.DataFrame:
    """Draw customers without replacement from distinct rows with counts; all of them when there are fewer."""
    counts = data.customers.to_numpy()
    if counts.sum() <= size:
        return data
    drawn = np.random.default_rng(seed).multivariate_hypergeometric(counts, size)
    return data.assign(customers=drawn)[drawn > 0]


def margin_rate_of(purchases: transactions.Purchases, periods: Periods, settings: Settings) -> float:
    """Return the margin rate of the purchases themselves where the file has margins, else the one that was set."""
    if not purchases.has_margin:
        return settings.margin_rate
    bought = purchases.native.filter(purchases.native.date <= periods.observation_end)
    totals = bought.agg(margin=bought.margin.sum(), amount=bought.amount.sum(where=bought.margin.notnull()))
    margin, amount = totals.to_pandas().iloc[0].astype(float)
    return margin / amount if amount > 0 else settings.margin_rate


def value_customers(
    observation: FittedPeriod,
    purchases: transactions.Purchases,
    marketing: marketing_touches.MarketingCosts,
    margin_rate: float,
    settings: Settings,
) -> tuple[pd.DataFrame, dict[str, tuple[float, float]], str]:
    """Give every customer a historical, a current and a potential value, with intervals.

    Returns
    -------
    customers : pandas.DataFrame
        The columns of `valued`, and low and high of `INTERVAL_COLUMNS`; in order of customer_id.
    totals : dict of str to (float, float)
        Intervals of the sums of expected_purchases and potential_value.
    problem : str
        Why there are none; empty where there are.
    """
    fits = observation.purchases, observation.spend
    table = valued(observation.summaries, *fits, purchases, marketing, margin_rate, settings)
    customers = table.order_by("customer_id").to_pandas()
    # null is missing here, whatever the engine makes of a column of nulls
    scores = [name for name in customers.columns if name not in ("customer_id", "frequency")]
    customers = customers.astype(dict.fromkeys(scores, float))
    intervals = intervals_of(*fits, customers, margin_rate, settings)
    for name in INTERVAL_COLUMNS:
        # what is realised has no uncertainty
        low, high = intervals.rows.get(name, (customers[name], customers[name]))
        customers[f"{name}_low"], customers[f"{name}_high"] = low, high
    return customers, intervals.totals, intervals.problem


def valued(
    found: Summaries,
    fit: Fit | None,
    spend: Fit | None,
    purchases: transactions.Purchases,
    marketing: marketing_touches.MarketingCosts,
    margin_rate: float,
    settings: Settings,
) -> ibis.Table:
    """Give every customer the scores of the models and three values, as an expression of the engine.

    Historical value is realised margin less marketing expense; current value is the same of the last 12 months;
    potential value is the discounted expected margin of the horizon less the planned marketing cost.

    Returns
    -------
    ibis Table
        customer_id, frequency, recency, T, monetary_value, probability_alive, probability_of_purchase,
        expected_purchases, expected_spend, historical_value, current_value, potential_value.
    """
    histories = score_histories(fit, found.rows, settings)
    known = [name for name in MARGINS if name in found.table.columns]
    scored = score_customers(found.table, histories, spend, margin_rate, settings, also=known)
    if not known:
        margins = customer_summary.realised_value(purchases.native_realised, margin_rate, found.end)
        scored = scored.left_join(margins.select("customer_id", *MARGINS), "customer_id").drop("customer_id_right")
    costs = with_ids_like(marketing.table, scored.customer_id)
    joined = scored.left_join(costs, "customer_id")
    values = {
        "historical_value": joined.historical_margin - joined.marketing_cost.coalesce(0.0),
        "current_value": joined.current_margin - joined.current_marketing_cost.coalesce(0.0),
    }
    names = [name for name in scored.columns if name not in ("potential_value", *MARGINS)]
    return text_ids(joined.select(*names, **values, potential_value=joined.potential_value))


def intervals_of(
    fit: Fit | None, spend: Fit | None, customers: pd.DataFrame, margin_rate: float, settings: Settings
) -> value_draws.ValueIntervals:
    """Return the intervals of what is expected of customers; nan where there is no model."""
    if fit is None or spend is None:
        return value_draws.nothing_known(len(customers), "a model could not be fitted")
    columns = (customers[name].to_numpy(float) for name in (*HISTORY, "monetary_value"))
    how = {**_terms(margin_rate, settings), "draws": settings.draws, "seed": settings.seed}
    found = value_draws.value_draws(fit, spend, *columns, **how)
    computed = {} if found.problem else many_totals(fit, spend, customers, margin_rate, settings)
    return replace(found, totals=found.totals | {name: (each.low, each.high) for name, each in computed.items()})


def many_totals(
    fit: Fit, spend: Fit, customers: pd.DataFrame, margin_rate: float, settings: Settings
) -> dict[str, Estimate]:
    """Return the totals of so many customers that few draws could be afforded, computed without; else nothing."""
    history = [customers[name].to_numpy(float) for name in HISTORY]
    first, row = distinct_rows(*history)
    if value_draws.affordable_draws(settings.draws, len(first)) == settings.draws:
        return {}
    spent = history[0] * customers.monetary_value.to_numpy(float)
    sums = (np.bincount(row, spent**power) for power in range(3))
    distinct = (column[first] for column in history)
    computed = value_draws.total_estimates(fit, spend, *distinct, *sums, **_terms(margin_rate, settings))
    return {name: each for name, each in computed.items() if np.isfinite(each.low)}


def _terms(margin_rate: float, settings: Settings) -> dict[str, Any]:
    return {
        "margin_rate": margin_rate,
        "planned_marketing_cost_per_year": settings.planned_marketing_cost,
        "horizon_weeks": settings.horizon_weeks,
        "annual_discount_rate": settings.annual_discount_rate,
        "time_unit": settings.time_unit,
    }


def value_by(value: Valuation, model: str) -> tuple[float, float, float] | None:
    """Return the sum of potential value by another purchase model, with its interval; None where there is no fit."""
    found, spend, settings = value.observation.summaries, value.observation.spend, value.settings
    fit, _ = fit_purchases(model, found.rows)
    if fit is None:
        return None
    computed = {} if spend is None else many_totals(fit, spend, value.customers, value.margin_rate, settings)
    if "potential_value" in computed:
        each = computed["potential_value"]
        return each.value, each.low, each.high
    histories = score_histories(fit, found.rows, settings)
    scored = score_customers(found.table, histories, spend, value.margin_rate, settings)
    total = scored.potential_value.sum().to_pandas()
    few = replace(settings, draws=min(settings.draws, MOST_DRAWS))
    intervals = intervals_of(fit, spend, value.customers, value.margin_rate, few)
    return float(np.nan if total is None else total), *intervals.totals["potential_value"]
