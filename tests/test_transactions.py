"""Purchases in: the rules, their account, and what is refused."""

import datetime

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.data import cleaning, engines, transactions
from helpers.data.refusal import InputRefused

HEADER = "customer_id,date,amount"


@pytest.fixture
def write(tmp_path):
    def write(*rows, header=HEADER):
        path = tmp_path / "purchases.csv"
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        return str(path)

    return write


def table(found):
    frame = found.table.order_by("customer_id", "date").to_pandas()
    return list(zip(frame.customer_id, frame.date.astype(str), frame.amount, strict=True))


def refusal(source, **options):
    with pytest.raises(InputRefused) as refused:
        transactions.load(source, **options)
    return str(refused.value)


def assert_adds_up(found):
    account = found.accounting
    assert account.step.iloc[0] == "rows in the file" and account.step.iloc[-1] == "purchases"
    assert account.rows.iloc[0] == sum(entry["rows"] for entry in found.inputs)
    assert account.rows[:-1].sum() == account.rows.iloc[-1] == found.table.count().execute()
    assert account.amount[:-1].sum() == pytest.approx(account.amount.iloc[-1], rel=1e-9, abs=1e-6)
    assert account.amount.iloc[-1] == pytest.approx(found.table.amount.sum().execute(), rel=1e-9, abs=1e-6)
    changes = account[1:-1]
    assert (changes.rows.where(changes.step != "kept", -1) < 0).all() and account.reason.str.len().gt(0).all()
    assert (changes[changes.step == "kept"][["rows", "amount"]] == 0).all(axis=None)


def steps(found):
    return {line.reason: (line.rows, line.amount) for line in found.accounting.itertuples()}


# --- the built-in data ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "rows", "customers", "identical", "free"),
    # Identical rows and zero amounts by day were counted with pandas.
    [("cdnow_sample", 6919, 2357, 21, 8), ("cdnow", 69659, 23570, 255, 80)],
)
def test_cdnow(name, rows, customers, identical, free):
    # Row counts of the files and customers: Fader & Hardie's notes on the CDNOW data set.
    found = transactions.load(name)
    assert found.inputs[0]["rows"] == rows
    assert found.table.customer_id.nunique().execute() == customers
    assert (str(found.first_date), str(found.last_date)) == ("1997-01-01", "1998-06-30")
    assert found.currency == "USD" and not found.has_margin
    assert found.realised.count().execute() == rows
    assert steps(found)[f"{identical} rows are identical to an earlier one"] == (0, 0)
    assert steps(found)[f"{free} purchases of amount zero count as purchases"] == (0, 0)
    assert_adds_up(found)


def test_the_samples_ids_are_those_of_the_literature():
    ids = transactions.load("cdnow_sample").table.customer_id.execute()
    assert ids.min() == "0001" and ids.max() == "2357"


# --- rules ----------------------------------------------------------------------------------------------


def test_purchases_of_a_period_are_one(write):
    path = write(
        "1,2020-01-01,5",
        "1,2020-01-01T23:00,6",
        "1,2020-01-05,1",
        "1,2020-01-06,2",
        "1,2020-02-01,3",
        "2,2020-01-01,4",
    )
    daily = transactions.load(path)
    assert table(daily)[:2] == [("1", "2020-01-01", 11.0), ("1", "2020-01-05", 1.0)]
    assert steps(daily)["purchases of one customer in the same day are one"] == (-1, 0)
    weekly = transactions.load(path, merge_period="W")
    # 2020-01-01 is a Wednesday, 2020-01-05 the Sunday of its week.
    assert table(weekly)[:2] == [("1", "2019-12-30", 12.0), ("1", "2020-01-06", 2.0)]
    monthly = transactions.load(path, merge_period="M")
    assert table(monthly) == [("1", "2020-01-01", 14.0), ("1", "2020-02-01", 3.0), ("2", "2020-01-01", 4.0)]
    for found in (daily, weekly, monthly):
        assert_adds_up(found)
        assert found.realised.count().execute() == 6


@pytest.mark.parametrize("merge_period", transactions.MERGE_PERIODS)
def test_the_first_and_the_last_date_are_days_of_purchase(write, merge_period):
    rows = ["1,2020-01-08,-1", "1,2020-01-09,5", "1,2020-01-29,5", "1,2020-01-30,0", "1,2020-01-31,-1"]
    for options, last in (({}, "2020-01-30"), ({"zero_amounts": "exclude"}, "2020-01-29")):
        found = transactions.load(write(*rows), merge_period=merge_period, **options)
        assert (str(found.first_date), str(found.last_date)) == ("2020-01-09", last)


