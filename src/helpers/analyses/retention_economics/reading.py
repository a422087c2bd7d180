"""Every file of retention economics read and checked, and what customers bought in the last year and by tenure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import ibis
import numpy as np
import pandas as pd

from helpers.data import customer_summary, exits, market_spend, marketing_touches, renewals, transactions
from helpers.data.cleaning import day
from helpers.data.engines import engine_errors_refused, first_day
from helpers.data.refusal import InputRefused, Problem

from ..known_customers import by_place, known_customers, with_places
from ..lifetime_value import Settings as LifetimeSettings
from ..lifetime_value import valuation
from ..lifetime_value.expectation import Expectation, expect
from ..lifetime_value.settings import Periods
from ..progress import progress
from ..several_files import one_way_to_write, refuse_a_mixture
from .departures import Departures, from_exits
from .settings import Settings

FILES = ("transactions", "exits", "contracts", "market_spend", "marketing_touches")
MONTHS = 12  # of the last year


@dataclass(frozen=True, eq=False)
class Files:
    """What was read; the loaders return empty tables where no file was given.

    Parameters
    ----------
    purchases : helpers.data.transactions.Purchases
    exits : helpers.data.exits.Exits
    renewals : helpers.data.renewals.Renewals
    spend : helpers.data.market_spend.MarketSpend
    touches : helpers.data.marketing_touches.MarketingCosts
    """

    purchases: transactions.Purchases
    exits: exits.Exits
    renewals: renewals.Renewals
    spend: market_spend.MarketSpend
    touches: marketing_touches.MarketingCosts

    @property
    def all(self) -> dict[str, Any]:
        """Return what was read, by the names of the tables, those not given left out."""
        found = dict(zip(FILES, vars(self).values(), strict=True))
        return {name: one for name, one in found.items() if one.inputs}


@dataclass(frozen=True, eq=False)
class LastYear:
    """The last twelve months, in money.

    Parameters
    ----------
    years : float
        How long they are: less than 1 where purchases are known of less than a year.
    margins : ndarray, shape (customers,)
        Of each customer known, without the day of the first purchase: that belongs to winning them.
    first_margins : ndarray, shape (customers won,)
        Of the day of the first purchase, of those who made it in them.
    buyers, stayed : int
        Customers who bought in them, and those of these of whom no exit is recorded.
    touches : float
        What was spent on addressing customers.
    """

    years: float
    margins: np.ndarray
    first_margins: np.ndarray
    buyers: int
    stayed: int
    touches: float


@dataclass(frozen=True, eq=False)
class Reading:
    """Everything that the measurement starts from.

    Parameters
    ----------
    files : Files
    observation_end : date
    margin_rate : float
        Margin as a share of the amount: what the purchases say, else what is set.
    expectation : Expectation
    last_year : LastYear
    departures : Departures
        By exits.
    revenue, customers_there : pandas.DataFrame
        By whole month and tenure group, the newest first: what was bought, and customers of that tenure mid-month.
    missing_periods : int
        Of market spend, between the first and the last.
    """

    files: Files
    observation_end: date
    margin_rate: float
    expectation: Expectation
    last_year: LastYear
    departures: Departures
    revenue: pd.DataFrame
    customers_there: pd.DataFrame
    missing_periods: int


def read(settings: Settings) -> Reading:
    """Read every file, fit the purchase model, and add up.

    Raises
    ------
    helpers.data.refusal.InputRefused
        When an input or a setting cannot be used; the message names everything that is wrong.
    """
    refuse_a_mixture(settings, FILES)
    engine_errors = engine_errors_refused(settings.transactions)
    with progress("retention economics", 4) as bar, one_way_to_write(settings, FILES), engine_errors:
        purchases = transactions.load(
            settings.transactions,
            columns=settings.columns,
            engine=settings.engine,
            memory_limit=settings.memory_limit,
            **_rules(settings),
        )
        end = _end(settings, purchases)
        bar.update()
        expectation = _expect(settings, purchases, end)
        bar.update()
        known = known_customers(purchases.table, end, expectation.customers["customer_id"])
        files = _others(settings, purchases, known, end)
        bar.update()
        rate = _margin_rate(settings, purchases, end)
        revenue = _revenue(purchases, known, end, settings.tenure_days)
        tenure = expectation.customers["T"].to_numpy(float) * customer_summary.DAYS_PER_UNIT[settings.time_unit]
        there = _customers_there(tenure, end, revenue.index, settings.tenure_days)
        left = by_place(with_places(files.exits.table.select("customer_id", "date"), known), len(tenure))["date"]
        last_year = _last_year(files, known, left, rate, end)
        departures = _departures(settings, files, known, left, expectation)
        bar.update()
    return Reading(files, end, rate, expectation, last_year, departures, revenue, there, _missing(files.spend))


def _rules(settings: Settings) -> dict[str, str]:
    return {name: getattr(settings, name) for name in ("bad_rows", "date_format", "decimal")}


def _end(settings: Settings, purchases: transactions.Purchases) -> date:
    end = day(settings.observation_end, "observation_end") if settings.observation_end else purchases.last_date
    if end < purchases.first_date:
        span = f"the purchases run from {purchases.first_date} to {purchases.last_date}"
        problem = Problem(f"observation_end ({end}) lies before the first purchase; {span}")
        raise InputRefused("these parameters", [problem], 'Leave a date "" to have it chosen from the data.')
    return end


def _others(settings: Settings, purchases: transactions.Purchases, known: ibis.Table, end: date) -> Files:
    rules = _rules(settings) | {"observation_end": end, "connection": purchases.table.get_backend()}
    return Files(
        purchases=purchases,
        exits=exits.load(
            settings.exits, columns=settings.exits_columns, causes=settings.causes, customers=known, **rules
        ),
        # whoever has a contract counts, bought or not: renewals are a matter of contracts alone
        renewals=renewals.load(settings.contracts, columns=settings.contracts_columns, **rules),
        spend=market_spend.load(
            settings.market_spend,
            columns=settings.market_spend_columns,
            periods_per_year=settings.periods_per_year,
            **rules | {"date_format": settings.period_format},
        ),
        touches=marketing_touches.load(
            settings.marketing_touches,
            columns=settings.marketing_touches_columns,
            customers=known,
            **rules,
        ),
    )


def _expect(settings: Settings, purchases: transactions.Purchases, end: date) -> Expectation:
    return expect(
        purchases.native,
        end,
        model=settings.model,
        time_unit=settings.time_unit,
        merge_period="D",
        horizon_weeks=settings.horizon_weeks,
        annual_discount_rate=settings.annual_discount_rate,
        draws=settings.draws,
        seed=settings.seed,
    )


def _margin_rate(settings: Settings, purchases: transactions.Purchases, end: date) -> float:
    periods = Periods(purchases.first_date, end, end)
    return valuation.margin_rate_of(purchases, periods, LifetimeSettings(margin_rate=settings.margin_rate))


def _last_year(files: Files, known: ibis.Table, left: pd.Series, margin_rate: float, end: date) -> LastYear:
    start, customers = customer_summary.months_before(end, MONTHS), len(left)
    bought = by_place(known.drop("customer_id"), customers)
    buys = bought["last_date"] > pd.Timestamp(start)
    # rows that never were a purchase, such as a refund alone, make no customer
    rows = files.purchases.realised.join(known.select("customer_id", "first_date"), "customer_id")
    is_first = rows.date.cast("date") == rows.first_date.cast("date")

    def margins(of_rows: ibis.Table) -> pd.Series:
        found = customer_summary.realised_value(of_rows.drop("first_date"), margin_rate, end, MONTHS)
        found = with_places(found.select("customer_id", "current_margin"), known)
        return by_place(found, customers)["current_margin"].fillna(0.0)

    won = bought["first_date"] > pd.Timestamp(start)
    touches = files.touches.table.current_marketing_cost.sum().to_pandas()
    years = min(((end - files.purchases.first_date).days + 1) / customer_summary.DAYS_PER_YEAR, 1.0)
    spent = 0.0 if touches is None or touches != touches else float(touches)
    return LastYear(
        years=years,
        margins=margins(rows.filter(~is_first)).to_numpy(float),
        first_margins=margins(rows.filter(is_first))[won].to_numpy(float),
        buyers=int(buys.sum()),
        stayed=int((buys & left.isna()).sum()),
        touches=spent,
    )


def _departures(
    settings: Settings, files: Files, known: ibis.Table, left: pd.Series, expectation: Expectation
) -> Departures:
    bought = by_place(known.select("place", "first_date"), len(left))["first_date"]
    dates = (each.to_numpy("datetime64[ns]") for each in (bought, left))
    return from_exits(*dates, expectation.probability_alive, bool(files.exits.inputs), expectation.end, settings)


def _missing(spend: market_spend.MarketSpend) -> int:
    names = list(spend.frame["period"].unique())
    return market_spend.read_periods(names).missing if names else 0


def _revenue(purchases: transactions.Purchases, known: ibis.Table, end: date, tenure_days: list[int]) -> pd.DataFrame:
    """Return what was bought by whole month and tenure group."""
    rows = purchases.realised.filter(purchases.realised.date <= end)
    rows = rows.join(known.select("customer_id", "first_date"), "customer_id")
    tenure = rows.date.cast("date").delta(rows.first_date.cast("date"), unit="day")
    group = ibis.cases(*((tenure < limit, place) for place, limit in enumerate(tenure_days)), else_=len(tenure_days))
    month = first_day(rows.date, "M").cast("timestamp")
    sums = rows.group_by(month=month, group=group).agg(amount=rows.amount.sum()).to_pandas()
    sums["month"] = pd.PeriodIndex(sums["month"], freq="M").astype(str)
    wide = sums.pivot(index="month", columns="group", values="amount").astype(float)
    months = _whole_months(purchases.first_date, end)
    return wide.reindex(index=months, columns=range(len(tenure_days) + 1)).fillna(0.0)


def _whole_months(first: date, end: date) -> list[str]:
    months = pd.period_range(first, end, freq="M")
    return [str(month) for month in months if month.start_time.date() >= first and month.end_time.date() <= end]


def _customers_there(tenure: np.ndarray, end: date, months: pd.Index, tenure_days: list[int]) -> pd.DataFrame:
    """Return how many customers were of each tenure in the middle of each month, gone or not."""
    counts = {}
    for month in months:
        middle = pd.Period(month).start_time.date() + timedelta(days=14)
        then = tenure - (end - middle).days
        group = np.searchsorted(tenure_days, then[then >= 0], side="right")
        counts[month] = np.bincount(group, minlength=len(tenure_days) + 1)
    return pd.DataFrame.from_dict(counts, orient="index", columns=range(len(tenure_days) + 1)).rename_axis("month")
