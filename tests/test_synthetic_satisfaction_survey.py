import math

import numpy as np
import pandas as pd
import pytest

from helpers.data.satisfaction_models import read_model
from helpers.synthetic.satisfaction_survey import (
    CONSTRUCTS,
    DONT_KNOW,
    ITEMS,
    PATHS,
    SEGMENT_SHIFTS,
    SEGMENTS,
    WAVE_SHIFTS,
    WAVES,
    satisfaction_survey,
)

CLEAN = {"straight_lining": 0, "dont_know": 0, "blank": 0, "mostly_missing": 0, "duplicates": 0}
NO_GROUPS = {"segments": {}, "waves": ()}
PLAIN = {**CLEAN, **NO_GROUPS, "delight": 0, "penalty": 0, "reward": 0}
MANY = 60_000


def value(truth, name, segment="all", wave="all"):
    [found] = truth.query("name == @name and segment == @segment and wave == @wave")["value"]
    return found


@pytest.fixture(scope="module")
def survey():
    return satisfaction_survey()


@pytest.fixture(scope="module")
def large():
    return satisfaction_survey(MANY, 3, **CLEAN)


@pytest.fixture(scope="module")
def plain():
    return satisfaction_survey(MANY, 3, **PLAIN)


# --- the table ------------------------------------------------------------------------------------------


def test_table_keeps_its_contract(survey):
    table, truth = survey
    assert list(table.columns) == ["respondent_id", "segment", "wave", *ITEMS]
    assert len(table) == 1500 and table["respondent_id"].is_unique
    assert set(table["segment"]) == set(SEGMENTS) and set(table["wave"]) == set(WAVES)
    assert table["wave"].is_monotonic_increasing
    assert np.isin(table[list(ITEMS)].stack(), [*range(1, 11), DONT_KNOW]).all()
    assert list(truth.columns) == ["name", "segment", "wave", "value"]
    assert np.isfinite(truth["value"]).all()
    assert not truth.duplicated(["name", "segment", "wave"]).any()


def test_csv_holds_whole_numbers_and_is_small(survey):
    text = survey[0].to_csv(index=False)
    assert len(text) < 150_000
    assert ".0" not in text


def test_every_built_in_model_finds_its_items():
    assert set(read_model("ecsi").items) == set(ITEMS)
    for name in ("ecsi", "acsi", "ccsi", "sparse"):
        model = read_model(name)
        assert all(ITEMS[item][0] == key for key, items in model.constructs.items() for item in items)


def test_seed_decides_everything():
    for one, other in zip(satisfaction_survey(300, 3), satisfaction_survey(300, 3), strict=True):
        pd.testing.assert_frame_equal(one, other)
    assert not satisfaction_survey(300, 3)[0].equals(satisfaction_survey(300, 4)[0])


def test_one_segment_is_small(survey):
    assert survey[0]["segment"].value_counts().min() < 120


def test_groups_that_are_not_wanted_have_no_column():
    table, truth = satisfaction_survey(50, 1, **NO_GROUPS)
    assert list(table.columns) == ["respondent_id", *ITEMS]
    assert set(truth["segment"]) == set(truth["wave"]) == {"all"}
    table, truth = satisfaction_survey(50, 1, waves=())
    assert "segment" in table and "wave" not in table
    assert set(truth["segment"]) == {"all", *SEGMENTS} and set(truth["wave"]) == {"all"}


# --- the truth is what is there -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "planted",
    [{}, {"delight": -0.3, "delight_from": -0.5, "penalty": 3.0, "reward": 0.5}, {"loadings": {"CUSA1": 0.4}}],
    ids=["default", "saturation", "weak item"],
)
def test_mean_answers_are_those_integrated(planted, large):
    table, truth = satisfaction_survey(MANY, 3, **CLEAN, **planted) if planted else large
    answers = table.astype(dict.fromkeys(ITEMS, float)).drop(columns="respondent_id")
    for kept in (["segment", "wave"], ["segment"], ["wave"], []):
        alike = {name: "all" for name in ("segment", "wave") if name not in kept}
        cells = answers.assign(**alike).groupby(["segment", "wave"])[list(ITEMS)]
        expected = truth.pivot(index=["segment", "wave"], columns="name", values="value")
        expected = expected.loc[cells.mean().index, [f"answer_{item}" for item in ITEMS]]
        error = cells.std().to_numpy() / np.sqrt(cells.size().to_numpy())[:, None]
        # 16 cells of 24 items, of which none in a thousand runs should stray so far
        assert (np.abs(cells.mean().to_numpy() - expected.to_numpy()) < 5 * error).all()


