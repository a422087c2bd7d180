"""Estimates with their bootstrap draws: every call draws the same respondents, so that differences are paired."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from helpers.data.satisfaction_survey import Survey
from helpers.models import resampling

from ..progress import progress
from .settings import Settings

LEAST_STRATUM = 20  # respondents


@dataclass(frozen=True, repr=False)
class Estimate:
    """A number, or an array of them, with its bootstrap draws.

    Parameters
    ----------
    value : ndarray
        From the survey as it is.
    draws : ndarray, shape (resamples, ...)
        From each resample.
    left_out : ndarray, shape (groups of respondents, ...)
        With each respondent, or group of respondents, left out in turn.
    """

    value: np.ndarray
    draws: np.ndarray
    left_out: np.ndarray

    def __repr__(self) -> str:
        """Return value and interval, not the draws."""
        low, high = self.interval()
        return f"Estimate(value={self.value!r}, low={low!r}, high={high!r})"

    def interval(self, method: str = "percentile") -> tuple[np.ndarray, np.ndarray]:
        """Return the ends of the 95 % interval, "percentile" or "bca"."""
        if method == "bca":
            return resampling.bca(self.value, self.draws, self.left_out)
        return resampling.percentile(self.draws)

    @property
    def standard_error(self) -> np.ndarray:
        """Return the standard deviation over the draws."""
        return resampling.standard_error(self.draws)

    def __getitem__(self, key) -> Estimate:
        """Return the same of some of the numbers."""
        keys = key if isinstance(key, tuple) else (key,)
        return Estimate(self.value[keys], self.draws[(slice(None), *keys)], self.left_out[(slice(None), *keys)])

    def __sub__(self, other: Estimate) -> Estimate:
        """Return the difference, draw by draw, so that it is paired."""
        return Estimate(self.value - other.value, self.draws - other.draws, self.left_out - other.left_out)


def resample(
    statistics: Callable[[np.ndarray], dict[str, np.ndarray]], survey: Survey, settings: Settings, title: str
) -> dict[str, Estimate]:
    """Return statistics of the survey with their bootstrap draws; every call draws the same respondents.

    Parameters
    ----------
    statistics : callable
        Takes how often each respondent counts, shape (..., respondents), and returns arrays of shape (..., any).
    survey : Survey
    settings : Settings
    title : str
        Of the progress bar.
    """
    weights, (strata, _) = survey.respondents["weight"].to_numpy(float), strata_of(survey)
    number, resamples = len(weights), settings.bootstrap_resamples
    with progress(title, resamples + min(number, resampling.JACKKNIFE_GROUPS)) as bar:

        def collected(chunks: Iterable[np.ndarray]) -> dict[str, np.ndarray]:
            found = []
            for counts in chunks:
                found.append(statistics(counts * weights))
                bar.update(len(counts))
            return {name: np.concatenate([part[name] for part in found]) for name in found[0]}

        draws = collected(resampling.resampled_counts(number, resamples, settings.seed, strata))
        left_out = collected(resampling.jackknife_counts(number, strata=strata))
    value = statistics(weights)
    return {name: Estimate(value[name], draws[name], left_out[name]) for name in value}


def strata_of(survey: Survey) -> tuple[np.ndarray | None, str]:
    """Return within what respondents are resampled, and its name: cells whose sizes were chosen, not observed.

    Segment and wave together, or one of them, provided that every cell is large enough: the spread within a small cell
    is understated by (n - 1) / n, and that of a cell of one is nothing.
    """
    respondents = survey.respondents[["segment", "wave"]].fillna("").astype(str)
    for columns, name in ((["segment", "wave"], "segment and wave"), (["segment"], "segment"), (["wave"], "wave")):
        codes = respondents.groupby(columns, sort=True).ngroup().to_numpy()
        if codes.max() and np.bincount(codes).min() >= LEAST_STRATUM:
            varying = [column for column in columns if respondents[column].nunique() > 1]
            return codes, name if len(varying) == len(columns) else varying[0]
    return None, ""
