"""Models of satisfaction as files: which constructs, measured by which items, act on which."""

from __future__ import annotations

import difflib
import math
import os
import pathlib
import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from types import UnionType

from helpers.data.contracts import TABLES
from helpers.data.refusal import InputRefused, Problem, shortened
from helpers.data.sources import BUILT_IN, find_built_in, locate


@dataclass(frozen=True)
class Path:
    """One arrow of a model: `source` acts on `target`; `sign` is the hypothesised direction, +1 or -1."""

    source: str
    target: str
    sign: int = 1


@dataclass(frozen=True)
class SatisfactionModel:
    """A model of satisfaction as its file states it, checked.

    Parameters
    ----------
    name, origin : str
        What it is called, and whose list of paths it is.
    constructs : dict of str to tuple of str
        Construct -> the items (columns of the survey) that measure it, in the file's order.
    paths : tuple of Path
        Without cycles.
    lowest, highest : float
        Ends of the answering scale.
    labels : dict of str to str
        How constructs and items read, in any script; every construct and item has an entry.
    english : dict of str to str
        The same in Latin letters, for where no font has those of `labels`; an entry for every construct and item.
    satisfaction, loyalty : str
        The constructs that play these parts; "" where the model has no loyalty.
    overall_item, recommend_item : str
        The item of overall satisfaction, and that of recommending; "" where there is none.
    drivers : tuple of str
        Items whose shares in explaining `overall_item` are asked for; may be empty.
    gaps : tuple of (str, str)
        Pairs of (item of expectation, item of perception) on the same scale.
    reversed_items : frozenset of str
        Items on which a high answer is bad; they are turned when the survey is loaded.
    """

    name: str
    origin: str
    constructs: dict[str, tuple[str, ...]]
    paths: tuple[Path, ...]
    lowest: float
    highest: float
    labels: dict[str, str]
    english: dict[str, str]
    satisfaction: str = "satisfaction"
    loyalty: str = ""
    overall_item: str = ""
    recommend_item: str = ""
    drivers: tuple[str, ...] = ()
    gaps: tuple[tuple[str, str], ...] = ()
    reversed_items: frozenset[str] = field(default_factory=frozenset)

    @property
    def items(self) -> tuple[str, ...]:
        """Return every item, construct by construct."""
        return tuple(item for items in self.constructs.values() for item in items)


def read_model(source: str | os.PathLike) -> SatisfactionModel:
    """Read a model file and check it.

    Parameters
    ----------
    source : str or path
        A built-in name (ecsi, acsi, ccsi, sparse), or a TOML file of the same form.

    Returns
    -------
    SatisfactionModel

    Raises
    ------
    InputRefused
        Naming the file and everything that is wrong with it; of errors in the TOML itself the first, with its line.
    """
    file, text = _text(source)
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputRefused(file, [Problem(f"it is no TOML: {error}", way_out=_TOML_FORM)]) from None
    problems: list[Problem] = []
    model = _model(_Section(content, "", problems), file)
    if problems:
        raise InputRefused(file, problems)
    return model


_LARGEST_FILE = 1_000_000  # bytes; the largest of ours has some 3,000
_TOML_FORM = 'Texts, and names in other letters than A to Z, stand in quotation marks: [constructs."品牌形象"].'


def _text(source: str | os.PathLike) -> tuple[str, str]:
    """Find what messages call the file, and its text."""
    path, *others = _located(source)
    file = f"{source} (built in)" if find_built_in(source, "satisfaction_model") else path.name
    if others:
        raise InputRefused(str(source), [Problem(f"it names {1 + len(others)} files", way_out="Name one.")])
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise InputRefused(file, [Problem("it is too large for a model file", way_out="Is it the survey?")])
        return file, path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InputRefused(file, [Problem("it is no UTF-8 text", way_out="Save it as UTF-8.")]) from None
    except OSError as error:
        raise InputRefused(file, [Problem(f"it cannot be opened: {error.strerror}")]) from None


def _located(source: str | os.PathLike) -> list[pathlib.Path]:
    try:
        return locate(source, "satisfaction_model")
    except InputRefused as refusal:
        near = _nearest(str(source), BUILT_IN["satisfaction_model"])
        raise InputRefused(refusal.subject, refusal.problems, f"Is it {near!r}?" if near else "") from None


# --- what the file says, taken key by key ------------------------------------------------------------------


