"""Maximum likelihood for covariance models, for many covariance matrices at once.

Every derivative of the implied covariance matrix by a parameter is a sum of matrices ``u v' + v u'``, with vectors u
and v that the model's matrices hold. So gradient and information are products of small matrices, and a thousand
resamples cost a few batched products (see `_factors`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from helpers.models.satisfaction_index.path_model import total_effects

from .structure import Structure

TOLERANCE = 1e-9  # of the largest derivative of the discrepancy, items in units of their standard deviation
MOST_ITERATIONS = 1000
MOST_HALVINGS = 12
LEAST_EIGENVALUE = 1e-9  # of the information scaled to a unit diagonal: what is smaller is no information at all


@dataclass(frozen=True, eq=False)
class Sample:
    """What a covariance model is fitted to.

    Parameters
    ----------
    covariance : tuple of ndarray, shape (..., items, items)
        One for each group, with the number of respondents as divisor.
    size : tuple of ndarray, shape (...,)
        Respondents of each group.
    mean : tuple of ndarray, shape (..., items), or ()
        One for each group where the model says something of means.
    """

    covariance: tuple[np.ndarray, ...]
    size: tuple[np.ndarray, ...]
    mean: tuple[np.ndarray, ...] = ()

    @classmethod
    def of(cls, covariance, size, mean=None) -> Sample:
        """Return the sample of one group."""
        means = () if mean is None else (np.asarray(mean, float),)
        return cls((np.asarray(covariance, float),), (np.asarray(size, float),), means)

    @property
    def total(self) -> np.ndarray:
        """Return how many respondents there are."""
        return sum(self.size)

    @property
    def leading(self) -> tuple[int, ...]:
        """Return the shape of the resamples."""
        return self.covariance[0].shape[:-2]

    def share(self, group: int) -> np.ndarray:
        """Return the share of a group; nan where there is nobody."""
        with np.errstate(invalid="ignore"):
            return np.divide(self.size[group], self.total)

    def flat(self) -> Sample:
        """Return the same with one leading axis."""
        draws = int(np.prod(self.leading))
        return Sample(
            tuple(part.reshape(draws, *part.shape[-2:]) for part in self.covariance),
            tuple(np.broadcast_to(part, self.leading).reshape(draws) for part in self.size),
            tuple(part.reshape(draws, part.shape[-1]) for part in self.mean),
        )

    def __getitem__(self, draws) -> Sample:
        """Return some of the resamples."""
        parts = (self.covariance, self.size, self.mean)
        return Sample(*(tuple(part[draws] for part in kind) for kind in parts))


@dataclass(frozen=True, eq=False)
class Implied:
    """What the parameters imply for one group.

    Parameters
    ----------
    covariance : ndarray, shape (..., items, items)
    mean : ndarray, shape (..., items)
    construct_covariance : ndarray, shape (..., constructs, constructs)
        Of the constructs themselves, not of their disturbances.
    construct_mean : ndarray, shape (..., constructs)
    reach : ndarray, shape (..., items, constructs)
        What a disturbance of one does to each item, along all ways.
    """

    covariance: np.ndarray
    mean: np.ndarray
    construct_covariance: np.ndarray
    construct_mean: np.ndarray
    reach: np.ndarray
    loadings: np.ndarray

    @classmethod
    def of(cls, structure: Structure, parameters, group: int = 0) -> Implied:
        """Compute them; shape (..., parameters) in."""
        loadings, paths, disturbances, residual, intercepts, means = (
            structure.matrix(name, parameters, group) for name in structure.places
        )
        ways = np.eye(structure.design.constructs) + total_effects(paths)
        covariance = _transposed(ways) @ disturbances @ ways
        construct_mean = (_transposed(ways) @ means)[..., 0]
        return cls(
            loadings @ covariance @ _transposed(loadings) + residual,
            intercepts[..., 0] + np.einsum("...ij,...j->...i", loadings, construct_mean),
            covariance,
            construct_mean,
            loadings @ _transposed(ways),
            loadings,
        )


@dataclass(frozen=True, eq=False)
class CovarianceFit:
    """A fitted covariance model, or as many as there were samples.

    Parameters
    ----------
    structure : Structure
    sample : Sample
    parameters : ndarray, shape (..., parameters)
    discrepancy : ndarray, shape (...,)
        The likelihood-ratio discrepancy F; chi2 is the number of respondents times it, lavaan's ``fmin`` half of it.
    gradient : ndarray, shape (...,)
        Its largest derivative in absolute value, items in units of their standard deviation.
    iterations : ndarray of int, shape (...,)
    converged : ndarray of bool, shape (...,)
        Where it is False, the figures are those of the last iteration, or nan where a sample has no likelihood.
    """

    structure: Structure
    sample: Sample
    parameters: np.ndarray
    discrepancy: np.ndarray
    gradient: np.ndarray
    iterations: np.ndarray
    converged: np.ndarray

    @property
    def chi_square(self) -> np.ndarray:
        """Return the likelihood-ratio statistic."""
        return self.sample.total * self.discrepancy

    def matrix(self, name: str, group: int = 0) -> np.ndarray:
        """Return one of the model's matrices."""
        return self.structure.matrix(name, self.parameters, group)

    def implied(self, group: int = 0) -> Implied:
        """Return the implied moments of a group."""
        return Implied.of(self.structure, self.parameters, group)

    @cached_property
    def information(self) -> np.ndarray:
        """Return the expected information of all respondents, shape (..., parameters, parameters)."""
        each = information(self.structure, self.parameters, self.sample)
        return each * np.asarray(self.sample.total)[..., None, None]

    @cached_property
    def rank(self) -> np.ndarray:
        """Return the rank of the information: below the number of parameters the model is not identified."""
        scale = np.sqrt(np.diagonal(self.information, axis1=-2, axis2=-1))
        with np.errstate(invalid="ignore", divide="ignore"):
            scaled = self.information / (scale[..., :, None] * scale[..., None, :])
        return (np.linalg.eigvalsh(np.nan_to_num(scaled)) > LEAST_EIGENVALUE).sum(axis=-1)

    @cached_property
    def covariance_of_parameters(self) -> np.ndarray:
        """Return the inverse of the information; nan where the model is not identified."""
        identified = self.rank == self.structure.parameters
        safe = np.where(identified[..., None, None], self.information, np.eye(self.structure.parameters))
        return np.where(identified[..., None, None], np.linalg.inv(safe), np.nan)

    @property
    def standard_error(self) -> np.ndarray:
        """Return the standard errors of normal theory, shape (..., parameters)."""
        with np.errstate(invalid="ignore"):
            return np.sqrt(np.diagonal(self.covariance_of_parameters, axis1=-2, axis2=-1))


