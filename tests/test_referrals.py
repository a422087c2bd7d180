"""Who brought whom: the rules, their account, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.data import marketing_touches, referrals
from helpers.data.reading import connect
from helpers.data.refusal import InputRefused
from helpers.data.tables import check_input
from helpers.synthetic.firm.people import draw_people
from helpers.synthetic.firm.referrals import FLAWS, plant_flaws
from helpers.synthetic.firm.referrals import referrals as simulated_referrals

HEADER = "referrer_id,referee_id,date,incentive_cost,acquisition_cost,would_have_joined"
FIRST_DATES = {"a": "2020-01-01", "b": "2020-02-01", "c": "2020-03-01", "d": "2020-03-01"}


@pytest.fixture
def write(tmp_path):
    def write(*rows, header=HEADER):
        path = tmp_path / "referrals.csv"
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        return str(path)

    return write


def customers(first_dates=None):
    dates = pd.Series(first_dates or FIRST_DATES)
    frame = pd.DataFrame({"customer_id": dates.index, "first_date": pd.to_datetime(dates.to_numpy())})
    return connect().create_table("customers", frame)


def pairs(found):
    return list(zip(found.frame.referrer_id, found.frame.referee_id, strict=True))


def excluded(found):
    lines = found.accounting[found.accounting.step == "excluded"]
    return {line.reason: (-line.rows, -line.amount) for line in lines.itertuples()}


def assert_adds_up(found):
    account = found.accounting
    assert account.step.iloc[0] == "rows in the file" and account.step.iloc[-1] == "referrals"
    assert account.rows.iloc[0] == sum(entry["rows"] for entry in found.inputs)
    assert account.rows[:-1].sum() == account.rows.iloc[-1] == len(found.frame)
    assert account.amount[:-1].sum() == pytest.approx(account.amount.iloc[-1], abs=1e-6)
    assert account.amount.iloc[-1] == pytest.approx(found.frame.incentive_cost.sum(), abs=1e-6)


# --- what is credited -----------------------------------------------------------------------------------


def test_a_referral_is_credited_with_what_is_known_of_it(write):
    path = write("a,b,2020-01-15,5,20,true", "a,c,2020-03-01,,,0.25", "b,d,2020-02-01,7,,no")
    found = referrals.load(path, customers=customers())
    assert found.frame.astype({"date": str}).to_numpy().tolist()[0] == ["a", "b", "2020-01-15", 5.0, 20.0, 1.0, 1.0]
    assert pairs(found) == [("a", "b"), ("b", "d"), ("a", "c")]
    assert found.frame.would_have_joined.tolist() == [1, 0, 0.25]
    assert found.frame.incentive_cost.isna().tolist() == [False, False, True]
    assert found.frame[["would_have_joined", "incentive_cost", "acquisition_cost"]].notna().any().all()
    assert found.accounting.to_numpy().tolist()[-1] == ["referrals", 3, 12.0, "credited to who brought the referee"]
    gap = "Referrals of referrals.csv that do not say what "
    assert [note for note in found.notes if "do not say" in note] == [
        f"{gap}was paid for them: 1 of 3.",
        f"{gap}acquiring the referee would have cost: 2 of 3.",
    ]
    assert found.inputs[0]["name"] == "referrals" and not found.is_simulated
    referrer, referee = found.positions(np.array(["d", "c", "b", "a"]))
    assert (referrer.tolist(), referee.tolist()) == ([3, 2, 3], [2, 0, 1])
    assert_adds_up(found)


def test_the_optional_columns_may_be_missing(write):
    found = referrals.load(write("a,b,2020-01-15", header="referrer_id,referee_id,date"), customers=customers())
    assert not found.frame[["would_have_joined", "incentive_cost", "acquisition_cost"]].notna().any().any()
    assert np.isnan(found.accounting.amount).all() and found.accounting.rows.tolist() == [1, 1]
    assert not any("do not say" in note for note in found.notes)


def test_each_reason_is_counted_with_what_was_paid(write):
    path = write(
        "a,b,2019-12-31,1,,",  # before the referrer's first purchase
        "a,b,2020-01-15,2,,",
        "a,b,2020-01-16,4,,",  # again
        "c,b,2020-03-05,8,,",  # b bought on 2020-02-01
        "b,c,2020-02-10,16,,",
        "a,c,2020-02-20,32,,",  # b was earlier
        "a,a,2020-02-20,64,,",
        "a,z,2020-02-20,128,,",
        "z,a,2020-02-20,256,,",
        "a,d,2020-01-29,512,,",  # 32 days before d's first purchase
        "a,d,2021-01-01,1024,,",
        "a,d,2018-01-01,2048,,",
        "b,c,2020-02-10,16,,",  # a copy
        "b,c,2999-02-10,4096,,",
    )
    found = referrals.load(
        path,
        customers=customers(),
        window_days=31,
        observation_start="2019-01-01",
        observation_end="2020-12-31",
        today="2022-01-01",
    )
    assert pairs(found) == [("a", "b"), ("b", "c")]
    assert list(excluded(found).items()) == [
        ("the whole row repeats an earlier one", (1, 16)),
        ("dated after 2022-01-01, which is impossible", (1, 4096)),
        ("dated before 2019-01-01", (1, 2048)),
        ("dated after 2020-12-31", (1, 1024)),
        ("referrer and referee are the same", (1, 64)),
        ("the referee has made no purchase", (1, 128)),
        ("the referrer has made no purchase", (1, 256)),
        ("dated before the referrer's first purchase", (1, 1)),
        ("the referee was a customer already", (1, 8)),
        ("the referee's first purchase came more than 31 days later", (1, 512)),
        ("the same two stand in an earlier referral", (1, 4)),
        ("the referee has an earlier referrer", (1, 32)),
    ]
    assert_adds_up(found)
    assert "Rows of referrals.csv dated after 2022-01-01: 1. They are impossible and left out." in found.notes
    # all but copies and what lies outside the observation was paid
    assert found.uncredited["incentive_cost"].sum() == 1 + 4 + 8 + 32 + 64 + 128 + 256 + 512


@pytest.mark.parametrize("choices", [{}, {"window_days": 0}, {"several_referrers": "split"}], ids=str)
def test_what_was_paid_is_known_whoever_is_credited(write, choices):
    rows = ("a,c,2020-02-10,1,,", "b,c,2020-02-09,,,", "b,c,2020-02-11,4,,", "a,z,2020-02-01,8,,", "a,y,2020-02-01,,,")
    found = referrals.load(write(*rows), customers=customers(), **choices)
    paid = [*found.frame.incentive_cost, *found.uncredited.incentive_cost]
    # of those who never bought, nothing is known to have been paid where nothing is stated
    assert np.nansum(paid) == 13 and np.isnan(paid).sum() == 1
    assert found.uncredited.date.notna().all()


def test_both_ends_of_the_window_belong_to_it(write):
    people = customers({"a": "2020-01-01"} | dict.fromkeys("wxyz", "2020-02-01"))
    dates = {"w": "2020-01-30", "x": "2020-01-31", "y": "2020-02-01", "z": "2020-02-02"}
    path = write(*(f"a,{referee},{date},1,," for referee, date in dates.items()))
    assert pairs(referrals.load(path, customers=people, window_days=1)) == [("a", "x"), ("a", "y")]


def test_several_referrers(write):
    rows = ("a,c,2020-02-10,1,,", "b,c,2020-02-09,2,,", "d,c,2020-03-01,4,,", "a,b,2020-01-05,8,,")
    first = referrals.load(write(*rows), customers=customers())
    assert pairs(first) == [("a", "b"), ("b", "c")] and first.frame.weight.tolist() == [1, 1]
    split = referrals.load(write(*rows), customers=customers(), several_referrers="split")
    assert pairs(split) == [("a", "b"), ("b", "c"), ("a", "c"), ("d", "c")]
    assert split.frame.weight.tolist() == pytest.approx([1, 1 / 3, 1 / 3, 1 / 3])
    note = "Referees of referrals.csv with several referrers: 1. "
    assert note + "The earliest referral counts." in first.notes
    assert note + "They are credited in equal shares." in split.notes


def test_of_one_day_the_first_in_the_file_counts(write):
    for one, other in (("a", "b"), ("b", "a")):
        path = write(f"{one},c,2020-03-01,1,,", f"{other},c,2020-03-01,1,,")
        assert pairs(referrals.load(path, customers=customers())) == [(one, "c")]


# --- loops ----------------------------------------------------------------------------------------------


def test_a_loop_is_reported_and_not_followed(write):
    rows = ("a,b,2020-01-01,1,,", "b,c,2020-01-02,2,,", "c,a,2020-01-03,4,,", "c,d,2020-01-04,8,,")
    found = referrals.load(write(*rows))
    assert pairs(found) == [("a", "b"), ("b", "c"), ("c", "d")]
    assert excluded(found) == {"it closes a loop of referrals": (1, 4)}
    [note] = [note for note in found.notes if note.startswith("Loops")]
    assert "1, with 3 referrals" in note
    assert note.endswith("left out because they close a loop: 1; for another reason: 0; credited: 2.")


def test_where_the_dates_undo_a_loop_the_valid_referral_stays(write):
    # The earlier one is impossible: b had bought nothing yet, and a had.
    path = write("b,a,2019-12-01,1,,", "a,b,2020-01-15,2,,")
    found = referrals.load(path, customers=customers())
    assert pairs(found) == [("a", "b")]
    assert excluded(found) == {"dated before the referrer's first purchase": (1, 1)}
    assert any("close a loop: 0; for another reason: 1; credited: 1." in note for note in found.notes)


def test_a_loop_within_one_day_is_broken_at_the_last_in_the_file(write):
    one_day = customers(dict.fromkeys("abc", "2020-03-01"))
    rows = ("a,b,2020-03-01,1,,", "b,c,2020-03-01,2,,", "c,a,2020-03-01,4,,")
    assert pairs(referrals.load(write(*rows), customers=one_day)) == [("a", "b"), ("b", "c")]
    assert pairs(referrals.load(write(*rows[1:], rows[0]), customers=one_day)) == [("b", "c"), ("c", "a")]


EDGES = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(1, 28)), min_size=1, max_size=25)


def reach(edges):
    """Tell who can be reached from whom, by Warshall's closure."""
    step = np.zeros((7, 7), dtype=bool)
    for referrer, referee, *_ in edges:
        step[referrer, referee] |= referrer != referee
    for middle in range(7):
        step |= np.outer(step[:, middle], step[middle])
    return step


