"""What is true of each customer of a simulated firm, and of all of them together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from helpers.models.quadrants import classify, cuts
from helpers.models.referral_value.classes import CLASSES
from helpers.synthetic.satisfaction_survey import CONSTRUCTS

from .people import People

RECENT_DAYS = 365


def customer_truth(
    people: People,
    transactions: pd.DataFrame,
    marketing_touches: pd.DataFrame,
    referrals: pd.DataFrame,
    service_contacts: pd.DataFrame,
    *,
    horizon_weeks: float = 52,
    annual_discount_rate: float = 0.10,
    margin_trend: float = 0.0,
) -> pd.DataFrame:
    """Say what each customer is like and worth, as of the end of the last day.

    Lifetime value is realised margin less realised marketing cost, both at face value, plus the margin to expect within
    the horizon of those who are still customers, at the margin rates of the last day; what answering them cost stands
    beside and is not taken off. Referral value is of direct referrals, each referee counted at their
    lifetime value: gross, all of it; otherwise by the formula of Kumar, Petersen and Leone (2010, Journal of Marketing
    74(5), 1-17), lifetime value less incentive plus acquisition saving for type one, acquisition saving alone for type
    two.

    Parameters
    ----------
    people : People
    transactions, marketing_touches, referrals, service_contacts : DataFrame
        Of those people; referrals without flaws.
    horizon_weeks : float
        How far ahead margin counts.
    annual_discount_rate : float
        Of the margin ahead, a share a year.
    margin_trend : float
        As the transactions have it.

    Returns
    -------
    DataFrame
        customer_id, segment, first_date, the constructs, rate (purchases a week), dropout_probability, mean_spend,
        margin_rate (of the last day), alive_at_end, left_date (missing where alive), referrer_id (missing where nobody
        brought them), would_have_joined (missing likewise), purchases (orders, the first included), realised_margin,
        current_margin (realised in the last 365 days), marketing_cost, service_cost (of all contacts),
        expected_residual_margin, lifetime_value, referrals, gross_referral_value, referral_value, customer_class
        (above the median is high).
    """
    size = len(people)
    realised = _sums(transactions["customer_id"], transactions["margin"], size)
    marketing = _sums(marketing_touches["customer_id"], marketing_touches["cost"], size)
    service = _sums(service_contacts["customer_id"], service_contacts["cost"], size)
    is_recent = transactions["date"] > people.date(people.end_day - RECENT_DAYS)
    current = _sums(transactions["customer_id"], transactions["margin"] * is_recent, size)
    people = replace(people, margin_rate=people.margin_rate_on(people.end_day, margin_trend))
    residual = np.where(people.alive, people.expected_margin(horizon_weeks, annual_discount_rate), 0.0)
    lifetime = realised - marketing + residual

    referrer = referrals["referrer_id"]
    brought = lifetime[referrals["referee_id"].to_numpy() - 1]
    type_one = ~referrals["would_have_joined"].to_numpy()
    net = type_one * (brought - referrals["incentive_cost"].to_numpy()) + referrals["acquisition_cost"].to_numpy()
    referral = _sums(referrer, net, size)
    alone = people.referrer < 0
    orders = transactions.drop_duplicates("order_id")["customer_id"]
    left = people.date(np.where(people.alive, 0, people.left))
    return pd.DataFrame(
        {
            "customer_id": people.customer_id,
            "segment": pd.Categorical(people.segment),
            "first_date": people.date(people.joined),
            **dict(zip(CONSTRUCTS, people.constructs.T, strict=True)),
            "rate": people.rate,
            "dropout_probability": people.dropout_probability,
            "mean_spend": people.spend,
            "margin_rate": people.margin_rate,
            "alive_at_end": people.alive,
            "left_date": np.where(people.alive, np.datetime64("NaT", "ns"), left),
            "referrer_id": pd.arrays.IntegerArray(people.referrer + 1, alone),
            "would_have_joined": pd.arrays.BooleanArray(people.would_have_joined, alone),
            "purchases": np.bincount(orders - 1, minlength=size),
            "realised_margin": realised,
            "current_margin": current,
            "marketing_cost": marketing,
            "service_cost": service,
            "expected_residual_margin": residual,
            "lifetime_value": lifetime,
            "referrals": np.bincount(referrer - 1, minlength=size),
            "gross_referral_value": _sums(referrer, brought, size),
            "referral_value": referral,
            "customer_class": pd.Categorical.from_codes(
                classify(lifetime, referral, cuts(lifetime), cuts(referral)), list(CLASSES)
            ),
        }
    )


def firm_truth(truth: pd.DataFrame, referrals: pd.DataFrame) -> dict[str, float]:
    """Sum up what is true of the firm.

    Parameters
    ----------
    truth, referrals : DataFrame
        As made and taken by `customer_truth`.

    Returns
    -------
    dict of str to float
        Sums and means of values and costs, shares of the classes, and what the sources' claims are about: by how much
        mean referral value exceeds mean lifetime value (A07), and whether those of high referral value have high
        lifetime value: their share, 0.5 where one has nothing to do with the other, and the rank correlation (A08).
    """
    values = ["lifetime_value", "gross_referral_value", "referral_value"]
    sums = [
        "realised_margin",
        "current_margin",
        "marketing_cost",
        "service_cost",
        "expected_residual_margin",
        "referrals",
        *values,
    ]
    share = truth["customer_class"].value_counts(normalize=True)
    high_referral = share["champions"] + share["advocates"]
    both = truth[["lifetime_value", "referral_value"]]
    varied = (both.nunique() > 1).all()
    incentives, savings = referrals["incentive_cost"].sum(), referrals["acquisition_cost"].sum()
    return {
        **{f"total_{name}": float(truth[name].sum()) for name in sums},
        **{f"mean_{name}": float(truth[name].mean()) for name in values},
        "total_incentive_cost": float(incentives),
        "total_acquisition_saving": float(savings),
        "total_value": float(truth["lifetime_value"].sum() + savings - incentives),
        "alive_share": float(truth["alive_at_end"].mean()),
        "referrer_share": float((truth["referrals"] > 0).mean()),
        "type_one_referrals": float((~referrals["would_have_joined"]).sum()),
        **{f"share_{name}": float(share[name]) for name in CLASSES},
        "referral_less_lifetime_value": float((truth["referral_value"] - truth["lifetime_value"]).mean()),
        "high_lifetime_among_high_referral": float(share["champions"] / high_referral) if high_referral else np.nan,
        "rank_correlation": float(spearmanr(both).statistic) if varied else np.nan,
    }


def _sums(customer_id: pd.Series, amounts, size: int) -> np.ndarray:
    return np.bincount(customer_id - 1, weights=amounts, minlength=size)