def fit(
    structure: Structure, sample: Sample, start=None, tolerance: float = TOLERANCE, most_iterations=MOST_ITERATIONS
) -> CovarianceFit:
    """Fit by Fisher scoring, then by quasi-Newton steps that begin with the information.

    Parameters
    ----------
    structure : Structure
    sample : Sample
    start : array_like, shape (parameters,) or (..., parameters), optional
        Where to begin; by default at moments of sums of items.
    tolerance : float
        The iteration ends when no derivative of the discrepancy is larger, items in units of their standard deviation.
    most_iterations : int

    Returns
    -------
    CovarianceFit
        Variances may be negative, as the likelihood wants them: a bound would hide that the model does not hold.

    Raises
    ------
    ValueError
        When the sample has another number of items or groups than the structure.
    """
    _check(structure, sample)
    flat, units = _standardised(sample.flat())
    possible = _has_likelihood(flat)
    draws = len(possible)
    parameters = np.full((draws, structure.parameters), np.nan)
    discrepancy, gradient = np.full(draws, np.nan), np.full(draws, np.nan)
    iterations, converged = np.zeros(draws, int), np.zeros(draws, bool)
    scale = _parameter_units(structure, units)
    if possible.any():
        rows = np.flatnonzero(possible)
        beginning = moment_start(structure, flat[rows]) if start is None else _given(start, draws, rows, scale)
        search = _Search(structure, flat[rows], beginning)
        search.run(tolerance, most_iterations)
        parameters[rows] = search.parameters * scale[rows]
        discrepancy[rows], gradient[rows] = search.value + _least(flat[rows]), np.abs(search.slope).max(axis=1)
        iterations[rows], converged[rows] = search.iterations, search.converged(tolerance)
    shapes = (parameters, discrepancy, gradient, iterations, converged)
    return CovarianceFit(structure, sample, *(part.reshape(sample.leading + part.shape[1:]) for part in shapes))


