"""What was spent on new and on old customers."""

import math

import pytest

from helpers.data import market_spend
from helpers.data.refusal import InputRefused

HEADER = "period,acquisition_spend,retention_spend,new_customers,retained_customers"


@pytest.fixture
def write(tmp_path):
    def write(*rows, header=HEADER):
        path = tmp_path / "spent.csv"
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        return str(path)

    return write


@pytest.mark.parametrize(
    ("periods", "read", "per_year", "missing"),
    [
        (["2023-02", "2023/1", "2022年12月"], ["2022-12", "2023-01", "2023-02"], 12, 0),
        (["202303", "202301", "202212"], ["2022-12", "2023-01", "2023-03"], 12, 1),
        (["2023-Q2", "2023Q1", "2022年第4季度"], ["2022-Q4", "2023-Q1", "2023-Q2"], 4, 0),
        (["2023", "2021", "2020"], ["2020", "2021", "2023"], 1, 1),
        (["2023-03-01", "2023-2-1", "2023-01-01"], ["2023-01-01", "2023-02-01", "2023-03-01"], 12, 0),
        (["2023-01-02", "2023-01-09", "2023-01-23"], ["2023-01-02", "2023-01-09", "2023-01-23"], 365.25 / 7, 1),
        (["2023-10-01", "2023-01-01", "2023-04-01"], ["2023-01-01", "2023-04-01", "2023-10-01"], 4, 1),
        (["2023-01-01", "2023-01-29", "2023-02-26"], ["2023-01-01", "2023-01-29", "2023-02-26"], math.nan, 0),
    ],
)
def test_periods_as_they_are_written(periods, read, per_year, missing):
    found = market_spend.read_periods(periods)
    assert [found.names[period] for period in sorted(periods, key=found.first_days.get)] == read
    assert found.periods_per_year == pytest.approx(per_year, nan_ok=True) and found.missing == missing


def test_periods_that_are_no_times(write):
    found = market_spend.load(write("spring,1,0,1,0", "autumn,2,0,1,0", "2023-01,3,0,1,0"))
    assert found.frame.period.tolist() == ["spring", "autumn", "2023-01"] and found.periods == 3
    assert found.frame.channel.tolist() == ["all"] * 3 and math.isnan(found.periods_per_year)
    assert found.notes == [
        "The periods of spent.csv cannot be read as times: they count in the order of the file.",
        "How long a period of spent.csv is cannot be told, so no cost of a year either: set periods_per_year.",
    ]


def test_order_of_time_then_of_channel(write):
    path = write(
        "2023-02,1,0,1,0,b", "2023-01,2,0,1,0,b", "2023-01,4,0,1,0,a", "2030-01,8,0,1,0,a", header=f"{HEADER},channel"
    )
    found = market_spend.load(path, observation_end="2023-12-31", periods_per_year=6)
    assert list(zip(found.frame.period, found.frame.channel, strict=True)) == [
        ("2023-01", "a"),
        ("2023-01", "b"),
        ("2023-02", "b"),
    ]
    assert list(found.accounting.itertuples(index=False, name=None))[1:] == [
        ("excluded", -1, -8.0, "begins after 2023-12-31"),
        ("market_spend", 3, 7.0, "one for each period and channel"),
    ]
    assert found.periods_per_year == 6 and not found.is_simulated
    assert found.notes[0] == "spent.csv has 2 periods: no trend and no elasticity can be told from them."
    dated = market_spend.read_periods(["31/01/2023", "01/03/2023"], "%d/%m/%Y")
    assert list(dated.names.values()) == ["2023-01-31", "2023-03-01"]


def test_a_period_stands_once_for_each_channel(write):
    with pytest.raises(InputRefused, match="repeats a period of the same channel"):
        market_spend.load(write("2023-01,1,0,1,0,a", "2023-01,1,0,1,0,a", header=f"{HEADER},channel"))
    with pytest.raises(InputRefused, match="1 rows repeat a period of the same channel, written in another way"):
        market_spend.load(write("2023-01,1,0,1,0", "2023/1,1,0,1,0"))
    mixed = market_spend.load(write("2023-01,1,0,1,0,a", "2023-01,1,0,1,0,", header=f"{HEADER},channel"))
    assert "if they are totals, leave them out" in mixed.notes[-1] and mixed.frame.channel.tolist() == ["a", "all"]


def test_wrong_values_and_parameters(write):
    with pytest.raises(InputRefused) as refused:
        market_spend.load(write("2023-01,-1,0,1.5,0"))
    assert "'acquisition_spend'" in str(refused.value) and "'new_customers'" in str(refused.value)
    with pytest.raises(InputRefused, match="it must be a number above 0"):
        market_spend.load(periods_per_year=-12)


def test_none_given_and_the_simulated_firm():
    none = market_spend.load()
    assert none.frame.empty and none.periods == 0 and none.accounting.empty and none.inputs == none.notes == []
    found = market_spend.load("synthetic_firm")
    assert found.is_simulated and found.periods == 24 and found.periods_per_year == 12 and found.notes == []
    assert none.frame.dtypes.equals(found.frame.dtypes) and found.frame.new_customers.sum() == 5000
