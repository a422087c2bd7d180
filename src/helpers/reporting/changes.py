"""What changed since the last good run of a report: numbers, inputs, parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .manifest import read_json


@dataclass(frozen=True)
class Changes:
    """The differences between a run and the good run before it.

    Parameters
    ----------
    previous : str or None
        Run id of the run before; None for the first.
    numbers : list of (name, before, now)
        Headline numbers whose value differs.
    made_of : list of str
        Sentences on what the run was made of: inputs, parameters, code, packages.
    """

    previous: str | None = None
    numbers: list[tuple[str, float | None, float | None]] = field(default_factory=list)
    made_of: list[str] = field(default_factory=list)

    def summary(self) -> str:
        """Return the changes in a few words, as the index shows them."""
        if self.previous is None:
            return "first run"
        if not self.numbers:
            return "no headline number changed"
        return f"{len(self.numbers)} headline number{'s' if len(self.numbers) > 1 else ''} changed"


def changes_since(latest: Path, stage: Path, record: dict[str, Any]) -> Changes:
    """Compare a staged run with the newest good one.

    Parameters
    ----------
    latest : pathlib.Path
        Folder of the newest good run.
    stage : pathlib.Path
        The staged run.
    record : dict
        Its manifest.
    """
    before = read_json(latest / "manifest.json")
    if before is None:
        return Changes()
    old, new = read_json(latest / "results.json") or {}, read_json(stage / "results.json") or {}
    values = [(name, old.get(name, {}).get("value"), new.get(name, {}).get("value")) for name in new | old]
    return Changes(
        before["run_id"],
        [(name, then, now) for name, then, now in values if not _same(then, now)],
        _made_of(before, record),
    )


def _same(then: float | None, now: float | None) -> bool:
    # sums made side by side by several threads may differ in their last bits from run to run
    return then == now if then is None or now is None else math.isclose(then, now, rel_tol=1e-9)


def _made_of(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    old, new = before["parameters"], now["parameters"]
    sentences = [
        f"parameter {name}: {old.get(name)!r} → {new.get(name)!r}" for name in new if old.get(name) != new[name]
    ]
    digests = {entry["sha256"] for entry in before["inputs"]}
    sentences += [
        f"input {entry['path']} has other content" for entry in now["inputs"] if entry["sha256"] not in digests
    ]
    if before["git"]["commit"] != now["git"]["commit"]:
        sentences.append("the code is of another commit")
    names = [name for name in now["packages"] if before["packages"].get(name) != now["packages"][name]]
    if names:
        sentences.append(f"other versions of {', '.join(names)}")
    return sentences
