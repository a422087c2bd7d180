"""Kano's answers and counts in: which word is read as what, what counts, and what a wrong file is told."""

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.data import sources
from helpers.data.cleaning import plain, plain_answer
from helpers.data.kano_counts import CLASSES, load_counts
from helpers.data.kano_survey import LABEL_SETS, load_answers
from helpers.data.refusal import InputRefused
from helpers.data.tables import check_input

WIDE = "{requirement}_f {requirement}_d"
HEADER = ["respondent_id", "requirement", "functional", "dysfunctional"]


@pytest.fixture
def write(tmp_path):
    def write(content, name="kano.csv", encoding="utf-8"):
        path = tmp_path / name
        if isinstance(content, list):
            content = pd.DataFrame(content, columns=HEADER)
        if isinstance(content, pd.DataFrame):
            content.to_parquet(path, index=False) if path.suffix == ".parquet" else content.to_csv(path, index=False)
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return str(path)

    return write


def refusal(source, load=load_answers, **options):
    with pytest.raises(InputRefused) as refused:
        load(source, **options)
    return str(refused.value)


def adds_up(accounting):
    return accounting.rows.iloc[:-1].sum() == accounting.rows.iloc[-1]


def reasons(found):
    return dict(zip(found.accounting.reason, found.accounting.rows, strict=True))


def same_answers(one, other):
    for name in ("functional", "dysfunctional", "importance", "respondents"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name))
    assert one.requirements == other.requirements


PAIRS = [
    ["p2", "wifi", 1, 3],
    ["p2", "lift", 2, 5],
    ["p1", "lift", 3, 4],
    ["p1", "wifi", 5, 1],
    ["p3", "lift", 1, 5],
]


# --- long files -----------------------------------------------------------------------------------------


def test_answers_stand_by_respondent_and_requirement_in_order_of_appearance(write):
    frame = pd.DataFrame(PAIRS, columns=HEADER).assign(importance=[9, None, 1, 4.5, 2], segment=list("bbaac"))
    found = load_answers(write(frame))
    assert found.requirements == ("wifi", "lift") == tuple(found.functional)
    assert found.respondents.respondent_id.tolist() == ["p2", "p1", "p3"]
    np.testing.assert_array_equal(found.functional, [[1, 2], [5, 3], [np.nan, 1]])
    np.testing.assert_array_equal(found.dysfunctional, [[3, 5], [1, 4], [np.nan, 5]])
    np.testing.assert_array_equal(found.importance, [[9, np.nan], [4.5, 1], [np.nan, 2]])
    assert set(found.functional.dtypes) == {np.dtype("float64")}
    assert found.segments == ("a", "b", "c") and found.waves == () and found.has_importance
    assert found.respondents.segment.tolist() == ["b", "a", "c"]
    assert [value is None for value in found.respondents.customer_id] == [True] * 3
    assert found.accounting.to_numpy().tolist() == [
        ["rows in the file", 5, "kano.csv"],
        ["pairs of answers", 5, "one for each respondent and requirement in the analysis"],
    ]
    assert found.labels == "position" and not found.is_simulated and found.importance_scale == (1, 9)
    assert found.notes == [
        "The answers of kano.csv are read as positions from 1 (like) to 5 (dislike): found from the data."
    ]
    [entry] = found.inputs
    assert (entry["name"], entry["rows"]) == ("kano_survey", 5)


def test_a_file_without_importance_has_none(write):
    found = load_answers(write(PAIRS))
    assert not found.has_importance and found.importance.shape == found.functional.shape == (3, 2)


def test_shuffled_rows_hold_the_same_answers(write):
    rng = np.random.default_rng(1)
    first, second = load_answers(write(PAIRS)), load_answers(write([PAIRS[i] for i in rng.permutation(5)], "b.csv"))
    for name in ("functional", "dysfunctional"):
        one, other = (
            getattr(found, name).set_index(found.respondents.respondent_id).sort_index()[["lift", "wifi"]]
            for found in (first, second)
        )
        pd.testing.assert_frame_equal(one, other)


