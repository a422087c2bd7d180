"""What to do next with how many customers, and by which rule."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Table
from helpers.models.customer_portfolio.pyramid import totals
from helpers.models.customer_portfolio.stages import STAGES
from helpers.models.customer_portfolio.tiers import BELOW_ZERO

from ..actions import ACTIONS, MEANING
from ..hidden import hidden_cells
from ..measurement import Measurement
from ..names import CLASSES

WHY = {
    "none": "has left otherwise: given up by the firm, had to go, cause not known, or asking is not expected to pay",
    "win_back": "has left of their own will or to a competitor; investing once more is expected to pay",
    "reprice": "still a customer, not in decline, in the tier below zero",
    "reinvest": "in decline; investing once more is expected to bring more than it costs",
    "let_go": "in decline; investing once more would cost more than it brings",
    "keep": "none of the above, not in exploration, and gold: high current and future value",
    "protect": "none of the above, not in exploration, and platinum: high current, low future value",
    "develop": "none of the above, not in exploration, and iron: low current, high future value",
    "explore": "in exploration, not in the tier below zero",
    "serve_at_low_cost": "none of the above, and lead: low current and future value",
}
# Together they are a stage, or those in whom the table of decline invests once more: their sums stand elsewhere.
SUMS = (("none", "win_back"), ("reinvest", "let_go"), ("win_back", "reinvest"))
OF_CLASS = {"keep": "gold", "protect": "platinum", "develop": "iron", "serve_at_low_cost": "lead"}


def tables(result: Measurement) -> list[Table]:
    """Return the table of next actions."""
    return [actions(result)]


def actions(result: Measurement) -> Table:
    """Customers and their value by next action."""
    found = totals(result.actions, len(ACTIONS), {"value": result.now.value})
    known = [[True] * len(ACTIONS), *([name in pair for name in ACTIONS] for pair in SUMS)]
    hidden = hidden_cells(found.customers, known, result.settings.min_cell, also=_few_are_left(result, found.customers))
    numbers = {"customers": found.customers, "share": found.share, "value": found.total["value"]}
    frame = pd.DataFrame(
        {"next_action": ACTIONS}
        | {name: np.where(hidden, np.nan, values) for name, values in numbers.items()}
        | {"why": [WHY[name] for name in ACTIONS]}
    )
    columns = {
        "next_action": Column("Next action", names=MEANING),
        "customers": Column("Customers", digits=0),
        "share": Column("Share of customers", digits=1, percent=True),
        "value": Column("Lifetime value", result.currency, 0),
        "why": Column("Chosen where the customer is"),
    }
    settings = result.settings
    caption = (
        f"The customers of {result.now.date}: of several rules that apply the first one counts. That investing once "
        f"more brings back {100 * settings.reinvest_response:g} % of those who are gone at {settings.reinvest_cost:g} "
        f"{result.currency} each is an assumption (reinvest_response, reinvest_cost). Not shown are actions for fewer "
        f"than {settings.min_cell} customers, and what would tell of them. Sums in {result.currency}, rounded. Counts "
        "and sums have no interval."
    )
    return Table("actions", frame, caption, columns)


def _few_are_left(result: Measurement, customers: np.ndarray) -> np.ndarray:
    """Tell which actions are for all but a few of a group whose size stands elsewhere: it would tell of those few.

    Groups are the classes, the tier below zero, the stage of exploration, and those who left and could have stayed.
    """
    ended, exploration = (result.stages == STAGES.index(name) for name in ("ended", "exploration"))
    whole = {name: (result.classes == CLASSES.index(one)).sum() for name, one in OF_CLASS.items()}
    whole["reprice"] = (result.tiers == BELOW_ZERO).sum()
    whole["explore"] = exploration.sum()
    whole["win_back"] = ended[result.within_reach].sum()
    rest = np.array([whole.get(name, size) - size for name, size in zip(ACTIONS, customers, strict=True)])
    return (rest > 0) & (rest < result.settings.min_cell)
