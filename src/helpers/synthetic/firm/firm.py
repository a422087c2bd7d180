"""All tables of one simulated firm, and the truth beside."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from .contracts import contracts
from .exits import exits
from .market_spend import market_spend
from .marketing import marketing_touches
from .people import draw_people
from .purchases import transactions
from .receivables import receivables
from .referrals import plant_flaws, referrals
from .service import service_contacts
from .surveys import kano_survey, satisfaction_survey
from .truth import customer_truth, firm_truth

# What makes the firm, each with a random stream of its own; a new one comes last, so that the others' numbers stay.
# A keyword means the same wherever it stands.
PARTS: Mapping[str, Callable] = {
    "people": draw_people,
    "transactions": transactions,
    "marketing_touches": marketing_touches,
    "referrals": referrals,
    "flaws": plant_flaws,
    "satisfaction_survey": satisfaction_survey,
    "kano_survey": kano_survey,
    "service_contacts": service_contacts,
    "contracts": contracts,
    "exits": exits,
    "receivables": receivables,
    "market_spend": market_spend,
}


@dataclass(frozen=True, eq=False)
class Firm:
    """A simulated firm.

    Attributes
    ----------
    tables : dict of str to DataFrame
        By the names that `helpers.data.contracts` gives them.
    truth : DataFrame
        One row for each customer, as `helpers.synthetic.firm.truth.customer_truth` has it.
    true : dict of str to float
        The firm's parameters that are numbers, what is true of all customers (see
        `helpers.synthetic.firm.truth.firm_truth`), of the surveys' populations, and ``flaw_<name>``, how many were
        planted.
    """

    tables: dict[str, pd.DataFrame]
    truth: pd.DataFrame
    true: dict[str, float]

    def write(self, folder: str | os.PathLike) -> None:
        """Write each table, and the truth, as Parquet into a folder, which is made where it is missing."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in {**self.tables, "truth": self.truth}.items():
            table.to_parquet(folder / f"{name}.parquet", index=False)


def firm(customers: int = 5000, seed: int = 11, **parameters) -> Firm:
    """Simulate a firm whose every table comes from the same people.

    Each table has random numbers of its own: what one parameter changes, no other table feels, except through the
    people.

    Parameters
    ----------
    customers : int
        At least 1.
    seed : int
        Same seed, same firm.
    **parameters
        Any keyword of the functions in `PARTS` and of `customer_truth`; `default_parameters` lists them,
        docs/synthetic_firm.md says what they mean.

    Returns
    -------
    Firm

    Raises
    ------
    ValueError
        A parameter that does not exist or cannot be.
    """
    known = default_parameters()
    for name in parameters:
        if name not in known:
            raise ValueError(f"{name} is no parameter of the firm; there are {', '.join(sorted(known))}.")
    streams = dict(zip(PARTS, np.random.default_rng(seed).spawn(len(PARTS)), strict=True))

    def make(name: str, *material):
        return PARTS[name](*material, streams[name], **_chosen(PARTS[name], parameters))

    people, purchases = make("people", customers)
    brought = make("referrals", people)
    referrals_given, planted = make("flaws", brought, people)
    answered, satisfaction_truth = make("satisfaction_survey", people)
    asked, kano_truth = make("kano_survey", people)
    touches = make("marketing_touches", people)
    tables = {
        "transactions": make("transactions", people, purchases),
        "marketing_touches": touches,
        "referrals": referrals_given,
        "service_contacts": make("service_contacts", people),
        "contracts": make("contracts", people),
        "exits": make("exits", people),
        "receivables": make("receivables", people, purchases),
        "market_spend": make("market_spend", people, touches, brought),
        "satisfaction_survey": answered,
        "kano_survey": asked,
    }
    contacts = tables["service_contacts"]
    chosen = _chosen(customer_truth, parameters)
    truth = customer_truth(people, tables["transactions"], touches, brought, contacts, **chosen)
    numbers = {name: value for name, value in (known | parameters).items() if isinstance(value, (int, float))}
    true = {
        "customers": customers,
        **numbers,
        **firm_truth(truth, brought),
        **satisfaction_truth,
        **kano_truth,
    }
    true |= {f"flaw_{name}": count for name, count in planted.items()}
    return Firm(tables, truth, {name: float(value) for name, value in true.items()})


def default_parameters() -> dict[str, object]:
    """Give each parameter of a firm, beyond the number of customers and the seed, with its default."""
    return {name: default for part in (*PARTS.values(), customer_truth) for name, default in _keywords(part).items()}


def _chosen(function: Callable, parameters: Mapping[str, object]) -> dict[str, object]:
    """Take the parameters that a function has."""
    return {name: parameters[name] for name in _keywords(function) if name in parameters}


def _keywords(function: Callable) -> dict[str, object]:
    """Give the keywords of a function with their defaults."""
    found = inspect.signature(function).parameters.values()
    return {one.name: one.default for one in found if one.kind is one.KEYWORD_ONLY}
