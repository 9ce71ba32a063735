"""What a manuscript says, in reading order: paragraphs and tables, each with the place where a reader finds it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hhp_stats.consistency.typography import plain

_SPACES = re.compile(r"\s+")
_NUMERIC = re.compile(r"[<>=]?\s*[+-]?(?:\d[\d,]*\.?\d*|\.\d+)\s*(?:%|\*{1,3})?(?:\s*[(\[].*[)\]])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """Running text with its numbers in plain type."""

    place: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table: a heading for each column, rows of as many cells, and what stands above and below it."""

    place: str
    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


Block = Paragraph | Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A manuscript as it was read."""

    file: str
    blocks: tuple[Block, ...]
    remarks: tuple[str, ...] = ()  # what of the file was not read as its author sees it


def words(text: str) -> str:
    """The text in one line, numbers in plain type."""
    return _SPACES.sub(" ", plain(text)).strip()


def numeric(cell: str) -> bool:
    """Is the cell a number, alone or with what belongs to it in brackets?"""
    return _NUMERIC.fullmatch(cell.strip()) is not None


def table_of(grid: Sequence[Sequence[str]], *, place: str, caption: str, heads: int, note: str = "") -> Table | None:
    """The table of a grid of cells, of which the first `heads` rows are headings; none where nothing is below them.

    Where a file marks no headings, the rows above the first one with a number are.
    """
    width = max((len(row) for row in grid), default=0)
    rows = [tuple(words(cell) for cell in [*row, *[""] * (width - len(row))]) for row in grid]
    if not heads:
        heads = next((at for at, row in enumerate(rows) if any(numeric(cell) for cell in row[1:])), 0)
    if not rows[heads:] or width < 2:
        return None
    headings = []
    for column in range(width):
        parts: list[str] = []
        for row in rows[:heads]:
            if row[column] and row[column] not in parts:
                parts.append(row[column])
        headings.append(" ".join(parts))
    return Table(
        place=place, caption=words(caption), headings=tuple(headings), rows=tuple(rows[heads:]), note=words(note)
    )
