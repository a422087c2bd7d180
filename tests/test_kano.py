"""The Kano analysis as a whole: published counts, planted truth, words that follow, and input gone wrong."""

import json

import numpy as np
import pandas as pd
import pytest

from helpers.analyses.kano import Settings, analyse
from helpers.data.refusal import InputRefused
from helpers.models.kano.evaluation import CLASSES
from helpers.reporting.parameters import read_parameters
from helpers.reporting.plan import planned
from helpers.reporting.runner import run_report
from helpers.reporting.workspace import Workspace
from helpers.synthetic.kano_survey import kano_survey
from tests.test_notebooks import ROOT

# design.md, section 4: names that other programs rely on.
REQUIREMENTS = """requirement segment n A O M I R Q class_mode class_priority class_blauth verdict better better_low
better_high worse worse_low worse_high total_strength category_strength fong_significant binomial_p bootstrap_share"""
CONTINUOUS = "requirement functional dysfunctional functional_se dysfunctional_se"
QUICK = {"bootstrap_resamples": 200}


@pytest.fixture(scope="module")
def reppl():
    return analyse(counts="reppl")


@pytest.fixture(scope="module")
def simulated():
    return analyse(survey="synthetic")


def of_everyone(result) -> pd.DataFrame:
    frame = result.tables["requirements"].frame
    return frame[(frame["segment"] == "all") & (frame["wave"] == "all")].set_index("requirement")


def answers_file(folder, frame: pd.DataFrame) -> str:
    frame.to_csv(folder / "answers.csv", index=False)
    return str(folder / "answers.csv")


def test_tables_have_the_columns_that_others_rely_on(simulated):
    assert set(REQUIREMENTS.split()) <= set(simulated.tables["requirements"].frame.columns)
    assert set(CONTINUOUS.split()) <= set(simulated.tables["continuous"].frame.columns)
    assert {"requirements", "respondents", "unclear_requirements"} <= {entry.name for entry in simulated.headlines}


def test_reppl_gives_the_published_coefficients_and_classes(reppl):
    # REPPL README: Better and Worse by the revised table, class by the author's rule (O+A+M) against (I+R+Q)
    published = {
        "Anonymous transfers": (0.3942652, -0.1003584, "I"),
        "Convenient transfers": (0.5840979, -0.5504587, "O"),
        "Reliable transfers": (0.6097561, -0.5731707, "O"),
        "Responsive transfers": (0.6820988, -0.3117284, "A"),
        "Secure transfers": (0.5925926, -0.8148148, "O"),
        "Transparent transfers": (0.5650794, -0.3873016, "O"),
    }
    found = of_everyone(reppl)
    for requirement, (better, worse, letter) in published.items():
        row = found.loc[requirement]
        assert row["better"] == pytest.approx(better, abs=5e-8)
        assert row["worse"] == pytest.approx(worse, abs=5e-8)
        assert row["class_blauth"] == letter
    assert found.loc["Transparent transfers", "class_mode"] == "I"
    assert "Transparent transfers" in next(sentence for sentence in reppl.warnings if "disagree" in sentence)
    assert "Not clear: Transparent transfers (I 105, O 90" in reppl.answer
    assert "counted by the revised table" in reppl.answer


def test_brand_rese_gives_the_published_coefficients():
    # Brand & Rese 2026, table 1
    published = {"App-based bonus program": (0.486, -0.123), "Smart mirror": (0.491, -0.085)}
    published |= {"Free in-store WiFi": (0.459, -0.208)}
    result = analyse(counts="brand_rese", **QUICK)
    found = of_everyone(result)
    for requirement, numbers in published.items():
        assert found.loc[requirement, ["better", "worse"]].tolist() == pytest.approx(numbers, abs=5e-4)
    assert found.loc["Free in-store WiFi", ["class_mode", "class_blauth"]].tolist() == ["I", "A"]
    assert "By (O+A+M) against (I+R+Q), though, Free in-store WiFi is A." in result.answer


def test_planted_classes_are_recovered(simulated):
    truth = kano_survey()[1]
    everyone = truth[(truth["segment"] == "all") & (truth["wave"] == "all")].set_index(["name", "requirement"])["value"]
    found = of_everyone(simulated)
    for requirement, row in found.iterrows():
        shares = {letter: everyone[(f"share_{letter}", requirement)] for letter in CLASSES}
        most, second = sorted(shares.values())[-1], sorted(shares.values())[-2]
        if row["verdict"] != "not clear":
            assert row["verdict"] == max(shares, key=shares.get), requirement
            assert most > second
        assert row["better_low"] - 0.05 < everyone[("better", requirement)] < row["better_high"] + 0.05
    assert found["verdict"].nunique() >= 5 and (found["verdict"] == "not clear").any()


