"""The covariance model: its gate and fit, its paths beside those of PLS, what might be freed, how far groups agree."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from helpers.exhibits import Column, Table, number
from helpers.models.satisfaction_index.covariance_model.modification import modification_indices
from helpers.models.satisfaction_index.covariance_model.semopy_peer import StoppedShort

from ..covariance.judgement import TEXTS
from ..measurement import Measurement
from .parts import directions, interval_columns, path_row, plain_number

ESTIMATOR = "ml"
STOPPED = "Stopped by its gate: not to be used"
METHODS = {
    "complete": "no gaps",
    "two_stage": "gaps completed by the model of the answers, two-stage ML",
    "listwise": "of those who answered everything",
}
Z = stats.norm.ppf(0.975)
MOST_MODIFICATIONS = 15
AT_OPTIMUM = 1e-8  # of the fit function
CUSTOMS = {
    "p_value": "below .05 the model departs from the data by more than chance; large samples reject any model",
    "cfi": "from .95 on good (Hu and Bentler 1999), below .90 poor (Bentler and Bonett 1980)",
    "tli": "as CFI",
    "rmsea": "up to .05 close, up to .08 reasonable (Browne and Cudeck 1993)",
    "srmr": "up to .08 good (Hu and Bentler 1999)",
    "gfi": "describes; no limit is used here",
    "agfi": "describes; no limit is used here",
}
MEASURES = {
    "chi_square": "Chi-square",
    "degrees_of_freedom": "Degrees of freedom",
    "p_value": "p of the chi-square",
    "cfi": "CFI",
    "tli": "TLI",
    "rmsea": "RMSEA",
    "rmsea_low": "RMSEA, 90 % low",
    "rmsea_high": "RMSEA, 90 % high",
    "p_close": "p of close fit (RMSEA up to .05)",
    "srmr": "SRMR",
    "gfi": "GFI",
    "agfi": "AGFI",
    "log_likelihood": "Log-likelihood",
    "aic": "AIC",
    "bic": "BIC",
}
RULE = (
    "A level fails where CFI falls by more than .01 or RMSEA rises by more than .015 (Cheung and Rensvold 2002; Chen "
    "2007) and chance does not explain it."
)
OF_LEVELS = ("chi_square", "degrees_of_freedom", "p_value", "cfi", "tli", "rmsea", "srmr", "aic", "bic")
CANDIDATES = {"residual_covariance": "residuals of two items covary", "loadings": "item also loads on"}


def covariance_tables(result: Measurement) -> list[Table]:
    """Return every table of the covariance model."""
    made = [gate(result)]
    why = result.covariance.why_not or "it did not reach an optimum"
    for name, make in SHOWN.items():
        known = result.covariance.estimated
        made.append(make(result) if known else Table.nothing(name, f"There is no covariance model: {why}."))
    return [*made, invariance(result)]


def label_of(result: Measurement) -> str:
    """Return what must stand on numbers of a model that the gate stops; "" where it lets them pass."""
    return STOPPED if result.judgement.verdict == "inadmissible" else ""


# --- the gate -----------------------------------------------------------------------------------------------


def gate(result: Measurement) -> Table:
    """What must hold before a path of the covariance model is believed, what failed first."""
    lines = [
        {
            "check": finding.name,
            "severity": finding.severity,
            "value": finding.value,
            "low": finding.low,
            "high": finding.high,
            "limit": finding.limit,
            "meaning": TEXTS[finding.name].rule,
            "follows": result.judgement.said(finding),
        }
        for finding in result.judgement.ordered
    ]
    columns = {
        "check": Column("Check", names={name: text.title for name, text in TEXTS.items()}),
        "severity": Column("Verdict", names=SEVERITIES),
        "value": Column("Value"),
        "said": Column("What has to hold, or what follows where it does not"),
    }
    frame = pd.DataFrame(lines)
    values = [_value(row.value, row.low, row.high, row.check in P_VALUES) for row in frame.itertuples()]
    view = frame.assign(value=values, said=frame["follows"].where(frame["follows"] != "", frame["meaning"]))
    caption = (
        "The gate of the covariance model: what stops its paths, what asks for caution, what holds. The limits are "
        "customs, named in the method."
    )
    return Table("gate", frame, caption, columns, view)


P_VALUES = ("normality", "sphericity", "exact_fit")
SEVERITIES = {"stops": "stops", "cautions": "caution", "holds": "holds", "unknown": "cannot be told"}


def _value(value: float, low: float, high: float, is_p_value: bool) -> str:
    text = plain_number(value, is_p_value)
    return f"{text} ({number(low, 3)} to {number(high, 3)})" if np.isfinite(low) and np.isfinite(high) else text


def gate_rows(result: Measurement) -> pd.DataFrame:
    """Return the gate's findings as rows of the table of what has to hold."""
    holds = {"holds": "yes", "stops": "no", "cautions": "no"}
    lines = [
        (f.name, holds.get(f.severity, "unknown"), f.value, TEXTS[f.name].rule, ESTIMATOR)
        for f in result.judgement.findings
    ]
    return pd.DataFrame(lines, columns=["check", "holds", "value", "meaning", "estimator"])


