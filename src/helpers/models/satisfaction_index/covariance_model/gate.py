"""Whether a fitted covariance model may be believed: checks that say what is wrong, where, and how badly.

A check *stops* when what the model says cannot be so, or is surely far from the answers; it *cautions* when what it
says may not be so; what cannot be judged is *unknown*. In order, with what falls when the check does not hold:

- `respondents`: more than there are items, or no covariance matrix has an inverse (all falls); 100 or more, below
  which improper solutions are common (Boomsma 1985, Psychometrika 50, 229-242): errors, tests and fit are rough. They
  are the size of the sample; where answers are weighted, that should be their effective number (Kish 1965).
- `respondents_per_parameter`: at least 5 (Bentler and Chou 1987, Sociological Methods and Research 16, 78-117), else
  errors, tests and fit may be rough: a rule of thumb, which says nothing against the model.
- `constant_items`: none; a model with an item that everyone answered alike has no likelihood: all falls.
- `dependent_items`: none that others determine (the same question twice): all falls.
- `sampling_adequacy`: Kaiser, Meyer and Olkin's measure at least .6; below .5 items share too little for constructs to
  stand for them (Kaiser 1974, Psychometrika 39, 31-36): all falls.
- `sphericity`: Bartlett's test that no item has to do with another refuses that: otherwise there is nothing to model.
- `normality`: Mardia's tests; if they refuse it, errors, intervals and the chi-square of normal theory fall, robust or
  resampled ones stand. No fault of the model.
- `degrees_of_freedom`: not fewer statistics than parameters: otherwise all falls. 0 is enough, but then any answers
  fit: there is nothing to refute, and the four checks of fit are left out.
- `identification`: the information has full rank: otherwise other parameters fit as well, and all falls.
- `convergence`: the search ended at an optimum: otherwise all falls, and what depends on the solution is unknown.
- `lost_resamples`: at most 5 % of the resamples had no optimum: otherwise resampled errors and intervals are of those
  that did, and too narrow.
- `item_variances`, `construct_variances`: of residuals, and of constructs or their disturbances: positive, and more
  than a millionth of the whole (Heywood case): otherwise loadings, paths and shares explained fall. Within two
  standard errors of 0 it may be none, and what they say of that item or construct is in doubt.
- `standardised_loadings`, `standardised_paths`: not beyond 1 in size: otherwise the sources of that target, and their
  importance, cannot be told apart.
- `loading_signs`: of the items of one construct all the same. Where items surely load against the others (loadings of
  both signs more than two standard errors from 0), they were asked or coded the other way round: index, weights and
  reliability of the construct fall, and if it is the first item, the signs of all its paths. Else they may have
  nothing to do with the others, and what they measure is in doubt.
- `construct_covariance`: positive definite; `construct_correlations`: below 1 in size: otherwise these constructs
  cannot exist together, and all paths fall.
- `discriminant_validity`: the heterotrait-monotrait ratio of every two constructs below .90 (Henseler, Ringle and
  Sarstedt 2015). From .90, or with an interval that reaches 1, two constructs may be one: what one of them does rather
  than the other is in doubt; from 1, or with an interval wholly from .90, they are: it falls.
- `exact_fit`: the chi-square test. Large samples refuse every model: no fault by itself.
- `close_fit`: the 90 % interval of the RMSEA reaches .05 (close fit; Browne and Cudeck 1993, in Bollen and Long,
  Testing Structural Equation Models) or, else, .08 (reasonable).
- `comparative_fit`: the CFI, or the upper end of the interval that the RMSEA's makes for it, reaches .95 (Hu and
  Bentler 1999, Structural Equation Modeling 6, 1-55) or, else, .90 (Bentler and Bonett 1980, Psychological Bulletin
  88, 588-606).
- `residual_fit`: the SRMR is at most .08 (Hu and Bentler 1999), or else .10 (where chance does not explain it: the
  chi-square test refuses the model too). All three are conventions: below the first the model misses something
  and paths may take its place; below the second it contradicts the answers, and paths fall.

Fit stops only where it is bad beyond what chance explains, since few respondents alone lower it. How often the gate is
wrong was simulated: 4 constructs, 3 items each, loadings of .75, 250 respondents. Of sound models with ratios up to .6
no one in a hundred had a finding, up to .8 two in a hundred (at 150, seven; with loadings of .6 half of them, since
ratios are then known to about .1). Of models with two constructs in fact one, none passed as sound and 95 in a hundred
stopped; with a residual variance or a disturbance of 0, two to four in a hundred passed and half stopped, the others
being cautioned: an estimate of nothing is negative half of the time. Whole numbers from 1 to 10, robust errors and
indices, and ratios with intervals change little: ECSI's 7 constructs and 24 items (loadings of .75, 59 parameters) had
no finding in 600 sound surveys of 250 respondents, half of them with marks that crowd at the upper end; with loadings
of .65, one in a hundred where marks spread evenly, eight where they crowd.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np

from helpers.models.satisfaction_index.reliability import htmt

from .fit_indices import FitIndices, ScaledIndices
from .scoring import TOLERANCE, CovarianceFit
from .solution import delta_errors, solution, solution_of
from .structure import FIXED, Structure
from .suitability import Normality, constant_items, dependent_items, sampling_adequacy, sphericity

Severity = Literal["stops", "cautions", "holds", "unknown"]

FEW = 100
PER_PARAMETER = 5
UNACCEPTABLE, MEDIOCRE = 0.5, 0.6  # sampling adequacy
SIGNIFICANT = 0.05
MOST_LOST = 0.05  # share of resamples
AT_BOUND = 1e-6  # share of a variance, and excess over 1, that is none
ERRORS = 2  # standard errors from 0 that a variance should be
DISTINCT = 0.90
CLOSE, REASONABLE = 0.05, 0.08  # RMSEA
GOOD, ACCEPTABLE = 0.95, 0.90  # CFI
SMALL, LARGE = 0.08, 0.10  # SRMR
# These say how to read errors and tests; no model is unsound for them.
NOTES = ("respondents_per_parameter", "normality", "exact_fit")


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Parameters
    ----------
    name : str
        As listed in the description of the module.
    severity : {"stops", "cautions", "holds", "unknown"}
    value : float
        The worst, where there are several.
    limit : float
        What it is held against: where it does not hold, the limit that it misses.
    low, high : float
        Ends of its interval; nan where there is none.
    where : tuple of tuple
        The culprits by number: ``("item", item)``, ``("construct", construct)`` of one that others act on and
        ``("cause", construct)`` of one that nothing acts on, ``("path", source, target)`` or
        ``("pair", construct, construct)``.
    """

    name: str
    severity: Severity
    value: float
    limit: float
    low: float = np.nan
    high: float = np.nan
    where: tuple[tuple, ...] = ()


