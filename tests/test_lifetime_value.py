"""The lifetime-value analysis as a whole: published figures, money that does not depend on units, words that follow."""

import json
import os
import subprocess
import sys

import ibis
import nbformat
import numpy as np
import pandas as pd
import pytest

from helpers.analyses.lifetime_value import Settings, analyse, words
from helpers.analyses.lifetime_value.valuation import valuate, value_by
from helpers.data.refusal import InputRefused
from helpers.models.lifetime_value import value, value_draws
from helpers.reporting.plan import planned
from helpers.reporting.runner import run_report
from helpers.reporting.workspace import Workspace
from helpers.synthetic.transactions import transactions
from tests.browser import look
from tests.published import lifetime_value as published
from tests.test_notebooks import ROOT

# design.md, section 4: names that other programs rely on.
RESULTS = """customers repeat_customers purchases bgnbd_r bgnbd_alpha bgnbd_a bgnbd_b bgnbd_log_likelihood gamma_gamma_p
gamma_gamma_q gamma_gamma_v gamma_gamma_log_likelihood holdout_purchases expected_holdout_purchases customer_equity"""
TABLES = {
    "parameters": "model period parameter estimate standard_error low high",
    "models": "model period fitted_by log_likelihood aic bic converged",
    "scoreboard": "method measure value low high",
    "data_accounting": "step rows amount reason",
    "deciles": "decile customers",
}
CUSTOMERS = """customer_id frequency recency T monetary_value probability_alive probability_of_purchase
expected_purchases expected_spend historical_value current_value potential_value"""


QUICK = {"resamples": 100, "split_dates": 0}


@pytest.fixture(scope="module")
def sample():
    return analyse(transactions="cdnow_sample", **QUICK)


def headline(result, name):
    """The headline number of value or of a parameter, without the evaluation that the others need."""
    entries = [*words.headlines(result), *words.parameters(result)]
    return next(entry for entry in entries if entry.name == name)


def test_sample_gives_the_published_estimates(sample):
    # within a thousandth of a standard error: the published estimates stop 1e-7 short of the maximum
    for name, estimate in published.SAMPLE_BG_NBD.items():
        tolerance = 1e-3 * published.SAMPLE_BG_NBD_STANDARD_ERRORS[name]
        assert headline(sample, f"bgnbd_{name}").value == pytest.approx(estimate, abs=tolerance)
    for name, estimate in published.SAMPLE_GAMMA_GAMMA.items():
        tolerance = 1e-3 * published.SAMPLE_GAMMA_GAMMA_STANDARD_ERRORS[name]
        assert headline(sample, f"gamma_gamma_{name}").value == pytest.approx(estimate, abs=tolerance)
    assert headline(sample, "bgnbd_log_likelihood").value == pytest.approx(-9582.429, abs=6e-4)
    assert headline(sample, "gamma_gamma_log_likelihood").value == pytest.approx(-4055.9177, abs=6e-5)
    assert headline(sample, "customers").value == 2357
    found = {entry.name: entry.value for entry in sample.headlines}
    assert found["holdout_purchases"] == 1882
    assert found["expected_holdout_purchases"] == pytest.approx(1653, abs=0.5)


def test_names_that_other_programs_rely_on_are_there(sample):
    assert sample.label == ""  # not simulated
    assert set(RESULTS.split()) <= {entry.name for entry in sample.headlines}
    for name, columns in TABLES.items():
        assert set(columns.split()) <= set(sample.tables[name].frame.columns)
    values = ("expected_spend", "historical_value", "current_value", "potential_value")
    bounds = [f"{value}_{end}" for value in values for end in ("low", "high")]
    assert {*CUSTOMERS.split(), *bounds} <= set(sample.customers.columns)


def test_every_customer_has_finite_numbers_in_order(sample):
    customers = sample.customers
    assert len(customers) == 2357 and customers.customer_id.is_unique
    assert np.isfinite(customers.drop(columns="customer_id").to_numpy(float)).all()
    for name in ("expected_purchases", "expected_spend", "potential_value"):
        assert (customers[f"{name}_low"] < customers[f"{name}_high"]).all()
    inside = customers.potential_value.between(customers.potential_value_low, customers.potential_value_high)
    assert inside.mean() > 0.999


