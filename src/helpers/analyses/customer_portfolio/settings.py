"""What the analysis of the customer portfolio is asked, checked in one place."""

from __future__ import annotations

from dataclasses import dataclass, field

from helpers.models.customer_portfolio import relationship_levels
from helpers.models.customer_portfolio.commercial_value import COMPONENTS
from helpers.models.customer_portfolio.stages import StageRule
from helpers.models.lifetime_value.purchase_models import kinds
from helpers.models.quadrants import RULES, Rule

from ..choices import Choices

TIME_UNITS = ("D", "W", "M")
WEIGHTS = ("equal", "entropy")


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
    marketing_touches: str = "synthetic_firm"
    marketing_touches_columns: dict = field(default_factory=dict)
    service_contacts: str = "synthetic_firm"
    service_contacts_columns: dict = field(default_factory=dict)
    exits: str = "synthetic_firm"
    exits_columns: dict = field(default_factory=dict)
    receivables: str = "synthetic_firm"
    receivables_columns: dict = field(default_factory=dict)
    referrals: str = "synthetic_firm"
    referrals_columns: dict = field(default_factory=dict)
    satisfaction_survey: str = "synthetic_firm"
    satisfaction_survey_columns: dict = field(default_factory=dict)
    satisfaction_model: str = "ccsi"
    bad_rows: str = "refuse"
    date_format: str = ""
    decimal: str = "."
    earlier_date: str = ""
    observation_end: str = ""
    time_unit: str = "W"
    model: str = "bg_nbd"
    horizon_weeks: int = 156
    annual_discount_rate: float = 0.10
    earlier_discount_rate: float = -1.0
    margin_rate: float = 1.0
    cost_per_contact: float = 0.0
    currency: str = ""
    current_cut: str = "median"
    current_cut_at: float = 0.0
    future_cut: str = "median"
    future_cut_at: float = 0.0
    best_comparable: float = 0.9
    tier_cut: float = 0.8
    pyramid_shares: list = field(default_factory=lambda: [0.01, 0.04, 0.15, 0.80])
    abc_cuts: list = field(default_factory=lambda: [0.80, 0.95])
    exploration_days: int = 90
    stable_days: int = 365
    trend_days: int = 182
    falling: float = 0.5
    alive_below: float = 0.5
    reinvest_response: float = 0.10
    reinvest_cost: float = 5.0
    exits_recorded: float = -1.0
    causes: dict = field(default_factory=dict)
    levels: dict = field(default_factory=dict)
    level_ceiling: float = relationship_levels.ASSUMED_CEILING
    level_responsiveness: float = -1.0
    weights: dict = field(default_factory=dict)
    weighting: str = "equal"
    feedback_kinds: list = field(default_factory=lambda: ["complaint"])
    value_of_feedback: float = 5.0
    draws: int = 100
    resamples: int = 300
    engine: str = "duckdb"
    memory_limit: str = ""
    min_cell: int = 5
    seed: int = 1

    def rules(self) -> dict[str, tuple[bool, str]]:
        """Return for each parameter with a range whether it is kept, and what it is."""
        cuts = ", ".join(RULES)
        return {
            "time_unit": (self.time_unit in TIME_UNITS, f"must be one of {', '.join(TIME_UNITS)}"),
            "model": (self.model in kinds(), f"must be one of {', '.join(kinds())}"),
            "horizon_weeks": (0 < self.horizon_weeks <= 1040, "is in weeks, from 1 to 1,040"),
            "annual_discount_rate": (0 <= self.annual_discount_rate <= 10, "must be 0 or more: 0.1 is 10 % a year"),
            "earlier_discount_rate": (
                self.earlier_discount_rate == -1 or 0 <= self.earlier_discount_rate <= 10,
                "must be 0 or more, or -1 for the same as annual_discount_rate",
            ),
            "margin_rate": (-10 <= self.margin_rate <= 10, "is a share of the amount"),
            "cost_per_contact": (self.cost_per_contact >= 0, "must be 0 or more"),
            "current_cut": (self.current_cut in RULES, f"must be one of {cuts}"),
            "future_cut": (self.future_cut in RULES, f"must be one of {cuts}"),
            "current_cut_at": (_fits(self.current_cut, self.current_cut_at), "is a share, of a quantile"),
            "future_cut_at": (_fits(self.future_cut, self.future_cut_at), "is a share, of a quantile"),
            "best_comparable": (0.5 <= self.best_comparable < 1, "is a share of customers, from 0.5 to below 1"),
            "tier_cut": (0 < self.tier_cut < 1, "is a share of customers, between 0 and 1"),
            "pyramid_shares": (
                _shares(self.pyramid_shares) and abs(sum(self.pyramid_shares) - 1) < 1e-9,
                "must be four shares above 0 that add up to 1: a rule that leaves a gap, or overlaps, sorts nobody",
            ),
            "abc_cuts": (
                _shares(self.abc_cuts) and len(self.abc_cuts) == 2 and self.abc_cuts[0] < self.abc_cuts[1] < 1,
                "must be two rising shares below 1, such as [0.8, 0.95]",
            ),
            "exploration_days": (self.exploration_days >= 1, "must be at least 1 day"),
            "stable_days": (
                self.stable_days > self.exploration_days,
                "must be more days than exploration_days: no customer could be in formation",
            ),
            "trend_days": (self.trend_days >= 7, "must be at least 7 days"),
            "falling": (0 <= self.falling <= 1, "is a share, from 0 to 1"),
            "alive_below": (0 <= self.alive_below <= 1, "is a probability, from 0 to 1"),
            "reinvest_response": (0 <= self.reinvest_response <= 1, "is a share, from 0 to 1"),
            "reinvest_cost": (self.reinvest_cost >= 0, "must be 0 or more"),
            "exits_recorded": (
                self.exits_recorded == -1 or 0 <= self.exits_recorded <= 1,
                "is a share of departures, from 0 to 1, or -1 to estimate it",
            ),
            "levels": (not _wrong_levels(self.levels), _wrong_levels(self.levels) or "describes relationship levels"),
            "level_ceiling": (0 <= self.level_ceiling <= 1, "is a share of customers, from 0 to 1"),
            "level_responsiveness": (
                self.level_responsiveness == -1 or self.level_responsiveness >= 0,
                "must be 0 or more for each unit of money, or -1 for what is assumed",
            ),
            "weights": (not _wrong_weights(self.weights), _wrong_weights(self.weights) or "weighs components"),
            "weighting": (self.weighting in WEIGHTS, f"must be one of {', '.join(WEIGHTS)}"),
            "value_of_feedback": (self.value_of_feedback >= 0, "must be 0 or more"),
            "draws": (20 <= self.draws <= 2000, "must be from 20 to 2,000"),
            "resamples": (100 <= self.resamples <= 10_000, "must be from 100 to 10,000"),
            "min_cell": (self.min_cell >= 1, "must be at least 1 customer"),
            "seed": (self.seed >= 0, "must be 0 or more"),
        }

    @property
    def current_rule(self) -> Rule:
        """Return where high current value begins."""
        return Rule(self.current_cut, self.current_cut_at)

    @property
    def future_rule(self) -> Rule:
        """Return where high future value begins."""
        return Rule(self.future_cut, self.future_cut_at)

    @property
    def stage_rule(self) -> StageRule:
        """Return the rule of the life-cycle stages."""
        return StageRule(
            exploration_days=self.exploration_days,
            stable_days=self.stable_days,
            trend_days=self.trend_days,
            falling=self.falling,
            alive=self.alive_below,
        )

    @property
    def discount_rates(self) -> tuple[float, float]:
        """Return the discount rate of the earlier and of the later date."""
        later = self.annual_discount_rate
        return (later if self.earlier_discount_rate == -1 else self.earlier_discount_rate), later


