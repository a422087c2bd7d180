"""What the analysis of retention economics is asked, checked in one place."""

from __future__ import annotations

from dataclasses import dataclass, field

from helpers.models.lifetime_value.purchase_models import kinds
from helpers.models.retention_economics.five_points import FIRST_MARGINS, UNITS, base_of_one

from ..choices import Choices

TIME_UNITS = ("D", "W", "M")
DATA, EXITS, MARKET_SPEND, CONTRACTS, SET = "data", "exits", "market_spend", "contracts", "set"
BASES = (DATA, EXITS, MARKET_SPEND, CONTRACTS)
FROM_THE_DATA = "-1 for what the data say, else what is assumed"


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
    exits: str = "synthetic_firm"
    exits_columns: dict = field(default_factory=dict)
    contracts: str = "synthetic_firm"
    contracts_columns: dict = field(default_factory=dict)
    market_spend: str = "synthetic_firm"
    market_spend_columns: dict = field(default_factory=dict)
    marketing_touches: str = "synthetic_firm"
    marketing_touches_columns: dict = field(default_factory=dict)
    bad_rows: str = "refuse"
    date_format: str = ""
    period_format: str = ""
    decimal: str = "."
    observation_end: str = ""
    time_unit: str = "W"
    model: str = "bg_nbd"
    horizon_weeks: int = 156
    annual_discount_rate: float = 0.10
    margin_rate: float = 1.0
    currency: str = ""
    step: float = 0.05
    step_unit: str = "points"
    first_margin: str = "certain"
    growth: float = 0.0
    acquisition_in_margins: float = 0.0
    base_retention: str = DATA
    exits_recorded: float = 1.0
    causes: dict = field(default_factory=dict)
    term_days: int = 0
    fitted_terms: int = 0
    periods_per_year: float = 0.0
    run_of_periods: int = 1
    marginal_without: list = field(default_factory=lambda: ["referral"])
    loyal_share: float = 0.2
    tenure_days: list = field(default_factory=lambda: [91, 365])
    driver_change: float = 0.1
    prospects: float = -1.0
    acquisition_ceiling: float = -1.0
    retention_ceiling: float = -1.0
    draws: int = 100
    resamples: int = 1000
    engine: str = "duckdb"
    memory_limit: str = ""
    min_cell: int = 5
    seed: int = 1

    def __post_init__(self) -> None:
        """Take a number for a text: as a notebook's parameter the base retention is one, for "data" is."""
        given = self.base_retention
        if isinstance(given, (int, float)) and not isinstance(given, bool):
            object.__setattr__(self, "base_retention", str(given))
        super().__post_init__()

    def rules(self) -> dict[str, tuple[bool, str]]:
        """Return for each parameter with a range whether it is kept, and what it is."""
        return {
            "time_unit": (self.time_unit in TIME_UNITS, f"must be one of {', '.join(TIME_UNITS)}"),
            "model": (self.model in kinds(), f"must be one of {', '.join(kinds())}"),
            "horizon_weeks": (0 < self.horizon_weeks <= 1040, "is in weeks, from 1 to 1,040"),
            "annual_discount_rate": (0 <= self.annual_discount_rate <= 10, "must be 0 or more: 0.1 is 10 % a year"),
            "margin_rate": (-10 <= self.margin_rate <= 10, "is a share of the amount"),
            "step": (_is_step(self.step, self.step_unit), "must be above 0, and at most 1 in points: 0.05 for five"),
            "step_unit": (self.step_unit in UNITS, f"must be one of {', '.join(UNITS)}"),
            "first_margin": (self.first_margin in FIRST_MARGINS, f"must be one of {', '.join(FIRST_MARGINS)}"),
            "growth": (-1 < self.growth <= 1, "is of the margin, a share a year, above -1 and at most 1"),
            "acquisition_in_margins": (
                0 <= self.acquisition_in_margins < float("inf"),
                "must be 0 or more yearly margins of a customer",
            ),
            "base_retention": (
                self.base_retention in BASES or self.retention_set is not None,
                f"is one of {', '.join(BASES)}, or a share a year from 0 to 1 such as 0.8",
            ),
            "term_days": (self.term_days >= 0, "must be 1 day or more, or 0 for what the contracts say"),
            "fitted_terms": (
                self.fitted_terms == 0 or self.fitted_terms >= 2,
                "must be 2 renewals or more, or 0 for half of those observed",
            ),
            "exits_recorded": (0 < self.exits_recorded <= 1, "is a share of departures, above 0 to 1"),
            "periods_per_year": (0 <= self.periods_per_year <= 366, "must be above 0, or 0 for what the periods say"),
            "run_of_periods": (self.run_of_periods >= 1, "must be at least 1 period"),
            "marginal_without": (
                all(isinstance(name, str) for name in self.marginal_without),
                "must be names of channels",
            ),
            "loyal_share": (0 < self.loyal_share < 1, "is a share of the customers, between 0 and 1"),
            "tenure_days": (_rising(self.tenure_days), "must be rising whole numbers of days, such as [91, 365]"),
            "driver_change": (0 < self.driver_change < 1, "is a share between 0 and 1"),
            "prospects": (_known(self.prospects), f"must be above 0 a year, or {FROM_THE_DATA}"),
            "acquisition_ceiling": (_share(self.acquisition_ceiling), f"is a share up to 1, or {FROM_THE_DATA}"),
            "retention_ceiling": (_share(self.retention_ceiling), f"is a share up to 1, or {FROM_THE_DATA}"),
            "draws": (20 <= self.draws <= 2000, "must be from 20 to 2,000"),
            "resamples": (100 <= self.resamples <= 10_000, "must be from 100 to 10,000"),
            "min_cell": (self.min_cell >= 1, "must be at least 1 customer"),
            "seed": (self.seed >= 0, "must be 0 or more"),
        }

    @property
    def retention_set(self) -> float | None:
        """Return the yearly retention that is set; None where it is taken from the data, or is no share."""
        try:
            retention = float(self.base_retention)
        except ValueError:
            return None
        return retention if 0 <= retention <= 1 else None

    @property
    def convention(self) -> dict[str, str | float]:
        """Return how the rise of retention and the first margin are read, for `five_points.uplift`."""
        return {"unit": self.step_unit, "first_margin": self.first_margin, "growth": self.growth}

    @property
    def step_words(self) -> str:
        """Return by how much retention rises, in words."""
        size = f"{100 * self.step:g}"
        unit = {"points": "percentage point", "percent": "per cent"}.get(self.step_unit, self.step_unit)
        return f"{size} {unit}{'s' if unit.endswith('point') and size != '1' else ''}"


def _is_step(step: float, unit: str) -> bool:
    try:
        base_of_one(step, unit if unit in UNITS else UNITS[0])
    except ValueError:
        return False
    return True


def _rising(days: list) -> bool:
    are_days = all(isinstance(day, int) and not isinstance(day, bool) and day > 0 for day in days)
    return bool(days) and are_days and days == sorted(set(days))


def _known(amount: float) -> bool:
    return amount == -1 or 0 < amount < float("inf")


def _share(amount: float) -> bool:
    return amount == -1 or 0 < amount <= 1
