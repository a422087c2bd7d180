"""Marketing expense by customer."""

import pytest

from helpers.data import marketing_touches, transactions
from helpers.data.refusal import InputRefused


@pytest.fixture
def write(tmp_path):
    def write(*rows, header="customer_id,date,cost,channel"):
        path = tmp_path / "touches.csv"
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        return str(path)

    return write


def totals(found):
    frame = found.table.order_by("customer_id").to_pandas()
    columns = (frame.customer_id, frame.marketing_cost, frame.current_marketing_cost)
    return list(zip(*columns, strict=True))


def test_totals_of_all_time_and_of_the_last_months(write):
    path = write("1,2019-01-31,1,mail", "1,2019-02-01,2,mail", "1,2020-01-31,4,", "2,2018-01-01,8,", "1,2020-02-01,16,")
    found = marketing_touches.load(path, observation_end="2020-01-31")
    assert totals(found) == [("1", 7.0, 6.0), ("2", 8.0, 0.0)]
    assert found.accounting.rows.tolist() == [5, -1, 4]
    assert found.accounting.amount.tolist() == [31, -16, 15]
    assert found.inputs[0]["name"] == "marketing_touches" and found.inputs[0]["rows"] == 5
    assert totals(marketing_touches.load(path)) == [("1", 23.0, 20.0), ("2", 8.0, 0.0)]


def test_none_given_is_a_table_that_joins(write):
    purchases = transactions.load("cdnow_sample")
    connection = purchases.table.get_backend()
    none = marketing_touches.load("", connection=connection)
    assert totals(none) == [] and none.accounting.empty and none.inputs == none.notes == [] and none.customers == 0
    some = marketing_touches.load(write("0001,1997-01-01,3,"), connection=connection)
    for found, cost in ((none, 0), (some, 3)):
        joined = purchases.table.select("customer_id").distinct().left_join(found.table, "customer_id")
        assert joined.marketing_cost.sum().coalesce(0.0).execute() == cost


def test_touches_of_nobodys_customers_are_accounted_for(write):
    purchases = transactions.load("cdnow_sample")
    path = write(
        "0001,1997-01-01,3,", "0001,1997-01-02,4,", "x,1997-01-01,8,", "x,1999-01-01,16,", " 0002,1997-01-01,1,"
    )
    found = marketing_touches.load(path, observation_end="1998-06-30", customers=purchases.table)
    assert totals(found) == [("0001", 7.0, 0.0), ("0002", 1.0, 0.0)] and found.customers == 2
    lines = list(found.accounting.itertuples(index=False, name=None))
    assert lines[1:] == [
        ("excluded", -1, -16.0, "dated after 1998-06-30"),
        ("excluded", -1, -8.0, "customer_id has no purchase"),
        ("touches", 3, 8.0, "added up for each customer"),
    ]
    assert lines[0][1:3] == (5, 32.0)
    nobody = marketing_touches.load(write("x,1997-01-01,8,"), customers=purchases.table)
    assert totals(nobody) == [] and nobody.customers == 0 and nobody.accounting.rows.tolist() == [1, -1, 0]
    assert marketing_touches.load("", customers=purchases.table).table.get_backend() is purchases.table.get_backend()


def test_the_same_refusals_and_rules_as_for_purchases(write):
    path = write("1,01/02/2020,1,x", ",2020-01-01,2,x", "1,2020-01-01,-3,x", "1,2020-01-01,4,x,y")
    with pytest.raises(InputRefused) as refused:
        marketing_touches.load(path)
    message = str(refused.value)
    assert message.startswith("touches.csv cannot be used:")
    assert "column 'date': 1 row is not a date (row 2; value: '01/02/2020'). Set date_format" in message
    assert "column 'customer_id': 1 row is empty (row 3)" in message
    assert "1 row has a wrong number of fields (row 5)" in message
    found = marketing_touches.load(path, bad_rows="exclude")
    assert totals(found) == [("1", -3.0, -3.0)]
    assert found.accounting.rows.tolist() == [4, -1, -1, -1, 1]
    assert found.accounting.amount[:-1].sum() == found.accounting.amount.iloc[-1] == -3
    assert "Rows of touches.csv with a negative cost: 1. They are netted." in found.notes


def test_purchases_are_no_touches(write):
    with pytest.raises(InputRefused, match="column 'cost': it is required and missing"):
        marketing_touches.load(write("1,2020-01-01,1", header="customer_id,date,amount"))
    with pytest.raises(InputRefused, match="does not exist"):
        marketing_touches.load("cdnow")
