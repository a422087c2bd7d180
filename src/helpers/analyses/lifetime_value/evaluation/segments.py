"""The same evaluation for groups of customers: whether one model serves them all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.exhibits import number, suppress_small_groups
from helpers.models.fit import EVENTS_PER_PARAMETER, Fit
from helpers.models.lifetime_value import scores

from ..settings import Settings
from ..valuation import HISTORY, fit_purchases
from .split import Split

MEASURES = ("total_error", "rmse", "gini_purchases", "activity_accuracy")


@dataclass(frozen=True)
class Segment:
    """A group of customers: the scores of every method on it, and of a model fitted on it alone.

    Parameters
    ----------
    name : str
        As the data call it.
    customers, repeat_customers, actual : int
        Customers, those with a repeat purchase in calibration, and purchases in the holdout.
    scores : scores.Scores
        Of every method, and of the chosen model fitted on this group alone as "own".
    own : Fit or None
        The chosen model fitted on this group alone; None where that means nothing.
    advice : str
        What the data of this group allow, in words; empty when they allow everything.
    """

    name: str
    customers: int
    repeat_customers: int
    actual: int
    scores: scores.Scores
    own: Fit | None
    advice: str


def evaluate_segments(split: Split, groups: pd.Series, settings: Settings) -> list[Segment]:
    """Score every method on each group that may be shown, and fit the chosen model on it alone."""
    sizes = groups.value_counts(sort=False).rename_axis("segment").reset_index(name="customers")
    shown = suppress_small_groups(sizes, "customers", ("segment",), settings.min_cell).dropna()
    return [
        _evaluate(split, str(name), (groups == name).to_numpy(), settings)
        for name in shown.segment[shown.customers > 0]
    ]


def _evaluate(split: Split, name: str, inside: np.ndarray, settings: Settings) -> Segment:
    customers = split.customers[inside]
    repeated = int((customers.frequency > 0).sum())
    own, advice = _fit_alone(customers, settings.model, split, repeated)
    predictions = {method: _only(prediction, inside) for method, prediction in split.predictions.items()}
    if own is not None:
        history = tuple(customers[column].to_numpy(float) for column in HISTORY)
        probability = own.model.probability_of_purchase(*history, split.length)
        expected = own.model.expected_purchases(*history, split.length)
        predictions["own"] = scores.Prediction(purchases=expected, probability_of_purchase=probability)
    scored = scores.bootstrap(
        predictions,
        customers.holdout_purchases.to_numpy(float),
        resamples=settings.resamples,
        seed=settings.seed,
    )
    actual = int(customers.holdout_purchases.sum())
    if not actual:
        advice = "Nobody of this group bought in the holdout. " + advice
    return Segment(name, len(customers), repeated, actual, scored, own, advice.strip())


def _only(prediction: scores.Prediction, inside: np.ndarray) -> scores.Prediction:
    """Return what a prediction says of some of the customers."""
    columns = {name: None if column is None else column[inside] for name, column in vars(prediction).items()}
    return scores.Prediction(**columns)


def _fit_alone(customers: pd.DataFrame, model: str, split: Split, repeated: int) -> tuple[Fit | None, str]:
    """Fit a model on these customers alone where there are enough; otherwise say what is missing."""
    if model not in split.fits:
        return None, ""
    needed = EVENTS_PER_PARAMETER * len(split.fits[model].names)
    if repeated < needed:
        return None, (
            f"Too few for a model of its own: {number(repeated)} bought again, {number(needed)} are needed. "
            "Join it with a like group, or wait."
        )
    columns = [*HISTORY, "log_intervals"]
    rows = customers.groupby(list(HISTORY), as_index=False).agg(
        log_intervals=("log_intervals", "mean"), customers=("log_intervals", "size")
    )
    fit, why = fit_purchases(model, rows[[*columns, "customers"]])
    if fit is None or not fit.converged:
        return None, f"A model of its own is not to be trusted: {why or ' '.join(fit.problems)}"
    return fit, ""


def scores_by_segment(segments: list[Segment]) -> pd.DataFrame:
    """Return segment, method, measure, value, low, high."""
    lines = [
        (segment.name, method, measure, segment.scores.value(method, measure), *interval(method, measure))
        for segment in segments
        for interval in [segment.scores.interval]
        for method, measure in segment.scores.values
        if measure in MEASURES
    ]
    return pd.DataFrame(lines, columns=["segment", "method", "measure", "value", "low", "high"])
