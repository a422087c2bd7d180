"""The value that customers have for the firm beside the value that the firm has for them (Peppers and Rogers)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from helpers.data.satisfaction_survey import Survey
from helpers.models import quadrants, resampling

QUADRANTS = ("under_served", "both_gain", "over_served", "neither_gains")  # value high first, then satisfaction
FEWEST = 10  # customers who answered, below which nothing is said


@dataclass(frozen=True, eq=False)
class TwoSided:
    """Customers who answered the survey, with both sides of the bargain.

    Parameters
    ----------
    place : ndarray of int
        Their places among the customers.
    satisfaction : ndarray
        0 to 100.
    quadrant : ndarray of int
        Places in `QUADRANTS`: above the median, or not.
    correlation, low, high : float
        Spearman's rank correlation of satisfaction and value, with its 95 % bootstrap interval.
    """

    place: np.ndarray
    satisfaction: np.ndarray
    quadrant: np.ndarray
    correlation: float
    low: float
    high: float


def satisfaction_of(survey: Survey, satisfaction_items: list[str]) -> pd.Series:
    """Return the mean answer of each respondent to the items of satisfaction, carried to 0 to 100, by customer_id.

    Of several answers of a customer the mean counts. Respondents who are no known customer are left out.
    """
    answers = survey.answers[satisfaction_items].mean(axis=1)
    scores = 100 * (answers - survey.lowest) / (survey.highest - survey.lowest)
    known = pd.DataFrame({"customer_id": survey.respondents["customer_id"], "score": scores}).dropna()
    return known.groupby("customer_id")["score"].mean()


def two_sided(satisfaction: pd.Series, customer_id, value, *, resamples: int, seed: int) -> TwoSided | None:
    """Set satisfaction against value; None where too few answered, or all answered alike.

    Parameters
    ----------
    satisfaction : Series
        By customer_id.
    customer_id : ndarray of str, shape (customers,)
    value : ndarray, shape (customers,)
        Lifetime value.
    resamples, seed : int
        Of the interval.
    """
    place = pd.Index(customer_id).get_indexer(satisfaction.index)
    known = place >= 0
    place, scores = place[known], satisfaction.to_numpy(float)[known]
    if len(place) < FEWEST or np.ptp(scores) == 0 or np.ptp(value[place]) == 0:
        return None
    worth = value[place]
    quadrant = quadrants.classify(worth, scores, quadrants.cuts(worth), quadrants.cuts(scores))
    rng = np.random.default_rng(seed)
    drawn = (rng.integers(len(place), size=len(place)) for _ in range(resamples))
    low, high = resampling.percentile([_spearman(worth[rows], scores[rows]) for rows in drawn])
    return TwoSided(place, scores, quadrant, _spearman(worth, scores), float(low), float(high))


def _spearman(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.corrcoef(stats.rankdata(first), stats.rankdata(second))[0, 1])
