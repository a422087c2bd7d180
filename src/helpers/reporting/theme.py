"""The one look of every figure: colour-blind safe, quiet, legible in any script, and the same bytes at each run."""

from __future__ import annotations

import base64
import io
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

from .lettering import Lettering, cjk_family

if TYPE_CHECKING:
    from matplotlib.figure import Figure as MatplotlibFigure
    from matplotlib.transforms import Bbox

    from helpers.exhibits import Figure

STAMP_HEIGHT = 0.25  # inches above the figure, which is laid out as if there were none
STAMP_COLOUR = "#A3340A"  # that of warnings on the pages
COLOURS = 256  # of the palette of a picture


@dataclass(frozen=True)
class Picture:
    """A drawn figure.

    Parameters
    ----------
    png, svg : bytes
        The picture for notebooks, and for pages and files. The SVG carries no date and fixed ids, so the same
        data give the same text.
    remark : str
        Which letters could not be drawn and what stands there instead, in a sentence; empty where all could.
    """

    png: bytes
    svg: bytes
    remark: str = ""


def render(figure: Figure, label: str = "") -> Picture:
    """Return a figure drawn under the theme.

    Parameters
    ----------
    figure : helpers.exhibits.Figure
        What to draw. Where no font has the letters of a text, `figure.english` says what is drawn instead.
    label : str
        What must stand on the picture, such as "Simulated data": upper right, above everything else.
    """
    import matplotlib
    from matplotlib import pyplot

    with (
        as_file(files("helpers.reporting") / "report.mplstyle") as style,
        matplotlib.rc_context(fname=os.fspath(style)),
    ):
        # Matplotlib falls back from family to family letter by letter.
        matplotlib.rcParams["font.family"] = [*matplotlib.rcParams["font.family"], *cjk_family()]
        with _missing_letters_unsaid():
            drawn = figure.draw()
            area = _stamp(drawn, label) if label else None
            lettering = Lettering(figure.english)
            lettering.apply(drawn)
        _lay_out(drawn)
        png, svg = io.BytesIO(), io.BytesIO()
        drawn.savefig(
            png, format="png", metadata={"Software": None}, bbox_inches=area, pil_kwargs={"compress_level": 1}
        )
        drawn.savefig(svg, format="svg", metadata={"Date": None, "Creator": None}, bbox_inches=area)
        pyplot.close(drawn)
    return Picture(_smaller(png), svg.getvalue(), lettering.remark())


def _lay_out(drawn: MatplotlibFigure) -> None:
    """Lay a figure out once for all pictures under the theme: each would do so anew, and draw twice for that."""
    import matplotlib

    if engine := drawn.get_layout_engine():
        engine.execute(drawn)
    matplotlib.rcParams["figure.constrained_layout.use"] = False  # or a figure without layout falls back to it
    drawn.set_layout_engine(None)


def _smaller(png: io.BytesIO) -> bytes:
    """Return a picture with a palette: of flat colours it is a third as large, and looks the same."""
    from PIL import Image

    with Image.open(png) as picture:
        # without dithering, which would speckle what is plain
        flat = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    small = io.BytesIO()
    flat.save(small, "PNG")
    return small.getvalue()


@contextmanager
def _missing_letters_unsaid() -> Iterator[None]:
    """Silence matplotlib while a figure measures texts whose missing letters are yet to be replaced."""
    formulas = logging.getLogger("matplotlib.mathtext")
    level = formulas.level
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font")
        formulas.setLevel(logging.ERROR)
        try:
            yield
        finally:
            formulas.setLevel(level)


def _stamp(drawn: MatplotlibFigure, label: str) -> Bbox:
    """Write the label above the figure, and return the area in inches that holds both."""
    from matplotlib.transforms import Bbox

    width, height = drawn.get_size_inches()
    place = {"x": 1 - 0.06 / width, "y": 1 + 0.06 / height, "ha": "right", "va": "bottom"}
    drawn.text(s=label, **place, fontweight="bold", color=STAMP_COLOUR)
    return Bbox.from_bounds(0, 0, width, height + STAMP_HEIGHT)


def png_bundle(figure: Figure, png: bytes) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Return the notebook output of a drawn figure: the picture, its words, and where its file will be."""
    data = {"image/png": base64.b64encode(png).decode(), "text/plain": figure.alt}
    return data, {"image/png": {"alt": figure.alt, "figure": figure.name}}
