"""Rules from counts to a class, their strength, and Fong's test beside the exact one and resamples."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from helpers.models import resampling
from helpers.models.kano import comparisons, evaluation, rules
from helpers.models.kano.evaluation import CLASSES, MISSING, MUST_BE
from tests.published import kano as published
from tests.test_kano_evaluation import answers_of

COUNTS = arrays(int, 6, elements=st.integers(0, 40))
TRANSPARENT = published.TRANSFERS_STANDARD["transparent"][0]


def label(rule, counts, *settings):
    return rules.labels(rule(counts, *settings)).item()


# ---- classes


@pytest.mark.parametrize(("counts", "expected"), [row[:2] for row in published.SHOPS.values()])
def test_published_classes_of_shops(counts, expected):
    assert label(rules.by_mode, counts) == "I"
    assert label(rules.by_blauth, counts) == expected


@pytest.mark.parametrize("requirement", published.TRANSFERS)
def test_published_classes_of_transfers(requirement):
    counts, _, _, expected = published.TRANSFERS[requirement]
    assert label(rules.by_blauth, counts) == expected
    assert (label(rules.by_mode, counts) == expected) == (requirement != "transparent")
    assert rules.rules_disagree(counts) == (requirement == "transparent")


@pytest.mark.parametrize("service", published.SIMULATED_SERVICES)
def test_published_figures_of_simulated_services(service):
    counts, total, category, _, _, difference, limit, significant, expected = published.SIMULATED_SERVICES[service]
    assert rules.total_strength(counts) == pytest.approx(total, abs=5e-5)
    assert rules.category_strength(counts) == pytest.approx(category, abs=5e-5)
    assert label(rules.by_priority, counts) == expected
    found = comparisons.fong(counts)
    assert found.difference == difference and found.limit == pytest.approx(limit, abs=0.05)
    assert found.significant == significant


def test_ties_are_stated_and_not_broken_by_the_alphabet():
    """An R function in use takes the first letter, so that attractive beats must-be."""
    tie = [30, 5, 30, 5, 0, 0]
    assert label(rules.by_mode, tie) == "A/M" == label(rules.by_blauth, tie)
    assert rules.single(rules.by_mode(tie)) == evaluation.MISSING
    assert label(rules.by_priority, tie) == "M"
    for rank, letter in enumerate("MOAIRQ"):
        among = [9 if other in "MOAIRQ"[rank:] else 0 for other in CLASSES]
        assert label(rules.by_priority, among) == letter


def test_the_band_of_priority():
    assert label(rules.by_priority, [50, 0, 44, 0, 0, 6]) == "A"  # 6 of 100 behind is not less than 6 %
    assert label(rules.by_priority, [50, 0, 45, 0, 0, 5]) == "M"
    assert label(rules.by_priority, [50, 0, 45, 0, 0, 5], 0) == "A"
    assert label(rules.by_priority, [50, 50, 0, 0, 0, 0], 0) == "O"


def test_one_answer_can_turn_blauths_rule():
    counts = np.array(published.SHOPS["free wifi"][0])  # 304 against 303
    assert label(rules.by_blauth, counts) == "A"
    assert label(rules.by_blauth, counts - [1, 0, 0, -1, 0, 0]) == "I"
    assert label(rules.by_blauth, [10, 10, 10, 10, 10, 10]) == "I/R/Q"  # as many: not more


def test_nobody_has_no_class():
    """A tool in use says must-be."""
    nobody = np.zeros(6)
    for rule in (rules.by_mode, rules.by_priority, rules.by_blauth):
        assert label(rule, nobody) == "" and rules.single(rule(nobody)) == evaluation.MISSING
    assert np.isnan([rules.total_strength(nobody), rules.category_strength(nobody)]).all()
    assert np.isnan(comparisons.binomial_p(nobody)) and not comparisons.fong(nobody).significant


def test_questionable_answers_are_no_rival_but_among_all():
    assert rules.category_strength([40, 10, 0, 0, 0, 50]) == pytest.approx(0.30)
    assert rules.total_strength([40, 10, 0, 0, 0, 50]) == pytest.approx(0.50)


@given(COUNTS)
def test_rules_are_consistent(counts):
    mode, priority, blauth = rules.by_mode(counts), rules.by_priority(counts), rules.by_blauth(counts)
    assert priority.sum() == (counts.sum() > 0)
    if mode.sum() == 1 and rules.by_priority(counts, 0).any():
        np.testing.assert_array_equal(rules.by_priority(counts, 0), mode)
    assert (counts[mode] == counts.max()).all()
    if counts[:3].sum() > counts[3:].sum():
        assert not blauth[3:].any() and blauth.any()
    else:
        assert not blauth[:3].any()
    if counts.sum():
        assert 0 <= rules.total_strength(counts) <= 1 and 0 <= rules.category_strength(counts) <= 1


@given(arrays(int, (2, 3, 6), elements=st.integers(0, 9)))
def test_many_rows_at_once(counts):
    for function in (
        rules.by_mode,
        rules.by_priority,
        rules.by_blauth,
        rules.rules_disagree,
        rules.total_strength,
        comparisons.binomial_p,
    ):
        together = function(counts)
        np.testing.assert_array_equal(together[1, 2], function(counts[1, 2]))
    assert rules.labels(rules.by_mode(counts)).shape == (2, 3)


# ---- tests of the two most frequent classes


@pytest.mark.parametrize(("service", "p_value"), published.SIMULATED_BINOMIAL.items())
def test_fong_calls_significant_what_the_exact_test_does_not(service, p_value):
    counts = published.SIMULATED_SERVICES[service][0]
    assert comparisons.fong(counts).significant
    assert comparisons.binomial_p(counts) == pytest.approx(p_value, abs=5e-4)
    assert comparisons.fong(TRANSPARENT).significant
    assert comparisons.binomial_p(TRANSPARENT) == pytest.approx(0.107, abs=5e-4)


@given(st.integers(0, 300), st.integers(0, 300))
def test_exact_p_is_that_of_scipy(first, second):
    found = comparisons.binomial_p([first, 0, second, 0, 0, 0])
    if first + second:
        assert found == pytest.approx(stats.binomtest(first, first + second).pvalue, rel=1e-9)
    else:
        assert np.isnan(found)


def exact_false_alarms(share, respondents):
    """Probability that each test calls a planted tie different, summed over all outcomes."""
    together = np.arange(respondents + 1)
    total = {"fong": 0.0, "binomial": 0.0}
    for answers, likely in zip(together, stats.binom.pmf(together, respondents, 2 * share), strict=True):
        first = np.arange(answers + 1)
        given_answers = likely * stats.binom.pmf(first, answers, 0.5)
        limit = 1.65 * np.sqrt(answers * (2 * respondents - answers) / (2 * respondents))
        total["fong"] += given_answers[(np.abs(2 * first - answers) >= limit) & (answers > 0)].sum()
        tail = 2 * stats.binom.sf(np.maximum(first, answers - first) - 1, answers, 0.5)
        total["binomial"] += given_answers[tail < 0.10].sum()
    return total


def test_fong_finds_differences_that_are_not_there():
    found = comparisons.false_alarms(respondents=300, simulations=20_000)
    np.testing.assert_allclose(found.fong[:-1], list(published.FONG_FALSE_ALARMS.values()), atol=0.01)
    low, high = published.FONG_FALSE_ALARMS_WITHOUT_OTHERS
    assert low <= round(found.fong[-1], 2) <= high
    assert (found.binomial < 0.10).all() and (found.binomial > 0.07).all()
    for place, share in enumerate(found.share):
        for test, expected in exact_false_alarms(share, 300).items():
            error = np.sqrt(expected * (1 - expected) / found.simulations)
            assert getattr(found, test)[place] == pytest.approx(expected, abs=4 * error), (test, share)


def test_false_alarms_need_possible_shares():
    with pytest.raises(ValueError, match=r"above 0\.5"):
        comparisons.false_alarms([0.6])


@pytest.mark.parametrize("likely", [(0.4, 0.4, 0.1, 0.1, 0, 0), (0.25, 0.25, 0.25, 0.25, 0, 0), (1 / 6,) * 6])
def test_the_exact_test_keeps_its_level_although_the_winner_was_picked(likely):
    """Hung and Fithian (2019): winner against runner-up, unadjusted, is a valid test that the winner is the largest."""
    drawn = np.random.default_rng(5).multinomial(200, likely, size=20_000)
    assert (comparisons.binomial_p(drawn) < 0.05).mean() < 0.05
    planted = np.random.default_rng(5).multinomial(200, (0.45, 0.2, 0.2, 0.1, 0.05, 0), size=2000)
    assert (comparisons.binomial_p(planted) < 0.05).mean() > 0.9


# ---- resamples


def test_how_often_each_class_wins_when_respondents_are_resampled():
    for requirement, expected in (
        ("transparent", published.TRANSPARENT_WINS),
        ("convenient", published.CONVENIENT_WINS),
    ):
        functional, dysfunctional = answers_of(published.TRANSFER_PAIRS[requirement])
        classes = evaluation.classify(functional, dysfunctional)[:, None]
        blocks = [evaluation.counts(classes, often) for often in resampling.resampled_counts(358, 4000, 2)]
        found = comparisons.mode_share(np.concatenate(blocks))[0]
        from_counts = comparisons.mode_share(comparisons.resampled_counts(evaluation.counts(classes), 4000))[0]
        assert found.sum() == pytest.approx(1)
        for letter, share in expected.items():
            assert found[CLASSES.index(letter)] == pytest.approx(share, abs=0.015)
            assert from_counts[CLASSES.index(letter)] == pytest.approx(share, abs=0.015)


def test_ties_among_resamples_are_split():
    share = comparisons.mode_share([[3, 3, 0, 0, 0, 0], [5, 1, 0, 0, 0, 0]])
    assert share.tolist() == [0.75, 0.25, 0, 0, 0, 0]
    assert np.isnan(comparisons.mode_share(np.zeros((4, 6)))).all()


def test_resamples_of_counts():
    counts = np.array([TRANSPARENT, published.SHOPS["smart mirror"][0], (0,) * 6])
    draws = comparisons.resampled_counts(counts, 3000, 9)
    assert draws.shape == (3000, 3, 6)
    np.testing.assert_array_equal(draws.sum(axis=-1), np.broadcast_to(counts.sum(axis=-1), (3000, 3)))
    error = np.sqrt(counts / 3000)
    assert (np.abs(draws.mean(axis=0) - counts) <= 4.5 * error).all()
    # neither the order of rows nor what stands beside one changes it
    np.testing.assert_array_equal(comparisons.resampled_counts(counts[::-1], 3000, 9), draws[:, ::-1])
    np.testing.assert_array_equal(comparisons.resampled_counts(counts[1], 3000, 9), draws[:, 1])


@pytest.mark.parametrize("bad", [(-1, 2, 0, 0, 0, 0), (1.5, 2, 0, 0, 0, 0)])
def test_resamples_need_whole_counts(bad):
    with pytest.raises(ValueError, match="whole numbers"):
        comparisons.resampled_counts(bad)


# ---- verdicts


def clear(counts, **settings):
    wins = comparisons.mode_share(comparisons.resampled_counts(counts))
    return rules.is_clear(counts, comparisons.binomial_p(counts), wins, **settings)


def test_clear_needs_both_the_test_and_the_resamples():
    counts = [published.TRANSFERS_STANDARD[name][0] for name in ("anonymous", "convenient", "transparent")]
    assert clear(counts).tolist() == [True, True, False]
    assert clear(counts, significance=0.01).tolist() == [True, False, False]
    assert clear(counts, least_share=0.999).tolist() == [True, False, False]
    assert rules.is_clear(TRANSPARENT, 0.01, np.eye(6)[3]) and not rules.is_clear(TRANSPARENT, 0.2, np.eye(6)[3])


def test_nothing_is_clear_from_ties_nobody_or_questions_not_understood():
    assert not clear([[30, 30, 0, 0, 0, 0], [0] * 6, [0, 0, 0, 5, 0, 90], [1, 0, 0, 0, 0, 0]]).any()


def test_planted_classes_are_found_and_unclear_ones_are_not():
    likely = np.full((6, 6), 0.08)
    np.fill_diagonal(likely, 0.60)
    likely[5] = (0.3, 0.3, 0.1, 0.3, 0, 0)
    counts = np.random.default_rng(3).multinomial(400, likely)
    np.testing.assert_array_equal(rules.single(rules.by_mode(counts))[:5], np.arange(5))
    assert clear(counts).tolist() == [True] * 5 + [False]


def test_prior_classes_are_confirmed_only_when_clear_and_denied_when_far_behind():
    counts = [TRANSPARENT, published.TRANSFERS_STANDARD["secure"][0], published.TRANSFERS_STANDARD["secure"][0]]
    prior = [CLASSES.index(letter) for letter in "IOM"]
    assert rules.prior_verdict(counts, prior, clear(counts)).tolist() == ["cannot be told", "confirmed", "denied"]
    behind = [60, 58, 3, 10, 0, 0]  # A or O: that cannot be told, but surely not M
    assert not clear(behind)
    found = rules.prior_verdict([behind] * 4, [CLASSES.index(letter) for letter in "AOMI"], clear([behind] * 4))
    assert found.tolist() == ["cannot be told"] * 2 + ["denied"] * 2


@given(COUNTS, st.integers(0, 5), st.booleans(), st.sampled_from([0.01, 0.05, 0.2]))
def test_prior_class_is_denied_by_the_exact_test_of_the_most_frequent_against_it(counts, prior, sure, significance):
    found = rules.prior_verdict(counts, prior, sure, significance)
    modes, most = rules.by_mode(counts), counts.max()
    behind = bool(most) and stats.binomtest(int(most), int(most + counts[prior])).pvalue < significance
    if rules.single(modes) == prior and sure:
        assert found == "confirmed"
    else:
        assert found == ("denied" if behind and not modes[CLASSES.index("Q")] else "cannot be told")


def test_nothing_expected_is_neither_confirmed_nor_denied():
    counts = [[0] * 6, [5, 5, 0, 0, 0, 0], [90, 1, 0, 0, 0, 0]]
    assert rules.prior_verdict(counts, MISSING, True).tolist() == ["cannot be told"] * 3


@pytest.mark.parametrize(("tied", "most"), [(2, 0.025), (4, 0.055), (5, 0.07)])
def test_an_expected_class_that_ties_is_rarely_denied(tied, most):
    likely = np.isin(np.arange(6), [MUST_BE, *(CLASSES.index(letter) for letter in "IOAR")][:tied]) / tied
    counts = np.random.default_rng(2).multinomial(400, likely, size=20_000)
    assert (rules.prior_verdict(counts, MUST_BE, False) == "denied").mean() <= most


# ---- groups


@pytest.mark.parametrize("requirement", published.WORDINGS)
def test_published_effect_of_wording(requirement):
    counts, chi_squared, p_value = published.WORDINGS[requirement]
    merged = np.add.reduceat(counts, range(5), axis=1)  # A, O, M, I, and R with Q
    found = comparisons.homogeneity(merged)
    assert found.degrees_of_freedom == 12
    assert found.chi_squared == pytest.approx(chi_squared, abs=0.005)
    assert found.p_value == pytest.approx(p_value, rel=0.04)
    assert found.p_value == pytest.approx(stats.chi2_contingency(merged).pvalue)


def test_class_depends_on_wording():
    labels = rules.labels(rules.by_mode(published.WORDINGS["convenient"][0]))
    assert tuple(labels) == published.CONVENIENT_BY_WORDING


def test_groups_and_classes_that_are_empty_do_not_count():
    counts = np.array([[10, 20, 0, 5, 0, 0], [0] * 6, [12, 9, 0, 9, 0, 0]])
    found, expected = comparisons.homogeneity(counts), stats.chi2_contingency(counts[::2][:, [0, 1, 3]])
    assert (found.chi_squared, found.p_value) == pytest.approx((expected.statistic, expected.pvalue))
    assert found.degrees_of_freedom == 2
    assert np.isnan(comparisons.homogeneity(counts[:2]).p_value)
    assert comparisons.homogeneity(np.stack([counts, counts])).p_value.shape == (2,)
