"""From purchases to lifetime value: clean, summarise, fit twice, check on the holdout, score, value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from helpers.analyses.progress import progress
from helpers.data import customer_summary, marketing_touches, transactions
from helpers.models.fit import Fit
from helpers.models.lifetime_value import gamma_gamma, lifetimes_peer, scores, value
from helpers.models.lifetime_value.purchase_models import bg_nbd

from .settings import Periods, Settings, settle_periods

FITTERS = {"helpers": (bg_nbd.fit_bg_nbd, gamma_gamma.fit_gamma_gamma)}
FITTERS["lifetimes"] = (lifetimes_peer.fit_bg_nbd, lifetimes_peer.fit_gamma_gamma)
INTERVAL_COLUMNS = ("expected_purchases", "expected_spend", "historical_value", "current_value", "potential_value")


@dataclass(frozen=True)
class FittedPeriod:
    """The customers of a stretch of time and the models fitted on them.

    Parameters
    ----------
    name : str
        "calibration" or "observation".
    end : date
        Its last day.
    customers : pandas.DataFrame
        customer_id, frequency, recency, T, monetary_value.
    rows : pandas.DataFrame
        Distinct frequency, recency, T with the number of customers.
    spend_rows : pandas.DataFrame
        Distinct frequency, monetary_value of repeat customers with the number of customers.
    purchases, spend : Fit or None
        By the chosen fitter; None where nothing can be fitted.
    peers : dict of str to dict of str to Fit
        By model and fitter: our fit and that of lifetimes on the same customers, those that came about.
    failures : dict of str to dict of str to str
        By model and fitter: why the others did not.
    problems : tuple of str
        What is wrong with the fits, in words.
    """

    name: str
    end: date
    customers: pd.DataFrame
    rows: pd.DataFrame
    spend_rows: pd.DataFrame
    purchases: Fit | None
    spend: Fit | None
    peers: dict[str, dict[str, Fit]]
    failures: dict[str, dict[str, str]]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Holdout:
    """What the calibration model and naive rules expected of the holdout, and what happened.

    Parameters
    ----------
    customers : pandas.DataFrame
        customer_id, frequency, recency, T, holdout_purchases and one column of predictions for each method.
    low, high : float
        Predictive interval of the total by the model: parameters and chance.
    scores : pandas.DataFrame
        method, measure, value, low, high.
    rival : str
        The naive rule of the smallest mean absolute error.
    mae_difference : tuple of float
        The model's mean absolute error less the rival's, of the same customers: value, low, high.
    """

    customers: pd.DataFrame
    low: float
    high: float
    scores: pd.DataFrame
    rival: str
    mae_difference: tuple[float, float, float]

    @property
    def actual(self) -> int:
        """Return the purchases of the holdout."""
        return int(self.customers.holdout_purchases.sum())

    def score(self, method: str, measure: str) -> pd.Series:
        """Return value, low and high of one score; missing where the method could not predict."""
        chosen = self.scores.query("method == @method and measure == @measure")
        return chosen.iloc[0] if len(chosen) else pd.Series({"value": np.nan, "low": np.nan, "high": np.nan})


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
    holdout : Holdout or None
        The check on what came after calibration; None where no day lies between.
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
    holdout: Holdout | None
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
    with progress("lifetime value", 5) as bar:
        purchases, marketing, periods = read(settings)
        bar.update()
        calibration = fit_period("calibration", purchases, periods.calibration_end, settings)
        bar.update()
        observation = fit_period("observation", purchases, periods.observation_end, settings)
        bar.update()
        holdout = check_on_holdout(calibration, purchases, periods, settings)
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
        holdout=holdout,
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
        **rules,
    )
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


def fit_period(name: str, purchases: transactions.Purchases, end: date, settings: Settings) -> FittedPeriod:
    """Summarise the customers acquired by `end` and fit both models on them."""
    summary = customer_summary.summarise(purchases.table, end, settings.time_unit, settings.merge_period).cache()
    rows, spend_rows = customer_summary.distinct_rows(summary), customer_summary.repeat_spend(summary)
    fits, problems = {}, []
    for model, data, fitter in zip(
        ("bg_nbd", "gamma_gamma"), (rows, spend_rows), FITTERS[settings.fitted_by], strict=True
    ):
        fits[model], failure = attempt(fitter, data)
        problems += [failure] if failure else fits[model].problems
    peers, failures = compare_fitters(rows, spend_rows, fits, settings)
    return FittedPeriod(
        name=name,
        end=end,
        customers=summary.order_by("customer_id").to_pandas(),
        rows=rows,
        spend_rows=spend_rows,
        purchases=fits["bg_nbd"],
        spend=fits["gamma_gamma"],
        peers=peers,
        failures=failures,
        problems=tuple(dict.fromkeys(problems)),
    )


def attempt(fitter: Callable[..., Fit], data: pd.DataFrame) -> tuple[Fit | None, str]:
    """Fit on distinct rows; return the fit, or None with the reason."""
    *columns, customers = (data[column].to_numpy(float) for column in data.columns)
    if not len(data):
        return None, "No customer has a repeat purchase of a positive amount, which the spend model needs."
    try:
        fit = fitter(*columns, weights=customers)
    except ValueError as error:
        return None, str(error)
    return (fit, "") if np.isfinite(fit.estimates).all() else (None, " ".join(fit.problems))


def compare_fitters(
    rows: pd.DataFrame, spend_rows: pd.DataFrame, chosen: dict[str, Fit | None], settings: Settings
) -> tuple[dict[str, dict[str, Fit]], dict[str, dict[str, str]]]:
    """Fit by our own and by lifetimes' fitters on the same customers: a random sample where they are very many.

    Returns
    -------
    fits, failures : dict of str to dict
        By model and fitter: the fit, or why there is none.
    """
    fits: dict[str, dict[str, Fit]] = {}
    failures: dict[str, dict[str, str]] = {}
    for index, (model, data) in enumerate((("bg_nbd", rows), ("gamma_gamma", spend_rows))):
        sample = sample_customers(data, settings.peer_customers, settings.seed)
        fits[model], failures[model] = {}, {}
        for name, fitters in FITTERS.items():
            done = sample is data and name == settings.fitted_by and chosen[model] is not None
            fit, failure = (chosen[model], "") if done else attempt(fitters[index], sample)
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
    bought = purchases.table.filter(purchases.table.date <= periods.observation_end)
    totals = bought.agg(margin=bought.margin.sum(), amount=bought.amount.sum(where=bought.margin.notnull()))
    margin, amount = totals.to_pandas().iloc[0].astype(float)
    return margin / amount if amount > 0 else settings.margin_rate


def check_on_holdout(
    calibration: FittedPeriod, purchases: transactions.Purchases, periods: Periods, settings: Settings
) -> Holdout | None:
    """Predict the holdout by the calibration model and by naive rules, and score them on what happened."""
    if periods.holdout_days <= 0:
        return None
    length = periods.holdout_days / value.DAYS_PER_UNIT[settings.time_unit]
    bought = customer_summary.holdout(purchases.table, periods.calibration_end, periods.observation_end).to_pandas()
    customers = calibration.customers.merge(bought, on="customer_id", validate="one_to_one")
    history = customers.frequency, customers.recency, customers["T"]
    rate = np.where(customers["T"] > 0, customers.frequency / customers["T"].where(customers["T"] > 0, 1), 0.0)
    predictions = {"past_rate": rate * length, "zero": np.zeros(len(customers))}
    low = high = np.nan
    if calibration.purchases is not None:
        model = calibration.purchases.model
        predictions = {"bg_nbd": model.expected_purchases(*history, length)} | predictions
        rows = calibration.rows
        low, high = value.predicted_total(
            calibration.purchases,
            *(rows[column] for column in ("frequency", "recency", "T")),
            length,
            customers=rows.customers,
            draws=settings.draws,
            seed=settings.seed,
        )
    scored = []
    for method, predicted in predictions.items():
        table = scores.score_table(predicted, customers.holdout_purchases, resamples=500, seed=settings.seed)
        scored += [(method, measure, *numbers) for measure, numbers in table.items()]
    frame = pd.DataFrame(scored, columns=["method", "measure", "value", "low", "high"])
    actual = customers.holdout_purchases
    errors = {method: np.abs(predicted - actual) for method, predicted in predictions.items()}
    rival = min(("past_rate", "zero"), key=lambda method: errors[method].mean())
    difference = (np.nan, np.nan, np.nan)
    if "bg_nbd" in errors:
        # the bias of one method's errors against another's is the mean of their differences, customer by customer
        paired = scores.score_table(
            errors["bg_nbd"], errors[rival], measures={"bias": scores.bias}, resamples=500, seed=settings.seed
        )
        difference = paired["bias"]
    return Holdout(customers.assign(**predictions), low, high, frame, rival, difference)


def value_customers(
    observation: FittedPeriod,
    purchases: transactions.Purchases,
    marketing: marketing_touches.MarketingCosts,
    margin_rate: float,
    settings: Settings,
) -> tuple[pd.DataFrame, dict[str, tuple[float, float]], str]:
    """Give every customer a historical, a current and a potential value, with intervals.

    Historical value is realised margin less marketing expense; current value is the same of the last 12 months;
    potential value is the discounted expected margin of the horizon less the planned marketing cost.
    """
    money = realised(purchases, marketing, observation.end, margin_rate)
    customers = observation.customers.merge(money, on="customer_id", how="left", validate="one_to_one")
    history = customers.frequency, customers.recency, customers["T"]
    forecast, intervals, totals, problem = forecast_of(
        observation, history, customers.monetary_value, margin_rate, settings
    )
    customers = customers.assign(**forecast)
    for name in INTERVAL_COLUMNS:
        low, high = intervals.get(name, (customers[name], customers[name]))  # what is realised has no uncertainty
        customers[f"{name}_low"], customers[f"{name}_high"] = low, high
    order = ["customer_id", "frequency", "recency", "T", "monetary_value", *forecast]
    order[-1:] = ["historical_value", "current_value", "potential_value"]
    order += [f"{name}_{end}" for name in INTERVAL_COLUMNS for end in ("low", "high")]
    return customers[order], totals, problem


def realised(
    purchases: transactions.Purchases, marketing: marketing_touches.MarketingCosts, end: date, margin_rate: float
) -> pd.DataFrame:
    """Return customer_id, historical_value and current_value: realised margin less marketing expense."""
    margins = customer_summary.realised_value(purchases.realised, margin_rate, end)
    joined = margins.left_join(marketing.table, "customer_id")
    cost, current_cost = joined.marketing_cost.coalesce(0.0), joined.current_marketing_cost.coalesce(0.0)
    return joined.select(
        "customer_id",
        historical_value=joined.historical_margin - cost,
        current_value=joined.current_margin - current_cost,
    ).to_pandas()


def forecast_of(observation, history, monetary_value, margin_rate, settings) -> tuple[dict, dict, dict, str]:
    """Return the forecast columns, their intervals by customer and of the totals, and why there are none."""
    missing = np.full(len(monetary_value), np.nan)
    forecast = {
        "probability_alive": missing,
        "probability_of_purchase": missing,
        "expected_purchases": missing,
        "expected_spend": missing,
        "potential_value": missing,
    }
    unknown = {name: (np.nan, np.nan) for name in ("expected_purchases", "potential_value")}
    no_intervals = {name: (missing, missing) for name in ("expected_purchases", "expected_spend", "potential_value")}
    purchases, spend = observation.purchases, observation.spend
    if purchases is not None:
        forecast["probability_alive"] = purchases.model.probability_alive(*history)
        forecast["probability_of_purchase"] = purchases.model.probability_of_purchase(*history, settings.horizon)
        forecast["expected_purchases"] = purchases.model.expected_purchases(*history, settings.horizon)
    if spend is not None:
        forecast["expected_spend"] = spend.model.expected_average_spend(history[0], monetary_value)
    if purchases is None or spend is None:
        return forecast, no_intervals, unknown, "a model could not be fitted"
    money = {
        "margin_rate": margin_rate,
        "planned_marketing_cost_per_year": settings.planned_marketing_cost,
        "horizon_weeks": settings.horizon_weeks,
        "annual_discount_rate": settings.annual_discount_rate,
    }
    discounted = value.discounted_purchases(
        purchases.model, *history, settings.horizon_weeks, settings.annual_discount_rate, settings.time_unit
    )
    forecast["potential_value"] = value.potential_value(
        expected_spend=forecast["expected_spend"], discounted_purchases=discounted, **money
    )
    drawn = value.value_draws(
        purchases,
        spend,
        *history,
        monetary_value,
        **money,
        time_unit=settings.time_unit,
        draws=settings.draws,
        seed=settings.seed,
    )
    return forecast, drawn.rows, drawn.totals, drawn.problem
