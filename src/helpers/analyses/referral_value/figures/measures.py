"""What the measures of the road map would bring."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Figure, between, number, percent

from ...drawing import (
    INK,
    RULE,
    ZERO,
    end_rows,
    known_columns,
    legend_above,
    nothing,
    panels,
    row_axes,
    rows_seen,
)
from .parts import CLASS, COLOURS, ENGLISH, LABELS, Money, limits, money_column, numbers, scale_of_shares

NUMBERS = [f"{name}{end}" for name in ("net", "return_on_campaign") for end in ("", "_low", "_high")]
NUMBERS += ["response", "break_even_response"]
NOT_TOLD = "cannot be told"


def campaign(frame: pd.DataFrame, *, currency: str) -> Figure:
    """Draw net value and return of each measure, and the response it is assumed to find against what it needs.

    Parameters
    ----------
    frame : pandas.DataFrame
        class (that a measure addresses, or "together"), net, net_low, net_high (in money), return_on_campaign,
        return_on_campaign_low, return_on_campaign_high (net by cost), response, break_even_response (0 to 1; beyond 1
        where no response is enough, 0 or less where none is needed; nan for all together).
    currency : str
    """
    name = "campaign"
    if rows_seen(frame, "net").empty:
        return nothing(name, "No measure addresses anyone, or nobody can tell what it would bring.", frame)
    seen = frame.assign(**{each: numbers(frame, each) for each in NUMBERS})
    money, asked = Money.of(currency, seen[["net", "net_low", "net_high"]]), rows_seen(seen, "response")
    is_spent = not rows_seen(seen, "return_on_campaign").empty

    def draw():
        drawn = [len(seen)] * (1 + is_spent) + [len(asked)] * bool(len(asked))
        high = 0.85 * len(drawn) + 0.48 * sum(drawn) + 0.35 * bool(len(asked))
        figure, grid = panels(len(drawn), 1, high, height_ratios=[count + 0.4 for count in drawn])
        places = iter(grid[:, 0])
        axes = next(places)
        _dots(axes, seen, "net", money.text)
        money.rule(axes.xaxis)
        axes.set_xlabel(f"net value of the campaign ({money.unit}), with 95 % interval")
        if is_spent:
            axes = next(places)
            _dots(axes, seen, "return_on_campaign", lambda value: number(value, 2))
            axes.locator_params(axis="x", nbins=5)
            axes.set_xlabel("net value for each unit of money spent, with 95 % interval")
        if len(asked):
            _responses(next(places), asked)
        return figure

    told = " ".join(_told(line, money) for line in seen.to_dict("records"))
    alt = f"Dots with 95 % intervals of what the measures of the campaign would bring. {told}"
    columns = CLASS | {
        "net": money_column("Net value", currency),
        "net_low": money_column("Net value, 95 % low", currency),
        "net_high": money_column("Net value, 95 % high", currency),
        "return_on_campaign": Column("Net value by cost", digits=2),
        "return_on_campaign_low": Column("Net value by cost, 95 % low", digits=2),
        "return_on_campaign_high": Column("Net value by cost, 95 % high", digits=2),
        "response": Column("Assumed response", digits=1, percent=True),
        "break_even_response": Column("Response that it needs", digits=1, percent=True),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns), ENGLISH)


def _label(each: str) -> str:
    return LABELS.get(each, "All together")


def _shades(rows: pd.DataFrame) -> list[str]:
    return [COLOURS.get(each, INK) for each in rows["class"]]


def _dots(axes, seen: pd.DataFrame, name: str, write) -> None:
    """Draw an estimate of each measure with its interval; numbers stand to the right."""
    values, low, high = (numbers(seen, f"{name}{end}") for end in ("", "_low", "_high"))
    rows = range(len(seen))
    axes.axvline(0, color=ZERO, linewidth=1, zorder=1)
    axes.hlines(rows, low, high, color=_shades(seen), linewidth=2.4, zorder=3)
    axes.scatter(values, rows, c=_shades(seen), s=50, edgecolors=INK, linewidths=0.8, clip_on=False, zorder=4)
    row_axes([_label(each) for each in seen["class"]], axes)
    axes.set_xlim(*limits(values, low, high))
    texts = []
    for value, *interval in zip(values, low, high, strict=True):
        told = f"\n({write(interval[0])} to {write(interval[1])})" if np.isfinite(interval).all() else ""
        texts.append(f"{write(value)}{told}" if np.isfinite(value) else NOT_TOLD)
    end_rows(axes, texts)


def _responses(axes, rows: pd.DataFrame) -> None:
    """Draw the response assumed of each measure against the one that it needs, where there is such a one."""
    needed, places = numbers(rows, "break_even_response"), np.arange(len(rows))
    reached = np.where((needed >= 0) & (needed <= 1), needed, np.nan)
    axes.hlines(places, 100 * reached, 100 * rows.response, color=RULE, linewidth=1, linestyle=":", zorder=2)
    axes.scatter(100 * rows.response, places, c=_shades(rows), s=50, edgecolors=INK, linewidths=0.8, zorder=4)
    (mark,) = axes.plot(100 * reached, places, "|", color=INK, markersize=15, markeredgewidth=2, label="needed to pay")
    (dot,) = axes.plot([], [], "o", color="white", markeredgecolor=INK, markersize=7, label="assumed")
    row_axes([_label(each) for each in rows["class"]], axes)
    scale_of_shares(axes, rows.response, reached)
    axes.set_xlabel("customers addressed who respond (%)")
    end_rows(axes, [_needed(*pair) for pair in zip(rows.response, needed, strict=True)])
    legend_above(axes, [dot, mark], 2)


def _needed(response: float, needed: float) -> str:
    """Say the response assumed and the one needed."""
    if np.isnan(needed):
        return percent(response)
    if 0 < needed <= 1:
        return f"{percent(response)},\nneeded {percent(needed)}"
    return f"{percent(response)}; no response\nis {'enough' if needed > 1 else 'needed'}"


def _told(line: dict, money: Money) -> str:
    """Say what one measure would bring."""
    net, worth = ([line[f"{name}{end}"] for end in ("", "_low", "_high")] for name in ("net", "return_on_campaign"))
    told = f"{CLASS['class'].read(line['class'])}: "
    if not np.isfinite(net[0]):
        return f"{told}{NOT_TOLD}."
    told += f"net {money.told_between(*net)}"
    if np.isfinite(worth[0]):
        told += f", {number(worth[0], 2)} for each unit spent ({between(*worth[1:], 2)})"
    if np.isfinite(line["response"]):
        told += f", response {' '.join(_needed(line['response'], line['break_even_response']).split())}"
    return f"{told}."
