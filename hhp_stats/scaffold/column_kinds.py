"""What may one column of a table hold? By the readers of the intake: what they would refuse is no guess."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from hhp_stats.intake.days import day_of
from hhp_stats.intake.spellings import same
from hhp_stats.intake.values import Unreadable, has_decimal_comma, is_grouped
from hhp_stats.plan.runnable_table import OWN
from hhp_stats.plan.table_schema import ARM, ColumnKind

FEW = 12  # values of a category
_GAPS = {"", "na", "n/a", ".", "nan", "null", "none", "missing"}
_VALUES_AMONG_WORDS = {"none"}  # a gap among figures; among words an answer: no offer, no symptoms
_CODES = {"-9", "-99", "-999", "-1"}  # of columns whose other values are never negative
_YES, _NO = frozenset({"yes", "y", "true"}), frozenset({"no", "n", "false"})
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_MIDNIGHT = re.compile(r" 00:00:00$")
_LETTERS = str.maketrans({"ø": "o", "æ": "ae", "œ": "oe", "đ": "d", "ł": "l", "ı": "i", "þ": "th", "ð": "d"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of the table: heading, name in the plan, what it seems to be, and what was found in it."""

    heading: str
    name: str
    kind: ColumnKind
    values: tuple[str, ...]  # distinct ones, gaps and codes left out, in the order of the file
    missing: tuple[str, ...]  # codes that seem to mean "not known"
    low: float | None = None
    high: float | None = None

    @property
    def zero_one(self) -> tuple[str, ...]:
        """Of a column of zeros and ones in words of its own: the words, in the order of the alphabet."""
        usual = {same(value) for value in self.values} <= {"0", "1", *_YES, *_NO}
        return tuple(sorted(self.values)) if self.kind == "0/1" and not usual else ()


def guessed_column(head: str, values: Sequence[str], name: str, *, blank: Collection[str] = ()) -> Column:
    """What a column seems to hold; `blank` are words for "no value", in comparable form, beside the usual ones."""
    nothing = {*_GAPS, *blank}
    known, gaps = _without(values, nothing)
    numbers = [_number(value) for value in known]
    whole = [number for number in numbers if number is not None]
    if known and len(whole) == len(known):
        return _of_numbers(head, name, known, whole, gaps)
    days = bool(known) and all(map(_is_day, dict.fromkeys(known)))
    if not days:
        known, gaps = _without(values, nothing - _VALUES_AMONG_WORDS)
    distinct = tuple(dict.fromkeys(known))
    forms = {same(value) for value in distinct}
    kind: ColumnKind = "category" if len(distinct) <= FEW else "text"
    if days:
        kind = "date"
    elif forms & _YES and forms & _NO and forms <= _YES | _NO:
        kind = "0/1"
    return Column(heading=head, name=name, kind=kind, values=distinct, missing=gaps)


def _without(values: Sequence[str], nothing: Collection[str]) -> tuple[list[str], tuple[str, ...]]:
    """The values that say something, and the words among them that stand for none."""
    gaps = tuple(dict.fromkeys(value for value in values if value and same(value) in nothing))
    return [value for value in values if value and same(value) not in nothing], gaps


def _of_numbers(head: str, name: str, known: list[str], numbers: list[float], gaps: tuple[str, ...]) -> Column:
    codes = tuple(dict.fromkeys(value for value in known if value in _CODES))
    rest = [number for value, number in zip(known, numbers, strict=True) if value not in codes]
    if not rest or min(rest) < 0:
        codes, rest = (), numbers
    return Column(
        heading=head,
        name=name,
        kind="0/1" if set(rest) <= {0.0, 1.0} else "number",
        values=tuple(dict.fromkeys(value for value in known if value not in codes)),
        missing=gaps + codes,
        low=min(rest),
        high=max(rest),
    )


def _number(text: str) -> float | None:
    """A number, with commas between thousands, or with a decimal comma: whoever checks the table says what to do about
    that.
    """
    if has_decimal_comma(text):
        text = text.replace(".", "").replace(",", ".")
    elif is_grouped(text):
        text = text.replace(",", "")
    return float(text) if _NUMBER.fullmatch(text) else None


def _is_day(text: str) -> bool:
    try:
        day_of(same(_MIDNIGHT.sub("", text)))
    except Unreadable:
        return False
    return True


def plain_name(text: str) -> str:
    """Small letters, digits and underscores for a text, letters with accents as those without; "" if none is left."""
    bare = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    bare = "".join(sign for sign in bare if not unicodedata.combining(sign))
    return re.sub(r"[^a-z0-9]+", "_", bare).strip("_")


def free_name(name: str, taken: Collection[str]) -> str:
    """The name, with the first number behind it that makes it free."""
    found, number = name, 2
    while found in taken:
        found, number = f"{name}_{number}", number + 1
    return found


def named_columns(heads: Iterable[str]) -> Mapping[str, str]:
    """By heading the name that the plan gives a column: each once, none that an analysis takes for its own columns."""
    found: dict[str, str] = {}
    taken = {ARM}
    for head in heads:
        name = plain_name(head) or "column"
        name = f"c_{name}" if name[0].isdigit() else name
        if name in OWN:
            name = f"{name}_value"
        if name != ARM or head.casefold() != ARM:
            name = free_name(name, taken)
        taken.add(name)
        found[head] = name
    return found
