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
from helpers.data.refusal import InputRefused, Problem

from ..lifetime_value.expectation import Expectation, expect
from ..progress import progress
from ..several_files import one_way_to_write, refuse_a_mixture
from .settings import Settings
from .snapshots import Snapshot, added_up, snapshot

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
    with progress("customer portfolio", 4) as bar, one_way_to_write(settings, FILES):
        purchases = _purchases(settings)
        dates = _dates(settings, purchases)
        bar.update()
        expected = {name: _expect(settings, purchases, name, end) for name, end in dates.items()}
        bar.update()
        known = _known(purchases, dates["now"])
        files = _others(settings, purchases, known, dates)
        bar.update()
        portfolio = _joined(settings, files, expected, dates)
        bar.update()
    return portfolio


def _purchases(settings: Settings) -> transactions.Purchases:
    return transactions.load(
        settings.transactions, columns=settings.columns, engine=settings.engine, **_rules(settings)
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
    elif settings.earlier_date and then < purchases.first_date:
        problems.append(Problem(f"earlier_date ({then}) lies before the first purchase: nobody was a customer; {span}"))
    if problems:
        raise InputRefused("these parameters", problems, 'Leave a date "" to have it chosen from the data.')
    return {"then": then, "now": now}


def _expect(settings: Settings, purchases: transactions.Purchases, name: str, end: date) -> Expectation:
    return expect(
        purchases.table,
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


def _known(purchases: transactions.Purchases, end: date) -> ibis.Table:
    """Return who is a customer, with the first and the last purchase."""
    bought = purchases.table.filter(purchases.table.date <= end)
    known = bought.group_by("customer_id").agg(first_date=bought.date.min(), last_date=bought.date.max())
    return purchases.table.get_backend().create_table(ibis.util.gen_name("known"), known, temp=True)


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


def _joined(settings: Settings, files: Files, expected: dict[str, Expectation], dates: dict[str, date]) -> Portfolio:
    sums = added_up(
        files.purchases.realised,
        files.touches.table,
        files.contacts.table,
        dates,
        settings.margin_rate,
        settings.trend_days,
    )
    # rows that never were a purchase, such as a refund alone, make no customer
    ids = pd.Index(expected["now"].customers["customer_id"])
    sums = sums.set_index("customer_id").loc[ids].reset_index()
    counts = sums.reindex(columns=["contacts", "feedback"]).astype(float).fillna(0.0)
    left = _by_customer(files.exits, ids, {"date": None, "cause": ""})
    owed = _by_customer(files.receivables, ids, {"due": np.nan, "overdue": np.nan})
    shots = {
        name: snapshot(
            name,
            expectation,
            sums,
            left["date"].to_numpy("datetime64[ns]"),
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
        customer_id=ids.to_numpy(),
        first_date=sums["first_date"].to_numpy("datetime64[ns]"),
        last_date=sums["last_date"].to_numpy("datetime64[ns]"),
        segment=_segments(files.purchases, ids),
        contacts=counts["contacts"].to_numpy(),
        feedback=counts["feedback"].to_numpy(),
        exit_date=left["date"].to_numpy("datetime64[ns]"),
        exit_cause=left["cause"].to_numpy(object),
        due=owed["due"].to_numpy(float),
        overdue=owed["overdue"].to_numpy(float),
        **shots,
    )


def _by_customer(found: Any, ids: pd.Index, missing: dict[str, Any]) -> pd.DataFrame:
    """Return one row for each customer of a table that has some of them."""
    table = found.table
    # as dates they would be fetched as objects, one by one
    casts = {name: table[name].cast("timestamp") for name in ("date",) if name in table.columns}
    frame = table.mutate(**casts).select("customer_id", *missing).to_pandas().set_index("customer_id").reindex(ids)
    words = [name for name, value in missing.items() if value == ""]
    return frame.assign(**{name: frame[name].astype(object).where(frame[name].notna(), "") for name in words})


def _segments(purchases: transactions.Purchases, ids: pd.Index) -> np.ndarray:
    if purchases.segments is None:
        return np.full(len(ids), "all", object)
    named = purchases.segments.select("customer_id", "segment").to_pandas().set_index("customer_id")["segment"]
    return named.reindex(ids).fillna("not stated").to_numpy(object)
