from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from lifelines import KaplanMeierFitter
from lifelines.utils import median_survival_times, restricted_mean_survival_time

from helpers.models.customer_portfolio.stages import (
    ABSENT,
    DECLINE,
    ENDED,
    EXPLORATION,
    FORMATION,
    RULE,
    STABLE,
    STAGES,
    StageRule,
    dwell,
    stages,
    stages_over_time,
    transitions,
)
from helpers.models.lifetime_value.purchase_models.bg_nbd import BGNBD

pytestmark = pytest.mark.filterwarnings("error")
MODEL = BGNBD(0.243, 4.414, 0.793, 2.426)


# --- the rule ---------------------------------------------------------------------------------------------------

CASES = {  # tenure, recent, before, P(alive), ended, bought again -> stage
    "not there yet": (-1, 0, 0, 1, False, False, ABSENT),
    "new": (10, 30, 0, 1, False, True, EXPLORATION),
    "once, within the year": (200, 0, 0, 1, False, False, EXPLORATION),
    "once, and the year is over": (365, 0, 0, 1, False, False, DECLINE),
    "past the trial": (90, 30, 0, 0.9, False, True, FORMATION),
    "a year": (365, 30, 30, 0.9, False, True, STABLE),
    "sales halved": (400, 15, 30, 0.9, False, True, STABLE),
    "sales more than halved": (400, 14.9, 30, 0.9, False, True, DECLINE),
    "sales fell in a window half seen": (363, 1, 30, 0.9, False, True, FORMATION),
    "nothing sold in either window": (800, 0, 0, 0.9, False, True, STABLE),
    "probably gone": (20, 30, 0, 0.49, False, True, DECLINE),
    "just alive": (20, 30, 0, 0.5, False, True, EXPLORATION),
    "exit recorded": (500, 0, 30, 0.1, True, True, ENDED),
    "exit recorded of one of whom nothing is known": (500, np.nan, 30, np.nan, True, True, ENDED),
}


@pytest.mark.parametrize("case", CASES)
def test_rule(case):
    *customer, stage = CASES[case]
    found = stages(*([each] for each in customer))
    assert found.dtype == np.int8 and found.tolist() == [stage]


def rows(elements, dtype=float):
    return arrays.arrays(dtype, 20, elements=elements)


@given(
    rows(st.floats(-1000, 3000)),
    rows(st.floats(0, 1e6)),
    rows(st.floats(0, 1e6)),
    rows(st.floats(0, 1)),
    rows(st.booleans(), bool),
    rows(st.booleans(), bool),
)
@settings(max_examples=50, deadline=None)
def test_everyone_is_in_one_stage_and_money_has_no_unit(tenure, recent, before, alive, ended, again):
    found = stages(tenure, recent, before, alive, ended, again)
    assert ((found >= 0) == (tenure >= 0)).all() and found.max() < len(STAGES)
    assert ((found == ENDED) == (ended & (tenure >= 0))).all()
    # a power of 2 is exact
    np.testing.assert_array_equal(stages(tenure, 8 * recent, 8 * before, alive, ended, again), found)
    one_by_one = [stages(*each)[()] for each in zip(tenure, recent, before, alive, ended, again, strict=True)]
    assert found.tolist() == one_by_one


@pytest.mark.parametrize(
    "wrong",
    [
        {"exploration_days": 0},
        {"exploration_days": 400},
        {"trend_days": 0},
        {"falling": 1.2},
        {"alive": -0.1},
        {"stable_days": np.nan},
    ],
)
def test_rule_with_a_gap_is_refused(wrong):
    with pytest.raises(ValueError, match="|".join([*wrong, "finite"])):
        StageRule(**wrong)


@pytest.mark.parametrize(("place", "value"), [(0, np.nan), (1, np.nan), (3, np.nan), (3, 1.5)])
def test_customers_of_whom_nothing_is_known_are_refused(place, value):
    customer = [200, 1, 1, 0.9, False, True]
    customer[place] = value
    with pytest.raises(ValueError, match="must"):
        stages(*customer)


# --- over time --------------------------------------------------------------------------------------------------


def by_hand(customer, day, amount, dates, exit_day, rule=RULE):
    """One customer and date after the other, as the definitions say."""
    panel = np.empty((len(dates), len(exit_day)), int)
    for i, date in enumerate(dates):
        for j, left in enumerate(exit_day):
            mine = (customer == j) & (day <= date)
            days = np.unique(day[mine])
            if not len(days):
                panel[i, j] = ABSENT
                continue
            alive = MODEL.probability_alive(len(days) - 1, (days[-1] - days[0]) / 7, (date - days[0]) / 7)
            recent = amount[mine & (day > date - rule.trend_days)].sum()
            before = amount[mine & (day > date - 2 * rule.trend_days) & (day <= date - rule.trend_days)].sum()
            panel[i, j] = stages(date - days[0], recent, before, alive, left <= date, len(days) > 1, rule)
    return panel


