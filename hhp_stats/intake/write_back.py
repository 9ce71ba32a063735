"""What should the authority mend? A copy of its own workbook with the cells marked and the problems in words."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import range_boundaries

from hhp_stats.errors import Problem
from hhp_stats.intake.check import CheckReport
from hhp_stats.intake.container import Refused
from hhp_stats.intake.grid import CellError
from hhp_stats.intake.ods import read_ods
from hhp_stats.intake.text_file import read_csv_grid

PROBLEM_SHEET = "Problems"
_MARKED_CELLS = 5000
_FILLS = {
    "error": PatternFill("solid", start_color="FFF4B6B6", end_color="FFF4B6B6"),
    "warning": PatternFill("solid", start_color="FFFCE8B2", end_color="FFFCE8B2"),
    "note": PatternFill("solid", start_color="FFDCE6F5", end_color="FFDCE6F5"),
}
_WORDS = {"error": "must be corrected", "warning": "please check", "note": "for information"}
_ADDRESS = re.compile(
    r"^([A-Z]{1,3}\d{1,7})(?::([A-Z]{1,3}\d{1,7}))?(?=$|, )|(?<=, )(?:to )?([A-Z]{1,3}\d{1,7})(?=$|, )"
)
_CSV_ADDRESS = re.compile(r"row (\d+), column ([A-Z]{1,3})")


def write_back(report: CheckReport, directory: Path) -> list[Path]:
    """What should the authority mend?

    Writes into `directory`, for every return with problems, a copy of the workbook as it was received with the
    offending cells coloured and commented, and a sheet "Problems": row, column, what is wrong, what to do. CSV and
    .ods returns, and files that cannot be opened, become a workbook with that sheet. The files received are not
    touched; each copy appears only when it is whole. Returns the paths written.
    """
    directory = Path(directory)
    written = []
    for row in report.inputs.itertuples():
        problems = [problem for problem in report.problems if problem.file == row.path]
        if not problems:
            continue
        slug = re.sub(r"[^a-z0-9]+", "-", str(row.authority).casefold()).strip("-")
        target = directory / slug / f"{row.wave}-to-correct.xlsx"
        number = 2
        while target in written:
            target = directory / slug / f"{row.wave}-to-correct-{number}.xlsx"
            number += 1
        book, sheet = _copy(report.paths.get(str(row.path)), problems)
        if sheet is not None:
            _mark(sheet, problems)
        _list(book, problems)
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(target.name + ".partial")
        book.save(partial)
        partial.replace(target)
        written.append(target)
    return written


def _copy(path: Path | None, problems: list[Problem]) -> tuple[Any, Any]:
    """The workbook as received and the sheet that was read, or a new workbook where it cannot be opened."""
    unreadable = path is None or not path.is_file() or any(problem.code == "F01" for problem in problems)
    if path is not None and not unreadable:
        if path.suffix.casefold() == ".xlsx":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # drop-downs of newer kinds are lost in the copy; that is harmless
                book: Any = openpyxl.load_workbook(path, keep_links=False)
            named = next((problem.sheet for problem in problems if problem.sheet in book.sheetnames), None)
            return book, book[named] if named else None
        return _from_grid(path)
    book = openpyxl.Workbook()
    book.remove(book.active)
    return book, None


def _from_grid(path: Path) -> tuple[Any, Any]:
    book: Any = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Return"
    try:
        grid = read_csv_grid(path) if path.suffix.casefold() == ".csv" else read_ods(path)
    except Refused:
        book.remove(sheet)
        return book, None
    for number, cells in grid.rows.items():
        for column, value in cells.items():
            _write(sheet, number, column, value.text if isinstance(value, CellError) else value)
    return book, sheet


def _write(sheet: Any, row: int, column: int, value: Any) -> Any:
    """Writes a value that no program will take for a formula, whatever it begins with."""
    cell = sheet.cell(row=row, column=column)
    if isinstance(value, str):
        cell.value = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", "", value)
        cell.data_type = "s"
        if value[:1] in ("=", "+", "-", "@"):
            cell.quotePrefix = True
    else:
        cell.value = value
    return cell


def _cells_of(problem: Problem, limit: int) -> Iterable[str]:
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


def _mark(sheet: Any, problems: list[Problem]) -> None:
    texts: dict[str, list[Problem]] = {}
    for problem in problems:
        for address in _cells_of(problem, _MARKED_CELLS):
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
    if PROBLEM_SHEET in book.sheetnames:
        book[PROBLEM_SHEET].title = f"{PROBLEM_SHEET} (earlier)"
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
