"""The measurement annex: whether items are reliable, constructs can be told apart, and the model foresees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Table, listed, number
from helpers.models.satisfaction_index import foresight, reliability

from ..estimates import resample
from ..measurement import Measurement
from .covariance import fit_rows, gate_rows
from .parts import ESTIMATOR, MOST_NAMED, bounds, interval_columns, plain_number

# Limits by which annexes are usually read; none is a law, and each check says which it used.
LEAST_LOADING = 0.5
LEAST_RELIABILITY = 0.7
LEAST_VARIANCE_EXTRACTED = 0.5
MOST_HTMT = 0.9
MOST_INFLATION = 5.0
FEW_RESPONDENTS = 100
RULES = {
    "pls": "PLS weights",
    "equal": "equal weights",
    "items": "every item by itself (regression)",
    "mean": "the same for everyone (naive rule)",
}


def reliability_of_constructs(result: Measurement) -> Table:
    """Reliability and convergent validity of each construct."""
    design, fit = result.design, result.fit
    correlation = result.moments.correlation
    extracted = reliability.average_variance_extracted(fit.loadings, design)
    inflation = reliability.construct_inflation(fit.construct_correlation, design)
    frame = pd.DataFrame(
        {
            "construct": result.constructs,
            "label": [result.named(name) for name in result.constructs],
            "items": np.bincount(design.block),
            "alpha": reliability.alpha(correlation, design),
            "rho_a": reliability.rho_a(correlation, fit.weights, design),
            "composite": reliability.composite_reliability(fit.loadings, design),
            "ave": extracted,
            "fornell_larcker": reliability.fornell_larcker(extracted, fit.construct_correlation),
            "largest_inflation": [_largest(row) for row in inflation],
            "r_squared": fit.r_squared,
        }
    )
    frame["fornell_larcker"] = frame["fornell_larcker"].map({1.0: "yes", 0.0: "no"})
    columns = {
        "label": Column("Construct"),
        "items": Column("Items", digits=0),
        "alpha": Column("Cronbach's alpha", digits=3),
        "rho_a": Column("rho A", digits=3),
        "composite": Column("Composite reliability", digits=3),
        "ave": Column("Variance extracted", digits=3),
        "fornell_larcker": Column("Shares more with its items than with any construct (Fornell-Larcker)"),
        "largest_inflation": Column("Largest variance inflation as a cause", digits=2),
        "r_squared": Column("R\N{SUPERSCRIPT TWO}", digits=3),
    }
    caption = (
        "Reliability and validity of the constructs; alpha of standardised items, composite reliability and variance "
        "extracted from PLS loadings, which flatter. A construct of one item tells nothing of its reliability."
    )
    return Table("reliability", frame, caption, columns)


def _largest(inflation: np.ndarray) -> float:
    return float(np.nanmax(inflation)) if np.isfinite(inflation).any() else np.nan


def loadings(result: Measurement) -> Table:
    """Weight and loading of each item, and where else it loads."""
    design, fit = result.design, result.fit
    loading = result["loadings"]
    low, high = loading.interval(result.settings.interval)
    crossed = np.where(design.membership == 1, -np.inf, np.abs(fit.cross_loadings))
    elsewhere = crossed.argmax(axis=1)
    frame = pd.DataFrame(
        {
            "item": result.items,
            "label": [result.named(name) for name in result.items],
            "construct": [result.constructs[block] for block in design.block],
            "loading": loading.value,
            "low": low,
            "high": high,
            "weight": result["weights"].value,
            "share_of_index": result["item_weights"].value,
            "largest_cross_loading": fit.cross_loadings[np.arange(design.items), elsewhere],
            "cross_construct": [result.constructs[number] for number in elsewhere],
            "inflation": reliability.item_inflation(result.moments.correlation, design),
        }
    )
    columns = {
        "item": Column("Item"),
        "label": Column("What it asks"),
        "construct": Column("Construct", names=result.model.labels),
        "loading": Column("Loading", digits=3),
        **interval_columns("95 %", digits=3),
        "weight": Column("Weight (standardised item)", digits=3),
        "share_of_index": Column("Weight in the index", digits=3),
        "largest_cross_loading": Column("Largest cross-loading", digits=3),
        "cross_construct": Column("on", names=result.model.labels),
        "inflation": Column("Variance inflation in its block", digits=2),
    }
    caption = "Loadings with bootstrap intervals; weights of the standardised items and of the answers in the index."
    return Table("loadings", frame, caption, columns)


def cross_loadings(result: Measurement) -> Table:
    """Correlation of every item with every construct."""
    frame = pd.DataFrame(result.fit.cross_loadings, columns=list(result.constructs))
    frame.insert(0, "item", result.items)
    frame.insert(1, "construct", [result.constructs[block] for block in result.design.block])
    columns = {"item": Column("Item"), "construct": Column("Construct", names=result.model.labels)}
    columns |= {name: Column(result.named(name), digits=3) for name in result.constructs}
    caption = (
        "Cross-loadings: the correlation of each item with the score of each construct; its own should be largest."
    )
    return Table("cross_loadings", frame, caption, columns)


def discriminant_validity(result: Measurement) -> Table:
    """Heterotrait-monotrait ratio of every pair of constructs, beside their correlation."""
    estimate, lines = result["htmt"], []
    for second in range(len(result.constructs)):
        for first in range(second):
            low, high = bounds(result, estimate[first, second])
            lines.append(
                {
                    "first": result.constructs[first],
                    "second": result.constructs[second],
                    "first_label": result.named(result.constructs[first]),
                    "second_label": result.named(result.constructs[second]),
                    "htmt": float(estimate.value[first, second]),
                    "low": low,
                    "high": high,
                    "correlation": float(result.fit.construct_correlation[first, second]),
                }
            )
    frame = pd.DataFrame(lines)
    columns = {
        "first_label": Column("Construct"),
        "second_label": Column("and"),
        "htmt": Column("HTMT", digits=3),
        **interval_columns("95 %", digits=3),
        "correlation": Column("Correlation of the scores", digits=3),
    }
    caption = (
        f"Can the constructs be told apart? From a heterotrait-monotrait ratio of {MOST_HTMT:g} on they hardly can. A "
        "construct of one item is taken as measured without error."
    )
    return Table("discriminant_validity", frame, caption, columns)


def fit(result: Measurement) -> Table:
    """What the path model explains, and how the estimation went."""
    path_fit, design = result.fit, result.design
    several = np.bincount(design.block) > 1
    communality = float((path_fit.loadings**2)[several[design.block]].mean()) if several.any() else np.nan
    explained = {
        f"r_squared_{name}": float(path_fit.r_squared[number])
        for number, name in enumerate(result.constructs)
        if number in design.targets
    }
    measures = {
        "respondents": result.respondents,
        "items": design.items,
        "constructs": design.constructs,
        "paths": int(design.paths.sum()),
        "iterations": int(path_fit.iterations),
        "converged": int(path_fit.converged),
        **explained,
        "goodness_of_fit": float(np.sqrt(communality * np.mean(list(explained.values())))),
        "resamples_estimated": float(np.isfinite(result["paths"].draws).all(axis=(1, 2)).mean()),
    }
    frame = pd.DataFrame(
        [{"estimator": ESTIMATOR, "measure": name, "value": value} for name, value in measures.items()]
    )
    names = {f"r_squared_{name}": f"R\N{SUPERSCRIPT TWO} of {result.named(name)}" for name in result.constructs}
    names |= {"goodness_of_fit": "goodness of fit (GoF)", "resamples_estimated": "share of resamples estimated"}
    names |= {"respondents": "respondents", "converged": "converged (1 = yes)"}
    columns = {"measure": Column("Measure", names=names), "value": Column("Value")}
    view = frame.assign(value=frame["value"].map(plain_number))
    caption = (
        "The PLS path model in numbers. GoF (Tenenhaus et al. 2005) describes, it tests nothing: PLS has no test of "
        "fit here. The file has the covariance model too."
    )
    return Table("fit", pd.concat([frame, fit_rows(result)], ignore_index=True), caption, columns, view)


def predictions(result: Measurement) -> Table:
    """Satisfaction of people the model has not seen, foreseen by the model and by simpler rules."""
    errors = foresight.out_of_sample_errors(
        result.answers,
        result.design,
        result.satisfaction,
        weights=result.weights_of_respondents,
        seed=result.settings.seed,
        scheme=result.settings.scheme,
    )
    shares = resample(
        lambda counts: {
            name: foresight.explained_share(error, errors["mean"], counts) for name, error in errors.items()
        },
        result.survey,
        result.settings,
        "prediction",
    )
    lines = []
    for name, share in shares.items():
        low, high = bounds(result, share)
        ahead = shares["pls"] - share
        ahead_low, ahead_high = bounds(result, ahead)
        lines.append((name, float(share.value), low, high, float(ahead.value), ahead_low, ahead_high))
    frame = pd.DataFrame(lines, columns=["rule", "explained", "low", "high", "ahead", "ahead_low", "ahead_high"])
    columns = {
        "rule": Column("Constructs weighted by", names=RULES),
        "explained": Column("Explained out of sample", digits=3),
        **interval_columns("95 %", digits=3),
        "ahead": Column("PLS ahead by", digits=3),
        "ahead_low": Column("95 % low, ahead", digits=3),
        "ahead_high": Column("95 % high, ahead", digits=3),
    }
    caption = (
        "Share of the variance of satisfaction that each rule foresees of respondents it was not estimated on (ten "
        "parts, each predicted from the other nine). Intervals over respondents; the differences are paired."
    )
    return Table("predictions", frame, caption, columns)


@dataclass(frozen=True)
class Check:
    """Something that has to hold for the conclusions to hold.

    Parameters
    ----------
    name : str
    holds : bool
    value : float
        The number that decides.
    meaning : str
        What has to hold, and what the value is.
    failing : str
        What follows where it does not hold, in a sentence; "" where it does.
    """

    name: str
    holds: bool
    value: float
    meaning: str
    failing: str = ""


def admissibility(result: Measurement) -> Table:
    """What has to hold for the conclusions to hold, and whether it does."""
    checked = checks(result)
    lines = [(check.name, "yes" if check.holds else "no", check.value, check.meaning) for check in checked]
    columns = {
        "check": Column("Check", names={check.name: check.name.replace("_", " ") for check in checked}),
        "holds": Column("Holds"),
        "value": Column("Value"),
        "meaning": Column("What has to hold"),
    }
    frame = pd.DataFrame(lines, columns=list(columns))
    view = frame.assign(value=frame["value"].map(plain_number))
    caption = (
        "What has to hold for the conclusions to hold, and whether it does. The limits are customs, not laws. The "
        "covariance model has a gate of its own, further down."
    )
    file = pd.concat([frame.assign(estimator=ESTIMATOR), gate_rows(result)], ignore_index=True)
    return Table("admissibility", file, caption, columns, view)


def checks(result: Measurement) -> list[Check]:
    """Return everything that is checked before a conclusion is believed."""
    first = [_estimated(result), _weights(result), _enough_respondents(result)]
    if not result.estimated:
        return first
    constructs = reliability_of_constructs(result).frame
    several = constructs[constructs["items"] > 1]
    return [
        *first,
        _told_apart(result),
        _loadings(result),
        _reliable(several, "composite", LEAST_RELIABILITY, "composite reliability of at least"),
        _reliable(several, "ave", LEAST_VARIANCE_EXTRACTED, "a variance extracted of at least"),
        _inflation(constructs),
    ]


def _estimated(result: Measurement) -> Check:
    failing = (
        "The path model could not be estimated from these answers: there is no path and no weight of its own, and "
        "index and importance are given by equal weights."
    )
    iterations = float(result.fit.iterations)
    return Check("estimated", result.estimated, iterations, "the iteration settles (value: iterations)", failing)


def _weights(result: Measurement) -> Check:
    negative = result.negative if result.estimated else {}
    sentences = [
        f"Of negative weight: {listed(items)}. So the index of {result.named(construct)} by PLS weights means nothing "
        "and is refused: equal weights are used for it, in importance too. If a high answer is bad there, name the "
        "item under reversed_items in the model file; if not, it does not measure this construct."
        for construct, items in negative.items()
    ]
    meaning = "no item has a negative weight (value: how many have)"
    return Check("weights", not negative, float(sum(map(len, negative.values()))), meaning, " ".join(sentences))


def _enough_respondents(result: Measurement) -> Check:
    wanted = max(FEW_RESPONDENTS, 10 * int(result.design.paths.sum(axis=0).max()), result.design.items)
    respondents = result.effective_respondents
    meaning = (
        f"at least {wanted} respondents: {FEW_RESPONDENTS}, ten for each arrow at one construct, one for each item"
    )
    failing = (
        f"Only {number(respondents)} respondents count (at least {wanted} are wanted): weights, paths and their order "
        "are unsteady."
    )
    return Check("respondents", respondents >= wanted, respondents, meaning, failing)


def _told_apart(result: Measurement) -> Check:
    pairs = discriminant_validity(result).frame.sort_values("htmt", ascending=False, kind="stable")
    close = pairs[pairs["htmt"] >= MOST_HTMT]
    named = [f"{row.first_label} \N{EN DASH} {row.second_label} {number(row.htmt, 2)}" for row in close.itertuples()]
    known = pairs["htmt"].notna().any()
    meaning = (
        f"every two constructs can be told apart: heterotrait-monotrait ratio below {MOST_HTMT:g} (value: the largest)"
    )
    failing = (
        f"Respondents hardly tell these apart: {listed(named, MOST_NAMED)} (heterotrait-monotrait ratio, from "
        f"{MOST_HTMT:g} on). What each of them does by itself, in paths and in importance, is less certain than its "
        "interval says."
        if named
        else "Whether constructs can be told apart could not be computed."
    )
    return Check("discriminant_validity", bool(known) and close.empty, float(pairs["htmt"].max()), meaning, failing)


def _loadings(result: Measurement) -> Check:
    found = result.fit.loadings
    weak = [
        f"{item} ({result.named(item)}; {number(loading, 2)} on {result.named(result.constructs[block])})"
        for item, loading, block in zip(result.items, found, result.design.block, strict=True)
        if not loading >= LEAST_LOADING
    ]
    meaning = f"every item loads {LEAST_LOADING:g} or more on its construct (value: the smallest loading)"
    failing = f"Hardly part of their constructs, by their loadings: {listed(weak)}." if weak else ""
    return Check("loadings", not weak, _extreme(found, np.nanmin), meaning, failing)


def _reliable(constructs: pd.DataFrame, column: str, least: float, what: str) -> Check:
    weak = constructs[~(constructs[column] >= least)]
    named = [f"{label} ({number(value, 2)})" for label, value in zip(weak["label"], weak[column], strict=True)]
    meaning = f"every construct of several items has {what} {least:g} (value: the smallest)"
    failing = f"Weakly measured, without {what} {least:g}: {listed(named)}. Their effects tend to be understated."
    name = {"ave": "variance_extracted"}.get(column, column)
    return Check(name, weak.empty, _extreme(constructs[column], np.nanmin), meaning, failing if named else "")


def _inflation(table: pd.DataFrame) -> Check:
    repeating = table[table["largest_inflation"] > MOST_INFLATION]["label"].tolist()
    meaning = (
        f"causes of one construct do not repeat each other: variance inflation up to {MOST_INFLATION:g} (value: the "
        "largest)"
    )
    failing = (
        f"{listed(repeating)}: nearly given by the other causes of the same construct; separate paths are unsteady."
        if repeating
        else ""
    )
    return Check("inflation", not repeating, _extreme(table["largest_inflation"], np.nanmax), meaning, failing)


def _extreme(values, of) -> float:
    values = np.asarray(values, float)
    return float(of(values)) if np.isfinite(values).any() else np.nan
