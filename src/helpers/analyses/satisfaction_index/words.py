"""The words of the satisfaction-index report: every sentence follows from the numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import Headline, between, number, percent, plain
from helpers.models.satisfaction_index.loyalty_curve import LoyaltyCurve

from .measurement import ALL, Measurement
from .tables.annex import checks
from .tables.levels import hidden_groups
from .tables.loyalty import OF_SATISFIED
from .tables.parts import NAMES, bounds, listed

FEW_IN_GROUP = 30  # respondents below which the interval of a group is itself uncertain
NOTABLE_LOSS = 0.05  # share of the file's rows left out that a reader must know of first


def respondents(count: int) -> str:
    """Return so many respondents in words."""
    return f"{number(count)} respondent{'' if count == 1 else 's'}"


# --- headlines -----------------------------------------------------------------------------------------


def headlines(result: Measurement) -> tuple[Headline, ...]:
    """Return the index of every construct, satisfaction first, and how many answered."""
    order = sorted(range(len(result.constructs)), key=lambda construct: construct != result.satisfaction)
    count = Headline("respondents", result.respondents, "respondents", f"{respondents(result.respondents)} count")
    return (*(index_headline(result, construct) for construct in order), count)


def index_headline(result: Measurement, construct: int) -> Headline:
    """Return the index of one construct with its interval."""
    estimate, name = result.index(0, construct), result.constructs[construct]
    low, high = bounds(result, estimate)
    value = float(estimate.value)
    weighting = NAMES[result.weighting(construct)]
    text = f"{result.named(name)} {number(value, 1)} of 100 ({between(low, high, 1)}; {weighting})"
    return Headline(f"index_{name}", value, "points, 0-100", text, low, high)


# --- the answer ----------------------------------------------------------------------------------------


def level(result: Measurement) -> str:
    """Say where satisfaction and loyalty stand."""
    target = result.satisfaction
    headline = index_headline(result, target)
    equal = float(result.index(0, target, "equal").value)
    other = "" if result.weighting(target) == "equal" else f"; {number(equal, 1)} by equal weights"
    terms = (
        f"{between(headline.low, headline.high, 1)}; {respondents(result.respondents)}, model "
        f"{plain(result.model.name)}, "
        f"{NAMES[result.weighting(target)]}{other}"
    )
    name = plain(result.named(result.model.satisfaction))
    text = f"**{name} stands at {number(headline.value, 1)} of 100** ({terms})."
    if result.loyalty is not None:
        loyalty = index_headline(result, result.loyalty)
        text += (
            f" {plain(result.named(result.model.loyalty))} stands at {number(loyalty.value, 1)} "
            f"({between(loyalty.low, loyalty.high, 1)})."
        )
    return text


def causes(result: Measurement, importance: pd.DataFrame) -> str:
    """Say what moves satisfaction most, how surely, and where improvement would pay first."""
    rows = importance[importance["target"] == result.model.satisfaction].reset_index(drop=True)
    if rows.empty or not np.isfinite(rows["importance"]).all():
        return "**What moves satisfaction could not be estimated from these answers.**"
    first = rows.loc[rows["importance"].idxmax()]
    acting = [result.constructs.index(name) for name in rows["construct"]]
    draws = result["points"][acting, result.satisfaction].draws
    share = float((draws.argmax(axis=1) == rows["importance"].idxmax()).mean())
    text = (
        f"**{plain(first.label)} moves it most**: one point more goes with {number(first.importance, 2)} points "
        f"({between(first.importance_low, first.importance_high, 2)}); it comes first in {percent(share, 0)} of "
        "resamples "
        f"and stands at {number(first.performance, 1)}."
    )
    weak = rows[rows["quadrant"] == "concentrate"].sort_values("importance", ascending=False)
    if weak.empty:
        text += " No cause is both more important and weaker than the average of the causes."
    else:
        named = [
            f"{plain(row.label)} ({number(row.performance, 1)}; there in {percent(row.quadrant_share, 0)} of resamples)"
            for row in weak.itertuples()
        ]
        text += f" More important and weaker than the average of the causes, so first to be improved: {listed(named)}."
    return text


def loyalty(result: Measurement, quadrants: pd.DataFrame) -> str:
    """Say whether the satisfied are loyal, and whether more satisfaction always brings more loyalty."""
    found = result.loyalty_curve
    if found is None:
        return ""
    return f"{_curve(found)} {_unloyal(result, quadrants)}".strip()


def _curve(found: LoyaltyCurve) -> str:
    numbers = found.intervals()
    slope, low, high = numbers["slope"]
    if found.verdict == "not enough data":
        return "Whether loyalty follows satisfaction in a straight line cannot be told from so few answers."
    if found.verdict == "line":
        return (
            f"Loyalty follows satisfaction in a straight line as far as can be told: {number(slope, 2)} points a point "
            f"({between(low, high, 2)}); a knee is no better than chance (p = {number(found.p_value, 2)})."
        )
    (below, *_), (above, *_), (knee, knee_low, knee_high) = (
        numbers[name] for name in ("slope_below", "slope_above", "knee")
    )
    pace, ceiling = "faster", ""
    if found.verdict == "knee_down":
        pace, ceiling = "more slowly", " The end of the scale, which nobody can exceed, may look the same."
    return (
        f"**Loyalty rises {pace} above a satisfaction of {number(knee)}** ({between(knee_low, knee_high)}): "
        f"{number(above, 2)} "
        f"points a point there, {number(below, 2)} below (p = {number(found.p_value, 3)}).{ceiling}"
    )


def _unloyal(result: Measurement, quadrants: pd.DataFrame) -> str:
    found = quadrants.set_index("quadrant")["share"]
    if OF_SATISFIED not in found or not np.isfinite(found[OF_SATISFIED]):
        return ""
    row = quadrants.set_index("quadrant").loc[OF_SATISFIED]
    settings = result.settings
    cuts = f"scores from {settings.satisfied_from:g} and {settings.loyal_from:g} on"
    share = f"{percent(row['share'], 0)} of those who are satisfied are not loyal"
    return f"{share} ({between(row['low'], row['high'], 0, 100)}, in %; {cuts})."


def groups(result: Measurement, index: pd.DataFrame, differences: pd.DataFrame) -> str:
    """Say how segments and waves differ, as far as chance does not explain it."""
    if "construct" not in differences:
        return ""
    about = differences[differences["construct"] == result.model.satisfaction]
    rows = index[(index["construct"] == result.model.satisfaction) & index["chosen"]]
    return "\n\n".join(part for part in (_segments(rows, about, result), _waves(about)) if part)


def _segments(rows: pd.DataFrame, about: pd.DataFrame, result: Measurement) -> str:
    shown = rows[(rows["segment"] != ALL) & rows["index"].notna()]
    if shown.empty:
        return ""
    best, worst = shown.loc[shown["index"].idxmax()], shown.loc[shown["index"].idxmin()]
    surely = about[(about["kind"] == "segment") & (about["p_holm"] < 0.05)]
    text = (
        f"By segment it runs from {number(worst['index'], 1)} ({plain(worst.segment)}, "
        f"{between(worst.low, worst.high, 1)}) "
        f"to {number(best['index'], 1)} ({plain(best.segment)}, {between(best.low, best.high, 1)})."
    )
    compared = int((about["kind"] == "segment").sum())
    if surely.empty:
        return f"{text} None of {number(compared)} differences between segments is beyond what chance explains."
    named = [
        f"{plain(_higher(row))} above {plain(_lower(row))} by {number(abs(row.difference), 1)} points"
        for row in surely.itertuples()
    ]
    return f"{text} Beyond chance, corrected for the number of comparisons: {listed(named)}."


def _higher(row) -> str:
    return NAMES.get(row.second, row.second) if row.difference > 0 else NAMES.get(row.first, row.first)


def _lower(row) -> str:
    return NAMES.get(row.first, row.first) if row.difference > 0 else NAMES.get(row.second, row.second)


def _waves(about: pd.DataFrame) -> str:
    changes = about[about["kind"] == "wave"]
    if changes.empty:
        return ""
    last = changes.iloc[-1]
    moved = f"From {plain(last['first'])} to {plain(last['second'])} it changed by {number(last.difference, 1)} points"
    surely = last.p_holm < 0.05
    chance = "beyond what chance explains" if surely else "which chance explains as well"
    return f"{moved} ({between(last.low, last.high, 1)}), {chance}."


def foresight(predictions: pd.DataFrame) -> str:
    """Say whether the model's weights foresee satisfaction better than simpler rules do."""
    rows = predictions.set_index("rule")
    model, equal = rows.loc["pls"], rows.loc["equal"]
    if not np.isfinite(model.explained):
        return ""
    if model.low > 0:
        text = (
            f"Of respondents it has not seen, the model foresees {percent(model.explained, 0)} of the variance of "
            f"satisfaction ({between(model.low, model.high, 0, 100)}, in %)"
        )
    else:
        text = (
            "The model foresees the satisfaction of respondents it has not seen no better than giving everyone the mean"
        )
    if equal.ahead_low > 0:
        return f"{text}; its weights do better than equal ones."
    if equal.ahead_high < 0:
        return f"{text}; **equal weights do better than its own**."
    return f"{text}; equal weights do as well."


