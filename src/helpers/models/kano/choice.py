"""How customers choose in three stages: screen on must-be, weigh one-dimensional, be delighted by attractive."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from .evaluation import ATTRACTIVE, CLASSES, MUST_BE, ONE_DIMENSIONAL

ACCEPTABLE = 0.5  # fulfilment from which a must-be counts as met
SHARPNESS = 4.0  # of the choice: odds of e^4 to 1 between an offer that fulfils a requirement and one that does not


@dataclass(frozen=True, eq=False)
class ThreeStageChoice:
    """What each stage decides; nan where no customer counts.

    Attributes
    ----------
    survives : ndarray, shape (..., offers)
        Share of customers who do not exclude the offer: their must-be requirements are met.
    excluded_by : ndarray, shape (..., offers, requirements)
        Share of customers for whom this requirement alone would exclude the offer.
    after_screen : ndarray, shape (..., offers)
        Share of choices if everyone chose at random among the offers that survive: what the screen alone decides.
    chosen : ndarray, shape (..., offers)
        Share of choices. Together they are 1 less `nothing_left`.
    without_screen : ndarray, shape (..., offers)
        Share of choices by the one-dimensional requirements alone, as if nothing were excluded.
    nothing_left : ndarray, shape (...)
        Share of customers who exclude every offer.
    proportional : ndarray, shape (..., offers)
        Mean fulfilment, among those who choose the offer, of the requirements that are one-dimensional to them.
    delight : ndarray, shape (..., offers)
        The same of those that are attractive to them, which had no part in the choice. Nan where nobody chooses the
        offer or such requirements do not exist.
    """

    survives: np.ndarray
    excluded_by: np.ndarray
    after_screen: np.ndarray
    chosen: np.ndarray
    without_screen: np.ndarray
    nothing_left: np.ndarray
    proportional: np.ndarray
    delight: np.ndarray


def three_stage_choice(
    offers, classes, weights=None, *, importance=None, acceptable: float = ACCEPTABLE, sharpness: float = SHARPNESS
) -> ThreeStageChoice:
    """Let customers screen offers on must-be, choose on one-dimensional, and find out about attractive requirements.

    A conjunctive screen before a compensatory choice (Gilbride and Allenby 2004, Marketing Science 23, 391-406): an
    offer that leaves a must-be unmet is excluded, whatever else it has. Among the others the choice is a logit of
    their fulfilment of one-dimensional requirements. Choice probabilities are exact, nothing is drawn.

    Parameters
    ----------
    offers : array_like, shape (offers, requirements)
        Fulfilment from 0 to 1.
    classes : array_like of int, shape (customers, requirements)
        What each requirement is to each customer, as places in `CLASSES`: survey respondents, or `drawn_customers`.
        Indifferent, reverse, questionable and `MISSING` ones sway nothing.
    weights : array_like, shape (..., customers), optional
        How often each customer counts, as in resamples or segments; 1 by default.
    importance : array_like, shape (requirements,), optional
        Weight of each requirement in the choice, at least 0; 1 by default.
    acceptable : float
        Fulfilment from which a must-be counts as met.
    sharpness : float
        Utility of full fulfilment of a requirement of importance 1: 0 makes all offers alike, large values make
        customers choose the best one always.

    Returns
    -------
    ThreeStageChoice

    Raises
    ------
    ValueError
        No offers or customers, fulfilment outside 0 to 1, negative importance, sharpness or weights, shapes that do
        not match.
    """
    offers, classes = np.asarray(offers, float), np.asarray(classes)
    importance = np.ones(offers.shape[-1]) if importance is None else np.asarray(importance, float)
    weights = np.ones(len(classes)) if weights is None else np.asarray(weights, float)
    _check(offers, classes, weights, importance, sharpness)
    wanted = {kind: (classes == kind).astype(float) for kind in (MUST_BE, ONE_DIMENSIONAL, ATTRACTIVE)}
    unmet = offers < acceptable
    survives = wanted[MUST_BE] @ unmet.T == 0
    left = survives.any(axis=1, keepdims=True)
    utility = wanted[ONE_DIMENSIONAL] @ (sharpness * importance * offers).T
    chosen = special.softmax(np.where(survives | ~left, utility, -np.inf), axis=1) * left
    return ThreeStageChoice(
        survives=_mean(survives, weights),
        excluded_by=_mean(wanted[MUST_BE], weights)[..., None, :] * unmet,
        after_screen=_mean(survives / np.maximum(survives.sum(axis=1, keepdims=True), 1), weights),
        chosen=_mean(chosen, weights),
        without_screen=_mean(special.softmax(utility, axis=1), weights),
        nothing_left=_mean(~left, weights)[..., 0],
        proportional=_fulfilment(offers, chosen, wanted[ONE_DIMENSIONAL], weights),
        delight=_fulfilment(offers, chosen, wanted[ATTRACTIVE], weights),
    )


@dataclass(frozen=True, eq=False)
class LeftOut:
    """What it costs an offer to leave one requirement out, each of shape (..., requirements).

    All are shares of all choices. Without the gap the offer has half of them, so that `total` and `delight_lost`
    together are at most a half. Nan where nobody answered.

    Attributes
    ----------
    screened : ndarray
        Lost because the offer is excluded: the requirement is must-be to these customers.
    weighed : ndarray
        Lost in the comparison: it is one-dimensional to these.
    total : ndarray
        Both: a half less the share of choices that the offer still has.
    delight_lost : ndarray
        Not lost, but customers find out afterwards that the offer lacks what would have delighted them.
    """

    screened: np.ndarray
    weighed: np.ndarray
    total: np.ndarray
    delight_lost: np.ndarray


def left_out(counts, *, importance=None, sharpness: float = SHARPNESS) -> LeftOut:
    """Leave out one requirement at a time, against one rival that fulfils everything.

    What `three_stage_choice` gives for these two offers, in closed form: who sees a must-be missing never chooses the
    offer; to whom it is one-dimensional, chooses it with probability 1 / (1 + e^(sharpness x importance)), a loss of
    tanh(sharpness x importance / 2) / 2; all others choose either with probability 1/2. All other requirements are
    fulfilled by both, so only the shares of classes of the one left out matter, and counts are all there is to know.

    Who answered reverse may prefer the offer that lacks the requirement; here, as in `three_stage_choice`, they
    choose as if indifferent, which overstates the loss where there are many. Questionable answers count likewise; who
    did not answer for a requirement does not count for it.

    Parameters
    ----------
    counts : array_like, shape (..., requirements, 6)
        Published, or of answers (`evaluation.counts`, also in resamples).
    importance : array_like, shape (requirements,) or (..., requirements), optional
        Weight of each requirement in the choice, at least 0; 1 by default. Nan, not known, leaves `weighed` and
        `total` unknown.
    sharpness : float
        Utility of a requirement of importance 1, as in `three_stage_choice`.

    Returns
    -------
    LeftOut

    Raises
    ------
    ValueError
        Negative counts, importance or sharpness; counts that are not of six classes.
    """
    counts = np.asarray(counts, float)
    importance = np.asarray(1.0 if importance is None else importance, float)
    if counts.shape[-1:] != (len(CLASSES),) or not (counts >= 0).all():
        raise ValueError("Counts are of the six classes, and at least 0.")
    if (importance < 0).any() or not sharpness >= 0:
        raise ValueError("Importance and sharpness are at least 0.")
    everyone = counts.sum(axis=-1, keepdims=True)
    share = counts / np.where(everyone > 0, everyone, np.nan)
    screened = share[..., MUST_BE] / 2
    weighed = share[..., ONE_DIMENSIONAL] * np.tanh(sharpness * importance / 2) / 2
    return LeftOut(screened, weighed, screened + weighed, share[..., ATTRACTIVE] / 2)


def drawn_customers(counts, customers: int = 5000, seed: int = 1) -> np.ndarray:
    """Draw customers from published counts, each requirement by itself.

    Counts do not say who gave which answers together, so these customers are more alike than real ones may be.

    Parameters
    ----------
    counts : array_like, shape (requirements, 6)
        Each row with at least one answer.
    customers, seed : int

    Returns
    -------
    ndarray of int, shape (customers, requirements)
        Places in `CLASSES`.

    Raises
    ------
    ValueError
        A requirement without answers.
    """
    counts = np.asarray(counts, float)
    if not (counts.sum(axis=-1) > 0).all():
        raise ValueError("Each requirement needs answers to draw customers from.")
    reached = np.cumsum(counts, axis=-1) / counts.sum(axis=-1, keepdims=True)
    drawn = np.random.default_rng(seed).random((customers, len(counts), 1))
    return np.minimum((drawn >= reached).sum(axis=-1), len(CLASSES) - 1)


def _mean(held: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Average over customers: (customers, k) to (..., k)."""
    size = weights.sum(axis=-1)[..., None]
    return weights @ held.astype(float) / np.where(size > 0, size, np.nan)


def _fulfilment(offers: np.ndarray, chosen: np.ndarray, wanted: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean fulfilment of wanted requirements among those who choose each offer."""
    total = weights @ (chosen * wanted.sum(axis=1, keepdims=True))
    return weights @ (chosen * (wanted @ offers.T)) / np.where(total > 0, total, np.nan)


def _check(offers, classes, weights, importance, sharpness: float) -> None:
    if offers.ndim != 2 or classes.ndim != 2 or not offers.size or not classes.size:
        raise ValueError("There must be offers and customers, each with every requirement.")
    if not offers.shape[1] == classes.shape[1] == len(importance):
        raise ValueError("Offers, customers and importance must be of the same requirements.")
    if weights.shape[-1:] != (len(classes),) or not (weights >= 0).all():
        raise ValueError("Weights are of the same customers, and at least 0.")
    if not ((offers >= 0) & (offers <= 1)).all() or not (importance >= 0).all() or not sharpness >= 0:
        raise ValueError("Fulfilment lies between 0 and 1; importance and sharpness are at least 0.")
