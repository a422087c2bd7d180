"""The words of the evaluation: every sentence follows from the numbers."""

from __future__ import annotations

import numpy as np

from helpers.exhibits import Headline, between, number, percent, plain, suppress_small_groups

from .evaluation import Evaluation
from .recommendation import PURPOSES, Verdict
from .split import Split

SHORT_HOLDOUT = 14  # days; a shorter one says more of its days than of the customers
SAME = 1e-4  # relative: answers in several units of time that differ by less are the same but for rounding
RANDOM = 1.0  # the shape k of random gaps
FEWEST_GAPS = 30  # customers with two gaps; with fewer nothing is said of regularity
SHORT_GAP = 30  # merge periods; merging makes random gaps of this length look regular with k = 1.1, shorter ones more
MERGED_DAYS = {"D": 1, "W": 7, "M": 30}

# What a purpose is called within a sentence.
ASPECTS = {
    "total": "how much all will buy",
    "each": "how much each will buy",
    "ranking": "who will buy most often",
    "spending": "who will spend most",
    "activity": "who will buy at all",
}
UNITS = {"total": "share", "each": "purchases", "ranking": "Gini", "spending": "Gini", "activity": "share"}


def headlines(evaluation: Evaluation | None) -> tuple[Headline, ...]:
    """Return actual and expected purchases of the holdout, and the recommended model against the best naive rules."""
    if evaluation is None:
        none = "there is no holdout to compare with"
        return tuple(
            Headline(name, None, "purchases", none) for name in ("holdout_purchases", "expected_holdout_purchases")
        )
    actual, expected = evaluation.split.actual, expected_total(evaluation)
    label = evaluation.labels[evaluation.model]
    text = f"{label} expected {number(expected)} ({between(evaluation.low, evaluation.high)})"
    if not np.isfinite(expected):
        text = "no expectation: the purchase model could not be fitted on the calibration period"
    return (
        Headline("holdout_purchases", actual, "purchases", f"{number(actual)} purchases in the holdout"),
        Headline("expected_holdout_purchases", expected, "purchases", text, evaluation.low, evaluation.high),
        *(_against_rule(evaluation, verdict) for verdict in evaluation.recommendation.verdicts),
    )


def _against_rule(evaluation: Evaluation, verdict: Verdict) -> Headline:
    labels = evaluation.labels
    said = {"better": "is better than", "worse": "is worse than", "open": "cannot be told from"}[verdict.word]
    text = (
        f"At {ASPECTS[verdict.purpose]} {labels[verdict.model]} {said} the best naive rule, "
        f"“{labels[verdict.rival]}” ({_size(verdict)})"
    )
    name = f"{verdict.purpose}_against_rule"
    return Headline(name, verdict.difference, UNITS[verdict.purpose], text, verdict.low, verdict.high)


def worth_by_recommended(evaluation: Evaluation | None, value: tuple[float, float, float] | None, currency: str) -> str:
    """Say what the customers are worth by the recommended model, where the values are another's."""
    if evaluation is None or value is None or not np.isfinite(value[0]):
        return ""
    labels, recommended = evaluation.labels, evaluation.recommendation.model
    total, low, high = value
    return (
        f"That is by {labels[evaluation.model]}. By {labels[recommended]}, which the check below recommends, it is "
        f"**{number(total)} {plain(currency)}** ({between(low, high)}); set model to {recommended} for a report by it."
    )


def expected_total(evaluation: Evaluation) -> float:
    """Return the holdout purchases that the valuing model expected; nan where it could not be fitted."""
    return evaluation.split.scores.values.get((evaluation.model, "total"), np.nan)


def conclusion(evaluation: Evaluation | None) -> str:
    """Say whether the model can be believed: its total, the rules it has to beat, and whether that holds elsewhere."""
    if evaluation is None:
        return "**The model could not be checked:** no day lies between the end of calibration and of observation."
    parts = (belief(evaluation), against_rules(evaluation), elsewhere(evaluation))
    return "\n\n".join(part for part in parts if part)


def belief(evaluation: Evaluation) -> str:
    """Say how the total of the valuing model compares with what happened."""
    split, model = evaluation.split, expected_total(evaluation)
    actual, label = split.actual, evaluation.labels[evaluation.model]
    if not np.isfinite(model):
        return (
            f"**The model could not be checked** on the {number(actual)} purchases of the {_span(split)} held out: "
            f"{label} could not be fitted on the calibration period."
        )
    digits = 0 if model >= 10 else 1
    start = (
        f"**Can it be believed?** Fitted to {split.calibration_end} only, {label} expected {number(model, digits)} "
        f"purchases in the {_span(split)} held out ({_chance_included(evaluation)}); {number(actual)} "
        f"{'was' if actual == 1 else 'were'} made"
    )
    if not actual:
        return f"{start}. Nobody bought in the holdout, so relative errors and rankings are not defined."
    if not np.isfinite(evaluation.low):
        verdict = "which cannot be judged without an interval"
    elif evaluation.low <= actual <= evaluation.high:
        verdict = "inside that interval"
    else:
        verdict = "outside that interval: the model is off by more than chance explains"
    return f"{start}, {verdict} (total {_signed(model / actual - 1)})."


