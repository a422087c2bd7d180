"""A user's file as an Ibis table whose rows carry their numbers; the values are as the file has them."""

import csv
import difflib
import io
import json
import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import ibis
import ibis.expr.datatypes as dt
import numpy as np
import pyarrow
import pyarrow.compute
import pyarrow.csv
import pyarrow.parquet

from helpers.data.contracts import Contract
from helpers.data.engines import connect, hand_over, local_time, read_parquet
from helpers.data.refusal import SHOWN_ROWS, InputRefused, Problem, shortened
from helpers.data.sources import BuiltIn, find_built_in, fingerprint, locate

_DELIMITERS = (",", ";", "\t", "|")


@dataclass(frozen=True)
class Raw:
    """A file as found.

    Attributes
    ----------
    name : str
        How messages call it.
    table : ibis Table
        `file` and `row` (numbers as a spreadsheet shows them, the header being row 1; from 1 in Parquet),
        then one column for each of the file's.
    names : sequence of str
        The file's column names, as its header has them.
    columns : Mapping[str, str]
        The contract's column names to the table's.
    contents : sequence of str
        The table's columns that hold the file's content: what makes two rows identical.
    zoned : sequence of str
        The table's columns whose instants had a time zone; they hold that zone's local time.
    problems : sequence of Problem
        Columns missing or mapped wrongly; the columns that are there can still be checked.
    misfits : sequence of int
        Row numbers of the lines with a wrong number of fields, which are not in the table.
    inputs, notes : list
        Provenance (name, path, sha256, bytes, rows) and sentences for the report.
    currency : str or None
        Of the amounts, where it is known.
    """

    name: str
    table: ibis.Table
    names: Sequence[str]
    columns: Mapping[str, str]
    contents: Sequence[str]
    zoned: Sequence[str]
    problems: Sequence[Problem]
    misfits: Sequence[int]
    inputs: list[dict]
    notes: list[str]
    currency: str | None


def read(
    source: str,
    contract: Contract,
    columns: Mapping[str, str] | None = None,
    connection: ibis.BaseBackend | None = None,
) -> Raw:
    """Bring a source into the engine without interpreting its values.

    Parameters
    ----------
    source : str
        A built-in name, a CSV file, a Parquet file, a folder of Parquet files or a glob pattern.
    contract : Contract
        The table it shall be.
    columns : Mapping[str, str], optional
        The file's column names to the contract's.
    connection : ibis backend, optional
        The engine to use; a new one by default.

    Raises
    ------
    InputRefused
        If the file is missing, empty, not a table, or its columns cannot be told apart.
    """
    paths = locate(source, contract.name)
    built_in = find_built_in(source, contract.name)
    connection = connection or connect()
    mapping = _checked_mapping(columns, contract, built_in)
    name = f"{source} (built in)" if built_in else Path(source).name or str(source)
    inputs = [{"name": contract.name, **entry} for entry in fingerprint(source, contract.name)]
    empty = [Problem(f"{entry['path']} is empty (0 bytes)") for entry in inputs if not entry["bytes"]]
    if empty:
        raise InputRefused(name, empty, "Save or export it again.")
    if all(_is_parquet(path) for path in paths):
        found = _read_parquet(name, paths, connection)
    else:
        _refuse_unless_one_text(name, paths)
        found = _read_text(name, paths[0], contract, mapping, built_in, connection)
    if built_in and built_in.part:
        found = _part(found, *built_in.part)
    numbered = built_in.numbered if built_in else ""
    positions, problems, notes = _match_columns(name, found.names, mapping, contract, numbered)
    located = {column: f"raw_{position}" for column, position in positions.items()}
    table = found.table
    if numbered:
        table = table.mutate(number=ibis.row_number().over(order_by="row") + 1)
        located[numbered] = "number"
    for entry, rows in zip(inputs, found.rows, strict=True):
        entry["rows"] = rows
    if not sum(found.rows):
        raise InputRefused(name, [Problem("it has a header but no rows"), *problems], "Save or export it again.")
    return Raw(
        name=name,
        table=table,
        names=found.names,
        columns=located,
        contents=[f"raw_{position}" for position in range(len(found.names))],
        zoned=found.zoned,
        problems=problems,
        misfits=found.misfits,
        inputs=inputs,
        notes=[*found.notes, *notes],
        currency=built_in.currency if built_in else None,
    )