@given(EDGES)
def test_referrals_in_loops_are_those_whose_referee_leads_back(edges):
    frame = pd.DataFrame(edges, columns=["referrer", "referee", "day"])
    found = referrals.loops(frame.referrer, frame.referee) >= 0
    back = reach(edges)
    assert found.tolist() == [bool(back[j, i]) and i != j for i, j, _ in edges]


@pytest.mark.parametrize("several", referrals.SEVERAL_REFERRERS)
def test_whatever_the_file_no_loop_is_left_and_names_do_not_matter(write, several):
    rng = np.random.default_rng(8)
    edges = rng.integers([0, 0, 1], [300, 300, 29], (1500, 3)).tolist()

    def load(names):
        rows = [f"{names[i]},{names[j]},2020-01-{day:02},{i + j},," for i, j, day in edges]
        return referrals.load(write(*rows), several_referrers=several)

    names = np.array([f"p{number:03}" for number in range(300)])
    found = load(names)
    assert_adds_up(found)
    assert excluded(found)["it closes a loop of referrals"][0] > 0
    assert (referrals.loops(found.frame.referrer_id, found.frame.referee_id) == -1).all()
    weights = found.frame.groupby("referee_id").weight.agg(["sum", "size"])
    assert np.allclose(weights["sum"], 1) and (several == "split" or weights["size"].eq(1).all())
    renamed = rng.permutation(names)
    left, left_renamed = found.positions(names), load(renamed).positions(renamed)
    assert np.array_equal(left, left_renamed)