def _chance_included(evaluation: Evaluation) -> str:
    said = between(evaluation.low, evaluation.high)
    return f"{said}, chance included" if np.isfinite(evaluation.low) else said


def _span(split: Split) -> str:
    weeks = split.days / 7
    if split.days < SHORT_HOLDOUT:
        return f"{number(split.days)} day{'s' if split.days > 1 else ''}"
    return f"{number(weeks, 0 if split.days % 7 == 0 else 1)} weeks"


def _signed(share: float) -> str:
    return f"{'+' if share > 0 else ''}{percent(share)}"


def against_rules(evaluation: Evaluation) -> str:
    """Say which model the written rule recommends, and what it is better and not better at than a naive rule."""
    found, labels = evaluation.recommendation, evaluation.labels
    if not found.model:
        return f"**No model is recommended:** {found.reason}."
    opening = f"**Recommended: {labels[found.model]}**, since {found.reason}."
    by_word = {word: [v for v in found.verdicts if v.word == word] for word in ("better", "worse", "open")}
    told = {
        "better": "better at",
        "worse": "worse at",
        "open": "not to be told apart at",
    }
    if not by_word["better"] and found.verdicts:
        opening += " **The model is not better here than rules that need none.**"
    if evaluation.split.fits[found.model].unidentified:
        opening += " Its parameters are not identified, though, so that values by it have no intervals."
    for purpose, models in found.surpassed.items():
        names = " and ".join(labels[model] for model in models)
        opening += f" At {ASPECTS[purpose]} {names} would serve better, by more than chance explains."
    if not found.verdicts:
        return opening
    listed = [
        f"- **{told[word]} {ASPECTS[v.purpose]}**: {_size(v)} (the rule: {labels[v.rival]})."
        for word, verdicts in by_word.items()
        for v in verdicts
    ]
    return f"{opening} Against the best rule that needs no model it is\n\n" + "\n".join(listed)


def _size(verdict: Verdict) -> str:
    """Say what is compared, and by how much the model differs."""
    measure = {
        "total_error": "error of the total",
        "rmse": "root mean squared error",
        "gini_purchases": "Gini",
        "gini_spend": "Gini of spend",
        "activity_accuracy": "accuracy",
    }[PURPOSES[verdict.purpose][1]]
    if verdict.purpose in ("total", "activity"):
        model, rival = (percent(abs(value)) for value in (verdict.value, verdict.rival_value))
        interval = between(verdict.low, verdict.high, 1, 100)
        return f"{measure} {model} against {rival}, difference {number(100 * verdict.difference, 1)} points, {interval}"
    model, rival, difference = (number(value, 3) for value in (verdict.value, verdict.rival_value, verdict.difference))
    return f"{measure} {model} against {rival}, difference {difference}, {between(verdict.low, verdict.high, 3)}"


def elsewhere(evaluation: Evaluation) -> str:
    """Say whether the verdict holds at other dates, in other units, for other groups, and for how customers buy."""
    parts = (
        other_dates(evaluation),
        other_units(evaluation),
        cohorts(evaluation),
        groups(evaluation),
        gaps(evaluation),
    )
    said = " ".join(part for part in parts if part)
    return f"**Does that hold elsewhere?** {said}" if said else ""


def other_dates(evaluation: Evaluation) -> str:
    """Say how the error of the total moves with the date at which the past is parted."""
    found, labels = evaluation.recommendation, evaluation.labels
    model = found.model or evaluation.model
    rival = next((v.rival for v in found.verdicts if v.purpose == "total"), "past_rate")
    pairs = []
    for split in evaluation.split_dates:
        errors = [split.scores.values.get((method, "total_error"), np.nan) for method in (model, rival)]
        pairs += [errors] if np.isfinite(errors).all() else []
    if len(pairs) < 2:
        return ""
    ours, rules = np.array(pairs).T
    nearer = int((np.abs(ours) < np.abs(rules)).sum())
    return (
        f"Parted at {number(len(pairs))} dates with holdouts half as long, the error of {labels[model]}'s total runs "
        f"from {_signed(ours.min())} to {_signed(ours.max())}; “{labels[rival]}” is further off at {number(nearer)} of "
        "them."
    )


def other_units(evaluation: Evaluation) -> str:
    """Say whether the unit of time moves the answer (it must not), and what merging purchases does."""
    model, own = evaluation.model, evaluation.split
    totals = {
        (split.time_unit, split.merge_period): split.scores.values.get((model, "total"), np.nan)
        for split in evaluation.measurements
    }
    units = [total for (_, merge), total in totals.items() if merge == own.merge_period and np.isfinite(total)]
    if len(units) < 2 or not min(units) > 0:
        return ""
    spread = max(units) / min(units) - 1
    if spread > SAME:
        return f"In days, weeks and months the expected total differs by {percent(spread, 2)}: distrust this fit."
    return f"In days, weeks and months {evaluation.labels[model]} gives the same answer."


