"""What the commands print with, and the option that all of them take."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

WIDTH = None if sys.stdout.isatty() else 140  # a pipe has no width of its own
out = Console(width=WIDTH, markup=False, highlight=False, soft_wrap=True)
err = Console(stderr=True, markup=False, highlight=False, soft_wrap=True)

Folder = Annotated[
    Path | None, typer.Option("--workspace", help="The workspace; default: the one the current folder lies in.")
]


def shown(path: Path) -> str:
    """Return a path as seen from the current folder, where it lies below it."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def listing(name: str, *columns: str) -> Table:
    """Return a plain table whose first column is never cut."""
    table = Table(box=None)
    table.add_column(name, no_wrap=True)
    for column in columns:
        table.add_column(column)
    return table