class _Section:
    """One table of the file: what is wrong with a key is noted, and a harmless value stands in for it."""

    def __init__(self, content: object, where: str, problems: list[Problem]):
        self.where = f"[{where}] " if where else ""
        self.problems = problems
        self.known: list[str] = []
        self.content = dict(content) if isinstance(content, dict) else {}
        if not isinstance(content, dict):
            self.note("it must be a table of keys and values")

    def note(self, rule: str, way_out: str = "") -> None:
        self.problems.append(Problem(f"{self.where}{rule}", way_out=way_out))

    def text(self, key: str, default: str | None = None) -> str:
        """Take a text; without a default it must be there."""
        value = self._take(key, default, str)
        if value != default and not _readable(value):
            self.note(f"{key} is blank or holds control characters")
        return value or ""

    def texts(self, key: str, required: bool = False) -> tuple[str, ...]:
        """Take a list of texts, each once; a required one must be there and hold some."""
        value = self._take(key, None if required else [], list)
        if required and value == []:
            self.note(f"{key} lists nothing")
        value = value or []
        if not all(isinstance(text, str) and _readable(text) for text in value):
            self.note(f"{key} must list texts that are not blank and hold no control characters")
            return ()
        for text, count in Counter(value).items():
            if count > 1:
                self.note(f"{key} lists {shortened(text)} {count} times")
        return tuple(dict.fromkeys(value))

    def number(self, key: str) -> float:
        value = self._take(key, None, int | float)
        if value is not None and not math.isfinite(value):
            self.note(f"{key} must be finite")
        return math.nan if value is None else float(value)

    def section(self, key: str) -> _Section:
        return _Section(self._take(key, {}, dict), key, self.problems)

    def sections(self) -> dict[str, _Section]:
        """Take every key as a section of its own."""
        where = self.where.strip("[] ")
        content, self.content = self.content, {}
        return {key: _Section(value, f"{where}.{key}", self.problems) for key, value in content.items()}

    def close(self, elsewhere: Collection[str] = ()) -> None:
        """Note the keys that nobody took."""
        for key in self.content:
            way_out = "It belongs above the first [heading]." if key in elsewhere else _is_it(key, self.known)
            self.note(f"{shortened(key)} is no key", way_out)

    def _take(self, key: str, default: object, kind: type | UnionType) -> object:
        self.known.append(key)
        value = self.content.pop(key, default)
        if value is None:
            self.note(f"{key} is missing")
        elif not isinstance(value, kind) or isinstance(value, bool):
            self.note(f"{key} must be {_KINDS[kind]}")
            return default
        return value


_KINDS = {
    str: 'a text: "..."',
    list: 'a list: ["...", "..."]',
    dict: "a table of keys and values",
    int | float: "a number",
}


def _readable(text: str) -> bool:
    return bool(text.strip()) and not any(unicodedata.category(letter) in ("Cc", "Zl", "Zp") for letter in text)


def _is_it(name: str, names: Collection[str]) -> str:
    """Ask whether the nearest of the names was meant; where none is near, give them all."""
    if not names:
        return ""
    near = _nearest(name, names)
    return f"Is it {shortened(near)}?" if near else f"There are: {', '.join(names)}."


def _nearest(name: str, names: Collection[str]) -> str:
    """Find the name that may have been meant, "" where none is near."""
    plain = {text.casefold(): text for text in names}
    near = difflib.get_close_matches(name.casefold(), plain, n=1)
    return plain[near[0]] if near else ""


# --- the model, and what a model must be -------------------------------------------------------------------


def _model(top: _Section, file: str) -> SatisfactionModel:
    """Take the model from the file's content; what is wrong with either is noted there."""
    name, origin = top.text("name"), top.text("origin", f"the model file {file}")
    lowest, highest = _scale(top.section("scale"))
    sections = top.section("constructs").sections()
    constructs = {key: section.texts("items", required=True) for key, section in sections.items()}
    paths = tuple(path for key, section in sections.items() for path in _paths(key, section))
    labels, english = _wordings("construct", constructs, sections)
    items = list(dict.fromkeys(item for block in constructs.values() for item in block))
    item_sections = _item_sections(top.section("items"), items)
    item_labels, item_english = _wordings("item", items, item_sections)
    gaps = top.section("gaps")
    model = SatisfactionModel(
        name=name,
        origin=origin,
        constructs=constructs,
        paths=paths,
        lowest=lowest,
        highest=highest,
        labels=labels | item_labels,
        english=english | item_english,
        satisfaction=top.text("satisfaction", "satisfaction"),
        loyalty=top.text("loyalty", "loyalty" if "loyalty" in constructs else ""),
        overall_item=top.text("overall_item", ""),
        recommend_item=top.text("recommend_item", ""),
        drivers=top.texts("drivers"),
        gaps=tuple((expected, gaps.text(expected)) for expected in list(gaps.content)),
        reversed_items=frozenset(top.texts("reversed_items")),
    )
    for section in sections.values():
        section.close(elsewhere=top.known)
    for section in (*item_sections.values(), top):
        section.close()
    for check in (_construct_problems, _item_problems, _use_problems, _path_problems):
        top.problems.extend(check(model))
    # A construct's unknown key may be a misspelt leads_to: what then seems unjoined follows from it.
    if not any(section.content for section in sections.values()):
        top.problems.extend(_connection_problems(model))
    return model


