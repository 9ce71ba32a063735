"""What stands in the cells of an .xlsx workbook? One fast pass over the sheet, nothing evaluated.

openpyxl reads the workbook's parts (sheets, shared texts, number formats). The sheet itself is streamed through
expat, because openpyxl's read-only mode does not say, in one pass, which values are results of formulas, which
formulas lack a stored result and which rows are hidden, and needs more than twice the time for 100,000 rows.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from xml.parsers import expat

from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.utils.datetime import from_excel, from_ISO8601
from openpyxl.xml.constants import SHARED_STRINGS

from hhp_stats.intake.container import Refused, check_container
from hhp_stats.intake.grid import MAX_COLUMNS, MAX_ROWS, NO_STORED_VALUE, CellError, Grid, column_number

MAX_TEXTS = 2_000_000  # different texts of a workbook; the largest return has some hundred thousand cells
LAST_ROW = 1_048_576  # of a sheet in the format itself, rows without a cell included
_SAVE_AGAIN = "Open it in a spreadsheet program, save it as .xlsx and send it again."


def read_xlsx(path: Path, *, sheet: str = "Return") -> Grid:
    """The cells of one sheet of a workbook.

    The sheet called `sheet` is taken, else the only visible one that is not empty, else the first visible one.
    Results of formulas are the values stored by the program that saved the file. Refuses (`Refused`) what
    `check_container` refuses, files without a worksheet and files that cannot be parsed.
    """
    contents = check_container(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of drop-downs and styles it will not keep
            grid = _read(path, sheet)
    except Refused:
        raise
    except Exception as error:
        # Whatever a damaged file provokes in the parsers; their messages may quote cells, so only the kind is kept.
        raise Refused("A workbook must be whole and readable.", _SAVE_AGAIN, type(error).__name__) from None
    grid.external_links = contents.external_links
    return grid


class _Part(NamedTuple):
    """A worksheet as the workbook lists it."""

    title: str
    visible: bool
    target: str


def _read(path: Path, wanted: str) -> Grid:
    # openpyxl's reader without its last step: in read-only mode that would stream every sheet once in vain, only
    # to learn its size. tests/unit/intake/test_intake_xlsx.py compares the outcome with openpyxl's own.
    reader: Any = ExcelReader(path, read_only=True, data_only=True, keep_links=False)
    with reader.archive as archive:
        reader.read_manifest()
        shared = _shared_texts(archive, reader)
        reader.read_workbook()
        apply_stylesheet(archive, reader.wb)
        parts = [
            _Part(sheet.name, sheet.state == "visible", relation.target)
            for sheet, relation in reader.parser.find_sheets()
            if relation.target in reader.valid_files and "chartsheet" not in relation.Type
        ]
        if not parts:
            raise Refused("A workbook must hold a worksheet.", _SAVE_AGAIN)
        chosen = _choose(parts, wanted)
        book = reader.wb
        convert = _converter(shared, book._date_formats, book._timedelta_formats, book.epoch)
        with archive.open(chosen.target) as stream:
            found = _parse_sheet(stream, convert)
    return Grid(
        sheet=chosen.title,
        rows=found.rows,
        formulas=found.formulas,
        merged=found.merged,
        hidden_rows=found.hidden_rows,
        hidden_columns=sorted(found.hidden_columns),
        other_sheets=["visible" if part.visible else "hidden" for part in parts if part is not chosen],
        hidden=not chosen.visible,
    )


def _choose(parts: list[_Part], wanted: str) -> _Part:
    named = [part for part in parts if part.title.strip().casefold() == wanted.casefold()]
    visible = [part for part in parts if part.visible]
    return (named or visible or parts)[0]


@dataclass(slots=True)
class _Sheet:
    """What one pass over a worksheet part collects."""

    rows: dict[int, dict[int, Any]]
    formulas: set[tuple[int, int]]
    merged: list[str]
    hidden_rows: list[int]
    hidden_columns: set[int]


def _parse_sheet(stream: Any, convert: Callable[[str, str, int], Any]) -> _Sheet:
    """Streams a worksheet part; `convert(kind, text, style)` makes a value of a cell's stored text.

    Handlers are closures over local variables: for 1.5 million cells attribute look-ups would double the time.
    """
    sheet = _Sheet({}, set(), [], [], set())
    rows, formulas = sheet.rows, sheet.formulas
    columns: dict[str, int] = {}
    text: list[str] = []
    inline: list[str] = []
    cells: dict[int, Any] = {}
    row = column = style = seen = 0
    kind, stored = "n", ""
    has_formula = phonetic = False

    def start_cell(attributes: dict[str, str]) -> None:
        nonlocal column, kind, style, stored, has_formula
        reference = attributes.get("r")
        if reference:
            letters = reference.rstrip("0123456789")
            column = columns.get(letters) or columns.setdefault(letters, column_number(letters.upper()))
        else:
            column += 1
        kind = attributes.get("t", "n")
        style = int(attributes.get("s", 0))
        stored, has_formula = "", False

    def end_cell() -> None:
        nonlocal stored
        if kind == "inlineStr":
            stored = "".join(inline)
            inline.clear()
        value = convert(kind, stored, style) if stored else None
        if has_formula:
            formulas.add((row, column))
            value = NO_STORED_VALUE if value is None else value
        if value is not None:
            if not 0 < column <= MAX_COLUMNS:
                raise Refused(f"A sheet may use at most {MAX_COLUMNS} columns.", "Remove columns that are no data.")
            cells[column] = value

    def start_row(attributes: dict[str, str]) -> None:
        nonlocal row, column, cells, seen
        seen += 1
        if seen > LAST_ROW:
            raise Refused(f"A sheet may hold at most {LAST_ROW} rows, empty ones included.", _SAVE_AGAIN)
        row = int(attributes["r"]) if "r" in attributes else row + 1
        column, cells = 0, {}
        if attributes.get("hidden") in ("1", "true"):
            sheet.hidden_rows.append(row)

    def end_row() -> None:
        if cells:
            if len(rows) >= MAX_ROWS:
                raise Refused(f"A sheet may hold at most {MAX_ROWS} rows.", "Remove rows that are no data.")
            if row in rows:
                raise Refused("A sheet must hold each row once.", _SAVE_AGAIN)
            rows[row] = cells

    def start_text(_: dict[str, str]) -> None:
        text.clear()

    def end_value() -> None:
        nonlocal stored
        stored = "".join(text)

    def end_inline() -> None:
        if not phonetic:
            inline.append("".join(text))

    def start_formula(_: dict[str, str]) -> None:
        nonlocal has_formula
        has_formula = True

    def reading_aid(on: bool) -> Callable[..., None]:
        def switch(*_: Any) -> None:
            nonlocal phonetic
            phonetic = on

        return switch

    def merged(attributes: dict[str, str]) -> None:
        sheet.merged.append(attributes.get("ref", ""))

    def hidden_column(attributes: dict[str, str]) -> None:
        if attributes.get("hidden") in ("1", "true"):
            last = min(int(attributes["max"]), MAX_COLUMNS)
            sheet.hidden_columns.update(range(int(attributes["min"]), last + 1))

    starts: dict[str, Callable[[dict[str, str]], None]] = {
        "c": start_cell, "v": start_text, "t": start_text, "f": start_formula, "row": start_row,
        "rPh": reading_aid(True), "mergeCell": merged, "col": hidden_column,
    }  # fmt: skip
    ends: dict[str, Callable[[], None]] = {
        "c": end_cell, "v": end_value, "t": end_inline, "row": end_row, "rPh": reading_aid(False),
    }  # fmt: skip

    _stream(stream, starts, ends, text)
    return sheet


def _shared_texts(archive: Any, reader: Any) -> list[str]:
    """The workbook's shared texts in their order, without reading aids.

    openpyxl makes an object of each and takes twenty times as long: a small file of millions of empty ones stalls it.
    """
    part = reader.package.find(SHARED_STRINGS)
    if part is None:
        return []
    texts: list[str] = []
    text: list[str] = []
    pieces: list[str] = []
    phonetic = False

    def start_text(_: dict[str, str]) -> None:
        text.clear()

    def end_text() -> None:
        if not phonetic:
            pieces.append("".join(text))

    def reading_aid(on: bool) -> Callable[..., None]:
        def switch(*_: Any) -> None:
            nonlocal phonetic
            phonetic = on

        return switch

    def end_item() -> None:
        if len(texts) >= MAX_TEXTS:
            raise Refused(
                f"A workbook may hold at most {MAX_TEXTS} texts.", "Copy the table alone into a new workbook."
            )
        texts.append("".join(pieces).replace("x005F_", ""))  # the format's mark of an underscore, as openpyxl reads it
        pieces.clear()

    with archive.open(part.PartName[1:]) as stream:
        _stream(stream, {"t": start_text, "rPh": reading_aid(True)},
                {"t": end_text, "rPh": reading_aid(False), "si": end_item}, text)  # fmt: skip
    return texts


def _stream(
    stream: Any,
    starts: dict[str, Callable[[dict[str, str]], None]],
    ends: dict[str, Callable[[], None]],
    text: list[str],
) -> None:
    """One pass of expat over a part: handlers by tag, character data appended to `text`."""

    def start(tag: str, attributes: dict[str, str]) -> None:
        handler = starts.get(tag)
        if handler is not None:
            handler(attributes)

    def end(tag: str) -> None:
        handler = ends.get(tag)
        if handler is not None:
            handler()

    def first(tag: str, attributes: dict[str, str]) -> None:
        # Some programs write every tag with a prefix, such as x:worksheet.
        prefix, colon, _ = tag.rpartition(":")
        if colon:
            starts.update({f"{prefix}:{name}": handler for name, handler in starts.items()})
            ends.update({f"{prefix}:{name}": handler for name, handler in ends.items()})
        parser.StartElementHandler = start

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = first
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text.append
    parser.StartDoctypeDeclHandler = _no_doctype
    parser.ParseFile(stream)


def _converter(shared: list[str], dates: set[int], durations: set[int], epoch: datetime) -> Callable[..., Any]:
    """Makes a value of the stored text of a cell: kind and style say what the text is."""
    days: dict[tuple[str, bool], Any] = {}

    def day(stored: str, style: int) -> Any:
        key = (stored, style in durations)
        if key not in days:
            try:
                moment = from_excel(float(stored), epoch, timedelta=key[1])
            except (OverflowError, ValueError):
                moment = None
            days[key] = _as_datetime(moment)
        return days[key]

    def convert(kind: str, stored: str, style: int) -> Any:
        if kind == "s":
            return shared[int(stored)] or None
        if kind == "n":
            if style in dates:
                return day(stored, style)
            return float(stored) if ("." in stored or "e" in stored or "E" in stored) else int(stored)
        if kind == "b":
            return stored in ("1", "true")
        if kind == "e":
            return CellError(stored)
        if kind == "d":
            return _as_datetime(from_ISO8601(stored))
        return stored

    return convert


def _as_datetime(moment: Any) -> Any:
    if isinstance(moment, datetime):
        return moment
    if isinstance(moment, date):
        return datetime(moment.year, moment.month, moment.day)
    if isinstance(moment, time | timedelta):
        return CellError("a time of day or a duration")  # a number cell formatted as hours: its meaning is lost
    return CellError("a date outside the calendar")


def _no_doctype(*_: Any) -> None:
    raise Refused("A workbook must not declare document types or entities.", _SAVE_AGAIN)
