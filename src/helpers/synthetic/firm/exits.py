"""Who left the firm, and why."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from .choice import chosen
from .people import People

# The four causes of the sources: the firm gave the customer up; the customer left; a competitor won the customer over;
# the customer had to leave. With the share of each where no link is at work.
CAUSES = {"given_up": 0.10, "left": 0.45, "poached": 0.30, "forced": 0.15}


def exits(
    people: People,
    rng: np.random.Generator,
    *,
    causes: Mapping[str, float] = CAUSES,
    satisfaction_to_poaching: float = 0.6,
) -> pd.DataFrame:
    """Give everyone who left a cause.

    Who leaves and when is the people's own. Of competing risks, the one that strikes is drawn in proportion to the
    hazards, so `causes` and the link part a customer's hazard of leaving and leave its sum as it is.

    Parameters
    ----------
    people : People
    rng : Generator
    causes : mapping of str to float
        Hazard of each cause of `CAUSES`, relative to each other; 0 for a cause that never strikes.
    satisfaction_to_poaching : float
        By how much the log of the hazard of being poached falls for one standard deviation of satisfaction.

    Returns
    -------
    DataFrame
        customer_id, date (the day of the last purchase), cause; in order of time.

    Raises
    ------
    ValueError
        A cause that does not exist, a negative hazard, no hazard at all.
    """
    if set(causes) - set(CAUSES) or min(causes.values(), default=0) < 0 or not sum(causes.values()) > 0:
        raise ValueError(f"causes must be hazards from 0 up of {', '.join(CAUSES)}, one of them above 0.")
    gone = np.flatnonzero(~people.alive)
    gone = gone[np.argsort(people.left[gone], kind="stable")]
    hazards = np.tile([float(causes.get(cause, 0)) for cause in CAUSES], (len(gone), 1))
    hazards[:, list(CAUSES).index("poached")] *= np.exp(-satisfaction_to_poaching * people.satisfaction[gone])
    return pd.DataFrame(
        {
            "customer_id": people.customer_id[gone],
            "date": people.date(people.left[gone]),
            "cause": pd.Categorical.from_codes(chosen(hazards, rng), list(CAUSES)),
        }
    )
