"""Frequency, recency, T and monetary value, held against lifetimes and published facts."""

import datetime
import warnings

import ibis
import numpy as np
import pandas as pd
import pytest

from helpers.data import customer_summary, transactions
from helpers.data.refusal import InputRefused

CALIBRATION_END, OBSERVATION_END = "1997-09-30", "1998-06-30"


@pytest.fixture(scope="module")
def cdnow():
    return {name: transactions.load(name) for name in ("cdnow_sample", "cdnow")}


@pytest.fixture(scope="module")
def random_purchases():
    """Refunds that outweigh, zero sums, several rows a day, widely different amounts, ids of two kinds."""
    rng = np.random.default_rng(7)
    n = 3000
    return pd.DataFrame(
        {
            "customer_id": rng.choice([f"{i:03d}" for i in range(150)] + ["客户", "<b>"], n),
            "date": pd.Timestamp("2019-12-15") + pd.to_timedelta(rng.integers(0, 150, n), "D"),
            "amount": np.round(np.exp(rng.normal(3, 2, n)) * rng.choice([1, 1, 1, -1, 0], n), 2),
        }
    )


def by_lifetimes(frame, end, freq):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lifetimes.utils import summary_data_from_transaction_data

        return summary_data_from_transaction_data(
            frame, "customer_id", "date", "amount", observation_period_end=end, freq=freq
        )


def summary(table, *arguments, **options):
    found = customer_summary.summarise(table, *arguments, **options)
    return found.to_pandas().set_index("customer_id").sort_index()


def dated(*purchases):
    """Make a table of "customer date" texts, the amounts 1, 2, 4, ... so that each sum names its parts."""
    customers, days = zip(*(text.split() for text in purchases), strict=True)
    dates = [datetime.date.fromisoformat(day) for day in days]
    return ibis.memtable(
        {"customer_id": customers, "date": dates, "amount": [2.0**i for i in range(len(purchases))]},
        schema={"customer_id": "string", "date": "date", "amount": "float64"},
    )


def assert_equal(ours, theirs):
    assert ours.index.tolist() == theirs.index.tolist()
    for column in ("frequency", "recency", "T"):
        np.testing.assert_array_equal(ours[column], theirs[column])
    np.testing.assert_allclose(ours.monetary_value, theirs.monetary_value, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ["cdnow_sample", "cdnow"])
@pytest.mark.parametrize("end", [CALIBRATION_END, OBSERVATION_END])
def test_cdnow_by_day_equals_lifetimes(cdnow, name, end):
    theirs = by_lifetimes(cdnow[name].realised.to_pandas(), end, "D")
    assert_equal(summary(cdnow[name].table, end, "D"), theirs)


@pytest.mark.parametrize(("merge_period", "time_unit"), [("D", "D"), ("W", "W")])
@pytest.mark.parametrize("end", ["2020-04-01", "2020-05-31", "2021-01-01"])
def test_any_table_equals_lifetimes(random_purchases, merge_period, time_unit, end):
    theirs = by_lifetimes(random_purchases, end, merge_period)
    table = ibis.memtable(random_purchases.assign(date=random_purchases.date.dt.date))
    ours = summary(table, end, time_unit, merge_period)
    assert_equal(ours, theirs)
    assert (theirs.monetary_value < 0).any()


@pytest.mark.parametrize("merge_period", ["D", "W"])
@pytest.mark.parametrize("day", ["date32", "timestamp", "zoned"])
@pytest.mark.parametrize("id_type", ["int64", "str"])
def test_any_file_equals_lifetimes(tmp_path, id_type, day, merge_period):
    """Whole numbers and texts, days, moments and moments of a zone, a sale and its refund on one day, an early end."""
    rng = np.random.default_rng(11)
    moments = pd.Timestamp("2019-12-15 00:30") + pd.to_timedelta(rng.integers(0, 150 * 48, 600) / 2, "h")
    frame = pd.DataFrame(
        {"customer_id": rng.integers(-5, 200, 600), "date": moments, "amount": rng.exponential(9, 600)}
    )
    refunds = frame.iloc[:40].assign(amount=-frame.amount, date=frame.date.dt.floor("D"))
    frame = pd.concat([frame, refunds], ignore_index=True).astype({"customer_id": id_type})
    stored = {
        "date32": frame.date.dt.date,
        "timestamp": frame.date,
        "zoned": frame.date.dt.tz_localize("Asia/Shanghai"),
    }
    frame.assign(date=stored[day]).to_parquet(tmp_path / "purchases.parquet", index=False)
    table = transactions.load(str(tmp_path / "purchases.parquet"), merge_period=merge_period).table
    end = "2020-04-01"
    ours = summary(table, end, merge_period, merge_period, intervals=False)
    theirs = by_lifetimes(frame.astype({"customer_id": str}), end, merge_period).sort_index()
    assert_equal(ours, theirs)