def discrepancy(structure: Structure, parameters, sample: Sample) -> np.ndarray:
    """Return the discrepancy ``sum_g n_g / n (log|Sigma| + tr(S Sigma^-1) - log|S| - items + d' Sigma^-1 d)``.

    With d the distance of the means; inf where an implied covariance matrix is not positive definite.

    Parameters
    ----------
    structure : Structure
    parameters : array_like, shape (..., parameters)
    sample : Sample

    Returns
    -------
    ndarray, shape (...,)
    """
    return _evaluated(structure, np.asarray(parameters, float), sample)[0] + _least(sample)


def gradient(structure: Structure, parameters, sample: Sample) -> np.ndarray:
    """Return the derivatives of the discrepancy by the parameters, shape (..., parameters); as in `discrepancy`."""
    return _evaluated(structure, np.asarray(parameters, float), sample)[1]


def information(structure: Structure, parameters, sample: Sample) -> np.ndarray:
    """Return the expected information of one respondent, half the expected second derivative of the discrepancy.

    ``1/2 tr(Sigma^-1 dSigma Sigma^-1 dSigma) + dmu' Sigma^-1 dmu``, weighted by the shares of the groups.

    Parameters
    ----------
    structure : Structure
    parameters : array_like, shape (..., parameters)
    sample : Sample
        For its shares.

    Returns
    -------
    ndarray, shape (..., parameters, parameters)
    """
    total = 0.0
    for group in range(structure.groups):
        implied = Implied.of(structure, parameters, group)
        first, second, shift, numbers = _factors(structure, implied, group)
        inverse = _inverse(implied.covariance)
        with_first, with_second = inverse @ first, inverse @ second
        one, other = _transposed(first) @ with_first, _transposed(second) @ with_second
        mixed = _transposed(first) @ with_second
        each = one * other + mixed * _transposed(mixed)
        if structure.with_means:
            each = each + _transposed(shift) @ inverse @ shift
        by_row = _of_parameters(each, numbers, structure.parameters)
        both = _transposed(_of_parameters(_transposed(by_row), numbers, structure.parameters))
        total = total + np.asarray(sample.share(group))[..., None, None] * both
    return total


def derivatives(structure: Structure, parameters, group: int = 0) -> np.ndarray:
    """Return the derivatives of a group's implied moments: means (if modelled), then the covariance's lower half.

    Parameters
    ----------
    structure : Structure
    parameters : array_like, shape (parameters,)
    group : int

    Returns
    -------
    ndarray, shape (items + items (items + 1) / 2 or without the first term, parameters)
        The lower half runs row by row.
    """
    implied = Implied.of(structure, parameters, group)
    first, second, shift, numbers = _factors(structure, implied, group)
    product = first[:, None, :] * second[None, :, :]
    lower = (product + product.swapaxes(0, 1))[np.tril_indices(structure.design.items)]
    rows = np.vstack([shift, lower]) if structure.with_means else lower
    return _of_parameters(rows, numbers, structure.parameters)


def moment_start(structure: Structure, sample: Sample) -> np.ndarray:
    """Return parameters to begin with, from the moments of sums of items; shape (..., parameters).

    A loading is the item's covariance with the other items of its construct beside that of the first item; constructs
    covary as sums of their items do.
    """
    values = np.zeros((*sample.leading, structure.parameters))
    for group in reversed(range(structure.groups)):  # the first group has the last word on what is equal
        for name, matrix in _start_matrices(structure, sample, group).items():
            places = structure.places[name][group]
            where = places >= 0
            values[..., places[where]] = matrix[..., where]
    return values


