"""What the gate says of a covariance model, in words: what is wrong, where, and which conclusions fall."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from helpers.data.satisfaction_models import SatisfactionModel
from helpers.exhibits import listed, number
from helpers.models.satisfaction_index.covariance_model.gate import Distinctness, Finding, gate, verdict
from helpers.models.satisfaction_index.design import Design

from ..estimates import Estimate
from .estimation import CovarianceEstimate, estimate

MOST_NAMED = 4
OF_FIT = ("close_fit", "comparative_fit", "residual_fit")  # whose customs are told in hundredths
ORDER = ("stops", "cautions", "unknown", "holds")


@dataclass(frozen=True)
class Text:
    """What a check asks, and what follows where it does not hold.

    Parameters
    ----------
    title : str
    rule : str
        What has to hold.
    failing : str
        What is wrong, as the end of a sentence; {who}, {value}, {low}, {high} and {limit} are filled in.
    falls : str
        Which conclusions fall.
    stopping : str
        Which fall where it stops; "" for the same.
    """

    title: str
    rule: str
    failing: str
    falls: str
    stopping: str = ""


_ALL = "nothing that it says stands"
_PATHS = "its paths, effects and their order fall"
_ROUGH = "its errors and its test of fit are rough"
_HEYWOOD = "its loadings, paths and shares explained fall"
_LEFT_OUT = "paths may stand for what the model leaves out"
TEXTS: Mapping[str, Text] = {
    "respondents": Text(
        "Respondents",
        "more respondents than items, and 100 or more",
        "only {value} respondents count",
        _ROUGH,
        _ALL,
    ),
    "respondents_per_parameter": Text(
        "Respondents for each parameter",
        "5 or more (Bentler and Chou 1987)",
        "there are {value} respondents for each parameter, {limit} are wanted",
        _ROUGH,
    ),
    "constant_items": Text("Items that vary", "every item varies", "everyone answered {who} alike", _ALL),
    "dependent_items": Text(
        "Items that say something of their own",
        "no item follows from others",
        "{who} follows from the other items",
        _ALL,
    ),
    "sampling_adequacy": Text(
        "Sampling adequacy (KMO)",
        "items share enough: .6 or more (Kaiser 1974)",
        "items share little (KMO {value})",
        "constructs hardly stand for their items",
        "constructs do not stand for their items, and " + _ALL,
    ),
    "sphericity": Text(
        "Bartlett's test (p)",
        "chance does not explain the correlations: p below .05",
        "chance explains the correlations (p = {value})",
        "there is nothing to model",
    ),
    "normality": Text(
        "Normality (Mardia, p)",
        "answers are jointly normal: p of .05 or more; if not, only robust errors are right",
        "answers are not normal",
        "errors and chi-square of normal theory fall; the robust ones stand",
    ),
    "degrees_of_freedom": Text(
        "Degrees of freedom",
        "not fewer statistics than parameters",
        "there are fewer variances and covariances than parameters (degrees of freedom {value})",
        _ALL,
    ),
    "identification": Text(
        "Identification (rank)",
        "the answers determine every parameter",
        "the answers do not determine all parameters (rank {value} of {limit})",
        "other numbers fit as well, and " + _ALL,
    ),
    "convergence": Text(
        "Convergence (largest derivative)",
        "the search ended at an optimum",
        "the search did not end at an optimum",
        _ALL,
    ),
    "lost_resamples": Text(
        "Resamples without an optimum (share)",
        "at most 5 %",
        "{percent} % of the resamples have no optimum that is found",
        "intervals by resamples are too narrow",
    ),
    "item_variances": Text(
        "Residual variances of items",
        "above 0 by two standard errors (the value, where none is below 0)",
        "the residual variance of {who} is {state}",
        "what these items measure is in doubt",
        _HEYWOOD,
    ),
    "construct_variances": Text(
        "Variances of constructs and disturbances",
        "above 0 by two standard errors (the value, where none is below 0)",
        "{left}",
        "what acts there cannot be told apart",
        _HEYWOOD,
    ),
    "loading_signs": Text(
        "Signs of loadings",
        "the items of a construct load with one sign",
        "{who} loads against the other items of the construct",
        "the construct means the opposite of what it should, and its paths turn; name a reversed item under "
        "reversed_items in the model file",
    ),
    "standardised_loadings": Text(
        "Standardised loadings",
        "up to 1 in size",
        "{who} loads with more than 1 ({value})",
        "what these items measure is in doubt",
    ),
    "standardised_paths": Text(
        "Standardised paths",
        "up to 1 in size",
        "beyond 1 in size: {who} (up to {value})",
        "the causes of the same construct cannot be told apart, and " + _PATHS,
    ),
    "construct_covariance": Text(
        "Constructs that can exist together (smallest eigenvalue)",
        "their covariance is positive definite",
        "the constructs cannot exist together (smallest eigenvalue of their correlations {value})",
        _PATHS,
    ),
    "construct_correlations": Text(
        "Correlations of constructs",
        "below 1 in size",
        "{who} are one (correlation {value})",
        _PATHS,
    ),
    "discriminant_validity": Text(
        "Discriminant validity (HTMT)",
        "below .90, its interval below 1 (Henseler et al. 2015)",
        "{who} can{hardly} be told apart (HTMT up to {value}{interval})",
        "what one of them does rather than the other is in doubt",
        "what one of them does rather than the other falls",
    ),
    "exact_fit": Text(
        "Exact fit (p of chi-square)",
        "chance explains what the model leaves: p of .05 or more; large samples refuse every model",
        "it does not fit exactly",
        "it simplifies, as every model does",
    ),
    "close_fit": Text(
        "Close fit (RMSEA)",
        "its 90 % interval reaches .05, or at least .08",
        "it does not fit closely (RMSEA {value}{interval90})",
        _LEFT_OUT,
        _PATHS,
    ),
    "comparative_fit": Text(
        "Comparative fit (CFI)",
        "its interval reaches .95, or at least .90",
        "it leaves much unexplained (CFI {value})",
        _LEFT_OUT,
        _PATHS,
    ),
    "residual_fit": Text(
        "Residual fit (SRMR)",
        "up to .08, or at least .10",
        "it misses correlations (SRMR {value})",
        _LEFT_OUT,
        _PATHS,
    ),
}


@dataclass(frozen=True, eq=False)
class Judgement:
    """The gate's findings of one model, and how they read.

    Parameters
    ----------
    findings : tuple of Finding
    constructs, items : tuple of str
        As they read.
    """

    findings: tuple[Finding, ...]
    constructs: tuple[str, ...]
    items: tuple[str, ...]

    @cached_property
    def verdict(self) -> str:
        """Return "sound", "caution" or "inadmissible"."""
        return verdict(self.findings)

    @cached_property
    def ordered(self) -> tuple[Finding, ...]:
        """Return what stops first, then what cautions, what cannot be told, and what holds."""
        return tuple(sorted(self.findings, key=lambda finding: ORDER.index(finding.severity)))

    def of(self, severity: str) -> tuple[Finding, ...]:
        """Return the findings of a severity."""
        return tuple(finding for finding in self.findings if finding.severity == severity)

    def failing(self, finding: Finding) -> str:
        """Say what is wrong."""
        if finding.severity == "unknown":
            return f"{TEXTS[finding.name].title} cannot be told"
        return TEXTS[finding.name].failing.format(**self._filled(finding))

    def said(self, finding: Finding) -> str:
        """Say what is wrong and what follows; "" where the check holds."""
        if finding.severity == "holds":
            return ""
        text, words = self.failing(finding), TEXTS[finding.name]
        if finding.severity != "unknown":
            follows = words.stopping if finding.severity == "stops" else ""
            text += f": {follows or words.falls}"
        return f"{text[0].upper()}{text[1:]}."

    def told(self, findings: Iterable[Finding]) -> str:
        """Say what is wrong and what follows, together what follows from several."""
        by_consequence: dict[str, list[str]] = {}
        for finding in findings:
            falls = "" if finding.severity == "unknown" else TEXTS[finding.name].falls
            by_consequence.setdefault(falls, []).append(self.failing(finding))
        texts = ["; ".join(wrong) + (f": {falls}" if falls else "") for falls, wrong in by_consequence.items()]
        return " ".join(f"{text[0].upper()}{text[1:]}." for text in texts)

    def _filled(self, finding: Finding) -> dict[str, str]:
        known = np.isfinite(finding.low) and np.isfinite(finding.high)
        ends = f"{number(finding.low, 2)} to {number(finding.high, 2)}" if known else ""
        state = "negative or none" if finding.severity == "stops" else "within two standard errors of none"
        whole = float(finding.value).is_integer() and abs(finding.value) != 1
        return {
            "who": listed([self._named(place) for place in finding.where], MOST_NAMED),
            "value": number(finding.value, 0 if whole else 3 if finding.name in OF_FIT else 2),
            "percent": number(100 * finding.value),
            "limit": number(finding.limit, 0 if float(finding.limit).is_integer() else 2),
            "interval": f", 95 % interval {ends}" if known else "",
            "interval90": f", 90 % interval {ends}" if known else "",
            "state": state,
            "left": " and ".join(_left(kind, self._named_of(finding, kind), state) for kind in _kinds(finding)),
            "hardly": "not" if finding.severity == "stops" else " hardly",
        }

    def _named_of(self, finding: Finding, kind: str) -> str:
        return listed([self._named(place) for place in finding.where if place[0] == kind], MOST_NAMED)

    def _named(self, place: tuple) -> str:
        kind, *numbers = place
        if kind == "item":
            return f"“{self.items[numbers[0]]}”"
        names = [self.constructs[number_] for number_ in numbers]
        return {"path": " \N{RIGHTWARDS ARROW} ", "pair": " \N{EN DASH} "}.get(kind, "").join(names)


def _kinds(finding: Finding) -> list[str]:
    """Return which kinds of place a finding names, each once."""
    return list(dict.fromkeys(place[0] for place in finding.where))


def _left(kind: str, names: str, state: str) -> str:
    """Say that nothing is left of the variance of some constructs: of those with causes, once these are known."""
    of = f"the variance of {names}" if kind == "cause" else f"what is left of {names} once the causes are known"
    return f"{of} is {state}"


def judged(
    estimate: CovarianceEstimate, constructs: Sequence[str], items: Sequence[str], htmt: Estimate | None = None
) -> Judgement:
    """Put a covariance model through the gate.

    Parameters
    ----------
    estimate : CovarianceEstimate
    constructs, items : sequences of str
        As they read.
    htmt : Estimate, optional
        Heterotrait-monotrait ratios with their draws.
    """
    known, resamples = estimate.estimated, estimate.resamples
    distinctness = None if htmt is None else Distinctness(htmt.value, *htmt.interval())
    with np.errstate(invalid="ignore"):
        errors = np.sqrt(np.diagonal(estimate.robust_covariance)) if known else None
    found = gate(
        estimate.fit,
        indices=estimate.indices if known else None,
        scaled=estimate.scaled if known and np.isfinite(estimate.scaled.chi_square) else None,
        normality=estimate.normality,
        distinctness=distinctness,
        lost=None if resamples is None else resamples.lost,
        standard_error=errors,
    )
    if estimate.why_not:  # nothing was searched for
        found = tuple(finding for finding in found if finding.name != "convergence")
    return Judgement(found, tuple(constructs), tuple(items))


def sparse(
    values: np.ndarray,
    weights: np.ndarray,
    items: Sequence[str],
    model: SatisfactionModel,
    missing_answers: str,
    htmt: Estimate | None = None,
) -> Judgement:
    """Return what the gate says of another model of the same answers.

    Parameters
    ----------
    values : ndarray, shape (respondents, items)
    weights : ndarray, shape (respondents,)
    items : sequence of str
        Of the answers; all of the model's among them.
    model : SatisfactionModel
    missing_answers : {"two_stage", "listwise"}
    htmt : Estimate, optional
        Heterotrait-monotrait ratios of its constructs with their draws.
    """
    design = Design.of(model.constructs, ((path.source, path.target) for path in model.paths))
    values = values[:, [items.index(item) for item in model.items]]
    constructs = tuple(model.constructs)
    found = estimate(values, weights, design, constructs, model.items, missing_answers)
    labels = ([model.labels[name] for name in names] for names in (constructs, model.items))
    return judged(found, *labels, htmt)
