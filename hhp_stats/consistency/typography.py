"""Printed numbers in the marks that every keyboard has: what typesetters, journals and word processors write for them.

The checks of printed figures read one spelling; this brings the others to it. Nothing is corrected: a number keeps its
digits, and what is no number keeps its words.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# A number as `plain` leaves it: with or without a zero before the point, thousands apart by commas or not at all.
NUMBER = r"[+-]?(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
# What stands between the ends of an interval.
BETWEEN = r"(?: to | ?[;,\u2013\u2014] ?| ?\.\.\. ?)"
# The name of a p value and its sign.
P_SIGN = r"\bp(?:[ -]values?)?\s*(?P<sign><=|>=|[<>=])"

_SPACES = re.compile("[\u00a0\u2000-\u200a\u202f\u205f\u3000]")
_UNSEEN = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]")
_MINUS = re.compile(r"(?<![\w.)\]%])[\u2010-\u2015\u2212\ufe63\uff0d] ?(?=\d|\.\d|\u221e)")
_RANGE = re.compile(r"(?<=[\d)\]%\u221e]) [\u2013\u2014] (?=[\d.+-]|\u2212|\u221e)")
_HYPHENS = re.compile("[\u2010\u2011\ufe63\uff0d]")
_TRUE_MINUS = re.compile(r"\u2212")
_AT_MOST = re.compile("\\s*(?:[\u2264\u2266\u2a7d]|=<|<\\s?=)\\s*")
_AT_LEAST = re.compile("\\s*(?:[\u2265\u2267\u2a7e]|=>|>\\s?=)\\s*")
_THOUSANDS = re.compile(r"(?<![\d.,])(\d{1,3})((?:[\u00a0\u2007\u2009\u202f]\d{3})+)(?![\d])")
_POINT = re.compile("(?<=\\d)\u00b7(?=\\d)|(?<![\\w])\u00b7(?=\\d)")
_PER_CENT = re.compile(r"(?<=\d)\s+%")


@lru_cache(maxsize=2**14)  # the same cells stand on many pages, and each check asks for them
def plain(text: str) -> str:
    """The text with signs, spaces, points and letters of numbers in their plain form.

    Minus signs, hyphens that do not break and dashes before a number become `-`; a dash between two numbers stays: it
    means a range. The signs for at most and at least become `<=` and `>=`; a raised point is a decimal point; narrow
    and fixed spaces become spaces, and go where they part thousands; a space before a per cent sign goes; letters in
    mathematical or wide type become those of the alphabet. Superscripts and fractions stay what they are.
    """
    text = "".join(_letter(character) if ord(character) > 127 else character for character in _UNSEEN.sub("", text))
    text = _THOUSANDS.sub(lambda found: found[1] + "".join("," + part for part in re.findall(r"\d{3}", found[2])), text)
    text = _SPACES.sub(" ", text)
    text = _POINT.sub(".", text)
    text = _signed(text)
    text = _AT_LEAST.sub(" >= ", _AT_MOST.sub(" <= ", text))
    return _PER_CENT.sub("%", text)


def _signed(text: str) -> str:
    """Minus signs and hyphens plain; a dash with a space on either side, between two numbers, stays."""
    kept = [_HYPHENS.sub("-", _MINUS.sub("-", part)) for part in _RANGE.split(text)]
    return _TRUE_MINUS.sub("-", " \u2013 ".join(kept))


def _letter(character: str) -> str:
    """A character of another type face as the plain one."""
    kind = unicodedata.decomposition(character).partition(" ")[0]
    return (
        unicodedata.normalize("NFKC", character) if kind in ("<font>", "<wide>", "<narrow>", "<small>") else character
    )
