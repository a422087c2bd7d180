"""What a report that reads several files of one firm has to see to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from helpers.data.refusal import InputRefused, Problem
from helpers.data.sources import find_built_in
from helpers.exhibits import listed

from .choices import Choices


def is_simulated(source: str, table: str) -> bool:
    """Tell whether nobody real stands behind a source of that table."""
    built_in = find_built_in(source, table)
    return built_in is not None and built_in.is_simulated


@contextmanager
def one_way_to_write(settings: Choices, files: Sequence[str]) -> Iterator[None]:
    """Say of a refused date or number which of the files it stands in, and that all must be written alike.

    Parameters
    ----------
    settings : Choices
    files : sequence of str
        The settings that name a file.
    """
    try:
        yield
    except InputRefused as refused:
        if not any(part in problem.way_out for problem in refused.problems for part in ("date_format", "decimal=")):
            raise
        given = [name for name in files if Path(getattr(settings, name)).name == refused.subject]
        subject = f"{refused.subject} ({' or '.join(given)})" if given else refused.subject
        advice = f"{refused.advice} date_format and decimal hold for {listed(files)} alike.".strip()
        raise InputRefused(subject, refused.problems, advice) from None


def refuse_a_mixture(settings: Choices, files: Sequence[str]) -> None:
    """Refuse simulated tables beside real ones: they are not of the same customers.

    Parameters
    ----------
    settings : Choices
    files : sequence of str
        The settings that name a file, each called as its table is; purchases come first.

    Raises
    ------
    InputRefused
    """
    given = {name: getattr(settings, name) for name in files}
    simulated = [name for name, source in given.items() if source and is_simulated(source, name)]
    own = [name for name, source in given.items() if source and name not in simulated]
    if not simulated or not own:
        return
    first, *others = files
    if first in own:
        way_out = f"You gave {first} of your own: set {listed(others)} to your files, or to '' for none."
    else:
        way_out = (
            f"You gave {listed(own)} of your own: set {first} to your file as well, and what you do not have to '' "
            "for none."
        )
    mixed = f"{listed(simulated)} of the synthetic firm beside {listed(own)} of others"
    raise InputRefused(mixed, [Problem("they are not of the same customers", way_out=way_out)])
