"""What the satisfaction-index analysis is asked, checked in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import Any, Self

from helpers.models.satisfaction_index.path_model import SCHEMES

from ..choices import Choices

WEIGHTINGS = ("pls", "equal")
ALL_WEIGHTINGS = (*WEIGHTINGS, "sem_loadings")  # the last is shown beside, never chosen: its model may be refused
MISSING_ANSWERS = ("two_stage", "listwise")
FITTED_BY = ("semopy", "helpers")
INTERVALS = ("percentile", "bca")


@dataclass(frozen=True)
class Settings(Choices):
    """Everything that can be chosen; the notebook's parameters, one for one, with their meanings there.

    Raises
    ------
    InputRefused
        With every value that is out of its range, at once.
    """

    survey: str = "mobi"
    model: str = "ecsi"
    columns: dict = field(default_factory=dict)
    segment: str = ""
    wave: str = ""
    scale_min: str = ""
    scale_max: str = ""
    missing_codes: list = field(default_factory=list)
    bad_rows: str = "refuse"
    straight_lining: str = "keep"
    identical_answers: str = "keep"
    most_missing: float = 0.2
    decimal: str = "."
    missing_answers: str = "two_stage"
    fitted_by: str = "semopy"
    scheme: str = "path"
    weighting: str = "pls"
    interval: str = "percentile"
    bootstrap_resamples: int = 1000
    satisfied_from: float = 75.0
    loyal_from: float = 75.0
    min_cell: int = 5
    seed: int = 1

    @classmethod
    def of(cls, choices: Mapping[str, Any]) -> Self:
        """Return the settings with these choices made; an end of the scale may be given as the number that it is."""
        ends = {name: f"{choices[name]:g}" for name in ("scale_min", "scale_max") if _is_number(choices.get(name))}
        return super().of({**choices, **ends})

    def rules(self) -> dict[str, tuple[bool, str]]:
        """Return for each parameter with a range whether it is kept, and what it is."""
        return {
            "scheme": (self.scheme in SCHEMES, f"must be one of {', '.join(SCHEMES)}"),
            "weighting": (self.weighting in WEIGHTINGS, f"must be one of {', '.join(WEIGHTINGS)}"),
            "interval": (self.interval in INTERVALS, f"must be one of {', '.join(INTERVALS)}"),
            "missing_answers": (
                self.missing_answers in MISSING_ANSWERS,
                f"must be one of {', '.join(MISSING_ANSWERS)}",
            ),
            "fitted_by": (self.fitted_by in FITTED_BY, f"must be one of {', '.join(FITTED_BY)}"),
            "most_missing": (0 <= self.most_missing < 1, "is a share of the items, from 0 to below 1: 0.2 is 20 %"),
            "bootstrap_resamples": (100 <= self.bootstrap_resamples <= 10_000, "must be from 100 to 10,000"),
            "satisfied_from": (0 < self.satisfied_from < 100, "is a point of the index, between 0 and 100"),
            "loyal_from": (0 < self.loyal_from < 100, "is a point of the index, between 0 and 100"),
            "min_cell": (self.min_cell >= 1, "must be at least 1 respondent"),
            "seed": (self.seed >= 0, "must be 0 or more"),
        }


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
