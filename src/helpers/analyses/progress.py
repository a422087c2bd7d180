"""A progress bar for whoever watches, and silence for a run that nobody watches."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")


def progress(title: str, steps: int) -> tqdm:
    """Return a progress bar over so many steps; it shows in a terminal and in JupyterLab only.

    Jupyter names the session of a kernel that a person opened; papermill, nbval and nbconvert start kernels without
    one, so that published pages and stored outputs hold no bar.
    """
    watched = sys.stderr.isatty() or "JPY_SESSION_NAME" in os.environ
    return tqdm(total=steps, desc=title, disable=not watched, leave=False)


def each(title: str, values: Iterable[T], steps: int) -> Iterator[T]:
    """Yield so many values under a progress bar."""
    with progress(title, steps) as bar:
        for value in values:
            yield value
            bar.update()
