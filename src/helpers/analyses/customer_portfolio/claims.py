"""The claims of the sources that a portfolio can test; docs/customer_portfolio.md has the rules of the verdicts."""

from __future__ import annotations

import numpy as np

from helpers.exhibits import between, number, percent
from helpers.models.estimate import Estimate
from helpers.models.ranks import top_membership

from ..claims import CANNOT_BE_TESTED, DEPENDS, NOT_SUPPORTED, SUPPORTED, Claim
from .measurement import Measurement
from .tables.satisfaction import nothing as no_satisfaction

SLIGHT = 0.1  # a rank correlation that is closer to 0 is too slight for a claim to rest on
TOP = 0.1  # share of customers that "the largest" are
FEWEST_CHANGES = 4  # of quarters, of which none opposed speaks against the claim
NONE = Estimate(np.nan, np.nan, np.nan)


def claims(result: Measurement) -> tuple[Claim, ...]:
    """Test what the sources claim of sales, loyalty, profit and the two sides of the bargain.

    Parameters
    ----------
    result : Measurement

    Returns
    -------
    tuple of Claim
        A01 (twice: of sales, of loyalty), B12, C12, A12.
    """
    return sales_mislead(result), loyalty_misleads(result), profit_falls(result), not_all_pay(result), both_gain(result)


def _claim(claim: str, chinese: str, english: str, estimate: Estimate, verdict: str, why: str, link: str) -> Claim:
    shown = NONE if verdict == CANNOT_BE_TESTED else estimate
    return Claim(claim, chinese, english, *(float(end) for end in vars(shown).values()), verdict, why, link)


def _associated(estimate: Estimate) -> str:
    """Judge a correlation that is claimed to be positive."""
    if not np.isfinite([estimate.value, estimate.low, estimate.high]).all():
        return CANNOT_BE_TESTED
    if estimate.high < SLIGHT:
        return NOT_SUPPORTED
    return SUPPORTED if estimate.low > 0 else DEPENDS


# --- A01: neither sales nor loyalty tells what a customer is worth ---------------------------------------------------


def sales_mislead(result: Measurement) -> Claim:
    """Test claim A01, first part: those who buy most are those who owe most."""
    verdict, estimate, why = _owed(result)
    return _claim(
        "A01",
        "销售金额最大的客户……拖欠",
        "The customer with the largest sales may be the one who owes you most.",
        estimate,
        verdict,
        why,
        "lens_agreement",
    )


def _owed(result: Measurement) -> tuple[str, Estimate, str]:
    found = result.owes_most
    if not result.has("receivables"):
        return CANNOT_BE_TESTED, NONE, "What customers owe is not known: set receivables."
    if found is None or not np.isfinite(found.estimate.value):
        why = "Nobody bought on account." if found is None else found.problem
        return CANNOT_BE_TESTED, NONE, why
    shared, least = found.estimate, result.settings.min_cell
    places = round(found.chance * found.customers)
    both = round((shared.value + found.chance) * places)
    if places < least or 0 < both < least or 0 < places - both < least:
        why = f"Fewer than {least} customers are in the tops by sales and by what is owed, in both, or in one alone."
        return CANNOT_BE_TESTED, NONE, why
    more = _more_overdue(result)
    why = (
        f"Of the {percent(found.chance)} who owe most {percent(both / places, 0)} are also among the "
        f"{percent(found.chance)} who buy most, of {number(found.customers)} customers on account: "
        f"{number(100 * shared.value)} points more than by chance "
        f"({between(shared.low, shared.high, 0, 100)}). Of what the top {percent(TOP, 0)} by sales were to pay, the "
        f"share that is overdue differs from that of the rest by {number(100 * more.value, 1)} points "
        f"({between(more.low, more.high, 1, 100)})."
    )
    if shared.low > 0 and not more.low > 0:
        return DEPENDS, shared, f"{why} So they owe more because they buy more, and are not known to pay worse."
    if shared.low > 0:
        return SUPPORTED, shared, why
    return (NOT_SUPPORTED if shared.high <= 0 else DEPENDS), shared, why


