"""Four classes and how firm they are; two claims about both values, true and false."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from helpers.models.quadrants import MEDIAN, Rule, classify, cuts, stability, totals, under_moved_cuts
from helpers.models.referral_value import comparison
from helpers.models.referral_value.classes import CLASSES
from helpers.models.referral_value.comparison import (
    association,
    compare,
    distinct_verdict,
    equal_at,
    larger_verdict,
    threshold,
)

AFFLUENTS, CHAMPIONS, ADVOCATES, MISERS = range(4)
LIFETIME, REFERRAL = np.array([1.0, 9, 2, 8]), np.array([0.0, 0, 5, 7])


def classed(lifetime, referral, rule=MEDIAN):
    return classify(lifetime, referral, cuts(lifetime, rule), cuts(referral, rule))


def test_four_customers_by_hand():
    # medians 5 and 2.5: low/low, high/low, low/high, high/high
    assert classed(LIFETIME, REFERRAL).tolist() == [MISERS, AFFLUENTS, ADVOCATES, CHAMPIONS]
    found = totals(LIFETIME, REFERRAL, classed(LIFETIME, REFERRAL))
    assert found.customers.tolist() == [1, 1, 1, 1] and found.share.tolist() == [0.25] * 4
    assert found.first.tolist() == [9, 8, 2, 1] and found.second.tolist() == [0, 7, 5, 0]


def test_rules_by_hand():
    values = np.array([-4.0, 0, 0, 1, 8])
    places = {"median": 0, "mean": 1, "positive": 0}
    assert {name: cuts(values, Rule(name)) for name in places} == places
    assert cuts(values, Rule("quantile", 0.75)) == 1 and cuts(values, Rule("fixed", 2.5)) == 2.5
    np.testing.assert_array_equal(cuts(np.stack([values, 2 * values]), Rule("mean")), [1, 2])


def test_whoever_brought_value_is_high_where_most_bring_nobody():
    assert classed([1, 2, 3, 4, 5], [0, 0, 0, 0, 1]).tolist() == [MISERS, MISERS, MISERS, AFFLUENTS, CHAMPIONS]
    assert (classed([3, 3, 3], [0, 0, 0]) == MISERS).all()  # nobody is strictly above


@given(st.integers(0, 10_000), st.sampled_from([Rule(), Rule("mean"), Rule("positive"), Rule("quantile", 0.8)]))
@example(412, Rule("mean"))  # one customer is at the mean, but for the rounding of its sum
def test_classes_partition_and_know_neither_currency_nor_names(seed, rule):
    rng = np.random.default_rng(seed)
    lifetime = rng.lognormal(3, 1, 60).round(1)
    referral = np.where(rng.random(60) < 0.5, rng.normal(5, 10, 60).round(1), 0)
    found = classed(lifetime, referral, rule)
    assert totals(lifetime, referral, found).customers.sum() == 60
    np.testing.assert_array_equal(classed(8 * lifetime, 8 * referral, rule), found)
    order = rng.permutation(60)
    np.testing.assert_array_equal(classed(lifetime[order], referral[order], rule), found[order])


def test_draws_are_classed_at_once():
    lifetime, referral = np.stack([LIFETIME, LIFETIME[::-1]]), np.stack([REFERRAL, REFERRAL[::-1]])
    np.testing.assert_array_equal(classed(lifetime, referral)[1], classed(LIFETIME, REFERRAL)[::-1])


@pytest.mark.parametrize("name, at", [("middle", None), ("quantile", None), ("fixed", None), ("quantile", 2)])
def test_rules_that_say_nothing_are_refused(name, at):
    with pytest.raises(ValueError):
        Rule(name, at)


def test_customers_without_value_cannot_be_classed():
    with pytest.raises(ValueError, match="missing"):
        classify([1.0, np.nan], [0.0, 1.0], 1, 0)
    with pytest.raises(ValueError, match="no customers"):
        cuts([])
    with pytest.raises(ValueError, match="at least one draw"):
        stability([], [], [0, 1])


def test_stability_by_hand():
    # the first two swap places in half of the draws; the cuts move with the values
    other = LIFETIME[[1, 0, 2, 3]]
    found = stability([LIFETIME, other], [REFERRAL] * 2, classed(LIFETIME, REFERRAL))
    assert found.own.tolist() == [0.5, 0.5, 1, 1]
    assert found.probability[0].tolist() == [0.5, 0, 0, 0.5]
    assert found.share.value.tolist() == [0.25] * 4
    fixed = stability([LIFETIME, 0 * LIFETIME], [REFERRAL] * 2, [0] * 4, first_rule=Rule("fixed", 5))
    assert fixed.share.value.tolist() == [0.125, 0.125, 0.375, 0.375]


def test_stability_is_the_probability_of_the_class():
    """Normal values about a fixed cut: the probability of being above it is known."""
    rng = np.random.default_rng(0)
    lifetime, referral = np.array([-1.0, 0.5, 2.0]), np.array([1.0, 0.0, -0.3])
    drawn = [values + rng.normal(size=(4000, 3)) for values in (lifetime, referral)]
    rule = Rule("fixed", 0)
    own = classed(lifetime, referral, rule)
    found = stability(*drawn, own, first_rule=rule, second_rule=rule)
    expected = stats.norm.cdf(np.abs(lifetime)) * stats.norm.cdf(np.abs(referral))
    np.testing.assert_allclose(found.own, expected, atol=0.03)
    np.testing.assert_allclose(found.probability.sum(axis=1), 1, rtol=1e-6)
    assert (found.share.low <= found.share.value).all() and (found.share.value <= found.share.high).all()


def test_moved_cuts_by_hand():
    # ten customers, of whom the last three brought 1, 2, 3; a tenth is one customer
    lifetime, referral = np.arange(10.0), np.array([0.0] * 7 + [1, 2, 3])
    found = under_moved_cuts(lifetime, referral, 4.5, 0, steps=(-0.2, 0, 0.1, 0.9))
    assert found.cut.tolist() == [[2, 4, 5, 9], [0, 0, 1, 3]]
    np.testing.assert_allclose(found.changed, [[0.2, 0, 0.1, 0.5], [0, 0, 0.1, 0.3]])
    np.testing.assert_allclose(found.share.sum(axis=-1), 1)
    assert found.share[0, 3, AFFLUENTS] == 0 and CLASSES[ADVOCATES] == "advocates"


# ---- referral value is worth more: A07


def customers(size, factor, seed=0):
    """Lifetime values, and referral values of a tenth of the customers with `factor` times their mean."""
    rng = np.random.default_rng(seed)
    lifetime = rng.lognormal(3, 0.5, size)
    return lifetime, np.where(rng.random(size) < 0.1, 10 * factor * rng.lognormal(3, 0.5, size), 0)


@pytest.mark.parametrize(
    "none, every, verdict", [(1.5, 2, "supported"), (0.2, 0.5, "not supported"), (0.5, 1.5, "depends")]
)
def test_planted_truth_of_the_larger_value_comes_out(none, every, verdict):
    lifetime, referral = customers(4000, 1)
    found = compare(lifetime, np.stack([none * referral, every * referral]))
    assert larger_verdict(found) == verdict
    # referral value goes from half to one and a half times the lifetime value, so p1* is about 1/2
    if verdict == "depends":
        at = threshold(found, [0, 1])
        assert at.low < 0.5 < at.high and at.value == pytest.approx(0.5, abs=0.1)


def test_nothing_to_test_without_referrals_or_customers():
    assert larger_verdict(compare([1.0, 2.0, 3.0], [0.0, 0.0, 0.0])) == "cannot be tested"
    alone = compare([1.0], [5.0])
    assert larger_verdict(alone) == "cannot be tested" and alone.difference.value == [4]
    assert distinct_verdict(association([1.0], [5.0])) == "cannot be tested"
    assert distinct_verdict(association([1.0, 2.0, 3.0], [0.0, 0.0, 0.0])) == "cannot be tested"
    with pytest.raises(ValueError, match="no customers"):
        compare([], [])
    with pytest.raises(ValueError, match="missing"):
        compare([1.0, np.nan], [1.0, 2.0])
    with pytest.raises(ValueError, match="Each customer"):
        association([1.0, 2.0], [1.0])


def test_threshold_by_hand():
    # 40 + p (130 - 40) = 100 at p = 2/3
    assert equal_at(100, 40, 130) == pytest.approx(2 / 3)
    assert np.isnan(equal_at(100, 40, 40)) and equal_at(100, 120, 130) == -2


def test_threshold_of_what_bends_is_that_of_its_pieces():
    """Credit that passes on squares the probability: 0.2 + p^2 of the lifetime value is all of it at 0.894."""
    lifetime, _ = customers(500, 1)
    knots = np.array([0, 0.25, 0.5, 0.75, 1])
    found = compare(lifetime, np.array([(0.2 + p**2) * lifetime for p in knots]))
    at = threshold(found, slice(None), knots)
    assert at.value == pytest.approx(0.75 + 0.25 * (0.8 - 0.75**2) / (1 - 0.75**2)) == pytest.approx(0.8**0.5, abs=0.01)
    assert at.low == pytest.approx(at.value) == at.high
    # the two ends of a line say where it would be beyond them
    assert threshold(compare(lifetime, np.stack([0.2 * lifetime, 0.6 * lifetime])), [0, 1]).value == pytest.approx(2)


def test_means_by_decile_are_those_of_the_customers():
    lifetime, referral = customers(997, 1)
    found = compare(lifetime, referral, resamples=20)
    order = np.argsort(-lifetime, kind="stable")
    split = np.array_split(referral[order], 10)
    assert found.decile_customers.sum() == 997 and np.ptp(found.decile_customers) <= 1
    first = found.decile_customers[0]
    assert found.decile_lifetime_value.value[0] == pytest.approx(lifetime[order][:first].mean())
    assert found.decile_referral_value.value[0, 0] == pytest.approx(split[0].mean(), rel=0.05)
    assert found.difference.value[0] == pytest.approx(referral.mean() - lifetime.mean())
    assert found.referrers[0] == (referral != 0).sum()


def test_groups_tell_as_much_as_customers():
    """The interval of a mean from 1,000 groups of 20 is that of the normal approximation from all customers."""
    lifetime, referral = customers(20_000, 1)
    found = compare(lifetime, referral, resamples=2000).difference
    error = np.std(referral - lifetime) / np.sqrt(20_000)
    assert (found.high - found.low)[0] == pytest.approx(2 * 1.96 * error, rel=0.1)


def test_draws_widen_the_interval():
    lifetime, referral = customers(20_000, 1)
    scale = np.random.default_rng(1).normal(1, 0.2, 200)
    found = compare(lifetime, referral, draws=((lifetime, each * referral) for each in scale)).referral_value
    assert (found.high - found.low)[0] == pytest.approx(2 * 1.96 * 0.2 * referral.mean(), rel=0.2)


# ---- other people: A08


@pytest.mark.parametrize("same, verdict", [(0.0, "supported"), (1.0, "not supported")])
def test_planted_truth_of_the_same_people_comes_out(same, verdict):
    rng = np.random.default_rng(2)
    lifetime, other = rng.lognormal(3, 1, (2, 3000))
    both = same * np.log(lifetime) + (1 - same) * np.log(other) + rng.normal(0, 0.1, 3000)
    referral = np.where(both > np.quantile(both, 0.6), np.exp(both), 0)
    found = association(lifetime, referral, resamples=200)
    assert distinct_verdict(found) == verdict
    assert found.spearman.value == pytest.approx(stats.spearmanr(lifetime, referral).statistic)
    assert found.spearman.low < found.spearman.value < found.spearman.high
    assert found.size.tolist() == [300, 600, 900]
    if same:
        assert (found.p_value < 1e-9).all() and (found.overlap.value > found.expected).all()
    else:
        assert (found.p_value > 0.001).all()
        np.testing.assert_allclose(found.overlap.value, found.expected, atol=0.05)


@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(-2, 3)), min_size=2, max_size=30))
def test_rank_correlation_is_scipys_however_many_are_tied(pairs):
    lifetime, referral = np.array(pairs, float).T
    found = association(lifetime, referral, resamples=2).spearman.value
    if np.ptp(lifetime) and np.ptp(referral):
        assert found == pytest.approx(stats.spearmanr(lifetime, referral).statistic, abs=1e-12)
    else:
        assert np.isnan(found)


def test_overlap_by_hand():
    # the top three of ten by lifetime value are the last three; 9 and 8 brought most, and 7, 1, 0 tie for one place
    lifetime = np.arange(10.0)
    referral = np.array([1.0, 1, 0, 0, 0, 0, 0, 1, 3, 2])
    found = association(lifetime, referral, top=[0.3], resamples=50)
    assert found.size.tolist() == [3] and found.overlap.value == pytest.approx([(2 + 1 / 3) / 3])
    # P(2 or more of 3) = (3 x 7 + 1) / 120, P(3) = 1 / 120: a third of the way from one to the other, both sides
    assert found.p_value == pytest.approx([2 * (2 / 3 * 22 / 120 + 1 / 3 * 1 / 120)])


def test_top_is_no_larger_than_those_who_brought_value():
    found = association(np.arange(100.0), np.r_[np.zeros(96), 1, 2, 3, 4], top=[0.1, 0.02], resamples=50)
    assert found.size.tolist() == [4, 2] and found.overlap.value.tolist() == [1, 1]


def test_m_out_of_n_gives_the_width_of_all(monkeypatch):
    rng = np.random.default_rng(4)
    lifetime = rng.normal(size=4000)
    referral = lifetime + rng.normal(size=4000)
    widths = []
    for ranked in (4000, 1000):
        monkeypatch.setattr(comparison, "RANKED", ranked)
        found = association(lifetime, referral, top=[0.2], resamples=400)
        widths.append([found.spearman.high - found.spearman.low, *(found.overlap.high - found.overlap.low)])
    np.testing.assert_allclose(widths[1], widths[0], rtol=0.25)


def test_scaling_and_relabelling_change_no_claim():
    lifetime, referral = customers(500, 1)
    order = np.random.default_rng(0).permutation(500)
    one, other = (
        association(values[0], values[1], resamples=50)
        for values in ((lifetime, referral), (7 * lifetime[order], 7 * referral[order]))
    )
    np.testing.assert_allclose(other.overlap.value, one.overlap.value)
    np.testing.assert_allclose(other.p_value, one.p_value)
    one, other = (compare(factor * lifetime, factor * referral) for factor in (1, 7))
    np.testing.assert_allclose(other.difference.low, 7 * one.difference.low)