# --- limitations and refusals ---------------------------------------------------------------------------


def test_no_referrals_are_a_stated_limitation(write):
    none = referrals.load("")
    assert none.frame.columns.tolist() == list(referrals.COLUMNS) and none.accounting.empty and none.inputs == []
    assert none.notes[0].startswith("No referrals are given") and none.frame.empty
    nobody = referrals.load(write("x,y,2020-01-01,3,,"), customers=customers())
    assert nobody.accounting.rows.tolist() == [1, -1, 0] and nobody.accounting.amount.tolist() == [3, -3, 0]
    assert nobody.frame.dtypes.equals(none.frame.dtypes)
    assert "No referral of referrals.csv can be credited: no referral value is computed." in nobody.notes
    for found in (none, nobody):
        assert [len(part) for part in found.positions(np.array(["a"]))] == [0, 0]


def test_the_window_and_the_data(write):
    path = write("a,b,2020-01-15,1,,", "a,z,2020-02-20,1,,")
    long = referrals.load(path, customers=customers(), observation_end="2020-06-30")
    note = "The attribution window of 365 days is longer than the 167 days that the data span: no referral of "
    assert any(text.startswith(note) for text in long.notes)
    still = "Referrals of referrals.csv whose referee has made no purchase and may still do so, within the "
    assert still + "attribution window of 365 days: 1." in long.notes
    short = referrals.load(path, customers=customers(), observation_end="2020-06-30", window_days=30)
    assert not any("window" in text for text in short.notes)


