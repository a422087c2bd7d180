"""The respondents and the questionnaire, accounted for."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Table

from ..measurement import Measurement


def data_accounting(result: Measurement) -> Table:
    """From rows in the file to the respondents who count."""
    columns = {"step": Column("Step"), "respondents": Column("Respondents", digits=0), "reason": Column("Reason")}
    caption = "What became of every row of the file: the lines add up to the last."
    return Table("data_accounting", result.survey.accounting, caption, columns)


def items(result: Measurement) -> Table:
    """The questionnaire: what each item measures, who answered it, and how."""
    survey, model = result.survey, result.model
    home = {item: construct for construct, items in model.constructs.items() for item in items}
    spread = _spread(result)
    frame = survey.items.assign(
        construct=[home[item] for item in survey.items["item"]],
        mean=[np.average(shares.index, weights=shares) if len(shares) else np.nan for shares in spread.values()],
        standard_deviation=[_deviation(shares) for shares in spread.values()],
        share_lowest=[shares.get(survey.lowest, 0.0) for shares in spread.values()],
        share_highest=[shares.get(survey.highest, 0.0) for shares in spread.values()],
    )
    scale = f"{survey.lowest:g}-{survey.highest:g}"
    columns = {
        "item": Column("Item"),
        "label": Column("What it asks"),
        "construct": Column("Construct", names=model.labels),
        "answered": Column("Answered", "respondents", 0),
        "blank": Column("Blank", "respondents", 0),
        "declared_missing": Column("Don't know", "respondents", 0),
        "mean": Column("Mean", scale, 2),
        "standard_deviation": Column("Standard deviation", digits=2),
        "share_lowest": Column("Lowest answer", digits=1, percent=True),
        "share_highest": Column("Highest answer", digits=1, percent=True),
    }
    turned = (
        f" Turned, because a high answer is bad: {', '.join(sorted(model.reversed_items))}."
        if model.reversed_items
        else ""
    )
    caption = f"The items as answered by the {result.respondents:,} respondents who count, scale {scale}.{turned}"
    return Table("items", frame, caption, columns)


def answers(result: Measurement) -> pd.DataFrame:
    """Return how the answers of each item are spread: item, label, answer, share."""
    lines = [
        (item, result.named(item), float(answer), float(share))
        for item, shares in _spread(result).items()
        for answer, share in shares.items()
    ]
    return pd.DataFrame(lines, columns=["item", "label", "answer", "share"])


def _spread(result: Measurement) -> dict[str, pd.Series]:
    """Return by item the share of each answer, respondents counted by their survey weights."""
    weights, answers = result.survey.respondents["weight"], result.survey.answers
    sums = {item: weights.groupby(answers[item]).sum() for item in answers}
    return {item: summed / (summed.sum() or np.nan) for item, summed in sums.items()}


def _deviation(shares: pd.Series) -> float:
    if shares.empty:
        return np.nan
    mean = np.average(shares.index, weights=shares)
    return float(np.sqrt(np.average((shares.index - mean) ** 2, weights=shares)))


def model(result: Measurement) -> Table:
    """The model as its file states it: constructs, items, and what leads to what."""
    lines = []
    for construct, items in result.model.constructs.items():
        paths = [path for path in result.model.paths if path.source == construct]
        lines.append(
            {
                "construct": construct,
                "label": result.named(construct),
                "items": ", ".join(items),
                "leads_to": ", ".join(result.named(path.target) for path in paths if path.sign > 0),
                "lowers": ", ".join(result.named(path.target) for path in paths if path.sign < 0),
            }
        )
    columns = {
        "label": Column("Construct"),
        "items": Column("Items"),
        "leads_to": Column("Is expected to raise"),
        "lowers": Column("Is expected to lower"),
    }
    caption = f"The model {result.model.name}. {result.model.origin}."
    return Table("model", pd.DataFrame(lines), caption, columns)
