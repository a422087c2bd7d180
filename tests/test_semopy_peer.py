"""semopy by our adapter: a check of our estimates; and each of its faults, shown beside what is done about it.

A test of a fault begins with what semopy does (its version is pinned): where it fails on a new version because semopy
was mended, the remark can go.
"""

import contextlib
import inspect
import logging
import re
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from helpers.models.resampling import wald_p
from helpers.models.satisfaction_index.covariance_model import semopy_peer
from helpers.models.satisfaction_index.covariance_model.fit_indices import indices_of
from helpers.models.satisfaction_index.covariance_model.gate import gate, verdict
from helpers.models.satisfaction_index.covariance_model.missing import (
    IncompleteAnswers,
    gamma,
    saturated_moments,
)
from helpers.models.satisfaction_index.covariance_model.robust import empirical_gamma, sandwich
from helpers.models.satisfaction_index.covariance_model.scoring import Sample, discrepancy, fit
from helpers.models.satisfaction_index.covariance_model.semopy_peer import (
    model_text,
    polished,
    semopy_fit,
    stopped_short,
)
from helpers.models.satisfaction_index.covariance_model.solution import loading_weights, solution, solution_errors
from helpers.models.satisfaction_index.covariance_model.structure import Structure
from helpers.reporting.runner import KERNEL_ENVIRONMENT
from tests.lavaan_models import FACTORS, data, fitted, model, sample_of, school
from tests.mobi import design_of
from tests.published import covariance_model as published
from tests.published import covariance_solution as more
from tests.random_models import implied_sample, random_parameters, random_structure

THREE_FACTORS = "\n".join(f"{name} =~ {' + '.join(items)}" for name, items in FACTORS.items())
TIGHT = semopy_peer.OPTIONS
# semopy takes seconds for each ECSI: one is enough beside it, both are held against lavaan in the tests of `scoring`
FITTED = tuple(name for name in published.ESTIMATES if name != "ecsi_without_cusl2")


pytestmark = pytest.mark.filterwarnings("ignore:bias and ddof:DeprecationWarning")


@pytest.fixture(scope="module")
def semopy():
    import semopy

    return semopy


def by_semopy(semopy, text: str, answers: pd.DataFrame, **options):
    """Return its model and what it says of its search, as its user gets them."""
    made = semopy.Model(text)
    return made, made.fit(answers.copy(), **options)


def pupils() -> pd.DataFrame:
    return data("holzinger")[list(sum(FACTORS.values(), ()))]


def covariance_of(answers) -> np.ndarray:
    return np.cov(np.asarray(answers, float).T, bias=True)


def of_model(name: str, options=None):
    here = model(name)
    return semopy_fit(here.structure, here.sample.covariance[0], len(here.answers), options)


found_in = cache(of_model)


@cache
def optimum(name: str):
    """Return our fit that goes on from semopy's."""
    return polished(model(name).structure, model(name).sample, found_in(name))


# ---- the two programs agree ----


@pytest.mark.parametrize("name", FITTED)
def test_semopy_finds_what_we_and_lavaan_find(name):
    found, ours = found_in(name), optimum(name)
    flat = name.startswith("ecsi")  # paths that nothing holds: no program stops at the same point
    assert np.abs(found.parameters - ours.parameters).max() < (3e-3 if flat else 1e-4)
    np.testing.assert_allclose(found.standard_error, ours.standard_error, rtol=2e-3 if flat else 2e-5)
    assert found.gradient < (1e-3 if flat else 1e-4) and (flat or found.converged)
    for key, (estimate, error) in published.ESTIMATES[name].items():
        number = model(name).number(key)
        if number >= 0:
            assert found.parameters[number] == pytest.approx(estimate, abs=5e-4 * error), key
            assert found.standard_error[number] == pytest.approx(error, rel=2e-3 if flat else 5e-5), key


