"""How wide is each column of a printed table, in which size of type is it set, and may it break over pages?

A table that fits its line column by column needs no answer: its columns are `auto`. Else the columns share the line
so that the table becomes as short as it can, and none becomes narrower than its longest word: words that do not fit
would print over the next column.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

LINE = 453  # points: the text width of the page
SIZES = (8.8, 8.2, 7.6, 7.0, 6.4)  # points of type, from the largest
# Quarto's page has a narrower line, and its tables are set in proportion to the text around them, which is smaller too.
_QUARTO_LINE, _QUARTO_TEXT = 425, 10
_SHORT = 14  # columns with nothing longer keep their own width
_TALL = 800  # characters of a cell that may need a page break within its row
_WHOLE = 340  # points, half a page: a table of this height stays in one piece, a higher one may break between its rows
_READABLE = 7.6  # points: nothing smaller where a larger one fits
_SHORTER = 0.8  # of the height: a table that becomes shorter than this in smaller type takes it
_PITCH, _AROUND = 1.17, 0.75  # ems from line to line, and of space around the lines of a row
_NOTED = 60  # percent of the line: the least width of a table that holds its notes
_SPARE = 0.9  # of the line: headings over several columns may be wider than these
_STEP = 0.5  # ems given away at a time
_SAMPLE = 80  # rows that are looked at, for the time it takes
LONG_WORD = 14  # characters: a longer word may end its line after an underscore
_MANY, _MOST = 5, 8  # more columns begin with the second and third size
_HEADING = 1.06  # headings are set in a bolder face

_CAPITALS = re.compile(r"[A-Z]")
_WIDE = re.compile(r"[mwMW@%]")
_THIN = re.compile(r"[.,:;'|!ijlt()\[\]/ ]")
_INTERVAL = re.compile(r"(?<=\d) to (?=[\u2212\d])")  # what lies between two numbers is read with them
_WORDS = re.compile(r"[^\s/]+/?")
_PIECES = re.compile(r"[^_]+_?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How Typst sets a table."""

    columns: tuple[str, ...]  # a width for each: "auto", or a share of the line such as "3.25fr"
    size: str  # of type, such as "8.2pt"; "auto" where the page decides
    whole: bool  # stays in one piece with its notes
    tall: bool  # its rows may break over pages
    percents: tuple[float, ...] = ()  # of the line, with the space between columns; none where widths are "auto"
    relative: float = 100.0  # size of type in percent of the text's, for Quarto's page


@dataclass(slots=True)
class _Column:
    longest: int = 0  # characters of its fullest cell
    ems: float = 0.0  # width that its fullest cell would like
    word: float = 0.0  # width of its longest word
    cells: list[float] = field(default_factory=list)  # widths of the first cells


def lay_out(
    heads: Sequence[Sequence[str]],
    rows: Sequence[Sequence[str]],
    *,
    columns: int,
    percents: Sequence[float] = (),
    notes: bool = False,
) -> Layout:
    """Decide widths, size and breaks from the plain words of the cells.

    `heads` and `rows` hold one list of words a row; rows that do not have one cell a column (headings over
    several columns, groups) count for the height alone. `percents` are the columns' shares of the line where they
    are decided: then the size is the largest in which no word is wider than its column. A table that fits needs no
    widths, but for its `notes`: where they stand in the table, as in Quarto's, they would stretch its last column.
    """
    found = _gathered(heads, rows, columns)
    pad = _pad(columns)
    natural = sum(column.ems + pad for column in found)
    tall = any(column.longest > _TALL for column in found)
    first = 2 if columns > _MOST else 1 if columns > _MANY else 0
    sampled = len(found[0].cells)
    other_rows = len(heads) + len(rows) - sampled
    if natural <= LINE / SIZES[first]:
        # A table that fits with room to spare needs no measuring by Typst, which costs as much as setting it.
        roomy = next((size for size in SIZES if natural <= _SPARE * LINE / size), None)
        whole = (len(rows) + len(heads)) * (_PITCH + _AROUND) * SIZES[0] < _WHOLE
        return Layout(
            columns=("auto",) * columns,
            size=f"{roomy}pt" if roomy else "auto",
            whole=whole,
            tall=tall,
            percents=_at_least(found, pad, LINE / (roomy or SIZES[first])) if notes else (),
            relative=_relative(roomy or SIZES[first]),
        )
    best: Layout | None = None
    first_height = 0.0
    for size in SIZES[first:]:
        line = LINE / size
        if percents:
            widths = _given(found, [percent / 100 * line - pad for percent in percents])
        else:
            widths = _shared(found, line - columns * pad)
        if widths is None:
            continue
        # Columns of two words a line in a large face are harder to read than whole phrases in a smaller one.
        height = _height(found, widths, size, other_rows)
        if best is not None and (size < _READABLE or height >= _SHORTER * first_height):
            continue
        total = sum(widths) + columns * pad
        chosen = Layout(
            columns=tuple(f"{width:.2f}fr" for width in widths),
            size=f"{size}pt",
            whole=sampled < _SAMPLE and height < _WHOLE,
            tall=tall,
            percents=tuple(round(100 * (width + pad) / total, 2) for width in widths),
            relative=_relative(size),
        )
        if best is not None:
            return chosen
        best, first_height = chosen, height
    return best or Layout(
        columns=("auto",) * columns, size="auto", whole=False, tall=tall, relative=_relative(SIZES[-1])
    )


