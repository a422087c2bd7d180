"""A published run as a Process Run Crate: the provenance that other programs read, with the report beside it.

RO-Crate 1.1 (https://w3id.org/ro/crate/1.1) with the profile Process Run Crate 0.5
(https://w3id.org/ro/wfrun/process/0.5). The inputs are named, with their digests, and never copied: they hold
customers. Who ran it is left out, and so are the folders of the machine: a crate is passed on to others.
"""

from __future__ import annotations

import hashlib
import html
import io
import json
import mimetypes
import re
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rocrate.model.contextentity import ContextEntity
from rocrate.rocrate import ROCrate

from .manifest import read_json

PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
TERMS = "https://w3id.org/ro/terms/workflow-run/context"
COMPLETED = "http://schema.org/CompletedActionStatus"
LEFT_OUT = ("run.log",)  # what the machine said, not the report


def write_crate(folder: Path, root: Path, out: Path) -> None:
    """Write a good run as a zipped RO-Crate, wholly or not at all.

    Parameters
    ----------
    folder : pathlib.Path
        The folder of the run.
    root : pathlib.Path
        The workspace, which paths in the crate start from.
    out : pathlib.Path
        The zip file, replaced where it is there.

    Raises
    ------
    OSError
        When it cannot be written.
    """
    crate = describe(passed_on(folder, root))
    part = out.with_name(f"{out.name}.{secrets.token_hex(4)}.part")
    try:
        crate.write_zip(part)
        part.replace(out)
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def passed_on(folder: Path, root: Path) -> dict[str, bytes]:
    """Return the files of a run by name, as others may see them.

    A path inside the workspace starts from there, and of an input elsewhere only the name is left.
    """
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    files = {name: (folder / name).read_bytes() for name in names if name not in LEFT_OUT}
    telling = b"|".join(
        _as_written(start) + b"(?=" + _as_written(rest) + b")" for start, rest in _divided(folder, root)
    )
    # not in the middle of a word, as in https://example.org/srv, but after a line break as JSON writes it
    starts = re.compile(rb"(?:(?<![\w.-])|(?<=\\[nrt]))(?:" + telling + rb")")
    return {name: starts.sub(b"", content) for name, content in files.items()}


def _divided(folder: Path, root: Path) -> list[tuple[str, str]]:
    """Return paths that tell of the machine, each as what is left out and what stays; the longest first.

    They are those of inputs, those that papermill notes, and that of the workspace.
    """
    record = read_json(folder / "manifest.json")
    noted = read_json(folder / "notebook.ipynb")["metadata"].get("papermill", {})
    given = [entry["path"] for entry in record["inputs"]]
    given += [record["parameters"].get(entry["parameter"], "") for entry in record["inputs"]]
    given += [noted.get(key) or "" for key in ("input_path", "output_path")]
    telling = {path.rstrip("/") for path in given if path.startswith(("/", "~", "../")) or "/../" in path}
    paths = sorted((path for path in telling if not Path(path).is_relative_to(root)), key=len, reverse=True)
    return [*((path.removesuffix(Path(path).name), Path(path).name) for path in paths), (f"{root}/", "")]


def _as_written(text: str) -> bytes:
    """Return a pattern of a text as files have it: in pages, addresses, CSV files, code and JSON, within JSON too."""
    return b"".join(map(_character, text))


def _character(character: str) -> bytes:
    halves = re.findall("....", character.encode("utf-16-be", "surrogatepass").hex())
    in_pages = {html.escape(character), f"&#{ord(character)};", f"&#x{ord(character):x};"}
    in_addresses = quote(character, errors="surrogateescape")
    in_csv_files = character.replace('"', '""')
    others = sorted({*in_pages, in_addresses, in_csv_files} - {character})
    in_code = ["".join(rf"\\+u{half}" for half in halves), rf"\\+x{ord(character):02x}"]
    forms = [*map(re.escape, others), *in_code, rf"\\*{re.escape(character)}"]
    # atomic, the character itself last: nobody goes back to try another form of what was found
    return f"(?>{'|'.join(forms)})".encode(errors="surrogateescape")


