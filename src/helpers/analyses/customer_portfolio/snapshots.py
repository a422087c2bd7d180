"""The customers of two dates: what they had brought and cost by then, and what was expected of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import ibis
import numpy as np
import pandas as pd

from helpers.data.customer_summary import months_before
from helpers.models.lifetime_value import value as money

from ..known_customers import with_places
from ..lifetime_value.expectation import Expectation
from ..progress import each

MONTHS = 12  # of current value
MOST_RECORDED = 0.98  # share of departures: no register of exits is complete
SHRINKAGE_YEARS = 1.0  # of the average cost to serve, that count with each customer's own


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The customers known on a date; arrays of shape (customers,) in money, in order of customer_id.

    Parameters
    ----------
    date : date
    expectation : Expectation
        What was expected of them on that date.
    place : ndarray of int
        Where each stands among the customers of the later date.
    ended : ndarray of bool
        Whether an exit was recorded by then.
    watched : ndarray
        Days from the first purchase to the exit, or to the date.
    exits_recorded : float
        Share of departures that is recorded; -1 to estimate it.
    sums : pandas.DataFrame
        sales, margin, current_sales, current_margin (of the last 12 months), recent, before (sales of the last
        `trend_days` and of as many before), marketing, current_marketing, service, current_service.
    margin_rate : float
        Margin of the last 12 months as a share of sales, which turns what is expected to be spent into margin.
    annual_discount_rate, horizon_weeks : float
        Of what lies ahead.
    """

    date: date
    expectation: Expectation
    place: np.ndarray
    ended: np.ndarray
    watched: np.ndarray
    exits_recorded: float
    sums: pd.DataFrame
    margin_rate: float
    annual_discount_rate: float
    horizon_weeks: float

    def __len__(self) -> int:
        return len(self.sums)

    def sum_of(self, name: str) -> np.ndarray:
        """Return a column of the sums."""
        return self.sums[name].to_numpy(float)

    @cached_property
    def tenure(self) -> np.ndarray:
        """Return the days since the first purchase."""
        return self.expectation.history[2] * self.days_per_unit

    @property
    def days_per_unit(self) -> float:
        """Return the days of the time unit of the models."""
        return money.DAYS_PER_UNIT[self.expectation.time_unit]

    @cached_property
    def current_value(self) -> np.ndarray:
        """Return the margin of the last 12 months less what the customer cost in them."""
        return self.sum_of("current_margin") - self.sum_of("current_marketing") - self.sum_of("current_service")

    @cached_property
    def exits_per_departure(self) -> float:
        """Return the exits recorded over the departures that the model expects, of those whom it lets depart."""
        alive = self.expectation.probability_alive
        departed = float((1 - alive).sum())
        return float((self.ended & (alive < 1)).sum()) / departed if departed > 0 else 0.0

    @property
    def recorded_share(self) -> float:
        """Return the share of departures that is taken to be recorded."""
        if not self.ended.any():
            return 0.0
        return min(self.exits_per_departure, MOST_RECORDED) if self.exits_recorded == -1 else self.exits_recorded

    @cached_property
    def probability_alive(self) -> np.ndarray:
        """Return the probability of still being a customer, exits considered; nan without a model.

        Whose exit is recorded is a customer no more. Of the others, with the model's probability p and the share c of
        departures that are recorded, it is p / (p + (1 - p)(1 - c)), by Bayes' rule: that nothing is recorded speaks
        for being there.
        """
        alive = self.expectation.probability_alive
        return np.where(self.ended & ~np.isnan(alive), 0.0, unrecorded(alive, self.recorded_share))

    @cached_property
    def known_of_exits(self) -> np.ndarray:
        """Return by how much what is expected changes for what is known of exits."""
        before = self.expectation.probability_alive
        ratio = np.divide(self.probability_alive, before, out=np.zeros(len(before)), where=before > 0)
        return np.where(np.isnan(before), 1.0, ratio)

    @cached_property
    def future_value(self) -> np.ndarray:
        """Return the margin expected within the horizon, discounted; nothing of those whose exit is recorded."""
        return self.margin_rate * self.known_of_exits * self.expectation.future_spend

    def future_draws(self) -> Iterator[np.ndarray]:
        """Yield draws of it."""
        factor = self.margin_rate * self.known_of_exits
        return each("draws of value", (factor * draw for draw in self.expectation.draws), len(self.expectation.draws))

    def future_sums(self, group, groups: int, weight=1.0) -> np.ndarray:
        """Return the sum over the customers of each group in each draw, of shape (draws, groups)."""
        factor = weight * self.margin_rate * self.known_of_exits
        sums = [np.bincount(group, factor * draw, minlength=groups) for draw in self.expectation.draws]
        return np.array(sums).reshape(-1, groups)

    @cached_property
    def future_totals(self) -> np.ndarray:
        """Return the sum over all customers in each draw."""
        factor = self.margin_rate * self.known_of_exits
        return np.array([factor @ draw for draw in self.expectation.draws])

    @cached_property
    def value_if_alive(self) -> np.ndarray:
        """Return the margin expected of whoever is still a customer: what it was before the exit for those who left."""
        alive = self.expectation.probability_alive
        expected = self.margin_rate * self.expectation.future_spend
        return np.divide(expected, alive, out=np.zeros(len(alive)), where=alive > 0)

    @property
    def has_draws(self) -> bool:
        """Tell whether what is expected has draws, and so intervals."""
        return len(self.expectation.draws) > 0

    @cached_property
    def cost(self) -> np.ndarray:
        """Return what addressing and serving the customer has cost so far."""
        return self.sum_of("marketing") + self.sum_of("service")

    @cached_property
    def future_cost(self) -> np.ndarray:
        """Return what the customer is expected to cost within the horizon, discounted.

        So much a year as so far, drawn towards the average: one year of the average counts with each customer's own
        years. It goes on for as long as the customer is expected to stay.
        """
        years = self.watched / money.DAYS_PER_YEAR
        average = self.cost.sum() / max(float(years.sum()), SHRINKAGE_YEARS)
        yearly = (self.cost + SHRINKAGE_YEARS * average) / (years + SHRINKAGE_YEARS)
        ahead = money.discounted_cost(1.0, self.horizon_weeks, self.annual_discount_rate)
        return yearly * float(ahead) * self.expectation.staying * np.nan_to_num(self.probability_alive, nan=1.0)

    @cached_property
    def cost_to_serve(self) -> np.ndarray:
        """Return what the customer has cost and is expected to cost."""
        return self.cost + self.future_cost

    @cached_property
    def actual_value(self) -> np.ndarray:
        """Return the margin brought so far and expected, before what the customer costs."""
        return self.sum_of("margin") + self.future_value

    @cached_property
    def value(self) -> np.ndarray:
        """Return lifetime value: margin so far and expected, less what the customer has cost and will cost."""
        return self.actual_value - self.cost_to_serve

    def value_draws(self) -> Iterator[np.ndarray]:
        """Yield draws of it."""
        past = self.sum_of("margin") - self.cost_to_serve
        return (past + future for future in self.future_draws())


