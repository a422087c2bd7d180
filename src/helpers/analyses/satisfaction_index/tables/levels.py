"""The index of every construct: overall, by segment, by wave, and how they differ."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Table
from helpers.models import resampling

from ...groups import ALL
from ...many_comparisons import holm
from ..measurement import Measurement
from ..settings import ALL_WEIGHTINGS, INTERVALS
from .covariance import label_of
from .parts import GROUP_NAMES, POINTS, WEIGHTING_NAMES, bounds, interval_columns

MOST_PAIRS = 15  # segments are compared in pairs up to here, beyond that with everyone


def index_frame(result: Measurement) -> pd.DataFrame:
    """Return the index of every construct, group and weighting, with both kinds of interval."""
    lines = []
    every = itertools.product(range(len(result.groups.names)), enumerate(result.constructs), ALL_WEIGHTINGS)
    for group, (number, construct), weighting in every:
        where = {result.groups.kinds[group]: result.groups.names[group]} if group else {}
        estimate = result.index(group, number, weighting)
        shown = result.has_index(number, weighting)
        intervals = {method: bounds(result, estimate, method) if shown else (np.nan, np.nan) for method in INTERVALS}
        low, high = intervals[result.settings.interval]
        lines.append(
            {
                "construct": construct,
                "label": result.named(construct),
                "segment": where.get("segment", ALL),
                "wave": where.get("wave", ALL),
                "n": int(result.groups.sizes[group]),
                "index": float(estimate.value) if shown else None,
                "low": low,
                "high": high,
                "weighting": weighting,
                "chosen": weighting == result.weighting(number),
                **{f"{method}_low": ends[0] for method, ends in intervals.items()},
                **{f"{method}_high": ends[1] for method, ends in intervals.items()},
            }
        )
    return pd.DataFrame(lines)


def index(result: Measurement, frame: pd.DataFrame) -> Table:
    """The index of every construct: everyone in the page, segments in the file too."""
    file = frame[frame["wave"] == ALL].drop(columns="wave").reset_index(drop=True)
    everyone = file[file["segment"] == ALL]
    beside = everyone.pivot(index="construct", columns="weighting", values="index")
    view = everyone[everyone["chosen"]].join(beside, on="construct").reset_index(drop=True)
    columns = {
        "label": Column("Construct"),
        "index": Column("Index", POINTS, 1),
        "percentile_low": Column("95 % low, percentile", digits=1),
        "percentile_high": Column("95 % high, percentile", digits=1),
        "bca_low": Column("95 % low, BCa", digits=1),
        "bca_high": Column("95 % high, BCa", digits=1),
        "weighting": Column("Weighting", names=WEIGHTING_NAMES),
        "equal": Column("Index by equal weights", digits=1),
        "sem_loadings": Column("Index by SEM loadings", digits=1),
        "n": Column("Respondents", digits=0),
    }
    caption = (
        f"Index of every construct, 0 (all give the lowest answer) to 100 (all give the highest), {result.model.name}. "
        f"Intervals from {result.settings.bootstrap_resamples:,} bootstrap resamples; PLS weights are estimated anew "
        "in each, SEM loadings are taken as they are."
    )
    if label_of(result):
        caption += " The gate of the covariance model stops it: its loadings stand here for completeness."
    return Table("index", file, caption, columns, view)


def groups(result: Measurement, frame: pd.DataFrame) -> Table:
    """The index of satisfaction, and of loyalty, by segment and by wave."""
    if len(result.groups.names) == 1:
        return Table(
            "groups", frame, "This survey names no segments and no waves that can be shown.", view=pd.DataFrame()
        )
    constructs = [result.constructs[target] for target in result.targets]
    rows = [frame[frame["chosen"] & (frame["construct"] == construct)] for construct in constructs]
    rows = pd.concat(rows, ignore_index=True)
    view = rows.assign(group=np.where(rows["segment"] != ALL, rows["segment"], rows["wave"]))
    columns = {
        "label": Column("Construct"),
        "group": Column("Segment or wave", names=GROUP_NAMES),
        "n": Column("Respondents", digits=0),
        "index": Column("Index", POINTS, 1),
        **interval_columns("95 %", POINTS),
    }
    caption = (
        "Index by segment and by wave; every group is measured by the weights of everyone. Groups of fewer than "
        f"{result.settings.min_cell} respondents are put together."
    )
    caption = " ".join([caption, *(found.brief for found in result.comparability.values() if found.verdict != "alike")])
    return Table("groups", frame, caption, columns, view)


def _pairs(result: Measurement, kind: str) -> list[tuple[int, int]]:
    """Return which groups are compared: segments with each other, waves in time, and the last with the first."""
    groups = result.groups.of_kind(kind)
    if kind == "wave":
        groups = [group for group in groups if group not in result.groups.pooled]
        return [*itertools.pairwise(groups), *([(groups[0], groups[-1])] if len(groups) > 2 else [])]
    pairs = list(itertools.combinations(groups, 2))
    return pairs if len(pairs) <= MOST_PAIRS else [(0, group) for group in groups]


def differences(result: Measurement) -> Table:
    """Segments against each other, each wave against the one before, and the last against the first."""
    lines = []
    for kind in ("segment", "wave"):
        for first, second in _pairs(result, kind):
            for construct, name in enumerate(result.constructs):
                change = result.index(second, construct) - result.index(first, construct)
                p = float(resampling.wald_p(change.value, change.standard_error))
                names = (result.groups.names[first], result.groups.names[second])
                lines.append((kind, *names, name, result.named(name), float(change.value), *bounds(result, change), p))
    if not lines:
        return Table.nothing("differences", "There are no two segments or waves to be compared.")
    frame = pd.DataFrame(
        lines, columns=["kind", "first", "second", "construct", "label", "difference", "low", "high", "p_value"]
    )
    # Many comparisons find something by chance; for each construct the chance of any false one is held at 5 %.
    frame["comparable"] = [
        result.comparability[row.kind].comparable(*({row.first, row.second} - {ALL})) for row in frame.itertuples()
    ]
    frame["p_holm"] = frame.groupby(["kind", "construct"])["p_value"].transform(holm)
    columns = {
        "kind": Column("Compared"),
        "first": Column("From", names=GROUP_NAMES),
        "second": Column("To", names=GROUP_NAMES),
        "label": Column("Construct"),
        "difference": Column("Difference", "points", 1),
        **interval_columns("95 %"),
        "p_holm": Column("p, Holm", digits=3),
    }
    caption = (
        "Differences of the index, second less first, from the same resamples. p: two-sided, by the bootstrap "
        "standard error, corrected for the number of comparisons of that construct and kind (Holm); intervals are not "
        "corrected. The file has every construct."
    )
    for kind, found in result.comparability.items():
        if found.verdict == "differ":
            caption += f" Not to be read as differences in satisfaction between {kind}s: see the table of invariance."
    alike = frame["comparable"] == "yes"
    if not alike.all():
        caption += " Groups that are not known to answer alike are not set against each other here; the file has them."
    shown = frame["construct"].isin([result.constructs[target] for target in result.targets])
    surely = frame["p_holm"] < 0.05
    view = frame[alike & (shown | surely)].reset_index(drop=True)
    if view.empty:
        return Table("differences", frame, caption, view=pd.DataFrame())
    return Table("differences", frame, caption, columns, view)