def test_parquet_numbers_with_gaps(write):
    frame = pd.DataFrame(PAIRS, columns=HEADER).astype({"functional": "float64", "dysfunctional": "Int8"})
    frame.loc[0, ["functional", "dysfunctional"]] = np.nan, pd.NA
    frame.loc[1, "functional"] = np.nan
    found = load_answers(write(frame, "kano.parquet"))
    assert reasons(found)["half pairs: one of the two answers is missing"] == -1
    assert reasons(found)["neither answer is given"] == -1
    assert adds_up(found.accounting) and found.accounting.rows.iloc[-1] == 3
    assert found.respondents.respondent_id.tolist() == ["p1", "p3"]  # p2 has no pair left


def test_columns_are_mapped_and_waves_are_in_order_of_time(write):
    text = "Kunde;Merkmal;ja;nein;Wichtigkeit;Jahr\n7;wifi;1;3;7,5;wave 10\n7;wifi;2;3;;wave 2\n8;wifi;2;;4;wave 2\n"
    columns = {"Kunde": "respondent_id", "Merkmal": "requirement", "ja": "functional", "nein": "dysfunctional"}
    columns["Wichtigkeit"] = "importance"
    found = load_answers(write(text), columns=columns, wave="Jahr", decimal=",")
    assert found.waves == ("wave 2", "wave 10") and found.functional.wifi.tolist() == [1, 2]
    assert found.respondents.wave.tolist() == ["wave 10", "wave 2"]
    assert found.importance.wifi.tolist()[0] == 7.5 and np.isnan(found.importance.wifi[1])
    assert "Decimal commas: set decimal=','" in refusal(write(text), columns=columns, wave="Jahr")


def test_respondents_whose_rows_disagree_and_those_without_a_segment(write):
    frame = pd.DataFrame(PAIRS, columns=HEADER).assign(segment=[None, "b", "a", "c", None])
    found = load_answers(write(frame))
    assert found.respondents.segment.tolist() == ["b", "a", None]
    assert any("whose rows name more than one segment: 1. The first counts" in note for note in found.notes)
    assert any("without a segment: 1" in note for note in found.notes)


# --- how answers are worded -----------------------------------------------------------------------------


def typed_oddly(text):
    return "  " + text.upper().replace("'", "\u2019").replace(" ", "\u00a0", 1) + "\u3000"


@pytest.mark.parametrize("name", LABEL_SETS)
def test_each_wording_is_read_as_its_positions_and_found_from_the_data(write, name):
    answers = [(position, text) for position, texts in enumerate(LABEL_SETS[name], start=1) for text in texts]
    rows = [[f"p{i}", "wifi", typed_oddly(text), answers[0][1]] for i, (_, text) in enumerate(answers)]
    by_label, by_position = load_answers(write(rows)), [position for position, _ in answers]
    assert by_label.functional.wifi.tolist() == by_position and set(by_label.dysfunctional.wifi) == {1}
    assert by_label.labels == name
    assert any(f"read as the wording {name} (" in note for note in by_label.notes)
    named = load_answers(write(rows), labels=name)
    same_answers(named, by_label)
    assert not any("found from the data" in note for note in named.notes)


def test_the_english_wordings_of_the_literature():
    """Berger et al. 1993; the Chinese one as Chinese questionnaires word it."""
    assert [texts[0] for texts in LABEL_SETS["like"]] == [
        "I like it",
        "I expect it",
        "I'm neutral",
        "I can tolerate it",
        "I dislike it",
    ]
    assert [texts[0] for texts in LABEL_SETS["zh"]] == ["我很喜欢", "理应如此", "无所谓", "勉强接受", "我很不喜欢"]
    assert "理所当然" in LABEL_SETS["zh"][1] and "能忍受" in LABEL_SETS["zh"][3]
    assert [texts[0] for texts in LABEL_SETS["zh_short"]] == ["喜欢", "理应如此", "无所谓", "勉强接受", "不喜欢"]
    assert len(LABEL_SETS) == 6 and all(len(texts) == 5 for texts in LABEL_SETS.values())


def test_a_label_that_several_sets_share_has_one_position():
    positions = {}
    for texts in LABEL_SETS.values():
        for position, variants in enumerate(texts):
            for text in variants:
                assert positions.setdefault(plain(text), position) == position