def describe(files: dict[str, bytes]) -> ROCrate:
    """Return the crate of a run: one action that made the files of its report from its inputs and parameters."""
    record = json.loads(files["manifest.json"])
    crate = ROCrate(version="1.1")
    crate.metadata.extra_contexts.append(TERMS)
    crate.name = f"{record['title']} ({record['report']}, run {record['run_id']})"
    label = f"{record['label']}. " if record.get("label") else ""
    crate.description = f"{label}A report, with what made it: software, parameters and the digests of the inputs."
    crate.root_dataset["datePublished"] = record["ended"]
    crate.license = _add(crate, "#rights", "CreativeWork", name="No licence is stated", description=_RIGHTS)
    crate.root_dataset["conformsTo"] = _add(crate, PROFILE, "CreativeWork", name="Process Run Crate", version="0.5")
    action = crate.add_action(
        _software(crate, record),
        identifier=f"#{record['run_id']}",
        object=[*_inputs(crate, record), *_parameters(crate, record)],
        result=_files(crate, files),
        properties={
            "name": f"Run {record['run_id']} of {record['report']}",
            "description": f"reports run {record['report']}",
            "startTime": record["started"],
            "endTime": record["ended"],
            "actionStatus": {"@id": COMPLETED},
        },
    )
    crate.root_dataset["mentions"] = [action]
    return crate


_RIGHTS = "Whoever made this report has not said what others may do with it."


def _add(crate: ROCrate, identifier: str, kind: str, **properties: Any) -> ContextEntity:
    told = {name: value for name, value in properties.items() if value is not None}
    return crate.add(ContextEntity(crate, identifier, properties={"@type": kind, **told}))


def _software(crate: ROCrate, record: dict[str, Any]) -> ContextEntity:
    """Add the notebook, with what it was run by."""
    commit, dirty = record["git"]["commit"], record["git"]["dirty"]
    return _add(
        crate,
        f"#{record['notebook']}",
        "SoftwareSourceCode",
        name=record["title"],
        alternateName=record["notebook"],
        description="A notebook, run by papermill. The one that was executed, with its outputs, is notebook.ipynb.",
        programmingLanguage="Python",
        version=f"{commit}{' with changes' if dirty else ''}" if commit else None,
        sha256=record.get("notebook_sha256"),
        runtimePlatform=record.get("platform"),
        softwareRequirements=[
            _add(crate, f"#{name}-{version}", "SoftwareApplication", name=name, softwareVersion=version)
            for name, version in record["packages"].items()
        ],
    )


def _inputs(crate: ROCrate, record: dict[str, Any]) -> list[ContextEntity]:
    """Add what was read, which is not in the crate."""
    return [
        _add(
            crate,
            f"#input-{number}-{entry['parameter']}",
            "CreativeWork",
            name=f"{entry['parameter']}: {entry['name']}",
            alternateName=entry["path"],
            description=f"An input, not in this crate{_rows(entry)}.",
            contentSize=_size(entry.get("bytes")),
            sha256=entry["sha256"],
        )
        for number, entry in enumerate(record["inputs"], start=1)
    ]


def _rows(entry: dict[str, Any]) -> str:
    return f"; {entry['rows']:,} rows" if entry.get("rows") is not None else ""


def _size(content_bytes: int | None) -> str | None:
    return None if content_bytes is None else str(content_bytes)


def _parameters(crate: ROCrate, record: dict[str, Any]) -> list[ContextEntity]:
    return [
        _add(crate, f"#parameter-{name}", "PropertyValue", name=name, value=_plain(value))
        for name, value in record["parameters"].items()
    ]


def _plain(value: Any) -> Any:
    """Return a value that JSON-LD takes for one: a table or list as the JSON that the command line takes."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else value


def _files(crate: ROCrate, files: dict[str, bytes]) -> list[Any]:
    """Add the files of the report."""
    return [
        crate.add_file(
            io.BytesIO(content),
            dest_path=name,
            properties={
                "name": _MEANT.get(name, name),
                "encodingFormat": _format(name),
                "contentSize": str(len(content)),
                "sha256": hashlib.sha256(content).hexdigest(),
            },
        )
        for name, content in files.items()
    ]


_MEANT = {
    "index.html": "The report",
    "notebook.ipynb": "The executed notebook",
    "results.json": "The headline numbers",
    "manifest.json": "What made the report",
    "tables/columns.json": "Labels and units of the columns of all tables",
    "contents.json": "What the notebook showed",
}


def _format(name: str) -> str:
    if name.endswith(".ipynb"):
        return "application/x-ipynb+json"
    return mimetypes.guess_type(name)[0] or "application/octet-stream"
