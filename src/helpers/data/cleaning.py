"""The contract check of every table: typed rows with an account of what was left out, or a refusal."""

import datetime
import difflib
import math
import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import duckdb
import ibis
import ibis.expr.datatypes as dt
import numpy as np
import pandas as pd

from helpers.data.contracts import Column, Contract
from helpers.data.engines import (
    connect,
    content_hash,
    date_in_format,
    engine_errors_refused,
    held,
    held_meanwhile,
    repeated,
)
from helpers.data.reading import Raw, read
from helpers.data.refusal import SHOWN_ROWS, InputRefused, Problem, folded, require_choice

BAD_ROWS = ("refuse", "exclude")
IDENTICAL_ROWS = ("keep", "exclude")
DECIMALS = (".", ",")
_ADVICE = 'Mend these rows, or set bad_rows="exclude" to leave them out; they are then counted in the report.'
_COMMAND_LINE = "A list is set at the command line in quotation marks: --set 'missing_codes=[99]'."

_TIME = r"([T ]+([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d([.,]\d+)?)?)"
_OFFSET = r"( ?(Z|[+-]\d{2}(:?\d{2})?))"
_DATE = r"^(\d{4}-\d{1,2}-\d{1,2}|\d{4}/\d{1,2}/\d{1,2})" + f"({_TIME}{_OFFSET}?)?$"
# What spreadsheets and other programs write for a missing id, in any case.
_NO_ID = ("", "null", "nan", "na", "n/a", "#n/a", "none")
_LONGEST_NO_ID = max(map(len, _NO_ID))
_WHITE_SPACE = " \t\r\n\f\v\u00a0\u3000"
_APOSTROPHES = "[\u2018\u2019\u02bc\u00b4`]"
_SPACES = f"[{_WHITE_SPACE}]+"
_SPACES_AT_ENDS = f"^[{_WHITE_SPACE}]+|[{_WHITE_SPACE}]+$"
_SPACE_AT_AN_END = f"^[{_WHITE_SPACE}]|[{_WHITE_SPACE}]$"
_WHOLE = r"^(\d+)[.,]0+$"
_TEXTS = ("string", "label")
_TRUE, _FALSE = ("true", "yes", "是"), ("false", "no", "否")
_EXPECTED = {
    "string": "text or whole numbers",
    "label": "text, numbers or dates",
    "choice": "answers",
    "code": "codes",
    "share": "numbers or truth values",
    "date": "dates",
}
_RULES = {
    "string": "is no id|are no ids",
    "label": "is no text|are no texts",
    "date": "is not a date|are not dates",
    "nonnegative": "is not a number from 0 up|are not numbers from 0 up",
    "share": "is neither a number from 0 to 1 nor true or false|are neither numbers from 0 to 1 nor true or false",
    "weight": "is not a number above 0|are not numbers above 0",
    "count": "is not a whole number from 0 up|are not whole numbers from 0 up",
    "choice": "is none of the answers|are none of the answers",
    "code": "is none of the codes|are none of the codes",
}
WORDINGS_EXAMPLE = (
    'wordings={"I like it": 1, "I expect it": 2, "I am neutral": 3, "I can tolerate it": 4, "I dislike it": 5}'
)
_POSITIONS = {1: "like", 2: "must-be", 3: "neutral", 4: "live with", 5: "dislike"}
_LONGEST_CODE = 30
_MARKS = ("has_offset", "is_identical", "is_shared")  # of rows
_LATE = "is dated after today|are dated after today"
_NUMBER_RULE = "is not a number|are not numbers"
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"


def _trimmed(text: ibis.Value) -> ibis.Value:
    """Take white space away at both ends; looking for it first is far faster, as texts seldom have any."""
    return ibis.ifelse(text.re_search(_SPACE_AT_AN_END), text.re_replace(_SPACES_AT_ENDS, ""), text)


@dataclass(frozen=True)
class CheckedRows:
    """Rows that fulfil their contract.

    Attributes
    ----------
    name : str
        How messages call the file.
    table : ibis Table
        The contract's columns, typed. A gap in answers is null where nothing stands and NaN where a declared code
        does. Where the contract has a key or keeps the order, also place, by which the file's order is restored; with a
        key also same_as, a number that rows have in common which are alike in all of the file but the subject's id.
        Where it has occasions, mostly is_shared: False for rows that are alone on theirs.
    native : ibis Table
        The same rows, with ids that the file holds as whole numbers left as such: the engine groups by numbers at half
        the cost. `text_ids` makes of them the ids of `table`, by which tables are joined.
    steps : list of tuple
        (step, rows, amount, reason): rows in the file, then what was left out as negative changes, and what
        was kept on purpose as changes of zero.
    inputs, notes : list
        Provenance and sentences for the report.
    currency : str or None
        Of the amounts, where it is known.
    """

    name: str
    table: ibis.Table
    native: ibis.Table
    steps: list[tuple[str, int, float, str]]
    inputs: list[dict]
    notes: list[str]
    currency: str | None


@dataclass(frozen=True)
class _Fault:
    """A way for a row to be unusable; `refused` where the user must say that such rows may be left out.

    Where it is `borne`, they may then stay: only the value is not known.
    """

    condition: ibis.expr.types.BooleanValue
    rule: str
    reason: str
    column: str = ""
    refused: bool = True
    borne: bool = False


