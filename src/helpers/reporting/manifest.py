"""What made a report: parameters, inputs, code, packages, time and outcome."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
import re
import secrets
from collections import Counter
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from .plan import PlannedReport
from .workspace import Workspace


@cache
def packages() -> dict[str, str]:
    """Return the versions of Python and of the packages that the workspace depends on."""
    required = importlib.metadata.requires("customer-value-workspace") or []
    names = sorted({re.match(r"[\w.-]+", line).group() for line in required if "extra ==" not in line})
    found = installed()
    return {"python": found["python"]} | {name: found[_one_spelling(name)] for name in names}


@cache
def installed() -> dict[str, str]:
    """Return the versions of Python and of everything that is installed beside it: a run may use any of it."""
    found = {"python": platform.python_version()}
    for distribution in importlib.metadata.distributions():
        metadata = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
        told = {key: re.search(rf"^{key}: *(.+)$", metadata, re.MULTILINE) for key in ("Name", "Version")}
        if all(told.values()):
            # the first is imported
            found.setdefault(_one_spelling(told["Name"][1].strip()), told["Version"][1].strip())
    return dict(sorted(found.items()))


def _one_spelling(name: str) -> str:
    return re.sub("[-_.]+", "-", name).lower()


def run_key(report: PlannedReport, inputs: list[dict[str, Any]], git: dict[str, Any], workspace: Workspace) -> str:
    """Return a digest of everything that decides what a run gives: the same key, the same report.

    Notebook code without its outputs, parameters, the digests of the inputs, the commit, the lock and the
    versions that are installed.
    """
    made_of = {
        "parameters": report.parameters,
        "inputs": [[entry["parameter"], entry["sha256"]] for entry in inputs],
        "commit": git["commit"],
        "packages": installed(),
    } | made_with(report.notebook, workspace)
    return _digest(made_of)


def made_with(notebook: Path, workspace: Workspace) -> dict[str, str | None]:
    """Return the digests of the notebook's cells, without outputs and injected parameters, and of the lock; the system.

    A notebook that was executed has the digest of the one that it was made from.
    """
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    own = [cell for cell in cells if "injected-parameters" not in cell.get("metadata", {}).get("tags", [])]
    lock = workspace.root / "requirements.lock"
    return {
        "notebook_sha256": _digest([[cell["cell_type"], "".join(cell["source"])] for cell in own]),
        "lock_sha256": hashlib.sha256(lock.read_bytes()).hexdigest() if lock.is_file() else None,
        "platform": f"{platform.system()} {platform.machine()}",
    }


def _digest(content: Any) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def with_rows(inputs: list[dict[str, Any]], read: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the inputs as found before the run, with the row counts that the notebook saw."""
    rows = {entry["sha256"]: entry.get("rows") for entry in read}
    return [entry | {"rows": rows.get(entry["sha256"])} for entry in inputs]


def kernel_warnings(notebook: Path) -> list[str]:
    """Return a sentence where cells of an executed notebook wrote to standard error: how many, which kinds of warnings.

    Their words stay in the notebook: they may quote values of the data.
    """
    cells = (read_json(notebook) or {"cells": []})["cells"]
    written = [[o for o in cell.get("outputs", []) if o.get("name") == "stderr"] for cell in cells]
    loud = ["".join(line for output in outputs for line in output["text"]) for outputs in written if outputs]
    kinds = Counter(re.findall(r"^\S.*?:\d+: (\w*Warning): ", "\n".join(loud), re.MULTILINE))
    named = [f"{kind} {times} time{'s' if times > 1 else ''}" for kind, times in sorted(kinds.items())]
    where = f"{len(loud)} cell{'s' if len(loud) > 1 else ''} wrote to standard error"
    return [f"{': '.join([where, *filter(None, [', '.join(named)])])} (the notebook has the words)"] if loud else []


def read_json(path: Path) -> Any:
    """Return the content of a JSON file, or None where there is none that can be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file so that a reader sees the old or the new one, never a part."""
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")  # reports that end together share the index
    try:
        # a file name that is no UTF-8; JSON reads what is written for it as the same name again
        part.write_text(text, encoding="utf-8", errors="backslashreplace")
        part.replace(path)
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise
