"""A page without what no browser needs: half of a table's characters say nothing that a reader could see."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache
from pathlib import Path

ASSETS = Path(__file__).parent / "assets"

_TAG = re.compile(r"<([A-Za-z][\w:-]*)((?:[^>\"']|\"[^\"]*\"|'[^']*')*)>")
_CLASS = re.compile(r' class="([^"]*)"')
_BEHIND = re.compile(r' data-(?:presenter|results)="[^"]*"')
_ONE = re.compile(r' (?:row|col)span="1"')
_MARK = re.compile(r'<span class="result" (data-result="[^"]+"(?: data-turned="true")?)>([^<]*)</span>')
_INTERVAL = re.compile(r"(<span data-result=[^>]+>)([^<]*)</span> to \1")
_INDENT = re.compile(r"\n +(?=</?t[a-z]+[ >])")
_HEAD = r'<th scope="row" class="gt_stub">(?:<span [^>]*>)?'
_CELL = re.compile(rf'(<td class="gt_left">|(?:<a class="code"[^>]*>|<code>|{_HEAD})(?=[^<]{{16}}))([^<]+)')
_ID = re.compile(rf"({_HEAD})(\w+(?:-\w+)+(?:\u00a0\S)?)(?=</)")
_WORDS = re.compile(r"<td>(?=[A-Za-z][^<=]{14,}</td>)")
_BRIEF = re.compile(r'<td class="gt_left">(?=(?:<a [^>]*>)?[^<]{0,16}(?:</a>)?</td>)')  # a word or two, a code
_LONGEST_ID = 16  # letters
_JOINT = re.compile(r"(?<=\w)(?:[/_](?=\w)|\.(?=[a-z]))")
_LEVEL = re.compile(r"\u2003[^\s<]+")
_FIGURE = re.compile(r'<figure id="([^"]+)"')


@cache
def styled() -> frozenset[str]:
    """The classes of great_tables that the site's style sheet or a script speaks of."""
    text = "".join(file.read_text(encoding="utf-8") for file in sorted(ASSETS.glob("*.[cj]s*")))
    return frozenset(re.findall(r"\bgt_\w+", text))


def slimmed(body: str, *, explained: Collection[str]) -> str:
    """The body of a page as the site has it.

    Gone are classes of great_tables without a rule, that of number cells (the style sheet sets the cells of tables
    without one to the right), the indentation of a table's lines, spans of one cell, the class of marked numbers
    (panel.js gives it back), the second mark of an interval whose ends are one result's, and the functions and results
    behind a figure or table: results.js has those, and a figure of `explained` (ids) says so by `data-behind`.
    """
    text = _FIGURE.sub(lambda found: found[0] + (" data-behind" if found[1] in explained else ""), body)
    text = _INTERVAL.sub(r"\1\2 to ", _MARK.sub(r"<span \1>\2</span>", text))
    text = _INDENT.sub("\n", _TAG.sub(_tag, text))
    # A label that is indented below another keeps its indentation: no line ends between the two.
    text = _LEVEL.sub(r'<span class="keep">\g<0></span>', text)
    # So does an id that names a row, if it is short; any other may end a line at its joints.
    text = _ID.sub(lambda found: f"{found[1]}{_kept(found[2])}", text)
    text = _CELL.sub(lambda found: found[1] + _JOINT.sub(r"\g<0><wbr>", found[2]), text)
    text = _BRIEF.sub('<td class="gt_left brief">', text)  # a word or two need no width of their own on a telephone
    return _WORDS.sub('<td class="words">', text)  # words among numbers may take more than one line


def _kept(name: str) -> str:
    return f'<span class="keep">{name}</span>' if len(name) <= _LONGEST_ID else name


def _tag(found: re.Match[str]) -> str:
    name, attributes = found[1], found[2]
    if "gt_" in attributes:
        attributes = _CLASS.sub(_class, attributes)
        if name == "td":
            attributes = attributes.replace(' class="gt_right"', "")
        elif name == "th":
            attributes = attributes.replace(' class="gt_left gt_stub"', ' class="gt_stub"')
    if name in ("td", "th"):
        attributes = _ONE.sub("", attributes)
    elif name in ("table", "figure"):
        attributes = _BEHIND.sub("", attributes)
    return f"<{name}{attributes}>"


def _class(found: re.Match[str]) -> str:
    kept = [word for word in found[1].split() if not word.startswith("gt_") or word in styled()]
    return f' class="{" ".join(kept)}"' if kept else ""
