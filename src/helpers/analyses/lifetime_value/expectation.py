"""What the customers known on a day are expected to spend from then on: fit on all that was seen, value, draw."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property

import ibis
import numpy as np
import pandas as pd

from helpers.models.fit import Fit
from helpers.models.lifetime_value import value, value_draws

from . import valuation

COLUMNS_AT_ONCE = 20_000  # customers whose draws are sorted together
TAILS = (0.025, 0.975)


@dataclass(frozen=True, eq=False)
class Expectation:
    """The customers known on a day and what is expected of them.

    Parameters
    ----------
    end : date
        That day.
    ahead : tuple of (float, float, str)
        The horizon in weeks, the annual discount rate, and the time unit of the models: "D", "W" or "M".
    customers : pandas.DataFrame
        customer_id, frequency, recency, T, monetary_value, in order of customer_id.
    purchases, spend : Fit or None
        The models; None where one could not be fitted.
    future_spend : ndarray, shape (customers,)
        Discounted expected spend within the horizon; 0 where there is no model: then nothing is expected.
    draws : ndarray of float32, shape (draws, customers)
        Draws of it; no row where there are none.
    problems : tuple of str
        What is wrong with the models, in words.
    """

    end: date
    ahead: tuple[float, float, str]
    customers: pd.DataFrame
    purchases: Fit | None
    spend: Fit | None
    future_spend: np.ndarray
    draws: np.ndarray
    problems: tuple[str, ...]

    @property
    def history(self) -> list[np.ndarray]:
        """Return frequency, recency and T."""
        return [self.customers[name].to_numpy(float) for name in valuation.HISTORY]

    @cached_property
    def probability_alive(self) -> np.ndarray:
        """Return the probability that each customer is still one; nan without a model."""
        if self.purchases is None:
            return np.full(len(self.customers), np.nan)
        return self.purchases.model.probability_alive(*self.history)

    @property
    def time_unit(self) -> str:
        """Return the time unit of the models."""
        return self.ahead[2]

    @cached_property
    def staying(self) -> np.ndarray:
        """Return the share of the discounted horizon that customers of the day stay; 1 without a model.

        Whoever stays buys at an even rate, so that purchases expected within the horizon, over those of the first week
        at that rate, are the discounted weeks that the customer stays.
        """
        if self.purchases is None:
            return np.ones(len(self.customers))
        weeks, rate, unit = self.ahead
        model, lengths = self.purchases.model, (weeks, 1)
        ahead, first = (value.discounted_purchases(model, *self.history, length, rate, unit) for length in lengths)
        years, one = (float(value.discounted_cost(1.0, length, rate)) for length in lengths)
        even = first * years / one
        return np.divide(ahead, even, out=np.ones(len(even)), where=even > 0).clip(0, 1)


def expect(
    table: ibis.Table,
    end: date,
    *,
    model: str,
    time_unit: str,
    merge_period: str,
    horizon_weeks: float,
    annual_discount_rate: float,
    draws: int,
    seed: int,
) -> Expectation:
    """Fit the models on the purchases to a day, and say what customers will spend after it.

    Parameters
    ----------
    table : ibis Table
        `helpers.data.transactions.Purchases.native` (or `table`), of the same merge period.
    end : date
        The last day that counts.
    model, time_unit, merge_period, horizon_weeks, annual_discount_rate, draws, seed
        As in `Settings`. Of very many customers there are fewer draws, see `affordable_draws`.

    Returns
    -------
    Expectation
    """
    found = valuation.summaries(table, end, time_unit, merge_period, models=[model])
    fit, failure = valuation.fit_purchases(model, found.rows)
    spend, spend_failure = valuation.fit_spend(found.spend_rows)
    horizon = {"horizon_weeks": horizon_weeks, "annual_discount_rate": annual_discount_rate, "time_unit": time_unit}
    held = value_draws.affordable_draws(draws, len(found.customers))
    future, drawn, problem = _future(found.customers, fit, spend, horizon, held, seed)
    failures = [text for text in (failure, spend_failure) if text]
    kept = [sentence for one in (fit, spend) if one is not None for sentence in one.problems]
    problems = tuple(dict.fromkeys([*failures, *kept, *problem]))
    ahead = (horizon_weeks, annual_discount_rate, time_unit)
    return Expectation(end, ahead, found.customers, fit, spend, future, drawn, problems)


def _future(
    customers: pd.DataFrame, fit: Fit | None, spend: Fit | None, horizon: dict, draws: int, seed: int
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return the discounted expected spend of each customer, draws of it, and why there are none.

    Without a model nothing is expected: values are what was realised, and the report says so.
    """
    none = np.empty((0, len(customers)), np.float32)
    if fit is None or spend is None:
        return np.zeros(len(customers)), none, []
    history = [customers[name].to_numpy(float) for name in valuation.HISTORY]
    amounts = customers["monetary_value"].to_numpy(float)
    purchases = value.discounted_purchases(fit.model, *history, *horizon.values())
    expected = spend.model.expected_average_spend(history[0], amounts) * purchases
    try:
        drawn = value_draws.discounted_spend_draws(fit, spend, *history, amounts, **horizon, draws=draws, seed=seed)
    except ValueError as unknown:
        return expected, none, [str(unknown)]
    return expected, drawn, []


def bounds(draws: np.ndarray) -> np.ndarray:
    """Return both ends of the 95 % interval of each customer, without another copy of all draws.

    Parameters
    ----------
    draws : ndarray, shape (draws, customers)

    Returns
    -------
    ndarray, shape (2, customers)
        nan without draws.
    """
    if not len(draws):
        return np.full((2, draws.shape[1]), np.nan)
    parts = [
        np.quantile(draws[:, start : start + COLUMNS_AT_ONCE].astype(float), TAILS, axis=0)
        for start in range(0, draws.shape[1], COLUMNS_AT_ONCE)
    ]
    return np.concatenate(parts, axis=1)
