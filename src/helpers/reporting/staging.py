"""Where one run is prepared, out of sight of readers and on the file systems where it will be published."""

from __future__ import annotations

import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .workspace import Workspace


@dataclass(frozen=True)
class Stage:
    """The folders of one run that is not published yet.

    Parameters
    ----------
    workspace : Workspace
        Where the run will be published.
    name : str
        Name of the report.
    run_id : str
        The run.
    """

    workspace: Workspace
    name: str
    run_id: str

    @property
    def folder(self) -> Path:
        """Return the folder that holds all that is staged but the derived tables."""
        return self.workspace.staging / self.name / self.run_id

    @property
    def report(self) -> Path:
        """Return what becomes the run's own folder."""
        return self.folder / "report"

    @property
    def latest(self) -> Path:
        """Return the files that `latest` will show."""
        return self.folder / "latest"

    @property
    def processed(self) -> Path:
        """Return the derived tables, beside their place: that may be on another disk than the reports."""
        return self.workspace.processed / ".staging" / self.name / self.run_id

    @property
    def sockets(self) -> Path:
        """Return a folder, for temporary files too, with a short path: a socket's may have some 100 characters."""
        return Path(tempfile.gettempdir()) / f"reports-{self.run_id}"

    @property
    def home(self) -> Path:
        """Return the folder of all runs of the report."""
        return self.workspace.reports / self.name

    def create(self) -> None:
        """Make the folders.

        Raises
        ------
        OSError
            When nothing can be written there.
        """
        self.workspace.staging.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.report.mkdir(parents=True)
        self.latest.mkdir()
        self.processed.mkdir(parents=True)

    def remove(self) -> None:
        """Remove what is left of the folders, and those above that were made for them alone."""
        for folder in (self.folder, self.processed, self.sockets):
            shutil.rmtree(folder, ignore_errors=True)
        emptied = [self.folder.parent, self.processed.parent, self.processed.parent.parent]
        processed = self.workspace.processed
        if processed.is_relative_to(self.workspace.reports):
            # of one notebook published apart: no other run makes its folders there
            emptied += [processed, *(each for each in processed.parents if each.is_relative_to(self.workspace.reports))]
        for folder in emptied:
            try:
                folder.rmdir()
            except OSError:
                continue  # another run is prepared there


def abandoned(workspace: Workspace, name: str) -> list[Stage]:
    """Return the stages of a report, oldest first: whoever holds the report's lock knows that nobody works there."""
    places = [workspace.staging / name, workspace.processed / ".staging" / name]
    found = {path.name for place in places if place.is_dir() for path in place.iterdir()}
    return [Stage(workspace, name, run_id) for run_id in sorted(found) if re.fullmatch(r"\w+-\w+", run_id)]
