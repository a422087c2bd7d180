"""One way to part the past in two: every model fitted on the first part, every method judged on the second."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from functools import cached_property, partial

import ibis
import numpy as np
import pandas as pd

from helpers.data import customer_summary
from helpers.data.cleaning import text_ids
from helpers.models.fit import Fit, distinct_rows
from helpers.models.lifetime_value import naive_rules, scores
from helpers.models.lifetime_value.purchase_models import kinds
from helpers.models.lifetime_value.value import DAYS_PER_UNIT

from ..valuation import HISTORY, fit_purchases

NAIVE = ("past_rate", "zero", "last_period", "past_frequency", "hiatus")
SPEND = ("monetary_value", "holdout_amount", "last_period_amount")
AMOUNTS = (*SPEND, "past_amount")
HALF = 0.5  # purchases that are nearer to one than to none


@dataclass(frozen=True)
class Material:
    """What the engine knows of a split: who had bought what by its date, and what they then did.

    Parameters
    ----------
    calibration_end, end : date
        The last days of calibration and of the holdout.
    time_unit, merge_period : str
        As in the settings.
    customers : pandas.DataFrame
        frequency, recency, T, monetary_value, log_intervals and holdout_purchases, holdout_amount,
        last_period_purchases, last_period_amount, past_amount; segment where it was asked for. In order of
        customer_id, which the evaluation has no use for.
    """

    calibration_end: date
    end: date
    time_unit: str
    merge_period: str
    customers: pd.DataFrame

    @cached_property
    def rows(self) -> pd.DataFrame:
        """Return the distinct histories with the mean of log_intervals and the number of customers."""
        return distinct_histories(self.customers)

    @property
    def days(self) -> int:
        """Return the length of the holdout in days."""
        return (self.end - self.calibration_end).days

    @property
    def length(self) -> float:
        """Return the length of the holdout in the time unit."""
        return self.days / DAYS_PER_UNIT[self.time_unit]

    @property
    def history(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return frequency, recency and T of every customer."""
        return tuple(self.customers[name].to_numpy(float) for name in HISTORY)

    def by_history(self, compute: Callable[..., np.ndarray]) -> np.ndarray:
        """Return what a function of frequency, recency and T gives each customer, asked once for each history."""
        first, row = self._histories
        return compute(*(column[first] for column in self.history))[row]

    @cached_property
    def _histories(self) -> tuple[np.ndarray, np.ndarray]:
        return distinct_rows(*self.history)

    @property
    def actual(self) -> int:
        """Return the purchases of the holdout."""
        return int(self.customers.holdout_purchases.sum())


@dataclass(frozen=True)
class Outcome:
    """What a split comes to, without its customers: of many splits, only this is held.

    Parameters
    ----------
    calibration_end, end, time_unit, merge_period
        As in `Material`.
    customers, repeat_customers, actual : int
        Customers, those with a repeat purchase in calibration, and purchases in the holdout.
    fits, failures, regular_k, scores
        As in `Split`.
    """

    calibration_end: date
    end: date
    time_unit: str
    merge_period: str
    customers: int
    repeat_customers: int
    actual: int
    fits: dict[str, Fit]
    failures: dict[str, str]
    regular_k: int | None
    scores: scores.Scores

    @property
    def days(self) -> int:
        """Return the length of the holdout in days."""
        return (self.end - self.calibration_end).days

    def flag(self, method: str) -> str:
        """Return what is wrong with the fit of a method, in words; empty when nothing is."""
        fit = self.fits.get(method)
        return " ".join(fit.problems) if fit is not None else self.failures.get(method, "")


