"""The words of the Kano report: every sentence follows from the numbers."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from helpers.data.kano_survey import KanoAnswers
from helpers.exhibits import Headline, between, listed, number, percent, plain
from helpers.models.kano import rules
from helpers.models.kano.evaluation import CLASSES

from .measurement import Measurement

FEW_RESPONDENTS = 200  # below, classes of requirements are unsteady (Chapman and Callegaro 2022)
MANY_QUESTIONABLE = 0.06  # share of questionable answers; 2 to 6 % are usual (Nilsson-Witell and Fundin 2005)
MANY_REVERSE = 0.2
MANY_SAME = 0.2  # share of pairs with the same answer, neutral apart
MOST_NAMED = 8
SURE = 0.95  # share of resamples
READ_AS = {
    "M": "must be there",
    "O": "count both ways",
    "A": "delight",
    "I": "leave respondents indifferent",
    "R": "are unwanted",
}


def _named(names: Iterable[str]) -> str:
    """Return the user's names as a phrase in which nothing reads as Markdown."""
    return listed(map(plain, names), MOST_NAMED)


def headlines(result: Measurement) -> tuple[Headline, ...]:
    """Return how many requirements, respondents and unclear requirements there are."""
    unclear, many = int((~result.clear).sum()), len(result.requirements)
    found = [
        Headline(
            "unclear_requirements", unclear, "requirements", f"{unclear} of {many} requirements have no clear class"
        ),
        Headline("requirements", many, "requirements", f"{number(many)} requirements"),
        Headline("respondents", result.respondents, "respondents", f"{number(result.respondents)} respondents"),
    ]
    return tuple(found)


def strongest(frame: pd.DataFrame) -> tuple[Headline, ...]:
    """Return the requirement that raises satisfaction most, and the one whose lack lowers it most."""
    found = []
    for measure, best in (("better", "idxmax"), ("worse", "idxmin")):
        if frame[measure].notna().any():
            row = frame.loc[getattr(frame[measure], best)()]
            numbers = (float(row[f"{measure}{end}"]) for end in ("", "_low", "_high"))
            value, low, high = numbers
            text = f"{row['requirement']}: {measure} {number(value, 2)} ({between(low, high, 2)})"
            found.append(Headline(f"strongest_{measure}", value, "share", text, low, high))
    return tuple(found)


def classes(result: Measurement) -> str:
    """Say which requirements are which, as far as it is clear."""
    letters = np.array(CLASSES)[result.classes]
    parts = []
    for letter, reads in READ_AS.items():
        names = [
            name for name, found, clear in zip(result.requirements, letters, result.clear, strict=True)
            if clear and found == letter
        ]  # fmt: skip
        if names:
            parts.append(f"{_named(names)} ({reads}, {letter})")
    clear, many = int(result.clear.sum()), len(result.requirements)
    table = f"{result.settings.evaluation_table} table" if isinstance(result.source, KanoAnswers) else "counted classes"
    who = f"{number(result.respondents)} respondents, {table}"
    if not parts:
        return f"**None of the {many} requirements has a clear class** ({who})."
    return f"**{clear} of {many} requirements have a clear class** ({who}): {'; '.join(parts)}."


def unclear(result: Measurement, frame: pd.DataFrame) -> str:
    """Say which requirements are not clear, and between what."""
    rows = frame[~frame["clear"]]
    if rows.empty:
        return ""
    named = [
        f"{plain(row.requirement)} ({_between(row)}; {row.class_mode} in {percent(row.bootstrap_share, 0)} of "
        "resamples)"
        for row in rows.head(MOST_NAMED).itertuples()
    ]
    more = f", and {len(rows) - MOST_NAMED} more" if len(rows) > MOST_NAMED else ""
    return f"Not clear: {', '.join(named)}{more}. For these the shares say more than any letter."


def _between(row) -> str:
    ordered = sorted(CLASSES, key=lambda letter: -getattr(row, letter))[:2]
    return f"{ordered[0]} {getattr(row, ordered[0])}, {ordered[1]} {getattr(row, ordered[1])}"


def advice(priorities: pd.DataFrame, settings) -> str:
    """Say what the classes advise, in the sources' reading."""
    stages = {letter: priorities[priorities["class"] == letter]["requirement"].tolist() for letter in "MOA"}
    parts = []
    if stages["M"]:
        parts.append(f"meet first {_named(stages['M'])}")
    if stages["O"]:
        parts.append(f"do better than others at {_named(stages['O'])}")
    if stages["A"]:
        parts.append(f"choose to delight among {_named(stages['A'])}")
    if not parts:
        return ""
    text = f"By the most frequent class, clear or not: {'; '.join(parts)}."
    if settings.costs:
        chosen = priorities[priorities["chosen"]]["requirement"].tolist()
        text += f" Under the budget of {number(settings.budget)}: {_named(chosen) if chosen else 'nothing'}."
    return text


def asymmetry(frame: pd.DataFrame) -> str:
    """Say whether the classes behave as the sources claim."""
    if "verdict" not in frame:
        return ""
    counts = frame["verdict"].value_counts()
    return (
        "The claim that meeting a must-be does not satisfy and lacking an attractive requirement does not annoy "
        "holds for "
        f"{counts.get('holds', 0)} of {len(frame)} requirements, does not hold for {counts.get('does not hold', 0)}, "
        "and "
        f"cannot be told for {counts.get('cannot be told', 0)}."
    )