def test_a_window_may_reach_beyond_all_dates(write):
    path = write("a,b,2020-01-15,1,,", "a,z,2020-02-20,1,,")
    found = referrals.load(path, customers=customers(), observation_end="2020-06-30", window_days=10**7)
    assert pairs(found) == [("a", "b")]
    assert any("within the attribution window of 10,000,000 days: 1." in note for note in found.notes)
    before = referrals.load(path, customers=customers(), observation_end="1999-01-01")
    assert before.frame.empty and not any("data span" in note for note in before.notes)
    assert before.uncredited["incentive_cost"].sum() == 0


def test_bad_rows_are_refused_or_left_out(write):
    bad = ("a,b,2020-01-01,-5,,", "a,b,2020-01-01,,-1,", "a,b,2020-01-01,,,50", "a,,2020-01-01,,,", "a,b,soon,,,")
    path = write(*bad, "a,b,2020-01-15,1,2,1")
    with pytest.raises(InputRefused) as refused:
        referrals.load(path)
    assert str(refused.value) == (
        "referrals.csv cannot be used:\n"
        "  - column 'referee_id': 1 row is empty (row 5).\n"
        "  - column 'date': 1 row is not a date (row 6; value: 'soon'). "
        "Dates are read as YYYY-MM-DD; another way of writing them is named by date_format.\n"
        "  - column 'incentive_cost': 1 row is not a number from 0 up (row 2; value: '-5').\n"
        "  - column 'acquisition_cost': 1 row is not a number from 0 up (row 3; value: '-1').\n"
        "  - column 'would_have_joined': 1 row is neither a number from 0 to 1 nor true or false (row 4; value: '50'). "
        "A share is wanted, not a percentage: half is 0.5.\n"
        'Mend these rows, or set bad_rows="exclude" to leave them out; they are then counted in the report.'
    )
    found = referrals.load(path, bad_rows="exclude", customers=customers())
    steps = found.accounting
    assert steps.rows.tolist() == [6, -1, -1, 0, 0, 0, -3, 1] and pairs(found) == [("a", "b")]
    # that a brought b is known, whatever the cells beside say
    assert steps.reason.tolist()[3:6] == [
        "1 row whose incentive_cost is not a number from 0 up: it counts as not known",
        "1 row whose acquisition_cost is not a number from 0 up: it counts as not known",
        "1 row whose would_have_joined is neither a number from 0 to 1 nor true or false: it counts as not known",
    ]
    assert found.frame.incentive_cost.isna().all() and found.frame.date.tolist() == [pd.Timestamp("2020-01-01")]


