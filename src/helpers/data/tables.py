"""One way to check any input that a parameter names, without running anything else."""

from __future__ import annotations

import inspect
from typing import Any

from helpers.data import (
    exits,
    kano_counts,
    kano_survey,
    market_spend,
    marketing_touches,
    receivables,
    referrals,
    renewals,
    satisfaction_survey,
    service_contacts,
    transactions,
)
from helpers.data.refusal import require_choice
from helpers.data.satisfaction_models import read_model

LOADERS = {
    "transactions": transactions.load,
    "marketing_touches": marketing_touches.load,
    "referrals": referrals.load,
    "service_contacts": service_contacts.load,
    "contracts": renewals.load,
    "exits": exits.load,
    "receivables": receivables.load,
    "market_spend": market_spend.load,
    "satisfaction_survey": satisfaction_survey.load,
    "kano_survey": kano_survey.load_answers,
    "kano_counts": kano_counts.load_counts,
}

NO_CHOICES = ("customers", "connection")  # a table and an engine, which no parameter of that name can be


def check_input(table: str, source: str, parameters: dict[str, Any]) -> str:
    """Hold a source to the contract of its table, under the parameters of a report; check a model file in itself.

    Parameters
    ----------
    table : str
        What the source shall be, one of `helpers.data.contracts.INPUTS`.
    source : str
        A built-in name or a path.
    parameters : dict
        The report's parameters; those that the table's loader knows are used, paths among them as they stand. Column
        names are mapped by `<table>_columns` where there is one, by `columns` otherwise.

    Returns
    -------
    str
        What was found, in a few words.

    Raises
    ------
    helpers.data.refusal.InputRefused
        With all problems of the file, or because no such table can be loaded.
    """
    if table == "satisfaction_model":
        model = read_model(source)
        return f"{len(model.constructs)} constructs, {len(model.items)} items, {len(model.paths)} paths"
    require_choice("table", table, LOADERS)
    load = LOADERS[table]
    accepted = inspect.signature(load).parameters
    choices = {name: value for name, value in parameters.items() if name in accepted and name not in NO_CHOICES}
    choices["columns"] = parameters.get(f"{table}_columns", parameters.get("columns"))
    accounting = load(source, **choices).accounting
    lines = [accounting.iloc[place] for place in (0, -1)]
    return ", ".join(f"{line.iloc[1]:,} {line.step}" for line in lines)
