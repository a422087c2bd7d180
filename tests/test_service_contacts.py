"""Service cost and feedback by customer."""

import pandas as pd
import pytest

from helpers.data import marketing_touches, service_contacts
from helpers.data.reading import connect
from helpers.data.refusal import InputRefused


@pytest.fixture
def write(tmp_path):
    def write(*rows, header="customer_id,date,cost,kind"):
        path = tmp_path / "contacts.csv"
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        return str(path)

    return write


def rows(found):
    return list(found.table.order_by("customer_id").to_pandas().itertuples(index=False, name=None))


def test_costs_contacts_and_feedback_up_to_two_days(write):
    path = write(
        "1,2019-01-31,1,question",
        "1,2019-02-01,2, Complaint ",
        "1,2020-01-31,4,return",
        "1,2020-02-01,16,complaint",
        "2,2018-01-01,8,",
    )
    found = service_contacts.load(path, observation_end="2020-01-31", earlier="2019-01-31")
    assert list(found.table.columns) == [
        *("customer_id", "service_cost", "current_service_cost", "contacts", "feedback"),
        *("earlier_service_cost", "earlier_current_service_cost"),
    ]
    assert rows(found) == [("1", 7.0, 6.0, 3, 1, 1.0, 1.0), ("2", 8.0, 0.0, 1, 0, 8.0, 0.0)]
    assert found.accounting.rows.tolist() == [5, -1, 4] and found.accounting.amount.tolist() == [31, -16, 15]
    assert found.notes == [
        "Contacts of contacts.csv that do not say what they were about: 1 of 5. They count as no feedback."
    ]
    touches = marketing_touches.load(
        write("1,2019-01-31,1,x", "1,2019-02-01,2,x"), observation_end="2020-01-31", earlier="2019-01-31", past_rate=1
    )
    table = touches.table.to_pandas()
    assert table.columns[-2:].tolist() == ["earlier_marketing_cost", "earlier_current_marketing_cost"]
    # Each sum is worth what it is as of its own day.
    assert table.iloc[0, 3:].tolist() == [1.0, 1.0]
    assert table.marketing_cost[0] == pytest.approx(2 ** (365 / 365.25) + 2 * 2 ** (364 / 365.25))


def test_costs_that_are_not_stated_are_imputed_and_counted(write):
    path = write("1,2020-01-01,2,a", "1,2020-01-02,,投诉", "x,2020-01-02,,a")
    customers = connect().create_table("customers", pd.DataFrame({"customer_id": ["1", "2"]}))
    found = service_contacts.load(path, cost_per_contact=5, customers=customers, feedback_kinds=["投诉"])
    assert rows(found) == [("1", 7.0, 7.0, 2, 1)] and found.customers == 1
    assert list(found.accounting.itertuples(index=False, name=None))[1:] == [
        ("imputed", 0, 10.0, "cost of 2 contacts is not stated: each counts as 5"),
        ("excluded", -1, -5.0, "customer_id has no purchase"),
        ("contacts", 2, 7.0, "added up for each customer"),
    ]
    assert found.notes == [
        "Contacts of contacts.csv that do not state their cost: 2 of 3; each counts as 5 (cost_per_contact)."
    ]
    bare = service_contacts.load(write("1,2020-01-01", header="customer_id,date"))
    assert bare.table.to_pandas().feedback.isna().all() and bare.accounting.amount.iloc[-1] == 0
    assert bare.notes[1] == "contacts.csv has no column kind: who gave feedback is not known."


def test_no_feedback_may_be_a_matter_of_words(write):
    found = service_contacts.load(write("1,2020-01-01,1,投诉", "1,2020-01-01,1,query"))
    assert found.notes == [
        "No contact of contacts.csv is of the kind 'complaint' (feedback_kinds). Its kinds are: query, 投诉."
    ]


def test_none_given_is_a_table_that_joins():
    none = service_contacts.load(earlier="2020-01-01")
    assert none.accounting.empty and none.inputs == none.notes == [] and rows(none) == [] and none.customers == 0
    assert len(none.table.columns) == 7 and len(service_contacts.load().table.columns) == 5


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"earlier": "2020-02-01", "observation_end": "2020-01-01"}, "it lies after observation_end='2020-01-01'"),
        ({"cost_per_contact": -1}, "it must be a number from 0 up"),
        ({"feedback_kinds": "complaint"}, "it must be a list of texts"),
        ({"bad_rows": "ignore"}, "bad_rows must be"),
    ],
)
def test_wrong_parameters(write, choices, words):
    with pytest.raises(InputRefused, match=words):
        service_contacts.load(write("1,2020-01-01,1,a"), **choices)


def test_the_simulated_firm():
    found = service_contacts.load("synthetic_firm")
    assert found.notes == [] and found.accounting.rows.nunique() == 1
    table = found.table.to_pandas()
    assert table.contacts.sum() == found.accounting.rows.iloc[0] and 0.15 < table.feedback.sum() / table.contacts.sum()
