"""The tables of the evaluation."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd

from helpers.exhibits import DASH, Column, Table, number, percent, suppress_small_groups
from helpers.models.lifetime_value import scores

from .agreement import NO_REPEAT
from .evaluation import Evaluation
from .recommendation import CLOSE_AIC, PURPOSES, best_rule, difference, verdict_on
from .robustness import score_frame, scored
from .segments import Segment, scores_by_segment
from .split import Outcome

LAST_FREQUENCY = 7  # the published histogram of CDNOW lumps 7 and more
MEASURES = {
    "total": "Total",
    "total_error": "Error of the total",
    "mae": "Mean absolute error",
    "rmse": "Root mean squared error",
    "bias": "Bias",
    "correlation": "Correlation",
    "gini": "Gini",
    "lift_10": "Lift of the first 10 %",
    "lift_20": "Lift of the first 20 %",
    "accuracy": "Accuracy",
    "brier": "Brier score",
}
NUMBERS = ("total", "total_error", "mae", "rmse", "bias", "correlation")
RANKS = ("gini", "lift_10", "lift_20")
SHARES = ("total_error", "activity_accuracy")
COMPARED = ("total_error", "rmse", "mae", "gini_purchases", "gini_spend", "activity_accuracy")
WORDS = {"better": "better", "worse": "worse", "open": "cannot be told apart"}
NAMES = {"D": "days", "W": "weeks", "M": "months"}
MERGED = {"D": "day", "W": "week", "M": "month"}


def tables(evaluation: Evaluation | None) -> list[Table]:
    """Return every table of the evaluation; each says that there is no holdout where there is none."""
    makers: tuple[Callable[[Evaluation], Table], ...] = (
        verdicts,
        recommendation,
        scoreboard,
        scoreboard_spend,
        scoreboard_ranking,
        differences,
        activity,
        frequency_fit,
        regularity,
        split_dates,
        measurements,
        segments,
        segment_scores,
    )
    if evaluation is None:
        return [_nothing(make.__name__) for make in makers]
    return [make(evaluation) for make in makers]


def _nothing(name: str) -> Table:
    why = "There is no holdout: no day lies between the end of calibration and of observation."
    names = ["method", "measure", "value", "low", "high"] if name == "scoreboard" else ["reason"]
    frame = pd.DataFrame(columns=names)
    return Table(name, frame, why, {"reason": Column("Reason")}, view=pd.DataFrame({"reason": [why]}))


def verdicts(evaluation: Evaluation) -> Table:
    """The recommended model beside the best naive rule, purpose by purpose."""
    labels, found = evaluation.labels, evaluation.recommendation
    names = ["purpose", "measure", "model", "value", "rival", "rival_value", "difference", "low", "high", "verdict"]
    lines, shown = [], []
    for verdict in found.verdicts:
        question, measure = PURPOSES[verdict.purpose]
        numbers = (verdict.value, verdict.rival, verdict.rival_value, verdict.difference, verdict.low, verdict.high)
        lines.append((verdict.purpose, measure, verdict.model, *numbers, verdict.word))
        shares = measure in SHARES
        shown.append(
            (
                question,
                _label(measure),
                _score(verdict.value, shares),
                f"{labels[verdict.rival]}: {_score(verdict.rival_value, shares)}",
                _with_interval(verdict.difference, verdict.low, verdict.high, shares),
                WORDS[verdict.word],
            )
        )
    model, kind = labels[found.model] if found.model else "No model", _kind(evaluation.split.outcome)
    view = pd.DataFrame(shown, columns=["question", "measure", "model", "rival", "difference", "verdict"])
    return Table(
        "verdicts",
        pd.DataFrame(lines, columns=names),
        f"{model} on the holdout beside the naive rule that did best at each purpose; the difference is paired, "
        f"customer by customer, with its 95 % {kind}interval. Errors of the total are compared without their sign.",
        {
            "question": Column("Question"),
            "measure": Column("Measure"),
            "model": Column(model),
            "rival": Column("Best naive rule"),
            "difference": Column("Difference [95 % interval]"),
            "verdict": Column("The model is"),
        },
        view=view,
    )


def recommendation(evaluation: Evaluation) -> Table:
    """How the written rule came to the recommended model."""
    found, split, labels = evaluation.recommendation, evaluation.split, evaluation.labels
    lines = []
    leader = min(found.standing, key=lambda model: split.scores.value(model, "rmse"), default="")
    for model, fit in split.fits.items():
        difference = (np.nan,) * 3
        if leader and model != leader:
            difference = split.scores.difference(model, leader, "rmse")
        rmse = split.scores.value(model, "rmse")
        lines.append(
            (model, fit.log_likelihood, len(fit.names), fit.aic, fit.bic, rmse, *difference, _step(model, found))
        )
    lines += [(model, np.nan, np.nan, *[np.nan] * 6, f"not fitted: {why}") for model, why in split.failures.items()]
    names = ["model", "log_likelihood", "parameters", "aic", "bic", "rmse", "difference", "low", "high", "outcome"]
    frame = pd.DataFrame(lines, columns=names)
    view = frame.assign(
        interval=[_with_interval(*three) for three in zip(frame.difference, frame.low, frame.high, strict=True)]
    )
    return Table(
        "recommendation",
        frame,
        "The rule: of the models that could be fitted, those whose error cannot be told from the smallest; of these "
        f"the lowest AIC; within {number(CLOSE_AIC)} of it the total that came nearest.",
        {
            "model": Column("Model", names=labels),
            "log_likelihood": Column("Log-likelihood", digits=3),
            "aic": Column("AIC", digits=1),
            "bic": Column("BIC", digits=1),
            "rmse": Column("Root mean squared error", "purchases", 3),
            "interval": Column("Less the smallest [95 % interval]"),
            "outcome": Column("Outcome"),
        },
        view=view,
    )


def _step(model: str, found) -> str:
    if model not in found.candidates:
        return "left out: the fit did not converge"
    if model == found.model:
        return "recommended"
    if not found.model:
        return "not judged"
    return "higher AIC, or a total further off" if model in found.standing else "larger errors"


def scoreboard(evaluation: Evaluation) -> Table:
    """Every score of every method; shown: those of purchases."""
    return _scores(
        "scoreboard",
        evaluation,
        list(NUMBERS),
        "Predicted against actual purchases of each customer in the holdout. Errors are purchases per customer.",
        whole=True,
    )


def scoreboard_spend(evaluation: Evaluation) -> Table:
    """The same scores of spend."""
    return _scores(
        "scoreboard_spend",
        evaluation,
        [f"{measure}_spend" for measure in NUMBERS],
        "Predicted against actual spend of each customer in the holdout, in currency; the models' purchases times the "
        "spend that Gamma-Gamma expects. Errors are currency per customer.",
    )


def scoreboard_ranking(evaluation: Evaluation) -> Table:
    """How well each method ranks customers, and finds those who will buy."""
    return _scores(
        "scoreboard_ranking",
        evaluation,
        [f"{rank}_{what}" for what in ("purchases", "spend") for rank in RANKS]
        + ["activity_accuracy", "activity_brier"],
        "Ranking: normalised Gini is 1 for the order that came about and 0 for chance; lift is the share held by those "
        "ranked first over their share of customers. Accuracy: customers rightly called buyers or not.",
    )


def _scores(name: str, evaluation: Evaluation, measures: list[str], caption: str, whole: bool = False) -> Table:
    """One row for each method, one column for each measure, each cell a score with its interval."""
    frame, kind = score_frame(evaluation.split), _kind(evaluation.split.outcome)
    chosen = frame[frame.measure.isin(measures)]
    cells = chosen.assign(
        score=[
            _with_interval(line.value, line.low, line.high, line.measure.startswith(SHARES), _digits(line))
            for line in chosen.itertuples()
        ]
    )
    wide = cells.pivot(index="method", columns="measure", values="score").fillna(DASH)
    methods = [method for method in evaluation.labels if method in wide.index]
    view = wide.reindex(index=methods, columns=[measure for measure in measures if measure in wide.columns])
    flags = {method: evaluation.split.flag(method) for method in methods}
    written = {method: evaluation.labels[method] + (" *" if flags[method] else "") for method in methods}
    columns = {"method": Column("Method", names=written)}
    columns |= {measure: Column(_label(measure)) for measure in view.columns if measure in measures}
    notes = "".join(f" * {evaluation.labels[method]}: {why}" for method, why in flags.items() if why and whole)
    return Table(
        name,
        frame if whole else chosen.reset_index(drop=True),
        f"{caption} In brackets: 95 % {kind}intervals over customers, the same resamples for all methods.{notes}",
        columns,
        view=view.reset_index(),
    )


def _digits(line) -> int:
    return (
        0 if line.measure.startswith("total") else 2 if line.measure.endswith("_spend") and abs(line.value) > 2 else 3
    )


def _label(measure: str) -> str:
    """Return a measure as it is written."""
    base = measure.removeprefix("activity_").removesuffix("_purchases").removesuffix("_spend")
    what = {"_spend": " of spend", "_purchases": " of purchases"}
    suffix = next((words for end, words in what.items() if measure.endswith(end)), "")
    return f"{MEASURES[base]}{suffix}"


def _score(value: float, share: bool = False, digits: int = 3) -> str:
    if not np.isfinite(value):
        return "not defined"
    return percent(value) if share else number(value, digits)


def _with_interval(value: float, low: float, high: float, share: bool = False, digits: int = 3) -> str:
    if not np.isfinite(value):
        return DASH
    ends = f"[{_score(low, share, digits)}, {_score(high, share, digits)}]" if np.isfinite(low) else "[no interval]"
    return f"{_score(value, share, digits)} {ends}"


def differences(evaluation: Evaluation) -> Table:
    """Every model less the naive rule that does best at each measure."""
    split, lines = evaluation.split, []
    for measure in scores.MEASURES:
        if measure in ("total", "total_spend"):
            continue  # neither more nor less of it is better
        rival = best_rule(split, measure)
        for model in split.fits if rival else ():
            if (model, measure) in split.scores.values:
                lines.append((model, measure, rival, *difference(split, model, rival, measure)))
    frame = pd.DataFrame(lines, columns=["method", "measure", "rival", "difference", "low", "high"])
    shown = frame[frame.measure.isin(COMPARED)]
    cells = shown.assign(
        score=[
            _with_interval(line.difference, line.low, line.high, line.measure in SHARES) for line in shown.itertuples()
        ]
    )
    best = shown.drop_duplicates("measure").set_index("measure").rival
    rivals = {measure: best[measure] for measure in COMPARED if measure in best}
    view = cells.pivot(index="method", columns="measure", values="score").fillna(DASH).reindex(columns=list(rivals))
    columns = {"method": Column("Model", names=evaluation.labels)} | {
        measure: Column(f"{_label(measure)}, less “{evaluation.labels[rival]}”") for measure, rival in rivals.items()
    }
    return Table(
        "differences",
        frame,
        "Each model less the naive rule that did best at the measure, on the same resamples of customers, with 95 % "
        "intervals: where one holds 0 the two cannot be told apart. Errors (without sign): below 0 is better. Gini and "
        "accuracy: above 0 is better.",
        columns,
        view=view.reset_index(),
    )


def activity(evaluation: Evaluation) -> Table:
    """Rules that say which customers will buy at all."""
    return Table(
        "activity",
        evaluation.activity,
        f"Of {number(len(evaluation.split.customers))} customers, who will buy in the holdout? Found: share of the "
        "buyers who were called active. Accuracy with Wilson's 95 % interval.",
        {
            "method": Column("Method", names=evaluation.labels | {"zero": "none", "hiatus": "silence"}),
            "rule": Column("Calls active who"),
            "accuracy": Column("Accuracy", digits=1, percent=True),
            "low": Column("Low", digits=1, percent=True),
            "high": Column("High", digits=1, percent=True),
            "called_active": Column("Called active", digits=1, percent=True),
            "sensitivity": Column("Buyers found", digits=1, percent=True),
            "specificity": Column("Others found", digits=1, percent=True),
        },
    )


def frequency_fit(evaluation: Evaluation) -> Table:
    """How many customers made 0, 1, 2 ... repeat purchases in calibration, and how many each model expects."""
    split, labels = evaluation.split, evaluation.labels
    rows, counts = split.rows, np.arange(LAST_FREQUENCY)
    actual = np.bincount(np.minimum(rows.frequency, LAST_FREQUENCY), rows.customers, minlength=LAST_FREQUENCY + 1)
    horizons = rows.groupby("T").customers.sum()
    frame = pd.DataFrame(
        {"repeat_purchases": [*map(str, counts), f"{LAST_FREQUENCY}+"], "customers": actual.astype(int)}
    )
    for model, fit in split.fits.items():
        shares = fit.model.purchase_count_probability(counts[:, None], horizons.index.to_numpy()[None, :])
        below = shares @ horizons.to_numpy()
        frame[f"expected_{model}"] = np.append(below, horizons.sum() - below.sum())
    expected = {name: Column(f"Expected by {labels[name[9:]]}", "customers", 1) for name in frame.columns[2:]}
    keep = ("repeat_purchases", *expected)
    return Table(
        "frequency_fit",
        suppress_small_groups(frame, "customers", keep, evaluation.settings.min_cell, known=NO_REPEAT),
        f"Customers by repeat purchases in calibration (to {split.calibration_end}). {_small(evaluation)}",
        {"repeat_purchases": Column("Repeat purchases"), "customers": Column("Customers", digits=0)} | expected,
    )


def _small(evaluation: Evaluation) -> str:
    return f"Groups of fewer than {evaluation.settings.min_cell} customers are not shown."


def regularity(evaluation: Evaluation) -> Table:
    """How regular the gaps between purchases are: by two gaps of each customer, and by likelihood."""
    found, lines = evaluation.regularity, []
    lines.append(("two_gaps", found.k, found.low, found.high, found.customers))
    k = evaluation.split.regular_k
    repeated = (evaluation.split.customers.frequency > 0).sum()
    lines.append(("likelihood", np.nan if k is None else k, np.nan, np.nan, repeated))
    methods = {"two_gaps": "two gaps of each customer (Wheat & Morrison 1990)"}
    methods |= {"likelihood": "likelihood of MBG/CNBD-k, whole k"}
    return Table(
        "regularity",
        pd.DataFrame(lines, columns=["method", "k", "low", "high", "customers"]),
        "Shape k of the gaps between a customer's purchases: 1 is random, as BG/NBD, MBG/NBD and Pareto/NBD assume; "
        "more is regular, less comes in bursts. Purchases merged by day leave out the shortest gaps, which raises the "
        "first estimate a little.",
        {
            "method": Column("Estimated by", names=methods),
            "k": Column("k", digits=2),
            "low": Column("Low", digits=2),
            "high": Column("High", digits=2),
            "customers": Column("Customers", digits=0),
        },
    )


def _kind(*splits: Outcome) -> str:
    """Name the intervals of scores by what they rest on; not at all where that differs."""
    kinds = {"bootstrap " if split.customers <= scores.MOST_RESAMPLED else "jackknife " for split in splits}
    return kinds.pop() if len(kinds) == 1 else ""


def split_dates(evaluation: Evaluation) -> Table:
    """The check repeated at other dates."""
    return _repeated(
        "split_dates",
        evaluation,
        evaluation.split_dates,
        f"The same check with the past parted at other dates, each holdout of {_days(evaluation.split_dates)}. Error "
        f"of the total with its 95 % {_kind(*evaluation.split_dates)}interval",
        {"calibration_end": Column("Calibration to")},
        lambda split, key: _with_interval(split.scores.value(*key), *split.scores.interval(*key), True),
    )


def _days(splits: list[Outcome]) -> str:
    """Return how long the holdouts are; where they end with a calendar month they differ."""
    days = [split.days for split in splits]
    return " to ".join(map(number, sorted({min(days, default=0), max(days, default=0)}))) + " days"


def measurements(evaluation: Evaluation) -> Table:
    """The check repeated in other units of time and with purchases merged further."""
    return _repeated(
        "measurements",
        evaluation,
        evaluation.measurements,
        "The same check with time in other units, which must change nothing, and with the purchases of a week or a "
        "month counted as one, which changes what a purchase is. "
        "Expected purchases and the error of the total",
        {
            "time_unit": Column("Time in", names=NAMES),
            "merge_period": Column("One purchase a", names=MERGED),
            "calibration_end": Column("Calibration to"),
        },
        lambda split, key: f"{number(split.scores.value(key[0], 'total'))} ({_score(split.scores.value(*key), True)})",
    )


def _repeated(
    name: str,
    evaluation: Evaluation,
    splits: list[Outcome],
    caption: str,
    columns: dict[str, Column],
    cell: Callable[[Outcome, tuple[str, str]], str],
) -> Table:
    """One row for each split: actual purchases, and how near every model's total came beside the past rate's."""
    fitted = {model for split in (evaluation.split, *splits) for model in split.fits}
    methods = [*(model for model in evaluation.labels if model in fitted), "past_rate"]
    lines = []
    for split in splits:
        line = {key: getattr(split, key) for key in columns}
        line |= {"customers": split.customers, "actual": split.actual}
        for method in methods:
            key = (method, "total_error")
            known = key in split.scores.values and np.isfinite(split.scores.values[key])
            line[method] = cell(split, key) + (" (mind)" if split.flag(method) else "") if known else DASH
        lines.append(line)
    numbers = {"customers": Column("Customers", digits=0), "actual": Column("Bought", "purchases", 0)}
    shown = columns | numbers | {method: Column(evaluation.labels[method]) for method in methods}
    return Table(
        name,
        scored(splits),
        f"{caption}; (mind) marks a fit that is not to be trusted.",
        shown,
        view=pd.DataFrame(lines, columns=list(shown)),
    )


def segments(evaluation: Evaluation) -> Table:
    """The check by group of customers, with the valuing model and with one fitted on the group alone."""
    model, lines = evaluation.model, []
    for segment in evaluation.segments:
        line = {"segment": segment.name, "customers": segment.customers, "repeat_customers": segment.repeat_customers}
        line |= {"actual": segment.actual}
        for prefix, method in (("", model), ("own_", "own")):
            line |= _three(f"{prefix}total_error", segment, method)
        gain = (np.nan,) * 3
        if {("own", "rmse"), (model, "rmse")} <= set(segment.scores.values):
            gain = segment.scores.difference("own", model, "rmse")
        line |= dict(zip(("own_gain", "own_gain_low", "own_gain_high"), gain, strict=True))
        lines.append(line | {"advice": segment.advice})
    ends = [f"{name}{end}" for name in ("total_error", "own_total_error", "own_gain") for end in ("", "_low", "_high")]
    frame = pd.DataFrame(lines, columns=["segment", "customers", "repeat_customers", "actual", *ends, "advice"])
    view = frame.assign(
        **{
            name: [_with_interval(*three, name != "own_gain") for three in _threes(frame, name)]
            for name in ("total_error", "own_total_error", "own_gain")
        }
    )
    what = "your column segment" if evaluation.segmented_by == "segment" else "time of acquisition"
    hidden = f" Groups not shown: {number(evaluation.hidden_segments)}." if evaluation.hidden_segments else ""
    return Table(
        "segments",
        frame,
        f"Customers by {what}, each group of at least {evaluation.settings.min_cell}.{hidden} Error of the total, with "
        f"{evaluation.labels[model]} fitted on all and on the group alone; the last is the root mean squared error "
        "of the model of its own less that of the common one: below 0 it is better.",
        {
            "segment": Column("Group"),
            "customers": Column("Customers", digits=0),
            "repeat_customers": Column("Bought again", digits=0),
            "actual": Column("In the holdout", "purchases", 0),
            "total_error": Column("Error, common model"),
            "own_total_error": Column("Error, model of its own"),
            "own_gain": Column("Own less common, errors"),
            "advice": Column("Advice"),
        },
        view=view,
    )


def segment_scores(evaluation: Evaluation) -> Table:
    """The valuing model against the best naive rule in each group of customers."""
    model, labels, lines = evaluation.model, evaluation.labels, []
    for segment in evaluation.segments:
        found = [verdict_on(segment, model, purpose) for purpose in PURPOSES]
        line = {"segment": segment.name, "customers": segment.customers}
        for verdict in filter(None, found):
            size = _with_interval(verdict.difference, verdict.low, verdict.high, PURPOSES[verdict.purpose][1] in SHARES)
            line[verdict.purpose] = f"{WORDS[verdict.word]}: {size} less “{labels[verdict.rival]}”"
        lines.append(line)
    purposes = {purpose: Column(question) for purpose, (question, _) in PURPOSES.items() if purpose != "spending"}
    view = pd.DataFrame(lines, columns=["segment", "customers", *purposes]).fillna(DASH)
    return Table(
        "segment_scores",
        scores_by_segment(evaluation.segments),
        f"{labels[model]} less the naive rule that did best in the group, paired, with 95 % intervals; errors of the "
        "total without sign.",
        {"segment": Column("Group"), "customers": Column("Customers", digits=0)} | purposes,
        view=view,
    )


def _three(name: str, segment: Segment, method: str) -> dict[str, float]:
    key = (method, "total_error")
    value = segment.scores.values.get(key, np.nan)
    low, high = segment.scores.interval(*key) if key in segment.scores.values else (np.nan, np.nan)
    return {name: value, f"{name}_low": low, f"{name}_high": high}


def _threes(frame: pd.DataFrame, name: str) -> Iterable[tuple[float, float, float]]:
    return zip(frame[name], frame[f"{name}_low"], frame[f"{name}_high"], strict=True)