def test_relabelling_by_position_changes_nothing(write):
    words = [texts[0] for texts in LABEL_SETS["helpful"]]
    relabelled = [[*row[:2], words[row[2] - 1], words[row[3] - 1]] for row in PAIRS]
    same_answers(load_answers(write(PAIRS)), load_answers(write(relabelled, "b.csv")))


def test_answers_that_fit_two_wordings_say_so(write):
    found = load_answers(write([["a", "wifi", "I am neutral", "I am neutral"]]))
    assert found.functional.wifi.tolist() == [3]
    assert any("(or enjoy_that_way, which word them alike)" in note for note in found.notes)


def test_wordings_are_never_pooled(write):
    """Answers depend on the wording: two questionnaires in one file are no survey."""
    rows = [["a", "wifi", "I like it", "I dislike it"], ["b", "wifi", "I expect it", "I dislike it that way"]]
    assert "column 'dysfunctional': 1 row is none of the answers (row 3" in refusal(write(rows))


def test_steps_of_liking_are_not_read_as_kanos_five(write):
    """我很喜欢, 喜欢, 无所谓, 不喜欢, 我很不喜欢 measure how much, not Kano's five answers."""
    rows = [[f"p{i}", "wifi", text, "不喜欢"] for i, text in enumerate(["我很喜欢", "喜欢", "无所谓", "我很不喜欢"])]
    message = refusal(write(rows))
    assert "column 'functional': 2 rows are none of the answers (rows 2, 5" in message


def test_own_words_are_mapped(write):
    rows = [["a", "wifi", "super", "Na ja"], ["b", "wifi", "weiß  nicht", "schlimm"], ["c", "wifi", "5", 1.0]]
    labels = {"Super": 1, "na ja": 4, "schlimm": 5, "weiß nicht": None, "5": 1, 1: 5}
    found = load_answers(write(rows), labels=labels)
    assert (
        found.labels == "own"
        and found.functional.wifi.tolist() == [1, 1]
        and found.dysfunctional.wifi.tolist() == [4, 5]
    )
    assert reasons(found)["half pairs: one of the two answers is missing"] == -1
    same_answers(load_answers(write(rows), wordings=labels), found)
    assert load_answers(write(PAIRS), wordings={}).labels == "position"


def test_own_words_that_leave_answers_out_say_which(write):
    message = refusal(
        write([["a", "wifi", "gern", "nie"], ["b", "wifi", "egal", "ungern"]]), wordings={"gern": 1, "nie": 5}
    )
    assert message.count("Name all five answers in wordings; missing: 2 (must-be), 3 (neutral), 4 (live with).") == 2
    assert "Is it" not in message


ANSWERS = st.text(st.sampled_from("aAéÉß'\u2018\u2019`´ \u00a0\u3000\t\x1f\u2003我无10.,"), max_size=12)


@given(st.lists(ANSWERS, min_size=1, max_size=200))
@settings(max_examples=20, deadline=None)
def test_answers_are_compared_alike_in_the_engine_and_out_of_it(texts):
    table = ibis.memtable({"place": range(len(texts)), "text": texts})
    found = table.select("place", answer=plain_answer(table.text)).order_by("place").to_pandas().answer.tolist()
    assert found == [plain(text) for text in texts]
    assert [plain(f" {text}\t") for text in texts] == found


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ("english", "labels must be 'position' or 'like_that_way' or"),
        (3, "labels must be 'position'"),
        ({"good": 6}, "'good' must have a position from 1 (like) to 5 (dislike), not 6"),
        ({"good": 1.5}, "not 1.5"),
        ({"good": "best"}, "not 'best'"),
        ({"good": 1, " GOOD": 2}, "has two positions"),
        ({"good": None}, "it names no answer"),
        ({}, "it names no answer"),
    ],
)
def test_labels_that_cannot_be(write, labels, expected):
    assert expected in refusal(write(PAIRS), labels=labels)


def test_words_that_nobody_knows(write):
    message = refusal(write([["a", "wifi", "great", "awful"]]))
    assert "neither positions from 1 to 5 nor worded in a way that is known" in message
    assert 'Map them, all five: wordings={"I like it": 1,' in message and '"I dislike it": 5}' in message


# --- wide files -----------------------------------------------------------------------------------------

WIDE_TEXT = "respondent_id,wave,wifi_f,wifi_d,lift_f,lift_d,age\np2,2,1,3,2,5,30\np1,1,5,1,3,4,40\np3,1,,,1,5,50\n"


