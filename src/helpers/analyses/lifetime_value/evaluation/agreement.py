"""Where a model agrees with what happened, and where not: over time, by group, by probability, by activity."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import date, timedelta

import numpy as np
import pandas as pd

from helpers.data import customer_summary, transactions
from helpers.models.fit import Fit
from helpers.models.lifetime_value import naive_rules
from helpers.models.lifetime_value.prediction import expected_path, interval, simulated_paths
from helpers.models.lifetime_value.value import DAYS_PER_UNIT
from helpers.models.proportions import wilson

from .split import Split

LAST_FREQUENCY = 7  # the published tables of CDNOW lump 7 and more
RECENCY_GROUPS = 6
NO_REPEAT = (0,)  # the first group by frequency and by recency: all customers less those who bought again
PROBABILITY_GROUPS = 10
MOST_GROUPS = 24  # acquisition months beyond which quarters are shown, and quarters beyond which years are
MOST_WEEKS = 160  # beyond which periods of tracking are months
HIATUSES = (6, 12, 24, 36)  # weeks


def frequency_groups(customers: pd.DataFrame) -> pd.Series:
    """Return each customer's group by repeat purchases: 0, 1, ... 7+."""
    labels = [*map(str, range(LAST_FREQUENCY)), f"{LAST_FREQUENCY}+"]
    codes = np.minimum(customers.frequency.to_numpy(int), LAST_FREQUENCY)
    return _grouped(codes, labels, customers)


def recency_groups(customers: pd.DataFrame) -> pd.Series:
    """Return each customer's group by recency: none without a repeat purchase, else groups of equal size."""
    repeated = customers.frequency > 0
    steps = np.linspace(0, 1, RECENCY_GROUPS + 1)
    edges = np.unique(np.quantile(customers.recency[repeated], steps)) if repeated.any() else np.zeros(1)
    inner = edges[1:-1]
    codes = np.where(repeated, 1 + np.searchsorted(inner, customers.recency, side="left"), 0)
    ends = [f"{low:.1f} to {high:.1f}" for low, high in itertools.pairwise(edges)] or ["any"]
    return _grouped(codes, ["no repeat", *ends], customers)


def _grouped(codes: np.ndarray, labels: list[str], customers: pd.DataFrame) -> pd.Series:
    """Return each customer's group, of the groups that have any."""
    groups = pd.Series(pd.Categorical.from_codes(codes, labels), index=customers.index)
    return groups.cat.remove_unused_categories()


def cohort_groups(customers: pd.DataFrame, end: date, time_unit: str, merge_period: str = "D") -> pd.Series:
    """Return each customer's month of acquisition; quarters or years where there would be very many.

    T runs from the start of the merge period of the first purchase to that of `end`.
    """
    ages, age = np.unique(customers["T"].to_numpy(), return_inverse=True)
    days = pd.to_timedelta((ages * DAYS_PER_UNIT[time_unit]).round(), unit="D")
    first = pd.Timestamp(transactions.start_of_period(end, merge_period)) - days
    for period in ("M", "Q", "Y"):
        cohorts = first.to_period(period)
        if cohorts.nunique() <= MOST_GROUPS:
            break
    labels, code = np.unique(cohorts.astype(str), return_inverse=True)
    return pd.Series(pd.Categorical.from_codes(code[age], labels), index=customers.index)


def grouped(split: Split, groups: pd.Series, ends: tuple[np.ndarray, np.ndarray] | None) -> pd.DataFrame:
    """Compare actual and expected purchases of groups of customers.

    Parameters
    ----------
    split : Split
    groups : pandas.Series of category
        Each customer's group.
    ends : tuple of ndarray, shape (groups,), or None
        Predictive interval of each group's total by the chosen model.

    Returns
    -------
    pandas.DataFrame
        group, customers, actual, low, high (of the chosen model: parameters and chance) and expected_<method> of
        every model, and of the past rate; totals of the group.
    """
    codes, labels = groups.cat.codes.to_numpy(), list(groups.cat.categories)

    def add_up(values) -> np.ndarray:
        return np.bincount(codes, values, minlength=len(labels))

    low, high = np.full((2, len(labels)), np.nan) if ends is None else ends
    frame = pd.DataFrame(
        {
            "group": labels,
            "customers": np.bincount(codes, minlength=len(labels)),
            "actual": add_up(split.customers.holdout_purchases),
            "low": low,
            "high": high,
        }
    )
    for method in (*split.fits, "past_rate"):
        frame[f"expected_{method}"] = add_up(split.predictions[method].purchases)
    return frame


def tracked_ends(first: date, last: date, monthly: bool) -> list[date]:
    """Return the last days of the whole periods from the first purchase on: weeks of 7 days or calendar months."""
    if monthly or (last - first).days > 7 * MOST_WEEKS:
        ends = pd.date_range(first, last, freq="ME").date
        return list(ends)
    weeks = ((last - first).days + 1) // 7
    return [first + timedelta(days=7 * week - 1) for week in range(1, weeks + 1)]


