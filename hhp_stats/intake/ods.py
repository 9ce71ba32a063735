"""What stands in the cells of an OpenDocument spreadsheet (.ods)? Stored values only, nothing evaluated."""

from __future__ import annotations

import math
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from hhp_stats.intake.container import Refused, check_container
from hhp_stats.intake.grid import MAX_COLUMNS, MAX_ROWS, CellError, Grid

_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_ENCRYPTED = b"encryption-data"
_SAVE_AGAIN = "Open it in a spreadsheet program, save it as .xlsx and send it again."


def read_ods(path: Path, *, sheet: str = "Return") -> Grid:
    """The cells of one sheet: the one called `sheet`, else the first visible one.

    Repeated rows and columns are spread out where they hold values. Refuses (`Refused`) like `read_xlsx`.
    """
    check_container(path)
    try:
        with zipfile.ZipFile(path) as archive:
            if _ENCRYPTED in archive.read("META-INF/manifest.xml"):
                raise Refused("A workbook must not be password-protected.", _SAVE_AGAIN)
            with archive.open("content.xml") as stream:
                root = ElementTree.parse(stream).getroot()
        tables = list(root.iter(f"{_TABLE}table"))
        if not tables:
            raise Refused("A workbook must hold a worksheet.", _SAVE_AGAIN)
        hidden_styles = _hidden_styles(root)
        return _grid(tables, hidden_styles, sheet)
    except Refused:
        raise
    except Exception as error:  # a damaged file; parser messages may quote cells, so only the kind is kept
        raise Refused("A workbook must be whole and readable.", _SAVE_AGAIN, type(error).__name__) from None


def _hidden_styles(root: ElementTree.Element) -> frozenset[str]:
    return frozenset(
        style.get(f"{_STYLE}name", "")
        for style in root.iter(f"{_STYLE}style")
        for properties in style.iter(f"{_STYLE}table-properties")
        if properties.get(f"{_TABLE}display") == "false"
    )


def _grid(tables: list[ElementTree.Element], hidden_styles: frozenset[str], wanted: str) -> Grid:
    def hidden(table: ElementTree.Element) -> bool:
        return table.get(f"{_TABLE}style-name", "") in hidden_styles

    def title(table: ElementTree.Element) -> str:
        return table.get(f"{_TABLE}name", "")

    named = [table for table in tables if title(table).strip().casefold() == wanted.casefold()]
    visible = [table for table in tables if not hidden(table)]
    chosen = (named or visible or tables)[0]
    grid = Grid(
        sheet=title(chosen),
        rows={},
        hidden=hidden(chosen),
        other_sheets=["hidden" if hidden(table) else "visible" for table in tables if table is not chosen],
    )
    column = 1
    for each in chosen.iter(f"{_TABLE}table-column"):
        wide = int(each.get(f"{_TABLE}number-columns-repeated", "1"))
        if each.get(f"{_TABLE}visibility") in ("collapse", "filter"):
            grid.hidden_columns.extend(range(column, min(column + wide, MAX_COLUMNS + 1)))
        column += wide
    number = 1
    for row in chosen.iter(f"{_TABLE}table-row"):
        repeat = int(row.get(f"{_TABLE}number-rows-repeated", "1"))
        _add_row(grid, row, number, repeat)
        number += repeat
    return grid


def _add_row(grid: Grid, row: ElementTree.Element, number: int, repeat: int) -> None:
    cells: dict[int, Any] = {}
    formulas: set[int] = set()
    column = 1
    for cell in row:
        if cell.tag not in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
            continue
        wide = int(cell.get(f"{_TABLE}number-columns-repeated", "1"))
        value = _value(cell)
        if value is not None:
            if column + wide - 1 > MAX_COLUMNS:
                raise Refused(f"A sheet may use at most {MAX_COLUMNS} columns.", "Remove columns that are no data.")
            for each in range(column, column + wide):
                cells[each] = value
                if cell.get(f"{_TABLE}formula") is not None:
                    formulas.add(each)
        down, right = (int(cell.get(f"{_TABLE}number-{each}-spanned", "1")) for each in ("rows", "columns"))
        if down > 1 or right > 1:
            grid.merged.append(f"row {number}, column {column}")
        column += wide
    if row.get(f"{_TABLE}visibility") in ("collapse", "filter") and cells:
        grid.hidden_rows.extend(range(number, number + repeat))
    if cells:
        if len(grid.rows) + repeat > MAX_ROWS:
            raise Refused(f"A sheet may hold at most {MAX_ROWS} rows.", "Remove rows that are no data.")
        for each in range(number, number + repeat):
            grid.rows[each] = dict(cells)
            grid.formulas.update((each, column) for column in formulas)


def _value(cell: ElementTree.Element) -> Any:
    kind = cell.get(f"{_OFFICE}value-type")
    shown = "\n".join("".join(part.itertext()) for part in cell.findall(f"{_TEXT}p"))
    if kind is None:
        return shown or None
    if kind in ("float", "percentage", "currency"):
        number = float(cell.get(f"{_OFFICE}value", "nan"))
        if not math.isfinite(number):
            return CellError("a number without a value")
        return int(number) if number.is_integer() and abs(number) < 2**53 else number
    if kind == "date":
        return datetime.fromisoformat(cell.get(f"{_OFFICE}date-value", "")).replace(tzinfo=None)
    if kind == "boolean":
        return cell.get(f"{_OFFICE}boolean-value") == "true"
    if kind == "time":
        return CellError("a time of day or a duration")
    if shown.startswith("#") and shown.rstrip("!?").isupper():
        return CellError(shown)
    return shown or None
