"""Where tables come from, and how they are read before anything is computed."""

import datetime
import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.data import contracts, reading, sources, transactions
from helpers.data.refusal import InputRefused, Problem, require_choice, shortened, without_values

ROWS = "customer_id,date,amount\n1,2020-01-01,5\n1,2020-01-09,7\n2,2020-01-03,1.5\n"


@pytest.fixture
def write(tmp_path):
    def write(content, name="purchases.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return str(path)

    return write


def load(source, **options):
    return transactions.load(source, **options)


def purchases(source, **options):
    table = load(source, **options).table
    return table.order_by("customer_id", "date").to_pandas()


def refusal(source, **options):
    with pytest.raises(InputRefused) as refused:
        load(source, **options)
    return str(refused.value)


# --- locating and fingerprinting ------------------------------------------------------------------------


BUILT_IN = [(table, name) for table, found in sources.BUILT_IN.items() for name in found]


@pytest.mark.parametrize(("table", "name"), BUILT_IN)
def test_what_is_built_in_is_found_described_and_licensed(table, name):
    data = sources.find_built_in(name, table)
    assert table in contracts.INPUTS
    assert sources.locate(name, table) == [data.path()] and data.path().is_file()
    assert data.description and data.origin and data.licence
    assert data.is_simulated is name.startswith("synthetic")


@pytest.mark.parametrize("name", ["cdnow", "cdnow_sample"])
def test_cdnow_has_a_currency_and_the_calibration_period_of_the_literature(name):
    data = sources.find_built_in(name, "transactions")
    assert data.currency == "USD"
    assert datetime.date.fromisoformat(data.calibration_end) == datetime.date(1997, 9, 30)


def test_built_in_data_are_found_without_importing_the_package_that_carries_them():
    code = (
        "import sys; from helpers.data import sources; sources.fingerprint('cdnow', 'transactions');"
        "sys.exit(any(name in sys.modules for name in ('lifetimes', 'pandas', 'ibis')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_fingerprint_identifies_the_content_and_shows_no_machine_path_for_built_in_data(write):
    [entry] = sources.fingerprint("cdnow_sample", "transactions")
    content = sources.find_built_in("cdnow_sample", "transactions").path().read_bytes()
    assert entry == {
        "path": "built-in:cdnow_sample",
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
    }
    path = write(ROWS)
    assert sources.fingerprint(path, "transactions") == [
        {"path": path, "sha256": hashlib.sha256(ROWS.encode()).hexdigest(), "bytes": len(ROWS)}
    ]
    [entry] = load(path).inputs
    assert (entry["name"], entry["path"], entry["rows"]) == ("transactions", path, 3)


@pytest.mark.parametrize("source", ["", "no/such/file.csv", "cdnow_smaple", "none*.parquet", "a\0b", "x" * 5000])
def test_a_path_that_does_not_exist(source):
    message = refusal(source)
    if "\0" not in source and len(source) < 100:
        assert (
            "no file is called" if "*" in source else "does not exist"
        ) in message and "'cdnow', 'cdnow_sample'" in message
        assert repr(source) in message


def test_a_built_in_name_of_another_table_is_no_path():
    with pytest.raises(InputRefused, match="does not exist"):
        sources.locate("cdnow", "marketing_touches")


def test_a_folder_without_parquet(tmp_path, write):
    write(ROWS)
    message = refusal(str(tmp_path))
    assert "holds no Parquet file" in message and "Name a CSV file itself" in message


# --- delimited text -------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_read_from_the_header(write, delimiter):
    frame = purchases(write(ROWS.replace(",", delimiter)))
    assert frame.amount.tolist() == [5, 7, 1.5]


@pytest.mark.parametrize(("encoding", "noted"), [("utf-8", False), ("utf-8-sig", False), ("gb18030", True)])
def test_encodings(write, encoding, noted):
    found = load(write(ROWS.replace("\n1,", "\n客户甲,"), encoding=encoding))
    assert found.table.customer_id.execute().tolist().count("客户甲") == 2
    assert any("GB18030" in note for note in found.notes) is noted


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_line_ends(write, line_end, last):
    text = ROWS if last else ROWS.rstrip("\n")
    assert len(purchases(write(text.replace("\n", line_end)))) == 3


def test_ids_keep_their_leading_zeros_and_markup(write):
    ids = ["007", "7", "<script>alert(1)</script>", "=1+1", "NAN1", "' OR 1=1 --"]
    rows = "".join(f"{name},2020-01-01,1\n" for name in ids)
    frame = purchases(write("customer_id,date,amount\n" + rows))
    assert sorted(frame.customer_id) == sorted(ids)


def test_quoted_values_hold_delimiters_and_unused_ones_line_ends(write):
    frame = purchases(write('customer_id,date,amount,comment\n"a,b",2020-01-01,1,"two\nlines, said ""he"""\n'))
    assert frame.customer_id.tolist() == ["a,b"]


@pytest.mark.parametrize(
    "torn",
    [
        '1,2020-01-01,"5\n1,2020-01-02,5\n1,2020-01-03,5\n',
        '1,"2020-01-01,5\n1,2020-01-02,5\n1,2020-01-03,5\n',
        '1,2020-01-01,5,"x\n1,2020-01-02,5,y\n1,2020-01-03,5,y\n',
    ],
)
@pytest.mark.parametrize("bad_rows", ["refuse", "exclude"])
def test_an_unclosed_quotation_mark_never_swallows_rows(write, torn, bad_rows):
    header = "customer_id,date,amount" + (",comment" if torn.count(",") == 9 else "")
    message = refusal(write(f"{header}\n{torn}"), bad_rows=bad_rows)
    assert "quotation mark is opened and not closed" in message and "row 2" in message


def test_blank_lines_are_harmless_and_row_numbers_are_the_spreadsheets(write):
    text = "\n\ncustomer_id,date,amount\n1,2020-01-01,5\n\n1,oops,5\n   \n,,\n1,2020-01-02,5,6\n1,2020-01-03,x\n"
    path = write(text)
    message = refusal(path)
    assert "column 'date': 1 row is not a date (row 6; value: 'oops')" in message
    assert "1 row has a wrong number of fields (row 9)" in message
    assert "column 'amount': 1 row is not a number (row 10; value: 'x')" in message
    found = load(path, bad_rows="exclude")
    assert found.inputs[0]["rows"] == 4
    assert "Blank lines of purchases.csv that were passed over: 3." in found.notes


def test_misfit_rows_are_numbered_beyond_the_first_block_of_a_large_file(write):
    rows = [f'{i},2020-01-01,1,"two\nlines"' for i in range(120_000)]
    rows[100_000] = "100000,2020-01-01,1,x,9"
    message = refusal(write("customer_id,date,amount,comment\n" + "\n".join(rows)))
    assert "1 row has a wrong number of fields (row 100002)" in message


def test_header_only_and_empty_files(write):
    assert "has a header but no rows" in refusal(write("customer_id,date,amount\n"))
    assert "is empty (0 bytes)" in refusal(write(b""))
    assert "nothing but blank lines" in refusal(write("\n \n\n"))
    assert "has a header but no rows" in refusal(write("customer_id,date,amount\n\n,,\n"))


@pytest.mark.parametrize("name", ["purchases.csv", "purchases.parquet"])
def test_binary_junk(write, name):
    for seed in range(5):
        junk = np.random.default_rng(seed).bytes(5000)
        message = refusal(write(junk, name))
        assert name in message and "Traceback" not in message


def test_junk_that_is_text_shows_a_short_header(write):
    message = refusal(write("ü" * 3000 + "\n1,2,3\n"))
    assert "column 'customer_id': it is required and missing" in message and len(message) < 1500


def test_latin_1_that_is_no_gb18030(write):
    assert "neither UTF-8 nor GB18030" in refusal(write(ROWS.replace("2,", "Marü,"), encoding="latin-1"))


@pytest.mark.parametrize(("name", "start"), [("a.xlsx", b"x"), ("b.xls", b"x"), ("c.csv", b"PK\x03\x04rest")])
def test_workbooks_are_refused_with_the_way_out(write, name, start):
    assert "save the sheet as CSV UTF-8" in refusal(write(start * 30, name))


# --- columns --------------------------------------------------------------------------------------------


def test_missing_columns_are_named_all_at_once_with_near_matches(write):
    message = refusal(write("Customer ID,Date,amount\n1,2020-01-01,5\n"))
    assert message == (
        "purchases.csv cannot be used:\n"
        "  - column 'customer_id': it is required and missing. Is it 'Customer ID'?\n"
        "  - column 'date': it is required and missing. Is it 'Date'?\n"
        "  - the file has 'Customer ID', 'Date', 'amount'. "
        'Name the columns that are missing: columns={"Customer ID": "customer_id", "Date": "date"}.'
    )


@pytest.mark.parametrize(
    "line",
    ["00001 19970101 1 11.77", "c-71@x.org,2020-01-01,5", "Meyer;2020-01-01T10:00Z;A", "Meyer;5;5", "$5,Meyer", "--,?"],
)
@pytest.mark.parametrize("columns", [None, {"id": "customer_id"}])
def test_a_file_without_a_header_is_not_quoted(write, line, columns):
    message = refusal(write(f"{line}\n{line}\n"), columns=columns)
    assert message == (
        "purchases.csv cannot be used:\n  - the first line looks like data, not like column names. "
        "Add a header line such as customer_id,date,amount."
    )


@pytest.mark.parametrize("header", ["Kunde,Tag1,Betrag", "客户,日期,金额", "who,when,total 2020"])
def test_headers_in_other_words_are_listed(write, header):
    message = refusal(write(f"{header}\n1,2020-01-01,5\n"))
    assert all(repr(text) in message for text in header.split(",")) and message.count("columns={") == 1
    assert "The first line must name the columns" in message


def test_a_header_with_years_is_a_header_where_a_column_is_known(write):
    assert "the file has 'customer_id', '2019', '2020'" in refusal(write("customer_id,2019,2020\n1,2,3\n"))


def test_a_missing_column_and_bad_rows_are_reported_together(write):
    message = refusal(write("customer_id,day,amount\n,2020-01-01,5\n2,2020-01-01,free\n"))
    assert "column 'date': it is required and missing" in message
    assert "column 'customer_id': 1 row is empty (row 2)" in message
    assert "column 'amount': 1 row is not a number (row 3; value: 'free')" in message


def test_columns_are_mapped_and_a_mapping_wins_over_a_name(write):
    path = write("id,day,amount,gross\n1,2020-01-01,5,6\n")
    found = load(path, columns={"id": "customer_id", "day": "date", "gross": "amount"})
    assert found.table.amount.execute().tolist() == [6]
    assert "Columns of purchases.csv that the analysis does not use: 'amount'." in found.notes


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"idd": "customer_id"}, "column 'idd': it is named for 'customer_id' but is not in the file"),
        ({"id": "custmer_id"}, "'custmer_id' is no column of transactions"),
        ({"id": "customer_id", "x": "customer_id"}, "2 columns are mapped to 'customer_id'"),
        (["id"], "columns must map"),
        ({"id": 3}, "columns must map"),
    ],
)
def test_wrong_mappings(write, columns, expected):
    assert expected in refusal(write("id,date,amount,x\n1,2020-01-01,5,6\n"), columns=columns)


