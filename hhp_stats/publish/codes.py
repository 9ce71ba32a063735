"""Codes of clauses, conflicts, departures, deviations, rules, published figures and results as links to their entries.

The entries say what is a code: an entry of a register carries a place `code-c86` (`code-rule-c09` of a rule), a result
in the index `result-<id>`. Wherever else a code of an entry is printed, in prose, in cells and notes of tables, it
becomes a link to that place; what no entry has stays as it is. A code that two registers have is meant as the page's
own has it, elsewhere not as a rule. book.lua does the same in the trees; here it is done in the tables set aside.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Mapping

ENTRY, RULE, RESULT = "code-", "code-rule-", "result-"
_PLACE = re.compile(r' data-anchor="([^"]*)"')
_TAG = re.compile(r"(<[^<>]*>)")
# A code is capitals and figures, also with hyphens; a result has a study or not; none is part of a longer word.
_CODE = re.compile(
    r"(?<![\w/#.-])(?:[A-Z][A-Z0-9]+(?:-[A-Z0-9]+)*|[A-Z](?:-[A-Z0-9]+)+"
    r"|[a-z][a-z0-9_]*(?:/[A-Za-z0-9_.-]*[A-Za-z0-9]){2,3})(?![\w/-])"
)
_WITHIN = ("a", "code", "script")


def places(tables: Iterable[str]) -> list[str]:
    """The places that tables in HTML bring: entries of registers, and results of the index."""
    return list(dict.fromkeys(html.unescape(found) for table in tables for found in _PLACE.findall(table)))


def codes_of(pages: Mapping[str, str], studies: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Each code of the book and the place of its entry, by chapter: an entry of its own comes first; `pages` says in
    which chapter each place is, `studies` which study each chapter is about, "" for no single one.
    """
    found: dict[str, str] = {}
    results: dict[str, list[str]] = {}
    own: dict[str, dict[str, str]] = {slug: {} for slug in studies}
    for place in sorted(pages, key=lambda place: place.startswith(RULE)):
        if place.startswith(RESULT):
            name = place.removeprefix(RESULT)
            found[name] = place
            results.setdefault(name.split("/", 1)[-1], []).append(place)
        elif place.startswith(ENTRY):
            code = place.removeprefix(RULE).removeprefix(ENTRY).upper()
            found.setdefault(code, place)
            own.setdefault(pages[place], {}).setdefault(code, place)
    # A result may be named without its study where one study alone has it, or the page is about one that has it.
    short = {name: of for name, of in results.items() if name not in found}
    for slug, study in studies.items():
        own[slug] |= {name: mine for name, of in short.items() if (mine := f"{RESULT}{study}/{name}") in of}
    found |= {name: of[0] for name, of in short.items() if len(of) == 1}
    return {slug: found | first for slug, first in own.items()}


def linked_codes(table: str, codes: Mapping[str, str], target: Callable[[str], str], own: Callable[[str], bool]) -> str:
    """A table in HTML with its codes as links to `target(place)`; places that are not this page's `own` are taken off.

    Left alone is what is a link or code already, and the entry itself.
    """
    depth, entry = 0, ""
    parts = []
    for part in _TAG.split(table):
        if part.startswith("<"):
            name = part.strip("</>").split()[0].lower() if len(part) > 2 else ""
            if name in _WITHIN:
                depth += -1 if part.startswith("</") else 1
            if place := _PLACE.search(part):
                # A second list that repeats an entry leads to the first.
                entry = html.unescape(place[1]) if own(html.unescape(place[1])) else ""
                part = part if entry else _PLACE.sub("", part)
            elif name == "span" and part.startswith("</"):
                entry = ""
            parts.append(part)
        elif depth or not part.strip():
            parts.append(part)
        else:
            parts.append(part if entry else _with_links(part, codes, target))
    return "".join(parts)


def _with_links(text: str, codes: Mapping[str, str], target: Callable[[str], str]) -> str:
    def link(found: re.Match[str]) -> str:
        place = codes.get(found[0])
        return found[0] if place is None else f'<a class="code" href="{html.escape(target(place))}">{found[0]}</a>'

    return _CODE.sub(link, text)
