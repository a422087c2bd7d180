"""How far the answers can be trusted: what became of the file, signs of misunderstanding, numbers of respondents."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.data.kano_survey import KanoAnswers
from helpers.exhibits import Column, Table
from helpers.models.kano import comparisons, evaluation, rules, sample_size
from helpers.models.kano.evaluation import CLASSES

from ..measurement import Measurement
from .classes import evaluated_by
from .evidence import FEWEST_ANSWERS, alike

SIZES = (FEWEST_ANSWERS, 20, 30, 50, 100, 200, 400)


def data_accounting(result: Measurement) -> Table:
    """From rows in the file to what is counted."""
    columns = {"step": Column("Step"), "rows": Column("Rows", digits=0), "reason": Column("Reason")}
    caption = "What became of every row of the file: the lines add up to the last."
    return Table("data_accounting", result.source.accounting, caption, columns)


def quality(result: Measurement) -> Table:
    """Signs of how well the questions were understood."""
    counts, answers = result.everyone, result.answers
    answered = np.where(counts.sum(axis=1) > 0, counts.sum(axis=1), np.nan)
    frame = pd.DataFrame(
        {
            "requirement": result.requirements,
            "questionable": counts[:, CLASSES.index("Q")] / answered,
            "reverse": counts[:, CLASSES.index("R")] / answered,
            "same_answer": np.nan if answers is None else evaluation.same_answer_share(answers.pairs),
        }
    )
    columns = {
        "requirement": Column("Requirement"),
        "questionable": Column("Questionable", digits=1, percent=True),
        "reverse": Column("Reverse", digits=1, percent=True),
        "same_answer": Column("Same answer to both questions, neutral apart", digits=1, percent=True),
    }
    worded = f" Answers worded: {result.source.labels}." if isinstance(result.source, KanoAnswers) else ""
    table = evaluated_by(result)
    by_table = f"by the {table} evaluation table" if table else "by an evaluation table that the counts do not name"
    caption = (
        "Many questionable or reverse answers say that a question was not understood, or is asked the wrong way round. "
        f"Questionable {by_table}; the revised table calls the same answer twice questionable, neutral apart, the "
        f"standard one only two likes and two dislikes.{worded}"
    )
    return Table("quality", frame, caption, columns)


def sample_sizes(result: Measurement) -> Table:
    """How often fewer respondents would have given the same class."""
    # every sample of answers that are all alike gives the same class, and of a tie one of those that tie
    one_class = (rules.single(rules.by_mode(result.everyone)) != evaluation.MISSING) & ~alike(result.everyone)
    answers = np.where(one_class, result.everyone.sum(axis=1), 0)
    sizes = [size for size in SIZES if size <= answers.max(initial=0)]
    if not sizes:
        return Table.nothing("sample_size", "There are too few answers, or none that differ, to draw fewer from.")
    found = sample_size.same_class_share(result.everyone, sizes, seed=result.settings.seed)
    frame = pd.DataFrame(
        [
            (requirement, size, float(share))
            for requirement, row, own in zip(result.requirements, found, answers, strict=True)
            for size, share in zip(sizes, row, strict=True)
            if size <= own
        ],
        columns=["requirement", "respondents", "share"],
    )
    view = frame.pivot(index="requirement", columns="respondents", values="share")
    view = view.reindex([name for name in result.requirements if name in view.index])
    view.columns = [f"n_{size}" for size in view.columns]
    columns = {"requirement": Column("Requirement")}
    columns |= {f"n_{size}": Column(f"{size} respondents", digits=0, percent=True) for size in sizes}
    caption = (
        "How often so many respondents, who answer as these did, would have given the same most frequent class. It "
        "need not reach 100 % at the size of this survey: another one like it might have said otherwise. Each "
        f"requirement up to the answers that it has; none of fewer than {FEWEST_ANSWERS} answers, of answers that "
        "are all alike, or of classes that tie."
    )
    return Table("sample_size", frame, caption, columns, view.reset_index())


def false_alarms(result: Measurement) -> Table:
    """How often each test calls a true tie a difference, by simulation."""
    found = comparisons.false_alarms(seed=result.settings.seed)
    frame = pd.DataFrame({"share": found.share, "fong": found.fong, "binomial": found.binomial})
    columns = {
        "share": Column("Share of each of two classes that truly tie", digits=0, percent=True),
        "fong": Column("Fong's test calls it a difference", digits=1, percent=True),
        "binomial": Column("The exact binomial does", digits=1, percent=True),
    }
    caption = f"False alarms at a nominal 10 %, in {found.simulations:,} simulated samples of 300 respondents."
    return Table("false_alarms", frame, caption, columns)
