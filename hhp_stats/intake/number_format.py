"""What does the eye see of a number? A cell's number format: percentages, thousands, hidden figures, units, leading
zeros.

Format codes are those of the format itself (ECMA-376 part 1, 18.8.31): up to four sections for positive numbers,
negative ones, zero and text; `0`, `#` and `?` stand for digits; text stands in quotation marks or after a backslash.
"""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

from hhp_stats.intake.units import other_unit

PLAIN = frozenset({"General", "0", "0.0", "0.00", "#,##0", "#,##0.00", "@", "GENERAL", "Standard", ""})
_TOKEN = re.compile(r'"([^"]*)"|\\(.)|_.|\*.|\[\$([^\]-]*)(?:-[^\]]*)?\]|\[[^\]]*\]|([0#?])|(.)', re.DOTALL)
_CURRENCIES = "£$€¥₤"
_ALL_ZEROS = re.compile(r"0+")


class _Section(NamedTuple):
    digits: str  # the placeholders with the signs between them
    literal: str  # what is written beside the number
    general: bool


@functools.lru_cache(maxsize=512)
def _sections(code: str) -> tuple[_Section, ...]:
    sections: list[_Section] = []
    digits, literal = "", ""
    general = False
    for quoted, escaped, currency, placeholder, sign in _TOKEN.findall(code):
        if sign == ";":
            sections.append(_Section(digits, literal, general))
            digits, literal, general = "", "", False
        elif placeholder:
            digits += placeholder
        elif sign in (".", ",") and sign:
            digits += sign
        elif sign == "@" or sign.casefold() in tuple("general"):  # the word General, letter by letter
            general = True
        else:
            literal += quoted or escaped or currency or sign
    sections.append(_Section(digits, literal, general))
    return tuple(sections)


def seen_otherwise(code: str, value: float, unit: str) -> str:
    """How the format shows a number so that it is not what the field holds; empty where it shows the number itself.

    `unit` is the unit of the field in the dictionary. Formats of dates are no matter of this function.
    """
    sections = _sections(code)
    section = sections[0]
    if value < 0 and len(sections) > 1:
        section = sections[1]
    elif value == 0 and len(sections) > 2:
        section = sections[2]
    if "%" in section.literal:
        return "shown as a percentage"
    if section.digits.rstrip(".").endswith(",") and section.digits.strip(",."):
        return "shown in thousands"
    if not section.digits and not section.general and value != 0:
        return "shown as a text" if section.literal.strip() else "hidden by its format"
    found = [sign for sign in section.literal if sign in _CURRENCIES]
    if found and not (unit == "GBP" and set(found) <= {"£", "₤"}):
        return "shown as an amount of money" if unit != "GBP" else "shown in another currency"
    word = other_unit(section.literal.casefold().strip(), unit)
    return f"shown with the unit “{word}”" if word else ""


def with_leading_zeros(code: str, value: float) -> str:
    """An identifier as it is seen where its format fills it up with zeros (`0000`, `"KEN-"0000`); empty where it does
    not.
    """
    sections = _sections(code)
    if len(sections) != 1 or not _ALL_ZEROS.fullmatch(sections[0].digits) or value < 0 or value != int(value):
        return ""
    before = code.split("0", 1)[0]
    text = sections[0].literal
    if len(sections[0].digits) < 2 or (text and not before):
        return ""  # one digit fills nothing up; text behind the number is a unit
    return f"{text}{int(value):0{len(sections[0].digits)}d}"