@pytest.mark.parametrize(
    ("day", "merge_period", "last"),
    [
        ("2020-01-01", "D", "2020-01-01"),
        ("2020-01-01", "W", "2020-01-05"),
        ("2020-01-05", "W", "2020-01-05"),
        ("2019-12-30", "W", "2020-01-05"),
        ("2020-02-01", "M", "2020-02-29"),
        ("1999-12-31", "M", "1999-12-31"),
    ],
)
def test_the_end_of_a_period(day, merge_period, last):
    assert str(transactions.end_of_period(datetime.date.fromisoformat(day), merge_period)) == last


def test_the_end_of_no_period():
    with pytest.raises(InputRefused, match="merge_period must be"):
        transactions.end_of_period(datetime.date(2020, 1, 1), "Q")


def test_refunds_and_zero_amounts(write):
    path = write(
        "1,2020-01-01,10",
        "1,2020-01-01,-4",  # netted: 6
        "1,2020-01-02,-3",  # no purchase
        "1,2020-01-03,0",  # a purchase of nothing
        "2,2020-01-01,0.1",
        "2,2020-01-01,0.2",
        "2,2020-01-01,-0.3",  # exactly zero in decimals, though not in binary
        "3,2020-01-01,-7",  # a customer who only returned
    )
    found = transactions.load(path)
    assert table(found) == [("1", "2020-01-01", 6.0), ("1", "2020-01-03", 0.0), ("2", "2020-01-01", 0.0)]
    assert steps(found)["refunds exceed the purchases of the day"] == (-2, 10)
    assert steps(found)["refunds netted against purchases of the same day: -4.30 in amount"] == (-2, 0)
    assert steps(found)["purchases of one customer in the same day are one"] == (-1, 0)
    assert steps(found)["2 purchases of amount zero count as purchases"] == (0, 0)
    lost = "Customers of purchases.csv with no purchase left after these rules: 1. The amounts of their rows add up to "
    assert f"{lost}-7.00." in found.notes
    assert found.realised.amount.sum().execute() == pytest.approx(-4)
    without_zeros = transactions.load(path, zero_amounts="exclude")
    assert table(without_zeros) == [("1", "2020-01-01", 6.0)]
    assert steps(without_zeros)["the amount of the day is zero"] == (-2, 0)
    assert not any("count as purchases" in reason for reason in steps(without_zeros))
    assert f"{lost.replace('1', '2')}-7.00." in without_zeros.notes
    gross = transactions.load(path, refunds="exclude")
    assert table(gross)[0] == ("1", "2020-01-01", 10.0)
    assert table(gross)[2] == ("2", "2020-01-01", pytest.approx(0.3))
    assert steps(gross)["refunds (negative amounts)"] == (-4, pytest.approx(14.3))
    assert gross.realised.amount.sum().execute() == pytest.approx(-4)
    for account in (found, without_zeros, gross):
        assert_adds_up(account)


def test_refunds_alone_on_a_day_are_no_netting(write):
    found = transactions.load(
        write("1,2020-01-01,-1", "1,2020-01-01,-2", "1,2020-01-02,9", "1,2020-01-02,-20", "1,2020-01-03,0")
    )
    assert steps(found)["refunds of one customer in the same day are one"] == (-1, 0)
    assert steps(found)["refunds netted against purchases of the same day: -20.00 in amount"] == (-1, 0)
    assert steps(found)["refunds exceed the purchases of the day"] == (-2, 14)
    assert steps(found)["1 purchase of amount zero counts as a purchase"] == (0, 0)
    assert_adds_up(found)


