"""What winning a customer costs and what keeping one does: on average, at the margin, and over time.

The claims: winning costs "5 times" as much as keeping, "5 times more", "6 to 10 times". They speak of averages; what to
do next depends on the cost of one more customer (Pfeifer 2005, J. of Targeting, Measurement and Analysis for Marketing
13: at the optimum the marginal costs of winning and of keeping are equal, whatever the averages are).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats
from statsmodels.genmod import families
from statsmodels.genmod.generalized_linear_model import GLM

from helpers.models import resampling
from helpers.models.estimate import Estimate

from .periods import resampled_periods

# What the sources claim of the ratio: the lowest and the highest number that the words allow.
CLAIMS = {"5 times": (5.0, 5.0), "5 times more": (6.0, 6.0), "6 to 10 times": (6.0, 10.0)}
INSIDE, COMPATIBLE, BELOW, ABOVE, UNKNOWN = "inside", "compatible", "below", "above", "unknown"
FEW_PERIODS = 36
ALL = "all"


@dataclass(frozen=True, eq=False)
class Spend:
    """Spend and customers by period and channel, each of shape (periods, channels); 0 where there is no row.

    Attributes
    ----------
    periods, channels : ndarray
        Labels, sorted.
    acquisition_spend, retention_spend, new_customers, retained_customers : ndarray
    has_row : ndarray of bool
        Whether anything is known of a period and channel.
    """

    periods: np.ndarray
    channels: np.ndarray
    acquisition_spend: np.ndarray
    retention_spend: np.ndarray
    new_customers: np.ndarray
    retained_customers: np.ndarray
    has_row: np.ndarray

    @property
    def lost_customers(self) -> np.ndarray:
        """Customers lost in each period: those there at the end of the one before, less those retained.

        Nan in the first period and where either row is missing; below 0 where what was counted does not fit together.
        """
        before = np.where(self.has_row, self.retained_customers + self.new_customers, np.nan)[:-1]
        lost = before - np.where(self.has_row, self.retained_customers, np.nan)[1:]
        return np.concatenate([np.full((1, lost.shape[1]), np.nan), lost])

    def of_channels(self, channels) -> Spend:
        """Take some channels, such as those that are not paid by the customer they bring."""
        kept = np.isin(self.channels, channels)
        return Spend(self.periods, self.channels[kept], *(each[:, kept] for each in (*self._amounts, self.has_row)))

    @property
    def _amounts(self) -> tuple[np.ndarray, ...]:
        return self.acquisition_spend, self.retention_spend, self.new_customers, self.retained_customers


def spend_by_period(
    period, acquisition_spend, retention_spend, new_customers, retained_customers, channel=None
) -> Spend:
    """Arrange rows of spend by period and channel; rows of the same period and channel are added up.

    Parameters
    ----------
    period : array_like, shape (rows,)
        Labels that sort in time, such as "2024-03", and leave out none in between.
    acquisition_spend, retention_spend : array_like, shape (rows,)
        Money.
    new_customers, retained_customers : array_like, shape (rows,)
        Won in the period; there before it and still there when it ended.
    channel : array_like, shape (rows,), optional
        One for all where it is not given.

    Returns
    -------
    Spend

    Raises
    ------
    ValueError
        No rows, columns of different lengths, amounts that are missing, infinite or below 0.
    """
    period = np.asarray(period)
    channel = np.full(period.shape, ALL) if channel is None else np.asarray(channel)
    amounts = {
        "acquisition_spend": acquisition_spend,
        "retention_spend": retention_spend,
        "new_customers": new_customers,
        "retained_customers": retained_customers,
    }
    amounts = {name: np.asarray(amount, float) for name, amount in amounts.items()}
    if period.ndim != 1 or not period.size or {period.shape} != {each.shape for each in (channel, *amounts.values())}:
        raise ValueError("Give at least one row of spend, and as many values in each column as there are rows.")
    for name, amount in amounts.items():
        if not np.all(np.isfinite(amount) & (amount >= 0)):
            raise ValueError(f"{name} holds missing, infinite or negative values.")
    periods, row = np.unique(period, return_inverse=True)
    channels, column = np.unique(channel, return_inverse=True)
    shape = len(periods), len(channels)
    cell, cells = row * shape[1] + column, shape[0] * shape[1]
    sums = (np.bincount(cell, amount, minlength=cells).reshape(shape) for amount in amounts.values())
    return Spend(periods, channels, *sums, (np.bincount(cell, minlength=cells) > 0).reshape(shape))


@dataclass(frozen=True, eq=False)
class AverageCosts:
    """Average costs by channel where there are several, and of all together in the last place.

    Attributes
    ----------
    channels : tuple of str
        The last is "all"; with one channel there is no other.
    acquisition_cost : Estimate
        Of a new customer; arrays of shape (channels,). Nan where a channel brought none.
    retention_cost : Estimate
        Of keeping one customer for a year. Nan where a channel has none to keep.
    ratio : Estimate
        Of the two. Nan where nothing was spent on keeping.
    problems : tuple of str
    """

    channels: tuple[str, ...]
    acquisition_cost: Estimate
    retention_cost: Estimate
    ratio: Estimate
    problems: tuple[str, ...]


def average_costs(
    spend: Spend,
    periods_per_year: float = 12,
    *,
    resamples: int = 2000,
    block: int = 1,
    level: float = 0.95,
    seed: int = 0,
) -> AverageCosts:
    """Average cost of a new customer, of a year with a retained one, and the ratio, with intervals over periods.

    Acquisition spend over new customers; retention spend over the years that customers were there, which are retained
    customers summed over periods, over `periods_per_year`.

    Parameters
    ----------
    spend : Spend
    periods_per_year : float
        12 for months.
    resamples : int
        Of whole periods, all channels of one together.
    block : int
        Periods in a run that is drawn as one (see `resampled_periods`). Intervals are bias-corrected and accelerated
        for single periods, plain percentiles for runs.
    level : float
    seed : int

    Returns
    -------
    AverageCosts

    Raises
    ------
    ValueError
        No periods a year, or runs longer than the periods observed.
    """
    if not periods_per_year > 0:
        raise ValueError("There is more than no period in a year: 12 for months, 4 for quarters.")
    periods = len(spend.periods)
    each_channel = len(spend.channels) if len(spend.channels) > 1 else 0
    sums = np.stack([np.column_stack([each[:, :each_channel], each.sum(axis=1)]) for each in spend._amounts])

    def of_counts(counts: np.ndarray) -> np.ndarray:
        """Costs of acquisition and retention, and their ratio, by resample and channel."""
        winning, keeping, new, retained = np.einsum("dp,apc->adc", counts, sums)
        won, kept = _over(winning, new), _over(keeping, retained / periods_per_year)
        return np.stack([won, kept, _over(won, kept)], axis=1)

    value = of_counts(np.ones((1, periods)))[0]
    low = high = np.full(value.shape, np.nan)
    if periods > 1:
        draws = of_counts(resampled_periods(periods, resamples, block, seed))
        left_out = np.concatenate(list(resampling.jackknife_counts(periods, periods)))
        low, high = (
            resampling.bca(value, draws, of_counts(left_out), level)
            if block == 1
            else resampling.percentile(draws, level)
        )
        # a cost that is not defined has no interval either
        low, high = (np.where(np.isfinite(value), bound, np.nan) for bound in (low, high))
    estimates = (Estimate(*each) for each in zip(value, low, high, strict=True))
    channels = (*map(str, spend.channels[:each_channel]), ALL)
    return AverageCosts(channels, *estimates, _problems_of_averages(channels, periods, sums.sum(axis=1)))


def against_claim(low: float, high: float, claimed: tuple[float, float]) -> str:
    """Say how an interval of the ratio lies to a claimed band, such as those of `CLAIMS`.

    Returns
    -------
    str
        "inside" where all of the interval is in the band, "compatible" where some is, "below", "above", and "unknown"
        where there is no interval.
    """
    if not (np.isfinite(low) and np.isfinite(high)):
        return UNKNOWN
    if high < claimed[0]:
        return BELOW
    if low > claimed[1]:
        return ABOVE
    return INSIDE if claimed[0] <= low and high <= claimed[1] else COMPATIBLE


@dataclass(frozen=True, eq=False)
class MarginalCost:
    """Cost of one more customer, from how customers follow spend.

    Attributes
    ----------
    elasticity : Estimate
        By how many percent customers won (or the share kept) rise for one percent more spend.
    average_cost : float
        Spend over customers, in the rows used.
    cost : Estimate
        average_cost / elasticity; the average is taken as known. Infinite above where the elasticity may be 0 or less,
        nan where it is estimated so.
    told : bool
        Whether the elasticity is surely above 0; otherwise only the lower end of the cost is known.
    cells, periods : int
        Used: periods by channels, and periods.
    problems : tuple of str
    """

    elasticity: Estimate
    average_cost: float
    cost: Estimate
    told: bool
    cells: int
    periods: int
    problems: tuple[str, ...]


def marginal_acquisition_cost(spend: Spend, level: float = 0.95) -> MarginalCost:
    """Cost of one more new customer: the average cost over the elasticity of new customers by spend.

    New customers of a channel in a period are a power of its spend times what is particular to the channel and to the
    period: a Poisson regression with fixed effects, which needs no Poisson distribution and takes zeros (Santos Silva
    & Tenreyro 2006, Review of Economics and Statistics 88(4)). Errors are clustered by period, and intervals are of
    Student's t. With one channel there are no period effects: season, trend and spend cannot be told apart.

    Spend must not follow from the customers won, as a reward for each of them does: leave such channels out.

    Parameters
    ----------
    spend : Spend
    level : float

    Returns
    -------
    MarginalCost
        All nan, with the reason, where the rows do not suffice.
    """
    money, won = spend.acquisition_spend, spend.new_customers
    used = (money > 0) & (won.sum(axis=1, keepdims=True) > 0) & (won.sum(axis=0) > 0)
    problems = []
    if left_out := int(((money == 0) & (won > 0)).sum()):
        problems.append(f"{left_out} rows with new customers but no spend say nothing of what spend does; left out.")
    if len(spend.channels) == 1:
        problems.append("With one channel, what spend does cannot be told from season and trend.")
    average = float(_over(money[used].sum(), won[used].sum()))
    found = _slope(families.Poisson(), won, np.log(np.where(used, money, 1)), used, level)
    return _marginal(found, 1.0, average, used, problems)


def marginal_retention_cost(spend: Spend, level: float = 0.95, *, lost_customers=None) -> MarginalCost:
    """Cost of one more customer kept at the end of a period, from how retention follows spend a customer.

    The log odds to stay rise in a line with the spend a customer, beside what is particular to the channel and to the
    period: a logistic regression of those kept and lost, errors clustered by period. With retention r, spend s a
    customer and slope b, the elasticity of r is b s (1 - r), and one more customer costs 1 / (b r (1 - r)).

    Parameters
    ----------
    spend : Spend
    level : float
    lost_customers : array_like, shape (periods, channels), optional
        Lost in each period. Otherwise they follow from the counts of the period before, and the first period is left
        out, as are rows with none before them.

    Returns
    -------
    MarginalCost
        All nan, with the reason, where the rows do not suffice.

    Raises
    ------
    ValueError
        Lost customers of another shape, or below 0.
    """
    kept, money = spend.retained_customers, spend.retention_spend
    problems = []
    if lost_customers is None:
        lost = spend.lost_customers
        if grown := int((lost < 0).sum()):
            problems.append(
                f"In {grown} rows more customers were retained than there were before: what is counted does not fit "
                "together; left out."
            )
    else:
        lost = np.asarray(lost_customers, float)
        if lost.shape != kept.shape or not np.all(lost >= 0):
            raise ValueError("Lost customers are a number of at least 0 for each period and channel.")
    if len(spend.channels) == 1:
        problems.append("With one channel, what spend does cannot be told from season and trend.")
    before = kept + np.where(lost >= 0, lost, 0)
    used = (lost >= 0) & (before > 0)
    each = _over(money, before)
    share = float(_over(kept[used].sum(), before[used].sum()))
    spent = float(_over(money[used].sum(), before[used].sum()))
    if not 0 < share < 1:
        problems.append("Nobody was lost, or nobody was kept: retention does not vary.")
        used = np.zeros_like(used)
    found = _slope(families.Binomial(), np.stack([kept, lost], axis=-1), each, used, level)
    return _marginal(found, spent * (1 - share), float(_over(spent, share)), used, problems)


@dataclass(frozen=True)
class CostTrend:
    """By what share the cost of a new customer rises a year.

    Attributes
    ----------
    yearly_change : Estimate
        0.1 for 10 % a year; nan with a reason where it cannot be told.
    problems : tuple of str
    """

    yearly_change: Estimate
    problems: tuple[str, ...]


def acquisition_cost_trend(spend: Spend, periods_per_year: float = 12, level: float = 0.95) -> CostTrend:
    """Ask whether winning a customer costs more and more.

    New customers per money spent fall by one share each year, from a level of each channel: a Poisson regression with
    the log of spend as offset, errors clustered by period. A channel that grows at the expense of a cheaper one is no
    trend.

    Returns
    -------
    CostTrend

    Raises
    ------
    ValueError
        No periods a year.
    """
    if not periods_per_year > 0:
        raise ValueError("There is more than no period in a year: 12 for months, 4 for quarters.")
    money, won = spend.acquisition_spend, spend.new_customers
    used = (money > 0) & (won.sum(axis=0) > 0)
    years = np.broadcast_to(np.arange(len(spend.periods))[:, None] / periods_per_year, money.shape)
    offset = np.log(np.where(used, money, 1))
    found = _slope(families.Poisson(), won, years, used, level, offset=offset, period_effects=False)
    change = Estimate(*(float(np.expm1(-each)) for each in (found.value, found.high, found.low)))
    problems = () if np.isfinite(found.value) else ("Too few periods with spend and new customers to tell a trend.",)
    if len(spend.periods) < 2 * periods_per_year and not problems:
        problems = ("Less than two years: a season can look like a trend.",)
    return CostTrend(change, problems)


def _slope(family, response, regressor, used, level, offset=None, period_effects=True) -> Estimate:
    """Regress on one variable within channels and periods; nan where the cells do not suffice.

    Fixed effects of periods do not count as estimated parameters in the correction for few clusters, being nested in
    them (Cameron & Miller 2015, Journal of Human Resources 50(2)).
    """
    nothing = Estimate(np.nan, np.nan, np.nan)
    row, column = np.nonzero(used)
    period_effects = period_effects and len(np.unique(column)) > 1
    # a period with one cell is explained by its own effect
    alone = np.bincount(row, minlength=used.shape[0])[row] == 1 if period_effects else np.zeros(len(row), bool)
    row, column = row[~alone], column[~alone]
    effects = [_indicators(column)[:, 1:], _indicators(row)[:, 1:] if period_effects else np.empty((len(row), 0))]
    design = np.column_stack([regressor[row, column], np.ones(len(row)), *effects])
    cells, clusters, estimated = len(row), len(np.unique(row)), 2 + effects[0].shape[1]
    if clusters < 3 or cells <= design.shape[1] or np.linalg.matrix_rank(design) < design.shape[1]:
        return nothing
    model = GLM(response[row, column], design, family=family, offset=None if offset is None else offset[row, column])
    fitted = model.fit(cov_type="cluster", cov_kwds={"groups": row, "use_correction": False})
    correction = clusters / (clusters - 1) * (cells - 1) / max(cells - estimated, 1)
    half = stats.t.ppf((1 + level) / 2, clusters - 1) * fitted.bse[0] * np.sqrt(correction)
    value = float(fitted.params[0])
    return Estimate(value, value - half, value + half) if np.isfinite(value + half) else nothing


def _indicators(labels: np.ndarray) -> np.ndarray:
    return (labels[:, None] == np.unique(labels)).astype(float)


def _marginal(slope: Estimate, factor: float, average: float, used: np.ndarray, problems: list[str]) -> MarginalCost:
    """Turn a slope into an elasticity, factor x slope, and that into the cost of one more customer."""
    elasticity = Estimate(*(float(factor * each) for each in (slope.value, slope.low, slope.high)))
    if not np.isfinite(elasticity.value):
        cost, problems = (
            Estimate(np.nan, np.nan, np.nan),
            [*problems, "Too few rows, or too alike, to tell what spend does."],
        )
    else:
        value, low = (average / each if each > 0 else np.nan for each in (elasticity.value, elasticity.high))
        cost = Estimate(value, low, average / elasticity.low if elasticity.low > 0 else np.inf)
    told = bool(elasticity.low > 0)
    if np.isfinite(elasticity.value) and not told:
        problems = [*problems, "What one more customer costs cannot be told: spend may do nothing."]
    return MarginalCost(elasticity, average, cost, told, int(used.sum()), int(used.any(axis=1).sum()), tuple(problems))


def _problems_of_averages(channels: tuple[str, ...], periods: int, totals: np.ndarray) -> tuple[str, ...]:
    _, keeping, new, retained = totals
    problems = []
    if periods == 1:
        problems.append("There is one period: how much costs vary is not known.")
    elif periods < FEW_PERIODS:
        problems.append(f"There are only {periods} periods: intervals are rough, and rather too narrow.")
    for what, total in (
        ("brought no customer: what one costs there is not defined", new),
        ("had no customer to keep", retained),
        ("was kept without any spend: there is no ratio", np.where(retained > 0, keeping, 1)),
    ):
        problems += [f"{channel} {what}." for channel, amount in zip(channels, total, strict=True) if amount == 0]
    return tuple(problems)


def _over(part, whole) -> np.ndarray:
    """Divide; nan where there is nothing to divide by."""
    whole = np.asarray(whole, float)
    return np.asarray(part, float) / np.where(whole > 0, whole, np.nan)
