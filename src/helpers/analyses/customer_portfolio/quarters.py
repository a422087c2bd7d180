"""Sales, margin and costs of all customers by calendar quarter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis
import pandas as pd

from helpers.data.engines import first_day

if TYPE_CHECKING:
    from .measurement import Measurement


def by_quarter(result: Measurement) -> pd.DataFrame:
    """Return period (such as "2024-Q1"), sales, margin, marketing, service of each quarter that was observed whole.

    The first and the last quarter count only if the purchases, and the files of costs, cover them: a part of a quarter
    would look like a fall, and a quarter before a file of costs begins like one without costs.
    """
    rows = result.files.purchases.realised
    rows = rows.filter(rows.date <= result.now.date)
    rows = rows.mutate(
        margin=ibis.coalesce(rows.margin, result.settings.margin_rate * rows.amount), quarter=first_day(rows.date, "Q")
    )
    sold = rows.group_by("quarter").agg(sales=rows.amount.sum(), margin=rows.margin.sum()).to_pandas()
    found = sold.assign(quarter=pd.PeriodIndex(sold["quarter"], freq="Q")).set_index("quarter")
    # a quarter in which nothing was sold is one, too
    found = found.reindex(pd.period_range(found.index.min(), found.index.max(), freq="Q"))
    for name, costs in (("marketing", result.files.touches), ("service", result.files.contacts)):
        spent = costs.by_month.set_index(pd.PeriodIndex(costs.by_month["month"], freq="M"))["cost"]
        found[name] = spent.groupby(spent.index.asfreq("Q")).sum().reindex(found.index)
    purchases, costs = result.files.purchases, (result.files.touches, result.files.contacts)
    first = max([purchases.first_date, *(one.by_month["month"].min().date() for one in costs if len(one.by_month))])
    last = min(purchases.last_date, result.now.date)
    whole = (found.index.start_time.date >= first) & (found.index.end_time.date <= last)
    found = found[whole].fillna(0.0).reset_index(names="period")
    return found.assign(period=[f"{quarter.year}-Q{quarter.quarter}" for quarter in found["period"]])
