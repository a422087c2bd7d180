"""Every customer of a file of any size scored, without a report: purchases in, a folder of Parquet files out."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import ibis
import numpy as np
import pandas as pd
import pyarrow
from pyarrow import parquet

from helpers.analyses.progress import progress
from helpers.data.cleaning import text_ids
from helpers.data.customer_summary import margin_sums
from helpers.data.engines import engine_errors_refused, write_parquet
from helpers.data.refusal import InputRefused, Problem, shortened
from helpers.models.estimate import Estimate
from helpers.models.fit import Fit
from helpers.models.lifetime_value.value_draws import total_estimates

from . import valuation
from .settings import Periods, Settings

WHOSE = ["customer_id", *valuation.HISTORY, "monetary_value"]


@dataclass(frozen=True, eq=False)
class Scored:
    """What `score` found, but for the customers themselves, who stand in the files.

    Parameters
    ----------
    folder : Path
        Where the files are.
    periods : Periods
        First day, end of calibration (which is not used), end of observation.
    customers : int
        Customers scored.
    purchases, spend : Fit or None
        The models; None where one could not be fitted.
    totals : dict of str to Estimate
        expected_purchases and potential_value over all customers; nan where there is no model.
    margin_rate : float
        The margin rate that potential value uses.
    problems : tuple of str
        What is wrong with the models, in words.
    accounting : pandas.DataFrame
        step, rows, amount, reason: the way from the rows of the file to the purchases.
    marketing_accounting : pandas.DataFrame
        The same of what was spent on customers; empty where no such file was named.
    notes : tuple of str
        What the check of the files met: extreme values, customers with no purchase left and the like.
    """

    folder: Path
    periods: Periods
    customers: int
    purchases: Fit | None = field(repr=False)
    spend: Fit | None = field(repr=False)
    totals: dict[str, Estimate]
    margin_rate: float
    problems: tuple[str, ...]
    accounting: pd.DataFrame = field(repr=False)
    marketing_accounting: pd.DataFrame = field(repr=False)
    notes: tuple[str, ...]


def score(out: str | Path, *, intervals: bool = False, **choices: Any) -> Scored:
    """Fit the models to all purchases and write every customer's scores, as `customer_value.parquet` has them.

    Parameters
    ----------
    out : str or Path
        Folder for the Parquet files. It appears when all is written; earlier scores are replaced, and nothing else is.
    intervals : bool
        Whether each customer's expected purchases, expected spend and potential value get low and high: that takes
        several times as long.
    **choices
        Any of the fields of `Settings`, as in `analyse`: `transactions` is a built-in name, a file, a folder or a
        glob pattern.

    Returns
    -------
    Scored

    Raises
    ------
    helpers.data.refusal.InputRefused
        When the purchases or a setting cannot be used, or the folder cannot be written.
    """
    settings, out = Settings.of(choices), Path(out).expanduser()
    if not isinstance(intervals, bool):
        raise InputRefused("these parameters", [Problem(f"intervals is True or False, not {intervals!r}")])
    _refuse_unless_replaceable(out, settings.transactions)
    with progress("scores", 3) as bar:
        purchases, marketing, periods = valuation.read(settings)
        bar.update()
        end = periods.observation_end
        how = {"time_unit": settings.time_unit, "merge_period": settings.merge_period, "models": [settings.model]}
        with engine_errors_refused(settings.transactions):
            margin_rate = valuation.margin_rate_of(purchases, periods, settings)
            margins = partial(margin_sums, margin_rate=margin_rate, end=end) if purchases.is_all_bought else None
            # Where nothing is to be left out, the rows need not be merged by day first, and none states a margin.
            rows = purchases.native_realised.drop("margin") if purchases.is_all_bought else purchases.native
            found = valuation.summaries(rows, end, **how, spent=True, also=margins)
            spend, why_no_spend = valuation.fit_spend(found.spend_rows, settings.fitted_by)
        fit, why_no_fit = valuation.fit_purchases(settings.model, found.rows, settings.fitted_by)
        bar.update()
        table = valuation.valued(found, fit, spend, purchases, marketing, margin_rate, settings)
        if intervals:
            table = _with_intervals(table, found.table, fit, spend, margin_rate, settings)
        with _appearing(out) as stage:
            write_parquet(table, stage)
        bar.update()
    sentences = [why_no_fit, why_no_spend]
    sentences += [sentence for one in (fit, spend) if one is not None for sentence in one.problems]
    return Scored(
        folder=out,
        periods=periods,
        customers=int(found.rows.customers.sum()),
        purchases=fit,
        spend=spend,
        totals=_totals(found.rows, fit, spend, margin_rate, settings),
        margin_rate=margin_rate,
        problems=tuple(dict.fromkeys(filter(None, sentences))),
        accounting=purchases.accounting,
        marketing_accounting=marketing.accounting,
        notes=(*purchases.notes, *marketing.notes),
    )


def _totals(
    rows: pd.DataFrame, fit: Fit | None, spend: Fit | None, margin_rate: float, settings: Settings
) -> dict[str, Estimate]:
    if fit is None or spend is None:
        return dict.fromkeys(("expected_purchases", "potential_value"), Estimate(np.nan, np.nan, np.nan))
    return total_estimates(
        fit,
        spend,
        *(rows[name].to_numpy(float) for name in (*valuation.HISTORY, "customers", "spent", "spent_squared")),
        margin_rate=margin_rate,
        planned_marketing_cost_per_year=settings.planned_marketing_cost,
        horizon_weeks=settings.horizon_weeks,
        annual_discount_rate=settings.annual_discount_rate,
        time_unit=settings.time_unit,
    )


def _with_intervals(
    table: ibis.Table, summary: ibis.Table, fit: Fit | None, spend: Fit | None, margin_rate: float, settings: Settings
) -> ibis.Table:
    """Join low and high of each customer's numbers."""
    customers = text_ids(summary.select(WHOSE)).to_pyarrow()
    found = valuation.intervals_of(fit, spend, customers.to_pandas(), margin_rate, settings)
    ends = {
        f"{name}_{end}": values
        for name, pair in found.rows.items()
        for end, values in zip(("low", "high"), pair, strict=True)
    }
    told = pyarrow.table({"customer_id": customers["customer_id"]} | ends)
    return table.inner_join(ibis.memtable(told), "customer_id")