def test_a_wide_file_holds_the_same_answers_as_a_long_one(write):
    wide = load_answers(write(WIDE_TEXT), wide=WIDE)
    frame = pd.DataFrame(PAIRS, columns=HEADER).assign(wave=[2, 2, 1, 1, 1])
    same_answers(wide, load_answers(write(frame, "long.csv")))
    assert wide.accounting.to_numpy().tolist() == [
        ["rows in the file", 3, "kano.csv"],
        ["added", 3, "2 requirements in each row"],
        ["excluded", -1, "neither answer is given"],
        ["pairs of answers", 5, "one for each respondent and requirement in the analysis"],
    ]
    assert any("does not use: 'age'" in note for note in wide.notes)


def test_wide_names_with_spaces_importance_and_labels(write):
    text = (
        "id,Wi-Fi (yes),Wi-Fi (no),Wi-Fi (how much),Lift (yes),Lift (no)\n"
        "1,I like it,I\u2019m neutral,10,I expect it,I dislike it\n"
        "2,I like it,I'm neutral,,I expect it,\n"
    )
    pattern = "{requirement} (yes) | {requirement} (no) | {requirement} (how much)"
    options = {"wide": pattern, "columns": {"id": "respondent_id"}}
    message = refusal(write(text), **options)
    assert "column 'Wi-Fi (how much)': 1 row is outside the scale of 1 to 9 (row 2; value: '10')" in message
    assert "scale is another, set importance_min=1 and importance_max=10 (the ends of what is found)" in message
    assert "missing_codes" not in message
    found = load_answers(write(text), importance_max=10, **options)
    assert found.requirements == ("Wi-Fi", "Lift") and found.labels == "like"
    np.testing.assert_array_equal(found.functional, [[1, 2], [1, np.nan]])
    np.testing.assert_array_equal(found.importance, [[10, np.nan], [np.nan, np.nan]])


def test_a_wide_column_that_only_its_partner_tells_from_others(write):
    text = "respondent_id,wifi,wifi_no,age,lift,lift_no\np,1,2,30,3,4\n"
    found = load_answers(write(text), wide="{requirement} {requirement}_no")
    assert found.requirements == ("wifi", "lift") and found.functional.to_numpy().tolist() == [[1, 3]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("respondent_id,wifi_f,wifi_d,lift_f\n1,1,1,1\n", "column 'lift_f': its partner, the other question about"),
        ("respondent_id,wifi_f,wifi_d,lift_d\n1,1,1,1\n", "column 'lift_d': its partner, the other question about"),
        ("respondent_id,wifi,lift\n1,1,1\n", "fits none of the columns. The file has 'respondent_id', 'wifi', 'lift'."),
        ("respondent_id,wifi_f,wifi_d,WIFI_f,WIFI_d\n1,1,1,1,1\n", "column 'WIFI_f': the name is taken, or differs"),
        ("person,wifi_f,wifi_d,x_d\n1,1,1,1\n", "column 'respondent_id': it is required and missing"),
        ("person,wifi_f,wifi_d\n1,1,1\n", "column 'respondent_id': it is required and missing"),
        ("respondent_id,wifi_f,wifi_d\n1,1,1\n1,2,2\n", "1 row repeats a respondent (row 3)"),
        (
            "respondent_id,wifi_f,wifi_d\n1,1,6\n2,1,5\n",
            "column 'wifi_d': 1 row is none of the answers (row 2; value: '6')",
        ),
    ],
)
def test_wide_files_that_cannot_be(write, text, expected):
    assert expected in refusal(write(text), wide=WIDE)


@pytest.mark.parametrize(
    "wide", ["{requirement}_f", "{requirement}_f {requirement}_f", "f_{requirement} d", "a b c d", 7, "f d", " "]
)
def test_patterns_that_cannot_be(write, wide):
    assert "it must name the two columns of a requirement" in refusal(write(WIDE_TEXT), wide=wide)


def test_a_wide_respondent_with_a_bad_answer_is_left_out_whole(write):
    found = load_answers(write(WIDE_TEXT.replace("p2,2,1,", "p2,2,9,")), wide=WIDE, bad_rows="exclude")
    assert found.respondents.respondent_id.tolist() == ["p1", "p3"] and adds_up(found.accounting)
    assert reasons(found)["wifi_f is none of the answers"] == -1


