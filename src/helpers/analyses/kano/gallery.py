"""Every figure of the Kano report, from the frames of its tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from helpers.exhibits import Figure, Table
from helpers.models.kano import coefficients, curves, evaluation
from helpers.models.kano.evaluation import CLASSES

from ..drawing import nothing
from ..groups import ALL
from . import figures
from .measurement import Measurement
from .tables.decisions import has_budget
from .tables.pooled import surely_differ

FULFILMENT = np.linspace(0, 1, 51)
CURVED = "OAM"  # the classes that have a curve


def gallery(result: Measurement, tables: Mapping[str, Table]) -> list[Figure]:
    """Return every figure of the report."""
    frames = {name: table.frame for name, table in tables.items()}
    # requirements are drawn as the file names them: there is nothing in Latin letters to fall back on
    english = {name: f"requirement {number}" for number, name in enumerate(result.requirements, 1)}
    every = frames["requirements"]
    rows = every[(every["segment"] == ALL) & (every["wave"] == ALL)].reset_index(drop=True)
    settings = result.settings
    cuts = {"better_cut": settings.better_cut, "worse_cut": settings.worse_cut}
    angles = {name: getattr(settings, name) for name in ("least_importance", "must_be_below", "attractive_above")}
    return [
        figures.categories(_categories(result, rows), english),
        figures.better_worse(rows, _ellipses(result), english, **cuts),
        _of("continuous", frames, english, figures.continuous),
        _of("analytical", frames, english, figures.analytical, **angles),
        _of("importance", frames, english, figures.stated_importance),
        _pairs(result, english),
        _of("asymmetry", frames, english, figures.asymmetry),
        figures.satisfaction_curves(_curves(result, rows), english),
        _segments(result, every, english, cuts),
        _waves(result, every, frames["differences"], english, cuts),
        _latent_classes(rows, frames["latent_classes"], english, cuts),
        _of("choice", frames, english, figures.choice),
        _decision(result, frames["priorities"], english),
        _of("sample_size", frames, english, figures.sample_size),
    ]


def _of(name: str, frames: Mapping[str, pd.DataFrame], english: Mapping[str, str], draw, **choices) -> Figure:
    """Draw the frame of a table under its name, or say what the table says where it has nothing."""
    frame = frames[name]
    if "requirement" not in frame:
        return nothing(name, str(frame["reason"].iloc[0]), frame)
    return replace(draw(frame.rename(columns={"class": "kind"}), english, **choices), name=name)


def _categories(result: Measurement, rows: pd.DataFrame) -> pd.DataFrame:
    frame = rows[["requirement", "verdict", "n"]].copy()
    for letter in CLASSES:
        frame[letter] = rows[letter] / rows["n"].where(rows["n"] > 0)
    return frame.assign(clear=result.clear)


def _ellipses(result: Measurement) -> pd.DataFrame:
    points = coefficients.ellipse(result.everyone)
    known = np.isfinite(points).all(axis=(1, 2))
    names = np.repeat(np.array(result.requirements, dtype=object)[known], points.shape[1])
    flat = points[known].reshape(-1, 2)
    return pd.DataFrame({"requirement": names, "better": flat[:, 0], "worse": flat[:, 1]})


def _pairs(result: Measurement, english: Mapping[str, str]) -> Figure:
    if result.answers is None:
        return nothing("answer_pairs", "Pairs of answers are not known; only counts are.")
    table = evaluation.evaluation_table(result.settings.evaluation_table)
    lines = [
        (requirement, functional + 1, dysfunctional + 1, float(share), CLASSES[table[functional, dysfunctional]])
        for requirement, pairs in zip(result.requirements, result.answers.pairs, strict=True)
        for (functional, dysfunctional), share in np.ndenumerate(pairs / max(pairs.sum(), 1))
    ]
    columns = ["requirement", "functional", "dysfunctional", "share", "class"]
    return figures.answer_pairs(pd.DataFrame(lines, columns=columns), english)


def _curves(result: Measurement, rows: pd.DataFrame) -> pd.DataFrame:
    letters = [CLASSES[number] if number >= 0 else "" for number in result.classes]
    curved = np.isin(letters, list(CURVED)) & rows["better"].notna().to_numpy()
    drawn = curves.satisfaction(
        result.classes[curved], rows["better"][curved].to_numpy(), rows["worse"][curved].to_numpy(), FULFILMENT
    )
    names, kinds = (np.array(values, dtype=object)[curved] for values in (result.requirements, letters))
    points = len(FULFILMENT)
    return pd.DataFrame(
        {
            "requirement": np.repeat(names, points),
            "class": np.repeat(kinds, points),
            "fulfilment": np.tile(FULFILMENT, curved.sum()),
            "satisfaction": drawn.ravel(),
        }
    )


def _segments(
    result: Measurement, every: pd.DataFrame, english: Mapping[str, str], cuts: Mapping[str, float]
) -> Figure:
    if not result.of_kind("segment"):
        return nothing("segments", "This input names no segments that can be shown.")
    rows = every[every["wave"] == ALL].reset_index(drop=True)
    return figures.segments(rows.assign(group=rows["segment"], is_all=rows["segment"] == ALL), english, **cuts)


def _waves(
    result: Measurement,
    every: pd.DataFrame,
    differences: pd.DataFrame,
    english: Mapping[str, str],
    cuts: Mapping[str, float],
) -> Figure:
    if len(result.of_kind("wave")) < 2:
        return nothing("waves", "This input names no two waves that can be shown.")
    moved = surely_differ(differences, "wave")
    rows = every[every["wave"] != ALL].reset_index(drop=True)
    return figures.waves(rows.assign(surely=rows["requirement"].isin(moved)), english, **cuts)


def _latent_classes(
    rows: pd.DataFrame,
    found: pd.DataFrame,
    english: Mapping[str, str],
    cuts: Mapping[str, float],
) -> Figure:
    if "requirement" not in found:
        return nothing("latent_classes", str(found["reason"].iloc[0]), found)
    parts = found.assign(group="class " + found["latent_class"].astype(str), is_all=False)
    frame = pd.concat([rows.assign(group=ALL, is_all=True), parts], ignore_index=True)
    shares = dict(zip(parts["group"], parts["share"], strict=True))
    return figures.latent_classes(frame[["requirement", "group", "is_all", "better", "worse"]], shares, english, **cuts)


def _decision(result: Measurement, priorities: pd.DataFrame, english: Mapping[str, str]) -> Figure:
    if not has_budget(result.settings):
        given = "costs are given but no budget (budget)" if result.settings.costs else "no costs are given (costs)"
        return nothing("decision", f"Nothing is chosen under a budget: {given}.")
    return figures.decision(priorities.rename(columns={"class": "kind"}), english)
