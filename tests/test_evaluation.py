"""The evaluation of lifetime value: published scores, planted winners and losers, words that follow, poor data."""

import datetime
import json

import numpy as np
import pandas as pd
import pytest
from tqdm import tqdm

from helpers.analyses.lifetime_value import analyse
from helpers.analyses.lifetime_value.evaluation import agreement, robustness, tables
from helpers.analyses.lifetime_value.evaluation.recommendation import PURPOSES, best_rule
from helpers.analyses.lifetime_value.evaluation.split import NAIVE, collect, rescaled
from helpers.analyses.lifetime_value.settings import Periods
from helpers.data import customer_summary
from helpers.data.refusal import InputRefused
from helpers.models.lifetime_value import scores
from helpers.synthetic.transactions import transactions
from tests.published import evaluation as published
from tests.published.lifetime_value import CUSTOMERS_BY_FREQUENCY, HOLDOUT_ACTUAL_BY_FREQUENCY

QUICK = {"draws": 100, "resamples": 100, "split_dates": 0}


@pytest.fixture(scope="module")
def sample():
    return analyse(transactions="cdnow_sample", split_dates=3)


@pytest.fixture(scope="module")
def evaluation(sample):
    return sample.evaluation


def evaluated(folder, purchases, **choices):
    """Analyse purchases that are given as a frame or as the lines of a CSV file."""
    path = folder / "p.csv"
    if isinstance(purchases, str):
        path.write_text("customer_id,date,amount\n" + purchases, encoding="utf-8")
    else:
        purchases.to_csv(path, index=False)
    return analyse(transactions=str(path), **QUICK | choices)


def test_scoreboard_is_the_published_one_within_its_rounding(evaluation):
    scores = evaluation.split.scores
    for method, row in published.SCOREBOARD.items():
        for measure, (value, half_a_digit) in row.items():
            assert scores.value(method, measure) == pytest.approx(value, abs=half_a_digit), (method, measure)


def test_interval_of_each_score_holds_it_and_undefined_ones_are_left_out(sample):
    frame = sample.tables["scoreboard"].frame
    assert set(frame.method) == {"bg_nbd", "mbg_nbd", "nbd", "pareto_nbd", *NAIVE}
    defined = frame.dropna(subset=["value"])
    inside = (defined.low <= defined.value + 1e-12) & (defined.value - 1e-12 <= defined.high)
    # a percentile interval may leave a skewed estimate out; not one of these does
    assert inside.all()
    assert set(frame[frame.value.isna()].measure) <= {"correlation", "correlation_spend"}
    assert set(frame[frame.method == "hiatus"].measure) == {"activity_accuracy"}


def test_intervals_are_called_by_what_they_rest_on(evaluation, monkeypatch):
    shown = tables.verdicts, tables.scoreboard, tables.split_dates
    assert all("95 % bootstrap interval" in table(evaluation).caption for table in shown)
    monkeypatch.setattr(scores, "MOST_RESAMPLED", 1)
    assert all("95 % jackknife interval" in table(evaluation).caption for table in shown)


@pytest.mark.parametrize("model", published.HOLDOUT_BY_FREQUENCY)
def test_holdout_by_frequency_is_the_published_one(evaluation, model):
    frame = evaluation.frequency
    mean, distance = published.HOLDOUT_BY_FREQUENCY[model]
    np.testing.assert_allclose(frame[f"expected_{model}"] / frame.customers, mean, atol=distance)
    assert tuple(frame.customers) == CUSTOMERS_BY_FREQUENCY
    np.testing.assert_allclose(frame.actual / frame.customers, HOLDOUT_ACTUAL_BY_FREQUENCY, atol=5.1e-5)


def test_activity_of_the_rules_is_the_published_one(evaluation):
    found = evaluation.activity.set_index(["method", "rule"]).accuracy
    for rule, accuracy in published.ACTIVITY.items():
        assert found[rule] == pytest.approx(accuracy, abs=5.1e-4), rule


