"""The rows of a file, with the place of its headings and columns, and its cells as numbers."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Row = list[Any]


@dataclass(slots=True)
class Table:
    """Rows of which `heads` is the number of the heading row, and data begin at `first`."""

    rows: list[Row]
    heads: int
    first: int
    fields: dict[str, int]  # field -> column

    def pick(self, rng: random.Random) -> tuple[str, int]:
        """A column at random."""
        return rng.choice(sorted(self.fields.items()))

    def body(self) -> list[Row]:
        """The rows of data."""
        return self.rows[self.first :]


Damage = Callable[[Table, random.Random], str]


def number_of(value: Any) -> float | None:
    try:
        return None if isinstance(value, bool | datetime) else float(value)
    except (TypeError, ValueError):
        return None


def plain(number: float) -> Any:
    return int(number) if float(number).is_integer() else round(number, 6)
