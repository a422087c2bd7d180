"""The covariance model in the report: published figures, both verdicts of its gate, and surveys gone wrong."""

import numpy as np
import pandas as pd
import pytest

from helpers.analyses.satisfaction_index import analyse
from helpers.analyses.satisfaction_index.covariance import estimation
from helpers.models.satisfaction_index.covariance_model import scoring
from helpers.models.satisfaction_index.design import Design
from helpers.synthetic.satisfaction_survey import satisfaction_survey
from tests.published import covariance_model as published
from tests.test_satisfaction_index import QUICK, TABLES, mobi, no_nan, survey_file

# own: index 0-100 by the loadings that lavaan 0.6.14 gives for ECSI on mobi, each item by its loading
BY_LOADINGS = {
    "image": 72.722, "expectations": 72.326, "perceived_quality": 74.565, "perceived_value": 61.665,
    "satisfaction": 71.254, "complaints": 67.422, "loyalty": 70.357,
}  # fmt: skip
OF_MODEL = ("covariance_paths", "agreement", "covariance_effects", "covariance_loadings")  # exhibits with its numbers
EVERY = (*OF_MODEL, "covariance_fit", "modification_indices")
BANNER = "The covariance model (SEM)"
# what would be no fault of a model, or one that only some items have
SWITCHED_OFF = ("straight_lining", "dont_know", "blank", "mostly_missing", "duplicates", "penalty", "reward", "delight")
SMALL = """name = "Small"
scale = { lowest = 1, highest = 10 }
[constructs.quality]
items = ["PERQ1", "PERQ2", "PERQ3"]
leads_to = ["satisfaction"]
[constructs.satisfaction]
items = ["CUSA1", "CUSA2", "CUSA3"]
"""
HALVES = np.repeat(["a", "b"], 125)


def banner(result) -> list[str]:
    return [sentence for sentence in result.warnings if "covariance model" in sentence]


def severities(result) -> dict[str, str]:
    return result.tables["gate"].frame.set_index("check")["severity"].to_dict()


@pytest.fixture(scope="module")
def simulated_answers():
    return satisfaction_survey(900, seed=3, waves=(), **dict.fromkeys(SWITCHED_OFF, 0))[0].drop(columns="CUSCO")


@pytest.fixture(scope="module")
def of_mobi():
    return analyse(survey="mobi", **QUICK)


@pytest.fixture(scope="module")
def of_acsi():
    return analyse(survey="mobi", model="acsi", **QUICK)


@pytest.fixture(scope="module")
def sound(simulated_answers, tmp_path_factory):
    file = survey_file(tmp_path_factory.mktemp("sound"), simulated_answers)
    return analyse(survey=file, model="ccsi", **QUICK)


@pytest.fixture
def small(tmp_path):
    """Analyse a survey of two constructs, or of another model given as text, with everything that can be shown."""

    def run(frame: pd.DataFrame, model: str = SMALL, **choices):
        (tmp_path / "small.toml").write_text(model, encoding="utf-8")
        file = survey_file(tmp_path, frame)
        result = analyse(survey=file, model=str(tmp_path / "small.toml"), **(QUICK | choices))
        assert result.answer and no_nan(result)
        assert all(map(repr, result.tables.values()))
        return result

    return run


# --- published figures ---------------------------------------------------------------------------------


def test_mobi_gives_the_reference_index_by_loadings(of_mobi):
    index = of_mobi.tables["index"].frame.query("weighting == 'sem_loadings' and segment == 'all'")
    assert dict(zip(index["construct"], index["index"], strict=True)) == pytest.approx(BY_LOADINGS, abs=5e-4)
    assert (index["low"] < index["index"]).all() and (index["index"] < index["high"]).all()
    assert of_mobi.tables["index"].view["sem_loadings"].round(3).tolist() == list(BY_LOADINGS.values())


def test_mobi_fits_as_lavaan_says(of_mobi):
    fit = of_mobi.tables["fit"].frame.set_index(["estimator", "measure"])["value"]
    names = {
        "chi_square": "chisq", "degrees_of_freedom": "df", "cfi": "cfi", "tli": "tli", "rmsea": "rmsea",
        "rmsea_low": "rmsea.ci.lower", "rmsea_high": "rmsea.ci.upper", "p_close": "rmsea.pvalue", "srmr": "srmr",
        "gfi": "gfi", "agfi": "agfi", "log_likelihood": "logl", "aic": "aic", "bic": "bic", "fmin": "fmin",
    }  # fmt: skip
    for ours, theirs in names.items():
        assert fit["ml", ours] == pytest.approx(published.FIT["ecsi"][theirs], rel=1e-6, abs=1e-8), ours
    for ours, theirs in (("chi_square", "chisq.scaled"), ("cfi", "cfi.robust"), ("rmsea", "rmsea.robust")):
        assert fit["mlm", ours] == pytest.approx(published.SCALED["ecsi", "MLM"][theirs], rel=1e-4), ours
    assert fit["ml", "largest_derivative"] < 1e-8
    assert fit["ml", "parameters"] == published.FIT["ecsi"]["npar"]


