"""One way to part the past in two: every model fitted on the first part, every method judged on the second."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date

import ibis
import numpy as np
import pandas as pd

from helpers.data import customer_summary
from helpers.models.fit import Fit
from helpers.models.lifetime_value import naive_rules, scores
from helpers.models.lifetime_value.purchase_models import kinds
from helpers.models.lifetime_value.value import DAYS_PER_UNIT

from ..valuation import Summaries, fit_purchases, fit_spend, summaries

NAIVE = ("past_rate", "zero", "last_period", "past_frequency", "hiatus")
AMOUNTS = ("monetary_value", "holdout_amount", "last_period_amount", "past_amount")
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
    found : Summaries
        The customers as of calibration_end.
    customers : pandas.DataFrame
        customer_id, frequency, recency, T, monetary_value and holdout_purchases, holdout_amount,
        last_period_purchases, last_period_amount, past_amount.
    """

    calibration_end: date
    end: date
    time_unit: str
    merge_period: str
    found: Summaries
    customers: pd.DataFrame

    @property
    def rows(self) -> pd.DataFrame:
        """Return the distinct histories with the number of customers."""
        return self.found.rows

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
        return tuple(self.customers[name].to_numpy(float) for name in ("frequency", "recency", "T"))

    @property
    def actual(self) -> int:
        """Return the purchases of the holdout."""
        return int(self.customers.holdout_purchases.sum())


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
    probability_alive : dict of str to ndarray
        By model.
    regular_k : int or None
        The k of regular timing that the likelihood prefers.
    scores : scores.Scores
        Of every method, on the same resamples of customers.
    """

    fits: dict[str, Fit]
    failures: dict[str, str]
    spend: Fit | None
    predictions: dict[str, scores.Prediction]
    probability_alive: dict[str, np.ndarray]
    regular_k: int | None
    scores: scores.Scores

    @property
    def probability_of_purchase(self) -> dict[str, np.ndarray]:
        """Return every customer's probability of at least one purchase, by model."""
        return {model: self.predictions[model].probability_of_purchase for model in self.fits}

    def flag(self, method: str) -> str:
        """Return what is wrong with the fit of a method, in words; empty when nothing is."""
        fit = self.fits.get(method)
        return " ".join(fit.problems) if fit is not None else self.failures.get(method, "")


def collect(
    table: ibis.Table,
    calibration_end: date,
    end: date,
    time_unit: str,
    merge_period: str,
    found: Summaries | None = None,
) -> Material:
    """Ask the engine for a split; `found` are the summaries where they are known already."""
    found = found or summaries(table, calibration_end, time_unit, merge_period)
    held = customer_summary.holdout(table, calibration_end, end, merge_period).to_pandas()
    customers = found.customers.merge(held, on="customer_id", validate="one_to_one")
    # the engine adds on several threads in no fixed order: unrounded, customers who are alike in one run would not be
    # in the next, and the resamples of customers would change with them
    customers = customers.assign(**{name: customers[name].round(6) for name in AMOUNTS})
    return Material(calibration_end, end, time_unit, merge_period, found, customers)


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
    """Fit every model that is not given, predict by every method, and score; no engine is asked.

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
    if spending and spend is None:
        spend, _ = fit_spend(material.found.spend_rows)
    predictions = _by_models(material, fits, spend) | _by_rules(material, hiatus_weeks)
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
    alive = {model: fit.model.probability_alive(*material.history) for model, fit in fits.items()}
    failures = {model: why for model, why in failures.items() if why}
    return Split(
        **vars(material),
        fits=fits,
        failures=failures,
        spend=spend,
        predictions=predictions,
        probability_alive=alive,
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
        purchases = fit.model.expected_purchases(*material.history, material.length)
        probability = fit.model.probability_of_purchase(*material.history, material.length)
        found[model] = scores.Prediction(
            purchases=purchases,
            spend=None if amounts is None else purchases * amounts,
            probability_of_purchase=probability,
        )
    return found


def _by_rules(material: Material, hiatus_weeks: int) -> dict[str, scores.Prediction]:
    frequency, recency, T = material.history
    mean, length, customers = material.customers.monetary_value.to_numpy(float), material.length, material.customers
    silence = 7 * hiatus_weeks / DAYS_PER_UNIT[material.time_unit]
    # where calibration is shorter than the holdout, all of it is the last period
    calibration_days = T.max() * DAYS_PER_UNIT[material.time_unit] + 1
    scale = max(1.0, material.days / calibration_days)
    repeats = naive_rules.last_period(customers.last_period_purchases.to_numpy(float), scale)
    nothing = naive_rules.zero(frequency)
    rate = naive_rules.past_rate(frequency, T, length)
    frequent = naive_rules.past_frequency(frequency, customers.past_amount.to_numpy(float))
    return {
        "past_rate": scores.Prediction(
            purchases=rate, spend=naive_rules.past_rate_spend(frequency, mean, T, length), active=rate >= HALF
        ),
        "zero": scores.Prediction(purchases=nothing, spend=nothing, active=nothing > 0),
        "last_period": scores.Prediction(
            purchases=repeats,
            spend=naive_rules.last_period(customers.last_period_amount.to_numpy(float), scale),
            active=repeats > 0,
        ),
        "past_frequency": scores.Prediction(purchase_rank=frequent, spend_rank=frequent),
        "hiatus": scores.Prediction(active=naive_rules.hiatus(recency, T, silence)),
    }
