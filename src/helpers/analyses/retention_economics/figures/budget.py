"""The budget: what customers are worth by how it is split between winning and keeping them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Figure, percent

from ...drawing import INK, WIDTH, known_columns, new_axes, nothing, rows_seen
from .parts import DIFFER, Money, limits, money_column, numbers, share

PLANS = {
    "current": ("today", "o", "#D55E00"),
    "best_split_same_budget": ("best split of it", "D", "#009E73"),
}
BEST_EACH = "best_each"


def budget_curve(frame: pd.DataFrame, plans: pd.DataFrame, *, currency: str) -> Figure:
    """Draw what prospects and customers are worth by the share of today's budget that goes to keeping.

    Parameters
    ----------
    frame : pandas.DataFrame
        share_to_retention (0 to 1), equity (in money).
    plans : pandas.DataFrame
        plan (current, best_split_same_budget, best_each), share_of_budget_to_retention, equity; without rows where
        they are not known. The first two are marked, the last, of another budget, is told.
    currency : str
    """
    name, seen = "budget_curve", rows_seen(frame, "share_to_retention", "equity")
    if seen.empty:
        return nothing(name, "There is no budget that could be split between winning and keeping.", frame)
    seen = seen.sort_values("share_to_retention")
    marked = rows_seen(plans, "share_of_budget_to_retention", "equity")
    marked = {line["plan"]: line for line in marked.to_dict("records")} if "plan" in marked.columns else {}
    at = {each: line for each, line in marked.items() if each in PLANS}
    money, reach = Money.of(currency, seen.equity), _reach(seen.equity, [line["equity"] for line in at.values()])

    def draw():
        figure, axes = new_axes(WIDTH, 4)
        axes.plot(100 * seen.share_to_retention, seen.equity, color=DIFFER, zorder=2)
        for each, height in zip(at, (1.02, 1.09), strict=False):
            words, marker, colour = PLANS[each]
            place = 100 * at[each]["share_of_budget_to_retention"]
            axes.axvline(place, color=colour, linewidth=1, linestyle=":", zorder=1)
            axes.plot(
                place,
                at[each]["equity"],
                marker,
                color=colour,
                markeredgecolor="white",
                markersize=9,
                clip_on=False,
                zorder=4,
            )
            side = "left" if place < 30 else "right" if place > 70 else "center"
            text = f"{words}: {share(place / 100)}, {money.text(at[each]['equity'])}"
            look = {"ha": side, "va": "bottom", "fontsize": 9.5, "color": INK}
            axes.text(place, height, text, transform=axes.get_xaxis_transform(), **look)
        axes.set(xlim=(0, 100), ylim=reach)
        money.rule(axes.yaxis)
        axes.set_xlabel("share of today's budget that goes to keeping customers (%)")
        axes.set_ylabel(f"equity ({money.unit})")
        return figure

    told = [
        f"{PLANS[each][0]} {percent(line['share_of_budget_to_retention'])}, worth {money.told(line['equity'])}"
        for each, line in at.items()
    ]
    if BEST_EACH in marked:
        line = marked[BEST_EACH]
        told.append(
            f"with as much as pays, not drawn, {percent(line['share_of_budget_to_retention'])}, worth "
            f"{money.told(line['equity'])}"
        )
    first, last = seen.iloc[0], seen.iloc[-1]
    alt = (
        "Line of what prospects and customers are worth by the share of today's budget that goes to keeping: "
        f"{money.told(first.equity)} at {percent(first.share_to_retention, 0)}, {money.told(last.equity)} at "
        f"{percent(last.share_to_retention, 0)}." + (f" {told[0][0].upper()}{'; '.join(told)[1:]}." if told else "")
    )
    columns = {
        "share_to_retention": Column("Share for keeping", digits=0, percent=True),
        "equity": money_column("Equity", currency),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns))


def _reach(*values) -> tuple[float, float]:
    low, high = limits(*values)
    return (low, high) if high > low else (low, low + 1)


def budget_sensitivity(frame: pd.DataFrame, *, currency: str, today: float = np.nan) -> Figure:
    """Draw the best split of today's budget under other ceilings, and what it gains.

    Parameters
    ----------
    frame : pandas.DataFrame
        acquisition_ceiling, retention_ceiling (shares that no spending exceeds), share_to_retention (of the best
        split), equity_gain (over today's split, in money).
    currency : str
    today : float
        Share of the budget that goes to keeping today; nan where it is not known.
    """
    name, seen = (
        "budget_sensitivity",
        rows_seen(frame, "acquisition_ceiling", "retention_ceiling", "share_to_retention"),
    )
    if seen.empty:
        return nothing(name, "There is no budget whose best split could depend on ceilings.", frame)
    shares, gains = (
        seen.assign(gain=numbers(seen, "equity_gain")).pivot_table(
            index="acquisition_ceiling", columns="retention_ceiling", values=value, dropna=False
        )
        for value in ("share_to_retention", "gain")
    )
    money = Money.of(currency, gains)

    def draw():
        figure, axes = new_axes(WIDTH, 1.3 + 0.52 * len(shares))
        _cells(axes, shares.to_numpy(float), gains.to_numpy(float), money)
        axes.set_xticks(range(shares.shape[1]), [share(each) for each in shares.columns])
        axes.set_yticks(range(shares.shape[0]), [share(each) for each in shares.index])
        now = f" (today {share(today)})" if np.isfinite(today) else ""
        axes.set_xlabel(
            f"at most so many customers kept a year\n"
            f"cells: best share of the budget for keeping{now},\nand what it gains ({money.unit})"
        )
        axes.set_ylabel("at most so many\nprospects won")
        return figure

    low, high = seen.share_to_retention.min(), seen.share_to_retention.max()
    gained = seen[np.isfinite(numbers(seen, "equity_gain"))]
    alt = (
        f"Cells of the best share of today's budget for keeping customers, by the most that spending could win and "
        f"keep: {percent(low, 0)} to {percent(high, 0)}"
        + (f", today {percent(today, 0)}" if np.isfinite(today) else "")
        + (
            f"; the best split gains {money.told(gained.equity_gain.min())} to {money.told(gained.equity_gain.max())}"
            if len(gained)
            else ""
        )
        + f". {_corners(shares)}"
    )
    columns = {
        "acquisition_ceiling": Column("At most won", digits=1, percent=True),
        "retention_ceiling": Column("At most kept", digits=1, percent=True),
        "share_to_retention": Column("Best share for keeping", digits=0, percent=True),
        "equity_gain": money_column("What the best split gains", currency),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns))


def _cells(axes, shares: np.ndarray, gains: np.ndarray, money: Money) -> None:
    from matplotlib import colormaps

    scale = colormaps["Blues"]  # only its lighter half, on which the same ink can be read everywhere
    axes.imshow(np.ma.masked_invalid(shares), cmap=scale, vmin=0, vmax=1.8, aspect="auto")
    axes.hlines(np.arange(0.5, shares.shape[0] - 1), -0.5, shares.shape[1] - 0.5, color="white", linewidth=1.5)
    axes.vlines(np.arange(0.5, shares.shape[1] - 1), -0.5, shares.shape[0] - 0.5, color="white", linewidth=1.5)
    for (row, column), part in np.ndenumerate(shares):
        if np.isfinite(part):
            gain = gains[row, column]
            text = share(part) + (f"\n{money.changed(gain)}" if np.isfinite(gain) else "")
            axes.text(column, row, text, ha="center", va="center", fontsize=9.5, linespacing=1.15, color=INK)
    axes.tick_params(length=0, labelcolor=INK, labelsize=9.5)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)


def _corners(shares: pd.DataFrame) -> str:
    """Say the corner cells."""
    corners = {(row, column) for row in (0, -1) for column in (0, -1)}
    told = [
        f"{percent(shares.iloc[row, column], 0)} where at most {percent(shares.index[row])} are won and "
        f"{percent(shares.columns[column])} kept"
        for row, column in sorted(corners, reverse=True)
        if np.isfinite(shares.iloc[row, column])
    ]
    return f"It is {'; '.join(dict.fromkeys(told))}."
