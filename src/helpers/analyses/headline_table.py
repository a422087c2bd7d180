"""The headline numbers of any topic as a table."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from helpers.exhibits import Column, Headline, Table


def headline_table(numbers: Iterable[Headline]) -> Table:
    """Return the headline numbers with their intervals."""
    frame = pd.DataFrame([{"name": headline.name} | headline.record() for headline in numbers])
    columns = {"text": Column("Headline number"), "value": Column("Value", digits=4), "low": Column("Low", digits=4)}
    columns |= {"high": Column("High", digits=4), "unit": Column("Unit")}
    return Table("headlines", frame, "Headline numbers; low and high are the ends of 95 % intervals.", columns)
