"""May this value be shown? Suspected names and email addresses are described, never repeated."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

_EMAIL = re.compile(r"\S@|@\S")
# An anonymised ID, a number with a unit or a date: at most four letters in one word, and digits.
_CODE = re.compile(r"[A-Za-z]{0,4}[-_/ ]{0,1}[A-Za-z]?[-_/ ]{0,1}\d{1,12}")
_PLAIN = re.compile(r"[-+£$€%.,:/()<>=?*#\d\s]*(?:[A-Za-z][-+£$€%.,:/()<>=?*#\d\s]+)?")
# Words that stand in our own vocabulary and are nobody's name; `known_words` adds the dictionary's.
_WORDS = frozenset(
    [
        "absence",
        "agency",
        "annual",
        "approx",
        "available",
        "baseline",
        "blank",
        "by",
        "contract",
        "day",
        "days",
        "data",
        "date",
        "dec",
        "endline",
        "established",
        "fte",
        "full",
        "half",
        "holiday",
        "hours",
        "hr",
        "hrs",
        "mths",
        "pw",
        "wk",
        "wks",
        "wte",
        "shown",
        "id",
        "ill",
        "illness",
        "in",
        "interim",
        "is",
        "known",
        "leave",
        "left",
        "length",
        "locum",
        "missing",
        "month",
        "months",
        "n",
        "na",
        "nil",
        "no",
        "none",
        "not",
        "of",
        "on",
        "or",
        "other",
        "over",
        "overall",
        "part",
        "pending",
        "per",
        "permanent",
        "practitioner",
        "qualified",
        "recorded",
        "role",
        "sick",
        "since",
        "social",
        "spell",
        "spells",
        "staff",
        "start",
        "student",
        "team",
        "tba",
        "tbc",
        "temporary",
        "the",
        "time",
        "to",
        "total",
        "totals",
        "trial",
        "true",
        "false",
        "unavailable",
        "unknown",
        "week",
        "weeks",
        "weekly",
        "work",
        "worker",
        "year",
        "years",
        "yes",
        "yr",
        "yrs",
        "zero",
        "zeros",
        "january",
        "february",
        "march",
        "july",
        "september",
        "october",
        "november",
        "december",
        "sep",
        "sept",
        "oct",
        "nov",
        "aug",
        "feb",
    ]
)
_WORD = re.compile(r"[^\W\d_]+")
LONGEST = 40
_DIGITS = 8  # a date as text has eight; a telephone, payroll or insurance number more


def shown(value: Any, *, vocabulary: frozenset[str] = frozenset()) -> str:
    """How may a value found in a raw file be quoted in a message?

    Numbers and dates as they are. Text in quotation marks where it cannot be a name: digits and signs, a short
    code with digits, or words that all belong to the vocabulary of the files. Anything else is described by its
    length. The rule errs towards hiding: a hidden harmless word costs a look at the cell, a shown name cannot be
    called back.
    """
    if value is None:
        return "an empty cell"
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat(" ", "minutes")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | float):
        if float(value).is_integer() and abs(value) >= 10**_DIGITS:
            return f"a number of {len(str(abs(int(value))))} digits (not repeated here: it may be a telephone number)"
        return f"{value:.12g}"
    text = str(value).strip()
    if not text:
        return "blanks only"
    if _EMAIL.search(text):
        return f"a text of {len(text)} characters that looks like an email address"
    if len(text) <= LONGEST and not hidden(text, vocabulary=vocabulary):
        return f"“{text}”"
    letters = sum(character.isalpha() for character in text)
    digits = sum(character.isdigit() for character in text)
    if digits > _DIGITS:
        return (
            f"a text of {len(text)} characters with {digits} digits (not repeated here: it may be a telephone number)"
        )
    if letters == 0:
        return f"a text of {len(text)} characters without letters"
    return f"a text of {letters} letters (not repeated here, since it may be a name)"


def hidden(text: str, *, vocabulary: frozenset[str] = frozenset()) -> bool:
    """Whether a text may identify a person and must not be repeated, however long it is."""
    plain = text.strip()
    return bool(plain) and (bool(_EMAIL.search(plain)) or not plain.isprintable() or not _harmless(plain, vocabulary))


def _harmless(text: str, vocabulary: frozenset[str]) -> bool:
    if sum(character.isdigit() for character in text) > _DIGITS:
        return False
    if _CODE.fullmatch(text) or _PLAIN.fullmatch(text):
        return True
    words = [word.casefold() for word in _WORD.findall(text)]
    return bool(words) and all(len(word) == 1 or word in _WORDS or word in vocabulary for word in words)


def words_of(*texts: str) -> frozenset[str]:
    """The words of our own labels and allowed values, for `shown`."""
    return frozenset(word.casefold() for text in texts for word in _WORD.findall(text))


_CORRECTION = re.compile(r"[A-Z]\d{1,4}(\.\d{1,2}/\d{1,2})?")


def public_id(text: Any) -> str:
    """The id of a correction where it has the form of one (C003, or C003.1/2 of a step), else a dash: it may be
    anything.
    """
    found = str(text).strip()
    return found if _CORRECTION.fullmatch(found) else "\u2014"
