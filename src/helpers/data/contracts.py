"""The tables a user brings. Adding a table is adding a contract; pandera holds the rows to it.

The kind of a column says how its values are read: "string" (an id: text or whole numbers), "label" (any text, number,
date or truth value, as text), "date", "float64", "weight" (a number above zero), "count" (a whole number from zero
up), "answer" (a number on a scale, or a gap) or "choice" (one of several worded answers, or a gap). What is required,
the meaning and the unit are what the messages, the checks and the documentation are made from.
Pandera itself is imported only where rows are checked: the command line needs the names alone, at once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandera.ibis as pandera


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    kind : str
        How its values are read.
    meaning, unit : str
        What stands in it.
    required : bool
        Whether the file must have it.
    remedy : str
        What to do about a file that has nothing of the kind, where mapping another name is not all.
    lowest, highest : float
        The scale of an answer.
    missing_codes : tuple of float or str
        What stands for "no answer", on top of an empty cell.
    scale_set_by : tuple of str
        The parameters that set the scale and, where there is a third, the missing codes: what a refusal points to.
    wordings : Mapping[str, float]
        How each answer of a choice is worded, as `helpers.data.cleaning.plain` writes it, to its number; NaN stands
        for "no answer".
    """

    kind: str
    meaning: str
    unit: str = ""
    required: bool = False
    remedy: str = ""
    lowest: float = -math.inf
    highest: float = math.inf
    missing_codes: tuple[float | str, ...] = ()
    scale_set_by: tuple[str, ...] = ("scale_min", "scale_max", "missing_codes")
    wordings: Mapping[str, float] = field(default_factory=dict)

    @property
    def filled(self) -> bool:
        """Tell whether each row must hold a value, where the column is there."""
        return self.kind == "weight" or (self.required and self.kind not in ("answer", "choice"))


@dataclass(frozen=True)
class Contract:
    """One table: what a row is, and its columns by name, the required ones first.

    Parameters
    ----------
    name, description : str
        How parameters call the table, and what a row is.
    columns : dict of str to Column
        By the contract's names.
    key : tuple of str
        The columns that tell rows apart, the `subject`'s id first: a row that repeats them is unusable. Empty where
        rows may be alike.
    subject : str
        Whom or what a row is about.
    counts : tuple of str
        Columns of which at least one must be above zero.
    """

    name: str
    description: str
    columns: dict[str, Column]
    key: tuple[str, ...] = ()
    subject: str = "row"
    counts: tuple[str, ...] = ()

    @property
    def required(self) -> list[str]:
        """Name the columns a file must have, in the contract's order."""
        return [name for name, column in self.columns.items() if column.required]

    def schema(self) -> pandera.DataFrameSchema:
        """Return the contract as pandera checks it."""
        import ibis.expr.datatypes as dt
        import pandera.ibis as pandera

        types = {"string": dt.String, "label": dt.String, "date": dt.Date}
        columns = {
            name: pandera.Column(
                types.get(column.kind, dt.Float64), required=column.required, nullable=not column.filled
            )
            for name, column in self.columns.items()
        }
        return pandera.DataFrameSchema(columns, description=self.description)


_IMPORTANCE_SCALE = ("importance_min", "importance_max")

