"""What winning and keeping customers cost: averages by hand, known elasticities, what the rows cannot tell."""

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import special, stats

from helpers.models.retention_economics.costs import (
    ABOVE,
    BELOW,
    CLAIMS,
    COMPATIBLE,
    INSIDE,
    UNKNOWN,
    acquisition_cost_trend,
    against_claim,
    average_costs,
    marginal_acquisition_cost,
    marginal_retention_cost,
    spend_by_period,
)
from helpers.models.retention_economics.periods import resampled_periods
from helpers.synthetic.firm.market_spend import CHANNELS, market_spend
from helpers.synthetic.firm.marketing import marketing_touches
from helpers.synthetic.firm.people import draw_people
from helpers.synthetic.firm.referrals import referrals

COLUMNS = ("period", "acquisition_spend", "retention_spend", "new_customers", "retained_customers", "channel")


def arranged(periods=24, channels=3, seed=1, elasticity=0.6, yearly=0.0, mean=40.0):
    """Spend of channels with new customers as a power of it, dearer each year by a share."""
    rng = np.random.default_rng(seed)
    money = np.exp(rng.normal(7, 0.5, (periods, channels)))
    season, level = rng.normal(0, 0.3, (periods, 1)), rng.normal(0, 0.5, channels)
    rate = (
        mean
        * np.exp(elasticity * (np.log(money) - 7) + season + level)
        * (1 + yearly) ** (-np.arange(periods)[:, None] / 12)
    )
    return rows(money, np.zeros_like(money), rng.poisson(rate), np.full(money.shape, 100.0))


def rows(acquisition, retention, new, retained):
    periods, channels = np.indices(acquisition.shape)
    amounts = (each.ravel() for each in (acquisition, retention, new, retained))
    return spend_by_period(periods.ravel(), *amounts, channel=channels.ravel())


@pytest.fixture(scope="module")
def firm():
    """Spend of a simulated firm whose channels bring customers at an elasticity of 0.6."""
    rng = np.random.default_rng(17)
    people = draw_people(20_000, rng)[0]
    table = market_spend(people, marketing_touches(people, rng), referrals(people, rng), rng)
    return spend_by_period(**{name: table[name].to_numpy() for name in COLUMNS})


# ---- averages


def test_averages_by_hand():
    # channel a: 300 for 6 new, 24 for 12 + 12 customer-months = 2 customer-years; b brings nobody
    spend = spend_by_period(
        ["m1", "m1", "m2", "m2"],
        [100, 50, 200, 0],
        [12, 0, 12, 0],
        [2, 0, 4, 0],
        [12, 5, 12, 5],
        channel=["a", "b", "a", "b"],
    )
    found = average_costs(spend)
    assert found.channels == ("a", "b", "all")
    np.testing.assert_allclose(found.acquisition_cost.value, [50, np.nan, 350 / 6])
    np.testing.assert_allclose(found.retention_cost.value, [12, 0, 24 / (34 / 12)])
    np.testing.assert_allclose(found.ratio.value, [50 / 12, np.nan, 350 / 6 / (24 / (34 / 12))])
    assert "There are only 2 periods" in found.problems[0]
    assert found.problems[1] == "b brought no customer: what one costs there is not defined."
    assert found.problems[2] == "b was kept without any spend: there is no ratio."
    assert np.isnan(found.ratio.low[1]) and np.isnan(found.acquisition_cost.low[1])


def test_rows_of_the_same_cell_add_up():
    once = spend_by_period([1, 2], [10, 20], [1, 2], [3, 4], [5, 6])
    split = spend_by_period([2, 1, 2], [15, 10, 5], [2, 1, 0], [4, 3, 0], [1, 5, 5])
    for name in ("acquisition_spend", "retention_spend", "new_customers", "retained_customers"):
        np.testing.assert_array_equal(getattr(once, name), getattr(split, name))
    # 3 + 5 at the end of the first, 6 of them retained
    np.testing.assert_array_equal(once.lost_customers, [[np.nan], [2]])


def test_intervals_of_the_average_cover():
    """As many of 150 intervals over 36 months as the binomial allows, if they may cover 3 points too little."""
    truth, repetitions, covered = 20.0, 150, {1: 0, 3: 0}
    for seed in range(repetitions):
        rng = np.random.default_rng(seed)
        money = np.exp(rng.normal(7, 0.3, (36, 1)))
        spend = rows(money, np.ones((36, 1)), rng.poisson(money / truth), np.ones((36, 1)))
        for block in covered:
            cost = average_costs(spend, resamples=400, block=block, seed=seed).acquisition_cost
            covered[block] += cost.low[-1] <= truth <= cost.high[-1]
    fewest, most = stats.binom.ppf(0.0005, repetitions, 0.92), stats.binom.ppf(0.9995, repetitions, 0.95)
    assert fewest <= covered[1] <= most and stats.binom.ppf(0.0005, repetitions, 0.88) <= covered[3] <= most


