"""Purchases in: from a file of transactions to one row for each purchase, with an account of every step."""

import calendar
import datetime
from collections.abc import Mapping
from dataclasses import dataclass

import ibis
import pandas as pd

from helpers.data.cleaning import CheckedRows, account, check, day, text_ids
from helpers.data.contracts import TABLES
from helpers.data.engines import connect, engine_errors_refused, first_day, held
from helpers.data.refusal import InputRefused, Problem, require_choice
from helpers.data.sources import find_built_in

ZERO_AMOUNTS = ("count", "exclude")
REFUNDS = ("net", "exclude")
MERGE_PERIODS = {"D": "day", "W": "week", "M": "month"}

# Sales and refunds that cancel in decimals leave this much at most, relative to their size, in binary: such a
# net amount is zero, not a tiny purchase or refund.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Purchases:
    """What customers bought, after the rules of `load`.

    Attributes
    ----------
    native : ibis Table
        One row for each customer and merge period: customer_id (as in `CheckedRows.native`), date (the period's first
        day), amount (net of the period), margin (null where a row of the period states none).
    native_realised : ibis Table
        customer_id, date, amount, margin of every row that is real money: purchases and all refunds.
    accounting : pandas.DataFrame
        step, rows, amount, reason. The first line is the file; the others are changes (negative: taken away;
        zero: kept on purpose) that add up to the last line, the purchases. The amount of rows that could not be
        read is NaN.
    inputs : list of dict
        name, path, sha256, bytes, rows of each file.
    notes : list of str
        Sentences that a report must show.
    first_date, last_date : datetime.date
        The days of the first and of the last row that belongs to a purchase, whatever the merge period.
    currency : str or None
        Of the amounts, where it is known.
    has_margin : bool
        Whether any row that can be used states a margin.
    is_all_bought : bool
        Whether the purchases are all the real money there is, day by day, and no refund is part of it: what is added
        up over `native` may then be added up over the rows of `native_realised`, or the other way round.
    categories_per_customer : float or None
        Mean number of categories that a customer bought; None where the file has no category column.
    segments : ibis Table or None
        customer_id, segment of each customer in `table`: the segment of the earliest usable row that names one (the
        first in the order of text where rows of that day name several), null where none does; since, the day of that
        row. None where the file has no segment column.
    is_simulated : bool
        Whether nobody ever bought so.
    categories : ibis Table or None
        customer_id, date, category, amount of every row that is no refund; None where the file has no category column.
    """

    native: ibis.Table
    native_realised: ibis.Table
    accounting: pd.DataFrame
    inputs: list[dict]
    notes: list[str]
    first_date: datetime.date
    last_date: datetime.date
    currency: str | None
    has_margin: bool
    is_all_bought: bool
    categories_per_customer: float | None
    segments: ibis.Table | None
    is_simulated: bool
    categories: ibis.Table | None = None

    @property
    def table(self) -> ibis.Table:
        """Return `native` with ids as text, by which tables are joined."""
        return text_ids(self.native)

    @property
    def realised(self) -> ibis.Table:
        """Return `native_realised` with ids as text."""
        return text_ids(self.native_realised)


def load(
    source: str,
    *,
    columns: Mapping[str, str] | None = None,
    bad_rows: str = "refuse",
    identical_rows: str = "keep",
    zero_amounts: str = "count",
    refunds: str = "net",
    merge_period: str = "D",
    date_format: str = "",
    decimal: str = ".",
    engine: str = "duckdb",
    memory_limit: str = "",
    today: datetime.date | str | None = None,
) -> Purchases:
    """Load purchases, built in or a user's own.

    Ids are read as `helpers.data.cleaning.check` says.

    Parameters
    ----------
    source : str
        "cdnow", "cdnow_sample", "synthetic_firm", or a CSV file, a Parquet file, a folder of Parquet files or a glob
        pattern, with the columns customer_id, date, amount.
    columns : Mapping[str, str], optional
        The file's column names to the contract's: ``{"client": "customer_id"}``.
    bad_rows : {"refuse", "exclude"}
        Whether rows with a missing id, an unreadable date or amount, or a wrong number of fields refuse the
        file, or are left out and counted.
    identical_rows : {"keep", "exclude"}
        Whether rows that repeat an earlier one wholly are purchases of their own, or left out. Either way they are
        counted; with an order_id they are copies and always left out.
    zero_amounts : {"count", "exclude"}
        Whether a period whose amount is zero is a purchase (and enters the mean), as in lifetimes.
    refunds : {"net", "exclude"}
        Negative amounts are netted within the merge period, and a period that stays negative is no purchase;
        or they are left out before.
    merge_period : {"D", "W", "M"}
        What one customer buys in one day, week (from Monday) or calendar month is one purchase.
    date_format, decimal, today
        As in `helpers.data.cleaning.check`.
    engine, memory_limit
        Where the rows are held and reduced, as in `helpers.data.engines.connect`.

    Raises
    ------
    InputRefused
        With all problems of the file, or the values that a parameter can take.
    """
    require_choice("zero_amounts", zero_amounts, ZERO_AMOUNTS)
    require_choice("refunds", refunds, REFUNDS)
    require_choice("merge_period", merge_period, MERGE_PERIODS)
    connection = connect(engine, memory_limit)
    checked = check(
        source,
        TABLES["transactions"],
        "amount",
        columns=columns,
        bad_rows=bad_rows,
        identical_rows=identical_rows,
        date_format=date_format,
        decimal=decimal,
        today=today,
        wanted=("margin", "category", "segment"),
        connection=connection,
    )
    with engine_errors_refused(checked.name):
        return _reduced(checked, source, zero_amounts, refunds, merge_period)


