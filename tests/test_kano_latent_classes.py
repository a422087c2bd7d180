"""Latent classes: against StepMix and planted classes, and whether style is told from wants."""

import numpy as np
import pytest
from scipy import special

from helpers.models.kano import evaluation, latent_classes
from helpers.models.kano.latent_classes import LatentClasses, fit, response_style
from helpers.synthetic.kano_survey import REQUIREMENTS, kano_survey


def planted(respondents=500, requirements=6, classes=3, missing=0.03, seed=4):
    """Draw classes of answers from known profiles; also return who is in which latent class, and the profiles."""
    rng = np.random.default_rng(seed)
    profiles = rng.dirichlet(np.full(6, 0.4), size=(classes, requirements))
    member = rng.choice(classes, respondents, p=np.arange(classes, 0, -1) / np.arange(classes + 1).sum())
    drawn = (rng.random((respondents, requirements, 1)) > profiles[member].cumsum(axis=-1)[..., :-1]).sum(axis=-1)
    return np.where(rng.random(drawn.shape) < missing, evaluation.MISSING, drawn), member, profiles


PLANTED, MEMBER, PROFILES = planted()


@pytest.fixture(scope="module")
def found():
    return fit(PLANTED, most=4, starts=10)


# ---- the fit


def test_one_class_is_the_shares_of_the_answers():
    found = fit(PLANTED, most=1)
    counts = evaluation.counts(PLANTED)
    shares = counts / counts.sum(axis=1, keepdims=True)
    assert found.log_likelihood[0] == pytest.approx(special.xlogy(counts, shares).sum())
    np.testing.assert_allclose(found.profiles[0], shares)
    assert found.chosen == 1 and found.shares.tolist() == [1] and found.certainty == 1
    assert np.isnan(found.relative_entropy) and found.reached.tolist() == [1]


@pytest.mark.parametrize("missing", [0, 0.03])
def test_agrees_with_stepmix_on_single_respondents(missing):
    from stepmix.stepmix import StepMix

    classes, *_ = planted(200, classes=2, missing=missing)
    ours, theirs = fit(classes, most=2, starts=3), fit(classes, most=2, starts=3, fitted_by="stepmix")
    np.testing.assert_allclose(ours.log_likelihood, theirs.log_likelihood, atol=2e-3)
    np.testing.assert_allclose(ours.profiles, theirs.profiles, atol=2e-3)
    # as its own users call it: one row for each respondent, no weights
    answers = np.where(classes < 0, np.nan, classes)
    kind = "categorical_nan" if missing else "categorical"
    model = StepMix(2, measurement=kind, n_init=2, random_state=1, progress_bar=0).fit(answers)
    assert ours.chosen == 2 and ours.parameters[1] == model.n_parameters
    assert ours.bic[1] == pytest.approx(model.bic(answers), abs=5e-3)
    assert ours.relative_entropy == pytest.approx(model.relative_entropy(answers), abs=1e-4)
    order = np.argsort(-model.weights_)
    np.testing.assert_allclose(ours.memberships, model.predict_proba(answers)[:, order], atol=5e-3)


@pytest.mark.parametrize("number", [2, 4])
def test_leaps_end_where_the_algorithm_without_them_rests(number):
    """On answers without any classes, where its steps are shortest, and in the planted ones."""
    rng = np.random.default_rng(7)
    for classes in (rng.integers(0, 6, (600, 5)), PLANTED):
        answers = latent_classes._Answers.of(classes)
        weighted = (answers.indicators * answers.often[:, None]).T
        ended = latent_classes._by_helpers(answers, number, 3, np.random.default_rng(8), lambda ended: None)
        probabilities = np.vstack([ended.profiles, ended.shares])[..., None]
        likelihood = []
        for _ in range(300):
            posterior, found = latent_classes._expect(answers.indicators, probabilities)
            likelihood.append((answers.often @ found).item())
            probabilities = latent_classes._maximise(weighted, posterior)
        assert ended.converged and likelihood[0] == pytest.approx(ended.log_likelihood.max(), abs=1e-8)
        assert 0 <= likelihood[-1] - likelihood[0] < latent_classes.ALIKE