def test_a_wide_survey_handed_in_as_long_says_what_to_do(write):
    assert 'say how they are named: wide="{requirement}_f {requirement}_d"' in refusal(write(WIDE_TEXT))
    message = refusal(write("person,wifi_f,wifi_d,lift_f,lift_d\n1,1,1,1,1\n"), columns={"who": "respondent_id"})
    assert "column 'who': it is named for 'respondent_id' but is not in the file" in message


NAMED = {
    "{requirement}_f {requirement}_d": "respondent_id,Wi-Fi_f,Wi-Fi_d,lift_f,lift_d,age\n1,1,1,1,1,30\n",
    "yes.{requirement} no.{requirement}": "respondent_id,yes.wifi,no.wifi,yes.lift,no.lift\n1,1,1,1,1\n",
    "{requirement} (yes) | {requirement} (no) | {requirement} (how much)": (
        "respondent_id,wifi (yes),wifi (no),wifi (how much),lift (yes),lift (no),lift (how much)\n1,1,1,5,1,1,5\n"
    ),
}


@pytest.mark.parametrize("pattern", NAMED)
def test_a_pattern_is_proposed_that_reads_the_file(write, pattern):
    text = NAMED[pattern]
    message = refusal(write(text), wide="{requirement}_there {requirement}_missing")
    assert f'Try wide="{pattern}", in the order: if it is there' in message
    assert 'wide="{requirement}_there {requirement}_missing" fits none' in message
    assert len(load_answers(write(text), wide=pattern).requirements) == 2


def test_a_pattern_is_proposed_only_where_columns_suggest_one(write):
    odd = "respondent_id,{requirement}_f,{requirement}_d,_f,_d,x_,y_\n1,1,1,1,1,1,1\n"
    assert "Try wide" not in refusal(write(odd), wide="{requirement} f | {requirement} d")
    long = "respondent_id,feature,functional,dysfunctional,home_city,home_zip,work_city,work_zip\n1,a,1,1,1,1,1,1\n"
    assert "column 'requirement': it is required and missing" in refusal(write(long))


def test_importance_that_a_pattern_passes_over_is_told(write):
    text = NAMED["{requirement} (yes) | {requirement} (no) | {requirement} (how much)"]
    found = load_answers(write(text), wide="{requirement} (yes) | {requirement} (no)")
    assert any("that fit {requirement} (how much) and are not used: 2. If they hold" in note for note in found.notes)
    assert not any("that fit" in note for note in load_answers(write(WIDE_TEXT), wide=WIDE).notes)


# --- what is refused ------------------------------------------------------------------------------------


def test_everything_wrong_is_told_at_once_and_nobody_is_named(write):
    text = (
        "respondent_id,requirement,functional,dysfunctional,importance\n"
        "Meyer,wifi,I like it,I dislike it,5\n"
        "Meyer,wifi,I expect it,I dislike it,5\n"
        ",wifi,I like it,I dislike it,5\n"
        "Huber,,I like it,I dislike it,0\n"
        "Maier,lift,I exspect it,maybe,many\n"
        "Bauer,lift,,I dislike it,9\n"
        "Bauer,wifi,I like it,I like it,9,x\n"
    )
    message = refusal(write(text))
    known = "i like it, i expect it, i'm neutral, i can tolerate it, i dislike it"
    assert message.splitlines()[:-1] == [
        "kano.csv cannot be used:",
        "  - 1 row has a wrong number of fields (row 8). "
        "A value that holds the delimiter must stand in quotation marks.",
        "  - column 'respondent_id': 1 row is empty (row 4).",
        "  - column 'requirement': 1 row is empty (row 5).",
        "  - column 'functional': 1 row is none of the answers (row 6; value: 'I exspect it'). Is it 'i expect it'?",
        f"  - column 'dysfunctional': 1 row is none of the answers (row 6; value: 'maybe'). The answers are: {known}. "
        'Others are mapped to the five positions, all of them named: wordings={"I like it": 1, "I expect it": 2, '
        '"I am neutral": 3, "I can tolerate it": 4, "I dislike it": 5}.',
        "  - column 'importance': 1 row is not a number (row 6; value: 'many'). "
        "Where there is no answer the cell is left empty.",
        "  - column 'importance': 1 row is outside the scale of 1 to 9 (row 5; value: '0'). "
        "If the questionnaire's scale is another, set importance_min=0 and importance_max=9 "
        "(the ends of what is found), or beyond.",
        "  - column 'respondent_id': 1 row repeats a respondent of the same requirement (row 3).",
    ]
    assert "Meyer" not in message
    found = load_answers(write(text), bad_rows="exclude")
    assert adds_up(found.accounting) and found.accounting.rows.tolist() == [7, -1, -1, -1, -1, -1, -1, 1]
    assert found.respondents.respondent_id.tolist() == ["Meyer"] and found.functional.wifi.tolist() == [1]


