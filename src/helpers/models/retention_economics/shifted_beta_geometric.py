"""The shifted-beta-geometric model of renewals, and what is lost by taking retention for constant.

Sources: P. S. Fader, B. G. S. Hardie: "How to Project Customer Retention" (2007), Journal of Interactive Marketing
21(1), 76-90 (below: 2007); "Customer-Base Valuation in a Contractual Setting: The Perils of Ignoring Heterogeneity"
(2010), Marketing Science 29(1), 85-93 (below: 2010).

At the end of each term a customer leaves with a probability of their own, which never changes and is Beta(alpha, beta)
over customers. Those who leave easily leave first, so the retention rate of who is left rises from term to term.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from helpers.models.fit import (
    EVENTS_PER_PARAMETER,
    Fit,
    Objective,
    checked_columns,
    distinct_rows,
    fit_of,
    in_words,
    maximise,
)

NAMES = ("alpha", "beta")
STARTS = ((1.0, 1.0), (0.3, 1.0), (5.0, 20.0), (50.0, 50.0))


@dataclass(frozen=True)
class ShiftedBetaGeometric:
    """Shifted-beta-geometric with parameters alpha and beta, both positive.

    Methods broadcast their arguments. `renewals` counts the terms renewed so far.
    """

    alpha: float
    beta: float

    def survival(self, renewals) -> np.ndarray:
        """Share of customers who renew at least so often: B(alpha, beta + t) / B(alpha, beta) (2007)."""
        renewals = np.asarray(renewals, float)
        return np.exp(special.betaln(self.alpha, self.beta + renewals) - special.betaln(self.alpha, self.beta))

    def retention_rate(self, renewals) -> np.ndarray:
        """Share of those who renewed so often that renew again: (beta + t) / (alpha + beta + t) (2007, equation 8)."""
        renewals = np.asarray(renewals, float)
        return (self.beta + renewals) / (self.alpha + self.beta + renewals)

    @property
    def mean_retention(self) -> float:
        """Mean over customers of their probability to renew: beta / (alpha + beta)."""
        return self.beta / (self.alpha + self.beta)

    @property
    def polarisation(self) -> float:
        """How much customers differ, 1 / (alpha + beta + 1): 0 where all are alike, 1 where they stay or leave."""
        return 1 / (self.alpha + self.beta + 1)

    def log_likelihood(self, renewals, lost) -> np.ndarray:
        """Log-probability of each row: lost after so many renewals, or renewed so often and not lost yet."""
        renewals, lost = np.asarray(renewals, float), np.asarray(lost, float)
        return special.betaln(self.alpha + lost, self.beta + renewals) - special.betaln(self.alpha, self.beta)

    def residual_renewals(self, renewals, discount_rate: float = 0.0, horizon: float = np.inf) -> np.ndarray:
        """Renewals to expect of who renewed so often, the next one included, discounted to the next one.

        It is the discounted expected residual lifetime of 2010: the present value, just before the next
        renewal, of 1 at each renewal to come.

        Parameters
        ----------
        renewals : array_like
        discount_rate : float
            A term, at least 0.
        horizon : float
            How many renewals ahead count; infinite for all.

        Returns
        -------
        ndarray
            Infinite where nothing is discounted, all count and alpha <= 1: a few then stay for ever. Take a horizon.

        Raises
        ------
        ValueError
            A discount rate below 0, a horizon of less than one renewal or a part of one.
        """
        _check_ahead(discount_rate, horizon)
        beta = self.beta + np.asarray(renewals, float)
        if np.isfinite(horizon):
            ahead = np.arange(int(horizon))
            renewing = (
                special.betaln(self.alpha, beta[..., None] + ahead + 1) - special.betaln(self.alpha, beta)[..., None]
            )
            return np.exp(renewing - ahead * np.log1p(discount_rate)).sum(axis=-1)
        if discount_rate == 0:
            return beta / (self.alpha - 1) if self.alpha > 1 else np.full_like(beta, np.inf)
        rate = beta / (self.alpha + beta)
        return rate * _gauss_fraction(beta + 1, self.alpha + beta + 1, 1 / (1 + discount_rate))

    def simulate_renewals(self, customers: int, rng: np.random.Generator) -> np.ndarray:
        """Draw how often each of so many new customers will renew."""
        leaving = np.clip(rng.beta(self.alpha, self.beta, customers), 1e-12, 1 - 1e-12)
        return rng.geometric(leaving) - 1


@dataclass(frozen=True)
class Geometric:
    """Constant retention: all customers renew with one probability, for ever."""

    retention: float

    def survival(self, renewals) -> np.ndarray:
        """Share of customers who renew at least so often."""
        return self.retention ** np.asarray(renewals, float)

    def residual_renewals(self, renewals, discount_rate: float = 0.0, horizon: float = np.inf) -> np.ndarray:
        """Renewals to expect, as `ShiftedBetaGeometric.residual_renewals`; the same whatever was renewed before."""
        _check_ahead(discount_rate, horizon)
        ratio = self.retention / (1 + discount_rate)
        terms = horizon if ratio == 1 else (1 - ratio**horizon) / (1 - ratio)
        return np.full(np.shape(renewals), self.retention * terms)


def fit_shifted_beta_geometric(renewals, lost, weights=None) -> Fit:
    """Maximum-likelihood shifted-beta-geometric of contracts.

    Parameters
    ----------
    renewals : array_like, shape (n,)
        How often each was renewed. Identical rows are grouped here.
    lost : array_like of bool, shape (n,)
        Whether it was then let run out; otherwise it still runs and may be renewed again.
    weights : array_like, shape (n,), optional
        Contracts with this row; 1 by default.

    Returns
    -------
    Fit
        With a `ShiftedBetaGeometric` as its model. `problems` says when customers cannot be told to differ: the model
        is then as good as the constant retention that it comes to.

    Raises
    ------
    ValueError
        No contracts, none lost, none renewed, or rows that cannot be.
    """
    renewals, lost, weights = _checked_rows(renewals, lost, weights)
    objective = mean_log_likelihood(renewals, lost, weights)
    optimum = maximise(objective, np.log(STARTS))
    model = ShiftedBetaGeometric(*map(float, np.exp(optimum.log_parameters)))
    total = weights @ model.log_likelihood(renewals, lost)
    fit = fit_of(model, NAMES, optimum, total, weights.sum(), np.inf, lambda runaway: _explain(renewals, runaway))
    events = min(weights @ lost, weights @ renewals)
    if events >= EVENTS_PER_PARAMETER * len(NAMES):
        return fit
    few = (
        f"Only {weights @ lost:,.0f} contracts ended and {weights @ renewals:,.0f} times one was renewed, one of them "
        f"fewer than {EVENTS_PER_PARAMETER} for each of the {len(NAMES)} parameters: intervals are rough."
    )
    return replace(fit, problems=(*fit.problems, few))


def mean_log_likelihood(renewals, lost, weights) -> Objective:
    """Mean log-likelihood by log parameters (log alpha, log beta) with gradient and Hessian.

    Parameters
    ----------
    renewals, lost, weights : ndarray, shape (n,)
        Distinct rows and the contracts with each.

    Returns
    -------
    callable
        Log parameters, shape (2,) -> value, gradient (2,), Hessian (2, 2), each per contract.
    """
    share = weights / weights.sum()

    def objective(log_parameters):
        alpha, beta = parameters = np.exp(log_parameters)
        value = share @ ShiftedBetaGeometric(alpha, beta).log_likelihood(renewals, lost)
        ends = share @ lost
        together, after = alpha + beta, alpha + beta + renewals + lost
        shared, shared1 = (share @ (special.polygamma(k, after) - special.polygamma(k, together)) for k in (0, 1))
        gradient = np.array(
            [ends / alpha - shared, share @ (special.digamma(beta + renewals) - special.digamma(beta)) - shared]
        )
        of_beta = share @ (special.polygamma(1, beta + renewals) - special.polygamma(1, beta))
        hessian = np.array([[-ends / alpha**2 - shared1, -shared1], [-shared1, of_beta - shared1]])
        gradient = gradient * parameters
        return value, gradient, hessian * np.outer(parameters, parameters) + np.diag(gradient)

    return objective


def fit_geometric(renewals, lost, weights=None) -> Geometric:
    """Estimate the one retention rate of all: renewals over the occasions to renew.

    Parameters and errors as `fit_shifted_beta_geometric`.
    """
    renewals, lost, weights = _checked_rows(renewals, lost, weights)
    return Geometric(float(weights @ renewals / (weights @ (renewals + lost))))


@dataclass(frozen=True, eq=False)
class ResidualGap:
    """Renewals to expect of today's customers, by the two models.

    Attributes
    ----------
    renewals, customers : ndarray, shape (rows,)
        How often each distinct kind of customer has renewed, and how many of them there are.
    heterogeneous, constant : ndarray, shape (rows,)
        Renewals to expect of one, where customers differ and where retention is constant.
    total_heterogeneous, total_constant : float
        Over all customers.
    """

    renewals: np.ndarray
    customers: np.ndarray
    heterogeneous: np.ndarray
    constant: np.ndarray
    total_heterogeneous: float
    total_constant: float

    @property
    def ratio(self) -> float:
        """How many times the renewals of constant retention are to be expected; infinite where they never end."""
        return self.total_heterogeneous / self.total_constant if self.total_constant > 0 else np.nan


def residual_gap(
    model: ShiftedBetaGeometric,
    constant: Geometric,
    renewals,
    weights=None,
    discount_rate: float = 0.0,
    horizon: float = np.inf,
) -> ResidualGap:
    """Compare what today's customers are still to bring, where they differ and where retention is constant.

    Parameters
    ----------
    model, constant
        As fitted to the same contracts.
    renewals : array_like, shape (n,)
        Of the contracts that still run.
    weights : array_like, shape (n,), optional
        Contracts with this row.
    discount_rate, horizon
        As in `ShiftedBetaGeometric.residual_renewals`.

    Returns
    -------
    ResidualGap

    Raises
    ------
    ValueError
        No contract that runs; rates that cannot be.
    """
    renewals, weights = checked_columns(weights, renewals=renewals)
    first, inverse = distinct_rows(renewals)
    distinct, customers = renewals[first], np.bincount(inverse, weights)
    order = np.argsort(distinct)
    distinct, customers = distinct[order], customers[order]
    expected = [one.residual_renewals(distinct, discount_rate, horizon) for one in (model, constant)]
    return ResidualGap(distinct, customers, *expected, *(float(customers @ each) for each in expected))


def cohort_rows(customers) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Turn the size of a cohort, term by term, into rows to fit.

    Parameters
    ----------
    customers : array_like, shape (terms + 1,)
        Of one cohort: at the start, after the first renewal, and so on; or shares.

    Returns
    -------
    renewals, lost, weights : ndarray, shape (terms + 1,)

    Raises
    ------
    ValueError
        Fewer than two sizes, or a cohort that grows.
    """
    customers = np.asarray(customers, float)
    leaving = -np.diff(customers)
    if customers.ndim != 1 or len(customers) < 2 or not np.all(np.isfinite(customers)) or (leaving < 0).any():
        raise ValueError("A cohort is given by its size at the start and after each renewal, and never grows.")
    terms = len(leaving)
    return np.arange(terms + 1.0), np.arange(terms + 1) < terms, np.append(leaving, customers[-1])