def test_tracking_follows_the_published_actuals(evaluation):
    frame = evaluation.tracking
    weeks = slice(published.TRACKED_WEEKS[0] - 1, published.TRACKED_WEEKS[-1])
    assert tuple(frame.cumulative_actual[weeks]) == published.CUMULATIVE_ACTUAL
    assert tuple(frame.actual[weeks]) == published.INCREMENTAL_ACTUAL
    assert frame.cumulative_actual.iloc[-1] == published.REPEAT_PURCHASES_AT_WEEK_78
    assert frame.period_end.iloc[-1] == "1998-06-30"
    inside = frame.actual.between(frame.low, frame.high)
    assert 0.6 < inside.mean() < 1  # season and campaigns move weeks more than chance does
    np.testing.assert_allclose(frame.expected_bg_nbd.cumsum(), frame.cumulative_expected_bg_nbd)


def test_tracked_expectation_at_the_end_of_calibration_is_that_of_each_customer(evaluation):
    model = evaluation.split.fits["bg_nbd"].model
    by_customer = model.new_customer_expected_purchases(evaluation.split.customers["T"].to_numpy()).sum()
    row = evaluation.tracking.query("period_end == '1997-09-30'")
    assert row.cumulative_expected_bg_nbd.item() == pytest.approx(by_customer)


def test_reliability_parts_all_customers_and_keeps_their_mean(evaluation):
    for model, rows in evaluation.reliability.groupby("method"):
        assert rows.customers.sum() == 2357
        probability = evaluation.split.probability_of_purchase[model]
        assert rows.predicted @ rows.customers == pytest.approx(probability.sum())
        assert rows.observed @ rows.customers == pytest.approx(684)
        assert rows.predicted.is_monotonic_increasing


def test_every_way_to_group_customers_adds_up(evaluation):
    for frame in (evaluation.frequency, evaluation.recency, evaluation.cohorts):
        assert frame.customers.sum() == 2357 and frame.actual.sum() == 1882
        expected = evaluation.split.scores.value("bg_nbd", "total")
        assert frame.expected_bg_nbd.sum() == pytest.approx(expected)


def test_unit_of_time_moves_nothing_and_merging_does(evaluation):
    totals = {
        (split.time_unit, split.merge_period): split.scores.value("bg_nbd", "total")
        for split in evaluation.measurements
    }
    assert totals["D", "D"] == pytest.approx(totals["W", "D"], rel=1e-7)
    assert totals["M", "D"] == pytest.approx(totals["W", "D"], rel=1e-7)
    actual = {split.merge_period: split.actual for split in evaluation.measurements}
    assert actual["D"] > actual["W"] > actual["M"]
    merged = next(split for split in evaluation.measurements if split.merge_period == "M")
    assert merged.regular_k > 1  # a month that counts as one purchase makes any customer look regular


def test_opening_words_draw_the_conclusion(sample):
    found = sample.evaluation.recommendation
    assert found.model == "bg_nbd" and set(found.standing) == {"bg_nbd", "mbg_nbd", "pareto_nbd"}
    assert "**Recommended: BG/NBD**" in sample.answer
    words = {verdict.purpose: verdict.word for verdict in found.verdicts}
    assert words == {"total": "better", "each": "better", "ranking": "open", "spending": "worse", "activity": "open"}
    assert "- **better at how much all will buy**: error of the total 12.1\N{NO-BREAK SPACE}% against" in sample.answer
    assert "- **worse at who will spend most**: Gini of spend 0.638 against 0.690" in sample.answer
    assert "- **not to be told apart at who will buy at all**: accuracy" in sample.answer
    assert "outside that interval" in sample.answer
    names = {headline.name for headline in sample.headlines}
    assert {f"{purpose}_against_rule" for purpose in PURPOSES} <= names


def test_rule_is_against_the_best_naive_rule_of_each_measure(evaluation):
    scores = evaluation.split.scores
    for verdict in evaluation.recommendation.verdicts:
        measure = PURPOSES[verdict.purpose][1]
        others = [abs(scores.value(rule, measure)) for rule in NAIVE if (rule, measure) in scores.values]
        best = min(others) if measure in ("total_error", "rmse") else max(others)
        assert abs(scores.value(verdict.rival, measure)) == best
        assert verdict.low <= verdict.difference <= verdict.high
    assert best_rule(evaluation.split, "mae") == "zero"


