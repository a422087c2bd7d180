"""The tables of the portfolio: they add up, show no small group nor what tells of one, and say what cannot be known."""

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some

from helpers.analyses.customer_portfolio import actions
from helpers.analyses.customer_portfolio.hidden import hidden_cells, rows_and_columns
from helpers.analyses.customer_portfolio.measurement import measure
from helpers.analyses.customer_portfolio.names import CLASSES, SEQUENCE, SHOWN
from helpers.analyses.customer_portfolio.reading import FILES
from helpers.analyses.customer_portfolio.settings import Settings
from helpers.analyses.customer_portfolio.tables import actions as actions_table
from helpers.analyses.customer_portfolio.tables import tables
from helpers.models.customer_portfolio.stages import STAGES
from helpers.models.customer_portfolio.tiers import BELOW_ZERO
from helpers.synthetic.firm import firm

QUICK = {"draws": 20, "resamples": 100, "bad_rows": "exclude"}
COLUMNS = {
    "classes": "class customers share current_value future_value lifetime_value referral_value next_step low high",
    "class_investment": "class customers marketing service share_of_investment share_of_future_value low high says",
    "migration": "class_then class_now customers share_of_row",
    "class_stability": "class customers certain mean_probability",
    "moved_cuts": "value step cut changed",
    "tiers": "tier customers share low high actual_value strategic_value cost_to_serve value action",
    "pyramid": "tier customers share sales share_of_sales margin profit lifetime_value share_of_lifetime_value",
    "abc": "class customers share sales share_of_sales",
    "market_position": "class position customers share_of_row",
    "concentration": "amount gini gini_low gini_high top_share share_below_zero share_below_zero_low loss_share",
    "equity_bridge": "line value low high",
    "time_sequence": "then now customers share_of_row",
    "rfm": "recency frequency customers mean_monetary",
    "preferences": "class category customers buyers reach reach_low reach_high share share_low share_high",
    "actions": "next_action customers share value why",
    "assumptions": "what kind value parameter",
    "data_accounting": "step rows amount reason",
}
COUNTED = ("classes", "tiers", "pyramid", "abc", "migration", "time_sequence", "rfm", "actions", "market_position")


@pytest.fixture(scope="module")
def made():
    return firm(400, seed=7).tables


@pytest.fixture(scope="module")
def found(made, tmp_path_factory):
    return measure(Settings.of(written(tmp_path_factory.mktemp("found"), made) | QUICK))


@pytest.fixture(scope="module")
def bare(made, tmp_path_factory):
    """The same purchases, of which nothing else is known."""
    bought = made["transactions"].drop(columns="margin")
    return measure(Settings.of(written(tmp_path_factory.mktemp("bare"), {"transactions": bought}) | QUICK))


@pytest.fixture(scope="module")
def three(made, tmp_path_factory):
    """A firm of three customers."""
    bought = made["transactions"]
    few = bought[bought["customer_id"].isin(bought["customer_id"].unique()[:3])]
    return measure(Settings.of(written(tmp_path_factory.mktemp("three"), {"transactions": few}) | QUICK))


def written(folder, given: dict) -> dict[str, str]:
    """Write tables as files of the user's own; the rest are not given."""
    paths = dict.fromkeys(FILES, "")
    for name in FILES:
        if name in given:
            paths[name] = str(folder / f"{name}.csv")
            given[name].to_csv(paths[name], index=False)
    return paths


def again(result, **choices):
    """Ask otherwise of what was read and valued."""
    return replace(result, settings=replace(result.settings, **choices))


def frames(result) -> dict[str, pd.DataFrame]:
    return {table.name: table.frame for table in tables(result)}


@pytest.fixture(scope="module")
def whole(found):
    """Every number, however few customers it is of."""
    return frames(again(found, min_cell=1))


# --- what others rely on -------------------------------------------------------------------------------------------


def test_tables_have_the_columns_that_others_rely_on(whole):
    for name, columns in COLUMNS.items():
        assert set(columns.split()) <= set(whole[name].columns), name
    assert {f"{name}_accounting" for name in FILES[1:]} <= set(whole)
    assert whole["classes"]["class"].tolist() == list(SHOWN)


def test_every_table_can_be_shown(found, bare, three):
    for result in (found, bare, three):
        for table in tables(result):
            assert table.caption and table._repr_html_(), table.name


def test_every_table_says_whether_it_has_intervals(found):
    for table in tables(found):
        if table.name in COLUMNS and table.name != "data_accounting":
            assert "interval" in table.caption.lower(), table.name


# --- they add up ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COUNTED)
def test_every_customer_counts_once(whole, found, name):
    """But for those who have left, who are in no class, and whom a migration does not hold if they had left before."""
    left = {"classes": found.now.ended.sum(), "migration": found.then.ended.sum()}.get(name, 0)
    assert whole[name]["customers"].sum() == len(found) - left


