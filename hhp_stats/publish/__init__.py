"""Render the report's Quarto book to a site and a PDF without the Quarto CLI, or with it.

The sources stay an ordinary Quarto book. `render_book` in `render` is the way in; `lint_book` in
`lint` says which places of the sources use something that the two engines would not both honour.

    _quarto.yml, *.qmd --qmd--> cells --execute--> outputs --weave--> Markdown of each chapter
    --Pandoc, book.lua, citations--> numbered tree --html.lua--> site;  --typst.lua, Typst--> PDF
"""

from hhp_stats.publish.lint import lint_book
from hhp_stats.publish.render import Explain, RenderProgress, RenderReport, SilentProgress, render_book

__all__ = ["Explain", "RenderProgress", "RenderReport", "SilentProgress", "lint_book", "render_book"]
