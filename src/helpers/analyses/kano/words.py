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
from .settings import Settings
from .tables.classes import evaluated_by
from .tables.decisions import has_budget, unpriced
from .tables.evidence import FEWEST_ANSWERS, alike, few
from .tables.people import one_latent_class
from .tables.pooled import EVERYONE, SURELY

FEW_RESPONDENTS = 200  # below, classes of requirements are unsteady (Chapman and Callegaro 2022)
# Share of questionable answers: 2 to 6 % are usual by the standard table (Nilsson-Witell and Fundin 2005); by the
# revised one, or one that is not known, the same answer twice may be questionable, and has its own limit.
MANY_QUESTIONABLE = 0.06
MANY_SAME = 0.2  # share of pairs with the same answer, neutral apart
MANY_REVERSE = 0.2
MOST_NAMED = 8
TOLD_APART = 0.05  # share of resamples in which another costs more, from which on the first is not told from it
READ_AS = {
    "M": "must be there",
    "O": "count both ways",
    "A": "delight",
    "I": "leave respondents indifferent",
    "R": "are unwanted",
}
OTHER_RULES = {"class_blauth": "(O+A+M) against (I+R+Q)", "class_priority": "M before O before A before I"}
CLAIMS = {
    "M": "that meeting a must-be does not satisfy (Better within {} of 0)",
    "A": "that lacking an attractive requirement does not annoy (Worse within {} of 0)",
    "O": "that a one-dimensional one weighs alike both ways (Better within {} of the size of Worse)",
}
FEELS = {("better", True): "its presence pleases more", ("better", False): "its presence pleases less"}
FEELS |= {("worse", True): "its lack annoys less", ("worse", False): "its lack annoys more"}


def _named(names: Iterable[str]) -> str:
    """Return the user's names as a phrase in which nothing reads as Markdown."""
    return listed(map(plain, names), MOST_NAMED)


def _counted(count: int, what: str) -> str:
    return f"{number(count)} {what}{'' if count == 1 else 's'}"


def headlines(result: Measurement) -> tuple[Headline, ...]:
    """Return how many requirements, respondents and unclear requirements there are."""
    unclear, many = int((~result.clear).sum()), len(result.requirements)
    have = "has" if 1 in (unclear, many) else "have"
    found = [
        Headline(
            "unclear_requirements",
            unclear,
            "requirements",
            f"{unclear} of {_counted(many, 'requirement')} {have} no clear class",
        ),
        Headline("requirements", many, "requirements", _counted(many, "requirement")),
        Headline("respondents", result.respondents, "respondents", _counted(result.respondents, "respondent")),
    ]
    return tuple(found)


def strongest(frame: pd.DataFrame) -> tuple[Headline, ...]:
    """Return the requirement that raises satisfaction most, and the one whose lack lowers it most."""
    found, frame = [], frame[frame["n"] >= FEWEST_ANSWERS]
    for measure, best in (("better", "idxmax"), ("worse", "idxmin")):
        if frame[measure].notna().any():
            row = frame.loc[getattr(frame[measure], best)()]
            numbers = (float(row[f"{measure}{end}"]) for end in ("", "_low", "_high"))
            value, low, high = numbers
            text = f"{row['requirement']}: {measure.capitalize()} {number(value, 2)} ({between(low, high, 2)})"
            found.append(Headline(f"strongest_{measure}", value, "share", text, low, high))
    return tuple(found)


def classes(result: Measurement, frame: pd.DataFrame) -> str:
    """Say which requirements are which, as far as it is clear, and what one letter for everyone hides."""
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
    found = evaluated_by(result)
    table = f"{found} table" if isinstance(result.source, KanoAnswers) else "classes as counted"
    table = f"counted by the {found} table" if found and not isinstance(result.source, KanoAnswers) else table
    who = f"{_counted(result.respondents, 'respondent')}, {table}"
    if not parts:
        none = (
            "The only requirement has no clear class" if many == 1 else f"None of {many} requirements has a clear class"
        )
        return f"**{none}** ({who})."
    have = "has" if 1 in (clear, many) else "have"
    text = f"**{clear} of {_counted(many, 'requirement')} {have} a clear class** ({who}): {'; '.join(parts)}."
    return text + _by_other_rules(frame.assign(clear=result.clear))


