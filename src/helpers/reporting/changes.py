"""What two runs of a report differ in: numbers, data accounting, inputs, parameters, code and versions."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import csv_files
from .manifest import read_json

# sums made side by side by several threads may differ in their last bits from run to run
LAST_BITS = 1e-9


@dataclass(frozen=True)
class NumberChange:
    """A headline number that differs.

    Parameters
    ----------
    name, unit : str
        As in `results.json`.
    before, now : dict or None
        Its entries (value, low, high); None where a run has no such number.
    """

    name: str
    unit: str
    before: dict[str, Any] | None
    now: dict[str, Any] | None

    @property
    def difference(self) -> float | None:
        """Return how much more it is now; None where one of the two is missing."""
        values = [entry["value"] if entry else None for entry in (self.before, self.now)]
        return None if None in values else values[1] - values[0]


@dataclass(frozen=True)
class AccountChange:
    """A step of the data accounting that differs.

    Parameters
    ----------
    step, column : str
        Where it stands: the text of the row's first cell, and the column.
    before, now : str or None
        What stands there; None where a run has no such step.
    """

    step: str
    column: str
    before: str | None
    now: str | None


@dataclass(frozen=True)
class Changes:
    """The differences between a run and the good run before it.

    Parameters
    ----------
    previous : str or None
        Run id of the run before; None for the first.
    numbers : list of NumberChange
        Headline numbers whose value or interval differs.
    accounting : list of AccountChange
        Steps of the data accounting that differ.
    made_of : list of str
        Sentences on what the run was made of: parameters, inputs, code, packages.
    """

    previous: str | None = None
    numbers: list[NumberChange] = field(default_factory=list)
    accounting: list[AccountChange] = field(default_factory=list)
    made_of: list[str] = field(default_factory=list)

    @property
    def any(self) -> bool:
        """Return whether the two runs differ in anything."""
        return bool(self.numbers or self.accounting or self.made_of)

    def summary(self) -> str:
        """Return the changes in a few words, as the index shows them."""
        if self.previous is None:
            return "first good run"
        if not self.numbers:
            return "no headline number changed"
        return f"{len(self.numbers)} headline number{'s' if len(self.numbers) > 1 else ''} changed"


def changes_since(latest: Path, stage: Path, record: dict[str, Any]) -> Changes:
    """Compare a staged run with the newest good one.

    Parameters
    ----------
    latest : pathlib.Path
        Folder of the newest good run, which need not exist.
    stage : pathlib.Path
        The staged run.
    record : dict
        Its manifest.
    """
    before = read_json(latest / "manifest.json")
    if before is None:
        return Changes()
    folder = latest.parent / before["run_id"]
    return changes_between(folder if folder.is_dir() else latest, before, stage, record)


def changes_between(before: Path, old: dict[str, Any], now: Path, new: dict[str, Any]) -> Changes:
    """Compare two runs.

    Parameters
    ----------
    before, now : pathlib.Path
        Their folders.
    old, new : dict
        Their manifests.
    """
    return Changes(
        old["run_id"],
        changed_numbers(read_json(before / "results.json") or {}, read_json(now / "results.json") or {}),
        _changed_accounts(before / "tables", now / "tables"),
        _made_of(old, new),
    )


def same(then: float | None, now: float | None, tolerance: float = LAST_BITS) -> bool:
    """Say whether two numbers are the same within a relative tolerance."""
    return then == now if then is None or now is None else math.isclose(then, now, rel_tol=tolerance)


def changed_numbers(before: dict[str, Any], now: dict[str, Any], tolerance: float = LAST_BITS) -> list[NumberChange]:
    """Return the headline numbers that differ between the contents of two `results.json`."""
    changed = []
    for name in now | before:
        old, new = before.get(name), now.get(name)
        if not (old and new and all(same(old[part], new[part], tolerance) for part in ("value", "low", "high"))):
            changed.append(NumberChange(name, (new or old)["unit"], old, new))
    return changed


def _changed_accounts(before: Path, now: Path) -> list[AccountChange]:
    """Compare the tables that account for data: by contract their names end with `accounting`."""
    names = {path.name for folder in (now, before) for path in folder.glob("*accounting.csv")}
    return [change for name in sorted(names) for change in _changed_account(before / name, now / name)]


def _changed_account(before: Path, now: Path) -> list[AccountChange]:
    old, new = _accounts(before), _accounts(now)
    cells = [(key, old.get(key), new.get(key)) for key in new | old]
    return [AccountChange(*key[:2], then, today) for key, then, today in cells if not _same_text(then, today)]


def _accounts(table: Path) -> dict[tuple[str, str, int], str]:
    """Return the cells of a table by step, column and, for a step that stands there twice, its number."""
    rows = [row for row in csv_files.read(table) if row] if table.is_file() else []
    if not rows:
        return {}
    header, *rows = rows
    seen: Counter[str] = Counter()
    cells = {}
    for step, *values in rows:
        cells |= {(step, column, seen[step]): value for column, value in zip(header[1:], values, strict=False)}
        seen[step] += 1
    return cells


def as_number(text: str | None) -> float | None:
    """Return the number that a cell holds, or None where it holds none."""
    try:
        return float(text)
    except (TypeError, ValueError):
        return None


def _same_text(then: str | None, now: str | None) -> bool:
    numbers = as_number(then), as_number(now)
    return then == now or (None not in numbers and same(*numbers))


def _made_of(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    sentences = [_changed_words("parameter", *change) for change in _changed(before["parameters"], now["parameters"])]
    if before["notebook"] != now["notebook"]:
        sentences.append(f"notebook {before['notebook']} → {now['notebook']}")
    elif _other("notebook_sha256", before, now):
        sentences.append(f"notebook {now['notebook']} has other cells")
    digests = {entry["sha256"]: entry["path"] for entry in before["inputs"]}
    sentences += [
        f"input {entry['path']} {'has other content' if entry['path'] in digests.values() else 'is newly read'}"
        for entry in now["inputs"]
        if entry["sha256"] not in digests
    ]
    kept = {entry["sha256"] for entry in now["inputs"]} | {entry["path"] for entry in now["inputs"]}
    sentences += [f"input {path} is no longer read" for digest, path in digests.items() if not {digest, path} & kept]
    if before["git"]["commit"] != now["git"]["commit"]:
        sentences.append("the code is of another commit")
    if now["git"]["dirty"]:
        sentences.append(_uncommitted(before["git"], now["git"]))
    if _other("lock_sha256", before, now):
        sentences.append("requirements.lock is another")
    if _other("platform", before, now):
        sentences.append(f"platform: {before['platform']} → {now['platform']}")
    return sentences + [
        f"version of {name}: {old or 'none'} → {new or 'none'}" for name, old, new in _changed(*_versions(before, now))
    ]


def _versions(before: dict[str, Any], now: dict[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """Return what was installed; of older manifests, which do not tell, what the workspace depends on."""
    told = "environment" if "environment" in before and "environment" in now else "packages"
    return before[told], now[told]


def _uncommitted(before: dict[str, Any], now: dict[str, Any]) -> str:
    digests = [state.get("changes_sha256") for state in (before, now)]
    if digests[0] and digests[0] == digests[1] and before["commit"] == now["commit"]:
        return "the code has changes that are in no commit: the same as before"
    return "the code has changes that are in no commit: what they are is not known"


def _other(name: str, before: dict[str, Any], now: dict[str, Any]) -> bool:
    return name in before and before[name] != now.get(name)  # older manifests may not tell


def _changed(before: dict[str, Any], now: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    names = dict.fromkeys(itertools.chain(now, before))
    return [(name, before.get(name), now.get(name)) for name in names if before.get(name) != now.get(name)]


def _changed_words(kind: str, name: str, old: Any, new: Any) -> str:
    return f"{kind} {name}: {'none' if old is None else repr(old)} → {'none' if new is None else repr(new)}"