@dataclass(frozen=True)
class _Found:
    """What a file format gives: `table` has file, row and raw_0, raw_1, ... for the columns `names`."""

    table: ibis.Table
    names: list[str]
    rows: list[int]
    zoned: Sequence[str] = ()
    misfits: Sequence[int] = ()
    notes: Sequence[str] = ()


def _part(found: _Found, column: str, value: str) -> _Found:
    """Keep the rows of one data set of a file that holds several; the column that tells them apart loses its name."""
    position = found.names.index(column)
    table = found.table.filter(found.table[f"raw_{position}"] == value)
    names = ["" if text == column else text for text in found.names]
    return replace(found, table=table, names=names, rows=[int(table.count().to_pandas())])


# --- columns --------------------------------------------------------------------------------------------


def _checked_mapping(columns: object, contract: Contract, built_in: BuiltIn | None) -> dict[str, str]:
    columns = {} if columns is None else columns
    texts = isinstance(columns, Mapping) and all(isinstance(text, str) for pair in columns.items() for text in pair)
    if not texts:
        rule = "must map the file's column names to the contract's, as in {'id': 'customer_id'}"
        problem = Problem(f"{contract.columns_set_by} {rule}")
        raise InputRefused(f"{contract.columns_set_by}={columns!r}", [problem])
    known = list(contract.columns)
    problems = [
        Problem(f"{target!r} is no column of {contract.name}", way_out=f"Its columns are {', '.join(known)}.")
        for target in columns.values()
        if target not in known
    ]
    problems += [
        Problem(f"{count} columns are mapped to {target!r}", way_out="Map one.")
        for target, count in Counter(columns.values()).items()
        if count > 1
    ]
    if problems:
        raise InputRefused(f"{contract.columns_set_by}={dict(columns)!r}", problems)
    return {**(built_in.columns if built_in else {}), **columns}


def _match_columns(
    name: str, names: Sequence[str], mapping: Mapping[str, str], contract: Contract, numbered: str = ""
) -> tuple[dict[str, int], list[Problem], list[str]]:
    """Find the positions of the contract's columns, what is wrong with the header, and what is ignored."""
    repeated = [text for text, count in Counter(names).items() if count > 1 and text]
    if repeated:
        problems = [Problem("the name stands more than once in the header", column=text) for text in repeated]
        raise InputRefused(name, problems, "Give each column a name of its own.")
    found = ", ".join(shortened(text) for text in names[:12]) + (", ..." if len(names) > 12 else "")
    # A mapping is the user's word: it wins over a column that bears the contract's name already.
    targets = {*mapping.values(), numbered}
    positions = {
        target: names.index(text)
        for text, target in [*mapping.items(), *((c, c) for c in contract.columns if c not in targets)]
        if text in names
    }
    used = set(positions.values())
    unused = [text for position, text in enumerate(names) if position not in used and text]
    problems = [
        Problem(f"it is named for {target!r} but is not in the file", column=text, way_out=_is_it(_near(text, unused)))
        for text, target in mapping.items()
        if text not in names
    ]
    missing = [column for column in contract.required if column not in positions and column not in targets]
    near = {column: _near(column, unused) for column in missing}
    problems += [
        Problem(
            "it is required and missing",
            column=column,
            way_out=f"{_is_it(near[column])} {contract.columns[column].remedy}".strip(),
        )
        for column in missing
    ]
    if problems:
        problems.append(Problem(f"the file has {found}", way_out=_how_to_map(near, contract)))
    ignored = ", ".join(map(shortened, unused))
    notes = [f"Columns of {name} that the analysis does not use: {ignored}."] if ignored else []
    return positions, problems, notes


