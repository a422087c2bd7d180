"""How often customers turn to the service, and what comes of it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .choice import chosen
from .marketing import DAYS_PER_YEAR
from .people import People

# Kind: share of the contacts, mean cost of answering one.
KINDS = {"question": (0.60, 4.0), "complaint": (0.25, 9.0), "return": (0.15, 7.0)}


def service_contacts(
    people: People,
    rng: np.random.Generator,
    *,
    contacts_per_year: float = 0.6,
    contact_cost_factor: float = 1.0,
    resolved_share: float = 0.8,
    satisfaction_to_contacts: float = 0.4,
    satisfaction_to_complaints: float = 0.5,
) -> pd.DataFrame:
    """Let customers ask for help at any time from their first purchase until they leave.

    A contact moves nobody to stay or to leave.

    Parameters
    ----------
    people : People
    rng : Generator
    contacts_per_year : float
        Mean number for each customer and year; 0 for none.
    contact_cost_factor : float
        How many times the usual a contact costs; many times, customers cost more to serve than they bring.
    resolved_share : float
        Share of the contacts that settle the matter.
    satisfaction_to_contacts : float
        By how much the log of a customer's rate of contacts falls for one standard deviation of satisfaction.
    satisfaction_to_complaints : float
        The same for the log odds that a contact is a complaint.

    Returns
    -------
    DataFrame
        customer_id, date, cost (in cents, exponential around the kind's mean), kind, resolved; in order of customers.

    Raises
    ------
    ValueError
        A negative factor.
    """
    if not 0 <= contact_cost_factor < np.inf:
        raise ValueError(f"contact_cost_factor must be a number from 0 up, not {contact_cost_factor}.")
    count_rng, day_rng, kind_rng, resolved_rng, cost_rng = rng.spawn(5)
    stay = np.minimum(people.left, people.end_day + 1) - people.joined
    rate = contacts_per_year * _mean_one(-satisfaction_to_contacts, people.satisfaction)
    customer = np.repeat(np.arange(len(people)), count_rng.poisson(rate * stay / DAYS_PER_YEAR))
    day = people.joined[customer] + day_rng.random(len(customer)) * stay[customer]
    kind = _kinds(-satisfaction_to_complaints * people.satisfaction[customer], kind_rng)
    costs = np.array([cost for _, cost in KINDS.values()])
    return pd.DataFrame(
        {
            "customer_id": people.customer_id[customer],
            "date": people.date(np.minimum(day, people.end_day)),
            "cost": np.round(contact_cost_factor * costs[kind] * cost_rng.standard_exponential(len(customer)), 2),
            "kind": pd.Categorical.from_codes(kind, list(KINDS)),
            "resolved": resolved_rng.random(len(customer)) < resolved_share,
        }
    )


def _mean_one(effect: float, normal: np.ndarray) -> np.ndarray:
    """Return a log-normal factor of mean 1 for variables of mean 0 and standard deviation 1."""
    return np.exp(effect * normal - effect**2 / 2)


def _kinds(shift: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw a kind for each contact, complaints with their log odds shifted."""
    odds = np.tile([share for share, _ in KINDS.values()], (len(shift), 1))
    odds[:, list(KINDS).index("complaint")] *= np.exp(shift)
    return chosen(odds, rng)