def test_months_follow_the_same_rules(random_purchases):
    """Against pandas' own periods: lifetimes fails with months on pandas 2 (a timedelta of months)."""
    frame = random_purchases.assign(month=random_purchases.date.dt.to_period("M").dt.to_timestamp())
    end = pd.Timestamp("2020-04-01")
    months = frame[frame.month <= end].groupby(["customer_id", "month"], as_index=False).amount.sum()
    first = months.groupby("customer_id").month.transform("min")
    groups = months.groupby("customer_id").month.agg(["min", "max", "count"])
    theirs = pd.DataFrame(
        {
            "frequency": groups["count"] - 1,
            "recency": (groups["max"] - groups["min"]).dt.days / 30.4375,
            "T": (end - groups["min"]).dt.days / 30.4375,
            "monetary_value": months[months.month > first].groupby("customer_id").amount.mean(),
        }
    ).fillna({"monetary_value": 0})
    table = ibis.memtable(random_purchases.assign(date=random_purchases.date.dt.date))
    assert_equal(summary(table, "2020-04-17", "M", "M"), theirs)


def by_pandas(frame, end, merge_period, days):
    """Sum of the logarithms of the times between purchases, customer by customer."""
    periods = frame.date.dt.to_period(merge_period).dt.start_time
    frame = frame.assign(period=periods)[periods <= pd.Timestamp(end)]
    visits = frame.drop_duplicates(["customer_id", "period"]).sort_values("period").groupby("customer_id").period
    return visits.agg(lambda dates: np.log(np.diff(dates) / np.timedelta64(1, "D") / days).sum()).sort_index()


@pytest.mark.parametrize(("merge_period", "time_unit", "days"), [("D", "W", 7), ("W", "D", 1), ("M", "M", 30.4375)])
def test_log_intervals_are_those_of_the_merged_purchases(random_purchases, merge_period, time_unit, days):
    table = ibis.memtable(random_purchases.assign(date=random_purchases.date.dt.date))
    ours = summary(table, "2020-04-17", time_unit, merge_period)
    theirs = by_pandas(random_purchases, "2020-04-17", merge_period, days)
    assert ours.index.tolist() == theirs.index.tolist()
    np.testing.assert_allclose(ours.log_intervals, theirs, rtol=1e-12, atol=1e-12)


def test_log_intervals_of_one_two_and_three_purchases():
    table = dated("a 2020-01-01", "b 2020-01-01", "b 2020-01-15", "c 2020-01-29", "c 2020-01-01", "c 2020-01-02")
    found = summary(table, "2020-02-01", "W")
    assert found.log_intervals["a"] == 0
    assert found.log_intervals["b"] == pytest.approx(np.log(2))
    assert found.log_intervals["c"] == pytest.approx(np.log(1 / 7) + np.log(27 / 7))
    # Purchases after the end make no interval.
    assert summary(table, "2020-01-10", "W").log_intervals.tolist() == pytest.approx([0, 0, np.log(1 / 7)])


@pytest.mark.parametrize("merge_period", ["D", "W", "M"])
def test_merging_before_and_while_summarising_are_the_same(random_purchases, merge_period):
    table = ibis.memtable(random_purchases.assign(date=random_purchases.date.dt.date))
    before = customer_summary.merged(table, merge_period)
    assert before.columns == ("customer_id", "date", "amount") and before.schema()["date"].is_date()
    for end in ("2020-04-15", "2020-05-31"):
        pd.testing.assert_frame_equal(
            summary(before, end, "W", merge_period), summary(table, end, "W", merge_period), rtol=1e-12
        )
    # An end that closes a period needs no merging any more.
    close = {"D": "2020-04-15", "W": "2020-04-19", "M": "2020-04-30"}[merge_period]
    keys = ["frequency", "recency", "log_intervals"]
    pd.testing.assert_frame_equal(summary(before, close)[keys], summary(table, close, "W", merge_period)[keys])