def _more_overdue(result: Measurement) -> Estimate:
    """Return the share overdue of the top by sales less that of the rest, among those on account.

    The error of each share is that of a ratio of sums (Cochran 1977, Sampling Techniques, section 2.11).
    """
    known = ~np.isnan(result.overdue)
    due, overdue = result.due[known], result.overdue[known]
    top = top_membership(result.now.sum_of("sales")[known], max(round(TOP * known.sum()), 1))
    share, variance = [], []
    for part in (top, 1 - top):
        owed = (part * due).sum()
        share.append((part * overdue).sum() / owed if owed > 0 else np.nan)
        variance.append((part * (overdue - share[-1] * due) ** 2).sum() / owed**2 if owed > 0 else np.nan)
    value, width = share[0] - share[1], 1.96 * np.sqrt(sum(variance))
    return Estimate(value, value - width, value + width)


def loyalty_misleads(result: Measurement) -> Claim:
    """Test claim A01, second part: the more loyal bring a lower margin rate."""
    found = result.loyal_less_margin
    estimate = found.estimate
    verdict = _associated(Estimate(-estimate.value, -estimate.high, -estimate.low))
    if not result.has_margins:
        verdict = CANNOT_BE_TESTED
        why = "The purchases state no margins: give them a column margin (columns)."
    elif found.customers < result.settings.min_cell:
        verdict, why = CANNOT_BE_TESTED, f"Fewer than {result.settings.min_cell} customers have a margin rate."
    elif verdict == CANNOT_BE_TESTED:
        why = found.problem or "The rank correlation has no interval."
    else:
        why = (
            f"Repeat purchases and margin rate of {number(found.customers)} customers have a rank correlation "
            f"(Kendall's tau-b) of {_told(estimate)}."
        )
    return _claim(
        "A01",
        "最忠诚的客户……利润率最低",
        "The most loyal customer may be the one with the lowest profit margin.",
        estimate,
        verdict,
        why,
        "lens_agreement",
    )


def _told(estimate: Estimate) -> str:
    """Return a correlation in words, and what its interval leaves open."""
    text = f"{number(estimate.value, 2)} ({between(estimate.low, estimate.high, 2)})"
    if estimate.low > -SLIGHT and estimate.high < SLIGHT:
        return f"{text}: closer to 0 than {SLIGHT:g}, whichever way"
    if estimate.low <= 0 <= estimate.high:
        return f"{text}, so its sign is not known"
    return f"{text}, which is slight" if abs(estimate.value) < SLIGHT else text


# --- B12: sales rise while profit falls ------------------------------------------------------------------------------


def profit_falls(result: Measurement) -> Claim:
    """Test claim B12: sales kept rising while profit kept falling."""
    found = result.profit_periods
    estimate = NONE if found is None else found.profit_slope
    verdict, why = _opposed(result)
    return _claim(
        "B12",
        "销售额不断提高，但是利润却不断下降",
        "Sales kept rising, but profit kept falling: so profit, and not sales, is to be looked at.",
        estimate,
        verdict,
        why,
        "profit_periods",
    )


def _opposed(result: Measurement) -> tuple[str, str]:
    found = result.profit_periods
    if not (result.has_margins or result.has_costs):
        why = (
            "Neither margins nor costs are known, so profit cannot part from sales: give the purchases a column "
            "margin, or set marketing_touches or service_contacts."
        )
        return CANNOT_BE_TESTED, why
    if found is None or not np.isfinite([*vars(found.sales_slope).values(), *vars(found.profit_slope).values()]).all():
        return CANNOT_BE_TESTED, "The purchases cover fewer than four calendar quarters whole."
    sales, profit = found.sales_slope, found.profit_slope
    why = (
        f"From quarter to quarter sales change by {number(sales.value)} {result.currency} "
        f"({between(sales.low, sales.high)}) and profit by {number(profit.value)} "
        f"({between(profit.low, profit.high)}); in {number(found.opposed.sum())} of {number(len(found.opposed))} "
        f"changes sales rose while profit fell.{_apart(result)}"
    )
    if len(found.opposed) >= FEWEST_CHANGES and not found.opposed.any():
        return NOT_SUPPORTED, why
    if sales.low > 0 and profit.high < 0:
        return SUPPORTED, why
    return (NOT_SUPPORTED if sales.high <= 0 or profit.low >= 0 else DEPENDS), why


