"""The road map as a simulation: what a move is worth, what it costs, and the hold-out that would show it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from helpers.models.referral_value.campaign import ROAD_MAP, Move, customers_per_arm, simulate
from helpers.models.referral_value.classes import CLASSES

# two affluents, two champions, two advocates, two misers
CLASS = np.repeat(np.arange(4), 2)
LIFETIME = np.array([50.0, 60, 40, 80, 10, 20, 4, 6])
REFERRAL = np.array([0.0, 10, 30, 50, 45, 25, 0, 2])
AFFLUENTS = Move("affluents", 0.5, contact_cost=2, incentive=4, response_evidence=np.inf)


def firm(size=4000, seed=0):
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, 4, size)
    high = np.array([(1, 0), (1, 1), (0, 1), (0, 0)])[classes].T
    return *(rng.lognormal(2, 0.4, (2, size)) * (1 + 9 * high)), classes


def expected(move, *values):
    return simulate([move], *(values or (LIFETIME, REFERRAL, CLASS)), simulations=10).outcomes[0]


def test_a_move_by_hand():
    # the median referral value of champions is 40: the two affluents gain 40 and 30, 35 on average
    found = expected(AFFLUENTS)
    assert (found.addressed, found.responses.value, found.uplift.value) == (2, 1, 35)
    # letters 2 x 2, one reward of 4: 35 - 8 = 27, and 27 / 8 for each unit spent
    assert (found.cost.value, found.net.value, found.return_on_campaign.value) == (8, 27, 27 / 8)
    # p (35 - 4) = 2
    assert found.break_even_response.value == pytest.approx(2 / 31)
    # half of the way: 20 less 0 and less 10
    assert expected(replace(AFFLUENTS, share_of_target=0.5)).uplift.value == 15


def test_the_second_touch_by_hand():
    # half respond to the first letter, a quarter of the rest to the second, which costs 1 for each of those left
    found = expected(replace(AFFLUENTS, second_response=0.25, second_contact_cost=1))
    assert found.responses.value == 1.25 and found.uplift.value == 1.25 * 35
    assert found.cost.value == 2 * 2 + 1 * 1 + 1.25 * 4
    # with k times both responses each customer nets 31 (0.75 k - 0.125 k^2) + 0.5 k - 3
    times = (23.75 - np.sqrt(23.75**2 - 4 * 3.875 * 3)) / (2 * 3.875)
    assert found.break_even_response.value == pytest.approx(0.75 * times - 0.125 * times**2)


def test_the_guard_rail_by_hand():
    # a tenth of what two affluents are worth (50 and 60) is lost, whoever responds
    found = expected(replace(AFFLUENTS, lifetime_loss=0.1))
    assert found.loss.value == pytest.approx(11) and found.net.value == pytest.approx(27 - 11)
    assert expected(Move("advocates", 0.5, referral_loss=0.1)).loss.value == pytest.approx(7)


def test_each_class_gains_what_its_target_is_high_in():
    # advocates: champions' median lifetime value of 60 less 10 and 20; misers: to affluents 55 less 4 and 6,
    # to advocates 35 less 0 and 2, to champions 60 less 4 and 6 and 40 less 0 and 2
    assert expected(Move("advocates", 1)).uplift.value == 50 + 40
    for target, gain in {"affluents": 51 + 49, "advocates": 35 + 33, "champions": 56 + 54 + 40 + 38}.items():
        assert expected(Move("misers", 1, targets={target: 1})).uplift.value == gain
    assert expected(Move("misers", 1)).uplift.value == pytest.approx((100 + 68 + 188) / 3)
    # nobody loses by moving: an affluent who brings more than the champions' median stays there
    assert expected(AFFLUENTS, LIFETIME, np.r_[99.0, REFERRAL[1:]], CLASS).uplift.value == 0.5 * 30


@settings(max_examples=60)
@given(
    st.sampled_from(sorted(ROAD_MAP)),
    st.floats(0, 20),
    st.floats(0, 5),
    st.floats(0, 1),
    st.floats(0, 2),
    st.floats(0, 1),
)
def test_the_break_even_response_breaks_even(source, incentive, contact, second, second_contact, loss):
    move = Move(
        source,
        0.1,
        incentive=incentive,
        contact_cost=contact,
        second_response=0.9 * second,
        second_contact_cost=second_contact,
        lifetime_loss=loss / 10,
    )
    touches = np.array([0.1, move.second_response])
    most = 1 / touches.max()  # times as many, until one touch convinces all
    found = expected(move).break_even_response.value

    def scaled(times):
        first, later = np.minimum(times * touches, 1)
        return replace(move, response=float(first), second_response=float(later))

    if np.isfinite(found):
        times = optimize.brentq(lambda times: scaled(times).total_response - found, 0, most)
        assert expected(scaled(times)).net.value == pytest.approx(0, abs=1e-6)
    else:
        assert max(expected(scaled(times)).net.value for times in np.linspace(0, most, 9)) <= 1e-9


def test_simulated_campaigns_have_the_mean_and_spread_of_their_customers():
    """Against customers who respond one by one, at a known response and at one that rests on 50."""
    lifetime, referral, classes = firm()
    own = referral[classes == 0]
    gain = np.maximum(np.median(referral[classes == 1]) - own, 0)
    rng = np.random.default_rng(5)
    for evidence in (np.inf, 50):
        move = Move("affluents", 0.1, evidence, contact_cost=1, incentive=20)
        found = simulate([move], lifetime, referral, classes, simulations=20_000).outcomes[0]
        rate = 0.1 if np.isinf(evidence) else rng.beta(5, 45, (4000, 1))
        responds = rng.random((4000, len(own))) < rate
        net = responds @ (gain - 20) - len(own)
        width = found.net.high - found.net.low
        assert width == pytest.approx(np.diff(np.quantile(net, [0.025, 0.975]))[0], rel=0.08)
        assert found.net.value == pytest.approx(len(own) * (0.1 * (gain.mean() - 20) - 1))
        assert found.probability_of_gain == pytest.approx(np.mean(net > 0), abs=0.03)


def test_uncertain_values_widen_the_interval():
    lifetime, referral, classes = firm()
    scale = np.random.default_rng(1).normal(1, 0.3, 300)
    alone, drawn = (
        simulate([AFFLUENTS], lifetime, referral, classes, draws=draws).outcomes[0]
        for draws in (None, [(lifetime, each * referral) for each in scale])
    )
    assert drawn.uplift.high - drawn.uplift.low > 5 * (alone.uplift.high - alone.uplift.low)
    assert drawn.uplift.value == alone.uplift.value
    assert drawn.break_even_response.low < alone.break_even_response.value < drawn.break_even_response.high
    # a response of 1/2 lies far beyond its break-even in either case
    assert alone.decision == drawn.decision == "address"


def test_decisions_follow_the_interval_of_the_net():
    values = firm()
    found = [simulate([Move("affluents", 0.05, 40, contact_cost=cost)], *values).outcomes[0] for cost in (0.1, 3, 20)]
    assert [each.decision for each in found] == ["address", "test first", "leave"]
    assert [each.break_even_response.value < 0.05 for each in found] == [True, True, False]
    hopeless = simulate([Move("affluents", 0.05, incentive=1000)], *values).outcomes[0]
    assert np.isinf(hopeless.break_even_response.value) and hopeless.decision == "leave"


def test_measures_add_up_and_do_not_disturb_each_other():
    moves = [Move(source, 0.1, contact_cost=1, incentive=5) for source in ROAD_MAP]
    found = simulate(moves, *firm())
    for name in ("responses", "uplift", "loss", "cost", "net"):
        sum_of_all = sum(getattr(each, name).value for each in found.outcomes)
        assert getattr(found.together, name).value == pytest.approx(sum_of_all)
    assert found.together.addressed == sum(each.addressed for each in found.outcomes)
    assert found.together.return_on_campaign.value == pytest.approx(
        found.together.net.value / found.together.cost.value
    )
    assert simulate(moves[1:2], *firm()).outcomes[0].net.low == found.outcomes[1].net.low


def test_money_scales_and_names_do_not_matter():
    lifetime, referral, classes = firm(400)
    order = np.random.default_rng(0).permutation(400)
    one = simulate([AFFLUENTS], lifetime, referral, classes).outcomes[0]
    scaled = replace(AFFLUENTS, contact_cost=14, incentive=28)
    other = simulate([scaled], 7 * lifetime[order], 7 * referral[order], classes[order]).outcomes[0]
    assert other.net.high == pytest.approx(7 * one.net.high)
    assert other.return_on_campaign.low == pytest.approx(one.return_on_campaign.low)
    assert other.break_even_response.value == pytest.approx(one.break_even_response.value)


def test_what_cannot_be_told_is_nan_and_does_not_spoil_the_rest():
    lonely = CLASS.copy()
    lonely[CLASS == CLASSES.index("misers")] = CLASSES.index("advocates")
    moves = [AFFLUENTS, Move("misers", 0.1)]
    found = simulate(moves, LIFETIME, REFERRAL, lonely)
    assert found.outcomes[1].addressed == 0 and np.isnan(found.outcomes[1].net.value)
    assert found.outcomes[1].decision == "cannot be told"
    assert found.together.net.value == found.outcomes[0].net.value
    nobody = simulate([AFFLUENTS], LIFETIME, REFERRAL, np.full(8, 3))  # no affluents, no champions
    assert nobody.together.decision == "cannot be told"
    untold = simulate([AFFLUENTS], LIFETIME, REFERRAL, np.zeros(8, int))  # nobody to take the target's value from
    assert untold.outcomes[0].addressed == 8 and untold.together.decision == "cannot be told"
    free = simulate([Move("affluents", 0.5)], LIFETIME, REFERRAL, CLASS).outcomes[0]
    assert np.isnan(free.return_on_campaign.value) and free.net.value == 35


@pytest.mark.parametrize(
    "terms, words",
    [
        ({"source": "champions"}, "addresses one of"),
        ({"targets": {"misers": 1}}, "can move to"),
        ({"targets": {"platinum": 1}}, "can move to"),
        ({"targets": {"champions": 0.5}}, "add up to 1"),
        ({"response": 1.5}, "^response must be a share from 0 to 1, such as 0.04"),
        ({"response": "4 %"}, "^response must be a share"),
        ({"response": True}, "^response must be a share"),
        ({"second_response": np.nan}, "second_response must be a share"),
        ({"incentive": -1}, "incentive must be a number from 0 up"),
        ({"contact_cost": None}, "contact_cost must be a number"),
        ({"response_evidence": 0}, "response_evidence"),
        ({"targets": "champions"}, "targets must give each class a share"),
        ({"targets": {"champions": "all"}}, "add up to 1"),
    ],
)
def test_measures_that_make_no_sense_are_refused(terms, words):
    with pytest.raises(ValueError, match=words):
        Move(**({"source": "affluents", "response": 0.1} | terms))


def test_terms_typed_by_hand():
    assert Move.described("misers", {"response": 0.2}, {"response": 0.1, "incentive": 3.0}).incentive == 3
    with pytest.raises(ValueError, match=r"respnse is not known; known are response, .*incentive"):
        Move.described("misers", {"respnse": 0.2}, {})
    with pytest.raises(ValueError, match="described by names and values"):
        Move.described("misers", 0.2, {"response": 0.1})


def test_a_class_is_addressed_once():
    for moves in ([], [AFFLUENTS, AFFLUENTS]):
        with pytest.raises(ValueError, match="at most one for each class"):
            simulate(moves, LIFETIME, REFERRAL, CLASS)


# ---- the hold-out


def test_customers_per_arm_by_hand():
    # 2 (1.959964 + 0.841621)^2 = 15.698 for a difference of one standard deviation
    assert customers_per_arm(1, 1) == 16 and customers_per_arm(-0.1, 1) == 1570
    assert customers_per_arm(3, 30) == customers_per_arm(0.1, 1)  # in any currency
    # 2 (1.959964 + 1.281552)^2 = 21.015
    assert customers_per_arm(1, 1, power=0.9) == 22


def test_the_hold_out_has_the_power_it_was_planned_for():
    size = customers_per_arm(2, 10)
    rng = np.random.default_rng(0)
    with_it, without = rng.gamma(1, 10, (2, 4000, size))
    ahead = stats.ttest_ind(with_it + 2, without, axis=1).pvalue < 0.05
    assert ahead.mean() == pytest.approx(0.8, abs=0.02)


def test_the_spread_is_that_of_what_the_measure_is_to_raise():
    # nobody responds: 0 and 10, 10 and 20, 4 + 0 and 6 + 2; misers who are to buy more only: 4 and 6
    found = {source: expected(Move(source, 0)).spread for source in ROAD_MAP}
    assert found == {"affluents": 5, "advocates": 5, "misers": 2}
    assert expected(Move("misers", 0, targets={"affluents": 1})).spread == 1
    # a tenth of the affluents gain 40 or 30
    with_response = 25 + (0.1 * 25 + 0.09 * 35**2) / 2
    assert expected(Move("affluents", 0.1)).spread == pytest.approx(np.sqrt(with_response))


@pytest.mark.parametrize("terms", [(0, 1), (np.nan, 1), (1, -1), (1, np.inf), (1, 1, 1)])
def test_hold_outs_that_find_nothing_are_refused(terms):
    difference, spread, *power = terms
    with pytest.raises(ValueError):
        customers_per_arm(difference, spread, **({"power": power[0]} if power else {}))
