"""Which model to believe, and whether it beats a rule that needs none: a rule written down, applied to the scores.

0. With fewer than `FEWEST_BUYERS` customers who bought in the holdout nothing is recommended.
1. A model is a candidate when its fit converged, or ended at a limit of the model: its parameters are then not
   identified, and it is marked, but its predictions are judged like any other.
2. Of the candidates the one with the smallest root mean squared error of purchases in the holdout leads. Every
   other stays whose error cannot be told from the leader's (the 95 % interval of the paired difference holds 0).
3. Of those that stay, the one with the lowest AIC is recommended; among several within `CLOSE_AIC` of the lowest,
   the one whose holdout total is nearest to what was bought.
4. For each purpose the recommended model is set against the naive rule that did best at it on the same holdout. It is
   better, or worse, when the 95 % interval of the paired difference leaves 0 out; otherwise they cannot be told apart.
   Choosing the best rule after the fact favours the rules, so "better" is said with care.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from helpers.models.lifetime_value.scores import Scores

from .split import NAIVE, Split

FEWEST_BUYERS = 10  # in the holdout; with fewer, resamples of the customers say little of other customers
CLOSE_AIC = 2.0  # Burnham & Anderson (2002): models this close have substantial support all the same


# Measures of which less is better, whatever the sign; of all others more is.
ERRORS = ("total_error", "rmse", "mae", "bias", "activity_brier")
ERRORS += tuple(f"{measure}_spend" for measure in ERRORS[:4])

# What a prediction is for, and the measure that says how well it serves.
PURPOSES = {
    "total": ("How much will they buy in all?", "total_error"),
    "each": ("How much will each buy?", "rmse"),
    "ranking": ("Who will buy most often?", "gini_purchases"),
    "spending": ("Who will spend most?", "gini_spend"),
    "activity": ("Who will buy at all?", "activity_accuracy"),
}


class Scored(Protocol):
    """Whatever has scores: a split, or a group of its customers."""

    scores: Scores


@dataclass(frozen=True)
class Verdict:
    """The recommended model beside the best naive rule, for one purpose.

    Parameters
    ----------
    purpose : str
        A key of `PURPOSES`.
    model, rival : str
        The methods.
    value, rival_value : float
        Their scores.
    difference, low, high : float
        Of the model less the rival, on the same resamples.
    """

    purpose: str
    model: str
    rival: str
    value: float
    rival_value: float
    difference: float
    low: float
    high: float

    @property
    def word(self) -> str:
        """Return "better", "worse" or "open"."""
        if not (np.isfinite(self.low) and np.isfinite(self.high)):
            return "open"
        sign = -1 if PURPOSES[self.purpose][1] in ERRORS else 1
        if self.low > 0 or self.high < 0:
            return "better" if sign * self.difference > 0 else "worse"
        return "open"


@dataclass(frozen=True)
class Recommendation:
    """What the rule says of one split.

    Parameters
    ----------
    model : str
        The recommended model; "" when there is no candidate, or nothing to judge by.
    candidates, standing : tuple of str
        The models after step 1 and after step 2.
    reason : str
        How the model was found, or why there is none.
    verdicts : tuple of Verdict
        By purpose, where the scores are defined.
    surpassed : dict of str to tuple of str
        Purpose -> the other candidates that serve it better than the recommended model by more than chance explains.
    """

    model: str
    candidates: tuple[str, ...]
    standing: tuple[str, ...]
    reason: str
    verdicts: tuple[Verdict, ...] = ()
    surpassed: dict[str, tuple[str, ...]] = field(default_factory=dict)


def recommend(split: Split, labels: dict[str, str]) -> Recommendation:
    """Apply the rule of this module to a split.

    Parameters
    ----------
    split : Split
    labels : dict of str to str
        Names of the methods as they are written.
    """
    candidates = tuple(model for model, fit in split.fits.items() if fit.converged or fit.unidentified)
    if not candidates:
        return Recommendation("", (), (), "no model could be fitted")
    buyers = int((split.customers.holdout_purchases > 0).sum())
    if buyers < FEWEST_BUYERS:
        few = "nobody" if not buyers else f"only {buyers} customer{'s' if buyers > 1 else ''}"
        why = f"{few} bought in the holdout, and at least {FEWEST_BUYERS} buyers are needed to judge by"
        return Recommendation("", candidates, (), why)
    leader = min(candidates, key=lambda model: split.scores.value(model, "rmse"))
    standing = tuple(model for model in candidates if model == leader or not _ahead(split, leader, model, "rmse"))
    aic = {model: split.fits[model].aic for model in standing}
    close = [model for model in standing if aic[model] <= min(aic.values()) + CLOSE_AIC]
    chosen = min(close, key=lambda model: abs(split.scores.value(model, "total_error")))
    verdicts = [verdict_on(split, chosen, purpose) for purpose in PURPOSES]
    return Recommendation(
        chosen,
        candidates,
        standing,
        _reason(chosen, leader, candidates, standing, close, labels),
        tuple(verdict for verdict in verdicts if verdict is not None),
        _surpassed(split, chosen, candidates),
    )


def _ahead(split: Split, model: str, other: str, measure: str) -> bool:
    """Say whether a model does better than another at a measure by more than chance explains."""
    if not {(model, measure), (other, measure)} <= set(split.scores.values):
        return False
    _, low, high = difference(split, model, other, measure)
    return bool(high < 0 if measure in ERRORS else low > 0)


def _surpassed(split: Split, chosen: str, candidates: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    ahead = {
        purpose: tuple(model for model in candidates if model != chosen and _ahead(split, model, chosen, measure))
        for purpose, (_, measure) in PURPOSES.items()
    }
    return {purpose: models for purpose, models in ahead.items() if models}


def _reason(
    chosen: str,
    leader: str,
    candidates: tuple[str, ...],
    standing: tuple[str, ...],
    close: list[str],
    labels: dict[str, str],
) -> str:
    if len(candidates) == 1:
        return "it is the only model that could be fitted"
    if len(standing) == 1:
        return "its errors in the holdout are smaller than those of every other model by more than chance explains"
    first = (
        "its errors in the holdout are the smallest"
        if chosen == leader
        else f"its errors in the holdout cannot be told from the smallest, those of {labels[leader]}"
    )
    if len(close) == 1:
        return f"{first}, and of the models of which that holds it has the lowest AIC"
    return f"{first}, and of the models of lowest AIC its total came nearest"


def verdict_on(split: Scored, model: str, purpose: str) -> Verdict | None:
    """Set a model against the naive rule that does best for a purpose; None where nothing can be compared."""
    measure = PURPOSES[purpose][1]
    rival = best_rule(split, measure)
    if not rival or not np.isfinite(split.scores.values.get((model, measure), np.nan)):
        return None
    values = [split.scores.value(method, measure) for method in (model, rival)]
    return Verdict(purpose, model, rival, *values, *difference(split, model, rival, measure))


def best_rule(split: Scored, measure: str) -> str:
    """Return the naive rule that does best at a measure; "" where none has it."""
    values = {rule: split.scores.values.get((rule, measure), np.nan) for rule in NAIVE}
    loss = {rule: abs(value) if measure in ERRORS else -value for rule, value in values.items() if np.isfinite(value)}
    return min(loss, key=loss.get, default="")


def difference(split: Scored, model: str, rival: str, measure: str) -> tuple[float, float, float]:
    """Return the measure of a model less that of a rival, with its interval; errors without their sign."""
    return split.scores.difference(model, rival, measure, absolute=measure in ERRORS)
