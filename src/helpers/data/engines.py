"""The engines that hold and reduce rows: how each is started, and the few things that each does in its own way.

Everything else is written once, as Ibis expressions.
"""

from __future__ import annotations

import atexit
import glob
import math
import os
import re
import shutil
import tempfile
import warnings
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import ibis
import ibis.expr.datatypes as dt
import pyarrow

from helpers.data.refusal import InputRefused, Problem, require_choice, shortened

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import SparkSession

ENGINES = ("duckdb", "spark")

_MEGABYTES = {"MB": 1, "GB": 1024, "TB": 1024**2}
_LEAST_FOR_SPARK = 512
_MORE_ROOM = (
    "Allow the engine more memory (memory_limit), or free room for what memory cannot hold (where TMPDIR points)."
)
# Where one of these is set, it says which Spark is meant, and how much it may take.
_NAMED_SPARK = ("SPARK_REMOTE", "SPARK_MASTER", "SPARK_HOME", "SPARK_CONF_DIR")
_INSTALL = "Spark is installed by `make spark`; it needs Java 17 (on Debian openjdk-17-jre-headless)."
_SPARK_RULES = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.caseSensitive": "true",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.legacy.parquet.nanosAsLong": "true",  # Spark has no nanoseconds: `_spark_value` makes moments of them
    "spark.sql.legacy.timeParserPolicy": "CORRECTED",
}
# A table from Python travels in Spark's tasks themselves, none of which may exceed 128 MB.
_LARGEST_HANDED_TO_SPARK = 100_000_000
# What strptime calls a part of a date, and Spark: beside other digits, and where it stands alone.
_SPARK_DATE_PARTS = {
    "%Y": ("yyyy", "yyyy"),
    "%m": ("MM", "M"),
    "%d": ("dd", "d"),
    "%H": ("HH", "H"),
    "%I": ("hh", "h"),
    "%M": ("mm", "m"),
    "%S": ("ss", "s"),
    "%b": ("MMM", "MMM"),
    "%B": ("MMMM", "MMMM"),
    "%p": ("a", "a"),
}


def connect(engine: str = "duckdb", memory_limit: str = "", threads: int = 0) -> ibis.BaseBackend:
    """Open an engine of its own, which takes no time zone from the machine.

    Parameters
    ----------
    engine : {"duckdb", "spark"}
        DuckDB, in this process; or Spark: the session that is running, else the one that the environment names
        (SPARK_REMOTE, SPARK_MASTER, or spark-defaults.conf in SPARK_HOME or SPARK_CONF_DIR), else one on this machine,
        which ends with the process.
    memory_limit : str
        How much memory the engine may take, as in "4GB"; rows that find no room go to the disk, where TMPDIR points.
        "" leaves it to the engine: DuckDB takes up to four fifths of the machine's, Spark 1 GB.
    threads : int
        How many cores it may take; 0 for all.

    Raises
    ------
    InputRefused
        If there is no such engine, it is not reached, or the limit is no size, too small to start with, or not that of
        a Spark which was started otherwise.
    """
    require_choice("engine", engine, ENGINES)
    megabytes = _size(memory_limit)
    return _connect_to_duckdb(megabytes, threads) if engine == "duckdb" else _connect_to_spark(megabytes, threads)


def _size(memory_limit: object) -> int:
    """Read a size in megabytes; 0 where none is set."""
    if memory_limit == "":
        return 0
    parts = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([MGT]B)\s*", str(memory_limit).upper())
    megabytes = math.floor(float(parts[1]) * _MEGABYTES[parts[2]]) if parts else 0
    if not megabytes:
        raise InputRefused(f"memory_limit={memory_limit!r}", [Problem("it must be a size, as in '4GB' or '500MB'")])
    return megabytes


@cache
def _scratch() -> Path:
    """Make the folder for what the engines put on the disk; it goes with the process."""
    folder = Path(tempfile.mkdtemp(prefix="customer-value-"))
    # Before all that is finalised, as Ibis' tables in Spark are, one by one: Jupyter kills a kernel that takes seconds.
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@contextmanager
def engine_errors_refused(name: str) -> Iterator[None]:
    """Refuse a file that the engine cannot work through: its damage shows only then, or there is too little room.

    Parameters
    ----------
    name : str
        How messages call the file.

    Raises
    ------
    InputRefused
        In the place of the engine's own exceptions.
    """
    try:
        yield
    except Exception as error:
        if not _is_of_an_engine(error):
            raise
        raise _refusal(name, error) from None


