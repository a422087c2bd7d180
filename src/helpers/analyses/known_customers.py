"""Who is a customer, each with a place: what several files say of them is put together by numbers, not by text."""

from __future__ import annotations

from datetime import date

import ibis
import numpy as np
import pandas as pd

from helpers.data.engines import hand_over, held


def known_customers(purchases_table: ibis.Table, end: date, customer_id) -> ibis.Table:
    """Write down in the engine who is a customer.

    Parameters
    ----------
    purchases_table : ibis Table
        `helpers.data.transactions.Purchases.table`.
    end : date
        The last day that counts.
    customer_id : array_like of str, shape (customers,)
        Everybody who had bought by then, in the order that places shall follow.

    Returns
    -------
    ibis Table
        customer_id, place, first_date, last_date: of the first and of the last purchase up to `end`.
    """
    frame = pd.DataFrame({"customer_id": customer_id, "place": np.arange(len(customer_id), dtype=np.int32)})
    places = hand_over(purchases_table.get_backend(), frame)
    bought = purchases_table.filter(purchases_table.date <= end)
    dates = bought.group_by("customer_id").agg(first_date=bought.date.min(), last_date=bought.date.max())
    return held(dates.join(places, "customer_id"))


def with_places(table: ibis.Table, known: ibis.Table) -> ibis.Table:
    """Return the rows of a table that are of known customers, with the customer's place for the customer_id."""
    return table.join(known.select("customer_id", "place"), "customer_id").drop("customer_id")


def by_place(table: ibis.Table, customers: int) -> pd.DataFrame:
    """Fetch one row for each customer, in order, of a table that has at most one of each.

    Parameters
    ----------
    table : ibis Table
        place and what is wanted; dates come as timestamps.
    customers : int
        How many there are; what the table does not tell of them is missing.
    """
    # as dates they would be fetched as objects, one by one
    casts = {name: table[name].cast("timestamp") for name in table.columns if table[name].type().is_date()}
    return table.mutate(**casts).to_pandas().set_index("place").reindex(range(customers))
