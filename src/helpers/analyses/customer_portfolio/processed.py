"""One line for each customer: what they are, what they are worth, what to do next and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.models.customer_portfolio.stages import STAGES
from helpers.models.customer_portfolio.tiers import TIERS

from ..lifetime_value.expectation import bounds
from . import actions
from .names import CAUSE_NAMES, CLASSES, STAGE_NAMES, TIER_NAMES

if TYPE_CHECKING:
    from .measurement import Measurement

BANDS = 11  # of P(alive), by tens of per cent
CLASS_REASONS = {
    "platinum": "earns much now, little ahead",
    "gold": "earns much now and ahead",
    "iron": "earns little now, much ahead",
    "lead": "earns little now and ahead",
}


def customer_table(result: Measurement) -> pd.DataFrame:
    """Return customer_id, class, tier, stage, value, low, high, next_action, why of each customer.

    Parameters
    ----------
    result : Measurement

    Returns
    -------
    pandas.DataFrame
        value is lifetime value, margin so far and expected less what the customer has cost and will cost, with the
        ends of its 95 % interval (nan without draws); class, tier and stage are those of names.py.
    """
    now = result.now
    low, high = bounds(now.expectation.draws)
    past, factor = now.sum_of("margin") - now.cost_to_serve, now.margin_rate * now.known_of_exits
    ends = np.sort([past + factor * low, past + factor * high], axis=0)
    return pd.DataFrame(
        {
            "customer_id": result.customer_id,
            "class": _named(result.classes, (*CLASSES, "ended")),
            "tier": _named(result.tiers, TIERS),
            "stage": _named(result.stages, STAGES),
            "value": now.value,
            "low": ends[0],
            "high": ends[1],
            "next_action": _named(result.actions, actions.ACTIONS),
            "why": why(result),
        }
    )


def why(result: Measurement) -> np.ndarray:
    """Return the reasons of each customer's next action, in words."""
    alive = result.now.probability_alive
    # who left is no customer; of who bought once the model may be certain without having seen anything
    untold = np.isnan(alive) | result.now.ended | (result.now.expectation.probability_alive == 1)
    band = np.where(untold, BANDS, np.rint(np.nan_to_num(alive) * (BANDS - 1)))
    told = [f"still a customer with a probability of about {10 * tenth} %" for tenth in range(BANDS)]
    cause, causes = pd.factorize(result.exit_cause, sort=True)
    decision = np.zeros(len(result), int)
    decision[result.within_reach] = np.where(result.decision.reinvest, 1, 2)
    return actions.reasons(
        [
            (result.classes, [*(CLASS_REASONS[name] for name in CLASSES), ""]),
            (result.tiers, [TIER_NAMES[name] for name in TIERS]),
            (result.stages, [STAGE_NAMES[name] for name in STAGES]),
            (cause, [CAUSE_NAMES[name] if name else "" for name in causes]),
            (band.astype(int), [*told, ""]),
            (
                decision,
                ["", "investing once more is expected to pay", "investing once more would cost more than it brings"],
            ),
        ]
    )


def _named(places: np.ndarray, names) -> np.ndarray:
    return np.array(names, dtype=object)[places]
