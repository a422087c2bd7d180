"""A lock that dies with its owner: the system lets go of it however the process ends."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path


class Busy(Exception):
    """Another process, or another thread of this one, holds the lock."""


@contextmanager
def held(file: Path, wait_seconds: float = 0.0, given_up: threading.Event | None = None) -> Iterator[None]:
    """Hold a lock while the block runs.

    Parameters
    ----------
    file : pathlib.Path
        What is locked. It is made where it is not there, and never removed: who removes a lock file while another
        waits for it lets two in at once.
    wait_seconds : float
        How long to wait for another to let go.
    given_up : threading.Event, optional
        Set by whoever no longer wants to wait.

    Raises
    ------
    Busy
        When another still holds it.
    OSError
        When there can be no lock there.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    # Programs that are started meanwhile do not inherit the descriptor, and so do not hold the lock.
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        _take(descriptor, time.monotonic() + wait_seconds, given_up)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, deadline: float, given_up: threading.Event | None) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline or (given_up is not None and given_up.is_set()):
                raise Busy(os.pread(descriptor, 200, 0).decode(errors="replace").strip()) from None
            time.sleep(0.1)
        else:
            break
    owner = f"process {os.getpid()}, since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC\n"
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, owner.encode(), 0)
    except OSError:
        pass  # a full disk: the lock holds all the same, it only does not say whose it is
