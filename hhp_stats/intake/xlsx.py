"""What stands in the cells of an .xlsx workbook? One fast pass over the sheet, nothing evaluated.

openpyxl reads the workbook's parts (sheets, shared texts, number formats). The sheet itself is streamed through
expat, because openpyxl's read-only mode does not say, in one pass, which values are results of formulas, which
formulas lack a stored result and which rows are hidden, and needs more than twice the time for 100,000 rows.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.utils.datetime import CALENDAR_MAC_1904, from_excel, from_ISO8601

from hhp_stats.intake.container import Refused, check_container
from hhp_stats.intake.grid import (
    HEAD_ROWS,
    MAX_CELLS,
    MAX_COLUMNS,
    MAX_MERGED,
    MAX_ROWS,
    NO_STORED_VALUE,
    CellError,
    Grid,
    column_number,
)
from hhp_stats.intake.xlsx_stream import SAVE_AGAIN, stream_part
from hhp_stats.intake.xlsx_styles import Styles, comments_of, styles_of
from hhp_stats.intake.xlsx_texts import Runs, shared_texts

LAST_ROW = 1_048_576  # of a sheet in the format itself, rows without a cell included


_STRICT = b"http://purl.oclc.org/ooxml/"  # the namespaces of another form of the same format


def read_xlsx(path: Path, *, sheet: str = "Return", holds_table: Callable[[Grid], bool] | None = None) -> Grid:
    """The cells of one sheet of a workbook.

    Of the sheets whose first rows `holds_table` recognises, the visible ones come first, and among equals the one
    called `sheet`; without such a sheet the one called `sheet` is taken, else the first visible one. Results of
    formulas are the values stored by the program that saved the file. What the eye sees beside the values (number
    formats, cells struck through, raised signs, comments) is kept by address. Refuses (`Refused`) what
    `check_container` refuses, files without a worksheet and files that cannot be parsed.
    """
    contents = check_container(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of drop-downs and styles it will not keep
            grid = _read(path, sheet, holds_table)
    except Refused:
        raise
    except Exception as error:
        # Whatever a damaged file provokes in the parsers; their messages may quote cells, so only the kind is kept.
        raise Refused(
            "A workbook must be whole and readable.", SAVE_AGAIN, f"a damaged file ({type(error).__name__})"
        ) from None
    grid.external_links = contents.external_links
    return grid


class _Part(NamedTuple):
    """A worksheet as the workbook lists it."""

    title: str
    visible: bool
    target: str


def _read(path: Path, wanted: str, holds_table: Callable[[Grid], bool] | None) -> Grid:
    # openpyxl's reader without its last step: in read-only mode that would stream every sheet once in vain, only
    # to learn its size. tests/unit/intake/test_intake_xlsx.py compares the outcome with openpyxl's own.
    reader: Any = ExcelReader(path, read_only=True, data_only=True, keep_links=False)
    with reader.archive as archive:
        reader.read_manifest()
        shared = shared_texts(archive, reader)
        reader.read_workbook()
        apply_stylesheet(archive, reader.wb)
        parts = [
            _Part(sheet.name, sheet.state == "visible", relation.target)
            for sheet, relation in reader.parser.find_sheets()
            if relation.target in reader.valid_files and "chartsheet" not in relation.Type
        ]
        if not parts:
            if any(_STRICT in archive.read(name) for name in archive.namelist() if name.endswith("workbook.xml")):
                raise Refused(
                    "A workbook must not be in the form “Strict Open XML”.",
                    "Save it as “Excel workbook (.xlsx)”, not as “Strict Open XML Spreadsheet (.xlsx)”.",
                )
            raise Refused("A workbook must hold a worksheet.", SAVE_AGAIN)
        book = reader.wb
        dates, durations = book._date_formats, book._timedelta_formats
        convert = _converter(shared.texts, dates, durations, book.epoch)
        styles = styles_of(book)

        def parsed(part: _Part, last: int | None = None) -> _Sheet:
            with archive.open(part.target) as stream:
                return _parse_sheet(stream, convert, styles, shared.mixed, last=last)

        tables = _with_table(parts, parsed, holds_table)
        chosen = choose(parts, tables, wanted)
        found = parsed(chosen)
        comments = comments_of(archive, chosen.target)
    return Grid(
        sheet=chosen.title,
        rows=found.rows,
        formulas=found.formulas,
        merged=found.merged,
        hidden_rows=found.hidden_rows,
        hidden_columns=sorted(found.hidden_columns),
        other_sheets=["visible" if part.visible else "hidden" for part in parts if part is not chosen],
        other_tables=["visible" if part.visible else "hidden" for part in tables if part is not chosen],
        hidden=not chosen.visible,
        formats=found.formats,
        struck=found.struck,
        white=found.white,
        mixed=found.mixed,
        comments=comments,
        from_1904=book.epoch == CALENDAR_MAC_1904,
    )


def _with_table(
    parts: list[_Part], parsed: Callable[[_Part, int | None], _Sheet], holds_table: Callable[[Grid], bool] | None
) -> list[_Part]:
    """The sheets whose first rows hold a table; those of charts of numbers, notes and lists of options do not."""
    if holds_table is None or len(parts) == 1:
        return []
    return [part for part in parts if holds_table(Grid(sheet=part.title, rows=parsed(part, HEAD_ROWS).rows))]


class Part(Protocol):
    """A sheet by its title and whether it is shown."""

    @property
    def title(self) -> str:
        """The name on the tab."""

    @property
    def visible(self) -> bool:
        """Whether the tab is shown."""


AnyPart = TypeVar("AnyPart", bound=Part)


def choose(parts: list[AnyPart], tables: list[AnyPart], wanted: str) -> AnyPart:
    """The sheet to be read: a visible one with a table, else any with one, else by its name, else the first that is
    shown.
    """
    shown = [part for part in tables if part.visible] or tables
    named = [part for part in shown or parts if part.title.strip().casefold() == wanted.casefold()]
    return (named or shown or [part for part in parts if part.visible] or parts)[0]


@dataclass(slots=True)
class _Sheet:
    """What one pass over a worksheet part collects."""

    rows: dict[int, dict[int, Any]]
    formulas: set[tuple[int, int]]
    merged: list[str]
    hidden_rows: list[int]
    hidden_columns: set[int]
    formats: dict[tuple[int, int], str]
    struck: set[tuple[int, int]]
    white: set[tuple[int, int]]
    mixed: set[tuple[int, int]]


class _Enough(Exception):
    """The rows that were wanted have been read."""


def _parse_sheet(
    stream: Any, convert: Callable[[str, str, int], Any], styles: Styles, mixed: frozenset[int], *, last: int | None
) -> _Sheet:
    """Streams a worksheet part; `convert(kind, text, style)` makes a value of a cell's stored text.

    `mixed` are the shared texts of which a part is raised or struck through; rows below `last` are not read. Handlers
    are
    closures over local variables: for 1.5 million cells attribute look-ups would double the time.
    """
    sheet = _Sheet({}, set(), [], [], set(), {}, set(), set(), set())
    rows, formulas = sheet.rows, sheet.formulas
    special = styles.formats.keys() | styles.struck | styles.raised | styles.white
    runs = Runs()
    columns: dict[str, int] = {}
    text: list[str] = []
    inline: list[str] = []
    cells: dict[int, Any] = {}
    row = column = style = seen = held = 0
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
        if value is not None and (style in special or mixed or runs.found):
            note(value)
        if has_formula:
            formulas.add((row, column))
            value = NO_STORED_VALUE if value is None else value
        if value is not None:
            if not 0 < column <= MAX_COLUMNS:
                raise Refused(f"A sheet may use at most {MAX_COLUMNS} columns.", "Remove columns that are no data.")
            cells[column] = value

    def note(value: Any) -> None:
        at = (row, column)
        if type(value) in (int, float) and style in styles.formats:
            sheet.formats[at] = styles.formats[style]
        if style in styles.struck:
            sheet.struck.add(at)
        if style in styles.white:
            sheet.white.add(at)
        if style in styles.raised or runs.taken() or (kind == "s" and mixed and int(stored) in mixed):
            sheet.mixed.add(at)

    def start_row(attributes: dict[str, str]) -> None:
        nonlocal row, column, cells, seen
        seen += 1
        if last is not None and seen > last:
            raise _Enough
        if seen > LAST_ROW:
            raise Refused(f"A sheet may hold at most {LAST_ROW} rows, empty ones included.", SAVE_AGAIN)
        row = int(attributes["r"]) if "r" in attributes else row + 1
        column, cells = 0, {}
        if attributes.get("hidden") in ("1", "true"):
            sheet.hidden_rows.append(row)

    def end_row() -> None:
        nonlocal held
        if cells:
            held += len(cells)
            if len(rows) >= MAX_ROWS or held > MAX_CELLS:
                raise Refused(
                    f"A sheet may hold at most {MAX_ROWS} rows and {MAX_CELLS} cells.", "Remove rows that are no data."
                )
            if row in rows:
                raise Refused("A sheet must hold each row once.", SAVE_AGAIN)
            rows[row] = cells

    def start_text(_: dict[str, str]) -> None:
        text.clear()

    def end_value() -> None:
        nonlocal stored
        stored = "".join(text)

    def end_inline() -> None:
        if not phonetic:
            inline.append("".join(text))
            runs.end("".join(text))

    def start_formula(_: dict[str, str]) -> None:
        nonlocal has_formula
        has_formula = True

    def reading_aid(on: bool) -> Callable[..., None]:
        def switch(*_: Any) -> None:
            nonlocal phonetic
            phonetic = on

        return switch

    def merged(attributes: dict[str, str]) -> None:
        if len(sheet.merged) < MAX_MERGED:
            sheet.merged.append(attributes.get("ref", ""))

    def hidden_column(attributes: dict[str, str]) -> None:
        if attributes.get("hidden") in ("1", "true"):
            last = min(int(attributes["max"]), MAX_COLUMNS)
            sheet.hidden_columns.update(range(int(attributes["min"]), last + 1))

    starts: dict[str, Callable[[dict[str, str]], None]] = {
        "c": start_cell,
        "v": start_text,
        "t": start_text,
        "f": start_formula,
        "row": start_row,
        "rPh": reading_aid(True),
        "mergeCell": merged,
        "col": hidden_column,
        **runs.starts,
    }
    ends: dict[str, Callable[[], None]] = {
        "c": end_cell,
        "v": end_value,
        "t": end_inline,
        "row": end_row,
        "rPh": reading_aid(False),
    }

    with contextlib.suppress(_Enough):
        stream_part(stream, starts, ends, text)
    return sheet


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