@dataclass(frozen=True)
class _Seen:
    """What the one pass over a file has shown.

    `rows` says how the file is read, with all that a message may name, and is itself computed only where a message
    needs it; `staged` holds the values that are wanted, and for each row the position in `faults` of its first fault.
    `counts` has a line for each fault found and one (null) for the rows that have none.
    """

    raw: Raw
    contract: Contract
    rows: ibis.Table
    faults: list[_Fault]
    staged: ibis.Table
    counts: pd.DataFrame
    measure: str

    @property
    def may_be_refused(self) -> bool:
        """Tell whether any row has a fault for which a file is refused."""
        first = (self.faults[int(fault)] for fault in self.counts.fault.dropna())
        return any(fault.refused for fault in first) or bool(self.counts.filter(like="borne_").any(axis=None))

    def count(self, fault: int | None, column: str = "rows") -> int:
        """Add up a column of the counts over the rows with that first fault, or with none."""
        is_meant = self.counts.fault.isna() if fault is None else self.counts.fault == fault
        return int(self.counts[column][is_meant].sum())

    def usable(self, table: ibis.Table) -> ibis.Table:
        """Leave out the rows with a fault that stands in the way, of those that were found: most files have none."""
        if self.counts.fault.isna().all():
            return table
        if "fault" in table.columns:
            return table.filter(table.fault.isnull())
        return table.filter(~ibis.or_(*(self.faults[int(fault)].condition for fault in self.counts.fault.dropna())))


def check(
    source: str,
    contract: Contract,
    measure: str = "",
    *,
    columns: Mapping[str, str] | None = None,
    bad_rows: str = "refuse",
    identical_rows: str = "keep",
    date_format: str = "",
    decimal: str = ".",
    today: datetime.date | str | None = None,
    wanted: Sequence[str] | None = None,
    connection: ibis.BaseBackend | None = None,
) -> CheckedRows:
    """Read a source and hold it to its contract.

    White space around a text is no part of it. A text id (a column whose name ends in "_id") that is empty or one of
    the words "null", "nan", "na", "n/a", "#n/a" and "none", in any case, is missing; in other columns these words are
    values like any other.

    Parameters
    ----------
    source, columns, connection
        As in `helpers.data.reading.read`.
    contract : Contract
        The table it shall be.
    measure : str
        The column of money that the account adds up; "" where there is none. Amounts are NaN without it, also where
        it is optional and the file has none.
    bad_rows : {"refuse", "exclude"}
        What becomes of rows with missing ids, unreadable values, answers outside the scale, counts that are all zero,
        a span that ends before it starts or a wrong number of fields, and of those that repeat the contract's key. With
        a contract that keeps them, "exclude" leaves out only the unreadable value where it need not be there.
    identical_rows : {"keep", "exclude"}
        What becomes of a row that repeats an earlier one wholly. One with an order_id is a copy and always left out.
    date_format : str
        How text dates are written, in strptime's letters ("%d/%m/%Y"). "" reads YYYY-MM-DD (with or without a
        time and an offset), YYYY/MM/DD and YYYYMMDD. The local wall clock's date is kept.
    decimal : {".", ","}
        The decimal mark of numbers that are text.
    today : date or str, optional
        Rows dated later are impossible and left out. Default: the current date.
    wanted : sequence of str, optional
        The optional columns that the result shall have, where the file does; all are checked. Default: all.
    connection : ibis backend, optional
        The engine to use; a new one by default.

    Raises
    ------
    InputRefused
        With all problems of the file at once.
    """
    require_choice("bad_rows", bad_rows, BAD_ROWS)
    require_choice("identical_rows", identical_rows, IDENTICAL_ROWS)
    require_choice("decimal", decimal, DECIMALS)
    connection = connection or connect()
    _check_date_format(date_format)
    today = day(today, "today") if today else datetime.date.today()
    raw = read(source, contract, columns, connection)
    with engine_errors_refused(raw.name), ExitStack() as meanwhile:
        values, problems = _typed(raw, contract, decimal, date_format)
        rows = _interpreted(raw, values, contract, meanwhile)
        faults = _faults(rows, values, contract, identical_rows, today)
        kept = [name for name in values if wanted is None or name in wanted or contract.columns[name].required]
        measure = measure if measure in values else ""
        staged = _staged(rows, faults, [*kept, *({measure} - {"", *kept})])
        seen = _Seen(raw, contract, rows, faults, staged, _counts(staged, measure), measure)
        found = _bad_row_problems(seen, decimal) if bad_rows == "refuse" else []
        if problems or found:
            raise InputRefused(raw.name, folded([*problems, *found]), _advice(found))
        return _kept(seen, kept, today)


def _advice(found: list[Problem]) -> str:
    if not found:
        return ""
    declared = any("missing_codes" in problem.way_out for problem in found)
    return _ADVICE + (f" {_COMMAND_LINE}" if declared else "")


def day(value: datetime.date | str, parameter: str) -> datetime.date:
    """Read a parameter that is a day.

    Raises
    ------
    InputRefused
        If it is no date.
    """
    try:
        moment = datetime.datetime.fromisoformat(value) if isinstance(value, str) else value
        return datetime.date(moment.year, moment.month, moment.day)
    except (ValueError, TypeError, AttributeError):
        raise InputRefused(f"{parameter}={value!r}", [Problem("it must be a date, as in 1997-09-30")]) from None


def plain(text: str) -> str:
    """Write an answer as answers are compared: in lower case, single spaces, straight apostrophes, 2 for 2.0."""
    text = re.sub(_SPACES, " ", re.sub(_APOSTROPHES, "'", text.strip(_WHITE_SPACE).lower()))
    return re.sub(_WHOLE, r"\1", text)


