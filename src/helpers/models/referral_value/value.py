"""What referrals are worth: Kumar, Petersen and Leone's formula by its parts, and a firm's total that counts once.

V. Kumar, J. A. Petersen, R. P. Leone: "How Valuable Is Word of Mouth?" (2007), Harvard Business Review 85(10);
"Driving Profitability by Encouraging Customer Referrals: Who, When, and How" (2010), Journal of Marketing 74(5), 1-17.

A referee of type one would not have joined otherwise: the referrer brought their margin. A referee of type two would
have joined anyway: the referrer saved what acquiring them would have cost.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from helpers.models import proportions

VALUES_AT_ONCE = 16_000_000  # draws x customers multiplied at a time: what bounds memory


@dataclass(frozen=True, eq=False)
class Parts:
    """What referrals bring and cost, by referral or by referrer, each of shape (..., rows); costs are positive.

    Attributes
    ----------
    margin : ndarray
        Margin on those who would not have joined otherwise.
    incentive : ndarray
        Paid for the referrals that are charged theirs.
    marketing : ndarray
        Spent on keeping those who would not have joined otherwise.
    saving : ndarray
        What acquiring the referees in another way would have cost.
    """

    margin: np.ndarray
    incentive: np.ndarray
    marketing: np.ndarray
    saving: np.ndarray

    @property
    def net(self) -> np.ndarray:
        """Referral value: margin - incentive - marketing + saving."""
        return self.margin - self.incentive - self.marketing + self.saving

    @property
    def totals(self) -> Parts:
        """The sums over rows, each of shape (...): the steps from margin to referral value."""
        return Parts(*(amount.sum(axis=-1) for amount in self._amounts))

    @property
    def _amounts(self) -> tuple[np.ndarray, ...]:
        return self.margin, self.incentive, self.marketing, self.saving


def parts(
    margin, incentive, marketing, saving, *, type_one, discount=1.0, share=1.0, charge_type_two: bool = False
) -> Parts:
    """Parts of each referral's value, expected over its type.

    Type one earns (margin - incentive - marketing + saving) discount, type two saving x discount; the value is
    type_one x the former + (1 - type_one) x the latter. It is the formula's one term (2010, equation for CRV): with
    an axis of periods in front, discount (1 + r)^-t and a sum over that axis it is the whole of it.

    Parameters
    ----------
    margin, incentive, marketing, saving : array_like, shapes that broadcast to (..., referrals)
        Of the referee over the horizon, in money; the incentive is that of referrer and referee together.
    type_one : array_like, same
        Whether the referee would not have joined otherwise: 0, 1, a probability, or draws of any of these.
    discount : array_like, same
        Present value of 1 at the time of the amounts.
    share : array_like, same
        Where a referee was brought by several referrals, the part of the referee that stands in this one; incentives
        were paid for each and are not divided.
    charge_type_two : bool
        Whether the incentive of a type-two referral, which was paid as well, is charged to its value. The published
        formula charges none.

    Returns
    -------
    Parts
        Of shape (..., referrals).

    Raises
    ------
    ValueError
        Probabilities outside 0 to 1.
    """
    if not np.all((np.asarray(type_one) >= 0) & (np.asarray(type_one) <= 1)):
        raise ValueError("type_one is a probability of 0 to 1 for every referral: settle unknown types first.")
    margin, incentive, marketing, saving, type_one, discount, share = map(
        _array, (margin, incentive, marketing, saving, type_one, discount, share)
    )
    charged = 1 if charge_type_two else type_one
    referee = share * discount
    amounts = (
        margin * (type_one * referee),
        incentive * (charged * discount),
        marketing * (type_one * referee),
        saving * referee,
    )
    return Parts(*np.broadcast_arrays(*amounts))


def gross(credit, lifetime_value) -> np.ndarray:
    """Referral value as the sources have it: the lifetime value of those brought, whatever it cost to bring them.

    Parameters
    ----------
    credit : scipy.sparse matrix, shape (customers, customers)
        From `attribution.credit`.
    lifetime_value : array_like, shape (..., customers)

    Returns
    -------
    ndarray, shape (..., customers)
    """
    return _multiplied(credit, lifetime_value)


def credited(credit, referee, amounts) -> np.ndarray:
    """Credit amounts of referrals to those who are credited with their referees.

    Whatever a referral brings or costs, its incentive and saving among it, goes with one weight: someone credited
    with a quarter of a referee of the second generation is charged a quarter of what was paid for that referral.

    Parameters
    ----------
    credit : scipy.sparse matrix, shape (customers, customers)
        From `attribution.credit`.
    referee : array_like of int, shape (referrals,)
    amounts : array_like, shape (..., referrals)

    Returns
    -------
    ndarray, shape (..., customers)
        Of the amounts' precision: draws may be float32.
    """
    referee = np.asarray(referee, np.int64)
    customers = credit.shape[1]
    brought = sparse.csr_matrix(
        (np.ones(len(referee)), (referee, np.arange(len(referee)))), shape=(customers, len(referee))
    )
    return _multiplied(credit @ brought, amounts)


def per_referrer(parts: Parts, credit, referee) -> Parts:
    """Credit every part of the referrals' value: shape (..., referrals) becomes (..., customers)."""
    return Parts(*(credited(credit, referee, amount) for amount in parts._amounts))


