"""What was spent on new and on old customers, period by period."""

from __future__ import annotations

import datetime
import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real

import ibis
import pandas as pd

from helpers.data.cleaning import CheckedRows, account, check, day
from helpers.data.contracts import TABLES
from helpers.data.engines import connect
from helpers.data.refusal import InputRefused, Problem
from helpers.data.sources import find_built_in

ALL_CHANNELS = "all"
FEWEST_PERIODS = 3  # of which a trend can be told
_NUMBERS = ("acquisition_spend", "retention_spend", "new_customers", "retained_customers")
_TYPES = {"period": object, "channel": object} | dict.fromkeys(_NUMBERS[:2], float) | dict.fromkeys(_NUMBERS[2:], int)
# How many periods a year has: how they are written in a file, and here.
_FORMATS = {
    1: (re.compile(r"(\d{4})年?"), "{0:04d}"),
    4: (re.compile(r"(\d{4})[-/ ]?Q([1-4])|(\d{4})年第?([1-4])季度?", re.IGNORECASE), "{0:04d}-Q{1}"),
    12: (
        re.compile(r"(\d{4})[-/.](0?[1-9]|1[0-2])|(\d{4})(0[1-9]|1[0-2])|(\d{4})年(0?[1-9]|1[0-2])月"),
        "{0:04d}-{1:02d}",
    ),
}
_MIDNIGHT = re.compile(r"[T ]00:00(:00(\.0+)?)?$")
_ONE_DIGIT = re.compile(r"\b(\d)\b")
# The least and the most days from one date to the next, and how many such periods a year has.
_SPACINGS = (
    (1, 1, 365.25),
    (7, 7, 365.25 / 7),
    (28, 31, 12.0),
    (89, 92, 4.0),
    (181, 184, 2.0),
    (365, 366, 1.0),
)


@dataclass(frozen=True)
class MarketSpend:
    """What was spent, and on how many customers.

    Attributes
    ----------
    frame : pandas.DataFrame
        period (text: "2023", "2023-Q1", "2023-01", a date, or as the file has it), channel ("all" where none is named),
        acquisition_spend, retention_spend, new_customers, retained_customers, in order of time (of periods that cannot
        be read: of the file), then of channels.
    periods : int
        How many there are.
    periods_per_year : float
        NaN where neither the periods nor the parameter say so.
    accounting : pandas.DataFrame
        step, rows, amount (acquisition_spend), reason: changes that add up to the last line; no line where no file was
        given.
    inputs : list of dict
        name, path, sha256, bytes, rows of each file.
    notes : list of str
        Sentences that a report must show.
    is_simulated : bool
        Whether nobody has ever spent so.
    """

    frame: pd.DataFrame
    periods: int
    periods_per_year: float
    accounting: pd.DataFrame
    inputs: list[dict]
    notes: list[str]
    is_simulated: bool


@dataclass(frozen=True)
class Calendar:
    """What the texts of periods say.

    Attributes
    ----------
    names : dict of str to str
        How each is written here, so that one period has one name.
    first_days : dict of str to date
        Of each; None where it cannot be told.
    periods_per_year : float
        NaN where it cannot be told.
    missing : int
        How many periods lie between the first and the last that no text names.
    """

    names: dict[str, str]
    first_days: dict[str, datetime.date | None]
    periods_per_year: float
    missing: int