def test_duplicate_column_names(write):
    message = refusal(write("customer_id,date,amount,amount\n1,2020-01-01,5,6\n"))
    assert "column 'amount': the name stands more than once in the header" in message


def test_a_files_own_names_cannot_clash_with_the_machinery(write):
    header = "customer_id,date,amount,row,file,fault,raw_0,Date,is_copy,empty_date,margin"
    found = load(write(f"{header}\n1,2020-01-01,5,1,2,3,4,5,6,7,2\n"))
    assert found.table.execute()[["amount", "margin"]].to_numpy().tolist() == [[5, 2]]


# --- Parquet --------------------------------------------------------------------------------------------


@pytest.fixture
def frame():
    dates = pd.to_datetime(["2020-01-01", "2020-01-09", "2020-01-03"])
    return pd.DataFrame({"customer_id": [1, 1, 2], "date": dates, "amount": [5.0, 7.0, 1.5]})


def test_parquet_types(tmp_path, frame):
    path = tmp_path / "purchases.parquet"
    expected = [("1", 5.0), ("1", 7.0), ("2", 1.5)]
    variants = [
        frame,
        frame.astype({"customer_id": str, "amount": str}),
        frame.assign(date=frame.date.dt.date, amount=frame.amount * 1),
        frame.assign(date=frame.date.dt.strftime("%Y%m%d").astype(int)),
        frame.assign(customer_id=frame.customer_id.astype(float)),
        frame.assign(customer_id=frame.customer_id.astype(str).astype("category")),
        frame.assign(amount=frame.amount.astype("float32")),
    ]
    for variant in variants:
        variant.to_parquet(path, index=False)
        found = purchases(str(path))
        assert list(zip(found.customer_id, found.amount, strict=True)) == expected
        assert found.date.astype(str).tolist() == ["2020-01-01", "2020-01-09", "2020-01-03"]


