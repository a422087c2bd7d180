"""What went into the report: rows of each file, and what was assumed where the files do not say."""

from __future__ import annotations

import pandas as pd

from helpers.exhibits import DASH, Column, Table, number, percent

from ..measurement import Measurement
from ..names import SOURCE_NAMES
from ..reading import FILES

ACCOUNTS = {
    "transactions": "data_accounting",
    "exits": "exits_accounting",
    "contracts": "contracts_accounting",
    "market_spend": "market_spend_accounting",
    "marketing_touches": "marketing_touches_accounting",
}


def assumptions(result: Measurement) -> Table:
    """What the numbers rest on, and where each comes from."""
    lines = [*_of_customers(result), *_of_contracts(result), *_of_spend(result)]
    frame = pd.DataFrame(lines, columns=["what", "taken", "source"])
    columns = {"what": Column("What"), "taken": Column("Taken"), "source": Column("From")}
    return Table("assumptions", frame, "What the numbers rest on; parameters in brackets change it.", columns)


def _of_customers(result: Measurement) -> list[tuple[str, str, str]]:
    settings, purchases = result.settings, result.files.purchases
    rate = "the purchases" if purchases.has_margin else "(margin_rate)"
    counted = "who bought in the last 12 months" + ", without an exit" * result.has("exits")
    costed = "marketing_touches, last 12 months" if result.has("marketing_touches") else "no costs are given"
    if result.spend is not None:
        counted, costed = "market_spend, last period", "market_spend"
    base = "not known" if result.base is None else result.base.words
    where = DASH if result.base is None else f"{SOURCE_NAMES[result.base.source]} (base_retention)"
    recorded = percent(settings.exits_recorded, 0)
    return [
        ("Yearly retention that the report rests on", base, where),
        ("Departures that the exits hold", recorded if result.has("exits") else DASH, "(exits_recorded)"),
        ("Discount rate a year", percent(settings.annual_discount_rate), "(annual_discount_rate)"),
        ("Growth of margins a year", percent(settings.growth), "(growth)"),
        ("Margin as a share of sales", percent(result.margin_rate), rate),
        ("Customers", number(result.customers), counted),
        (
            f"Margin of a customer in a year, {result.currency}",
            number(result.margin, 2),
            "margins of the last 12 months after the first day of purchase, over the customers there",
        ),
        (
            f"Margin of a new customer's first day, {result.currency}",
            number(result.first_purchase, 2),
            "who first bought in the last 12 months",
        ),
        (f"Cost of a year with a customer, {result.currency}", number(result.retention_cost, 2), costed),
        (
            f"Margin expected of today's customers within {settings.horizon_weeks} weeks, {result.currency}",
            number(result.expected_margin.value),
            f"the purchase model {settings.model}, which knows no exits",
        ),
    ]


def _of_contracts(result: Measurement) -> list[tuple[str, str, str]]:
    found = result.contracts
    if found.problem:
        return [("Renewals", "not known", found.problem)]
    how = "(term_days)" if result.settings.term_days else "median of the contracts that ended"
    price = result.files.renewals.mean_price
    return [
        ("Days of a term", number(found.term_days), how),
        ("Retention of a term", percent(found.constant.retention), "renewals over occasions to renew"),
        ("The same for a year", percent(found.annualised), "raised to the terms of a year"),
        ("Contracts of a year ago that run still", _followed(result), "contracts"),
        (f"Mean price of a term, {result.currency}", number(price, 2), "contracts that state one"),
    ]


def _followed(result: Measurement) -> str:
    found = result.contracts
    if found.year_ago < result.settings.min_cell:
        return "too few"
    return f"{percent(found.kept / found.year_ago)} of {number(found.year_ago)}"


def _of_spend(result: Measurement) -> list[tuple[str, str, str]]:
    if result.spend_problem:
        return [("Costs of winning and keeping", "not known", result.spend_problem)]
    how = "(prospects)" if result.settings.prospects > 0 else "assumed: ten for each customer won (prospects)"
    return [
        ("Customers won a year", number(result.new_per_year), "market_spend, last year of it"),
        ("Prospects approached a year", number(result.prospects), how),
    ]


def accounts(result: Measurement) -> list[Table]:
    """Return what became of every row of every file."""
    found = result.files.all
    return [_account(result, name, found.get(name)) for name in FILES]


def _account(result: Measurement, name: str, file) -> Table:
    words = name.replace("_", " ")
    if file is None:
        return Table.nothing(ACCOUNTS[name], f"No {words} are given ({name}).")
    columns = {
        "step": Column("Step"),
        "rows": Column("Rows", digits=0),
        "amount": Column("Amount", result.currency, 2),
        "reason": Column("Reason"),
    }
    caption = f"What became of every row of the {words}: the lines add up to the last."
    return Table(ACCOUNTS[name], file.accounting, caption, columns)
