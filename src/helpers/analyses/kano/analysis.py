"""The Kano analysis as an analyst and a report meet it: the numbers, with their tables, figures and words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from helpers.data.kano_survey import KanoAnswers
from helpers.data.sources import find_built_in
from helpers.exhibits import Figure, Headline, Table

from ..headline_table import ShownAsHeadlines, headline_table
from . import tables, words
from .gallery import gallery
from .measurement import Measurement, measure
from .settings import OF_THE_INPUT, Settings
from .tables.evidence import few

SIMULATED = "Simulated data"
# What counts alone cannot show; beside published counts a simulated survey shows it, and each of these says so.
ILLUSTRATED_TABLES = (
    "continuous",
    "analytical",
    "importance",
    "groups",
    "differences",
    "homogeneity",
    "latent_classes",
    "numbers_of_classes",
)
ILLUSTRATED_FIGURES = ("continuous", "analytical", "importance", "answer_pairs", "segments", "waves", "latent_classes")


@dataclass(frozen=True, repr=False)
class Kano(ShownAsHeadlines, Measurement):
    """Classes of requirements, how sure they are, and what follows.

    In JupyterLab the object shows its headline numbers; `tables` and `figures` hold the exhibits by name.
    """

    @property
    def label(self) -> str:
        """Return what must stand on everything shown: these are no real respondents."""
        simulated = isinstance(self.source, KanoAnswers) and self.source.is_simulated
        return SIMULATED if simulated else ""

    @cached_property
    def clear(self) -> np.ndarray:
        """Return for which requirements the most frequent class can be relied on: never of too few answers."""
        return super().clear & ~few(self.everyone)

    @cached_property
    def illustration(self) -> Kano | None:
        """Return a simulated survey beside published counts; None beside anything that the user brings."""
        settings = self.settings
        if self.answers is not None or not find_built_in(settings.counts, "kano_counts"):
            return None
        own = {name: type(value)() for name, value in vars(settings).items() if name in OF_THE_INPUT}
        return Kano(**vars(measure(replace(settings, **own, survey="synthetic"))))

    @property
    def inputs(self) -> list[dict[str, Any]]:
        """Return the files read."""
        return self.source.inputs

    @cached_property
    def processed(self) -> dict[str, pd.DataFrame]:
        """Return what other notebooks may read: one row for each requirement."""
        return {"kano_requirements": self._frame}

    @cached_property
    def tables(self) -> dict[str, Table]:
        """Return the tables of the report by name."""
        every = [headline_table(self.headlines), *self._own_tables.values()]
        return {table.name: self._illustrated(table) for table in every}

    @cached_property
    def _own_tables(self) -> dict[str, Table]:
        return {table.name: table for table in tables.tables(self)}

    def _illustrated(self, table: Table) -> Table:
        if not self.illustration or table.name not in ILLUSTRATED_TABLES:
            return table
        shown = self.illustration.tables[table.name]
        return replace(shown, frame=shown.frame.assign(simulated=True), label=SIMULATED)

    @cached_property
    def figures(self) -> dict[str, Figure]:
        """Return the figures of the report by name."""
        every = gallery(self, self.tables)
        if self.illustration:
            shown = {name: replace(self.illustration.figures[name], label=SIMULATED) for name in ILLUSTRATED_FIGURES}
            every = [shown.get(figure.name, figure) for figure in every]
        return {figure.name: figure for figure in every}

    @cached_property
    def _frame(self) -> pd.DataFrame:
        return tables.classes.of_everyone(self._own_tables["requirements"].frame)

    @cached_property
    def headlines(self) -> tuple[Headline, ...]:
        """Return the headline numbers."""
        return (*words.strongest(self._frame), *words.headlines(self))

    @cached_property
    def answer(self) -> str:
        """Return the answer in words (Markdown)."""
        # what is only illustrated is no answer
        frames = {name: table.frame for name, table in self.tables.items() if not table.label}
        parts = (
            words.classes(self, self._frame),
            words.behind(frames["priorities"]),
            words.unclear(self, self._frame.assign(clear=self.clear)),
            words.advice(frames["priorities"], self.settings),
            words.changes(frames.get("differences")),
            words.asymmetry(frames["asymmetry"]),
            words.gaps(frames.get("importance"), self.settings.least_share),
            words.latent_classes(self),
            words.choice(frames["choice"]),
            words.offers(frames["offers"]),
            words.illustrated(self.illustration is not None),
        )
        return "\n\n".join(part for part in parts if part)

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """Return which conclusions do not hold or must be read with care, in words."""
        frames = (self.tables[name].frame for name in ("quality", "priorities"))
        return words.warnings(self, self._frame, *frames)

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
