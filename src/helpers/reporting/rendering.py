"""Executed notebook -> self-contained page: no network, no script, code hidden, formulas as MathML."""

from __future__ import annotations

import base64
import html
import re
from pathlib import Path
from typing import Any

import jinja2
import nbformat
from latex2mathml.converter import convert as mathml
from markupsafe import Markup
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from .changes import Changes
from .pages import labelled, render_page


class _Renderer(IPythonRenderer):
    """Markdown with formulas as MathML, a labelled title, and headings remembered for the list of contents."""

    def __init__(self, headings: list[tuple[int, str, str]], label: str):
        super().__init__(escape=False, exclude_anchor_links=True)
        self._headings = headings
        self._label = html.escape(label)

    def heading(self, text: str, level: int, **attributes: Any) -> str:
        """Return a heading with an anchor, and remember it."""
        text = labelled(text, self._label) if level == 1 else text
        anchor = re.sub(r"\W+", "-", html.unescape(re.sub(r"<[^>]*>", "", text))).strip("-").lower()
        self._headings.append((level, text, anchor))
        return f'<h{level} id="{anchor}">{text}</h{level}>\n'

    def table_cell(self, text: str, align: str | None = None, head: bool = False) -> str:
        """Return a cell of a table; what stands above a column says so."""
        right = ' class="gt_right"' if align == "right" else ""
        return f'<th scope="col"{right}>{text}</th>\n' if head else f"<td{right}>{text}</td>\n"

    def inline_math(self, body: str) -> str:
        return mathml(body)

    def block_math(self, body: str) -> str:
        return (
            f'<div class="formula" tabindex="0" role="group" aria-label="Formula">{mathml(body, display="block")}</div>'
        )

    def latex_environment(self, name: str, body: str) -> str:
        return self.block_math(rf"\begin{{{name}}}{body}\end{{{name}}}")


class _Exporter(HTMLExporter):
    def __init__(self, label: str, **options: Any):
        super().__init__(template_name="basic", exclude_input=True, exclude_output_prompt=True, **options)
        self.label = label
        self.headings: list[tuple[int, str, str]] = []

    @jinja2.pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        return MarkdownWithMath(renderer=_Renderer(self.headings, self.label)).render(source)


def render_report(stage: Path, record: dict[str, Any], changes: Changes, folder: str = "") -> str:
    """Return the page of a good run.

    Parameters
    ----------
    stage : pathlib.Path
        The folder that holds the executed notebook, its tables and its figures.
    record : dict
        The manifest.
    changes : Changes
        What changed since the last good run.
    folder : str
        Where the files of the run lie, seen from the page ("" for beside it).
    """
    notebook = nbformat.read(stage / "notebook.ipynb", as_version=4)
    for cell in notebook.cells:
        outputs = [_published(output, stage, folder) for output in cell.get("outputs", [])]
        if cell.cell_type == "code":
            cell.outputs = [output for output in outputs if output is not None]
    exporter = _Exporter(record["label"])
    body, _ = exporter.from_notebook_node(notebook)
    return render_page(
        "report.html.j2",
        body=Markup(body),
        contents=[(Markup(text), anchor) for level, text, anchor in exporter.headings if level == 2],
        run=record,
        changes=changes,
        folder=folder,
    )


def _published(output: Any, stage: Path, folder: str) -> Any:
    """Return an output as the page shows it; None for what stays in the notebook (warnings on stderr)."""
    if output.get("name") == "stderr":
        return None
    figure = output.get("metadata", {}).get("image/png", {}).get("figure")
    if figure:
        output.data = {"text/html": _figure(figure, output.metadata["image/png"]["alt"], stage, folder)}
        output.metadata = {}
    elif "text/html" in output.get("data", {}):
        output.data["text/html"] = _table(output.data["text/html"], folder)
    return output


def _figure(name: str, alt: str, stage: Path, folder: str) -> str:
    svg = base64.b64encode((stage / "figures" / f"{name}.svg").read_bytes()).decode()
    return (
        f'<figure id="figure-{name}">'
        f'<div class="scroll" tabindex="0" role="group" aria-label="Figure {name}">'
        f'<img src="data:image/svg+xml;base64,{svg}" alt="{html.escape(alt)}"></div>'
        f'<figcaption>{html.escape(alt)} <a href="{folder}figures/{name}.svg">SVG</a> '
        f'<a href="{folder}tables/{name}.csv">CSV</a></figcaption></figure>'
    )


def _table(markup: str, folder: str) -> str:
    # Each great_tables table brings a style sheet of its own; the page has one for all. Its title becomes a
    # paragraph above, which wraps on a phone while the table scrolls; the table stays labelled by it.
    markup = re.sub(r"<style.*?</style>", "", markup, flags=re.DOTALL)
    title = re.search(r'<tr class="gt_heading">\s*<td[^>]*?(id="[^"]*")[^>]*>(.*?)</td>\s*</tr>', markup, re.DOTALL)
    caption = f'<p class="caption" {title[1]}>{title[2]}</p>' if title else ""
    markup = markup.replace(title[0], "") if title else markup
    name = re.search(r'id="table-(\w+)"', markup)
    named = f"aria-labelledby={title[1][3:]}" if title else 'aria-label="Table"'
    # what scrolls must scroll by keyboard, and whoever comes there must hear where
    markup = re.sub(r'<div (?=id="table-)', f'<div tabindex="0" role="group" {named} ', markup)
    link = f'<p class="files"><a href="{folder}tables/{name[1]}.csv">CSV</a></p>' if name else ""
    return f'{caption}<div class="table">{markup}</div>{link}'
