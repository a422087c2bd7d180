"""The engines: the same numbers from DuckDB and from Spark, limits that are kept, and what is refused."""

import datetime
import glob
import os
import subprocess
import sys
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet
import pytest

from helpers.analyses import customer_portfolio, referral_value, retention_economics
from helpers.analyses.lifetime_value import Settings
from helpers.analyses.lifetime_value.scoring import score
from helpers.analyses.lifetime_value.valuation import valuate
from helpers.data import customer_summary, engines, marketing_touches, transactions
from helpers.data.refusal import InputRefused
from helpers.synthetic import transactions as synthetic
from helpers.synthetic.firm import firm

DAY = pd.Timestamp("2019-12-15")
QUICK_JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"  # compiling much costs more than tests can win


def refusal(call, *arguments, **options):
    with pytest.raises(InputRefused) as refused:
        call(*arguments, **options)
    return str(refused.value)


# --- DuckDB ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", ["4", "lots", "0GB", "-1GB", "4 KB", 4, None])
def test_a_limit_that_is_no_size_is_refused(limit):
    assert "it must be a size, as in '4GB' or '500MB'" in refusal(engines.connect, memory_limit=limit)


def test_an_engine_that_is_none_is_refused():
    assert "engine must be 'duckdb' or 'spark'" in refusal(engines.connect, "abacus")


def test_limits_reach_the_engine():
    connection = engines.connect("duckdb", "1.5 gb", threads=1)
    query = "SELECT current_setting('memory_limit'), current_setting('threads'), current_setting('TimeZone')"
    assert connection.raw_sql(query).fetchone() == ("1.5 GiB", 1, "UTC")


def test_what_finds_no_room_in_memory_goes_to_the_disk():
    connection = engines.connect("duckdb", "64MB", threads=1)
    # Hashes, since how far the engine compresses what it spills depends on how fast the disk is just now.
    connection.raw_sql("CREATE TABLE wide AS SELECT hash(i) AS a, hash(-i) AS b FROM range(8_000_000) AS rows(i)")
    used = "SELECT sum(temporary_storage_bytes), sum(memory_usage_bytes) FROM duckdb_memory()"
    spilled, held = connection.raw_sql(used).fetchone()
    assert held <= 64 * 2**20 and spilled + held >= 8_000_000 * 16
    assert connection.raw_sql("SELECT count(DISTINCT a) FROM wide").fetchone() == (8_000_000,)


def test_what_is_held_meanwhile_is_gone_afterwards_and_hides_no_error():
    connection = engines.connect()
    table = engines.hand_over(connection, pd.DataFrame({"number": [1, 2, 3]}))
    before = connection.list_tables()
    with engines.held_meanwhile(table.filter(table.number > 1)) as kept:
        assert kept.number.sum().to_pandas() == 5
    assert connection.list_tables() == before
    with pytest.raises(ZeroDivisionError), engines.held_meanwhile(table):
        connection.disconnect()
        1 / 0  # noqa: B018


def test_too_little_memory_is_said(tmp_path):
    path = tmp_path / "large.parquet"
    rows = 300_000
    days = pyarrow.array(DAY + pd.to_timedelta(np.arange(rows) % 700, "D")).cast(pyarrow.date32())
    ids = [f"customer {i:040d}" for i in range(rows)]
    pyarrow.parquet.write_table(pyarrow.table({"customer_id": ids, "date": days, "amount": np.ones(rows)}), path)
    message = refusal(transactions.load, str(path), memory_limit="2MB")
    assert message.startswith(
        "large.parquet cannot be used:\n  - the engine has too little memory, or room on the disk, for it"
    )
    assert "Allow the engine more memory (memory_limit)" in message


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("IO Error: Could not write file: No space left on device", "room on the disk"),
        ("failed to offload data block (max_temp_directory_size)", "Allow the engine more memory (memory_limit)"),
        ("Out of Memory Error", "the engine cannot read it: 'Out of Memory Error'"),
    ],
)
def test_what_the_engine_says_is_refused_in_plain_words(message, told):
    import duckdb

    with pytest.raises(InputRefused) as refused, engines.engine_errors_refused("shop.parquet"):
        raise duckdb.Error(message)
    assert told in str(refused.value)


