"""How well a covariance model fits, as functions of numbers and of matrices; all of lavaan's conventions.

Every function takes arrays with any leading dimensions (resamples) before those stated. What cannot be known is nan: a
model without degrees of freedom has nothing that could fail to fit, and moments that are not positive definite have
no likelihood.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from .scoring import CovarianceFit, Sample

CLOSE_FIT = 0.05  # RMSEA of a model that fits closely (Browne and Cudeck 1993)
LEVEL = 0.90


@dataclass(frozen=True, eq=False)
class FitIndices:
    """Indices of one fitted model, or of as many as there were samples; each as the function of its name says.

    Parameters
    ----------
    chi_square, p_value : ndarray, shape (...,)
    degrees_of_freedom : int
    baseline_chi_square : ndarray, shape (...,)
        Of the model in which no item has to do with another.
    baseline_degrees_of_freedom : int
    cfi, tli : ndarray, shape (...,)
    rmsea, rmsea_low, rmsea_high, p_close : ndarray, shape (...,)
        With the 90 % interval, and the p-value of the hypothesis that the RMSEA is at most .05.
    srmr : ndarray, shape (...,)
    gfi, agfi : ndarray, shape (...,)
    log_likelihood, unrestricted_log_likelihood, aic, bic : ndarray, shape (...,)
    size : ndarray, shape (...,)
        Respondents of all groups.
    groups : int
    parameters : int
    """

    chi_square: np.ndarray
    degrees_of_freedom: int
    p_value: np.ndarray
    baseline_chi_square: np.ndarray
    baseline_degrees_of_freedom: int
    cfi: np.ndarray
    tli: np.ndarray
    rmsea: np.ndarray
    rmsea_low: np.ndarray
    rmsea_high: np.ndarray
    p_close: np.ndarray
    srmr: np.ndarray
    gfi: np.ndarray
    agfi: np.ndarray
    log_likelihood: np.ndarray
    unrestricted_log_likelihood: np.ndarray
    aic: np.ndarray
    bic: np.ndarray
    size: np.ndarray
    groups: int
    parameters: int


@dataclass(frozen=True, eq=False)
class ScaledIndices:
    """Indices that allow for answers which are not normal, from the scaled statistic; each as in `FitIndices`."""

    chi_square: np.ndarray
    degrees_of_freedom: int
    p_value: np.ndarray
    cfi: np.ndarray
    tli: np.ndarray
    rmsea: np.ndarray
    rmsea_low: np.ndarray
    rmsea_high: np.ndarray
    p_close: np.ndarray


def indices_of(fit: CovarianceFit) -> FitIndices:
    """Return the fit indices of a fitted model."""
    implied = [fit.implied(group) for group in range(fit.structure.groups)]
    means = [part.mean for part in implied] if fit.structure.with_means else ()
    return fit_indices(fit.sample, [part.covariance for part in implied], fit.structure.parameters, means)


def fit_indices(sample: Sample, implied: Sequence, parameters: int, implied_means: Sequence = ()) -> FitIndices:
    """Return the fit indices of a model from what it implies.

    Parameters
    ----------
    sample : Sample
    implied : sequence of array_like, shape (..., items, items)
        The implied covariance matrix of each group.
    parameters : int
        Number of free parameters, those of means included where the sample has means.
    implied_means : sequence of array_like, shape (..., items)
        The implied means of each group, where the sample has means.

    Returns
    -------
    FitIndices
        The adjusted goodness of fit of a model with means is nan: it is defined on covariances.
    """
    items, groups, size = sample.covariance[0].shape[-1], len(sample.covariance), np.asarray(sample.total, float)
    covariances = groups * items * (items + 1) // 2
    df = covariances + (groups * items if sample.mean else 0) - parameters
    unrestricted = log_likelihood(sample, sample.covariance, sample.mean)
    restricted = log_likelihood(sample, implied, implied_means)
    chi_square = 2 * (unrestricted - restricted)
    baseline, baseline_df = baseline_chi_square(sample), groups * items * (items - 1) // 2
    low, high = rmsea_interval(chi_square, df, size, groups)
    goodness = gfi(sample, implied)
    return FitIndices(
        chi_square=chi_square,
        degrees_of_freedom=df,
        p_value=chi_square_p_value(chi_square, df),
        baseline_chi_square=baseline,
        baseline_degrees_of_freedom=baseline_df,
        cfi=cfi(chi_square, df, baseline, baseline_df),
        tli=tli(chi_square, df, baseline, baseline_df),
        rmsea=rmsea(chi_square, df, size, groups),
        rmsea_low=low,
        rmsea_high=high,
        p_close=p_close(chi_square, df, size, groups),
        srmr=srmr(sample, implied, implied_means),
        gfi=goodness,
        agfi=np.full_like(goodness, np.nan) if sample.mean else agfi(goodness, df, covariances),
        log_likelihood=restricted,
        unrestricted_log_likelihood=unrestricted,
        aic=aic(restricted, parameters),
        bic=bic(restricted, parameters, size),
        size=size,
        groups=groups,
        parameters=parameters,
    )


def scaled_indices(indices: FitIndices, scale, baseline_scale) -> ScaledIndices:
    """Return the robust indices, given what the statistics are scaled by.

    Parameters
    ----------
    indices : FitIndices
    scale : array_like, shape (...,)
        Scaling factor of the model's statistic (Satorra and Bentler 1994, or Yuan and Bentler 2000).
    baseline_scale : array_like, shape (...,)
        That of the baseline's.
    """
    statistic, df = indices.chi_square, indices.degrees_of_freedom
    baseline = indices.baseline_chi_square, indices.baseline_degrees_of_freedom
    scaled = scaled_chi_square(statistic, scale)
    low, high = rmsea_interval(statistic, df, indices.size, indices.groups, scale=scale)
    return ScaledIndices(
        chi_square=scaled,
        degrees_of_freedom=df,
        p_value=chi_square_p_value(scaled, df),
        cfi=cfi(statistic, df, *baseline, scale, baseline_scale),
        tli=tli(statistic, df, *baseline, scale, baseline_scale),
        rmsea=rmsea(statistic, df, indices.size, indices.groups, scale),
        rmsea_low=low,
        rmsea_high=high,
        p_close=p_close(statistic, df, indices.size, indices.groups, scale=scale),
    )


# ---- of numbers ----


def chi_square_p_value(chi_square, degrees_of_freedom) -> np.ndarray:
    """Probability of a larger statistic if the model holds; nan without degrees of freedom.

    Parameters
    ----------
    chi_square, degrees_of_freedom : array_like
    """
    return stats.chi2.sf(chi_square, _testable(degrees_of_freedom))


def scaled_chi_square(chi_square, scale) -> np.ndarray:
    """``chi2 / c`` (Satorra and Bentler 1994, in von Eye and Clogg, Latent Variables Analysis, 399-419).

    Parameters
    ----------
    chi_square, scale : array_like
        A scaling factor c that is not positive makes it nan.
    """
    scale = np.asarray(scale, float)
    return np.asarray(chi_square, float) / np.where(scale > 0, scale, np.nan)


def cfi(chi_square, degrees_of_freedom, baseline, baseline_df, scale=1.0, baseline_scale=1.0) -> np.ndarray:
    """Comparative fit index: ``1 - d / max(d_0, d)`` with ``d = max(chi2 - c df, 0)``.

    Bentler (1990, Psychological Bulletin 107, 238-246); with the scaling factors c the robust index of Brosseau-Liard
    and Savalei (2014, Multivariate Behavioral Research 49, 460-470). Between 0 and 1.

    Parameters
    ----------
    chi_square, degrees_of_freedom : array_like
    baseline, baseline_df : array_like
        Statistic and degrees of freedom of the baseline model.
    scale, baseline_scale : array_like, optional
    """
    lack = np.maximum(chi_square - scale * _testable(degrees_of_freedom), 0.0)
    most = np.maximum(baseline - baseline_scale * _testable(baseline_df), lack)
    return 1.0 - np.where(lack > 0, lack / np.where(most > 0, most, 1.0), lack)


def tli(chi_square, degrees_of_freedom, baseline, baseline_df, scale=1.0, baseline_scale=1.0) -> np.ndarray:
    """Tucker-Lewis index: ``1 - (chi2 - c df) / df * df_0 / (chi2_0 - c_0 df_0)``; may leave the range of 0 to 1.

    Tucker and Lewis (1973, Psychometrika 38, 1-10); with scaling factors that of Brosseau-Liard and Savalei (2014).

    Parameters
    ----------
    As in `cfi`.
    """
    df, baseline_df = _testable(degrees_of_freedom), _testable(baseline_df)
    of_baseline = np.asarray(baseline - baseline_scale * baseline_df, float)
    return 1.0 - (chi_square - scale * df) / df * baseline_df / np.where(of_baseline == 0, np.nan, of_baseline)


def rmsea(chi_square, degrees_of_freedom, size, groups: int = 1, scale=1.0) -> np.ndarray:
    """Root mean square error of approximation: ``sqrt(G max(chi2 / (n df) - c / n, 0))``.

    Steiger (1990, Multivariate Behavioral Research 25, 173-180), of G groups Steiger (1998, Structural Equation
    Modeling 5, 411-419); with the scaling factor c the robust one of Brosseau-Liard, Savalei and Li (2012,
    Multivariate Behavioral Research 47, 904-930).

    Parameters
    ----------
    chi_square, degrees_of_freedom : array_like
    size : array_like
        Respondents of all groups; n, not n - 1.
    groups : int
    scale : array_like, optional
    """
    df = _testable(degrees_of_freedom)
    return np.sqrt(groups * np.maximum((chi_square - scale * df) / (df * size), 0.0))


def rmsea_interval(
    chi_square, degrees_of_freedom, size, groups: int = 1, level: float = LEVEL, scale=1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of the interval of the RMSEA: ``sqrt(G c l / (n df))``.

    With l the noncentralities for which the statistic ``chi2 / c`` lies at the upper and at the lower quantile (Browne
    and Cudeck 1993, in Bollen and Long, Testing Structural Equation Models); 0 where there is none.

    Parameters
    ----------
    As in `rmsea`, and
    level : float
    """
    df = _testable(degrees_of_freedom)
    tails = (1 + level) / 2, (1 - level) / 2
    distances = (_noncentrality(scaled_chi_square(chi_square, scale), df, tail) for tail in tails)
    return tuple(np.sqrt(groups * scale * distance / (df * size)) for distance in distances)


