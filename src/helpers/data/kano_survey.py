"""Kano's pairs of answers in: from a survey's file to positions from 1 (like) to 5 (dislike), with an account."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import ibis
import numpy as np
import pandas as pd

from helpers.data import contracts
from helpers.data.cleaning import BAD_ROWS, WORDINGS_EXAMPLE, check, plain
from helpers.data.reading import Raw, read
from helpers.data.refusal import SHOWN_ROWS, InputRefused, Problem, require_choice, shortened
from helpers.data.respondents import as_number, in_order, unlabelled, with_roles
from helpers.data.sources import find_built_in

# The same five answers, by position, as questionnaires word them; where there are several, all are in use.
LABEL_SETS = {
    "like_that_way": (  # Kano, in the English of Berger et al. 1993
        ("I like it that way",),
        ("It must be that way",),
        ("I am neutral",),
        ("I can live with it that way",),
        ("I dislike it that way",),
    ),
    "enjoy_that_way": (
        ("I enjoy it that way",),
        ("It is a basic necessity or I expect it that way", "It is a basic necessity, or I expect it that way"),
        ("I am neutral",),
        ("I dislike it, but I can live with it that way",),
        ("I dislike it, and I can't accept it",),
    ),
    "helpful": (  # Blauth, in Berger et al. 1993
        ("This would be very helpful to me",),
        ("This is a basic requirement for me",),
        ("This would not affect me",),
        ("This would be a minor inconvenience",),
        ("This would be a major problem for me",),
    ),
    "like": (
        ("I like it",),
        ("I expect it",),
        ("I'm neutral",),
        ("I can tolerate it",),
        ("I dislike it",),
    ),
    "zh": (
        ("我很喜欢",),
        ("理应如此", "理所当然"),
        ("无所谓",),
        ("勉强接受", "能忍受"),
        ("我很不喜欢",),
    ),
    # A set of its own: where both 我很喜欢 and 喜欢 are answers, they are steps of another scale.
    "zh_short": (
        ("喜欢",),
        ("理应如此", "理所当然"),
        ("无所谓",),
        ("勉强接受", "能忍受"),
        ("不喜欢",),
    ),
}
POSITION = "position"
OWN_LABELS = "own"
IN_ORDER = "in the order: if it is there, if it is missing, importance"


@dataclass(frozen=True)
class KanoAnswers:
    """What respondents answered to Kano's pairs of questions, after the rules of `load_answers`.

    Attributes
    ----------
    name : str
        How messages call the file.
    functional, dysfunctional : pandas.DataFrame
        Positions from 1 (like) to 5 (dislike) as float64: one row for each respondent (of a wave) who answered a pair,
        one column for each requirement. NaN where there is no pair: both have it or neither.
    importance : pandas.DataFrame
        Likewise, what the respondent said; NaN where nothing, or where there is no pair.
    respondents : pandas.DataFrame
        respondent_id, customer_id, segment, wave, row by row as the answers; None where there is none.
    requirements : tuple of str
        In order of first appearance.
    accounting : pandas.DataFrame
        step, rows, reason. The first line is the file; the others are changes that add up to the last line, the pairs
        of answers.
    inputs : list of dict
        name, path, sha256, bytes, rows of each file.
    notes : list of str
        Sentences that a report must show.
    labels : str
        How the answers were worded: "position", one of `LABEL_SETS`, or "own".
    importance_scale : tuple of float
        Its ends.
    segments, waves : tuple of str
        The labels that occur; waves in order of time.
    is_simulated : bool
        Whether the survey is one with known truth, that nobody answered.
    """

    name: str
    functional: pd.DataFrame
    dysfunctional: pd.DataFrame
    importance: pd.DataFrame
    respondents: pd.DataFrame
    requirements: tuple[str, ...]
    accounting: pd.DataFrame
    inputs: list[dict]
    notes: list[str]
    labels: str
    importance_scale: tuple[float, float]
    segments: tuple[str, ...]
    waves: tuple[str, ...]
    is_simulated: bool

    @property
    def has_importance(self) -> bool:
        """Tell whether any respondent said how important a requirement is."""
        return bool(self.importance.notna().to_numpy().any())


def load_answers(
    source: str,
    *,
    columns: Mapping[str, str] | None = None,
    labels: str | Mapping[str, int | None] = "",
    wordings: Mapping[str, int | None] | None = None,
    wide: str = "",
    segment: str = "",
    wave: str = "",
    importance_min: float = 1.0,
    importance_max: float = 9.0,
    bad_rows: str = "refuse",
    decimal: str = ".",
) -> KanoAnswers:
    """Load the answers to Kano's questionnaire, built in or a user's own.

    Each requirement is asked about twice, with the same five answers (Kano et al. 1984; Berger et al. 1993): what if
    it is there (functional), what if it is not (dysfunctional). Answers are compared without regard to case, to white
    space around them and to the kind of apostrophe, and are never guessed: another answer makes a bad row, as do an id
    or a requirement that is missing, an importance off its scale, and a respondent who stands twice for a requirement
    (of one wave, where there are waves). A pair of which one half is missing is counted and left out.

    Parameters
    ----------
    source : str
        "synthetic", or a CSV file, a Parquet file, a folder of Parquet files or a glob pattern, with the columns
        respondent_id, requirement, functional, dysfunctional; or as `wide` says.
    columns : Mapping[str, str], optional
        The file's column names to the contract's: ``{"feature": "requirement"}``.
    labels : str or Mapping[str, int or None]
        How answers are written: "position" (1 like, 2 must-be, 3 neutral, 4 live with, 5 dislike), one of `LABEL_SETS`,
        or `wordings`. "" takes the positions or the set that cover most answers, and says which in a note.
    wordings : Mapping[str, int or None], optional
        In place of `labels`, the file's words to positions, None standing for no answer:
        ``{"great": 1, ..., "do not know": None}``.
    wide : str
        For files with one row for each respondent: how the columns of a requirement's functional and dysfunctional
        answer (and of its importance) are named, parted by a space, or by ``|`` where names hold spaces:
        ``"{requirement}_f {requirement}_d"``. "" where each requirement has a row of its own.
    segment, wave : str
        The file's column that names the respondent's segment or wave. "" takes the column of that name, if there is
        one.
    importance_min, importance_max : float
        Ends of the scale of importance.
    bad_rows : {"refuse", "exclude"}
        Whether bad rows refuse the file, or are left out and counted (of a wide file, with all answers of the
        respondent). Of rows that repeat the first is kept.
    decimal : {".", ","}
        The decimal mark of importances that are text.

    Returns
    -------
    KanoAnswers

    Raises
    ------
    InputRefused
        With all problems of the file, or what is wrong with a parameter; also if no pair of answers is left.
    """
    require_choice("bad_rows", bad_rows, BAD_ROWS)
    scale = _scale(importance_min, importance_max)
    templates = _templates(wide)
    given = _given(wordings or labels)
    columns = with_roles(columns, segment, wave)
    pairs, notes = None, []
    if templates or not given:
        # A first look at the file tells what to hold it to.
        raw = read(source, contracts.kano_survey({}, scale, {} if templates else None), columns)
        pairs = _pairs(raw, templates, wide) if templates else _refused_if_wide(raw)
        given, notes = (given, []) if given else _found(raw, pairs)
        notes += _unread(raw, pairs) if pairs else []
    label_set, positions = given
    contract = contracts.kano_survey(positions, scale, pairs)
    checked = check(source, contract, columns=columns, bad_rows=bad_rows, decimal=decimal)
    table = checked.table.order_by("place").to_pandas()
    rows = _stacked(table, pairs) if pairs else table
    steps = [(step, count, reason) for step, count, _, reason in checked.steps]
    if pairs:
        steps.append(("added", len(rows) - len(table), f"{len(pairs)} requirements in each row"))
    whole, steps = _whole_pairs(checked.name, rows, steps)
    requirements = tuple(rows.requirement.unique())
    person, respondents = _respondents(whole)
    there = [role for role in ("segment", "wave") if role in rows]
    built_in = find_built_in(source, "kano_survey")
    return KanoAnswers(
        name=checked.name,
        **{name: _grid(whole, person, requirements, name) for name in ("functional", "dysfunctional", "importance")},
        respondents=respondents,
        requirements=requirements,
        accounting=pd.DataFrame(steps, columns=["step", "rows", "reason"]),
        inputs=checked.inputs,
        notes=[
            *checked.notes,
            *notes,
            *_unanswered(checked.name, requirements, whole),
            *_several(checked.name, whole, person),
            *unlabelled(checked.name, respondents[there]),
        ],
        labels=label_set,
        importance_scale=scale,
        segments=in_order(respondents.segment),
        waves=in_order(respondents.wave),
        is_simulated=bool(built_in and built_in.is_simulated),
    )


def _scale(lowest: float, highest: float) -> tuple[float, float]:
    ends = as_number(lowest), as_number(highest)
    if None in ends or ends[0] >= ends[1]:
        problem = Problem("the scale must run from a lower to a higher number")
        raise InputRefused(f"importance_min={lowest!r}, importance_max={highest!r}", [problem])
    return ends


# --- how answers are worded -----------------------------------------------------------------------------


def _given(labels: object) -> tuple[str, dict[str, float]] | None:
    """Read the parameter: the name of the set and its wordings, None where they are to be found from the data."""
    if labels == "" and isinstance(labels, str):
        return None
    if isinstance(labels, Mapping):
        return OWN_LABELS, _own(labels)
    require_choice("labels", labels, [POSITION, *LABEL_SETS])
    return labels, _wordings()[labels]


def _own(labels: Mapping) -> dict[str, float]:
    own, problems = {}, []
    for answer, position in labels.items():
        number = math.nan if position is None else as_number(position)
        if number is None or not (position is None or number in (1, 2, 3, 4, 5)):
            problems.append(Problem(f"{answer!r} must have a position from 1 (like) to 5 (dislike), not {position!r}"))
        elif str(own.setdefault(plain(str(answer)), number)) != str(number):
            problems.append(Problem(f"{answer!r} has two positions, for case and white space do not count"))
    if not any(number > 0 for number in own.values()) and not problems:
        problems.append(Problem('it names no answer; "" finds from the data how answers are worded'))
    if problems:
        raise InputRefused(f"wordings={dict(labels)!r}", problems)
    return own


def _wordings() -> dict[str, dict[str, float]]:
    """Give each built-in set: what an answer may look like, to its position."""
    sets = {POSITION: {str(position): float(position) for position in range(1, 6)}}
    for name, answers in LABEL_SETS.items():
        sets[name] = {plain(text): float(position) for position, texts in enumerate(answers, start=1) for text in texts}
    return sets


def _found(raw: Raw, pairs: Mapping[str, tuple[str, ...]] | None) -> tuple[tuple[str, dict[str, float]], list[str]]:
    """Choose the set that covers most answers; the check then tells those that it does not cover."""
    sets = _wordings()
    counts = _answers(raw, pairs)
    covered = {name: sum(counts[answer] for answer in wordings) for name, wordings in sets.items()}
    most = max(covered.values())
    if counts and not most and not raw.problems:
        problem = Problem(
            "the answers are neither positions from 1 to 5 nor worded in a way that is known",
            way_out=f"Map them, all five: {WORDINGS_EXAMPLE}. Known are {', '.join(LABEL_SETS)}.",
        )
        raise InputRefused(raw.name, [problem])
    names = [name for name, count in covered.items() if count == most]
    wordings = sets[names[0]]
    # Where the answers that occur are worded alike in several sets, their positions are the same.
    as_well = f" (or {', '.join(names[1:])}, which word them alike)" if len(names) > 1 and most else ""
    note = f"The answers of {raw.name} are read as {_in_words(names[0])}{as_well}: found from the data."
    return (names[0], wordings), [note] if most else []


def _in_words(name: str) -> str:
    if name == POSITION:
        return "positions from 1 (like) to 5 (dislike)"
    return f"the wording {name} ({' / '.join(texts[0] for texts in LABEL_SETS[name])})"


def _answers(raw: Raw, pairs: Mapping[str, tuple[str, ...]] | None) -> Counter[str]:
    """Count how often each answer stands in the file."""
    if pairs is None:
        columns = [raw.columns[name] for name in ("functional", "dysfunctional") if name in raw.columns]
    else:
        located = dict(zip(raw.names, raw.contents, strict=True))
        columns = [located[name] for names in pairs.values() for name in names[:2]]
    if not columns:
        return Counter()
    stacked = ibis.union(*(raw.table.select(answer=raw.table[column].cast("string")) for column in columns))
    found = stacked.filter(stacked.answer.notnull()).answer.value_counts(name="rows").to_pandas()
    counts = Counter()
    for answer, rows in found.itertuples(index=False):
        counts[plain(answer)] += rows
    del counts[""]
    return counts


# --- one row for each respondent ------------------------------------------------------------------------


def _templates(wide: object) -> list[re.Pattern]:
    """Read the pattern: two or three names with one gap each."""
    if wide == "" and isinstance(wide, str):
        return []
    parts = re.split(r"\s*\|\s*" if "|" in str(wide) else r"\s+", str(wide).strip())
    whole = len(parts) in (2, 3) and len(set(parts)) == len(parts)
    if not (isinstance(wide, str) and whole and all(part.count("{requirement}") == 1 for part in parts)):
        rule = "it must name the two columns of a requirement, or three with its importance"
        example = "{requirement}_f {requirement}_d"
        way_out = f'As in wide="{example}" or wide="{example} {{requirement}}_i"; names with spaces are parted by |.'
        raise InputRefused(f"wide={wide!r}", [Problem(rule, way_out=way_out)])
    return [
        re.compile("(.+)".join(re.escape(text) for text in part.split("{requirement}")), re.DOTALL) for part in parts
    ]


def _pairs(raw: Raw, templates: list[re.Pattern], wide: str) -> dict[str, tuple[str, ...]]:
    """Find the columns of each requirement, in the order of the file."""
    names = _unnamed(raw)
    found = [
        {match[1].strip(): name for name in names if (match := template.fullmatch(name))} for template in templates
    ]
    functional, dysfunctional = found[:2]
    problems = _alone(functional, dysfunctional, templates) + _alone(dysfunctional, functional, templates[::-1])
    pairs = {
        requirement: tuple(columns[requirement] for columns in found if requirement in columns)
        for requirement in functional
        if requirement in dysfunctional
    }
    if not pairs and not problems:
        shown = ", ".join(map(shortened, raw.names[:12])) + (", ..." if len(raw.names) > 12 else "")
        proposed = _proposed(names)
        way_out = f"The file has {shown}." + (f" Try wide={_quoted(proposed)}, {IN_ORDER}." if proposed else "")
        problems = [Problem(f"the pattern wide={_quoted(wide)} fits none of the columns", way_out=way_out)]
    twice = [text for text, count in Counter(name.casefold() for name in _flat(pairs)).items() if count > 1]
    own = {name.casefold() for name in (*contracts.TABLES["kano_survey"].columns, "place", "same_as")}
    problems += [
        Problem("the name is taken, or differs from another in case alone", column=name)
        for name in _flat(pairs)
        if name.casefold() in own or name.casefold() in twice
    ]
    if problems:
        raise InputRefused(raw.name, [*raw.problems, *problems])
    return pairs


def _unnamed(raw: Raw) -> list[str]:
    """Return the names of the columns that are not the respondents' own."""
    names = dict(zip(raw.contents, raw.names, strict=True))
    own = {names[column] for column in raw.columns.values()}
    return [name for name in raw.names if name not in own]


