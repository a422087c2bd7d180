"""Where a table comes from: a built-in data set or a user's path. Nothing is parsed here."""

import glob
import hashlib
import importlib.util
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from helpers.data.refusal import InputRefused, Problem

_CDNOW_LICENCE = (
    "The data state no licence; they have been redistributed for research and teaching for over 20 years. "
    "The package that carries the file, lifetimes 0.11.3, is under the MIT licence."
)


@dataclass(frozen=True)
class BuiltIn:
    """A data set that every installation has.

    Attributes
    ----------
    table : str
        The contract it fulfils (a key of `helpers.data.contracts.TABLES`).
    description, origin, licence : str
        What it is, who published it, on which terms.
    package, file : str
        The installed package that carries it and the path inside that package.
    columns : Mapping[str, str]
        The file's column names to those of the contract.
    header : str
        The header line, where the file has none.
    currency, unit : str
        Of the amounts, and the time unit its publications use ("W", weeks).
    calibration_end : str
        The last day of the calibration period in the literature (ISO date).
    """

    table: str
    description: str
    origin: str
    licence: str
    package: str
    file: str
    columns: Mapping[str, str] = field(default_factory=dict)
    header: str = ""
    currency: str = ""
    unit: str = "W"
    calibration_end: str = ""

    def path(self) -> Path:
        """Find the file without importing the package, which takes seconds and changes pandas' options."""
        spec = importlib.util.find_spec(self.package)
        path = Path(spec.origin).parent / self.file if spec and spec.origin else None
        if path is None or not path.is_file():
            message = f"the package {self.package} is not installed with its data file {self.file}"
            raise InputRefused("the built-in data", [Problem(message, way_out="Install it again.")])
        return path


_ORIGIN = (
    "CDNOW, an online music shop: every purchase to 1998-06-30 of the customers who first bought in the "
    "first quarter of 1997 (Fader & Hardie 2001, Interfaces 31(3), S94-S107)"
)

BUILT_IN = {
    "cdnow": BuiltIn(
        table="transactions",
        description="CDNOW, all 23,570 customers",
        origin=_ORIGIN,
        licence=_CDNOW_LICENCE,
        package="lifetimes",
        file="datasets/CDNOW_master.txt",
        columns={"number_of_cds": "quantity", "dollar_value": "amount"},
        currency="USD",
        calibration_end="1997-09-30",
    ),
    "cdnow_sample": BuiltIn(
        table="transactions",
        description="CDNOW, the 1-in-10 sample of 2,357 customers that the literature uses",
        origin=_ORIGIN,
        licence=_CDNOW_LICENCE,
        package="lifetimes",
        file="datasets/CDNOW_sample.txt",
        header="id_in_full_file customer_id date quantity amount",
        currency="USD",
        calibration_end="1997-09-30",
    ),
}


def locate(source: str | os.PathLike, table: str) -> list[Path]:
    """Find the files of a source.

    Parameters
    ----------
    source : str or path
        A built-in name, a file, a folder of Parquet files (searched with its subfolders) or a glob pattern.
    table : str
        The contract the source shall fulfil, a key of `helpers.data.contracts.TABLES`.

    Returns
    -------
    list of pathlib.Path
        Sorted, never empty.

    Raises
    ------
    InputRefused
        If nothing is there, naming the built-in data sets of this table.
    """
    built_in = find_built_in(source, table)
    if built_in:
        return [built_in.path()]
    try:
        return _files(os.path.expanduser(os.fspath(source)), table)
    except (OSError, ValueError, TypeError) as error:
        raise InputRefused(f"{table}={source!r}", [Problem(f"it cannot be opened: {error}")]) from None


def find_built_in(source: str | os.PathLike, table: str) -> BuiltIn | None:
    """Give the built-in data set of that name for that table, None where there is none."""
    built_in = BUILT_IN.get(source) if isinstance(source, str) else None
    return built_in if built_in and built_in.table == table else None


def fingerprint(source: str | os.PathLike, table: str) -> list[dict]:
    """Identify the files of a source by their content, without parsing them.

    Returns
    -------
    list of dict
        One for each file: ``path`` (as given, or "built-in:NAME"), ``sha256``, ``bytes``.

    Raises
    ------
    InputRefused
        As `locate`, and where a file cannot be read.
    """
    paths = locate(source, table)
    shown = [f"built-in:{source}"] if find_built_in(source, table) else [str(path) for path in paths]
    return [
        {"path": name, "sha256": _sha256(path), "bytes": path.stat().st_size}
        for name, path in zip(shown, paths, strict=True)
    ]


def _files(name: str, table: str) -> list[Path]:
    path = Path(name)
    if name and path.is_dir():
        return _parquet_files(path)
    if name and path.is_file():
        return [path]
    matches = sorted(Path(match) for match in glob.glob(name, recursive=True) if os.path.isfile(match))
    if not matches:
        names = [repr(key) for key, data in BUILT_IN.items() if data.table == table]
        built_in = f"it is none of the built-in data sets ({', '.join(names)})" if names else "nothing is built in"
        raise InputRefused(
            f"{table}={name!r}",
            [Problem(f"{built_in}, and the path does not exist", way_out="Check the spelling and the folder.")],
        )
    return matches


def _parquet_files(folder: Path) -> list[Path]:
    """List a folder's Parquet files; hidden ones and Spark's bookkeeping ("_SUCCESS") are not data."""
    found = (path for path in folder.rglob("*.parquet") if path.is_file())
    files = sorted(
        path for path in found if not any(part.startswith((".", "_")) for part in path.relative_to(folder).parts)
    )
    if not files:
        problem = Problem(
            "the folder holds no Parquet file (*.parquet)",
            way_out="Name a CSV file itself, or save the table as Parquet into the folder.",
        )
        raise InputRefused(str(folder), [problem])
    return files


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputRefused(path.name, [Problem(f"it cannot be opened: {error}")]) from None
