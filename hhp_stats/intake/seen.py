"""What does the eye see of a return that its values do not say? Formats, lines through cells, raised signs,
comments.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from hhp_stats.errors import Problem
from hhp_stats.intake import values as v
from hhp_stats.intake.dictionary import Field
from hhp_stats.intake.findings import listed
from hhp_stats.intake.grid import Grid
from hhp_stats.intake.number_format import seen_otherwise, with_leading_zeros
from hhp_stats.intake.rules_file import COMMENTS, REMARKS
from hhp_stats.intake.table import Table

_STRUCK_ROW = "the whole row is struck through"
_STRUCK_CELL = "struck through"
_WHITE = "white on white"
_MIXED = "with a raised, lowered or struck-through part"


def refused_cells(
    grid: Grid, spec: Field, rows: Sequence[int], column: int, *, id_column: int
) -> dict[int, tuple[str, str]]:
    """Which cells of a column show something else than they hold: position -> code of the broken rule, and how they
    look.

    Of a row whose identifier is struck through only the identifier is named: the person is meant.
    """
    found: dict[int, tuple[str, str]] = {}
    if not (grid.formats or grid.struck or grid.white or grid.mixed):
        return found
    for position, row in enumerate(rows):
        at = (row, column)
        if at in grid.struck and (column == id_column or (row, id_column) not in grid.struck):
            found[position] = (v.STRUCK, _STRUCK_ROW if column == id_column else _STRUCK_CELL)
        elif at in grid.white:
            found[position] = (v.STRUCK, _WHITE)
        elif at in grid.mixed:
            found[position] = (v.MIXED, _MIXED)
        elif spec.kind in ("number", "integer") and at in grid.formats:
            seen = seen_otherwise(grid.formats[at], float(grid.rows[row][column]), spec.unit)
            if seen:
                found[position] = (v.SEEN_OTHERWISE, seen)
    return found


def identifiers_as_seen(grid: Grid, rows: Sequence[int], column: int, raw: list[Any]) -> tuple[list[Any], list[int]]:
    """Identifiers that are numbers with a format that fills them up with zeros, as texts; and the positions of
    those.
    """
    if not grid.formats:
        return raw, []
    seen = list(raw)
    filled = []
    for position, row in enumerate(rows):
        code = grid.formats.get((row, column))
        text = with_leading_zeros(code, float(raw[position])) if code and isinstance(raw[position], int | float) else ""
        if text:
            seen[position] = text
            filled.append(position)
    return seen, filled


def remark_problems(
    table: Table, grid: Grid, *, rows: Sequence[int], below: Sequence[int], headed: Collection[int]
) -> Iterator[Problem]:
    """One warning for what stands next to the people (`rows`) in columns that are not `headed`, or in rows `below`
    them.
    """
    beside = [
        (row, column)
        for row in rows
        for column, value in grid.rows[row].items()
        if column not in headed and str(value).strip()
    ]
    under = [(row, column) for row in sorted(below) for column in grid.rows[row]]
    if beside or under:
        value = " and ".join(
            f"{len(cells)} {'cell' if len(cells) == 1 else 'cells'} {where} the table"
            for cells, where in ((beside, "next to"), (under, "below"))
            if cells
        )
        cells = listed(table.address(row, column) for row, column in (*beside, *under))
        yield REMARKS.problem(file=table.file, sheet=table.sheet, cell=cells, value=value)


def comment_problems(table: Table, grid: Grid, *, first_row: int) -> Iterator[Problem]:
    """One warning for each column with comments, and one for all comments above or beside the table."""
    field_of = {column: name for name, column in table.columns.items()}
    by_field: dict[str, list[str]] = {}
    for row, column in grid.comments:
        name = field_of.get(column, "") if row >= first_row - 1 else ""
        by_field.setdefault(name, []).append(table.address(row, column, name))
    for name, cells in by_field.items():
        where = f"in the column {name}" if name else "outside of the table"
        value = f"{len(cells)} {'comment' if len(cells) == 1 else 'comments'} {where}"
        yield COMMENTS.problem(file=table.file, sheet=table.sheet, cell=listed(cells), value=value)
