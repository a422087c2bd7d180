"""The tables a user brings. Adding a table is adding a contract; `helpers.data.cleaning` holds the rows to it.

The kind of a column says how its values are read: "string" (an id: text or whole numbers), "label" (any text, number,
date or truth value, as text), "date", "float64", "nonnegative" (a number from zero up), "weight" (a number above zero),
"share" (a number from 0 to 1, or true or false), "count" (a whole number from zero up), "answer" (a number on a scale,
or a gap), "choice" (one of several worded answers, or a gap) or "code" (one of several codes, read as what it stands
for). What is required, the meaning and the unit are what the messages, the checks and the documentation are made from.
The engine's types are imported only where rows are checked: the command line needs the names alone, at once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ibis.expr.datatypes as dt


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
    wordings : Mapping[str, float] or Mapping[str, str]
        How each answer of a choice is worded, as `helpers.data.cleaning.plain` writes it, to its number, where NaN
        stands for "no answer"; or each code to what it stands for.
    mapped_by : str
        The parameter that says what other codes stand for: what a refusal points to.
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
    wordings: Mapping[str, float] | Mapping[str, str] = field(default_factory=dict)
    mapped_by: str = ""

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
    span : tuple of str
        Two columns of dates, the later one second: a row where they are the other way round is unusable.
    occasion : tuple of str
        Columns that tell one occasion from another, such as a customer and a day: most occasions have one row.
    in_order : bool
        Whether the order of the rows in the file is kept, which a key keeps too.
    columns_set_by : str
        The parameter that maps the file's column names: what a refusal points to.
    keeps_unreadable : bool
        Whether, where bad rows are left out, a value that need not be there and cannot be read counts as not known
        instead, and its row stays; likewise a code that is missing or unknown.
    """

    name: str
    description: str
    columns: dict[str, Column]
    key: tuple[str, ...] = ()
    subject: str = "row"
    counts: tuple[str, ...] = ()
    span: tuple[str, ...] = ()
    occasion: tuple[str, ...] = ()
    in_order: bool = False
    columns_set_by: str = "columns"
    keeps_unreadable: bool = False

    @property
    def required(self) -> list[str]:
        """Name the columns a file must have, in the contract's order."""
        return [name for name, column in self.columns.items() if column.required]

    def keeps(self, column: Column) -> bool:
        """Tell whether a row of which this column cannot be read may stay."""
        return self.keeps_unreadable and (column.kind == "code" or not column.required)

    def types(self) -> dict[str, dt.DataType]:
        """Return the type of each column once it is read."""
        import ibis.expr.datatypes as dt

        types = {"string": dt.string, "label": dt.string, "code": dt.string, "date": dt.date}
        return {name: types.get(column.kind, dt.float64) for name, column in self.columns.items()}


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
        occasion=("customer_id", "date"),
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
        columns_set_by="marketing_touches_columns",
    ),
    Contract(
        "referrals",
        "One row for each time a customer brought another one.",
        {
            "referrer_id": Column("string", "who brought", required=True),
            "referee_id": Column("string", "who was brought", required=True),
            "date": Column("date", "the local day on which the referral was made", "day", required=True),
            "incentive_cost": Column("nonnegative", "what was paid for the referral, to both", "currency"),
            "acquisition_cost": Column("nonnegative", "what it would have cost to acquire the referee", "currency"),
            "would_have_joined": Column(
                "share", "whether the referee would have joined anyway: true, false or how probable that is"
            ),
        },
        subject="referral",
        in_order=True,
        columns_set_by="referrals_columns",
        keeps_unreadable=True,
    ),
    Contract(
        "service_contacts",
        "One row for each time a customer turned to the firm's service.",
        {
            "customer_id": Column("string", "who asked for help", required=True),
            "date": Column("date", "the local day", "day", required=True),
            "cost": Column("nonnegative", "what answering cost", "currency"),
            "kind": Column("label", "what it was about, such as a complaint"),
            "resolved": Column("share", "whether the matter was settled: true, false or how far"),
        },
        columns_set_by="service_contacts_columns",
    ),
    Contract(
        "contracts",
        "One row for each contract, from its start through all its renewals.",
        {
            "customer_id": Column("string", "who signed", required=True),
            "start": Column("date", "the first day of the first term", "day", required=True),
            "renewals": Column("count", "how many times it was renewed so far", "renewals", required=True),
            "end": Column("date", "the day on which it ran out; empty while it runs", "day"),
            "price": Column("nonnegative", "what one term costs", "currency"),
        },
        span=("start", "end"),
        columns_set_by="contracts_columns",
    ),
    Contract(
        "exits",
        "One row for each time a customer left.",
        {
            "customer_id": Column("string", "who left", required=True),
            "date": Column("date", "the last day as a customer", "day", required=True),
            "cause": Column(
                "label", "why, such as given_up (by the firm), left (unprompted), poached or forced", required=True
            ),
        },
        key=("customer_id", "date"),
        subject="customer",
        columns_set_by="exits_columns",
    ),
    Contract(
        "receivables",
        "One row for each amount that a customer owed.",
        {
            "customer_id": Column("string", "who owed", required=True),
            "date": Column("date", "the day on which it was due", "day", required=True),
            "amount_due": Column("float64", "what was owed; negative for a credit note", "currency", required=True),
            "amount_paid": Column("float64", "what of it has been paid to date", "currency"),
        },
        columns_set_by="receivables_columns",
    ),
    Contract(
        "market_spend",
        "One row for each period (and channel): what was spent on new and on old customers, and how many there were.",
        {
            "period": Column("label", "the month, quarter or year, written so that it sorts", required=True),
            "acquisition_spend": Column("nonnegative", "what was spent on new customers", "currency", required=True),
            "retention_spend": Column("nonnegative", "what was spent on keeping customers", "currency", required=True),
            "new_customers": Column("count", "who came in the period", "customers", required=True),
            "retained_customers": Column(
                "count", "who had come before and were still there at its end", "customers", required=True
            ),
            "channel": Column("label", "the channel by which these customers came"),
        },
        key=("period", "channel"),
        subject="period",
        columns_set_by="market_spend_columns",
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


def exits(causes: Mapping[str, str]) -> Contract:
    """Make the contract of exits whose causes are coded so.

    Parameters
    ----------
    causes : Mapping[str, str]
        Each code, as `helpers.data.cleaning.plain` writes it, to the cause it stands for.
    """
    table = TABLES["exits"]
    cause = replace(table.columns["cause"], kind="code", wordings=causes, mapped_by="causes")
    return replace(table, columns={**table.columns, "cause": cause}, keeps_unreadable=True)
