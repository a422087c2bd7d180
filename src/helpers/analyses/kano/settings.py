"""What the Kano analysis is asked, checked in one place."""

from __future__ import annotations

from dataclasses import dataclass, field

from helpers.models.kano.evaluation import CLASSES, EVALUATION_TABLES
from helpers.models.kano.latent_classes import FITTERS

from ..choices import Choices

# Settings that speak of the user's own file and its requirements
OF_THE_INPUT = (
    "columns",
    "labels",
    "wordings",
    "wide",
    "segment",
    "wave",
    "prior_classes",
    "offers",
    "costs",
    "budget",
)


@dataclass(frozen=True)
class Settings(Choices):
    """Everything that can be chosen; the notebook's parameters, one for one, with their meanings there.

    Raises
    ------
    InputRefused
        With every value that is out of its range, at once.
    """

    counts: str = "reppl"
    survey: str = ""
    columns: dict = field(default_factory=dict)
    labels: str = ""
    wordings: dict = field(default_factory=dict)
    wide: str = ""
    segment: str = ""
    wave: str = ""
    importance_min: float = 1.0
    importance_max: float = 9.0
    bad_rows: str = "refuse"
    decimal: str = "."
    evaluation_table: str = "standard"
    near_tie: float = 0.06
    significance: float = 0.05
    least_share: float = 0.95
    better_cut: float = 0.5
    worse_cut: float = 0.5
    margin: float = 0.10
    least_importance: float = 0.5
    must_be_below: float = 30.0
    attractive_above: float = 60.0
    most_classes: int = 5
    class_starts: int = 20
    fitted_by: str = "helpers"
    sharpness: float = 4.0
    prior_classes: dict = field(default_factory=dict)
    offers: dict = field(default_factory=dict)
    costs: dict = field(default_factory=dict)
    budget: float = 0.0
    bootstrap_resamples: int = 2000
    min_cell: int = 5
    seed: int = 1

    def rules(self) -> dict[str, tuple[bool, str]]:
        """Return for each parameter with a range whether it is kept, and what it is."""
        tables, letters = ", ".join(EVALUATION_TABLES), ", ".join(CLASSES)
        angles = 0 <= self.must_be_below <= self.attractive_above <= 90
        costs = all(isinstance(cost, int | float) and cost >= 0 for cost in self.costs.values())
        return {
            "counts": (bool(self.counts or self.survey), "must name counts, where survey names no survey"),
            "evaluation_table": (self.evaluation_table in EVALUATION_TABLES, f"must be one of {tables}"),
            "near_tie": (0 <= self.near_tie < 1, "is a share of the answers, from 0 to below 1"),
            "significance": (0 < self.significance < 1, "is a probability, between 0 and 1"),
            "least_share": (0.5 <= self.least_share <= 1, "is a share of resamples, from 0.5 to 1"),
            "better_cut": (0 < self.better_cut < 1, "is a share, between 0 and 1"),
            "worse_cut": (0 < self.worse_cut < 1, "is a share, between 0 and 1"),
            "margin": (0 < self.margin < 0.5, "is a share, between 0 and 0.5"),
            "least_importance": (0 <= self.least_importance < 1, "is a length, from 0 to below 1"),
            "must_be_below": (angles, "and attractive_above are angles in degrees, from 0 to 90, in this order"),
            "most_classes": (1 <= self.most_classes <= 10, "must be from 1 to 10 latent classes"),
            "class_starts": (1 <= self.class_starts <= 200, "must be from 1 to 200 starts"),
            "fitted_by": (self.fitted_by in FITTERS, f"must be one of {', '.join(FITTERS)}"),
            "sharpness": (self.sharpness >= 0, "must be 0 or more"),
            "prior_classes": (set(self.prior_classes.values()) <= set(CLASSES), f"must map requirements to {letters}"),
            "offers": (
                all(_is_offer(offer) for offer in self.offers.values()),
                "must map offers to lists of the requirements they meet, or to how far (0 to 1) they meet each",
            ),
            "costs": (costs, "must map requirements to costs of 0 or more"),
            "budget": (self.budget >= 0, "must be 0 or more, in the unit of the costs"),
            "bootstrap_resamples": (100 <= self.bootstrap_resamples <= 10_000, "must be from 100 to 10,000"),
            "min_cell": (self.min_cell >= 1, "must be at least 1 respondent"),
            "seed": (self.seed >= 0, "must be 0 or more"),
        }


def _is_offer(offer: object) -> bool:
    """Tell whether an offer is described: a list of what it meets, or how far it meets each requirement."""
    if isinstance(offer, dict):
        return all(isinstance(share, int | float) and 0 <= share <= 1 for share in offer.values())
    return isinstance(offer, list) and all(isinstance(name, str) for name in offer)