@pytest.mark.parametrize(
    ("zone", "day"), [("Asia/Shanghai", "2020-01-02"), ("UTC", "2020-01-01"), ("-05:30", "2020-01-01")]
)
def test_parquet_instants_keep_the_local_day(tmp_path, frame, zone, day):
    path = tmp_path / "purchases.parquet"
    moment = pd.Timestamp("2020-01-01 20:00", tz="UTC")
    zone = datetime.timezone(-datetime.timedelta(hours=5, minutes=30)) if zone[0] == "-" else zone
    frame.assign(date=moment).assign(date=lambda f: f.date.dt.tz_convert(zone)).to_parquet(path, index=False)
    found = load(str(path))
    assert found.first_date == found.last_date == datetime.date.fromisoformat(day)
    assert any("time zone or an offset: 3" in note for note in found.notes)


def test_parquet_columns_of_an_impossible_type(tmp_path, frame):
    path = tmp_path / "purchases.parquet"
    frame.assign(date=True, amount=frame.date, customer_id=[[1], [2], [3]]).to_parquet(path, index=False)
    message = refusal(str(path))
    assert "column 'customer_id': holds values of type array<int64>, not text or whole numbers" in message
    assert "column 'date': holds values of type boolean, not dates" in message
    assert "column 'amount': holds values of type timestamp" in message and "not numbers" in message