def _is_of_an_engine(error: Exception) -> bool:
    return type(error).__module__.startswith(("_duckdb", "duckdb", "pyspark.", "py4j."))


def _refusal(name: str, error: Exception) -> InputRefused:
    text = f"{type(error).__name__}: {error}".strip()
    message = shortened(str(error).strip().partition("\n")[0], 200)
    if re.search("OutOfMemory|Answer from Java side is empty|No space left|max_temp_directory_size", text):
        rule = f"the engine has too little memory, or room on the disk, for it: {message}"
        return InputRefused(name, [Problem(rule)], _MORE_ROOM)
    return InputRefused(name, [Problem(f"the engine cannot read it: {message}")], "Export it again.")


# --- DuckDB ---------------------------------------------------------------------------------------------


def _connect_to_duckdb(megabytes: int, threads: int) -> ibis.BaseBackend:
    limits = {"memory_limit": f"{megabytes}MiB"} if megabytes else {}
    limits |= {"threads": threads} if threads else {}
    connection = ibis.duckdb.connect(temp_directory=_scratch(), **limits)
    connection.raw_sql("SET TimeZone = 'UTC'")
    return connection


# --- Spark ----------------------------------------------------------------------------------------------


def _connect_to_spark(megabytes: int, threads: int) -> ibis.BaseBackend:
    if 0 < megabytes < _LEAST_FOR_SPARK:
        raise _no_spark(f"{megabytes} MB of memory are too little to start with", f"It needs {_LEAST_FOR_SPARK}MB.")
    try:
        import pyspark  # noqa: F401
    except ImportError:
        raise _no_spark("it is not installed", _INSTALL) from None
    named = {name: os.environ[name] for name in _NAMED_SPARK if os.environ.get(name)}
    elsewhere = sorted(named.keys() & {"SPARK_REMOTE", "SPARK_MASTER"})
    if megabytes and elsewhere:
        way_out = "Leave memory_limit empty here: the memory is set where that Spark is configured."
        raise _no_spark(f"memory_limit is not for a Spark that runs elsewhere ({', '.join(elsewhere)})", way_out)
    log = _scratch() / "spark.log"
    try:
        with _standard_error_in(log):
            session = _running_spark(megabytes, threads, is_named=bool(named))
    except Exception as error:  # as varied as the ways to reach a Spark
        last = (log.read_text(errors="replace").strip().splitlines() or [""])[-1]
        reason = f"{str(error).strip().partition(chr(10))[0]} {last}"
        # What follows a semicolon may be the token of an account.
        reason = re.sub(r";\S+", "", reason)
        which = ", ".join(f"{name}={value.partition(';')[0]}" for name, value in named.items())
        way_out = f"Is it running, and reached from here? The environment names it: {which}." if named else _INSTALL
        way_out += ' Spark Connect needs `pip install "pyspark[connect]"`.' if "SPARK_REMOTE" in named else ""
        raise _no_spark(f"it was not reached ({shortened(reason.strip(), 300)})", way_out) from None
    for name, value in _SPARK_RULES.items():
        session.conf.set(name, value)
    _write_texts_as_spark_reads_them()
    # Beside the error that it raises, Spark's client shows all that Java had called.
    warnings.filterwarnings("ignore", "toPandas attempted Arrow optimization")
    connection = ibis.pyspark.connect(session)
    _refuse_other_limits(session, megabytes, threads)
    return connection


def _write_texts_as_spark_reads_them() -> None:
    r"""Have Ibis leave \a, \f and \v unescaped: Spark would make letters of them, and trim an f as white space."""
    from ibis.backends.sql.dialects import PySpark

    for character in "\a\f\v":
        PySpark.ESCAPED_SEQUENCES.pop(character, None)


def _no_spark(rule: str, way_out: str) -> InputRefused:
    return InputRefused("engine='spark'", [Problem(rule, way_out=way_out)])


