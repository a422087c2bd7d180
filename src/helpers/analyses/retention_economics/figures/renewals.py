"""Renewals: how many contracts are left, which forecast errs least, and what lies ahead."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Figure, number, percent

from ...drawing import INK, WIDTH, end_rows, known_columns, name_ends, new_axes, nothing, row_axes, rows_seen
from .parts import ALIKE, CONSTANT, DIFFER, DIFFERING, HIGH, LOW, METHODS, limits, numbers, told_number, told_share

OTHER = "#B3B3B3"
LINES = {DIFFERING: (DIFFER, "-"), CONSTANT: (ALIKE, "--")}


def renewal_curve(frame: pd.DataFrame) -> Figure:
    """Draw which share of contracts was renewed so often: observed, and by both models.

    Parameters
    ----------
    frame : pandas.DataFrame
        term (renewals, from 0), at_risk, observed, observed_low, observed_high, shifted_beta_geometric,
        constant_retention; shares of the contracts at the start.
    """
    name, seen = "renewal_curve", rows_seen(frame, "term", *LINES)
    if seen.empty:
        return nothing(name, "There are no contracts whose renewals could be drawn.", frame)
    seen = seen.sort_values("term")
    observed, low, high = (numbers(seen, each) for each in ("observed", "observed_low", "observed_high"))

    def draw():
        figure, axes = new_axes(WIDTH, 4)
        for each, (colour, style) in LINES.items():
            axes.plot(seen.term, 100 * seen[each], color=colour, linestyle=style, zorder=2)
        axes.vlines(seen.term, 100 * low, 100 * high, color=INK, linewidth=1.6, zorder=3)
        axes.plot(seen.term, 100 * observed, "o", color=INK, markersize=6, clip_on=False, zorder=4)
        axes.set(xlim=(0, max(seen.term.max(), 1)), ylim=(0, 102))
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set_xlabel("renewals")
        axes.set_ylabel("contracts renewed at least so often (%)")
        last, names, colours = seen.iloc[-1], [METHODS[each].replace(" ", "\n", 1) for each in LINES], [DIFFER, ALIKE]
        tips = [(last.term, 100 * last[each]) for each in LINES]
        known = np.flatnonzero(np.isfinite(observed))
        if len(known):
            tips.append((seen.term.iloc[known[-1]], 100 * observed[known[-1]]))
            names, colours = [*names, "observed, with\n95 % interval"], [*colours, INK]
        name_ends(axes, tips, names, colours, 11)
        return figure

    shown = seen.iloc[np.unique([1, len(seen) // 2, len(seen) - 1]).clip(max=len(seen) - 1)]
    told = " ".join(_told(line) for line in shown.to_dict("records"))
    alt = f"Dots of the share of contracts renewed so often, with the curves of both models. {told}"
    columns = {
        "term": Column("Renewals", digits=0),
        "at_risk": Column("Contracts that came up for it", digits=0),
        "observed": Column("Renewed so often", digits=1, percent=True),
        "observed_low": LOW,
        "observed_high": HIGH,
        DIFFERING: Column("If customers differ", digits=1, percent=True),
        CONSTANT: Column("At constant retention", digits=1, percent=True),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns))


def _told(line: dict) -> str:
    found = [float(line.get(each, np.nan)) for each in ("observed", "observed_low", "observed_high")]
    observed = told_share(*found) if np.isfinite(found[0]) else "not shown"
    times = f"{number(line['term'])} renewal{'s' if line['term'] != 1 else ''}"
    return (
        f"{times}: observed {observed}, if customers differ {percent(line[DIFFERING])}, at constant retention "
        f"{percent(line[CONSTANT])}."
    )


def renewal_forecast(frame: pd.DataFrame) -> Figure:
    """Draw how far forecasts from the first renewals were from what followed.

    Parameters
    ----------
    frame : pandas.DataFrame
        method (of `METHODS`), error (mean absolute error, a share of the contracts at the start), terms_fitted,
        terms_held_out.
    """
    name, seen = "renewal_forecast", rows_seen(frame, "error")
    if seen.empty:
        return nothing(name, "There are too few renewals to forecast some of them from others.", frame)
    seen = seen.sort_values("error", kind="stable")
    first = seen.iloc[0]
    fitted, ahead = int(first.terms_fitted), int(first.terms_held_out)
    names = [METHODS.get(each, str(each)) for each in seen.method]
    texts = [_points(error) for error in seen.error]

    def draw():
        figure, axes = new_axes(WIDTH, 1.05 + 0.4 * len(seen))
        colours = [LINES[each][0] if each in LINES else OTHER for each in seen.method]
        axes.barh(range(len(seen)), 100 * seen.error, height=0.62, color=colours, zorder=3)
        row_axes(names, axes)
        axes.set_xlim(*limits(100 * seen.error))
        axes.locator_params(axis="x", nbins=5)
        axes.set_xlabel(
            f"mean error of the share still there, renewals {fitted + 1} to {fitted + ahead}\n"
            f"forecast from the first {fitted} (percentage points of all contracts)"
        )
        end_rows(axes, texts)
        return figure

    told = "; ".join(f"{each} {text} points" for each, text in zip(names, texts, strict=True))
    alt = (
        f"Bars of the mean absolute error of forecasts of renewals {fitted + 1} to {fitted + ahead} from the first "
        f"{fitted}, in percentage points of all contracts: {told}."
    )
    columns = {
        "method": Column("Forecast by", names=METHODS),
        "error": Column("Mean error, of all contracts", digits=1, percent=True),
        "last_error": Column("Forecast less observed in the end", digits=1, percent=True),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns))


def _points(error: float) -> str:
    return number(100 * error, 1 if error >= 0.01 else 2)


def residual_tenure(frame: pd.DataFrame) -> Figure:
    """Draw how many renewals are to be expected of a contract by how often it was renewed.

    Parameters
    ----------
    frame : pandas.DataFrame
        renewals (so far), customers, expected_terms, low, high (where customers differ), constant_terms.
    """
    name, seen = "residual_tenure", rows_seen(frame, "renewals", "expected_terms", "constant_terms")
    if seen.empty:
        return nothing(name, "There are no running contracts of which renewals could be expected.", frame)
    seen = seen.sort_values("renewals")
    low, high = numbers(seen, "low"), numbers(seen, "high")
    ways = {"expected_terms": (DIFFER, "-", "o"), "constant_terms": (ALIKE, "--", "s")}

    def draw():
        figure, axes = new_axes(WIDTH, 3.8)
        axes.fill_between(seen.renewals, low, high, color=DIFFER, alpha=0.2, linewidth=0)
        for each, (colour, style, marker) in ways.items():
            axes.plot(seen.renewals, seen[each], color=colour, linestyle=style, marker=marker, clip_on=False)
        top = limits(seen[list(ways)], high)[1]
        axes.set_ylim(0, top)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set_xlabel("renewals so far")
        axes.set_ylabel("renewals to expect (terms),\nwith 95 % interval")
        last = seen.iloc[-1]
        names = ["if customers\ndiffer", "at constant\nretention"]
        name_ends(axes, [(last.renewals, last[each]) for each in ways], names, [DIFFER, ALIKE], 0.13 * top)
        return figure

    shown = seen.iloc[np.unique([0, len(seen) - 1])]
    told = "; ".join(
        f"after {number(line['renewals'])} renewal{'s' if line['renewals'] != 1 else ''} "
        f"{told_number(line['expected_terms'], float(line.get('low', np.nan)), float(line.get('high', np.nan)))} if "
        f"customers differ, {number(line['constant_terms'], 1)} at constant retention"
        for line in shown.to_dict("records")
    )
    alt = f"Lines of the renewals to expect of a running contract, by how often it was renewed so far: {told}."
    columns = {
        "renewals": Column("Renewed so far", digits=0),
        "customers": Column("Contracts that run", digits=0),
        "expected_terms": Column("Renewals ahead, if customers differ", digits=2),
        "low": Column("95 % low", digits=2),
        "high": Column("95 % high", digits=2),
        "constant_terms": Column("At constant retention", digits=2),
    }
    return Figure(name, draw, alt, frame, known_columns(frame, columns))
