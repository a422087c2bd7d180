import numpy as np
import pytest

from helpers.models.lifetime_value import naive_rules
from helpers.models.lifetime_value.naive_rules import hiatus, last_period, past_frequency, past_rate, past_rate_spend
from tests.cdnow_summaries import cdnow
from tests.published import lifetime_value as published

pytestmark = pytest.mark.filterwarnings("error")


def test_past_rate_goes_on():
    np.testing.assert_allclose(past_rate([0, 2, 3], [39, 26, 39.0], 13), [0, 1, 1])
    np.testing.assert_allclose(past_rate_spend([0, 2, 3], [0, 30, 12.5], [39, 26, 39.0], 13), [0, 30, 12.5])


def test_past_rate_of_a_customer_of_no_age():
    np.testing.assert_array_equal(past_rate([0, 2], [0, 4], 6), [0, 3])
    np.testing.assert_array_equal(past_rate_spend([0, 2], [0, 5], [0, 4], 6), [0, 15])


def test_past_rate_does_not_depend_on_the_unit_of_time():
    frequency, _, T = cdnow("sample").history
    np.testing.assert_allclose(past_rate(frequency, 7 * T, 7 * 39), past_rate(frequency, T, 39))


def test_zero():
    np.testing.assert_array_equal(naive_rules.zero(np.array([0, 3, 9])), [0.0, 0, 0])


def test_last_period_repeats_itself():
    np.testing.assert_allclose(last_period([0, 1, 4]), [0, 1, 4])
    np.testing.assert_allclose(last_period([0, 1, 4], scale=0.5), [0, 0.5, 2])


def test_past_frequency_with_spend_to_settle_ties():
    frequency, spend = np.array([0, 2, 0, 10, 0]), np.array([9.0, 5, 30, 1, 9])
    score = past_frequency(frequency, spend)
    assert np.argsort(-score, kind="stable").tolist() == [3, 1, 2, 0, 4]
    assert score[0] == score[4] < score[2] < score[1] < score[3]
    np.testing.assert_array_equal(past_frequency(frequency), frequency)


def test_hiatus():
    recency, T = np.array([0, 0, 20, 27, 30.0]), np.array([12, 13, 39, 39, 30.0])
    assert hiatus(recency, T, 12).tolist() == [True, False, False, True, True]


@pytest.mark.parametrize("unit", [1, 7, 30.4375])
def test_hiatus_of_whole_days_is_the_same_in_weeks(unit):
    """Sevenths are not exact: on CDNOW one customer would change sides."""
    recency, longest, beyond = np.meshgrid(np.arange(400), 7 * np.arange(60), [-1, 0, 1])
    T = recency + longest + beyond
    np.testing.assert_array_equal(hiatus(recency / unit, T / unit, longest / unit), beyond <= 0)


def test_hiatus_of_cdnow():
    """12 weeks classify 78.1 % and 24 weeks 77.9 % (own computation, after Wuebben and von Wangenheim 2008)."""
    _, recency, T = cdnow("sample").history
    active = cdnow("sample").holdout > 0
    assert active.size == published.SAMPLE_CUSTOMERS
    for weeks, share in ((12, 0.781), (24, 0.779)):
        assert np.mean(hiatus(recency, T, weeks) == active) == pytest.approx(share, abs=5e-4)