@dataclass(frozen=True)
class Split(Material):
    """A split with what every method predicted and how well.

    Parameters
    ----------
    fits : dict of str to Fit
        Purchase models by name, those that came about.
    failures : dict of str to str
        Why the others did not.
    spend : Fit or None
        The spend model.
    predictions : dict of str to scores.Prediction
        By method: models first, then naive rules.
    regular_k : int or None
        The k of regular timing that the likelihood prefers.
    scores : scores.Scores
        Of every method, on the same resamples of customers.
    """

    fits: dict[str, Fit]
    failures: dict[str, str]
    spend: Fit | None
    predictions: dict[str, scores.Prediction]
    regular_k: int | None
    scores: scores.Scores

    @property
    def probability_of_purchase(self) -> dict[str, np.ndarray]:
        """Return every customer's probability of at least one purchase, by model."""
        return {model: self.predictions[model].probability_of_purchase for model in self.fits}

    @cached_property
    def probability_alive(self) -> dict[str, np.ndarray]:
        """Return every customer's probability of being still one, by model."""
        return {model: self.by_history(fit.model.probability_alive) for model, fit in self.fits.items()}

    @cached_property
    def outcome(self) -> Outcome:
        """Return what this comes to."""
        return Outcome(
            self.calibration_end,
            self.end,
            self.time_unit,
            self.merge_period,
            len(self.customers),
            int((self.customers.frequency > 0).sum()),
            self.actual,
            self.fits,
            self.failures,
            self.regular_k,
            self.scores,
        )

    def flag(self, method: str) -> str:
        """Return what is wrong with the fit of a method, in words; empty when nothing is."""
        return self.outcome.flag(method)


def distinct_histories(customers: pd.DataFrame) -> pd.DataFrame:
    """Count the customers of each history, as `helpers.data.customer_summary.distinct_rows` does in the engine."""
    first, row = distinct_rows(*(customers[name].to_numpy() for name in HISTORY))
    counts = np.bincount(row)
    means = (np.bincount(row, customers.log_intervals) / counts).round(9)
    rows = customers[[*HISTORY]].iloc[first].reset_index(drop=True)
    return rows.assign(log_intervals=means, customers=counts)


def collect(
    gaps: ibis.Table,
    calibration_end: date,
    end: date,
    time_unit: str,
    merge_period: str,
    segments: ibis.Table | None = None,
    *,
    spending: bool = True,
) -> Material:
    """Ask the engine for a split.

    Parameters
    ----------
    gaps : ibis Table
        The purchases, of `helpers.data.customer_summary.with_gaps`.
    calibration_end, end, time_unit, merge_period
        As in `Material`.
    segments : ibis Table, optional
        customer_id as text, segment: customers get theirs, missing where there is none.
    spending : bool
        Whether it shall be told what customers spent; without, only what ranks them by past spend is.
    """
    known = customer_summary.split(gaps, calibration_end, end, time_unit, merge_period)
    if segments is not None:
        named = segments.select("segment", segment_of=segments.customer_id)
        known = text_ids(known)
        known = known.left_join(named, known.customer_id == named.segment_of).drop("segment_of")
    unwanted = () if spending else SPEND
    rows = known.order_by("customer_id").drop("customer_id", *unwanted).to_pyarrow()
    customers = rows.to_pandas(split_blocks=True, self_destruct=True)
    # the engine adds on several threads in no fixed order: unrounded, customers who are alike in one run would not be
    # in the next, and the resamples of customers would change with them
    customers = customers.assign(**{name: customers[name].round(6) for name in AMOUNTS if name not in unwanted})
    return Material(calibration_end, end, time_unit, merge_period, customers)


def rescaled(material: Material, time_unit: str) -> Material:
    """Return the same split with its times in another unit, as the engine would give it."""
    old, new = (DAYS_PER_UNIT[unit] for unit in (material.time_unit, time_unit))
    customers = material.customers
    times = {name: (customers[name] * old).round() / new for name in ("recency", "T")}
    # a sum of as many logarithms as there are gaps
    logs = customers.log_intervals + customers.frequency * np.log(old / new)
    customers = customers.assign(**times, log_intervals=logs)
    return Material(material.calibration_end, material.end, time_unit, material.merge_period, customers)


