"""Every file of the portfolio read, checked, and added up for each customer at two dates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import ibis
import numpy as np
import pandas as pd

from helpers.data import (
    exits,
    marketing_touches,
    receivables,
    referrals,
    satisfaction_survey,
    service_contacts,
    transactions,
)
from helpers.data.cleaning import day
from helpers.data.engines import engine_errors_refused
from helpers.data.refusal import InputRefused, Problem

from ..known_customers import by_place, known_customers, with_places
from ..lifetime_value.expectation import Expectation, expect
from ..progress import progress
from ..several_files import one_way_to_write, refuse_a_mixture
from .settings import Settings
from .snapshots import COST_NAMES, Snapshot, added_up, snapshot

FILES = (
    "transactions",
    "marketing_touches",
    "service_contacts",
    "exits",
    "receivables",
    "referrals",
    "satisfaction_survey",
)
YEAR = 365
DECIMALS = 6  # of money added up: what lies beyond is the order of the addition, which would tell equal sums apart


@dataclass(frozen=True, eq=False)
class Files:
    """What was read; None where no file was given.

    Parameters
    ----------
    purchases : helpers.data.transactions.Purchases
    touches, contacts, exits, receivables, referrals, survey
        What the loaders of `helpers.data` return.
    """

    purchases: transactions.Purchases
    touches: marketing_touches.MarketingCosts
    contacts: Any
    exits: Any
    receivables: Any
    referrals: Any
    survey: Any

    @property
    def all(self) -> dict[str, Any]:
        """Return what was read, by the names of the tables, those not given left out."""
        found = dict(zip(FILES, vars(self).values(), strict=True))
        return {name: one for name, one in found.items() if one is not None and one.inputs}


@dataclass(frozen=True, eq=False)
class Portfolio:
    """The customers of two dates with everything that was read of them.

    Parameters
    ----------
    settings : Settings
    files : Files
    customer_id : ndarray of str, shape (customers,)
        In order.
    first_date, last_date : ndarray of datetime64, shape (customers,)
        Of the first and the last purchase.
    segment : ndarray of str, shape (customers,)
        "all" where the purchases name none.
    contacts, feedback : ndarray, shape (customers,)
        Service contacts, and those that told the firm something.
    exit_date : ndarray of datetime64, shape (customers,)
        NaT of those who did not leave.
    exit_cause : ndarray of str, shape (customers,)
        "" likewise.
    due, overdue : ndarray, shape (customers,)
        What fell due, and what of it was not paid; nan of those who never bought on account.
    then, now : Snapshot
        The customers of the earlier and of the later date.
    """

    settings: Settings
    files: Files
    customer_id: np.ndarray
    first_date: np.ndarray
    last_date: np.ndarray
    segment: np.ndarray
    contacts: np.ndarray
    feedback: np.ndarray
    exit_date: np.ndarray
    exit_cause: np.ndarray
    due: np.ndarray
    overdue: np.ndarray
    then: Snapshot
    now: Snapshot


def read(settings: Settings) -> Portfolio:
    """Read every file, fit the models at both dates, and add up.

    Raises
    ------
    helpers.data.refusal.InputRefused
        When an input or a setting cannot be used; the message names everything that is wrong.
    """
    refuse_a_mixture(settings, FILES)
    engine_errors = engine_errors_refused(settings.transactions)
    with progress("customer portfolio", 4) as bar, one_way_to_write(settings, FILES), engine_errors:
        purchases = _purchases(settings)
        dates = _dates(settings, purchases)
        bar.update()
        expected = {name: _expect(settings, purchases, name, end) for name, end in dates.items()}
        bar.update()
        known = known_customers(purchases.table, dates["now"], expected["now"].customers["customer_id"])
        files = _others(settings, purchases, known, dates)
        bar.update()
        portfolio = _joined(settings, files, known, expected, dates)
        bar.update()
    return portfolio


def _purchases(settings: Settings) -> transactions.Purchases:
    return transactions.load(
        settings.transactions,
        columns=settings.columns,
        engine=settings.engine,
        memory_limit=settings.memory_limit,
        **_rules(settings),
    )


def _rules(settings: Settings) -> dict[str, str]:
    return {name: getattr(settings, name) for name in ("bad_rows", "date_format", "decimal")}


def _dates(settings: Settings, purchases: transactions.Purchases) -> dict[str, date]:
    """Return the two dates: the last purchase, and a year before it (or half way where there is less)."""
    now = day(settings.observation_end, "observation_end") if settings.observation_end else purchases.last_date
    if settings.earlier_date:
        then = day(settings.earlier_date, "earlier_date")
    else:
        then = max(now - timedelta(days=YEAR), purchases.first_date + (now - purchases.first_date) / 2)
    span = f"the purchases run from {purchases.first_date} to {purchases.last_date}"
    problems = []
    if now < purchases.first_date:
        problems.append(Problem(f"observation_end ({now}) lies before the first purchase; {span}"))
    elif settings.earlier_date and then >= now:
        problems.append(Problem(f"earlier_date ({then}) must lie before observation_end ({now}); {span}"))
    elif then >= now:
        problems.append(Problem(f"all purchases up to observation_end are of one day ({now}), so no two dates compare"))
    elif settings.earlier_date and then < purchases.first_date:
        problems.append(Problem(f"earlier_date ({then}) lies before the first purchase: nobody was a customer; {span}"))
    if problems:
        way_out = 'Leave a date "" to have it chosen from the data, which must cover more than one day.'
        raise InputRefused("these parameters", problems, way_out)
    return {"then": then, "now": now}


def _expect(settings: Settings, purchases: transactions.Purchases, name: str, end: date) -> Expectation:
    return expect(
        purchases.native,
        end,
        model=settings.model,
        time_unit=settings.time_unit,
        merge_period="D",
        horizon_weeks=settings.horizon_weeks,
        annual_discount_rate=settings.discount_rates[name == "now"],
        draws=settings.draws,
        # draws of the two dates have nothing to do with each other
        seed=settings.seed + (name == "then"),
    )


def _others(settings: Settings, purchases, known: ibis.Table, dates: dict[str, date]) -> Files:
    """Read what belongs to the purchases."""
    connection = purchases.table.get_backend()

    def load(name: str, loader: Callable, **more):
        return loader(
            getattr(settings, name),
            columns=getattr(settings, f"{name}_columns"),
            observation_end=dates["now"],
            customers=known,
            connection=connection,
            **_rules(settings),
            **more,
        )

    return Files(
        purchases=purchases,
        touches=load("marketing_touches", marketing_touches.load, earlier=dates["then"]),
        contacts=load(
            "service_contacts",
            service_contacts.load,
            earlier=dates["then"],
            feedback_kinds=settings.feedback_kinds,
            cost_per_contact=settings.cost_per_contact,
        ),
        exits=load("exits", exits.load, causes=settings.causes),
        receivables=load("receivables", receivables.load),
        referrals=load("referrals", referrals.load) if settings.referrals else None,
        survey=_survey(settings) if settings.satisfaction_survey else None,
    )


def _survey(settings: Settings) -> satisfaction_survey.Survey:
    return satisfaction_survey.load(
        settings.satisfaction_survey,
        settings.satisfaction_model,
        columns=settings.satisfaction_survey_columns,
        bad_rows=settings.bad_rows,
        decimal=settings.decimal,
    )


def _joined(
    settings: Settings,
    files: Files,
    known: ibis.Table,
    expected: dict[str, Expectation],
    dates: dict[str, date],
) -> Portfolio:
    ids = expected["now"].customers["customer_id"].to_numpy()
    sums = added_up(files.purchases.realised, known, dates, settings.margin_rate, settings.trend_days)
    costs = [
        by_place(with_places(found.table, known), len(ids)).fillna(0.0) for found in (files.touches, files.contacts)
    ]
    sums = pd.concat([sums, *costs], axis=1).rename(columns=COST_NAMES).round(DECIMALS)
    # without a file of costs nobody has any
    sums = sums.assign(**{name: 0.0 for name in (*COST_NAMES.values(), "contacts", "feedback") if name not in sums})
    bought = by_place(known.drop("customer_id"), len(ids))
    left = by_place(with_places(files.exits.table, known), len(ids))
    owed = by_place(with_places(files.receivables.table, known), len(ids))
    first_date, exit_date = bought["first_date"].to_numpy("datetime64[ns]"), left["date"].to_numpy("datetime64[ns]")
    shots = {
        name: snapshot(
            name,
            expectation,
            sums,
            first_date,
            exit_date,
            settings.exits_recorded,
            settings.margin_rate,
            settings.discount_rates[name == "now"],
            settings.horizon_weeks,
        )
        for name, expectation in expected.items()
    }
    return Portfolio(
        settings=settings,
        files=files,
        customer_id=ids,
        first_date=first_date,
        last_date=bought["last_date"].to_numpy("datetime64[ns]"),
        segment=_segments(files.purchases, known, len(ids)),
        contacts=sums["contacts"].to_numpy(float),
        feedback=sums["feedback"].to_numpy(float),
        exit_date=exit_date,
        exit_cause=_words(left["cause"], ""),
        due=owed["due"].to_numpy(float),
        overdue=owed["overdue"].to_numpy(float),
        **shots,
    )


def _words(column: pd.Series, missing: str) -> np.ndarray:
    return column.astype(object).where(column.notna(), missing).to_numpy(object)


def _segments(purchases: transactions.Purchases, known: ibis.Table, customers: int) -> np.ndarray:
    if purchases.segments is None:
        return np.full(customers, "all", object)
    named = purchases.segments.select("customer_id", "segment")
    return _words(by_place(with_places(named, known), customers)["segment"], "not stated")
