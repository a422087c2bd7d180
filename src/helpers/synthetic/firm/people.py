"""The people of a simulated firm: what every table is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit, logit, ndtri

from helpers.models.lifetime_value.value import DAYS_PER_YEAR, continuous_rate
from helpers.synthetic.satisfaction_survey import (
    CONSTRUCTS,
    SEGMENT_SHIFTS,
    SEGMENTS,
    draw_constructs,
    shares_of,
    shift_table,
    structural_model,
)
from helpers.synthetic.transactions import Purchases, Traits, check_days, draw_purchases, draw_traits

# Category: share of the order lines, margin rate, how many products.
CATEGORIES = {
    "books": (0.25, 0.34, 40),
    "music": (0.20, 0.28, 40),
    "games": (0.15, 0.22, 20),
    "clothing": (0.25, 0.52, 60),
    "home": (0.15, 0.42, 30),
}
MARGIN_SHIFT_LIMIT = 0.15  # of a customer's margin rate, up or down
DRAWS_OF_REFERRER = 50  # before a referee is taken to have come alone
VALUE_WEEKS = 52  # of the value that moves referrals


@dataclass(frozen=True)
class People:
    """The customers of a firm, as arrays of shape (n,); days are counted from `start_date`, day 0.

    Parameters
    ----------
    customer_id : ndarray of int64
        1 to n.
    segment : ndarray of object
        Names.
    joined : ndarray
        When the first purchase was made, in days; its whole part is the calendar day.
    constructs : ndarray
        Shape (n, constructs): the latent variables of `helpers.synthetic.satisfaction_survey.CONSTRUCTS`, in standard
        deviations.
    rate : ndarray
        Purchases a week, while a customer.
    dropout_probability : ndarray
        Of leaving after each repeat purchase.
    spend : ndarray
        Mean amount of a purchase.
    margin_rate : ndarray
        Expected margin of a purchase on day 0, as a share of its amount.
    left : ndarray
        When the customer left (the time of the last purchase), in days; inf of those still there at the end.
    referrer : ndarray of int64
        Index of the person who brought this one; -1 of those whom nobody brought.
    would_have_joined : ndarray of bool
        Whether a referee would have come anyway (type two); False of those whom nobody brought.
    start_date : datetime64[D]
        Day 0.
    end_day : int
        Last day observed.
    """

    customer_id: np.ndarray
    segment: np.ndarray
    joined: np.ndarray
    constructs: np.ndarray
    rate: np.ndarray
    dropout_probability: np.ndarray
    spend: np.ndarray
    margin_rate: np.ndarray
    left: np.ndarray
    referrer: np.ndarray
    would_have_joined: np.ndarray
    start_date: np.datetime64
    end_day: int

    def __len__(self) -> int:
        return len(self.customer_id)

    @property
    def satisfaction(self) -> np.ndarray:
        """Latent satisfaction: mean 0 (but for shifts of segments), standard deviation 1 within a segment."""
        return self.constructs[:, CONSTRUCTS.index("satisfaction")]

    @property
    def alive(self) -> np.ndarray:
        """Tell who is still a customer at the end."""
        return np.isinf(self.left)

    def expected_margin(self, weeks: float, annual_discount_rate: float = 0.0) -> np.ndarray:
        """Margin to expect of a customer in the weeks ahead, given that they are one now, discounted to now.

        A customer buys at the rate lambda and leaves after a purchase with probability p, so those who are still there
        become fewer at the rate lambda p: BG/NBD's story (Fader, Hardie and Lee 2005, section 3) for one person. With
        the continuous discount rate d the expected discounted number of purchases in H weeks is the integral of
        lambda exp(-(lambda p + d) t) from 0 to H.
        """
        fading = self.rate * self.dropout_probability + continuous_rate(annual_discount_rate, "W")
        with np.errstate(invalid="ignore", divide="ignore"):
            purchases = self.rate * np.where(fading == 0, weeks, -np.expm1(-fading * weeks) / fading)
        return purchases * self.spend * self.margin_rate

    def margin_rate_on(self, day: np.ndarray | float, margin_trend: float) -> np.ndarray:
        """Give the expected margin rate of each customer on a day, where it changes by `margin_trend` a year."""
        return self.margin_rate + margin_trend * day / DAYS_PER_YEAR

    def date(self, day: np.ndarray) -> np.ndarray:
        """Turn days (whole or not) into calendar days."""
        return (self.start_date + np.asarray(day).astype(np.int64)).astype("datetime64[ns]")


def draw_people(
    customers: int,
    rng: np.random.Generator,
    *,
    segments: Mapping[str, float] = SEGMENTS,
    segment_shifts: Mapping[str, Mapping[str, float]] = SEGMENT_SHIFTS,
    r: float = 0.5,
    alpha: float = 6.0,
    a: float = 0.9,
    b: float = 3.0,
    p: float = 6.0,
    q: float = 4.0,
    v: float = 15.0,
    satisfaction_to_dropout: float = 0.5,
    satisfaction_to_spend: float = 0.1,
    margin_spread: float = 0.03,
    loyalty_to_margin: float = 0.0,
    referred_share: float = 0.3,
    willing_share: float = 0.4,
    type_one_share: float = 0.5,
    satisfaction_to_referral: float = 0.5,
    value_to_referral: float = -0.3,
    tenure_to_type_one: float = 0.0,
    referred_to_dropout: float = -0.2,
    referred_to_spend: float = 0.0,
    acquisition_days: int = 600,
    end_day: int = 730,
    start_date: str = "2023-01-01",
) -> tuple[People, Purchases]:
    """Draw the customers of a firm and what they buy.

    Customers come evenly over the days of acquisition and behave as BG/NBD and Gamma-Gamma say, but for the links.
    Satisfaction is that of `helpers.synthetic.satisfaction_survey`. Some are referees: each was brought by one willing
    customer who had come on an earlier day and had not left, so that chains of referrals arise.

    Parameters
    ----------
    customers : int
        At least 1.
    segments, segment_shifts : mapping
        As in `helpers.synthetic.satisfaction_survey.satisfaction_survey`.
    r, alpha, a, b : float
        BG/NBD parameters, alpha in weeks, of customers whom no link moves.
    p, q, v : float
        Gamma-Gamma parameters, v in money, likewise.
    satisfaction_to_dropout : float
        By how much the log odds of leaving after a purchase fall for one standard deviation of satisfaction.
    satisfaction_to_spend : float
        By how much the log of the mean amount rises for one standard deviation of satisfaction.
    margin_spread : float
        Standard deviation of what a customer's margin rate adds to that of the categories, cut at
        `MARGIN_SHIFT_LIMIT`.
    loyalty_to_margin : float
        By how much a customer's margin rate falls for one standard deviation (of the normal score) of the rate of
        purchases: above 0 where those who buy often wait for discounts.
    referred_share : float
        Share of customers whom someone brought (less those who came before anyone could have brought them).
    willing_share : float
        Share of customers who bring others at all.
    type_one_share : float
        Share of referees who would not have come otherwise, where their referrers had been customers as long as is
        usual.
    satisfaction_to_referral : float
        By how much the log odds of being the one who brought a referee rise for one standard deviation of
        satisfaction, among the willing.
    value_to_referral : float
        The same for one standard deviation (of the normal score) of the margin to expect of a customer in the first
        year.
    tenure_to_type_one : float
        By how much the log odds that a referee would not have come otherwise rise for one year that the referrer had
        been a customer.
    referred_to_dropout, referred_to_spend : float
        What being a referee adds to the log odds of leaving and to the log of the mean amount.
    acquisition_days, end_day : int
        Days, from the first, on which new customers come; last day observed.
    start_date : str
        Date of day 0.

    Returns
    -------
    people : People
    purchases : Purchases

    Raises
    ------
    ValueError
        A parameter that is not positive, a share outside 0 to 1, days that do not fit.
    """
    _check_shares(referred_share=referred_share, willing_share=willing_share, type_one_share=type_one_share)
    check_days(acquisition_days, end_day)
    trait_rng, construct_rng, margin_rng, purchase_rng, referred_rng, referrer_rng, type_rng = rng.spawn(7)
    traits = draw_traits(customers, trait_rng, r=r, alpha=alpha, a=a, b=b, q=q, v=v, acquisition_days=acquisition_days)
    segment = construct_rng.choice(len(segments) or 1, customers, p=shares_of(segments))
    constructs = draw_constructs(shift_table(segments, segment_shifts)[segment], construct_rng, structural_model())
    satisfaction = constructs[:, CONSTRUCTS.index("satisfaction")]
    referred = referred_rng.random(customers) < referred_share
    traits = _moved(
        traits,
        dropout=referred_to_dropout * referred - satisfaction_to_dropout * satisfaction,
        spend=referred_to_spend * referred + satisfaction_to_spend * satisfaction,
    )
    purchases = draw_purchases(traits, purchase_rng, p=p, end_day=end_day)
    margin_shift = _margin_shift(margin_rng, customers, margin_spread) - loyalty_to_margin * _normal_score(traits.rate)
    people = People(
        customer_id=np.arange(1, customers + 1),
        segment=np.array(list(segments) or ["all"], dtype=object)[segment],
        joined=traits.acquired,
        constructs=constructs,
        rate=traits.rate,
        dropout_probability=traits.dropout_probability,
        spend=p / traits.spend_rate,
        margin_rate=category_margin() + margin_shift,
        left=np.where(purchases.alive, np.inf, _last_day(purchases)),
        referrer=np.full(customers, -1),
        would_have_joined=np.zeros(customers, dtype=bool),
        start_date=np.datetime64(start_date, "D"),
        end_day=end_day,
    )
    willing = referrer_rng.random(customers) < willing_share
    value = _normal_score(people.expected_margin(VALUE_WEEKS))
    weight = willing * np.exp(satisfaction_to_referral * satisfaction + value_to_referral * value)
    referrer = _find_referrers(people, weight, np.flatnonzero(referred), referrer_rng)
    type_one = _type_one_probability(people.joined, referrer, type_one_share, tenure_to_type_one)
    anyway = (type_rng.random(customers) >= type_one) & (referrer >= 0)
    return replace(people, referrer=referrer, would_have_joined=anyway), purchases


def _moved(traits: Traits, *, dropout: np.ndarray, spend: np.ndarray) -> Traits:
    """Shift the log odds of leaving and the log of the mean amount; shifts of 0 change nothing."""
    leaving = traits.dropout_probability * np.exp(dropout)
    return replace(
        traits,
        dropout_probability=leaving / (1 - traits.dropout_probability + leaving),
        spend_rate=traits.spend_rate * np.exp(-spend),
    )


def category_margin() -> float:
    """Give the margin rate to expect of a line, whose category has nothing to do with its amount."""
    return sum(share * rate for share, rate, _ in CATEGORIES.values())


def _margin_shift(rng: np.random.Generator, customers: int, spread: float) -> np.ndarray:
    return np.clip(spread * rng.standard_normal(customers), -MARGIN_SHIFT_LIMIT, MARGIN_SHIFT_LIMIT)


def _last_day(purchases: Purchases) -> np.ndarray:
    last = np.empty(len(purchases.alive))
    # purchases are in order of time, and of several values for one place the last one stays
    last[purchases.customer] = purchases.day
    return last


def _normal_score(values: np.ndarray) -> np.ndarray:
    """Replace values by the normal quantiles of their ranks: rates near 0 have logs without bounds."""
    rank = np.empty(len(values))
    rank[np.argsort(values, kind="stable")] = np.arange(len(values))
    return ndtri((rank + 0.5) / len(values))


def _find_referrers(people: People, weight: np.ndarray, referees: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw who brought each referee; -1 of those for whom nobody was found.

    In proportion to the weights of those who had come on an earlier day; whoever had left is drawn anew.
    """
    referrer = np.full(len(people), -1)
    day = people.joined.astype(np.int64)
    by_day = np.argsort(day, kind="stable")
    cumulated = np.append(0.0, np.cumsum(weight[by_day]))
    before = cumulated[np.searchsorted(day[by_day], day, side="left")]
    waiting = referees[before[referees] > 0]
    for _ in range(DRAWS_OF_REFERRER):
        place = np.searchsorted(cumulated, rng.random(len(waiting)) * before[waiting], side="right") - 1
        drawn = by_day[place]
        stayed = people.left[drawn] > people.joined[waiting]
        referrer[waiting[stayed]] = drawn[stayed]
        waiting = waiting[~stayed]
    return referrer


def _type_one_probability(joined: np.ndarray, referrer: np.ndarray, share: float, slope: float) -> np.ndarray:
    """Shift the log odds of type one by how long the referrer has been a customer; a slope of 0 changes nothing."""
    referee = referrer >= 0
    years = np.where(referee, joined - joined[referrer], 0.0) / DAYS_PER_YEAR
    usual = years[referee].mean() if referee.any() else 0.0
    return expit(logit(share) + slope * (years - usual)) if slope else np.full(len(joined), share)


def _check_shares(**shares: float) -> None:
    for name, share in shares.items():
        if not 0 <= share <= 1:
            raise ValueError(f"{name} must be a share from 0 to 1, not {share}.")
