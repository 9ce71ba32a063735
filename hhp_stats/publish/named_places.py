"""What of the numbers of the whole book does one chapter name?

The filters are handed these alone. All places of the book are a third of a megabyte, which each chapter would read in
each format; and a chapter that names nothing of what moved elsewhere is not written again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from hhp_stats.publish.numbering import Numbers

_ESCAPE = re.compile(r'\\["\\/bfnrt]')
_WORD = re.compile(r"[\w./:-]+")
_CODE = re.compile(r"[A-Z][A-Z0-9-]*[A-Z0-9]")  # anywhere in a word: book.lua looks at what stands around it
_AT_AN_END = "./:-"


def names_in_trees(trees: Iterable[str]) -> frozenset[str]:
    """Every word of trees in JSON (as it is, not escaped) that may be a label, an id or a code; and much that is
    none.
    """
    found: set[str] = set()
    for tree in trees:
        text = _ESCAPE.sub(" ", tree)
        words = set(_WORD.findall(text))
        # A label at the end of a sentence within an attribute takes the sentence's full stop with it.
        found |= words | {word.strip(_AT_AN_END) for word in words}
        found.update(_CODE.findall(text))
    return frozenset(found)


def numbers_for(numbers: Numbers, names: frozenset[str]) -> Numbers:
    """The numbers that a chapter with these `names` can ask for: labels, places of links and codes that it has."""
    renamed = numbers["renamed"]
    codes = {code: place for code, place in numbers["codes"].items() if code in names}
    wanted = names | set(codes.values()) | set(renamed.values()) | set(numbers["chapters"].values())
    return {
        **numbers,
        "codes": codes,
        "defined": {name: entry for name, entry in numbers["defined"].items() if name in wanted},
        "pages": {place: page for place, page in numbers["pages"].items() if place in wanted},
    }
