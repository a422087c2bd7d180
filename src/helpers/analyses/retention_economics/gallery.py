"""Every figure of the report on retention economics, from the frames of its tables."""

from __future__ import annotations

from collections.abc import Mapping

from helpers.exhibits import Figure, Table

from .measurement import Measurement


def gallery(result: Measurement, tables: Mapping[str, Table]) -> list[Figure]:
    """Return every figure of the report."""
    return []
