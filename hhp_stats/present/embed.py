"""Figures with computed captions and alternative texts, in the Markdown both render engines read.

A cell option cannot hold a computed alternative text. So a figure is written once as SVG, named by
its content, and the cell's value is a Markdown figure that refers to it. The name changes with the
content: an earlier version of the figure never stands in for a later one. A figure wider than a telephone is drawn
once more as wide as one, from the same values by the same function: Quarto shows the first, our pages choose.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from hhp_stats.errors import HhpError
from hhp_stats.present.markdown import escaped, escaped_part
from hhp_stats.present.marked_text import Piece, markdown_mark, pieces, plain
from hhp_stats.present.style import PHONE, WIDTH, narrow
from hhp_stats.present.svg import svg_bytes
from hhp_stats.processes.at_work import located

FOLDER = "figures"


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedFigure:
    """A figure as the value of a cell: shown by IPython through its Markdown."""

    label: str  # without the prefix `fig-`
    path: str  # relative to the document
    phone: str = ""  # the same as wide as a telephone, where the other is wider
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
        caption = "".join(markdown_mark(piece, escaped_part(piece.text)) for piece in self.pieces) or escaped(
            self.caption
        )
        phone = f' phone="{self.phone}"' if self.phone else ""
        return f'::: {{#fig-{self.label}{data}}}\n\n![]({self.path}){{fig-alt="{alt}"{phone}}}\n\n{caption}\n\n:::\n'


def embed(
    draw: Callable[[float], Figure],
    *,
    root: Path,
    document: str,
    label: str,
    conclusion: str,
    alt: str,
    caption: str,
) -> EmbeddedFigure:
    """Write what `draw` makes below `report/figures/` and return the Markdown figure that shows it in `document`.

    `draw` takes the width in inches; one whose figure is wider than a telephone at the page's width is asked again for
    that of a telephone. `document` is the source file relative to `root`. The alternative text begins with the
    `conclusion`: what somebody who sees the figure takes from it; `alt` says what is drawn, and its numbers. Refuses a
    figure without words (HhpError).
    """
    if not (conclusion.strip() and alt.strip() and caption.strip()):
        raise HhpError(f"figure {label}: a figure needs a conclusion, an alternative text and a caption")
    alt = f"{conclusion.strip().rstrip('.')}. {alt}"
    folder = root / "report" / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    prefix = "" if document.startswith("report/") else "report/"
    figure = draw(WIDTH)
    wide = not narrow(figure.get_figwidth())
    path = f"{prefix}{FOLDER}/{_written(figure, folder, label)}"
    return EmbeddedFigure(
        label=label,
        path=path,
        phone=f"{prefix}{FOLDER}/{_written(draw(PHONE), folder, label)}" if wide else "",
        alt=plain(alt),
        caption=plain(caption),
        pieces=tuple(pieces(caption)),
    )


def _written(figure: Figure, folder: Path, stem: str) -> str:
    """The name of the file that holds the figure, written where it is not there."""
    content = svg_bytes(figure)
    name = f"{stem}-{hashlib.sha256(content).hexdigest()[:10]}.svg"
    target = folder / name
    if not target.exists():
        partial = target.with_name(f"{name}.{os.getpid()}.partial")
        with located(target):
            partial.write_bytes(content)
        partial.replace(target)
    return name