def test_same_customers_in_days_weeks_and_months_are_worth_the_same(sample):
    for unit in ("D", "M"):
        other = analyse(transactions="cdnow_sample", time_unit=unit, draws=100, **QUICK)
        assert headline(other, "customer_equity").value == pytest.approx(
            headline(sample, "customer_equity").value, rel=1e-6
        )
        np.testing.assert_allclose(other.customers.potential_value, sample.customers.potential_value, rtol=1e-5)
        assert headline(other, "bgnbd_alpha").value == pytest.approx(published.ALPHA_BY_UNIT[unit], rel=1e-4)


def test_parts_of_value_add_up_to_the_money_in_the_file(sample):
    paid = sample.purchases.realised.amount.sum().to_pandas()
    assert sample.customers.historical_value.sum() == pytest.approx(paid)
    recent = sample.purchases.realised.filter(sample.purchases.realised.date > ibis.date("1997-06-30"))
    assert sample.customers.current_value.sum() == pytest.approx(recent.amount.sum().to_pandas())


def test_potential_value_is_margin_times_discounted_purchases(sample):
    model, spend = sample.observation.purchases.model, sample.observation.spend.model
    row = sample.customers[sample.customers.frequency > 3].iloc[0]
    history = row.frequency, row.recency, row["T"]
    total, before = 0.0, 0.0
    for week in range(1, 53):
        now = float(model.expected_purchases(*map(np.atleast_1d, history), week)[0])
        total += (now - before) / 1.1 ** (7 * week / 365.25)
        before = now
    mean = float(spend.expected_average_spend(row.frequency, row.monetary_value))
    assert row.potential_value == pytest.approx(total * mean, rel=1e-9)


def test_margin_discount_and_planned_cost_move_value_as_they_should(sample):
    half = analyse(transactions="cdnow_sample", draws=100, margin_rate=0.5, **QUICK)
    assert headline(half, "customer_equity").value == pytest.approx(headline(sample, "customer_equity").value / 2)
    no_discount = {"annual_discount_rate": 0.0, "draws": 100}
    free = analyse(transactions="cdnow_sample", **no_discount, **QUICK)
    plain = (free.customers.expected_purchases * free.customers.expected_spend).sum()
    assert headline(free, "customer_equity").value == pytest.approx(plain)
    costly = analyse(transactions="cdnow_sample", planned_marketing_cost=20.0, **no_discount, **QUICK)
    paid = 2357 * 20 * 364 / 365.25
    assert headline(costly, "customer_equity").value == pytest.approx(plain - paid)
    assert value.share_below_zero(costly.customers.potential_value) > 0.5
    assert "expected to cost more than they bring" in costly.answer


def test_marketing_touches_lower_historical_and_current_value(tmp_path, sample):
    touches = pd.DataFrame({"customer_id": ["0001", "0001"], "date": ["1997-02-01", "1998-06-01"], "cost": [5, 2]})
    touches.to_csv(tmp_path / "touches.csv", index=False)
    result = analyse(transactions="cdnow_sample", marketing_touches=str(tmp_path / "touches.csv"), draws=100, **QUICK)
    with_cost, without = (frame.customers.set_index("customer_id").loc["0001"] for frame in (result, sample))
    assert without.historical_value - with_cost.historical_value == pytest.approx(7)
    assert without.current_value - with_cost.current_value == pytest.approx(2)
    assert "marketing_accounting" in result.tables


def test_lifetimes_stands_beside_ours_and_can_be_chosen(sample):
    fits = sample.calibration.peers["bg_nbd"]
    assert fits["helpers"].log_likelihood >= fits["lifetimes"].log_likelihood - 1e-6
    by_them = analyse(transactions="cdnow_sample", fitted_by="lifetimes", draws=100, **QUICK)
    assert by_them.calibration.purchases.fitted_by == "lifetimes"
    assert headline(by_them, "bgnbd_alpha").value == pytest.approx(4.4136, abs=1e-3)
    assert set(by_them.tables["models"].frame.fitted_by) == {"helpers", "lifetimes"}


def test_comparison_uses_a_sample_above_its_size():
    result = analyse(transactions="cdnow_sample", peer_customers=500, draws=100, **QUICK)
    assert result.calibration.peers["bg_nbd"]["lifetimes"].observations == 500
    assert "on a sample of 500 customers" in result.answer


