"""What referrals are worth: the formula, its parts, types that are not known, and totals that count once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.models.proportions import wilson
from helpers.models.referral_value import value
from helpers.models.referral_value.attribution import credit
from helpers.models.referral_value.value import (
    TypeOneShare,
    credited,
    firm_total,
    gross,
    parts,
    per_referrer,
    settled,
    type_one_draws,
    type_one_share,
)
from tests.test_referral_attribution import forests

MONEY = {"margin": [100.0], "incentive": [15.0], "marketing": [5.0], "saving": [40.0]}


def test_one_referral_by_hand():
    # type one: 100 - 15 - 5 + 40 = 120; type two: 40, or 40 - 15 = 25 when it is charged
    assert parts(**MONEY, type_one=1).net == [120]
    assert parts(**MONEY, type_one=0).net == [40]
    assert parts(**MONEY, type_one=0, charge_type_two=True).net == [25]
    # half of each: 0.5 x 120 + 0.5 x 40, a year later at 25 %
    assert parts(**MONEY, type_one=0.5, discount=0.8).net == pytest.approx([64])
    half = parts(**MONEY, type_one=0.5, charge_type_two=True)
    assert (half.margin, half.incentive, half.marketing, half.saving) == ([50], [15], [2.5], [40])


def test_the_published_formula():
    """The sum over periods t and referees y as Kumar, Petersen and Leone print it, at 15 % a year in half years."""
    rng, rate, first, everyone, periods = np.random.default_rng(3), 0.07238, 4, 7, 3
    margin, incentive, marketing, saving = rng.random((4, periods, everyone)) * 100
    expected = 0.0
    for t in range(1, periods + 1):
        for y in range(everyone):
            earned = margin[t - 1, y] - incentive[t - 1, y] - marketing[t - 1, y] if y < first else 0
            expected += (earned + saving[t - 1, y]) / (1 + rate) ** t
    discount = (1 + rate) ** -np.arange(1.0, periods + 1)[:, None]
    found = parts(margin, incentive, marketing, saving, type_one=np.arange(everyone) < first, discount=discount)
    assert found.net.sum() == pytest.approx(expected, rel=1e-12)
    assert (1 + rate) ** 2 == pytest.approx(1.15, abs=1e-5)


@given(st.floats(0, 1), st.booleans(), st.integers(0, 1000))
def test_value_is_linear_in_the_probability(probability, charged, seed):
    rng = np.random.default_rng(seed)
    money = dict(zip(MONEY, rng.random((4, 6)) * 100, strict=True)) | {"charge_type_two": charged}
    none, every = (parts(**money, type_one=kind, discount=0.9).net for kind in (0, 1))
    found = parts(**money, type_one=probability, discount=0.9).net
    np.testing.assert_allclose(found, probability * every + (1 - probability) * none, atol=1e-9)


def test_referrers_are_credited_by_part_and_generation():
    # 0 brought 1 (type one), 1 brought 2 (type two); the second generation counts a half
    tree = credit([0, 1], [1, 2], 3, generations=2, decay=0.5)
    found = per_referrer(parts([100.0, 60.0], [10.0, 10.0], [4.0, 4.0], [20.0, 30.0], type_one=[1, 0]), tree, [1, 2])
    assert found.margin.tolist() == [100, 0, 0] and found.incentive.tolist() == [10, 0, 0]
    assert found.marketing.tolist() == [4, 0, 0] and found.saving.tolist() == [20 + 15, 30, 0]
    assert found.net.tolist() == [100 - 10 - 4 + 35, 30, 0] and found.totals.net == 151
    charged = parts([100.0, 60.0], [10.0, 10.0], 0, [20.0, 30.0], type_one=[1, 0], charge_type_two=True)
    assert per_referrer(charged, tree, [1, 2]).incentive.tolist() == [10 + 5, 10, 0]
    assert gross(tree, [7.0, 100.0, 60.0]).tolist() == [130, 60, 0]


def test_a_referee_of_two_referrals_counts_once_and_both_incentives_do():
    # 2 was brought by 0 and by 1, half each, and 10 was paid to either
    halves = credit([0, 1], [2, 2], 3, weight=[0.5, 0.5])
    money = ([80.0, 80.0], [10.0, 10.0], [0.0, 0.0], [30.0, 30.0])
    found = per_referrer(parts(*money, type_one=1, share=0.5), halves, [2, 2])
    assert found.margin.tolist() == [40, 40, 0] and found.incentive.tolist() == [10, 10, 0]
    firm = firm_total([5.0, 5.0, 80.0], money[3], money[1], found, share=0.5)
    assert firm.total == 90 + 30 - 20 and firm.counted_twice == 80
    assert firm.saving_beyond == firm.incentive_beyond == 0


@settings(max_examples=40)
@given(forests(), st.integers(1, 4), st.floats(0, 1), st.booleans(), st.integers(0, 1000))
def test_the_firm_is_worth_the_same_however_referrals_are_credited(forest, generations, decay, charged, seed):
    referrer, referee, customers, weight = forest
    rng = np.random.default_rng(seed)
    worth = rng.normal(50, 30, customers)
    incentive, marketing, saving = rng.random((3, len(referee))) * 20
    terms = {"type_one": rng.random(len(referee)), "discount": rng.random(len(referee)), "charge_type_two": charged}
    referral = parts(worth[referee] + marketing, incentive, marketing, saving, **terms)
    direct = credit(referrer, referee, customers)
    chosen = credit(referrer, referee, customers, weight=weight, generations=generations, decay=decay)
    totals = [
        firm_total(worth, saving, incentive, per_referrer(referral, matrix, referee), discount=terms["discount"])
        for matrix in (direct, chosen, 0 * direct)
    ]
    once = worth.sum() + (terms["discount"] * (saving - incentive)).sum()
    for found in totals:
        assert found.total == pytest.approx(once)
        added_up = found.lifetime_value + found.referral_value
        assert added_up - found.counted_twice - found.saving_beyond + found.incentive_beyond == pytest.approx(once)
    assert totals[2].referral_value == totals[2].counted_twice == 0  # nobody credited: nothing to take off


@settings(max_examples=20)
@given(st.floats(0.01, 1000))
def test_money_scales(factor):
    tree = credit([0, 1], [1, 2], 3, generations=2)
    one = per_referrer(parts([100.0, 60], [10.0, 10], [4.0, 4], [20.0, 30], type_one=0.3), tree, [1, 2])
    other = per_referrer(
        parts(*(factor * np.array(part) for part in ([100.0, 60], [10.0, 10], [4.0, 4], [20.0, 30])), type_one=0.3),
        tree,
        [1, 2],
    )
    np.testing.assert_allclose(other.net, factor * one.net)


def test_draws_keep_their_precision_and_are_credited_in_blocks(monkeypatch):
    rng = np.random.default_rng(0)
    referee, referrer = np.arange(1, 40), rng.integers(0, np.arange(1, 40))
    tree = credit(referrer, referee, 40, generations=3)
    margin = rng.random((3, 5, 39)).astype(np.float32)
    zero = np.zeros(39, np.float32)
    found = per_referrer(parts(margin, zero, zero, zero, type_one=0.5), tree, referee).net
    assert found.dtype == np.float32 and found.shape == (3, 5, 40)
    monkeypatch.setattr(value, "VALUES_AT_ONCE", 100)
    np.testing.assert_array_equal(credited(tree, referee, 0.5 * margin), found)
    dense = 0.5 * margin.astype(float) @ tree.toarray()[:, referee].T
    np.testing.assert_allclose(found, dense, rtol=1e-5, atol=1e-6)


def test_no_referrals_are_worth_nothing():
    tree = credit([], [], 4)
    found = per_referrer(parts(*np.zeros((4, 0)), type_one=0.5), tree, [])
    assert found.net.tolist() == [0, 0, 0, 0]
    assert firm_total([1.0, 2.0, 3.0, 4.0], np.zeros(0), np.zeros(0), found).total == 10


@pytest.mark.parametrize("wrong", [1.5, -0.1, np.nan])
def test_types_have_to_be_settled(wrong):
    with pytest.raises(ValueError, match="type_one"):
        parts(**MONEY, type_one=[wrong])


# ---- types that are not known


def test_share_of_type_one_counts_known_types_only():
    found = type_one_share([1, 0, 1, 1, np.nan, 0.7, 0.2])
    assert (found.type_one, found.known, found.value) == (3, 4, 0.75)
    assert (found.low, found.high) == tuple(map(float, wilson(3, 4)))
    nothing = type_one_share([np.nan, 0.5])
    assert nothing.known == 0 and np.isnan([nothing.value, nothing.low, nothing.high]).all()
    assert settled([1, np.nan, 0.2], 0.75).tolist() == [1, 0.75, 0.2]


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_interval_of_the_share_covers(share):
    """Wilson's interval of 120 known types holds the truth about as often as it says: 1,500 samples."""
    rng = np.random.default_rng(1)
    types = np.where(rng.random((1500, 200)) < 0.6, rng.random((1500, 200)) < share, np.nan)
    found = [type_one_share(row) for row in types]
    assert 0.935 < np.mean([each.low <= share <= each.high for each in found]) < 0.97


def test_draws_of_types_carry_what_is_not_known():
    types = np.repeat([1.0, 0.0, 0.3, np.nan], 500)
    share = TypeOneShare(0.6, 0.3, 0.85, 6, 10)
    drawn = np.stack(list(type_one_draws(types, share, 400, seed=2))).reshape(400, 4, 500)
    assert set(np.unique(drawn)) == {0, 1} and drawn[:, 0].all() and not drawn[:, 1].any()
    rates = drawn.mean(axis=-1)
    np.testing.assert_allclose(rates.mean(axis=0), [1, 0, 0.3, 6.5 / 11], atol=0.02)
    # the probability is known, the share is not: Beta(6.5, 4.5) has a standard deviation of 0.142
    np.testing.assert_allclose(rates.std(axis=0)[2:], [np.sqrt(0.3 * 0.7 / 500), 0.142], rtol=0.15)
    expected = next(type_one_draws(types, 0.6, 1, bernoulli=False))
    np.testing.assert_allclose(expected, settled(types, 0.6), rtol=1e-6)
