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
from matplotlib.axis import Axis
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter, FuncFormatter

from hhp_stats.errors import HhpError
from hhp_stats.present.marked_text import Piece, markdown_mark, pieces, plain
from hhp_stats.processes.at_work import located

FOLDER = "figures"


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedFigure:
    """A figure as the value of a cell: shown by IPython through its Markdown."""

    label: str  # without the prefix `fig-`
    path: str  # relative to the document
    alt: str
    caption: str
    pieces: tuple[Piece, ...] = ()  # the caption cut at its marks
    presenter: str = ""  # dotted name of the function that made it
    results: tuple[str, ...] = ()  # ids of the results it shows

    def _repr_markdown_(self) -> str:
        alt = self.alt.replace('"', "\u201d")
        data = (
            f' data-presenter="{self.presenter}" data-results="{" ".join(self.results)}"'
            if self.presenter or self.results
            else ""
        )
        caption = "".join(markdown_mark(piece, piece.text) for piece in self.pieces) or self.caption
        return f'::: {{#fig-{self.label}{data}}}\n\n![]({self.path}){{fig-alt="{alt}"}}\n\n{caption}\n\n:::\n'


def svg_bytes(figure: Figure) -> bytes:
    """The figure as SVG, the same bytes for the same drawing; closes it.

    The layout is found first, by itself, and no engine is left: with one, or with what matplotlib puts in the place of
    one ("none"), `savefig` goes through all of the drawing once more before it draws.
    """
    stream = io.BytesIO()
    _unmark(figure)
    FigureCanvasSVG(figure)  # text is measured as it will be drawn
    engine, dpi = figure.get_layout_engine(), figure.dpi
    if engine is not None:
        figure.dpi = 72  # as for every drawing in SVG; what is drawn in pixels keeps its own
        engine.execute(figure)
        figure.dpi = dpi
    with plt.rc_context({"figure.constrained_layout.use": False, "figure.autolayout": False}):
        figure.set_layout_engine(None)  # by these settings: none
        figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    plt.close(figure)
    return stream.getvalue()


def _unmark(figure: Figure) -> None:
    """Take the marks of numbers off all words of a drawing."""
    for axis in figure.findobj(Axis):
        if isinstance(axis.get_major_formatter(), FixedFormatter | FuncFormatter):  # ticks with words of their own
            labels = [label.get_text() for label in axis.get_ticklabels()]
            if any(plain(label) != label for label in labels):
                axis.set_ticklabels([plain(label) for label in labels])
    for text in figure.findobj(Text):
        if (words := text.get_text()) != (bare := plain(words)):
            text.set_text(bare)


def embed(
    figure: Figure, *, root: Path, document: str, label: str, conclusion: str, alt: str, caption: str
) -> EmbeddedFigure:
    """Write `figure` below `report/figures/` and return the Markdown figure that shows it in `document`.

    `document` is the source file relative to `root`. The alternative text begins with the `conclusion`: what somebody
    who sees the figure takes from it; `alt` says what is drawn, and its numbers. Refuses a figure without words
    (HhpError).
    """
    if not (conclusion.strip() and alt.strip() and caption.strip()):
        raise HhpError(f"figure {label}: a figure needs a conclusion, an alternative text and a caption")
    alt = f"{conclusion.strip().rstrip('.')}. {alt}"
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
    return EmbeddedFigure(label=label, path=path, alt=plain(alt), caption=plain(caption), pieces=tuple(pieces(caption)))
