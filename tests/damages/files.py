"""One damage to a file of a study: its table through `tables.py`, its workbook, or its text and bytes (`texts.py`)."""

from __future__ import annotations

import csv
import hashlib
import io
import random
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import formats
import openpyxl
from grid import Table
from openpyxl.comments import Comment
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from tables import EVERY
from texts import BYTES, LINES, QUESTIONS, TEXTS

FIRST_HEADING = "Unique Staff ID"
BOOK_SUFFIXES = (".xlsx", ".xlsm")


def _heads(sheet: Any) -> int:
    """The row of the headings: of a return the one that begins with its first heading, of a plain table the first."""
    return next((row for row in range(1, 30) if sheet.cell(row, 1).value == FIRST_HEADING), 1)


def _somewhere(sheet: Any, rng: random.Random) -> int:
    return rng.randrange(_heads(sheet) + 1, sheet.max_row)


def _cell(sheet: Any, rng: random.Random) -> Any:
    heads = [cell for cell in sheet[_heads(sheet)] if cell.value]
    return sheet.cell(_somewhere(sheet, rng), rng.choice(heads).column)


def _column(sheet: Any, rng: random.Random) -> list[Any]:
    first = _heads(sheet)
    at = rng.choice([cell for cell in sheet[first] if cell.value]).column
    return [sheet.cell(row, at) for row in range(first + 1, sheet.max_row + 1)]


def _formatted(code: str, *, whole: bool) -> Callable[[Any, random.Random], None]:
    def damage(book: Any, rng: random.Random) -> None:
        for cell in _column(book.active, rng) if whole else [_cell(book.active, rng)]:
            cell.number_format = code

    return damage


def _struck(book: Any, rng: random.Random) -> None:
    for cell in book.active[_somewhere(book.active, rng)]:
        cell.font = Font(strike=True)


def _remarked(book: Any, rng: random.Random) -> None:
    _cell(book.active, rng).comment = Comment("do not use", "HR")


def _merged(book: Any, rng: random.Random) -> None:
    cell = _cell(book.active, rng)
    book.active.merge_cells(start_row=cell.row, end_row=cell.row + 3, start_column=cell.column, end_column=cell.column)


def _merged_headings(book: Any, rng: random.Random) -> None:
    first = _heads(book.active)
    at = rng.choice([cell for cell in book.active[first][:-1] if cell.value]).column
    book.active.merge_cells(start_row=first, end_row=first, start_column=at, end_column=at + 1)


def _hidden_rows(book: Any, rng: random.Random) -> None:
    for row in range(12, 20):
        book.active.row_dimensions[row].hidden = True


def _second(state: str) -> Callable[[Any, random.Random], None]:
    def damage(book: Any, rng: random.Random) -> None:
        other = book.copy_worksheet(book.active)
        other.title = rng.choice(("Return (corrected)", "Sheet2", "old"))
        _cell(other, rng).value = 3
        other.sheet_state = state

    return damage


def _value(*values: Any) -> Callable[[Any, random.Random], None]:
    def damage(book: Any, rng: random.Random) -> None:
        _cell(book.active, rng).value = rng.choice(values)

    return damage


def _from_1904(book: Any, rng: random.Random) -> None:
    book.epoch = CALENDAR_MAC_1904
    for row in book.active.iter_rows(min_row=_heads(book.active) + 1):
        for cell in row:
            if isinstance(cell.value, datetime):
                cell.value, cell.number_format = (cell.value - datetime(1904, 1, 1)).days, "General"


def _rows_above(book: Any, rng: random.Random) -> None:
    book.active.insert_rows(1, rng.choice((1, 3, 20)))


def _renamed(book: Any, rng: random.Random) -> None:
    book.active.title = rng.choice(("Data", "Sheet1", "2019"))
    book.create_sheet("Return", 0)["A1"] = "see the other sheet"


BOOKS: dict[str, Callable[[Any, random.Random], None]] = {
    "a cell shown as a percentage": _formatted("0.0%", whole=False),
    "a column shown as percentages": _formatted("0.0%", whole=True),
    "a column shown in thousands": _formatted("#,##0,", whole=True),
    "a column shown as dates": _formatted("dd/mm/yyyy", whole=True),
    "a column shown as times": _formatted("hh:mm", whole=True),
    "a column hidden by its format": _formatted(";;;", whole=True),
    "a row struck through": _struck,
    "a comment": _remarked,
    "merged cells": _merged,
    "merged headings": _merged_headings,
    "hidden rows": _hidden_rows,
    "a second table": _second("visible"),
    "a hidden table": _second("hidden"),
    "a formula without a result": _value("=1+1", "=NA()"),
    "an error value": _value("#N/A", "#REF!"),
    "a true cell": _value(True, False),
    "a date in a cell": _value(datetime(2019, 5, 3)),
    "a time in a cell": _value(datetime(2019, 5, 3, 14, 30)),
    "a calendar from 1904": _from_1904,
    "rows above": _rows_above,
    "a sheet of another name": _renamed,
}


