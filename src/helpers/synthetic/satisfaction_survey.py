"""Answers to a satisfaction questionnaire whose causes are known, with the truth beside."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

LOWEST, HIGHEST = 1, 10
DONT_KNOW = 99

# From cause to effect.
CONSTRUCTS = (
    "image",
    "expectations",
    "perceived_quality",
    "perceived_value",
    "satisfaction",
    "complaints",
    "loyalty",
)
_QUALITY, _SATISFACTION, _LOYALTY = (
    CONSTRUCTS.index(name) for name in ("perceived_quality", "satisfaction", "loyalty")
)

# In standard deviations of the target for one of the source.
PATHS = {
    ("image", "expectations"): 0.55,
    ("image", "perceived_quality"): 0.30,
    ("image", "perceived_value"): 0.10,
    ("image", "satisfaction"): 0.15,
    ("expectations", "perceived_quality"): 0.35,
    ("expectations", "perceived_value"): 0.05,
    ("expectations", "satisfaction"): 0.05,
    ("perceived_quality", "perceived_value"): 0.50,
    ("perceived_quality", "satisfaction"): 0.45,
    ("perceived_value", "satisfaction"): 0.25,
    ("satisfaction", "complaints"): 0.50,
    ("satisfaction", "loyalty"): 0.35,
    ("image", "loyalty"): 0.10,
    ("complaints", "loyalty"): 0.10,
}

# Item: its construct, loading, and the mean and standard deviation of the answer before it is cut to the scale.
ITEMS = {
    "IMAG1": ("image", 0.80, 7.4, 1.7),
    "IMAG2": ("image", 0.75, 7.8, 1.6),
    "IMAG3": ("image", 0.60, 6.6, 1.9),
    "IMAG4": ("image", 0.80, 7.0, 1.8),
    "IMAG5": ("image", 0.70, 7.3, 1.7),
    "CUEX1": ("expectations", 0.80, 7.5, 1.5),
    "CUEX2": ("expectations", 0.75, 7.3, 1.6),
    "CUEX3": ("expectations", 0.60, 6.8, 1.9),
    "PERQ1": ("perceived_quality", 0.85, 7.5, 1.5),
    "PERQ2": ("perceived_quality", 0.75, 7.4, 1.7),
    "PERQ3": ("perceived_quality", 0.80, 7.2, 1.7),
    "PERQ4": ("perceived_quality", 0.80, 7.4, 1.6),
    "PERQ5": ("perceived_quality", 0.70, 7.1, 1.7),
    "PERQ6": ("perceived_quality", 0.80, 7.3, 1.6),
    "PERQ7": ("perceived_quality", 0.75, 7.2, 1.7),
    "PERV1": ("perceived_value", 0.85, 6.3, 1.8),
    "PERV2": ("perceived_value", 0.85, 6.7, 1.7),
    "CUSA1": ("satisfaction", 0.85, 7.2, 1.5),
    "CUSA2": ("satisfaction", 0.85, 6.9, 1.6),
    "CUSA3": ("satisfaction", 0.80, 6.6, 1.7),
    "CUSCO": ("complaints", 0.90, 6.6, 1.8),
    "CUSL1": ("loyalty", 0.85, 6.9, 1.8),
    "CUSL2": ("loyalty", 0.35, 5.4, 2.3),
    "CUSL3": ("loyalty", 0.85, 6.7, 1.9),
}
OVERALL, PENALTY_ITEM, REWARD_ITEM = "CUSA1", "PERQ7", "PERQ2"
LOW_ANSWER, HIGH_ANSWER = 6, 9

SEGMENTS = {"north": 0.55, "south": 0.39, "online": 0.06}
SEGMENT_SHIFTS = {"south": {"perceived_quality": -0.4}, "online": {"satisfaction": 0.4}}
WAVES = ("2024-1", "2024-2", "2025-1")
WAVE_SHIFTS = {"2024-2": {"perceived_value": -0.4}, "2025-1": {"perceived_value": -0.4, "satisfaction": 0.4}}


def satisfaction_survey(
    respondents: int = 1500,
    seed: int = 5,
    *,
    paths: Mapping[tuple[str, str], float] | None = None,
    loadings: Mapping[str, float] | None = None,
    delight: float = 0.6,
    delight_from: float = 0.4,
    penalty: float = 1.2,
    reward: float = 1.2,
    segments: Mapping[str, float] = SEGMENTS,
    segment_shifts: Mapping[str, Mapping[str, float]] = SEGMENT_SHIFTS,
    waves: Sequence[str] = WAVES,
    wave_shifts: Mapping[str, Mapping[str, float]] = WAVE_SHIFTS,
    straight_lining: float = 0.015,
    dont_know: float = 0.015,
    blank: float = 0.01,
    mostly_missing: float = 0.004,
    duplicates: int = 1,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Answers of a simulated firm's customers, and the truth about them.

    Each construct is a normal variable: what its causes and its own disturbance add up to, with variance 1 within a
    segment and wave. Loyalty rises with satisfaction along a line with a knee. An answer is the item's mean plus
    its standard deviation times (loading x construct + noise), rounded and cut to 1 to 10. Beyond what its
    construct says, `OVERALL` falls by `penalty` where `PENALTY_ITEM` is answered by 6 or less and rises by `reward`
    where `REWARD_ITEM` is answered by 9 or more: one item can only disappoint, one only delight.

    Every effect is switched off by zero (or an empty mapping), and the random numbers of the rest stay the same.

    Parameters
    ----------
    respondents : int
        Rows of the survey, at least 1.
    seed : int
        Same seed, same tables.
    paths, loadings : mapping, optional
        What differs from `PATHS` ((source, target) -> effect) and from the loadings in `ITEMS`.
    delight, delight_from : float
        How much steeper loyalty rises with satisfaction above the knee, and where the knee is; both constructs in
        standard deviations.
    penalty, reward : float
        In points of the scale, not negative.
    segments : mapping of str to float
        Name -> share (of their sum); empty for a survey without segments.
    waves : sequence of str
        Equally likely, in order of time; empty for a survey without waves.
    segment_shifts, wave_shifts : mapping of str to mapping of str to float
        Segment or wave -> construct -> what it adds to the construct's mean, in standard deviations; the
        constructs further on move with it. Those that `segments` or `waves` do not name have no effect.
    straight_lining, mostly_missing : float
        Shares of respondents who give to every item the answer they have to `OVERALL`, and who give about a
        quarter of the answers.
    dont_know, blank : float
        Shares of answers that are `DONT_KNOW` (99) and that are missing.
    duplicates : int
        Respondents who are a copy of another in everything but the id.

    Returns
    -------
    survey : DataFrame
        respondent_id, segment, wave, and one column of whole numbers for each item of `ITEMS`; in order of waves.
    truth : DataFrame
        name, segment, wave, value. What was planted: ``path_<source>_<target>``, ``loading_<item>``,
        ``shift_<construct>``, ``delight``, ``delight_from``, ``penalty_<item>``, ``reward_<item>``. What is true of
        the population: ``answer_<item>`` (mean answer) and ``index_<construct>`` (0-100, items equally weighted;
        for other weights, weight the answers), overall ("all"), by segment, by wave and by both; and
        ``delight_from_index``, the index of satisfaction that goes with the knee. These are expected values by
        numerical integration, of answers as people meant them: before straight-lining, gaps and copies. What was
        done to the sample: ``straight_lining_respondents``, ``mostly_missing_respondents``,
        ``identical_respondents``, ``dont_know_answers``, ``blank_answers``.

    Raises
    ------
    ValueError
        A name that does not exist, a share outside 0 to 1, a loading outside -1 to 1, or paths that explain more
        than all of a construct.
    """
    rates = {"straight_lining": straight_lining, "mostly_missing": mostly_missing}
    rates |= {"dont_know": dont_know, "blank": blank}
    check_sample(respondents, duplicates, rates, segments, waves)
    model = structural_model(
        paths, loadings, delight=delight, delight_from=delight_from, penalty=penalty, reward=reward
    )
    shifts = _cell_shifts(segments, segment_shifts, waves, wave_shifts)
    rng = np.random.default_rng(seed)

    segment = rng.choice(len(segments) or 1, respondents, p=shares_of(segments))
    wave = rng.integers(len(waves) or 1, size=respondents)
    answers = draw_answers(draw_constructs(shifts[segment, wave], rng, model), rng, model)
    marks = spoil(rng, answers, segment, wave, rates, duplicates)
    in_time = np.argsort(wave, kind="stable")
    segment, wave, answers = segment[in_time], wave[in_time], answers[in_time]

    survey = pd.DataFrame({"respondent_id": [f"r{number:05d}" for number in range(1, respondents + 1)]})
    if segments:
        survey["segment"] = np.array(list(segments))[segment]
    if waves:
        survey["wave"] = np.array(list(waves))[wave]
    survey = survey.join(pd.DataFrame(answers, columns=list(ITEMS)).astype("Int64"))
    marks["identical_respondents"] = int(survey.duplicated(survey.columns[1:].tolist()).sum())
    return survey, _truth(model, shifts, segments, segment_shifts, waves, wave_shifts, marks)