def changes(differences: pd.DataFrame | None) -> str:
    """Say which requirements differ between segments and moved between waves, beyond chance."""
    if differences is None or "p_holm" not in differences:
        return ""
    surely = differences[differences["p_holm"] < 0.05]
    if surely.empty:
        return f"None of {number(len(differences))} differences between segments and waves is told from chance."
    largest = surely.loc[surely["difference"].abs().idxmax()]
    verb = "rises" if largest["difference"] > 0 else "falls"
    return (
        f"{number(len(surely))} of {number(len(differences))} differences between segments and waves are beyond "
        "chance, on "
        f"{_named(dict.fromkeys(surely['requirement']))}. The largest: {largest['measure'].capitalize()} of "
        f"{plain(largest['requirement'])} {verb} by {number(abs(largest['difference']), 2)} from "
        f"{plain(largest['first'])} to "
        f"{plain(largest['second'])} ({between(largest['low'], largest['high'], 2)})."
    )


def gaps(importance: pd.DataFrame | None) -> str:
    """Say what respondents show to matter but do not say, and the reverse."""
    if importance is None or "gap" not in importance:
        return ""
    surely = importance[importance["share"] >= SURE]
    parts = []
    for gap, words in (
        ("hidden", "shown to matter more than it is said to"),
        ("overstated", "said to matter more than it is shown to"),
    ):
        names = surely[surely["gap"] == gap]["requirement"]
        if len(names):
            parts.append(f"{words}: {_named(names)}")
    if not parts:
        return "No requirement is surely more important than respondents say, or less."
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]} (in {percent(SURE, 0)} of resamples or more)."


def choice(frame: pd.DataFrame) -> str:
    """Say what it costs most to leave out, if customers choose as the sources say."""
    known = frame[frame["lost"].notna()]
    if known.empty:
        return ""
    first = known.iloc[0]
    return (
        "If customers choose in the sources' three stages, it costs an offer most to leave out "
        f"{plain(first['requirement'])}: {percent(first['lost'])} of all choices "
        f"({between(first['low'], first['high'], 1, 100)}) of the 50 % it would have against an equal rival, "
        f"{percent(first['screened'])} of them in the screen. That is a simulation; no choices were observed."
    )


def latent_classes(result: Measurement) -> str:
    """Say whether respondents fall into groups that want different things."""
    found = result.latent
    if found is None:
        return ""
    if found.chosen == 1:
        return "Respondents do not fall into groups that want different things: one latent class has the least BIC."
    shares = listed([percent(share, 0) for share in found.shares])
    text = f"{found.chosen} latent classes of respondents have the least BIC ({shares} of respondents)."
    style = result.style_of_classes
    same = f"{percent(style.share, 0)} of the difference between them is the same for all requirements"
    says = {
        "style": f"They differ in how people answer rather than in what they want: {same}. They are no target groups.",
        "both": f"They differ in how people answer as well as in what they want: {same}.",
        "wants": f"They want different things: only {same}, as a style of answering would make it.",
    }
    return (
        f"{text} {says.get(style.verdict, 'With so few requirements wants cannot be told from styles of answering.')}"
    )


def illustrated(is_illustrated: bool) -> str:
    """Say what beside published counts is shown by a simulated survey."""
    if not is_illustrated:
        return ""
    return (
        "Counts alone show no scores, importance, segments, waves or groups of respondents. What the report shows of "
        'these is of a simulated survey, marked "Simulated data"; a file of your own replaces all of it.'
    )


def warnings(result: Measurement, frame: pd.DataFrame, quality: pd.DataFrame) -> tuple[str, ...]:
    """Say which conclusions do not hold or must be read with care."""
    found = []
    if result.respondents < FEW_RESPONDENTS:
        found.append(
            f"Only {number(result.respondents)} respondents: with fewer than {FEW_RESPONDENTS} the classes are "
            "unsteady. The "
            "curve of sample sizes shows how much."
        )
    disagree = frame[frame["rules_disagree"]]["requirement"].tolist()
    if disagree:
        found.append(f"The rules of classification disagree on {_named(disagree)}: the letter depends on the rule.")
    for column, limit, what in (
        ("questionable", MANY_QUESTIONABLE, "questionable answers"),
        ("same_answer", MANY_SAME, "the same answer to both questions"),
    ):
        many = quality[quality[column] > limit]["requirement"].tolist()
        if many:
            found.append(f"More than {percent(limit, 0)} {what} on {_named(many)}: the question may not be understood.")
    reverse = quality[quality["reverse"] > MANY_REVERSE]["requirement"].tolist()
    if reverse:
        share = percent(MANY_REVERSE, 0)
        found.append(f"More than {share} would rather not have {_named(reverse)}: is it asked the right way round?")
    if result.style_of_classes is not None and result.style_of_classes.verdict == "style":
        found.append("The latent classes are styles of answering, not groups that want different things.")
    return tuple(found)


def notes(result: Measurement) -> tuple[str, ...]:
    """Say what the input brought that a reader should know."""
    found = [*result.source.notes, *result.notes_of_groups]
    if not isinstance(result.source, KanoAnswers):
        found.append("Only counts are known: resamples are drawn for each requirement by itself.")
    if (rules.by_mode(result.everyone).sum(axis=1) > 1).any():
        found.append("Where two classes are equally frequent both are named.")
    return tuple(found)