# --- what must be read with care -----------------------------------------------------------------------


def warnings(result: Measurement) -> tuple[str, ...]:
    """Say which conclusions do not hold or must be read with care."""
    return (
        *_left_out(result),
        *_unusable(result),
        *(check.failing for check in checks(result) if not check.holds),
        *_identical_items(result),
        *_lost_draws(result),
        *_small_groups(result),
    )


def _left_out(result: Measurement) -> list[str]:
    accounting = result.survey.accounting
    rows = int(accounting["respondents"].iloc[0])
    lost = rows - result.respondents
    if lost <= NOTABLE_LOSS * rows:
        return []
    return [
        f"{number(lost)} of {number(rows)} rows are left out ({percent(lost / rows)}); if those who answered badly "
        "are not like "
        "the others, the index is not that of all. The accounting says why."
    ]


def _unusable(result: Measurement) -> list[str]:
    return [f"The item {item} is left out of the model: {reason}." for item, reason in result.unusable.items()]


def _identical_items(result: Measurement) -> list[str]:
    answers = result.survey.answers[list(result.items)]
    repeated = [
        f"{first} and {second}"
        for place, second in enumerate(answers)
        for first in answers.columns[:place]
        if answers[first].equals(answers[second])
    ]
    if not repeated:
        return []
    return [f"Everybody gave the same answers to {listed(repeated)}: one of them adds nothing, and may be a copy."]


