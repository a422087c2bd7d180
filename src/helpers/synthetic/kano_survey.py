"""Answers to Kano's pairs of questions whose classes are known, with the truth beside."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.special import ndtr

CLASSES = ("A", "O", "M", "I", "R", "Q")
# What people can feel about a requirement; Q comes of how they answer.
FELT = CLASSES[:5]

# Requirement: how many feel that it is attractive, one-dimensional, a must-be, indifferent, reverse.
REQUIREMENTS = {
    "secure payment": (0.02, 0.14, 0.72, 0.11, 0.01),
    "price discount": (0.16, 0.66, 0.08, 0.09, 0.01),
    "surprise gift": (0.70, 0.08, 0.01, 0.18, 0.03),
    "customer magazine": (0.12, 0.02, 0.01, 0.78, 0.07),
    "advertising calls": (0.03, 0.01, 0.01, 0.20, 0.75),
    "evening delivery": (0.32, 0.27, 0.11, 0.27, 0.03),  # not clear, on purpose
    "personal adviser": (0.21, 0.06, 0.03, 0.66, 0.04),
    "parcel tracking": (0.62, 0.17, 0.04, 0.15, 0.02),
}
# What it costs to offer the requirement, in thousands of a currency a year.
COSTS = {
    "secure payment": 60.0,
    "price discount": 120.0,
    "surprise gift": 45.0,
    "customer magazine": 30.0,
    "advertising calls": 25.0,
    "evening delivery": 80.0,
    "personal adviser": 95.0,
    "parcel tracking": 40.0,
}

SEGMENTS = {"households": 0.55, "firms": 0.35, "students": 0.10}
SEGMENT_FEELINGS = {"firms": {"personal adviser": (0.13, 0.62, 0.14, 0.10, 0.01)}}
# What delights at first is taken for granted in the end.
WAVES = ("2022", "2023", "2024")
WAVE_FEELINGS = {
    "2023": {"parcel tracking": (0.20, 0.58, 0.12, 0.09, 0.01)},
    "2024": {"parcel tracking": (0.05, 0.23, 0.64, 0.07, 0.01)},
}

# How a class is answered: pairs of positions (functional, dysfunctional), 1 like to 5 dislike, with their shares.
# The standard evaluation table (Kano et al. 1984, Berger et al. 1993) puts each pair in its class.
PAIRS = {
    "A": {(1, 2): 0.12, (1, 3): 0.68, (1, 4): 0.20},
    "O": {(1, 5): 1.0},
    "M": {(2, 5): 0.60, (3, 5): 0.25, (4, 5): 0.15},
    "I": {
        (2, 2): 0.04,
        (2, 3): 0.06,
        (2, 4): 0.08,
        (3, 2): 0.03,
        (3, 3): 0.55,
        (3, 4): 0.12,
        (4, 2): 0.01,
        (4, 3): 0.06,
        (4, 4): 0.05,
    },
    "R": {(2, 1): 0.05, (3, 1): 0.22, (4, 1): 0.23, (5, 1): 0.40, (5, 2): 0.04, (5, 3): 0.04, (5, 4): 0.02},
    "Q": {(1, 1): 0.7, (5, 5): 0.3},
}
# Pairs that the revised table (Pouliot, in Berger et al. 1993) calls questionable and the standard one indifferent.
REVISED = ((2, 2), (4, 4))
# The one answer of those who give the same to every question.
SAME_ANSWERS = (0.15, 0.10, 0.55, 0.15, 0.05)

LEAST, MOST = 1, 9
IMPORTANCE_MIDDLE, IMPORTANCE_SPREAD = 5.0, 1.4
IMPORTANCE = {"A": 5.4, "O": 6.8, "M": 7.6, "I": 3.4, "R": 3.0, "Q": 5.0}


def kano_survey(
    respondents: int = 600,
    seed: int | np.random.Generator = 7,
    *,
    members: Sequence[str] | None = None,
    requirements: Mapping[str, Sequence[float]] = REQUIREMENTS,
    segments: Mapping[str, float] = SEGMENTS,
    segment_feelings: Mapping[str, Mapping[str, Sequence[float]]] = SEGMENT_FEELINGS,
    segment_effect: float = 1.0,
    waves: Sequence[str] = WAVES,
    wave_feelings: Mapping[str, Mapping[str, Sequence[float]]] = WAVE_FEELINGS,
    wave_effect: float = 1.0,
    importance_effect: float = 1.0,
    importance_blank: float = 0.02,
    neutral_style: float = 0.10,
    extreme_style: float = 0.08,
    style_strength: float = 0.5,
    same_answer: float = 0.02,
    questionable: float = 0.012,
    half_pairs: float = 0.008,
    costs: Mapping[str, float] = COSTS,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Kano answers of a simulated firm's customers, and the truth about them.

    Each respondent feels about each requirement, independently, as the shares of the segment and wave say, and answers
    by one of the pairs of `PAIRS`. Of some the style of answering shows: neutral ones answer some pairs by "I am
    neutral" twice, extreme ones call some of what they expect or do not mind "I like it", and a few give the same
    answer to every question. Some pairs contradict themselves (questionable), some are half missing.

    Every effect is switched off by zero (or an empty mapping), and the random numbers of the rest stay the same.

    Parameters
    ----------
    respondents : int
        At least 1; each answers in one wave about all requirements.
    seed : int or Generator
        Same seed, same tables.
    members : sequence of str, optional
        The segment of each respondent, where it is settled; otherwise drawn by the shares.
    requirements : mapping of str to sequence of float
        Name -> shares of those who feel that it is A, O, M, I, R (of their sum).
    segments : mapping of str to float
        Name -> share (of their sum); empty for a survey without segments.
    waves : sequence of str
        Equally likely, in order of time; empty for a survey without waves.
    segment_feelings, wave_feelings : mapping of str to mapping of str to sequence of float
        Segment or wave -> requirement -> the shares there, the wave's first. Those that `segments`, `waves` or
        `requirements` do not name have no effect.
    segment_effect, wave_effect : float
        From 0 (all groups are alike) to 1 (the shares are those of the segment or wave).
    importance_effect : float
        How far the mean self-stated importance (1 to 9) goes from `IMPORTANCE_MIDDLE` (0) to that of `IMPORTANCE` (1)
        for the class of the pair; around it answers vary normally, rounded and cut to the scale.
    importance_blank : float
        Share of importances that are missing.
    neutral_style, extreme_style, same_answer : float
        Shares of respondents; together at most 1.
    style_strength : float
        Share of the pairs in which the neutral and the extreme style show.
    questionable, half_pairs : float
        Shares of pairs; of a half pair one of the two answers is missing, each as likely. Those who give the same
        answer to every question give no other questionable pairs.
    costs : mapping of str to float
        Requirement -> cost, for the truth alone.

    Returns
    -------
    survey : DataFrame
        respondent_id, requirement, functional, dysfunctional, importance, segment, wave: one row for each respondent
        and requirement, positions from 1 (like) to 5 (dislike) as whole numbers; in order of waves.
    truth : DataFrame
        name, requirement, segment, wave, value. True of the population, overall ("all"), by segment, by wave and by
        both: ``felt_A`` to ``felt_R`` (shares of what people feel), ``share_A`` to ``share_Q`` (shares of the answers
        by the standard evaluation table, styles and questionable pairs included), ``better`` = (A+O)/(A+O+M+I),
        ``worse`` = -(O+M)/(A+O+M+I) (Berger et al. 1993; NaN where nobody is in these four), ``importance`` (mean), and
        with the prefix ``revised_`` shares, better and worse by the revised table. By requirement: ``cost``. Of the
        sample: ``neutral_style_respondents``, ``extreme_style_respondents``, ``same_answer_respondents``,
        ``half_pairs``.

    Raises
    ------
    ValueError
        A name that does not exist, a share outside 0 to 1, shares that are negative or do not sum to anything.
    """
    rates = {"segment_effect": segment_effect, "wave_effect": wave_effect, "importance_blank": importance_blank}
    rates |= {"neutral_style": neutral_style, "extreme_style": extreme_style, "same_answer": same_answer}
    rates |= {"style_strength": style_strength, "questionable": questionable, "half_pairs": half_pairs}
    _check(respondents, rates, requirements, segments, waves, importance_effect)
    felt = _felt(requirements, segments, segment_feelings, segment_effect, waves, wave_feelings, wave_effect)
    usual = felt @ _pair_shares()[: len(FELT)]
    styles = np.array([1 - neutral_style - extreme_style - same_answer, neutral_style, extreme_style, same_answer])
    answered = _in_style(usual, style_strength, questionable)
    rng = np.random.default_rng(seed)

    if members is None:
        segment = rng.choice(len(segments) or 1, respondents, p=_normalised(list(segments.values()) or [1.0]))
    else:
        segment = np.array([list(segments).index(name) for name in members], dtype=np.int64)
    wave = np.sort(rng.integers(len(waves) or 1, size=respondents))
    style = _drawn(rng.random(respondents), np.cumsum(styles))
    pair = _pairs_drawn(rng, answered, segment, wave, style)
    importance = _importances(rng, pair, importance_effect, importance_blank)
    functional, dysfunctional, halves = _halved(rng, pair, half_pairs)

    survey = pd.DataFrame(
        {
            "respondent_id": np.repeat([f"r{number:05d}" for number in range(1, respondents + 1)], len(requirements)),
            "requirement": np.tile(list(requirements), respondents),
            "functional": functional.ravel(),
            "dysfunctional": dysfunctional.ravel(),
            "importance": importance.ravel(),
        }
    ).astype(dict.fromkeys(["functional", "dysfunctional", "importance"], "Int64"))
    if segments:
        survey["segment"] = np.repeat(np.array(list(segments))[segment], len(requirements))
    if waves:
        survey["wave"] = np.repeat(np.array(list(waves))[wave], len(requirements))
    marks = {f"{name}_respondents": int((style == number).sum()) for number, name in enumerate(_STYLES) if number}
    marks["half_pairs"] = halves
    population = np.tensordot(styles, answered, 1)
    truth = _truth(felt, population, requirements, segments, waves, importance_effect, costs, marks)
    return survey, truth