@dataclass(frozen=True)
class StructuralModel:
    """What is planted, as arrays: constructs in the order of CONSTRUCTS, items in that of ITEMS."""

    effects: np.ndarray  # (constructs, constructs), [source, target]
    covariance: np.ndarray  # of the constructs within a segment and wave; loyalty's row is not used
    disturbance: np.ndarray  # standard deviations
    block: np.ndarray
    loading: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray
    delight: float
    delight_from: float
    penalty: float
    reward: float

    def bend(self, satisfaction: np.ndarray) -> np.ndarray:
        """Add to loyalty what lies above the straight line; 0 on average where nothing is shifted."""
        usual, _, _ = _above(self.delight_from)
        return self.delight * (np.maximum(satisfaction - self.delight_from, 0) - usual)

    def response(self, item: str, construct: np.ndarray, variance: float = 0.0) -> tuple[np.ndarray, float]:
        """Find mean and deviation of an item's answer, uncut, of those whose construct has that mean and variance."""
        number = list(ITEMS).index(item)
        loading, deviation = self.loading[number], self.deviation[number]
        spread = deviation * math.sqrt(loading**2 * variance + 1 - loading**2)
        return self.mean[number] + deviation * loading * np.asarray(construct), spread


def _above(knee: float) -> tuple[float, float, float]:
    """Give mean and variance of max(Z - knee, 0), and the share above, for a standard normal Z."""
    density, share = math.exp(-(knee**2) / 2) / math.sqrt(2 * math.pi), math.erfc(knee / math.sqrt(2)) / 2
    mean = density - knee * share
    return mean, (1 + knee**2) * share - knee * density - mean**2, share


