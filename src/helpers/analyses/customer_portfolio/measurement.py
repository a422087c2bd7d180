"""The numbers of the customer portfolio: every way in which the sources sort customers, on one set of values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property

import ibis
import numpy as np
import pandas as pd

from helpers.data.customer_summary import months_before
from helpers.data.engines import hand_over
from helpers.data.satisfaction_models import read_model
from helpers.models import quadrants, resampling
from helpers.models.customer_portfolio import (
    churn_causes,
    commercial_value,
    decline,
    equity_bridge,
    lenses,
    preferences,
    profit_periods,
    pyramid,
    relationship_levels,
    rfm,
    stages,
    tiers,
)
from helpers.models.estimate import Estimate
from helpers.models.lifetime_value import value as money

from ..known_customers import with_places
from ..several_files import is_simulated
from . import actions, influence, two_sided
from .names import CLASSES, PYRAMID
from .quarters import by_quarter
from .reading import FILES, Portfolio, read
from .settings import Settings
from .snapshots import MONTHS, Snapshot, unrecorded

ENDED_CLASS = len(CLASSES)  # of those who have left, whom the matrix does not hold
PANEL_CUSTOMERS = 20_000  # whose stages are followed from date to date; a random sample where there are more
PANEL_STEP_DAYS = 91
MOST_UNSEEN_DAYS = 31  # of the 12 months up to the earlier date
PANEL_STEPS = 16  # at most
STANDINGS_THEN = ("not_yet", "customer", "gone", "ended")  # probably gone, or by a recorded exit
MOST_CATEGORIES = 8  # that are told apart
OTHER_CATEGORIES = "other categories"
DAY = np.timedelta64(1, "D")


@dataclass(frozen=True, eq=False)
class Measurement(Portfolio):
    """The portfolio with everything that is computed from it, each number when it is first asked for."""

    @property
    def currency(self) -> str:
        """Return the currency in words."""
        return self.settings.currency or self.files.purchases.currency or "currency units"

    @property
    def is_simulated(self) -> bool:
        """Tell whether these customers are made up."""
        given = ((getattr(self.settings, name), name) for name in FILES)
        return any(is_simulated(source, name) for source, name in given)

    def __len__(self) -> int:
        return len(self.customer_id)

    @property
    def has_margins(self) -> bool:
        """Tell whether the purchases state what they earn; else the margin rate is assumed."""
        return self.files.purchases.has_margin

    def has(self, name: str) -> bool:
        """Tell whether a table was given that tells of these customers."""
        found = self.files.all.get(name)
        return found is not None and getattr(found, "customers", 1) > 0

    @property
    def has_costs(self) -> bool:
        """Tell whether anything is known of what customers cost."""
        return self.has("marketing_touches") or self.has("service_contacts")

    @property
    def has_draws(self) -> bool:
        """Tell whether values have draws, and so intervals."""
        return self.now.has_draws

    @cached_property
    def years(self) -> float:
        """Return the years between the two dates."""
        return (self.now.date - self.then.date).days / money.DAYS_PER_YEAR

    @property
    def compares_years(self) -> bool:
        """Tell whether the purchases cover the 12 months up to the earlier date, but for a month at most."""
        begin = months_before(self.then.date, MONTHS) + timedelta(days=MOST_UNSEEN_DAYS)
        return self.files.purchases.first_date <= begin

    def _since(self, day, dates: np.ndarray) -> np.ndarray:
        return (np.datetime64(day, "ns") - dates) / DAY

    # --- current and future value ------------------------------------------------------------------------------

    @cached_property
    def cuts(self) -> tuple[float, float]:
        """Return where high current and high future value begin, at both dates alike."""
        here = self._to_cut(self.now)
        return (
            float(quadrants.cuts(self.now.current_value[here], self.settings.current_rule)),
            float(quadrants.cuts(self.now.future_value[here], self.settings.future_rule)),
        )

    @staticmethod
    def _to_cut(shot: Snapshot) -> np.ndarray:
        """Tell by whom cuts are placed: those who have not left; everybody where all have."""
        return ~shot.ended if (~shot.ended).any() else np.ones(len(shot), bool)

    def _classes(self, shot: Snapshot) -> np.ndarray:
        found = quadrants.classify(shot.current_value, shot.future_value, *self.cuts)
        return np.where(shot.ended, ENDED_CLASS, found).astype(np.int8)

    @cached_property
    def classes(self) -> np.ndarray:
        """Return the class of each customer, places in `CLASSES`; `ENDED_CLASS` of those who have left."""
        return self._classes(self.now)

    @cached_property
    def classes_then(self) -> np.ndarray:
        """Return the class of each customer of the earlier date, by the cuts of the later one."""
        return self._classes(self.then)

    @cached_property
    def class_stability(self) -> quadrants.Stability | None:
        """Return how those who have not left are classed when future values are drawn; None without draws, or them.

        The cuts stay where they are: were they drawn, too, the shares on both sides would be fixed. `own` is of all
        customers, nan of those who have left.
        """
        here = ~self.now.ended
        if not self.has_draws or not here.any():
            return None
        current = (self.now.current_value[here] for _ in self.now.expectation.draws)
        future = (draw[here] for draw in self.now.future_draws())
        rules = dict(
            zip(("first_rule", "second_rule"), (quadrants.Rule("fixed", cut) for cut in self.cuts), strict=True)
        )
        found = quadrants.stability(current, future, self.classes[here], **rules)
        own = np.full(len(self), np.nan, np.float32)
        own[here] = found.own
        return replace(found, own=own)

    @cached_property
    def moved_cuts(self) -> quadrants.MovedCuts:
        """Return what moving the cuts changes."""
        here = self._to_cut(self.now)
        return quadrants.under_moved_cuts(self.now.current_value[here], self.now.future_value[here], *self.cuts)

    @cached_property
    def migration(self) -> np.ndarray:
        """Return the customers by class then (rows; the last: not yet customers) and now (columns; the last: left).

        Those who had left before the earlier date are not among them.
        """
        size = len(CLASSES) + 1
        before = np.full(len(self), len(CLASSES))
        before[self.then.place] = np.where(self.then.ended, size, self.classes_then)
        counted = before < size
        cell = before[counted] * size + self.classes[counted]
        return np.bincount(cell, minlength=size**2).reshape(size, size)

    # --- tiers -------------------------------------------------------------------------------------------------

    @cached_property
    def strategic_value(self) -> np.ndarray:
        """Return what each customer could still be worth more: as much as the best comparable, if still a customer."""
        return self._more_to_come * np.nan_to_num(self.now.probability_alive)

    @property
    def tier_rule(self) -> tiers.TierRule:
        """Return where high actual and high strategic value begin."""
        cut = quadrants.Rule("quantile", self.settings.tier_cut)
        return tiers.TierRule(high_actual=cut, high_strategic=cut)

    @cached_property
    def tiers(self) -> np.ndarray:
        """Return the tier of each customer, places in `tiers.TIERS`."""
        return tiers.tiers(self.now.actual_value, self.strategic_value, self.now.cost_to_serve, self.tier_rule)

    @cached_property
    def tier_stability(self) -> tiers.TierStability | None:
        """Return in which tiers customers are when their values are drawn; None without draws."""
        if not self.has_draws:
            return None
        now, cost, past = self.now, self.now.cost_to_serve, self.now.sum_of("margin")
        alive = np.nan_to_num(now.probability_alive)
        # what the best comparable customers are worth, and the cuts, are held where they are
        best = self._best_comparable
        rule, net = self.tier_rule, now.actual_value - cost
        cuts = (quadrants.cuts(net, rule.high_actual), quadrants.cuts(self.strategic_value, rule.high_strategic))
        held = tiers.TierRule(*(quadrants.Rule("fixed", float(cut)) for cut in cuts))
        draws = ((past + future, alive * np.maximum(best - future, 0), cost) for future in now.future_draws())
        return tiers.tier_stability(draws, self.tiers, held)

    @cached_property
    def _best_comparable(self) -> np.ndarray:
        """Return the future value that the best comparable customers of each customer's segment have."""
        group = self.segment_places
        best = np.full(len(self.segments), np.inf)
        # the larger of the best's and one's own: of the least valuable of a segment it is the best's
        np.minimum.at(best, group, self.now.future_value + self._more_to_come)
        return best[group]

    @cached_property
    def _more_to_come(self) -> np.ndarray:
        quantile = self.settings.best_comparable
        return tiers.strategic_value(self.now.future_value, self.segment_places, quantile=quantile)

    @cached_property
    def pyramid(self) -> pyramid.Ranked:
        """Return the tiers of the customer pyramid, by lifetime value."""
        return pyramid.pyramid(self.now.value, self.settings.pyramid_shares)

    @cached_property
    def abc(self) -> pyramid.Ranked:
        """Return main, general and sporadic customers, by sales of the last 12 months."""
        return pyramid.abc(np.maximum(self.now.sum_of("current_sales"), 0), self.settings.abc_cuts)

    @cached_property
    def market_position(self) -> np.ndarray:
        """Return whether each customer's share of the sales of the segment grew; places in `pyramid.STANDINGS`.

        Set against each other are the 12 months up to either date. Where a customer stands in the market is not in the
        files: this is where it stands among the firm's own.
        """
        before = np.zeros(len(self))
        before[self.then.place] = np.maximum(self.then.sum_of("current_sales"), 0)
        return pyramid.standing(np.maximum(self.now.sum_of("current_sales"), 0), before, self.segment_places)

    @cached_property
    def amounts(self) -> dict[str, np.ndarray]:
        """Return what the curves of concentration are drawn of."""
        return {
            "sales": self.now.sum_of("sales"),
            "margin": self.now.sum_of("margin"),
            "profit": self.now.sum_of("margin") - self.now.cost,
            "lifetime_value": self.now.value,
        }

    @cached_property
    def concentration(self) -> dict[str, pyramid.Concentration]:
        """Return how unevenly each of the amounts is spread."""
        return {name: pyramid.concentration(values) for name, values in self.amounts.items()}

    # --- lenses ------------------------------------------------------------------------------------------------

    @cached_property
    def margin_rates(self) -> np.ndarray:
        """Return each customer's margin as a share of sales; nan of those without sales, or where it is assumed."""
        sales = self.now.sum_of("sales")
        known = (sales > 0) & self.has_margins
        return np.divide(self.now.sum_of("margin"), sales, out=np.full(len(sales), np.nan), where=known)

    @cached_property
    def loyalty(self) -> np.ndarray:
        """Return the repeat purchases of each customer."""
        return self.now.expectation.history[0]

    @cached_property
    def lenses(self) -> dict[str, np.ndarray]:
        """Return what each way of looking at customers ranks them by, as far as it can be computed."""
        found = {
            "output": self.loyalty + 1,
            "sales": self.now.sum_of("sales"),
            "loyalty": self.loyalty / np.maximum(self.now.tenure, 1),
            "lifetime_value": self.now.value,
        }
        if self.has_margins or self.has_costs:
            found["profit"] = self.now.sum_of("margin") - self.now.cost
        if self.has("receivables"):
            found["overdue"] = np.nan_to_num(self.overdue)
        return found

    @cached_property
    def agreement(self) -> lenses.Agreement:
        """Return how alike the lenses rank customers."""
        return lenses.agreement(self.lenses, seed=self.settings.seed)

    @cached_property
    def owes_most(self) -> lenses.Claim | None:
        """Return whether those who buy most owe most, beyond chance; None without receivables."""
        if not self.has("receivables"):
            return None
        on_account = ~np.isnan(self.overdue)
        if not on_account.any():
            return None
        return lenses.owes_most(self.now.sum_of("sales")[on_account], self.overdue[on_account], seed=self.settings.seed)

    @cached_property
    def loyal_less_margin(self) -> lenses.Claim:
        """Return whether more loyal customers bring a lower margin rate."""
        return lenses.loyal_less_margin(self.loyalty, self.margin_rates, seed=self.settings.seed)

    # --- commercial value --------------------------------------------------------------------------------------

    @cached_property
    def influence(self) -> np.ndarray:
        """Return the net value of those whom each customer brought."""
        return influence.referral_value(self)

    @cached_property
    def components(self) -> np.ndarray:
        """Return existing, potential, influence and learning value, of shape (customers, 4)."""
        existing = self.now.sum_of("margin") - self.now.cost
        potential = self.now.future_value - self.now.future_cost
        learning = self.settings.value_of_feedback * (self.feedback + self.answered)
        return np.column_stack([existing, potential, self.influence, learning])

    @cached_property
    def commercial(self) -> commercial_value.CommercialValue:
        """Return the score of commercial value, with its weights."""
        return commercial_value.commercial_value(self.components, self.settings.weights or self.settings.weighting)

    @cached_property
    def weight_sensitivity(self) -> commercial_value.Sensitivity:
        """Return how much the score hangs on its weights."""
        return commercial_value.sensitivity(self.commercial, seed=self.settings.seed)

    @cached_property
    def answered(self) -> np.ndarray:
        """Return 1 for customers who answered the survey."""
        told = np.zeros(len(self))
        if self.files.survey is not None:
            place = pd.Index(self.customer_id).get_indexer(self.files.survey.respondents["customer_id"].dropna())
            told[place[place >= 0]] = 1
        return told

    # --- the life cycle ----------------------------------------------------------------------------------------

    def _stages(self, shot: Snapshot) -> np.ndarray:
        return stages.stages(
            shot.tenure,
            shot.sum_of("recent"),
            shot.sum_of("before"),
            # without a model nobody is thought to be gone
            np.nan_to_num(shot.probability_alive, nan=1.0),
            shot.ended,
            shot.expectation.history[0] > 0,
            self.settings.stage_rule,
        )

    @cached_property
    def stages(self) -> np.ndarray:
        """Return the stage of each customer, places in `stages.STAGES`."""
        return self._stages(self.now)

    @cached_property
    def stage_moves(self) -> stages.Transitions:
        """Return who moved from which stage to which between the two dates."""
        before = np.full(len(self), stages.ABSENT, np.int8)
        before[self.then.place] = self._stages(self.then)
        return stages.transitions(before, self.stages)

    @cached_property
    def panel(self) -> np.ndarray:
        """Return the stages of a sample of customers at dates that are equally far apart, up to the later date.

        P(alive) is that of the model fitted at the end: of the dates before, it knows more than was known.
        """
        sample = self._panel_sample
        last = int(self._since("1970-01-01", np.array([np.datetime64(self.now.date, "ns")]))[0] * -1)
        first = int((self.first_date.min() - np.datetime64("1970-01-01", "ns")) / DAY)
        steps = min(PANEL_STEPS, max((last - first) // PANEL_STEP_DAYS, 1))
        dates = last - PANEL_STEP_DAYS * np.arange(steps, -1, -1)
        customer, day, amount = self._purchases()
        left = (self.exit_date[sample] - np.datetime64("1970-01-01", "ns")) / DAY
        return stages.stages_over_time(
            customer,
            day,
            amount,
            dates,
            self._alive,
            np.where(np.isnan(left), np.inf, left),
            days_per_unit=self.now.days_per_unit,
            rule=self.settings.stage_rule,
        )

    def _alive(self, frequency, recency, T) -> np.ndarray:
        """Return the probability of still being a customer without a recorded exit, by the model of the later date."""
        fit = self.now.expectation.purchases
        alive = fit.model.probability_alive(frequency, recency, T) if fit else np.ones(len(T))
        return unrecorded(alive, self.now.recorded_share)

    @cached_property
    def _panel_sample(self) -> np.ndarray:
        if len(self) <= PANEL_CUSTOMERS:
            return np.arange(len(self))
        rng = np.random.default_rng(self.settings.seed)
        return np.sort(rng.choice(len(self), PANEL_CUSTOMERS, replace=False))

    def _purchases(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return place in the sample, day and amount of each purchase of the sample, in order."""
        bought = self._of_sample(self.files.purchases.table)
        # as dates they would be fetched as objects, one by one
        rows = bought.select("place", "amount", day=bought.date.cast("timestamp")).order_by("place", "day").to_pandas()
        days = rows["day"].to_numpy("datetime64[ns]").astype("datetime64[D]").astype(np.int64)
        return rows["place"].to_numpy(), days, rows["amount"].to_numpy(float)

    def _of_sample(self, table: ibis.Table) -> ibis.Table:
        """Return the rows of the sample up to the later date, each with the customer's place in it."""
        sample = self._panel_sample
        who = pd.DataFrame({"customer_id": self.customer_id[sample], "place": np.arange(len(sample))})
        known = hand_over(table.get_backend(), who)
        return with_places(table.filter(table.date <= self.now.date), known)

    @cached_property
    def categories(self) -> tuple[list[str], np.ndarray] | None:
        """Return the categories, the largest first, and what each of the sample spent on each; None without them.

        Beyond `MOST_CATEGORIES` the smaller ones are one.
        """
        if self.files.purchases.categories is None:
            return None
        rows = self._of_sample(self.files.purchases.categories)
        rows = rows.filter(rows.category.notnull()).group_by("place", "category").agg(amount=rows.amount.sum())
        spent = rows.to_pandas().pivot(index="place", columns="category", values="amount")
        spent = spent.reindex(range(len(self._panel_sample))).fillna(0.0)
        names = sorted(spent.columns, key=lambda name: (-spent[name].sum(), name))
        shown, rest = names[:MOST_CATEGORIES], names[MOST_CATEGORIES:]
        if not names:
            return None
        found = np.column_stack([spent[shown].to_numpy(float), *([spent[rest].sum(axis=1)] if rest else [])])
        return [*shown, *([OTHER_CATEGORIES] if rest else [])], found

    @cached_property
    def preferences(self) -> preferences.Preferences | None:
        """Return what the classes of customers buy; None where no categories are given."""
        if self.categories is None:
            return None
        return preferences.preferences(self.categories[1], self.classes[self._panel_sample], len(CLASSES) + 1)

    # --- decline, churn ----------------------------------------------------------------------------------------

    @cached_property
    def declining(self) -> np.ndarray:
        """Return the places of customers in decline."""
        return np.flatnonzero(self.stages == stages.DECLINE)

    @cached_property
    def within_reach(self) -> np.ndarray:
        """Return the places of customers in decline, and of those who left of their own will or were poached."""
        avoidable = [churn_causes.CAUSES.index(name) for name in churn_causes.AVOIDABLE]
        left = (self.stages == stages.ENDED) & np.isin(self.causes, avoidable)
        return np.flatnonzero(left | (self.stages == stages.DECLINE))

    @cached_property
    def decision(self) -> decline.Decision:
        """Return in which of the customers within reach to invest once more.

        A response brings back what is lost of the relationship: all of it where the customer is gone or buys nothing
        any more, the share by which sales fell where the customer still buys.
        """
        settings, who, now = self.settings, self.within_reach, self.now
        response = settings.reinvest_response * self._lost_share[who]
        spend, worth = now.expectation.future_spend[who], now.value_if_alive[who]
        scale = np.divide(worth, spend, out=np.zeros(len(who)), where=spend > 0)
        draws = ((scale * draw[who], response) for draw in now.expectation.draws) if self.has_draws else None
        return decline.decide(worth, response, settings.reinvest_cost, draws=draws)

    @cached_property
    def _lost_share(self) -> np.ndarray:
        recent, before = (np.maximum(self.now.sum_of(name), 0) for name in ("recent", "before"))
        kept = np.divide(recent, before, out=(recent > 0).astype(float), where=before > 0)
        return 1 - np.nan_to_num(self.now.probability_alive) * np.minimum(kept, 1)

    @cached_property
    def reinvests(self) -> np.ndarray:
        """Tell of each customer whether investing once more is expected to pay; False of those not within reach."""
        found = np.zeros(len(self), bool)
        found[self.within_reach] = self.decision.reinvest
        return found

    @cached_property
    def causes(self) -> np.ndarray:
        """Return why each customer left, places in `churn_causes.CAUSES`; `STILL_HERE` of those who did not."""
        found = np.full(len(self), churn_causes.STILL_HERE)
        for place, name in enumerate(churn_causes.CAUSES):
            found[self.exit_cause == name] = place
        return found

    @cached_property
    def durations(self) -> np.ndarray:
        """Return the days from the first purchase to the exit, or to the later date."""
        end = np.where(np.isnat(self.exit_date), np.datetime64(self.now.date, "ns"), self.exit_date)
        return ((end - self.first_date.astype("datetime64[D]")) / DAY).astype(float)

    @cached_property
    def incidence(self) -> churn_causes.Incidence:
        """Return the share of customers who have left for each cause by a time since the first purchase."""
        steps = np.arange(0, int(self.durations.max()) + 1, max(int(self.durations.max()) // 24, 1))
        return churn_causes.cumulative_incidence(self.durations, self.causes, steps)

    @cached_property
    def segments(self) -> tuple[str, ...]:
        """Return the names of the segments."""
        return tuple(self._by_segment[1])

    @cached_property
    def segment_places(self) -> np.ndarray:
        """Return the segment of each customer, places in `segments`."""
        return self._by_segment[0]

    @cached_property
    def _by_segment(self) -> tuple[np.ndarray, np.ndarray]:
        return pd.factorize(self.segment, sort=True)

    @cached_property
    def hazards(self) -> churn_causes.Hazards:
        """Return the rates of leaving by segment and cause."""
        return churn_causes.hazards(self.durations, self.causes, self.segment_places, len(self.segments))

    @cached_property
    def value_lost(self) -> churn_causes.ValueLost:
        """Return what those who left between the two dates had been worth at the earlier one, by cause."""
        then = self.then
        since = np.where(then.ended, churn_causes.STILL_HERE, self.causes[then.place])
        return churn_causes.value_lost(then.future_value, since, then.future_draws() if then.has_draws else None)

    # --- relationship levels -----------------------------------------------------------------------------------

    @cached_property
    def level_groups(self) -> dict[tuple[str, str], np.ndarray]:
        """Return the customers of each group, by kind and name, for which a level is chosen: tiers, then segments."""
        groups = {("tier", name): self.pyramid.places == place for place, name in enumerate(PYRAMID)}
        if len(self.segments) > 1:
            groups |= {("segment", name): self.segment_places == place for place, name in enumerate(self.segments)}
        return {group: who for group, who in groups.items() if self._living[who].sum() > 0}

    @property
    def level_kinds(self) -> np.ndarray:
        """Return of each of these groups whether it is a "tier" or a "segment"."""
        return np.array([kind for kind, _ in self.level_groups])

    @cached_property
    def _living(self) -> np.ndarray:
        return np.nan_to_num(self.now.probability_alive)

    def _by_group(self, values: np.ndarray) -> np.ndarray:
        return np.array([values[who].sum() for who in self.level_groups.values()])

    @property
    def _future_draws_by_group(self) -> np.ndarray:
        """Return the future value of each of the groups in each draw, of shape (draws, groups)."""
        of_tiers = self.now.future_sums(self.pyramid.places, len(PYRAMID))
        of_segments = self.now.future_sums(self.segment_places, len(self.segments))
        groups = [("tier", name) for name in PYRAMID] + [("segment", name) for name in self.segments]
        known = dict(zip(groups, np.hstack([of_tiers, of_segments]).T, strict=True))
        return np.stack([known[group] for group in self.level_groups], axis=1)

    @cached_property
    def level_segments(self) -> relationship_levels.Segments | None:
        """Return the living customers of each group, their margin a year and their future value; None without any.

        The margin is that of the last 12 months for the time in them that they were customers.
        """
        living, now = self._living, self.now
        if not self.level_groups:
            return None
        exposure = living * np.minimum(now.tenure + 1, money.DAYS_PER_YEAR) / money.DAYS_PER_YEAR
        customers = self._by_group(living)
        return relationship_levels.Segments(
            customers=customers,
            margin=self._by_group(living * now.sum_of("current_margin")) / self._by_group(exposure),
            value=self._by_group(now.future_value) / customers,
            horizon_years=7 * self.settings.horizon_weeks / money.DAYS_PER_YEAR,
            annual_discount_rate=self.settings.annual_discount_rate,
            retention=None if self.level_retention is None else self.level_retention.value,
        )

    @cached_property
    def _mean_margin(self) -> float:
        found, tier = self.level_segments, self.level_kinds == "tier"
        return float(np.average(found.margin[tier], weights=found.customers[tier]))

    @cached_property
    def level_choices(self) -> tuple[tuple[relationship_levels.Level, ...], relationship_levels.Response] | None:
        """Return what is assumed of the levels and of the response to them; None where nothing is earned."""
        if self.level_segments is None or not self._mean_margin > 0:
            return None
        settings = self.settings
        levels = relationship_levels.assumed_levels(self._mean_margin, float(self._living.sum()))
        levels = tuple(replace(level, **settings.levels.get(level.name, {})) for level in levels)
        response = relationship_levels.assumed_response(self._mean_margin)
        if settings.level_responsiveness != -1:
            response = replace(response, responsiveness=settings.level_responsiveness)
        return levels, replace(response, ceiling=settings.level_ceiling)

    @cached_property
    def level_exits(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Return the exits and the customer-years of each segment, no years of a tier; None without exits or segments.

        Of the years only the share counts that exits hold of departures: the rate is then that of all departures.
        Tiers are cut by what customers brought, so that those who stayed are in the higher ones: what they show of
        leaving follows from the cut.
        """
        if not self.has("exits") or not self.level_groups or len(self.segments) == 1:
            return None
        left = self.causes != churn_causes.STILL_HERE
        years = self.now.recorded_share * self._by_group(self.durations) / money.DAYS_PER_YEAR
        is_segment = self.level_kinds == "segment"
        return self._by_group(left.astype(float)) * is_segment, years * is_segment

    @cached_property
    def level_retention(self) -> Estimate | None:
        """Return the observed yearly retention of each segment, nan of tiers; None without exits or segments."""
        return None if self.level_exits is None else relationship_levels.observed_retention(*self.level_exits)

    @cached_property
    def levels(self) -> relationship_levels.Recommendation | None:
        """Return what each level of relationship is worth in each group; None where nothing is earned."""
        if self.level_choices is None:
            return None
        found, size = self.level_segments, len(self.now.expectation.draws)
        values = self._future_draws_by_group / found.customers
        draws = ((found.margin, value) for value in values)
        if self.level_exits is not None:
            rng = np.random.default_rng(self.settings.seed)
            kept = relationship_levels.retention_draws(*self.level_exits, size, rng)
            draws = ((found.margin, value, retention) for value, retention in zip(values, kept, strict=True))
        return relationship_levels.recommend(found, *self.level_choices, draws=draws if self.has_draws else None)

    @cached_property
    def level_changes(self) -> tuple[relationship_levels.Change, ...]:
        """Return what other assumptions would recommend."""
        if self.level_choices is None:
            return ()
        return relationship_levels.sensitivity(self.level_segments, *self.level_choices)

    # --- customer equity ---------------------------------------------------------------------------------------

    @cached_property
    def customer_equity(self) -> Estimate:
        """Return the sum of the future values of all customers, with the interval of its draws."""
        totals = self.now.future_totals
        low, high = resampling.percentile(totals) if len(totals) else (np.nan, np.nan)
        return Estimate(float(self.now.future_value.sum()), float(low), float(high))

    @cached_property
    def gone(self) -> np.ndarray:
        """Tell who is a customer no more: by an exit, or by the probability of being one."""
        return self._gone(self.now)

    def _gone(self, shot: Snapshot) -> np.ndarray:
        """Tell who was a customer no more at a date.

        Where fewer than `min_cell` had probably gone without an exit they count as customers: with the exits, which are
        shown, the others would tell of them.
        """
        probably = ~shot.ended & (shot.probability_alive < self.settings.alive_below)
        return shot.ended | (probably & (probably.sum() >= self.settings.min_cell))

    @cached_property
    def standing_then(self) -> np.ndarray:
        """Return what each customer was at the earlier date, places in `STANDINGS_THEN`."""
        found, gone = np.zeros(len(self), int), self._gone(self.then)
        found[self.then.place] = np.where(self.then.ended, 3, np.where(gone, 2, 1))
        return found

    @cached_property
    def equity_bridge(self) -> equity_bridge.Bridge:
        """Return why customer equity changed between the two dates."""
        rates, then, now = self.settings.discount_rates, self.then, self.now
        terms = equity_bridge.Terms(self.years, *rates, then.margin_rate, now.margin_rate)
        # what is added up is told apart by these two alone; those who had left count for nothing
        group, groups = 2 * self.standing_then + self.gone, np.arange(2 * len(STANDINGS_THEN))
        before, was = group[then.place], np.repeat(STANDINGS_THEN, 2)
        old = self._spend_at_old_rate
        ratio = np.divide(old, now.expectation.future_spend, out=np.ones(len(self)), where=old > 0)

        def values(opening: np.ndarray, closing: np.ndarray, at_old_rate: np.ndarray) -> equity_bridge.Values:
            rate = now.margin_rate
            spend = at_old_rate / rate if rate else np.zeros(len(groups))
            return equity_bridge.Values(np.where(was == "ended", 0, opening), closing, at_old_rate, spend)

        def drawn() -> Iterator[equity_bridge.Values]:
            opening = then.future_sums(before, len(groups))
            closing = now.future_sums(group, len(groups))
            at_old = closing if rates[0] == rates[1] else now.future_sums(group, len(groups), ratio)
            return map(values, opening, closing, at_old)

        earned = (shot.sum_of("margin").sum() for shot in (now, then))
        return equity_bridge.bridge(
            values(
                np.bincount(before, then.future_value, minlength=len(groups)),
                np.bincount(group, now.future_value, minlength=len(groups)),
                np.bincount(group, ratio * now.future_value, minlength=len(groups)),
            ),
            was == "customer",
            groups % 2 == 1,
            terms,
            gone_before=was == "gone",
            margin_received=float(next(earned) - next(earned)),
            draws=drawn() if then.has_draws and self.has_draws else None,
            customers=np.bincount(group, minlength=len(groups)),
        )

    @cached_property
    def _spend_at_old_rate(self) -> np.ndarray:
        """Return what customers are expected to spend, discounted at the rate of the earlier date."""
        now, (old, new) = self.now.expectation, self.settings.discount_rates
        if old == new or now.purchases is None or now.spend is None:
            return now.future_spend
        purchases = money.discounted_purchases(
            now.purchases.model, *now.history, self.settings.horizon_weeks, old, self.settings.time_unit
        )
        amounts = now.customers["monetary_value"].to_numpy(float)
        return now.spend.model.expected_average_spend(now.history[0], amounts) * purchases

    # --- recency, frequency, monetary value; old and new customers ----------------------------------------------

    @cached_property
    def rfm(self) -> rfm.Rfm:
        """Return the scores of recency, frequency and monetary value."""
        since = self._since(self.now.date, self.last_date.astype("datetime64[D]"))
        return rfm.rfm(np.maximum(since, 0), self.loyalty + 1, self.now.sum_of("sales"))

    def time_sequence(self, shot: Snapshot) -> np.ndarray:
        """Return of each customer of a date whether they are new, active or dormant: places in `SEQUENCE`."""
        return np.where(self._gone(shot), 2, np.where(shot.tenure < self.settings.exploration_days, 0, 1))

    # --- sales and profit by period ----------------------------------------------------------------------------

    @cached_property
    def periods(self) -> pd.DataFrame:
        """Return period, sales, margin, marketing, service of each calendar quarter that was observed whole."""
        return by_quarter(self)

    @cached_property
    def profit_periods(self) -> profit_periods.ProfitPeriods | None:
        """Return in which quarters sales rose while profit fell; None of less than two quarters."""
        found = self.periods
        if len(found) < 2:
            return None
        costs = {name: found[name].to_numpy(float) for name in ("marketing", "service")}
        sales = np.maximum(found["sales"].to_numpy(float), 0)
        return profit_periods.profit_periods(sales, found["margin"].to_numpy(float), costs)

    # --- what to do --------------------------------------------------------------------------------------------

    @cached_property
    def actions(self) -> np.ndarray:
        """Return the next action of each customer, places in `actions.ACTIONS`."""
        return actions.next_actions(
            self.stages,
            stages.STAGES,
            self.tiers == tiers.BELOW_ZERO,
            self.classes,
            CLASSES,
            self.reinvests,
        )

    # --- both sides of the bargain -----------------------------------------------------------------------------

    @cached_property
    def two_sided(self) -> two_sided.TwoSided | None:
        """Return satisfaction beside value of those who answered; None where too few did."""
        survey = self.files.survey
        if survey is None:
            return None
        model = read_model(self.settings.satisfaction_model)
        items = list(model.constructs[model.satisfaction])
        scores = two_sided.satisfaction_of(survey, items)
        return two_sided.two_sided(
            scores, self.customer_id, self.now.value, resamples=self.settings.resamples, seed=self.settings.seed
        )


def measure(settings: Settings) -> Measurement:
    """Read everything, and value the customers at both dates."""
    return Measurement(**vars(read(settings)))
