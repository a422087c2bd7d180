import numpy as np
import pytest
from scipy import stats

from helpers.models.proportions import wilson
from helpers.models.satisfaction_index.ratings import expectation_gap, extremes, net_promoter, top_share
from tests.mobi import ITEMS, mobi
from tests.published import mobi_measures as published

pytestmark = pytest.mark.filterwarnings("error")


def item(name):
    return mobi()[:, ITEMS.index(name)]


# ---- published figures ----


def test_top_boxes_of_mobi():
    for boxes, share in published.TOP_BOXES_OF_CUSA1.items():
        found = top_share(item("CUSA1"), 10, boxes)
        assert found.value == pytest.approx(share, abs=5e-6)
        np.testing.assert_allclose((found.low, found.high), wilson(round(share * 250), 250), atol=1e-12)
        assert found.respondents == 250


def test_net_promoter_score_of_mobi():
    found = net_promoter(item("CUSL3"), 1, 10)
    figures = published.NET_PROMOTER_OF_CUSL3
    assert 100 * found.promoters == pytest.approx(figures["promoters"])
    assert 100 * found.detractors == pytest.approx(figures["detractors"])
    for name in ("value", "standard_error", "low", "high"):
        assert getattr(found, name) == pytest.approx(figures[name], abs=5.1e-3), name


def test_gap_of_mobi():
    found = expectation_gap(item("CUEX1"), item("PERQ1"), item("CUSA2"))
    for name, figure in published.GAP_OF_QUALITY.items():
        assert getattr(found, name) == pytest.approx(figure, abs=5e-4), name


# ---- other libraries ----


def test_gap_against_scipy():
    gap, outcome = item("PERQ1") - item("CUEX1"), item("CUSA2")
    found = expectation_gap(item("CUEX1"), item("PERQ1"), outcome, level=0.9)
    interval = stats.ttest_1samp(gap, 0).confidence_interval(0.9)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=1e-12)
    correlation = stats.pearsonr(gap, outcome)
    interval = correlation.confidence_interval(0.9)
    expected = (correlation.statistic, interval.low, interval.high)
    assert (found.correlation, found.correlation_low, found.correlation_high) == pytest.approx(expected, abs=1e-12)


# ---- what the figures mean ----


@pytest.mark.parametrize("lowest, highest, detractors_to, promoters_from", [(0, 10, 6, 9), (1, 10, 6, 9)])
def test_promoters_on_the_item_s_own_scale(lowest, highest, detractors_to, promoters_from):
    found = net_promoter(np.arange(lowest, highest + 1), lowest, highest)
    assert (found.detractors_to, found.promoters_from) == (detractors_to, promoters_from)
    answers = highest - lowest + 1
    assert found.promoters == pytest.approx((highest - promoters_from + 1) / answers)
    assert found.detractors == pytest.approx((detractors_to - lowest + 1) / answers)


def test_other_scales_have_no_promoters():
    with pytest.raises(ValueError, match="ten or eleven answers"):
        net_promoter([1, 2, 3], 1, 5)


@pytest.mark.parametrize(
    "lowest, highest, low, high",
    [(0, 10, 6, 9), (1, 10, 6, 9), (1, 7, 3, 7), (1, 5, 2, 5), (1, 4, 2, 4), (0, 100, 60, 89)],
)
def test_low_and_high_answers_of_a_scale(lowest, highest, low, high):
    assert extremes(lowest, highest) == (low, high)


def test_everybody_promotes():
    found = net_promoter(np.full(20, 10), 1, 10)
    assert (found.value, found.high) == (100, 100)
    # 20 people of one mind do not make it certain: Wilson's bounds of both shares, 0.8389 and 0.1611
    assert found.low == pytest.approx(67.775, abs=5e-4)


def test_gaps_do_not_count():
    answers = np.array([10, np.nan, 9, 3, np.nan])
    with_gaps, without = (net_promoter(values, 1, 10) for values in (answers, answers[np.isfinite(answers)]))
    assert vars(with_gaps) == vars(without)
    assert vars(top_share(answers, 10)) == vars(top_share([10, 9, 3], 10))
    gap = expectation_gap([5, 5, np.nan, 5, 6], [6, np.nan, 7, 8, 6], [1, 2, 3, np.nan, 4])
    assert gap.respondents == 3 and gap.mean == pytest.approx(4 / 3)
    assert np.isnan(gap.correlation)  # two answered all three


def test_equal_weights_change_nothing():
    answers, weights = item("CUSL3"), np.full(250, 0.7)
    functions = (
        lambda w: top_share(answers, 10, weights=w),
        lambda w: net_promoter(answers, 1, 10, w),
        lambda w: expectation_gap(item("CUEX1"), item("PERQ1"), item("CUSA2"), w),
    )
    for function in functions:
        weighted, plain = ([float(number) for number in vars(function(w)).values()] for w in (weights, None))
        assert weighted == pytest.approx(plain)


def test_weights_weigh_and_cost_precision():
    answers = np.array([10.0] * 50 + [5.0] * 50)
    weights = np.where(answers == 10, 3.0, 1.0)
    share, plain = top_share(answers, 10, weights=weights), top_share(answers, 10)
    assert share.value == pytest.approx(0.75)
    np.testing.assert_allclose((share.low, share.high), wilson(0.75 * 80, 80))  # 200^2 / (50 * 9 + 50)
    assert net_promoter(answers, 1, 10, weights).value == pytest.approx(50)
    assert plain.value == 0.5 and plain.respondents == share.respondents == 100
    gap = expectation_gap(np.zeros(100), answers, weights=weights)
    assert gap.mean == pytest.approx(8.75)
    assert gap.standard_deviation == pytest.approx(np.sqrt(0.75 * 0.25 * 25 * 80 / 79))


def test_items_side_by_side():
    answers = np.column_stack([item("CUSA1"), item("CUSL3")])
    answers[:3, 1] = np.nan
    weights = np.random.default_rng(0).uniform(0.5, 2, 250)
    together = top_share(answers, 10, weights=weights)
    for column in range(2):
        alone = top_share(answers[:, column], 10, weights=weights)
        for name, values in vars(together).items():
            assert values[column] == pytest.approx(getattr(alone, name), rel=1e-13), name
    assert together.respondents.tolist() == [250, 247]


@pytest.mark.parametrize("answers", [[], [np.nan, np.nan]])
def test_nobody_answered(answers):
    for found in (top_share(answers, 10), net_promoter(answers, 1, 10), expectation_gap(answers, answers, answers)):
        numbers = vars(found) | {"promoters_from": np.nan, "detractors_to": np.nan}
        assert numbers.pop("respondents") == 0
        assert np.isnan([float(number) for number in numbers.values()]).all()


def test_one_gap_has_no_spread():
    found = expectation_gap([5.0], [7.0], [1.0])
    assert found.respondents == 1 and np.isnan([found.low, found.high, found.standard_deviation]).all()


def test_a_gap_that_never_varies_goes_with_nothing():
    found = expectation_gap(np.arange(9.0), np.arange(9.0) + 2, np.arange(9.0))
    assert (found.mean, found.low, found.high, found.standard_deviation) == (2, 2, 2, 0)
    assert np.isnan(found.correlation)
    perfect = expectation_gap(np.zeros(9), np.arange(9.0), np.arange(9.0))
    assert (perfect.correlation, perfect.correlation_low, perfect.correlation_high) == pytest.approx((1, 1, 1))
