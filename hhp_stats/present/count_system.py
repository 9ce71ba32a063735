"""Counts of people as a reader sees them: cells, and the sums that hold between them."""

from __future__ import annotations

from dataclasses import dataclass, field

from hhp_stats.errors import HhpError


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Where a count stands: table, row, column."""

    table: str
    row: str
    column: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """The count `total` is the sum of the counts `parts`; one part says that two places show the same people."""

    total: Key
    parts: tuple[Key, ...]


@dataclass(slots=True, kw_only=True)
class CountSystem:
    """Counts of people and the sums between them.

    `printed` are the counts a reader sees. The others follow from printed ones (those who did not answer follow from
    those who did and those asked) and are protected in the same way. `lesser` counts are given up before others, `fixed`
    ones never: the number of people behind an estimate, which every table of results prints.
    """

    counts: dict[Key, int] = field(default_factory=dict)
    printed: set[Key] = field(default_factory=set)
    sums: list[Sum] = field(default_factory=list)
    lesser: set[Key] = field(default_factory=set)
    fixed: set[Key] = field(default_factory=set)

    def add(self, key: Key, count: float, *, printed: bool = True) -> Key:
        """Enter one count; refuses (HhpError) one that is no whole number, or another number than before."""
        whole = round(count)
        if abs(count - whole) > 1e-6 or whole < 0:  # counts worked back from shares carry rounding of the last bits
            raise HhpError(f"{key.table}, {key.row}, {key.column}: {count} is not a count of people")
        if self.counts.setdefault(key, whole) != whole:
            raise HhpError(f"{key.table}, {key.row}, {key.column} holds two counts")
        if printed:
            self.printed.add(key)
        return key

    def total(self, total: Key, *parts: Key) -> None:
        """Say that the parts add up to the total; refuses (HhpError) where they do not."""
        if self.counts[total] != sum(self.counts[part] for part in parts):
            raise HhpError(f"{total.table}, {total.row}, {total.column} is not the sum of its parts")
        self.sums.append(Sum(total=total, parts=parts))

    def rest(self, total: Key, part: Key, *, words: str = "others") -> Key:
        """Enter the people of `total` who are not in `part`: never printed, but known to who knows both."""
        key = Key(part.table, part.row, f"{part.column}: {words}")
        self.add(key, self.counts[total] - self.counts[part], printed=False)
        self.total(total, part, key)
        return key