def test_planted_segment_and_waves_are_told(simulated):
    surely = simulated.tables["differences"].frame.query("p_holm < 0.05")
    assert set(surely["requirement"]) == {"personal adviser", "parcel tracking"}
    assert "parcel tracking" in simulated.answer
    assert simulated.label == "Simulated data"


def test_order_of_rows_changes_nothing(tmp_path):
    survey = kano_survey(120, seed=2)[0]
    first = analyse(survey=answers_file(tmp_path, survey), **QUICK)
    second = analyse(survey=answers_file(tmp_path, survey.sample(frac=1, random_state=1)), **QUICK)
    columns = ["class_mode", "better", "bootstrap_share", "binomial_p"]
    ours, theirs = (of_everyone(result)[columns].sort_index() for result in (first, second))
    pd.testing.assert_frame_equal(ours, theirs)


def test_budget_pays_must_be_first(simulated):
    costs = dict.fromkeys(simulated.requirements, 10.0)
    result = analyse(survey="synthetic", costs=costs, budget=20.0, **QUICK)
    chosen = result.tables["priorities"].frame.query("chosen")["requirement"].tolist()
    assert len(chosen) == 2 and "secure payment" in chosen
    assert "Under the budget of 20" in result.answer


def test_prior_classes_are_tested():
    priors = {"Secure transfers": "M", "Responsive transfers": "A", "Transparent transfers": "O"}
    verdicts = analyse(counts="reppl", prior_classes=priors, **QUICK).tables["priors"].frame["verdict"].tolist()
    assert verdicts == ["denied", "confirmed", "cannot be told"]


def test_published_counts_are_illustrated_by_answers_that_say_so(reppl):
    # counts have no segments, waves, scores or importance: these are of a simulated survey, each by itself
    for name in ("continuous", "importance", "differences", "latent_classes"):
        table = reppl.tables[name]
        assert table.label == "Simulated data" and table.frame["simulated"].all()
        assert "surprise gift" in set(table.frame["requirement"])
    assert {name for name, figure in reppl.figures.items() if figure.label} == {
        *("continuous", "analytical", "importance", "answer_pairs", "segments", "waves", "latent_classes")
    }
    assert reppl.label == "" and not reppl.tables["requirements"].label
    assert "parcel tracking" not in reppl.answer and "Simulated data" in reppl.answer


def test_own_counts_replace_everything_built_in(tmp_path):
    path = tmp_path / "counts.csv"
    path.write_text("requirement,A,O,M,I,R,Q\nspeed,10,20,60,15,1,0\nwifi,40,9,3,50,2,1\n", encoding="utf-8")
    result = analyse(counts=str(path), **QUICK)
    assert not any(exhibit.label for exhibit in [*result.tables.values(), *result.figures.values()])
    assert "need" in result.tables["continuous"].caption
    assert set(result.tables["choice"].frame["requirement"]) == {"speed", "wifi"}


def test_small_segments_of_counts_are_put_together(tmp_path):
    path = tmp_path / "counts.csv"
    rows = [("north", 40, 30, 20, 10, 1, 0), ("south", 10, 30, 50, 10, 0, 1), ("east", 1, 1, 1, 0, 0, 0)]
    frame = pd.DataFrame([("speed", *row) for row in rows], columns=["requirement", "segment", *"AOMIRQ"])
    frame.to_csv(path, index=False)
    groups = analyse(counts=str(path), **QUICK).tables["groups"].frame
    # beside the total, the others would tell of the three people in the east: the next smallest goes with them
    assert groups["segment"].tolist() == ["all", "south", "other segments"]
    assert groups.set_index("segment").loc["other segments", "n"] == 104
    assert groups.loc[0, "n"] == 205


