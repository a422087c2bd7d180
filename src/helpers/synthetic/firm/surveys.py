"""What customers of the firm answer: of their satisfaction, and to Kano's pairs of questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from helpers.synthetic import kano_survey as kano
from helpers.synthetic import satisfaction_survey as satisfaction

from .people import People

# What is new to the others is taken for granted online.
SEGMENT_FEELINGS = {"online": {"parcel tracking": (0.05, 0.23, 0.64, 0.07, 0.01)}}


def satisfaction_survey(
    people: People,
    rng: np.random.Generator,
    *,
    segment_shifts: Mapping[str, Mapping[str, float]] = satisfaction.SEGMENT_SHIFTS,
    satisfaction_respondents: int = 1000,
    straight_lining: float = 0.0,
    mostly_missing: float = 0.0,
    dont_know: float = 0.0,
    blank: float = 0.01,
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Let a random sample of all customers, those who left among them, answer from what they feel.

    Parameters
    ----------
    people : People
    rng : Generator
    segment_shifts : mapping
        That with which the people were drawn, for their true indices.
    satisfaction_respondents : int
        Size of the sample; all customers where there are fewer.
    straight_lining, mostly_missing, dont_know, blank : float
        As in `helpers.synthetic.satisfaction_survey.satisfaction_survey`.

    Returns
    -------
    survey : DataFrame
        respondent_id, customer_id, segment and one column for each item.
    population : dict of str to float
        What is true of all customers, ``index_<construct>`` (0-100, items equally weighted); and of the sample,
        ``satisfaction_blank_answers`` and the like: how much was spoilt.
    """
    sample_rng, answer_rng, spoil_rng = rng.spawn(3)
    sample = _sample(people, satisfaction_respondents, sample_rng)
    rates = {"straight_lining": straight_lining, "mostly_missing": mostly_missing}
    rates |= {"dont_know": dont_know, "blank": blank}
    satisfaction.check_sample(len(sample), 0, rates, {}, ())
    model = satisfaction.structural_model()
    answers = satisfaction.draw_answers(people.constructs[sample], answer_rng, model)
    nobody = np.zeros(len(sample), dtype=np.int64)
    marks = satisfaction.spoil(spoil_rng, answers, nobody, nobody, rates, 0)
    survey = _respondents(people, sample).join(pd.DataFrame(answers, columns=list(satisfaction.ITEMS)).astype("Int64"))
    segments = _segments(people)
    shifts = satisfaction.shift_table(segments, segment_shifts)
    indices = satisfaction.mean_indices(model, shifts, np.array(list(segments.values())))
    population = {f"index_{name}": index for name, index in indices.items()}
    return survey, population | {f"satisfaction_{name}": float(count) for name, count in marks.items()}


def kano_survey(
    people: People,
    rng: np.random.Generator,
    *,
    kano_respondents: int = 400,
    kano_segment_feelings: Mapping[str, Mapping[str, Sequence[float]]] = SEGMENT_FEELINGS,
    kano_segment_effect: float = 1.0,
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Ask a random sample of all customers Kano's pairs of questions; what they feel depends on their segment alone.

    Parameters
    ----------
    people : People
    rng : Generator
    kano_respondents : int
        Size of the sample; all customers where there are fewer.
    kano_segment_feelings, kano_segment_effect : mapping, float
        As `segment_feelings` and `segment_effect` of `helpers.synthetic.kano_survey.kano_survey`; 0 where all segments
        feel alike.

    Returns
    -------
    survey : DataFrame
        respondent_id, customer_id, segment, requirement, functional, dysfunctional, importance.
    population : dict of str to float
        better and worse of each requirement among all customers, as ``kano_better_<requirement>``.
    """
    sample_rng, answer_rng = rng.spawn(2)
    sample = _sample(people, kano_respondents, sample_rng)
    survey, truth = kano.kano_survey(
        len(sample),
        answer_rng,
        members=people.segment[sample],
        segments=_segments(people),
        segment_feelings=kano_segment_feelings,
        segment_effect=kano_segment_effect,
        waves=(),
    )
    survey = survey.drop(columns="segment").merge(_respondents(people, sample), on="respondent_id")
    overall = truth[truth["name"].isin(["better", "worse"]) & (truth["segment"] == "all")]
    population = {f"kano_{row.name}_{row.requirement}": row.value for row in overall.itertuples(index=False)}
    first = ["respondent_id", "customer_id", "segment"]
    return survey[first + [column for column in survey if column not in first]], population


def _segments(people: People) -> dict[str, int]:
    """Count the customers of each segment."""
    names, counts = np.unique(people.segment.astype(str), return_counts=True)
    return dict(zip(names.tolist(), counts.tolist(), strict=True))


def _sample(people: People, size: int, rng: np.random.Generator) -> np.ndarray:
    return np.sort(rng.choice(len(people), min(size, len(people)), replace=False))


def _respondents(people: People, sample: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "respondent_id": [f"r{number:05d}" for number in range(1, len(sample) + 1)],
            "customer_id": people.customer_id[sample],
            "segment": people.segment[sample],
        }
    )
