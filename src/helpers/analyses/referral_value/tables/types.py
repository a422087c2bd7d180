"""Who would have come anyway: what tells the types of referrals, and whether it tells more than their share."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Table, between, number
from helpers.models.referral_value.type_model import EVENTS_PER_COLUMN, FOLDS

from ..known import MEANINGS
from ..measurement import Measurement

DIGITS = 3


def found(result: Measurement) -> str:
    """Say whether the types can be told, a sentence."""
    evidence = result.evidence
    if not result.type_one_share.known:
        return "No referral has a known type, so there is nothing to learn from."
    if evidence.model is None:
        return (
            f"Too few referrals have a known type for a model of it: that takes {evidence.needed} of the rarer type "
            f"({EVENTS_PER_COLUMN} for each column) and {FOLDS} customers who brought them."
        )
    score = evidence.log_loss
    difference = (
        f"{number(score.difference.value, DIGITS)}, {between(score.difference.low, score.difference.high, DIGITS)}"
    )
    beats = "beats" if evidence.is_better else "does not beat"
    return f"A model of the type {beats} their share on referrals that it has not seen (difference {difference})."


def type_scores(result: Measurement) -> Table:
    """Set the model of the types against the share of type one, on referrals that neither has seen."""
    if result.untold or result.evidence.log_loss is None:
        return Table.nothing("type_scores", result.untold or found(result))
    scores = {"log_loss": result.evidence.log_loss, "brier": result.evidence.brier}
    lines = [
        (name, score.model, score.share, score.difference.value, score.difference.low, score.difference.high)
        for name, score in scores.items()
    ]
    frame = pd.DataFrame(lines, columns=["measure", "model", "share", "difference", "low", "high"])
    columns = {
        "measure": Column("Mean loss, smaller is better", names={"log_loss": "log loss", "brier": "Brier score"}),
        "model": Column("Model", digits=DIGITS),
        "share": Column("Share", digits=DIGITS),
        "difference": Column("Model less share", digits=DIGITS),
        "low": Column("95 % low", digits=DIGITS),
        "high": Column("95 % high", digits=DIGITS),
    }
    caption = (
        f"{found(result)} {_taken(result)} Judged by {FOLDS}-fold cross-validation over referrers, of whose referrals "
        "all stand in one fold. The model is taken where the interval of the difference of log losses lies below 0."
    )
    return Table("type_scores", frame, caption, columns)


def type_model(result: Measurement) -> Table:
    """Show what makes a referee more or less probably one who would not have come otherwise."""
    if result.untold or result.evidence.model is None:
        return Table.nothing("type_model", result.untold or found(result))
    slopes, evidence = result.evidence.model.slopes, result.evidence
    lines = np.full((len(MEANINGS), 3), np.nan)
    lines[evidence.used] = np.column_stack([slopes.value, slopes.low, slopes.high])
    frame = pd.DataFrame(lines, columns=["coefficient", "low", "high"])
    frame.insert(0, "column", list(MEANINGS))
    frame.insert(1, "unit", [unit or result.currency for _, unit in MEANINGS.values()])
    columns = {
        "column": Column("Of each referral", names={name: what for name, (what, _) in MEANINGS.items()}),
        "unit": Column("For 1"),
        "coefficient": Column("Change of the log odds", digits=DIGITS),
        "low": Column("95 % low", digits=DIGITS),
        "high": Column("95 % high", digits=DIGITS),
    }
    caption = (
        "Logistic regression of type one (would not have joined otherwise) on what is known when the referee comes, "
        "all columns together; no value where a column is the same for all. It says what goes together, not what would "
        "change if something were done otherwise."
    )
    if not evidence.is_better:
        caption += " As the model does not beat the share, an interval that leaves out 0 may be chance."
    return Table("type_model", frame, caption, columns)


def _taken(result: Measurement) -> str:
    if not result.unknown_types:
        return "The file states every type, so nothing hangs on it."
    what = "The model" if result.is_modelled else "The share" if result.takes_share else "What was set"
    return f"{what} is taken for the {number(result.unknown_types)} referrals whose type is not stated."
