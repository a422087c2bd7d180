"""Amounts that add up, step by step, each a row."""

from __future__ import annotations

import pandas as pd

from helpers.exhibits import Column, Figure

from ...drawing import (
    RULE,
    WIDTH,
    ZERO,
    end_rows,
    known_columns,
    legend_above,
    new_axes,
    nothing,
    row_axes,
    row_height,
    rows_seen,
    written,
)
from .parts import Money, limits, money_column

KINDS = {"total": "total", "adds": "adds", "takes": "takes away", "memo": "for comparison, not in the sum"}
SHADES = {"total": "#4D4D4D", "adds": "#56B4E9", "takes": "#E69F00", "memo": "white"}


def firm_total(frame: pd.DataFrame, *, currency: str) -> Figure:
    """Draw what all customers are worth to the firm, and what adding both values of each would count twice.

    Parameters
    ----------
    frame : pandas.DataFrame
        step (its name), amount (positive where it is as its kind says, in money), kind: "total" stands for itself,
        "adds" and "takes" go on from what is above, "memo" is drawn on from the total but is no part of it.
    currency : str
    """
    what = "Waterfall of the value of all customers to the firm"
    return _waterfall("firm_total", frame, currency, what, "No customer has a value to add up.", on_top=True)


def referral_parts(frame: pd.DataFrame, *, currency: str) -> Figure:
    """Draw what net referral value consists of, and beside it the gross one, as the sources have it.

    Parameters
    ----------
    frame : pandas.DataFrame
        As for `firm_total`; "memo" is drawn from 0.
    currency : str
    """
    what = "Waterfall of the parts of referral value"
    return _waterfall("referral_parts", frame, currency, what, "There are no referrals to value.", on_top=False)


def _waterfall(name: str, frame: pd.DataFrame, currency: str, what: str, why: str, *, on_top: bool) -> Figure:
    seen = rows_seen(frame, "amount")
    if seen.empty:
        return nothing(name, why, frame)
    spans, money = _spans(seen, on_top), Money.of(currency, seen.amount, figures=4)
    names, texts = [written(each, 20, 3) for each in seen.step], [_amount(line, money) for line in seen.itertuples()]

    def draw():
        from matplotlib.patches import Patch

        figure, axes = new_axes(WIDTH, 1.4 + row_height(names, 0.46) * len(names))
        for row, (kind, (start, end)) in enumerate(zip(seen.kind, spans, strict=True)):
            edge = {"edgecolor": ZERO, "linestyle": "--"} if kind == "memo" else {"edgecolor": SHADES[kind]}
            axes.barh(row, end - start, left=start, height=0.62, facecolor=SHADES[kind], linewidth=1, zorder=3, **edge)
            if row + 1 < len(seen) and _goes_on(seen.kind.iloc[row + 1], on_top):
                level = start if kind == "memo" else end
                axes.plot([level, level], [row + 0.31, row + 0.69], color=RULE, linewidth=1, zorder=2)
        axes.axvline(0, color=ZERO, linewidth=1, zorder=1)
        row_axes(names, axes)
        axes.set_xlim(*limits(spans))
        money.rule(axes.xaxis)
        axes.set_xlabel(money.unit)
        end_rows(axes, texts)
        looks = {kind: {"facecolor": shade, "edgecolor": ZERO} for kind, shade in SHADES.items()}
        looks["memo"] |= {"linestyle": "--"}
        legend_above(axes, [Patch(label=KINDS[each], **looks[each]) for each in KINDS if (seen.kind == each).any()], 2)
        return figure

    told = [f"{step} {text}" for step, text in zip(seen.step, texts, strict=True)]
    is_memo = list(seen.kind == "memo")
    in_sum, beside = (
        "; ".join(each for each, aside in zip(told, is_memo, strict=True) if aside is memo) for memo in (False, True)
    )
    alt = f"{what}, in {money.words}: {in_sum}." + (f" For comparison, not in the sum: {beside}." if beside else "")
    columns = {
        "step": Column("Step"),
        "amount": money_column("Amount", currency),
        "kind": Column("What it does", names=KINDS),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns))


def _goes_on(kind: str, on_top: bool) -> bool:
    """Return whether a row goes on from where the one above it ends."""
    return kind != "memo" or on_top


def _amount(line, money: Money) -> str:
    """Return an amount as it is written: steps with their sign."""
    if line.kind in ("total", "memo"):
        return money.text(line.amount)
    return money.changed(line.amount if line.kind == "adds" else -line.amount)


def _spans(seen: pd.DataFrame, on_top: bool) -> list[tuple[float, float]]:
    """Return where each row starts and ends."""
    spans, level = [], 0.0
    for line in seen.itertuples():
        if line.kind == "memo":
            start = level if on_top else 0.0
            spans.append((start, start + line.amount))
            continue
        start = 0.0 if line.kind == "total" else level
        level = start - line.amount if line.kind == "takes" else start + line.amount
        spans.append((start, level))
    return spans