def test_margins_of_the_file_are_used(tmp_path):
    bought, _ = transactions(400, seed=3)
    bought.assign(margin=0.25 * bought.amount).to_csv(tmp_path / "p.csv", index=False)
    result = analyse(transactions=str(tmp_path / "p.csv"), draws=100, **QUICK)
    assert result.margin_rate == pytest.approx(0.25)
    assert not any("revenue, not profit" in sentence for sentence in result.warnings)
    assert result.customers.historical_value.sum() == pytest.approx(0.25 * bought.amount.sum())


def test_scope_is_counted_where_the_file_has_categories(tmp_path):
    bought, _ = transactions(200, seed=3)
    bought.assign(category="music").to_csv(tmp_path / "p.csv", index=False)
    scope = (
        analyse(transactions=str(tmp_path / "p.csv"), draws=100, **QUICK)
        .tables["dimensions"]
        .frame.set_index("dimension")
    )
    assert scope.value["scope"] == 1.0
    assert 0 < scope.value["duration"] < 52
    assert np.isnan(scope.value["share"])


@pytest.mark.parametrize("period", ["W", "M"])
def test_merging_by_week_or_month_loses_no_money_and_no_customer(period, sample):
    result = analyse(transactions="cdnow_sample", merge_period=period, draws=100, **QUICK)
    paid = result.tables["data_accounting"].frame.amount.iloc[-1]
    assert result.customers.historical_value.sum() == pytest.approx(paid) == pytest.approx(244091.94)
    assert len(result.customers) == headline(result, "customers").value == 2357
    assert headline(result, "purchases").value < headline(sample, "purchases").value


def test_observation_that_ends_early_is_accounted_for():
    result = analyse(transactions="cdnow_sample", observation_end="1998-03-31", draws=100, **QUICK)
    account = result.tables["data_accounting"].frame
    assert account.rows.iloc[:-1].sum() == account.rows.iloc[-1]
    assert account.rows.iloc[-1] == headline(result, "purchases").value
    assert "1998-03-31" in account.reason.iloc[-2]


def test_words_of_a_model_that_holds_and_of_one_that_does_not(tmp_path):
    bought, _ = transactions(4000, seed=11)
    bought.to_csv(tmp_path / "true.csv", index=False)
    holds = analyse(transactions=str(tmp_path / "true.csv"), draws=200, **QUICK)
    assert ", inside that interval" in holds.answer and "- **better at how much each will buy**" in holds.answer
    # after calibration everybody buys twice as often: no model of the past can know that
    last = pd.Timestamp(holds.periods.calibration_end)
    again = bought[pd.to_datetime(bought.date) > last]
    pd.concat([bought, again.assign(date=(pd.to_datetime(again.date) - pd.Timedelta(days=1)).dt.date)]).to_csv(
        tmp_path / "broken.csv", index=False
    )
    broken = analyse(transactions=str(tmp_path / "broken.csv"), calibration_end=str(last.date()), draws=200, **QUICK)
    assert "outside that interval" in broken.answer


DEGENERATE = {
    "one customer": "customer_id,date,amount\n1,2024-01-01,5\n1,2024-02-01,6\n1,2024-03-01,5\n",
    "no repeat buyer": "customer_id,date,amount\n1,2024-01-01,5\n2,2024-02-01,6\n3,2024-03-01,7\n",
    "one purchase": "customer_id,date,amount\n1,2024-01-01,5\n",
    "all on one day": "customer_id,date,amount\n1,2024-01-01,5\n2,2024-01-01,6\n1,2024-01-01,7\n",
    "free of charge": "customer_id,date,amount\n1,2024-01-01,0\n1,2024-02-01,0\n2,2024-01-01,0\n2,2024-03-01,0\n",
    "all alike": "customer_id,date,amount\n" + "".join(f"{i},2024-0{m}-01,5\n" for i in range(40) for m in range(1, 7)),
    "two customers": "customer_id,date,amount\n1,2024-01-01,5\n1,2024-02-01,9\n2,2024-01-01,5\n2,2024-01-09,3\n",
    "a full refund": "customer_id,date,amount\n1,2024-01-01,5\n1,2024-01-01,-5\n2,2024-01-01,5\n2,2024-03-01,5\n",
}


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("text", DEGENERATE.values(), ids=DEGENERATE.keys())
def test_data_that_carry_no_model_still_get_a_report_in_words(tmp_path, text):
    (tmp_path / "p.csv").write_text(text, encoding="utf-8")
    result = analyse(transactions=str(tmp_path / "p.csv"), draws=100, **QUICK)
    assert result.warnings
    assert result.answer
    for entry in result.headlines:
        assert "nan" not in json.dumps(entry.record()).lower(), entry
    for table in result.tables.values():
        assert "nan" not in table._repr_html_().lower().replace("finance", "")
    assert all(figure.alt for figure in result.figures.values())
    assert not (result.tables["deciles"].frame.customers.dropna() < 5).any()