def test_money_scales_costs_and_leaves_the_ratio(firm):
    one = average_costs(firm, resamples=200)
    other = average_costs(
        replace(firm, acquisition_spend=7 * firm.acquisition_spend, retention_spend=7 * firm.retention_spend),
        resamples=200,
    )
    np.testing.assert_allclose(other.acquisition_cost.high, 7 * one.acquisition_cost.high, rtol=1e-9)
    np.testing.assert_allclose(other.ratio.low, one.ratio.low, rtol=1e-9)
    assert np.all(one.ratio.low < one.ratio.value) and np.all(one.ratio.value < one.ratio.high)


@pytest.mark.parametrize("periods, block", [(24, 3), (7, 7), (5, 2), (6, 1)])
def test_resamples_are_runs_of_periods(periods, block):
    counts = resampled_periods(periods, 300, block)
    assert counts.shape == (300, periods) and np.all(counts.sum(axis=1) == periods)
    np.testing.assert_array_equal(counts, resampled_periods(periods, 300, block))
    if block == periods:
        assert np.all(counts == 1)


@pytest.mark.parametrize(
    "interval, claim, verdict",
    [
        ((6.5, 9), "6 to 10 times", INSIDE),
        ((4, 7), "6 to 10 times", COMPATIBLE),
        ((4, 7), "5 times", COMPATIBLE),
        ((1, 4.9), "5 times", BELOW),
        ((6.1, 9), "5 times more", ABOVE),
        ((np.nan, 3), "5 times", UNKNOWN),
        ((2, np.inf), "5 times", UNKNOWN),
    ],
)
def test_claims(interval, claim, verdict):
    assert against_claim(*interval, CLAIMS[claim]) == verdict


# ---- at the margin


def test_elasticity_of_a_firm_is_recovered(firm):
    found = marginal_acquisition_cost(firm.of_channels(list(CHANNELS)))
    assert found.elasticity.low < 0.6 < found.elasticity.high and found.elasticity.high - found.elasticity.low < 0.2
    assert found.told and not found.problems
    bounds = (found.elasticity.value, found.elasticity.high, found.elasticity.low)
    expected = [found.average_cost / each for each in bounds]
    assert [found.cost.value, found.cost.low, found.cost.high] == pytest.approx(expected)
    assert found.cost.low < found.average_cost / 0.6 < found.cost.high


def test_slope_is_that_of_a_regression_with_dummies():
    spend = arranged()
    found = marginal_acquisition_cost(spend)
    period, channel = (each.ravel() for each in np.indices(spend.new_customers.shape))
    dummies = [(period[:, None] == np.arange(24)).astype(float), (channel[:, None] == np.arange(1, 3)).astype(float)]
    design = np.column_stack([np.log(spend.acquisition_spend.ravel()), *dummies])
    model = sm.GLM(spend.new_customers.ravel(), design, family=sm.families.Poisson())
    peer = model.fit(cov_type="cluster", cov_kwds={"groups": period})
    assert found.elasticity.value == pytest.approx(peer.params[0], rel=1e-6)
    # statsmodels counts the effects of periods as estimated; we do not
    half = stats.t.ppf(0.975, 23) * peer.bse[0] * np.sqrt((72 - 27) / (72 - 4))
    assert found.elasticity.high - found.elasticity.value == pytest.approx(half, rel=1e-6)


def test_intervals_of_the_elasticity_cover():
    """As many of 120 intervals as the binomial allows, if they may cover 4 points too little with 24 clusters."""
    covered = 0
    for seed in range(120):
        found = marginal_acquisition_cost(arranged(seed=seed)).elasticity
        covered += found.low <= 0.6 <= found.high
    assert stats.binom.ppf(0.0005, 120, 0.91) <= covered <= stats.binom.ppf(0.9995, 120, 0.95)


def test_spend_that_does_nothing_has_no_marginal_cost():
    found = marginal_acquisition_cost(arranged(elasticity=0.0, seed=3))
    assert not found.told and found.cost.high == np.inf
    assert found.cost.low > found.average_cost and "cannot be told" in found.problems[-1]


def kept_customers(slope=0.8, seed=2, periods=48, channels=3):
    rng = np.random.default_rng(seed)
    before = rng.integers(500, 900, (periods, channels))
    each = rng.uniform(0.2, 2, (periods, channels))
    odds = 1.5 + slope * each + rng.normal(0, 0.3, (periods, 1)) + np.array([0, 0.2, -0.2])[:channels]
    kept = rng.binomial(before, special.expit(odds))
    spend = rows(np.ones(each.shape), each * before, np.zeros(each.shape), kept.astype(float))
    return spend, before - kept, each


def test_effect_of_spend_on_retention_is_recovered():
    spend, lost, _ = kept_customers()
    found = marginal_retention_cost(spend, lost_customers=lost)
    kept = spend.retained_customers.sum()
    share, spent = kept / (kept + lost.sum()), spend.retention_spend.sum() / (kept + lost.sum())
    assert found.told and found.elasticity.low < 0.8 * spent * (1 - share) < found.elasticity.high
    assert found.cost.low < 1 / (0.8 * share * (1 - share)) < found.cost.high
    assert found.cost.value == pytest.approx(found.average_cost / found.elasticity.value)
    assert found.average_cost == pytest.approx(spend.retention_spend.sum() / kept)