@pytest.fixture(scope="module")
def purchases():
    rng = np.random.default_rng(1)
    size = 60
    customer = np.sort(rng.integers(size - 1, size=700))  # the last one has bought nothing
    day = rng.integers(-50, 1000, 700) // 3 * 3
    order = np.lexsort((day, customer))
    exit_day = np.where(rng.random(size) < 0.2, rng.integers(500, 1000, size), np.inf)
    return customer, day[order], np.round(rng.exponential(30, 700), 2), exit_day


def test_panel_is_that_of_the_definitions(purchases):
    customer, day, amount, exit_day = purchases
    dates = np.arange(-100, 1400, 91)
    panel = stages_over_time(customer, day, amount, dates, MODEL.probability_alive, exit_day, days_per_unit=7)
    np.testing.assert_array_equal(panel, by_hand(customer, day, amount, dates, exit_day))
    assert set(panel.ravel()) == {ABSENT, *range(len(STAGES))}
    assert (panel[:, -1] == ABSENT).all()


def test_later_purchases_change_no_earlier_stage(purchases):
    customer, day, amount, exit_day = purchases
    known = day <= 600
    dates = [300, 600]
    whole, part = (
        stages_over_time(c, d, a, dates, MODEL.probability_alive, exit_day, days_per_unit=7)
        for c, d, a in (purchases[:3], (customer[known], day[known], amount[known]))
    )
    np.testing.assert_array_equal(whole, part)


def test_no_purchases_are_no_customers():
    panel = stages_over_time([], [], [], [5], MODEL.probability_alive, [np.inf], days_per_unit=7)
    assert panel.tolist() == [[ABSENT]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dates": [600, 300]}, "rise"),
        ({"dates": []}, "rise"),
        ({"customer": [1, 0]}, "order"),
        ({"day": [9, 5], "customer": [0, 0]}, "order"),
        ({"customer": [0, 2]}, "exit_day"),
        ({"amount": [1.0]}, "length"),
        ({"days_per_unit": 0}, "days_per_unit"),
    ],
)
def test_purchases_that_make_no_panel_are_refused(change, message):
    given = {"customer": [0, 1], "day": [5, 9], "amount": [1.0, 2], "dates": [10], "exit_day": [np.inf, 20]}
    given |= {"probability_alive": MODEL.probability_alive, "days_per_unit": 7}
    with pytest.raises(ValueError, match=message):
        stages_over_time(**{**given, **change})


# --- transitions and dwelling -----------------------------------------------------------------------------------

CHAIN = np.array(
    [
        [0.70, 0.20, 0.00, 0.10, 0.00],
        [0.00, 0.80, 0.15, 0.05, 0.00],
        [0.00, 0.00, 0.90, 0.08, 0.02],
        [0.00, 0.05, 0.10, 0.65, 0.20],
        [0.00, 0.00, 0.00, 0.00, 1.00],
    ]
)


@pytest.fixture(scope="module")
def simulated():
    """Customers who come at any date and move as `CHAIN` says."""
    rng = np.random.default_rng(3)
    size, dates = 3000, 30
    joins = rng.integers(-10, 15, size)
    panel = np.full((dates, size), ABSENT)
    stage = np.where(joins < 0, rng.integers(4, size=size), EXPLORATION)
    for date in range(dates):
        there = joins <= date
        panel[date, there] = stage[there]
        drawn = (rng.random(size)[:, None] > CHAIN[stage].cumsum(axis=1)).sum(axis=1).clip(max=4)
        stage = np.where(there, drawn, stage)
    return panel


def test_transitions_recover_the_chain(simulated):
    found = transitions(simulated[:-1], simulated[1:])
    inside = (found.share.low <= CHAIN) & (CHAIN <= found.share.high)
    assert inside.sum() >= 23  # of 25 intervals of 95 %, 10 of them of what cannot be
    np.testing.assert_allclose(found.share.value, CHAIN, atol=0.012)
    np.testing.assert_allclose(found.share.value.sum(axis=1), 1)
    assert found.joined.tolist() == [(simulated[0] == ABSENT).sum(), 0, 0, 0, 0]


def test_moves_between_two_dates_count_everyone_once(simulated):
    found = transitions(simulated[0], simulated[-1])
    assert found.counts.sum() + found.joined.sum() == simulated.shape[1]
    np.testing.assert_array_equal(
        found.counts.sum(axis=1), [(simulated[0] == stage).sum() for stage in range(len(STAGES))]
    )
    nobody = transitions([FORMATION], [STABLE])
    assert np.isnan(nobody.share.value[ENDED]).all() and np.isnan(nobody.share.low[ENDED]).all()
    assert nobody.share.value[FORMATION, STABLE] == 1


