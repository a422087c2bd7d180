"""Retention economics as an analyst and a report meet it: the numbers, with their tables, figures and words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from helpers.exhibits import Figure, Headline, Table

from ..claims import Claim, claims_table
from ..headline_table import ShownAsHeadlines, headline_table
from . import claims, tables, words
from .gallery import gallery
from .measurement import Measurement, measure
from .processed import channel_table
from .settings import Settings


@dataclass(frozen=True, repr=False, eq=False)
class RetentionEconomics(ShownAsHeadlines, Measurement):
    """What retention adds and costs, where the famous numbers hold, and how a budget is split best.

    In JupyterLab the object shows its headline numbers; `tables` and `figures` hold the exhibits by name.
    """

    @property
    def label(self) -> str:
        """Return what must stand on everything shown: these are no real customers."""
        return "Simulated data" if self.is_simulated else ""

    @property
    def inputs(self) -> list[dict[str, Any]]:
        """Return the files read."""
        return [file for one in self.files.all.values() for file in one.inputs]

    @cached_property
    def processed(self) -> dict[str, pd.DataFrame]:
        """Return what other notebooks may read: one row for each channel."""
        return {"economics_by_channel": channel_table(self)}

    @cached_property
    def claims(self) -> tuple[Claim, ...]:
        """Return the claims of the sources with their verdicts."""
        return claims.claims(self)

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
        return "\n\n".join(part for part in words.paragraphs(self) if part)

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """Return which conclusions do not hold or must be read with care, in words."""
        return words.warnings(self)

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """Return what the inputs brought that a reader should know."""
        return words.notes(self)


def analyse(**choices: Any) -> RetentionEconomics:
    """Work out what keeping customers is worth and costs.

    Parameters
    ----------
    **choices
        Any of the fields of `Settings`; the rest keep their defaults.

    Returns
    -------
    RetentionEconomics
        What needs a table that was not given is missing there, and its exhibit says so.

    Raises
    ------
    helpers.data.refusal.InputRefused
        When an input or a setting cannot be used; the message names everything that is wrong.
    """
    return RetentionEconomics(**vars(measure(Settings.of(choices))))