@pytest.mark.parametrize("merge_period", ["D", "W", "M"])
def test_what_is_not_asked_for_changes_nothing_else(random_purchases, merge_period):
    table = ibis.memtable(random_purchases.assign(date=random_purchases.date.dt.date))
    before = customer_summary.merged(table, merge_period)
    whole = summary(table, "2020-04-15", "W", merge_period)
    quick = summary(before, "2020-04-15", "W", merge_period, intervals=False)
    pd.testing.assert_frame_equal(quick, whole.drop(columns="log_intervals"), rtol=1e-12)
    assert "log_intervals" not in customer_summary.distinct_rows(
        customer_summary.summarise(table, "2020-04-15", intervals=False)
    )


def test_a_large_first_amount_leaves_the_later_ones_exact():
    table = ibis.memtable({"customer_id": ["a"] * 4, "date": pd.date_range("2020-01-01", periods=4).date})
    table = table.mutate(amount=ibis.ifelse(ibis._.date == datetime.date(2020, 1, 1), 123456789012.34, 0.01))
    assert summary(table, "2020-02-01").monetary_value["a"] == pytest.approx(0.01, rel=1e-12)


def test_amounts_of_any_size_are_summarised():
    table = ibis.memtable({"customer_id": ["a"] * 3, "date": pd.date_range("2020-01-01", periods=3).date})
    table = table.mutate(amount=ibis.ifelse(ibis._.date == datetime.date(2020, 1, 2), 1e17, -3e17))
    assert summary(table, "2020-02-01").monetary_value["a"] == pytest.approx(-1e17, rel=1e-12)


@pytest.mark.parametrize(("time_unit", "days"), [("W", 7), ("M", 30.4375)])
def test_the_time_unit_only_scales(cdnow, time_unit, days):
    daily = summary(cdnow["cdnow_sample"].table, CALIBRATION_END, "D")
    scaled = summary(cdnow["cdnow_sample"].table, CALIBRATION_END, time_unit)
    np.testing.assert_array_equal(scaled.recency, daily.recency / days)
    np.testing.assert_array_equal(scaled["T"], daily["T"] / days)
    pd.testing.assert_series_equal(scaled.monetary_value, daily.monetary_value)


HELD_OUT = ["holdout_purchases", "holdout_amount", "last_period_purchases", "last_period_amount", "past_amount"]


def holdout(table, start, end, merge_period="D"):
    """What the customers known on a day did after it, and in as long a time before."""
    found = customer_summary.split(customer_summary.with_gaps(table), start, end, "W", merge_period)
    return found.select("customer_id", *HELD_OUT)


@pytest.mark.parametrize(
    ("name", "customers", "repeats", "without", "held_out", "buyers"),
    [
        # The sample and its split are those of Fader, Hardie & Lee 2005 (Marketing Science 24(2)); repeats and
        # later purchases of both files also follow from lifetimes' summaries at the two ends.
        ("cdnow_sample", 2357, 2457, 1411, 1882, 684),
        ("cdnow", 23570, 24337, 14119, 19684, 7058),
    ],
)
def test_published_counts(cdnow, name, customers, repeats, without, held_out, buyers):
    found = summary(cdnow[name].table, CALIBRATION_END)
    assert (len(found), found.frequency.sum(), (found.frequency == 0).sum()) == (customers, repeats, without)
    after = holdout(cdnow[name].table, CALIBRATION_END, OBSERVATION_END).to_pandas()
    assert len(after) == customers
    assert (after.holdout_purchases.sum(), (after.holdout_purchases > 0).sum()) == (held_out, buyers)
    assert (after.holdout_amount[after.holdout_purchases == 0] == 0).all()


def test_customer_0001_of_the_literature(cdnow):
    # x = 2, t_x = 30.43, T = 38.86: Fader, Hardie & Lee 2005, the example of the conditional expectation.
    customer = summary(cdnow["cdnow_sample"].table, CALIBRATION_END).loc["0001"]
    assert (customer.frequency, round(customer.recency, 2), round(customer["T"], 2)) == (2, 30.43, 38.86)