_STYLES = ("usual", "neutral_style", "extreme_style", "same_answer")
_CELLS = 25  # pairs of answers, the functional one first


def _cell(functional: int, dysfunctional: int) -> int:
    return 5 * (functional - 1) + dysfunctional - 1


def _pair_shares() -> np.ndarray:
    """Give the share of each pair of answers within each class; shape (classes, 25)."""
    shares = np.zeros((len(CLASSES), _CELLS))
    for number, name in enumerate(CLASSES):
        for pair, share in PAIRS[name].items():
            shares[number, _cell(*pair)] = share
    return shares


def _class_of_cell() -> np.ndarray:
    return _pair_shares().argmax(axis=0)


# --- what people feel, and how they answer ------------------------------------------------------------------


def _felt(requirements, segments, segment_feelings, segment_effect, waves, wave_feelings, wave_effect) -> np.ndarray:
    """Give the shares of the five feelings; shape (segments, waves, requirements, 5)."""
    felt = np.zeros((len(segments) or 1, len(waves) or 1, len(requirements), len(FELT)))
    felt += np.array([_normalised(shares) for shares in requirements.values()])
    for axis, groups, feelings, effect in (
        (1, waves, wave_feelings, wave_effect),
        (0, segments, segment_feelings, segment_effect),
    ):
        for group, moved in feelings.items():
            for requirement, shares in moved.items():
                _require(requirement, {*requirements, *REQUIREMENTS}, "requirement")
                if group in groups and requirement in requirements:
                    there = np.moveaxis(felt, axis, 0)[list(groups).index(group)]
                    place = list(requirements).index(requirement)
                    there[:, place] += effect * (_normalised(shares) - there[:, place])
    return felt


