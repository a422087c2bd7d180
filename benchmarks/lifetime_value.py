"""What lifetime value costs at 100,000 to ten million customers, beside other programs.

Run by `make bench`, or for one size by `make bench CUSTOMERS=10000000`. Purchases are simulated; each program works in
a process of its own (`programs/`), and they take turns in one run, so that the ratios are of that run. Results of the
sizes measured replace what `results.csv` and `growth.csv` said of them; figure and tables of the pages follow from it.
"""

import os

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")  # before NumPy, for all programs alike
# As pip has compiled the peers, this package is to be compiled once too, not at each start.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

import argparse
import contextlib
import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import lifetime_value_pages
import numpy as np
import pandas as pd
from pyarrow import parquet

HERE = Path(__file__).parent
WORKER = HERE / "programs" / "worker.py"
SEED = 1
REFITS = 200
PATIENCE = 120  # seconds of a peer's run, after which it is not run again
SIMULATE = """
from helpers.synthetic.transactions import transactions
transactions({customers}, {seed}, acquisition_days={acquisition_days}, end_day={end_day})[0].to_parquet({file!r})
"""
SIMULATED = {
    "rolling": {"acquisition_days": 728, "end_day": 730},
    "cohort": {"acquisition_days": 84, "end_day": 272},  # 12 weeks of acquisition, 39 observed, as CDNOW's calibration
}
PARAMETERS = ("r", "alpha", "a", "b")
COMPARED = ("summary", "fit", "score", "refits", "end_to_end")
PEERS = ("lifetimes", "lifetimes_grouped", "pymc_marketing", "duckdb_sql", "duckdb_scan")
# What each program does hot, in this order; a fit needs its summary, scores need both fits.
HOT = {
    "helpers": ("summary", "reduce", "fit", "fit_distinct", "fit_spend", "score", "join", "refits"),
    "lifetimes": ("summary", "fit", "fit_spend", "score", "refits"),
    "lifetimes_grouped": ("fit", "score", "refits"),
    "pymc_marketing": ("fit",),
    "duckdb_sql": ("summary",),
    "duckdb_scan": ("summary",),
}
COLD = ("helpers", "lifetimes", "duckdb_scan")
# How data of other kinds grow: ours, and the fit of lifetimes up to this size.
GROWING = {"helpers": HOT["helpers"][:-1], "lifetimes": ("summary", "fit")}
LARGEST_GROWING_PEER = 1_000_000
GROWING_PATIENCE = 5


@dataclass(frozen=True)
class Scene:
    """Purchases on which programs are compared.

    Parameters
    ----------
    data : str
        "cdnow", or one of `SIMULATED`.
    customers : int
    period : {"D", "W"}
        What is bought within one is one purchase, and the unit of time.
    file : Path
        customer_id, date, amount.
    """

    data: str
    customers: int
    period: str
    file: Path


def main(arguments: list[str] | None = None) -> None:
    """Measure, print what was measured, and write it down."""
    options = _options(arguments)
    with tempfile.TemporaryDirectory(prefix="lifetime-value-") as folder:
        folder = options.data or Path(folder)
        runs = [run for scene in _scenes(options, folder) for run in _measure(scene, options)]
    runs = pd.DataFrame(runs)
    results = merged(ratios(runs), options.out / "results.csv", ["work", "customers", "peer"])
    grown = merged(growth(runs), options.out / "growth.csv", ["data", "period", "customers", "work"])
    lifetime_value_pages.write(results, grown, options.out)
    print(f"\nwritten: {options.out / 'results.csv'}, growth.csv and lifetime_value.png")


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--kinds", nargs="+", choices=list(SIMULATED), default=list(SIMULATED), help="of purchases")
    parser.add_argument("--rounds", type=int, default=3, help="how often each program does each work")
    parser.add_argument("--refits", type=int, default=REFITS, help="bootstrap refits; a peer does one a round")
    parser.add_argument("--data", type=Path, help="folder that keeps the simulated purchases from run to run")
    parser.add_argument("--pymc-python", default="", help="an interpreter that has pymc-marketing, if this has not")
    parser.add_argument("--out", type=Path, default=HERE, help="folder of results.csv, growth.csv and the figure")
    options = parser.parse_args(arguments)
    if min(*options.customers, options.rounds, options.refits) < 1:
        parser.error("customers, rounds and refits must be at least 1")
    if options.pymc_python and not shutil.which(options.pymc_python):
        parser.error(f"there is no program {options.pymc_python}")
    for folder in filter(None, (options.data, options.out)):
        folder.mkdir(parents=True, exist_ok=True)
    return options


# --- what is measured ---------------------------------------------------------------------------------------


