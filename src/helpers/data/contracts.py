"""The tables a user brings. Adding a table is adding a contract; pandera holds the rows to it.

The kind of a column says how its values are read: "string" (an id: text or whole numbers), "label" (any text, number,
date or truth value, as text), "date" or "float64". What is required, the meaning and the unit are what the messages,
the checks and the documentation are made from. Pandera itself is imported only where rows are checked: the command
line needs the names alone, at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandera.ibis as pandera


@dataclass(frozen=True)
class Column:
    """One column of a table: its kind, meaning, unit, and whether it must be there."""

    kind: str
    meaning: str
    unit: str = ""
    required: bool = False


@dataclass(frozen=True)
class Contract:
    """One table: what a row is, and its columns by name, the required ones first."""

    description: str
    columns: dict[str, Column]

    def schema(self) -> pandera.DataFrameSchema:
        """Return the contract as pandera checks it."""
        import ibis.expr.datatypes as dt
        import pandera.ibis as pandera

        types = {"string": dt.String, "label": dt.String, "date": dt.Date, "float64": dt.Float64}
        columns = {
            name: pandera.Column(types[column.kind], required=column.required, nullable=not column.required)
            for name, column in self.columns.items()
        }
        return pandera.DataFrameSchema(columns, description=self.description)


TABLES = {
    "transactions": Contract(
        "One row for each purchase, order line or refund.",
        {
            "customer_id": Column("string", "who bought", required=True),
            "date": Column("date", "the local day of the purchase", "day", required=True),
            "amount": Column("float64", "what was paid; negative for a refund", "currency", required=True),
            "order_id": Column("string", "the order; a whole row that repeats with it is a copy"),
            "product_id": Column("string", "what was bought"),
            "category": Column("label", "the product's category"),
            "quantity": Column("float64", "how many", "items"),
            "margin": Column("float64", "what remains of the amount after variable costs", "currency"),
            "segment": Column(
                "label", "what kind of customer, such as a region; the first that a customer's rows name counts"
            ),
        },
    ),
    "marketing_touches": Contract(
        "One row for each time a customer was addressed at a cost.",
        {
            "customer_id": Column("string", "who was addressed", required=True),
            "date": Column("date", "the local day", "day", required=True),
            "cost": Column("float64", "what the touch cost; negative for a credit", "currency", required=True),
            "channel": Column("label", "through which medium"),
            "campaign": Column("label", "in which campaign"),
        },
    ),
}


def required_columns(table: str) -> list[str]:
    """Name the columns a table must have, in the contract's order."""
    return [name for name, column in TABLES[table].columns.items() if column.required]


def kinds(table: str) -> dict[str, str]:
    """Give the kind of each column of a table: "string", "label", "date" or "float64"."""
    return {name: column.kind for name, column in TABLES[table].columns.items()}