def test_planted_classes_are_recovered(found):
    assert found.chosen == 3 and found.tried.tolist() == [1, 2, 3, 4] and found.converged.all()
    np.testing.assert_allclose(found.shares, np.bincount(MEMBER) / len(MEMBER), atol=0.03)
    np.testing.assert_allclose(found.profiles, PROFILES, atol=0.16)
    right = (found.memberships.argmax(axis=1) == MEMBER).mean()
    assert right > 0.95 and right == pytest.approx(found.certainty, abs=0.02)
    np.testing.assert_allclose(found.memberships.sum(axis=1), 1)
    np.testing.assert_allclose(found.profiles.sum(axis=-1), 1)
    np.testing.assert_allclose(found.memberships.mean(axis=0), found.shares, atol=1e-4)
    assert (np.diff(found.log_likelihood) > 0).all() and (np.diff(found.shares) < 0).all()
    assert found.n == 500 and found.parameters.tolist() == [30, 61, 92, 123]


def test_order_of_respondents_and_requirements_changes_nothing(found):
    rng = np.random.default_rng(5)
    respondents, requirements = rng.permutation(PLANTED.shape[0]), rng.permutation(PLANTED.shape[1])
    again = fit(PLANTED[np.ix_(respondents, requirements)], most=4, starts=10)
    np.testing.assert_array_equal(again.bic, found.bic)
    np.testing.assert_array_equal(again.reached, found.reached)
    np.testing.assert_array_equal(again.memberships, found.memberships[respondents])
    np.testing.assert_array_equal(again.profiles, found.profiles[:, requirements])


def test_starts_held_apart_are_the_same_starts(found, monkeypatch):
    monkeypatch.setattr("helpers.models.resampling.CELLS_AT_ONCE", 5000)
    apart = fit(PLANTED, most=3, starts=10)
    np.testing.assert_allclose(apart.log_likelihood, found.log_likelihood[:3])
    np.testing.assert_array_equal(apart.reached, found.reached[:3])


def test_everyone_twice_is_twice_the_likelihood(found):
    twice = fit(np.repeat(PLANTED, 2, axis=0), most=3, starts=10)
    np.testing.assert_allclose(twice.log_likelihood, 2 * found.log_likelihood[:3], atol=1e-3)
    np.testing.assert_allclose(twice.profiles, found.profiles, atol=1e-3)


def test_respondents_and_requirements_without_answers(found):
    classes = np.full((502, 7), evaluation.MISSING)
    classes[1:-1, :6] = PLANTED
    some = fit(classes, most=4, starts=10)
    np.testing.assert_array_equal(some.bic, found.bic)
    assert np.isnan(some.memberships[[0, -1]]).all() and np.isnan(some.profiles[:, 6]).all() and some.n == 500
    np.testing.assert_array_equal(some.memberships[1:-1], found.memberships)
    assert response_style(some).share == response_style(found).share


def test_answers_that_nobody_gave_are_no_parameters():
    classes = np.random.default_rng(1).choice([0, 3, 5], (200, 5))
    assert fit(classes, most=2).parameters.tolist() == [10, 21]


def test_no_more_classes_than_the_data_can_carry():
    rng = np.random.default_rng(2)
    assert fit(rng.integers(0, 6, (60, 6))).tried.tolist() == [1]  # 61 parameters of 2 classes, 60 respondents
    assert fit(rng.integers(0, 6, (61, 6)), starts=2).tried.tolist() == [1, 2]
    assert fit(rng.integers(0, 6, (400, 1))).tried.tolist() == [1]  # shares of one answer cannot tell mixtures apart
    assert fit(rng.integers(0, 6, (4000, 2)), starts=2).tried.tolist() == [1, 2, 3]  # 43 parameters, 36 pairs
    assert fit(np.repeat(rng.integers(0, 6, (2, 6)), 200, axis=0)).tried.tolist() == [1, 2]  # two kinds of rows
    assert fit(np.full((9, 3), 3)).bic.tolist() == [0]


@pytest.mark.parametrize("fitted_by", latent_classes.FITTERS)
def test_tells_how_many_starts_have_ended(fitted_by):
    ended = []
    fit(PLANTED[:150], most=2, starts=3, fitted_by=fitted_by, done=ended.append)
    assert sum(ended) == 6 and min(ended) > 0


def test_a_search_that_is_cut_short_says_so(monkeypatch):
    monkeypatch.setattr(latent_classes, "MOST_STEPS", 3)
    assert fit(PLANTED, most=2).converged.tolist() == [True, False]


