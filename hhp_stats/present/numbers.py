"""How numbers are printed: one rule for tables, figures, sentences and alternative texts.

A number of a result (`hhp_stats.results.traced`) is printed with its mark (`present.marked_text`) where a recording is
open.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pandas as pd

from hhp_stats.present.marked_text import marked, plain
from hhp_stats.results.withheld import WITHHELD as WITHHELD  # printed by everything that formats numbers

MANY = 1_000  # degrees of freedom beyond which t is the normal to the digits printed
MOST = 10  # digits after the point that are ever printed
SMALLEST = 10.0 ** (
    1 - MOST
)  # differences below it are rounding error of the arithmetic; above it `MOST` digits show them
ALPHA = 0.05  # the level of the tests on which the report's words rest
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


def number(value: Any, digits: int = 2, *, beside: Iterable[Any] = ()) -> str:
    """A rounded number with a true minus sign; never minus zero. Infinite and missing values are said.

    `digits` are those after the point, at least: a number other than zero gets as many as it needs not to be printed
    as zero, and as many as set it apart from the numbers `beside` it, with which the words compare it. What differs by
    less than `SMALLEST` is rounding error of the arithmetic, and `side` calls it equal.
    """
    if withheld(value):
        return WITHHELD
    if value is None or pd.isna(value):
        return MISSING
    if math.isinf(value):
        return marked("\u221e" if value > 0 else f"{MINUS}\u221e", value)
    places = max(digits_apart((value, other), digits) for other in (0.0, *beside))
    text = f"{abs(value):,.{places}f}"
    negative = value < 0 and float(text.replace(",", "")) != 0
    return marked(f"{MINUS}{text}" if negative else text, value)


def side(value: Any, null: float = 0.0) -> int:
    """On which side of `null` does a value stand, as far as print can tell: 1, -1, or 0 for neither."""
    gap = float(value) - null
    return 0 if not abs(gap) >= SMALLEST else 1 if gap > 0 else -1


def digits_apart(values: Iterable[Any], digits: int) -> int:
    """How many digits after the point, `digits` or more, keep values that differ apart when they are printed?

    Missing, withheld and infinite values need none, nor do those that `side` calls equal.
    """
    known = sorted(float(v) for v in values if not (v is None or withheld(v) or pd.isna(v) or math.isinf(v)))
    for low, high in pairwise(known):
        if side(high, low):
            while digits < MOST and f"{low:.{digits}f}".removeprefix("-") == f"{high:.{digits}f}".removeprefix("-"):
                # The same figures with other signs are apart, unless both are zero.
                if low < 0 < high and float(f"{high:.{digits}f}"):
                    break
                digits += 1
    return digits


def apart(*values: Any, digits: int = 2) -> list[str]:
    """Numbers that a sentence compares, printed with so many digits that none equals another by rounding."""
    places = digits_apart(values, digits)
    return [number(value, places) for value in values]


def count(value: Any) -> str:
    """A whole number with thousands separators."""
    if withheld(value):
        return WITHHELD
    return MISSING if value is None or pd.isna(value) else marked(f"{int(value):,}", value)


def percent(share: Any, digits: int = 1, *, beside: Iterable[Any] = ()) -> str:
    """A share between 0 and 1 as per cent, with the digits that set it apart from the shares `beside` it."""
    if withheld(share):
        return WITHHELD
    others = [100 * other for other in beside if not (other is None or withheld(other))]
    return MISSING if share is None or pd.isna(share) else f"{number(100 * share, digits, beside=others)}%"


def p_value(p: Any, *, alpha: float = ALPHA) -> str:
    """A p value as journals print it: three decimals below .01 and near `alpha`, two elsewhere, `< .001` at the end.

    It gets the digits that show on which side of `alpha` it lies (.0498, .0502).
    """
    if p is None or withheld(p) or pd.isna(p):
        return WITHHELD if withheld(p) else MISSING
    return marked(_printed_p(float(p), alpha), p)


def _printed_p(p: float, alpha: float) -> str:
    if p < 0.001:
        return "< .001"
    if p >= 0.995:
        return "> .99"
    borders = (alpha, ALPHA)  # a reader compares p with the usual level as well
    digits = 3 if p < 0.01 or any(abs(p - border) < 0.1 * border for border in borders) else 2
    return f"{p:.{max(digits_apart((p, border), digits) for border in borders)}f}".removeprefix("0")


def p_clause(p: Any, *, alpha: float = ALPHA) -> str:
    """The same inside a sentence: `p = .03` or `p < .001`."""
    text = p_value(p, alpha=alpha)
    return f"p {text}" if plain(text)[0] in "<>" else f"p = {text}"


def interval(low: Any, high: Any, digits: int = 2, *, null: float = 0.0) -> str:
    """An interval for a sentence or table cell: `-1.20 to 0.40`; its ends are not printed as `null` unless they are
    it. One mark where an end is withheld.
    """
    if withheld(low, high):
        return WITHHELD
    places = max(digits_apart(pair, digits) for pair in ((low, null), (high, null), (low, high), (low, 0), (high, 0)))
    return f"{number(low, places)} to {number(high, places)}"


def count_of(part: Any, whole: Any, digits: int = 1) -> str:
    """`120 (40.0%)`: a count with its share; both go where either is withheld."""
    if withheld(part, whole):
        return WITHHELD
    return f"{count(part)} ({percent(part / whole if part is not None and whole else None, digits)})"


def matching(same: int, of: int) -> str:
    """How many of `of` things match, as the end of a sentence that has counted them: `38 match`, `all match`."""
    if of > 1 and same == of:
        return "all match"
    return f"{'none' if not same else count(same)} {'matches' if same <= 1 else 'match'}"


def plural_in_words(n: int, singular: str, many: str = "") -> str:
    """`plural` with small counts as words: `no numbers`, `one number`, `12 numbers`."""
    return f"{spelled(n)} {singular if n == 1 else many or singular + 's'}"


def plural(n: Any, singular: str, many: str = "") -> str:
    """`1 team`, `12 teams`."""
    return f"{count(n)} {singular if n == 1 else many or singular + 's'}"


def level(conf_level: float) -> str:
    """`95%`."""
    return f"{100 * conf_level:g}%"


def alpha_of(conf_level: float) -> float:
    """The level of the test that belongs to an interval: .05 for .95, without the rounding error of the difference."""
    return round(1 - conf_level, 9)


def limit_of_p(alpha: float) -> str:
    """A level as p values are printed: `.05`."""
    return f"{alpha:g}".removeprefix("0")


SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
NAMES = ("Heckman", "Lee", "Firth", "Bradford", "Welch")


def spelled(n: int | str) -> str:
    """Small counts as words, larger ones as figures, as prose has them; `WITHHELD` as it is."""
    return n if isinstance(n, str) else SMALL[n] if 0 <= n < len(SMALL) else count(n)


def lowered(label: str) -> str:
    """A label inside a sentence: its first letter small, unless it begins with a name or an abbreviation.

    A name is one of `NAMES`, or a first word with more capitals or a capital behind it: "CR2", "White British".
    """
    name = label.startswith(NAMES) or re.match(r"\w+[A-Z]|[A-Z][a-z]+ [A-Z]", label)
    return label if name else label[:1].lower() + label[1:]
