"""What contracts say of renewals: models of who stays, and how long a year's terms are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np

from helpers.data.customer_summary import DAYS_PER_YEAR, months_before
from helpers.data.renewals import Renewals
from helpers.models import resampling
from helpers.models.estimate import Estimate
from helpers.models.fit import Fit
from helpers.models.retention_economics import shifted_beta_geometric as renewing
from helpers.models.retention_economics.shifted_beta_geometric import (
    Geometric,
    HoldOut,
    ResidualGap,
    ShiftedBetaGeometric,
    SurvivalCurve,
)

from .settings import Settings

FEWEST_FOLLOWED = 30  # contracts of a year ago, below which who stays for a year is reckoned from the terms


@dataclass(frozen=True, eq=False)
class Contracts:
    """Renewals, the models fitted to them, and why there are none.

    Parameters
    ----------
    renewals, customers : ndarray, shape (rows,)
        How often contracts were renewed, and how many of them there are.
    lost : ndarray of bool, shape (rows,)
        Whether they were then let run out.
    year_ago, kept : int
        Contracts that ran a year before the last day, and how many of these run still.
    term_days : float
        Days from one renewal to the next; nan where it is not known.
    fit : Fit or None
        Of the shifted-beta-geometric.
    constant : Geometric or None
        One retention rate for all.
    problem : str
        Why there are no models; empty where there are.
    settings : Settings
    """

    renewals: np.ndarray
    customers: np.ndarray
    lost: np.ndarray
    year_ago: int
    kept: int
    term_days: float
    fit: Fit | None
    constant: Geometric | None
    problem: str
    settings: Settings

    @property
    def model(self) -> ShiftedBetaGeometric:
        """Return the model of customers who differ."""
        return self.fit.model

    @property
    def terms_per_year(self) -> float:
        """Return how many terms a year has."""
        return DAYS_PER_YEAR / self.term_days

    @cached_property
    def horizon_terms(self) -> int:
        """Return the horizon in whole terms, at least one."""
        return max(round(self.settings.horizon_weeks * 7 / self.term_days), 1)

    @property
    def running(self) -> np.ndarray:
        """Return which rows are of contracts that run still."""
        return ~self.lost

    @cached_property
    def constant_draws(self) -> np.ndarray:
        """Return draws of the constant retention of a term, by which contracts there happen to be."""
        size = int(self.customers.sum())
        rng = np.random.default_rng(self.settings.seed)
        counts = rng.multinomial(size, self.customers / size, self.settings.resamples).astype(float)
        return (counts @ self.renewals) / np.maximum(counts @ (self.renewals + self.lost), 1)

    @cached_property
    def constant_estimate(self) -> Estimate:
        """Return the constant retention of a term with its interval."""
        return Estimate(self.constant.retention, *map(float, resampling.percentile(self.constant_draws)))

    @property
    def is_followed(self) -> bool:
        """Tell whether enough contracts ran a year ago to see who stays for one."""
        return self.year_ago >= FEWEST_FOLLOWED

    @property
    def annualised(self) -> float:
        """Return the share who would stay for a year at the constant retention of a term."""
        return self.constant.retention**self.terms_per_year

    @property
    def yearly_retention(self) -> float:
        """Return the share who stay for a year: of the contracts of a year ago, else at a constant retention."""
        return self.kept / self.year_ago if self.is_followed else self.annualised

    @cached_property
    def yearly_draws(self) -> np.ndarray:
        """Return draws of it, by which contracts there happen to be."""
        if not self.is_followed:
            return self.constant_draws**self.terms_per_year
        rng = np.random.default_rng(self.settings.seed)
        return rng.binomial(self.year_ago, self.yearly_retention, self.settings.resamples) / self.year_ago

    @cached_property
    def yearly_beta(self) -> tuple[float, float] | None:
        """Return the beta distribution of who leaves within a year, by mean and variance; None where it is not known.

        It is of the holders of running contracts, or of new ones where none runs. With probability p to leave a term,
        (1 - p)^k stay for the k terms of a year; its first two moments are the survival of k and of 2 k more renewals.
        """
        if not self.tells_differences:
            return None
        rows = self.running if self.running.any() else np.ones(len(self.renewals), bool)
        so_far = self.renewals[rows] if self.running.any() else 0.0 * self.renewals
        people, now = self.customers[rows] / self.customers[rows].sum(), self.model.survival(so_far)
        mean, second = (
            float(people @ (self.model.survival(so_far + years * self.terms_per_year) / now)) for years in (1, 2)
        )
        both = mean * (1 - mean) / (second - mean**2) - 1
        return (1 - mean) * both, mean * both

    @property
    def tells_differences(self) -> bool:
        """Tell whether it is known how much holders of contracts differ."""
        return self.fit is not None and not self.fit.unidentified

    @cached_property
    def model_draws(self) -> list[ShiftedBetaGeometric]:
        """Return draws of the model; none where its uncertainty is not known."""
        if not self.tells_differences:
            return []
        rng = np.random.default_rng(self.settings.seed)
        try:
            return [self.fit.model_at(row) for row in self.fit.draws(self.settings.resamples, rng)]
        except ValueError:
            return []

    @cached_property
    def curve(self) -> SurvivalCurve:
        """Return the observed share that was renewed so often."""
        return renewing.survival_curve(self.renewals, self.lost, self.customers)

    @cached_property
    def hold_out(self) -> HoldOut | str:
        """Return forecasts from the first renewals; why there are none, in words, where there are none.

        Of renewals that fewer than `min_cell` contracts came up for nothing is told, so they are not forecast.
        """
        last = int((self.curve.at_risk >= self.settings.min_cell).sum())
        fitted = self.settings.fitted_terms or max(last // 2, 2)
        seen = np.minimum(self.renewals, last), self.lost & (self.renewals < last)
        try:
            return renewing.hold_out(*seen, fitted, self.customers)
        except ValueError as error:
            return str(error)

    def residual(self, renewals) -> Estimate:
        """Return the renewals to expect of who renewed so often, within the horizon, not discounted."""
        value = self.model.residual_renewals(renewals, horizon=self.horizon_terms)
        if not self.model_draws:
            return Estimate(value, *np.full((2, *np.shape(value)), np.nan))
        draws = [model.residual_renewals(renewals, horizon=self.horizon_terms) for model in self.model_draws]
        return Estimate(value, *resampling.percentile(draws))

    @cached_property
    def gap(self) -> ResidualGap | None:
        """Return what the running contracts are still to bring by both models; None where none runs."""
        if not self.tells_differences or not self.running.any():
            return None
        rows = self.renewals[self.running], self.customers[self.running]
        return renewing.residual_gap(self.model, self.constant, *rows, horizon=self.horizon_terms)

    @cached_property
    def residual_terms(self) -> Estimate:
        """Return the mean renewals to expect of a running contract."""
        gap = self.gap
        people = gap.customers / gap.customers.sum()
        value = float(people @ gap.heterogeneous)
        if not self.model_draws:
            return Estimate(value, np.nan, np.nan)
        draws = [people @ one.residual_renewals(gap.renewals, horizon=self.horizon_terms) for one in self.model_draws]
        return Estimate(value, *map(float, resampling.percentile(draws)))


def from_renewals(found: Renewals, is_given: bool, end: date, settings: Settings) -> Contracts:
    """Fit both models to contracts, or say why that cannot be.

    Parameters
    ----------
    found : helpers.data.renewals.Renewals
    is_given : bool
        Whether a file was given.
    end : date
        The last day that counts.
    settings : Settings
    """
    rows = found.rows
    columns = (rows["renewals"].to_numpy(float), rows["customers"].to_numpy(float), ~rows["running"].to_numpy(bool))
    term_days = float(settings.term_days) if settings.term_days else _term_days(found)
    fit = constant = None
    problem = "" if is_given else "No contracts are given: set contracts to who renewed how often."
    if is_given and not len(rows):
        problem = "No contract counts: the account of their rows says why."
    elif is_given:
        try:
            fit = renewing.fit_shifted_beta_geometric(columns[0], columns[2], columns[1])
            constant = renewing.fit_geometric(columns[0], columns[2], columns[1])
        except ValueError as error:
            problem = str(error)
    if constant is not None and not term_days > 0:
        fit, constant, problem = None, None, "How long a term of the contracts is cannot be told: set term_days."
    return Contracts(*columns, *_followed(found, end), term_days, fit, constant, problem, settings)


def _followed(found: Renewals, end: date) -> tuple[int, int]:
    """Return how many contracts ran a year ago, and how many of these run still."""
    table, day = found.table, months_before(end, 12)
    there = (table.start <= day) & (table.running | (table.end > day))
    counts = table.agg(year_ago=there.sum().coalesce(0), kept=(there & table.running).sum().coalesce(0))
    return tuple(map(int, counts.to_pandas().iloc[0]))


def _term_days(found: Renewals) -> float:
    """Return the median length of a term of the contracts that ended."""
    table = found.table
    ended = table.filter(~table.running & table.end.notnull())
    days = ended.end.cast("date").delta(ended.start.cast("date"), unit="day") / (ended.renewals + 1)
    median = days.median().to_pandas()
    return np.nan if median is None else float(median)
