"""How much to spend on winning and on keeping: the optimum against a grid, and what must hold at it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from helpers.models.retention_economics.budget import (
    Plan,
    ResponseCurve,
    allocation,
    best_allocation,
    best_split,
    with_ceilings,
)

# today 5 on a prospect wins 10 % of at most 20, 10 on a customer keeps 70 % of at most 90
PLAN = Plan(80, 0.15, ResponseCurve.through(5, 0.10, 0.20), ResponseCurve.through(10, 0.70, 0.90))


def test_curves_go_through_today():
    assert PLAN.acquisition.rate(5) == pytest.approx(0.10) and PLAN.retention.rate(10) == pytest.approx(0.70)
    assert PLAN.acquisition.rate(1e6) == pytest.approx(0.20) and PLAN.acquisition.rate(0) == 0
    step = 1e-6
    slope = (PLAN.retention.rate(10 + step) - PLAN.retention.rate(10 - step)) / (2 * step)
    assert PLAN.retention.slope(10) == pytest.approx(slope, rel=1e-6)


def test_equity_is_the_published_formula():
    spent = allocation(PLAN, 5, 10)
    a, r, kept = 0.10, 0.70, 0.70 / 1.15
    assert spent.equity_per_prospect == pytest.approx(a * 80 - 5 + a * (80 - 10 / r) * kept / (1 - kept))
    # nothing spent on keeping: the first margin alone
    assert allocation(PLAN, 5, 0).equity_per_prospect == pytest.approx(0.10 * 80 - 5)


def test_value_is_that_of_simulated_customers():
    stays = np.random.default_rng(1).geometric(0.3, 400_000) - 1
    paid = np.cumsum(1.15 ** -np.arange(1.0, stays.max() + 2))
    # a margin for each year stayed; what is spent on a customer is spent before it is known whether they stay
    margins = 80 + 80 * np.append(0, paid)[stays]
    spent = 10 * paid[stays]
    assert allocation(PLAN, 5, 10).customer_value == pytest.approx((margins - spent).mean(), rel=0.005)


@settings(deadline=None, max_examples=60)
@given(
    st.floats(5, 500),
    st.floats(0, 0.5),
    st.floats(0.05, 1),
    st.floats(0.005, 1),
    st.floats(0.1, 1),
    st.floats(0.005, 1),
)
def test_best_allocation_is_that_of_a_grid(margin, rate, winning, quick, keeping, fast):
    assume(rate > 1e-6 or keeping < 0.99)  # else who is kept is worth more than numbers hold
    plan = Plan(margin, rate, ResponseCurve(winning, quick), ResponseCurve(keeping, fast))
    best = best_allocation(plan)
    top = max(3 * float(best.acquisition_spend), 3 * float(best.retention_spend), 10.0)
    grid = allocation(plan, np.linspace(0, top, 200)[:, None], np.linspace(0, top, 201))
    assert best.equity_per_prospect >= grid.equity_per_prospect.max() - 1e-9 * top
    for around in (-1e-3, 1e-3):
        for name in ("acquisition_spend", "retention_spend"):
            spend = {each: float(getattr(best, each)) for each in ("acquisition_spend", "retention_spend")}
            spend[name] = max(spend[name] * (1 + around), 0)
            assert allocation(plan, **spend).equity_per_prospect <= best.equity_per_prospect + 1e-9 * margin


def test_at_the_optimum_both_marginal_costs_are_the_value_of_a_customer():
    """Pfeifer (2005), abstract: both marginal costs equal the expected lifetime value."""
    best = best_allocation(PLAN)
    assert best.acquisition_spend > 0 and best.retention_spend > 0
    assert best.marginal_acquisition_cost == pytest.approx(float(best.customer_value), rel=1e-9)
    assert best.marginal_retention_cost == pytest.approx(float(best.customer_value), rel=1e-9)


def test_a_first_purchase_counts_with_those_won():
    more = replace(PLAN, first_purchase=30)
    plain, found = allocation(PLAN, 5, 10), allocation(more, 5, 10)
    assert found.equity_per_prospect == pytest.approx(float(plain.equity_per_prospect) + 0.10 * 30)
    assert found.customer_value == plain.customer_value
    best = best_allocation(more)
    assert best.marginal_acquisition_cost == pytest.approx(float(best.customer_value) + 30, rel=1e-9)
    assert best.marginal_retention_cost == pytest.approx(float(best.customer_value), rel=1e-9)


def test_nothing_is_spent_where_nothing_pays():
    dear = Plan(1, 0.1, ResponseCurve(0.2, 0.001), ResponseCurve(0.9, 0.001))
    best = best_allocation(dear)
    assert best.acquisition_spend == best.retention_spend == 0 and best.equity_per_prospect == 0
    assert best.customer_value == 1


def test_everyone_may_be_kept_and_nothing_discounted():
    best = best_allocation(Plan(100, 0.0, ResponseCurve(0.2, 0.1), ResponseCurve(1.0, 0.1)))
    # B = 0, so y = k m - 1
    assert best.retention_spend == pytest.approx((0.1 * 100 - 1) / 0.1) and np.isfinite(best.customer_value)


@pytest.mark.parametrize("budget", [0.0, 500.0, 4000.0, 12000.0])
def test_best_split_is_that_of_a_grid(budget):
    found = best_split(PLAN, budget, 1000, 400)
    share = np.linspace(0, 1, 20_001)
    grid = allocation(PLAN, budget * share / 1000, budget * (1 - share) / 400)
    equity = 1000 * grid.equity_per_prospect + 400 * (grid.customer_value - 80)
    assert found.equity >= equity.max() - 1e-6
    assert found.equity == pytest.approx(equity.max(), rel=1e-5)
    spent = 1000 * float(found.allocation.acquisition_spend) + 400 * float(found.allocation.retention_spend)
    assert spent + found.unspent == pytest.approx(budget)


def test_more_budget_than_pays_is_left():
    free = best_allocation(PLAN)
    found = best_split(PLAN, 1e6, 1000, 400)
    assert found.unspent > 0 and found.allocation.retention_spend == pytest.approx(float(free.retention_spend))
    needed = 1000 * free.acquisition_spend + 400 * free.retention_spend
    just = best_split(PLAN, float(needed) * 0.999999, 1000, 400)
    assert just.equity == pytest.approx(found.equity, rel=1e-6) and just.unspent == 0


def test_ceilings_decide():
    today = allocation(PLAN, 5, 10)
    winning, keeping = np.array([[0.15], [0.20], [0.40]]), np.array([0.75, 0.90, 1.0])
    grid = best_allocation(with_ceilings(PLAN, today, winning, keeping))
    assert grid.equity_per_prospect.shape == (3, 3)
    assert grid.equity_per_prospect[1, 1] == pytest.approx(float(best_allocation(PLAN).equity_per_prospect))
    # more room to grow is worth more, and today's spending is worth the same under each
    assert np.all(np.diff(grid.equity_per_prospect, axis=0) > 0) and np.all(np.diff(grid.equity_per_prospect) > 0)
    anew = allocation(with_ceilings(PLAN, today, winning, keeping), 5, 10)
    np.testing.assert_allclose(anew.equity_per_prospect, float(today.equity_per_prospect))
    assert np.all(grid.equity_per_prospect >= anew.equity_per_prospect)


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: ResponseCurve.through(0, 0.1, 0.2), "Something has to be spent"),
        (lambda: ResponseCurve.through(5, 0.2, 0.2), "below the ceiling"),
        (lambda: ResponseCurve.through(5, 0, 0.2), "above 0"),
        (lambda: ResponseCurve.through(5, 0.2, 1.2), "at most 1"),
        (lambda: Plan(0, 0.1, PLAN.acquisition, PLAN.retention), "margin"),
        (lambda: Plan(80, -0.1, PLAN.acquisition, PLAN.retention), "discount rate"),
        (lambda: allocation(PLAN, -1, 0), "at least 0"),
        (lambda: best_split(PLAN, -1, 10, 10), "at least 0"),
        (lambda: best_split(PLAN, 10, 0, 10), "some prospects"),
    ],
)
def test_what_cannot_be_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