def test_an_error_of_ours_is_not_taken_for_one_of_the_file():
    with pytest.raises(ZeroDivisionError), engines.engine_errors_refused("shop.parquet"):
        1 / 0  # noqa: B018


# --- a Spark that is not reached ------------------------------------------------------------------------


def run(code: str, tmp_path: Path, **environment: str) -> subprocess.CompletedProcess:
    """Run a program in a process of its own, which leaves nothing in its TMPDIR."""
    environment = {**os.environ, "TMPDIR": str(tmp_path), **environment}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=300)


CONNECT = """
from helpers.data.engines import connect
from helpers.data.refusal import InputRefused
try:
    connect("spark")
except InputRefused as refused:
    print(refused)
"""


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"JAVA_HOME": "/nowhere"}, "`make spark`; it needs Java 17"),
        (
            {"SPARK_REMOTE": "sc://127.0.0.1:1"},
            "The environment names it: SPARK_REMOTE=sc://127.0.0.1:1. Spark Connect",
        ),
    ],
)
def test_a_spark_that_is_not_reached_is_refused(tmp_path, environment, told):
    pytest.importorskip("pyspark")
    found = run(CONNECT, tmp_path, **environment)
    assert found.stdout.startswith("engine='spark' cannot be used:\n  - it was not reached"), found.stderr
    assert told in found.stdout and "abc123" not in found.stdout
    assert found.stderr == "" and list(tmp_path.iterdir()) == []


def test_a_spark_elsewhere_takes_no_memory_limit(monkeypatch):
    pytest.importorskip("pyspark")
    monkeypatch.setenv("SPARK_MASTER", "spark://127.0.0.1:1")
    assert "Leave memory_limit empty here" in refusal(engines.connect, "spark", "2GB")


COUNT = """
import os
from helpers.data.engines import connect
print(connect("spark").raw_sql("SELECT count(*) FROM range(9)").collect(), *os.listdir(os.environ["TMPDIR"]))
from pyspark import SparkContext
print("waited for by a kernel:", os.getpgid(SparkContext._gateway.proc.pid) == os.getpgrp())
"""


@pytest.mark.spark
def test_a_spark_that_was_started_leaves_nothing_behind(tmp_path):
    found = run(COUNT, tmp_path, JDK_JAVA_OPTIONS=QUICK_JAVA)
    assert "[Row(count(1)=9)] customer-value-" in found.stdout and found.stderr == ""
    assert "waited for by a kernel: False" in found.stdout
    assert list(tmp_path.iterdir()) == []


def test_spark_that_is_not_installed_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark", None)
    assert "it is not installed. Spark is installed by `make spark`" in refusal(engines.connect, "spark")


def test_memory_that_spark_cannot_start_with_is_refused():
    assert "300 MB of memory are too little to start with. It needs 512MB." in refusal(
        engines.connect, "spark", "300MB"
    )


@pytest.mark.parametrize(
    ("written", "theirs"),
    [
        ("%d/%m/%Y", "d/M/yyyy"),
        ("%Y%m%d", "yyyyMMdd"),
        ("%d %b %Y %H:%M", "d MMM yyyy H:m"),
        ("%Y-%m-%dT%H:%M:%S", "yyyy-M-d'T'H:m:s"),
        ("%d o'clock", "d 'o''''c''l''o''c''k'"),
    ],
)
def test_formats_are_written_in_the_letters_of_java(written, theirs):
    assert engines._in_spark_letters(written) == theirs


def test_letters_that_spark_reads_otherwise_are_refused():
    assert "Spark does not read %y, %j; it knows %Y, %m" in refusal(engines._in_spark_letters, "%d/%m/%y %j")


@pytest.mark.parametrize("dialect", ["trino", "bigquery"])
def test_summaries_are_written_in_other_dialects(dialect):
    purchases = ibis.table({"customer_id": "string", "date": "date", "amount": "float64"}, name="purchases")
    for merge_period in ("D", "M"):
        summary = customer_summary.summarise(purchases, "2024-12-31", "W", merge_period)
        assert "monetary_value" in ibis.to_sql(summary, dialect=dialect)