def p_close(chi_square, degrees_of_freedom, size, groups: int = 1, close=CLOSE_FIT, scale=1.0) -> np.ndarray:
    """Probability of a larger statistic if the RMSEA is `close` (Browne and Cudeck 1993).

    Parameters
    ----------
    As in `rmsea`, and
    close : float
    """
    df = _testable(degrees_of_freedom)
    scale = np.asarray(scale, float)
    return stats.ncx2.sf(scaled_chi_square(chi_square, scale), df, df * size * close**2 / groups / scale)


def agfi(goodness, degrees_of_freedom, covariances: int) -> np.ndarray:
    """Goodness of fit adjusted for parameters: ``1 - (1 - GFI) p / df``, p variances and covariances.

    Joreskog and Sorbom (1984), LISREL VI.

    Parameters
    ----------
    goodness, degrees_of_freedom : array_like
    covariances : int
        How many variances and covariances of items there are in all groups.
    """
    return 1.0 - (1.0 - np.asarray(goodness, float)) * covariances / _testable(degrees_of_freedom)


def aic(log_likelihood, parameters) -> np.ndarray:
    """Akaike (1974, IEEE Trans. Automatic Control 19, 716-723): ``2 p - 2 log L``; p parameters."""
    return 2.0 * parameters - 2.0 * np.asarray(log_likelihood, float)


