"""Three stages of choice: who excludes what, what is weighed, and what it costs to leave a requirement out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from helpers.models import resampling
from helpers.models.kano import choice as model
from helpers.models.kano import evaluation
from helpers.models.kano.evaluation import ATTRACTIVE, INDIFFERENT, MISSING, MUST_BE, ONE_DIMENSIONAL
from tests.published import kano as published

TRANSFERS = np.array([row[0] for row in published.TRANSFERS.values()])
COUNTS = arrays(int, (4, 6), elements=st.integers(0, 40))

# ---- three stages

KINDS = np.array([[MUST_BE, ONE_DIMENSIONAL, ATTRACTIVE, INDIFFERENT]])


def choice(*offers, classes=KINDS, **choices):
    return model.three_stage_choice(offers, classes, **choices)


def test_an_unmet_must_be_excludes_whatever_else_there_is():
    found = choice((0, 1, 1, 1), (1, 0, 0, 0))
    assert found.survives.tolist() == [0, 1] and found.chosen.tolist() == [0, 1]
    assert found.excluded_by.tolist() == [[1, 0, 0, 0], [0, 0, 0, 0]]
    assert found.without_screen[0] > 0.95  # one logit over everything would have chosen the other
    assert found.nothing_left == 0 and found.delight[1] == 0 and np.isnan(found.delight[0])


def test_more_of_a_must_be_than_acceptable_changes_nothing():
    low, high = choice((0.5, 0.5, 0, 0), (1, 0.5, 0, 0)).chosen
    assert low == high == 0.5
    assert choice((0.5, 0.5, 0, 0), (1, 0.5, 0, 0), acceptable=0.8).chosen.tolist() == [0, 1]


def test_one_dimensional_decides_by_a_logit_and_attractive_delights_afterwards():
    found = choice((1, 1.0, 0, 0), (1, 0.5, 1, 1), sharpness=2)
    assert found.chosen[0] == pytest.approx(1 / (1 + np.exp(-2 * 0.5)))
    np.testing.assert_allclose(found.after_screen, 0.5)
    assert found.proportional.tolist() == [1, 0.5] and found.delight.tolist() == [0, 1]
    np.testing.assert_allclose(choice((1, 1, 0, 0), (1, 0.5, 1, 1), sharpness=0).chosen, 0.5)
    twice = choice((1, 1.0, 0, 0), (1, 0.5, 1, 1), sharpness=1, importance=[9, 2, 9, 9])
    assert twice.chosen == pytest.approx(found.chosen)


def test_customers_who_exclude_everything_choose_nothing():
    found = choice((0, 1, 1, 1), classes=np.array([[MUST_BE, 1, 0, 3], [ONE_DIMENSIONAL, 1, 0, 3]]))
    assert found.nothing_left == 0.5 and found.chosen.tolist() == [0.5] and found.survives.tolist() == [0.5]
    assert found.without_screen.tolist() == [1]


@given(st.integers(0, 10_000))
def test_shares_add_up_and_order_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    offers, classes = rng.random((3, 5)), rng.integers(-1, 6, (20, 5))
    found = model.three_stage_choice(offers, classes)
    assert found.chosen.sum() + found.nothing_left == pytest.approx(1)
    assert found.after_screen.sum() + found.nothing_left == pytest.approx(1)
    assert (found.chosen <= found.survives + 1e-12).all()
    again = model.three_stage_choice(offers[::-1, ::-1], classes[::-1, ::-1])
    np.testing.assert_allclose(again.chosen, found.chosen[::-1])
    np.testing.assert_allclose(again.delight, found.delight[::-1])


def test_choice_refuses_what_makes_no_sense():
    for offers, classes, more, message in (
        ([], KINDS, {}, "offers and customers"),
        ([[1, 1, 1, 1]], np.empty((0, 4)), {}, "offers and customers"),
        ([[1, 1, 1]], KINDS, {}, "same requirements"),
        ([[1, 1, 1, 2]], KINDS, {}, "between 0 and 1"),
        ([[1, 1, 1, np.nan]], KINDS, {}, "between 0 and 1"),
        ([[1, 1, 1, 1]], KINDS, {"importance": [1, 1, 1, -1]}, "at least 0"),
        ([[1, 1, 1, 1]], KINDS, {"sharpness": -1}, "at least 0"),
        ([[1, 1, 1, 1]], KINDS, {"weights": [1, 1]}, "same customers"),
        ([[1, 1, 1, 1]], KINDS, {"weights": [-1]}, "same customers"),
    ):
        with pytest.raises(ValueError, match=message):
            model.three_stage_choice(offers, classes, **more)


def test_customers_drawn_from_counts():
    drawn = model.drawn_customers(TRANSFERS, 40_000)
    shares = np.stack([(drawn == kind).mean(axis=0) for kind in range(6)], axis=-1)
    np.testing.assert_allclose(shares, TRANSFERS / 358, atol=0.012)
    assert (model.drawn_customers([[0, 0, 7, 0, 0, 0]], 50) == MUST_BE).all()
    with pytest.raises(ValueError, match="needs answers"):
        model.drawn_customers(np.zeros((1, 6)))


def survey(seed, customers=40, requirements=4):
    rng = np.random.default_rng(seed)
    return rng.integers(-1, 6, (customers, requirements)), rng


# ---- resamples


def test_all_resamples_at_once_are_those_of_each():
    classes, rng = survey(1)
    offers, importance = rng.random((3, 4)), rng.random(4)
    often = next(resampling.resampled_counts(len(classes), 5, seed=2))
    found = model.three_stage_choice(offers, classes, often, importance=importance)
    shapes = {name: (5, 3) for name in vars(found)} | {"excluded_by": (5, 3, 4), "nothing_left": (5,)}
    for place, counts in enumerate(often.astype(int)):
        drawn = model.three_stage_choice(offers, np.repeat(classes, counts, axis=0), importance=importance)
        for name, values in vars(found).items():
            assert values.shape == shapes[name]
            np.testing.assert_allclose(values[place], getattr(drawn, name), err_msg=name, atol=1e-12)


def test_nobody_chooses_nothing():
    found = model.three_stage_choice([[1, 1, 1, 1]], KINDS, [[0], [1]])
    assert np.isnan(found.chosen[0]).all() and np.isnan(found.nothing_left[0]) and found.chosen[1].tolist() == [1]


# ---- leaving one requirement out


@pytest.mark.parametrize("choices", [{}, {"sharpness": 0.7}, {"importance": np.array([0.0, 0.3, 1, 2])}])
def test_leaving_out_is_the_three_stage_choice_against_a_full_rival(choices):
    """Requirement by requirement, of all who answered for it, whatever they said or did not say of the others."""
    classes, _ = survey(3)
    found = model.left_out(evaluation.counts(classes), **choices)
    for place, column in enumerate(classes.T):
        offers = np.ones((2, 4))
        offers[0, place] = 0
        known = classes[column != MISSING]
        chosen = model.three_stage_choice(offers, known, **choices)
        assert found.total[place] == pytest.approx(0.5 - chosen.chosen[0])
        assert found.screened[place] == pytest.approx(0.5 - chosen.after_screen[0])
        delighted = known[:, place] == ATTRACTIVE
        kept = model.three_stage_choice(offers, known, delighted, **choices).chosen[0]
        assert found.delight_lost[place] == pytest.approx(delighted.mean() * kept)


def test_leaving_out_in_resamples():
    classes, _ = survey(4)
    often = next(resampling.resampled_counts(len(classes), 3, seed=5))
    found = model.left_out(evaluation.counts(classes, often), importance=often[:, :4])
    for place, counts in enumerate(often.astype(int)):
        drawn = np.repeat(classes, counts, axis=0)
        alone = model.left_out(evaluation.counts(drawn), importance=often[place, :4])
        for name, values in vars(found).items():
            np.testing.assert_allclose(values[place], getattr(alone, name), err_msg=name)


@given(st.sampled_from(range(6)), st.integers(1, 300), st.floats(0, 50))
def test_leaving_out_what_is_the_same_to_everyone(kind, customers, sharpness):
    """What the sources claim: must-be excludes, one-dimensional alone is weighed, attractive shows afterwards."""
    found = model.left_out(customers * np.eye(6)[[kind]], sharpness=sharpness)
    weighed = 0.5 - 1 / (1 + np.exp(sharpness))
    assert found.screened == 0.5 * (kind == MUST_BE)
    assert found.weighed == pytest.approx(weighed * (kind == ONE_DIMENSIONAL))
    assert found.delight_lost == 0.5 * (kind == ATTRACTIVE)


@settings(max_examples=50)
@given(COUNTS, st.floats(0, 20), st.floats(0, 20), st.permutations([ATTRACTIVE, INDIFFERENT, 4, 5]))
def test_only_one_dimensional_requirements_are_weighed(counts, first, second, order):
    low, high = (model.left_out(counts, sharpness=value) for value in sorted((first, second)))
    known = counts.sum(axis=-1) > 0
    for found in (low, high):
        assert (found.total[known] >= 0).all()
        assert (found.total + found.delight_lost)[known].max(initial=0) <= 0.5 + 1e-12
        assert all(np.isnan(values[~known]).all() for values in vars(found).values())
    assert (low.total <= high.total)[known].all()
    np.testing.assert_array_equal(low.screened, high.screened)
    np.testing.assert_array_equal(low.delight_lost, high.delight_lost)
    other = counts.copy()
    other[:, [ATTRACTIVE, INDIFFERENT, 4, 5]] = counts[:, order]
    np.testing.assert_array_equal(
        model.left_out(other, sharpness=first).total, model.left_out(counts, sharpness=first).total
    )
    none = counts * (np.arange(6) != ONE_DIMENSIONAL)
    weighed = model.left_out(none, sharpness=first).weighed
    assert (weighed[none.sum(axis=-1) > 0] == 0).all()


def test_what_the_transfers_would_lose():
    """By hand from the published counts: security is must-be to 90 and one-dimensional to 174 of 358."""
    found = model.left_out(TRANSFERS)
    assert found.screened[4] == pytest.approx(90 / 358 / 2)
    assert found.weighed[4] == pytest.approx(174 / 358 * (0.5 - 1 / (1 + np.exp(4))))
    assert found.delight_lost[3] == pytest.approx(145 / 358 / 2)
    assert found.total.argmax() == 4 and found.delight_lost.argmax() == 3
    unknown = model.left_out(TRANSFERS, importance=[np.nan, 1, 1, 1, 1, 1])
    assert np.isnan(unknown.total).tolist() == [True] + [False] * 5 and np.isfinite(unknown.screened).all()


@pytest.mark.parametrize(
    "counts, choices",
    [
        ([[-1, 0, 0, 0, 0, 0]], {}),
        ([[np.nan, 0, 0, 0, 0, 0]], {}),
        ([[1, 2, 3]], {}),
        ([[1] * 6], {"importance": [-1]}),
        ([[1] * 6], {"sharpness": -1}),
    ],
)
def test_leaving_out_refuses_what_makes_no_sense(counts, choices):
    with pytest.raises(ValueError, match="at least 0"):
        model.left_out(counts, **choices)