def test_parquet_missing_and_infinite_values(tmp_path, frame):
    path = tmp_path / "purchases.parquet"
    frame.assign(
        customer_id=[1.0, None, 2.5],
        date=frame.date.where([True, True, False]),
        amount=[np.inf, np.nan, -np.inf],
    ).to_parquet(path, index=False)
    message = refusal(str(path))
    assert "column 'customer_id': 1 row is empty (row 2)" in message
    assert "column 'customer_id': 1 row is no id (row 3)." in message and "2.5" not in message
    assert "column 'date': 1 row is empty (row 3)" in message
    assert "column 'amount': 2 rows are not numbers (rows 1, 3; first value: 'inf')" in message
    assert "column 'amount': 1 row is empty (row 2)" in message


def test_a_folder_and_a_glob_of_parquet(tmp_path, frame):
    folder = tmp_path / "month[1]"
    (folder / "deep").mkdir(parents=True)
    frame.to_parquet(folder / "part-0.parquet", index=False)
    frame.assign(customer_id=[3, 4, 4]).to_parquet(folder / "deep" / "part-1.parquet", index=False)
    (folder / "_SUCCESS").touch()
    found = load(str(folder))
    assert found.table.count().execute() == 6
    assert [entry["rows"] for entry in found.inputs] == [3, 3]
    assert load(f"{tmp_path}/month*/part-?.parquet").table.count().execute() == 3
    frame.assign(amount=[1, None, 1.0]).to_parquet(folder / "part-0.parquet", index=False)
    assert "column 'amount': 1 row is empty (row part-0.parquet:2)" in refusal(str(folder))


