import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from lifelines import AalenJohansenFitter, KaplanMeierFitter
from scipy import stats

from helpers.models.customer_portfolio.churn_causes import (
    AVOIDABLE,
    CAUSES,
    DAYS_PER_YEAR,
    STILL_HERE,
    cumulative_incidence,
    hazards,
    rate_ratio,
    value_lost,
)
from helpers.synthetic.firm import firm
from helpers.synthetic.firm.exits import CAUSES as PLANTED
from tests.published import competing_risks as published

pytestmark = pytest.mark.filterwarnings("error")
GIVEN_UP, LEFT, POACHED, FORCED, UNKNOWN = range(len(CAUSES))


def draw(size, seed=0, years=2):
    """Whole days, so that very many leave on one day, and some on the day they came."""
    rng = np.random.default_rng(seed)
    leave, last = rng.exponential(500, size), rng.uniform(0, years * 365, size)
    cause = np.where(leave <= last, rng.choice(5, size, p=[0.1, 0.4, 0.3, 0.15, 0.05]), STILL_HERE)
    return np.floor(np.minimum(leave, last)), cause


# --- cumulative incidence ---------------------------------------------------------------------------------------


def test_published_patients():
    beyond = published.PATIENTS - len(published.MONTHS)
    code = {"alive": STILL_HERE, "cancer": LEFT, "other": FORCED}
    duration = np.append(published.MONTHS, np.full(beyond, 28))
    cause = np.append([code[status] for status in published.STATUS], np.full(beyond, STILL_HERE))
    found = cumulative_incidence(duration, cause, list(published.CANCER_INCIDENCE))
    # the paper rounds what each month adds before it adds up
    added = np.diff(100 * found.share.value[LEFT], prepend=0).round(1)
    np.testing.assert_allclose(added.cumsum(), list(published.CANCER_INCIDENCE.values()))
    found = cumulative_incidence(duration, cause, list(published.OVERALL_SURVIVAL))
    np.testing.assert_allclose(100 * found.staying, list(published.OVERALL_SURVIVAL.values()), atol=0.05)


def test_by_hand():
    """Five customers: one leaves on day 0; on day 3 one leaves and one is poached, one is last seen; one goes on to 5.

    S(0) = 4/5. On day 3 four are at risk: each of two causes takes 1/4 of 4/5.
    """
    found = cumulative_incidence([0, 3, 3, 3, 5], [LEFT, LEFT, POACHED, STILL_HERE, STILL_HERE], [0, 2, 3, 5, 6])
    np.testing.assert_allclose(found.share.value[LEFT], [0.2, 0.2, 0.4, 0.4, np.nan])
    np.testing.assert_allclose(found.share.value[POACHED], [0, 0, 0.2, 0.2, np.nan])
    np.testing.assert_allclose(found.share.value[FORCED], [0, 0, 0, 0, np.nan])
    np.testing.assert_allclose(found.staying, [0.8, 0.8, 0.4, 0.4, np.nan])
    assert found.exits.tolist() == [0, 2, 1, 0, 0]
    assert np.isnan(found.share.low[POACHED, 0]) and found.share.low[POACHED, 2] > 0


@given(arrays.arrays(int, 30, elements=st.integers(0, 9)), arrays.arrays(int, 30, elements=st.integers(-1, 4)))
@settings(max_examples=10, deadline=None)
def test_causes_add_up_to_all_who_left(duration, cause):
    """Sum of the incidences = 1 - Kaplan-Meier of leaving at all, by lifelines."""
    days = np.unique(duration)
    found = cumulative_incidence(duration, cause, days)
    curve = KaplanMeierFitter().fit(duration, cause != STILL_HERE)
    np.testing.assert_allclose(found.staying, curve.survival_function_at_times(days), atol=1e-12)


def exact(duration, cause, of_interest):
    """The formula with its variance by the delta method from multinomial exits, written out.

    E. Marubini and M. G. Valsecchi: Analysing Survival Data from Clinical Trials and Observational Studies (1995),
    chapter 10.
    """
    time, place = np.unique(duration, return_inverse=True)
    at_risk = np.bincount(place)[::-1].cumsum()[::-1].astype(float)
    every, one = (np.bincount(place, which) for which in (cause != STILL_HERE, cause == of_interest))
    before = np.append(1, np.cumprod(1 - every / at_risk)[:-1])
    share = np.cumsum(before * one / at_risk)
    variance = np.zeros(len(time))
    for j in range(len(time)):
        to_come = share[j] - share
        for i in range(j + 1):
            remaining = at_risk[i] - every[i]
            of_all = to_come[i] ** 2 * every[i] / (at_risk[i] * remaining) if remaining else 0
            of_one = before[i] ** 2 * one[i] * (at_risk[i] - one[i]) / at_risk[i] ** 3
            variance[j] += of_all + of_one - 2 * to_come[i] * before[i] * one[i] / at_risk[i] ** 2
    error = np.sqrt(variance) / np.abs(share * np.log(share))
    return time, share, *(share ** np.exp(sign * 1.959964 * error) for sign in (1, -1))


