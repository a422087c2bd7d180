"""Every customer scored in the engine, and written as a folder of Parquet files."""

import errno
import subprocess
import sys

import duckdb
import ibis
import numpy as np
import pandas as pd
import pytest

from helpers.analyses.lifetime_value import Settings, analyse, valuation
from helpers.analyses.lifetime_value.customer_scores import score_customers, score_histories
from helpers.analyses.lifetime_value.scoring import score
from helpers.data import customer_summary, transactions
from helpers.data.customer_summary import distinct_rows, repeat_spend, summarise
from helpers.data.refusal import InputRefused
from helpers.models.lifetime_value.value import discounted_purchases, potential_value
from helpers.synthetic.transactions import transactions as simulated

COLUMNS = """customer_id frequency recency T monetary_value probability_alive probability_of_purchase
expected_purchases expected_spend historical_value current_value potential_value""".split()


@pytest.fixture(scope="module")
def table():
    rows, _ = simulated(3_000, seed=4)
    return rows


@pytest.fixture(scope="module")
def file(table, tmp_path_factory):
    path = tmp_path_factory.mktemp("bought") / "purchases.parquet"
    table.to_parquet(path)
    return path


def out_of_memory(*_, **__):
    raise duckdb.OutOfMemoryException("failed to pin block of size 256.0 KiB")


def written(folder):
    return pd.read_parquet(folder).sort_values("customer_id", ignore_index=True)


@pytest.mark.parametrize("time_unit", ["D", "W", "M"])
def test_scores_in_the_engine_are_those_of_the_models(time_unit):
    settings = Settings(time_unit=time_unit, planned_marketing_cost=3.0)
    purchases = transactions.load("cdnow_sample")
    summary = summarise(purchases.table, purchases.last_date, time_unit).cache()
    rows = distinct_rows(summary)
    (fit, _), (spend, _) = valuation.fit_purchases("bg_nbd", rows), valuation.fit_spend(repeat_spend(summary))
    found = score_customers(summary, score_histories(fit, rows, settings), spend, 0.3, settings)
    assert len(found.to_pandas()) == 2357
    found = found.to_pandas()
    history = [found[name].to_numpy(float) for name in ("frequency", "recency", "T")]
    model, horizon = fit.model, settings.horizon
    np.testing.assert_allclose(found.probability_alive, model.probability_alive(*history), rtol=1e-13)
    np.testing.assert_allclose(
        found.probability_of_purchase, model.probability_of_purchase(*history, horizon), rtol=1e-13
    )
    np.testing.assert_allclose(found.expected_purchases, model.expected_purchases(*history, horizon), rtol=1e-13)
    mean = spend.model.expected_average_spend(history[0], found.monetary_value)
    np.testing.assert_allclose(found.expected_spend, mean, rtol=1e-13)
    discounted = discounted_purchases(model, *history, 52, 0.1, time_unit)
    np.testing.assert_allclose(found.potential_value, potential_value(0.3, mean, discounted, 3.0, 52, 0.1), rtol=1e-12)


def test_files_hold_what_the_report_holds(file, tmp_path):
    choices = {"transactions": str(file), "margin_rate": 0.4, "draws": 100}
    found = score(tmp_path / "out", intervals=True, **choices)
    said = valuation.valuate(Settings.of(choices))
    customers = written(found.folder)
    assert list(customers.columns[: len(COLUMNS)]) == COLUMNS
    same = said.customers.sort_values("customer_id", ignore_index=True)
    pd.testing.assert_frame_equal(customers[COLUMNS], same[COLUMNS], rtol=1e-12)
    for name in ("expected_purchases", "expected_spend", "potential_value"):
        for end in ("low", "high"):
            np.testing.assert_allclose(customers[f"{name}_{end}"], same[f"{name}_{end}"], rtol=1e-6)
    assert found.customers == len(customers)
    for name, total in found.totals.items():
        assert total.value == pytest.approx(customers[name].sum())
        # the draws of the report find the same interval, as exactly as a hundred draws find one
        low, high = said.value_totals[name]
        assert (total.high - total.low) == pytest.approx(high - low, rel=0.35)
    assert found.problems == ()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("refunds", [{}, {"refunds": "net"}, {"refunds": "exclude"}, {"zero_amounts": "exclude"}])