def test_holdout_excludes_later_customers_and_later_purchases():
    table = dated(
        "a 2020-01-01", "a 2020-01-10", "a 2020-01-11", "a 2020-01-20", "a 2020-01-21", "b 2020-01-11", "c 2020-01-10"
    )
    found = holdout(table, "2020-01-10", datetime.date(2020, 1, 20)).order_by("customer_id")
    assert list(found.to_pandas().itertuples(index=False, name=None)) == [
        ("a", 2, 12.0, 1, 2.0, 3.0),
        ("c", 0, 0.0, 0, 0.0, 64.0),
    ]


def test_the_last_period_is_as_long_as_the_holdout_and_ends_with_the_calibration():
    # Ten days of holdout from 2020-01-21: the stretch is 2020-01-11 to 2020-01-20.
    days = ["a 2020-01-01", "a 2020-01-10", "a 2020-01-11", "a 2020-01-20", "a 2020-01-21", "b 2020-01-15"]
    found = holdout(dated(*days, "b 2020-01-16"), "2020-01-20", "2020-01-30").order_by("customer_id")
    assert list(found.to_pandas().itertuples(index=False, name=None)) == [
        ("a", 1, 16.0, 2, 12.0, 15.0),
        ("b", 0, 0.0, 1, 64.0, 96.0),
    ]


def test_the_last_period_of_merged_months_holds_as_many_months():
    # September has 30 days: counted in days, the stretch of that length before it would miss 2020-08-01.
    table = dated("a 2020-01-01", "a 2020-07-01", "a 2020-08-01", "a 2020-09-01")
    found = holdout(table, "2020-08-31", "2020-09-30", "M").to_pandas()
    assert found.iloc[0].tolist() == ["a", 1, 8.0, 1, 4.0, 7.0]
    with pytest.raises(InputRefused, match="merge_period must be"):
        holdout(table, "2020-08-31", "2020-09-30", "Q")


def test_the_last_period_of_cdnow_is_its_whole_calibration(cdnow):
    """Both halves have 273 days, so the last period's purchases are the 2,457 repeats of `test_published_counts`."""
    table = cdnow["cdnow_sample"].table
    found = holdout(table, CALIBRATION_END, OBSERVATION_END).to_pandas().set_index("customer_id")
    known = summary(table, CALIBRATION_END)
    assert found.last_period_purchases.sum() == 2457
    pd.testing.assert_series_equal(found.last_period_purchases.sort_index(), known.frequency, check_names=False)
    np.testing.assert_allclose(found.last_period_amount.sort_index(), known.frequency * known.monetary_value)


@pytest.mark.parametrize(("time_unit", "merge_period"), [("W", "D"), ("D", "W"), ("M", "M")])
def test_a_split_summarises_its_customers_as_the_summary_does(random_purchases, time_unit, merge_period):
    purchases = ibis.memtable(random_purchases)
    table = customer_summary.merged(purchases.mutate(date=purchases.date.date()), merge_period)
    end = datetime.date(2020, 2, 29) if merge_period == "M" else datetime.date(2020, 3, 1)
    expected = customer_summary.summarise(table, end, time_unit, merge_period).order_by("customer_id")
    found = customer_summary.split(customer_summary.with_gaps(table), end, "2020-04-30", time_unit, merge_period)
    found = found.select(expected.columns).order_by("customer_id").to_pandas()
    pd.testing.assert_frame_equal(found, expected.to_pandas(), rtol=1e-12, atol=1e-12)


def test_cdnow_week_by_week(cdnow):
    # The walkthrough of the R package BTYD prints these for weeks 20 to 25. Its weeks have 7 days from 1997-01-01, a
    # Wednesday: each ends on a Tuesday, the first on 1997-01-07. A day later the figures are others (1367 at the end
    # of week 20).
    ends = pd.date_range("1997-01-07", periods=78, freq="7D").date.tolist()
    found = customer_summary.purchases_by_period(cdnow["cdnow_sample"].table, CALIBRATION_END, ends)
    assert found.period_end.tolist() == ends and found.purchases.dtype == "int64"
    assert found.purchases.cumsum()[19:25].tolist() == [1359, 1414, 1484, 1517, 1573, 1672]
    assert found.purchases[19:25].tolist() == [73, 55, 70, 33, 56, 99]
    # The 2,457 of the calibration and the 1,882 of the holdout.
    assert found.purchases.sum() == 4339


