"""What every customer bought, cost, and is expected to bring: lifetime value, one number for each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from helpers.data import customer_summary
from helpers.models.lifetime_value import value as money

from ..lifetime_value import Settings as LifetimeSettings
from ..lifetime_value import valuation
from ..lifetime_value.expectation import expect
from ..progress import each
from .settings import Settings


@dataclass(frozen=True, eq=False)
class Customers:
    """What customers bought, cost and are expected to bring; arrays of shape (customers,) in money.

    Parameters
    ----------
    customer_id : ndarray of str
    first_date : ndarray of datetime64
        The day of the first purchase.
    margin, marketing : ndarray
        Realised margin, and what was spent on the customer; past money as `past_rate` says.
    future_margin, future_marketing : ndarray
        Expected within the horizon, discounted; nan where no model could be fitted.
    future_spend_draws : ndarray of float32, shape (draws, customers)
        Draws of the discounted expected spend; empty where there are none.
    margin_rate : float
        That turns spend into margin.
    problems : tuple of str
        What is wrong with the models, in words.
    """

    customer_id: np.ndarray
    first_date: np.ndarray
    margin: np.ndarray
    marketing: np.ndarray
    future_margin: np.ndarray
    future_marketing: np.ndarray
    future_spend_draws: np.ndarray
    margin_rate: float
    problems: tuple[str, ...]

    @cached_property
    def all_margin(self) -> np.ndarray:
        """Return realised and expected margin."""
        return self.margin + self.future_margin

    @cached_property
    def all_marketing(self) -> np.ndarray:
        """Return what was and is to be spent on the customer."""
        return self.marketing + self.future_marketing

    @cached_property
    def lifetime_value(self) -> np.ndarray:
        """Return margin less marketing expense."""
        return self.all_margin - self.all_marketing

    def margin_draws(self) -> Iterator[np.ndarray]:
        """Yield realised and expected margin in each draw."""
        draws = len(self.future_spend_draws)
        return each("draws of value", map(self.margin_in, range(draws)), draws)

    def margin_in(self, draw: int) -> np.ndarray:
        """Return realised and expected margin in a draw."""
        return self.margin + self.margin_rate * self.future_spend_draws[draw].astype(float)


def value_customers(purchases, touches, periods, lifetime: LifetimeSettings, settings: Settings) -> Customers:
    """Fit the models on everything observed, and value each customer with draws."""
    end = periods.observation_end
    margin_rate = valuation.margin_rate_of(purchases, periods, lifetime)
    expected = expect(
        purchases.native,
        end,
        model=settings.model,
        time_unit=settings.time_unit,
        merge_period=lifetime.merge_period,
        horizon_weeks=settings.horizon_weeks,
        annual_discount_rate=settings.annual_discount_rate,
        draws=settings.draws,
        seed=settings.seed,
    )
    realised = customer_summary.realised_value(purchases.realised, margin_rate, end, past_rate=settings.past_rate)
    costs = realised.left_join(touches.table, "customer_id")
    past = costs.select(
        "customer_id",
        # as dates they would be fetched as objects, one by one
        first_date=costs.first_date.cast("timestamp"),
        margin=costs.historical_margin,
        marketing=costs.marketing_cost.coalesce(0.0),
    ).to_pandas()
    frame = expected.customers.join(past.set_index("customer_id", verify_integrity=True), on="customer_id")
    planned = money.discounted_cost(
        settings.planned_marketing_cost, settings.horizon_weeks, settings.annual_discount_rate
    )
    return Customers(
        customer_id=frame["customer_id"].to_numpy(),
        first_date=frame["first_date"].to_numpy("datetime64[ns]"),
        margin=frame["margin"].to_numpy(float),
        marketing=frame["marketing"].to_numpy(float),
        future_margin=margin_rate * expected.future_spend,
        future_marketing=np.full(len(frame), float(planned)),
        future_spend_draws=expected.draws,
        margin_rate=margin_rate,
        problems=expected.problems,
    )
