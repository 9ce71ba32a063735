"""Numbers that know which result they are, and which results a sentence, table or figure quotes.

`row_of` hands out `TracedRow`s. While a `recording` is open, a number read off such a row knows the row's id and the
column it stood in, and keeps both through what leaves it the same number: a sign, per cent, a rounding. What is made of
several numbers is none of them, and knows nothing. `present.numbers` prints what a number knows along with it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, NamedTuple, SupportsIndex

import pandas as pd

from hhp_stats.results.withheld import NUMBERS

FIELDS = frozenset((*NUMBERS, "n", "n_clusters"))
SCALES = (1, 100)  # a share is printed in per cent, an effect on a probability in percentage points


class Origin(NamedTuple):
    """Where a number was read: the id of the row and the name of the column; and whether its sign is turned since."""

    result_id: str
    field: str
    turned: bool = False


class ResultNumber(float):
    """A number of a result row. Its negative, its size, the number in per cent and a rounding of it are still it.

    Every other arithmetic gives a plain float: a difference, a ratio or a product with another factor is no number of
    the row.
    """

    origin: Origin

    def __new__(cls, value: float, origin: Origin) -> ResultNumber:
        """The value, and where it was read."""
        made = super().__new__(cls, value)
        made.origin = origin
        return made

    def __neg__(self) -> ResultNumber:
        return ResultNumber(float.__neg__(self), self._turned())

    def __abs__(self) -> ResultNumber:
        # The words say which way: `lower by 0.71`. So a size is never a number that is turned.
        return ResultNumber(float.__abs__(self), self.origin._replace(turned=False))

    def __mul__(self, factor: float) -> float:
        made = float.__mul__(self, factor)
        if made is NotImplemented or not _only_scales(factor):
            return made
        return ResultNumber(made, self._turned() if factor < 0 else self.origin)

    __rmul__ = __mul__

    def __round__(self, digits: SupportsIndex | None = None) -> Any:
        if digits is None:
            return ResultCount(float.__round__(self), self.origin)
        return ResultNumber(float.__round__(self, digits), self.origin)

    def __reduce__(self) -> tuple[Any, ...]:
        return ResultNumber, (float(self), self.origin)

    def _turned(self) -> Origin:
        return self.origin._replace(turned=not self.origin.turned)


class ResultCount(int):
    """A count of a result row: its n, or its number of clusters. Arithmetic gives plain numbers."""

    origin: Origin

    def __new__(cls, value: int, origin: Origin) -> ResultCount:
        """The count, and where it was read."""
        made = super().__new__(cls, value)
        made.origin = origin
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return ResultCount, (int(self), self.origin)


def _only_scales(factor: Any) -> bool:
    # Two numbers of rows make no number of either, whatever their values.
    return origin_of(factor) is None and abs(factor) in SCALES


def origin_of(value: Any) -> Origin | None:
    """Where a number was read; None of a number that is none of a row's."""
    return value.origin if isinstance(value, ResultNumber | ResultCount) else None


@dataclass(slots=True, kw_only=True)
class Recording:
    """The results of which something was read while it was open, each once, in the order of reading."""

    results: dict[str, None] = field(default_factory=dict)


_open: ContextVar[Recording | None] = ContextVar("recording", default=None)


class TracedRow(dict[str, Any]):
    """A result row whose numbers know it, where a recording is open."""

    def __getitem__(self, key: str) -> Any:
        """The value; a number with its origin, and the row noted, where a recording is open."""
        value = super().__getitem__(key)
        seen = _open.get()
        if seen is None or key not in FIELDS:
            return value
        result_id = str(super().__getitem__("result_id"))
        seen.results.setdefault(result_id)
        return numbered(value, Origin(result_id, key))


def numbered(value: Any, origin: Origin) -> Any:
    """A number with its origin; what is missing, and words in the place of a number, as they are."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value is pd.NA:
        return value
    if isinstance(value, int):
        return ResultCount(value, origin)
    return value if math.isnan(value) else ResultNumber(value, origin)


@contextmanager
def recording() -> Iterator[Recording]:
    """Note every row of which a number is read inside the block; an inner recording hides the outer one."""
    seen = Recording()
    token = _open.set(seen)
    try:
        yield seen
    finally:
        _open.reset(token)


def open_recording() -> Recording | None:
    """The recording that is open, if any."""
    return _open.get()


def note_results(ids: Iterable[Any]) -> None:
    """Say that whole rows are shown, where they are read from a frame and not one by one."""
    seen = _open.get()
    if seen is not None:
        for result_id in ids:
            seen.results.setdefault(str(result_id))


def traced_records(frame: pd.DataFrame) -> list[TracedRow]:
    """The lines of a part of the result frame; they must have a `result_id`."""
    return [TracedRow({str(name): value for name, value in row.items()}) for row in frame.to_dict("records")]
