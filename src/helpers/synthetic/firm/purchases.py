"""Order lines: what was in each purchase, and what the firm earned on it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.models.lifetime_value.value import DAYS_PER_YEAR
from helpers.synthetic.transactions import Purchases

from .people import CATEGORIES, People, category_margin


def transactions(
    people: People,
    purchases: Purchases,
    rng: np.random.Generator,
    *,
    further_lines: float = 0.4,
    further_items: float = 0.3,
    margin_trend: float = 0.0,
) -> pd.DataFrame:
    """Part purchases into order lines.

    Parameters
    ----------
    people : People
    purchases : Purchases
        Of those people.
    rng : Generator
    further_lines : float
        Mean number of lines of an order beyond the first; an order has no more lines than cents.
    further_items : float
        Mean quantity of a line beyond 1.
    margin_trend : float
        By how much the margin rate of everything rises in a year; below 0 it falls.

    Returns
    -------
    DataFrame
        customer_id, date, amount, order_id (1, 2, ... in order of time), product_id, category, quantity, margin,
        segment. Amounts are in cents and add up to the purchase; margin is the line's amount times the rate of its
        category, shifted by the customer's own and by the day's, in cents.
    """
    line_rng, product_rng, quantity_rng = rng.spawn(3)
    order, cents = _lines(np.rint(purchases.amount * 100).astype(np.int64), line_rng, further_lines)
    customer = purchases.customer[order]
    category, product = _products(len(order), product_rng)
    rate = np.array([rate for _, rate, _ in CATEGORIES.values()])[category]
    rate += people.margin_rate[customer] - category_margin()
    rate += margin_trend * purchases.day[order] / DAYS_PER_YEAR
    names = [f"{name}-{number}" for name, (*_, products) in CATEGORIES.items() for number in range(1, products + 1)]
    segment, segments = pd.factorize(people.segment)
    return pd.DataFrame(
        {
            "customer_id": people.customer_id[customer],
            "date": people.date(purchases.day[order]),
            "amount": cents / 100,
            "order_id": order + 1,
            "product_id": pd.Categorical.from_codes(product, names),
            "category": pd.Categorical.from_codes(category, list(CATEGORIES)),
            "quantity": 1 + quantity_rng.poisson(further_items, len(order)),
            "margin": np.rint(cents * rate) / 100,
            "segment": pd.Categorical.from_codes(segment[customer], segments),
        }
    )


def _lines(total: np.ndarray, rng: np.random.Generator, further: float) -> tuple[np.ndarray, np.ndarray]:
    """Part each total into one or more lines of at least 1; give each line's order, from 0, and its part."""
    lines = np.minimum(1 + rng.poisson(further, len(total)), total)
    order = np.repeat(np.arange(len(total)), lines)
    last = np.cumsum(lines) - 1
    weight = np.cumsum(rng.random(len(order)))
    before = np.append(0.0, weight[last[:-1]])
    share = (weight - before[order]) / (weight[last] - before)[order]
    # What is beyond 1 for each line is cut at the cumulated shares, so the parts add up.
    up_to = np.rint(share * (total - lines)[order]).astype(np.int64)
    up_to[last] = total - lines
    part = np.diff(up_to, prepend=0)
    first = np.append(0, last[:-1] + 1)
    part[first] = up_to[first]
    return order, part + 1


def _products(lines: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw the category of each line and its product, numbered through all categories."""
    shares, _, products = (np.array(column) for column in zip(*CATEGORIES.values(), strict=True))
    category = rng.choice(len(CATEGORIES), lines, p=shares)
    first = np.cumsum(products) - products
    return category, first[category] + (rng.random(lines) * products[category]).astype(np.int64)
