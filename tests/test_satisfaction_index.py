"""The satisfaction index as a whole: published figures, planted truth, words that follow, and surveys gone wrong."""

import json
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from helpers.analyses.satisfaction_index import Settings, analyse
from helpers.data.refusal import InputRefused
from helpers.reporting.parameters import read_parameters
from helpers.reporting.plan import planned
from helpers.reporting.runner import run_report
from helpers.reporting.workspace import Workspace
from helpers.synthetic.satisfaction_survey import satisfaction_survey
from tests.mobi import ITEMS
from tests.mobi import mobi as answers_of_mobi
from tests.published import mobi as published
from tests.test_notebooks import ROOT

# design.md, section 4: names that other programs rely on.
TABLES = {
    "index": "construct segment n index low high weighting",
    "paths": "estimator source target estimate standardised standard_error low high p_value",
    "fit": "estimator measure value",
    "reliability": "construct alpha composite ave",
    "admissibility": "check holds value meaning",
    "importance_performance": "target construct importance importance_low importance_high performance",
}
QUICK = {"bootstrap_resamples": 100, "fitted_by": "helpers"}


@pytest.fixture(scope="module")
def of_mobi():
    return analyse(survey="mobi")


@pytest.fixture(scope="module")
def simulated():
    return analyse(survey="synthetic", model="ccsi", missing_codes=[99], straight_lining="exclude")


@pytest.fixture(scope="module")
def truth():
    return satisfaction_survey()[1].set_index(["name", "segment", "wave"])["value"]


def mobi() -> pd.DataFrame:
    return pd.DataFrame(answers_of_mobi(), columns=list(ITEMS)).astype(int)


def survey_file(folder, frame: pd.DataFrame, name: str = "survey.csv") -> str:
    """Write a survey of the user's own; respondents are numbered unless they have ids."""
    frame = frame if "respondent_id" in frame else frame.assign(respondent_id=np.arange(1, len(frame) + 1))
    frame.to_csv(folder / name, index=False)
    return str(folder / name)


def no_nan(result) -> bool:
    """Whether every headline has its number, and every index its interval."""
    numbers = [headline.value for headline in result.headlines]
    numbers += [end for entry in result.headlines if entry.name != "respondents" for end in (entry.low, entry.high)]
    return bool(np.isfinite(numbers).all())


# --- published figures ---------------------------------------------------------------------------------


def test_mobi_gives_the_reference_index_of_every_construct(of_mobi):
    headlines = {headline.name: headline for headline in of_mobi.headlines}
    index = of_mobi.tables["index"].frame
    for construct, (equal, pls) in published.INDEX.items():
        rows = index[index["construct"] == construct].set_index("weighting")["index"]
        assert rows["equal"] == pytest.approx(equal, abs=5e-4)
        assert rows["pls"] == pytest.approx(pls, abs=5e-4)
        assert headlines[f"index_{construct}"].value == rows["pls"]


def test_mobi_satisfaction_has_the_reference_interval(of_mobi):
    row = of_mobi.tables["index"].frame.query("construct == 'satisfaction' and weighting == 'pls'").iloc[0]
    for kind in ("percentile", "bca"):
        assert row[f"{kind}_low"] == pytest.approx(70.5, abs=0.35)
        assert row[f"{kind}_high"] == pytest.approx(74.3, abs=0.35)


def test_mobi_gives_the_reference_importance(of_mobi):
    table = of_mobi.tables["importance_performance"].frame.set_index(["target", "construct"])
    for target, values in published.IMPORTANCE.items():
        for construct, importance in values.items():
            row = table.loc[(target, construct)]
            assert row["importance"] == pytest.approx(importance, abs=5e-5)
            assert row["importance_low"] < importance < row["importance_high"]


def test_mobi_gives_the_reference_fit(of_mobi):
    fit = of_mobi.tables["fit"].frame.set_index("measure")["value"]
    assert fit["goodness_of_fit"] == pytest.approx(0.4718, abs=5e-5)  # reference: three programs
    for construct, value in published.R_SQUARED.items():
        assert fit[f"r_squared_{construct}"] == pytest.approx(value, abs=5e-5)


