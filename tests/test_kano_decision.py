"""What to do: three stages of choice, a budget, the respondents that a class needs, stated against shown importance."""

import itertools

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats

from helpers.models.kano import decision, importance, rules, sample_size
from helpers.models.kano.evaluation import ATTRACTIVE, INDIFFERENT, MUST_BE, ONE_DIMENSIONAL
from tests.published import kano as published

TRANSFERS = np.array([row[0] for row in published.TRANSFERS.values()])

# ---- three stages

KINDS = np.array([[MUST_BE, ONE_DIMENSIONAL, ATTRACTIVE, INDIFFERENT]])


def choice(*offers, classes=KINDS, **settings):
    return decision.three_stage_choice(offers, classes, **settings)


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
    found = decision.three_stage_choice(offers, classes)
    assert found.chosen.sum() + found.nothing_left == pytest.approx(1)
    assert found.after_screen.sum() + found.nothing_left == pytest.approx(1)
    assert (found.chosen <= found.survives + 1e-12).all()
    again = decision.three_stage_choice(offers[::-1, ::-1], classes[::-1, ::-1])
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
    ):
        with pytest.raises(ValueError, match=message):
            decision.three_stage_choice(offers, classes, **more)


def test_customers_drawn_from_counts():
    drawn = decision.drawn_customers(TRANSFERS, 40_000)
    shares = np.stack([(drawn == kind).mean(axis=0) for kind in range(6)], axis=-1)
    np.testing.assert_allclose(shares, TRANSFERS / 358, atol=0.012)
    assert (decision.drawn_customers([[0, 0, 7, 0, 0, 0]], 50) == MUST_BE).all()
    with pytest.raises(ValueError, match="needs answers"):
        decision.drawn_customers(np.zeros((1, 6)))


# ---- budget


def best_of_all(cost, gain, budget):
    """Highest gain, then lowest cost, of all subsets."""
    subsets = (
        list(subset) for size in range(len(cost) + 1) for subset in itertools.combinations(range(len(cost)), size)
    )
    affordable = [subset for subset in subsets if sum(cost[subset]) <= budget]
    return min((-round(float(sum(gain[subset])), 9), float(sum(cost[subset]))) for subset in affordable)


@example([(1, 2, 0), (1, 2, 0), (24, 2, 1)], 25)  # one of two must-be requirements that gain nothing is payable
@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 3), st.integers(-2, 9)), min_size=1, max_size=8),
    st.integers(0, 90),
)
def test_budget_choice_is_the_best_of_all(requirements, budget):
    cost, kind, gain = (np.array(column, float) for column in zip(*requirements, strict=True))
    found = decision.choose_under_budget(cost, kind, gain, budget)
    must_be, needed = kind == MUST_BE, cost[kind == MUST_BE].sum()
    assert found.cost <= budget and found.cost == cost[found.chosen].sum()
    if needed <= budget:
        assert not found.unpaid_must_be.any() and found.chosen[must_be].all()
        pool, left, chosen = ~must_be, budget - needed, found.chosen & ~must_be
    else:
        assert found.unpaid_must_be.any() and not found.chosen[~must_be].any()
        pool, left, chosen = must_be, budget, found.chosen
        gain = np.maximum(gain, decision.NEGLIGIBLE * max(gain[must_be].max(), 1))
    expected = best_of_all(cost[pool], gain[pool], left)
    assert (-gain[chosen].sum(), cost[chosen].sum()) == pytest.approx(expected)


def test_a_ratio_rule_would_choose_worse():
    """Best gain per cost first takes the small one and cannot pay the large one."""
    found = decision.choose_under_budget([1, 10], [ATTRACTIVE, ATTRACTIVE], [0.2, 1.0], 10)
    assert found.chosen.tolist() == [False, True]


def test_must_be_comes_before_any_gain():
    found = decision.choose_under_budget([5, 5], [MUST_BE, ATTRACTIVE], [0.0, 9.0], 5)
    assert found.chosen.tolist() == [True, False]


def test_unpaid_must_be_are_named():
    found = decision.choose_under_budget([6, 5, 4, 0], [MUST_BE] * 3 + [ATTRACTIVE], [0.9, 0.5, 0.5, 1], 9)
    assert found.chosen.tolist() == [False, True, True, False]
    assert found.unpaid_must_be.tolist() == [True, False, False, False]
    found = decision.choose_under_budget([6, 5, 1, 0], [MUST_BE] * 4, [0.9, 0.5, 0, 0], 9)
    assert found.chosen.tolist() == [True, False, True, True]


def test_budget_is_kept_to_the_last_cent():
    assert not decision.choose_under_budget([1_000_001], [ATTRACTIVE], [1], 1_000_000).chosen.any()
    cost = np.array([600_000.0, 400_001.0, 399_999.0])
    assert decision.choose_under_budget(cost, [ATTRACTIVE] * 3, [2, 1, 0.9], 1_000_000).cost == 999_999
    tight = np.array([600_000_000.0, 400_000_001.0, 399_999_999.0])
    assert decision.choose_under_budget(tight, [ATTRACTIVE] * 3, [2, 1, 0.9], 1_000_000_000).cost == 999_999_999
    assert decision.choose_under_budget([0.1, 0.2], [MUST_BE] * 2, [1, 1], 0.3).chosen.all()
    assert decision.choose_under_budget([0.1, 0.2], [ATTRACTIVE] * 2, [1, 1], 0.3).chosen.all()