def test_mobi_has_lavaans_paths_in_the_file_and_not_in_the_page(of_mobi):
    paths = of_mobi.tables["paths"]
    file = paths.frame.query("estimator == 'ml'").set_index(["source", "target"])
    # an item that is a construct of its own is that item in the lavaan model
    latent = ("Image", "Expectation", "Quality", "Value", "Satisfaction", "CUSCO", "Loyalty")
    latent = dict(zip(of_mobi.constructs, latent, strict=True))
    for (source, target), row in file.iterrows():
        estimate, _ = published.ESTIMATES["ecsi"][latent[target], "~", latent[source]]
        # at its optimum: lavaan stops where the gradient is still 1e-4
        assert row["estimate"] == pytest.approx(estimate, rel=1e-3, abs=1e-4), (source, target)
    assert len(file) == 12 and set(paths.view["estimator"]) == {"pls"}
    assert file["standardised"].abs().max() == pytest.approx(3.27, abs=5e-3)


def test_tables_keep_the_columns_that_others_rely_on(of_mobi, of_acsi, sound):
    for result in (of_mobi, of_acsi, sound):
        for name, columns in TABLES.items():
            frame = result.tables[name].frame
            assert set(columns.split()) <= set(frame.columns), name
        assert set(result.tables["fit"].frame["estimator"]) == {"pls", "ml", "mlm"}
        assert set(result.tables["admissibility"].frame["estimator"]) == {"pls", "ml"}


# --- the verdicts --------------------------------------------------------------------------------------


def test_ecsi_on_mobi_is_refused_under_a_banner(of_mobi):
    assert of_mobi.judgement.verdict == "inadmissible"
    (said,) = banner(of_mobi)
    assert said.startswith("The covariance model (SEM) of ECSI must not be used")
    for part in (
        "up to 3.27",
        "its paths, effects and their order fall",
        "Index, importance and paths by PLS",
        "sparse",
    ):
        assert part in said, part
    assert severities(of_mobi)["standardised_paths"] == "stops"
    checks = of_mobi.tables["admissibility"].frame.query("estimator == 'ml'").set_index("check")
    assert checks.loc["standardised_paths", "holds"] == "no" and checks.loc["convergence", "holds"] == "yes"


def test_no_number_of_a_refused_model_stands_without_the_refusal(of_mobi):
    label = "Stopped by its gate: not to be used"
    assert {of_mobi.tables[name].label for name in OF_MODEL} == {label}
    assert of_mobi.figures["agreement"].label == label
    paths = of_mobi.tables["paths"].frame.groupby("estimator")["verdict"].unique()
    assert list(paths["ml"]) == ["not to be used"] and "supported" in paths["pls"]
    assert of_mobi.covariance.resamples is None
    assert "draws_deviation" not in of_mobi.tables["covariance_paths"].columns
    assert "it decides nothing" in of_mobi.answer and "second opinion, is" not in of_mobi.answer


def test_model_that_is_offered_instead_is_judged_as_it_is_when_asked_for(of_mobi):
    asked = analyse(survey="mobi", model="sparse", **QUICK)
    offered = {finding.name: (finding.severity, finding.value) for finding in of_mobi.sparse.findings}
    given = {finding.name: (finding.severity, finding.value) for finding in asked.judgement.findings}
    assert given.keys() - offered.keys() == {"lost_resamples"}
    for name, (severity, value) in offered.items():
        assert given[name] == (severity, pytest.approx(value, rel=1e-6, abs=1e-8)), name
    assert asked.sparse is None


def test_acsi_on_mobi_is_let_pass_with_caution(of_acsi):
    assert of_acsi.judgement.verdict == "caution"
    (said,) = banner(of_acsi)
    assert said.startswith("The covariance model (SEM) is to be read with care.")
    assert "Satisfaction \N{EN DASH} Loyalty" in said and "must not be used" not in said
    assert "is let pass with caution (CFI 0.95" in of_acsi.answer
    assert {of_acsi.tables[name].label for name in OF_MODEL} == {""} and of_acsi.figures["agreement"].label == ""


