"""Better and Worse with their uncertainty, differences between groups, and what a class claims of them."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib.path import Path
from scipy import optimize, stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint, proportions_ztest

from helpers.models import resampling
from helpers.models.kano import asymmetry, coefficients, comparisons, evaluation, rules
from helpers.models.kano.evaluation import ATTRACTIVE, CLASSES, MUST_BE, ONE_DIMENSIONAL
from tests.published import kano as published
from tests.test_kano_evaluation import answers_of

COUNTS = arrays(int, 6, elements=st.integers(0, 60))
CONVENIENT = published.TRANSFERS_STANDARD["convenient"][0]


def numbers(found):
    return np.array(list(vars(found).values()))


# ---- values


@pytest.mark.parametrize("requirement", published.TRANSFERS)
def test_published_coefficients_of_transfers(requirement):
    counts, better, worse, _ = published.TRANSFERS[requirement]
    assert coefficients.better(counts) == pytest.approx(better, abs=6e-8)
    assert coefficients.worse(counts) == pytest.approx(worse, abs=6e-8)
    counts, better, worse = published.TRANSFERS_STANDARD[requirement]
    assert coefficients.better(counts) == pytest.approx(better, abs=6e-7)
    assert coefficients.worse(counts) == pytest.approx(worse, abs=6e-7)


@pytest.mark.parametrize(
    ("counts", "better", "worse"),
    [(counts, better, worse) for counts, _, better, worse in published.SHOPS.values()]
    + [(row[0], *row[3:5]) for row in published.SIMULATED_SERVICES.values()],
)
def test_published_coefficients_to_three_decimals(counts, better, worse):
    assert coefficients.better(counts) == pytest.approx(better, abs=5.1e-4)
    assert coefficients.worse(counts) == pytest.approx(worse, abs=5.1e-4)


@pytest.mark.parametrize("requirement", published.SKIS)
def test_published_coefficients_of_skis(requirement):
    percents, letter, better, worse = published.SKIS[requirement]
    assert CLASSES[np.argmax(percents)] == letter
    assert coefficients.better([*percents, 0, 0]) == pytest.approx(better, abs=0.0051)
    assert coefficients.worse([*percents, 0, 0]) == pytest.approx(worse, abs=0.0051)
    if requirement == "service":  # where the paper rounds up to 0.89
        assert coefficients.better([*percents, 0, 0]) == pytest.approx(0.8822, abs=5e-5)


def test_known_faults_of_other_programs():
    counts = np.array(published.TRANSFERS["anonymous"][0])
    assert coefficients.worse(counts) < 0  # a paper prints (A + M) / (A + O + M + I), above 0
    assert abs(coefficients.worse(counts)) != pytest.approx((counts[0] + counts[2]) / counts[:4].sum(), abs=0.01)
    # reverse and questionable answers do not dilute
    assert coefficients.better(counts) == coefficients.better([*counts[:4], 0, 0])
    assert coefficients.better(counts) != pytest.approx(counts[:2].sum() / counts.sum(), abs=0.05)
    # two programs say 0 where nothing is defined
    nothing = coefficients.coefficients([0, 0, 0, 0, 5, 7])
    assert nothing.considered == 0 and np.isnan(numbers(nothing)[:6].astype(float)).all()
    assert np.isnan(coefficients.covariance([0, 0, 0, 0, 5, 7])).all()
    assert np.isnan(coefficients.ellipse([0, 0, 0, 0, 5, 7])).all()


@given(COUNTS)
def test_ranges(counts):
    assume(counts[:4].sum() > 0)
    found = coefficients.coefficients(counts)
    assert 0 <= found.better_low <= found.better <= found.better_high <= 1
    assert -1 <= found.worse_low <= found.worse <= found.worse_high <= 0
    outline = coefficients.ellipse(counts)
    assert (outline >= (0, -1)).all() and (outline <= (1, 0)).all()
    np.testing.assert_allclose(outline[0], outline[-1], atol=1e-12)


# ---- uncertainty


def test_intervals_are_wilsons():
    found = coefficients.coefficients(CONVENIENT)
    assert (found.better_low, found.better_high) == pytest.approx(published.CONVENIENT_BETTER, abs=5e-5)
    assert (-found.worse_high, -found.worse_low) == pytest.approx(published.CONVENIENT_WORSE, abs=5e-5)
    assert (found.better_low, found.better_high) == pytest.approx(proportion_confint(191, 337, method="wilson"))


def test_covariance_is_that_of_two_indicators():
    functional, dysfunctional = answers_of(published.TRANSFER_PAIRS["convenient"])
    classes = evaluation.classify(functional, dysfunctional)
    classes = classes[classes < 4]
    indicators = np.stack([np.isin(classes, (0, 1)), -1.0 * np.isin(classes, (1, 2))])
    expected = np.cov(indicators, bias=True) / len(classes)
    np.testing.assert_allclose(coefficients.covariance(CONVENIENT), expected)
    assert coefficients.correlation(CONVENIENT) == pytest.approx(np.corrcoef(indicators)[0, 1])
    assert np.isnan(coefficients.correlation([9, 0, 0, 0, 0, 0]))


@pytest.mark.parametrize("requirement", ["anonymous", "convenient", "secure", "transparent"])
def test_ellipse_holds_19_of_20_resamples(requirement):
    counts = published.TRANSFERS_STANDARD[requirement][0]
    functional, dysfunctional = answers_of(published.TRANSFER_PAIRS[requirement])
    classes = evaluation.classify(functional, dysfunctional)[:, None]
    draws = np.concatenate(
        [evaluation.counts(classes, often)[:, 0] for often in resampling.resampled_counts(358, 8000)]
    )
    resampled = np.stack([coefficients.better(draws), coefficients.worse(draws)], axis=-1)
    inside = Path(coefficients.ellipse(counts, points=361)).contains_points(resampled)
    assert inside.mean() == pytest.approx(0.95, abs=0.01)
    # the size of the sample answering A, O, M or I varies among resamples: a little more spread than given that size
    np.testing.assert_allclose(np.cov(resampled.T), coefficients.covariance(counts), rtol=0.08, atol=2e-5)


@pytest.mark.parametrize(
    "likely", [(0.1, 0.3, 0.1, 0.5, 0, 0), (0.9, 0.02, 0.02, 0.06, 0, 0), (0, 0.95, 0.03, 0.02, 0, 0)]
)
@pytest.mark.parametrize("respondents", [30, 200])
def test_ellipse_covers_the_truth(likely, respondents):
    """The plain normal ellipse holds the truth of the second case in 30 respondents far too rarely."""
    draws = np.random.default_rng(1).multinomial(respondents, likely, size=20_000)
    truth = np.array([coefficients.better(likely), coefficients.worse(likely)])

    def covered(counts):
        spread = coefficients.covariance(counts)
        away = np.stack([coefficients.better(counts), coefficients.worse(counts)], axis=-1) - truth
        spread = spread + 1e-12 * np.eye(2)
        return (np.einsum("ni,nij,nj->n", away, np.linalg.inv(spread), away) <= -2 * np.log(0.05)).mean()

    filled = covered(draws + (np.arange(6) < 4))
    assert 0.94 <= filled <= 1.0
    if respondents == 30 and likely[0] == 0.9:
        assert covered(draws) < 0.80


def test_ellipse_is_the_region_of_the_filled_counts():
    counts = np.array([[70, 121, 59, 87, 9, 12], [5, 0, 0, 0, 0, 0]])
    outline = coefficients.ellipse(counts, level=0.5)
    filled = counts + (np.arange(6) < 4)
    centre = np.stack([coefficients.better(filled), coefficients.worse(filled)], axis=-1)
    away = outline - centre[:, None]
    distance = np.einsum("gpi,gij,gpj->gp", away, np.linalg.inv(coefficients.covariance(filled)), away)
    np.testing.assert_allclose(distance[0], -2 * np.log(0.5))
    assert np.ptp(outline[1], axis=0).min() > 0.1  # five alike: no point


# ---- groups


@given(arrays(int, (2, 6), elements=st.integers(0, 40)))
def test_differences_are_those_of_statsmodels(counts):
    first, second = counts
    found = coefficients.difference(first, second)
    sizes = first[:4].sum(), second[:4].sum()
    if min(sizes) == 0:
        assert np.isnan(numbers(found)).all()
        return
    raised, lowered = (first[:2].sum(), second[:2].sum()), (first[1:3].sum(), second[1:3].sum())
    for sign, met, value, low, high, p_value in (
        (1, raised, found.better, found.better_low, found.better_high, found.better_p),
        (-1, lowered, -found.worse, -found.worse_high, -found.worse_low, found.worse_p),
    ):
        expected = confint_proportions_2indep(met[1], sizes[1], met[0], sizes[0], method="newcomb", compare="diff")
        assert (low, high) == pytest.approx(expected, abs=1e-9), sign
        assert value == pytest.approx(met[1] / sizes[1] - met[0] / sizes[0])
        assert low - 1e-12 <= value <= high + 1e-12
        if 0 < sum(met) < sum(sizes):
            assert p_value == pytest.approx(proportions_ztest(met, sizes)[1])
        else:
            assert p_value == 1


@given(arrays(int, (2, 6), elements=st.integers(0, 40)))
def test_differences_turn_with_the_samples(counts):
    there, back = coefficients.difference(*counts), coefficients.difference(*counts[::-1])
    np.testing.assert_allclose(there.worse_low, -back.worse_high, atol=1e-12)
    np.testing.assert_allclose(there.better, -back.better, atol=1e-12)
    np.testing.assert_allclose(there.better_p, back.better_p, atol=1e-12)


def test_equal_groups_are_rarely_found_different_and_a_moved_requirement_is_found():
    rng, attractive, one_dimensional = (
        np.random.default_rng(4),
        (0.5, 0.2, 0.05, 0.25, 0, 0),
        (0.2, 0.5, 0.2, 0.1, 0, 0),
    )
    first, second = rng.multinomial(150, attractive, size=(2, 10_000))
    found = coefficients.difference(first, second)
    assert (found.better_p < 0.05).mean() == pytest.approx(0.05, abs=0.01)
    assert ((found.worse_low <= 0) & (found.worse_high >= 0)).mean() == pytest.approx(0.95, abs=0.01)
    moved = coefficients.difference(first[0], rng.multinomial(150, one_dimensional))
    assert moved.worse_high < 0 and moved.worse_p < 0.001


# ---- what a class claims


def verdict(counts, letter, **settings):
    return asymmetry.asymmetry(counts, CLASSES.index(letter), **settings).verdict.item()


def test_claims_fail_for_published_requirements():
    """Classes by the majority: edge grip is a must-be that satisfies, a responsive transfer delights and is missed."""
    edge_grip = 2 * np.array([7, 32, 49, 10, 0, 0])
    assert verdict(edge_grip, "M") == "does not hold"
    responsive = published.TRANSFERS_STANDARD["responsive"][0]
    found = asymmetry.asymmetry(responsive, CLASSES.index("A"))
    assert found.verdict == "does not hold" and found.value == pytest.approx(-0.305136, abs=1e-6)
    assert verdict(responsive, "A", margin=0.4) == "holds"


def test_verdicts_follow_the_interval_and_the_margin():
    pure = np.array([2, 2, 90, 6, 0, 0])  # Better is 4 of 100
    assert verdict(pure, "M") == "holds"
    assert verdict(pure, "M", margin=0.05) == "cannot be told"
    assert verdict(pure // 10, "M") == "cannot be told"  # too few to show that it is nothing
    assert verdict([6, 2, 2, 90, 0, 0], "A") == "holds"
    assert verdict([20, 60, 20, 0, 0, 0], "O", margin=0.15) == "holds"
    assert verdict([45, 50, 5, 0, 0, 0], "O") == "does not hold"
    assert verdict([0, 0, 0, 0, 3, 4], "M") == "cannot be told"
    for letter in "IRQ":
        assert verdict(pure, letter) == "" and np.isnan(asymmetry.asymmetry(pure, CLASSES.index(letter)).low)


def test_balance_of_a_one_dimensional_requirement_is_better_less_worse():
    found = asymmetry.asymmetry(CONVENIENT, CLASSES.index("O"))
    assert found.value == pytest.approx(coefficients.better(CONVENIENT) + coefficients.worse(CONVENIENT))
    spread = coefficients.covariance(CONVENIENT)
    assert (found.high - found.low) / 2 == pytest.approx(1.959964 * np.sqrt(spread.sum()), rel=0.01)


def balance(attractive, must_be, people, level=0.95):
    counts = np.zeros((*np.shape(attractive), 6))
    counts[..., ATTRACTIVE], counts[..., MUST_BE] = attractive, must_be
    counts[..., ONE_DIMENSIONAL] = people - counts.sum(axis=-1)
    return asymmetry.asymmetry(counts, np.full(np.shape(attractive), ONE_DIMENSIONAL), level=level)


def test_published_score_interval_of_a_balance():
    *answers, value, low, high = published.TANGO
    found = balance(*answers)
    assert (found.value, found.low, found.high) == pytest.approx((value, low, high), abs=5.1e-5)


def test_a_few_alike_do_not_show_that_a_balance_is_nothing():
    """The interval is that of 0 among n, z^2 / (n + z^2): within 0.1 from 35 on. A plain normal one is a point."""
    people = np.array([1, 5, 34, 35, 300])
    found = balance(np.zeros(5), 0, people)
    np.testing.assert_allclose(found.high, 3.841459 / (people + 3.841459), rtol=1e-6)
    np.testing.assert_allclose(found.low, -found.high)
    assert found.verdict.tolist() == ["cannot be told"] * 3 + ["holds"] * 2
    apart = balance([0, 5], [1, 0], [1, 5])
    assert (apart.low[0], apart.high[1]) == (-1, 1) and (apart.high - apart.low > 0.8).all()


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40), st.sampled_from([0.5, 0.9, 0.99]))
def test_bounds_of_a_balance_are_where_the_score_test_turns(attractive, must_be, others, level):
    """At a bound the likeliest shares, found by search, put the difference z standard errors away."""
    people = attractive + must_be + others
    assume(people > 0)
    found, turned = balance(attractive, must_be, people, level), balance(must_be, attractive, people, level)
    assert -1 <= found.low <= found.value <= found.high <= 1
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low), abs=1e-9)
    for bound in (found.low, found.high):
        if abs(bound) > 0.999:
            continue

        def unlikely(share, bound=float(bound)):
            return -stats.multinomial.logpmf(
                [attractive, must_be, others], people, [share + bound, share, 1 - 2 * share - bound]
            )

        limits = max(0, -bound) + 1e-9, (1 - bound) / 2 - 1e-9
        share = optimize.minimize_scalar(unlikely, bounds=limits, method="bounded", options={"xatol": 1e-10}).x
        error = np.sqrt((2 * share + bound - bound**2) / people)
        assert abs(found.value - bound) / error == pytest.approx(stats.norm.ppf((1 + level) / 2), rel=2e-3)


@pytest.mark.parametrize("people", [4, 10, 18, 26, 40, 100, 300])
def test_balance_is_covered_and_rarely_holds_at_the_margin(people):
    """Exact, over all samples. The plain normal interval covers 0.72 of 10 people, and holds in nearly all of them."""
    counts = np.array([(a, m, people - a - m) for a in range(people + 1) for m in range(people + 1 - a)])
    found = balance(counts[:, 0], counts[:, 1], people)
    for attractive, must_be in ((0.1, 0), (0.12, 0.02), (0.3, 0.2), (0.2, 0.2), (0.45, 0.45), (0.4, 0.1), (0.9, 0.02)):
        likely = stats.multinomial.pmf(counts, people, [attractive, must_be, 1 - attractive - must_be])
        truth = attractive - must_be
        covered = likely[(found.low <= truth + 1e-9) & (found.high >= truth - 1e-9)].sum()
        assert covered >= (0.91 if people < 10 else 0.93), (attractive, must_be)
        if truth == pytest.approx(asymmetry.MARGIN):
            assert likely[found.verdict == "holds"].sum() <= 0.025


def test_choosing_the_class_from_the_same_answers_favours_its_claim():
    counts = np.random.default_rng(5).multinomial(150, (0, 0.4, 0.4, 0.2, 0, 0), size=20_000)
    called = rules.single(rules.by_mode(counts)) == MUST_BE
    found = asymmetry.asymmetry(counts, MUST_BE, margin=0.4)
    assert found.value.mean() == pytest.approx(0.4, abs=0.002) and found.value[called].mean() < 0.38
    assert (found.verdict == "holds").mean() < 0.03 < 0.045 < (found.verdict == "holds")[called].mean()


def test_planted_asymmetry_is_told_and_a_claim_at_the_margin_is_not():
    rng, kinds = np.random.default_rng(8), np.array([2, 0, 2])
    likely = [(0.01, 0.01, 0.95, 0.03, 0, 0), (0.5, 0.4, 0.05, 0.05, 0, 0), (0.05, 0.05, 0.8, 0.1, 0, 0)]
    found = asymmetry.asymmetry(rng.multinomial(400, likely, size=(2000, 3)), kinds)
    assert (found.verdict[:, 0] == "holds").all() and (found.verdict[:, 1] == "does not hold").all()
    assert (found.verdict[:, 2] == "holds").mean() < 0.03  # Better is the margin itself
    assert (found.verdict[:, 2] == "does not hold").mean() < 0.04


@pytest.mark.parametrize("margin", [0, 1, -0.1, np.nan])
def test_margin_must_be_possible(margin):
    with pytest.raises(ValueError, match="margin must lie between 0 and 1"):
        asymmetry.asymmetry(CONVENIENT, 0, margin)


@pytest.mark.parametrize("function", [coefficients.coefficients, lambda c: coefficients.difference(c, c[..., ::-1, :])])
def test_many_rows_at_once(function):
    counts = comparisons.resampled_counts(list(published.TRANSFERS[name][0] for name in published.TRANSFERS), 3)
    together = function(counts)
    assert together.better.shape == (3, 6)
    alone = coefficients.coefficients(counts[1, 2])
    if function is coefficients.coefficients:
        assert numbers(alone) == pytest.approx(numbers(together)[:, 1, 2])
    assert coefficients.ellipse(counts).shape == (3, 6, coefficients.ELLIPSE_POINTS, 2)
    assert asymmetry.asymmetry(counts, np.arange(6)).verdict.shape == (3, 6)
