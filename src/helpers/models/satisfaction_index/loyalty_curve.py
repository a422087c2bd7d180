"""Loyalty as a straight line of satisfaction, or as a line with a knee: which of them the data support.

A knee upwards is delight, where only the very satisfied stay. A knee downwards is a loyalty that saturates, or a
scale that ends: who already gives the highest answer cannot give a higher one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from helpers.models import resampling

LEAST_SHARE, LEAST_PEOPLE = 0.10, 10  # on each side of a knee
MOST_VALUES = 400  # distinct values of satisfaction that are told apart
TESTED_AT_ONCE = 250  # draws
ROUNDING = 1e-12  # share of a sum of squares that is 0 but for rounding

VERDICTS = ("line", "knee_up", "knee_down", "not enough data")
QUADRANTS = ("satisfied_and_loyal", "satisfied_not_loyal", "loyal_not_satisfied", "neither")


@dataclass(frozen=True, eq=False)
class Pieces:
    """Two straight pieces that meet at a knee; a straight line where both slopes are the same.

    Attributes
    ----------
    knee, loyalty : ndarray, shape (...)
        Satisfaction and loyalty where the pieces meet.
    below, above : ndarray, shape (...)
        Points of loyalty a point of satisfaction.
    """

    knee: np.ndarray
    loyalty: np.ndarray
    below: np.ndarray
    above: np.ndarray

    def at(self, satisfaction) -> np.ndarray:
        """Return the loyalty at these values of satisfaction, shape (values,); shape (..., values)."""
        beyond = np.asarray(satisfaction, float) - self.knee[..., None]
        slope = np.where(beyond > 0, self.above[..., None], self.below[..., None])
        return self.loyalty[..., None] + slope * beyond


@dataclass(frozen=True, eq=False)
class LoyaltyCurve:
    """The line and the kneed line of least squares, and which of them the data support.

    Attributes
    ----------
    verdict : str
        One of `VERDICTS`; "not enough data" also where satisfaction or loyalty does not vary.
    p_value : float
        Of the test of the line against any knee; nan without enough data.
    respondents : int
        Who have both scores.
    line, kneed : Pieces
        Arrays of shape (); nan where they cannot be fitted.
    line_draws, kneed_draws : Pieces
        Of the resamples, shape (resamples,).
    """

    verdict: str
    p_value: float
    respondents: int
    line: Pieces
    kneed: Pieces
    line_draws: Pieces
    kneed_draws: Pieces

    def intervals(self, level: float = 0.95) -> dict[str, tuple[float, float, float]]:
        """Return value, low and high of slope, slope_below, slope_above, slope_change and knee, by percentiles.

        The knee is where the slopes differ most, so the interval of slope_change tends to leave 0 out even where the
        line is right: whether there is a knee is for the verdict to say.
        """
        measures = {
            "slope": lambda line, kneed: line.above,
            "slope_below": lambda line, kneed: kneed.below,
            "slope_above": lambda line, kneed: kneed.above,
            "slope_change": lambda line, kneed: kneed.above - kneed.below,
            "knee": lambda line, kneed: kneed.knee,
        }
        found = {}
        for name, measure in measures.items():
            bounds = resampling.percentile(measure(self.line_draws, self.kneed_draws), level)
            found[name] = tuple(map(float, (measure(self.line, self.kneed), *bounds)))
        return found

    def band(self, satisfaction, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Return low and high of the supported curve at values of satisfaction, point by point, by percentiles."""
        draws = self.kneed_draws if self.verdict.startswith("knee") else self.line_draws
        return resampling.percentile(draws.at(satisfaction), level)


