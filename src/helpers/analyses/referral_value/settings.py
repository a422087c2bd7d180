"""What the analysis of referral value is asked, checked in one place."""

from __future__ import annotations

from dataclasses import dataclass, field

from helpers.data.referrals import SEVERAL_REFERRERS
from helpers.models.quadrants import RULES, Rule
from helpers.models.referral_value.campaign import ROAD_MAP, Move

from ..choices import Choices

VALUES = ("net", "gross")
MODEL, SHARE, STATED = TYPES = ("model", "share", "stated")


@dataclass(frozen=True)
class Settings(Choices):
    """Everything that can be chosen; the notebook's parameters, one for one, with their meanings there.

    Raises
    ------
    InputRefused
        With every value that is out of its range, at once.
    """

    transactions: str = "synthetic_firm"
    columns: dict = field(default_factory=dict)
    referrals: str = "synthetic_firm"
    referrals_columns: dict = field(default_factory=dict)
    marketing_touches: str = "synthetic_firm"
    marketing_touches_columns: dict = field(default_factory=dict)
    bad_rows: str = "refuse"
    date_format: str = ""
    decimal: str = "."
    observation_end: str = ""
    time_unit: str = "W"
    model: str = "bg_nbd"
    horizon_weeks: int = 156
    annual_discount_rate: float = 0.10
    past_rate: float = 0.0
    margin_rate: float = 1.0
    planned_marketing_cost: float = 0.0
    currency: str = ""
    window_days: int = 365
    several_referrers: str = "first"
    generations: int = 1
    decay: float = 0.5
    probability_type_one: str = MODEL
    acquisition_saving: float = -1.0
    incentive_cost: float = -1.0
    charge_type_two: bool = False
    classed_by: str = "net"
    lifetime_cut: str = "median"
    lifetime_cut_at: float = 0.0
    referral_cut: str = "median"
    referral_cut_at: float = 0.0
    campaign: dict = field(default_factory=dict)
    second_touch_days: int = 14
    draws: int = 100
    resamples: int = 1000
    engine: str = "duckdb"
    memory_limit: str = ""
    min_cell: int = 5
    seed: int = 1

    def __post_init__(self) -> None:
        """Take a number for a text: as a notebook's parameter the probability is one, for "model" is."""
        given = self.probability_type_one
        if isinstance(given, (int, float)) and not isinstance(given, bool):
            object.__setattr__(self, "probability_type_one", str(given))
        super().__post_init__()

    def rules(self) -> dict[str, tuple[bool, str]]:
        """Return for each parameter with a range whether it is kept, and what it is."""
        rules = ", ".join(RULES)
        return {
            "horizon_weeks": (0 <= self.horizon_weeks <= 1040, "is in weeks, from 0 to 1,040"),
            "annual_discount_rate": (self.annual_discount_rate > -1, "must be above -1 (-100 %)"),
            "past_rate": (self.past_rate > -1, "must be above -1 (-100 %)"),
            "margin_rate": (-10 <= self.margin_rate <= 10, "is a share of the amount"),
            "planned_marketing_cost": (self.planned_marketing_cost >= 0, "must be 0 or more a year"),
            "window_days": (self.window_days >= 0, "must be 0 or more days"),
            "several_referrers": (
                self.several_referrers in SEVERAL_REFERRERS,
                f"must be one of {', '.join(SEVERAL_REFERRERS)}",
            ),
            "generations": (1 <= self.generations <= 50, "must be from 1 (direct referrals) to 50"),
            "decay": (0 <= self.decay <= 1, "is a share, from 0 to 1"),
            "probability_type_one": (
                self.unknown_type is not None,
                f"is one of {', '.join(TYPES)}, or a probability such as 0.3",
            ),
            "acquisition_saving": (_known(self.acquisition_saving), f"is 0 or more, or {FROM_THE_DATA}"),
            "incentive_cost": (_known(self.incentive_cost), f"is 0 or more, or {FROM_THE_DATA}"),
            "classed_by": (self.classed_by in VALUES, f"must be one of {', '.join(VALUES)}"),
            "lifetime_cut": (self.lifetime_cut in RULES, f"must be one of {rules}"),
            "referral_cut": (self.referral_cut in RULES, f"must be one of {rules}"),
            "lifetime_cut_at": (_fits(self.lifetime_cut, self.lifetime_cut_at), "is a share, of a quantile"),
            "referral_cut_at": (_fits(self.referral_cut, self.referral_cut_at), "is a share, of a quantile"),
            "campaign": (not _wrong(self.campaign), _wrong(self.campaign) or "describes measures"),
            "second_touch_days": (1 <= self.second_touch_days <= 14, "must be from 1 to 14 days, as the sources say"),
            "draws": (20 <= self.draws <= 2000, "must be from 20 to 2,000"),
            "resamples": (100 <= self.resamples <= 10_000, "must be from 100 to 10,000"),
            "min_cell": (self.min_cell >= 1, "must be at least 1 customer"),
            "seed": (self.seed >= 0, "must be 0 or more"),
        }

    @property
    def unknown_type(self) -> str | float | None:
        """Return what is taken for unknown types: a rule of `TYPES` or a probability; None where it is neither."""
        if self.probability_type_one in TYPES:
            return self.probability_type_one
        try:
            probability = float(self.probability_type_one)
        except ValueError:
            return None
        return probability if 0 <= probability <= 1 else None

    @property
    def lifetime_rule(self) -> Rule:
        """Return where high lifetime value begins."""
        return Rule(self.lifetime_cut, self.lifetime_cut_at)

    @property
    def referral_rule(self) -> Rule:
        """Return where high referral value begins."""
        return Rule(self.referral_cut, self.referral_cut_at)

    @property
    def moves(self) -> tuple[Move, ...]:
        """Return the measures of the road map, with what is assumed of each."""
        return tuple(Move(source, **ASSUMED[source] | self.campaign.get(source, {})) for source in ROAD_MAP)


# Nothing in the sources says what a campaign costs or how many respond: these are assumptions, to be replaced.
ASSUMED = {
    "affluents": {
        "response": 0.05,
        "second_response": 0.03,
        "contact_cost": 1.0,
        "second_contact_cost": 1.0,
        "incentive": 20.0,
    },
    "advocates": {"response": 0.05, "contact_cost": 1.0, "incentive": 10.0},
    "misers": {
        "response": 0.02,
        "second_response": 0.01,
        "contact_cost": 1.0,
        "second_contact_cost": 1.0,
        "incentive": 15.0,
    },
}


FROM_THE_DATA = "-1 for the mean of those stated"


def _known(amount: float) -> bool:
    return amount == -1 or amount >= 0


def _fits(rule: str, at: float) -> bool:
    return rule != "quantile" or 0 <= at <= 1


def _wrong(campaign: dict) -> str:
    """Say what is wrong with the measures, empty where nothing is."""
    unknown = [name for name in campaign if name not in ROAD_MAP]
    if unknown:
        return f"knows measures for {', '.join(ROAD_MAP)}, not for {', '.join(map(str, unknown))}"
    for source, assumed in campaign.items():
        try:
            Move.described(source, assumed, ASSUMED[source])
        except ValueError as error:
            return f"of {source}: {error}"
    return ""
