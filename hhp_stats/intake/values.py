"""What does this cell say? One small reader per kind of value: exact, or a named typing habit, or unreadable."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from hhp_stats.intake.grid import NO_STORED_VALUE, CellError
from hhp_stats.intake.spellings import Spellings, same, tidy
from hhp_stats.intake.units import WORDS

# Codes of the rules that a cell breaks when it cannot be read; see rules_cells.py.
NUMBER, INTEGER, DAY, YES_NO, CATEGORY, ERROR_VALUE, NO_RESULT, IDENTIFIER = (
    "C01",
    "C02",
    "C03",
    "C04",
    "C05",
    "C06",
    "C07",
    "C08",
)
SEEN_OTHERWISE, MIXED, STRUCK, DECIMAL_COMMA, DATE_ORDER = "C09", "C10", "C11", "C12", "C13"

_WHOLE = re.compile(r"(?<=^[01])\.0+$")
_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)")
_NUMBER_OF_PROGRAMS = re.compile(rf"{_NUMBER.pattern}(?:[eE][-+]?\d{{1,3}})?")  # 1e+05 in a CSV file
_GROUPED = re.compile(r"[-+]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?")
_COMMA = re.compile(r"[-+]?(?:\d*,\d+|\d{1,3}(?:\.\d{3})+,\d+)")  # of which those of `_GROUPED` are thousands
_POINT_GROUPS = re.compile(r"[-+]?[1-9]\d{0,2}(?:\.\d{3})+")
_FRACTION = re.compile(r"(\d*) ?([¼½¾])")
_FRACTIONS = {"¼": 0.25, "½": 0.5, "¾": 0.75}
_UNITS = {name: WORDS[name] for name in ("days", "months", "spells", "GBP", "modules", "years")}
_UNITS["hours a week"] = tuple(
    f"{word}{rest}" for rest in (" a week", " per week", " pw", "") for word in WORDS["hours"]
)


class Unreadable(Exception):
    """The cell holds something that is neither a value of its kind nor a known typing habit."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class Read(NamedTuple):
    """A value and, where it was not typed as expected, the habit that was tolerated."""

    value: Any
    habit: str = ""


Reader = Callable[[Any], Read]

BLANK_WORD = "a word or sign for “no value”"
SPELLING = "another spelling"
TRIMMED = "blanks or invisible characters around or within the text"
NUMBER_TEXT = "a number typed as text"
THOUSANDS = "a thousands separator"
UNIT = "a unit typed after the number"
NUMBER_ID = "an identifier typed as a number"
FTE = "full-time equivalent instead of yes or no"
FORMULA = "a formula: its stored result was used"
FRACTION = "a fraction written as one sign"
ZEROS_SHOWN = "leading zeros of an identifier that only its format shows"


def unusable(value: Any) -> None:
    """Refuses error values and formulas without a stored result, whatever the kind of the column."""
    if value is NO_STORED_VALUE:
        raise Unreadable(NO_RESULT)
    if isinstance(value, CellError):
        raise Unreadable(ERROR_VALUE)


def has_decimal_comma(value: Any) -> bool:
    """Whether a cell holds a number with a decimal comma: one that cannot be a comma between thousands."""
    if not isinstance(value, str) or "," not in value:
        return False
    text = re.sub(r"[^\d,.+-]+$", "", tidy(value))
    return bool(_COMMA.fullmatch(text)) and not _GROUPED.fullmatch(text)


def is_grouped(text: str) -> bool:
    """Whether a text in comparable form is a number with commas between its thousands."""
    return bool(_GROUPED.fullmatch(text))


def read_number(
    value: Any,
    *,
    unit: str,
    spellings: Spellings,
    typed: bool = True,
    whole: bool = False,
    decimal_comma: bool = False,
    worded: Mapping[str, str] = MappingProxyType({}),
) -> Read:
    """A number: as such, or as text with outer blanks, thousands separators, a sign for a fraction or its own unit.

    `decimal_comma` says that the file has numbers with a decimal comma: then no number with a comma or with groups
    after points is read, since "1,250" may be either. Of a file that knows only text also 1e+05, as programs write it.
    `worded` are the words of a column whose numbers are written in words (comparable form -> number): nothing else is
    read then.
    """
    unusable(value)
    if isinstance(value, bool | datetime):
        raise Unreadable(NUMBER)
    if isinstance(value, int | float) and not worded:
        return Read(_finite(value, whole))
    text = tidy(value) if isinstance(value, str) else f"{value:.12g}"
    if not text or spellings.is_blank(text):
        return Read(None, BLANK_WORD if text else TRIMMED)
    if worded:
        if (number := worded.get(same(text))) is None:
            raise Unreadable(NUMBER)
        return Read(float(number))
    if text.startswith("'"):
        text = text[1:]
    usual = spellings.of("number").get(same(text))
    if usual is not None:
        return Read(float(usual), SPELLING)
    habit = NUMBER_TEXT if typed else (TRIMMED if text != value else "")
    plain = _NUMBER if typed else _NUMBER_OF_PROGRAMS
    if not any(form.fullmatch(text) for form in (plain, _GROUPED, _COMMA, _FRACTION)):
        text, habit = _without_unit(text, unit), UNIT
    if _COMMA.fullmatch(text) and (decimal_comma or not _GROUPED.fullmatch(text)):
        raise Unreadable(DECIMAL_COMMA)
    if decimal_comma and _POINT_GROUPS.fullmatch(text):
        raise Unreadable(DECIMAL_COMMA)
    if found := _FRACTION.fullmatch(text):
        return Read(_finite(int(found[1] or 0) + _FRACTIONS[found[2]], whole), FRACTION)
    if is_grouped(text):
        text, habit = text.replace(",", ""), THOUSANDS
    if not plain.fullmatch(text) or len(text) > 40:
        raise Unreadable(NUMBER)
    return Read(_finite(float(text), whole), habit)


