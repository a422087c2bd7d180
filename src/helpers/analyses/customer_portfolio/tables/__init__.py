"""The tables of the portfolio report."""

from __future__ import annotations

from helpers.exhibits import Table

from ..measurement import Measurement


def tables(result: Measurement) -> list[Table]:
    """Return every table of the report."""
    return []
