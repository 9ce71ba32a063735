"""Which results does a sentence, table or figure quote? Rows that remember who read them.

`row_of` hands out `TracedRow`s. While a `recording` is open, each reading of a number off such a row is
noted in order, so that a printed number can be led back to its row without the author naming it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from hhp_stats.withheld import NUMBERS

FIELDS = frozenset((*NUMBERS, "n", "n_clusters"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One number that was read off a row."""

    result_id: str
    field: str
    value: float


@dataclass(slots=True, kw_only=True)
class Recording:
    """What was read while it was open, each row and each number once, in the order of reading."""

    results: dict[str, None] = field(default_factory=dict)
    uses: dict[tuple[str, str], Use] = field(default_factory=dict)

    def note(self, result_id: str, name: str, value: Any) -> None:
        """A number was read."""
        self.results.setdefault(result_id)
        if isinstance(value, (int, float)) and not pd.isna(value):
            self.uses.setdefault((result_id, name), Use(result_id=result_id, field=name, value=float(value)))


_open: ContextVar[Recording | None] = ContextVar("recording", default=None)


class TracedRow(dict[str, Any]):
    """A result row that tells the open recording which of its numbers are read."""

    def __getitem__(self, key: str) -> Any:
        """The value; noted where a recording is open."""
        value = super().__getitem__(key)
        seen = _open.get()
        if seen is not None and key in FIELDS:
            seen.note(str(super().__getitem__("result_id")), key, value)
        return value


@contextmanager
def recording() -> Iterator[Recording]:
    """Note every number read off a `TracedRow` inside the block; an inner recording hides the outer one."""
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