def test_identical_rows_are_kept_unless_an_order_repeats(write):
    rows = ["1,2020-01-01,5,A", "1,2020-01-01,5,A", "1,2020-01-01,5,", "1,2020-01-01,5,", "1,2020-01-01,6,A"]
    kept = transactions.load(write(*rows, header=f"{HEADER},shop"))
    assert table(kept) == [("1", "2020-01-01", 26.0)]
    assert steps(kept)["2 rows are identical to an earlier one"] == (0, 0)
    assert_adds_up(kept)
    # The order's second line differs in its amount; rows without an order cannot be told to be copies.
    dropped = transactions.load(write(*rows, header=f"{HEADER},order_id"))
    assert table(dropped) == [("1", "2020-01-01", 21.0)]
    assert steps(dropped)["the whole row repeats an earlier one, order_id included"] == (-1, -5)
    assert steps(dropped)["1 row is identical to an earlier one"] == (0, 0)
    assert_adds_up(dropped)
    excluded = transactions.load(write(*rows, header=f"{HEADER},shop"), identical_rows="exclude")
    assert table(excluded) == [("1", "2020-01-01", 16.0)]
    assert steps(excluded)["the whole row repeats an earlier one"] == (-2, -10)
    assert_adds_up(excluded)
    # Rows that cannot be used are not kept, however often they stand there.
    mixed = transactions.load(write("1,x,5", "1,x,5", "1,2020-01-01,5", "1,2020-01-01,5"), bad_rows="exclude")
    assert steps(mixed)["1 row is identical to an earlier one"] == (0, 0)
    assert_adds_up(mixed)


def test_rows_of_one_hash_are_still_compared(write, monkeypatch):
    monkeypatch.setattr(cleaning, "content_hash", lambda contents: ibis.literal(1))
    found = transactions.load(write("1,2020-01-01,5", "1,2020-01-01,6", "2,2020-01-01,5", "1,2020-01-01,5"))
    assert steps(found)["1 row is identical to an earlier one"] == (0, 0)


def test_rows_of_two_files_may_be_identical(tmp_path):
    frame = pd.DataFrame({"customer_id": [1, 2, 2], "date": "2020-01-01", "amount": [5.0, 7.0, np.nan], "order_id": 8})
    for name in ("a", "b"):
        frame.to_parquet(tmp_path / f"{name}.parquet", index=False)
    found = transactions.load(str(tmp_path), bad_rows="exclude")
    # Whether a row is a copy is asked before whether it can be read.
    assert steps(found)["the whole row repeats an earlier one, order_id included"][0] == -3
    assert steps(found)["amount is empty"][0] == -1
    assert table(found) == [("1", "2020-01-01", 5.0), ("2", "2020-01-01", 7.0)]


@pytest.mark.parametrize("word", ["", "NULL", " NaN ", "na", "N/A", "#N/A", "None"])
def test_words_for_a_missing_id(write, word):
    header = f"{HEADER},order_id,category"
    row = f"2,2020-01-01,5,{word},NA"
    path = write(f"{word},2020-01-01,5,A,NA", row, row, header=header)
    assert "column 'customer_id': 1 row is empty (row 2)" in refusal(path)
    found = transactions.load(path, bad_rows="exclude")
    # Orders without a number are no copies of each other; as a category the word is a value.
    assert table(found) == [("2", "2020-01-01", 10.0)] and found.categories_per_customer == 1


def test_numbers_that_are_no_ids(tmp_path):
    path = tmp_path / "purchases.parquet"
    frame = pd.DataFrame({"customer_id": [1.0, np.inf, -np.inf, 1e300, 2.5, -7.0], "amount": 5.0})
    frame.assign(date=pd.Timestamp("2020-01-01")).to_parquet(path, index=False)
    assert "column 'customer_id': 4 rows are no ids (rows 2, 3, 4, 5)" in refusal(str(path))
    found = transactions.load(str(path), bad_rows="exclude")
    assert found.table.customer_id.execute().sort_values().tolist() == ["-7", "1"]


def test_white_space_around_an_id_is_no_part_of_it(write):
    found = transactions.load(
        write(" 1,2020-01-01,5", "1\t,2020-01-01,6", "\u00a01\u3000,2020-01-01,7", "a b,2020-01-01,8")
    )
    assert table(found) == [("1", "2020-01-01", 18.0), ("a b", "2020-01-01", 8.0)]


def test_a_margin_column_without_a_value_is_none(write):
    path = write("1,2020-01-01,5,", "2,2020-01-01,5,  ", header=f"{HEADER},margin")
    assert not transactions.load(path).has_margin
    path = write("1,2020-01-01,5,", "2,2020-01-01,5,0", header=f"{HEADER},margin")
    assert transactions.load(path).has_margin


