"""The tables of the Kano report: classes, what lies behind them, people, decisions, and how far to trust them."""

from __future__ import annotations

from helpers.exhibits import Table

from ..measurement import Measurement
from . import classes, decisions, meaning, people, pooled, trust

__all__ = ["classes", "decisions", "meaning", "people", "tables", "trust"]


def tables(result: Measurement) -> list[Table]:
    """Return every table of the report."""
    differences = people.differences(result)
    hidden = pooled.pooled(result, differences.frame)
    every = classes.requirements_frame(result, hidden)
    return [
        classes.requirements(result, every),
        classes.shares(result, every),
        classes.rules_compared(result, every),
        trust.data_accounting(result),
        trust.quality(result),
        meaning.scores(result),
        meaning.analytical(result),
        meaning.stated_and_derived(result),
        meaning.asymmetry(result),
        people.segments(result, every),
        differences,
        people.homogeneity(result),
        people.latent_classes(result),
        people.numbers_of_classes(result),
        trust.sample_sizes(result),
        trust.false_alarms(result),
        decisions.choice(result),
        decisions.offers(result),
        decisions.priorities(result, hidden),
        decisions.priors(result),
    ]