def _is_it(near: str) -> str:
    return f"Is it {shortened(near)}?" if near else ""


def _how_to_map(near: Mapping[str, str], contract: Contract) -> str:
    # as JSON, which Python and the command line both read
    pairs = {(text or f"your name for {column}")[:40]: column for column, text in near.items()}
    shown = dict(list(pairs.items())[:SHOWN_ROWS])
    rest = ", and so on" if len(shown) < len(pairs) else ""
    mapped = f"{contract.columns_set_by}={json.dumps(shown, ensure_ascii=False)}"
    return f"Name the columns that are missing: {mapped}{rest}." if shown else ""


def _near(column: str, names: Sequence[str]) -> str:
    by_plain_name = {re.sub(r"\W+", "_", text.strip().lower()): text for text in names}
    near = difflib.get_close_matches(column.lower(), by_plain_name, n=1, cutoff=0.6)
    return by_plain_name[near[0]] if near else ""


# --- Parquet --------------------------------------------------------------------------------------------


def _is_parquet(path: Path) -> bool:
    if path.suffix.lower() in (".parquet", ".pq"):
        return True
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def _read_parquet(name: str, paths: Sequence[Path], connection: ibis.BaseBackend) -> _Found:
    schemas, rows, problems = [], [], []
    for path in paths:
        try:
            with pyarrow.parquet.ParquetFile(path) as file:
                schemas.append(file.schema_arrow)
                rows.append(file.metadata.num_rows)
        except (pyarrow.ArrowException, OSError) as error:
            problems.append(Problem(f"{path.name} is no Parquet file that can be read ({_first_line(error)})"))
    if problems:
        raise InputRefused(name, problems, "Save or export it again.")
    for path, schema in zip(paths, schemas, strict=True):
        if not schema.equals(schemas[0], check_metadata=False):
            difference = f"{path.name} has other columns or types than {paths[0].name}"
            problems.append(Problem(difference, way_out=_difference(schemas[0], schema)))
    if problems:
        raise InputRefused(name, problems, "Save all files of the folder with the same columns and types.")
    view = read_parquet(connection, paths, schemas[0])
    values = {f"raw_{i}": _wall_clock(view[f"raw_{i}"], field.type) for i, field in enumerate(schemas[0])}
    table = view.select("file", "row", **values)
    zoned = [f"raw_{position}" for position, field in enumerate(schemas[0]) if getattr(field.type, "tz", None)]
    return _Found(table, schemas[0].names, rows, zoned, notes=_folder_notes(name, paths))


def _folder_notes(name: str, paths: Sequence[Path]) -> list[str]:
    """Say so where folders bear a column's name and value ("year=2023"): what stands in no file is not read."""
    top = os.path.commonpath([path.parent for path in paths])
    folders = (part for path in paths for part in path.parent.relative_to(top).parts)
    columns = sorted({folder.partition("=")[0] for folder in folders if "=" in folder})
    if not columns:
        return []
    return [f"Folders of {name} are named after values of {', '.join(columns)}. These are not read as columns."]


def _difference(first: pyarrow.Schema, other: pyarrow.Schema) -> str:
    types = {field.name: str(field.type) for field in first}
    others = {field.name: str(field.type) for field in other}
    changed = [
        f"{column!r} ({types.get(column, 'absent')}; {others.get(column, 'absent')})"
        for column in {**types, **others}
        if types.get(column) != others.get(column)
    ]
    return f"They differ in {', '.join(changed[:SHOWN_ROWS])}." if changed else "The columns' order differs."


def _wall_clock(value: ibis.Value, field_type: pyarrow.DataType) -> ibis.Value:
    """Turn an instant into the local time of the zone that the file states, as the shop's clock showed it."""
    zone = getattr(field_type, "tz", None)
    if zone is None:
        return value
    offset = re.fullmatch(r"([+-])(\d\d):?(\d\d)", zone)
    if not offset:
        return local_time(value, zone).cast(dt.Timestamp(timezone=None))
    sign, hours, minutes = offset.groups()
    shift = int(f"{sign}1") * (60 * int(hours) + int(minutes))
    return local_time(value, "UTC") + ibis.interval(minutes=shift)


