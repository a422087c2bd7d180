import numpy as np
import pytest
from scipy import stats

from helpers.models.proportions import exclusive_difference, wilson

pytestmark = pytest.mark.filterwarnings("error")


def test_wilson_against_scipy():
    successes, trials = np.array([0, 1, 5, 9, 10, 684]), np.array([10, 10, 10, 10, 10, 2357])
    for level in (0.8, 0.95):
        low, high = wilson(successes, trials, level)
        for i, (k, n) in enumerate(zip(successes, trials, strict=True)):
            interval = stats.binomtest(k, n).proportion_ci(level, method="wilson")
            assert (low[i], high[i]) == pytest.approx(tuple(interval), abs=1e-12)
    assert low[0] == 0 and high[4] == 1


def test_wilson_of_nothing():
    assert np.isnan(wilson(0, 0)).all()
    assert np.isnan(wilson([0, 1], [0, 2])[0]).tolist() == [True, False]
    with pytest.raises(ValueError, match="successes"):
        wilson(3, 2)


def test_difference_of_exclusive_groups_is_the_mean_of_plus_and_minus_one():
    rng = np.random.default_rng(1)
    for people in (4, 250):
        values = rng.integers(-1, 2, people)
        difference, error = exclusive_difference((values == 1).sum(), (values == -1).sum(), people)
        assert difference == pytest.approx(values.mean(), abs=1e-14)
        assert error == pytest.approx(values.std() / np.sqrt(people), abs=1e-14)


def test_error_of_the_difference_is_that_of_many_samples():
    chances, people = (0.5, 0.3, 0.2), 400
    samples = np.random.default_rng(2).multinomial(people, chances, 20_000)
    difference, error = exclusive_difference(samples[:, 0], samples[:, 2], people)
    assert difference.mean() == pytest.approx(0.3, abs=0.002)
    assert error.mean() == pytest.approx(difference.std(), rel=0.02)


def test_everybody_in_one_group_leaves_no_error():
    np.testing.assert_allclose(exclusive_difference([3, 0], [0, 3], 3), [[1, -1], [0, 0]], atol=1e-12)


def test_difference_of_nothing():
    assert np.isnan(exclusive_difference(0, 0, 0)).all()


@pytest.mark.parametrize("groups", [(-1, 1, 3), (1, -1, 3), (2, 2, 3)])
def test_impossible_groups_are_refused(groups):
    with pytest.raises(ValueError, match="groups"):
        exclusive_difference(*groups)
