"""A progress bar for whoever watches, and silence for a run that nobody watches."""

from __future__ import annotations

import os
import sys

from tqdm import tqdm


def progress(title: str, steps: int) -> tqdm:
    """Return a progress bar over so many steps; it shows in a terminal and in JupyterLab only.

    Jupyter names the session of a kernel that a person opened; papermill, nbval and nbconvert start kernels without
    one, so that published pages and stored outputs hold no bar.
    """
    watched = sys.stderr.isatty() or "JPY_SESSION_NAME" in os.environ
    return tqdm(total=steps, desc=title, disable=not watched, leave=False)
