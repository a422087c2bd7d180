"""The words of the satisfaction-index report: every sentence follows from the numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import Headline, between, listed, number, percent, plain
from helpers.models.satisfaction_index.loyalty_curve import LoyaltyCurve

from ..groups import ALL
from .covariance import words as of_covariance
from .estimates import strata_of
from .measurement import FEW, MOST_LOST, Measurement, lost_share
from .tables.annex import checks
from .tables.loyalty import OF_SATISFIED
from .tables.parts import GROUP_NAMES, MOST_NAMED, WEIGHTING_NAMES, bounds

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
    weighting = WEIGHTING_NAMES[result.weighting(construct)]
    text = f"{result.named(name)} {number(value, 1)} of 100 ({between(low, high, 1)}; {weighting})"
    return Headline(f"index_{name}", value, "points, 0-100", text, low, high)


# --- the answer ----------------------------------------------------------------------------------------


def level(result: Measurement) -> str:
    """Say where satisfaction and loyalty stand."""
    found = [_level(result, target) for target in result.targets]
    name, (stands, terms) = plain(result.named(result.model.satisfaction)), found[0]
    survey = f"{respondents(result.respondents)}, model {plain(result.model.name)}, scale {_scale(result)}"
    text = f"**{name} stands at {stands} of 100** ({terms}; {survey})."
    if result.loyalty is not None:
        stands, terms = found[1]
        text += f" {plain(result.named(result.model.loyalty))} stands at {stands} ({terms})."
    return text


def _level(result: Measurement, target: int) -> tuple[str, str]:
    """Return the index of a construct, and its interval, with what other weights would give where that matters."""
    headline, weighting = index_headline(result, target), result.weighting(target)
    terms = f"{between(headline.low, headline.high, 1)}; {WEIGHTING_NAMES[weighting]}"
    equal = float(result.index(0, target, "equal").value)
    if weighting != "equal" and abs(equal - headline.value) > (headline.high - headline.low) / 2:
        terms += f", and **{number(equal, 1)} by equal weights**: it rests on its weights"
    elif weighting != "equal":
        terms += f"; {number(equal, 1)} by equal ones"
    return number(headline.value, 1), terms


def _scale(result: Measurement) -> str:
    return f"{result.survey.lowest:g} to {result.survey.highest:g}"


def leading(result: Measurement, importance: pd.DataFrame) -> str:
    """Return the construct of the largest importance for satisfaction; "" where none is known."""
    rows = importance[importance["target"] == result.model.satisfaction]
    known = rows[np.isfinite(rows["importance"])]
    return "" if known.empty else known.loc[known["importance"].abs().idxmax(), "construct"]


def causes(result: Measurement, importance: pd.DataFrame) -> str:
    """Say what goes with satisfaction most, how surely, and where improvement would pay first."""
    rows = importance[importance["target"] == result.model.satisfaction].reset_index(drop=True)
    if result.effective_respondents < FEW:
        return f"Of fewer than {FEW} respondents nothing is said of causes."
    if rows.empty or not np.isfinite(rows["importance"]).all():
        return "**What goes with satisfaction could not be estimated from these answers.**"
    sizes = rows["importance"].abs()
    first, acting = rows.loc[sizes.idxmax()], [result.constructs.index(name) for name in rows["construct"]]
    draws = np.abs(result["points"][acting, result.satisfaction].draws)
    finite = np.isfinite(draws).all(axis=1)
    share = float((draws[finite].argmax(axis=1) == sizes.idxmax()).mean()) if finite.any() else np.nan
    name, less = plain(first.label), " less" if first.importance < 0 else ""
    numbers = (
        f"one point more goes with {number(abs(first.importance), 2)} points{less} "
        f"({between(first.importance_low, first.importance_high, 2)})"
    )
    order = "" if len(rows) == 1 else f"; it comes first in {percent(share, 0)} of resamples"
    surely = first.importance_low * first.importance_high > 0 and share > 0.5
    if surely:
        text = f"**{name} goes with it most**: {numbers}{order}, and stands at {number(first.performance, 1)}."
        text += _lowest_item(result, first.construct)
    else:
        text = f"**Which cause matters most cannot be told.** {name} leads: {numbers}{order}."
    return f"{text} {_first_to_improve(rows)}".strip()


def _lowest_item(result: Measurement, construct: str) -> str:
    """Name the item of a construct with the lowest answers, where there are several."""
    number_of = result.constructs.index(construct)
    own = np.flatnonzero(result.design.block == number_of)
    if len(own) < 2:
        return ""
    item = own[np.argmin(result.moments.mean[own])]
    name, mean = plain(result.named(result.items[item])), result.moments.mean[item]
    return f" The lowest of its items is “{name}” ({number(mean, 1)} of {_scale(result)})."


def _first_to_improve(rows: pd.DataFrame) -> str:
    if rows["quadrant"].isna().all():
        return ""
    weak = rows[rows["quadrant"] == "concentrate"].sort_values("importance", ascending=False)
    if weak.empty:
        return "No cause is both more important and weaker than the average of the causes."
    named = [
        f"{plain(row.label)} ({number(row.performance, 1)}; there in {percent(row.quadrant_share, 0)} of resamples)"
        for row in weak.itertuples()
    ]
    return f"More important and weaker than the average of the causes, so first to be improved: {listed(named)}."


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
        return "Whether loyalty follows satisfaction in a straight line cannot be told from these answers."
    if found.verdict == "line" and low <= 0 <= high:
        return (
            f"That loyalty goes with satisfaction cannot be told from chance: {number(slope, 2)} points a point "
            f"({between(low, high, 2)})."
        )
    if found.verdict == "line":
        return (
            f"Loyalty follows satisfaction in a straight line as far as can be told: {number(slope, 2)} points a point "
            f"({between(low, high, 2)}); a knee is no better than chance (p = {number(found.p_value, 2)})."
        )
    (below, *_), (above, *_), (knee, knee_low, knee_high) = (
        numbers[name] for name in ("slope_below", "slope_above", "knee")
    )
    pace, ceiling = "rises faster", ""
    if found.verdict == "knee_down":
        pace = "rises more slowly" if above > 0 else "rises no more"
        ceiling = " The end of the scale, which nobody can exceed, may look the same."
    return (
        f"**Loyalty {pace} above a satisfaction of {number(knee)}** ({between(knee_low, knee_high)}): "
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
    differences = differences[np.isfinite(differences["difference"])]
    about = differences[differences["construct"] == result.model.satisfaction]
    rows = index[(index["construct"] == result.model.satisfaction) & index["chosen"] & index["index"].notna()]
    name = plain(result.named(result.model.satisfaction))
    # only what is known to be measured alike is compared
    about, differences = (part[part["comparable"] == "yes"] for part in (about, differences))
    shown = rows[rows["segment"].isin(about[["first", "second"]].to_numpy().ravel()) & (rows["segment"] != ALL)]
    parts = (
        _segments(shown, about, name),
        _waves(about, name),
        _largest_move(differences, name),
        of_covariance.comparability(result),
    )
    return "\n\n".join(part for part in parts if part)


def _segments(shown: pd.DataFrame, about: pd.DataFrame, name: str) -> str:
    compared = about[about["kind"] == "segment"]
    if shown.empty or compared.empty:
        return ""
    best, worst = shown.loc[shown["index"].idxmax()], shown.loc[shown["index"].idxmin()]
    text = (
        f"By segment {name} runs from {number(worst['index'], 1)} ({plain(worst.segment)}, "
        f"{between(worst.low, worst.high, 1)}) to {number(best['index'], 1)} ({plain(best.segment)}, "
        f"{between(best.low, best.high, 1)})."
    )
    surely = compared[compared["p_holm"] < 0.05].sort_values("difference", key=abs, ascending=False)
    if surely.empty:
        differences = "The difference" if len(compared) == 1 else f"None of the {number(len(compared))} differences"
        return f"{text} {differences} can{'not' if len(compared) == 1 else ''} be told from chance."
    named = [
        f"{plain(_higher(row))} above {plain(_lower(row))} by {number(abs(row.difference), 1)} points"
        for row in surely.itertuples()
    ]
    return f"{text} Beyond chance, corrected for the number of comparisons: {listed(named, MOST_NAMED)}."


def _higher(row) -> str:
    return _group(row.second if row.difference > 0 else row.first)


def _lower(row) -> str:
    return _group(row.first if row.difference > 0 else row.second)


def _group(name: str) -> str:
    return GROUP_NAMES.get(name, name)


def _waves(about: pd.DataFrame, name: str) -> str:
    changes = about[about["kind"] == "wave"]
    if changes.empty:
        return ""
    # the last pair of neighbours; where there are three waves or more, the first against the last stands behind it
    last = changes.iloc[-2 if len(changes) > 1 else -1]
    told = [_moved(last, name)]
    if len(changes) > 1:
        told.append(_moved(changes.iloc[-1], "it"))
    return " ".join(told)


def _moved(row: pd.Series, name: str) -> str:
    interval = between(row.low, row.high, 1)
    waves = f"From {plain(row['first'])} to {plain(row['second'])} {name}"
    if not row.p_holm < 0.05:
        return f"{waves} moved by {number(row.difference, 1)} points ({interval}), which cannot be told from chance."
    verb = "rose" if row.difference > 0 else "fell"
    return f"{waves} {verb} by {number(abs(row.difference), 1)} points ({interval}), beyond chance."


def _largest_move(differences: pd.DataFrame, name: str) -> str:
    """Say which construct moved most from the first wave to the last, where it is another one."""
    waves = differences[differences["kind"] == "wave"]
    if waves.empty:
        return ""
    ends = waves.groupby("construct").tail(1)
    surely = ends[ends["p_holm"] < 0.05]
    if surely.empty:
        return ""
    most = surely.loc[surely["difference"].abs().idxmax()]
    if plain(most.label) == name:
        return ""
    verb = "rose" if most.difference > 0 else "fell"
    return (
        f"What moved most from {plain(most['first'])} to {plain(most['second'])} is {plain(most.label)}: it {verb} by "
        f"{number(abs(most.difference), 1)} points ({between(most.low, most.high, 1)})."
    )


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
    return f"{text}; whether equal weights do worse cannot be told."


# --- what must be read with care -----------------------------------------------------------------------


def warnings(result: Measurement) -> tuple[str, ...]:
    """Say which conclusions do not hold or must be read with care."""
    return (
        *_left_out(result),
        *_unusable(result),
        *(check.failing for check in checks(result) if not check.holds),
        *of_covariance.warnings(result),
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
        f"{number(lost)} of {number(rows)} rows are left out ({percent(lost / rows)}); if those who answered badly are "
        "not like the others, the index is not that of all. The accounting says why."
    ]


def _unusable(result: Measurement) -> list[str]:
    return [f"The item {item} is left out of the model: {reason}." for item, reason in result.unusable.items()]


def _identical_items(result: Measurement) -> list[str]:
    answers = result.survey.answers[list(result.items)]
    alike: dict[tuple, list[str]] = {}
    for item in answers:
        alike.setdefault(tuple(answers[item].fillna(-1e300)), []).append(item)
    return [
        f"Everybody gave the same answers to {listed(items)}: all but one of them add nothing, and may be copies."
        for items in alike.values()
        if len(items) > 1
    ]


def _lost_draws(result: Measurement) -> list[str]:
    share = lost_share(result["paths"])
    if not result.estimated or share <= 0.01:
        return []
    if share > MOST_LOST:
        return [
            f"The path model could not be estimated in {percent(share)} of the resamples: paths have no interval, "
            "and index "
            "and importance are given by equal weights."
        ]
    return [
        f"The path model could not be estimated in {percent(share)} of the resamples; its intervals are of the others."
    ]


def _small_groups(result: Measurement) -> list[str]:
    sizes, names = result.groups.sizes, result.groups.names
    small = [f"{names[group]} ({sizes[group]})" for group in range(1, len(names)) if sizes[group] < FEW]
    if not small:
        return []
    if len(small) > MOST_NAMED:
        small = [f"{len(small)} of {len(names) - 1} segments and waves (fewer than {FEW})"]
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
            "item, in every resample anew."
        )
    if survey.has_weights:
        worth = respondents(round(result.effective_respondents))
        found.append(f"Survey weights are used; the respondents are worth {worth} of equal weight.")
    found += result.groups.notes
    strata, name = strata_of(survey)
    if strata is not None:
        found.append(f"Respondents are resampled within their {name}, whose sizes are taken as chosen.")
    elif survey.has_segments or survey.has_waves:
        found.append("Some segments or waves are small: respondents are resampled from all, not within them.")
    return tuple(found)
