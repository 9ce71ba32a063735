"""What do the panels show of the numbers, figures and tables that pages mark?"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping
from html import unescape
from typing import Any

from hhp_stats.files.remember import Remember, code_of
from hhp_stats.publish.source import Cell

_RESULT = re.compile(r'data-result="([^"]+)"')
_RESULTS = re.compile(r'data-results="([^"]*)"')
_PRESENTER = re.compile(r'data-presenter="([^"]+)"')
_FIGURE = re.compile(r'<figure id="([^"]+)" class="float.*?</figure>', re.DOTALL)
_ANCHOR = re.compile(r'id="result-([^"]+)"')


def behind_pages(
    bodies: Mapping[str, str],
    cells: Mapping[str, Cell],
    explain: Callable[..., Mapping[str, Any]] | None,
    remember: Remember,
) -> dict[str, Any]:
    """What the panels show: explanations of all marked results, their places in the index, the code of cells.

    `bodies` are the pages' texts by file name, `cells` the code behind each labelled figure and table; `explain` is
    asked once, about all results and functions that the pages mark.
    """
    marks = {page: _remembered(body, remember) for page, body in bodies.items()}
    results = {key for page in marks.values() for key in page["results"]}
    functions = {name for page in marks.values() for name in page["functions"]}
    places = {unescape(key): f"{page}#result-{key}" for page, found in marks.items() for key in found["anchors"]}
    known = explain(results=results, functions=functions) if explain else {}
    behind = {
        label: {**_code(cells.get(label)), **shown} for page in marks.values() for label, shown in page["figures"]
    }
    return {**known, "places": places, "figures": {label: made for label, made in behind.items() if made}}


def _remembered(body: str, remember: Remember) -> dict[str, Any]:
    made = remember(["behind", code_of(sys.modules[__name__]), body], lambda: json.dumps(_marks(body)))
    found: dict[str, Any] = json.loads(made)
    return found


def _marks(body: str) -> dict[str, Any]:
    """The results, functions and places of the index that a page marks; presenter and results of each figure and
    table.
    """
    results = {unescape(found) for found in _RESULT.findall(body)}
    results |= {key for found in _RESULTS.findall(body) for key in unescape(found).split()}
    return {
        "results": sorted(results),
        "functions": sorted({unescape(found) for found in _PRESENTER.findall(body)}),
        "anchors": _ANCHOR.findall(body),
        "figures": [(unescape(found[1]), _shown(found[0])) for found in _FIGURE.finditer(body)],
    }


def _shown(figure: str) -> dict[str, Any]:
    """Presenter and results of a figure or table; what is not known is left out."""
    presenter, results = _PRESENTER.search(figure), _RESULTS.search(figure)
    return {
        **({"presenter": unescape(presenter[1])} if presenter else {}),
        **({"results": unescape(results[1]).split()} if results and results[1] else {}),
    }


def _code(cell: Cell | None) -> dict[str, Any]:
    """The cell of the chapter that made a figure or table."""
    return {"file": cell.file, "line": cell.line, "code": cell.source.strip("\n")} if cell else {}