def _scale(scale: _Section) -> tuple[float, float]:
    lowest, highest = scale.number("lowest"), scale.number("highest")
    if lowest >= highest:
        scale.note(f"lowest ({lowest:g}) must be below highest ({highest:g})")
    scale.close()
    return lowest, highest


def _paths(source: str, section: _Section) -> list[Path]:
    signed = [(target, 1) for target in section.texts("leads_to")]
    signed += [(target, -1) for target in section.texts("lowers")]
    return [Path(source, target, sign) for target, sign in signed]


def _item_sections(table: _Section, items: Collection[str]) -> dict[str, _Section]:
    """Take the wordings of the items; a text alone is the label. Those of items no longer asked for are passed over."""
    for item, entry in table.content.items():
        table.content[item] = {"label": entry} if isinstance(entry, str) else entry
    sections = table.sections()
    unworded = [item for item in items if item not in sections]
    for item in [item for item in sections if item not in items]:
        near = _nearest(item, unworded)
        if near:
            rule = f"names {shortened(item)}, the constructs have {shortened(near)}: one of them is misspelt"
            table.note(rule, "If not, take the wording out.")
    return {item: section for item, section in sections.items() if item in items}


def _wordings(
    kind: str, names: Collection[str], sections: Mapping[str, _Section]
) -> tuple[dict[str, str], dict[str, str]]:
    """Take how constructs or items read, in any letters and in Latin ones."""
    labels, english = {}, {}
    for number, name in enumerate(names, 1):
        section = sections.get(name, _Section({}, name, []))
        labels[name] = section.text("label", name)
        latin = next(filter(_is_latin, (labels[name], name)), f"{kind} {number}")
        english[name] = section.text("english", latin)
        if not _is_latin(english[name]):
            section.note("english must be written in Latin letters")
    return labels, english


def _is_latin(text: str) -> bool:
    """Tell whether every font can be trusted to have the text's letters."""
    return all(
        unicodedata.name(letter, "").startswith("LATIN ")
        or not (letter.isalpha() or unicodedata.east_asian_width(letter) in "WF")
        for letter in text
    )


# Columns of the survey, and of the tables that results are written in.
_NO_CONSTRUCTS = {*TABLES["satisfaction_survey"].columns, "item", "construct", "all"}
_NO_ITEMS = {*TABLES["satisfaction_survey"].columns, "r_squared"}


def _construct_problems(model: SatisfactionModel) -> Iterator[Problem]:
    constructs = model.constructs
    if not constructs:
        yield Problem("there is no construct", way_out='Write [constructs.satisfaction] and items = ["..."] below it.')
        return
    for key in constructs:
        if not re.fullmatch(r"\w+", key):
            rule = f"[constructs.{key}] the name must consist of letters, digits and underscores"
            yield Problem(rule, way_out="Its label may be anything.")
        if key in _NO_CONSTRUCTS:
            rule = f"[constructs.{key}] the name is taken: a column of the results or of the survey bears it"
            yield Problem(rule, way_out="Name it otherwise; its label may be anything.")
    if model.satisfaction not in constructs:
        rule = f"satisfaction: {shortened(model.satisfaction)} is no construct"
        way_out = f'Say which one measures it: satisfaction = "...". {_is_it(model.satisfaction, constructs)}'
        yield Problem(rule, way_out=way_out)
    if model.loyalty and model.loyalty not in constructs:
        rule = f"loyalty: {shortened(model.loyalty)} is no construct"
        yield Problem(rule, way_out=_is_it(model.loyalty, constructs))
    if model.loyalty == model.satisfaction:
        yield Problem("loyalty and satisfaction are one construct", way_out="They must be two.")


