"""The MBG/CNBD-k and BG/CNBD-k models: MBG/NBD and BG/NBD for customers who buy at regular times.

Sources: Platzer and Reutterer (2016), "Ticking Away the Moments: Timing Regularity Helps to Better Predict Customer
Activity", Marketing Science 35(5), 779-799, on why regularity matters; Reutterer, Platzer and Schroeder (2021),
"Leveraging purchase regularity for predicting customer behavior the easy way", International Journal of Research in
Marketing 38(1), 194-215 (below: RPS).

A purchase takes k steps, which come as a Poisson process with rate lambda ~ Gamma(r, rate alpha): gaps between
purchases are Erlang-k, and the more regular the larger k is. k = 1 is the MBG/NBD (BG/NBD). After each purchase, the
first one included (not included in BG/CNBD-k), the customer leaves with probability p ~ Beta(a, b).

Given the history, being alive at T and j < k steps since the last purchase, lambda is Gamma(r + k x + j, alpha + T)
and p is Beta(a, b + x + d), where d is 1 with the chance of leaving at the start and 0 without. The steps taken are
not seen; their probabilities are the shares of the likelihood's terms. Predictions are exact mixtures over j, where
RPS' software approximates.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.polynomial import chebyshev
from scipy import special

from helpers.models.fit import Fit, Objective, distinct_rows

from . import bg_nbd
from .fitting import checked_history, fit_histories, in_blocks, log_of_sum, poisson_times, rank_within
from .interface import Kind, PurchaseModel

NAMES = ("r", "alpha", "a", "b")
PRECISION = 1e-15  # of the sums over purchases, relative
MOST_PURCHASES = 10_000_000
INTERPOLATION = 1e-10  # of sums over horizons, relative
DEGREES = (15, 31, 63, 127, 255, 511)  # of the interpolating polynomial, tried in turn
DURATION_NODES = 64  # of the Gauss-Legendre rule; regular purchases make the curve of staying fall in waves
ROUNDED_GAP = 0.01  # how far logarithms of gaps and of recency may disagree for each purchase: times are rounded


@dataclass(frozen=True)
class MBGCNBDk(PurchaseModel):
    """MBG/CNBD-k with k steps to a purchase, and r, alpha (in units of time), a and b, all positive.

    Methods broadcast their arguments. `frequency` counts repeat purchases, `recency` is the time from the
    first to the last purchase (0 without a repeat purchase), `T` the time from the first purchase to the end
    of observation; all times and horizons share the unit of alpha. `leaves_at_start` says whether a customer may
    leave right after the first purchase (MBG/CNBD-k) or only after a repeat purchase (BG/CNBD-k).
    """

    k: int
    r: float
    alpha: float
    a: float
    b: float
    leaves_at_start: bool = True

    def log_likelihood(self, frequency, recency, T, log_intervals=0.0) -> np.ndarray:
        """Log-likelihood of each customer (RPS), where x is the frequency and d as in the module's text.

        L = exp((k - 1) log_intervals) / Gamma(k)^x * B(a, b + x + d) / B(a, b) * Gamma(r + k x) alpha^r / (Gamma(r)
        (alpha + T)^(r + k x)) * (1 + odds) * S, with the odds of having left after the last purchase, see
        `probability_alive`, and S = sum over j < k of (r + k x)_j / j! ((T - t_x) / (alpha + T))^j.

        Parameters
        ----------
        frequency, recency, T : array_like
        log_intervals : array_like, optional
            Sum of the logarithms of the customer's gaps between purchases, 0 without a repeat purchase. It does not
            depend on the parameters: left out, likelihoods of one k compare, those of different k do not.
        """
        frequency, recency, T = _columns(frequency, recency, T)
        rate = self.r + self.k * frequency
        constant = (self.k - 1) * np.asarray(log_intervals) - frequency * special.gammaln(self.k)
        stayed = special.betaln(self.a, self.b + self._chances(frequency)) - special.betaln(self.a, self.b)
        bought = (
            special.gammaln(rate)
            - special.gammaln(self.r)
            - self.r * np.log1p(T / self.alpha)
            - self.k * frequency * np.log(self.alpha + T)
        )
        here = special.logsumexp(self._log_step_terms(frequency, recency, T), axis=0)
        return constant + stayed + bought + np.logaddexp(here, self._log_left(frequency, recency, T))

    def _chances(self, frequency) -> np.ndarray:
        """How many chances of leaving a customer who is alive has passed."""
        return frequency + self.leaves_at_start

    def _log_left(self, frequency, recency, T) -> np.ndarray:
        """Log of a / (b + x + d - 1) ((alpha + T) / (alpha + t_x))^(r + k x); -infinity without a chance to leave."""
        chances = self._chances(frequency)
        last = np.maximum(chances, 1)
        silence = np.log1p((T - recency) / (self.alpha + recency))
        log_left = np.log(self.a / (self.b + last - 1)) + (self.r + self.k * frequency) * silence
        return np.where(chances > 0, log_left, -np.inf)

    def _log_step_terms(self, frequency, recency, T) -> np.ndarray:
        """Log of (r + k x)_j / j! ((T - t_x) / (alpha + T))^j by steps j since the last purchase, first axis."""
        rate = self.r + self.k * frequency
        j = np.arange(self.k).reshape(-1, *[1] * frequency.ndim)
        return special.gammaln(rate + j) - special.gammaln(rate) - special.gammaln(j + 1) + special.xlogy(
            j, (T - recency) / (self.alpha + T)
        )  # fmt: skip

    def probability_alive(self, frequency, recency, T) -> np.ndarray:
        """Probability of being alive at T (RPS): 1 / (1 + odds).

        The odds of having left are a / (b + x + d - 1) ((alpha + T) / (alpha + t_x))^(r + k x) / S, with S as in
        `log_likelihood`. Without a repeat purchase the probability is 1 under BG/CNBD-k.
        """
        frequency, recency, T = _columns(frequency, recency, T)
        here = special.logsumexp(self._log_step_terms(frequency, recency, T), axis=0)
        return special.expit(here - self._log_left(frequency, recency, T))

    def _futures(self, frequency, recency, T, leaning: int = 0) -> list[tuple[np.ndarray, _PartWay]]:
        """Probability of being alive with j steps since the last purchase, and what comes then, by j.

        `leaning` is the power of p by which the density of p is multiplied.
        """
        frequency, recency, T = _columns(frequency, recency, T)
        alive = self.probability_alive(frequency, recency, T)
        shares = special.softmax(self._log_step_terms(frequency, recency, T), axis=0)
        a, b = self.a + leaning, self.b + self.leaves_at_start
        return [(alive * share, _PartWay(self.k, j, self.r, a, b)) for j, share in enumerate(shares)]

    def expected_purchases(self, frequency, recency, T, horizon) -> np.ndarray:
        """Purchases to expect in (T, T + horizon], exact."""
        frequency, recency, T, horizon = _columns(frequency, recency, T, horizon)
        return sum(
            here * future.purchases(frequency, horizon / (self.alpha + T))
            for here, future in self._futures(frequency, recency, T)
        )

    def weighted_expected_purchases(self, frequency, recency, T, horizons, weights) -> np.ndarray:
        """Sum over horizons of weight times expected purchases, shape (n, w); see `PurchaseModel`."""
        frequency, recency, T = _columns(frequency, recency, T)
        return sum(
            here[:, None] * future.weighted_purchases(frequency, self.alpha + T, horizons, weights)
            for here, future in self._futures(frequency, recency, T)
        )

    def probability_of_purchase(self, frequency, recency, T, horizon) -> np.ndarray:
        """Probability of at least one purchase in (T, T + horizon]."""
        frequency, recency, T, horizon = _columns(frequency, recency, T, horizon)
        return sum(
            here * future.reaches(1, frequency, horizon / (self.alpha + T))
            for here, future in self._futures(frequency, recency, T)
        )

    def purchase_count_probability_given_history(self, count, frequency, recency, T, horizon) -> np.ndarray:
        """Probability of exactly `count` purchases in (T, T + horizon] given the history, exact."""
        count, frequency, recency, T, horizon = _columns(count, frequency, recency, T, horizon)
        buys = sum(
            here * future.count_probability(count, frequency, horizon / (self.alpha + T))
            for here, future in self._futures(frequency, recency, T)
        )
        return buys + (1 - self.probability_alive(frequency, recency, T)) * (count == 0)

    def probability_of_staying(self, frequency, recency, T, horizon) -> np.ndarray:
        """Probability of being still a customer at T + horizon.

        Who is alive leaves at the m-th purchase from now with probability E[p (1 - p)^(m - 1)]: the mean of p times
        E[(1 - p)^(m - 1)] under the density of p times p. So leaving has the probability of expected purchases under
        that density times the mean of p.
        """
        frequency, recency, T, horizon = _columns(frequency, recency, T, horizon)
        leaves = self._mean_dropout(frequency) * sum(
            here * future.purchases(frequency, horizon / (self.alpha + T))
            for here, future in self._futures(frequency, recency, T, leaning=1)
        )
        return np.maximum(self.probability_alive(frequency, recency, T) - leaves, 0)

    def expected_duration(self, frequency, recency, T, limit: float) -> np.ndarray:
        """Expected time as a customer within (T, T + limit]: the integral of `probability_of_staying`.

        Returns
        -------
        ndarray, shape (n,)
            In the unit of T, at most `limit`.
        """
        frequency, recency, T = _columns(frequency, recency, T)
        nodes, weights = np.polynomial.legendre.leggauss(DURATION_NODES)
        horizons, weights = limit * (1 + nodes) / 2, limit * weights[:, None] / 2
        lost = self._mean_dropout(frequency) * sum(
            here * future.weighted_purchases(frequency, self.alpha + T, horizons, weights)[:, 0]
            for here, future in self._futures(frequency, recency, T, leaning=1)
        )
        return np.maximum(limit * self.probability_alive(frequency, recency, T) - lost, 0)

    def _mean_dropout(self, frequency) -> np.ndarray:
        """Mean of p given the history and being alive."""
        return self.a / (self.a + self.b + self._chances(frequency))

    @property
    def _staying_at_start(self) -> float:
        """Probability that a new customer does not leave right after the first purchase."""
        return self.b / (self.a + self.b) if self.leaves_at_start else 1.0

    @property
    def _start(self) -> _PartWay:
        """What comes after the first purchase for those who stay."""
        return _PartWay(self.k, 0, self.r, self.a, self.b + self.leaves_at_start)

    def new_customer_expected_purchases(self, horizon) -> np.ndarray:
        """Repeat purchases to expect of a new customer within horizon, exact."""
        return self._staying_at_start * self._start.purchases(0.0, np.asarray(horizon, float) / self.alpha)

    def purchase_count_probability(self, count, horizon) -> np.ndarray:
        """Probability that a new customer makes exactly `count` repeat purchases within horizon."""
        count, horizon = _columns(count, horizon)
        buys = self._start.count_probability(count, np.zeros_like(count), horizon / self.alpha)
        return self._staying_at_start * buys + (1 - self._staying_at_start) * (count == 0)

    def simulate_purchases(self, frequency, recency, T, horizon, rng) -> np.ndarray:
        """One random number of purchases in (T, T + horizon] for each customer.

        Alive with P(alive), j steps on the way to the next purchase; then the smaller of the purchases that a
        Poisson number of further steps completes and the geometric number after which the customer leaves.
        """
        frequency, recency, T, horizon = _columns(frequency, recency, T, horizon)
        alive = rng.random(frequency.shape) < self.probability_alive(frequency, recency, T)
        x, t_x, age, length = frequency[alive], recency[alive], T[alive], horizon[alive]
        reached = np.cumsum(special.softmax(self._log_step_terms(x, t_x, age), axis=0), axis=0)
        j = np.sum(rng.random(len(x)) >= reached[:-1], axis=0)
        rate = rng.standard_gamma(self.r + self.k * x + j) / (self.alpha + age)
        purchases = (j + rng.poisson(rate * length)) // self.k
        counts = np.zeros(frequency.shape, dtype=np.int64)
        counts[alive] = np.minimum(purchases, _until_leaving(self.a, self.b + self._chances(x), rng))
        return counts

    def simulate_histories(self, length, rng) -> tuple[np.ndarray, np.ndarray]:
        """Repeat purchases of new customers, each watched for so long; see `PurchaseModel`."""
        length = np.asarray(length, float)
        customer, time = poisson_times(rng.gamma(self.r, 1 / self.alpha, len(length)), length, rng)
        steps = rank_within(customer) + 1
        allowed = _until_leaving(self.a, np.full(len(length), self.b), rng) - self.leaves_at_start
        made = (steps % self.k == 0) & (steps // self.k <= allowed[customer])
        return customer[made], time[made]


def _columns(*values) -> list[np.ndarray]:
    return np.broadcast_arrays(*(np.asarray(value, float) for value in values))


def _until_leaving(a, b, rng) -> np.ndarray:
    """Draw after how many chances customers leave."""
    # a dropout probability that underflows to 0 means "never", which numpy's geometric refuses
    return rng.geometric(np.maximum(rng.beta(a, b), 1e-18))


@dataclass(frozen=True)
class _PartWay:
    """What customers do who are alive at T, `steps` steps after their last purchase of k steps.

    lambda is Gamma(r + k x + steps, alpha + T) and p is Beta(a, b + x). Time enters as `ratio`, the horizon divided by
    alpha + T; x and ratio broadcast.
    """

    k: int
    steps: int
    r: float
    a: float
    b: float

    def _shape(self, x) -> np.ndarray:
        return self.r + self.k * x + self.steps

    def reaches(self, count, x, ratio) -> np.ndarray:
        """Probability of at least `count` >= 1 purchases, were nobody to leave.

        The steps within the horizon are negative binomial; their upper tail is I_z(k count - steps, r + k x +
        steps) with z = ratio / (1 + ratio).
        """
        return special.betainc(self.k * count - self.steps, self._shape(x), ratio / (1 + ratio))

    def count_probability(self, count, x, ratio) -> np.ndarray:
        """Probability of exactly `count` purchases: no more are reached, or the customer leaves after the last."""
        last = np.maximum(count, 1)
        prior = special.betaln(self.a, self.b + x)
        stays = np.exp(special.betaln(self.a, self.b + x + count) - prior)
        leaves = np.exp(special.betaln(self.a + 1, self.b + x + last - 1) - prior)
        left = np.where(count > 0, leaves * self.reaches(last, x, ratio), 0)
        return stays * self._stops_at(count, x, ratio) + left

    def _stops_at(self, count, x, ratio) -> np.ndarray:
        """Probability of the steps for `count` purchases and fewer than k more, which are negative binomial."""
        shape, total = self._shape(x), 0.0
        for more in range(self.k):
            taken = self.k * count - self.steps + more
            steps = np.maximum(taken, 0)
            log_probability = (
                special.gammaln(shape + steps)
                - special.gammaln(shape)
                - special.gammaln(steps + 1)
                - shape * np.log1p(ratio)
                + special.xlogy(steps, ratio / (1 + ratio))
            )
            total = total + np.where(taken >= 0, np.exp(log_probability), 0)
        return total

    def purchases(self, x, ratio) -> np.ndarray:
        """Purchases to expect, computed once for each distinct pair of x and ratio."""
        x, ratio = np.broadcast_arrays(x, ratio)
        first, inverse = distinct_rows(x.ravel(), ratio.ravel())
        return self._purchases(x.ravel()[first], ratio.ravel()[first])[inverse].reshape(x.shape)

    def _purchases(self, x: np.ndarray, ratio: np.ndarray) -> np.ndarray:
        """Sum over m >= 1 of P(at least m purchases were nobody to leave) * P(still there before the m-th).

        The second is (b + x)_(m-1) / (a + b + x)_(m-1). Added up until what is left is negligible.
        """
        total, stays = np.zeros_like(ratio), np.ones_like(ratio)
        active, done = np.flatnonzero(ratio > 0), 0
        while active.size and done < MOST_PURCHASES:
            m = done + 1 + np.arange(int(np.clip(2**15 // active.size, 4, 4096)))
            stay = self.b + x[active, None] + m - 1
            reached = self.reaches(m, x[active, None], ratio[active, None])
            still_there = stays[active, None] * np.cumprod(stay / (self.a + stay), axis=1)  # after the m-th
            before = np.column_stack([stays[active], still_there[:, :-1]])
            total[active] += (reached * before).sum(axis=1)
            stays[active] = still_there[:, -1]
            done = m[-1]
            rest = reached[:, -1] * stays[active] * self._tail(done, x[active], ratio[active])
            active = active[~(rest <= PRECISION * total[active])]
        return total

    def _tail(self, m: int, x, ratio) -> np.ndarray:
        """Bound on the sum of P(at least m + i purchases) / P(at least m purchases) over i >= 1.

        Each further step is at most max(z (R + n) / (n + 1), z) times as probable as the n-th, R being its shape.
        """
        z, n = ratio / (1 + ratio), self.k * m - self.steps
        shrink = np.maximum(z * (self._shape(x) + n) / (n + 1), z) ** self.k
        return np.where(shrink < 1, shrink / np.where(shrink < 1, 1 - shrink, 1), np.inf)

    def weighted_purchases(self, x, scale, horizons, weights) -> np.ndarray:
        """Sum over horizons of weight times expected purchases, where `scale` is alpha + T.

        For each x, expected purchases divided by ratio are a smooth function of log(1 + ratio): they are interpolated
        up to the longest horizon of that x, which takes far fewer sums than rows times horizons.

        Parameters
        ----------
        x, scale : ndarray, shape (n,)
        horizons : array_like, shape (h,)
        weights : array_like, shape (h, w)

        Returns
        -------
        ndarray, shape (n, w)
        """
        horizons, weights = np.asarray(horizons, float), np.asarray(weights, float)
        first, pair_of_row = distinct_rows(x, scale)
        counts, count_of_pair = np.unique(x[first], return_inverse=True)
        scale = scale[first]
        sums = np.zeros((len(first), weights.shape[1]))
        if not np.any(horizons > 0):
            return sums[pair_of_row]
        longest = np.zeros(len(counts))
        np.maximum.at(longest, count_of_pair, np.log1p(horizons.max() / scale))
        coefficients = self._interpolate(counts, longest)
        for rows in in_blocks(len(first), 4 * len(horizons)):
            of_count = count_of_pair[rows]
            ratio = horizons / scale[rows, None]
            position = 2 * np.log1p(ratio) / longest[of_count, None] - 1
            per_ratio = chebyshev.chebval(position, coefficients[:, of_count, None], tensor=False)
            sums[rows] = (ratio * per_ratio) @ weights
        return sums[pair_of_row]

    def _interpolate(self, x: np.ndarray, longest: np.ndarray) -> np.ndarray:
        """Chebyshev coefficients of purchases / ratio on 0 <= log(1 + ratio) <= longest, first axis, for each x."""
        coefficients, rows = np.zeros((max(DEGREES) + 1, len(x))), np.arange(len(x))

        def purchases_per_ratio(position):
            ratio = np.expm1((position[:, None] + 1) / 2 * longest[rows])
            return self.purchases(x[rows], ratio) / ratio

        for degree in DEGREES:
            found = chebyshev.chebinterpolate(purchases_per_ratio, degree)
            coefficients[: degree + 1, rows] = found
            rows = rows[np.any(np.abs(found[-3:]) > INTERPOLATION * np.abs(found[0]), axis=0)]
            if not rows.size:
                break
        return coefficients[: degree + 1]


def fit_mbg_cnbd_k(
    frequency, recency, T, weights=None, *, log_intervals=None, highest_k: int = 12, leaves_at_start: bool = True
) -> Fit:
    """Maximum-likelihood MBG/CNBD-k (or BG/CNBD-k) of customers, in the unit of their times, with k chosen.

    k = 1, 2, ... are fitted in turn until the likelihood has fallen twice running, and the k of the highest is kept;
    so do RPS' authors in their software.

    Parameters
    ----------
    frequency, recency, T : array_like, shape (n,)
        See `MBGCNBDk`. Identical rows are grouped here; grouping them before only saves memory.
    weights : array_like, shape (n,), optional
        Number of customers with this row; 1 by default.
    log_intervals : array_like, shape (n,)
        Sum over each customer's gaps between purchases of the gap's logarithm, in the unit of T, 0 without a repeat
        purchase. Of a row that stands for several customers their mean: only the weighted total enters. It may be
        left out with `highest_k` 1 only, where it does not matter.
    highest_k : int
        Largest k to try.
    leaves_at_start : bool
        Whether customers may leave right after the first purchase (MBG/CNBD-k) or not (BG/CNBD-k).

    Returns
    -------
    Fit
        With an `MBGCNBDk` as its model. `names` are r, alpha, a and b: k is held at its choice by standard errors,
        intervals and `model_at`, and not counted by `aic` and `bic`, since a whole number that the data single out
        does not follow the noise as a parameter does. With k = 1 the model is the MBG/NBD, and so are aic and bic.

    Raises
    ------
    ValueError
        No customers, no repeat purchase at all, or rows that no history can give: missing or negative values,
        recency beyond T, a recency without repeat purchases, a frequency that is not whole; gaps of 0, or sums of
        logarithms that no gaps of this frequency and recency can have.
    """
    frequency, recency, T, weights = checked_history(frequency, recency, T, weights)
    total = weights @ _checked_log_intervals(log_intervals, frequency, recency) if highest_k > 1 else 0.0
    fits = []
    for k in range(1, highest_k + 1):
        fit = fit_histories(
            NAMES,
            partial(MBGCNBDk, k, leaves_at_start=leaves_at_start),
            partial(mean_log_likelihood, k, leaves_at_start),
            partial(starts, k),
            explain_runaway if leaves_at_start else bg_nbd.explain_runaway,
            frequency,
            recency,
            T,
            weights,
        )
        fits.append(replace(fit, log_likelihood=float(fit.log_likelihood + (k - 1) * total)))
        if k > 2 and fits[-1].log_likelihood < fits[-2].log_likelihood < fits[-3].log_likelihood:
            break
    return max(fits, key=lambda fit: fit.log_likelihood)


def _checked_log_intervals(log_intervals, frequency, recency) -> np.ndarray:
    """Sums of the logarithms of gaps, refused where no gaps can have them.

    Gaps that add up to the recency have the largest sum of logarithms when they are equal; a single gap is the
    recency. Gaps in another unit of time break both rules.
    """
    if log_intervals is None:
        raise ValueError("Regularity (k above 1) can only be told from the gaps between purchases: give log_intervals.")
    log_intervals = np.asarray(log_intervals, float)
    if log_intervals.shape != frequency.shape:
        raise ValueError("frequency, recency, T, log_intervals must be one-dimensional and of one length.")
    gaps = np.maximum(frequency, 1)
    largest = special.xlogy(frequency, recency / gaps)
    tolerance = ROUNDED_GAP * gaps
    for rule, broken in (
        (
            "a gap between purchases is 0 or missing (purchases of one moment are one purchase: merge them first)",
            ~np.isfinite(log_intervals) | ((frequency > 0) & (recency == 0)),
        ),
        ("log_intervals is not 0 without a repeat purchase", (frequency == 0) & (log_intervals != 0)),
        (
            "log_intervals and recency disagree (are both in the unit of T?)",
            (log_intervals > largest + tolerance) | ((frequency == 1) & (log_intervals < largest - tolerance)),
        ),
    ):
        if broken.any():
            rows = ", ".join(map(str, np.flatnonzero(broken)[:5]))
            raise ValueError(f"In {broken.sum()} rows {rule} (first rows: {rows}).")
    return log_intervals


def starts(k: int, rate: float) -> list[tuple[float, ...]]:
    """Starting points for customers who make so many repeat purchases of k steps per unit of time."""
    return [(r, r / (k * rate), a, b) for r, a, b in ((0.5, 0.8, 1.5), (1, 1, 3), (0.1, 0.1, 0.5), (3, 0.2, 5))]


def explain_runaway(model, runaway: dict[str, str]) -> str:
    """Say what it means that the likelihood keeps rising while these parameters grow or shrink."""
    return bg_nbd.explain_runaway(model, runaway, "right after their first purchase")


def mean_log_likelihood(k: int, leaves_at_start: bool, frequency, recency, T, weights) -> Objective:
    """Mean log-likelihood by log parameters (log r, log alpha, log a, log b) with gradient and Hessian.

    Parameters
    ----------
    k : int
    leaves_at_start : bool
    frequency, recency, T : ndarray, shape (n,)
        Distinct histories.
    weights : ndarray, shape (n,)
        Customers with each.

    Returns
    -------
    callable
        Log parameters, shape (4,) -> value, gradient (4,), Hessian (4, 4), each per customer; without the gaps'
        logarithms, see `MBGCNBDk.log_likelihood`.
    """
    counts, count_of_row = np.unique(frequency, return_inverse=True)
    by_count = np.bincount(count_of_row, weights)  # the gamma functions need each frequency once
    share, share_by_count = weights / weights.sum(), by_count / weights.sum()
    blocks = in_blocks(len(frequency), 8 * k + 64)

    def objective(log_parameters):
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            parameters = np.exp(log_parameters)
            value, gradient, hessian = _count_terms(parameters, k, leaves_at_start, counts, share_by_count)
            for rows in blocks:
                columns = frequency[rows], recency[rows], T[rows]
                for terms in (
                    _watched(parameters, k, frequency[rows], T[rows]),
                    _stayed_or_left(parameters, k, leaves_at_start, *columns),
                ):
                    value = value + terms[0] @ share[rows]
                    gradient = gradient + terms[1] @ share[rows]
                    hessian = hessian + terms[2] @ share[rows]
            gradient = gradient * parameters
            hessian = hessian * np.outer(parameters, parameters) + np.diag(gradient)
        return value, gradient, hessian

    return objective


def _count_terms(parameters, k, leaves_at_start, x, weights):
    """Sum of log Gamma(r + k x) / Gamma(r) + log B(a, b + x + d) / B(a, b) - x log Gamma(k)."""
    r, _, a, b = parameters
    rate, chances = r + k * x, x + leaves_at_start
    psi, psi1 = special.digamma, lambda argument: special.polygamma(1, argument)
    value = special.gammaln(rate) - special.gammaln(r) - x * special.gammaln(k)
    value = value + special.betaln(a, b + chances) - special.betaln(a, b)
    both, both1 = psi(a + b) - psi(a + b + chances), psi1(a + b) - psi1(a + b + chances)
    gradient = np.stack([psi(rate) - psi(r), np.zeros_like(x), both, both + psi(b + chances) - psi(b)])
    hessian = np.zeros((4, 4))
    hessian[0, 0] = weights @ (psi1(rate) - psi1(r))
    hessian[2, 2] = hessian[2, 3] = hessian[3, 2] = weights @ both1
    hessian[3, 3] = weights @ (both1 + psi1(b + chances) - psi1(b))
    return weights @ value, gradient @ weights, hessian


def _watched(parameters, k, x, age):
    """-r log(1 + T / alpha) - k x log(alpha + T) of each row."""
    r, alpha, _, _ = parameters
    gradient, hessian = np.zeros((4, len(x))), np.zeros((4, 4, len(x)))
    gradient[0] = -np.log1p(age / alpha)
    gradient[1] = r / alpha - (r + k * x) / (alpha + age)
    hessian[0, 1] = hessian[1, 0] = 1 / alpha - 1 / (alpha + age)
    hessian[1, 1] = (r + k * x) / (alpha + age) ** 2 - r / alpha**2
    return r * gradient[0] - k * x * np.log(alpha + age), gradient, hessian


def _stayed_or_left(parameters, k, leaves_at_start, x, t_x, age):
    """Log of S plus the odds of having left times S, see `MBGCNBDk.log_likelihood`, of each row."""
    terms = [_stayed(parameters, k, x, t_x, age), _left(parameters, k, leaves_at_start, x, t_x, age)]
    return log_of_sum(*(np.stack(parts) for parts in zip(*terms, strict=True)))


def _stayed(parameters, k, x, t_x, age):
    """Log of the sum over steps j < k of (r + k x)_j / j! ((T - t_x) / (alpha + T))^j, by r and alpha."""
    r, alpha, _, _ = parameters
    rate, later = r + k * x, alpha + age
    j = np.arange(k)[:, None]
    # (R)_j = R (R + 1) ... (R + j - 1); an empty product for j = 0
    factors = rate + np.arange(k - 1)[:, None]
    powers = (np.concatenate([np.zeros((1, len(x))), np.cumsum(v, axis=0)]) for v in _log_derivatives(factors))
    log_rising, by_rate, by_rate_twice = powers
    terms = log_rising - special.gammaln(j + 1) + special.xlogy(j, (age - t_x) / later)
    gradients = np.stack([by_rate, -j / later], axis=1)
    hessians = np.zeros((k, 2, 2, len(x)))
    hessians[:, 0, 0] = by_rate_twice
    hessians[:, 1, 1] = j / later**2
    value, of_two, of_two_twice = log_of_sum(terms, gradients, hessians)

    gradient, hessian = np.zeros((4, len(x))), np.zeros((4, 4, len(x)))
    gradient[:2], hessian[:2, :2] = of_two, of_two_twice
    return value, gradient, hessian


def _log_derivatives(v):
    return np.log(v), 1 / v, -1 / v**2


def _left(parameters, k, leaves_at_start, x, t_x, age):
    """Log of a / (b + x + d - 1) ((alpha + T) / (alpha + t_x))^(r + k x); -infinity without a chance to leave."""
    r, alpha, a, b = parameters
    chances = x + leaves_at_start
    others = b + np.maximum(chances, 1) - 1
    before, after, rate = alpha + t_x, alpha + age, r + k * x
    silence, closer = np.log1p((age - t_x) / before), 1 / after - 1 / before
    value = np.where(chances > 0, np.log(a / others) + rate * silence, -np.inf)
    gradient = np.stack([silence, rate * closer, np.full_like(x, 1 / a), -1 / others])
    hessian = np.zeros((4, 4, len(x)))
    hessian[0, 1] = hessian[1, 0] = closer
    hessian[1, 1] = rate * (1 / before**2 - 1 / after**2)
    hessian[2, 2], hessian[3, 3] = -1 / a**2, 1 / others**2
    return value, gradient, hessian


KIND = Kind(
    name="mbg_cnbd_k",
    label="MBG/CNBD-k",
    source="Reutterer, Platzer & Schroeder 2021, International Journal of Research in Marketing 38(1), 194-215",
    fit=fit_mbg_cnbd_k,
    needs=("log_intervals",),
)
