"""Tables for a terminal of any width: words stay whole, and where the columns do not fit they are stacked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text

GAP = 2  # blanks between columns
INDENT = 2  # of the lines below the first of a stacked row
# Where a name that is longer than the whole line may end one: after a sign that joins its words.
_JOINT = re.compile(r"(?<=[/_.|:-])")


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalTable:
    """Rows of text below headings, for `rich`: side by side where every word of every column has room, else each row
    as lines `heading: value`.

    `right` names the columns of numbers; `style` is that of each row, "" for none.
    """

    title: str
    headings: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    right: tuple[int, ...] = ()
    styles: Sequence[str] = ()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Lines that fit the window."""
        width = options.max_width
        for line in wrapped(self.title, width):
            yield Text(line, style="bold")
        widths = column_widths([self.headings, *self.rows], width)
        if widths is not None:
            for line in self._beside(self.headings, widths):
                yield Text(line, style="bold")
        for at, row in enumerate(self.rows):
            lines = self._stacked(row, width) if widths is None else self._beside(row, widths)
            for line in lines:
                yield Text(line, style=self.styles[at] if self.styles else "")

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """As wide as it is let be."""
        return Measurement(1, options.max_width)

    def _beside(self, row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
        cells = [wrapped(cell, width) for cell, width in zip(row, widths, strict=True)]
        for number in range(max(map(len, cells))):
            parts = []
            for at, (cell, width) in enumerate(zip(cells, widths, strict=True)):
                text = cell[number] if number < len(cell) else ""
                parts.append(" " * (width - _length(text)) + text if at in self.right else _filled(text, width))
            yield (" " * GAP).join(parts).rstrip()

    def _stacked(self, row: Sequence[str], width: int) -> Iterator[str]:
        for at, (heading, cell) in enumerate(zip(self.headings, row, strict=True)):
            if cell:
                text = f"{heading}: {cell}" if heading else cell
                yield from (" " * (INDENT if at else 0) + line for line in wrapped(text, width - INDENT))


def column_widths(rows: Sequence[Sequence[str]], width: int) -> list[int] | None:
    """How wide each column is, none narrower than its longest word; None where the words alone need more than `width`.

    What is to be saved is taken from the widest column, again and again: short columns stay on one line.
    """
    columns = list(zip(*rows, strict=True))
    least = [max((_length(word) for cell in column for word in cell.split()), default=1) for column in columns]
    found = [max((_length(line) for cell in column for line in cell.splitlines()), default=1) for column in columns]
    found = [max(one, other) for one, other in zip(found, least, strict=True)]
    room = width - GAP * (len(columns) - 1)
    if sum(least) > room:
        return None
    while sum(found) > room:
        at = max((n for n in range(len(found)) if found[n] > least[n]), key=lambda n: found[n])
        found[at] -= 1
    return found


def wrapped(text: str, width: int) -> list[str]:
    """The lines of a text, broken at blanks; a word longer than a line ends it at one of its joints, or is cut."""
    lines: list[str] = []
    for paragraph in text.splitlines() or [""]:
        line = ""
        for word in paragraph.split():
            parts = [word] if _length(word) <= width else [part for part in _JOINT.split(word) if part]
            for at, part in enumerate(parts):
                joined = line + part if at else f"{line} {part}" if line else part
                if line and _length(joined) > width:
                    lines.append(line)
                    joined = part
                while _length(joined) > width:
                    lines.append(joined[:width])
                    joined = joined[width:]
                line = joined
        lines.append(line)
    return lines


def _length(text: str) -> int:
    return Text(text).cell_len


def _filled(text: str, width: int) -> str:
    return text + " " * (width - _length(text))
