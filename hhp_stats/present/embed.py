"""Figures with computed captions and alternative texts, in the Markdown both render engines read.

A cell option cannot hold a computed alternative text. So a figure is written once as SVG, named by
its content, and the cell's value is a Markdown figure that refers to it. The name changes with the
content: an earlier version of the figure never stands in for a later one.
"""

from __future__ import annotations

import hashlib
import io
import os
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from hhp_stats.errors import HhpError
from hhp_stats.processes.at_work import located

FOLDER = "figures"


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedFigure:
    """A figure as the value of a cell: shown by IPython through its Markdown."""

    label: str  # without the prefix `fig-`
    path: str  # relative to the document
    alt: str
    caption: str
    presenter: str = ""  # dotted name of the function that made it
    results: tuple[str, ...] = ()  # ids of the results it shows

    def _repr_markdown_(self) -> str:
        alt = self.alt.replace('"', "\u201d")
        data = (
            f' data-presenter="{self.presenter}" data-results="{" ".join(self.results)}"'
            if self.presenter or self.results
            else ""
        )
        return f'::: {{#fig-{self.label}{data}}}\n\n![]({self.path}){{fig-alt="{alt}"}}\n\n{self.caption}\n\n:::\n'


def svg_bytes(figure: Figure) -> bytes:
    """The figure as SVG, the same bytes for the same drawing; closes it.

    The layout is found first, by itself: left to `savefig`, matplotlib draws everything once more for it.
    """
    stream = io.BytesIO()
    FigureCanvasSVG(figure)  # text is measured as it will be drawn
    engine, dpi = figure.get_layout_engine(), figure.dpi
    if engine is not None:
        figure.dpi = 72  # as for every drawing in SVG; what is drawn in pixels keeps its own
        engine.execute(figure)
        figure.set_layout_engine("none")
        figure.dpi = dpi
    figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    plt.close(figure)
    return stream.getvalue()


def embed(figure: Figure, *, root: Path, document: str, label: str, alt: str, caption: str) -> EmbeddedFigure:
    """Write `figure` below `report/figures/` and return the Markdown figure that shows it in `document`.

    `document` is the source file relative to `root`. Refuses a figure without words (HhpError).
    """
    if not alt.strip() or not caption.strip():
        raise HhpError(f"figure {label}: a figure needs an alternative text and a caption")
    content = svg_bytes(figure)
    name = f"{label}-{hashlib.sha256(content).hexdigest()[:10]}.svg"
    folder = root / "report" / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / name
    if not target.exists():
        partial = target.with_name(f"{name}.{os.getpid()}.partial")
        with located(target):
            partial.write_bytes(content)
        partial.replace(target)
    path = f"{FOLDER}/{name}" if document.startswith("report/") else f"report/{FOLDER}/{name}"
    return EmbeddedFigure(label=label, path=path, alt=alt, caption=caption)
