"""What goes into referral value: tables of the same customers, money not stated, incentives of whoever is credited."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from helpers.analyses.referral_value import Settings, analyse
from helpers.analyses.referral_value.measurement import measure
from helpers.data import referrals
from helpers.data.engines import connect
from helpers.data.refusal import InputRefused
from helpers.synthetic.firm import firm

TABLES = ("transactions", "referrals", "marketing_touches")
QUICK = {"draws": 20, "resamples": 100}


@pytest.fixture(scope="module")
def made():
    return firm(400, seed=5)


@pytest.fixture(scope="module")
def paths(made, tmp_path_factory):
    """Write the tables; of the referrals some do not say what was paid, and some are of a second referrer."""
    folder = tmp_path_factory.mktemp("inputs")
    first = made.tables["referrals"].reset_index(drop=True)
    first["incentive_cost"] = first["incentive_cost"].where(first.index % 3 > 0)
    second = first.assign(referrer_id=first["referrer_id"].to_numpy()[::-1], incentive_cost=7.0)[:40]
    tables = made.tables | {"referrals": pd.concat([first, second])}
    for name in TABLES:
        tables[name].to_csv(folder / f"{name}.csv", index=False)
    return {name: str(folder / f"{name}.csv") for name in TABLES}


@pytest.fixture(scope="module")
def found(paths):
    return analyse(**paths, **QUICK)


# --- simulated tables beside real ones ------------------------------------------------------------------


@pytest.mark.parametrize(
    "own",
    [("transactions",), ("transactions", "referrals"), ("referrals",), ("marketing_touches",)],
    ids=str,
)
def test_simulated_tables_are_not_mixed_with_those_of_others(paths, own):
    with pytest.raises(InputRefused) as refused:
        measure(Settings(**{name: paths[name] for name in own}))
    wanted = (
        "You gave transactions of your own: set referrals and marketing_touches to your files, or to '' for none."
        if "transactions" in own
        else f"You gave {own[0]} of your own: set transactions to your file as well"
    )
    assert wanted in str(refused.value)


def test_published_purchases_are_not_mixed_with_simulated_referrals_either():
    with pytest.raises(InputRefused, match="You gave transactions of your own"):
        measure(Settings(transactions="cdnow_sample"))


def test_whatever_is_simulated_makes_the_report_simulated(found):
    assert not found.is_simulated
    for name in ("marketing_touches", "transactions"):
        assert analysis_of(found, name).is_simulated
    assert not replace(found, settings=replace(found.settings, marketing_touches="")).is_simulated


def analysis_of(found, name):
    """Let one table be simulated."""
    if name == "transactions":
        return replace(found, purchases=replace(found.purchases, is_simulated=True))
    return replace(found, settings=replace(found.settings, **{name: "synthetic_firm"}))


# --- one way of writing dates and numbers for all files -------------------------------------------------


@pytest.mark.parametrize("name", TABLES)
def test_refusal_of_another_way_to_write_names_the_file_and_that_one_holds_for_all(made, paths, tmp_path, name):
    other = made.tables[name].assign(date=made.tables[name]["date"].dt.strftime("%d/%m/%Y"))
    other.to_csv(tmp_path / "other.csv", index=False)
    with pytest.raises(InputRefused) as refused:
        measure(Settings(**paths | {name: str(tmp_path / "other.csv")}))
    said = str(refused.value)
    assert said.startswith(f"other.csv ({name}) cannot be used:") and "Set date_format='%d/%m/%Y'" in said
    assert said.endswith("date_format and decimal hold for transactions, referrals and marketing_touches alike.")


def test_refusals_of_another_kind_say_nothing_of_formats(made, paths, tmp_path):
    path = tmp_path / "referrals.csv"
    made.tables["referrals"].drop(columns="date").to_csv(path, index=False)
    with pytest.raises(InputRefused, match="referrals_columns=") as refused:
        measure(Settings(**paths | {"referrals": str(path)}))
    assert "hold for" not in str(refused.value)


# --- money that is not stated ---------------------------------------------------------------------------


def test_money_not_stated_is_the_mean_of_that_stated(found):
    stated = np.concatenate([found.referrals.frame["incentive_cost"], found.referrals.uncredited["incentive_cost"]])
    unstated = found.referrals.frame["incentive_cost"].isna().to_numpy()
    assert unstated.any() and found.incentive[unstated] == pytest.approx(np.nanmean(stated))
    row = found.tables["assumptions"].frame.set_index("what").loc["Incentive"]
    assert row["assumed_value"].startswith(f"{np.nanmean(stated):,.2f} (mean of those stated")
    by_hand = replace(found, settings=replace(found.settings, incentive_cost=0.0))
    assert (by_hand.incentive[unstated] == 0).all()
    assert by_hand.tables["assumptions"].frame["assumed_value"].tolist()[1] == "0.00 (incentive_cost)"


def test_where_no_money_is_stated_none_is_taken(found):
    frame = found.referrals.frame.assign(acquisition_cost=np.nan)
    silent = replace(found, referrals=replace(found.referrals, frame=frame))
    assert (silent.saving == 0).all() and silent.assumed_saving == 0


@pytest.mark.parametrize("name", ["acquisition_saving", "incentive_cost"])
def test_money_is_no_negative_number(name):
    with pytest.raises(InputRefused, match=f"{name} is 0 or more, or -1 for the mean of those stated, not -2.0"):
        Settings(**{name: -2.0})


def read_again(found, path, **choices):
    """Read the referrals anew, of the customers that were valued."""
    settings = replace(found.settings, **choices)
    customers = {name: getattr(found.customers, name) for name in ("customer_id", "first_date")}
    read = referrals.load(
        path,
        customers=connect().create_table("customers", pd.DataFrame(customers)),
        observation_end=found.observation_end,
        window_days=settings.window_days,
        several_referrers=settings.several_referrers,
    )
    referrer, referee = read.positions(found.customers.customer_id)
    return replace(found, settings=settings, referrals=read, referrer=referrer, referee=referee)


# --- every incentive is charged -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "choices", [{"several_referrers": "split"}, {"window_days": 0}, {"window_days": 3}, {"generations": 3}], ids=str
)
def test_every_incentive_is_charged_whoever_is_credited(found, paths, choices):
    other = read_again(found, paths["referrals"], **choices)
    charged = [result.incentive.sum() + result.uncredited_incentive.sum() for result in (found, other)]
    assert charged[1] == pytest.approx(charged[0])
    lifetime = other.customers.lifetime_value.sum()
    assert other.total_value == pytest.approx(lifetime + (other.saving * other.weight).sum() - charged[0])


def test_the_steps_of_the_total_explain_it(found):
    for choices in ({}, {"generations": 4, "decay": 1.0}, {"charge_type_two": True}):
        result = replace(found, settings=replace(found.settings, **choices))
        steps = result.tables["firm_total"].frame.set_index("step")["amount"]
        uncredited = steps["Incentives paid for referrals that are not credited"]
        assert uncredited >= 40 * 7.0 * 0.9
        total = steps["Total value of the customers"]
        saved = steps["Acquisition saved by referrals"]
        assert total == pytest.approx(steps["Lifetime values"] + saved - steps["Incentives paid"] - uncredited)
        uncharged = steps.get("Incentives not charged to type two", 0.0)
        assert (uncharged > 0) != result.settings.charge_type_two
        added_up = result.customers.lifetime_value.sum() + result.parts.net.sum()
        twice = steps["Counted twice if both values are added up"]
        assert added_up - twice - uncharged - uncredited == pytest.approx(total)


def test_of_direct_referrals_what_counts_twice_is_the_margin_of_those_brought(found):
    parts = found.parts.totals
    assert found.counted_twice == pytest.approx(parts.margin - parts.marketing)


# --- small groups ---------------------------------------------------------------------------------------


def test_too_few_brought_or_too_few_customers_are_untold(found):
    referrers, referees = len(np.unique(found.referrer)), len(np.unique(found.referee))
    same = replace(found, referee=np.full(len(found.referee), found.referee[0]))
    assert same.untold.startswith("Fewer than 5 customers were brought") and referrers > 5 and referees > 5
    few = replace(found, settings=replace(found.settings, min_cell=referees + 1), referrer=np.arange(len(same.referee)))
    assert few.untold and not found.untold


def test_tops_that_share_few_people_are_not_told(found):
    # everything may be told; then no more than is asked for, down to nothing
    all_tops = replace(found, settings=replace(found.settings, min_cell=1)).tables["overlap"].frame
    both = (all_tops["customers"] * all_tops["overlap"]).round()
    fewest = np.minimum(both, all_tops["customers"] - both)
    assert 1 < fewest.max() < 20
    for least in (int(fewest.max()), int(fewest.max()) + 1):
        shown = replace(found, settings=replace(found.settings, min_cell=least)).tables["overlap"].frame
        wanted = all_tops[(fewest == 0) | (fewest >= least)]
        if len(wanted):
            assert shown["customers"].tolist() == wanted["customers"].tolist()
        else:
            assert shown.columns.tolist() == ["reason"]


def test_what_few_of_a_tenth_brought_is_not_shown(found):
    frame = found.tables["value_by_decile"].frame
    order = np.argsort(-found.customers.lifetime_value, kind="stable")
    tenths = np.array_split(np.isin(order, found.referrer), 10)  # 400 customers: 40 each
    people = np.array([tenth.sum() for tenth in tenths])
    assert ((people > 0) & (people < 5)).any()
    told = frame[frame["measure"] == "referral_net"].set_index("decile")["mean"].notna().to_numpy()
    assert not told[(people > 0) & (people < 5)].any()
    assert people[~told].sum() >= 5 and (~told).sum() != 1  # nor is it in the total less the others
    assert frame[frame["measure"] == "lifetime_value"]["mean"].notna().all()
    found.figures["value_by_decile"].draw()


def test_means_of_few_statements_are_not_told(found):
    frame = found.referrals.frame
    few = frame.assign(
        **{name: frame[name].where(frame.index < 3) for name in ("acquisition_cost", "would_have_joined")}
    )
    table = replace(found, referrals=replace(found.referrals, frame=few)).tables["assumptions"].frame
    assert (table.loc[[0, 2], "stated_value"] == "not shown").all()
    assert table.loc[[0, 2], "assumed_value"].str.startswith("not shown").all()
    assert not table.loc[1, ["stated_value", "assumed_value"]].str.startswith("not shown").any()


def test_no_value_stands_beside_each_customer_that_must_not_be_added_up(found):
    assert "total_value" not in found.processed["referral_value"]
