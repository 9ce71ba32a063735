"""What does this column say? Fast for cells of the right type; only the others are looked at one by one."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from hhp_stats.intake import values as v
from hhp_stats.intake.days import orders_of_dates, read_day
from hhp_stats.intake.dictionary import Field
from hhp_stats.intake.spellings import Spellings

_PLAIN_NUMBERS = frozenset({int, float, type(None)})


@dataclass(slots=True, kw_only=True)
class ReadColumn:
    """A column read by the rules of its field.

    `values` has the dtype of the field (float64, datetime64, str); unreadable cells are missing in it and stand in
    `unread` (position -> code of the broken rule). `habits` holds position, habit and the value read.
    """

    values: pd.Series
    unread: dict[int, str] = field(default_factory=dict)
    habits: list[tuple[int, str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a file writes its values.

    `typed` says whether the file format distinguishes numbers and dates from text, `decimal_comma` whether numbers with
    one stand in it, `from_1904` whether its day numbers count from 1904.
    """

    typed: bool = True
    decimal_comma: bool = False
    from_1904: bool = False


def read_column(
    *,
    spec: Field,
    raw: list[Any],
    spellings: Spellings,
    manner: Manner,
    heading: str = "",
    refused: Mapping[int, str] = MappingProxyType({}),
) -> ReadColumn:
    """Reads one column of raw cells (None where empty) by the kind of its field.

    `heading` is the heading as found, since a column headed "FTE" holds shares and not yes or no. `refused` are cells
    that must not be read (position -> code of the broken rule) because they show something else than they hold.
    """
    worded = spellings.numbers_of(spec)
    if spec.kind in ("number", "integer") and not worded and not refused and _PLAIN_NUMBERS.issuperset(map(type, raw)):
        quick = _quick_numbers(raw, whole=spec.kind == "integer")
        if quick is not None:
            return quick
    reader = _reader(spec, raw, spellings, manner, heading)
    unread: dict[int, str] = dict(refused)
    if spec.kind in ("date", "header date"):
        unread = orders_of_dates(raw) | unread
    habits: list[tuple[int, str, Any]] = []
    seen: dict[tuple[type, Any], v.Read | str] = {}
    found: list[Any] = [None] * len(raw)
    for position, value in enumerate(raw):
        if value is None or position in unread:
            continue
        key = (type(value), value)
        answer = seen.get(key)
        if answer is None:
            try:
                answer = reader(value)
            except v.Unreadable as reason:
                answer = reason.code
            seen[key] = answer
        if isinstance(answer, str):
            unread[position] = answer
            continue
        found[position] = answer.value
        if answer.habit:
            habits.append((position, answer.habit, answer.value))
    return ReadColumn(values=_series(spec.kind, found), unread=unread, habits=habits)


def _quick_numbers(raw: list[Any], *, whole: bool) -> ReadColumn | None:
    try:
        numbers = np.array(raw, dtype=float)
    except OverflowError:
        return None
    if np.isinf(numbers).any():
        return None
    wrong = np.flatnonzero(numbers % 1 > 0) if whole else np.array([], dtype=int)
    numbers[wrong] = np.nan
    return ReadColumn(values=pd.Series(numbers), unread=dict.fromkeys(wrong.tolist(), v.INTEGER))


def _reader(spec: Field, raw: list[Any], spellings: Spellings, manner: Manner, heading: str) -> v.Reader:
    if spec.kind in ("number", "integer"):
        return functools.partial(
            v.read_number,
            unit=spec.unit,
            spellings=spellings,
            typed=manner.typed,
            whole=spec.kind == "integer",
            decimal_comma=manner.decimal_comma,
            worded=spellings.numbers_of(spec),
        )
    if spec.kind in ("date", "header date"):
        return functools.partial(read_day, spellings=spellings, typed=manner.typed, from_1904=manner.from_1904)
    if spec.kind == "yes/no":
        accepted = spellings.of("yes/no") | spellings.of(spec.name)
        if spec.name == "part_time" and ("fte" in heading.casefold() or any(map(v.is_fte, raw))):
            return functools.partial(v.read_fte, accepted=accepted, spellings=spellings)
        return functools.partial(v.read_yes_no, accepted=accepted, spellings=spellings)
    if spec.kind == "category":
        return functools.partial(
            v.read_category,
            accepted=spellings.accepted(spec),
            spellings=spellings,
            told_by_case=spellings.told_by_case(spec),
        )
    return functools.partial(v.read_identifier, spellings=spellings)


_NUMBERS, _DATES = ("number", "integer", "yes/no"), ("date", "header date")  # kinds, by how they are kept


def _series(kind: str, found: list[Any]) -> pd.Series:
    if kind in _NUMBERS:
        return pd.Series(np.array(found, dtype=float))
    if kind in _DATES:
        return pd.Series(pd.to_datetime(pd.Series(found, dtype=object)).astype("datetime64[us]"))
    return pd.Series(found, dtype="str")


def empty_column(spec: Field, rows: int) -> pd.Series:
    """A column of the field's dtype without any value: the file does not have it."""
    if spec.kind in _DATES:  # made directly: dates are converted one by one
        return pd.Series(np.full(rows, "NaT", dtype="datetime64[us]"))
    return _series(spec.kind, [None] * rows)