# --- the same from both ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def spark():
    """Start the one Spark of all tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JDK_JAVA_OPTIONS", QUICK_JAVA)
        return engines.connect("spark", "1GB", threads=1)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Two Parquet files with names that are awkward for globs and addresses: whole numbers, moments, refunds, gaps."""
    folder = tmp_path_factory.mktemp("shop") / "sales [1] 50%"
    folder.mkdir()
    bought, _ = synthetic.transactions(300, seed=5)
    customer = bought.customer_id.astype(int)
    frame = bought.assign(
        customer_id=customer,
        date=pd.to_datetime(bought.date) + pd.to_timedelta(customer % 24, "h").dt.as_unit("ns"),
        margin=np.where(bought.index % 7, bought.amount / 4, np.nan),
        segment=np.where(customer % 3, "north", "süd"),
    )
    refunds = frame.iloc[::11].assign(amount=lambda rows: -rows.amount / 2, margin=np.nan)
    frame = pd.concat([frame, refunds, frame.iloc[[3, 3]].assign(amount=0.0)], ignore_index=True)
    frame.iloc[::2].to_parquet(folder / "a+b {1}*.parquet")
    frame.iloc[1::2].to_parquet(folder / "c%20d,ü.parquet")
    return folder


def assert_same(ours: pd.DataFrame, theirs: pd.DataFrame):
    assert len(ours)
    pd.testing.assert_frame_equal(ours, theirs, rtol=1e-9, atol=1e-9, check_dtype=False)


def assert_same_purchases(ours: transactions.Purchases, theirs: transactions.Purchases):
    assert_same(ours.accounting, theirs.accounting)
    for name in ("notes", "inputs", "first_date", "last_date", "has_margin", "categories_per_customer", "currency"):
        assert getattr(ours, name) == getattr(theirs, name), name
    for name in ("table", "realised", "segments"):
        tables = [getattr(found, name) for found in (ours, theirs)]
        if tables[0] is not None:
            keys = tables[0].columns
            assert_same(*(table.order_by(keys).to_pandas() for table in tables))
            assert tables[0].schema() == tables[1].schema(), name


@pytest.mark.spark
def test_lifetime_value(spark, shop, tmp_path):
    touches = tmp_path / "touches.csv"
    touches.write_text("customer_id,date,cost\n" + "".join(f"{i},2023-0{1 + i % 3}-07,{i}.5\n" for i in range(90)))
    settings = {"transactions": str(shop), "marketing_touches": str(touches), "draws": 100, "resamples": 100}
    ours, theirs = (valuate(Settings(engine=engine, **settings)) for engine in engines.ENGINES)
    assert theirs.purchases.table.get_backend().name == "pyspark"
    assert_same_purchases(ours.purchases, theirs.purchases)
    assert_same(ours.marketing.accounting, theirs.marketing.accounting)
    for period in ("calibration", "observation"):
        one, other = getattr(ours, period), getattr(theirs, period)
        assert_same(one.summaries.rows, other.summaries.rows)
        assert_same(one.summaries.spend_rows, other.summaries.spend_rows)
        for name, fit in one.fits.items():
            assert fit.log_likelihood == pytest.approx(other.fits[name].log_likelihood, rel=1e-9)
    assert_same(ours.customers, theirs.customers)


@pytest.mark.spark
def test_customers_of_a_split(spark, shop):
    """Purchases merged by day and by month, each with what customers did next."""
    found = [transactions.load(str(shop), engine=engine) for engine in engines.ENGINES]
    for merge_period in ("D", "M"):
        purchases = [
            each.native if merge_period == "D" else customer_summary.merged(each.native, merge_period) for each in found
        ]
        days = "2023-06-30", "2023-12-31"
        splits = [
            customer_summary.split(customer_summary.with_gaps(table), *days, "W", merge_period).order_by("customer_id")
            for table in purchases
        ]
        ours, theirs = (split.to_pandas() for split in splits)
        assert len(ours) and ours.frequency.sum() and ours.holdout_purchases.sum()
        assert_same(ours, theirs)


@pytest.mark.spark
def test_scores_are_written_by_the_engine(spark, shop, tmp_path):
    tables = []
    for engine in engines.ENGINES:
        score(tmp_path / engine, transactions=str(shop), engine=engine)
        files = sorted((tmp_path / engine).iterdir())
        assert files and {path.suffix for path in files} == {".parquet"}
        tables.append(pd.read_parquet(files).sort_values("customer_id", ignore_index=True))
    assert_same(*tables)
    assert tables[0].dtypes.equals(tables[1].dtypes)