_CONTRACTS = (
    Contract(
        "transactions",
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
    Contract(
        "marketing_touches",
        "One row for each time a customer was addressed at a cost.",
        {
            "customer_id": Column("string", "who was addressed", required=True),
            "date": Column("date", "the local day", "day", required=True),
            "cost": Column("float64", "what the touch cost; negative for a credit", "currency", required=True),
            "channel": Column("label", "through which medium"),
            "campaign": Column("label", "in which campaign"),
        },
    ),
    # The questionnaire's items, which differ from firm to firm, are added by `satisfaction_survey`.
    Contract(
        "satisfaction_survey",
        "One row for each respondent (of a wave), with one column for each item of the questionnaire.",
        {
            "respondent_id": Column(
                "string",
                "who answered",
                required=True,
                remedy="Where no column tells respondents apart, add one of row numbers.",
            ),
            "customer_id": Column("string", "the respondent's id among the customers"),
            "segment": Column("label", "what kind of respondent, such as a region"),
            "wave": Column("label", "in which round of the survey, such as a year"),
            "weight": Column("weight", "how many people the respondent stands for"),
        },
        key=("respondent_id", "wave"),
        subject="respondent",
    ),
    # How the answers are worded is added by `kano_survey`.
    Contract(
        "kano_survey",
        "One row for each respondent (of a wave) and requirement: Kano's pair of questions.",
        {
            "respondent_id": Column(
                "string",
                "who answered",
                required=True,
                remedy="Where no column tells respondents apart, add one of row numbers.",
            ),
            "requirement": Column(
                "label",
                "what was asked about",
                required=True,
                remedy="Where each requirement has columns of its own, say how they are named: "
                'wide="{requirement}_f {requirement}_d".',
            ),
            "functional": Column("choice", "the answer to: what if it is there?", "1 like to 5 dislike", required=True),
            "dysfunctional": Column(
                "choice", "the answer to: what if it is not there?", "1 like to 5 dislike", required=True
            ),
            "importance": Column("answer", "how important the respondent calls it", scale_set_by=_IMPORTANCE_SCALE),
            "segment": Column("label", "what kind of respondent, such as a region"),
            "wave": Column("label", "in which round of the survey, such as a year"),
            "customer_id": Column("string", "the respondent's id among the customers"),
        },
        key=("respondent_id", "requirement", "wave"),
        subject="respondent",
    ),
    Contract(
        "kano_counts",
        "One row for each requirement (of a segment): how many respondents fell in each class.",
        {
            "requirement": Column("label", "what was asked about", required=True),
            "A": Column("count", "for whom it is attractive", "respondents", required=True),
            "O": Column("count", "for whom it is one-dimensional", "respondents", required=True),
            "M": Column("count", "for whom it is a must-be", "respondents", required=True),
            "I": Column("count", "who are indifferent", "respondents", required=True),
            "R": Column("count", "who would rather be without it (reverse)", "respondents", required=True),
            "Q": Column("count", "whose two answers contradict each other", "respondents", required=True),
            "segment": Column("label", "what kind of respondent, such as a region"),
        },
        key=("requirement", "segment"),
        subject="requirement",
        counts=("A", "O", "M", "I", "R", "Q"),
    ),
)

TABLES = {contract.name: contract for contract in _CONTRACTS}

# Everything that an input parameter of a report can name: the tables, and the files that say how to read one.
INPUTS = (*TABLES, "satisfaction_model")


def satisfaction_survey(
    items: Sequence[str],
    labels: Mapping[str, str],
    lowest: float,
    highest: float,
    missing_codes: Sequence[float | str] = (),
) -> Contract:
    """Make the contract of a survey whose questionnaire has these items.

    Parameters
    ----------
    items : sequence of str
        The columns of answers, all required; gaps are allowed in them.
    labels : Mapping[str, str]
        What the items ask; an item without a label is its own.
    lowest, highest : float
        Ends of the answering scale.
    missing_codes : sequence of float or str
        Numbers and texts that stand for "no answer".
    """
    survey = TABLES["satisfaction_survey"]
    answers = {
        item: Column(
            "answer",
            labels.get(item, item),
            f"{lowest:g} to {highest:g}",
            required=True,
            lowest=lowest,
            highest=highest,
            missing_codes=tuple(missing_codes),
        )
        for item in items
    }
    return replace(survey, columns={**survey.columns, **answers})


def kano_survey(
    wordings: Mapping[str, float],
    importance: tuple[float, float],
    pairs: Mapping[str, Sequence[str]] | None = None,
) -> Contract:
    """Make the contract of a Kano survey whose answers are worded so.

    Parameters
    ----------
    wordings : Mapping[str, float]
        Each answer, as `helpers.data.cleaning.plain` writes it, to its position from 1 (like) to 5 (dislike); NaN for
        "no answer".
    importance : tuple of float
        Ends of the scale of importance.
    pairs : Mapping[str, sequence of str], optional
        For a file with one row for each respondent: the columns of each requirement's functional and dysfunctional
        answer and, where there is one, of its importance. Empty for the respondents' own columns alone.
    """
    survey = TABLES["kano_survey"]
    lowest, highest = importance
    asked = {name: survey.columns[name] for name in ("functional", "dysfunctional", "importance")}
    asked = {
        name: replace(column, wordings=wordings)
        if column.kind == "choice"
        else replace(column, unit=f"{lowest:g} to {highest:g}", lowest=lowest, highest=highest)
        for name, column in asked.items()
    }
    if pairs is None:
        return replace(survey, columns={**survey.columns, **asked})
    columns = {name: column for name, column in survey.columns.items() if name not in ("requirement", *asked)}
    for requirement, names in pairs.items():
        for name, column in zip(names, asked.values(), strict=False):
            columns[name] = replace(column, meaning=f"{requirement}: {column.meaning}", required=True)
    return replace(survey, columns=columns, key=("respondent_id", "wave"))