@pytest.mark.parametrize(
    ("name", "column"),
    [("classes", "lifetime_value"), ("tiers", "value"), ("pyramid", "lifetime_value"), ("actions", "value")],
)
def test_value_of_the_parts_is_that_of_all(whole, found, name, column):
    whose = ~found.now.ended if name == "classes" else slice(None)
    assert whole[name][column].sum() == pytest.approx(found.now.value[whose].sum(), abs=0.005)


def test_migration_is_the_cross_table_of_both_dates(whole, found):
    before = np.full(len(found), "not_yet", object)
    names = np.array([*CLASSES, "ended"])
    before[found.then.place] = names[found.classes_then]
    counted = before != "ended"
    expected = pd.crosstab(before[counted], names[found.classes[counted]])
    shown = whole["migration"].pivot(index="class_then", columns="class_now", values="customers")
    shown = shown.reindex(index=expected.index, columns=expected.columns)
    assert (shown == expected).all(axis=None)
    shares = whole["migration"].groupby("class_then")["share_of_row"].sum(min_count=1).dropna()
    np.testing.assert_allclose(shares, 1)


def test_bridge_adds_up_to_the_cent(whole):
    lines = whole["equity_bridge"].set_index("line")["value"]
    assert lines.drop("closing").sum() == pytest.approx(lines["closing"], abs=0.005)


def test_time_sequence_agrees_with_the_bridge(whole, found):
    cells, lines = whole["time_sequence"], whole["equity_bridge"].set_index("line")["customers"]
    was, dormant = cells["then"] != "not_yet", cells["now"] == "dormant"
    assert cells.loc[~was & ~dormant, "customers"].sum() == lines["new"]
    gone_before = cells["then"] == "dormant"
    left_before = cells.loc[gone_before, "customers"].sum() - lines["gone_before"]
    assert left_before == found.then.ended.sum() > 0
    there = was & ~gone_before
    assert cells.loc[there & dormant, "customers"].sum() == lines["lost"]
    assert cells.loc[there & ~dormant, "customers"].sum() == lines["growth"]
    back = cells.loc[gone_before & ~dormant, "customers"].sum()
    assert lines["opening"] == lines["lost"] + lines["growth"]
    assert lines["closing"] == lines["new"] + lines["growth"] + back


def test_investment_is_all_that_was_spent_on_those_who_are_left(whole, found, bare):
    here, lines = ~found.now.ended, whole["class_investment"]
    for part in ("marketing", "service"):
        assert lines[part].sum() == pytest.approx(found.now.sum_of(f"current_{part}")[here].sum()), part
    for share in ("share", "share_of_investment", "share_of_future_value"):
        assert lines[share].sum() == pytest.approx(1), share
    assert (lines["low"] <= lines["share_of_future_value"]).all() and (lines["high"] >= lines["share"]).any()
    assert "no costs are given" in frames(bare)["class_investment"]["reason"].iloc[0]


def test_position_in_the_segment_is_that_of_the_sums_of_purchases(whole, found, made):
    bought = made["transactions"].assign(date=pd.to_datetime(made["transactions"]["date"]))
    bought["customer_id"] = bought["customer_id"].astype(str)
    ends = [np.datetime64(shot.date, "ns") for shot in (found.now, found.then)]
    sums = [
        bought[(bought.date <= end) & (bought.date > end - pd.DateOffset(months=12))]
        .groupby("customer_id")["amount"]
        .sum()
        for end in map(pd.Timestamp, ends)
    ]
    frame = pd.DataFrame({"segment": found.segment}, index=found.customer_id)
    frame["now"], frame["then"] = (each.reindex(frame.index).fillna(0).clip(lower=0) for each in sums)
    shares = [frame[each] / frame.groupby("segment")[each].transform("sum") for each in ("now", "then")]
    gained = (frame["now"] > 0) & (frame["then"] > 0) & (shares[0] >= shares[1] - 1e-12)
    lines = whole["market_position"].groupby("position")["customers"].sum()
    assert lines["gained"] == gained.sum() and lines["first"] == ((frame["now"] > 0) & (frame["then"] == 0)).sum()


def test_preferences_are_shares_of_what_was_bought(whole, found, made, bare):
    bought = made["transactions"].query("amount >= 0").astype({"customer_id": str})
    who = pd.Series(np.array([*CLASSES, "ended"])[found.classes], found.customer_id)
    bought["class"] = bought["customer_id"].map(who)
    lines = whole["preferences"].set_index(["class", "category"])
    sums = bought.groupby(["class", "category"], observed=True)["amount"].sum()
    for name in SHOWN:
        np.testing.assert_allclose(lines.loc[name, "share"], sums[name].loc[lines.loc[name].index] / sums[name].sum())
    without = replace(bare.files.purchases, categories=None)
    untold = replace(bare, files=replace(bare.files, purchases=without))
    assert "name no category" in frames(untold)["preferences"]["reason"].iloc[0]


