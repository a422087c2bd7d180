"""Kano answers with known truth: what is planted is in the answers, and the truth says what a large sample shows."""

import math

import numpy as np
import pandas as pd
import pytest

from helpers.synthetic.kano_survey import (
    CLASSES,
    COSTS,
    IMPORTANCE,
    PAIRS,
    REQUIREMENTS,
    REVISED,
    SEGMENT_FEELINGS,
    SEGMENTS,
    WAVE_FEELINGS,
    WAVES,
    kano_survey,
)

# Row functional, column dysfunctional, from like to dislike: Kano et al. 1984, Berger et al. 1993; Pouliot, ibid.
STANDARD = np.array([list(row) for row in ("QAAAO", "RIIIM", "RIIIM", "RIIIM", "RRRRQ")])
POULIOT = np.array([list(row) for row in ("QAAAO", "RQIIM", "RIIIM", "RIIQM", "RRRRQ")])
CLEAN = {"neutral_style": 0, "extreme_style": 0, "same_answer": 0, "questionable": 0, "half_pairs": 0}
NO_GROUPS = {"segments": {}, "waves": ()}
MANY = 40_000


def value(truth, name, requirement="all", segment="all", wave="all"):
    return truth.set_index(["name", "requirement", "segment", "wave"])["value"].loc[name, requirement, segment, wave]


def classes(survey, table=STANDARD):
    """Classify the whole pairs."""
    whole = survey.dropna(subset=["functional", "dysfunctional"])
    pair = whole[["functional", "dysfunctional"]].to_numpy(dtype=int) - 1
    return whole.assign(cls=table[pair[:, 0], pair[:, 1]])


@pytest.fixture(scope="module")
def default():
    return kano_survey()


@pytest.fixture(scope="module")
def large():
    return kano_survey(MANY, 3)


# --- the table ------------------------------------------------------------------------------------------


def test_table_keeps_its_contract(default):
    survey, truth = default
    columns = ["respondent_id", "requirement", "functional", "dysfunctional", "importance", "segment", "wave"]
    assert list(survey.columns) == columns and len(survey) == 600 * len(REQUIREMENTS)
    assert not survey.duplicated(["respondent_id", "requirement"]).any()
    assert (
        set(survey.segment) == set(SEGMENTS) and set(survey.wave) == set(WAVES) and survey.wave.is_monotonic_increasing
    )
    assert (survey.groupby("respondent_id")[["segment", "wave"]].nunique() == 1).all(axis=None)
    assert survey[["functional", "dysfunctional"]].stack().between(1, 5).all()
    assert survey.importance.dropna().between(1, 9).all() and survey.importance.isna().any()
    assert list(truth.columns) == ["name", "requirement", "segment", "wave", "value"]
    assert np.isfinite(truth.value).all() and not truth.duplicated(["name", "requirement", "segment", "wave"]).any()


def test_csv_holds_whole_numbers_and_is_small(default):
    text = default[0].to_csv(index=False)
    assert len(text) < 300_000 and ".0" not in text


def test_seed_decides_everything():
    for one, other in zip(kano_survey(40, 3), kano_survey(40, 3), strict=True):
        pd.testing.assert_frame_equal(one, other)
    assert not kano_survey(40, 3)[0].equals(kano_survey(40, 4)[0])


def test_groups_that_are_not_wanted_have_no_column():
    survey, truth = kano_survey(50, 1, **NO_GROUPS)
    assert not {"segment", "wave"} & set(survey) and set(truth.segment) == set(truth.wave) == {"all"}
    survey, truth = kano_survey(50, 1, waves=())
    assert "segment" in survey and set(truth.segment) == {"all", *SEGMENTS} and set(truth.wave) == {"all"}


# --- what is planted ------------------------------------------------------------------------------------


def test_each_pair_of_answers_is_of_its_class():
    found = {pair: name for name, pairs in PAIRS.items() for pair in pairs}
    assert found == {(i + 1, j + 1): STANDARD[i, j] for i in range(5) for j in range(5)}
    assert sorted(REVISED) == [(int(i) + 1, int(j) + 1) for i, j in np.argwhere(STANDARD != POULIOT)]
    assert all(math.isclose(sum(pairs.values()), 1) for pairs in PAIRS.values())


def test_defaults_plant_every_class_and_one_that_is_not_clear(default):
    _, truth = default
    shares = {name: [value(truth, f"share_{cls}", name) for cls in CLASSES] for name in REQUIREMENTS}
    first = {name: CLASSES[int(np.argmax(share))] for name, share in shares.items()}
    clear = {name: cls for name, cls in first.items() if np.diff(sorted(shares[name]))[-1] > 0.2}
    assert set(clear.values()) == {"A", "O", "M", "I", "R"}
    a, o, _, i, *_ = shares["evening delivery"]
    assert abs(a - i) < 0.01 and abs(a - o) < 0.06 and sum((a, o, i)) > 0.8
    assert set(COSTS) == set(REQUIREMENTS) and value(truth, "cost", "surprise gift") == COSTS["surprise gift"]