# --- fit ----------------------------------------------------------------------------------------------------


def fit_rows(result: Measurement) -> pd.DataFrame:
    """Return the rows of the fit table that are of the covariance model, by normal theory ("ml") and robust ("mlm")."""
    found = result.covariance
    if not found.estimated:
        return pd.DataFrame({"estimator": [], "measure": [], "value": []})
    lines = [
        (estimator, name, float(getattr(indices, name)))
        for estimator, indices in ((ESTIMATOR, found.indices), ("mlm", found.scaled))
        for name in MEASURES
        if hasattr(indices, name)
    ]
    more = {
        "respondents": found.answers.size,
        "parameters": found.structure.parameters,
        "fmin": float(found.fit.discrepancy) / 2,
        "largest_derivative": float(found.fit.gradient),
        "semopy_short_by": found.short.discrepancy / 2 if found.short else np.nan,
    }
    lines += [(ESTIMATOR, name, float(value)) for name, value in more.items()]
    return pd.DataFrame(lines, columns=["estimator", "measure", "value"])


def covariance_fit(result: Measurement) -> Table:
    """Fit indices, by normal theory and robust."""
    rows = fit_rows(result)
    frame = rows[rows["measure"].isin(MEASURES)].pivot(index="measure", columns="estimator", values="value")
    frame = frame.reindex(list(MEASURES)).reset_index().assign(custom=lambda rows: rows["measure"].map(CUSTOMS))
    is_p_value = frame["measure"].str.startswith("p_")
    shown = {name: list(map(plain_number, frame[name], is_p_value)) for name in (ESTIMATOR, "mlm")}
    view = frame.assign(**shown)
    columns = {
        "measure": Column("Measure", names=MEASURES),
        ESTIMATOR: Column("Normal theory"),
        "mlm": Column("Robust (MLM)"),
        "custom": Column("How it is read"),
    }
    found = result.covariance
    caption = (
        f"Fit of the covariance model of {number(len(found.answers.values))} respondents "
        f"({METHODS[found.answers.method]}), {found.structure.parameters} parameters. {_of_semopy(found.short)}"
    )
    file, view = (rows.fillna({"custom": ""}) for rows in (frame, view))
    return Table("covariance_fit", file, caption, columns, view, label_of(result))


def _of_semopy(short: StoppedShort | None) -> str:
    if short is None:
        return "Fitted by our own scoring."
    if not np.isfinite(short.discrepancy):
        return "semopy found no estimate; what is shown is our own optimum."
    if short.discrepancy / 2 < AT_OPTIMUM:
        return "semopy stopped at the optimum."
    return (
        f"semopy stopped {short.discrepancy / 2:.0e} above the smallest fit function, a parameter up to "
        f"{number(short.standard_errors, 1)} standard errors away; what is shown is at the optimum."
    )


# --- paths --------------------------------------------------------------------------------------------------


def path_rows(result: Measurement) -> pd.DataFrame:
    """Return the rows of the paths table that are of the covariance model."""
    found = result.covariance
    if not found.estimated:
        return pd.DataFrame()
    raw, error = found.fit.matrix("paths"), np.sqrt(np.abs(np.diagonal(found.robust_covariance)))
    lines = []
    for path in result.model.paths:
        place = tuple(result.constructs.index(name) for name in (path.source, path.target))
        estimate, spread = float(raw[place]), float(error[found.structure.number("paths", *place)])
        standardised, ends = float(found.solution.paths[place]), (estimate - Z * spread, estimate + Z * spread)
        lines.append(path_row(result, path, ESTIMATOR, estimate, standardised, spread, *ends))
    return directions(pd.DataFrame(lines), stopped=bool(label_of(result)))