def _by_other_rules(frame: pd.DataFrame) -> str:
    """Name what is clear and yet called otherwise by another rule."""
    text = ""
    for column, rule in OTHER_RULES.items():
        for letter, rows in frame[frame["clear"] & (frame[column] != frame["class_mode"])].groupby(column):
            verb = "is" if len(rows) == 1 else "are"
            text += f" By {rule}, though, {_named(rows['requirement'])} {verb} {letter or 'of no class'}."
    return text


def behind(priorities: pd.DataFrame) -> str:
    """Say which requirements have another class in another segment or wave, which one class for everyone hides."""
    parts = [
        f"{plain(row.requirement)} {verb}: {plain(getattr(row, column))}"
        for column, verb in (("waves", "moved"), ("segments", "differs"))
        for row in priorities[priorities[column] != ""].head(MOST_NAMED).itertuples()
    ]
    return f"**One class for everyone hides** that {'; that '.join(parts)}." if parts else ""


def unclear(result: Measurement, frame: pd.DataFrame) -> str:
    """Say which requirements are not clear, and between what."""
    rows = frame[~frame["clear"]]
    if rows.empty:
        return ""
    named = [f"{plain(row.requirement)} ({_between(row)})" for row in rows.head(MOST_NAMED).itertuples()]
    more = f", and {len(rows) - MOST_NAMED} more" if len(rows) > MOST_NAMED else ""
    return f"Not clear: {', '.join(named)}{more}. For these the shares say more than any letter."


def _between(row) -> str:
    if row.n < FEWEST_ANSWERS:
        return f"only {_counted(row.n, 'answer')}" if row.n else "no answers"
    ordered = sorted(CLASSES, key=lambda letter: -getattr(row, letter))[:2]
    text = f"{ordered[0]} {getattr(row, ordered[0])}, {ordered[1]} {getattr(row, ordered[1])}"
    if "/" in row.class_mode:
        text += ", a tie"
    elif np.isfinite(row.bootstrap_share):
        text += f"; {row.class_mode} in {percent(row.bootstrap_share, 0)} of resamples"
    return f"{text}; {plain(row.differs)}" if row.differs else text


def advice(priorities: pd.DataFrame, settings: Settings) -> str:
    """Say what the classes advise, in the sources' reading."""
    stages = {letter: priorities[priorities["class"] == letter]["requirement"].tolist() for letter in "MOAR"}
    reads = {
        "M": "meet first {}",
        "O": "do better than others at {}",
        "A": "choose to delight among {}",
        "R": "remove {}",
    }
    parts = [words.format(_named(stages[letter])) for letter, words in reads.items() if stages[letter]]
    if not parts:
        return ""
    text = f"By the most frequent class, clear or not: {'; '.join(parts)}."
    for source, rows in priorities[priorities["class_from"] != EVERYONE].groupby("class_from"):
        text += f" For {_named(rows['requirement'])} that is the class of {plain(source)}."
    tied = priorities[priorities["tie"] != ""]
    if len(tied):
        of = [f"{plain(row.requirement)} ({row.tie})" for row in tied.itertuples()]
        text += f" Classes tie for {listed(of, MOST_NAMED)}: M comes before O, A and I."
    if has_budget(settings):
        chosen = priorities[priorities["chosen"]]["requirement"].tolist()
        text += f" Under the budget of {number(settings.budget)}: {_named(chosen) if chosen else 'nothing'}."
    return text


def asymmetry(frame: pd.DataFrame) -> str:
    """Say of each claim of the sources for which requirements it holds."""
    if "verdict" not in frame:
        return ""
    margin, parts = f"{frame['margin'].iloc[0]:g}", []
    for letter, claim in CLAIMS.items():
        rows = frame[frame["class"] == letter]
        told = [
            f"{verdict} for {_named(rows[rows['verdict'] == verdict]['requirement'])}"
            for verdict in ("holds", "does not hold", "cannot be told")
            if (rows["verdict"] == verdict).any()
        ]
        if told:
            parts.append(f"{claim.format(margin)} {', '.join(told)}")
    return f"Of the claims of the sources: {'; '.join(parts)}."