def _start_matrices(structure: Structure, sample: Sample, group: int) -> dict[str, np.ndarray]:
    design, side = structure.design, _sides(structure, sample.covariance[group])
    covariance = sample.covariance[group] * side[..., :, None] * side[..., None, :]
    variance = np.diagonal(covariance, axis1=-2, axis2=-1)
    member = design.membership
    with_sums = covariance @ member
    own = np.take_along_axis(with_sums, np.broadcast_to(design.block[:, None], (*variance.shape, 1)), axis=-1)[..., 0]
    with_others = own - variance
    count = member.sum(axis=0)
    first = np.array([np.flatnonzero(design.block == construct)[0] for construct in range(design.constructs)])
    base = np.where(np.abs(with_others[..., first]) < 0.05, 0.05, with_others[..., first])
    loading = np.clip(with_others / base[..., design.block], -3.0, 3.0)
    loading = np.where(count[design.block] == 1, 1.0, loading)
    between = np.swapaxes(with_sums, -1, -2) @ member  # of sums of items
    spread = np.sqrt(np.diagonal(between, axis1=-2, axis2=-1))
    correlation = between / (spread[..., :, None] * spread[..., None, :])
    of_construct = np.where(count == 1, variance[..., first], 0.5 * variance[..., first])
    deviation = np.sqrt(of_construct)
    constructs = correlation * deviation[..., :, None] * deviation[..., None, :]
    paths, disturbances = _start_paths(design, constructs)
    residual = np.maximum(variance - loading**2 * of_construct[..., design.block], 0.2 * variance)
    means = sample.mean[group] if structure.with_means else np.zeros(variance.shape)
    return {
        "loadings": (side * loading)[..., None] * member,
        "paths": paths,
        "construct_covariance": disturbances,
        "residual_covariance": residual[..., None] * np.eye(design.items),
        "intercepts": means[..., None],
        "construct_means": np.zeros((*sample.leading, design.constructs, 1)),
    }


def _sides(structure: Structure, covariance) -> np.ndarray:
    """Return 1 for items that go with the first of their construct, -1 for those that go against it."""
    block, side = structure.design.block, np.ones(covariance.shape[:-1])
    for construct in range(structure.design.constructs):
        items = np.flatnonzero(block == construct)
        main = np.linalg.eigh(covariance[..., items[:, None], items])[1][..., -1]
        side[..., items] = np.where(main * main[..., :1] < 0, -1.0, 1.0)
    return side


def _start_paths(design, constructs) -> tuple[np.ndarray, np.ndarray]:
    """Regressions between constructs, and what they leave; ridged, since these are only to begin with."""
    paths, disturbances = np.zeros_like(constructs), constructs.copy()
    for target in design.targets:
        sources = design.sources(target)
        among = constructs[..., sources[:, None], sources]
        ridge = 0.05 * np.eye(len(sources)) * np.diagonal(among, axis1=-2, axis2=-1)[..., None, :]
        right = constructs[..., sources, target]
        paths[..., sources, target] = np.linalg.solve(among + ridge, right[..., None])[..., 0]
        explained = (paths[..., sources, target] * right).sum(axis=-1)
        disturbances[..., target, :] = disturbances[..., :, target] = 0.0
        whole = constructs[..., target, target]
        disturbances[..., target, target] = np.maximum(whole - explained, 0.1 * whole)
    return paths, disturbances


# --- one evaluation -----------------------------------------------------------------------------------------


def _evaluated(structure: Structure, parameters: np.ndarray, sample: Sample) -> tuple[np.ndarray, np.ndarray]:
    """Discrepancy, but for what the sample alone decides (`_least`), and its gradient."""
    value, slope = 0.0, 0.0
    for group in range(structure.groups):
        implied, covariance = Implied.of(structure, parameters, group), sample.covariance[group]
        log_determinant, inverse = _log_determinant(implied.covariance), _inverse(implied.covariance)
        away = sample.mean[group] - implied.mean if structure.with_means else np.zeros(covariance.shape[-1])
        about = covariance + away[..., :, None] * away[..., None, :]
        fitted = inverse @ about
        trace = np.trace(fitted, axis1=-2, axis2=-1)
        share = np.asarray(sample.share(group))
        value = value + share * (log_determinant + trace)
        weight = inverse - fitted @ inverse
        pull = np.einsum("...ij,...j->...i", inverse, away)
        by_entry, numbers = _slopes(structure, implied, weight, pull, group)
        slope = slope + share[..., None] * _of_parameters(by_entry, numbers, structure.parameters)
    return value, slope