def test_many_who_leave_on_one_day_are_counted_exactly():
    duration, cause = draw(3000)
    duration = duration // 10 * 10
    keep = duration <= 500  # someone is at risk on the last day
    duration, cause = np.where(keep, duration, 510), np.where(keep, cause, STILL_HERE)
    for of_interest in (LEFT, UNKNOWN):
        time, *curves = exact(duration, cause, of_interest)
        found = cumulative_incidence(duration, cause, time).share
        started = curves[0] > 0
        for ours, theirs in zip((found.value, found.low, found.high), curves, strict=True):
            np.testing.assert_allclose(ours[of_interest][started], theirs[started], rtol=1e-6)


def test_times_that_all_differ_are_those_of_lifelines():
    duration, cause = draw(150)
    duration = duration + np.random.default_rng(1).uniform(0, 0.9, len(duration))
    theirs = AalenJohansenFitter().fit(duration, cause + 1, LEFT + 1)
    at = np.array([10, 100, 400.0])
    found = cumulative_incidence(duration, cause, at).share
    place = theirs.cumulative_density_.index.searchsorted(at, side="right") - 1
    np.testing.assert_allclose(found.value[LEFT], theirs.cumulative_density_.iloc[place, 0])
    bounds = np.sort(theirs.confidence_interval_.iloc[place].to_numpy(), axis=1)
    np.testing.assert_allclose(np.column_stack([found.low[LEFT], found.high[LEFT]]), bounds)


def test_chance_elsewhere_is_left_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002 (lifelines reseeds this one where times are tied)
    cumulative_incidence(*draw(200), [100])
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_nobody_left():
    found = cumulative_incidence([5, 9], [STILL_HERE, STILL_HERE], [5, 20])
    np.testing.assert_array_equal(found.share.value, [[0, np.nan]] * len(CAUSES))
    assert np.isnan(found.share.low).all() and found.exits.sum() == 0


def test_everybody_left():
    found = cumulative_incidence([5, 9], [LEFT, POACHED], [5, 9])
    np.testing.assert_allclose(found.share.value[[LEFT, POACHED]], [[0.5, 0.5], [0, 0.5]])
    assert found.staying.tolist() == [0.5, 0]
    assert np.isnan(found.share.low[LEFT, 1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], np.array([], int), [1]), "no customers"),
        (([1, 2], [0, 5], [1]), "cause must be"),
        (([1, 2], [0, -2], [1]), "cause must be"),
        (([1, 2], [0.0, np.nan], [1]), "cause must be"),
        (([1, -2], [0, 1], [1]), "before the first purchase"),
        (([1, np.nan], [0, 1], [1]), "before the first purchase"),
        (([1], [0, 1], [1]), "length"),
        (([1, 2], [0, 1], [5, 1]), "later than"),
        (([1, 2], [0, 1], []), "later than"),
    ],
)
def test_bad_input_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        cumulative_incidence(*arguments)


# --- rates ------------------------------------------------------------------------------------------------------


def test_rates_by_hand_with_exact_intervals():
    """Ten exits: 4.80 to 18.39; none: up to 3.69 (Garwood 1936; any table of exact Poisson limits)."""
    duration = np.full(20, DAYS_PER_YEAR / 4)
    found = hazards(duration, [LEFT] * 10 + [STILL_HERE] * 10, [0] * 20, groups=2)
    assert found.customer_years.tolist() == [5, 0]
    assert found.rate.value[0, LEFT] == 2
    assert 5 * found.rate.low[0, LEFT] == pytest.approx(4.80, abs=0.005)
    assert 5 * found.rate.high[0, LEFT] == pytest.approx(18.39, abs=0.005)
    assert found.rate.low[0, POACHED] == 0
    assert 5 * found.rate.high[0, POACHED] == pytest.approx(3.69, abs=0.005)
    assert np.isnan(found.rate.value[1]).all() and np.isnan(found.rate.high[1]).all()


def test_groups_add_up():
    duration, cause = draw(500)
    group = np.random.default_rng(2).integers(3, size=500)
    parts, whole = hazards(duration, cause, group), hazards(duration, cause)
    np.testing.assert_array_equal(parts.exits.sum(axis=0), whole.exits[0])
    assert parts.customer_years.sum() == pytest.approx(whole.customer_years[0])
    for wrong in ([0], np.full(500, -1), np.full(500, 3)):
        with pytest.raises(ValueError, match="group"):
            hazards(duration, cause, wrong, groups=3)