def _scenes(options: argparse.Namespace, folder: Path):
    """Yield purchases, those on which all programs are compared first."""
    yield Scene("cdnow", 2_357, "D", _cdnow(folder))
    for customers in options.customers:
        for data in options.kinds:
            file = _simulated(data, customers, folder)
            for period in ("D", "W"):
                yield Scene(data, customers, period, file)


def _cdnow(folder: Path) -> Path:
    """Write CDNOW's calibration period, which is where its published estimates are from."""
    from helpers.data.sources import find_built_in
    from helpers.data.transactions import load

    rows = load("cdnow_sample").realised
    end = find_built_in("cdnow_sample", "transactions").calibration_end
    typed = {"customer_id": rows.customer_id.cast("int64"), "date": rows.date.cast("timestamp")}
    path = folder / "cdnow.parquet"
    rows.filter(rows.date <= end).select(**typed, amount=rows.amount).to_parquet(path)
    return path


def _simulated(data: str, customers: int, folder: Path) -> Path:
    path = folder / f"{data}_{customers}.parquet"
    if not path.exists():
        part = path.with_suffix(".part")
        text = SIMULATE.format(customers=customers, seed=SEED, file=os.fspath(part), **SIMULATED[data])
        subprocess.run([sys.executable, "-c", text], check=True)
        part.rename(path)
    return path


def _measure(scene: Scene, options: argparse.Namespace) -> list[dict]:
    """Let the programs take turns at each work; return a line for each run."""
    print(f"\n{scene.data}, {scene.customers:,} customers, period {scene.period}; load {os.getloadavg()[0]:.1f}")
    whole = scene.period == "D" and scene.data in ("cdnow", "rolling")
    works = HOT if whole else GROWING
    patience = PATIENCE if whole else GROWING_PATIENCE
    small = scene.customers <= LARGEST_GROWING_PEER
    programs = {
        name: _Hot(name, python, scene, options.refits)
        for name, python in _interpreters(options.pymc_python).items()
        if name in works and (whole or small or name == "helpers")
    }
    _in_turn("prepare", [partial(program.run, "prepare") for program in programs.values()], 1, patience)
    lines = []
    for work in dict.fromkeys(work for each in works.values() for work in each):
        able = [program for name, program in programs.items() if work in works[name]]
        lines += _in_turn(work, [partial(program.run, work) for program in able], options.rounds, patience)
    for line in lines:
        found = line["found"]
        if line["work"] == "fit" and "log_likelihood" not in found:
            at = " ".join(str(found[name]) for name in PARAMETERS)
            found |= programs["helpers"].do(f"likelihood {at}")["found"]
    for program in programs.values():
        program.leave()
    if whole and scene.data == "rolling":
        takers = [partial(_cold, name, scene) for name in COLD]
        lines += _in_turn("end_to_end", takers, options.rounds, patience)
    about = vars(scene) | {"purchases": parquet.read_metadata(scene.file).num_rows, "load": os.getloadavg()[0]}
    return [about | line for line in lines]


def _in_turn(work: str, programs: Sequence, rounds: int, patience: float) -> list[dict]:
    lines, through = [], set()
    for number in range(1, rounds + 1):
        for program in programs:
            if program in through:
                continue
            try:
                line = program() | {"work": work, "round": number}
            except Failed as failed:
                if failed.program == "helpers":
                    sys.exit(f"{failed}: its message stands above")
                print(f"  {failed}, and is left out: its message stands above")
                through.add(program)
                continue
            lines.append(line)
            print(f"  {work} {number}, {line['program']}: {line['cpu_seconds']:.3f} s CPU", end="")
            print(f", {line['wall_seconds']:.3f} s wall, {line['peak_mb']:,.0f} MB", flush=True)
            if line["program"] != "helpers" and line["stands_for"] == 1 and line["wall_seconds"] > patience:
                through.add(program)
    return lines


def _interpreters(pymc_python: str) -> dict[str, str]:
    """Return the interpreter of each program that is there."""
    found = dict.fromkeys(HOT, sys.executable)
    if pymc_python:
        found["pymc_marketing"] = pymc_python
    elif importlib.util.find_spec("pymc_marketing") is None:
        del found["pymc_marketing"]
    return found


class Failed(Exception):
    """A program came to no answer: of a peer, it may have run out of memory."""

    def __init__(self, program: str, work: str):
        super().__init__(f"{program} failed at {work}")
        self.program = program


