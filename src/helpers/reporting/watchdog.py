"""Watches the processes of a run, and ends all of them with it."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from .report import RUN_FOLDER

GIB = 2**30


@dataclass(frozen=True)
class Watched:
    """How the processes of a run ended.

    Parameters
    ----------
    stopped : tuple of (outcome, message), or None
        Why they were stopped; None when they ended by themselves.
    peak_bytes : int
        Most resident memory that they were seen to hold together.
    """

    stopped: tuple[str, str] | None
    peak_bytes: int


def watch(
    process: subprocess.Popen,
    folder: Path,
    *,
    minutes: float,
    memory_gib: float | None = None,
    cancelled: threading.Event | None = None,
) -> Watched:
    """Wait for a run to end; stop it at a limit or on request; leave none of its processes behind.

    Parameters
    ----------
    process : subprocess.Popen
        The process that executes the notebook.
    folder : pathlib.Path
        The run's folder, as its processes were told.
    minutes : float
        Wall-clock limit.
    memory_gib : float, optional
        Limit of the resident memory of all processes of the run together, GiB. What processes share counts for each.
    cancelled : threading.Event, optional
        Set by whoever wants the run to stop.
    """
    deadline = time.monotonic() + 60 * minutes
    first = psutil.Process(process.pid)
    ended = _told_of_the_end(process)
    seen: set[psutil.Process] = set()
    peak, stopped = 0, None
    while stopped is None and not ended.wait(timeout=0.5):
        alive = _with_descendants({first})
        seen |= alive
        resident = sum(map(_resident, alive))
        peak = max(peak, resident)
        if cancelled is not None and cancelled.is_set():
            stopped = ("cancelled", "stopped on request")
        elif time.monotonic() > deadline:
            stopped = ("failed_timeout", f"still running after {minutes:g} minutes (time_limit_minutes): stopped")
        elif memory_gib is not None and resident > memory_gib * GIB:
            held = f"{resident / GIB:.2f} GiB of memory were held, more than {memory_gib:g} (memory_limit_gib)"
            stopped = ("failed_kernel", f"{held}: stopped")
    end_processes(folder, seen)
    process.wait()
    return Watched(stopped, peak)


def end_processes(folder: Path, seen: Iterable[psutil.Process] = ()) -> None:
    """Kill every process of a run, those too that outlived their parents or left its process group.

    Parameters
    ----------
    folder : pathlib.Path
        The run's folder: its processes carry it in their environment.
    seen : iterable of psutil.Process
        Those that were seen to descend from the run's first process, whatever their environment. One whose number
        the system has given to another process meanwhile is known by its start, and left alone.
    """
    seen = set(seen)
    for _ in range(5):  # one that is about to be killed may have just started another
        seen |= {*_told(folder)}
        found = _with_descendants(seen)
        if not found:
            return
        for process in found:
            try:
                process.kill()
            except psutil.Error:
                continue
        psutil.wait_procs(found, timeout=2)


def _told_of_the_end(process: subprocess.Popen) -> threading.Event:
    """Return what is set as soon as a process has ended: to wait with a time limit, Popen asks again and again."""
    ended = threading.Event()

    def wait() -> None:
        process.wait()
        ended.set()

    threading.Thread(target=wait, daemon=True).start()
    return ended


def _with_descendants(processes: Iterable[psutil.Process]) -> set[psutil.Process]:
    found = set()
    for process in processes:
        try:
            found |= {process, *process.children(recursive=True)}
        except psutil.Error:
            continue
    return {process for process in found if _lives(process)}


def _told(folder: Path) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get(RUN_FOLDER) == str(folder) and _lives(process):
                yield process
        except (psutil.Error, OSError):
            continue


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _resident(process: psutil.Process) -> int:
    try:
        return process.memory_info().rss
    except psutil.Error:
        return 0
