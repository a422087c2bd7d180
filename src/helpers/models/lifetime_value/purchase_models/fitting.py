"""What fitting a purchase model has in common, whichever it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from helpers.models.fit import Fit, Objective, checked_columns, counted_rows, fit_of, in_words, maximise, spread_sample

TIMES = ("alpha", "beta")  # parameters that are times; all others are pure numbers
LARGEST_BLOCK = 2_000_000  # numbers that a pass over the rows may hold at once


def fit_histories(
    names: tuple[str, ...],
    build: Callable[..., object],
    objective_of: Callable[..., Objective],
    starts_of: Callable[[float], Sequence[Sequence[float]]],
    explain: Callable[[object, dict[str, str]], str],
    frequency,
    recency,
    T,
    weights=None,
) -> Fit:
    """Fit a purchase model by maximum likelihood on the distinct histories.

    Parameters
    ----------
    names : tuple of str
        Parameters in the order of `objective_of`'s log parameters; alpha and beta are times.
    build : callable
        `build(**parameters)` -> the model.
    objective_of : callable
        (frequency, recency, T, weights) of distinct histories -> mean log-likelihood by log parameters.
    starts_of : callable
        Repeat purchases per customer and unit of time -> starting points (parameters, not their logs).
    explain : callable
        (model, {parameter: "grows" or "shrinks"}) -> what a likelihood that rises for ever means, in words.
    frequency, recency, T : array_like, shape (n,)
        Histories; identical rows are grouped here.
    weights : array_like, shape (n,), optional
        Number of customers with this row; 1 by default.

    Returns
    -------
    Fit

    Raises
    ------
    ValueError
        No customers, no repeat purchase at all, or rows that no history can give: missing or negative values,
        recency beyond T, a recency without repeat purchases, a frequency that is not whole.
    """
    *history, counts = checked_history(frequency, recency, T, weights)
    (x, t_x, age), weights = counted_rows(*history, weights=None if weights is None else counts)
    repeaters = weights[x > 0].sum()
    if not repeaters:
        raise ValueError("No customer bought again: without a repeat purchase nothing can be estimated.")

    # times are taken in units of the longest history: so the optimum does not depend on theirs
    log_units = np.log([age.max() if name in TIMES else 1.0 for name in names])

    def objective_on(rows, customers) -> Objective:
        objective = objective_of(x[rows], t_x[rows], age[rows], customers)
        return lambda log_parameters: objective(log_parameters + log_units)

    rate = weights @ x / (weights @ age) * age.max()
    starts = [np.log(start) for start in starts_of(rate)]
    sample = spread_sample(weights)
    rough = None if sample is None else objective_on(*sample)
    # repeat purchases at the moment of the first leave the likelihood without a bound, so that no maximum is clear
    set_apart_by = 0.0 if np.any((x > 0) & (t_x == 0)) else weights.sum()
    optimum = maximise(objective_on(slice(None), weights), starts, rough, set_apart_by)

    parameters = map(float, np.exp(optimum.log_parameters + log_units))
    model = build(**dict(zip(names, parameters, strict=True)))
    total = optimum.value * weights.sum()
    return fit_of(model, names, optimum, total, weights.sum(), repeaters, lambda runaway: explain(model, runaway))


def checked_history(frequency, recency, T, weights=None) -> tuple[np.ndarray, ...]:
    """Return frequency, recency, T and weights as arrays of one length.

    Raises
    ------
    ValueError
        Rows that no history can give, with their rule and the first row numbers.
    """
    columns = checked_columns(weights, frequency=frequency, recency=recency, T=T)
    frequency, recency, T, _ = columns
    for rule, broken in (
        ("recency lies beyond T", recency > T),
        ("recency is positive without a repeat purchase", (frequency == 0) & (recency > 0)),
        ("frequency is not a whole number", frequency != np.floor(frequency)),
    ):
        if broken.any():
            rows = ", ".join(map(str, np.flatnonzero(broken)[:5]))
            raise ValueError(f"In {broken.sum()} rows {rule} (first rows: {rows}).")
    if not T.max() > 0:
        raise ValueError("Every customer was first seen at the very end of observation: T is 0 throughout.")
    return columns


def runaway_in_words(runaway: dict[str, str], dropout: tuple[str, ...], limit: str) -> str:
    """Say what it means that the likelihood keeps rising while parameters grow or shrink.

    Parameters
    ----------
    runaway : dict of str to str
        Parameter -> "grows" or "shrinks".
    dropout : tuple of str
        The parameters of dropout; all others are of the purchase rates.
    limit : str
        What customers do in the limit: "nobody ever leaves".
    """
    of_dropout = {name: whither for name, whither in runaway.items() if name in dropout}
    of_rates = {name: whither for name, whither in runaway.items() if name not in dropout}
    sentences = []
    if of_dropout:
        sentences.append(
            f"Dropout is not identified: the likelihood keeps rising as {in_words(of_dropout)}, towards a model in "
            f"which {limit}; take {' and '.join(dropout)}, and what rests on them, as unknown."
        )
    if of_rates:
        sentences.append(
            "The spread of purchase rates is not identified: the likelihood keeps rising as "
            f"{in_words(of_rates)}; take r and alpha as unknown."
        )
    return " ".join(sentences)


def log_of_sum(log_terms, gradients, hessians) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logarithm of a sum of positive terms, with derivatives, from those of the terms' logarithms.

    With shares s_i of the terms, the gradient is the mean of the g_i under s, the Hessian the mean of H_i plus the
    covariance of the g_i.

    Parameters
    ----------
    log_terms : ndarray, shape (m, n)
        Logarithms of m terms for n rows; -infinity for a term of 0.
    gradients : ndarray, shape (m, k, n)
        Of the logarithms by k parameters.
    hessians : ndarray, shape (m, k, k, n)
        May have length 1 where it does not vary.

    Returns
    -------
    value, gradient, hessian : ndarray, shapes (n,), (k, n), (k, k, n)
    """
    highest = log_terms.max(axis=0)
    shares = np.exp(log_terms - highest)
    total = shares.sum(axis=0)
    shares /= total
    gradient = np.einsum("mn,mkn->kn", shares, gradients)
    spread = gradients - gradient
    curvature = np.broadcast_to(hessians, (*gradients.shape[:2], *gradients.shape[1:]))
    hessian = np.einsum("mn,mkln->kln", shares, curvature)
    hessian = hessian + np.einsum("mkn,mln->kln", shares[:, None] * spread, spread)
    return highest + np.log(total), gradient, hessian


