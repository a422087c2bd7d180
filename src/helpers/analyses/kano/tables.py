"""The tables of the Kano report."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from helpers.data.kano_survey import KanoAnswers
from helpers.exhibits import Column, Table
from helpers.models.kano import (
    asymmetry as claims,
)
from helpers.models.kano import (
    coefficients,
    comparisons,
    continuous,
    decision,
    evaluation,
    rules,
    sample_size,
)
from helpers.models.kano.evaluation import CLASSES

from ..groups import ALL
from ..many_comparisons import holm
from .measurement import Measurement

WORDS = {
    "A": "attractive",
    "O": "one-dimensional",
    "M": "must-be",
    "I": "indifferent",
    "R": "reverse",
    "Q": "questionable",
}
GROUP_NAMES = {ALL: "everyone"}
SIZES = (12, 20, 30, 50, 100, 200, 400)
MUST_BE, ATTRACTIVE, ONE_DIMENSIONAL = (CLASSES.index(letter) for letter in "MAO")


def tables(result: Measurement) -> list[Table]:
    """Return every table of the report."""
    every = requirements_frame(result)
    return [
        requirements(result, every),
        shares(result, every),
        rules_compared(result, every),
        data_accounting(result),
        quality(result),
        scores(result),
        asymmetry(result),
        segments(result, every),
        differences(result),
        sample_sizes(result),
        false_alarms(result),
        priorities(result),
        priors(result),
    ]


def nothing(name: str, why: str) -> Table:
    """Return a table that says why there is nothing to show."""
    return Table(name, pd.DataFrame({"reason": [why]}), why, view=pd.DataFrame())


def requirements_frame(result: Measurement) -> pd.DataFrame:
    """Return one row for each requirement of everyone, and of each group: counts, classes, coefficients, tests."""
    frames = []
    for number, (kind, name) in enumerate(result.groups):
        frame = _described(result, result.counts[number])
        frame.insert(1, "segment", name if kind == "segment" else ALL)
        frame.insert(2, "wave", name if kind == "wave" else ALL)
        if number == 0:
            frame["verdict"] = np.where(result.clear, rules.labels(rules.by_mode(result.everyone)), "not clear")
            frame["clear"] = result.clear
            frame["bootstrap_share"] = np.where(rules.by_mode(result.everyone), result.mode_share, 0).sum(axis=1)
            frame["importance"] = result.importance
        frames.append(frame)
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


def _of_everyone(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[(frame["segment"] == ALL) & (frame["wave"] == ALL)].reset_index(drop=True)


def requirements(result: Measurement, frame: pd.DataFrame) -> Table:
    """Class, verdict and coefficients of each requirement."""
    columns = {
        "requirement": Column("Requirement"),
        "verdict": Column("Verdict", names=WORDS),
        "bootstrap_share": Column("Resamples with that class", digits=0, percent=True),
        "better": Column("Better", digits=2),
        "better_low": Column("Better, 95 % low", digits=2),
        "better_high": Column("Better, 95 % high", digits=2),
        "worse": Column("Worse", digits=2),
        "worse_low": Column("Worse, 95 % low", digits=2),
        "worse_high": Column("Worse, 95 % high", digits=2),
        "n": Column("Respondents", digits=0),
    }
    settings = result.settings
    answered = isinstance(result.source, KanoAnswers)
    table = f"Evaluation table: {settings.evaluation_table}." if answered else "Classes as they were counted."
    caption = (
        f"{table} A class is called only where it is ahead of the next by the "
        "exact "
        f"binomial test (p below {settings.significance:g}) and wins in {settings.least_share:.0%} of the resamples. "
        "Better "
        "and Worse over A + O + M + I, with Wilson intervals."
    )
    file = frame.drop(columns="clear")
    return Table("requirements", file, caption, columns, _of_everyone(frame))


def shares(result: Measurement, frame: pd.DataFrame) -> Table:
    """How the answers of each requirement are spread over the classes."""
    rows = _of_everyone(frame)
    view = rows[["requirement", "n"]].assign(**{letter: rows[letter] / rows["n"].clip(lower=1) for letter in CLASSES})
    columns = {"requirement": Column("Requirement")}
    columns |= {letter: Column(f"{letter}, {WORDS[letter]}", digits=1, percent=True) for letter in "MOAIRQ"}
    columns |= {"n": Column("Respondents", digits=0)}
    return Table("shares", view, "Shares of the six classes; a modal class hides the rest.", columns)


def rules_compared(result: Measurement, frame: pd.DataFrame) -> Table:
    """What each rule calls a requirement, and how strong the call is."""
    rows = _of_everyone(frame)
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
        "binomial_p": Column("p, exact binomial", digits=3),
    }
    names = ["requirement", *list(columns)[1:]]
    caption = (
        "Ties are stated, never broken by the alphabet. The band of the priority rule is "
        f"{result.settings.near_tie:.0%} of the "
        "answers. Fong's test is shown because others report it: it calls ties significant too often (see the method)."
    )
    return Table("rules", rows[names], caption, columns, view)


def data_accounting(result: Measurement) -> Table:
    """From rows in the file to what is counted."""
    columns = {"step": Column("Step"), "rows": Column("Rows", digits=0), "reason": Column("Reason")}
    caption = "What became of every row of the file: the lines add up to the last."
    return Table("data_accounting", result.source.accounting, caption, columns)


def quality(result: Measurement) -> Table:
    """Signs of how well the questions were understood."""
    counts = result.everyone
    answered = np.where(counts.sum(axis=1) > 0, counts.sum(axis=1), np.nan)
    frame = pd.DataFrame(
        {
            "requirement": result.requirements,
            "questionable": counts[:, CLASSES.index("Q")] / answered,
            "reverse": counts[:, CLASSES.index("R")] / answered,
            "same_answer": np.nan if result.pairs is None else evaluation.same_answer_share(result.pairs),
        }
    )
    columns = {
        "requirement": Column("Requirement"),
        "questionable": Column("Questionable", digits=1, percent=True),
        "reverse": Column("Reverse", digits=1, percent=True),
        "same_answer": Column("Same answer to both questions, neutral apart", digits=1, percent=True),
    }
    worded = f" Answers worded: {result.source.labels}." if isinstance(result.source, KanoAnswers) else ""
    caption = (
        "Many questionable or reverse answers say that a question was not understood, or is asked the wrong way "
        f"round.{worded}"
    )
    return Table("quality", frame, caption, columns)


def scores(result: Measurement) -> Table:
    """DuMouchel's continuous scores with their standard errors."""
    if result.pairs is None:
        return nothing("continuous", "Continuous scores need the answers themselves; only counts are known here.")
    found = continuous.scores(result.pairs)
    frame = pd.DataFrame(
        {
            "requirement": result.requirements,
            "functional": found.functional,
            "dysfunctional": found.dysfunctional,
            "functional_se": found.functional_se,
            "dysfunctional_se": found.dysfunctional_se,
            "importance": result.importance,
        }
    )
    columns = {
        "requirement": Column("Requirement"),
        "functional": Column("Functional", digits=2),
        "functional_se": Column("Its standard error", digits=2),
        "dysfunctional": Column("Dysfunctional", digits=2),
        "dysfunctional_se": Column("Standard error, dysfunctional", digits=2),
    }
    caption = (
        "Mean scores from -2 to 4 (DuMouchel in Berger et al. 1993). A mean of 2 may be two camps: see the shares."
    )
    return Table("continuous", frame, caption, columns)