def modal(truth, requirement, **group):
    return max(CLASSES, key=lambda cls: value(truth, f"share_{cls}", requirement, **group))


def test_one_segment_differs_and_one_requirement_moves_on(default):
    _, truth = default
    assert [modal(truth, "personal adviser", segment=name) for name in SEGMENTS] == ["I", "O", "I"]
    assert [modal(truth, "parcel tracking", wave=name) for name in WAVES] == ["A", "O", "M"]
    others = set(REQUIREMENTS) - {"personal adviser", "parcel tracking"}
    for name in others:
        assert {modal(truth, name, segment=segment, wave=wave) for segment in SEGMENTS for wave in WAVES} == {
            modal(truth, name)
        }


# --- the truth is what is there -------------------------------------------------------------------------


@pytest.mark.parametrize(("table", "prefix"), [(STANDARD, ""), (POULIOT, "revised_")])
def test_shares_and_coefficients_are_those_of_a_large_sample(large, table, prefix):
    survey, truth = large
    found = classes(survey, table)
    for kept in (["segment", "wave"], ["segment"], ["wave"], []):
        alike = {name: "all" for name in ("segment", "wave") if name not in kept}
        keys = ["requirement", "segment", "wave"]
        counts = found.assign(**alike).groupby([*keys, "cls"]).size().unstack(fill_value=0)[list(CLASSES)]
        expected = truth.pivot(index=keys, columns="name", values="value").loc[counts.index]
        n = counts.sum(axis=1).to_numpy()[:, None]
        share = expected[[f"{prefix}share_{name}" for name in CLASSES]].to_numpy()
        # 1440 shares in all; same-answer respondents answer the requirements together, not within one
        assert (np.abs(counts.to_numpy() / n - share) < 5 * np.sqrt(share * (1 - share) / n)).all()
        base = counts[["A", "O", "M", "I"]].sum(axis=1)
        for name, part, sign in (("better", ["A", "O"], 1), ("worse", ["O", "M"], -1)):
            true = expected[f"{prefix}{name}"]
            error = np.sqrt(true.abs() * (1 - true.abs()) / base)
            assert ((sign * counts[part].sum(axis=1) / base - true).abs() < 5 * error).all()


def test_without_styles_answers_are_what_people_feel():
    survey, truth = kano_survey(MANY, 3, **CLEAN, **NO_GROUPS)
    shares = classes(survey).groupby("requirement").cls.value_counts(normalize=True).unstack(fill_value=0)
    for name, felt in REQUIREMENTS.items():
        for cls, share in zip(CLASSES, felt, strict=False):
            assert value(truth, f"felt_{cls}", name) == pytest.approx(share) == value(truth, f"share_{cls}", name)
            assert shares.loc[name, cls] == pytest.approx(share, abs=5 * math.sqrt(share * (1 - share) / MANY))
    assert "Q" not in shares and survey.functional.notna().all()


def test_truth_of_groups_adds_up(default):
    _, truth = default
    for name in ("share_O", "felt_O", "importance"):
        by_segment = [value(truth, name, "personal adviser", segment=segment) for segment in SEGMENTS]
        assert value(truth, name, "personal adviser") == pytest.approx(np.dot(by_segment, list(SEGMENTS.values())))
    total = [value(truth, f"share_{cls}", "parcel tracking", "firms", "2023") for cls in CLASSES]
    assert sum(total) == pytest.approx(1)


def test_importance_goes_with_the_class(large):
    survey, truth = large
    said = survey.dropna(subset=["importance"])
    mean, error = said.groupby("requirement").importance.mean(), 2 / math.sqrt(len(said) / len(REQUIREMENTS))
    for name in REQUIREMENTS:
        assert mean[name] == pytest.approx(value(truth, "importance", name), abs=5 * error)
    by_class = classes(said).groupby("cls").importance.mean()
    assert by_class.sort_values().index.tolist() == sorted(IMPORTANCE, key=IMPORTANCE.get)
    untied, truth = kano_survey(20_000, 3, importance_effect=0, importance_blank=0)
    by_class = classes(untied).groupby("cls").importance.mean().astype(float)
    assert by_class.to_numpy() == pytest.approx(5, abs=0.1) and untied.importance.notna().all()
    assert value(truth, "importance", "secure payment") == pytest.approx(5)


def test_effects_of_zero_make_all_groups_alike():
    _, truth = kano_survey(30, 1, segment_effect=0, wave_effect=0)
    shares = truth[truth.name.str.startswith(("felt", "share", "better", "worse", "importance"))]
    assert (shares.groupby(["name", "requirement"]).value.agg(np.ptp) < 1e-12).all()
    _, half = kano_survey(30, 1, wave_effect=0.5)
    before, after = REQUIREMENTS["parcel tracking"][2], WAVE_FEELINGS["2024"]["parcel tracking"][2]
    assert value(half, "felt_M", "parcel tracking", wave="2024") == pytest.approx((before + after) / 2)
    _, feelings = kano_survey(30, 1, segment_feelings={}, wave_feelings={})
    assert value(feelings, "felt_O", "personal adviser", "firms") == pytest.approx(REQUIREMENTS["personal adviser"][1])
    assert SEGMENT_FEELINGS["firms"]["personal adviser"][1] > 0.5


