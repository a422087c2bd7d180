"""Answers in: from a survey's file to one row for each respondent who counts, with an account of the others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real

import pandas as pd
import pyarrow

from helpers.data import contracts
from helpers.data.cleaning import check
from helpers.data.refusal import InputRefused, Problem, require_choice
from helpers.data.respondents import as_number, in_order, order_notes, unlabelled, with_roles
from helpers.data.satisfaction_models import SatisfactionModel, read_model
from helpers.data.sources import find_built_in

CHOICES = ("keep", "exclude")


# With fewer answers than these, the same answer to every item is no sign of carelessness.
_FEWEST_STRAIGHT = 5


@dataclass(frozen=True)
class Survey:
    """What respondents answered, after the rules of `load`.

    Attributes
    ----------
    name : str
        How messages call the file.
    answers : pandas.DataFrame
        One row for each respondent who counts, in the file's order; one float64 column for each item of the model, in
        its order. NaN is a gap. Reversed items are turned: a high answer is good in every column.
    respondents : pandas.DataFrame
        respondent_id, customer_id, segment, wave, weight, row by row as `answers`; None where there is none, and a
        weight of 1 where the file has no weights.
    accounting : pandas.DataFrame
        step, respondents, reason. The first line is the file; the others are changes (negative: left out; zero: kept
        on purpose) that add up to the last line, the respondents who count.
    items : pandas.DataFrame
        item, label, answered, blank, declared_missing: how many of the respondents who count answered, left the item
        empty, or gave one of the missing codes.
    inputs : list of dict
        name, path, sha256, bytes, rows of each file.
    notes : list of str
        Sentences that a report must show.
    lowest, highest : float
        Ends of the answering scale.
    segments, waves : tuple of str
        The labels that occur; waves in order of time: by number where all are numbers, else as text in which digits
        count as numbers ("wave 2" is before "wave 10").
    has_weights : bool
        Whether the file has weights.
    is_simulated : bool
        Whether the survey is one with known truth, that nobody answered.
    """

    name: str
    answers: pd.DataFrame
    respondents: pd.DataFrame
    accounting: pd.DataFrame
    items: pd.DataFrame
    inputs: list[dict]
    notes: list[str]
    lowest: float
    highest: float
    segments: tuple[str, ...]
    waves: tuple[str, ...]
    has_weights: bool
    is_simulated: bool

    @property
    def has_segments(self) -> bool:
        """Tell whether any respondent has a segment."""
        return bool(self.segments)

    @property
    def has_waves(self) -> bool:
        """Tell whether any respondent has a wave."""
        return bool(self.waves)


def load(
    source: str,
    model: SatisfactionModel | str,
    *,
    columns: Mapping[str, str] | None = None,
    segment: str = "",
    wave: str = "",
    scale_min: float | str | None = None,
    scale_max: float | str | None = None,
    missing_codes: Sequence[float | str] = (),
    bad_rows: str = "refuse",
    straight_lining: str = "keep",
    identical_answers: str = "keep",
    most_missing: float = 0.2,
    decimal: str = ".",
) -> Survey:
    """Load the answers to a questionnaire, built in or a user's own.

    An answer is a number from the lowest to the highest of the scale; decimals are allowed. An empty cell or a
    declared missing code is a gap. Anything else is a bad row, as are an id that is missing or stands twice (in one
    wave, where there are waves) and a weight that is no number above 0.

    Parameters
    ----------
    source : str
        "mobi", "synthetic", or a CSV file, a Parquet file, a folder of Parquet files or a glob pattern, with the
        column respondent_id and one for each item of the model.
    model : SatisfactionModel or str
        Which items are wanted; a name or a path is read by `helpers.data.satisfaction_models.read_model`.
    columns : Mapping[str, str], optional
        The file's column names to the contract's: ``{"Question 1": "CUSA1"}``.
    segment, wave : str
        The file's column that names the respondent's segment or wave; it may be an item too. "" takes the column of
        that name, if there is one.
    scale_min, scale_max : float or str, optional
        Ends of the answering scale, as numbers or numbers written as text; None or "" takes that end of the model's.
    missing_codes : sequence of float or str
        What stands for "no answer": numbers such as 99, or texts such as "do not know", in any case.
    bad_rows : {"refuse", "exclude"}
        Whether bad rows refuse the file, or are left out and counted. Of rows that repeat an id the first is kept.
    straight_lining : {"keep", "exclude"}
        Whether respondents with the same answer to every item (and at least 5 answers) count. Either way they are
        counted in the account.
    identical_answers : {"keep", "exclude"}
        Whether respondents who are like an earlier one in all columns of the file but the id count. Either way they
        are counted in the account.
    most_missing : float
        The share of the model's items, from 0 and below 1, beyond which gaps leave a respondent out. Items that nobody
        in the file answered do not count.
    decimal : {".", ","}
        The decimal mark of numbers that are text.

    Returns
    -------
    Survey

    Raises
    ------
    InputRefused
        With all problems of the file, or what is wrong with a parameter; also if nobody is left.
    """
    require_choice("straight_lining", straight_lining, CHOICES)
    require_choice("identical_answers", identical_answers, CHOICES)
    _check_share(most_missing)
    model = model if isinstance(model, SatisfactionModel) else read_model(model)
    _check_names(model)
    lowest, highest = _scale(model, scale_min, scale_max)
    codes = _codes(missing_codes, lowest, highest)
    contract = contracts.satisfaction_survey(model.items, model.labels, lowest, highest, codes)
    columns = with_roles(columns, segment, wave)
    checked = check(source, contract, columns=columns, bad_rows=bad_rows, decimal=decimal)
    table = checked.table.order_by("place").to_pyarrow()
    everyone = table.to_pandas()
    counted, steps = _who_counts(everyone, list(model.items), most_missing, straight_lining, identical_answers)
    steps = [*((step, rows, reason) for step, rows, _, reason in checked.steps), *steps]
    if counted.empty:
        left_out = "; ".join(f"{reason}: {-rows:,}" for step, rows, reason in steps if step == "excluded")
        raise InputRefused(checked.name, [Problem(f"no respondent remains ({left_out})")])
    steps.append(("respondents", len(counted), "one row for each in the analysis"))
    respondents = _respondents(counted)
    waves = in_order(respondents.wave)
    built_in = find_built_in(source, contract.name)
    return Survey(
        name=checked.name,
        answers=_turned(counted, model, lowest, highest),
        respondents=respondents.reset_index(drop=True),
        accounting=pd.DataFrame(steps, columns=["step", "respondents", "reason"]),
        items=_gaps(table, counted.index, model),
        inputs=checked.inputs,
        notes=[
            *checked.notes,
            *_scale_notes(model, lowest, highest),
            *unlabelled(checked.name, counted),
            *order_notes(checked.name, waves),
        ],
        lowest=lowest,
        highest=highest,
        segments=in_order(respondents.segment),
        waves=waves,
        has_weights="weight" in counted,
        is_simulated=bool(built_in and built_in.is_simulated),
    )


# --- parameters -----------------------------------------------------------------------------------------


def _check_share(most_missing: object) -> None:
    if not isinstance(most_missing, Real) or not 0 <= most_missing < 1:
        rule = "it must be a share from 0 and below 1"
        raise InputRefused(f"most_missing={most_missing!r}", [Problem(rule, way_out="For a fifth it is 0.2.")])


def _check_names(model: SatisfactionModel) -> None:
    """Refuse items that the engine, which does not look at case, would take for one or for a column of its own."""
    own = [*contracts.TABLES["satisfaction_survey"].columns, "place", "same_as"]
    alike = defaultdict(list)
    for name in [*own, *model.items]:
        alike[name.casefold()].append(name)
    problems = [
        Problem(f"the names {' and '.join(map(repr, names))} cannot stand beside each other")
        for names in alike.values()
        if len(names) > 1
    ]
    if problems:
        way_out = f"Give the item another name in the model, and map the file's column to it; taken: {', '.join(own)}."
        raise InputRefused(f"the model {model.name}", problems, way_out)


def _scale(model: SatisfactionModel, scale_min: object, scale_max: object) -> tuple[float, float]:
    lowest, highest = _end(scale_min, model.lowest), _end(scale_max, model.highest)
    if lowest is None or highest is None or lowest >= highest:
        way_out = f"An end that is not given is the model's: {model.lowest:g} to {model.highest:g}."
        problem = Problem("the scale must run from a lower to a higher number", way_out=way_out)
        raise InputRefused(f"scale_min={scale_min!r}, scale_max={scale_max!r}", [problem])
    return lowest, highest


def _end(given: object, of_model: float) -> float | None:
    """Take one end of the scale, that of the model where none is given; None where what is given is no number."""
    is_given = given is not None and not (isinstance(given, str) and not given.strip())
    return as_number(given) if is_given else float(of_model)


def _codes(missing_codes: object, lowest: float, highest: float) -> tuple[float | str, ...]:
    """Check the codes; a text that is a number stands for that number too."""
    subject = f"missing_codes={missing_codes!r}"
    if isinstance(missing_codes, str | Mapping) or not isinstance(missing_codes, Iterable):
        raise InputRefused(subject, [Problem('it must be a list, as in [99, "do not know"]')])
    codes, problems = [], []
    for code in missing_codes:
        number = as_number(code)
        if isinstance(code, str) and code.strip():
            codes.append(code)
        elif number is None:
            problems.append(Problem(f"{code!r} is neither a number nor a text"))
        if number is not None:
            codes.append(number)
            if lowest <= number <= highest:
                rule = f"{number:g} lies inside the scale of {lowest:g} to {highest:g}: it would hide answers"
                problems.append(Problem(rule, way_out="A code must lie outside; give it another number in the file."))
    if problems:
        raise InputRefused(subject, problems)
    return tuple(codes)


# --- who counts -----------------------------------------------------------------------------------------


def _who_counts(
    rows: pd.DataFrame, items: list[str], most_missing: float, straight_lining: str, identical_answers: str
) -> tuple[pd.DataFrame, list[tuple[str, int, str]]]:
    """Apply the rules in turn, each to those whom the rules before have left, with a line of the account for each."""
    gaps = f"more than {100 * most_missing:g}% of the items without an answer"
    rules = (
        ("exclude", gaps, _too_many_missing(most_missing)),
        (straight_lining, "the same answer to every item", _straight_lined),
        (identical_answers, "like an earlier respondent in all but the id", _identical),
    )
    steps = []
    for choice, reason, applies in rules:
        hit = applies(rows, items)
        count = int(hit.sum())
        if count:
            who = "respondent" if count == 1 else "respondents"
            kept = ("kept", 0, f"{count:,} {who}: {reason}")
            steps.append(("excluded", -count, reason) if choice == "exclude" else kept)
        if choice == "exclude":
            rows = rows[~hit]
    return rows, steps


def _too_many_missing(most_missing: float) -> Callable[[pd.DataFrame, list[str]], pd.Series]:
    def applies(rows: pd.DataFrame, items: list[str]) -> pd.Series:
        share = rows[items].dropna(axis="columns", how="all").isna().mean(axis=1)
        # Where nobody answered anything the share is NaN, and nobody counts.
        return ~(share <= most_missing)

    return applies


def _straight_lined(rows: pd.DataFrame, items: list[str]) -> pd.Series:
    answers = rows[items]
    return (answers.min(axis=1) == answers.max(axis=1)) & (answers.count(axis=1) >= _FEWEST_STRAIGHT)


def _identical(rows: pd.DataFrame, items: list[str]) -> pd.Series:
    return rows.same_as.duplicated()


# --- what they answered ---------------------------------------------------------------------------------


def _turned(rows: pd.DataFrame, model: SatisfactionModel, lowest: float, highest: float) -> pd.DataFrame:
    answers = rows[list(model.items)].astype("float64").reset_index(drop=True)
    for item in model.reversed_items:
        answers[item] = lowest + highest - answers[item]
    return answers


def _respondents(rows: pd.DataFrame) -> pd.DataFrame:
    nobody = pd.Series([None] * len(rows), index=rows.index, dtype=object)
    return pd.DataFrame(
        {
            "respondent_id": rows.respondent_id,
            "customer_id": rows.get("customer_id", nobody),
            "segment": rows.get("segment", nobody),
            "wave": rows.get("wave", nobody),
            "weight": rows.get("weight", pd.Series(1.0, index=rows.index)),
        }
    )


def _gaps(table: pyarrow.Table, rows: pd.Index, model: SatisfactionModel) -> pd.DataFrame:
    """Count the answers and the two kinds of gaps, which only the engine's table tells apart."""
    counted = table.take(pyarrow.array(rows))
    lines = []
    for item in model.items:
        blank = counted[item].null_count
        missing = int(counted[item].is_null(nan_is_null=True).to_numpy().sum())
        lines.append((item, model.labels.get(item, item), len(rows) - missing, blank, missing - blank))
    return pd.DataFrame(lines, columns=["item", "label", "answered", "blank", "declared_missing"])


def _scale_notes(model: SatisfactionModel, lowest: float, highest: float) -> list[str]:
    if (lowest, highest) == (model.lowest, model.highest):
        return []
    return [
        f"Answers are read on a scale of {lowest:g} to {highest:g}, "
        f"not on that of the model {model.name}, {model.lowest:g} to {model.highest:g}."
    ]
