"""The Pareto/NBD model of repeat purchases and dropout.

Sources: Schmittlein, Morrison and Colombo (1987), "Counting Your Customers: Who Are They and What Will They Do
Next?", Management Science 33(1), 1-24; Fader and Hardie (2005), "A Note on Deriving the Pareto/NBD Model and
Related Expressions", brucehardie.com/notes/009 (below: note 009); Fader, Hardie and Lee (2005), "RFM and CLV: Using
Iso-Value Curves for Customer Base Analysis", Journal of Marketing Research 42(4), 415-430 (below: FHL).

While alive a customer buys as a Poisson process with rate lambda ~ Gamma(r, rate alpha); the customer leaves after
an exponential time with rate mu ~ Gamma(s, rate beta), whether or not there was a purchase. Given the history and
being alive at T, lambda is Gamma(r + frequency, alpha + T) and mu is Gamma(s, beta + T), so that the future is a
Pareto/NBD with these parameters.

The textbook forms with 2F1 overflow or cancel for busy customers. Here the integrals behind them, whose integrands
are positive, are summed by a Gauss-Legendre rule that is accurate to rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from helpers.models.fit import Fit, Objective

from .fitting import fit_histories, in_blocks, poisson_times, runaway_in_words
from .interface import Kind, PurchaseModel

NAMES = ("r", "alpha", "s", "beta")
NODES = 64  # errors stay below 1e-13 for parameters from 1e-3 to 1e4, 3,000 purchases and 36,500 units of time
NARROW = 6.0  # and with half the nodes where the integral reaches over less than e^6 times its smallest scale
NEGLIGIBLE_EXPONENT = 40.0  # e^-40 of an integral is below rounding
NEGLIGIBLE_PROBABILITY = 1e-3  # of leaving between two purchases, when a runaway fit is put into words
BISECTIONS = 60


def _gauss_legendre(nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions and weights on [0, 1], as columns."""
    positions, weights = np.polynomial.legendre.leggauss(nodes)
    return (positions[:, None] + 1) / 2, weights[:, None] / 2


