"""Who brought whom: referrals that can be credited, with an account of those that cannot."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

import ibis
import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from helpers.data.cleaning import CheckedRows, account, check, day, text_ids, with_ids_like
from helpers.data.contracts import TABLES
from helpers.data.engines import connect
from helpers.data.refusal import InputRefused, Problem, require_choice
from helpers.data.sources import find_built_in

SEVERAL_REFERRERS = ("first", "split")
OPTIONAL = ("incentive_cost", "acquisition_cost", "would_have_joined")
COLUMNS = ("referrer_id", "referee_id", "date", *OPTIONAL, "weight")
_STATED = {
    "incentive_cost": "what was paid for them",
    "acquisition_cost": "what acquiring the referee would have cost",
    "would_have_joined": "whether the referee would have joined anyway",
}
_NO_REFEREE = "the referee has made no purchase"
_REPEATED = "the same two stand in an earlier referral"
_LATER = "the referee has an earlier referrer"
_CLOSES = "it closes a loop of referrals"
_CREDITED = "credited to who brought the referee"
# Another window or rule for several referrers would credit these.
_CREDITED_OTHERWISE = (_REPEATED, _LATER, _CLOSES)


@dataclass(frozen=True)
class Referrals:
    """Referrals after the rules of `load`: a forest, unless `several_referrers` is "split".

    Attributes
    ----------
    frame : pandas.DataFrame
        One row for each referral that is credited, in order of date (of one day, in the file's): referrer_id,
        referee_id (text), date, incentive_cost, acquisition_cost, would_have_joined (0 to 1; NaN where these three are
        not stated), weight (the share of the referee that is the referrer's; weights add up to 1 for each referee).
        No referee stands among those who brought their referrer, or theirs, and so on.
    accounting : pandas.DataFrame
        step, rows, amount (what was paid for the referrals; NaN where the file does not say), reason: changes that add
        up to the last line; no line where no file was given.
    inputs : list of dict
        name, path, sha256, bytes, rows of each file.
    notes : list of str
        Sentences that a report must show.
    is_simulated : bool
        Whether nobody has ever brought anybody so.
    uncredited : pandas.DataFrame
        date, incentive_cost of the referrals within the observation that cost an incentive, and that nobody is credited
        with. Where it is not stated (NaN), only of those that another window or rule for several referrers would
        credit: of the others nobody knows that anything was paid.
    """

    frame: pd.DataFrame
    accounting: pd.DataFrame
    inputs: list[dict]
    notes: list[str]
    is_simulated: bool
    uncredited: pd.DataFrame

    def positions(self, customer_ids: pd.Series | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Find referrers and referees among the customers.

        Parameters
        ----------
        customer_ids : Series or ndarray of str
            Each customer once; they were given to `load`.

        Returns
        -------
        tuple of ndarray of int64
            Positions of the referrer and of the referee in `customer_ids`, row by row as `frame`.
        """
        index = pd.Index(customer_ids)
        return index.get_indexer(self.frame.referrer_id), index.get_indexer(self.frame.referee_id)


def load(
    source: str = "",
    *,
    columns: Mapping[str, str] | None = None,
    bad_rows: str = "refuse",
    date_format: str = "",
    decimal: str = ".",
    customers: ibis.Table | None = None,
    observation_start: datetime.date | str | None = None,
    observation_end: datetime.date | str | None = None,
    window_days: int = 365,
    several_referrers: str = "first",
    today: datetime.date | str | None = None,
    connection: ibis.BaseBackend | None = None,
) -> Referrals:
    """Load referrals, built in or a user's own, and keep those that can be credited.

    A referral is left out, and counted under the first of these reasons that holds, where

    - it repeats another row wholly;
    - it is dated before `observation_start` or after `observation_end`;
    - referrer and referee are the same;
    - the referee or the referrer is no customer;
    - it is dated before the referrer's first purchase, or after the referee's, who then was a customer already;
    - the referee's first purchase came more than `window_days` after it and counts as organic;
    - the same two stand in an earlier referral;
    - the referee has an earlier referral by somebody else (`several_referrers`);
    - it closes a loop: referrals that lead from a customer back to the same customer. Of a loop the latest referral (of
      one day, the last in the file) is left out. Where loops share referrals (a strongly connected component of more
      referrals than people, possible with several referrers only), all are left out whose referee appears in an earlier
      referral of it than their referrer does.

    A negative or unreadable cost and a share outside 0 to 1 refuse the file, or count as not known where bad rows are
    left out: that somebody brought somebody is known all the same.

    Parameters
    ----------
    source : str
        "synthetic_firm", or a file or folder with the columns referrer_id, referee_id, date; "" where none is given:
        nobody is known to have brought anybody.
    columns, bad_rows, date_format, decimal, today
        As in `helpers.data.cleaning.check`.
    customers : ibis Table, optional
        customer_id (text, each once) and first_date (the day of the first purchase itself, not the first day of its
        week or month). Default: everybody counts, and no day of purchase is known.
    observation_start, observation_end : date or str, optional
        The first and the last day on which a referral counts. Default: all count.
    window_days : int
        The attribution window: how many days after the referral the referee's first purchase may come, at least 0.
    several_referrers : {"first", "split"}
        Whether a referee with several referrers is credited to the earliest referral (of one day, the first in the
        file), or in equal shares to all.
    connection : ibis backend, optional
        The engine to use. Default: that of `customers`, or a new one.

    Returns
    -------
    Referrals
        Without a row where no referral can be credited; a note says so.

    Raises
    ------
    InputRefused
        With all problems of the file, or what is wrong with a parameter.
    """
    require_choice("several_referrers", several_referrers, SEVERAL_REFERRERS)
    if isinstance(window_days, bool) or not isinstance(window_days, int) or window_days < 0:
        raise InputRefused(f"window_days={window_days!r}", [Problem("it must be a whole number of days from 0 up")])
    start = day(observation_start, "observation_start") if observation_start else None
    end = day(observation_end, "observation_end") if observation_end else None
    if not source:
        note = "No referrals are given: nobody is known to have brought anybody, and no referral value can be computed."
        nothing = pd.DataFrame(columns=COLUMNS)
        return Referrals(_credited(nothing), account([]), [], [note], False, _paid(nothing))
    if connection is None:
        connection = connect() if customers is None else customers.get_backend()
    checked = check(
        source,
        TABLES["referrals"],
        "incentive_cost",
        columns=columns,
        bad_rows=bad_rows,
        identical_rows="exclude",
        date_format=date_format,
        decimal=decimal,
        today=today,
        connection=connection,
    )
    rows = _rows(checked, customers)
    is_in_loop = loops(rows.referrer_id, rows.referee_id)
    rows["fault"] = _judged(rows, start, end, window_days)
    is_too_late = rows.fault == _too_late(window_days)
    _mark_repeats(rows, several_referrers)
    _mark_loops(rows)
    good = rows[rows.fault == _CREDITED]
    built_in = find_built_in(source, "referrals")
    return Referrals(
        frame=_credited(good),
        accounting=account([*checked.steps, *_steps(rows)]),
        inputs=checked.inputs,
        notes=[
            *checked.notes,
            *_window_notes(checked.name, rows, start, end, window_days),
            *_loop_notes(checked.name, rows, is_in_loop),
            *_several_notes(checked.name, rows, several_referrers),
            *_gap_notes(checked.name, good),
            *([] if len(good) else [f"No referral of {checked.name} can be credited: no referral value is computed."]),
        ],
        is_simulated=bool(built_in and built_in.is_simulated),
        uncredited=_uncredited(rows, _is_observed(rows, start, end), is_too_late),
    )


def loops(referrer: pd.Series, referee: pd.Series) -> np.ndarray:
    """Tell which referrals lie in a loop of at least two people.

    Parameters
    ----------
    referrer, referee : Series
        Ids of any kind.

    Returns
    -------
    ndarray of int64
        For each referral the number of the strongly connected component in which it lies; -1 where in none.
    """
    people, _ = pd.factorize(pd.concat([referrer, referee], ignore_index=True))
    source, target = people[: len(referrer)], people[len(referrer) :]
    size = int(people.max(initial=-1)) + 1
    if not size:
        return np.empty(0, dtype=np.int64)
    graph = coo_array((np.ones(len(source), dtype=np.int8), (source, target)), shape=(size, size))
    _, component = connected_components(graph, directed=True, connection="strong")
    is_inside = (component[source] == component[target]) & (source != target)
    return np.where(is_inside, component[source], -1).astype(np.int64)


# --- rows and their faults ------------------------------------------------------------------------------


def _rows(checked: CheckedRows, customers: ibis.Table | None) -> pd.DataFrame:
    """Fetch the referrals in order of date, then of the file, each with the first purchases of both."""
    # As dates they would be fetched as objects, one by one.
    table = checked.native.mutate(date=checked.native.date.cast("timestamp"))
    for role in ("referrer", "referee"):
        if customers is None:
            table = table.mutate(**{f"{role}_first": ibis.null("timestamp")})
        else:
            known = with_ids_like(customers, table[f"{role}_id"])
            first = known.first_date.cast("date").cast("timestamp")
            firsts = known.select(**{f"{role}_id": known.customer_id, f"{role}_first": first})
            table = table.left_join(firsts, f"{role}_id").drop(f"{role}_id_right")
    rows = text_ids(table).to_pandas().sort_values(["date", "place"], ignore_index=True)
    for role in ("referrer", "referee"):
        rows[f"{role}_first"] = pd.to_datetime(rows[f"{role}_first"])
        rows[f"is_{role}_known"] = customers is None or rows[f"{role}_first"].notna()
    for name in OPTIONAL:
        rows[name] = rows[name].astype("float64") if name in rows else np.nan
    return rows


def _judged(
    rows: pd.DataFrame, start: datetime.date | None, end: datetime.date | None, window_days: int
) -> pd.Categorical:
    """Name the first reason for which each referral by itself cannot be credited, "" where there is none."""
    waited = (rows.referee_first - rows.date).dt.days
    faults = {f"dated before {start}": rows.date < pd.Timestamp(start)} if start else {}
    faults |= {f"dated after {end}": rows.date > pd.Timestamp(end)} if end else {}
    faults |= {
        "referrer and referee are the same": rows.referrer_id == rows.referee_id,
        _NO_REFEREE: ~rows.is_referee_known,
        "the referrer has made no purchase": ~rows.is_referrer_known,
        "dated before the referrer's first purchase": rows.date < rows.referrer_first,
        "the referee was a customer already": waited < 0,
        _too_late(window_days): waited > window_days,
    }
    reasons = [*faults, _REPEATED, _LATER, _CLOSES, _CREDITED]
    return pd.Categorical(np.select(list(faults.values()), list(faults), default=_CREDITED), categories=reasons)


def _too_late(window_days: int) -> str:
    return f"the referee's first purchase came more than {window_days:,} days later"


def _is_observed(rows: pd.DataFrame, start: datetime.date | None, end: datetime.date | None) -> pd.Series:
    is_observed = rows.date.notna()
    if start:
        is_observed &= rows.date >= pd.Timestamp(start)
    if end:
        is_observed &= rows.date <= pd.Timestamp(end)
    return is_observed


def _mark_repeats(rows: pd.DataFrame, several_referrers: str) -> None:
    """Leave each pair its first referral and, where only the first referrer counts, each referee."""
    keys = {_REPEATED: ["referrer_id", "referee_id"]}
    if several_referrers == "first":
        keys[_LATER] = ["referee_id"]
    for reason, key in keys.items():
        good = rows[rows.fault == _CREDITED]
        rows.loc[good.index[good.duplicated(key)], "fault"] = reason


def _mark_loops(rows: pd.DataFrame) -> None:
    """Leave out the latest referral of each loop and, of loops that share referrals, all that lead back."""
    good = rows[rows.fault == _CREDITED]
    component = loops(good.referrer_id, good.referee_id)
    good = good[component >= 0].assign(component=component[component >= 0])
    # In a single loop everybody is brought once.
    by_component = good.groupby("component").referee_id
    is_single = by_component.transform("nunique") == by_component.transform("size")
    is_latest = ~good.duplicated("component", keep="last")
    place, _ = pd.factorize(good[["referrer_id", "referee_id"]].to_numpy().ravel())
    leads_back = place[0::2] > place[1::2]
    rows.loc[good.index[np.where(is_single, is_latest, leads_back)], "fault"] = _CLOSES


def _credited(good: pd.DataFrame) -> pd.DataFrame:
    types = {name: "float64" for name in OPTIONAL} | {"date": "datetime64[ns]"}
    referee, _ = pd.factorize(good.referee_id)
    weight = 1 / np.bincount(referee)[referee]
    return good.assign(weight=weight)[list(COLUMNS)].astype(types).reset_index(drop=True)


def _uncredited(rows: pd.DataFrame, is_observed: pd.Series, is_too_late: pd.Series) -> pd.DataFrame:
    is_paid = rows.incentive_cost.notna() | is_too_late | rows.fault.isin(_CREDITED_OTHERWISE)
    return _paid(rows[is_observed & is_paid & (rows.fault != _CREDITED)])


def _paid(rows: pd.DataFrame) -> pd.DataFrame:
    types = {"date": "datetime64[ns]", "incentive_cost": "float64"}
    return rows[list(types)].astype(types).reset_index(drop=True)


def _steps(rows: pd.DataFrame) -> list[tuple[str, int, float, str]]:
    """Account for the way from usable rows to referrals that are credited, in the order of the rules."""
    totals = rows.groupby("fault", observed=True).incentive_cost.agg(rows="size", amount="sum")
    if rows.incentive_cost.isna().all():
        totals["amount"] = np.nan
    steps = [("excluded", -line.rows, -line.amount, line.Index) for line in totals.itertuples()]
    credited = [("referrals", -rows, -amount, reason) for _, rows, amount, reason in steps if reason == _CREDITED]
    none = ("referrals", 0, 0.0, _CREDITED)
    return [*(step for step in steps if step[3] != _CREDITED), *(credited or [none])]


# --- what a report must say of them ---------------------------------------------------------------------


def _window_notes(
    name: str, rows: pd.DataFrame, start: datetime.date | None, end: datetime.date | None, window_days: int
) -> list[str]:
    first = pd.Timestamp(start) if start else rows.date.min()
    last = pd.Timestamp(end) if end else max(rows.date.max(), rows.referee_first.max())
    days = (last - first).days  # negative where no referral lies in the observation
    window = f"attribution window of {window_days:,} days"
    notes = []
    if window_days > days >= 0:
        notes.append(
            f"The {window} is longer than the {days:,} days that the data span: no referral of {name} is old enough "
            "for its referee to have come too late."
        )
    # days, not dates: a window may reach beyond the last date there is
    open_still = int(((rows.fault == _NO_REFEREE) & ((last - rows.date).dt.days < window_days)).sum())
    if open_still:
        notes.append(
            f"Referrals of {name} whose referee has made no purchase and may still do so, within the {window}: "
            f"{open_still:,}."
        )
    return notes


def _loop_notes(name: str, rows: pd.DataFrame, is_in_loop: np.ndarray) -> list[str]:
    """Report the loops as the file has them; most are undone by the dates before one has to be broken."""
    inside = rows.fault[is_in_loop >= 0]
    if inside.empty:
        return []
    closing, credited = int((inside == _CLOSES).sum()), int((inside == _CREDITED).sum())
    return [
        f"Loops in {name} (groups of customers each of whom was brought, directly or through others, by one they "
        f"brought): {len(np.unique(is_in_loop[is_in_loop >= 0])):,}, with {len(inside):,} referrals. They are not "
        f"followed: left out because they close a loop: {closing:,}; for another reason: "
        f"{len(inside) - closing - credited:,}; credited: {credited:,}."
    ]


def _several_notes(name: str, rows: pd.DataFrame, several_referrers: str) -> list[str]:
    good = rows[rows.fault.isin([_CREDITED, _LATER])]
    several = good.referee_id[good.duplicated("referee_id")].nunique()
    rule = "The earliest referral counts" if several_referrers == "first" else "They are credited in equal shares"
    return [f"Referees of {name} with several referrers: {several:,}. {rule}."] if several else []


def _gap_notes(name: str, good: pd.DataFrame) -> list[str]:
    gaps = good[list(OPTIONAL)].isna().sum()
    return [
        f"Referrals of {name} that do not say {_STATED[column]}: {count:,} of {len(good):,}."
        for column, count in gaps.items()
        if 0 < count < len(good)
    ]
