"""The index of every construct: overall, by segment, by wave, and how they differ."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Table, suppress_small_groups
from helpers.models import resampling

from ..measurement import ALL, Measurement
from ..settings import WEIGHTINGS
from .parts import NAMES, POINTS, bounds, holm, interval_columns, nothing

MOST_PAIRS = 15  # segments are compared in pairs up to here, beyond that with everyone


def hidden_groups(result: Measurement) -> set[int]:
    """Return the groups of people that are too small to be shown."""
    hidden: set[int] = set()
    for kind in ("segment", "wave"):
        groups = result.groups.of_kind(kind)
        frame = pd.DataFrame({"group": groups, "n": result.groups.sizes[groups]}, index=groups)
        if groups:
            shown = suppress_small_groups(frame, "n", ("group",), result.settings.min_cell)
            hidden |= set(shown.index[shown["n"].isna()])
    return hidden


def index_frame(result: Measurement) -> pd.DataFrame:
    """Return the index of every construct, group and weighting, with both kinds of interval."""
    hidden, lines = hidden_groups(result), []
    every = itertools.product(range(len(result.groups.names)), enumerate(result.constructs), WEIGHTINGS)
    for group, (number, construct), weighting in every:
        kind, name = result.groups.kinds[group], result.groups.names[group]
        where = {kind: name} if kind != ALL else {}
        estimate = result.index(group, number, weighting)
        meaningless = weighting == "pls" and (construct in result.negative or not result.estimated)
        shown = group not in hidden and not meaningless
        percentile, bca = (
            bounds(result, estimate, method) if shown else (np.nan, np.nan) for method in ("percentile", "bca")
        )
        chosen = percentile if result.settings.interval == "percentile" else bca
        lines.append(
            {
                "construct": construct,
                "label": result.named(construct),
                "segment": where.get("segment", ALL),
                "wave": where.get("wave", ALL),
                "n": int(result.groups.sizes[group]) if group not in hidden else None,
                "index": float(estimate.value) if shown else None,
                "low": chosen[0],
                "high": chosen[1],
                "weighting": weighting,
                "chosen": weighting == result.weighting(number),
                "percentile_low": percentile[0],
                "percentile_high": percentile[1],
                "bca_low": bca[0],
                "bca_high": bca[1],
            }
        )
    return pd.DataFrame(lines)


def index(result: Measurement, frame: pd.DataFrame) -> Table:
    """The index of every construct: everyone in the page, segments and waves in the file too."""
    everyone = frame[(frame["segment"] == ALL) & (frame["wave"] == ALL)]
    chosen = everyone[everyone["chosen"]]
    equal = everyone[everyone["weighting"] == "equal"].set_index("construct")["index"]
    view = chosen.assign(equal=chosen["construct"].map(equal)).reset_index(drop=True)
    columns = {
        "label": Column("Construct"),
        "n": Column("Respondents", digits=0),
        "weighting": Column("Weighting", names=NAMES),
        "index": Column("Index", POINTS, 1),
        "percentile_low": Column("95 % low, percentile", POINTS, 1),
        "percentile_high": Column("95 % high, percentile", POINTS, 1),
        "bca_low": Column("95 % low, BCa", POINTS, 1),
        "bca_high": Column("95 % high, BCa", POINTS, 1),
        "equal": Column("Index by equal weights", POINTS, 1),
    }
    caption = (
        f"Index of every construct, 0 (all give the lowest answer) to 100 (all give the highest), {result.model.name}. "
        f"Intervals from {result.settings.bootstrap_resamples:,} bootstrap resamples; weights estimated anew in each."
    )
    return Table("index", frame, caption, columns, view)


def groups(result: Measurement, frame: pd.DataFrame) -> Table:
    """The index of satisfaction, and of loyalty, by segment and by wave."""
    if not (result.survey.has_segments or result.survey.has_waves):
        return nothing("groups", "This survey names no segments and no waves.")
    constructs = [result.constructs[target] for target in result.targets]
    rows = [frame[frame["chosen"] & (frame["construct"] == construct)] for construct in constructs]
    rows = pd.concat(rows, ignore_index=True)
    view = rows.assign(group=np.where(rows["segment"] != ALL, rows["segment"], rows["wave"]))
    columns = {
        "label": Column("Construct"),
        "group": Column("Segment or wave", names=NAMES),
        "n": Column("Respondents", digits=0),
        "index": Column("Index", POINTS, 1),
        **interval_columns("95 %", POINTS),
    }
    caption = (
        "Index by segment and by wave; every group is measured by the weights of everyone. "
        f"Groups of fewer than {result.settings.min_cell} are hidden, with what would give them away."
    )
    return Table("groups", rows, caption, columns, view)


def _pairs(result: Measurement, kind: str, hidden: set[int]) -> list[tuple[int, int]]:
    groups = [group for group in result.groups.of_kind(kind) if group not in hidden]
    if kind == "wave":
        return list(itertools.pairwise(groups))
    pairs = list(itertools.combinations(groups, 2))
    return pairs if len(pairs) <= MOST_PAIRS else [(0, group) for group in groups]


def differences(result: Measurement) -> Table:
    """Segments against each other, each wave against the one before."""
    hidden, lines = hidden_groups(result), []
    for kind in ("segment", "wave"):
        for first, second in _pairs(result, kind, hidden):
            for construct, name in enumerate(result.constructs):
                change = result.index(second, construct) - result.index(first, construct)
                low, high = bounds(result, change)
                p = float(2 * min(resampling.one_sided_p(change.draws), resampling.one_sided_p(-change.draws), 0.5))
                names = (result.groups.names[first], result.groups.names[second])
                difference = float(change.value)
                lines.append((kind, *names, name, result.named(name), difference, low, high, p))
    if not lines:
        return nothing("differences", "There are no two segments or waves to be compared.")
    frame = pd.DataFrame(
        lines, columns=["kind", "first", "second", "construct", "label", "difference", "low", "high", "p_value"]
    )
    # Many comparisons find something by chance; within each kind the chance of any false one is held at 5 %.
    frame["p_holm"] = frame.groupby("kind")["p_value"].transform(holm)
    targets = [result.constructs[target] for target in result.targets]
    columns = {
        "kind": Column("Compared"),
        "first": Column("From", names=NAMES),
        "second": Column("To", names=NAMES),
        "label": Column("Construct"),
        "difference": Column("Difference", "points", 1),
        **interval_columns("95 %", "points"),
        "p_holm": Column("p, Holm", digits=3),
    }
    caption = (
        "Differences of the index, second less first, with 95 % intervals from the same resamples. p is two-sided, "
        "corrected for the number of comparisons of its kind, every construct counted (Holm). The file has every "
        "construct."
    )
    view = frame[frame["construct"].isin(targets)].reset_index(drop=True)
    return Table("differences", frame, caption, columns, view)