@pytest.mark.parametrize(
    ("classes", "more", "message"),
    [
        ([], {}, "table"),
        (np.empty((5, 0), int), {}, "table"),
        ([[0, 6], [1, 1]], {}, "from 0 to 5"),
        ([[0, np.nan], [1, 1]], {}, "from 0 to 5"),
        ([[0, 1]], {}, "at least 2"),
        ([[0, 1], [-1, -1]], {}, "at least 2"),
        (PLANTED, {"most": 0}, "At least 1"),
        (PLANTED, {"starts": 0}, "At least 1"),
        (PLANTED, {"fitted_by": "lifetimes"}, "choose one of helpers, stepmix"),
    ],
)
def test_refuses(classes, more, message):
    with pytest.raises(ValueError, match=message):
        fit(classes, **more)


# ---- style


def classes_of(shares, profiles) -> LatentClasses:
    shares, profiles = np.asarray(shares, float), np.asarray(profiles, float)
    one, many = np.ones(1), np.broadcast_to(shares, (4, len(shares)))
    return LatentClasses(one, one, one, one, one, one, len(shares), shares, profiles, many, 1.0, 1.0, 4)


def test_the_same_odds_for_all_requirements_are_style():
    rng = np.random.default_rng(3)
    likely = rng.dirichlet(np.ones(6), size=5) * rng.lognormal(0, 1, (3, 1, 6))
    found = response_style(classes_of([0.5, 0.3, 0.2], likely / likely.sum(axis=-1, keepdims=True)))
    assert found.share == pytest.approx(1, abs=1e-6) and found.verdict == "style"
    np.testing.assert_allclose(found.by_class, 1, atol=1e-6)


def test_the_same_wants_of_other_requirements_are_wants():
    likely = np.random.default_rng(3).dirichlet(np.ones(6), size=4)
    profiles = likely[[[0, 1, 2, 3], [1, 2, 3, 0], [2, 3, 0, 1], [3, 0, 1, 2]]]
    found = response_style(classes_of(np.full(4, 0.25), profiles))
    assert found.share == pytest.approx(0, abs=1e-12) and found.verdict == "wants"


def test_information_is_that_of_answers_about_classes():
    shares, profiles = np.array([0.7, 0.3]), PROFILES[:2]
    style, wants = latent_classes._information(shares, profiles)
    everyone = shares @ profiles.reshape(2, -1)
    divergence = special.rel_entr(profiles.reshape(2, -1), everyone).sum(axis=1)
    assert (style + wants).sum() == pytest.approx(shares @ divergence)


def test_few_requirements_cannot_tell_style():
    found = response_style(classes_of([0.7, 0.3], PROFILES[:2, :3]))
    assert found.verdict == "cannot be told" and 0 < found.share < 1


def test_one_class_has_no_style():
    found = response_style(fit(PLANTED, most=1))
    assert found.verdict == "" and np.isnan(found.share) and np.isnan([*found.neutral, found.extreme_explained]).all()


def test_refuses_answers_of_others(found):
    with pytest.raises(ValueError, match="500 respondents to 6 requirements"):
        response_style(found, PLANTED[1:], PLANTED[1:])


FIRMS = {
    "firms": {
        "secure payment": REQUIREMENTS["surprise gift"],
        "surprise gift": REQUIREMENTS["secure payment"],
        "price discount": REQUIREMENTS["customer magazine"],
        "customer magazine": REQUIREMENTS["price discount"],
    }
}
WANTS = {"segments": {"households": 0.6, "firms": 0.4}, "segment_feelings": FIRMS}
STYLES = {"neutral_style": 0.3, "extreme_style": 0.3, "style_strength": 0.7}
NO_STYLES = {"neutral_style": 0, "extreme_style": 0}


@pytest.mark.parametrize(
    ("planted", "verdict"),
    [
        ({"segments": {}, **STYLES}, "style"),
        ({**WANTS, **NO_STYLES}, "wants"),
        ({**WANTS, **STYLES}, "both"),
        ({"segments": {}, **NO_STYLES}, ""),
    ],
)
def test_style_is_told_from_wants(planted, verdict):
    survey, _ = kano_survey(600, seed=11, waves=(), same_answer=0, **planted)
    functional, dysfunctional = (
        survey.pivot(index="respondent_id", columns="requirement", values=kind).astype(float).to_numpy()
        for kind in ("functional", "dysfunctional")
    )
    found = fit(evaluation.classify(functional, dysfunctional), most=4, starts=4)
    style = response_style(found, functional, dysfunctional)
    assert style.verdict == verdict
    if verdict == "style":
        assert style.neutral_explained > 0.3 and np.ptp(style.neutral) > 0.2
    if verdict == "wants":
        assert style.neutral_explained < 0.1 and style.extreme_explained < 0.1
