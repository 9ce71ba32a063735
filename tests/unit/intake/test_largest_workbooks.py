"""The largest workbooks that are let in, of each shape: read or refused in ten seconds of processor time and 500 MB."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import openpyxl
import pytest

from hhp_stats.intake.container import MAX_EXPANDED, MAX_PARTS, MAX_SETTINGS
from hhp_stats.intake.grid import MAX_CELLS, MAX_MERGED

# Of processor time, and megabytes of the whole process, read and checked as a return. Where this was written the slowest,
# many styles, took 7.5 s and the largest, people wrong in every cell, 288 MB, on two cores that eight others used.
SECONDS, MEMORY = 10.0, 500
# The peak of the process itself: what `getrusage` says on Linux is the larger of it and that of the process it was
# started from, which made the workbook.
PROGRAM = """\
import re, resource, sys, time
from pathlib import Path
from hhp_stats.intake.dictionary import load_dictionary, load_study
from hhp_stats.intake.gather import check_return
from hhp_stats.intake.returns import UNREADABLE_FILE, read_return
from hhp_stats.intake.spellings import load_spellings
def memory():
    if sys.platform == "linux":
        return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
root = Path(sys.argv[2])
fields, study = load_dictionary(root), load_study(root, "goal_setting")
started = time.process_time()
path = Path(sys.argv[1])
found = read_return(
    path, file=path.name, wave="endline", study=study, fields=fields, spellings=load_spellings(root, fields)
)
refused = [problem for problem in found.problems if problem.code == UNREADABLE_FILE.code]
if found.readable:
    check_return(found)