def test_six_point_answers_are_not_squeezed_into_five(write):
    rows = [[f"p{i}", "wifi", i, 7 - i] for i in range(1, 7)]
    message = refusal(write(rows))
    assert (
        "columns 'functional' and 'dysfunctional': 2 values are none of the answers (rows 2, 7; first value: '6'). "
        "The answers are: 1, 2, 3, 4, 5. There are five positions, from 1 (like) to 5 (dislike): "
        "a scale of more or fewer points must be mapped to them by wordings." in message
    )
    assert load_answers(write(rows), bad_rows="exclude").functional.wifi.tolist() == [2, 3, 4, 5]


@pytest.mark.parametrize("answer", ["0", "6", "2.5", "-1", "1e0", "nan", "12", "true", "1;2"])
def test_codes_that_are_no_position(write, answer):
    rows = [["a", "wifi", "1", "1"], ["b", "wifi", answer, "5"]]
    assert "column 'functional': 1 row is none of the answers (row 3" in refusal(write(rows))


def test_the_same_respondent_twice_unless_in_another_wave(write):
    frame = pd.DataFrame([*PAIRS, ["p1", "wifi", 2, 2]], columns=HEADER)
    assert "1 row repeats a respondent of the same requirement (row 7)" in refusal(write(frame))
    assert load_answers(write(frame), bad_rows="exclude").functional.wifi.tolist()[:2] == [1, 5]
    waves = load_answers(write(frame.assign(wave=[1, 1, 1, 1, 1, 2])))
    assert waves.respondents.respondent_id.tolist() == ["p2", "p1", "p3", "p1"]
    np.testing.assert_array_equal(waves.functional.wifi, [1, 5, np.nan, 2])
    again = frame.assign(wave=[1, 1, 1, 1, 1, 1])
    assert "repeats a respondent of the same requirement and wave (row 7)" in refusal(write(again))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "is empty (0 bytes)"),
        (",".join(HEADER) + "\n", "has a header but no rows"),
        (",".join(HEADER) + "\na,wifi,,3\nb,wifi,2,\nc,wifi,,\n", "no pair of answers remains (half pairs"),
        (",".join(HEADER) + "\na,wifi,,\n", "no pair of answers remains (neither answer is given: 1)"),
        (b"PK\x03\x04 a workbook", "it is a spreadsheet workbook"),
        ("respondent_id,requirement,functional\na,wifi,1\n", "column 'dysfunctional': it is required and missing"),
    ],
)
def test_files_without_pairs(write, content, expected):
    assert expected in refusal(write(content))


def test_an_excel_file_says_the_way_out(write):
    assert "In the spreadsheet program, save the sheet as CSV UTF-8." in refusal(write(b"PK\x03\x04", "kano.xlsx"))


@pytest.mark.parametrize(
    ("rows", "shape"),
    [
        ([["a", "wifi", 1, 5]], (1, 1)),  # one answer only
        ([["a", "wifi", 1, 5], ["a", "lift", 2, 2]], (1, 2)),  # one respondent
        (
            [[name, "wifi", end, end] for name, end in zip("abcd", (1, 5, 1, 5), strict=True)],
            (4, 1),
        ),  # all questionable
        ([*PAIRS, *([f"q{i}", "wifi", 3, 3] for i in range(20))], (23, 2)),  # a requirement with three answers
    ],
)
def test_little_is_loaded_as_it_is(write, rows, shape):
    found = load_answers(write(rows))
    assert found.functional.shape == shape and found.accounting.rows.iloc[-1] == len(rows)


