"""Commercial value: one score of four components, with its weights in the open."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Table, number, percent
from helpers.models.customer_portfolio.commercial_value import COMPONENTS

from ..measurement import Measurement

NAMES = {
    "existing": "现有价值 existing: margin so far less cost",
    "potential": "潜在价值 potential: margin ahead less cost",
    "influence": "影响价值 influence: net value of those brought",
    "learning": "学习价值 learning: feedback given",
}
SCHEMES = {
    "equal": "equal weights",
    "entropy": "entropy weights",
    **{name: f"{name} value alone" for name in COMPONENTS},
    "any": "any weights, drawn evenly",
}
MEASURES = {"rank_correlation": "rank correlation with the score", "top_kept": "of its top still in the top"}


def tables(result: Measurement) -> list[Table]:
    """Return what the score is made of, and how much it hangs on the weights."""
    return [commercial_value(result), weight_sensitivity(result)]


def commercial_value(result: Measurement) -> Table:
    """Say what each component weighs, what it decides, and what it is worth on average."""
    found, components = result.commercial, result.components
    people = (components != 0).sum(axis=0)
    # times the customers, the mean would be what these few brought
    few = (people > 0) & (people < result.settings.min_cell)
    frame = pd.DataFrame(
        {
            "component": COMPONENTS,
            "weight": found.weights,
            "contribution": found.contribution,
            "mean": np.where(few, np.nan, components.mean(axis=0)),
        }
    )
    columns = {
        "component": Column("Component", names=NAMES),
        "weight": Column("Weight", digits=2),
        "contribution": Column("Share of what tells customers apart", digits=1, percent=True),
        "mean": Column("Mean of a customer", result.currency, 2),
    }
    settings = result.settings
    chosen = "weights" if settings.weights else f"weighting={settings.weighting}"
    parts = [
        f"{number(len(result))} customers on {result.now.date}. The score is the weighted mean of the ranks in the "
        f"four components; the sources name no weights, so any are a choice ({chosen}). The share is of the "
        "variance of the score, and negative for a component that runs against the others. Each answer to the survey, "
        f"and each contact that tells the firm something ({', '.join(settings.feedback_kinds)}), counts as "
        f"{number(settings.value_of_feedback, 2)} {result.currency} (value_of_feedback: assumed). No interval: nothing "
        "here but the values themselves is estimated.",
        "A mean that so few make up that they could be told is not shown." if few.any() else "",
        "" if result.has("referrals") else "Influence is not known: set referrals.",
        found.problem,
    ]
    return Table("commercial_value", frame, " ".join(part for part in parts if part), columns)


def weight_sensitivity(result: Measurement) -> Table:
    """Say how far the score would change with its weights."""
    found = result.weight_sensitivity
    nothing = (np.nan, np.nan)
    lines = [("rank_correlation", scheme, value, *nothing) for scheme, value in found.correlation_with.items()]
    lines.append(("rank_correlation", "any", *vars(found.correlation).values()))
    if round(found.top * len(result)) >= result.settings.min_cell:
        lines.append(("top_kept", "any", *vars(found.kept).values()))
    frame = pd.DataFrame(lines, columns=["measure", "weights", "value", "low", "high"])
    columns = {
        "measure": Column("Measure", names=MEASURES),
        "weights": Column("Under", names=SCHEMES),
        "value": Column("Value, or mean", digits=2),
        "low": Column("95 % of weights from", digits=2),
        "high": Column("to", digits=2),
    }
    caption = (
        f"How the order of {number(len(result))} customers by commercial value would change with the weights; the top "
        f"is the highest {percent(found.top, 0)}. The ranges are of weights that one could choose, not of samples."
    )
    return Table("weight_sensitivity", frame, caption, columns)
