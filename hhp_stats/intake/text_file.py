"""What does a text file say? Encoding detected from its bytes, lines split into fields, nothing guessed silently."""

from __future__ import annotations

import codecs
import csv
import io
from pathlib import Path
from typing import NamedTuple

from hhp_stats.intake.container import MAX_TEXT, Refused, check_size
from hhp_stats.intake.grid import MAX_CELLS, MAX_COLUMNS, MAX_ROWS, Grid

_RESAVE = "Save it as “CSV UTF-8” and send it again."


class Text(NamedTuple):
    """The text of a file and how it was encoded."""

    text: str
    encoding: str


def read_text(path: Path) -> Text:
    """The text of a file in UTF-8 or UTF-16 (with or without byte order mark), else in Windows-1252.

    Refuses (`Refused`) empty and oversized files, bytes that fit none of these, and NUL characters.
    """
    check_size(path, most=MAX_TEXT)
    raw = path.read_bytes()
    if raw.startswith((b"PK\x03\x04", bytes.fromhex("d0cf11e0a1b11ae1"))):
        raise Refused(
            "A .csv file must be text, and no workbook under that name.", "Give the file the ending of its format."
        )
    for mark, encoding in (
        (codecs.BOM_UTF8, "UTF-8 with byte order mark"),
        (codecs.BOM_UTF16_LE, "UTF-16 with byte order mark"),
        (codecs.BOM_UTF16_BE, "UTF-16 with byte order mark"),
    ):
        if raw.startswith(mark):
            return Text(_decode(raw, "utf-8-sig" if mark == codecs.BOM_UTF8 else "utf-16"), encoding)
    start = raw[:400]
    if start.count(0) > len(start) // 4:
        return Text(_decode(raw, "utf-16-le" if start[1:2] == b"\0" else "utf-16-be"), "UTF-16")
    try:
        return Text(_plain(raw.decode("utf-8")), "UTF-8")
    except UnicodeDecodeError:
        return Text(_decode(raw, "cp1252"), "Windows-1252")


def _decode(raw: bytes, encoding: str) -> str:
    try:
        return _plain(raw.decode(encoding))
    except UnicodeDecodeError:
        raise Refused("A text file must be in UTF-8 or UTF-16.", _RESAVE) from None


def _plain(text: str) -> str:
    if "\0" in text:
        raise Refused("A text file must not hold NUL characters.", _RESAVE)
    return text


def split_rows(text: str, delimiter: str) -> list[list[str]]:
    """The rows and fields of a delimited text; refuses broken quotation (`Refused`), quoting no content."""
    try:
        same: dict[str, str] = {}  # each text is held once: a column of a few values takes little memory
        rows: list[list[str]] = []
        cells = 0
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
            cells += len(row)
            if cells > MAX_CELLS or len(rows) >= MAX_ROWS:
                raise Refused(
                    f"A file may hold at most {MAX_ROWS} rows and {MAX_CELLS} fields.", "Remove rows that are no data."
                )
            rows.append([same.setdefault(field, field) for field in row])
    except csv.Error:
        rule = "Quotation marks in a CSV file must be closed, and a field must be shorter than 128 KiB."
        raise Refused(rule, _RESAVE) from None
    return rows


def likely_delimiter(text: str, *, lines: int = 40) -> str:
    """The sign among comma, tab and semicolon that most often divides the first lines."""
    start = "\n".join(text.split("\n", lines)[:lines])
    return max(",\t;", key=start.count)


def read_csv_grid(path: Path) -> Grid:
    """The cells of a CSV file as text; see `read_text` and `split_rows` for what is refused."""
    text, encoding = read_text(path)
    rows = {}
    for number, fields in enumerate(split_rows(text, likely_delimiter(text)), start=1):
        cells = {column: value for column, value in enumerate(fields, start=1) if value.strip()}
        if cells:
            if max(cells) > MAX_COLUMNS:
                raise Refused(f"A file may use at most {MAX_COLUMNS} columns.", "Remove columns that are no data.")
            rows[number] = cells
    return Grid(sheet="", rows=rows, typed=False, encoding=encoding)
