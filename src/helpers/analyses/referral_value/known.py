"""What is known of each referral when the referee comes: what may tell whether they would have come anyway."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd

from helpers.data.engines import hand_over
from helpers.models.lifetime_value.value import DAYS_PER_YEAR
from helpers.models.referral_value import attribution

# By column: what it is, in words, and its unit; none of money, whose unit is the report's.
MEANINGS = {
    "days_to_purchase": ("From the referral to the referee's first purchase", "day"),
    "incentive_cost": ("What was paid for the referral", ""),
    "acquisition_cost": ("What winning the referee otherwise would have cost", ""),
    "referrer_years": ("How long the referrer had been a customer", "year"),
    "referrer_purchases": ("What the referrer had bought before", "purchase"),
    "referrer_referrals": ("Whom the referrer had brought before", "referral"),
    "generation": ("Referrals that lead to the referee", "referral"),
    "years": ("Calendar time", "year"),
}


def of_referrals(frame: pd.DataFrame, referrer, referee, first_date, purchases: ibis.Table) -> pd.DataFrame:
    """Gather the columns of `MEANINGS`; nothing in them happened after the referee's first purchase.

    Parameters
    ----------
    frame : pandas.DataFrame
        Of `helpers.data.referrals.Referrals`, in order of date.
    referrer, referee : ndarray of int, shape (referrals,)
        Places among the customers.
    first_date : ndarray of datetime64, shape (customers,)
    purchases : ibis Table
        customer_id, date of each purchase.

    Returns
    -------
    pandas.DataFrame
        One row for each referral. Costs that are not stated are the mean of those that are, 0 where none is.
    """
    dates = frame["date"].to_numpy("datetime64[ns]")
    costs = {
        name: frame[name].fillna(frame[name].mean()).fillna(0.0) for name in ("incentive_cost", "acquisition_cost")
    }
    return pd.DataFrame(
        {
            "days_to_purchase": _days(first_date[referee] - dates),
            **costs,
            "referrer_years": _days(dates - first_date[referrer]) / DAYS_PER_YEAR,
            "referrer_purchases": _purchases_before(frame, purchases),
            "referrer_referrals": pd.Series(referrer).groupby(referrer).cumcount(),
            "generation": attribution.generations(referrer, referee, len(first_date))[referee],
            "years": _days(dates - dates[:1]) / DAYS_PER_YEAR,
        },
        columns=list(MEANINGS),
    ).astype(float)


def _days(time: np.ndarray) -> np.ndarray:
    return time / np.timedelta64(1, "D")


def _purchases_before(frame: pd.DataFrame, purchases: ibis.Table) -> np.ndarray:
    found = np.zeros(len(frame))
    if frame.empty:  # the engine could not tell the types of its columns
        return found
    rows = pd.DataFrame({"place": np.arange(len(frame)), "customer_id": frame["referrer_id"], "until": frame["date"]})
    table = hand_over(purchases.get_backend(), rows)
    before = table.join(purchases, ["customer_id", table.until.date() > purchases.date.cast("date")])
    counts = before.group_by("place").agg(purchases=before.count()).to_pandas()
    found[counts["place"]] = counts["purchases"]
    return found
