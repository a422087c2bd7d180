"""What to do with each customer next, and why: one documented rule over class, tier, stage and expected gain."""

from __future__ import annotations

import numpy as np

# Of several that apply the first counts; docs/customer_portfolio.md has the rule with its sources.
ACTIONS = (
    "none",
    "win_back",
    "reprice",
    "reinvest",
    "let_go",
    "keep",
    "protect",
    "develop",
    "explore",
    "serve_at_low_cost",
)
MEANING = {
    "none": "nothing: the relationship has ended",
    "win_back": "ask what would bring the customer back",
    "reprice": "earn more or serve for less: the customer costs more than is to be gained",
    "reinvest": "invest once more in a relationship that fades",
    "let_go": "stop investing: to win the customer back would cost more than it brings",
    "keep": "invest in the relationship before all others",
    "protect": "protect what comes in now, and look for what else the customer might need",
    "develop": "invest in growth: there is more to come than has come",
    "explore": "ask what the customer needs: little is known yet",
    "serve_at_low_cost": "serve at low cost",
}
VERBS = {
    "none": "leave",
    "win_back": "win back",
    "reprice": "reprice or serve for less",
    "reinvest": "invest in once more",
    "let_go": "let go",
    "keep": "keep before all others",
    "protect": "protect",
    "develop": "develop",
    "explore": "explore",
    "serve_at_low_cost": "serve at low cost",
}


def next_actions(stage, stages, below_zero, classes, class_names, reinvest) -> np.ndarray:
    """Return the next action of each customer, places in `ACTIONS`.

    Parameters
    ----------
    stage : ndarray of int, shape (customers,)
        Places in `stages`.
    stages, class_names : sequence of str
        What the places mean.
    below_zero : ndarray of bool, shape (customers,)
        Whether the customer is in the tier below zero.
    classes : ndarray of int, shape (customers,)
        Places in `class_names`.
    reinvest : ndarray of bool, shape (customers,)
        Whether investing once more is expected to pay: in a relationship that fades, or to bring back who left.
    """
    at = {name: stage == place for place, name in enumerate(stages)}
    of = {name: classes == place for place, name in enumerate(class_names)}
    lost = at["ended"]
    chosen = [
        (lost & reinvest, "win_back"),
        (lost, "none"),
        (at["decline"] & reinvest, "reinvest"),
        (at["decline"], "let_go"),
        (below_zero, "reprice"),
        (at["exploration"], "explore"),
        (of["gold"], "keep"),
        (of["platinum"], "protect"),
        (of["iron"], "develop"),
    ]
    conditions = [condition for condition, _ in chosen]
    return np.select(conditions, [ACTIONS.index(name) for _, name in chosen], ACTIONS.index("serve_at_low_cost"))


def reasons(parts: list[tuple[np.ndarray, list[str]]]) -> np.ndarray:
    """Return why, in words, for each customer.

    Parameters
    ----------
    parts : list of (ndarray of int, list of str)
        What is said of each customer: places in a list of phrases; an empty phrase is left out.

    Returns
    -------
    ndarray of str, shape (customers,)
        Each combination of phrases is put into words once, however many customers share it.
    """
    sizes = [len(phrases) for _, phrases in parts]
    cell = np.ravel_multi_index([np.asarray(places, int) for places, _ in parts], sizes)
    found, back = np.unique(cell, return_inverse=True)
    told = np.array(
        [
            "; ".join(phrases[place] for (_, phrases), place in zip(parts, places, strict=True) if phrases[place])
            for places in zip(*np.unravel_index(found, sizes), strict=True)
        ],
        dtype=object,
    )
    return told[back]