def test_index_is_that_of_the_mean_answers(large):
    table, truth = large
    for name in CONSTRUCTS:
        items = [item for item, entry in ITEMS.items() if entry[0] == name]
        answers = [value(truth, f"answer_{item}", "south", "2025-1") for item in items]
        assert value(truth, f"index_{name}", "south", "2025-1") == pytest.approx((np.mean(answers) - 1) / 9 * 100)
    score = (table[["CUSA1", "CUSA2", "CUSA3"]].mean(axis=1) - 1) / 9 * 100
    assert value(truth, "index_satisfaction") == pytest.approx(score.mean(), abs=0.2)


def correlations(table):
    """Estimate the constructs' correlations free of the items' errors, as the heterotrait-monotrait ratio does."""
    items = table[list(ITEMS)].astype(float).corr().to_numpy()
    block = np.array([CONSTRUCTS.index(entry[0]) for entry in ITEMS.values()])
    pairs = ~np.eye(len(block), dtype=bool)
    within = np.full(7, ITEMS["CUSCO"][1] ** 2)  # what one item has in common cannot be estimated
    for k in set(range(7)) - {CONSTRUCTS.index("complaints")}:
        within[k] = items[np.outer(block == k, block == k) & pairs].mean()
    between = np.array([[items[np.ix_(block == j, block == k)].mean() for k in range(7)] for j in range(7)])
    found = between / np.sqrt(np.outer(within, within))
    np.fill_diagonal(found, 1)
    return found


def regressions(correlation):
    paths = {}
    for target, name in enumerate(CONSTRUCTS):
        sources = [k for k, source in enumerate(CONSTRUCTS) if (source, name) in PATHS]
        if sources:
            found = np.linalg.solve(correlation[np.ix_(sources, sources)], correlation[sources, target])
            paths |= {(CONSTRUCTS[k], name): one for k, one in zip(sources, found, strict=True)}
    return paths


def test_paths_are_found(plain):
    """Cutting and rounding flatten the answers a little, unequally between items; hence the tolerance."""
    table, truth = plain
    found = regressions(correlations(table))
    assert set(found) == set(PATHS)
    for (source, target), estimate in found.items():
        assert estimate == pytest.approx(value(truth, f"path_{source}_{target}"), abs=0.03), (source, target)


def test_a_path_of_zero_is_no_path():
    table, truth = satisfaction_survey(MANY, 3, **PLAIN, paths={("perceived_quality", "perceived_value"): 0})
    found = regressions(correlations(table))
    assert found["perceived_quality", "perceived_value"] == pytest.approx(0, abs=0.02)
    assert value(truth, "path_perceived_quality_perceived_value") == 0


def test_loadings_are_found(plain):
    """Of three items the loading follows from three correlations; the cut takes a little."""
    table, truth = plain
    r = table[["CUSA1", "CUSA2", "CUSA3"]].astype(float).corr().to_numpy()
    assert math.sqrt(r[0, 1] * r[0, 2] / r[1, 2]) == pytest.approx(value(truth, "loading_CUSA1"), abs=0.02)
    r = table[["CUSL1", "CUSL2", "CUSL3"]].astype(float).corr().to_numpy()
    assert math.sqrt(r[0, 1] * r[1, 2] / r[0, 2]) == pytest.approx(value(truth, "loading_CUSL2"), abs=0.02)


def test_segments_and_waves_move_as_planted(large):
    table, truth = large
    score = table["PERQ1"].astype(float)
    south = score[table["segment"] == "south"].mean() - score[table["segment"] == "north"].mean()
    _, loading, _, deviation = ITEMS["PERQ1"]
    assert south == pytest.approx(loading * deviation * value(truth, "shift_perceived_quality", "south"), abs=0.04)
    # quality carries its fall on to value and satisfaction, not back to image
    assert value(truth, "index_satisfaction", "south") < value(truth, "index_satisfaction", "north") - 2
    assert value(truth, "index_image", "south") == pytest.approx(value(truth, "index_image", "north"))
    assert value(truth, "index_perceived_value", "all", "2024-2") < value(
        truth, "index_perceived_value", "all", WAVES[0]
    )
    assert value(truth, "index_satisfaction", "all", "2025-1") > value(truth, "index_satisfaction", "all", "2024-2") + 3


