"""The tables of the satisfaction-index report: respondents, levels, causes, loyalty, ratings and the annex."""

from __future__ import annotations

from helpers.exhibits import Table

from ..measurement import Measurement
from . import annex, causes, covariance, levels, loyalty, ratings, respondents

__all__ = ["annex", "causes", "covariance", "levels", "loyalty", "ratings", "respondents", "tables"]


def tables(result: Measurement) -> list[Table]:
    """Return every table of the report."""
    index = levels.index_frame(result)
    return [
        respondents.data_accounting(result),
        respondents.items(result),
        respondents.model(result),
        levels.index(result, index),
        levels.groups(result, index),
        levels.differences(result),
        causes.importance_performance(result),
        causes.paths(result),
        causes.item_levers(result),
        causes.drivers(result),
        causes.penalty_reward(result),
        loyalty.curve(result),
        loyalty.loyalty_quadrants(result),
        ratings.ratings(result),
        ratings.gaps(result),
        annex.predictions(result),
        annex.admissibility(result),
        annex.reliability_of_constructs(result),
        annex.loadings(result),
        annex.cross_loadings(result),
        annex.discriminant_validity(result),
        annex.fit(result),
        *covariance.covariance_tables(result),
    ]
