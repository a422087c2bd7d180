"""How far the ways of looking at customers agree, and when sales and profit part."""

from __future__ import annotations

from helpers.exhibits import Table

from ..measurement import Measurement


def tables(result: Measurement) -> list[Table]:
    """Return the tables of this part of the report."""
    return []