def test_dates_in_the_wrong_order_are_refused():
    with pytest.raises(ValueError, match="order"):
        transitions([FORMATION], [ABSENT])
    with pytest.raises(ValueError, match="same dates"):
        transitions([FORMATION], [STABLE, STABLE])
    with pytest.raises(ValueError, match="whole numbers"):
        transitions([7], [STABLE])


def test_dwelling_recovers_the_chain(simulated):
    """A stay in stage s lasts 1 / (1 - p_ss) steps, whatever was under way at the first date."""
    found = dwell(simulated, step_days=30)
    stay = CHAIN.diagonal()[:4]
    steps = found.horizon_days[:4] / 30
    expected = 30 * (1 - stay**steps) / (1 - stay)
    low, high = found.mean_days.low[:4], found.mean_days.high[:4]
    assert ((low <= expected) & (expected <= high)).all()
    assert (high - low < 0.15 * expected).all()
    median = 30 * np.ceil(np.log(0.5) / np.log(stay))
    assert ((found.median_days.low[:4] <= median) & (median <= found.median_days.high[:4])).all()
    assert found.begun_before.sum() == (simulated[0] != ABSENT).sum()


def test_what_nobody_leaves_has_no_length(simulated):
    found = dwell(simulated, step_days=30)
    assert found.spells[ENDED] > 0 and found.completed[ENDED] == 0
    for numbers in (found.horizon_days, found.mean_days.value, found.mean_days.high, found.median_days.value):
        assert np.isnan(numbers[ENDED])


def test_stays_by_hand():
    """Exploration: 2 steps completed; 1 step completed; at least 1 (seen at the last two dates); one not counted."""
    panel = np.array(
        [[ABSENT, ABSENT, ABSENT, 0], [0, ABSENT, ABSENT, 1], [0, 0, ABSENT, 1], [1, 1, 0, 1], [1, 1, 0, 1]]
    )
    found = dwell(panel, step_days=10)
    assert (found.spells[0], found.completed[0], found.begun_before[0]) == (3, 2, 1)
    # one of three left after one step; of the one that was seen on, all after the second
    np.testing.assert_allclose(found.staying[0, :3], [1, 2 / 3, 0])
    assert found.mean_days.value[0] == pytest.approx(10 * (1 + 2 / 3))
    assert found.median_days.value[0] == 20
    assert found.horizon_days[0] == 20


def test_dwelling_is_kaplan_meier_of_lifelines(simulated):
    part = dwell(simulated[:, :400], step_days=1)
    for stage in range(4):
        steps, ended = [], []
        for path in simulated[:, :400].T:
            changes = np.flatnonzero(np.diff(path)) + 1
            for start, end in pairwise([*changes, len(path)]):
                if path[start] == stage:
                    ended.append(end < len(path))
                    steps.append(end - start - (end == len(path)))
        curve = KaplanMeierFitter().fit(steps, ended)
        theirs = curve.survival_function_at_times(np.arange(max(steps) + 1)).to_numpy()
        np.testing.assert_allclose(part.staying[stage, : max(steps) + 1], theirs, atol=1e-12)
        mean = restricted_mean_survival_time(curve, t=part.horizon_days[stage])
        assert part.mean_days.value[stage] == pytest.approx(mean)
        assert part.median_days.value[stage] == curve.median_survival_time_
        bounds = median_survival_times(curve.confidence_interval_).to_numpy()[0]
        ours = np.array([part.median_days.low[stage], part.median_days.high[stage]])
        np.testing.assert_array_equal(np.where(np.isnan(ours), np.inf, ours), bounds)


def test_error_of_the_mean_stay_is_that_of_many_samples():
    """Of 200 stays with a chance of 0.15 to end at each step, seen for up to 12 steps."""
    rng = np.random.default_rng(5)
    means, errors = [], []
    for _ in range(300):
        length, seen = rng.geometric(0.15, 200), rng.integers(1, 13, 200)
        panel = np.full((14, 200), ABSENT)
        step = np.arange(14)[:, None] - (13 - seen)
        panel[(step >= 0) & (step < length)] = FORMATION
        panel[step >= length] = STABLE
        found = dwell(panel, step_days=1)
        if found.horizon_days[FORMATION] == 12:
            means.append(found.mean_days.value[FORMATION])
            errors.append((found.mean_days.high - found.mean_days.value)[FORMATION] / 1.96)
    assert len(means) > 250
    assert np.mean(errors) == pytest.approx(np.std(means), rel=0.15)
    assert np.mean(means) == pytest.approx((1 - 0.85**12) / 0.15, rel=0.02)


@pytest.mark.parametrize(("panel", "days"), [(np.zeros((1, 3), int), 7), (np.zeros((3, 2), int), 0)])
def test_panels_without_steps_are_refused(panel, days):
    with pytest.raises(ValueError, match="two dates or more"):
        dwell(panel, days)