def structural_model(
    paths: Mapping[tuple[str, str], float] | None = None,
    loadings: Mapping[str, float] | None = None,
    *,
    delight: float = 0.6,
    delight_from: float = 0.4,
    penalty: float = 1.2,
    reward: float = 1.2,
) -> StructuralModel:
    """Make the model from which people and their answers are drawn; parameters and errors of `satisfaction_survey`."""
    paths, loadings = PATHS | dict(paths or {}), dict(loadings or {})
    numbers = {"delight": delight, "delight_from": delight_from, "penalty": penalty, "reward": reward}
    for name, value in numbers.items():
        if not math.isfinite(value) or (value < 0 and name in ("penalty", "reward")):
            raise ValueError(f"{name} must be finite, and penalty and reward not negative; it is {value}.")
    for item in loadings:
        _require(item, ITEMS, "item")
    loading = np.array([loadings.get(item, entry[1]) for item, entry in ITEMS.items()], dtype=float)
    if not (np.abs(loading) < 1).all():
        raise ValueError("loadings must lie between -1 and 1.")
    effects = np.zeros((len(CONSTRUCTS), len(CONSTRUCTS)))
    for (source, target), value in paths.items():
        one, other = (CONSTRUCTS.index(_require(name, CONSTRUCTS, "construct")) for name in (source, target))
        if one >= other:
            raise ValueError(f"{source} cannot act on {target}: paths run from cause to effect ({CONSTRUCTS}).")
        effects[one, other] = value
    covariance, disturbance = _population(effects, delight, delight_from)
    return StructuralModel(
        effects=effects,
        covariance=covariance,
        disturbance=disturbance,
        block=np.array([CONSTRUCTS.index(entry[0]) for entry in ITEMS.values()]),
        loading=loading,
        mean=np.array([entry[2] for entry in ITEMS.values()]),
        deviation=np.array([entry[3] for entry in ITEMS.values()]),
        **{name: float(value) for name, value in numbers.items()},
    )


