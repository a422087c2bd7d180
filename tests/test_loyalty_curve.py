import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from helpers.models import resampling
from helpers.models.satisfaction_index import loyalty_curve
from helpers.models.satisfaction_index.loyalty_curve import QUADRANTS, VERDICTS, fit_curve, quadrants

pytestmark = pytest.mark.filterwarnings("error")

PIECES = ("knee", "loyalty", "below", "above")


def simulated(seed, respondents=250, change=0.0, uneven=0.0, step=None, knee=75.0):
    """Loyalty that rises by .6 a point of satisfaction, and by `change` more beyond the knee."""
    rng = np.random.default_rng(seed)
    satisfaction = np.clip(rng.normal(72, 12, respondents), 0, 100)
    if step is not None:
        satisfaction = np.round(satisfaction / step) * step
    spread = 12 + uneven * np.abs(satisfaction - 72)
    loyalty = 20 + 0.6 * satisfaction + change * np.maximum(satisfaction - knee, 0)
    return satisfaction, loyalty + spread * rng.normal(size=respondents)


def best_by_hand(x, y, weights):
    """Least squares at every knee that leaves 10 % and 10 people on either side; the least sum of squares first."""
    least, found = max(0.1 * len(x), 10), []
    root = np.sqrt(weights)
    for knee in np.unique(x):
        if min((x < knee).sum(), (x > knee).sum()) >= least:
            columns = np.column_stack([np.ones(len(x)), np.minimum(x - knee, 0), np.maximum(x - knee, 0)])
            solution = np.linalg.lstsq(columns * root[:, None], y * root)[0]
            found.append((((y - columns @ solution) ** 2) @ weights, knee, *solution))
    return min(found)


def scores_by_hand(x, y):
    """Score of each knee beside the line, over its robust standard error; and each respondent's part in it."""
    line = np.column_stack([np.ones(len(x)), x])
    projection = line @ np.linalg.pinv(line)
    residuals = y - projection @ y
    without = residuals / (1 - np.diag(projection))  # of the line through all others
    least, scores, parts = max(0.1 * len(x), 10), [], []
    for knee in np.unique(x):
        if min((x < knee).sum(), (x > knee).sum()) >= least:
            hinge = np.maximum(x - knee, 0)
            hinge = hinge - projection @ hinge
            error = np.sqrt(((hinge * without) ** 2).sum())
            scores.append(hinge @ residuals / error)
            parts.append(hinge * without / error)
    return np.array(scores), np.array(parts)


# ---- the fit ----


