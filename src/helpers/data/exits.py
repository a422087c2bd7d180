"""Who has left, and why: the last exit of each customer who has not come back."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from dataclasses import dataclass

import ibis
import pandas as pd

from helpers.data import contracts
from helpers.data.cleaning import CheckedRows, account, check, plain, text_ids, with_ids_like
from helpers.data.customer_costs import NO_PURCHASE, empty, engine_of, last_day
from helpers.data.engines import held
from helpers.data.refusal import InputRefused, Problem

# The four causes of the sources: the firm gave the customer up; the customer left; a competitor won the customer over;
# the customer had to leave.
CAUSES = ("given_up", "left", "poached", "forced")
UNKNOWN = "unknown"
_IN_CHINESE = dict(zip(("主动放弃", "主动离开", "被挖走", "被迫离开"), CAUSES, strict=True))
_CODES = {cause: cause for cause in CAUSES} | {"given up": "given_up", "given-up": "given_up"} | _IN_CHINESE
_BEFORE = "dated before the customer's first purchase"
_SUPERSEDED = "the customer has a later exit"
_COUNTED = "the last exit of a customer"


@dataclass(frozen=True)
class Exits:
    """Customers who have left.

    Attributes
    ----------
    table : ibis Table
        customer_id (each once), date, cause: one of `CAUSES` or `UNKNOWN`.
    accounting : pandas.DataFrame
        step, rows, amount (NaN: exits have none), reason: changes that add up to the last line; no line where no file
        was given.
    inputs : list of dict
        name, path, sha256, bytes, rows of each file.
    notes : list of str
        Sentences that a report must show.
    customers : int
        How many customers have left; 0 where no file was given.
    """

    table: ibis.Table
    accounting: pd.DataFrame
    inputs: list[dict]
    notes: list[str]
    customers: int


def load(
    source: str = "",
    *,
    columns: Mapping[str, str] | None = None,
    bad_rows: str = "refuse",
    date_format: str = "",
    decimal: str = ".",
    observation_end: datetime.date | str | None = None,
    causes: Mapping[str, str] | None = None,
    grace_days: int = 0,
    today: datetime.date | str | None = None,
    customers: ibis.Table | None = None,
    connection: ibis.BaseBackend | None = None,
) -> Exits:
    """Load exits, and keep the last one of each customer who has left.

    An exit is left out, and counted under the first of these reasons that holds, where

    - it is dated after `observation_end`;
    - its customer has no purchase;
    - it is dated before the customer's first purchase;
    - the customer came back: bought more than `grace_days` after it;
    - the customer has a later exit.

    Parameters
    ----------
    source : str
        "synthetic_firm", or a file or folder with the columns customer_id, date, cause; "" where none is given: nobody
        is known to have left. A cause is given_up (主动放弃), left (主动离开), poached (被挖走) or forced (被迫离开).
    columns, bad_rows, date_format, decimal, today
        As in `helpers.data.cleaning.check`; with bad rows left out, an exit whose cause is missing or not known stays,
        with the cause "unknown".
    observation_end : date or str, optional
        The last day that counts. Default: the last exit.
    causes : Mapping[str, str], optional
        Other codes, in any case, to one of the four: ``{"moved": "forced"}``.
    grace_days : int
        How many days after an exit the customer's last purchase may still come, at least 0.
    customers : ibis Table, optional
        customer_id (text, each once), first_date and last_date (the days of the first purchase, and of the last one up
        to `observation_end`, themselves, not the first days of their weeks or months). Default: everybody counts, and
        no day of purchase is known.
    connection : ibis backend, optional
        The engine to use. Default: that of `customers`, or a new one.

    Raises
    ------
    InputRefused
        With all problems of the file, or what is wrong with a parameter.
    """
    codes = _CODES | _own_codes(causes)
    if isinstance(grace_days, bool) or not isinstance(grace_days, int) or grace_days < 0:
        raise InputRefused(f"grace_days={grace_days!r}", [Problem("it must be a whole number of days from 0 up")])
    connection = engine_of(customers, connection)
    if not source:
        nobody = empty({"customer_id": "string", "date": "date", "cause": "string"}, connection)
        return Exits(nobody, account([]), [], [], 0)
    checked = check(
        source,
        contracts.exits(codes),
        columns=columns,
        bad_rows=bad_rows,
        date_format=date_format,
        decimal=decimal,
        today=today,
        connection=connection,
    )
    end = last_day(checked.native, observation_end)
    judged = held(text_ids(_judged(checked.native, customers, end, grace_days)))
    steps = _steps(judged)
    counted = judged.filter(judged.fault == _COUNTED)
    return Exits(
        table=counted.select("customer_id", "date", "cause"),
        accounting=account([*checked.steps, *steps]),
        inputs=checked.inputs,
        notes=[*checked.notes, *_notes(checked, steps, end, grace_days)],
        customers=int(counted.customer_id.nunique().to_pyarrow().as_py()),
    )


def _own_codes(causes: Mapping[str, str] | None) -> dict[str, str]:
    """Read the codes of the user's own."""
    if causes is not None and not isinstance(causes, Mapping):
        problem = Problem("it must map codes to causes", way_out='As in {"moved": "forced"}.')
        raise InputRefused(f"causes={causes!r}", [problem])
    own = {plain(str(code)): _CODES.get(plain(str(cause))) for code, cause in (causes or {}).items()}
    if None in own.values():
        problem = Problem(f"a code stands for one of {', '.join(CAUSES)}")
        raise InputRefused(f"causes={dict(causes)!r}", [problem])
    return own


