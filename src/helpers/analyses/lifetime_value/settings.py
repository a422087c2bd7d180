"""What the lifetime-value analysis is asked, checked in one place."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

from helpers.data import transactions
from helpers.data.cleaning import day
from helpers.data.refusal import InputRefused, Problem, require_choice
from helpers.data.sources import find_built_in
from helpers.models.lifetime_value.purchase_models import kinds
from helpers.models.lifetime_value.value import DAYS_PER_UNIT

from ..choices import Choices

TIME_UNITS = {"D": "days", "W": "weeks", "M": "months"}
SEGMENTS = ("", "segment", "cohort")  # "": the column where the file has it, otherwise the cohort


@dataclass(frozen=True)
class Settings(Choices):
    """Everything that can be chosen; the notebook's parameters, one for one, with their meanings there.

    Raises
    ------
    InputRefused
        With every value that is out of its range, at once.
    """

    transactions: str = "cdnow_sample"
    columns: dict = field(default_factory=dict)
    marketing_touches: str = ""
    marketing_touches_columns: dict = field(default_factory=dict)
    bad_rows: str = "refuse"
    identical_rows: str = "keep"
    zero_amounts: str = "count"
    refunds: str = "net"
    merge_period: str = "D"
    date_format: str = ""
    decimal: str = "."
    calibration_end: str = ""
    observation_end: str = ""
    time_unit: str = "W"
    horizon_weeks: int = 52
    annual_discount_rate: float = 0.10
    margin_rate: float = 1.0
    planned_marketing_cost: float = 0.0
    currency: str = ""
    model: str = "bg_nbd"
    fitted_by: str = "helpers"
    peer_customers: int = 100_000
    engine: str = "duckdb"
    memory_limit: str = ""
    draws: int = 400
    resamples: int = 500
    hiatus_weeks: int = 12
    split_dates: int = 5
    segments: str = ""
    min_cell: int = 5
    seed: int = 1

    def rules(self) -> dict[str, tuple[bool, str]]:
        """Return for each parameter with a range whether it is kept, and what it is."""
        return {
            "time_unit": (self.time_unit in TIME_UNITS, f"must be one of {', '.join(TIME_UNITS)}"),
            "model": (self.model in kinds(), f"must be one of {', '.join(kinds())}"),
            "fitted_by": (self.fitted_by in ("helpers", "lifetimes"), "must be 'helpers' or 'lifetimes'"),
            "horizon_weeks": (0 < self.horizon_weeks <= 1040, "must be from 1 to 1040 weeks (20 years)"),
            "annual_discount_rate": (
                0 <= self.annual_discount_rate <= 10,
                "must be 0 (no discounting) or more: 0.1 is 10 % a year",
            ),
            "margin_rate": (-1 <= self.margin_rate <= 1, "is a share of the amount, from -1 to 1: 0.3 is 30 %"),
            "planned_marketing_cost": (self.planned_marketing_cost >= 0, "must be 0 or more"),
            "currency": (
                len(self.currency) <= 20 and not set('<>&"') & set(self.currency),
                "is the short name of a currency, such as EUR",
            ),
            "peer_customers": (self.peer_customers >= 100, "must be at least 100 customers"),
            "draws": (100 <= self.draws <= 10_000, "must be from 100 to 10,000"),
            "resamples": (100 <= self.resamples <= 10_000, "must be from 100 to 10,000"),
            "hiatus_weeks": (1 <= self.hiatus_weeks <= 520, "must be from 1 to 520 weeks (10 years)"),
            "split_dates": (0 <= self.split_dates <= 20, "must be from 0 (none) to 20 dates"),
            "segments": (self.segments in SEGMENTS, f"must be one of {', '.join(map(repr, SEGMENTS))}"),
            "min_cell": (self.min_cell >= 1, "must be at least 1 customer"),
            "seed": (self.seed >= 0, "must be 0 or more"),
        }

    @property
    def horizon(self) -> float:
        """Return the horizon in the time unit."""
        return self.units(7 * self.horizon_weeks)

    def units(self, days: float) -> float:
        """Return so many days in the time unit."""
        return days / DAYS_PER_UNIT[self.time_unit]

    @property
    def unit_name(self) -> str:
        """Return the time unit in words."""
        return TIME_UNITS[self.time_unit]


@dataclass(frozen=True)
class Periods:
    """When the data begin, when calibration ends, when observation ends; the days themselves belong to each."""

    first: date
    calibration_end: date
    observation_end: date

    @property
    def holdout_days(self) -> int:
        """Return the length of the holdout."""
        return (self.observation_end - self.calibration_end).days


def settle_periods(settings: Settings, first: date, last: date) -> Periods:
    """Choose the periods that were left open, and check those that were given.

    Parameters
    ----------
    settings : Settings
        `calibration_end` and `observation_end`, "" for: chosen from the data.
    first, last : date
        The first and the last purchase day.

    Returns
    -------
    Periods
        Observation to the last purchase day; calibration to the published date of a built-in data set, otherwise
        two thirds of the span. Where purchases are merged by week or month, each ends with its week or month, which
        counts whole.

    Raises
    ------
    InputRefused
        When a period would be empty.
    """
    require_choice("merge_period", settings.merge_period, transactions.MERGE_PERIODS)
    observation_end = day(settings.observation_end, "observation_end") if settings.observation_end else last
    observation_end = transactions.end_of_period(observation_end, settings.merge_period)
    built_in = find_built_in(settings.transactions, "transactions")
    chosen = settings.calibration_end or (built_in.calibration_end if built_in else "")
    if not settings.calibration_end and chosen and day(chosen, "calibration_end") >= observation_end:
        chosen = ""
    calibration_end = (
        day(chosen, "calibration_end") if chosen else first + timedelta(days=2 * (observation_end - first).days // 3)
    )
    calibration_end = transactions.end_of_period(calibration_end, settings.merge_period)
    span = f"the purchases run from {first} to {last}"
    problems = []
    if observation_end < first:
        problems.append(Problem(f"observation_end ({observation_end}) lies before the first purchase; {span}"))
    elif calibration_end < first:
        problems.append(
            Problem(
                f"calibration_end ({calibration_end}) lies before the first purchase: the holdout would be longer "
                f"than the data; {span}"
            )
        )
    elif calibration_end >= observation_end and settings.calibration_end:
        problems.append(
            Problem(f"calibration_end ({calibration_end}) must lie before observation_end ({observation_end}); {span}")
        )
    if problems:
        raise InputRefused("these parameters", problems, 'Leave a date "" to have it chosen from the data.')
    return Periods(first, calibration_end, observation_end)
