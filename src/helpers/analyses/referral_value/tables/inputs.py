"""What went into the report: rows of each file, and what was assumed where the files do not say."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Table, between, number, percent

from ..measurement import UNKNOWN_TYPE, Measurement
from ..settings import STATED


def assumptions(result: Measurement) -> Table:
    """What is known of the referrals, and what was taken for the rest."""
    frame = result.referrals.frame
    rows = [
        ("Type one: would not have joined otherwise", "would_have_joined", _types(result), _taken_types(result)),
        *(
            (what, column, _mean(result, column), f"{taken(result, column)} ({_set_by(result, column)})")
            for what, column in (("Incentive", "incentive_cost"), ("Acquisition saved", "acquisition_cost"))
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


PARAMETERS = {"incentive_cost": "incentive_cost", "acquisition_cost": "acquisition_saving"}
NOT_SHOWN = "not shown"


def taken(result: Measurement, column: str) -> str:
    """Return the amount that is taken where the file does not state a cost; the mean of a few people's is not shown."""
    amount = result.assumed_incentive if column == "incentive_cost" else result.assumed_saving
    is_few = getattr(result.settings, PARAMETERS[column]) < 0 and _is_few(result, _stated(result, column))
    return NOT_SHOWN if is_few else number(amount, 2)


def _set_by(result: Measurement, column: str) -> str:
    parameter = PARAMETERS[column]
    is_set = getattr(result.settings, parameter) >= 0
    return parameter if is_set else "mean of those stated; 0 where none is"


def _mean(result: Measurement, column: str) -> str:
    stated = result.referrals.frame[column].dropna()
    if stated.empty:
        return "not known of any"
    return NOT_SHOWN if _is_few(result, len(stated)) else number(stated.mean(), 2)


def _stated(result: Measurement, column: str) -> int:
    frames = [result.referrals.frame, result.referrals.uncredited]
    return sum(int(frame[column].notna().sum()) for frame in frames if column in frame)


def _is_few(result: Measurement, stated: int) -> bool:
    return 0 < stated < result.settings.min_cell


def _types(result: Measurement) -> str:
    shares = result.type_one_share
    if not shares.known:
        return "not known of any"
    if _is_few(result, shares.known):
        return NOT_SHOWN
    return f"{percent(shares.value)} ({between(shares.low, shares.high, 1, 100)})"


def _taken_types(result: Measurement) -> str:
    chosen, shares = result.settings.unknown_type, result.type_one_share
    if isinstance(chosen, float):
        return f"{percent(chosen)} (probability_type_one)"
    if chosen == STATED:
        return "nothing: only the acquisition saved counts of them"
    if not shares.known:
        return f"{percent(UNKNOWN_TYPE)}, assumed"
    if result.is_modelled:
        probability = result.type_one[np.isnan(result.stated_type_one)]
        return f"by the model, {percent(probability.mean() if len(probability) else np.nan)} on average"
    return f"{NOT_SHOWN if _is_few(result, shares.known) else percent(shares.value)}, as of the others"


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
