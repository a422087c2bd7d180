"""The models that lavaan fitted (`published.covariance_model`), as structures of ours, and our fits of them."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import pandas as pd

from helpers.models.satisfaction_index.covariance_model.scoring import CovarianceFit, Sample, fit
from helpers.models.satisfaction_index.covariance_model.structure import Entry, Structure
from helpers.models.satisfaction_index.design import Design
from tests.mobi import ITEMS, design_of, mobi
from tests.published import covariance_model as published

FACTORS = {"visual": ("x1", "x2", "x3"), "textual": ("x4", "x5", "x6"), "speed": ("x7", "x8", "x9")}


@dataclass(frozen=True, eq=False)
class Model:
    """A model by lavaan's names; an item of the structural part is a construct of its own, of the same name."""

    constructs: dict[str, tuple[str, ...]]
    paths: tuple[tuple[str, str], ...]
    residual_covariances: tuple[tuple[str, str], ...]
    answers: np.ndarray

    @property
    def items(self) -> list[str]:
        return [item for items in self.constructs.values() for item in items]

    @property
    def design(self) -> Design:
        return design_of(self.constructs, self.paths)

    @property
    def structure(self) -> Structure:
        pairs = [(self.items.index(one), self.items.index(other)) for one, other in self.residual_covariances]
        return Structure.of(self.design, pairs)

    @property
    def sample(self) -> Sample:
        return Sample.of(np.cov(self.answers.T, bias=True), len(self.answers))

    def entry(self, left: str, operator: str, right: str) -> Entry:
        """Return the place of what lavaan names so."""
        constructs = list(self.constructs)
        if operator == "=~":
            return Entry(0, "loadings", self.items.index(right), constructs.index(left))
        if operator == "~":
            return Entry(0, "paths", constructs.index(right), constructs.index(left))
        if left in constructs:
            row, column = sorted((constructs.index(left), constructs.index(right)), reverse=True)
            return Entry(0, "construct_covariance", row, column)
        row, column = sorted((self.items.index(left), self.items.index(right)), reverse=True)
        return Entry(0, "residual_covariance", row, column)

    def number(self, key: tuple[str, str, str]) -> int:
        """Return the number of the parameter that lavaan names so; -1 where it is fixed."""
        at = self.entry(*key)
        return self.structure.number(at.matrix, at.row, at.column)


@cache
def data(name: str) -> pd.DataFrame:
    """Return the answers a model is of, a column for each item."""
    examples = {"holzinger": "holzinger_swineford39_data.csv", "political_democracy": "pd_data.csv"}
    if name in examples:
        return pd.read_csv(files("semopy") / "examples" / examples[name])
    return pd.DataFrame(mobi(), columns=list(ITEMS))


@cache
def model(name: str) -> Model:
    """Return one of the models of `published.ESTIMATES`; what it leaves free is read off the keys."""
    keys = list(published.ESTIMATES[name])
    blocks: dict[str, tuple[str, ...]] = {}
    for left, operator, right in keys:
        if operator == "=~":
            blocks[left] = (*blocks.get(left, ()), right)
    paths = tuple((right, left) for left, operator, right in keys if operator == "~")
    constructs = blocks | {end: (end,) for path in paths for end in path if end not in blocks}
    pairs = tuple((left, right) for left, operator, right in keys if operator == "~~" and left != right)
    pairs = tuple(pair for pair in pairs if pair[0] not in constructs)
    items = [item for items in constructs.values() for item in items]
    return Model(constructs, paths, pairs, data(name)[items].to_numpy(float))


@cache
def fitted(name: str) -> CovarianceFit:
    """Return our fit of one of the models."""
    return fit(model(name).structure, model(name).sample)


def school(level: str) -> CovarianceFit:
    """Return our fit of the three factors in both schools, as far equal as the level says."""
    by_school = [part for _, part in data("holzinger").groupby("school", sort=False)]
    values = [part[list(sum(FACTORS.values(), ()))].to_numpy(float) for part in by_school]
    return fit(Structure.of_groups(design_of(FACTORS, ()), 2, level), sample_of(values))


def sample_of(values) -> Sample:
    """Return the sample of several groups with means; `values`: the answers of each."""
    return Sample(
        tuple(np.cov(part.T, bias=True) for part in values),
        tuple(np.array(float(len(part))) for part in values),
        tuple(part.mean(axis=0) for part in values),
    )