def read_rows(path: Path) -> list[list[Any]]:
    """The rows of a CSV file or of the only sheet of a workbook."""
    if path.suffix in BOOK_SUFFIXES:
        return [list(row) for row in openpyxl.load_workbook(path).active.iter_rows(values_only=True)]
    if path.suffix == ".ods":
        return formats.read_ods(path)
    if path.suffix == ".sav":
        names, _, body = formats.read_sav(path)
        return [list(names), *body]
    return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))


def table_of(path: Path) -> Table:
    """The table of a return, a survey export or a list."""
    rows = read_rows(path)
    if "returns" in path.parts:
        heads = next(at for at, row in enumerate(rows) if row and row[0] == FIRST_HEADING)
        return Table(rows, heads, heads + 1, {str(name): at for at, name in enumerate(rows[heads]) if name})
    spss = path.suffix == ".sav"
    export = not spss and len(rows) > 2 and any("ImportId" in str(cell) for cell in rows[2])
    skipped = (
        ("ResponseId", "RecipientLastName", "RecipientFirstName", "RecipientEmail", "Release", "release")
        if export or spss
        else ("release",)
    )
    fields = {name: at for at, name in enumerate(rows[0]) if name not in skipped}
    return Table(rows, 0, 3 if export else 1, fields)


def write_rows(path: Path, rows: list[list[Any]]) -> None:
    """Writes rows as a CSV file, or into a workbook."""
    if path.suffix in BOOK_SUFFIXES:
        book = openpyxl.load_workbook(path)
        sheet = book.active
        for row in sheet.iter_rows():
            for each in row:
                each.value = None
        for number, row in enumerate(rows, start=1):
            for at, value in enumerate(row, start=1):
                if value not in (None, ""):
                    sheet.cell(number, at, value)
        book.save(path)
        return
    if path.suffix == ".ods":
        formats.write_ods(path, rows)
    elif path.suffix == ".sav":
        names = ["" if name is None else str(name) for name in rows[0]]
        asked = dict(zip(*formats.read_sav(path)[:2], strict=True))
        formats.write_sav(path, names, [asked.get(name, "") for name in names], rows[1:])
    else:
        formats.write_csv(path, rows)


def names_of(path: Path) -> list[tuple[str, str]]:
    """The damages that a file can have: kind and name."""
    found = [("bytes", name) for name in BYTES]
    if path.suffix == ".toml":
        return [*found, *(("lines", name) for name in LINES)]
    if path.suffix == ".qsf":
        return [*found, *(("questions", name) for name in QUESTIONS)]
    found += [("table", name) for name in EVERY]
    if path.suffix == ".csv":
        found += [("text", name) for name in TEXTS]
    elif path.suffix in BOOK_SUFFIXES:
        found += [*(("book", name) for name in BOOKS), ("zip", "macros in it")]
    return [*found, ("format", "saved as .xls")]


@dataclass(frozen=True, slots=True)
class Damaged:
    """The columns concerned, by heading and by letter; none where the damage is to the file as a whole."""

    columns: str = ""
    letters: tuple[str, ...] = ()


def damage(path: Path, kind: str, name: str, rng: random.Random) -> Damaged:
    """Damages the file and says which columns are concerned."""
    if kind == "bytes":
        path.write_bytes(BYTES[name](path.read_bytes(), rng))
    elif kind == "text":
        path.write_bytes(TEXTS[name](path.read_text(encoding="utf-8-sig")))
    elif kind == "lines":
        changed = LINES[name](path.read_text(encoding="utf-8").splitlines(), rng)
        path.write_text("\n".join(changed) + "\n", encoding="utf-8")
    elif kind == "questions":
        path.write_text(QUESTIONS[name](path.read_text(encoding="utf-8"), rng), encoding="utf-8")
    elif kind == "format":
        path.with_suffix(".xls").write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + path.read_bytes())
        path.unlink()
    elif kind == "zip":
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("xl/vbaProject.bin", b"macro")
    elif kind == "book":
        book = openpyxl.load_workbook(path)
        BOOKS[name](book, rng)
        book.save(path)
    else:
        table = table_of(path)
        fields = dict(table.fields)
        about = EVERY[name](table, rng)
        write_rows(path, table.rows)
        return Damaged(about, tuple(get_column_letter(fields[each] + 1) for each in about.split("|") if each in fields))
    return Damaged()


def digest(path: Path) -> str:
    """The same for two damages that made the same file of it; the moment of saving does not count."""
    if not path.exists():
        return "gone"
    raw = path.read_bytes()
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            parts = [(item.filename, item.CRC) for item in archive.infolist() if item.filename != "docProps/core.xml"]
        raw = repr(sorted(parts)).encode()
    return hashlib.sha256(raw).hexdigest()[:16]
