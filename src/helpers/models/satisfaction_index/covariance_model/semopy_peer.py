"""The same models fitted by the semopy package, as an independent check; its only importer.

Of semopy 2.3.11 the estimates and standard errors are right where its optimiser gets to the optimum, which it does not
know: it reports success where a variance stays at its bound of 0, where the model is not identified, and where it stops
early. So whether it converged is decided here, by the gradient, and `polished` goes on from where it stopped. Of the
rest (fit indices, standardised residual covariances, robust errors, scores, missing answers, names, several groups)
nothing is used; `tests/test_semopy_peer.py` shows what is wrong with each. It runs on one BLAS thread: the matrices are
so small that threads only wait for one another, and a fit takes up to a hundred times as long.
"""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from .scoring import CovarianceFit, Sample, fit
from .structure import Entry, Structure

OPTIONS = {"ftol": 1e-10, "maxiter": 2000}  # by default SLSQP stops while paths still change in the first digit
NEAR = 1e-4  # of the largest derivative: SLSQP, which looks at the discrepancy alone, seldom comes nearer than 1e-6
FINEST, FINEST_STEPS = 1e-13, 30
AT_BOUND = 1e-6  # a variance this small beside the item's own is one that semopy does not let become negative
OPERATORS = {"loadings": "=~", "paths": "~", "construct_covariance": "~~", "residual_covariance": "~~"}


@dataclass(frozen=True, eq=False)
class SemopyFit:
    """What semopy found.

    Parameters
    ----------
    parameters : ndarray, shape (parameters,)
        In the order of the structure; nan where semopy failed.
    standard_error : ndarray, shape (parameters,)
        Of normal theory; nan where the model is not identified, for which semopy gives those of a generalised inverse.
    discrepancy : float
        The likelihood-ratio discrepancy F, without the number of respondents.
    gradient : float
        Its largest derivative in absolute value, items in units of their standard deviation.
    converged : bool
        By the gradient, whatever semopy says.
    message : str
        What semopy said, and what it did not say.
    iterations : int
    """

    parameters: np.ndarray
    standard_error: np.ndarray
    discrepancy: float
    gradient: float
    converged: bool
    message: str
    iterations: int


@dataclass(frozen=True)
class StoppedShort:
    """How far semopy was from the optimum.

    Parameters
    ----------
    discrepancy : float
        By how much its discrepancy is larger; times the number of respondents, its chi-square.
    parameter : int
        The parameter that is furthest away.
    standard_errors : float
        How far that is, in standard errors.
    """

    discrepancy: float
    parameter: int
    standard_errors: float


def semopy_fit(structure: Structure, covariance, size: float, options: dict | None = None) -> SemopyFit:
    """Fit a model of one group by semopy: maximum likelihood, a new model object for each fit.

    Parameters
    ----------
    structure : Structure
    covariance : array_like, shape (items, items)
        With the number of respondents as divisor.
    size : float
        Respondents, for the standard errors.
    options : dict, optional
        Of `scipy.optimize.minimize` with SLSQP, `OPTIONS` by default.

    Returns
    -------
    SemopyFit

    Raises
    ------
    ValueError
        Several groups, equal parameters or means, which semopy cannot fit; a covariance matrix of other items, with
        gaps, or that is not positive definite, for which semopy would fit another matrix than the one given.
    """
    covariance = _checked(structure, covariance)
    sample = Sample.of(covariance, size)
    with _semopy() as semopy:
        model = semopy.Model(model_text(structure), cov_diag=True)
        try:
            said = model.fit(*_data(covariance), options=dict(OPTIONS if options is None else options))
            model.n_samples = size
            variances = np.diag(model.calc_fim(inverse=True)[1])
        except (ValueError, np.linalg.LinAlgError) as error:
            return _failed(structure, f"semopy: {' '.join(str(error).split())}")
        order = [int(name.removeprefix("p")) for name, parameter in model.parameters.items() if parameter.active]
    parameters, standard_error = np.empty((2, structure.parameters))
    parameters[order], standard_error[order] = said.x, np.sqrt(np.maximum(variances, 0.0))
    there = fit(structure, sample, parameters, tolerance=NEAR, most_iterations=0)
    remarks = tuple(_remarks(structure, there))
    return SemopyFit(
        parameters,
        np.where(there.rank == structure.parameters, standard_error, np.nan),
        float(there.discrepancy),
        float(there.gradient),
        bool(there.converged),
        "; ".join((f"semopy: {said.message}", *remarks)),
        int(said.n_it),
    )


def polished(structure: Structure, sample: Sample, found: SemopyFit) -> CovarianceFit:
    """Go on from semopy's estimate to the optimum.

    Where that does not lead to one, the search begins at moments as well, and the lower discrepancy is taken.

    Parameters
    ----------
    structure : Structure
    sample : Sample
        Of one group: what semopy fitted.
    found : SemopyFit

    Returns
    -------
    CovarianceFit
        `stopped_short` says how far semopy was from it.
    """
    candidates = [fit(structure, sample, found.parameters)] if np.isfinite(found.discrepancy) else []
    if not (found.converged and candidates and candidates[0].converged):
        candidates.append(fit(structure, sample))
    best = min(candidates, key=_rank_of)
    if not best.converged:
        return best
    # as near as numbers are exact: figures then do not depend, in their last digit, on where the search came from
    nearest = fit(structure, sample, best.parameters, FINEST, FINEST_STEPS)
    return replace(nearest, converged=best.converged) if nearest.gradient < best.gradient else best