def _at_least(columns: Sequence[_Column], pad: float, line: float) -> tuple[float, ...]:
    """The widths that columns have by themselves, in percent of the line, widened until notes have room below them."""
    natural = [100 * (column.ems + pad) / line for column in columns]
    return tuple(round(width * max(1.0, _NOTED / sum(natural)), 2) for width in natural)


def _pad(columns: int) -> float:
    """Ems between two columns."""
    return 0.68 if columns > _MOST else 1.0


def _relative(size: float) -> float:
    """The size in percent of the text, so that as many words stand in a line of Quarto's page as in ours."""
    return round(100 * size * _QUARTO_LINE / LINE / _QUARTO_TEXT, 1)


def _given(columns: Sequence[_Column], widths: list[float]) -> list[float] | None:
    """The widths, or None where a word is wider than its column; a hundredth of the line may be lost by rounding."""
    fits = all(width + 0.1 >= min(column.word, column.ems) for column, width in zip(columns, widths, strict=True))
    return widths if fits else None


def _ems(text: str) -> float:
    """Width in the sans face, on the safe side, by kind of character."""
    capitals, wide, thin = len(_CAPITALS.findall(text)), len(_WIDE.findall(text)), len(_THIN.findall(text))
    return 0.51 * (len(text) - capitals - thin) + 0.6 * capitals + 0.3 * thin + 0.3 * wide


def _longest_word(text: str) -> float:
    """Lines may break at spaces, after slashes and, in long words, after underscores; not within an interval."""
    return max(
        (
            _ems(piece)
            for word in _WORDS.findall(_INTERVAL.sub("\u2013to\u2013", text))
            for piece in (_PIECES.findall(word) if len(word) > LONG_WORD else (word,))
        ),
        default=0.0,
    )


def _gathered(heads: Sequence[Sequence[str]], rows: Sequence[Sequence[str]], columns: int) -> list[_Column]:
    found = [_Column() for _ in range(columns)]
    for row in heads:
        if len(row) == columns:
            for column, text in zip(found, row, strict=True):
                column.word = max(column.word, _HEADING * _longest_word(text))
    for row in rows:
        if len(row) == columns:
            for column, text in zip(found, row, strict=True):
                ems = _ems(text)
                column.word = max(column.word, _longest_word(text))
                column.longest, column.ems = max(column.longest, len(text)), max(column.ems, ems)
                if len(column.cells) < _SAMPLE:
                    column.cells.append(ems)
    for column in found:
        column.ems = max(column.ems, column.word)
    return found


def _shared(columns: Sequence[_Column], room: float) -> list[float] | None:
    """Widths in ems within `room`, or None where the longest words do not fit.

    Every column begins as wide as its longest word; the rest is given away in steps, each to the column whose widening
    shortens the table most. A row is as high as its fullest cell, with a little of all others so that ties are
    broken: sum over rows of max(1, fullest) + 0.05 sum over cells, each cell counted as length / width.
    """
    widths = [min(column.ems, column.ems if column.longest <= _SHORT else column.word) + 0.2 for column in columns]
    left = room - sum(widths)
    if left < 0:
        return None
    totals = [sum(column.cells) for column in columns]
    rows = [list(cells) for cells in zip(*(column.cells for column in columns), strict=True)]
    while left >= _STEP:
        open_columns = [at for at, column in enumerate(columns) if widths[at] < column.ems]
        if not open_columns:
            break
        # Widening a column changes a row's height only where its cell is the fullest.
        saved = [0.05 * totals[at] * (1 / widths[at] - 1 / (widths[at] + _STEP)) for at in range(len(columns))]
        for cells in rows:
            lines = [length / width for length, width in zip(cells, widths, strict=True)]
            most = max(lines)
            if most <= 1:
                continue
            at = lines.index(most)
            lines[at] = 0.0
            saved[at] += most - max(1.0, cells[at] / (widths[at] + _STEP), *lines)
        best = max(open_columns, key=lambda at: saved[at])
        widths[best] += _STEP
        left -= _STEP
    return widths


def _height(columns: Sequence[_Column], widths: Sequence[float], size: float, other_rows: int) -> float:
    """Points that the table takes from head to foot, without its notes."""
    ems: float = sum(
        max(1, *(math.ceil(length / width) for length, width in zip(cells, widths, strict=True))) * _PITCH + _AROUND
        for cells in zip(*(column.cells for column in columns), strict=True)
    )
    return size * (ems + other_rows * (_PITCH + _AROUND))
