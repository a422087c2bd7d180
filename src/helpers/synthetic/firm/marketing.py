"""How often customers are addressed, and what that costs."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .people import People

# Channel: share of the touches, mean cost of one.
CHANNELS = {"email": (0.60, 0.05), "letter": (0.32, 1.20), "call": (0.08, 4.00)}
CAMPAIGN_DAYS = 91
DAYS_PER_YEAR = 365.25


def marketing_touches(people: People, rng: np.random.Generator, *, touches_per_year: float = 4.0) -> pd.DataFrame:
    """Address every customer now and then, from the first purchase to the end, whether they have left or not.

    A touch moves nobody to buy.

    Parameters
    ----------
    people : People
    rng : Generator
    touches_per_year : float
        Mean number for each customer; 0 for none.

    Returns
    -------
    DataFrame
        customer_id, date, cost (in cents, within a fifth of the channel's mean), channel, campaign (of a quarter);
        in order of customers.
    """
    count_rng, day_rng, channel_rng, cost_rng = rng.spawn(4)
    observed = people.end_day + 1 - people.joined
    customer = np.repeat(np.arange(len(people)), count_rng.poisson(touches_per_year * observed / DAYS_PER_YEAR))
    day = (people.joined[customer] + day_rng.random(len(customer)) * observed[customer]).astype(np.int64)
    day = np.minimum(day, people.end_day)
    shares, costs = np.array(list(CHANNELS.values())).T
    channel = channel_rng.choice(len(CHANNELS), len(customer), p=shares)
    campaigns = [f"campaign {number}" for number in range(1, people.end_day // CAMPAIGN_DAYS + 2)]
    return pd.DataFrame(
        {
            "customer_id": people.customer_id[customer],
            "date": people.date(day),
            "cost": np.round(costs[channel] * cost_rng.uniform(0.8, 1.2, len(customer)), 2),
            "channel": pd.Categorical.from_codes(channel, list(CHANNELS)),
            "campaign": pd.Categorical.from_codes(day // CAMPAIGN_DAYS, campaigns),
        }
    )