def _apart(result: Measurement) -> str:
    """Say how far the lenses of sales and profit disagree on customers."""
    names = list(result.lenses)
    if "profit" not in names or len(result) < 2:
        return ""
    found, at = result.agreement, (names.index("sales"), names.index("profit"))
    tau = [float(end[at]) for end in vars(found.tau).values()]
    if not np.isfinite(tau[0]):
        return ""
    agreed = f"{number(tau[0], 2)} ({between(*tau[1:], 2)})"
    return f" By customer the ranks by sales and by profit have a rank correlation (Kendall's tau-b) of {agreed}."


# --- C12: not every buyer brings profit -------------------------------------------------------------------------------


def not_all_pay(result: Measurement) -> Claim:
    """Test claim C12: that all buyers bring profit is wrong."""
    verdict, why = _below_zero(result)
    few = 0 < np.sum(result.now.value < 0) < result.settings.min_cell
    return _claim(
        "C12",
        "“所有购买者都能给企业带来利润”是错误的",
        "That all buyers bring the firm profit is wrong: some cost more than they bring.",
        NONE if few else result.concentration["lifetime_value"].below_zero,
        verdict,
        why,
        "whale_curve",
    )


def _below_zero(result: Measurement) -> tuple[str, str]:
    if not result.has_costs:
        why = "What customers cost is not known: set marketing_touches or service_contacts."
        return CANNOT_BE_TESTED, why
    size, least = len(result), result.settings.min_cell
    below, found = int(np.sum(result.now.value < 0)), result.concentration["lifetime_value"]
    if size < least:
        return CANNOT_BE_TESTED, f"There are fewer than {least} customers."
    net = f"net of cost to serve{_unknown_costs(result)}"
    if not below:
        return NOT_SUPPORTED, f"None of {number(size)} customers is worth less than 0, {net}."
    if below < least:
        return DEPENDS, f"Fewer than {least} of {number(size)} customers are worth less than 0, {net}."
    share = found.below_zero
    why = (
        f"{percent(share.value)} of {number(size)} customers are worth less than 0, {net} "
        f"({between(share.low, share.high, 1, 100)}, in %)"
    )
    if np.isfinite(found.loss_share.value):
        why += f"; they lose {percent(found.loss_share.value, 0)} of what the others bring"
    sure = _sure(result)
    if sure is None:
        return DEPENDS, f"{why}. Values have no intervals here, so it is not known how sure that is of anyone."
    told = percent(sure / size) if sure >= least else f"fewer than {least} customers"
    why += f". Whatever is drawn for the margin ahead, {told} stay below 0."
    return (SUPPORTED if sure >= least else DEPENDS), why


def _unknown_costs(result: Measurement) -> str:
    missing = [name for name in ("marketing_touches", "service_contacts") if not result.has(name)]
    return f" (without {missing[0]}, which is not given)" if missing else ""


def _sure(result: Measurement) -> int | None:
    """Count those who are worth less than 0 in every draw; None without draws."""
    if not result.has_draws:
        return None
    found = np.ones(len(result), bool)
    for draw in result.now.value_draws():
        found &= draw < 0
    return int(found.sum())


# --- A12: both sides gain together ------------------------------------------------------------------------------------


def both_gain(result: Measurement) -> Claim:
    """Test claim A12: the value of customers to the firm grows with the firm's value to them.

    One cross-section of satisfaction and lifetime value shows no growth, so it supports the claim never.
    """
    why, found = no_satisfaction(result), result.two_sided
    estimate = NONE if why or found is None else Estimate(found.correlation, found.low, found.high)
    verdict = _associated(estimate)
    if verdict == SUPPORTED:
        verdict = DEPENDS
    if not why:
        why = (
            f"Satisfaction and lifetime value of the {number(len(found.place))} customers who answered have a rank "
            f"correlation (Spearman's) of {_told(estimate)}. "
            "That is of one point in time, and lifetime value holds the margin of the past: it cannot show that both "
            "grow together, nor that the one makes the other."
        )
    return _claim(
        "A12",
        "企业价值与客户价值共同成长",
        "The value of the firm and the value that customers get grow together.",
        estimate,
        verdict,
        why,
        "two_sided",
    )
