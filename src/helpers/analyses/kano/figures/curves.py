"""Lines with their names at the end: the same class from fewer respondents, satisfaction over fulfilment."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Figure, number, percent

from ...drawing import INK, WIDTH, ZERO, english_of, known_columns, name_ends, new_axes, nothing, rows_seen, written
from ..letters import COLOURS, ORDER, WORDS
from .parts import REQUIREMENT, counted, from_to, legend

ENOUGH = 0.9  # of subsamples that name the same class


def _round_sizes(least: float, most: float) -> list[int]:
    """Return round numbers of people between two ends, or the ends."""
    found = [step * 10**power for power in range(7) for step in (1, 2, 5) if least <= step * 10**power <= most]
    return found if len(found) > 1 else sorted({int(least), int(most)})


def sample_size(frame: pd.DataFrame, english: Mapping[str, str]) -> Figure:
    """Draw how often fewer respondents would have given the same class, for each requirement and on the average.

    Parameters
    ----------
    frame : pandas.DataFrame
        requirement, respondents, share (of subsamples of that many).
    english : mapping of str to str
    """
    name, seen = "sample_size", rows_seen(frame, "respondents", "share")
    if seen.empty:
        return nothing(name, "There are too few answers to draw subsamples of them.", frame)
    table = seen.pivot(index="respondents", columns="requirement", values="share").sort_index()
    mean = table.dropna().mean(axis=1)  # only where it is of all: otherwise it would jump where one ends
    hardest = list(table.mean().sort_values(kind="stable").index[: min(2, len(table.columns) - 1)])
    looks = [("C3", "-."), ("C4", ":")]
    texts = {each: written(each, 20, 2) for each in hardest}

    def draw():
        figure, axes = new_axes(WIDTH, 3.6)
        axes.set_xscale("log")
        for each in table.columns.difference(hardest):
            axes.plot(table[each].dropna(), color="#C8C8C8", linewidth=1, zorder=1.5)
        ends, names, colours = [], [], []
        for each, (colour, style) in zip(hardest, looks, strict=False):
            line = table[each].dropna()
            axes.plot(line, color=colour, linestyle=style, linewidth=2)
            ends.append((line.index[-1], line.iloc[-1]))
            names.append(texts[each])
            colours.append(colour)
        if len(mean):
            axes.plot(mean, color=INK, linewidth=2.8)
            ends.append((mean.index[-1], mean.iloc[-1]))
            names.append(f"mean of {len(table.columns)}" if len(table.columns) > 1 else texts_of_one())
            colours.append(INK)
        axes.axhline(ENOUGH, color=ZERO, linewidth=1, linestyle="--", zorder=1)
        low = min(0.5, np.floor(10 * table.min().min()) / 10)
        ticks = _round_sizes(table.index.min(), table.index.max())
        axes.set_xticks(ticks, [number(tick) for tick in ticks])
        axes.minorticks_off()
        axes.set(xlim=(table.index.min(), table.index.max()), ylim=(low, 1.01))
        name_ends(axes, ends, names, colours, (1.01 - low) * 0.15)
        axes.set_yticks(np.arange(low, 1.01, 0.1), [number(100 * tick) for tick in np.arange(low, 1.01, 0.1)])
        axes.set(xlabel="respondents (logarithmic scale)", ylabel="same class as the whole sample (%)")
        return figure

    def texts_of_one() -> str:
        return written(table.columns[0], 20, 2)

    alt = f"Lines of how often fewer respondents would have given the same class, for {counted(len(table.columns))}. "
    alt += _reaching(mean, "On the average")
    alt += "".join(" " + _reaching(table[each].dropna(), f"For {each}") for each in hardest)
    columns = REQUIREMENT | {
        "respondents": Column("Respondents", "respondents", 0),
        "share": Column("Subsamples with the same class", digits=1, percent=True),
    }
    known = english_of(table.columns, english, 20, 2)
    return Figure(name, draw, alt.strip(), frame, known_columns(frame, columns), known)


def _reaching(line: pd.Series, words: str) -> str:
    """Say from how many respondents on a line stays above what is enough."""
    if line.empty:
        return f"{words} nothing can be said."
    short = np.flatnonzero(line < ENOUGH)
    start = short[-1] + 1 if len(short) else 0
    least = f"{words} {percent(line.iloc[0], 0)} of subsamples of {number(line.index[0])} do"
    if start == len(line):
        return f"{least}, and {percent(line.iloc[-1], 0)} of those of {number(line.index[-1])}."
    return f"{least}; {percent(ENOUGH, 0)} or more do from {number(line.index[start])} on."


def satisfaction_curves(frame: pd.DataFrame, english: Mapping[str, str]) -> Figure:
    """Draw satisfaction over fulfilment, of the form that the class of each requirement assumes (Wang and Ji 2010).

    Parameters
    ----------
    frame : pandas.DataFrame
        requirement, class (letter), fulfilment (0 to 1), satisfaction (-1 to 1; nan for classes without a curve).
    english : mapping of str to str
    """
    name, seen = "satisfaction_curves", rows_seen(frame, "fulfilment", "satisfaction")
    if seen.empty:
        return nothing(
            name, "No requirement is of a class that has a curve: must-be, one-dimensional, attractive.", frame
        )
    curves = {each: rows.sort_values("fulfilment") for each, rows in seen.groupby("requirement", sort=False)}
    letters = {each: rows["class"].iloc[0] for each, rows in curves.items()}
    names = [f"{written(each, 20, 2)} ({letters[each]})" for each in curves]
    present = [letter for letter in ORDER if letter in letters.values()]
    tallest = max(name.count("\n") + 1 for name in names)
    upward = max(3.2, (0.1 + 0.16 * tallest) * len(names))  # inches, in which the names have room

    def draw():
        figure, axes = new_axes(WIDTH, upward + 1.0)
        legend(axes, present)
        axes.axhline(0, color=ZERO, linewidth=1, zorder=1)
        styles = {"M": "--", "O": "-", "A": "-."}
        for each, rows in curves.items():
            look = {"color": COLOURS[letters[each]], "linestyle": styles.get(letters[each], ":")}
            axes.plot(rows.fulfilment, rows.satisfaction, **look)
        axes.set(xlim=(0, 1), ylim=(-1.02, 1.02))
        ends = [(rows.fulfilment.iloc[-1], rows.satisfaction.iloc[-1]) for rows in curves.values()]
        gap = 2.04 * (0.06 + 0.16 * tallest) / upward
        name_ends(axes, ends, names, [COLOURS[letter] for letter in letters.values()], gap)
        axes.set_xticks([0, 0.5, 1], ["not at all", "half", "fully"])
        axes.get_xticklabels()[0].set_ha("left")
        axes.set(xlabel="fulfilment", ylabel="satisfaction, from Worse to Better")
        return figure

    told = "; ".join(
        f"{each} ({WORDS[letters[each]]}) {from_to(rows.satisfaction.iloc[0], rows.satisfaction.iloc[-1])}"
        for each, rows in curves.items()
    )
    alt = (
        f"Curves of satisfaction from no to full fulfilment of {counted(len(curves))}, in the form of the class: "
        f"{told}."
    )
    columns = REQUIREMENT | {
        "class": Column("Class", names=WORDS),
        "fulfilment": Column("Fulfilment", digits=2),
        "satisfaction": Column("Satisfaction", digits=3),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns), english_of(curves, english, 20, 2))
