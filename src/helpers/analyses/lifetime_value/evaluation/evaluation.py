"""The evaluation as a whole: one split in depth, then other splits, other units and groups of customers."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import numpy as np
import pandas as pd

from helpers.analyses.progress import progress
from helpers.data import customer_summary
from helpers.models.lifetime_value.prediction import total_intervals
from helpers.models.lifetime_value.purchase_models import kinds
from helpers.models.lifetime_value.regularity import Regularity, wheat_morrison

from ..settings import Settings
from ..valuation import Valuation
from . import agreement, robustness
from .recommendation import Recommendation, recommend
from .segments import Segment, evaluate_segments
from .split import Outcome, Split, assess, collect


@dataclass(frozen=True)
class Evaluation:
    """What can be said for and against the models on purchases that they did not see.

    Parameters
    ----------
    settings : Settings
        What was asked.
    split : Split
        Every model fitted on calibration, every method scored on the holdout.
    low, high : float
        Predictive interval of the holdout total by the model that values customers: parameters and chance.
    frequency, recency, cohorts : pandas.DataFrame
        Actual and expected purchases by group, see `agreement.grouped`.
    tracking, reliability, activity : pandas.DataFrame
        See the functions of these names in `agreement`.
    regularity : Regularity
        How regular the gaps between purchases are.
    typical_gap : float
        The median of the customers' first gaps, in days.
    recommendation : Recommendation
        Which model to believe.
    split_dates, measurements : list of Outcome
        The same check at other dates, and in other units of time and merge periods.
    segments : list of Segment
        The same check by group of customers.
    segmented_by : str
        "segment" (a column of the file) or "cohort".
    hidden_segments : int
        Groups that are too small to be shown, or would give such a one away.
    """

    settings: Settings
    split: Split
    low: float
    high: float
    frequency: pd.DataFrame
    recency: pd.DataFrame
    cohorts: pd.DataFrame
    tracking: pd.DataFrame
    reliability: pd.DataFrame
    activity: pd.DataFrame
    regularity: Regularity
    typical_gap: float
    recommendation: Recommendation
    split_dates: list[Outcome]
    measurements: list[Outcome]
    segments: list[Segment]
    segmented_by: str
    hidden_segments: int

    @property
    def model(self) -> str:
        """Return the model that values customers."""
        return self.settings.model

    @property
    def labels(self) -> dict[str, str]:
        """Return the methods as they are written."""
        return method_labels(self.settings)


def method_labels(settings: Settings) -> dict[str, str]:
    """Return every method as it is written: models first, then naive rules."""
    return {name: kind.label for name, kind in kinds().items()} | {
        "past_rate": "past rate goes on",
        "zero": "nobody buys again",
        "last_period": "last period repeats",
        "past_frequency": "rank by past frequency, then spend",
        "hiatus": f"gone after {settings.hiatus_weeks} silent weeks",
    }


def evaluate(value: Valuation) -> Evaluation | None:
    """Check every model on the holdout; None where no day lies between the end of calibration and of observation."""
    settings, periods = value.settings, value.periods
    if periods.holdout_days <= 0:
        return None
    table, calibration = value.purchases.native, value.calibration
    spans = calibration.end, periods.observation_end
    segmented_by, segments = _segments(value)
    with progress("evaluation", 4) as bar:
        gaps = customer_summary.with_gaps(table).cache()
        material = collect(gaps, *spans, settings.time_unit, settings.merge_period, segments)
        split = assess(
            material,
            hiatus_weeks=settings.hiatus_weeks,
            resamples=settings.resamples,
            seed=settings.seed,
            valued_by=settings.model,
            min_cell=settings.min_cell,
            fits=calibration.fits,
            spend=calibration.spend,
        )
        bar.update()
        groups = {
            "frequency": agreement.frequency_groups(split.customers),
            "recency": agreement.recency_groups(split.customers),
            "cohorts": agreement.cohort_groups(
                split.customers, calibration.end, settings.time_unit, settings.merge_period
            ),
        }
        low, high, grouped = _compare_groups(split, groups, settings)
        bar.update()
        tracked = agreement.tracking(
            split,
            table,
            periods.first,
            split.fits.get(settings.model),
            settings.merge_period,
            settings.draws // 2,
            settings.seed,
        )
        bar.update()
        pairs = customer_summary.first_intervals(table, calibration.end)
        segments_of = groups["cohorts"] if segments is None else _named_segments(split)
        by_segment = evaluate_segments(split, segments_of, settings)
        bar.update()
        return Evaluation(
            settings=settings,
            split=split,
            low=low,
            high=high,
            **grouped,
            tracking=tracked,
            reliability=agreement.reliability(split),
            activity=agreement.activity(split, settings.hiatus_weeks, settings.min_cell),
            regularity=_regularity(pairs),
            typical_gap=_typical_gap(pairs),
            recommendation=recommend(split, method_labels(settings)),
            split_dates=robustness.by_split_date(gaps, periods, settings, bar),
            measurements=robustness.by_measurement(value.purchases, split, periods, settings, bar),
            segments=by_segment,
            segmented_by=segmented_by,
            hidden_segments=segments_of.nunique() - len(by_segment),
        )


def _compare_groups(split: Split, groups: dict[str, pd.Series], settings: Settings) -> tuple[float, float, dict]:
    """Simulate the holdout by the chosen model, and compare every way to group customers with it."""
    fit, ends = split.fits.get(settings.model), {}
    low = high = np.nan
    if fit is not None:
        codes = {name: group.cat.codes.to_numpy() for name, group in groups.items()}
        codes["all"] = np.zeros(len(split.customers), int)
        how = {"draws": settings.draws, "seed": settings.seed}
        ends = total_intervals(fit, *split.history, split.length, codes, **how)
        low, high = (float(end[0]) for end in ends["all"])
    return low, high, {name: agreement.grouped(split, group, ends.get(name)) for name, group in groups.items()}


def _segments(value: Valuation) -> tuple[str, ibis.Table | None]:
    """Return what customers are grouped by, and the segments that were known by the end of calibration."""
    segments = value.purchases.segments
    if segments is None or value.settings.segments == "cohort":
        return "cohort", None
    # a segment named after calibration would give away who bought again
    return "segment", segments.filter(segments.since <= value.calibration.end)


def _named_segments(split: Split) -> pd.Series:
    return split.customers.segment.fillna("(not given)").astype("category")


def _regularity(pairs: pd.DataFrame) -> Regularity:
    return wheat_morrison(pairs.first_interval, pairs.second_interval, weights=pairs.customers)


def _typical_gap(pairs: pd.DataFrame) -> float:
    gaps = np.repeat(pairs.first_interval.to_numpy(float), pairs.customers.to_numpy(int))
    return float(np.median(gaps)) if len(gaps) else np.nan
