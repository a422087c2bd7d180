"""From pairs of answers to classes and counts."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from helpers.models.kano.evaluation import (
    CLASSES,
    EVALUATION_TABLES,
    MISSING,
    NAMES,
    classify,
    counts,
    counts_of_pairs,
    pair_counts,
    same_answer_share,
)
from tests.published import kano as published

LIKE, MUST_BE, NEUTRAL, LIVE_WITH, DISLIKE = range(1, 6)


def class_of(functional, dysfunctional, table="standard"):
    return CLASSES[classify(functional, dysfunctional, table)]


def answers_of(pairs):
    """One row a respondent: functional and dysfunctional positions, as many as were counted."""
    rows = np.repeat([(f, d) for f in range(1, 6) for d in range(1, 6)], np.ravel(pairs), axis=0)
    return rows[:, 0], rows[:, 1]


def survey(draw_requirements=3):
    return st.integers(1, 12).flatmap(
        lambda people: arrays(float, (2, people, draw_requirements), elements=st.sampled_from([1, 2, 3, 4, 5, np.nan]))
    )


def test_standard_table_says_what_each_pair_means():
    """Berger et al. (1993): reasons from the meaning of the answers, not from the letters."""
    for functional, dysfunctional in itertools.product(range(1, 6), repeat=2):
        if functional == dysfunctional and functional in (LIKE, DISLIKE):
            expected = "Q"  # likes both, dislikes both
        elif functional == LIKE:
            expected = "O" if dysfunctional == DISLIKE else "A"
        elif functional == DISLIKE or dysfunctional == LIKE:
            expected = "R"
        else:
            expected = "M" if dysfunctional == DISLIKE else "I"
        assert class_of(functional, dysfunctional) == expected, (functional, dysfunctional)


def test_revised_table_differs_in_two_cells():
    different = np.argwhere(EVALUATION_TABLES["standard"] != EVALUATION_TABLES["revised"]) + 1
    assert different.tolist() == [[MUST_BE, MUST_BE], [LIVE_WITH, LIVE_WITH]]
    assert class_of(MUST_BE, MUST_BE, "revised") == class_of(LIVE_WITH, LIVE_WITH, "revised") == "Q"
    assert class_of(MUST_BE, MUST_BE) == class_of(LIVE_WITH, LIVE_WITH) == class_of(NEUTRAL, NEUTRAL, "revised") == "I"


def test_tables_cannot_be_changed_by_accident():
    with pytest.raises(ValueError, match="read-only"):
        EVALUATION_TABLES["standard"][0, 0] = 3


def test_faulty_tables_in_use_give_another_answer():
    """A public tool swaps the corners and counts half pairs as questionable."""
    assert class_of(LIKE, DISLIKE) == "O"  # there must-be
    assert class_of(DISLIKE, LIKE) == "R"  # there attractive
    assert class_of(LIKE, LIKE) == "Q"  # there indifferent; another one's help page prints one-dimensional
    assert classify(LIKE, np.nan) == classify(np.nan, DISLIKE) == classify(np.nan, np.nan) == MISSING
    swapped = EVALUATION_TABLES["standard"].copy()
    swapped[[0, 4, 0], [4, 0, 0]] = [CLASSES.index(letter) for letter in "MAI"]
    pairs = np.array(published.TRANSFER_PAIRS["convenient"])
    wrong = np.bincount(swapped.ravel(), weights=pairs.ravel(), minlength=6)
    assert CLASSES[wrong.argmax()] == "M"
    assert CLASSES[counts_of_pairs(pairs).argmax()] == "O"


@pytest.mark.parametrize("requirement", published.TRANSFERS)
def test_published_counts(requirement):
    pairs = published.TRANSFER_PAIRS[requirement]
    assert tuple(counts_of_pairs(pairs, "revised")) == published.TRANSFERS[requirement][0]
    assert tuple(counts_of_pairs(pairs, "standard")) == published.TRANSFERS_STANDARD[requirement][0]


@pytest.mark.parametrize("table", EVALUATION_TABLES)
def test_answers_one_by_one_give_the_same_counts(table):
    answers = [answers_of(pairs) for pairs in published.TRANSFER_PAIRS.values()]
    functional, dysfunctional = (np.column_stack(part) for part in zip(*answers, strict=True))
    pairs = pair_counts(functional, dysfunctional)
    np.testing.assert_array_equal(pairs, list(published.TRANSFER_PAIRS.values()))
    np.testing.assert_array_equal(counts(classify(functional, dysfunctional, table)), counts_of_pairs(pairs, table))


def test_classes_depend_on_pairs_not_on_the_two_distributions():
    """A public tool multiplies the distributions of the two answers; who gave both answers is what counts."""
    pairs = np.zeros((5, 5))
    pairs[LIKE - 1, DISLIKE - 1] = pairs[NEUTRAL - 1, NEUTRAL - 1] = 50
    independent = np.outer(pairs.sum(axis=1), pairs.sum(axis=0)) / pairs.sum()
    assert dict(zip(CLASSES, counts_of_pairs(pairs), strict=True)) == {"A": 0, "O": 50, "M": 0, "I": 50, "R": 0, "Q": 0}
    assert dict(zip(CLASSES, counts_of_pairs(independent), strict=True))["A"] == 25
    real = np.array(published.TRANSFER_PAIRS["convenient"], float)
    product = np.outer(real.sum(axis=1), real.sum(axis=0)) / real.sum()
    assert counts_of_pairs(real)[1] - counts_of_pairs(product)[1] > 15


@given(survey(), st.sampled_from(list(EVALUATION_TABLES)), st.randoms(use_true_random=False))
def test_order_of_respondents_and_requirements_does_not_matter(answers, table, random):
    functional, dysfunctional = answers
    found = counts(classify(functional, dysfunctional, table))
    people, requirements = list(range(len(functional))), list(range(3))
    random.shuffle(people), random.shuffle(requirements)
    again = counts(classify(functional[people], dysfunctional[people], table)[:, requirements])
    np.testing.assert_array_equal(again, found[requirements])
    complete = np.isfinite(functional + dysfunctional).sum(axis=0)
    np.testing.assert_array_equal(found.sum(axis=1), complete)
    np.testing.assert_array_equal(counts_of_pairs(pair_counts(functional, dysfunctional), table), found)


def test_weights_count_as_repetitions():
    rng = np.random.default_rng(0)
    functional, dysfunctional = rng.integers(1, 6, (2, 40, 3)).astype(float)
    functional[3, 1] = np.nan
    often = rng.integers(0, 4, (2, 5, 40))
    found = counts(classify(functional, dysfunctional), often)
    assert found.shape == (2, 5, 3, 6)
    repeated = np.repeat(np.arange(40), often[1, 2])
    np.testing.assert_array_equal(found[1, 2], counts(classify(functional[repeated], dysfunctional[repeated])))
    np.testing.assert_array_equal(
        pair_counts(functional, dysfunctional, often)[1, 2],
        pair_counts(functional[repeated], dysfunctional[repeated]),
    )


def test_same_answer_twice():
    pairs = np.zeros((2, 5, 5))
    pairs[0, 0, 0], pairs[0, 2, 2], pairs[0, 3, 3], pairs[0, 0, 4] = 1, 2, 3, 4
    share = same_answer_share(pairs)
    assert share[0] == pytest.approx(0.4) and np.isnan(share[1])


def test_nobody():
    nobody = np.empty((0, 2))
    np.testing.assert_array_equal(counts(classify(nobody, nobody)), np.zeros((2, 6)))
    np.testing.assert_array_equal(pair_counts(nobody, nobody), np.zeros((2, 5, 5)))


@pytest.mark.parametrize("answer", [0, 6, 2.5, -1, np.inf])
def test_refuses_what_is_no_position(answer):
    with pytest.raises(ValueError, match="positions 1, 2, 3, 4 or 5"):
        classify([answer, 1], [1, 1])
    with pytest.raises(ValueError, match="positions 1, 2, 3, 4 or 5"):
        classify([1, np.nan], [1, answer])


def test_refuses_unknown_tables_and_unpaired_answers():
    with pytest.raises(ValueError, match="'pouliot'; choose one of standard, revised"):
        classify(1, 1, "pouliot")
    with pytest.raises(ValueError, match="come in pairs"):
        classify([1, 2], [1, 2, 3])


def test_names_follow_the_classes():
    assert tuple(NAMES) == CLASSES == ("A", "O", "M", "I", "R", "Q")
