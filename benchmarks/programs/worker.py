"""One program under measurement, in a process of its own.

`worker.py PROGRAM FILE PERIOD` does the works that are asked for on standard input, one a line as in "refits 3", and
answers each with a line of JSON: seconds, peak memory, and what was found. `worker.py PROGRAM FILE PERIOD OUT` goes the
whole way from the file of purchases to the folder OUT, once, and is measured from outside.
"""

import contextlib
import importlib
import json
import os
import re
import resource
import sys
import time
from pathlib import Path

# Where each program's way is written down; lifetimes and pymc-marketing must not be hidden by files of their names.
MODULES = {
    "helpers": "by_helpers",
    "lifetimes": "by_lifetimes",
    "lifetimes_grouped": "by_lifetimes_grouped",
    "pymc_marketing": "by_pymc_marketing",
    "duckdb_sql": "by_duckdb_sql",
    "duckdb_scan": "by_duckdb_scan",
}


def main(program: str, file: str, period: str, *out: str) -> None:
    """Serve, or go the whole way."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what programs print is no answer
    way = importlib.import_module(MODULES[program]).Way(file, period)
    if out:
        found = way.end_to_end(*out)
        print(json.dumps({"found": found, "peak_mb": _peak_megabytes()}), file=answers, flush=True)
        return
    for line in sys.stdin:
        work, *numbers = line.split()
        answer = _measured(lambda: getattr(way, work)(*map(float, numbers)))  # noqa: B023  # called at once
        print(json.dumps(answer), file=answers, flush=True)


def _measured(work) -> dict:
    _forget_peak()
    cpu, wall = _cpu_seconds(), time.perf_counter()
    found = work()
    return {
        "cpu_seconds": _cpu_seconds() - cpu,
        "wall_seconds": time.perf_counter() - wall,
        "peak_mb": _peak_megabytes(),
        "found": found,
    }


def _cpu_seconds() -> float:
    spent = resource.getrusage(resource.RUSAGE_SELF)
    return spent.ru_utime + spent.ru_stime


def _forget_peak() -> None:
    """Let the kernel count the peak of memory anew; elsewhere than on Linux it stays that of the whole process."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak_megabytes() -> float:
    with contextlib.suppress(OSError):
        return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1024
    units = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * units / 2**20


if __name__ == "__main__":
    main(*sys.argv[1:])
