"""How the verdict moves when the past is parted elsewhere, time is measured otherwise, or purchases merged further."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, timedelta
from threading import Semaphore

import ibis
import pandas as pd
from tqdm import tqdm

from helpers.data import customer_summary, transactions
from helpers.models.lifetime_value.value import DAYS_PER_UNIT
from helpers.models.threads import threads

from ..settings import Periods, Settings
from .split import Material, Outcome, Split, assess, collect, rescaled

MOST_RESAMPLES = 100  # of the repeated checks: their intervals are to be seen, not to be judged by
SCORED = ["calibration_end", "end", "time_unit", "merge_period", "customers", "repeat_customers", "actual"]
SCORED += ["method", "measure", "value", "low", "high", "flag"]
COARSER = {"D": ("W", "M"), "W": (), "M": ()}  # merge periods that whole merge periods make up


def split_dates(periods: Periods, count: int) -> list[tuple[date, date]]:
    """Choose dates at which to repeat the check, each with the end of its holdout.

    All holdouts are half as long as the report's own, so that they can be compared; the dates run in equal steps
    from half the calibration period to the last that leaves such a holdout.

    Returns
    -------
    list of (calibration_end, end)
        Without the dates that have no day before or after them.
    """
    length = periods.holdout_days // 2
    earliest = periods.first + (periods.calibration_end - periods.first) / 2
    latest = periods.observation_end - timedelta(days=length)
    steps = max(count - 1, 1)
    dates = [earliest + (latest - earliest) * step // steps for step in range(count)]
    return [(day, day + timedelta(days=length)) for day in dict.fromkeys(dates) if length > 0 and day > periods.first]


def by_split_date(gaps: ibis.Table, periods: Periods, settings: Settings, bar: tqdm) -> list[Outcome]:
    """Repeat the check at other dates, in parallel; `gaps` are those of `helpers.data.customer_summary.with_gaps`."""
    merge = settings.merge_period
    dates = [
        (transactions.end_of_period(start, merge), transactions.end_of_period(end, merge))
        for start, end in split_dates(periods, settings.split_dates)
    ]
    dates = [(start, end) for start, end in dict.fromkeys(dates) if start < end <= periods.observation_end]
    material = (collect(gaps, *span, settings.time_unit, merge, spending=False) for span in dates)
    # a handful of customers is not shown, here as elsewhere
    return _assess_all((part for part in material if len(part.customers) >= settings.min_cell), settings, bar)


def by_measurement(
    purchases: transactions.Purchases, own: Split, periods: Periods, settings: Settings, bar: tqdm
) -> list[Outcome]:
    """Repeat the check in the other time units, and with purchases merged further; `own` is the check itself."""
    if not settings.split_dates:
        return []
    units = (rescaled(own, unit) for unit in DAYS_PER_UNIT if unit != own.time_unit)
    # a unit of time only scales, so one model shows as much as all of them would
    same = _assess_all(units, settings, bar, models=(settings.model,))
    return [own.outcome, *same, *_assess_all(_merged_further(purchases, own, periods, settings), settings, bar)]


def _merged_further(
    purchases: transactions.Purchases, own: Split, periods: Periods, settings: Settings
) -> Iterator[Material]:
    for merge in COARSER[settings.merge_period]:
        # a merge period counts whole or not at all: the split moves to the last one that has ended
        start, end = (_last_whole(day, merge) for day in (own.calibration_end, own.end))
        if periods.first < start < end:
            gaps = customer_summary.with_gaps(customer_summary.merged(purchases.native, merge))
            yield collect(gaps, start, end, settings.time_unit, merge, spending=False)


def _last_whole(day: date, merge_period: str) -> date:
    """Return the last day, up to this one, on which a merge period ends."""
    if transactions.end_of_period(day, merge_period) == day:
        return day
    return transactions.start_of_period(day, merge_period) - timedelta(days=1)


def _assess_all(
    material: Iterable[Material], settings: Settings, bar: tqdm, models: Collection[str] = ()
) -> list[Outcome]:
    """Assess splits while the engine is asked for the next, by this thread alone: its connection is not for several."""
    resamples = min(settings.resamples, MOST_RESAMPLES)
    room = Semaphore()

    def one(part: Material) -> Outcome:
        try:
            split = assess(
                part,
                hiatus_weeks=settings.hiatus_weeks,
                resamples=resamples,
                seed=settings.seed,
                spending=False,
                valued_by=settings.model,
                min_cell=settings.min_cell,
                models=models,
            )
        finally:
            room.release()
        bar.update()
        return split.outcome

    def counted() -> Iterator[Material]:
        for part in material:
            bar.total += 1
            yield part
            room.acquire()  # customers may be very many: no more than two splits are held

    with threads() as pool:
        return list(pool.map(one, counted()))


def scored(outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """Return the scores of several splits in one table.

    Returns
    -------
    pandas.DataFrame
        calibration_end, end, time_unit, merge_period, customers, repeat_customers, actual, method, measure, value,
        low, high, flag.
    """
    parts = []
    for outcome in outcomes:
        about = {name: getattr(outcome, name) for name in SCORED[:7]}
        about |= {name: str(about[name]) for name in ("calibration_end", "end")}
        parts.append(score_frame(outcome).assign(**about)[SCORED])
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=SCORED)


def score_frame(split: Split | Outcome) -> pd.DataFrame:
    """Return method, measure, value, low, high, flag of one split."""
    lines = [
        (method, measure, split.scores.value(method, measure), *split.scores.interval(method, measure))
        for method, measure in split.scores.values
    ]
    frame = pd.DataFrame(lines, columns=["method", "measure", "value", "low", "high"])
    return frame.assign(flag=frame.method.map(split.flag))