def changes(differences: pd.DataFrame | None) -> str:
    """Say which requirements differ between segments and moved between waves, beyond chance."""
    if differences is None or "p_holm" not in differences:
        return ""
    surely = differences[differences["p_holm"] < SURELY]
    if surely.empty:
        return f"None of {number(len(differences))} differences between segments and waves is told from chance."
    # the surest is the one whose interval stays farthest from 0
    nearest = surely[["low", "high"]].abs().min(axis=1).where(surely["low"] * surely["high"] > 0, 0)
    row = surely.loc[nearest.idxmax()]
    verb = "is" if len(surely) == 1 else "are"
    return (
        f"{number(len(surely))} of {number(len(differences))} differences between segments and waves {verb} beyond "
        f"chance, on {_named(dict.fromkeys(surely['requirement']))}. The surest, on {plain(row['requirement'])}: from "
        f"{plain(row['first'])} (n = {number(row['first_n'])}) to {plain(row['second'])} "
        f"(n = {number(row['second_n'])}) {FEELS[row['measure'], bool(row['difference'] > 0)]} "
        f"({row['measure'].capitalize()} {number(row['from_value'], 2)} to {number(row['to_value'], 2)}; difference "
        f"{number(row['difference'], 2)}, {between(row['low'], row['high'], 2)})."
    )


def gaps(importance: pd.DataFrame | None, least_share: float) -> str:
    """Say what respondents show to matter but do not say, and the reverse."""
    if importance is None or "gap" not in importance:
        return ""
    parts = []
    for gap, words in (
        ("hidden", "above the mean importance by what answers show, below it by what respondents say"),
        ("overstated", "above the mean importance by what respondents say, below it by what answers show"),
    ):
        names = importance[importance["gap"] == gap]["requirement"]
        if len(names):
            parts.append(f"{words}: {_named(names)}")
    resamples = f"in {percent(least_share, 0)} of resamples or more"
    if not parts:
        return (
            "No requirement is surely above the mean importance by what answers show and below it by what respondents "
            f"say, or the other way round ({resamples})."
        )
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]} ({resamples})."


def choice(frame: pd.DataFrame) -> str:
    """Say what it costs most to leave out, if customers choose as the sources say."""
    known = frame[frame["low"].notna()]
    if known.empty or not known["lost"].iloc[0] > 0:
        return ""
    first, others = known.iloc[0], known.iloc[1:]
    rivals = others[others["above_first"] >= TOLD_APART]
    told = [
        f"{plain(row.requirement)} (more in {percent(row.above_first, 0)} of resamples)" for row in rivals.itertuples()
    ]
    apart = f", though it cannot be told from {listed(told, MOST_NAMED)}" if told else ""
    return (
        "If customers choose in the sources' three stages, it costs an offer most to leave out "
        f"{plain(first['requirement'])}{apart}: {percent(first['lost'])} of all choices "
        f"({between(first['low'], first['high'], 1, 100)}) of the 50 % it would have against an equal rival, "
        f"{number(100 * first['screened'], 1)} points because it is excluded, {number(100 * first['weighed'], 1)} in "
        "the comparison. That is a simulation; no choices were observed."
    )


def offers(frame: pd.DataFrame) -> str:
    """Say which of the offers that were described is chosen most in the simulation."""
    if "chosen" not in frame or frame["chosen"].isna().all():
        return ""
    rows = frame.sort_values("chosen", ascending=False, kind="stable").head(MOST_NAMED)
    shares = [
        f"{plain(row.offer)} {percent(row.chosen)} ({between(row.low, row.high, 1, 100)})" for row in rows.itertuples()
    ]
    return f"Of the offers described, by the same simulation, customers choose: {'; '.join(shares)}."


def latent_classes(result: Measurement) -> str:
    """Say whether respondents fall into groups that want different things."""
    found = result.latent
    if found is None:
        return ""
    if found.chosen == 1:
        return one_latent_class(result)
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


def warnings(
    result: Measurement, frame: pd.DataFrame, quality: pd.DataFrame, priorities: pd.DataFrame
) -> tuple[str, ...]:
    """Say which conclusions do not hold or must be read with care."""
    return (
        *_budget(result.settings, priorities),
        *_unsteady(result, frame),
        *_hidden(priorities),
        *_misunderstood(result, frame, quality),
    )