def test_realised_values_count_all_the_real_money(table, tmp_path, refunds):
    rows = table.copy()
    if refunds:
        rows.loc[rows.index % 50 == 7, "amount"] *= -1
        rows.loc[rows.index % 50 == 8, "amount"] = 0
    rows.to_parquet(tmp_path / "rows.parquet")
    assert transactions.load(str(tmp_path / "rows.parquet"), **refunds).is_all_bought is not bool(refunds)
    found = written(
        score(tmp_path / "out", transactions=str(tmp_path / "rows.parquet"), margin_rate=0.4, **refunds).folder
    )
    rows["recent"] = rows.amount.where(rows.date > rows.date.max() - pd.DateOffset(months=12), 0)
    paid = rows.groupby(rows.customer_id.astype(str))[["amount", "recent"]].sum().loc[found.customer_id]
    np.testing.assert_allclose(found[["historical_value", "current_value"]], 0.4 * paid, rtol=1e-9, atol=1e-9)


def test_ids_and_places_of_any_kind(table, file, tmp_path):
    """Whole numbers and text, a file, a folder and a glob: the same customers get the same scores."""
    parts = tmp_path / "parts"
    parts.mkdir()
    half = len(table) // 2
    table.iloc[:half].to_parquet(parts / "a.parquet")
    table.iloc[half:].to_parquet(parts / "b.parquet")
    text = table.assign(customer_id="c" + table.customer_id.astype(str), date=table.date + pd.Timedelta(hours=9))
    text.to_parquet(tmp_path / "text.parquet")
    expected = written(score(tmp_path / "one", transactions=str(file)).folder)
    for source in (parts, parts / "*.parquet"):
        found = written(score(tmp_path / "another", transactions=str(source)).folder)
        pd.testing.assert_frame_equal(found, expected, rtol=1e-9)
    found = written(score(tmp_path / "another", transactions=str(tmp_path / "text.parquet")).folder)
    found = found.assign(customer_id=found.customer_id.str[1:]).sort_values("customer_id", ignore_index=True)
    pd.testing.assert_frame_equal(found, expected, rtol=1e-9)


def test_scores_take_no_place_but_that_of_scores(table, file, tmp_path):
    sales = tmp_path / "sales"
    sales.mkdir()
    table.to_parquet(sales / "bought.parquet")
    for out, why in ((sales, "in the folder of the purchases"), (sales / "scores", "in the folder of the purchases")):
        with pytest.raises(InputRefused, match=why):
            score(out, transactions=sales)
    with pytest.raises(InputRefused, match="no folder of scores only"):
        score(sales, transactions=file)
    assert [path.name for path in sales.iterdir()] == ["bought.parquet"]
    with pytest.raises(InputRefused, match="intervals is True or False, not 'yes'"):
        score(tmp_path / "out", transactions=file, intervals="yes")
    score(tmp_path / "out", transactions=sales)
    score(tmp_path / "out", transactions=sales)


def test_what_refunds_cancel_leaves_no_residue(table, tmp_path):
    # In binary these four leave 7e-9, which is no purchase of the spend model's.
    amounts = [40924568.38, 421.5, 188.85, -40925178.73]
    days = pd.to_datetime(["2001-01-01", *["2001-02-01"] * 4])
    refunds = pd.DataFrame({"customer_id": 10**6, "date": days, "amount": [500.0, *amounts]})
    pd.concat([table, refunds]).to_parquet(tmp_path / "refunds.parquet")
    found = score(tmp_path / "out", transactions=str(tmp_path / "refunds.parquet"))
    customer = written(found.folder).set_index("customer_id").loc[str(10**6)]
    assert (customer.frequency, customer.monetary_value) == (1, 0)
    expected = analyse(transactions=str(tmp_path / "refunds.parquet"), draws=100).observation
    np.testing.assert_allclose(found.spend.estimates, expected.spend.estimates, rtol=1e-9)
    np.testing.assert_allclose(found.purchases.estimates, expected.bg_nbd.estimates, rtol=1e-9)