def end_of_period(day: datetime.date, merge_period: str) -> datetime.date:
    """Give the last day of the merge period that a day lies in.

    A merge period counts whole or not at all, so a span of time has to end where one of its periods ends.

    Parameters
    ----------
    day : date
        Any day.
    merge_period : {"D", "W", "M"}
        As in `load`.

    Returns
    -------
    date
        The day itself, the Sunday of its week, or the last day of its calendar month.

    Raises
    ------
    InputRefused
        If there is no such period.
    """
    require_choice("merge_period", merge_period, MERGE_PERIODS)
    if merge_period == "W":
        return day + datetime.timedelta(days=6 - day.weekday())
    if merge_period == "M":
        return day.replace(day=calendar.monthrange(day.year, day.month)[1])
    return day


def start_of_period(day: datetime.date, merge_period: str) -> datetime.date:
    """Give the first day of the merge period that a day lies in: itself, its Monday, the first of its month.

    It is the day by which purchases of that period are dated; see `end_of_period`.
    """
    require_choice("merge_period", merge_period, MERGE_PERIODS)
    if merge_period == "W":
        return day - datetime.timedelta(days=day.weekday())
    return day.replace(day=1) if merge_period == "M" else day


def _reduced(checked: CheckedRows, source: str, zero_amounts: str, refunds: str, merge_period: str) -> Purchases:
    """Make purchases of the rows that can be used."""
    rows = checked.native
    states_margin = "margin" in rows.columns
    margin = rows.margin if states_margin else ibis.null("float64")
    marks = {"is_shared"} & set(rows.columns) if merge_period == "D" else set()
    marked = rows.select("customer_id", "date", "amount", *marks, margin=margin)
    realised = marked.drop(*marks)
    sales = marked.filter(marked.amount >= 0) if refunds == "exclude" else marked
    periods = _judged(_periods(sales, merge_period, zero_amounts, states_margin), zero_amounts)
    bought = periods.filter(periods.verdict == "purchase")
    native = bought.select("customer_id", "date", "amount", "margin")
    counts = _counted(periods)
    merging = _steps(realised, counts, merge_period)
    steps = [*checked.steps, *merging]
    if "purchase" not in counts.index:
        left_out = "; ".join(f"{reason}: {-rows:,}" for step, rows, _, reason in steps if step == "excluded")
        raise InputRefused(checked.name, [Problem(f"no purchase remains ({left_out})")])
    span = counts.loc["purchase", ["first", "last"]]
    is_any_excluded = any(step == "excluded" for step, *_ in merging)
    segments = _segments(rows, native if is_any_excluded else None)
    built_in = find_built_in(source, "transactions")
    return Purchases(
        native=native,
        native_realised=realised,
        accounting=account(steps),
        inputs=checked.inputs,
        notes=[
            *checked.notes,
            *(_lost_customers(checked, native) if is_any_excluded else []),
            *_negative_margins(checked),
            *_several_segments(checked, segments),
        ],
        first_date=day(span["first"], "first"),
        last_date=day(span["last"], "last"),
        currency=checked.currency,
        has_margin=states_margin and bool(realised.margin.notnull().any().to_pandas()),
        # The margin of a day whose rows do not all state theirs is no sum of what is known of them.
        is_all_bought=merge_period == "D" and not (is_any_excluded or states_margin or counts.refund_rows.any()),
        categories_per_customer=_scope(rows),
        segments=None if segments is None else segments.drop("named"),
        is_simulated=bool(built_in and built_in.is_simulated),
        categories=_categories(rows),
    )


