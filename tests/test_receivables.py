"""What customers owed and owe."""

import math

import pandas as pd
import pytest

from helpers.data import receivables
from helpers.data.engines import connect


@pytest.fixture
def write(tmp_path):
    def write(*rows, header="customer_id,date,amount_due,amount_paid"):
        path = tmp_path / "owed.csv"
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        return str(path)

    return write


def rows(found):
    table = found.table.order_by("customer_id").to_pandas()
    return {line.customer_id: (line.due, line.overdue, line.overdue_share) for line in table.itertuples()}


def test_what_is_overdue_by_hand(write):
    path = write(
        "a,2020-01-01,100,100",
        "a,2020-02-01,60,15",
        "a,2020-03-01,40,55",
        "b,2020-01-01,10,-5",
        "c,2021-01-01,7,0",
        "d,2020-01-01,0,0",
    )
    found = receivables.load(path, observation_end="2020-12-31")
    owed = rows(found)
    assert owed["a"] == (200, 45, 0.225) and owed["b"] == (10, 10, 1) and "c" not in owed
    assert owed["d"][:2] == (0, 0) and math.isnan(owed["d"][2]) and found.customers == 3
    assert list(found.accounting.itertuples(index=False, name=None))[1:] == [
        ("excluded", -1, -7.0, "due after 2020-12-31"),
        ("receivables", 5, 210.0, "fallen due up to 2020-12-31"),
    ]
    assert found.notes == [
        "Amounts of owed.csv paid beyond what was due: 1, by 15.00 in all. That pays nothing else.",
        "Amounts of owed.csv with a negative payment: 1. They count as not paid at all.",
    ]


def test_open_credit_notes_are_taken_off(write):
    path = write(
        "a,2020-01-01,100,0",
        "a,2020-01-02,-80,0",
        "b,2020-01-01,100,0",
        "b,2020-01-02,-80,-80",
        "c,2020-01-01,50,0",
        "c,2020-01-02,-80,0",
        "d,2020-01-01,-80,-100",
    )
    found = receivables.load(path)
    owed = rows(found)
    assert owed["a"] == (20, 20, 1) and owed["b"] == (100, 100, 1)
    assert owed["c"][:2] == owed["d"][:2] == (0, 0) and math.isnan(owed["c"][2])
    assert found.accounting.amount.iloc[-1] == found.accounting.amount.iloc[0] == -70
    assert found.notes == [
        "Credit notes (negative amounts due) of owed.csv: 4. What is open of them, 160.00 in all, is taken off what "
        "their customers owe."
    ]


@pytest.mark.parametrize(
    ("is_unpaid", "row", "header", "overdue", "words"),
    [
        (False, "a,2020-01-01,9,", "customer_id,date,amount_due,amount_paid", 0, "paid in full"),
        (True, "a,2020-01-01,9", "customer_id,date,amount_due", 9, "unpaid"),
    ],
)
def test_what_is_not_said_of_payments(write, is_unpaid, row, header, overdue, words):
    found = receivables.load(write(row, header=header), unpaid_when_missing=is_unpaid)
    assert rows(found) == {"a": (9, overdue, overdue / 9)}
    assert found.notes == [
        f"Amounts of owed.csv of which it does not say what has been paid: 1 of 1. They count as {words} "
        "(unpaid_when_missing)."
    ]


def test_what_falls_due_later_is_no_mistake(write):
    path = write("a,2020-01-01,9,0", "a,2020-03-01,5,0", "x,2020-01-01,3,0")
    customers = connect().create_table("customers", pd.DataFrame({"customer_id": ["a"]}))
    found = receivables.load(path, today="2020-02-01", customers=customers)
    assert rows(found) == {"a": (9, 9, 1)} and found.notes == [] and found.customers == 1
    assert found.accounting.reason.tolist()[1:] == [
        "due after 2020-02-01",
        "customer_id has no purchase",
        "fallen due up to 2020-02-01",
    ]
    assert found.accounting.rows[:-1].sum() == found.accounting.rows.iloc[-1] == 1


def test_none_given_and_the_simulated_firm():
    none = receivables.load()
    assert rows(none) == {} and none.accounting.empty and none.inputs == none.notes == [] and none.customers == 0
    table = receivables.load("synthetic_firm").table.to_pandas()
    assert table.overdue_share.dropna().between(0, 1).all() and 0.1 < table.overdue.sum() / table.due.sum() < 0.3