def covariance_paths(result: Measurement) -> Table:
    """Paths of the covariance model, standardised, with what resamples say of them, beside those of PLS."""
    found, lines = result.covariance, []
    draws = found.resamples
    for path in result.model.paths:
        place = tuple(result.constructs.index(name) for name in (path.source, path.target))
        line = {
            "source": path.source,
            "target": path.target,
            "source_label": result.named(path.source),
            "target_label": result.named(path.target),
            "standardised": float(found.solution.paths[place]),
            "normal_error": float(found.normal_errors.paths[place]),
            "robust_error": float(found.errors.paths[place]),
            "pls": float(result["paths"].value[place]),
        }
        lines.append(line | spread_of(None if draws is None else draws.paths[(slice(None), *place)]))
    frame = pd.DataFrame(lines)
    columns = {
        "source_label": Column("From"),
        "target_label": Column("To"),
        "standardised": Column("Path", "standardised", 3),
        "normal_error": Column("Standard error, normal theory", digits=3),
        "robust_error": Column("robust", digits=3),
    }
    if draws is not None:
        columns |= {
            "draws_deviation": Column("of resamples", digits=3),
            "draws_spread": Column("of resamples, outliers apart", digits=3),
            **interval_columns("95 % of resamples", digits=3),
        }
    columns["pls"] = Column("Path by PLS", digits=3)
    caption = f"Paths of the covariance model, standardised. {_of_resamples(result)}"
    return Table("covariance_paths", frame, caption, columns, label=label_of(result))


def spread_of(draws: np.ndarray | None) -> dict[str, float]:
    """Return how draws spread: deviation, the same from the middle half, and the ends of 95 % of them."""
    known = np.zeros(0) if draws is None else draws[np.isfinite(draws)]
    if len(known) < 2:
        return dict.fromkeys(("draws_deviation", "draws_spread", "low", "high"), np.nan)
    low, first, third, high = np.quantile(known, [0.025, 0.25, 0.75, 0.975])
    deviation = float(known.std(ddof=1))
    return {
        "draws_deviation": deviation,
        "draws_spread": float((third - first) / (2 * stats.norm.ppf(0.75))),
        "low": float(low),
        "high": float(high),
    }


def _of_resamples(result: Measurement) -> str:
    draws = result.covariance.resamples
    if draws is None and label_of(result):
        return "Its gate stops it, so that it was not fitted to resamples."
    if draws is None:
        return "With gaps completed by the model of the answers, the robust errors allow for the gaps (two-stage ML)."
    return (
        f"Of {len(draws.paths)} resamples {number(100 * draws.lost)} % have no optimum that is found; the figures are "
        'of the others. "Outliers apart" is the spread of the middle half: where it is far below the other, a few '
        "resamples decide that one."
    )


def agreement(result: Measurement) -> Table:
    """What goes with satisfaction by PLS and by the covariance model: total effects, side by side."""
    found, target = result.covariance, result.satisfaction
    acting = np.flatnonzero(result.fit.total_effects[:, target] != 0)
    effects = result["total_effects"][acting, target]
    low, high = effects.interval(result.settings.interval)
    by_likelihood = found.solution.standardised_total_effects[acting, target]
    ends = _ends_of_effects(result, acting)
    drawn = np.abs(found.effects[:, acting, target])
    drawn = drawn[np.isfinite(drawn).all(axis=1)]
    frame = pd.DataFrame(
        {
            "construct": [result.constructs[number_] for number_ in acting],
            "label": [result.named(result.constructs[number_]) for number_ in acting],
            "pls": effects.value,
            "pls_low": low,
            "pls_high": high,
            "ml": by_likelihood,
            "ml_low": ends[0],
            "ml_high": ends[1],
            "ml_first": np.bincount(drawn.argmax(axis=1), minlength=len(acting)) / max(len(drawn), 1),
        }
    )
    for name in ("pls", "ml"):
        frame[f"{name}_rank"] = frame[name].abs().rank(ascending=False, method="min").astype("Int64")
    columns = {
        "label": Column("Construct"),
        "pls": Column("Total effect, PLS", "standardised", 3),
        "pls_low": Column("95 % low", digits=3),
        "pls_high": Column("95 % high", digits=3),
        "pls_rank": Column("Rank, PLS", digits=0),
        "ml": Column("Total effect, covariance model", "standardised", 3),
        "ml_low": Column("95 % low, covariance model", digits=3),
        "ml_high": Column("95 % high, covariance model", digits=3),
        "ml_rank": Column("Rank, covariance model", digits=0),
        "ml_first": Column("First in draws, covariance model", digits=0, percent=True),
    }
    caption = (
        f"Total effects on {result.named(result.model.satisfaction)}, in standard deviations. PLS takes sums of items "
        "for the constructs, errors and all, so that its effects tend to be smaller. Intervals are of "
        "resamples; where the covariance model is not fitted to any, of its robust errors."
    )
    return Table("agreement", frame, caption, columns, label=label_of(result))