def test_zero_switches_off_and_leaves_the_rest(default):
    survey, _ = default
    clean, truth = kano_survey(**CLEAN)
    done = ("neutral_style_respondents", "extreme_style_respondents", "same_answer_respondents", "half_pairs")
    assert all(value(truth, name) == 0 for name in done)
    assert survey[["segment", "wave"]].equals(clean[["segment", "wave"]])
    same = (survey[["functional", "dysfunctional"]] == clean[["functional", "dysfunctional"]]).all(axis=1)
    # the fifth who show a style differ, and few others
    assert same.mean() > 0.75


# --- respondents as they come ---------------------------------------------------------------------------


def test_what_was_done_to_the_sample_is_counted(default):
    survey, truth = default
    half = survey.functional.isna() ^ survey.dysfunctional.isna()
    assert half.sum() == value(truth, "half_pairs") > 0
    assert not (survey.functional.isna() & survey.dysfunctional.isna()).any()
    # a neutral respondent may give the same answer throughout too
    survey, truth = kano_survey(style_strength=0)
    answers = survey.melt(["respondent_id"], ["functional", "dysfunctional"]).dropna()
    one_answer = answers.groupby("respondent_id")["value"].nunique() == 1
    assert one_answer.sum() == value(truth, "same_answer_respondents") > 5


def test_rates_are_those_asked_for():
    survey, truth = kano_survey(20_000, 3, half_pairs=0.1, neutral_style=0.3, extreme_style=0.2, same_answer=0.1)
    assert value(truth, "half_pairs") / len(survey) == pytest.approx(0.1, abs=0.005)
    assert value(truth, "neutral_style_respondents") / 20_000 == pytest.approx(0.3, abs=0.02)
    assert value(truth, "extreme_style_respondents") / 20_000 == pytest.approx(0.2, abs=0.02)
    assert value(truth, "same_answer_respondents") / 20_000 == pytest.approx(0.1, abs=0.02)


def test_styles_push_to_the_middle_and_to_the_end():
    plain, neutral, extreme = (
        kano_survey(20, 1, **CLEAN | style)[1] for style in ({}, {"neutral_style": 1}, {"extreme_style": 1})
    )
    for name in REQUIREMENTS:
        assert value(neutral, "share_I", name) > value(plain, "share_I", name)
        assert value(extreme, "better", name) > value(plain, "better", name)
    # half of the must-be pairs of those who say "I like it" become one-dimensional but for "live with it"
    lost = 0.5 * (1 - PAIRS["M"][4, 5])
    assert value(extreme, "share_M", "secure payment") == pytest.approx(REQUIREMENTS["secure payment"][2] * (1 - lost))


def test_contradictions_alone():
    survey, truth = kano_survey(200, 1, **CLEAN | {"questionable": 1})
    assert set(classes(survey).cls) == {"Q"} and value(truth, "share_Q", "price discount") == pytest.approx(1)
    assert math.isnan(value(truth, "better", "price discount")) and math.isnan(value(truth, "worse", "price discount"))


@pytest.mark.parametrize("respondents", [1, 2])
def test_a_handful_of_respondents(respondents):
    survey, _ = kano_survey(respondents)
    assert survey.respondent_id.nunique() == respondents


def test_requirements_of_ones_own():
    survey, truth = kano_survey(30, 1, requirements={"lift": (1, 0, 0, 0, 0), "wifi": (2, 2, 0, 0, 0)})
    assert survey.requirement.tolist()[:2] == ["lift", "wifi"] and "cost" not in set(truth.name)
    assert value(truth, "felt_O", "wifi") == 0.5


@pytest.mark.parametrize(
    "change, words",
    [
        ({"respondents": 0}, "at least 1 respondent"),
        ({"requirements": {}}, "1 requirement"),
        ({"requirements": {"lift": (1, 0)}}, "'lift' must have a share for each of A, O, M, I, R"),
        ({"requirements": {"lift": (0, 0, 0, 0, 0)}}, "must sum to more than 0"),
        ({"requirements": {"lift": (1, -1, 1, 1, 1)}}, "must not be negative"),
        ({"questionable": 1.2}, "questionable must be a share"),
        ({"half_pairs": -0.1}, "half_pairs must be a share"),
        ({"wave_effect": math.nan}, "wave_effect must be a share"),
        ({"neutral_style": 0.6, "same_answer": 0.6}, "sum to at most 1"),
        ({"importance_effect": math.inf}, "importance_effect must be finite"),
        ({"segments": {"firms": 0}}, "shares of the segments must be positive"),
        ({"waves": ("a", "a")}, "a wave is named twice"),
        ({"segment_feelings": {"firms": {"lift": (1, 0, 0, 0, 0)}}}, "'lift' is no requirement"),
    ],
)
def test_impossible_surveys_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        kano_survey(**{"respondents": 20} | change)
