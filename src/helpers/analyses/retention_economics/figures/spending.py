"""What winning and keeping a customer cost: on average, for one more, and over time."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Figure, number
from helpers.models.retention_economics.costs import CLAIMS

from ...drawing import (
    INK,
    WIDTH,
    end_rows,
    known_columns,
    legend_above,
    new_axes,
    nothing,
    panels,
    row_axes,
    row_height,
    rows_seen,
    written,
)
from .parts import (
    ALL,
    CLAIM,
    DIFFER,
    FIRM,
    NOT_TOLD,
    Money,
    beside_row,
    channel_name,
    dots,
    drawn_channels,
    limits,
    money_column,
    numbers,
    sentence,
    three,
    told_money,
    told_number,
)

MOST_CHANNELS = 12
WIDE = 50.0  # times: from here on ratios stand on a scale of logarithms
KINDS = {
    "acquisition": ("one more customer won", "customer won"),
    "retention": ("one more customer kept to the end of a period", "customer kept"),
}


def costs(frame: pd.DataFrame, *, currency: str) -> Figure:
    """Draw how many times as much winning a customer costs as keeping one, beside what is claimed.

    Parameters
    ----------
    frame : pandas.DataFrame
        channel ("all" for all together), acquisition_cost (of a new customer), retention_cost (of a year with one),
        ratio, ratio_low, ratio_high; nan where there is none.
    currency : str
    """
    name, seen = "costs", frame.iloc[:0] if "ratio" not in frame.columns else frame
    if rows_seen(seen, "ratio").empty:
        return nothing(name, "Nothing was spent on winning, or on keeping: there is no ratio of the two.", frame)
    seen = _first(seen, "ratio")
    value, low, high = three(seen, "ratio", "ratio_low", "ratio_high")
    money = Money.of(currency, numbers(seen, "acquisition_cost"), numbers(seen, "retention_cost"))
    every = np.concatenate([value, low, high, [end for band in CLAIMS.values() for end in band]])
    every = every[np.isfinite(every)]
    is_wide = every.max() > WIDE and every.min() > 0

    def draw():
        names = drawn_channels(seen.channel)
        figure, axes = new_axes(WIDTH, 1.55 + row_height(names, 0.5) * len(names))
        if is_wide:
            axes.set_xscale("log")
            axes.set_xlim(every.min() / 1.3, every.max() * 1.3)
            axes.xaxis.set_major_formatter(lambda times, _: f"{times:g}")
        texts = [_ratio(*each) for each in zip(value, low, high, strict=True)]
        dots(axes, value, low, high, names, texts, [FIRM if each == ALL else INK for each in seen.channel])
        if not is_wide:
            axes.set_xlim(*limits(every))
            axes.locator_params(axis="x", nbins=6)
        handles = []
        for (text, (start, end)), style in zip(CLAIMS.items(), ("-", "--", ""), strict=True):
            look = {"color": CLAIM, "zorder": 1, "label": f"“{text}”"}
            mark = (
                axes.axvspan(start, end, alpha=0.25, linewidth=0, **look)
                if end > start
                else axes.axvline(start, linestyle=style, **look)
            )
            handles.append(mark)
        axes.set_xlabel(
            "cost of a new customer, in costs of a year with one,\nwith 95 % interval; shaded and lines: as claimed"
        )
        legend_above(axes, handles)
        return figure

    told = "; ".join(
        f"{channel_name(line['channel'])} {told_number(*each)}, {_cost(line, 'acquisition_cost', money)} for a new "
        f"customer and {_cost(line, 'retention_cost', money)} for a year with one"
        for line, *each in zip(seen.to_dict("records"), value, low, high, strict=True)
    )
    alt = (
        f"Dots with 95 % intervals of how many times as much a new customer costs as a year with one, beside the "
        f"claimed 5, 6 and 6 to 10: {told}.{_left_out(frame, seen)}"
    )
    columns = {
        "channel": Column("Channel"),
        "acquisition_cost": money_column("A new customer", currency),
        "acquisition_low": money_column("95 % low", currency),
        "acquisition_high": money_column("95 % high", currency),
        "retention_cost": money_column("A year with a customer", currency),
        "retention_low": money_column("Of it, 95 % low", currency),
        "retention_high": money_column("Of it, 95 % high", currency),
        "ratio": Column("Ratio", digits=1),
        "ratio_low": Column("Of it, low", digits=1),
        "ratio_high": Column("Of it, high", digits=1),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns))


def _first(frame: pd.DataFrame, size: str) -> pd.DataFrame:
    """Return as many channels as can be read, the largest first, all together at the end."""
    together = frame[frame.channel == ALL]
    others = frame[frame.channel != ALL].sort_values(size, ascending=False, kind="stable", na_position="last")
    return pd.concat([others.head(MOST_CHANNELS), together], ignore_index=True)


def _left_out(frame: pd.DataFrame, seen: pd.DataFrame) -> str:
    count = frame.channel.nunique() - seen.channel.nunique()
    return f" {count} more channel{'s are' if count > 1 else ' is'} not drawn." if count > 0 else ""


def _ratio(value: float, low: float, high: float) -> str:
    return beside_row(value, low, high, lambda times: number(times, 1 if times < 100 else 0))


def _cost(line: dict, name: str, money: Money) -> str:
    cost = float(line.get(name, np.nan))
    return money.told(cost) if np.isfinite(cost) else "no known amount"


def marginal_costs(frame: pd.DataFrame, *, currency: str) -> Figure:
    """Draw what one more customer costs, won or kept, against the average.

    Parameters
    ----------
    frame : pandas.DataFrame
        kind (acquisition, retention), average_cost, marginal_cost, marginal_low, marginal_high (infinite where spend
        may do nothing), told (bool: whether spend surely does something), why (what stands in the way, in words).
    currency : str
    """
    name, seen = "marginal_costs", rows_seen(frame, "average_cost")
    seen = seen[seen.kind.isin(KINDS)] if len(seen) else seen
    if seen.empty:
        return nothing(name, "What one more customer costs cannot be told: there is no spend to learn from.", frame)
    lines = seen.to_dict("records")
    monies = [Money.of(currency, *_drawn(line)) for line in lines]

    def draw():
        from matplotlib.lines import Line2D

        figure, grid = panels(len(lines), 1, 0.6 + 1.35 * len(lines))
        for axes, line, money in zip(grid[:, 0], lines, monies, strict=True):
            _average_and_marginal(axes, line, money)
            words = KINDS[line["kind"]][0]
            axes.set_xlabel(f"cost of {words} ({money.unit}),\nwith 95 % interval")
        (dot, ring) = (
            Line2D([], [], marker="o", linestyle="", color=FIRM, markersize=7, label="one more"),
            Line2D([], [], marker="o", linestyle="", color="white", markeredgecolor=INK, markersize=7, label="average"),
        )
        legend_above(grid[0, 0], [ring, dot], 2)
        return figure

    told = " ".join(_told_marginal(line, money) for line, money in zip(lines, monies, strict=True))
    alt = f"Dots of what one more customer costs, with 95 % intervals, against the average. {told}"
    columns = {
        "kind": Column("Customer", names={each: words for each, (words, _) in KINDS.items()}),
        "elasticity": Column("Per cent more customers for 1 % more spend", digits=3),
        "elasticity_low": Column("95 % low", digits=3),
        "elasticity_high": Column("95 % high", digits=3),
        "average_cost": money_column("Average cost", currency),
        "marginal_cost": money_column("One more costs", currency),
        "marginal_low": money_column("Of it, 95 % low", currency),
        "marginal_high": money_column("Of it, 95 % high", currency),
        "why": Column("Mind"),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns))


def _drawn(line: dict) -> list[float]:
    """Return the amounts of a row that are drawn: of an interval without end, the lower one alone."""
    names = ["average_cost", "marginal_low"] + (["marginal_cost", "marginal_high"] if _is_told(line) else [])
    return [float(line.get(each, np.nan)) for each in names]


def _is_told(line: dict) -> bool:
    return bool(line.get("told", True)) and bool(np.isfinite(float(line["marginal_cost"])))


def _average_and_marginal(axes, line: dict, money: Money) -> None:
    average, low, cost, high = (
        float(line.get(each, np.nan)) for each in ("average_cost", "marginal_low", "marginal_cost", "marginal_high")
    )
    reach = limits(_drawn(line), upward=0.1)
    axes.set_xlim(*reach)
    if _is_told(line):
        axes.hlines(1, low, high, color=FIRM, linewidth=2.4, zorder=3)
        axes.plot(cost, 1, "o", color=FIRM, markersize=7, clip_on=False, zorder=4)
    elif np.isfinite(low):
        look = {"arrowstyle": "->", "color": FIRM, "linewidth": 2}
        axes.annotate("", (reach[1], 1), (low, 1), arrowprops=look)
        axes.plot(low, 1, "|", color=FIRM, markersize=12, markeredgewidth=2, zorder=4)
    axes.plot(average, 0, "o", color="white", markeredgecolor=INK, markersize=7, clip_on=False, zorder=4)
    row_axes(["on average", "one more"], axes)
    end_rows(axes, [money.text(average), _marginal(line, money)])
    money.rule(axes.xaxis)


def _marginal(line: dict, money: Money) -> str:
    low = float(line.get("marginal_low", np.nan))
    if _is_told(line):
        return beside_row(float(line["marginal_cost"]), low, float(line["marginal_high"]), money.text)
    return f"at least\n{money.text(low)}" if np.isfinite(low) else NOT_TOLD


def _told_marginal(line: dict, money: Money) -> str:
    average, low, cost, high = (
        float(line.get(each, np.nan)) for each in ("average_cost", "marginal_low", "marginal_cost", "marginal_high")
    )
    more = told_money(money, cost, low, high)
    if not _is_told(line):
        more = f"at least {money.told(low)}, how much more {NOT_TOLD}" if np.isfinite(low) else NOT_TOLD
    one, each = KINDS[line["kind"]]
    return f"{sentence(one)}: {more}; on average a {each} costs {money.told(average)}."


def cost_by_period(frame: pd.DataFrame, trends: pd.DataFrame, *, currency: str) -> Figure:
    """Draw what a new customer cost, period by period, a panel for each channel.

    Parameters
    ----------
    frame : pandas.DataFrame
        period (in order of time), channel, acquisition_cost (nan where nobody was won), new_customers.
    trends : pandas.DataFrame
        channel, yearly_change, low, high: by which share the cost rises a year; without rows where that is not known.
    currency : str
    """
    name, seen = "cost_by_period", rows_seen(frame, "acquisition_cost")
    if seen.empty:
        return nothing(name, "In no period was a customer won at a known cost.", frame)
    periods = list(dict.fromkeys(frame.period.astype(str)))
    won = frame.assign(won=numbers(frame, "new_customers")).groupby("channel", sort=False).won.sum()
    channels = [each for each in won.sort_values(ascending=False, kind="stable").index if (seen.channel == each).any()]
    shown = channels[:MOST_CHANNELS]
    money, top = Money.of(currency, seen.acquisition_cost), limits(seen.acquisition_cost[seen.channel.isin(shown)])[1]
    known = {line["channel"]: line for line in trends.to_dict("records")} if "yearly_change" in trends.columns else {}
    if len(shown) == 1 and shown[0] not in known and ALL in known:
        known[shown[0]] = known[ALL]

    means = seen.groupby("channel").acquisition_cost.mean()

    def draw():
        rows = -(-len(shown) // 2)
        columns = min(len(shown), 2)
        figure, grid = panels(rows, columns, 0.75 + 1.65 * rows, sharex=True, sharey=True)
        for axes in grid.ravel()[len(shown) :]:
            axes.set_axis_off()
        for axes, channel in zip(grid.ravel(), shown, strict=False):
            line = frame[frame.channel == channel].set_index(frame.period[frame.channel == channel].astype(str))
            costs = pd.to_numeric(line.acquisition_cost).reindex(periods)
            axes.plot(range(len(periods)), costs, color=DIFFER, linewidth=1.4, marker="o", markersize=3)
            title = f"{written(channel_name(channel), 26, 1)}\n{_trend(known.get(channel))}"
            axes.set_title(title, fontsize=10, pad=5, weight="normal", color=INK)
            axes.set_ylim(0, top)
            money.rule(axes.yaxis, 4)
            marks = np.unique(np.linspace(0, len(periods) - 1, min(3, len(periods))).astype(int))
            axes.set_xticks(marks, [written(periods[mark], 12, 1) for mark in marks])
            axes.tick_params(labelbottom=True, labelsize=9.5)
        figure.supylabel(f"cost of a new customer ({money.unit})", fontsize=10.5, color=INK)
        return figure

    told = "; ".join(
        f"{channel_name(each)}, mean of the periods {money.told(means[each])}, {_trend(known.get(each))}"
        for each in shown
    )
    more = len(channels) - len(shown)
    alt = f"Lines of what a new customer cost in each of {number(len(periods))} periods, by channel: {told}." + (
        f" {more} more channels are not drawn." if more else ""
    )
    columns = {
        "period": Column("Period"),
        "channel": Column("Channel"),
        "acquisition_cost": money_column("A new customer", currency),
        "new_customers": Column("New customers", "customers", 0),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns))


def _trend(line: dict | None) -> str:
    """Say by how much a cost rises a year."""
    change, low, high = (float((line or {}).get(each, np.nan)) for each in ("yearly_change", "low", "high"))
    if not np.isfinite(change):
        return "trend not told"
    interval = f" ({_signed(low)} to {_signed(high)} %)" if np.isfinite([low, high]).all() else ""
    return f"{_signed(change)} % a year{interval}"


def _signed(share: float) -> str:
    text = number(100 * share)
    return f"+{text}" if share > 0 and text != "0" else text