def test_margin_is_summed_where_each_row_states_it(write):
    path = write(
        "1,2020-01-01,5,2",
        "1,2020-01-01,5,-1",
        "1,2020-01-02,5,",
        "1,2020-01-02,5,1",
        header=f"{HEADER},margin",
    )
    found = transactions.load(path)
    margin = found.table.order_by("date").margin.execute()
    assert found.has_margin and margin.iloc[0] == 1 and np.isnan(margin.iloc[1])
    assert "Rows of purchases.csv with a negative margin: 1. They are kept." in found.notes


def test_future_rows_are_left_out_and_named(write):
    path = write("1,2020-01-01,5", "1,2020-01-02,6", "1,2999-01-01,7")
    found = transactions.load(path, today="2020-01-01")
    assert table(found) == [("1", "2020-01-01", 5.0)]
    assert steps(found)["dated after 2020-01-01, which is impossible"] == (-2, -13)
    assert any("dated after 2020-01-01: 2" in note for note in found.notes)
    assert transactions.load(path).table.count().execute() == 2
    assert_adds_up(found)
    assert "no row remains that can be used" in refusal(path, today="2019-12-31")


def test_extreme_values_are_kept_and_named(write):
    rows = [f"{i},2020-01-01,{10 + i % 7}" for i in range(100)]
    found = transactions.load(write(*rows, "x,2020-01-01,1000000", "y,2020-01-01,0"))
    assert found.table.amount.max().execute() == 1e6
    [note] = [note for note in found.notes if "Extreme values" in note]
    assert note.endswith(": 1. They are kept: row 102.") and "1,000,000" not in note
    several = transactions.load(write(*rows, *(f"x{i},2020-01-01,1000000" for i in range(6))))
    assert any(note.endswith("6. They are kept: rows 102, 103, 104, 105, 106, ....") for note in several.notes)
    assert not any("Extreme" in note for note in transactions.load(write(*rows)).notes)


# --- segments -------------------------------------------------------------------------------------------


def segments(found):
    frame = found.segments.order_by("customer_id").to_pandas()
    assert frame.columns.tolist() == ["customer_id", "segment", "since"]
    assert (frame.segment.isna() == frame.since.isna()).all()
    assert set(frame.customer_id) == set(found.table.customer_id.execute()) and frame.customer_id.is_unique
    return {line.customer_id: None if pd.isna(line.segment) else line.segment for line in frame.itertuples()}


SEGMENTED = [
    "1,2020-01-05,5,south",
    "1,2020-01-01,5,  ",  # the earliest row names none
    "1,2020-01-02,5, north ",
    "2,2020-01-03,5,west",
    "2 ,2020-01-03,5,east",  # the same day, and the same customer
    "3,2020-01-01,5,",
    "4,2020-01-01,-1,refund",  # no purchase, no customer
    "5,2020-01-01,-1,first",  # a refund is a row of the customer's too
    "5,2020-01-02,9,second",
    "6,2020-01-01,5,NA",
    "6,2020-01-02,5,NA",
]


@pytest.mark.parametrize("rows", [SEGMENTED, SEGMENTED[::-1]])
def test_the_first_segment_counts(write, rows):
    found = transactions.load(write(*rows, header=f"{HEADER},segment"))
    assert segments(found) == {"1": "north", "2": "east", "3": None, "5": "first", "6": "NA"}
    note = "Customers of purchases.csv with more than one segment: 3. The first that is named counts."
    assert note in found.notes
    assert_adds_up(found)


def test_segments_change_no_purchase(write):
    found = transactions.load(write(*SEGMENTED, header=f"{HEADER},segment"))
    plain = transactions.load(write(*SEGMENTED, header=f"{HEADER},shop"))
    assert plain.segments is None and not any("segment" in note for note in plain.notes)
    assert table(found) == table(plain)
    pd.testing.assert_frame_equal(found.accounting, plain.accounting)
    assert transactions.load("cdnow_sample").segments is None


def test_any_column_may_be_the_segment(write):
    path = write(*SEGMENTED, header=f"{HEADER},region")
    found = transactions.load(path, columns={"region": "segment"})
    assert segments(found)["1"] == "north" and not any("does not use" in note for note in found.notes)
    both = transactions.load(write(*SEGMENTED, header=f"{HEADER},category"), columns={"category": "segment"})
    assert segments(both)["1"] == "north" and both.categories_per_customer is not None
    quantity = transactions.load("cdnow_sample", columns={"quantity": "segment"})
    assert quantity.segments.count().execute() == 2357


