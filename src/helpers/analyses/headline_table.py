"""The headline numbers of any topic as a table, and the result of an analysis shown as them."""

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


class ShownAsHeadlines:
    """Shows a result by its headline numbers: as a table in JupyterLab, as text elsewhere."""

    tables: dict[str, Table]

    def _repr_html_(self) -> str:
        return self.tables["headlines"]._repr_html_()

    def __repr__(self) -> str:
        """Return the headline numbers as text."""
        return repr(self.tables["headlines"])
