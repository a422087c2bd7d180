"""What moves satisfaction and loyalty: importance beside performance, paths, levers and drivers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Table
from helpers.models.satisfaction_index.drivers import ExtremeAnswers, kinds
from helpers.models.satisfaction_index.ratings import extremes

from ..estimates import Estimate, resample
from ..measurement import Measurement
from .covariance import path_rows
from .parts import ESTIMATOR, KINDS, POINTS, QUADRANTS, bounds, directions, interval_columns, path_row

FEWEST_CAUSES = 3
FEWEST_EXTREME = 10  # respondents who must answer low, between and high before a penalty or reward is told
NO_DRIVERS = "No item can be asked what it explains: none that leads to satisfaction has answers that differ."


def importance_performance(result: Measurement) -> Table:
    """Total effect of each construct on satisfaction and on loyalty, beside its own index."""
    frames = [_importance(result, target) for target in result.targets]
    columns = {
        "target_label": Column("Of"),
        "label": Column("Construct"),
        "importance": Column("Importance", "points per point", 3),
        "importance_low": Column("95 % low", digits=3),
        "importance_high": Column("95 % high", digits=3),
        "performance": Column("Performance", POINTS, 1),
        "performance_low": Column("Performance, 95 % low", digits=1),
        "performance_high": Column("Performance, 95 % high", digits=1),
        "quadrant": Column("Quadrant", names=QUADRANTS),
        "quadrant_share": Column("Resamples in that quadrant", digits=0, percent=True),
    }
    caption = (
        "Importance: by how many points the target's index differs, all paths together, where the construct's index "
        "differs by one. Performance: the construct's own index. Quadrants are parted at the means of the constructs "
        f"shown; of fewer than {FEWEST_CAUSES} constructs the means say nothing and none is named."
    )
    return Table("importance_performance", pd.concat(frames, ignore_index=True), caption, columns)


def _importance(result: Measurement, target: int) -> pd.DataFrame:
    """Return importance and performance of every construct that acts on a target."""
    acting = [number for number in range(len(result.constructs)) if _reaches(result, number, target)]
    importance, performance = result["points"][acting, target], _performances(result, acting)
    (low, high), (worse, better) = (part.interval(result.settings.interval) for part in (importance, performance))
    lowers = high < 0
    found = _quadrant(importance.value, performance.value, lowers)
    finite = np.isfinite(importance.draws).all(axis=1)
    drawn = _quadrant(importance.draws[finite], performance.draws[finite], lowers)
    known = len(acting) >= FEWEST_CAUSES and np.isfinite(importance.value).all() and finite.any()
    return pd.DataFrame(
        {
            "target": result.constructs[target],
            "target_label": result.named(result.constructs[target]),
            "construct": [result.constructs[number] for number in acting],
            "label": [result.named(result.constructs[number]) for number in acting],
            "importance": importance.value,
            "importance_low": low,
            "importance_high": high,
            "performance": performance.value,
            "performance_low": worse,
            "performance_high": better,
            "lowers": lowers,
            "quadrant": found if known else None,
            "quadrant_share": (drawn == found).mean(axis=0) if known else np.nan,
        }
    )


def _performances(result: Measurement, constructs: list[int]) -> Estimate:
    parts = [result.index(0, number) for number in constructs]
    names = ("value", "draws", "left_out")
    return Estimate(*(np.stack([getattr(part, name) for part in parts], axis=-1) for name in names))


def _quadrant(importance: np.ndarray, performance: np.ndarray, lowers: np.ndarray) -> np.ndarray:
    """Return the quadrant of each construct, parted at the means over the constructs (the last axis).

    Of a construct that surely lowers the target, less is better.
    """
    importance, performance = np.abs(importance), np.where(lowers, 100 - performance, performance)
    important = importance >= importance.mean(axis=-1, keepdims=True)
    strong = performance >= performance.mean(axis=-1, keepdims=True)
    return np.select(
        [important & ~strong, important & strong, ~important & ~strong], list(QUADRANTS)[:3], list(QUADRANTS)[3]
    )


def _reaches(result: Measurement, source: int, target: int) -> bool:
    """Return whether one construct acts on another along any way, whatever its strength."""
    reached, new = set(), {source}
    while new:
        new = set(np.flatnonzero(result.design.paths[list(new)].any(axis=0)).tolist()) - reached
        reached |= new
    return target in reached


def item_levers(result: Measurement) -> Table:
    """What one point more on an item does to the index of satisfaction."""
    target = result.satisfaction
    home, span = result.design.block, result.survey.highest - result.survey.lowest
    acting = [item for item, block in enumerate(home) if _reaches(result, block, target)]
    weights, points = result["shown_weights"][acting], result["points"][home[acting], target]
    lift = Estimate(
        *(100 / span * getattr(weights, name) * getattr(points, name) for name in ("value", "draws", "left_out"))
    )
    low, high = lift.interval(result.settings.interval)
    names = [result.items[item] for item in acting]
    frame = pd.DataFrame(
        {
            "item": names,
            "label": [result.named(name) for name in names],
            "construct": [result.constructs[home[item]] for item in acting],
            "mean": result.moments.mean[acting],
            "weight": weights.value,
            "lift": lift.value,
            "low": low,
            "high": high,
        }
    ).sort_values("lift", ascending=False, ignore_index=True)
    scale = f"{result.survey.lowest:g}-{result.survey.highest:g}"
    columns = {
        "item": Column("Item"),
        "label": Column("What it asks"),
        "construct": Column("Construct", names=result.model.labels),
        "mean": Column("Mean answer", scale, 2),
        "weight": Column("Weight in its construct", digits=3),
        "lift": Column("One answer point more moves satisfaction by", "points", 2),
        **interval_columns("95 %", "points", 2),
    }
    caption = (
        "By how much satisfaction's index differs, by the model, where the mean answer to an item is one point higher "
        "and all else follows as it does between respondents today: an association, not an experiment. What is "
        "expected before a purchase cannot be raised like what is delivered."
    )
    return Table("item_levers", frame, caption, columns)


def paths(result: Measurement) -> Table:
    """Path coefficients with their intervals and the test of the direction that was expected."""
    lines = []
    for path in result.model.paths:
        place = tuple(result.constructs.index(name) for name in (path.source, path.target))
        estimate = result["paths"][place]
        low, high = bounds(result, estimate)
        value, error = float(estimate.value), float(estimate.standard_error)
        lines.append(path_row(result, path, ESTIMATOR, value, value, error, low, high))
    frame = directions(pd.DataFrame(lines))
    columns = {
        "source_label": Column("From"),
        "target_label": Column("To"),
        "estimate": Column("Path", "standardised", 3),
        "standard_error": Column("Standard error", digits=3),
        **interval_columns("95 %", digits=3),
        "expected": Column("Expected sign"),
        "p_one_sided_holm": Column("p, one-sided, Holm", digits=3),
        "verdict": Column("Direction"),
    }
    caption = (
        "Direct effects, standardised, of the PLS path model, with the one-sided test (bootstrap standard error) of "
        "the sign that the model "
        f'expects, corrected for {len(frame)} paths (Holm). "Not supported" means that chance explains it as well. '
        "The file has the paths of the covariance model too."
    )
    return Table("paths", pd.concat([frame, path_rows(result)], ignore_index=True), caption, columns, frame)


def drivers(result: Measurement) -> Table:
    """Each item's share in explaining overall satisfaction."""
    if "explained" not in result.estimates:
        return Table.nothing("drivers", NO_DRIVERS)
    estimate = result["explained"]
    low, high = estimate.interval(result.settings.interval)
    names = [result.items[item] for item in result.outcome.drivers]
    place = result.outcome.drivers
    with_outcome = result.moments.covariance @ result.outcome.weights
    with np.errstate(invalid="ignore"):  # nothing may be explained at all
        of_explained = estimate.value / estimate.value[-1]
    simple = with_outcome[place] / (result.moments.deviation[place] * np.sqrt(with_outcome @ result.outcome.weights))
    frame = pd.DataFrame(
        {
            "item": [*names, ""],
            "label": [*(result.named(name) for name in names), "All together (R\N{SUPERSCRIPT TWO})"],
            "share": estimate.value,
            "low": low,
            "high": high,
            "share_of_explained": of_explained,
            "squared_correlation": [*simple**2, np.nan],
            "measure": [*("share" for _ in names), "r_squared"],
        }
    ).sort_values(["measure", "share"], ascending=[False, False], ignore_index=True, kind="stable")
    columns = {
        "item": Column("Item"),
        "label": Column("What it asks"),
        "share": Column("Share of the variance", digits=1, percent=True),
        **interval_columns("95 %", percent=True),
        "share_of_explained": Column("Of what is explained", digits=1, percent=True),
        "squared_correlation": Column("By itself (squared correlation)", digits=1, percent=True),
    }
    caption = (
        f"What explains {result.named(result.outcome.name)}: each item's part of R\N{SUPERSCRIPT TWO}, averaged over "
        "all orders in which items can enter a regression (LMG, Shapley). Beside it the naive rule, each item's own "
        "squared correlation."
    )
    return Table("drivers", frame, caption, columns)