def test_planted_styles_are_no_target_groups_and_planted_wants_are(tmp_path):
    plain = {"waves": (), "neutral_style": 0.0, "extreme_style": 0.0, "same_answer": 0.0}
    styles = kano_survey(400, seed=4, segments={}, **plain | {"neutral_style": 0.4, "style_strength": 0.9})[0]
    result = analyse(survey=answers_file(tmp_path, styles), class_starts=5, most_classes=3, **QUICK)
    assert result.latent.chosen > 1 and result.style_of_classes.verdict == "style"
    assert any("styles of answering" in sentence for sentence in result.warnings)
    delight, expect = (0.7, 0.1, 0.05, 0.15, 0), (0.05, 0.1, 0.7, 0.15, 0)
    of_one = {f"wish {k}": delight if k % 2 else expect for k in range(8)}
    of_other = {f"wish {k}": expect if k % 2 else delight for k in range(8)}
    groups = {"segments": {"a": 0.5, "b": 0.5}, "segment_feelings": {"b": of_other}}
    wants = kano_survey(400, seed=5, requirements=of_one, costs={}, **groups, **plain)[0].drop(columns="segment")
    result = analyse(survey=answers_file(tmp_path, wants), class_starts=5, most_classes=3, **QUICK)
    assert result.latent.chosen > 1 and result.style_of_classes.verdict == "wants"
    assert "They want different things" in result.answer


def test_offers_are_screened_and_chosen(simulated):
    full = list(simulated.requirements)
    offers = {"everything": full, "no payment": [name for name in full if name != "secure payment"]}
    result = analyse(survey="synthetic", offers=offers, **QUICK)
    found = result.tables
    rows = found["offers"].frame.set_index("offer")
    lost = found["choice"].frame.set_index("requirement").loc["secure payment"]
    # the table of gaps is the same simulation, one requirement at a time; who skipped the question makes them differ
    assert rows.loc["no payment", "chosen"] == pytest.approx(0.5 - lost["lost"], abs=0.005)
    assert rows.loc["no payment", "low"] < rows.loc["no payment", "chosen"] < rows.loc["no payment", "high"]
    assert rows["chosen"].sum() == pytest.approx(1)
    assert "Of the offers described" in result.answer and "counts as missing (0)" in found["offers"].caption


def test_every_table_and_figure_can_be_shown(reppl, simulated):
    for result in (reppl, simulated):
        assert all(table._repr_html_() for table in result.tables.values())
        assert all(figure.alt for figure in result.figures.values())


def counts_file(folder, *rows: str) -> str:
    path = folder / "counts.csv"
    path.write_text("\n".join(["requirement,A,O,M,I,R,Q", *rows]) + "\n", encoding="utf-8")
    return str(path)


def test_what_one_class_for_everyone_hides_is_said_and_decides(simulated):
    # planted: parcel tracking goes from A over O to M; personal adviser is O for firms, I for all others
    assert "parcel tracking moved: A in 2022, O in 2023, M in 2024" in simulated.answer
    assert "personal adviser differs: O for firms, I for households and students" in simulated.answer
    assert any("personal adviser is O for firms" in sentence for sentence in simulated.warnings)
    rows = simulated.tables["priorities"].frame.set_index("requirement")
    assert rows.loc["parcel tracking", ["class", "class_from"]].tolist() == ["M", "2024 (newest wave)"]
    assert rows.loc["personal adviser", ["class", "class_from"]].tolist() == ["I", "everyone"]
    assert "meet first parcel tracking and secure payment" in simulated.answer
    newest = simulated.tables["groups"].frame.query("wave == '2024'").set_index("requirement").loc["parcel tracking"]
    assert rows.loc["parcel tracking", "gain"] == pytest.approx(newest["better"] - newest["worse"])


def test_ties_are_decided_and_said(tmp_path):
    result = analyse(counts=counts_file(tmp_path, "lock,5,45,45,5,0,0", "ads,0,5,0,10,80,0"), **QUICK)
    rows = result.tables["priorities"].frame.set_index("requirement")
    assert rows.loc["lock", ["class", "tie", "stage"]].tolist() == ["M", "O/M", "basic standard: meet it"]
    assert rows.loc["ads", "stage"] == "remove it"
    assert "Classes tie for lock (O/M)" in result.answer and "O/M in 100" not in result.answer


@pytest.mark.parametrize(
    "choices, said",
    [
        ({"costs": {"wifi": 5.0}, "budget": 12.0}, "No cost is given for the must-be lock"),
        ({"costs": {"wifi": 5.0}}, "Costs are given but no budget"),
        ({"budget": 12.0}, "A budget is given but no costs"),
    ],
)
def test_half_a_budget_is_said(tmp_path, choices, said):
    result = analyse(counts=counts_file(tmp_path, "lock,5,5,80,5,0,0", "wifi,30,5,5,40,0,0"), **choices, **QUICK)
    assert any(said in sentence for sentence in result.warnings)
    assert ("lock" in result.tables["priorities"].caption) == (len(choices) == 2)