def test_mobi_ratings_are_those_of_the_reference(of_mobi):
    ratings = of_mobi.tables["ratings"].frame.set_index(["item", "measure"])["value"]
    assert ratings[("CUSA1", "top_2_box")] == pytest.approx(26.80)
    assert ratings[("CUSA1", "top_3_box")] == pytest.approx(70.40)
    assert ratings[("CUSL3", "net_promoter_score")] == pytest.approx(14.0)
    assert of_mobi.tables["gaps"].frame["gap"].iloc[0] == pytest.approx(0.364)


def test_mobi_drivers_are_those_of_the_reference(of_mobi):
    drivers = of_mobi.tables["drivers"].frame.set_index("item")
    assert drivers["measure"].iloc[-1] == "r_squared" and drivers["share"].iloc[-1] == pytest.approx(0.39687, abs=5e-6)
    assert drivers["share"].iloc[:-1].is_monotonic_decreasing
    named = drivers.loc[["PERQ2", "PERQ3", "PERQ4", "PERQ5", "PERQ6", "PERQ7", "PERV1", "PERV2"], "share_of_explained"]
    assert named.tolist() == pytest.approx([0.1524, 0.1181, 0.2085, 0.0905, 0.1222, 0.1606, 0.0487, 0.0991], abs=5e-5)
    contrast = of_mobi.tables["penalty_reward"].frame.set_index("item")
    assert contrast.loc["PERQ7", "penalty"] == pytest.approx(-0.478, abs=5e-4)
    assert contrast.loc["PERQ2", "reward"] == pytest.approx(0.549, abs=5e-4)


def test_tables_have_the_columns_that_others_rely_on(of_mobi):
    for name, columns in TABLES.items():
        assert set(columns.split()) <= set(of_mobi.tables[name].frame.columns), name
    index = of_mobi.tables["index"].frame
    assert set(index["weighting"]) == {"pls", "equal", "sem_loadings"} and set(index["segment"]) == {"all"}


def test_mobi_is_warned_of_what_cannot_be_told_apart(of_mobi):
    warning = next(sentence for sentence in of_mobi.warnings if "tell these apart" in sentence)
    assert "Perceived quality \N{EN DASH} Satisfaction 0.95" in warning
    assert "Perceived value" not in warning
    assert of_mobi.label == ""


# --- planted truth -------------------------------------------------------------------------------------


def test_simulated_index_covers_the_truth(simulated, truth):
    index = simulated.tables["groups"].frame.query("weighting == 'equal'")
    assert len(index) == 42  # 6 constructs: everyone, 3 segments, 3 waves
    inside = 0
    for row in index.to_dict("records"):
        true = truth[(f"index_{row['construct']}", row["segment"], row["wave"])]
        assert abs(row["index"] - true) < row["high"] - row["low"], row
        inside += row["low"] <= true <= row["high"]
    # groups share respondents and constructs share causes: of 42 dependent intervals most must cover
    assert inside >= 35


def test_simulated_differences_find_what_was_planted(simulated, truth):
    found = simulated.tables["differences"].frame.query("construct == 'satisfaction'")
    assert len(found) == 6  # three pairs of segments; two steps between waves, and the last wave against the first
    for row in found.itertuples():
        place = {"segment": lambda name: (name, "all"), "wave": lambda name: ("all", name)}[row.kind]
        true = truth[("index_satisfaction", *place(row.second))] - truth[("index_satisfaction", *place(row.first))]
        assert row.difference == pytest.approx(true, abs=row.high - row.low)
        # all that is planted here lies well beyond its interval
        assert (row.p_holm < 0.05) == (row.low * row.high > 0)


def test_simulated_knee_is_found_where_it_was_planted(simulated, truth):
    curve = simulated.tables["loyalty_slopes"].frame.set_index("measure")
    assert curve["verdict"].iloc[0] == "knee_up"
    assert curve.loc["slope_change", "low"] > 0
    planted = truth[("delight_from_index", "all", "all")]
    assert curve.loc["knee", "low"] - 5 < planted < curve.loc["knee", "high"] + 5


def test_planted_penalty_and_reward_are_told_apart(simulated):
    kinds = simulated.tables["penalty_reward"].frame.set_index("item")["kind"]
    assert kinds["PERQ7"] == "basic" and kinds["PERQ2"] == "attractive"


def test_simulated_is_said_to_be_simulated(simulated):
    assert simulated.label == "Simulated data"


def test_declared_codes_are_never_averaged(simulated, truth):
    items = simulated.tables["items"].frame
    assert items["declared_missing"].sum() > 100
    assert simulated.survey.answers.max().max() == 10