def test_heavy_tails_of_acsi_show_in_its_resamples(of_acsi):
    paths = of_acsi.tables["covariance_paths"]
    rows = paths.frame.set_index(["source", "target"])
    heavy = rows.loc[("expectations", "perceived_value")]
    assert (
        heavy["draws_deviation"] > 2 * heavy["draws_spread"] and heavy["draws_deviation"] > 1.5 * heavy["normal_error"]
    )
    light = rows.loc[("satisfaction", "complaints")]
    assert light["draws_deviation"] == pytest.approx(light["draws_spread"], rel=0.25)
    assert "a few resamples decide that one" in paths.caption
    lost = of_acsi.covariance.resamples.lost
    assert f"{100 * lost:.0f} % of the resamples have no optimum" in banner(of_acsi)[0]


def test_sound_model_has_no_banner(sound):
    assert sound.judgement.verdict == "sound" and banner(sound) == []
    assert "passes its gate" in sound.answer and "goes with satisfaction most**" in sound.answer
    assert {sound.tables[name].label for name in EVERY} == {""}
    assert "Do not chase these" in sound.tables["modification_indices"].caption
    assert "stops" not in severities(sound).values()


def test_where_all_is_well_resamples_spread_as_errors_say(sound):
    paths = sound.tables["covariance_paths"].frame
    assert len(paths) == 11 and sound.covariance.resamples.lost == 0
    # 100 resamples know a spread to 7 %; 11 paths together to about 3 %
    assert np.median(paths["draws_deviation"] / paths["robust_error"]) == pytest.approx(1, abs=0.1)


def test_simulated_effects_are_found_again(sound):
    """Of each planted effect on satisfaction; the items are cut to the scale, which takes little away."""
    planted = {"perceived_value": 0.25, "perceived_quality": 0.45 + 0.50 * 0.25}
    effects = sound.tables["agreement"].frame.set_index("construct")
    for construct, effect in planted.items():
        row = effects.loc[construct]
        assert row["ml"] == pytest.approx(effect, abs=0.2) and row["ml_low"] < row["ml"] < row["ml_high"]
        assert abs(row["pls"]) < abs(row["ml"])  # attenuated by the items' errors
    assert effects["ml_rank"].idxmin() == effects["pls_rank"].idxmin() == "perceived_quality"


def test_two_methods_that_disagree_are_said_to(small):
    """Good items of what does little, bad ones of what does much: sums of items cannot see the latter."""
    rng = np.random.default_rng(4)
    strong = rng.normal(size=600)
    weak = 0.5 * strong + np.sqrt(0.75) * rng.normal(size=600)
    outcome = 0.55 * strong + 0.3 * weak + 0.5 * rng.normal(size=600)
    causes = {"S": (strong, 1.7, 1.0), "W": (weak, 0.3, 1.0), "O": (outcome, 0.4, 1.0)}
    model = (
        'name = "Two causes"\nsatisfaction = "outcome"\nscale = { lowest = 1, highest = 10 }\n'
        '[constructs.strong]\nitems = ["S1", "S2", "S3"]\nleads_to = ["outcome"]\n'
        '[constructs.weak]\nitems = ["W1", "W2", "W3"]\nleads_to = ["outcome"]\n'
        '[constructs.outcome]\nitems = ["O1", "O2", "O3"]\n'
    )

    def said(spread_of_strong: float) -> str:
        answers = {
            f"{name}{k}": 5.5 + spread * (cause + error * rng.normal(size=600)) / np.hypot(1, error)
            for name, (cause, error, spread) in (causes | {"S": (strong, 1.7, spread_of_strong)}).items()
            for k in (1, 2, 3)
        }
        return small(pd.DataFrame(answers).clip(1, 10).round(2), model).answer

    both = said(1.6)  # a point of it is little
    assert "**weak goes with it most**" in both and "puts **strong** first" in both
    assert "PLS, in the same unit, weak (0.5" in both and "the order rests on the method" in both
    by_points = said(1.0)
    assert "**strong goes with it most**" in by_points and "agrees that **strong goes with" in by_points


# --- groups --------------------------------------------------------------------------------------------