def test_lost_customers_follow_from_the_counts(firm):
    found = marginal_retention_cost(firm.of_channels(list(CHANNELS)))
    assert found.periods == len(firm.periods) - 1 and np.isfinite(found.elasticity.value)
    assert np.all(firm.lost_customers[1:] >= 0)


def test_a_missing_row_is_no_loss_of_everyone():
    spend = spend_by_period([1, 2, 2, 3, 3], [1] * 5, [1] * 5, [2] * 5, [9, 10, 5, 11, 6], channel=list("aabab"))
    np.testing.assert_array_equal(spend.lost_customers, [[np.nan, np.nan], [1, np.nan], [1, 1]])
    assert spend.of_channels(["b"]).has_row.tolist() == [[False], [True], [True]]
    assert marginal_retention_cost(spend).cells == 3


# ---- over time


@pytest.mark.parametrize("yearly", [0.0, 0.25])
def test_trend_of_the_cost_is_recovered(yearly):
    found = acquisition_cost_trend(arranged(periods=60, elasticity=1.0, yearly=yearly, seed=8))
    assert found.yearly_change.low < yearly < found.yearly_change.high
    assert (found.yearly_change.low > 0) == (yearly > 0) and not found.problems


def test_a_season_can_look_like_a_trend():
    assert "season" in acquisition_cost_trend(arranged(periods=12)).problems[0]
    assert "Too few periods" in acquisition_cost_trend(arranged(periods=2)).problems[0]


# ---- little and bad input


def test_one_period_has_no_interval():
    found = average_costs(spend_by_period(["2024-01"], [100], [12], [4], [24]))
    assert (
        found.acquisition_cost.value.tolist() == [25]
        and found.channels == ("all",)
        and np.isnan(found.acquisition_cost.low).all()
    )
    assert "one period" in found.problems[0]
    marginal = marginal_acquisition_cost(spend_by_period(["2024-01"], [100], [12], [4], [24]))
    assert np.isnan(marginal.cost.value) and "Too few rows" in marginal.problems[-1]


def test_zeros_are_left_out_and_said():
    spend = arranged()
    spend.acquisition_spend[3, 1] = 0
    spend.new_customers[5] = 0
    spend.new_customers[:, 2] = 0
    found = marginal_acquisition_cost(spend)
    assert "1 rows with new customers but no spend" in found.problems[0] and np.isfinite(found.elasticity.value)
    assert found.periods == 23 and found.cells == 23 * 2 - 1


@pytest.mark.parametrize("name", ["acquisition_spend", "new_customers"])
def test_nothing_spent_or_nobody_won(name):
    spend = arranged()
    getattr(spend, name)[:] = 0
    found = marginal_acquisition_cost(spend)
    assert np.isnan(found.cost.value) and not found.told and "Too few rows" in found.problems[-1]
    assert np.isnan(acquisition_cost_trend(spend).yearly_change.value)
    assert np.isnan(average_costs(spend).ratio.value).all()


def test_costs_without_customers_and_customers_without_costs():
    spend = rows(np.ones((5, 2)), np.ones((5, 2)), np.zeros((5, 2)), np.zeros((5, 2)))
    found = average_costs(spend)
    assert np.isnan(found.acquisition_cost.value).all() and "all had no customer to keep." in found.problems
    assert "retention does not vary" in marginal_retention_cost(spend).problems[0]


def test_one_channel_is_said():
    found = marginal_acquisition_cost(arranged(channels=1, periods=36))
    assert "cannot be told from season and trend" in found.problems[0] and np.isfinite(found.elasticity.value)


def test_retention_that_cannot_be_is_said():
    # ten at the end of the first month, thirty retained in the second
    spend = spend_by_period([1, 2, 3, 4], [1, 1, 1, 1], [5, 6, 7, 8], [0, 0, 0, 0], [10, 30, 20, 15])
    found = marginal_retention_cost(spend)
    assert "In 1 rows more customers were retained" in found.problems[0] and found.cells == 2


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: spend_by_period([], [], [], [], []), "at least one row"),
        (lambda: spend_by_period([1, 2], [1], [1, 2], [1, 2], [1, 2]), "as many values"),
        (lambda: spend_by_period([1], [-1], [1], [1], [1]), "acquisition_spend holds"),
        (lambda: spend_by_period([1], [1], [1], [np.nan], [1]), "new_customers holds"),
        (lambda: average_costs(arranged(), 0), "in a year"),
        (lambda: acquisition_cost_trend(arranged(), -1), "in a year"),
        (lambda: average_costs(arranged(), block=25), "A run holds 1 to 24"),
        (lambda: marginal_retention_cost(arranged(), lost_customers=[1, 2]), "Lost customers"),
    ],
)
def test_what_cannot_be_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