# --- words follow from the numbers ---------------------------------------------------------------------


def test_answers_differ_where_the_data_do(of_mobi, simulated):
    assert "stands at 72.5 of 100" in of_mobi.answer and "straight line" in of_mobi.answer
    assert "63.4 by equal weights" in of_mobi.answer  # CUSL2 makes the weighting of loyalty matter
    assert "By segment" not in of_mobi.answer
    assert "Loyalty rises faster above" in simulated.answer
    for part in ("runs from", "online", "From 2024-2 to 2025-1", "What moved most from 2024-1 to 2025-1"):
        assert part in simulated.answer


def test_every_table_and_figure_can_be_shown(of_mobi, simulated):
    for result in (of_mobi, simulated):
        assert all(table._repr_html_() for table in result.tables.values())
        assert all(figure.alt and not re.search(r"\bnan\b", figure.alt) for figure in result.figures.values())


def test_notebook_passes_every_setting_under_its_own_name():
    parameters = read_parameters(ROOT / "notebooks" / "02_satisfaction_index.ipynb")
    assert {name: parameter.default for name, parameter in parameters.items()} == vars(Settings())


# --- invariances ---------------------------------------------------------------------------------------


def test_where_everybody_answers_alike_there_is_nothing_to_estimate(tmp_path):
    answers = mobi()
    answers[:] = 10
    with pytest.raises(InputRefused, match="answers that differ"):
        analyse(survey=survey_file(tmp_path, answers), **QUICK)


def test_nearly_all_lowest_and_highest_answers_give_nearly_0_and_100(tmp_path):
    rng = np.random.default_rng(1)
    for answer, index in ((1, 0), (10, 100)):
        answers = mobi()
        answers[:] = answer
        answers.iloc[:12] = rng.integers(2, 10, (12, answers.shape[1]))
        result = analyse(survey=survey_file(tmp_path, answers), **QUICK)
        step = 12 / len(answers) * 100
        assert all(abs(row - index) <= step for row in result.tables["index"].frame["index"].dropna())


def test_another_scale_of_the_answers_changes_no_index(tmp_path, of_mobi):
    doubled = analyse(survey=survey_file(tmp_path, mobi() * 2), scale_min=2, scale_max=20, **QUICK)
    for ours, theirs in zip(doubled.headlines, of_mobi.headlines, strict=True):
        assert ours.value == pytest.approx(theirs.value, rel=1e-9)


def test_order_of_respondents_changes_no_estimate(tmp_path, of_mobi):
    shuffled = analyse(survey=survey_file(tmp_path, mobi().sample(frac=1, random_state=3)), **QUICK)
    for ours, theirs in zip(shuffled.headlines, of_mobi.headlines, strict=True):
        assert ours.value == pytest.approx(theirs.value, rel=1e-9)


def test_weights_count_as_repetition_does(tmp_path):
    twice = np.arange(250) % 3 == 0
    weighted = analyse(survey=survey_file(tmp_path, mobi().assign(weight=1.0 + twice)), **QUICK)
    repeated = pd.concat([mobi(), mobi()[twice]], ignore_index=True)
    repeated = analyse(survey=survey_file(tmp_path, repeated), **QUICK)
    assert weighted.index().value == pytest.approx(float(repeated.index().value), rel=1e-9)
    assert weighted["paths"].value == pytest.approx(repeated["paths"].value, rel=1e-7, nan_ok=True)


def test_reversed_item_named_in_the_model_file_changes_nothing(tmp_path, of_mobi):
    text = (ROOT / "src/helpers/data/satisfaction_model_files/ecsi.toml").read_text(encoding="utf-8")
    (tmp_path / "m.toml").write_text(
        text.replace("\n[constructs.image]", '\nreversed_items = ["CUSA2"]\n[constructs.image]', 1)
    )
    turned = mobi().assign(CUSA2=lambda frame: 11 - frame["CUSA2"])
    result = analyse(survey=survey_file(tmp_path, turned), model=str(tmp_path / "m.toml"), **QUICK)
    assert result.index().value == pytest.approx(float(of_mobi.index().value), rel=1e-9)


# --- surveys gone wrong --------------------------------------------------------------------------------


