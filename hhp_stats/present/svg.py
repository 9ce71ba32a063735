"""A finished drawing as SVG: the same bytes for the same drawing, and no word measured twice.

Most of the time of a figure goes into measuring its words. matplotlib measures each for the layout and again for the
drawing, and a figure drawn for paper and for a telephone has the same words twice.
"""

from __future__ import annotations

import io
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.backends.backend_svg import FigureCanvasSVG, RendererSVG
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.ft2font import FT2Font
from matplotlib.textpath import TextToPath

from hhp_stats.present.marked_text import plain

_POINTS = 72.0  # an inch: the unit of drawings in SVG


def svg_bytes(figure: Figure) -> bytes:
    """The figure as SVG without a background and without marks on its words; closes it."""
    figure.dpi = _POINTS
    for patch in (figure.patch, *(axes.patch for axes in figure.axes)):
        patch.set_facecolor("none")
    stream = io.StringIO()
    canvas = _Canvas(figure, stream)
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
    with plt.rc_context({"figure.constrained_layout.use": False, "figure.autolayout": False}):
        figure.set_layout_engine(None)  # by these settings: none, so that the layout is not sought again
        figure.draw(canvas.renderer)
    canvas.renderer.finalize()  # type: ignore[no-untyped-call]
    plt.close(figure)
    return stream.getvalue().encode()


class _Canvas(FigureCanvasSVG):
    """One renderer for layout and drawing: text is measured as it will be drawn."""

    def __init__(self, figure: Figure, stream: io.StringIO) -> None:
        super().__init__(figure)
        width, height = _POINTS * figure.get_size_inches()
        self.renderer = _Renderer(width, height, stream, metadata={"Date": None, "Creator": None})

    def get_renderer(self) -> RendererSVG:
        return self.renderer


class _Renderer(RendererSVG):
    def __init__(self, width: float, height: float, stream: io.StringIO, **kept: Any) -> None:
        super().__init__(width, height, stream, **kept)  # type: ignore[no-untyped-call]
        self._text2path = _WORDS

    def get_text_width_height_descent(self, s: str, prop: FontProperties, ismath: Any) -> tuple[float, float, float]:
        return _WORDS.get_text_width_height_descent(plain(s), prop, ismath)

    def draw_text(self, gc: Any, x: float, y: float, s: str, *given: Any, **named: Any) -> None:
        super().draw_text(gc, x, y, plain(s), *given, **named)  # type: ignore[no-untyped-call]


class _Words(TextToPath):
    """Words as outlines, each measured and set once however often it is drawn."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: dict[Any, tuple[float, float, float]] = {}
        self.set: dict[Any, list[tuple[str, float, float, float]]] = {}
        self.outlines: dict[str, Any] = {}

    def get_text_width_height_descent(self, s: str, prop: FontProperties, ismath: Any) -> tuple[float, float, float]:
        key = (s, hash(prop), ismath)
        if key not in self.sizes:
            self.sizes[key] = super().get_text_width_height_descent(s, prop, ismath)
        return self.sizes[key]

    def get_glyphs_with_font(
        self, font: FT2Font, s: str, glyph_map: Any = None, return_new_glyphs_only: bool = False, **features: Any
    ) -> tuple[list[tuple[str, float, float, float]], Any, list[Any]]:
        key = (font.fname, s, repr(features))
        if key not in self.set:
            placed, outlines, _ = super().get_glyphs_with_font(font, s, **features)
            self.set[key] = placed
            self.outlines |= outlines
        known = glyph_map or {}
        new = {name: self.outlines[name] for name, *_ in self.set[key] if name not in known}
        return self.set[key], new if return_new_glyphs_only else {**known, **new}, []


_WORDS = _Words()
