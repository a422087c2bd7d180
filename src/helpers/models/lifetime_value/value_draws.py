"""How exactly value is known: draws of the parameters and of each customer's own mean spend.

Given the parameters, a customer's value is margin * purchases * p (v + x m) / g with g ~ Gamma(p x + q), see
`GammaGamma.spend_draws`. That is linear in x m, and purchases depend on frequency, recency and T alone. So sums over
customers need only moments of x m for each distinct history, and a customer's own interval one g for all customers
of the same frequency: nothing of the size draws x customers is drawn or held, but draws x distinct histories are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import special

from helpers.models.estimate import Estimate
from helpers.models.fit import Fit, distinct_rows
from helpers.models.threads import threads

from .gamma_gamma import GammaGamma
from .purchase_models import PurchaseModel
from .value import discounted_cost, horizons_and_weights

NUMBERS_HELD = 40_000_000  # draws x rows: of very many rows there are fewer draws
FEWEST_DRAWS = 40
NUMBERS_AT_ONCE = 2_000_000  # draws x rows within one block
CUSTOMERS_AT_ONCE = 10_000  # customers whose joint draws are made together, or more where the draws are few
NUMBERS_DRAWN_AT_ONCE = 5_000_000
SMALLEST = 1e-300  # of a drawn g, which is divided by
HEAVY_TAIL = 3.0  # Gamma shape up to which sums of 1 / g are too skewed to be taken as normal
QUANTITIES = ("expected_purchases", "expected_spend", "potential_value")
SUMMED = ("expected_purchases", "potential_value")


@dataclass(frozen=True, eq=False)
class ValueIntervals:
    """Intervals of expected_purchases, expected_spend and potential_value.

    Attributes
    ----------
    rows : dict of str to (ndarray, ndarray)
        Low and high of each quantity for each customer.
    totals : dict of str to (float, float)
        Low and high of the sums over customers of expected_purchases and potential_value.
    groups : dict of str to (ndarray, ndarray)
        The same of the sums over each group of customers.
    total_draws : dict of str to ndarray
        The draws behind `totals`.
    problem : str
        Why everything is nan; empty when it is not.
    """

    rows: dict[str, tuple[np.ndarray, np.ndarray]]
    totals: dict[str, tuple[float, float]]
    groups: dict[str, tuple[np.ndarray, np.ndarray]]
    total_draws: dict[str, np.ndarray]
    problem: str


def affordable_draws(draws: int, rows: int, numbers: int = NUMBERS_HELD) -> int:
    """Give the draws that so many rows allow: all that are wanted, or what fits `numbers`, `FEWEST_DRAWS` at least."""
    return min(draws, max(FEWEST_DRAWS, numbers // max(rows, 1)))


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
    groups=None,
    draws: int = 400,
    level: float = 0.95,
    seed: int = 0,
) -> ValueIntervals:
    """Intervals that carry the uncertainty of both models' parameters and of each customer's own mean spend.

    Each draw takes parameters from the asymptotic normal of their logs, recomputes expected purchases, and draws mean
    spend from its distribution given the history. What a customer then does at random is not in it: these are
    intervals of expectations.

    Parameters
    ----------
    purchase_fit, spend_fit : Fit
        Of a purchase model and of `GammaGamma`.
    frequency, recency, T, monetary_value : array_like, shape (n,)
        Customers, times in `time_unit`.
    margin_rate, horizon_weeks, annual_discount_rate, time_unit
        As in `helpers.models.lifetime_value.value.potential_value` and `discounted_purchases`.
    planned_marketing_cost_per_year : float or array_like, shape (n,)
        Per customer.
    groups : array_like of int, shape (n,), optional
        The number, from 0, of each customer's group; one group by default.
    draws : int
        Number of draws; fewer where distinct histories are very many, see `affordable_draws`.
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
    groups = np.zeros(size, np.int64) if groups is None else np.asarray(groups)
    rows, row_of_customer = _distinct_customers(frequency, recency, T, monetary_value, groups)
    draws = affordable_draws(draws, len(rows.first))
    rng, draw_rng = np.random.default_rng(seed).spawn(2)
    try:
        purchase_models = [purchase_fit.model_at(row) for row in purchase_fit.draws(draws, rng)]
        spend_models = [spend_fit.model_at(row) for row in spend_fit.draws(draws, rng)]
    except ValueError as unknown:
        return nothing_known(size, str(unknown), rows.groups)
    horizons, weights = horizons_and_weights(horizon_weeks, annual_discount_rate, time_unit)
    plain = np.arange(len(weights)) == len(weights) - 1
    wanted = horizons, np.column_stack([margin_rate * weights, plain])

    cells, tails = rows.cells(), np.array([(1 - level) / 2, (1 + level) / 2])
    # evenly spread, so that the quantiles of a customer's draws settle soon
    luck = (rng.permutation(draws) + rng.random(draws)) / draws
    sums, held = np.empty((3, rows.groups, draws)), np.empty((2, draws, len(rows.first)), np.float32)

    def of_draw(draw: int, purchases: PurchaseModel, spend: GammaGamma, rng: np.random.Generator) -> None:
        found = _weighted_sums(purchases, *rows.histories, *wanted).T
        held[:, draw] = found
        sums[:, :, draw] = _sums_by_group(spend, rows, cells, *found, rng)

    with threads() as pool:
        list(pool.map(of_draw, range(draws), purchase_models, spend_models, draw_rng.spawn(draws)))
        blocks = rows.blocks(max(1, NUMBERS_AT_ONCE // draws))
        ends = list(pool.map(lambda block: _ends_of_rows(rows, block, spend_models, luck, *held, tails), blocks))
    bounds = np.concatenate(ends, axis=2)[:, :, row_of_customer]
    bounds[2] -= cost
    purchases, mean, variance = sums
    # customers are independent given the parameters, so that the sum of many is normal
    value = mean + np.sqrt(variance) * rng.standard_normal(draws)
    value -= np.bincount(groups, cost, minlength=rows.groups)[:, None]
    by_group = dict(zip(SUMMED, (purchases, value), strict=True))
    total_draws = {name: drawn.sum(axis=0) for name, drawn in by_group.items()}
    return ValueIntervals(
        rows={name: (low, high) for name, (low, high) in zip(QUANTITIES, bounds, strict=True)},
        totals={name: tuple(map(float, np.quantile(drawn, tails))) for name, drawn in total_draws.items()},
        groups={name: tuple(np.quantile(drawn, tails, axis=1)) for name, drawn in by_group.items()},
        total_draws=total_draws,
        problem="",
    )


def nothing_known(size: int, problem: str, groups: int = 1) -> ValueIntervals:
    """Return the intervals of so many customers where they cannot be computed: nan, with the reason."""
    nothing, of_group = np.full(size, np.nan), np.full(groups, np.nan)
    return ValueIntervals(
        rows={name: (nothing, nothing) for name in QUANTITIES},
        totals={name: (np.nan, np.nan) for name in SUMMED},
        groups={name: (of_group, of_group) for name in SUMMED},
        total_draws={name: np.empty(0) for name in SUMMED},
        problem=problem,
    )


@dataclass(frozen=True, eq=False)
class _Rows:
    """Distinct customers with their number, in the order of frequency, T and recency; `first` of each history."""

    frequency: np.ndarray
    monetary_value: np.ndarray
    group: np.ndarray
    customers: np.ndarray
    history: np.ndarray
    first: np.ndarray
    histories: tuple[np.ndarray, np.ndarray, np.ndarray]
    groups: int

    @property
    def spent(self) -> np.ndarray:
        """Return what the repeat purchases of a customer of each row add up to."""
        return self.frequency * self.monetary_value

    def blocks(self, size: int) -> list[slice]:
        """Return parts of so many rows."""
        return [slice(start, start + size) for start in range(0, len(self.frequency), size)]

    def cells(self) -> tuple[np.ndarray, ...]:
        """Return history and group of each pair of these, with the sums of 1, x m and (x m)^2 of its customers."""
        code, cell = np.unique(self.history * self.groups + self.group, return_inverse=True)
        moments = [np.bincount(cell, self.customers * self.spent**power) for power in range(3)]
        return code // self.groups, code % self.groups, *moments


def _distinct_customers(frequency, recency, T, monetary_value, groups) -> tuple[_Rows, np.ndarray]:
    """Return the distinct customers, and the number of each customer's row."""
    x, t_x, age, m = (np.asarray(column, float) for column in (frequency, recency, T, monetary_value))
    m = np.where(x > 0, m, 0.0)
    order = np.lexsort((groups, m, t_x, age, x))
    columns = [column[order] for column in (x, age, t_x, m, groups)]
    start, row = distinct_rows(*columns)
    x, age, t_x, m, group = (column[start] for column in columns)
    first, history = distinct_rows(x, age, t_x)
    row_of_customer = np.empty_like(row)
    row_of_customer[order] = row
    histories = x[first], t_x[first], age[first]
    rows = _Rows(x, m, group, np.bincount(row), history, first, histories, int(groups.max(initial=0)) + 1)
    return rows, row_of_customer


def _weighted_sums(model: PurchaseModel, frequency, recency, T, horizons, weights) -> np.ndarray:
    if not len(horizons):
        return np.zeros((len(frequency), weights.shape[1]))
    return model.weighted_expected_purchases(frequency, recency, T, horizons, weights)


def _sums_by_group(spend: GammaGamma, rows: _Rows, cells, margins, purchases, rng) -> np.ndarray:
    """Return each group's sum of purchases, and mean and variance of its sum of value, in one draw: shape (3, groups).

    With k = p x + q the mean of 1 / g is 1 / (k - 1), its variance that squared over k - 2. Where k is so small that
    a sum is not nearly normal, each customer's g is drawn, and counts as mean.
    """
    history, group, number, once, twice = cells
    shape = spend.p * rows.histories[0] + spend.q
    light = shape > HEAVY_TAIL
    slope = np.where(light, margins * spend.p / np.where(light, shape - 1, 1), 0)
    spread = slope**2 / np.where(light, shape - 2, 1)
    of_cells = (
        purchases[history] * number,
        slope[history] * (number * spend.v + once),
        spread[history] * (number * spend.v**2 + 2 * spend.v * once + twice),
    )
    sums = np.stack([np.bincount(group, values, minlength=rows.groups) for values in of_cells])
    if not light.all():
        heavy = np.flatnonzero(~light[rows.history])
        who = np.repeat(heavy, rows.customers[heavy])
        drawn = spend.spend_draws(rows.frequency[who], rows.monetary_value[who], rng)
        sums[1] += np.bincount(rows.group[who], margins[rows.history[who]] * drawn, minlength=rows.groups)
    return sums


def _ends_of_rows(rows: _Rows, block: slice, spend_models, luck, margins, purchases, tails) -> np.ndarray:
    """Return the ends of the three quantities, shape (3, 2, rows).

    One g in each draw serves all customers of a frequency, which the interval of a single one does not notice.
    """
    p, q, v = (np.array([getattr(model, name) for model in spend_models]) for name in "pqv")
    counts, count = np.unique(rows.frequency[block], return_inverse=True)
    g = special.gammaincinv(p * counts[:, None] + q, luck)
    spend = (p / np.maximum(g, SMALLEST))[count] * (v + rows.spent[block][:, None])
    own = rows.history[block]
    here, history = slice(own[0], own[-1] + 1), own - own[0]
    value = spend * margins[:, here].T[history]
    return np.stack([_ends(purchases[:, here].T, tails)[:, history], _ends(spend, tails), _ends(value, tails)])


def _ends(draws: np.ndarray, tails: np.ndarray) -> np.ndarray:
    """Quantiles of each row as `numpy.quantile` has them, sooner: short rows are sorted faster than searched."""
    ordered = np.sort(draws, axis=1)
    position = tails * (draws.shape[1] - 1)
    below = position.astype(int)
    above = np.minimum(below + 1, draws.shape[1] - 1)
    low, high = ordered[:, below], ordered[:, above]
    return (low + (high - low) * (position - below)).T


def total_estimates(
    purchase_fit: Fit,
    spend_fit: Fit,
    frequency,
    recency,
    T,
    customers,
    spent,
    spent_squared,
    *,
    margin_rate: float,
    planned_marketing_cost_per_year: float = 0.0,
    horizon_weeks: float,
    annual_discount_rate: float,
    time_unit: str,
    level: float = 0.95,
) -> dict[str, Estimate]:
    """Sums over all customers with the intervals of `value_draws`, at the price of a few evaluations of the models.

    The sums of very many customers are nearly linear in the parameters as far as these are uncertain. Their variance
    is then that of independent steps of one standard error along each column of the Cholesky factor of the log
    parameters' covariance, taken both ways, and what customers' own mean spend adds.

    Parameters
    ----------
    purchase_fit, spend_fit
        As in `value_draws`, and so are the terms.
    frequency, recency, T : array_like, shape (n,)
        Distinct histories.
    customers, spent, spent_squared : array_like, shape (n,)
        Customers with each, and the sums over them of x m and of its square.

    Returns
    -------
    dict of str to Estimate
        expected_purchases and potential_value; without ends where a fit has no finite covariance, or the mean spend
        of some customers no finite variance.
    """
    history = [np.asarray(column, float) for column in (frequency, recency, T)]
    customers, spent, spent_squared = (np.asarray(column, float) for column in (customers, spent, spent_squared))
    horizons, weights = horizons_and_weights(horizon_weeks, annual_discount_rate, time_unit)
    plain = np.arange(len(weights)) == len(weights) - 1
    weights = np.column_stack([margin_rate * weights, plain])
    cost = float(discounted_cost(planned_marketing_cost_per_year, horizon_weeks, annual_discount_rate))

    def sums_of(model: PurchaseModel) -> np.ndarray:
        return _weighted_sums(model, *history, horizons, weights).T

    def totals(sums: np.ndarray, spend: GammaGamma) -> np.ndarray:
        margins, purchases = sums
        shape = spend.p * history[0] + spend.q
        slope = margins * spend.p / np.where(shape > 1, shape - 1, np.nan)
        return np.array([purchases @ customers, slope @ (customers * spend.v + spent) - cost * customers.sum()])

    spend, beside = spend_fit.model, list(map(spend_fit.model_at, spend_fit.steps()))
    here = sums_of(purchase_fit.model)
    with threads() as pool:
        aside = pool.map(lambda row: totals(sums_of(purchase_fit.model_at(row)), spend), purchase_fit.steps())
        stepped = np.array([*aside, *(totals(here, other) for other in beside)])
    variance = (((stepped[::2] - stepped[1::2]) / 2) ** 2).sum(axis=0)
    shape = spend.p * history[0] + spend.q
    spread = (here[0] * spend.p) ** 2 / np.where(shape > 2, (shape - 1) ** 2 * (shape - 2), np.nan)
    variance[1] += spread @ (customers * spend.v**2 + 2 * spend.v * spent + spent_squared)
    width = special.ndtri((1 + level) / 2) * np.sqrt(variance)
    found = zip(SUMMED, totals(here, spend), width, strict=True)
    return {name: Estimate(float(total), float(total - half), float(total + half)) for name, total, half in found}


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
    """What each customer may be expected to spend within the horizon, discounted, in each of so many joint draws.

    For what adds customers up in other ways than by groups that are known before; it holds draws x customers numbers.

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
    parameter_rng, spend_rng = np.random.default_rng(seed).spawn(2)
    purchase_models = [purchase_fit.model_at(row) for row in purchase_fit.draws(draws, parameter_rng)]
    spend_models = [spend_fit.model_at(row) for row in spend_fit.draws(draws, parameter_rng)]
    spend_rngs = spend_rng.spawn(draws)  # one a draw, so that threads do not change what is drawn
    columns = [np.asarray(column, float) for column in (frequency, recency, T, monetary_value)]
    horizons, weights = horizons_and_weights(horizon_weeks, annual_discount_rate, time_unit)
    # equal histories share a block; so do equal frequencies and ages, on which alone the costly part depends
    order = np.lexsort((columns[1], columns[2], columns[0]))
    result = np.empty((draws, len(order)), np.float32)
    rows = max(CUSTOMERS_AT_ONCE, NUMBERS_DRAWN_AT_ONCE // draws)
    with threads() as pool:
        for start in range(0, len(order), rows):
            block = order[start : start + rows]
            x, t_x, age, m = (column[block] for column in columns)
            first, inverse = distinct_rows(x, age, t_x)
            distinct = x[first], t_x[first], age[first]
            draw = partial(_drawn_spend, distinct, inverse, (x, m), (horizons, weights[:, None]))
            for row, drawn in zip(result, pool.map(draw, purchase_models, spend_models, spend_rngs), strict=True):
                row[block] = drawn
    return result


def _drawn_spend(
    histories: tuple[np.ndarray, ...],
    inverse: np.ndarray,
    spent: tuple[np.ndarray, np.ndarray],
    when: tuple[np.ndarray, np.ndarray],
    purchases: PurchaseModel,
    spend: GammaGamma,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw what customers may be expected to spend, of one draw of the models' parameters."""
    return spend.spend_draws(*spent, rng) * _weighted_sums(purchases, *histories, *when)[inverse, 0]