@dataclass(frozen=True, eq=False)
class Distinctness:
    """Heterotrait-monotrait ratios, and the ends of their intervals from resamples; nan where unknown.

    Parameters
    ----------
    ratio, low, high : ndarray, shape (constructs, constructs)
    """

    ratio: np.ndarray
    low: np.ndarray
    high: np.ndarray


def gate(
    fit: CovarianceFit,
    indices: FitIndices | None = None,
    scaled: ScaledIndices | None = None,
    normality: Normality | None = None,
    distinctness: Distinctness | None = None,
    lost: float | None = None,
    standard_error=None,
) -> tuple[Finding, ...]:
    """Check a fitted model, in the order of the description of the module.

    Parameters
    ----------
    fit : CovarianceFit
        Of one sample and one group.
    indices : FitIndices, optional
        Without them, fit is not judged.
    scaled : ScaledIndices, optional
        Robust indices, that decide instead where there are any.
    normality : Normality, optional
        Without it, normality is not judged.
    distinctness : Distinctness, optional
        Without it, ratios are computed, and judged without intervals.
    lost : float, optional
        Share of resamples without an optimum.
    standard_error : array_like, shape (parameters,), optional
        Robust or resampled; those of normal theory by default.

    Returns
    -------
    tuple of Finding
        One for each check that there is something to judge by.

    Raises
    ------
    ValueError
        When the fit is of several samples or groups.
    """
    if fit.sample.leading or fit.structure.groups > 1:
        raise ValueError("the gate checks the fit of one sample and one group.")
    found = [*_of_answers(fit), *(_normality(normality) if normality else ()), *_of_search(fit)]
    if lost is not None:
        found.append(_finding("lost_resamples", lost, MOST_LOST, cautions=lost > MOST_LOST))
    found += _of_solution(fit, fit.standard_error if standard_error is None else np.asarray(standard_error, float))
    found.append(_discriminant_validity(fit, distinctness))
    return (*found, *(_of_fit(indices, scaled) if indices else ()))