@pytest.mark.parametrize("name", FITTED)
def test_polished_is_the_optimum(name):
    found, ours = found_in(name), optimum(name)
    assert ours.gradient < 1e-8 and ours.converged
    assert ours.discrepancy / 2 == pytest.approx(published.FIT[name]["fmin"], abs=1e-8)
    np.testing.assert_allclose(ours.parameters, fitted(name).parameters, atol=1e-5)
    short = stopped_short(found, ours)
    assert -1e-13 < short.discrepancy < 1e-8 and short.standard_errors < 1e-3


@pytest.mark.parametrize("seed", range(8))
def test_the_text_means_the_structure(seed):
    """Any structure: what semopy finds, its discrepancy and its errors are those of our matrices."""
    rng = np.random.default_rng(seed)
    structure = random_structure(rng, least_items=1 + seed % 2, groups=0)
    sample = implied_sample(structure, random_parameters(rng, structure))
    found = semopy_fit(structure, sample.covariance[0], 200.0)
    assert len(re.findall(r"p\d+\*", model_text(structure))) == structure.parameters
    assert found.discrepancy == pytest.approx(discrepancy(structure, found.parameters, sample), abs=1e-12)
    there = fit(structure, sample, found.parameters, most_iterations=0)
    if there.rank == structure.parameters:
        np.testing.assert_allclose(found.standard_error, there.standard_error, rtol=1e-5)
    else:
        assert np.isnan(found.standard_error).all() and "not identified" in found.message
    if found.converged:  # random data may lead it into a corner; then it says so
        assert found.discrepancy < 1e-6


def test_time_does_not_depend_on_respondents():
    """Only the covariance matrix goes in; what semopy takes for data is as many rows whatever the number."""
    few, many = (
        semopy_fit(model("holzinger").structure, model("holzinger").sample.covariance[0], n) for n in (250, 1e5)
    )
    assert few.iterations == many.iterations
    np.testing.assert_array_equal(few.parameters, many.parameters)
    np.testing.assert_allclose(few.standard_error, many.standard_error * np.sqrt(400))


def test_nothing_changes_for_the_process():
    before = logging.root.manager.disable, list(logging.root.handlers), np.geterr()
    of_model("holzinger")
    assert (logging.root.manager.disable, logging.root.handlers, np.geterr()) == before


def test_a_fit_that_fails_is_told(semopy, monkeypatch):
    def fails(*_, **__):
        raise np.linalg.LinAlgError("Singular\n matrix")

    monkeypatch.setattr(semopy.Model, "fit", fails)
    found = of_model("holzinger")
    assert not found.converged and np.isnan(found.parameters).all() and found.message == "semopy: Singular matrix"
    afresh = polished(model("holzinger").structure, model("holzinger").sample, found)
    assert afresh.chi_square == pytest.approx(published.FIT["holzinger"]["chisq"])
    assert np.isnan(stopped_short(found, afresh).discrepancy)


@pytest.mark.parametrize("rows", [range(0, 60), range(0, 301, 5)])
def test_the_lower_of_two_optima_is_taken(rows):
    here = model("holzinger")
    covariance = covariance_of(here.answers[list(rows)])
    found = semopy_fit(here.structure, covariance, len(rows))
    best = polished(here.structure, Sample.of(covariance, len(rows)), found)
    assert best.discrepancy <= found.discrepancy + 1e-12
    assert best.discrepancy <= fit(here.structure, best.sample).discrepancy + 1e-9


# ---- the faults ----


