"""Who is credited with whom: the graph of referrals, its generations and its loops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.models.referral_value.attribution import carried, credit, generations, loops

# 0 brought 1 and 3, 1 brought 2, 2 brought 4
REFERRER, REFEREE = [0, 0, 1, 2], [1, 3, 2, 4]


@st.composite
def forests(draw, most=12):
    """Customers of whom each was brought by none or several of those before, under shuffled numbers."""
    customers = draw(st.integers(1, most))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    referee, referrer = np.tril_indices(customers, -1)
    brought = rng.random(len(referee)) < draw(st.sampled_from([0.1, 0.3]))
    number = rng.permutation(customers)
    return number[referrer[brought]], number[referee[brought]], customers, rng.random(brought.sum())


def test_generations_by_hand():
    assert credit(REFERRER, REFEREE, 5).toarray().tolist() == [
        [0, 1, 0, 1, 0],
        [0, 0, 1, 0, 0],
        [0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0],
    ]
    # 2 is 0's second generation and 4 the third, and 4 is 1's second
    assert credit(REFERRER, REFEREE, 5, generations=2, decay=0.5).toarray()[:2].tolist() == [
        [0, 1, 0.5, 1, 0],
        [0, 0, 1, 0, 0.5],
    ]
    assert credit(REFERRER, REFEREE, 5, generations=3, decay=0.5).toarray()[0].tolist() == [0, 1, 0.5, 1, 0.25]


def test_the_walk_ends_where_the_tree_does():
    deepest = credit(REFERRER, REFEREE, 5, generations=3, decay=0.4)
    assert (credit(REFERRER, REFEREE, 5, generations=10**9, decay=0.4) != deepest).nnz == 0


def test_several_referrers_share_a_customer():
    # 0 brought 1 and 2, who both brought 3: a quarter and three quarters
    shared = credit([0, 0, 1, 2], [1, 2, 3, 3], 4, weight=[1, 1, 0.25, 0.75], generations=2, decay=0.5).toarray()
    assert shared.tolist() == [[0, 1, 1, 0.5], [0, 0, 0, 0.25], [0, 0, 0, 0.75], [0, 0, 0, 0]]


@given(forests(), st.floats(0, 1))
def test_all_generations_are_a_geometric_series(forest, decay):
    """B + d B^2 + d^2 B^3 + ... = B (1 - d B)^-1, which a dense solver gives as well."""
    referrer, referee, customers, weight = forest
    direct = np.zeros((customers, customers))
    direct[referrer, referee] = weight
    series = direct @ np.linalg.inv(np.eye(customers) - decay * direct)
    found = credit(referrer, referee, customers, weight=weight, generations=customers, decay=decay)
    np.testing.assert_allclose(found.toarray(), series, atol=1e-9)


def test_credit_stops_at_who_would_have_come_anyway():
    # 0 brought 1, who brought 2, who brought 4: had 1 come anyway, so would 2 and 4
    for passing, row in (
        ([0, 1, 1, 1], [0, 1, 0, 1, 0]),
        ([1, 1, 0, 1], [0, 1, 0.5, 1, 0]),
        ([0.4, 1, 0.5, 1], [0, 1, 0.5 * 0.4, 1, 0.25 * 0.4 * 0.5]),
    ):
        found = credit(REFERRER, REFEREE, 5, passing=passing, generations=3, decay=0.5).toarray()
        np.testing.assert_allclose(found[0], row)


@given(forests(), st.floats(0, 1), st.integers(0, 1000))
def test_credit_of_drawn_types_is_on_average_that_of_their_probabilities(forest, decay, seed):
    """Types are independent, so a chain passes on the product of the probabilities of its referrals."""
    referrer, referee, customers, weight = forest
    rng = np.random.default_rng(seed)
    probability = rng.random(len(referrer))
    direct, onward = np.zeros((2, customers, customers))
    direct[referrer, referee], onward[referrer, referee] = weight, decay * weight * probability
    terms = {"weight": weight, "passing": probability, "generations": customers, "decay": decay}
    found = credit(referrer, referee, customers, **terms)
    np.testing.assert_allclose(found.toarray(), np.linalg.inv(np.eye(customers) - onward) @ direct, atol=1e-9)
    amounts = rng.normal(size=len(referrer))
    expected = found @ np.bincount(referee, amounts, minlength=customers)
    np.testing.assert_allclose(carried(referrer, referee, amounts, customers, **terms), expected, atol=1e-9)


@given(forests(), st.integers(0, 100))
def test_numbers_of_customers_do_not_matter(forest, seed):
    referrer, referee, customers, weight = forest
    other = np.random.default_rng(seed).permutation(customers)
    settings = {"generations": 3, "decay": 0.3, "weight": weight}
    found = credit(referrer, referee, customers, **settings).toarray()
    renamed = credit(other[referrer], other[referee], customers, **settings).toarray()
    np.testing.assert_allclose(renamed[np.ix_(other, other)], found)
    assert (loops(referrer, referee, customers) == -1).all()


def test_loops_are_told_apart_from_what_hangs_on_them():
    # one who brought themselves, a pair, three in a circle; one who leads in, one who leads out, a pair apart
    referrer = [0, *(1, 2), *(3, 4, 5), *(6, 5, 8)]
    referee = [0, *(2, 1), *(4, 5, 3), *(3, 7, 9)]
    found = loops(referrer, referee, 10)
    assert found[:6].tolist().count(found[0]) == 1 and found[1] == found[2] and len(set(found[3:6])) == 1
    assert set(found[:6]) == {0, 1, 2} and (found[6:] == -1).all()
    with pytest.raises(ValueError, match="6 referrals lie on a loop"):
        credit(referrer, referee, 10)
    kept = found < 0
    assert credit(np.array(referrer)[kept], np.array(referee)[kept], 10).nnz == 3


def test_no_referrals_credit_nobody():
    assert credit([], [], 3, generations=4).nnz == 0
    assert loops([], [], 3).shape == (0,)


@pytest.mark.parametrize(
    "edges, settings, words",
    [
        (([0], [1, 2]), {}, "one length"),
        (([0], [5]), {}, "0 to 4"),
        (([-1], [1]), {}, "0 to 4"),
        (([0.5], [1]), {}, "whole numbers"),
        (([0], [1]), {"generations": 0}, "one generation"),
        (([0], [1]), {"decay": 1.5}, "decay"),
        (([0], [1]), {"weight": [-1]}, "weight"),
        (([0], [1]), {"weight": [np.nan]}, "weight"),
        (([0], [1]), {"weight": [1, 1]}, "weight"),
        (([0], [1]), {"passing": [1.5]}, "passing"),
        (([0], [1]), {"passing": [np.nan]}, "passing"),
    ],
)
def test_what_makes_no_sense_is_refused(edges, settings, words):
    with pytest.raises(ValueError, match=words):
        credit(*edges, 5, **settings)


def test_generations_are_counted_along_the_longest_way():
    # 0 brings 1, 1 brings 2, 0 brings 3, and 2 and 3 both bring 4
    assert generations([0, 1, 0, 2, 3], [1, 2, 3, 4, 4], 6).tolist() == [0, 1, 2, 1, 3, 0]
    with pytest.raises(ValueError, match="lead back"):
        generations([0, 1], [1, 0], 2)
