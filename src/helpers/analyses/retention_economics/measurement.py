"""What retention adds and costs: every number of the report, with draws of what is uncertain."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import special

from helpers.data.customer_summary import DAYS_PER_YEAR
from helpers.exhibits import listed, percent
from helpers.models import resampling
from helpers.models.estimate import Estimate
from helpers.models.fit import distinct_rows
from helpers.models.lifetime_value import value as money
from helpers.models.lifetime_value.value_draws import affordable_draws
from helpers.models.retention_economics import budget, costs, elasticities, five_points, multiples
from helpers.models.retention_economics.periods import resampled_periods
from helpers.models.threads import threads

from ..progress import each
from ..several_files import is_simulated
from . import reading
from .contracts import Contracts, from_renewals
from .reading import FILES, Reading
from .settings import CONTRACTS, DATA, EXITS, MARKET_SPEND, SET, Settings

NUMBERS_HELD = 8_000_000  # draws x customers of expected purchases
PROSPECTS_PER_CUSTOMER = 10.0  # assumed where nobody says how many are approached: it scales spend on each alone

ROOM = 2.0  # assumed ceiling of acquisition over today's rate, where spend does not tell it


@dataclass(frozen=True, eq=False)
class Position:
    """Where the firm stands: the share of customers who stay for a year.

    Parameters
    ----------
    source : str
        exits, contracts, market_spend or set.
    retention : float
    draws : ndarray, shape (resamples,)
        Of it; one, the number itself, where it is set, or a bound by market spend.
    """

    source: str
    retention: float
    draws: np.ndarray

    @property
    def estimate(self) -> Estimate:
        """Return it with its interval; nan where there is none."""
        return drawn(self.retention, self.draws)

    @property
    def is_set(self) -> bool:
        """Tell whether it is taken as known, being set."""
        return self.source == SET

    @property
    def is_least(self) -> bool:
        """Tell whether more may stay: where customers differ, those of the year are not lost as fast as new ones."""
        return self.source == MARKET_SPEND

    @property
    def words(self) -> str:
        """Return it in words."""
        return f"{'at least ' if self.is_least else ''}{percent(self.retention)}"


@dataclass(frozen=True, eq=False)
class SpendDraws:
    """What market spend says, in resamples of its periods; arrays of shape (resamples,).

    Parameters
    ----------
    acquisition_cost, retention_cost : ndarray
        Of a new customer; of a year with a customer.
    """

    acquisition_cost: np.ndarray
    retention_cost: np.ndarray


@dataclass(frozen=True, eq=False)
class Measurement(Reading):
    """The numbers of retention economics."""

    settings: Settings

    # --- what is given -------------------------------------------------------------------------------------------

    @property
    def currency(self) -> str:
        """Return the currency in words."""
        return self.settings.currency or self.files.purchases.currency or "currency units"

    @property
    def is_simulated(self) -> bool:
        """Tell whether any of the files is made up."""
        return any(is_simulated(getattr(self.settings, name), name) for name in FILES)

    def has(self, name: str) -> bool:
        """Tell whether a file of that table was given."""
        return name in self.files.all

    # --- renewals ------------------------------------------------------------------------------------------------

    @cached_property
    def contracts(self) -> Contracts:
        """Return what the contracts say of renewals."""
        return from_renewals(self.files.renewals, self.has("contracts"), self.observation_end, self.settings)

    # --- market spend --------------------------------------------------------------------------------------------

    @cached_property
    def spend_problem(self) -> str:
        """Return why nothing can be told of costs; empty where something can."""
        if not self.has("market_spend"):
            return "No market_spend is given: set market_spend to what was spent on new and on old customers."
        if not len(self.files.spend.frame):
            return "No period of market_spend counts."
        if not np.isfinite(self.files.spend.periods_per_year):
            return "How long a period of market_spend is cannot be told: set periods_per_year."
        return ""

    @cached_property
    def spend(self) -> costs.Spend | None:
        """Return market spend by period and channel; None where there is none."""
        if self.spend_problem:
            return None
        frame = self.files.spend.frame
        columns = ("acquisition_spend", "retention_spend", "new_customers", "retained_customers", "channel")
        # the rows are in order of time, whatever their periods are called
        return costs.spend_by_period(pd.factorize(frame["period"])[0], *(frame[name].to_numpy() for name in columns))

    @property
    def periods_per_year(self) -> float:
        """Return how many periods of market spend a year has."""
        return self.files.spend.periods_per_year

    @cached_property
    def run(self) -> int:
        """Return how many periods are drawn as one, at most as many as there are."""
        return min(self.settings.run_of_periods, len(self.spend.periods))

    @cached_property
    def average_costs(self) -> costs.AverageCosts:
        """Return what winning and keeping a customer cost on average, by channel."""
        return costs.average_costs(
            self.spend,
            self.periods_per_year,
            resamples=self.settings.resamples,
            block=self.run,
            seed=self.settings.seed,
        )

    def cost(self, name: str) -> Estimate:
        """Return acquisition_cost, retention_cost or ratio over all channels."""
        found = getattr(self.average_costs, name)
        return Estimate(*(float(end[-1]) for end in (found.value, found.low, found.high)))

    @cached_property
    def marginal_acquisition(self) -> costs.MarginalCost:
        """Return what one more new customer costs, by the channels whose spend does not follow from who comes."""
        channels = [name for name in self.spend.channels if name not in self.settings.marginal_without]
        return costs.marginal_acquisition_cost(self.spend.of_channels(channels or self.spend.channels))

    @cached_property
    def marginal_retention(self) -> costs.MarginalCost:
        """Return what one more customer kept at the end of a period costs."""
        return costs.marginal_retention_cost(self.spend)

    @cached_property
    def trends(self) -> dict[str, costs.CostTrend]:
        """Return by which share the cost of a new customer changes a year, by channel and for all together."""
        spend, a_year = self.spend, self.periods_per_year
        found = {costs.ALL: costs.acquisition_cost_trend(spend, a_year)}
        if len(spend.channels) > 1:
            each = {str(name): spend.of_channels([name]) for name in spend.channels}
            found = {name: costs.acquisition_cost_trend(one, a_year) for name, one in each.items()} | found
        return found

    @cached_property
    def _spend_draws(self) -> SpendDraws:
        """Return costs in the same resamples of periods, so that they are drawn together."""
        spend = self.spend
        counts = resampled_periods(len(spend.periods), self.settings.resamples, self.run, self.settings.seed)
        winning, keeping, new, retained = (
            counts @ each.sum(axis=1)
            for each in (
                spend.acquisition_spend,
                spend.retention_spend,
                spend.new_customers,
                spend.retained_customers,
            )
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            return SpendDraws(winning / new, keeping / (retained / self.periods_per_year))

    @cached_property
    def _kept_and_before(self) -> tuple[np.ndarray, np.ndarray]:
        """Return customers kept in each period and those there before it; 0 where it cannot be told."""
        retained = self.spend.retained_customers.sum(axis=1)
        there = retained + self.spend.new_customers.sum(axis=1)
        before = np.concatenate([[0.0], there[:-1]])
        fits = (before > 0) & (retained <= before)
        return np.where(fits, retained, 0.0), np.where(fits, before, 0.0)

    @cached_property
    def misfits(self) -> int:
        """Return in how many periods more customers were retained than had been there."""
        if self.spend is None:
            return 0
        there = self.spend.retained_customers.sum(axis=1)
        before = there[:-1] + self.spend.new_customers.sum(axis=1)[:-1]
        return int((there[1:] > before).sum())

    # --- where the firm stands -----------------------------------------------------------------------------------

    @cached_property
    def positions(self) -> tuple[Position, ...]:
        """Return every yearly retention that is known of the firm."""
        found = []
        if not self.departures.problem:
            found.append(Position(EXITS, self.departures.retention, self.departures.draws))
        if self.contracts.constant is not None:
            found.append(Position(CONTRACTS, self.contracts.yearly_retention, self.contracts.yearly_draws))
        if not self._no_retention_of_spend:
            kept, before = self._kept_and_before
            retention = float(kept.sum() / before.sum()) ** self.periods_per_year
            found.append(Position(MARKET_SPEND, retention, np.array([retention])))
        if (given := self.settings.retention_set) is not None:
            found.append(Position(SET, given, np.array([given])))
        return tuple(found)

    @cached_property
    def _no_retention_of_spend(self) -> str:
        if self.spend_problem:
            return self.spend_problem
        if self.missing_periods:
            return "Periods of market_spend are missing in between: who was kept across them is not known."
        if not self._kept_and_before[1].sum():
            return "Market spend has no two periods in a row with customers to keep."
        return ""

    @cached_property
    def base(self) -> Position | None:
        """Return the retention that the report rests on; None where it is not known."""
        wanted = {DATA: (EXITS, MARKET_SPEND, CONTRACTS)}.get(
            self.settings.base_retention, (self.settings.base_retention,)
        )
        if self.settings.retention_set is not None:
            wanted = (SET,)
        found = {one.source: one for one in self.positions}
        return next((found[name] for name in wanted if name in found), None)

    @cached_property
    def base_problem(self) -> str:
        """Return why it is not known how many customers stay for a year; empty where it is."""
        if self.base is not None:
            return ""
        reasons = {
            EXITS: self.departures.problem,
            MARKET_SPEND: self._no_retention_of_spend,
            CONTRACTS: self.contracts.problem,
        }
        if self.settings.base_retention in reasons:
            reasons = {self.settings.base_retention: reasons[self.settings.base_retention]}
        return " ".join(
            ["How many customers stay for a year is not known.", *reasons.values(), "Or set base_retention to a share."]
        )

    # --- the claim of five points ----------------------------------------------------------------------------------

    def uplift(self, retention, **convention) -> five_points.Uplift:
        """Return what the step adds to the profit from a customer, by the chosen convention or another."""
        settings = self.settings
        terms = settings.convention | {"acquisition_cost": settings.acquisition_in_margins} | convention
        return five_points.uplift(retention, settings.annual_discount_rate, settings.step, **terms)

    def uplift_of(self, position: Position, **convention) -> Estimate:
        """Return the same where the firm stands, with its interval."""
        value = float(self.uplift(position.retention, **convention).value)
        return drawn(value, self.uplift(position.draws, **convention).value)

    def reason_of(self, position: Position, **convention) -> str:
        """Return why there is no uplift there; empty where there is one."""
        return five_points.REASONS[int(self.uplift(position.retention, **convention).reason)]

    def heterogeneous(self, **convention) -> five_points.HeterogeneousUplift | None:
        """Return the uplift where holders of contracts differ; None where it is not known how.

        The share who stay for a year is taken for beta distributed over holders, with the mean and the variance that
        the shifted-beta-geometric gives it: exact for terms of a year.
        """
        parameters = self.contracts.yearly_beta
        if parameters is None:
            return None
        settings = self.settings
        return five_points.heterogeneous_uplift(
            *parameters, settings.annual_discount_rate, settings.step, **settings.convention | convention
        )

    # --- money -------------------------------------------------------------------------------------------------------

    @cached_property
    def customers(self) -> float:
        """Return how many customers there are.

        By market spend in its last period, else those who bought in the last year and have no exit.
        """
        if self.spend is not None and (there := self._there[-1]) > 0:
            return float(there)
        return float(self.last_year.stayed)

    @cached_property
    def _there(self) -> np.ndarray:
        """Return the customers there at the end of each period of market spend."""
        return (self.spend.retained_customers + self.spend.new_customers).sum(axis=1)

    @property
    def _last_periods(self) -> slice:
        return slice(-int(np.clip(round(self.periods_per_year), 1, len(self.spend.periods))), None)

    @cached_property
    def customer_years(self) -> float:
        """Return over how many years customers were there in the last year: the mean number, times its length."""
        if self.spend is not None and (there := self._there[self._last_periods].mean()) > 0:
            return float(there) * self.last_year.years
        return float(self.last_year.buyers) * self.last_year.years

    @cached_property
    def margin_draws(self) -> np.ndarray:
        """Return draws of the margin of a customer in a year, by which customers there happen to be."""
        each = self.last_year.margins
        error = float(np.sqrt(((each - each.mean()) ** 2).sum()))
        rng = np.random.default_rng(self.settings.seed)
        return self.margin + error / self.customer_years * rng.standard_normal(self.settings.resamples)

    @cached_property
    def margin(self) -> float:
        """Return the margin of a customer in a year, before what keeping them costs; nan where nobody bought.

        It is of purchases after the first day, which new customers bring beside it, see `first_purchase`: with it, the
        more were won the more a customer kept would seem to bring.
        """
        return float(self.last_year.margins.sum() / self.customer_years) if self.customer_years else np.nan

    @cached_property
    def first_purchase(self) -> float:
        """Return the margin that a customer won in the last year brought on the first day; 0 where none was won."""
        each = self.last_year.first_margins
        return float(each.mean()) if len(each) else 0.0

    @cached_property
    def retention_cost(self) -> float:
        """Return what a year with a customer costs: by market spend, else by marketing touches, else 0."""
        if self.spend is not None:
            return float(np.nan_to_num(self.cost("retention_cost").value))
        return self.last_year.touches / self.customer_years if self.customer_years else 0.0

    @cached_property
    def new_per_year(self) -> float:
        """Return how many customers were won in the last year; 0 where it is not known."""
        if self.spend is None:
            return 0.0
        new = self.spend.new_customers.sum(axis=1)[self._last_periods]
        return float(new.mean() * self.periods_per_year)

    @cached_property
    def horizon_years(self) -> int:
        """Return the horizon in whole years, at least one: as long as customers are won in the model."""
        return max(round(self.settings.horizon_weeks * 7 / DAYS_PER_YEAR), 1)

    @property
    def wins_customers(self) -> bool:
        """Tell whether customers are won, and what that costs is known."""
        return self.new_per_year > 0 and np.isfinite(self.cost("acquisition_cost").value)

    @cached_property
    def equity_problem(self) -> str:
        """Return why customer equity cannot be told; empty where it can."""
        if self.base is None:
            return self.base_problem
        if not np.isfinite(self.margin):
            return "Nobody bought in the last year: there is no margin to expect."
        if not self.customers:
            return "Everybody who bought in the last year has left: there is nobody to expect a margin of."
        if not np.isfinite(elasticities.customer_equity(self.economics)):
            return "Customer equity is infinite: margins grow, or are discounted too little, for the sum to end."
        return ""

    @cached_property
    def economics(self) -> elasticities.Economics:
        """Return what customer equity is made of: margin net of the cost of keeping."""
        won = self.wins_customers
        return elasticities.Economics(
            margin=self.margin - self.retention_cost,
            retention=self.base.retention,
            discount_rate=self.settings.annual_discount_rate,
            acquisition_cost=self.cost("acquisition_cost").value if won else 0.0,
            new_per_year=self.new_per_year if won else 0.0,
            customers=self.customers,
            horizon_years=self.horizon_years if won else 0,
            growth=self.settings.growth,
            first_margin=self.settings.first_margin,
            first_purchase=self.first_purchase,
        )

    @cached_property
    def economics_draws(self) -> elasticities.Economics:
        """Return draws of the same: of margins over customers, of costs over periods, of retention over customers."""
        of_spend = self._spend_draws if self.spend is not None else None
        keeping = self.retention_cost if of_spend is None else np.nan_to_num(of_spend.retention_cost)
        winning = self._winning_draws if self.wins_customers else 0.0
        return replace(
            self.economics,
            margin=self.margin_draws - keeping,
            retention=_filled(self.base.draws, self.base.retention),
            acquisition_cost=winning,
        )

    @property
    def _winning_draws(self) -> np.ndarray:
        return _filled(self._spend_draws.acquisition_cost, self.cost("acquisition_cost").value)

    @cached_property
    def elasticities(self) -> dict[str, Estimate]:
        """Return customer equity and its elasticity by each driver."""
        return elasticities.elasticity_intervals(self.economics, self.economics_draws)

    @cached_property
    def keeping_less_winning(self) -> Estimate:
        """Return the elasticity of equity by retention less that by customers won."""
        value, draws = (elasticities.elasticities(one) for one in (self.economics, self.economics_draws))
        less = [found["retention"] - found["new_per_year"] for found in (value, draws)]
        return drawn(float(less[0]), less[1])

    @cached_property
    def tornado(self) -> elasticities.Tornado:
        """Return customer equity with one driver lower and higher at a time."""
        drivers = elasticities.DRIVERS
        if not self.wins_customers:
            drivers = tuple(name for name in drivers if name not in ("acquisition_cost", "new_per_year"))
        if not self.settings.annual_discount_rate:
            drivers = tuple(name for name in drivers if name != "discount_rate")
        return elasticities.tornado(self.economics, self.settings.driver_change, drivers)

    # --- expected purchases ----------------------------------------------------------------------------------------

    @cached_property
    def expected_margin(self) -> Estimate:
        """Return the discounted margin that today's customers are expected to bring within the horizon."""
        found = self.expectation
        return drawn(
            self.margin_rate * float(found.future_spend.sum()),
            self.margin_rate * found.draws.sum(axis=1, dtype=float),
        )

    @cached_property
    def is_loyal(self) -> np.ndarray:
        """Return who is called loyal: those who repeated most often, of all customers about `loyal_share`."""
        frequency = self.expectation.customers["frequency"].to_numpy(float)
        cut = np.quantile(frequency, 1 - self.settings.loyal_share)
        # more than the share where many repeated as often; nobody who never repeated
        return (frequency >= cut) & (frequency > 0)

    @cached_property
    def repeat_purchases(self) -> multiples.RepeatPurchases | None:
        """Return the repeat purchases to expect of loyal customers and of all; None without a model."""
        fit = self.expectation.purchases
        if fit is None:
            return None
        history = np.column_stack(self.expectation.history)
        first, inverse = distinct_rows(*history.T)
        distinct = history[first].T
        horizon = self.settings.horizon_weeks * 7 / money.DAYS_PER_UNIT[self.settings.time_unit]

        def expected(model) -> np.ndarray:
            return model.expected_purchases(*distinct, horizon)[inverse]

        try:
            rng = np.random.default_rng(self.settings.seed)
            count = affordable_draws(self.settings.draws, len(inverse), NUMBERS_HELD)
            with threads() as pool:
                drawn_purchases = pool.map(expected, map(fit.model_at, fit.draws(count, rng)))
                draws = np.stack(list(each("draws of repeat purchases", drawn_purchases, count)))
        except ValueError:  # the fit has no covariance
            draws = None
        return multiples.repeat_purchases(expected(fit.model), self.is_loyal, draws)

    @cached_property
    def multiple_problem(self) -> str:
        """Return why the worth of keeping cannot be set against that of winning; empty where it can."""
        if self.spend_problem:
            return self.spend_problem
        if self.expectation.purchases is None or self.expectation.spend is None:
            return "No purchase model could be fitted, so that nothing is expected of customers."
        if not self.is_loyal.any():
            return "No customer has bought again: nobody is loyal."
        if not self.cost("ratio").value > 0:
            return "Nothing was spent on winning, or on keeping: there is no ratio."
        return ""

    @cached_property
    def value_multiple(self) -> multiples.ValueMultiple:
        """Return the average value of loyal customers for what keeping them costs, in that of new ones.

        Kept: the margin expected within the horizon, for what keeping costs in the discounted years that they are
        expected to stay. New: the margin expected of a customer who has bought once, today, with that first purchase,
        which is taken as known, for what winning one costs.
        """
        settings, found = self.settings, self.expectation
        loyal = self.is_loyal
        kept = self.margin_rate * float(found.future_spend[loyal].mean())
        drawn_kept = self.margin_rate * found.draws[:, loyal].mean(axis=1, dtype=float)
        years, a_year = self.loyal_years, self.cost("retention_cost").value
        winning = self.cost("acquisition_cost").value
        if not len(drawn_kept):
            return multiples.value_multiple(kept, a_year * years, self.new_value, winning)
        pick = np.arange(settings.resamples)
        of_spend = self._spend_draws
        return multiples.value_multiple(
            drawn_kept[pick % len(drawn_kept)],
            _filled(of_spend.retention_cost, a_year) * years,
            self.new_value,
            self._winning_draws,
        )

    @property
    def loyal_years(self) -> float:
        """Return the discounted years within the horizon in which a loyal customer is expected to be kept."""
        settings, found = self.settings, self.expectation
        ahead = float(money.discounted_cost(1.0, settings.horizon_weeks, settings.annual_discount_rate))
        return ahead * float((found.staying * found.probability_alive)[self.is_loyal].mean())

    @cached_property
    def new_value(self) -> float:
        """Return the margin to expect of a customer who buys for the first time today, within the horizon."""
        found, settings = self.expectation, self.settings
        today = [np.zeros(1)] * 3
        again = money.discounted_purchases(
            found.purchases.model, *today, settings.horizon_weeks, settings.annual_discount_rate, settings.time_unit
        )
        amount = found.spend.model.expected_average_spend(np.zeros(1), np.zeros(1))
        return self.margin_rate * float(amount[0] * (1 + again[0]))

    @cached_property
    def claimed_arithmetic(self) -> Estimate:
        """Return the product that the sources make: purchases of a loyal customer times the ratio of costs."""
        bought, ratio = self.repeat_purchases.loyal, self.cost("ratio")
        spread = np.hypot(_log_width(bought), _log_width(ratio))
        value = bought.value * ratio.value
        return Estimate(value, value * np.exp(-spread), value * np.exp(spread))

    # --- steadiness of revenue -----------------------------------------------------------------------------------

    @cached_property
    def shared_months(self) -> np.ndarray:
        """Return the whole months in which there were customers of every tenure."""
        return (self.customers_there > 0).all(axis=1).to_numpy(bool)

    @cached_property
    def volatility(self) -> elasticities.Volatility | None:
        """Return how much revenue varies from month to month by tenure; None where fewer than three months tell."""
        months = self.shared_months
        if months.sum() < 3:
            return None
        frames = (frame.to_numpy(float)[months] for frame in (self.revenue, self.customers_there))
        return elasticities.revenue_volatility(
            *frames, detrended=True, resamples=self.settings.resamples, seed=self.settings.seed
        )

    # --- the budget ------------------------------------------------------------------------------------------------

    @cached_property
    def prospects(self) -> float:
        """Return how many prospects are approached in a year."""
        given = self.settings.prospects
        return given if given > 0 else PROSPECTS_PER_CUSTOMER * self.new_per_year

    @cached_property
    def ceilings(self) -> tuple[float, float]:
        """Return the shares of prospects and of customers that no spending exceeds.

        What is not set follows from how customers won, and kept, follow spend. Where that is not told it is assumed,
        so that customers follow spend no more than the data allow: that of acquisition is `ROOM` times today's rate at
        most, and that of retention half way between today's and 1.
        """
        won, kept = self.new_per_year / self.prospects, self.base.retention
        found = (
            _ceiling(won, ROOM * won, self.marginal_acquisition.elasticity),
            # what is spent in every period tells on retention in each of them
            _ceiling(kept, (1 + kept) / 2, scaled(self.marginal_retention.elasticity, self.periods_per_year)),
        )
        given = self.settings.acquisition_ceiling, self.settings.retention_ceiling
        return tuple(one if one >= 0 else other for one, other in zip(given, found, strict=True))

    @cached_property
    def budget_problem(self) -> str:
        """Return why no budget can be split; empty where one can."""
        if problem := self.equity_problem or self.spend_problem:
            return problem
        if not self.wins_customers:
            return "No customer was won in the last year of market_spend: there is nothing to split."
        if self.prospects < self.new_per_year:
            return "There are fewer prospects than customers won: set prospects to those approached in a year."
        try:
            _ = self.plan
        except ValueError as error:
            return f"{error} See acquisition_ceiling, retention_ceiling, prospects and base_retention."
        return ""

    @property
    def split_problem(self) -> str:
        """Return why these data do not tell which split is best; empty where they do, or what they do not is set."""
        if self.budget_problem:
            return self.budget_problem
        settings = self.settings
        curves = {
            "wins": (settings.acquisition_ceiling, self.marginal_acquisition, "acquisition_ceiling"),
            "keeps": (settings.retention_ceiling, self.marginal_retention, "retention_ceiling"),
        }
        untold = {what: name for what, (given, found, name) in curves.items() if given < 0 and not found.told}
        if not untold:
            return ""
        return (
            f"These data do not tell how many customers more spend {listed(untold)}: set {listed(untold.values())} to "
            "what spending could reach at most."
        )

    @cached_property
    def spent(self) -> tuple[float, float]:
        """Return what was spent on winning and on keeping in the last year of market spend."""
        return tuple(
            float(each.sum(axis=1)[self._last_periods].mean() * self.periods_per_year)
            for each in (self.spend.acquisition_spend, self.spend.retention_spend)
        )

    @property
    def budget(self) -> float:
        """Return what is spent in a year: what was in the last."""
        return sum(self.spent)

    @property
    def spent_on_each(self) -> tuple[float, float]:
        """Return what is spent on a prospect, and on a customer of today in a year."""
        winning, keeping = self.spent
        return winning / self.prospects, keeping / self.customers

    @property
    def share_for_keeping(self) -> float:
        """Return the share of the budget that goes to keeping today."""
        return self.spent[1] / self.budget

    @cached_property
    def plan(self) -> budget.Plan:
        """Return the curves through today's spend, below the ceilings."""
        rates = self.new_per_year / self.prospects, self.base.retention
        curves = (
            budget.ResponseCurve.through(spent, rate, ceiling)
            for spent, rate, ceiling in zip(self.spent_on_each, rates, self.ceilings, strict=True)
        )
        return budget.Plan(self.margin, self.settings.annual_discount_rate, *curves, self.first_purchase)

    def equity_of(self, plan: budget.Plan, spent: budget.Allocation) -> np.ndarray:
        """Return what all prospects and customers are worth with that spending, as `budget.best_split` counts it."""
        of_customers = self.customers * (spent.customer_value - plan.margin)
        return self.prospects * spent.equity_per_prospect + of_customers

    @cached_property
    def current_allocation(self) -> budget.Allocation:
        """Return today's spending and what comes of it."""
        return budget.allocation(self.plan, *self.spent_on_each)

    @cached_property
    def best_split(self) -> budget.Split:
        """Return the best split of today's budget."""
        return budget.best_split(self.plan, self.budget, self.prospects, self.customers)


