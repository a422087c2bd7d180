"""What referrals bring and cost, and how referral value compares with lifetime value."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Table, suppress_small_groups
from helpers.models import resampling
from helpers.models.referral_value import attribution

from ..measurement import EXPECTED, GROSS, Measurement

UNCREDITED = "Incentives paid for referrals that are not credited"
PROBABILITIES = np.linspace(0, 1, 11)
KINDS = {"adds": "adds", "takes": "takes away", "total": "total", "memo": "for comparison, not in the sum"}
MEASURES = {
    "lifetime_value": "lifetime value",
    "referral_net": "referral value, net",
    "referral_gross": "referral value, gross",
}


def referral_parts(result: Measurement) -> Table:
    """From the margin of those brought to referral value, net and gross."""
    if result.untold:
        return Table.nothing("referral_parts", result.untold)
    parts, gross = result.parts.totals, float(result.gross.sum())
    rows = [
        ("Margin of those who would not have joined otherwise", parts.margin, "adds"),
        ("Incentives", parts.incentive, "takes"),
        ("Marketing to keep them", parts.marketing, "takes"),
        ("Acquisition saved", parts.saving, "adds"),
        ("Referral value, net", parts.net, "total"),
        ("Gross, as the sources have it", gross, "memo"),
    ]
    charged = "charged" if result.settings.charge_type_two else "not charged"
    caption = (
        f"Referral value of all customers in {result.currency} (Kumar, Petersen and Leone 2007, 2010): of those who "
        "would have joined anyway only the acquisition saved counts, and their incentives are "
        f"{charged}. Gross is the lifetime value of everyone who was brought, whatever it cost."
    )
    return _steps("referral_parts", rows, caption, result.currency)


def firm_total(result: Measurement) -> Table:
    """What all customers are worth together, each counted once."""
    if len(result.referee) and result.untold:
        return Table.nothing("firm_total", result.untold)
    firm = result.firm
    uncredited, uncharged = result.uncredited_incentive.sum(), result.uncharged_incentives
    rows = [
        ("Lifetime values", firm.lifetime_value, "adds"),
        ("Acquisition saved by referrals", firm.saving, "adds"),
        ("Incentives paid", result.incentive.sum(), "takes"),
        *([(UNCREDITED, uncredited, "takes")] if uncredited else []),
        ("Total value of the customers", result.total_value, "total"),
        ("Counted twice if both values are added up", result.counted_twice, "memo"),
        *([("Incentives not charged to type two", uncharged, "memo")] if uncharged else []),
    ]
    caption = (
        f"The customers together, in {result.currency}, however referrals are credited: those brought are customers "
        "themselves, so their margin stands in their own lifetime value and counts once. Lifetime and referral values "
        "added up exceed the total by what is counted twice and by the incentives that no referrer is charged."
    )
    return _steps("firm_total", rows, caption, result.currency)


def _steps(name: str, rows: list[tuple], caption: str, currency: str) -> Table:
    frame = pd.DataFrame(rows, columns=["step", "amount", "kind"]).astype({"amount": float})
    columns = {
        "step": Column("Step"),
        "kind": Column("What it does", names=KINDS),
        "amount": Column("Amount", currency, 0),
    }
    return Table(name, frame, caption, columns)


def value_by_decile(result: Measurement) -> Table:
    """Set both values beside each other by decile of lifetime value, the best buyers first."""
    if result.untold:
        return Table.nothing("value_by_decile", result.untold)
    found = result.comparison
    lines = []
    for place in range(len(found.decile_customers)):
        mean = {
            "lifetime_value": found.decile_lifetime_value,
            "referral_net": found.decile_referral_value,
            "referral_gross": found.decile_referral_value,
        }
        for measure, estimate in mean.items():
            at = {"lifetime_value": (place,), "referral_net": (EXPECTED, place), "referral_gross": (GROSS, place)}
            numbers = (float(getattr(estimate, end)[at[measure]]) for end in ("value", "low", "high"))
            lines.append((place + 1, int(found.decile_customers[place]), measure, *numbers))
    frame = pd.DataFrame(lines, columns=["decile", "customers", "measure", "mean", "low", "high"])
    frame = frame[frame["customers"] > 0].reset_index(drop=True)
    frame = _without_few_bringers(_hidden(frame, result.settings.min_cell), result)
    view = frame.pivot(index="decile", columns="measure", values="mean").reset_index()
    columns = {"decile": Column("Decile of lifetime value", digits=0)}
    columns |= {measure: Column(f"Mean {name}", result.currency, 2) for measure, name in MEASURES.items()}
    caption = (
        "Mean values by tenth of the customers, the most valuable buyers first. The file has the intervals. Not shown "
        f"is what fewer than {result.settings.min_cell} customers of a tenth brought."
    )
    return Table("value_by_decile", frame, caption, columns, view)


def _hidden(frame: pd.DataFrame, min_cell: int) -> pd.DataFrame:
    """Blank tenths of too few customers, in all their measures."""
    sizes = frame.drop_duplicates("decile")[["decile", "customers"]].reset_index(drop=True)
    shown = suppress_small_groups(sizes, "customers", ("decile",), min_cell).set_index("decile")["customers"].notna()
    numbers = ["customers", "mean", "low", "high"]
    return frame.assign(**{name: frame[name].where(frame["decile"].map(shown)) for name in numbers})


def _without_few_bringers(frame: pd.DataFrame, result: Measurement) -> pd.DataFrame:
    """Blank mean referral value where few of a tenth brought anybody: times its customers it would be theirs."""
    order, deciles = (
        np.argsort(-result.customers.lifetime_value, kind="stable"),
        len(result.comparison.decile_customers),
    )
    brought = np.zeros(len(order), bool)
    brought[result.referrer] = True
    tenth = np.arange(len(order)) * deciles // len(order) + 1
    counts = pd.Series(tenth[brought[order]]).value_counts().reindex(range(1, deciles + 1), fill_value=0)
    people = counts.rename_axis("decile").reset_index(name="people")
    shown = suppress_small_groups(people, "people", ("decile",), result.settings.min_cell).set_index("decile")["people"]
    few = (frame["measure"] != "lifetime_value") & frame["decile"].map(shown).isna()
    return frame.assign(**{name: frame[name].mask(few) for name in ("mean", "low", "high")})


def type_sensitivity(result: Measurement) -> Table:
    """Mean referral value for every share of referees who would not have joined otherwise."""
    if result.untold:
        return Table.nothing("type_sensitivity", result.untold)
    means = result.comparison.referral_value.value[result.of_all]
    drawn = result.comparison.draws[:, 1:][:, result.of_all]
    assumed = float(np.mean(result.type_one))
    probabilities = np.unique([*PROBABILITIES, assumed])
    # linear between the shares that were looked at, as between the ends it is where no credit passes on
    between = np.stack([np.interp(probabilities, result.shares, one) for one in np.eye(len(result.shares))])
    low, high = resampling.percentile(drawn @ between)
    frame = pd.DataFrame(
        {
            "probability": probabilities,
            "referral_value": means @ between,
            "low": low,
            "high": high,
            "lifetime_value": float(result.comparison.lifetime_value.value),
            "is_assumed": probabilities == assumed,
        }
    )
    columns = {
        "probability": Column("Would not have joined otherwise", digits=1, percent=True),
        "referral_value": Column("Mean referral value", result.currency, 2),
        "low": Column("95 % low", result.currency, 2),
        "high": Column("95 % high", result.currency, 2),
        "lifetime_value": Column("Mean lifetime value", result.currency, 2),
    }
    caption = (
        "Net referral value per customer if every referral had the same probability of being of type one (the referee "
        "would not have joined otherwise), beside lifetime value per customer."
    )
    return Table("type_sensitivity", frame, caption, columns)


def overlap(result: Measurement) -> Table:
    """Whether the best buyers are the best bringers."""
    found = result.association
    if result.untold:
        return Table.nothing("overlap", result.untold)
    frame = pd.DataFrame(
        {
            "top": found.top,
            "customers": found.size,
            "overlap": found.overlap.value,
            "low": found.overlap.low,
            "high": found.overlap.high,
            "expected": found.expected,
            "p_value": found.p_value,
        }
    )
    # a larger top that holds the same customers says nothing new
    frame = frame.drop_duplicates("customers")
    least = result.settings.min_cell
    frame = frame[frame["customers"] >= least]
    if frame.empty:
        return Table.nothing("overlap", f"Fewer than {least} customers have a referral value.")
    in_both = (frame["customers"] * frame["overlap"]).round()
    is_few = in_both.between(1, least - 1) | (frame["customers"] - in_both).between(1, least - 1)
    frame = frame[~is_few].reset_index(drop=True)
    if frame.empty:
        return Table.nothing("overlap", f"Fewer than {least} customers are in both tops, or in one alone.")
    columns = {
        "top": Column("Top share asked for", digits=0, percent=True),
        "customers": Column("Customers in each top", digits=0),
        "overlap": Column("Of one top also in the other", digits=1, percent=True),
        "low": Column("95 % low", digits=1, percent=True),
        "high": Column("95 % high", digits=1, percent=True),
        "expected": Column("If both had nothing to do with each other", digits=1, percent=True),
        "p_value": Column("p of that", digits=3),
    }
    caption = (
        "The top by lifetime value against the top by referral value; no top holds more customers than have brought "
        "value, or ties at 0 would decide."
    )
    return Table("overlap", frame, caption, columns)


def generations(result: Measurement) -> Table:
    """How far referrals reach: those brought by nobody's referee, by a referee, and so on."""
    if result.untold:
        return Table.nothing("generations", result.untold)
    depth = attribution.generations(result.referrer, result.referee, len(result.customers.customer_id))
    people = pd.Series(depth[np.unique(result.referee)])
    counts = people.value_counts().sort_index()
    frame = pd.DataFrame({"generation": counts.index, "customers": counts.to_numpy()})
    frame["share"] = frame["customers"] / frame["customers"].sum()
    frame = suppress_small_groups(frame, "customers", ("generation",), result.settings.min_cell)
    columns = {
        "generation": Column("Generation", digits=0),
        "customers": Column("Customers brought", digits=0),
        "share": Column("Share", digits=1, percent=True),
    }
    credited = result.settings.generations
    caption = (
        "Those brought, by how many referrals lead to them from someone whom nobody brought. Referrers are credited "
        f"with {'direct referrals only' if credited == 1 else f'{credited} generations'}."
    )
    return Table("generations", frame, caption, columns)