def _quoted(pattern: str) -> str:
    return json.dumps(pattern, ensure_ascii=False)


def _proposed(names: list[str]) -> str:
    """Guess the pattern from ends or beginnings that the same requirements have; "" where there are none."""
    named: dict[str, list[str]] = {}
    for name in names:
        for mark in re.finditer(r"(?<=.)[\W_](?=.)", "" if "{requirement}" in name else name):
            start, end = mark.span()
            named.setdefault("{requirement}" + name[start:], []).append(name[:start])
            named.setdefault(name[:end] + "{requirement}", []).append(name[end:])
    alike: dict[tuple[str, ...], list[str]] = {}
    for template, requirements in named.items():
        alike.setdefault(tuple(requirements), []).append(template)
    found = {several: parts for several, parts in alike.items() if len(several) > 1 and len(parts) in (2, 3)}

    def likely(several: tuple[str, ...]) -> tuple[bool, bool, int]:
        # Three answers to two requirements look like two answers to three, but for what stands side by side.
        first, second = (names.index(part.replace("{requirement}", several[0])) for part in found[several][:2])
        return len(several) > 3, second == first + 1, len(several)

    parts = found[max(found, key=likely)] if found else []
    return (" | " if " " in "".join(parts) else " ").join(parts)


def _refused_if_wide(raw: Raw) -> None:
    """Refuse a file that seems to have columns for each requirement, though no pattern says so."""
    asked = {"requirement", "functional", "dysfunctional"}
    proposed = "" if asked & set(raw.columns) else _proposed(_unnamed(raw))
    if proposed:
        others = [problem for problem in raw.problems if problem.column in ("respondent_id", "segment", "wave")]
        rule = f"each requirement seems to have columns of its own; say how they are named: wide={_quoted(proposed)}"
        raise InputRefused(raw.name, [*others, Problem(f"{rule}, {IN_ORDER}")])