def verdict(findings) -> Literal["sound", "caution", "inadmissible"]:
    """Return the worst of the findings, those apart that are no fault of a model (`NOTES`).

    Parameters
    ----------
    findings : iterable of Finding

    Returns
    -------
    {"sound", "caution", "inadmissible"}
        What is unknown calls for caution.
    """
    severities = {finding.severity for finding in findings if finding.name not in NOTES}
    if "stops" in severities:
        return "inadmissible"
    return "caution" if severities & {"cautions", "unknown"} else "sound"


def fit_holds(indices: FitIndices, scaled: ScaledIndices | None = None) -> bool:
    """Return whether no index of fit stops, and all of them are known; without degrees of freedom nothing can stop.

    Parameters
    ----------
    indices : FitIndices
        Of one fit.
    scaled : ScaledIndices, optional
    """
    return not {finding.severity for finding in _of_fit(indices, scaled)} & {"stops", "unknown"}


# ---- the answers ----


def _of_answers(fit: CovarianceFit) -> list[Finding]:
    covariance, size = fit.sample.covariance[0], float(fit.sample.total)
    items, each = fit.structure.design.items, size / fit.structure.parameters
    constant, dependent = _constant_and_dependent(covariance)
    adequacy, p_value = _related(covariance, size)
    return [
        _finding("respondents", size, items if size <= items else FEW, stops=size <= items, cautions=size < FEW),
        _finding("respondents_per_parameter", each, PER_PARAMETER, cautions=each < PER_PARAMETER),
        _finding("constant_items", len(constant), 0, stops=bool(constant), where=_places("item", constant)),
        _finding("dependent_items", len(dependent), 0, stops=bool(dependent), where=_places("item", dependent)),
        _finding(
            "sampling_adequacy",
            adequacy,
            UNACCEPTABLE if adequacy < UNACCEPTABLE else MEDIOCRE,
            stops=adequacy < UNACCEPTABLE,
            cautions=adequacy < MEDIOCRE,
        ),
        _finding("sphericity", p_value, SIGNIFICANT, stops=p_value >= SIGNIFICANT),
    ]


def _constant_and_dependent(covariance) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the items that do not vary, and those that others determine; none where the covariance is not known."""
    if not np.isfinite(covariance).all():
        return (), ()
    return constant_items(covariance), tuple(dependence.item for dependence in dependent_items(covariance))


def _related(covariance, size: float) -> tuple[float, float]:
    """Return sampling adequacy and the p-value of Bartlett's test; nan where there is no inverse."""
    deviation = np.sqrt(np.diagonal(covariance))
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = covariance / np.outer(deviation, deviation)
        if size <= len(correlation):
            return np.nan, np.nan
        return float(sampling_adequacy(correlation).overall), float(sphericity(correlation, size).p_value)


def _normality(measured: Normality) -> tuple[Finding]:
    p_value = min(measured.skewness_p_value, measured.kurtosis_p_value)
    return (_finding("normality", p_value, SIGNIFICANT, cautions=p_value < SIGNIFICANT),)


# ---- the search ----


def _of_search(fit: CovarianceFit) -> list[Finding]:
    df, parameters = fit.structure.degrees_of_freedom, fit.structure.parameters
    rank = float(fit.rank) if np.isfinite(fit.parameters).all() else np.nan
    return [
        _finding("degrees_of_freedom", df, 0, stops=df < 0),
        _finding("identification", rank, parameters, stops=rank < parameters),
        _finding("convergence", fit.gradient, TOLERANCE, stops=not fit.converged),
    ]


# ---- the solution ----