def test_copies_differ_in_their_segment(write):
    rows = ["1,2020-01-01,5,A,north", "1,2020-01-01,5,A,north", "1,2020-01-01,5,A,south"]
    found = transactions.load(write(*rows, header=f"{HEADER},order_id,segment"))
    assert table(found) == [("1", "2020-01-01", 10.0)]
    assert_adds_up(found)


def test_rows_that_are_left_out_name_no_segment(write):
    rows = ["1,2020-01-01,x,bad", "1,2999-01-01,5,late", "1,2020-01-02,5,good"]
    found = transactions.load(write(*rows, header=f"{HEADER},segment"), bad_rows="exclude", today="2021-01-01")
    assert segments(found) == {"1": "good"} and not any("more than one segment" in note for note in found.notes)


def test_a_segment_column_without_a_value(write):
    rows = [f"{customer},2020-01-01,5,{blank}" for customer, blank in enumerate(["", " ", '"  "', "\u3000"])]
    found = transactions.load(write(*rows, header=f"{HEADER},segment"))
    assert segments(found) == dict.fromkeys("0123")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2, 2], ["1", "2"]),
        ([np.nan, 1.0, np.nan], ["1", None]),
        ([1.5, 1.5, np.inf], ["1.5", "inf"]),
        ([1e300, 1e300, 2.0], ["1e+300", "2"]),
        ([True, True, False], ["true", "false"]),
        ([None, None, None], [None, None]),
        (pd.Categorical(["a", "a", "a"]), ["a", "a"]),
        ([datetime.date(2020, 1, 1)] * 3, ["2020-01-01", "2020-01-01"]),
    ],
)
def test_segments_and_categories_of_any_type(tmp_path, values, expected):
    path = tmp_path / "purchases.parquet"
    dates = pd.to_datetime(["2020-01-01", "2020-01-02", "2020-01-03"])
    frame = pd.DataFrame({"customer_id": [1, 1, 2], "date": dates, "amount": 5.0, "category": values})
    frame.to_parquet(path, index=False)
    found = transactions.load(str(path), columns={"category": "segment"})
    assert list(segments(found).values()) == expected
    assert found.categories_per_customer == frame.groupby("customer_id").category.nunique().mean()


def test_a_segment_that_is_no_single_value_is_refused(tmp_path):
    path = tmp_path / "purchases.parquet"
    frame = pd.DataFrame({"customer_id": [1], "date": pd.to_datetime(["2020-01-01"]), "amount": 5.0})
    frame.assign(segment=[[1, 2]]).to_parquet(path, index=False)
    expected = "column 'segment': holds values of type array<int64>, not text, numbers or dates"
    assert expected in refusal(str(path))


# --- values ---------------------------------------------------------------------------------------------


def test_dates_that_are_understood(write):
    dates = [
        "2020-03-09",
        "2020/03/09",
        "2020/3/9",
        "20200309",
        " 2020-03-09 ",
        "2020-03-09T23:59:59.999",
        "2020-03-09 00:00:00",
        "2020-03-09T23:30:00-08:00",
        "2020-03-09 00:30:00+0800",
        "2020-03-09T01:00Z",
    ]
    found = transactions.load(write(*(f"{i},{date},1" for i, date in enumerate(dates))))
    assert {date for _, date, _ in table(found)} == {"2020-03-09"}
    assert any("time zone or an offset: 3" in note for note in found.notes)


NOT_DATES = [
    "infinity",
    "epoch",
    "now",
    "2020-02-30",
    "20201301",
    "2020-01-01x",
    "44197",
    "2020-01-01T25:00",
    "1/2/2020",
    "2020",
]
NOT_NUMBERS = [
    "nan",
    "inf",
    "-Infinity",
    "1e999",
    "12,5",
    "1 000",
    "$5",
    "0x10",
    "1_000",
    "true",
    "--1",
    "5-",
]


def test_values_that_the_engine_would_take_are_refused(write):
    dates = [f"1,{value},5" for value in NOT_DATES]
    numbers = [f'1,2020-01-01,"{value}"' for value in NOT_NUMBERS]
    path = write(*dates, *numbers, "1,2020-01-01,5")
    message = refusal(path)
    assert (
        f"column 'date': {len(NOT_DATES)} rows are not dates "
        "(rows 2, 3, 4, 5, 6, ...; first value: 'infinity')" in message
    )
    assert f"column 'amount': {len(NOT_NUMBERS)} rows are not numbers" in message
    assert 'set bad_rows="exclude"' in message
    assert table(transactions.load(path, bad_rows="exclude")) == [("1", "2020-01-01", 5.0)]


