"""From pairs of answers to classes: the evaluation tables, and how often each pair and each class was given.

A respondent says of each requirement how it feels if the product has it (functional) and if it does not
(dysfunctional), each by one of five answers at positions 1 to 5: like it, must be, neutral, can live with it, dislike
it. The pair of answers gives the class.
"""

from __future__ import annotations

import numpy as np

CLASSES = ("A", "O", "M", "I", "R", "Q")
ATTRACTIVE, ONE_DIMENSIONAL, MUST_BE, INDIFFERENT, REVERSE, QUESTIONABLE = range(6)
NAMES = {
    "A": "attractive",
    "O": "one_dimensional",
    "M": "must_be",
    "I": "indifferent",
    "R": "reverse",
    "Q": "questionable",
}
ANSWERS = ("like", "must_be", "neutral", "live_with", "dislike")
MISSING = -1  # no class: an answer of the pair is missing, or counts are empty


def _table(*rows: str) -> np.ndarray:
    table = np.array([[CLASSES.index(letter) for letter in row] for row in rows])
    table.setflags(write=False)
    return table


# Row: functional, column: dysfunctional. "standard" is of Kano, Seraku, Takahashi and Tsuji (1984) and Berger et al.
# (1993); in Pouliot's "revised" one (in Berger et al. 1993) the same answer twice is questionable, unless neutral.
EVALUATION_TABLES = {
    "standard": _table("QAAAO", "RIIIM", "RIIIM", "RIIIM", "RRRRQ"),
    "revised": _table("QAAAO", "RQIIM", "RIIIM", "RIIQM", "RRRRQ"),
}


def evaluation_table(name: str) -> np.ndarray:
    """Return the classes of all pairs of answers, shape (5 functional, 5 dysfunctional).

    Raises
    ------
    ValueError
        No table of this name.
    """
    if name not in EVALUATION_TABLES:
        raise ValueError(f"There is no evaluation table {name!r}; choose one of {', '.join(EVALUATION_TABLES)}.")
    return EVALUATION_TABLES[name]


def classify(functional, dysfunctional, table: str = "standard") -> np.ndarray:
    """Class of each pair of answers by an evaluation table (Berger et al. 1993).

    Parameters
    ----------
    functional, dysfunctional : array_like, of one shape
        Positions 1 to 5; nan: no answer.
    table : str
        A key of `EVALUATION_TABLES`.

    Returns
    -------
    ndarray of int
        Places in `CLASSES`; `MISSING` where an answer of the pair is missing.

    Raises
    ------
    ValueError
        Positions that are not 1, 2, 3, 4 or 5; shapes that differ; no table of this name.
    """
    pair = _pairs(functional, dysfunctional)
    return np.where(pair < 0, MISSING, evaluation_table(table).ravel()[pair])


def counts(classes, weights=None) -> np.ndarray:
    """How many respondents gave each class to each requirement.

    Parameters
    ----------
    classes : array_like of int, shape (respondents, requirements)
        Places in `CLASSES`, or `MISSING`, which counts nowhere.
    weights : array_like, shape (..., respondents), optional
        How often each respondent counts, as in resamples or segments; 1 by default.

    Returns
    -------
    ndarray, shape (..., requirements, 6)
    """
    return _sums(np.asarray(classes), len(CLASSES), weights)


def pair_counts(functional, dysfunctional, weights=None) -> np.ndarray:
    """How many respondents gave each pair of answers to each requirement.

    Parameters
    ----------
    functional, dysfunctional : array_like, shape (respondents, requirements)
        Positions 1 to 5; nan: no answer. Half pairs count nowhere.
    weights : array_like, shape (..., respondents), optional
        How often each respondent counts; 1 by default.

    Returns
    -------
    ndarray, shape (..., requirements, 5, 5)
        By functional, then dysfunctional answer.

    Raises
    ------
    ValueError
        Positions that are not 1, 2, 3, 4 or 5; shapes that differ.
    """
    summed = _sums(_pairs(functional, dysfunctional), 25, weights)
    return summed.reshape(*summed.shape[:-1], 5, 5)


def counts_of_pairs(pairs, table: str = "standard") -> np.ndarray:
    """How often each class was given, from the counts of pairs of answers.

    Parameters
    ----------
    pairs : array_like, shape (..., 5, 5)
        By functional, then dysfunctional answer.
    table : str
        A key of `EVALUATION_TABLES`.

    Returns
    -------
    ndarray, shape (..., 6)
    """
    pairs = np.asarray(pairs, float)
    return pairs.reshape(*pairs.shape[:-2], 25) @ (evaluation_table(table).ravel()[:, None] == np.arange(len(CLASSES)))


def same_answer_share(pairs) -> np.ndarray:
    """Share of pairs that are the same answer twice and not neutral: people who did not read, or said both.

    Parameters
    ----------
    pairs : array_like, shape (..., 5, 5)

    Returns
    -------
    ndarray, shape (...)
        Nan where there are no pairs.
    """
    pairs = np.asarray(pairs, float)
    same = np.trace(pairs, axis1=-2, axis2=-1) - pairs[..., 2, 2]
    everyone = pairs.sum(axis=(-2, -1))
    return same / np.where(everyone > 0, everyone, np.nan)


def _pairs(functional, dysfunctional) -> np.ndarray:
    """Number the pairs of answers 0 to 24, functional answer first; -1 where one is missing."""
    functional, dysfunctional = np.asarray(functional, float), np.asarray(dysfunctional, float)
    if functional.shape != dysfunctional.shape:
        raise ValueError(f"Answers come in pairs, not as {functional.shape} functional, {dysfunctional.shape} others.")
    for answers in (functional, dysfunctional):
        if not (np.isnan(answers) | np.isin(answers, np.arange(1, 6))).all():
            raise ValueError("Answers are positions 1, 2, 3, 4 or 5.")
    half = np.isnan(functional) | np.isnan(dysfunctional)
    return np.where(half, -1, 5 * np.nan_to_num(functional) + np.nan_to_num(dysfunctional) - 6).astype(int)


def _sums(codes: np.ndarray, kinds: int, weights) -> np.ndarray:
    """Add up the weights of each code by column: shape (..., columns, kinds)."""
    respondents, columns = codes.shape
    weights = np.ones(respondents) if weights is None else np.asarray(weights, float)
    given = (codes[:, :, None] == np.arange(kinds)).reshape(respondents, columns * kinds).astype(float)
    summed = weights @ given
    return summed.reshape(*summed.shape[:-1], columns, kinds)