def test_negative_weight_is_refused_with_the_reason(tmp_path):
    turned = mobi().assign(CUSA2=lambda frame: 11 - frame["CUSA2"])
    result = analyse(survey=survey_file(tmp_path, turned), **QUICK)
    warning = next(sentence for sentence in result.warnings if "negative weight" in sentence)
    assert max(result["points"].value[:, result.satisfaction]) < 1
    assert "CUSA2" in warning and "reversed_items" in warning
    rows = result.tables["index"].frame.query("construct == 'satisfaction'").set_index("weighting")["index"]
    assert np.isnan(rows["pls"])
    headline = result.headlines[0]
    assert headline.value == rows["equal"] and "equal weights" in headline.text
    assert no_nan(result)


def test_constant_item_is_left_out_in_words(tmp_path):
    result = analyse(survey=survey_file(tmp_path, mobi().assign(PERQ3=7)), **QUICK)
    assert any("PERQ3" in sentence and "same answer" in sentence for sentence in result.warnings)
    assert "PERQ3" not in result.items and no_nan(result) and result.estimated


def test_item_that_nobody_answered_is_left_out_in_words(tmp_path):
    answers = mobi().astype(object).assign(PERQ3=None)
    result = analyse(survey=survey_file(tmp_path, answers), **QUICK)
    assert any("PERQ3" in sentence and "nobody answered" in sentence for sentence in result.warnings)
    assert no_nan(result)


def test_construct_without_usable_item_is_refused(tmp_path):
    with pytest.raises(InputRefused, match=r"construct 'perceived_value'.*PERV1, PERV2"):
        analyse(survey=survey_file(tmp_path, mobi().assign(PERV1=7, PERV2=3)), **QUICK)


def test_identical_items_are_named(tmp_path):
    result = analyse(survey=survey_file(tmp_path, mobi().assign(PERQ4=lambda frame: frame["PERQ3"])), **QUICK)
    assert any("PERQ3 and PERQ4" in sentence for sentence in result.warnings)
    assert no_nan(result)


def test_constructs_that_repeat_each_other_are_no_silent_success(tmp_path):
    copied = mobi().assign(**{f"CUEX{k}": mobi()[f"PERQ{k}"] for k in (1, 2, 3)})
    text = (ROOT / "src/helpers/data/satisfaction_model_files/ecsi.toml").read_text(encoding="utf-8")
    text = text.replace('"PERQ1", "PERQ2", "PERQ3", "PERQ4", "PERQ5", "PERQ6", "PERQ7"]', '"PERQ1", "PERQ2", "PERQ3"]')
    text = re.sub(r"(?m)^(PERQ[4-7] =|drivers =).*\n", "", text)
    (tmp_path / "m.toml").write_text(text, encoding="utf-8")
    result = analyse(survey=survey_file(tmp_path, copied), model=str(tmp_path / "m.toml"), **QUICK)
    assert any("could not be estimated" in sentence or "apart" in sentence for sentence in result.warnings)
    assert no_nan(result)


@pytest.mark.parametrize("respondents", [3, 10, 23])
def test_few_respondents_are_a_stated_limitation(tmp_path, respondents):
    result = analyse(survey=survey_file(tmp_path, mobi().head(respondents)), **QUICK)
    assert any("respondents count" in sentence or "could not be estimated" in sentence for sentence in result.warnings)
    assert no_nan(result)
    assert all(table._repr_html_() for table in result.tables.values()) and result.figures and result.answer


def test_one_respondent_is_refused(tmp_path):
    with pytest.raises(InputRefused, match="answers that differ"):
        analyse(survey=survey_file(tmp_path, mobi().head(1)), **QUICK)


def test_small_segments_are_put_together_so_that_nobody_can_be_computed(tmp_path):
    segments = np.repeat(["big", "large", "eight", "two", "one"], [139, 100, 8, 2, 1])
    result = analyse(survey=survey_file(tmp_path, mobi().assign(segment=segments)), **QUICK)
    sizes = dict(zip(result.groups.names, result.groups.sizes, strict=True))
    # two and one together are too few, and what they hold follows from the total: the eight are put with them
    assert sizes == {"all": 250, "big": 139, "large": 100, "other segments": 11}
    shown = "".join(table.frame.to_csv() + table._repr_html_() for table in result.tables.values()) + result.answer
    assert not any(name in shown for name in (">two<", ",two,", ">one<", ",one,"))
    assert any("Put together as other segments" in note and "eight" in note for note in result.notes)


