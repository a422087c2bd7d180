"""What lies behind the most frequent class: scores, importance, and whether the classes behave as they claim."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import DASH, Column, Table, between, number, percent
from helpers.models.kano import asymmetry as claims
from helpers.models.kano import continuous, importance
from helpers.models.kano.evaluation import ATTRACTIVE, CLASSES, MISSING, MUST_BE, ONE_DIMENSIONAL

from ..letters import WORDS
from ..measurement import Measurement
from .evidence import FEWEST_ANSWERS, few, interval, with_reason

NEED_ANSWERS = "need the answers themselves; only counts are known here."
GAPS = {
    "hidden": "above the mean by what is shown, below by what is said",
    "overstated": "above the mean by what is said, below by what is shown",
    "both_high": "above both means",
    "both_low": "below both means",
}
NOT_TOLD = "not told"


def scores(result: Measurement) -> Table:
    """DuMouchel's continuous scores with their standard errors."""
    if result.answers is None:
        return Table.nothing("continuous", f"Continuous scores {NEED_ANSWERS}")
    found = continuous.scores(result.answers.pairs)
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
            "class": _letters(result.classes),
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
        return Table.nothing(
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
        "The sources say that meeting a must-be does not satisfy, that lacking an attractive requirement does not "
        "annoy, and that a one-dimensional one weighs alike both ways. For one answer that is so by definition; for a "
        f"requirement it holds as far as respondents agree: within a margin of {result.settings.margin:g} of 0 it "
        "holds, beyond it it does not."
    )
    return Table("asymmetry", frame, caption, columns)


def analytical(result: Measurement) -> Table:
    """Requirements as vectors of analytical Kano, with intervals."""
    if result.answers is None:
        return Table.nothing("analytical", f"The vectors of analytical Kano {NEED_ANSWERS}")
    settings, found, drawn = result.settings, result.answers.analytical, result.answers.analytical_draws
    frame = pd.DataFrame({"requirement": result.requirements})
    for name in ("functional", "dysfunctional", "importance", "angle"):
        frame[name] = getattr(found, name)
        value = getattr(found, name)
        off = getattr(drawn, name) - value
        # the shorter way round the circle, so that the ends of an angle near 180 degrees are its neighbours
        off = (off + 180) % 360 - 180 if name == "angle" else off
        low, high = interval(off, few(result.everyone))
        frame[f"{name}_low"], frame[f"{name}_high"] = value + low, value + high
    frame["class_raw"] = _letters(found.classes)
    # in how many resamples the vector stays in its region
    frame["share"] = np.where(frame["importance_low"].isna(), np.nan, (drawn.classes == found.classes).mean(axis=0))
    frame["class"] = frame["class_raw"].where(frame["share"] >= settings.least_share, NOT_TOLD)
    verdict = np.where(result.clear, _letters(result.classes), "not clear")
    frame["verdict"] = verdict
    frame["agrees"] = np.where(
        ~result.clear | (frame["class"] == NOT_TOLD), DASH, np.where(frame["class"] == verdict, "yes", "no")
    )
    frame = frame[found.classes != MISSING].reset_index(drop=True)
    columns = {
        "requirement": Column("Requirement"),
        "class": Column("Class of its vector", names=WORDS),
        "share": Column("Resamples with its class", digits=0, percent=True),
        "verdict": Column("Verdict", names=WORDS),
        "agrees": Column("Agrees with the verdict"),
        "importance": Column("Length", digits=2),
        "importance_low": Column("Length, 95 % low", digits=2),
        "importance_high": Column("Length, 95 % high", digits=2),
        "angle": Column("Angle", "degrees", 0),
        "angle_low": Column("Angle, 95 % low", "degrees", 0),
        "angle_high": Column("Angle, 95 % high", "degrees", 0),
    }
    weighted = "weighted by stated importance" if result.source.has_importance else "each answer weighing the same"
    caption = (
        f"Analytical Kano (Xu et al. 2009), {weighted}: up to a length of {settings.least_importance:g} indifferent, "
        f"else must-be up to {settings.must_be_below:g} degrees, one-dimensional up to "
        f"{settings.attractive_above:g}, attractive beyond. The thresholds are a choice. A class that is not that of "
        f"{percent(settings.least_share, 0)} of the resamples is not told.{_shortened(result)}"
    )
    return Table("analytical", frame, with_reason(caption, frame["importance_low"]), columns)


def _shortened(result: Measurement) -> str:
    """Say how much weighting by stated importance shortens vectors, where it is known."""
    if not np.isfinite(result.importance).any():
        return ""
    lowest, highest = result.source.importance_scale
    mean = float(np.nanmean(result.importance))
    return (
        f" Weighting by stated importance shortens vectors: the mean importance is {number(mean, 1)} on {lowest:g} to "
        f"{highest:g}, which leaves about {percent((mean - lowest) / (highest - lowest), 0)} of the length that the "
        "answers alone would have. So more requirements stay within the length that counts as indifferent."
    )


def stated_and_derived(result: Measurement) -> Table:
    """What respondents say is important, against what their answers to both questions show."""
    name = "importance"
    if result.answers is None or not result.source.has_importance:
        return Table.nothing(name, "Stated against derived importance needs an importance stated by each respondent.")
    derived, derived_draws = importance.span(result.everyone), importance.span(result.draws)
    stated, stated_draws = result.answers.stated, result.answers.stated_draws
    gap, gap_draws = importance.gaps(stated, derived), importance.gaps(stated_draws, derived_draws)
    frame = pd.DataFrame({"requirement": result.requirements})
    too_few = few(result.everyone)
    for measure, value, draws in (("stated", stated, stated_draws), ("derived", derived, derived_draws)):
        frame[measure] = value
        frame[f"{measure}_low"], frame[f"{measure}_high"] = interval(draws, too_few)
    frame["gap_raw"] = gap
    frame["share"] = np.where(too_few, np.nan, (gap_draws == gap).mean(axis=0))
    frame["gap"] = frame["gap_raw"].where(frame["share"] >= result.settings.least_share, NOT_TOLD)
    frame = frame[frame["gap_raw"] != ""].reset_index(drop=True)
    agreement = importance.rank_agreement(stated, derived)
    low, high = interval(importance.rank_agreement(stated_draws, derived_draws), result.respondents < FEWEST_ANSWERS)
    lowest, highest = result.source.importance_scale
    columns = {
        "requirement": Column("Requirement"),
        "stated": Column("Stated", f"{lowest:g} to {highest:g}", 2),
        "stated_low": Column("Stated, 95 % low", digits=2),
        "stated_high": Column("Stated, 95 % high", digits=2),
        "derived": Column("Derived: Better less Worse", "0 to 2", 2),
        "derived_low": Column("Derived, 95 % low", digits=2),
        "derived_high": Column("Derived, 95 % high", digits=2),
        "gap": Column("Against the means of both", names=GAPS),
        "share": Column("Resamples with its sides", digits=0, percent=True),
    }
    order = (
        f"The order of both agrees by {number(agreement, 2)} (Spearman; {between(low, high, 2)})"
        if np.isfinite(agreement)
        else "The order of both cannot be compared"
    )
    caption = (
        f"{order}. What customers do not say may matter all the same: what their answers to both questions show to be "
        "above the mean of all requirements, and their statements below it. On which sides of both means a requirement "
        f"lies is told where {percent(result.settings.least_share, 0)} of the resamples say so."
    )
    ends = frame[["stated_low", "derived_low"]]
    return Table(name, frame, with_reason(caption, ends), columns)


def _letters(places: np.ndarray) -> list[str]:
    return [CLASSES[place] if place != MISSING else "" for place in places]
