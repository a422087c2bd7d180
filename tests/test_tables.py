"""Every table that a parameter can name can be checked."""

import pytest

from helpers.data.contracts import INPUTS, TABLES
from helpers.data.refusal import InputRefused
from helpers.data.tables import LOADERS, check_input


def test_every_table_has_a_loader():
    assert {*LOADERS, "satisfaction_model"} == set(INPUTS) and set(LOADERS) == set(TABLES)


def test_a_table_that_cannot_be_loaded():
    with pytest.raises(InputRefused, match="table must be 'transactions' or"):
        check_input("weather", "x.csv", {})


def test_column_names_are_mapped_by_the_tables_own_parameter(tmp_path):
    path = tmp_path / "owed.csv"
    path.write_text("client,date,amount_due\n1,2020-01-01,5\n", encoding="utf-8")
    own = ("marketing_touches", "referrals", "service_contacts", "contracts", "exits", "receivables", "market_spend")
    assert all(TABLES[table].columns_set_by == f"{table}_columns" for table in own)
    chosen = {"columns": {}, "receivables_columns": {"client": "customer_id"}}
    assert check_input("receivables", str(path), chosen) == "1 rows in the file, 1 receivables"
