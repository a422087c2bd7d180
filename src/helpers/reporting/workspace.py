"""Where things stand in the workspace, and what may be written where."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import WrongUsage

AD_HOC = "ad_hoc"  # folder under reports/ for runs that are not of the plan and name no other place
KEPT_FOLDERS = (".ci", ".git", ".venv", "data", "docs", "notebooks", "src", "tests")


@dataclass(frozen=True)
class Workspace:
    """The folder that holds `reports.toml`, and the folders that reports go to.

    Parameters
    ----------
    root : pathlib.Path
        The workspace.
    reports : pathlib.Path
        Where reports are published.
    processed : pathlib.Path
        Where the Parquet tables that a run derives go.
    """

    root: Path
    reports: Path
    processed: Path

    @classmethod
    def find(cls, start: Path | None = None) -> Workspace:
        """Return the workspace that `start` (default: the current folder) lies in.

        Raises
        ------
        WrongUsage
            When no folder from `start` upwards holds a `reports.toml`.
        """
        start = (start or Path.cwd()).resolve()
        for folder in (start, *start.parents):
            if (folder / "reports.toml").is_file():
                return cls(folder, folder / "reports", folder / "data" / "processed")
        raise WrongUsage(
            f"no reports.toml in {start} or above it: run this inside the workspace, or name it with --workspace"
        )

    def publishing_to(self, folder: Path) -> Workspace:
        """Return the same workspace with what a run writes going under `folder`.

        The reports can be passed on, the derived tables hold ids: of a folder below `reports` they go to the folder
        of the same name below `data/processed`.

        Raises
        ------
        WrongUsage
            When `folder` lies in `data/raw`, which no run writes to.
        """
        folder = Path(os.path.expanduser(folder)).resolve()  # leaves the ~ of an unknown user as it is
        if folder.exists() and not folder.is_dir():
            raise WrongUsage(f"{folder} is a file, not a folder: choose another place for --out")
        if folder.is_relative_to(self.raw.resolve()):
            raise WrongUsage(f"{folder} lies in data/raw, which no run writes to: choose another folder")
        inside = folder.relative_to(self.root).parts if folder.is_relative_to(self.root) else (folder.name, "")
        if (len(inside) < 2 and inside[:1] in ((), ("reports",))) or inside[0] in KEPT_FOLDERS:
            raise WrongUsage(f"{folder} belongs to the workspace itself: choose another folder, such as my_report")
        among_reports = folder.is_relative_to(self.reports)
        apart = self.processed / folder.relative_to(self.reports) if among_reports else folder / "data" / "processed"
        return Workspace(self.root, folder, apart)

    @property
    def raw(self) -> Path:
        """Return the folder of inputs, which no run writes to."""
        return self.root / "data" / "raw"

    def raw_state(self, inputs: Iterable[Path] = ()) -> dict[str, Any]:
        """Return how things stand in data/raw: the digest of each file that its README lists, size and time of inputs.

        Two equal states before and after a run show that nobody changed what it may have read. Files of no concern to
        it, such as tomorrow's, may come meanwhile.
        """
        given = {path.resolve() for path in inputs}
        found = [path for path in given if path.is_relative_to(self.raw.resolve()) and path.is_file()]
        state = {str(path.relative_to(self.raw.resolve())): _size_and_time(path) for path in found}
        listed = {name: self.raw / name for name in self.listed_raw()}
        return state | {name: _digest(path) for name, path in listed.items() if path.is_file()}

    def listed_raw(self) -> dict[str, str]:
        """Return the SHA-256 of each file of data/raw, as the table in its README lists them."""
        readme = self.raw / "README.md"
        text = readme.read_text(encoding="utf-8") if readme.is_file() else ""
        return dict(re.findall(r"^\| `([^`]+)` \|.*\| `([0-9a-f]{64})` \|$", text, re.MULTILINE))

    def changed_raw(self) -> list[str]:
        """Return the listed files of data/raw that are missing or are not what their listed digest says."""
        state = self.raw_state()
        return [name for name, digest in self.listed_raw().items() if state.get(name) != digest]

    @property
    def staging(self) -> Path:
        """Return where runs are prepared, on the same file system as where they are published."""
        return self.reports / ".staging"

    def notebooks(self) -> dict[str, Path]:
        """Return the notebooks by topic: `01_lifetime_value.ipynb` is `lifetime_value`."""
        found = sorted((self.root / "notebooks").glob("[0-9][0-9]_*.ipynb"))
        return {path.stem[3:]: path for path in found}

    def git_state(self) -> dict[str, str | bool | None]:
        """Return the commit, whether what makes a report differs from it, and if so, the digest of the differences.

        Without git the commit is None and `dirty` is True: such a run never counts as already done. Nor does it where
        the package that runs is not that of the workspace, whose commit then says nothing of the code.
        """
        commit = self._git("rev-parse", "HEAD")
        makers = ["src", "notebooks", "reports.toml", "pyproject.toml", "requirements.lock"]
        changes = self._git("status", "--porcelain", "--", *makers)
        elsewhere = not Path(__file__).resolve().is_relative_to((self.root / "src").resolve())
        state = {"commit": commit or None, "dirty": commit is None or changes is None or bool(changes) or elsewhere}
        return state | ({"changes_sha256": self._changes_digest(makers)} if changes else {})

    def _changes_digest(self, makers: list[str]) -> str:
        """Return the digest of all that is in no commit: changed lines, and files that git does not know."""
        lines = self._git("diff", "HEAD", "--binary", "--", *makers) or ""
        digest = hashlib.sha256(lines.encode(errors="surrogateescape"))
        unknown = self._git("ls-files", "--others", "--exclude-standard", "-z", "--", *makers) or ""
        for name in sorted(filter(None, unknown.split("\0"))):
            content = _digest(self.root / name) if (self.root / name).is_file() else None
            digest.update(f"{name} {content}\n".encode(errors="surrogateescape"))
        return digest.hexdigest()

    def _git(self, *words: str) -> str | None:
        try:
            command, read = ["git", *words], {"encoding": "utf-8", "errors": "surrogateescape"}
            done = subprocess.run(command, cwd=self.root, capture_output=True, timeout=30, **read)
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None


def _size_and_time(path: Path) -> tuple[int, int]:
    known = path.stat()
    return known.st_size, known.st_mtime_ns


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