def stopped_short(found: SemopyFit, optimum: CovarianceFit) -> StoppedShort:
    """Return how far semopy was from the optimum.

    Parameters
    ----------
    found : SemopyFit
    optimum : CovarianceFit
        Of one sample, from `polished`.

    Returns
    -------
    StoppedShort
        In nan where semopy failed or the model is not identified.
    """
    away = np.abs(found.parameters - optimum.parameters) / optimum.standard_error
    furthest = int(np.argmax(np.nan_to_num(away)))
    return StoppedShort(found.discrepancy - float(optimum.discrepancy), furthest, float(away[furthest]))


def model_text(structure: Structure) -> str:
    """Write a model in semopy's language, items as y0, y1, ... and constructs as f0, f1, ...

    Every parameter is named (p0, p1, ...), so nothing is left for semopy to add; a construct's only item measures it
    without residual, so that no item stands among the constructs, where semopy counts parameters wrongly.

    Parameters
    ----------
    structure : Structure
        Of one group, without means.
    """
    blocks = [np.flatnonzero(structure.design.block == construct) for construct in range(structure.design.constructs)]
    lines = [f"f{construct} =~ 1*y{items[0]}" for construct, items in enumerate(blocks)]
    lines += [f"y{items[0]} ~~ 0*y{items[0]}" for items in blocks if len(items) == 1]
    lines += [_line(entry, number) for entry, number in zip(structure.entries, structure.numbers, strict=True)]
    return "\n".join(lines)


def _line(entry: Entry, number: int) -> str:
    row, column = entry.row, entry.column
    left, right = {
        "loadings": (f"f{column}", f"y{row}"),
        "paths": (f"f{column}", f"f{row}"),
        "construct_covariance": (f"f{row}", f"f{column}"),
        "residual_covariance": (f"y{row}", f"y{column}"),
    }[entry.matrix]
    return f"{left} {OPERATORS[entry.matrix]} p{number}*{right}"


def _checked(structure: Structure, covariance) -> np.ndarray:
    if structure.groups > 1 or structure.with_means:
        raise ValueError("semopy fits one group without means; several groups are fitted by `scoring.fit`.")
    covariance, items = np.asarray(covariance, float), structure.design.items
    if covariance.shape != (items, items):
        raise ValueError(f"covariance must be of the structure's {items} items, not of shape {covariance.shape}.")
    if not np.isfinite(covariance).all():
        raise ValueError("covariance must be finite: an item without two answers, or gaps that nothing was done about.")
    deviation = np.sqrt(np.maximum(np.diag(covariance), 1e-300))
    if np.linalg.eigvalsh(covariance / np.outer(deviation, deviation))[0] < 1e-10:
        raise ValueError("covariance must be positive definite: an item is constant or determined by others.")
    return covariance


def _data(covariance: np.ndarray) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Answers of a few that have this covariance matrix, for semopy to begin with; and the matrix, for it to fit."""
    names = [f"y{item}" for item in range(len(covariance))]
    rows = np.sqrt(len(covariance)) * np.linalg.cholesky(covariance).T
    return (
        pd.DataFrame(np.vstack([rows, -rows]), columns=names),
        pd.DataFrame(covariance, index=names, columns=names),
    )


def _remarks(structure: Structure, there: CovarianceFit) -> Iterator[str]:
    if structure.degrees_of_freedom < 0:
        yield f"more parameters than variances and covariances ({-structure.degrees_of_freedom} too many)"
    if there.rank < structure.parameters:
        yield f"not identified: the information has rank {there.rank} of {structure.parameters}"
    if held := _at_bound(structure, there):
        yield "held at 0 by its bounds: " + ", ".join(held)
    if not there.converged:
        yield f"not at an optimum: a derivative of {there.gradient:.1e}"


def _at_bound(structure: Structure, there: CovarianceFit) -> list[str]:
    """Variances that semopy holds at 0, in the names of `model_text`."""
    variance = np.diag(there.sample.covariance[0])
    constructs = np.diag(there.implied().construct_covariance)
    found = []
    for entry, value in zip(structure.first_entries, there.parameters, strict=True):
        of_items = entry.matrix == "residual_covariance"
        if entry.matrix in OPERATORS and OPERATORS[entry.matrix] == "~~" and entry.row == entry.column:
            whole = (variance if of_items else constructs)[entry.row]
            if value <= AT_BOUND * whole:
                found.append(f"{'y' if of_items else 'f'}{entry.row}")
    return found


def _rank_of(candidate: CovarianceFit) -> tuple[bool, float]:
    return not candidate.converged, float(np.nan_to_num(candidate.discrepancy, nan=np.inf))


def _failed(structure: Structure, reason: str) -> SemopyFit:
    unknown = np.full(structure.parameters, np.nan)
    return SemopyFit(unknown, unknown, np.nan, np.nan, False, reason, 0)


@contextlib.contextmanager
def _semopy() -> Iterator:
    """Semopy without what it writes to the log of the whole process; imported here, since that takes seconds."""
    root, nowhere = logging.getLogger(), logging.NullHandler()
    disabled = root.manager.disable
    root.addHandler(nowhere)  # without any handler, logging installs one for good
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"), threadpool_limits(1):
            warnings.simplefilter("ignore")
            import semopy

            yield semopy
    finally:
        logging.disable(disabled)
        root.removeHandler(nowhere)
