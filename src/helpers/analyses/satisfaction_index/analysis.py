"""The satisfaction index as an analyst and a report meet it: the numbers, with their tables, figures and words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from helpers.exhibits import Figure, Headline, Table

from ..headline_table import ShownAsHeadlines, headline_table
from . import tables, words
from .covariance import words as covariance_words
from .gallery import gallery
from .measurement import Measurement, measure
from .settings import Settings


@dataclass(frozen=True, repr=False)
class SatisfactionIndex(ShownAsHeadlines, Measurement):
    """The index of every construct, what moves it, and what is needed to believe or doubt it.

    In JupyterLab the object shows its headline numbers; `tables` and `figures` hold the exhibits by name, `scores` one
    row for each respondent, `fit` the path model, `estimates` every estimate with its bootstrap draws.
    """

    @property
    def label(self) -> str:
        """Return what must stand on everything shown: these are no real respondents."""
        return "Simulated data" if self.survey.is_simulated else ""

    @property
    def inputs(self) -> list[dict[str, Any]]:
        """Return the files read."""
        return self.survey.inputs

    @cached_property
    def processed(self) -> dict[str, pd.DataFrame]:
        """Return what other notebooks may read: each respondent's scores, 0 to 100."""
        scores = pd.DataFrame(self.scores, columns=list(self.constructs))
        return {"satisfaction_scores": pd.concat([self.survey.respondents, scores], axis=1)}

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
    def headlines(self) -> tuple[Headline, ...]:
        """Return the headline numbers."""
        return words.headlines(self)

    @cached_property
    def answer(self) -> str:
        """Return the answer in words (Markdown)."""
        frames = {name: table.frame for name, table in self.tables.items()}
        leading = words.leading(self, frames["importance_performance"])
        parts = (
            words.level(self),
            words.causes(self, frames["importance_performance"]),
            words.loyalty(self, frames["quadrants"]),
            words.groups(self, frames["index"], frames["differences"]),
            words.foresight(frames["predictions"]),
            covariance_words.agreement(self, frames["agreement"], leading),
        )
        return "\n\n".join(part for part in parts if part)

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """Return which conclusions do not hold or must be read with care, in words."""
        return words.warnings(self)

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """Return what the survey brought that a reader should know."""
        return words.notes(self)


def analyse(**choices: Any) -> SatisfactionIndex:
    """Measure satisfaction from a survey, and what moves it.

    Parameters
    ----------
    **choices
        Any of the fields of `Settings`; the rest keep their defaults.

    Returns
    -------
    SatisfactionIndex
        What cannot be estimated from these answers is missing there, and `warnings` says why.

    Raises
    ------
    helpers.data.refusal.InputRefused
        When the survey, the model file or a setting cannot be used; the message names everything that is wrong.
    """
    return SatisfactionIndex(**vars(measure(Settings.of(choices))))
