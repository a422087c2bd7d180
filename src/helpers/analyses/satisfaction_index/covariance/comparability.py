"""Whether segments, or waves, answer the questions alike: how far their figures can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from helpers.exhibits import listed
from helpers.models.satisfaction_index.covariance_model.invariance import Invariance, LeftOut, Level, invariance
from helpers.models.satisfaction_index.design import Design

from ...groups import Groups
from .estimation import UsedAnswers

MOST_NAMED = 6
PARTS = {
    "configural": "which item measures what",
    "metric": "loadings",
    "scalar": "intercepts",
    "strict": "residual variances",
}
REASONS = {
    "few_respondents": "fewer respondents than 30 or two for each item",
    "unknown_moments": "gaps that leave its moments unknown",
    "constant_item": "all answered alike",
    "dependent_item": "follows from other items",
}


@dataclass(frozen=True, eq=False)
class Comparability:
    """How far groups can be compared.

    Parameters
    ----------
    kind : str
        "segment", "wave", or "" where there are no groups.
    groups : tuple of str
        Those that were compared.
    found : Invariance or None
    left_out : tuple of str
        Groups that could not take part, each with the reason.
    why_not : str
        Why nothing could be tested; "" where it could.
    """

    kind: str
    groups: tuple[str, ...]
    found: Invariance | None
    left_out: tuple[str, ...] = ()
    why_not: str = ""

    @property
    def levels(self) -> tuple[Level, ...]:
        """Return the levels that were tested."""
        return self.found.levels if self.found else ()

    @property
    def verdict(self) -> str:
        """Return "alike", "differ" or "unknown"."""
        return self.found.verdict if self.found else "unknown"

    @property
    def brief(self) -> str:
        """Say how far they can be compared, in a sentence."""
        if not self.levels:
            text = f"Whether {self.kind}s answer the questions alike was not tested: {self.why_not}"
        elif self.verdict == "unknown":
            text = f"Whether {self.kind}s answer the questions alike cannot be told: the model does not fit within them"
        elif self.verdict == "differ":
            refused = "intercepts" if self.found.reached == "metric" else "loadings"
            text = (
                f"The {self.kind}s {listed(self.groups, MOST_NAMED)} do not answer the questions alike (equal "
                f"{refused} are refused): a difference of their indices need be none of satisfaction"
            )
        else:
            text = f"The {self.kind}s answer the questions alike as far as can be told, so that indices can be compared"
        if self.left_out:
            text += f"; not tested: {listed(self.left_out, MOST_NAMED)}"
        return f"{text}; none is set against another." if self.verdict == "unknown" else f"{text}."

    @property
    def sentence(self) -> str:
        """Say the same, and what the chi-square test finds besides."""
        doubtful = [PARTS[level.name] for level in self.levels if level.doubtful]
        if not doubtful:
            return self.brief
        return f"{self.brief} Single items differ all the same, by the chi-square test: in {listed(doubtful)}."

    def comparable(self, *groups: str) -> str:
        """Return whether all of these groups are known to answer alike: "yes", "no" or "not known"."""
        if self.verdict == "unknown" or not set(groups) <= set(self.groups):
            return "not known"
        return "yes" if self.verdict == "alike" else "no"


def comparability(
    kind: str,
    values: np.ndarray,
    weights: np.ndarray,
    groups: Groups,
    design: Design,
    missing_answers: str,
    items: Sequence[str],
) -> Comparability:
    """Test how far the groups of a kind are measured alike.

    Parameters
    ----------
    kind : {"segment", "wave"}
    values : ndarray, shape (respondents, items)
    weights : ndarray, shape (respondents,)
    groups : Groups
        Those that were put together of small ones take no part: they are no group.
    design : Design
    missing_answers : {"two_stage", "listwise"}
    items : sequence of str
        How items read.
    """
    numbers = [group for group in groups.of_kind(kind) if group not in groups.pooled]
    if len(numbers) < 2:
        return Comparability(kind, (), None, why_not="there are no two that can be shown")
    names = [groups.names[group] for group in numbers]
    parts = [
        UsedAnswers.of(values[members], weights[members], missing_answers, items)
        for members in (groups.members[:, numbers] > 0).T
    ]
    moments = zip(*((part.covariance, part.mean, part.size, part.spread) for part in parts), strict=True)
    with threadpool_limits(1):  # threads that fight for the cores make small matrices many times slower
        found = invariance(design, *moments)
    left_out = tuple(f"{names[at.group]} ({_reason(at, items)})" for at in found.left_out)
    why_not = "" if found.levels else "fewer than two hold enough respondents with answers that differ"
    return Comparability(kind, tuple(names[group] for group in found.groups), found, left_out, why_not)


def _reason(at: LeftOut, items: Sequence[str]) -> str:
    reason = REASONS[at.reason]
    return f"{reason}: {listed([items[item] for item in at.items], MOST_NAMED)}" if at.items else reason