def _periods(sales: ibis.Table, merge_period: str, zero_amounts: str, states_margin: bool) -> ibis.Table:
    """Make one row of what a customer bought in a period; where rows alone on their day are known, these stay."""
    has_refunds = bool((sales.amount < 0).any().to_pandas())
    rules = (merge_period, zero_amounts, states_margin, has_refunds)
    if "is_shared" not in sales.columns:
        return held(_merged(sales, *rules))
    several = held(_merged(sales.filter(sales.is_shared), *rules))
    alone = sales.filter(~sales.is_shared)
    is_refund = alone.amount < 0
    columns = {
        "merged_rows": ibis.literal(1),
        "refund_rows": is_refund.cast("int64"),
        "refund_amount": ibis.ifelse(is_refund, alone.amount, 0.0),
    }
    alone = alone.mutate(**columns).select(several.columns)
    return several.union(alone.cast(several.schema()))


def _merged(
    sales: ibis.Table, merge_period: str, zero_amounts: str, states_margin: bool, has_refunds: bool
) -> ibis.Table:
    """Merge the rows of a customer's period; what would be the same in each is left to `_judged`."""
    is_refund = sales.amount < 0
    columns = {"net": sales.amount.sum(), "merged_rows": sales.count()}
    if has_refunds:
        columns["gross"] = sales.amount.abs().sum()
        columns["refund_rows"] = is_refund.sum()
        columns["refund_amount"] = sales.amount.sum(where=is_refund).coalesce(0.0)
    if states_margin:
        # The margin of a period is known where that of each of its rows is.
        columns["margin"] = ibis.ifelse(sales.margin.count() == sales.count(), sales.margin.sum(), None)
    date = sales.date
    if merge_period != "D":
        date = first_day(sales.date, merge_period)
        # Where zero amounts are no purchases, their days are no days of purchase.
        is_bought = sales.amount > 0 if zero_amounts == "exclude" else ~is_refund
        columns["first_day"] = sales.date.min(where=is_bought)
        columns["last_day"] = sales.date.max(where=is_bought)
    periods = sales.group_by("customer_id", date=date).agg(**columns)
    amount = periods.net
    if "gross" in columns:
        amount = ibis.ifelse(periods.net.abs() <= _ROUNDING * periods.gross, 0.0, periods.net)
    return periods.mutate(amount=amount).drop("net", *({"gross"} & columns.keys()))


def _judged(periods: ibis.Table, zero_amounts: str) -> ibis.Table:
    """Give what a customer bought in a period a verdict on whether that is a purchase."""
    zero = "zero" if zero_amounts == "exclude" else "purchase"
    verdict = ibis.cases((periods.amount < 0, "refund"), (periods.amount == 0, zero), else_="purchase")
    constant = {
        "refund_rows": ibis.literal(0),
        "refund_amount": ibis.literal(0.0),
        "margin": ibis.null("float64"),
        "first_day": periods.date,
        "last_day": periods.date,
    }
    absent = {name: value for name, value in constant.items() if name not in periods.columns}
    return periods.mutate(verdict=verdict, **absent)


def _counted(periods: ibis.Table) -> pd.DataFrame:
    """Count what customers bought in a period, by verdict, and the rows that became one with another."""
    only_refunds = periods.refund_rows == periods.merged_rows
    counts = periods.group_by("verdict").agg(
        rows=periods.count(),
        amount=periods.amount.sum(),
        free=(periods.amount == 0).sum(),
        first=periods.first_day.min(),
        last=periods.last_day.max(),
        merged_rows=periods.merged_rows.sum(),
        refund_rows=periods.refund_rows.sum(),
        refunds=(periods.refund_rows - 1).sum(where=only_refunds).coalesce(0),
        netted=periods.refund_rows.sum(where=~only_refunds).coalesce(0),
        netted_amount=periods.refund_amount.sum(where=~only_refunds).coalesce(0.0),
    )
    return counts.to_pandas().set_index("verdict")


