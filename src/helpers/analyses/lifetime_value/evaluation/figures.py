"""The figures of the evaluation: what the methods said, beside what happened."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Figure, number, percent, suppress_small_groups
from helpers.models.lifetime_value.purchase_models import kinds

from ...drawing import INK, RULE, WIDTH, ZERO, across, new_axes, nothing, panels
from . import agreement, tables
from .evaluation import Evaluation
from .recommendation import best_rule

ACTUAL = INK
COLOURS, MARKERS = 6, "osD^vP"  # the theme's seventh colour is a grey, as the naive rules are
MOST_NAMED = 6  # groups that a sentence names one by one
LONGEST_NAME = 26  # letters beside a panel

PANELS = {
    "total_error": ("Error of the total", "% of what was bought\n(nearest 0 is best)"),
    "rmse": ("Root mean\nsquared error", "purchases per customer\n(less is better)"),
    "mae": ("Mean absolute error", "purchases per customer\n(less is better)"),
    "activity_accuracy": ("Buyers found", "% of customers\n(more is better)"),
    "gini_purchases": ("Rank, purchases", "normalised Gini\n(more is better)"),
    "gini_spend": ("Rank, spend", "normalised Gini\n(more is better)"),
}


def figures(evaluation: Evaluation | None) -> list[Figure]:
    """Return every figure of the evaluation; each says that there is no holdout where there is none."""
    makers = (
        scoreboard,
        holdout_total,
        tracking,
        holdout_by_frequency,
        holdout_by_recency,
        reliability,
        frequency_fit,
        cohorts,
        split_dates,
        segments,
    )
    if evaluation is None:
        why = "There is no holdout: no day lies between the end of calibration and of observation."
        files = {table.name: table.frame for table in tables.tables(None)}
        return [nothing(make.__name__, why, files.get(make.__name__)) for make in makers]
    return [make(evaluation) for make in makers]


def _place(model: str) -> int:
    """Return the fixed place of a model, so that it looks the same in every figure."""
    return list(kinds()).index(model) % COLOURS


def _colour(method: str) -> str:
    return f"C{_place(method)}" if method in kinds() else RULE


def _look(method: str) -> dict[str, object]:
    return {"color": _colour(method), "marker": MARKERS[_place(method)] if method in kinds() else "x"}


def _legend(figure, columns: int = 3) -> None:
    """Put one legend of all panels above them, where it hides no data."""
    found = {}
    for axes in figure.axes:
        handles, names = axes.get_legend_handles_labels()
        found |= dict(zip(names, handles, strict=True))
    names = sorted(found, key=lambda name: name != "actual")
    figure.legend([found[name] for name in names], names, loc="outside upper left", ncols=columns, columnspacing=1.2)


def _dates(axes) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=3, maxticks=8)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def _suppressed(evaluation: Evaluation, frame: pd.DataFrame, *keep: str, known: tuple[int, ...] = ()) -> pd.DataFrame:
    """Blank small groups; what is left are numbers."""
    shown = suppress_small_groups(frame, "customers", keep, evaluation.settings.min_cell, known)
    return shown.astype({column: float for column in frame.columns if column not in keep})


def _ratio(numerator: pd.Series, denominator: pd.Series) -> pd.Series:
    """Quotient where the denominator is positive, nan elsewhere."""
    return numerator / denominator.where(denominator > 0)


def _outside(value: pd.Series, low: pd.Series, high: pd.Series) -> pd.Series:
    return (value < low) | (value > high)


def _expected(evaluation: Evaluation, unit: str) -> dict[str, Column]:
    """Describe the columns of what methods expect."""
    return {f"expected_{method}": Column(f"Expected by {label}", unit) for method, label in evaluation.labels.items()}


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names) if len(names) <= MOST_NAMED else f"{', '.join(names[:MOST_NAMED])} and others"


def _signed(share: float) -> str:
    return f"{'+' if share > 0 else ''}{percent(share, 0)}"


def _range(shares: pd.Series) -> str:
    ends = dict.fromkeys([_signed(shares.min()), _signed(shares.max())])
    return " to ".join(ends)


def _spread(names: pd.Series, shares: pd.Series) -> str:
    """Say each share with its name; where they are many, the least and the greatest."""
    chosen = shares.index if len(shares) <= MOST_NAMED else [shares.idxmin(), shares.idxmax()]
    return (", " if len(shares) <= MOST_NAMED else " to ").join(f"{names[i]} {_signed(shares[i])}" for i in chosen)


def scoreboard(evaluation: Evaluation) -> Figure:
    """Every method by every measure, with its interval, beside the best naive rule."""
    split, labels, chosen = evaluation.split, evaluation.labels, evaluation.recommendation.model
    frame = tables.scoreboard(evaluation).frame
    # who expects nothing of anybody ranks nobody: a Gini of 0 by definition would only press the others together
    ranks_nobody = (frame.method == "zero") & frame.measure.str.startswith("gini")
    shown = frame[frame.measure.isin(PANELS) & np.isfinite(frame.value) & ~ranks_nobody].round(
        9
    )  # of 1e-17 an axis would be made
    rules = {measure: best_rule(split, measure) for measure in PANELS}
    pairs = [list(PANELS)[start : start + 2] for start in range(0, len(PANELS), 2)]
    rows = [[method for method in labels if method in set(shown.method[shown.measure.isin(pair)])] for pair in pairs]

    def draw():
        heights = [max(len(methods), 3) for methods in rows]
        figure, grid = panels(3, 2, 4 + 0.27 * sum(heights), sharey="row", height_ratios=heights)
        for line, pair, methods in zip(grid, pairs, rows, strict=True):
            for axes, measure in zip(line, pair, strict=True):
                one_panel(axes, measure, methods)
            line[0].set(yticks=range(len(methods)), ylim=(len(methods) - 0.4, -0.6))
            line[0].set_yticklabels([f"{labels[name]}{', recommended' * (name == chosen)}" for name in methods])
            for tick, name in zip(line[0].get_yticklabels(), methods, strict=True):
                tick.set(fontweight="bold" if name == chosen else "normal", color=ACTUAL)
        grid[0, 0].plot([], [], "o-", color=RULE, label="score with 95 % interval")
        _legend(figure)
        return figure

    def one_panel(axes, measure, methods):
        title, unit = PANELS[measure]
        scale = 100 if unit.startswith("%") else 1
        lines = shown[shown.measure == measure]
        axes.set_title(title, fontsize=10.5, pad=5)
        across(axes)
        for score in lines.itertuples():
            place, colour = methods.index(score.method), _colour(score.method)
            axes.hlines(place, scale * score.low, scale * score.high, color=colour, linewidth=2, alpha=0.6)
            axes.plot(scale * score.value, place, "o", color=colour, markersize=9 if score.method == chosen else 6)
        if rules[measure]:
            best = scale * split.scores.value(rules[measure], measure)
            axes.axvline(best, color=ZERO, linewidth=1, linestyle="--", zorder=1.5, label="best naive rule")
        if lines.empty:
            axes.text(0.5, 0.5, "not defined", transform=axes.transAxes, ha="center", va="center", color=ZERO)
            axes.set_xticks([])
            return
        axes.set_xlabel(unit)
        axes.locator_params(axis="x", nbins=4)

    columns = {
        "method": Column("Method", names=labels),
        "measure": Column("Measure"),
        "value": Column("Score", "unit of the measure"),
        "low": Column("Low", "unit of the measure"),
        "high": Column("High", "unit of the measure"),
        "flag": Column("What is wrong with the fit"),
    }
    return Figure("scoreboard", draw, _said_of_scores(evaluation, rules), frame, columns)


def _said_of_scores(evaluation: Evaluation, rules: dict[str, str]) -> str:
    """Say the scores of the recommended model beside those of the best naive rule."""
    split, labels, chosen = evaluation.split, evaluation.labels, evaluation.recommendation.model

    def score(method: str, measure: str) -> str:
        value = split.scores.value(method, measure)
        return percent(value) if PANELS[measure][1].startswith("%") else number(value, 3)

    start = "Scores of every method in the holdout as dots with 95 % intervals, one panel for each measure."
    if not chosen:
        return f"{start} No model is recommended: {evaluation.recommendation.reason}."
    said = [
        f"{' '.join(title.lower().split())} {score(chosen, measure)} against {score(rules[measure], measure)} "
        f"({labels[rules[measure]]})"
        for measure, (title, _) in PANELS.items()
        if rules[measure] and np.isfinite(split.scores.values.get((chosen, measure), np.nan))
    ]
    return f"{start} {labels[chosen]}, which is recommended, against the best naive rule: {'; '.join(said)}."


def holdout_total(evaluation: Evaluation) -> Figure:
    """Predicted totals of the holdout beside the actual one."""
    split, labels, model = evaluation.split, evaluation.labels, evaluation.model
    scores = tables.scoreboard(evaluation).frame
    totals = scores[scores.measure == "total"].reset_index(drop=True)
    of_model = totals.method == model
    frame = pd.DataFrame(
        {
            "method": totals.method,
            "label": totals.method.map(labels),
            "predicted": totals.value,
            # of the valuing model alone: parameters and chance; the naive rules make no statement of chance
            "low": np.where(of_model, evaluation.low, np.nan),
            "high": np.where(of_model, evaluation.high, np.nan),
            "actual": split.actual,
        }
    )

    def draw():
        figure, axes = new_axes(WIDTH, 1.2 + 0.36 * len(frame))
        axes.barh(frame.index, frame.predicted, color=[_colour(name) for name in frame.method], height=0.65)
        axes.hlines(frame.index, frame.low, frame.high, color="black", linewidth=2)
        axes.plot(frame.low, frame.index, "|k", frame.high, frame.index, "|k", markersize=10)
        axes.axvline(split.actual, color=ACTUAL, linestyle="--")
        above = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "ha": "center"}
        axes.annotate(f"actual {number(split.actual)}", (split.actual, 1), (0, 3), color=ACTUAL, **above)
        axes.set_yticks(frame.index, [f"{line.label}:  {number(line.predicted)}" for line in frame.itertuples()])
        axes.invert_yaxis()
        axes.set_xlabel("purchases in the holdout")
        across(axes)
        return figure

    said = ", ".join(f"{line.label} {number(line.predicted)}" for line in frame.itertuples())
    alt = f"Holdout purchases that each method predicts ({said}) against a line at the actual {number(split.actual)}."
    if np.isfinite(evaluation.low):
        ends = f"{number(evaluation.low)} to {number(evaluation.high)}"
        alt += f" The 95 % predictive interval of {labels[model]} runs from {ends}."
    columns = {name: Column(name.capitalize(), "purchases") for name in ("predicted", "low", "high", "actual")}
    return Figure(
        "holdout_total", draw, alt, frame, {"method": Column("Method"), "label": Column("Method as written")} | columns
    )


def tracking(evaluation: Evaluation) -> Figure:
    """Repeat purchases through calibration and holdout, in all and by period."""
    name, split, model, frame = "tracking", evaluation.split, evaluation.model, evaluation.tracking
    if len(frame) < 2:
        return nothing(name, "Purchases over time are not drawn: the data span fewer than two whole periods.")
    ends = pd.to_datetime(frame.period_end)
    period = "week" if (ends.diff().dropna().dt.days == 7).all() else "month"
    label = evaluation.labels

    def draw():
        figure, grid = panels(2, 1, 6, sharex=True)
        for axes, prefix, what in zip(grid[:, 0], ("cumulative_", ""), ("in all", f"each {period}"), strict=True):
            band = frame[f"{prefix}low"], frame[f"{prefix}high"]
            if model in split.fits and frame.low.notna().any():
                shade = {"color": _colour(model), "alpha": 0.2, "linewidth": 0}
                axes.fill_between(ends, *band, label=f"95 % interval of {label[model]}", **shade)
            axes.plot(ends, frame[f"{prefix}actual"], color=ACTUAL, label="actual")
            for other in split.fits:
                line = frame[f"{prefix}expected_{other}"]
                axes.plot(ends, line, color=_colour(other), linewidth=1.5, label=label[other])
            end = pd.Timestamp(split.calibration_end)
            axes.axvline(end, color=ZERO, linewidth=1, linestyle="--", label="end of calibration")
            axes.set_ylabel(f"repeat purchases, {what}")
            axes.set_ylim(0, None)
            _dates(axes)
        _legend(figure)
        return figure

    last = frame.iloc[-1]
    alt = f"Lines of repeat purchases, in all and each {period}, of the customers acquired in calibration. "
    alt += f"By {last.period_end} there were {number(last.cumulative_actual)}"
    said = ", ".join(f"{label[other]} {number(last[f'cumulative_expected_{other}'])}" for other in split.fits)
    alt += f"; expected were: {said}." if said else "; no model could be fitted."
    if model in split.fits and np.isfinite(last.cumulative_low):
        later = frame[ends > pd.Timestamp(split.calibration_end)]
        missed = int(_outside(later.actual, later.low, later.high).sum())
        alt += (
            f" The 95 % interval of {label[model]} runs from {number(last.cumulative_low)} to "
            f"{number(last.cumulative_high)}; {number(missed)} of {len(later)} {period}s of the holdout lie outside "
            "theirs."
        )
    columns = {column: Column(column.replace("_", " ").capitalize(), "purchases") for column in frame.columns[1:]}
    return Figure(name, draw, alt, frame, {"period_end": Column("Period to")} | columns)


def holdout_by_frequency(evaluation: Evaluation) -> Figure:
    """Purchases in the holdout by repeat purchases in calibration."""
    return _by_group(
        evaluation, "holdout_by_frequency", evaluation.frequency, "repeat purchases in calibration", "repeat purchases"
    )


def holdout_by_recency(evaluation: Evaluation) -> Figure:
    """Purchases in the holdout by recency in calibration."""
    unit = evaluation.settings.unit_name
    return _by_group(evaluation, "holdout_by_recency", evaluation.recency, f"{unit} from first to last purchase", unit)


def _by_group(evaluation: Evaluation, name: str, totals: pd.DataFrame, grouped_by: str, unit: str) -> Figure:
    """Actual and expected purchases per customer of each group."""
    split, model, labels = evaluation.split, evaluation.model, evaluation.labels
    first = () if totals.group.iloc[0] not in ("0", "no repeat") else agreement.NO_REPEAT
    shown = _suppressed(evaluation, totals, "group", known=first)
    means = shown.drop(columns=["group", "customers"]).div(shown.customers, axis=0)
    frame = pd.concat([shown[["group", "customers"]], means], axis=1)
    seen = frame[frame.customers.notna()]
    missed = _outside(frame.actual, frame.low, frame.high)
    if seen.empty:
        return nothing(name, f"Not drawn: no group holds {evaluation.settings.min_cell} customers or more.")

    def draw():
        figure, axes = new_axes(WIDTH, 4.4)
        if frame.low.notna().any():
            shade = {"color": _colour(model), "alpha": 0.25, "linewidth": 11}
            axes.vlines(frame.index, frame.low, frame.high, label=f"95 % interval of {labels[model]}", **shade)
        for other in split.fits:
            line = frame[f"expected_{other}"]
            axes.plot(
                frame.index, line, **_look(other), markersize=5, linewidth=1.2, clip_on=False, label=labels[other]
            )
        axes.plot(frame.index, frame.actual, "o-", color=ACTUAL, markersize=7, clip_on=False, label="actual")
        if missed.any():
            hollow = {"markerfacecolor": "white", "color": ACTUAL, "markeredgewidth": 2}
            label = "actual, outside the interval"
            axes.plot(frame.index[missed], frame.actual[missed], "o", **hollow, markersize=8, label=label)
        _name_groups(axes, frame)
        axes.set(xlabel=f"{grouped_by}; beneath: customers", ylabel="purchases per customer\nin the holdout")
        axes.set_ylim(0, None)
        _legend(figure)
        return figure

    alt = f"Purchases per customer in the holdout by {grouped_by}, actual and expected. "
    ends = (seen.iloc[0], seen.iloc[-1]) if len(seen) > 1 else (seen.iloc[0],)
    alt += "; ".join(_said_of_group(evaluation, line) for line in ends) + "."
    columns = {"group": Column("Group", unit), "customers": Column("Customers", "customers")}
    columns |= {column: Column(column.capitalize(), "purchases per customer") for column in ("actual", "low", "high")}
    return Figure(
        name,
        draw,
        alt + _said_of_interval(evaluation, seen),
        frame,
        columns | _expected(evaluation, "purchases per customer"),
    )


def _name_groups(axes, frame: pd.DataFrame) -> None:
    """Write each group with its customers; a dash where they are too few to be shown."""
    names = [f"{line.group}".replace(" to ", "\nto ") for line in frame.itertuples()]
    deepest = max(text.count("\n") for text in names)
    names = [name + "\n" * (1 + deepest - name.count("\n")) for name in names]
    counts = [number(count) for count in frame.customers]
    axes.set_xticks(frame.index, [f"{name}{count}" for name, count in zip(names, counts, strict=True)])
    axes.margins(x=0.06)


def _said_of_group(evaluation: Evaluation, line: pd.Series) -> str:
    said = f"{line.group}: {number(line.actual, 2)} actual"
    if evaluation.model not in evaluation.split.fits:
        return said
    return f"{said}, {number(line[f'expected_{evaluation.model}'], 2)} by {evaluation.labels[evaluation.model]}"


def _said_of_interval(evaluation: Evaluation, groups: pd.DataFrame) -> str:
    """Say which groups lie outside the interval of the model that values customers."""
    if not groups.low.notna().any():
        return ""
    out = groups[_outside(groups.actual, groups.low, groups.high)]
    whose = f"the 95 % interval of {evaluation.labels[evaluation.model]}"
    if out.empty:
        return f" Every actual lies inside {whose}."
    return f" Outside {whose} lies the actual of: {_listed(out.group)}."


def reliability(evaluation: Evaluation) -> Figure:
    """Predicted probability of a purchase beside the share who bought."""
    name, labels, found = "reliability", evaluation.labels, evaluation.reliability
    parts = [_suppressed(evaluation, part, "method", "group") for _, part in found.groupby("method", sort=False)]
    frame = pd.concat(parts, ignore_index=True) if parts else found
    seen = frame.dropna(subset=["predicted", "observed"])
    methods = list(dict.fromkeys(seen.method))
    if not methods:
        why = "no model could be fitted" if found.empty else "every group of customers is too small"
        return nothing(name, f"The probabilities of a purchase cannot be checked: {why}.")

    def draw():
        rows, columns = (len(methods) + 1) // 2, min(len(methods), 2)
        figure, grid = panels(rows, columns, 0.6 + 2.9 * rows, sharex=True, sharey=True)
        for axes, method in zip(grid.flat, methods, strict=False):
            one_panel(axes, method, seen[seen.method == method])
        for axes in grid.flat[len(methods) :]:
            axes.set_axis_off()
        for axes in grid.flat[max(len(methods) - columns, 0) : len(methods)]:
            axes.xaxis.set_tick_params(labelbottom=True)
        figure.supxlabel("predicted probability of a purchase (%)", fontsize=10.5, color=ACTUAL)
        figure.supylabel("customers who bought (%)", fontsize=10.5, color=ACTUAL)
        return figure

    def one_panel(axes, method, lines):
        axes.plot([0, 100], [0, 100], color=RULE, linewidth=1, linestyle="--")
        axes.vlines(100 * lines.predicted, 100 * lines.low, 100 * lines.high, color=_colour(method), alpha=0.6)
        axes.plot(100 * lines.predicted, 100 * lines.observed, "o", color=_colour(method), markersize=5)
        axes.set_title(labels[method], fontsize=10.5, pad=5)
        axes.set(xlim=(-2, 102), ylim=(-2, 102), xticks=range(0, 101, 25), yticks=range(0, 101, 25))

    missed = _outside(seen.predicted, seen.low, seen.high).groupby(seen.method).agg(["sum", "size"])
    said = ", ".join(
        f"{labels[method]} {number(missed['sum'][method])} of {missed['size'][method]}" for method in methods
    )
    alt = (
        "Share of customers who bought in the holdout against the predicted probability, by groups of equal size, one "
        "panel for each model; on the diagonal both are equal. Groups whose 95 % interval leaves the prediction out: "
        f"{said}."
    )
    shares = {column: Column(column.capitalize(), "share") for column in ("predicted", "observed", "low", "high")}
    columns = {"method": Column("Model", names=labels), "group": Column("Group by probability")}
    return Figure(name, draw, alt, frame, columns | {"customers": Column("Customers", "customers")} | shares)


def frequency_fit(evaluation: Evaluation) -> Figure:
    """Actual and expected numbers of customers by repeat purchases in calibration."""
    split, labels = evaluation.split, evaluation.labels
    frame = tables.frequency_fit(evaluation).frame
    actual = frame.customers.astype(float)
    if not (actual > 0).any():
        why = f"no group holds {evaluation.settings.min_cell} customers or more"
        return nothing("frequency_fit", f"Not drawn: {why}.", frame)

    def draw():
        figure, axes = new_axes(WIDTH, 4)
        axes.bar(frame.index, actual, color="#C9CDD1", width=0.85, label="actual")
        for place, (model, shift) in enumerate(zip(split.fits, _shifts(len(split.fits), 0.6), strict=True)):
            line = frame[f"expected_{model}"]
            axes.plot(frame.index + shift, line, linestyle="", **_look(model), zorder=3 + place, label=labels[model])
        axes.set_xticks(frame.index, frame.repeat_purchases)
        axes.set(xlabel="repeat purchases in calibration", ylabel="customers")
        _legend(figure)
        return figure

    said = []
    for model in split.fits:
        expected = frame[f"expected_{model}"]
        gap = (actual - expected).abs()
        if gap.notna().any():
            worst = gap.idxmax()
            numbers = f"{number(actual[worst])} actual, {number(expected[worst], 1)} expected"
            said.append(f"{labels[model]} differs most at {frame.repeat_purchases[worst]} ({numbers})")
    alt = "Bars of customers by repeat purchases in calibration, with what each model expects as points. "
    alt += f"{'; '.join(said)}." if said else "No model could be fitted."
    columns = {
        "repeat_purchases": Column("Repeat purchases", "purchases"),
        "customers": Column("Customers", "customers"),
    }
    return Figure("frequency_fit", draw, alt, frame, columns | _expected(evaluation, "customers"))


def _shifts(count: int, width: float) -> np.ndarray:
    """Return places beside each other within a width, centred."""
    return np.linspace(-width / 2, width / 2, count) if count > 1 else np.zeros(count)


def cohorts(evaluation: Evaluation) -> Figure:
    """By how much each acquisition cohort bought more or less than expected."""
    name, split, model, labels = "cohorts", evaluation.split, evaluation.model, evaluation.labels
    if model not in split.fits:
        return nothing(name, f"Cohorts cannot be compared: {labels[model]} could not be fitted.")
    frame = _suppressed(evaluation, evaluation.cohorts, "group")
    expected = frame[f"expected_{model}"]
    for end in ("low", "high"):
        frame[f"residual_{end}"] = _ratio(frame[end], expected) - 1
    for method in split.fits:
        frame[f"residual_{method}"] = _ratio(frame.actual, frame[f"expected_{method}"]) - 1
    residual = f"residual_{model}"
    seen = frame[frame[residual].notna()]
    if seen.empty:
        return nothing(name, f"Not drawn: no cohort holds {evaluation.settings.min_cell} customers or more.")

    def draw():
        figure, axes = new_axes(WIDTH, 4.2)
        axes.axhline(0, color=ZERO, linewidth=1)
        if seen.residual_low.notna().any():
            band = 100 * frame.residual_low, 100 * frame.residual_high
            shade = {"color": _colour(model), "alpha": 0.25, "linewidth": min(14, 110 / len(frame))}
            axes.vlines(frame.index, *band, label=f"95 % interval of {labels[model]}", **shade)
        style = {"linestyle": "", "markersize": 8}
        axes.plot(frame.index, 100 * frame[residual], **_look(model), **style, label=labels[model])
        others = [method for method in split.fits if method != model]
        for place, method in enumerate(others, 1):
            beside, line = frame.index + 0.05 + 0.09 * place, 100 * frame[f"residual_{method}"]
            axes.plot(beside, line, **_look(method), **style | {"markersize": 5}, alpha=0.6, label=labels[method])
        turned = {"rotation": 90} if len(frame) > 7 else {}
        axes.set_xticks(frame.index, frame.group, **turned)
        axes.set(xlabel="acquired in", ylabel="holdout purchases: actual\nless expected (% of expected)")
        axes.set_xlim(-0.6, len(frame) - 0.4)
        _legend(figure)
        return figure

    columns = {"group": Column("Acquired in"), "customers": Column("Customers", "customers")}
    columns |= {column: Column(column.capitalize(), "purchases") for column in ("actual", "low", "high")}
    columns |= {
        column: Column(f"Residual, {labels.get(column[9:], column[9:])}", "share of expected")
        for column in frame.columns
        if column.startswith("residual_")
    }
    alt = _said_of_cohorts(evaluation, seen, residual)
    return Figure(name, draw, alt, frame, columns | _expected(evaluation, "purchases"))


def _said_of_cohorts(evaluation: Evaluation, seen: pd.DataFrame, residual: str) -> str:
    """Say whether the model drifts with the time of acquisition."""
    alt = (
        f"Actual over expected purchases less 1, by time of acquisition, for {evaluation.labels[evaluation.model]}: "
        f"{_spread(seen.group, seen[residual])}."
    )
    if not seen.residual_low.notna().any():
        return f"{alt} There is no interval to judge them by."
    judged = _said_of_interval(evaluation, seen)
    out = _outside(seen.actual, seen.low, seen.high)
    if len(seen) > 1 and not out.any():
        judged += " No drift with the time of acquisition is to be told from chance."
    return alt + judged


def split_dates(evaluation: Evaluation) -> Figure:
    """The errors of the total, and how well customers are ranked, when the past is parted at other dates."""
    name, model, labels = "split_dates", evaluation.model, evaluation.labels
    frame = tables.split_dates(evaluation).frame
    methods = [*evaluation.split.fits, "past_rate"]
    titles = {"total_error": "error of the total (%)", "gini_purchases": "normalised Gini\nof purchases"}
    seen = frame[np.isfinite(frame.value) & frame.measure.isin(titles)] if len(frame) else frame
    if seen.empty:
        return nothing(name, "The check was not repeated at other dates, or nobody bought after them.", frame)
    titles = {measure: title for measure, title in titles.items() if (seen.measure == measure).any()}
    seen = seen.assign(date=pd.to_datetime(seen.calibration_end), scale=np.where(seen.measure == "total_error", 100, 1))

    def draw():
        figure, grid = panels(len(titles), 1, 1.4 + 2.1 * len(titles), sharex=True)
        for axes, (measure, title) in zip(grid[:, 0], titles.items(), strict=True):
            for method in methods:
                line = seen[(seen.measure == measure) & (seen.method == method)]
                if method == model:
                    band = line.scale * line.low, line.scale * line.high
                    axes.vlines(line.date, *band, color=_colour(model), alpha=0.3, linewidth=8)
                style = {"linestyle": "--" if method == "past_rate" else "-", "linewidth": 1.5, "markersize": 6}
                axes.plot(line.date, line.scale * line.value, **_look(method), **style, label=labels[method])
            axes.set_ylabel(title)
            if measure == "total_error":
                axes.axhline(0, color=ZERO, linewidth=1, zorder=1)
        bars = f"; bars: 95 % interval of {labels[model]}" if model in methods else ""
        axes.set_xlabel(f"end of calibration{bars}")
        _dates(axes)
        _legend(figure)
        return figure

    errors = seen[seen.measure == "total_error"]
    said = [
        f"{labels[method]} {_range(values)}"
        for method in methods
        if len(values := errors.value[errors.method == method])
    ]
    count = frame[["calibration_end", "end"]].drop_duplicates().shape[0]
    alt = f"Lines of the error of the total, and of the normalised Gini, by date of the split ({number(count)} dates). "
    alt += f"The error over the dates: {', '.join(said)}." if said else "The error is not defined."
    columns = {
        "calibration_end": Column("Calibration to"),
        "end": Column("Holdout to"),
        "customers": Column("Customers", "customers"),
        "repeat_customers": Column("Bought again in calibration", "customers"),
        "actual": Column("In the holdout", "purchases"),
        "method": Column("Method", names=labels),
        "measure": Column("Measure"),
    }
    columns |= {name: Column(name.capitalize(), "unit of the measure") for name in ("value", "low", "high")}
    return Figure(name, draw, alt, frame, columns)


def segments(evaluation: Evaluation) -> Figure:
    """The error of the total by group of customers, with the common model and with the group's own."""
    name, model, labels = "segments", evaluation.model, evaluation.labels
    frame = tables.segments(evaluation).frame
    seen = frame[frame.total_error.notna()].reset_index(drop=True)
    if seen.empty:
        return nothing(name, "Groups are not compared: all are too small, or nobody bought, or no model fits.", frame)
    whole, own = _colour(model), seen.own_total_error.notna()

    def draw():
        figure, axes = new_axes(WIDTH, 1.5 + 0.42 * len(seen))
        axes.axvline(0, color=ZERO, linewidth=1)
        shift = 0.14 if own.any() else 0
        ends = 100 * seen.total_error_low, 100 * seen.total_error_high
        axes.hlines(seen.index - shift, *ends, color=whole, alpha=0.6)
        axes.plot(100 * seen.total_error, seen.index - shift, "o", color=whole, label=f"{labels[model]}, fitted on all")
        if own.any():
            ends = 100 * seen.own_total_error_low, 100 * seen.own_total_error_high
            axes.hlines(seen.index + shift, *ends, color=ZERO, alpha=0.6)
            hollow = {"markerfacecolor": "white", "color": ZERO}
            axes.plot(100 * seen.own_total_error, seen.index + shift, "s", **hollow, label="fitted on the group alone")
        names = [_drawable(line.segment, line.Index) for line in seen.itertuples()]
        axes.set_yticks(
            seen.index, [f"{each} ({number(count)})" for each, count in zip(names, seen.customers, strict=True)]
        )
        axes.set_ylim(len(seen) - 0.4, -0.6)
        axes.set_xlabel("error of the total (%) with 95 % interval\n(beside each name: customers)")
        across(axes)
        _legend(figure, 2)
        return figure

    out = seen[_outside(0 * seen.total_error, seen.total_error_low, seen.total_error_high)]
    alt = f"Dots of the error of the total of {labels[model]} by group of customers, with 95 % intervals: "
    alt += f"{_spread(seen.segment, seen.total_error)}."
    alt += f" The interval leaves 0 out for: {_listed(out.segment)}." if len(out) else ""
    counts = {
        "segment": Column("Group"),
        "customers": Column("Customers", "customers"),
        "repeat_customers": Column("Bought again in calibration", "customers"),
        "actual": Column("In the holdout", "purchases"),
        "advice": Column("Advice"),
    }
    units = {
        column: Column(column.replace("_", " ").capitalize(), "purchases" if "gain" in column else "share")
        for column in frame.columns
        if column not in counts
    }
    return Figure(name, draw, alt, frame, counts | units)


def _drawable(name: str, place: int) -> str:
    """Return the user's name of a group as the font can write it, or else the place of the group."""
    from matplotlib.font_manager import findfont, get_font

    font = get_font(findfont("DejaVu Sans"))
    if not name.strip() or any(font.get_char_index(ord(letter)) == 0 for letter in name):
        return f"group {place + 1}"
    short = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
    return short.replace("$", r"\$")  # a pair of dollar signs would enclose a formula
