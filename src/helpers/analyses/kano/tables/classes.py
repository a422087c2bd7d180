"""What each requirement is called, by every rule, and how sure that is."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.data.kano_survey import KanoAnswers
from helpers.data.sources import find_built_in
from helpers.exhibits import Column, Table, percent
from helpers.models.kano import coefficients, comparisons, rules
from helpers.models.kano.evaluation import CLASSES

from ...groups import ALL
from ..letters import WORDS
from ..measurement import Measurement
from .evidence import FEWEST_ANSWERS, alike, few
from .pooled import Pooled

LEAST_P = 0.001
NO_SHARE = (
    f"Of fewer than {FEWEST_ANSWERS} answers nothing is called; of these, and of answers that are all alike, no share "
    "of resamples is shown."
)


def evaluated_by(result: Measurement) -> str:
    """Return by which evaluation table the answers were classed, as far as it is known."""
    if isinstance(result.source, KanoAnswers):
        return result.settings.evaluation_table
    built_in = find_built_in(result.settings.counts, "kano_counts")
    return "revised" if built_in and "revised evaluation table" in built_in.description else ""


def requirements_frame(result: Measurement, hidden: Pooled) -> pd.DataFrame:
    """Return one row for each requirement of everyone, and of each group: counts, classes, coefficients, tests."""
    frames = []
    for number, (kind, name) in enumerate(result.groups):
        frame = _described(result, result.counts[number])
        frame.insert(1, "segment", name if kind == "segment" else ALL)
        frame.insert(2, "wave", name if kind == "wave" else ALL)
        if number == 0:
            frame["verdict"] = np.where(result.clear, rules.labels(rules.by_mode(result.everyone)), "not clear")
            frame["clear"] = result.clear
            # of a tie the share of the class that wins more often: that one of them wins says nothing
            wins = np.where(rules.by_mode(result.everyone), result.mode_share, 0).max(axis=1)
            frame["bootstrap_share"] = np.where(few(result.everyone) | alike(result.everyone), np.nan, wins)
            frame["differs"] = [
                "; ".join(filter(None, each)) for each in zip(hidden.waves, hidden.segments, strict=True)
            ]
            frame["importance"] = result.importance
        frames.append(frame[~result.hidden[number]])
    return pd.concat(frames, ignore_index=True)


def _described(result: Measurement, counts: np.ndarray) -> pd.DataFrame:
    settings, found = result.settings, coefficients.coefficients(counts)
    named = {
        "class_mode": rules.by_mode(counts),
        "class_priority": rules.by_priority(counts, settings.near_tie),
        "class_blauth": rules.by_blauth(counts),
    }
    fong = comparisons.fong(counts)
    columns = {"requirement": result.requirements, "n": counts.sum(axis=1).astype(int)}
    columns |= {letter: counts[:, place].astype(int) for place, letter in enumerate(CLASSES)}
    columns |= {name: rules.labels(members) for name, members in named.items()}
    columns |= {"rules_disagree": rules.rules_disagree(counts, settings.near_tie)}
    columns |= {
        name: getattr(found, name)
        for name in ("better", "better_low", "better_high", "worse", "worse_low", "worse_high")
    }
    columns |= {
        "total_strength": rules.total_strength(counts),
        "category_strength": rules.category_strength(counts),
        "fong_difference": fong.difference,
        "fong_limit": fong.limit,
        "fong_significant": fong.significant,
        "binomial_p": comparisons.binomial_p(counts),
    }
    return pd.DataFrame(columns)


def of_everyone(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of everyone, without those of segments and waves."""
    return frame[(frame["segment"] == ALL) & (frame["wave"] == ALL)].reset_index(drop=True)


def requirements(result: Measurement, frame: pd.DataFrame) -> Table:
    """Class, verdict and coefficients of each requirement."""
    shown = of_everyone(frame)
    columns = {
        "requirement": Column("Requirement"),
        "verdict": Column("Verdict", names=WORDS),
        "class_mode": Column("Most frequent", names=WORDS),
        "bootstrap_share": Column("Resamples in which that class is most frequent", digits=0, percent=True),
        "binomial_p": Column("p, exact binomial", digits=3, least=LEAST_P),
        "differs": Column("But surely differs"),
        "better": Column("Better", digits=2),
        "better_low": Column("Better, 95 % low", digits=2),
        "better_high": Column("Better, 95 % high", digits=2),
        "worse": Column("Worse", digits=2),
        "worse_low": Column("Worse, 95 % low", digits=2),
        "worse_high": Column("Worse, 95 % high", digits=2),
        "n": Column("Respondents", digits=0),
    }
    if not shown["differs"].any():
        del columns["differs"]
    settings, table = result.settings, evaluated_by(result)
    caption = (
        f"{f'Evaluation table: {table}' if table else 'Classes as they were counted'}. A class is called only where it "
        f"is ahead of the next by the exact binomial test (p below {settings.significance:g}, of each requirement by "
        "itself, not corrected for their number) and is the most frequent in "
        f"{percent(settings.least_share, 0)} of the resamples. Better and Worse over A + O + M + I, with Wilson "
        "intervals."
    )
    if shown["bootstrap_share"].isna().any():
        caption += f" {NO_SHARE}"
    return Table("requirements", frame.drop(columns="clear"), caption, columns, shown)


def shares(result: Measurement, frame: pd.DataFrame) -> Table:
    """How the answers of each requirement are spread over the classes."""
    rows = of_everyone(frame)
    view = rows[["requirement", "n"]].assign(**{letter: rows[letter] / rows["n"].clip(lower=1) for letter in CLASSES})
    columns = {"requirement": Column("Requirement")}
    columns |= {letter: Column(f"{letter}, {WORDS[letter]}", digits=1, percent=True) for letter in "MOAIRQ"}
    columns |= {"n": Column("Respondents", digits=0)}
    return Table("shares", view, "Shares of the six classes; a modal class hides the rest.", columns)


def rules_compared(result: Measurement, frame: pd.DataFrame) -> Table:
    """What each rule calls a requirement, and how strong the call is."""
    rows = of_everyone(frame)
    view = rows.assign(
        rules_disagree=np.where(rows["rules_disagree"], "yes", "no"),
        fong_significant=np.where(rows["fong_significant"], "yes", "no"),
    )
    columns = {
        "requirement": Column("Requirement"),
        "class_mode": Column("Most frequent"),
        "class_priority": Column("M > O > A > I within a band"),
        "class_blauth": Column("(O+A+M) against (I+R+Q)"),
        "rules_disagree": Column("Rules disagree"),
        "total_strength": Column("Total strength", digits=1, percent=True),
        "category_strength": Column("Category strength", digits=1, percent=True),
        "fong_significant": Column("Fong's test significant"),
        "binomial_p": Column("p, exact binomial", digits=3, least=LEAST_P),
    }
    names = ["requirement", *list(columns)[1:]]
    caption = (
        "Ties are stated, never broken by the alphabet. The band of the priority rule is "
        f"{percent(result.settings.near_tie, 0)} of the answers. p is of each requirement by itself, not corrected for "
        "their number. Fong's test is shown because others report it: it calls ties significant too often (see the "
        "method)."
    )
    return Table("rules", rows[names], caption, columns, view)
