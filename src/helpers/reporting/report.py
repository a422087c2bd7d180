"""What a notebook calls to show an analysis, and what is kept of it when it runs unattended."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.exhibits import Column, plain

from . import csv_files
from .theme import png_bundle, render

if TYPE_CHECKING:
    import pandas as pd

    from helpers.exhibits import Analysis, Figure, Table

# Set by the runner for the kernel; a notebook opened by hand or run by plain papermill has neither.
RUN_FOLDER = "HELPERS_RUN_FOLDER"
PROCESSED_FOLDER = "HELPERS_PROCESSED_FOLDER"


class Report:
    """Shows an analysis in a notebook, and saves what it shows when the runner runs it.

    What the analysis is labelled with, such as "Simulated data", stands above the answer, in the caption of each
    table, on each figure and in its words; what a single exhibit is labelled with, on that one.

    Opened by hand in JupyterLab it only shows. Under the runner each table shown is also written to
    `tables/<name>.csv`, each figure to `figures/<name>.svg` with its data as CSV, and `finish` writes the
    headline numbers, without which a run does not count as a success.

    Parameters
    ----------
    analysis : helpers.exhibits.Analysis
        The result object of a topic.
    """

    def __init__(self, analysis: Analysis):
        self.analysis = analysis
        self._folder = _folder(RUN_FOLDER)
        self._columns: dict[str, dict[str, dict[str, str]]] = {}
        self._figures: list[str] = []

    def answer(self) -> None:
        """Show the answer in words, with the conclusions that do not hold above it."""
        from IPython.display import Markdown, display

        label = f"**{plain(self.analysis.label)}**" if self.analysis.label else ""
        warnings = "".join(f"> **Mind:** {plain(sentence)}\n>\n" for sentence in self.analysis.warnings)
        display(Markdown(f"{label}\n\n{warnings}\n\n{self.analysis.answer}".strip()))

    def notes(self) -> None:
        """Show what the data brought that a reader should know."""
        from IPython.display import Markdown, display

        notes = [f"- {plain(sentence)}" for sentence in self.analysis.notes]
        display(Markdown("\n".join(notes) or "There is nothing else to say of these data."))

    def table(self, name: str) -> None:
        """Show a table of the analysis, and save it in full precision."""
        from IPython.display import display

        table = _named(self.analysis.tables, name, "table")
        display(replace(table, caption=self._labelled(table, table.caption)))
        self._columns[name] = units(table.frame, table.columns)
        if self._folder:
            _save_csv(self._folder, table.name, table.frame)

    def figure(self, name: str) -> None:
        """Show a figure of the analysis with its words, and save it with its data."""
        from IPython.display import Markdown, display

        figure = _named(self.analysis.figures, name, "figure")
        self._columns.setdefault(name, units(figure.frame, figure.columns))
        if self._folder:
            _save_csv(self._folder, figure.name, figure.frame)
        if figure.draw is None:
            display(Markdown(plain(self._labelled(figure, figure.alt))))
            return
        picture = render(figure, self._label(figure))
        data, metadata = png_bundle(replace(figure, alt=self._labelled(figure, figure.alt)), picture.png)
        display(data, metadata=metadata, raw=True)
        if picture.remark:
            display(Markdown(plain(picture.remark)))
        self._figures.append(name)
        if self._folder:
            (self._folder / "figures").mkdir(exist_ok=True)
            (self._folder / "figures" / f"{figure.name}.svg").write_bytes(picture.svg)

    def finish(self) -> None:
        """Write the headline numbers, what was shown, what was read, and the tables for other notebooks."""
        if not self._folder:
            return
        processed = _folder(PROCESSED_FOLDER)
        for name, frame in self.analysis.processed.items():
            frame.to_parquet(processed / f"{name}.parquet", index=False)
        _save_json(self._folder / "tables" / "columns.json", self._columns)
        contents = {
            "label": self.analysis.label,
            "tables": list(self._columns),
            "figures": self._figures,
            "inputs": self.analysis.inputs,
            "warnings": [*self.analysis.warnings, *self.analysis.notes],
            "processed": list(self.analysis.processed),
        }
        _save_json(self._folder / "contents.json", contents)
        _save_json(self._folder / "results.json", {h.name: h.record() for h in self.analysis.headlines})

    def _label(self, exhibit: Table | Figure) -> str:
        return ". ".join(label for label in (self.analysis.label, exhibit.label) if label)

    def _labelled(self, exhibit: Table | Figure, words: str) -> str:
        label = self._label(exhibit)
        return f"{label}. {words}" if label else words


def _named(exhibits: dict[str, Any], name: str, kind: str) -> Any:
    if name not in exhibits:
        raise KeyError(f"there is no {kind} '{name}'; there is: {', '.join(exhibits)}")
    return exhibits[name]


def units(frame: pd.DataFrame, columns: dict[str, Column]) -> dict[str, dict[str, str]]:
    """Return label and unit of each column of a file, as `columns.json` keeps them."""
    described = {name: columns.get(name, Column(name.replace("_", " "))) for name in frame.columns}
    return {name: {"label": column.label, "unit": column.unit} for name, column in described.items()}


def _folder(variable: str) -> Path | None:
    path = os.environ.get(variable)
    return Path(path) if path else None


def _save_csv(folder: Path, name: str, frame) -> None:
    csv_files.save_frame(folder / "tables" / f"{name}.csv", frame)


def _save_json(path: Path, content: dict) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
