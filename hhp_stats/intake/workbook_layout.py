"""What is in a workbook beside the cells of its table: other sheets and tables, hidden and merged cells, links."""

from __future__ import annotations

from collections.abc import Callable, Collection

from hhp_stats.intake.grid import Grid, column_letter
from hhp_stats.intake.rule import Rule
from hhp_stats.intake.rules_file import (
    EXTERNAL_LINKS,
    HIDDEN_CELLS,
    HIDDEN_TABLE,
    MERGED_CELLS,
    OTHER_SHEETS,
    TWO_TABLES,
)
from hhp_stats.intake.spellings import tidy
from hhp_stats.intake.table import Table


def headed_by(headings: Collection[str]) -> Callable[[Grid], bool]:
    """Whether the first row of a sheet holds all these headings: it is then a table of these people, or of others."""
    wanted = {tidy(each) for each in headings}
    return lambda grid: bool(grid.rows) and wanted <= {tidy(str(cell)) for cell in grid.rows[min(grid.rows)].values()}


def say_what_else_is_there(
    result: Table, grid: Grid, *, head: int, first_data_row: int, columns: Collection[int]
) -> None:
    """What is passed over: other sheets and tables, hidden and merged cells, links.

    `head` is the row of the headings, `columns` those that are read.
    """

    def say(rule: Rule, value: str, cell: str = "") -> None:
        result.problems.append(rule.problem(file=result.file, sheet=grid.sheet, value=value, cell=cell))

    if grid.other_sheets:
        hidden = grid.other_sheets.count("hidden")
        say(OTHER_SHEETS, f"{_sheets(len(grid.other_sheets), 'other')}, {hidden} of them hidden")
    twins = [kind for kind in grid.other_tables if kind == "visible" or grid.hidden]
    if twins:
        say(TWO_TABLES, f"{_sheets(len(twins), 'more')} with the headings of the table")
    elif grid.other_tables:
        say(HIDDEN_TABLE, f"{_sheets(len(grid.other_tables), 'hidden')} with the headings of the table")
    if grid.external_links:
        say(EXTERNAL_LINKS, f"{grid.external_links} links")
    last = max(grid.rows)
    rows = [row for row in grid.hidden_rows if head <= row <= last and row in grid.rows]
    hidden_columns = [column for column in grid.hidden_columns if column in columns]
    if grid.hidden or rows or hidden_columns:
        what = [
            "the sheet itself" if grid.hidden else "",
            f"{len(rows)} rows, first row {rows[0]}" if rows else "",
            f"columns {', '.join(map(column_letter, hidden_columns))}" if hidden_columns else "",
        ]
        say(HIDDEN_CELLS, "; ".join(filter(None, what)))
    below = [ref for ref in grid.merged if _first_row(ref) >= first_data_row]
    if below:
        say(MERGED_CELLS, f"{len(below)} merged {'area' if len(below) == 1 else 'areas'}", below[0])


def _sheets(number: int, which: str) -> str:
    return f"{number} {which} sheet{'' if number == 1 else 's'}"


def _first_row(reference: str) -> int:
    digits = "".join(character if character.isdigit() else " " for character in reference.split(":")[0]).split()
    return int(digits[0]) if digits else 0
