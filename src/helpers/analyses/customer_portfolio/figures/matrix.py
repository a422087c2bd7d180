"""The value matrix: its four classes, who moved between them, and how firmly customers belong to theirs."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Figure, number, percent
from helpers.models.quadrants import HIGH as SIDES

from ...drawing import INK, RULE, WIDTH, known_columns, new_axes, nothing, placed_axes, rows_seen
from ..names import CLASSES as ORDER
from ..names import SHOWN
from .parts import (
    CLASS_COLOURS,
    CLASSES,
    CUSTOMERS,
    ENGLISH,
    HIGH,
    LOW,
    NOT_SHOWN,
    SHARE,
    Money,
    drawn_names,
    grid,
    in_english,
    in_words,
    money_column,
    numbers,
    one_of,
    pivoted,
    share,
    share_between,
)

WIDE, TALL = 2.75, 2.2  # inches of a class
LARGEST = 0.95  # inches: side of the square of the largest class, beside which the words have room
MOVED = (*SHOWN, "ended")  # where customers of a class may have got to
CLASS = Column("Class", names=CLASSES)
NOT_YET = "not yet a customer"


def class_matrix(frame: pd.DataFrame, *, currency: str) -> Figure:
    """Draw the four classes, current value to the right and future value upwards; squares are shares of customers.

    Parameters
    ----------
    frame : pandas.DataFrame
        class (of `names.CLASSES`), customers, share (of customers, 0 to 1), expected_share, low, high (over draws of
        their values), current_value, future_value (of all of the class); nan where it is not to be shown.
    currency : str
    """
    name, seen = "class_matrix", one_of(rows_seen(frame, "share"), "class", ORDER)
    if seen.empty:
        return nothing(name, "No class of customers is large enough to be shown.", frame)
    money = Money.of(currency)
    largest = seen["share"].max() or 1.0
    people, current, future = (numbers(seen, each) for each in ("customers", "current_value", "future_value"))
    # where a class is blanked the sum over all is not known
    total = future.sum() if len(seen) == len(ORDER) and future.sum() > 0 else np.nan
    cells = pd.DataFrame(
        {
            "share": seen["share"],
            **{each: numbers(seen, each) for each in ("expected_share", "low", "high")},
            "held": future / total,
            "current": current / np.maximum(people, 1),
            "future": future / np.maximum(people, 1),
        }
    )
    lines = dict(zip(seen["class"], cells.to_dict("records"), strict=True))

    def draw():
        figure, axes = placed_axes(WIDTH, 2 * TALL + 0.9, (0.75, 0.8, 2 * WIDE, 2 * TALL))
        axes.set(xlim=(0, 2 * WIDE), ylim=(0, 2 * TALL))
        axes.grid(visible=False)
        for each in ORDER:
            line = lines.get(each)
            _cell(axes, each, np.sqrt(line["share"] / largest) if line else 0.0, _words(line, money))
        axes.axvline(WIDE, color=RULE, linewidth=1)
        axes.axhline(TALL, color=RULE, linewidth=1)
        axes.tick_params(length=0, labelsize=10.5)
        axes.set_xticks([WIDE / 2, 1.5 * WIDE], ["low", "high"])
        axes.set_yticks([TALL / 2, 1.5 * TALL], ["low", "high"])
        axes.set_xlabel(f"current value\n(squares: share of customers; means in {money.unit})", color=INK)
        axes.set_ylabel("future value")
        return figure

    told = " ".join(_told(each, lines.get(each), money) for each in SHOWN)
    alt = f"Four classes of customers as squares, current value to the right, future value upwards. {told}"
    columns = {
        "class": CLASS,
        "customers": CUSTOMERS,
        "share": SHARE,
        "expected_share": Column("Expected share", digits=1, percent=True),
        "low": LOW,
        "high": HIGH,
        "current_value": money_column("Current value", currency),
        "future_value": money_column("Future value", currency),
        "lifetime_value": money_column("Lifetime value", currency),
        "referral_value": money_column("Referral value", currency),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns), ENGLISH)


def _cell(axes, each: str, side: float, words: list[str]) -> None:
    """Draw one class: its square, of a side relative to the largest, at the middle, and its words away from it."""
    from matplotlib.patches import Rectangle

    right, top = SIDES[ORDER.index(each)]
    corner, middle = (WIDE * right, TALL * top), np.array([WIDE, TALL])
    axes.add_patch(Rectangle(corner, WIDE, TALL, color=CLASS_COLOURS[each], alpha=0.08, linewidth=0))
    side *= LARGEST
    start = middle - side * np.array([not right, not top])
    axes.add_patch(Rectangle(start, side, side, color=CLASS_COLOURS[each], linewidth=0, zorder=2))
    up = corner[1] + (TALL - 0.08 if top else 0.32 + 0.17 * len(words))
    style = {"color": INK, "va": "top", "zorder": 3, "linespacing": 1.2}
    axes.text(corner[0] + 0.12, up, CLASSES[each], fontsize=10.5, weight="bold", **style)
    axes.text(corner[0] + 0.12, up - 0.22, "\n".join(words), fontsize=10, **style)


def _words(line: dict | None, money: Money) -> list[str]:
    """Return what is written in a class."""
    if line is None:
        return [NOT_SHOWN]
    if not line["share"]:
        return ["no customers"]
    found = {
        "expected": _known(line["expected_share"], lambda value: share_between(value, line["low"], line["high"])),
        "share of future value": _known(line["held"], share),
        "mean current value": _known(line["current"], money.alone),
        "mean future value": _known(line["future"], money.alone),
    }
    return [f"{share(line['share'])} of customers", *(f"{what} {text}" for what, text in found.items() if text)]


def _told(each: str, line: dict | None, money: Money) -> str:
    """Say one class in a sentence."""
    place = "{} current, {} future value".format(*("high" if high else "low" for high in SIDES[ORDER.index(each)]))
    if line is None or not line["share"]:
        return f"{in_english(each, CLASSES).capitalize()} ({place}): {_words(line, money)[0]}."
    found = {
        "expected": _known(line["expected_share"], lambda value: in_words(value, line["low"], line["high"])),
        "share of future value": _known(line["held"], percent),
        "mean current value": _known(line["current"], money.told),
        "mean future value": _known(line["future"], money.told),
    }
    parts = [f"{percent(line['share'])} of customers", *(f"{what} {text}" for what, text in found.items() if text)]
    return f"{in_english(each, CLASSES).capitalize()} ({place}): {', '.join(parts)}."


def _known(value: float, write) -> str:
    return write(value) if np.isfinite(value) else ""


def migration(frame: pd.DataFrame) -> Figure:
    """Draw from which class to which customers moved between the two dates.

    Parameters
    ----------
    frame : pandas.DataFrame
        class_then (one that is no class: not yet a customer), class_now, customers, share_of_row (of class_then).
    """
    name = "migration"
    if rows_seen(frame, "share_of_row").empty:
        return nothing(name, "Too few customers are in each class at both dates to show who moved.", frame)
    after = [each for each in MOVED if (frame.class_now == each).any()]
    before = [each for each in SHOWN if (frame.class_then == each).any()]
    before += [each for each in frame.class_then.unique() if each not in SHOWN]
    keys = ("class_then", "class_now")
    # of a class that nobody was in nothing is to be said
    some = frame.assign(some=numbers(frame, "customers") != 0).groupby("class_then")["some"].any()
    before = [each for each in before if some[each]]
    shares, people = (pivoted(frame, *keys, value, before, after) for value in ("share_of_row", "customers"))
    texts = [
        [
            f"{share(part)}\n{number(size)}" if np.isfinite(part) else _why_not(size)
            for part, size in zip(*pair, strict=True)
        ]
        for pair in zip(shares, people, strict=True)
    ]

    def draw():
        figure, axes = new_axes(WIDTH, 0.9 + 0.52 * len(before))
        rows = [
            drawn_names([each], CLASSES, 12)[0] if each in CLASSES else NOT_YET.replace("a ", "a\n") for each in before
        ]
        top = max(np.nanmax(shares), 0.01)
        grid(axes, shares, texts, rows, drawn_names(after, CLASSES, 12), span=(0, 1.1 * top))
        axes.set_xlabel("class now; in the cells: share of the row, customers")
        axes.set_ylabel("class then")
        return figure

    told = " ".join(_moves(each, line, after) for each, line in zip(before, shares, strict=True))
    alt = f"Grid of the classes of customers at the earlier date (rows) and now (columns). {told}"
    then = {each: NOT_YET for each in before if each not in CLASSES} | CLASSES
    columns = {
        "class_then": Column("Class then", names=then),
        "class_now": Column("Class now", names=CLASSES),
        "customers": CUSTOMERS,
        "share_of_row": Column("Share of the class then", digits=1, percent=True),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns), ENGLISH)


def _why_not(size: float) -> str:
    return "" if size == 0 else NOT_SHOWN.replace(" ", "\n")


def _moves(each: str, shares: np.ndarray, after: list[str]) -> str:
    """Say where the customers of a class went."""
    found = [(part, to) for part, to in zip(shares, after, strict=True) if np.isfinite(part)]
    start = f"Of {in_english(each, CLASSES)}" if each in CLASSES else "Of those who were not yet customers"
    if not found:
        return f"{start} nothing is shown."
    parts = [f"{percent(part)} are {'still ' if to == each else ''}{in_english(to, CLASSES)}" for part, to in found]
    return f"{start} {', '.join(parts)}."