def _in_style(usual: np.ndarray, strength: float, questionable: float) -> np.ndarray:
    """Give the shares of each pair of answers in each style; shape (styles, ..., 25)."""
    neutral = np.zeros((_CELLS, _CELLS))
    neutral[:, _cell(3, 3)] = 1
    extreme = np.eye(_CELLS)
    for dysfunctional in range(1, 6):
        for functional in (2, 3):
            extreme[_cell(functional, dysfunctional)] = np.eye(_CELLS)[_cell(1, dysfunctional)]
    shown = [usual] + [(1 - strength) * usual + strength * usual @ moved for moved in (neutral, extreme)]
    shown = [(1 - questionable) * shares + questionable * _pair_shares()[-1] for shares in shown]
    same = np.zeros(_CELLS)
    same[[_cell(answer, answer) for answer in range(1, 6)]] = SAME_ANSWERS
    return np.stack([*shown, np.broadcast_to(same, usual.shape)])


# --- the sample ---------------------------------------------------------------------------------------------


def _drawn(chance: np.ndarray, cumulated: np.ndarray) -> np.ndarray:
    """Turn uniform numbers into classes with these cumulated shares, along the last axis."""
    return (chance[..., None] >= cumulated[..., :-1]).sum(axis=-1)


def _pairs_drawn(rng: np.random.Generator, answered, segment, wave, style) -> np.ndarray:
    """Draw the number of each pair; shape (respondents, requirements)."""
    cumulated = np.cumsum(answered, axis=-1)
    chance = rng.random((len(segment), answered.shape[-2]))
    # One answer to everything is one draw.
    one = np.repeat(rng.random((len(segment), 1)), answered.shape[-2], axis=1)
    chance = np.where((style == _STYLES.index("same_answer"))[:, None], one, chance)
    pairs = [_drawn(chance[:, place], cumulated[style, segment, wave, place]) for place in range(answered.shape[-2])]
    return np.stack(pairs, axis=1)