def _lost_draws(result: Measurement) -> list[str]:
    share = 1 - float(np.isfinite(result["paths"].draws).all(axis=(1, 2)).mean())
    if not result.estimated or share <= 0.01:
        return []
    return [f"The model could not be estimated in {percent(share)} of the resamples; intervals are of the others."]


def _small_groups(result: Measurement) -> list[str]:
    sizes, hidden = result.groups.sizes, hidden_groups(result)
    small = [
        f"{name} ({sizes[group]})"
        for group, name in enumerate(result.groups.names)
        if group and group not in hidden and sizes[group] < FEW_IN_GROUP
    ]
    if not small:
        return []
    return [f"Few respondents in {listed(small)}: their intervals are themselves uncertain, and an outlier moves them."]


def notes(result: Measurement) -> tuple[str, ...]:
    """Say what the survey brought that a reader should know."""
    survey = result.survey
    gaps = int(survey.answers[list(result.items)].isna().sum().sum())
    found = list(survey.notes)
    if gaps:
        cells = gaps / (len(result.items) * result.respondents)
        found.append(
            f"{number(gaps)} answers are missing ({percent(cells)}); each counts as the mean of the answers to its "
            "item, in every "
            "resample anew."
        )
    if survey.has_weights:
        effective = result.weights_of_respondents.sum() ** 2 / (result.weights_of_respondents**2).sum()
        found.append(f"Survey weights are used; they are worth {respondents(round(effective))} of equal weight.")
    if survey.has_segments or survey.has_waves:
        found.append("Respondents are resampled within their segment and wave, whose sizes are taken as chosen.")
    return tuple(found)
