"""The tables of the referral-value report: both values, classes, the road map, claims, and what went in."""

from __future__ import annotations

from helpers.exhibits import Table

from ..measurement import Measurement
from . import classes, inputs, road_map, types, values

__all__ = ["classes", "inputs", "road_map", "tables", "types", "values"]


def tables(result: Measurement) -> list[Table]:
    """Return every table of the report but the ledger of claims."""
    return [
        classes.classes(result),
        classes.class_stability(result),
        classes.moved_cuts(result),
        values.referral_parts(result),
        values.firm_total(result),
        values.value_by_decile(result),
        values.type_sensitivity(result),
        values.overlap(result),
        values.generations(result),
        road_map.road_map(result),
        road_map.campaign(result),
        road_map.migration(result),
        types.type_scores(result),
        types.type_model(result),
        inputs.assumptions(result),
        inputs.data_accounting(result),
        inputs.referral_accounting(result),
        inputs.marketing_accounting(result),
    ]
