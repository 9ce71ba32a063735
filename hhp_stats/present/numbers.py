"""How numbers are printed: one rule for tables, figures, sentences and alternative texts."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from hhp_stats.disclosure.marks import WITHHELD as WITHHELD  # printed by everything that formats numbers

MANY = 1_000  # degrees of freedom beyond which t is the normal to the digits printed
MINUS = "\u2212"
DASH = "\u2013"
MISSING = "\u2014"


def withheld(*values: Any) -> bool:
    """Whether any of the values may not be printed."""
    return any(isinstance(value, str) and value == WITHHELD for value in values)


def withheld_note(table: pd.DataFrame) -> list[str]:
    """The note below a table that holds a withheld count; none where it holds none."""
    mark = f"{WITHHELD}: withheld to protect a count of very few people."
    return [mark] if bool((table == WITHHELD).any(axis=None)) else []


def number(value: Any, digits: int = 2) -> str:
    """A rounded number with a true minus sign; never minus zero. Infinite and missing values are said."""
    if withheld(value):
        return WITHHELD
    if value is None or pd.isna(value):
        return MISSING
    if math.isinf(value):
        return "\u221e" if value > 0 else f"{MINUS}\u221e"
    text = f"{abs(value):,.{digits}f}"
    negative = value < 0 and float(text.replace(",", "")) != 0
    return f"{MINUS}{text}" if negative else text


def count(value: Any) -> str:
    """A whole number with thousands separators."""
    if withheld(value):
        return WITHHELD
    return MISSING if value is None or pd.isna(value) else f"{int(value):,}"


def percent(share: Any, digits: int = 1) -> str:
    """A share between 0 and 1 as per cent."""
    if withheld(share):
        return WITHHELD
    return MISSING if pd.isna(share) else f"{number(100 * share, digits)}%"


def p_value(p: Any) -> str:
    """A p value as journals print it: three decimals below .01, two above, `< .001` at the bottom."""
    if pd.isna(p):
        return MISSING
    if p < 0.001:
        return "< .001"
    text = f"{p:.3f}" if p < 0.01 or 0.045 <= p < 0.055 else f"{p:.2f}"
    return text.removeprefix("0") if p < 0.995 else "> .99"


def p_clause(p: Any) -> str:
    """The same inside a sentence: `p = .03` or `p < .001`."""
    text = p_value(p)
    return f"p {text}" if text[0] in "<>" else f"p = {text}"


def interval(low: Any, high: Any, digits: int = 2) -> str:
    """An interval for a sentence or table cell: `-1.20 to 0.40`."""
    return f"{number(low, digits)} to {number(high, digits)}"


def count_of(part: Any, whole: Any, digits: int = 1) -> str:
    """`120 (40.0%)`: a count with its share; both go where either is withheld."""
    return WITHHELD if withheld(part, whole) else f"{count(part)} ({percent(part / whole, digits)})"


def plural(n: Any, singular: str, many: str = "") -> str:
    """`1 team`, `12 teams`."""
    return f"{count(n)} {singular if n == 1 else many or singular + 's'}"


def level(conf_level: float) -> str:
    """`95%`."""
    return f"{100 * conf_level:g}%"


SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
NAMES = ("Heckman", "Lee", "Firth", "Kent", "CR", "Bradford", "Bromley", "Lambeth", "Greenwich")


def spelled(n: int) -> str:
    """Small counts as words, larger ones as figures, as prose has them."""
    return SMALL[n] if 0 <= n < len(SMALL) else count(n)


def capital(label: str) -> str:
    """A label with its first letter large and the others as they are (`str.capitalize` would spoil abbreviations)."""
    return label[:1].upper() + label[1:]


def lowered(label: str) -> str:
    """A label inside a sentence: its first letter small, unless it begins with a name or an abbreviation."""
    return label if label.startswith(NAMES) else label[:1].lower() + label[1:]
