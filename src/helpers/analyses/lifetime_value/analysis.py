"""Lifetime value as an analyst and a report meet it: the numbers, with their tables, figures and words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from helpers.data.engines import engine_errors_refused
from helpers.exhibits import Figure, Headline, Table

from ..headline_table import ShownAsHeadlines, headline_table
from . import figures, tables, words
from .evaluation import Evaluation, evaluate
from .evaluation import figures as evaluation_figures
from .evaluation import tables as evaluation_tables
from .evaluation import words as evaluation_words
from .settings import Settings
from .valuation import Valuation, valuate, value_by


@dataclass(frozen=True, repr=False)
class LifetimeValue(ShownAsHeadlines, Valuation):
    """Lifetime value of every customer, with what is needed to believe or doubt it.

    In JupyterLab the object shows its headline numbers; `tables` and `figures` hold the exhibits by name,
    `customers` one row for each customer, `calibration` and `observation` the fitted models, `evaluation` what
    became of their predictions.
    """

    @property
    def label(self) -> str:
        """Return what must stand on everything shown; "" for purchases that were made."""
        return "Simulated data" if self.purchases.is_simulated else ""

    @property
    def inputs(self) -> list[dict[str, Any]]:
        """Return the files read."""
        return [*self.purchases.inputs, *self.marketing.inputs]

    @property
    def processed(self) -> dict[str, pd.DataFrame]:
        """Return what other notebooks may read."""
        return {"customer_value": self.customers}

    @cached_property
    def evaluation(self) -> Evaluation | None:
        """Return what speaks for and against the models; computed when first asked for. None without a holdout."""
        with engine_errors_refused(self.settings.transactions):
            return evaluate(self)

    @cached_property
    def recommended_value(self) -> tuple[float, float, float] | None:
        """Return the sum of potential value by the recommended model, with its interval, where it is another one."""
        recommended = self.evaluation.recommendation.model if self.evaluation else ""
        if recommended in ("", self.settings.model):
            return None
        with engine_errors_refused(self.settings.transactions):
            return value_by(self, recommended)

    @cached_property
    def tables(self) -> dict[str, Table]:
        """Return the tables of the report by name."""
        fits = self.evaluation.split.fits if self.evaluation else self.calibration.fits
        every = [
            headline_table(self.headlines),
            *tables.tables(self, fits),
            *evaluation_tables.tables(self.evaluation),
        ]
        return {table.name: table for table in every}

    @cached_property
    def figures(self) -> dict[str, Figure]:
        """Return the figures of the report by name."""
        every = [*figures.figures(self), *evaluation_figures.figures(self.evaluation)]
        return {figure.name: figure for figure in every}

    @cached_property
    def headlines(self) -> tuple[Headline, ...]:
        """Return the headline numbers."""
        return (*words.headlines(self), *evaluation_words.headlines(self.evaluation), *words.parameters(self))

    @cached_property
    def answer(self) -> str:
        """Return the answer in words (Markdown)."""
        parts = (
            words.worth(self),
            evaluation_words.worth_by_recommended(self.evaluation, self.recommended_value, self.currency),
            words.concentration(self),
            evaluation_words.conclusion(self.evaluation),
            words.peer(self),
        )
        return "\n\n".join(part for part in parts if part)

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """Return which conclusions do not hold or must be read with care, in words."""
        return (*words.fit_problems(self), *evaluation_words.warnings(self.evaluation), *words.warnings(self))

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """Return what the data brought that a reader should know."""
        return words.notes(self)


def analyse(**choices: Any) -> LifetimeValue:
    """Value every customer of a file of purchases.

    Parameters
    ----------
    **choices
        Any of the fields of `Settings`; the rest keep their defaults.

    Returns
    -------
    LifetimeValue
        Parts that cannot be computed from these data are missing there, and `warnings` says why.

    Raises
    ------
    helpers.data.refusal.InputRefused
        When the file or a setting cannot be used; the message names everything that is wrong.
    """
    return LifetimeValue(**vars(valuate(Settings.of(choices))))
