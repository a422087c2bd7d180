"""Kano by scores: DuMouchel's averages, analytical Kano, and curves of satisfaction."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.models.kano import analytical, continuous, curves, evaluation, importance
from helpers.models.kano.evaluation import ATTRACTIVE, CLASSES, INDIFFERENT, MUST_BE, ONE_DIMENSIONAL, REVERSE
from tests.published import kano as published
from tests.test_kano_evaluation import answers_of


def columns(*pairs):
    """Answers of several requirements side by side; all have as many respondents."""
    answers = [answers_of(one) for one in pairs]
    return tuple(np.column_stack(part).astype(float) for part in zip(*answers, strict=True))


TRANSFERS = columns(*published.TRANSFER_PAIRS.values())


# ---- continuous


@pytest.mark.parametrize("requirement", published.TRANSFER_SCORES)
def test_published_scores(requirement):
    """A workbook in use scores the dysfunctional answers 4 and 8 where 2 and 4 are meant: "secure" beyond 4."""
    found = continuous.scores(published.TRANSFER_PAIRS[requirement])
    row = (found.functional, found.functional_se, found.dysfunctional, found.dysfunctional_se)
    assert row == pytest.approx(published.TRANSFER_SCORES[requirement], abs=5.1e-5)
    assert found.pairs == 358


def test_scores_are_means_and_standard_errors_of_answers():
    functional, dysfunctional = (answers[:, 1].astype(int) - 1 for answers in TRANSFERS)
    found = continuous.scores(published.TRANSFER_PAIRS["convenient"])
    liked, missed = np.array([4, 2, 0, -1, -2])[functional], np.array([-2, -1, 0, 2, 4])[dysfunctional]
    assert (found.functional, found.dysfunctional) == pytest.approx((liked.mean(), missed.mean()))
    assert found.functional_se == pytest.approx(liked.std(ddof=1) / np.sqrt(358))
    assert found.dysfunctional_se == pytest.approx(missed.std(ddof=1) / np.sqrt(358))


def test_corners_are_the_classes():
    pairs = np.zeros((4, 5, 5))
    pairs[0, 0, 2] = pairs[1, 0, 4] = pairs[2, 2, 4] = pairs[3, 2, 2] = 2
    found = continuous.scores(pairs)
    assert found.functional.tolist() == [4, 4, 0, 0] and found.dysfunctional.tolist() == [0, 4, 4, 0]
    np.testing.assert_array_equal(found.functional_se, 0)
    quadrant = continuous.quadrant(found.functional, found.dysfunctional)
    assert "".join(np.array(CLASSES)[quadrant]) == "AOMI"
    assert continuous.quadrant(2.0, 2.0) == ONE_DIMENSIONAL and continuous.quadrant(1.9, 1.9) == INDIFFERENT


def test_too_few_pairs_have_no_scores():
    none, one = np.zeros((5, 5)), np.eye(5)[:1].T * np.eye(5)[4]
    assert np.isnan([continuous.scores(none).functional, continuous.scores(none).functional_se]).all()
    assert continuous.scores(one).functional == 4 and np.isnan(continuous.scores(one).functional_se)


# ---- analytical


def test_published_vectors():
    found = analytical.analytical(*TRANSFERS)
    for place, (length, angle, letter) in enumerate(published.TRANSFER_VECTORS.values()):
        assert found.importance[place] == pytest.approx(length, abs=5.1e-4)
        assert CLASSES[found.classes[place]] == letter
        if angle:
            assert found.angle[place] == pytest.approx(angle, abs=0.06)


def vector(functional, dysfunctional, **settings):
    found = analytical.analytical([[functional]], [[dysfunctional]], **settings)
    return CLASSES[found.classes[0]] if found.classes[0] >= 0 else None


def test_pure_answers():
    assert [vector(1, 3), vector(1, 5), vector(3, 5), vector(3, 3), vector(5, 1)] == ["A", "O", "M", "I", "R"]
    assert vector(1, np.nan) is None


def test_thresholds_are_parameters():
    functional, dysfunctional = TRANSFERS
    responsive = functional[:, 3:4], dysfunctional[:, 3:4]  # 58.6 degrees
    assert analytical.analytical(*responsive, attractive_above=58).classes[0] == ATTRACTIVE
    assert analytical.analytical(*responsive, must_be_below=59).classes[0] == MUST_BE
    assert analytical.analytical(*responsive, least_importance=0.9).classes[0] == INDIFFERENT
    with pytest.raises(ValueError, match="must end at an angle below"):
        analytical.analytical(*responsive, must_be_below=70)


def test_importance_shortens_and_turns_nothing_where_it_is_the_same():
    plain = analytical.analytical(*TRANSFERS)
    half = analytical.analytical(*TRANSFERS, np.full(TRANSFERS[0].shape, 0.5))
    np.testing.assert_allclose(half.importance, plain.importance / 2)
    np.testing.assert_allclose(half.angle, plain.angle)


def test_who_states_no_importance_does_not_count_and_who_finds_it_unimportant_does():
    functional, dysfunctional = np.array([[1.0], [3.0], [1.0]]), np.array([[3.0], [3.0], [5.0]])
    found = analytical.analytical(functional, dysfunctional, np.array([[1.0], [np.nan], [0.0]]))
    assert (found.functional, found.dysfunctional) == pytest.approx((0.5, 0))


def test_vectors_of_resamples():
    often = np.random.default_rng(0).integers(0, 3, (2, 4, 358))
    found = analytical.analytical(*TRANSFERS, weights=often)
    assert found.angle.shape == (2, 4, 6)
    repeated = np.repeat(np.arange(358), often[1, 3])
    alone = analytical.analytical(*(answers[repeated] for answers in TRANSFERS))
    np.testing.assert_allclose(found.angle[1, 3], alone.angle)
    assert np.isnan(analytical.analytical(*TRANSFERS, weights=np.zeros(358)).angle).all()


def test_analytical_refuses():
    with pytest.raises(ValueError, match="between 0 and 1"):
        analytical.analytical([[1]], [[1]], [[7]])
    with pytest.raises(ValueError, match="positions"):
        analytical.analytical([[7]], [[1]])
    with pytest.raises(ValueError, match="statements of importance"):
        analytical.analytical([[1]], [[1]], [1])


def test_importance_scale():
    assert importance.scaled([1, 5, 9, np.nan], 1, 9)[:3].tolist() == [0, 0.5, 1]
    for answers, lowest, highest in (([0], 1, 9), ([10], 1, 9), ([1], 1, 1)):
        with pytest.raises(ValueError, match="between"):
            importance.scaled(answers, lowest, highest)


# ---- curves

X = np.linspace(0, 1, 11)


@given(st.floats(0, 1), st.floats(-1, 0))
def test_curves_are_those_of_wang_and_ji(better, worse):
    found = curves.satisfaction([ONE_DIMENSIONAL, ATTRACTIVE, MUST_BE], [better] * 3, [worse] * 3, X)
    e = np.e
    expected = [
        (better - worse) * X + worse,
        (better - worse) / (e - 1) * np.exp(X) - (better - e * worse) / (e - 1),
        -e * (better - worse) / (e - 1) * np.exp(-X) + (e * better - worse) / (e - 1),
    ]
    np.testing.assert_allclose(found, expected, atol=1e-12)
    # a function in use stops short of full fulfilment and prints what it reads there as Better
    np.testing.assert_allclose(found[:, -1], better, atol=1e-12)
    np.testing.assert_allclose(found[:, 0], worse, atol=1e-12)


def test_attractive_rises_late_and_must_be_early():
    one_dimensional, attractive, must_be = curves.satisfaction(
        [ONE_DIMENSIONAL, ATTRACTIVE, MUST_BE], [0.5] * 3, [-0.5] * 3, X
    )
    assert (attractive[1:-1] < one_dimensional[1:-1]).all() and (must_be[1:-1] > one_dimensional[1:-1]).all()


def test_curves_need_a_class_and_signs():
    assert np.isnan(curves.satisfaction([INDIFFERENT, REVERSE, evaluation.MISSING], 0.2, -0.2, X)).all()
    with pytest.raises(ValueError, match="Worse between -1 and 0"):
        curves.satisfaction(ATTRACTIVE, 0.5, 0.5, X)
    with pytest.raises(ValueError, match="Fulfilment"):
        curves.satisfaction(ATTRACTIVE, 0.5, -0.5, [1.2])
