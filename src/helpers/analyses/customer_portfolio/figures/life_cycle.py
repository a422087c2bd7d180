"""The life cycle: how many relationships are in each stage, where they move, and how long they stay."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Figure, number, percent
from helpers.models.customer_portfolio.stages import STAGES as ORDER

from ...drawing import INK, WIDTH, end_rows, known_columns, legend_above, new_axes, nothing, row_axes, rows_seen
from .parts import (
    CUSTOMERS,
    ENGLISH,
    HIGH,
    LOW,
    NOT_SHOWN,
    PALE,
    SHARE,
    STAGES,
    count,
    drawn_names,
    grid,
    in_english,
    limits,
    money_column,
    numbers,
    one_of,
    pivoted,
    share,
)

STAGE = Column("Stage", names=STAGES)
JOINED = "not yet a customer"


def stages(frame: pd.DataFrame, *, currency: str) -> Figure:
    """Draw how many customers were in each stage at the earlier date, and are now.

    Parameters
    ----------
    frame : pandas.DataFrame
        when ("then" or "now"), date, stage, customers, share; nan where it is not to be shown.
    currency : str
        Of the values that are in the table, too.
    """
    name = "stages"
    if not numbers(rows_seen(frame, "customers"), "customers").any():
        return nothing(name, "No stage holds customers enough to be shown.", frame)
    seen = {each: one_of(frame[frame.when == each], "stage", ORDER) for each in ("then", "now")}
    people = {each: numbers(rows, "customers") for each, rows in seen.items()}
    parts = {each: numbers(rows, "share") for each, rows in seen.items()}
    dates = {each: str(rows["date"].iloc[0]) for each, rows in seen.items() if len(rows)}

    def draw():
        figure, axes = new_axes(WIDTH, 1.4 + 0.56 * len(ORDER))
        rows = np.arange(len(ORDER))
        handles = []
        for each, aside, colour in (("then", -0.2, PALE), ("now", 0.2, INK)):
            if each in dates:
                values = np.nan_to_num(people[each])
                handles.append(axes.barh(rows + aside, values, height=0.38, color=colour, label=dates[each], zorder=3))
        row_axes(drawn_names(ORDER, STAGES, 14), axes)
        axes.set_xlim(*limits(*people.values()))
        axes.locator_params(axis="x", nbins=5)
        axes.xaxis.set_major_formatter(lambda value, _: number(value))
        axes.set_xlabel("customers; on the right with their share at the date")
        end_rows(axes, ["\n".join(_part(people[each][row], parts[each][row]) for each in dates) for row in rows])
        legend_above(axes, handles)
        return figure

    told = "; ".join(
        f"{in_english(stage, STAGES)} "
        + ", ".join(f"{_told(people[each][row], parts[each][row])} on {date}" for each, date in dates.items())
        for row, stage in enumerate(ORDER)
    )
    alt = f"Bars of the customers in each stage of the relationship at two dates: {told}."
    columns = {
        "when": Column("When"),
        "date": Column("On"),
        "stage": STAGE,
        "customers": CUSTOMERS,
        "share": SHARE,
        "current_value": money_column("Current value", currency),
        "future_value": money_column("Future value", currency),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns), ENGLISH)


def _part(size: float, part: float) -> str:
    return f"{count(size)} ({share(part)})" if np.isfinite(size) and np.isfinite(part) else count(size)


def _told(size: float, part: float) -> str:
    return f"{count(size)} ({percent(part)})" if np.isfinite(size) and np.isfinite(part) else count(size)


def stage_transitions(frame: pd.DataFrame) -> Figure:
    """Draw from which stage to which customers moved between the two dates.

    Parameters
    ----------
    frame : pandas.DataFrame
        from (one that is no stage: not yet a customer), to, customers, share (of the row), low, high; nan where it is
        not to be shown.
    """
    name = "stage_transitions"
    if rows_seen(frame, "share").empty:
        return nothing(name, "Too few customers moved from any stage to another to be shown.", frame)
    before = [each for each in ORDER if (frame["from"] == each).any()]
    before += [each for each in frame["from"].unique() if each not in ORDER]
    found = {each: pivoted(frame, "from", "to", each, before, ORDER) for each in ("share", "customers", "low", "high")}
    # whoever has left stays so: a row of nobody says nothing
    kept = [
        row
        for row in range(len(before))
        if np.isfinite(found["share"][row]).any() or np.isnan(found["customers"][row]).any()
    ]
    before, found = [before[row] for row in kept], {each: values[kept] for each, values in found.items()}

    def draw():
        figure, axes = new_axes(WIDTH, 0.9 + 0.52 * len(before))
        texts = [[_move(*cell) for cell in zip(*lines, strict=True)] for lines in zip(*found.values(), strict=True)]
        rows = [
            drawn_names([each], STAGES, 12)[0] if each in STAGES else JOINED.replace("a ", "a\n") for each in before
        ]
        shades = np.where(found["customers"] > 0, found["share"], np.nan)
        grid(axes, shades, texts, rows, drawn_names(ORDER, STAGES, 12), span=(0, 1.15))
        axes.set_xlabel("stage now; in the cells: share of the row (%), with 95 % interval")
        axes.set_ylabel("stage then")
        return figure

    told = " ".join(_moves(each, line) for each, line in zip(before, found["share"], strict=True))
    alt = f"Grid of the stages of customers at the earlier date (rows) and now (columns). {told}"
    then = {each: JOINED for each in before if each not in STAGES} | STAGES
    columns = {
        "from": Column("From", names=then),
        "to": Column("To", names=STAGES),
        "customers": CUSTOMERS,
        "share": Column("Share of those from there", digits=1, percent=True),
        "low": LOW,
        "high": HIGH,
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns), ENGLISH)


def _move(part: float, size: float, low: float, high: float) -> str:
    if size == 0:
        return ""
    if not np.isfinite(part):
        return NOT_SHOWN.replace(" ", "\n")
    known = np.isfinite(low) and np.isfinite(high)
    return number(100 * part, 0 if part >= 0.1 else 1) + (
        f"\n({number(100 * low)} to {number(100 * high)})" if known else ""
    )


def _moves(each: str, shares: np.ndarray) -> str:
    """Say where the customers of a stage went, the most first."""
    start = f"Of {in_english(each, STAGES)}" if each in STAGES else "Of those who were not yet customers"
    found = sorted(((part, to) for part, to in zip(shares, ORDER, strict=True) if part > 0), reverse=True)
    if not found:
        return f"{start} nothing is shown."
    went = (f"{percent(part)} {'stayed' if to == each else f'went to {in_english(to, STAGES)}'}" for part, to in found)
    return f"{start} {', '.join(went)}."
