"""What went into the report: rows of each file, and what was assumed where the files do not say."""

from __future__ import annotations

import pandas as pd

from helpers.exhibits import Column, Table, between, number, percent

from ..measurement import UNKNOWN_TYPE, Measurement


def assumptions(result: Measurement) -> Table:
    """What is known of the referrals, and what was taken for the rest."""
    frame, settings = result.referrals.frame, result.settings
    shares = result.type_one_share
    known = percent(shares.value) if shares.known else "not known of any"
    interval = f" ({between(shares.low, shares.high, 1, 100)})" if shares.known else ""
    if settings.probability_type_one >= 0:
        taken = f"{percent(settings.probability_type_one)} (probability_type_one)"
    else:
        taken = f"{percent(shares.value)}, as of the others" if shares.known else f"{percent(UNKNOWN_TYPE)}, assumed"
    incentives = settings.incentive_cost, result.assumed_incentive
    savings = settings.acquisition_saving, result.assumed_saving
    rows = [
        ("Type one: would not have joined otherwise", "would_have_joined", f"{known}{interval}", taken),
        ("Incentive", "incentive_cost", _mean(frame, "incentive_cost"), _taken("incentive_cost", *incentives)),
        (
            "Acquisition saved",
            "acquisition_cost",
            _mean(frame, "acquisition_cost"),
            _taken("acquisition_saving", *savings),
        ),
    ]
    lines = [
        (what, int(frame[column].notna().sum()), int(frame[column].isna().sum()), stated, assumed)
        for what, column, stated, assumed in rows
    ]
    table = pd.DataFrame(lines, columns=["what", "stated", "unstated", "stated_value", "assumed_value"])
    columns = {
        "what": Column("Of each referral"),
        "stated": Column("Stated", "referrals", 0),
        "stated_value": Column("Share or mean of these"),
        "unstated": Column("Not stated", "referrals", 0),
        "assumed_value": Column("Taken for these"),
    }
    caption = (
        "What the file says of each referral, and what is taken where it does not. The share of type one among those "
        "whose type is known speaks for the others only if it does not depend on the type whether it is known; so do "
        "the means. What is taken for incentives is the mean over referrals that are not credited as well."
    )
    return Table("assumptions", table, caption, columns)


def _mean(frame: pd.DataFrame, column: str) -> str:
    return number(frame[column].mean(), 2) if frame[column].notna().any() else "not known of any"


def _taken(parameter: str, chosen: float, assumed: float) -> str:
    return f"{number(assumed, 2)} ({parameter if chosen >= 0 else 'mean of those stated; 0 where none is'})"


def data_accounting(result: Measurement) -> Table:
    """From rows of the transactions to purchases."""
    return _account("data_accounting", result.purchases.accounting, "transactions", result.currency)


def referral_accounting(result: Measurement) -> Table:
    """From rows of the referrals to those that are credited."""
    if not len(result.referrals.accounting):
        return Table.nothing("referral_accounting", "No referrals are given (referrals).")
    return _account("referral_accounting", result.referrals.accounting, "referrals", result.currency)


def marketing_accounting(result: Measurement) -> Table:
    """From rows of the marketing touches to those that count."""
    if not len(result.touches.accounting):
        return Table.nothing("marketing_accounting", "No marketing touches are given, so nobody has cost anything.")
    return _account("marketing_accounting", result.touches.accounting, "marketing touches", result.currency)


def _account(name: str, frame: pd.DataFrame, what: str, currency: str) -> Table:
    columns = {
        "step": Column("Step"),
        "rows": Column("Rows", digits=0),
        "amount": Column("Amount", currency, 2),
        "reason": Column("Reason"),
    }
    return Table(name, frame, f"What became of every row of the {what}: the lines add up to the last.", columns)
