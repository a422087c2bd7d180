"""The sentences of the covariance model: its banner, and whether it agrees with PLS on what drives satisfaction."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import between, listed, number, percent, plain
from helpers.models.satisfaction_index.covariance_model.gate import NOTES, Finding

from ..measurement import Measurement
from .judgement import TEXTS

SURELY = 0.5  # share of draws in which a cause must come first to be named as the first
RESTS = "Index, importance and paths by PLS do not rest on it."


def warnings(result: Measurement) -> tuple[str, ...]:
    """Return the banner of a covariance model that its gate does not simply let pass."""
    found, judgement = result.covariance, result.judgement
    model = result.model.name
    if found.why_not:
        return (f"There is no covariance model (SEM) of {model}: {found.why_not}. {RESTS}",)
    if judgement.verdict == "inadmissible":
        doubts = [TEXTS[f.name].title.partition(" (")[0].lower() for f in _doubts(result) if f.severity == "cautions"]
        more = f" It asks for caution in {listed(doubts)} too." if doubts else ""
        return (
            f"The covariance model (SEM) of {model} must not be used: its gate (the checks before its paths) stops it. "
            f"{judgement.told(judgement.of('stops'))}{more} {RESTS} {_instead(result)}",
        )
    doubts = judgement.told(_doubts(result))
    return (f"The covariance model (SEM) is to be read with care. {doubts}",) if doubts else ()


def _doubts(result: Measurement) -> list[Finding]:
    """Return what asks for caution, or cannot be told, and is a fault of the model."""
    found = (*result.judgement.of("cautions"), *result.judgement.of("unknown"))
    return [finding for finding in found if finding.name not in NOTES]


def _instead(result: Measurement) -> str:
    """Offer the sparse model, with what its own gate says of it."""
    offered = result.sparse
    if offered is None:
        return "A model of fewer constructs may hold."
    if offered.verdict == "inadmissible":
        return "The sparse model (model=sparse) of these answers is stopped too."
    how = "passes its gate" if offered.verdict == "sound" else "is let pass with caution"
    return f"The sparse model (model=sparse) of these answers {how}."


def agreement(result: Measurement, effects: pd.DataFrame, leading: str) -> str:
    """Say whether the covariance model puts the same cause first as the opening does, as far as it can tell.

    Parameters
    ----------
    result : Measurement
    effects : pandas.DataFrame
        The table `agreement`.
    leading : str
        The construct that the opening names as first, in points of the indices.
    """
    if not result.covariance.estimated:
        return ""
    if result.judgement.verdict == "inadmissible":
        return (
            "Covariance SEM, the usual second opinion on causes, is **inadmissible for this model and these answers**: "
            "it decides nothing (see above)."
        )
    if effects.empty or not np.isfinite(effects[["pls", "ml"]]).all(axis=None):
        return ""
    how = "passes its gate" if result.judgement.verdict == "sound" else "is let pass with caution"
    return f"Covariance SEM, the second opinion, {how} ({_fits(result)}) and {_compared(effects, leading)}."


def _fits(result: Measurement) -> str:
    found = result.covariance
    if not found.structure.degrees_of_freedom:
        return "its fit cannot be tested: it has as many parameters as there are variances and covariances"
    indices = found.scaled if np.isfinite(found.scaled.cfi) else found.indices
    return f"CFI {number(float(indices.cfi), 3)}, RMSEA {number(float(indices.rmsea), 3)}"


def _compared(effects: pd.DataFrame, leading: str) -> str:
    by_pls, first = (effects.loc[effects[name].abs().idxmax()] for name in ("pls", "ml"))
    name, interval = plain(first.label), between(first.ml_low, first.ml_high, 2)
    numbers = f"{number(first.ml, 2)} standard deviations, {interval}"
    order = "" if len(effects) == 1 else f"; first in {percent(first.ml_first, 0)} of draws"
    if not (first.ml_low * first.ml_high > 0 and first.ml_first > SURELY):
        return f"cannot tell which cause matters most: {name} leads ({numbers}{order})"
    if first.ml * first.pls < 0:
        return f"contradicts PLS: it gives **{name}** the opposite sign ({numbers}, PLS {number(first.pls, 2)})"
    if first.construct == leading:
        return f"agrees that **{name} goes with satisfaction most** ({numbers}{order})"
    if first.construct == by_pls.construct:
        return (
            f"puts **{name}** first ({numbers}{order}), as PLS does in this unit ({number(by_pls.pls, 2)}): the order "
            "in points of the indices differs, since constructs spread differently"
        )
    other = f"PLS, in the same unit, {plain(by_pls.label)} ({number(by_pls.pls, 2)})"
    return f"puts **{name}** first ({numbers}{order}), {other}: the order rests on the method"


def comparability(result: Measurement) -> str:
    """Say how far segments and waves answer the questions alike, and so can be compared."""
    said = []
    for kind, found in result.comparability.items():
        if found.verdict == "differ":
            said.append(f"**No {kind} is set against another.** {plain(found.sentence)}")
        else:
            said.append(plain(found.brief))
    return " ".join(said)