def _without_unit(text: str, unit: str) -> str:
    lower, own = text.casefold(), same(unit)
    names = (*_UNITS.get(unit, ()), *(WORDS["percent"] if own in WORDS["percent"] else (own,) if own else ()))
    for name in names:
        if lower.endswith(name):
            return lower.removesuffix(name).rstrip()
        if name == "£" and lower.startswith(name):
            return lower.removeprefix(name).lstrip()
    raise Unreadable(NUMBER)


def _finite(value: float, whole: bool) -> float:
    try:
        number = float(value)
    except OverflowError:
        raise Unreadable(NUMBER) from None
    if not math.isfinite(number):
        raise Unreadable(NUMBER)
    if whole and not number.is_integer():
        raise Unreadable(INTEGER)
    return number


def read_yes_no(value: Any, *, accepted: dict[str, str], spellings: Spellings) -> Read:
    """yes = 1, no = 0; also Y/N, 1/0 (1.0 too, as programs write columns with blanks), TRUE/FALSE and the spellings of
    the mapping file. A form that is `accepted` as "" stands for nothing in this column.
    """
    unusable(value)
    text = ""
    if isinstance(value, str):
        text = same(value)
    elif isinstance(value, int | float):  # a logical value is a whole number to Python
        text = str(value).casefold() if isinstance(value, bool) else f"{value:.12g}"
        if text not in accepted and value in (0, 1):
            return Read(float(value), SPELLING)
    meaning = accepted.get(_WHOLE.sub("", text))
    if meaning:
        return Read(float(meaning == "yes"), "" if value == meaning else SPELLING)
    if not isinstance(value, str):
        raise Unreadable(YES_NO)
    if not text or text in spellings.of("blank"):
        return Read(None, BLANK_WORD if text else TRIMMED)
    raise Unreadable(YES_NO)


def read_fte(value: Any, *, accepted: dict[str, str], spellings: Spellings) -> Read:
    """Part-time from full-time equivalents: below 1 (or 100%) part-time, exactly 1 (100%) full-time."""
    if isinstance(value, str):
        text = same(value).removesuffix("fte").strip()
        share = text.removesuffix("%").strip()
        if not _NUMBER.fullmatch(share):
            return read_yes_no(value, accepted=accepted, spellings=spellings)
        number = float(share) / (100 if text.endswith("%") else 1)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value)
    else:
        return read_yes_no(value, accepted=accepted, spellings=spellings)
    if not 0 < number <= 1:
        raise Unreadable(YES_NO)
    return Read(float(number < 1), FTE)


def is_fte(value: Any) -> bool:
    """Whether a value can only be a full-time equivalent: a number between 0 and 1, or a percentage."""
    if isinstance(value, float):
        return 0 < value < 1
    if isinstance(value, str):
        text = same(value)
        number = text.removesuffix("fte").removesuffix("%").strip()
        return bool(_NUMBER.fullmatch(number)) and (number != text or 0 < float(number) < 1)
    return False


def read_category(
    value: Any,
    *,
    accepted: Mapping[str, str],
    spellings: Spellings,
    told_by_case: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
) -> Read:
    """One of the allowed values, also in the spellings of the mapping file.

    Those that are `told_by_case` (comparable form -> exact text -> value) are read as the dictionary has them alone.
    """
    unusable(value)
    if isinstance(value, bool | datetime):
        raise Unreadable(CATEGORY)
    if isinstance(value, int | float):
        value = f"{value:.12g}"
    text = same(value)
    if text in told_by_case:
        if (exact := told_by_case[text].get(tidy(value))) is None:
            raise Unreadable(CATEGORY)
        return Read(exact, "" if value == exact else TRIMMED)
    meaning = accepted.get(text)
    if meaning is not None:
        return Read(meaning, "" if value == meaning else SPELLING)
    if not text or text in spellings.of("blank"):
        return Read(None, BLANK_WORD if text else TRIMMED)
    raise Unreadable(CATEGORY)


def read_identifier(value: Any, *, spellings: Spellings) -> Read:
    """An identifier as text; a whole number becomes its digits. What it may look like is a rule's matter."""
    unusable(value)
    if isinstance(value, bool | datetime):
        raise Unreadable(IDENTIFIER)
    if isinstance(value, int | float):
        if isinstance(value, float) and not (value.is_integer() and abs(value) < 2**53):
            raise Unreadable(IDENTIFIER)
        return Read(str(int(value)), NUMBER_ID)
    text = tidy(value)
    if not text or spellings.is_blank(text):
        return Read(None, BLANK_WORD if text else TRIMMED)
    return Read(text, "" if text == value else TRIMMED)