def test_numbers_that_are_understood(write):
    numbers = ["5", "+5", " 5 ", "5.", "5.0", "0.5e1", "50E-1", "005"]
    found = transactions.load(write(*(f"{i},2020-01-01,{number}" for i, number in enumerate(numbers))))
    assert {amount for _, _, amount in table(found)} == {5.0}


def test_day_first_dates_and_decimal_commas_by_parameter_only(write):
    path = write("1;03/04/2020;12,50", "2;13/04/2020;-,5", header="customer_id;date;amount")
    message = refusal(path)
    assert "Set date_format='%d/%m/%Y' if the day comes first, '%m/%d/%Y' if the month does." in message
    assert "Decimal commas: set decimal=','." in message
    found = transactions.load(path, date_format="%d/%m/%Y", decimal=",")
    assert table(found) == [("1", "2020-04-03", 12.5)]
    assert "Decimal points: set decimal='.'." in refusal(write("1,2020-01-01,1.5"), decimal=",")
    assert "without thousands separators" in refusal(write('1,2020-01-01,"1,234.5"'))


@pytest.mark.parametrize("date_format", ["%d/%m", "abc", "%Q", "%", "%Y-%m-%d %z", 3, None])
def test_date_formats_that_name_no_date(write, date_format):
    assert "must name year, month and day" in refusal(write("1,2020-01-01,1"), date_format=date_format)


def test_bad_rows_are_counted_once_under_the_first_reason(write):
    path = write(",oops,x", "1,oops,5", "1,2020-01-01,x", "   ,2020-01-01,5", "1,2020-01-01", "1,2020-01-01,5")
    message = refusal(path)
    assert "column 'customer_id': 2 rows are empty (rows 2, 5)" in message
    assert "column 'date': 2 rows are not dates (rows 2, 3; first value: 'oops')" in message
    assert "column 'amount': 2 rows are not numbers (rows 2, 4; first value: 'x')" in message
    assert "1 row has a wrong number of fields (row 6)" in message
    found = transactions.load(path, bad_rows="exclude")
    counted = steps(found)
    assert counted["customer_id is empty"] == (-2, -5)
    assert counted["date is not a date"] == (-1, -5)
    assert counted["amount is not a number"][0] == -1
    assert counted["wrong number of fields"][0] == -1
    assert_adds_up(found)


@pytest.mark.parametrize("optional", ["quantity", "margin"])
def test_optional_numbers_may_be_empty_but_not_junk(write, optional):
    path = write("1,2020-01-01,5,", "1,2020-01-02,5,many", header=f"{HEADER},{optional}")
    assert f"column '{optional}': 1 row is not a number (row 3; value: 'many')" in refusal(path)


def test_ten_percent_junk(write):
    rng = np.random.default_rng(1)
    rows = [f"{rng.integers(50)},2020-01-{rng.integers(1, 29):02d},{rng.uniform(1, 9):.2f}" for _ in range(900)]
    letters = list("abc,;\t €01.-/客")
    junk = ["z" + "".join(rng.choice(letters, 12)) for _ in range(100)]
    path = write(*rng.permutation(rows + junk))
    message = refusal(path)
    assert message.startswith("purchases.csv cannot be used:") and "rows" in message
    found = transactions.load(path, bad_rows="exclude")
    assert found.accounting.rows.iloc[0] == 1000
    usable = found.realised.count().execute()
    assert usable == 900 and found.realised.customer_id.nunique().execute() == 50
    assert_adds_up(found)


# --- little data ----------------------------------------------------------------------------------------


def test_nothing_but_refunds(write):
    message = refusal(write("1,2020-01-01,-5", "2,2020-01-01,-1"))
    assert "no purchase remains (refunds exceed the purchases of the day: 2)" in message
    merged = refusal(write("1,2020-01-01,-5", "1,2020-01-01,-5", "1,2020-01-01,1"))
    assert "no purchase remains (refunds exceed the purchases of the day: 1)" in merged
    assert "no purchase remains" in refusal(write("1,2020-01-01,-5"), refunds="exclude")
    assert "no purchase remains" in refusal(write("1,2020-01-01,0"), zero_amounts="exclude")