def test_every_measure_has_its_difference_from_the_best_rule(sample):
    frame = sample.tables["differences"].frame
    scored = set(sample.tables["scoreboard"].frame.query("method == 'bg_nbd'").measure)
    # totals are no better for being more or less, and no naive rule states a probability
    assert set(frame.measure) == scored - {"total", "total_spend", "activity_brier"}
    assert set(frame.method) == {"bg_nbd", "mbg_nbd", "nbd", "pareto_nbd"}
    assert ((frame.low <= frame.difference) & (frame.difference <= frame.high)).all()


def test_chosen_model_values_the_customers():
    pareto = analyse(transactions="cdnow_sample", model="pareto_nbd", **QUICK)
    assert pareto.observation.purchases.names == ("r", "alpha", "s", "beta")
    expected = pareto.observation.purchases.model.expected_purchases(
        *(pareto.customers[name] for name in ("frequency", "recency", "T")), 52
    )
    np.testing.assert_allclose(pareto.customers.expected_purchases, expected)
    assert pareto.customers.probability_alive[pareto.customers.frequency == 0].max() < 1
    assert "Pareto/NBD expected 1,666 purchases" in pareto.answer
    assert "set model to bg_nbd for a report by it" in pareto.answer
    by_recommended = analyse(transactions="cdnow_sample", **QUICK).customers.potential_value.sum()
    assert pareto.recommended_value[0] == pytest.approx(by_recommended)
    assert next(h.value for h in pareto.headlines if h.name == "bgnbd_r") == pytest.approx(0.2426, abs=1e-4)


# ---- planted winners and losers ----


def test_planted_worse_model_loses_and_the_true_one_beats_the_rules(tmp_path):
    bought, _ = transactions(4000, seed=11, r=0.8, alpha=3.0, a=1.5, b=1.5)
    result = evaluated(tmp_path, bought, resamples=300)
    found = result.evaluation.recommendation
    assert "nbd" in found.candidates and "nbd" not in found.standing  # customers leave, and it says nobody does
    assert found.model in ("bg_nbd", "mbg_nbd")
    words = {verdict.purpose: verdict.word for verdict in found.verdicts}
    assert words["total"] == words["each"] == "better"
    assert ", inside that interval" in result.answer
    assert not any("than were made" in warning for warning in result.warnings)


def test_planted_better_rule_wins(tmp_path):
    """Everyone buys as often after the split as before, at random days: past rate is the truth, a model shrinks it."""
    rng, start, lines = np.random.default_rng(9), datetime.date(2023, 1, 1), []
    for customer in range(300):
        repeats = (1, 2, 4, 8, 16)[customer % 5]
        days = [
            customer % 5,
            *rng.choice(np.arange(6, 361), repeats, False),
            *rng.choice(np.arange(361, 722), repeats, False),
        ]
        lines += [f"{customer},{start + datetime.timedelta(days=int(day))},{10 + customer % 7}" for day in days]
    split = {"calibration_end": "2023-12-27", "observation_end": "2024-12-22"}
    result = evaluated(tmp_path, "\n".join(lines), **split)
    words = {verdict.purpose: verdict.word for verdict in result.evaluation.recommendation.verdicts}
    assert words["each"] == "worse" and "better" not in words.values()
    assert "**The model is not better here than rules that need none.**" in result.answer
    assert "- **worse at how much each will buy**" in result.answer


def test_regular_buyers_are_told_from_random_ones(tmp_path):
    """Gaps of three months, a few days early or late: regular, and long enough for merging by day not to matter."""
    rng, start, lines = np.random.default_rng(2), datetime.date(2021, 1, 1), []
    for customer in range(200):
        days = customer % 60 + np.cumsum(np.append(0, rng.integers(70, 111, 10)))
        lines += [f"{customer},{start + datetime.timedelta(days=int(day))},10" for day in days]
    result = evaluated(tmp_path, "\n".join(lines))
    assert result.evaluation.regularity.low > 1 and result.evaluation.split.regular_k > 1
    assert "more regularly than the usual models assume" in result.answer