def tracking(
    split: Split, table, first: date, fit: Fit | None, merge_period: str, draws: int, seed: int
) -> pd.DataFrame:
    """Follow the repeat purchases of the customers acquired in calibration through calibration and holdout.

    The models know of these customers only when each came, not what any of them did.

    Returns
    -------
    pandas.DataFrame
        period_end, actual, low, high, expected_<model>, and the same cumulative: cumulative_actual, ...; low and
        high are of `fit`, parameters and chance together.
    """
    ends = tracked_ends(first, split.end, merge_period == "M" or split.time_unit == "M")
    unit = DAYS_PER_UNIT[split.time_unit]
    zero = transactions.start_of_period(first, merge_period)

    def since(day: date) -> float:
        return (transactions.start_of_period(day, merge_period) - zero).days / unit

    rows = split.rows.groupby("T", as_index=False).customers.sum()
    starts = (since(split.calibration_end) - rows["T"]).to_numpy()
    times = np.array([since(end) for end in ends])
    bought = customer_summary.purchases_by_period(table, split.calibration_end, ends)
    cumulative = {"actual": bought.purchases.to_numpy().cumsum().astype(float)}
    low = high = each_low = each_high = np.full(len(ends), np.nan)
    if fit is not None and len(ends):
        paths = simulated_paths(fit, starts, rows.customers, times, draws=draws, seed=seed)
        (low, high), (each_low, each_high) = interval(paths), interval(np.diff(paths, axis=1, prepend=0))
    for model, fitted in split.fits.items():
        path = expected_path(fitted.model, starts, rows.customers, times) if len(ends) else np.empty(0)
        cumulative[f"expected_{model}"] = path
    frame = pd.DataFrame({"period_end": list(map(str, ends)), "low": each_low, "high": each_high})
    for name, path in cumulative.items():
        frame[name] = np.diff(path, prepend=0)
    frame["cumulative_low"], frame["cumulative_high"] = low, high
    return frame.assign(**{f"cumulative_{name}": path for name, path in cumulative.items()})


def reliability(split: Split) -> pd.DataFrame:
    """Compare predicted probabilities of at least one purchase with the shares who bought, by probability.

    Returns
    -------
    pandas.DataFrame
        method, group, customers, predicted, observed, low, high (Wilson's interval of the observed share).
    """
    bought = (split.customers.holdout_purchases > 0).to_numpy()
    parts = []
    for model, probability in split.probability_of_purchase.items():
        edges = np.unique(np.quantile(probability, np.linspace(0, 1, PROBABILITY_GROUPS + 1)))[1:-1]
        codes = np.searchsorted(edges, probability, side="left")
        customers = np.bincount(codes)
        occupied = customers > 0
        active, predicted = np.bincount(codes, bought)[occupied], np.bincount(codes, probability)[occupied]
        customers = customers[occupied]
        low, high = wilson(active, customers)
        parts.append(
            pd.DataFrame(
                {
                    "method": model,
                    "group": np.arange(1, len(customers) + 1),
                    "customers": customers,
                    "predicted": predicted / customers,
                    "observed": active / customers,
                    "low": low,
                    "high": high,
                }
            )
        )
    names = ["method", "group", "customers", "predicted", "observed", "low", "high"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=names)


def activity(split: Split, hiatus_weeks: int, min_cell: int) -> pd.DataFrame:
    """Judge rules that say which customers will buy in the holdout.

    Nothing is judged where those who bought, or those who did not, are fewer than `min_cell`.

    Returns
    -------
    pandas.DataFrame
        method, rule, accuracy with Wilson's interval, called_active (share of customers), sensitivity (share of the
        buyers who are called active), specificity (share of the others who are not).
    """
    customers = split.customers
    bought = (customers.holdout_purchases > 0).to_numpy()
    names = ["method", "rule", "accuracy", "low", "high", "called_active", "sensitivity", "specificity"]
    if any(0 < people < min_cell for people in (bought.sum(), (~bought).sum())):
        return pd.DataFrame(columns=names)
    calls: Mapping[tuple[str, str], np.ndarray] = {("zero", "nobody is active"): np.zeros(len(bought), bool)}
    for model, probability in split.probability_of_purchase.items():
        calls[model, "P(at least one purchase) > 0.5"] = probability > 0.5
        calls[model, "P(alive) > 0.5"] = split.probability_alive[model] > 0.5
    for weeks in sorted({*HIATUSES, hiatus_weeks}):
        length = 7 * weeks / DAYS_PER_UNIT[split.time_unit]
        rule = f"bought in the last {weeks} weeks"
        calls["hiatus", rule] = naive_rules.hiatus(customers.recency, customers["T"], length)
    lines = []
    with np.errstate(invalid="ignore", divide="ignore"):
        for (method, rule), active in calls.items():
            right = int((active == bought).sum())
            low, high = wilson(right, len(bought))
            sensitivity = (active & bought).sum() / bought.sum()
            specificity = (~active & ~bought).sum() / (~bought).sum()
            accuracy = (right / len(bought), float(low), float(high))
            lines.append((method, rule, *accuracy, active.mean(), sensitivity, specificity))
    return pd.DataFrame(lines, columns=names)