def fit_curve(
    satisfaction, loyalty, weights=None, *, resamples: int = 1000, seed: int = 0, level: float = 0.95
) -> LoyaltyCurve:
    """Fit loyalty by a line and by a line with a knee, and test the one against the other.

    The knee may lie at any observed satisfaction that leaves 10 % of the respondents, and 10 people, on either side.
    The line is tested against all these knees at once: the largest of their score statistics, each robust to errors
    whose spread differs between respondents, is held against its distribution when the line is right, simulated with
    normal multipliers of the residuals (Hansen 1996, Econometrica 64, section 3; the knee exists only under the
    alternative, so no table serves). For the spread each residual is what it would be without its respondent
    (MacKinnon and White 1985, J. Econometrics 29), which keeps the level in small samples. Intervals are those of
    resampled respondents, the knee found anew in each.

    More than 400 distinct values of satisfaction are first grouped by quantiles, each group at its mean.

    Parameters
    ----------
    satisfaction, loyalty : array_like, shape (respondents,)
        Scores; respondents without either are left out.
    weights : array_like, shape (respondents,), optional
        Survey weights, positive.
    resamples : int
        Of the test and of the intervals.
    seed : int
        Same seed, same result, whatever the order of the respondents.
    level : float
        The line is rejected where the probability value is at most 1 - level.

    Returns
    -------
    LoyaltyCurve

    Raises
    ------
    ValueError
        Arrays of different lengths.
    """
    groups = _Groups.of(satisfaction, loyalty, weights)
    rng = np.random.default_rng(seed)
    line, kneed = (_each(pieces, 0) for pieces in groups.fit(groups.weights[None], groups.loyalty_sums[None]))
    p_value = groups.tested(resamples, rng)
    if np.isnan(p_value):
        verdict = VERDICTS[3]
    elif p_value > 1 - level:
        verdict = VERDICTS[0]
    else:
        verdict = VERDICTS[1] if kneed.above > kneed.below else VERDICTS[2]
    line_draws, kneed_draws = groups.resampled(resamples, seed)
    return LoyaltyCurve(verdict, p_value, len(groups.loyalty), line, kneed, line_draws, kneed_draws)


