"""What does this cell say? One small reader per kind of value: exact, or a named typing habit, or unreadable."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
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
_GROUPED = re.compile(r"[-+]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?")
_COMMA = re.compile(r"[-+]?(?:\d*,\d+|\d{1,3}(?:\.\d{3})+,\d+)")  # of which those of `_GROUPED` are thousands
_POINT_GROUPS = re.compile(r"[-+]?[1-9]\d{0,2}(?:\.\d{3})+")
_FRACTION = re.compile(r"(\d*) ?([¼½¾])")
_FRACTIONS = {"¼": 0.25, "½": 0.5, "¾": 0.75}
_ISO_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]00:00(?::00(?:\.0+)?)?Z?)?")
_UK_DAY = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})(?: 00:00(?::00)?)?")
_WORDS_DAY = re.compile(r"(?:[a-z]{3,9},? )?(\d{1,2})(?:st|nd|rd|th)?[ -]([a-z]{3,9})\.?,?[ -](\d{4}|\d{2})")
_MONTH_FIRST = re.compile(r"([a-z]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})")
_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_UNITS = {name: WORDS[name] for name in ("days", "months", "spells", "GBP", "modules", "years")}
_UNITS["hours a week"] = tuple(
    f"{word}{rest}" for rest in (" a week", " per week", " pw", "") for word in WORDS["hours"]
)
EXCEL_FIRST, EXCEL_LAST = 36526, 54788  # 1 January 2000 to 31 December 2049 as day numbers of Excel
DAYS_TO_1904 = 1462  # between the days that the two calendars of spreadsheet programs call 0
FEWEST_EXCHANGED = 2  # true dates from which on an exchange of day and month is suspected
_EXCEL_DAY_0 = datetime(1899, 12, 30)


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
DAY_TEXT = "a date typed as text (day before month)"
DAY_NUMBER = "a date shown as Excel's day number"
DAY_TIME = "a time of day next to the date"
NUMBER_ID = "an identifier typed as a number"
FTE = "full-time equivalent instead of yes or no"
FORMULA = "a formula: its stored result was used"
FRACTION = "a fraction written as one sign"
DAY_NUMBER_1904 = "a date shown as a day number that counts from 1904"
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


def read_number(
    value: Any,
    *,
    unit: str,
    spellings: Spellings,
    typed: bool = True,
    whole: bool = False,
    decimal_comma: bool = False,
) -> Read:
    """A number: as such, or as text with outer blanks, thousands separators, a sign for a fraction or its own unit.

    `decimal_comma` says that the file has numbers with a decimal comma: then no number with a comma or with groups
    after points is read, since "1,250" may be either.
    """
    unusable(value)
    if isinstance(value, bool | datetime):
        raise Unreadable(NUMBER)
    if isinstance(value, int | float):
        return Read(_finite(value, whole))
    text = tidy(value)
    if not text or spellings.is_blank(text):
        return Read(None, BLANK_WORD if text else TRIMMED)
    if text.startswith("'"):
        text = text[1:]
    worded = spellings.of("number").get(same(text))
    if worded is not None:
        return Read(float(worded), SPELLING)
    habit = NUMBER_TEXT if typed else (TRIMMED if text != value else "")
    if not any(form.fullmatch(text) for form in (_NUMBER, _GROUPED, _COMMA, _FRACTION)):
        text, habit = _without_unit(text, unit), UNIT
    if _COMMA.fullmatch(text) and (decimal_comma or not _GROUPED.fullmatch(text)):
        raise Unreadable(DECIMAL_COMMA)
    if decimal_comma and _POINT_GROUPS.fullmatch(text):
        raise Unreadable(DECIMAL_COMMA)
    if found := _FRACTION.fullmatch(text):
        return Read(_finite(int(found[1] or 0) + _FRACTIONS[found[2]], whole), FRACTION)
    if _GROUPED.fullmatch(text):
        text, habit = text.replace(",", ""), THOUSANDS
    if not _NUMBER.fullmatch(text) or len(text) > 40:
        raise Unreadable(NUMBER)
    return Read(_finite(float(text), whole), habit)


def _without_unit(text: str, unit: str) -> str:
    lower = text.casefold()
    for name in _UNITS.get(unit, ()):
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


def read_category(value: Any, *, accepted: dict[str, str], spellings: Spellings) -> Read:
    """One of the allowed values, also in the spellings of the mapping file."""
    unusable(value)
    if isinstance(value, bool | datetime):
        raise Unreadable(CATEGORY)
    if isinstance(value, int | float):
        value = f"{value:.12g}"
    text = same(value)
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


def month_first(text: str) -> bool:
    """Whether a text names a day with the month before it, as in 12/23/2019: the day cannot be a month."""
    found = _UK_DAY.match(same(text))
    return found is not None and int(found[1]) <= 12 < int(found[3]) <= 31


def day_first(text: str) -> bool:
    """Whether a text names a day before its month, as in 23/12/2019: the day cannot be a month."""
    found = _UK_DAY.match(same(text))
    return found is not None and int(found[3]) <= 12 < int(found[1]) <= 31


def orders_of_dates(raw: Sequence[Any]) -> dict[int, str]:
    """The cells of a column of dates (position -> code) of which nobody can tell in which order they were typed.

    Either texts in both orders stand together, or a program turned texts into dates where the day could be a month,
    exchanging both, and left the others as text: then every true date has a day up to 12 and every text a later one.
    """
    texts = {at: value for at, value in enumerate(raw) if isinstance(value, str) and _UK_DAY.match(same(value))}
    if any(month_first(text) for text in texts.values()):
        return dict.fromkeys(texts, DATE_ORDER)
    days = {at: value for at, value in enumerate(raw) if isinstance(value, date)}
    later = bool(texts) and all(day_first(text) for text in texts.values())
    exchanged = later and len(days) >= FEWEST_EXCHANGED and all(value.day <= 12 for value in days.values())
    return dict.fromkeys(days, DATE_ORDER) if exchanged else {}


def read_day(value: Any, *, spellings: Spellings, typed: bool = True, from_1904: bool = False) -> Read:
    """A day: as such, as text in ISO or British order, with the month in words, or as Excel's day number.

    `from_1904` says that the workbook counts its days from 1904.
    """
    unusable(value)
    if isinstance(value, datetime):
        day = datetime(value.year, value.month, value.day)
        return Read(day, DAY_TIME if value != day else "")
    if isinstance(value, date):
        return Read(datetime(value.year, value.month, value.day))
    if isinstance(value, bool):
        raise Unreadable(DAY)
    if isinstance(value, int | float):
        number = value + (DAYS_TO_1904 if from_1904 else 0)
        if not (EXCEL_FIRST <= number <= EXCEL_LAST and float(value).is_integer()):
            raise Unreadable(DAY)
        return Read(_EXCEL_DAY_0 + timedelta(days=int(number)), DAY_NUMBER_1904 if from_1904 else DAY_NUMBER)
    text = same(value)
    if not text or spellings.is_blank(text):
        return Read(None, BLANK_WORD if text else TRIMMED)
    day, iso = day_of(text)
    return Read(day, "" if iso and not typed else DAY_TEXT)


def day_of(text: str) -> tuple[datetime, bool]:
    """The day that a text in comparable form names, and whether it stands in ISO order."""
    try:
        if found := _ISO_DAY.fullmatch(text):
            return datetime(int(found[1]), int(found[2]), int(found[3])), True
        if found := _UK_DAY.fullmatch(text):
            return datetime(_year(found[4]), int(found[3]), int(found[1])), False
        if found := _WORDS_DAY.fullmatch(text):
            return datetime(_year(found[3]), _month(found[2]), int(found[1])), False
        if found := _MONTH_FIRST.fullmatch(text):
            return datetime(int(found[3]), _month(found[1]), int(found[2])), False
    except ValueError:
        pass
    raise Unreadable(DAY)


def _year(text: str) -> int:
    return int(text) + (2000 if len(text) == 2 else 0)


def _month(text: str) -> int:
    months = [number for number, name in enumerate(_MONTHS, start=1) if name.startswith(text[:9]) and len(text) >= 3]
    if len(months) != 1:
        if text == "sept":
            return 9
        raise ValueError(text)
    return months[0]
