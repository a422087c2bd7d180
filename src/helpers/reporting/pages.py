"""Pages from the templates, and how numbers and moments stand in them; `rendering` puts a notebook into one."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from helpers.data.refusal import without_values
from helpers.exhibits import DASH, number

from .changes import as_number


def render_failure(stage: Path, record: dict[str, Any]) -> str:
    """Return the page of a failed run: what failed, in words, with the way to its log and notebook."""
    files = [name for name in ("run.log", "notebook.ipynb", "manifest.json") if (stage / name).is_file()]
    shown = record | {"message": without_values(record["message"])}
    return render_page("failure.html.j2", run=shown, files=files)


def render_page(template: str, **values: Any) -> str:
    """Return a page from one of the templates; every value that is not markup is escaped."""
    return _templates().get_template(template).render(**values)


@cache
def _templates() -> jinja2.Environment:
    loader = jinja2.PackageLoader("helpers.reporting")
    templates = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    templates.filters["number"] = shown_number
    templates.filters["estimate"] = shown_estimate
    templates.filters["cell"] = _shown_cell
    templates.filters["headline"] = _shown_headline
    templates.filters["moment"] = _shown_moment
    templates.filters["full_title"] = full_title
    return templates


def labelled(title: str, label: str) -> str:
    """Return a title with what it is labelled with, such as "Simulated data", where there is something."""
    return f"{title} ({label})" if label else title


def full_title(run: dict[str, Any]) -> str:
    """Return the title of a report with what it is labelled with."""
    return labelled(run["title"], run.get("label", ""))


def _shown_moment(stamp: str) -> str:
    return datetime.fromisoformat(stamp).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def shown_number(value: float | None) -> str:
    """Return a number as pages show it: whole, with two decimals, or with four where it is small."""
    if value is None:
        return number(None)
    if float(value).is_integer():
        return number(value)
    return number(value, 2) if abs(value) >= 10 else number(value, 4)


def shown_estimate(entry: dict[str, Any] | None) -> str:
    """Return an entry of `results.json` as a number with its interval."""
    if entry is None:
        return DASH
    value, low, high = (entry[part] for part in ("value", "low", "high"))
    return (
        shown_number(value) if low is None else f"{shown_number(value)} ({shown_number(low)} to {shown_number(high)})"
    )


def _shown_headline(entry: dict[str, Any]) -> str:
    """Return the words of an entry of `results.json`, with its interval where they do not tell it."""
    text, low, high = entry["text"], entry["low"], entry["high"]
    if low is None or "interval" in text:
        return text
    return f"{text} (95 % interval {shown_number(low)} to {shown_number(high)})"


def _shown_cell(text: str | None) -> str:
    """Return a cell of a CSV file, a number as pages show numbers."""
    value = as_number(text)
    return (text or DASH) if value is None else shown_number(value)