def _importances(rng: np.random.Generator, pair: np.ndarray, effect: float, blank: float) -> np.ndarray:
    noise, gone = rng.standard_normal(pair.shape), rng.random(pair.shape) < blank
    uncut = _mean_importance(effect)[_class_of_cell()[pair]] + IMPORTANCE_SPREAD * noise
    return np.where(gone, np.nan, np.clip(np.rint(uncut), LEAST, MOST))


def _mean_importance(effect: float) -> np.ndarray:
    """Give the mean importance by class before it is rounded and cut."""
    return IMPORTANCE_MIDDLE + effect * (np.array([IMPORTANCE[name] for name in CLASSES]) - IMPORTANCE_MIDDLE)


def _halved(rng: np.random.Generator, pair: np.ndarray, rate: float) -> tuple[np.ndarray, np.ndarray, int]:
    """Part the pairs into their answers, one of which is missing at that rate."""
    functional, dysfunctional = (answer + 1.0 for answer in np.divmod(pair, 5))
    half, first = rng.random(pair.shape) < rate, rng.random(pair.shape) < 0.5
    functional[half & first], dysfunctional[half & ~first] = np.nan, np.nan
    return functional, dysfunctional, int(half.sum())


def _normalised(shares: Sequence[float]) -> np.ndarray:
    numbers = np.asarray(shares, dtype=float)
    if not (np.isfinite(numbers).all() and (numbers >= 0).all() and numbers.sum() > 0):
        raise ValueError(f"shares must not be negative and must sum to more than 0, not {list(shares)}.")
    return numbers / numbers.sum()


