"""Referral value as an analyst and a report meet it: the numbers, with their tables, figures and words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from helpers.exhibits import Figure, Headline, Table

from ..claims import Claim, claims_table
from ..headline_table import ShownAsHeadlines, headline_table
from . import tables, words
from .gallery import gallery
from .measurement import Measurement, measure
from .processed import customer_table
from .settings import Settings


@dataclass(frozen=True, repr=False, eq=False)
class ReferralValue(ShownAsHeadlines, Measurement):
    """Both values of each customer, the four classes, and what to do about them.

    In JupyterLab the object shows its headline numbers; `tables` and `figures` hold the exhibits by name.
    """

    @property
    def label(self) -> str:
        """Return what must stand on everything shown: these are no real customers."""
        return "Simulated data" if self.is_simulated else ""

    @property
    def inputs(self) -> list[dict[str, Any]]:
        """Return the files read."""
        return [*self.purchases.inputs, *self.referrals.inputs, *self.touches.inputs]

    @cached_property
    def processed(self) -> dict[str, pd.DataFrame]:
        """Return what other notebooks may read: one row for each customer."""
        return {"referral_value": customer_table(self)}

    @cached_property
    def claims(self) -> tuple[Claim, ...]:
        """Return the claims of the sources with their verdicts."""
        return words.claims(self)

    @cached_property
    def tables(self) -> dict[str, Table]:
        """Return the tables of the report by name."""
        ledger = claims_table(self.claims, self.is_simulated)
        every = [headline_table(self.headlines), *tables.tables(self), ledger]
        return {table.name: table for table in every}

    @cached_property
    def figures(self) -> dict[str, Figure]:
        """Return the figures of the report by name."""
        return {figure.name: figure for figure in gallery(self, self.tables)}

    @cached_property
    def headlines(self) -> tuple[Headline, ...]:
        """Return the headline numbers."""
        return words.headlines(self)

    @cached_property
    def answer(self) -> str:
        """Return the answer in words (Markdown)."""
        parts = [words.brought(self)]
        if not self.untold:
            parts += [words.classes(self), words.verdicts(self.claims), words.campaign(self)]
        return "\n\n".join(parts)

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """Return which conclusions do not hold or must be read with care, in words."""
        return words.warnings(self)

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """Return what the inputs brought that a reader should know."""
        return words.notes(self)


def analyse(**choices: Any) -> ReferralValue:
    """Value customers by what they buy and by whom they bring.

    Parameters
    ----------
    **choices
        Any of the fields of `Settings`; the rest keep their defaults.

    Returns
    -------
    ReferralValue
        Without referrals, what needs them is missing there, and its table says so.

    Raises
    ------
    helpers.data.refusal.InputRefused
        When an input or a setting cannot be used; the message names everything that is wrong.
    """
    return ReferralValue(**vars(measure(Settings.of(choices))))
