"""The stages of a customer relationship by a documented rule, how customers move between them and how long they stay.

F. R. Dwyer, P. H. Schurr, S. Oh: "Developing Buyer-Seller Relationships" (1987), Journal of Marketing 51(2), 11-27:
relationships are explored, expanded, committed to and dissolved. The names here are those of the Chinese textbooks:
exploration, formation, stable, decline. No paper gives numbers for where one stage ends; `StageRule` makes them
explicit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
from scipy import special

from helpers.models import proportions
from helpers.models.estimate import Estimate

STAGES = ("exploration", "formation", "stable", "decline", "ended")
EXPLORATION, FORMATION, STABLE, DECLINE, ENDED = range(len(STAGES))
ABSENT = -1  # not a customer yet


@dataclass(frozen=True)
class StageRule:
    """Where one stage ends and another begins.

    Parameters
    ----------
    exploration_days : float
        Tenure below which a relationship is a trial.
    stable_days : float
        Tenure from which it counts as stable.
    trend_days : float
        Length of each of the two windows, the recent one and the one before, whose sales are compared.
    falling : float
        Recent sales below this share of those before mean decline; 0 for a rule without a trend.
    alive : float
        Probability of still being a customer below which it means decline; 0 for a rule without a model.

    Raises
    ------
    ValueError
        Lengths that are not above 0 or not in this order, shares outside 0 to 1.
    """

    exploration_days: float = 90
    stable_days: float = 365
    trend_days: float = 182
    falling: float = 0.5
    alive: float = 0.5

    def __post_init__(self):
        """Refuse a rule that leaves a gap."""
        if not all(np.isfinite(getattr(self, each.name)) for each in fields(self)):
            raise ValueError("A rule of stages takes finite numbers.")
        if not 0 < self.exploration_days <= self.stable_days:
            raise ValueError("exploration_days must be above 0, and stable_days no less than that.")
        if self.trend_days <= 0:
            raise ValueError(f"trend_days must be above 0, not {self.trend_days}.")
        for name in ("falling", "alive"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be a share from 0 to 1, not {getattr(self, name)}.")


RULE = StageRule()


def stages(tenure, recent, before, probability_alive, ended, bought_again, rule: StageRule = RULE) -> np.ndarray:
    """Give each customer the stage of the relationship; of several that apply the first counts.

    1. ended: the customer's exit is recorded.
    2. decline: P(alive) is below `rule.alive`; or the recent window sold less than `rule.falling` times the window
       before, where tenure covers both; or there is no second day of purchase within `rule.stable_days`.
    3. exploration: tenure is below `rule.exploration_days`, or there is only one day of purchase.
    4. stable: tenure is at least `rule.stable_days`.
    5. formation: everyone else.

    Who bought on one day only has tried the firm and nothing more, so time alone does not take such a customer beyond
    exploration. A trial that nothing followed in the time in which others become stable has lapsed: it is neither
    stable nor still a trial. Neither of the other two signs would see it: there are no sales before to fall from, and
    in some models (BG/NBD) who never bought again is alive with certainty.

    Parameters
    ----------
    tenure : array_like, shape (n,)
        Days since the first purchase; below 0 before it.
    recent, before : array_like, shape (n,)
        Sales in the last `rule.trend_days` days, and in as many days before those.
    probability_alive : array_like, shape (n,)
        Of still being a customer.
    ended : array_like of bool, shape (n,)
        Whether an exit is recorded.
    bought_again : array_like of bool, shape (n,)
        Whether there were purchases on two days or more.
    rule : StageRule

    Returns
    -------
    ndarray of int8, shape (n,)
        Places in `STAGES`; `ABSENT` where tenure is below 0.

    Raises
    ------
    ValueError
        Of a customer whose relationship has begun and not ended: sales or probabilities that are not numbers, or
        probabilities outside 0 to 1. A tenure that is not a number.
    """
    tenure, recent, before, alive = (np.asarray(each, float) for each in (tenure, recent, before, probability_alive))
    ended, bought_again = np.asarray(ended, bool), np.asarray(bought_again, bool)
    tenure, recent, before, alive, ended, bought_again = np.broadcast_arrays(
        tenure, recent, before, alive, ended, bought_again
    )
    counts = (tenure >= 0) & ~ended
    if np.isnan(tenure).any() or np.isnan(recent[counts] + before[counts]).any():
        raise ValueError("tenure, recent and before must be numbers.")
    if not ((alive[counts] >= 0) & (alive[counts] <= 1)).all():
        raise ValueError("probability_alive must lie between 0 and 1.")
    falls = (tenure >= 2 * rule.trend_days) & (recent < rule.falling * before)
    grown = tenure >= rule.stable_days
    declines = (alive < rule.alive) | falls | (grown & ~bought_again)
    explores = (tenure < rule.exploration_days) | ~bought_again
    return np.select(
        [tenure < 0, ended, declines, explores, grown],
        [ABSENT, ENDED, DECLINE, EXPLORATION, STABLE],
        FORMATION,
    ).astype(np.int8)


def stages_over_time(
    customer,
    day,
    amount,
    dates,
    probability_alive: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray],
    exit_day,
    *,
    days_per_unit: float,
    rule: StageRule = RULE,
) -> np.ndarray:
    """Give each customer the stage at the end of each of several days, from what was known of purchases by then.

    Parameters
    ----------
    customer : array_like of int, shape (purchases,)
        Numbers from 0, in order; of one customer in order of days.
    day : array_like of int, shape (purchases,)
        Several on one day are one for the model, as they are one in its summary.
    amount : array_like, shape (purchases,)
    dates : array_like of int, shape (dates,)
        Days, rising.
    probability_alive : callable
        (frequency, recency, T) -> probabilities: the method of a purchase model. A model fitted on later purchases
        as well knows more than was known.
    exit_day : array_like, shape (customers,)
        Day of the recorded exit; inf where there is none.
    days_per_unit : float
        Days in the model's unit of time, such as 7.
    rule : StageRule

    Returns
    -------
    ndarray of int8, shape (dates, customers)
        Places in `STAGES`; `ABSENT` before the first purchase.

    Raises
    ------
    ValueError
        Rows out of order or of customers who have no exit_day; dates that do not rise; no dates.
    """
    customer, day, dates = (np.asarray(each, np.int64) for each in (customer, day, dates))
    exit_day = np.asarray(exit_day, float)
    size = len(exit_day)
    if not (customer.shape == day.shape == np.shape(amount)) or customer.ndim != 1:
        raise ValueError("customer, day and amount must be one-dimensional and of one length.")
    if len(customer) and not (0 <= customer.min() and customer.max() < size):
        raise ValueError(f"customer holds numbers outside 0 to {size - 1}, for which there is no exit_day.")
    if np.isnan(exit_day).any() or not days_per_unit > 0:
        raise ValueError("exit_day must be a day or inf, and days_per_unit above 0.")
    if not len(dates) or (np.diff(dates) <= 0).any():
        raise ValueError("dates must rise: each later than the one before.")
    origin, ends = min(day.min(initial=0), dates[0]) - 1, max(day.max(initial=0), dates[-1])
    span = ends - origin + 1
    key = customer * span + (day - origin)
    if (np.diff(key) < 0).any():
        raise ValueError("Purchases must be in order of customers, and of one customer in order of days.")
    starts = np.searchsorted(key, np.arange(size) * span)
    has_bought = np.diff(np.append(starts, len(key))) > 0
    first = np.full(size, np.inf)
    first[has_bought] = day[starts[has_bought]]
    sales = np.append(0.0, np.cumsum(np.asarray(amount, float)))
    days_bought = np.append(0, np.cumsum(np.diff(key, prepend=-1) > 0))

    def end_at(date: int) -> np.ndarray:
        """Return where the purchases of each customer until that day end."""
        return np.searchsorted(key, np.arange(size) * span + np.clip(date - origin, 0, span - 1), side="right")

    panel = np.empty((len(dates), size), np.int8)
    for place, date in enumerate(dates):
        now, half, whole = (end_at(int(np.floor(date - back * rule.trend_days))) for back in range(3))
        tenure = np.where(has_bought, date - first, -1.0)
        frequency = days_bought[now] - days_bought[starts] - 1
        recency = day[now - 1] - first if len(day) else first
        asked = (tenure >= 0) & (exit_day > date)
        alive = np.ones(size)
        alive[asked] = probability_alive(
            *(each[asked] for each in (frequency.astype(float), recency / days_per_unit, tenure / days_per_unit))
        )
        recent, before = sales[now] - sales[half], sales[half] - sales[whole]
        panel[place] = stages(tenure, recent, before, alive, exit_day <= date, frequency > 0, rule)
    return panel


@dataclass(frozen=True, eq=False)
class Transitions:
    """Who moved where between two dates, or over several steps together.

    Attributes
    ----------
    counts : ndarray of int, shape (stages, stages)
        From row to column.
    share : Estimate of ndarray, shape (stages, stages)
        Of the row, with Wilson's interval; nan where nobody was in that stage.
    joined : ndarray of int, shape (stages,)
        Stages of those who were not customers before.
    """

    counts: np.ndarray
    share: Estimate
    joined: np.ndarray


def transitions(before, after, level: float = 0.95) -> Transitions:
    """Count moves between stages: of `panel[0]` and `panel[-1]`, or `panel[:-1]` and `panel[1:]` for all single steps.

    Several steps of one customer count as so many trials, which they are if the next stage depends on the present one
    only.

    Parameters
    ----------
    before, after : array_like of int, one shape
        Places in `STAGES`, or `ABSENT`.
    level : float
        Of the intervals.

    Returns
    -------
    Transitions

    Raises
    ------
    ValueError
        Different shapes, places outside `STAGES`, customers who are absent after they were there.
    """
    before, after = _panel(before), _panel(after)
    if before.shape != after.shape:
        raise ValueError("Both panels must be of the same dates and customers.")
    if ((after == ABSENT) & (before != ABSENT)).any():
        raise ValueError("A customer cannot be absent after having been there: the dates may be in the wrong order.")
    size = len(STAGES)
    there = after != ABSENT
    cell = (before[there].astype(int) + 1) * size + after[there]
    joined, *rows = np.bincount(cell, minlength=(size + 1) * size).reshape(size + 1, size)
    counts = np.array(rows)
    trials = counts.sum(axis=1, keepdims=True)
    share = counts / np.where(trials > 0, trials, np.nan)
    return Transitions(counts, Estimate(share, *proportions.wilson(counts, trials, level)), joined)


@dataclass(frozen=True, eq=False)
class Dwell:
    """How long customers stay in a stage; arrays over `STAGES`.

    Attributes
    ----------
    spells, completed : ndarray of int, shape (stages,)
        Stays whose beginning was seen, and those of them whose end was seen as well.
    begun_before : ndarray of int, shape (stages,)
        Stays under way at the first date: how long they had lasted is not known, so they are left out.
    horizon_days : ndarray, shape (stages,)
        Up to which the mean counts: the longest stay that could be seen; nan without a completed stay.
    mean_days : Estimate of ndarray, shape (stages,)
        Restricted to the horizon, with Greenwood's variance; nan where no stay was completed, as of the last stage.
    median_days : Estimate of ndarray, shape (stages,)
        Nan where the curve, or its bound, does not come down to one half.
    staying : ndarray, shape (stages, dates)
        Kaplan-Meier: probability to stay longer than so many steps, from 0 steps on; nan where nobody was seen so long.
    """

    spells: np.ndarray
    completed: np.ndarray
    begun_before: np.ndarray
    horizon_days: np.ndarray
    mean_days: Estimate
    median_days: Estimate
    staying: np.ndarray


def dwell(panel, step_days: float, level: float = 0.95) -> Dwell:
    """Estimate how long customers stay in each stage (Kaplan and Meier 1958, J. American Statistical Association 53).

    Time runs in steps between dates. A stay is seen from the first date at which a customer is in the stage; it lasts
    as many steps as it is seen at dates, and is censored at the last date. Stays under way at the first date are left
    out: their beginning is unknown, and the long ones would be over-represented.

    Parameters
    ----------
    panel : array_like of int, shape (dates, customers)
        From `stages_over_time`, at dates that are equally far apart.
    step_days : float
        Days between two dates.
    level : float
        Of the intervals: normal for the mean; for the median where the log-log interval of the curve crosses one half
        (Brookmeyer and Crowley 1982, Biometrics 38).

    Returns
    -------
    Dwell

    Raises
    ------
    ValueError
        Fewer than two dates, steps that are not above 0, places outside `STAGES`.
    """
    panel = _panel(panel)
    if panel.ndim != 2 or len(panel) < 2 or not step_days > 0:
        raise ValueError("Dwelling takes a panel of two dates or more and step_days above 0.")
    stage, length, completed, begun_before = _spells(panel)
    size, dates = len(STAGES), len(panel)
    seen = ~begun_before

    def count(which, steps) -> np.ndarray:
        cell = stage[which].astype(int) * dates + steps[which]
        return np.bincount(cell, minlength=size * dates).reshape(size, dates)

    left = count(seen & completed, length)
    # at the last date nobody saw whether the stay goes on: it was at risk of ending at the dates before only
    at_risk = (left + count(seen & ~completed, length - 1))[:, ::-1].cumsum(axis=1)[:, ::-1]
    staying, spread = _kaplan_meier(left, at_risk)
    mean, error, last = _restricted_mean(staying, left, at_risk)
    half_width = special.ndtri((1 + level) / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        log = np.log(staying)
        low, high = (staying ** np.exp(sign * half_width * np.sqrt(spread) / np.abs(log)) for sign in (1, -1))
    none = left.sum(axis=1) == 0
    mean, error, horizon = (np.where(none, np.nan, each * step_days) for each in (mean, error, last.astype(float)))
    low_mean, high_mean = np.maximum(mean - half_width * error, 0), np.minimum(mean + half_width * error, horizon)
    return Dwell(
        spells=at_risk[:, 0],
        completed=left.sum(axis=1),
        begun_before=np.bincount(stage[begun_before], minlength=size),
        horizon_days=horizon,
        mean_days=Estimate(mean, low_mean, high_mean),
        median_days=Estimate(*(_first_at_half(curve) * step_days for curve in (staying, low, high))),
        staying=staying,
    )


def _panel(places) -> np.ndarray:
    places = np.asarray(places)
    if places.size and (places.dtype.kind not in "iu" or places.min() < ABSENT or places.max() >= len(STAGES)):
        raise ValueError(f"Stages are whole numbers from {ABSENT} (absent) to {len(STAGES) - 1}.")
    return places.astype(np.int8)


def _spells(panel) -> tuple[np.ndarray, ...]:
    """Return of each stay its stage, number of dates, whether its end was seen, whether under way at the first date."""
    dates = len(panel)
    by_customer = panel.T
    begins = np.ones(by_customer.shape, bool)
    begins[:, 1:] = by_customer[:, 1:] != by_customer[:, :-1]
    place = np.flatnonzero(begins)
    after = np.append(place[1:], by_customer.size)
    stage = by_customer.ravel()[place]
    there = stage != ABSENT
    place, after, stage = place[there], after[there], stage[there]
    return stage, after - place, after % dates != 0, place % dates == 0


def _kaplan_meier(left, at_risk) -> tuple[np.ndarray, np.ndarray]:
    """Return the curve and the sum of d / (n (n - d)) up to each step; nan where nobody is at risk any more."""
    risk = np.where(at_risk > 0, at_risk, np.nan)
    staying = np.cumprod(1 - left / risk, axis=1)
    return staying, np.cumsum(_greenwood(left, at_risk), axis=1)


def _greenwood(left, at_risk) -> np.ndarray:
    remaining = at_risk - left
    return np.divide(left, at_risk * remaining, out=np.zeros(left.shape), where=remaining > 0)


def _restricted_mean(staying, left, at_risk) -> tuple[np.ndarray, ...]:
    """Return the area under each curve up to the last step at which anyone was at risk, its error, and that step.

    Var = sum over steps j of A_j^2 d_j / (n_j (n_j - d_j)), A_j the area from j to the end.
    """
    last = np.maximum((at_risk > 0).sum(axis=1) - 1, 0)
    area = np.where(np.arange(staying.shape[1]) < last[:, None], np.nan_to_num(staying), 0)
    beyond = area[:, ::-1].cumsum(axis=1)[:, ::-1]
    return area.sum(axis=1), np.sqrt((beyond**2 * _greenwood(left, at_risk)).sum(axis=1)), last


def _first_at_half(curve) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        down = curve <= 0.5
    return np.where(down.any(axis=1), down.argmax(axis=1), np.nan)
