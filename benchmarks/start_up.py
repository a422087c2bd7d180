"""What each way into this project imports, how long that takes, and whether anything is imported that it does not use.

Run by `make bench`. Each door is opened in a process of its own; `python -X importtime` names what was imported.
"""

import argparse
import ast
import math
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pandas as pd

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).with_suffix(".csv")
LIST = "import sys; sys.argv = ['reports', 'list']; from helpers.reporting.commands import main; main()"
COMPUTE = """
from helpers.analyses.lifetime_value import analyse
result = analyse(draws=100, resamples=100, split_dates=0)
result.answer, result.tables
"""
# What takes a second or more to import.
TABLES = ("numpy", "pandas", "scipy", "pyarrow", "duckdb", "ibis", "matplotlib")
PROGRAMS = ("papermill", "nbconvert", "nbclient", "jupyterlab")
PEERS = ("semopy", "seaborn", "lifetimes", "sklearn", "stepmix")
# What a topic computes with, and no other needs.
OF_TOPIC = {"customer_portfolio": ("lifelines",), "retention_economics": ("statsmodels",)}


def main(arguments: list[str] | None = None) -> None:
    """Measure, print what was measured and write it down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="0: look at imports only")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    opened = pd.DataFrame([_open(*door, options.rounds) for door in doors()])
    print(opened.drop(columns="unused").to_string(index=False, float_format="{:.2f}".format))
    opened.to_csv(options.out, index=False, float_format="%.4g", lineterminator="\n")
    print(f"\nwritten: {options.out}")


def doors() -> list[tuple[str, str, tuple[str, ...]]]:
    """Return name, code and what it has no use for, of each door."""
    found = [
        ("python", "pass", ()),
        ("helpers", "import helpers", (*TABLES, *PROGRAMS, *PEERS, "statsmodels", "lifelines")),
        ("reports list", LIST, (*TABLES, *PROGRAMS, *PEERS, "statsmodels", "lifelines")),
    ]
    computed = (*PROGRAMS, "semopy", "seaborn", "sklearn", "stepmix", "statsmodels", "lifelines")
    found.append(("lifetime value, computed", COMPUTE, computed))
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        others = {name for topic, names in OF_TOPIC.items() if topic not in path.stem for name in names}
        found.append((f"notebook {path.stem}", _imports(path), (*PROGRAMS, *PEERS, *sorted(others))))
    return found


def _imports(notebook: Path) -> str:
    """Return what a notebook imports, before it computes anything."""
    cells = nbformat.read(notebook, as_version=4).cells
    code = ast.parse("\n".join(cell.source for cell in cells if cell.cell_type == "code"))
    return "\n".join(ast.unparse(line) for line in code.body if isinstance(line, ast.Import | ast.ImportFrom))


def _open(door: str, code: str, unused: tuple[str, ...], rounds: int) -> dict:
    timed = [_timed([sys.executable, "-c", code]) for _ in range(rounds)]
    told = subprocess.run([sys.executable, "-X", "importtime", "-c", code], cwd=ROOT, capture_output=True, text=True)
    if told.returncode:
        sys.exit(told.stderr)
    lines = re.findall(r"^import time: +(\d+) \| +\d+ \| +(\S+)$", told.stderr, re.MULTILINE)
    packages = {name.split(".")[0] for _, name in lines}
    return {
        "door": door,
        "wall_seconds": min((wall for wall, _ in timed), default=math.nan),
        "cpu_seconds": min((cpu for _, cpu in timed), default=math.nan),
        "import_seconds": sum(int(microseconds) for microseconds, _ in lines) / 1e6,
        "modules": len(lines),
        "unused": " ".join(unused),
        "imported_for_nothing": " ".join(name for name in unused if name in packages),
    }


def _timed(command: list[str]) -> tuple[float, float]:
    begun = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status, spent = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return time.perf_counter() - begun, spent.ru_utime + spent.ru_stime


if __name__ == "__main__":
    main()