def subscribers(customers=400, days=720, seed=3):
    """Buy once a month, a few days early or late, and leave with one probability at each month."""
    rng, start, lines = np.random.default_rng(seed), datetime.date(2022, 1, 1), []
    for customer in range(customers):
        day = int(rng.integers(0, 200))
        while day < days:
            lines.append(f"{customer},{start + datetime.timedelta(days=day)},20")
            if rng.random() < 0.05:
                break
            day += 30 + int(rng.integers(-2, 3))
    return "\n".join(lines)


def test_no_model_that_predicts_better_is_passed_over(tmp_path):
    """All leave with one probability, so that a and b run off; the predictions are determined all the same."""
    result = evaluated(tmp_path, subscribers())
    found, split = result.evaluation.recommendation, result.evaluation.split
    assert any(fit.unidentified for fit in split.fits.values())
    assert found.model not in ("", "nbd")
    for model in split.fits:
        assert split.scores.difference(model, found.model, "rmse")[2] >= 0, model
    assert f"**Recommended: {result.evaluation.labels[found.model]}**" in result.answer
    assert "by more than chance explains" not in found.reason or len(found.standing) == 1


def test_valuing_model_is_judged_even_where_it_is_another_by_name():
    result = analyse(transactions="cdnow_sample", model="mbg_cnbd_k", **QUICK)
    assert result.evaluation.split.regular_k == 1
    scores = result.evaluation.split.scores
    assert scores.value("mbg_cnbd_k", "total") == pytest.approx(scores.value("mbg_nbd", "total"))
    assert "MBG/CNBD-k expected 1,577 purchases" in result.answer


def test_models_that_serve_a_purpose_better_are_named(evaluation):
    for purpose, models in evaluation.recommendation.surpassed.items():
        measure = PURPOSES[purpose][1]
        for model in models:
            _, low, high = evaluation.split.scores.difference(model, "bg_nbd", measure)
            assert low > 0 if measure.startswith("gini") else high < 0
    assert "pareto_nbd" in evaluation.recommendation.surpassed["spending"]


def test_nothing_is_recommended_by_a_handful_of_buyers(tmp_path):
    bought, _ = transactions(300, seed=4)
    last = pd.to_datetime(bought.date).max()
    days = {"calibration_end": str((last - pd.Timedelta(days=2)).date()), "observation_end": str(last.date())}
    result = evaluated(tmp_path, bought, **days)
    assert not result.evaluation.recommendation.model
    assert "at least 10 buyers are needed" in result.answer


def test_cohorts_are_months_of_the_first_purchase_however_purchases_are_merged(tmp_path):
    bought, _ = transactions(600, seed=12, acquisition_days=300, end_day=500)
    first = pd.to_datetime(bought.groupby("customer_id").date.min())
    months = first[first <= "2023-08-31"].dt.to_period("M").astype(str).value_counts().sort_index()
    for merge in ("D", "M"):
        cohorts = evaluated(tmp_path, bought, merge_period=merge, calibration_end="2023-08-31").evaluation.cohorts
        assert dict(zip(cohorts.group, cohorts.customers, strict=True)) == months.to_dict(), merge


def test_segment_that_is_not_in_the_file_is_refused(tmp_path):
    with pytest.raises(InputRefused, match="there is no column segment"):
        evaluated(tmp_path, transactions(50, seed=1)[0], segments="segment")


def test_small_group_cannot_be_computed_from_another_table(tmp_path):
    lines, customer = [], 0
    for repeats, customers in enumerate((6, 15, 14, 12, 9, 8, 8, 3)):
        for _ in range(customers):
            lines += [f"{customer},2024-{1 + month:02d}-{1 + customer % 25:02d},5" for month in range(repeats + 1)]
            customer += 1
    lines += ["0,2024-12-20,5"] + [f"{i},2024-11-{1 + i % 25:02d},5" for i in range(0, customer, 3)]
    result = evaluated(tmp_path, "\n".join(lines), calibration_end="2024-09-30", min_cell=5)
    for frame in (result.tables["frequency_fit"].frame, result.figures["holdout_by_frequency"].frame):
        hidden = frame[frame.customers.isna()].iloc[:, 0].tolist()
        # who did not buy again is known from the counts of customers, so it would not hide the last group
        assert "7+" in hidden and len(hidden) == 2 and "0" not in hidden


