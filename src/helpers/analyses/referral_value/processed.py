"""One row for each customer, for other notebooks and for those who address customers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.models.referral_value.classes import CLASSES

from ..lifetime_value.expectation import bounds as draw_bounds
from .measurement import Measurement


def customer_table(result: Measurement) -> pd.DataFrame:
    """Return both values of each customer with intervals, the class, and how sure it is.

    Parameters
    ----------
    result : Measurement

    Returns
    -------
    pandas.DataFrame
        customer_id, lifetime_value, referral_value (net), their low and high, referral_value_gross, class,
        class_probability (nan without draws). Both values must not be added up over customers: those brought are
        customers too.
    """
    customers, stable = result.customers, result.stability
    frame = pd.DataFrame({"customer_id": customers.customer_id})
    for name, value, bounds in (
        ("lifetime_value", customers.lifetime_value, _lifetime_bounds(result)),
        ("referral_value", result.parts.net, _referral_bounds(result)),
    ):
        frame[name] = value
        frame[f"{name}_low"], frame[f"{name}_high"] = bounds
    frame["referral_value_gross"] = result.gross
    frame["class"] = np.array(CLASSES, dtype=object)[result.classes]
    frame["class_probability"] = np.nan if stable is None else stable.own.astype(float)
    return frame


def _lifetime_bounds(result: Measurement) -> np.ndarray:
    customers = result.customers
    past = customers.margin - customers.all_marketing
    return np.sort(past + customers.margin_rate * draw_bounds(customers.future_spend_draws), axis=0)


def _referral_bounds(result: Measurement) -> np.ndarray:
    """Return the interval of net referral value; of those who brought nobody it is known to be 0."""
    return result.net_bounds() if result.has_draws else np.full((2, len(result.customers.margin)), np.nan)
