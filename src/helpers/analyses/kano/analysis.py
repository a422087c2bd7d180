"""The Kano analysis as an analyst and a report meet it: the numbers, with their tables, figures and words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from helpers.data.kano_survey import KanoAnswers
from helpers.exhibits import Figure, Headline, Table

from ..headline_table import ShownAsHeadlines, headline_table
from . import tables, words
from .gallery import gallery
from .measurement import Measurement, measure
from .settings import Settings


@dataclass(frozen=True, repr=False)
class Kano(ShownAsHeadlines, Measurement):
    """Classes of requirements, how sure they are, and what follows.

    In JupyterLab the object shows its headline numbers; `tables` and `figures` hold the exhibits by name.
    """

    @property
    def label(self) -> str:
        """Return what must stand on everything shown: these are no real respondents."""
        simulated = isinstance(self.source, KanoAnswers) and self.source.is_simulated
        return "Simulated data" if simulated else ""

    @property
    def inputs(self) -> list[dict[str, Any]]:
        """Return the files read."""
        return self.source.inputs

    @cached_property
    def processed(self) -> dict[str, pd.DataFrame]:
        """Return what other notebooks may read: one row for each requirement."""
        return {"kano_requirements": self._frame.drop(columns="clear")}

    @cached_property
    def tables(self) -> dict[str, Table]:
        """Return the tables of the report by name."""
        every = [headline_table(self.headlines), *tables.tables(self)]
        return {table.name: table for table in every}

    @cached_property
    def figures(self) -> dict[str, Figure]:
        """Return the figures of the report by name."""
        return {figure.name: figure for figure in gallery(self, self.tables)}

    @cached_property
    def _frame(self) -> pd.DataFrame:
        frame = tables.requirements_frame(self)
        return frame[frame["clear"].notna()].reset_index(drop=True)

    @cached_property
    def headlines(self) -> tuple[Headline, ...]:
        """Return the headline numbers."""
        return (*words.headlines(self), *words.strongest(self._frame))

    @cached_property
    def answer(self) -> str:
        """Return the answer in words (Markdown)."""
        frames = {name: table.frame for name, table in self.tables.items()}
        parts = (
            words.classes(self),
            words.unclear(self, self._frame.assign(clear=self.clear)),
            words.advice(frames["priorities"], self.settings),
            words.changes(frames["differences"]),
            words.asymmetry(frames["asymmetry"]),
        )
        return "\n\n".join(part for part in parts if part)

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """Return which conclusions do not hold or must be read with care, in words."""
        return words.warnings(self, self._frame, self.tables["quality"].frame)

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """Return what the input brought that a reader should know."""
        return words.notes(self)


def analyse(**choices: Any) -> Kano:
    """Classify requirements from Kano's questions or published counts.

    Parameters
    ----------
    **choices
        Any of the fields of `Settings`; the rest keep their defaults.

    Returns
    -------
    Kano
        What counts alone cannot show is missing there, and its table says so.

    Raises
    ------
    helpers.data.refusal.InputRefused
        When the input or a setting cannot be used; the message names everything that is wrong.
    """
    return Kano(**vars(measure(Settings.of(choices))))