def test_a_refusal_names_the_parameter_that_maps_the_columns(tmp_path):
    path = tmp_path / "who.csv"
    path.write_text("from,to,date\na,b,2020-01-01\n")
    with pytest.raises(InputRefused, match=r'referrals_columns=\{"your name for referrer_id": "referrer_id"'):
        referrals.load(str(path))
    with pytest.raises(InputRefused, match=r"referrals_columns=\{'from': 'who'\} cannot be used"):
        referrals.load(str(path), columns={"from": "who"})
    with pytest.raises(InputRefused, match="marketing_touches_columns="):
        marketing_touches.load(str(path))


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"window_days": -1}, "window_days=-1 cannot be used"),
        ({"window_days": 1.5}, "a whole number of days from 0 up"),
        ({"several_referrers": "last"}, "several_referrers must be 'first' or 'split'"),
        ({"observation_end": "soon"}, "observation_end='soon'"),
    ],
)
def test_parameters_that_cannot_be(write, choices, message):
    with pytest.raises(InputRefused, match=message):
        referrals.load(write("a,b,2020-01-15,1,2,1"), **choices)


def test_truth_values_of_parquet(tmp_path):
    path = tmp_path / "referrals.parquet"
    frame = pd.DataFrame({"referrer_id": [1, 1], "referee_id": [2, 3], "date": "2020-01-01"})
    frame.assign(would_have_joined=[True, False]).to_parquet(path)
    assert referrals.load(str(path)).frame.would_have_joined.tolist() == [1, 0]


def test_the_command_line_checks_referrals(write):
    path = write("a,b,2020-01-15,1,2,是", "b,a,2020-01-16,1,2,否")
    assert check_input("referrals", path, {"window_days": 30}) == "2 rows in the file, 1 referrals"


# --- the simulated firm ---------------------------------------------------------------------------------


def test_planted_flaws_are_found_and_nothing_else(tmp_path):
    flaws = {name: number for number, name in enumerate(FLAWS, start=3)}
    people, _ = draw_people(3000, np.random.default_rng(3))
    clean = simulated_referrals(people, np.random.default_rng(4))
    spoiled, planted = plant_flaws(clean, people, np.random.default_rng(5), flaws=flaws)
    assert planted == flaws
    ids = people.customer_id.astype(str)
    table = customers(dict(zip(ids, people.date(people.joined), strict=True)))
    counted = {}
    for name, rows in (("clean", clean), ("spoiled", spoiled)):
        path = tmp_path / f"{name}.csv"
        rows.to_csv(path, index=False)
        found = referrals.load(str(path), customers=table, bad_rows="exclude")
        assert_adds_up(found)
        counted[name] = {reason: count for reason, (count, _) in excluded(found).items()}
    assert counted["clean"] == {}
    referrer, referee = found.positions(ids)
    assert (people.referrer[referee] == referrer).all()
    # Whoever closes a loop brings somebody who had bought before, some of them before they bought themselves.
    dates = ("dated before the referrer's first purchase", "the referee was a customer already")
    early, late = (counted["spoiled"].pop(reason) for reason in dates)
    assert early >= flaws["before_first_purchase"] and late >= flaws["after_joining"]
    assert early + late == flaws["before_first_purchase"] + flaws["after_joining"] + flaws["loops"]
    unknown = found.accounting.set_index("step").reason["kept"]
    negative = flaws["negative_incentives"]
    assert unknown == f"{negative} rows whose incentive_cost is not a number from 0 up: it counts as not known"
    assert found.frame.incentive_cost.isna().sum() == negative
    assert counted["spoiled"] == {
        "referrer and referee are the same": flaws["self_referrals"],
        "the referee has made no purchase": flaws["unknown_referees"],
        "the referee has an earlier referrer": flaws["two_referrers"],
    }
    in_loops = f"one they brought): {flaws['loops']}, with {2 * flaws['loops']} referrals."
    assert any(in_loops in note for note in found.notes)