def plain_answer(value: ibis.Value) -> ibis.Value:
    """Express the same in the engine."""
    text = _trimmed(_label(value)).lower().re_replace(_APOSTROPHES, "'").re_replace(_SPACES, " ")
    return ibis.ifelse(text.re_search(_WHOLE), text.re_extract(_WHOLE, 1), text)


def text_ids(table: ibis.Table) -> ibis.Table:
    """Write ids as text, whole numbers among them too: one file may hold as numbers what another holds as text."""
    numbers = [name for name, dtype in table.schema().items() if name.endswith("_id") and not dtype.is_string()]
    return table.mutate(**{name: table[name].cast("string") for name in numbers}) if numbers else table


def with_ids_like(customers: ibis.Table, ids: ibis.Value) -> ibis.Table:
    """Write the customers' ids, which are text, as a file's own: as numbers where the file holds whole numbers.

    Customers whose ids are not what a number is written as cannot stand in such a file, and are left out.

    Parameters
    ----------
    customers : ibis Table
        With customer_id, text.
    ids : ibis Value
        A column of `CheckedRows.native`.
    """
    if ids.type().is_string():
        return customers
    number = customers.customer_id.try_cast(ids.type())
    return customers.filter(number.cast("string") == customers.customer_id).mutate(customer_id=number)


def account(steps: list[tuple[str, int, float, str]]) -> pd.DataFrame:
    """Make the data-accounting table: each line but the last is a change, and they add up to the last."""
    return pd.DataFrame(steps, columns=["step", "rows", "amount", "reason"])


# --- from a file's values to the contract's types -------------------------------------------------------


def _typed(raw: Raw, contract: Contract, decimal: str, date_format: str) -> tuple[dict[str, ibis.Value], list[Problem]]:
    """Express the contract's columns, null where a value cannot be read; name those of an impossible type."""
    values, problems = {}, list(raw.problems)
    readers = {
        "string": lambda value, column: _identifier(value),
        "label": lambda value, column: _label(value),
        "date": lambda value, column: _date(value, date_format),
        "float64": lambda value, column: _number(value, decimal),
        "nonnegative": lambda value, column: _nonnegative(value, decimal),
        "weight": lambda value, column: _weight(value, decimal),
        "share": lambda value, column: _share(value, decimal),
        "count": lambda value, column: _count(value, decimal),
        "answer": lambda value, column: _answer(value, decimal, column),
        "choice": lambda value, column: _meaning(value, column).cast("float64"),
        "code": lambda value, column: _meaning(value, column).cast("string"),
    }
    for name, column in contract.columns.items():
        if name not in raw.columns:
            continue
        value = raw.table[raw.columns[name]]
        if _suits(value.type(), column.kind):
            read_value = readers[column.kind](value, column)
            is_text = column.kind in _TEXTS and not value.type().is_integer()
            values[name] = ibis.ifelse(_is_empty(value, column), None, read_value) if is_text else read_value
        else:
            rule = f"holds values of type {value.type()}, not {_EXPECTED.get(column.kind, 'numbers')}"
            problems.append(Problem(rule, column=name))
    return values, problems


def _suits(dtype: dt.DataType, kind: str) -> bool:
    if dtype.is_string() or dtype.is_null():
        return True
    if kind in ("label", "choice", "code"):
        return dtype.is_primitive() or dtype.is_decimal() or dtype.is_temporal() or dtype.is_uuid()
    if kind == "share" and dtype.is_boolean():
        return True
    if kind == "string":
        return (dtype.is_numeric() and not dtype.is_boolean()) or dtype.is_uuid()
    if kind == "date":
        return dtype.is_date() or dtype.is_timestamp() or dtype.is_integer()
    return dtype.is_numeric() and not dtype.is_boolean()


def _identifier(value: ibis.Value) -> ibis.Value:
    """Keep whole numbers, and text but for white space around it; what a column with gaps made 7.0 is 7."""
    if value.type().is_string():
        return _trimmed(value)
    if value.type().is_floating():
        # Floored, what is too large for a whole number would stop the engine.
        whole = value.try_cast("int64")
        return ibis.ifelse(value == whole, whole, None)
    return value if value.type().is_integer() else value.cast("string")


def _label(value: ibis.Value) -> ibis.Value:
    """Take any single value for a name; a column of 1, 2 and gaps, which holds 1.0, names 1."""
    if value.type().is_string():
        return _trimmed(value)
    return ibis.coalesce(_identifier(value).cast("string"), value.cast("string"))


def _date(value: ibis.Value, date_format: str) -> ibis.Value:
    if value.type().is_date():
        return value
    if value.type().is_timestamp():
        return value.date()
    text = value.cast("string").strip()
    if date_format:
        return date_in_format(text, date_format)
    dashed = ibis.ifelse(text.re_search(r"^\d{8}$"), text[:4] + "-" + text[4:6] + "-" + text[6:], text)
    return dashed.re_extract(_DATE, 1).replace("/", "-").try_cast("date")


def _number(value: ibis.Value, decimal: str) -> ibis.Value:
    """Read a finite number; the engine alone would take 'infinity' and 'nan' for numbers."""
    if value.type().is_string():
        text = value.strip()
        # With another decimal mark a point is no part of a number.
        text = text if decimal == "." else text.replace(".", "?").replace(decimal, ".")
        # What does not match is extracted as no text, which is no number.
        value = text.re_extract(_NUMBER, 0)
    if value.type().is_integer():
        return value.cast("float64")
    number = value.try_cast("float64")
    return number.nullif(math.inf).nullif(-math.inf).nullif(math.nan)