@contextmanager
def _standard_error_in(log: Path) -> Iterator[None]:
    """Let what is started here complain into a file: Java's warnings have no place in a notebook."""
    kept = os.dup(2)
    with log.open("a") as file:
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _running_spark(megabytes: int, threads: int, *, is_named: bool) -> SparkSession:
    """Give a session that shares nothing with others but the Spark that runs it, started where none runs."""
    from pyspark.sql import SparkSession
    from pyspark.sql.utils import is_remote

    builder = SparkSession.builder.appName("customer value")
    if not is_named:
        settings = _on_this_machine(megabytes, threads)
        _start_java(settings)
        for name, value in settings.items():
            builder = builder.config(name, value)
    elif os.environ.get("SPARK_MASTER"):
        builder = builder.master(os.environ["SPARK_MASTER"])
    is_ours = SparkSession.getActiveSession() is None
    session = builder.getOrCreate()
    # One on this machine ends with this process anyway, which is not to wait for it.
    if is_ours and is_named:
        weakref.finalize(session, session.stop)
    return session if is_remote() else session.newSession()


def _start_java(settings: Mapping[str, str]) -> None:
    """Start Java in a session of its own, where none runs.

    A kernel that is shut down waits for the children of its own, Jupyter loses patience and kills it, and what was on
    the disk stays. Java ends by itself when this process does.
    """
    from pyspark import SparkConf, SparkContext
    from pyspark.java_gateway import launch_gateway

    if SparkContext._gateway is None:
        conf = SparkConf().setAll(list(settings.items()))
        SparkContext._ensure_initialized(gateway=launch_gateway(conf, {"start_new_session": True}))


def _on_this_machine(megabytes: int, threads: int) -> dict[str, str]:
    """Settle a Spark that nobody else reaches and that leaves nothing behind."""
    memory = {"spark.driver.memory": f"{megabytes}m"} if megabytes else {}
    return memory | {
        "spark.master": f"local[{threads or '*'}]",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "localhost",
        "spark.driver.extraJavaOptions": f'"-Djava.io.tmpdir={_scratch()}"',
        "spark.local.dir": str(_scratch()),
        "spark.sql.warehouse.dir": str(_scratch() / "warehouse"),
        "spark.sql.shuffle.partitions": str(4 * (threads or os.cpu_count() or 1)),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }


def _refuse_other_limits(session: SparkSession, megabytes: int, threads: int) -> None:
    """Refuse limits that a Spark which runs already does not have: it keeps those it was started with."""
    limits = {"spark.driver.memory": f"{megabytes}m" if megabytes else "", "spark.master": f"local[{threads}]"}
    wanted = {"spark.driver.memory": megabytes, "spark.master": threads}
    for name, limit in limits.items():
        found = session.conf.get(name, "its default")
        if wanted[name] and found != limit:
            way_out = "Start anew, or set its limits where it is configured and leave them empty here."
            raise _no_spark(f"it runs with {name} = {found}, not {limit}", way_out)


# --- what each does in its own way ----------------------------------------------------------------------


def _is_spark(connection: ibis.BaseBackend) -> bool:
    return connection.name == "pyspark"


def read_parquet(connection: ibis.BaseBackend, paths: Sequence[Path], schema: pyarrow.Schema) -> ibis.Table:
    """Take Parquet files of one schema for a table.

    Parameters
    ----------
    connection : ibis backend
        The engine.
    paths : sequence of Path
        The files; Spark must find them under the same paths on all of its machines.
    schema : pyarrow.Schema
        Of each of the files.

    Returns
    -------
    ibis Table
        file, the file's name ("" for a single one); row, its number in the file, from 1; raw_0, raw_1, ... by the
        position of the column in the file.

    Raises
    ------
    InputRefused
        If Spark would pass over a file because of its name.
    """
    return (_spark_parquet if _is_spark(connection) else _duckdb_parquet)(connection, paths, schema)


def _duckdb_parquet(connection: ibis.BaseBackend, paths: Sequence[Path], schema: pyarrow.Schema) -> ibis.Table:
    # DuckDB reads names as glob patterns.
    view = connection.read_parquet(
        [glob.escape(str(path)) for path in paths],
        table_name=ibis.util.gen_name("parquet"),
        file_row_number=True,
        filename=True,
        hive_partitioning=False,
    )
    # By position, because the engine renames columns that differ only in case.
    values = {f"raw_{position}": view[view.columns[position]] for position in range(len(schema))}
    file = view.filename.re_extract(r"([^/\\]*)$", 1) if len(paths) > 1 else ibis.literal("")
    return view.select(file=file, row=view.file_row_number + 1, **values)


