"""The BG/NBD model of repeat purchases and dropout.

Sources: Fader, Hardie and Lee (2005), "Counting Your Customers the Easy Way: An Alternative to the Pareto/NBD
Model", Marketing Science 24(2), 275-284 (below: FHL); Fader, Hardie and Lee (2008), "Computing P(alive) Using
the BG/NBD Model", brucehardie.com/notes/021 (below: note 021).

While alive a customer buys as a Poisson process with rate lambda ~ Gamma(r, rate alpha); after each repeat
purchase the customer leaves with probability p ~ Beta(a, b). Given the history and being alive at T, lambda
is Gamma(r + frequency, alpha + T) and p is Beta(a, b + frequency), so that the future is a BG/NBD with these
parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from helpers.models.fit import Fit, Objective, distinct_rows, looked_up

from .fitting import fit_histories, poisson_times, rank_within, runaway_in_words
from .interface import Kind, PurchaseModel

NAMES = ("r", "alpha", "a", "b")
PRECISION = 1e-16  # of the series, relative
MOST_TERMS = 10_000_000
LARGEST_EXPONENT = 500.0  # of the closed form's power; exp overflows at 709
LARGEST_CANCELLATION = 1e4
NEGLIGIBLE_PROBABILITY = 1e-3  # of dropout, when a runaway fit is put into words
ROWS_IN_CACHE = 16_384  # rows that a pass of the fit takes at once
DURATION_NODES = 32  # of the Gauss-Legendre rule; the integrand is smooth and falls


@dataclass(frozen=True)
class BGNBD(PurchaseModel):
    """BG/NBD with parameters r, alpha (in units of time), a and b, all positive.

    Methods broadcast their arguments. `frequency` counts repeat purchases, `recency` is the time from the
    first to the last purchase (0 without a repeat purchase), `T` the time from the first purchase to the end
    of observation; all times and horizons share the unit of alpha.
    """

    r: float
    alpha: float
    a: float
    b: float

    def log_likelihood(self, frequency, recency, T) -> np.ndarray:
        """Log-likelihood of each customer (FHL eq. 3 and section 4.1, note 021's form).

        L = B(a, b + x) / B(a, b) * Gamma(r + x) alpha^r / Gamma(r) * (alpha + T)^-(r + x) * (1 + odds),
        where odds are those of having left after the last purchase, see `probability_alive`.
        """
        frequency, T = np.asarray(frequency, float), np.asarray(T, float)
        return (
            special.betaln(self.a, self.b + frequency)
            - special.betaln(self.a, self.b)
            + special.gammaln(self.r + frequency)
            - special.gammaln(self.r)
            - self.r * np.log1p(T / self.alpha)
            - frequency * np.log(self.alpha + T)
            + np.logaddexp(0, self._log_odds_of_having_left(frequency, recency, T))
        )

    def _log_odds_of_having_left(self, frequency, recency, T) -> np.ndarray:
        """Log of a / (b + x - 1) * ((alpha + T) / (alpha + t_x))^(r + x); -infinity where x is 0."""
        frequency, recency, T = np.broadcast_arrays(*(np.asarray(v, float) for v in (frequency, recency, T)))
        last = np.maximum(frequency, 1)
        log_odds = np.log(self.a / (self.b + last - 1)) + (self.r + last) * np.log1p(
            (T - recency) / (self.alpha + recency)
        )
        return np.where(frequency > 0, log_odds, -np.inf)

    def probability_alive(self, frequency, recency, T) -> np.ndarray:
        """Probability of being alive at T (note 021): 1 / (1 + odds of having left).

        It is 1 for everyone without a repeat purchase, because the model lets customers leave only after one.
        """
        return special.expit(-self._log_odds_of_having_left(frequency, recency, T))

    def expected_purchases(self, frequency, recency, T, horizon) -> np.ndarray:
        """Purchases to expect in (T, T + horizon] (FHL eq. 10), see `expected_purchases_if_alive`."""
        return self.probability_alive(frequency, recency, T) * self.expected_purchases_if_alive(frequency, T, horizon)

    def expected_purchases_if_alive(self, frequency, T, horizon) -> np.ndarray:
        """Purchases to expect in (T, T + horizon] of a customer who is alive at T.

        The factor of FHL eq. 10 beside P(alive), in a form without its poles at a = 1 and a + b + x = 1:
        Euler's transformation of its 2F1, whose first term cancels the 1 in front. It depends on the
        frequency and on horizon / (alpha + T) only, and is computed once for each distinct frequency, T and horizon.
        """
        columns = np.broadcast_arrays(*(np.asarray(v, float) for v in (frequency, T, horizon)))
        x, age, length = (column.ravel() for column in columns)
        first, inverse = distinct_rows(x, age, length)
        ratio = length[first] / (self.alpha + age[first])
        return self._future_purchases(x[first], ratio)[inverse].reshape(columns[0].shape)

    def _future_purchases(self, x: np.ndarray, ratio: np.ndarray) -> np.ndarray:
        """Purchases to expect if alive, for flat arrays of frequency and horizon / (alpha + T).

        With eps = a - 1, C = a + b + x - 1, A = a + b - 1 - r, z = ratio / (1 + ratio) the closed form is C
        (1 - (1 - z)^eps) / eps - (1 - z)^eps A z S, with S = sum_j (A+1)_j (a)_j / ((C+1)_j (2)_j) z^j. It
        loses digits where its two parts nearly cancel (C far above r + x, a large negative A) and overflows
        for a very large a; there the sum of positive terms in `_purchases_by_count` is used, which never does
        but may need more terms.
        """
        eps, A = self.a - 1, self.a + self.b - 1 - self.r
        C = self.a + self.b + x - 1
        exponent = eps * np.log1p(ratio)
        closed = (C <= LARGEST_CANCELLATION * (self.r + x)) & (A >= -C - 4) & (np.abs(exponent) <= LARGEST_EXPONENT)
        result = np.empty_like(ratio)
        result[~closed] = self._purchases_by_count(x[~closed], ratio[~closed])
        C, ratio, exponent = C[closed], ratio[closed], exponent[closed]
        z = ratio / (1 + ratio)
        # (1 - (1 - z)^eps) / eps, which tends to -log(1 - z) as eps tends to 0
        first = C * np.log1p(ratio) * special.exprel(-exponent)
        result[closed] = first - np.exp(-exponent) * A * z * _closed_form_series(A, self.a, C, z)
        return result

    def _purchases_by_count(self, x: np.ndarray, ratio: np.ndarray) -> np.ndarray:
        """Sum over j >= 1 of P(at least j purchases were nobody to leave) * P(still there before the j-th).

        The first is a negative binomial's upper tail, I_z(j, r + x); the second (b + x)_(j-1) / (a + b +
        x)_(j-1).
        """
        z, stay = ratio / (1 + ratio), self.b + x
        total, stays = np.zeros_like(ratio), np.ones_like(ratio)
        active, j = np.flatnonzero(z > 0), 1.0
        while active.size and j < MOST_TERMS:
            counts = j + np.arange(_block_length(active.size))
            rate, odds = self.r + x[active, None], z[active, None]
            reached = special.betainc(counts, rate, odds)
            next_stays = (stay[active, None] + counts - 1) / (self.a + stay[active, None] + counts - 1)
            still_there = stays[active, None] * np.cumprod(next_stays, axis=1)  # before the j + 1-th
            total[active] += reached[:, 0] * stays[active] + (reached[:, 1:] * still_there[:, :-1]).sum(axis=1)
            stays[active] = still_there[:, -1]
            j += len(counts)
            # the rest is below its first term times a geometric series, or times the sum of all later stays
            shrink = np.maximum(odds * (rate + j) / (j + 1), odds)[:, 0]
            times = np.where(shrink < 1, 1 / (1 - np.minimum(shrink, 1 - 1e-16)), np.inf)
            if self.a > 1:
                times = np.minimum(times, (self.a + stay[active] + j - 2) / (self.a - 1))
            active = active[~(reached[:, -1] * stays[active] * times <= PRECISION * total[active])]
        return total

    def weighted_expected_purchases(self, frequency, recency, T, horizons, weights) -> np.ndarray:
        """Sum over horizons of weight times expected purchases, at the price of a few of its terms.

        For each frequency, expected purchases if alive, divided by horizon / (alpha + T), are a smooth
        function of y = log(1 + horizon / (alpha + T)) alone. It is interpolated by a Chebyshev polynomial to
        a relative 1e-13, and the weighted sum over horizons then needs the polynomial only.

        Parameters
        ----------
        frequency, recency, T : array_like, shape (n,)
            Customers.
        horizons : array_like, shape (k,)
            Lengths of time after T.
        weights : array_like, shape (k, w)
            One column for each weighted sum.

        Returns
        -------
        ndarray, shape (n, w)
        """
        sums = self._weighted_sums_if_alive(frequency, T, horizons, weights)
        return sums * self.probability_alive(frequency, recency, T)[:, None]

    def _weighted_sums_if_alive(self, frequency, T, horizons, weights) -> np.ndarray:
        """`weighted_expected_purchases` of customers who are alive at T."""
        horizons, weights = np.asarray(horizons, float), np.asarray(weights, float)
        frequency, T = np.asarray(frequency, float), np.asarray(T, float)
        first, pair_of_row = distinct_rows(frequency, T)
        x, x_of_pair = np.unique(frequency[first], return_inverse=True)
        ages, age_of_pair = np.unique(T[first], return_inverse=True)
        ratio = horizons / (self.alpha + ages[:, None])
        if not np.any(ratio > 0):
            return np.zeros((len(frequency), weights.shape[1]))
        y = np.log1p(ratio)
        coefficients = self._interpolate(x, y.max())
        sums = np.empty((len(ages), coefficients.shape[1], weights.shape[1]))
        position = 2 * y / y.max() - 1
        before, current = position, np.ones_like(position)  # T_-1 = T_1 and T_0
        for degree in range(coefficients.shape[1]):
            sums[:, degree] = (ratio * current) @ weights
            before, current = current, 2 * position * current - before
        of_pair = np.einsum("nd,ndw->nw", coefficients[x_of_pair], sums[age_of_pair])
        return of_pair[pair_of_row]

    def _interpolate(self, x: np.ndarray, highest: float) -> np.ndarray:
        """Chebyshev coefficients on [0, highest] for each frequency, doubled until the last ones vanish."""
        for nodes in (16, 32, 64, 128, 256):
            angles = (np.arange(nodes) + 0.5) * np.pi / nodes
            ratio = np.expm1((np.cos(angles) + 1) / 2 * highest)
            grid = np.broadcast_to(ratio, (len(x), nodes))
            values = self._future_purchases(np.repeat(x, nodes), grid.ravel()).reshape(grid.shape) / ratio
            coefficients = values @ np.cos(np.outer(angles, np.arange(nodes))) * (2 / nodes)
            coefficients[:, 0] /= 2
            if np.all(np.abs(coefficients[:, -3:]) <= 1e-13 * np.abs(coefficients[:, :1])):
                break
        return coefficients

    def probability_of_purchase(self, frequency, recency, T, horizon) -> np.ndarray:
        """Probability of at least one purchase in (T, T + horizon].

        A customer who is alive buys before anything else can happen, and does so with probability 1 -
        E[exp(-lambda t)] = 1 - ((alpha + T) / (alpha + T + t))^(r + x), since lambda given the history and
        being alive is Gamma(r + x, alpha + T) and E[exp(-lambda t)] is its Laplace transform. P(alive) stands
        in front.
        """
        frequency, T = np.asarray(frequency, float), np.asarray(T, float)
        buys_if_alive = -np.expm1(-(self.r + frequency) * np.log1p(horizon / (self.alpha + T)))
        return self.probability_alive(frequency, recency, T) * buys_if_alive

    def new_customer_expected_purchases(self, horizon) -> np.ndarray:
        """Repeat purchases to expect of a new customer within horizon (FHL eq. 9)."""
        return self.expected_purchases_if_alive(0, 0, horizon)

    def purchase_count_probability(self, count, horizon) -> np.ndarray:
        """Probability that a new customer makes exactly `count` repeat purchases within horizon (FHL eq. 8).

        The sum over j < count in eq. 8 is a negative binomial distribution function; its complement is the
        regularised incomplete beta function I_z(count, r), which keeps its digits however small it is.
        """
        count, horizon = np.broadcast_arrays(np.asarray(count, float), np.asarray(horizon, float))
        z = horizon / (self.alpha + horizon)
        stays = np.exp(special.betaln(self.a, self.b + count) - special.betaln(self.a, self.b))
        log_counted = (
            special.gammaln(self.r + count)
            - special.gammaln(self.r)
            - special.gammaln(count + 1)
            - self.r * np.log1p(horizon / self.alpha)
            + special.xlogy(count, z)
        )
        last = np.maximum(count, 1)
        leaves = np.exp(special.betaln(self.a + 1, self.b + last - 1) - special.betaln(self.a, self.b))
        left = np.where(count > 0, leaves * special.betainc(last, self.r, z), 0)
        return stays * np.exp(log_counted) + left

    def purchase_count_probability_given_history(self, count, frequency, recency, T, horizon) -> np.ndarray:
        """Probability of exactly `count` purchases in (T, T + horizon] given the history.

        If alive, the future is a BG/NBD with r + x, alpha + T, a, b + x; if not, the count is 0.
        """
        frequency, T = np.asarray(frequency, float), np.asarray(T, float)
        future = BGNBD(self.r + frequency, self.alpha + T, self.a, self.b + frequency)
        alive = self.probability_alive(frequency, recency, T)
        return alive * future.purchase_count_probability(count, horizon) + (1 - alive) * (np.asarray(count) == 0)

    def probability_of_staying(self, frequency, recency, T, horizon) -> np.ndarray:
        """Probability of being still a customer at T + horizon.

        A customer alive at T leaves at rate lambda p, so has left by T + t with probability E[1 - exp(-lambda p t)],
        while expected purchases are E[(1 - exp(-lambda p t)) / p]. With p ~ Beta(a, b + x) the factor p between the
        two turns the density into a / (a + b + x) times that of Beta(a + 1, b + x).

        Returns
        -------
        ndarray
            Of the shape that the arguments broadcast to.
        """
        leaving = self._mean_dropout(frequency) * self._leaning_to_dropout().expected_purchases_if_alive(
            frequency, T, horizon
        )
        return self.probability_alive(frequency, recency, T) * np.maximum(1 - leaving, 0)

    def expected_duration(self, frequency, recency, T, limit: float) -> np.ndarray:
        """Expected time as a customer within (T, T + limit]: the integral of `probability_of_staying`.

        Returns
        -------
        ndarray, shape (n,)
            In the unit of T, at most `limit`.
        """
        nodes, weights = np.polynomial.legendre.leggauss(DURATION_NODES)
        lost = self._mean_dropout(frequency) * self._leaning_to_dropout()._weighted_sums_if_alive(
            frequency, T, limit * (1 + nodes) / 2, weights[:, None] * limit / 2
        ).squeeze(axis=1)
        return self.probability_alive(frequency, recency, T) * np.maximum(limit - lost, 0)

    def _mean_dropout(self, frequency) -> np.ndarray:
        """Mean of p given the history and being alive."""
        return self.a / (self.a + self.b + np.asarray(frequency, float))

    def _leaning_to_dropout(self) -> BGNBD:
        """The model whose density of p is this one's times p."""
        return BGNBD(self.r, self.alpha, self.a + 1, self.b)

    def simulate_purchases(self, frequency, recency, T, horizon, rng) -> np.ndarray:
        """One random number of purchases in (T, T + horizon] for each customer.

        Alive with P(alive); then the smaller of a Poisson number of purchases and the geometric number after
        which the customer leaves, with lambda and p drawn from their distributions given the history.
        """
        columns = (np.asarray(v, float) for v in (frequency, recency, T, horizon))
        frequency, recency, T, horizon = np.broadcast_arrays(*columns)
        alive = rng.random(frequency.shape) < self.probability_alive(frequency, recency, T)
        x, age, length = frequency[alive], T[alive], horizon[alive]
        purchases = rng.poisson(rng.standard_gamma(self.r + x) / (self.alpha + age) * length)
        # a dropout probability that underflows to 0 means "never", which numpy's geometric refuses
        until_leaving = rng.geometric(np.maximum(rng.beta(self.a, self.b + x), 1e-18))
        counts = np.zeros(frequency.shape, dtype=np.int64)
        counts[alive] = np.minimum(purchases, until_leaving)
        return counts

    def simulate_histories(self, length, rng) -> tuple[np.ndarray, np.ndarray]:
        """Repeat purchases of new customers, each watched for so long; see `PurchaseModel`."""
        length = np.asarray(length, float)
        customer, time = poisson_times(rng.gamma(self.r, 1 / self.alpha, len(length)), length, rng)
        until_leaving = rng.geometric(np.maximum(rng.beta(self.a, self.b, len(length)), 1e-18))
        made = rank_within(customer) < until_leaving[customer]
        return customer[made], time[made]


