"""What single items say without any model: top boxes, the net promoter score, perceptions against expectations."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.data.satisfaction_survey import Survey
from helpers.exhibits import Column, Table
from helpers.models.satisfaction_index.ratings import expectation_gap, net_promoter, top_share

from ..measurement import Measurement
from .parts import interval_columns

MOST_ANSWERS = 11  # of a scale whose highest answers are boxes


def ratings(result: Measurement) -> Table:
    """Mean and top boxes of the items of satisfaction and loyalty, and the net promoter score where one asks for it."""
    survey, weights, lines = result.survey, result.weights_of_respondents, []
    for target in result.targets:
        for item in result.model.constructs[result.constructs[target]]:
            answers = survey.answers[item].to_numpy(float)
            lines.append((item, "mean", "answer points", *_mean(answers, weights)))
            for boxes in _boxes(survey):
                share = top_share(answers, survey.highest, boxes, weights)
                numbers = (share.value, share.low, share.high)
                lines.append((item, f"top_{boxes}_box", "%", *(100 * float(number) for number in numbers)))
    promoter = net_promoter_score(result)
    if promoter:
        numbers = (promoter.value, promoter.low, promoter.high)
        lines.append((result.model.recommend_item, "net_promoter_score", "points", *numbers))
    frame = pd.DataFrame(lines, columns=["item", "measure", "unit", "value", "low", "high"])
    frame.insert(1, "label", [result.named(item) for item in frame["item"]])
    highest, scale = survey.highest, f"{survey.lowest:g} to {survey.highest:g}"
    names = {
        "mean": "mean answer",
        "top_2_box": f"top 2 boxes ({highest - 1:g}-{highest:g})",
        "top_3_box": f"top 3 boxes ({highest - 2:g}-{highest:g})",
        "net_promoter_score": "net promoter score",
    }
    columns = {
        "item": Column("Item"),
        "label": Column("What it asks"),
        "measure": Column("Measure", names=names),
        "value": Column("Value", digits=1),
        **interval_columns("95 %"),
        "unit": Column("Unit"),
    }
    caption = f"Means, and shares of those who answered with Wilson intervals; scale {scale}."
    if promoter:
        parts = f"from {promoter.promoters_from} less answers up to {promoter.detractors_to}"
        caption += f" Net promoter score: answers {parts}, in points."
    if promoter and survey.lowest != 0:
        caption += f" It was asked from {scale} and not from 0 to 10, so it does not compare with published scores."
    return Table("ratings", frame, caption, columns)


def _boxes(survey: Survey) -> list[int]:
    """Return how many of the highest answers make a box: no more than half of them all, on a scale of few answers."""
    answers = survey.highest - survey.lowest + 1
    return [boxes for boxes in (2, 3) if boxes <= answers / 2 - (boxes == 3) and answers <= MOST_ANSWERS]


def _mean(answers: np.ndarray, weights: np.ndarray) -> tuple[float, float, float]:
    known = np.isfinite(answers)
    if not known.any():
        return (np.nan,) * 3
    answers, weights = answers[known], weights[known]
    mean = np.average(answers, weights=weights)
    size = weights.sum() ** 2 / (weights**2).sum()
    error = np.sqrt(np.average((answers - mean) ** 2, weights=weights) / max(size - 1, 1))
    return float(mean), float(mean - 1.96 * error), float(mean + 1.96 * error)


def net_promoter_score(result: Measurement):
    """Return the net promoter score, None where no item asks for it or its scale is too short."""
    item, survey = result.model.recommend_item, result.survey
    if not item or not survey.answers[item].notna().any():
        return None
    try:
        answers = survey.answers[item].to_numpy(float)
        return net_promoter(answers, survey.lowest, survey.highest, result.weights_of_respondents)
    except ValueError:
        return None


def gaps(result: Measurement) -> Table:
    """Perceptions less expectations, item by item."""
    pairs = [pair for pair in result.model.gaps if not set(pair) & set(result.unusable)]
    if result.model.gaps and not pairs:
        why = "No pair of expectation and perception (gaps) has answers that differ on both items."
        return Table.nothing("gaps", why)
    if not pairs:
        return Table.nothing("gaps", "The model file pairs no item of expectation with one of perception (gaps).")
    answers, lines = result.survey.answers, []
    outcome = result.outcome.of_respondents(result.answers.values)
    for expected, perceived in pairs:
        gap = expectation_gap(
            answers[expected].to_numpy(float),
            answers[perceived].to_numpy(float),
            outcome,
            result.weights_of_respondents,
        )
        lines.append(
            {
                "expected": expected,
                "perceived": perceived,
                "label": f"{result.named(perceived)} \N{MINUS SIGN} {result.named(expected)}",
                "respondents": gap.respondents,
                "gap": gap.mean,
                "low": gap.low,
                "high": gap.high,
                "standard_deviation": gap.standard_deviation,
                "correlation": gap.correlation,
                "correlation_low": gap.correlation_low,
                "correlation_high": gap.correlation_high,
            }
        )
    columns = {
        "label": Column("Perceived less expected"),
        "respondents": Column("Respondents", digits=0),
        "gap": Column("Gap", "answer points", 2),
        **interval_columns("95 %", digits=2),
        "standard_deviation": Column("Standard deviation", digits=2),
        "correlation": Column("Correlation with satisfaction", digits=2),
        "correlation_low": Column("95 % low, correlation", digits=2),
        "correlation_high": Column("95 % high, correlation", digits=2),
    }
    caption = (
        "Gaps between what was expected, as remembered, and what was perceived, and how they go with "
        f"{result.named(result.outcome.name)}."
    )
    return Table("gaps", pd.DataFrame(lines), caption, columns)
