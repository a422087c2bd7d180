"""How well predictions met what customers then did: many methods on the same resamples, so that they compare in pairs.

Every measure is a function of predicted, actual and weights; a weight is how often a customer counts, so weighting
is the same as repeating rows. Where a measure is not defined (an error relative to nothing, a correlation with a
constant) it is nan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import partial

import numpy as np

from helpers.models import resampling
from helpers.models.fit import distinct_rows

from . import score_influences

MOST_RESAMPLED = 25_000  # customers; of more, scores are normal, and what resamples would show is computed
ROUNDING = 1e-12  # relative: predictions this close are the same number computed twice

Measure = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
# A measure takes predicted (n,), actual (n,) and weights (..., n), and returns an array of shape (...).


def _ratio(numerator, denominator) -> np.ndarray:
    """Quotient where the denominator is positive, nan elsewhere."""
    return numerator / np.where(denominator > 0, denominator, np.nan)


def _mean(values, weights) -> np.ndarray:
    return _ratio(weights @ values, weights.sum(axis=-1))


def total(predicted, actual, weights) -> np.ndarray:
    """Predicted total."""
    return weights @ predicted


def total_error(predicted, actual, weights) -> np.ndarray:
    """Predicted over actual total, less 1; nan where the actual total is not positive."""
    return _ratio(weights @ predicted, weights @ actual) - 1


def mae(predicted, actual, weights) -> np.ndarray:
    """Mean absolute error per customer."""
    return _mean(np.abs(predicted - actual), weights)


def rmse(predicted, actual, weights) -> np.ndarray:
    """Root of the mean squared error per customer."""
    return np.sqrt(_mean((predicted - actual) ** 2, weights))


def bias(predicted, actual, weights) -> np.ndarray:
    """Mean of predicted less actual per customer."""
    return _mean(predicted - actual, weights)


def correlation(predicted, actual, weights) -> np.ndarray:
    """Pearson correlation over customers; nan when either does not vary."""
    # centred on the plain means first, so that the moments below do not cancel
    predicted, actual = predicted - predicted.mean(), actual - actual.mean()
    mean_p, mean_a = _mean(predicted, weights), _mean(actual, weights)
    covariance = _mean(predicted * actual, weights) - mean_p * mean_a
    variances = _variance(predicted, mean_p, weights) * _variance(actual, mean_a, weights)
    return np.clip(_ratio(covariance, np.sqrt(variances)), -1, 1)


def _variance(values, mean, weights) -> np.ndarray:
    """Weighted variance; 0 where what is left of the moments is rounding."""
    square = _mean(values**2, weights)
    variance = square - mean**2
    return np.where(variance > ROUNDING * square, variance, 0)


def accuracy(predicted, actual, weights) -> np.ndarray:
    """Share of customers whose predicted status (0 or 1) is the actual one."""
    return _mean(predicted == actual, weights)


def brier(predicted, actual, weights) -> np.ndarray:
    """Mean squared error of a probability of what did (1) or did not (0) happen (Brier 1950)."""
    return _mean((predicted - actual) ** 2, weights)


@dataclass(frozen=True, eq=False)
class GainCurve:
    """What customers hold of the actual total, from the highest predicted to the lowest, tied customers as one step.

    Along a step all tied customers share evenly, which is what their order would give on average: so the order of
    rows never matters.

    Parameters
    ----------
    reached, held : ndarray, shape (..., steps + 1)
        Customers up to the end of each step and what they hold, both starting at 0.
    """

    reached: np.ndarray
    held: np.ndarray

    def concentration(self) -> np.ndarray:
        """Area between the curve of shares and the diagonal; nan where the actual total is not positive."""
        area = np.trapezoid(self.held, self.reached, axis=-1)
        return _ratio(area, self.reached[..., -1] * self.held[..., -1]) - 0.5

    def lift(self, share: float) -> np.ndarray:
        """Share of the actual total that this share of customers holds, over the share of customers."""
        wanted = share * self.reached[..., -1:]
        end = np.maximum((self.reached < wanted).sum(axis=-1, keepdims=True), 1)  # of the step with the boundary
        reached, held = (
            [np.take_along_axis(values, edge, axis=-1) for edge in (end - 1, end)]
            for values in (self.reached, self.held)
        )
        inside = _ratio(wanted - reached[0], reached[1] - reached[0])
        return _ratio((held[0] + inside * (held[1] - held[0]))[..., 0], self.held[..., -1]) / share


@dataclass(frozen=True, eq=False)
class Ranking:
    """Customers from the highest score to the lowest: sorted once, whatever the weights.

    Parameters
    ----------
    order : ndarray of int, shape (n,)
        Rows by falling score.
    edges : ndarray of int, shape (steps + 1,)
        Where in `order` the customers of one score begin, and the end of the last.
    """

    order: np.ndarray
    edges: np.ndarray

    @classmethod
    def by(cls, score) -> Ranking:
        """Rank by a score, shape (n,)."""
        order = np.argsort(-score, kind="stable")
        falling = score[order]
        # vectorised functions may give equal customers numbers that differ in their last bit
        new = falling[:-1] - falling[1:] > ROUNDING * np.abs(falling[:-1])
        return cls(order, np.concatenate([[0], np.flatnonzero(new) + 1, [len(score)]]))

    def gains(self, actual, weights) -> GainCurve:
        """Gain curve of actual (n,) under weights (..., n)."""
        weights = weights[..., self.order]
        return GainCurve(self._cumulated(weights), self._cumulated(weights * actual[self.order]))

    def step_of_rows(self) -> np.ndarray:
        """Return for each row which of the steps it belongs to, from 0 for the highest score."""
        step = np.empty(len(self.order), np.int32)
        step[self.order] = np.repeat(np.arange(len(self.edges) - 1, dtype=np.int32), np.diff(self.edges))
        return step

    def _cumulated(self, values) -> np.ndarray:
        sums = np.zeros((*values.shape[:-1], values.shape[-1] + 1))
        np.cumsum(values, axis=-1, out=sums[..., 1:])
        return sums if len(self.edges) == sums.shape[-1] else sums[..., self.edges]


def gini(predicted, actual, weights) -> np.ndarray:
    """Normalised Gini of the ranking: 1 when it is the actual order, 0 when it is by chance, -1 when it is reversed.

    The area between gain curve and diagonal, over that of the actual order (Wang, Liu and Miao 2019,
    arXiv:1912.07753). Customers of equal prediction share the gain evenly.
    """
    best = Ranking.by(actual).gains(actual, weights).concentration()
    return _ratio(Ranking.by(predicted).gains(actual, weights).concentration(), best)


def lift_10(predicted, actual, weights) -> np.ndarray:
    """Share of the actual total held by the tenth of customers predicted highest, over a tenth."""
    return Ranking.by(predicted).gains(actual, weights).lift(0.10)


def lift_20(predicted, actual, weights) -> np.ndarray:
    """Share of the actual total held by the fifth of customers predicted highest, over a fifth."""
    return Ranking.by(predicted).gains(actual, weights).lift(0.20)


NUMBER_MEASURES: Mapping[str, Measure] = {
    "total": total,
    "total_error": total_error,
    "mae": mae,
    "rmse": rmse,
    "bias": bias,
    "correlation": correlation,
}
RANK_MEASURES = ("gini", "lift_10", "lift_20")
MEASURES = (
    *NUMBER_MEASURES,
    *(f"{measure}_purchases" for measure in RANK_MEASURES),
    *(f"{measure}_spend" for measure in (*NUMBER_MEASURES, *RANK_MEASURES)),
    "activity_accuracy",
    "activity_brier",
)


@dataclass(frozen=True, eq=False)
class Prediction:
    """What one method says of each customer's holdout; None for what it does not say.

    Parameters
    ----------
    purchases, spend : array_like, shape (n,), optional
        Expected purchases and expected spend.
    purchase_rank, spend_rank : array_like, shape (n,), optional
        The higher, the more purchases or spend; needed only where the expectation is not given.
    active : array_like of bool, shape (n,), optional
        Whether the customer will buy; by default that `probability_of_purchase` is above 1/2.
    probability_of_purchase : array_like, shape (n,), optional
        Of at least one purchase.
    """

    purchases: np.ndarray | None = None
    spend: np.ndarray | None = None
    purchase_rank: np.ndarray | None = None
    spend_rank: np.ndarray | None = None
    active: np.ndarray | None = None
    probability_of_purchase: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Scores:
    """Every measure of every method, and the same of each resample of the customers.

    Parameters
    ----------
    values : dict of (method, measure) to float
        All that the methods predicted, in the order of the methods and of `MEASURES`; nan where not defined.
    resampled : dict of (method, measure) to ndarray, shape (resamples,)
        The same of each resample; position i is one and the same resample in all methods.
    """

    values: Mapping[tuple[str, str], float]
    resampled: Mapping[tuple[str, str], np.ndarray]

    def value(self, method: str, measure: str) -> float:
        """Return the measure of a method; KeyError for what the method does not predict."""
        return self.values[method, measure]

    def interval(self, method: str, measure: str, level: float = 0.95) -> tuple[float, float]:
        """Return the bootstrap percentile interval; nan where the value is not defined."""
        return _interval(self.values[method, measure], self.resampled[method, measure], level)

    def difference(
        self, method: str, rival: str, measure: str, *, absolute: bool = False, level: float = 0.95
    ) -> tuple[float, float, float]:
        """Return the measure of a method less that of a rival, with its interval from the paired resamples.

        Parameters
        ----------
        method, rival, measure : str
        absolute : bool
            Compare distances from 0: for `total_error` and `bias`, where 0 is the best. Resampling adds to the
            distance of what is close to 0, so the interval is cautious towards the method that comes closest.
        level : float
            Of the interval.

        Returns
        -------
        value, low, high : float
            Nan where either is not defined.
        """
        size = np.abs if absolute else np.asarray
        value, resampled = (
            size(scores[method, measure]) - size(scores[rival, measure]) for scores in (self.values, self.resampled)
        )
        return float(value), *_interval(value, resampled, level)


def _interval(value, resampled, level) -> tuple[float, float]:
    """Return quantiles of the finite resamples: some may be undefined, as when every buyer was drawn 0 times."""
    resampled = resampled[np.isfinite(resampled)]
    if not (np.isfinite(value) and resampled.size):
        return np.nan, np.nan
    low, high = np.quantile(resampled, ((1 - level) / 2, (1 + level) / 2))
    return float(low), float(high)


def bootstrap(
    predictions: Mapping[str, Prediction],
    actual_purchases,
    actual_spend=None,
    customers=None,
    *,
    resamples: int = 500,
    seed: int = 0,
) -> Scores:
    """Score predictions on what customers did, and again on resamples of the customers, the same for all methods.

    Customers are resampled by Poisson weights (mean 1, scaled to the number of customers), which for many customers
    is the multinomial bootstrap without its bookkeeping. Memory does not grow with the resamples. Customers who are
    equal in all that is given are resampled as one row with their number, so neither the order of the rows nor how
    they are grouped changes anything. Of more than `MOST_RESAMPLED` customers the resampled scores are drawn from the
    normal distribution that they then have, see `score_influences`. For a segment, call it with its customers.

    Parameters
    ----------
    predictions : mapping of str to Prediction
        By method.
    actual_purchases : array_like, shape (n,)
        Of each customer (or group of equal customers) in the holdout; a customer with any was active.
    actual_spend : array_like, shape (n,), optional
        Without it no measure of spend is computed.
    customers : array_like, shape (n,), optional
        Customers in each row; 1 by default.
    resamples : int
        Number of resamples.
    seed : int
        Same seed, same intervals.

    Returns
    -------
    Scores
        Purchases: `total`, `total_error`, `mae`, `rmse`, `bias`, `correlation`, `gini_purchases`,
        `lift_10_purchases`, `lift_20_purchases`; spend: the same, ending in `_spend`; activity: `activity_accuracy`
        and `activity_brier`. A method has those of what it predicts; who says the same of everybody ranks nobody.

    Raises
    ------
    ValueError
        No customers, different lengths, missing values, a probability outside 0..1, an `active` other than 0 or 1.
    """
    actual = _checked_columns(actual_purchases, actual_spend, customers)
    columns = _columns(predictions, len(actual["customers"]))
    counts = actual.pop("customers")
    if "spend" not in actual:  # nothing to hold it against, and customers who differ in it alone are equal
        columns = {(field, method): column for (field, method), column in columns.items() if "spend" not in field}
    is_normal = counts.sum() > MOST_RESAMPLED
    if not is_normal:
        first, row = distinct_rows(*actual.values(), *columns.values())
        counts = np.bincount(row, counts)
        actual = {name: column[first] for name, column in actual.items()}
        columns = {key: column[first] for key, column in columns.items()}
    scorers = [_Quantity.of(name, columns, column) for name, column in actual.items()]
    scorers.append(_Activity.of(columns, actual["purchases"]))
    values = {key: float(score) for scorer in scorers for key, score in scorer.scores(counts).items()}
    again = _normal_scores if is_normal else _scores_of_resamples
    resampled = again(scorers, values, counts, resamples, seed)
    order = [(method, measure) for method in predictions for measure in MEASURES if (method, measure) in values]
    return Scores({key: values[key] for key in order}, {key: resampled[key] for key in order})


def _scores_of_resamples(scorers, values, counts, resamples: int, seed: int) -> dict[tuple[str, str], np.ndarray]:
    blocks = [
        {key: score for scorer in scorers for key, score in scorer.scores(weights).items()}
        for weights in _resampled_weights(counts, resamples, seed)
    ]
    return {key: np.concatenate([np.empty(0), *(block[key] for block in blocks)]) for key in values}


def _normal_scores(scorers, values, counts, resamples: int, seed: int) -> dict[tuple[str, str], np.ndarray]:
    """What `_scores_of_resamples` comes to for very many customers; the methods go together in each measure."""
    rng = np.random.default_rng(seed)
    resampled = {}
    for scorer in scorers:
        for measure, influences in scorer.influences(counts):
            if not influences:
                continue
            keys = [(method, measure) for method in influences]
            scores = [values[key] for key in keys]
            drawn = score_influences.resampled_scores(scores, list(influences.values()), counts, resamples, rng)
            resampled |= dict(zip(keys, drawn, strict=True))
    return resampled


def _checked_columns(actual_purchases, actual_spend, customers) -> dict[str, np.ndarray]:
    """Columns purchases, spend if given, and customers."""
    rows = np.size(actual_purchases)
    if not rows:
        raise ValueError("There are no customers to score a prediction on.")
    columns = {"purchases": _numbers("actual_purchases", actual_purchases, rows)}
    if actual_spend is not None:
        columns["spend"] = _numbers("actual_spend", actual_spend, rows)
    columns["customers"] = np.ones(rows) if customers is None else _numbers("customers", customers, rows)
    if (columns["customers"] < 0).any() or not columns["customers"].any():
        raise ValueError("customers must not be negative, nor all 0.")
    return columns


def _columns(predictions: Mapping[str, Prediction], rows: int) -> dict[tuple[str, str], np.ndarray]:
    """Predicted columns by what they predict and method."""
    columns = {}
    for method, prediction in predictions.items():
        for field in (field.name for field in fields(prediction)):
            if (column := getattr(prediction, field)) is not None:
                columns[field, method] = _numbers(f"{field} of {method}", column, rows)
    for (field, method), column in columns.items():
        if field == "active" and not np.isin(column, (0, 1)).all():
            raise ValueError(f"active of {method} must be 0 or 1.")
        if field == "probability_of_purchase" and not ((column >= 0) & (column <= 1)).all():
            raise ValueError(f"probability_of_purchase of {method} must lie between 0 and 1.")
    return columns


def _numbers(name: str, column, rows: int) -> np.ndarray:
    column = np.asarray(column, float)
    if column.shape != (rows,):
        raise ValueError(f"{name} must be one-dimensional, one number for each of {rows} customers.")
    if not np.isfinite(column).all():
        raise ValueError(f"{name} holds missing or infinite numbers: a score needs one for every customer.")
    return column


def _resampled_weights(counts, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """Weights of the resamples, shape (at most what a block holds, n)."""
    rng = np.random.default_rng(seed)
    for draws in resampling.blocks(resamples, len(counts)):
        weights = rng.poisson(counts, (draws, len(counts))).astype(float)
        yield weights * _ratio(counts.sum(), weights.sum(axis=-1, keepdims=True))


@dataclass(frozen=True, eq=False)
class _Quantity:
    """Purchases or spend: the actual with its order, what each method expects of it, and each method's ranking."""

    name: str
    actual: np.ndarray
    best: Ranking
    numbers: dict[str, np.ndarray]
    rankings: dict[str, Ranking]

    @classmethod
    def of(cls, name: str, columns, actual) -> _Quantity:
        numbers = {method: column for (field, method), column in columns.items() if field == name}
        rank_field = {"purchases": "purchase_rank", "spend": "spend_rank"}[name]
        ranks = {method: column for (field, method), column in columns.items() if field == rank_field}
        rankings = {method: Ranking.by(score) for method, score in (numbers | ranks).items()}
        # who says the same of everybody ranks nobody
        rankings = {method: ranking for method, ranking in rankings.items() if len(ranking.edges) > 2}
        return cls(name, actual, Ranking.by(actual), numbers, rankings)

    def scores(self, weights) -> dict[tuple[str, str], np.ndarray]:
        suffix = "" if self.name == "purchases" else f"_{self.name}"
        scores = {
            (method, measure + suffix): compute(predicted, self.actual, weights)
            for method, predicted in self.numbers.items()
            for measure, compute in NUMBER_MEASURES.items()
        }
        best = self.best.gains(self.actual, weights).concentration()
        for method, ranking in self.rankings.items():
            curve = ranking.gains(self.actual, weights)
            ranked = _ratio(curve.concentration(), best), curve.lift(0.10), curve.lift(0.20)
            scores |= {(method, f"{m}_{self.name}"): score for m, score in zip(RANK_MEASURES, ranked, strict=True)}
        return scores

    def influences(self, weights) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
        """Yield for each measure how much each row moves the score of each method."""
        suffix = "" if self.name == "purchases" else f"_{self.name}"
        for measure, influence in score_influences.NUMBERS.items():
            numbers = self.numbers.items()
            yield measure + suffix, {method: influence(said, self.actual, weights) for method, said in numbers}
        best = self.best.gains(self.actual, weights)
        of_best = score_influences.concentration(best, self.best.step_of_rows(), self.actual)
        of_rank = {
            "gini": partial(score_influences.gini, best=best, of_best=of_best),
            "lift_10": partial(score_influences.lift, share=0.10),
            "lift_20": partial(score_influences.lift, share=0.20),
        }
        ranked = {
            method: (ranking.gains(self.actual, weights), ranking.step_of_rows(), self.actual)
            for method, ranking in self.rankings.items()
        }
        for measure, influence in of_rank.items():
            yield f"{measure}_{self.name}", {method: influence(*curve) for method, curve in ranked.items()}


