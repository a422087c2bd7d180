"""What moving customers from one class to another would bring, what it may cost, and how to find out.

The road map of the sources: turn affluents into champions by rewarding referrals, advocates into champions by cross-
and up-selling, misers into any of the three by both. Nothing is said of champions. How many would respond is not known
before a campaign has run, so it is an assumption with an uncertainty, and a hold-out group is to test it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from numbers import Real

import numpy as np
from scipy import special

from helpers.models import resampling
from helpers.models.estimate import Estimate

from .classes import CLASSES, HIGH

ROAD_MAP = {
    "affluents": {"champions": 1.0},
    "advocates": {"champions": 1.0},
    "misers": {"affluents": 1 / 3, "advocates": 1 / 3, "champions": 1 / 3},
}
SHARES = ("response", "second_response", "lifetime_loss", "referral_loss")
AMOUNTS = ("contact_cost", "incentive", "second_contact_cost", "share_of_target")
ADDRESS, TEST, LEAVE, UNKNOWN = "address", "test first", "leave", "cannot be told"


@dataclass(frozen=True)
class Move:
    """A measure of the road map: whom it addresses, where they are to go, and what it takes.

    Parameters
    ----------
    source : str
        Class that is addressed.
    response : float
        Probability that a customer moves who would not have moved without the campaign.
    response_evidence : float
        Customers on whose behaviour that probability rests, as if observed: it is drawn from
        Beta(response x evidence, (1 - response) x evidence). Infinity: it is known.
    contact_cost : float
        Per customer addressed.
    incentive : float
        Per response, to referrer and referee together.
    second_contact_cost, second_response : float
        Of a second touch to those who have not responded, and its probability of response among them.
    share_of_target : float
        Part of the way to the target class that a customer goes who moves: 1 is up to its median.
    lifetime_loss, referral_loss : float
        Guard rails: share of what those addressed would be worth anyway that the campaign destroys.
    targets : mapping of str to float, optional
        Classes that responders move to, with shares that add up to 1; by default those of the road map.

    Raises
    ------
    ValueError
        Unknown classes, a target that is no higher than the source, shares that do not add up to 1, probabilities
        outside 0 to 1, negative costs, anything that is not a number.
    """

    source: str
    response: float
    response_evidence: float = 100.0
    contact_cost: float = 0.0
    incentive: float = 0.0
    second_contact_cost: float = 0.0
    second_response: float = 0.0
    share_of_target: float = 1.0
    lifetime_loss: float = 0.0
    referral_loss: float = 0.0
    targets: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self):
        """Fill in the road map's targets and refuse what makes no sense."""
        if self.source not in ROAD_MAP:
            raise ValueError(f"A measure addresses one of {', '.join(ROAD_MAP)}, not {self.source!r}.")
        if not isinstance(self.targets, Mapping):
            raise ValueError('targets must give each class a share, such as {"champions": 1}')
        object.__setattr__(self, "targets", dict(self.targets or ROAD_MAP[self.source]))
        if not set(self.targets) <= set(CLASSES) or not all(self.raises(target).any() for target in self.targets):
            raise ValueError(f"{self.source} can move to {', '.join(ROAD_MAP[self.source])} only.")
        shares = list(self.targets.values())
        if not all(map(_is_number, shares)) or min(shares) < 0 or not np.isclose(sum(shares), 1):
            raise ValueError("The shares of the classes that responders move to must add up to 1.")
        for name in SHARES:
            if not (_is_number(getattr(self, name)) and 0 <= getattr(self, name) <= 1):
                raise ValueError(f"{name} must be a share from 0 to 1, such as 0.04")
        for name in AMOUNTS:
            if not (_is_number(getattr(self, name)) and 0 <= getattr(self, name) < np.inf):
                raise ValueError(f"{name} must be a number from 0 up, such as 1.5")
        if not (_is_number(self.response_evidence) and self.response_evidence > 0):
            raise ValueError("response_evidence must be a number of customers above 0, such as 100")

    @classmethod
    def described(cls, source: str, terms: Mapping, assumed: Mapping) -> Move:
        """Return the measure that these terms, typed by hand, describe; what they do not say is as assumed.

        Raises
        ------
        ValueError
            What is wrong with them, in words: terms without names, names that are not known, and all that a measure
            refuses.
        """
        known = [each.name for each in fields(cls) if each.name != "source"]
        if not isinstance(terms, Mapping):
            raise ValueError(
                f'a measure is described by names and values, such as {{"response": 0.04}}, not by {terms!r}'
            )
        unknown = [str(name) for name in terms if name not in known]
        if unknown:
            raise ValueError(f"{', '.join(unknown)} is not known; known are {', '.join(known)}")
        return cls(source, **{**assumed, **terms})

    @property
    def total_response(self) -> float:
        """Probability that a customer responds to the first touch or to the second."""
        return self.response + (1 - self.response) * self.second_response

    def raises(self, target: str) -> np.ndarray:
        """Whether the way to a class raises lifetime value and referral value: shape (2,)."""
        return np.array(HIGH[target]) & ~np.array(HIGH[self.source])


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a measure, or all of them together, is expected to bring; the interval is that of a campaign yet to run.

    Attributes
    ----------
    addressed : int
        Customers.
    responses, uplift, loss, cost, net : Estimate of float
        Responses; value gained, value destroyed, and money spent; uplift - loss - cost.
    return_on_campaign : Estimate of float
        net / cost: what each unit of money spent brings beyond itself; nan where nothing is spent.
    break_even_response : Estimate of float
        Total response, to both touches scaled together, at which the expected net is 0; infinite where none is
        enough. Nan for all measures together.
    spread : float
        Standard deviation of the value that the measure is to raise (both added up where it is to raise both), as the
        root mean square of customers held out and customers addressed. Nan for all measures together.
    probability_of_gain : float
        Share of simulated campaigns with a positive net.
    """

    addressed: int
    responses: Estimate
    uplift: Estimate
    loss: Estimate
    cost: Estimate
    net: Estimate
    return_on_campaign: Estimate
    break_even_response: Estimate
    spread: float
    probability_of_gain: float

    @property
    def decision(self) -> str:
        """What to do: "address" or "leave" where the interval of the net says so, "test first" where it holds 0."""
        if np.isnan(self.net.low):
            return UNKNOWN
        return ADDRESS if self.net.low > 0 else LEAVE if self.net.high < 0 else TEST


@dataclass(frozen=True, eq=False)
class Simulation:
    """Outcome of each measure, in the order given, and of all together that can be told."""

    outcomes: tuple[Outcome, ...]
    together: Outcome


def simulate(
    moves: Sequence[Move],
    lifetime_value,
    referral_value,
    classes,
    *,
    draws: Iterable | None = None,
    simulations: int = 4000,
    level: float = 0.95,
    seed: int = 0,
) -> Simulation:
    """Simulate campaigns: what is addressed are the classes as they stand; values, response and luck are drawn.

    A campaign changes nothing of what has been earned, so the values are those ahead, without it: what a customer is
    to buy and whom they are to bring within the horizon. A customer who moves gains the median, in the target class,
    of the value that the target is high in and the source is not, less their own, and never loses by it. Each
    simulated campaign takes a draw of the values, a response from its beta distribution, and the number of responses
    from the binomial one. Who responds is at random, so given their number the gain is normal with the mean and the
    variance of a sample without replacement.

    Parameters
    ----------
    moves : sequence of Move
        At most one for each class.
    lifetime_value, referral_value : array_like, shape (customers,)
        What lies ahead of both.
    classes : array_like of int, shape (customers,)
        Places in `classes.CLASSES`.
    draws : iterable of (array_like, array_like), optional
        Pairs of both values, one for each draw.
    simulations : int
        At least as many as there are draws, or some are not used.
    level, seed
        Of the percentile intervals.

    Returns
    -------
    Simulation
        Values are expectations at the values given; a measure without anyone to address, or whose target class is
        empty so that there is no telling what its customers are worth, is nan.

    Raises
    ------
    ValueError
        No measures, or several for one class.
    """
    sources = [move.source for move in moves]
    if not sources or len(set(sources)) < len(sources):
        raise ValueError("A campaign has at least one measure, and at most one for each class.")
    members = [np.flatnonzero(np.asarray(classes) == place) for place in range(len(CLASSES))]

    def stakes(pair) -> np.ndarray:
        values = [np.asarray(value) for value in pair]
        return np.array([_stakes(move, values, members) for move in moves])

    point = stakes((lifetime_value, referral_value))
    values = (lifetime_value, referral_value)
    spreads = [_spread(move, values, members, at) for move, at in zip(moves, point, strict=True)]
    by_draw = np.stack([stakes(pair) for pair in draws]) if draws is not None else point[None]
    rngs = np.random.default_rng(seed).spawn(len(CLASSES))
    addressed, expected, simulated, outcomes = [], [], [], []
    for move, spread, at, drawn in zip(moves, spreads, point, by_draw.swapaxes(0, 1), strict=True):
        place = CLASSES.index(move.source)
        size = len(members[place])
        addressed.append(size)
        expected.append(_expected(move, size, at))
        simulated.append(_simulated(move, size, drawn[np.arange(simulations) % len(drawn)], rngs[place]))
        limits = _break_even(move, at), _break_even(move, drawn.T)
        outcomes.append(_outcome(size, expected[-1], simulated[-1], limits, spread, level))
    told = np.isfinite(point).all(axis=1)
    if not told.any():
        return Simulation(tuple(outcomes), outcomes[0])
    sums = (np.array(amounts)[told].sum(axis=0) for amounts in (expected, simulated))
    nowhere = np.full(1, np.nan)
    together = _outcome(int(np.array(addressed)[told].sum()), *sums, (nowhere[0], nowhere), np.nan, level)
    return Simulation(tuple(outcomes), together)


def customers_per_arm(difference: float, spread: float, *, power: float = 0.8, alpha: float = 0.05) -> int:
    """Customers to address, and as many to hold out, so that a campaign's effect is found with a given power.

    Two-sided comparison of two means by the normal approximation, n = 2 (z_a + z_b)^2 sd^2 / delta^2 (Cohen 1988,
    "Statistical Power Analysis for the Behavioral Sciences", 2nd edition, chapter 2).

    Parameters
    ----------
    difference : float
        Between the means of both arms: what the campaign brings each customer addressed.
    spread : float
        Standard deviation of the value among customers, the same in both arms.
    power : float
        Probability of finding the difference, if it is so.
    alpha : float
        Probability of finding one where there is none.

    Returns
    -------
    int
        At least 2.

    Raises
    ------
    ValueError
        No difference, no spread, probabilities outside 0 to 1.
    """
    if not (difference and np.isfinite(difference) and 0 <= spread < np.inf):
        raise ValueError("The means differ, or there is nothing to find, and their spread is not negative.")
    if not (0 < power < 1 and 0 < alpha < 1):
        raise ValueError("power and alpha lie between 0 and 1.")
    quantiles = special.ndtri(1 - alpha / 2) + special.ndtri(power)
    return max(int(np.ceil(2 * (quantiles * spread / difference) ** 2)), 2)


def _is_number(value) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _stakes(move: Move, values, members) -> tuple[float, float, float]:
    """Mean and standard deviation of the gain of a customer who moves, and mean loss of one who is addressed."""
    own = [value[members[CLASSES.index(move.source)]] for value in values]
    if not len(own[0]):
        return (np.nan,) * 3
    gain = np.zeros(len(own[0]))
    for target, share in move.targets.items():
        for axis in np.flatnonzero(move.raises(target)) if share else ():
            theirs = values[axis][members[CLASSES.index(target)]]
            median = np.median(theirs) if len(theirs) else np.nan
            gain += share * np.maximum(move.share_of_target * median - own[axis], 0)
    rates = (move.lifetime_loss, move.referral_loss)
    loss = sum(rate * np.maximum(value, 0).mean() for rate, value in zip(rates, own, strict=True))
    return gain.mean(), gain.std(), loss


def _spread(move: Move, values, members, stakes) -> float:
    """Standard deviation of what the measure is to raise, over an arm held out and one in which some respond.

    With response p and gains of mean g and variance s^2, addressing adds p s^2 + p (1 - p) g^2 to the variance; that
    those with less gain more, which takes some of it away, is left out.
    """
    raised = np.any([move.raises(target) for target, share in move.targets.items() if share], axis=0)
    own = members[CLASSES.index(move.source)]
    if not len(own):
        return np.nan
    gain, gain_spread, _ = stakes
    response = move.total_response
    added = response * gain_spread**2 + response * (1 - response) * gain**2
    return float(np.sqrt(sum(np.asarray(values[axis])[own] for axis in np.flatnonzero(raised)).var() + added / 2))


def _expected(move: Move, addressed: int, stakes) -> np.ndarray:
    """Responses, uplift, loss, cost at the response given."""
    gain, _, loss = stakes
    first = addressed * move.response
    second = (addressed - first) * move.second_response
    return np.array(_amounts(move, addressed, first, second, (first + second) * gain, loss))


def _simulated(move: Move, addressed: int, stakes, rng) -> np.ndarray:
    """Responses, uplift, loss, cost of campaigns: shape (4, simulations)."""
    gain, spread, loss = stakes.T
    first = rng.binomial(addressed, _responses(move.response, move.response_evidence, len(gain), rng))
    later = _responses(move.second_response, move.response_evidence, len(gain), rng)
    second = rng.binomial(addressed - first, later)
    responses = first + second
    drawn_among = responses * (addressed - responses) / max(addressed - 1, 1)
    uplift = responses * gain + np.sqrt(drawn_among) * spread * rng.standard_normal(len(gain))
    return np.array(_amounts(move, addressed, first, second, np.maximum(uplift, 0), loss))


def _responses(response: float, evidence: float, size: int, rng) -> np.ndarray:
    if response in (0, 1) or np.isinf(evidence):
        return np.full(size, response)
    return rng.beta(response * evidence, (1 - response) * evidence, size)


def _amounts(move: Move, addressed: int, first, second, uplift, loss) -> tuple:
    cost = addressed * move.contact_cost + (addressed - first) * move.second_contact_cost
    return first + second, uplift, addressed * loss, cost + (first + second) * move.incentive


def _break_even(move: Move, stakes):
    """Total response at which the expected net is 0, both touches scaled by the same k; infinite where none is enough.

    With T(k) = k (r1 + r2) - k^2 r1 r2 and w the worth of a response, the net of a customer addressed is
    w T(k) + k r1 c2 - (c1 + c2 + loss). It rises up to the k at which one touch convinces all, where T is 1.
    """
    gain, _, loss = stakes
    worth, spent = gain - move.incentive, move.contact_cost + move.second_contact_cost + loss
    first, second = move.response, move.second_response
    if not first and not second:
        first = 1.0  # nothing to scale: the first touch alone
    slope, bend = worth * (first + second) + first * move.second_contact_cost, worth * first * second
    root = slope**2 - 4 * bend * spent
    found = (worth > 0) & (root >= 0)
    scale = 2 * spent / np.where(found, slope + np.sqrt(np.where(found, root, 0)), 1)
    found &= scale * max(first, second) <= 1
    total = scale * (first + second) - scale**2 * first * second
    return np.where(np.isnan(worth), np.nan, np.where(found, total, np.inf))


def _outcome(addressed: int, expected, simulated, break_even, spread: float, level: float) -> Outcome:
    tails = ((1 - level) / 2, (1 + level) / 2)
    responses, uplift, loss, cost, net, worth = (
        Estimate(float(value), *map(float, resampling.percentile(draws, level)))
        for value, draws in zip(_with_net(expected), _with_net(simulated), strict=True)
    )
    limits = np.quantile(break_even[1], tails, method="inverted_cdf")  # which may be infinite
    gains = _with_net(simulated)[4]
    return Outcome(
        addressed=addressed,
        responses=responses,
        uplift=uplift,
        loss=loss,
        cost=cost,
        net=net,
        return_on_campaign=worth,
        break_even_response=Estimate(float(break_even[0]), *map(float, limits)),
        spread=spread,
        probability_of_gain=float(np.mean(gains > 0)) if np.isfinite(gains).all() else np.nan,
    )


def _with_net(amounts) -> tuple:
    responses, uplift, loss, cost = amounts
    net = uplift - loss - cost
    with np.errstate(over="ignore"):  # a cost of next to nothing returns without bound
        return responses, uplift, loss, cost, net, net / np.where(cost > 0, cost, np.nan)