def test_what_was_left_out_is_told(table, tmp_path):
    bad = pd.DataFrame({"customer_id": [None, 1, 2], "date": pd.Timestamp("2020-01-01"), "amount": [5.0, np.nan, 1e7]})
    pd.concat([table.astype({"customer_id": "Int64"}), bad]).to_parquet(tmp_path / "bad.parquet")
    costs = pd.DataFrame({"customer_id": [1, -1], "date": "2020-01-01", "cost": 2.0})
    costs.to_csv(tmp_path / "costs.csv", index=False)
    names = {"transactions": str(tmp_path / "bad.parquet"), "marketing_touches": str(tmp_path / "costs.csv")}
    found = score(tmp_path / "out", **names, bad_rows="exclude")
    excluded = found.accounting[found.accounting.step == "excluded"].set_index("reason").rows
    assert excluded.to_dict() == {"customer_id is empty": -1, "amount is empty": -1}
    assert found.accounting.rows.iloc[:-1].sum() == found.accounting.rows.iloc[-1]
    assert "Extreme values of amount in bad.parquet" in " ".join(found.notes)
    assert found.marketing_accounting.rows.iloc[0] == 2 and len(score(tmp_path / "out").marketing_accounting) == 0


@pytest.mark.parametrize("asked", ["summarise", "repeat_spend"])
def test_too_little_memory_for_the_summary_is_said(file, tmp_path, monkeypatch, asked):
    monkeypatch.setattr(customer_summary, asked, out_of_memory)
    with pytest.raises(InputRefused, match="the engine has too little memory"):
        score(tmp_path / "out", transactions=str(file))
    assert not (tmp_path / "out").exists()


def test_too_little_memory_for_the_evaluation_is_said(file, monkeypatch):
    result = analyse(transactions=str(file), draws=100)
    monkeypatch.setattr(customer_summary, "with_gaps", out_of_memory)
    with pytest.raises(InputRefused, match="the engine has too little memory"):
        assert result.evaluation


def test_without_a_model_scores_are_missing_and_the_reason_is_told(tmp_path):
    once = pd.DataFrame({"customer_id": range(8), "date": pd.date_range("2024-01-01", periods=8), "amount": 5.0})
    once.to_csv(tmp_path / "once.csv", index=False)
    found = score(tmp_path / "out", transactions=str(tmp_path / "once.csv"))
    assert found.purchases is None and "No customer bought again" in found.problems[0]
    customers = written(found.folder)
    assert customers.potential_value.isna().all() and (customers.historical_value == 5).all()
    assert np.isnan(found.totals["potential_value"].value)


def test_places_that_hold_something_else_are_refused_before_anything_is_read(tmp_path):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "notes.txt").write_text("mine")
    for place in ("file", "folder"):
        with pytest.raises(InputRefused, match="no folder of scores only"):
            score(tmp_path / place, transactions="no such file")
    assert (tmp_path / "folder" / "notes.txt").read_text() == "mine"


def test_full_disk_leaves_the_earlier_scores_and_nothing_else(file, tmp_path, monkeypatch):
    out = tmp_path / "out"
    score(out, transactions=str(file))
    before = written(out)

    def full(self, expr, path, **more):
        path.mkdir()
        (path / "data_0.parquet").write_bytes(b"PAR1 and a bit")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(ibis.backends.duckdb.Backend, "to_parquet", full)
    with pytest.raises(InputRefused, match=r"the scores cannot be written: .*No space left on device"):
        score(out, transactions=str(file))
    pd.testing.assert_frame_equal(written(out), before)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_place_that_cannot_be_made_is_refused(file, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputRefused, match="the scores cannot be written"):
        score(tmp_path / "file" / "out", transactions=str(file))


def test_scoring_imports_no_drawing():
    code = (
        "import sys; import helpers.analyses.lifetime_value.scoring; "
        "print(sorted({'matplotlib', 'seaborn', 'semopy', 'lifetimes', 'great_tables'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "[]"
