"""Periods in which sales rose while profit fell, and what took the profit.

Why the sources put profit in the place of sales: sales kept rising while profit fell, as costs rose.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import stats

from helpers.models.estimate import Estimate

FEWEST = 4  # periods that a slope needs


@dataclass(frozen=True, eq=False)
class ProfitPeriods:
    """Change of sales and profit from each period to the next, all in money, of shape (periods - 1,).

    Attributes
    ----------
    sales, profit : ndarray
        Changes.
    volume : ndarray
        Change of profit had the margin rate stayed as it was; nan after a period without sales, which has no rate.
    margin_rate : ndarray
        Change of profit by the change of the margin rate, at the new sales; nan likewise.
    costs : dict of str to ndarray
        Change of profit by each cost: below 0 where it rose. With `volume` and `margin_rate` it adds up to `profit`.
    opposed : ndarray of bool
        Whether sales rose while profit fell.
    sales_slope, profit_slope : Estimate of float
        Change per period over all of them: Theil and Sen's, nan of fewer than `FEWEST` periods.
    problem : str
        Why numbers are nan; empty when none is.
    """

    sales: np.ndarray
    profit: np.ndarray
    volume: np.ndarray
    margin_rate: np.ndarray
    costs: dict[str, np.ndarray]
    opposed: np.ndarray
    sales_slope: Estimate
    profit_slope: Estimate
    problem: str


def profit_periods(sales, margin, costs: Mapping[str, np.ndarray] | None = None, level: float = 0.95) -> ProfitPeriods:
    """Find the periods in which sales rose while profit fell, and split each change of profit into its sources.

    Profit is margin less costs. With sales s and the margin rate r = margin / s, from period 0 to 1 the change of
    profit is (s1 - s0) r0 + s1 (r1 - r0) - (costs1 - costs0), exactly. The slopes are medians of the slopes between
    all pairs of periods, with the interval of Sen (1968, J. American Statistical Association 63, 1379-1389): one odd
    period moves them little, and unlike a least-squares line with errors corrected for autocorrelation, whose theory is
    for long series, they hold for a dozen periods, if the deviations from the line are independent. Of seasonal or
    slowly swinging series the intervals are too short.

    Parameters
    ----------
    sales : array_like, shape (periods,)
        In money, 0 or more, one period after the other without a gap.
    margin : array_like, shape (periods,)
        Before the costs below.
    costs : mapping of str to array_like, shape (periods,), optional
        Such as cost to serve and marketing.
    level : float
        Of the intervals. Of 4 periods it cannot be above 92 %: the whole range of the slopes then.

    Returns
    -------
    ProfitPeriods
        Without changes for a single period.

    Raises
    ------
    ValueError
        No periods, lengths that differ, amounts that are not finite, sales below 0.
    """
    sales = _amounts("sales", sales)
    margin, costs = _amounts("margin", margin, len(sales)), costs or {}
    costs = {name: _amounts(name, cost, len(sales)) for name, cost in costs.items()}
    if (sales < 0).any():
        raise ValueError(f"sales are negative in {(sales < 0).sum()} periods: a margin rate has no meaning there.")
    profit = margin - sum(costs.values())
    rate = margin[:-1] / np.where(sales[:-1] > 0, sales[:-1], np.nan)
    changes = {"sales": np.diff(sales), "profit": np.diff(profit)}
    return ProfitPeriods(
        **changes,
        volume=changes["sales"] * rate,
        margin_rate=margin[1:] - sales[1:] * rate,
        costs={name: -np.diff(cost) for name, cost in costs.items()},
        opposed=(changes["sales"] > 0) & (changes["profit"] < 0),
        sales_slope=_slope(sales, level),
        profit_slope=_slope(profit, level),
        problem=_problem(sales),
    )


def _amounts(name: str, amounts, periods: int | None = None) -> np.ndarray:
    amounts = np.asarray(amounts, float)
    if amounts.ndim != 1 or not amounts.size or (periods is not None and len(amounts) != periods):
        raise ValueError(f"{name} needs one amount for each period, {periods or 'at least one'}.")
    if not np.isfinite(amounts).all():
        raise ValueError(f"{name} is missing or infinite in {(~np.isfinite(amounts)).sum()} periods.")
    return amounts


def _slope(amounts, level: float) -> Estimate:
    if len(amounts) < FEWEST:
        return Estimate(np.nan, np.nan, np.nan)
    found = stats.theilslopes(amounts, alpha=level)
    return Estimate(float(found.slope), float(found.low_slope), float(found.high_slope))


def _problem(sales) -> str:
    reasons = []
    if len(sales) < FEWEST:
        reasons.append(f"A slope needs {FEWEST} periods, not {len(sales)}.")
    if (without := (sales[:-1] == 0).sum()) > 0:
        reasons.append(f"{without} periods without sales have no margin rate to change from.")
    return " ".join(reasons)