def _check(respondents, rates, requirements, segments, waves, importance_effect) -> None:
    if respondents < 1 or not requirements:
        raise ValueError("there must be at least 1 respondent and 1 requirement.")
    for name, rate in rates.items():
        if not 0 <= rate <= 1:
            raise ValueError(f"{name} must be a share from 0 to 1, not {rate}.")
    if sum(rates[name] for name in _STYLES[1:]) > 1:
        raise ValueError("the shares of the styles of answering must sum to at most 1.")
    for name, shares in requirements.items():
        if len(shares) != len(FELT):
            raise ValueError(f"{name!r} must have a share for each of {', '.join(FELT)}.")
    if not all(share > 0 for share in segments.values()):
        raise ValueError("the shares of the segments must be positive.")
    if len(set(waves)) < len(waves):
        raise ValueError("a wave is named twice.")
    if not math.isfinite(importance_effect):
        raise ValueError("importance_effect must be finite.")


def _require(name, known, kind) -> None:
    if name not in known:
        raise ValueError(f"{name!r} is no {kind}; there are {', '.join(sorted(known))}.")


# --- the truth ----------------------------------------------------------------------------------------------


def _truth(felt, answered, requirements, segments, waves, importance_effect, costs, marks) -> pd.DataFrame:
    weights = _normalised(list(segments.values()) or [1.0])
    # Everything else is a function of the shares of the pairs, of which groups are averages.
    felt, answered = (_with_totals(shares, weights, segments, waves) for shares in (felt, answered))
    values = {f"felt_{name}": share for name, share in zip(FELT, _last_first(felt), strict=True)}
    values |= _measures(answered, _class_of_cell(), "")
    revised = _class_of_cell()
    revised[[_cell(*pair) for pair in REVISED]] = CLASSES.index("Q")
    values |= _measures(answered, revised, "revised_")
    values["importance"] = answered @ _mean_answers(_mean_importance(importance_effect))[_class_of_cell()]
    labels = pd.MultiIndex.from_product(
        [["all", *segments], ["all", *waves], requirements], names=["segment", "wave", "requirement"]
    )
    tables = [pd.DataFrame({"name": name, "value": value.ravel()}, labels) for name, value in values.items()]
    alone = [("cost", name, "all", "all", costs[name]) for name in requirements if name in costs]
    alone += [(name, "all", "all", "all", value) for name, value in marks.items()]
    columns = ["name", "requirement", "segment", "wave", "value"]
    found = pd.concat(tables).reset_index()[columns]
    return pd.concat([found, pd.DataFrame(alone, columns=columns)], ignore_index=True).astype({"value": float})


def _last_first(shares: np.ndarray) -> np.ndarray:
    return np.moveaxis(shares, -1, 0)


def _with_totals(shares: np.ndarray, weights: np.ndarray, segments, waves) -> np.ndarray:
    """Put the average of the segments, and of the waves, before them; groups that are not wanted go."""
    everyone = np.tensordot(weights, shares, 1)[None]
    shares = np.concatenate([everyone, shares]) if segments else everyone
    always = shares.mean(axis=1, keepdims=True)
    return np.concatenate([always, shares], axis=1) if waves else always


def _measures(answered: np.ndarray, class_of_cell: np.ndarray, prefix: str) -> dict[str, np.ndarray]:
    share = _last_first(answered @ np.eye(len(CLASSES))[class_of_cell])
    attractive, one_dimensional, must_be, indifferent = share[:4]
    base = attractive + one_dimensional + must_be + indifferent
    base = np.where(base > 0, base, np.nan)
    values = {f"{prefix}share_{name}": one for name, one in zip(CLASSES, share, strict=True)}
    values[f"{prefix}better"] = (attractive + one_dimensional) / base
    values[f"{prefix}worse"] = -(one_dimensional + must_be) / base
    return values


def _mean_answers(mean: np.ndarray) -> np.ndarray:
    """Give the mean of normal variables that are rounded and cut to the scale of importance."""
    steps = np.arange(LEAST, MOST)[:, None] + 0.5
    return LEAST + ndtr((mean - steps) / IMPORTANCE_SPREAD).sum(axis=0)