WRONG = {
    "horizon": ({"horizon_weeks": 0}, "horizon_weeks must be from 1 to 1040"),
    "discount below zero": ({"annual_discount_rate": -0.1}, "annual_discount_rate must be 0"),
    "margin": ({"margin_rate": 1.5}, "margin_rate is a share"),
    "unit": ({"time_unit": "Q"}, "time_unit must be one of D, W, M"),
    "fitter": ({"fitted_by": "nobody"}, "fitted_by must be"),
    "engine": ({"engine": "abacus"}, "engine"),
    "rule": ({"zero_amounts": "maybe"}, "zero_amounts"),
    "rule on identical rows": ({"identical_rows": "drop"}, "identical_rows"),
    "end before the data": ({"observation_end": "1990-01-01"}, "lies before the first purchase"),
    "calibration before the data": ({"calibration_end": "1990-01-01"}, "holdout would be longer than the data"),
    "calibration after observation": ({"calibration_end": "1999-01-01"}, "must lie before observation_end"),
    "no date": ({"calibration_end": "soon"}, "must be a date"),
}


@pytest.mark.parametrize(("choices", "said"), WRONG.values(), ids=WRONG.keys())
def test_settings_out_of_range_are_refused_in_words(choices, said):
    with pytest.raises(InputRefused, match=said):
        analyse(transactions="cdnow_sample", **choices)


def test_currency_is_text_wherever_it_stands():
    with pytest.raises(InputRefused, match="currency is the short name"):
        Settings(currency='<meta http-equiv="refresh">')
    result = analyse(transactions="cdnow_sample", currency="US$ *net*", draws=100, **QUICK)
    assert "US&#36; &#42;net&#42;" in result.answer
    from helpers.reporting.theme import render

    render(result.figures["value_distribution"])


def test_small_groups_are_not_shown_and_cannot_be_computed(tmp_path):
    bought, _ = transactions(300, seed=8)
    one = bought[bought.customer_id == bought.customer_id.iloc[0]].assign(date="2025-06-01", amount=777.77)
    cut = bought[pd.to_datetime(bought.date) <= pd.Timestamp("2023-12-31")]
    pd.concat([cut, one.head(1)]).to_csv(tmp_path / "p.csv", index=False)
    result = analyse(transactions=str(tmp_path / "p.csv"), calibration_end="2023-12-31", draws=100, **QUICK)
    periods = result.tables["periods"].frame.set_index("period")
    assert periods.amount[["calibration", "holdout"]].isna().all() and periods.amount.notna()["observation"]
    few = analyse(transactions=str(tmp_path / "p.csv"), calibration_end="2023-12-31", draws=100, min_cell=40, **QUICK)
    hidden = few.tables["frequency_fit"].frame.customers.isna().sum()
    assert hidden == 0 or hidden >= 2
    assert (few.tables["deciles"].frame.customers >= 40).all()
    assert not (few.figures["value_distribution"].frame.customers.between(1, 39)).any()


@pytest.fixture(scope="module")
def alike(tmp_path_factory):
    """Customers who are all alike: the optimum lies at infinity, so that no interval can be given."""
    path = tmp_path_factory.mktemp("alike") / "p.csv"
    path.write_text(DEGENERATE["all alike"], encoding="utf-8")
    return analyse(transactions=str(path), draws=100, **QUICK)


def test_no_verdict_without_an_interval(alike):
    assert "no interval" in alike.answer and "cannot be judged" in alike.answer and "outside" not in alike.answer


def test_failure_of_lifetimes_is_told_with_its_reason(alike):
    failed = alike.tables["models"].frame.query("not converged and fitted_by == 'lifetimes'")
    assert len(failed) and failed.failure.str.contains("lifetimes").any()