@pytest.mark.parametrize("step", [None, 3.7, 11.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_fit_is_least_squares_at_the_best_knee(step, weighted):
    x, y = simulated(3, 120, change=1, step=step)
    weights = np.random.default_rng(1).uniform(0.5, 3, 120) if weighted else np.ones(120)
    curve = fit_curve(x, y, weights if weighted else None, resamples=20)
    _, *expected = best_by_hand(x, y, weights)
    assert [float(getattr(curve.kneed, name)) for name in PIECES] == pytest.approx(expected, rel=1e-9)
    slope, intercept = np.polyfit(x, y, 1, w=np.sqrt(weights))
    assert float(curve.line.below) == float(curve.line.above) == pytest.approx(slope)
    np.testing.assert_allclose(curve.line.at([0, 50, 100]), intercept + slope * np.array([0, 50, 100]), rtol=1e-9)
    knee, loyalty, below, above = expected
    np.testing.assert_allclose(
        curve.kneed.at([knee - 2, knee, knee + 3]), loyalty + np.array([-2 * below, 0, 3 * above])
    )
    assert curve.respondents == 120


def test_draws_are_fits_of_resampled_respondents():
    x, y = simulated(5, 80, change=1, step=2.0)
    curve = fit_curve(x, y, resamples=6, seed=9)
    order = np.lexsort((y, x))
    candidates = [knee for knee in np.unique(x) if min((x < knee).sum(), (x > knee).sum()) >= 10]
    for draw, counts in enumerate(np.concatenate(list(resampling.resampled_counts(80, 6, 9)))):
        found = []
        for knee in candidates:  # those of the sample, in every draw
            beyond = x[order] - knee
            columns = np.column_stack([np.ones(80), np.minimum(beyond, 0), np.maximum(beyond, 0)])
            solution = np.linalg.lstsq(columns * np.sqrt(counts)[:, None], y[order] * np.sqrt(counts))[0]
            found.append((((y[order] - columns @ solution) ** 2) @ counts, knee, *solution))
        expected = min(found)[1:]
        assert [getattr(curve.kneed_draws, name)[draw] for name in PIECES] == pytest.approx(expected, rel=1e-8)
        slope = np.polyfit(x[order], y[order], 1, w=np.sqrt(counts))[0]
        assert curve.line_draws.below[draw] == pytest.approx(slope)


def test_planted_knee_is_recovered():
    curve = fit_curve(*simulated(1, 20_000, change=1), resamples=200)
    found = curve.intervals()
    assert curve.verdict == "knee_up" and curve.p_value == pytest.approx(1 / 201)
    for name, truth in (("knee", 75), ("slope_below", 0.6), ("slope_above", 1.6), ("slope_change", 1)):
        value, low, high = found[name]
        assert value == pytest.approx(truth, rel=0.05) and low < value < high, name
    low, high = curve.band(np.array([50.0, 75, 85]))
    truth = np.array([50, 65, 81])
    assert (low < truth).all() and (truth < high).all() and (high - low < 2).all()


def test_planted_saturation():
    assert fit_curve(*simulated(2, 2000, change=-0.6), resamples=200).verdict == "knee_down"


def test_planted_line():
    curve = fit_curve(*simulated(4, 20_000), resamples=200)
    slope, low, high = curve.intervals()["slope"]
    assert curve.verdict == "line" and slope == pytest.approx(0.6, abs=0.03) and low < 0.6 < high
    np.testing.assert_array_equal(curve.band([60.0], 0.9), resampling.percentile(curve.line_draws.at([60.0]), 0.9))


def test_many_values_are_grouped_at_little_cost(monkeypatch):
    x, y = simulated(6, 3000, change=1)
    grouped = fit_curve(x, y, resamples=100)
    monkeypatch.setattr(loyalty_curve, "MOST_VALUES", 10_000)
    each = fit_curve(x, y, resamples=100)
    for name, tolerance in (("knee", 0.5), ("slope_below", 0.01), ("slope_above", 0.03)):
        np.testing.assert_allclose(grouped.intervals()[name][0], each.intervals()[name][0], atol=tolerance)
    assert grouped.verdict == each.verdict == "knee_up"


# ---- the test of the line ----


def test_of_one_possible_knee_is_the_score_test():
    """Three values of satisfaction leave one knee, and then the statistic is normal."""
    rng = np.random.default_rng(8)
    x = rng.choice([40.0, 70, 90], 90, p=[0.3, 0.4, 0.3])
    y = x + 6 * (x > 80) + rng.normal(size=90) * np.where(x > 80, 20, 10)
    (score,), _ = scores_by_hand(x, y)
    curve = fit_curve(x, y, resamples=20_000)
    assert 0.05 < curve.p_value < 0.5
    assert curve.p_value == pytest.approx(2 * stats.norm.sf(abs(score)), abs=0.01)


@pytest.mark.parametrize("step", [None, 3.7])
def test_of_all_knees_is_that_of_single_respondents(step):
    """Multipliers of each respondent's residual, as Hansen has them, instead of one for each group."""
    x, y = simulated(13, 150, change=0.5, uneven=0.5, step=step)
    scores, parts = scores_by_hand(x, y)
    multipliers = np.random.default_rng(1).normal(size=(20_000, 150))
    by_hand = (np.abs(multipliers @ parts.T).max(axis=1) >= np.abs(scores).max()).mean()
    assert 0.02 < by_hand < 0.7
    assert fit_curve(x, y, resamples=20_000).p_value == pytest.approx(by_hand, abs=0.015)


@pytest.mark.parametrize(
    "respondents, uneven, step", [(40, 1.5, 3.7), (60, 1.5, 3.7), (200, 0, 3.7), (200, 1.5, 3.7), (120, 1.5, None)]
)
def test_keeps_its_level(respondents, uneven, step):
    """Errors may be six times as wide at the ends as in the middle."""
    found = [
        loyalty_curve._Groups.of(*simulated(seed, respondents, 0, uneven, step), None).tested(
            199, np.random.default_rng(seed)
        )
        for seed in range(500)
    ]
    for level in (0.05, 0.2):
        error = np.sqrt(level * (1 - level) / 500)
        assert np.mean(np.array(found) <= level) < level + 3 * error
        assert np.mean(np.array(found) <= level) > level / 4


def test_finds_a_knee():
    found = [
        loyalty_curve._Groups.of(*simulated(seed, change=1, step=2), None).tested(199, np.random.default_rng(seed))
        for seed in range(100)
    ]
    assert np.mean(np.array(found) <= 0.05) > 0.9


def test_intervals_cover():
    covered = []
    for seed in range(120):
        found = fit_curve(*simulated(seed, change=1, step=2), resamples=199).intervals()
        truth = {"knee": 75, "slope_below": 0.6, "slope_above": 1.6, "slope_change": 1}
        covered.append([found[name][1] <= value <= found[name][2] for name, value in truth.items()])
    assert (np.mean(covered, axis=0) > 0.87).all()


# ---- what changes nothing ----


def test_the_order_of_respondents_does_not_matter():
    x, y = simulated(1, change=0.5, step=3.0)
    weights = np.random.default_rng(0).uniform(1, 2, 250)
    order = np.random.default_rng(2).permutation(250)
    one, other = fit_curve(x, y, weights), fit_curve(x[order], y[order], weights[order])
    assert one.p_value == other.p_value and one.intervals() == other.intervals()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.floats(0.01, 100), st.floats(-1000, 1000), st.floats(0.01, 100), st.floats(-1000, 1000))
def test_units_do_not_matter(seed, unit, shift, loyalty_unit, loyalty_shift):
    x, y = simulated(seed, 60, change=1, step=5.0)
    plain = fit_curve(x, y, resamples=50)
    scaled = fit_curve(shift + unit * x, loyalty_shift + loyalty_unit * y, np.full(60, 0.3), resamples=50)
    assert (scaled.verdict, scaled.p_value) == (plain.verdict, plain.p_value)
    ratio = loyalty_unit / unit
    for name, (value, low, high) in plain.intervals().items():
        convert = (lambda v: shift + unit * v) if name == "knee" else (lambda v: ratio * v)
        expected = [convert(v) for v in (value, low, high)]
        assert scaled.intervals()[name] == pytest.approx(expected, rel=1e-5, abs=1e-6 * max(ratio, 1)), name


def test_whole_weights_are_repeated_respondents():
    x, y = simulated(1, 100, change=1)
    counts = np.random.default_rng(0).integers(1, 3, 100)
    weighted, repeated = (
        fit_curve(x, y, counts, resamples=5),
        fit_curve(np.repeat(x, counts), np.repeat(y, counts), resamples=5),
    )
    assert float(weighted.line.below) == pytest.approx(float(repeated.line.below))


def test_mirrored_satisfaction_mirrors_the_knee():
    x, y = simulated(1, 300, change=1, step=2.0)
    one, other = fit_curve(x, y, resamples=5), fit_curve(-x, y, resamples=5)
    assert float(one.kneed.knee) == pytest.approx(-float(other.kneed.knee))
    assert float(one.kneed.above) == pytest.approx(-float(other.kneed.below))


# ---- bad input ----


@pytest.mark.parametrize(
    "satisfaction, loyalty",
    [
        ([], []),
        ([50.0], [50.0]),
        ([np.nan] * 40, range(40)),
        ([50.0] * 40, range(40)),  # nothing to the left or right
        (range(40), [30.1] * 40),  # nothing to explain
        (range(20), range(20)),  # not 10 on each side of a knee
        ([1.0, 2] * 100, range(200)),  # two values are always on a line
        ([1.0] * 5 + [2.0] * 100 + [3.0] * 5, range(110)),
    ],
)
def test_not_enough_data(satisfaction, loyalty):
    curve = fit_curve(satisfaction, loyalty, resamples=30)
    assert curve.verdict == "not enough data" and np.isnan(curve.p_value)
    assert set(curve.intervals()) == {"slope", "slope_below", "slope_above", "slope_change", "knee"}
    low, high = curve.band([10.0, 20.0])
    assert low.shape == high.shape == (2,)


def test_exact_line():
    curve = fit_curve(np.arange(50.0), 3 + 2 * np.arange(50.0), resamples=30)
    assert (curve.verdict, curve.p_value) == ("line", 1)
    assert curve.intervals()["slope"] == pytest.approx((2, 2, 2))


def test_gaps_do_not_count():
    x, y = simulated(1, 60, step=3.0)
    x[3], y[7] = np.nan, np.nan
    known = np.isfinite(x) & np.isfinite(y)
    one, other = fit_curve(x, y, resamples=30), fit_curve(x[known], y[known], resamples=30)
    assert one.respondents == 58 and one.intervals() == other.intervals()


def test_lengths_must_match():
    with pytest.raises(ValueError, match="one length"):
        fit_curve([1, 2], [1, 2, 3])


def test_verdicts_are_those_listed():
    found = {fit_curve(*simulated(2, 2000, change=change), resamples=100).verdict for change in (-0.6, 0, 1)}
    assert found == set(VERDICTS[:3])


# ---- quadrants ----


def test_quadrants():
    satisfaction, loyalty = [80, 80, 20, 20, 50, np.nan, 90], [80, 20, 80, 20, 50, 90, np.nan]
    found = dict(zip(QUADRANTS, quadrants(satisfaction, loyalty, 50, 60), strict=True))
    assert found == {
        "satisfied_and_loyal": 0.2,
        "satisfied_not_loyal": 0.4,
        "loyal_not_satisfied": 0.2,
        "neither": 0.2,
    }


def test_quadrants_of_draws():
    x, y = simulated(0, 40)
    counts = next(resampling.resampled_counts(40, 6)).reshape(2, 3, 40)
    found = quadrants(x, y, 70, 62, counts)
    assert found.shape == (2, 3, 4)
    np.testing.assert_allclose(found.sum(axis=-1), 1)
    for place in np.ndindex(2, 3):
        rows = np.repeat(np.arange(40), counts[place].astype(int))
        np.testing.assert_allclose(found[place], quadrants(x[rows], y[rows], 70, 62))


def test_quadrants_of_nobody():
    assert np.isnan(quadrants([], [], 50, 50)).all()
    assert np.isnan(quadrants([np.nan], [1.0], 50, 50)).all()
