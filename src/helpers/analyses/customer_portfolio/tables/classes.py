"""The matrix of current and future value: how large its classes are, how valuable, how sure, and who moved."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Table, number, percent, suppress_small_groups
from helpers.models import resampling
from helpers.models.customer_portfolio.pyramid import totals

from .. import actions
from ..hidden import hidden_cells, rows_and_columns
from ..measurement import Measurement
from ..names import CLASS_CHINESE, CLASS_MEANING, CLASSES, SHOWN
from .crossed import long_table, side_by_side

SURE = 0.95  # share of draws
NO_DRAWS = "Values have no intervals here, so nothing can be said of how sure a customer's class is."
NAMES = {name: f"{CLASS_CHINESE[name]} {name}" for name in SHOWN}
NOT_YET = "not_yet"
THEN = NAMES | {NOT_YET: "not yet a customer"}
NOW = NAMES | {"ended": f"{CLASS_CHINESE['ended']} left"}
NEXT_STEP = {"gold": "keep", "platinum": "protect", "iron": "develop", "lead": "serve_at_low_cost"}
SAYS = {
    "gold": "the most valuable: most to come, and much now",
    "platinum": "large profit now, key to the cash flow",
    "iron": "more to come than there is now",
    "lead": "neither",
}
SOURCE = (
    "Gold is high in both values and platinum high in current value alone, as in the Chinese textbooks that the "
    "sources follow; in the customer pyramid of Zeithaml, Rust and Lemon (2001) platinum is on top."
)
ORDER = [CLASSES.index(name) for name in SHOWN]


def tables(result: Measurement) -> list[Table]:
    """Return the tables of the value matrix."""
    return [classes(result), class_investment(result), migration(result), class_stability(result), moved_cuts(result)]


def has_small(result: Measurement) -> bool:
    """Tell whether a class has too few customers to be shown."""
    sizes = np.bincount(result.classes[~result.now.ended], minlength=len(CLASSES))
    return bool(((sizes > 0) & (sizes < result.settings.min_cell)).any())


def few_left(result: Measurement) -> bool:
    """Tell whether so few have left that the number of the others, or what they sum up to, would tell of them."""
    return bool(0 < result.now.ended.sum() < result.settings.min_cell)


def without_small(
    frame: pd.DataFrame, result: Measurement, keep: tuple[str, ...] = ("class",), shares: tuple[str, ...] = ()
) -> pd.DataFrame:
    """Blank all four classes where one is too small, all but their shares in whole percents where few have left.

    How many are above each cut is known (the median halves the customers), so the size of one class gives those of all.
    """
    if not (has_small(result) or few_left(result)):
        return frame
    told = {} if has_small(result) else {name: frame[name].round(2) for name in shares}
    return frame.assign(**dict.fromkeys(frame.columns.drop(list(keep)), np.nan) | told)


def classes(result: Measurement) -> Table:
    """Size and value of each class."""
    now, stable, here = result.now, result.class_stability, ~result.now.ended
    if not here.any():
        return Table.nothing("classes", "Every customer has left: nobody is left to be classed.")
    amounts = {
        "current_value": now.current_value,
        "future_value": now.future_value,
        "lifetime_value": now.value,
        "referral_value": result.influence,
    }
    found = totals(result.classes[here], len(CLASSES), {name: values[here] for name, values in amounts.items()})
    nothing = np.full(len(CLASSES), np.nan)
    frame = pd.DataFrame(
        {
            "class": CLASSES,
            "customers": found.customers,
            "share": found.share,
            "expected_share": stable.share.value if stable else nothing,
            "low": stable.share.low if stable else nothing,
            "high": stable.share.high if stable else nothing,
        }
        | found.total
        | {"next_step": [actions.MEANING[NEXT_STEP[name]] for name in CLASSES]}
    )
    if result.has("referrals"):
        frame["referral_value"] = _without_few(frame["referral_value"], result.influence != 0, result)
    else:
        frame["referral_value"] = np.nan
    shares = ("share", "expected_share", "low", "high")
    frame = without_small(frame, result, ("class", "next_step"), shares).iloc[ORDER].reset_index(drop=True)
    columns = {
        "class": Column("Class", names=NAMES),
        "customers": Column("Customers", digits=0),
        "share": Column("Share of customers, as classed", digits=1, percent=True),
        "expected_share": Column("Expected share", digits=1, percent=True),
        "low": Column("95 % low", digits=1, percent=True),
        "high": Column("95 % high", digits=1, percent=True),
        **{name: Column(name.replace("_", " ").capitalize(), result.currency, 0) for name in amounts},
        "next_step": Column("Next step"),
    }
    return Table("classes", frame, _caption(result), columns)


def staying(result: Measurement) -> str:
    """Return the customers who had not left in words, without their number where few have."""
    return "The customers" if few_left(result) else f"{number((~result.now.ended).sum())} customers"


def _caption(result: Measurement) -> str:
    (current, future), settings, currency = result.cuts, result.settings, result.currency
    meanings = "; ".join(f"{name}: {CLASS_MEANING[name]}" for name in SHOWN)
    text = (
        f"{staying(result)} who had not left on {result.now.date}: {meanings}. "
        f"Current value, the margin of the last 12 months less what the customer cost in them, is high above "
        f"{number(current, 2)} {currency} "
        f"({settings.current_cut}); future value, the margin expected in the {settings.horizon_weeks} weeks ahead, "
        f"discounted, above {number(future, 2)} ({settings.future_cut}); a value at the cut is low. {SOURCE} Sums in "
        f"{currency}, rounded. "
    )
    if not result.has("referrals"):
        text += "Referral value is not known: no referrals are given (referrals). "
    if result.class_stability is None:
        return f"{text}Shares have no interval: values have no draws."
    return (
        f"{text}Customers are classed by their expected values; the expected share and its interval are of draws of "
        "future value, the cuts staying where they are, and may lie elsewhere. Sums have no interval."
    )


def _without_few(amounts: pd.Series, bearers: np.ndarray, result: Measurement) -> pd.Series:
    """Return what each class sums up to, missing where few of a class make it up: it would be theirs."""
    number_of = np.bincount(result.classes[bearers & ~result.now.ended], minlength=len(CLASSES))
    shown = suppress_small_groups(
        pd.DataFrame({"class": CLASSES, "bearers": number_of}), "bearers", ("class",), result.settings.min_cell
    )
    return amounts.where(shown["bearers"].notna())


def class_investment(result: Measurement) -> Table:
    """Set what is spent on each class beside what it is worth."""
    now, here, name = result.now, ~result.now.ended, "class_investment"
    if not result.has_costs:
        return Table.nothing(
            name,
            "What is invested in each class is not known: no costs are given (marketing_touches, service_contacts).",
        )
    if not here.any():
        return Table.nothing(name, "Every customer has left: nobody is left to be classed.")
    spent = {part: now.sum_of(f"current_{part}") for part in ("marketing", "service")}
    found = totals(result.classes[here], len(CLASSES), {part: values[here] for part, values in spent.items()})
    frame = pd.DataFrame({"class": CLASSES, "customers": found.customers, "share": found.share})
    for part, values in spent.items():
        frame[part] = _without_few(pd.Series(found.total[part]), values != 0, result)
    whole = sum(values[here].sum() for values in spent.values())
    frame["share_of_investment"] = (frame["marketing"] + frame["service"]) / (whole if whole > 0 else np.nan)
    value = np.bincount(result.classes, now.future_value, minlength=len(CLASSES) + 1)[: len(CLASSES)]
    draws = now.future_sums(result.classes, len(CLASSES) + 1)[:, : len(CLASSES)]
    low, high = resampling.percentile(_shares(draws)) if len(draws) else np.full((2, len(CLASSES)), np.nan)
    frame = frame.assign(share_of_future_value=_shares(value), low=low, high=high)
    frame = frame.assign(says=[SAYS[name] for name in CLASSES])
    shares = ("share", "share_of_investment", "share_of_future_value", "low", "high")
    frame = without_small(frame, result, ("class", "says"), shares)
    percents = {"digits": 1, "percent": True}
    columns = {
        "class": Column("Class", names=NAMES),
        "customers": Column("Customers", digits=0),
        "share": Column("Share of customers", **percents),
        "marketing": Column("Marketing", result.currency, 0),
        "service": Column("Service", result.currency, 0),
        "share_of_investment": Column("Share of what is invested", **percents),
        "share_of_future_value": Column("Share of future value", **percents),
        "low": Column("95 % low", **percents),
        "high": Column("95 % high", **percents),
        "says": Column("The sources say"),
    }
    caption = (
        f"The customers who had not left on {now.date}: what was spent on addressing and serving them in the 12 months "
        "up to then, beside their part of what is expected ahead. The sources say which class is worth what, and name "
        "no amounts. That more spent would bring more is not shown by this: who bought more may have been addressed "
        "more. The interval is of draws of future value, the classes as they are; what was spent is known. Sums in "
        f"{result.currency}, rounded. {SOURCE}"
    )
    return Table(name, frame.iloc[ORDER].reset_index(drop=True), caption, columns)


def _shares(values: np.ndarray) -> np.ndarray:
    whole = values.sum(axis=-1, keepdims=True)
    return np.divide(values, whole, out=np.full(values.shape, np.nan), where=whole > 0)


def too_short(result: Measurement) -> str:
    """Say why the 12 months up to the two dates cannot be compared."""
    return (
        f"The purchases begin on {result.files.purchases.first_date}, less than 12 months before {result.then.date}: "
        "the 12 months up to the two dates cannot be compared."
    )


def migration(result: Measurement) -> Table:
    """Who moved from which class to which between the two dates."""
    if not result.compares_years:
        return Table.nothing("migration", too_short(result))
    order = [*ORDER, len(CLASSES)]
    counts = result.migration[order][:, order]
    known = rows_and_columns(*counts.shape)
    hidden = hidden_cells(counts.ravel(), known, result.settings.min_cell, also=has_small(result))
    frame = long_table(counts, {"class_then": tuple(THEN), "class_now": tuple(NOW)}, hidden)
    view, columns = side_by_side(frame, Column(f"On {result.then.date}", names=THEN), NOW)
    caption = (
        f"The customers of {result.now.date}, but for those who had left before {result.then.date}, by their class "
        f"then (rows) and now (columns), with their share of the row. Both dates have the cuts of {result.now.date}: "
        f"who moves has changed, and not the cut. A dash is a cell of fewer than {result.settings.min_cell} customers, "
        f"or one that would tell of such a cell. Counts have no interval. {SOURCE}"
    )
    return Table("migration", frame, caption, columns, view)


def class_stability(result: Measurement) -> Table:
    """How sure it is that a customer belongs to their class."""
    stable = result.class_stability
    if stable is None:
        return Table.nothing("class_stability", NO_DRAWS)
    lines = []
    for name in SHOWN:
        own = stable.own[result.classes == CLASSES.index(name)].astype(float)
        certain, mean = (float((own >= SURE).mean()), float(own.mean())) if len(own) else (np.nan, np.nan)
        lines.append((name, len(own), certain, mean))
    frame = pd.DataFrame(lines, columns=["class", "customers", "certain", "mean_probability"])
    frame = without_small(frame, result, shares=("certain", "mean_probability"))
    columns = {
        "class": Column("Class", names=NAMES),
        "customers": Column("Customers", digits=0),
        "certain": Column(f"Of them in this class in {percent(SURE, 0)} of draws", digits=1, percent=True),
        "mean_probability": Column("Mean probability of this class", digits=1, percent=True),
    }
    caption = (
        f"The customers who had not left on {result.now.date}. Each draw takes other parameters of the models and "
        "other mean spends, and classes everyone anew; the cuts stay, and current value has happened and is the same. "
        "What is shown is the uncertainty itself and has no interval."
    )
    return Table("class_stability", frame, caption, columns)


def moved_cuts(result: Measurement) -> Table:
    """How many customers change class when a cut moves."""
    found, least = result.moved_cuts, result.settings.min_cell
    here = ~result.now.ended if (~result.now.ended).any() else np.ones(len(result), bool)
    both = {"current_value": result.now.current_value[here], "future_value": result.now.future_value[here]}
    lines = []
    for axis, (value, amounts) in enumerate(both.items()):
        for place, step in enumerate(found.steps):
            cut, changed = float(found.cut[axis, place]), float(found.changed[axis, place])
            above = int((amounts > cut).sum())
            few = (above, len(amounts) - above, round(changed * len(amounts)) or len(amounts))
            lines.append((value, float(step), *((np.nan, np.nan) if min(few) < least else (cut, changed))))
    frame = pd.DataFrame(lines, columns=["value", "step", "cut", "changed"])
    columns = {
        "value": Column("Cut of", names={"current_value": "current value", "future_value": "future value"}),
        "step": Column("Moved up past this share of customers", digits=0, percent=True),
        "cut": Column("To", result.currency, 2),
        "changed": Column("Customers who change class", digits=1, percent=True),
    }
    caption = (
        f"The customers who had not left on {result.now.date}. One cut moves, the other stays; where many customers "
        f"have the same value, a step may change nothing. Not shown where fewer than {least} customers would "
        "change, or be on one side. Shares have no interval."
    )
    return Table("moved_cuts", frame, caption, columns)