@dataclass(frozen=True, eq=False)
class _Activity:
    """Whether customers bought at all, and what each method said of that."""

    actual: np.ndarray
    active: dict[str, np.ndarray]
    probabilities: dict[str, np.ndarray]

    @classmethod
    def of(cls, columns, actual_purchases) -> _Activity:
        stated = {method: column for (field, method), column in columns.items() if field == "active"}
        probabilities = {m: column for (field, m), column in columns.items() if field == "probability_of_purchase"}
        implied = {method: (column > 0.5).astype(float) for method, column in probabilities.items()}
        return cls((actual_purchases > 0).astype(float), implied | stated, probabilities)

    def scores(self, weights) -> dict[tuple[str, str], np.ndarray]:
        scores = {
            (method, "activity_accuracy"): accuracy(active, self.actual, weights)
            for method, active in self.active.items()
        }
        return scores | {
            (method, "activity_brier"): brier(probability, self.actual, weights)
            for method, probability in self.probabilities.items()
        }

    def influences(self, weights) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
        """Yield for each measure how much each row moves the score of each method."""
        for measure, influence, said in (
            ("activity_accuracy", score_influences.accuracy, self.active),
            ("activity_brier", score_influences.brier, self.probabilities),
        ):
            yield measure, {method: influence(column, self.actual, weights) for method, column in said.items()}
