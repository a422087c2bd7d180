"""The famous numbers of the sources, tested on a firm's own data."""

from __future__ import annotations

from itertools import product

import numpy as np

from helpers.exhibits import between, listed, number, percent
from helpers.models.estimate import Estimate
from helpers.models.retention_economics import five_points
from helpers.models.retention_economics.costs import CLAIMS
from helpers.models.retention_economics.five_points import FIRST_MARGINS, UNITS
from helpers.models.retention_economics.multiples import CLAIMED_PURCHASES, CLAIMED_VALUE

from ..claims import CANNOT_BE_TESTED, DEPENDS, NOT_SUPPORTED, SUPPORTED, Claim
from .measurement import Measurement
from .names import ABOUT, CLAIMED_UPLIFT, SOURCE_NAMES
from .tables.uplift import convention_words
from .tables.value import revenue_volatility

FIVE_TIMES = (CLAIMS["5 times"][0], CLAIMS["5 times more"][1])  # both readings of one sentence
SIX_TO_TEN = CLAIMS["6 to 10 times"]


def claims(result: Measurement) -> tuple[Claim, ...]:
    """Return the claims with their verdicts."""
    return (
        five_points_more(result),
        *cost_ratios(result),
        ten_purchases(result),
        sixty_times(result),
        steady(result),
        keeping_beats_winning(result),
    )


def against(found: Estimate, claimed: tuple[float, float], is_known: bool = False) -> str:
    """Return the verdict on a claimed range: whether the interval lies in it, outside, or on both sides of an end.

    Without an interval there is none, unless the number `is_known`, being set.
    """
    low, high = (found.value, found.value) if is_known else (found.low, found.high)
    if not (np.isfinite(low) and np.isfinite(high)):
        return CANNOT_BE_TESTED
    if high < claimed[0] or low > claimed[1]:
        return NOT_SUPPORTED
    return SUPPORTED if claimed[0] <= low and high <= claimed[1] else DEPENDS


def _claim(claim: str, chinese: str, english: str, found: Estimate | None, verdict: str, why: str, link: str) -> Claim:
    numbers = (np.nan,) * 3 if found is None else (float(found.value), float(found.low), float(found.high))
    return Claim(claim, chinese, english, *numbers, verdict, why, link)


# --- five points -------------------------------------------------------------------------------------------------


def five_points_more(result: Measurement) -> Claim:
    """Test claim B01: 5 % more retention, 25 to 85 % more profit; by every reading, as the sources choose none."""
    said = (
        "B01",
        "客户留置率上升5%……25%-85%",
        "When the retention rate of customers rises by 5 %, profit can rise by 25 to 85 %.",
    )
    if result.base is None:
        return _claim(*said, None, CANNOT_BE_TESTED, f"{result.base_problem} {where_true(result)}", "uplift_map")
    found = result.uplift_of(result.base)
    readings = [
        result.uplift_of(result.base, unit=unit, first_margin=first) for unit, first in product(UNITS, FIRST_MARGINS)
    ]
    verdicts = {against(each, CLAIMED_UPLIFT, result.base.is_set) for each in readings}
    if len(verdicts) == 1:
        verdict = verdicts.pop()
    else:
        # a reading by which retention would exceed 1 does not meet the claim either
        verdict = NOT_SUPPORTED if verdicts == {NOT_SUPPORTED, CANNOT_BE_TESTED} else DEPENDS
    return _claim(*said, found, verdict, f"{uplift_words(result)} {where_true(result)}", "uplift_map")


def uplift_words(result: Measurement) -> str:
    """Say what the step adds where the firm stands, and by the other readings."""
    base, settings = result.base, result.settings
    found, reason = result.uplift_of(base), result.reason_of(base)
    at = (
        f"At a retention of {base.words} a year (by {SOURCE_NAMES[base.source]}) and a discount rate of "
        f"{percent(settings.annual_discount_rate)}"
    )
    if reason:
        return f"{at} no uplift can be told. {reason}"
    others = [
        float(result.uplift_of(base, unit=unit, first_margin=first).value)
        for unit, first in product(UNITS, FIRST_MARGINS)
    ]
    known = [each for each in others if np.isfinite(each)]
    readings = "the four readings of the claim"
    if len(known) < len(others):
        readings = f"those of {readings} by which it can be told"
    interval = f" ({between(found.low, found.high, 1, 100)})" if np.isfinite(found.low) else ""
    return (
        f"{at}, {convention_words(result)}, would add {percent(found.value)}{interval} to the profit from a customer; "
        f"by {readings} {number(100 * min(known), 1)} to {percent(max(known))}."
    )


