"""The Gamma-Gamma model of spend per purchase.

Source: Fader and Hardie (2013), "The Gamma-Gamma Model of Monetary Value", brucehardie.com/notes/025 (below:
note 025).

Each purchase of a customer is Gamma(p, rate nu) with nu ~ Gamma(q, rate v) over customers, so a customer's
mean spend is p / nu. The model assumes that spend does not depend on how often a customer buys;
`spend_independence` measures that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from helpers.models.fit import (
    Fit,
    Objective,
    checked_columns,
    counted_rows,
    fit_of,
    in_words,
    looked_up,
    maximise,
    spread_sample,
)

NAMES = ("p", "q", "v")


@dataclass(frozen=True)
class GammaGamma:
    """Gamma-Gamma with parameters p, q and v (in units of money), all positive.

    Methods broadcast their arguments. `frequency` counts repeat purchases, `monetary_value` is their mean
    amount; the latter is ignored where frequency is 0.
    """

    p: float
    q: float
    v: float

    def log_likelihood(self, frequency, monetary_value) -> np.ndarray:
        """Log-density of each repeat customer's mean spend (note 025 eq. 1a)."""
        x, m = np.asarray(frequency, float), np.asarray(monetary_value, float)
        p, q, v = self.p, self.q, self.v
        return -special.betaln(p * x, q) - np.log(m) - p * x * np.log1p(v / (m * x)) - q * np.log1p(m * x / v)

    @property
    def population_mean(self) -> float:
        """Mean spend over customers, p v / (q - 1) (note 025); nan when q <= 1, where it is infinite."""
        return self.p * self.v / (self.q - 1) if self.q > 1 else np.nan

    def expected_average_spend(self, frequency, monetary_value) -> np.ndarray:
        """Spend per purchase to expect given the history (note 025 eq. 5): p (v + x m) / (p x + q - 1).

        A customer without a repeat purchase gets the population mean. Where p x + q <= 1, which needs q <= 1,
        the mean is infinite and the result nan.
        """
        x = np.asarray(frequency, float)
        spent = np.where(x > 0, x * np.asarray(monetary_value, float), 0.0)
        weight = self.p * x + self.q - 1
        defined = weight > 0
        return np.where(defined, self.p * (self.v + spent) / np.where(defined, weight, 1), np.nan)

    def spend_draws(self, frequency, monetary_value, rng) -> np.ndarray:
        """One draw of each customer's mean spend p / nu given the history.

        The likelihood of nu from x purchases that sum to x m is proportional to nu^(p x) exp(-nu x m); with
        the prior Gamma(q, v) that makes nu ~ Gamma(p x + q, rate v + x m).
        """
        x = np.asarray(frequency, float)
        spent = np.where(x > 0, x * np.asarray(monetary_value, float), 0.0)
        return self.p * (self.v + spent) / np.maximum(rng.standard_gamma(self.p * x + self.q), 1e-300)


def fit_gamma_gamma(frequency, monetary_value, weights=None) -> Fit:
    """Maximum-likelihood Gamma-Gamma of the repeat customers.

    Parameters
    ----------
    frequency, monetary_value : array_like, shape (n,)
        See `GammaGamma`; both positive, so customers without a repeat purchase or with a mean of 0 stay out.
    weights : array_like, shape (n,), optional
        Number of customers with this row; 1 by default.

    Returns
    -------
    Fit
        With a `GammaGamma` as its model. `problems` says when q is at most 1.

    Raises
    ------
    ValueError
        No customers, missing or negative values, or a frequency or monetary value of 0.
    """
    x, m, counts = checked_columns(weights, frequency=frequency, monetary_value=monetary_value)
    if not (x.min() > 0 and m.min() > 0):
        raise ValueError("The spend model takes only customers with a repeat purchase and a positive mean spend.")
    (x, m), weights = counted_rows(x, m, weights=None if weights is None else counts)

    unit = weights @ m / weights.sum()  # so that the optimum does not depend on the currency
    objective = mean_log_likelihood(x, m / unit, weights)
    starts = [np.log((p, q, max(q - 1, 0.5) / p)) for p, q in ((6, 4), (1, 2), (30, 3), (2, 15))]
    sample = spread_sample(weights)
    rough = None if sample is None else mean_log_likelihood(x[sample[0]], m[sample[0]] / unit, sample[1])
    optimum = maximise(objective, starts, rough, customers=weights.sum())

    p, q, v = (float(value) for value in np.exp(optimum.log_parameters))
    model = GammaGamma(p, q, v * float(unit))
    total = (optimum.value - np.log(unit)) * weights.sum()  # a density of spend in the currency's own units
    fit = fit_of(model, NAMES, optimum, total, weights.sum(), weights.sum(), explain_runaway)
    return with_infinite_mean_named(fit)