def _population(effects: np.ndarray, delight: float, knee: float) -> tuple[np.ndarray, np.ndarray]:
    """Find the constructs' covariance, and the disturbances that give each the variance 1."""
    covariance, disturbance = np.eye(len(CONSTRUCTS)), np.ones(len(CONSTRUCTS))
    _, bend_variance, share_above = _above(knee)
    for target, name in enumerate(CONSTRUCTS):
        effect = effects[:target, target]
        joint = covariance[:target, :target] @ effect
        explained = effect @ joint
        if target == _LOYALTY:
            # Stein: of jointly normal variables, cov(X, f(Z)) = cov(X, Z) E f'(Z).
            explained += delight**2 * bend_variance + 2 * delight * share_above * joint[_SATISFACTION]
        if not explained < 1:
            raise ValueError(f"the paths to {name} explain {explained:.0%} of it; it must be less than all.")
        covariance[target, :target] = covariance[:target, target] = joint
        disturbance[target] = math.sqrt(1 - explained)
    return covariance, disturbance


# --- the sample ---------------------------------------------------------------------------------------------


def draw_constructs(shift: np.ndarray, rng: np.random.Generator, model: StructuralModel) -> np.ndarray:
    """Draw the constructs of people.

    Parameters
    ----------
    shift : ndarray, shape (people, constructs)
        What is added to each person's constructs before it goes on to the next.

    Returns
    -------
    ndarray, shape (people, constructs)
        In standard deviations.
    """
    disturbance = rng.standard_normal(shift.shape) * model.disturbance
    constructs = np.zeros(shift.shape)
    for target in range(len(CONSTRUCTS)):
        constructs[:, target] = shift[:, target] + constructs @ model.effects[:, target] + disturbance[:, target]
        if target == _LOYALTY:
            constructs[:, target] += model.bend(constructs[:, _SATISFACTION])
    return constructs


def draw_answers(constructs: np.ndarray, rng: np.random.Generator, model: StructuralModel) -> np.ndarray:
    """Draw the answers of people with these constructs; shape (people, items)."""
    noise = rng.standard_normal((len(constructs), len(ITEMS))) * np.sqrt(1 - model.loading**2)
    uncut = model.mean + model.deviation * (model.loading * constructs[:, model.block] + noise)
    answers = pd.DataFrame(_cut(uncut), columns=list(ITEMS))
    extra = model.reward * (answers[REWARD_ITEM] >= HIGH_ANSWER) - model.penalty * (answers[PENALTY_ITEM] <= LOW_ANSWER)
    answers[OVERALL] = _cut(uncut[:, list(ITEMS).index(OVERALL)] + extra)
    return answers.to_numpy()


def _cut(uncut: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(uncut), LOWEST, HIGHEST)


def spoil(rng: np.random.Generator, answers, segment, wave, rates, duplicates: int) -> dict[str, int]:
    """Turn answers, in place, into those a survey gets; count what was done.

    `rates` are straight_lining, mostly_missing, dont_know and blank, as in `satisfaction_survey`.
    """
    respondents = len(answers)
    # one order of the respondents serves all, so that nobody is spoilt in two ways
    order = rng.permutation(respondents)
    lining, missing = (round(rates[name] * respondents) for name in ("straight_lining", "mostly_missing"))
    chance = rng.random((2, *answers.shape))
    if lining + missing + 2 * duplicates > respondents:
        raise ValueError("there are fewer respondents than are to be spoilt.")
    liners, leavers = order[:lining], order[lining : lining + missing]
    answers[liners] = answers[liners][:, [list(ITEMS).index(OVERALL)]]

    copies, originals = order[respondents - 2 * duplicates :].reshape(2, -1)
    gone = chance[0] < rates["blank"]
    gone[leavers] |= chance[1][leavers] < 0.75
    unknown = ~gone & (chance[1] < rates["dont_know"])
    answers[gone], answers[unknown] = np.nan, DONT_KNOW
    segment[copies], wave[copies], answers[copies] = segment[originals], wave[originals], answers[originals]
    return {
        "straight_lining_respondents": lining,
        "mostly_missing_respondents": missing,
        "dont_know_answers": int((answers == DONT_KNOW).sum()),
        "blank_answers": int(np.isnan(answers).sum()),
    }