def asymmetry(result: Measurement) -> Table:
    """Whether the classes behave as they claim."""
    found = claims.asymmetry(result.everyone, result.classes, result.settings.margin)
    claimed = {
        MUST_BE: "meeting it does not satisfy (Better is 0)",
        ATTRACTIVE: "lacking it does not annoy (Worse is 0)",
        ONE_DIMENSIONAL: "both weigh alike (Better is |Worse|)",
    }
    frame = pd.DataFrame(
        {
            "requirement": result.requirements,
            "class": [CLASSES[number] if number >= 0 else "" for number in result.classes],
            "claim": [claimed.get(int(number), "") for number in result.classes],
            "value": found.value,
            "low": found.low,
            "high": found.high,
            "margin": result.settings.margin,
            "verdict": found.verdict,
        }
    )
    frame = frame[frame["verdict"] != ""].reset_index(drop=True)
    if frame.empty:
        return nothing(
            "asymmetry", "No requirement is must-be, one-dimensional or attractive by its most frequent class."
        )
    columns = {
        "requirement": Column("Requirement"),
        "class": Column("Most frequent class", names=WORDS),
        "claim": Column("What its class claims"),
        "value": Column("What should be 0", digits=2),
        "low": Column("95 % low", digits=2),
        "high": Column("95 % high", digits=2),
        "verdict": Column("Verdict"),
    }
    caption = (
        "The sources say that meeting a must-be does not satisfy and lacking an attractive requirement does not "
        "annoy. For "
        "one answer that is so by definition; for a requirement it holds as far as respondents agree: within a "
        "margin of "
        f"{result.settings.margin:g} it holds, beyond it it does not."
    )
    return Table("asymmetry", frame, caption, columns)