def drawn(value: float, draws) -> Estimate:
    """Return a number with the interval of its draws; nan where there are fewer than two, or it is not defined."""
    draws = np.asarray(draws, float)
    if len(draws) < 2 or not np.isfinite(value):
        return Estimate(value, np.nan, np.nan)
    return Estimate(value, *map(float, resampling.percentile(draws)))


def _filled(draws: np.ndarray, value: float) -> np.ndarray:
    """Return draws with the number itself where a resample does not tell it."""
    return np.where(np.isfinite(draws), draws, value)


def _log_width(estimate: Estimate) -> float:
    """Return half the width of an interval on the log scale; nan where there is none."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.log(estimate.high / estimate.low) / 2) if estimate.low > 0 else np.nan


def scaled(found: Estimate, factor: float) -> Estimate:
    """Return a number times a factor above 0, with its interval."""
    return Estimate(found.value * factor, found.low * factor, found.high * factor)


def _ceiling(rate: float, assumed: float, elasticity: Estimate) -> float:
    """Return the ceiling of a response curve through a rate: as the elasticity tells, else as assumed within it."""
    if elasticity.low > 0:
        ceiling = rate / _used_share(elasticity.value)
    elif elasticity.high > 0:
        ceiling = min(assumed, rate / _used_share(elasticity.high))
    else:
        ceiling = assumed
    return float(min(ceiling, 1.0))


def _used_share(elasticity: float) -> float:
    """Return which share of its ceiling a response curve has reached where it has this elasticity.

    With steepness x spend = x it has reached 1 - e^-x, at an elasticity of x / (e^x - 1), which Lambert's function
    solves. An elasticity of 1 or more no such curve has; it is then taken to be near its start.
    """
    elasticity = min(elasticity, 0.99)
    x = -special.lambertw(-elasticity * np.exp(-elasticity), -1).real - elasticity
    return float(-np.expm1(-x))


def measure(settings: Settings) -> Measurement:
    """Read every file, and measure.

    Raises
    ------
    helpers.data.refusal.InputRefused
        When an input or a setting cannot be used; the message names everything that is wrong.
    """
    return Measurement(**vars(reading.read(settings)), settings=settings)
