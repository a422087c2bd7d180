"""Segments, waves and latent classes: who wants what."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from helpers.exhibits import DASH, Column, Table, number, percent
from helpers.models.kano import coefficients, comparisons, rules
from helpers.models.kano.evaluation import CLASSES
from helpers.models.kano.latent_classes import ResponseStyle

from ...groups import ALL
from ...many_comparisons import holm
from ..measurement import Measurement
from .classes import LEAST_P
from .pooled import SURELY

GROUP_NAMES = {ALL: "everyone"}


def segments(result: Measurement, frame: pd.DataFrame) -> Table:
    """Class and coefficients by segment and wave."""
    if len(result.groups) == 1:
        return Table.nothing("groups", "This input names no segments and no waves that can be shown.")
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
    known, sizes = coefficients.coefficients(result.counts), result.counts.sum(axis=-1)
    for kind in ("segment", "wave"):
        numbers = result.of_kind(kind)
        pairs = list(itertools.combinations(numbers, 2)) if kind == "segment" else list(itertools.pairwise(numbers))
        pairs += [(numbers[0], numbers[-1])] if kind == "wave" and len(numbers) > 2 else []
        for first, second in pairs:
            found = coefficients.difference(result.counts[first], result.counts[second])
            names = (result.groups[first][1], result.groups[second][1])
            for place, requirement in enumerate(result.requirements):
                for measure in ("better", "worse"):
                    ends = (getattr(known, measure)[group, place] for group in (first, second))
                    numbers_of = (getattr(found, f"{measure}{end}")[place] for end in ("", "_low", "_high", "_p"))
                    people = (int(sizes[group, place]) for group in (first, second))
                    lines.append((kind, *names, requirement, measure, *ends, *map(float, numbers_of), *people))
    names = ["kind", "first", "second", "requirement", "measure", "from_value", "to_value"]
    names += ["difference", "low", "high", "p_value", "first_n", "second_n"]
    # what is not shown, or not defined, is not compared
    frame = pd.DataFrame(lines, columns=names).dropna(subset=["difference"]).reset_index(drop=True)
    if frame.empty:
        return Table.nothing("differences", "There are no two segments or waves to be compared.")
    frame["p_holm"] = frame.groupby("kind")["p_value"].transform(holm)
    columns = {
        "kind": Column("Compared"),
        "first": Column("From"),
        "first_n": Column("Respondents", digits=0),
        "second": Column("To"),
        "second_n": Column("Respondents, to", digits=0),
        "requirement": Column("Requirement"),
        "measure": Column("Measure", names={"better": "Better", "worse": "Worse"}),
        "difference": Column("Difference", digits=2),
        "low": Column("95 % low", digits=2),
        "high": Column("95 % high", digits=2),
        "p_holm": Column("p, Holm", digits=3, least=LEAST_P),
    }
    surely = frame[frame["p_holm"] < SURELY].reset_index(drop=True)
    caption = (
        f"Differences of Better and Worse that chance does not explain: {len(surely)} of {len(frame)} compared, "
        "corrected for their number within segments and within waves (Holm). Intervals are of each by itself. The file "
        "has all."
    )
    return Table("differences", frame, caption, columns, surely)


def homogeneity(result: Measurement) -> Table:
    """Whether segments, or waves, spread over the classes alike: of wordings, whether the wording made the class."""
    lines = []
    for kind in ("segment", "wave"):
        numbers = result.of_kind(kind)
        if len(numbers) < 2:
            continue
        found = comparisons.homogeneity(result.counts[numbers].swapaxes(0, 1))
        results = zip(found.chi_squared, found.degrees_of_freedom, found.p_value, strict=True)
        lines += [(kind, name, *map(float, line)) for name, line in zip(result.requirements, results, strict=True)]
    names = ["kind", "requirement", "chi_squared", "degrees_of_freedom", "p_value"]
    # what is not shown is not compared
    frame = pd.DataFrame(lines, columns=names).dropna(subset=["p_value"]).reset_index(drop=True)
    if frame.empty:
        return Table.nothing("homogeneity", "There are no two segments or waves whose classes could be compared.")
    frame["p_holm"] = frame.groupby("kind")["p_value"].transform(holm)
    columns = {
        "kind": Column("Compared", names={"segment": "segments", "wave": "waves"}),
        "requirement": Column("Requirement"),
        "chi_squared": Column("Chi-squared", digits=1),
        "degrees_of_freedom": Column("Degrees of freedom", digits=0),
        "p_value": Column("p", digits=3, least=LEAST_P),
        "p_holm": Column("p, Holm", digits=3, least=LEAST_P),
    }
    caption = (
        "Whether the six classes are spread alike (Pearson's test of homogeneity, corrected by Holm). With the wording "
        "of the questions as the segment it tells whether the wording makes the class; answers to different wordings "
        "are not to be pooled."
    )
    return Table("homogeneity", frame, caption, columns)


def latent_frame(result: Measurement) -> pd.DataFrame | None:
    """Return one row for each latent class and requirement; None where there are not at least two classes.

    Counts are expected ones: each respondent counts in a class as much as they are likely to be in it. Classes of too
    few respondents are not told apart from each other.
    """
    found = result.latent
    if found is None or found.chosen < 2:
        return None
    counts = result.counts_of_classes
    frames = []
    for place, (share, expected) in enumerate(zip(found.shares, counts, strict=True), 1):
        known = coefficients.coefficients(expected)
        frame = pd.DataFrame({"latent_class": place, "share": share, "requirement": result.requirements})
        for column, letter in enumerate(CLASSES):
            frame[f"probability_{letter}"] = found.profiles[place - 1][:, column]
        frame["class_mode"] = rules.labels(rules.by_mode(expected))
        frames.append(frame.assign(better=known.better, worse=known.worse))
    return pd.concat(frames, ignore_index=True)


def one_latent_class(result: Measurement) -> str:
    """Say why no latent classes are told apart, where none are."""
    if result.latent is None:
        return result.no_latent_classes
    if result.settings.most_classes == 1:
        return "Only one latent class was asked for (most_classes)."
    if len(result.latent.tried) == 1:
        return (
            f"{number(result.latent.n)} respondents are too few, for {number(len(result.requirements))} requirements, "
            "to look for groups among them."
        )
    above = "; the differences between named segments and waves stand above" if len(result.groups) > 1 else ""
    return f"No latent classes are told apart at this number of respondents (BIC prefers one){above}."


def latent_classes(result: Measurement) -> Table:
    """What each latent class of respondents wants."""
    frame = latent_frame(result)
    if frame is None:
        return Table.nothing("latent_classes", one_latent_class(result))
    found, style = result.latent, result.style_of_classes
    shown = frame.assign(
        text=[
            f"{row.class_mode} ({number(row.better, 2)}, {number(row.worse, 2)})" if row.class_mode else DASH
            for row in frame.itertuples()
        ]
    )
    view = shown.pivot(index="requirement", columns="latent_class", values="text").reindex(list(result.requirements))
    view.columns = [f"class_{name}" for name in view.columns]
    columns = {"requirement": Column("Requirement")}
    columns |= {
        f"class_{place}": Column(f"Class {place}, {percent(share, 0)} of respondents")
        for place, share in enumerate(found.shares, 1)
    }
    caption = (
        "Most frequent class, Better and Worse of each latent class of respondents. A respondent is put into the right "
        f"one with a probability of {percent(found.certainty, 0)} on average. {words_of_style(style)} Nobody said "
        "which class they are in: classes are a way to describe the answers, and BIC's choice of their number is no "
        "test."
    )
    return Table("latent_classes", frame, caption, columns, view.reset_index())


def words_of_style(style: ResponseStyle) -> str:
    """Say whether classes differ in what they want or only in how they answer."""
    same = f"{percent(style.share, 0)} of what parts them is the same for all requirements"
    return {
        "style": f"Mind: they are mostly styles of answering; {same}.",
        "both": f"Mind: they are styles of answering as much as wants; {same}.",
        "wants": f"They differ in what they want; only {same}, as a style of answering would be.",
    }.get(style.verdict, "With so few requirements wants cannot be told from styles of answering.")


def numbers_of_classes(result: Measurement) -> Table:
    """How well each number of latent classes describes the answers."""
    found = result.latent
    if found is None:
        return Table.nothing("numbers_of_classes", result.no_latent_classes)
    frame = pd.DataFrame(
        {
            "latent_classes": found.tried,
            "log_likelihood": found.log_likelihood,
            "parameters": found.parameters,
            "bic": found.bic,
            "converged": found.converged,
            "reached": found.reached,
            "chosen": found.tried == found.chosen,
        }
    )
    yes = {"True": "yes", "False": "no"}
    columns = {
        "latent_classes": Column("Latent classes", digits=0),
        "log_likelihood": Column("Log-likelihood", digits=1),
        "parameters": Column("Free parameters", digits=0),
        "bic": Column("BIC", digits=1),
        "reached": Column("Starts that reach it", digits=0, percent=True),
        "converged": Column("Converged", names=yes),
        "chosen": Column("Chosen", names=yes),
    }
    caption = (
        f"Latent classes of {number(found.n)} respondents, each number from {result.settings.class_starts} random "
        "starts; the least BIC is chosen. Where few starts reach the best log-likelihood a better one may have been "
        "missed."
    )
    return Table("numbers_of_classes", frame, caption, columns)
