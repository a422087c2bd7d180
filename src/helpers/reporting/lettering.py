"""The letters of a figure in any script: a font that has them, or other letters; never an empty box."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure as MatplotlibFigure
    from matplotlib.font_manager import FontManager, FontProperties
    from matplotlib.ft2font import FT2Font
    from matplotlib.text import Text
    from matplotlib.ticker import Formatter

# Free fonts before those of an operating system, simplified Chinese before other forms of the same letters. Before
# matplotlib 3.11 only the first face of a collection is seen, which for Noto and Source Han is the Japanese one.
CJK_FAMILIES = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Noto Sans CJK JP",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "Source Han Sans",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Microsoft YaHei",
    "SimHei",
    "PingFang SC",
    "Hiragino Sans GB",
    "Heiti SC",
    "Arial Unicode MS",
    "Droid Sans Fallback",
)


def cjk_family() -> list[str]:
    """Return the first of `CJK_FAMILIES` that is installed, in a list that is empty where none is."""
    return _first_installed(CJK_FAMILIES)


@functools.cache
def _first_installed(families: tuple[str, ...]) -> list[str]:
    from matplotlib import font_manager

    manager = font_manager.fontManager
    for look_again in (False, True):
        if look_again:  # matplotlib remembers the fonts of an earlier day
            known = {entry.fname for entry in manager.ttflist}
            for path in sorted(set(font_manager.findSystemFonts()) - known):
                _add(manager, path)
        names = {entry.name for entry in manager.ttflist if Path(entry.fname).is_file()}
        if found := [family for family in families if family in names]:
            return found[:1]
    return []


def _add(manager: FontManager, path: str) -> None:
    try:
        manager.addfont(path)
    except (OSError, RuntimeError, ValueError):  # a file that is no font, or one that cannot be read
        return


class Lettering:
    """Replaces the texts of a figure that no font can draw, and remembers which.

    In a text with a letter that none of its fonts has, the names of `english` are drawn in their Latin letters. What
    is left is drawn as a number in brackets, the same for the same letters, so that two names never look alike.

    Parameters
    ----------
    english : mapping of str to str
        A name to its Latin letters. The name may stand anywhere in a text, with spaces and line breaks of its own.
    """

    def __init__(self, english: Mapping[str, str]):
        self._english = {_joined(name): (name, latin) for name, latin in english.items() if _joined(name)}
        longest_first = sorted(self._english, key=len, reverse=True)
        self._names = re.compile("|".join(r"\s*".join(map(re.escape, name)) for name in longest_first) or r"(?!)")
        self._translated: dict[str, None] = {}  # a set that keeps its order
        self._numbers: dict[str, int] = {}

    def apply(self, drawn: MatplotlibFigure) -> None:
        """Replace what cannot be drawn in every text of a figure."""
        from matplotlib.axis import Axis
        from matplotlib.cbook import is_math_text
        from matplotlib.text import Text

        for axis in drawn.findobj(Axis):
            self._apply_to_ticks(axis)
        for text in drawn.findobj(Text):
            if is_math_text(text.get_text()) and not _draws(text, text.get_text(), families=1):
                text.set_parse_math(False)  # a formula knows one font only, so this is a name with dollars in it
            text.set_text(self.write(text))

    def write(self, text: Text) -> str:
        """Return what a text says, in letters that its fonts have."""
        content = text.get_text()
        if _draws(text, content):
            return content
        latin = self._names.sub(lambda name: self._translate(text, name[0]), content)
        runs = itertools.groupby(latin, key=lambda letter: _draws(text, letter))
        return "".join("".join(run) if drawn else self._number("".join(run)) for drawn, run in runs)

    def remark(self) -> str:
        """Return which letters were not drawn and what stands there instead; empty where all were drawn."""
        parts = []
        if self._translated:
            first, *others = (f"“{name}”" for name in self._translated)
            more = f" and {len(others)} other{'s' if len(others) > 1 else ''}" if others else ""
            parts.append(f"English labels are drawn instead of {first}{more}")
        parts += [f"[{number}] stands for “{letters}”" for letters, number in self._numbers.items()]
        if not parts:
            return ""
        return (
            f"No font on this machine has all letters of this figure: {'; '.join(parts)}. "
            "Install one that has them, such as Noto Sans CJK for Chinese."
        )

    def _apply_to_ticks(self, axis: Axis) -> None:
        # The formatter of an axis writes its labels anew at every drawing.
        from matplotlib.ticker import FuncFormatter

        for minor, ticker, use in (
            (False, axis.major, axis.set_major_formatter),
            (True, axis.minor, axis.set_minor_formatter),
        ):
            labels = {label.get_text(): self.write(label) for label in axis.get_ticklabels(minor=minor)}
            if any(name != written for name, written in labels.items()):
                use(FuncFormatter(_rewritten(ticker.formatter, labels)))

    def _translate(self, text: Text, found: str) -> str:
        if _draws(text, found):
            return found
        name, latin = self._english[_joined(found)]
        self._translated[name] = None
        return latin

    def _number(self, letters: str) -> str:
        if letters.isspace():
            return " "
        number = self._numbers.setdefault(letters, len(self._numbers) + 1)
        return f"[{number}]"


def _joined(name: str) -> str:
    return "".join(name.split())


def _rewritten(formatter: Formatter, labels: dict[str, str]) -> Callable[[float, int | None], str]:
    def label(value: float, position: int | None) -> str:
        name = formatter(value, position)
        return labels.get(name, name)

    return label


def _draws(text: Text, letters: str, families: int | None = None) -> bool:
    """Say whether the fonts of a text, or the first few of their families, have all of some letters."""
    if letters.isascii() and letters.replace("\n", "").isprintable():
        return True  # every font has these, and looking fonts up takes long
    fonts = _fonts(text.get_fontproperties(), families)
    return all(letter == "\n" or any(font.get_char_index(ord(letter)) for font in fonts) for letter in letters)


def _fonts(properties: FontProperties, families: int | None) -> list[FT2Font]:
    from matplotlib import font_manager

    fonts = []
    for family in properties.get_family()[:families]:
        wanted = properties.copy()
        wanted.set_family(family)
        try:
            fonts.append(font_manager.get_font(font_manager.findfont(wanted, fallback_to_default=False)))
        except ValueError:  # not installed
            continue
    return fonts