def test_few_respondents_without_a_segment_cannot_be_computed(tmp_path):
    segments = np.repeat(["a", "b", None], [150, 99, 1])
    result = analyse(survey=survey_file(tmp_path, mobi().assign(segment=segments)), **QUICK)
    assert dict(zip(result.groups.names, result.groups.sizes, strict=True)) == {
        "all": 250,
        "a": 150,
        "other segments": 100,
    }


def test_waves_that_tell_of_few_beside_the_segments_are_not_shown(tmp_path):
    segments, waves = np.repeat(["a", "b"], [147, 103]), np.repeat(["1", "2"], [150, 100])
    result = analyse(survey=survey_file(tmp_path, mobi().assign(segment=segments, wave=waves)), **QUICK)
    assert result.groups.of_kind("segment") and not result.groups.of_kind("wave")
    assert any("No wave is shown" in note for note in result.notes)


def test_names_of_people_are_no_segments(tmp_path):
    names = [f"guest {number}" for number in range(40)]
    with pytest.raises(InputRefused, match=r"of the 40 segments .* 40 have fewer than 5"):
        analyse(survey=survey_file(tmp_path, mobi().head(40).assign(segment=names)), **QUICK)


def test_six_waves_far_apart_are_told_from_chance(tmp_path):
    """Six waves that answer the questions alike; only the last is less satisfied."""
    unspoilt = dict.fromkeys(("delight", "penalty", "reward", "straight_lining", "dont_know", "blank"), 0)
    answers, _ = satisfaction_survey(
        1200,
        seed=3,
        segments={},
        waves=[str(wave) for wave in range(6)],
        wave_shifts={"5": {"satisfaction": -1.2}},
        mostly_missing=0,
        duplicates=0,
        **unspoilt,
    )
    result = analyse(survey=survey_file(tmp_path, answers.drop(columns="CUSCO")), model="ccsi", **QUICK)
    assert re.search(r"From 4 to 5 .* satisfaction fell by \d\d\.\d points", result.answer)
    assert "chance explains" not in result.answer
    about = result.tables["differences"].frame.query("construct == 'satisfaction'").set_index(["first", "second"])
    last = about.index.get_level_values("second") == "5"
    assert last.sum() == 2 and (about.loc[last, "p_holm"] < 0.001).all() and (about.loc[~last, "p_holm"] > 0.05).all()


def test_what_lowers_satisfaction_is_said_to_lower_it(tmp_path):
    rng = np.random.default_rng(5)
    burden, quality = rng.normal(size=(2, 300))
    satisfaction = 0.3 * quality - 0.8 * burden + 0.5 * rng.normal(size=300)
    causes = {"B": burden, "Q": quality, "S": satisfaction}
    answers = {f"{name}{k}": np.clip(np.rint(5.5 + 1.5 * (cause + 0.4 * rng.normal(size=300))), 1, 10)
               for name, cause in causes.items() for k in (1, 2)}  # fmt: skip
    (tmp_path / "m.toml").write_text(
        'name = "burden"\nscale = { lowest = 1, highest = 10 }\n[constructs.burden]\nitems = ["B1", "B2"]\n'
        'lowers = ["satisfaction"]\n[constructs.quality]\nitems = ["Q1", "Q2"]\nleads_to = ["satisfaction"]\n'
        '[constructs.satisfaction]\nitems = ["S1", "S2"]\n',
        encoding="utf-8",
    )
    result = analyse(survey=survey_file(tmp_path, pd.DataFrame(answers)), model=str(tmp_path / "m.toml"), **QUICK)
    assert "**burden goes with it most**" in result.answer and "points less" in result.answer
    assert result.tables["paths"].frame.set_index("source")["verdict"].eq("supported").all()
    assert result.tables["importance_performance"].frame["quadrant"].isna().all()  # two causes: means say nothing
    assert "less burden" in result.figures["importance_satisfaction"].alt


def test_equal_weights_are_those_of_importance_too(of_mobi):
    equal = analyse(survey="mobi", weighting="equal", **QUICK)
    ours, theirs = (result.tables["importance_performance"].frame["importance"] for result in (equal, of_mobi))
    assert not np.allclose(ours, theirs)
    # the regression of equal-weight scores on each other, by least squares
    names = list(equal.constructs)
    scores = dict(zip(names, equal.scores.T, strict=True))
    direct = np.zeros((len(names), len(names)))
    for target in equal.design.targets:
        sources = equal.design.sources(target)
        columns = np.column_stack([np.ones(250), *(scores[names[source]] for source in sources)])
        direct[sources, target] = np.linalg.lstsq(columns, scores[names[target]], rcond=None)[0][1:]
    total = np.linalg.inv(np.eye(len(names)) - direct) - np.eye(len(names))
    assert equal["points"].value == pytest.approx(total, abs=1e-9)


