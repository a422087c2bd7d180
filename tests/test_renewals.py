"""Contracts, counted by how often they were renewed."""

import math

import pandas as pd
import pytest

from helpers.data import renewals
from helpers.data.engines import connect
from helpers.data.refusal import InputRefused
from helpers.synthetic.firm import firm


@pytest.fixture
def write(tmp_path):
    def write(*rows, header="customer_id,start,renewals,end,price"):
        path = tmp_path / "held.csv"
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        return str(path)

    return write


def lines(frame):
    return list(frame.itertuples(index=False, name=None))


def test_contracts_are_counted_by_renewals_and_whether_they_run(write):
    path = write(
        "a,2020-01-01,2,2020-12-31,30",
        "b,2020-01-15,2,,20",
        "b,2020-02-01,2,2021-06-01,",
        "c,2020-02-01,0,2020-03-01,10",
        "d,2021-01-01,0,,50",
        "x,2020-01-01,1,,70",
    )
    known = connect().create_table("customers", pd.DataFrame({"customer_id": list("abcd")}))
    found = renewals.load(path, observation_end="2020-12-31", customers=known)
    assert lines(found.rows) == [(0, False, 1, 10.0), (2, False, 1, 30.0), (2, True, 2, 20.0)]
    assert lines(found.cohorts) == [
        ("2020-01", 2, False, 1),
        ("2020-01", 2, True, 1),
        ("2020-02", 0, False, 1),
        ("2020-02", 2, True, 1),
    ]
    assert found.mean_price == 20 and found.rows.running.dtype == bool and found.rows.customers.dtype == int
    table = found.table.order_by("customer_id", "start").to_pandas()
    assert table.columns.tolist() == ["customer_id", "start", "renewals", "end", "price", "running"]
    assert table.customer_id.tolist() == ["a", "b", "b", "c"]
    assert lines(found.accounting)[1:] == [
        ("excluded", -1, -50.0, "starts after 2020-12-31"),
        ("excluded", -1, -70.0, "customer_id has no purchase"),
        ("contracts", 4, 60.0, "started up to 2020-12-31"),
    ]
    assert found.notes == [
        "Contracts of held.csv beyond the first of their customer: 1. Each counts by itself.",
        "Contracts of held.csv that end after 2020-12-31: 1. They count as running, with the renewals that the file "
        "states.",
        "Contracts of held.csv that do not state a price: 1 of 4. Means are of the others.",
    ]


def test_nothing_to_tell_of_renewals_is_said(write):
    path = write("a,2020-01-01,0", "b,2020-02-01,0", header="customer_id,start,renewals")
    found = renewals.load(path)
    assert lines(found.rows)[0][:3] == (0, True, 2) and math.isnan(found.rows.price[0]) and math.isnan(found.mean_price)
    assert found.accounting.rows.tolist() == [2, 2]
    assert found.notes == [
        "All contracts of held.csv run still: nobody is known to have let one go.",
        "No contract of held.csv has been renewed.",
    ]
    none = renewals.load(path, observation_end="2019-12-31")
    assert none.rows.empty and none.notes == ["No contract of held.csv counts: no renewals are known."]
    assert none.accounting.rows.tolist() == [2, -2, 0]
    nothing = renewals.load()
    assert nothing.rows.empty and nothing.cohorts.empty and nothing.accounting.empty and nothing.inputs == []
    assert nothing.rows.dtypes.equals(found.rows.dtypes)


def test_a_contract_that_ends_before_it_starts(write):
    path = write("a,2020-01-01,0,2019-12-31,1", "b,2020-01-01,0.5,,1", "c,2020-01-01,1,,1")
    with pytest.raises(InputRefused) as refused:
        renewals.load(path)
    assert "lies before its start (row 2" in str(refused.value) and "whole number" in str(refused.value)


def test_the_last_day_by_default_and_the_simulated_firm(write):
    found = renewals.load(write("a,2020-01-01,0,2020-06-01,1", "b,2020-02-01,0,2021-01-01,1"), today="2020-07-01")
    assert found.rows.running.tolist() == [False, True] and found.accounting.reason.iloc[-1].endswith("2020-07-01")
    built_in, made = renewals.load("synthetic_firm"), firm().tables["contracts"]
    counts = made.groupby(["renewals", made["end"].isna()]).size()
    assert lines(built_in.rows[["renewals", "running", "customers"]]) == [(*key, n) for key, n in counts.items()]
    assert built_in.notes == [] and built_in.mean_price == pytest.approx(made.price.mean())