def cohorts(evaluation: Evaluation) -> str:
    """Say whether the model drifts with the time of acquisition."""
    frame = suppress_small_groups(evaluation.cohorts, "customers", ("group",), evaluation.settings.min_cell)
    known = frame.dropna(subset=["customers", "low"])
    if len(known) < 2:
        return ""
    outside = known[(known.actual < known.low) | (known.actual > known.high)]
    label = evaluation.labels[evaluation.model]
    if outside.empty:
        return f"All {number(len(known))} cohorts by time of acquisition lie within what {label} and chance explain."
    listed = ", ".join(outside.group.astype(str).head(5)) + (", ..." if len(outside) > 5 else "")
    side = {1: "more", -1: "less"}
    directions = {side[1 if line.actual > line.high else -1] for line in outside.itertuples()}
    bought = f"bought {directions.pop()} than" if len(directions) == 1 else "bought otherwise than"
    return (
        f"Of {number(len(known))} cohorts by time of acquisition, {number(len(outside))} {bought} {label} expected "
        f"({listed}); by chance alone 1 in 20 would lie outside."
    )


def groups(evaluation: Evaluation) -> str:
    """Say whether some group of customers would be served better by a model of its own."""
    pairs = {("own", "rmse"), (evaluation.model, "rmse")}
    fitted = [segment for segment in evaluation.segments if pairs <= set(segment.scores.values)]
    if evaluation.segmented_by != "segment" or not fitted:
        return ""
    better = [plain(s.name) for s in fitted if s.scores.difference("own", evaluation.model, "rmse")[2] < 0]
    listed = f" ({', '.join(better[:5])}{', ...' if len(better) > 5 else ''})" if better else ""
    return (
        f"Of the {number(len(fitted))} groups of customers with enough data, a model of its own serves "
        f"{number(len(better))} better{listed}."
    )


def gaps(evaluation: Evaluation) -> str:
    """Say whether customers buy at random, as the models assume, or regularly."""
    found, k = evaluation.regularity, evaluation.split.regular_k
    merge = MERGED_DAYS[evaluation.split.merge_period]
    if np.isinf(found.k):
        return "The gaps between a customer's purchases are all the same; MBG/CNBD-k comes nearest to that."
    if not np.isfinite(found.low) or found.customers < FEWEST_GAPS:
        return ""
    size = f"shape k {number(found.k, 2)}, {between(found.low, found.high, 2)}"
    size += f"; the likelihood prefers k = {k}" if k else ""
    if found.high < RANDOM:
        return f"Customers buy in bursts, which none of these models allows for ({size})."
    if found.low <= RANDOM and (k or 1) <= RANDOM:
        return f"The gaps between purchases look random, as the models assume ({size})."
    if evaluation.typical_gap < SHORT_GAP * merge:
        return (
            f"Whether customers buy at random cannot be told: purchases within {_days(merge)} count as one, and the "
            f"typical gap is {_days(evaluation.typical_gap)}, so that any customers would look regular ({size})."
        )
    if found.low > RANDOM and (k or 1) > RANDOM:
        return f"Customers buy more regularly than the usual models assume ({size}); MBG/CNBD-k allows for that."
    return f"The two estimates of how regularly customers buy disagree ({size}), so random gaps are not ruled out."


def _days(days: float) -> str:
    return f"{number(days)} day{'' if round(days) == 1 else 's'}"


def warnings(evaluation: Evaluation | None) -> tuple[str, ...]:
    """Return which conclusions fall because of the holdout."""
    if evaluation is None:
        return ()
    split, found = evaluation.split, []
    if split.days < SHORT_HOLDOUT:
        found.append(f"The holdout is {_span(split)} long: what is said of the model rests on these days alone.")
    expected = expected_total(evaluation)
    if not split.actual:
        said = "Nobody bought in the holdout: relative errors and rankings are not defined."
        if expected >= 1:
            label = evaluation.labels[evaluation.model]
            said += f" {label} expected {number(expected)} purchases: do not rely on what it expects of the future."
        found.append(said)
    elif (split.customers.holdout_purchases > 0).all():
        found.append("Every customer bought in the holdout: who will buy at all cannot be judged by it.")
    if np.isfinite(evaluation.low) and not evaluation.low <= split.actual <= evaluation.high:
        side = ("fewer", "low") if expected < split.actual else ("more", "high")
        found.append(
            f"On the holdout the model expected {side[0]} purchases than were made, by more than chance explains. What "
            f"it expects of the future may be too {side[1]} in the same way; no interval below includes that."
        )
    return tuple(found)