@dataclass(frozen=True, eq=False)
class SurvivalCurve:
    """Share of contracts that were renewed so often, as observed (Kaplan & Meier 1958).

    Attributes
    ----------
    renewals : ndarray, shape (terms + 1,)
        0, 1, ... to the last number of renewals that any contract had the occasion for.
    at_risk, lost : ndarray, shape (terms,)
        Contracts up for each renewal, and those that were not renewed.
    survival : ndarray, shape (terms + 1,)
        From 1.
    standard_error : ndarray, shape (terms + 1,)
        By Greenwood's formula.
    """

    renewals: np.ndarray
    at_risk: np.ndarray
    lost: np.ndarray
    survival: np.ndarray
    standard_error: np.ndarray


def survival_curve(renewals, lost, weights=None) -> SurvivalCurve:
    """Observed survival of contracts, which may have started at different times; arguments as for the fit.

    Raises
    ------
    ValueError
        No contracts, no occasion to renew, or rows that cannot be.
    """
    renewals, lost, weights = _rows(renewals, lost, weights)
    terms = int((renewals + lost).max())
    if not terms:
        raise ValueError("No contract has come up for renewal yet.")
    ends = np.bincount(renewals.astype(int), weights * lost, minlength=terms)[:terms]
    occasions = np.bincount((renewals + lost).astype(int), weights, minlength=terms + 1)
    at_risk = occasions[::-1].cumsum()[::-1][1:]
    survival = np.append(1.0, np.cumprod(1 - ends / at_risk))
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.append(0.0, np.cumsum(ends / (at_risk * (at_risk - ends))))
    error = np.where(survival > 0, survival * np.sqrt(np.where(survival > 0, variance, 0)), np.nan)
    return SurvivalCurve(np.arange(terms + 1), at_risk, ends, survival, error)


