"""What stands in the cells of an OpenDocument spreadsheet (.ods)? Stored values only, nothing evaluated."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

from hhp_stats.intake.container import Refused, check_container
from hhp_stats.intake.grid import HEAD_ROWS, MAX_CELLS, MAX_COLUMNS, MAX_ROWS, OWN_COMMENTS, CellError, Grid
from hhp_stats.intake.xlsx import choose

_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_FO = "{urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0}"
WHITE = "#ffffff"
_CREATOR = "{http://purl.org/dc/elements/1.1/}creator"
_ENCRYPTED = b"encryption-data"
_SAVE_AGAIN = "Open it in a spreadsheet program, save it as .xlsx and send it again."


def read_ods(path: Path, *, sheet: str = "Return", holds_table: Callable[[Grid], bool] | None = None) -> Grid:
    """The cells of one sheet, chosen as `read_xlsx` does.

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
        return _chosen(tables, _styles(root), sheet, holds_table, from_1904=_from_1904(root))
    except Refused:
        raise
    except Exception as error:  # a damaged file; parser messages may quote cells, so only the kind is kept
        raise Refused(
            "A workbook must be whole and readable.", _SAVE_AGAIN, f"a damaged file ({type(error).__name__})"
        ) from None


def _from_1904(root: ElementTree.Element) -> bool:
    return any(each.get(f"{_TABLE}date-value") == "1904-01-01" for each in root.iter(f"{_TABLE}null-date"))


class _Styles(NamedTuple):
    """The names of styles that change what is seen: sheets that are hidden, texts struck through, raised or lowered,
    white on white.
    """

    hidden: frozenset[str]
    struck: frozenset[str]
    raised: frozenset[str]
    white: frozenset[str]


def _styles(root: ElementTree.Element) -> _Styles:
    struck, raised, white = set(), set(), set()
    for style in root.iter(f"{_STYLE}style"):
        for properties in style.iter(f"{_STYLE}text-properties"):
            if properties.get(f"{_STYLE}text-line-through-style", "none") != "none":
                struck.add(style.get(f"{_STYLE}name", ""))
            position = properties.get(f"{_STYLE}text-position", "0%").split()[0]
            if position not in ("0%", "0"):
                raised.add(style.get(f"{_STYLE}name", ""))
            if properties.get(f"{_FO}color", "").casefold() == WHITE and not _on_colour(style):
                white.add(style.get(f"{_STYLE}name", ""))
    return _Styles(_hidden_styles(root), frozenset(struck), frozenset(raised), frozenset(white))


def _on_colour(style: ElementTree.Element) -> bool:
    """Whether the cells of a style have a ground of their own that is not white."""
    grounds = {each.get(f"{_FO}background-color", WHITE) for each in style.iter(f"{_STYLE}table-cell-properties")}
    return bool(grounds - {WHITE, "transparent"})


def _hidden_styles(root: ElementTree.Element) -> frozenset[str]:
    return frozenset(
        style.get(f"{_STYLE}name", "")
        for style in root.iter(f"{_STYLE}style")
        for properties in style.iter(f"{_STYLE}table-properties")
        if properties.get(f"{_TABLE}display") == "false"
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """A sheet of the workbook."""

    title: str
    visible: bool
    table: ElementTree.Element


def _chosen(
    tables: list[ElementTree.Element],
    styles: _Styles,
    wanted: str,
    holds_table: Callable[[Grid], bool] | None,
    *,
    from_1904: bool,
) -> Grid:
    parts = [
        _Part(table.get(f"{_TABLE}name", ""), table.get(f"{_TABLE}style-name", "") not in styles.hidden, table)
        for table in tables
    ]
    found = []
    if holds_table is not None and len(parts) > 1:
        found = [part for part in parts if holds_table(_grid(part, styles, last=HEAD_ROWS))]
    part = choose(parts, found, wanted)
    grid = _grid(part, styles)
    grid.other_sheets = ["visible" if other.visible else "hidden" for other in parts if other is not part]
    grid.other_tables = ["visible" if other.visible else "hidden" for other in found if other is not part]
    grid.from_1904 = from_1904
    return grid


def _grid(part: _Part, styles: _Styles, *, last: int | None = None) -> Grid:
    grid = Grid(sheet=part.title, rows={}, hidden=not part.visible)
    column = 1
    for each in part.table.iter(f"{_TABLE}table-column"):
        wide = int(each.get(f"{_TABLE}number-columns-repeated", "1"))
        if each.get(f"{_TABLE}visibility") in ("collapse", "filter"):
            grid.hidden_columns.extend(range(column, min(column + wide, MAX_COLUMNS + 1)))
        column += wide
    number = 1
    for row in part.table.iter(f"{_TABLE}table-row"):
        if last is not None and number > last:
            break
        repeat = int(row.get(f"{_TABLE}number-rows-repeated", "1"))
        _add_row(grid, row, number, repeat, styles)
        number += repeat
    return grid


def _add_row(grid: Grid, row: ElementTree.Element, number: int, repeat: int, styles: _Styles) -> None:
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
            _note(grid, cell, (number, column), value, styles)
        down, right = (int(cell.get(f"{_TABLE}number-{each}-spanned", "1")) for each in ("rows", "columns"))
        if down > 1 or right > 1:
            grid.merged.append(f"row {number}, column {column}")
        column += wide
    if row.get(f"{_TABLE}visibility") in ("collapse", "filter") and cells:
        grid.hidden_rows.extend(range(number, number + repeat))
    if cells:
        grid.cells += repeat * len(cells)
        if len(grid.rows) + repeat > MAX_ROWS or grid.cells > MAX_CELLS:
            raise Refused(
                f"A sheet may hold at most {MAX_ROWS} rows and {MAX_CELLS} cells.", "Remove rows that are no data."
            )
        for each in range(number, number + repeat):
            grid.rows[each] = dict(cells)
            grid.formulas.update((each, column) for column in formulas)


def _note(grid: Grid, cell: ElementTree.Element, at: tuple[int, int], value: Any, styles: _Styles) -> None:
    """What the eye sees of a cell beside its value."""
    kind, style = cell.get(f"{_OFFICE}value-type"), cell.get(f"{_TABLE}style-name", "")
    if kind == "percentage":
        grid.formats[at] = "0%"
    elif kind == "currency":
        code = cell.get(f"{_OFFICE}currency", "")
        grid.formats[at] = "[$£]0" if code in ("GBP", "") else "[$€]0"
    if style in styles.struck:
        grid.struck.add(at)
    if style in styles.white:
        grid.white.add(at)
    spans = (
        span.get(f"{_TEXT}style-name", "") for part in cell.findall(f"{_TEXT}p") for span in part.iter(f"{_TEXT}span")
    )
    if style in styles.raised or any(name in styles.raised or name in styles.struck for name in spans):
        grid.mixed.add(at)
    for note in cell.findall(f"{_OFFICE}annotation"):
        if note.findtext(_CREATOR, "") not in OWN_COMMENTS:
            grid.comments.append(at)


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