def segments(result: Measurement, frame: pd.DataFrame) -> Table:
    """Class and coefficients by segment and wave."""
    if len(result.groups) == 1:
        return nothing("groups", "This input names no segments and no waves that can be shown.")
    view = frame.assign(group=np.where(frame["segment"] != ALL, frame["segment"], frame["wave"]))
    columns = {
        "requirement": Column("Requirement"),
        "group": Column("Segment or wave", names=GROUP_NAMES),
        "n": Column("Respondents", digits=0),
        "class_mode": Column("Most frequent"),
        "better": Column("Better", digits=2),
        "worse": Column("Worse", digits=2),
    }
    view = view.sort_values("requirement", kind="stable", ignore_index=True)
    return Table("groups", frame.drop(columns="clear"), "Each requirement by segment and by wave.", columns, view)


def differences(result: Measurement) -> Table:
    """Segments against each other, each wave against the one before and the last against the first."""
    lines = []
    for kind in ("segment", "wave"):
        numbers = result.of_kind(kind)
        pairs = list(itertools.combinations(numbers, 2)) if kind == "segment" else list(itertools.pairwise(numbers))
        pairs += [(numbers[0], numbers[-1])] if kind == "wave" and len(numbers) > 2 else []
        for first, second in pairs:
            found = coefficients.difference(result.counts[first], result.counts[second])
            names = (result.groups[first][1], result.groups[second][1])
            for place, requirement in enumerate(result.requirements):
                for measure in ("better", "worse"):
                    numbers_of = (getattr(found, f"{measure}{end}")[place] for end in ("", "_low", "_high", "_p"))
                    lines.append((kind, *names, requirement, measure, *map(float, numbers_of)))
    if not lines:
        return nothing("differences", "There are no two segments or waves to be compared.")
    names = ["kind", "first", "second", "requirement", "measure", "difference", "low", "high", "p_value"]
    frame = pd.DataFrame(lines, columns=names)
    frame["p_holm"] = frame.groupby("kind")["p_value"].transform(holm)
    columns = {
        "kind": Column("Compared"),
        "first": Column("From"),
        "second": Column("To"),
        "requirement": Column("Requirement"),
        "measure": Column("Measure", names={"better": "Better", "worse": "Worse"}),
        "difference": Column("Difference", digits=2),
        "low": Column("95 % low", digits=2),
        "high": Column("95 % high", digits=2),
        "p_holm": Column("p, Holm", digits=3),
    }
    surely = frame[frame["p_holm"] < 0.05].reset_index(drop=True)
    caption = (
        f"Differences of Better and Worse that chance does not explain: {len(surely)} of {len(frame)} compared, "
        "corrected for "
        "their number within segments and within waves (Holm). The file has all."
    )
    return Table("differences", frame, caption, columns, surely)