def test_nearly_constant_items_take_no_interval_away(tmp_path):
    answers = mobi().assign(PERQ3=7, PERQ4=8)
    answers.loc[0, ["PERQ3", "PERQ4"]] = 3
    result = analyse(survey=survey_file(tmp_path, answers), **QUICK)
    assert any("PERQ3" in sentence and "all but 1" in sentence for sentence in result.warnings)
    assert no_nan(result)


def test_one_low_answer_makes_no_penalty(tmp_path):
    answers = mobi().assign(PERQ2=lambda frame: frame["PERQ2"].clip(lower=7))
    answers.loc[3, "PERQ2"] = 1
    row = analyse(survey=survey_file(tmp_path, answers), **QUICK).tables["penalty_reward"].frame.set_index("item")
    assert np.isnan(row.loc["PERQ2", "penalty"]) and row.loc["PERQ2", "kind"] == "cannot_tell"


def test_each_end_of_the_scale_can_be_given_alone(tmp_path):
    wide = analyse(survey=survey_file(tmp_path, mobi()), scale_max=20, **QUICK)
    assert (wide.survey.lowest, wide.survey.highest) == (1, 20)
    assert "scale 1 to 20" in wide.answer


def test_segment_of_eight_has_a_word(tmp_path):
    segments = np.repeat(["big", "large", "eight"], [142, 100, 8])
    result = analyse(survey=survey_file(tmp_path, mobi().assign(segment=segments)), **QUICK)
    assert any("eight (8)" in sentence for sentence in result.warnings)


def test_far_too_many_segments_are_refused(tmp_path):
    with pytest.raises(InputRefused, match=r"62 segments"):
        analyse(
            survey=survey_file(tmp_path, mobi().assign(segment=[f"s{k // 4}" for k in range(248)] + ["s0"] * 2)),
            **QUICK,
        )


def test_wrong_settings_are_named_at_once():
    with pytest.raises(InputRefused, match=r"scheme must be one of(.|\n)*most_missing"):
        analyse(scheme="ward", most_missing=2.0)
    with pytest.raises(InputRefused, match="Did you mean bootstrap_resamples"):
        analyse(bootstrap_resample=10)


def test_undeclared_code_is_refused_with_the_way_out(tmp_path):
    answers = mobi().assign(CUSA1=lambda frame: frame["CUSA1"].where(frame.index != 7, 99))
    with pytest.raises(InputRefused, match=r"column 'CUSA1': 1 row is outside.*row 9.*99(.|\n)*missing_codes"):
        analyse(survey=survey_file(tmp_path, answers), **QUICK)


CHINESE = """name = "满意度"
scale = { lowest = 1, highest = 10 }
satisfaction = "顾客满意"
loyalty = "顾客忠诚"
[constructs."感知质量"]
items = ["质量一", "质量二", "质量三"]
leads_to = ["顾客满意"]
[constructs."顾客满意"]
items = ["满意一", "满意二"]
leads_to = ["顾客忠诚"]
[constructs."顾客忠诚"]
items = ["忠诚"]
"""


def test_chinese_model_and_items_work_throughout(tmp_path):
    names = {
        "PERQ1": "质量一",
        "PERQ2": "质量二",
        "PERQ3": "质量三",
        "CUSA1": "满意一",
        "CUSA2": "满意二",
        "CUSL3": "忠诚",
    }
    (tmp_path / "m.toml").write_text(CHINESE, encoding="utf-8")
    file = survey_file(tmp_path, mobi().rename(columns=names)[list(names.values())])
    result = analyse(survey=file, model=str(tmp_path / "m.toml"), **QUICK)
    assert result.headlines[0].name == "index_顾客满意" and no_nan(result)
    assert "感知质量 goes with it most" in result.answer
    drawn = result.figures["path_diagram"]
    assert set(drawn.english) >= {"感知质量", "顾客满意", "顾客忠诚"}


