"""What the figures of the referral-value report share: the classes as they are drawn, and money in any size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.exhibits import DASH, Column, between, number, percent

from ...drawing import written

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

WORDS = {"affluents": "Affluents", "champions": "Champions", "advocates": "Advocates", "misers": "Misers"}
CHINESE = {"affluents": "富裕者", "champions": "拥护者", "advocates": "宣扬者", "misers": "守财者"}
LABELS = {each: f"{word} {CHINESE[each]}" for each, word in WORDS.items()}
ENGLISH = {label: WORDS[each] for each, label in LABELS.items()}
# Three of Okabe and Ito (2008) and a grey, which with any kind of colour vision are told from each other.
COLOURS = {"affluents": "#0072B2", "champions": "#009E73", "advocates": "#D55E00", "misers": "#B3B3B3"}
CLASS = {"class": Column("Class", names=WORDS | {"together": "All together"})}
CUSTOMERS = Column("Customers", "customers", 0)

LIFETIME, REFERRAL = "#333333", "#CC79A7"  # of the two values, and no class has them
VALUES = {
    "lifetime_value": "lifetime value",
    "referral_net": "referral value, net",
    "referral_gross": "referral value, gross",
}

POWERS = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"))


@dataclass(frozen=True)
class Money:
    """How the amounts of one figure are written: in one unit, all with the same decimals.

    Parameters
    ----------
    currency : str
        As the user named it.
    divisor : float
        Of amounts, such as a million.
    power : str
        The divisor in words; empty for 1.
    digits : int
        Decimals, after division.
    """

    currency: str
    divisor: float
    power: str
    digits: int

    @classmethod
    def of(cls, currency: str, *amounts, figures: int = 3) -> Money:
        """Choose by the largest amount that is drawn, of which so many figures are written."""
        found = np.abs(np.concatenate([[0.0], *(np.ravel(np.asarray(each, dtype=float)) for each in amounts)]))
        largest = found[np.isfinite(found)].max(initial=0)
        divisor, power = next(((size, word) for size, word in POWERS if largest >= size), (1.0, ""))
        exponent = np.floor(np.log10(largest / divisor)) if largest else np.inf
        return cls(" ".join(currency.split()), divisor, power, int(np.clip(figures - 1 - exponent, 0, 12)))

    @property
    def words(self) -> str:
        """Return the unit as it is told."""
        return " ".join(filter(None, (self.power, self.currency))) or "money"

    @property
    def unit(self) -> str:
        """Return the unit as it is drawn."""
        return " ".join(filter(None, (self.power, written(self.currency, 16, 1)))) or "money"

    def text(self, amount: float) -> str:
        """Return an amount without its unit; what is not 0 does not read as if it were."""
        text = number(amount / self.divisor, self.digits)
        return "about 0" if amount and text == number(0, self.digits) else text

    def changed(self, amount: float) -> str:
        """Return an amount with its sign."""
        text = self.text(amount)
        return f"+{text}" if amount > 0 and text != "about 0" else text

    def alone(self, amount: float) -> str:
        """Return an amount with a power of its own."""
        own = Money.of(self.currency, amount)
        return " ".join(filter(None, (own.text(amount), own.power)))

    def told(self, amount: float) -> str:
        """Return an amount with its unit, for a sentence."""
        own = Money.of(self.currency, amount)
        return f"{own.text(amount)} {own.words}"

    def told_between(self, amount: float, low: float, high: float) -> str:
        """Return an amount with its unit and its interval, for a sentence."""
        own = Money.of(self.currency, amount, low, high)
        return f"{own.text(amount)} {own.words} ({between(low, high, own.digits, 1 / own.divisor)})"

    def rule(self, axis: Axis, ticks: int = 5) -> None:
        """Write the numbers of an axis in this unit."""
        from matplotlib.ticker import FuncFormatter, MaxNLocator

        axis.set_major_locator(MaxNLocator(ticks, steps=[1, 2, 2.5, 5, 10]))
        axis.set_major_formatter(FuncFormatter(lambda amount, _: number(amount / self.divisor, decimals())))

        def decimals() -> int:
            places = axis.get_majorticklocs() / self.divisor
            exact = (digits for digits in range(12) if np.allclose(places, places.round(digits), rtol=1e-6, atol=0))
            return next(exact, 12)


def numbers(frame: pd.DataFrame, name: str) -> np.ndarray:
    """Return a column as numbers; nan where it says nothing."""
    return frame[name].to_numpy(float) if name in frame.columns else np.full(len(frame), np.nan)


def money_column(label: str, currency: str) -> Column:
    """Return how a column of money reads."""
    return Column(label, currency, 2)


def limits(*values, upward: float = 0.06) -> tuple[float, float]:
    """Return the ends of an axis that holds all values and 0, with room where they do not end at 0."""
    found = np.concatenate([[0.0], *(np.ravel(np.asarray(each, dtype=float)) for each in values)])
    low, high = np.nanmin(found), np.nanmax(found)
    pad = upward * ((high - low) or 1)
    return low - pad if low < 0 else 0.0, high + pad


def scale_of_shares(axes: Axes, *shares) -> None:
    """Let an axis of per cent reach a little beyond all shares, at most to all."""
    axes.set_xlim(0, 100 * min(1.02, limits(*shares)[1]))
    axes.locator_params(axis="x", nbins=5)


def share(value: float) -> str:
    """Return a share in words, small ones with a decimal."""
    return percent(value, 0 if abs(value) >= 0.1 or value == 0 else 1)


def ends(low: float, high: float) -> str:
    """Return the ends of an interval of shares in brackets, with a blank in front; nothing where there is none."""
    if not (np.isfinite(low) and np.isfinite(high)):
        return ""
    digits = 0 if low >= 0.1 else 1
    return f" ({number(100 * low, digits)} to {percent(high, digits)})"


def in_words(value: float, low: float, high: float) -> str:
    """Return a share with its interval, for a sentence."""
    return f"{percent(value)} ({between(low, high, 1, 100)})" if np.isfinite(value) else DASH
