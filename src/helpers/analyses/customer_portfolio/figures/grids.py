"""Grids: recency by frequency, and how alike the lenses rank customers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Figure, number, percent

from ...drawing import WIDTH, known_columns, new_axes, nothing, panels, rows_seen, written
from .parts import CUSTOMERS, NOT_SHOWN, Money, grid, money_column, pivoted

SCORES = (1, 2, 3, 4, 5)
LENSES = {
    "output": "days of purchase",
    "sales": "sales",
    "profit": "profit so far",
    "loyalty": "repeat purchases a day",
    "lifetime_value": "lifetime value",
    "overdue": "amount overdue",
}
HALVES = {
    "tau": "ranks of all: Kendall's tau-b, with 95 % interval",
    "overlap": "top by one that is top by the other (%), with 95 % interval",
}


def rfm(frame: pd.DataFrame, *, currency: str) -> Figure:
    """Draw how many customers have each score of recency and of frequency, and how much they have bought.

    Parameters
    ----------
    frame : pandas.DataFrame
        recency, frequency (scores, 1 to 5), customers, mean_monetary (in money); nan where it is not to be shown.
    currency : str
    """
    name, seen = "rfm", rows_seen(frame, "recency", "frequency", "customers")
    if seen.empty or not seen.customers.sum() > 0:
        return nothing(name, "No cell of the grid holds customers enough to be shown.", frame)
    scores = {each: each for each in SCORES}
    frame_of = frame.assign(
        **{each: frame[each].map(lambda score: scores.get(int(score))) for each in ("recency", "frequency")}
    )
    rows = SCORES[::-1]
    people, mean = (
        pivoted(frame_of, "recency", "frequency", each, rows, SCORES) for each in ("customers", "mean_monetary")
    )
    listed = frame_of.set_index(["recency", "frequency"]).index
    money = Money.of(currency, mean)

    def text(row: int, column: int) -> str:
        size, amount = people[row, column], mean[row, column]
        if not np.isfinite(size):
            return "not\nshown" if (rows[row], SCORES[column]) in listed else ""
        return (number(size) + (f"\n{money.text(amount)}" if np.isfinite(amount) else "")) if size else "0"

    texts = [[text(row, column) for column in range(5)] for row in range(5)]

    def draw():
        figure, axes = new_axes(WIDTH, 3.9)
        shades = np.where(people > 0, people, np.nan)
        grid(axes, shades, texts, list(map(str, rows)), list(map(str, SCORES)), span=(0, 1.1 * np.nanmax(people)))
        axes.set_ylabel("recency score (5: bought last)")
        axes.set_xlabel(f"frequency score (5: most often)\nin the cells: customers, mean sales in {money.unit}")
        return figure

    most = seen.loc[seen.customers.idxmax()]
    worth = rows_seen(seen, "mean_monetary") if "mean_monetary" in seen else seen.iloc[:0]
    alt = (
        f"Grid of customers by recency and frequency, scores 1 to 5. Most, {number(most.customers)}, have recency "
        f"{most.recency:g} and frequency {most.frequency:g}."
    )
    if len(worth):
        best = worth.loc[worth.mean_monetary.idxmax()]
        alt += (
            f" Those with recency {best.recency:g} and frequency {best.frequency:g} have bought most, "
            f"{money.told(best.mean_monetary)} on average."
        )
    columns = {
        "recency": Column("Recency score", digits=0),
        "frequency": Column("Frequency score", digits=0),
        "customers": CUSTOMERS,
        "mean_monetary": money_column("Mean sales", currency),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns))


def lens_agreement(frame: pd.DataFrame) -> Figure:
    """Draw how alike each two lenses rank customers, and how many of the top they have in common.

    Parameters
    ----------
    frame : pandas.DataFrame
        lens, other (each pair once or both ways), tau, low, high (-1 to 1), overlap, overlap_low, overlap_high (0 to
        1); nan where it is not to be shown.
    """
    name, seen = "lens_agreement", rows_seen(frame, "tau")
    if seen.empty:
        return nothing(name, "How alike the lenses rank customers is not known.", frame)
    keys = [each for each in LENSES if (frame.lens == each).any() or (frame.other == each).any()]
    found = {each: _symmetric(frame, each, keys) for each in (*HALVES, "low", "high", "overlap_low", "overlap_high")}
    below = np.tril(np.ones((len(keys), len(keys)), bool), -1)

    def draw():
        tall = 0.5 * (len(keys) - 1)
        figure, places = panels(2, 1, 2 * tall + 1.9)
        names = [written(LENSES[each], 12) for each in keys]
        for axes, each, bounds in zip(
            places[:, 0], HALVES, (("low", "high"), ("overlap_low", "overlap_high")), strict=True
        ):
            write = (lambda value: number(value, 2)) if each == "tau" else (lambda value: number(100 * value))
            values, low, high = (np.where(below, found[which], np.nan) for which in (each, *bounds))
            texts = [
                [
                    _cell(write, *cell) if below[row, column] else ""
                    for column, *cell in zip(range(len(keys)), *lines, strict=True)
                ]
                for row, *lines in zip(range(len(keys)), values, low, high, strict=True)
            ]
            # one scale with two sides, so that opposite ranks stand out
            grid(axes, values[1:, :-1], texts[1:], names[1:], names[:-1], span=(-1.1, 1.1), colours="RdBu", size=8.5)
            for row, column in np.argwhere(~below[1:, :-1]):
                axes.add_patch(_blank(row, column))
            axes.set_title(HALVES[each], fontsize=10.5, weight="normal", pad=6)
        return figure

    pairs = sorted(
        (
            (found["tau"][row, column], keys[row], keys[column])
            for row, column in np.argwhere(below & np.isfinite(found["tau"]))
        )
    )
    (least, *low_pair), (most, *high_pair) = pairs[0], pairs[-1]
    alt = (
        "Grids of how alike two ways of looking at customers rank them (Kendall's tau-b, 1 is alike), and of the "
        f"share of the top by one that is top by the other. Least alike: {_pair(low_pair)}, {number(least, 2)}"
        f"{_told_overlap(found, keys, low_pair)}. Most alike: {_pair(high_pair)}, {number(most, 2)}"
        f"{_told_overlap(found, keys, high_pair)}."
    )
    columns = {
        "lens": Column("Lens", names=LENSES),
        "other": Column("Other lens", names=LENSES),
        "tau": Column("Kendall's tau-b", digits=2),
        "low": Column("95 % low", digits=2),
        "high": Column("95 % high", digits=2),
        "overlap": Column("Of one top also in the other", digits=0, percent=True),
        "overlap_low": Column("95 % low of the top", digits=0, percent=True),
        "overlap_high": Column("95 % high of the top", digits=0, percent=True),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns))


def _symmetric(frame: pd.DataFrame, value: str, keys: list[str]) -> np.ndarray:
    found = pivoted(frame, "lens", "other", value, keys, keys)
    return np.where(np.isfinite(found), found, found.T)


def _cell(write, value: float, low: float, high: float) -> str:
    if not np.isfinite(value):
        return NOT_SHOWN.replace(" ", "\n")
    known = np.isfinite(low) and np.isfinite(high)
    return write(value) + (f"\n{write(low)} to {write(high)}" if known else "")


def _blank(row: int, column: int):
    from matplotlib.patches import Rectangle

    return Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor="white", edgecolor="white", zorder=1)


def _pair(pair: list[str]) -> str:
    return f"{LENSES[pair[0]]} and {LENSES[pair[1]]}"


def _told_overlap(found: dict, keys: list[str], pair: list[str]) -> str:
    both = found["overlap"][keys.index(pair[0]), keys.index(pair[1])]
    return f" (tops in common {percent(both, 0)})" if np.isfinite(both) else ""
