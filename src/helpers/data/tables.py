"""One way to check any table that a parameter names, without running anything else."""

from __future__ import annotations

import inspect
from typing import Any

from helpers.data import marketing_touches, transactions

LOADERS = {"transactions": transactions.load, "marketing_touches": marketing_touches.load}


def check_input(table: str, source: str, parameters: dict[str, Any]) -> str:
    """Hold a source to the contract of its table, under the parameters of a report.

    Parameters
    ----------
    table : str
        The contract, a key of `helpers.data.contracts.TABLES`.
    source : str
        A built-in name or a path.
    parameters : dict
        The report's parameters; those that the table's loader knows are used. Column names are mapped by
        `<table>_columns` where there is one, by `columns` otherwise.

    Returns
    -------
    str
        What was found, in a few words.

    Raises
    ------
    helpers.data.refusal.InputRefused
        With all problems of the file.
    """
    load = LOADERS[table]
    accepted = inspect.signature(load).parameters
    choices = {name: value for name, value in parameters.items() if name in accepted}
    choices["columns"] = parameters.get(f"{table}_columns", parameters.get("columns"))
    accounting = load(source, **choices).accounting
    first, last = accounting.iloc[0], accounting.iloc[-1]
    return f"{first.rows:,} {first.step}, {last.rows:,} {last.step}"