def _least(sample: Sample) -> np.ndarray:
    """What the discrepancy would be without, for a model that fits: so it is 0 there."""
    parts = (
        sample.share(group) * (np.linalg.slogdet(covariance)[1] + covariance.shape[-1])
        for group, covariance in enumerate(sample.covariance)
    )
    return -sum(parts)


def _slopes(structure: Structure, implied: Implied, weight, pull, group: int) -> tuple[np.ndarray, np.ndarray]:
    """Derivatives of one group's discrepancy by its entries, and the numbers of their parameters."""
    with_constructs = weight @ implied.loadings @ implied.construct_covariance
    pulled = np.einsum("...ij,...i->...j", implied.reach, pull)
    of_disturbances = _transposed(implied.reach) @ weight @ implied.reach
    mean = implied.construct_mean
    matrices = {
        "loadings": 2 * (with_constructs - pull[..., :, None] * mean[..., None, :]),
        "paths": 2 * (_transposed(with_constructs) @ implied.reach - mean[..., :, None] * pulled[..., None, :]),
        "construct_covariance": _doubled(of_disturbances),
        "residual_covariance": _doubled(weight),
        "intercepts": -2 * pull[..., None],
        "construct_means": -2 * pulled[..., None],
    }
    parts, numbers = [], []
    for name, (rows, columns, of_parameters) in _where(structure, group).items():
        parts.append(matrices[name][..., rows, columns])
        numbers.append(of_parameters)
    return np.concatenate(parts, axis=-1), np.concatenate(numbers)


def _factors(structure: Structure, implied: Implied, group: int):
    """Vectors u and v of each entry, ``dSigma = u v' + v u'``, the derivative of the mean, and the parameters' numbers.

    A loading moves its item along what its construct shares with the items; a path, what the source shares with them
    along the reach of the target; a covariance its two ends.
    """
    items = np.eye(structure.design.items)
    shared = implied.loadings @ implied.construct_covariance  # of items with constructs
    mean = implied.construct_mean
    first, second, shift, numbers = [], [], [], []
    leading = implied.covariance.shape[:-2]

    def add(u, v, moved):
        first.append(np.broadcast_to(u, (*leading, *u.shape[-2:])))
        second.append(np.broadcast_to(v, (*leading, *v.shape[-2:])))
        shift.append(np.broadcast_to(moved, (*leading, *moved.shape[-2:])))

    for name, (rows, columns, of_parameters) in _where(structure, group).items():
        numbers.append(of_parameters)
        half = np.where(rows == columns, 0.5, 1.0)
        none = np.zeros((len(items), len(rows)))
        if name == "loadings":
            add(items[:, rows], shared[..., columns], items[:, rows] * mean[..., None, columns])
        elif name == "paths":
            add(implied.reach[..., columns], shared[..., rows], implied.reach[..., columns] * mean[..., None, rows])
        elif name == "construct_covariance":
            add(implied.reach[..., rows] * half, implied.reach[..., columns], none)
        elif name == "residual_covariance":
            add(items[:, rows] * half, items[:, columns], none)
        elif name == "intercepts":
            add(none, none, items[:, rows])
        else:
            add(none, none, implied.reach[..., rows])
    joined = (np.concatenate(parts, axis=-1) for parts in (first, second, shift))
    return *joined, np.concatenate(numbers)


def _where(structure: Structure, group: int) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Rows, columns and numbers of one group's free places, matrix by matrix."""
    found = {}
    for name in structure.places:
        own = [entry for entry in structure.entries if entry.group == group and entry.matrix == name]
        if own:
            rows, columns = (np.array([getattr(entry, side) for entry in own]) for side in ("row", "column"))
            found[name] = rows, columns, structure.places[name][group, rows, columns]
    return found


def _of_parameters(by_entry: np.ndarray, numbers: np.ndarray, parameters: int) -> np.ndarray:
    """Sums over the entries of each parameter; shape (..., entries) in, (..., parameters) out."""
    everyone = np.arange(parameters)
    if np.array_equal(numbers, everyone):  # one group, where each parameter has one entry: nothing to sum
        return by_entry
    return by_entry @ (numbers[:, None] == everyone).astype(float)