@dataclass(frozen=True, eq=False)
class HoldOut:
    """Forecasts of survival beyond the first terms, beside what was observed.

    Attributes
    ----------
    renewals : ndarray, shape (terms,)
        All terms observed, from 0.
    observed : ndarray, shape (terms,)
    fitted_terms : int
        Renewals that the forecasts were made from.
    survival : dict of str to ndarray, shape (terms,)
        By method: shifted_beta_geometric, constant_retention, and the curves linear, quadratic and exponential.
    mean_absolute_error : dict of str to float
        Over the terms forecast, in shares of the cohort.
    last_error : dict of str to float
        Forecast less observed at the last term.
    fit : Fit
        Of the shifted-beta-geometric.
    """

    renewals: np.ndarray
    observed: np.ndarray
    fitted_terms: int
    survival: dict[str, np.ndarray]
    mean_absolute_error: dict[str, float]
    last_error: dict[str, float]
    fit: Fit


def hold_out(renewals, lost, fitted_terms: int, weights=None) -> HoldOut:
    """Forecast survival from the first renewals, by the model and by what is done instead, and see who errs least.

    The curves are those of 2007: least squares of survival, or of its logarithm, on the number of renewals.

    Parameters
    ----------
    renewals, lost, weights
        As for the fit.
    fitted_terms : int
        Renewals to know of: at least 2, and fewer than were observed.

    Returns
    -------
    HoldOut

    Raises
    ------
    ValueError
        As `fit_shifted_beta_geometric` does for what is known, and terms that leave nothing to fit or to forecast.
    """
    renewals, lost, weights = _rows(renewals, lost, weights)
    observed = survival_curve(renewals, lost, weights)
    terms = observed.renewals
    if not 2 <= fitted_terms < terms[-1]:
        raise ValueError(f"Fit 2 to {terms[-1] - 1} renewals, to have some to fit and some to forecast.")
    known = np.minimum(renewals, fitted_terms), lost & (renewals < fitted_terms), weights
    fit, seen = fit_shifted_beta_geometric(*known), observed.survival[: fitted_terms + 1]
    survival = {
        "shifted_beta_geometric": fit.model.survival(terms),
        "constant_retention": fit_geometric(*known).survival(terms),
        "linear": np.polyval(np.polyfit(terms[: len(seen)], seen, 1), terms),
        "quadratic": np.polyval(np.polyfit(terms[: len(seen)], seen, 2), terms),
        "exponential": np.exp(_line(terms[: len(seen)], np.log(np.maximum(seen, np.finfo(float).tiny)), terms)),
    }
    errors = {name: (curve - observed.survival)[len(seen) :] for name, curve in survival.items()}
    return HoldOut(
        renewals=terms,
        observed=observed.survival,
        fitted_terms=fitted_terms,
        survival=survival,
        mean_absolute_error={name: float(np.abs(error).mean()) for name, error in errors.items()},
        last_error={name: float(error[-1]) for name, error in errors.items()},
        fit=fit,
    )


