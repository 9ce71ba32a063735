"""Which day does this cell name? As a date, as text in several orders, or as a spreadsheet's day number."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from hhp_stats.intake.spellings import Spellings, same
from hhp_stats.intake.values import BLANK_WORD, DATE_ORDER, DAY, TRIMMED, Read, Unreadable, unusable

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
EXCEL_FIRST, EXCEL_LAST = 36526, 54788  # 1 January 2000 to 31 December 2049 as day numbers of Excel
DAYS_TO_1904 = 1462  # between the days that the two calendars of spreadsheet programs call 0
FEWEST_EXCHANGED = 2  # true dates from which on an exchange of day and month is suspected
_EXCEL_DAY_0 = datetime(1899, 12, 30)

DAY_TEXT = "a date typed as text (day before month)"
DAY_NUMBER = "a date shown as Excel's day number"
DAY_TIME = "a time of day next to the date"
DAY_NUMBER_1904 = "a date shown as a day number that counts from 1904"


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
