"""Random covariance models with parameters that imply positive definite covariances."""

import numpy as np

from helpers.models.satisfaction_index.covariance_model.scoring import Implied, Sample
from helpers.models.satisfaction_index.covariance_model.structure import LEVELS, Structure
from helpers.models.satisfaction_index.design import Design


def random_structure(rng, least_items: int = 1, groups: int | None = None) -> Structure:
    """Return a structure of two to four constructs of up to three items; without `groups`, of any kind."""
    constructs = rng.integers(2, 5)
    block = np.repeat(np.arange(constructs), rng.integers(least_items, 4, constructs))
    paths = np.triu(rng.random((constructs, constructs)) < 0.5, 1)
    order = rng.permutation(constructs)
    design = Design(rng.permutation(block), paths[np.ix_(order, order)])
    groups = rng.integers(0, 4) if groups is None else groups
    if groups:
        return Structure.of_groups(design, groups, rng.choice(list(LEVELS)))
    several = np.flatnonzero(np.bincount(block)[design.block] > 1)
    return Structure.of(design, [tuple(rng.choice(several, 2, replace=False))] if len(several) > 1 else ())


def random_parameters(rng, structure: Structure) -> np.ndarray:
    """Return plausible parameters."""
    values = np.empty(structure.parameters)
    for number, at in enumerate(structure.first_entries):
        if at.matrix == "loadings":
            values[number] = rng.uniform(0.6, 1.4)
        elif at.matrix in ("construct_covariance", "residual_covariance"):
            values[number] = rng.uniform(0.6, 1.4) if at.row == at.column else rng.uniform(-0.15, 0.15)
        else:
            values[number] = rng.uniform(-0.5, 0.5)
    return values


def implied_sample(structure: Structure, parameters, size: float = 200.0) -> Sample:
    """Return the sample that the parameters imply exactly; groups of different sizes."""
    implied = [Implied.of(structure, parameters, group) for group in range(structure.groups)]
    return Sample(
        tuple(part.covariance for part in implied),
        tuple(np.array(size * (1 + group)) for group in range(structure.groups)),
        tuple(part.mean for part in implied) if structure.with_means else (),
    )