def test_claims_of_the_classes_stand_apart(simulated):
    assert (
        "that meeting a must-be does not satisfy (Better within 0.1 of 0) does not hold for secure payment; that "
        "lacking an attractive requirement does not annoy (Worse within 0.1 of 0) does not hold for evening delivery, "
        "cannot be told for surprise gift; that a one-dimensional one"
    ) in simulated.answer


def test_simulated_choice_names_what_cannot_be_told_from_the_first(tmp_path):
    close = analyse(counts=counts_file(tmp_path, "lock,10,5,80,5,0,0", "safe,10,5,79,6,0,0"), **QUICK)
    assert "though it cannot be told from safe (more in " in close.answer
    # 79 of 100 against 80, independently drawn: nearly as often more as less
    assert close.tables["choice"].frame["above_first"][1] == pytest.approx(0.43, abs=0.08)
    # 80 of 100 lost in the screen, of which an offer had half
    assert "40.0 points because it is excluded" in close.answer
    nothing = analyse(counts=counts_file(tmp_path, "gift,50,0,0,40,0,0"), **QUICK)
    assert "costs an offer most" not in nothing.answer


def test_too_few_answers_conclude_nothing(tmp_path):
    counts = counts_file(tmp_path, "lock,2,3,60,25,0,0", "lift,0,9,0,0,0,0", "wifi,0,0,30,0,0,0")
    result = analyse(counts=counts, **QUICK)
    found = of_everyone(result)
    assert found.loc["lift", "verdict"] == "not clear" and "lift (only 9 answers)" in result.answer
    assert found["bootstrap_share"].notna().tolist() == [True, False, False]
    choice = result.tables["choice"].frame.set_index("requirement")
    assert choice.index[-1] == "lift" and choice["low"].isna()[["lift", "wifi"]].all()
    assert set(result.tables["sample_size"].frame["requirement"]) == {"lock"}
    assert result.tables["priorities"].frame.set_index("requirement").loc["lift", "stage"] == "too few answers"
    assert not any("lift" in entry.text for entry in result.headlines)
    assert any("answers on lift: nothing is concluded" in sentence for sentence in result.warnings)


def test_only_few_respondents_is_said_with_how_many_classes_would_hold(tmp_path):
    result = analyse(counts=counts_file(tmp_path, "lock,5,5,80,5,0,0", "wifi,40,5,5,45,0,0"), **QUICK)
    assert result.warnings[0].startswith(
        "Only 95 respondents: another survey like this would give the same class to 1 of 2 requirements in 95"
    )
    assert not any(
        "Only" in sentence for sentence in analyse(counts=counts_file(tmp_path, "lock,5,5,80,5,0,0")).warnings
    )


def test_limit_of_questionable_answers_follows_the_table(tmp_path):
    # 2 of 49 like both, 4 can live with both: only by the revised table the latter are questionable
    rows = [(f"r{k}", "wifi", *pair) for k, pair in enumerate([(1, 1)] * 2 + [(4, 4)] * 4 + [(1, 3)] * 43)]
    file = answers_file(tmp_path, pairs(rows))
    for table in ("standard", "revised"):
        warnings = analyse(survey=file, evaluation_table=table, **QUICK).warnings
        assert not any("questionable" in sentence for sentence in warnings), table
    own = analyse(counts=counts_file(tmp_path, "wifi,60,5,5,15,5,30"), **QUICK)
    assert any("by a table that the counts do not name" in sentence for sentence in own.warnings)


def test_what_resamples_do_not_agree_on_is_not_told(simulated):
    for name, column in (("importance", "gap"), ("analytical", "class")):
        frame = simulated.tables[name].frame
        told = frame["share"] >= 0.95
        assert (frame[column] == frame[f"{column}_raw"].where(told, "not told")).all()
    assert (simulated.tables["importance"].frame["gap"] == "not told").any()
    agrees = simulated.tables["analytical"].frame.set_index("requirement")["agrees"]
    assert agrees[["secure payment", "surprise gift"]].tolist() == ["yes", "no"]
    # planted importance is near the middle of its scale, which halves the vectors
    assert "the mean importance is 5.1 on 1 to 9" in simulated.tables["analytical"].caption