def _judged(rows: ibis.Table, customers: ibis.Table | None, end: datetime.date, grace_days: int) -> ibis.Table:
    """Give each exit the first reason for which it does not count."""
    exits = rows.select("customer_id", "date", cause=rows.cause.coalesce(UNKNOWN))
    late = (exits.date > end, _after(end))
    if customers is None:
        judged = exits.mutate(fault=ibis.cases(late, else_=_COUNTED))
    else:
        dates = with_ids_like(customers, exits.customer_id).select(
            "customer_id", first_date=customers.first_date.cast("date"), last_date=customers.last_date.cast("date")
        )
        joined = exits.left_join(dates, "customer_id")
        back = joined.last_date > joined.date + ibis.interval(days=grace_days)
        fault = ibis.cases(
            (joined.date > end, late[1]),
            (joined.first_date.isnull(), NO_PURCHASE),
            (joined.date < joined.first_date, _BEFORE),
            (back, _came_back(grace_days)),
            else_=_COUNTED,
        )
        judged = joined.select("customer_id", "date", "cause", fault=fault)
    # The later exit of two may itself be left out, because the customer came back after it.
    last = judged.date.max().over(group_by=["customer_id", "fault"])
    is_superseded = (judged.fault == _COUNTED) & (judged.date < last)
    return judged.mutate(fault=ibis.ifelse(is_superseded, _SUPERSEDED, judged.fault))


def _after(end: datetime.date) -> str:
    return f"dated after {end}"


def _came_back(grace_days: int) -> str:
    return f"the customer bought more than {grace_days:,} days later" if grace_days else "the customer bought later"


def _steps(judged: ibis.Table) -> list[tuple[str, int, float, str]]:
    """Account for the way from usable rows to exits that count."""
    rows = judged.group_by("fault").agg(rows=judged.count()).order_by("fault").to_pandas()
    counted = int(rows.rows[rows.fault == _COUNTED].sum())
    left_out = rows[rows.fault != _COUNTED]
    steps = [("excluded", -int(line.rows), math.nan, line.fault) for line in left_out.itertuples()]
    return [*steps, ("exits", counted, math.nan, _COUNTED)]


def _notes(
    checked: CheckedRows, steps: list[tuple[str, int, float, str]], end: datetime.date, grace_days: int
) -> list[str]:
    found = {reason: abs(rows) for _, rows, _, reason in steps}
    notes = []
    if found.get(_after(end)):
        notes.append(
            f"Exits of {checked.name} {_after(end)} (the last purchase unless observation_end is set): "
            f"{found[_after(end)]:,}. They are left out: set observation_end to a later day to count them."
        )
    if found.get(_came_back(grace_days)):
        within = f" more than {grace_days:,} days" if grace_days else ""
        notes.append(
            f"Exits of {checked.name} after which the customer came back (a purchase{within} later): "
            f"{found[_came_back(grace_days)]:,}. These customers are not gone, and the exits are left out."
        )
    if found.get(_BEFORE):
        notes.append(f"Exits of {checked.name} {_BEFORE}: {found[_BEFORE]:,}. They are left out.")
    if not found[_COUNTED]:
        notes.append(f"No exit of {checked.name} counts: nobody is known to have left.")
    return notes
