"""Both values of customers side by side: by decile of the one, and by what is assumed of the other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Figure, number, percent

from ...drawing import INK, WIDTH, ZERO, known_columns, legend_above, name_ends, new_axes, nothing, rows_seen
from .parts import LIFETIME, REFERRAL, VALUES, Money, ends, in_words, limits, money_column, numbers

# colour, marker, filled, and where beside the decile
LOOKS = {
    "lifetime_value": (LIFETIME, "o", True, -0.2),
    "referral_net": (REFERRAL, "s", True, 0.0),
    "referral_gross": (REFERRAL, "D", False, 0.2),
}


def value_by_decile(frame: pd.DataFrame, *, currency: str) -> Figure:
    """Draw the mean of both values in each decile of lifetime value.

    Parameters
    ----------
    frame : pandas.DataFrame
        decile (1: the highest lifetime values), measure (lifetime_value, referral_net, referral_gross), mean, low, high
        (in money; nan where there is none).
    currency : str
    """
    name, seen = "value_by_decile", rows_seen(frame, "decile", "mean")
    seen = seen[seen.measure.isin(VALUES)] if len(seen) else seen
    if seen.empty:
        return nothing(name, "No decile of customers is large enough to be shown.", frame)
    lows, highs = numbers(seen, "low"), numbers(seen, "high")
    seen = seen.assign(low=lows, high=highs).sort_values("decile")
    money, reach = Money.of(currency, seen["mean"], lows, highs), limits(seen["mean"], lows, highs)
    deciles = np.arange(seen.decile.min(), seen.decile.max() + 1)
    ways = {each: seen[seen.measure == each] for each in VALUES if (seen.measure == each).any()}

    def draw():
        figure, axes = new_axes(WIDTH, 4.4)
        handles = []
        for each, rows in ways.items():
            colour, marker, filled, aside = LOOKS[each]
            rows = rows.set_index("decile").reindex(deciles)  # a line breaks where nothing is shown
            places = rows.index + aside
            axes.vlines(places, rows.low, rows.high, color=colour, linewidth=1.6)
            look = {"color": colour, "marker": marker, "markerfacecolor": colour if filled else "white"}
            (line,) = axes.plot(
                places, rows["mean"], linewidth=0.8, markersize=6, clip_on=False, label=VALUES[each], zorder=3, **look
            )
            handles.append(line)
        axes.axhline(0, color=ZERO, linewidth=1, zorder=1)
        axes.set(xlim=(deciles[0] - 0.5, deciles[-1] + 0.5), ylim=reach)
        axes.set_xticks(deciles, [number(each) for each in deciles])
        money.rule(axes.yaxis)
        axes.set_xlabel("decile of customers (1: the highest lifetime values)")
        axes.set_ylabel(f"mean per customer ({money.unit}),\nwith 95 % interval")
        legend_above(axes, handles)
        return figure

    told = " ".join(_of_deciles(VALUES[each], rows, money) for each, rows in ways.items())
    alt = f"Dots with 95 % intervals of means per customer in each decile of lifetime value. {told}"
    columns = {
        "decile": Column("Decile of lifetime value", digits=0),
        "measure": Column("Value", names=VALUES),
        "mean": money_column("Mean per customer", currency),
        "low": money_column("95 % low", currency),
        "high": money_column("95 % high", currency),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns))


def _of_deciles(words: str, rows: pd.DataFrame, money: Money) -> str:
    """Say where a value begins and ends, and where it is highest if that is in between."""
    first, last, most = rows.iloc[0], rows.iloc[-1], rows.loc[rows["mean"].idxmax()]
    told = f"{words[0].upper()}{words[1:]}: {money.told(first['mean'])} in decile {first.decile:g}"
    if len(rows) > 1:
        told += f", {money.told(last['mean'])} in decile {last.decile:g}"
    if most.decile not in (first.decile, last.decile):
        told += f", the most, {money.told(most['mean'])}, in decile {most.decile:g}"
    return f"{told}."


def type_sensitivity(frame: pd.DataFrame, threshold: Sequence[float], *, currency: str) -> Figure:
    """Draw mean net referral value over the share of referrals that are of type one, against mean lifetime value.

    Parameters
    ----------
    frame : pandas.DataFrame
        probability (0 to 1), referral_value, low, high, lifetime_value (the same in all rows), is_assumed (bool: the
        share that the report takes).
    threshold : sequence of float
        The share at which both values are equal, and the ends of its interval; nan, or outside 0 to 1, where there is
        no such share.
    currency : str
    """
    name, seen = "type_sensitivity", rows_seen(frame, "probability", "referral_value")
    if seen.empty:
        return nothing(name, "There are no referrals whose value could depend on their type.", frame)
    seen = seen.assign(low=numbers(seen, "low"), high=numbers(seen, "high")).sort_values("probability")
    lifetime, equal = numbers(seen, "lifetime_value")[0], _within(threshold)
    drawn = (seen.referral_value, seen.low, seen.high, [lifetime])
    money, reach = Money.of(currency, *drawn), limits(*drawn)
    assumed = seen[seen.is_assumed.astype(bool)].head(1)

    def draw():
        figure, axes = new_axes(WIDTH, 4.2)
        across = 100 * seen.probability
        axes.fill_between(across, seen.low, seen.high, color=REFERRAL, alpha=0.25, linewidth=0)
        axes.plot(across, seen.referral_value, color=REFERRAL)
        last, lines = seen.iloc[-1], [(VALUES["referral_net"], REFERRAL)]
        tips = [(100 * last.probability, last.referral_value)]
        if np.isfinite(lifetime):
            axes.axhline(lifetime, color=LIFETIME, linestyle="--")
            lines.append((VALUES["lifetime_value"], LIFETIME))
            tips.append((100 * last.probability, lifetime))
        axes.axhline(0, color=ZERO, linewidth=1, zorder=1)
        axes.set(xlim=(100 * seen.probability.min(), max(across.max(), across.min() + 1)), ylim=reach)
        names, colours = zip(*lines, strict=True)
        name_ends(axes, tips, [each.replace(", ", ",\n") for each in names], colours, 0.11 * np.ptp(reach))
        marks(axes)
        money.rule(axes.yaxis)
        axes.set_xlabel("referrals that are of type one:\nwould not have joined otherwise (%)")
        axes.set_ylabel(f"mean per customer ({money.unit}),\nwith 95 % interval")
        return figure

    def marks(axes):
        for line in assumed.itertuples():
            place = 100 * line.probability
            axes.plot(
                place,
                line.referral_value,
                "o",
                color="white",
                markeredgecolor=INK,
                markersize=8,
                clip_on=False,
                zorder=4,
            )
            _above(axes, place, f"assumed: {percent(line.probability, 0)}", 1.09, ":")
        if equal:
            value, low, high = equal
            axes.axvspan(100 * max(low, 0), 100 * min(high, 1), color=INK, alpha=0.08, linewidth=0)
            _above(axes, 100 * value, f"equal at {percent(value, 0)}{ends(low, high)}", 1.02, "-.")

    first, last = seen.iloc[0], seen.iloc[-1]
    alt = (
        f"Line of mean net referral value per customer over the share of referrals of type one: from "
        f"{money.told(first.referral_value)} at {percent(first.probability, 0)} to "
        f"{money.told(last.referral_value)} at {percent(last.probability, 0)}. "
        f"{_against(seen.referral_value, lifetime, threshold, money)}"
    ) + "".join(
        f" At the assumed {percent(line.probability, 0)} it is "
        f"{money.told_between(line.referral_value, line.low, line.high)}."
        for line in assumed.itertuples()
    )
    columns = {
        "probability": Column("Share of type one", digits=0, percent=True),
        "referral_value": money_column("Mean net referral value", currency),
        "low": money_column("95 % low", currency),
        "high": money_column("95 % high", currency),
        "lifetime_value": money_column("Mean lifetime value", currency),
        "is_assumed": Column("Assumed in the report"),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns))


def _within(threshold: Sequence[float]) -> tuple[float, float, float] | None:
    """Return a threshold that lies within 0 to 1, without ends that are not known; None where it does not."""
    value, low, high = (float(each) for each in threshold)
    return (value, low, high) if 0 <= value <= 1 else None


def _above(axes, place: float, text: str, height: float, style: str) -> None:
    """Mark a share by an upright line with its words above the axes, within their width."""
    low, high = axes.get_xlim()
    along = (place - low) / (high - low)
    side = "left" if along < 0.25 else "right" if along > 0.75 else "center"
    axes.axvline(place, color=INK, linewidth=1, linestyle=style, zorder=2)
    look = {"ha": side, "va": "bottom", "fontsize": 9.5, "color": INK}
    axes.text(place, height, text, transform=axes.get_xaxis_transform(), **look)


def _against(values: pd.Series, lifetime: float, threshold: Sequence[float], money: Money) -> str:
    """Say how the line lies to mean lifetime value."""
    if not np.isfinite(lifetime):
        return "Mean lifetime value is not known."
    told = f"Mean lifetime value is {money.told(lifetime)}"
    if (equal := _within(threshold)) is not None:
        return f"{told}; both are equal at {in_words(*equal)}."
    if (values > lifetime).all():
        return f"{told}, below the line at any share."
    if (values < lifetime).all():
        return f"{told}, above the line at any share."
    return f"{told}; where both are equal cannot be told."
