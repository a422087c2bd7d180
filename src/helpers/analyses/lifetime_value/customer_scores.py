"""What the models say of every customer: computed once for each distinct history, joined back inside the engine."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import numpy as np
import pandas as pd

from helpers.models.fit import Fit
from helpers.models.lifetime_value import value
from helpers.models.threads import threads

from .settings import Settings

HISTORY = ("frequency", "recency", "T")
SCORES = ("probability_alive", "probability_of_purchase", "expected_purchases", "discounted_purchases")
SPAN = 2**20  # days: more than a history can last, so that three whole numbers make one


def score_histories(purchases: Fit | None, rows: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """Score the distinct histories.

    Parameters
    ----------
    purchases : Fit or None
        The purchase model.
    rows : pandas.DataFrame
        Distinct frequency, recency, T.
    settings : Settings
        The horizon and the discount rate.

    Returns
    -------
    pandas.DataFrame
        frequency, recency, T; probability_alive; probability_of_purchase and expected_purchases within the horizon;
        discounted_purchases, the latter discounted. Missing without a model.
    """
    scores = dict.fromkeys(SCORES, np.nan)
    if purchases is not None:
        model, history = purchases.model, [rows[name].to_numpy(float) for name in HISTORY]
        terms = settings.horizon_weeks, settings.annual_discount_rate, settings.time_unit
        told = (
            lambda: model.probability_alive(*history),
            lambda: model.probability_of_purchase(*history, settings.horizon),
            lambda: model.expected_purchases(*history, settings.horizon),
            lambda: value.discounted_purchases(model, *history, *terms),
        )
        with threads() as pool:
            scores = dict(zip(SCORES, pool.map(lambda tell: tell(), told), strict=True))
    return pd.DataFrame({name: rows[name] for name in HISTORY} | scores, index=rows.index, copy=False)


def score_customers(
    summary: ibis.Table,
    histories: pd.DataFrame,
    spend: Fit | None,
    margin_rate: float,
    settings: Settings,
    also: Sequence[str] = (),
) -> ibis.Table:
    """Give every customer of a summary the scores of the own history and spend, as an expression of the engine.

    Parameters
    ----------
    summary : ibis Table
        Of `helpers.data.customer_summary.summarise`.
    histories : pandas.DataFrame
        Of `score_histories`, for all histories of the summary.
    spend : Fit or None
        The spend model.
    margin_rate : float
        Margin as a share of the amount.
    settings : Settings
        The planned cost of marketing, and the time unit of the summary.
    also : sequence of str
        Columns of the summary that are wanted too.

    Returns
    -------
    ibis Table
        customer_id, frequency, recency, T, monetary_value, probability_alive, probability_of_purchase,
        expected_purchases, expected_spend, potential_value; null where there is no model, or no finite mean; and
        the columns of `also`.
    """
    told = _numbered(ibis.memtable(histories), settings.time_unit).drop(*HISTORY)
    known = _numbered(summary, settings.time_unit).inner_join(told, "history")
    terms = settings.horizon_weeks, settings.annual_discount_rate
    cost = ibis.literal(float(value.discounted_cost(settings.planned_marketing_cost, *terms)), "float64")
    rate = ibis.literal(float(margin_rate), "float64")
    known = known.mutate(expected_spend=_expected_spend(known, spend))
    return known.select(
        "customer_id",
        *HISTORY,
        "monetary_value",
        "probability_alive",
        "probability_of_purchase",
        "expected_purchases",
        "expected_spend",
        *also,
        potential_value=rate * known.expected_spend * known.discounted_purchases - cost,
    )


def _numbered(histories: ibis.Table, time_unit: str) -> ibis.Table:
    """Number histories by their whole numbers of purchases and days: an exact key, which the scaled times are not."""
    scale = value.DAYS_PER_UNIT[time_unit]
    recency, T = ((histories[name] * scale).round().cast("int64") for name in ("recency", "T"))
    return histories.mutate(history=(histories.frequency.cast("int64") * SPAN + T) * SPAN + recency)


def _expected_spend(known: ibis.Table, spend: Fit | None) -> ibis.Value:
    """`GammaGamma.expected_average_spend`, inside the engine."""
    if spend is None:
        return ibis.null("float64")
    # numbers that are whole, or written out, would make the engine count in decimals: slow, and not what floats give
    p, q, v = (ibis.literal(float(parameter), "float64") for parameter in spend.estimates)
    x = known.frequency.cast("float64")
    weight = p * x + q - 1
    return ibis.ifelse(weight > 0, p * (v + x * known.monetary_value) / weight, None)