class _Hot:
    """A program that stays in its process and keeps what it has read."""

    def __init__(self, name: str, python: str, scene: Scene, refits: int):
        self.name, self.refits = name, refits
        command = [python, "-W", "ignore", WORKER, name, scene.file, scene.period]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def do(self, request: str) -> dict:
        """Ask for a work and wait for the answer."""
        with contextlib.suppress(BrokenPipeError):
            print(request, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            raise Failed(self.name, request)
        return json.loads(answer)

    def run(self, work: str) -> dict:
        """Do a work; of the refits a peer does one, which stands for all."""
        repeated = work == "refits"
        stands_for = self.refits if repeated and self.name != "helpers" else 1
        done = self.do(f"{work} {self.refits // stands_for}" if repeated else work)
        seconds = {name: done[name] * stands_for for name in ("cpu_seconds", "wall_seconds")}
        return done | seconds | {"program": self.name, "stands_for": stands_for}

    def leave(self) -> None:
        """Let the process end."""
        self.process.stdin.close()
        self.process.wait()


def _cold(name: str, scene: Scene) -> dict:
    """Go the whole way in a process that starts with nothing, imports included."""
    with tempfile.TemporaryDirectory(prefix="scored-", dir=scene.file.parent) as out:
        command = [sys.executable, "-W", "ignore", WORKER, name, scene.file, scene.period, out]
        begun = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        answer = process.stdout.read()
        _, status, spent = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise Failed(name, "end_to_end")
    cpu = spent.ru_utime + spent.ru_stime
    return json.loads(answer) | {"cpu_seconds": cpu, "wall_seconds": wall, "program": name, "stands_for": 1}


# --- what is told of it -------------------------------------------------------------------------------------


def ratios(runs: pd.DataFrame) -> pd.DataFrame:
    """Set each peer's runs against ours on the same purchases: results.csv."""
    compared = runs[(runs["period"] == "D") & runs["data"].isin(["cdnow", "rolling"]) & runs["work"].isin(COMPARED)]
    lines = []
    for (data, customers, work), of_work in compared.groupby(["data", "customers", "work"]):
        of_program = dict(list(of_work.groupby("program")))
        for peer in PEERS:
            if peer in of_program:
                line = {"work": work, "customers": customers, "peer": peer, "data": data}
                lines.append(line | _ratio(of_program["helpers"], of_program[peer]))
    return pd.DataFrame(lines)


def _ratio(ours: pd.DataFrame, theirs: pd.DataFrame) -> dict:
    line = {}
    for suffix, summary in (("", "min"), ("_median", "median")):
        one, other = (each[["cpu_seconds", "wall_seconds"]].agg(summary) for each in (ours, theirs))
        line |= {
            f"{clock}_ratio{suffix}": other[f"{clock}_seconds"] / one[f"{clock}_seconds"] for clock in ("cpu", "wall")
        }
        line |= {f"{name}{suffix}": value for name, value in one.items()}
        line |= {f"peer_{name}{suffix}": value for name, value in other.items()}
    line |= {"peak_mb": ours["peak_mb"].max(), "peer_peak_mb": theirs["peak_mb"].max()}
    for prefix, each in (("", ours), ("peer_", theirs)):
        found = each["found"].iloc[-1]
        line |= {f"{prefix}{name}": found.get(name, np.nan) for name in ("log_likelihood", *PARAMETERS)}
    return line | {"rounds": len(ours), "load": ours["load"].max(), "marks": _marks(ours, theirs)}


def _marks(ours: pd.DataFrame, theirs: pd.DataFrame) -> str:
    marks = []
    if theirs["stands_for"].max() > 1:
        marks.append(f"extrapolated from {len(theirs)}")
    elif len(theirs) < len(ours):
        marks.append("timed once")
    return "; ".join(marks)


def growth(runs: pd.DataFrame) -> pd.DataFrame:
    """Tell what each work costs on each kind of purchases: growth.csv."""
    lines = []
    for (data, customers, period), scene in runs.groupby(["data", "customers", "period"], sort=False):
        distinct = scene.loc[scene["work"] == "reduce", "found"].iloc[0]
        size = {"data": data, "customers": customers, "period": period, "purchases": scene["purchases"].iloc[0]}
        for work, of_work in scene[scene["program"] == "helpers"].groupby("work", sort=False):
            fastest = of_work[["cpu_seconds", "wall_seconds"]].min().to_dict()
            lines.append(size | distinct | {"work": work} | fastest | {"peak_mb": of_work["peak_mb"].max()})
            peer = scene[(scene["program"] == "lifetimes") & (scene["work"] == work)]
            lines[-1]["lifetimes_cpu_seconds"] = peer["cpu_seconds"].min()
    return pd.DataFrame(lines)


def merged(measured: pd.DataFrame, path: Path, order: list[str]) -> pd.DataFrame:
    """Put what was measured in the place of what the file says of these sizes; write and return the whole, in order."""
    if path.exists():
        before = pd.read_csv(path)
        measured = pd.concat([before[~before["customers"].isin(measured["customers"])], measured])
    places = {name: place for place, name in enumerate([*HOT["helpers"], "end_to_end", *PEERS])}
    measured = measured.sort_values(order, key=lambda column: column.map(places).fillna(column), kind="stable")
    measured.to_csv(path, index=False, float_format="%.10g", lineterminator="\n")
    return pd.read_csv(path)


if __name__ == "__main__":
    main()