def test_nothing_but_bad_rows(write):
    message = refusal(write("1,x,5", "1,2020-01-01"), bad_rows="exclude")
    assert "no row remains that can be used (wrong number of fields: 1; date is not a date: 1)" in message


@pytest.mark.parametrize("rows", [["1,2020-01-01,5"], ["1,2020-01-01,5", "2,2020-01-01,5"]])
def test_one_customer_and_one_day_are_data(write, rows):
    found = transactions.load(write(*rows))
    assert found.first_date == found.last_date and found.table.count().execute() == len(rows)


@pytest.mark.parametrize(
    ("option", "allowed"),
    [
        ("bad_rows", "'refuse' or 'exclude'"),
        ("zero_amounts", "'count' or 'exclude'"),
        ("refunds", "'net' or 'exclude'"),
        ("merge_period", "'D' or 'W' or 'M'"),
        ("decimal", "'.' or ','"),
        ("engine", "'duckdb' or 'spark'"),
    ],
)
def test_unknown_options_name_the_allowed_ones(option, allowed):
    assert allowed in refusal("cdnow_sample", **{option: "__import__('os')"})


def test_a_today_that_is_no_date():
    assert "it must be a date" in refusal("cdnow_sample", today="tomorrow")


# --- properties -----------------------------------------------------------------------------------------

MONEY = st.integers(-300, 1000).map(lambda cents: f"{cents / 100:.2f}") | st.sampled_from(["0", "x", ""])
ROW = st.tuples(
    st.sampled_from(["1", "2", "03", ""]),
    st.sampled_from(["2020-01-01", "2020-01-02", "2020-01-06", "2020-02-29", "2999-01-01", "?"]),
    MONEY,
    st.sampled_from(["", "A", "B"]),
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(ROW, min_size=1, max_size=25),
    random=st.randoms(use_true_random=False),
    options=st.fixed_dictionaries(
        {
            "zero_amounts": st.sampled_from(transactions.ZERO_AMOUNTS),
            "refunds": st.sampled_from(transactions.REFUNDS),
            "merge_period": st.sampled_from(list(transactions.MERGE_PERIODS)),
        }
    ),
)
def test_the_account_adds_up_and_the_order_of_rows_does_not_matter(write, rows, random, options):
    header = f"{HEADER},order_id"
    rows = [*rows, ("9", "2020-01-01", "5", "C")]
    lines = [",".join(row) for row in rows]
    found = transactions.load(write(*lines, header=header), bad_rows="exclude", **options)
    assert_adds_up(found)
    random.shuffle(lines)
    shuffled = transactions.load(write(*lines, header=header), bad_rows="exclude", **options)
    keys = ["customer_id", "date"]
    pd.testing.assert_frame_equal(
        found.table.order_by(keys).to_pandas(), shuffled.table.order_by(keys).to_pandas(), rtol=1e-12
    )
    pd.testing.assert_frame_equal(found.accounting, shuffled.accounting, rtol=1e-9)


DAYS = st.sampled_from(["2020-01-01", "2020-01-02", "2020-01-31"])
TYPED_ROW = st.tuples(
    st.sampled_from([1, 2, 3, 40, None]), DAYS, st.sampled_from([5.0, 5.0, 0.0, -5.0, -2.0, 7.25, None])
)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(TYPED_ROW, st.sampled_from([2.0, -1.0, None])), min_size=1, max_size=25),
    options=st.fixed_dictionaries(
        {
            "zero_amounts": st.sampled_from(transactions.ZERO_AMOUNTS),
            "refunds": st.sampled_from(transactions.REFUNDS),
            "identical_rows": st.sampled_from(cleaning.IDENTICAL_ROWS),
        }
    ),
)
def test_rows_alone_on_their_day_need_no_merging_and_nothing_differs(tmp_path, rows, options):
    frame = pd.DataFrame([(*row, margin) for row, margin in [((7, "2020-01-01", 5.0), None), *rows]])
    frame.columns = ["customer_id", "date", "amount", "margin"]
    typed, texts = tmp_path / "typed.parquet", tmp_path / "texts.parquet"
    frame["customer_id"], frame["date"] = frame["customer_id"].astype("Int64"), pd.to_datetime(frame["date"])
    frame.to_parquet(typed, index=False)
    # Dates that have to be read from text are merged all alike.
    frame.assign(date=frame["date"].dt.strftime("%Y-%m-%d")).to_parquet(texts, index=False)
    known, merged = (transactions.load(str(path), bad_rows="exclude", **options) for path in (typed, texts))
    assert_adds_up(known)
    keys = ["customer_id", "date"]
    for name in ("table", "realised"):
        one, other = (
            getattr(found, name).to_pandas().sort_values([*keys, "amount", "margin"]) for found in (known, merged)
        )
        pd.testing.assert_frame_equal(one.reset_index(drop=True), other.reset_index(drop=True), rtol=1e-12)
    pd.testing.assert_frame_equal(known.accounting.iloc[1:], merged.accounting.iloc[1:], rtol=1e-9)