def _ends_of_effects(result: Measurement, acting: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of the 95 % intervals of the total effects on satisfaction."""
    found, target = result.covariance, result.satisfaction
    if found.resamples is not None:
        draws = found.resamples.total_effects[:, acting, target]
        return tuple(np.nanquantile(draws, [0.025, 0.975], axis=0))
    middle, error = (part.standardised_total_effects[acting, target] for part in (found.solution, found.errors))
    return middle - Z * error, middle + Z * error


def covariance_effects(result: Measurement) -> Table:
    """Total and indirect effects, with errors by the delta method."""
    found, lines, paths = result.covariance, [], result.design.paths
    ways = np.linalg.inv(np.eye(len(paths)) - paths) - np.eye(len(paths))  # how many lead from one to the other
    for source, target in np.argwhere(ways > 0.5).tolist():
        lines.append(
            {
                "source": result.constructs[source],
                "target": result.constructs[target],
                "source_label": result.named(result.constructs[source]),
                "target_label": result.named(result.constructs[target]),
                "total": float(found.solution.total_effects[source, target]),
                "total_error": float(found.errors.total_effects[source, target]),
                "indirect": float(found.solution.indirect_effects[source, target]),
                "indirect_error": float(found.errors.indirect_effects[source, target]),
                "standardised": float(found.solution.standardised_total_effects[source, target]),
            }
        )
    columns = {
        "source_label": Column("From"),
        "target_label": Column("To"),
        "total": Column("Total effect", "answer points", 3),
        "total_error": Column("Standard error", digits=3),
        "indirect": Column("of it through others", "answer points", 3),
        "indirect_error": Column("Standard error, through others", digits=3),
        "standardised": Column("Total effect", "standardised", 3),
    }
    caption = (
        "Effects along all ways in the covariance model, in points of the first item of each construct; robust errors "
        "by the delta method."
    )
    return Table("covariance_effects", pd.DataFrame(lines), caption, columns, label=label_of(result))


def covariance_loadings(result: Measurement) -> Table:
    """Loadings of the covariance model: what the items measure, errors apart."""
    found, design = result.covariance, result.design
    own = (np.arange(design.items), design.block)
    loading, error = found.solution.loadings[own], found.errors.loadings[own]
    alone = np.bincount(design.block)[design.block] == 1
    error = np.where(alone, np.nan, error)  # fixed, not estimated without error
    frame = pd.DataFrame(
        {
            "item": result.items,
            "label": [result.named(name) for name in result.items],
            "construct": [result.constructs[block] for block in design.block],
            "raw": found.fit.matrix("loadings")[own],
            "loading": loading,
            "standard_error": error,
            "low": loading - Z * error,
            "high": loading + Z * error,
            "r_squared": found.solution.item_r_squared,
            "residual_variance": np.diagonal(found.fit.matrix("residual_covariance")),
            "weight": found.loading_weights,
        }
    )
    columns = {
        "item": Column("Item"),
        "label": Column("What it asks"),
        "construct": Column("Construct", names=result.model.labels),
        "loading": Column("Loading", "standardised", 3),
        "standard_error": Column("Robust standard error", digits=3),
        **interval_columns("95 %", digits=3),
        "r_squared": Column("Explained by the construct", digits=3),
        "residual_variance": Column("Residual variance", digits=3),
        "weight": Column("Weight in the index by SEM loadings", digits=3),
    }
    caption = (
        "Loadings of the covariance model. The only item of a construct is taken as free of error. A negative residual "
        "variance is no measurement: the model does not hold."
    )
    return Table("covariance_loadings", frame, caption, columns, label=label_of(result))


def modifications(result: Measurement) -> Table:
    """What would lower chi-square most, were it free; with the warning not to chase it."""
    found = modification_indices(result.covariance.fit)
    lines = []
    for at, statistic, change in zip(found.candidates, found.statistic, found.standardised_change, strict=True):
        names = result.constructs if at.matrix == "loadings" else result.items
        lines.append(
            {
                "item": result.items[at.row],
                "item_label": result.named(result.items[at.row]),
                "what": at.matrix,
                "other": names[at.column],
                "other_label": result.named(names[at.column]),
                "statistic": float(statistic),
                "p_value": float(stats.chi2.sf(statistic, 1)),
                "standardised_change": float(change),
            }
        )
    if not lines:
        return Table.nothing("modification_indices", "There is nothing that could be freed and still be told.")
    frame = pd.DataFrame(lines)
    columns = {
        "item_label": Column("Item"),
        "what": Column("Were it free that", names=CANDIDATES),
        "other_label": Column("Item or construct"),
        "statistic": Column("chi-square would fall by", digits=1),
        "standardised_change": Column("to a correlation or loading of", digits=2),
    }
    caption = (
        f"Where the model departs from the answers most, the first {min(MOST_MODIFICATIONS, len(frame))} of "
        f"{number(len(frame))}. Do not chase these: a model changed until it fits these answers fits no others "
        "(MacCallum et al. 1992). They name pairs of questions worth reading again."
    )
    view, label = frame.head(MOST_MODIFICATIONS), label_of(result)
    return Table("modification_indices", frame, caption, columns, view, label)


# --- groups -------------------------------------------------------------------------------------------------


def invariance(result: Measurement) -> Table:
    """How far groups answer the questions alike."""
    kinds = result.comparability
    said = " ".join(found.sentence for found in kinds.values())
    lines = [
        {
            "groups": kind,
            "level": level.name,
            **{name: float(getattr(level.indices, name)) for name in OF_LEVELS},
            **{f"robust_{name}": float(getattr(level.scaled, name)) for name in ("chi_square", "cfi", "rmsea")},
            "chi_square_difference": level.chi_square_difference,
            "difference_degrees_of_freedom": level.difference_degrees_of_freedom,
            "difference_p_value": level.difference_p_value,
            "cfi_change": level.cfi_change,
            "rmsea_change": level.rmsea_change,
            "holds": "no" if not level.holds else "as a whole" if level.doubtful else "yes",
        }
        for kind, found in kinds.items()
        for level in found.levels
    ]
    if not lines:
        return Table.nothing("invariance", said or "The survey names no two segments or waves that can be shown.")
    columns = {
        "groups": Column("Between"),
        "level": Column("Equal", names=LEVEL_NAMES),
        "robust_chi_square": Column("Chi-square, robust", digits=1),
        "degrees_of_freedom": Column("Degrees of freedom", digits=0),
        "robust_cfi": Column("CFI", digits=3),
        "robust_rmsea": Column("RMSEA", digits=3),
        "chi_square_difference": Column("Chi-square more than the line above", digits=1),
        "difference_p_value": Column("p", digits=3, least=0.001),
        "cfi_change": Column("CFI, change", digits=3),
        "rmsea_change": Column("RMSEA, change", digits=3),
        "bic": Column("BIC", digits=0),
        "holds": Column("Holds"),
    }
    return Table("invariance", pd.DataFrame(lines), f"{said} {RULE}", columns)


LEVEL_NAMES = {
    "configural": "which item measures what",
    "metric": "and loadings",
    "scalar": "and intercepts",
    "strict": "and residual variances",
}
SHOWN = {
    "covariance_fit": covariance_fit,
    "covariance_paths": covariance_paths,
    "agreement": agreement,
    "covariance_effects": covariance_effects,
    "covariance_loadings": covariance_loadings,
    "modification_indices": modifications,
}