def _nonnegative(value: ibis.Value, decimal: str) -> ibis.Value:
    number = _number(value, decimal)
    return ibis.ifelse(number >= 0, number, None)


def _share(value: ibis.Value, decimal: str) -> ibis.Value:
    """Read a number from 0 to 1; a true statement is 1."""
    if value.type().is_boolean():
        return value.cast("float64")
    number = _number(value, decimal)
    share = ibis.ifelse(number.between(0, 1), number, None)
    if not value.type().is_string():
        return share
    word = _trimmed(value).lower()
    return ibis.cases((word.isin(_TRUE), 1.0), (word.isin(_FALSE), 0.0), else_=share)


def _weight(value: ibis.Value, decimal: str) -> ibis.Value:
    number = _number(value, decimal)
    return ibis.ifelse(number > 0, number, None)


def _count(value: ibis.Value, decimal: str) -> ibis.Value:
    number = _number(value, decimal)
    # As in `_identifier`.
    return ibis.ifelse((number >= 0) & (number == number.try_cast("int64")), number, None)


def _meaning(value: ibis.Value, column: Column) -> ibis.Value:
    """Read an answer or a code; there are few, and reading each of them once is far faster than that of each row."""
    label = _label(value).name("label")
    written = label.as_table().distinct().to_pandas().label.dropna()
    meanings = ((label == text, column.wordings[plain(text)]) for text in written if plain(text) in column.wordings)
    return ibis.cases((label.isnull(), None), *meanings)


def _answer(value: ibis.Value, decimal: str, column: Column) -> ibis.Value:
    """Read an answer, NaN where a declared code stands for none."""
    number = _number(value, decimal)
    if not column.missing_codes:
        return number
    declared = number.isin([code for code in column.missing_codes if not isinstance(code, str)])
    if value.type().is_string():
        texts = [code.strip().lower() for code in column.missing_codes if isinstance(code, str)]
        declared = declared.fill_null(False) | _trimmed(value).lower().isin(texts)
    return ibis.ifelse(declared.fill_null(False), math.nan, number)


def _check_date_format(date_format: object) -> None:
    """Refuse a format that is malformed or does not name a whole date, before it quietly means 1900-01-01."""
    if date_format == "":
        return
    sample = datetime.date(2001, 2, 3)
    problem = Problem(
        "it must name year, month and day in strptime's letters, without an offset",
        way_out="For 31/12/1997 it is '%d/%m/%Y'.",
    )
    try:
        if "%z" in date_format.lower():
            raise ValueError
        read_back = date_in_format(ibis.literal(sample.strftime(date_format)), date_format).to_pandas()
        if pd.Timestamp(read_back).date() != sample:
            raise ValueError
    except (duckdb.Error, ValueError, TypeError, AttributeError):
        raise InputRefused(f"date_format={date_format!r}", [problem]) from None


def _interpreted(raw: Raw, values: Mapping[str, ibis.Value], contract: Contract, meanwhile: ExitStack) -> ibis.Table:
    """Express the typed columns, for each whether a value is unreadable, and which rows repeat; nothing is read yet.

    What the engine holds for that is let go as `meanwhile` ends.
    """
    rows, columns = raw.table, {}
    # A questionnaire's items may bear any name, those of the columns below too.
    for name, value in values.items():
        columns[f"value_{name}"] = value
        columns[f"unreadable_{name}"] = _is_unreadable(raw.table[raw.columns[name]], value, contract.columns[name])
    if contract.key or contract.in_order:
        columns["place"] = ibis.row_number().over(order_by=["file", "row"])
    if contract.key:
        columns["same_as"] = _same_as(raw, contract)
        columns["is_repeated"] = _is_repeated(values, contract)
    columns["has_offset"] = _has_offset(raw, values)
    rows = rows.select("file", "row", **columns)
    # Rows with a key of their own are never wholly alike.
    occasion = [] if contract.key else _occasion(raw, values, contract)
    repeated = None if contract.key else _repeated_rows(raw, occasion, meanwhile)
    absent = {"is_identical": ibis.literal(False)} | ({"is_shared": ibis.literal(False)} if occasion else {})
    if repeated is None:
        return rows.mutate(**absent)
    joined = rows.left_join(repeated, _places(raw))
    found = {"is_identical": (repeated.earlier > 0).fill_null(False), "is_shared": repeated.earlier.notnull()}
    return joined.select(rows, **{name: found[name] for name in absent})


def _staged(rows: ibis.Table, faults: list[_Fault], wanted: Sequence[str]) -> ibis.Table:
    """Read the file once, into no more than is wanted of it."""
    columns = {f"borne_{index}": fault.condition for index, fault in enumerate(faults) if fault.borne}
    in_the_way = ((fault.condition, index) for index, fault in enumerate(faults) if not fault.borne)
    columns |= {name: rows[name] for name in ("place", "same_as") if name in rows.columns}
    values = (f"value_{name}" for name in wanted)
    # In the engine's memory a column of truths takes as much room as one of whole numbers: one holds them all.
    bits = {name: 2**position for position, name in enumerate(_MARKS) if name in rows.columns}
    marks = sum(ibis.ifelse(rows[name], bit, 0) for name, bit in bits.items()).cast("int8")
    table = held(rows.select(*values, fault=ibis.cases(*in_the_way).cast("int16"), marks=marks, **columns))
    return table.mutate(**{name: (table.marks & bit) != 0 for name, bit in bits.items()}).drop("marks")


