"""Renewals of contracts: the curve observed and modelled, forecasts held to account, and what lies ahead."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special

from helpers.exhibits import Column, Table, number, percent, suppress_small_groups
from helpers.models import resampling

from ..measurement import Measurement
from ..names import MODEL_NAMES


def renewal_curve(result: Measurement) -> Table:
    """Share of contracts renewed so often: observed, and by both models."""
    found = result.contracts
    if found.problem:
        return Table.nothing("renewal_curve", found.problem)
    curve = found.curve
    # on the scale of log(-log S), so that intervals stay within 0 and 1 (Kalbfleisch & Prentice 1980)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = special.ndtri(0.975) * curve.standard_error / (curve.survival * np.log(curve.survival))
        low, high = (curve.survival ** np.exp(sign * spread) for sign in (-1, 1))
    start = curve.renewals == 0
    frame = pd.DataFrame(
        {
            "term": curve.renewals,
            "at_risk": np.concatenate([[found.customers.sum()], curve.at_risk]),
            "observed": curve.survival,
            "observed_low": np.where(start, 1.0, np.minimum(low, high)),
            "observed_high": np.where(start, 1.0, np.maximum(low, high)),
            "shifted_beta_geometric": found.model.survival(curve.renewals),
            "constant_retention": found.constant.survival(curve.renewals),
        }
    )
    few = frame["at_risk"] < result.settings.min_cell
    hidden = ["at_risk", "observed", "observed_low", "observed_high"]
    frame[hidden] = frame[hidden].mask(few)
    columns = {
        "term": Column("Renewals", digits=0),
        "at_risk": Column("Contracts that came up for it", digits=0),
        "observed": Column("Renewed so often", digits=1, percent=True),
        "observed_low": Column("95 % low", digits=1, percent=True),
        "observed_high": Column("95 % high", digits=1, percent=True),
        "shifted_beta_geometric": Column("If customers differ", digits=1, percent=True),
        "constant_retention": Column("At constant retention", digits=1, percent=True),
    }
    caption = (
        "Share of contracts that were renewed at least so often (Kaplan and Meier, with Greenwood's interval), and by "
        f"both models. A term is {number(found.term_days)} days. Not shown are fewer than "
        f"{result.settings.min_cell} contracts."
    )
    return Table("renewal_curve", frame, caption, columns)


def renewal_parameters(result: Measurement) -> Table:
    """Parameters of both models with intervals."""
    found = result.contracts
    if found.problem:
        return Table.nothing("renewal_parameters", found.problem)
    low, high = found.fit.intervals()
    renewed = float(found.customers @ found.renewals)
    occasions = renewed + float(found.customers @ found.lost)
    share = found.constant.retention
    rows = [
        ("shifted_beta_geometric", *line, found.fit.log_likelihood)
        for line in zip(found.fit.names, found.fit.estimates, found.fit.standard_errors, low, high, strict=True)
    ]
    ends = resampling.percentile(found.constant_draws)
    log_likelihood = special.xlogy(renewed, share) + special.xlogy(occasions - renewed, 1 - share)
    error = float(resampling.standard_error(found.constant_draws))
    rows.append(("constant_retention", "retention", share, error, *map(float, ends), log_likelihood))
    names = ["model", "parameter", "estimate", "standard_error", "low", "high", "log_likelihood"]
    columns = {
        "model": Column("Model", names=MODEL_NAMES),
        "parameter": Column("Parameter"),
        "estimate": Column("Estimate", digits=3),
        "standard_error": Column("Standard error", digits=3),
        "low": Column("95 % low", digits=3),
        "high": Column("95 % high", digits=3),
        "log_likelihood": Column("Log-likelihood", digits=1),
    }
    differ = (
        f" Customers differ by a polarisation of {number(found.model.polarisation, 2)}: 0 where all are alike, 1 where "
        "each stays or leaves for certain."
        if found.tells_differences
        else " How much customers differ is not told by these contracts."
    )
    caption = f"Both models of renewal, of {number(found.customers.sum())} contracts, by term.{differ}"
    return Table("renewal_parameters", pd.DataFrame(rows, columns=names), caption, columns)


def renewal_forecast(result: Measurement) -> Table:
    """How far forecasts from the first renewals were from what followed."""
    found = result.contracts
    held = found.problem or found.hold_out
    if isinstance(held, str):
        return Table.nothing("renewal_forecast", held)
    ahead = int(held.renewals[-1]) - held.fitted_terms
    frame = pd.DataFrame(
        {
            "method": list(held.mean_absolute_error),
            "error": list(held.mean_absolute_error.values()),
            "last_error": [held.last_error[name] for name in held.mean_absolute_error],
            "terms_fitted": held.fitted_terms,
            "terms_held_out": ahead,
        }
    ).sort_values("error", ignore_index=True)
    columns = {
        "method": Column("Forecast by", names=MODEL_NAMES),
        "error": Column("Mean error, of all contracts", digits=1, percent=True),
        "last_error": Column("Forecast less observed in the end", digits=1, percent=True),
    }
    caption = (
        f"Survival forecast from the first {held.fitted_terms} renewals, against the {ahead} that followed: mean "
        "absolute error in points of the contracts at the start."
    )
    return Table("renewal_forecast", frame, caption, columns)


def residual_tenure(result: Measurement) -> Table:
    """Renewals to expect of running contracts by how often they were renewed."""
    found = result.contracts
    if found.problem:
        return Table.nothing("residual_tenure", found.problem)
    gap = found.gap
    if gap is None:
        why = "No contract runs any more." if not found.running.any() else " ".join(found.fit.problems)
        return Table.nothing("residual_tenure", why)
    expected = found.residual(gap.renewals)
    frame = pd.DataFrame(
        {
            "renewals": gap.renewals.astype(int),
            "customers": gap.customers,
            "expected_terms": expected.value,
            "low": expected.low,
            "high": expected.high,
            "constant_terms": gap.constant,
        }
    )
    counts = suppress_small_groups(
        frame[["renewals", "customers"]], "customers", ("renewals",), result.settings.min_cell
    )
    frame["customers"] = pd.to_numeric(counts["customers"])
    columns = {
        "renewals": Column("Renewed so far", digits=0),
        "customers": Column("Contracts that run", digits=0),
        "expected_terms": Column("Renewals ahead, if customers differ", digits=2),
        "low": Column("95 % low", digits=2),
        "high": Column("95 % high", digits=2),
        "constant_terms": Column("At constant retention", digits=2),
    }
    caption = (
        f"Renewals to expect of a contract within {found.horizon_terms} terms of {number(found.term_days)} days, not "
        "discounted. All running contracts together: "
        f"{number(gap.total_heterogeneous)} if customers differ, {number(gap.total_constant)} at constant retention, "
        f"{percent(gap.ratio, 0)} of it."
    )
    return Table("residual_tenure", frame, caption, columns)