def _budget(settings: Settings, priorities: pd.DataFrame) -> list[str]:
    found = []
    if settings.costs and not settings.budget:
        found.append("Costs are given but no budget: set budget, or nothing is chosen under one.")
    if settings.budget and not settings.costs:
        found.append("A budget is given but no costs: set costs, or nothing is chosen under it.")
    without = unpriced(priorities)
    if has_budget(settings) and without:
        found.append(
            f"No cost is given for the must-be {listed(without, MOST_NAMED)}: a must-be comes first, yet the budget is "
            "spent without. Add it to costs."
        )
    return found


def _unsteady(result: Measurement, frame: pd.DataFrame) -> list[str]:
    found, many = [], len(frame)
    least = result.settings.least_share
    share, enough = frame["bootstrap_share"], frame["n"] >= FEWEST_ANSWERS
    steady = int(((share >= least) | (share.isna() & enough)).sum())  # without a share all answers are alike
    if result.respondents < FEW_RESPONDENTS and steady < many:
        found.append(
            f"Only {_counted(result.respondents, 'respondent')}: another survey like this would give the same class to "
            f"{steady} of {_counted(many, 'requirement')} in {percent(least, 0)} of cases or more."
            + (" The curve of sample sizes shows the same of fewer." if enough.any() else "")
        )
    names = np.array(result.requirements, dtype=object)
    if result.repeated:
        found.append(
            f"{_counted(result.repeated, 'respondent')} answered in more than one wave: over all waves together "
            "intervals and exact tests are too sure."
        )
    too_few, same = few(result.everyone), alike(result.everyone)
    if too_few.any() and not too_few.all():
        found.append(
            f"Fewer than {FEWEST_ANSWERS} answers on {listed(names[too_few], MOST_NAMED)}: nothing is concluded there."
        )
    if (same & ~too_few).any():
        found.append(
            f"All answers are of one class on {listed(names[same & ~too_few], MOST_NAMED)}: resamples cannot say how "
            "sure that is."
        )
    return found


def _hidden(priorities: pd.DataFrame) -> list[str]:
    rows = priorities[priorities["segments"] != ""].head(MOST_NAMED)
    return [f"{row.requirement} is {row.segments}: one advice for everyone hides that." for row in rows.itertuples()]


def _misunderstood(result: Measurement, frame: pd.DataFrame, quality: pd.DataFrame) -> list[str]:
    found = []
    disagree = frame[frame["rules_disagree"]]["requirement"].tolist()
    if disagree:
        names = listed(disagree, MOST_NAMED)
        found.append(f"The rules of classification disagree on {names}: the letter depends on the rule.")
    table = evaluated_by(result)
    by_table = f"by the {table} table" if table else "by a table that the counts do not name"
    for column, limit, what in (
        ("questionable", MANY_QUESTIONABLE if table == "standard" else MANY_SAME, f"questionable answers ({by_table})"),
        ("same_answer", MANY_SAME, "the same answer to both questions"),
    ):
        many = quality[quality[column] > limit]["requirement"].tolist()
        if many:
            names = listed(many, MOST_NAMED)
            found.append(f"More than {percent(limit, 0)} {what} on {names}: the question may not be understood.")
    reverse = quality[quality["reverse"] > MANY_REVERSE]["requirement"].tolist()
    if reverse:
        share, names = percent(MANY_REVERSE, 0), listed(reverse, MOST_NAMED)
        found.append(f"More than {share} would rather not have {names}: is it asked the right way round?")
    if result.style_of_classes is not None and result.style_of_classes.verdict == "style":
        found.append("The latent classes are styles of answering, not groups that want different things.")
    return found


def notes(result: Measurement) -> tuple[str, ...]:
    """Say what the input brought that a reader should know."""
    found = [*result.source.notes, *result.notes_of_groups]
    if not isinstance(result.source, KanoAnswers):
        found.append("Only counts are known: resamples are drawn for each requirement by itself.")
    if (rules.by_mode(result.everyone).sum(axis=1) > 1).any():
        found.append("Where two classes are equally frequent both are named.")
    return tuple(found)