def in_blocks(rows: int, numbers_per_row: int) -> list[slice]:
    """Cut so many rows into slices that a pass over each holds at most `LARGEST_BLOCK` numbers."""
    size = max(1, LARGEST_BLOCK // max(numbers_per_row, 1))
    return [slice(start, start + size) for start in range(0, rows, size)]


def poisson_times(rate, length, rng) -> tuple[np.ndarray, np.ndarray]:
    """Times of Poisson processes of so many rates, each watched for so long from 0.

    Given their number, the times of a Poisson process are uniform.

    Parameters
    ----------
    rate, length : array_like, shape (n,)
        Events per unit of time, and the units of time watched.
    rng : numpy.random.Generator

    Returns
    -------
    process : ndarray of int, shape (m,)
        Sorted.
    time : ndarray, shape (m,)
        Increasing within a process.
    """
    length = np.asarray(length, float)
    process = np.repeat(np.arange(len(length)), rng.poisson(rate * length))
    # the whole part of the key keeps each time with its process, so one sort does for all
    key = np.sort(process + rng.random(len(process)))
    return process, (key - process) * length[process]


def rank_within(group: np.ndarray) -> np.ndarray:
    """Number the members of each group 0, 1, 2 ...; `group` is sorted."""
    first = np.flatnonzero(np.diff(group, prepend=-1))
    return np.arange(len(group)) - np.repeat(first, np.diff(first, append=len(group)))