def bic(log_likelihood, parameters, size) -> np.ndarray:
    """Schwarz (1978, Annals of Statistics 6, 461-464): ``p log n - 2 log L``; p parameters, n respondents."""
    return parameters * np.log(size) - 2.0 * np.asarray(log_likelihood, float)


# ---- of matrices ----


@np.errstate(invalid="ignore", divide="ignore")
def log_likelihood(sample: Sample, implied: Sequence, implied_means: Sequence = ()) -> np.ndarray:
    """Normal log-likelihood: ``-n/2 (p log 2 pi + log|Sigma| + tr(S Sigma^-1) + d' Sigma^-1 d)``, added over groups.

    With p items and d the distance of the means. With the sample's own moments it is the unrestricted one.

    Parameters
    ----------
    sample : Sample
    implied : sequence of array_like, shape (..., items, items)
    implied_means : sequence of array_like, shape (..., items)
        Just where the sample has means.

    Returns
    -------
    ndarray, shape (...,)
    """
    total = 0.0
    for size, covariance, matrix, away in _by_group(sample, implied, implied_means):
        matrix = _definite(matrix)
        about = covariance + away[..., :, None] * away[..., None, :]
        distance = np.trace(np.linalg.solve(matrix, about), axis1=-2, axis2=-1)
        constant = covariance.shape[-1] * np.log(2 * np.pi)
        total = total - size / 2 * (constant + np.linalg.slogdet(matrix)[1] + distance)
    return total


