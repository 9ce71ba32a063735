"""All tables of the report in one workbook, `tables.xlsx`: caption, headings, cells and notes as the pages show them.

The cells are read from the pages, so that what disclosure control withheld there is withheld here; a number is a
number, with the digits that are printed as its format.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from openpyxl import Workbook
from openpyxl.cell.cell import Cell as SheetCell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from hhp_stats.publish.archive import stamped
from hhp_stats.publish.project import Project
from hhp_stats.publish.well_formed import Reader

_BLANK = re.compile(r"[\s\u2007\u2009\u00a0\u200b]+")
_NUMBER = re.compile(r"([+\u2212-]?)(\d{1,3}(?:,\d{3})+|\d*)(\.\d+)?(%?)")
_FIGURE = re.compile(r'<figure\b[^>]*\bclass="[^"]*\btbl\b[^"]*"[^>]*>.*?</figure>', re.DOTALL)
_WIDEST, _NARROWEST = 60, 9  # characters of a column


@dataclass(slots=True, kw_only=True)
class PageTable:
    """A table as a page shows it."""

    label: str  # Table 2.1; "" where it has no number
    caption: str
    place: str  # page and anchor
    head: list[list[PageCell]] = field(default_factory=list)
    rows: list[list[PageCell]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class PageCell:
    """One cell: its words, and how many columns and rows it covers."""

    words: str
    columns: int = 1
    rows: int = 1


class _Tables(Reader):
    """Collects the labelled tables of a page."""

    def __init__(self, page: str) -> None:
        self.page = page
        self.found: list[PageTable] = []
        self.table: PageTable | None = None
        self.part = ""  # thead, tbody or tfoot
        self.text: list[str] | None = None  # of the cell, caption or label being read
        self.cell = PageCell(words="")
        self.skip = 0  # sources of formulas

    def handle_starttag(self, tag: str, attributes: dict[str, str]) -> None:
        classes = attributes.get("class", "").split()
        if tag == "figure" and "tbl" in classes:
            self.table = PageTable(label="", caption="", place=f"{self.page}#{attributes.get('id', '')}")
        elif self.table is None:
            return
        elif tag == "annotation":
            self.skip += 1
        elif tag == "figcaption" or "float-label" in classes:
            self.text = []
        elif tag in ("thead", "tbody", "tfoot"):
            self.part = tag
        elif tag == "tr" and self.part != "tfoot":
            (self.table.head if self.part == "thead" else self.table.rows).append([])
        elif tag in ("td", "th"):
            self.text = []
            self.cell = PageCell(
                words="", columns=int(attributes.get("colspan", 1)), rows=int(attributes.get("rowspan", 1))
            )
        elif tag in ("br", "p", "li") and self.text:
            self.text.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if self.table is None:
            return
        if tag == "annotation":
            self.skip -= 1
        elif tag == "span" and not self.table.label and self.text is not None and not self.part:
            self.table.label, self.text = _flat(self.text), []
        elif tag == "figcaption" and self.text is not None:
            self.table.caption, self.text = _flat(self.text), None
        elif tag in ("td", "th") and self.text is not None:
            self.cell.words, self.text = _flat(self.text), None
            if self.part == "tfoot":
                self.table.notes.append(self.cell.words)
            else:
                (self.table.head if self.part == "thead" else self.table.rows)[-1].append(self.cell)
        elif tag == "figure":
            self.found.append(self.table)
            self.table, self.part = None, ""

    def handle_data(self, data: str) -> None:
        if self.text is not None and not self.skip:
            self.text.append(data)


def _flat(parts: Sequence[str]) -> str:
    return _BLANK.sub(" ", "".join(parts)).strip()


def shown_tables(body: str) -> str:
    """What a page's body shows as tables, captions included, and nothing of its prose."""
    return "".join(_FIGURE.findall(body))


def tables_of(page: str, body: str) -> list[PageTable]:
    """The labelled tables of a page's body, in order."""
    reader = _Tables(page)
    reader.feed(shown_tables(body))
    return reader.found


def as_number(words: str) -> tuple[float | int, str] | None:
    """A cell's value and its format where it is a number and nothing else; a share is a hundredth of its per cent."""
    found = _NUMBER.fullmatch(words)
    if found is None or not (found[2] or found[3]):
        return None
    sign, whole, fraction, percent = found.groups()
    if len(whole) > 1 and whole.startswith("0"):
        return None  # an identifier or a telephone number, whose zeros count
    digits = len(fraction) - 1 if fraction else 0
    value = float(f"{whole.replace(',', '') or '0'}{fraction or ''}") * (-1 if sign in ("\u2212", "-") else 1)
    form = ("#,##0" if "," in whole else "0") + ("." + "0" * digits if digits else "")
    if percent:
        return round(value / 100, digits + 2), f"{form}%"
    return (value if digits else int(value)), form