def shares_of(segments: Mapping[str, float]) -> np.ndarray:
    """Give the shares of the segments; one where there are none."""
    shares = np.array(list(segments.values()) or [1.0], dtype=float)
    return shares / shares.sum()


def _cell_shifts(segments, segment_shifts, waves, wave_shifts) -> np.ndarray:
    """Give what is added to each construct; shape (segments, waves, constructs)."""
    by_segment = shift_table(segments, segment_shifts)
    by_wave = shift_table(waves, wave_shifts)
    return by_segment[:, None] + by_wave[None]


def shift_table(groups, shifts) -> np.ndarray:
    """Give what is added to the constructs of each group; shape (groups, constructs)."""
    for construct in {construct for moved in shifts.values() for construct in moved}:
        _require(construct, CONSTRUCTS, "construct")
    named = [shifts.get(group, {}) for group in groups] or [{}]
    return np.array([[moved.get(construct, 0.0) for construct in CONSTRUCTS] for moved in named], dtype=float)


def check_sample(respondents, duplicates, rates, segments, waves) -> None:
    """Refuse what no sample can have."""
    if respondents < 1 or duplicates < 0:
        raise ValueError("respondents must be at least 1, and duplicates not negative.")
    for name, rate in rates.items():
        if not 0 <= rate <= 1:
            raise ValueError(f"{name} must be a share from 0 to 1, not {rate}.")
    if not all(share > 0 for share in segments.values()):
        raise ValueError("the shares of the segments must be positive.")
    if len(set(waves)) < len(waves):
        raise ValueError("a wave is named twice.")


def _require(name, known, kind) -> str:
    if name not in known:
        raise ValueError(f"{name!r} is no {kind}; there are {', '.join(known)}.")
    return name


# --- the truth ----------------------------------------------------------------------------------------------

# Points and weights that integrate over a standard normal variable; fine enough for the knee.
_POINTS = np.linspace(-7, 7, 281)
_POINT_WEIGHTS = np.exp(-(_POINTS**2) / 2) / np.exp(-(_POINTS**2) / 2).sum()
_erf = np.vectorize(math.erf, otypes=[float])


def _below(limit: float, mean: np.ndarray, deviation: float) -> np.ndarray:
    """Give the share of a normal variable that lies below a limit."""
    return (1 + _erf((limit - mean) / (deviation * math.sqrt(2)))) / 2


def _mean_answer(mean: np.ndarray, deviation: float) -> np.ndarray:
    """Give the mean of a normal variable that is rounded and cut to the scale."""
    steps = np.arange(LOWEST, HIGHEST) + 0.5
    return LOWEST + sum(1 - _below(step, mean, deviation) for step in steps)


def _mean_answers(model: StructuralModel, shift: np.ndarray) -> np.ndarray:
    """Give the mean answer to each item in a population shifted so."""
    center = shift @ np.linalg.inv(np.eye(len(CONSTRUCTS)) - model.effects)
    means = [
        float(_mean_answer(*model.response(item, center[construct], 1.0)))
        for item, construct in zip(ITEMS, model.block, strict=True)
    ]
    # Loyalty is normal only among those equally satisfied: integrate over satisfaction.
    to_loyalty = model.effects[:, _LOYALTY]
    slope = model.covariance[_SATISFACTION] @ to_loyalty
    variance = to_loyalty @ model.covariance @ to_loyalty - slope**2 + model.disturbance[_LOYALTY] ** 2
    loyalty = center[_LOYALTY] + slope * _POINTS + model.bend(center[_SATISFACTION] + _POINTS)
    for number in np.flatnonzero(model.block == _LOYALTY):
        item = list(ITEMS)[number]
        means[number] = _POINT_WEIGHTS @ _mean_answer(*model.response(item, loyalty, variance))
    related = model.covariance[_QUALITY, _SATISFACTION]
    quality, satisfaction = center[_QUALITY] + _POINTS, center[_SATISFACTION] + related * _POINTS
    means[list(ITEMS).index(OVERALL)] = _mean_overall(model, quality, satisfaction, 1 - related**2)
    return np.array(means)


