"""The journal of all runs, one JSON line each, and the command that is told of a failure."""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

HOOK_SECONDS = 60


def append(reports: Path, entry: dict[str, Any]) -> None:
    """Add a line to `journal.jsonl` of a folder of reports: wholly or not at all, whoever else writes at once.

    Parameters
    ----------
    reports : pathlib.Path
        The folder.
    entry : dict
        What is to be kept of a run.

    Raises
    ------
    OSError
        When it cannot be written.
    """
    reports.mkdir(parents=True, exist_ok=True)
    line = (json.dumps(entry, ensure_ascii=False, allow_nan=False) + "\n").encode(errors="replace")
    descriptor = os.open(reports / "journal.jsonl", os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":  # its writer was killed in the middle
            line = b"\n" + line
        if os.write(descriptor, line) != len(line):
            os.ftruncate(descriptor, size)
            raise OSError("the disk is full")
    finally:
        os.close(descriptor)


def read(reports: Path) -> list[dict[str, Any]]:
    """Return the lines of the journal, oldest first; one that is no whole line is left out."""
    try:
        lines = (reports / "journal.jsonl").read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return []
    entries = []
    for line in lines:
        try:
            entries.append(json.loads(line))
        except ValueError:
            continue
    return [entry for entry in entries if isinstance(entry, dict)]


def tell(command: str, entry: dict[str, Any], folder: Path) -> str | None:
    """Give the outcome of a run to a command, as JSON on its standard input.

    Parameters
    ----------
    command : str
        The program and its arguments; no shell reads it.
    entry : dict
        The line of the journal, and the folder that its paths start from.
    folder : pathlib.Path
        Where the command starts.

    Returns
    -------
    str or None
        What went wrong with the command, in one line.
    """
    try:
        done = subprocess.run(
            shlex.split(command),
            input=json.dumps(entry, ensure_ascii=False),
            cwd=folder,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=HOOK_SECONDS,
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return f"the on_failure command could not be run: {error}"
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        return ": ".join([f"the on_failure command ended with {done.returncode}", *last])
    return None
