"""Latent classes: respondents who answer alike, found from the answers, and whether only their style is different.

A latent class model (Lazarsfeld and Henry 1968, Latent Structure Analysis) says that respondents belong to a few
classes, that nobody told us which, and that within a class the answers to different requirements are independent. It
is fitted by the EM algorithm (Dempster, Laird and Rubin 1977, JRSS B 39, 1-38), which climbs to the next summit of the
likelihood and not to the highest, so that it starts many times. How many classes there are is chosen by BIC (Schwarz
1978, Annals of Statistics 6, 461-464): a choice, not a test, and no proof that the classes exist.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse, special

from helpers.models.resampling import blocks

from .evaluation import CLASSES, MISSING, counts

FITTERS = ("helpers", "stepmix")
MOST = 5
STARTS = 20
TOLERANCE = 1e-5  # of the log-likelihood, from one step to the next
MOST_STEPS = 5000
LEAP = 4.0  # how far a start may leap at first, in steps, and by what this grows and shrinks
ALIKE = 0.1  # of the log-likelihood: BIC would differ by 0.2, of which nothing can be concluded
SMALLEST = 1e-300  # stands for a probability of 0 where its logarithm is taken


@dataclass(frozen=True, eq=False)
class LatentClasses:
    """Latent classes of respondents, the largest first.

    Attributes
    ----------
    tried : ndarray of int, shape (tries,)
        Numbers of classes; ends early where the data cannot carry more.
    log_likelihood, bic : ndarray, shape (tries,)
        The best of all starts; the lower the BIC the better.
    parameters : ndarray of int, shape (tries,)
        How many are free.
    converged : ndarray of bool, shape (tries,)
        Whether the best start came to rest.
    reached : ndarray, shape (tries,)
        Share of starts that ended as high as the best one. If it is small, better classes may have been missed.
    chosen : int
        Number of classes of the least BIC.
    shares : ndarray, shape (chosen,)
        Of respondents.
    profiles : ndarray, shape (chosen, requirements, 6)
        Probability that a member gives each class of `CLASSES`; nan for a requirement that nobody answered.
    memberships : ndarray, shape (respondents, chosen)
        Posterior probability of each class; nan for who answered nothing.
    certainty : float
        Mean of each respondent's largest posterior probability: how many would be put into the right class.
    relative_entropy : float
        1 if every respondent's class is known, 0 if nothing is known of any (Ramaswamy, DeSarbo, Reibstein and Robinson
        1993, Marketing Science 12, 103-124); nan for one class.
    n : int
        Respondents who answered anything.
    """

    tried: np.ndarray
    log_likelihood: np.ndarray
    bic: np.ndarray
    parameters: np.ndarray
    converged: np.ndarray
    reached: np.ndarray
    chosen: int
    shares: np.ndarray
    profiles: np.ndarray
    memberships: np.ndarray
    certainty: float
    relative_entropy: float
    n: int


def fit(
    classes,
    *,
    most: int = MOST,
    starts: int = STARTS,
    seed: int = 1,
    fitted_by: str = "helpers",
    done: Callable[[int], object] | None = None,
) -> LatentClasses:
    """Find latent classes in the classes of `evaluation.classify`, their number chosen by BIC.

    Missing answers say nothing: the likelihood is that of the answers given (missing at random). Respondents who
    answered alike are one row with a count, which leaves the likelihood as it is. The order of respondents and of
    requirements changes nothing, unless two requirements have the same counts.

    A number of classes is tried while it has no more free parameters than there are respondents, or than the shares of
    all possible rows of answers could determine, and no more classes than there are different rows.

    Parameters
    ----------
    classes : array_like of int, shape (respondents, requirements)
        Places in `CLASSES`, or `MISSING`.
    most : int
        Largest number of classes to try.
    starts : int
        Random starts for each number of classes.
    seed : int
        Same seed, same result.
    fitted_by : str
        "helpers": all starts at once in NumPy. "stepmix": by the package StepMix (Morin, Legault, Laliberté, Bakk,
        Giguère, de la Sablonnière and Lacourse 2025, J. Statistical Software 113(8)), independent and slow.
    done : callable, optional
        Called with how many starts have ended since the last call: ``most * starts`` in all, if everything is tried.

    Returns
    -------
    LatentClasses

    Raises
    ------
    ValueError
        Fewer than 2 respondents with answers, codes that are no classes, nothing to try, no fitter of this name.
    """
    classes = np.asarray(classes)
    _check(classes, most, starts, fitted_by)
    answers = _Answers.of(classes)
    fits = []
    for number in range(1, most + 1):
        if not answers.can_carry(number):
            break
        rng = np.random.default_rng([seed, number])
        search = _by_stepmix if fitted_by == "stepmix" else _by_helpers
        fits.append(search(answers, number, starts if number > 1 else 1, rng, done or (lambda ended: None)))
        if done and number == 1 < starts:
            done(starts - 1)  # one is enough where there is one summit
    tried = np.arange(1, len(fits) + 1)
    likelihood = np.array([found.log_likelihood.max() for found in fits])
    parameters = np.array([answers.parameters(number) for number in tried])
    bic = parameters * np.log(answers.n) - 2 * likelihood
    best = int(bic.argmin())
    shares, profiles, memberships = _ordered(answers, fits[best])
    known = memberships[np.isfinite(memberships[:, 0])]
    return LatentClasses(
        tried,
        likelihood,
        bic,
        parameters,
        np.array([found.converged for found in fits]),
        np.array([(found.log_likelihood > found.log_likelihood.max() - ALIKE).mean() for found in fits]),
        best + 1,
        shares,
        profiles,
        memberships,
        float(known.max(axis=1).mean()),
        _relative_entropy(known),
        answers.n,
    )


VERDICTS = ("style", "wants", "both", "cannot be told")
# Share from which differences are said to be of one kind: twice as much of it as of the other. In simulated surveys
# whose respondents differ in style alone the share lies above 0.8, in wants alone below 0.35.
MOSTLY = 2 / 3
FEWEST_REQUIREMENTS = 4  # with 3, one in eight pairs of classes whose wants differ at random would look like style


@dataclass(frozen=True, eq=False)
class ResponseStyle:
    """How far classes differ in their style of answering, whatever the requirement.

    Attributes
    ----------
    share : float
        Of what the classes differ by, what is the same for all requirements; nan for one class.
    by_class : ndarray, shape (chosen,)
        The same of what each class differs by from everyone.
    verdict : str
        "style" from `MOSTLY` on, "wants" where the rest is as much, "both" in between; "cannot be told" with fewer
        than `FEWEST_REQUIREMENTS`; "" for one class.
    neutral, extreme : ndarray, shape (chosen,)
        Share of the members' answers that are neutral, and that are like it or dislike it; nan without answers.
    neutral_explained, extreme_explained : float
        How much of the variance of these shares between respondents is between classes (correlation ratio): near 0
        where classes have nothing to do with style.
    """

    share: float
    by_class: np.ndarray
    verdict: str
    neutral: np.ndarray
    extreme: np.ndarray
    neutral_explained: float
    extreme_explained: float


def response_style(found: LatentClasses, functional=None, dysfunctional=None) -> ResponseStyle:
    """Tell whether classes want different things, or only answer in different styles.

    Some people call everything neutral, others like or dislike everything. Their classes are nearer to A, O, M, I, R
    or Q whatever is asked. So the profiles are compared with those of a log-linear model without the interaction of
    class, requirement and answer (Bishop, Fienberg and Holland 1975, Discrete Multivariate Analysis, chapter 3): in it
    each class multiplies the odds of an answer by the same factor for all requirements. The information that an answer
    gives about the class (Kullback and Leibler 1951, Annals of Mathematical Statistics 22, 79-86) is the sum of what
    this model keeps, which is counted as style, and of what it loses, which is wants.

    People who care for nothing at all, and people who give neutral answers to everything, give the same answers: no
    survey of this kind can tell them apart, and both count as style. With few requirements the share says little: if
    wants differ at random it is 0.6 for 2 requirements on average, 0.3 for 4 and 0.2 for 8.

    Parameters
    ----------
    found : LatentClasses
    functional, dysfunctional : array_like, shape (respondents, requirements), optional
        Positions 1 to 5 of the respondents of `found`; nan: no answer.

    Returns
    -------
    ResponseStyle

    Raises
    ------
    ValueError
        Answers of other respondents or requirements than those of `found`.
    """
    shape = len(found.memberships), found.profiles.shape[1]
    if functional is None or dysfunctional is None:
        answers = np.full((*shape, 2), np.nan)
    elif np.shape(functional) != shape or np.shape(dysfunctional) != shape:
        raise ValueError(f"Answers must be those of {shape[0]} respondents to {shape[1]} requirements.")
    else:
        answers = np.stack([np.asarray(functional, float), np.asarray(dysfunctional, float)], axis=-1)
    style, wants = _information(found.shares, found.profiles)
    share = float(_share(style.sum(), style.sum() + wants.sum())) if found.chosen > 1 else np.nan
    neutral, neutral_explained = _between_classes(answers, (3,), found.memberships)
    extreme, extreme_explained = _between_classes(answers, (1, 5), found.memberships)
    return ResponseStyle(
        share,
        _share(style, style + wants),
        _verdict(share, int(np.isfinite(found.profiles[0, :, 0]).sum())),
        neutral,
        extreme,
        neutral_explained,
        extreme_explained,
    )


# --- the answers ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Answers:
    """Distinct rows of answers, in an order of their own.

    Parameters
    ----------
    rows : ndarray of int, shape (rows, columns)
    often : ndarray, shape (rows,)
    of_respondent : ndarray of int, shape (respondents,)
        Number of the row; -1 for who answered nothing.
    columns : ndarray of int, shape (columns,)
        Which requirements these are; without those that nobody answered.
    requirements : int
    """

    rows: np.ndarray
    often: np.ndarray
    of_respondent: np.ndarray
    columns: np.ndarray
    requirements: int

    @classmethod
    def of(cls, classes: np.ndarray) -> _Answers:
        given = counts(classes)
        columns = np.lexsort(given.T)
        columns = columns[given[columns].sum(axis=1) > 0]
        answered = (classes != MISSING).any(axis=1)
        rows, place, often = np.unique(
            classes[np.ix_(answered, columns)], axis=0, return_inverse=True, return_counts=True
        )
        of_respondent = np.full(len(classes), -1)
        of_respondent[answered] = place.ravel()
        return cls(rows, often.astype(float), of_respondent, columns, classes.shape[1])

    @property
    def n(self) -> int:
        return int(self.often.sum())

    @property
    def indicators(self) -> np.ndarray:
        """Return 1 where the row has this class, shape (rows, columns * 6 + 1); 1 in the last column, of the shares."""
        given = (self.rows[:, :, None] == np.arange(len(CLASSES))).reshape(len(self.rows), -1)
        return np.column_stack([given, np.ones(len(given))])

    @property
    def _kinds(self) -> np.ndarray:
        return (counts(self.rows) > 0).sum(axis=1)

    def parameters(self, number: int) -> int:
        """Count the free parameters of so many classes; what nobody answered has none."""
        return int(number * (self._kinds - 1).sum() + number - 1)

    def can_carry(self, number: int) -> bool:
        possible_rows = math.prod(self._kinds.tolist())
        return number == 1 or (number <= len(self.rows) and self.parameters(number) <= min(self.n, possible_rows - 1))


# --- the search ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Fit:
    """All starts' log-likelihoods, and the best start's shares (k,), profiles (columns * 6, k) and convergence."""

    log_likelihood: np.ndarray
    shares: np.ndarray
    profiles: np.ndarray
    converged: bool


def _by_helpers(answers: _Answers, number: int, starts: int, rng: np.random.Generator, done) -> _Fit:
    """Climb from many starts at once by the EM algorithm, with leaps; each leaves when it has come to rest.

    Two steps of the algorithm tell how far the next ones would lead, and the start leaps there (Varadhan and Roland
    2008, Scandinavian J. Statistics 35, 335-353, scheme S3). One that lands lower goes back and leaps less far.
    """
    indicators = sparse.csr_array(answers.indicators)
    weighted = sparse.csr_array((answers.indicators * answers.often[:, None]).T)

    def step(probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        posterior, found = _expect(indicators, probabilities)
        return answers.often @ found, _maximise(weighted, posterior)

    likelihood, settled = np.full(starts, -np.inf), np.zeros(starts, bool)
    ended = np.empty((indicators.shape[1], number, starts))
    first = 0
    for together in blocks(starts, len(answers.rows) * number):
        going = np.arange(first, first := first + together)
        posterior = rng.dirichlet(np.ones(number), (together, len(answers.rows))).transpose(1, 2, 0)
        here = safe = _maximise(weighted, posterior)
        farthest = np.full(together, LEAP)
        for _ in range(MOST_STEPS // 3):
            height, once = step(here)
            fell = height < likelihood[going]
            if fell.any():
                here[..., fell] = safe[..., fell]
                height[fell], once[..., fell] = step(safe[..., fell])
                farthest[fell] = np.maximum(farthest[fell] / LEAP, LEAP)
            likelihood[going], safe = step(once)
            ended[..., going] = once
            rests = settled[going] = likelihood[going] - height < TOLERANCE
            if rests.any():
                done(int(rests.sum()))
                going, farthest = going[~rests], farthest[~rests]
                here, once, safe = (found[..., ~rests] for found in (here, once, safe))
            if not len(going):
                break
            landed, farthest = _leap(here, once, safe, farthest)
            _, here = step(landed)
        else:
            done(len(going))
    best = likelihood.argmax()
    return _Fit(likelihood, ended[-1, :, best], ended[:-1, :, best], bool(settled[best]))


def _maximise(weighted, posterior: np.ndarray) -> np.ndarray:
    """Return the probabilities (cells + 1, k, starts) that are most likely if these are the members."""
    rows, *shape = posterior.shape
    members = (weighted @ posterior.reshape(rows, -1)).reshape(-1, *shape)
    return _adding_up(members)


def _adding_up(probabilities: np.ndarray) -> np.ndarray:
    """Divide by the sum over the classes of each requirement, and over the latent classes in the last row."""
    of_answers = probabilities[:-1].reshape(-1, len(CLASSES), *probabilities.shape[1:])
    of_answers /= np.maximum(of_answers.sum(axis=1, keepdims=True), SMALLEST)
    probabilities[-1] /= probabilities[-1].sum(axis=0)
    return probabilities


def _leap(here: np.ndarray, once: np.ndarray, twice: np.ndarray, farthest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where the steps lead, and how far each start may leap next time; further if it leapt as far as it might.

    No probability falls below a tenth of what the second step gave: from 0 no step leads back.
    """
    change = once - here
    bend = twice - once - change
    far = np.sqrt((change**2).sum(axis=(0, 1)) / np.maximum((bend**2).sum(axis=(0, 1)), SMALLEST)).clip(1, farthest)
    landed = np.maximum(here + 2 * far * change + far**2 * bend, twice / 10)
    return _adding_up(landed), np.where(far < farthest, farthest, LEAP * farthest)