def workbook_of_tables(project: Project, bodies: Mapping[str, str]) -> bytes:
    """The workbook of all pages' tables (`bodies` by page, in order); the same bytes for the same pages."""
    book = Workbook()
    contents = book.active
    contents.title = "Contents"
    tables = [table for page, body in bodies.items() for table in tables_of(page, body)]
    styles = _Styles()
    names: list[str] = []
    for table in tables:
        names.append(_sheet_name(table, names))
    lines = [project.title, project.banner, "Each sheet holds one table as the report shows it, with its notes."]
    for number, line in enumerate(lines, start=1):
        _put(contents.cell(row=number, column=1), line)
    contents["A1"].font = Font(bold=True)
    for column, heading in enumerate(("Sheet", "Table", "Page"), start=1):
        _put(contents.cell(row=len(lines) + 2, column=column), heading)
        contents.cell(row=len(lines) + 2, column=column).font = Font(bold=True)
    for number, (name, table) in enumerate(zip(names, tables, strict=True), start=len(lines) + 3):
        for column, words in enumerate((name, table.caption, table.place), start=1):
            _put(contents.cell(row=number, column=column), words)
        contents.cell(row=number, column=1).hyperlink = f"#'{name}'!A1"
        _fill(book.create_sheet(name), table, styles)
    for letter, width in (("A", 14), ("B", 90), ("C", 44)):
        contents.column_dimensions[letter].width = width
    about = book.properties
    about.title, about.creator, about.description = project.title, ", ".join(project.authors), project.banner
    about.language = project.lang
    raw = io.BytesIO()
    book.save(raw)
    return stamped(raw.getvalue(), project.date)


def _sheet_name(table: PageTable, taken: Sequence[str]) -> str:
    """The table's number, or its label; no two sheets share one, and none has a character that a name may not have."""
    name = re.sub(r"[\[\]:*?/\\']", " ", table.label or table.place.partition("#")[2] or "Table")[:28].strip()
    twice = sum(other == name or other.startswith(f"{name} (") for other in taken)
    return f"{name} ({twice + 1})" if twice else name


def _fill(sheet: Any, table: PageTable, styles: _Styles) -> None:
    """Caption, headings, cells and notes of one table."""
    _put(sheet.cell(row=1, column=1), f"{table.label}. {table.caption}" if table.label else table.caption)
    sheet["A1"].font = Font(bold=True)
    row = _rows(sheet, table.head, styles, at=3, bold=True)
    if table.head:
        sheet.freeze_panes = f"A{row}"
    row = _rows(sheet, table.rows, styles, at=row, bold=False)
    for note in table.notes:
        _put(sheet.cell(row=row + 1, column=1), note)
        row += 1
    widths: dict[int, int] = {}
    for line in [*table.head, *table.rows]:
        if len(line) > 1 or not table.rows:
            for place, cell in enumerate(line, start=1):
                widths[place] = (
                    max(widths.get(place, 0), len(cell.words)) if cell.columns == 1 else widths.get(place, 0)
                )
    for place, width in widths.items():
        sheet.column_dimensions[get_column_letter(place)].width = min(max(width + 2, _NARROWEST), _WIDEST)


def _rows(sheet: Any, lines: Sequence[Sequence[PageCell]], styles: _Styles, *, at: int, bold: bool) -> int:
    """Write rows from row `at`, cells that cover several merged; the row after the last."""
    covered: set[tuple[int, int]] = set()
    for row, line in enumerate(lines, start=at):
        column = 1
        for cell in line:
            while (row, column) in covered:
                column += 1
            target = sheet.cell(row=row, column=column)
            number = None if bold else as_number(cell.words)
            form, wrapped = "", None
            if number is not None:
                target.value, form = number
            elif cell.words:
                _put(target, cell.words)
                wrapped = len(cell.words) > _WIDEST
            styles.give(target, form=form, wrapped=wrapped, bold=bold or (len(line) == 1 and cell.columns > 1))
            places = [(row + down, column + on) for down in range(cell.rows) for on in range(cell.columns)]
            if len(places) > 1:
                covered |= set(places)
                last = places[-1]
                sheet.merge_cells(start_row=row, start_column=column, end_row=last[0], end_column=last[1])
            column += cell.columns
    return at + len(lines)


class _Styles:
    """How cells look: each look is made once for a workbook, since openpyxl compares every font that a cell is given
    with all others.
    """

    def __init__(self) -> None:
        self.made: dict[tuple[str, bool | None, bool], Any] = {}

    def give(self, cell: Any, *, form: str, wrapped: bool | None, bold: bool) -> None:
        """Its number format, whether its words are wrapped (None for a cell without words), and whether they are
        bold.
        """
        look = (form, wrapped, bold)
        if look in self.made:
            cell._style = copy(self.made[look])
            return
        if form:
            cell.number_format = form
        if wrapped is not None:
            cell.alignment = Alignment(wrap_text=wrapped, vertical="top")
        if bold:
            cell.font = Font(bold=True)
        self.made[look] = copy(cell._style)


def _put(cell: SheetCell, words: str) -> None:
    """Words as words: nothing that begins with a sign is a formula."""
    cell.value = words
    cell.data_type = "s"