def unrecorded(alive: np.ndarray, recorded_share: float) -> np.ndarray:
    """Return the probability of still being a customer of those of whom no exit is recorded."""
    gone = (1 - alive) * (1 - recorded_share)
    return np.divide(alive, alive + gone, out=np.array(alive, float), where=alive > 0)


def added_up(
    realised: ibis.Table, known: ibis.Table, dates: dict[str, date], margin_rate, trend_days: int
) -> pd.DataFrame:
    """Add up what each customer brought, as of each date.

    Parameters
    ----------
    realised : ibis Table
        `helpers.data.transactions.Purchases.realised`.
    known : ibis Table
        customer_id and place of each customer.
    dates : dict of str to date
        "now" and "then".
    margin_rate : float
        For rows that state no margin.
    trend_days : int
        Length of the windows that a trend is told from.

    Returns
    -------
    pandas.DataFrame
        By place, for each date the sums of purchases in `Snapshot.sums` with its name before. Rows that never were a
        purchase, such as a refund alone, make no customer.
    """
    rows = realised.filter(realised.date <= dates["now"])
    rows = rows.mutate(margin=ibis.coalesce(rows.margin, margin_rate * rows.amount))
    # numbers are grouped faster than text, and nothing but numbers has to be fetched
    rows = with_places(rows, known)
    sums = {}
    for name, end in dates.items():
        seen = rows.date <= end
        current = seen & (rows.date > months_before(end, MONTHS))
        recent = seen & (rows.date > end - pd.Timedelta(days=trend_days))
        before = seen & ~recent & (rows.date > end - pd.Timedelta(days=2 * trend_days))
        sums |= {
            f"{name}_sales": rows.amount.sum(where=seen),
            f"{name}_margin": rows.margin.sum(where=seen),
            f"{name}_current_sales": rows.amount.sum(where=current),
            f"{name}_current_margin": rows.margin.sum(where=current),
            f"{name}_recent": rows.amount.sum(where=recent),
            f"{name}_before": rows.amount.sum(where=before),
        }
    return rows.group_by("place").agg(**sums).to_pandas().set_index("place").sort_index().fillna(0.0)


COST_NAMES = {
    "marketing_cost": "now_marketing",
    "current_marketing_cost": "now_current_marketing",
    "earlier_marketing_cost": "then_marketing",
    "earlier_current_marketing_cost": "then_current_marketing",
    "service_cost": "now_service",
    "current_service_cost": "now_current_service",
    "earlier_service_cost": "then_service",
    "earlier_current_service_cost": "then_current_service",
}


def snapshot(
    name: str,
    expectation: Expectation,
    sums: pd.DataFrame,
    first_date: np.ndarray,
    exit_date: np.ndarray,
    exits_recorded: float,
    fallback: float,
    annual_discount_rate: float,
    horizon_weeks: float,
) -> Snapshot:
    """Return the customers known on a date.

    Parameters
    ----------
    name : str
        "now" or "then": which sums are meant.
    expectation : Expectation
    sums : pandas.DataFrame
        Of the later date's customers, in order: the columns of `Snapshot.sums` with the name of each date before.
    first_date, exit_date : ndarray of datetime64
        Of the same customers; NaT of those who did not leave.
    exits_recorded : float
        Share of departures that is recorded; -1 to estimate it.
    fallback : float
        The margin rate where nothing was sold in the last 12 months.
    annual_discount_rate, horizon_weeks : float
    """
    end = np.datetime64(expectation.end, "ns")
    place = np.flatnonzero(first_date <= end)
    prefix = f"{name}_"
    own = sums.filter(like=prefix).iloc[place].reset_index(drop=True)
    own.columns = [column.removeprefix(prefix) for column in own.columns]
    sold = own["current_sales"].sum()
    rate = float(own["current_margin"].sum() / sold) if sold > 0 else fallback
    left, first = exit_date[place], first_date[place]
    ended = left <= end
    return Snapshot(
        date=expectation.end,
        expectation=expectation,
        place=place,
        ended=ended,
        watched=(np.where(ended, left, end) - first) / np.timedelta64(1, "D"),
        exits_recorded=float(exits_recorded),
        sums=own,
        margin_rate=rate,
        annual_discount_rate=float(annual_discount_rate),
        horizon_weeks=float(horizon_weeks),
    )