def test_no_file_of_a_folder_is_passed_over_in_silence(tmp_path, frame):
    for name in ("a.parquet", "B.PARQUET", ".hidden.parquet", "_delta_log/1.parquet", ".trash/c.parquet"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        frame.to_parquet(tmp_path / name, index=False)
    assert [entry["path"].rpartition("/")[2] for entry in load(str(tmp_path)).inputs] == ["B.PARQUET", "a.parquet"]
    frame.to_parquet(tmp_path / "_b.parquet", index=False)
    message = refusal(str(tmp_path))
    assert "pass over files whose name begins with _ (_b.parquet)" in message and "Rename them" in message
    assert "no file is called like this pattern" in refusal(f"{tmp_path}/*.csv")


def test_parquet_files_with_differing_columns(tmp_path, frame):
    frame.to_parquet(tmp_path / "a.parquet", index=False)
    frame.astype({"amount": str}).to_parquet(tmp_path / "b.parquet", index=False)
    message = refusal(str(tmp_path))
    assert "b.parquet has other columns or types than a.parquet" in message and "'amount'" in message


def test_parquet_that_cannot_be_read(tmp_path, frame):
    path = tmp_path / "purchases.parquet"
    path.touch()
    assert "is empty (0 bytes)" in refusal(str(path))
    frame.to_parquet(path, index=False)
    content = path.read_bytes()
    path.write_bytes(content[:-20])
    assert "is no Parquet file that can be read" in refusal(str(path))
    path.write_bytes(content[:4] + b"\xff" * 150 + content[154:])
    assert "purchases.parquet cannot be used" in refusal(str(path))
    frame.head(0).to_parquet(path, index=False)
    assert "has a header but no rows" in refusal(str(path))
    path.write_text(ROWS)
    assert "is no Parquet file that can be read" in refusal(str(path))


def test_text_files_are_not_joined(tmp_path, write):
    write(ROWS, "a.csv")
    write(ROWS, "b.csv")
    assert "Join text files into one" in refusal(str(tmp_path / "*.csv"))


# --- contracts and messages -----------------------------------------------------------------------------


@pytest.mark.parametrize("table", contracts.TABLES)
def test_each_contract_says_what_its_columns_mean(table):
    contract = contracts.TABLES[table]
    assert contract.description and all(column.meaning for column in contract.columns.values())
    assert contract.name == table and set(contract.key) <= set(contract.columns)
    assert contract.required == list(contract.columns)[: len(contract.required)]
    assert list(contract.types()) == list(contract.columns)


def test_gaps_are_allowed_in_answers_and_not_in_ids_or_weights():
    contract = contracts.satisfaction_survey(["a", "b"], {"a": "First"}, 1, 10, [99, "DK"])
    filled = {name for name, column in contract.columns.items() if column.filled}
    assert filled == {"respondent_id", "weight"} and contract.required == ["respondent_id", "a", "b"]
    assert [contract.columns[item].meaning for item in "ab"] == ["First", "b"]
    assert "a" not in contracts.TABLES["satisfaction_survey"].columns


def test_the_contract_of_a_kano_survey_in_rows_and_in_columns():
    wordings = {"yes": 1.0, "no": 5.0}
    rows = contracts.kano_survey(wordings, (1, 10))
    assert rows.required == contracts.TABLES["kano_survey"].required and rows.columns["importance"].highest == 10
    assert {name for name, column in rows.columns.items() if column.filled} == {"respondent_id", "requirement"}
    wide = contracts.kano_survey(wordings, (1, 10), {"wifi": ("a", "b", "c"), "lift": ("d", "e")})
    assert wide.required == ["respondent_id", "a", "b", "c", "d", "e"] and wide.key == ("respondent_id", "wave")
    assert [wide.columns[name].kind for name in "abcde"] == ["choice", "choice", "answer", "choice", "choice"]
    assert wide.columns["a"].wordings == wordings and wide.columns["c"].meaning.startswith("wifi: ")
    assert contracts.TABLES["kano_survey"].columns["functional"].wordings == {}


def test_several_data_sets_of_one_file_of_data_raw():
    one, other = (sources.fingerprint(name, "kano_counts")[0] for name in ("brand_rese", "reppl"))
    assert one["sha256"] == other["sha256"] and one["path"] != other["path"]
    file = pd.read_csv(sources.locate("reppl", "kano_counts")[0])
    parts = {name: reading.read(name, contracts.TABLES["kano_counts"]) for name in ("brand_rese", "reppl")}
    assert sum(part.table.count().to_pandas() for part in parts.values()) == len(file)
    for name, part in parts.items():
        rows = (np.flatnonzero(file.source == name) + 2).tolist()
        assert part.table.order_by("row").row.to_pandas().tolist() == rows and part.inputs[0]["rows"] == len(rows)
        assert part.notes == [] and part.problems == []


def test_the_message_of_a_refusal():
    problems = [
        Problem(
            "is not a number|are not numbers",
            "amount",
            12,
            ["4", "9"],
            "12,50",
            "Decimal commas: set decimal=','.",
        ),
        Problem("is empty|are empty", "customer_id", 1, ["8"]),
        Problem("it holds nothing"),
    ]
    assert str(InputRefused("purchases.csv", problems, "Mend them.")) == (
        "purchases.csv cannot be used:\n"
        "  - column 'amount': 12 rows are not numbers (rows 4, 9, ...; first value: '12,50'). "
        "Decimal commas: set decimal=','.\n"
        "  - column 'customer_id': 1 row is empty (row 8).\n"
        "  - it holds nothing.\n"
        "Mend them."
    )


@pytest.mark.parametrize("value", ["12,50", "it's", "both ' and \"", "back\\", "a); value: 'b'", "x\ny" * 30, ""])
@pytest.mark.parametrize("count", [1, 7])
def test_a_message_for_others_holds_no_values(value, count):
    problem = Problem("is not a number|are not numbers", "amount", count, ["4"], value, "Set decimal=','.")
    message = str(InputRefused("purchases.csv", [problem, problem], "Mend them."))
    assert shortened(value) in message
    without = Problem("is not a number|are not numbers", "amount", count, ["4"], None, "Set decimal=','.")
    assert without_values(message) == str(InputRefused("purchases.csv", [without, without], "Mend them."))


def test_choices_name_what_is_allowed():
    with pytest.raises(InputRefused, match="bad_rows must be 'refuse' or 'exclude'"):
        require_choice("bad_rows", ["refuse"], ("refuse", "exclude"))
    with pytest.raises(InputRefused, match="engine must be 'duckdb'"):
        reading.connect("oracle")


def test_nothing_is_written_beside_the_data_or_the_program(tmp_path, monkeypatch, write):
    path = write(ROWS)
    monkeypatch.chdir(tmp_path)
    load(path)
    assert [found.name for found in Path(tmp_path).iterdir()] == ["purchases.csv"]
    assert Path(path).read_text(encoding="utf-8") == ROWS