def _spark_parquet(connection: ibis.BaseBackend, paths: Sequence[Path], schema: pyarrow.Schema) -> ibis.Table:
    hidden = [path.name for path in paths if path.name.startswith(("_", "."))]
    if hidden:
        raise InputRefused(hidden[0], [Problem("Spark passes over files whose name begins with _ or .")], "Rename it.")
    # Spark reads names as glob patterns too; without a scheme they would be those of the cluster's file system.
    located = ["file:" + re.sub(r"([\\*?{}\[\],])", r"\\\1", str(path.resolve())) for path in paths]
    frame = connection._session.read.parquet(*located)
    place = frame.metadataColumn("_metadata")
    frame = frame.select("*", place.file_name, place.row_index)
    frame = frame.toDF(*(f"raw_{position}" for position in range(len(schema))), "file", "row")
    values = [f"{_spark_value(f'raw_{i}', field.type)} AS raw_{i}" for i, field in enumerate(schema)]
    # The name is given as in an address.
    file = "url_decode(replace(file, '+', '%2B'))" if len(paths) > 1 else "''"
    name = ibis.util.gen_name("parquet")
    frame.selectExpr(f"{file} AS file", "row + 1 AS row", *values).createTempView(name)
    return connection.table(name)


def _spark_value(name: str, field_type: pyarrow.DataType) -> str:
    if not (pyarrow.types.is_timestamp(field_type) and field_type.unit == "ns"):
        return name
    moment = f"timestamp_micros({name} div 1000)"
    return moment if field_type.tz else f"CAST({moment} AS TIMESTAMP_NTZ)"


def held(table: ibis.Table) -> ibis.Table:
    """Compute a table once, and hold it in its engine for all that is asked of it."""
    connection = table.get_backend()
    if _is_spark(connection):
        return table.cache()
    # Not DuckDB's cache, which would be dropped in the middle of whatever is being fetched.
    return connection.create_table(ibis.util.gen_name("held"), table, temp=True)


@contextmanager
def held_meanwhile(table: ibis.Table) -> Iterator[ibis.Table]:
    """Hold a table for as long as a with statement lasts."""
    kept = held(table)
    connection = kept.get_backend()
    let_go = kept.release if _is_spark(connection) else partial(connection.raw_sql, f"DROP TABLE {kept.get_name()}")
    try:
        yield kept
    except BaseException:
        with suppress(Exception):  # what went wrong first is what is told
            let_go()
        raise
    let_go()


def hand_over(connection: ibis.BaseBackend, content: pyarrow.Table | pd.DataFrame, name: str = "a table") -> ibis.Table:
    """Bring a table of Python's into the engine.

    Parameters
    ----------
    connection : ibis backend
        The engine.
    content : pyarrow.Table or pandas.DataFrame
        What it shall hold.
    name : str
        How messages call the file that it was read from.

    Raises
    ------
    InputRefused
        If it is too large for Spark, which is made for files that it reads itself.
    """
    if not _is_spark(connection):
        return connection.create_table(ibis.util.gen_name("handed"), content, temp=True)
    if not isinstance(content, pyarrow.Table):
        content = pyarrow.Table.from_pandas(content, preserve_index=False)
    if content.nbytes > _LARGEST_HANDED_TO_SPARK:
        problem = Problem(f"its {content.nbytes / 1e6:,.0f} MB are too much to hand over to Spark")
        raise InputRefused(name, [problem], "Save it as Parquet, which Spark reads itself.")
    view = ibis.util.gen_name("handed")
    connection._session.createDataFrame(content).createTempView(view)
    # Held, or Spark would compute all that is asked of it while it plans, row by row.
    return connection.table(view).cache()


def write_parquet(table: ibis.Table, folder: Path) -> None:
    """Have the engine write a table as a new folder of Parquet files, and of nothing else.

    Raises
    ------
    OSError
        If Spark cannot write them; what DuckDB raises is `duckdb.Error`.
    """
    connection = table.get_backend()
    if not _is_spark(connection):
        # Scores differ from customer to customer: listing them costs a third of the writing, and spares little room.
        connection.to_parquet(table, folder, per_thread_output=True, dictionary_size_limit=1000)
        return
    try:
        connection.to_parquet(table, f"file:{folder.resolve()}")
    except Exception as error:
        if not _is_of_an_engine(error):
            raise
        raise OSError(str(error).strip()) from None
    for path in folder.iterdir():  # marks and checksums of Spark's own
        if path.suffix != ".parquet":
            path.unlink()