def _item_problems(model: SatisfactionModel) -> Iterator[Problem]:
    for item, count in Counter(model.items).items():
        users = " and ".join(key for key, items in model.constructs.items() if item in items)
        if count > 1:
            yield Problem(f"item {shortened(item)} measures {users}", way_out="An item measures one construct.")
        if item in model.constructs:
            yield Problem(f"{shortened(item)} is both a construct and an item", way_out="Name one of them otherwise.")
        if item in _NO_ITEMS:
            rule = f"item {shortened(item)} bears the name of a column that is no answer"
            yield Problem(rule, way_out="Name it otherwise, and map the survey's column to it by `columns`.")
    for kind, names in (("constructs", model.constructs), ("items", dict.fromkeys(model.items))):
        labels, english = (Counter(texts[name] for name in names) for texts in (model.labels, model.english))
        for text, count in (labels | english).items():
            if count > 1:
                yield Problem(f"{count} {kind} read {shortened(text)}", way_out="Give each a label of its own.")


def _use_problems(model: SatisfactionModel) -> Iterator[Problem]:
    """Find what is said of items that do not exist, or cannot be so used."""
    uses = [(role, item) for role in ("overall_item", "recommend_item") if (item := getattr(model, role))]
    uses += [(role, item) for role in ("drivers", "reversed_items") for item in sorted(getattr(model, role))]
    uses += [("gaps", item) for pair in model.gaps for item in pair]
    for role, item in dict.fromkeys(uses):
        if item not in model.items:
            yield Problem(f"{role}: {shortened(item)} is an item of no construct", way_out=_is_it(item, model.items))
    if model.drivers and not model.overall_item:
        yield Problem("drivers are named, but not what they drive", way_out='Write overall_item = "...".')
    if model.overall_item in model.drivers:
        yield Problem(f"drivers: {shortened(model.overall_item)} is the overall_item itself", way_out="Leave it out.")
    for expected, perceived in model.gaps:
        if expected == perceived:
            yield Problem(f"gaps: {shortened(expected)} is compared with itself")


def _path_problems(model: SatisfactionModel) -> Iterator[Problem]:
    for path in _blind_paths(model):
        rule = f"[constructs.{path.source}] it leads to {shortened(path.target)}, which is no construct"
        yield Problem(rule, way_out=_is_it(path.target, model.constructs))
    for (source, target), count in Counter((path.source, path.target) for path in model.paths).items():
        if count > 1:
            yield Problem(f"[constructs.{source}] it both raises and lowers {shortened(target)}", way_out="Choose one.")
    try:
        TopologicalSorter(_causes(model)).prepare()
    except CycleError as error:
        yield Problem(f"the paths run in a circle: {' -> '.join(error.args[1])}", way_out="Take one of them out.")


def _blind_paths(model: SatisfactionModel) -> list[Path]:
    return [path for path in model.paths if path.target not in model.constructs]


def _causes(model: SatisfactionModel) -> dict[str, list[str]]:
    return {key: [path.source for path in model.paths if path.target == key] for key in model.constructs}


def _connection_problems(model: SatisfactionModel) -> Iterator[Problem]:
    if not model.constructs or _blind_paths(model):
        return
    if not model.paths:
        yield Problem("no construct leads to another", way_out='Write leads_to = ["..."] below the constructs that do.')
        return
    parts = _parts(model)
    for part in parts:
        if len(part) == 1:
            rule = f"[constructs.{part[0]}] it leads nowhere, and nothing leads to it"
            yield Problem(rule, way_out="Join it or leave it out.")
    joined = [", ".join(part) for part in parts if len(part) > 1]
    if len(joined) > 1:
        yield Problem(f"the model falls into {len(joined)} parts that no path joins: {'; '.join(joined)}")
    if model.satisfaction in model.constructs and not _causes(model)[model.satisfaction]:
        yield Problem(f"nothing leads to {shortened(model.satisfaction)}", way_out="Its causes are what is asked for.")


def _parts(model: SatisfactionModel) -> list[list[str]]:
    """Group the constructs that paths join, whatever their direction."""
    part_of = {key: [key] for key in model.constructs}
    for path in model.paths:
        one, other = part_of[path.source], part_of[path.target]
        if one is not other:
            one.extend(other)
            part_of.update(dict.fromkeys(other, one))
    return [part for key, part in part_of.items() if part[0] == key]