@dataclass(frozen=True, eq=False)
class FirmTotal:
    """What all customers are worth to the firm, and what adding up their two values counts beyond that; shapes (...).

    total = lifetime_value + saving - incentive
          = (lifetime_value + referral_value) - counted_twice - saving_beyond + incentive_beyond

    Attributes
    ----------
    lifetime_value, saving, incentive : float or ndarray
        Sums over customers, and over referrals each once.
    total : float or ndarray
    referral_value : float or ndarray
        Sum of what was credited.
    counted_twice : float or ndarray
        Credited margin less marketing: it stands in the lifetime value of those brought.
    saving_beyond, incentive_beyond : float or ndarray
        Credited to referrers beyond what there is: positive where generations share a referral, negative where a part
        is credited to no one, such as incentives of type two that are not charged.
    """

    lifetime_value: np.ndarray | float
    saving: np.ndarray | float
    incentive: np.ndarray | float
    total: np.ndarray | float
    referral_value: np.ndarray | float
    counted_twice: np.ndarray | float
    saving_beyond: np.ndarray | float
    incentive_beyond: np.ndarray | float


def firm_total(lifetime_value, saving, incentive, credited_parts: Parts, *, discount=1.0, share=1.0) -> FirmTotal:
    """Total value of a firm's customers, to which attribution makes no difference.

    Those brought are customers themselves, so their margin counts in their own lifetime value. What referrals add is
    the acquisition they saved, less the incentives, which were paid whatever the type of the referral.

    Parameters
    ----------
    lifetime_value : array_like, shape (..., customers)
    saving, incentive : array_like, shape (..., referrals)
        As given to `parts`, but one for each referral.
    credited_parts : Parts
        Of shape (..., customers), from `per_referrer`.
    discount, share : array_like
        As given to `parts`.

    Returns
    -------
    FirmTotal
    """
    lifetime_value = np.asarray(lifetime_value).sum(axis=-1, dtype=float)
    saving = (saving * np.asarray(share) * discount).sum(axis=-1, dtype=float)
    incentive = (incentive * np.asarray(discount)).sum(axis=-1, dtype=float)
    given = credited_parts.totals
    return FirmTotal(
        lifetime_value=lifetime_value,
        saving=saving,
        incentive=incentive,
        total=lifetime_value + saving - incentive,
        referral_value=given.net,
        counted_twice=given.margin - given.marketing,
        saving_beyond=given.saving - saving,
        incentive_beyond=given.incentive - incentive,
    )


@dataclass(frozen=True)
class TypeOneShare:
    """Share of referees who would not have joined otherwise, among the referrals whose type is known.

    Attributes
    ----------
    value, low, high : float
        Nan where no type is known.
    type_one, known : int
        Referrals of type one, and of known type.
    """

    value: float
    low: float
    high: float
    type_one: int
    known: int

    def drawn(self, rng: np.random.Generator) -> float:
        """Draw from the posterior under Jeffreys' prior: Beta(type_one + 1/2, known - type_one + 1/2)."""
        return rng.beta(self.type_one + 0.5, self.known - self.type_one + 0.5)


def type_one_share(type_one, level: float = 0.95) -> TypeOneShare:
    """Estimate the share of type one from the referrals whose type is known, with Wilson's interval.

    It speaks for the others only if types are known regardless of what they are.

    Parameters
    ----------
    type_one : array_like, shape (referrals,)
        1, 0, or unknown: nan. A probability in between is not a known type and does not count either.
    level : float
        Of the interval.

    Returns
    -------
    TypeOneShare
    """
    type_one = np.asarray(type_one, float)
    ones, known = int((type_one == 1).sum()), int(((type_one == 0) | (type_one == 1)).sum())
    low, high = proportions.wilson(ones, known, level)
    return TypeOneShare(ones / known if known else np.nan, float(low), float(high), ones, known)


def settled(type_one, share) -> np.ndarray:
    """Give the referrals of unknown type (nan) a probability of type one: one for all, or one for each."""
    type_one = np.asarray(type_one, float)
    return np.where(np.isnan(type_one), share, type_one)


def type_one_draws(type_one, share, draws: int, *, bernoulli: bool = True, seed: int = 0) -> Iterator[np.ndarray]:
    """Draw the types of referrals, so that intervals of referral value carry that they are not known.

    Parameters
    ----------
    type_one : array_like, shape (referrals,)
        1, 0, a probability, or unknown: nan.
    share : TypeOneShare, type_model.Predicted or float
        For the unknown. An estimate is `drawn` anew each time; a number stays as it is.
    draws : int
    bernoulli : bool
        Whether each type is drawn, or only the share and the probabilities stay.
    seed : int

    Yields
    ------
    ndarray of float32, shape (referrals,)
        What `parts` takes as `type_one`; `draws` of them.
    """
    rng = np.random.default_rng(seed)
    for _ in range(draws):
        unknown = share if isinstance(share, (int, float)) else share.drawn(rng)
        probability = settled(type_one, unknown)
        drawn = rng.random(len(probability)) < probability if bernoulli else probability
        yield drawn.astype(np.float32)


def _array(value):
    """Let single numbers be: they take the precision of the arrays that they meet."""
    return value if isinstance(value, (bool, int, float)) else np.asarray(value)


def _multiplied(matrix, amounts) -> np.ndarray:
    """Multiply each row of amounts by the matrix, as many rows at a time as fit; rows of nobody's credit stay 0."""
    matrix, amounts = matrix.tocsr(), np.asarray(amounts)
    if amounts.dtype != np.float32:
        amounts = amounts.astype(float)
    credited_to = np.flatnonzero(np.diff(matrix.indptr))
    compact = matrix[credited_to].astype(amounts.dtype)
    rows = amounts.reshape(math.prod(amounts.shape[:-1]), amounts.shape[-1])
    result = np.zeros((len(rows), matrix.shape[0]), amounts.dtype)
    at_once = max(VALUES_AT_ONCE // max(*matrix.shape, 1), 1)
    for start in range(0, len(rows), at_once):
        block = slice(start, start + at_once)
        result[block, credited_to] = (compact @ rows[block].T).T
    return result.reshape(*amounts.shape[:-1], matrix.shape[0])
