"""The four classes: how large, how valuable, and how sure."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Table, number, percent
from helpers.models.quadrants import totals
from helpers.models.referral_value.classes import CLASSES

from ..measurement import Measurement

NAMES = {name: name.capitalize() for name in CLASSES}
CHINESE = {"affluents": "富裕者", "champions": "拥护者", "advocates": "宣扬者", "misers": "守财者"}
SURE = 0.95  # share of draws
NO_DRAWS = "Values have no intervals here, so nothing can be said of how sure a customer's class is."


def has_small(result: Measurement) -> bool:
    """Tell whether a class has too few customers to be shown."""
    sizes = np.bincount(result.classes, minlength=len(CLASSES))
    return bool(((sizes > 0) & (sizes < result.settings.min_cell)).any())


def without_small(frame: pd.DataFrame, result: Measurement) -> pd.DataFrame:
    """Blank all four classes where one is too small.

    How many are above each cut is known (the median halves the customers, and the report says how many brought others),
    so the size of one class gives those of all.
    """
    if not has_small(result):
        return frame
    return frame.assign(**dict.fromkeys(frame.columns.drop("class"), np.nan))


def classes(result: Measurement) -> Table:
    """Size and value of each class."""
    found = totals(result.customers.lifetime_value, result.referral_value, result.classes)
    stable = result.stability
    nothing = np.full(len(CLASSES), np.nan)
    size = np.where(found.customers > 0, found.customers, np.nan)
    together = found.first + found.second
    frame = pd.DataFrame(
        {
            "class": CLASSES,
            "customers": found.customers,
            "share": found.share,
            "expected_share": stable.share.value if stable else nothing,
            "low": stable.share.low if stable else nothing,
            "high": stable.share.high if stable else nothing,
            "lifetime_value": found.first,
            "referral_value": found.second,
            "mean_lifetime_value": found.first / size,
            "mean_referral_value": found.second / size,
            "share_of_value": together / together.sum() if together.sum() > 0 else nothing,
        }
    )
    frame = without_small(frame, result)
    currency = result.currency
    columns = {
        "class": Column("Class", names={name: f"{NAMES[name]} {CHINESE[name]}" for name in CLASSES}),
        "customers": Column("Customers", digits=0),
        "share": Column("Share of customers, as classed", digits=1, percent=True),
        "expected_share": Column("Expected share", digits=1, percent=True),
        "low": Column("95 % low", digits=1, percent=True),
        "high": Column("95 % high", digits=1, percent=True),
        "mean_lifetime_value": Column("Mean lifetime value", currency, 2),
        "mean_referral_value": Column("Mean referral value", currency, 2),
        "share_of_value": Column("Share of both values", digits=1, percent=True),
    }
    lifetime, brought = result.cuts
    settings = result.settings
    caption = (
        f"High lifetime value is above {number(lifetime, 2)} {currency} ({settings.lifetime_cut}), high referral value "
        f"({settings.classed_by}) above {number(brought, 2)} ({settings.referral_cut}); a value at the cut is low. "
        "Where most customers brought nobody, the median is 0 and whoever brought value is high. As classed is by "
        "the expected values; the expected share and its interval are of draws of the values and of unknown types of "
        "referral, each with its own cuts, and may lie elsewhere."
    )
    return Table("classes", frame, caption, columns)


def class_stability(result: Measurement) -> Table:
    """How sure it is that a customer belongs to their class."""
    stable = result.stability
    if stable is None:
        return Table.nothing("class_stability", NO_DRAWS)
    lines = []
    for place, name in enumerate(CLASSES):
        own = stable.own[result.classes == place]
        certain = float((own >= SURE).mean()) if len(own) else np.nan
        lines.append((name, len(own), certain, float(own.mean()) if len(own) else np.nan))
    frame = pd.DataFrame(lines, columns=["class", "customers", "certain", "mean_probability"])
    frame = without_small(frame, result)
    columns = {
        "class": Column("Class", names=NAMES),
        "customers": Column("Customers", digits=0),
        "certain": Column(f"Of them in this class in {percent(SURE, 0)} of draws", digits=1, percent=True),
        "mean_probability": Column("Mean probability of this class", digits=1, percent=True),
    }
    caption = (
        "Each draw takes other parameters of the models, other mean spends and other types of referral, and classes "
        "everyone anew."
    )
    return Table("class_stability", frame, caption, columns)


def moved_cuts(result: Measurement) -> Table:
    """How many customers change class when a cut moves."""
    found = result.moved_cuts
    lines = []
    both = {"lifetime_value": result.customers.lifetime_value, "referral_value": result.referral_value}
    for axis, (value, amounts) in enumerate(both.items()):
        for place, step in enumerate(found.steps):
            cut, changed = float(found.cut[axis, place]), float(found.changed[axis, place])
            above = int((amounts > cut).sum())
            few = (above, len(amounts) - above, round(changed * len(amounts)) or len(amounts))
            hidden = min(few) < result.settings.min_cell
            lines.append((value, float(step), *((np.nan, np.nan) if hidden else (cut, changed))))
    frame = pd.DataFrame(lines, columns=["value", "step", "cut", "changed"])
    columns = {
        "value": Column("Cut of", names={"lifetime_value": "lifetime value", "referral_value": "referral value"}),
        "step": Column("Moved up past this share of customers", digits=0, percent=True),
        "cut": Column("To", result.currency, 2),
        "changed": Column("Customers who change class", digits=1, percent=True),
    }
    caption = "One cut moves, the other stays. Where many customers have the same value, a step may change nothing."
    return Table("moved_cuts", frame, caption, columns)
