"""Does a word name another unit than the field has? Looked for in headings, number formats and what is typed behind a
figure.
"""

from __future__ import annotations

import re

# Words of a unit in a heading, a number format or behind a figure, by the unit that the dictionary names.
WORDS: dict[str, tuple[str, ...]] = {
    "days": ("days", "day", "d"),
    "half days": ("half-days", "sessions"),
    "hours": ("hours", "hour", "hrs", "hr", "h"),
    "minutes": ("minutes", "minute", "mins", "min"),
    "weeks": ("weeks", "week", "wks", "wk"),
    "months": ("months", "month", "mths", "mth", "m"),
    "years": ("years", "year", "yrs", "yr", "y"),
    "spells": ("spells", "spell", "episodes", "episode", "occasions"),
    "modules": ("modules", "module"),
    "GBP": ("gbp", "pounds", "£"),
    "pence": ("pence",),
    "other currency": ("eur", "euro", "euros", "€", "usd", "$", "dollars"),
    "thousands": ("thousands", "thousand", "000s", "'000", "000", "k", "£k", "£000", "£000s", "millions", "million"),
    "percent": ("%", "percent", "percentage", "per cent", "share", "rate", "proportion"),
    "full-time equivalents": ("fte", "wte"),
}
_OWN = {"hours a week": ("hours", "weeks"), "spells": ("spells", "days"), "points": ()}
_WORD = re.compile(r"[£€$%']*[\w'-]*[\w%]|[£€$%]")


def own_words(unit: str) -> frozenset[str]:
    """The words by which the field's own unit may be called."""
    return frozenset(word for name in _OWN.get(unit, (unit,)) for word in WORDS.get(name, ()))


def other_unit(text: str, unit: str) -> str:
    """The first word of `text` (in comparable form) that names another unit than `unit`; empty where none does.

    Single letters are no evidence: they are initials, columns or signs of a formula.
    """
    if not unit:
        return ""
    own = own_words(unit)
    foreign = {word for words in WORDS.values() for word in words if len(word) > 1 or not word.isalpha()} - own
    return next((word for word in _WORD.findall(text) if word in foreign), "")