def _of_solution(fit: CovarianceFit, errors: np.ndarray) -> list[Finding]:
    """Return what is wrong with the solution; nothing is known of it without an optimum."""
    if not fit.converged:
        fit = replace(fit, parameters=np.full_like(fit.parameters, np.nan))
    implied, solved = fit.implied(), solution(fit)
    sources, targets = np.nonzero(fit.structure.design.paths)
    loadings, paths = _own_loadings(fit.structure, fit.parameters), np.abs(solved.paths)[sources, targets]
    along = list(zip(sources.tolist(), targets.tolist(), strict=True))
    items = _places("item", range(len(loadings)))
    kinds = np.where(fit.structure.design.paths.any(axis=0), "construct", "cause").tolist()
    constructs = tuple((kind, number) for number, kind in enumerate(kinds))
    return [
        _variances("item_variances", items, "residual_covariance", fit, implied.covariance, errors),
        _variances(
            "construct_variances", constructs, "construct_covariance", fit, implied.construct_covariance, errors
        ),
        _beyond_one("standardised_loadings", np.abs(loadings), items),
        _beyond_one("standardised_paths", paths, _places("path", along)),
        _loading_signs(fit, loadings, errors),
        *_construct_correlations(implied.construct_covariance),
    ]


def _own_loadings(structure: Structure, parameters) -> np.ndarray:
    """Return the standardised loading of each item on its construct."""
    block = structure.design.block
    return solution_of(structure, parameters).loadings[..., np.arange(len(block)), block]


def _loading_signs(fit: CovarianceFit, loadings: np.ndarray, errors) -> Finding:
    """Return which items load against the others of their construct; all of them where neither side has more."""
    name, block = "loading_signs", fit.structure.design.block
    balance = np.bincount(block, np.sign(loadings))[block]
    with_most = np.where(balance < 0, -loadings, loadings)
    against = (with_most < 0) | (balance == 0)
    if not against.any():
        return _finding(name, with_most.min(initial=1.0), 0.0)
    sure = np.abs(loadings) > ERRORS * _loading_errors(fit, errors)
    differ = np.logical_and(*(np.bincount(block, sure & side)[block] > 0 for side in (loadings > 0, loadings < 0)))
    surely = against & sure & differ
    culprits = np.flatnonzero(surely if surely.any() else against)
    where = _places("item", culprits.tolist())
    return _finding(name, with_most[culprits].min(), 0.0, stops=surely.any(), cautions=True, where=where)


def _loading_errors(fit: CovarianceFit, errors) -> np.ndarray:
    """Return standard errors of the standardised loadings, parameters as uncertain as `errors` say."""
    scale = errors / fit.standard_error
    covariance = fit.covariance_of_parameters * np.outer(scale, scale)
    return delta_errors(partial(_own_loadings, fit.structure), fit.parameters, covariance)


def _variances(name: str, places: tuple, matrix: str, fit: CovarianceFit, whole: np.ndarray, errors) -> Finding:
    """Return the finding on the diagonal of one of the model's matrices, beside that of the whole."""
    numbers = np.diagonal(fit.structure.places[matrix][0])
    free = np.flatnonzero(numbers != FIXED)
    values = fit.parameters[numbers[free]]
    with np.errstate(invalid="ignore", divide="ignore"):
        share, ratio = values / np.abs(np.diagonal(whole)[free]), values / errors[numbers[free]]
    none, perhaps = share < AT_BOUND, ratio < ERRORS
    if none.any():
        return _finding(name, share.min(), AT_BOUND, stops=True, where=_chosen(places, free[none]))
    least = ratio.min(initial=np.inf)
    return _finding(name, least, ERRORS, cautions=perhaps.any(), where=_chosen(places, free[perhaps]))


def _beyond_one(name: str, sizes: np.ndarray, places: tuple) -> Finding:
    beyond = np.flatnonzero(sizes > 1 + AT_BOUND)
    return _finding(name, sizes.max(initial=0.0), 1.0, stops=beyond.size > 0, where=_chosen(places, beyond))


def _construct_correlations(covariance: np.ndarray) -> list[Finding]:
    deviation = np.sqrt(np.abs(np.diagonal(covariance)))  # of a negative variance the size: it shows in the eigenvalue
    correlation = covariance / np.outer(deviation, deviation)
    least = np.linalg.eigvalsh(correlation)[0] if np.isfinite(correlation).all() else np.nan
    one, other = np.triu_indices(len(correlation), 1)
    sizes = np.abs(correlation[one, other])
    beyond = sizes >= 1
    return [
        _finding("construct_covariance", least, 0.0, stops=least < AT_BOUND),
        _finding(
            "construct_correlations",
            sizes.max(initial=0.0),
            1.0,
            stops=beyond.any(),
            where=_pairs(one, other, beyond),
        ),
    ]


