import numpy as np
import pytest
from scipy import stats

from helpers.models.lifetime_value.regularity import wheat_morrison


def first_two_gaps(k, customers, rng, watched=np.inf):
    """First two Erlang-k gaps of customers with different rates, of those whose second ended while watched."""
    rate = rng.gamma(0.8, 1.0, (customers, 1))
    gaps = rng.gamma(k, 1, (customers, 2)) / rate
    return gaps[gaps.sum(axis=1) <= watched].T


def test_against_a_hand_computation():
    """M is 1/4, 1/2 and 3/5: the mean of (M - 1/2)^2 is (1/16 + 1/100) / 3 = 29/1200, so k = (1 - 4 v) / (8 v)."""
    result = wheat_morrison([1, 5, 3], [3, 5, 2])
    assert result.k == pytest.approx((1 - 4 * 29 / 1200) / (8 * 29 / 1200), rel=1e-12)
    assert result.low < result.k < result.high
    assert result.customers == 3


def test_variance_of_a_beta_gives_its_shape():
    """The middles of 100,000 equally likely parts of Beta(k, k) have its variance."""
    for k in (0.5, 1, 2, 7.5):
        share = stats.beta(k, k).ppf((np.arange(100_000) + 0.5) / 100_000)
        assert wheat_morrison(share, 1 - share).k == pytest.approx(k, rel=1e-3)


@pytest.mark.parametrize("k", [1, 2, 4])
def test_regularity_is_recovered_whatever_the_rates(k):
    result = wheat_morrison(*first_two_gaps(k, 200_000, np.random.default_rng(k)), level=0.999)
    assert result.k == pytest.approx(k, rel=0.02)
    assert result.low < k < result.high


@pytest.mark.parametrize("k", [1, 3])
def test_observing_for_a_while_does_not_bias(k):
    first, second = first_two_gaps(k, 400_000, np.random.default_rng(k), watched=3.0)
    assert len(first) < 200_000  # most customers' second gap is not seen to end
    assert wheat_morrison(first, second).k == pytest.approx(k, rel=0.02)


@pytest.mark.parametrize("k", [1, 3])
def test_intervals_cover_the_truth(k):
    """As many of 1,000 intervals of 90 % as the binomial allows with probability 0.999 must hold the truth."""
    rng, repetitions = np.random.default_rng(30 + k), 1000
    covered = 0
    for _ in range(repetitions):
        result = wheat_morrison(*first_two_gaps(k, 400, rng), level=0.9)
        covered += result.low <= k <= result.high
    fewest, most = stats.binom.ppf((0.0005, 0.9995), repetitions, 0.9)
    assert fewest <= covered <= most


def test_merging_by_day_makes_frequent_customers_look_regular():
    rng = np.random.default_rng(8)
    estimates = {}
    for mean_gap in (5, 90):
        times = rng.random((100_000, 1)) + np.cumsum(rng.exponential(mean_gap, (100_000, 8)), axis=1)
        days = np.floor(times)
        bought = np.diff(days, axis=1, prepend=-1) > 0
        visit = np.cumsum(bought, axis=1)
        first, second, third = (np.where(bought & (visit == number), days, 0).sum(axis=1) for number in (1, 2, 3))
        seen = third > 0
        estimates[mean_gap] = wheat_morrison((second - first)[seen], (third - second)[seen]).k
    assert estimates[5] == pytest.approx(1.6, abs=0.05)
    assert estimates[90] == pytest.approx(1.03, abs=0.03)


def test_unit_order_and_grouping_do_not_matter():
    rng = np.random.default_rng(2)
    first, second = rng.integers(1, 6, (2, 500)).astype(float)
    plain = wheat_morrison(first, second)
    assert wheat_morrison(first / 7, second / 7).k == pytest.approx(plain.k, rel=1e-12)
    assert wheat_morrison(second, first).k == pytest.approx(plain.k, rel=1e-12)
    pairs, customers = np.unique(np.column_stack([first, second]), axis=0, return_counts=True)
    grouped = wheat_morrison(*pairs.T, weights=customers)
    assert grouped.k == pytest.approx(plain.k, rel=1e-12)
    assert (grouped.low, grouped.high) == pytest.approx((plain.low, plain.high), rel=1e-12)
    assert grouped.customers == 500


def test_a_wider_level_holds_a_narrower_one():
    first, second = first_two_gaps(2, 300, np.random.default_rng(1))
    narrow, wide = wheat_morrison(first, second, level=0.5), wheat_morrison(first, second, level=0.99)
    assert wide.low < narrow.low < narrow.k == wide.k < narrow.high < wide.high


@pytest.mark.parametrize("gaps, customers", [(([], []), 0), (([1.0], [2.0]), 1)])
def test_too_few_customers_tell_nothing(gaps, customers):
    result = wheat_morrison(*gaps)
    assert np.all(np.isnan([result.k, result.low, result.high]))
    assert result.customers == customers


def test_equal_gaps_are_endlessly_regular():
    result = wheat_morrison([7, 14, 7], [7, 14, 7])
    assert result.k == np.inf and np.isnan(result.low)


def test_gaps_of_bursts_only_give_no_negative_shape():
    result = wheat_morrison([1e-9, 1, 1e-9], [1, 1e-9, 1])
    assert 0 <= result.low <= result.k <= result.high < 1e-6


@pytest.mark.parametrize(
    "columns, words",
    [
        (([0, 1], [1, 1]), "a gap is 0 .first rows: 0."),
        (([1, np.nan], [1, 1]), "first_interval holds 1 missing"),
        (([1, 1], [1, -1]), "second_interval holds 1 missing"),
        (([1, 1], [1]), "one length"),
        (([1, 1], [1, 1], [0, 0]), "weights"),
    ],
)
def test_impossible_gaps_are_refused(columns, words):
    with pytest.raises(ValueError, match=words):
        wheat_morrison(*columns)