def test_without_shifts_all_groups_are_equal():
    _, truth = satisfaction_survey(60, 1, segment_shifts={}, wave_shifts={})
    spread = truth[truth["name"].str.startswith("index_")].groupby("name")["value"].agg(np.ptp)
    assert (spread < 1e-9).all()
    assert not truth["name"].str.startswith("shift_").any()


def bend(table):
    """How much steeper loyalty is on the upper half of satisfaction than on the lower."""
    satisfaction = table[["CUSA1", "CUSA2", "CUSA3"]].astype(float).mean(axis=1).rank(method="first")
    loyalty = table[["CUSL1", "CUSL3"]].astype(float).mean(axis=1)
    means = loyalty.groupby(pd.qcut(satisfaction, [0, 0.2, 0.5, 0.8, 1], labels=False)).mean().to_numpy()
    return (means[3] - means[2]) - (means[1] - means[0])


def test_knee_of_loyalty_is_there_and_goes_with_zero(plain):
    kneed, _ = satisfaction_survey(MANY, 3, **PLAIN | {"delight": 0.6})
    saturated, _ = satisfaction_survey(MANY, 3, **PLAIN | {"delight": -0.3})
    assert abs(bend(plain[0])) < 0.08
    assert bend(kneed) > 0.4 and bend(saturated) < -0.2


def test_knee_stands_at_the_index_told():
    """With all but no error in the items, the two slopes meet where the truth says."""
    exact = {item: 0.999 for item, entry in ITEMS.items() if entry[0] in ("satisfaction", "loyalty")}
    nothing_else = {("satisfaction", "loyalty"): 0, ("image", "loyalty"): 0, ("complaints", "loyalty"): 0}
    table, truth = satisfaction_survey(
        MANY, 3, **PLAIN | {"delight": 0.9, "delight_from": 0.4}, loadings=exact, paths=nothing_else
    )
    score = (table[["CUSA1", "CUSA2", "CUSA3"]].astype(float).mean(axis=1) - 1) / 9 * 100
    loyalty = table["CUSL1"].astype(float).groupby(score.round(6)).agg(["mean", "size"]).query("size > 300")
    knees = np.arange(50, 86, 0.5)
    fits = []
    for knee in knees:
        design = np.column_stack([np.ones(len(loyalty)), loyalty.index, np.maximum(loyalty.index - knee, 0)])
        root = np.sqrt(loyalty["size"].to_numpy())
        fits.append(np.linalg.lstsq(design * root[:, None], loyalty["mean"] * root)[1][0])
    assert knees[np.argmin(fits)] == pytest.approx(value(truth, "delight_from_index"), abs=3)


def penalty_and_reward(table):
    """Regress overall satisfaction on low and high answers to each driver."""
    drivers = [f"PERQ{number}" for number in range(2, 8)]
    answers = table[drivers].astype(float).to_numpy()
    design = np.column_stack([np.ones(len(answers)), answers <= 6, answers >= 9])
    found = np.linalg.lstsq(design, table["CUSA1"].astype(float).to_numpy())[0]
    return dict(zip(drivers, found[1:7], strict=True)), dict(zip(drivers, found[7:], strict=True))


def test_one_item_only_disappoints_and_one_only_delights():
    """The others are even: both effects come from their construct alone."""
    table, truth = satisfaction_survey(MANY, 3, **PLAIN | {"penalty": 1.0, "reward": 1.0})
    even, _ = satisfaction_survey(MANY, 3, **PLAIN)
    low, high = penalty_and_reward(table)
    low_even, high_even = penalty_and_reward(even)
    assert low["PERQ7"] - low_even["PERQ7"] == pytest.approx(-value(truth, "penalty_PERQ7"), abs=0.1)
    assert high["PERQ2"] - high_even["PERQ2"] == pytest.approx(value(truth, "reward_PERQ2"), abs=0.15)
    for item in ("PERQ3", "PERQ4", "PERQ5", "PERQ6"):
        assert low[item] == pytest.approx(low_even[item], abs=0.06)
        assert high[item] == pytest.approx(high_even[item], abs=0.06)
    assert max(abs(low_even[item] + high_even[item]) for item in low) < 0.15


# --- respondents as they come ---------------------------------------------------------------------------


def answers_of(table):
    return table[list(ITEMS)].astype(float).replace(DONT_KNOW, np.nan)