def _mean_overall(model: StructuralModel, quality: np.ndarray, satisfaction: np.ndarray, variance: float) -> float:
    """Give the mean answer to OVERALL by integration over quality.

    Given quality the two items that penalise and reward are independent of each other and of satisfaction, whose
    mean at each point of quality, and variance there, are given.
    """
    low = _below(LOW_ANSWER + 0.5, *model.response(PENALTY_ITEM, quality))
    high = 1 - _below(HIGH_ANSWER - 0.5, *model.response(REWARD_ITEM, quality))
    uncut, deviation = model.response(OVERALL, satisfaction, variance)
    mean = (
        (1 - low) * (1 - high) * _mean_answer(uncut, deviation)
        + low * (1 - high) * _mean_answer(uncut - model.penalty, deviation)
        + (1 - low) * high * _mean_answer(uncut + model.reward, deviation)
        + low * high * _mean_answer(uncut + model.reward - model.penalty, deviation)
    )
    return float(_POINT_WEIGHTS @ mean)


def _knee_index(model: StructuralModel) -> float:
    """Give the index of satisfaction, items equally weighted, of those who stand at the knee."""
    related = model.covariance[_QUALITY, _SATISFACTION]
    quality = related * model.delight_from + math.sqrt(1 - related**2) * _POINTS
    answers = [_mean_overall(model, quality, np.full(len(_POINTS), model.delight_from), 0.0)]
    answers += [
        float(_mean_answer(*model.response(item, model.delight_from)))
        for item, entry in ITEMS.items()
        if entry[0] == "satisfaction" and item != OVERALL
    ]
    return _index(np.mean(answers))


def _index(answer: float) -> float:
    return 100 * (answer - LOWEST) / (HIGHEST - LOWEST)


def mean_indices(model: StructuralModel, shifts: np.ndarray, weights: np.ndarray) -> dict[str, float]:
    """Give the mean index (0-100, items equally weighted) of each construct among people in groups.

    Parameters
    ----------
    model : StructuralModel
    shifts : ndarray, shape (groups, constructs)
        As from `shift_table`.
    weights : ndarray, shape (groups,)
        Size of the groups.
    """
    answers = np.average([_mean_answers(model, shift) for shift in shifts], axis=0, weights=weights)
    return {name: float(_index(answers[model.block == number].mean())) for number, name in enumerate(CONSTRUCTS)}


def _truth(model, shifts, segments, segment_shifts, waves, wave_shifts, marks) -> pd.DataFrame:
    rows = [
        (f"path_{source}_{target}", "all", "all", model.effects[one, other])
        for one, source in enumerate(CONSTRUCTS)
        for other, target in enumerate(CONSTRUCTS)
        if (source, target) in PATHS or model.effects[one, other]
    ]
    rows += [(f"loading_{item}", "all", "all", value) for item, value in zip(ITEMS, model.loading, strict=True)]
    planted = {"delight": model.delight, "delight_from": model.delight_from, "delight_from_index": _knee_index(model)}
    planted |= {f"penalty_{PENALTY_ITEM}": model.penalty, f"reward_{REWARD_ITEM}": model.reward}
    rows += [(name, "all", "all", value) for name, value in (planted | marks).items()]
    for segment in segments:
        rows += [(f"shift_{name}", segment, "all", value) for name, value in segment_shifts.get(segment, {}).items()]
    for wave in waves:
        rows += [(f"shift_{name}", "all", wave, value) for name, value in wave_shifts.get(wave, {}).items()]
    rows += _population_rows(model, shifts, segments, waves)
    return pd.DataFrame(rows, columns=["name", "segment", "wave", "value"]).astype({"value": float})


def _population_rows(model, shifts, segments, waves) -> list[tuple[str, str, str, float]]:
    """Give mean answers and indices of everyone, of each segment, of each wave and of both."""
    cells = np.array([[_mean_answers(model, shift) for shift in row] for row in shifts])
    shares = shares_of(segments)
    by_segment = np.concatenate([np.tensordot(shares, cells, 1)[None], cells if segments else cells[:0]])
    every = np.concatenate([by_segment.mean(axis=1, keepdims=True), by_segment if waves else by_segment[:, :0]], axis=1)
    rows = []
    for segment, of_segment in zip(["all", *segments], every, strict=True):
        for wave, answers in zip(["all", *waves], of_segment, strict=True):
            rows += [(f"answer_{item}", segment, wave, value) for item, value in zip(ITEMS, answers, strict=True)]
            rows += [
                (f"index_{name}", segment, wave, _index(answers[model.block == number].mean()))
                for number, name in enumerate(CONSTRUCTS)
            ]
    return rows
