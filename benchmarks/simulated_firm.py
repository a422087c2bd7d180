"""How long a firm is simulated and its customers analysed, each in a process of its own, as reports run.

Run by `make bench`. An analysis goes the whole way: files, checks, models, draws, every table and figure, and the table
of customers. Peak memory is that of the process.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

SIZES = (10_000, 100_000, 1_000_000)
SEED = 3
RESULTS = Path(__file__).with_suffix(".csv")
# The tables that each topic reads.
TOPICS = {
    "referral_value": ("transactions", "referrals", "marketing_touches"),
    "customer_portfolio": (
        "transactions",
        "marketing_touches",
        "service_contacts",
        "exits",
        "receivables",
        "referrals",
        "satisfaction_survey",
    ),
    "retention_economics": ("transactions", "exits", "marketing_touches", "contracts", "market_spend"),
}
MEASURED = """
import json, resource, sys, time
begun, cpu = time.perf_counter(), time.process_time()
{work}
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
seconds = {{"wall_seconds": time.perf_counter() - begun, "cpu_seconds": time.process_time() - cpu}}
print(json.dumps(rows | seconds | {{"peak_megabytes": peak}}))
"""
SIMULATE = """
from pathlib import Path
from helpers.synthetic.firm import firm
made = firm({customers}, seed={seed})
for name, table in made.tables.items():
    table.to_parquet(Path({folder!r}) / f"{{name}}.parquet")
rows = {{"order_lines": len(made.tables["transactions"])}}
"""
ANALYSE = """
from helpers.analyses.{topic} import analyse
from helpers.reporting.theme import render
result = analyse(**{{name: f"{folder}/{{name}}.parquet" for name in {tables}}})
result.answer, result.tables, result.processed
for figure in result.figures.values():
    figure.draw and render(figure)
rows = {{"order_lines": int(result.tables["data_accounting"].frame["rows"].iloc[0])}}
"""


def main(arguments: list[str] | None = None) -> None:
    """Measure, print what was measured and write it down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--topics", nargs="+", choices=list(TOPICS), default=list(TOPICS))
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    lines = []
    for customers in options.customers:
        with tempfile.TemporaryDirectory(prefix="firm-") as folder:
            works = {"simulate": SIMULATE.format(customers=customers, seed=SEED, folder=folder)}
            for topic in options.topics:
                works[topic] = ANALYSE.format(topic=topic, folder=folder, tables=TOPICS[topic])
            for work, text in works.items():
                measured = _run(text)
                lines.append({"work": work, "customers": customers} | measured)
                print(f"{work} {customers:,}: {measured['wall_seconds']:.1f} s, {measured['peak_megabytes']:,.0f} MB")
    pd.DataFrame(lines).to_csv(options.out, index=False, float_format="%.4g", lineterminator="\n")
    print(f"\nwritten: {options.out}")


def _run(work: str) -> dict[str, float]:
    """Run work in a new process and return what it measured."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURED.format(work=work)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