def test_a_requirement_without_a_pair_is_told(write):
    found = load_answers(write([["a", "wifi", 1, 5], ["a", "lift", 2, None]]))
    assert found.requirements == ("wifi", "lift") and found.functional.lift.isna().all()
    assert any("without any pair of answers: lift" in note for note in found.notes)


def test_chinese_answers_in_gb18030(write):
    text = "编号,需求,有,没有,重要性,分组\n甲,极速退款,我很喜欢,能忍受,8,新客\n乙,极速退款,理所当然,我很不喜欢,,老客\n"
    columns = {"编号": "respondent_id", "需求": "requirement", "有": "functional", "没有": "dysfunctional"}
    found = load_answers(write(text, encoding="gb18030"), columns={**columns, "重要性": "importance"}, segment="分组")
    assert found.labels == "zh" and set(found.segments) == {"新客", "老客"}
    assert found.functional["极速退款"].tolist() == [1, 2] and found.dysfunctional["极速退款"].tolist() == [4, 5]
    assert any("read as GB18030" in note for note in found.notes)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"importance_min": 9, "importance_max": 1}, "the scale must run from a lower to a higher number"),
        ({"importance_max": float("nan")}, "the scale must run from a lower to a higher number"),
        ({"bad_rows": "keep"}, "bad_rows must be 'refuse' or 'exclude'"),
        ({"decimal": ";"}, "decimal must be"),
        ({"columns": {"x": "feature"}}, "'feature' is no column of kano_survey"),
        ({"segment": "region"}, "column 'region': it is named for 'segment' but is not in the file"),
        ({"segment": "requirement", "wave": "requirement"}, "is named for 'segment' and for 'wave'"),
    ],
)
def test_parameters_that_cannot_be(write, options, expected):
    assert expected in refusal(write(PAIRS), **options)


# --- counts ---------------------------------------------------------------------------------------------

