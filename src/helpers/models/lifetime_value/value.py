"""Money over time: discounting, potential value, and how concentrated it is.

Everything is counted in calendar weeks and discounted at an annual rate, whatever the unit of time of the
model, so the same customers in days, weeks or months are worth the same money.
"""

from __future__ import annotations

import numpy as np

from .purchase_models import PurchaseModel

DAYS_PER_YEAR = 365.25
DAYS_PER_UNIT = {"D": 1.0, "W": 7.0, "M": 30.4375}


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


def horizons_and_weights(horizon_weeks, annual_discount_rate, time_unit) -> tuple[np.ndarray, np.ndarray]:
    """Horizons in the model's unit and the weights that turn E[X(horizon)] into the discounted sum.

    Sum over k of (E_k - E_(k-1)) f_k is sum over k of E_k (f_k - f_(k+1)), with f = 0 after the last period.

    Parameters
    ----------
    horizon_weeks, annual_discount_rate, time_unit
        As in `discounted_purchases`.

    Returns
    -------
    horizons, weights : ndarray, shape (weeks,)

    Raises
    ------
    ValueError
        An unknown unit, a negative horizon, a rate of -1 or below.
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
    horizons, weights = horizons_and_weights(horizon_weeks, annual_discount_rate, time_unit)
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
