"""How probable it is that a referee would not have come otherwise, told by what is known of the referral.

A logistic regression on the referrals whose type is known, set against the rule that needs no model: the share of type
one among them. It speaks for the others if, among referrals that look alike, it does not depend on the type whether the
type is known; the share alone asks for more, that it depends on nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from helpers.models import fit
from helpers.models.estimate import Estimate
from helpers.models.threads import threads

# Referrals of the rarer type for each column (Peduzzi et al. 1996, J. Clinical Epidemiology 49, 1373-1379).
EVENTS_PER_COLUMN = fit.EVENTS_PER_PARAMETER
PRIOR_SPREAD = 2.5  # log odds for a standard deviation of a column: weak, as 1 nearly triples the odds
FOLDS = 10
LEAST_PROBABILITY = 1e-9  # a certainty that fails would cost an infinite loss


@dataclass(frozen=True, eq=False)
class TypeModel:
    """Log odds of type one, linear in columns about the referral.

    Attributes
    ----------
    centre, scale : ndarray, shape (columns,)
        Mean and standard deviation of each column among the referrals that the model was fitted on.
    low, high : ndarray, shape (columns,)
        Their range: the model does not speak beyond it, so what lies outside counts as lying at its end.
    coefficients : ndarray, shape (1 + columns,)
        Of 1 and of the columns in standard deviations.
    covariance : ndarray, shape (1 + columns, 1 + columns)
        The inverse of the curvature at the mode.
    """

    centre: np.ndarray
    scale: np.ndarray
    low: np.ndarray
    high: np.ndarray
    coefficients: np.ndarray
    covariance: np.ndarray

    def probability(self, columns, coefficients=None) -> np.ndarray:
        """Return the probability of type one for each row of columns, at the coefficients or at others."""
        design = _design(np.clip(columns, self.low, self.high), self.centre, self.scale)
        return special.expit(design @ (self.coefficients if coefficients is None else coefficients))

    @property
    def slopes(self) -> Estimate:
        """Return the change of the log odds for 1 of each column in its own unit, with its 95 % interval."""
        value = self.coefficients[1:] / self.scale
        width = special.ndtri(0.975) * np.sqrt(np.diag(self.covariance)[1:]) / self.scale
        return Estimate(value, value - width, value + width)


@dataclass(frozen=True, eq=False)
class Predicted:
    """Probabilities of type one that a model gives, one for each referral, and draws of them."""

    model: TypeModel
    columns: np.ndarray

    @property
    def value(self) -> np.ndarray:
        """Return the probability of each referral, shape (referrals,)."""
        return self.model.probability(self.columns)

    def drawn(self, rng: np.random.Generator) -> np.ndarray:
        """Return the probabilities at coefficients drawn from their normal approximation, shape (referrals,)."""
        # the Cholesky factor is unique, unlike eigenvectors' signs: the same draws on every machine
        factor = np.linalg.cholesky(self.model.covariance)
        shift = factor @ rng.standard_normal(len(factor))
        return self.model.probability(self.columns, self.model.coefficients + shift)


@dataclass(frozen=True, eq=False)
class Score:
    """Mean loss of the model and of the share on referrals that neither had seen; smaller is better."""

    model: float
    share: float
    difference: Estimate


@dataclass(frozen=True, eq=False)
class Evidence:
    """Whether the type of a referral can be told, and by what.

    Attributes
    ----------
    used : ndarray of bool, shape (columns,)
        Columns that tell referrals apart; the others are in no model.
    fewest, needed : int
        Known referrals of the rarer type, and how many a model asks for.
    model : TypeModel or None
        Fitted on all referrals of known type; None where these are too few.
    log_loss, brier : Score or None
    """

    used: np.ndarray
    fewest: int
    needed: int
    model: TypeModel | None = None
    log_loss: Score | None = None
    brier: Score | None = None

    @property
    def is_better(self) -> bool:
        """Tell whether the model beats the share: the interval of the difference of log losses lies below 0."""
        return self.log_loss is not None and bool(self.log_loss.difference.high < 0)

    def predicted(self, columns) -> Predicted:
        """Return what the model says of referrals, of all columns that `weigh` was given."""
        return Predicted(self.model, np.asarray(columns, float)[:, self.used])


def weigh(columns, type_one, group, *, folds: int = FOLDS, level: float = 0.95, seed: int = 0) -> Evidence:
    """Fit the model to the referrals of known type, and set it against their share.

    Both are judged on referrals that they have not seen: cross-validation over whole groups, as those whom one customer
    brought may be alike. The interval of the mean difference of losses counts groups, not referrals, as independent; as
    folds share most of what they learn from, it is still rather too narrow (Bengio and Grandvalet 2004, J. Machine
    Learning Research 5, 1089-1105).

    Parameters
    ----------
    columns : array_like, shape (referrals, columns)
        What is known of each referral when the referee comes.
    type_one : array_like, shape (referrals,)
        1 or 0 where the type is known; anything else, nan or a probability, is not learned from.
    group : array_like of int, shape (referrals,)
        Who brought the referee.
    folds, level, seed
        Of the cross-validation, and of the interval.

    Returns
    -------
    Evidence
        Without a model where fewer than `EVENTS_PER_COLUMN` referrals of the rarer type are known for each column that
        tells referrals apart, or where too few groups brought them for the folds.

    Raises
    ------
    ValueError
        Arrays of different lengths, columns that are not finite.
    """
    columns, type_one, group = np.asarray(columns, float), np.asarray(type_one, float), np.asarray(group)
    if columns.ndim != 2 or not len(columns) == len(type_one) == len(group) or not np.isfinite(columns).all():
        raise ValueError("Each referral needs one finite number in every column, a type and a group.")
    known = (type_one == 0) | (type_one == 1)
    columns, type_one, group = columns[known], type_one[known], np.unique(group[known], return_inverse=True)[1]
    used = np.ptp(columns, axis=0) > 0 if len(columns) else np.zeros(columns.shape[1], bool)
    fewest = int(min(type_one.sum(), len(type_one) - type_one.sum()))
    evidence = Evidence(used, fewest, EVENTS_PER_COLUMN * max(int(used.sum()), 1))
    groups = int(group.max(initial=-1)) + 1
    if not used.any() or fewest < evidence.needed or groups < folds:
        return evidence
    columns = columns[:, used]
    fold = (np.random.default_rng(seed).permutation(groups) % folds)[group]
    if not all(0 < type_one[fold != number].mean() < 1 for number in range(folds)):
        return evidence  # one customer brought all of one type
    by_model, by_share = np.empty(len(type_one)), np.empty(len(type_one))

    def foresee(number: int) -> None:
        unseen = fold == number
        by_model[unseen] = fit_type_model(columns[~unseen], type_one[~unseen]).probability(columns[unseen])
        # Jeffreys' estimate, which is never certain
        by_share[unseen] = (type_one[~unseen].sum() + 0.5) / ((~unseen).sum() + 1)

    with threads() as pool:
        list(pool.map(foresee, range(folds)))
    log_loss, brier = (
        _score(loss(by_model, type_one), loss(by_share, type_one), group, level) for loss in (_log_loss, _brier)
    )
    return Evidence(used, fewest, evidence.needed, fit_type_model(columns, type_one), log_loss, brier)


def fit_type_model(columns, type_one) -> TypeModel:
    """Fit log odds that are linear in the columns, under a weak prior that keeps them finite.

    The mode under independent normal priors, of standard deviation `PRIOR_SPREAD` for a column in standard deviations
    and flat for the constant: where columns tell the types apart wholly, likelihood alone has no maximum (Gelman,
    Jakulin, Pittau and Su 2008, Annals of Applied Statistics 2, 1360-1383, who take a Cauchy prior).

    Parameters
    ----------
    columns : array_like, shape (referrals, columns)
    type_one : array_like, shape (referrals,)
        0 or 1, both of which must be there.

    Returns
    -------
    TypeModel

    Raises
    ------
    ValueError
        One type only.
    """
    columns, type_one = np.asarray(columns, float), np.asarray(type_one, float)
    if not 0 < type_one.mean() < 1:
        raise ValueError("A model of the type needs referrals of both types.")
    centre, spread = columns.mean(axis=0), columns.std(axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    design = _design(columns, centre, scale)
    shrinkage = np.append(0.0, np.full(columns.shape[1], PRIOR_SPREAD**-2.0)) / len(design)

    def mean_log_posterior(coefficients):
        log_odds = design @ coefficients
        probability = special.expit(log_odds)
        value = (type_one * log_odds - np.logaddexp(0, log_odds)).mean() - shrinkage @ coefficients**2 / 2
        gradient = design.T @ (type_one - probability) / len(design) - shrinkage * coefficients
        weighted = design * (probability * (1 - probability))[:, None]
        return value, gradient, -(design.T @ weighted) / len(design) - np.diag(shrinkage)

    start = np.append(special.logit(type_one.mean()), np.zeros(columns.shape[1]))
    mode = fit.maximise(mean_log_posterior, [start])
    covariance = np.linalg.inv(-len(design) * mode.hessian)
    ends = columns.min(axis=0), columns.max(axis=0)
    return TypeModel(centre, scale, *ends, mode.log_parameters, (covariance + covariance.T) / 2)


def _design(columns, centre, scale) -> np.ndarray:
    return np.column_stack([np.ones(len(columns)), (np.asarray(columns, float) - centre) / scale])


def _log_loss(probability, type_one) -> np.ndarray:
    probability = np.clip(probability, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    return -np.log(np.where(type_one == 1, probability, 1 - probability))


def _brier(probability, type_one) -> np.ndarray:
    return (probability - type_one) ** 2


def _score(by_model, by_share, group: Sequence[int], level: float) -> Score:
    """Compare mean losses; the variance is that of sums over groups (Liang and Zeger 1986, Biometrika 73)."""
    difference = by_model - by_share
    mean = float(difference.mean())
    sums = np.bincount(group, difference - mean)
    error = np.sqrt((sums**2).sum() * len(sums) / (len(sums) - 1)) / len(difference)
    half = float(special.ndtri((1 + level) / 2) * error)
    return Score(float(by_model.mean()), float(by_share.mean()), Estimate(mean, mean - half, mean + half))
