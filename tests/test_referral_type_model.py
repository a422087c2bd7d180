"""How probable it is that a referee would not have come otherwise: the model, and whether it beats the share."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import special
from sklearn.linear_model import LogisticRegression

from helpers.models.referral_value.type_model import PRIOR_SPREAD, fit_type_model, weigh
from helpers.models.referral_value.value import type_one_draws

SLOPES = np.array([0.8, 0.0, -0.02])
SPREADS = np.array([1.0, 5.0, 30.0])


def referrals(size, slopes=SLOPES, seed=0, each=3):
    """Columns of unlike units, the types that they make likely, and who brought whom."""
    rng = np.random.default_rng(seed)
    columns = rng.normal(0, SPREADS, (size, len(slopes))) + 10
    type_one = rng.random(size) < special.expit((columns - 10) @ slopes)
    return columns, type_one.astype(float), np.arange(size) // each


def standardised(columns):
    return (columns - columns.mean(axis=0)) / columns.std(axis=0)


def test_coefficients_are_those_of_scikit_learn():
    columns, type_one, _ = referrals(400)
    oracle = LogisticRegression(C=PRIOR_SPREAD**2, tol=1e-12, max_iter=10_000).fit(standardised(columns), type_one)
    found = fit_type_model(columns, type_one)
    np.testing.assert_allclose(found.coefficients, [*oracle.intercept_, *oracle.coef_[0]], atol=1e-6)
    np.testing.assert_allclose(found.probability(columns), oracle.predict_proba(standardised(columns))[:, 1], atol=1e-7)


def test_many_referrals_outweigh_the_prior_and_errors_are_those_of_statsmodels():
    columns, type_one, _ = referrals(20_000)
    oracle = sm.Logit(type_one, sm.add_constant(columns)).fit(disp=False)
    slopes = fit_type_model(columns, type_one).slopes
    np.testing.assert_allclose(slopes.value, oracle.params[1:], rtol=2e-3, atol=1e-5)
    np.testing.assert_allclose(np.column_stack([slopes.low, slopes.high]), oracle.conf_int()[1:], rtol=5e-3, atol=1e-4)
    assert ((slopes.low < SLOPES) & (slopes.high > SLOPES)).all()


def test_units_and_the_names_of_the_types_do_not_matter():
    columns, type_one, _ = referrals(300)
    found, other = fit_type_model(columns, type_one), fit_type_model(columns * [60, 0.01, 7] - 3, type_one)
    np.testing.assert_allclose(other.probability(columns * [60, 0.01, 7] - 3), found.probability(columns), atol=1e-9)
    np.testing.assert_allclose(other.slopes.value * [60, 0.01, 7], found.slopes.value, rtol=1e-6)
    turned = fit_type_model(columns, 1 - type_one)
    np.testing.assert_allclose(turned.probability(columns), 1 - found.probability(columns), atol=1e-7)


def test_types_told_apart_wholly_have_finite_coefficients():
    columns = np.linspace(-1, 1, 60)[:, None]
    found = fit_type_model(columns, (columns[:, 0] > 0).astype(float))
    assert np.isfinite(found.coefficients).all() and 1 < found.coefficients[1] < 12
    assert np.linalg.eigvalsh(found.covariance).min() > 0


def test_the_model_does_not_speak_beyond_what_it_saw():
    columns, type_one, _ = referrals(200)
    found = fit_type_model(columns, type_one)
    far = columns.max(axis=0) + 1e6
    assert found.probability(far[None]) == found.probability(columns.max(axis=0)[None])


def test_planted_link_beats_the_share_and_no_link_does_not():
    better = [weigh(*referrals(300, seed=seed)).is_better for seed in range(10)]
    assert np.mean(better) > 0.9
    alone = [weigh(*referrals(300, 0 * SLOPES, seed=seed)) for seed in range(30)]
    assert np.mean([each.is_better for each in alone]) <= 0.05
    # three columns that say nothing cost a little on referrals that were not seen
    assert np.mean([each.log_loss.difference.value for each in alone]) > 0


def test_scores_are_those_of_referrals_not_seen():
    """With one column of noise for every referral the model fits what it saw, and pays for it elsewhere."""
    rng = np.random.default_rng(1)
    type_one, columns = np.tile([0.0, 1.0], 200), rng.normal(size=(400, 20))
    found = weigh(columns, type_one, np.arange(400))
    seen = found.model.probability(columns)
    seen_loss = -np.log(np.where(type_one == 1, seen, 1 - seen)).mean()
    assert seen_loss < np.log(2) < found.log_loss.model
    assert found.log_loss.share == pytest.approx(np.log(2), abs=0.01) and found.brier.share == pytest.approx(
        0.25, abs=0.01
    )
    for score in (found.log_loss, found.brier):
        assert score.difference.value == pytest.approx(score.model - score.share)


def test_those_whom_one_customer_brought_are_not_independent():
    columns, type_one, group = referrals(200)
    fivefold = [np.repeat(each, 5, axis=0) for each in (columns, type_one, group)]
    width = [
        np.ptp([s.log_loss.difference.low, s.log_loss.difference.high])
        for s in (weigh(columns, type_one, group), weigh(*fivefold))
    ]
    assert width[1] == pytest.approx(width[0], rel=0.3)


@pytest.mark.parametrize("rarer, there", [(29, False), (30, True)])
def test_too_few_of_the_rarer_type_give_no_model(rarer, there):
    columns, _, group = referrals(300)
    type_one = (np.arange(300) < rarer).astype(float)
    found = weigh(columns, type_one, group)
    assert (found.model is not None) == there and (found.fewest, found.needed) == (rarer, 30)
    assert there or not found.is_better


def test_what_gives_no_model():
    columns, type_one, group = referrals(300)
    same = weigh(np.ones((300, 2)), type_one, group)
    assert same.model is None and not same.used.any()
    assert weigh(columns, type_one, group % 3).model is None  # three customers brought them all
    assert weigh(columns, np.full(300, np.nan), group).fewest == 0
    # what says nothing is left out, and a stated probability is no known type
    wider = weigh(np.column_stack([columns, np.ones(300)]), np.where(np.arange(300) < 200, type_one, 0.5), group)
    assert wider.used.tolist() == [True, True, True, False]
    np.testing.assert_allclose(wider.model.coefficients, fit_type_model(columns[:200], type_one[:200]).coefficients)
    with pytest.raises(ValueError, match="one finite number"):
        weigh(columns, type_one[1:], group)
    with pytest.raises(ValueError, match="both types"):
        fit_type_model(columns, np.ones(300))


def test_draws_of_types_carry_that_the_coefficients_are_not_known():
    columns, type_one, group = referrals(300)
    found = weigh(columns, type_one, group)
    unknown = np.where(np.arange(300) < 150, type_one, np.nan)
    drawn = np.stack(list(type_one_draws(unknown, found.predicted(columns), 3000, bernoulli=False, seed=1)))
    assert (drawn[:, :150] == type_one[:150]).all()
    expected = found.predicted(columns).value[150:]
    np.testing.assert_allclose(drawn[:, 150:].mean(axis=0), expected, atol=0.02)
    # by the delta method, where probabilities are not near their ends
    design = np.column_stack([np.ones(300), (columns - found.model.centre) / found.model.scale])[150:]
    error = np.sqrt(np.einsum("ij,jk,ik->i", design, found.model.covariance, design)) * expected * (1 - expected)
    middle = np.abs(expected - 0.5) < 0.2
    np.testing.assert_allclose(drawn[:, 150:].std(axis=0)[middle], error[middle], rtol=0.12)
