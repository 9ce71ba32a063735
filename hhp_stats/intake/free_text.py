"""What people write in their own words, in any script: kept as it is, without what would harm a page."""

from __future__ import annotations

import re
import unicodedata

# Line breaks and blanks of every kind; what else Unicode calls a control character is not taken for a blank.
_BLANKS = re.compile("[\t\n\r\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000 ]+")
_NOTHING = re.compile(
    "[\u00ad\u200b\u2060\ufeff]"
)  # break or bind words unseen; the joiners within emoji and scripts stay
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def free_text(text: str) -> str:
    """The text with composed letters (NFC), single blanks and no outer ones; every other sign stays as it was
    written.
    """
    return _BLANKS.sub(" ", _NOTHING.sub("", unicodedata.normalize("NFC", text))).strip()


def unfit(text: str) -> list[str]:
    """The characters no page can hold, as code points: controls, signs that turn the direction, parts of characters."""
    return list(dict.fromkeys(f"U+{ord(character):04X}" for character in text if _is_unfit(character)))


def _is_unfit(character: str) -> bool:
    code = ord(character)
    nothing = 0xFDD0 <= code <= 0xFDEF or code & 0xFFFE == 0xFFFE  # never characters, says Unicode
    return nothing or character in _TURNING or unicodedata.category(character) in ("Cc", "Cs")