@np.errstate(invalid="ignore", divide="ignore")
def baseline_chi_square(sample: Sample) -> np.ndarray:
    """Statistic of the model in which items do not covary, each with its own variance: ``-n log|R|``, over groups.

    Parameters
    ----------
    sample : Sample

    Returns
    -------
    ndarray, shape (...,)
    """
    total = 0.0
    for size, covariance in zip(sample.size, sample.covariance, strict=True):
        variance = np.diagonal(_definite(covariance), axis1=-2, axis2=-1)
        total = total + size * (np.log(variance).sum(axis=-1) - np.linalg.slogdet(_definite(covariance))[1])
    return total


@np.errstate(invalid="ignore", divide="ignore")
def srmr(sample: Sample, implied: Sequence, implied_means: Sequence = ()) -> np.ndarray:
    """Standardised root mean square residual, in standard deviations of the sample; of groups the weighted mean.

    Bentler (1995), EQS Structural Equations Program Manual. With means their residuals count too.

    Parameters
    ----------
    As in `log_likelihood`.
    """
    total = 0.0
    for size, covariance, matrix, away in _by_group(sample, implied, implied_means):
        deviation = np.sqrt(np.diagonal(covariance, axis1=-2, axis2=-1))
        residual = (covariance - matrix) / deviation[..., :, None] / deviation[..., None, :]
        squares = residual[..., *np.tril_indices(covariance.shape[-1])] ** 2
        if sample.mean:
            squares = np.concatenate([squares, (away / deviation) ** 2], axis=-1)
        total = total + size / sample.total * np.sqrt(squares.mean(axis=-1))
    return total


@np.errstate(invalid="ignore", divide="ignore")
def gfi(sample: Sample, implied: Sequence) -> np.ndarray:
    """Goodness of fit: ``1 - tr[(Sigma^-1 S - I)^2] / tr[(Sigma^-1 S)^2]``, both traces added over the respondents.

    Tanaka and Huba (1985, British J. Mathematical and Statistical Psychology 38, 197-201, equation for maximum
    likelihood); of covariances alone, also where the model has means.

    Parameters
    ----------
    sample : Sample
    implied : sequence of array_like, shape (..., items, items)
    """
    left, whole = 0.0, 0.0
    for size, covariance, matrix in zip(sample.size, sample.covariance, implied, strict=True):
        ratio = np.linalg.solve(_definite(matrix), covariance)
        left = left + size * _trace_of_square(ratio - np.eye(covariance.shape[-1]))
        whole = whole + size * _trace_of_square(ratio)
    return 1.0 - left / whole


def _by_group(sample: Sample, implied: Sequence, implied_means: Sequence):
    """Yield size, covariance, implied covariance and distance of the means of each group."""
    if len(implied) != len(sample.covariance) or len(implied_means) != len(sample.mean):
        raise ValueError("the model must imply one matrix for each group, and means just where the sample has them.")
    for group, (size, covariance) in enumerate(zip(sample.size, sample.covariance, strict=True)):
        none = np.zeros(covariance.shape[-1])
        away = sample.mean[group] - np.asarray(implied_means[group], float) if sample.mean else none
        yield size, covariance, np.asarray(implied[group], float), away


def _definite(matrix) -> np.ndarray:
    """Return the matrices that are positive definite, nan for the others."""
    matrix = np.asarray(matrix, float)
    finite = np.isfinite(matrix).all(axis=(-2, -1), keepdims=True)
    least = np.linalg.eigvalsh(np.where(finite, matrix, 0.0))[..., :1, None]
    return np.where(least > 0, matrix, np.nan)


def _trace_of_square(matrix) -> np.ndarray:
    return np.einsum("...ij,...ji->...", matrix, matrix)


def _testable(degrees_of_freedom) -> np.ndarray:
    """Return the degrees of freedom where there are any, nan elsewhere."""
    df = np.asarray(degrees_of_freedom, float)
    return np.where(df > 0, df, np.nan)


def _noncentrality(chi_square, degrees_of_freedom, probability: float) -> np.ndarray:
    """Return for which noncentrality a smaller statistic has this probability; 0 where even 0 makes it rarer."""
    found = special.chndtrinc(chi_square, degrees_of_freedom, probability)
    reached = stats.chi2.cdf(chi_square, degrees_of_freedom) >= probability
    return np.where(np.isnan(chi_square + degrees_of_freedom), np.nan, np.where(reached, found, 0.0))
