"""What a path model consists of, in numbers: which items measure which construct, and which construct acts on which."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Design:
    """A recursive path model with reflective blocks.

    Parameters
    ----------
    block : ndarray of int, shape (items,)
        For each item the number of the construct that it measures; every construct from 0 has at least one.
    paths : ndarray of bool, shape (constructs, constructs)
        ``paths[source, target]``: whether the source acts on the target directly; without cycles.
    """

    block: np.ndarray
    paths: np.ndarray

    @classmethod
    def of(cls, blocks: Mapping[str, Sequence[str]], paths: Iterable[tuple[str, str]]) -> Design:
        """Return the design of named blocks of items, in their order, and of (source, target) pairs of their names."""
        names = list(blocks)
        acts = np.zeros((len(names), len(names)), dtype=bool)
        for source, target in paths:
            acts[names.index(source), names.index(target)] = True
        return cls(np.repeat(np.arange(len(names)), [len(items) for items in blocks.values()]), acts)

    @property
    def items(self) -> int:
        """Return the number of items."""
        return len(self.block)

    @property
    def constructs(self) -> int:
        """Return the number of constructs."""
        return len(self.paths)

    @cached_property
    def membership(self) -> np.ndarray:
        """Return 1 where an item measures a construct, 0 elsewhere; shape (items, constructs)."""
        return (self.block[:, None] == np.arange(self.constructs)).astype(float)

    @cached_property
    def targets(self) -> tuple[int, ...]:
        """Return the constructs that something acts on."""
        return tuple(np.flatnonzero(self.paths.any(axis=0)).tolist())

    def sources(self, target: int) -> np.ndarray:
        """Return the constructs that act on `target` directly."""
        return np.flatnonzero(self.paths[:, target])