@pytest.mark.parametrize("least", [5, 60])
def test_categories_that_few_of_a_class_bought_are_not_shown(found, least):
    lines = frames(again(found, min_cell=least))["preferences"]
    shown = lines[lines["share"].notna()]
    assert ((shown["buyers"] == 0) | (shown["buyers"] >= least)).all()
    hidden = lines[lines["share"].isna()].groupby("class").size()
    assert (hidden != 1).all(), "the others would tell of it"
    # of two hidden shares the sum is known; with the evenness both would be
    assert lines[lines["class"].isin(hidden.index)]["evenness"].isna().all()


def test_evenness_of_small_classes_is_not_shown(found, whole):
    assert whole["preferences"]["evenness"].between(0, 1).all()
    shown = frames(again(found, current_cut="quantile", current_cut_at=1 - 3.5 / len(found)))["preferences"]
    assert shown["evenness"].isna().all()


def test_accounting_adds_up(whole):
    for name in ("data", *FILES[1:]):
        frame = whole[f"{name}_accounting"]
        rows = frame["rows" if "rows" in frame else "respondents"]
        assert rows.iloc[:-1].sum() == rows.iloc[-1], name


# --- no small group ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("least", [5, 50, 150])
def test_no_small_group_is_shown(found, least):
    shown = frames(again(found, min_cell=least))
    for name in COUNTED:
        counts = shown[name]["customers"].dropna()
        assert ((counts == 0) | (counts >= least)).all(), name
        people = shown[name][shown[name]["customers"].isna()]
        assert people[people.columns.intersection(["share", "share_of_row", "value", "sales", "low"])].isna().all(None)


def test_one_small_class_hides_the_others_and_who_came_from_where(found):
    few_gold = again(found, current_cut="quantile", current_cut_at=1 - 3.5 / len(found))
    assert 0 < np.bincount(few_gold.classes, minlength=5)[CLASSES.index("gold")] < 5
    shown = frames(few_gold)
    assert shown["classes"]["customers"].isna().all() and shown["classes"]["next_step"].notna().all()
    assert shown["migration"]["customers"].isna().all()
    assert shown["class_stability"]["customers"].isna().all()


def test_action_for_all_but_a_few_of_a_class_is_hidden(found):
    """With the size of the class it would tell of those few."""
    gold = found.classes == CLASSES.index("gold")
    own = frames(again(found, min_cell=1))["actions"].set_index("next_action")["customers"]["keep"]
    rest = int(gold.sum() - own)
    assert 1 <= rest < own, "the firm has to have gold customers for whom something else is to be done"
    shown = frames(again(found, min_cell=rest + 1))["actions"].set_index("next_action")["customers"]
    assert np.isnan(shown["keep"])


def test_what_is_said_of_an_action_holds_of_those_it_is_for(found):
    told = np.array(actions.ACTIONS)[found.actions]
    stage, classes = np.array(STAGES)[found.stages], np.array([*CLASSES, "ended"])[found.classes]
    below = found.tiers == BELOW_ZERO
    left, fades = stage == "ended", stage == "decline"
    assert (left == np.isin(told, ["none", "win_back"])).all() and (
        fades == np.isin(told, ["reinvest", "let_go"])
    ).all()
    assert ((told == "reprice") == (below & ~left & ~fades)).all()
    assert ((told == "explore") <= ((stage == "exploration") & ~below)).all()
    assert (np.isin(told, ["win_back", "reinvest"]) == found.reinvests).all()
    for name, one in actions_table.OF_CLASS.items():
        assert (classes[told == name] == one).all()
    assert set(actions_table.WHY) == set(actions.ACTIONS)


def test_lines_of_the_bridge_are_hidden_where_few_are_new(found):
    sizes = frames(again(found, min_cell=1))["equity_bridge"].set_index("line")["customers"]
    shown = frames(again(found, min_cell=int(sizes["new"]) + 1))["equity_bridge"].set_index("line")
    assert np.isnan(shown.loc["new", "value"]) and np.isnan(shown.loc["opening", "customers"])
    assert shown["value"].drop(["opening", "closing"]).isna().sum() >= 2


def test_bridge_tells_of_no_few_who_are_new_and_gone_again(found):
    """With those of the new who are still there all of the new, whom the time sequence has, would tell of them."""
    known = np.zeros(len(found), bool)
    known[found.then.place] = True
    again = int((~known & found.gone).sum())
    assert 1 <= again < found.equity_bridge.new
    shown = frames(replace(found, settings=replace(found.settings, min_cell=again + 1)))["equity_bridge"]
    assert shown.set_index("line").loc[["new", "closing"], "customers"].isna().all()


