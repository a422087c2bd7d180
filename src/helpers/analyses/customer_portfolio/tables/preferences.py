"""What each class of the value matrix buys."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import DASH, Column, Table, number, suppress_small_groups

from ..measurement import Measurement
from ..names import CLASSES, SHOWN
from .classes import NAMES, ORDER, few_left, has_small

EVENNESS = "evenness, 0 to 1"
EVENNESS_ENDS = {"evenness": "value", "evenness_low": "low", "evenness_high": "high"}


def tables(result: Measurement) -> list[Table]:
    """Return what customers prefer."""
    return [preferences(result)]


def preferences(result: Measurement) -> Table:
    """Say what each class of the value matrix buys: shares of categories, and how many buy each."""
    found, name = result.preferences, "preferences"
    if found is None:
        return Table.nothing(name, "What customers prefer is not known: the purchases name no category.")
    frame = pd.concat([_of_class(result, place) for place in ORDER], ignore_index=True)
    told = frame.assign(told=[_share_told(*row) for row in frame[["share", "share_low", "share_high"]].to_numpy(float)])
    view = told.pivot(index="category", columns="class", values="told").loc[result.categories[0]].reset_index()
    even = frame.drop_duplicates("class").set_index("class")[list(EVENNESS_ENDS)]
    told = {one: _told_between(*ends, digits=2) for one, ends in zip(even.index, even.to_numpy(float), strict=True)}
    view.loc[len(view)] = {"category": EVENNESS} | told
    columns = {"category": Column("Category")}
    columns |= {one: Column(NAMES[one], "% of sales, 95 % interval") for one in SHOWN}
    sampled = "" if len(result) == len(result.categories[1]) else "A random sample of "
    size = "" if few_left(result) else f"{number(int(found.customers[: len(CLASSES)].sum()))} "
    caption = (
        f"{sampled}{size or 'the '}customers who had not left on "
        f"{result.now.date}, by class: what part of all they ever spent went to each category (refunds apart), and how "
        "evenly, from 0 (one category) to 1 (all alike; Shannon's entropy over its maximum). Intervals are for "
        f"customers like these. A dash is a category that fewer than {result.settings.min_cell} of a class bought, or "
        "one that would tell of it, and the evenness of a class with such a category. Through which channel customers "
        "like to buy is in no file."
    )
    return Table(name, frame, caption.strip(), columns, view)


def _of_class(result: Measurement, place: int) -> pd.DataFrame:
    found, names = result.preferences, result.categories[0]
    frame = pd.DataFrame(
        {"class": CLASSES[place], "category": names, "customers": found.customers[place], "buyers": found.buyers[place]}
    )
    for measure in ("reach", "share"):
        estimate = getattr(found, measure)
        frame[measure] = estimate.value[place]
        frame[f"{measure}_low"], frame[f"{measure}_high"] = estimate.low[place], estimate.high[place]
    for name, end in EVENNESS_ENDS.items():
        frame[name] = getattr(found.evenness, end)[place]
    least = result.settings.min_cell
    numbers = frame.columns.drop(["class", "category"])
    if has_small(result) or few_left(result):
        frame = frame.assign(**dict.fromkeys(numbers, np.nan))
    else:
        frame = suppress_small_groups(frame, "buyers", ("class", "category", "customers"), least)
        if frame["buyers"].isna().any():
            frame[list(EVENNESS_ENDS)] = np.nan
    return frame.astype(dict.fromkeys(numbers, float))


def _share_told(value: float, low: float, high: float) -> str:
    return _told_between(100 * value, 100 * low, 100 * high, digits=1)


def _told_between(value: float, low: float, high: float, digits: int) -> str:
    if np.isnan(value):
        return DASH
    return f"{number(value, digits)} ({number(low, digits)} to {number(high, digits)})"