FEW, MANY = _gauss_legendre(NODES // 2), _gauss_legendre(NODES)


@dataclass(frozen=True)
class ParetoNBD(PurchaseModel):
    """Pareto/NBD with parameters r, alpha (in units of time), s and beta (in units of time), all positive.

    Methods broadcast their arguments. `frequency` counts repeat purchases, `recency` is the time from the
    first to the last purchase (0 without a repeat purchase), `T` the time from the first purchase to the end
    of observation; all times and horizons share the unit of alpha and beta.
    """

    r: float
    alpha: float
    s: float
    beta: float

    def log_likelihood(self, frequency, recency, T) -> np.ndarray:
        """Log-likelihood of each customer (note 009 eq. 18).

        L = Gamma(r + x) alpha^r beta^s / Gamma(r) * (alpha + T)^-(r + x) (beta + T)^-s * (1 + odds), where odds
        are those of having left, see `probability_alive`.
        """
        frequency, T = np.asarray(frequency, float), np.asarray(T, float)
        return (
            special.gammaln(self.r + frequency)
            - special.gammaln(self.r)
            - self.r * np.log1p(T / self.alpha)
            - frequency * np.log(self.alpha + T)
            - self.s * np.log1p(T / self.beta)
            + self._log_one_plus_odds_of_having_left(frequency, recency, T)
        )

    def _log_one_plus_odds_of_having_left(self, frequency, recency, T) -> np.ndarray:
        """Log of 1 + the odds in `probability_alive`."""
        return _blockwise(lambda *history: _log_one_plus(_log_odds_terms(self, *history)[0])[0], frequency, recency, T)

    def probability_alive(self, frequency, recency, T) -> np.ndarray:
        """Probability of being alive at T (note 009 eq. 36): 1 / (1 + odds of having left).

        The odds are the integral over the time tau of leaving, from t_x to T, of s / (beta + tau) *
        ((alpha + T) / (alpha + tau))^(r + x) * ((beta + T) / (beta + tau))^s.
        """
        return np.exp(-self._log_one_plus_odds_of_having_left(frequency, recency, T))

    def _future(self, frequency, T) -> ParetoNBD:
        """The model of what a customer who is alive at T does from then on; its parameters are arrays."""
        frequency, T = np.asarray(frequency, float), np.asarray(T, float)
        return ParetoNBD(self.r + frequency, self.alpha + T, self.s, self.beta + T)

    def expected_purchases(self, frequency, recency, T, horizon) -> np.ndarray:
        """Purchases to expect in (T, T + horizon] (note 009 eq. 41)."""
        future = self._future(frequency, T)
        return self.probability_alive(frequency, recency, T) * future.new_customer_expected_purchases(horizon)

    def weighted_expected_purchases(self, frequency, recency, T, horizons, weights) -> np.ndarray:
        """Sum over horizons of weight times expected purchases; see `PurchaseModel`.

        The horizon enters through the expected time as a customer, which depends on T only.
        """
        frequency, T = np.asarray(frequency, float), np.asarray(T, float)
        ages, age_of_row = np.unique(T, return_inverse=True)
        stay = self._future(0, ages[:, None])._expected_stay(np.asarray(horizons, float)) @ np.asarray(weights, float)
        rate = self.probability_alive(frequency, recency, T) * (self.r + frequency) / (self.alpha + T)
        return rate[:, None] * stay[age_of_row]

    def probability_of_purchase(self, frequency, recency, T, horizon) -> np.ndarray:
        """Probability of at least one purchase in (T, T + horizon].

        For a customer who is alive, the integral of the density of the time of the next purchase, lambda
        exp(-lambda tau), times the probability exp(-mu tau) of being there, with lambda and mu integrated out.
        """
        buys_if_alive = _blockwise(
            lambda x, age, length: self._future(x, age)._probability_of_first_purchase(length), frequency, T, horizon
        )
        return self.probability_alive(frequency, recency, T) * buys_if_alive

    def _probability_of_first_purchase(self, horizon) -> np.ndarray:
        """Probability that a new customer buys again within horizon."""
        time, log_weights = _quadrature(self.r + 1, self.alpha, self.s, self.beta, horizon)
        log_terms = -(self.r + 1) * np.log1p(time / self.alpha) - self.s * np.log1p(time / self.beta)
        return np.minimum(self.r / self.alpha * np.exp(log_weights + log_terms).sum(axis=0), 1)

    def new_customer_expected_purchases(self, horizon) -> np.ndarray:
        """Repeat purchases to expect of a new customer within horizon (note 009 eq. 27)."""
        return self.r / self.alpha * self._expected_stay(horizon)

    def _expected_stay(self, horizon) -> np.ndarray:
        """Expected time as a customer within (0, horizon]: beta (1 - (beta / (beta + t))^(s - 1)) / (s - 1).

        Written without its pole at s = 1, where it is beta log(1 + t / beta).
        """
        y = np.log1p(np.asarray(horizon, float) / self.beta)
        return self.beta * y * special.exprel((1 - self.s) * y)

    def purchase_count_probability(self, count, horizon) -> np.ndarray:
        """Probability that a new customer makes exactly `count` repeat purchases within horizon.

        Fader and Hardie (2020), brucehardie.com/notes/012, before the integral is written by 2F1: a negative
        binomial of the time as a customer, which is the horizon or the time tau of leaving, with density s beta^s /
        (beta + tau)^(s + 1).
        """
        return _blockwise(_count_probability, count, horizon, self.r, self.alpha, self.s, self.beta)

    def purchase_count_probability_given_history(self, count, frequency, recency, T, horizon) -> np.ndarray:
        """Probability of exactly `count` purchases in (T, T + horizon] given the history."""
        alive = self.probability_alive(frequency, recency, T)
        if_alive = self._future(frequency, T).purchase_count_probability(count, horizon)
        return alive * if_alive + (1 - alive) * (np.asarray(count) == 0)

    def probability_of_staying(self, frequency, recency, T, horizon) -> np.ndarray:
        """Probability of being still a customer at T + horizon.

        E[exp(-mu t)] = ((beta + T) / (beta + T + t))^s stands beside P(alive): the Pareto distribution of the
        time of leaving, of which the model has its name.
        """
        T, horizon = np.asarray(T, float), np.asarray(horizon, float)
        stays = np.exp(-self.s * np.log1p(horizon / (self.beta + T)))
        return self.probability_alive(frequency, recency, T) * stays

    def expected_duration(self, frequency, recency, T, limit: float) -> np.ndarray:
        """Expected time as a customer within (T, T + limit]: the integral of `probability_of_staying`."""
        return self.probability_alive(frequency, recency, T) * self._future(frequency, T)._expected_stay(limit)

    def discounted_expected_residual_purchases(self, frequency, recency, T, rate: float) -> np.ndarray:
        """Purchases to expect after T, for ever, each discounted by exp(-rate * its time after T) (FHL).

        With z = rate (beta + T), P(alive) (r + x) / (alpha + T) (beta + T) times the integral over w > 0 of
        exp(-z w) (1 + w)^-s, which is FHL's z^(s - 1) Psi(s, s; z).

        Parameters
        ----------
        frequency, recency, T : array_like
            Customers.
        rate : float
            Continuous discount rate per unit of T.

        Returns
        -------
        ndarray
            Of the shape that the arguments broadcast to.

        Raises
        ------
        ValueError
            A rate that is not positive: purchases may then add up without end.
        """
        if not rate > 0:
            raise ValueError(f"The discount rate must be positive, not {rate}.")
        future = self._future(frequency, T)
        stay = future.beta * _blockwise(_discounted_stay, self.s, rate * future.beta)
        return self.probability_alive(frequency, recency, T) * future.r / future.alpha * stay

    def simulate_purchases(self, frequency, recency, T, horizon, rng) -> np.ndarray:
        """One random number of purchases in (T, T + horizon] for each customer.

        Alive with P(alive); then a Poisson number for the time as a customer, with lambda and mu drawn from
        their distributions given the history.
        """
        columns = (np.asarray(v, float) for v in (frequency, recency, T, horizon))
        frequency, recency, T, horizon = np.broadcast_arrays(*columns)
        alive = rng.random(frequency.shape) < self.probability_alive(frequency, recency, T)
        future = self._future(frequency[alive], T[alive])
        rate = rng.standard_gamma(future.r) / future.alpha
        counts = np.zeros(frequency.shape, dtype=np.int64)
        counts[alive] = rng.poisson(rate * np.minimum(horizon[alive], future._random_lifetimes(rate.shape, rng)))
        return counts

    def _random_lifetimes(self, shape, rng) -> np.ndarray:
        """Random times from the first purchase of new customers until they leave."""
        with np.errstate(divide="ignore", over="ignore"):  # a rate of 0 means "never"
            return self.beta * rng.standard_exponential(shape) / rng.standard_gamma(self.s, shape)

    def simulate_histories(self, length, rng) -> tuple[np.ndarray, np.ndarray]:
        """Repeat purchases of new customers, each watched for so long; see `PurchaseModel`."""
        length = np.asarray(length, float)
        rate = rng.standard_gamma(self.r, length.shape) / self.alpha
        return poisson_times(rate, np.minimum(length, self._random_lifetimes(length.shape, rng)), rng)


def _blockwise(function: Callable, *columns) -> np.ndarray:
    """Broadcast the columns and apply a function of flat arrays to blocks of them, to bound the memory."""
    columns = np.broadcast_arrays(*(np.asarray(column, float) for column in columns))
    flat = [column.ravel() for column in columns]
    result = np.empty(columns[0].size)
    for rows in in_blocks(len(result), NODES):
        result[rows] = function(*(column[rows] for column in flat))
    return result.reshape(columns[0].shape)


def _quadrature(p, alpha, q, beta, length) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and log weights for the integral over [0, length] of (1 + t / alpha)^-p (1 + t / beta)^-q.

    Gauss-Legendre in u = log(1 + t / min(alpha, beta)), in which the integrand is smooth at every scale of t. It
    ends where the rest is negligible: beyond t the integral of a falling function times (1 + t / alpha)^-p, p > 1,
    is at most 1 / ((1 + t / alpha)^(p - 1) - 1) of that before.

    Parameters
    ----------
    p, alpha, q, beta, length : array_like, broadcasting to shape (n,)

    Returns
    -------
    time, log_weights : ndarray, shape (nodes, n)
    """
    with np.errstate(over="ignore", divide="ignore"):
        for power, scale in ((p, alpha), (q, beta)):
            negligible = scale * np.expm1(NEGLIGIBLE_EXPONENT / np.maximum(power - 1, 0))
            length = np.minimum(length, negligible)
        nearest = np.minimum(alpha, beta)
        width = np.log1p(length / nearest)
        positions, shares = FEW if np.max(width, initial=0) < NARROW else MANY
        u = positions * width
        return nearest * np.expm1(u), np.log(shares * (width * nearest)) + u


def _log_odds_terms(model, x, t_x, age) -> tuple[np.ndarray, np.ndarray]:
    """Logarithms of the terms whose sum is the odds of having left, and the times tau they stand for.

    Returns
    -------
    log_terms, tau : ndarray, shape (nodes, n)
    """
    r, alpha, s, beta = model.r, model.alpha, model.s, model.beta
    time, log_weights = _quadrature(r + x, alpha + t_x, s + 1, beta + t_x, age - t_x)
    tau, rest = t_x + time, (age - t_x) - time
    log_terms = (
        log_weights
        + np.log(s / (beta + tau))
        + (r + x) * np.log1p(rest / (alpha + tau))
        + s * np.log1p(rest / (beta + tau))
    )
    return log_terms, tau


def _log_one_plus(log_terms) -> tuple[np.ndarray, np.ndarray]:
    """log(1 + sum of terms) for each column, and the share of each term in 1 + the sum."""
    highest = np.maximum(log_terms.max(axis=0), 0)
    shares = np.exp(log_terms - highest)
    total = np.exp(-highest) + shares.sum(axis=0)
    return highest + np.log(total), shares / total


def _count_probability(count, horizon, r, alpha, s, beta) -> np.ndarray:
    """`purchase_count_probability` of flat arrays.

    In u = log(1 + tau / min(alpha, beta)) the integrand over the time tau of leaving is log-concave, so bisection
    finds its top and the interval outside of which it is negligible.
    """
    nearest = np.minimum(alpha, beta)
    log_ways = special.gammaln(r + count) - special.gammaln(r) - special.gammaln(count + 1)

    def log_counted(time):
        """Negative binomial of the number of purchases in so much time as a customer."""
        return log_ways - r * np.log1p(time / alpha) + special.xlogy(count, time / (alpha + time))

    def log_integrand(u):
        time = nearest * np.expm1(u)
        return log_counted(time) + np.log(s / beta * nearest) + u - (s + 1) * np.log1p(time / beta)

    def slope(u):
        time = nearest * np.expm1(u)
        falls = (r * time - count * alpha) / (time * (alpha + time)) + (s + 1) / (beta + time)
        return 1 - (nearest + time) * falls

    with np.errstate(divide="ignore", invalid="ignore"):
        end = np.log1p(horizon / nearest)
        top = _crossing(slope, np.zeros_like(end), end)
        floor = log_integrand(top) - NEGLIGIBLE_EXPONENT
        low = _crossing(lambda u: floor - log_integrand(u), np.zeros_like(end), top)
        high = _crossing(lambda u: log_integrand(u) - floor, top, end)
        left = MANY[1] * (high - low) * np.exp(log_integrand(low + MANY[0] * (high - low)))
        there = np.exp(log_counted(horizon) - s * np.log1p(horizon / beta))
    return there + left.sum(axis=0)


def _crossing(function: Callable, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Where a function that is positive before and negative after a point of [low, high] changes its sign."""
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        before = function(middle) > 0
        low, high = np.where(before, middle, low), np.where(before, high, middle)
    return (low + high) / 2


def _discounted_stay(s, z) -> np.ndarray:
    """Integral over w > 0 of exp(-z w) (1 + w)^-s, for flat arrays; Gauss-Legendre in log(1 + w)."""
    with np.errstate(divide="ignore"):
        end = np.minimum(np.log1p(NEGLIGIBLE_EXPONENT / z), NEGLIGIBLE_EXPONENT / np.maximum(s - 1, 0))
    positions, shares = MANY
    v = positions * end
    return (shares * end * np.exp((1 - s) * v - z * np.expm1(v))).sum(axis=0)


def fit_pareto_nbd(frequency, recency, T, weights=None) -> Fit:
    """Maximum-likelihood Pareto/NBD of customers, in the unit of their times.

    Parameters
    ----------
    frequency, recency, T : array_like, shape (n,)
        See `ParetoNBD`. Identical rows are grouped here; grouping them before only saves memory.
    weights : array_like, shape (n,), optional
        Number of customers with this row; 1 by default.

    Returns
    -------
    Fit
        With a `ParetoNBD` as its model. `problems` says when dropout or the rates are not identified.

    Raises
    ------
    ValueError
        No customers, no repeat purchase at all, or rows that no history can give: missing or negative values,
        recency beyond T, a recency without repeat purchases, a frequency that is not whole.
    """
    return fit_histories(
        NAMES, ParetoNBD, mean_log_likelihood, _starts, explain_runaway, frequency, recency, T, weights
    )


def _starts(rate: float) -> list[tuple[float, ...]]:
    return [(r, r / rate, s, beta) for r, s, beta in ((0.5, 0.5, 0.3), (1, 1, 1), (0.2, 0.2, 0.05), (3, 3, 5))]


def explain_runaway(model: ParetoNBD, runaway: dict[str, str]) -> str:
    """Say what it means that the likelihood keeps rising while these parameters grow or shrink."""
    return runaway_in_words(runaway, ("s", "beta"), _dropout_in_words(model))


def _dropout_in_words(model: ParetoNBD) -> str:
    between_purchases = model.alpha / model.r
    stays = np.exp(-model.s * np.log1p(between_purchases / model.beta))
    if stays > 1 - NEGLIGIBLE_PROBABILITY:
        return "nobody ever leaves"
    if stays < NEGLIGIBLE_PROBABILITY:
        return "everyone leaves at once"
    if model.s > 1:
        return f"every customer leaves at the same rate {model.s / model.beta:.3g}"
    return "customers leave either at once or never"


def mean_log_likelihood(frequency, recency, T, weights) -> Objective:
    """Mean log-likelihood by log parameters (log r, log alpha, log s, log beta) with gradient and Hessian.

    Parameters
    ----------
    frequency, recency, T : ndarray, shape (n,)
        Distinct histories.
    weights : ndarray, shape (n,)
        Customers with each.

    Returns
    -------
    callable
        Log parameters, shape (4,) -> value, gradient (4,), Hessian (4, 4), each per customer.
    """
    counts, count_of_row = np.unique(frequency, return_inverse=True)
    by_count = np.bincount(count_of_row, weights)  # the gamma functions need each frequency once
    arrays_at_once = 16  # of nodes by rows
    blocks = in_blocks(len(T), arrays_at_once * NODES)
    blocks = [(frequency[rows], recency[rows], T[rows], weights[rows]) for rows in blocks]
    customers = weights.sum()

    def objective(log_parameters):
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            parameters = np.exp(log_parameters)
            model = ParetoNBD(*parameters)
            value, gradient, hessian = _gamma_terms(model, counts, by_count)
            for x, t_x, age, share in blocks:
                for terms in (_still_there(model, x, age, share), _may_have_left(model, x, t_x, age, share)):
                    value, gradient, hessian = value + terms[0], gradient + terms[1], hessian + terms[2]
            gradient = gradient * parameters
            hessian = hessian * np.outer(parameters, parameters) + np.diag(gradient)
        return value / customers, gradient / customers, hessian / customers

    return objective


def _gamma_terms(model, x, weights):
    """Sum of log Gamma(r + x) / Gamma(r), with natural-scale derivatives."""
    value = weights @ (special.gammaln(model.r + x) - special.gammaln(model.r))
    gradient, hessian = np.zeros(4), np.zeros((4, 4))
    gradient[0] = weights @ (special.digamma(model.r + x) - special.digamma(model.r))
    hessian[0, 0] = weights @ (special.polygamma(1, model.r + x) - special.polygamma(1, model.r))
    return value, gradient, hessian


def _still_there(model, x, age, weights):
    """-r log(1 + T / alpha) - x log(alpha + T) - s log(1 + T / beta), summed, with derivatives."""
    r, alpha, s, beta = model.r, model.alpha, model.s, model.beta
    log_alpha, log_beta = np.log1p(age / alpha), np.log1p(age / beta)
    after, after_beta = 1 / (alpha + age), 1 / (beta + age)
    value = weights @ (-r * log_alpha - x * np.log(alpha + age) - s * log_beta)
    rates = [-(weights @ log_alpha), weights @ (r / alpha - (r + x) * after)]
    dropout = [-(weights @ log_beta), s * (weights @ (1 / beta - after_beta))]
    hessian = np.zeros((4, 4))
    hessian[0, 1] = hessian[1, 0] = weights @ (1 / alpha - after)
    hessian[1, 1] = weights @ ((r + x) * after**2 - r / alpha**2)
    hessian[2, 3] = hessian[3, 2] = weights @ (1 / beta - after_beta)
    hessian[3, 3] = s * (weights @ (after_beta**2 - 1 / beta**2))
    return value, np.array(rates + dropout), hessian


def _may_have_left(model, x, t_x, age, weights):
    """log(1 + odds of having left), summed, with derivatives: those of the terms, at nodes that stay where they are.

    With shares p_i of the terms in 1 + odds, the gradient is g = sum p_i g_i and the Hessian sum p_i (H_i + g_i g_i')
    - g g'.
    """
    r, alpha, s, beta = model.r, model.alpha, model.s, model.beta
    log_terms, tau = _log_odds_terms(model, x, t_x, age)
    value, shares = _log_one_plus(log_terms)
    by_alpha, by_beta = 1 / (alpha + tau), 1 / (beta + tau)
    at_alpha, at_beta = 1 / (alpha + age), 1 / (beta + age)
    closer_alpha, closer_beta = at_alpha - by_alpha, at_beta - by_beta
    slopes = np.stack(
        [
            np.log((alpha + age) * by_alpha),
            (r + x) * closer_alpha,
            1 / s + np.log((beta + age) * by_beta),
            s * closer_beta - by_beta,
        ]
    )
    slope = np.einsum("mn,kmn->kn", shares, slopes)
    shares = shares * weights
    flat = slopes.reshape(4, -1)
    hessian = (flat * shares.ravel()) @ flat.T - (slope * weights) @ slope.T
    hessian[0, 1] += np.vdot(shares, closer_alpha)
    hessian[1, 1] -= np.vdot(shares, (r + x) * closer_alpha * (at_alpha + by_alpha))
    hessian[2, 2] -= shares.sum() / s**2
    hessian[2, 3] += np.vdot(shares, closer_beta)
    hessian[3, 3] -= np.vdot(shares, s * closer_beta * (at_beta + by_beta) - by_beta**2)
    hessian[1, 0], hessian[3, 2] = hessian[0, 1], hessian[2, 3]
    return weights @ value, slope @ weights, hessian


KIND = Kind(
    name="pareto_nbd",
    label="Pareto/NBD",
    source="Schmittlein, Morrison & Colombo 1987, Management Science 33(1), 1-24",
    fit=fit_pareto_nbd,
)