def test_surest_difference_is_named_with_both_sizes(simulated):
    surely = simulated.tables["differences"].frame.query("p_holm < 0.05")
    row = surely.loc[surely[["low", "high"]].abs().min(axis=1).idxmax()]
    assert f"(n = {row['first_n']}) to {row['second']} (n = {row['second_n']})" in simulated.answer
    assert "its lack annoys more (Worse −0.21 to −0.83" in simulated.answer
    assert "<0.001" in simulated.tables["differences"].shown()["p, Holm"].tolist()


def test_one_latent_class_is_explained_everywhere(tmp_path):
    plain = {"waves": (), "segments": {}, "neutral_style": 0.0, "extreme_style": 0.0, "same_answer": 0.0}
    alike = answers_file(tmp_path, kano_survey(150, seed=6, **plain)[0])
    result = analyse(survey=alike, class_starts=2, most_classes=2, **QUICK)
    assert result.latent.chosen == 1
    words = "No latent classes are told apart at this number of respondents (BIC prefers one)."
    assert words in result.answer and result.tables["latent_classes"].caption == words
    assert result.figures["latent_classes"].alt == words


def test_notebook_passes_every_setting_under_its_own_name():
    parameters = read_parameters(ROOT / "notebooks" / "03_kano.ipynb")
    assert {name: parameter.default for name, parameter in parameters.items()} == vars(Settings())


def pairs(rows) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["respondent_id", "requirement", "functional", "dysfunctional"])


@pytest.mark.parametrize(
    "rows",
    [
        [("r1", "wifi", 1, 5)],
        [(f"r{k}", "wifi", 1, 1) for k in range(40)],
        [(f"r{k}", "wifi", 3, 3) for k in range(40)],
        [(f"r{k}", name, 1, 5) for k in range(30) for name in ("wifi", "lift") if name == "wifi" or k < 3],
    ],
    ids=["one respondent", "all questionable", "one answer only", "a requirement with three answers"],
)
def test_poor_answers_are_a_stated_limitation(tmp_path, rows):
    result = analyse(survey=answers_file(tmp_path, pairs(rows)), **QUICK)
    assert result.warnings and result.answer
    assert all(table._repr_html_() for table in result.tables.values())
    assert all(np.isfinite(entry.value) for entry in result.headlines)


@pytest.mark.parametrize(
    "choices, said",
    [
        ({"evaluation_table": "kano"}, "evaluation_table must be one of"),
        ({"costs": {"speed": -1}}, "costs"),
        ({"prior_classes": {"Secure transfers": "X"}}, "prior_classes must map"),
        ({"prior_classes": {"Speed": "M"}}, "prior_classes names what is no requirement: Speed"),
        ({"counts": ""}, "must name counts"),
        ({"survey": "nowhere.csv"}, "nowhere.csv"),
        ({"offers": {"plain": "speed"}}, "offers must map offers to lists"),
        ({"offers": {"plain": ["speed"]}}, "offers names what is no requirement: speed"),
        ({"fitted_by": "lavaan"}, "fitted_by must be one of helpers, stepmix"),
        ({"must_be_below": 70.0}, "must_be_below and attractive_above are angles"),
    ],
)
def test_wrong_choices_are_refused(choices, said):
    with pytest.raises(InputRefused, match=said):
        analyse(**choices)


@pytest.mark.slow
def test_report_of_answers_with_hostile_names(tmp_path):
    survey = kano_survey(150, seed=3)[0]
    survey["requirement"] = survey["requirement"].replace({"surprise gift": "<script>alert(1)</script>"})
    survey["respondent_id"] = "secret-" + survey["respondent_id"].astype(str)
    file = answers_file(tmp_path, survey)
    workspace = Workspace.find(ROOT).publishing_to(tmp_path / "out")
    run = run_report(planned("own", workspace.notebooks()["kano"], {"survey": file} | QUICK), workspace)
    assert run.outcome == "success", run.message
    page = run.page.read_text(encoding="utf-8")
    assert "<script>alert" not in page and "secret-" not in page
    results = json.loads((run.page.parent / "results.json").read_text(encoding="utf-8"))
    assert results["respondents"]["value"] == 150
    assert f"{results['unclear_requirements']['value']}" in page