def test_segments_that_answer_alike_are_compared(sound):
    levels = sound.tables["invariance"].frame.set_index("level")
    assert sound.comparability["segment"].found.reached == "strict"
    assert set(levels["holds"]) <= {"yes", "as a whole"}
    assert list(levels.index) == ["configural", "metric", "scalar", "strict"]
    assert "indices can be compared" in sound.tables["invariance"].caption
    assert "By segment" in sound.answer and "is set against another" not in sound.answer
    assert set(sound.tables["differences"].frame["comparable"]) == {"yes"}
    assert "Not to be read as" not in sound.tables["differences"].caption


SHIFTED = ["PERQ1", "PERQ3", "CUSA2", "IMAG2"]


def test_segments_that_answer_otherwise_are_not_compared(simulated_answers, tmp_path):
    """Some items are answered two points lower in one segment, whatever is thought there."""
    planted, there = simulated_answers.copy(), simulated_answers["segment"] == "south"
    planted.loc[there, SHIFTED] = (planted.loc[there, SHIFTED] - 2).clip(lower=1)
    result = analyse(survey=survey_file(tmp_path, planted), model="ccsi", **QUICK)
    assert result.comparability["segment"].found.reached == "metric"
    assert set(result.tables["differences"].frame["comparable"]) == {"no"}
    assert "**No segment is set against another.**" in result.answer and "north, online and south" in result.answer
    assert "By segment" not in result.answer
    assert "equal intercepts are refused" in result.tables["invariance"].caption
    assert "Not to be read as differences in satisfaction between segments" in result.tables["differences"].caption
    assert (result.tables["invariance"].frame["holds"] == "no").tolist()[:3] == [False, False, True]


def test_waves_are_tested_by_themselves(small, simulated_answers):
    """Segments answer alike, the later wave does not: the one is compared, the other is not."""
    waves, segments = np.where(np.arange(900) % 2, "2024", "2025"), np.repeat(["a", "b"], 450)
    planted = simulated_answers.assign(wave=waves, segment=segments)
    planted.loc[waves == "2025", "PERQ2"] = (planted.loc[waves == "2025", "PERQ2"] - 2).clip(lower=1)
    result = small(planted)
    found = result.comparability
    assert (found["segment"].verdict, found["wave"].verdict) == ("alike", "differ")
    assert "**No wave is set against another.**" in result.answer and "No segment" not in result.answer
    comparable = result.tables["differences"].frame.groupby("kind")["comparable"].unique()
    assert list(comparable["segment"]) == ["yes"] and list(comparable["wave"]) == ["no"]
    assert set(result.tables["invariance"].frame["groups"]) == {"segment", "wave"}


def test_segment_in_which_items_measure_less_is_not_compared(small, simulated_answers):
    rng, planted = np.random.default_rng(2), simulated_answers.assign(segment=np.repeat(["a", "b"], 450))
    for item in ("PERQ2", "CUSA3"):
        some = (planted["segment"] == "b") & (rng.random(900) < 0.6)
        planted.loc[some, item] = rng.permutation(planted.loc[some, item])
    result = small(planted)
    found = result.comparability["segment"]
    assert found.found.reached == "configural" and found.verdict == "differ"
    assert "equal loadings are refused" in result.tables["invariance"].caption
    assert "**No segment is set against another.**" in result.answer


# --- surveys gone wrong: words and a stated limitation, and the rest stands -------------------------------


def assert_without_model(result, *reasons: str) -> None:
    """There is no covariance model, the reason is told wherever one looks, and PLS goes on."""
    assert result.judgement.verdict == "inadmissible" and not result.covariance.estimated
    (said,) = banner(result)
    for reason in reasons:
        assert reason in said, said
    assert "Index, importance and paths by PLS do not rest on it." in said
    for name in EVERY:
        assert result.tables[name].frame.columns.tolist() == ["reason"], name
        assert "There is no covariance model" in result.tables[name].caption
    assert result.figures["agreement"].draw is None
    assert set(result.tables["paths"].frame["estimator"]) == {"pls"}
    assert set(result.tables["fit"].frame["estimator"]) == {"pls"}
    assert result.tables["index"].frame.query("weighting == 'sem_loadings'")["index"].isna().all()
    assert "Covariance SEM" not in result.answer


def test_item_asked_twice_leaves_no_model(small):
    assert_without_model(small(mobi().assign(PERQ3=mobi()["PERQ2"])), "PERQ3 follow from those to PERQ2")


def test_item_that_others_make_up_leaves_no_model(small):
    made_up = mobi().assign(PERQ3=lambda frame: (frame["PERQ1"] + frame["PERQ2"]) / 2)
    assert_without_model(small(made_up), "PERQ3 follow from those to PERQ1, PERQ2")


