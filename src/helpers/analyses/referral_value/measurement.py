"""What every customer is worth by what they buy and by whom they bring, with draws of both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import pandas as pd

from helpers.data import marketing_touches, referrals, transactions
from helpers.data.engines import engine_errors_refused, hand_over
from helpers.data.referrals import Referrals
from helpers.models import quadrants
from helpers.models.lifetime_value import value as money
from helpers.models.referral_value import attribution, campaign, comparison, type_model
from helpers.models.referral_value import value as referral
from helpers.models.referral_value.value import FirmTotal, Parts, TypeOneShare
from helpers.models.threads import threads

from ..lifetime_value import Settings as LifetimeSettings
from ..lifetime_value import valuation
from ..progress import each, progress
from ..several_files import is_simulated, one_way_to_write, refuse_a_mixture
from . import known
from .customers import Customers, value_customers
from .settings import MODEL, STATED, Settings

# Versions of referral value: with the expected types first, then with every share of type one in `Measurement.shares`,
# of all referrals (`of_all`) and of those whose type nobody knows (`of_unknown`); the sources' own version last.
EXPECTED, GROSS = 0, -1
FILES = ("transactions", "referrals", "marketing_touches")
BENDING_SHARES = 5  # shares of type one looked at where referral value is not linear in them
UNKNOWN_TYPE = 0.5  # taken where no type is known and none is set: the report says so
FEWEST_YEARS = 1.0  # of being a customer, over which referrals are counted a year


@dataclass(frozen=True, eq=False)
class Measurement:
    """The numbers of referral value.

    Parameters
    ----------
    settings : Settings
    purchases : helpers.data.transactions.Purchases
    touches : helpers.data.marketing_touches.MarketingCosts
    referrals : helpers.data.referrals.Referrals
    observation_end : date
    customers : Customers
    referrer, referee : ndarray of int, shape (referrals,)
        Places among the customers.
    """

    settings: Settings
    purchases: transactions.Purchases
    touches: marketing_touches.MarketingCosts
    referrals: Referrals
    observation_end: date
    customers: Customers
    referrer: np.ndarray
    referee: np.ndarray

    @property
    def currency(self) -> str:
        """Return the currency in words."""
        return self.settings.currency or self.purchases.currency or "currency units"

    @property
    def is_simulated(self) -> bool:
        """Tell whether the customers, their referrals or what they cost are made up."""
        touches = is_simulated(self.settings.marketing_touches, "marketing_touches")
        return self.purchases.is_simulated or self.referrals.is_simulated or touches

    @cached_property
    def credit(self):
        """Return who is credited with whom whatever the types, a sparse matrix of shape (customers, customers)."""
        return attribution.credit(*self._edges, **self._walk)

    def _credit_of(self, type_one: np.ndarray):
        """Return the same where credit for further generations stops at who would have come anyway."""
        if self.settings.generations == 1:
            return self.credit
        return attribution.credit(*self._edges, passing=type_one, **self._walk)

    @property
    def _edges(self) -> tuple[np.ndarray, np.ndarray, int]:
        return self.referrer, self.referee, len(self.customers.customer_id)

    @property
    def _walk(self) -> dict:
        return {"weight": self.weight, "generations": self.settings.generations, "decay": self.settings.decay}

    @cached_property
    def weight(self) -> np.ndarray:
        """Return which share of the referee stands in each referral."""
        return self.referrals.frame["weight"].to_numpy(float)

    # --- what is known of each referral, and what is assumed of the rest ------------------------------------

    @cached_property
    def incentive(self) -> np.ndarray:
        """Return what was paid for each referral; the assumed cost where the file does not say."""
        return self._settled(self.referrals.frame, "incentive_cost", self.assumed_incentive)

    @cached_property
    def uncredited_incentive(self) -> np.ndarray:
        """Return what was paid for each referral that nobody is credited with."""
        return self._settled(self.referrals.uncredited, "incentive_cost", self.assumed_incentive)

    @cached_property
    def assumed_incentive(self) -> float:
        """Return what is taken for the incentives not stated: what is set, else the mean of those stated, else 0."""
        # whoever is credited: the mean must not hang on who counts among several referrers
        stated = [frame["incentive_cost"] for frame in (self.referrals.frame, self.referrals.uncredited)]
        return _assumed(self.settings.incentive_cost, np.concatenate(stated))

    @cached_property
    def saving(self) -> np.ndarray:
        """Return the acquisition that each referral saved; the assumed one where the file does not say."""
        return self._settled(self.referrals.frame, "acquisition_cost", self.assumed_saving)

    @cached_property
    def assumed_saving(self) -> float:
        """Return what is taken for the savings not stated: what is set, else the mean of those stated, else 0."""
        return _assumed(self.settings.acquisition_saving, self.referrals.frame["acquisition_cost"].to_numpy(float))

    def _settled(self, frame: pd.DataFrame, column: str, assumed: float) -> np.ndarray:
        days = np.datetime64(self.observation_end, "ns") - frame["date"].to_numpy("datetime64[ns]")
        years = days / np.timedelta64(1, "D") / money.DAYS_PER_YEAR
        return frame[column].fillna(assumed).to_numpy(float) * (1 + self.settings.past_rate) ** years

    @cached_property
    def stated_type_one(self) -> np.ndarray:
        """Return whether each referee would not have joined otherwise, 0 to 1; nan where nobody knows."""
        return 1 - self.referrals.frame["would_have_joined"].to_numpy(float)

    @cached_property
    def type_one_share(self) -> TypeOneShare:
        """Return the share of type one among the referrals whose type is known."""
        return referral.type_one_share(self.stated_type_one)

    @cached_property
    def evidence(self) -> type_model.Evidence:
        """Return whether the types that are known can be told by what else is known of the referrals."""
        return type_model.weigh(self._known.to_numpy(), self.stated_type_one, self.referrer, seed=self.settings.seed)

    @cached_property
    def _known(self) -> pd.DataFrame:
        return known.of_referrals(
            self.referrals.frame, self.referrer, self.referee, self.customers.first_date, self.purchases.table
        )

    @cached_property
    def is_modelled(self) -> bool:
        """Tell whether a model of the types is taken: it was asked for, is needed, and beats the share."""
        is_asked = self.settings.unknown_type == MODEL and self.unknown_types > 0
        return is_asked and self.evidence.is_better

    @property
    def takes_share(self) -> bool:
        """Tell whether the share among the referrals of known type is taken for the others."""
        return isinstance(self.assumed_type_one, TypeOneShare)

    @cached_property
    def assumed_type_one(self) -> type_model.Predicted | TypeOneShare | float:
        """Return what is taken for the referrals of unknown type: what is set, else what the others show, else half."""
        chosen = self.settings.unknown_type
        if isinstance(chosen, float):
            return chosen
        if chosen == STATED:
            return 0.0  # of what nobody knows counts what either type brings: the saving
        if self.is_modelled:
            return self.evidence.predicted(self._known.to_numpy())
        return self.type_one_share if self.type_one_share.known else UNKNOWN_TYPE

    @cached_property
    def type_one(self) -> np.ndarray:
        """Return the probability that each referee would not have joined otherwise."""
        assumed = self.assumed_type_one
        return referral.settled(self.stated_type_one, assumed if isinstance(assumed, float) else assumed.value)

    @cached_property
    def unknown_types(self) -> int:
        """Return the number of referrals whose type is not stated."""
        return int(np.isnan(self.stated_type_one).sum())

    # --- both values, and draws of them ----------------------------------------------------------------------

    def parts_of(self, type_one, margin=None) -> Parts:
        """Return what each referral brings and costs, for these types (and these margins of all customers)."""
        margin = self.customers.all_margin if margin is None else margin
        return referral.parts(
            margin[self.referee],
            self.incentive,
            self.customers.all_marketing[self.referee],
            self.saving,
            type_one=type_one,
            share=self.weight,
            charge_type_two=self.settings.charge_type_two,
        )

    @cached_property
    def parts(self) -> Parts:
        """Return what referrals bring and cost each referrer, of shape (customers,)."""
        return referral.per_referrer(self.parts_of(self.type_one), self._credit_of(self.type_one), self.referee)

    @cached_property
    def gross(self) -> np.ndarray:
        """Return the lifetime value of those whom each customer brought, as the sources have it."""
        return referral.gross(self.credit, self.customers.lifetime_value)

    @property
    def shares(self) -> np.ndarray:
        """Return the shares of type one at which referral value is looked at, from none to all.

        Of direct referrals it is linear in the share, so the ends will do; credit that passes on bends it.
        """
        return np.linspace(0, 1, 2 if self.settings.generations == 1 else BENDING_SHARES)

    @property
    def of_all(self) -> slice:
        """Return the places of the versions in which each share of all referrals is of type one."""
        return slice(1, 1 + len(self.shares))

    @property
    def of_unknown(self) -> slice:
        """Return the places of the versions in which each share of those of unknown type is of type one."""
        return slice(1 + len(self.shares), 1 + 2 * len(self.shares))

    @cached_property
    def versions(self) -> np.ndarray:
        """Return net referral value for the types of each version but the gross one: (versions, customers)."""
        return np.stack(
            [
                referral.credited(self._credit_of(types), self.referee, self.parts_of(types).net)
                for types in self._types(self.type_one)
            ]
        )

    def _types(self, type_one: np.ndarray) -> list[np.ndarray]:
        """Return the types of referrals in each version but the gross one, the expected or drawn ones being given."""
        of_all = [np.full(len(self.referee), share) for share in self.shares]
        return [type_one, *of_all, *(referral.settled(self.stated_type_one, share) for share in self.shares)]

    @cached_property
    def referral_value(self) -> np.ndarray:
        """Return the referral value that customers are classed by."""
        return self.gross if self.settings.classed_by == "gross" else self.parts.net

    @cached_property
    def untold(self) -> str:
        """Return why nothing is said of referral value; empty where something is."""
        least = self.settings.min_cell
        if not len(self.referrer):
            return "No referral can be credited, so nobody has a referral value."
        for people, done in (
            (len(np.unique(self.referrer)), "customers brought others"),
            (len(np.unique(self.referee)), "customers were brought"),
            (len(self.customers.customer_id), "customers are there"),
        ):
            if people < least:
                return f"Fewer than {least} {done}: what referrals brought is not shown, or they could be told."
        return ""

    @property
    def has_draws(self) -> bool:
        """Tell whether values have draws, and so intervals."""
        return len(self.customers.future_spend_draws) > 0

    @cached_property
    def _credited_customers(self) -> np.ndarray:
        """Return the places of those who are credited with anyone: all others have a referral value of 0."""
        return np.flatnonzero(np.diff(self.credit.indptr))

    @cached_property
    def _brought_draws(self) -> tuple[np.ndarray, ...]:
        """Return draws of the versions of referral value of those credited.

        They are needed several times, and take less room than their customers' lifetime values.
        """
        draws, versions = len(self.customers.future_spend_draws), 1 + 2 * len(self.shares)
        places, is_direct = self._credited_customers, self.settings.generations == 1
        credit = self.credit[places]
        net = np.empty((versions, draws, len(self.referee) if is_direct else len(places)), np.float32)
        gross = np.empty((draws, len(places)), np.float32)

        def fill(draw: int, type_one: np.ndarray) -> None:
            margin = self.customers.margin_in(draw)
            for version, types in enumerate(self._types(type_one)):
                amounts = self.parts_of(types, margin).net
                if not is_direct:  # the types decide whose credit passes on
                    amounts = attribution.carried(
                        self.referrer, self.referee, amounts, len(margin), passing=types, **self._walk
                    )[places]
                net[version, draw] = amounts
            gross[draw] = referral.gross(credit, margin - self.customers.all_marketing)

        with threads() as pool:
            list(each("draws of referral value", pool.map(fill, range(draws), self._type_draws()), draws))
        return (*(referral.credited(credit, self.referee, net) if is_direct else net), gross)

    def _lifetime_draws(self) -> Iterator[np.ndarray]:
        return (margin - self.customers.all_marketing for margin in self.customers.margin_draws())

    def _of_everyone(self, credited: np.ndarray) -> np.ndarray:
        values = np.zeros((*credited.shape[:-1], len(self.customers.margin)))
        values[..., self._credited_customers] = credited
        return values

    def draws(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield, draw by draw, lifetime value and the referral value that customers are classed by."""
        brought = self._brought_draws[GROSS if self.settings.classed_by == "gross" else EXPECTED]
        for lifetime, credited in zip(self._lifetime_draws(), brought, strict=True):
            yield lifetime, self._of_everyone(credited)

    def draws_of_versions(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield, draw by draw, lifetime value and the versions of referral value with the gross one last."""
        for lifetime, *credited in zip(self._lifetime_draws(), *self._brought_draws, strict=True):
            yield lifetime, self._of_everyone(np.stack(credited))

    def net_bounds(self, level: float = 0.95) -> np.ndarray:
        """Return the interval of each customer's net referral value, shape (2, customers); 0 of those without any."""
        bounds = np.zeros((2, len(self.customers.margin)))
        if len(self._credited_customers):
            tails = ((1 - level) / 2, (1 + level) / 2)
            bounds[:, self._credited_customers] = np.quantile(self._brought_draws[EXPECTED], tails, axis=0)
        return bounds

    def _type_draws(self) -> Iterator[np.ndarray]:
        draws = len(self.customers.future_spend_draws)
        return referral.type_one_draws(self.stated_type_one, self.assumed_type_one, draws, seed=self.settings.seed)

    # --- classes, claims, the campaign, the firm -------------------------------------------------------------

    @cached_property
    def cuts(self) -> tuple[float, float]:
        """Return above which lifetime and referral value are high."""
        settings = self.settings
        return (
            float(quadrants.cuts(self.customers.lifetime_value, settings.lifetime_rule)),
            float(quadrants.cuts(self.referral_value, settings.referral_rule)),
        )

    @cached_property
    def classes(self) -> np.ndarray:
        """Return the class of each customer, a place in `CLASSES`."""
        return quadrants.classify(self.customers.lifetime_value, self.referral_value, *self.cuts)

    @cached_property
    def stability(self) -> quadrants.Stability | None:
        """Return how customers are classed when their values are drawn; None without draws."""
        if not self.has_draws:
            return None
        lifetime, brought = _unzipped(self.draws)
        rules = {"first_rule": self.settings.lifetime_rule, "second_rule": self.settings.referral_rule}
        return quadrants.stability(lifetime, brought, self.classes, **rules)

    @cached_property
    def moved_cuts(self) -> quadrants.MovedCuts:
        """Return what moving the cuts changes."""
        return quadrants.under_moved_cuts(self.customers.lifetime_value, self.referral_value, *self.cuts)

    @cached_property
    def comparison(self) -> comparison.Comparison:
        """Return referral against lifetime value: the versions for each share of type one, and the gross one."""
        return comparison.compare(
            self.customers.lifetime_value,
            np.vstack([self.versions, self.gross]),
            draws=self.draws_of_versions() if self.has_draws else None,
            resamples=self.settings.resamples,
            seed=self.settings.seed,
        )

    @cached_property
    def association(self) -> comparison.Association:
        """Return whether both values are high in the same customers."""
        return comparison.association(
            self.customers.lifetime_value,
            self.referral_value,
            draws=self.draws() if self.has_draws else None,
            resamples=self.settings.resamples,
            seed=self.settings.seed,
        )

    @cached_property
    def campaign(self) -> campaign.Simulation:
        """Return what the measures of the road map would bring."""
        customers, rate = self.customers, self._horizon_of_referrals
        drawn = (
            (customers.margin_rate * spend.astype(float) - customers.future_marketing, rate * brought)
            for spend, (_, brought) in zip(customers.future_spend_draws, self.draws(), strict=True)
        )
        return campaign.simulate(
            self.settings.moves,
            customers.future_margin - customers.future_marketing,
            rate * self.referral_value,
            self.classes,
            draws=drawn if self.has_draws else None,
            seed=self.settings.seed,
        )

    @cached_property
    def _horizon_of_referrals(self) -> np.ndarray:
        """Return the horizon over the time that each customer has been one: what they brought, times it, lies ahead.

        The years of the horizon are discounted, as purchases ahead are. Whoever has been a customer for less than a
        year counts as one of a year: a first referral is not a yearly rate.
        """
        days = np.datetime64(self.observation_end, "D") - self.customers.first_date.astype("datetime64[D]")
        years = np.maximum(days / np.timedelta64(1, "D") / money.DAYS_PER_YEAR, FEWEST_YEARS)
        ahead = money.discounted_cost(1.0, self.settings.horizon_weeks, self.settings.annual_discount_rate)
        return ahead / years

    @cached_property
    def firm(self) -> FirmTotal:
        """Return what all customers are worth to the firm, to which attribution makes no difference.

        Charged is every incentive paid, that of referrals with which nobody is credited as well.
        """
        incentive = np.concatenate([self.incentive, self.uncredited_incentive])
        return referral.firm_total(self.customers.lifetime_value, self.saving, incentive, self.parts, share=self.weight)

    @property
    def total_value(self) -> float:
        """Return what all customers are worth to the firm: lifetime values + savings - every incentive paid."""
        return float(self.firm.total)

    @cached_property
    def uncharged_incentives(self) -> float:
        """Return the incentives of credited referrals that no referrer is charged, as those of type two may be."""
        return float(self.incentive.sum() - self.parts_of(self.type_one).incentive.sum())

    @property
    def counted_twice(self) -> float:
        """Return what adding up both values counts more than once, be it by referee and referrer or by generations.

        Lifetime values + referral values - counted_twice - uncharged incentives - incentives of referrals that are not
        credited = total_value.
        """
        firm = self.firm
        beyond = firm.lifetime_value + firm.referral_value - firm.total
        return float(beyond - self.uncharged_incentives - self.uncredited_incentive.sum())


def _assumed(chosen: float, stated: np.ndarray) -> float:
    """Return the amount that is set, else (-1) the mean of those stated, else 0."""
    if chosen >= 0:
        return float(chosen)
    known = stated[~np.isnan(stated)]
    return float(known.mean()) if len(known) else 0.0


def _unzipped(draws) -> tuple[Iterator[np.ndarray], Iterator[np.ndarray]]:
    """Return two streams from one of pairs; each goes through the draws by itself, so that none is held."""
    return (lifetime for lifetime, _ in draws()), (brought for _, brought in draws())


def measure(settings: Settings) -> Measurement:
    """Load purchases, marketing and referrals, value the customers, and find out who brought whom.

    Raises
    ------
    helpers.data.refusal.InputRefused
        When an input or a setting cannot be used; the message names everything that is wrong.
    """
    refuse_a_mixture(settings, FILES)
    lifetime = _lifetime_settings(settings)
    engine_errors = engine_errors_refused(settings.transactions)
    with progress("referral value", 3) as bar, one_way_to_write(settings, FILES), engine_errors:
        purchases, touches, periods = valuation.read(lifetime)
        if settings.past_rate:
            touches = _touches(settings, purchases, periods.observation_end)
        bar.update()
        customers = value_customers(purchases, touches, periods, lifetime, settings)
        bar.update()
        found = _referrals(settings, purchases, periods, customers)
        bar.update()
    referrer, referee = found.positions(customers.customer_id)
    return Measurement(settings, purchases, touches, found, periods.observation_end, customers, referrer, referee)


def _lifetime_settings(settings: Settings) -> LifetimeSettings:
    """Return what the valuation of customers is asked: the settings that both analyses have."""
    # draws are made here, and may be fewer
    both = vars(LifetimeSettings()).keys() - {"draws"}
    shared = {name: value for name, value in vars(settings).items() if name in both}
    return LifetimeSettings(**shared)


def _touches(settings, purchases, end: date) -> marketing_touches.MarketingCosts:
    return marketing_touches.load(
        settings.marketing_touches,
        columns=settings.marketing_touches_columns,
        bad_rows=settings.bad_rows,
        date_format=settings.date_format,
        decimal=settings.decimal,
        observation_end=end,
        past_rate=settings.past_rate,
        connection=purchases.table.get_backend(),
        customers=purchases.table,
    )


def _referrals(settings: Settings, purchases, periods, customers: Customers) -> Referrals:
    connection = purchases.table.get_backend()
    known = pd.DataFrame({"customer_id": customers.customer_id, "first_date": customers.first_date})
    table = hand_over(connection, known)
    return referrals.load(
        settings.referrals,
        columns=settings.referrals_columns,
        bad_rows=settings.bad_rows,
        date_format=settings.date_format,
        decimal=settings.decimal,
        customers=table,
        observation_end=periods.observation_end,
        window_days=settings.window_days,
        several_referrers=settings.several_referrers,
        connection=connection,
    )