def penalty_reward(result: Measurement) -> Table:
    """What low and high answers to each driver go with."""
    names = [result.items[item] for item in result.outcome.drivers]
    if not names:
        return Table.nothing("penalty_reward", NO_DRIVERS)
    low, high = extremes(result.survey.lowest, result.survey.highest)
    answers = result.answers.values
    outcome = result.outcome.of_respondents(answers)
    extreme_answers = ExtremeAnswers.of(answers[:, result.outcome.drivers], outcome, low, high)

    def statistics(counts: np.ndarray) -> dict[str, np.ndarray]:
        found = extreme_answers.estimate(counts)
        return {"penalty": found.penalty, "reward": found.reward, "contrast": found.contrast}

    found = resample(statistics, result.survey, result.settings, "penalty and reward")
    intervals = {name: estimate.interval(result.settings.interval) for name, estimate in found.items()}
    frame = pd.DataFrame({"item": names, "label": [result.named(name) for name in names]})
    answered = extreme_answers.estimate()
    frame["low_answers"], frame["high_answers"] = answered.low_answers.astype(int), answered.high_answers.astype(int)
    between = extreme_answers.known.sum() - answered.low_answers - answered.high_answers
    few = np.minimum(np.minimum(answered.low_answers, answered.high_answers), between) < max(
        FEWEST_EXTREME, result.settings.min_cell
    )
    for name, estimate in found.items():
        numbers = (estimate.value, *intervals[name])
        frame[name], frame[f"{name}_low"], frame[f"{name}_high"] = (np.where(few, np.nan, part) for part in numbers)
    read = kinds(intervals["penalty"], intervals["reward"], intervals["contrast"])
    frame["kind"] = np.where(few, "cannot_tell", read)
    columns = {
        "item": Column("Item"),
        "label": Column("What it asks"),
        "penalty": Column("A low answer goes with", "answer points", 2),
        "penalty_low": Column("95 % low, penalty", digits=2),
        "penalty_high": Column("95 % high, penalty", digits=2),
        "reward": Column("A high answer goes with", "answer points", 2),
        "reward_low": Column("95 % low, reward", digits=2),
        "reward_high": Column("95 % high, reward", digits=2),
        "kind": Column("Reads as", names=KINDS),
    }
    caption = (
        f"Penalty-reward contrast on {result.named(result.outcome.name)}: what a low answer (up to {low:g}) and a high "
        f"one (from {high:g}) go with, against answers between, the other items held. Basic or attractive: one effect "
        "is beyond 0, and larger than the other beyond chance; one-dimensional: both are beyond 0 and cannot be told "
        f"apart; all else cannot be told, nor can it with fewer than {FEWEST_EXTREME} such answers. Ratings of one "
        "moment, coarse cuts, no causes: a hint at must-be and attractive requirements, not Kano's questionnaire."
    )
    return Table("penalty_reward", frame, caption, columns)