def _refuse_unless_replaceable(out: Path, transactions: str) -> None:
    """Refuse to put the scores where something else is, or where they would be read as purchases the next time."""
    source = Path(transactions).expanduser()
    if source.is_dir() and out.resolve().is_relative_to(source.resolve()):
        problem = Problem("it lies in the folder of the purchases", way_out="Name a folder beside it.")
        raise InputRefused(f"out={str(out)!r}", [problem])
    if out.exists() and not (out.is_dir() and all(map(_holds_scores, out.iterdir()))):
        problem = Problem("it is there already, and is no folder of scores only", way_out="Name another folder.")
        raise InputRefused(f"out={str(out)!r}", [problem])


def _holds_scores(path: Path) -> bool:
    try:
        return {*WHOSE, "probability_alive", "potential_value"} <= set(parquet.read_schema(path).names)
    except (OSError, pyarrow.ArrowException):
        return False


@contextmanager
def _appearing(out: Path) -> Iterator[Path]:
    """Give a folder to write into, beside its place; it takes the place when all went well, and is gone otherwise."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent, ignore_cleanup_errors=True) as beside:
            new, old = Path(beside) / "new", Path(beside) / "old"
            yield new
            if out.exists():
                out.rename(old)
            try:
                new.rename(out)
            except OSError:
                if old.exists():
                    old.rename(out)
                raise
    except (OSError, duckdb.Error, pyarrow.ArrowException) as error:
        what = shortened(str(error).splitlines()[0], 200)
        raise InputRefused(f"out={str(out)!r}", [Problem(f"the scores cannot be written: {what}")]) from None