def sample_sizes(result: Measurement) -> Table:
    """How often fewer respondents would have given the same class."""
    sizes = [size for size in SIZES if size <= result.everyone.sum(axis=1).max(initial=0)]
    if not sizes:
        return nothing("sample_size", "There are too few respondents to draw fewer from.")
    found = sample_size.same_class_share(result.everyone, sizes, seed=result.settings.seed)
    frame = pd.DataFrame(
        [
            (requirement, size, float(share))
            for requirement, row in zip(result.requirements, found, strict=True)
            for size, share in zip(sizes, row, strict=True)
        ],
        columns=["requirement", "respondents", "share"],
    )
    view = frame.pivot(index="requirement", columns="respondents", values="share").reindex(list(result.requirements))
    view.columns = [f"n_{size}" for size in view.columns]
    columns = {"requirement": Column("Requirement")}
    columns |= {f"n_{size}": Column(f"{size} respondents", digits=0, percent=True) for size in sizes}
    caption = (
        "How often so many of these respondents, drawn without replacement, would have given the same most frequent "
        "class."
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


def priorities(result: Measurement) -> Table:
    """What to do first: every must-be, then the most satisfaction for the money."""
    settings = result.settings
    gain = coefficients.better(result.everyone) - coefficients.worse(result.everyone)
    frame = pd.DataFrame({"requirement": result.requirements, "gain": gain})
    frame["class"] = [CLASSES[number] if number >= 0 else "" for number in result.classes]
    frame["cost"] = [settings.costs.get(requirement, np.nan) for requirement in result.requirements]
    wanted = np.isin(frame["class"], ["M", "O", "A"])
    order = frame["class"].map({"M": 0, "O": 1, "A": 2}).fillna(3)
    frame["stage"] = (
        frame["class"]
        .map({"M": "basic standard: meet it", "O": "differentiate: the more the better", "A": "delight: choose some"})
        .fillna("leave it")
    )
    chosen = _chosen(result, frame, wanted)
    frame["chosen"], frame["reason"] = chosen
    frame = frame.assign(order=order).sort_values(["order", "gain"], ascending=[True, False], ignore_index=True)
    columns = {
        "requirement": Column("Requirement"),
        "class": Column("Most frequent class", names=WORDS),
        "stage": Column("What the sources advise"),
        "gain": Column("Better less Worse", digits=2),
        "cost": Column("Cost", digits=0),
        "reason": Column("Within the budget"),
    }
    caption = (
        "Must-be is the basic standard, one-dimensional is where firms differ, attractive is the direction to grow in."
    )
    if settings.costs:
        caption += f" Under a budget of {settings.budget:g}: every must-be first, then the best sum of gains (exact)."
    return Table("priorities", frame.drop(columns="order"), caption, columns)


def _chosen(result: Measurement, frame: pd.DataFrame, wanted: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Return what is chosen under the budget and why; nothing is said where no costs are given."""
    if not result.settings.costs:
        return np.zeros(len(frame), bool), [""] * len(frame)
    known = wanted & frame["cost"].notna().to_numpy() & np.isfinite(frame["gain"].to_numpy(float))
    chosen = np.zeros(len(frame), bool)
    unpaid = np.zeros(len(frame), bool)
    if known.any():
        rows = frame[known]
        found = decision.choose_under_budget(
            rows["cost"].to_numpy(float),
            result.classes[known],
            rows["gain"].to_numpy(float),
            result.settings.budget,
        )
        chosen[known], unpaid[known] = found.chosen, found.unpaid_must_be
    reasons = np.select(
        [chosen, unpaid, ~wanted, ~known],
        ["chosen", "a must-be that the budget cannot pay", "not wanted by most", "no cost given"],
        "beyond the budget",
    )
    return chosen, reasons.tolist()


def priors(result: Measurement) -> Table:
    """Whether the classes that someone expected are those that were measured."""
    expected = result.settings.prior_classes
    if not expected:
        return nothing("priors", "No classes were expected beforehand (prior_classes).")
    places = [result.requirements.index(requirement) for requirement in expected]
    verdicts = rules.prior_verdict(
        result.everyone[places], [CLASSES.index(letter) for letter in expected.values()], result.clear[places]
    )
    measured = rules.labels(rules.by_mode(result.everyone[places]))
    frame = pd.DataFrame(
        {"requirement": list(expected), "expected": list(expected.values()), "measured": measured, "verdict": verdicts}
    )
    columns = {
        "requirement": Column("Requirement"),
        "expected": Column("Expected", names=WORDS),
        "measured": Column("Most frequent", names=WORDS),
        "verdict": Column("Verdict"),
    }
    return Table(
        "priors", frame, "Expected classes against measured ones; without a clear class it cannot be told.", columns
    )