def _doubled(symmetric: np.ndarray) -> np.ndarray:
    """Derivatives by the lower half: what is not on the diagonal stands twice."""
    return symmetric * (2.0 - np.eye(symmetric.shape[-1]))


def _transposed(matrices: np.ndarray) -> np.ndarray:
    return np.swapaxes(matrices, -1, -2)


def _inverse(matrices: np.ndarray) -> np.ndarray:
    try:
        return np.linalg.inv(matrices)
    except np.linalg.LinAlgError:  # one of them is singular: its evaluation is inf all the same
        return np.linalg.pinv(matrices)


def _log_determinant(matrices: np.ndarray) -> np.ndarray:
    """Of each matrix; inf where it is not positive definite."""
    try:
        lower = np.linalg.cholesky(matrices)
    except np.linalg.LinAlgError:
        finite = np.isfinite(matrices).all(axis=(-1, -2))
        values = np.linalg.eigvalsh(np.where(finite[..., None, None], matrices, -np.eye(matrices.shape[-1])))
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where((values > 0).all(axis=-1), np.log(np.abs(values)).sum(axis=-1), np.inf)
    return 2 * np.log(np.diagonal(lower, axis1=-2, axis2=-1)).sum(axis=-1)


# --- the search ---------------------------------------------------------------------------------------------


class _Search:
    """Quasi-Newton steps (BFGS) of many samples at once; each leaves the work when it is done."""

    # From moments, the information changes much at first; from another sample's optimum it hardly does.
    SCORING_STEPS = 6
    SUFFICIENT = 1e-4

    def __init__(self, structure: Structure, sample: Sample, start: np.ndarray):
        self.structure, self.sample = structure, sample
        self.parameters = start
        self.value, self.slope = _evaluated(structure, start, sample)
        self.iterations = np.zeros(len(start), int)
        self.stuck = ~np.isfinite(self.value)

    def converged(self, tolerance: float) -> np.ndarray:
        with np.errstate(invalid="ignore"):
            return np.isfinite(self.value) & (np.abs(self.slope).max(axis=1) <= tolerance)

    def run(self, tolerance: float, most_iterations: int) -> None:
        inverse = np.zeros((len(self.parameters), *2 * (self.structure.parameters,)))
        fresh = np.zeros(len(self.parameters), bool)  # whose inverse is that of the information here
        for iteration in range(most_iterations):
            rows = np.flatnonzero(~self.converged(tolerance) & ~self.stuck)
            if not rows.size:
                return
            anew = rows[fresh[rows]] if iteration > self.SCORING_STEPS else rows
            if anew.size:
                inverse[anew] = self._inverse_information(anew)
                fresh[anew] = False
            self._step(rows, inverse, fresh)

    def _step(self, rows, inverse, fresh) -> None:
        slope = self.slope[rows] / 2  # the information is that of half the discrepancy
        direction = -np.einsum("dij,dj->di", inverse[rows], slope)
        moved, value, new_slope = self._line_search(rows, direction, slope)
        failed = ~np.isfinite(value)
        # what fails by the information itself cannot be helped; otherwise it is tried next
        self.stuck[rows[failed & fresh[rows]]] = True
        fresh[rows[failed]] = True
        self.iterations[rows] += 1
        rows, moved, value, new_slope, slope = (part[~failed] for part in (rows, moved, value, new_slope, slope))
        step, turned = moved - self.parameters[rows], new_slope / 2 - slope
        inverse[rows] = _updated(inverse[rows], step, turned)
        self.parameters[rows], self.value[rows], self.slope[rows] = moved, value, new_slope

    def _line_search(self, rows, direction, slope):
        moved = self.parameters[rows] + direction
        value, new_slope = np.full(len(rows), np.inf), np.zeros_like(slope)
        open_, length = np.arange(len(rows)), 1.0
        promised = 2 * (direction * slope).sum(axis=1)
        for _ in range(MOST_HALVINGS):
            moved[open_] = self.parameters[rows[open_]] + length * direction[open_]
            found, found_slope = _evaluated(self.structure, moved[open_], self.sample[rows[open_]])
            before = self.value[rows[open_]]
            slack = 1e-13 * (1 + np.abs(before))
            good = found <= before + self.SUFFICIENT * length * promised[open_] + slack
            value[open_[good]], new_slope[open_[good]] = found[good], found_slope[good]
            open_, length = open_[~good], length / 2
            if not open_.size:
                break
        return moved, value, new_slope

    def _inverse_information(self, rows) -> np.ndarray:
        matrices = information(self.structure, self.parameters[rows], self.sample[rows])
        scale = np.sqrt(np.maximum(np.diagonal(matrices, axis1=1, axis2=2), 1e-12))
        scaled = matrices / (scale[:, :, None] * scale[:, None, :])
        # a direction without information is walked slowly, not for ever
        inverse = np.linalg.inv(scaled + 1e-6 * np.eye(self.structure.parameters))
        return inverse / (scale[:, :, None] * scale[:, None, :])


