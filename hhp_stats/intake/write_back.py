"""What should the authority mend? A copy of its return with the cells marked and the problems in words.

The copy is made anew from the cells that were read, each at its own address, and never from the file received: no
formula, link, macro, comment, other sheet, property or picture can come along. Texts that may be a name or an address
are left out of it as they are of every message: the authority finds them at the same address in its own workbook.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import range_boundaries

from hhp_stats.errors import Problem
from hhp_stats.files.output_guard import OutputGuard
from hhp_stats.files.spreadsheet import write_cell
from hhp_stats.intake.check import COPY_MARK, CheckReport
from hhp_stats.intake.container import Refused
from hhp_stats.intake.grid import NO_STORED_VALUE, CellError, Grid, column_letter
from hhp_stats.intake.masking import hidden, words_of
from hhp_stats.intake.plain_table import table_grid
from hhp_stats.intake.returns import read_grid
from hhp_stats.intake.rules_table import PlainTable
from hhp_stats.intake.rules_wave import looks_like_code
from hhp_stats.intake.table import Table
from hhp_stats.intake.template import INSTRUCTIONS, WAVE_NOTES, validation

PROBLEM_SHEET = "Problems"
REMOVED = "[not repeated here: it may identify a person]"
_MARKED_CELLS = 5000
_RANGE = re.compile(r"[A-Z]{1,3}[1-9]\d{0,6}:[A-Z]{1,3}[1-9]\d{0,6}")
_FILLS = {
    "error": PatternFill("solid", start_color="FFF4B6B6", end_color="FFF4B6B6"),
    "warning": PatternFill("solid", start_color="FFFCE8B2", end_color="FFFCE8B2"),
    "note": PatternFill("solid", start_color="FFDCE6F5", end_color="FFDCE6F5"),
}
_WORDS = {"error": "must be corrected", "warning": "please check", "note": "for information"}
_ADDRESS = re.compile(
    r"^([A-Z]{1,3}\d{1,7})(?::([A-Z]{1,3}\d{1,7}))?(?=$|, )|(?<=, )(?:to )?([A-Z]{1,3}\d{1,7})(?=$|, )"
)
_SAV_ADDRESS = re.compile(r"case (\d+), variable (\w+)")
_CSV_ADDRESS = re.compile(r"row (\d+), column ([A-Z]{1,3})")


def write_back(report: CheckReport, directory: Path, *, guard: OutputGuard | None = None) -> list[Path]:
    """What should the authority mend?

    Writes into `directory`, for every return with problems, a workbook with the cells of the return at their addresses,
    the offending ones coloured and commented, and a sheet "Problems": row, column, what is wrong, what to do. Returns
    that cannot be opened become a workbook with that sheet alone, and so do lists, exports and the other files of the
    trial team, in a folder `trial-team`: whatever format a file came in, what is wrong with it can be sent. The
    files received are not touched; each copy appears only when it is whole. Returns the paths written. Raises
    OutputRefused, before anything is written, where another file stands in the place of a copy, or a copy that somebody
    has worked in, or, without a `guard`, any.
    """
    directory = Path(directory)
    guard = guard or OutputGuard(root=report.root, command="hhp check --write-back", noting=False)
    by_file: dict[str, list[Problem]] = {}
    for problem in report.problems:
        by_file.setdefault(problem.file, []).append(problem)
    copies: dict[Path, str] = {}
    for row in report.inputs.to_dict("records"):
        if str(row["path"]) in by_file:
            slug = re.sub(r"[^a-z0-9]+", "-", str(row["authority"]).casefold()).strip("-")
            copies[_free(copies, directory / slug / f"{row['wave']}{COPY_MARK}.xlsx")] = str(row["path"])
    for file in sorted(by_file.keys() - set(copies.values())):
        name = re.sub(r"[^a-z0-9]+", "-", str(Path(file.removeprefix("data/")).with_suffix("")).casefold()).strip("-")
        copies[_free(copies, directory / "trial-team" / f"{name}{COPY_MARK}.xlsx")] = file
    for target in copies:
        guard.file(target)
    for target, file in copies.items():
        with guard.written(target) as partial:
            _book(report.returns.get(file), by_file[file]).save(partial)
    return list(copies)


def _free(taken: Collection[Path], target: Path) -> Path:
    """The path, or, where another copy has it, the same with the first number that is free."""
    found, number = target, 2
    while found in taken:
        found = target.with_stem(f"{target.stem}-{number}")
        number += 1
    return found


def _book(ret: Table | None, problems: list[Problem]) -> Any:
    book: Any = openpyxl.Workbook()
    sheet = book.active
    grid = _grid(ret)
    if ret is None or grid is None:
        book.remove(sheet)
    else:
        sheet.title = "Table" if isinstance(ret, PlainTable) else "Return"
        _copy(sheet, ret, grid)
        _mark(sheet, problems, ret)
    _list(book, problems)
    return book


def _grid(ret: Table | None) -> Grid | None:
    if isinstance(ret, PlainTable):
        return _table_grid(ret)
    if ret is None or (not ret.readable and any(problem.code == "F01" for problem in ret.problems)):
        return None
    try:
        return read_grid(ret.path, sheet=ret.sheet or "Return")
    except (Refused, OSError):  # gone or replaced since it was checked
        return None


def _table_grid(table: PlainTable) -> Grid | None:
    """The columns that the dictionary describes: the others may hold anything, and are not repeated."""
    if not table.readable:
        return None
    wanted = set(table.columns.values())
    try:
        fields = table.fields.values()
        figures = [field.label for field in fields if field.kind == "number"]
        grid = table_grid(table.path, [field.label for field in fields], numbers=figures)
    except (Refused, OSError):  # gone or replaced since it was checked
        return None
    below = 1 if _is_sav(table) else 0  # an SPSS file counts its cases from one, and the copy has headings above them
    rows = {
        number + below: {column: value for column, value in cells.items() if column in wanted}
        for number, cells in grid.rows.items()
    }
    return replace(grid, rows=rows, merged=[])


def _is_sav(table: Table) -> bool:
    return table.path.suffix.casefold() == ".sav"


def _copy(sheet: Any, ret: Table, grid: Grid) -> None:
    """The cells of the return as values at their addresses, with the drop-downs of the template."""
    known = ret.vocabulary | words_of(*INSTRUCTIONS, *WAVE_NOTES.values(), "synthetic release generated for trying out")
    codes = {ret.columns[name] for name in _codes(ret) if name in ret.columns}
    below = 1 if _is_sav(ret) else 0
    table_from = int(ret.frame["row"].min()) + below if len(ret.frame) else max(grid.rows, default=0) + 1
    kept: dict[str, str] = {}
    for number, cells in grid.rows.items():
        for column, value in cells.items():
            if isinstance(value, str):
                if value not in kept:
                    kept[value] = value if not hidden(value, vocabulary=known) else REMOVED
                code = column in codes and number >= table_from and looks_like_code(value)
                value = value if code else kept[value]
            _write(sheet, number, column, _plain(value))
    for reference in grid.merged[:_MARKED_CELLS]:
        if _RANGE.fullmatch(reference):
            sheet.merge_cells(reference)
    last = max(grid.rows, default=0) + 100
    for name, column in ret.columns.items():
        sheet.column_dimensions[column_letter(column)].width = 18
        rule = validation(ret.fields[name])
        if rule is not None:
            rule.add(f"{column_letter(column)}{table_from}:{column_letter(column)}{last}")
            sheet.add_data_validation(rule)
        if table_from > 1:
            sheet.cell(row=table_from - 1, column=column).font = Font(bold=True)


def _codes(table: Table) -> tuple[str, ...]:
    """The columns that hold codes of people and groups."""
    if isinstance(table, PlainTable):
        return tuple(name for name, field in table.fields.items() if field.kind == "identifier")
    return ("staff_id", "team_id")


def _plain(value: Any) -> Any:
    if isinstance(value, CellError):
        return value.text if value.text.startswith("#") and value.text.isascii() else "#VALUE!"
    return "[a formula without a stored result]" if value is NO_STORED_VALUE else value


def _write(sheet: Any, row: int, column: int, value: Any) -> Any:
    """Writes a value that no program will take for a formula, whatever it begins with."""
    cell = write_cell(sheet.cell(row=row, column=column), value)
    if isinstance(value, datetime):
        cell.number_format = "yyyy-mm-dd" if value.time() == datetime.min.time() else "yyyy-mm-dd hh:mm"
    return cell


def _cells_of(problem: Problem, limit: int, table: Table) -> Iterable[str]:
    for case, name in _SAV_ADDRESS.findall(problem.cell):
        if name in table.columns:
            yield f"{column_letter(table.columns[name])}{int(case) + 1}"
    for row, column in _CSV_ADDRESS.findall(problem.cell):
        yield f"{column}{row}"
    if problem.cell.startswith("row "):
        return
    for first, last, other in _ADDRESS.findall(problem.cell):
        if first and last:
            left, top, right, bottom = range_boundaries(f"{first}:{last}")
            if left is not None and top is not None and right is not None and bottom is not None:
                for row in range(top, min(bottom, top + limit) + 1):
                    yield from (f"{openpyxl.utils.get_column_letter(column)}{row}" for column in range(left, right + 1))
        else:
            yield first or other


def _mark(sheet: Any, problems: list[Problem], table: Table) -> None:
    texts: dict[str, list[Problem]] = {}
    for problem in problems:
        for address in _cells_of(problem, _MARKED_CELLS, table):
            texts.setdefault(address, []).append(problem)
    for address, found in texts.items():
        cell = sheet[address]
        if type(cell).__name__ == "MergedCell":
            continue
        cell.fill = _FILLS[found[0].severity]
        comment = Comment("\n".join(dict.fromkeys(f"{each.rule} {each.remedy}" for each in found)), "hhp check")
        comment.width, comment.height = 360, 120
        cell.comment = comment


def _list(book: Any, problems: list[Problem]) -> None:
    sheet = book.create_sheet(PROBLEM_SHEET, 0)
    book.active = 0
    heads = ("Row", "Column or cell", "What is wrong", "What was found", "What to do", "How urgent", "Code")
    for column, head in enumerate(heads, start=1):
        cell = _write(sheet, 1, column, head)
        cell.font = Font(bold=True)
    for number, problem in enumerate(problems, start=2):
        row = re.search(r"\d+", problem.cell)
        values = (
            int(row[0]) if row else "",
            problem.cell or "whole file",
            problem.rule,
            problem.value,
            problem.remedy,
            _WORDS[problem.severity],
            problem.code,
        )
        for column, value in enumerate(values, start=1):
            cell = _write(sheet, number, column, value)
            cell.alignment = Alignment(wrap_text=True, vertical="top")
        sheet.cell(row=number, column=6).fill = _FILLS[problem.severity]
    for letter, width in zip("ABCDEFG", (8, 22, 52, 40, 52, 18, 8), strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.freeze_panes = "A2"