def _counts(staged: ibis.Table, measure: str) -> pd.DataFrame:
    """Count the rows with each first fault, and what else there is to tell of them."""
    amount = staged[f"value_{measure}"].sum() if measure else ibis.literal(math.nan)
    marks = {name: staged[name].sum() for name in staged.columns if name.startswith(("borne_", "has_", "is_"))}
    counts = staged.group_by("fault").agg(rows=staged.count(), amount=amount, **marks)
    return counts.order_by("fault").to_pandas()


def _is_unreadable(found: ibis.Value, value: ibis.Value, column: Column) -> ibis.Value:
    dtype = found.type()
    is_always_read = dtype.is_temporal() if column.kind == "date" else dtype.is_string() or dtype.is_integer()
    if is_always_read and column.kind in (*_TEXTS, "date"):
        return ibis.literal(False)
    return value.isnull() & ~_is_empty(found, column)


def _places(raw: Raw) -> list[str]:
    """Name what tells rows apart: of one file the row alone, as its name would be compared for each row."""
    return ["file", "row"] if len(raw.inputs) > 1 else ["row"]


def _occasion(raw: Raw, values: Mapping[str, ibis.Value], contract: Contract) -> list[ibis.Value]:
    """Give what tells occasions apart; nothing where it would have to be read from text, which costs too much."""
    if not all(name in values and not raw.table[raw.columns[name]].type().is_string() for name in contract.occasion):
        return []
    return [values[name] for name in contract.occasion]


def _repeated_rows(raw: Raw, occasion: Sequence[ibis.Value], meanwhile: ExitStack) -> ibis.Table | None:
    """Count for each row of a shared occasion the earlier rows that are wholly alike; without occasions for some rows.

    Rows with the same hash are looked for first, as most files repeat nothing and all else is far dearer.
    """
    contents = occasion or [raw.table[name] for name in raw.contents]
    shared = _of_shared(raw.table, content_hash(contents), meanwhile)
    if shared is None:
        return None
    earlier = ibis.row_number().over(group_by=raw.contents, order_by=["file", "row"])
    if not occasion:
        return meanwhile.enter_context(held_meanwhile(shared.select(*_places(raw), earlier=earlier)))
    with held_meanwhile(shared.select("file", "row", *raw.contents)) as shared:
        places = shared.select(*_places(raw))
        alike = _of_shared(shared, content_hash([shared[name] for name in raw.contents]), meanwhile)
        if alike is None:
            return meanwhile.enter_context(held_meanwhile(places.mutate(earlier=0)))
        alike = alike.select(*_places(raw), earlier=earlier)
        joined = places.left_join(alike, _places(raw)).select(places, earlier=alike.earlier.fill_null(0))
        return meanwhile.enter_context(held_meanwhile(joined))


def _of_shared(table: ibis.Table, content: ibis.Value, meanwhile: ExitStack) -> ibis.Table | None:
    """Leave the rows whose content's hash another row has; None where there are none."""
    hashed = table.mutate(content=content)
    shared = meanwhile.enter_context(held_meanwhile(repeated(hashed.content)))
    return hashed.semi_join(shared, "content") if shared.count().to_pandas() else None


# --- faults ---------------------------------------------------------------------------------------------


def _faults(
    rows: ibis.Table,
    values: Mapping[str, ibis.Value],
    contract: Contract,
    identical_rows: str,
    today: datetime.date,
) -> list[_Fault]:
    """List what can be wrong with a row, in the order in which a row with several faults is counted."""
    copy_reason = f"the whole row repeats an earlier one{', order_id included' if 'order_id' in values else ''}"
    faults = [_Fault(_is_copy(rows, identical_rows), "", copy_reason, refused=False)]
    for name in values:
        column = contract.columns[name]
        unreadable = rows[f"unreadable_{name}"]
        borne = contract.keeps(column)
        if column.filled:
            empty = rows[f"value_{name}"].isnull() & ~unreadable
            faults.append(_Fault(empty, "is empty|are empty", f"{name} is empty", name, borne=borne))
        rule = _RULES.get(column.kind, _NUMBER_RULE)
        faults.append(_Fault(unreadable, rule, f"{name} {rule.partition('|')[0]}", name, borne=borne))
        if column.kind == "answer":
            faults.append(_outside(rows[f"value_{name}"], name, column))
    if contract.key:
        name, *within = [name for name in contract.key if name in values or name == contract.key[0]]
        what = contract.subject + (f" of the same {' and '.join(within)}" if within else "")
        faults.append(_Fault(rows.is_repeated, f"repeats a {what}|repeat a {what}", f"repeats a {what}", name))
    if contract.counts and all(name in values for name in contract.counts):
        total = sum(rows[f"value_{name}"] for name in contract.counts)
        rule = "counts nobody|count nobody"
        faults.append(_Fault((total == 0).fill_null(False), rule, "counts nobody", contract.key[0]))
    if contract.span and all(name in values for name in contract.span):
        first, last = contract.span
        is_reversed = (rows[f"value_{last}"] < rows[f"value_{first}"]).fill_null(False)
        rule = f"lies before its {first}|lie before their {first}"
        faults.append(_Fault(is_reversed, rule, f"{last} lies before {first}", last))
    if "date" in values:
        late = (rows.value_date > today).fill_null(False)
        faults.append(_Fault(late, _LATE, f"dated after {today}, which is impossible", refused=False))
    return faults