def load(
    source: str = "",
    *,
    columns: Mapping[str, str] | None = None,
    bad_rows: str = "refuse",
    date_format: str = "",
    decimal: str = ".",
    observation_end: datetime.date | str | None = None,
    periods_per_year: float = 0.0,
    today: datetime.date | str | None = None,
    connection: ibis.BaseBackend | None = None,
) -> MarketSpend:
    """Load what was spent on new and on old customers.

    Parameters
    ----------
    source : str
        "synthetic_firm", or a file or folder with the columns period, acquisition_spend, retention_spend,
        new_customers, retained_customers; "" where none is given: nothing is known to have been spent.
    columns, bad_rows, decimal
        As in `helpers.data.cleaning.check`.
    date_format : str
        How dates in the column period are written; "" reads years (2023), quarters (2023-Q1, 2023年1季度), months
        (2023-01, 2023/1, 202301, 2023年1月) and dates (2023-01-01).
    observation_end : date or str, optional
        Periods that begin later are left out and counted, where their first day can be told. Default: `today`.
    periods_per_year : float
        How many periods a year has, above 0; 0 tells it by how the periods are written, of dates by how far they lie
        apart.
    today : date or str, optional
        Default: the current date.
    connection : ibis backend, optional
        The engine to use; a new one by default.

    Raises
    ------
    InputRefused
        With all problems of the file, or what is wrong with a parameter.
    """
    _check_periods_per_year(periods_per_year)
    if not source:
        nothing = pd.DataFrame(columns=list(_TYPES)).astype(_TYPES)
        return MarketSpend(nothing, 0, float(periods_per_year or math.nan), account([]), [], [], False)
    checked = check(
        source,
        TABLES["market_spend"],
        "acquisition_spend",
        columns=columns,
        bad_rows=bad_rows,
        date_format=date_format,
        decimal=decimal,
        today=today,
        connection=connection or connect(),
    )
    rows = checked.table.order_by("place").to_pandas()
    rows = rows.reindex(columns=list(_TYPES))
    unnamed = rows.channel.isna()
    calendar = read_periods(list(rows.period.unique()), date_format)
    rows = rows.assign(
        channel=rows.channel.astype(object).mask(unnamed, ALL_CHANNELS),
        period=rows.period.map(calendar.names),
        first_day=pd.to_datetime(rows.period.map(calendar.first_days)),
    )
    _refuse_repeats(checked, rows)
    end = _end(observation_end, today)
    is_late = rows.first_day > pd.Timestamp(end)
    frame = rows[~is_late].assign(order=lambda kept: pd.factorize(kept.period)[0])
    frame = frame.sort_values(["first_day", "order", "channel"], kind="stable")[list(_TYPES)].astype(_TYPES)
    per_year = float(periods_per_year or calendar.periods_per_year)
    built_in = find_built_in(source, "market_spend")
    return MarketSpend(
        frame=frame.reset_index(drop=True),
        periods=frame.period.nunique(),
        periods_per_year=per_year,
        accounting=account([*checked.steps, *_steps(rows, is_late, end)]),
        inputs=checked.inputs,
        notes=[*checked.notes, *_notes(checked, frame, int(unnamed.sum()), calendar, per_year)],
        is_simulated=bool(built_in and built_in.is_simulated),
    )


def _check_periods_per_year(periods_per_year: object) -> None:
    is_number = isinstance(periods_per_year, Real) and not isinstance(periods_per_year, bool)
    if not is_number or not 0 <= periods_per_year < math.inf:
        problem = Problem("it must be a number above 0, or 0", way_out="For months it is 12.")
        raise InputRefused(f"periods_per_year={periods_per_year!r}", [problem])


def _end(observation_end: datetime.date | str | None, today: datetime.date | str | None) -> datetime.date:
    if observation_end:
        return day(observation_end, "observation_end")
    return day(today, "today") if today else datetime.date.today()


# --- what the periods say -------------------------------------------------------------------------------


def read_periods(texts: Sequence[str], date_format: str = "") -> Calendar:
    """Read periods, all of them in one way or none.

    Parameters
    ----------
    texts : sequence of str
        Each once, in any order.
    date_format : str
        As in `load`.
    """
    for per_year, (pattern, _) in () if date_format else _FORMATS.items():
        found = [pattern.fullmatch(text) for text in texts]
        if all(found):
            parts = [[int(part) for part in match.groups() if part] for match in found]
            return _of_the_calendar(texts, parts, per_year)
    dates = [_date(text, date_format) for text in texts]
    if all(dates):
        days = sorted(set(dates))
        names = {text: str(date) for text, date in zip(texts, dates, strict=True)}
        return Calendar(names, dict(zip(texts, dates, strict=True)), *_spacing(days))
    return Calendar({text: text for text in texts}, dict.fromkeys(texts), math.nan, 0)