@ibis.udf.scalar.builtin(name="timezone")
def _duckdb_local_time(zone: str, moment: dt.Timestamp(timezone="UTC")) -> dt.Timestamp():
    """Give the wall clock's time in a zone (DuckDB's function)."""


@ibis.udf.scalar.builtin(name="from_utc_timestamp")
def _spark_local_time(moment: dt.Timestamp(timezone="UTC"), zone: str) -> dt.Timestamp():
    """Give the wall clock's time in a zone (Spark's function)."""


@ibis.udf.scalar.builtin(name="hash")
def _duckdb_hash(content) -> dt.uint64:
    """Number a content (DuckDB's function)."""


@ibis.udf.scalar.builtin(name="xxhash64")
def _spark_hash(content) -> dt.int64:
    """Number a content (Spark's function)."""


@ibis.udf.scalar.builtin
def try_strptime(text: str, format: str) -> dt.Timestamp():
    """Read a date in a given format, null where it does not fit (DuckDB's function)."""


@ibis.udf.scalar.builtin
def try_to_timestamp(text: str, format: str) -> dt.Timestamp():
    """Read a date in a given format, null where it does not fit (Spark's function)."""


def local_time(moment: ibis.Value, zone: str) -> ibis.Value:
    """Give the time that the clocks of a zone showed at an instant."""
    if _is_spark(moment.get_backend()):
        return _spark_local_time(moment, zone)
    return _duckdb_local_time(zone, moment)


def content_hash(contents: Sequence[ibis.Value]) -> ibis.Value:
    """Give each row a number that rows with equal contents share, and few others: they still have to be compared."""
    content = ibis.struct({f"content_{position}": content for position, content in enumerate(contents)})
    if _is_spark(contents[0].get_backend()):
        return _spark_hash(content)
    # Half of its digits: DuckDB sorts them in three quarters of the time.
    return (_duckdb_hash(content) % 2**32).cast("uint32")


def repeated(number: ibis.Column) -> ibis.Table:
    """List each value that more than one row has, in a column of the number's name."""
    name = number.get_name()
    if _is_spark(number.get_backend()):
        table = number.as_table()
        return table.group_by(name).having(table.count() > 1).agg()
    # DuckDB sorts at a third of the cost of counting groups that are nearly as many as the rows.
    beside = number.as_table().mutate(before=number.lag().over(order_by=number))
    return beside.filter(beside[name] == beside.before).select(name).distinct()


def first_day(date: ibis.Value, period: str) -> ibis.Value:
    """Give the first day of the week (Monday), month or quarter that a day lies in.

    Parameters
    ----------
    date : ibis Value
        A date.
    period : {"W", "M", "Q"}
        As Ibis names them.
    """
    # Of a date Spark makes a moment, and calls it a date.
    return date.cast("timestamp").truncate(period).date()


def date_in_format(text: ibis.Value, date_format: str) -> ibis.Value:
    """Read dates that are written in strptime's letters, null where they are not.

    Raises
    ------
    InputRefused
        If Spark does not know a letter of the format.
    """
    if _is_spark(text.get_backend()):
        return try_to_timestamp(text, _in_spark_letters(date_format)).date()
    return try_strptime(text, date_format).date()


def _in_spark_letters(date_format: str) -> str:
    """Write a format as Java does; where digits follow upon digits, each part has its full length."""
    parts = re.findall(r"%.|[^%]", date_format)
    unknown = [part for part in parts if part[0] == "%" and part not in _SPARK_DATE_PARTS]
    if unknown:
        problem = Problem(f"Spark does not read {', '.join(unknown)}; it knows {', '.join(_SPARK_DATE_PARTS)}")
        raise InputRefused(f"date_format={date_format!r}", [problem], "Or set engine='duckdb'.")
    written = []
    for before, part, after in zip(["", *parts], parts, [*parts[1:], ""], strict=False):
        is_beside = "%" in before + after
        letter = f"'{part}'" if part.isalpha() else part.replace("'", "''")
        written.append(_SPARK_DATE_PARTS[part][not is_beside] if part in _SPARK_DATE_PARTS else letter)
    return "".join(written)