def test_several_wrong_settings_are_named_at_once():
    with pytest.raises(InputRefused) as refusal:
        Settings(horizon_weeks=-1, margin_rate=7.0, min_cell=0)
    assert len(refusal.value.problems) == 3


def test_settings_of_another_type_or_name_are_refused_as_at_the_command_line():
    with pytest.raises(InputRefused, match=r"margin_rate is float, not '0\.3'"):
        analyse(margin_rate="0.3")
    with pytest.raises(InputRefused, match=r"there is no margin\. Did you mean margin_rate"):
        analyse(margin=0.3)


def test_missed_holdout_stands_at_the_top(sample):
    assert sample.evaluation.high < sample.evaluation.split.actual
    assert any("may be too low in the same way" in sentence for sentence in sample.warnings)


def test_rows_left_out_and_later_refunds_stand_at_the_top(tmp_path):
    bought, _ = transactions(300, seed=4)
    refund = bought.tail(30).assign(amount=-bought.amount.max(), date="2024-12-31")
    pd.concat([bought, refund, bought.head(40).assign(amount="n/a")]).to_csv(tmp_path / "p.csv", index=False)
    warnings = analyse(transactions=str(tmp_path / "p.csv"), bad_rows="exclude", draws=100, **QUICK).warnings
    assert any("of the rows of the file were left out" in sentence for sentence in warnings)
    assert any("Refunds on other days than the purchase" in sentence for sentence in warnings)


def test_result_shows_itself_as_a_table(sample):
    assert "<table" in sample._repr_html_() and "are expected to bring" in sample._repr_html_()
    assert "are expected to bring" in repr(sample)


def test_notebook_passes_every_setting_under_its_own_name():
    from helpers.reporting.parameters import read_parameters

    parameters = read_parameters(ROOT / "notebooks" / "01_lifetime_value.ipynb")
    assert list(parameters) == list(parameters) and set(parameters) == set(vars(Settings()))
    assert {name: parameter.default for name, parameter in parameters.items()} == vars(Settings())


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """Two whole runs of the notebook: the sample, and a generated firm with a hostile file."""
    folder = tmp_path_factory.mktemp("reports")
    bought, _ = transactions(300, seed=5)
    ids = bought.customer_id.map(lambda number: f"<script>alert({number})</script>")
    bought.assign(customer_id=ids).to_csv(folder / "generated.csv", index=False)
    workspace = Workspace.find(ROOT).publishing_to(folder / "out")
    notebook = workspace.notebooks()["lifetime_value"]
    runs = {}
    for name, source in {"sample": "cdnow_sample", "generated": str(folder / "generated.csv")}.items():
        values = {"transactions": source, "currency": "EUR"} | QUICK
        runs[name] = run_report(planned(name, notebook, values), workspace)
        assert runs[name].outcome == "success", runs[name].message
    return runs


@pytest.mark.slow
def test_report_of_another_firm_has_other_words(reports):
    pages = {name: run.page.read_text(encoding="utf-8") for name, run in reports.items()}
    results = {name: json.loads((run.page.parent / "results.json").read_text()) for name, run in reports.items()}
    assert "The 2,357 customers" in pages["sample"] and "The 300 customers" in pages["generated"]
    for name, page in pages.items():
        assert f"{results[name]['customer_equity']['value']:,.0f} EUR" in page


@pytest.mark.slow
def test_pages_stay_small(reports):
    assert all(run.page.stat().st_size < 3_000_000 for run in reports.values())


@pytest.mark.slow
@pytest.mark.chromium
def test_report_shows_everything_with_the_network_off(reports, tmp_path):
    home = reports["sample"].page.parents[1]
    figures = len([*home.glob("2*/figures/*.svg")])
    assert figures > 5
    for page, images in {"latest/index.html": figures, "history.html": 0, "../index.html": 0}.items():
        seen = look(home / page, tmp_path)
        assert seen.whole, seen
        assert seen.images == images


