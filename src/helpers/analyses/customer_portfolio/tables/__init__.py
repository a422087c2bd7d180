"""The tables of the portfolio report, but for the headlines and the ledger of claims."""

from __future__ import annotations

from helpers.exhibits import Table

from ..measurement import Measurement
from . import (
    actions,
    churn,
    classes,
    commercial,
    equity,
    inputs,
    lenses,
    levels,
    preferences,
    rfm,
    satisfaction,
    stages,
    tiers,
)

PARTS = (
    classes,
    tiers,
    equity,
    rfm,
    preferences,
    lenses,
    stages,
    churn,
    levels,
    commercial,
    satisfaction,
    actions,
    inputs,
)


def tables(result: Measurement) -> list[Table]:
    """Return every table of the report but the ledger of claims."""
    return [table for part in PARTS for table in part.tables(result)]
