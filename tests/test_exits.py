"""Who has left, and why."""

import pandas as pd
import pytest

from helpers.data import exits
from helpers.data.reading import connect
from helpers.data.refusal import InputRefused
from helpers.data.tables import check_input
from helpers.synthetic.firm import exits as simulated


@pytest.fixture
def write(tmp_path):
    def write(*rows, header="customer_id,date,cause"):
        path = tmp_path / "exits.csv"
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        return str(path)

    return write


def customers(**dates):
    first, last = zip(*dates.values(), strict=True)
    table = {"customer_id": list(dates), "first_date": pd.to_datetime(first), "last_date": pd.to_datetime(last)}
    return connect().create_table("customers", pd.DataFrame(table))


def rows(found):
    table = found.table.order_by("customer_id").to_pandas()
    return [(line.customer_id, str(line.date)[:10], line.cause) for line in table.itertuples()]


def test_causes_in_both_languages_and_in_ones_own_codes(write):
    texts = ("Given up", "forced", "被挖走", "主动放弃", "moved", "2", "left")
    path = write(*(f"{place},2020-01-01,{text}" for place, text in enumerate(texts)))
    found = exits.load(path, causes={"Moved": "forced", "2": "被挖走", "left": "poached"})
    causes = ["given_up", "forced", "poached", "given_up", "forced", "poached", "poached"]
    assert [cause for *_, cause in rows(found)] == causes
    assert exits.CAUSES == tuple(simulated.CAUSES)


def test_unknown_causes_are_named_or_count_as_unknown(write):
    path = write("a,2020-01-01,moved", "b,2020-01-01,", "c,2020-13-01,died", "d,2020-01-01,left")
    with pytest.raises(InputRefused) as refused:
        exits.load(path)
    lines = str(refused.value).splitlines()
    assert lines[1].startswith("  - column 'date': 1 row is not a date (row 4")
    assert lines[2] == "  - column 'cause': 1 row is empty (row 3)."
    assert lines[3] == (
        "  - column 'cause': 2 rows are none of the codes (rows 2, 4; first value: 'moved'). Not known: 'died', "
        '\'moved\'. Say which of given_up, left, poached, forced it stands for: causes={"died": "forced"}.'
    )
    found = exits.load(path, bad_rows="exclude")
    assert rows(found) == [("a", "2020-01-01", "unknown"), ("b", "2020-01-01", "unknown"), ("d", "2020-01-01", "left")]
    assert found.accounting.step.tolist() == ["rows in the file", "excluded", "kept", "kept", "exits"]
    assert found.accounting.rows.tolist() == [4, -1, 0, 0, 3]
    assert found.accounting.reason[3] == "1 row whose cause is none of the codes: it counts as not known"


def test_texts_in_the_place_of_codes_are_not_repeated(write):
    with pytest.raises(InputRefused) as refused:
        exits.load(write(f"a,2020-01-01,{'she told us at length why ' * 3}"))
    assert "Not known" not in str(refused.value) and 'causes={"moved": "forced"}' in str(refused.value)


def test_who_bought_later_is_not_gone(write):
    known = customers(
        stayed=("2020-01-01", "2020-06-01"),
        returned=("2020-01-01", "2020-06-01"),
        twice=("2020-01-01", "2020-03-01"),
        early=("2020-01-01", "2020-01-05"),
        late=("2020-01-01", "2020-01-05"),
    )
    path = write(
        "stayed,2020-06-01,left",
        "returned,2020-05-30,left",
        "twice,2020-02-01,poached",
        "twice,2020-03-01,forced",
        "twice,2020-04-01,left",
        "early,2019-12-31,left",
        "late,2021-01-01,left",
        "nobody,2020-02-01,left",
    )
    found = exits.load(path, customers=known, observation_end="2020-12-31")
    assert rows(found) == [("stayed", "2020-06-01", "left"), ("twice", "2020-04-01", "left")]
    counts = found.accounting.set_index("reason").rows
    assert counts.iloc[1:].to_dict() == {
        "customer_id has no purchase": -1,
        "dated after 2020-12-31": -1,
        "dated before the customer's first purchase": -1,
        "the customer bought later": -2,
        "the customer has a later exit": -1,
        "the last exit of a customer": 2,
    }
    assert counts.iloc[:-1].sum() == counts.iloc[-1]
    assert found.customers == 2
    assert found.notes == [
        "Exits of exits.csv dated after 2020-12-31 (the last purchase unless observation_end is set): 1. They are left "
        "out: set observation_end to a later day to count them.",
        "Exits of exits.csv after which the customer came back (a purchase later): 2. These customers are not gone, "
        "and the exits are left out.",
        "Exits of exits.csv dated before the customer's first purchase: 1. They are left out.",
    ]
    lenient = exits.load(path, customers=known, observation_end="2020-12-31", grace_days=2)
    assert [name for name, *_ in rows(lenient)] == ["returned", "stayed", "twice"]
    late = exits.load(path, customers=known, observation_end="2019-12-30")
    assert late.customers == 0 and [note[:43] for note in late.notes] == [
        "Exits of exits.csv dated after 2019-12-30 (",
        "No exit of exits.csv counts: nobody is know",
    ]
    assert "is set): 8. They are left out" in late.notes[0]
    none = exits.load(write("nobody,2020-02-01,left"), customers=known)
    assert rows(none) == [] and none.notes == ["No exit of exits.csv counts: nobody is known to have left."]
    assert none.customers == 0


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"causes": {"x": "moved"}}, "a code stands for one of given_up, left, poached, forced"),
        ({"causes": ["x"]}, "it must map codes to causes"),
        ({"grace_days": -1}, "a whole number of days"),
    ],
)
def test_wrong_parameters(choices, words):
    with pytest.raises(InputRefused, match=words):
        exits.load(**choices)


def test_none_given_and_the_simulated_firm(write):
    none = exits.load()
    assert rows(none) == [] and none.accounting.empty and none.inputs == none.notes == [] and none.customers == 0
    assert check_input("exits", write("1,2020-01-01,x"), {"causes": {"x": "left"}}) == "1 rows in the file, 1 exits"
    found = exits.load("synthetic_firm")
    assert found.notes == [] and found.accounting.rows.nunique() == 1
    assert set(found.table.to_pandas().cause) == set(exits.CAUSES)
