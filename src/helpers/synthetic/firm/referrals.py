"""Who brought whom, when and at what cost; and, for tests, what can be wrong with such a table."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd

from .people import People

DELAY_DAYS = 3  # mean time between a referral and the referee's first purchase

FLAWS = (
    "self_referrals",
    "loops",
    "two_referrers",
    "unknown_referees",
    "before_first_purchase",
    "after_joining",
    "negative_incentives",
)


def referrals(
    people: People,
    rng: np.random.Generator,
    *,
    incentive_cost: float = 10.0,
    acquisition_cost: float = 25.0,
    cost_spread: float = 0.3,
) -> pd.DataFrame:
    """List the referrals.

    Parameters
    ----------
    people : People
    rng : Generator
    incentive_cost, acquisition_cost : float
        Means of what was paid for a referral and of what winning the referee would have cost otherwise.
    cost_spread : float
        How far both vary around their means, as standard deviation of the log; 0 for not at all.

    Returns
    -------
    DataFrame
        referrer_id, referee_id, date (after the referrer's first day, on the referee's or a few days before),
        incentive_cost and acquisition_cost (in cents), would_have_joined; in order of time.
    """
    day_rng, cost_rng = rng.spawn(2)
    referee = np.flatnonzero(people.referrer >= 0)
    referrer = people.referrer[referee]
    day, earliest = people.joined[referee].astype(np.int64), people.joined[referrer].astype(np.int64) + 1
    day = np.maximum(day - day_rng.poisson(DELAY_DAYS, len(day)), earliest)
    # mean 1, whatever the spread
    varied = np.exp(cost_spread * cost_rng.standard_normal((2, len(day))) - cost_spread**2 / 2)
    table = pd.DataFrame(
        {
            "referrer_id": people.customer_id[referrer],
            "referee_id": people.customer_id[referee],
            "date": people.date(day),
            "incentive_cost": np.round(incentive_cost * varied[0], 2),
            "acquisition_cost": np.round(acquisition_cost * varied[1], 2),
            "would_have_joined": people.would_have_joined[referee],
        }
    )
    return table.sort_values("date", kind="stable", ignore_index=True)


def plant_flaws(
    table: pd.DataFrame,
    people: People,
    rng: np.random.Generator,
    *,
    flaws: Mapping[str, int] = MappingProxyType({}),
    type_stated_share: float = 1.0,
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Spoil a table of referrals, each row at most once, and let it not say of all whether they would have come anyway.

    Parameters
    ----------
    table : DataFrame
        Of `referrals`.
    people : People
    rng : Generator
    flaws : mapping of str to int
        How many of each of `FLAWS`. Two are rows more: loops (the referee brings the referrer, whom nobody had
        brought) and two_referrers (one of the first customers brings the referee as well). The others are rows
        changed: self_referrals, unknown_referees (an id that no customer has), before_first_purchase (dated the day
        before the referrer's), after_joining (dated the day after the referee's first purchase),
        negative_incentives.
    type_stated_share : float
        Probability that a row says whether the referee would have come anyway, whatever the answer.

    Returns
    -------
    table : DataFrame
        In order of time.
    planted : dict of str to int
        How many of each there was room for.

    Raises
    ------
    ValueError
        A flaw that does not exist, a negative number, a share outside 0 to 1.
    """
    if not 0 <= type_stated_share <= 1:
        raise ValueError(f"type_stated_share must be a share from 0 to 1, not {type_stated_share}.")
    for name, count in flaws.items():
        if name not in FLAWS or count < 0:
            raise ValueError(f"flaws must be counts of {', '.join(FLAWS)}, not {name}={count}.")
    rows = _rows_of_flaws(table, people, rng.permutation(len(table)), flaws)
    changed = table.copy()
    referrer, referee = (table[column].to_numpy() for column in ("referrer_id", "referee_id"))
    changed.loc[rows["self_referrals"], "referrer_id"] = referee[rows["self_referrals"]]
    unknown = rows["unknown_referees"]
    changed.loc[unknown, "referee_id"] = len(people) + 1 + np.arange(len(unknown))
    early, late = rows["before_first_purchase"], rows["after_joining"]
    changed.loc[early, "date"] = people.date(np.floor(people.joined[referrer[early] - 1]) - 1)
    changed.loc[late, "date"] = people.date(people.joined[referee[late] - 1] + 1)
    changed.loc[rows["negative_incentives"], "incentive_cost"] *= -1

    back = table.iloc[rows["loops"]].assign(referrer_id=referee[rows["loops"]], referee_id=referrer[rows["loops"]])
    twice = rows["two_referrers"]
    first, second = people.customer_id[np.argsort(people.joined, kind="stable")[:2]] if len(twice) else (0, 0)
    again = table.iloc[twice].assign(referrer_id=np.where(referrer[twice] == first, second, first))
    spoilt = pd.concat([changed, back, again]).sort_values("date", kind="stable", ignore_index=True)
    if type_stated_share < 1:
        is_stated = rng.random(len(spoilt)) < type_stated_share
        spoilt["would_have_joined"] = spoilt["would_have_joined"].astype("boolean").where(is_stated)
    return spoilt, {name: len(rows[name]) for name in FLAWS}


def _rows_of_flaws(table, people: People, order: np.ndarray, flaws: Mapping[str, int]) -> dict[str, np.ndarray]:
    """Deal the rows out to the flaws; loops come first, as not every row can become one."""
    referrer = table["referrer_id"].to_numpy()[order] - 1
    _, one_each = np.unique(referrer, return_index=True)
    one_each = np.sort(one_each[people.referrer[referrer[one_each]] < 0])
    rows = {"loops": order[one_each[: flaws.get("loops", 0)]]}
    left = order[~np.isin(order, rows["loops"])]
    for name in FLAWS:
        if name != "loops":
            rows[name], left = np.split(left, [flaws.get(name, 0)])
    return rows