@dataclass(frozen=True, eq=False)
class _Groups:
    """Respondents sorted by satisfaction and grouped by its distinct values.

    Attributes
    ----------
    loyalty, weight : ndarray, shape (respondents,)
        Loyalty less its mean.
    starts : ndarray of int, shape (groups,)
        Where each group begins.
    satisfaction : ndarray, shape (groups,)
        Less its mean.
    centre : tuple of float
        The means.
    knees : ndarray, shape (knees,)
        Where the knee may lie, on the scale of `satisfaction`.
    """

    loyalty: np.ndarray
    weight: np.ndarray
    starts: np.ndarray
    satisfaction: np.ndarray
    centre: tuple[float, float]
    knees: np.ndarray

    @classmethod
    def of(cls, satisfaction, loyalty, weights) -> _Groups:
        satisfaction, loyalty = np.asarray(satisfaction, float), np.asarray(loyalty, float)
        weights = np.ones(satisfaction.shape) if weights is None else np.asarray(weights, float)
        if not satisfaction.shape == loyalty.shape == weights.shape == (satisfaction.size,):
            raise ValueError("satisfaction, loyalty and weights must be one-dimensional and of one length.")
        known = np.isfinite(satisfaction) & np.isfinite(loyalty)
        satisfaction, loyalty, weights = satisfaction[known], loyalty[known], weights[known]
        # sorted by all, so that the resamples do not depend on the order in which respondents come
        order = np.lexsort((weights, loyalty, satisfaction))
        satisfaction, loyalty, weights = satisfaction[order], loyalty[order], weights[order]
        starts = _starts(satisfaction)
        sizes = np.diff(starts, append=len(satisfaction))
        values = _summed(weights * satisfaction, starts) / _summed(weights, starts)
        centre = tuple(weights @ column / max(weights.sum(), 1e-300) for column in (satisfaction, loyalty))
        least = max(LEAST_SHARE * len(satisfaction), LEAST_PEOPLE)
        reached = np.cumsum(sizes)
        knees = values[(reached - sizes >= least) & (len(satisfaction) - reached >= least)] - centre[0]
        return cls(loyalty - centre[1], weights, starts, values - centre[0], centre, knees)

    @property
    def weights(self) -> np.ndarray:
        return _summed(self.weight, self.starts)

    @property
    def loyalty_sums(self) -> np.ndarray:
        return _summed(self.weight * self.loyalty, self.starts)

    def hinges(self) -> np.ndarray:
        """Satisfaction beyond each knee; shape (groups, knees)."""
        return np.maximum(self.satisfaction[:, None] - self.knees, 0)

    def fit(self, weights, loyalty_sums) -> tuple[Pieces, Pieces]:
        """Fit line and kneed line, given each group's weight and weighted sum of loyalty; shape (draws, groups)."""
        draws, x, hinges = len(weights), self.satisfaction, self.hinges()
        size = weights.sum(axis=1)
        size = np.where(size > 0, size, np.nan)
        mean_x, mean_y = weights @ x / size, loyalty_sums.sum(axis=1) / size
        squares = weights @ x**2 / size - mean_x**2
        varies = squares > ROUNDING * np.max(x**2, initial=0)
        squares = np.where(varies, squares, np.nan)
        slope = (loyalty_sums @ x / size - mean_x * mean_y) / squares
        line = self._pieces(mean_x, mean_y, slope, slope)
        if not len(self.knees):
            return line, self._pieces(*np.full((4, draws), np.nan))
        # each hinge less its regression on a constant and satisfaction (Frisch and Waugh 1933)
        mean_h = weights @ hinges / size[:, None]
        regressed = (weights @ (hinges * x[:, None]) / size[:, None] - mean_x[:, None] * mean_h) / squares[:, None]
        left = weights @ hinges**2 / size[:, None] - mean_h**2 - regressed**2 * squares[:, None]
        with_loyalty = loyalty_sums @ hinges / size[:, None] - mean_h * mean_y[:, None]
        with_loyalty -= regressed * (slope * squares)[:, None]
        left = np.where(left > ROUNDING * np.max(x**2, initial=0), left, np.nan)
        gained = np.nan_to_num(with_loyalty**2 / left, nan=-1.0)
        best = np.argmax(gained, axis=1)[:, None]
        change, along, mean_best = (
            np.take_along_axis(values, best, axis=1)[:, 0] for values in (with_loyalty / left, regressed, mean_h)
        )
        below = slope - change * along
        knee = self.knees[best[:, 0]]
        at_knee = mean_y - change * mean_best + below * (knee - mean_x)
        return line, self._pieces(knee, at_knee, below, below + change)

    def _pieces(self, knee, loyalty, below, above) -> Pieces:
        return Pieces(knee + self.centre[0], loyalty + self.centre[1], below, above)

    def tested(self, resamples: int, rng: np.random.Generator) -> float:
        """Return the probability value of the line; nan where there is no knee to test it against."""
        x, weights, total = self.satisfaction, self.weights, self.weight @ self.loyalty**2
        spread = weights @ x**2
        varies = total > ROUNDING * self.weight.sum() * self.centre[1] ** 2 and total > 0
        if not (len(self.knees) and spread > 0 and varies):
            return np.nan
        sizes = np.diff(self.starts, append=len(self.loyalty))
        residuals = self.loyalty - np.repeat(x * (self.loyalty_sums @ x / spread), sizes)
        if self.weight @ residuals**2 <= ROUNDING * total:
            return 1.0
        # satisfaction and loyalty are centred: to a hinge's part beside the line, the line's own slope is nothing
        hinges = self.hinges()
        parts = hinges - weights @ hinges / weights.sum() - np.outer(x, (weights * x) @ hinges / spread)
        leverage = self.weight * (1 / self.weight.sum() + np.repeat(x**2 / spread, sizes))
        variances = _summed((self.weight * residuals / (1 - leverage)) ** 2, self.starts)
        scale = np.sqrt(variances @ parts**2)
        parts = parts / np.where(scale > 0, scale, np.inf)
        observed = np.abs(_summed(self.weight * residuals, self.starts) @ parts).max()
        # the sum of a group's residuals times normal multipliers is normal, with this variance
        parts *= np.sqrt(variances)[:, None]
        beyond = 0
        for first in range(0, resamples, TESTED_AT_ONCE):
            multipliers = rng.standard_normal((min(TESTED_AT_ONCE, resamples - first), len(x)))
            beyond += int((np.abs(multipliers @ parts).max(axis=1) >= observed).sum())
        return (1 + beyond) / (1 + resamples)

    def resampled(self, resamples: int, seed: int) -> tuple[Pieces, Pieces]:
        """Fit both to resampled respondents."""
        if not len(self.loyalty):
            none = self._pieces(*np.full((4, resamples), np.nan))
            return none, none
        fits = []
        for counts in resampling.resampled_counts(len(self.loyalty), resamples, seed):
            counts *= self.weight
            fits.append(self.fit(_summed(counts, self.starts), _summed(counts * self.loyalty, self.starts)))
        lines, kneed = zip(*fits, strict=True)
        return _joined(lines), _joined(kneed)