def _unread(raw: Raw, pairs: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Tell of a third column of each requirement that the pattern passes over."""
    unused = [name for name in _unnamed(raw) if name not in _flat(pairs)]
    fits = Counter(
        name.replace(requirement, "{requirement}", 1) for requirement in pairs for name in unused if requirement in name
    )
    return [
        f"Columns of {raw.name} that fit {template} and are not used: {count}. "
        "If they hold importance, name them third in wide."
        for template, count in fits.items()
        if 1 < count == len(pairs)
    ]


def _flat(pairs: Mapping[str, tuple[str, ...]]) -> list[str]:
    return [name for names in pairs.values() for name in names]


def _alone(ones: Mapping[str, str], others: Mapping[str, str], templates: list[re.Pattern]) -> list[Problem]:
    """Name the columns that have no partner; a template that fits any name tells nothing about a column."""
    if templates[0].pattern == "(.+)":
        return []
    return [
        Problem("its partner, the other question about the requirement, is missing", column=name)
        for requirement, name in ones.items()
        if requirement not in others
    ][:SHOWN_ROWS]


def _stacked(table: pd.DataFrame, pairs: Mapping[str, tuple[str, ...]]) -> pd.DataFrame:
    """Make one row for each respondent and requirement."""
    roles = [name for name in contracts.TABLES["kano_survey"].columns if name in table]
    parts = []
    for requirement, names in pairs.items():
        asked = dict(zip(names, ("functional", "dysfunctional", "importance"), strict=False))
        parts.append(table[[*roles, *names]].rename(columns=asked).assign(requirement=requirement))
    return pd.concat(parts).sort_index(kind="stable").reset_index(drop=True)


# --- what is kept ---------------------------------------------------------------------------------------


def _whole_pairs(name: str, rows: pd.DataFrame, steps: list[tuple]) -> tuple[pd.DataFrame, list[tuple]]:
    """Keep the rows with both answers, and account for the others."""
    answered = rows[["functional", "dysfunctional"]].notna().sum(axis=1)
    for count, reason in ((1, "half pairs: one of the two answers is missing"), (0, "neither answer is given")):
        left_out = int((answered == count).sum())
        if left_out:
            steps = [*steps, ("excluded", -left_out, reason)]
    whole = rows[answered == 2].reset_index(drop=True)
    if whole.empty:
        left_out = "; ".join(f"{reason}: {-count:,}" for step, count, reason in steps if step == "excluded")
        raise InputRefused(name, [Problem(f"no pair of answers remains ({left_out})")])
    return whole, [*steps, ("pairs of answers", len(whole), "one for each respondent and requirement in the analysis")]


def _respondents(rows: pd.DataFrame) -> tuple[np.ndarray, pd.DataFrame]:
    """Number the respondents, and say of each what the first of the rows says that says anything."""
    key = [name for name in ("respondent_id", "wave") if name in rows]
    person = rows.groupby(key, sort=False, dropna=False).ngroup().to_numpy()
    columns = ["respondent_id", "customer_id", "segment", "wave"]
    # `first` passes over what is missing.
    found = rows.reindex(columns=columns).astype(object).groupby(person).first()
    return person, found.where(found.notna(), None).reset_index(drop=True)


def _grid(rows: pd.DataFrame, person: np.ndarray, requirements: tuple[str, ...], name: str) -> pd.DataFrame:
    grid = np.full((person.max() + 1, len(requirements)), np.nan)
    if name in rows:
        grid[person, pd.Index(requirements).get_indexer(rows.requirement)] = rows[name].astype("float64")
    return pd.DataFrame(grid, columns=list(requirements))


def _unanswered(name: str, requirements: tuple[str, ...], rows: pd.DataFrame) -> list[str]:
    answered = set(rows.requirement)
    without = [requirement for requirement in requirements if requirement not in answered]
    return [f"Requirements of {name} without any pair of answers: {', '.join(without)}."] if without else []


def _several(name: str, rows: pd.DataFrame, person: np.ndarray) -> list[str]:
    """Count respondents whose rows contradict each other on who they are."""
    counts = {
        role: int((rows.groupby(person)[role].nunique() > 1).sum())
        for role in ("segment", "customer_id")
        if role in rows
    }
    return [
        f"Respondents of {name} whose rows name more than one {role}: {count:,}. The first counts."
        for role, count in counts.items()
        if count
    ]