def with_infinite_mean_named(fit: Fit) -> Fit:
    """Add the sentence about q <= 1 to the problems of a fit that has it."""
    if not fit.model.q <= 1:
        return fit
    sentence = f"q is {fit.model.q:.3g}, at most 1: the population's mean spend is infinite, so none is given."
    return replace(fit, problems=(*fit.problems, sentence))


def explain_runaway(runaway: dict[str, str]) -> str:
    """Say what it means that the likelihood keeps rising while these parameters grow or shrink."""
    meaning = "a boundary of the model"
    if runaway.get("q") == "grows":
        meaning = "one mean spend for all customers"
    elif runaway.get("p") == "grows":
        meaning = "customers who spend the same at each purchase"
    return (
        f"The spread of spend is not identified: the likelihood keeps rising as {in_words(runaway)}, towards {meaning}."
    )


def mean_log_likelihood(frequency, monetary_value, weights) -> Objective:
    """Mean log-likelihood by log parameters (log p, log q, log v) with gradient and Hessian.

    Parameters
    ----------
    frequency, monetary_value : ndarray, shape (n,)
        Distinct rows, positive.
    weights : ndarray, shape (n,)
        Customers with each.

    Returns
    -------
    callable
        Log parameters, shape (3,) -> value, gradient (3,), Hessian (3, 3), each per customer.
    """
    counts, count_of_row = looked_up(frequency)
    by_count = np.bincount(count_of_row, weights)
    x, spent, customers = frequency, frequency * monetary_value, weights.sum()
    of_data = weights @ np.log(monetary_value)
    psi, psi1 = special.digamma, lambda argument: special.polygamma(1, argument)

    def objective(log_parameters):
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            p, q, v = parameters = np.exp(log_parameters)
            shape = p * counts
            both, both1 = psi(shape + q), psi1(shape + q)
            log_spent, log_prior = -np.log1p(v / spent), -np.log1p(spent / v)  # of x m and v, over v + x m
            denominator = v + spent
            weighted_x = weights * x
            value = (
                -by_count @ special.betaln(shape, q)
                - of_data
                + p * (weighted_x @ log_spent)
                + q * (weights @ log_prior)
            )
            total = p * x + q
            gradient = np.array(
                [
                    by_count @ (counts * (both - psi(shape))) + weighted_x @ log_spent,
                    by_count @ (both - psi(q)) + weights @ log_prior,
                    weights @ (q / v - total / denominator),
                ]
            )
            hessian = np.zeros((3, 3))
            hessian[0, 0] = by_count @ (counts**2 * (both1 - psi1(shape)))
            hessian[0, 1] = hessian[1, 0] = by_count @ (counts * both1)
            hessian[0, 2] = hessian[2, 0] = -(weighted_x @ (1 / denominator))
            hessian[1, 1] = by_count @ (both1 - psi1(q))
            hessian[1, 2] = hessian[2, 1] = weights @ (spent / (v * denominator))
            hessian[2, 2] = weights @ (total / denominator**2 - q / v**2)
            gradient = gradient * parameters
            hessian = hessian * np.outer(parameters, parameters) + np.diag(gradient)
        return value / customers, gradient / customers, hessian / customers

    return objective


def spend_independence(frequency, monetary_value, weights=None, level: float = 0.95) -> tuple[float, float, float]:
    """Correlation of frequency and mean spend over repeat customers, with Fisher's z interval.

    Parameters
    ----------
    frequency, monetary_value : array_like, shape (n,)
        Of repeat customers.
    weights : array_like, shape (n,), optional
        Number of customers with this row.
    level : float
        Of the interval.

    Returns
    -------
    correlation, low, high : float
        Nan where there is no variation; low and high are nan with fewer than four customers.
    """
    frequency, monetary_value, weights = checked_columns(weights, frequency=frequency, monetary_value=monetary_value)
    customers = weights.sum()
    deviations = np.stack([frequency, monetary_value])
    deviations = deviations - (deviations @ weights / customers)[:, None]
    moments = (deviations * weights) @ deviations.T
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = moments[0, 1] / np.sqrt(moments[0, 0] * moments[1, 1])
    if not np.isfinite(correlation) or customers <= 3:
        return float(correlation), np.nan, np.nan
    width = special.ndtri((1 + level) / 2) / np.sqrt(customers - 3)
    z = np.arctanh(np.clip(correlation, -1 + 1e-15, 1 - 1e-15))
    return float(correlation), float(np.tanh(z - width)), float(np.tanh(z + width))