def _fits(rule: str, at: float) -> bool:
    return rule != "quantile" or 0 <= at <= 1


def _shares(values: list) -> bool:
    return bool(values) and all(isinstance(value, (int, float)) and 0 < value <= 1 for value in values)


def _wrong_levels(levels: dict) -> str:
    """Say what is wrong with the levels, empty where nothing is."""
    known = relationship_levels.ASSUMED
    unknown = [name for name in levels if name not in known]
    if unknown:
        return f"knows {', '.join(known)}, not {', '.join(map(str, unknown))}"
    for name, given in levels.items():
        if not isinstance(given, dict) or set(given) - {"cost", "capacity"}:
            return f"of {name}: takes cost and capacity"
        try:
            relationship_levels.Level(name, **({"cost": 0.0} | given))
        except (TypeError, ValueError) as error:
            return f"of {name}: {error}"
    return ""


def _wrong_weights(weights: dict) -> str:
    """Say what is wrong with the weights, empty where nothing is."""
    if not weights:
        return ""
    if set(weights) != set(COMPONENTS):
        return f"must have one number for each of {', '.join(COMPONENTS)}"
    numbers = [value for value in weights.values() if isinstance(value, (int, float)) and not isinstance(value, bool)]
    if len(numbers) < len(weights) or min(numbers) < 0 or not 0 < sum(numbers) < float("inf"):
        return "must be numbers from 0 up, not all 0"
    return ""
