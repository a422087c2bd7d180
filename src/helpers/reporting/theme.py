"""The one look of every figure: colour-blind safe, quiet, and the same bytes at each run."""

from __future__ import annotations

import base64
import io
import os
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from helpers.exhibits import Figure


def render(figure: Figure) -> tuple[bytes, bytes]:
    """Return a figure drawn under the theme, as PNG (for notebooks) and as SVG (for pages and files).

    The SVG carries no date and fixed ids, so the same data give the same text.
    """
    import matplotlib
    from matplotlib import pyplot

    with (
        as_file(files("helpers.reporting") / "report.mplstyle") as style,
        matplotlib.rc_context(fname=os.fspath(style)),
    ):
        drawn = figure.draw()
        png, svg = io.BytesIO(), io.BytesIO()
        drawn.savefig(png, format="png", metadata={"Software": None})
        drawn.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
        pyplot.close(drawn)
    return png.getvalue(), svg.getvalue()


def png_bundle(figure: Figure, png: bytes) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Return the notebook output of a drawn figure: the picture, its words, and where its file will be."""
    data = {"image/png": base64.b64encode(png).decode(), "text/plain": figure.alt}
    return data, {"image/png": {"alt": figure.alt, "figure": figure.name}}