def test_cohort_that_buys_otherwise_is_named(tmp_path):
    bought, _ = transactions(3000, seed=22, acquisition_days=150, end_day=500)
    first = pd.to_datetime(bought.groupby("customer_id").date.transform("min"))
    late = (first >= "2023-04-01") & (first < "2023-05-01")
    calibration_end = pd.Timestamp("2023-11-30")
    again = bought[late & (pd.to_datetime(bought.date) > calibration_end)]
    twice = pd.concat([bought, *(again.assign(date=pd.to_datetime(again.date) + pd.Timedelta(days=d)) for d in (1, 2))])
    answer = evaluated(tmp_path, twice, calibration_end="2023-11-30").answer
    assert "1 bought more than BG/NBD expected (2023-04)" in answer


# ---- other dates ----


def test_histories_are_counted_as_the_engine_counts_them(sample):
    found, split = sample.calibration.rows, sample.evaluation.split
    pd.testing.assert_frame_equal(split.rows, found, check_dtype=False, rtol=1e-12, atol=1e-8)


@pytest.mark.parametrize("time_unit", ["D", "M"])
def test_a_split_in_another_unit_is_what_the_engine_gives(sample, time_unit):
    split = sample.evaluation.split
    gaps = customer_summary.with_gaps(sample.purchases.native)
    expected = collect(gaps, split.calibration_end, split.end, time_unit, "D").customers
    pd.testing.assert_frame_equal(rescaled(split, time_unit).customers, expected, rtol=1e-12, atol=1e-12)


def test_split_dates_have_holdouts_of_one_length_and_stay_within_the_data():
    periods = Periods(datetime.date(2023, 1, 1), datetime.date(2023, 8, 1), datetime.date(2023, 12, 31))
    dates = robustness.split_dates(periods, 5)
    assert len(dates) == 5 and {end - start for start, end in dates} == {datetime.timedelta(days=76)}
    assert dates[0][0] > periods.first and dates[-1][1] == periods.observation_end
    assert dates == sorted(dates)
    assert robustness.split_dates(periods, 0) == []
    one_day = Periods(datetime.date(2023, 1, 1), datetime.date(2023, 1, 2), datetime.date(2023, 1, 3))
    assert robustness.split_dates(one_day, 5) == []


def test_dates_with_a_handful_of_customers_are_not_shown(tmp_path):
    bought, _ = transactions(40, seed=2, acquisition_days=300, end_day=500)
    result = evaluated(tmp_path, bought, split_dates=6, min_cell=25)
    frame = result.tables["split_dates"].frame
    assert len(frame) and (frame.customers >= 25).all()
    assert frame.calibration_end.nunique() < 6


def test_threads_change_nothing(sample):
    gaps = customer_summary.with_gaps(sample.purchases.native)
    with tqdm(disable=True, total=0) as bar:
        again = robustness.scored(robustness.by_split_date(gaps, sample.periods, sample.settings, bar))
    pd.testing.assert_frame_equal(sample.tables["split_dates"].frame[again.columns], again, rtol=1e-9)


def test_customers_are_the_same_to_the_last_bit_in_every_run(sample):
    """The engine's sums differ in their last bits from run to run; the resamples must not notice."""
    first = sample.evaluation.split
    gaps = customer_summary.with_gaps(sample.purchases.table)
    again = [collect(gaps, first.calibration_end, first.end, "W", "D").customers for _ in range(3)]
    for customers in again:
        pd.testing.assert_frame_equal(
            customers.drop(columns="log_intervals"), first.customers.drop(columns="log_intervals"), check_exact=True
        )


def test_unidentified_model_is_flagged_in_the_scoreboard(sample):
    flags = sample.tables["split_dates"].frame.query("flag != ''")
    assert set(flags.method) == {"pareto_nbd"} and flags.flag.str.contains("not identified").all()
    assert sample.tables["split_dates"]._repr_html_().count("(mind)") >= 1


# ---- groups of customers ----


