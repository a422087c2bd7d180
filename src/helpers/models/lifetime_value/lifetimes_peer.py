"""The same models fitted by the lifetimes package, as an independent check; its only importer for fitting.

Of lifetimes 0.11.3 the estimates and standard errors are right. Its covariances are not (it multiplies by the
squared parameters column by column, which leaves the matrix asymmetric), so the correlations here come from
our own Hessian at its estimates. Its total log-likelihood is of rescaled time, so ours is evaluated at its
estimates.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from helpers.models.fit import Fit, Objective, Optimum, checked_columns, fit_of
from helpers.models.lifetime_value import gamma_gamma
from helpers.models.lifetime_value.purchase_models import bg_nbd


def fit_bg_nbd(frequency, recency, T, weights=None) -> Fit:
    """BG/NBD by lifetimes' `BetaGeoFitter`; arguments as in `bg_nbd.fit_bg_nbd`.

    Returns
    -------
    Fit
        `fitted_by` is "lifetimes". When lifetimes does not converge, `converged` is False, the reason stands
        in `problems` and every number is nan.

    Raises
    ------
    ValueError
        Invalid rows.
    """
    x, t_x, age, weights = checked_columns(weights, frequency=frequency, recency=recency, T=T)
    with _lifetimes() as lifetimes:
        fitter, failure = _try(lifetimes.BetaGeoFitter(), x, t_x, age, weights)
    if failure:
        return _failed(bg_nbd.BGNBD, bg_nbd.NAMES, weights.sum(), failure)
    model = bg_nbd.BGNBD(*map(float, fitter.params_[list(bg_nbd.NAMES)]))
    total = weights @ model.log_likelihood(x, t_x, age)
    objective = bg_nbd.mean_log_likelihood(x, t_x, age, weights)
    explain = partial(bg_nbd.explain_runaway, model)
    repeaters = weights[x > 0].sum()
    return _with_our_hessian(model, bg_nbd.NAMES, fitter, objective, total, weights, repeaters, explain)


def fit_gamma_gamma(frequency, monetary_value, weights=None) -> Fit:
    """Gamma-Gamma by lifetimes' `GammaGammaFitter`; arguments as in `gamma_gamma.fit_gamma_gamma`.

    Returns
    -------
    Fit
        As `fit_bg_nbd` here.

    Raises
    ------
    ValueError
        Invalid rows.
    """
    x, m, weights = checked_columns(weights, frequency=frequency, monetary_value=monetary_value)
    if np.any((x == 0) | (m == 0)):
        raise ValueError("The spend model takes only customers with a repeat purchase and a positive mean spend.")
    with _lifetimes() as lifetimes:
        fitter, failure = _try(lifetimes.GammaGammaFitter(), x, m, weights)
    if failure:
        return _failed(gamma_gamma.GammaGamma, gamma_gamma.NAMES, weights.sum(), failure)
    model = gamma_gamma.GammaGamma(*map(float, fitter.params_[list(gamma_gamma.NAMES)]))
    total = weights @ model.log_likelihood(x, m)
    objective = gamma_gamma.mean_log_likelihood(x, m, weights)
    fit = _with_our_hessian(
        model,
        gamma_gamma.NAMES,
        fitter,
        objective,
        total,
        weights,
        weights.sum(),
        gamma_gamma.explain_runaway,
    )
    return gamma_gamma.with_infinite_mean_named(fit)


@contextlib.contextmanager
def _lifetimes() -> Iterator:
    """Lifetimes without what importing and fitting it changes for the whole process."""
    chained = pd.options.mode.chained_assignment
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            # it silences FutureWarning for everybody; its autograd's overflow warnings are its own affair
            warnings.simplefilter("ignore")
            import lifetimes

            yield lifetimes
    finally:
        pd.options.mode.chained_assignment = chained


def _try(fitter, *columns_and_weights):
    """Fit, and return (fitter, None) or (None, why it failed)."""
    *columns, weights = columns_and_weights
    try:
        with np.errstate(all="ignore"):
            fitter.fit(*columns, weights=weights)
            if not np.all(np.isfinite(fitter.standard_errors_)):
                return None, "lifetimes returned no finite standard errors."
    except (ValueError, np.linalg.LinAlgError) as error:  # its ConvergenceError is a ValueError
        return None, f"lifetimes: {' '.join(str(error).split())}"
    return fitter, None


def _with_our_hessian(model, names, fitter, objective: Objective, total, weights, events, explain) -> Fit:
    """Build the fit at lifetimes' estimates with its standard errors and our correlations."""
    log_parameters = np.log([getattr(model, name) for name in names])
    fit = fit_of(
        model,
        names,
        Optimum(log_parameters, *objective(log_parameters)),
        total,
        weights.sum(),
        events,
        explain,
    )
    relative_errors = fitter.standard_errors_[list(names)].to_numpy() / fit.estimates
    rescale = relative_errors / np.sqrt(np.diag(fit.log_covariance))
    log_covariance = fit.log_covariance * np.outer(rescale, rescale)
    return replace(
        fit,
        log_covariance=log_covariance,
        covariance=np.outer(fit.estimates, fit.estimates) * log_covariance,
        converged=bool(np.all(np.isfinite(log_covariance))),
        problems=tuple(problem for problem in fit.problems if "did not converge" not in problem),
        fitted_by="lifetimes",
    )


def _failed(model, names, observations, reason: str) -> Fit:
    """Say in a `Fit` that none came about."""
    unknown = np.full(len(names), np.nan)
    matrix = np.full((len(names), len(names)), np.nan)
    return Fit(
        model=model(*unknown),
        names=names,
        estimates=unknown,
        covariance=matrix,
        log_covariance=matrix,
        log_likelihood=np.nan,
        observations=float(observations),
        gradient_norm=np.nan,
        condition_number=np.nan,
        converged=False,
        problems=(reason,),
        fitted_by="lifetimes",
    )