@pytest.mark.slow
def test_report_names_no_customer(reports):
    for name, run in reports.items():
        record = json.loads((run.page.parent / "manifest.json").read_text())
        folder = run.page.parent.parent / record["run_id"]
        texts = [path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.suffix in {".html", ".ipynb"}]
        texts += [path.read_text(encoding="utf-8") for path in folder.rglob("*.csv")]
        assert len(texts) > 10
        if name == "generated":
            assert not any("alert(" in text for text in texts)
    processed = reports["generated"].page.parents[2] / "data" / "processed" / "generated" / "customer_value.parquet"
    assert pd.read_parquet(processed).customer_id.str.startswith("<script>").all()


@pytest.mark.slow
def test_manifest_knows_the_input(reports):
    record = json.loads((reports["sample"].page.parent / "manifest.json").read_text())
    assert [(entry["path"], entry["rows"]) for entry in record["inputs"]] == [("built-in:cdnow_sample", 6919)]
    assert len(record["inputs"][0]["sha256"]) == 64


@pytest.mark.slow
def test_tables_hold_full_precision(reports):
    record = json.loads((reports["sample"].page.parent / "manifest.json").read_text())
    folder = reports["sample"].page.parent.parent / record["run_id"]
    estimates = pd.read_csv(folder / "tables" / "parameters.csv", float_precision="round_trip")
    estimates = estimates.query("period == 'calibration' and parameter == 'r'")
    results = json.loads((folder / "results.json").read_text())
    assert estimates.estimate.iloc[0] == results["bgnbd_r"]["value"]
    units = json.loads((folder / "tables" / "columns.json").read_text())
    assert units["data_accounting"]["amount"]["unit"] == "EUR"


@pytest.mark.slow
def test_plain_papermill_runs_the_notebook_too(tmp_path, monkeypatch):
    import papermill

    monkeypatch.chdir(tmp_path)
    for name in ("HELPERS_RUN_FOLDER", "HELPERS_PROCESSED_FOLDER"):
        monkeypatch.delenv(name, raising=False)
    notebook = ROOT / "notebooks" / "01_lifetime_value.ipynb"
    papermill.execute_notebook(str(notebook), "out.ipynb", {"horizon_weeks": 26} | QUICK, kernel_name="python3")
    cells = nbformat.read("out.ipynb", as_version=4).cells
    shown = [cell.outputs[0]["data"]["text/markdown"] for cell in cells if cell.source == "report.answer()"]
    assert "in the 26 weeks after 1998-06-30" in shown[0]
    assert os.listdir(tmp_path) == ["out.ipynb"]


@pytest.mark.slow
def test_refused_file_fails_in_one_line_with_the_way_out(tmp_path):
    (tmp_path / "p.csv").write_text("customer_id,date,amount\nA,31.12.2024,5\nB,2024-01-01,\n", encoding="utf-8")
    command = [sys.executable, "-c", "from helpers.reporting.commands import main; main()", "run", "lifetime_value"]
    command += ["--workspace", str(ROOT), "--set", "transactions=p.csv", "--out", "out"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1
    line = next(line for line in done.stdout.splitlines() if line.startswith("lifetime_value: failed_contract:"))
    for part in (
        "p.csv",
        "column 'date'",
        "(row 2; ",
        "date_format='%d.%m.%Y'",
        "column 'amount'",
        "(row 3)",
        "bad_rows=",
    ):
        assert part in line, part
    assert "Traceback" not in done.stdout + done.stderr
    assert not (tmp_path / "out" / "lifetime_value" / "latest").exists()
    assert not (tmp_path / "out" / "data").exists()


def test_totals_of_very_many_histories_need_no_draws(monkeypatch):
    """They are those of draws: 400 of these make the ends uncertain by some 7 % of the width."""
    choices = {"transactions": "cdnow_sample", "split_dates": 0, "planned_marketing_cost": 3.0}
    drawn = valuate(Settings(**choices))
    monkeypatch.setattr(value_draws, "affordable_draws", lambda draws, rows: draws - 1)
    computed = valuate(Settings(**choices))
    assert drawn.value_totals.keys() == computed.value_totals.keys()
    for name, (low, high) in drawn.value_totals.items():
        assert computed.value_totals[name] == pytest.approx((low, high), abs=0.2 * (high - low)), name
    total, low, high = value_by(computed, "bg_nbd")
    assert total == pytest.approx(computed.customers.potential_value.sum(), rel=1e-9)
    assert (low, high) == pytest.approx(computed.value_totals["potential_value"], rel=1e-9)