def test_what_was_done_to_the_sample_is_counted(survey):
    table, truth = survey
    answers = answers_of(table)
    alike = (answers.nunique(axis=1) == 1) & (answers.count(axis=1) >= 5)
    assert alike.sum() == value(truth, "straight_lining_respondents") == round(0.015 * 1500)
    assert (answers.count(axis=1) < 12).sum() == value(truth, "mostly_missing_respondents") == round(0.004 * 1500)
    assert (table[list(ITEMS)] == DONT_KNOW).sum().sum() == value(truth, "dont_know_answers")
    assert table[list(ITEMS)].isna().sum().sum() == value(truth, "blank_answers")
    copies = table.duplicated(table.columns[1:].tolist())
    assert copies.sum() == value(truth, "identical_respondents") >= 1
    assert (copies & ~alike).sum() == 1


def test_rates_are_those_asked_for():
    table, truth = satisfaction_survey(20_000, 3, **CLEAN | {"dont_know": 0.1, "blank": 0.05})
    answers = 20_000 * len(ITEMS)
    assert value(truth, "blank_answers") / answers == pytest.approx(0.05, abs=0.002)
    assert value(truth, "dont_know_answers") / answers == pytest.approx(0.1 * 0.95, abs=0.002)
    assert table[list(ITEMS)].notna().any(axis=1).all()


def test_zero_switches_off_and_leaves_the_rest(survey):
    table, truth = satisfaction_survey(**CLEAN)
    done = ("straight_lining_respondents", "mostly_missing_respondents", "identical_respondents")
    assert all(value(truth, name) == 0 for name in (*done, "dont_know_answers", "blank_answers"))
    before = answers_of(survey[0]).to_numpy()
    same = (before == answers_of(table).to_numpy()) | np.isnan(before)
    assert (~same.all(axis=1)).sum() <= 23  # the straight-liners, and the copy
    off = {"delight": 0, "penalty": 0, "reward": 0, "segment_shifts": {}, "wave_shifts": {}}
    nothing, truth = satisfaction_survey(2000, 1, paths=dict.fromkeys(PATHS, 0), **off, **CLEAN)
    r = nothing[["IMAG1", "CUEX1", "PERQ1", "PERV1", "CUSA1", "CUSCO", "CUSL1"]].astype(float).corr().to_numpy()
    assert np.abs(r - np.eye(7)).max() < 5 / math.sqrt(2000)


@pytest.mark.parametrize("respondents", [1, 2, 8])
def test_a_handful_of_respondents(respondents):
    table, _ = satisfaction_survey(respondents, duplicates=0)
    assert len(table) == respondents


@pytest.mark.parametrize(
    "change, words",
    [
        ({"respondents": 0}, "respondents must be at least 1"),
        ({"duplicates": -1}, "duplicates not negative"),
        ({"duplicates": 60}, "fewer respondents"),
        ({"straight_lining": 1.2}, "straight_lining must be a share"),
        ({"blank": -0.1}, "blank must be a share"),
        ({"dont_know": math.nan}, "dont_know must be a share"),
        ({"mostly_missing": 0.6, "straight_lining": 0.6}, "fewer respondents"),
        ({"penalty": -1}, "penalty and reward not negative"),
        ({"delight": math.inf}, "delight must be finite"),
        ({"delight": 5.0}, "the paths to loyalty explain"),
        ({"paths": {("image", "expectations"): 1.0}}, "the paths to expectations explain 100%"),
        ({"paths": {("loyalty", "image"): 0.1}}, "loyalty cannot act on image"),
        ({"paths": {("image", "imgae"): 0.1}}, "'imgae' is no construct"),
        ({"paths": {("image", "expectations"): math.nan}}, "the paths to expectations explain"),
        ({"loadings": {"CUSA9": 0.5}}, "'CUSA9' is no item"),
        ({"loadings": {"CUSA1": 1.0}}, "loadings must lie between"),
        ({"segments": {"north": 0}}, "shares of the segments must be positive"),
        ({"waves": ("a", "a")}, "a wave is named twice"),
        ({"segment_shifts": {"south": {"quality": 1}}}, "'quality' is no construct"),
        ({"wave_shifts": {"2024-2": {"value": 1}}}, "'value' is no construct"),
    ],
)
def test_impossible_surveys_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        satisfaction_survey(**{"respondents": 100} | change)


def test_defaults_plant_something_everywhere():
    assert all(PATHS.values()) and any(SEGMENT_SHIFTS.values()) and any(WAVE_SHIFTS.values())
