"""Render the report's Quarto book to a site and a PDF without the Quarto CLI, or with it.

The sources stay an ordinary Quarto book. `render_book` in `render` is the way in; `lint_book` in
`lint` says which places of the sources use something that the two engines would not both honour.

    _quarto.yml, *.qmd --qmd--> cells --execute--> outputs --weave--> Markdown of each chapter
    --Pandoc--> tree of each chapter --numbering, citations--> numbers and citations of the book
    --Pandoc, book.lua--> numbered chapter --html.lua--> page;  --typst.lua, typst_tables, Typst--> PDF

What nothing depends on is not made again: `unchanged` (the whole report), `execute` and `dependencies` (a chapter's
code), `kept_text` (a chapter's text in a format).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hhp_stats.publish.lint import lint_book
    from hhp_stats.publish.render import Explain, RenderReport, render_book

__all__ = ["Explain", "RenderReport", "lint_book", "render_book"]


def __getattr__(name: str) -> Any:
    """Import the renderer when it is asked for: to find that nothing changed, it is not needed."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{'lint' if name == 'lint_book' else 'render'}"), name)
