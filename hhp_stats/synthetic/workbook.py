"""Excel workbooks whose bytes depend on their content alone: no time of writing, no machine, no version of a library.

openpyxl writes XML through lxml where that is installed and through the standard library elsewhere, with the same
content in other bytes; and what a compressor makes of the same bytes changes between versions of zlib. Hence every
part is brought into the canonical form of XML (W3C, Canonical XML 2.0) and stored as it is.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import canonicalize

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from hhp_stats.files.spreadsheet import write_cell

Cell = str | int | float | dt.date | None

ZIP_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest a zip archive can state
_MODIFIED = re.compile(r"(<dcterms:modified[^>]*>)[^<]*(</dcterms:modified>)")
_DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One sheet: lines above the table, headings, rows."""

    name: str
    above: Sequence[Sequence[Cell]]
    headings: Sequence[str]
    rows: Sequence[Sequence[Cell]]


def workbook_bytes(*, sheet: Sheet, title: str, subject: str, description: str, written: dt.date) -> bytes:
    """The workbook file. `written` is stated as the time of creation and of the last change."""
    book = Workbook()
    page = book.active
    page.title = sheet.name
    for number, line in enumerate((*sheet.above, sheet.headings, *sheet.rows), start=1):
        for column, value in enumerate(line, start=1):
            if value is not None:
                write_cell(page.cell(row=number, column=column), value)
    heading = len(sheet.above) + 1
    for cell in page[heading]:
        cell.font, cell.alignment = Font(bold=True), Alignment(wrap_text=True, vertical="top")
    for row in page.iter_rows():
        for cell in row:
            if isinstance(cell.value, dt.date):
                cell.number_format = "dd/mm/yyyy"
    for number in range(1, len(sheet.headings) + 1):
        page.column_dimensions[get_column_letter(number)].width = 18
    page.freeze_panes = f"A{heading + 1}"
    moment = dt.datetime.combine(written, dt.time())
    about = book.properties
    about.title, about.subject, about.description, about.creator = title, subject, description, "hhp_stats"
    about.created = about.modified = moment
    raw = io.BytesIO()
    book.save(raw)
    return _fixed(raw.getvalue(), moment)


def _fixed(raw: bytes, moment: dt.datetime) -> bytes:
    """The same archive: parts in alphabetical order and canonical form, every date fixed (saving states the time)."""
    stamp = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as source, zipfile.ZipFile(out, "w") as target:
        for name in sorted(source.namelist()):
            content = canonicalize(source.read(name).decode("utf-8"))
            if name == "docProps/core.xml":
                content = _MODIFIED.sub(rf"\g<1>{stamp}\g<2>", content)
            member = zipfile.ZipInfo(name, date_time=ZIP_DATE)
            member.create_system, member.external_attr = 3, 0o644 << 16
            target.writestr(member, (_DECLARATION + content).encode(), compress_type=zipfile.ZIP_STORED)
    return out.getvalue()