def _outside(answer: ibis.Value, name: str, column: Column) -> _Fault:
    # The engine orders NaN, a declared gap, above all numbers.
    outside = ((answer < column.lowest) | ((answer > column.highest) & ~answer.isnan())).fill_null(False)
    scale = f"outside the scale of {column.lowest:g} to {column.highest:g}"
    return _Fault(outside, f"is {scale}|are {scale}", f"{name} is {scale}", name)


def _is_empty(value: ibis.Value, column: Column) -> ibis.Value:
    if value.type().is_string():
        text = _trimmed(value)
        if column.kind != "string":
            return (text == "").fill_null(True)
        # Compared one by one, and only what is short: the engine makes a join of a list, even where nobody asks.
        is_word = ibis.or_(*(text.lower() == word for word in _NO_ID))
        return value.isnull() | ibis.ifelse(text.length() <= _LONGEST_NO_ID, is_word, False)
    if value.type().is_floating():
        return value.isnull() | value.isnan().fill_null(False)
    return value.isnull()


def _bad_row_problems(seen: _Seen, decimal: str) -> list[Problem]:
    problems, raw = [], seen.raw
    if raw.misfits:
        rows = [str(row) for row in raw.misfits[:SHOWN_ROWS]]
        rule = "has a wrong number of fields|have a wrong number of fields"
        way_out = "A value that holds the delimiter must stand in quotation marks."
        problems.append(Problem(rule, count=len(raw.misfits), rows=rows, way_out=way_out))
    if not seen.may_be_refused:
        return problems
    # A row may have several faults, and all are told.
    refused = [fault for fault in seen.faults if fault.refused]
    counts = seen.rows.aggregate(**{f"fault_{i}": fault.condition.sum() for i, fault in enumerate(refused)})
    for fault, count in zip(refused, counts.to_pandas().iloc[0], strict=True):
        if count > 0:
            column = seen.contract.columns[fault.column]
            problems.append(_described(raw, seen.rows, fault, int(count), column, decimal))
    return problems


def _described(raw: Raw, rows: ibis.Table, fault: _Fault, count: int, column: Column, decimal: str) -> Problem:
    shown = rows.filter(fault.condition).select("file", "row").order_by("file", "row").limit(SHOWN_ROWS)
    shown = shown.to_pandas()
    first = (raw.table.file == shown.file.iloc[0]) & (raw.table.row == int(shown.row.iloc[0]))
    found = raw.table[raw.columns[fault.column]]
    value = raw.table.filter(first).select(value=found.cast("string")).to_pandas().value.iloc[0]
    if found.type().is_floating() and not pd.isna(value):
        value = str(float(value))  # each engine has its own words for infinity
    # Refusals are passed on to others, whom it does not concern who the customers are.
    value = None if column.kind == "string" or pd.isna(value) or not value.strip() else value
    if "scale" in fault.rule:
        way_out = _beyond_scale(rows, fault, count, column)
    elif "codes" in fault.rule:
        way_out = _other_codes(raw.table[raw.columns[fault.column]], column)
    else:
        way_out = _way_out(value or "", fault.rule, column, decimal)
    return Problem(fault.rule, fault.column, count, _row_labels(shown), value, way_out)


def _row_labels(shown: pd.DataFrame) -> list[str]:
    return [f"{file}:{row}" if file else str(row) for file, row in zip(shown.file, shown.row, strict=True)]


def _way_out(value: str, rule: str, column: Column, decimal: str) -> str:
    if "not a date" in rule:
        parts = re.match(r"\s*\d{1,2}([/.-])\d{1,2}[/.-](\d{4}|\d{2})\b", value)
        if not parts:
            return "Dates are read as YYYY-MM-DD; another way of writing them is named by date_format."
        mark, year = parts[1], "%Y" if len(parts[2]) == 4 else "%y"
        day_first, month_first = f"%d{mark}%m{mark}{year}", f"%m{mark}%d{mark}{year}"
        return f"Set date_format='{day_first}' if the day comes first, '{month_first}' if the month does."
    if column.kind == "choice":
        return _which_answers(value, column)
    if column.kind == "count":
        return f"How many {column.unit} is wanted, not a share or a percentage." if "number" in rule else ""
    if "number" in rule and re.fullmatch(r"\s*[+-]?\d+[.,]\d+\s*", value):
        return "Decimal commas: set decimal=','." if decimal == "." else "Decimal points: set decimal='.'."
    if "number" in rule and re.search(r"\d,\d", value):
        return "Numbers are written without thousands separators."
    if column.kind == "share":
        return "A share is wanted, not a percentage: half is 0.5."
    if column.kind == "answer":
        codes = column.scale_set_by[2:]
        # The text is not repeated: it may be about a person.
        declared = f'A text that stands for no answer is declared: {codes[0]}=["do not know"].' if codes else ""
        return declared or "Where there is no answer the cell is left empty."
    return ""


def _which_answers(value: str, column: Column) -> str:
    """Name the answer that was meant, or all there are; the value itself may be about a person."""
    missing = [f"{place} ({word})" for place, word in _POSITIONS.items() if place not in column.wordings.values()]
    if missing:
        return f"Name all five answers in wordings; missing: {', '.join(missing)}."
    near = difflib.get_close_matches(plain(value), column.wordings, n=1, cutoff=0.75)
    if near:
        return f"Is it {near[0]!r}?"
    known = f"The answers are: {', '.join(column.wordings)}."
    if all(wording.isdigit() for wording in column.wordings):
        rule = "There are five positions, from 1 (like) to 5 (dislike)"
        return f"{known} {rule}: a scale of more or fewer points must be mapped to them by wordings."
    return f"{known} Others are mapped to the five positions, all of them named: {WORDINGS_EXAMPLE}."


