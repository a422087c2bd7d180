"""Commercial value and its weights."""

from __future__ import annotations

from helpers.exhibits import Table

from ..measurement import Measurement


def tables(result: Measurement) -> list[Table]:
    """Return the tables of this part of the report."""
    return []