def _of_the_calendar(texts: Sequence[str], parts: Sequence[Sequence[int]], per_year: int) -> Calendar:
    """Name years, quarters or months alike, however they are written."""
    _, written = _FORMATS[per_year]
    names, first_days, numbers = {}, {}, set()
    for text, (year, *part) in zip(texts, parts, strict=True):
        number = part[0] if part else 1
        names[text] = written.format(year, number)
        first_days[text] = datetime.date(max(year, 1), 1 + (number - 1) * 12 // per_year, 1)
        numbers.add(year * per_year + number)
    return Calendar(names, first_days, float(per_year), max(numbers) - min(numbers) + 1 - len(numbers))


def _date(text: str, date_format: str) -> datetime.date | None:
    try:
        if date_format:
            return datetime.datetime.strptime(text, date_format).date()
        dashed = _MIDNIGHT.sub("", text).replace("/", "-")
        return datetime.date.fromisoformat(_ONE_DIGIT.sub(r"0\1", dashed))
    except ValueError:
        return None


def _spacing(days: Sequence[datetime.date]) -> tuple[float, int]:
    """Tell from how far dates lie apart how many periods a year has, and how many periods are missing between them."""
    gaps = [(later - earlier).days for earlier, later in itertools.pairwise(days)]
    # Dates 28 days apart throughout may be months or four weeks.
    if not gaps or max(gaps) == 28:
        return math.nan, 0
    per_year = next((per_year for low, high, per_year in _SPACINGS if low <= min(gaps) <= high), math.nan)
    if math.isnan(per_year):
        return per_year, 0
    return per_year, sum(round(gap * per_year / 365.25) - 1 for gap in gaps)


def _refuse_repeats(checked: CheckedRows, rows: pd.DataFrame) -> None:
    """Refuse two rows of one period and channel that the check took for different ones, for being written so."""
    repeated = rows[rows.duplicated(["period", "channel"])]
    if len(repeated):
        first = repeated.iloc[0]
        rule = f"{len(repeated):,} rows repeat a period of the same channel, written in another way"
        way_out = f"The first is the {first.period} of {first.channel!r}: leave one row for each period and channel."
        raise InputRefused(checked.name, [Problem(rule, "period", way_out=way_out)])


# --- what a report must say of them ---------------------------------------------------------------------


def _steps(rows: pd.DataFrame, is_late: pd.Series, end: datetime.date) -> list[tuple[str, int, float, str]]:
    late, spent = int(is_late.sum()), rows.acquisition_spend
    left_out = [("excluded", -late, -float(spent[is_late].sum()), f"begins after {end}")] if late else []
    kept = ("market_spend", len(rows) - late, float(spent[~is_late].sum()), "one for each period and channel")
    return [*left_out, kept]


def _notes(
    checked: CheckedRows, frame: pd.DataFrame, unnamed: int, calendar: Calendar, periods_per_year: float
) -> list[str]:
    notes = []
    periods = frame.period.nunique()
    if periods < FEWEST_PERIODS:
        notes.append(f"{checked.name} has {periods} periods: no trend and no elasticity can be told from them.")
    if calendar.missing:
        notes.append(f"Periods missing in {checked.name} between the first and the last: {calendar.missing:,}.")
    if not any(calendar.first_days.values()):
        notes.append(f"The periods of {checked.name} cannot be read as times: they count in the order of the file.")
    if math.isnan(periods_per_year):
        notes.append(
            f"How long a period of {checked.name} is cannot be told, so no cost of a year either: set periods_per_year."
        )
    if 0 < unnamed < len(frame):
        notes.append(
            f"Rows of {checked.name} without a channel beside others with one: {unnamed:,}. They count as a channel of "
            f'their own, "{ALL_CHANNELS}"; if they are totals, leave them out.'
        )
    return notes