def test_fault_01_threads_that_wait_for_one_another():
    assert {KERNEL_ENVIRONMENT[name] for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")} == {"1"}


def test_fault_02_stops_early_and_says_success():
    by_default, tight = of_model("ecsi", {}), found_in("ecsi")
    assert "terminated successfully" in by_default.message and not by_default.converged
    assert "not at an optimum" in by_default.message
    ours = polished(model("ecsi").structure, model("ecsi").sample, by_default)
    short = stopped_short(by_default, ours)
    assert short.discrepancy > 1e-4 and short.standard_errors > 0.5
    assert ours.gradient < 1e-8 and ours.chi_square == pytest.approx(575.5712820, abs=1e-6)
    assert stopped_short(tight, ours).discrepancy < 1e-8


def test_fault_03_information_criteria_without_respondents(semopy):
    theirs = semopy.calc_stats(by_semopy(semopy, THREE_FACTORS, pupils())[0]).loc["Value"]
    assert theirs["AIC"] == pytest.approx(41.43, abs=0.01) and theirs["LogLik"] == pytest.approx(0.283, abs=0.001)
    ours = indices_of(fitted("holzinger"))
    assert ours.aic == pytest.approx(7517.490, abs=1e-3) and ours.bic == pytest.approx(7595.339, abs=1e-3)
    assert ours.log_likelihood == pytest.approx(-3737.745, abs=1e-3)


def test_faults_04_and_05_goodness_of_fit_and_rmsea(semopy):
    theirs = semopy.calc_stats(by_semopy(semopy, THREE_FACTORS, pupils())[0]).loc["Value"]
    assert theirs["GFI"] == pytest.approx(theirs["NFI"]) == pytest.approx(0.9072, abs=1e-4)
    assert theirs["AGFI"] == pytest.approx(0.8607, abs=1e-4) and theirs["RMSEA"] == pytest.approx(0.09228, abs=1e-5)
    ours, figures = indices_of(fitted("holzinger")), published.FIT["holzinger"]
    assert ours.gfi == pytest.approx(figures["gfi"], abs=1e-6) and ours.agfi == pytest.approx(figures["agfi"], abs=1e-6)
    assert ours.rmsea == pytest.approx(figures["rmsea"], abs=1e-7)


def test_fault_06_comparative_fit_above_1(semopy):
    rng = np.random.default_rng(2)
    answers = pd.DataFrame(rng.normal(size=(300, 1)) + rng.normal(size=(300, 4)), columns=list("abcd"))
    theirs = semopy.calc_stats(by_semopy(semopy, "f =~ a + b + c + d", answers)[0]).loc["Value"]
    ours = indices_of(fit(Structure.of(design_of({"f": tuple("abcd")}, ())), Sample.of(covariance_of(answers), 300)))
    assert theirs["CFI"] > 1 and ours.cfi == 1


def test_fault_07_items_that_are_causes_counted_as_known(semopy):
    paths = (
        ("PERQ1", "CUSA1"),
        ("PERV2", "CUSA1"),
        ("IMAG1", "CUSA1"),
        ("CUSA1", "CUSL3"),
        ("IMAG1", "CUSL3"),
    )
    items = ("PERQ1", "PERV2", "IMAG1", "CUSA1", "CUSL3")
    answers = data("mobi")[list(items)]
    text = "\n".join(f"{target} ~ {source}" for source, target in paths)
    theirs = semopy.calc_stats(by_semopy(semopy, text, answers)[0]).loc["Value"]
    assert theirs["DoF"] == 8 and theirs["RMSEA"] == pytest.approx(0.120, abs=1e-3)
    structure = Structure.of(design_of({item: (item,) for item in items}, paths))
    found = semopy_fit(structure, covariance_of(answers), 250)
    ours = indices_of(polished(structure, Sample.of(covariance_of(answers), 250), found))
    # lavaan 0.6.14, the same path model: chisq 36.8870419258, df 2, rmsea 0.26414784468
    assert ours.chi_square == pytest.approx(36.8870419258, abs=1e-6) and ours.degrees_of_freedom == 2
    assert ours.rmsea == pytest.approx(0.26414784468, abs=1e-8)


def test_faults_08_and_09_gaps_taken_in_silence_and_means_not_taken_off(semopy):
    gappy = pupils().astype(float).mask(np.random.default_rng(3).random((301, 9)) < 0.17)
    assert by_semopy(semopy, THREE_FACTORS, gappy)[1].success
    with pytest.raises(ValueError, match="gaps that nothing was done about"):
        semopy_fit(model("holzinger").structure, covariance_of(gappy), 301)
    moments = saturated_moments(IncompleteAnswers(gappy.to_numpy()).patterns)
    full = fit(model("holzinger").structure, Sample.of(moments.covariance, 301))
    assert np.abs((full.parameters - fitted("holzinger").parameters) / fitted("holzinger").standard_error).max() < 2
    # without gaps, direct likelihood is the usual one; semopy's is of answers with their means in them
    centred, _ = by_semopy(semopy, THREE_FACTORS, pupils(), obj="FIML")
    loading = centred.inspect().query("lval == 'x2' and op == '~'")["Estimate"].iloc[0]
    assert abs(loading - 0.554) > 0.3
    complete = saturated_moments(IncompleteAnswers(pupils().to_numpy()).patterns)
    np.testing.assert_allclose(complete.covariance, covariance_of(pupils()), rtol=1e-8)


def test_fault_10_means_are_not_left_to_semopy(semopy):
    """Of its model with means for answers with gaps the errors, degrees of freedom and statistic are wrong."""
    values = pupils().astype(float)
    values.loc[np.random.default_rng(3).random(301) < 0.5, ["x2", "x3"]] = np.nan
    theirs = semopy.ModelMeans(THREE_FACTORS)
    with pytest.raises(NotImplementedError, match="FIML"):
        theirs.fit(values.copy(), obj="FIML")
    theirs.fit(values.copy(), obj="ML")
    figures = semopy.calc_stats(theirs).loc["Value"]
    assert figures["DoF"] == 15 and figures["chi2"] < 10
    answers = IncompleteAnswers(values.to_numpy())
    moments = saturated_moments(answers.patterns)
    ours = fit(model("holzinger").structure, Sample.of(moments.covariance, moments.size))
    errors = np.sqrt(np.diagonal(sandwich(ours, gamma(answers, moments.mean, moments.covariance))))
    error = theirs.inspect().query("lval == 'x2' and rval == 'visual'")["Std. Err"].iloc[0]
    assert error < 0.85 * errors[model("holzinger").number(("visual", "=~", "x2"))]
    assert ours.structure.degrees_of_freedom == 24 and ours.chi_square > 24
    # nor does the adapter hand it means
    by_school = school("metric")
    with pytest.raises(ValueError, match="one group without means"):
        semopy_fit(Structure.of_groups(design_of(FACTORS, ()), 1), covariance_of(pupils()), 301)
    with_means = fit(Structure.of_groups(design_of(FACTORS, ()), 1), sample_of([pupils().to_numpy()]))
    assert indices_of(with_means).degrees_of_freedom == 24
    assert with_means.chi_square == pytest.approx(published.FIT["holzinger"]["chisq"], abs=1e-6)
    assert by_school.structure.degrees_of_freedom == 54


def test_fault_11_answers_in_categories(semopy):
    """Its way for ordered answers breaks; ours treats them as numbers, so whatever units they have, the fit is one."""
    with pytest.raises((AttributeError, TypeError, ImportError)):
        by_semopy(semopy, f"{THREE_FACTORS}\nDEFINE(ordinal) x1 x2", pupils().round())
    here = model("acsi")
    other_scale = Sample.of(covariance_of(10 * here.answers + 5), 250)
    assert fit(here.structure, other_scale).chi_square == pytest.approx(fitted("acsi").chi_square, abs=1e-9)


def test_fault_12_robust_errors_of_whole_numbers(semopy):
    here = model("acsi")
    text = "S =~ CUSA1 + CUSA2 + CUSA3\nV =~ PERV1 + PERV2\nS ~ V"
    made, _ = by_semopy(semopy, text, data("mobi").astype(int))
    with pytest.raises(TypeError, match="same_kind"):
        made.inspect(se_robust=True)
    whole, fractions = (sandwich(fitted("acsi"), empirical_gamma(here.answers.astype(kind))) for kind in (int, float))
    np.testing.assert_array_equal(whole, fractions)
    assert np.isfinite(whole).all()


def test_fault_13_negative_variances_hidden_by_a_bound(semopy):
    answers = pupils().iloc[list(more.HEYWOOD_ROWS)]
    _, said = by_semopy(semopy, THREE_FACTORS, answers, options=dict(TIGHT))
    assert said.success and 45 * said.fun == pytest.approx(32.89, abs=0.01)
    structure, covariance = model("holzinger").structure, covariance_of(answers)
    found = semopy_fit(structure, covariance, 45)
    assert not found.converged and "held at 0 by its bounds: y8" in found.message
    ours = polished(structure, Sample.of(covariance, 45), found)
    assert ours.converged and ours.chi_square == pytest.approx(more.HEYWOOD_FIT["chisq"], abs=1e-6)
    assert ours.matrix("residual_covariance")[8, 8] == pytest.approx(-0.979, abs=1e-3)
    assert stopped_short(found, ours).discrepancy * 45 == pytest.approx(32.89 - 31.01, abs=0.01)
    assert verdict(gate(ours)) == "inadmissible"


@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")  # of semopy
def test_fault_14_models_that_nothing_identifies(semopy):
    answers = pupils()[["x1", "x2"]]
    made, said = by_semopy(semopy, "f =~ x1 + x2", answers)
    assert said.success and semopy.calc_stats(made).loc["Value", "DoF"] == -1
    assert float(made.inspect()["Std. Err"].iloc[1]) > 1e5  # of a generalised inverse
    structure = Structure.of(design_of({"f": ("x1", "x2")}, ()))
    found = semopy_fit(structure, covariance_of(answers), 301)
    assert np.isnan(found.standard_error).all()
    assert "1 too many" in found.message and "not identified: the information has rank 3 of 4" in found.message
    ours = polished(structure, Sample.of(covariance_of(answers), 301), found)
    assert np.isnan(ours.standard_error).all() and np.isnan(indices_of(ours).rmsea)
    assert verdict(gate(ours)) == "inadmissible"


SINGULAR = {
    "one_item_twice": lambda: pupils().assign(x9=pupils()["x8"]),
    "fewer_respondents_than_items": lambda: pupils().iloc[:8],
    "constant_item": lambda: pupils().assign(x9=3.0),
}


@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")  # of semopy
@pytest.mark.parametrize("kind", SINGULAR)
def test_fault_15_another_matrix_than_the_one_given(semopy, kind):
    answers = SINGULAR[kind]()
    with contextlib.suppress(np.linalg.LinAlgError):  # of the constant item
        assert by_semopy(semopy, THREE_FACTORS, answers)[1].success
    with pytest.raises(ValueError, match="positive definite"):
        semopy_fit(model("holzinger").structure, covariance_of(answers), len(answers))
    ours = fit(model("holzinger").structure, Sample.of(covariance_of(answers), len(answers)))
    assert not ours.converged and verdict(gate(ours)) == "inadmissible"


def test_fault_16_standardised_residual_covariances(semopy):
    made, _ = by_semopy(
        semopy, semopy.examples.political_democracy.get_model(), data("political_democracy"), options=dict(TIGHT)
    )
    theirs = made.inspect(std_est=True).query("lval == 'y1' and rval == 'y5'")["Est. Std"].iloc[0]
    assert theirs == pytest.approx(0.092, abs=1e-3)
    here = model("political_democracy")
    place = here.items.index("y1"), here.items.index("y5")
    assert solution(fitted("political_democracy")).residual_covariance[place] == pytest.approx(0.296, abs=1e-3)


def test_fault_17_text_among_numbers_and_probabilities_of_0(semopy):
    table = by_semopy(semopy, THREE_FACTORS, pupils())[0].inspect()
    assert table["Std. Err"].dtype == object and (table["p-value"] == 0).any()
    found = found_in("holzinger")
    assert found.parameters.dtype == found.standard_error.dtype == float
    p = wald_p(found.parameters, found.standard_error)
    assert (p > 0).all()
    np.testing.assert_allclose(p, 2 * stats.norm.sf(np.abs(found.parameters / found.standard_error)))


def test_fault_18_no_effects_along_ways(semopy):
    with pytest.raises(NotImplementedError, match="unknown command"):
        semopy.Model("y ~ a*x\nz ~ b*y\nind := a*b")
    assert not hasattr(semopy.stats, "bootstrap") and not hasattr(semopy.stats, "SRMR")
    (kind, source, target), (estimate, error, _) = next(iter(more.EFFECTS.items()))
    names = list(model("acsi").constructs)
    place = names.index(source), names.index(target)
    assert getattr(solution(fitted("acsi")), f"{kind}_effects")[place] == pytest.approx(estimate, abs=1e-5)
    assert getattr(solution_errors(fitted("acsi")), f"{kind}_effects")[place] == pytest.approx(error, abs=1e-5)


def test_fault_19_groups_without_anything_in_common(semopy):
    assert not callable(semopy.multigroup)
    numbered = pupils().assign(school=(data("holzinger")["school"] == "Pasteur").astype(int))
    with pytest.raises(TypeError):
        str(semopy.multigroup.multigroup(THREE_FACTORS, numbered, "school"))
    with pytest.raises(ValueError, match="one group"):
        semopy_fit(school("metric").structure, covariance_of(pupils()), 301)
    assert school("metric").chi_square == pytest.approx(published.INVARIANCE["metric"]["chisq"], abs=1e-6)


def test_fault_20_a_second_fit_begins_where_the_first_ended(semopy):
    made, first = by_semopy(semopy, THREE_FACTORS, pupils())
    assert made.fit(pupils()).n_it < first.n_it
    one, other = of_model("holzinger"), of_model("holzinger")
    assert one.iterations == other.iterations > 10
    np.testing.assert_array_equal(one.parameters, other.parameters)


def test_fault_21_scores_beside_an_item_among_the_constructs(semopy):
    """Not used: nobody gets a score by the covariance model, whose index weighs the raw answers by its loadings.

    Theirs should be those by regression on the implied moments (Thurstone 1935, The Vectors of Mind).
    """
    here = model("acsi")
    answers = pd.DataFrame(here.answers, columns=here.items)
    measured = [f"{name} =~ {' + '.join(items)}" for name, items in here.constructs.items() if len(items) > 1]
    text = "\n".join([*measured, *(f"{target} ~ {source}" for source, target in here.paths)])
    theirs = by_semopy(semopy, text, answers, options=dict(TIGHT))[0].predict_factors(answers)
    implied = fitted("acsi").implied()
    weights = np.linalg.solve(implied.covariance, implied.loadings @ implied.construct_covariance)
    by_regression = pd.DataFrame((answers - answers.mean()).to_numpy() @ weights, columns=list(here.constructs))
    assert (theirs["Satisfaction"] - by_regression["Satisfaction"]).abs().max() > 0.2
    assert "predict" not in inspect.getsource(semopy_peer)
    np.testing.assert_allclose(np.bincount(here.design.block, loading_weights(fitted("acsi"))), 1)


def test_fault_22_names_that_it_reads_as_others(semopy):
    with pytest.raises(SyntaxError):
        semopy.Model("f =~ a b + c")
    assert semopy.Model("f =~ q-1 + q-2 + q-3").vars["observed"] == ["q"]
    for name in published.ESTIMATES:  # names never reach it
        for line in model_text(model(name).structure).splitlines():
            assert re.fullmatch(r"[fy]\d+ (=~|~|~~) (\d|p\d+)\*[fy]\d+", line)


def test_covariances_of_other_items_are_refused():
    with pytest.raises(ValueError, match="9 items"):
        semopy_fit(model("holzinger").structure, np.eye(8), 100)