def test_few_who_have_probably_gone_are_not_told_from_those_who_left(found):
    """Less those with an exit, whom the stages count, they would follow from the customers of the bridge."""
    here, probably = ~found.now.ended, 3
    below = float(np.sort(found.now.probability_alive[here])[probably])
    many, few = (again(found, min_cell=probably + more, alive_below=below) for more in (0, 1))
    left = int((~here).sum())
    assert int(many.gone.sum()) == left + probably and int(few.gone.sum()) == left


def test_three_customers_are_not_told_apart(three):
    shown = frames(three)
    assert len(three) == 3
    for name in COUNTED:
        assert "reason" in shown[name] or (shown[name]["customers"].dropna() == 0).all(), name
    assert shown["moved_cuts"]["changed"].isna().all()


@given(
    some.lists(some.integers(0, 30), min_size=12, max_size=12),
    some.integers(2, 12),
)
@example([15, 20, 15, 30, 23, 1, 4, 16, 25, 2, 21, 23], 10)
@example([0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 2, 1], 2)
@settings(max_examples=60, deadline=None)
def test_no_small_cell_follows_from_rows_and_columns(counts, least):
    known, counts = rows_and_columns(4, 3), np.array(counts)
    hidden = hidden_cells(counts, known, least)
    small = (counts > 0) & (counts < least)
    assert (hidden >= small).all()
    if not small.any():
        assert not hidden.any()
    sums = known[:, hidden].astype(float)
    for cell in np.flatnonzero(small):
        alone = (np.flatnonzero(hidden) == cell).astype(float)
        # a cell that is a combination of known sums could be computed; none is unless all of its sums are hidden whole
        follows = np.linalg.matrix_rank(np.vstack([sums, alone])) == np.linalg.matrix_rank(sums)
        assert not follows or hidden[known[known[:, cell]].any(axis=0)].all()
    for line in known:
        inside = line & hidden
        assert not inside.any() or counts[inside].sum() >= least or hidden[line].all()
    # of any rows less any columns nothing may be left but cells that can be seen to hold few; lines that are shown
    # whole tell nothing of what is hidden
    choices = ((False, True) if (line & hidden).any() else (False,) for line in known)
    for chosen in itertools.product(*choices):
        rest = np.array(chosen) * np.repeat([1, -1], [4, 3]) @ known
        inside = (rest > 0) & hidden
        if inside.any() and not hidden[rest < 0].any() and not hidden[rest != 0].all():
            assert counts[inside].sum() >= least


# --- what cannot be known ------------------------------------------------------------------------------------------


def test_what_is_not_given_is_named(bare):
    shown = frames(bare)
    for name in FILES[1:]:
        assert f"({name})" in shown[f"{name}_accounting"]["reason"].iloc[0]
    assert shown["classes"]["referral_value"].isna().all()
    captions = {table.name: table.caption for table in tables(bare)}
    assert "referrals" in captions["classes"] and "margin_rate" in captions["pyramid"]
    assert all("No costs are given" in captions[name] for name in ("tiers", "pyramid", "concentration"))


def test_assumptions_are_called_so(bare, found):
    kinds = [frames(one)["assumptions"].set_index("what")["kind"] for one in (bare, found)]
    assert kinds[0]["Margin of a purchase"] == "assumption" and kinds[1]["Margin of a purchase"] == "from the data"
    parameters = frames(found)["assumptions"]["parameter"].str.split(", ").explode()
    assert set(parameters) - {"–"} <= set(vars(Settings()))


def test_who_was_gone_at_both_dates_is_not_lost_in_between(found):
    """Their value changes, too: it stands in a line of its own."""
    rule = 0.97
    found = again(found, alive_below=rule)
    then, now = found.then, found.now
    both = ~then.ended & (then.probability_alive < rule)
    faded = found.gone[then.place]
    lost = ~then.ended & ~both & faded
    assert both.any() and found.equity_bridge.lost == lost.sum() and found.equity_bridge.gone_before == both.sum()
    change = (now.future_value[then.place] - then.future_value)[both].sum()
    assert found.equity_bridge.lines["gone_before"].value == pytest.approx(change)


def test_stages_say_what_the_sources_ask_for(whole):
    told = whole["stages"].query("when == 'now'").set_index("stage")["asks_for"]
    assert "survey" in told["exploration"] and "let go" in told["decline"] and told["stable"] == ""


def test_nobody_is_new_now_who_was_a_customer_long_ago(whole):
    cells = whole["time_sequence"].set_index(["then", "now"])["customers"]
    assert cells[("active", "new")] == 0 and cells[("dormant", "new")] == 0
    assert set(cells.index.get_level_values("now")) == set(SEQUENCE)