# Better and worse as published: Brand & Rese 2026 table 1 to three digits, the README of REPPL to seven.
PUBLISHED = {
    "brand_rese": (607, 3, [0.486, 0.491, 0.459], [-0.123, -0.085, -0.208]),
    "reppl": (
        358,
        7,
        [0.3942652, 0.5840979, 0.6097561, 0.6820988, 0.5925926, 0.5650794],
        [-0.1003584, -0.5504587, -0.5731707, -0.3117284, -0.8148148, -0.3873016],
    ),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_built_in_counts_give_the_published_coefficients(name):
    respondents, digits, better, worse = PUBLISHED[name]
    found = load_counts(name)
    counts = found.counts
    assert (counts[list(CLASSES)].sum(axis=1) == respondents).all() and set(counts.dtypes[2:]) == {np.dtype("int64")}
    base = counts.A + counts.O + counts.M + counts.I
    assert ((counts.A + counts.O) / base).round(digits).tolist() == better
    assert (-(counts.O + counts.M) / base).round(digits).tolist() == worse
    assert len(found.requirements) == len(better) and found.segments == () and counts.segment.isna().all()
    assert found.accounting.rows.tolist() == [len(better), len(better)]
    assert found.inputs[0]["path"] == f"built-in:{name}" and found.inputs[0]["rows"] == len(better)
    assert len(found.notes) == 1 and str(respondents) in found.notes[0]  # nothing about the file's own columns


def test_counts_outside_a_workspace_say_how_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(sources, "__file__", str(tmp_path / "lib" / "site" / "helpers" / "data" / "sources.py"))
    assert "pip install -e ." in refusal("reppl", load_counts)


def counts_text(*rows, columns="requirement,A,O,M,I,R,Q"):
    return "\n".join([columns, *rows]) + "\n"


def test_counts_by_segment(write):
    text = counts_text("wifi,1,2,3,4,5,6,b", "wifi,6,5,4.0,3,2,1,a", "lift,0,0,0,0,0,9,", columns="f,A,O,M,I,R,Q,who")
    found = load_counts(write(text), columns={"f": "requirement"}, segment="who")
    assert found.requirements == ("wifi", "lift") and found.segments == ("a", "b")
    assert found.counts.segment.tolist() == ["b", "a", None]
    assert found.counts[list(CLASSES)].to_numpy().tolist() == [
        [1, 2, 3, 4, 5, 6],
        [6, 5, 4, 3, 2, 1],
        [0, 0, 0, 0, 0, 9],
    ]


def test_counts_that_cannot_be(write):
    text = counts_text(
        "wifi,1,2,3,4,5,6",
        "lift,-1,2,3,4,5,6",
        "door,1,2.5,3,4,5,6",
        "pool,0,0,0,0,0,0",
        "wifi,9,9,9,9,9,9",
        "spa,,x,3,4,5,6",
    )
    message = refusal(write(text), load_counts)
    assert message.splitlines()[1:-1] == [
        "  - column 'A': 1 row is empty (row 7).",
        "  - column 'A': 1 row is not a whole number from 0 up (row 3; value: '-1'). "
        "How many respondents is wanted, not a share or a percentage.",
        "  - column 'O': 2 rows are not whole numbers from 0 up (rows 4, 7; first value: '2.5'). "
        "How many respondents is wanted, not a share or a percentage.",
        "  - column 'requirement': 1 row repeats a requirement (row 6; value: 'wifi').",
        "  - column 'requirement': 1 row counts nobody (row 5; value: 'pool').",
    ]
    found = load_counts(write(text), bad_rows="exclude")
    assert found.requirements == ("wifi",) and adds_up(found.accounting)
    assert found.accounting.rows.tolist() == [6, -1, -1, -1, -1, -1, 1]


@pytest.mark.parametrize(
    "rows",
    [["wifi,14.4,53.3,14.4,11.7,1.1,5", "lift,6,15.6,65,10,1.1,1.7"], ["wifi,0.5,0,0,0.5,0,0"], ["wifi,.1,a,,1,1,1"]],
)
def test_shares_are_told_once(write, rows):
    message = refusal(write(counts_text(*rows)), load_counts)
    assert message.count("\n") == 1 and "multiply shares by n, percentages by n / 100, and round" in message
    text = "requirement;A;O;M;I;R;Q\nlift;1,5;2;3;4;5;6\n"
    assert "there are fractions in every row" in refusal(write(text), load_counts, decimal=",")


def test_a_single_fraction_is_a_bad_row(write):
    text = counts_text("wifi,0.5,2,3,4,5,6", "lift,1,2,3,4,5,6")
    assert "column 'A': 1 row is not a whole number" in refusal(write(text), load_counts)
    assert load_counts(write(text), bad_rows="exclude").requirements == ("lift",)


@pytest.mark.parametrize("count", ["1e300", "inf", "nan", "12%", "-7"])
def test_numbers_that_are_no_count(write, count):
    message = refusal(write(counts_text(f"wifi,{count},2,3,4,5,6")), load_counts)
    assert "is not a whole number from 0 up" in message


def test_a_count_column_that_is_missing(write):
    message = refusal(write("requirement,A,O,M,I,R\nwifi,1,2,3,4,5\n"), load_counts)
    assert "column 'Q': it is required and missing. If it was never counted, add it as a column of 0." in message
    message = refusal(write("requirement,O,M,I,R,Q\nwifi,1,2,3,4,5\n"), load_counts)
    assert "column 'A': it is required and missing" in message and "column of 0" not in message


# --- as inputs of a report ------------------------------------------------------------------------------


def test_inputs_are_checked_under_the_reports_parameters(write):
    path = write(WIDE_TEXT)
    assert check_input("kano_survey", path, {"wide": WIDE, "seed": 1}) == "3 rows in the file, 5 pairs of answers"
    assert (
        check_input("kano_counts", "reppl", {"evaluation_table": "revised"}) == "6 rows in the file, 6 rows of counts"
    )
    with pytest.raises(InputRefused, match="none of those built in \\('brand_rese', 'reppl'\\)"):
        check_input("kano_counts", "synthetic", {})


def test_the_simulated_survey_is_an_input_and_marked():
    found = load_answers("synthetic")
    assert found.is_simulated and found.labels == "position" and found.has_importance
    assert found.segments and found.waves == tuple(sorted(found.waves)) and adds_up(found.accounting)
    assert "half pairs: one of the two answers is missing" in reasons(found)