def _updated(inverse, step, turned):
    """BFGS: the inverse that carries `turned` to `step`; as it was where the curvature is not positive."""
    curvature = (step * turned).sum(axis=1)
    usable = curvature > 1e-14 * np.linalg.norm(step, axis=1) * np.linalg.norm(turned, axis=1)
    factor = np.where(usable, 1 / np.where(usable, curvature, 1.0), 0.0)[:, None]
    carried = np.einsum("dij,dj->di", inverse, turned)
    along = factor * (1 + factor * (carried * turned).sum(axis=1, keepdims=True))
    left = along * step - factor * carried
    return inverse + left[:, :, None] * step[:, None, :] - (factor * step)[:, :, None] * carried[:, None, :]


# --- units, and what can be fitted at all -------------------------------------------------------------------


def _check(structure: Structure, sample: Sample) -> None:
    items = structure.design.items
    if len(sample.covariance) != structure.groups or len(sample.size) != structure.groups:
        raise ValueError(f"the sample must have {structure.groups} groups, not {len(sample.covariance)}.")
    if any(part.shape[-2:] != (items, items) for part in sample.covariance):
        raise ValueError(f"covariances must be of the structure's {items} items.")
    if structure.with_means and len(sample.mean) != structure.groups:
        raise ValueError("the structure says something of means, and the sample has none.")


def _standardised(sample: Sample) -> tuple[Sample, np.ndarray]:
    """The sample in units of the items' standard deviations within groups, and these units; shape (draws, items)."""
    variances = sum(
        sample.share(group)[:, None] * np.diagonal(part, axis1=1, axis2=2)
        for group, part in enumerate(sample.covariance)
    )
    units = np.sqrt(np.where(variances > 0, variances, np.nan))
    covariance = tuple(part / (units[:, :, None] * units[:, None, :]) for part in sample.covariance)
    return Sample(covariance, sample.size, tuple(part / units for part in sample.mean)), units


def _parameter_units(structure: Structure, units: np.ndarray) -> np.ndarray:
    """By what a parameter in standardised units is multiplied; shape (draws, parameters)."""
    design = structure.design
    first = np.array([np.flatnonzero(design.block == construct)[0] for construct in range(design.constructs)])
    of_constructs = units[:, first]  # a construct has the unit of its first item
    by_matrix = {
        "loadings": lambda row, column: units[:, row] / of_constructs[:, column],
        "paths": lambda row, column: of_constructs[:, column] / of_constructs[:, row],
        "construct_covariance": lambda row, column: of_constructs[:, row] * of_constructs[:, column],
        "residual_covariance": lambda row, column: units[:, row] * units[:, column],
        "intercepts": lambda row, column: units[:, row],
        "construct_means": lambda row, column: of_constructs[:, row],
    }
    return np.stack([by_matrix[at.matrix](at.row, at.column) for at in structure.first_entries], axis=1)


def _has_likelihood(sample: Sample) -> np.ndarray:
    """Which samples have positive definite covariances in every group."""
    possible = np.ones(len(sample.size[0]), bool)
    for part in sample.covariance:
        finite = np.isfinite(part).all(axis=(1, 2))
        values = np.linalg.eigvalsh(np.where(finite[:, None, None], part, 0.0))
        possible &= finite & (values[:, 0] > 1e-10)
    return possible


def _given(start, draws: int, rows, scale) -> np.ndarray:
    start = np.broadcast_to(np.asarray(start, float).reshape(-1, scale.shape[1]), (draws, scale.shape[1]))
    return start[rows] / scale[rows]