def _discriminant_validity(fit: CovarianceFit, distinctness: Distinctness | None) -> Finding:
    distinctness = distinctness or _without_interval(fit)
    one, other = np.triu_indices(fit.structure.design.constructs, 1)
    ratio, low, high = (part[one, other] for part in (distinctness.ratio, distinctness.low, distinctness.high))
    name = "discriminant_validity"
    if not len(ratio):
        return _finding(name, 0.0, DISTINCT)
    same, perhaps = (ratio >= 1) | (low >= DISTINCT), (ratio >= DISTINCT) | (high >= 1)
    culprits = same if same.any() else perhaps
    if np.isnan(ratio).any() and not culprits.any():
        return _finding(name, np.nan, DISTINCT, where=_pairs(one, other, np.isnan(ratio)))
    worst = np.argmax(np.where(culprits | ~culprits.any(), np.nan_to_num(ratio), 0.0))
    return _finding(
        name,
        ratio[worst],
        DISTINCT,
        stops=same.any(),
        cautions=perhaps.any(),
        low=low[worst],
        high=high[worst],
        where=_pairs(one, other, culprits),
    )


def _without_interval(fit: CovarianceFit) -> Distinctness:
    covariance = fit.sample.covariance[0]
    deviation = np.sqrt(np.diagonal(covariance))
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = htmt(covariance / np.outer(deviation, deviation), fit.structure.design)
    return Distinctness(ratio, np.full_like(ratio, np.nan), np.full_like(ratio, np.nan))


# ---- the fit ----


def _of_fit(indices: FitIndices, scaled: ScaledIndices | None) -> list[Finding]:
    if indices.degrees_of_freedom == 0:
        return []
    decide = scaled or indices
    p_value, rmsea, cfi = float(decide.p_value), float(decide.rmsea), float(decide.cfi)
    low, high = float(decide.rmsea_low), float(decide.rmsea_high)
    # both indices are of one noncentrality, so the interval of one makes that of the other
    scale = (1 - cfi) / rmsea**2 if rmsea > 0 else np.nan
    cfi_low, cfi_high = (1 - scale * high**2, 1 - scale * low**2) if rmsea > 0 else (np.nan, cfi)
    residual, refused = float(indices.srmr), p_value < SIGNIFICANT
    far, too_far = residual > SMALL, residual > LARGE and refused
    return [
        _finding("exact_fit", p_value, SIGNIFICANT, cautions=refused),
        _finding(
            "close_fit",
            rmsea,
            REASONABLE if low > REASONABLE else CLOSE,
            stops=low > REASONABLE,
            cautions=low > CLOSE,
            low=low,
            high=high,
        ),
        _finding(
            "comparative_fit",
            cfi,
            ACCEPTABLE if cfi_high < ACCEPTABLE else GOOD,
            stops=cfi_high < ACCEPTABLE,
            cautions=cfi_high < GOOD,
            low=cfi_low,
            high=cfi_high,
        ),
        _finding("residual_fit", residual, LARGE if too_far else SMALL, stops=too_far, cautions=far),
    ]


def _finding(name, value, limit, stops=False, cautions=False, low=np.nan, high=np.nan, where=()) -> Finding:
    value = float(value)
    severity = "stops" if stops else "cautions" if cautions else "unknown" if np.isnan(value) else "holds"
    return Finding(name, severity, value, float(limit), float(low), float(high), tuple(where))


def _places(kind: str, numbers) -> tuple[tuple, ...]:
    return tuple((kind, *number) if isinstance(number, tuple) else (kind, number) for number in numbers)


def _chosen(places: tuple, numbers: np.ndarray) -> tuple[tuple, ...]:
    return tuple(places[number] for number in numbers.tolist())


def _pairs(one, other, chosen) -> tuple[tuple, ...]:
    return _places("pair", zip(one[chosen].tolist(), other[chosen].tolist(), strict=True))