@pytest.mark.parametrize("respondents", [4, 6])
def test_no_more_respondents_than_items_leave_no_model(small, respondents):
    frame = mobi().sample(respondents, random_state=1)
    assert_without_model(small(frame), f"more respondents than items (6), and there are {respondents}")


def test_listwise_may_leave_nobody(small):
    gaps = mobi().astype(float)
    for place, item in enumerate(["PERQ1", "PERQ2", "PERQ3", "CUSA1"]):
        gaps.loc[np.arange(250) % 4 == place, item] = np.nan
    assert_without_model(small(gaps, missing_answers="listwise"), "and there are 0 without a gap")
    completed = small(gaps)
    assert completed.covariance.estimated and completed.covariance.answers.method == "two_stage"
    assert "two-stage ML" in completed.tables["covariance_fit"].caption


def test_items_never_answered_by_the_same_people_leave_no_model(small):
    gaps = mobi().astype(float)
    gaps.loc[HALVES == "a", "PERQ1"], gaps.loc[HALVES == "b", "PERQ2"] = np.nan, np.nan
    assert_without_model(small(gaps), "nobody answered both of these", "PERQ1", "PERQ2")


def test_search_without_an_optimum_is_no_success(small, monkeypatch):
    monkeypatch.setattr(scoring, "MOST_ITERATIONS", 1)
    result = small(mobi(), fitted_by="helpers")
    assert_without_model(result, "must not be used", "The search did not end at an optimum: nothing that it says")
    assert severities(result)["convergence"] == "stops"
    assert severities(result)["standardised_paths"] == "unknown"


def test_more_parameters_than_statistics_are_told():
    """No model file gets there, since constructs that nothing leads to are refused: the model alone."""
    design = Design.of({"satisfaction": ("CUSA1", "CUSA2")}, ())
    values = mobi()[["CUSA1", "CUSA2"]].to_numpy(float)
    found = estimation.estimate(values, np.ones(250), design, ("satisfaction",), ("CUSA1", "CUSA2"), "two_stage")
    assert not found.estimated and found.by_semopy is None
    assert "more parameters (4) than there are variances and covariances of items (3)" in found.why_not


TWO_BY_TWO = SMALL.replace(', "PERQ3"]', "]").replace(', "CUSA3"]', "]")


def test_model_that_the_answers_do_not_determine_is_stopped(small):
    """Two pairs of items that have nothing to do with each other: which item measures more, nobody can say."""
    pairs = np.array([(3, 4), (4, 4), (5, 4), (5, 6), (6, 6), (7, 8), (8, 7), (9, 9), (4, 6), (6, 5), (7, 6), (5, 5)])
    crossed = [(*quality, *satisfied) for quality in pairs for satisfied in pairs]
    result = small(pd.DataFrame(crossed, columns=["PERQ1", "PERQ2", "CUSA1", "CUSA2"]), TWO_BY_TWO)
    assert result.judgement.verdict == "inadmissible"
    assert severities(result)["identification"] == "stops"
    assert any("do not determine all parameters" in said for said in banner(result))


def test_model_that_fits_anything_is_not_said_to_fit(small):
    result = small(mobi(), TWO_BY_TWO.replace(', "CUSA2"]', "]"))
    assert result.covariance.structure.degrees_of_freedom == 0 and "close_fit" not in severities(result)
    assert "its fit cannot be tested" in result.answer and "CFI" not in result.answer


def test_constructs_of_a_single_item_are_taken_as_they_are(small):
    model = SMALL.replace('"PERQ1", "PERQ2", "PERQ3"', '"PERQ1"')
    result = small(mobi(), model)
    assert result.covariance.estimated
    loadings = result.tables["covariance_loadings"].frame.set_index("item")
    assert loadings.loc["PERQ1", "loading"] == pytest.approx(1) and loadings.loc["PERQ1", "residual_variance"] == 0
    assert np.isnan(loadings.loc["PERQ1", "standard_error"])