def test_segments_are_those_of_the_file(tmp_path):
    bought, _ = transactions(1200, seed=6)
    ends = {1000: "north", 1070: "south <b>$x$</b>", 1130: "west", 1197: "east", 1200: "tiny"}
    region = pd.cut(bought.customer_id, [0, *ends], labels=list(ends.values())).astype(str)
    result = evaluated(tmp_path, bought.assign(region=region), columns={"region": "segment"})
    frame = result.tables["segments"].frame.set_index("segment")
    # the smallest group that may be shown stays hidden with the one that may not
    assert set(frame.index) == {"north", "south <b>$x$</b>", "east"}
    assert frame.advice["north"] == "" and "Too few for a model of its own" in frame.advice["east"]
    assert "Groups not shown: 2" in result.tables["segments"].caption
    own = next(segment.own for segment in result.evaluation.segments if segment.name == "north")
    assert own.observations == frame.customers["north"] > 990
    by_cohort = evaluated(tmp_path, bought.assign(region=region), columns={"region": "segment"}, segments="cohort")
    assert set(by_cohort.tables["segments"].frame.segment) == {"2023-01", "2023-02", "2023-03"}


def test_cohorts_become_quarters_and_years_where_they_are_many():
    days = np.arange(0, 365 * 9, 30)
    customers = pd.DataFrame({"T": days.astype(float)})
    assert set(agreement.cohort_groups(customers[:20], datetime.date(2024, 12, 31), "D").str.len()) == {7}
    quarters = agreement.cohort_groups(customers[:60], datetime.date(2024, 12, 31), "D")
    assert quarters.str.contains("Q").all()
    assert set(agreement.cohort_groups(customers, datetime.date(2024, 12, 31), "D").str.len()) == {4}


# ---- poor data: words, never a traceback, never a nan in a headline ----

POOR = {
    "nobody buys in the holdout": (
        "".join(f"{i},2024-01-{d:02d},5\n" for i in range(60) for d in (1 + i % 9, 15 + i % 5)) + "0,2024-12-31,0\n",
        {"zero_amounts": "exclude", "observation_end": "2024-12-30", "calibration_end": "2024-02-01"},
        "nobody bought in the holdout",
    ),
    "a holdout of one day": (
        "".join(f"{i},2024-{m:02d}-{1 + i % 28:02d},5\n" for i in range(80) for m in range(1, 1 + i % 7)),
        {"calibration_end": "2024-06-27", "observation_end": "2024-06-28"},
        "The holdout is 1 day long",
    ),
    "everyone active": (
        "".join(f"{i},2024-{m:02d}-{1 + (i * m) % 28:02d},5\n" for i in range(60) for m in range(1, 13)),
        {},
        "Every customer bought in the holdout",
    ),
    "no repeat buyer": (
        "".join(f"{i},2024-{1 + i % 12:02d}-05,5\n" for i in range(60)),
        {},
        "No customer bought again",
    ),
    "a cohort of three": (
        "".join(f"{i},2024-01-{1 + i % 28:02d},5\n{i},2024-0{2 + i % 6}-11,6\n" for i in range(90))
        + "".join(f"new{i},2024-03-03,5\n" for i in range(3)),
        {"min_cell": 5},
        "Groups not shown: ",
    ),
}


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize(("text", "choices", "said"), POOR.values(), ids=POOR.keys())
def test_poor_data_are_told_in_words(tmp_path, text, choices, said):
    result = evaluated(tmp_path, text, **choices)
    captions = " ".join(table.caption for table in result.tables.values())
    assert said in " ".join((result.answer, *result.warnings, captions))
    for headline in result.headlines:
        assert "nan" not in json.dumps(headline.record()).lower(), headline
    assert "nan" not in result.answer.lower()
    for table in result.tables.values():
        assert "nan" not in table._repr_html_().lower().replace("finance", ""), table.name
    assert all(figure.alt and "nan" not in figure.alt.lower() for figure in result.figures.values())
    for frame in (result.tables["segments"].frame, result.figures["cohorts"].frame):
        assert not (frame.get("customers", pd.Series(dtype=float)).dropna().between(1, 4)).any()