def test_budget_choice_refuses_what_makes_no_sense():
    for cost, kind, gain, budget in (
        ([-1], [0], [1], 1),
        ([1], [0], [np.nan], 1),
        ([1], [0], [1], -1),
        ([1], [0], [1], np.inf),
        ([1, 2], [0], [1], 1),
    ):
        with pytest.raises(ValueError, match=r"Costs and the budget|one cost"):
            decision.choose_under_budget(cost, kind, gain, budget)
    assert not len(decision.choose_under_budget([], [], [], 1).chosen)


# ---- sample size


def test_published_curve_of_sample_size():
    """Ties among few respondents were counted in another way there."""
    sizes = published.TRANSFER_SAMPLE_SIZES
    found = sample_size.same_class_share(TRANSFERS, list(sizes)).mean(axis=0)
    np.testing.assert_allclose(found, list(sizes.values()), atol=0.025)


@pytest.mark.parametrize("counts", [(6, 3, 1, 0, 0, 2), (4, 4, 1, 3, 0, 0), (0, 0, 5, 4, 0, 0)])
@pytest.mark.parametrize("rule", [rules.by_mode, rules.by_priority, rules.by_blauth])
def test_share_is_that_of_all_subsamples(counts, rule):
    people = np.repeat(np.arange(6), counts)
    for size in (1, 3, 5):
        drawn = np.array(list(itertools.combinations(people, size)))
        named = rule((drawn[:, :, None] == np.arange(6)).sum(axis=1))
        expected = ((named & rule(counts)).sum(axis=1) / named.sum(axis=1)).mean()
        found = sample_size.same_class_share(counts, [size], rule, draws=20_000)[0]
        assert found == pytest.approx(expected, abs=0.016), size


def test_the_whole_sample_agrees_with_itself_and_more_cannot_be_drawn():
    found = sample_size.same_class_share(TRANSFERS[:2], [358, 359], draws=20)
    assert found[:, 0].tolist() == [1, 1] and np.isnan(found[:, 1]).all()
    turned = sample_size.same_class_share(TRANSFERS[1::-1], [40], draws=200)
    np.testing.assert_array_equal(turned[::-1], sample_size.same_class_share(TRANSFERS[:2], [40], draws=200))


def test_sample_size_refuses():
    with pytest.raises(ValueError, match="whole numbers"):
        sample_size.same_class_share([1.5, 0, 0, 0, 0, 0], [1])
    with pytest.raises(ValueError, match="at least one"):
        sample_size.same_class_share([5, 0, 0, 0, 0, 0], [0])


# ---- importance


def test_stated_importance():
    answers = np.array([[1, 9, np.nan], [3, np.nan, np.nan]])
    found = importance.stated(answers, [[1, 1], [3, 1], [0, 1]])
    np.testing.assert_allclose(found, [[2, 9, np.nan], [1.5, 9, np.nan], [3, np.nan, np.nan]])
    np.testing.assert_allclose(importance.stated(answers), found[0])


def test_span_is_better_less_worse():
    np.testing.assert_allclose(
        importance.span(TRANSFERS), [better - worse for _, better, worse, _ in published.TRANSFERS.values()], atol=2e-7
    )


def test_importance_from_satisfaction_is_pearsons_correlation():
    rng = np.random.default_rng(1)
    fulfilment = rng.normal(size=(80, 3))
    satisfaction = fulfilment @ [1, 0.3, 0] + rng.normal(size=80) + 1e4
    fulfilment[5:20, 0], fulfilment[:, 2] = np.nan, 4
    often = rng.integers(0, 3, (2, 80))
    found = importance.with_satisfaction(fulfilment, satisfaction, np.concatenate([np.ones((1, 80)), often]))
    for place in range(2):
        known = np.isfinite(fulfilment[:, place])
        assert found[0, place] == pytest.approx(stats.pearsonr(fulfilment[known, place], satisfaction[known])[0])
        rows = np.repeat(np.flatnonzero(known), often[1][known])
        assert found[2, place] == pytest.approx(stats.pearsonr(fulfilment[rows, place], satisfaction[rows])[0])
    assert (
        np.isnan(found[:, 2]).all()
        and np.isnan(importance.with_satisfaction(fulfilment, satisfaction, np.zeros(80))).all()
    )


def test_rank_agreement_is_spearmans():
    rng = np.random.default_rng(2)
    first, second = rng.integers(0, 5, (2, 4, 7)).astype(float)
    found = importance.rank_agreement(first, second)
    expected = [stats.spearmanr(one, other).statistic for one, other in zip(first, second, strict=True)]
    np.testing.assert_allclose(found, expected)
    assert np.isnan(importance.rank_agreement([1, 2, np.nan], [1, 2, 3])) and np.isnan(
        importance.rank_agreement([1, 1], [1, 2])
    )


def test_gaps_between_what_is_said_and_what_is_shown():
    found = importance.gaps([9, 9, 1, 1, 5], [1.5, 0.1, 1.5, 0.1, np.nan])
    assert found.tolist() == ["both_high", "overstated", "hidden", "both_low", ""]