@pytest.mark.parametrize("spoiled", ["constant", "unanswered", "few"])
def test_segment_that_cannot_be_compared_is_named_with_the_reason(small, spoiled):
    answers = mobi().astype(float).assign(segment=np.where(np.arange(250) < 12, "c", HALVES))
    if spoiled != "few":
        answers["segment"] = HALVES
        answers.loc[HALVES == "b", "PERQ2"] = 7 if spoiled == "constant" else np.nan
    result = small(answers)
    caption = result.tables["invariance"].caption
    reason = {
        "constant": "b (all answered alike: PERQ2)",
        "unanswered": "b (gaps that leave its moments unknown)",
        "few": "c (fewer respondents than 30",
    }[spoiled]
    assert reason in caption
    tested = result.tables["invariance"].frame.get("level") is not None
    assert tested == (spoiled == "few") and ("was not tested" in caption) != tested
    comparable = result.tables["differences"].frame.set_index("second")["comparable"]
    assert comparable["c" if spoiled == "few" else "b"].eq("not known").all()
    differences, untested = result.tables["differences"], "c" if spoiled == "few" else "b"
    shown = differences.view if len(differences.view) else pd.DataFrame({"first": [], "second": []})
    assert untested not in {*shown["first"], *shown["second"]}
    assert "not set against each other" in differences.caption
    assert "not tested: " in result.figures["index_by_segment"].alt
    assert f"({untested}," not in result.answer, "the opening gives no index of a group that was not tested"
    assert result.covariance.estimated


def test_item_that_does_not_vary_is_left_out_of_both_models(small):
    result = small(mobi().assign(PERQ2=7))
    assert "PERQ2" not in result.items and result.covariance.estimated and result.covariance.design.items == 5


def test_weights_count_as_repetition_does(small):
    thrice = np.arange(250) % 3 == 0
    weighted = small(mobi().assign(weight=1.0 + 2 * thrice))
    repeated = small(pd.concat([mobi(), mobi()[thrice], mobi()[thrice]], ignore_index=True))
    ours, theirs = (result.covariance.solution.paths for result in (weighted, repeated))
    assert ours == pytest.approx(theirs, rel=1e-7)
    # but no respondent is three: they are worth fewer than they are (Kish 1965), and errors are larger
    weights = 1.0 + 2 * thrice
    assert weighted.covariance.answers.size == pytest.approx(weights.sum() ** 2 / (weights**2).sum())
    assert weighted.covariance.errors.paths[0, 1] > repeated.covariance.errors.paths[0, 1]


def test_another_unit_of_some_items_changes_nothing_standardised(small):
    plain = small(mobi())
    model = SMALL.replace("lowest = 1, highest = 10", "lowest = 0, highest = 100")
    mixed = mobi()
    mixed[["PERQ2", "CUSA1"]] = (mixed[["PERQ2", "CUSA1"]] - 1) * 11
    mixed = small(mixed, model)
    assert mixed.covariance.solution.paths == pytest.approx(plain.covariance.solution.paths, abs=1e-7)
    assert mixed.covariance.indices.chi_square == pytest.approx(plain.covariance.indices.chi_square, rel=1e-7)


def test_names_that_semopy_cannot_read_are_no_matter(small, simulated_answers):
    items = ["PERQ1", "PERQ2", "PERQ3", "CUSA1", "CUSA2", "CUSA3"]
    names = dict(zip(items, ["overall quality", "q-1", "质量三", "a.b c", "1st", "y0"], strict=True))
    model = SMALL
    for old, new in names.items():
        model = model.replace(f'"{old}"', f'"{new}"')
    by_semopy = small(simulated_answers[items].rename(columns=names), model, fitted_by="semopy")
    by_helpers = small(simulated_answers[items], fitted_by="helpers")
    assert by_semopy.covariance.by_semopy.converged and by_semopy.covariance.short.discrepancy < 1e-8
    assert by_helpers.covariance.by_semopy is None
    assert set(by_semopy.tables["covariance_loadings"].frame["item"]) == set(names.values())
    for name in OF_MODEL:
        ours, theirs = (result.tables[name].frame.select_dtypes(float) for result in (by_semopy, by_helpers))
        pd.testing.assert_frame_equal(ours, theirs, rtol=1e-5, atol=1e-7)


def test_copied_answers_are_no_silent_success(small):
    copied = mobi()
    copied.iloc[:120] = 9
    result = small(copied)
    assert result.judgement.verdict != "sound" and banner(result)
    assert "told apart" in banner(result)[0]


def test_words_change_with_the_answers(of_mobi, of_acsi, sound):
    verdicts = {result.judgement.verdict for result in (of_mobi, of_acsi, sound)}
    answers = {result.answer.rsplit("\n\n", 1)[1] for result in (of_mobi, of_acsi, sound)}
    assert verdicts == {"inadmissible", "caution", "sound"} and len(answers) == 3