def where_true(result: Measurement) -> str:
    """Say between which base retentions the claim is true at this discount rate, by the chosen reading."""
    settings = result.settings
    rate = settings.annual_discount_rate
    found = five_points.where_true(rate, *CLAIMED_UPLIFT, settings.step, **settings.convention)
    claimed = f"{number(100 * CLAIMED_UPLIFT[0])} to {percent(CLAIMED_UPLIFT[1], 0)}"
    before = " before what winning the customer costs" if settings.acquisition_in_margins else ""
    at = f"At a discount rate of {percent(rate)}{before} the claimed {claimed} are reached"
    ranges = five_points.true_ranges(
        vars(found), *CLAIMED_UPLIFT, unit=settings.step_unit, first_margin=settings.first_margin
    )
    if not ranges:
        return f"{at} nowhere: the most is {percent(float(found.largest_uplift))}."
    told = listed(f"from {percent(start)} to {percent(end)}" for start, end in ranges)
    return f"{at} at base retentions {told}."


# --- costs ---------------------------------------------------------------------------------------------------------


def cost_ratios(result: Measurement) -> tuple[Claim, ...]:
    """Test claims B02: winning costs 6 to 10 times, or 5 times more, and what the sources call false."""
    said = (
        (
            SIX_TO_TEN,
            "获取成本往往是保持成本的6-10倍",
            "Winning a customer often costs 6 to 10 times as much as keeping one.",
        ),
        (
            FIVE_TIMES,
            "多花5倍的成本",
            "Winning a new customer costs 5 times more than keeping an old one (5 or 6 times).",
        ),
        (
            (0.0, 1.0),
            "维持老顾客的成本大大高于吸引新顾客的成本",
            "Keeping old customers costs far more than attracting new ones (the sources themselves call it false).",
        ),
    )
    if result.spend_problem or not np.isfinite(result.cost("ratio").value):
        why = result.spend_problem or "Nothing was spent on winning, or on keeping: there is no ratio."
        return tuple(_claim("B02", *texts, None, CANNOT_BE_TESTED, why, "costs") for _, *texts in said)
    ratio = result.cost("ratio")
    has_interval = np.isfinite(ratio.low)
    found = []
    for band, *texts in said:
        verdict = against(ratio, band) if has_interval else CANNOT_BE_TESTED
        found.append(_claim("B02", *texts, ratio, verdict, cost_words(result), "costs"))
    return tuple(found)


def cost_words(result: Measurement) -> str:
    """Say what winning and keeping cost on average, and their ratio."""
    winning, keeping, ratio = (result.cost(name) for name in ("acquisition_cost", "retention_cost", "ratio"))
    return (
        f"Winning a customer costs {number(winning.value, 2)} {result.currency} on average, keeping one for a year "
        f"{number(keeping.value, 2)}: {number(ratio.value, 1)} times as much ({between(ratio.low, ratio.high, 1)})."
    )


# --- ten and sixty -------------------------------------------------------------------------------------------------


def ten_purchases(result: Measurement) -> Claim:
    """Test claim B03: a loyal customer is worth ten repeat purchases."""
    said = (
        "B03",
        "1个忠诚客户相当于10次重复购买产品的价值",
        "One loyal customer is worth as much as ten repeat purchases.",
    )
    found, why = loyal_purchases(result)
    if found is None:
        return _claim(*said, None, CANNOT_BE_TESTED, why, "multiples")
    return _claim(*said, found, against(found, about(CLAIMED_PURCHASES)), why, "multiples")


def loyal_purchases(result: Measurement) -> tuple[Estimate | None, str]:
    """Return the repeat purchases to expect of a loyal customer, and what they are in words; None where not told."""
    bought = result.repeat_purchases
    if bought is None:
        return None, " ".join(result.expectation.problems)
    if bought.loyal_customers < result.settings.min_cell:
        return None, f"Fewer than {result.settings.min_cell} customers are loyal: nothing of them is shown."
    return bought.loyal, (
        f"A loyal customer is expected to buy {number(bought.loyal.value, 1)} times more within "
        f"{number(result.settings.horizon_weeks)} weeks ({between(bought.loyal.low, bought.loyal.high, 1)}), any "
        f"customer {number(bought.everyone.value, 1)} times. The claim names no time."
    )