def _starts(ordered) -> np.ndarray:
    """Return where the groups begin of sorted values: distinct values, or groups of equal size where there are many."""
    if not len(ordered):
        return np.empty(0, int)
    close = ROUNDING * max(np.abs(ordered[[0, -1]]).max(), 1e-300)
    starts = np.flatnonzero(np.diff(ordered, prepend=-np.inf) > close)
    if len(starts) <= MOST_VALUES:
        return starts
    wanted = np.arange(MOST_VALUES) * len(ordered) / MOST_VALUES
    return np.unique(starts[np.searchsorted(starts, wanted, side="right") - 1])


def _summed(values, starts) -> np.ndarray:
    """Add up the values of each group, along the last axis."""
    return np.add.reduceat(values, starts, axis=-1) if len(starts) else np.empty((*values.shape[:-1], 0))


def _each(pieces: Pieces, draw: int) -> Pieces:
    return Pieces(pieces.knee[draw], pieces.loyalty[draw], pieces.below[draw], pieces.above[draw])


def _joined(parts) -> Pieces:
    columns = ("knee", "loyalty", "below", "above")
    return Pieces(*(np.concatenate([getattr(part, column) for part in parts]) for column in columns))


def quadrants(satisfaction, loyalty, satisfied_from: float, loyal_from: float, counts=None) -> np.ndarray:
    """Share the respondents out by whether they are satisfied and whether they are loyal.

    After Jones and Sasser (1995, Harvard Business Review 73(6)), who drew loyalty against satisfaction.

    Parameters
    ----------
    satisfaction, loyalty : array_like, shape (respondents,)
        Scores; respondents without either are left out.
    satisfied_from, loyal_from : float
        The lowest score of who is satisfied, and of who is loyal.
    counts : array_like, shape (..., respondents), optional
        How often each respondent counts; 1 by default.

    Returns
    -------
    ndarray, shape (..., 4)
        Shares that add up to 1, in the order of `QUADRANTS`; nan where nobody counts.
    """
    satisfaction, loyalty = np.asarray(satisfaction, float), np.asarray(loyalty, float)
    known = np.isfinite(satisfaction) & np.isfinite(loyalty)
    satisfied, loyal = satisfaction >= satisfied_from, loyalty >= loyal_from
    cells = np.column_stack([satisfied & loyal, satisfied & ~loyal, ~satisfied & loyal, ~satisfied & ~loyal])
    counts = np.ones(len(known)) if counts is None else np.asarray(counts, float)
    people = counts @ (cells & known[:, None]).astype(float)
    total = people.sum(axis=-1, keepdims=True)
    return people / np.where(total > 0, total, np.nan)