def _other_codes(found: ibis.Value, column: Column) -> str:
    """Say how to explain the codes that are not known; many or long ones are texts, which may be about a person."""
    codes = found.as_table().select(code=plain_answer(found)).distinct().filter(ibis._.code != "")
    other = codes.filter(codes.code.notin(list(column.wordings))).order_by("code").limit(SHOWN_ROWS + 1)
    other = other.to_pandas().code.tolist()
    is_named = len(other) <= SHOWN_ROWS and max(map(len, other)) <= _LONGEST_CODE
    named = f"Not known: {', '.join(map(repr, other))}. " if is_named else ""
    meanings = list(dict.fromkeys(column.wordings.values()))
    example = f'{column.mapped_by}={{"{other[0] if is_named else "moved"}": "{meanings[-1]}"}}'
    return f"{named}Say which of {', '.join(meanings)} it stands for: {example}."


def _beyond_scale(rows: ibis.Table, fault: _Fault, count: int, column: Column) -> str:
    """Say what answers outside the scale call for.

    Many of them, or several values, come from another scale: declared as missing, its highest answers would be lost.
    """
    lowest, highest, *codes = column.scale_set_by
    answer = rows[f"value_{fault.column}"]
    if not codes:
        seen = rows.aggregate(low=answer.min(), high=answer.max()).to_pandas().iloc[0]
        ends = f"{lowest}={min(seen.low, column.lowest):g} and {highest}={max(seen.high, column.highest):g}"
        return f"If the questionnaire's scale is another, set {ends} (the ends of what is found), or beyond."
    another = f"f the questionnaire's scale is another, set {lowest} and {highest}"
    facts = rows.aggregate(
        answered=(answer.notnull() & ~answer.isnan()).sum(),
        lowest=answer.min(where=fault.condition),
        highest=answer.max(where=fault.condition),
    )
    facts = facts.to_pandas().iloc[0]
    if facts.lowest < facts.highest or count > facts.answered / 10 or not _is_code(facts.lowest):
        return f"I{another}; only a code for no answer, such as 99, is declared: {codes[0]}=[99]."
    return f"If it stands for no answer, declare it: {codes[0]}=[{facts.lowest:g}]; i{another}."


def _is_code(number: float) -> bool:
    return number.is_integer() and abs(number) < 10_000


# --- what is kept ---------------------------------------------------------------------------------------


def _kept(seen: _Seen, kept: Sequence[str], today: datetime.date) -> CheckedRows:
    raw, contract = seen.raw, seen.contract
    steps = _steps(seen)
    if not seen.count(None):
        left_out = "; ".join(f"{reason}: {-rows:,}" for _, rows, _, reason in steps[1:])
        raise InputRefused(raw.name, [Problem(f"no row remains that can be used ({left_out})")])
    steps += [*_identical(seen.count(None, "is_identical")), *_not_known(seen)]
    names = {name: f"value_{name}" for name in contract.columns if name in kept}
    names |= {name: name for name in ("place", "same_as", "is_shared") if name in seen.staged.columns}
    native = seen.usable(seen.staged).select(**names)
    notes = [*raw.notes, *_late_notes(seen, today), *_offset_notes(seen), *_outlier_notes(seen)]
    return CheckedRows(raw.name, _held_to(contract, text_ids(native)), native, steps, raw.inputs, notes, raw.currency)


def _held_to(contract: Contract, rows: ibis.Table) -> ibis.Table:
    """Assure what every reader relies on: the types; that no value is missing has been counted already."""
    types = contract.types()
    found = {name: dtype.copy(nullable=True) for name, dtype in rows.schema().items() if name in types}
    wrong = [f"{name} is {dtype}, not {types[name]}" for name, dtype in found.items() if dtype != types[name]]
    if wrong:
        raise TypeError(f"{contract.name}: {', '.join(wrong)}")
    return rows


def _identical(count: int) -> list[tuple[str, int, float, str]]:
    """Tell of the rows that are kept though they repeat an earlier one, which is as good as they are."""
    rows = "row is" if count == 1 else "rows are"
    return [("kept", 0, 0.0, f"{count:,} {rows} identical to an earlier one")] if count else []


def _not_known(seen: _Seen) -> list[tuple[str, int, float, str]]:
    """Tell of the rows that are kept though a value of theirs cannot be read."""
    borne = {index: fault for index, fault in enumerate(seen.faults) if fault.borne}
    counts = {fault.reason: seen.count(None, f"borne_{index}") for index, fault in borne.items()}
    return [
        ("kept", 0, 0.0, f"{count:,} {'row' if count == 1 else 'rows'} whose {reason}: it counts as not known")
        for reason, count in counts.items()
        if count
    ]


def _late_notes(seen: _Seen, today: datetime.date) -> list[str]:
    rows = seen.count(len(seen.faults) - 1) if seen.faults[-1].rule == _LATE else 0
    return [f"Rows of {seen.raw.name} dated after {today}: {rows:,}. They are impossible and left out."] if rows else []


def _offset_notes(seen: _Seen) -> list[str]:
    rows = int(seen.counts.has_offset.sum())
    if not rows:
        return []
    return [f"Rows of {seen.raw.name} with a time zone or an offset: {rows:,}. The local day is used, as written."]