def _expect(indicators, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each row's posterior of the classes (rows, k, starts), and its log-likelihood (rows, starts)."""
    logarithms = np.log(np.maximum(probabilities, SMALLEST))
    joint = (indicators @ logarithms.reshape(len(logarithms), -1)).reshape(-1, *probabilities.shape[1:])
    top = joint.max(axis=1)
    joint -= top[:, None]
    np.exp(joint, out=joint)
    total = joint.sum(axis=1)
    joint /= total[:, None]
    return joint, np.log(total) + top


def _by_stepmix(answers: _Answers, number: int, starts: int, rng: np.random.Generator, done) -> _Fit:
    """Let StepMix fit each start by itself: of several at once it does not say which of them converged."""
    from stepmix.stepmix import StepMix  # takes seconds to import

    indicators = answers.indicators[:, :-1]
    indicators[np.repeat(answers.rows == MISSING, len(CLASSES), axis=1)] = np.nan
    measured = {"integer_codes": False, "max_n_outcomes": len(CLASSES), "total_outcomes": indicators.shape[1]}
    likelihood, best = [], None
    for start in rng.integers(2**31, size=starts).tolist():
        model = StepMix(
            number,
            measurement="categorical_nan" if np.isnan(indicators).any() else "categorical",
            measurement_params=measured,
            abs_tol=TOLERANCE / answers.n,
            max_iter=MOST_STEPS,
            random_state=start,
            progress_bar=0,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it did not converge is in the result
            model.fit(indicators, sample_weight=answers.often)
        likelihood.append(np.nan_to_num(model.score(indicators, sample_weight=answers.often), nan=-np.inf) * answers.n)
        best = model if likelihood[-1] >= max(likelihood) else best
        done(1)
    found = best.get_parameters()
    return _Fit(np.array(likelihood), found["weights"], found["measurement"]["pis"].T, bool(best.converged_))


# --- what was found ------------------------------------------------------------------------------------------


def _ordered(answers: _Answers, found: _Fit) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return shares, profiles and memberships, the largest class first, for all requirements and respondents."""
    posterior, _ = _expect(answers.indicators, np.vstack([found.profiles, found.shares])[..., None])
    order = np.lexsort([*found.profiles, -found.shares])
    profiles = np.full((len(order), answers.requirements, len(CLASSES)), np.nan)
    profiles[:, answers.columns] = found.profiles.T[order].reshape(len(order), -1, len(CLASSES))
    memberships = posterior[:, order, 0][answers.of_respondent]
    memberships[answers.of_respondent < 0] = np.nan
    return found.shares[order], profiles, memberships


def _relative_entropy(memberships: np.ndarray) -> float:
    respondents, number = memberships.shape
    if number == 1:
        return np.nan
    unknown = -(memberships * np.log(np.maximum(memberships, SMALLEST))).sum()
    return float(1 - unknown / (respondents * np.log(number)))


# --- style ---------------------------------------------------------------------------------------------------


def _information(shares: np.ndarray, profiles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what sets each class apart for all requirements alike, and what does beyond that; in nats, shape (k,)."""
    joint = shares[:, None, None] * profiles[:, np.isfinite(profiles[0, :, 0])]
    everyone = shares[:, None, None] * joint.sum(axis=0)
    return _divergence(alike := _alike(joint, everyone), everyone), _divergence(joint, alike)


def _alike(joint: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Fit the table of all pairwise margins, by iterative proportional fitting (Deming and Stephan 1940)."""
    fitted = start
    for _ in range(MOST_STEPS):
        before = fitted
        for axis in range(3):
            fitted = fitted * _share(joint.sum(axis=axis, keepdims=True), fitted.sum(axis=axis, keepdims=True), 0.0)
        if np.abs(fitted - before).max() < 1e-10:
            break
    return fitted


def _divergence(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return special.rel_entr(one, np.where(one > 0, other, 1)).sum(axis=(1, 2))


def _share(part, whole, undefined: float = np.nan) -> np.ndarray:
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1), undefined)


def _verdict(share: float, requirements: int) -> str:
    style, wants, both, unknown = VERDICTS
    if np.isnan(share):
        return ""
    if requirements < FEWEST_REQUIREMENTS:
        return unknown
    return style if share >= MOSTLY else wants if share <= 1 - MOSTLY else both


def _between_classes(answers: np.ndarray, positions, memberships: np.ndarray) -> tuple[np.ndarray, float]:
    """Return each class's mean of the respondents' shares of these answers, and how much of their variance it is."""
    given = np.isfinite(answers).sum(axis=(1, 2))
    known = (given > 0) & np.isfinite(memberships[:, 0])
    if not known.any():
        return np.full(memberships.shape[1], np.nan), np.nan
    share, members = np.isin(answers[known], positions).sum(axis=(1, 2)) / given[known], memberships[known]
    means = _share(members.T @ share, members.sum(axis=0))
    between = members.sum(axis=0) @ np.nan_to_num(means - share.mean()) ** 2
    return means, float(_share(between, ((share - share.mean()) ** 2).sum()))


def _check(classes: np.ndarray, most: int, starts: int, fitted_by: str) -> None:
    if classes.ndim != 2 or not classes.shape[1]:
        raise ValueError("Latent classes need a table of classes, respondents by requirements.")
    if not np.isin(classes, np.arange(MISSING, len(CLASSES))).all():
        raise ValueError(f"Classes are numbers from 0 to {len(CLASSES) - 1}, or {MISSING} where there is none.")
    if (classes != MISSING).any(axis=1).sum() < 2:
        raise ValueError("Latent classes need at least 2 respondents with answers.")
    if most < 1 or starts < 1:
        raise ValueError("At least 1 class must be tried, from at least 1 start.")
    if fitted_by not in FITTERS:
        raise ValueError(f"Nothing is fitted by {fitted_by!r}; choose one of {', '.join(FITTERS)}.")
