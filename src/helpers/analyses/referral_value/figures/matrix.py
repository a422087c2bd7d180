"""The two by two classes of customers: what the sources' lost figure showed, with numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Figure, percent
from helpers.models.referral_value.classes import CLASSES, HIGH

from ...drawing import INK, RULE, WIDTH, known_columns, nothing, placed_axes, rows_seen
from .parts import (
    CLASS,
    COLOURS,
    CUSTOMERS,
    ENGLISH,
    LABELS,
    WORDS,
    Money,
    ends,
    in_words,
    money_column,
    numbers,
    share,
)

WIDE, HIGH_UP = 2.75, 2.1  # inches of a class
LARGEST = 1.0  # inches: side of the square of the largest class, beside which the words have room
NUMBERS = ("share", "low", "high", "mean_lifetime_value", "mean_referral_value", "share_of_value")
LEVELS = ("low", "high")


def class_matrix(frame: pd.DataFrame, *, currency: str) -> Figure:
    """Draw the four classes, lifetime value to the right and referral value upwards; squares are shares of customers.

    Parameters
    ----------
    frame : pandas.DataFrame
        class (of `helpers.models.referral_value.classes.CLASSES`), customers, share, low, high (of customers, 0 to 1),
        mean_lifetime_value, mean_referral_value, share_of_value; nan where it is not to be shown.
    currency : str
    """
    name, seen = "class_matrix", rows_seen(frame, "share")
    if seen.empty:
        return nothing(name, "No class of customers is large enough to be shown.", frame)
    money = Money.of(currency)
    largest = seen["share"].max() or 1.0
    shown = {each: numbers(seen, each) for each in NUMBERS}
    lines = {line["class"]: line for line in seen.assign(**shown).to_dict("records")}
    known = {each: lines.get(each) for each in CLASSES}  # None: not to be shown

    def draw():
        figure, axes = placed_axes(WIDTH, 2 * HIGH_UP + 0.9, (0.75, 0.8, 2 * WIDE, 2 * HIGH_UP))
        axes.set(xlim=(0, 2 * WIDE), ylim=(0, 2 * HIGH_UP))
        axes.grid(visible=False)
        for each, line in known.items():
            _cell(axes, each, np.sqrt(line["share"] / largest) if line else 0.0, _words(line, money))
        axes.axvline(WIDE, color=RULE, linewidth=1)
        axes.axhline(HIGH_UP, color=RULE, linewidth=1)
        axes.tick_params(length=0, labelsize=10.5)
        axes.set_xticks([WIDE / 2, 1.5 * WIDE], LEVELS)
        axes.set_yticks([HIGH_UP / 2, 1.5 * HIGH_UP], LEVELS)
        axes.set_xlabel(f"lifetime value\n(squares: share of customers; means in {money.unit})", color=INK)
        axes.set_ylabel("referral value")
        return figure

    told = " ".join(_told(each, line, money) for each, line in known.items())
    alt = f"Four classes of customers as squares, lifetime value to the right, referral value upwards. {told}"
    columns = CLASS | {
        "customers": CUSTOMERS,
        "share": Column("Share of customers", digits=1, percent=True),
        "low": Column("95 % low", digits=1, percent=True),
        "high": Column("95 % high", digits=1, percent=True),
        "mean_lifetime_value": money_column("Mean lifetime value", currency),
        "mean_referral_value": money_column("Mean referral value", currency),
        "share_of_value": Column("Share of total value", digits=1, percent=True),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns), ENGLISH)


def _cell(axes, each: str, side: float, words: list[str]) -> None:
    """Draw one class: its square, of a side relative to the largest, at the middle, and its words away from it."""
    from matplotlib.patches import Rectangle

    right, top = HIGH[each]
    corner, middle = (WIDE * right, HIGH_UP * top), np.array([WIDE, HIGH_UP])
    axes.add_patch(Rectangle(corner, WIDE, HIGH_UP, color=COLOURS[each], alpha=0.08, linewidth=0))
    side *= LARGEST
    start = middle - side * np.array([not right, not top])
    axes.add_patch(Rectangle(start, side, side, color=COLOURS[each], linewidth=0, zorder=2))
    up = corner[1] + (HIGH_UP - 0.08 if top else 0.32 + 0.17 * len(words))
    style = {"color": INK, "va": "top", "zorder": 3, "linespacing": 1.2}
    axes.text(corner[0] + 0.12, up, LABELS[each], fontsize=10.5, weight="bold", **style)
    axes.text(corner[0] + 0.12, up - 0.22, "\n".join(words), fontsize=10, **style)


def _words(line: dict | None, money: Money) -> list[str]:
    """Return what is written in a class."""
    if line is None:
        return ["not shown"]
    if not line["share"]:
        return ["no customers"]
    return [
        f"{share(line['share'])} of customers{ends(line['low'], line['high'])}",
        f"share of total value {_shown(line['share_of_value'], share)}",
        f"mean lifetime value {_shown(line['mean_lifetime_value'], money.alone)}",
        f"mean referral value {_shown(line['mean_referral_value'], money.alone)}",
    ]


def _told(each: str, line: dict | None, money: Money) -> str:
    """Say one class in a sentence."""
    place = "{} lifetime, {} referral value".format(*(LEVELS[high] for high in HIGH[each]))
    if line is None or not line["share"]:
        return f"{WORDS[each]} ({place}): {_words(line, money)[0]}."
    return (
        f"{WORDS[each]} ({place}): {in_words(line['share'], line['low'], line['high'])} of customers, "
        f"share of total value {_shown(line['share_of_value'], percent)}, "
        f"mean lifetime value {_shown(line['mean_lifetime_value'], money.told)}, "
        f"mean referral value {_shown(line['mean_referral_value'], money.told)}."
    )


def _shown(value: float, write) -> str:
    return write(value) if np.isfinite(value) else "not shown"