def _steps(realised: ibis.Table, counts: pd.DataFrame, merge_period: str) -> list[tuple[str, int, float, str]]:
    """Account for the way from usable rows to purchases."""
    before = realised.aggregate(rows=realised.count(), amount=realised.amount.sum()).to_pandas().iloc[0]
    period = MERGE_PERIODS[merge_period]
    steps = []
    refunds = int(before.rows - counts.merged_rows.sum())
    if refunds:
        amount = float(before.amount - counts.amount.sum())
        steps.append(("excluded", -refunds, -amount, "refunds (negative amounts)"))
    steps += _mergers(counts, period)
    reasons = {
        "refund": f"refunds exceed the purchases of the {period}",
        "zero": f"the amount of the {period} is zero",
    }
    for verdict, reason in reasons.items():
        if verdict in counts.index:
            line = counts.loc[verdict]
            steps.append(("excluded", -int(line.rows), -float(line.amount), reason))
    purchases = counts[["rows", "amount", "free"]].reindex(["purchase"], fill_value=0).iloc[0]
    if purchases.free:
        free = f"{int(purchases.free):,} purchase"
        free += " of amount zero counts as a purchase" if purchases.free == 1 else "s of amount zero count as purchases"
        steps.append(("kept", 0, 0.0, free))
    remaining = (int(purchases.rows), float(purchases.amount))
    return [*steps, ("purchases", *remaining, f"one for each customer and {period}")]


def _mergers(counts: pd.DataFrame, period: str) -> list[tuple[str, int, float, str]]:
    """Account for the rows that became one with another; that changes no amount, though refunds lower purchases."""
    merged = (counts.merged_rows - counts.rows).sum()
    refunds, netted = counts.refunds.sum(), counts.netted.sum()
    netting = f"refunds netted against purchases of the same {period}: {counts.netted_amount.sum():,.2f} in amount"
    lines = [
        (merged - refunds - netted, f"purchases of one customer in the same {period} are one"),
        (refunds, f"refunds of one customer in the same {period} are one"),
        (netted, netting),
    ]
    return [("merged", -int(rows), 0.0, reason) for rows, reason in lines if rows]


def _lost_customers(checked: CheckedRows, bought: ibis.Table) -> list[str]:
    rows = checked.native.anti_join(bought, "customer_id")
    lost = rows.aggregate(customers=rows.customer_id.nunique(), amount=rows.amount.sum()).to_pandas().iloc[0]
    if not lost.customers:
        return []
    return [
        f"Customers of {checked.name} with no purchase left after these rules: {int(lost.customers):,}. "
        f"The amounts of their rows add up to {lost.amount:,.2f}."
    ]


def _negative_margins(checked: CheckedRows) -> list[str]:
    if "margin" not in checked.table.columns:
        return []
    rows = checked.table.filter(checked.table.margin < 0).count().to_pandas()
    return [f"Rows of {checked.name} with a negative margin: {rows:,}. They are kept."] if rows else []


def _categories(rows: ibis.Table) -> ibis.Table | None:
    if "category" not in rows.columns:
        return None
    return text_ids(rows.filter(rows.amount >= 0).select("customer_id", "date", "category", "amount"))


def _scope(rows: ibis.Table) -> float | None:
    if "category" not in rows.columns:
        return None
    pairs = rows.filter(rows.amount >= 0).select("customer_id", "category").distinct()
    counts = pairs.aggregate(categories=pairs.category.count(), customers=pairs.customer_id.nunique())
    return float((counts.categories / counts.customers).to_pandas().iloc[0])


def _segments(rows: ibis.Table, purchases: ibis.Table | None) -> ibis.Table | None:
    """Find the segment of each customer with a purchase, and how many segments the customer's rows name.

    Without `purchases`, everybody has one.
    """
    if "segment" not in rows.columns:
        return None
    pairs = rows.group_by("customer_id", "segment").agg(since=rows.date.min(where=rows.segment.notnull()))
    known = pairs if purchases is None else pairs.semi_join(purchases, "customer_id")
    known = known.mutate(first_named=known.since.min().over(group_by="customer_id"))
    segments = known.group_by("customer_id").agg(
        segment=known.segment.min(where=known.since == known.first_named),
        since=known.first_named.min(),
        named=known.segment.count(),
    )
    return held(text_ids(segments))


def _several_segments(checked: CheckedRows, segments: ibis.Table | None) -> list[str]:
    several = 0 if segments is None else segments.filter(segments.named > 1).count().to_pandas()
    if not several:
        return []
    return [f"Customers of {checked.name} with more than one segment: {several:,}. The first that is named counts."]
