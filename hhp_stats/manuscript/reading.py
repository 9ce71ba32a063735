"""Read a manuscript: .docx, .odt, .html, .md, .tex, .txt and .pdf."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from hhp_stats.consistency.figures_file import no_file, not_text
from hhp_stats.errors import DataError, Problem
from hhp_stats.manuscript.document import Block, Document, Paragraph, numeric, table_of, words
from hhp_stats.manuscript.pandoc_reader import FORMATS, read_with_pandoc

SUFFIXES = (*FORMATS, ".txt", ".pdf")
_MATHS = re.compile(r"\$([^$\n]{1,200})\$")
_CELLS = re.compile(r"\t+| {2,}")
_FEWEST_CELLS = 3  # a line of words has no gaps; a table of two columns has one, as have many other lines
PDF_REMARK = "The tables of a PDF are told by the gaps in its lines: look at those that this page does not show."


def read_manuscript(path: Path) -> Document:
    """The manuscript in `path` as paragraphs and tables.

    Refuses (DataError, with file, rule and remedy) a file that is not there, a kind of file that is not read (an old
    Word file, for one), one that is damaged or protected, and one without a word, as scanned pages are.
    """
    name, suffix = path.as_posix(), path.suffix.lower()
    if not path.is_file():
        raise DataError([no_file(name)])
    if suffix not in SUFFIXES:
        raise _refused(
            name,
            "B14",
            f"A manuscript is a file of the kind {', '.join(SUFFIXES)}; figures alone are a .csv.",
            "Save it as .docx or .pdf.",
        )
    remarks: tuple[str, ...] = ()
    if suffix == ".pdf" and find_spec("pypdf") is None:
        raise _refused(
            name,
            "B17",
            "PDFs are read with the package pypdf, which is not installed.",
            "Install it with `pip install pypdf`, or give the manuscript as .docx.",
        )
    try:
        if suffix == ".pdf":
            blocks, remarks = tuple(_of_pdf(path)), (PDF_REMARK,)
        elif suffix == ".txt":
            blocks = tuple(_of_text(path.read_text(encoding="utf-8-sig")))
        else:
            blocks = read_with_pandoc(path)
    except DataError:
        raise
    except UnicodeDecodeError as error:
        raise DataError([not_text(name, error)]) from None
    except Exception:  # whatever a reader makes of a damaged file
        raise _refused(
            name,
            "B15",
            f"The file must be readable as {suffix}.",
            "Open it in its own program, take away a password and save it again.",
        ) from None
    if not blocks:
        raise _refused(
            name, "B16", "The manuscript must hold text.", "Pages that were scanned need their text recognised first."
        )
    return Document(file=name, blocks=blocks, remarks=remarks)


def _refused(name: str, code: str, rule: str, remedy: str) -> DataError:
    return DataError([Problem(code=code, severity="error", file=name, rule=rule, remedy=remedy)])


def _of_text(text: str) -> Iterator[Block]:
    """One paragraph a line, as documents saved as text have it; lines with tabs that follow each other are a table."""
    yield from _of_lines(_MATHS.sub(r"\1", text).splitlines(), place="line")


def _of_lines(lines: list[str], *, place: str) -> Iterator[Block]:
    table: list[list[str]] = []
    caption, began = "", 0
    for number, line in enumerate([*lines, ""], start=1):
        cells = [cell.strip() for cell in line.split("\t")]
        if len([cell for cell in cells if cell]) >= 2:
            if not table:
                began = number
            table.append(cells)
            continue
        if table:
            made = table_of(table, place=f"{place} {began}", caption=caption, heads=0)
            if made is not None:
                yield made
            else:
                yield from (Paragraph(place=f"{place} {began}", text=words(" ".join(row))) for row in table)
            table = []
        if line.strip():
            caption = line
            yield Paragraph(place=f"{place} {number}", text=words(line))


def _of_pdf(path: Path) -> Iterator[Block]:
    """Paragraphs in the order in which they were written, then what the gaps of a page's lines show as tables."""
    from pypdf import PdfReader

    for number, page in enumerate(PdfReader(path).pages, start=1):
        place = f"page {number}"
        for text in _paragraphs(page.extract_text()):
            yield Paragraph(place=place, text=text)
        yield from _tables(page.extract_text(extraction_mode="layout").splitlines(), place)


def _paragraphs(text: str) -> Iterator[str]:
    """Lines joined until one ends a sentence short of the margin, or a blank one follows; parted words are joined."""
    lines = [line.rstrip() for line in text.splitlines()]
    widest = max((len(line) for line in lines), default=0)
    said = ""
    for line in lines:
        if said.endswith("-") and line[:1].islower():
            said = said[:-1] + line
        elif line.strip():
            said = f"{said} {line}".strip()
        if said and (not line.strip() or (line.endswith((".", "?", "!", ":")) and len(line) < 0.8 * widest)):
            yield words(said)
            said = ""
    if said:
        yield words(said)


def _tables(lines: list[str], place: str) -> Iterator[Block]:
    found: list[tuple[int, list[list[str]]]] = []
    for at, line in enumerate(lines):
        cells = [cell.strip() for cell in _CELLS.split(line.strip()) if cell.strip()]
        if len(cells) < _FEWEST_CELLS:
            continue
        if found and found[-1][0] + len(found[-1][1]) == at and len(found[-1][1][-1]) == len(cells):
            found[-1][1].append(cells)
        else:
            found.append((at, [cells]))
    for at, rows in found:
        if not any(numeric(cell) for row in rows for cell in row[1:]):
            continue
        above = next((line for line in reversed(lines[:at]) if line.strip()), "")
        made = table_of(rows, place=place, caption=above, heads=0)
        if made is not None:
            yield made