def _line(x, y, at) -> np.ndarray:
    return np.polyval(np.polyfit(x, y, 1), at)


def _gauss_fraction(b: np.ndarray, c: np.ndarray, z: float) -> np.ndarray:
    """Gauss' continued fraction of 2F1(1, b; c; z) for 0 < z < 1, where scipy's function often gives nan.

    Each step multiplies the error by about (1 - s) / (1 + s) with s = sqrt(1 - z).
    """
    value = np.ones_like(b)
    for m in range(int(np.ceil(10 / np.sqrt(1 - z))) + 50, 0, -1):
        even = m * (c - b + m - 1) / ((c + 2 * m - 2) * (c + 2 * m - 1))
        odd = (c + m - 2) * (b + m - 1) / ((c + 2 * m - 3) * (c + 2 * m - 2)) if m > 1 else b / c
        value = 1 - odd * z / (1 - even * z / value)
    return 1 / value


def _checked_rows(renewals, lost, weights) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return distinct rows with counts, from which retention can be told.

    Raises
    ------
    ValueError
        No contracts, none lost, none renewed, or rows that cannot be.
    """
    renewals, lost, weights = _rows(renewals, lost, weights)
    if not weights @ (renewals + lost):
        raise ValueError("No contract has come up for renewal yet: there is no retention to estimate.")
    if not weights @ lost:
        raise ValueError("No contract has ended: retention is 1 as far as these data go, and no model can be fitted.")
    if not weights @ renewals:
        raise ValueError("No contract was ever renewed: retention is 0 as far as these data go.")
    return renewals, lost, weights


def _rows(renewals, lost, weights) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    renewals, lost, weights = checked_columns(weights, renewals=renewals, lost=lost)
    if np.any(renewals != np.floor(renewals)) or np.any((lost != 0) & (lost != 1)):
        raise ValueError("renewals are whole numbers, and lost is true or false.")
    first, inverse = distinct_rows(renewals, lost)
    return renewals[first], lost[first].astype(bool), np.bincount(inverse, weights)


def _explain(renewals: np.ndarray, runaway: dict[str, str]) -> str:
    if renewals.max() < 2 and len(set(runaway.values())) < 2:
        return (
            "How much customers differ is not identified: no contract was renewed more than once, which tells the mean "
            "retention alone; take alpha and beta, and what lies ahead, as unknown."
        )
    if set(runaway.values()) == {"grows"} and len(runaway) == len(NAMES):
        return (
            f"No difference between customers is found: the likelihood keeps rising as {in_words(runaway)}, towards "
            "one constant retention for all; take alpha and beta as unknown and the constant retention as the model."
        )
    moving = in_words(runaway) or "alpha and beta move together"
    return (
        f"How much customers differ is not identified: the likelihood is flat, or keeps rising, as {moving}; take "
        "alpha and beta, and what lies ahead, as unknown."
    )


def _check_ahead(discount_rate: float, horizon: float) -> None:
    if not 0 <= discount_rate < np.inf:
        raise ValueError("The discount rate is a share of at least 0 a term: 0.1 for 10 %.")
    if not horizon >= 1 or (np.isfinite(horizon) and horizon % 1):
        raise ValueError("The horizon is at least one renewal, in whole ones.")