def _closed_form_series(A: float, a: float, C: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Sum over j >= 0 of (A+1)_j (a)_j / ((C+1)_j (2)_j) z^j."""
    tail, term, active, j = np.zeros_like(z), np.ones_like(z), np.arange(len(z)), 0.0
    while active.size and j < MOST_TERMS:
        steps = j + np.arange(_block_length(active.size))
        ratios = (A + 1 + steps) * (a + steps) / (2 + steps) / (C[active, None] + 1 + steps) * z[active, None]
        terms = term[active, None] * np.cumprod(ratios, axis=1)
        tail[active] += terms.sum(axis=1)  # without the leading 1, which would round the small terms off
        term[active] = terms[:, -1]
        shrink = np.maximum(np.abs(ratios[:, -1]), z[active])
        rest = np.abs(terms[:, -1]) * shrink / np.where(shrink < 1, 1 - shrink, np.nan)
        active = active[~(rest <= PRECISION * np.abs(1 + tail[active]))]
        j += len(steps)
    return 1 + tail


def _block_length(rows: int) -> int:
    """Terms of a series to compute at once: many for few rows, so that blocks stay in the cache."""
    return int(np.clip(2**15 // rows, 8, 4096))


def fit_bg_nbd(frequency, recency, T, weights=None) -> Fit:
    """Maximum-likelihood BG/NBD of customers, in the unit of their times.

    Parameters
    ----------
    frequency, recency, T : array_like, shape (n,)
        See `BGNBD`. Identical rows are grouped here; grouping them before only saves memory.
    weights : array_like, shape (n,), optional
        Number of customers with this row; 1 by default.

    Returns
    -------
    Fit
        With a `BGNBD` as its model. `problems` says when dropout or the rates are not identified.

    Raises
    ------
    ValueError
        No customers, no repeat purchase at all, or rows that no history can give: missing or negative values,
        recency beyond T, a recency without repeat purchases, a frequency that is not whole.
    """
    return fit_histories(NAMES, BGNBD, mean_log_likelihood, _starts, explain_runaway, frequency, recency, T, weights)


def _starts(rate: float) -> list[tuple[float, ...]]:
    return [(r, r / rate, a, b) for r, a, b in ((0.3, 0.8, 2.5), (1, 1, 3), (0.1, 0.1, 0.5), (3, 0.2, 5))]


def explain_runaway(
    model: BGNBD, runaway: dict[str, str], first_chance: str = "after their first repeat purchase"
) -> str:
    """Say what it means that the likelihood keeps rising while these parameters grow or shrink.

    `first_chance` is when customers can leave first.
    """
    return runaway_in_words(runaway, ("a", "b"), _dropout_in_words(model.a, model.b, first_chance))


def _dropout_in_words(a: float, b: float, first_chance: str) -> str:
    probability = a / (a + b)
    if probability < NEGLIGIBLE_PROBABILITY:
        return "nobody ever leaves"
    if probability > 1 - NEGLIGIBLE_PROBABILITY:
        return f"all leave {first_chance}"
    if a + b > 1:
        return f"every customer has the same dropout probability {probability:.3g}"
    return f"customers leave either {first_chance} or never"


def mean_log_likelihood(frequency, recency, T, weights) -> Objective:
    """Mean log-likelihood by log parameters (log r, log alpha, log a, log b) with gradient and Hessian.

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
    return likelihood_by_weights(frequency, recency, T)(weights)


def likelihood_by_weights(frequency, recency, T) -> Callable[[np.ndarray], Objective]:
    """`mean_log_likelihood` of the same distinct histories for any number of customers with each.

    What does not depend on these numbers is computed once, which counts where a bootstrap asks hundreds of times.
    """
    times_bought, repeated = frequency.astype(np.int64), frequency > 0
    ages, age = looked_up(T)
    recencies, last = looked_up(recency[repeated])
    rows = frequency[repeated], times_bought[repeated] - 1, last, age[repeated]
    blocks = [slice(start, start + ROWS_IN_CACHE) for start in range(0, len(last), ROWS_IN_CACHE)]

    def of_weights(weights: np.ndarray) -> Objective:
        more_than = np.cumsum(np.bincount(times_bought, weights)[:0:-1])[::-1]
        at_age, bought_at_age = np.bincount(age, weights), np.bincount(age, weights * frequency)
        repeaters = (*rows, weights[repeated])
        repeaters_in_blocks = [tuple(column[block] for column in repeaters) for block in blocks]
        customers = weights.sum()

        def objective(log_parameters):
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                parameters = np.exp(log_parameters)
                parts = (
                    _gamma_terms(parameters, more_than),
                    _age_terms(parameters, ages, at_age, bought_at_age),
                    *_odds_terms(parameters, len(more_than), recencies, ages, repeaters_in_blocks),
                )
                value, gradient, hessian = (sum(terms) for terms in zip(*parts, strict=True))
                gradient = gradient * parameters
                hessian = hessian * np.outer(parameters, parameters) + np.diag(gradient)
            return value / customers, gradient / customers, hessian / customers

        return objective

    return of_weights


def _gamma_terms(parameters, more_than):
    """Sum of log Gamma(r + x) / Gamma(r) + log B(a, b + x) / B(a, b), with natural-scale derivatives.

    Gamma(s + x) / Gamma(s) = s (s + 1) ... (s + x - 1): the factor s + j enters for the `more_than[j]` customers with x
    above j. Unlike differences of gamma functions this loses no digits where s is large.
    """
    r, _, a, b = parameters
    factors = np.array([[r], [b], [a + b]]) + np.arange(len(more_than))
    inverse = 1 / factors
    of_rate, of_stays, of_both = np.log(factors) @ more_than
    by_rate, by_stays, by_both = inverse @ more_than
    by_rate_twice, by_stays_twice, by_both_twice = -(inverse**2) @ more_than
    hessian = np.zeros((4, 4))
    hessian[0, 0] = by_rate_twice
    hessian[2:, 2:] = -by_both_twice
    hessian[3, 3] += by_stays_twice
    return of_rate + of_stays - of_both, np.array([by_rate, 0, -by_both, by_stays - by_both]), hessian


def _age_terms(parameters, age, customers, purchases):
    """Sum of -r log(1 + T / alpha) over customers and of -log(alpha + T) over repeat purchases, by age."""
    r, alpha, _, _ = parameters
    log_share, after = -np.log1p(age / alpha), alpha + age
    by_alpha = 1 / alpha - 1 / after
    value = r * (customers @ log_share) - purchases @ np.log(after)
    gradient = np.array([customers @ log_share, r * (customers @ by_alpha) - purchases @ (1 / after), 0, 0])
    hessian = np.zeros((4, 4))
    hessian[0, 1] = hessian[1, 0] = customers @ by_alpha
    hessian[1, 1] = r * (customers @ (after**-2 - alpha**-2)) + purchases @ after**-2
    return value, gradient, hessian


def _odds_terms(parameters, most, recencies, ages, blocks):
    """Sum of log(1 + odds of having left) over each block of repeat customers, none of whom bought more than `most`.

    A block holds columns: their frequency x, x - 1, the places of recency and T in `recencies` and `ages`, weights.
    """
    r, alpha, a, b = parameters
    stays = b + np.arange(most)
    log_leaves, by_stays = np.log(a / stays), -1 / stays
    at_last, at_end = (_log_and_derivatives(alpha + times) for times in (recencies, ages))
    for x, x_less_one, last, age, weights in blocks:
        silence, closer, bend = at_end.take(age, axis=1) - at_last.take(last, axis=1)
        rate = r + x
        log_odds = log_leaves.take(x_less_one) + rate * silence
        # one exponential gives both the probability of having left and log(1 + odds), and cannot overflow
        tail = np.exp(-np.abs(log_odds))
        both = 1 + tail
        left = np.where(log_odds > 0, 1, tail) / both
        slopes = np.stack([silence, rate * closer, np.full(len(x), 1 / a), by_stays.take(x_less_one)])
        weighted = weights * left

        value = weights @ (np.maximum(log_odds, 0) + np.log(both))
        hessian = (slopes * (weighted * (1 - left))) @ slopes.T
        hessian[0, 1] += weighted @ closer
        hessian[1, 0] += weighted @ closer
        hessian[1, 1] += weighted @ (rate * bend)
        hessian[2, 2] -= weighted.sum() / a**2
        hessian[3, 3] += weighted @ slopes[3] ** 2
        yield value, slopes @ weighted, hessian


def _log_and_derivatives(v) -> np.ndarray:
    """Logarithm with its first and second derivative, shape (3, n)."""
    return np.stack([np.log(v), 1 / v, -1 / v**2])


KIND = Kind(
    name="bg_nbd",
    label="BG/NBD",
    source="Fader, Hardie & Lee 2005, Marketing Science 24(2), 275-284",
    fit=fit_bg_nbd,
)