def sixty_times(result: Measurement) -> Claim:
    """Test claim B03: keeping an old customer is worth sixty visits to a new one."""
    said = ("B03", "60倍", "Keeping an old customer is worth 60 times what visiting a new one is.")
    told, why = loyal_purchases(result)
    if result.multiple_problem or told is None:
        return _claim(*said, None, CANNOT_BE_TESTED, result.multiple_problem or why, "multiples")
    found = result.value_multiple.multiple
    verdict = against(found, about(CLAIMED_VALUE))
    why = (
        f"{multiple_words(result)} The sources' 60 comes from (1 + 5) x 10; with the ratio and "
        f"the purchases of these data the product is {number(result.claimed_arithmetic.value, 1)}."
    )
    return _claim(*said, found, verdict, why, "multiples")


def multiple_words(result: Measurement) -> str:
    """Say what loyal customers bring for what keeping them costs, in what new ones do for what winning them costs."""
    found = result.value_multiple.multiple
    return (
        "For what keeping them costs, as long as they stay, loyal customers are expected to bring "
        f"{number(found.value, 1)} times what new ones bring for what winning them costs "
        f"({between(found.low, found.high, 1)}): averages, which do not say what more spend would bring."
    )


def about(claimed: float) -> tuple[float, float]:
    """Return what a round number of the sources is taken to mean."""
    return claimed * (1 - ABOUT), claimed * (1 + ABOUT)


# --- keeping against winning -----------------------------------------------------------------------------------------


def steady(result: Measurement) -> Claim:
    """Test claim B08: kept customers bring a steady stream of revenue, steadier than new ones."""
    said = (
        "B08",
        "客户的保持一般能带来稳定的收入流",
        "Keeping customers generally brings a steady stream of revenue.",
    )
    found = result.volatility
    frame = revenue_volatility(result).frame
    shown = "of_newest" in frame and frame["of_newest"].iloc[[0, -1]].notna().all()
    if found is None or not shown:
        why = "In too few months were there enough customers of every tenure."
        return _claim(*said, None, CANNOT_BE_TESTED, why, "revenue_volatility")
    ratio, of_one = (
        Estimate(*(float(end[-1]) for end in (each.value, each.low, each.high)))
        for each in (found.total_ratio, found.per_customer_ratio)
    )
    told = {_sign(each.low - 1, each.high - 1, below=True) for each in (ratio, of_one)}
    why = (
        f"Revenue of the customers there longest varies {number(ratio.value, 2)} times as much from month to month as "
        f"that of the newest ({between(ratio.low, ratio.high, 2)}), by the coefficient of variation about a straight "
        f"line, over {result.shared_months.sum()} months. That of one customer varies {number(of_one.value, 2)} times "
        f"as much ({between(of_one.low, of_one.high, 2)}): a group that grows or shrinks is unsteady for that alone."
    )
    return _claim(*said, ratio, told.pop() if len(told) == 1 else DEPENDS, why, "revenue_volatility")


def keeping_beats_winning(result: Measurement) -> Claim:
    """Test claim B08: keeping customers raises profit more than attracting them."""
    said = (
        "B08",
        "保持顾客比吸引顾客对扩大企业利益更见成效",
        "Keeping customers does more for profit than attracting them.",
    )
    problem = result.equity_problem or result.spend_problem
    if not problem and not result.wins_customers:
        problem = "No customer was won in the last year of market_spend."
    if problem:
        return _claim(*said, None, CANNOT_BE_TESTED, problem, "tornado")
    less, found = result.keeping_less_winning, result.elasticities
    why = (
        f"Equity without a horizon rises by {number(found['retention'].value, 2)} % for 1 % more retention and by "
        f"{number(found['new_per_year'].value, 2)} % for 1 % more customers won: {number(less.value, 2)} points "
        f"between them ({between(less.low, less.high, 2)}). What either costs is another matter. "
        f"{marginal_words(result)}"
    )
    return _claim(*said, less, _sign(less.low, less.high), why, "tornado")


def marginal_words(result: Measurement) -> str:
    """Say what one more customer won, and one more kept, cost."""
    parts = []
    for what, found in (
        ("won", result.marginal_acquisition),
        ("kept to the end of a period", result.marginal_retention),
    ):
        interval = between(found.cost.low, found.cost.high, 2)
        told = f"One more customer {what} costs {number(found.cost.value, 2)} {result.currency} ({interval})."
        parts.append(told if found.told else f"What one more customer {what} costs these data do not tell.")
    return " ".join(parts)


def _sign(low: float, high: float, below: bool = False) -> str:
    """Return whether an interval lies above 0, or `below` it."""
    if not (np.isfinite(low) and np.isfinite(high)):
        return CANNOT_BE_TESTED
    if below:
        low, high = -high, -low
    return SUPPORTED if low > 0 else NOT_SUPPORTED if high < 0 else DEPENDS
