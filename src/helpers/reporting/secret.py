"""Secrets: a parameter holds the name of an environment variable, and its value lands nowhere.

A parameter whose meaning begins with `secret:` takes "" or "env:NAME". The notebook that needs the value asks for it
when it needs it: `read_secret(password)`.
"""

from __future__ import annotations

import html
import json
import os
import re
from pathlib import Path
from urllib.parse import quote, quote_plus

REFERENCE = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]*)")
REDACTED = "[secret]"
SHORTEST = 6  # characters; fewer would be found, and taken out, in words and numbers that are no secret


def variable(reference: str) -> str:
    """Return the environment variable that `env:NAME` names; "" where it is not of that form."""
    found = REFERENCE.fullmatch(reference)
    return found[1] if found else ""


def read_secret(reference: str) -> str:
    """Return the value of a secret parameter.

    Parameters
    ----------
    reference : str
        "env:NAME".

    Raises
    ------
    KeyError
        When it is of another form, or the environment has no such variable. The message never holds a value.
    """
    name = variable(reference)
    if not os.environ.get(name):
        raise KeyError(f"the environment has no variable {name}" if name else "a secret is named so: env:NAME")
    return os.environ[name]


def missing(names: list[str]) -> list[str]:
    """Return those of the variables that the environment lacks, or that hold too little to be told from other text."""
    return [name for name in names if len(os.environ.get(name, "")) < SHORTEST]


def redact(folder: Path, names: list[str]) -> list[str]:
    """Take the values of secrets out of every file of a folder.

    Parameters
    ----------
    folder : pathlib.Path
        Searched with its subfolders.
    names : list of str
        Environment variables that hold the secrets.

    Returns
    -------
    list of str
        Files that held one. Those of text have `[secret]` in its place; any other, such as a Parquet table, is removed.
    """
    given = {name: os.environ.get(name, "") for name in names}
    spellings = {text for value in given.values() if len(value) >= SHORTEST for text in _spellings(value)}
    if not spellings:
        return []
    anyone = re.compile(b"|".join(re.escape(spelling) for spelling in sorted(spellings, key=len, reverse=True)))
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        clean, times = anyone.subn(REDACTED.encode(), content)
        if not times:
            continue
        found.append(str(path.relative_to(folder)))
        if _is_text(content):
            path.write_bytes(clean)
        else:
            path.unlink()
    return found


def _spellings(value: str) -> set[bytes]:
    """Return the value as a file may hold it: as it stands, in an address or a page, and as JSON writes it.

    Notebooks keep text as a list of lines, so each line of a value counts as one. JSON may stand within JSON.
    """
    lines = {line for line in map(str.strip, value.splitlines()) if len(line) >= SHORTEST}
    written = {
        text for whole in {value, *lines} for text in (whole, repr(whole)[1:-1], quote(whole), quote_plus(whole))
    }
    written |= {html.escape(text, quote=marks) for text in written for marks in (True, False)}
    for _ in range(2):
        written |= {json.dumps(text, ensure_ascii=ascii)[1:-1] for text in written for ascii in (True, False)}
    return {text.encode() for text in written}


def _is_text(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in content
