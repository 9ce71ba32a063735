"""Characters that no font of the report has: a stand-in names them, and the document is set all the same.

What an authority writes as the reason of a correction may hold any character. PDF/A and PDF/UA forbid a glyph that is
missing, and Typst names all of them when it refuses; each is then printed as its code point, ‹U+1F600›. The site shows
the characters themselves.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

_NO_GLYPH = re.compile(
    r'the text `"((?:[^"\\]|\\.)+)"` could not be displayed|the PDF contains the codepoint `"((?:[^"\\]|\\.)+)"`'
)
_ESCAPED = re.compile(r"\\(?:u\{([0-9a-fA-F]+)\}|(.))", re.DOTALL)
_SIDE_BY_SIDE = re.compile("(U\\+[0-9A-F]+)\u203a\u2039(?=U\\+)")  # a long row of them must find its line breaks
_LATIN = 0x250  # letters before it are in every font of the report


def missing(diagnostic: str) -> tuple[str, ...]:
    """The texts that Typst could not display, longest first: characters, or ones that only make sense together.

    Characters for private use are among them: whatever a font shows for them, PDF/A forbids them.
    """
    found = {_ESCAPED.sub(_plain, one or other) for one, other in _NO_GLYPH.findall(diagnostic)}
    return tuple(sorted(found, key=lambda text: (-len(text), text)))


def to_replace(texts: Sequence[str], fonts: Path) -> tuple[str, ...]:
    """Those of the texts that have to go: the ones with a character that none of the fonts in the folder has.

    Typst also names their neighbours, which it can display once they are gone. Where every character has a font, it
    is their combination that has none, and all have to go.
    """
    from fontTools.ttLib import TTFont  # matplotlib brings it; needed in a rendering of many only

    known: set[int] = set()
    for path in sorted(fonts.glob("*.[ot]tf")):
        known |= TTFont(path, lazy=True).getBestCmap().keys()
    unknown = tuple(text for text in texts if not known.issuperset(map(ord, text)))
    return unknown or tuple(texts)


def _plain(found: re.Match[str]) -> str:
    return chr(int(found[1], 16)) if found[1] else found[2]


def stand_in(text: str) -> str:
    """The text with its letters that every font has, and each other character as its code point: `‹U+1F600›`."""
    return re.sub(
        "[^\x00-\u024f]+", lambda found: f"\u2039{' '.join(f'U+{ord(each):04X}' for each in found[0])}\u203a", text
    )


def named(characters: str, *, longest: int = 12) -> str:
    """Characters for a message: `U+1F600 (grinning face)`; after the first `longest`, how many there are more."""
    all_of_them = list(dict.fromkeys(characters))
    words = [
        f"U+{ord(each):04X} ({unicodedata.name(each, 'without a name').lower()})" for each in all_of_them[:longest]
    ]
    more = len(all_of_them) - len(words)
    return ", ".join(words) + (f" and {more} more" if more else "")


def with_stand_ins(source: str, texts: Sequence[str]) -> str:
    """The document with a stand-in for each of the texts; as it was where none of them stands in it as it is."""
    for text in texts:
        if text in source:
            source = source.replace(text, stand_in(text))
        else:  # joined by the typesetter only: each character by itself
            for character in dict.fromkeys(text):
                if ord(character) >= _LATIN:
                    source = source.replace(character, stand_in(character))
    return _SIDE_BY_SIDE.sub(r"\1 ", source)