# --- bad input at size ----------------------------------------------------------------------------------


@pytest.fixture
def many(tmp_path):
    """Three hundred thousand rows in a Parquet file, every customer with two days."""
    path = tmp_path / "many.parquet"
    rng = np.random.default_rng(3)
    days = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 700, 300_000), "D")
    frame = pd.DataFrame(
        {"customer_id": np.arange(300_000) // 2, "date": days, "amount": rng.integers(1, 10**6, 300_000)}
    )
    frame.to_parquet(path, index=False)
    return path, frame


def limited(monkeypatch, folder, memory, room):
    folder.mkdir()
    connection = engines.connect()
    settings = {"memory_limit": memory, "temp_directory": folder, "max_temp_directory_size": room}
    for setting, value in settings.items():
        connection.raw_sql(f"SET {setting} = '{value}'")
    monkeypatch.setattr(transactions, "connect", lambda *limits: connection)
    return connection


def test_what_memory_cannot_hold_is_kept_on_the_disk(many, tmp_path, monkeypatch):
    path, frame = many
    connection = limited(monkeypatch, tmp_path / "spill", "15MB", "1GB")
    found = transactions.load(str(path))
    assert found.accounting.amount.iloc[-1] == frame.amount.sum()
    assert any((tmp_path / "spill").iterdir())
    connection.disconnect()
    assert not any((tmp_path / "spill").iterdir())


def test_too_little_memory_and_no_room_on_the_disk(many, tmp_path, monkeypatch):
    path, _ = many
    connection = limited(monkeypatch, tmp_path / "spill", "10MB", "1MB")
    message = refusal(str(path))
    assert "many.parquet cannot be used" in message and "too little memory, or room on the disk" in message
    assert "Allow the engine more memory" in message and "Export it again" not in message
    connection.disconnect()
    assert not any((tmp_path / "spill").iterdir())


def test_one_percent_of_the_ids_are_missing(many, tmp_path):
    path, frame = many
    frame["customer_id"] = frame.customer_id.where(frame.index % 100 != 7).astype("Int64")
    frame.to_parquet(path, index=False)
    message = refusal(str(path))
    assert "3,000 rows" in message and "customer_id" in message and "8, 108, 208" in message
    found = transactions.load(str(path), bad_rows="exclude")
    assert steps(found)["customer_id is empty"][0] == -3000


def test_a_folder_with_a_column_of_another_type_or_a_corrupt_file(many, tmp_path):
    path, frame = many
    folder = tmp_path / "folder"
    folder.mkdir()
    frame.head(9).to_parquet(folder / "a.parquet", index=False)
    frame.head(9).assign(date="2020-01-01").to_parquet(folder / "b.parquet", index=False)
    assert "b.parquet has other columns or types than a.parquet" in refusal(str(folder))
    # The end of the file is whole, so the damage shows only when its rows are read.
    whole = path.read_bytes()
    (folder / "b.parquet").write_bytes(whole[:100] + bytes(len(whole) // 2) + whole[100 + len(whole) // 2 :])
    frame.to_parquet(folder / "a.parquet", index=False)
    message = refusal(str(folder))
    assert "folder cannot be used" in message and "the engine cannot read it" in message


def test_folders_named_after_values(many, tmp_path):
    _, frame = many
    for year, rows in frame.head(50).groupby(frame.date.dt.year):
        folder = tmp_path / "by_year" / f"year={year}"
        folder.mkdir(parents=True)
        rows.to_parquet(folder / "part.parquet", index=False)
    found = transactions.load(str(tmp_path / "by_year"))
    assert found.accounting.rows.iloc[0] == 50
    assert "Folders of by_year are named after values of year. These are not read as columns." in found.notes
