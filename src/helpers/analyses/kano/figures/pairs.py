"""The pairs of answers that the classes hide."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Figure, number, percent
from helpers.models.kano.evaluation import ANSWERS

from ...drawing import INK, english_of, known_columns, nothing, panels, rows_seen, written
from ..letters import WORDS
from .parts import MOST_PANELS, REQUIREMENT, counted
from .planes import PAGE

DARK = 0.72  # of the largest share: on darker cells white is read better
ANSWER_WORDS = [answer.replace("_b", "-b").replace("_", " ") for answer in ANSWERS]


def answer_pairs(frame: pd.DataFrame, english: Mapping[str, str]) -> Figure:
    """Draw how often each pair of answers was given, which the classes hide.

    Parameters
    ----------
    frame : pandas.DataFrame
        requirement, functional, dysfunctional (1 like to 5 dislike), share (of the requirement's pairs), class (the
        letter of the pair).
    english : mapping of str to str
    """
    name, seen = "answer_pairs", rows_seen(frame, "functional", "dysfunctional", "share")
    if seen.empty:
        return nothing(name, "There are no pairs of answers, only counts of classes.", frame)
    every = list(seen.requirement.unique())
    shown = every[:MOST_PANELS]
    columns = min(2, len(shown))
    rows = -(-len(shown) // columns)
    titles = [written(each, 22, 2) for each in shown]
    top = max(seen.share.max(), 0.01)

    def draw():
        lines = 1 + max(title.count("\n") for title in titles)
        figure, grid = panels(rows, columns, 1.2 + rows * (1.6 + 0.18 * lines), sharex=True, sharey=True)
        figure.set_figwidth(PAGE)
        for place, axes in enumerate(grid.flat):
            if place >= len(shown):
                axes.set_axis_off()
                continue
            one_panel(axes, seen[seen.requirement == shown[place]])
            axes.set_title(titles[place], fontsize=9.5, pad=4, weight="normal", color=INK)
            axes.tick_params(labelbottom=place + columns >= len(shown), labelleft=place % columns == 0)
        some = f"\n(the first {MOST_PANELS} of {len(every)} requirements)" if len(every) > len(shown) else ""
        below = f"if it is missing (dysfunctional); in the cells: class and %{some}"
        figure.supxlabel(below, fontsize=10, color=INK)
        figure.supylabel("if it is there (functional)", fontsize=10, color=INK)
        return figure

    def one_panel(axes, rows):
        shares, letters = np.zeros((5, 5)), np.full((5, 5), "", dtype=object)
        where = rows.functional.to_numpy(int) - 1, rows.dysfunctional.to_numpy(int) - 1
        shares[where], letters[where] = rows.share, rows["class"]
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1.15 * top, aspect="auto")
        for rule in (axes.hlines, axes.vlines):
            rule(np.arange(0.5, 4), -0.5, 4.5, color="#DDDDDD", linewidth=0.6)
        for row, column in np.ndindex(5, 5):
            colour = "white" if shares[row, column] > DARK * top else INK
            style = {"color": colour, "va": "center", "fontsize": 9}
            axes.text(column - 0.42, row, letters[row, column], ha="left", **style)
            if shares[row, column] >= 0.005:
                share = number(100 * shares[row, column])
                axes.text(column + 0.4, row, share, ha="right", weight="bold", **style)
        axes.set_xticks(range(5), ANSWER_WORDS, rotation=90)
        axes.set_yticks(range(5), ANSWER_WORDS)
        axes.tick_params(length=0, labelsize=9, labelcolor=INK)
        axes.grid(visible=False)

    told = "; ".join(_commonest(seen[seen.requirement == each]) for each in shown)
    alt = f"Heat maps of the pairs of answers to {counted(len(shown))}. The commonest pair: {told}."
    alt += f" {len(every) - len(shown)} more are not drawn." if len(every) > len(shown) else ""
    known = REQUIREMENT | {
        "functional": Column("If it is there", "1 like to 5 dislike", 0),
        "dysfunctional": Column("If it is missing", "1 like to 5 dislike", 0),
        "share": Column("Share", digits=1, percent=True),
        "class": Column("Class", names=WORDS),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, known), english_of(shown, english, 22, 2))


def _commonest(rows: pd.DataFrame) -> str:
    line = rows.loc[rows.share.idxmax()]
    there, missing = (ANSWER_WORDS[int(line[side]) - 1] for side in ("functional", "dysfunctional"))
    return f"{line.requirement} {there} and {missing} ({line['class']}, {percent(line.share, 0)})"