# Each kind of file at least once; what is not given is an empty table in the engine.
FILES = {
    referral_value: ("transactions", "marketing_touches", "referrals"),
    customer_portfolio: ("transactions", "service_contacts", "receivables", "satisfaction_survey"),
    retention_economics: ("transactions", "exits", "contracts", "market_spend"),
}


@pytest.fixture(scope="module")
def firm_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("firm")
    firm(600, seed=3).write(folder)
    return folder


@pytest.mark.spark
@pytest.mark.slow
@pytest.mark.parametrize("topic", FILES, ids=lambda topic: topic.__name__.rpartition(".")[2])
def test_reports_of_several_files(spark, firm_folder, topic):
    every = {name for names in FILES.values() for name in names} & vars(topic.Settings()).keys()
    files = {name: str(firm_folder / f"{name}.parquet") if name in FILES[topic] else "" for name in every}
    ours, theirs = (topic.analyse(engine=engine, draws=20, resamples=100, **files) for engine in engines.ENGINES)
    assert ours.tables.keys() == theirs.tables.keys()
    for name, table in ours.tables.items():
        assert_same(table.frame, theirs.tables[name].frame)
    for name, frame in ours.processed.items():
        assert_same(frame, theirs.processed[name])
    for words in ("answer", "warnings", "notes"):
        assert getattr(ours, words) == getattr(theirs, words)


@pytest.mark.spark
def test_summaries(spark, shop):
    calibration_end, end = "2023-09-30", "2024-06-16"

    def found(engine):
        bought = transactions.load(str(shop), engine=engine, merge_period="W", refunds="exclude", bad_rows="exclude")
        for merge_period in ("D", "M"):
            yield customer_summary.summarise(bought.table, end, "M", merge_period).order_by("customer_id").to_pandas()
        split = customer_summary.split(customer_summary.with_gaps(bought.table), calibration_end, end, "W", "W")
        yield split.order_by("customer_id").to_pandas()
        yield (
            customer_summary.realised_value(bought.realised, 0.3, end, past_rate=0.1)
            .order_by("customer_id")
            .to_pandas()
        )
        yield customer_summary.purchases_by_period(bought.table, calibration_end, [calibration_end, end])
        yield customer_summary.first_intervals(bought.table, end)

    for ours, theirs in zip(found("duckdb"), found("spark"), strict=True):
        assert_same(ours, theirs)


@pytest.mark.spark
def test_text(spark, tmp_path):
    path = tmp_path / "till.csv"
    rows = ["007;3/1/2020;1,50", " 客户 ;03/01/2020;2", "007;31/12/2019;-1", "<b>;3/1/2020;0,1", "007;3/1/2020;1,50"]
    bad_rows = ["x;31/2/2020;1", ";3/1/2020;2", "x;3/1/2020;2f"]
    # An f is a letter, a form feed is white space.
    rows = [*rows, *bad_rows, "vf;3/1/2020;2", "\vx\f;3/1/2020;2"]
    path.write_text("customer_id;date;amount\n" + "\n".join(rows) + "\n", "utf-8")
    rules = {"date_format": "%d/%m/%Y", "decimal": ",", "merge_period": "M"}
    refused = [refusal(transactions.load, str(path), engine=engine, **rules) for engine in engines.ENGINES]
    assert refused[0] == refused[1] and "(row 7; value: '31/2/2020')" in refused[0]
    ours, theirs = (
        transactions.load(str(path), engine=engine, bad_rows="exclude", **rules) for engine in engines.ENGINES
    )
    assert_same_purchases(ours, theirs)
    assert {"vf", "x"} < set(theirs.table.customer_id.to_pandas())


@pytest.mark.spark
def test_a_glob(spark, shop, tmp_path):
    for year, path in zip((2023, 2024), sorted(shop.iterdir()), strict=True):
        folder = tmp_path / "sales [1]" / f"year={year}"
        folder.mkdir(parents=True)
        (folder / path.name).write_bytes(path.read_bytes())
    source = f"{glob.escape(str(tmp_path / 'sales [1]'))}/*/[ac]*.parquet"
    ours, theirs = (transactions.load(source, engine=engine) for engine in engines.ENGINES)
    assert len(ours.inputs) == 2 and any("named after values of year" in note for note in ours.notes)
    assert_same_purchases(ours, theirs)