def test_purchases_by_period_of_few():
    table = dated(
        "a 2020-01-01", "a 2020-01-03", "a 2020-01-04", "a 2020-01-20", "a 2020-02-01", "b 2020-01-05", "b 2020-01-06"
    )
    ends = ["2020-01-03", datetime.date(2020, 1, 6), "2020-01-19", "2020-01-20"]
    found = customer_summary.purchases_by_period(table, "2020-01-04", ends)
    assert found.period_end.astype(str).tolist() == ["2020-01-03", "2020-01-06", "2020-01-19", "2020-01-20"]
    assert found.purchases.tolist() == [1, 1, 0, 1]
    assert customer_summary.purchases_by_period(table, "2020-01-05", ends).purchases.tolist() == [1, 2, 0, 1]
    nobody = customer_summary.purchases_by_period(table, "2019-12-31", ends)
    assert nobody.purchases.tolist() == [0, 0, 0, 0]
    assert customer_summary.purchases_by_period(table, "2020-01-05", []).columns.tolist() == ["period_end", "purchases"]
    for wrong in (["2020-01-03", "2020-01-03"], ["2020-01-03", "2020-01-02"], ["x"], [None]):
        with pytest.raises(InputRefused):
            customer_summary.purchases_by_period(table, "2020-01-04", wrong)


def test_first_intervals():
    days = ["01", "03", "10", "25"]
    table = dated(
        *(f"{customer} 2020-01-{day}" for customer in "ab" for day in days),
        *(f"c 2020-01-{day}" for day in ("01", "02", "31")),
        *(f"d 2020-01-{day}" for day in ("01", "02")),
        "e 2020-01-01",
    )
    found = customer_summary.first_intervals(table, "2020-01-31")
    assert found.columns.tolist() == ["first_interval", "second_interval", "customers"]
    assert found.to_numpy().tolist() == [[1, 29, 1], [2, 7, 2]]
    assert customer_summary.first_intervals(table, datetime.date(2020, 1, 30)).to_numpy().tolist() == [[2, 7, 2]]
    assert customer_summary.first_intervals(table, "2020-01-09").empty


def test_first_intervals_of_cdnow_by_pandas(cdnow):
    table = cdnow["cdnow_sample"].table
    frame = table.to_pandas().assign(date=lambda f: pd.to_datetime(f.date)).query("date <= @CALIBRATION_END")
    gaps = frame.sort_values("date").groupby("customer_id").date.agg(lambda dates: tuple(dates.diff().dt.days[1:3]))
    theirs = gaps[gaps.str.len() == 2].value_counts().sort_index()
    ours = customer_summary.first_intervals(table, CALIBRATION_END)
    assert list(zip(ours.first_interval, ours.second_interval, strict=True)) == theirs.index.tolist()
    assert ours.customers.tolist() == theirs.tolist()
    # 946 customers repeat; 439 of them once (reference counts by frequency: 1411 439 214 ...).
    assert ours.customers.sum() == 946 - 439


def test_distinct_rows_hold_every_customer(cdnow):
    table = customer_summary.summarise(cdnow["cdnow"].table, CALIBRATION_END)
    found = customer_summary.distinct_rows(table)
    assert found.columns.tolist() == ["frequency", "recency", "T", "log_intervals", "customers"]
    assert found.customers.sum() == 23570 and not found[["frequency", "recency", "T"]].duplicated().any()
    assert (found.frequency * found.customers).sum() == 24337
    keys = list(found[["frequency", "recency", "T"]].itertuples(index=False))
    assert keys == sorted(keys)


def test_distinct_rows_keep_the_sum_of_log_intervals(cdnow):
    table = customer_summary.summarise(cdnow["cdnow_sample"].table, CALIBRATION_END)
    found, frame = customer_summary.distinct_rows(table), table.to_pandas()
    assert (found.log_intervals * found.customers).sum() == pytest.approx(frame.log_intervals.sum(), rel=1e-9)
    means = frame.groupby(["frequency", "recency", "T"]).log_intervals.mean()
    np.testing.assert_allclose(found.log_intervals, means, atol=1e-9)
    assert found.log_intervals.eq(found.log_intervals.round(9)).all()
    assert (found.log_intervals[found.frequency == 0] == 0).all()


