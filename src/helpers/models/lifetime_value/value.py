"""Money over time: discounting, potential value, its uncertainty, and how concentrated it is.

Everything is counted in calendar weeks and discounted at an annual rate, whatever the unit of time of the
model, so the same customers in days, weeks or months are worth the same money.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat

import numpy as np

from helpers.models.fit import Fit, distinct_rows
from helpers.models.threads import threads

from .purchase_models import PurchaseModel

DAYS_PER_YEAR = 365.25
DAYS_PER_UNIT = {"D": 1.0, "W": 7.0, "M": 30.4375}
ROWS_AT_ONCE = 10_000  # draws x rows are held for so many rows only
CELLS_AT_ONCE = 5_000_000  # or for more, where the draws are few


def discount_factors(days, annual_discount_rate: float) -> np.ndarray:
    """Value today of 1 received after so many days: (1 + d)^(-days / 365.25).

    Raises
    ------
    ValueError
        A rate of -100 % or below.
    """
    if not annual_discount_rate > -1:
        raise ValueError(f"annual_discount_rate must be above -1 (-100 %), not {annual_discount_rate}.")
    return (1 + annual_discount_rate) ** (-np.asarray(days, float) / DAYS_PER_YEAR)


def continuous_rate(annual_discount_rate: float, time_unit: str) -> float:
    """Continuous rate per unit of time that discounts as the annual rate does: log(1 + d) * days / 365.25.

    What a closed form such as `ParetoNBD.discounted_expected_residual_purchases` takes. An annual rate that is passed
    there as it is, though time runs in weeks, makes value about 28 times too small.

    Raises
    ------
    ValueError
        An unknown unit, a rate of -100 % or below.
    """
    if time_unit not in DAYS_PER_UNIT:
        raise ValueError(f"time_unit must be one of {', '.join(DAYS_PER_UNIT)}, not {time_unit!r}.")
    return float(-np.log(discount_factors(DAYS_PER_UNIT[time_unit], annual_discount_rate)))


def _weekly_periods(horizon_weeks: float) -> np.ndarray:
    """Days at which the weekly periods end; the last is shorter when the horizon is fractional."""
    if not (np.isfinite(horizon_weeks) and horizon_weeks >= 0):
        raise ValueError(f"horizon_weeks must be 0 or more, not {horizon_weeks}.")
    return 7 * np.minimum(np.arange(1, np.ceil(horizon_weeks) + 1), horizon_weeks)


def _horizons_and_weights(horizon_weeks, annual_discount_rate, time_unit) -> tuple[np.ndarray, np.ndarray]:
    """Horizons in the model's unit and the weights that turn E[X(horizon)] into the discounted sum.

    Sum over k of (E_k - E_(k-1)) f_k is sum over k of E_k (f_k - f_(k+1)), with f = 0 after the last period.
    """
    if time_unit not in DAYS_PER_UNIT:
        raise ValueError(f"time_unit must be one of {', '.join(DAYS_PER_UNIT)}, not {time_unit!r}.")
    days = _weekly_periods(horizon_weeks)
    factors = discount_factors(days, annual_discount_rate)
    return days / DAYS_PER_UNIT[time_unit], factors - np.append(factors[1:], 0)[: len(factors)]


def discounted_purchases(
    model: PurchaseModel,
    frequency,
    recency,
    T,
    horizon_weeks: float,
    annual_discount_rate: float,
    time_unit: str,
) -> np.ndarray:
    """Discount the expected purchases of each customer within the horizon, from the end of their week.

    Parameters
    ----------
    model : PurchaseModel
    frequency, recency, T : array_like, shape (n,)
        Customers, times in `time_unit`.
    horizon_weeks : float
        Weeks from the end of observation; may be fractional or 0.
    annual_discount_rate : float
        Above -1.
    time_unit : str
        "D", "W" or "M": days, weeks or months of 30.4375 days.

    Returns
    -------
    ndarray, shape (n,)
        Sum over weeks k of (E[X(7k days)] - E[X(7(k-1) days)]) (1 + d)^(-7k / 365.25).

    Raises
    ------
    ValueError
        An unknown unit, a negative horizon, a rate of -1 or below.
    """
    horizons, weights = _horizons_and_weights(horizon_weeks, annual_discount_rate, time_unit)
    frequency, recency, T = (np.asarray(column, float) for column in (frequency, recency, T))
    if not len(horizons):
        return np.zeros(len(frequency))
    return model.weighted_expected_purchases(frequency, recency, T, horizons, weights[:, None])[:, 0]


def discounted_cost(cost_per_year, horizon_weeks: float, annual_discount_rate: float) -> np.ndarray:
    """Value today of a cost spread evenly over the horizon and paid at the end of each week."""
    days = _weekly_periods(horizon_weeks)
    years = np.diff(days, prepend=0) / DAYS_PER_YEAR
    return np.asarray(cost_per_year, float) * (years @ discount_factors(days, annual_discount_rate))


def potential_value(
    margin_rate: float,
    expected_spend,
    discounted_purchases,
    planned_marketing_cost_per_year,
    horizon_weeks: float,
    annual_discount_rate: float,
) -> np.ndarray:
    """Margin on the discounted expected purchases of each customer, less the discounted planned cost."""
    cost = discounted_cost(planned_marketing_cost_per_year, horizon_weeks, annual_discount_rate)
    return margin_rate * np.asarray(expected_spend, float) * discounted_purchases - cost


@dataclass(frozen=True, eq=False)
class ValueIntervals:
    """Intervals of expected_purchases, expected_spend and potential_value.

    Attributes
    ----------
    rows : dict of str to (ndarray, ndarray)
        Low and high of each quantity for each customer.
    totals : dict of str to (float, float)
        Low and high of the sums over customers of expected_purchases and potential_value.
    total_draws : dict of str to ndarray
        The draws behind `totals`.
    problem : str
        Why everything is nan; empty when it is not.
    """

    rows: dict[str, tuple[np.ndarray, np.ndarray]]
    totals: dict[str, tuple[float, float]]
    total_draws: dict[str, np.ndarray]
    problem: str


def value_draws(
    purchase_fit: Fit,
    spend_fit: Fit,
    frequency,
    recency,
    T,
    monetary_value,
    *,
    margin_rate: float,
    planned_marketing_cost_per_year=0.0,
    horizon_weeks: float,
    annual_discount_rate: float,
    time_unit: str,
    draws: int = 400,
    level: float = 0.95,
    seed: int = 0,
) -> ValueIntervals:
    """Intervals that carry the uncertainty of both models' parameters and of each customer's own mean spend.

    Each draw takes parameters from the asymptotic normal of their logs, recomputes each customer's expected
    purchases, and draws each customer's mean spend from its distribution given the history. What a customer
    then does at random is not in it: these are intervals of expectations. Customers are taken in blocks, so
    memory does not grow with draws x customers.

    Parameters
    ----------
    purchase_fit, spend_fit : Fit
        Of a purchase model and of `GammaGamma`.
    frequency, recency, T, monetary_value : array_like, shape (n,)
        Customers, times in `time_unit`.
    margin_rate, horizon_weeks, annual_discount_rate, time_unit
        As in `potential_value` and `discounted_purchases`.
    planned_marketing_cost_per_year : float or array_like, shape (n,)
        Per customer.
    draws : int
        Number of draws.
    level : float
        Of the intervals.
    seed : int
        Same seed, same intervals.

    Returns
    -------
    ValueIntervals
        All nan, with the reason in `problem`, when a fit has no finite covariance.
    """
    size = len(np.asarray(frequency))
    cost = np.broadcast_to(discounted_cost(planned_marketing_cost_per_year, horizon_weeks, annual_discount_rate), size)
    quantities = ("expected_purchases", "expected_spend", "potential_value")
    history = (frequency, recency, T, monetary_value)
    try:
        drawn = _draw(purchase_fit, spend_fit, history, horizon_weeks, annual_discount_rate, time_unit, draws, seed)
    except ValueError as unknown:
        nothing = np.full(size, np.nan)
        summed = ("expected_purchases", "potential_value")
        return ValueIntervals(
            rows={name: (nothing, nothing) for name in quantities},
            totals={name: (np.nan, np.nan) for name in summed},
            total_draws={name: np.full(draws, np.nan) for name in summed},
            problem=str(unknown),
        )

    tails = ((1 - level) / 2, (1 + level) / 2)
    bounds = {name: np.empty((2, size)) for name in quantities}
    totals = {name: np.zeros(draws) for name in ("expected_purchases", "potential_value")}
    for block, inverse, pairs in drawn:
        purchases, spend = map(np.stack, zip(*pairs, strict=True))
        value = margin_rate * spend * purchases[:, inverse, 0] - cost[block]
        bounds["expected_purchases"][:, block] = np.quantile(purchases[:, :, 1], tails, axis=0)[:, inverse]
        bounds["expected_spend"][:, block] = np.quantile(spend, tails, axis=0)
        bounds["potential_value"][:, block] = np.quantile(value, tails, axis=0)
        totals["expected_purchases"] += purchases[:, :, 1] @ np.bincount(inverse)
        totals["potential_value"] += value.sum(axis=1)
    return ValueIntervals(
        rows={name: (low, high) for name, (low, high) in bounds.items()},
        totals={name: tuple(map(float, np.quantile(total, tails))) for name, total in totals.items()},
        total_draws=totals,
        problem="",
    )


def discounted_spend_draws(
    purchase_fit: Fit,
    spend_fit: Fit,
    frequency,
    recency,
    T,
    monetary_value,
    *,
    horizon_weeks: float,
    annual_discount_rate: float,
    time_unit: str,
    draws: int = 100,
    seed: int = 0,
) -> np.ndarray:
    """What each customer may be expected to spend within the horizon, discounted, in each draw of `value_draws`.

    For what adds customers up in other ways than over all of them; it holds draws x customers numbers.

    Parameters
    ----------
    purchase_fit, spend_fit, frequency, recency, T, monetary_value, horizon_weeks, annual_discount_rate, time_unit, seed
        As in `value_draws`.
    draws : int

    Returns
    -------
    ndarray of float32, shape (draws, n)

    Raises
    ------
    ValueError
        A fit without a finite covariance.
    """
    history = (frequency, recency, T, monetary_value)
    result = np.empty((draws, len(np.asarray(frequency))), np.float32)
    rows = max(ROWS_AT_ONCE, CELLS_AT_ONCE // draws)
    when = (horizon_weeks, annual_discount_rate, time_unit)
    drawn = _draw(purchase_fit, spend_fit, history, *when, draws, seed, rows, plain=False)
    for block, inverse, pairs in drawn:
        for draw, (purchases, spend) in enumerate(pairs):
            result[draw, block] = spend * purchases[inverse, 0]
    return result


def _draw(
    purchase_fit,
    spend_fit,
    history,
    horizon_weeks,
    annual_discount_rate,
    time_unit,
    draws,
    seed,
    rows: int = ROWS_AT_ONCE,
    plain: bool = True,
) -> Iterator:
    """Draw parameters, and return an iterator over blocks of customers.

    Of each block: which customers; to which of its distinct histories each belongs; and, draw by draw, what those are
    expected to buy, discounted and (if asked) plain, shape (histories, 2 or 1), with each customer's mean spend.
    """
    parameter_rng, spend_rng = np.random.default_rng(seed).spawn(2)
    purchase_models = [purchase_fit.model_at(row) for row in purchase_fit.draws(draws, parameter_rng)]
    spend_models = [spend_fit.model_at(row) for row in spend_fit.draws(draws, parameter_rng)]
    columns = [np.asarray(column, float) for column in history]
    horizons, weights = _horizons_and_weights(horizon_weeks, annual_discount_rate, time_unit)
    sums = [weights, np.arange(len(weights)) == len(weights) - 1]  # discounted, and plain
    weights = np.column_stack(sums[: 1 + plain])
    # equal histories share a block; so do equal frequencies and ages, on which alone the costly part depends
    order = np.lexsort((columns[1], columns[2], columns[0]))

    def blocks() -> Iterator:
        for start in range(0, len(order), rows):
            block = order[start : start + rows]
            x, t_x, age, m = (column[block] for column in columns)
            first, inverse = distinct_rows(x, age, t_x)
            distinct = x[first], t_x[first], age[first]
            # of one generator, and so in order, while expected purchases, which draw nothing, go on in threads
            spend = (model.spend_draws(x, m, spend_rng) for model in spend_models)
            with threads() as pool:
                same = map(repeat, (*distinct, horizons, weights))
                purchases = pool.map(_sums, purchase_models, *same)
                yield block, inverse, zip(purchases, spend, strict=True)

    return blocks()


def _sums(model: PurchaseModel, frequency, recency, T, horizons, weights) -> np.ndarray:
    if not len(horizons):
        return np.zeros((len(frequency), weights.shape[1]))
    return model.weighted_expected_purchases(frequency, recency, T, horizons, weights)


def lorenz_curve(values, weights=None) -> tuple[np.ndarray, np.ndarray]:
    """Cumulative share of customers and of value, the least valuable first, both starting at 0.

    Parameters
    ----------
    values : array_like, shape (n,)
        May be negative: then the curve dips below 0.
    weights : array_like, shape (n,), optional
        Customers with each value.

    Returns
    -------
    share_of_customers, share_of_value : ndarray, shape (n + 1,)
        The latter nan when the total is 0.
    """
    values = np.asarray(values, float)
    weights = np.ones_like(values) if weights is None else np.asarray(weights, float)
    order = np.argsort(values, kind="stable")
    customers = np.append(0, np.cumsum(weights[order]))
    money = np.append(0, np.cumsum((weights * values)[order]))
    with np.errstate(invalid="ignore", divide="ignore"):
        return customers / customers[-1], money / np.where(money[-1] == 0, np.nan, money[-1])


def whale_curve(values, weights=None) -> tuple[np.ndarray, np.ndarray]:
    """Cumulative share of customers and of value, the most valuable first.

    It rises above 1 where customers of negative value take back what the others bring. Arguments and shapes
    as in `lorenz_curve`.
    """
    customers, value = lorenz_curve(-np.asarray(values, float), weights)
    return customers, value


def gini(values, weights=None) -> float:
    """Gini coefficient: 1 - twice the area under the Lorenz curve.

    0 when all are worth the same; above 1 is possible with negative values; nan when the total is not
    positive.
    """
    values = np.asarray(values, float)
    customers, value = lorenz_curve(values, weights)
    total = values.sum() if weights is None else values @ np.asarray(weights, float)
    return float(1 - 2 * np.trapezoid(value, customers)) if total > 0 else np.nan


def share_below_zero(values, weights=None) -> float:
    """Share of customers with a negative value."""
    return float(np.average(np.asarray(values, float) < 0, weights=weights))


def deciles(values, groups: int = 10) -> dict[str, np.ndarray]:
    """Rank customers by value in groups of equal size (to within one), the most valuable first.

    Returns
    -------
    dict of str to ndarray
        decile (1 is the most valuable), customers, total, mean, share and cumulative_share of the value; with
        fewer customers than groups the empty groups are left out.
    """
    values = np.asarray(values, float)
    order = np.argsort(-values, kind="stable")
    group = np.arange(len(values)) * groups // max(len(values), 1)
    customers = np.bincount(group, minlength=groups)
    total = np.bincount(group, values[order], minlength=groups)
    present = customers > 0
    customers, total = customers[present], total[present]
    with np.errstate(invalid="ignore", divide="ignore"):
        share = total / total.sum()
    return {
        "decile": np.flatnonzero(present) + 1,
        "customers": customers,
        "total": total,
        "mean": total / customers,
        "share": share,
        "cumulative_share": np.cumsum(share),
    }