# --- delimited text -------------------------------------------------------------------------------------


def _refuse_unless_one_text(name: str, paths: Sequence[Path]) -> None:
    if len(paths) > 1:
        problem = Problem(f"{len(paths)} files are named that are not all Parquet")
        raise InputRefused(name, [problem], "Join text files into one, or save them all as Parquet.")
    with paths[0].open("rb") as file:
        start = file.read(8)
    workbook = start[:4] == b"PK\x03\x04" or start == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    if workbook or paths[0].suffix.lower() in (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods"):
        problem = Problem("it is a spreadsheet workbook, not a table of text")
        raise InputRefused(name, [problem], "In the spreadsheet program, save the sheet as CSV UTF-8.")


def _read_text(
    name: str,
    path: Path,
    contract: Contract,
    mapping: Mapping[str, str],
    built_in: BuiltIn | None,
    connection: ibis.BaseBackend,
) -> _Found:
    data, notes = _decoded(name, path.read_bytes())
    if built_in and built_in.spaced:
        data = _comma_separated(data, built_in.header)
    header, header_row = _header(name, data)
    names, delimiter = _split_header(name, header, contract, mapping)
    # Free text may run over lines where nothing is computed from it, unless a quotation mark is left over.
    used = [mapping.get(text, text) in contract.columns or data.count(b'"') % 2 == 1 for text in names]
    content, misfits, blanks, spread = _parse(name, data, used, delimiter, header_row)
    if blanks:
        notes.append(f"Blank lines of {name} that were passed over: {blanks:,}.")
    if spread:
        problem = Problem(
            "has a value that runs over several lines|have values that run over several lines",
            count=len(spread),
            rows=[str(row) for row in spread[:SHOWN_ROWS]],
            way_out="A quotation mark is opened and not closed, and hides the rows after it.",
        )
        raise InputRefused(name, [problem], "Write a quotation mark that belongs to a value twice.")
    frame = hand_over(connection, content, name)
    count = content.num_rows + len(misfits)
    return _Found(frame.mutate(file=ibis.literal("")), names, [count], misfits=misfits, notes=notes)


def _decoded(name: str, data: bytes) -> tuple[bytes, list[str]]:
    """Give the text as UTF-8 without a byte order mark, and say so where it was something else."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    advice = "Save it as CSV UTF-8 or as Parquet."
    if b"\0" in data:
        raise InputRefused(name, [Problem("it is no text (it holds NUL bytes)")], advice)
    try:
        data.decode("utf-8")
        return data, []
    except UnicodeDecodeError:
        pass
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError as error:
        problem = Problem(f"it is neither UTF-8 nor GB18030 text (first unreadable byte at {error.start:,})")
        raise InputRefused(name, [problem], advice) from None
    return text.encode("utf-8"), [f"{name} is not UTF-8; it was read as GB18030."]


def _comma_separated(data: bytes, header: str) -> bytes:
    """Turn columns set apart by spaces into columns set apart by commas, below a header."""
    data = header.encode() + b"\n" + data if header else data
    return re.sub(rb" +", b",", re.sub(rb"(?m)^ +", b"", data))


def _header(name: str, data: bytes) -> tuple[str, int]:
    start = re.search(rb"\S", data)
    if start is None:
        raise InputRefused(name, [Problem("it holds nothing but blank lines")], "Save or export it again.")
    before = data[: start.start()]
    header_row = len(re.findall(rb"\r\n|\n|\r", before)) + 1
    line_start = max(before.rfind(b"\n"), before.rfind(b"\r")) + 1
    return re.match(rb"[^\r\n]*", data[line_start:]).group().decode("utf-8"), header_row


def _split_header(name: str, header: str, contract: Contract, mapping: Mapping[str, str]) -> tuple[list[str], str]:
    """Choose the delimiter that makes the contract's columns appear in the header, whatever the content."""

    def split(delimiter: str) -> list[str]:
        return [text.strip() for text in next(csv.reader([header], delimiter=delimiter))]

    def recognised(delimiter: str) -> tuple[int, int]:
        names = split(delimiter)
        return sum(mapping.get(text, text) in contract.columns for text in names), len(names)

    try:
        delimiter = max(_DELIMITERS, key=recognised)
    except csv.Error as error:
        raise InputRefused(name, [Problem(f"its header cannot be read ({error})")]) from None
    names = split(delimiter)
    if not recognised(delimiter)[0]:
        if _looks_like_data(names):
            more = ",..." if len(contract.required) > SHOWN_ROWS else ""
            example = f"Add a header line such as {','.join(contract.required[:SHOWN_ROWS])}{more}."
            problem = Problem("the first line looks like data, not like column names", way_out=example)
            raise InputRefused(name, [problem])
        _, problems, _ = _match_columns(name, names, mapping, contract)
        raise InputRefused(name, problems, "The first line must name the columns, parted by , ; | or tabs.")
    return names, delimiter


def _looks_like_data(names: Sequence[str]) -> bool:
    """Tell a line in which a number or a date stands, or no letter at all: what it holds may be a customer's."""

    def lettered(text: str) -> bool:
        return any(letter.isalpha() for letter in text)

    def is_value(text: str) -> bool:
        number = not lettered(text) and any(digit.isdigit() for digit in text)
        return number or re.match(r"\d{4}-\d{1,2}-\d{1,2}T", text) is not None

    return any(is_value(text) for text in names) or not any(lettered(text) for text in names)


def _parse(
    name: str, data: bytes, used: Sequence[bool], delimiter: str, header_row: int
) -> tuple[pyarrow.Table, list[int], int, list[int]]:
    """Read the rows as text: the table, misfit rows, the count of blank lines, rows with torn values."""
    columns = [f"raw_{position}" for position in range(len(used))]
    unfit: dict[int, str] = {}

    def note(line: pyarrow.csv.InvalidRow) -> str:
        unfit[line.number] = line.text
        return "skip"

    try:
        content = pyarrow.csv.read_csv(
            io.BytesIO(data),
            # Row numbers are known on one thread only.
            pyarrow.csv.ReadOptions(use_threads=False, skip_rows=header_row, column_names=columns),
            pyarrow.csv.ParseOptions(
                delimiter=delimiter,
                newlines_in_values=True,
                ignore_empty_lines=False,
                invalid_row_handler=note,
            ),
            pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(columns, pyarrow.string()),
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
    except pyarrow.ArrowException as error:
        raise InputRefused(name, [Problem(f"it cannot be read as CSV ({_first_line(error)})")]) from None
    lines = np.arange(header_row + 1, header_row + 1 + content.num_rows + len(unfit))
    numbers = np.setdiff1d(lines, np.fromiter(unfit, dtype=lines.dtype, count=len(unfit)), assume_unique=True)
    filled = np.zeros(content.num_rows, dtype=bool)
    torn = np.zeros(content.num_rows, dtype=bool)
    for column, is_used in zip(content.columns, used, strict=True):
        filled |= column.is_valid().to_numpy()
        if is_used:
            torn |= pyarrow.compute.match_substring(column, "\n").fill_null(False).to_numpy()
    misfits = [row for row, text in unfit.items() if text.strip(f" \t\r\n{delimiter}")]
    spread = sorted([*numbers[torn].tolist(), *(row for row in misfits if "\n" in unfit[row])])
    blanks = int((~filled).sum()) + len(unfit) - len(misfits)
    content = content.append_column("row", pyarrow.array(numbers, pyarrow.int64())).filter(pyarrow.array(filled))
    return content, misfits, blanks, spread


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:160]