def assess(
    material: Material,
    *,
    hiatus_weeks: int,
    resamples: int,
    seed: int,
    valued_by: str = "",
    min_cell: int = 1,
    fits: Mapping[str, Fit] | None = None,
    spend: Fit | None = None,
    spending: bool = True,
    models: Collection[str] = (),
) -> Split:
    """Fit every purchase model that is not given, predict by every method, and score; no engine is asked.

    Who is active is not judged where those who bought, or those who did not, are fewer than `min_cell`: the accuracy
    of a rule that calls everybody inactive is their number. Quicker with less: without `spending` only purchases are
    scored, and `models` names those that are to be fitted.
    """
    fits, failures = dict(fits or {}), {}
    for model in models or kinds():
        if model not in fits:
            fit, failures[model] = fit_purchases(model, material.rows)
            if fit is not None:
                fits[model] = fit
    regular_k = next((fit.model.k for fit in fits.values() if hasattr(fit.model, "k")), None)
    # regular timing with k = 1 is MBG/NBD itself: a second row of the same numbers would say nothing
    shown = [model for model in kinds() if model in fits and (model == valued_by or not _is_another(fits[model]))]
    fits = {model: fits[model] for model in shown}
    predictions = _by_models(material, fits, spend) | _by_rules(material, hiatus_weeks, spending)
    actual = material.customers
    buyers = int((actual.holdout_purchases > 0).sum())
    secret = any(0 < people < min_cell for people in (buyers, len(actual) - buyers))
    scored = scores.bootstrap(
        {method: _not_of_activity(said) for method, said in predictions.items()} if secret else predictions,
        actual.holdout_purchases.to_numpy(float),
        actual.holdout_amount.to_numpy(float) if spending else None,
        resamples=resamples,
        seed=seed,
    )
    failures = {model: why for model, why in failures.items() if why}
    return Split(
        **{part.name: getattr(material, part.name) for part in fields(Material)},
        fits=fits,
        failures=failures,
        spend=spend,
        predictions=predictions,
        regular_k=regular_k,
        scores=scored,
    )


def _not_of_activity(said: scores.Prediction) -> scores.Prediction:
    return replace(said, active=None, probability_of_purchase=None)


def _is_another(fit: Fit) -> bool:
    return getattr(fit.model, "k", None) == 1


def _by_models(material: Material, fits: Mapping[str, Fit], spend: Fit | None) -> dict[str, scores.Prediction]:
    amounts = None
    if spend is not None:
        mean = spend.model.expected_average_spend(material.history[0], material.customers.monetary_value.to_numpy())
        amounts = mean if np.isfinite(mean).all() else None  # with q <= 1 the mean of newcomers is infinite
    found = {}
    for model, fit in fits.items():
        purchases = material.by_history(partial(fit.model.expected_purchases, horizon=material.length))
        probability = material.by_history(partial(fit.model.probability_of_purchase, horizon=material.length))
        found[model] = scores.Prediction(
            purchases=purchases,
            spend=None if amounts is None else purchases * amounts,
            probability_of_purchase=probability,
        )
    return found


def _by_rules(material: Material, hiatus_weeks: int, spending: bool) -> dict[str, scores.Prediction]:
    frequency, recency, T = material.history
    length, customers = material.length, material.customers
    silence = 7 * hiatus_weeks / DAYS_PER_UNIT[material.time_unit]
    # where calibration is shorter than the holdout, all of it is the last period
    calibration_days = T.max() * DAYS_PER_UNIT[material.time_unit] + 1
    scale = max(1.0, material.days / calibration_days)
    repeats = naive_rules.last_period(customers.last_period_purchases.to_numpy(float), scale)
    nothing = naive_rules.zero(frequency)
    rate = naive_rules.past_rate(frequency, T, length)
    frequent = naive_rules.past_frequency(frequency, customers.past_amount.to_numpy(float))
    found = {
        "past_rate": scores.Prediction(purchases=rate, active=rate >= HALF),
        "zero": scores.Prediction(purchases=nothing, active=nothing > 0),
        "last_period": scores.Prediction(purchases=repeats, active=repeats > 0),
        "past_frequency": scores.Prediction(purchase_rank=frequent),
        "hiatus": scores.Prediction(active=naive_rules.hiatus(recency, T, silence)),
    }
    if not spending:
        return found
    mean, last = (customers[name].to_numpy(float) for name in ("monetary_value", "last_period_amount"))
    spend = {
        "past_rate": {"spend": naive_rules.past_rate_spend(frequency, mean, T, length)},
        "zero": {"spend": nothing},
        "last_period": {"spend": naive_rules.last_period(last, scale)},
        "past_frequency": {"spend_rank": frequent},
    }
    return found | {rule: replace(found[rule], **said) for rule, said in spend.items()}
