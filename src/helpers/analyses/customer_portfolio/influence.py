"""What customers bring by bringing others: net referral value, as the report on referral value counts it."""

from __future__ import annotations

import numpy as np

from ..referral_value.customers import Customers
from ..referral_value.measurement import Measurement as ReferralValue
from ..referral_value.settings import SHARE
from ..referral_value.settings import Settings as ReferralSettings
from .reading import Portfolio


def referral_value(portfolio: Portfolio) -> np.ndarray:
    """Return the net value of those whom each customer brought directly; 0 where no referrals are given.

    Where nobody knows who would have come anyway, the share among the known counts: the report on referral value has
    more to say of it.
    """
    now, found = portfolio.now, portfolio.files.referrals
    if found is None or not len(found.frame):
        return np.zeros(len(now))
    customers = Customers(
        customer_id=portfolio.customer_id,
        first_date=portfolio.first_date,
        margin=now.sum_of("margin"),
        marketing=now.cost,
        future_margin=now.future_value,
        future_marketing=now.future_cost,
        future_spend_draws=now.expectation.draws[:0],
        margin_rate=now.margin_rate,
        problems=(),
    )
    settings = ReferralSettings(
        transactions=portfolio.settings.transactions,
        referrals=portfolio.settings.referrals,
        probability_type_one=SHARE,
        horizon_weeks=portfolio.settings.horizon_weeks,
        annual_discount_rate=portfolio.settings.annual_discount_rate,
    )
    files = portfolio.files
    places = found.positions(portfolio.customer_id)
    return ReferralValue(settings, files.purchases, files.touches, found, now.date, customers, *places).parts.net