@pytest.mark.spark
@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"date": ["2020-01-01"]}, "They differ in 'date' (date32[day]; string)"),
        ({"shop": ["south"]}, "They differ in 'shop' (absent; string)"),
    ],
)
def test_a_folder_of_files_that_differ_is_refused(spark, tmp_path, other, told):
    columns = {"customer_id": ["1"], "date": [datetime.date(2020, 1, 1)], "amount": [1.0]}
    pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / "a.parquet")
    pyarrow.parquet.write_table(pyarrow.table(columns | other), tmp_path / "b.parquet")
    for source in (tmp_path, tmp_path / "*.parquet"):
        refused = [refusal(transactions.load, str(source), engine=engine) for engine in engines.ENGINES]
        assert refused[0] == refused[1]
        assert f"b.parquet has other columns or types than a.parquet. {told}" in refused[0]


@pytest.mark.spark
def test_a_bad_folder_is_refused_by_file_and_row(spark, tmp_path):
    moments = pyarrow.array([datetime.datetime(2020, 1, 1, 17)] * 4, pyarrow.timestamp("us", "Asia/Shanghai"))
    for name in ("a b+1.parquet", "c.parquet"):
        columns = {"customer_id": ["1", None, " 3 ", "null"], "date": moments, "amount": [1.0, 2.0, np.inf, np.nan]}
        pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / name)
    refused = [refusal(transactions.load, str(tmp_path), engine=engine) for engine in engines.ENGINES]
    assert refused[0] == refused[1]
    assert "column 'customer_id': 4 rows are empty (rows a b+1.parquet:2, a b+1.parquet:4, c.parquet:2" in refused[0]
    ours, theirs = (transactions.load(str(tmp_path), engine=engine, bad_rows="exclude") for engine in engines.ENGINES)
    assert ours.first_date == datetime.date(2020, 1, 2)  # by the clocks of Shanghai
    assert_same_purchases(ours, theirs)


@pytest.mark.spark
def test_a_damaged_file_is_refused(spark, tmp_path, recwarn):
    rows = {"customer_id": np.arange(999), "date": np.repeat(DAY.to_datetime64(), 999), "amount": np.ones(999)}
    pd.DataFrame(rows).to_parquet(tmp_path / "a.parquet")
    whole = (tmp_path / "a.parquet").read_bytes()
    # Its end is whole, so the damage shows only when its rows are read.
    (tmp_path / "b.parquet").write_bytes(whole[:100] + bytes(1000) + whole[1100:])
    for engine in engines.ENGINES:
        message = refusal(transactions.load, str(tmp_path), engine=engine)
        assert f"{tmp_path.name} cannot be used" in message and "the engine cannot read it" in message
    assert not [each for each in recwarn if each.category is UserWarning]


@pytest.mark.spark
def test_nothing_known_of_costs(spark):
    nobody = marketing_touches.load("", connection=spark).table
    assert nobody.schema() == marketing_touches.load("").table.schema() and nobody.count().to_pandas() == 0


@pytest.mark.spark
def test_what_spark_is_not_made_for_is_refused(spark, tmp_path, monkeypatch):
    monkeypatch.setattr(engines, "_LARGEST_HANDED_TO_SPARK", 10)
    path = tmp_path / "till.csv"
    path.write_text("customer_id,date,amount\n1,2020-01-01,1\n")
    assert "too much to hand over to Spark" in refusal(transactions.load, str(path), engine="spark")
    hidden = tmp_path / "_2020.parquet"
    pd.read_csv(path).to_parquet(hidden)
    assert "Spark passes over files whose name begins with _" in refusal(transactions.load, str(hidden), engine="spark")


@pytest.mark.spark
def test_limits_of_a_spark_that_runs_are_not_changed(spark):
    message = refusal(transactions.load, "cdnow_sample", engine="spark", memory_limit="2GB")
    assert "it runs with spark.driver.memory = 1024m, not 2048m. Start anew" in message
    engines.connect("spark", "1GB", threads=1)