def test_ratio_against_scipy():
    exits, years, others, other_years = (
        np.array(each) for each in ([7, 0, 30], [10.0, 4, 9], [3, 5, 31], [20.0, 4, 9])
    )
    found = rate_ratio(exits, years, others, other_years)
    for i in range(3):
        equal = years[i] / (years[i] + other_years[i])
        test = stats.binomtest(int(exits[i]), int(exits[i] + others[i]), equal)
        bounds = test.proportion_ci(method="exact")
        odds = np.array([bounds.low / (1 - bounds.low), bounds.high / (1 - bounds.high)])
        scale = other_years[i] / years[i]
        np.testing.assert_allclose([found.ratio.low[i], found.ratio.high[i]], odds * scale, rtol=1e-9)
        sides = [stats.binomtest(test.k, test.n, equal, side).pvalue for side in ("less", "greater")]
        assert found.p_value[i] == pytest.approx(min(2 * min(sides), 1))
    np.testing.assert_allclose(found.ratio.value, [14 / 3, 0, 30 / 31])


@given(st.integers(0, 60), st.integers(0, 60), st.floats(0.1, 50), st.floats(0.1, 50))
@settings(max_examples=60, deadline=None)
def test_ratio_holds_one_where_it_is_not_refuted(exits, others, years, other_years):
    found = rate_ratio(exits, years, others, other_years)
    if exits + others == 0:
        assert np.isnan([found.ratio.value, found.ratio.low, found.ratio.high, found.p_value]).all()
    elif abs(found.p_value - 0.05) > 1e-9:
        assert (found.ratio.low <= 1 <= found.ratio.high) == (found.p_value > 0.05)
    turned = rate_ratio(others, other_years, exits, years)
    if exits and others:
        assert turned.ratio.high == pytest.approx(1 / found.ratio.low)
        assert turned.p_value == pytest.approx(found.p_value)


def test_rates_that_cannot_be_compared_are_refused():
    for wrong in ((1, 0, 1, 1), (-1, 1, 1, 1), (1, 1, 1, np.nan)):
        with pytest.raises(ValueError, match="Exits"):
            rate_ratio(*wrong)


# --- value ------------------------------------------------------------------------------------------------------


def test_value_lost_by_hand():
    cause = [LEFT, LEFT, POACHED, FORCED, UNKNOWN, GIVEN_UP, STILL_HERE]
    value = np.array([10.0, 5, 20, 7, 3, -2, 100])
    found = value_lost(value, cause, draws=[value * scale for scale in (0.5, 1.5)], level=1.0)
    assert found.value.value.tolist() == [-2, 15, 20, 7, 3]
    assert (found.total.value, found.avoidable.value) == (43, 35)
    assert (found.avoidable.low, found.avoidable.high) == (17.5, 52.5)
    assert found.customers.tolist() == [1, 2, 1, 1, 1]
    assert np.isnan(value_lost(value, cause).total.low)
    for wrong in (value[:3], np.full(7, np.nan)):
        with pytest.raises(ValueError, match="finite value"):
            value_lost(wrong, cause)


# --- a firm with known causes -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made():
    return firm(3000, seed=4, satisfaction_to_poaching=0)


def test_planted_causes_are_recovered(made):
    gone = made.tables["exits"].set_index("customer_id")
    truth = made.truth.set_index("customer_id")
    end = made.tables["transactions"]["date"].max()
    until = gone["date"].reindex(truth.index).fillna(end)
    duration = (until - truth["first_date"]) / pd.Timedelta(days=1)
    cause = gone["cause"].reindex(truth.index).cat.set_categories(CAUSES).cat.codes
    found = hazards(duration, cause.to_numpy())
    shares = np.array([PLANTED.get(name, 0) for name in CAUSES])
    every, years = len(gone), found.customer_years[0]
    assert found.exits.sum() == every and found.exits[0, UNKNOWN] == 0
    inside = (found.rate.low[0] <= shares * every / years) & (shares * every / years <= found.rate.high[0])
    assert inside.all()
    incidence = cumulative_incidence(duration, cause.to_numpy(), [365]).share
    planted = shares * incidence.value.sum()
    known = shares > 0
    assert ((incidence.low[:, 0] <= planted) & (planted <= incidence.high[:, 0]))[known].all()
    lost = value_lost(np.ones(len(truth)), cause.to_numpy())
    share = lost.avoidable.value / lost.total.value
    expected = sum(PLANTED[name] for name in AVOIDABLE)
    assert share == pytest.approx(expected, abs=3 * np.sqrt(expected * (1 - expected) / every))