def test_repeat_spend_leaves_out_and_counts_what_has_no_place(cdnow):
    table = customer_summary.summarise(cdnow["cdnow"].table, CALIBRATION_END)
    found = customer_summary.repeat_spend(table)
    frame = table.to_pandas()
    repeat = frame[frame.frequency > 0]
    assert found.attrs["left_out"] == (repeat.monetary_value <= 0).sum() > 0
    assert found.customers.sum() + found.attrs["left_out"] == len(repeat) == 23570 - 14119
    assert (found.monetary_value > 0).all()
    weighted = found.frequency * found.monetary_value * found.customers
    assert weighted.sum() == pytest.approx((repeat.frequency * repeat.monetary_value).sum())


def test_means_that_differ_in_their_last_bits_are_one_row():
    means = [0.1 + 0.2, 0.3, 0.1 * 3, 1e-17, 5.0]
    table = ibis.memtable({"frequency": [1, 1, 1, 1, 0], "monetary_value": means})
    found = customer_summary.repeat_spend(table)
    assert found.to_dict("records") == [{"frequency": 1, "monetary_value": 0.3, "customers": 3}]
    assert found.attrs["left_out"] == 1


def test_no_repeat_buyer_and_an_end_before_the_first_purchase(cdnow):
    table = customer_summary.summarise(cdnow["cdnow_sample"].table, "1997-01-01")
    found = summary(cdnow["cdnow_sample"].table, "1997-01-01")
    assert (found[["frequency", "recency", "T", "monetary_value"]] == 0).all(axis=None) and len(found) > 0
    spend = customer_summary.repeat_spend(table)
    assert spend.empty and spend.attrs["left_out"] == 0
    assert customer_summary.distinct_rows(table).customers.tolist() == [len(found)]
    before = customer_summary.summarise(cdnow["cdnow_sample"].table, "1996-12-31")
    assert customer_summary.distinct_rows(before).empty


def test_realised_value_uses_the_margin_where_it_is_stated():
    table = ibis.memtable(
        {
            "customer_id": ["a", "a", "a", "a", "b"],
            "date": [
                datetime.date(2019, 1, 31),
                datetime.date(2019, 2, 1),
                datetime.date(2020, 1, 31),
                datetime.date(2020, 2, 1),
                datetime.date(2018, 1, 1),
            ],
            "amount": [100.0, -10.0, 20.0, 1000.0, 50.0],
            "margin": [7.0, None, None, None, -3.0],
        }
    )
    found = customer_summary.realised_value(table, 0.3, "2020-01-31").order_by("customer_id").to_pandas()
    assert found.historical_margin.tolist() == pytest.approx([7 - 3 + 6, -3])
    assert found.current_margin.tolist() == pytest.approx([3, 0])
    assert found.first_date.astype(str).tolist() == ["2019-01-31", "2018-01-01"]
    assert found.last_date.astype(str).tolist() == ["2020-01-31", "2018-01-01"]


@pytest.mark.parametrize("merge_period", transactions.MERGE_PERIODS)
@pytest.mark.parametrize("end", [None, datetime.date(1997, 9, 30), datetime.date(1997, 9, 3)])
def test_whole_periods_make_all_sums_agree(merge_period, end):
    found = transactions.load("cdnow_sample", merge_period=merge_period)
    total = found.accounting.amount.iloc[-1]
    last = transactions.end_of_period(found.last_date, merge_period)
    end = transactions.end_of_period(end or found.last_date, merge_period)
    realised = customer_summary.realised_value(found.realised, 1.0, end).historical_margin.sum().execute()
    known = summary(found.table, end, merge_period=merge_period)
    after = holdout(found.table, end, last).to_pandas()
    bought = found.table.filter(found.table.date <= end)
    assert len(known) == len(after) == bought.customer_id.nunique().execute()
    assert (known.frequency + 1).sum() == bought.count().execute()
    assert realised == pytest.approx(bought.amount.sum().execute(), rel=1e-12)
    assert realised + after.holdout_amount.sum() == pytest.approx(total, rel=1e-12)


def test_windows_of_calendar_months():
    end = datetime.date
    assert customer_summary.months_before(end(2024, 2, 29), 12) == end(2023, 2, 28)
    assert customer_summary.months_before(end(1998, 6, 30), 12) == end(1997, 6, 30)


@pytest.mark.parametrize(
    "arguments", [("not a date",), ("2020-01-01", "Y"), ("2020-01-01", "W", "Q"), (None,), ("1997-13-01",)]
)
def test_wrong_parameters_are_refused(cdnow, arguments):
    with pytest.raises(InputRefused):
        customer_summary.summarise(cdnow["cdnow_sample"].table, *arguments)