def _is_copy(rows: ibis.Table, identical_rows: str) -> ibis.Value:
    """Tell rows that repeat an earlier one wholly and are left out: all that do, or those with an order_id only."""
    if identical_rows == "exclude":
        return rows.is_identical
    has_order = rows.value_order_id.notnull() if "value_order_id" in rows.columns else ibis.literal(False)
    return rows.is_identical & has_order


def _is_repeated(values: Mapping[str, ibis.Value], contract: Contract) -> ibis.Value:
    """Tell rows whose key, so far as the file has it, stands in an earlier row."""
    subject = values.get(contract.key[0])
    if subject is None:
        return ibis.literal(False)
    key = [values[name] for name in contract.key if name in values]
    same = ibis.window(group_by=key, order_by=["file", "row"])
    return subject.notnull() & (ibis.row_number().over(same) > 0)


def _same_as(raw: Raw, contract: Contract) -> ibis.Value:
    """Give rows that are alike in all of the file but the subject's id the same number."""
    subject = raw.columns.get(contract.key[0])
    contents = [name for name in raw.contents if name != subject]
    return ibis.dense_rank().over(order_by=contents)


def _has_offset(raw: Raw, values: Mapping[str, ibis.Value]) -> ibis.Value:
    if "date" not in values:
        return ibis.literal(False)
    name = raw.columns["date"]
    value = raw.table[name]
    if value.type().is_string():
        clock = value.contains(":") & value.re_search(r"(Z|[+-]\d{2}(:?\d{2})?)\s*$")
        return clock.fill_null(False)
    return ibis.literal(name in raw.zoned)


def _steps(seen: _Seen) -> list[tuple[str, int, float, str]]:
    raw, counts = seen.raw, seen.counts
    total = int(counts.rows.sum()) + len(raw.misfits)
    steps = [("rows in the file", total, float(counts.amount.sum(min_count=1)), raw.name)]
    if raw.misfits:
        steps.append(("excluded", -len(raw.misfits), float("nan"), "wrong number of fields"))
    for line in counts.dropna(subset="fault").itertuples():
        steps.append(("excluded", -int(line.rows), -float(line.amount), seen.faults[int(line.fault)].reason))
    return steps


def _outlier_notes(seen: _Seen) -> list[str]:
    """Name values beyond Tukey's far-out fence.

    The fence is the third quartile + 3 interquartile ranges (Tukey 1977, Exploratory Data Analysis) of the
    logarithm, because money is skewed; and ten times the median at least, or prices that are nearly all alike
    would be called extreme for being different.
    """
    if not seen.measure:
        return []

    size = f"value_{seen.measure}"
    usable = seen.usable(seen.staged).select(size=seen.staged[size].abs())
    usable = usable.filter(usable["size"] > 0)
    quartiles, highest = _log_quartiles(usable)
    if quartiles is None:
        return []
    low, median, high = quartiles
    fence = math.exp(max(high + 3 * (high - low), median + math.log(10)))
    if highest <= fence:
        return []
    count = usable.filter(usable["size"] > fence).count().to_pandas()
    placed = seen.usable(seen.rows).select("file", "row", size=seen.rows[size].abs())
    beyond = placed.filter(placed["size"] > fence).order_by(ibis.desc("size"), "file", "row").limit(SHOWN_ROWS)
    # The rows and not their amounts: a page that others read must not show what one person spent.
    rows = ", ".join(_row_labels(beyond.to_pandas())) + (", ..." if count > SHOWN_ROWS else "")
    kept = f"They are kept: {'row' if count == 1 else 'rows'} {rows}."
    name = seen.raw.name
    return [f"Extreme values of {seen.measure} in {name} (beyond {fence:,.2f}): {count:,}. {kept}"]


def _log_quartiles(rows: ibis.Table) -> tuple[np.ndarray | None, float]:
    """Give the quartiles of the logarithm of `rows.size`, interpolated between neighbours, and the highest size.

    The engine's own keep all values at once. Here the rows are counted in narrow bins, and only the bins that a
    quartile lies in are looked into.
    """
    size = rows["size"]
    # An engine may compute the logarithm before zeros are left out.
    by_bin = rows.group_by(bin=(100 * size.nullif(0).ln()).floor().cast("int64"))
    bins = by_bin.agg(rows=rows.count(), lowest=size.min(), highest=size.max()).order_by("bin").to_pandas()
    if bins.empty:
        return None, math.nan
    places = np.array([0.25, 0.5, 0.75]) * (bins.rows.sum() - 1)
    neighbours = np.concatenate([np.floor(places), np.ceil(places)])
    bins["before"] = bins.rows.cumsum() - bins.rows
    looked_into = bins.iloc[np.unique(np.searchsorted(bins.before, neighbours, side="right") - 1)]
    near = rows.filter(ibis.or_(*(size.between(one.lowest, one.highest) for one in looked_into.itertuples())))
    near = near.group_by("size").agg(rows=near.count()).order_by("size").to_pandas()
    of_bin = np.searchsorted(looked_into.lowest, near["size"], side="right") - 1
    before = looked_into.before.to_numpy()[of_bin] + near.groupby(of_bin).rows.cumsum() - near.rows
    lower, upper = np.log(np.split(near["size"].to_numpy()[np.searchsorted(before, neighbours, side="right") - 1], 2))
    return lower + (upper - lower) * (places % 1), bins.highest.max()