said = f"refused {refused[0].rule}" if refused else f"read {len(found.frame)} {len(found.problems)}"
print(f"{time.process_time() - started:.2f}|{memory():.0f}|{said}")
"""
PROJECT = Path(__file__).resolve().parents[3]
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
ROOM = MAX_EXPANDED - 2**21  # for everything beside the part that is large


def column(number: int) -> str:
    name = ""
    while number:
        number, rest = divmod(number - 1, 26)
        name = chr(65 + rest) + name
    return name


NAMES = [column(number) for number in range(1, 257)]


def rows_of(cell: Callable[[str, int], str], wide: int, most: int = ROOM) -> Iterator[str]:
    """Rows of so many cells, as many as fit into the room or the limit of cells."""
    size = 0
    for number in range(1, MAX_CELLS // wide + 1):
        row = f'<row r="{number}">' + "".join(cell(f"{NAMES[at]}{number}", at) for at in range(wide)) + "</row>"
        size += len(row)
        if size > most:
            return
        yield row


def _types(kinds: list[tuple[str, str]]) -> str:
    base = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = [("/xl/workbook.xml", "sheet.main"), *((f"/xl/{target}", kind) for kind, target in kinds)]
    listed = "".join(f'<Override PartName="{part}" ContentType="{base}.{kind}+xml"/>' for part, kind in parts)
    rels = '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    return f'{HEAD}<Types xmlns="{PACKAGE}/content-types">{rels}{listed}</Types>'


def book(
    path: Path, rows: Iterator[str], *, strings: str = "", styles: str = "", sheets: int = 1, after: str = ""
) -> None:
    """A workbook by hand: writing it with a library would take a minute."""
    names = ["Return", *(f"S{number}" for number in range(2, sheets + 1))]
    listed = "".join(f'<sheet name="{name}" sheetId="{at}" r:id="rId{at}"/>' for at, name in enumerate(names, start=1))
    kinds = [("worksheet", f"worksheets/sheet{at}.xml") for at in range(1, sheets + 1)]
    kinds += [("sharedStrings", "sharedStrings.xml")] * bool(strings) + [("styles", "styles.xml")] * bool(styles)
    related = "".join(
        f'<Relationship Id="rId{at}" Type="{OFFICE}/{kind}" Target="{target}"/>'
        for at, (kind, target) in enumerate(kinds, start=1)
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("[Content_Types].xml", _types(kinds))
        archive.writestr(
            "_rels/.rels",
            f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1"'
            f' Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/workbook.xml",
            f'{HEAD}<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{listed}</sheets></workbook>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships">{related}</Relationships>',
        )
        for part, text in (("sharedStrings", strings), ("styles", styles)):
            if text:
                archive.writestr(f"xl/{part}.xml", HEAD + text)
        with archive.open("xl/worksheets/sheet1.xml", "w") as sheet:
            sheet.write(f'{HEAD}<worksheet xmlns="{MAIN}"><sheetData>'.encode())
            for row in rows:
                sheet.write(row.encode())
            sheet.write(f"</sheetData>{after}</worksheet>".encode())
        for at in range(2, sheets + 1):
            archive.writestr(
                f"xl/worksheets/sheet{at}.xml",
                f'{HEAD}<worksheet xmlns="{MAIN}"><sheetData><row r="1"><c r="A1"><v>1</v></c></row></sheetData>'
                "</worksheet>",
            )


def many_numbers(path: Path) -> None:
    book(path, rows_of(lambda address, at: f'<c r="{address}"><v>{at}</v></c>', 20))


def wide_rows(path: Path) -> None:
    book(path, rows_of(lambda address, at: f'<c r="{address}"><v>1</v></c>', 256))


def many_texts(path: Path) -> None:
    book(path, rows_of(lambda address, at: f'<c r="{address}" t="inlineStr"><is><t>{address}x</t></is></c>', 20))


def many_shared_texts(path: Path) -> None:
    texts = [f"<si><t>text number {number}</t></si>" for number in range(900_000)]
    strings = f'<sst xmlns="{MAIN}">{"".join(texts)}</sst>'
    rest = ROOM - len(strings)
    book(path, rows_of(lambda address, at: f'<c r="{address}" t="s"><v>{at}</v></c>', 20, rest), strings=strings)


def many_rich_texts(path: Path) -> None:
    texts = [f"<si><r><rPr><b/></rPr><t>a{number}</t></r><r><t>b</t></r></si>" for number in range(500_000)]
    book(path, iter(()), strings=f'<sst xmlns="{MAIN}">{"".join(texts)}</sst>')


def many_styles(path: Path) -> None:
    count = MAX_SETTINGS - 100
    formats = '<xf numFmtId="9" fontId="0" fillId="0" borderId="0" xfId="0"/>' * count
    styles = f'<styleSheet xmlns="{MAIN}"><fonts><font/></fonts><cellXfs>{formats}</cellXfs></styleSheet>'
    rest = ROOM - len(styles)
    book(path, rows_of(lambda address, at: f'<c r="{address}" s="{at}"><v>1</v></c>', 20, rest), styles=styles)


def too_many_styles(path: Path) -> None:
    formats = '<xf numFmtId="9"/>' * (MAX_SETTINGS + 1)
    book(path, iter(()), styles=f'<styleSheet xmlns="{MAIN}"><cellXfs>{formats}</cellXfs></styleSheet>')


def many_sheets(path: Path) -> None:
    book(path, rows_of(lambda address, at: f'<c r="{address}"><v>1</v></c>', 5, 2**20), sheets=MAX_PARTS - 10)


def many_merged(path: Path) -> None:
    merged = "".join(f'<mergeCell ref="A{2 * n + 1}:B{2 * n + 2}"/>' for n in range(20 * MAX_MERGED))
    book(path, rows_of(lambda a, at: f'<c r="{a}"><v>1</v></c>', 20, 2**24), after=f"<mergeCells>{merged}</mergeCells>")


def _people(path: Path, values: Callable[[int, list[Any]], list[Any]]) -> None:
    """As many people as the limits allow, with every column of the synthetic return of Kent."""
    sheet = openpyxl.load_workbook(PROJECT / "data/returns/goal_setting/kent/endline.xlsx").active
    rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    head = next(at for at, row in enumerate(rows) if row[0] == "Unique Staff ID")
    body = rows[head + 1 :]

    def cells(number: int, row: list[Any]) -> str:
        made = [_cell(f"{NAMES[at]}{number}", value) for at, value in enumerate(row) if value is not None]
        return f'<row r="{number}">{"".join(made)}</row>'

    def lines() -> Iterator[str]:
        size = 0
        yield from (cells(number, row) for number, row in enumerate(rows[: head + 1], start=1))
        for number in range(MAX_CELLS // len(rows[head])):
            line = cells(head + 2 + number, values(number, body[number % len(body)]))
            size += len(line)
            if size > ROOM:
                return
            yield line

    book(path, lines())


def _cell(address: str, value: Any) -> str:
    if isinstance(value, int | float):
        return f'<c r="{address}"><v>{value}</v></c>'
    text = value.date().isoformat() if isinstance(value, datetime) else escape(str(value))
    return f'<c r="{address}" t="inlineStr"><is><t>{text}</t></is></c>'


def many_people(path: Path) -> None:
    _people(path, lambda number, row: [f"KEN-{number:06d}", *row[1:]])


def many_wrong_people(path: Path) -> None:
    _people(path, lambda number, row: [f"KEN-{number:06d}", *["rubbish"] * (len(row) - 1)])


def one_person_many_times(path: Path) -> None:
    _people(path, lambda number, row: ["KEN-0001", *row[1:]])


SHAPES = {
    made.__name__.replace("_", " "): made
    for made in (
        many_numbers,
        wide_rows,
        many_texts,
        many_shared_texts,
        many_rich_texts,
        many_styles,
        too_many_styles,
        many_sheets,
        many_merged,
        many_people,
        many_wrong_people,
        one_person_many_times,
    )
}
REFUSED = {"too many styles"}


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_the_largest_of_each_shape(tmp_path, shape):
    path = tmp_path / "return.xlsx"
    SHAPES[shape](path)
    with zipfile.ZipFile(path) as archive:
        assert sum(part.file_size for part in archive.infolist()) <= MAX_EXPANDED
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path), str(PROJECT)], capture_output=True, text=True, check=True
    )
    seconds, memory, said = done.stdout.strip().split("|")
    assert said.startswith("refused" if shape in REFUSED else ("read", "refused")), said
    assert float(seconds) < SECONDS and float(memory) < MEMORY, done.stdout