# --- whole runs ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """Two whole runs of the notebook: mobi by a plain model, and a simulated survey with hostile names."""
    folder = tmp_path_factory.mktemp("reports")
    survey = satisfaction_survey(400, seed=3)[0].replace({"segment": {"south": "<script>alert(1)</script>"}})
    survey["respondent_id"] = "secret-" + survey["respondent_id"]
    survey.to_csv(folder / "own.csv", index=False)
    workspace = Workspace.find(ROOT).publishing_to(folder / "out")
    notebook = workspace.notebooks()["satisfaction_index"]
    plans = {
        "own": {"survey": str(folder / "own.csv"), "model": "sparse", "missing_codes": [99]},
        "simulated": {"survey": "synthetic", "model": "ccsi", "missing_codes": [99]},
    }
    runs = {name: run_report(planned(name, notebook, values | QUICK), workspace) for name, values in plans.items()}
    assert all(run.outcome == "success" for run in runs.values()), [run.message for run in runs.values()]
    return runs


@pytest.mark.slow
def test_reports_say_what_they_found(reports):
    for run in reports.values():
        page = run.page.read_text(encoding="utf-8")
        results = json.loads((run.page.parent / "results.json").read_text(encoding="utf-8"))
        assert f"stands at {results['index_satisfaction']['value']:.1f} of 100" in page
        run_id = json.loads((run.page.parent / "manifest.json").read_text(encoding="utf-8"))["run_id"]
        folder = run.page.parent.parent / run_id / "tables"
        tables = {path.stem: pd.read_csv(path) for path in folder.glob("*.csv")}
        stopped = (tables["gate"]["severity"] == "stops").any()
        assert ("The covariance model (SEM) of" in page and "must not be used" in page) == stopped
        assert ("Covariance SEM, the second opinion" in page) != stopped
        by_likelihood = tables["paths"].query("estimator == 'ml'")
        assert len(by_likelihood) and (by_likelihood["verdict"] == "not to be used").all() == stopped
        for kind, alike in tables["differences"].groupby("kind")["comparable"].unique().items():
            assert (f"No {kind} is set against another" in page) == ("no" in alike)


@pytest.mark.slow
def test_simulated_report_says_so_in_title_and_figures(reports):
    page = reports["simulated"].page.read_text(encoding="utf-8")
    assert "(Simulated data)" in re.search(r"<title>(.*?)</title>", page)[1]
    assert "(Simulated data)" in re.search(r"<h1.*?>(.*?)</h1>", page)[1]
    alts = re.findall(r'<img [^>]*alt="([^"]*)"', page)
    assert len(alts) >= 10 and all(alt.startswith("Simulated data") for alt in alts)
    assert "Simulated data" not in reports["own"].page.read_text(encoding="utf-8")


@pytest.mark.slow
def test_report_names_no_respondent_and_runs_no_script(reports):
    run = reports["own"]
    record = json.loads((run.page.parent / "manifest.json").read_text(encoding="utf-8"))
    folder = run.page.parent.parent / record["run_id"]
    texts = [
        path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.suffix in {".html", ".ipynb", ".csv"}
    ]
    assert len(texts) > 20 and not any("secret-" in text for text in texts)
    assert not any("<script>alert" in text for text in [run.page.read_text(encoding="utf-8")])
    scores = run.page.parents[2] / "data" / "processed" / "own" / "satisfaction_scores.parquet"
    assert pd.read_parquet(scores)["respondent_id"].str.startswith("secret-").all()


@pytest.mark.slow
def test_refused_survey_fails_in_one_line_with_the_way_out(tmp_path):
    answers = mobi().astype(object)
    answers.loc[3, "CUSA1"] = "good"
    survey_file(tmp_path, answers.rename(columns={"PERQ4": "PERK4"}), "s.csv")
    command = [sys.executable, "-c", "from helpers.reporting.commands import main; main()", "run", "satisfaction_index"]
    command += ["--workspace", str(ROOT), "--set", "survey=s.csv", "--out", "out"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1
    line = next(line for line in done.stdout.splitlines() if line.startswith("satisfaction_index: failed_contract:"))
    for part in ("s.csv", "column 'PERQ4'", "PERK4", "column 'CUSA1'", "row 5", "good"):
        assert part in line, part
    assert "Traceback" not in done.stdout + done.stderr
    assert not (tmp_path / "out" / "satisfaction_index" / "latest").exists()
