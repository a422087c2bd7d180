"""What exits say of who stays: last year's customers, and how many of them have left since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np

from helpers.data.customer_summary import months_before

from .settings import Settings


@dataclass(frozen=True, eq=False)
class Departures:
    """Customers of a year ago, and those who have left since.

    Parameters
    ----------
    known : int
        Customers who had bought by the day a year before the last.
    left_before, left_since : int
        Those of them with an exit by that day, and in the year after it.
    begin_late : bool
        Whether the first exit of all lies in that year: exits may not have been recorded before.
    per_departure : float
        Exits over the departures that the purchase model expects; nan without a model.
    problem : str
        Why they tell nothing; empty where they do.
    settings : Settings
    """

    known: int
    left_before: int
    left_since: int
    begin_late: bool
    per_departure: float
    problem: str
    settings: Settings

    @property
    def there(self) -> float:
        """Return the customers of a year ago: those known less those gone, by the share of departures recorded."""
        return self.known - self.left_before / self.settings.exits_recorded

    @property
    def retention(self) -> float:
        """Return the share of them who have not left since."""
        return float(np.clip(1 - self.left_since / self.settings.exits_recorded / self.there, 0, 1))

    @cached_property
    def draws(self) -> np.ndarray:
        """Return draws of it by which customers there happen to be.

        They are of the posterior with Jeffreys' prior, which has a width where nobody left, or everybody, too.
        """
        rng = np.random.default_rng(self.settings.seed)
        stayed = max(self.there - self.left_since, 0.0)
        left = rng.beta(self.left_since + 0.5, stayed + 0.5, self.settings.resamples)
        return np.clip(1 - left / self.settings.exits_recorded, 0, 1)


def from_exits(
    first_date: np.ndarray,
    exit_date: np.ndarray,
    probability_alive: np.ndarray,
    is_given: bool,
    end: date,
    settings: Settings,
) -> Departures:
    """Count who was a customer a year before the last day, and who has left since.

    Parameters
    ----------
    first_date, exit_date : ndarray of datetime64, shape (customers,)
        Of the first purchase; of the exit, not a time where none is recorded.
    probability_alive : ndarray, shape (customers,)
        By the purchase model alone; nan without one.
    is_given : bool
        Whether there is a file of exits.
    end : date
    settings : Settings

    Returns
    -------
    Departures
    """
    start = np.datetime64(months_before(end, 12))
    known, gone = first_date <= start, ~np.isnat(exit_date)
    before = gone & (exit_date <= start)
    expected = float((1 - probability_alive).sum())
    found = Departures(
        known=int(known.sum()),
        left_before=int((known & before).sum()),
        left_since=int((known & gone & ~before).sum()),
        begin_late=bool(gone.any() and not before.any()),
        per_departure=float(gone.sum()) / expected if expected > 0 else np.nan,
        problem="",
        settings=settings,
    )
    return Departures(**vars(found) | {"problem": _problem(found, is_given, gone.any(), start)})


def _problem(found: Departures, is_given: bool, anybody_left: bool, start: np.datetime64) -> str:
    if not is_given:
        return "No exits are given: set exits to who has left, and when."
    if not anybody_left:
        return "No exit counts: nobody is known to have left."
    if not found.there > 0:
        return f"Nobody was a customer on {start}, a year before the last day: exits do not tell who stays for a year."
    return ""
