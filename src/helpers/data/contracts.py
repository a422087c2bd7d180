"""The tables a user brings: one pandera schema each. Adding a table is adding a schema.

The type of a column says how its values are read; `required`, `nullable`, `description` and the unit in
`metadata` are what the messages, the checks and the documentation are made from.
"""

import ibis.expr.datatypes as dt
import pandera.ibis as pandera


def _column(kind: type[dt.DataType], meaning: str, unit: str = "", *, required: bool = False) -> pandera.Column:
    return pandera.Column(kind, required=required, nullable=not required, description=meaning, metadata={"unit": unit})


TABLES = {
    "transactions": pandera.DataFrameSchema(
        {
            "customer_id": _column(dt.String, "who bought", required=True),
            "date": _column(dt.Date, "the local day of the purchase", "day", required=True),
            "amount": _column(dt.Float64, "what was paid; negative for a refund", "currency", required=True),
            "order_id": _column(dt.String, "the order; a whole row that repeats with it is a copy"),
            "product_id": _column(dt.String, "what was bought"),
            "category": _column(dt.String, "the product's category"),
            "quantity": _column(dt.Float64, "how many", "items"),
            "margin": _column(dt.Float64, "what remains of the amount after variable costs", "currency"),
        },
        name="transactions",
        description="One row for each purchase, order line or refund.",
    ),
    "marketing_touches": pandera.DataFrameSchema(
        {
            "customer_id": _column(dt.String, "who was addressed", required=True),
            "date": _column(dt.Date, "the local day", "day", required=True),
            "cost": _column(dt.Float64, "what the touch cost; negative for a credit", "currency", required=True),
            "channel": _column(dt.String, "through which medium"),
            "campaign": _column(dt.String, "in which campaign"),
        },
        name="marketing_touches",
        description="One row for each time a customer was addressed at a cost.",
    ),
}


def required_columns(table: str) -> list[str]:
    """Name the columns a table must have, in the contract's order."""
    return [name for name, column in TABLES[table].columns.items() if column.required]


def kinds(table: str) -> dict[str, str]:
    """Give the kind of each column of a table: "string", "date" or "float64"."""
    return {name: str(column.dtype) for name, column in TABLES[table].columns.items()}
